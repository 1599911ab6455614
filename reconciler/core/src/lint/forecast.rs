//! Times are in order: estimates, and the forecast that rests on them.

use dataminer_schema::plan::{Estimate, Forecast, Plan};

use super::Notes;

pub(super) fn check_forecast(plan: &Plan, notes: &mut Notes) {
    for step in &plan.steps {
        if let Some(Estimate { p50, p95 }) = step.estimate
            && (p50.is_negative() || p95 < p50)
        {
            notes.note(
                "estimates",
                Some(step),
                "nineteen of twenty take less than half of all, or less than no time",
            );
        }
    }
    let Some(Forecast { starts, ends, ends_latest, window_closes, fits, basis: _ }) = &plan.forecast else {
        return;
    };
    if ends < starts || ends_latest < ends {
        notes.note("forecast", None, "ends before it starts, or the slow case before the usual one");
    }
    if window_closes.is_some_and(|closes| closes <= *starts) {
        notes.note("forecast", None, "starts in a window that has closed");
    }
    if *fits != window_closes.is_none_or(|closes| *ends_latest <= closes) {
        notes.note("forecast", None, "does not fit as it says");
    }
    if plan.waiting.iter().filter_map(|waiting| waiting.until).any(|until| *starts < until) {
        notes.note("forecast", None, "starts before what the plan waits for has passed");
    }
}
