//! How the machine ends an operation, and what it says then.

use jiff::{SignedDuration, Timestamp};

use super::{
    effect::{Disposition, Failure},
    finish::{Finish, Pause, failure, reason},
    machine::{Machine, Stop},
    phase::{Phase, Tries},
    proof::Proof,
};

impl Machine {
    /// Ends the operation. Notes of work that no job has begun to owe go first.
    pub(super) fn end(&mut self, now: Timestamp, finish: Finish) {
        self.phase = if self.notes.is_idle() {
            Phase::Withdraw { finish, tries: Tries::new(now) }
        } else {
            Phase::Finished(self.with_debts(finish))
        };
    }

    /// Ends the operation where the job that owes first is not known to have changed anything: the notes go if the
    /// Agents show for `settle` that it did not. A restore over a system that never went down would lose content.
    pub(super) fn end_unless_changed(&mut self, now: Timestamp, finish: Finish, settle: SignedDuration) {
        if self.first_owing_step().is_some() {
            self.phase = Phase::Prove(Proof { finish, settle, since: now, quiet_since: None, next_at: now });
        } else {
            self.end(now, finish);
        }
    }

    /// Ends the operation with `failure`.
    pub(super) fn fail(&mut self, now: Timestamp, failure: Failure) {
        self.end(now, Finish::Failed { failure });
    }

    pub(super) fn give_up(&mut self, now: Timestamp) {
        let at =
            self.step().map_or_else(String::new, |step| format!(" at step {} ({:?})", step.id, step.action));
        let agents = self.step().map(|step| step.agents.clone()).unwrap_or_default();
        let failure = failure(
            Disposition::Stalled,
            reason::DEADLINE_EXCEEDED,
            format!("the operation was given up{at}: it took longer than {:#}", self.policy.overall),
            "Nothing was stopped on the Agents. Look at what the step waits for; then run `retry`.",
            agents,
        );
        let finish = Finish::Failed { failure };
        if matches!(self.phase, Phase::Gate(_) | Phase::Owe(_) | Phase::Run { fresh: true, .. }) {
            self.end_unless_changed(now, finish, SignedDuration::ZERO);
        } else {
            self.end(now, finish);
        }
    }

    pub(super) fn stopped(&self, stop: Stop) -> Finish {
        let step = self.step();
        let before =
            step.map_or_else(String::new, |step| format!(" before step {} ({:?})", step.id, step.action));
        match stop {
            Stop::Supersede => Finish::Paused {
                reason: Pause::Superseded,
                until: None,
                message: format!("another commit is wanted by now; stopped{before}"),
            },
            Stop::Abort => Finish::Failed {
                failure: failure(
                    Disposition::Stalled,
                    reason::ABORTED,
                    format!("stopped on request{before}; the steps before it are done"),
                    "Run `retry` to go on.",
                    Vec::new(),
                ),
            },
        }
    }

    pub(super) fn invalid(&self, what: &str) -> Failure {
        let step = self.step().map_or("?", |step| step.id.as_str());
        failure(
            Disposition::Stalled,
            reason::PLAN_INVALID,
            format!("step {step} of plan {} cannot be done: {what}", self.plan.id.short()),
            "This is a defect of the planner: please report it with the plan.",
            Vec::new(),
        )
    }
}
