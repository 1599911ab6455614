//! Conditions after the model of Flux: each aspect has its own, `Ready` is computed from the verdict.

use dataminer_schema::{
    plan::{BlockCode, PlanResult},
    status::{AgentStatus, ClusterState, Condition, ConditionStatus, ConditionType},
    v1::observation::AgentState,
};

use super::{SummaryInput, Verdict};
use crate::canary::Canary;

/// All conditions, in the order of their types.
pub(super) fn conditions(
    input: &SummaryInput<'_>,
    verdict: &Verdict,
    agents: &[AgentStatus],
) -> Vec<Condition> {
    let state = |kind, state| {
        let status = if verdict.state == state { ConditionStatus::True } else { ConditionStatus::False };
        (kind, status, verdict.reason.clone(), verdict.message.clone())
    };
    [
        state(ConditionType::Ready, ClusterState::Ready),
        state(ConditionType::Reconciling, ClusterState::Reconciling),
        state(ConditionType::Stalled, ClusterState::Stalled),
        observed(input, agents),
        planned(input),
        healthy(input, agents),
        window(input),
        source(input),
        proven(input),
    ]
    .into_iter()
    .map(|(kind, status, reason, message)| {
        let before = input
            .previous
            .and_then(|status| status.conditions.iter().find(|condition| condition.kind == kind));
        let unchanged = before
            .filter(|before| before.status == status && before.reason == reason && before.message == message);
        Condition {
            kind,
            status,
            reason,
            message,
            last_transition_time: unchanged.map_or(input.now, |before| before.last_transition_time),
        }
    })
    .collect()
}

type Aspect = (ConditionType, ConditionStatus, String, String);

fn aspect(kind: ConditionType, status: ConditionStatus, reason: &str, message: impl Into<String>) -> Aspect {
    (kind, status, reason.to_owned(), message.into())
}

fn observed(input: &SummaryInput<'_>, agents: &[AgentStatus]) -> Aspect {
    const KIND: ConditionType = ConditionType::Observed;
    if input.observation.is_none() {
        return aspect(KIND, ConditionStatus::Unknown, "NeverObserved", "The cluster was not observed yet.");
    }
    let missing = names(agents, |agent| !agent.reachable);
    if missing.is_empty() {
        aspect(KIND, ConditionStatus::True, "AllAgentsSeen", "Every Agent was seen.")
    } else {
        aspect(KIND, ConditionStatus::False, "AgentUnreachable", format!("Not seen: {missing}."))
    }
}

fn planned(input: &SummaryInput<'_>) -> Aspect {
    const KIND: ConditionType = ConditionType::Planned;
    match input.plan {
        None => aspect(KIND, ConditionStatus::Unknown, "NotPlanned", "There is no plan yet."),
        Some(plan) => match plan.blocked.first() {
            Some(block) => {
                aspect(KIND, ConditionStatus::False, code(block.code).as_str(), block.message.clone())
            }
            None => {
                let reason = match plan.result {
                    PlanResult::Converged => "NothingToDo",
                    PlanResult::Ready => "PlanReady",
                    PlanResult::Waiting => "PlanWaiting",
                    PlanResult::Blocked => "PlanBlocked",
                };
                let message = format!("Plan {} has {} steps.", plan.id.short(), plan.steps.len());
                aspect(KIND, ConditionStatus::True, reason, message)
            }
        },
    }
}

fn code(code: BlockCode) -> String {
    format!("{code:?}")
}

fn healthy(input: &SummaryInput<'_>, agents: &[AgentStatus]) -> Aspect {
    const KIND: ConditionType = ConditionType::Healthy;
    if input.observation.is_none() {
        return aspect(KIND, ConditionStatus::Unknown, "NeverObserved", "The cluster was not observed yet.");
    }
    let ill = names(agents, |agent| {
        agent.reachable && agent.online != Some(false) && agent.state != Some(AgentState::Running)
    });
    let missing = names(agents, |agent| !agent.reachable);
    if !ill.is_empty() {
        aspect(KIND, ConditionStatus::False, "Unhealthy", format!("Not Running: {ill}."))
    } else if !missing.is_empty() {
        aspect(KIND, ConditionStatus::Unknown, "AgentUnreachable", format!("Not seen: {missing}."))
    } else {
        aspect(KIND, ConditionStatus::True, "AllAgentsRunning", "Every Agent is Running.")
    }
}

fn window(input: &SummaryInput<'_>) -> Aspect {
    const KIND: ConditionType = ConditionType::WindowOpen;
    let state = input.desired.calendar.state(input.now);
    if state.open {
        aspect(KIND, ConditionStatus::True, "Open", "Disruptive work may start.")
    } else {
        let next =
            state.next_open.map_or_else(|| "No opening is known.".to_owned(), |at| format!("Opens at {at}."));
        aspect(KIND, ConditionStatus::False, "Closed", next)
    }
}

fn source(input: &SummaryInput<'_>) -> Aspect {
    const KIND: ConditionType = ConditionType::SourceReady;
    if let Some(broken) = &input.source.broken {
        let message = format!("Commit {} has errors; the last good one is acted on.", broken.commit);
        return aspect(KIND, ConditionStatus::False, "CommitBroken", message);
    }
    match &input.source.error {
        Some(error) => aspect(KIND, ConditionStatus::False, "FetchFailed", error.clone()),
        None => aspect(KIND, ConditionStatus::True, "UpToDate", "The newest commit is acted on."),
    }
}

fn proven(input: &SummaryInput<'_>) -> Aspect {
    const KIND: ConditionType = ConditionType::Proven;
    let standing = Canary::of(input.canary, &input.desired.cluster, input.observation);
    let status = match standing {
        Canary::Passed(_) => ConditionStatus::True,
        Canary::Failed(..) => ConditionStatus::False,
        Canary::Never | Canary::Expired(_) => ConditionStatus::Unknown,
    };
    aspect(KIND, status, standing.reason(), standing.message())
}

fn names(agents: &[AgentStatus], filter: impl Fn(&AgentStatus) -> bool) -> String {
    agents
        .iter()
        .filter(|agent| filter(agent))
        .map(|agent| agent.name.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}
