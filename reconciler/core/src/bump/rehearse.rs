//! Asks the planner what it would say of a raise.
//!
//! Where the cluster was not observed, it is taken to run what its manifest wants: an update is written for a fleet
//! that has converged. Whether Agents answer, are healthy or have room is nothing that a manifest can be blamed for.

use dataminer_schema::{
    plan::{BlockCode, Plan},
    v1::{
        cluster::{Cluster, DowngradePolicy, Member},
        observation::{AgentObservation, AgentState, FailoverRole, FailoverState, Observation},
    },
    version::WebWanted,
};
use jiff::Timestamp;

use super::Ground;
use crate::{
    catalog::Catalog,
    desired::resolve,
    plan::{PlanInput, PlanMode, PlanState, plan},
};

/// What the planner says.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// Why the manifest would be refused.
    pub(super) refused: Option<String>,
    /// What must be done by hand before it can be carried out.
    pub(super) later: Vec<String>,
}

/// Plans `wanted` from what `before` wants or was observed to run.
pub(super) fn rehearse(
    before: &Cluster,
    mut wanted: Cluster,
    observed: Option<&Observation>,
    Ground { catalog, knowledge }: Ground<'_>,
) -> Answer {
    // A raise must stand without leave to fall.
    wanted.downgrade.policy = DowngradePolicy::Forbid;
    wanted.upgrade.accept_older_fixes = false;
    let seen = observed.filter(|seen| tells_every_core(seen)).cloned();
    let observation = seen.unwrap_or_else(|| converged(before, catalog));
    let desired = resolve(wanted, None);
    let plan = plan(&PlanInput {
        desired: &desired,
        observation: Some(&observation),
        catalog,
        knowledge,
        vault: &[],
        state: &PlanState::default(),
        now: observation.taken_at,
        mode: PlanMode::Offline,
    });
    judge(&plan)
}

fn judge(plan: &Plan) -> Answer {
    let mut answer = Answer::default();
    for block in &plan.blocked {
        let said = format!("{:?}: {}", block.code, block.message);
        match blame(block.code) {
            Blame::Manifest => {
                answer.refused.get_or_insert_with(|| format!("the plan would be blocked by {said}"));
            }
            Blame::Later => answer.later.push(format!("its plan will be blocked by {said}")),
            Blame::Circumstances => {}
        }
    }
    answer
}

enum Blame {
    /// What is wanted cannot be reached: another version should be.
    Manifest,
    /// Something must be done first.
    Later,
    /// Nothing that the wanted versions could help.
    Circumstances,
}

fn blame(code: BlockCode) -> Blame {
    match code {
        BlockCode::UnknownBuild
        | BlockCode::NoPackage
        | BlockCode::NoPath
        | BlockCode::DowngradeNotAllowed
        | BlockCode::NoMatchingBackup
        | BlockCode::OlderFixesNotAccepted
        | BlockCode::HotfixInstalled
        | BlockCode::WebNotSupported
        | BlockCode::WebRequiresNewerCore
        | BlockCode::WebRegression
        | BlockCode::KnownIssue
        | BlockCode::PrerequisiteKnownToFail => Blame::Manifest,
        BlockCode::ManualStepRequired | BlockCode::UnsafeFailoverPolicy | BlockCode::NotSupportedYet => {
            Blame::Later
        }
        BlockCode::AgentUnreachable
        | BlockCode::ObservationStale
        | BlockCode::OperationInProgress
        | BlockCode::ManagedElsewhere
        | BlockCode::TopologyMismatch
        | BlockCode::Unhealthy
        | BlockCode::PackageUnverified
        | BlockCode::InsufficientDisk
        | BlockCode::MixedCluster
        | BlockCode::SecretNotAllowed
        | BlockCode::HookNotAllowed => Blame::Circumstances,
    }
}

fn tells_every_core(seen: &Observation) -> bool {
    !seen.agents.is_empty() && seen.agents.iter().all(|agent| agent.reachable && agent.core.is_some())
}

/// The cluster as it is once it runs what its manifest wants.
fn converged(cluster: &Cluster, catalog: &Catalog) -> Observation {
    let core = catalog.release_of(&cluster.software.core);
    let web = match &cluster.software.web_apps {
        WebWanted::Version(version) => Some(version.to_string()),
        WebWanted::Bundled => Some(core.name()),
        WebWanted::Unmanaged => None,
    };
    let agent = |member: &Member, role: Option<FailoverRole>| AgentObservation {
        core: Some(core.version().to_string()),
        web_apps: web.clone(),
        state: Some(AgentState::Running),
        failover: role.map(|role| FailoverState { role, online: Some(role == FailoverRole::Main) }),
        ..AgentObservation::new(member.name.clone(), true)
    };
    let agents = cluster.agents.iter().flat_map(|declared| {
        let role = declared.failover.as_ref().map(|_| FailoverRole::Main);
        let partner = declared.failover.as_ref().map(|member| agent(member, Some(FailoverRole::Backup)));
        std::iter::once(agent(&declared.member, role)).chain(partner)
    });
    Observation {
        cluster: cluster.name.clone(),
        taken_at: Timestamp::UNIX_EPOCH,
        topology: None,
        agents: agents.collect(),
    }
}
