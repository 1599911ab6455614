//! D1-D7: which way, by which build, and for which Agents.

use dataminer_schema::plan::{BlockCode, Change};

use crate::testing::{Scenario, build_of, codes, package, version, warnings};

#[test]
fn d1_a_lower_target_is_a_downgrade() {
    let plan = Scenario::new("10.5.0 CU9", "10.5.0 CU8").plan();
    assert_eq!((codes(&plan), plan.change), (vec![BlockCode::DowngradeNotAllowed], Change::Downgrade));
    assert!(plan.steps.is_empty());
    let feature = Scenario::new("10.5.12", "10.5.0 CU18").plan();
    assert!(feature.blocked[0].help.contains("10.6.0"), "{}", feature.blocked[0].help);
}

#[test]
fn d2_older_fixes_can_be_accepted() {
    let scenario = Scenario::new("10.5.0 CU9", "10.5.5").web(Some("10.4.0 CU5"));
    assert_eq!(scenario.way(), "10.5.5, !OlderFixesNotAccepted");
    let accepted = scenario.upgrade(|upgrade| upgrade.accept_older_fixes = true);
    let plan = accepted.plan();
    assert_eq!(accepted.way(), "10.5.5");
    assert!(warnings(&plan).contains(&"OlderFixes"));
    assert!(plan.steps.iter().any(|step| step.rules.contains(&"D2".to_owned())));
}

#[test]
fn d3_the_build_decides_inside_one_release() {
    let mut scenario = Scenario::new("10.5.0.0-15943-20250601-release", "10.5.0 CU4 (build 16239)");
    scenario.packages =
        vec![package(&version("10.5.0 CU4"), dataminer_schema::version::PackageKind::Full, 16239)];
    let plan = scenario.plan();
    assert_eq!(crate::testing::way(&plan), "10.5.0 CU4");
    assert_eq!(plan.steps[3].build, Some(16239));
    // Without a wanted build the CU is enough.
    scenario.cluster.software.core = version("10.5.0 CU4");
    assert_eq!(scenario.way(), "Converged");
    let newer = scenario.clone().each(|agent| agent.core = Some("10.5.0.0-16239".to_owned()));
    assert_eq!(newer.way(), "Converged");
    let mut lower = newer;
    lower.cluster.software.core = version("10.5.0 CU4 (build 15943)");
    assert_eq!(lower.way(), "!DowngradeNotAllowed");
}

#[test]
fn d3_a_wanted_build_may_name_its_cu_where_the_package_does_not() {
    let mut scenario = Scenario::new("10.5.0 CU3", "10.5.0 CU12 (build 16889)");
    let mut unnamed = package(&version("10.5.0"), dataminer_schema::version::PackageKind::Full, 16889);
    unnamed.version = Some(version("10.5.0").with_build(16889));
    scenario.packages = vec![unnamed];
    assert_eq!(scenario.way(), "10.5.0 CU12");
    scenario.cluster.software.core = version("10.5.0 (build 16889)");
    assert_eq!(scenario.way(), "!UnknownBuild");
}

#[test]
fn d3_several_builds_of_a_release_mean_the_highest() {
    let mut scenario = Scenario::new("10.5.0 CU3", "10.5.0 CU4");
    let kind = dataminer_schema::version::PackageKind::Full;
    scenario.packages =
        vec![package(&version("10.5.0 CU4"), kind, 15943), package(&version("10.5.0 CU4"), kind, 16239)];
    let plan = scenario.plan();
    assert!(plan.steps[0].package.as_deref().is_some_and(|file| file.contains("16239")));
}

#[test]
fn d3_a_feature_release_cu_that_runs_is_newer_than_the_release_alone() {
    let plan = Scenario::new("10.6.3 CU1", "10.6.3").plan();
    assert_eq!(codes(&plan), [BlockCode::DowngradeNotAllowed]);
    assert!(plan.blocked[0].help.contains("10.6.3 CU1"), "{}", plan.blocked[0].help);
    assert_eq!(Scenario::new("10.6.3", "10.6.3 CU1").way(), "10.6.3 CU1");
}

/// By the name of its base the execution would look for the base, and never begin.
#[test]
fn d4_a_plan_names_a_hotfix_as_its_agent_does() {
    let hotfix = "HF_10.5.0.0(CU9)_20251120-135714";
    let plan = Scenario::new(hotfix, "10.5.0 CU12").web(Some("10.5.12")).plan();
    assert!(plan.agents.iter().all(|agent| agent.core.as_deref() == Some(hotfix)), "{:?}", plan.agents);
    assert_eq!(plan.from.core.as_deref(), Some("10.5.0 CU9"));
}

#[test]
fn d4_a_hotfix_is_not_replaced_silently() {
    let hotfix = "HF_10.5.0.0(CU9)_20251120-135714";
    assert_eq!(
        Scenario::new(hotfix, "10.5.0 CU12").web(Some("10.5.12")).way(),
        "10.5.0 CU12, !HotfixInstalled"
    );
    assert_eq!(
        Scenario::new(hotfix, "10.5.0 CU9").web(Some("10.5.12")).way(),
        "10.5.0 CU9, !HotfixInstalled"
    );
    let accepted = Scenario::new(hotfix, "10.5.0 CU12")
        .web(Some("10.5.12"))
        .upgrade(|upgrade| upgrade.accept_hotfix_loss = true);
    assert_eq!(accepted.way(), "10.5.0 CU12");
    assert!(accepted.plan().warnings.iter().any(|warning| warning.code == "HotfixInstalled"));
}

#[test]
fn d5_more_than_two_versions_or_no_package_of_the_newer_one_is_not_repaired() {
    let three = Scenario::new("10.5.0 CU9", "10.5.0 CU12").seen(&[
        ("a1", "10.5.0 CU9"),
        ("a2", "10.5.0 CU10"),
        ("a3", "10.5.0 CU11"),
    ]);
    assert_eq!(three.way(), "!MixedCluster");
    let no_package = Scenario::new("10.5.0 CU9", "10.5.0 CU12")
        .seen(&[("a1", "10.5.0 CU9"), ("a2", "10.5.0 CU10")])
        .only(&["10.5.0 CU12"]);
    assert_eq!(no_package.way(), "!MixedCluster");
    let boundary =
        Scenario::new("10.6.0 CU6", "10.6.0 CU6").seen(&[("a1", "10.5.0 CU18"), ("a2", "10.6.0 CU6")]);
    assert_eq!(boundary.way(), "!MixedCluster");
}

#[test]
fn d5_laggards_alone_are_repaired_where_the_others_are_right() {
    let scenario = Scenario::new("10.5.0 CU12", "10.5.0 CU12").seen(&[
        ("a1", "10.5.0 CU12"),
        ("a2", "10.5.0 CU9"),
        ("a3", "10.5.0 CU12"),
    ]);
    let plan = scenario.plan();
    assert_eq!((crate::testing::way(&plan).as_str(), plan.change), ("10.5.0 CU12", Change::Repair));
    let hop = plan.steps.iter().find(|step| step.from.is_some()).unwrap();
    assert_eq!(hop.agents, [crate::testing::name("a2")]);
    // The laggard's own package starts from the laggard.
    assert_eq!(plan.steps[0].agents, [crate::testing::name("a2")]);
    // All of them run it afterwards.
    assert_eq!(plan.steps[4].agents.len(), 3);
}

#[test]
fn d5_a_failover_pair_is_one_unit() {
    let scenario = Scenario::new("10.5.0 CU12", "10.5.0 CU12")
        .seen(&[("a1", "10.5.0 CU12"), ("a2", "10.5.0 CU12"), ("a2b", "10.5.0 CU9")])
        .pair("a2", "a2b");
    let plan = scenario.plan();
    let hop = plan.steps.iter().find(|step| step.from.is_some()).unwrap();
    assert_eq!(hop.agents, [crate::testing::name("a2"), crate::testing::name("a2b")]);
}

#[test]
fn d5_agents_above_the_target_are_a_downgrade_of_their_own() {
    let scenario =
        Scenario::new("10.5.0 CU12", "10.5.0 CU10").seen(&[("a1", "10.5.0 CU10"), ("a2", "10.5.0 CU12")]);
    let plan = scenario.plan();
    assert_eq!((codes(&plan), plan.change), (vec![BlockCode::DowngradeNotAllowed], Change::Repair));
    assert_eq!(plan.blocked[0].agents, [crate::testing::name("a2")]);
}

#[test]
fn d7_an_unknown_cu_is_an_interval() {
    // Between the known builds of CU6 (16294) and CU11 (16782).
    let text = "10.5.0.0-16500-20251120-release";
    let bare = |to: &str| {
        let mut scenario = Scenario::new(text, to).web(Some("10.5.9"));
        scenario.packages.retain(|package| package.file.contains(&build_of(&version(to)).to_string()));
        // The whole catalogue's builds are synthetic: only the built-in table speaks here.
        scenario
    };
    assert_eq!(bare("10.5.0 CU12").way(), "10.5.0 CU12");
    assert_eq!(bare("10.5.0 CU5").way(), "!DowngradeNotAllowed");
    let named = {
        let mut scenario = bare("10.5.0 CU9");
        scenario.builds.insert("10.5.0.0-16500".to_owned(), version("10.5.0 CU9"));
        scenario
    };
    assert_eq!(named.way(), "Converged");
    let mut unknown = bare("10.5.0 CU9");
    unknown.packages.clear();
    let plan = unknown.plan();
    assert_eq!(codes(&plan), [BlockCode::UnknownBuild]);
    assert!(plan.blocked[0].message.contains("between CU6 and CU11"), "{}", plan.blocked[0].message);
    assert!(plan.blocked[0].help.contains("10.5.0.0-16500"), "{}", plan.blocked[0].help);
    // The interval straddles the month of the target: undecided.
    assert_eq!(codes(&bare("10.5.12").plan()), [BlockCode::UnknownBuild]);
}

#[test]
fn a_core_version_that_was_not_seen_is_not_guessed() {
    let scenario = Scenario::new("10.5.0 CU9", "10.5.0 CU12");
    assert_eq!(scenario.clone().agent("a2", |agent| agent.core = None).way(), "!UnknownBuild");
    assert_eq!(
        scenario.clone().agent("a2", |agent| agent.core = Some("Hotfix".to_owned())).way(),
        "!UnknownBuild"
    );
    let mut bare = scenario;
    bare.cluster.software.core = version("10.5.0");
    assert_eq!(bare.way(), "!UnknownBuild");
}

#[test]
fn d5_differing_tags_from_10_6_on_are_no_mix_of_brokers() {
    let scenario = Scenario::new("10.6.0 CU6", "10.6.0 CU6")
        .seen(&[("a1", "10.6.0 CU1"), ("a2", "10.6.0 CU6")])
        .broker(Some(true))
        .agent("a1", |agent| agent.broker_gateway = Some(false));
    assert_eq!(scenario.way(), "10.6.0 CU6");
}

#[test]
fn d5_a_laggard_that_cannot_run_brokergateway_does_not_join_agents_that_do() {
    let scenario = Scenario::new("10.5.0 CU12", "10.5.0 CU12")
        .seen(&[("a1", "10.4.0 CU21"), ("a2", "10.5.0 CU12")])
        .broker(Some(true))
        .agent("a1", |agent| agent.broker_gateway = None);
    assert_eq!(scenario.way(), "!MixedCluster");
}

#[test]
fn d7_a_hazard_that_hangs_on_an_unknown_cu_is_an_unknown_build() {
    // Between no known build and CU4 (14511): H10 hits CU6 and later only.
    let mut scenario = Scenario::new("10.4.0.0-15000-20241001-release", "10.4.11").web(Some("10.4.1"));
    scenario.packages.retain(|package| package.file.contains("10.4.11."));
    // CU4 to CU10: straddles the rule.
    assert!(codes(&scenario.plan()).contains(&BlockCode::UnknownBuild));
    assert!(!codes(&scenario.plan()).contains(&BlockCode::KnownIssue));
    let early = scenario.each(|agent| agent.core = Some("10.4.0.0-14000-20240301-release".to_owned()));
    assert_eq!(early.way(), "10.4.11");
}

#[test]
fn d7_an_interval_without_an_end_is_said_in_words() {
    let mut scenario = Scenario::new("10.5.0.0-17500-20260601-release", "10.5.0 CU14").web(Some("10.5.12"));
    scenario.packages.clear();
    let plan = scenario.plan();
    assert!(plan.blocked[0].message.ends_with("it is CU11 or later"), "{}", plan.blocked[0].message);
}

#[test]
fn d3_inside_one_line_the_build_decides_where_the_cu_is_not_known() {
    // 16500 may be CU6 to CU11; that it lies below build 16780 is certain, and no other question is asked (D2).
    let mut scenario =
        Scenario::new("10.5.0.0-16500-20251120-release", "10.5.0 CU10 (build 16780)").web(Some("10.5.9"));
    let kind = dataminer_schema::version::PackageKind::Full;
    let mut unnamed = package(&version("10.5.0"), kind, 16780);
    unnamed.version = Some(version("10.5.0 (build 16780)"));
    scenario.packages = vec![unnamed];
    assert_eq!(scenario.way(), "10.5.0 CU10");
}
