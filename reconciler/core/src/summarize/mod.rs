//! The only writer of status: everything that is known of one cluster becomes one [`ClusterStatus`].
//!
//! Every cluster is at all times Ready, Reconciling or Stalled, with a stable reason code and the next time
//! anything will be tried (invariant 9). Nothing here decides what is done; it says what was decided.

mod conditions;
#[cfg(test)]
mod tests;

use dataminer_schema::{
    id::PlanId,
    plan::{Action, BlockCode, Change, Plan, PlanResult, Step, VersionPair, WaitingOn},
    status::{
        AgentStatus, ApprovalStatus, CanaryStatus, ClusterState, ClusterStatus, FailureStatus,
        OperationStatus, ProgressStatus, SourceStatus, StepState, StepStatus,
    },
    v1::observation::{Observation, OwedWork},
    version::{Version, WebWanted},
};
use jiff::Timestamp;

use crate::{
    catalog::Catalog,
    desired::Desired,
    exec::effect::{Disposition, Failure},
    release::Release,
};

/// Reason codes that are not block codes, waiting codes or failures.
pub mod reason {
    /// Every Agent shows what is wanted and nothing is owed.
    pub const CONVERGED: &str = "Converged";
    /// The cluster was not observed or planned yet.
    pub const OBSERVING: &str = "Observing";
    /// A plan is ready and about to be executed.
    pub const PLANNED: &str = "Planned";
    /// An operation is under way.
    pub const PROGRESSING: &str = "Progressing";
}

/// All that is known of one cluster.
#[derive(Clone, Debug)]
pub struct SummaryInput<'a> {
    pub desired: &'a Desired,
    pub catalog: &'a Catalog,
    pub source: &'a SourceStatus,
    pub observation: Option<&'a Observation>,
    pub plan: Option<&'a Plan>,
    pub operation: Option<OperationView<'a>>,
    /// What an operator approved last; told only of the plan that it stands for.
    pub approval: Option<&'a ApprovalStatus>,
    /// What the last canary run showed.
    pub canary: Option<&'a CanaryStatus>,
    /// The last failure that nothing has overcome since.
    pub failure: Option<&'a Failure>,
    /// When the loop turns next by itself.
    pub next_attempt_at: Option<Timestamp>,
    /// What was published before; keeps the times of conditions that did not change.
    pub previous: Option<&'a ClusterStatus>,
    pub now: Timestamp,
}

/// The operation under way.
#[derive(Clone, Debug)]
pub struct OperationView<'a> {
    pub plan: &'a PlanId,
    pub step: &'a Step,
    pub started_at: Timestamp,
    pub step_started_at: Timestamp,
    pub deadline: Timestamp,
    pub progress: ProgressStatus,
}

/// The verdict in short.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Verdict {
    state: ClusterState,
    reason: String,
    message: String,
    help: Option<String>,
}

/// The status of one cluster.
pub fn summarize(input: &SummaryInput<'_>) -> ClusterStatus {
    let verdict = verdict(input);
    let agents = agents(input);
    let waiting = input.plan.map(|plan| plan.waiting.clone()).unwrap_or_default();
    let next_attempt_at = match verdict.state {
        ClusterState::Stalled => None,
        ClusterState::Ready | ClusterState::Reconciling => input.next_attempt_at,
    };
    let conditions = conditions::conditions(input, &verdict, &agents);
    ClusterStatus {
        name: input.desired.cluster.name.clone(),
        state: verdict.state,
        reason: verdict.reason,
        message: verdict.message,
        help: verdict.help,
        wanted: wanted(input.desired),
        observed: lowest(input),
        agents,
        change: input.plan.map_or(Change::None, |plan| plan.change),
        plan: input.plan.map(|plan| plan.id.clone()),
        steps: steps(input),
        blocked: input.plan.map(|plan| plan.blocked.clone()).unwrap_or_default(),
        warnings: input.plan.map(|plan| plan.warnings.clone()).unwrap_or_default(),
        forecast: input.plan.and_then(|plan| plan.forecast.clone()),
        content_loss: input.plan.and_then(|plan| plan.content_loss.clone()),
        failure: input.failure.map(failure),
        waiting,
        approval: approval(input),
        canary: input.canary.cloned(),
        operation: input.operation.as_ref().map(operation),
        owed: owed(input),
        next_attempt_at,
        conditions,
        commit: input.desired.commit.clone(),
        desired: Some(input.desired.digest.clone()),
        last_observed_at: input.observation.map(|observation| observation.taken_at),
    }
}

fn verdict(input: &SummaryInput<'_>) -> Verdict {
    let reconciling = |reason: &str, message: String| Verdict {
        state: ClusterState::Reconciling,
        reason: reason.to_owned(),
        message,
        help: None,
    };
    if let Some(operation) = &input.operation {
        return reconciling(reason::PROGRESSING, progressing(operation));
    }
    let Some(plan) = input.plan else {
        return failed(input).unwrap_or_else(|| {
            reconciling(
                reason::OBSERVING,
                "The cluster is being observed and planned for the first time.".to_owned(),
            )
        });
    };
    if plan.result == PlanResult::Converged {
        return Verdict {
            state: ClusterState::Ready,
            reason: reason::CONVERGED.to_owned(),
            // W9: with `bundled` nothing is installed over web apps whose level nobody knows.
            message: if plan.warnings.iter().any(|warning| warning.code == "WebLevelUnknown") {
                "Every Agent shows the wanted core; which web apps run is not known everywhere.".to_owned()
            } else {
                "Every Agent shows what is wanted.".to_owned()
            },
            help: None,
        };
    }
    // What needs a person hides nothing that passes by itself, and is named first.
    let block = plan.blocked.iter().find(|block| !passes(block.code)).or_else(|| plan.blocked.first());
    if let Some(block) = block {
        return Verdict {
            state: if passes(block.code) { ClusterState::Reconciling } else { ClusterState::Stalled },
            reason: format!("{:?}", block.code),
            message: block.message.clone(),
            help: Some(block.help.clone()),
        };
    }
    if plan.waiting.iter().any(|waiting| waiting.on == WaitingOn::Quarantine)
        && let Some(verdict) = failed(input)
    {
        return Verdict { state: ClusterState::Stalled, ..verdict };
    }
    if let Some(waiting) = plan.waiting.first() {
        return reconciling(&format!("{:?}", waiting.on), waiting.message.clone());
    }
    failed(input).unwrap_or_else(|| {
        let count = plan.steps.len();
        reconciling(reason::PLANNED, format!("A plan of {count} steps is ready."))
    })
}

/// An approval stands for one id: of another plan it says nothing.
fn approval(input: &SummaryInput<'_>) -> Option<ApprovalStatus> {
    let id = &input.plan?.id;
    input.approval.filter(|approval| approval.plan == *id).cloned()
}

fn failed(input: &SummaryInput<'_>) -> Option<Verdict> {
    input.failure.map(|failure| Verdict {
        state: match failure.disposition {
            Disposition::Retry => ClusterState::Reconciling,
            Disposition::Stalled => ClusterState::Stalled,
        },
        reason: failure.reason.clone(),
        message: failure.message.clone(),
        help: Some(failure.help.clone()),
    })
}

/// Blocks that pass without a person or a commit (`design/05`, States).
fn passes(code: BlockCode) -> bool {
    matches!(code, BlockCode::AgentUnreachable | BlockCode::ObservationStale | BlockCode::OperationInProgress)
}

fn progressing(operation: &OperationView<'_>) -> String {
    let step = operation.step;
    let to = step.to.as_deref().map(|to| format!(" to {to}")).unwrap_or_default();
    let ProgressStatus { steps_done, steps, .. } = operation.progress;
    format!("Step {} of {steps}: {:?}{to}.", steps_done + 1, step.action)
}

fn operation(view: &OperationView<'_>) -> OperationStatus {
    OperationStatus {
        plan: view.plan.clone(),
        step: view.step.id.clone(),
        action: view.step.action,
        to: view.step.to.clone(),
        started_at: view.started_at,
        step_started_at: view.step_started_at,
        deadline: Some(view.deadline),
        progress: view.progress.clone(),
    }
}

fn steps(input: &SummaryInput<'_>) -> Vec<StepStatus> {
    let Some(plan) = input.plan else { return Vec::new() };
    let done = input.operation.as_ref().map(|operation| operation.progress.steps_done);
    let state = |index: usize| match done {
        Some(done) if index < done => StepState::Done,
        Some(done) if index == done => StepState::Running,
        _ => StepState::Pending,
    };
    plan.steps
        .iter()
        .enumerate()
        .map(|(index, step)| StepStatus {
            id: step.id.clone(),
            action: step.action,
            to: step.to.clone(),
            backup: step.backup.clone(),
            module: step.module.clone(),
            disruption: step.disruption,
            state: state(index),
        })
        .collect()
}

fn failure(failure: &Failure) -> FailureStatus {
    let Failure { disposition, reason, message, help, agents } = failure;
    FailureStatus {
        reason: reason.clone(),
        message: message.clone(),
        help: help.clone(),
        agents: agents.clone(),
        tried_again: match disposition {
            Disposition::Retry => true,
            Disposition::Stalled => false,
        },
    }
}

fn wanted(desired: &Desired) -> VersionPair {
    let software = &desired.cluster.software;
    VersionPair {
        core: Some(software.core.release_name()),
        build: software.core.build(),
        web_apps: match &software.web_apps {
            WebWanted::Unmanaged => None,
            WebWanted::Bundled => Some("bundled".to_owned()),
            WebWanted::Version(version) => Some(version.release_name()),
        },
    }
}

fn agents(input: &SummaryInput<'_>) -> Vec<AgentStatus> {
    let Some(observation) = input.observation else {
        let members = input.desired.cluster.agents.iter();
        return members
            .flat_map(|agent| std::iter::once(&agent.member).chain(&agent.failover))
            .map(|member| AgentStatus {
                name: member.name.clone(),
                reachable: false,
                core: None,
                build: None,
                web_apps: None,
                state: None,
                online: None,
                reason: Some("not observed yet".to_owned()),
            })
            .collect();
    };
    observation
        .agents
        .iter()
        .map(|agent| {
            let core = agent.core.as_deref().map(|text| (text, resolved(input.catalog, text)));
            AgentStatus {
                name: agent.name.clone(),
                reachable: agent.reachable,
                core: core.as_ref().map(|(text, core)| name_of(text, core.as_ref())),
                build: core.and_then(|(_, core)| core?.build()),
                web_apps: agent
                    .web_apps
                    .as_deref()
                    .map(|text| name_of(text, resolved(input.catalog, text).as_ref())),
                state: agent.state,
                online: agent.failover.and_then(|pair| pair.online),
                reason: agent.reason.clone(),
            }
        })
        .collect()
}

fn resolved(catalog: &Catalog, text: &str) -> Option<Release> {
    text.parse::<Version>().ok().map(|version| catalog.release_of(&version))
}

/// The release as a plan prints it; the text itself where it is not understood.
fn name_of(text: &str, release: Option<&Release>) -> String {
    release.map_or_else(|| text.to_owned(), Release::name)
}

/// The lowest versions shown; only for people, rules have their own orders.
fn lowest(input: &SummaryInput<'_>) -> VersionPair {
    let Some(observation) = input.observation else { return VersionPair::default() };
    let low = |texts: &mut dyn Iterator<Item = &str>| {
        texts
            .filter_map(|text| resolved(input.catalog, text))
            .min_by_key(|release| (release.line(), release.cu_low(), release.build()))
    };
    let core = low(&mut observation.agents.iter().filter_map(|agent| agent.core.as_deref()));
    let web = low(&mut observation.agents.iter().filter_map(|agent| agent.web_apps.as_deref()));
    VersionPair {
        core: core.as_ref().map(Release::name),
        build: core.as_ref().and_then(Release::build),
        web_apps: web.as_ref().map(Release::name),
    }
}

fn owed(input: &SummaryInput<'_>) -> Vec<OwedWork> {
    let mut owed: Vec<OwedWork> = Vec::new();
    for work in input
        .observation
        .iter()
        .flat_map(|seen| &seen.agents)
        .filter_map(|agent| agent.owed.as_ref())
        .flatten()
    {
        if !owed.contains(work) {
            owed.push(work.clone());
        }
    }
    owed.sort_by_key(|work: &OwedWork| work.action == Action::ReinstallModule);
    owed
}
