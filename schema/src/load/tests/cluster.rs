use super::*;

#[test]
fn a_full_cluster_is_read() {
    let (fleet, found) = load_fleet(&[file("a.yaml", FULL)]);
    assert_eq!(lines(&found), "");
    let [Located { value, path, line, marks: _ }] = fleet.clusters.as_slice() else {
        panic!("one cluster is read")
    };
    assert_eq!((path.as_str(), *line), ("a.yaml", 2));
    insta::assert_debug_snapshot!(value);
}

#[test]
fn what_is_absent_takes_its_default() {
    let (fleet, found) = load_fleet(&[file("a.yaml", &cluster_with(""))]);
    assert_eq!(lines(&found), "");
    insta::assert_debug_snapshot!(fleet.clusters[0].value);
}

#[test]
fn what_this_release_does_not_carry_out_is_read_and_named() {
    let password = "password: { env: P }";
    for (extra, field) in [
        ("  hooks: [{ event: BeforeDisruption, run: vm-snapshot }]".to_owned(), "spec.hooks"),
        (format!("  connection: {{ via: {{ address: jump, user: u, {password} }} }}"), "spec.connection.via"),
        (
            format!("  connection: {{ webServices: {{ user: u, {password} }} }}"),
            "spec.connection.webServices",
        ),
        (format!("  connection: {{ ssh: {{ user: u, {password} }} }}"), "spec.connection.ssh"),
        ("  upgrade: { onFailure: Downgrade }".to_owned(), "spec.upgrade.onFailure"),
        (format!("  upgrade: {{ runAs: {{ account: Named, user: u, {password} }} }}"), "spec.upgrade.runAs"),
        (
            "  health: { checks: [{ bpa: x }, { https: { url: \"https://x\" } }] }".to_owned(),
            "spec.health.checks",
        ),
    ] {
        let (fleet, found) = load_fleet(&[file("a.yaml", &cluster_with(&extra))]);
        let said = lines(&found);
        assert!(
            said.contains(&format!("warning[E0309]: `{field}` is not carried out by this release")),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "{extra}: {said}");
        assert_eq!(fleet.clusters[0].value.not_carried_out(), [field]);
    }
}

#[test]
fn agents_of_a_cluster_do_not_collide() {
    for (agents, code, place) in [
        ("[{ name: a, address: x }, { name: A, address: y }]", Code::DuplicateAgentName, ":6:45"),
        ("[{ name: a, address: x }, { name: b, address: \"x:22\" }]", Code::DuplicateAgentAddress, ":6:57"),
        (
            "[{ name: a, address: \"::1\" }, { name: b, address: \"[0:0::1]\" }]",
            Code::DuplicateAgentAddress,
            ":6:61",
        ),
        (
            "[{ name: a, address: x, failover: { name: a, address: y } }]",
            Code::FailoverPartnerIsAgent,
            ":6:53",
        ),
        (
            "[{ name: a, address: x, failover: { name: b, address: y } }, { name: b, address: y }]",
            Code::FailoverPartnerIsAgent,
            ":6:80",
        ),
        ("[]", Code::WrongCount, ":6:11"),
    ] {
        let text = format!(
            "apiVersion: dataminer.gitops/v1\nkind: Cluster\nmetadata: {{ name: brussels }}\nspec:\n  software: {{ core: 10.5.0 CU12 }}\n  agents: {agents}\n"
        );
        let said = fleet_faults(&text);
        assert!(said.starts_with(&format!("a.yaml{place}: error[{code}]")), "{agents}: {said}");
        assert_eq!(said.lines().count(), 1, "{agents}: {said}");
    }
}

#[test]
fn windows_make_sense() {
    for (window, code) in [
        (
            "{ kind: Allow, schedule: \"0 22 * * SAT\", duration: 4h, timeZone: UTC, cutoff: 4h }",
            Code::CutoffExceedsDuration,
        ),
        (
            "{ kind: Allow, schedule: \"0 22 * * SAT\", duration: 30m, timeZone: UTC }",
            Code::CutoffExceedsDuration,
        ),
        ("{ kind: Allow, schedule: \"0 22 * * SAT\", duration: 0s, timeZone: UTC }", Code::ZeroDuration),
        ("{ kind: Allow, schedule: \"0 22 * * SAT *\", duration: 4h, timeZone: UTC }", Code::BadSchedule),
        ("{ kind: Allow, schedule: \"0 25 * * *\", duration: 4h, timeZone: UTC }", Code::BadSchedule),
        ("{ kind: Allow, schedule: \"0 0 0 22 * *\", duration: 4h, timeZone: UTC }", Code::BadSchedule),
        ("{ kind: Allow, schedule: \"@daily\", duration: 4h, timeZone: UTC }", Code::BadSchedule),
        (
            "{ kind: Allow, schedule: \"0 22 * * *\", duration: 4h, timeZone: Romance Standard Time }",
            Code::BadTimeZone,
        ),
        (
            "{ kind: Allow, schedule: \"0 22 * * *\", duration: 4h, timeZone: ../../etc/passwd }",
            Code::BadTimeZone,
        ),
        (
            "{ kind: Allow, from: 2026-12-20, schedule: \"0 22 * * *\", duration: 4h, timeZone: UTC }",
            Code::UnknownField,
        ),
        ("{ kind: Deny, from: 2026-12-20, to: 2026-12-19, timeZone: UTC }", Code::WindowEndsBeforeStart),
        ("{ kind: Deny, from: 2026-02-30, to: 2026-12-19, timeZone: UTC }", Code::BadTime),
        ("{ kind: Maybe }", Code::UnknownValue),
    ] {
        assert_eq!(codes(&cluster_with(&format!("  windows: [{window}]"))), [code], "{window}");
    }
    assert_eq!(
        codes(&cluster_with("  windows: [{ kind: Deny, from: 2026-12-20, to: 2026-12-20, timeZone: UTC }]")),
        []
    );
    assert_eq!(codes(&cluster_with("  health: { settle: 50m }")), [Code::SettleExceedsTimeout]);
}

#[test]
fn what_only_shows_across_files_is_found() {
    let cluster = |name: &str, address: &str| {
        format!(
            "apiVersion: dataminer.gitops/v1\nkind: Cluster\nmetadata: {{ name: {name} }}\nspec:\n  software: {{ core: 10.5.0 CU12 }}\n  agents: [{{ name: a, address: \"{address}\" }}]\n"
        )
    };
    let (fleet, found) = load_fleet(&[
        file("a.yaml", &cluster("brussels", "Dma01.example")),
        file("b.yaml", &cluster("lisbon", "dma01.EXAMPLE:22")),
        file("c.yaml", &cluster("brussels", "10.0.0.2")),
        file("d.yaml", &cluster("madrid", "dma01.example:2222")),
    ]);
    assert_eq!(
        lines(&found),
        "b.yaml:6:32: error[E0602]: `dma01.example` is also an Agent of the cluster `brussels` (help: an Agent belongs to one DMS; the other entry is at a.yaml:6:32)\n\
         c.yaml:3:19: error[E0601]: there are two clusters `brussels` (help: the first is at a.yaml:3:19; names are unique)\n"
    );
    let names: Vec<&str> = fleet.clusters.iter().map(|cluster| cluster.value.name.as_str()).collect();
    assert_eq!(names, ["brussels", "madrid"]);
}

#[test]
fn what_yaml_does_not_read_as_a_version_says_what_to_write() {
    for (written, code, words) in [
        ("10.5", Code::VersionNotText, "write \"10.5.0 CU0\" (or another CU)"),
        (
            "10.10",
            Code::VersionNotText,
            "a bare 10.10 is a YAML number and read as 10.1: write \"10.10.0 CU0\"",
        ),
        ("16889", Code::VersionNotText, "\"10.5.0 CU12 (build 16889)\""),
        ("10", Code::VersionNotText, "write for example \"10.5.0 CU9\""),
        ("true", Code::VersionNotText, "`true`, which YAML reads as a boolean, not a version"),
        ("yes", Code::BadVersion, "write for example \"10.5.0 CU9\""),
        ("2026-11-21", Code::BadVersion, "no release is named by its day"),
        ("~", Code::NullValue, "write a release, for example \"10.5.0 CU9\""),
        ("[10.5.12]", Code::VersionNotText, "`core` is a list, not a version"),
    ] {
        let text = cluster_with("").replace("core: 10.5.0 CU12", &format!("core: {written}"));
        let said = fleet_faults(&text);
        assert!(said.contains(&format!("error[{code}]")) && said.contains(words), "{written}: {said}");
        assert_eq!(said.lines().count(), 1, "{written}: {said}");
    }
}
