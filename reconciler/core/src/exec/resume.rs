//! A machine put back where the journal says that a crashed process left it.

use std::sync::Arc;

use dataminer_schema::plan::Plan;
use jiff::Timestamp;

use super::{
    effect::{EffectKind, Outcome},
    journal::{JournalEntry, Replay},
    machine::{Machine, Phase, Tries},
    policy::{ExecPolicy, Scope, after},
};
use crate::{catalog::Catalog, desired::Desired};

impl Machine {
    /// The operation of `plan` after a crash, from its `journal`.
    ///
    /// What disturbs nobody is done again from the beginning of its step: those effects are ensures. A job that
    /// was asked for is looked for before anything else; it is never asked for under another id while its fate is
    /// not known. The deadlines of the first start hold.
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
        // An unknown step cannot be: the journal and the plan are stored together. Beginning again is safe.
        machine.step = machine.plan.steps.iter().position(|step| step.id == effect.step).unwrap_or(0);
        let last_job = journal.iter().rev().find_map(|entry| match &entry.record {
            super::journal::Record::Intent { effect: intent } if intent.step == effect.step => {
                match &intent.kind {
                    EffectKind::RunJob(job) => Some((job, intent.kind.attempt())),
                    _ => None,
                }
            }
            _ => None,
        });
        let last_job = last_job.map(|(job, attempt)| {
            machine.attempt = attempt.unwrap_or(machine.attempt);
            job
        });
        match (&effect.kind, outcome, last_job) {
            (EffectKind::RunJob(_), Some(outcome @ Outcome::JobEnded(_)), _) => {
                machine.pending = Some(effect.clone());
                machine.handle(now, effect.id, outcome.clone());
            }
            // No outcome, a lost connection, or a look at the Agents after the job: look again.
            (_, _, Some(job)) => {
                let tries =
                    Tries { since: now, failures: 0, next_at: after(now, jiff::SignedDuration::ZERO) };
                machine.phase = Phase::Reattach { job: job.clone(), tries };
            }
            (
                EffectKind::StagePackage { .. } | EffectKind::SaveBackup { .. } | EffectKind::CleanUp { .. },
                Some(Outcome::Done | Outcome::Saved(_)),
                None,
            ) => {
                machine.pending = Some(effect.clone());
                machine.handle(now, effect.id, Outcome::Done);
            }
            _ => {}
        }
        machine
    }
}
