//! Packages that are more than a full upgrade, over SSH: hotfixes (D4), packages without one of their checks (G2), and
//! modules that DataMiner does not start beside (G3).

use std::fs;

use camino::Utf8Path;
use dataminer_reconciler_tests::{
    dms::{PATIENCE, add_package, four_agents},
    program::Running,
    wait,
};
use dms_simulator::{
    BackupSpec, Fault, HistorySpec, ModuleState, RunState,
    package::{Kind, write_hotfix, write_tool},
};
use jiff::{SignedDuration, Timestamp};
use tokio::task::block_in_place;

use crate::scene::{FROM, MIDDLE, Scene, TO, entries};

const HOTFIXES: [&str; 2] = ["HF_10.5.0.0(CU12)_20260301-101010", "HF_10.5.0.0(CU12)_20260321-101010"];

/// A scene whose catalogue has both hotfixes.
async fn with_hotfixes(core: &str) -> Scene {
    let mut scene = Scene::new(core).await;
    for name in HOTFIXES {
        let file = format!("{name}.dmupgrade");
        let folder = scene.installation.package_path("");
        let folder = Utf8Path::from_path(&folder).expect("a readable name");
        write_hotfix(folder, &file).expect("the package is written");
        scene.installation.approve(&file);
    }
    scene
}

#[track_caller]
fn assert_hotfix(scene: &Scene, name: &str) {
    scene.assert_runs(TO);
    for agent in scene.cluster().agents {
        assert_eq!(agent.hotfix.as_deref(), Some(name), "{}", agent.name);
        let last = agent.history.last().expect("it has a history");
        assert!(last.ends_with(&format!(";{name}")), "{}: {:?}", agent.name, agent.history);
    }
    scene.assert_no_job_ran_twice();
}

/// Runs the process until `moment`, and kills it.
fn killed_at(scene: &Scene, what: &str, moment: impl Fn() -> bool) {
    let mut process: Running = scene.installation.start("first", "run", &[]);
    wait::until(what, PATIENCE, || {
        if moment() { Ok(()) } else { process.ended().map(|status| panic!("it ended with {status:?}")) }
    });
    process.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn d4_hotfixes_follow_the_core_though_the_process_is_killed_among_them() {
    let scene = with_hotfixes(MIDDLE).await;
    scene.want_hotfixes("10.5.0 CU12", "unmanaged", &HOTFIXES);
    let running = |name: &str| scene.cluster().operation.is_some_and(|file| file.starts_with(name));
    block_in_place(|| killed_at(&scene, "the first hotfix to run", || running(HOTFIXES[0])));
    scene.run_once().expect_status(0);
    assert_hotfix(&scene, HOTFIXES[1]);
    scene.assert_ready();
    for package in ["DataMiner 10.5.0.0", HOTFIXES[0], HOTFIXES[1]] {
        assert_eq!(scene.runs_of(package), 1, "{package}");
    }
    // The same again changes nothing.
    scene.run_once().expect_status(0);
    assert_eq!(scene.runs_of("HF_"), 2);
    scene.assert_ready();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn d4_a_hotfix_whose_job_died_before_it_changed_anything_is_tried_again() {
    let scene = with_hotfixes(TO).await;
    scene.want_hotfixes("10.5.0 CU12", "unmanaged", &HOTFIXES[..1]);
    scene.inject("dma-01", Fault::RebootDuringJob(5)).await;
    scene.run_once().expect_status(0);
    assert_hotfix(&scene, HOTFIXES[0]);
    scene.assert_ready();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn d4_a_hotfix_that_fails_on_one_agent_stalls_and_names_it() {
    let scene = with_hotfixes(TO).await;
    scene.want_hotfixes("10.5.0 CU12", "unmanaged", &HOTFIXES);
    scene.inject("dma-02", Fault::NextUpgradeFailsHalfway).await;
    scene.run_once().expect_status(1);
    let status = scene.installation.cluster("brussels");
    assert_eq!(status.reason, "UpgradeFailed", "{status:#?}");
    assert_eq!(scene.runs_of(HOTFIXES[1]), 0, "nothing follows");
}

/// Agents on 10.4.0 CU21, after a past on 10.3.0 CU20 of which each holds a content backup.
async fn above_the_check() -> Scene {
    let days_ago = |days: i64| Timestamp::now() - SignedDuration::from_hours(24 * days);
    let mut cluster = four_agents("brussels", MIDDLE);
    for agent in &mut cluster.agents {
        agent.history =
            vec![HistorySpec { at: days_ago(300), version: "10.3.0.0-14985-20240601-release".to_owned() }];
        agent.backups =
            vec![BackupSpec { at: days_ago(200), content: FROM.parse().expect("a version"), file: None }];
    }
    let mut scene = Scene::of(cluster).await;
    add_package(&mut scene.installation, FROM, Kind::Full);
    scene
}

const PATCHED: &str = "  downgrade: { policy: Allow, patchPrerequisites: true }\n  approval: Never\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn g2_the_way_below_10_4_goes_over_a_copy_without_the_check_that_refuses_it() {
    let scene = above_the_check().await;
    scene.want_with("10.3.0 CU20", "bundled", PATCHED);
    let running = || scene.cluster().operation.is_some();
    block_in_place(|| killed_at(&scene, "the downgrade to run", running));
    scene.run_once().expect_status(0);
    scene.assert_runs(FROM);
    scene.assert_ready();
    scene.assert_content("10.3.0 CU20");
    scene.assert_nothing_owed();
    assert_eq!(scene.runs_of("DataMiner 10.3.0.0"), 1);
    // Both digests are told, and the published package is what it was.
    let file = "DataMiner 10.3.0.0(CU20)-14985 Full Upgrade.dmupgrade";
    let bytes = fs::read(scene.installation.package_path(file)).expect("the package lies in its place");
    let published = dataminer_schema::id::Sha256::of(&bytes);
    let history = scene.history().join("\n");
    let told =
        history.lines().find(|line| line.contains("PackagePatched")).unwrap_or_else(|| panic!("{history}"));
    assert!(told.contains(published.as_str()) && told.contains("the copy has SHA-256"), "{told}");
    let agent = scene.cluster().agents.remove(0);
    let packages = agent.drive.join("ProgramData/dataminer-reconciler/packages");
    assert!(entries(packages.as_std_path()).is_empty(), "nothing is left staged");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn g2_without_leave_the_package_is_not_touched() {
    let scene = above_the_check().await;
    scene.want_down("10.3.0 CU20", "bundled");
    scene.run_once().expect_status(1);
    let status = scene.installation.cluster("brussels");
    assert_eq!(status.reason, "PrerequisiteKnownToFail", "{status:#?}");
    scene.assert_runs(MIDDLE);
}

const NEWER: &str = "10.3.9 (build 13300)";
const OLDER_RELEASE: &str = "10.3.6";
const CANARY: &str = "VerifyClusterPorts.dmupgrade";
const OLDER: &str = "10.3.6 (build 13000)";
/// No release of that time took content backups (`domain/03 section 4`).
const AS_IT_IS: &str = "  downgrade: { policy: Allow, restore: None }\n  approval: Never\n";

async fn beside_newer_modules() -> Scene {
    let mut scene = Scene::of(four_agents("brussels", NEWER)).await;
    add_package(&mut scene.installation, OLDER, Kind::Full);
    // S10: utilities of that time run unattended only where a canary has shown that they do.
    let folder = scene.installation.package_path("");
    let folder = Utf8Path::from_path(&folder).expect("a readable name");
    write_tool(folder, CANARY).expect("the package is written");
    scene.installation.approve(CANARY);
    scene.want_with(OLDER_RELEASE, "unmanaged", AS_IT_IS);
    let fleet = scene.installation.repository.path().to_str().expect("a readable name").to_owned();
    let ended = block_in_place(|| scene.installation.run("doctor", &["-f", &fleet, "--canary"]));
    assert!(
        ended.stdout.contains("brussels: passed: VerifyClusterPorts"),
        "{}{}",
        ended.stdout,
        ended.stderr
    );
    scene
}

#[track_caller]
fn assert_swapped(scene: &Scene) {
    let cluster = scene.cluster();
    assert_eq!(cluster.violations, []);
    for agent in &cluster.agents {
        assert_eq!(agent.core, OLDER.parse().expect("a version"), "{}", agent.name);
        assert_eq!(agent.state, RunState::Running, "{}", agent.name);
        let fit = agent.modules.iter().all(|module| module.state == ModuleState::Fits);
        assert!(fit, "{}: {:?}", agent.name, agent.modules);
        assert_eq!(agent.unknown_commands, Vec::<String>::new(), "{}", agent.name);
    }
    scene.assert_ready();
    scene.assert_nothing_owed();
    scene.assert_no_job_ran_twice();
    assert_eq!(scene.runs_of("DataMiner 10.3.6.0"), 1);
}

/// The Agents do not come up beside the modules that 10.3.9 left behind.
fn stuck(scene: &Scene) -> bool {
    let agents = scene.cluster().agents;
    agents
        .iter()
        .all(|agent| agent.core == OLDER.parse().expect("a version") && agent.state == RunState::Starting)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn g3_modules_are_exchanged_while_dataminer_is_stopped_though_a_server_reboots() {
    let scene = beside_newer_modules().await;
    block_in_place(|| killed_at(&scene, "the Agents to be stuck", || stuck(&scene)));
    // The next job on it is that of a module.
    scene.inject("dma-02", Fault::RebootDuringJob(10)).await;
    scene.run_once().expect_status(0);
    assert_swapped(&scene);
}

/// G8: what the downgrade owes lies on the Agents.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn g3_modules_are_exchanged_by_a_process_that_knows_nothing_of_the_downgrade() {
    let scene = beside_newer_modules().await;
    block_in_place(|| killed_at(&scene, "the Agents to be stuck", || stuck(&scene)));
    assert_eq!(scene.owed(), [2; 4], "a note for each module lies on every Agent");
    for name in entries(scene.installation.folder()).iter().filter(|name| name.starts_with("state.db")) {
        fs::remove_file(scene.installation.folder().join(name)).expect("the store can be removed");
    }
    scene.run_once().expect_status(0);
    assert_swapped(&scene);
}
