//! Invariant 6 from outside: one installation, one store, one process acts on a cluster.

use std::{collections::BTreeSet, fs};

use dataminer_reconciler_tests::program::Ended;
use dataminer_schema::status::ClusterState;
use tokio::task::block_in_place;

use crate::{
    desk::Desk,
    scene::{FROM, MIDDLE, Scene, TO, entries},
};

const PACKAGE: &str = "DataMiner 10.5.0.0(CU12)-16889";

impl Scene {
    /// The flags of another installation that shall manage the same cluster.
    fn other(&self) -> Vec<String> {
        let folder = self.installation.folder().display();
        ["--installation", "lab", "--store", &format!("sqlite://{folder}/lab.db")].map(str::to_owned).to_vec()
    }

    fn run_once_as(&self, flags: &[String]) -> Ended {
        let flags: Vec<&str> = ["--once"].into_iter().chain(flags.iter().map(String::as_str)).collect();
        block_in_place(|| self.installation.run("run", &flags))
    }

    /// What says on the Agents who acts, and what was done.
    fn marks(&self) -> Vec<(String, BTreeSet<String>, BTreeSet<String>)> {
        let agents = self.cluster().agents;
        agents
            .iter()
            .map(|agent| {
                let root = agent.drive.join("ProgramData/dataminer-reconciler");
                let owner = fs::read_to_string(root.join("owner.json")).unwrap_or_default();
                let names = |folder: &str| entries(root.join(folder).as_std_path());
                (owner, names("generations"), names("jobs"))
            })
            .collect()
    }
}

#[track_caller]
fn assert_elsewhere(ended: Ended) -> Ended {
    let ended = ended.expect_status(1);
    assert!(ended.stdout.contains("ManagedElsewhere"), "{}\n{}", ended.stdout, ended.stderr);
    assert!(!ended.stdout.contains("Ready"), "{}", ended.stdout);
    ended
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_second_installation_is_refused_until_it_takes_over_and_then_the_first_is() {
    let scene = Scene::new(MIDDLE).await;
    scene.want("10.5.0 CU12", "unmanaged");
    scene.run_once().expect_status(0);
    let marks = scene.marks();
    let other = scene.other();
    let refused = assert_elsewhere(scene.run_once_as(&other));
    assert!(refused.stderr.contains("installation `test`"), "{}", refused.stderr);
    assert_eq!(scene.marks(), marks, "nothing is written where somebody else is the owner");

    let flags: Vec<&str> = other.iter().map(String::as_str).collect();
    let desk = Desk::open(&scene, "lab", &flags);
    let status = desk.until("refused", |cluster| cluster.state == ClusterState::Stalled);
    assert_eq!(status.reason, "ManagedElsewhere");
    assert!(status.message.contains("installation `test`"), "{}", status.message);
    assert!(status.help.is_some_and(|help| help.contains("takeover")));
    let described = desk.ask(&["describe", "brussels"]).expect_status(0);
    assert!(described.stdout.contains("blocked: ManagedElsewhere"), "{}", described.stdout);

    desk.ask(&["takeover", "brussels"]).expect_status(64);
    let asked = desk.ask(&["takeover", "brussels", "--reason", "the old machine burned down"]);
    assert!(asked.expect_status(0).stderr.contains("takeover is recorded"));
    desk.until("ours", |cluster| cluster.state == ClusterState::Ready);
    let history = desk.history();
    assert!(history.contains("TakenOver") && history.contains("the old machine burned down"), "{history}");
    assert!(history.contains("dma-03b: installation `test`"), "{history}");
    for (owner, ..) in scene.marks() {
        assert!(owner.contains("lab"), "{owner}");
    }
    desk.close();

    let marks = scene.marks();
    let refused = assert_elsewhere(scene.run_once());
    assert!(refused.stderr.contains("installation `lab`"), "{}", refused.stderr);
    assert_eq!(scene.marks(), marks);
    scene.assert_runs(TO);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_from_an_older_copy_does_nothing_until_it_takes_over() {
    let scene = Scene::new(FROM).await;
    scene.want("10.4.0 CU21", "unmanaged");
    scene.run_once().expect_status(0);
    let store = scene.installation.folder().join("state.db");
    let copy = fs::read(&store).expect("a store that nobody holds is one file");
    scene.want("10.5.0 CU12", "unmanaged");
    scene.run_once().expect_status(0);
    fs::write(&store, copy).expect("the copy can be put back");
    let marks = scene.marks();
    assert_elsewhere(scene.run_once());
    let status = block_in_place(|| scene.installation.cluster("brussels"));
    assert_eq!(status.state, ClusterState::Stalled);
    assert!(status.message.contains("older copy of the store"), "{}", status.message);
    assert_eq!(status.observed.core.as_deref(), Some("10.5.0 CU12"), "looking is allowed");
    // What is wanted makes no difference: the store does not know what was done last.
    scene.want("10.4.0 CU21", "unmanaged");
    assert_elsewhere(scene.run_once());
    assert_eq!(scene.marks(), marks);
    scene.want("10.5.0 CU12", "unmanaged");

    let desk = Desk::open(&scene, "again", &[]);
    desk.until("refused", |cluster| cluster.reason == "ManagedElsewhere");
    desk.ask(&["takeover", "brussels", "--reason", "restored from last night's copy"]).expect_status(0);
    desk.until("ours", |cluster| cluster.state == ClusterState::Ready);
    desk.close();
    scene.run_once().expect_status(0);
    scene.assert_runs(TO);
    assert_eq!(scene.runs_of(PACKAGE), 1);
}
