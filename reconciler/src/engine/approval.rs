//! Approvals: an operator's word for one plan id, besides the merge.
//!
//! An approval is kept with who and why, survives restarts, and counts for its id alone. It is forgotten when
//! another plan could be carried out: the same plan later, after other work, is asked about again. A plan that is blocked
//! forgets nothing, as its id may be that of a moment (an Agent that is away has no version).

use dataminer_core::{
    exec::effect::{Disposition, Failure},
    plan::difference,
};
use dataminer_schema::{
    id::{ClusterName, PlanId},
    plan::{Plan, PlanResult, WaitingOn},
    status::ApprovalStatus,
};

use super::{AgentPort, EngineHandle, RequestError, cluster::ClusterLoop, operator::Heed};
use crate::store::{EventKind, Store, StoreError, StoredRequest};

impl<P: AgentPort> ClusterLoop<P> {
    /// Keeps the approval of `plan`, if that is still what the cluster waits for.
    pub(super) async fn approve(
        &mut self,
        stored: &StoredRequest,
        plan: &PlanId,
    ) -> Result<Heed, StoreError> {
        match check(&self.shared.store, &self.name, plan.as_str()).await {
            Ok(_) => {}
            Err(RequestError::Store(error)) => return Err(error),
            Err(refused) => {
                return Ok(Heed::Refused(Failure {
                    disposition: Disposition::Stalled,
                    reason: "NotApproved".to_owned(),
                    message: refused.to_string(),
                    help: refused.help().to_owned(),
                    agents: Vec::new(),
                }));
            }
        }
        let approval = ApprovalStatus {
            plan: plan.clone(),
            at: stored.at,
            by: stored.request.by.clone(),
            reason: stored.request.reason.clone(),
        };
        if self.shared.store.approve(&self.name, &approval).await? {
            let by = approval.by.as_deref().unwrap_or("an operator");
            let why = approval.reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            let mut event = self.event(EventKind::PlanApproved, format!("{plan} by {by}{why}"));
            event.plan = Some(plan.clone());
            self.record(event).await;
            self.approval = Some(approval);
        }
        Ok(Heed::Done)
    }

    /// Forgets an approval of another plan than `plan`, and tells how the two differ.
    pub(super) async fn lapse(&mut self, plan: &Plan) -> Result<(), StoreError> {
        let other = |approval: &mut ApprovalStatus| approval.plan != plan.id && plan.blocked.is_empty();
        let Some(approval) = self.approval.take_if(other) else { return Ok(()) };
        let was = self.shared.store.plan(&self.name, &approval.plan).await?;
        self.shared.store.forget_approval(&self.name).await?;
        // It was carried out: it has served.
        if plan.result == PlanResult::Converged && self.succeeded.as_ref() == Some(&approval.plan) {
            return Ok(());
        }
        let message = format!(
            "of plan {} does not count for plan {}{}",
            approval.plan.short(),
            plan.id.short(),
            was.map(|was| told(&was.plan, plan)).unwrap_or_default()
        );
        let mut event = self.event(EventKind::ApprovalLapsed, message);
        event.plan = Some(approval.plan);
        self.record(event).await;
        Ok(())
    }
}

impl EngineHandle {
    /// The current plan of `cluster`, if `named` is its id, in full or as `describe` prints it, and it waits for
    /// an approval or has it.
    ///
    /// # Errors
    /// Another plan, with the difference; one that waits for no approval; what is no id at all.
    pub async fn approvable(&self, cluster: &ClusterName, named: &str) -> Result<PlanId, RequestError> {
        if self.status().borrow().cluster(cluster).is_none() {
            return Err(RequestError::UnknownCluster(cluster.clone()));
        }
        check(self.store(), cluster, named).await
    }
}

/// The id of the current plan, where `named` means it and it asks for an approval or has it.
async fn check(store: &Store, cluster: &ClusterName, named: &str) -> Result<PlanId, RequestError> {
    let digits = named.strip_prefix("sha256:").unwrap_or(named);
    let short = named.len() == digits.len() && digits.len() == SHORT;
    let well_formed = short || PlanId::new(named).is_ok();
    if !well_formed || !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(RequestError::PlanName(named.escape_debug().take(80).collect()));
    }
    let Some(current) = store.current_plan(cluster).await?.map(|stored| stored.plan) else {
        return Err(RequestError::NoPlan(cluster.clone()));
    };
    let is_meant = if short { current.id.short() == named } else { current.id.as_str() == named };
    if !is_meant {
        let approved = store.approval(cluster).await?.map(|approval| approval.plan);
        let was = match store.plan_named(cluster, digits).await? {
            Some(was) => Some(was),
            None => match approved {
                Some(approved) => store.plan(cluster, &approved).await?,
                None => None,
            },
        };
        return Err(RequestError::OtherPlan {
            cluster: cluster.clone(),
            named: named.to_owned(),
            current: current.id.clone(),
            difference: was.map(|was| told(&was.plan, &current)).unwrap_or_default(),
        });
    }
    let waits = current.waiting.iter().any(|waiting| waiting.on == WaitingOn::Approval);
    let approved = store.approval(cluster).await?.is_some_and(|approval| approval.plan == current.id);
    if waits || approved {
        return Ok(current.id);
    }
    let state = match current.blocked.first() {
        Some(block) => format!("it is blocked ({:?}: {})", block.code, block.message),
        None => format!("it is {:?}", current.result),
    };
    Err(RequestError::NothingToApprove { cluster: cluster.clone(), plan: current.id, state })
}

/// The digits of [`PlanId::short`].
const SHORT: usize = 12;

/// How `now` differs from `was`, as the end of a sentence.
fn told(was: &Plan, now: &Plan) -> String {
    let parts = difference(was, now);
    if parts.is_empty() {
        return String::new();
    }
    format!(" (against plan {}: {})", was.id.short(), parts.join("; "))
}
