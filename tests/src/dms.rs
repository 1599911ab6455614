//! A simulated DMS and the installation that keeps it.

use std::{net::IpAddr, time::Duration};

use anyhow::Context as _;
use dataminer_schema::version::Version;
use dms_simulator::{
    AgentEndpoint, AgentSpec, ClusterSpec, FailoverRole, Simulation, SimulationSpec,
    package::{self, Kind, PackageSpec},
};

use crate::installation::{Installation, Peer};

/// How many simulated seconds pass in one: an upgrade of half an hour takes two seconds.
pub const SPEED: f64 = 900.0;

/// The specification of an Agent `NAME` with DataMiner ID 100 + `number` and address 10.0.0.`number`.
///
/// # Panics
/// When the version cannot be read.
pub fn agent(name: &str, number: u8, core: &str) -> AgentSpec {
    let core: Version = core.parse().unwrap_or_else(|e| panic!("{core}: {e}"));
    AgentSpec::new(name, 100 + u32::from(number), IpAddr::from([10, 0, 0, number]), core)
}

/// Two Agents and a Failover pair that run the same version.
pub fn four_agents(cluster: &str, core: &str) -> ClusterSpec {
    let mut backup = agent("dma-03b", 4, core).with_failover(FailoverRole::Backup, false);
    backup.id = 103;
    let agents = vec![
        agent("dma-01", 1, core),
        agent("dma-02", 2, core),
        agent("dma-03", 3, core).with_failover(FailoverRole::Main, true),
        backup,
    ];
    ClusterSpec::new(cluster, agents)
}

/// Starts a simulation of these clusters and an installation that may log on to its Agents.
///
/// # Errors
/// What the simulator says.
pub async fn start(clusters: Vec<ClusterSpec>) -> anyhow::Result<(Simulation, Installation)> {
    let simulation = Simulation::start(SimulationSpec::new(clusters).with_speed(SPEED)).await?;
    let first = simulation.agents().first().context("a simulation has Agents")?;
    let installation = Installation::new(&first.user, first.client_key.as_std_path());
    Ok((simulation, installation))
}

/// Makes a package, puts it into the installation's place and approves it; returns its file name.
///
/// # Panics
/// When the version has no build or the folder cannot be written.
pub fn add_package(installation: &mut Installation, version: &str, kind: Kind) -> String {
    let parsed: Version = version.parse().unwrap_or_else(|e| panic!("{version}: {e}"));
    let spec = match kind {
        Kind::Full => PackageSpec::full(parsed),
        Kind::Web => PackageSpec::web(parsed),
    };
    let folder = installation.package_path("");
    let folder = camino::Utf8Path::from_path(&folder).expect("a readable name");
    let written = package::write(folder, &spec).unwrap_or_else(|e| panic!("package {version}: {e}"));
    installation.approve(&written.file);
    written.file
}

fn peer(endpoint: &AgentEndpoint) -> Peer {
    Peer {
        name: endpoint.name.clone(),
        address: endpoint.addr.to_string(),
        host_key: endpoint.host_key_fingerprint.clone(),
        partner: None,
    }
}

/// The Agents of a cluster as a manifest lists them; `NAMEb` is the Failover partner of `NAME`.
pub fn peers(simulation: &Simulation, cluster: &str) -> Vec<Peer> {
    let mut peers: Vec<Peer> = Vec::new();
    for endpoint in simulation.agents().iter().filter(|endpoint| endpoint.cluster == cluster) {
        match peers.last_mut() {
            Some(main) if endpoint.name == format!("{}b", main.name) => {
                main.partner = Some(Box::new(peer(endpoint)));
            }
            _ => peers.push(peer(endpoint)),
        }
    }
    peers
}

/// Lines of a Cluster's spec that suit the pace of a simulation.
pub const QUICK: &str = "  upgrade: { minFreeDisk: 1GiB }\n  health: { settle: 1s, timeout: 2m }\n";

/// How long an end-to-end test waits for what takes a simulated DMS a few seconds.
pub const PATIENCE: Duration = Duration::from_secs(180);
