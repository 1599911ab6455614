//! Durations of a cluster's own history in place of the defaults.

use dataminer_schema::plan::{Action, Estimate, ForecastBasis, Plan};
use jiff::SignedDuration;

use crate::{
    plan::{Durations, ENOUGH_FOR_P50, ENOUGH_FOR_P95},
    testing::Scenario,
};

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

fn took(action: Action, all: impl IntoIterator<Item = i64>) -> Durations {
    Durations::of(all.into_iter().map(|took| (action, minutes(took))))
}

fn upgrade(durations: Durations) -> Plan {
    let mut scenario = Scenario::new("10.5.0 CU9", "10.5.0 CU12");
    scenario.state.durations = durations;
    scenario.plan()
}

fn estimate(plan: &Plan, action: Action) -> Estimate {
    let step = plan.steps.iter().find(|step| step.action == action).expect("the plan has such a step");
    step.estimate.expect("every step has one")
}

#[test]
fn a_few_samples_leave_the_documented_default() {
    let default = estimate(&upgrade(Durations::default()), Action::UpgradeCore);
    assert_eq!(default, Estimate { p50: minutes(35), p95: minutes(70) });
    let few = upgrade(took(Action::UpgradeCore, [20; ENOUGH_FOR_P50 - 1]));
    assert_eq!(estimate(&few, Action::UpgradeCore), default);
    assert_eq!(few.forecast.expect("it has one").basis, ForecastBasis::Defaults);
}

#[test]
fn enough_samples_tell_the_median_and_keep_the_spread_of_the_default() {
    let some = upgrade(took(Action::UpgradeCore, [21, 19, 20, 22, 18]));
    // Twice the median, as the default's p95 is twice its p50: five samples say little of the slowest of twenty.
    assert_eq!(estimate(&some, Action::UpgradeCore), Estimate { p50: minutes(20), p95: minutes(40) });
    assert_eq!(estimate(&some, Action::SaveBackup), Estimate { p50: minutes(2), p95: minutes(10) });
    assert_eq!(some.forecast.expect("it has one").basis, ForecastBasis::Mixed);
    let outlier = upgrade(took(Action::UpgradeCore, [21, 19, 20, 22, 90]));
    assert_eq!(estimate(&outlier, Action::UpgradeCore), Estimate { p50: minutes(21), p95: minutes(90) });
}

#[test]
fn many_samples_tell_all() {
    let many = upgrade(took(Action::UpgradeCore, 1..=i64::try_from(ENOUGH_FOR_P95).expect("a small number")));
    assert_eq!(estimate(&many, Action::UpgradeCore), Estimate { p50: minutes(10), p95: minutes(19) });
    let more = upgrade(took(Action::UpgradeCore, 1..=39));
    // One of forty is above the 39th, two are above the 38th: that is one of twenty.
    assert_eq!(estimate(&more, Action::UpgradeCore), Estimate { p50: minutes(20), p95: minutes(38) });
}

#[test]
fn the_order_of_samples_does_not_matter_and_a_clock_set_back_is_no_sample() {
    let ascending = took(Action::UpgradeCore, [1, 2, 3, 4, 5]);
    assert_eq!(took(Action::UpgradeCore, [-30, 5, 1, 4, -1, 2, 3]), ascending);
    assert_eq!(ascending.of_action(Action::UpgradeCore).map(|measured| measured.samples), Some(5));
    assert_eq!(took(Action::UpgradeCore, [-1]), Durations::default());
}

#[test]
fn what_was_measured_before_a_longer_settle_is_not_below_it() {
    let mut scenario = Scenario::new("10.5.0 CU9", "10.5.0 CU12");
    scenario.state.durations = took(Action::VerifyCluster, [6; 30]);
    scenario.cluster.health.settle = minutes(15);
    let estimate = estimate(&scenario.plan(), Action::VerifyCluster);
    assert_eq!(estimate, Estimate { p50: minutes(15), p95: minutes(15) });
}

#[test]
fn a_plan_of_which_every_step_was_measured_rests_on_history() {
    let actions = [
        Action::StagePackage,
        Action::RunPrerequisites,
        Action::SaveBackup,
        Action::UpgradeCore,
        Action::VerifyCluster,
    ];
    let samples = actions.iter().flat_map(|action| [(*action, minutes(7)); ENOUGH_FOR_P50]);
    let plan = upgrade(Durations::of(samples));
    assert_eq!(plan.forecast.expect("it has one").basis, ForecastBasis::History);
}

/// An approval holds for an id: what a cluster took since must not ask again.
#[test]
fn durations_and_preparations_change_no_id() {
    let scenario = Scenario::new("10.5.0 CU9", "10.5.0 CU12").saturday_nights();
    let before = scenario.plan();
    let mut measured = scenario.clone();
    measured.state.durations = took(Action::UpgradeCore, [200; 30]);
    let after = measured.plan();
    assert_ne!(estimate(&before, Action::UpgradeCore), estimate(&after, Action::UpgradeCore));
    assert_ne!(before.forecast, after.forecast);
    assert_eq!(before.id, after.id);
    assert_eq!(scenario.prepared().plan().id, before.id);
}
