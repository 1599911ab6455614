//! The Plan document (`formatVersion` 1.0): what will be done to one cluster, and why.
//!
//! A plan leaves the executor no choice: package digest, Agents and order are pinned. Unknown is absent, never
//! null. Additive changes raise the minor of [`FORMAT_VERSION`].

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    document::text::Instant,
    id::{AgentName, ClusterName, CommitId, PlanId, Sha256},
};

/// The version of the Plan document that this crate writes.
pub const FORMAT_VERSION: &str = "1.0";

/// What will be done to one cluster, in which order, and what stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// Always [`FORMAT_VERSION`].
    pub format_version: String,
    /// The cluster that the plan is for.
    pub cluster: ClusterName,
    /// The commit whose manifests were planned; absent offline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    /// Over cluster, from, to, and each step's action, agents, package hash, order and policy, and the chosen
    /// backup; never over commit, now, waiting, ready, estimates or texts.
    pub id: PlanId,
    /// What it comes to.
    pub result: PlanResult,
    /// The kind of change.
    pub change: Change,
    /// The lowest versions observed.
    pub from: VersionPair,
    /// The versions wanted.
    pub to: VersionPair,
    /// Each Agent's own versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<AgentVersions>,
    /// Filled as far as it can be computed, also when blocked or waiting.
    pub steps: Vec<Step>,
    /// What a person or a commit must do first. Here as for `waiting` and `warnings`, none is an empty list.
    #[serde(default)]
    pub blocked: Vec<Block>,
    /// What must pass first.
    #[serde(default)]
    pub waiting: Vec<Waiting>,
    /// What a reviewer should know and what stops nothing.
    #[serde(default)]
    pub warnings: Vec<Warning>,
    /// When the work is expected to start and to end; absent where nothing is to be done, or nobody can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Forecast>,
    /// Known issues of the product that the change brings and takes away.
    #[serde(default, skip_serializing_if = "KnownIssues::is_empty")]
    pub known_issues: KnownIssues,
    /// Breaking changes of the product on the way.
    #[serde(default, skip_serializing_if = "BreakingChanges::is_empty")]
    pub breaking_changes: BreakingChanges,
    /// What a restore would lose; absent where nothing is restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_loss: Option<ContentLoss>,
}

/// What the plan comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum PlanResult {
    /// Nothing to do: every Agent shows what is wanted and nothing is owed.
    Converged,
    /// The next step may start now.
    Ready,
    /// Something must pass first; preparatory steps may run.
    Waiting,
    /// A person or a commit must act; preparatory steps may run.
    Blocked,
}

/// The kind of change as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Change {
    /// Nothing changes.
    None,
    /// The web apps alone go up.
    WebUpgrade,
    /// The core goes up.
    Upgrade,
    /// The core goes down.
    Downgrade,
    /// The web apps alone go down.
    WebDowngrade,
    /// Mixed versions or owed work come first.
    Repair,
}

/// Core and web versions as a plan prints them: without build, which stands beside them where known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VersionPair {
    /// The core's release, without build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core: Option<String>,
    /// The build of `core`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<u32>,
    /// The level of the web apps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_apps: Option<String>,
}

/// One Agent's own versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AgentVersions {
    /// The Agent.
    pub name: AgentName,
    /// The core's release, without build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core: Option<String>,
    /// The build of `core`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<u32>,
    /// The level of the web apps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_apps: Option<String>,
}

/// One action on a set of Agents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// "1", "2", … in the order of execution.
    pub id: String,
    /// What the step does.
    pub action: Action,
    /// The version before, for steps that change one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The version after, for steps that change one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The build that `to` stands for, where the package tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<u32>,
    /// The package's file name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// The package's digest: nothing else may be installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
    /// The content backup that a RestoreContent puts back, pinned by its hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupRef>,
    /// The module that a ReinstallModule installs again, as Windows lists it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The hook that a RunHook calls, by its name in the process's configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<String>,
    /// What the staged copy of the package lacks; `sha256` stays that of the package as it was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<PackagePatch>,
    /// The checks of the package that a RunPrerequisites leaves out, because a later step brings about what they ask for
    /// (`VerifyBrokerGatewayMigration.dll`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// The Agents that the step changes or looks at, in the order of the manifest.
    pub agents: Vec<AgentName>,
    /// What users notice meanwhile.
    pub disruption: Disruption,
    /// The ids of the rules that put the step here (`H2`, `S1`, …).
    pub rules: Vec<String>,
    /// One sentence.
    pub reason: String,
    /// Whether the step may start now: true for preparatory steps also while the plan waits or is blocked.
    pub ready: bool,
    /// How long the step takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    /// How long a VerifyCluster must see every Agent right without a break, where that is longer than `health.settle`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub settle: Option<SignedDuration>,
    /// What the servers must have, and what is checked, before the step may succeed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<Requirement>,
    /// Where the product tells what the version after the step changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_notes: Option<String>,
}

/// A change that is made on the staged copy of a package, and nowhere else (`domain/02 section 3`).
///
/// Together with the package's own digest it pins the copy's content: the copy is the package without that one member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PackagePatch {
    /// The member that is left out: `Update.zip\Prerequisites\VerifyNatsIsRunning.dll`.
    pub removes: String,
    /// The digest of the copy, where somebody has made it before; it is made while staging, so a first plan cannot
    /// know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
}

impl PackagePatch {
    /// The file of the check that is left out.
    pub fn check(&self) -> Option<&str> {
        self.removes.rsplit('\\').next()
    }
}

/// Something that the servers must have or pass, with what the observation shows of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Requirement {
    /// By the name that the product gives it (`VerifyClusterPorts`, `ASP.NET Core 8.0 hosting bundle`).
    pub name: String,
    /// What the observation shows.
    pub state: RequirementState,
    /// The Agents that lack it, or that it is unknown of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<AgentName>,
}

/// What an observation shows of a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum RequirementState {
    /// Every Agent has it.
    Met,
    /// An Agent lacks it.
    Missing,
    /// It was not seen on every Agent.
    Unknown,
    /// The package checks it when it is run.
    Checked,
}

/// When the work is expected to start and to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Forecast {
    /// When the first disruptive step is expected to start; the present where it may start now.
    #[schemars(with = "Instant")]
    pub starts: Timestamp,
    /// When half of all such changes are done.
    #[schemars(with = "Instant")]
    pub ends: Timestamp,
    /// When nineteen of twenty are done.
    #[schemars(with = "Instant")]
    pub ends_latest: Timestamp,
    /// When the window closes that it starts in; absent where nothing closes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Instant>")]
    pub window_closes: Option<Timestamp>,
    /// Whether nineteen of twenty are done before that.
    pub fits: bool,
    /// Where the hours come from that the estimates rest on.
    pub basis: ForecastBasis,
}

/// What estimates rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ForecastBasis {
    /// Documented or assumed durations alone.
    Defaults,
    /// What this cluster took before, where it did the same; defaults elsewhere.
    Mixed,
    /// What this cluster took before.
    History,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Action {
    /// Copies a package to an Agent and verifies it there.
    StagePackage,
    /// Runs the checks that a package carries (`domain/02`).
    RunPrerequisites,
    /// Copies the content backups that the vault lacks off the Agents.
    SaveBackup,
    /// Makes a backup of an Agent.
    BackupAgent,
    /// Runs a hook of the configuration.
    RunHook,
    /// Runs a tool package.
    RunTool,
    /// Installs a full package of a newer release on all Agents at once.
    UpgradeCore,
    /// Installs a web package of a higher level.
    UpgradeWeb,
    /// Installs a full package of an older release.
    DowngradeCore,
    /// Installs a web package of a lower level.
    DowngradeWeb,
    /// Installs a hotfix.
    InstallHotfix,
    /// Puts a content backup back on every Agent.
    RestoreContent,
    /// Installs a module again, as the packages on the Agent bring it; with `disruption: Restart` while DataMiner is
    /// stopped, once around all that follow each other.
    ReinstallModule,
    /// Observes until every Agent is right and stays so.
    VerifyCluster,
    /// Removes our own staged packages and old job folders.
    CleanUp,
    /// Something that a person must do.
    Manual,
}

/// What users of the cluster notice while a step runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Disruption {
    /// Nothing.
    None,
    /// The web server restarts.
    WebServer,
    /// DataMiner restarts.
    Restart,
}

/// How long a step takes: half of them, and nineteen of twenty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Estimate {
    /// Half of all take less.
    #[schemars(with = "String")]
    pub p50: SignedDuration,
    /// Nineteen of twenty take less.
    #[schemars(with = "String")]
    pub p95: SignedDuration,
}

/// Why a person or a commit must act before the plan can go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Block {
    /// The stable reason.
    pub code: BlockCode,
    /// What stands in the way.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The Agents it is about; empty for the cluster as a whole.
    #[serde(default)]
    pub agents: Vec<AgentName>,
}

/// The stable codes of blocks; equal to the reasons of the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum BlockCode {
    /// An Agent was not seen.
    AgentUnreachable,
    /// The last observation is too old.
    ObservationStale,
    /// Another operation is under way.
    OperationInProgress,
    /// Another installation owns the cluster.
    ManagedElsewhere,
    /// The Agents are not those of the manifest.
    TopologyMismatch,
    /// An Agent is not Running.
    Unhealthy,
    /// An observed build is not known, and the answer hangs on it.
    UnknownBuild,
    /// The catalogue lacks a package.
    NoPackage,
    /// A package's content is not what the catalogue says.
    PackageUnverified,
    /// No way leads to the target.
    NoPath,
    /// The target is lower, and downgrades are forbidden.
    DowngradeNotAllowed,
    /// No backup has the content that the target can read.
    NoMatchingBackup,
    /// The target has a higher number but older fixes.
    OlderFixesNotAccepted,
    /// A hotfix would be lost.
    HotfixInstalled,
    /// The core is too old for web packages.
    WebNotSupported,
    /// The web apps wanted need a newer core.
    WebRequiresNewerCore,
    /// The web apps would fall.
    WebRegression,
    /// A known issue of the product hits this change.
    KnownIssue,
    /// A step must be done by hand.
    ManualStepRequired,
    /// A prerequisite is known to fail on this way.
    PrerequisiteKnownToFail,
    /// The Failover policy is unsafe for this change.
    UnsafeFailoverPolicy,
    /// An Agent lacks free disk space.
    InsufficientDisk,
    /// The Agents run a mix of versions that cannot be repaired by itself.
    MixedCluster,
    /// A manifest names a secret that the configuration does not grant.
    SecretNotAllowed,
    /// A manifest names a hook that the configuration does not have.
    HookNotAllowed,
    /// The manifest declares what this release does not carry out.
    NotSupportedYet,
}

/// What must pass before the plan goes on by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Waiting {
    /// What it is.
    pub on: WaitingOn,
    /// When it passes; absent when that depends on somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Instant>")]
    pub until: Option<Timestamp>,
    /// One sentence.
    pub message: String,
}

/// What a plan can wait on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum WaitingOn {
    /// A window.
    Window,
    /// An operator's approval.
    Approval,
    /// A step done by hand.
    Manual,
    /// Another cluster.
    Dependency,
    /// An earlier wave of a rollout.
    Wave,
    /// The soak time of a rollout.
    Soak,
    /// The quarantine after a failure.
    Quarantine,
    /// The manifest says `suspend`.
    Suspended,
    /// The operator froze all work.
    Frozen,
    /// The next attempt.
    Retry,
}

/// Something that a reviewer should know and that stops nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Warning {
    /// A stable code.
    pub code: String,
    /// What it refers to (the id of a known issue, a rule).
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// One sentence.
    pub message: String,
}

/// Known issues that the change brings and takes away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KnownIssues {
    /// Issues of the target that the present version does not have.
    #[serde(default)]
    pub introduced: Vec<String>,
    /// Issues of the present version that the target does not have.
    #[serde(default)]
    pub resolved: Vec<String>,
    /// Issues that both have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub staying: Vec<String>,
    /// Those of the above of which it is not known whether they strike: a condition, a CU or the web level was not
    /// seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undecided: Vec<String>,
}

impl KnownIssues {
    /// Whether nothing is introduced, resolved or staying.
    pub fn is_empty(&self) -> bool {
        // What is undecided stands in one of the others.
        let Self { introduced, resolved, staying, undecided: _ } = self;
        introduced.is_empty() && resolved.is_empty() && staying.is_empty()
    }
}

/// Breaking changes on the way from the present version to the target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BreakingChanges {
    /// Those that the change brings.
    #[serde(default)]
    pub brought: Vec<String>,
    /// Those that a change downwards takes back.
    #[serde(default)]
    pub undone: Vec<String>,
}

impl BreakingChanges {
    /// Whether nothing is brought and nothing undone.
    pub fn is_empty(&self) -> bool {
        let Self { brought, undone } = self;
        brought.is_empty() && undone.is_empty()
    }
}

/// Which backup a restore uses, and what is lost with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContentLoss {
    /// The backup that is restored.
    pub backup: BackupRef,
    /// When it was taken.
    #[schemars(with = "Instant")]
    pub taken_at: Timestamp,
    /// The web level that the content was written by.
    pub content: String,
    /// Every change after this time is lost.
    #[schemars(with = "Instant")]
    pub since: Timestamp,
    /// The Agents that it is restored on.
    pub agents: Vec<AgentName>,
}

/// A content backup, pinned by its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackupRef {
    /// The file name.
    pub file: String,
    /// The digest of the file.
    pub sha256: Sha256,
    /// The Agent that has it; absent for the vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentName>,
    /// Whether it lies in the vault.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub vault: bool,
}
