//! Approvals: asked for, kept, acted on at once, and never taken for another plan.

use dataminer_schema::{id::PlanId, plan::WaitingOn};

use super::*;

const ALWAYS: &str = "  approval: Always\n";
const HELD: &str = "  approval: Always\n  suspend: true\n";
/// Another plan for the same versions.
const OTHER: &str = "  approval: Always\n  suspend: true\n  upgrade: { failoverPolicy: BackupFirst }\n";

impl Bench {
    fn wanting(extra: &str) -> Self {
        let bench = Self::new("10.5.12");
        bench.desired.send_replace(fleet("10.5.12", extra));
        bench
    }
}

impl Run {
    /// The plan that waits for an approval.
    async fn asked(&self) -> PlanId {
        let status = self.until("asking for an approval", asks).await;
        status.plan.expect("it has a plan")
    }

    async fn approve(&self, plan: &PlanId) {
        self.request(RequestKind::Approve { plan: plan.clone() }).await;
    }
}

fn asks(cluster: &ClusterStatus) -> bool {
    cluster.waiting.iter().any(|waiting| waiting.on == WaitingOn::Approval)
}

fn approved(cluster: &ClusterStatus) -> bool {
    cluster.approval.is_some() && !asks(cluster)
}

#[tokio::test]
async fn nothing_disruptive_runs_before_the_approval_and_everything_at_once_behind_it() {
    let bench = Bench::wanting(ALWAYS);
    let run = bench.start().await;
    let plan = run.asked().await;
    run.until("prepared", |cluster| {
        asks(cluster) && cluster.operation.is_none() && bench.dms.script().staged > 0
    })
    .await;
    assert_eq!(bench.dms.script().jobs.len(), 0, "preparations disrupt nobody");
    run.approve(&plan).await;
    run.ready().await;
    assert_eq!(bench.dms.script().jobs.len(), 1);
    let told = run.events(EventKind::PlanApproved).await;
    assert_eq!(told, [format!("{plan} by an operator: a test")]);
    // It has served: the same plan later is asked about again.
    assert_eq!(run.handle.store().approval(&cluster()).await.expect("it reads"), None);
    assert_eq!(run.events(EventKind::ApprovalLapsed).await, [""; 0]);
    bench.dms.script().core = OLD.to_owned();
    run.request(RequestKind::Retry).await;
    assert_eq!(run.asked().await, plan);
    assert_eq!(bench.dms.script().jobs.len(), 1);
    run.end().await;
}

#[tokio::test]
async fn an_approval_survives_a_restart_and_says_who_and_why() {
    let bench = Bench::wanting(HELD);
    let run = bench.start().await;
    let plan = run.asked().await;
    run.approve(&plan).await;
    run.until("approved", approved).await;
    run.approve(&plan).await;
    run.end().await;

    let run = bench.start().await;
    let status = run.until("approved", approved).await;
    let approval = status.approval.expect("it is told");
    assert_eq!((approval.plan, approval.reason.as_deref()), (plan, Some("a test")));
    assert_eq!(status.waiting.len(), 1, "an approval lifts no suspension: {:?}", status.waiting);
    assert_eq!(bench.dms.script().jobs.len(), 0);
    bench.desired.send_replace(fleet("10.5.12", ALWAYS));
    run.ready().await;
    assert_eq!(run.events(EventKind::PlanApproved).await.len(), 1, "twice is once");
    run.end().await;
}

/// A replayed approval.
#[tokio::test]
async fn an_approval_counts_for_its_plan_alone_and_not_again_later() {
    let bench = Bench::wanting(HELD);
    let run = bench.start().await;
    let plan = run.asked().await;
    run.approve(&plan).await;
    run.until("approved", approved).await;
    bench.desired.send_replace(fleet("10.5.12", OTHER));
    let other =
        run.until("asking again", |cluster| asks(cluster) && cluster.plan.as_ref() != Some(&plan)).await;
    assert_eq!(other.approval, None);
    let lapsed = run.events(EventKind::ApprovalLapsed).await;
    assert!(lapsed[0].contains(plan.short()) && lapsed[0].contains("Failover policy"), "{lapsed:?}");
    // One that was recorded just before the plan changed.
    let late = OperatorRequest { kind: RequestKind::Approve { plan: plan.clone() }, reason: None, by: None };
    run.handle.store().request(&cluster(), &late, now()).await.expect("it is recorded");
    bench.desired.send_replace(fleet("10.5.12", HELD));
    run.until("asking for the first", |cluster| asks(cluster) && cluster.plan.as_ref() == Some(&plan)).await;
    let refused = run.events(EventKind::OperatorRequest).await;
    assert!(refused.iter().any(|message| message.contains("was not done: the current plan")), "{refused:?}");
    run.end().await;
}

#[tokio::test]
async fn an_agent_that_is_away_for_a_moment_costs_no_approval() {
    let bench = Bench::wanting(HELD);
    let run = bench.start().await;
    let plan = run.asked().await;
    run.approve(&plan).await;
    run.until("approved", approved).await;
    bench.dms.script().lost = true;
    run.request(RequestKind::Reconcile).await;
    run.until("blocked", |cluster| !cluster.blocked.is_empty()).await;
    bench.dms.script().lost = false;
    run.request(RequestKind::Reconcile).await;
    let status = run.until("back", |cluster| cluster.blocked.is_empty() && approved(cluster)).await;
    assert_eq!(status.plan, Some(plan));
    run.end().await;
}

#[tokio::test]
async fn what_cannot_be_approved_says_why() {
    let bench = Bench::wanting(HELD);
    let run = bench.start().await;
    let plan = run.asked().await;
    let names = [plan.as_str(), plan.short()];
    for name in names {
        assert_eq!(run.handle.approvable(&cluster(), name).await.expect("it is asked for"), plan);
    }
    for guess in
        ["", "yes", &plan.as_str()[..30], &plan.short()[..11], &plan.as_str()[7..], "sha256:012345678901"]
    {
        let error = run.handle.approvable(&cluster(), guess).await.expect_err("that is no id");
        assert!(matches!(error, RequestError::PlanName(_)), "{guess}: {error}");
    }
    let paris = "paris".parse().expect("a cluster name");
    let error = run.handle.approvable(&paris, plan.as_str()).await.expect_err("there is none");
    assert!(matches!(error, RequestError::UnknownCluster(_)), "{error}");

    bench.desired.send_replace(fleet("10.5.12", OTHER));
    let other =
        run.until("another plan", |cluster| asks(cluster) && cluster.plan.as_ref() != Some(&plan)).await;
    let other = other.plan.expect("it has a plan");
    for name in names {
        let error = run.handle.approvable(&cluster(), name).await.expect_err("that was before").to_string();
        assert!(error.contains(other.as_str()) && error.contains("Failover policy"), "{error}");
    }
    bench.desired.send_replace(fleet("10.5.11", ALWAYS));
    let status = run.ready().await;
    let empty = status.plan.expect("it has a plan");
    let error = run.handle.approvable(&cluster(), empty.as_str()).await.expect_err("there is nothing to do");
    assert!(matches!(error, RequestError::NothingToApprove { .. }), "{error}");
    run.end().await;
}

/// Invariant 6: what was approved before another store acted counts no more.
#[tokio::test]
async fn a_takeover_forgets_the_approval() {
    let bench = Bench::wanting(HELD);
    let run = bench.start().await;
    let plan = run.asked().await;
    run.approve(&plan).await;
    run.until("approved", approved).await;
    run.request(RequestKind::Takeover).await;
    run.until("asking again", asks).await;
    assert_eq!(run.handle.store().approval(&cluster()).await.expect("it reads"), None);
    run.end().await;
}
