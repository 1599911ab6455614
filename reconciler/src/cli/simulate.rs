//! `simulate`: simulated DMSs behind real SSH endpoints, with manifests that fit them.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
};

use anyhow::Context;
use dataminer_schema::version::Version;
use dms_simulator::{AgentEndpoint, AgentSpec, ClusterSpec, Simulation, SimulationSpec};

use super::{Exit, Helpful, Terminal, Tone, lab};
use crate::review::work::plural;

/// Start simulated clusters behind real SSH endpoints on loopback
///
/// Prints the endpoints and a fleet that fits them, and stays until Ctrl-C.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenario, with its clusters and faults; without one, one cluster is made from the options below
    #[arg(long, visible_alias = "spec", value_name = "FILE")]
    scenario: Option<PathBuf>,

    /// Name of the cluster
    #[arg(long, value_name = "NAME", default_value = "lab", conflicts_with = "scenario")]
    name: String,

    /// Number of Agents
    #[arg(long, value_name = "NUMBER", default_value_t = 2, conflicts_with = "scenario", value_parser = clap::value_parser!(u8).range(1..=100))]
    agents: u8,

    /// Version that the Agents run
    #[arg(
        long,
        value_name = "VERSION",
        default_value = "10.5.0 CU12 (build 16889)",
        conflicts_with = "scenario"
    )]
    core: Version,

    /// Simulated seconds per second
    #[arg(long, value_name = "FACTOR")]
    speed: Option<f64>,

    /// Seed of every random choice
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,

    /// Read the scenario, say what is in it, and start nothing
    #[arg(long, requires = "scenario")]
    check: bool,

    /// Write manifest, configuration and client key into this folder
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let spec = spec(args)?;
    if args.check {
        let agents: usize = spec.clusters.iter().map(|cluster| cluster.agents.len()).sum();
        let faults: usize = spec.clusters.iter().map(|cluster| cluster.faults.len()).sum();
        let counts = [(spec.clusters.len(), "cluster"), (agents, "Agent"), (faults, "fault")];
        let counts: Vec<String> = counts.iter().map(|(count, noun)| plural(*count, noun)).collect();
        terminal.line(counts.join(", "))?;
        return Ok(Exit::Ok);
    }
    super::block_on(async {
        let simulation = Simulation::start(spec.clone()).await?;
        show(&simulation, &spec, args, terminal)?;
        terminal.flush()?;
        terminal.say("simulating; end with Ctrl-C");
        tokio::signal::ctrl_c().await.context("waiting for Ctrl-C")?;
        simulation.shutdown().await;
        Ok(Exit::Ok)
    })
}

fn spec(args: &Args) -> anyhow::Result<SimulationSpec> {
    let mut spec = match &args.scenario {
        Some(path) => {
            let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
            SimulationSpec::from_yaml(&text).map_err(|error| {
                Helpful::new(format!("{}: {error}", path.display()), "correct the description")
            })?
        }
        None => {
            let agent = |number: u8| {
                let address = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 10 + number));
                AgentSpec::new(
                    format!("{}-{number:02}", args.name),
                    100 + u32::from(number),
                    address,
                    args.core.clone(),
                )
            };
            SimulationSpec::new(vec![ClusterSpec::new(
                args.name.clone(),
                (1..=args.agents).map(agent).collect(),
            )])
        }
    };
    if let Some(speed) = args.speed {
        spec.speed = speed;
    }
    if let Some(seed) = args.seed {
        spec.seed = seed;
    }
    spec.check()
        .map_err(|error| Helpful::new(error.to_string(), "correct the description or the options"))?;
    Ok(spec)
}

fn show(
    simulation: &Simulation,
    spec: &SimulationSpec,
    args: &Args,
    terminal: &mut Terminal,
) -> anyhow::Result<()> {
    let endpoints = simulation.agents();
    let mut table = terminal.new_table(&["CLUSTER", "AGENT", "ADDRESS", "HOST KEY", "USER", "CLIENT KEY"]);
    for AgentEndpoint { cluster, name, addr, host_key_fingerprint, user, client_key } in endpoints {
        table.add_row([
            terminal.cell(cluster, Tone::Strong),
            terminal.cell(name, Tone::Plain),
            terminal.cell(addr, Tone::Plain),
            terminal.cell(host_key_fingerprint, Tone::Plain),
            terminal.cell(user, Tone::Plain),
            terminal.cell(client_key, Tone::Plain),
        ]);
    }
    terminal.table(table)?;
    if let Some(folder) = &args.write {
        let written = lab::write(folder, simulation, spec)?;
        for line in written {
            terminal.say(line);
        }
        return Ok(());
    }
    for cluster in &spec.clusters {
        terminal.line("---")?;
        terminal.data(lab::manifest(cluster, endpoints))?;
    }
    Ok(())
}
