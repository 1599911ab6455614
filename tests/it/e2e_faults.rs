//! What goes wrong around an upgrade, and what the program makes of it.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use dataminer_reconciler_tests::{dms::PATIENCE, environment::long_run, program::Running, wait};
use dataminer_schema::status::{ClusterState, ClusterStatus};
use dms_simulator::{Fault, Reach, RunState};
use tokio::task::block_in_place;

use crate::scene::{MIDDLE, Scene, TO, entries};

const PACKAGE: &str = "DataMiner 10.5.0.0(CU12)-16889 Full Upgrade.dmupgrade";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_changed_host_key_is_refused_and_shown() {
    let scene = Scene::new(MIDDLE).await;
    scene.simulation.inject("brussels", "dma-02", Fault::HostKeyChanged).await.expect("the Agent exists");
    scene.want("10.5.0 CU12", "unmanaged");
    scene.run_once();
    let status = scene.installation.cluster("brussels");
    assert_ne!(status.state, ClusterState::Ready);
    let agent = status.agents.iter().find(|agent| agent.name.as_str() == "dma-02").expect("it is listed");
    assert!(!agent.reachable);
    let reason = agent.reason.as_deref().unwrap_or_default();
    assert!(reason.contains("SHA256:"), "the key that was offered: {reason}");
    scene.assert_runs(MIDDLE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_agent_that_does_not_answer_holds_the_whole_cluster() {
    let scene = Scene::new(MIDDLE).await;
    let reach = Fault::Network(Reach::Refuses);
    scene.simulation.inject("brussels", "dma-03b", reach).await.expect("the Agent exists");
    scene.want("10.5.0 CU12", "unmanaged");
    scene.run_once();
    let status = scene.installation.cluster("brussels");
    assert_eq!((status.state, status.reason.as_str()), (ClusterState::Reconciling, "AgentUnreachable"));
    assert!(status.next_attempt_at.is_some(), "{status:?}");
    scene.assert_runs(MIDDLE);
    // It comes back, and so does the upgrade.
    let reach = Fault::Network(Reach::Reachable);
    scene.simulation.inject("brussels", "dma-03b", reach).await.expect("the Agent exists");
    scene.run_once().expect_status(0);
    scene.assert_runs(TO);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_package_with_other_bytes_than_were_approved_is_never_sent() {
    let scene = Scene::new(MIDDLE).await;
    let path = scene.installation.package_path(PACKAGE);
    let mut bytes = std::fs::read(&path).expect("the package lies in its place");
    *bytes.last_mut().expect("it has bytes") ^= 1;
    std::fs::write(&path, bytes).expect("the temporary folder can be written");
    scene.want("10.5.0 CU12", "unmanaged");
    scene.run_once().expect_status(1);
    let status = scene.installation.cluster("brussels");
    assert_eq!(
        (status.state, status.reason.as_str()),
        (ClusterState::Stalled, "PackageUnverified"),
        "{status:#?}"
    );
    assert!(status.help.is_some(), "{status:?}");
    scene.assert_runs(MIDDLE);
    for agent in scene.cluster().agents {
        let staged = agent.drive.join("ProgramData/dataminer-reconciler/packages");
        assert_eq!(entries(staged.as_std_path()), BTreeSet::new(), "{}", agent.name);
    }
}

impl Scene {
    pub(crate) async fn inject(&self, agent: &str, fault: Fault) {
        self.simulation.inject("brussels", agent, fault).await.expect("the Agent exists");
    }

    pub(crate) fn status(&self) -> ClusterStatus {
        block_in_place(|| self.installation.cluster("brussels"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_upload_that_breaks_is_taken_up_again() {
    let scene = Scene::new(MIDDLE).await;
    let size = std::fs::metadata(scene.installation.package_path(PACKAGE)).expect("it was made").len();
    scene.inject("dma-01", Fault::DropUploadAfter(size / 2)).await;
    scene.want("10.5.0 CU12", "unmanaged");
    scene.run_once().expect_status(0);
    scene.assert_runs(TO);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_utility_that_fails_stalls_the_cluster_until_a_commit() {
    let scene = Scene::new(MIDDLE).await;
    scene.inject("dma-01", Fault::NextUtilityExit(1603)).await;
    let first = scene.want("10.5.0 CU12", "unmanaged");
    scene.run_once().expect_status(1);
    let status = scene.status();
    assert_eq!(
        (status.state, status.reason.as_str()),
        (ClusterState::Stalled, "UpgradeFailed"),
        "{status:#?}"
    );
    assert!(status.message.contains("1603") && status.help.is_some(), "{status:#?}");
    assert_eq!(status.commit.map(|commit| commit.to_string()), Some(first));
    // Neither time nor a restart is a reason to try again.
    scene.run_once().expect_status(1);
    assert_eq!(scene.status().state, ClusterState::Stalled);
    scene.assert_runs(MIDDLE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_failed_prerequisite_is_named_and_nothing_is_changed() {
    let scene = Scene::new(MIDDLE).await;
    scene.inject("dma-02", Fault::FailPrerequisite("VerifyClusterPorts.dll".to_owned())).await;
    scene.want("10.5.0 CU12", "unmanaged");
    scene.run_once().expect_status(1);
    let status = scene.status();
    assert_eq!(
        (status.state, status.reason.as_str()),
        (ClusterState::Stalled, "PrerequisiteFailed"),
        "{status:#?}"
    );
    assert!(status.message.contains("VerifyClusterPorts"), "{}", status.message);
    scene.assert_runs(MIDDLE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_foreign_operation_is_waited_for() {
    let scene = Scene::new(MIDDLE).await;
    // Longer than this test runs.
    scene.inject("dma-02", Fault::ForeignOperation(3_000_000)).await;
    scene.want("10.5.0 CU12", "unmanaged");
    scene.run_once();
    let status = scene.status();
    assert_eq!(
        (status.state, status.reason.as_str()),
        (ClusterState::Reconciling, "OperationInProgress"),
        "{status:#?}"
    );
    assert_eq!(scene.runs_of(PACKAGE), 0);
    assert_eq!(scene.cluster().violations, []);
}

/// Starts the process, kills it as soon as something is `there`, and starts it again: the upgrade must have run
/// once all the same.
async fn killed(moment: &str, there: impl Fn(&Scene) -> bool) {
    let scene = Scene::new(MIDDLE).await;
    scene.want("10.5.0 CU12", "unmanaged");
    block_in_place(|| {
        let mut process: Running = scene.installation.start("first", "run", &[]);
        wait::until(moment, PATIENCE, || {
            if there(&scene) {
                return Ok(());
            }
            match process.ended() {
                Ok(status) => panic!("it ended with {status:?}"),
                Err(running) => Err(running),
            }
        });
        process.kill();
    });
    scene.run_once().expect_status(0);
    scene.assert_runs(TO);
    scene.assert_ready();
    assert_eq!(scene.runs_of(PACKAGE), 1, "{moment}");
}

/// Whether an Agent holds a file of ours whose path ends so.
fn on_an_agent(scene: &Scene, ending: &str) -> bool {
    scene.cluster().agents.iter().any(|agent| {
        let root = agent.drive.join("ProgramData/dataminer-reconciler");
        ["packages", "jobs"].iter().any(|kind| {
            let kind = root.join(kind);
            let within = |folder: &String| entries(kind.join(folder).as_std_path());
            entries(kind.as_std_path())
                .iter()
                .any(|folder| within(folder).iter().any(|name| name.ends_with(ending)))
        })
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_while_the_upgrade_runs_it_finds_the_job_again() {
    killed("the upgrade to run", |scene| scene.cluster().operation.is_some()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_at_each_mark_that_it_leaves_on_an_agent_it_goes_on_from_there() {
    for mark in [".dmupgrade", "task.xml", "started.txt", "exitcode.txt"] {
        killed(mark, |scene| on_an_agent(scene, mark)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_at_any_moment_it_converges_without_a_second_run() {
    // Moments spread over the seconds that the whole upgrade takes.
    let kills: u32 = if long_run() { 20 } else { 2 };
    for number in 1..=kills {
        let moment = Duration::from_millis(10_000 / (u64::from(kills) + 1) * u64::from(number));
        let begun = Instant::now();
        killed(&format!("{moment:?} to pass"), |_| begun.elapsed() >= moment).await;
    }
}

/// The table for "no exit code and a free lock": before any Agent began, nothing has changed, and another attempt
/// installs a fresh copy of the package.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_agent_that_reboots_before_the_upgrade_began_gets_another_attempt() {
    let scene = Scene::new(MIDDLE).await;
    scene.inject("dma-01", Fault::RebootDuringJob(0)).await;
    scene.want("10.5.0 CU12", "unmanaged");
    scene.run_once().expect_status(0);
    scene.assert_runs(TO);
    scene.assert_ready();
    scene.assert_no_job_ran_twice();
}

/// The same table: once the Agents have begun they go on by themselves, and what they show in the end counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_job_that_is_killed_while_the_agents_upgrade_is_judged_by_what_they_show() {
    let scene = Scene::new(MIDDLE).await;
    scene.want("10.5.0 CU12", "unmanaged");
    let mut process: Running = block_in_place(|| scene.installation.start("first", "run", &[]));
    block_in_place(|| {
        wait::until("an Agent to upgrade", PATIENCE, || {
            let begun = scene.cluster().agents.iter().any(|agent| agent.state == RunState::Upgrading);
            if begun { Ok(()) } else { process.ended().map(|status| panic!("it ended with {status:?}")) }
        });
    });
    scene.inject("dma-01", Fault::KillJobs).await;
    block_in_place(|| {
        wait::until("the cluster to be ready", PATIENCE, || {
            let status = scene.installation.cluster("brussels");
            if status.state == ClusterState::Ready { Ok(()) } else { Err(status.message) }
        });
        process.kill();
    });
    scene.assert_runs(TO);
    assert_eq!(scene.runs_of(PACKAGE), 1);
}
