use dataminer_schema::load::{SourceFile, load_fleet};

use super::*;

const FLEET: &str = r#"apiVersion: dataminer.gitops/v1
kind: PackageCatalog
metadata: { name: approved }
spec:
  packages:
    - { file: "DataMiner 10.5.0.0(CU12)-16889 Full Upgrade.dmupgrade", sha256: DIGEST }
    - { file: "DataMiner 10.6.4.0-16920 Web Upgrade.dmupgrade", sha256: DIGEST }
---
apiVersion: dataminer.gitops/v1
kind: Cluster
metadata: { name: brussels }
spec:
  software: { core: CORE, webApps: WEB }
  agents: [{ name: a, address: 10.0.0.11 }]
---
apiVersion: dataminer.gitops/v1
kind: Advisory
metadata: { name: seen }
spec: { issue: ISSUE, accept: true, clusters: {}, reason: looked at, expires: 2026-12-31 }
"#;

const ISSUE: &str = "KI_DCOMConfig_flagged_as_virus";

fn lint(core: &str, web: &str, issue: &str, now: &str) -> String {
    let text = FLEET
        .replace("DIGEST", &"ab".repeat(32))
        .replace("CORE", core)
        .replace("WEB", web)
        .replace("ISSUE", issue);
    let (fleet, found) = load_fleet(&[SourceFile { path: "a.yaml".to_owned(), bytes: text.into_bytes() }]);
    assert_eq!(found, []);
    let knowledge = Knowledge::built_in();
    let catalog = Catalog::unite(&fleet.catalogs, knowledge).expect("one catalogue agrees with itself");
    let now = now.parse().expect("a point in time");
    let found = lint_fleet(&fleet, &catalog, knowledge, now);
    found.iter().map(|found| format!("{found}\n")).collect()
}

const TODAY: &str = "2026-11-21T10:00:00Z";

#[test]
fn a_fleet_in_order_has_no_warning() {
    assert_eq!(lint("10.5.0 CU12", "10.6.4", ISSUE, TODAY), "");
    // The level that the core brings along needs no package of its own.
    assert_eq!(lint("10.5.0 CU12", "10.6.3", ISSUE, TODAY), "");
    assert_eq!(lint("10.5.0 CU12", "bundled", ISSUE, "2026-12-31T23:59:59Z"), "");
}

#[test]
fn versions_that_no_package_installs_are_named() {
    insta::assert_snapshot!(lint("10.5.0 CU13", "10.6.5", ISSUE, TODAY), @"
    a.yaml:13:21: warning[E0619]: no package of the catalogues installs core 10.5.0 CU13 (help: the newest of this line in the catalogues is 10.5.0 CU12; add the package, or want that one)
    a.yaml:13:43: warning[E0619]: no package of the catalogues installs web apps 10.6.5 (help: add the web package to a catalogue, or write `bundled` for the level of the core)
    ");
}

#[test]
fn advisories_expire_and_name_issues_that_exist() {
    insta::assert_snapshot!(lint("10.5.0 CU12", "bundled", "KI_DCOMConfig_flagged_as_virs", "2027-01-01T00:00:00Z"), @"
    a.yaml:19:103: warning[E0617]: the Advisory expired on 2026-12-31 and accepts nothing any more (help: look at the issue again: set a later day, or take the document out)
    a.yaml:19:16: warning[E0618]: no known issue has the id `KI_DCOMConfig_flagged_as_virs` (help: did you mean `KI_DCOMConfig_flagged_as_virus`?)
    ");
}

#[test]
fn releases_that_nobody_mends_are_named() {
    let with = |core: &str, now: &str| {
        let found = lint(core, "bundled", ISSUE, now);
        found.lines().find(|line| line.contains("E062")).unwrap_or_default().to_owned()
    };
    insta::assert_snapshot!(with("10.3.0 CU22", TODAY), @"a.yaml:13:21: warning[E0621]: 10.3.0 has limited support only, until 2027-02-26 (help: the newest known of this track is 10.6.0 CU6)");
    insta::assert_snapshot!(with("10.3.0 CU22", "2027-02-27T00:00:00Z"), @"a.yaml:13:21: warning[E0620]: the support of 10.3.0 ended on 2027-02-26 (help: the newest known of this track is 10.6.0 CU6)");
    insta::assert_snapshot!(with("10.6.8", TODAY), @"a.yaml:13:21: warning[E0622]: 10.6.8 gets no fixes any more: a later Feature Release is out (help: the newest known of this track is 10.6.9)");
    // The last day of full support, the latest Feature Release, and a release of which nothing is said.
    for (core, now) in [("10.3.0 CU22", "2026-02-27T10:00:00Z"), ("10.6.9", TODAY), ("10.2.0 CU21", TODAY)] {
        assert_eq!(with(core, now), "", "{core} on {now}");
    }
}
