//! Windows: when disruptive work may start. Allow windows open, Deny wins; without an Allow window it is always open.
//!
//! The search walks over calendar days, at most `HORIZON_DAYS` of them, so that a schedule that never matches ends
//! like any other. Time zone rules are those compiled into the program.

use croner::Cron;
use dataminer_schema::v1::cluster::{Fit, Window};
use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, DateTime},
    tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase},
};

/// How far ahead an opening is looked for: four years and a day more hold every calendar date.
const HORIZON_DAYS: i32 = 4 * 366 + 1;

/// Looking ahead goes in stretches that double from here: most schedules open within days.
const FIRST_STRETCH_DAYS: i32 = 16;

/// A window that is open for longer than this counts as this long: the look back must end.
const LONGEST_WINDOW: SignedDuration = SignedDuration::from_hours(24 * 31);

/// Whether disruptive work may start now, and when that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowState {
    /// New disruptive work may start: a window is open and its cutoff has not passed.
    pub open: bool,
    /// The end of the window that `now` lies in (also past its cutoff); absent outside, and where it does not end
    /// within the stretch that was searched (`FIRST_STRETCH_DAYS` at least).
    pub closes_at: Option<Timestamp>,
    /// From here on nothing new starts in the window that `now` lies in.
    pub cutoff_at: Option<Timestamp>,
    /// Where not open: the next time at which work may start; absent if none is found within the search's bound.
    pub next_open: Option<Timestamp>,
    /// The end of the window that opens at `next_open`; absent where it does not end within what was searched.
    pub next_close: Option<Timestamp>,
    /// Whether the window that is open, or opens next, demands that the estimate (p95) fits it.
    pub fit_required: bool,
    /// Why, in one sentence.
    pub reason: String,
}

/// A stretch of time in which work may start, until `cutoff`, and shall be done by `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    start: Timestamp,
    end: Timestamp,
    cutoff: Timestamp,
    fit: bool,
}

struct Allow {
    cron: Cron,
    zone: TimeZone,
    duration: SignedDuration,
    cutoff: SignedDuration,
    fit: bool,
}

struct Deny {
    start: Timestamp,
    end: Timestamp,
    reason: Option<String>,
}

/// Judges `windows` at `now`.
pub fn window_state(windows: &[Window], now: Timestamp) -> WindowState {
    let (allows, denies, faults) = read(windows);
    let declared = windows.iter().any(|window| matches!(window, Window::Allow { .. }));
    let denied = united(&denies);
    let mut ahead = FIRST_STRETCH_DAYS;
    let mut stretches = Vec::new();
    let mut searched = Timestamp::MAX;
    while ahead <= HORIZON_DAYS * 2 {
        let until = add_days(now, ahead.min(HORIZON_DAYS));
        stretches = if declared {
            searched = until;
            merged(allows.iter().flat_map(|allow| allow.stretches(now, until, &denied)).collect())
        } else {
            vec![Stretch { start: Timestamp::MIN, end: Timestamp::MAX, cutoff: Timestamp::MAX, fit: false }]
        };
        stretches = without(stretches, &denies);
        let start = stretches.iter().find(|stretch| now < stretch.cutoff && stretch.start < stretch.cutoff);
        // Far enough beyond its start to see its end, or that it does not end soon.
        if start.is_some_and(|found| {
            found.end <= searched || add_days(found.start.max(now), FIRST_STRETCH_DAYS) <= searched
        }) {
            break;
        }
        ahead *= 2;
    }
    let current = stretches.iter().find(|stretch| stretch.start <= now && now < stretch.end);
    let open = current.is_some_and(|stretch| now < stretch.cutoff);
    let next = stretches.iter().find(|stretch| stretch.start > now && stretch.start < stretch.cutoff);
    let ends = |at: Timestamp| (at < Timestamp::MAX).then_some(at);
    // Windows that go on over all that was searched: the end found is that of the search, and would move with `now`.
    let current_ends = |at: Timestamp| ends(at).filter(|_| current.is_some_and(|now| now.end <= searched));
    let relevant = if open { current } else { next };
    WindowState {
        open,
        closes_at: current.and_then(|stretch| current_ends(stretch.end)),
        cutoff_at: current.and_then(|stretch| current_ends(stretch.cutoff)),
        next_open: if open { None } else { next.map(|stretch| stretch.start) },
        next_close: if open {
            None
        } else {
            next.and_then(|next| ends(next.end).filter(|end| *end <= searched))
        },
        fit_required: relevant.is_some_and(|stretch| stretch.fit),
        reason: match current {
            Some(stretch) if open && declared && stretch.end > searched => {
                "a window is open and does not close within a fortnight".to_owned()
            }
            _ => reason(declared, open, current, next, &denies, &faults, now),
        },
    }
}

fn reason(
    declared: bool,
    open: bool,
    current: Option<&Stretch>,
    next: Option<&Stretch>,
    denies: &[Deny],
    faults: &[String],
    now: Timestamp,
) -> String {
    let denied = denies.iter().find(|deny| deny.start <= now && now < deny.end);
    let then = match next {
        Some(stretch) => format!("the next one opens at {}", second(stretch.start)),
        None => match faults.first() {
            Some(fault) => format!("none opens: {fault}"),
            None => "none opens within four years".to_owned(),
        },
    };
    match (open, current, denied) {
        (true, _, _) if !declared => "no window of kind Allow is declared: always open".to_owned(),
        (true, Some(stretch), _) => format!("the window is open until {}", second(stretch.end)),
        (_, _, Some(Deny { reason: Some(reason), .. })) => format!("a Deny window holds ({reason}); {then}"),
        (_, _, Some(Deny { reason: None, .. })) => format!("a Deny window holds; {then}"),
        (_, Some(stretch), None) => format!(
            "the window is open until {} but past its cutoff at {}; {then}",
            second(stretch.end),
            second(stretch.cutoff)
        ),
        (_, None, None) => format!("no window is open; {then}"),
    }
}

fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// What can be read; a schedule or time zone that cannot be read never opens anything, and says so.
fn read(windows: &[Window]) -> (Vec<Allow>, Vec<Deny>, Vec<String>) {
    let (mut allows, mut denies, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for window in windows {
        match window {
            Window::Allow { schedule, duration, time_zone, cutoff, fit } => {
                match (schedule.parse::<Cron>(), zone(time_zone)) {
                    (Ok(cron), Some(zone)) => allows.push(Allow {
                        cron,
                        zone,
                        duration: (*duration).clamp(SignedDuration::ZERO, LONGEST_WINDOW),
                        cutoff: (*cutoff).max(SignedDuration::ZERO),
                        fit: *fit == Fit::Require,
                    }),
                    (Err(_), _) => faults.push(format!("the schedule `{schedule}` cannot be read")),
                    (_, None) => faults.push(format!("the time zone `{time_zone}` is not known")),
                }
            }
            Window::Deny { from, to, time_zone, reason } => {
                let zone = zone(time_zone);
                if zone.is_none() {
                    faults.push(format!("the time zone `{time_zone}` is not known"));
                }
                // The language refuses dates in the wrong order; here they deny all the same.
                let (from, to) = (from.min(to), from.max(to));
                // Deny wins also where its time zone is unknown: then it holds wherever on Earth the date holds.
                let start = match &zone {
                    Some(zone) => midnight(*from, zone),
                    None => midnight(*from, &TimeZone::UTC).map(|at| add_days(at, -1)),
                };
                let next_day = to.tomorrow().unwrap_or(*to);
                let end = match &zone {
                    Some(zone) => midnight(next_day, zone),
                    None => midnight(next_day, &TimeZone::UTC).map(|at| add_days(at, 1)),
                };
                denies.push(Deny {
                    start: start.unwrap_or(Timestamp::MIN),
                    end: end.unwrap_or(Timestamp::MAX),
                    reason: reason.clone(),
                });
            }
        }
    }
    (allows, denies, faults)
}

fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// The first instant of a date there; midnight itself may fall into a gap.
fn midnight(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_zoned(date.at(0, 0, 0, 0)).compatible().ok().map(|zoned| zoned.timestamp())
}

fn add_days(at: Timestamp, days: i32) -> Timestamp {
    let hours = SignedDuration::from_hours(i64::from(days) * 24);
    at.checked_add(hours).unwrap_or(if days < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

impl Allow {
    /// The stretches that touch `now ..= until`, by start; without those of days on which all of them are denied: a
    /// schedule of every minute under a freeze of years would cost millions of instants.
    fn stretches(&self, now: Timestamp, until: Timestamp, denied: &[(Timestamp, Timestamp)]) -> Vec<Stretch> {
        let earliest = now.checked_sub(self.duration).unwrap_or(Timestamp::MIN);
        let mut found = Vec::new();
        let first = self.zone.to_datetime(earliest).date();
        let last = self.zone.to_datetime(until).date();
        let mut day = first.yesterday().unwrap_or(first);
        let last = last.tomorrow().unwrap_or(last);
        while day <= last {
            if self.matches(day) && !self.is_denied(day, denied) {
                self.openings_on(day, &mut found);
            }
            let Ok(next) = day.checked_add(1.day()) else { break };
            day = next;
        }
        let stretches = found.into_iter().filter_map(|start| {
            let end = start.checked_add(self.duration).ok()?;
            (end > now && start <= until).then(|| Stretch {
                start,
                end,
                cutoff: end.checked_sub(self.cutoff).unwrap_or(start),
                fit: self.fit,
            })
        });
        stretches.collect()
    }

    /// Whether whatever opens on `day` has also closed before the Deny windows end.
    fn is_denied(&self, day: Date, denied: &[(Timestamp, Timestamp)]) -> bool {
        let (Some(start), Some(next)) =
            (midnight(day, &self.zone), day.tomorrow().ok().and_then(|day| midnight(day, &self.zone)))
        else {
            return false;
        };
        let end = next.checked_add(self.duration).unwrap_or(Timestamp::MAX);
        let before = denied.partition_point(|(from, _)| *from <= start);
        denied[..before].last().is_some_and(|(_, to)| end <= *to)
    }

    fn matches(&self, day: Date) -> bool {
        let pattern = &self.cron.pattern;
        let (year, month, number) =
            (i32::from(day.year()), day.month().unsigned_abs().into(), day.day().unsigned_abs().into());
        let weekday = match day.weekday() {
            jiff::civil::Weekday::Sunday => croner::Weekday::Sunday,
            jiff::civil::Weekday::Monday => croner::Weekday::Monday,
            jiff::civil::Weekday::Tuesday => croner::Weekday::Tuesday,
            jiff::civil::Weekday::Wednesday => croner::Weekday::Wednesday,
            jiff::civil::Weekday::Thursday => croner::Weekday::Thursday,
            jiff::civil::Weekday::Friday => croner::Weekday::Friday,
            jiff::civil::Weekday::Saturday => croner::Weekday::Saturday,
        };
        pattern.month_match(month).unwrap_or(false)
            && pattern.day_match(year, month, number, weekday).unwrap_or(false)
    }

    fn openings_on(&self, day: Date, found: &mut Vec<Timestamp>) {
        let pattern = &self.cron.pattern;
        let every_hour = (0..24).all(|hour| pattern.hour_match(hour).unwrap_or(false));
        for hour in 0..24_i8 {
            if !pattern.hour_match(u32::from(hour.unsigned_abs())).unwrap_or(false) {
                continue;
            }
            for minute in 0..60_i8 {
                if pattern.minute_match(u32::from(minute.unsigned_abs())).unwrap_or(false) {
                    self.instants(day.at(hour, minute, 0, 0), every_hour, found);
                }
            }
        }
    }

    /// The instants of a wall clock time: one that a change of the clock skips opens that much later; one that comes
    /// twice opens at its first coming, and for a schedule of every hour at both.
    fn instants(&self, wall: DateTime, every_hour: bool, found: &mut Vec<Timestamp>) {
        let ambiguous = self.zone.to_ambiguous_zoned(wall);
        let twice = matches!(ambiguous.offset(), AmbiguousOffset::Fold { .. });
        if twice && every_hour {
            found.extend(ambiguous.clone().later().ok().map(|zoned| zoned.timestamp()));
        }
        found.extend(ambiguous.compatible().ok().map(|zoned| zoned.timestamp()));
    }
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

#[cfg(test)]
mod tests;
