//! Windows: when disruptive work may start. Allow windows open, Deny wins; without an Allow window it is always open.
//!
//! The search walks over calendar days, at most `HORIZON_DAYS` of them, so that a schedule that never matches ends
//! like any other. Time zone rules are those compiled into the program.

mod calendar;
mod days;
mod room;

use dataminer_schema::v1::cluster::Window;
use jiff::Timestamp;

use self::calendar::{Deny, FIRST_STRETCH_DAYS, HORIZON_DAYS, Stretch, add_days};
pub use self::{
    calendar::Calendar,
    room::{Needs, Room},
};

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

/// Judges `windows` at `now`.
pub fn window_state(windows: &[Window], now: Timestamp) -> WindowState {
    Calendar::read(windows).state(now)
}

impl Calendar {
    /// Judges the windows at `now`.
    pub fn state(&self, now: Timestamp) -> WindowState {
        let mut ahead = FIRST_STRETCH_DAYS;
        let (mut stretches, mut searched) = (Vec::new(), Timestamp::MAX);
        while ahead <= HORIZON_DAYS * 2 {
            (stretches, searched) = self.stretches(now, ahead);
            let start =
                stretches.iter().find(|stretch| now < stretch.cutoff && stretch.start < stretch.cutoff);
            // Far enough beyond its start to see its end, or that it does not end soon.
            if start.is_some_and(|found| {
                found.end <= searched || add_days(found.start.max(now), FIRST_STRETCH_DAYS) <= searched
            }) {
                break;
            }
            ahead *= 2;
        }
        self.judged(&stretches, searched, now)
    }

    fn judged(&self, stretches: &[Stretch], searched: Timestamp, now: Timestamp) -> WindowState {
        // In a stretch that its cutoff leaves nothing of, nothing could ever start: it is no window.
        let mut usable = stretches.iter().filter(|stretch| stretch.start < stretch.cutoff);
        let current = usable.find(|stretch| stretch.start <= now && now < stretch.end);
        let open = current.is_some_and(|stretch| now < stretch.cutoff);
        let next = stretches.iter().find(|stretch| stretch.start > now && stretch.start < stretch.cutoff);
        let ends = |at: Timestamp| (at < Timestamp::MAX).then_some(at);
        // Windows that go on over all that was searched: the end found is that of the search, and would move with `now`.
        let current_ends =
            |at: Timestamp| ends(at).filter(|_| current.is_some_and(|now| now.end <= searched));
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
                Some(stretch) if open && self.declared && stretch.end > searched => {
                    "a window is open and does not close within a fortnight".to_owned()
                }
                _ => self.reason(open, current, next, now),
            },
        }
    }

    fn reason(
        &self,
        open: bool,
        current: Option<&Stretch>,
        next: Option<&Stretch>,
        now: Timestamp,
    ) -> String {
        let denied = self.denies.iter().find(|deny| deny.start <= now && now < deny.end);
        let then = match next {
            Some(stretch) => {
                format!("the next one opens at {}{}", second(stretch.start), self.taken(denied, stretch, now))
            }
            None => match self.faults.first() {
                Some(fault) => format!("none opens: {fault}"),
                None => "none opens within four years".to_owned(),
            },
        };
        match (open, current, denied.map(|deny| deny.reason.as_deref())) {
            (true, _, _) if !self.declared => "no window of kind Allow is declared: always open".to_owned(),
            (true, Some(stretch), _) => format!("the window is open until {}", second(stretch.end)),
            (_, _, Some(Some(reason))) => format!("a Deny window holds ({reason}); {then}"),
            (_, _, Some(None)) => format!("a Deny window holds; {then}"),
            (_, Some(stretch), None) => format!(
                "the window is open until {} but past its cutoff at {}; {then}",
                second(stretch.end),
                second(stretch.cutoff)
            ),
            (_, None, None) => format!("no window is open; {then}"),
        }
    }

    /// What a Deny window, other than the one that holds, takes away before `next`.
    fn taken(&self, holding: Option<&Deny>, next: &Stretch, now: Timestamp) -> String {
        if !self.denies.iter().any(|deny| now < deny.start && deny.start < next.start) {
            return String::new();
        }
        let from = holding.map_or(now, |deny| deny.end);
        let Some(lost) = self.undenied().state(from).next_open.filter(|lost| *lost < next.start) else {
            return String::new();
        };
        let Some(deny) = self.denies.iter().find(|deny| deny.start <= lost && lost < deny.end) else {
            return String::new();
        };
        let why = deny.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        format!("; a Deny window{why} takes the one at {} away", second(lost))
    }

    /// The next time after `now` at which the state of the windows may be another: an opening, a cutoff, a close, an
    /// edge of a Deny window.
    pub fn next_edge(&self, now: Timestamp) -> Option<Timestamp> {
        let WindowState { cutoff_at, closes_at, next_open, .. } = self.state(now);
        let denied = self.denies.iter().flat_map(|deny| [deny.start, deny.end]);
        let edges = [cutoff_at, closes_at, next_open].into_iter().flatten().chain(denied);
        edges.filter(|edge| now < *edge && *edge < Timestamp::MAX).min()
    }
}

/// A time as messages print it.
pub(crate) fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests;
