//! Canary runs (`doctor --canary`, S10): a documented package without a restart, by the very path of every other job.
//!
//! A canary is an operation like any other: claimed, journaled, taken up again after a crash. It differs in what
//! follows: whatever became of it is kept as a proof, or as its absence, and what is wanted of the cluster is neither
//! failed nor done by it.
//!
//! # Guarantees
//!
//! * Nothing runs beside it: it is refused while an operation of the cluster is unfinished, ours or somebody else's.
//! * A store that never acted on a cluster claims nothing that somebody else has claimed: a canary from the wrong
//!   machine would fence the process that keeps the cluster.

use std::sync::Arc;

use dataminer_core::{
    canary::{Canary, account, is_canary, met},
    exec::{
        effect::{Disposition, EffectKind, Failure, JobEnd, Outcome},
        finish::{Finish, reason},
        policy::Scope,
    },
    lint::lint,
    plan::{PlanInput, PlanMode, plan_canary},
};
use dataminer_schema::{
    id::{ClusterName, JobId},
    plan::{Action, Plan},
    status::{CanaryStatus, FailureStatus, SourceStatus},
    v1::cluster::RunAs,
};
use futures::future::join_all;
use jiff::SignedDuration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    AgentPort, Engine, FleetDesired,
    cluster::{ClusterLoop, Target},
    next::Next,
    now,
    operator::Heed,
    ownership::Claim,
};
use crate::store::{EventKind, PlanRow, StoreError};

/// What came of a canary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CanaryEnd {
    /// It ran to an end, good or bad, which is kept.
    Ran(Box<CanaryStatus>),
    /// It did not run, or not to its end; nothing is proven and nothing disproven.
    Refused(Failure),
    /// The process was told to stop; what runs on the Agents goes on, and is taken up again.
    Stopped,
}

impl<P: AgentPort> Engine<P> {
    /// Runs a canary on every cluster of `fleet`, and nothing else. `within`: how long the job may take.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn canaries(
        &self,
        fleet: &FleetDesired,
        within: Option<SignedDuration>,
        stop: &CancellationToken,
    ) -> Result<Vec<(ClusterName, CanaryEnd)>, StoreError> {
        let runs = fleet.clusters.iter().map(|(name, desired)| {
            let target = Target {
                desired: Arc::clone(desired),
                catalog: Arc::clone(&fleet.catalog),
                knowledge: fleet.knowledge.clone(),
                source: Arc::new(SourceStatus::default()),
            };
            let (_sender, targets) = watch::channel(target);
            let mut cluster = ClusterLoop::new(Arc::clone(&self.shared), targets, stop.clone(), true);
            cluster.silent = true;
            cluster.canary_limit = within;
            async move { Ok((name.clone(), cluster.alone().await?)) }
        });
        join_all(runs).await.into_iter().collect()
    }
}

impl<P: AgentPort> ClusterLoop<P> {
    /// A canary on request, between two operations.
    pub(super) async fn canary_on_request(&mut self) -> Result<Heed, StoreError> {
        match self.shared.store.unfinished_operation(&self.name).await? {
            // A crash cut an earlier run: it is taken up first, and this one follows.
            Some(stored) if is_canary(&stored.plan) => return Ok(Heed::Waits),
            Some(stored) => return Ok(Heed::Refused(busy(&stored.plan))),
            None => {}
        }
        Ok(match self.canary().await? {
            CanaryEnd::Ran(_) => Heed::Done,
            CanaryEnd::Refused(failure) => Heed::Refused(failure),
            CanaryEnd::Stopped => Heed::Stopped,
        })
    }

    /// A canary without a process around it.
    async fn alone(&mut self) -> Result<CanaryEnd, StoreError> {
        if let Some(stored) = self.shared.store.unfinished_operation(&self.name).await? {
            if !is_canary(&stored.plan) {
                return Ok(CanaryEnd::Refused(busy(&stored.plan)));
            }
            self.resume().await?;
        }
        if self.shared.store.generation(&self.name).await? == 0 {
            match self.port.newest_generation().await {
                Ok(0) => {}
                Ok(newest) => {
                    return Ok(CanaryEnd::Refused(refusal(
                        reason::MANAGED_ELSEWHERE,
                        format!(
                            "a process keeps {} (its Agents show generation {newest}), and this store never acted on it",
                            self.name
                        ),
                        "ask that process (`--server URL`), or name the configuration with its store",
                    )));
                }
                Err(failure) => return Ok(CanaryEnd::Refused(failure)),
            }
        }
        self.canary().await
    }

    /// Runs a canary now.
    async fn canary(&mut self) -> Result<CanaryEnd, StoreError> {
        if !self.observe().await? {
            return Ok(CanaryEnd::Stopped);
        }
        let state = self.standing().await?;
        let plan = plan_canary(&PlanInput {
            desired: &self.target.desired,
            observation: self.observation.as_ref(),
            catalog: &self.target.catalog,
            knowledge: &self.target.knowledge,
            vault: &[],
            state: &state,
            now: now(),
            mode: PlanMode::Live,
        });
        self.durations = Some(state.durations);
        if let Some(block) = plan.blocked.first() {
            let (code, message, help) =
                (format!("{:?}", block.code), block.message.clone(), block.help.clone());
            return Ok(CanaryEnd::Refused(refusal(&code, message, help)));
        }
        if let Some(note) = lint(&plan).first() {
            let message = format!("the plan of the canary breaks its own rules: {note}");
            return Ok(CanaryEnd::Refused(refusal(
                reason::PLAN_INVALID,
                message,
                "this is a defect: please report it",
            )));
        }
        let Some(row) = self.store_canary(&plan).await? else {
            let message = "somebody else planned the cluster at the same time";
            return Ok(CanaryEnd::Refused(refusal("PlanConflict", message, "try again")));
        };
        let generation = match self.claim().await? {
            Claim::Ours(generation) => generation,
            Claim::Rival(failure) | Claim::Failed(failure) => return Ok(CanaryEnd::Refused(failure)),
            Claim::Stopped => return Ok(CanaryEnd::Stopped),
        };
        self.tried = None;
        self.carry_out(generation, row, &plan, Scope::Whole).await?;
        Ok(self.tried.take().unwrap_or(CanaryEnd::Stopped))
    }

    /// `None` where another plan came in between.
    async fn store_canary(&mut self, plan: &Plan) -> Result<Option<PlanRow>, StoreError> {
        let parent = match &self.plan {
            Some((row, _)) => Some(*row),
            None => self.shared.store.current_plan(&self.name).await?.map(|stored| stored.row),
        };
        match self.shared.store.store_plan(plan, parent, now()).await {
            Ok(row) => {
                self.plan = Some((row, plan.clone()));
                Ok(Some(row))
            }
            Err(StoreError::PlanConflict { .. }) => {
                self.plan = None;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps what a canary showed.
    pub(super) async fn canary_ended(
        &mut self,
        plan: &Plan,
        job: Option<JobId>,
        finish: &Finish,
    ) -> Result<Next, StoreError> {
        let failure = match finish {
            Finish::Succeeded => None,
            Finish::Failed { failure } if says_nothing(&failure.reason) => {
                self.tried = Some(CanaryEnd::Refused(failure.clone()));
                return Ok(Next::Now);
            }
            Finish::Failed { failure } => Some(failure),
            Finish::Paused { reason, message, .. } => {
                let reason = format!("{reason:?}");
                let help = "run the canary again";
                self.tried = Some(CanaryEnd::Refused(refusal(&reason, message.clone(), help)));
                return Ok(Next::Now);
            }
        };
        let tool = plan.steps.iter().find(|step| step.action == Action::RunTool);
        let (Some(package), Some(sha256)) =
            (tool.and_then(|step| step.package.clone()), tool.and_then(|step| step.sha256.clone()))
        else {
            return Ok(Next::Now);
        };
        let cluster = &self.target.desired.cluster;
        let canary = CanaryStatus {
            at: now(),
            package,
            sha256,
            run_as: account(cluster),
            agents: met(cluster, self.observation.as_ref()),
            plan: plan.id.clone(),
            job,
            failure: failure.map(|failure| FailureStatus {
                reason: failure.reason.clone(),
                message: failure.message.clone(),
                help: help_of(failure),
                agents: failure.agents.clone(),
                tried_again: false,
            }),
        };
        self.shared.store.keep_canary(&self.name, &canary).await?;
        let standing = Canary::of(Some(&canary), cluster, self.observation.as_ref());
        let kind = if failure.is_none() { EventKind::CanaryPassed } else { EventKind::CanaryFailed };
        let mut event = self.event(kind, standing.message());
        event.plan = Some(plan.id.clone());
        event.reason = failure.map(|failure| failure.reason.clone());
        self.record(event).await;
        self.canary = Some(canary.clone());
        self.tried = Some(CanaryEnd::Ran(Box::new(canary)));
        Ok(Next::Now)
    }

    /// Any job that ended under the account of the manifest proves that account, whatever else became of it (S10).
    pub(super) async fn prove_account(
        &self,
        effect: &EffectKind,
        outcome: &Outcome,
    ) -> Result<(), StoreError> {
        let cluster = &self.target.desired.cluster;
        let (Some(job), Some(run_as)) = (effect.job_id(), ended_under(effect, outcome)) else {
            return Ok(());
        };
        if *run_as != cluster.upgrade.run_as {
            return Ok(());
        }
        self.shared.store.prove_account(&self.name, &account(cluster), job, now()).await
    }
}

/// The account of a job that certainly ran to an end.
fn ended_under<'a>(effect: &'a EffectKind, outcome: &Outcome) -> Option<&'a RunAs> {
    match (effect, outcome) {
        (EffectKind::RunJob(job), Outcome::JobEnded(JobEnd::Exited { .. })) => Some(&job.run_as),
        (EffectKind::RestoreContent(restore), Outcome::JobEnded(JobEnd::Exited { .. })) => {
            Some(&restore.run_as)
        }
        // Without a result nobody can tell whether a job ran; a module without an installer needs none.
        (EffectKind::RunPrerequisites(run), Outcome::Checked(checked)) if checked.passed > 0 => {
            Some(&run.run_as)
        }
        _ => None,
    }
}

/// Whether a failure tells nothing of the account, the task, the utility and the reach of the Agents.
fn says_nothing(code: &str) -> bool {
    matches!(
        code,
        reason::ABORTED
            | reason::OPERATION_IN_PROGRESS
            | reason::MANAGED_ELSEWHERE
            | reason::INSUFFICIENT_DISK
            | reason::PLAN_INVALID
    )
}

/// A canary that hangs is what an old utility does; what helps then is no advice for upgrades.
fn help_of(failure: &Failure) -> String {
    if failure.reason == reason::UPGRADE_FAILED {
        return "A Taskbar Utility that waits for somebody does not end by itself. Sign in to the Agent that ran it, end \
                SLTaskbarUtility.exe in the Task Manager (nothing was being installed), and keep one instance running in \
                the session of the account; or upgrade this cluster by hand up to 10.3.0 CU11/10.4.2."
            .to_owned();
    }
    failure.help.clone()
}

fn busy(plan: &Plan) -> Failure {
    refusal(
        reason::OPERATION_IN_PROGRESS,
        format!("an operation of plan {} is unfinished", plan.id.short()),
        "a canary runs beside nothing: let the process finish it first",
    )
}

fn refusal(code: &str, message: impl Into<String>, help: impl Into<String>) -> Failure {
    Failure {
        disposition: Disposition::Stalled,
        reason: code.to_owned(),
        message: message.into(),
        help: help.into(),
        agents: Vec::new(),
    }
}
