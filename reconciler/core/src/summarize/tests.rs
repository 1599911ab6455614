//! Summaries of clusters in every state that a loop can leave them in.

use dataminer_schema::{
    id::Sha256,
    plan::{Plan, PlanResult},
    status::{
        BrokenCommit, ClusterStatus, Condition, ConditionStatus, ConditionType, ProgressStatus, SourceStatus,
    },
};
use jiff::SignedDuration;

use dataminer_schema::v1::{cluster::Approval, observation::AgentState};

use super::*;
use crate::{
    exec::effect::{Disposition, Failure},
    plan::{Quarantine, Retry},
    testing::{NOW, Scenario},
};

fn now() -> Timestamp {
    NOW.parse().expect("a time")
}

/// Plans the scenario and summarises it; `change` completes the input.
fn status_of<'t>(scenario: &'t Scenario, change: impl FnOnce(&mut SummaryInput<'t>)) -> ClusterStatus {
    // Leaked, so that `change` may put in what lives longer than this function: a test ends soon.
    let plan = Box::leak(Box::new(scenario.plan()));
    let mut input = SummaryInput {
        desired: Box::leak(Box::new(scenario.desired())),
        catalog: Box::leak(Box::new(scenario.catalog())),
        source: Box::leak(Box::default()),
        observation: scenario.observation.as_ref(),
        plan: Some(plan),
        operation: None,
        approval: None,
        canary: None,
        failure: None,
        next_attempt_at: None,
        previous: None,
        now: now(),
    };
    change(&mut input);
    summarize(&input)
}

fn condition(status: &ClusterStatus, kind: ConditionType) -> &Condition {
    status.conditions.iter().find(|condition| condition.kind == kind).expect("every type is there")
}

fn failure(disposition: Disposition) -> Failure {
    Failure {
        disposition,
        reason: "UpgradeFailed".to_owned(),
        message: "job 1 ended with code 3".to_owned(),
        help: "look at the log".to_owned(),
        agents: Vec::new(),
    }
}

fn short(status: &ClusterStatus) -> (ClusterState, &str) {
    (status.state, status.reason.as_str())
}

#[test]
fn a_cluster_that_shows_what_is_wanted_is_ready() {
    let status = status_of(&Scenario::new("10.5.12", "10.5.12"), |_| {});
    assert_eq!(short(&status), (ClusterState::Ready, "Converged"));
    assert_eq!(status.observed.core.as_deref(), Some("10.5.12"));
    assert_eq!(status.wanted.core.as_deref(), Some("10.5.12"));
    for (kind, wanted) in [
        (ConditionType::Ready, ConditionStatus::True),
        (ConditionType::Reconciling, ConditionStatus::False),
        (ConditionType::Stalled, ConditionStatus::False),
        (ConditionType::Observed, ConditionStatus::True),
        (ConditionType::Planned, ConditionStatus::True),
        (ConditionType::Healthy, ConditionStatus::True),
        (ConditionType::WindowOpen, ConditionStatus::True),
        (ConditionType::SourceReady, ConditionStatus::True),
        (ConditionType::Proven, ConditionStatus::Unknown),
    ] {
        assert_eq!(condition(&status, kind).status, wanted, "{kind:?}");
    }
}

#[test]
fn a_cluster_that_was_never_seen_is_reconciling() {
    let scenario = Scenario::new("10.5.12", "10.5.12");
    let status = status_of(&scenario, |input| {
        input.plan = None;
        input.observation = None;
    });
    assert_eq!(short(&status), (ClusterState::Reconciling, "Observing"));
    assert_eq!(status.agents.len(), 2, "the Agents of the manifest are named all the same");
    assert_eq!(condition(&status, ConditionType::Healthy).status, ConditionStatus::Unknown);
}

/// Invariant 9.
#[test]
fn a_block_that_passes_by_itself_is_reconciling_any_other_stalls() {
    let unreachable = Scenario::new("10.5.11", "10.5.12").agent("a2", |agent| agent.reachable = false);
    let status = status_of(&unreachable, |_| {});
    assert_eq!(short(&status), (ClusterState::Reconciling, "AgentUnreachable"));
    assert!(status.help.is_some());
    let observed = condition(&status, ConditionType::Observed);
    assert_eq!((observed.status, observed.message.as_str()), (ConditionStatus::False, "Not seen: a2."));

    let downgrade = Scenario::new("10.5.12", "10.5.11");
    let status = status_of(&downgrade, |input| input.next_attempt_at = Some(now()));
    assert_eq!(short(&status), (ClusterState::Stalled, "DowngradeNotAllowed"));
    assert_eq!(status.next_attempt_at, None, "nothing is tried until somebody acts");

    let both =
        Scenario::new("10.5.12", "10.5.11").agent("a2", |agent| agent.state = Some(AgentState::Stopped));
    assert_eq!(status_of(&both, |_| {}).state, ClusterState::Stalled);
}

/// Invariant 9.
#[test]
fn waiting_for_a_window_says_until_when() {
    let scenario = Scenario::new("10.5.11", "10.5.12").saturday_nights();
    let status = status_of(&scenario, |input| {
        input.next_attempt_at = input.plan.and_then(|plan| plan.waiting[0].until);
    });
    assert_eq!(short(&status), (ClusterState::Reconciling, "Window"));
    assert_eq!(status.next_attempt_at, status.waiting[0].until);
    let window = condition(&status, ConditionType::WindowOpen);
    assert_eq!((window.status, window.reason.as_str()), (ConditionStatus::False, "Closed"));
    assert!(window.message.contains("2026-11-21T21:00:00Z"), "{}", window.message);
}

#[test]
fn a_quarantined_failure_stalls_with_its_own_reason() {
    let mut scenario = Scenario::new("10.5.11", "10.5.12");
    let digest = scenario.desired().digest;
    scenario.state.quarantine = Some(Quarantine { desired: digest, reason: "it failed".to_owned() });
    let failed = failure(Disposition::Stalled);
    let status = status_of(&scenario, |input| input.failure = Some(&failed));
    assert_eq!(short(&status), (ClusterState::Stalled, "UpgradeFailed"));
    assert_eq!(status.help.as_deref(), Some("look at the log"));
    assert_eq!(condition(&status, ConditionType::Stalled).status, ConditionStatus::True);
}

#[test]
fn a_failure_that_is_tried_again_is_reconciling() {
    let mut scenario = Scenario::new("10.5.11", "10.5.12");
    let at = now() + SignedDuration::from_mins(1);
    scenario.state.retry = Some(Retry { at, reason: "the connection was lost".to_owned(), attempts: 1 });
    let failed = failure(Disposition::Retry);
    let status = status_of(&scenario, |input| {
        input.failure = Some(&failed);
        input.next_attempt_at = Some(at);
    });
    assert_eq!(status.state, ClusterState::Reconciling);
    assert_eq!(status.next_attempt_at, Some(at));
}

#[test]
fn what_failed_and_what_is_in_the_way_are_told_in_full() {
    let failed = failure(Disposition::Stalled);
    let scenario = Scenario::new("10.5.12", "10.5.11");
    let failed: &'static Failure = Box::leak(Box::new(failed));
    let status = status_of(&scenario, |input| input.failure = Some(failed));
    let told = status.failure.expect("it is told");
    assert_eq!(
        (told.reason.as_str(), told.help.as_str(), told.tried_again),
        ("UpgradeFailed", "look at the log", false)
    );
    assert_eq!(status.blocked.len(), 1, "{:?}", status.blocked);
    assert_eq!(status.content_loss, None);
    let passing: &'static Failure = Box::leak(Box::new(failure(Disposition::Retry)));
    let status = status_of(&scenario, |input| input.failure = Some(passing));
    assert!(status.failure.is_some_and(|failure| failure.tried_again));
}

#[test]
fn an_operation_says_which_step_it_is_at() {
    let scenario = Scenario::new("10.5.11", "10.5.12");
    let plan: Plan = scenario.plan();
    assert_eq!(plan.result, PlanResult::Ready);
    let status = status_of(&scenario, |input| {
        input.operation = Some(OperationView {
            plan: &plan.id,
            step: &plan.steps[1],
            started_at: now(),
            step_started_at: now(),
            deadline: now(),
            progress: ProgressStatus { steps_done: 1, steps: plan.steps.len(), ..Default::default() },
        });
    });
    assert_eq!(short(&status), (ClusterState::Reconciling, "Progressing"));
    assert!(status.message.starts_with("Step 2 of "), "{}", status.message);
    let states: Vec<StepState> = status.steps.iter().take(3).map(|step| step.state).collect();
    assert_eq!(states, [StepState::Done, StepState::Running, StepState::Pending]);
}

#[test]
fn a_condition_keeps_its_time_until_it_changes() {
    let before = status_of(&Scenario::new("10.5.12", "10.5.12"), |_| {});
    let later = now() + SignedDuration::from_mins(10);
    let same = status_of(&Scenario::new("10.5.12", "10.5.12"), |input| {
        input.previous = Some(&before);
        input.now = later;
    });
    assert_eq!(same.conditions, before.conditions);
    let ill =
        Scenario::new("10.5.12", "10.5.12").agent("a1", |agent| agent.state = Some(AgentState::Stopped));
    let changed = status_of(&ill, |input| {
        input.previous = Some(&before);
        input.now = later;
    });
    assert_eq!(condition(&changed, ConditionType::Healthy).last_transition_time, later);
    assert_eq!(condition(&changed, ConditionType::Observed).last_transition_time, now());
}

#[test]
fn a_broken_commit_shows_and_stops_nothing() {
    let source = SourceStatus {
        broken: Some(BrokenCommit {
            commit: "b".repeat(40).parse().expect("a commit id"),
            diagnostics: Vec::new(),
        }),
        ..SourceStatus::default()
    };
    let status = status_of(&Scenario::new("10.5.12", "10.5.12"), |input| input.source = &source);
    assert_eq!(status.state, ClusterState::Ready);
    assert_eq!(condition(&status, ConditionType::SourceReady).reason, "CommitBroken");
}

/// Invariant 8.
#[test]
fn work_that_is_owed_is_named_once() {
    let owed = OwedWork {
        id: None,
        action: Action::RestoreContent,
        backup: Some(Sha256::of(b"backup")),
        module: None,
    };
    let scenario = Scenario::new("10.5.12", "10.5.12").each(|agent| agent.owed = Some(vec![owed.clone()]));
    let status = status_of(&scenario, |_| {});
    assert_eq!(status.owed, [owed]);
    assert_ne!(status.state, ClusterState::Ready, "invariant 8");
}

/// The document is a contract: it comes back as it went out.
#[test]
fn a_status_survives_its_own_json() {
    let status = status_of(&Scenario::new("10.5.11", "10.5.12").saturday_nights(), |_| {});
    let json = serde_json::to_string(&status).expect("a status serialises");
    assert_eq!(serde_json::from_str::<ClusterStatus>(&json).expect("and comes back"), status);
    assert!(!json.contains("null"), "unknown is absent, never null: {json}");
}

#[test]
fn an_open_approval_is_named_and_one_of_another_plan_is_not_shown() {
    let scenario = Scenario::new("10.3.0 CU20", "10.5.0 CU12").approval(Approval::Always);
    let status = status_of(&scenario, |_| {});
    assert_eq!(short(&status), (ClusterState::Reconciling, "Approval"));
    let plan = scenario.plan().id;
    assert!(status.message.contains(plan.as_str()), "{}", status.message);
    let approval = |plan: PlanId| ApprovalStatus {
        plan,
        at: now(),
        by: Some("ada".to_owned()),
        reason: Some("TICKET-4711".to_owned()),
    };
    let mut approved = scenario.clone();
    approved.state.approved = Some(plan.clone());
    let given = approval(plan);
    let status = status_of(&approved, |input| input.approval = Some(Box::leak(Box::new(given.clone()))));
    assert_eq!(short(&status), (ClusterState::Reconciling, "Planned"));
    assert_eq!(status.approval, Some(given));
    let other = approval(PlanId::from_sha256(&Sha256::of(b"another")));
    let status = status_of(&scenario, |input| input.approval = Some(Box::leak(Box::new(other))));
    assert_eq!(short(&status).1, "Approval");
    assert_eq!(status.approval, None);
}
