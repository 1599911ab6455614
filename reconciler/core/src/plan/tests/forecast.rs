//! When work starts and ends, and what the windows make of it (S7).

use dataminer_schema::{
    id::PlanId,
    plan::{Disruption, Forecast, ForecastBasis, Plan, PlanResult, WaitingOn},
    v1::cluster::{Approval, Cluster, Fit, WebUpgrades, Window},
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    plan::Retry,
    testing::{Scenario, warnings},
    window::{Calendar, window_state},
};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

fn upgrade() -> Scenario {
    Scenario::new("10.5.0 CU9", "10.5.0 CU12")
}

/// Three hops: 10.4.0 CU21, 10.5.0 CU18, 10.6.0 CU6 would need a migration, so it ends on 10.5.
fn three_hops() -> Scenario {
    Scenario::new("10.2.0 CU21", "10.5.0 CU12")
}

fn forecast(scenario: &Scenario) -> Forecast {
    let plan = scenario.plan();
    plan.forecast.unwrap_or_else(|| panic!("no forecast: {:?} {:?}", plan.blocked, plan.waiting))
}

fn fit(cluster: &mut Cluster, wanted: Fit) {
    for window in &mut cluster.windows {
        if let Window::Allow { fit, .. } = window {
            *fit = wanted;
        }
    }
}

fn required(mut scenario: Scenario) -> Scenario {
    fit(&mut scenario.cluster, Fit::Require);
    scenario
}

/// 35 min (70 at most) for the core, 10 (25) for the look, 2 (10) for the backup behind it.
const HALF: SignedDuration = SignedDuration::from_mins(35 + 10 + 2);
const MOST: SignedDuration = SignedDuration::from_mins(70 + 25 + 10);

#[test]
fn without_windows_it_starts_now_and_ends_when_the_steps_are_through() {
    let prepared = upgrade().prepared();
    let forecast = forecast(&prepared);
    assert_eq!(forecast.starts, prepared.now);
    assert_eq!((forecast.ends, forecast.ends_latest), (prepared.now + HALF, prepared.now + MOST));
    assert_eq!((forecast.window_closes, forecast.fits), (None, true));
    assert_eq!(forecast.basis, ForecastBasis::Defaults);
}

#[test]
fn s1_what_is_not_prepared_yet_comes_before_the_start() {
    let unprepared = upgrade();
    let forecast = forecast(&unprepared);
    // One upload, the checks and one copy of the backups.
    assert_eq!(forecast.starts, unprepared.now + SignedDuration::from_mins(37));
    assert_eq!(forecast.ends_latest, unprepared.now + SignedDuration::from_mins(150) + MOST);
}

#[test]
fn s7_a_closed_window_is_waited_for_and_what_runs_ahead_costs_nothing_then() {
    let forecast = forecast(&upgrade().saturday_nights().at("2026-11-20T20:00:00Z"));
    assert_eq!(forecast.starts, at("2026-11-21T21:00:00Z"));
    assert_eq!(forecast.ends, at("2026-11-21T21:00:00Z") + HALF);
    assert_eq!(forecast.window_closes, Some(at("2026-11-22T01:00:00Z")));
    assert!(forecast.fits);
}

#[test]
fn nothing_to_do_and_somebody_to_wait_for_have_no_forecast() {
    let none = |scenario: Scenario| assert_eq!(scenario.plan().forecast, None);
    none(Scenario::new("10.5.0 CU12", "10.5.0 CU12"));
    none(Scenario::new("10.5.0 CU12", "10.5.0 CU9"));
    none(upgrade().approval(Approval::Always));
    let mut suspended = upgrade();
    suspended.cluster.suspend = true;
    none(suspended);
}

#[test]
fn a_retry_is_counted_from_its_time() {
    let mut retry = upgrade().prepared();
    let due = retry.now + SignedDuration::from_mins(5);
    retry.state.retry = Some(Retry { at: due, reason: "disk".to_owned(), attempts: 1 });
    assert_eq!(forecast(&retry).starts, due);
    // A window that has opened by then counts, and one that has closed by then does not.
    let windows = retry.clone().saturday_nights().at("2026-11-21T20:58:00Z");
    assert_eq!(forecast(&windows).starts, at("2026-11-21T21:00:00Z"), "the time of the retry has passed");
    let mut late = windows.at("2026-11-21T23:50:00Z");
    let due = at("2026-11-22T00:10:00Z");
    late.state.retry = Some(Retry { at: due, reason: "disk".to_owned(), attempts: 1 });
    assert_eq!(forecast(&late).starts, at("2026-11-28T21:00:00Z"));
}

#[test]
fn s7_fit_require_takes_the_next_window_that_is_long_enough() {
    // An hour on every day, four on Saturdays: the p95 of an upgrade is 105 min.
    let mut scenario = upgrade().saturday_nights().at("2026-11-22T10:00:00Z").prepared();
    scenario.cluster.windows.push(Window::Allow {
        schedule: "0 4 * * MON-FRI".to_owned(),
        duration: SignedDuration::from_hours(1),
        time_zone: "Europe/Brussels".to_owned(),
        cutoff: SignedDuration::ZERO,
        fit: Fit::Warn,
    });
    let eager = scenario.plan();
    assert_eq!(eager.forecast.as_ref().map(|forecast| forecast.starts), Some(at("2026-11-23T03:00:00Z")));
    assert!(!eager.forecast.as_ref().expect("it has one").fits);
    assert_eq!(warnings(&eager), ["WindowTooShort"]);
    let patient = required(scenario).plan();
    let forecast = patient.forecast.expect("it has one");
    assert_eq!((forecast.starts, forecast.fits), (at("2026-11-28T21:00:00Z"), true));
    assert_eq!(patient.waiting[0].until, Some(at("2026-11-28T21:00:00Z")));
    assert!(patient.warnings.is_empty(), "{:?}", patient.warnings);
}

#[test]
fn s7_work_that_fits_no_window_never_starts_and_says_so() {
    let plan = required(three_hops().saturday_nights()).plan();
    assert_eq!(plan.result, PlanResult::Waiting);
    assert_eq!((plan.waiting[0].on, plan.waiting[0].until), (WaitingOn::Window, None));
    assert_eq!(plan.forecast, None);
    let message =
        &plan.warnings.iter().find(|warning| warning.code == "WindowTooShort").expect("it warns").message;
    assert!(message.contains("it will never start"), "{message}");
}

#[test]
fn s7_hops_behind_the_cutoff_wait_for_later_windows() {
    let plan = three_hops().saturday_nights().prepared().plan();
    let hops = plan.steps.iter().filter(|step| step.disruption == Disruption::Restart).count();
    assert_eq!(hops, 3);
    let forecast = plan.forecast.expect("it has one");
    // 47 min each: half of all changes are through in one window.
    assert_eq!(forecast.starts, at("2026-11-21T21:00:00Z"));
    assert_eq!(forecast.ends, at("2026-11-21T21:00:00Z") + HALF * 3);
    // 105 min each: the third hop would start half an hour behind the cutoff.
    assert!(!forecast.fits);
    assert_eq!(forecast.ends_latest, at("2026-11-28T21:00:00Z") + MOST);
    let message =
        &plan.warnings.iter().find(|warning| warning.code == "WindowTooShort").expect("it warns").message;
    assert!(message.ends_with("10.5.0 CU12 waits for the window of 2026-11-28T21:00:00Z"), "{message}");
}

#[test]
fn s7_a_cutoff_that_the_last_hop_misses_is_no_fit_even_where_the_end_would_be_in_time() {
    // Two hops of 105 min need 210 of 240 min; the second starts after 105.
    let mut scenario = Scenario::new("10.3.0 CU20", "10.5.0 CU12").saturday_nights().prepared();
    assert!(forecast(&scenario).fits);
    if let Window::Allow { cutoff, .. } = &mut scenario.cluster.windows[0] {
        *cutoff = SignedDuration::from_mins(136);
    }
    let plan = scenario.plan();
    assert!(!plan.forecast.as_ref().expect("it has one").fits);
    assert!(warnings(&plan).contains(&"WindowTooShort"));
}

#[test]
fn s7_later_hops_without_any_window_leave_no_forecast() {
    let mut scenario = three_hops().saturday_nights().prepared();
    scenario.cluster.windows.push(Window::Deny {
        from: "2026-11-22".parse().expect("a date"),
        to: "2040-01-01".parse().expect("a date"),
        time_zone: "Europe/Brussels".to_owned(),
        reason: None,
    });
    let plan = scenario.plan();
    assert_eq!(
        plan.waiting[0].until,
        Some(at("2026-11-21T21:00:00Z")),
        "the first hop has room before the freeze"
    );
    assert_eq!(plan.forecast, None);
    let message =
        &plan.warnings.iter().find(|warning| warning.code == "WindowTooShort").expect("it warns").message;
    assert!(message.contains("its last hops find no window"), "{message}");
}

#[test]
fn s7_a_web_upgrade_at_any_time_waits_for_no_window() {
    let scenario = Scenario::new("10.5.0 CU12", "10.5.0 CU12").want_web("10.6.4").saturday_nights();
    let scenario =
        scenario.at("2026-11-20T12:00:00Z").upgrade(|upgrade| upgrade.web_upgrades = WebUpgrades::AnyTime);
    let forecast = forecast(&scenario.prepared());
    assert_eq!((forecast.starts, forecast.window_closes), (at("2026-11-20T12:00:00Z"), None));
}

/// Preparations that end behind the cutoff are of no use for this window; once they are done, it may start.
#[test]
fn s1_a_window_that_closes_while_packages_are_uploaded_is_not_promised() {
    let scenario = upgrade().saturday_nights().at("2026-11-21T23:40:00Z");
    let plan = scenario.plan();
    assert_eq!(plan.result, PlanResult::Waiting);
    assert_eq!(plan.forecast.as_ref().map(|forecast| forecast.starts), Some(at("2026-11-28T21:00:00Z")));
    let ready: Vec<bool> = plan.steps.iter().map(|step| step.ready).collect();
    assert_eq!(ready, [true, true, true, false, false, false, false], "they run at once");
    let prepared = scenario.prepared().plan();
    assert_eq!(prepared.result, PlanResult::Ready);
    assert_eq!(prepared.forecast.map(|forecast| forecast.starts), Some(at("2026-11-21T23:40:00Z")));
}

/// A note of another plan's preparations counts for nothing.
#[test]
fn s1_preparations_of_another_plan_are_none_of_this_one() {
    let mut scenario = upgrade();
    scenario.state.prepared = Some(PlanId::from_sha256(&dataminer_schema::id::Sha256::of(b"another")));
    assert!(forecast(&scenario).starts > scenario.now);
}

#[test]
fn both_changes_of_the_clock_move_the_start_with_the_wall() {
    let starts = |now: &str| forecast(&upgrade().saturday_nights().at(now)).starts;
    // 22:00 in Brussels is 21:00 UTC in winter and 20:00 UTC in summer; the clocks go on 29 March and 25 October.
    assert_eq!(starts("2026-03-27T12:00:00Z"), at("2026-03-28T21:00:00Z"));
    assert_eq!(starts("2026-04-03T12:00:00Z"), at("2026-04-04T20:00:00Z"));
    assert_eq!(starts("2026-10-23T12:00:00Z"), at("2026-10-24T20:00:00Z"));
    assert_eq!(starts("2026-10-30T12:00:00Z"), at("2026-10-31T21:00:00Z"));
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    pub(in crate::plan::tests) fn windows() -> impl Strategy<Value = Vec<Window>> {
        let schedules =
            ["0 22 * * SAT", "30 2 * * *", "30 2 * * SUN", "0 */6 * * *", "15 1 1 * *", "0 3 * * SUN#L"];
        let zones = ["Europe/Brussels", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "UTC"];
        let allow = (
            prop::sample::select(schedules.to_vec()),
            prop::sample::select(zones.to_vec()),
            20_i64..600,
            0_i64..120,
            any::<bool>(),
        );
        let allow = allow.prop_map(|(schedule, zone, duration, cutoff, require)| Window::Allow {
            schedule: schedule.to_owned(),
            duration: SignedDuration::from_mins(duration),
            time_zone: zone.to_owned(),
            cutoff: SignedDuration::from_mins(cutoff),
            fit: if require { Fit::Require } else { Fit::Warn },
        });
        let deny = (0_i32..400, 0_i32..20).prop_map(|(start, days)| {
            use jiff::ToSpan as _;
            let from = jiff::civil::date(2026, 1, 1).saturating_add(start.days());
            let to = from.saturating_add(days.days());
            Window::Deny { from, to, time_zone: "Europe/Brussels".to_owned(), reason: None }
        });
        prop::collection::vec(prop_oneof![3 => allow, 1 => deny], 0..4)
    }

    fn check(plan: &Plan, scenario: &Scenario) -> Result<(), TestCaseError> {
        let too_short = warnings(plan).contains(&"WindowTooShort");
        let Some(forecast) = &plan.forecast else { return Ok(()) };
        prop_assert!(scenario.now <= forecast.starts, "earlier than now: {forecast:?}");
        prop_assert!(
            forecast.starts <= forecast.ends && forecast.ends <= forecast.ends_latest,
            "{forecast:?}"
        );
        let calendar = Calendar::read(&scenario.cluster.windows);
        prop_assert!(calendar.state(forecast.starts).open, "it starts in a closed window: {forecast:?}");
        prop_assert_eq!(
            calendar.state(forecast.starts).closes_at.is_some(),
            forecast.window_closes.is_some()
        );
        let in_time = forecast.window_closes.is_none_or(|closes| forecast.ends_latest <= closes);
        prop_assert_eq!(forecast.fits, in_time, "{:?}", forecast);
        prop_assert_eq!(
            forecast.fits,
            !too_short,
            "the warning disagrees: {:?} {:?}",
            forecast,
            plan.warnings
        );
        if let [waiting] = plan.waiting.as_slice() {
            prop_assert!(
                waiting.until.is_some_and(|until| until <= forecast.starts),
                "{waiting:?} {forecast:?}"
            );
        }
        if plan.result == PlanResult::Ready {
            prop_assert!(window_state(&scenario.cluster.windows, scenario.now).open);
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

        /// Over a year with both changes of the clock: a forecast starts in an open window and not in the past, ends
        /// behind its start, and agrees with the warning; `Scenario::plan` compares two plans of the same input.
        #[test]
        fn a_forecast_keeps_to_the_windows(
            windows in windows(),
            minutes in 0_i64..(370 * 24 * 60),
            hops in any::<bool>(),
            prepared in any::<bool>(),
        ) {
            let mut scenario = if hops { three_hops() } else { upgrade() };
            let now = at("2026-01-01T00:00:00Z") + SignedDuration::from_mins(minutes);
            scenario.cluster.windows = windows;
            scenario = scenario.at(&now.to_string());
            if prepared {
                scenario = scenario.prepared();
            }
            check(&scenario.plan(), &scenario)?;
        }
    }
}

pub(in crate::plan::tests) use properties::windows;
