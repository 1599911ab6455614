//! What operators ask for, from the verb to the Agents.

use std::fs;

use dataminer_schema::{
    plan::Action,
    status::{ClusterState, StepState},
};
use dms_simulator::Fault;
use tokio::task::block_in_place;

use crate::{
    desk::Desk,
    scene::{MIDDLE, Scene, TO, entries},
};

impl Scene {
    fn backup(&self, verb: &[&str]) -> dataminer_reconciler_tests::program::Ended {
        let config = self.installation.folder().join("reconciler.yaml");
        let config = config.to_str().expect("a plain path");
        let arguments = [&["backup"], verb, &["--config", config]].concat();
        block_in_place(|| dataminer_reconciler_tests::program::run(&arguments, self.installation.folder()))
    }

    /// The backups in the vault, as `backup list -o json` shows them.
    fn backups(&self) -> Vec<serde_json::Value> {
        let listed = self.backup(&["list", "brussels", "-o", "json"]).expect_status(0);
        let listed: serde_json::Value = serde_json::from_str(&listed.stdout).expect("it is JSON");
        listed["backups"].as_array().expect("it is a list").clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_failure_is_told_in_full_and_retry_heals_it() {
    let scene = Scene::new(MIDDLE).await;
    let fault = Fault::FailPrerequisite("VerifyClusterPorts.dll".to_owned());
    scene.simulation.inject("brussels", "dma-02", fault).await.expect("the Agent exists");
    scene.want("10.5.0 CU12", "unmanaged");
    let desk = Desk::open(&scene, "run", &[]);
    let status = desk.until("stalled", |cluster| cluster.state == ClusterState::Stalled);
    assert_eq!(status.reason, "PrerequisiteFailed");
    let failure = status.failure.expect("it is told what failed");
    assert!(!failure.tried_again && !failure.help.is_empty(), "{failure:?}");
    let described = desk.ask(&["describe", "brussels"]).expect_status(0).stdout;
    for words in ["failed: PrerequisiteFailed", "dataminer-reconciler retry brussels", "must act"] {
        assert!(described.contains(words), "{words}:\n{described}");
    }

    let cured = Fault::ClearPrerequisite("VerifyClusterPorts.dll".to_owned());
    scene.simulation.inject("brussels", "dma-02", cured).await.expect("the Agent exists");
    let asked = desk.ask(&["retry", "brussels", "--reason", "the port is open"]).expect_status(0);
    assert!(asked.stderr.contains("retry is recorded"), "{}", asked.stderr);
    desk.until("ready", |cluster| cluster.state == ClusterState::Ready);
    scene.assert_runs(TO);
    let history = desk.history();
    assert!(history.contains("OperatorRequest") && history.contains("the port is open"), "{history}");
    desk.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_abort_lets_the_job_end_and_begins_nothing_more() {
    let scene = Scene::new(MIDDLE).await;
    scene.want("10.5.0 CU12", "unmanaged");
    let desk = Desk::open(&scene, "run", &[]);
    let status = desk.until("the upgrade", |cluster| {
        cluster.operation.as_ref().is_some_and(|operation| operation.action == Action::UpgradeCore)
    });
    assert!(status.steps.iter().any(|step| step.state == StepState::Running), "{:?}", status.steps);
    let described = desk.ask(&["describe", "brussels"]).expect_status(0).stdout;
    assert!(described.contains("running: step") && described.contains("given up"), "{described}");
    // It is this installation's own: there is nothing to take over.
    let refused = desk.ask(&["takeover", "brussels", "--reason", "impatience"]).expect_status(1);
    assert!(refused.stderr.contains("409") && refused.stderr.contains("abort"), "{}", refused.stderr);
    desk.ask(&["abort", "brussels"]).expect_status(0);
    let status = desk
        .until("ended", |cluster| cluster.operation.is_none() && cluster.state != ClusterState::Reconciling);
    // The job had begun, so it ran to its end and was verified.
    assert!(status.reason == "Aborted" || status.state == ClusterState::Ready, "{status:#?}");
    desk.ask(&["retry", "brussels"]).expect_status(0);
    desk.until("ready", |cluster| cluster.state == ClusterState::Ready);
    scene.assert_runs(TO);
    desk.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_cannot_be_asked_for_says_why() {
    let scene = Scene::new(TO).await;
    scene.want("10.5.0 CU12", "unmanaged");
    let desk = Desk::open(&scene, "run", &[]);
    desk.until("ready", |cluster| cluster.state == ClusterState::Ready);
    let unknown = desk.ask(&["retry", "paris"]).expect_status(1);
    assert!(
        unknown.stderr.contains("no such cluster") && unknown.stderr.contains("help:"),
        "{}",
        unknown.stderr
    );
    let short = desk.ask(&["backup", "restore", "brussels", "abc", "--reason", "a test"]).expect_status(1);
    assert!(short.stderr.contains("first 8 digits"), "{}", short.stderr);
    let none =
        desk.ask(&["backup", "restore", "brussels", "0123456789", "--reason", "a test"]).expect_status(1);
    assert!(none.stderr.contains("0123456789") && none.stderr.contains("backup list"), "{}", none.stderr);
    desk.ask(&["backup", "restore", "brussels", "0123456789"]).expect_status(64);

    let nothing = desk.ask(&["approve", "brussels", "0123456789ab"]).expect_status(1);
    assert!(nothing.stderr.contains("409") && nothing.stderr.contains("describe"), "{}", nothing.stderr);

    // Nobody is there to record it.
    let alone = block_in_place(|| {
        let call = ["retry", "brussels", "--server", "http://127.0.0.1:9"];
        dataminer_reconciler_tests::program::run(&call, scene.installation.folder())
    });
    let alone = alone.expect_status(1);
    assert!(alone.stderr.contains("`run` is up"), "{}", alone.stderr);
    desk.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn backups_are_saved_listed_and_verified_and_damage_is_named() {
    let scene = Scene::new(TO).await;
    scene.want("10.5.0 CU12", "unmanaged");
    let fleet = scene.installation.repository.path().to_str().expect("a plain path").to_owned();
    // Beside a running process.
    let desk = Desk::open(&scene, "run", &[]);
    desk.until("ready", |cluster| cluster.state == ClusterState::Ready);
    let saved = scene.backup(&["save", "brussels", "-f", &fleet]).expect_status(0);
    assert!(saved.stdout.contains("copy") && saved.stdout.contains("dma-03b"), "{}", saved.stdout);
    let backups = scene.backups();
    assert!(backups.len() >= 4, "{backups:#?}");
    let table = scene.backup(&["list"]).expect_status(0).stdout;
    for backup in &backups {
        let hash = backup["sha256"].as_str().expect("a hash");
        assert!(table.contains(&hash[..12]), "{hash}:\n{table}");
    }
    let whole = scene.backup(&["verify", "brussels"]).expect_status(0);
    assert!(whole.stderr.contains("0 not"), "{}", whole.stderr);

    // Everything of one Agent is lost, everything of the others is altered. Their copies are the same bytes only where
    // their files have the same times, to the second.
    let vault = scene.installation.folder().join("vault/brussels");
    let first = backups.iter().find(|backup| backup["agent"] == "dma-01").expect("dma-01 was saved");
    let digits = &first["sha256"].as_str().expect("a hash")[..12];
    let mut altered = 0;
    for agent in entries(&vault) {
        let folder = vault.join(agent);
        for object in entries(&folder).into_iter().filter(|name| !name.ends_with(".json")) {
            let path = folder.join(object);
            if path.parent().is_some_and(|folder| folder.ends_with("dma-02")) {
                fs::remove_file(&path).expect("it can be removed");
                continue;
            }
            let mut bytes = fs::read(&path).expect("it can be read");
            *bytes.last_mut().expect("it has bytes") ^= 1;
            fs::write(&path, bytes).expect("it can be written");
            altered += 1;
        }
    }
    assert!(altered > 0, "{digits} lies in the vault");
    let damaged = scene.backup(&["verify"]).expect_status(1);
    for words in [digits, "is damaged", "is lost", "dma-02"] {
        assert!(damaged.stdout.contains(words), "{words}:\n{}", damaged.stdout);
    }
    let refused = desk.ask(&["backup", "restore", "brussels", digits, "--reason", "a test"]).expect_status(1);
    // dma-02 may have had the same bytes, and lost them: then either copy is named.
    let names_it = refused.stderr.contains("is damaged") || refused.stderr.contains("is lost");
    assert!(names_it && refused.stderr.contains("backup verify"), "{}", refused.stderr);
    let status = desk.until("still ready", |cluster| cluster.state == ClusterState::Ready);
    assert!(status.owed.is_empty());
    desk.close();
}

/// G8: asked for once, owed on every Agent, done by the next plan, and owed no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_is_restored_on_every_agent_and_nothing_stays_owed() {
    const DASHBOARD: &str = "Skyline DataMiner/Dashboards/shared/Network health.dmadb.json";
    let scene = Scene::new(TO).await;
    scene.want("10.5.0 CU12", "unmanaged");
    let fleet = scene.installation.repository.path().to_str().expect("a plain path").to_owned();
    scene.backup(&["save", "brussels", "-f", &fleet]).expect_status(0);
    let backups = scene.backups();
    let hash = backups[0]["sha256"].as_str().expect("a hash");
    let content = |scene: &Scene| -> Vec<String> {
        let agents = scene.cluster().agents;
        agents
            .iter()
            .map(|agent| fs::read_to_string(agent.drive.join(DASHBOARD)).unwrap_or_default())
            .collect()
    };
    let before = content(&scene);
    for agent in scene.cluster().agents {
        let changed = before[0].replace("Network", "Notwork");
        assert_ne!(changed, before[0]);
        fs::write(agent.drive.join(DASHBOARD), changed).expect("the drive can be written");
    }
    let desk = Desk::open(&scene, "run", &[]);
    desk.until("ready", |cluster| cluster.state == ClusterState::Ready);
    desk.ask(&["backup", "restore", "brussels", &hash[..12], "--reason", "somebody broke it"])
        .expect_status(0);
    let status = desk.until("at work", |cluster| !cluster.owed.is_empty());
    assert!(status.owed.iter().all(|work| work.action == Action::RestoreContent), "{:?}", status.owed);
    desk.until("ready", |cluster| cluster.state == ClusterState::Ready && cluster.owed.is_empty());
    assert_eq!(content(&scene), before);
    let history = desk.history();
    assert!(history.contains("somebody broke it") && history.contains("RestoreContent"), "{history}");
    for agent in scene.cluster().agents {
        let notes = agent.drive.join("ProgramData/dataminer-reconciler/owed");
        assert!(entries(notes.as_std_path()).is_empty(), "{}", agent.name);
    }
    scene.assert_runs(TO);
    desk.close();
}
