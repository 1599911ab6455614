//! The walk over calendar days: where one Allow window is open.

use croner::Cron;
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Weekday},
    tz::{AmbiguousOffset, TimeZone},
};

use super::calendar::{Stretch, midnight};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// An Allow window that could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Allow {
    cron: Cron,
    zone: TimeZone,
    duration: SignedDuration,
    cutoff: SignedDuration,
    fit: bool,
    /// A schedule of every hour also opens in an hour that comes twice.
    every_hour: bool,
    /// The minutes of a day on which it opens, ascending.
    openings: Vec<u16>,
    /// The first and the last opening of each run of openings whose windows touch: what a schedule of every minute
    /// comes to on a day without a change of the clock.
    runs: Vec<(u16, u16)>,
}

impl Allow {
    pub(super) fn new(
        cron: Cron,
        zone: TimeZone,
        duration: SignedDuration,
        cutoff: SignedDuration,
        fit: bool,
    ) -> Self {
        let hour_matches = |hour: u16| cron.pattern.hour_match(u32::from(hour)).unwrap_or(false);
        let minutes: Vec<u16> =
            (0..60).filter(|minute| cron.pattern.minute_match(u32::from(*minute)).unwrap_or(false)).collect();
        let hours: Vec<u16> = (0..24).filter(|hour| hour_matches(*hour)).collect();
        let mut openings: Vec<u16> =
            hours.iter().flat_map(|hour| minutes.iter().map(move |minute| hour * 60 + minute)).collect();
        if duration.is_zero() {
            // It closes when it opens; on every minute of years that would only cost time.
            openings.clear();
        }
        let mut runs: Vec<(u16, u16)> = Vec::new();
        for minute in &openings {
            match runs.last_mut() {
                Some((_, last)) if minutes_long(minute - *last) <= duration => *last = *minute,
                _ => runs.push((*minute, *minute)),
            }
        }
        let every_hour = hours.len() == 24;
        Self { cron, zone, duration, cutoff, fit, every_hour, openings, runs }
    }

    /// Adds the stretches that touch `now ..= until`, by start; without those of days on which all of them are denied:
    /// a schedule of every minute under a freeze of years would cost millions of instants.
    pub(super) fn stretches(
        &self,
        now: Timestamp,
        until: Timestamp,
        denied: &[(Timestamp, Timestamp)],
        found: &mut Vec<Stretch>,
    ) {
        let earliest = now.checked_sub(self.duration).unwrap_or(Timestamp::MIN);
        let first = self.zone.to_datetime(earliest).date();
        let mut day = first.yesterday().unwrap_or(first);
        let last = self.zone.to_datetime(until).date();
        let last = last.tomorrow().unwrap_or(last);
        // At the very beginning of time a day may have no midnight yet.
        let mut start = midnight(day, &self.zone);
        while let (None, Ok(next)) = (start, day.tomorrow()) {
            if last < next {
                return;
            }
            day = next;
            start = midnight(day, &self.zone);
        }
        let Some(mut start) = start else { return };
        let mut change = self.change_from(start);
        while day <= last {
            let Ok(next_day) = day.tomorrow() else { break };
            let Some(plain_end) = start.checked_add(DAY).ok() else { break };
            let plain = change.is_none_or(|change| plain_end < change);
            let next = if plain { Some(plain_end) } else { midnight(next_day, &self.zone) };
            let Some(next) = next else { break };
            if self.matches(day) && !self.is_denied(start, next, denied) {
                if plain {
                    self.runs_from(start, now, until, found);
                } else {
                    self.openings_on(day, now, until, found);
                }
            }
            (day, start) = (next_day, next);
            if change.is_some_and(|change| change < start) {
                change = self.change_from(start);
            }
        }
    }

    /// The first change of the clock at or after `at`.
    fn change_from(&self, at: Timestamp) -> Option<Timestamp> {
        let before = at.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(at);
        self.zone.following(before).next().map(|transition| transition.timestamp())
    }

    /// Whether whatever opens between `start` and `next` has also closed before the Deny windows end.
    fn is_denied(&self, start: Timestamp, next: Timestamp, denied: &[(Timestamp, Timestamp)]) -> bool {
        let end = next.checked_add(self.duration).unwrap_or(Timestamp::MAX);
        let before = denied.partition_point(|(from, _)| *from <= start);
        denied[..before].last().is_some_and(|(_, to)| end <= *to)
    }

    fn matches(&self, day: Date) -> bool {
        let pattern = &self.cron.pattern;
        let (year, month, number) =
            (i32::from(day.year()), day.month().unsigned_abs().into(), day.day().unsigned_abs().into());
        let weekday = match day.weekday() {
            Weekday::Sunday => croner::Weekday::Sunday,
            Weekday::Monday => croner::Weekday::Monday,
            Weekday::Tuesday => croner::Weekday::Tuesday,
            Weekday::Wednesday => croner::Weekday::Wednesday,
            Weekday::Thursday => croner::Weekday::Thursday,
            Weekday::Friday => croner::Weekday::Friday,
            Weekday::Saturday => croner::Weekday::Saturday,
        };
        pattern.month_match(month).unwrap_or(false)
            && pattern.day_match(year, month, number, weekday).unwrap_or(false)
    }

    /// A day of 24 hours that begins at `midnight` and on which no clock changes.
    fn runs_from(&self, midnight: Timestamp, now: Timestamp, until: Timestamp, found: &mut Vec<Stretch>) {
        for (first, last) in &self.runs {
            let start = midnight.checked_add(minutes_long(*first));
            let last = midnight.checked_add(minutes_long(*last));
            if let (Ok(start), Ok(last)) = (start, last) {
                self.open(start, last, now, until, found);
            }
        }
    }

    /// A day on which the clock changes.
    fn openings_on(&self, day: Date, now: Timestamp, until: Timestamp, found: &mut Vec<Stretch>) {
        let mut instants = Vec::new();
        for minute in &self.openings {
            let of = |number: u16| i8::try_from(number).unwrap_or(0);
            self.instants(day.at(of(minute / 60), of(minute % 60), 0, 0), &mut instants);
        }
        for start in instants {
            self.open(start, start, now, until, found);
        }
    }

    /// The instants of a wall clock time: one that a change of the clock skips opens that much later; one that comes
    /// twice opens at its first coming, and for a schedule of every hour at both.
    fn instants(&self, wall: DateTime, found: &mut Vec<Timestamp>) {
        let ambiguous = self.zone.to_ambiguous_zoned(wall);
        let twice = matches!(ambiguous.offset(), AmbiguousOffset::Fold { .. });
        if twice && self.every_hour {
            found.extend(ambiguous.clone().later().ok().map(|zoned| zoned.timestamp()));
        }
        found.extend(ambiguous.compatible().ok().map(|zoned| zoned.timestamp()));
    }

    /// Open from `start` until the end of what opens at `last`.
    fn open(
        &self,
        start: Timestamp,
        last: Timestamp,
        now: Timestamp,
        until: Timestamp,
        found: &mut Vec<Stretch>,
    ) {
        let Ok(end) = last.checked_add(self.duration) else { return };
        if end > now && start <= until {
            let cutoff = end.checked_sub(self.cutoff).unwrap_or(start);
            found.push(Stretch { start, end, cutoff, fit: self.fit });
        }
    }
}

fn minutes_long(minutes: u16) -> SignedDuration {
    SignedDuration::from_mins(i64::from(minutes))
}
