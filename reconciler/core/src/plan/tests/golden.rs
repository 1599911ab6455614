//! Whole plans as a reviewer reads them. `INSTA_UPDATE=always` writes them anew; read the difference.

use dataminer_schema::version::Version;

use crate::testing::{Scenario, backup, owed_module, owed_restore, render};

#[test]
fn core_and_web_over_two_hops_in_a_window() {
    let plan = Scenario::new("10.3.0 CU20", "10.5.0 CU12")
        .seen(&[
            ("bru-1", "10.3.0 CU20"),
            ("bru-2", "10.3.0 CU20"),
            ("bru-3", "10.3.0 CU20"),
            ("bru-3b", "10.3.0 CU20"),
        ])
        .pair("bru-3", "bru-3b")
        .web(Some("10.4.11"))
        .want_web("10.6.4")
        .saturday_nights()
        .plan();
    insta::assert_snapshot!(render(&plan));
}

#[test]
fn web_only() {
    let plan = Scenario::new("10.5.0 CU12", "10.5.0 CU12").web(Some("10.6.3")).want_web("10.6.4").plan();
    insta::assert_snapshot!(render(&plan));
}

#[test]
fn the_long_way_to_10_6() {
    insta::assert_snapshot!(render(&Scenario::new("10.1.0 CU9", "10.6.0 CU6").plan()));
}

#[test]
fn the_way_out_of_9_6() {
    insta::assert_snapshot!(render(&Scenario::new("9.6.0", "10.3.0 CU22").plan()));
}

#[test]
fn a_laggard_before_the_migration() {
    let plan = Scenario::new("10.6.0 CU6", "10.6.0 CU6")
        .seen(&[("a1", "10.4.0 CU21"), ("a2", "10.5.0 CU12")])
        .saturday_nights()
        .plan();
    insta::assert_snapshot!(render(&plan));
}

#[test]
fn modules_and_a_check_on_the_way_down() {
    let mut scenario = Scenario::new("10.4.3", "10.3.6").allow_downgrades();
    scenario.cluster.downgrade.patch_prerequisites = true;
    let scenario =
        scenario.vault(backup("content-20240301T020000Z.zip", "2024-03-01T02:00:00Z", Some("10.3.6")));
    insta::assert_snapshot!(render(&scenario.plan()));
}

#[test]
fn a_laggard() {
    let plan = Scenario::new("10.5.0 CU18", "10.5.0 CU18")
        .seen(&[("a1", "10.4.0 CU21"), ("a2", "10.5.0 CU12")])
        .plan();
    insta::assert_snapshot!(render(&plan));
}

#[test]
fn everything_that_can_be_wrong_at_once_is_said_at_once() {
    let mut scenario = Scenario::new("10.5.0.0-16500-20251120-release", "10.5.0 CU9")
        .agent("a1", |agent| agent.reachable = false)
        .agent("a2", |agent| agent.pending_reboot = Some(true));
    scenario.packages.clear();
    scenario.builds.insert("10.5.0.0-16600".to_owned(), "10.5.0 CU10".parse::<Version>().expect("a version"));
    insta::assert_snapshot!(render(&scenario.plan()));
}

#[test]
fn as_json() {
    let plan = Scenario::new("10.5.0.0-20750-20251120-release", "10.5.0 CU12").web(Some("10.5.12")).plan();
    insta::assert_snapshot!(serde_json::to_string_pretty(&plan).expect("a plan serialises"));
}

/// A database of backups such as a cluster leaves behind.
fn with_backups(scenario: Scenario) -> Scenario {
    scenario
        .vault(backup("content-20260301T020000Z.zip", "2026-03-01T02:00:00Z", Some("10.3.0 CU20")))
        .vault(backup("content-20261101T020000Z.zip", "2026-11-01T02:00:00Z", Some("10.5.0 CU12")))
        .backup("bru-2", &backup("2026_06_01.zip", "2026-06-01T20:00:00Z", None))
}

#[test]
fn core_downgrade_with_restore_over_two_majors_in_a_window() {
    let from = "10.5.0 CU12";
    let history = [("2025-12-01T20:00:00Z", "10.4.0 CU19"), ("2026-06-01T21:00:00Z", from)];
    let scenario = Scenario::new(from, "10.4.0 CU19")
        .seen(&[("bru-1", from), ("bru-2", from), ("bru-2b", from)])
        .pair("bru-2", "bru-2b")
        .allow_downgrades()
        .saturday_nights()
        .history("bru-2", &history, &[]);
    insta::assert_snapshot!("core_downgrade_by_one_major", render(&with_backups(scenario.clone()).plan()));
    // Two majors, and across the prerequisite that may not be left out (G2): the way is shown all the same.
    let mut two = with_backups(scenario);
    two.cluster.software.core = "10.3.0 CU20".parse().expect("a version");
    insta::assert_snapshot!("core_downgrade_by_two_majors", render(&two.plan()));
    // Two majors that nothing blocks.
    let newer = "10.6.0 CU2";
    let free = Scenario::new(newer, "10.4.0 CU19")
        .seen(&[("bru-1", newer), ("bru-2", newer)])
        .each(|agent| agent.swarming = Some(false))
        .allow_downgrades()
        .saturday_nights()
        .history("bru-2", &history, &[]);
    insta::assert_snapshot!("core_downgrade_from_brokergateway", render(&with_backups(free).plan()));
    let old = "10.3.12";
    let without = Scenario::new(old, "10.1.0 CU21")
        .seen(&[("bru-1", old), ("bru-2", old)])
        .allow_downgrades()
        .saturday_nights();
    let without =
        without.vault(backup("content-20240301T020000Z.zip", "2024-03-01T02:00:00Z", Some("10.1.0 CU21")));
    insta::assert_snapshot!("core_downgrade_over_two_majors", render(&without.plan()));
}

#[test]
fn web_only_downgrade() {
    let scenario = Scenario::new("10.5.0 CU12", "10.5.0 CU12")
        .seen(&[("bru-1", "10.5.0 CU12"), ("bru-2", "10.5.0 CU12")])
        .web(Some("10.6.5"))
        .want_web("bundled")
        .allow_downgrades();
    insta::assert_snapshot!(render(&with_backups(scenario).plan()));
}

#[test]
fn owed_work() {
    let scenario = Scenario::new("10.5.0 CU12", "10.5.0 CU14")
        .seen(&[("bru-1", "10.5.0 CU12"), ("bru-2", "10.5.0 CU12")])
        .saturday_nights()
        .owed("bru-1", &owed_restore("4f1c9a07d2ab-9", "content-20261101T020000Z.zip"))
        .owed("bru-2", &owed_restore("4f1c9a07d2ab-9", "content-20261101T020000Z.zip"))
        .owed("bru-2", &owed_module("4f1c9a07d2ab-10", "DataMiner GQI"));
    insta::assert_snapshot!(render(&with_backups(scenario).plan()));
}

#[test]
fn no_matching_backup() {
    let scenario = Scenario::new("10.5.0 CU12", "10.4.0 CU10")
        .seen(&[("bru-1", "10.5.0 CU12"), ("bru-2", "10.5.0 CU12")])
        .allow_downgrades();
    let scenario =
        scenario.vault(backup("content-20261101T020000Z.zip", "2026-11-01T02:00:00Z", Some("10.5.0 CU12")));
    insta::assert_snapshot!(render(&scenario.plan()));
}

#[test]
fn a_downgrade_as_json() {
    let plan =
        Scenario::new("10.5.0 CU12", "10.5.0 CU12").web(Some("10.6.5")).want_web("10.6.3").allow_downgrades();
    let plan = plan
        .vault(backup("content-20261101T020000Z.zip", "2026-11-01T02:00:00Z", Some("10.5.0 CU12")))
        .plan();
    insta::assert_snapshot!(serde_json::to_string_pretty(&plan).expect("a plan serialises"));
}
