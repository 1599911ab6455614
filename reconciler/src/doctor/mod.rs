//! `doctor`: what stands in the way of upgrades, found days ahead, each with its cure.
//!
//! Looks are read-only: on an Agent nothing is written but what an observation writes, and a file in our own folder
//! that lives for a moment; here a file in the vault that does the same. Findings are made from facts by functions
//! without input or output; `installation` and the drivers fetch the facts.

pub mod agents;
pub mod installation;

use dataminer_schema::id::{AgentName, ClusterName};
use serde::Serialize;

/// How much a finding matters, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Severity {
    /// An upgrade would fail, or must not begin.
    Error,
    /// An upgrade may fail, or somebody should know.
    Warning,
    /// It could not be looked at.
    Unknown,
    Good,
}

/// What is looked at. The names are codes for `explain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Check {
    Configuration,
    Store,
    Vault,
    Source,
    PackagePlaces,
    Reachability,
    HostKey,
    SignIn,
    Rights,
    Folder,
    Ownership,
    Clock,
    Programs,
    TaskbarUtility,
    BpaExecutor,
    Disk,
    JobAccount,
    UpgradeDefaults,
    Reboot,
    AgentState,
    Canary,
}

impl Check {
    /// Every check, in the order of the report.
    pub const ALL: [Self; 21] = [
        Self::Configuration,
        Self::Store,
        Self::Vault,
        Self::Source,
        Self::PackagePlaces,
        Self::Reachability,
        Self::HostKey,
        Self::SignIn,
        Self::Rights,
        Self::Folder,
        Self::Ownership,
        Self::Clock,
        Self::Programs,
        Self::TaskbarUtility,
        Self::BpaExecutor,
        Self::Disk,
        Self::JobAccount,
        Self::UpgradeDefaults,
        Self::Reboot,
        Self::AgentState,
        Self::Canary,
    ];
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    pub severity: Severity,
    pub check: Check,
    /// Absent for what concerns all clusters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentName>,
    /// What was looked at, and what was found.
    pub message: String,
    /// What to do; absent where nothing is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn good(check: Check, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Good,
            check,
            cluster: None,
            agent: None,
            message: message.into(),
            cure: None,
        }
    }

    /// Something is not, and what helps.
    pub fn new(
        severity: Severity,
        check: Check,
        message: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self { severity, cure: Some(cure.into()), ..Self::good(check, message) }
    }

    /// The same about a cluster.
    #[must_use]
    pub fn of(mut self, cluster: &ClusterName) -> Self {
        self.cluster = Some(cluster.clone());
        self
    }

    /// The same about an Agent.
    #[must_use]
    pub fn on(mut self, agent: &AgentName) -> Self {
        self.agent = Some(agent.clone());
        self
    }
}

/// How many findings of each severity there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    pub errors: usize,
    pub warnings: usize,
    pub unknown: usize,
    pub good: usize,
}

impl Tally {
    /// Counts them.
    pub fn of(findings: &[Finding]) -> Self {
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        Self {
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            unknown: count(Severity::Unknown),
            good: count(Severity::Good),
        }
    }
}
