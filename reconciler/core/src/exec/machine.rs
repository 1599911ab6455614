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
//! * No step is skipped silently: an action that this machine cannot do ends the operation.
//!
//! # Assumptions
//!
//! * Effects are ensures, and `RunJob` with a known id finds the job again.
//! * One machine per cluster at a time; the generation on the Agents enforces it.

use std::sync::Arc;

use dataminer_schema::{
    plan::{Action, Disruption, Plan, Step},
    v1::cluster::{Cluster, WebUpgrades},
};
use jiff::{SignedDuration, Timestamp};

use super::{
    effect::{Disposition, Effect, EffectKind, Failure, Job, Outcome, Package},
    finish::{Finish, Pause, failure, reason},
    policy::{ExecPolicy, Scope, after},
    sight::{is_core, is_web},
};
use crate::{catalog::Catalog, desired::Desired, window::window_state};

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
    started_at: Timestamp,
    deadline: Timestamp,
    pub(super) next_effect: u64,
    /// The index of the step at hand.
    pub(super) step: usize,
    pub(super) step_started_at: Timestamp,
    /// The number of the next attempt at the job of the step at hand.
    pub(super) attempt: u32,
    pub(super) phase: Phase,
    /// Issued and not answered.
    pub(super) pending: Option<Effect>,
    stop: Option<Stop>,
}

/// Where the step at hand stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Enter,
    /// Looking at the Agents before a disruptive step.
    Gate(Tries),
    /// Asking for an effect that disturbs nobody.
    Act(Tries),
    /// The job may be asked for. `fresh`: it was not asked for before, so the window counts.
    Run {
        job: Box<Job>,
        fresh: bool,
    },
    /// The job was asked for and its fate is not known: look before asking again.
    Reattach {
        job: Box<Job>,
        tries: Tries,
    },
    /// The job is gone without an exit code: the Agents tell what it did.
    Watch {
        job: Box<Job>,
        quiet_since: Option<Timestamp>,
        next_at: Timestamp,
    },
    Verify {
        good_since: Option<Timestamp>,
        next_at: Timestamp,
    },
    Finished(Finish),
}

/// Counting failures of one thing in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tries {
    pub(super) since: Timestamp,
    pub(super) failures: u32,
    pub(super) next_at: Timestamp,
}

impl Tries {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { since: now, failures: 0, next_at: now }
    }
}

/// A request to stop before the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
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
            started_at: now,
            next_effect: 1,
            step: 0,
            step_started_at: now,
            phase: Phase::Enter,
            pending: None,
            stop: None,
        }
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

    /// Stops before the next disruptive step, and before anything but the verification of what was done.
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
        if now >= self.deadline && !matches!(self.phase, Phase::Finished(_)) {
            self.give_up();
        }
        loop {
            if let (Some(stop), Phase::Gate(_) | Phase::Act(_) | Phase::Run { fresh: true, .. }) =
                (self.stop, &self.phase)
            {
                self.phase = Phase::Finished(self.stopped(stop));
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
                Phase::Act(tries) if now < tries.next_at => {
                    return Next::Wait { on: "the next try".to_owned(), until: tries.next_at };
                }
                Phase::Act(_) => match self.quiet_effect() {
                    Ok(kind) => return self.issue(kind),
                    Err(failure) => self.fail(failure),
                },
                Phase::Run { job, fresh } => {
                    let (job, fresh) = (job.clone(), *fresh);
                    if fresh && let Some(finish) = self.gate_closed(now) {
                        self.phase = Phase::Finished(finish);
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
        match (effect.kind, outcome) {
            (EffectKind::Observe, Outcome::Observed(observation)) => self.observed(now, &observation),
            (EffectKind::RunJob(job), Outcome::JobEnded(end)) => self.job_ended(now, job, end),
            (EffectKind::RunJob(job), Outcome::Failed(failure)) => self.job_unknown(now, job, failure),
            (
                EffectKind::StagePackage { .. } | EffectKind::SaveBackup { .. } | EffectKind::CleanUp { .. },
                Outcome::Done | Outcome::Saved(_),
            ) => self.complete(now),
            (_, Outcome::Failed(failure)) => self.retry(now, failure),
            (kind, outcome) => self.fail(failure(
                Disposition::Stalled,
                reason::PLAN_INVALID,
                format!("an effect was answered with something else: {kind:?} with {outcome:?}"),
                "This is a defect of this program: please report it.",
                Vec::new(),
            )),
        }
    }

    fn enter(&mut self, now: Timestamp) {
        let Some(step) = self.step() else {
            self.phase = Phase::Finished(Finish::Succeeded);
            return;
        };
        let quiet = matches!(step.action, Action::StagePackage | Action::SaveBackup | Action::CleanUp);
        if self.policy.scope == Scope::Preparation && !(step.ready && quiet && step.action != Action::CleanUp)
        {
            self.phase = Phase::Finished(Finish::Succeeded);
            return;
        }
        if step.action == Action::VerifyCluster {
            self.phase = Phase::Verify { good_since: None, next_at: now };
            return;
        }
        if let Some(stop) = self.stop {
            self.phase = Phase::Finished(self.stopped(stop));
            return;
        }
        if quiet {
            self.phase = Phase::Act(Tries::new(now));
        } else if is_core(step.action) || is_web(step.action) {
            self.phase = match self.gate_closed(now) {
                Some(finish) => Phase::Finished(finish),
                None => Phase::Gate(Tries::new(now)),
            };
        } else {
            let message = format!(
                "step {} ({:?}) cannot be done by this release: {}",
                step.id, step.action, step.reason
            );
            let agents = step.agents.clone();
            self.fail(failure(
                Disposition::Stalled,
                reason::MANUAL_STEP_REQUIRED,
                message,
                "Do the step by hand; then run `retry`: the next plan no longer holds it.",
                agents,
            ));
        }
    }

    /// S7: the window gates the first disruptive step and each further core step; the tail follows its step.
    pub(super) fn gate_closed(&self, now: Timestamp) -> Option<Finish> {
        let step = self.step()?;
        let tail = self.plan.steps.iter().take(self.step).any(|step| step.disruption != Disruption::None);
        let any_time =
            is_web(step.action) && self.desired.cluster.upgrade.web_upgrades == WebUpgrades::AnyTime;
        if !is_core(step.action) && (tail || any_time) {
            return None;
        }
        let state = window_state(&self.desired.cluster.windows, now);
        (!state.open).then(|| Finish::Paused {
            reason: Pause::WindowClosed,
            until: state.next_open,
            message: format!("step {} may not start outside a window", step.id),
        })
    }

    fn observe_at(&mut self, now: Timestamp, at: Timestamp, on: &str) -> Next {
        if now < at { Next::Wait { on: on.to_owned(), until: at } } else { self.issue(EffectKind::Observe) }
    }

    fn issue(&mut self, kind: EffectKind) -> Next {
        let step = self.step().map(|step| step.id.clone()).unwrap_or_default();
        let effect = Effect { id: self.next_effect, step, kind };
        self.next_effect += 1;
        self.pending = Some(effect.clone());
        Next::Effect(effect)
    }

    fn quiet_effect(&self) -> Result<EffectKind, Failure> {
        let step = self.step().ok_or_else(|| self.invalid("there is no step at hand"))?;
        let agents = step.agents.clone();
        Ok(match step.action {
            Action::StagePackage => EffectKind::StagePackage { package: self.package(step)?, agents },
            Action::SaveBackup => EffectKind::SaveBackup { agents },
            _ => EffectKind::CleanUp { agents },
        })
    }

    pub(super) fn package(&self, step: &Step) -> Result<Package, Failure> {
        match (&step.package, &step.sha256) {
            (Some(file), Some(sha256)) => Ok(Package { file: file.clone(), sha256: sha256.clone() }),
            _ => Err(self.invalid("the step names no package and hash")),
        }
    }

    pub(super) fn job(&self, now: Timestamp) -> Result<Box<Job>, Failure> {
        let step = self.step().ok_or_else(|| self.invalid("there is no step at hand"))?;
        let package = self.package(step)?;
        let to = step.to.clone().ok_or_else(|| self.invalid("the step names no version"))?;
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
        let text = format!("{}-{}-{}", self.plan.id.short(), step.id, self.attempt).to_lowercase();
        let id = text.parse().map_err(|_| self.invalid("its id cannot name a folder"))?;
        let Cluster { agents: members, upgrade, .. } = &self.desired.cluster;
        let count = members.iter().map(|agent| 1 + usize::from(agent.failover.is_some())).sum::<usize>();
        Ok(Box::new(Job {
            id,
            action: step.action,
            package,
            to,
            orchestrator,
            agents: step.agents.clone(),
            whole_cluster: step.agents.len() == count,
            options: upgrade.options,
            failover_policy: upgrade.failover_policy,
            run_as: upgrade.run_as,
            deadline: after(now, self.policy.job_limit(step)).min(self.deadline),
        }))
    }

    pub(super) fn complete(&mut self, now: Timestamp) {
        self.step += 1;
        self.step_started_at = now;
        self.attempt = self.policy.first_attempt;
        self.phase = Phase::Enter;
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.phase = Phase::Finished(Finish::Failed { failure });
    }

    fn give_up(&mut self) {
        let at =
            self.step().map_or_else(String::new, |step| format!(" at step {} ({:?})", step.id, step.action));
        let agents = self.step().map(|step| step.agents.clone()).unwrap_or_default();
        self.fail(failure(
            Disposition::Stalled,
            reason::DEADLINE_EXCEEDED,
            format!("the operation was given up{at}: it took longer than {:#}", self.policy.overall),
            "Nothing was stopped on the Agents. Look at what the step waits for; then run `retry`.",
            agents,
        ));
    }

    fn stopped(&self, stop: Stop) -> Finish {
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

    /// How often the Agents are looked at: often enough to notice a break within `health.settle`.
    pub(super) fn poll(&self) -> SignedDuration {
        let quarter = self.desired.cluster.health.settle / 4;
        quarter.max(SignedDuration::from_millis(200)).min(SignedDuration::from_secs(5))
    }
}
