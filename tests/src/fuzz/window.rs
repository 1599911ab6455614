//! Windows at any time. The input is text: the time on the first line, then a window on each line,
//! `allow;SCHEDULE;SECONDS;ZONE;CUTOFF SECONDS;Warn|Require` or `deny;FROM;TO;ZONE;REASON`; other lines are passed over.

use dataminer_core::window::{WindowState, window_state};
use dataminer_schema::v1::cluster::{Fit, Window};
use jiff::{SignedDuration, Timestamp, tz::TimeZoneDatabase};

pub(super) const WORDS: &[&str] = &[
    "2026-11-21T10:00:00Z\n",
    "9999-12-30T22:00:00Z\n",
    "-009999-01-02T01:59:59Z\n",
    "allow;",
    "deny;",
    ";",
    "\n",
    "0 22 * * SAT",
    "* * * * *",
    "*/15 * * * *",
    "0 2 29 2 *",
    "30 2 * * *",
    "0 0 31 2 *",
    "0 22 * * 5#3",
    "0 0 L * *",
    "@daily",
    "3600",
    "86400",
    "-1",
    "9223372036854775807",
    "Europe/Brussels",
    "America/St_Johns",
    "Pacific/Apia",
    "UTC",
    "Nowhere/City",
    "2026-12-20",
    "2027-01-04",
    "9999-12-31",
    "-009999-01-01",
    "Require",
    "Warn",
    "year-end freeze",
];

/// A manifest holds a handful; more only cost time here.
const MOST_WINDOWS: usize = 4;

/// What a state says of later times is so when they come, and a Deny always wins.
///
/// # Panics
/// Where that does not hold.
pub fn window(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.lines();
    let Some(now) = lines.next().and_then(|line| line.trim().parse::<Timestamp>().ok()) else { return };
    let windows: Vec<Window> = lines.filter_map(read).take(MOST_WINDOWS).collect();
    let state = window_state(&windows, now);
    check(&windows, now, &state);
    if let Some(opens) = state.next_open {
        let then = window_state(&windows, opens);
        check(&windows, opens, &then);
        assert!(then.open, "said to open at {opens}, but: {then:?}\n{state:?}");
        // Nothing opens before: the middle of the wait and its last moment stand for all of it.
        let wait = now.duration_until(opens);
        for early in [now.checked_add(wait / 2), opens.checked_sub(SignedDuration::from_nanos(1))] {
            let early = early.expect("it lies between two times");
            let before = window_state(&windows, early);
            assert!(!before.open, "open at {early}, before {opens}: {before:?}\n{state:?}");
            assert_eq!(
                before.next_open.filter(|_| early > now),
                Some(opens).filter(|_| early > now),
                "{state:?}"
            );
        }
    }
    for closes in [state.closes_at, state.next_close].into_iter().flatten() {
        let then = window_state(&windows, closes);
        assert!(
            !then.open && then.closes_at.is_none(),
            "said to close at {closes}, but: {then:?}\n{state:?}"
        );
    }
    if let (true, Some(cutoff)) = (state.open, state.cutoff_at) {
        let then = window_state(&windows, cutoff);
        assert!(!then.open, "said to start nothing from {cutoff}, but: {then:?}\n{state:?}");
        let last = cutoff.checked_sub(SignedDuration::from_nanos(1)).expect("it lies after now");
        assert!(
            window_state(&windows, last).open,
            "work may start until {cutoff}, but not at its last moment"
        );
    }
}

/// What holds of every state by itself.
fn check(windows: &[Window], now: Timestamp, state: &WindowState) {
    let WindowState { open, closes_at, cutoff_at, next_open, next_close, fit_required: _, reason } = state;
    assert!(!reason.is_empty());
    assert_eq!(state, &window_state(windows, now), "the same windows were judged differently");
    assert!(!(*open && (next_open.is_some() || next_close.is_some())), "{state:?}");
    assert!(next_open.is_none_or(|at| at > now), "opens in the past: {state:?}");
    assert!(next_close.is_none() || next_close > next_open, "closes before it opens: {state:?}");
    assert!(closes_at.is_none_or(|at| at > now), "closes in the past: {state:?}");
    assert!(!(*open && cutoff_at.is_some_and(|at| at <= now)), "open past its cutoff: {state:?}");
    assert!(closes_at.is_none() || cutoff_at.is_none() || cutoff_at <= closes_at, "{state:?}");
    let allowed = windows.iter().filter(|window| matches!(window, Window::Allow { .. })).count();
    let denied = windows.iter().any(|window| denies(window, now));
    assert!(!(*open && denied), "a Deny holds at {now}: {state:?}");
    assert!(*open || allowed > 0 || windows.len() > allowed, "closed without any window: {state:?}");
}

/// Whether a Deny window holds, by the calendar of its zone.
fn denies(window: &Window, now: Timestamp) -> bool {
    let Window::Deny { from, to, time_zone, reason: _ } = window else { return false };
    let Ok(zone) = TimeZoneDatabase::bundled().get(time_zone) else { return false };
    let today = zone.to_datetime(now).date();
    from.min(to) <= &today && &today <= from.max(to)
}

fn read(line: &str) -> Option<Window> {
    let cells: Vec<&str> = line.split(';').collect();
    match cells.as_slice() {
        ["allow", schedule, duration, zone, cutoff, fit] => Some(Window::Allow {
            schedule: (*schedule).to_owned(),
            duration: SignedDuration::from_secs(duration.parse().ok()?),
            time_zone: (*zone).to_owned(),
            cutoff: SignedDuration::from_secs(cutoff.parse().ok()?),
            fit: if *fit == "Require" { Fit::Require } else { Fit::Warn },
        }),
        ["deny", from, to, zone, reason] => Some(Window::Deny {
            from: from.parse().ok()?,
            to: to.parse().ok()?,
            time_zone: (*zone).to_owned(),
            reason: (!reason.is_empty()).then(|| (*reason).to_owned()),
        }),
        _ => None,
    }
}
