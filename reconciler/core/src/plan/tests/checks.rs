//! The checks of the package that is installed first, ahead of everything (S1).

use dataminer_schema::{
    plan::{Action, Disruption, Plan, Step},
    v1::catalog::Package,
    version::PackageKind,
};

use crate::testing::{Scenario, backup, name, owed_restore, package, render, version};

fn checks(plan: &Plan) -> Option<&Step> {
    let mut found = plan.steps.iter().filter(|step| step.action == Action::RunPrerequisites);
    let first = found.next();
    assert!(found.next().is_none(), "only the first package is asked: {}", render(plan));
    first
}

/// The checks run, and what they are: package, and what is left out.
fn shown(scenario: &Scenario) -> Option<(String, Vec<String>)> {
    let plan = scenario.plan();
    checks(&plan).map(|step| (step.to.clone().unwrap_or_default(), step.without.clone()))
}

fn named(checks: &[&str]) -> Option<Vec<String>> {
    Some(checks.iter().map(|&check| check.to_owned()).collect())
}

/// What a scan tells of the packages of a release.
fn scanned(mut scenario: Scenario, release: &str, checks: &[&str]) -> Scenario {
    let release = version(release);
    let of = |package: &&mut Package| {
        package.version.as_ref().is_some_and(|of| of.line() == release.line() && of.cu() == release.cu())
    };
    for package in scenario.packages.iter_mut().filter(of) {
        package.insides.prerequisites = named(checks);
    }
    scenario
}

#[test]
fn s1_the_checks_of_the_first_package_run_behind_the_staging_and_ahead_of_the_window() {
    let plan = Scenario::new("10.3.0 CU20", "10.5.0 CU12").saturday_nights().plan();
    let step = checks(&plan).expect("the checks");
    assert_eq!((step.to.as_deref(), step.disruption), (Some("10.4.0 CU21"), Disruption::None));
    assert_eq!((step.rules.as_slice(), step.agents.len()), (["S1".to_owned()].as_slice(), 2));
    let at = plan.steps.iter().position(|other| other == step).expect("it is one of them");
    assert!(plan.steps[..at].iter().all(|step| step.action == Action::StagePackage), "{}", render(&plan));
    assert_eq!(plan.steps[at + 1].action, Action::SaveBackup);
    // Before the window is open, and whoever has to approve what follows.
    let early =
        Scenario::new("10.3.0 CU20", "10.5.0 CU12").saturday_nights().at("2026-11-21T18:00:00Z").plan();
    assert!(!early.waiting.is_empty() && checks(&early).is_some_and(|step| step.ready), "{}", render(&early));
}

#[test]
fn s1_a_package_that_a_scan_found_without_checks_is_asked_for_none() {
    let hop = || Scenario::new("10.5.0 CU9", "10.5.0 CU12");
    assert_eq!(shown(&hop()), Some(("10.5.0 CU12".to_owned(), vec![])));
    assert_eq!(shown(&scanned(hop(), "10.5.0 CU12", &[])), None);
    assert!(shown(&scanned(hop(), "10.5.0 CU12", &["VerifyOSVersion.dll"])).is_some());
    // A web package carries none that any source tells of.
    let web = || Scenario::new("10.5.0 CU12", "10.5.0 CU12").want_web("10.6.4");
    assert_eq!(shown(&web()), None);
    assert_eq!(shown(&scanned(web(), "10.6.4", &["VerifyX.dll"])), Some(("10.6.4".to_owned(), vec![])));
}

/// VerifyBrokerGatewayMigration refuses 10.6 until the migration ran, and that runs in the window (H4); as does
/// VerifyClusterPorts, for the result of which VerifyClusterPorts.dll looks (H7).
#[test]
fn s1_what_a_tool_right_before_the_first_hop_brings_about_is_not_asked_for_ahead() {
    let of = |from: &str, to: &str| shown(&Scenario::new(from, to)).map(|(_, without)| without);
    assert_eq!(of("10.5.0 CU12", "10.6.0 CU6"), named(&["VerifyBrokerGatewayMigration.dll"]));
    assert_eq!(of("10.0.9", "10.2.0 CU21"), named(&["VerifyClusterPorts.dll"]));
    // Before a later hop nobody asks yet.
    assert_eq!(of("10.4.0 CU21", "10.6.0 CU6"), named(&[]));
    let migrated = Scenario::new("10.5.0 CU12", "10.6.0 CU6").broker(Some(true));
    assert_eq!(shown(&migrated), Some(("10.6.0 CU6".to_owned(), vec![])));
    // Nothing else is in the package.
    let alone = scanned(
        Scenario::new("10.5.0 CU12", "10.6.0 CU6"),
        "10.6.0 CU6",
        &["VerifyBrokerGatewayMigration.dll"],
    );
    assert_eq!(shown(&alone), None);
}

/// The checks of an older package may fail on an Agent that is ahead, and nothing is installed there.
#[test]
fn s1_who_is_ahead_is_not_asked_for_those_behind() {
    let plan = Scenario::new("10.2.0 CU5", "10.5.0 CU12")
        .seen(&[("a1", "10.2.0 CU5"), ("a2", "10.4.0 CU21")])
        .plan();
    let step = checks(&plan).expect("the checks");
    assert_eq!((step.to.as_deref(), step.agents.as_slice()), (Some("10.3.0 CU22"), [name("a1")].as_slice()));
}

#[test]
fn s1_work_that_is_owed_asks_for_no_checks() {
    let owed = Scenario::new("10.4.0 CU21", "10.5.0 CU12")
        .vault(backup("good.zip", "2026-10-01T00:00:00Z", Some("10.4.0 CU21")))
        .owed("a1", &owed_restore("p1-7", "good.zip"));
    assert_eq!(shown(&owed), None);
}

#[test]
fn s1_a_hotfix_alone_has_no_checks_that_are_known() {
    let hotfix = "HF_10.5.0.0(CU12)_20251120-135714";
    let mut scenario = Scenario::new("10.5.0 CU12", "10.5.0 CU12");
    let mut file = package(&version("10.5.0 CU12"), PackageKind::Tool, 1);
    file.file = format!("{hotfix}.dmupgrade");
    file.version = None;
    scenario.packages.push(file);
    scenario.cluster.software.hotfixes.push(hotfix.to_owned());
    assert!(scenario.plan().steps.iter().any(|step| step.action == Action::InstallHotfix));
    assert_eq!(shown(&scenario), None);
}
