//! The id of a plan: what an approval stands for.

use dataminer_schema::{
    id::{AgentName, ClusterName, PlanId, Sha256},
    plan::{Action, BackupRef, Step, VersionPair},
    v1::cluster::{FailoverPolicy, RunAs, Upgrade, UpgradeOptions},
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
    policy: Policy,
    steps: Vec<StepIdentity<'a>>,
    backup: Option<&'a BackupRef>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Policy {
    failover: FailoverPolicy,
    options: UpgradeOptions,
    run_as: RunAs,
}

#[derive(Serialize)]
struct StepIdentity<'a> {
    action: Action,
    agents: &'a [AgentName],
    sha256: Option<&'a Sha256>,
    to: Option<&'a str>,
}

/// The id of a plan with these steps, in their order.
pub(super) fn plan_id(
    cluster: &ClusterName,
    (from, to): (&VersionPair, &VersionPair),
    upgrade: &Upgrade,
    steps: &[Step],
    backup: Option<&BackupRef>,
) -> PlanId {
    let identity = Identity {
        format: 1,
        cluster,
        from,
        to,
        policy: Policy {
            failover: upgrade.failover_policy,
            options: upgrade.options,
            run_as: upgrade.run_as,
        },
        steps: steps.iter().map(step_identity).collect(),
        backup,
    };
    // Plain structs of strings, numbers and unit enums always serialise; the fallback keeps the planner total.
    let text = serde_json::to_vec(&identity).unwrap_or_default();
    PlanId::from_sha256(&Sha256::of(&text))
}

fn step_identity(step: &Step) -> StepIdentity<'_> {
    let Step { action, agents, sha256, to, .. } = step;
    StepIdentity { action: *action, agents, sha256: sha256.as_ref(), to: to.as_deref() }
}
