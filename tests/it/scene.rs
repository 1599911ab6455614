//! What the end-to-end suites play on.

use std::{collections::BTreeSet, path::Path};

use dataminer_reconciler_tests::{
    dms::{self, QUICK, add_package, four_agents, peers},
    installation::Installation,
    program::Ended,
};
use dataminer_schema::status::ClusterState;
use dms_simulator::{ClusterReport, ContentState, RunState, Simulation, package::Kind};
use tokio::task::block_in_place;

pub(crate) const FROM: &str = "10.3.0 CU20 (build 14985)";
pub(crate) const MIDDLE: &str = "10.4.0 CU21 (build 16523)";
pub(crate) const TO: &str = "10.5.0 CU12 (build 16889)";
pub(crate) const WEB: &str = "10.6.4 (build 16950)";

/// A simulated cluster `brussels` and the installation that keeps it.
pub(crate) struct Scene {
    pub(crate) simulation: Simulation,
    pub(crate) installation: Installation,
}

impl Scene {
    /// Two Agents and a Failover pair that run a version; the catalogue knows every package of these tests.
    pub(crate) async fn new(core: &str) -> Self {
        let (simulation, mut installation) =
            dms::start(vec![four_agents("brussels", core)]).await.expect("the simulation starts");
        for (version, kind) in [(MIDDLE, Kind::Full), (TO, Kind::Full), (WEB, Kind::Web)] {
            add_package(&mut installation, version, kind);
        }
        installation.explain("10.3.0.0-14985", "10.3.0 CU20");
        Self { simulation, installation }
    }

    /// Commits what the cluster shall run.
    pub(crate) fn want(&self, core: &str, web_apps: &str) -> String {
        let peers = peers(&self.simulation, "brussels");
        self.installation.declare("brussels", core, web_apps, &peers, QUICK);
        self.installation.repository.commit(&format!("brussels: {core}, web apps {web_apps}"))
    }

    pub(crate) fn run_once(&self) -> Ended {
        block_in_place(|| self.installation.run("run", &["--once"]))
    }

    pub(crate) fn cluster(&self) -> ClusterReport {
        self.simulation.inspect().clusters.remove(0)
    }

    /// Every Agent runs this core, its content is readable, and nothing happened that the product would not have
    /// survived.
    #[track_caller]
    pub(crate) fn assert_runs(&self, core: &str) {
        let cluster = self.cluster();
        assert_eq!(cluster.violations, [], "{core}");
        for agent in &cluster.agents {
            assert_eq!(agent.core, core.parse().expect("a version of this test"), "{}", agent.name);
            assert_eq!(agent.state, RunState::Running, "{}", agent.name);
            assert!(
                matches!(agent.content, ContentState::Readable { .. }),
                "{}: {:?}",
                agent.name,
                agent.content
            );
            assert_eq!(agent.unknown_commands, Vec::<String>::new(), "{}", agent.name);
        }
    }

    #[track_caller]
    pub(crate) fn assert_ready(&self) {
        let status = self.installation.cluster("brussels");
        assert_eq!(status.state, ClusterState::Ready, "{} {}: {status:#?}", status.reason, status.message);
    }

    /// How often the utility of any Agent began with a package, by the folders that it left.
    pub(crate) fn runs_of(&self, package: &str) -> usize {
        let agents = self.cluster().agents;
        let folders = agents.iter().map(|agent| {
            let packages = agent.drive.join("Skyline DataMiner/Upgrades/Packages");
            entries(packages.as_std_path()).iter().filter(|name| name.starts_with(package)).count()
        });
        folders.max().unwrap_or(0)
    }
}

/// The names in a folder; none where it is not there.
pub(crate) fn entries(folder: &Path) -> BTreeSet<String> {
    let read = std::fs::read_dir(folder).into_iter().flatten().flatten();
    read.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
