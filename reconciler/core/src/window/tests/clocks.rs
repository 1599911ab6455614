//! Both changes of the clock, in zones where they are an hour, half an hour, and at midnight.

use proptest::prelude::*;

use super::*;
use crate::window::calendar::midnight;

fn daily(schedule: &str, minutes: i64, cutoff: i64, zone: &str) -> Window {
    Window::Allow {
        schedule: schedule.to_owned(),
        duration: SignedDuration::from_mins(minutes),
        time_zone: zone.to_owned(),
        cutoff: SignedDuration::from_mins(cutoff),
        fit: Fit::Warn,
    }
}

/// When the window opens next, reaches its cutoff, and closes.
fn next(window: &Window, now: &str) -> [Timestamp; 3] {
    let windows = std::slice::from_ref(window);
    let opens = state(windows, now).next_open.expect("it opens");
    let then = window_state(windows, opens);
    [opens, then.cutoff_at.expect("it has a cutoff"), then.closes_at.expect("it closes")]
}

#[test]
fn a_cutoff_counts_back_from_the_end_over_either_change() {
    // Brussels: 29 March 2026, 02:00 becomes 03:00; 25 October, 03:00 becomes 02:00; both at 01:00 UTC.
    let night = daily("0 1 * * SUN", 180, 60, "Europe/Brussels");
    let spring = next(&night, "2026-03-28T12:00:00Z");
    assert_eq!(spring, ["2026-03-29T00:00:00Z", "2026-03-29T02:00:00Z", "2026-03-29T03:00:00Z"].map(at));
    let autumn = next(&night, "2026-10-24T12:00:00Z");
    assert_eq!(autumn, ["2026-10-24T23:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"].map(at));
}

#[test]
fn days_of_23_and_25_hours_have_windows_of_the_same_length() {
    let all_day = daily("0 0 * * SUN", 23 * 60, 0, "Europe/Brussels");
    let spring = next(&all_day, "2026-03-28T12:00:00Z");
    assert_eq!(spring, ["2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", "2026-03-29T22:00:00Z"].map(at));
    let autumn = next(&all_day, "2026-10-24T12:00:00Z");
    assert_eq!(autumn, ["2026-10-24T22:00:00Z", "2026-10-25T21:00:00Z", "2026-10-25T21:00:00Z"].map(at));
}

#[test]
fn the_edges_of_the_gap_and_of_the_fold() {
    let opens = |schedule: &str, now: &str| next(&daily(schedule, 30, 0, "Europe/Brussels"), now)[0];
    // 01:59 is before the gap; 02:00 does not exist and is 03:00; so is 03:00 itself.
    assert_eq!(opens("59 1 * * SUN", "2026-03-28T12:00:00Z"), at("2026-03-29T00:59:00Z"));
    assert_eq!(opens("0 2 * * SUN", "2026-03-28T12:00:00Z"), at("2026-03-29T01:00:00Z"));
    assert_eq!(opens("0 3 * * SUN", "2026-03-28T12:00:00Z"), at("2026-03-29T01:00:00Z"));
    // 02:00 and 02:59 come twice, 03:00 once.
    assert_eq!(opens("0 2 * * SUN", "2026-10-24T12:00:00Z"), at("2026-10-25T00:00:00Z"));
    assert_eq!(opens("59 2 * * SUN", "2026-10-24T12:00:00Z"), at("2026-10-25T00:59:00Z"));
    assert_eq!(opens("0 3 * * SUN", "2026-10-24T12:00:00Z"), at("2026-10-25T02:00:00Z"));
}

#[test]
fn lord_howe_changes_by_half_an_hour() {
    // 4 October 2026: 02:00 at +10:30 becomes 02:30 at +11, at 15:30 UTC of the day before. 5 April: back.
    let opens = |schedule: &str, now: &str| next(&daily(schedule, 30, 0, "Australia/Lord_Howe"), now)[0];
    assert_eq!(opens("15 2 * * SUN", "2026-10-03T12:00:00Z"), at("2026-10-03T15:45:00Z"));
    assert_eq!(opens("45 1 * * SUN", "2026-04-04T12:00:00Z"), at("2026-04-04T14:45:00Z"));
    assert_eq!(opens("15 2 * * SUN", "2026-04-04T12:00:00Z"), at("2026-04-04T15:45:00Z"));
}

#[test]
fn where_midnight_itself_does_not_exist_or_comes_twice() {
    // Santiago: 6 September 2026 begins at 01:00 (04:00 UTC); 4 April has 25 hours, 23:00 to 24:00 twice.
    let midnight = daily("0 0 * * *", 60, 0, "America/Santiago");
    assert_eq!(next(&midnight, "2026-09-05T12:00:00Z")[0], at("2026-09-06T04:00:00Z"));
    assert_eq!(next(&midnight, "2026-09-06T12:00:00Z")[0], at("2026-09-07T03:00:00Z"));
    assert_eq!(next(&midnight, "2026-04-04T12:00:00Z")[0], at("2026-04-05T04:00:00Z"));
    let late = daily("30 23 * * *", 20, 0, "America/Santiago");
    assert_eq!(next(&late, "2026-04-04T12:00:00Z")[0], at("2026-04-05T02:30:00Z"), "at its first coming");
    // A Deny of that day begins with the day and ends with it.
    let deny = |day: &str| Window::Deny {
        from: day.parse().expect("a date"),
        to: day.parse().expect("a date"),
        time_zone: "America/Santiago".to_owned(),
        reason: None,
    };
    let spring = [deny("2026-09-06")];
    assert!(state(&spring, "2026-09-06T03:59:59Z").open && !state(&spring, "2026-09-06T04:00:00Z").open);
    assert_eq!(state(&spring, "2026-09-06T04:00:00Z").next_open, Some(at("2026-09-07T03:00:00Z")));
    let autumn = [deny("2026-04-04")];
    assert_eq!(state(&autumn, "2026-04-04T12:00:00Z").next_open, Some(at("2026-04-05T04:00:00Z")));
}

#[test]
fn a_deny_of_the_day_of_a_change_lasts_as_long_as_the_day() {
    let spring = [deny("2026-03-29", "2026-03-29")];
    assert_eq!(state(&spring, "2026-03-29T10:00:00Z").next_open, Some(at("2026-03-29T22:00:00Z")));
    assert!(state(&spring, "2026-03-28T22:59:59Z").open && !state(&spring, "2026-03-28T23:00:00Z").open);
    let autumn = [deny("2026-10-25", "2026-10-25")];
    assert_eq!(state(&autumn, "2026-10-25T10:00:00Z").next_open, Some(at("2026-10-25T23:00:00Z")));
    assert!(state(&autumn, "2026-10-24T21:59:59Z").open && !state(&autumn, "2026-10-24T22:00:00Z").open);
}

/// Whether a window that opens at these hours and minutes, on every day, is open at `now`: minute by minute, as the
/// calendar does not do it.
fn open_by_hand(hours: &[i8], minutes: &[i8], duration: SignedDuration, zone: &str, now: Timestamp) -> bool {
    let zone = jiff::tz::TimeZone::get(zone).expect("a time zone");
    let first = zone.to_datetime(now - duration).date().yesterday().expect("a date");
    first.series(1.day()).take(6).any(|day| {
        hours.iter().flat_map(|hour| minutes.iter().map(move |minute| (*hour, *minute))).any(
            |(hour, minute)| {
                let wall = zone.to_ambiguous_zoned(day.at(hour, minute, 0, 0));
                let twice = (hours.len() == 24).then(|| wall.clone().later().ok()).flatten();
                let comings = wall.compatible().ok().into_iter().chain(twice);
                comings.map(|zoned| zoned.timestamp()).any(|opens| opens <= now && now < opens + duration)
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Around every change of the clock, and on days without one, the calendar opens as one does who counts minutes.
    #[test]
    fn the_walk_over_days_agrees_with_counting_minutes(
        zone in prop::sample::select(vec!["Europe/Brussels", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata"]),
        change in prop::sample::select(vec!["2026-03-29", "2026-10-25", "2026-04-05", "2026-10-04", "2026-09-06", "2026-06-15"]),
        (hours, minutes) in prop::sample::select(vec![
            ("2", "30"), ("23", "45"), ("0", "*/7"), ("*", "*/20"), ("1-3", "5"), ("*/6", "0"), ("0,23", "59"),
        ]),
        duration in 1_i64..200,
        away in -(36 * 60)..(36_i64 * 60),
    ) {
        let now = midnight(change.parse().expect("a date"), &jiff::tz::TimeZone::UTC).expect("a time");
        let now = now + SignedDuration::from_mins(away);
        let window = daily(&format!("{minutes} {hours} * * *"), duration, 0, zone);
        let cron: croner::Cron = format!("{minutes} {hours} * * *").parse().expect("a schedule");
        let of = |most: i8, matches: &dyn Fn(u32) -> bool| -> Vec<i8> {
            (0..most).filter(|number| matches(u32::from(number.unsigned_abs()))).collect()
        };
        let hours = of(24, &|hour| cron.pattern.hour_match(hour).unwrap());
        let minutes = of(60, &|minute| cron.pattern.minute_match(minute).unwrap());
        let expected = open_by_hand(&hours, &minutes, SignedDuration::from_mins(duration), zone, now);
        prop_assert_eq!(window_state(std::slice::from_ref(&window), now).open, expected, "{} {:?}", now, window);
        prop_assert_eq!(Calendar::read(&[window]).is_open(now), expected);
    }
}
