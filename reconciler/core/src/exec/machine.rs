//! One operation: the steps of one plan, in order, as a state machine without any input or output.
//!
//! The driver asks [`Machine::next`], performs the effect, and answers with [`Machine::handle`]; when nothing is
//! to be done yet, `next` says until when. `next` changes nothing but the deadline's verdict and the issue of an
//! effect, so it may be asked as often as one likes.
//!
//! # Guarantees
//!
//! * Before each disruptive step the Agents are looked at afresh, and the windows are checked at the very moment
//!   of asking for the job (S0, S7). A step that the Agents already show is skipped, never repeated.
//! * A job is asked for under one id until its fate is known. Another attempt has another id and is made only
//!   after all Agents were seen healthy and unchanged for `health.settle`.
//! * Before the first job behind which a restore or a module stands, notes of that work lie on every Agent; they
//!   go when the work is verified, or when it is shown that nothing was changed (G8).
//! * No step is skipped silently: an action that this machine cannot do ends the operation.
//!
//! # Assumptions
//!
//! * Effects are ensures, and a job that is asked for by a known id is found again.
//! * One machine per cluster at a time; the generation on the Agents enforces it.

use std::{collections::BTreeMap, sync::Arc};

use dataminer_schema::plan::{Plan, Step};
use jiff::{SignedDuration, Timestamp};

use super::{
    effect::{Disposition, Effect, EffectKind, Outcome},
    finish::{Finish, failure, reason},
    owed::Notes,
    patch::Copies,
    phase::Phase,
    policy::{ExecPolicy, after},
    tail::TailJob,
};
use crate::{catalog::Catalog, desired::Desired, knowledge::Knowledge};

/// What the driver shall do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Journal it, perform it, and answer with [`Machine::handle`].
    Effect(Effect),
    /// Nothing before `until`, unless the outside changes.
    Wait {
        on: String,
        until: Timestamp,
    },
    Finished(Finish),
}

/// The execution of one plan.
#[derive(Clone, Debug)]
pub struct Machine {
    pub(super) plan: Plan,
    pub(super) desired: Desired,
    pub(super) catalog: Arc<Catalog>,
    pub(super) policy: ExecPolicy,
    /// What is known to help against a failed check.
    pub(super) knowledge: Knowledge,
    started_at: Timestamp,
    pub(super) deadline: Timestamp,
    pub(super) next_effect: u64,
    /// The index of the step at hand.
    pub(super) step: usize,
    pub(super) step_started_at: Timestamp,
    /// The number of the next attempt at the job of the step at hand.
    pub(super) attempt: u32,
    /// The last attempt that was asked for, by step: a step that is gone back to goes on counting.
    pub(super) attempts: BTreeMap<String, u32>,
    pub(super) notes: Notes,
    pub(super) copies: Copies,
    pub(super) phase: Phase,
    /// Issued and not answered.
    pub(super) pending: Option<Effect>,
    pub(super) stop: Option<Stop>,
}

/// A request to stop before the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Abort,
    Supersede,
}

impl Machine {
    /// The operation of `plan`, which was made from `desired`.
    pub fn new(
        plan: Plan,
        desired: Desired,
        catalog: Arc<Catalog>,
        policy: ExecPolicy,
        now: Timestamp,
    ) -> Self {
        Self {
            attempt: policy.first_attempt,
            deadline: after(now, policy.overall),
            plan,
            desired,
            catalog,
            policy,
            knowledge: Knowledge::default(),
            started_at: now,
            next_effect: 1,
            step: 0,
            step_started_at: now,
            attempts: BTreeMap::new(),
            notes: Notes::default(),
            copies: Copies::default(),
            phase: Phase::Enter,
            pending: None,
            stop: None,
        }
    }

    /// The same with what is known beside what this program knows itself.
    #[must_use]
    pub fn knowing(mut self, knowledge: Knowledge) -> Self {
        self.knowledge = knowledge;
        self
    }

    /// The plan that is executed.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// When the operation was begun.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// When the operation is given up.
    pub fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// The step at hand; none once the operation succeeded.
    pub fn step(&self) -> Option<&Step> {
        self.plan.steps.get(self.step)
    }

    /// When the step at hand was begun.
    pub fn step_started_at(&self) -> Timestamp {
        self.step_started_at
    }

    /// How many steps are done.
    pub fn steps_done(&self) -> usize {
        self.step
    }

    /// Stops before the next disruptive step, and before anything but the verification of what was done and the
    /// work that it left owed.
    pub fn abort(&mut self) {
        self.stop = Some(Stop::Abort);
    }

    /// Another commit is wanted: stops as [`Machine::abort`] does, for another plan.
    pub fn supersede(&mut self) {
        self.stop.get_or_insert(Stop::Supersede);
    }

    /// Gives up the effect at hand, so that a request to stop is heard at once. Refused for a job: its fate must
    /// be known. Everything else disturbs nobody and is an ensure.
    pub fn drop_effect(&mut self) -> bool {
        let droppable = self.pending.as_ref().is_some_and(|effect| !effect.kind.is_job());
        if droppable {
            self.pending = None;
        }
        droppable
    }

    /// What to do now.
    pub fn next(&mut self, now: Timestamp) -> Next {
        if let Some(effect) = &self.pending {
            return Next::Effect(effect.clone());
        }
        if now >= self.deadline
            && !matches!(self.phase, Phase::Prove(_) | Phase::Withdraw { .. } | Phase::Finished(_))
        {
            self.give_up(now);
        }
        loop {
            if let Some(stop) = self.stop.filter(|_| self.may_stop()) {
                self.end_unless_changed(now, self.stopped(stop), SignedDuration::ZERO);
            }
            match &self.phase {
                Phase::Finished(finish) => return Next::Finished(finish.clone()),
                Phase::Enter => self.enter(now),
                Phase::Gate(tries) => return self.observe_at(now, tries.next_at, "Agents"),
                Phase::Reattach { tries, .. } => return self.observe_at(now, tries.next_at, "Agents"),
                Phase::Watch { next_at, .. } => {
                    return self.observe_at(now, *next_at, "Agents after a lost job");
                }
                Phase::Verify { next_at, .. } => return self.observe_at(now, *next_at, "stable health"),
                Phase::Prove(proof) => return self.observe_at(now, proof.next_at, "unchanged Agents"),
                Phase::Act(tries)
                | Phase::Owe(tries)
                | Phase::Compare(tries)
                | Phase::Acquit(tries)
                | Phase::Tail { tries, .. }
                | Phase::Withdraw { tries, .. }
                    if now < tries.next_at =>
                {
                    return Next::Wait { on: "the next try".to_owned(), until: tries.next_at };
                }
                Phase::Tail { work, .. } => return self.issue(work.effect()),
                Phase::Act(_)
                | Phase::Owe(_)
                | Phase::Compare(_)
                | Phase::Acquit(_)
                | Phase::Withdraw { .. } => match self.quiet_effect(now) {
                    Ok(kind) => return self.issue(kind),
                    Err(failure) => self.fail(now, failure),
                },
                Phase::Run { job, fresh } => {
                    let (job, fresh) = (job.clone(), *fresh);
                    if fresh && let Some(finish) = self.gate_closed(now) {
                        self.end_unless_changed(now, finish, SignedDuration::ZERO);
                    } else {
                        return self.issue(EffectKind::RunJob(job));
                    }
                }
            }
        }
    }

    /// Takes the outcome of the effect `id`. An answer to anything but the effect at hand changes nothing.
    pub fn handle(&mut self, now: Timestamp, id: u64, outcome: Outcome) {
        if self.pending.as_ref().is_none_or(|effect| effect.id != id) {
            return;
        }
        let Some(effect) = self.pending.take() else { return };
        self.notes.answered(&effect.kind, &outcome);
        self.copies.answered(&effect.kind, &outcome);
        match (effect.kind, outcome) {
            (EffectKind::Observe, Outcome::Observed(observation)) => self.observed(now, &observation),
            (EffectKind::RunJob(job), Outcome::JobEnded(end)) => self.job_ended(now, job, end),
            (EffectKind::RunJob(job), Outcome::Failed(failure)) => self.job_unknown(now, job, failure),
            (EffectKind::RestoreContent(restore), outcome) => {
                self.tail_answered(now, TailJob::Restore(restore), outcome);
            }
            (EffectKind::ReinstallModule(install), outcome) => {
                self.tail_answered(now, TailJob::Module(install), outcome);
            }
            (EffectKind::RunPrerequisites(run), outcome) => self.checks_answered(now, &run, outcome),
            (EffectKind::Owe { .. }, Outcome::Done) => self.begin(now),
            (EffectKind::VerifyContent { .. }, Outcome::Done) => self.content_right(now),
            (EffectKind::VerifyContent { .. }, Outcome::Failed(failure))
                if failure.reason == reason::CONTENT_DIFFERS =>
            {
                self.content_differs(now, failure);
            }
            (EffectKind::Acquit { .. }, Outcome::Done) => self.acquitted(now),
            (
                EffectKind::StagePackage { .. } | EffectKind::SaveBackup { .. } | EffectKind::CleanUp { .. },
                Outcome::Done | Outcome::Saved(_) | Outcome::Patched(_),
            ) => self.complete(now),
            (_, Outcome::Failed(failure)) => self.retry(now, failure),
            (kind, outcome) => self.mismatched(now, &kind, &outcome),
        }
    }

    fn observe_at(&mut self, now: Timestamp, at: Timestamp, on: &str) -> Next {
        if now < at { Next::Wait { on: on.to_owned(), until: at } } else { self.issue(EffectKind::Observe) }
    }

    fn issue(&mut self, kind: EffectKind) -> Next {
        let step = self.step().map(|step| step.id.clone()).unwrap_or_default();
        let effect = Effect { id: self.next_effect, step, kind };
        self.next_effect += 1;
        self.intended(&effect);
        self.pending = Some(effect.clone());
        Next::Effect(effect)
    }

    /// Notes what an effect that is about to be asked for begins; also read from the journal.
    pub(super) fn intended(&mut self, effect: &Effect) {
        if let Some(attempt) = effect.kind.attempt() {
            self.attempts.insert(effect.step.clone(), attempt);
        }
        self.notes.intended(effect, self.has_tail());
    }

    pub(super) fn complete(&mut self, now: Timestamp) {
        self.step += 1;
        self.step_started_at = now;
        let last = self.step().and_then(|step| self.attempts.get(&step.id));
        self.attempt = last.copied().unwrap_or(self.policy.first_attempt);
        self.phase = Phase::Enter;
    }

    pub(super) fn mismatched(&mut self, now: Timestamp, kind: &EffectKind, outcome: &Outcome) {
        self.fail(
            now,
            failure(
                Disposition::Stalled,
                reason::PLAN_INVALID,
                format!("an effect was answered with something else: {kind:?} with {outcome:?}"),
                "This is a defect of this program: please report it.",
                Vec::new(),
            ),
        );
    }

    /// How often the Agents are looked at: often enough to notice a break within `health.settle`.
    pub(super) fn poll(&self) -> SignedDuration {
        let quarter = self.desired.cluster.health.settle / 4;
        quarter.max(SignedDuration::from_millis(200)).min(SignedDuration::from_secs(5))
    }
}
