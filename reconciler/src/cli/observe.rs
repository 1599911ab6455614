//! `observe`: looks at live Agents and writes Observations, for `plan --observed` and for people.

use std::path::PathBuf;

use dataminer_schema::{
    id::ClusterName,
    load::observation_to_yaml,
    v1::observation::{AgentObservation, Observation},
};

use super::{Exit, Terminal, Tone, fleet, live};

/// Look at live Agents and write what they show
///
/// Writes nothing on an Agent but the reconciler's own scripts, in its own folder.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of the manifests
    #[arg(short = 'f', long = "fleet", value_name = "DIR", default_value = ".")]
    folder: PathBuf,

    /// Clusters to look at; all of them if none is named
    #[arg(value_name = "CLUSTER")]
    clusters: Vec<ClusterName>,

    /// The process's configuration: its grants say which secrets may be used
    #[arg(long, value_name = "FILE", env = "DATAMINER_RECONCILER_CONFIG")]
    config: Option<PathBuf>,

    /// Form of the output
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Output {
    #[default]
    Yaml,
    Json,
    Table,
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> anyhow::Result<Exit> {
    let config = args.config.as_deref().ok_or_else(live::no_config)?;
    let fleet = fleet::load(&args.folder, &args.clusters, terminal)?;
    let observations = live::observe(&fleet.clusters, config, terminal)?;
    match args.output {
        Output::Yaml => {
            for (at, observation) in observations.iter().enumerate() {
                if at > 0 {
                    terminal.line("---")?;
                }
                terminal.data(observation_to_yaml(observation))?;
            }
        }
        Output::Json => terminal.json(&observations)?,
        Output::Table => table(&observations, terminal)?,
    }
    let seen = observations.iter().flat_map(|observation| &observation.agents).all(|agent| agent.reachable);
    Ok(if seen { Exit::Ok } else { Exit::Failed })
}

fn table(observations: &[Observation], terminal: &mut Terminal) -> anyhow::Result<()> {
    let mut table =
        terminal.new_table(&["CLUSTER", "AGENT", "STATE", "CORE", "WEB APPS", "FREE", "OPERATION", "NOTE"]);
    let unknown = || "unknown".to_owned();
    for observation in observations {
        for agent in &observation.agents {
            let AgentObservation {
                name, reachable, reason, core, web_apps, state, failover, free_disk, ..
            } = agent;
            let note = match (reachable, failover.and_then(|failover| failover.online)) {
                (false, _) => reason.clone().unwrap_or_else(|| "not reachable".to_owned()),
                (true, Some(true)) => "online".to_owned(),
                (true, Some(false)) => "offline".to_owned(),
                (true, None) => String::new(),
            };
            let operation = agent.operation.as_ref().map(|operation| format!("{:?}", operation.state));
            table.add_row([
                terminal.cell(&observation.cluster, Tone::Strong),
                terminal.cell(name, Tone::Plain),
                terminal.cell(state.map_or_else(unknown, |state| format!("{state:?}")), Tone::Plain),
                terminal.cell(core.clone().unwrap_or_else(unknown), Tone::Plain),
                terminal.cell(web_apps.clone().unwrap_or_else(unknown), Tone::Plain),
                terminal.cell(free_disk.map_or_else(unknown, |free| gibibytes(free.0)), Tone::Plain),
                terminal.cell(operation.unwrap_or_else(|| "-".to_owned()), Tone::Plain),
                terminal.cell(note, if *reachable { Tone::Faint } else { Tone::Bad }),
            ]);
        }
    }
    terminal.table(table)?;
    Ok(())
}

fn gibibytes(bytes: u64) -> String {
    format!("{} GiB", bytes >> 30)
}
