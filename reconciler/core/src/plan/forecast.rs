//! When the work starts and ends, and whether it fits its window: the same answer for the gate and for the reader.

use dataminer_schema::plan::{Forecast, Step, Waiting, WaitingOn};
use jiff::{SignedDuration, Timestamp};

use super::{
    PlanInput,
    work::{Case, Run, Work, plus},
};
use crate::window::{Calendar, Room, WindowState, second};

/// A plan's work, the windows, and where it finds room in them.
#[derive(Clone, Debug)]
pub(super) struct Outlook<'a> {
    pub(super) work: Work,
    pub(super) calendar: &'a Calendar,
    /// From here on nothing but windows and people hold it.
    pub(super) from: Timestamp,
    /// Where it may begin; `None` where no window has room for it. Work that no window holds may begin at `from`.
    pub(super) room: Option<Room>,
    /// The windows at `from`, where the work may not begin then.
    pub(super) closed: Option<WindowState>,
}

impl<'a> Outlook<'a> {
    /// `waiting`: what the plan waits for, windows apart.
    pub(super) fn of(input: &PlanInput<'a>, work: Work, waiting: &[Waiting]) -> Self {
        let from = held_until(input.now, waiting);
        let calendar = &input.desired.calendar;
        let room = if work.is_gated() {
            calendar.room(from, &work.needs())
        } else {
            Some(Room { opens: from, cutoff: None, closes: None, fits: true })
        };
        let begins = room.is_some_and(|room| room.opens == from);
        let closed = (!begins).then(|| calendar.state(from));
        Self { work, calendar, from, room, closed }
    }

    /// How nineteen of twenty go at most.
    pub(super) fn slow_run(&self) -> Option<Run> {
        self.work.run(self.calendar, self.from, self.room?.opens, Case::Most)
    }

    /// The forecast of a plan that waits for `waiting`; `None` where it waits for somebody, and where no window has
    /// room for it or for its last hops.
    pub(super) fn forecast(&self, waiting: &[Waiting]) -> Option<Forecast> {
        if waiting.iter().any(|waiting| waiting.until.is_none()) {
            return None;
        }
        let room = self.room?;
        let half = self.work.run(self.calendar, self.from, room.opens, Case::Half)?;
        let most = self.slow_run()?;
        Some(Forecast {
            starts: half.starts,
            ends: half.ends,
            // A slow run may reach a window that the fast one found too short to begin in.
            ends_latest: most.ends.max(half.ends),
            window_closes: room.closes,
            fits: room.fits,
            basis: self.work.basis,
        })
    }

    /// What to warn of where the work, `steps`, does not fit the window that it begins in, or none at all.
    pub(super) fn too_short(&self, steps: &[Step]) -> Option<String> {
        let needs = self.work.needs();
        let Some(room) = self.room else {
            let minutes = needs.whole_p95.as_mins();
            let opens = self.closed.as_ref().is_some_and(|state| state.open || state.next_open.is_some());
            return opens.then(|| {
                format!(
                    "by the estimate (p95) the work takes {minutes} min, and no window has room for it: it will never start"
                )
            });
        };
        if room.fits {
            return None;
        }
        let starts_now = room.opens == self.from;
        // What starts now is prepared first; before a window that is still closed that is done in time.
        let before = if starts_now { needs.ahead_p95 } else { SignedDuration::ZERO };
        let minutes = |work: SignedDuration| before.saturating_add(work).as_mins();
        let opens = if starts_now { String::new() } else { format!(" that opens at {}", second(room.opens)) };
        let whole = room.opens.checked_add(before.saturating_add(needs.whole_p95)).ok();
        let message = match (room.cutoff, room.closes) {
            (Some(cutoff), Some(closes)) if whole.is_some_and(|ends| ends <= closes) => format!(
                "by the estimate (p95) the last hop comes after {} min, past the cutoff ({}) of the window{opens}",
                minutes(needs.last_p95),
                second(cutoff)
            ),
            (_, closes) => format!(
                "by the estimate (p95) the work takes {} min, longer than the window{opens}{}",
                minutes(needs.whole_p95),
                closes.map(|closes| format!(" (until {})", second(closes))).unwrap_or_default()
            ),
        };
        let to = |step: usize| steps.get(step).and_then(|step| step.to.as_deref()).unwrap_or("the rest");
        let moves = room.opens < plus(self.from, needs.ahead_p95) || starts_now;
        let then = match (self.slow_run(), self.first_late(room)) {
            (None, _) => "; taking that long, its last hops find no window".to_owned(),
            // What moves with the clock does not name the later window: the same plan keeps the same words.
            (Some(_), Some(late)) if moves => {
                format!("; taking that long, {} waits for a later window", to(late))
            }
            (Some(Run { pause: Some((step, at)), .. }), _) if !moves => {
                format!("; taking that long, {} waits for the window of {}", to(step), second(at))
            }
            (Some(_), _) => String::new(),
        };
        Some(format!("{message}{then}"))
    }
}

impl Outlook<'_> {
    /// The first step that a slow run reaches behind the cutoff of `room`, if it counts from the present.
    fn first_late(&self, room: Room) -> Option<usize> {
        let cutoff = room.cutoff?;
        let gates = self.work.gates_p95().into_iter();
        gates.filter(|(_, after)| cutoff <= plus(self.from, *after)).map(|(step, _)| step).next()
    }
}

/// Until when the plan is held by what passes at a time of its own; windows are judged from there on.
fn held_until(now: Timestamp, waiting: &[Waiting]) -> Timestamp {
    let others = waiting.iter().filter(|waiting| waiting.on != WaitingOn::Window);
    others.filter_map(|waiting| waiting.until).fold(now, Timestamp::max)
}
