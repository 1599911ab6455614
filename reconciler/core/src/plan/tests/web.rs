//! The web apps: W1-W9, and what W5 protects.

use dataminer_schema::plan::{Action, BlockCode, Change};

use crate::testing::{Scenario, codes, warnings};

fn web_only(core: &str, seen: Option<&str>, wanted: &str) -> Scenario {
    Scenario::new(core, core).web(seen).want_web(wanted)
}

#[test]
fn w1_needs_a_core_with_separate_web_packages() {
    let old = web_only("10.2.0 CU21", Some("10.2.0 CU21"), "10.4.7").plan();
    assert_eq!(codes(&old), [BlockCode::WebNotSupported]);
    assert_eq!(web_only("10.3.3", Some("10.3.3"), "10.4.7").way(), "web 10.4.7");
    // Judged only where a web step is planned.
    assert_eq!(web_only("10.2.0 CU21", Some("10.2.0 CU21"), "10.2.0 CU21").way(), "Converged");
}

/// The sweep found it: a catalogue was asked for a package that there is not.
#[test]
fn w1_asks_for_no_package_that_such_a_core_cannot_take() {
    let mut plan = web_only("10.2.0 CU9", None, "10.2.0 CU9");
    plan.packages.clear();
    assert_eq!(codes(&plan.plan()), [BlockCode::WebNotSupported]);
}

#[test]
fn w2_gates_by_the_packages_own_line_on_the_core_that_it_meets() {
    assert_eq!(web_only("10.4.1", Some("10.4.1"), "10.5.4").way(), "web 10.5.4");
    assert_eq!(web_only("10.3.12", Some("10.3.12"), "10.5.4").way(), "web 10.5.4, !WebRequiresNewerCore");
    // The same level under an older name passes the same core.
    assert_eq!(web_only("10.3.12", Some("10.3.12"), "10.4.0 CU13").way(), "web 10.4.0 CU13");
    let block = web_only("10.4.0 CU20", Some("10.4.0 CU20"), "10.6.1").plan();
    assert_eq!(codes(&block), [BlockCode::WebRequiresNewerCore]);
    assert!(block.blocked[0].help.contains("10.5.0 CU10"), "{}", block.blocked[0].help);
    // It meets the core of the last hop, not the one that runs.
    assert_eq!(
        Scenario::new("10.4.0 CU20", "10.5.0 CU12").want_web("10.6.4").way(),
        "10.5.0 CU12, web 10.6.4"
    );
}

#[test]
fn w2_warns_of_the_web_dcm_on_core_10_4() {
    let plan = web_only("10.4.0 CU20", Some("10.4.0 CU20"), "10.5.12").plan();
    assert_eq!((codes(&plan), warnings(&plan)), (vec![], vec!["WebDcmNeedsCore"]));
}

#[test]
fn w3_a_higher_level_follows_the_last_hop_an_equal_one_needs_no_step() {
    let scenario =
        |wanted: &str| Scenario::new("10.3.0 CU20", "10.5.0 CU12").web(Some("10.3.0 CU20")).want_web(wanted);
    assert_eq!(scenario("10.6.4").way(), "10.4.0 CU21, 10.5.0 CU12, web 10.6.4");
    assert_eq!(scenario("10.6.3").way(), "10.4.0 CU21, 10.5.0 CU12");
    assert_eq!(scenario("bundled").way(), "10.4.0 CU21, 10.5.0 CU12");
    assert_eq!(codes(&scenario("10.6.2").plan()), [BlockCode::WebRegression]);
}

#[test]
fn w4_levels_compare_by_month() {
    assert_eq!(web_only("10.5.0 CU1", Some("10.4.0 CU13"), "10.5.4").way(), "Converged");
    assert_eq!(web_only("10.5.0 CU1", Some("10.5.4"), "10.5.0 CU1").way(), "Converged");
}

#[test]
fn w5_a_core_step_must_not_lower_the_web_level() {
    let core = |web: Option<&str>, to: &str| Scenario::new("10.5.0 CU9", to).web(web);
    assert_eq!(core(Some("10.6.4"), "10.5.0 CU12").way(), "10.5.0 CU12, !WebRegression");
    assert_eq!(core(Some("10.6.4"), "10.5.0 CU14").way(), "10.5.0 CU14");
    let allowed = core(Some("10.6.4"), "10.5.0 CU12").allow_downgrades();
    assert_eq!(allowed.way(), "10.5.0 CU12, module DataMiner GQI, module DataMiner Web, !NoMatchingBackup");
    // A dip that the web step cures is a warning.
    let cured = core(Some("10.6.4"), "10.5.0 CU12").want_web("10.6.4").plan();
    assert_eq!((codes(&cured), warnings(&cured)), (vec![], vec!["WebDip"]));
    let unknown = core(None, "10.5.0 CU12").plan();
    assert_eq!((codes(&unknown), warnings(&unknown)), (vec![], vec!["WebLevelUnknown"]));
}

#[test]
fn w5_protects_also_where_the_core_goes_up_to_older_fixes() {
    let plan = Scenario::new("10.4.0 CU21", "10.5.0 CU5").plan();
    assert_eq!(codes(&plan), [BlockCode::OlderFixesNotAccepted, BlockCode::WebRegression]);
    let accepted =
        Scenario::new("10.4.0 CU21", "10.5.0 CU5").upgrade(|upgrade| upgrade.accept_older_fixes = true);
    assert_eq!(codes(&accepted.plan()), [BlockCode::WebRegression]);
}

#[test]
fn w5_a_lower_wanted_level_without_a_core_step_is_a_downgrade() {
    let scenario = web_only("10.5.0 CU12", Some("10.6.4"), "10.6.3");
    let plan = scenario.plan();
    assert_eq!((codes(&plan), plan.change), (vec![BlockCode::DowngradeNotAllowed], Change::WebDowngrade));
    assert_eq!(
        scenario.allow_downgrades().way(),
        "web down 10.6.3, module DataMiner GQI, module DataMiner Web, !NoMatchingBackup"
    );
    // An unknown level is at least the core's own.
    assert_eq!(web_only("10.5.0 CU12", None, "10.6.2").way(), "!DowngradeNotAllowed");
    assert_eq!(web_only("10.5.0 CU12", Some("10.6.4"), "bundled").way(), "!DowngradeNotAllowed");
}

#[test]
fn w6_a_web_only_change_restarts_no_agent() {
    let plan = web_only("10.5.0 CU12", Some("10.5.0 CU12"), "10.6.4").plan();
    assert_eq!(plan.change, Change::WebUpgrade);
    let actions: Vec<String> =
        plan.steps.iter().map(|step| format!("{:?} {:?}", step.action, step.disruption)).collect();
    assert_eq!(
        actions,
        [
            "StagePackage None",
            "SaveBackup None",
            "UpgradeWeb WebServer",
            "VerifyCluster None",
            "CleanUp None"
        ]
    );
}

#[test]
fn w7_unmanaged_never_moves_web_apps() {
    assert_eq!(web_only("10.5.0 CU12", Some("10.4.1"), "unmanaged").way(), "Converged");
    let ahead = web_only("10.5.0 CU12", Some("10.6.9"), "unmanaged").plan();
    assert_eq!((codes(&ahead), warnings(&ahead)), (vec![], vec!["WebAheadOfCore"]));
}

/// A web package that reached only some of them: nobody else brings them together.
#[test]
fn w7_agents_with_different_web_apps_are_told() {
    let differing = web_only("10.5.0 CU12", Some("10.5.12"), "unmanaged")
        .agent("a2", |agent| agent.web_apps = Some("10.5.4".to_owned()));
    let plan = differing.plan();
    assert_eq!((codes(&plan), warnings(&plan)), (vec![], vec!["WebLevelsDiffer"]));
    let message = &plan.warnings[0].message;
    assert!(message.contains("10.5.4 on a2, 10.5.12 on a1"), "{message}");
    // By their level, not by their name; and what is not known differs from nothing.
    let same = web_only("10.5.0 CU12", Some("10.5.4"), "unmanaged");
    let same = same.agent("a2", |agent| agent.web_apps = Some("10.5.0 CU1".to_owned()));
    assert_eq!(warnings(&same.plan()), [""; 0]);
}

/// The hop has replaced them before.
#[test]
fn w3_the_step_behind_a_hop_starts_from_the_level_that_the_hop_leaves() {
    let from = |seen: Option<&str>| {
        let plan = Scenario::new("10.4.0 CU21", "10.5.0 CU12").web(seen).want_web("10.6.4").plan();
        let step = plan.steps.into_iter().find(|step| step.action == Action::UpgradeWeb);
        step.and_then(|step| step.from)
    };
    for seen in [None, Some("10.4.12"), Some("10.6.2")] {
        assert_eq!(from(seen).as_deref(), Some("10.5.0 CU12"), "{seen:?}");
    }
}

#[test]
fn w8_10_4_packages_fail_after_web_10_5() {
    let to = |core: &str| Scenario::new("10.4.0 CU10", core).web(Some("10.5.2")).want_web("10.5.12").way();
    assert_eq!(to("10.4.0 CU12"), "10.4.0 CU12, web 10.5.12, !PrerequisiteKnownToFail");
    assert_eq!(to("10.4.0 CU20"), "10.4.0 CU20, web 10.5.12");
}

#[test]
fn w8_early_10_5_web_apps_lose_a_library_that_gqi_gets_back() {
    let to = |core: &str, web: &str, wanted: &str| web_only(core, Some(web), wanted).way();
    assert_eq!(to("10.5.0 CU0", "10.5.0 CU0", "10.5.8"), "web 10.5.8, module DataMiner GQI");
    assert_eq!(to("10.5.1", "10.5.2", "10.6.0 CU2"), "web 10.6.0 CU2, module DataMiner GQI");
    assert_eq!(to("10.5.1", "10.5.3", "10.6.6"), "web 10.6.6");
    assert_eq!(to("10.5.1", "10.5.2", "10.5.0 CU15"), "web 10.5.0 CU15");
    assert_eq!(to("10.5.1", "10.5.4", "10.5.8"), "web 10.5.8");
    // A package of 10.4 brings no GQI, whatever its level.
    assert_eq!(to("10.4.0 CU13", "10.5.3", "10.4.0 CU13"), "web 10.4.0 CU13");
    // The full package of a hop has replaced them before; or it is what brings them.
    let hop = |from: &str, core: &str, wanted: &str| Scenario::new(from, core).want_web(wanted).way();
    assert_eq!(hop("10.5.2", "10.5.6", "10.5.8"), "10.5.6, web 10.5.8");
    assert_eq!(hop("10.5.1", "10.5.2", "10.5.8"), "10.5.2, web 10.5.8, module DataMiner GQI");
    let plan = web_only("10.5.0 CU0", Some("10.5.0 CU0"), "10.5.8").plan();
    assert_eq!(plan.change, Change::WebUpgrade);
    let tail: Vec<String> =
        plan.steps[3..].iter().map(|step| format!("{:?} {:?}", step.action, step.rules)).collect();
    assert_eq!(
        tail,
        [
            "VerifyCluster [\"S4\"]",
            "ReinstallModule [\"W8\"]",
            "VerifyCluster [\"S4\", \"G8\"]",
            "CleanUp [\"S9\"]"
        ]
    );
    assert_eq!(plan.steps[4].agents.len(), 2);
}

#[test]
fn w9_an_unknown_level_is_never_converged_where_one_is_wanted() {
    let plan = web_only("10.5.0 CU12", None, "10.6.4").plan();
    assert_eq!(crate::testing::way(&plan), "web 10.6.4");
    assert_eq!(warnings(&plan), ["WebLevelUnknown"]);
    assert_eq!(web_only("10.5.0 CU12", None, "10.5.0 CU12").way(), "web 10.5.0 CU12");
    // One Agent that lags, or one that is unknown, moves all of them.
    let one = web_only("10.5.0 CU12", Some("10.6.4"), "10.6.4").agent("a2", |agent| agent.web_apps = None);
    assert_eq!(one.way(), "web 10.6.4");
    assert_eq!(one.plan().steps[2].agents.len(), 2);
}

#[test]
fn a_wanted_web_level_without_a_package_names_what_is_missing() {
    let mut scenario = web_only("10.5.0 CU12", Some("10.5.0 CU12"), "10.6.4");
    scenario.packages.retain(|package| !package.file.contains("10.6.4"));
    assert_eq!(scenario.way(), "!NoPackage");
}

#[test]
fn the_net_10_bundle_blocks_where_seen_missing_and_warns_where_unknown() {
    let with = |bundles: Option<Vec<String>>| {
        let scenario = web_only("10.5.0 CU12", Some("10.5.0 CU12"), "10.6.6");
        let plan = scenario.each(|agent| agent.dotnet.clone_from(&bundles)).plan();
        (codes(&plan), warnings(&plan).join(" "))
    };
    assert_eq!(with(Some(vec!["8.0.11".to_owned()])), (vec![BlockCode::ManualStepRequired], String::new()));
    assert_eq!(with(Some(vec!["8.0.11".to_owned(), "10.0.1".to_owned()])), (vec![], String::new()));
    assert_eq!(with(None), (vec![], "RequirementUnknown".to_owned()));
    // Neither a preview nor the next major runs what was built for 10; a version that nobody can read is unknown.
    assert_eq!(with(Some(vec!["10.0.0-rc.2".to_owned()])).0, [BlockCode::ManualStepRequired]);
    assert_eq!(with(Some(vec!["11.0.0".to_owned()])).0, [BlockCode::ManualStepRequired]);
    assert_eq!(with(Some(vec!["ten".to_owned()])), (vec![], "RequirementUnknown".to_owned()));
}

#[test]
fn d7_a_web_level_whose_cu_is_not_known_is_unknown_and_not_cu0() {
    // Observed: neither string nor tables tell the CU of the build.
    let mut seen = web_only("10.5.0 CU12", Some("10.5.0.0-16500"), "10.5.0 CU12");
    seen.packages.retain(|package| package.kind == dataminer_schema::version::PackageKind::Web);
    assert_eq!(seen.way(), "web 10.5.0 CU12");
    assert_eq!(warnings(&seen.plan()), ["WebLevelUnknown"]);
    seen.builds.insert("10.5.0.0-16500".to_owned(), crate::testing::version("10.5.0 CU12"));
    assert_eq!(seen.way(), "Converged");
    // A web package that the catalogue names explains its own build.
    let kind = dataminer_schema::version::PackageKind::Web;
    let mut explained = seen.clone().web(Some("10.5.0.0-16501"));
    explained.packages.push(crate::testing::package(&crate::testing::version("10.5.0 CU12"), kind, 16501));
    assert_eq!(explained.way(), "Converged");
    // Wanted: CU0 would be a downgrade, CU14 is a web upgrade.
    let wanted = |text: &str, builds: bool| {
        let mut scenario = web_only("10.5.0 CU12", Some("10.5.0 CU12"), text);
        let kind = dataminer_schema::version::PackageKind::Web;
        let mut unnamed = crate::testing::package(&crate::testing::version("10.5.0"), kind, 17001);
        unnamed.version = Some(crate::testing::version("10.5.0 (build 17001)"));
        scenario.packages = vec![unnamed];
        if builds {
            scenario.builds.insert("10.5.0.0-17001".to_owned(), crate::testing::version("10.5.0 CU14"));
        }
        scenario
    };
    let plan = wanted("10.5.0 (build 17001)", true).plan();
    assert_eq!(crate::testing::way(&plan), "web 10.5.0 CU14");
    assert_eq!(plan.to.web_apps.as_deref(), Some("10.5.0 CU14"));
    let unknown = wanted("10.5.0 (build 17001)", false).plan();
    assert_eq!(codes(&unknown), [BlockCode::UnknownBuild]);
    assert!(unknown.blocked[0].help.contains("webApps"), "{}", unknown.blocked[0].help);
    assert_eq!(codes(&wanted("10.5.0", true).plan()), [BlockCode::UnknownBuild]);
}

#[test]
fn bundled_brings_older_web_apps_up_to_those_of_the_core() {
    let older = web_only("10.5.0 CU12", Some("10.5.4"), "bundled");
    assert_eq!(older.way(), "web 10.5.0 CU12");
    assert_eq!(older.plan().change, Change::WebUpgrade);
    assert_eq!(web_only("10.5.0 CU12", Some("10.6.3"), "bundled").way(), "Converged");
    assert_eq!(web_only("10.5.12", Some("10.5.4"), "bundled").way(), "web 10.5.12");
    let unknown = web_only("10.5.0 CU12", None, "bundled").plan();
    assert_eq!((codes(&unknown), warnings(&unknown)), (vec![], vec!["WebLevelUnknown"]));
}

#[test]
fn a_web_change_without_a_package_is_still_a_web_change() {
    let mut scenario = web_only("10.5.0 CU12", Some("10.5.0 CU12"), "10.6.4");
    scenario.packages.clear();
    let plan = scenario.plan();
    assert_eq!((codes(&plan), plan.change), (vec![BlockCode::NoPackage], Change::WebUpgrade));
}

#[test]
fn w5_a_dip_from_one_hop_to_the_next_is_a_warning_too() {
    let scenario =
        Scenario::new("10.3.0 CU12", "10.5.0 CU5").only(&["10.4.0 CU20", "10.5.0 CU5"]).want_web("10.6.4");
    let plan = scenario.plan();
    assert_eq!(crate::testing::way(&plan), "10.4.0 CU20, 10.5.0 CU5, web 10.6.4");
    assert_eq!(warnings(&plan)[..2], ["NewerStop", "WebDip"]);
}
