//! Release knowledge: what is known of DataMiner's releases, as data that users can read, correct and extend.
//!
//! Plain facts, each with its source. What follows from them is decided in `dataminer-core`.

mod issue;
mod range;
mod requirement;
mod rules;
mod side_effect;
mod threshold;

use jiff::civil;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::{
    issue::{
        BreakingChange, Component, Condition, Impact, KnownIssue, ReadOn, Stage, UpgradePath, WindowsBuilds,
    },
    range::{Range, RangeTrack},
    requirement::{
        DiskRequirement, DotNet, DotNetKind, DotNetRequirement, OsRequirement, PortRequirement, PortUse,
        Prerequisite, PrerequisiteStage, Protocol, Requirements, VcRedistRequirement,
    },
    rules::{
        BrokerRule, ClusterPortsRule, DescentRule, DotNetRule, ExitRule, HopRule, LibraryLoss, ModulesRule,
        OldestRule, PackageFailure, ReleasesRule, RuleSet, SkipRule, StorageRule, SwarmingRule, UtilityRule,
        WebDcmGate, WebFaultsRule, WebGate, WebGatesRule, WebPackagesRule,
    },
    side_effect::SideEffect,
    threshold::Threshold,
};
use crate::{
    document::text::{Day, Line},
    version::Version,
};

/// One document of release knowledge. Several of them unite.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReleaseKnowledge {
    /// The name of the document; says where a fact came from.
    pub name: String,
    /// What it holds.
    pub facts: Facts,
}

/// The facts of one document. Everything may be absent, so that a file can hold a single fact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "KnowledgeSpec")]
pub struct Facts {
    /// The state of the documentation that the facts were drawn from, for example `2026-08-21`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Line>")]
    pub revision: Option<String>,
    /// Releases that exist.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<ReleaseFact>,
    /// Builds and the releases that they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub builds: Vec<BuildFact>,
    /// Until when Main Releases are supported.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub support: Vec<SupportFact>,
    /// The parameters of the planner's rules, by the id that plans cite.
    #[serde(default)]
    pub rules: RuleSet,
    /// Checks that packages carry and run before an upgrade.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prerequisites: Vec<Prerequisite>,
    /// What a server must have.
    #[serde(default)]
    pub requirements: Requirements,
    /// Known issues.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_issues: Vec<KnownIssue>,
    /// Breaking changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaking_changes: Vec<BreakingChange>,
    /// What downgrades bring besides the older release.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub side_effects: Vec<SideEffect>,
}

/// A release that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Release")]
pub struct ReleaseFact {
    /// The release; a Main Release with its CU: `10.5.0 CU9`, `10.5.12`.
    pub version: Version,
    /// What was released.
    pub kind: ReleaseKind,
    /// Whether it is out.
    #[serde(default, skip_serializing_if = "ReleaseStatus::is_final")]
    pub status: ReleaseStatus,
    /// About when it came out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Day>")]
    pub finalized: Option<civil::Date>,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// What was released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ReleaseKind {
    /// The software of the Agent.
    Core,
    /// The web apps.
    Web,
    /// The Cube client.
    Cube,
}

/// Whether a release is out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ReleaseStatus {
    /// It is out.
    #[default]
    Final,
    /// It is being worked on: never a stop on a way.
    InProgress,
}

impl ReleaseStatus {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_final(&self) -> bool {
        *self == Self::Final
    }
}

/// A build and the release that it is. One CU may have several builds: it was released again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Build")]
pub struct BuildFact {
    /// The number of the build.
    #[schemars(range(min = 1))]
    pub build: u32,
    /// The release; a Main Release with its CU.
    pub release: Version,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// Until when a Main Release is supported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Support")]
pub struct SupportFact {
    /// The Main Release, without a CU: `10.5.0`.
    pub release: Version,
    /// The last day on which it gets regular updates.
    #[schemars(with = "Day")]
    pub regular_updates_until: civil::Date,
    /// The last day of full support.
    #[schemars(with = "Day")]
    pub supported_until: civil::Date,
    /// The last day of limited support.
    #[schemars(with = "Day")]
    pub limited_support_until: civil::Date,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}
