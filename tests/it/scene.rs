//! What the end-to-end suites play on.

use std::{collections::BTreeSet, path::Path};

use dataminer_reconciler_tests::{
    dms::{self, QUICK, add_package, four_agents, peers},
    installation::Installation,
    program::Ended,
};
use dataminer_schema::{status::ClusterState, version::Version};
use dms_simulator::{
    BackupSpec, ClusterReport, ClusterSpec, ContentState, HistorySpec, RunState, Simulation, package::Kind,
};
use jiff::{SignedDuration, Timestamp};
use tokio::task::block_in_place;

pub(crate) const FROM: &str = "10.3.0 CU20 (build 14985)";
pub(crate) const MIDDLE: &str = "10.4.0 CU21 (build 16523)";
pub(crate) const TO: &str = "10.5.0 CU12 (build 16889)";
pub(crate) const WEB: &str = "10.6.4 (build 16950)";
/// The web apps of [`TO`] in a package of their own.
const WEB_OF_TO: &str = "10.5.0 CU12 (build 16891)";

/// A simulated cluster `brussels` and the installation that keeps it.
pub(crate) struct Scene {
    pub(crate) simulation: Simulation,
    pub(crate) installation: Installation,
}

impl Scene {
    /// Two Agents and a Failover pair that run a version; the catalogue knows every package of these tests.
    pub(crate) async fn new(core: &str) -> Self {
        Self::of(four_agents("brussels", core)).await
    }

    /// The same Agents on [`TO`] with web apps [`WEB`], after a past on [`MIDDLE`] and on the web apps of [`TO`]:
    /// each Agent holds the product's backup of either.
    pub(crate) async fn with_a_past() -> Self {
        let mut cluster = four_agents("brussels", TO);
        let days_ago = |days: i64| Timestamp::now() - SignedDuration::from_hours(24 * days);
        for agent in &mut cluster.agents {
            agent.web = Some(version(WEB));
            agent.history = vec![HistorySpec {
                at: days_ago(300),
                version: "10.4.0.0-16523-20250901-release".to_owned(),
            }];
            // The newest core entry is half a year old, the web package a day younger.
            agent.backups = vec![
                BackupSpec { at: days_ago(200), content: version(MIDDLE), file: None },
                BackupSpec {
                    at: days_ago(180) + SignedDuration::from_hours(12),
                    content: version(TO),
                    file: None,
                },
            ];
        }
        Self::of(cluster).await
    }

    /// These Agents, and packages for [`MIDDLE`], [`TO`] and their web apps.
    pub(crate) async fn of(cluster: ClusterSpec) -> Self {
        let (simulation, mut installation) = dms::start(vec![cluster]).await.expect("the simulation starts");
        for (version, kind) in
            [(MIDDLE, Kind::Full), (TO, Kind::Full), (WEB, Kind::Web), (WEB_OF_TO, Kind::Web)]
        {
            add_package(&mut installation, version, kind);
        }
        installation.explain("10.3.0.0-14985", "10.3.0 CU20");
        Self { simulation, installation }
    }

    /// Commits what the cluster shall run.
    pub(crate) fn want(&self, core: &str, web_apps: &str) -> String {
        self.want_with(core, web_apps, "")
    }

    /// The same with leave to downgrade, which nobody needs to approve.
    pub(crate) fn want_down(&self, core: &str, web_apps: &str) -> String {
        self.want_with(core, web_apps, "  downgrade: { policy: Allow }\n  approval: Never\n")
    }

    /// The same where an operator approves the plan, as a manifest asks for that says nothing else.
    pub(crate) fn want_down_asking(&self, core: &str, web_apps: &str) -> String {
        self.want_with(core, web_apps, "  downgrade: { policy: Allow }\n")
    }

    fn want_with(&self, core: &str, web_apps: &str, more: &str) -> String {
        let peers = peers(&self.simulation, "brussels");
        self.installation.declare("brussels", core, web_apps, &peers, &format!("{QUICK}{more}"));
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

    /// Every Agent has the same content, written by this level.
    #[track_caller]
    pub(crate) fn assert_content(&self, level: &str) {
        let level: Version = level.parse().expect("a version of this test");
        for agent in self.cluster().agents {
            let ContentState::Readable { level: found } = &agent.content else {
                panic!("{}: {:?}", agent.name, agent.content);
            };
            assert_eq!(found.month_index(), level.month_index(), "{}: {found}", agent.name);
        }
    }

    /// How many notes of owed work lie on each Agent.
    pub(crate) fn owed(&self) -> Vec<usize> {
        let agents = self.cluster().agents;
        let folders = agents.iter().map(|agent| agent.drive.join("ProgramData/dataminer-reconciler/owed"));
        folders.map(|folder| entries(folder.as_std_path()).len()).collect()
    }

    #[track_caller]
    pub(crate) fn assert_nothing_owed(&self) {
        assert_eq!(self.owed(), [0; 4]);
    }

    /// The lines of `history`, oldest first.
    pub(crate) fn history(&self) -> Vec<String> {
        let ended = block_in_place(|| self.installation.run("history", &["brussels", "--limit", "500"]));
        ended.expect_status(0).stdout.lines().map(str::to_owned).collect()
    }

    #[track_caller]
    pub(crate) fn assert_ready(&self) {
        let status = self.installation.cluster("brussels");
        assert_eq!(status.state, ClusterState::Ready, "{} {}: {status:#?}", status.reason, status.message);
    }

    /// How often the utility of any Agent began with a package, by the folders that it left. What the simulation
    /// began with left one as well.
    pub(crate) fn runs_of(&self, package: &str) -> usize {
        let at_first = |name: &&String| name.ends_with(&"0a".repeat(16)) || name.ends_with(&"0b".repeat(16));
        let agents = self.cluster().agents;
        let folders = agents.iter().map(|agent| {
            let packages = entries(agent.drive.join("Skyline DataMiner/Upgrades/Packages").as_std_path());
            packages.iter().filter(|name| name.starts_with(package) && !at_first(name)).count()
        });
        folders.max().unwrap_or(0)
    }

    /// No job did its work twice, on whatever Agent.
    #[track_caller]
    pub(crate) fn assert_no_job_ran_twice(&self) {
        for agent in self.cluster().agents {
            for (task, runs) in &agent.tasks {
                assert!(runs.worked <= 1, "{}: {task} worked {} times", agent.name, runs.worked);
            }
        }
    }
}

fn version(text: &str) -> Version {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The names in a folder; none where it is not there.
pub(crate) fn entries(folder: &Path) -> BTreeSet<String> {
    let read = std::fs::read_dir(folder).into_iter().flatten().flatten();
    read.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
