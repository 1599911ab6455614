//! `bump` as a person and a pipeline run it.

use std::{fs, process::Command};

use dataminer_reconciler_tests::{
    environment::workspace,
    program::{self, Ended},
};
use serde_yaml::Value;
use tempfile::TempDir;

/// The example fleet in a folder of its own, with packages that are newer than what it wants.
fn fleet() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for file in ["catalog/approved.yaml", "clusters/brussels.yaml", "clusters/lisbon.yaml"] {
        let to = folder.path().join(file);
        fs::create_dir_all(to.parent().expect("a folder around it")).expect("it can be made");
        fs::copy(workspace().join("examples/fleet").join(file), to).expect("the example is there");
    }
    let newer = [
        "DataMiner 10.5.0.0(CU18)-17320 Full Upgrade.dmupgrade",
        "DataMiner 10.6.0.0(CU6)-17340 Full Upgrade (rc).dmupgrade",
        "DataMiner 10.6.9.0-17330 Web Upgrade.dmupgrade",
    ];
    let path = folder.path().join("catalog/approved.yaml");
    let mut catalogue = fs::read_to_string(&path).expect("it was copied");
    for (at, file) in newer.iter().enumerate() {
        let entry = format!("  packages:\n    - {{ file: \"{file}\", sha256: \"{at:064x}\" }}\n");
        catalogue = catalogue.replacen("  packages:\n", &entry, 1);
    }
    fs::write(path, catalogue).expect("it can be written");
    folder
}

fn read(folder: &TempDir, file: &str) -> String {
    fs::read_to_string(folder.path().join(file)).expect("it is there")
}

fn bump(folder: &TempDir, more: &[&str]) -> Ended {
    program::run(&[&["bump", "-f", "."], more].concat(), folder.path())
}

#[test]
fn the_example_fleet_is_raised_and_stays_what_it_was() {
    let folder = fleet();
    let before = ["clusters/brussels.yaml", "clusters/lisbon.yaml"].map(|file| read(&folder, file));
    bump(&folder, &["--check"]).expect_status(1);
    let ended = bump(&folder, &[]).expect_status(0);
    insta::assert_snapshot!(ended.stdout);
    insta::assert_snapshot!(ended.stderr, @"2 clusters raised, 2 files written");
    for (file, before) in ["clusters/brussels.yaml", "clusters/lisbon.yaml"].iter().zip(before) {
        let after = before.replace("core: 10.5.0 CU12", "core: 10.5.0 CU18");
        assert_eq!(read(&folder, file), after.replace("webApps: 10.6.4", "webApps: 10.6.9"), "{file}");
    }
    program::run(&["validate", "."], folder.path()).expect_status(0);
    bump(&folder, &["--check"]).expect_status(0);
}

#[test]
fn one_cluster_can_be_raised_alone_as_far_as_the_ceiling() {
    let folder = fleet();
    let before = read(&folder, "clusters/brussels.yaml");
    let ended = bump(&folder, &["lisbon", "--to", "10.6.4", "-o", "json"]).expect_status(0);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).expect("it is JSON");
    assert_eq!(report["formatVersion"], "1.0");
    let fields = &report["clusters"][0]["fields"];
    // The newest core has a level of its own that the web apps below the ceiling do not reach.
    assert_eq!(
        (&fields[0]["stays"], &fields[1]["stays"]),
        (&"Refused".into(), &"Ceiling".into()),
        "{report:#}"
    );
    assert_eq!(report["written"], false);
    assert_eq!(read(&folder, "clusters/brussels.yaml"), before);
}

#[test]
fn an_observed_hotfix_keeps_its_cluster_where_it_is() {
    let folder = fleet();
    let before = read(&folder, "clusters/brussels.yaml");
    let seen = fs::read_to_string(workspace().join("examples/observed/brussels.yaml")).expect("it is there");
    let core = seen.lines().find(|line| line.trim_start().starts_with("core:")).expect("it tells a core");
    let hotfix = seen.replacen(core.trim_start(), "core: HF_10.3.0.0(CU20)_20260301-135714", 1);
    // Beside the manifests an Observation would be an error.
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let path = elsewhere.path().join("brussels.yaml");
    fs::write(&path, hotfix).expect("it can be written");
    let ended = bump(&folder, &["--observed", path.to_str().expect("a plain name")]).expect_status(0);
    assert!(ended.stdout.contains("runs the hotfix HF_10.3.0.0(CU20)"), "{}", ended.stdout);
    assert!(ended.stderr.contains("1 cluster raised, 1 file written, 1 left alone"), "{}", ended.stderr);
    assert_eq!(read(&folder, "clusters/brussels.yaml"), before);
}

#[cfg(unix)]
#[test]
fn a_link_among_the_manifests_is_never_written_through() {
    let folder = fleet();
    let real = folder.path().join("clusters/brussels.yaml");
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let target = elsewhere.path().join("brussels.yaml");
    fs::rename(&real, &target).expect("it can be moved");
    std::os::unix::fs::symlink(&target, &real).expect("a link can be made");
    let before = fs::read_to_string(&target).expect("it is there");
    let ended = bump(&folder, &[]).expect_status(1);
    assert!(ended.stderr.contains("symbolic link"), "{}", ended.stderr);
    assert_eq!(fs::read_to_string(&target).expect("it is there"), before);
    // Named on the command line it is read, and still not written.
    let ended = program::run(&["bump", "-f", "clusters/lisbon.yaml"], folder.path()).expect_status(0);
    assert!(ended.stderr.contains("offers a package"), "{}", ended.stderr);
}

/// The `run` blocks of a workflow.
fn scripts(workflow: &Value) -> Vec<String> {
    let Value::Mapping(jobs) = &workflow["jobs"] else { panic!("no jobs") };
    let steps = jobs.iter().flat_map(|(_, job)| job["steps"].as_sequence().expect("steps"));
    steps.filter_map(|step| step["run"].as_str().map(str::to_owned)).collect()
}

#[test]
fn the_update_recipe_calls_what_is_there() {
    let path = workspace().join("examples/ci/github-update.yaml");
    let text = fs::read_to_string(path).expect("the recipe is there");
    let workflow: Value = serde_yaml::from_str(&text).expect("it is YAML");
    assert_eq!(workflow["permissions"]["pull-requests"], "write");
    let scripts = scripts(&workflow);
    let mut calls = 0;
    let folder = fleet();
    for script in &scripts {
        let checked = Command::new("sh").args(["-n", "-c", script]).status().expect("sh is everywhere");
        assert!(checked.success(), "{script}");
        for line in script.lines().filter(|line| line.starts_with("dataminer-reconciler ")) {
            let call: Vec<&str> =
                line.split(" >").next().unwrap_or(line).split_whitespace().skip(1).collect();
            program::run(&call, folder.path()).expect_status(0);
            calls += 1;
        }
    }
    assert_eq!(calls, 2, "{scripts:?}");
    assert!(read(&folder, "clusters/brussels.yaml").contains("core: 10.5.0 CU18"));
}
