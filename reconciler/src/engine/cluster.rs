//! The loop of one cluster: observe, plan, then wait, act or be done.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Instant,
};

use dataminer_core::{
    catalog::Catalog,
    desired::Desired,
    exec::{
        effect::{Disposition, Failure},
        finish::{Finish, reason},
        policy::Scope,
    },
    knowledge::Knowledge,
    lint::lint,
    patience::{Patience, Then, nothing_came_of, retry_pause},
    plan::{Durations, PlanInput, PlanMode, next_change, plan},
};
use dataminer_schema::{
    id::{ClusterName, PlanId},
    plan::{BlockCode, Disruption, Plan, PlanResult},
    status::{ApprovalStatus, CanaryStatus, ClusterState, ClusterStatus, SourceStatus},
    v1::observation::Observation,
};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::{
    AgentPort, CanaryEnd, Shared,
    next::{Next, until},
    now,
};
use crate::store::{EventKind, PlanRow, Quarantine, StoreError};

/// How many pauses for something that passes `run --once` waits through.
const ONCE_PATIENCE: u32 = 3;

/// What is wanted of one cluster.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) desired: Arc<Desired>,
    pub(super) catalog: Arc<Catalog>,
    /// What is known of DataMiner's releases.
    pub(super) knowledge: Knowledge,
    pub(super) source: Arc<SourceStatus>,
}

impl Target {
    /// Whether `other` asks for the same and shows the same, the time of the last fetch apart.
    pub(super) fn same(&self, other: &Self) -> bool {
        let shown = |source: &SourceStatus| SourceStatus { fetched_at: None, ..source.clone() };
        self.desired.digest == other.desired.digest
            && self.desired.commit == other.desired.commit
            && self.catalog == other.catalog
            && self.knowledge == other.knowledge
            && shown(&self.source) == shown(&other.source)
    }
}

/// How a loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// `run --once`: nothing more to do now.
    Settled,
    /// It was told to stop.
    Stopped,
}

/// The loop and what it remembers between turns.
pub(super) struct ClusterLoop<P> {
    pub(super) shared: Arc<Shared<P>>,
    pub(super) targets: watch::Receiver<Target>,
    pub(super) stop: CancellationToken,
    pub(super) wake: Arc<Notify>,
    once: bool,
    pub(super) name: ClusterName,
    pub(super) target: Target,
    pub(super) port: P,
    pub(super) observation: Option<Observation>,
    pub(super) plan: Option<(PlanRow, Plan)>,
    /// The last failure that nothing has overcome since.
    pub(super) failure: Option<Failure>,
    /// How often in a row something failed, or stood in the way.
    pub(super) patience: Patience,
    pub(super) quarantine: Option<Quarantine>,
    /// The plan that an operator approved.
    pub(super) approval: Option<ApprovalStatus>,
    /// What the last canary run showed.
    pub(super) canary: Option<CanaryStatus>,
    /// What came of the canary that this loop ran last.
    pub(super) tried: Option<CanaryEnd>,
    /// How long the job of a canary may take, where somebody said so.
    pub(super) canary_limit: Option<SignedDuration>,
    /// Nothing is published: no process stands behind this loop.
    pub(super) silent: bool,
    /// The plan whose preparatory steps are done.
    pub(super) prepared: Option<PlanId>,
    /// What steps took before, as the store has it; read again where it is absent.
    pub(super) durations: Option<Durations>,
    /// The plan that was executed to its end last: the same plan again means that nothing came of it.
    pub(super) succeeded: Option<PlanId>,
    pub(super) next_attempt_at: Option<Timestamp>,
    /// The status as the store has it.
    pub(super) kept: Mutex<Option<ClusterStatus>>,
    resumed: bool,
    /// The Agents have said that this store is the one that acted last.
    pub(super) sole: bool,
}

impl<P: AgentPort> ClusterLoop<P> {
    pub(super) fn new(
        shared: Arc<Shared<P>>,
        mut targets: watch::Receiver<Target>,
        stop: CancellationToken,
        once: bool,
    ) -> Self {
        let patience = Patience::hurried(shared.config.hurry);
        let target = targets.borrow_and_update().clone();
        let name = target.desired.cluster.name.clone();
        Self {
            port: (shared.connect)(&target.desired, &target.catalog),
            wake: shared.board.wake(&name),
            shared,
            targets,
            stop,
            once,
            name,
            target,
            observation: None,
            plan: None,
            failure: None,
            patience,
            quarantine: None,
            approval: None,
            canary: None,
            tried: None,
            canary_limit: None,
            silent: false,
            prepared: None,
            durations: None,
            succeeded: None,
            next_attempt_at: None,
            kept: Mutex::default(),
            resumed: false,
            sole: false,
        }
    }

    /// Turns until it is told to stop, or, with `once`, until nothing is left to do now.
    pub(super) async fn run(mut self) -> Ended {
        loop {
            let begun = Instant::now();
            let stop = self.stop.clone();
            let turned = self.turn().await;
            let next = match turned {
                Ok(next) => next,
                Err(error) => {
                    // Nothing is done without a journal. The store is ours alone, so what fails is the disk.
                    let error = anyhow::Error::new(error);
                    tracing::error!(cluster = %self.name, error = format!("{error:#}"), "the store failed");
                    self.failure = Some(store_failure(&error));
                    // What was under way is known from the journal alone.
                    self.resumed = false;
                    self.plan = None;
                    Next::After(retry_pause(3))
                }
            };
            let result = if self.failure.is_some() { "failed" } else { "ok" };
            self.shared.metrics.reconciled(result, begun.elapsed());
            let at = next.at(now(), self.shared.config.observe);
            self.next_attempt_at = Some(at);
            self.publish(None).await;
            if stop.is_cancelled() {
                return Ended::Stopped;
            }
            if self.once && self.settled(next) {
                return Ended::Settled;
            }
            if next == Next::Now {
                tokio::task::yield_now().await;
            } else {
                tokio::select! {
                    () = tokio::time::sleep(until(now(), at)) => {}
                    () = self.wake.notified() => {}
                    _ = self.targets.changed() => self.targets.mark_changed(),
                    () = stop.cancelled() => return Ended::Stopped,
                }
            }
            self.take_target();
        }
    }

    /// Whether nothing is left that `run --once` should wait for.
    fn settled(&self, next: Next) -> bool {
        let Some(status) = self.shared.board.get(&self.name) else { return false };
        match status.state {
            ClusterState::Ready | ClusterState::Stalled => true,
            ClusterState::Reconciling if next == Next::Now => false,
            // What passes or is tried again soon is waited for, but not for ever.
            ClusterState::Reconciling if self.patience.retry_at().is_some() => {
                self.patience.failures() > ONCE_PATIENCE
            }
            ClusterState::Reconciling if self.patience.delays() > 0 => self.patience.delays() > ONCE_PATIENCE,
            ClusterState::Reconciling => true,
        }
    }

    /// Takes what is wanted by now. Another digest forgets what is remembered of the old one.
    pub(super) fn take_target(&mut self) {
        if !self.targets.has_changed().unwrap_or(false) {
            return;
        }
        let target = self.targets.borrow_and_update().clone();
        let changed = target.desired.digest != self.target.desired.digest;
        if changed || target.catalog != self.target.catalog {
            self.port = (self.shared.connect)(&target.desired, &target.catalog);
            self.prepared = None;
        }
        self.target = target;
        if changed {
            self.forget_failure();
            self.succeeded = None;
        }
    }

    async fn turn(&mut self) -> Result<Next, StoreError> {
        self.quarantine = self.shared.store.quarantine(&self.name).await?;
        self.approval = self.shared.store.approval(&self.name).await?;
        self.canary = self.shared.store.canary(&self.name).await?;
        if let Some(next) = self.heed_requests().await? {
            return Ok(next);
        }
        if let Some(next) = self.check_sole().await? {
            return Ok(next);
        }
        if !self.resumed {
            if let Some(next) = self.resume().await? {
                return Ok(next);
            }
            self.resumed = true;
        }
        if !self.observe().await? {
            return Ok(Next::Now);
        }
        let (planned, changes_at) = self.make_plan().await?;
        let Some((row, plan)) = self.store_plan(planned).await? else {
            return Ok(Next::After(retry_pause(3)));
        };
        self.next_attempt_at = None;
        match plan.result {
            PlanResult::Converged => {
                self.overcome().await?;
                Ok(Next::After(self.shared.config.observe))
            }
            PlanResult::Ready if self.succeeded.as_ref() == Some(&plan.id) => {
                self.failed(nothing_came_of(&plan.id)).await
            }
            PlanResult::Ready => self.operate(row, &plan, Scope::Whole).await,
            PlanResult::Waiting | PlanResult::Blocked => self.prepare(row, &plan, changes_at).await,
        }
    }

    /// What may be done while the plan waits. `changes_at`: when it could be another by time alone.
    async fn prepare(
        &mut self,
        row: PlanRow,
        plan: &Plan,
        changes_at: Option<Timestamp>,
    ) -> Result<Next, StoreError> {
        let ready = plan.steps.first().is_some_and(|step| step.ready && step.disruption == Disruption::None);
        let held = self.patience.retry_at().is_some_and(|at| at > now()) || self.is_quarantined();
        if ready && !held && self.prepared.as_ref() != Some(&plan.id) {
            return self.operate(row, plan, Scope::Preparation).await;
        }
        let passing = plan.blocked.iter().any(|block| {
            matches!(
                block.code,
                BlockCode::AgentUnreachable | BlockCode::OperationInProgress | BlockCode::Unhealthy
            )
        });
        if passing {
            return Ok(Next::After(self.patience.delayed()));
        }
        self.patience.nothing_delays();
        Ok(changes_at.map_or(Next::After(self.shared.config.observe), Next::At))
    }

    /// A fresh look; false if the loop is to stop.
    pub(super) async fn observe(&mut self) -> Result<bool, StoreError> {
        let stop = self.stop.clone();
        let observation = tokio::select! {
            observation = async {
                let _slot = self.shared.metrics.in_queue(self.shared.slots.acquire()).await;
                self.port.observe().await
            } => observation,
            () = stop.cancelled() => return Ok(false),
        };
        self.shared.store.observed(&observation).await?;
        self.observation = Some(observation);
        Ok(true)
    }

    /// The plan, and when it could be another by time alone.
    async fn make_plan(&mut self) -> Result<(Plan, Option<Timestamp>), StoreError> {
        let vault = match self.shared.vault.list(&self.name).await {
            Ok(vault) => vault,
            Err(error) => {
                // Without the vault a downgrade finds no backup and says so; upgrades need none.
                let error = anyhow::Error::new(error);
                tracing::warn!(cluster = %self.name, error = format!("{error:#}"), "the vault cannot be listed");
                Vec::new()
            }
        };
        let state = self.standing().await?;
        let input = PlanInput {
            desired: &self.target.desired,
            observation: self.observation.as_ref(),
            catalog: &self.target.catalog,
            knowledge: &self.target.knowledge,
            vault: &vault,
            state: &state,
            now: now(),
            mode: PlanMode::Live,
        };
        let plan = plan(&input);
        let changes_at = next_change(&input, &plan);
        self.durations = Some(state.durations);
        Ok((plan, changes_at))
    }

    /// Stores `plan` as the current one; `None` if it may not be executed.
    async fn store_plan(&mut self, plan: Plan) -> Result<Option<(PlanRow, Plan)>, StoreError> {
        let notes = lint(&plan);
        if !notes.is_empty() {
            let notes: Vec<String> = notes.iter().map(ToString::to_string).collect();
            self.failure = Some(Failure {
                disposition: Disposition::Stalled,
                reason: reason::PLAN_INVALID.to_owned(),
                message: format!("the plan breaks its own rules and is not executed: {}", notes.join("; ")),
                help: "This is a defect of the planner: please report it with the plan.".to_owned(),
                agents: Vec::new(),
            });
            self.plan = None;
            return Ok(None);
        }
        let parent = match &self.plan {
            Some((row, current)) if *current == plan => return Ok(Some((*row, plan))),
            Some((row, _)) => Some(*row),
            None => self.shared.store.current_plan(&self.name).await?.map(|stored| stored.row),
        };
        let known = self.plan.as_ref().is_some_and(|(_, current)| current.id == plan.id);
        let row = match self.shared.store.store_plan(&plan, parent, now()).await {
            Ok(row) => row,
            Err(StoreError::PlanConflict { .. }) => {
                // Somebody else planned in between: plan again upon that.
                self.plan = None;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        if !known {
            let message = format!(
                "plan {}: {:?}, {:?}, {} steps",
                plan.id.short(),
                plan.change,
                plan.result,
                plan.steps.len()
            );
            let mut event = self.event(EventKind::PlanStored, message);
            event.plan = Some(plan.id.clone());
            self.record(event).await;
        }
        self.lapse(&plan).await?;
        self.plan = Some((row, plan.clone()));
        Ok(Some((row, plan)))
    }

    /// What failed before does not count any more.
    pub(super) fn forget_failure(&mut self) {
        self.failure = None;
        self.patience.forget_failures();
    }

    /// Notes why something could not be done now, and says when to try again.
    pub(super) fn put_off(&mut self, failure: Failure) -> Next {
        let pause = self.patience.put_off();
        self.failure = Some(failure);
        // Also a converged cluster is not Ready while somebody waits for something.
        self.plan = None;
        Next::After(pause)
    }

    /// No operation is unfinished any more.
    pub(super) fn resumed(&mut self) {
        self.resumed = true;
    }

    pub(super) fn is_quarantined(&self) -> bool {
        self.quarantine.as_ref().is_some_and(|quarantine| quarantine.desired == self.target.desired.digest)
    }

    /// The cluster is what it shall be: nothing that failed before counts any more.
    async fn overcome(&mut self) -> Result<(), StoreError> {
        self.forget_failure();
        self.patience.overcome();
        if self.quarantine.take().is_some() {
            self.shared.store.set_quarantine(&self.name, None).await?;
        }
        Ok(())
    }

    /// What follows from the end of an operation.
    pub(super) async fn conclude(
        &mut self,
        finish: &Finish,
        scope: Scope,
        id: &PlanId,
    ) -> Result<Next, StoreError> {
        let then = self.patience.concluded(finish, id, now());
        if *finish == Finish::Succeeded {
            self.failure = None;
            match scope {
                Scope::Preparation => self.prepared = Some(id.clone()),
                Scope::Whole => self.succeeded = Some(id.clone()),
            }
        }
        self.follow(then).await
    }

    /// Notes a failure and says when to try again.
    pub(super) async fn failed(&mut self, failure: Failure) -> Result<Next, StoreError> {
        let then = self.patience.failed(failure, now());
        self.follow(then).await
    }

    async fn follow(&mut self, then: Then) -> Result<Next, StoreError> {
        Ok(match then {
            Then::Again => Next::Now,
            Then::After(pause) => Next::After(pause),
            Then::Retry(at, failure) => {
                self.failure = Some(failure);
                Next::At(at)
            }
            Then::SetAside(failure) => {
                let quarantine = Quarantine {
                    desired: self.target.desired.digest.clone(),
                    since: now(),
                    failure: failure.clone(),
                };
                self.failure = Some(failure);
                self.shared.store.set_quarantine(&self.name, Some(&quarantine)).await?;
                self.quarantine = Some(quarantine);
                Next::Now
            }
        })
    }

    /// How many Agents a step touches, without repetition.
    pub(super) fn agents_of(plan: &Plan, step: usize) -> usize {
        plan.steps.get(step).map_or(0, |step| step.agents.iter().collect::<BTreeSet<_>>().len())
    }
}

fn store_failure(error: &anyhow::Error) -> Failure {
    Failure {
        disposition: Disposition::Retry,
        reason: "StoreFailed".to_owned(),
        message: format!("the store failed, so nothing is done: {error:#}"),
        help: "Check the disk of the state file and the rights of the process.".to_owned(),
        agents: Vec::new(),
    }
}
