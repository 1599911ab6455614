//! Whether the first job changed anything: if not, nothing is owed, and its notes go.

use dataminer_schema::{id::JobId, plan::Action};
use jiff::{SignedDuration, Timestamp};

use super::{
    effect::{Disposition, Failure},
    expected::{Expected, is_install},
    finish::{Finish, failure, reason},
    machine::Machine,
    phase::{Phase, Tries},
    policy::after,
    sight::{Seen, Sight},
};

/// A search for the proof that the first job changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proof {
    /// How the operation ends, with notes or without.
    pub(super) finish: Finish,
    /// How long the Agents must show it.
    pub(super) settle: SignedDuration,
    pub(super) since: Timestamp,
    pub(super) quiet_since: Option<Timestamp>,
    pub(super) next_at: Timestamp,
}

impl Machine {
    /// The step whose job may turn out to have changed nothing, so that nothing is owed: the first one that was
    /// asked for, while nothing behind its VerifyCluster was.
    pub(super) fn first_owing_step(&self) -> Option<usize> {
        let begun = self.notes.begun.as_ref()?;
        let index = self.plan.steps.iter().position(|step| step.id == *begun)?;
        let install = self.plan.steps.get(index).is_some_and(|step| is_install(step.action));
        let at_hand = self.step == index
            || (self.step == index + 1
                && self.step().is_some_and(|step| step.action == Action::VerifyCluster));
        (install && at_hand && self.notes.asked).then_some(index)
    }

    pub(super) fn prove_observed(&mut self, now: Timestamp, sight: &Sight<'_>, proof: Proof) {
        let Some(first) = self.first_owing_step() else {
            return self.phase = Phase::Finished(self.with_debts(proof.finish));
        };
        let before = Expected::before(&self.plan, first);
        let quiet_since = match sight.seen_since(&self.plan, &before) {
            Seen::Changed => return self.phase = Phase::Finished(self.with_debts(proof.finish)),
            Seen::Unchanged => Some(proof.quiet_since.unwrap_or(now)),
            Seen::Unclear => None,
        };
        if quiet_since.is_some_and(|since| now.duration_since(since) >= proof.settle) {
            self.phase = Phase::Withdraw { finish: proof.finish, tries: Tries::new(now) };
        } else {
            self.look_again(now, Proof { quiet_since, ..proof });
        }
    }

    /// Goes on looking for the proof, as long as health is waited for elsewhere.
    pub(super) fn look_again(&mut self, now: Timestamp, proof: Proof) {
        self.phase = if now.duration_since(proof.since) >= self.desired.cluster.health.timeout + proof.settle
        {
            Phase::Finished(self.with_debts(proof.finish))
        } else {
            Phase::Prove(Proof { next_at: after(now, self.poll()), ..proof })
        };
    }

    /// The notes of work that nobody owes could not be removed: the next plan would restore old content.
    pub(super) fn notes_left(&self, finish: &Finish, cause: Failure) -> Finish {
        let ids = self.note_ids().unwrap_or_default();
        let ids: Vec<&str> = ids.iter().map(JobId::as_str).collect();
        let (end, agents) = match finish {
            Finish::Failed { failure } => (failure.message.clone(), &failure.agents),
            Finish::Paused { message, .. } => (message.clone(), &cause.agents),
            Finish::Succeeded => (String::new(), &cause.agents),
        };
        let agents = if cause.agents.is_empty() { agents.clone() } else { cause.agents };
        Finish::Failed {
            failure: failure(
                Disposition::Stalled,
                reason::NOTES_LEFT,
                format!(
                    "{end}; nothing was changed, but the notes of owed work ({}) could not be removed: {}",
                    ids.join(", "),
                    cause.message
                ),
                "Delete the files of these names from the folder owed of the reconciler on the Agents; then run `retry`. \
                 With the notes in place it would restore content that is not owed.",
                agents,
            ),
        }
    }
}
