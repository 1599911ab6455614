//! Room for work: the first window in which it may start, and whether it fits.

use jiff::{SignedDuration, Timestamp};

use super::{
    Calendar,
    calendar::{FIRST_STRETCH_DAYS, HORIZON_DAYS, Stretch, add_days},
};

/// How many windows are looked at for one that is long enough: those of every night for three months, weekly ones for
/// two years.
const MOST_WINDOWS: usize = 100;

/// What a piece of work asks of a window. All counts from when it may begin; none is negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// What must be done before the window is of any use, in half of all cases; windows do not hold it.
    pub ahead_p50: SignedDuration,
    /// The same in nineteen of twenty cases.
    pub ahead_p95: SignedDuration,
    /// From the beginning to the first step that disturbs anybody, in half of all cases.
    pub first_p50: SignedDuration,
    /// From the beginning to the last step that a cutoff forbids, in nineteen of twenty cases.
    pub last_p95: SignedDuration,
    /// From the beginning to the end, in nineteen of twenty cases.
    pub whole_p95: SignedDuration,
}

/// Where work finds room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// When it may begin: the time asked about, if that lies in the window, else the window's opening.
    pub opens: Timestamp,
    /// When nothing new starts there any more; absent where the window does not end soon.
    pub cutoff: Option<Timestamp>,
    /// When the window closes; absent where it does not close soon.
    pub closes: Option<Timestamp>,
    /// Whether nineteen of twenty have started their last step before the cutoff and are done before the close.
    pub fits: bool,
}

/// What one stretch has to offer.
enum Offer {
    Room(Room),
    No,
    /// Its end lies beyond what was searched.
    Unknown,
}

impl Calendar {
    /// The first window from `from` on in which the work may start; one that demands a fit must be long enough for
    /// it. `None` where none is found within the search's bound.
    pub fn room(&self, from: Timestamp, needs: &Needs) -> Option<Room> {
        let mut ahead = FIRST_STRETCH_DAYS;
        loop {
            let (stretches, searched) = self.stretches(from, ahead);
            let last = searched == Timestamp::MAX || ahead >= HORIZON_DAYS;
            let mut unknown = false;
            for stretch in stretches.iter().take(MOST_WINDOWS) {
                match offer(stretch, from, needs, searched, last) {
                    Offer::Room(room) => return Some(room),
                    Offer::No => {}
                    Offer::Unknown => {
                        unknown = true;
                        break;
                    }
                }
            }
            if last || (!unknown && stretches.len() > MOST_WINDOWS) {
                return None;
            }
            ahead = ahead.saturating_mul(2);
        }
    }

    /// Whether work that is under way may start a further step at `at`.
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.room(at, &Needs::default()).is_some_and(|room| room.opens == at)
    }
}

fn offer(stretch: &Stretch, from: Timestamp, needs: &Needs, searched: Timestamp, last: bool) -> Offer {
    let opens = stretch.start.max(from);
    // Windows that go on over all that was searched have no end that anybody could name.
    let ends = stretch.end <= searched && stretch.end < Timestamp::MAX;
    if stretch.end <= opens || stretch.cutoff <= opens {
        return if ends || last { Offer::No } else { Offer::Unknown };
    }
    if !ends && !last && searched < add_days(opens, FIRST_STRETCH_DAYS) {
        return Offer::Unknown;
    }
    let begins = |ahead| opens.max(plus(from, ahead));
    let at_p95 = begins(needs.ahead_p95);
    let starts = plus(begins(needs.ahead_p50), needs.first_p50) < stretch.cutoff;
    let fits = plus(at_p95, needs.last_p95) < stretch.cutoff && plus(at_p95, needs.whole_p95) <= stretch.end;
    if !ends {
        // What has no end has room for anything, once it was looked for as far as any search goes.
        return if last || (starts && fits) {
            Offer::Room(Room { opens, cutoff: None, closes: None, fits: true })
        } else {
            Offer::Unknown
        };
    }
    if !starts || (stretch.fit && !fits) {
        return Offer::No;
    }
    Offer::Room(Room { opens, cutoff: Some(stretch.cutoff), closes: Some(stretch.end), fits })
}

/// `at + duration`, at most the end of time.
fn plus(at: Timestamp, duration: SignedDuration) -> Timestamp {
    at.checked_add(duration).unwrap_or(Timestamp::MAX)
}
