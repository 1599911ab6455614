//! Where work finds room.

use super::*;
use crate::window::{Needs, Room};

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

/// Work of this length whose one hop starts at once.
fn work(whole: i64) -> Needs {
    Needs { whole_p95: minutes(whole), ..Needs::default() }
}

fn room(windows: &[Window], from: &str, needs: &Needs) -> Option<Room> {
    Calendar::read(windows).room(at(from), needs)
}

fn required(schedule: &str, hours: i64, cutoff: i64) -> Window {
    let mut window = allow(schedule, hours, cutoff);
    if let Window::Allow { fit, .. } = &mut window {
        *fit = Fit::Require;
    }
    window
}

#[test]
fn work_that_just_fits_fits() {
    let windows = [allow("0 22 * * SAT", 4, 60)];
    let exact = room(&windows, "2026-11-20T12:00:00Z", &work(240)).expect("there is room");
    assert_eq!(
        (exact.opens, exact.closes, exact.fits),
        (at("2026-11-21T21:00:00Z"), Some(at("2026-11-22T01:00:00Z")), true)
    );
    assert!(!room(&windows, "2026-11-20T12:00:00Z", &work(241)).expect("it starts all the same").fits);
    let last = Needs { last_p95: minutes(180), ..work(200) };
    assert!(
        !room(&windows, "2026-11-20T12:00:00Z", &last).expect("there is room").fits,
        "its last hop is at the cutoff"
    );
    let inside = room(&windows, "2026-11-21T22:00:00Z", &work(180)).expect("there is room");
    assert_eq!((inside.opens, inside.fits), (at("2026-11-21T22:00:00Z"), true));
}

#[test]
fn a_window_that_demands_a_fit_is_passed_over_where_it_is_short() {
    let windows = [required("0 22 * * SAT", 4, 0), required("0 4 1 * *", 8, 0)];
    let at_once = room(&windows, "2026-11-20T12:00:00Z", &work(240)).expect("there is room");
    assert_eq!(at_once.opens, at("2026-11-21T21:00:00Z"));
    let patient = room(&windows, "2026-11-20T12:00:00Z", &work(300)).expect("there is room");
    assert_eq!((patient.opens, patient.fits), (at("2026-12-01T03:00:00Z"), true));
    assert_eq!(room(&windows, "2026-11-20T12:00:00Z", &work(500)), None);
}

#[test]
fn what_runs_ahead_takes_from_a_window_that_is_open_and_not_from_one_that_opens_later() {
    let windows = [allow("0 22 * * SAT", 4, 60)];
    let needs = Needs { ahead_p50: minutes(30), ahead_p95: minutes(60), ..work(60) };
    assert!(room(&windows, "2026-11-20T12:00:00Z", &needs).expect("there is room").fits);
    assert!(room(&windows, "2026-11-21T22:00:00Z", &needs).expect("there is room").fits);
    let late = room(&windows, "2026-11-21T23:15:00Z", &needs).expect("half of all are in time");
    assert_eq!((late.opens, late.fits), (at("2026-11-21T23:15:00Z"), false));
    let too_late = room(&windows, "2026-11-21T23:30:00Z", &needs).expect("there is a next one");
    assert_eq!(too_late.opens, at("2026-11-28T21:00:00Z"));
}

#[test]
fn where_nothing_closes_everything_fits() {
    let long = work(60 * 24 * 40);
    let always = room(&[], "2026-11-20T12:00:00Z", &long).expect("there is room");
    assert_eq!((always.opens, always.closes, always.fits), (at("2026-11-20T12:00:00Z"), None, true));
    let daily = room(&[required("0 0 * * *", 24, 60)], "2026-11-20T12:00:00Z", &long).expect("there is room");
    assert_eq!((daily.opens, daily.closes, daily.fits), (at("2026-11-20T12:00:00Z"), None, true));
    // But for a freeze that ends it.
    let freeze = [required("0 0 * * *", 24, 60), deny("2026-12-20", "2027-01-04")];
    let behind = room(&freeze, "2026-11-20T12:00:00Z", &long).expect("there is room");
    assert_eq!(behind.opens, at("2027-01-04T23:00:00Z"));
}

#[test]
fn the_search_for_room_ends() {
    assert_eq!(room(&[allow("0 0 30 2 *", 4, 0)], "2026-11-20T12:00:00Z", &work(1)), None);
    assert_eq!(room(&[allow("0 22 * * *", 1, 120)], "2026-11-20T12:00:00Z", &work(1)), None);
    assert_eq!(room(&[required("*/30 * * * *", 0, 0)], "2026-11-20T12:00:00Z", &work(1)), None);
    let denied = [allow("* * * * *", 1, 0), deny("2020-01-01", "2040-01-01")];
    assert_eq!(room(&denied, "2026-11-20T12:00:00Z", &work(1)), None);
}

#[test]
fn edges_are_told_in_the_order_of_time() {
    let windows = [allow("0 22 * * SAT", 4, 60), deny("2026-11-25", "2026-11-26")];
    let calendar = Calendar::read(&windows);
    let mut now = at("2026-11-20T12:00:00Z");
    let mut edges = Vec::new();
    for _ in 0..6 {
        now = calendar.next_edge(now).expect("there is a next one");
        edges.push(now.to_string());
    }
    let expected = [
        "2026-11-21T21:00:00Z",
        "2026-11-22T00:00:00Z",
        "2026-11-22T01:00:00Z",
        "2026-11-24T23:00:00Z",
        "2026-11-26T23:00:00Z",
        "2026-11-28T21:00:00Z",
    ];
    assert_eq!(edges, expected);
    assert_eq!(Calendar::read(&[]).next_edge(now), None);
}
