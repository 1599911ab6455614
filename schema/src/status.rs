//! The Status document: the one JSON that serves `status`, `get` and `/api/v1/clusters`.
//!
//! `dataminer_core::summarize` is its only writer. Unknown is absent, never null; additive changes raise the
//! minor of [`FORMAT_VERSION`].

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    diagnostic::Diagnostic,
    id::{AgentName, ClusterName, CommitId, JobId, PlanId, Sha256},
    plan::{
        Action, AgentVersions, BackupRef, Block, Change, ContentLoss, Disruption, Forecast, VersionPair,
        Waiting, Warning,
    },
    v1::observation::{AgentState, OwedWork},
};

/// The version of the Status document that this crate writes.
pub const FORMAT_VERSION: &str = "1.3";

/// Every cluster of one installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FleetStatus {
    /// Always [`FORMAT_VERSION`].
    pub format_version: String,
    /// The name of the installation, which marks what it owns on Agents.
    pub installation: String,
    /// The state of the source of the manifests.
    pub source: SourceStatus,
    /// By name.
    pub clusters: Vec<ClusterStatus>,
}

impl FleetStatus {
    /// A fleet of which nothing is known yet.
    pub fn new(installation: impl Into<String>) -> Self {
        Self {
            format_version: FORMAT_VERSION.to_owned(),
            installation: installation.into(),
            source: SourceStatus::default(),
            clusters: Vec::new(),
        }
    }

    /// The status of the cluster `name`.
    pub fn cluster(&self, name: &ClusterName) -> Option<&ClusterStatus> {
        self.clusters.iter().find(|cluster| cluster.name == *name)
    }
}

/// Where the manifests come from and how good they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceStatus {
    /// The name that the configuration gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Without credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The newest commit seen, good or broken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    /// The newest commit without errors: the one that is acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_good: Option<CommitId>,
    /// When the source last answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub fetched_at: Option<Timestamp>,
    /// Why the last fetch failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The newest commit, where its manifests have errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<BrokenCommit>,
}

/// A commit that was set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BrokenCommit {
    /// Its id.
    pub commit: CommitId,
    /// Everything that is wrong with it.
    pub diagnostics: Vec<SourceDiagnostic>,
}

/// A diagnostic as the status carries it: without the span, which needs the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceDiagnostic {
    /// The stable code (`E0101`).
    pub code: String,
    /// The file, relative to the root of the repository.
    pub path: String,
    /// From 1; 0 for the file as a whole.
    pub line: usize,
    /// From 1; 0 for the file as a whole.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl From<&Diagnostic> for SourceDiagnostic {
    fn from(diagnostic: &Diagnostic) -> Self {
        Self {
            code: diagnostic.code.to_string(),
            path: diagnostic.path.clone(),
            line: diagnostic.line,
            column: diagnostic.column,
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone(),
        }
    }
}

/// One cluster: what it is, what it shall be, and why nothing happens where nothing happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterStatus {
    /// The name of the cluster.
    pub name: ClusterName,
    /// Where it stands.
    pub state: ClusterState,
    /// A stable code: `Converged`, a block code, what is waited on, or why an operation failed.
    pub reason: String,
    /// One sentence.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// What the manifest wants.
    pub wanted: VersionPair,
    /// The lowest versions observed.
    pub observed: VersionPair,
    /// Every Agent as it was last seen.
    pub agents: Vec<AgentStatus>,
    /// The kind of change that the current plan makes.
    pub change: Change,
    /// The id of the current plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanId>,
    /// The steps of the current plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepStatus>,
    /// What stands in the way of the current plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocked: Vec<Block>,
    /// What the current plan warns of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// When the work of the current plan is expected to start and to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Forecast>,
    /// Which content the current plan restores, and what is lost by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_loss: Option<ContentLoss>,
    /// The last failure that nothing has overcome since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureStatus>,
    /// What the current plan waits for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<Waiting>,
    /// Who approved the current plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalStatus>,
    /// What the last canary run showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<CanaryStatus>,
    /// What is being done right now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationStatus>,
    /// Work that an interrupted operation left owed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owed: Vec<OwedWork>,
    /// When anything will be tried next, at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub next_attempt_at: Option<Timestamp>,
    /// One for each [`ConditionType`].
    pub conditions: Vec<Condition>,
    /// The commit whose manifests are acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    /// The digest of what is wanted; a quarantine is keyed by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired: Option<Sha256>,
    /// When the Agents were last looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub last_observed_at: Option<Timestamp>,
}

/// An operator's approval of one plan; it counts for no other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalStatus {
    /// The plan.
    pub plan: PlanId,
    /// When it was approved.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Who approved it, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What a canary run showed: a documented package without a restart, run on the cluster as an upgrade would be (S10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CanaryStatus {
    /// When it ended.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The package.
    pub package: String,
    /// Its digest.
    pub sha256: Sha256,
    /// The account that the job ran under, in words.
    pub run_as: String,
    /// The Agents that it reached, each with the software that ran it.
    pub agents: Vec<CanaryAgent>,
    /// The plan that it was.
    pub plan: PlanId,
    /// Its job; absent where it failed before there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
    /// Why it failed; absent where it passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureStatus>,
}

/// An Agent as a canary run met it: what is known, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CanaryAgent {
    /// The name of the Agent.
    pub name: AgentName,
    /// The version of its Taskbar Utility.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utility: Option<String>,
    /// The core that it showed, verbatim: it brings the utility along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core: Option<String>,
}

/// Where a cluster stands; it is always in exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ClusterState {
    /// Every Agent shows what is wanted and nothing is owed.
    Ready,
    /// Work is under way or will be taken up without anybody's help.
    Reconciling,
    /// A person or a commit must act.
    Stalled,
}

impl ClusterState {
    /// The word as it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
        }
    }
}

/// One Agent as it was last seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentStatus {
    /// The name of the Agent.
    pub name: AgentName,
    /// Whether it answered.
    pub reachable: bool,
    /// The core release that it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core: Option<String>,
    /// The build of `core`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<u32>,
    /// The web level that it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_apps: Option<String>,
    /// Its state (`domain/04 section 3`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<AgentState>,
    /// Whether a Failover member is the online one; absent outside pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online: Option<bool>,
    /// Why it was not reachable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl AgentStatus {
    /// The Agent's versions alone.
    pub fn versions(&self) -> AgentVersions {
        AgentVersions {
            name: self.name.clone(),
            core: self.core.clone(),
            build: self.build,
            web_apps: self.web_apps.clone(),
        }
    }
}

/// A step of the current plan, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepStatus {
    /// The id in the plan.
    pub id: String,
    /// What it does.
    pub action: Action,
    /// The version that it leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The content backup that it restores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupRef>,
    /// The module that it installs again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// What users notice.
    pub disruption: Disruption,
    /// How far it is.
    pub state: StepState,
}

/// Something that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailureStatus {
    /// A stable code in PascalCase.
    pub reason: String,
    /// What was attempted, on what, what is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The Agents that it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<AgentName>,
    /// Whether it is tried again without anybody's help.
    pub tried_again: bool,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum StepState {
    /// Not begun.
    Pending,
    /// At hand.
    Running,
    /// Done in this operation.
    Done,
}

/// An operation under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OperationStatus {
    /// The id of the plan that is executed.
    pub plan: PlanId,
    /// The id of the step at hand.
    pub step: String,
    /// What the step at hand does.
    pub action: Action,
    /// The version that the step at hand leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// When the operation was begun.
    #[schemars(with = "String")]
    pub started_at: Timestamp,
    /// When the step at hand was begun.
    #[schemars(with = "String")]
    pub step_started_at: Timestamp,
    /// When the operation is given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub deadline: Option<Timestamp>,
    /// How far the step at hand is.
    pub progress: ProgressStatus,
}

/// How far the step at hand is; shown, never decisive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProgressStatus {
    /// Steps of the operation that are done.
    pub steps_done: usize,
    /// Steps of the plan in all.
    pub steps: usize,
    /// Bytes moved and to move in the current transfer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_done: Option<u64>,
    /// Bytes of the current transfer in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The newest line of a progress log, or what is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One aspect of a cluster's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What it is about.
    #[serde(rename = "type")]
    pub kind: ConditionType,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// A stable code in PascalCase.
    pub reason: String,
    /// One sentence.
    pub message: String,
    /// When `status`, `reason` or `message` last changed.
    #[schemars(with = "String")]
    pub last_transition_time: Timestamp,
}

/// What a condition is about. `Ready` is computed from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ConditionType {
    /// The cluster is what the manifests want.
    Ready,
    /// Work is under way or will be taken up alone.
    Reconciling,
    /// A person or a commit must act.
    Stalled,
    /// Every Agent was seen lately.
    Observed,
    /// A plan exists that nothing blocks.
    Planned,
    /// Every Agent that was seen is healthy.
    Healthy,
    /// Disruptive work may start now.
    WindowOpen,
    /// The newest commit is the one that is acted on.
    SourceReady,
    /// A canary run showed that upgrades can run there: account, scheduled task and reach of all Agents (S10).
    Proven,
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// Nobody can tell yet.
    Unknown,
}
