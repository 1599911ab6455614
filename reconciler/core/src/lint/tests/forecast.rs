//! Estimates and forecasts whose times are out of order.

use dataminer_schema::plan::Forecast;
use jiff::SignedDuration;

use super::*;

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

fn forecast(change: impl Fn(&mut Forecast)) -> Vec<&'static str> {
    broken(|plan| change(plan.forecast.as_mut().expect("the clean plan has one")))
}

#[test]
fn a_slow_case_takes_at_least_as_long_as_the_usual_one() {
    let estimate = |p50, p95| {
        broken(move |plan| {
            let estimate = plan.steps[5].estimate.as_mut().expect("every step has one");
            (estimate.p50, estimate.p95) = (minutes(p50), minutes(p95));
        })
    };
    assert_eq!(estimate(2, 1), ["estimates"]);
    assert_eq!(estimate(-1, 1), ["estimates"]);
    assert!(estimate(1, 1).is_empty());
}

#[test]
fn a_forecast_is_in_the_order_of_time_and_in_its_window() {
    assert_eq!(forecast(|forecast| forecast.ends = forecast.starts - minutes(1)), ["forecast"]);
    assert_eq!(forecast(|forecast| forecast.ends_latest = forecast.ends - minutes(1)), ["forecast"]);
    assert_eq!(forecast(|forecast| forecast.fits = false), ["forecast"]);
    let closing = |forecast: &mut Forecast| forecast.window_closes = Some(forecast.ends_latest - minutes(1));
    assert_eq!(forecast(closing), ["forecast"]);
    let closed = |forecast: &mut Forecast| {
        forecast.window_closes = Some(forecast.starts);
        forecast.fits = false;
    };
    assert_eq!(forecast(closed), ["forecast"]);
    let tight = |forecast: &mut Forecast| forecast.window_closes = Some(forecast.ends_latest);
    assert!(forecast(tight).is_empty());
}

#[test]
fn a_forecast_waits_for_what_the_plan_waits_for() {
    let early = |plan: &mut Plan| {
        let until = plan.forecast.as_ref().map(|forecast| forecast.starts + minutes(1));
        plan.waiting.push(Waiting { on: WaitingOn::Window, until, message: "a window".to_owned() });
        plan.result = PlanResult::Waiting;
        plan.steps.iter_mut().for_each(|step| step.ready = false);
    };
    assert_eq!(broken(early), ["forecast"]);
}
