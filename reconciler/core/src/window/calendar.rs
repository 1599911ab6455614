//! All windows of a cluster as one: what is read of them, and the stretches of time that they leave.

use croner::Cron;
use dataminer_schema::v1::cluster::{Fit, Window};
use jiff::{
    SignedDuration, Timestamp,
    civil::Date,
    tz::{TimeZone, TimeZoneDatabase},
};

use super::days::Allow;

/// How far ahead an opening is looked for: four years and a day more hold every calendar date.
pub(super) const HORIZON_DAYS: i32 = 4 * 366 + 1;

/// Looking ahead goes in stretches that double from here: most schedules open within days.
pub(super) const FIRST_STRETCH_DAYS: i32 = 16;

/// A window that is open for longer than this counts as this long: the look back must end.
const LONGEST_WINDOW: SignedDuration = SignedDuration::from_hours(24 * 31);

/// A stretch of time in which work may start, until `cutoff`, and shall be done by `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    pub(super) cutoff: Timestamp,
    pub(super) fit: bool,
}

/// The windows of a cluster, read once and asked often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    allows: Vec<Allow>,
    pub(super) denies: Vec<Deny>,
    /// What the Deny windows cover together.
    denied: Vec<(Timestamp, Timestamp)>,
    pub(super) faults: Vec<String>,
    /// Whether an Allow window is declared, readable or not.
    pub(super) declared: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Deny {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    pub(super) reason: Option<String>,
}

impl Calendar {
    /// Reads what can be read; a schedule or time zone that cannot be read never opens anything, and says so.
    pub fn read(windows: &[Window]) -> Self {
        let (mut allows, mut denies, mut faults) = (Vec::new(), Vec::new(), Vec::new());
        for window in windows {
            match window {
                Window::Allow { schedule, duration, time_zone, cutoff, fit } => {
                    match (schedule.parse::<Cron>(), zone(time_zone)) {
                        (Ok(cron), Some(zone)) => allows.push(Allow::new(
                            cron,
                            zone,
                            (*duration).clamp(SignedDuration::ZERO, LONGEST_WINDOW),
                            (*cutoff).max(SignedDuration::ZERO),
                            *fit == Fit::Require,
                        )),
                        (Err(_), _) => faults.push(format!("the schedule `{schedule}` cannot be read")),
                        (_, None) => faults.push(format!("the time zone `{time_zone}` is not known")),
                    }
                }
                Window::Deny { from, to, time_zone, reason } => {
                    let zone = zone(time_zone);
                    if zone.is_none() {
                        faults.push(format!("the time zone `{time_zone}` is not known"));
                    }
                    let deny = Deny::new((*from, *to), zone.as_ref(), reason.clone());
                    // A day that a time zone left out has no time to deny.
                    if deny.start < deny.end {
                        denies.push(deny);
                    }
                }
            }
        }
        let declared = windows.iter().any(|window| matches!(window, Window::Allow { .. }));
        Self { allows, denied: united(&denies), denies, faults, declared }
    }

    /// The same windows as if none of them were of kind Deny.
    pub(super) fn undenied(&self) -> Self {
        Self { denies: Vec::new(), denied: Vec::new(), ..self.clone() }
    }

    /// The stretches that touch the next `days` days, by start, and up to when they were looked for.
    pub(super) fn stretches(&self, now: Timestamp, days: i32) -> (Vec<Stretch>, Timestamp) {
        if !self.declared {
            let always =
                Stretch { start: Timestamp::MIN, end: Timestamp::MAX, cutoff: Timestamp::MAX, fit: false };
            return (without(vec![always], &self.denies), Timestamp::MAX);
        }
        let until = add_days(now, days.min(HORIZON_DAYS));
        let mut found = Vec::new();
        for allow in &self.allows {
            allow.stretches(now, until, &self.denied, &mut found);
        }
        (without(merged(found), &self.denies), until)
    }
}

impl Deny {
    fn new((from, to): (Date, Date), zone: Option<&TimeZone>, reason: Option<String>) -> Self {
        // The language refuses dates in the wrong order; here they deny all the same.
        let (from, to) = (from.min(to), from.max(to));
        // Deny wins also where its time zone is unknown: then it holds wherever on Earth the date holds.
        let start = match zone {
            Some(zone) => midnight(from, zone),
            None => midnight(from, &TimeZone::UTC).map(|at| add_days(at, -1)),
        };
        // The last day of all has no next one: what denies it denies for good.
        let end = to.tomorrow().ok().and_then(|next_day| match zone {
            Some(zone) => midnight(next_day, zone),
            None => midnight(next_day, &TimeZone::UTC).map(|at| add_days(at, 1)),
        });
        Self { start: start.unwrap_or(Timestamp::MIN), end: end.unwrap_or(Timestamp::MAX), reason }
    }
}

fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// The first instant of a date there; midnight itself may fall into a gap.
pub(super) fn midnight(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_zoned(date.at(0, 0, 0, 0)).compatible().ok().map(|zoned| zoned.timestamp())
}

pub(super) fn add_days(at: Timestamp, days: i32) -> Timestamp {
    let hours = SignedDuration::from_hours(i64::from(days) * 24);
    at.checked_add(hours).unwrap_or(if days < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// The times that Deny windows cover together, apart from each other and ascending.
fn united(denies: &[Deny]) -> Vec<(Timestamp, Timestamp)> {
    let mut spans: Vec<(Timestamp, Timestamp)> = denies.iter().map(|deny| (deny.start, deny.end)).collect();
    spans.sort();
    let mut united: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (start, end) in spans {
        match united.last_mut() {
            Some((_, last)) if start <= *last => *last = end.max(*last),
            _ => united.push((start, end)),
        }
    }
    united
}

/// Unites stretches that touch each other; work may start until the last cutoff among them.
fn merged(mut stretches: Vec<Stretch>) -> Vec<Stretch> {
    stretches.sort_by_key(|stretch| (stretch.start, stretch.end));
    let mut united: Vec<Stretch> = Vec::new();
    for stretch in stretches {
        match united.last_mut() {
            Some(last) if stretch.start <= last.end => {
                last.end = last.end.max(stretch.end);
                last.cutoff = last.cutoff.max(stretch.cutoff);
                last.fit |= stretch.fit;
            }
            _ => united.push(stretch),
        }
    }
    united
}

/// Takes the Deny windows out. What a Deny cuts short keeps its cutoff's distance from its new end.
fn without(stretches: Vec<Stretch>, denies: &[Deny]) -> Vec<Stretch> {
    let mut left = stretches;
    for deny in denies {
        let mut rest = Vec::new();
        for stretch in left {
            if deny.end <= stretch.start || stretch.end <= deny.start {
                rest.push(stretch);
                continue;
            }
            if stretch.start < deny.start {
                let margin = stretch.cutoff.duration_until(stretch.end);
                let cutoff = deny.start.checked_sub(margin).unwrap_or(stretch.start);
                rest.push(Stretch { end: deny.start, cutoff: cutoff.min(stretch.cutoff), ..stretch });
            }
            if deny.end < stretch.end {
                rest.push(Stretch { start: deny.end, ..stretch });
            }
        }
        left = rest;
    }
    left
}
