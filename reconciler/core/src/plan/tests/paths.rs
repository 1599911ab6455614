//! The examples of the design, and the rules H1-H13 one by one.

use dataminer_schema::plan::{BlockCode, Plan};

use crate::testing::{Scenario, codes, warnings};

fn way(from: &str, to: &str) -> String {
    Scenario::new(from, to).way()
}

#[test]
fn h2_takes_the_newest_stop_that_the_next_one_still_follows() {
    // 10.5.0 CU4 has the fixes of 10.4.0 CU16: a newer stop would lose some on the last hop.
    assert_eq!(way("10.3.0 CU5", "10.5.0 CU5"), "10.4.0 CU17, 10.5.0 CU5");
    // 10.4.0 CU14 is one of the antivirus builds (H12): not while another serves.
    assert_eq!(way("10.3.0 CU5", "10.5.0 CU2"), "10.4.0 CU13, 10.5.0 CU2");
    assert_eq!(
        Scenario::new("10.3.0 CU5", "10.5.0 CU2").only(&["10.4.0 CU14", "10.5.0 CU2"]).way(),
        "10.4.0 CU14, 10.5.0 CU2"
    );
}

#[test]
fn h2_falls_back_to_feature_releases_then_to_newer_ones_then_to_no_package() {
    let scenario = |packages: &[&str]| Scenario::new("10.3.0 CU10", "10.5.0 CU5").only(packages);
    assert_eq!(scenario(&["10.4.9", "10.4.11", "10.5.0 CU5"]).way(), "10.4.11, 10.5.0 CU5");
    let newer = scenario(&["10.4.0 CU20", "10.5.0 CU5"]);
    assert_eq!(newer.way(), "10.4.0 CU20, 10.5.0 CU5, !WebRegression");
    assert!(warnings(&newer.plan()).contains(&"NewerStop"));
    let none = scenario(&["10.5.0 CU5"]).plan();
    assert_eq!(codes(&none), [BlockCode::NoPackage]);
    assert!(none.blocked[0].help.contains("10.4.0 CU17"), "{}", none.blocked[0].help);
    assert_eq!(scenario(&[]).way(), "!NoPackage, !NoPackage");
}

#[test]
fn h2_warns_when_a_better_stop_is_known_than_the_catalogue_has() {
    let plan = Scenario::new("10.3.0 CU12", "10.5.0 CU18").only(&["10.4.0 CU19", "10.5.0 CU18"]).plan();
    assert_eq!(warnings(&plan)[0], "LaterStopKnown");
    assert!(plan.warnings[0].message.contains("10.4.0 CU21"));
}

#[test]
fn h1_an_update_package_serves_inside_its_main_release_from_exactly_its_base() {
    let with = |from: &str, to: &str, base: Option<&str>, executor: Option<bool>| {
        let mut scenario = Scenario::new(from, to).only(&[]);
        let mut update = crate::testing::package(
            &crate::testing::version(to),
            dataminer_schema::version::PackageKind::Update,
            25_000,
        );
        update.insides.base = base.map(crate::testing::version);
        update.insides.executor = executor;
        scenario.packages.push(update);
        scenario.way()
    };
    assert_eq!(with("10.4.0 CU6", "10.4.0 CU8", Some("10.4.0 CU6"), Some(true)), "10.4.0 CU8");
    // Another base, none that is told, or, from 10.4 on, without what runs its checks.
    assert_eq!(with("10.4.0 CU7", "10.4.0 CU8", Some("10.4.0 CU6"), Some(true)), "!NoPackage");
    assert_eq!(with("10.4.0 CU6", "10.4.0 CU8", None, Some(true)), "!NoPackage");
    assert_eq!(with("10.4.0 CU6", "10.4.0 CU8", Some("10.4.0 CU6"), Some(false)), "!NoPackage");
    assert_eq!(with("10.4.0 CU6", "10.4.0 CU8", Some("10.4.0 CU6"), None), "!NoPackage");
    assert_eq!(with("10.3.0 CU6", "10.3.0 CU8", Some("10.3.0 CU6"), None), "10.3.0 CU8");
    assert_eq!(with("10.3.5", "10.3.6", Some("10.3.5"), None), "!NoPackage");
    // A full package goes before it.
    let mut both = Scenario::new("10.4.0 CU6", "10.4.0 CU8");
    both.packages.push(crate::testing::package(
        &crate::testing::version("10.4.0 CU8"),
        dataminer_schema::version::PackageKind::Update,
        25_000,
    ));
    let plan = both.plan();
    assert!(plan.steps[0].package.as_ref().is_some_and(|file| file.contains("Full")), "{plan:#?}");
}

#[test]
fn h3_a_feature_release_skips_the_main_release_of_its_own_line() {
    assert_eq!(way("10.3.5", "10.5.0 CU18"), "10.4.0 CU21, 10.5.0 CU18");
    assert_eq!(way("10.4.3", "10.4.12"), "10.4.12");
    // From line to line nothing lies strictly between, also for Feature Releases.
    assert_eq!(way("10.4.8", "10.5.9"), "10.5.9");
}

#[test]
fn h5_skips_10_1() {
    assert_eq!(way("10.0.0 CU20", "10.2.0 CU21"), "[VerifyClusterPorts], 10.2.0 CU21");
    assert_eq!(way("10.0.0 CU20", "10.1.0 CU21"), "10.1.0 CU21");
    assert_eq!(way("10.1.5", "10.3.0 CU22"), "10.2.0 CU21, 10.3.0 CU22");
}

#[test]
fn h6_leaves_early_10_0_by_cu19() {
    assert_eq!(way("10.0.0 CU5", "10.1.0 CU21"), "10.0.0 CU19, 10.1.0 CU21");
    assert_eq!(way("10.0.0 CU5", "10.0.0 CU21"), "10.0.0 CU21");
    assert_eq!(way("10.0.0 CU5", "10.0.0 CU19"), "10.0.0 CU19");
    assert_eq!(way("9.6.0", "10.0.0 CU19"), "10.0.0 CU19");
    assert_eq!(way("9.6.0", "10.0.0 CU21"), "10.0.0 CU19, 10.0.0 CU21");
    assert_eq!(way("9.6.0", "10.1.3"), "10.1.3");
    assert_eq!(way("9.6.0", "10.1.12"), "10.0.0 CU19, 10.1.12");
    let missing = Scenario::new("9.6.0", "10.1.12").only(&["10.1.12", "10.0.0 CU20"]);
    assert_eq!(missing.way(), "10.1.12, !NoPackage");
    assert_eq!(way("9.5.3", "10.3.0 CU22"), "!NoPath");
}

#[test]
fn h8_to_10_2_7_blocks_from_early_sources_only() {
    assert_eq!(way("10.1.0 CU11", "10.2.7"), "10.2.7, !KnownIssue");
    assert_eq!(way("10.2.2", "10.2.7"), "10.2.7, !KnownIssue");
    assert_eq!(way("10.2.3", "10.2.7"), "10.2.7");
    assert_eq!(way("10.1.0 CU12", "10.2.7"), "10.2.7");
}

#[test]
fn h9_goes_by_10_5_0_cu1_if_that_loses_no_fixes() {
    assert_eq!(way("10.4.0 CU13", "10.5.0 CU4"), "10.5.0 CU1, 10.5.0 CU4");
    assert_eq!(way("10.4.3", "10.5.6"), "10.5.0 CU1, 10.5.6");
    assert_eq!(way("10.4.0 CU14", "10.5.7"), "10.5.0 CU2, 10.5.7");
    assert_eq!(
        Scenario::new("10.4.0 CU12", "10.5.7").only(&["10.5.0 CU0", "10.5.7"]).way(),
        "10.5.0 CU0, 10.5.7"
    );
    assert_eq!(way("10.4.0 CU16", "10.5.0 CU4"), "10.5.0 CU4, !KnownIssue");
    assert_eq!(way("10.4.5", "10.5.6"), "10.5.6");
    assert_eq!(way("10.4.0 CU16", "10.5.0 CU5"), "10.5.0 CU5");
}

#[test]
fn h10_snmp_credentials_block() {
    assert_eq!(way("10.4.0 CU6", "10.4.11"), "10.4.11, !KnownIssue");
    assert_eq!(way("10.4.0 CU5", "10.4.11"), "10.4.11");
}

/// How many warnings refer to this issue.
fn told_of(plan: &Plan, issue: &str) -> usize {
    plan.warnings.iter().filter(|warning| warning.reference.as_deref() == Some(issue)).count()
}

#[test]
fn h11_blocks_only_where_expired_users_were_seen() {
    let clean = Scenario::new("10.4.0 CU10", "10.5.1");
    assert_eq!(clean.way(), "10.5.1");
    assert_eq!(clean.clone().each(|agent| agent.expired_users = Some(true)).way(), "10.5.1, !KnownIssue");
    let unknown = clean.each(|agent| agent.expired_users = None).plan();
    assert_eq!((codes(&unknown), told_of(&unknown, "KI_Upgrade_to_1051_stuck")), (vec![], 1));
    let expired =
        |to: &str| Scenario::new("10.4.0 CU9", to).each(|agent| agent.expired_users = Some(true)).way();
    assert_eq!(expired("10.5.2"), "10.5.2, !KnownIssue");
    assert_eq!(expired("10.5.2 CU1"), "10.5.2 CU1");
}

#[test]
fn h12_warns_as_target() {
    let plan = Scenario::new("10.5.0 CU1", "10.5.0 CU2").plan();
    assert_eq!((codes(&plan), warnings(&plan)), (vec![], vec!["KnownIssue"]));
    assert_eq!(plan.warnings[0].reference.as_deref(), Some("KI_DCOMConfig_flagged_as_virus"));
}

#[test]
fn h13_default_upgrade_options_block_where_seen() {
    let seen = |to: &str, value: Option<bool>| {
        let scenario = Scenario::new("10.4.0 CU0", to);
        let plan = scenario.each(|agent| agent.default_upgrade_options = value).plan();
        (codes(&plan), told_of(&plan, "KI_Default_upgrade_options_SLNet_issue"))
    };
    assert_eq!(seen("10.4.5", Some(true)), (vec![BlockCode::KnownIssue], 0));
    assert_eq!(seen("10.4.5", None), (vec![], 1));
    assert_eq!(seen("10.5.0 CU1", Some(true)), (vec![BlockCode::KnownIssue], 0));
    assert_eq!(seen("10.5.0 CU18", Some(true)), (vec![], 0));
    assert_eq!(seen("10.4.0 CU9", Some(true)), (vec![], 0));
    assert_eq!(seen("10.5.8", None), (vec![], 0));
}

#[test]
fn an_unknown_newer_major_is_planned_by_analogy_with_a_warning() {
    let mut scenario = Scenario::new("10.5.0 CU18", "10.7.0 CU0").broker(Some(true));
    let wanted = crate::testing::version("10.7.0 CU0");
    let build = crate::testing::build_of(&wanted);
    let kind = dataminer_schema::version::PackageKind::Full;
    scenario.packages.push(crate::testing::package(&wanted, kind, build));
    assert_eq!(scenario.way(), "10.6.0 CU6, 10.7.0 CU0");
    assert!(warnings(&scenario.plan()).contains(&"UnknownMajor"));
    assert_eq!(way("10.6.0 CU6", "10.99.0 CU1"), "!NoPath, !NoPackage");
}

#[test]
fn h4_the_migration_stop_has_no_newer_fixes_than_the_stop_after_it() {
    let mut scenario =
        Scenario::new("10.4.0 CU10", "10.7.0 CU0").only(&["10.5.0 CU12", "10.5.0 CU18", "10.6.0 CU2"]);
    let kind = dataminer_schema::version::PackageKind::Full;
    let wanted = crate::testing::version("10.7.0 CU0");
    scenario.packages.push(crate::testing::package(&wanted, kind, crate::testing::build_of(&wanted)));
    assert_eq!(scenario.way(), "10.5.0 CU12, [NATS], 10.6.0 CU2, 10.7.0 CU0");
}

#[test]
fn a_package_whose_name_tells_no_cu_is_named_where_it_is_missing() {
    let kind = dataminer_schema::version::PackageKind::Full;
    let mut scenario = Scenario::new("10.5.0 CU9", "10.5.0 CU12");
    let mut unnamed = crate::testing::package(&crate::testing::version("10.5.0"), kind, 16889);
    unnamed.version = Some(crate::testing::version("10.5.0 (build 16889)"));
    scenario.packages = vec![unnamed];
    let plan = scenario.plan();
    assert_eq!(codes(&plan), [BlockCode::NoPackage]);
    assert!(plan.blocked[0].help.contains("\"10.5.0.0-16889\": 10.5.0 CU…"), "{}", plan.blocked[0].help);
    scenario.builds.insert("10.5.0.0-16889".to_owned(), crate::testing::version("10.5.0 CU12"));
    assert_eq!(scenario.way(), "10.5.0 CU12");
}

/// A catalogue of years holds dozens of them.
#[test]
fn a_missing_package_names_the_newest_of_its_line_and_counts_the_others() {
    let plan = Scenario::new("10.4.0 CU21", "10.5.0 CU40").plan();
    let message = &plan.blocked[0].message;
    let expected =
        "(of 10.5: 10.5.0 CU18, 10.5.0 CU17, 10.5.0 CU16 and 16 more; 10.5.12 CU2, 10.5.12 CU1, 10.5.12 and ";
    assert!(message.contains(expected), "{message}");
    let plan = Scenario::new("10.4.0 CU21", "10.5.0 CU40").only(&["10.5.0 CU17", "10.5.0 CU18"]).plan();
    let message = &plan.blocked[0].message;
    assert!(message.contains("(of 10.5: 10.5.0 CU18, 10.5.0 CU17)"), "{message}");
}

#[test]
fn h2_a_direct_hop_says_nothing_of_stops_that_were_none() {
    let reasons = |from: &str| {
        let plan = Scenario::new(from, "10.5.0 CU12").plan();
        let hops = plan.steps.into_iter().filter(|step| step.from.is_some() && step.build.is_some());
        hops.map(|step| step.reason).collect::<Vec<_>>()
    };
    assert_eq!(reasons("10.4.0 CU21"), ["no Main Release lies between 10.4.0 CU21 and 10.5.0 CU12"]);
    assert!(reasons("10.3.0 CU22")[1].ends_with("10.5.0 CU12 any more"));
}
