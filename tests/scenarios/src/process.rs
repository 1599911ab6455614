//! The process: one turn of the loop after the other, in virtual time, over the planner, the execution machine and the
//! status that are shipped.
//!
//! The order of a turn is that of the engine (`reconciler/src/engine/cluster.rs`): requests, what a crash left, a look, a
//! plan, then waiting, acting or nothing. What of it is remembered, and where, follows the engine as well: what its
//! store keeps survives a crash, everything else does not.

use std::sync::Arc;

use dataminer_core::{
    catalog::Catalog,
    desired::Desired,
    exec::{effect::Failure, finish::Finish, journal::JournalEntry, policy::Scope},
    knowledge::Knowledge,
    lint::lint,
    patience::{Patience, Then, nothing_came_of},
    plan::{PlanInput, PlanMode, PlanState, Quarantine, Retry, difference, plan},
    summarize::{OperationView, SummaryInput, summarize},
};
use dataminer_schema::{
    id::PlanId,
    plan::{BlockCode, Disruption, Plan, PlanResult, WaitingOn},
    status::{ApprovalStatus, ClusterStatus, ProgressStatus, SourceStatus},
    v1::observation::Observation,
};
use jiff::{SignedDuration, Timestamp};

use crate::{operation::Operation, story::Teller, world::World};

/// The name by which operations on Agents are told ours from others'.
pub(crate) const INSTALLATION: &str = "prod";

/// What is wanted, and what there is to do it with.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) desired: Desired,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) knowledge: Knowledge,
}

/// What survives the process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    /// The operation that was not finished: its plan, and its journal.
    pub(crate) unfinished: Option<(Plan, Vec<JournalEntry>)>,
    pub(crate) quarantine: Option<(Quarantine, Failure)>,
    pub(crate) approval: Option<ApprovalStatus>,
    /// The plans that were made, for their difference.
    pub(crate) plans: Vec<Plan>,
    /// The last attempt at jobs of each plan.
    pub(crate) attempts: Vec<(PlanId, u32)>,
}

/// The process and what it remembers.
#[derive(Debug, Default)]
pub(crate) struct Process {
    pub(crate) store: Store,
    pub(crate) observation: Option<Observation>,
    pub(crate) plan: Option<Plan>,
    failure: Option<Failure>,
    patience: Patience,
    prepared: Option<PlanId>,
    succeeded: Option<PlanId>,
    resumed: bool,
    pub(crate) operation: Option<Operation>,
    previous: Option<ClusterStatus>,
    /// It died; the next run starts it again.
    pub(crate) dead: bool,
}

/// When the loop turns next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Now,
    After(SignedDuration),
    At(Timestamp),
    /// The time to run is over, in the middle of an operation.
    Over,
    /// The process died.
    Dead,
}

impl Process {
    /// A new process with the old store.
    pub(crate) fn restart(&mut self) {
        let store = std::mem::take(&mut self.store);
        *self = Self { store, ..Self::default() };
    }

    /// It dies here and now; what its store keeps stays.
    pub(crate) fn die(&mut self, world: &mut World) {
        if let Some(mut operation) = self.operation.take() {
            operation.die(world);
            self.store.unfinished = Some((operation.machine.plan().clone(), operation.journal));
        }
        self.dead = true;
    }

    /// Something else is wanted.
    pub(crate) fn wants(&mut self, changed: bool) {
        if let (true, Some(operation)) = (changed, &mut self.operation) {
            operation.machine.supersede();
        }
        self.prepared = None;
        if changed {
            self.forget_failure();
            self.succeeded = None;
        }
    }

    /// One turn; `until` is when an operation stops being watched.
    pub(crate) fn turn(
        &mut self,
        world: &mut World,
        target: &Target,
        until: Option<Timestamp>,
        teller: &mut Teller,
    ) -> Result<Next, String> {
        if self.operation.is_some() {
            return self.execute(world, target, until, teller);
        }
        if !self.resumed {
            self.resumed = true;
            if let Some((plan, journal)) = self.store.unfinished.take() {
                teller.say(world.now, format!("takes up {} again", teller.plan_name(&plan.id)));
                self.operation = Some(Operation::resume(plan.clone(), journal, target, world.now));
                self.plan = Some(plan);
                return self.execute(world, target, until, teller);
            }
        }
        self.observation = Some(world.observe());
        let plan = self.make_plan(world, target, PlanMode::Live)?;
        self.keep(plan.clone(), world, teller);
        match plan.result {
            PlanResult::Converged => {
                self.forget_failure();
                self.patience.overcome();
                self.store.quarantine = None;
                Ok(Next::After(SignedDuration::from_hours(24)))
            }
            PlanResult::Ready if self.succeeded.as_ref() == Some(&plan.id) => {
                Ok(self.failed(nothing_came_of(&plan.id), world, target))
            }
            PlanResult::Ready => self.operate(plan, Scope::Whole, world, target, until, teller),
            PlanResult::Waiting | PlanResult::Blocked => self.prepare(plan, world, target, until, teller),
        }
    }

    /// What may be done while the plan waits.
    fn prepare(
        &mut self,
        plan: Plan,
        world: &mut World,
        target: &Target,
        until: Option<Timestamp>,
        teller: &mut Teller,
    ) -> Result<Next, String> {
        let ready = plan.steps.first().is_some_and(|step| step.ready && step.disruption == Disruption::None);
        let held = self.patience.retry_at().is_some_and(|at| at > world.now) || self.is_quarantined(target);
        if ready && !held && self.prepared.as_ref() != Some(&plan.id) {
            return self.operate(plan, Scope::Preparation, world, target, until, teller);
        }
        let passing = |block: &dataminer_schema::plan::Block| {
            matches!(
                block.code,
                BlockCode::AgentUnreachable | BlockCode::OperationInProgress | BlockCode::Unhealthy
            )
        };
        if plan.blocked.iter().any(passing) {
            return Ok(Next::After(self.patience.delayed()));
        }
        self.patience.nothing_delays();
        let passes_at = plan.waiting.iter().filter_map(|waiting| waiting.until).min();
        Ok(passes_at.map_or(Next::After(SignedDuration::from_hours(24)), Next::At))
    }

    fn operate(
        &mut self,
        plan: Plan,
        scope: Scope,
        world: &mut World,
        target: &Target,
        until: Option<Timestamp>,
        teller: &mut Teller,
    ) -> Result<Next, String> {
        let last = self.store.attempts.iter().filter(|(id, _)| *id == plan.id).map(|(_, last)| *last).max();
        world.begin(target);
        self.operation = Some(Operation::begin(plan, scope, last.unwrap_or(0) + 1, target, world.now));
        self.execute(world, target, until, teller)
    }

    fn execute(
        &mut self,
        world: &mut World,
        target: &Target,
        until: Option<Timestamp>,
        teller: &mut Teller,
    ) -> Result<Next, String> {
        let Some(operation) = &mut self.operation else { return Ok(Next::Now) };
        let finish = match operation.drive(world, until, teller)? {
            crate::operation::Drive::Finished(finish) => finish,
            crate::operation::Drive::Over => return Ok(Next::Over),
            crate::operation::Drive::Died => {
                let operation = self.operation.take();
                self.store.unfinished =
                    operation.map(|operation| (operation.machine.plan().clone(), operation.journal));
                self.dead = true;
                return Ok(Next::Dead);
            }
        };
        let Some(operation) = self.operation.take() else { return Ok(Next::Now) };
        let id = operation.machine.plan().id.clone();
        self.store.attempts.push((id.clone(), operation.last_attempt()));
        if let Some(observation) = operation.observation {
            self.observation = Some(observation);
        }
        match &finish {
            Finish::Succeeded if operation.scope == Scope::Preparation => {
                teller.say(world.now, "is prepared: packages are staged, content is saved");
            }
            Finish::Succeeded => teller.say(world.now, format!("{} is done", teller.plan_name(&id))),
            Finish::Paused { message, .. } => teller.say(world.now, format!("stops: {message}")),
            // Why, the status says.
            Finish::Failed { .. } => teller.say(world.now, format!("{} fails", teller.plan_name(&id))),
        }
        Ok(self.conclude(&finish, operation.scope, id, world, target))
    }

    fn conclude(
        &mut self,
        finish: &Finish,
        scope: Scope,
        id: PlanId,
        world: &World,
        target: &Target,
    ) -> Next {
        let then = self.patience.concluded(finish, &id, world.now);
        if *finish == Finish::Succeeded {
            self.failure = None;
            match scope {
                Scope::Preparation => self.prepared = Some(id),
                Scope::Whole => self.succeeded = Some(id),
            }
        }
        self.follow(then, target)
    }

    fn failed(&mut self, failure: Failure, world: &World, target: &Target) -> Next {
        let then = self.patience.failed(failure, world.now);
        self.follow(then, target)
    }

    fn follow(&mut self, then: Then, target: &Target) -> Next {
        match then {
            Then::Again => Next::Now,
            Then::After(pause) => Next::After(pause),
            Then::Retry(at, failure) => {
                self.failure = Some(failure);
                Next::At(at)
            }
            Then::SetAside(failure) => {
                let quarantine =
                    Quarantine { desired: target.desired.digest.clone(), reason: failure.message.clone() };
                self.store.quarantine = Some((quarantine, failure.clone()));
                self.failure = Some(failure);
                Next::Now
            }
        }
    }

    fn forget_failure(&mut self) {
        self.failure = None;
        self.patience.forget_failures();
    }

    fn is_quarantined(&self, target: &Target) -> bool {
        self.store
            .quarantine
            .as_ref()
            .is_some_and(|(quarantine, _)| quarantine.desired == target.desired.digest)
    }

    /// Nothing that failed before counts any more.
    pub(crate) fn forgive(&mut self) {
        self.store.quarantine = None;
        self.prepared = None;
        self.succeeded = None;
        self.forget_failure();
    }

    /// A plan upon the observation at hand, linted.
    ///
    /// # Errors
    /// A plan that breaks its own rules.
    pub(crate) fn make_plan(&self, world: &World, target: &Target, mode: PlanMode) -> Result<Plan, String> {
        let state = PlanState {
            installation: (mode == PlanMode::Live).then(|| INSTALLATION.to_owned()),
            quarantine: self.store.quarantine.as_ref().map(|(quarantine, _)| quarantine.clone()),
            retry: self.patience.retry_at().map(|at| Retry {
                at,
                reason: self.failure.as_ref().map(|failure| failure.message.clone()).unwrap_or_default(),
                attempts: self.patience.failures(),
            }),
            approved: self.store.approval.as_ref().map(|approval| approval.plan.clone()),
            prepared: self.prepared.clone(),
            ..PlanState::default()
        };
        let plan = plan(&PlanInput {
            desired: &target.desired,
            observation: self.observation.as_ref(),
            catalog: &target.catalog,
            knowledge: &target.knowledge,
            vault: &world.vault,
            state: &state,
            now: world.now,
            mode,
        });
        let notes: Vec<String> = lint(&plan).iter().map(ToString::to_string).collect();
        if notes.is_empty() {
            Ok(plan)
        } else {
            Err(format!("the plan breaks its own rules: {}", notes.join("; ")))
        }
    }

    /// Makes `plan` the current one; an approval of another one lapses where this one could be carried out.
    pub(crate) fn keep(&mut self, plan: Plan, world: &World, teller: &mut Teller) {
        if !plan.steps.is_empty() {
            teller.names.know(&plan.id);
        }
        if let Some(approval) =
            self.store.approval.take_if(|approval| approval.plan != plan.id && plan.blocked.is_empty())
            && !(plan.result == PlanResult::Converged && self.succeeded.as_ref() == Some(&approval.plan))
        {
            let was = self.store.plans.iter().find(|was| was.id == approval.plan);
            let why = was.map(|was| difference(was, &plan).join("; ")).unwrap_or_default();
            let (old, new) = (teller.plan_name(&approval.plan), teller.plan_name(&plan.id));
            teller.say(world.now, format!("the approval of {old} does not count for {new} ({why})"));
        }
        if !self.store.plans.iter().any(|known| known.id == plan.id) {
            self.store.plans.push(plan.clone());
        }
        self.plan = Some(plan);
    }

    /// An operator approves the current plan.
    ///
    /// # Errors
    /// Why there is nothing to approve.
    pub(crate) fn approve(&mut self, now: Timestamp) -> Result<PlanId, String> {
        let Some(plan) = &self.plan else { return Err("there is no plan yet".to_owned()) };
        let waits = plan.waiting.iter().any(|waiting| waiting.on == WaitingOn::Approval);
        if !waits {
            return Err(format!("the plan waits for no approval: it is {:?}", plan.result));
        }
        let id = plan.id.clone();
        self.store.approval =
            Some(ApprovalStatus { plan: id.clone(), at: now, by: Some("anna".to_owned()), reason: None });
        Ok(id)
    }

    /// Where the cluster stands.
    pub(crate) fn status(&mut self, world: &World, target: &Target) -> ClusterStatus {
        let quarantined = self.store.quarantine.as_ref().filter(|_| self.is_quarantined(target));
        let operation = self.operation.as_ref().and_then(|operation| {
            let machine = &operation.machine;
            let steps_done = machine.steps_done();
            let steps = machine.plan().steps.len();
            Some(OperationView {
                plan: &machine.plan().id,
                step: machine.step()?,
                started_at: machine.started_at(),
                step_started_at: machine.step_started_at(),
                deadline: machine.deadline(),
                progress: ProgressStatus { steps_done, steps, ..ProgressStatus::default() },
            })
        });
        let status = summarize(&SummaryInput {
            desired: &target.desired,
            catalog: &target.catalog,
            source: &SourceStatus::default(),
            observation: self.observation.as_ref(),
            plan: self.plan.as_ref(),
            operation,
            canary: None,
            approval: self.store.approval.as_ref(),
            failure: self.failure.as_ref().or(quarantined.map(|(_, failure)| failure)),
            next_attempt_at: None,
            previous: self.previous.as_ref(),
            now: world.now,
        });
        self.previous = Some(status.clone());
        status
    }
}
