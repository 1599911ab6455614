//! The id of a plan: what an approval stands for.

use dataminer_schema::{
    id::{AgentName, ClusterName, PlanId, Sha256},
    plan::{Action, Step, VersionPair},
    v1::cluster::{Cluster, Extras, FailoverPolicy, RunAs, UpgradeOptions},
};
use serde::Serialize;

/// Everything that the id covers, in this order; never commit, now, waiting, ready, estimates or texts.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    format: u32,
    cluster: &'a ClusterName,
    from: &'a VersionPair,
    to: &'a VersionPair,
    policy: Policy<'a>,
    steps: Vec<StepIdentity<'a>>,
    /// Its hash alone: that a SaveBackup brought the same bytes into the vault is no other plan.
    backup: Option<&'a Sha256>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Policy<'a> {
    failover: FailoverPolicy,
    options: UpgradeOptions,
    run_as: &'a RunAs,
    /// Only where content is restored does it change anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    extras: Option<Extras>,
}

#[derive(Serialize)]
struct StepIdentity<'a> {
    action: Action,
    agents: &'a [AgentName],
    sha256: Option<&'a Sha256>,
    to: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hook: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    without: &'a [String],
}

/// The id of a plan with these steps, in their order.
pub(super) fn plan_id(cluster: &Cluster, (from, to): (&VersionPair, &VersionPair), steps: &[Step]) -> PlanId {
    let upgrade = &cluster.upgrade;
    let restore = steps.iter().find(|step| step.action == Action::RestoreContent);
    let identity = Identity {
        format: 1,
        cluster: &cluster.name,
        from,
        to,
        policy: Policy {
            failover: upgrade.failover_policy,
            options: upgrade.options,
            run_as: &upgrade.run_as,
            extras: restore.map(|_| cluster.downgrade.extras),
        },
        steps: steps.iter().map(step_identity).collect(),
        backup: restore.and_then(|step| step.backup.as_ref()).map(|backup| &backup.sha256),
    };
    // Plain structs of strings, numbers and unit enums always serialise; the fallback keeps the planner total.
    let text = serde_json::to_vec(&identity).unwrap_or_default();
    PlanId::from_sha256(&Sha256::of(&text))
}

fn step_identity(step: &Step) -> StepIdentity<'_> {
    let Step { action, agents, sha256, to, module, hook, patch, without, .. } = step;
    StepIdentity {
        action: *action,
        agents,
        sha256: sha256.as_ref(),
        to: to.as_deref(),
        module: module.as_deref(),
        hook: hook.as_deref(),
        patch: patch.as_ref().map(|patch| patch.removes.as_str()),
        without,
    }
}
