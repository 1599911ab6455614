mod clocks;
mod rooms;

use dataminer_schema::v1::cluster::Fit;
use jiff::{SignedDuration, ToSpan};

use super::*;

fn allow(schedule: &str, hours: i64, cutoff_minutes: i64) -> Window {
    Window::Allow {
        schedule: schedule.to_owned(),
        duration: SignedDuration::from_hours(hours),
        time_zone: "Europe/Brussels".to_owned(),
        cutoff: SignedDuration::from_mins(cutoff_minutes),
        fit: Fit::Warn,
    }
}

fn deny(from: &str, to: &str) -> Window {
    Window::Deny {
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        time_zone: "Europe/Brussels".to_owned(),
        reason: Some("freeze".to_owned()),
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn state(windows: &[Window], now: &str) -> WindowState {
    window_state(windows, at(now))
}

#[test]
fn without_an_allow_window_it_is_always_open_but_for_deny() {
    let open = state(&[], "2026-11-21T12:00:00Z");
    assert!(open.open && open.closes_at.is_none() && open.next_open.is_none());
    let denied = state(&[deny("2026-11-20", "2026-11-21")], "2026-11-21T12:00:00Z");
    assert!(!denied.open);
    // The last day is inclusive: it ends at midnight in Brussels.
    assert_eq!(denied.next_open, Some(at("2026-11-21T23:00:00Z")));
    assert!(denied.reason.contains("freeze"), "{}", denied.reason);
}

#[test]
fn a_window_opens_closes_and_cuts_off() {
    let windows = [allow("0 22 * * SAT", 4, 60)];
    let before = state(&windows, "2026-11-21T20:59:59Z");
    assert!(!before.open);
    assert_eq!(before.next_open, Some(at("2026-11-21T21:00:00Z")));
    assert_eq!(before.next_close, Some(at("2026-11-22T01:00:00Z")));
    let inside = state(&windows, "2026-11-21T21:00:00Z");
    assert!(inside.open);
    assert_eq!(inside.closes_at, Some(at("2026-11-22T01:00:00Z")));
    assert_eq!(inside.cutoff_at, Some(at("2026-11-22T00:00:00Z")));
    let late = state(&windows, "2026-11-22T00:00:00Z");
    assert!(!late.open);
    assert_eq!(late.closes_at, Some(at("2026-11-22T01:00:00Z")));
    assert_eq!(late.next_open, Some(at("2026-11-28T21:00:00Z")));
    let after = state(&windows, "2026-11-22T01:00:00Z");
    assert!(!after.open && after.closes_at.is_none());
}

#[test]
fn deny_wins_over_allow_and_shortens_it() {
    let windows = [allow("0 22 * * SAT", 4, 60), deny("2026-11-29", "2026-12-31")];
    // Saturday 28 November: the freeze begins at midnight in Brussels, so the window ends two hours early.
    let cut = state(&windows, "2026-11-28T21:00:00Z");
    assert!(cut.open);
    assert_eq!(cut.closes_at, Some(at("2026-11-28T23:00:00Z")));
    assert_eq!(cut.cutoff_at, Some(at("2026-11-28T22:00:00Z")));
    let frozen = state(&windows, "2026-12-05T22:00:00Z");
    assert!(!frozen.open);
    assert_eq!(frozen.next_open, Some(at("2027-01-02T21:00:00Z")));
}

#[test]
fn a_window_that_the_spring_change_skips_opens_after_the_gap() {
    // On 29 March 2026 Brussels goes from 02:00 to 03:00 at 01:00 UTC; 02:30 does not exist.
    let windows = [allow("30 2 * * SUN", 2, 0)];
    let skipped = state(&windows, "2026-03-29T00:00:00Z");
    assert_eq!(skipped.next_open, Some(at("2026-03-29T01:30:00Z")));
    assert_eq!(skipped.next_close, Some(at("2026-03-29T03:30:00Z")));
    // A window over the gap lasts its duration, not its distance on the clock.
    let over = [allow("0 1 * * SUN", 3, 0)];
    assert_eq!(state(&over, "2026-03-29T00:30:00Z").closes_at, Some(at("2026-03-29T03:00:00Z")));
}

#[test]
fn a_window_in_the_hour_that_autumn_repeats_opens_once_at_the_first_coming() {
    // On 25 October 2026 Brussels goes from 03:00 back to 02:00 at 01:00 UTC; 02:30 comes at 00:30 and 01:30 UTC.
    let windows = [allow("30 2 * * SUN", 1, 0)];
    let before = state(&windows, "2026-10-24T22:00:00Z");
    assert_eq!(before.next_open, Some(at("2026-10-25T00:30:00Z")));
    let second_coming = state(&windows, "2026-10-25T01:30:00Z");
    assert!(!second_coming.open);
    assert_eq!(second_coming.next_open, Some(at("2026-11-01T01:30:00Z")));
    // A window over the fold lasts its duration.
    let over = [allow("0 1 * * SUN", 3, 0)];
    assert_eq!(state(&over, "2026-10-25T00:00:00Z").closes_at, Some(at("2026-10-25T02:00:00Z")));
}

#[test]
fn a_schedule_of_every_hour_opens_in_both_repeated_hours() {
    let windows = [Window::Allow {
        schedule: "0 * * * *".to_owned(),
        duration: SignedDuration::from_mins(20),
        time_zone: "Europe/Brussels".to_owned(),
        cutoff: SignedDuration::ZERO,
        fit: Fit::Warn,
    }];
    assert!(state(&windows, "2026-10-25T00:10:00Z").open);
    assert!(state(&windows, "2026-10-25T01:10:00Z").open);
    assert!(!state(&windows, "2026-10-25T01:30:00Z").open);
}

#[test]
fn a_schedule_that_never_matches_ends_the_search() {
    let never = state(&[allow("0 0 30 2 *", 4, 0)], "2026-11-21T12:00:00Z");
    assert!(!never.open);
    assert_eq!(never.next_open, None);
    assert!(never.reason.contains("four years"), "{}", never.reason);
    let leap = state(&[allow("0 0 29 2 *", 4, 0)], "2026-11-21T12:00:00Z");
    assert_eq!(leap.next_open, Some(at("2028-02-28T23:00:00Z")));
}

#[test]
fn windows_that_touch_are_one() {
    let windows = [allow("0 20 * * *", 4, 30), allow("0 23 * * *", 4, 30)];
    let early = state(&windows, "2026-11-21T22:45:00Z");
    assert!(early.open, "past the first cutoff, but the second window goes on");
    assert_eq!(early.closes_at, Some(at("2026-11-22T02:00:00Z")));
}

#[test]
fn windows_that_never_close_have_no_end_that_moves_with_the_clock() {
    let windows = [allow("0 0 * * *", 24, 60)];
    let monday = state(&windows, "2026-11-16T12:00:00Z");
    assert!(monday.open);
    assert_eq!((monday.closes_at, monday.cutoff_at), (None, None));
    let tuesday = state(&windows, "2026-11-17T12:00:00Z");
    assert_eq!(monday, tuesday);
    // One that does close is told as before.
    let freeze =
        state(&[allow("0 0 * * *", 24, 60), deny("2026-11-19", "2026-11-20")], "2026-11-17T12:00:00Z");
    assert_eq!(freeze.closes_at, Some(at("2026-11-18T23:00:00Z")));
}

#[test]
fn a_cutoff_longer_than_its_window_never_opens_it() {
    let shut = state(&[allow("0 22 * * *", 1, 120)], "2026-11-21T21:30:00Z");
    assert!(!shut.open);
    assert_eq!(shut.next_open, None);
}

#[test]
fn what_cannot_be_read_opens_nothing_and_says_so() {
    let mut unknown = allow("0 22 * * *", 2, 0);
    if let Window::Allow { time_zone, .. } = &mut unknown {
        *time_zone = "Mars/Olympus".to_owned();
    }
    let closed = state(&[unknown], "2026-11-21T21:30:00Z");
    assert!(!closed.open);
    assert!(closed.reason.contains("Mars/Olympus"), "{}", closed.reason);
    let schedule = state(&[allow("every night", 2, 0)], "2026-11-21T21:30:00Z");
    assert!(!schedule.open);
    assert!(schedule.reason.contains("every night"), "{}", schedule.reason);
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    fn window() -> impl Strategy<Value = Window> {
        let schedules =
            ["0 22 * * SAT", "30 2 * * *", "0 */6 * * *", "15 1 1 * *", "0 3 * * SUN#L", "45 23 29 2 *"];
        let zones = ["Europe/Brussels", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kolkata"];
        let allow = (
            prop::sample::select(schedules.to_vec()),
            prop::sample::select(zones.to_vec()),
            1_i64..600,
            0_i64..120,
        );
        let allow = allow.prop_map(|(schedule, zone, duration, cutoff)| Window::Allow {
            schedule: schedule.to_owned(),
            duration: SignedDuration::from_mins(duration),
            time_zone: zone.to_owned(),
            cutoff: SignedDuration::from_mins(cutoff),
            fit: Fit::Warn,
        });
        let deny = (0_i32..700, 0_i32..40).prop_map(|(start, days)| {
            let from = jiff::civil::date(2026, 1, 1).saturating_add(start.days());
            let to = from.saturating_add(days.days());
            Window::Deny { from, to, time_zone: "Europe/Brussels".to_owned(), reason: None }
        });
        prop_oneof![2 => allow, 1 => deny]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// What the state says of other times holds when it is asked at those times.
        #[test]
        fn the_state_agrees_with_itself_over_time(
            windows in prop::collection::vec(window(), 0..4),
            minutes in 0_i64..(2 * 365 * 24 * 60),
            part in 0.0_f64..1.0,
        ) {
            let now = at("2026-01-01T00:00:00Z") + SignedDuration::from_mins(minutes);
            let state = window_state(&windows, now);
            prop_assert!(state.next_open.is_none() || !state.open);
            if let Some(next) = state.next_open {
                prop_assert!(next > now);
                prop_assert!(window_state(&windows, next).open, "{state:?}");
                let between = now + now.duration_until(next).mul_f64(part);
                if between < next {
                    prop_assert!(!window_state(&windows, between).open, "open at {between} already: {state:?}");
                }
            }
            if let (true, Some(cutoff)) = (state.open, state.cutoff_at) {
                prop_assert!(now < cutoff && state.closes_at.is_some_and(|end| cutoff <= end));
                let before = now + now.duration_until(cutoff).mul_f64(part);
                prop_assert!(window_state(&windows, before).open || before == cutoff, "{state:?} {before}");
            }
        }
    }
}

/// Found by fuzzing: windows that go on for ever after a freeze were said to close at the end of what was searched.
#[test]
fn a_window_that_opens_and_does_not_close_has_no_end() {
    let windows = [allow("0 0 * * *", 24, 0), deny("2026-11-21", "2026-11-22")];
    let state = state(&windows, "2026-11-21T10:00:00Z");
    assert_eq!(state.next_open, Some(at("2026-11-22T23:00:00Z")));
    assert_eq!(state.next_close, None);
}

/// The end of a window that opens late in what is searched first.
#[test]
fn the_end_of_a_late_opening_is_found() {
    for day in 6..=28 {
        let state = state(&[allow(&format!("0 8 {day} * *"), 11, 0)], "2026-11-05T10:00:00Z");
        let (opens, closes) = (state.next_open.expect("it opens"), state.next_close.expect("it closes"));
        assert_eq!(opens.duration_until(closes), SignedDuration::from_hours(11), "{day}");
    }
}

/// Found by fuzzing: such a Deny split what was open into two that overlap, and announced an end that none was.
#[test]
fn a_deny_window_whose_dates_are_in_the_wrong_order_denies() {
    let windows = [deny("2026-11-23", "2026-11-20")];
    let denied = state(&windows, "2026-11-21T10:00:00Z");
    assert!(!denied.open);
    assert_eq!(denied.next_open, Some(at("2026-11-23T23:00:00Z")));
    assert_eq!(state(&windows, "2026-11-18T10:00:00Z").closes_at, Some(at("2026-11-19T23:00:00Z")));
}

/// Two million openings that are all denied; how long that takes is measured by the corpus of the fuzz target.
#[test]
fn a_schedule_of_every_minute_under_a_freeze_of_years_waits_for_its_end() {
    let windows =
        [allow("* * * * *", 1, 0), deny("2020-01-01", "2028-12-31"), deny("2029-01-01", "2040-01-01")];
    let denied = state(&windows, "2026-11-21T10:00:00Z");
    assert!(!denied.open && denied.next_open.is_none(), "{denied:?}");
    let opened = state(&windows, "2039-12-31T22:00:00Z");
    assert_eq!(opened.next_open, Some(at("2040-01-01T23:00:00Z")));
}

/// Found by fuzzing: a Deny window over the last day of all ended where it began, and split what was open into two.
#[test]
fn a_deny_window_over_the_last_day_of_all_denies_it() {
    let mut last = deny("9999-12-31", "9999-12-31");
    if let Window::Deny { time_zone, .. } = &mut last {
        *time_zone = "Asia/Tehran".to_owned();
    }
    let windows = [last];
    let before = state(&windows, "2026-11-21T10:00:00Z");
    assert_eq!((before.open, before.closes_at), (true, Some(at("9999-12-30T20:30:00Z"))));
    assert!(!state(&windows, "9999-12-30T20:30:00Z").open);
}

/// Found by fuzzing: two million of them took seconds.
#[test]
fn a_window_without_a_length_never_opens() {
    let shut = state(&[allow("* * * * *", 0, 0)], "2026-11-21T10:00:00Z");
    assert!(!shut.open && shut.next_open.is_none(), "{shut:?}");
    // Nor does it make another one longer.
    let windows = [allow("0 22 * * SAT", 4, 60), allow("30 1 * * SUN", 0, 0)];
    assert_eq!(state(&windows, "2026-11-21T22:00:00Z").cutoff_at, Some(at("2026-11-22T00:00:00Z")));
}

/// Found by fuzzing: Samoa left out 30 December 2011, and a Deny of that day split what was open into two.
#[test]
fn a_deny_window_over_a_day_that_was_left_out_denies_nothing() {
    let mut left_out = deny("2011-12-30", "2011-12-30");
    if let Window::Deny { time_zone, .. } = &mut left_out {
        *time_zone = "Pacific/Apia".to_owned();
    }
    let open = state(&[left_out], "2011-12-29T16:40:51Z");
    assert_eq!((open.open, open.closes_at), (true, None));
}

/// Else nobody would see why the window of this week is none.
#[test]
fn a_deny_window_that_takes_openings_away_is_named() {
    let windows = [allow("0 22 * * SAT", 4, 60), deny("2026-11-21", "2026-11-29")];
    let waiting = state(&windows, "2026-11-19T12:00:00Z");
    assert_eq!(
        waiting.reason,
        "no window is open; the next one opens at 2026-12-05T21:00:00Z; a Deny window (freeze) takes the one at \
         2026-11-21T21:00:00Z away"
    );
    // One that holds is named already, and one that takes nothing is none of it.
    let held = state(&windows, "2026-11-21T12:00:00Z");
    assert_eq!(held.reason, "a Deny window holds (freeze); the next one opens at 2026-12-05T21:00:00Z");
    let windows = [allow("0 22 * * SAT", 4, 60), deny("2026-11-23", "2026-11-25")];
    let after = state(&windows, "2026-11-22T12:00:00Z");
    assert_eq!(after.reason, "no window is open; the next one opens at 2026-11-28T21:00:00Z");
}
