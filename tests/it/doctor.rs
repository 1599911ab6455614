//! `doctor` over simulated Agents: every finding for a real cause, and the canary that proves what S10 asks for.

use std::collections::BTreeMap;

use dataminer_reconciler_tests::{
    dms::{add_package, agent, four_agents, peers},
    environment::workspace,
};
use dataminer_schema::status::{ClusterStatus, ConditionStatus, ConditionType};
use dms_simulator::{
    ClusterSpec, Fault, Reach,
    package::{Kind, write_tool},
};
use serde_json::Value;
use tokio::task::block_in_place;

use crate::{
    desk::Desk,
    scene::{FROM, Scene, TO},
};

/// Before the utility reads its command line unattended.
const OLD: &str = "10.2.0 CU4 (build 12345)";
const PORTS: &str = "VerifyClusterPorts.dmupgrade";
const GRPC: &str = "VerifyGRPCConnection.dmupgrade";
const OUR_FOLDER: &str = r"C:\ProgramData\dataminer-reconciler";

fn add_tool(scene: &mut Scene, file: &str) {
    let folder = scene.installation.package_path("");
    let folder = camino::Utf8Path::from_path(&folder).expect("a readable name");
    write_tool(folder, file).expect("the package is written");
    scene.installation.approve(file);
}

/// Runs `doctor` over the checked-out manifests.
fn doctor(scene: &Scene, more: &[&str]) -> dataminer_reconciler_tests::program::Ended {
    let fleet = scene.installation.repository.path().to_str().expect("a readable name").to_owned();
    let arguments = [&["-f", fleet.as_str()], more].concat();
    block_in_place(|| scene.installation.run("doctor", &arguments))
}

/// The severity of each finding that is not good, by Agent (or `-`) and check, after checking that errors and exit
/// code go together and that each has its cure.
fn found(scene: &Scene) -> BTreeMap<String, String> {
    let ended = doctor(scene, &["-o", "json"]);
    let report: Value = serde_json::from_str(&ended.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", ended.stdout, ended.stderr));
    let mut found = BTreeMap::new();
    for finding in report["findings"].as_array().expect("a list") {
        let (severity, check) = (finding["severity"].as_str(), finding["check"].as_str());
        let (Some(severity), Some(check)) = (severity, check) else { panic!("{finding}") };
        assert_eq!(severity == "Good", finding["cure"].is_null(), "{finding}");
        if severity != "Good" {
            let key = format!("{} {check}", finding["agent"].as_str().unwrap_or("-"));
            found.insert(key, format!("{severity}: {}", finding["message"].as_str().unwrap_or_default()));
        }
    }
    let errors = found.values().any(|found| found.starts_with("Error"));
    assert_eq!(ended.status, Some(i32::from(errors)), "{found:#?}");
    found
}

#[track_caller]
fn assert_found(found: &BTreeMap<String, String>, wanted: &[(&str, &str)]) {
    for (key, words) in wanted {
        let message = found.get(*key).unwrap_or_else(|| panic!("{key} is not in {found:#?}"));
        assert!(message.contains(words), "{key}: {message}");
    }
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
}

/// The report of the example, with the ports of this run and what hangs on its pace written as in the example.
fn golden(scene: &Scene, report: &str) {
    let mut report = report.to_owned();
    for endpoint in scene.simulation.agents() {
        report = report.replace(&endpoint.addr.to_string(), &format!("{}:22", endpoint.name));
    }
    for second in 30..59 {
        report = report.replace(&format!("9m{second}s"), "9m59s");
    }
    let path = workspace().join("examples/doctor/transcript.txt");
    let text = format!("$ dataminer-reconciler doctor -f . --config reconciler.yaml brussels\n{report}");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &text).expect("the example can be written");
    }
    let shown = std::fs::read_to_string(&path).expect("the example is there");
    assert_eq!(text, shown, "BLESS=1 writes {}", path.display());
}

const NO_CANARY: (&str, &str) = ("- Canary", "Warning: No canary has run yet");

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_finding_has_a_cause_on_the_agents_and_a_cure() {
    let mut cluster = four_agents("brussels", FROM);
    cluster.agents[1].default_upgrade_options = true;
    cluster.agents[1].pending_reboot = true;
    cluster.agents[2].running = false;
    let scene = Scene::of(cluster).await;
    scene.want("10.3.0 CU20", "unmanaged");
    let inject = async |agent: &str, fault: Fault| {
        scene.simulation.inject("brussels", agent, fault).await.expect("the Agent is there");
    };

    assert_found(
        &found(&scene),
        &[
            NO_CANARY,
            ("dma-02 UpgradeDefaults", "DefaultUpgradeOptions"),
            ("dma-02 Reboot", "Error: Windows waits for a reboot"),
            ("dma-03 AgentState", "Error: DataMiner is Stopped"),
        ],
    );

    // The folder is there by now, so somebody can take it.
    inject("dma-01", Fault::ClockSkew(-600)).await;
    inject("dma-01", Fault::FreeDisk(1 << 20)).await;
    inject("dma-02", Fault::TakenByUser(OUR_FOLDER.to_owned())).await;
    inject("dma-03", Fault::NotAdministrator).await;
    inject("dma-03b", Fault::HostKeyChanged).await;
    let agents = scene.cluster().agents;
    let drive = |name: &str| {
        let agent = agents.iter().find(|agent| agent.name == name).expect("an Agent of the scene");
        agent.drive.clone()
    };
    std::fs::remove_file(drive("dma-01").join("Windows/system32/schtasks.exe")).expect("it is there");
    std::fs::remove_file(
        drive("dma-01")
            .join("Program Files (x86)/Skyline Communications/Skyline Taskbar Utility/SLTaskbarUtility.exe"),
    )
    .expect("it is there");
    std::fs::remove_file(
        drive("dma-01").join("Skyline DataMiner/Tools/StandaloneBpaExecutor/StandaloneBpaExecutor.exe"),
    )
    .expect("it is there");
    assert_found(
        &found(&scene),
        &[
            NO_CANARY,
            ("dma-01 Clock", "Error: the clock is at least"),
            ("dma-01 Disk", "Error: 0.0 GiB are free"),
            ("dma-01 Programs", "Error: C:\\Windows\\System32 lacks schtasks"),
            ("dma-01 TaskbarUtility", "Error: SLTaskbarUtility.exe: not found in either documented folder"),
            ("dma-01 BpaExecutor", "Warning: StandaloneBpaExecutor.exe is not below"),
            ("dma-02 Folder", "Error: C:\\ProgramData\\dataminer-reconciler belongs to dma-02\\intruder"),
            (
                "dma-03 Folder",
                "Unknown: C:\\ProgramData\\dataminer-reconciler belongs to BUILTIN\\Administrators",
            ),
            ("dma-03 Rights", "Error: the account has no administrator's rights"),
            ("dma-03b HostKey", "Error: "),
        ],
    );
    golden(&scene, &doctor(&scene, &[]).stdout);
    inject("dma-01", Fault::Network(Reach::Refuses)).await;
    let found = found(&scene);
    assert!(found["dma-01 Reachability"].starts_with("Error"), "{found:#?}");
    for agent in scene.cluster().agents {
        assert_eq!(agent.unknown_commands, Vec::<String>::new(), "{}", agent.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_the_installation_names_is_looked_at_too() {
    let mut scene = Scene::of(ClusterSpec::new("brussels", vec![agent("dma-01", 1, TO)])).await;
    add_tool(&mut scene, GRPC);
    let peers = peers(&scene.simulation, "brussels");
    let system = "  upgrade: { runAs: { account: System } }\n";
    scene.installation.declare("brussels", "10.5.0 CU12", "unmanaged", &peers, system);
    scene.installation.repository.commit("brussels");
    let system = ("dma-01 JobAccount", "Warning: jobs run under the local system account");
    assert_found(&found(&scene), &[NO_CANARY, system]);

    std::fs::write(scene.installation.package_path(GRPC), b"other bytes").expect("it can be written");
    std::fs::remove_dir(scene.installation.folder().join("vault")).expect("it is empty");
    std::fs::write(scene.installation.folder().join("vault"), b"no folder").expect("it can be written");
    std::fs::write(scene.installation.folder().join("state.db"), b"no database").expect("it can be written");
    let found = found(&scene);
    for (key, words) in
        [("- PackagePlaces", "has the SHA-256"), ("- Store", "Error: "), ("- Vault", "cannot be written")]
    {
        assert!(found.get(key).is_some_and(|found| found.contains(words)), "{key}: {found:#?}");
    }
    let text = doctor(&scene, &[]);
    assert!(text.stdout.contains("this installation\n") && text.stdout.contains("cure: "), "{}", text.stdout);
    let all = doctor(&scene, &["--all"]);
    assert!(all.stdout.contains("good     Configuration"), "{}", all.stdout);
}

/// The condition `Proven`.
fn proven(status: &ClusterStatus) -> (ConditionStatus, &str) {
    let found = status.conditions.iter().find(|condition| condition.kind == ConditionType::Proven);
    found.map_or((ConditionStatus::Unknown, ""), |found| (found.status, found.reason.as_str()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s10_a_canary_takes_the_block_away_and_a_failed_one_does_not() {
    let mut scene = Scene::of(four_agents("brussels", OLD)).await;
    scene.installation.explain("10.2.0.0-12345", "10.2.0 CU4");
    add_package(&mut scene.installation, FROM, Kind::Full);
    add_tool(&mut scene, PORTS);
    scene.want("10.3.0 CU20", "unmanaged");
    scene.run_once();
    let blocked = scene.installation.cluster("brussels");
    assert_eq!(blocked.reason, "ManualStepRequired", "{blocked:#?}");
    assert_eq!(proven(&blocked), (ConditionStatus::Unknown, "NeverTried"));

    scene.simulation.inject("brussels", "dma-01", Fault::NextUtilityExit(7)).await.expect("it is there");
    let ended = doctor(&scene, &["--canary"]).expect_status(1);
    assert!(
        ended.stdout.contains("brussels: failed: ") && ended.stdout.contains("code 7"),
        "{}",
        ended.stdout
    );
    scene.run_once();
    let blocked = scene.installation.cluster("brussels");
    assert_eq!((blocked.reason.as_str(), proven(&blocked).1), ("ManualStepRequired", "CanaryFailed"));

    let ended = doctor(&scene, &["--canary", "-o", "json"]).expect_status(0);
    let report: Value = serde_json::from_str(&ended.stdout).expect("it is JSON");
    assert_eq!(report["canaries"][0]["result"], "Passed", "{report}");
    assert_eq!(report["canaries"][0]["canary"]["package"], PORTS);
    assert_eq!(scene.runs_of(PORTS), 1);
    let findings = found(&scene);
    assert!(!findings.contains_key("- Canary"), "{findings:#?}");

    scene.run_once().expect_status(0);
    scene.assert_runs(FROM);
    scene.assert_ready();
    scene.assert_no_job_ran_twice();
    let history = scene.history().join("\n");
    assert!(history.contains("CanaryFailed") && history.contains("CanaryPassed"), "{history}");
    // The upgrade brought another utility, which nobody tried yet.
    let status = scene.installation.cluster("brussels");
    assert_eq!(proven(&status), (ConditionStatus::Unknown, "ProofExpired"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s10_an_old_utility_that_waits_for_somebody_is_found_days_ahead() {
    let mut cluster = ClusterSpec::new("brussels", vec![agent("dma-01", 1, OLD), agent("dma-02", 2, OLD)]);
    cluster.agents[0].tray = false;
    let mut scene = Scene::of(cluster).await;
    scene.installation.explain("10.2.0.0-12345", "10.2.0 CU4");
    add_tool(&mut scene, GRPC);
    scene.want("10.2.0 CU4", "unmanaged");
    let ended = doctor(&scene, &["--canary", "--within", "3s"]).expect_status(1);
    assert!(ended.stdout.contains("still ran at its deadline"), "{}", ended.stdout);
    assert!(ended.stdout.contains("cure: A Taskbar Utility that waits for somebody"), "{}", ended.stdout);
    // Before the utility reads its command line, doctor says so, too.
    assert!(found(&scene)["dma-01 TaskbarUtility"].contains("may hang"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_running_process_runs_canaries_itself() {
    let mut scene = Scene::new(TO).await;
    add_tool(&mut scene, PORTS);
    scene.want("10.5.0 CU12", "unmanaged");
    let desk = Desk::open(&scene, "process", &[]);
    desk.until("ready", |cluster| cluster.reason == "Converged");
    let refused = doctor(&scene, &["--canary"]).expect_status(1);
    assert!(refused.stderr.contains("--server URL"), "{}", refused.stderr);
    let ended = desk.ask(&["doctor", "--canary", "brussels"]).expect_status(0);
    assert!(ended.stdout.starts_with("brussels: passed: VerifyClusterPorts"), "{}", ended.stdout);
    let status = desk.until("proven", |cluster| proven(cluster).0 == ConditionStatus::True);
    assert_eq!(status.canary.map(|canary| canary.agents.len()), Some(4));
    let described = desk.ask(&["describe", "brussels"]).expect_status(0).stdout;
    assert!(described.contains("Proven"), "{described}");
    assert!(desk.history().contains("CanaryPassed"));
    desk.close();
}
