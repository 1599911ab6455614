//! A machine put back where the journal says that a crashed process left it.

use std::sync::Arc;

use dataminer_schema::plan::Plan;
use jiff::{SignedDuration, Timestamp};

use super::{
    effect::{Effect, EffectKind, Outcome},
    expected::is_tail,
    journal::{JournalEntry, Record, Replay},
    machine::Machine,
    phase::{Phase, Tries},
    policy::{ExecPolicy, Scope, after},
    tail::TailJob,
};
use crate::{catalog::Catalog, desired::Desired};

impl Machine {
    /// The operation of `plan` after a crash, from its `journal`.
    ///
    /// What disturbs nobody is done again from the beginning of its step: those effects are ensures. A job that
    /// was asked for is looked for before anything else; it is never asked for under another id while its fate is
    /// not known. The deadlines of the first start hold, but for what is owed: that is not given up because the
    /// process was away.
    pub fn resume(
        plan: Plan,
        desired: Desired,
        catalog: Arc<Catalog>,
        mut policy: ExecPolicy,
        journal: &[JournalEntry],
        now: Timestamp,
    ) -> Self {
        let replay = Replay::of(journal);
        let started_at = replay.started_at.unwrap_or(now);
        if let Some(started) = replay.started {
            policy.first_attempt = started.first_attempt;
            policy.scope = if started.preparation { Scope::Preparation } else { Scope::Whole };
        }
        let mut machine = Self::new(plan, desired, catalog, policy, started_at);
        machine.step_started_at = now;
        if let Some(finish) = replay.finish {
            machine.phase = Phase::Finished(finish.clone());
            return machine;
        }
        let Some((effect, outcome)) = replay.last else { return machine };
        machine.next_effect = effect.id + 1;
        machine.recall(journal);
        // An unknown step cannot be: the journal and the plan are stored together. Beginning again is safe.
        machine.step = machine.plan.steps.iter().position(|step| step.id == effect.step).unwrap_or(0);
        if machine.notes.is_begun() {
            machine.deadline = machine.deadline.max(after(now, machine.policy.overall));
        }
        let last_job = last_job(journal, &effect.step);
        if let Some((job, _)) = last_job {
            machine.attempt = job.kind.attempt().unwrap_or(machine.attempt);
        }
        if last_job.is_none()
            && let Some(attempt) = effect.kind.attempt()
        {
            machine.attempt = attempt;
        }
        match (last_job, &effect.kind, outcome) {
            (Some((job, Some(outcome @ Outcome::JobEnded(_)))), _, _) => machine.answer(now, job, outcome),
            (Some((job, _)), _, _) => machine.look_for(now, &job.kind),
            (None, EffectKind::Acquit { .. }, Some(Outcome::Done)) if machine.closes_tail() => {
                machine.complete(now);
            }
            // Some notes may be gone already: the content was compared before that, and what users do to it since is
            // theirs. Looking again could find it owed with no note of it.
            (None, EffectKind::Acquit { .. }, _) if machine.closes_tail() => {
                machine.phase = Phase::Acquit(Tries::new(now));
            }
            (
                None,
                EffectKind::StagePackage { .. } | EffectKind::SaveBackup { .. } | EffectKind::CleanUp { .. },
                Some(outcome @ (Outcome::Done | Outcome::Saved(_) | Outcome::Patched(_))),
            ) => machine.answer(now, effect, outcome),
            (
                None,
                EffectKind::RunPrerequisites(_),
                Some(outcome @ (Outcome::Checked(_) | Outcome::JobEnded(_))),
            ) => {
                machine.answer(now, effect, outcome);
            }
            _ => {}
        }
        machine
    }

    /// Reads from the journal which attempts were made and what became of the notes.
    fn recall(&mut self, journal: &[JournalEntry]) {
        let mut asked: Option<&Effect> = None;
        for entry in journal {
            match &entry.record {
                Record::Intent { effect } => {
                    self.intended(effect);
                    asked = Some(effect);
                }
                Record::Outcome { effect, outcome } => {
                    let Some(asked) = asked.filter(|asked| asked.id == *effect) else { continue };
                    self.notes.answered(&asked.kind, outcome);
                    self.copies.answered(&asked.kind, outcome);
                    // The last look before a repair's first job is the one that opened its gate.
                    let gate =
                        || self.plan.steps.iter().any(|step| step.id == asked.step && is_tail(step.action));
                    if let Outcome::Observed(observation) = outcome
                        && self.is_repair()
                        && !self.notes.is_begun()
                        && gate()
                    {
                        self.see_notes(observation);
                    }
                }
                Record::OperationStarted(_) | Record::Finished { .. } => {}
            }
        }
    }

    /// Takes an answer from the journal.
    fn answer(&mut self, now: Timestamp, effect: &Effect, outcome: &Outcome) {
        self.pending = Some(effect.clone());
        self.handle(now, effect.id, outcome.clone());
    }

    /// No outcome, or a lost connection: looks for an install on the Agents; other work is asked for again, which
    /// finds it.
    fn look_for(&mut self, now: Timestamp, kind: &EffectKind) {
        let tries = Tries { since: now, failures: 0, next_at: after(now, SignedDuration::ZERO) };
        if let EffectKind::RunJob(job) = kind {
            self.phase = Phase::Reattach { job: job.clone(), tries };
        } else if let Some(mut work) = TailJob::of(kind) {
            work.extend(after(now, self.policy.tail_job));
            self.phase = Phase::Tail { work, tries };
        }
    }
}

/// The last job that was asked for at `step`, and its outcome.
fn last_job<'a>(journal: &'a [JournalEntry], step: &str) -> Option<(&'a Effect, Option<&'a Outcome>)> {
    let mut last: Option<(&Effect, Option<&Outcome>)> = None;
    for entry in journal {
        match &entry.record {
            Record::Intent { effect } if effect.step == *step && effect.kind.is_job() => {
                last = Some((effect, None));
            }
            Record::Outcome { effect, outcome } => {
                if let Some((job, answer)) = &mut last
                    && job.id == *effect
                {
                    *answer = Some(outcome);
                }
            }
            _ => {}
        }
    }
    last
}
