//! What follows from the end of an operation, and how often something is tried again before a person must look.
//!
//! One loop of a cluster keeps one of these. It remembers counts alone: what failed, and since when, the loop tells.

use dataminer_schema::id::PlanId;
use jiff::{SignedDuration, Timestamp};

use crate::exec::{
    effect::{Disposition, Failure},
    finish::{Finish, Pause, reason},
};

/// Failures in a row after which an operator must look.
const MOST_FAILURES: u32 = 10;
/// How often in a row one plan may find the Agents other than it knew them, before an operator must look: what moves
/// only now and then makes another plan, or passes.
const MOST_OUTDATED: u32 = 5;

/// How often in a row something went wrong or stood in the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patience {
    failures: u32,
    retry_at: Option<Timestamp>,
    delays: u32,
    /// The plan that was outdated last, and how often in a row it was.
    outdated: Option<(PlanId, u32)>,
    /// See [`Self::hurried`].
    hurry: i32,
}

/// What a loop does after an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// It looks and plans again at once.
    Again,
    /// It looks and plans again after a pause.
    After(SignedDuration),
    /// It failed, and is tried again at this time.
    Retry(Timestamp, Failure),
    /// A person or a commit must act: this wanted state is set aside.
    SetAside(Failure),
}

impl Patience {
    /// One whose pauses are divided by `hurry`, for Agents whose time passes so much faster; 1 for real ones.
    pub fn hurried(hurry: i32) -> Self {
        Self { hurry, ..Self::default() }
    }

    fn pause(&self, times: u32) -> SignedDuration {
        retry_pause(times) / self.hurry.max(1)
    }

    /// Failures in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// When a failure is tried again.
    pub fn retry_at(&self) -> Option<Timestamp> {
        self.retry_at
    }

    /// Pauses in a row for something that passes by itself.
    pub fn delays(&self) -> u32 {
        self.delays
    }

    /// What failed before does not count any more.
    pub fn forget_failures(&mut self) {
        (self.failures, self.retry_at, self.outdated) = (0, None, None);
    }

    /// The cluster is what it shall be, or an operation went to its end: nothing counts any more.
    pub fn overcome(&mut self) {
        *self = Self::hurried(self.hurry);
    }

    /// Nothing that passes by itself stands in the way any more.
    pub fn nothing_delays(&mut self) {
        self.delays = 0;
    }

    /// Something that passes by itself stands in the way; how long to wait before the next look.
    pub fn delayed(&mut self) -> SignedDuration {
        self.delays = self.delays.saturating_add(1);
        self.pause(self.delays)
    }

    /// Something could not be done now; how long to wait before it is tried again.
    pub fn put_off(&mut self) -> SignedDuration {
        self.failures = self.failures.saturating_add(1);
        self.pause(self.failures)
    }

    /// What follows from the end of an operation of `plan`.
    pub fn concluded(&mut self, finish: &Finish, plan: &PlanId, now: Timestamp) -> Then {
        match finish {
            Finish::Succeeded => {
                self.overcome();
                Then::Again
            }
            Finish::Paused { reason: Pause::Superseded, .. } => Then::Again,
            Finish::Paused { reason: Pause::WindowClosed, .. } => self.paused(),
            Finish::Paused { reason: Pause::Outdated, message, .. } => {
                let before =
                    self.outdated.take().filter(|(last, _)| last == plan).map_or(0, |(_, times)| times);
                let times = before.saturating_add(1);
                if times >= MOST_OUTDATED {
                    return self.failed(outdated(plan, times, message), now);
                }
                self.outdated = Some((plan.clone(), times));
                self.paused()
            }
            Finish::Failed { failure } => self.failed(failure.clone(), now),
        }
    }

    /// What follows from a failure. One that may pass is tried again, but not for ever.
    pub fn failed(&mut self, mut failure: Failure, now: Timestamp) -> Then {
        self.failures = self.failures.saturating_add(1);
        if failure.disposition == Disposition::Retry && self.failures >= MOST_FAILURES {
            failure.disposition = Disposition::Stalled;
            failure.message = format!("{} (tried {} times)", failure.message, self.failures);
        }
        match failure.disposition {
            Disposition::Retry => {
                let at = now.checked_add(self.pause(self.failures)).unwrap_or(Timestamp::MAX);
                self.retry_at = Some(at);
                Then::Retry(at, failure)
            }
            Disposition::Stalled => {
                self.retry_at = None;
                Then::SetAside(failure)
            }
        }
    }

    /// The next plan is made from what holds by then. A pause keeps a disagreement between planner and machine from
    /// spinning.
    fn paused(&mut self) -> Then {
        let pause = self.delayed();
        if self.delays == 1 { Then::Again } else { Then::After(pause) }
    }
}

/// Pauses that double, at most ten minutes.
pub fn retry_pause(failures: u32) -> SignedDuration {
    let doublings = failures.saturating_sub(1).min(8);
    SignedDuration::from_secs(15).saturating_mul(1 << doublings).min(SignedDuration::from_mins(10))
}

/// A plan that was carried out to its end, and that the Agents still ask for.
pub fn nothing_came_of(plan: &PlanId) -> Failure {
    Failure {
        disposition: Disposition::Stalled,
        reason: reason::NO_PROGRESS.to_owned(),
        message: format!("plan {} was executed to its end, and the Agents still ask for it", plan.short()),
        help: "Compare what the Agents show with what is wanted (`diff`); if they look right, please report this with \
               the plan."
            .to_owned(),
        agents: Vec::new(),
    }
}

fn outdated(plan: &PlanId, times: u32, message: &str) -> Failure {
    Failure {
        disposition: Disposition::Stalled,
        reason: reason::NO_PROGRESS.to_owned(),
        message: format!(
            "plan {} was begun {times} times, and each time the Agents were not what it starts from: {message}",
            plan.short()
        ),
        help: "See what changes on the Agents between two looks (`observe`, twice): another tool that installs, an Agent \
               that shows now one version and now another, a web package that was put on by hand. When they hold still, \
               run `retry`; if they did all along, please report this with the plan."
            .to_owned(),
        agents: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dataminer_schema::id::Sha256;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn plan(name: &str) -> PlanId {
        PlanId::from_sha256(&Sha256::of(name.as_bytes()))
    }

    fn paused(reason: Pause) -> Finish {
        Finish::Paused {
            reason,
            until: None,
            message: "the Agents do not show what step 4 starts from".to_owned(),
        }
    }

    fn failure(disposition: Disposition) -> Failure {
        let text = || "x".to_owned();
        Failure { disposition, reason: text(), message: text(), help: text(), agents: Vec::new() }
    }

    #[test]
    fn a_plan_that_is_outdated_again_and_again_is_set_aside() {
        let mut patience = Patience::default();
        let mut outdated = |name: &str| patience.concluded(&paused(Pause::Outdated), &plan(name), NOW);
        assert_eq!(outdated("a"), Then::Again);
        for seconds in [30, 60, 120] {
            assert_eq!(outdated("a"), Then::After(SignedDuration::from_secs(seconds)));
        }
        let Then::SetAside(failure) = outdated("a") else { panic!("an operator must look") };
        assert_eq!((failure.reason.as_str(), failure.disposition), ("NoProgress", Disposition::Stalled));
        assert!(failure.message.contains("5 times") && failure.message.contains("step 4"), "{failure:?}");
    }

    /// Another plan is progress, and so is an operation that went to its end.
    #[test]
    fn what_changes_in_between_counts_from_the_start() {
        let outdated = paused(Pause::Outdated);
        let mut patience = Patience::default();
        for name in ["a", "b", "a", "b", "a", "b", "a"] {
            assert!(!matches!(patience.concluded(&outdated, &plan(name), NOW), Then::SetAside(_)));
        }
        for _ in 0..3 {
            for _ in 0..3 {
                assert!(!matches!(patience.concluded(&outdated, &plan("a"), NOW), Then::SetAside(_)));
            }
            assert_eq!(patience.concluded(&Finish::Succeeded, &plan("a"), NOW), Then::Again);
        }
        assert_eq!(patience, Patience::default());
    }

    #[test]
    fn a_window_that_closes_is_waited_for_as_often_as_it_takes() {
        let mut patience = Patience::default();
        for _ in 0..50 {
            let then = patience.concluded(&paused(Pause::WindowClosed), &plan("a"), NOW);
            assert!(matches!(then, Then::Again | Then::After(_)), "{then:?}");
        }
        assert_eq!(patience.concluded(&paused(Pause::Superseded), &plan("a"), NOW), Then::Again);
    }

    #[test]
    fn what_may_pass_is_tried_again_but_not_for_ever() {
        let mut patience = Patience::default();
        let passing = failure(Disposition::Retry);
        for _ in 1..MOST_FAILURES {
            assert!(matches!(patience.failed(passing.clone(), NOW), Then::Retry(at, _) if at > NOW));
        }
        assert!(patience.retry_at().is_some());
        let Then::SetAside(failure) = patience.failed(passing, NOW) else { panic!("an operator must look") };
        assert!(failure.message.contains("tried 10 times"), "{failure:?}");
        assert_eq!(patience.retry_at(), None);
        patience.forget_failures();
        assert_eq!(patience.failures(), 0);
    }

    #[test]
    fn a_hurried_one_stays_so_whatever_was_overcome() {
        let mut patience = Patience::hurried(600);
        patience.overcome();
        assert_eq!(patience.put_off(), SignedDuration::from_millis(25));
        assert_eq!(patience.delayed(), SignedDuration::from_millis(25));
    }

    #[test]
    fn pauses_grow_and_are_capped() {
        assert_eq!(retry_pause(1).as_secs(), 15);
        assert_eq!(retry_pause(3).as_secs(), 60);
        assert_eq!(retry_pause(100).as_secs(), 600);
    }
}
