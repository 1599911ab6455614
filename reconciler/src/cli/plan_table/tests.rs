//! What a user reads before dashboards and apps go back to an older state.

use std::fs;

use crate::cli::{Exit, tests::call};

const CLUSTER: &str = r#"
apiVersion: dataminer.gitops/v1
kind: Cluster
metadata: { name: lab }
spec:
  software: { core: 10.5.0 CU12, webApps: 10.6.3 }
  downgrade: { policy: Allow }
  agents:
    - { name: lab-1, address: 10.9.0.1 }
    - { name: lab-2, address: 10.9.0.2 }
  windows:
    - { kind: Allow, schedule: "0 22 * * SAT", duration: 4h, timeZone: Europe/Brussels }
"#;

const CATALOG: &str = r#"
apiVersion: dataminer.gitops/v1
kind: PackageCatalog
metadata: { name: lab }
spec:
  packages:
    - file: DataMiner 10.6.3.0-16950 Web Upgrade.dmupgrade
      sha256: "1111111111111111111111111111111111111111111111111111111111111111"
"#;

/// The table over a cluster that shows web apps 10.6.5, with one backup on its first Agent.
fn table(backup: &str) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let agent = |name: &str, address: &str, backups: &str| {
        format!(
            "    - {{ name: {name}, reachable: true, address: {address}, core: 10.5.0 CU12, webApps: 10.6.5, \
             state: Running, freeDisk: 200GiB{backups} }}\n"
        )
    };
    let observed = format!(
        "apiVersion: dataminer.gitops/v1\nkind: Observation\nmetadata: {{ name: lab }}\nspec:\n  \
         takenAt: 2026-11-21T20:00:00Z\n  topology:\n    - {{ id: 1, address: 10.9.0.1 }}\n    \
         - {{ id: 2, address: 10.9.0.2 }}\n  agents:\n{}{}",
        agent("lab-1", "10.9.0.1", &format!(", backups: [{{ {backup} }}]")),
        agent("lab-2", "10.9.0.2", "")
    );
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("fleet")).expect("a folder can be made");
    for (name, text) in
        [("fleet/lab.yaml", CLUSTER), ("fleet/packages.yaml", CATALOG), ("seen.yaml", &observed)]
    {
        fs::write(path(name), text).expect("a file can be written");
    }
    let (fleet, seen) = (path("fleet"), path("seen.yaml"));
    let texts = [fleet.to_str().expect("a plain name"), seen.to_str().expect("a plain name")];
    let arguments = ["plan", "-f", texts[0], "--observed", texts[1], "--now", "2026-11-21T20:05:00Z"];
    let (exit, out, talk) = call(&arguments);
    assert_eq!(exit, Exit::Ok, "{talk}");
    out
}

const HASH: &str = "sha256: \"2222222222222222222222222222222222222222222222222222222222222222\"";

#[test]
fn a_restore_says_in_one_sentence_what_is_lost() {
    let out = table(&format!("file: before.zip, at: 2026-11-14T21:30:00Z, content: 10.6.3, {HASH}"));
    let sentence = "  Dashboards and apps go back to the backup of Sat 2026-11-14 22:30 Europe/Brussels (content of 10.6.3, \
                    before.zip on lab-1); changes after that are lost\n";
    assert!(out.contains(sentence), "{out}");
    let row = |action: &str| {
        let line =
            out.lines().find(|line| line.contains(action)).unwrap_or_else(|| panic!("{action} in {out}"));
        line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    assert!(row("RestoreContent").starts_with("RestoreContent - before.zip all 2 web server"), "{out}");
    assert!(row("ReinstallModule").starts_with("ReinstallModule - DataMiner GQI all 2 web server"), "{out}");
}

#[test]
fn a_restore_of_unknown_age_says_that_as_well() {
    let out = table(&format!("file: before.zip, content: 10.6.3, {HASH}"));
    assert!(
        out.contains("the backup before.zip on lab-1, whose time or content is not known; later changes"),
        "{out}"
    );
}

#[test]
fn a_plan_that_restores_nothing_speaks_of_no_loss() {
    let out = table("file: before.zip, at: 2026-11-14T21:30:00Z, content: 10.6.3");
    assert!(out.contains("NoMatchingBackup") && !out.contains("go back to"), "{out}");
}

#[test]
fn a_file_name_of_an_agent_does_not_write_on_the_terminal() {
    let out =
        table(&format!("file: \"be\\e[2Jfore.zip\", at: 2026-11-14T21:30:00Z, content: 10.6.3, {HASH}"));
    assert!(out.contains("be[2Jfore.zip on lab-1"), "{out}");
    assert!(!out.contains('\u{1b}'), "{out:?}");
}
