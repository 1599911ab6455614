//! Whole plans as a reviewer reads them. `INSTA_UPDATE=always` writes them anew; read the difference.

use dataminer_schema::version::Version;

use crate::testing::{Scenario, render};

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
