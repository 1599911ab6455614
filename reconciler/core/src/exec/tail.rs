//! What a job leaves owed and what follows it at once: content put back, modules installed again.
//!
//! The work is idempotent, so whatever ended badly is tried again under another id, a few times; unlike an install
//! it needs no look at the versions first.

use dataminer_schema::{
    id::{AgentName, JobId},
    plan::{Action, BackupRef},
    v1::observation::Observation,
};
use jiff::Timestamp;

use super::{
    answer::tail as log_end,
    effect::{ContentRestore, Disposition, EffectKind, Failure, JobEnd, ModuleInstall, Outcome, Refusal},
    finish::{Finish, Pause, failure, reason},
    machine::Machine,
    phase::{Phase, Tries},
    policy::after,
    sight::Sight,
};

/// Work on every Agent that a job left owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TailJob {
    Restore(Box<ContentRestore>),
    Module(Box<ModuleInstall>),
}

impl TailJob {
    pub(super) fn effect(&self) -> EffectKind {
        match self {
            Self::Restore(restore) => EffectKind::RestoreContent(restore.clone()),
            Self::Module(install) => EffectKind::ReinstallModule(install.clone()),
        }
    }

    /// `None` if `kind` is another effect.
    pub(super) fn of(kind: &EffectKind) -> Option<Self> {
        match kind {
            EffectKind::RestoreContent(restore) => Some(Self::Restore(restore.clone())),
            EffectKind::ReinstallModule(install) => Some(Self::Module(install.clone())),
            _ => None,
        }
    }

    fn id(&self) -> &JobId {
        match self {
            Self::Restore(restore) => &restore.id,
            Self::Module(install) => &install.id,
        }
    }

    fn agents(&self) -> &[AgentName] {
        match self {
            Self::Restore(restore) => &restore.agents,
            Self::Module(install) => &install.agents,
        }
    }

    fn deadline(&self) -> Timestamp {
        match self {
            Self::Restore(restore) => restore.deadline,
            Self::Module(install) => install.deadline,
        }
    }

    /// Waits for it at least until `deadline`.
    pub(super) fn extend(&mut self, deadline: Timestamp) {
        let until = match self {
            Self::Restore(restore) => &mut restore.deadline,
            Self::Module(install) => &mut install.deadline,
        };
        *until = deadline.max(*until);
    }

    /// A failure of this work, for good.
    fn failure(&self, what: &str, agents: Vec<AgentName>) -> Failure {
        let id = self.id();
        match self {
            Self::Restore(restore) => failure(
                Disposition::Stalled,
                reason::RESTORE_FAILED,
                format!(
                    "the content of {} is not back on every Agent: {what} (job {id})",
                    restore.backup.file
                ),
                "Do not let users work on dashboards and apps yet. Look at output.log of the job on the Agents named, at \
                 their free disk and antivirus; when the cause is gone, run `retry`: it restores again. What lay there \
                 before is in the safety copy in the folder content of the reconciler.",
                agents,
            ),
            Self::Module(install) => failure(
                Disposition::Stalled,
                reason::MODULE_FAILED,
                format!("the module {} is not back on every Agent: {what} (job {id})", install.module),
                "Look at the log of msiexec in the folder of the job on the Agents named, and whether Windows waits for a \
                 reboot; when the cause is gone, run `retry`: it installs again.",
                agents,
            ),
        }
    }
}

impl Machine {
    /// The job of the step at hand, under the attempt at hand.
    pub(super) fn tail_job(&self, now: Timestamp) -> Result<TailJob, Failure> {
        let step = self.step().ok_or_else(|| self.invalid("there is no step at hand"))?;
        let id = self.job_id(step)?;
        let (agents, run_as) = (step.agents.clone(), self.desired.cluster.upgrade.run_as.clone());
        let deadline = after(now, self.policy.tail_job).min(self.deadline);
        match (step.action, &step.backup, &step.module) {
            (Action::RestoreContent, Some(backup), _) => {
                let extras = self.desired.cluster.downgrade.extras;
                let backup = backup.clone();
                Ok(TailJob::Restore(Box::new(ContentRestore {
                    id,
                    backup,
                    agents,
                    extras,
                    run_as,
                    deadline,
                })))
            }
            (Action::ReinstallModule, _, Some(module)) => {
                let module = module.clone();
                let dataminer = self.meanwhile(step);
                Ok(TailJob::Module(Box::new(ModuleInstall {
                    id,
                    module,
                    dataminer,
                    agents,
                    run_as,
                    deadline,
                })))
            }
            _ => Err(self.invalid("it names neither a backup nor a module")),
        }
    }

    pub(super) fn tail_answered(&mut self, now: Timestamp, work: TailJob, outcome: Outcome) {
        match outcome {
            Outcome::JobEnded(end) => self.tail_ended(now, work, end),
            Outcome::Failed(failure) if failure.disposition == Disposition::Stalled => {
                self.fail(now, failure);
            }
            // Not known what became of it: the same id finds it again.
            Outcome::Failed(failure) if now >= work.deadline() => {
                let failure = work.failure(&failure.message, failure.agents);
                self.fail(now, failure);
            }
            Outcome::Failed(_) => {
                let failures = match &self.phase {
                    Phase::Tail { tries, .. } => tries.failures + 1,
                    _ => 1,
                };
                let next_at = after(now, self.policy.backoff.pause(failures));
                self.phase = Phase::Tail { work, tries: Tries { since: now, failures, next_at } };
            }
            outcome @ (Outcome::Done
            | Outcome::Observed(_)
            | Outcome::Saved(_)
            | Outcome::Patched(_)
            | Outcome::Checked(_)) => {
                self.mismatched(now, &work.effect(), &outcome);
            }
        }
    }

    fn tail_ended(&mut self, now: Timestamp, work: TailJob, end: JobEnd) {
        let agents = work.agents().to_vec();
        let what = match end {
            JobEnd::Exited { code: 0, .. } => {
                return match work {
                    TailJob::Restore(_) => self.phase = Phase::Compare(Tries::new(now)),
                    TailJob::Module(_) => self.complete(now),
                };
            }
            JobEnd::Exited { code, log_tail } => format!("it ended with code {code}: {}", log_end(&log_tail)),
            JobEnd::Vanished => "it died without an exit code".to_owned(),
            JobEnd::TimedOut { log_tail } => {
                let what = format!("it still ran at its deadline: {}", log_end(&log_tail));
                let failure = work.failure(&what, agents);
                return self.fail(now, failure);
            }
            JobEnd::Refused { reason: Refusal::Generation } if !self.may_try_again() => {
                return self.fail(now, failure(
                    Disposition::Stalled,
                    reason::MANAGED_ELSEWHERE,
                    format!("a newer owner acts on the Agents: job {} was refused", work.id()),
                    "Find the other process that manages this cluster and stop one of the two; then run `retry`.",
                    agents,
                ));
            }
            JobEnd::Refused { reason: refusal } => format!("it did not start ({refusal:?})"),
        };
        let failure = work.failure(&what, agents);
        self.try_again(now, failure);
    }

    fn may_try_again(&self) -> bool {
        self.attempt + 1 < self.policy.first_attempt + self.policy.max_attempts
    }

    /// The next attempt after a pause; `failure` if there is none left.
    fn try_again(&mut self, now: Timestamp, failure: Failure) {
        if !self.may_try_again() {
            return self.fail(
                now,
                Failure {
                    message: format!("{}; tried {} times", failure.message, self.policy.max_attempts),
                    ..failure
                },
            );
        }
        self.attempt += 1;
        let failures = self.attempt - self.policy.first_attempt;
        let next_at = after(now, self.policy.backoff.pause(failures));
        match self.tail_job(next_at) {
            Ok(work) => self.phase = Phase::Tail { work, tries: Tries { since: now, failures: 0, next_at } },
            Err(failure) => self.fail(now, failure),
        }
    }

    /// The restore at or before the step at hand.
    fn restore_step(&self) -> Option<usize> {
        let done = self.plan.steps.get(..=self.step)?;
        done.iter().rposition(|step| step.action == Action::RestoreContent)
    }

    fn restored(&self) -> Option<(&BackupRef, &[AgentName])> {
        let step = self.plan.steps.get(self.restore_step()?)?;
        Some((step.backup.as_ref()?, &step.agents))
    }

    pub(super) fn comparison(&self) -> Result<EffectKind, Failure> {
        let (backup, agents) = self.restored().ok_or_else(|| self.invalid("no backup was restored"))?;
        Ok(EffectKind::VerifyContent { backup: backup.clone(), agents: agents.to_vec() })
    }

    /// All Agents were right for `health.settle` in the verification behind which nothing is owed any more.
    pub(super) fn tail_verified(&mut self, now: Timestamp) {
        self.phase = if self.restored().is_some() {
            Phase::Compare(Tries::new(now))
        } else {
            Phase::Acquit(Tries::new(now))
        };
    }

    pub(super) fn content_right(&mut self, now: Timestamp) {
        if self.closes_tail() {
            self.phase = Phase::Acquit(Tries::new(now));
        } else {
            self.complete(now);
        }
    }

    /// Back to the restore, under its next attempt. What was installed behind it is found done by its id.
    pub(super) fn content_differs(&mut self, now: Timestamp, differs: Failure) {
        let Some(index) = self.restore_step() else {
            let failure = self.invalid("no backup was restored");
            return self.fail(now, failure);
        };
        if index != self.step {
            self.step = index;
            self.step_started_at = now;
            let last = self.step().and_then(|step| self.attempts.get(&step.id));
            self.attempt = last.copied().unwrap_or(self.policy.first_attempt);
        }
        match self.tail_job(now) {
            Ok(work) => self.try_again(now, work.failure(&differs.message, differs.agents)),
            Err(failure) => self.fail(now, failure),
        }
    }

    /// The gate of a repair (S0): every Agent seen, nothing else going on, and the work still owed. Health does not
    /// count: what is owed may be why an Agent is ill.
    pub(super) fn repair_gate_observed(
        &mut self,
        now: Timestamp,
        sight: &Sight<'_>,
        observation: &Observation,
        tries: Tries,
    ) {
        match sight.present() {
            Err(failure) if now.duration_since(tries.since) >= self.desired.cluster.health.timeout => {
                self.fail(now, failure);
            }
            Err(_) => {
                let next_at = after(now, self.poll());
                self.phase = Phase::Gate(Tries { next_at, ..tries });
            }
            Ok(()) if self.see_notes(observation) => self.proceed(now),
            Ok(()) => {
                let step = self.step().map_or("?", |step| step.id.as_str());
                let message = format!("no Agent owes what step {step} does any more");
                self.end(now, Finish::Paused { reason: Pause::Outdated, until: None, message });
            }
        }
    }
}
