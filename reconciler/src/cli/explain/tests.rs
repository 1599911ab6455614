use std::{collections::BTreeSet, fs, path::Path};

use super::{super::tests::call, *};

#[test]
fn codes_rules_and_fields_are_explained_whatever_their_capitals() {
    for (asked, expected) in [
        ("E0402", "10.10"),
        ("e0301", "failoverPolicy"),
        ("NoPackage", "blocks a plan"),
        ("nopackage", "NoPackage"),
        ("Window", "a plan waits"),
        ("H4", "BrokerGateway"),
        ("p0101", "catalog scan"),
        ("Cluster", "spec*"),
        ("cluster.SPEC.upgrade.failoverpolicy", "BackupFirstWithSwitchback"),
        ("Cluster.windows", "Cluster.spec.windows"),
        ("Cluster.agents[0].hostKey", "ssh-keygen"),
        ("Cluster.metadata.labels.region", "text"),
        ("ReconcilerConfig.spec.vault", "keep"),
        ("Plan.steps.action", "UpgradeCore"),
    ] {
        let (exit, out, talk) = call(&["explain", asked]);
        assert_eq!((exit, talk.as_str()), (Exit::Ok, ""), "{asked}");
        assert!(out.contains(expected), "{asked}: {out}");
        assert!(out.lines().all(|line| line.chars().count() <= 180), "{asked}: {out}");
    }
}

#[test]
fn everything_that_can_be_asked_for_is_data_too() {
    let findings = FindingCode::ALL.iter().map(|code| code.as_str());
    let codes = Code::ALL.iter().map(|code| code.as_str()).chain(findings);
    let codes = codes.chain(told::all().map(|(_, told)| told.code));
    for asked in codes {
        let (exit, out, _) = call(&["explain", asked, "-o", "json"]);
        assert_eq!(exit, Exit::Ok, "{asked}");
        let data: serde_json::Value = serde_json::from_str(&out).expect("it is JSON");
        assert_eq!(data["codes"][0]["code"], asked);
        let (_, text, _) = call(&["explain", asked]);
        assert!(!text.contains("domain/") && !out.contains("domain/"), "{asked}: {text}");
    }
    let (_, out, _) = call(&["explain", "KnownIssue", "-o", "json"]);
    let data: serde_json::Value = serde_json::from_str(&out).expect("it is JSON");
    assert_eq!(
        (&data["codes"][0]["topic"], &data["codes"][1]["topic"]),
        (&"Block".into(), &"Warning".into())
    );
    let (_, out, _) = call(&["explain", "Cluster.upgrade.failoverPolicy", "-o", "json"]);
    let data: serde_json::Value = serde_json::from_str(&out).expect("it is JSON");
    assert_eq!(data["field"]["default"], "Simultaneously");
    assert_eq!(data["field"]["required"], false);
}

#[test]
fn a_release_needs_no_quotes() {
    let quoted = call(&["explain", "10.5.0 CU12"]);
    assert_eq!(quoted.0, Exit::Ok);
    assert_eq!(call(&["explain", "10.5.0", "CU12"]).1, quoted.1);
}

#[test]
fn a_field_reads_well() {
    let (_, out, _) = call(&["explain", "Cluster.spec.upgrade.failoverPolicy"]);
    insta::assert_snapshot!("failover_policy", out);
    let (_, out, _) = call(&["explain", "Cluster.spec.windows"]);
    insta::assert_snapshot!("windows", out);
    let (_, out, _) = call(&["explain", "E0501"]);
    insta::assert_snapshot!("e0501", out);
    let (_, out, _) = call(&["explain", "KnownIssue"]);
    insta::assert_snapshot!("known_issue", out);
}

#[test]
fn what_is_unknown_gets_the_nearest_named() {
    for (asked, help) in [
        ("E0300", "did you mean `E0"),
        ("NoPackages", "did you mean `NoPackage`?"),
        ("Clutser", "did you mean `Cluster`?"),
        ("Cluster.spec.upgrade.mod", "did you mean `Cluster.spec.upgrade.mode`?"),
        ("Cluster.suspended", "has no field `suspended`"),
        ("Cluster.spec.suspend.x", "`Cluster.spec.suspend` has no fields"),
        ("Cluster.spec.zebra", "its fields are"),
        ("zzzzzzzzzz\u{1b}", "write the code of a diagnostic"),
        ("", "write the code of a diagnostic"),
    ] {
        let (exit, out, talk) = call(&["explain", asked]);
        assert_eq!((exit, out.as_str()), (Exit::Failed, ""), "{asked}");
        assert!(talk.contains(help) && !talk.contains('\u{1b}'), "{asked}: {talk}");
    }
    assert_eq!(call(&["explain"]).0, Exit::Usage);
}

/// Every field of every kind, as deep as documents go: none of them makes the walk stumble.
#[test]
fn every_field_of_every_kind_is_explained() {
    let documents = Documents::published();
    let mut open: Vec<String> = documents.kinds().into_iter().map(ToOwned::to_owned).collect();
    let mut seen = 0;
    while let Some(path) = open.pop() {
        let (exit, out, talk) = call(&["explain", &path, "-o", "json"]);
        assert_eq!(exit, Exit::Ok, "{path}: {talk}");
        let data: serde_json::Value = serde_json::from_str(&out).expect("it is JSON");
        assert_eq!(data["field"]["path"], path.as_str());
        assert_ne!(data["field"]["type"], "value", "{path}");
        let below = data["field"]["fields"].as_array().into_iter().flatten();
        open.extend(below.filter_map(|field| Some(format!("{path}.{}", field["name"].as_str()?))));
        seen += 1;
        assert!(seen < 3_000, "{path}");
    }
    assert!(seen > 150, "{seen}");
}

/// The sources of the planner, without its tests.
fn sources(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).expect("the sources are here") {
        let path = entry.expect("a folder can be listed").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && !matches!(name, "tests" | "explain") {
            sources(&path, into);
        } else if name.ends_with(".rs") && !matches!(name, "tests.rs" | "testing.rs") {
            *into += &fs::read_to_string(&path).expect("a source can be read");
        }
    }
}

#[test]
fn every_warning_and_rule_that_the_planner_names_is_told() {
    let mut source = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("core/src"), &mut source);
    let codes_of = |topic: told::Topic| -> BTreeSet<&str> {
        told::all().filter(|(of, _)| *of == topic).map(|(_, told)| told.code).collect()
    };
    let named: BTreeSet<&str> = source
        .split("warn(")
        .skip(1)
        .filter(|rest| rest.trim_start().starts_with('"'))
        .filter_map(|rest| rest.split('"').nth(1))
        .collect();
    assert!(named.len() > 10, "{named:?}");
    let missing: Vec<_> = named.difference(&codes_of(told::Topic::Warning)).copied().collect();
    assert!(missing.is_empty(), "add to cli/explain/told/warnings.rs: {missing:?}");

    let is_rule = |text: &&str| {
        let (letter, digits) = text.split_at_checked(1).unwrap_or_default();
        matches!(letter, "T" | "D" | "H" | "S" | "W" | "G")
            && (1..=2).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let cited: BTreeSet<&str> = source.split('"').filter(is_rule).collect();
    assert!(cited.len() > 10, "{cited:?}");
    let missing: Vec<_> = cited.difference(&codes_of(told::Topic::Rule)).copied().collect();
    assert!(missing.is_empty(), "add to cli/explain/told/rules.rs: {missing:?}");
}

#[test]
fn every_check_of_doctor_and_every_reason_of_proven_is_told() {
    let told: BTreeSet<&str> =
        told::all().filter(|(of, _)| *of == told::Topic::Check).map(|(_, told)| told.code).collect();
    let checks: Vec<String> = crate::doctor::Check::ALL.iter().map(|check| format!("{check:?}")).collect();
    let reasons = ["CanaryPassed", "CanaryFailed", "NeverTried", "ProofExpired"].map(ToOwned::to_owned);
    let named: BTreeSet<&str> = checks.iter().chain(&reasons).map(String::as_str).collect();
    assert_eq!(told, named, "keep cli/explain/told/checks.rs complete");
}
