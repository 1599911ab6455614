//! What a step of the plan begins with: its gate, its notes, its job.

use dataminer_schema::{
    id::JobId,
    plan::{Action, Disruption, Step},
    v1::cluster::{Cluster, WebUpgrades},
};
use jiff::{SignedDuration, Timestamp};

use super::{
    effect::{Disposition, EffectKind, Failure, Job},
    expected::{is_core, is_quiet, is_tail, is_web},
    finish::{Finish, Pause, failure, reason},
    machine::Machine,
    phase::{Phase, Tries},
    policy::{Scope, after},
    tools::{is_disruptive_tool, is_tool},
};

impl Machine {
    pub(super) fn enter(&mut self, now: Timestamp) {
        let Some(step) = self.step() else {
            self.phase = Phase::Finished(Finish::Succeeded);
            return;
        };
        let quiet = is_quiet(step.action);
        if self.policy.scope == Scope::Preparation && !(step.ready && quiet && step.action != Action::CleanUp)
        {
            self.phase = Phase::Finished(Finish::Succeeded);
            return;
        }
        if step.action == Action::VerifyCluster {
            self.phase = Phase::Verify { good_since: None, next_at: now };
            return;
        }
        if let Some(stop) = self.stop.filter(|_| !self.is_bound()) {
            return self.end_unless_changed(now, self.stopped(stop), SignedDuration::ZERO);
        }
        if quiet {
            self.phase = Phase::Act(Tries::new(now));
        } else if is_core(step.action) || is_web(step.action) || is_tool(step.action) {
            match self.gate_closed(now) {
                Some(finish) => self.end_unless_changed(now, finish, SignedDuration::ZERO),
                None => self.phase = Phase::Gate(Tries::new(now)),
            }
        } else if is_tail(step.action) {
            if self.is_repair() && !self.notes.is_begun() {
                self.phase = Phase::Gate(Tries::new(now));
            } else {
                self.proceed(now);
            }
        } else {
            let message = format!(
                "step {} ({:?}) cannot be done by this release: {}",
                step.id, step.action, step.reason
            );
            let agents = step.agents.clone();
            self.fail(
                now,
                failure(
                    Disposition::Stalled,
                    reason::MANUAL_STEP_REQUIRED,
                    message,
                    "Do the step by hand; then run `retry`: the next plan no longer holds it.",
                    agents,
                ),
            );
        }
    }

    /// S7: the window gates the first disruptive step and each further core step; the tail follows its step.
    pub(super) fn gate_closed(&self, now: Timestamp) -> Option<Finish> {
        let step = self.step()?;
        let tail = self.plan.steps.iter().take(self.step).any(|step| step.disruption != Disruption::None);
        let any_time =
            is_web(step.action) && self.desired.cluster.upgrade.web_upgrades == WebUpgrades::AnyTime;
        // A tool that nobody notices waits for no window, one that users notice is a hop of its own.
        if is_tool(step.action) && !is_disruptive_tool(step) {
            return None;
        }
        if !is_core(step.action) && !is_tool(step.action) && (tail || any_time) {
            return None;
        }
        let state = self.desired.calendar.state(now);
        (!state.open).then(|| Finish::Paused {
            reason: Pause::WindowClosed,
            until: state.next_open,
            message: format!("step {} may not start outside a window", step.id),
        })
    }

    /// Behind the gate: the notes of what is going to be owed, then the job.
    pub(super) fn proceed(&mut self, now: Timestamp) {
        if self.has_tail()
            && let Err(failure) = self.owed_work()
        {
            return self.fail(now, failure);
        }
        // A tool brings nothing down, so what stands behind it is not owed yet.
        if self.must_owe() && !self.step().is_some_and(|step| is_tool(step.action)) {
            self.phase = Phase::Owe(Tries::new(now));
        } else {
            self.begin(now);
        }
    }

    /// Makes the job of the step at hand.
    pub(super) fn begin(&mut self, now: Timestamp) {
        let tail = self.step().is_some_and(|step| is_tail(step.action));
        let phase = if tail {
            self.tail_job(now).map(|work| Phase::Tail { work, tries: Tries::new(now) })
        } else {
            self.job(now).map(|job| Phase::Run { job, fresh: true })
        };
        match phase {
            Ok(phase) => self.phase = phase,
            Err(failure) => self.fail(now, failure),
        }
    }

    /// What is asked for in a phase that disturbs nobody.
    pub(super) fn quiet_effect(&self, now: Timestamp) -> Result<EffectKind, Failure> {
        match self.phase {
            Phase::Owe(_) => return Ok(EffectKind::Owe { agents: self.everyone(), work: self.owed_work()? }),
            Phase::Acquit(_) | Phase::Withdraw { .. } => {
                return Ok(EffectKind::Acquit { agents: self.everyone(), notes: self.note_ids()? });
            }
            Phase::Compare(_) => return self.comparison(),
            _ => {}
        }
        let step = self.step().ok_or_else(|| self.invalid("there is no step at hand"))?;
        let agents = step.agents.clone();
        Ok(match step.action {
            Action::StagePackage => EffectKind::StagePackage { package: self.package(step)?, agents },
            Action::RunPrerequisites => self.checks(now)?,
            Action::SaveBackup => EffectKind::SaveBackup { agents },
            _ => EffectKind::CleanUp { agents },
        })
    }

    /// Plan, step and attempt.
    pub(super) fn job_id(&self, step: &Step) -> Result<JobId, Failure> {
        let text = format!("{}-{}-{}", self.plan.id.short(), step.id, self.attempt).to_lowercase();
        text.parse().map_err(|_| self.invalid("its id cannot name a folder"))
    }

    pub(super) fn job(&self, now: Timestamp) -> Result<Box<Job>, Failure> {
        let step = self.step().ok_or_else(|| self.invalid("there is no step at hand"))?;
        let package = self.staged_package(step)?;
        if step.to.is_none() && !is_tool(step.action) {
            return Err(self.invalid("the step names no version"));
        }
        let orchestrator = self
            .plan
            .steps
            .iter()
            .find(|stage| {
                stage.action == Action::StagePackage && stage.sha256.as_ref() == Some(&package.sha256)
            })
            .and_then(|stage| stage.agents.first())
            .ok_or_else(|| self.invalid("its package is staged nowhere"))?
            .clone();
        let id = self.job_id(step)?;
        let Cluster { agents: members, upgrade, .. } = &self.desired.cluster;
        let count = members.iter().map(|agent| 1 + usize::from(agent.failover.is_some())).sum::<usize>();
        Ok(Box::new(Job {
            id,
            action: step.action,
            package,
            to: step.to.clone(),
            orchestrator,
            agents: step.agents.clone(),
            whole_cluster: step.agents.len() == count,
            options: upgrade.options,
            failover_policy: upgrade.failover_policy,
            run_as: upgrade.run_as.clone(),
            deadline: after(now, self.policy.job_limit(step)).min(self.deadline),
        }))
    }
}
