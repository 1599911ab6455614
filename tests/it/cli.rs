//! The command line as a user and a script see it: output, exit codes, and what goes where.

use std::{fs, path::Path};

use dataminer_reconciler_tests::{
    environment::workspace,
    program::{self, Ended},
};
use tempfile::TempDir;

fn run(arguments: &[&str]) -> Ended {
    program::run(arguments, workspace())
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}

const OFFLINE: [&str; 6] =
    ["-f", "examples/fleet", "--observed", "examples/observed", "--now", "2026-11-21T10:00:00Z"];

fn plan(more: &[&str]) -> Ended {
    let arguments: Vec<&str> = ["plan"].iter().chain(&OFFLINE).chain(more).copied().collect();
    run(&arguments)
}

#[test]
fn the_examples_are_valid() {
    // Examples are dated: one of them ends some day.
    let validate =
        |paths: &[&str]| run(&[&["validate", "--now", "2026-11-21T10:00:00Z"][..], paths].concat());
    let config = "examples/config/reconciler.yaml";
    let ended = validate(&["examples/fleet", "examples/observed", config]).expect_status(0);
    assert_eq!(ended.stdout, "");
    insta::assert_snapshot!(ended.stderr, @"6 files read: 0 errors, 0 warnings");
    let ended = validate(&["examples/downgrade/fleet", "examples/downgrade/observed"]).expect_status(0);
    insta::assert_snapshot!(ended.stderr, @"3 files read: 0 errors, 0 warnings");
    let ended = validate(&["examples/profiles"]).expect_status(0);
    insta::assert_snapshot!(ended.stderr, @"5 files read: 0 errors, 0 warnings");
    let ended = validate(&["examples/fleet", "--knowledge", "examples/knowledge"]).expect_status(0);
    insta::assert_snapshot!(ended.stderr, @"4 files read: 0 errors, 0 warnings");
}

#[test]
fn a_plan_shows_what_came_from_a_profile() {
    let ended = run(&["plan", "-f", "examples/profiles", "namur"]).expect_status(0);
    let line = ended.stdout.lines().find(|line| line.contains("profile")).expect("the Profile is named");
    insta::assert_snapshot!(line.trim(), @"profile production gives connection.ssh, health.settle, health.timeout, software.webApps, upgrade.failoverPolicy, upgrade.stageAhead; all else is the cluster's own or the default");
}

#[test]
fn the_plan_of_the_examples_reads_well() {
    let ended = plan(&[]).expect_status(0);
    assert_eq!(ended.stderr, "");
    insta::assert_snapshot!(ended.stdout);
}

fn plan_the_downgrade(now: &str, more: &[&str]) -> Ended {
    let (fleet, observed) = ("examples/downgrade/fleet", "examples/downgrade/observed");
    let arguments = ["plan", "-f", fleet, "--observed", observed, "--now", now, "--detailed-exitcode"];
    run(&[&arguments, more].concat())
}

#[test]
fn the_downgrade_of_the_examples_says_what_will_be_lost() {
    let ended = plan_the_downgrade("2026-11-21T10:00:00Z", &[]).expect_status(2);
    assert_eq!(ended.stderr, "");
    insta::assert_snapshot!(ended.stdout);

    let ended = plan_the_downgrade("2026-11-21T10:00:00Z", &["-o", "json"]).expect_status(2);
    let plans: serde_json::Value = serde_json::from_str(&ended.stdout).expect("it is JSON");
    let plan = &plans["plans"][0];
    let steps = plan["steps"].as_array().expect("it is a list");
    let actions: Vec<_> = steps.iter().filter_map(|step| step["action"].as_str()).collect();
    assert_eq!(
        actions,
        [
            "StagePackage",
            "RunPrerequisites",
            "SaveBackup",
            "DowngradeCore",
            "VerifyCluster",
            "SaveBackup",
            "RestoreContent",
            "VerifyCluster",
            "CleanUp"
        ]
    );
    let loss = &plan["contentLoss"];
    assert_eq!(loss["content"], "10.4.0 CU21");
    assert_eq!(loss["takenAt"], "2026-11-14T22:11:02Z");
    assert_eq!(loss["agents"], serde_json::json!(["ghe-dma-01", "ghe-dma-02"]));
    assert_eq!(loss["backup"], steps[6]["backup"], "what is lost follows from what is restored");
}

#[test]
fn the_downgrade_of_the_examples_is_allowed_to_the_end_of_its_last_day() {
    plan_the_downgrade("2026-11-30T23:59:59Z", &[]).expect_status(2);
    let ended = plan_the_downgrade("2026-12-01T00:00:00Z", &[]).expect_status(3);
    assert!(ended.stdout.contains("blocked: DowngradeNotAllowed"), "{}", ended.stdout);
    assert!(ended.stdout.contains("`downgrade.until: 2026-11-30` has passed"), "{}", ended.stdout);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let (first, second) = (plan(&["-o", "json"]).expect_status(0), plan(&["-o", "json"]).expect_status(0));
    assert_eq!(first.stdout, second.stdout);
    let plans: serde_json::Value = serde_json::from_str(&first.stdout).expect("it is JSON");
    assert_eq!(plans["formatVersion"], "1.0");
    let clusters: Vec<_> =
        plans["plans"].as_array().expect("it is a list").iter().map(|p| &p["cluster"]).collect();
    assert_eq!(clusters, ["brussels", "lisbon"]);
    let yaml = plan(&["-o", "yaml"]).expect_status(0);
    let same: serde_json::Value = serde_yaml::from_str(&yaml.stdout).expect("it is YAML");
    assert_eq!(plans, same);
}

#[test]
fn detailed_exit_codes_tell_nothing_changes_and_blocked_apart() {
    plan(&["brussels"]).expect_status(0);
    plan(&["brussels", "--detailed-exitcode"]).expect_status(2);
    // Never observed: blocked.
    run(&["plan", "-f", "examples/fleet", "--detailed-exitcode"]).expect_status(3);
    run(&["plan", "-f", "examples/fleet", "porto", "--detailed-exitcode"]).expect_status(1);
    let converged = folder();
    write_converged(converged.path());
    let (fleet, observed) = (converged.path().join("fleet"), converged.path().join("observed"));
    run(&["plan", "-f", text(&fleet), "--observed", text(&observed), "--detailed-exitcode"]).expect_status(0);
    run(&["diff", "-f", text(&fleet), "--observed", text(&observed)]).expect_status(0);
}

#[test]
fn what_is_missing_or_too_much_is_said() {
    let ended = run(&["plan", "-f", "examples/fleet"]).expect_status(0);
    assert!(ended.stderr.contains("--observed PATH, or --live"), "{}", ended.stderr);
    assert!(ended.stdout.contains("AgentUnreachable"), "{}", ended.stdout);
    let lisbon = folder();
    write_converged(lisbon.path());
    let fleet = lisbon.path().join("fleet");
    let ended = run(&["plan", "-f", text(&fleet), "--observed", "examples/observed"]).expect_status(0);
    assert!(ended.stderr.contains("`brussels` belongs to no manifest"), "{}", ended.stderr);
}

/// Lisbon, where the web apps need not change any more.
fn write_converged(folder: &Path) {
    let example =
        |path: &str| fs::read_to_string(workspace().join("examples").join(path)).expect("it is there");
    for (from, to) in [
        ("fleet/clusters/lisbon.yaml", "fleet/lisbon.yaml"),
        ("fleet/catalog/approved.yaml", "fleet/approved.yaml"),
        ("observed/lisbon.yaml", "observed/lisbon.yaml"),
    ] {
        let path = folder.join(to);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder can be made");
        fs::write(path, example(from).replace("webApps: 10.5.0 CU12", "webApps: 10.6.4"))
            .expect("a file can be written");
    }
}

#[test]
fn diff_lists_what_differs() {
    let same = ["-f", "examples/fleet", "--observed", "examples/observed"];
    let arguments: Vec<&str> = ["diff"].iter().chain(&same).copied().collect();
    let ended = run(&arguments).expect_status(1);
    insta::assert_snapshot!(ended.stdout);
    // Nothing to compare with is no difference, but no equality either.
    let empty = folder();
    run(&["diff", "-f", "examples/fleet", "--observed", text(empty.path())]).expect_status(2);
    run(&["diff", "-f", "/nowhere", "--observed", text(empty.path())]).expect_status(2);
    run(&["diff"]).expect_status(64);
}

#[test]
fn broken_manifests_are_explained() {
    let broken = folder();
    fs::write(
        broken.path().join("lab.yaml"),
        "apiVersion: dataminer.gitops/v1\nkind: Cluster\nmetadata: { name: Lab_1 }\nspec:\n  software: { core: 10.5 }\n  \
         agents:\n    - { name: a, address: 10.0.0.1 }\n    - { name: a, address: 10.0.0.1, kee: x }\n  upgrade: { mode: StageOnly }\n",
    )
    .expect("a file can be written");
    std::os::unix::fs::symlink("/etc/passwd", broken.path().join("link.yaml")).expect("a link can be made");
    let ended = program::run(&["validate", "."], broken.path()).expect_status(1);
    insta::assert_snapshot!(format!("{}\n{}", ended.stdout, ended.stderr));
    // A plan over it says the same, on stderr, and prints no plan.
    let ended = program::run(&["plan"], broken.path()).expect_status(1);
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains("link.yaml") && ended.stderr.contains("help:"), "{}", ended.stderr);
}

#[test]
fn wrong_usage_is_64_and_help_is_data() {
    for wrong in [&["plan", "--nonsense"][..], &["nonsense"], &[], &["completion", "tcsh"], &["run"]] {
        let ended = run(wrong).expect_status(64);
        assert_eq!(ended.stdout, "", "{wrong:?}");
    }
    assert!(run(&["--help"]).expect_status(0).stdout.contains("Usage"));
}

#[test]
fn knowledge_of_ones_own_goes_before_the_programs() {
    let same = plan(&[]).expect_status(0).stdout;
    let ours = plan(&["--knowledge", "examples/knowledge"]).expect_status(0).stdout;
    const ISSUE: &str = "KI_OURS_slow_start_of_the_playout_connector";
    assert!(ours.contains(ISSUE) && !same.contains(ISSUE), "{ours}");
    let own = folder();
    let document = |spec: &str| {
        let text = format!(
            "apiVersion: dataminer.gitops/v1\nkind: ReleaseKnowledge\nmetadata: {{ name: own }}\nspec:\n{spec}"
        );
        fs::write(own.path().join("own.yaml"), text).expect("the file can be written");
    };
    // Every release is one that antivirus programs harm: each plan says so.
    document(
        "  rules:\n    h12: { releases: [{ track: Any }], instead: nothing, issue: KI_DCOMConfig_flagged_as_virus, source: us }\n",
    );
    let warned = plan(&["--knowledge", text(own.path())]).expect_status(0).stdout;
    assert!(warned.contains("antivirus"), "{warned}");
    assert!(!same.contains("antivirus"), "{same}");
    document("  builds: [{ build: 17100, release: 10.5.0 CU77, source: us }]\n");
    let refused = plan(&["--knowledge", text(own.path())]).expect_status(1);
    assert_eq!(refused.stdout, "");
    assert!(refused.stderr.contains("own.yaml:5:37"), "{}", refused.stderr);
    assert!(refused.stderr.contains("E0804"), "{}", refused.stderr);
    assert!(refused.stderr.contains("release: 10.5.0 CU77"), "with the line: {}", refused.stderr);
}

#[test]
fn a_live_look_needs_a_configuration() {
    for verb in [&["observe", "-f", "examples/fleet"][..], &["plan", "-f", "examples/fleet", "--live"]] {
        let ended = run(verb).expect_status(1);
        assert!(ended.stderr.contains("--config"), "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
}

#[test]
fn offline_verbs_read_no_secret() {
    // The identity of the examples does not exist on this machine; only a live look would miss it.
    assert!(!Path::new("/run/secrets/dms_key").exists());
    plan(&[]).expect_status(0);
    run(&["validate", "examples/config"]).expect_status(0);
}

/// A process that left something out in silence would not do what its file says.
#[test]
fn no_process_starts_with_what_this_release_does_not_carry_out() {
    const FULL: &str = "examples/config/full.yaml";
    let ended = run(&["validate", "-o", "json", FULL]).expect_status(0);
    let found: serde_json::Value = serde_json::from_str(&ended.stdout).expect("it is JSON");
    let found = found["diagnostics"].as_array().expect("a list").clone();
    assert!(found.len() > 10 && found.iter().all(|found| found["code"] == "E0309"), "{found:?}");
    for once in [&[][..], &["--once"][..]] {
        let ended = run(&[&["run", "--config", FULL], once].concat()).expect_status(1);
        assert_eq!(ended.stdout, "");
        for field in [
            "spec.sources[0].verify",
            "spec.sources[0].webhook",
            "spec.packages[1].url",
            "spec.packages[1].auth",
            "spec.packages[2].url",
            "spec.store.url",
            "spec.store.password",
            "spec.store.tls",
            "spec.store.keep",
            "spec.vault.url",
            "spec.vault.auth",
            "spec.hooks",
            "spec.http.url",
            "spec.http.tls",
            "spec.http.auth",
            "spec.forge",
            "spec.notifications",
        ] {
            assert!(
                ended.stderr.contains(&format!("`{field}` is not carried out")),
                "{field}: {}",
                ended.stderr
            );
            let refused = ended.stderr.split("asks for what this release does not carry out").nth(1);
            assert!(refused.is_some_and(|fields| fields.contains(field)), "{field}: {}", ended.stderr);
        }
        assert!(ended.stderr.contains("take these fields out"), "{}", ended.stderr);
    }
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let mut command = program::call(&["schema", "cluster"], workspace());
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("the program ends");
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn status_without_a_process_says_where_else_to_look() {
    let ended = run(&["status", "--server", "http://127.0.0.1:9"]).expect_status(1);
    assert!(ended.stderr.contains("--config FILE"), "{}", ended.stderr);
}
