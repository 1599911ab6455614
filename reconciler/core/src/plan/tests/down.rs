//! Downgrades of the core and of the web apps: whether, and by which way (D1, D5, G1-G4, G7, W3, W5).

use dataminer_schema::{
    plan::{Action, BlockCode, Change, Disruption},
    v1::cluster::Restore,
};

use crate::testing::{Scenario, codes, name, render, warnings, way};

/// Allowed, and without a restore: the way alone.
fn down(from: &str, to: &str) -> Scenario {
    let mut scenario = Scenario::new(from, to).allow_downgrades().each(|agent| agent.swarming = Some(false));
    scenario.cluster.downgrade.restore = Restore::None;
    scenario
}

#[test]
fn d1_an_allowance_ends_with_its_day_in_utc() {
    let until = |now: &str| {
        let mut scenario = down("10.5.0 CU9", "10.5.0 CU8").at(now);
        scenario.cluster.downgrade.until = Some("2026-11-21".parse().unwrap());
        scenario
    };
    assert_eq!(codes(&until("2026-11-21T23:59:59Z").plan()), []);
    let plan = until("2026-11-22T00:00:00Z").plan();
    assert_eq!(codes(&plan), [BlockCode::DowngradeNotAllowed]);
    assert!(plan.blocked[0].help.contains("2026-11-21"), "{}", plan.blocked[0].help);
    // Every question about it is the same one.
    let mut web = until("2026-11-22T00:00:00Z").web(Some("10.6.4")).want_web("10.6.3");
    web.cluster.software.core = crate::testing::version("10.5.0 CU9");
    assert_eq!(codes(&web.plan()), [BlockCode::DowngradeNotAllowed]);
    let mut regression = web.want_web("unmanaged");
    regression.cluster.software.core = crate::testing::version("10.5.0 CU10");
    let plan = regression.plan();
    assert_eq!(codes(&plan), [BlockCode::WebRegression]);
    assert!(plan.blocked[0].help.contains("2026-11-21"), "{}", plan.blocked[0].help);
}

#[test]
fn d1_inside_one_line_a_downgrade_is_one_package() {
    let plan = down("10.5.0 CU9", "10.5.0 CU8").plan();
    assert_eq!(way(&plan), "down 10.5.0 CU8, module DataMiner GQI, module DataMiner Web");
    let step = plan.steps.iter().find(|step| step.action == Action::DowngradeCore).unwrap();
    assert_eq!((step.from.as_deref(), step.to.as_deref()), (Some("10.5.0 CU9"), Some("10.5.0 CU8")));
    // D3: another build of the same release.
    let kind = dataminer_schema::version::PackageKind::Full;
    let mut builds = down("10.5.0.0-16239-20250601-release", "10.5.0 CU4 (build 15943)");
    builds.packages = vec![crate::testing::package(&crate::testing::version("10.5.0 CU4"), kind, 15943)];
    assert_eq!(builds.way(), "down 10.5.0 CU4");
}

#[test]
fn d4_a_hotfix_is_not_lost_on_the_way_down_either() {
    let plan = down("HF_10.5.0.0(CU9)_20251120-135714", "10.5.0 CU8").web(Some("10.5.0 CU8")).plan();
    assert_eq!(codes(&plan), [BlockCode::HotfixInstalled]);
}

#[test]
fn g1_each_main_release_between_by_its_latest_cu_that_is_not_newer_in_fixes() {
    // 10.4.0 CU2 has month 53; 10.3.0 CU14 too.
    assert!(down("10.4.0 CU2", "10.2.0 CU0").way().starts_with("down 10.3.0 CU14, down 10.2.0 CU0"));
    // From and to Feature Releases: the line of neither is between.
    assert!(down("10.4.2", "10.2.5").way().starts_with("down 10.3.0 CU11, down 10.2.5"));
    assert_eq!(down("10.3.12", "10.3.2").way(), "down 10.3.2");
    // H12: an antivirus build only where nothing else serves.
    let h12 = down("10.5.5", "10.3.0 CU22");
    assert!(
        h12.clone()
            .only(&["10.4.0 CU14", "10.4.0 CU12", "10.3.0 CU22"])
            .way()
            .starts_with("down 10.4.0 CU12")
    );
    assert!(h12.only(&["10.4.0 CU14", "10.3.0 CU22"]).way().starts_with("down 10.4.0 CU14"));
}

#[test]
fn g1_a_line_without_a_package_blocks_and_names_the_one_to_add() {
    let plan = down("10.4.0 CU2", "10.2.0 CU0").only(&["10.3.0 CU22", "10.2.0 CU0"]).plan();
    assert_eq!(codes(&plan), [BlockCode::NoPackage, BlockCode::PrerequisiteKnownToFail]);
    assert!(plan.blocked[0].message.contains("10.3.0 CU22"), "{}", plan.blocked[0].message);
    assert!(plan.blocked[0].help.contains("10.3.0 CU14"), "{}", plan.blocked[0].help);
    let target = down("10.5.0 CU9", "10.5.0 CU8").only(&["10.5.0 CU9"]).plan();
    assert_eq!(codes(&target), [BlockCode::NoPackage]);
    assert_eq!(down("10.0.9", "9.5.0").way(), "!NoPath");
}

#[test]
fn g2_crossing_10_4_downwards_fails_a_prerequisite() {
    let crosses =
        |from: &str, to: &str| codes(&down(from, to).plan()).contains(&BlockCode::PrerequisiteKnownToFail);
    assert!(crosses("10.4.0 CU0", "10.3.0 CU1"));
    assert!(crosses("10.4.3", "10.4.2"));
    assert!(!crosses("10.4.2", "10.4.1"));
    assert!(!crosses("10.5.0 CU9", "10.4.0 CU12"));
    let plan = down("10.4.0 CU21", "10.3.0 CU22").plan();
    assert!(plan.blocked[0].help.contains("VerifyNatsIsRunning.dll"), "{}", plan.blocked[0].help);
}

#[test]
fn g2_leaves_that_one_check_out_of_the_staged_copy_where_that_is_allowed() {
    let mut scenario = down("10.4.0 CU21", "10.2.0 CU21");
    scenario.cluster.downgrade.patch_prerequisites = true;
    let plan = scenario.plan();
    assert!(way(&plan).starts_with("down 10.3.0 CU22, down 10.2.0 CU21"), "{}", way(&plan));
    assert!(warnings(&plan).contains(&"PrerequisitePatched"));
    let patched: Vec<_> = plan.steps.iter().filter(|step| step.patch.is_some()).collect();
    let [stage, checks, hop] = patched.as_slice() else { panic!("one copy and its hop: {}", render(&plan)) };
    assert_eq!((stage.action, hop.action), (Action::StagePackage, Action::DowngradeCore));
    assert_eq!((checks.action, &checks.patch), (Action::RunPrerequisites, &hop.patch));
    // The plan pins the package as it was published, and what the copy lacks.
    assert_eq!((&stage.sha256, &stage.patch), (&hop.sha256, &hop.patch));
    assert_eq!(hop.to.as_deref(), Some("10.3.0 CU22"));
    let removes = hop.patch.as_ref().map(|patch| patch.removes.as_str());
    assert_eq!(removes, Some(r"Update.zip\Prerequisites\VerifyNatsIsRunning.dll"));
    // Another copy is another plan.
    let mut other = scenario.clone();
    other.cluster.downgrade.patch_prerequisites = false;
    assert_ne!(other.plan().id, plan.id);
}

#[test]
fn g2_counts_by_the_threshold_also_where_the_number_rises() {
    let scenario = down("10.4.0 CU9", "10.4.2").upgrade(|upgrade| upgrade.accept_older_fixes = true);
    assert!(codes(&scenario.plan()).contains(&BlockCode::PrerequisiteKnownToFail));
    let mut patched = scenario.clone();
    patched.cluster.downgrade.patch_prerequisites = true;
    let plan = patched.plan();
    let hop = plan.steps.iter().find(|step| step.action == Action::UpgradeCore).unwrap();
    assert!(hop.patch.is_some() && plan.steps[0].patch == hop.patch, "{}", render(&plan));
}

#[test]
fn g3_two_modules_are_swapped_below_10_3_8_before_anybody_waits_for_the_agents() {
    let swapped = |from: &str, to: &str| {
        let mut scenario = down(from, to);
        scenario.cluster.downgrade.patch_prerequisites = true;
        let plan = scenario.plan();
        let steps = plan.steps.iter().filter(|step| step.rules == ["G3"]);
        steps.filter_map(|step| step.module.clone()).collect::<Vec<_>>()
    };
    let both = ["DataMiner StorageModule", "DataMiner UserDefinableApiEndpoint"];
    assert_eq!(swapped("10.3.8", "10.3.7"), both);
    assert_eq!(swapped("10.4.1", "10.3.4"), both);
    assert_eq!(swapped("10.3.7", "10.3.4"), [""; 0]);
    assert_eq!(swapped("10.3.9", "10.3.8"), [""; 0]);
    assert_eq!(swapped("10.3.9", "10.3.3"), [""; 0]);
    let plan = down("10.3.8", "10.3.7").plan();
    let at = plan.steps.iter().position(|step| step.action == Action::DowngradeCore).unwrap();
    let [_, first, second, verify, ..] = &plan.steps[at..] else { panic!("{}", render(&plan)) };
    for step in [first, second] {
        assert_eq!((step.action, step.disruption), (Action::ReinstallModule, Disruption::Restart));
        assert_eq!(step.agents.len(), 2);
    }
    assert_eq!((verify.action, verify.to.as_deref()), (Action::VerifyCluster, Some("10.3.7")));
}

#[test]
fn g4_below_brokergateway_only_where_it_does_not_run() {
    let to = |from: &str, to: &str, seen: Option<bool>| codes(&down(from, to).broker(seen).plan());
    let manual = [BlockCode::ManualStepRequired];
    assert_eq!(to("10.5.0 CU9", "10.5.0 CU1", Some(true)), manual);
    assert_eq!(to("10.5.0 CU9", "10.5.0 CU1", None), manual);
    assert_eq!(to("10.5.0 CU9", "10.5.0 CU1", Some(false)), []);
    assert_eq!(to("10.5.0 CU9", "10.5.0 CU2", Some(true)), []);
    assert_eq!(to("10.5.12", "10.5.4", Some(true)), manual);
    assert_eq!(to("10.5.12", "10.5.5", Some(true)), []);
    // From 10.6.0/10.6.1 on it always runs, whatever the tag says; below 10.5.0 CU2/10.5.5 it cannot.
    assert_eq!(to("10.6.0 CU1", "10.4.0 CU21", Some(false)), manual);
    assert_eq!(to("10.5.0 CU1", "10.4.0 CU12", None), []);
    let plan =
        down("10.5.0 CU9", "10.4.0 CU20").broker(Some(false)).agent("a2", |a| a.broker_gateway = Some(true));
    let plan = plan.plan();
    assert_eq!((codes(&plan), plan.blocked[0].agents.as_slice()), (manual.to_vec(), [name("a2")].as_slice()));
}

#[test]
fn g7_a_swarming_cluster_does_not_go_below_swarming() {
    let with = |from: &str, to: &str, on: Option<bool>| {
        let plan = down(from, to).each(|agent| agent.swarming = on).plan();
        (codes(&plan), warnings(&plan).contains(&"SwarmingUnknown"))
    };
    let manual = vec![BlockCode::ManualStepRequired];
    assert_eq!(with("10.5.3", "10.5.0 CU0", Some(true)), (manual.clone(), false));
    assert_eq!(with("10.6.0 CU6", "10.5.0 CU18", Some(true)), (manual, false));
    assert_eq!(with("10.6.0 CU6", "10.5.0 CU18", None), (vec![], true));
    assert_eq!(with("10.6.0 CU6", "10.5.0 CU18", Some(false)), (vec![], false));
    // The target has it; or the source never had.
    assert_eq!(with("10.6.0 CU6", "10.5.12", Some(true)), (vec![], false));
    assert_eq!(with("10.5.0 CU9", "10.5.0 CU8", Some(true)), (vec![], false));
}

#[test]
fn h11_h13_faults_of_a_release_meet_who_comes_from_above_as_well() {
    let seen = |to: &str, expired: bool, options: bool| {
        let scenario = down("10.5.12", to).each(|agent| {
            agent.expired_users = Some(expired);
            agent.default_upgrade_options = Some(options);
        });
        codes(&scenario.plan())
    };
    assert_eq!(seen("10.5.6", false, true), [BlockCode::KnownIssue]);
    assert_eq!(seen("10.5.7", true, true), []);
    assert_eq!(seen("10.5.1", true, false), [BlockCode::KnownIssue]);
    assert!(warnings(&down("10.5.12", "10.5.5").plan()).contains(&"KnownIssue"));
}

#[test]
fn d5_agents_above_the_target_go_down_alone() {
    let mixed = down("10.5.0 CU12", "10.5.0 CU10").seen(&[
        ("a1", "10.5.0 CU10"),
        ("a2", "10.5.0 CU12"),
        ("a3", "10.5.0 CU10"),
    ]);
    let plan = mixed.plan();
    assert_eq!(plan.change, Change::Repair);
    assert!(way(&plan).starts_with("down 10.5.0 CU10, module"), "{}", way(&plan));
    let hop = plan.steps.iter().find(|step| step.action == Action::DowngradeCore).unwrap();
    assert_eq!(hop.agents, [name("a2")]);
    assert!(hop.rules.contains(&"D5".to_owned()));
    // All of them run it afterwards, and the tail is for all of them.
    let verify = plan.steps.iter().find(|step| step.action == Action::VerifyCluster).unwrap();
    assert_eq!(verify.agents.len(), 3);
    let module = plan.steps.iter().find(|step| step.action == Action::ReinstallModule).unwrap();
    assert_eq!(module.agents.len(), 3);
    let pair = down("10.5.0 CU12", "10.5.0 CU10")
        .seen(&[("a1", "10.5.0 CU10"), ("a2", "10.5.0 CU10"), ("a2b", "10.5.0 CU12")])
        .pair("a2", "a2b");
    let plan = pair.plan();
    let hop = plan.steps.iter().find(|step| step.action == Action::DowngradeCore).unwrap();
    assert_eq!(hop.agents, [name("a2"), name("a2b")]);
}

#[test]
fn d5_agents_on_both_sides_of_the_target_are_not_repaired() {
    let both = down("10.5.0 CU10", "10.5.0 CU10").seen(&[("a1", "10.5.0 CU9"), ("a2", "10.5.0 CU12")]);
    let plan = both.plan();
    assert_eq!(codes(&plan), [BlockCode::MixedCluster]);
    assert!(plan.blocked[0].message.contains("one is below"), "{}", plan.blocked[0].message);
    let mut forbidden = both;
    forbidden.cluster.downgrade = dataminer_schema::v1::cluster::Downgrade::default();
    assert_eq!(codes(&forbidden.plan()), [BlockCode::DowngradeNotAllowed]);
}

#[test]
fn d5_two_versions_above_the_target_first_come_together() {
    let above = down("10.5.0 CU10", "10.5.0 CU9").seen(&[("a1", "10.5.0 CU10"), ("a2", "10.5.0 CU12")]);
    let plan = above.plan();
    assert!(way(&plan).starts_with("down 10.5.0 CU10, down 10.5.0 CU9"), "{}", render(&plan));
    let hops: Vec<_> = plan.steps.iter().filter(|step| step.action == Action::DowngradeCore).collect();
    assert_eq!((hops[0].agents.len(), hops[1].agents.len()), (1, 2));
}

#[test]
fn w3_a_higher_wanted_level_follows_the_last_hop_down() {
    let wanted = |level: &str| down("10.5.0 CU9", "10.5.0 CU8").want_web(level);
    // Nothing falls: the level that ran comes back.
    let plan = wanted("10.5.12").plan();
    assert_eq!(way(&plan), "down 10.5.0 CU8, web 10.5.12");
    assert_eq!(warnings(&plan)[..1], ["WebDip"]);
    assert_eq!(wanted("10.6.2").way(), "down 10.5.0 CU8, web 10.6.2");
    assert!(wanted("bundled").way().starts_with("down 10.5.0 CU8, module"));
    assert_eq!(wanted("10.5.9").way(), "down 10.5.0 CU8, !WebRegression");
    // Between the level that ran and the one that the core brings: up from that of the core.
    let between = down("10.5.0 CU9", "10.5.0 CU7").want_web("10.5.11").plan();
    assert_eq!(way(&between), "down 10.5.0 CU7, web 10.5.11, module DataMiner GQI, module DataMiner Web");
    let web = between.steps.iter().find(|step| step.action == Action::UpgradeWeb).unwrap();
    assert_eq!((web.from.as_deref(), web.to.as_deref()), (Some("10.5.0 CU7"), Some("10.5.11")));
}

#[test]
fn w5_a_web_downgrade_alone() {
    let web = |seen: Option<&str>, wanted: &str| {
        let mut scenario = Scenario::new("10.5.0 CU12", "10.5.0 CU12").allow_downgrades().web(seen);
        scenario.cluster.downgrade.restore = Restore::None;
        scenario.want_web(wanted)
    };
    let plan = web(Some("10.6.5"), "10.6.4").plan();
    assert_eq!(plan.change, Change::WebDowngrade);
    let actions: Vec<String> =
        plan.steps.iter().map(|step| format!("{:?} {:?}", step.action, step.disruption)).collect();
    assert_eq!(
        actions,
        [
            "StagePackage None",
            "SaveBackup None",
            "DowngradeWeb WebServer",
            "VerifyCluster None",
            "ReinstallModule WebServer",
            "ReinstallModule WebServer",
            "VerifyCluster None",
            "CleanUp None"
        ]
    );
    assert_eq!(plan.steps[2].from.as_deref(), Some("10.6.5"));
    assert_eq!((plan.steps[6].to.as_deref(), plan.steps[6].agents.len()), (Some("10.5.0 CU12"), 2));
    assert!(web(Some("10.6.5"), "bundled").way().starts_with("web down 10.5.0 CU12"));
    // One Agent ahead of the others moves all of them down.
    let one = web(Some("10.6.4"), "10.6.4").agent("a2", |agent| agent.web_apps = Some("10.6.5".to_owned()));
    assert!(one.way().starts_with("web down 10.6.4"));
    // An unknown level is at least the core's own: below that it falls, above it is installed (W9).
    assert!(web(None, "10.6.2").way().starts_with("web down 10.6.2"));
    assert_eq!(web(None, "10.6.4").way(), "web 10.6.4");
    // The gates are those of the core that it meets.
    let old = Scenario::new("10.2.0 CU21", "10.2.0 CU21").allow_downgrades().want_web("10.2.0 CU20");
    assert!(codes(&old.plan()).contains(&BlockCode::WebNotSupported));
    let mut missing = web(Some("10.6.5"), "10.6.4");
    missing.packages.clear();
    assert!(codes(&missing.plan()).contains(&BlockCode::NoPackage));
}
