//! The Cluster manifest: what one DMS shall run, where its Agents are, and when it may be touched.
//!
//! Fields that this release does not act on are part of the language all the same: [`Cluster::not_carried_out`]
//! names them, `validate` warns of them, and no plan of such a cluster becomes ready.

mod agent;
mod connection;
mod downgrade;
mod health;
mod upgrade;
mod window;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::{
    agent::{Agent, AgentKind, Member},
    connection::{Connection, Credential, JumpHost, SecretRef, Ssh, WebServices},
    downgrade::{Downgrade, DowngradePolicy, Extras, Restore},
    health::{Health, HealthCheck, Hook, HookEvent},
    upgrade::{FailoverPolicy, OnFailure, RunAs, Upgrade, UpgradeMode, UpgradeOptions, WebUpgrades},
    window::{Fit, Window},
};
use crate::{
    id::ClusterName,
    v1::advisory::Advisory,
    version::{Version, WebWanted},
};

/// A Cluster after parsing, with its Profile merged in and every default filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Unique in the repository.
    pub name: ClusterName,
    /// Free labels.
    pub labels: BTreeMap<String, String>,
    /// The Profile that filled what the manifest leaves out.
    pub profile: Option<AppliedProfile>,
    /// The Rollout whose waves it follows, by name.
    pub rollout: Option<String>,
    /// The Advisories that are about it, in the order of their names.
    pub advisories: Vec<Advisory>,
    /// Whether everything but observing stops.
    pub suspend: bool,
    /// The versions wanted.
    pub software: Software,
    /// Every Agent of the DMS, in the order of the manifest; at least one.
    pub agents: Vec<Agent>,
    /// How Agents are reached.
    pub connection: Connection,
    /// How upgrades run.
    pub upgrade: Upgrade,
    /// Whether versions may fall.
    pub downgrade: Downgrade,
    /// Without a window of kind Allow the cluster is always open; Deny wins.
    pub windows: Vec<Window>,
    /// Which plans an operator approves besides the merge.
    pub approval: Approval,
    /// What is called around a change.
    pub hooks: Vec<Hook>,
    /// When the cluster counts as healthy after a change.
    pub health: Health,
    /// The clusters that must have converged before this one may change.
    pub depends_on: Vec<ClusterName>,
}

/// A Profile as it was merged into a Cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedProfile {
    /// The Profile's name.
    pub name: String,
    /// The fields that it gave, as `spec.upgrade.stageAhead`, in alphabetical order; the others are the Cluster's own.
    pub gave: Vec<String>,
}

/// The versions wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Software {
    /// The core.
    pub core: Version,
    /// The web apps.
    pub web_apps: WebWanted,
    /// Packages to install after the core, in order, by name.
    pub hotfixes: Vec<String>,
}

/// Which plans an operator approves besides the merge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Approval {
    /// None: the merge is enough.
    Never,
    /// Those that lower a version.
    #[default]
    Downgrades,
    /// All that change anything.
    Always,
}

impl Cluster {
    /// The cluster of these Agents, with the default of everything else.
    pub fn new(name: ClusterName, core: Version, agents: Vec<Agent>) -> Self {
        Self {
            name,
            labels: BTreeMap::new(),
            profile: None,
            rollout: None,
            advisories: Vec::new(),
            suspend: false,
            software: Software { core, web_apps: WebWanted::default(), hotfixes: Vec::new() },
            agents,
            connection: Connection::default(),
            upgrade: Upgrade::default(),
            downgrade: Downgrade::default(),
            windows: Vec::new(),
            approval: Approval::default(),
            hooks: Vec::new(),
            health: Health::default(),
            depends_on: Vec::new(),
        }
    }

    /// What is declared of this cluster and not carried out by this release: fields such as `spec.hooks`, and `Rollout`.
    /// Nothing may be started on such a cluster, for what is left out may be what makes the change safe.
    pub fn not_carried_out(&self) -> Vec<&'static str> {
        let Self { connection, upgrade, health, hooks, agents, depends_on, rollout, .. } = self;
        let members =
            || agents.iter().flat_map(|agent| [Some(&agent.member), agent.failover.as_ref()]).flatten();
        let password = |ssh: Option<&Ssh>| {
            ssh.is_some_and(|ssh| match &ssh.credential {
                Credential::Key { passphrase, .. } => passphrase.is_some(),
                Credential::Password(_) => true,
            })
        };
        let set = [
            (rollout.is_some(), "Rollout"),
            (!depends_on.is_empty(), "spec.dependsOn"),
            (upgrade.mode == UpgradeMode::StageOnly, "spec.upgrade.mode"),
            (agents.iter().any(|agent| agent.kind == AgentKind::Probe), "spec.agents.kind"),
            (members().any(|member| password(member.ssh.as_ref())), "spec.agents.ssh"),
            (password(connection.ssh.as_ref()), "spec.connection.ssh"),
            (connection.via.is_some(), "spec.connection.via"),
            (connection.web_services.is_some(), "spec.connection.webServices"),
            (matches!(upgrade.run_as, RunAs::Named { .. }), "spec.upgrade.runAs"),
            (upgrade.on_failure == OnFailure::Downgrade, "spec.upgrade.onFailure"),
            (!hooks.is_empty(), "spec.hooks"),
            (!health.checks.is_empty(), "spec.health.checks"),
        ];
        set.into_iter().filter(|(set, _)| *set).map(|(_, field)| field).collect()
    }
}
