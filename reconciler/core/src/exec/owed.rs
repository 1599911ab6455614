//! Notes of owed work (G8): written before the first job that owes, gone when the work is verified or was never
//! owed.

use std::collections::BTreeSet;

use dataminer_schema::{
    id::{AgentName, JobId},
    plan::{Action, Step},
    v1::observation::{Observation, OwedWork},
};
use jiff::Timestamp;

use super::{
    effect::{Effect, EffectKind, Failure, Outcome},
    expected::{is_core, is_install, is_tail},
    finish::Finish,
    machine::Machine,
    phase::Phase,
    tools::is_tool,
};

/// What an operation did about notes, as its journal tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Notes {
    /// They were asked for, so they may lie on any Agent.
    pub(super) asked: bool,
    /// They lie on every Agent.
    written: bool,
    /// The step whose job was asked for first: from then on something may be owed.
    pub(super) begun: Option<String>,
    /// What a repair saw at its gate, of the work that its plan does; none before it looked.
    seen: Option<BTreeSet<JobId>>,
    /// Notes were taken away and nothing was begun since.
    gone: bool,
}

impl Notes {
    /// An effect is about to be asked for, by a plan that may owe.
    pub(super) fn intended(&mut self, effect: &Effect, owing: bool) {
        match &effect.kind {
            EffectKind::Owe { .. } => self.asked = true,
            // From here on any of them may be gone.
            EffectKind::Acquit { .. } => self.written = false,
            // A tool owes nothing, whatever stands behind it.
            EffectKind::RunJob(job) if is_tool(job.action) => {}
            kind if kind.is_job() && owing => {
                self.begun.get_or_insert_with(|| effect.step.clone());
            }
            _ => {}
        }
    }

    /// An effect was answered.
    pub(super) fn answered(&mut self, kind: &EffectKind, outcome: &Outcome) {
        match (kind, outcome) {
            (EffectKind::Owe { .. }, Outcome::Done) => self.written = true,
            (EffectKind::Acquit { .. }, Outcome::Done) => *self = Self { gone: true, ..Self::default() },
            _ => {}
        }
    }

    /// Whether a job was asked for whose work is not acquitted.
    pub(super) fn is_begun(&self) -> bool {
        self.begun.is_some()
    }

    /// Whether notes may lie on Agents, of which no job has begun to owe anything.
    pub(super) fn is_idle(&self) -> bool {
        self.asked && self.begun.is_none()
    }
}

impl Machine {
    fn tail(&self) -> impl DoubleEndedIterator<Item = (usize, &Step)> {
        self.plan.steps.iter().enumerate().filter(|(_, step)| is_tail(step.action))
    }

    /// Whether the plan restores content or reinstalls modules.
    pub(super) fn has_tail(&self) -> bool {
        self.tail().next().is_some()
    }

    /// Whether the plan only does what an earlier operation left owed.
    pub(super) fn is_repair(&self) -> bool {
        self.has_tail() && !self.plan.steps.iter().any(|step| is_install(step.action))
    }

    /// Whether notes must be written before the job at hand, if it is the first one. A repair follows notes.
    pub(super) fn must_owe(&self) -> bool {
        let behind = self.tail().any(|(index, _)| index >= self.step);
        behind && !self.is_repair() && !self.notes.written
    }

    /// Whether what was begun must be brought to its end (invariant 7): work is owed, and no further core hop
    /// stands between here and it.
    pub(super) fn is_bound(&self) -> bool {
        let Some(begun) = &self.notes.begun else { return false };
        let ahead = self.plan.steps.get(self.step..).unwrap_or_default();
        let first = ahead.first().is_some_and(|step| step.id == *begun && is_install(step.action));
        !first && !ahead.iter().any(|step| is_core(step.action))
    }

    /// Whether a request to stop is heard in this phase.
    pub(super) fn may_stop(&self) -> bool {
        match self.phase {
            Phase::Gate(_) | Phase::Act(_) | Phase::Owe(_) | Phase::Run { fresh: true, .. } => {
                !self.is_bound()
            }
            Phase::Tail { .. } => !self.notes.is_begun(),
            Phase::Enter
            | Phase::Run { fresh: false, .. }
            | Phase::Reattach { .. }
            | Phase::Watch { .. }
            | Phase::Verify { .. }
            | Phase::Compare(_)
            | Phase::Acquit(_)
            | Phase::Prove(_)
            | Phase::Withdraw { .. }
            | Phase::Finished(_) => false,
        }
    }

    /// Whether the step at hand is the verification behind which nothing is owed any more.
    pub(super) fn closes_tail(&self) -> bool {
        let last = self.tail().next_back().map(|(index, _)| index);
        last.is_some_and(|last| last < self.step && Some(self.step) == self.last_verification())
    }

    fn last_verification(&self) -> Option<usize> {
        self.plan.steps.iter().rposition(|step| step.action == Action::VerifyCluster)
    }

    /// Every Agent of the plan.
    pub(super) fn everyone(&self) -> Vec<AgentName> {
        self.plan.agents.iter().map(|agent| agent.name.clone()).collect()
    }

    fn note_id(&self, step: &Step) -> Result<JobId, Failure> {
        let text = format!("{}-{}", self.plan.id.short(), step.id).to_lowercase();
        text.parse().map_err(|_| self.invalid("the note of its work cannot name a file"))
    }

    /// What the plan owes once its first job was started; fails if it cannot be done or verified.
    pub(super) fn owed_work(&self) -> Result<Vec<OwedWork>, Failure> {
        let last = self.tail().next_back().map(|(index, _)| index);
        if last > self.last_verification() {
            return Err(self.invalid("nothing verifies the work that the plan owes"));
        }
        self.tail()
            .map(|(_, step)| {
                let (backup, module) = (step.backup.as_ref(), step.module.clone());
                match step.action {
                    Action::RestoreContent if backup.is_none() => {
                        return Err(self.invalid(&format!("step {} names no backup", step.id)));
                    }
                    Action::ReinstallModule if module.is_none() => {
                        return Err(self.invalid(&format!("step {} names no module", step.id)));
                    }
                    _ => {}
                }
                let id = Some(self.note_id(step)?);
                let backup = backup.map(|backup| backup.sha256.clone());
                Ok(OwedWork { id, action: step.action, backup, module })
            })
            .collect()
    }

    /// The notes that go: those of this plan, or those that a repair set out from.
    pub(super) fn note_ids(&self) -> Result<Vec<JobId>, Failure> {
        if self.is_repair() {
            return Ok(self.notes.seen.iter().flatten().cloned().collect());
        }
        self.tail().map(|(_, step)| self.note_id(step)).collect()
    }

    /// Takes the notes that a repair sets out from out of its look at the Agents: those of work that the plan does.
    /// False if a restore is planned that no Agent asks for any more.
    pub(super) fn see_notes(&mut self, observation: &Observation) -> bool {
        let all = || observation.agents.iter().flat_map(|agent| agent.owed.iter().flatten());
        let seen: BTreeSet<JobId> =
            all().filter(|work| self.does(work)).filter_map(|work| work.id.clone()).collect();
        let asked = self.tail().all(|(_, step)| {
            step.action != Action::RestoreContent || all().any(|work| work.action == Action::RestoreContent)
        });
        let asked = asked && !seen.is_empty();
        self.notes.seen = Some(seen);
        asked
    }

    /// One backup is restored for every note that asks for one: the plan chose it.
    fn does(&self, work: &OwedWork) -> bool {
        self.tail().any(|(_, step)| {
            let same = match (&step.module, &work.module) {
                (Some(planned), Some(owed)) => planned.eq_ignore_ascii_case(owed),
                (None, None) => true,
                _ => false,
            };
            step.action == work.action && (same || step.action == Action::RestoreContent)
        })
    }

    /// The notes are gone.
    pub(super) fn acquitted(&mut self, now: Timestamp) {
        match &self.phase {
            Phase::Withdraw { finish, .. } => self.phase = Phase::Finished(finish.clone()),
            _ => self.complete(now),
        }
    }

    /// `finish`, told together with what stays owed: nothing is ever owed silently.
    pub(super) fn with_debts(&self, finish: Finish) -> Finish {
        let Some(debts) = self.debts() else { return finish };
        match finish {
            Finish::Succeeded => Finish::Succeeded,
            Finish::Paused { reason, until, message } => {
                Finish::Paused { reason, until, message: format!("{message}; {debts}") }
            }
            Finish::Failed { failure } => Finish::Failed {
                failure: Failure {
                    message: format!("{}; {debts}", failure.message),
                    help: format!("{} What is owed is done before anything else then.", failure.help),
                    ..failure
                },
            },
        }
    }

    fn debts(&self) -> Option<String> {
        let Notes { begun, seen, gone, .. } = &self.notes;
        let repair = self.is_repair() && !gone && seen.as_ref().is_none_or(|seen| !seen.is_empty());
        if begun.is_none() && !repair {
            return None;
        }
        let work: Vec<String> = self
            .tail()
            .map(|(_, step)| match (&step.backup, &step.module) {
                (Some(backup), _) => format!("the content of {}", backup.file),
                (None, Some(module)) => format!("the module {module}"),
                (None, None) => format!("step {}", step.id),
            })
            .collect();
        Some(format!("still owed on every Agent: {}", work.join(", ")))
    }
}
