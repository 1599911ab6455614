//! The parameters of the planner's rules, by the id that plans cite.
//!
//! What a rule does with them is written in the planner; here is only what the documentation may correct.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Range, Threshold};
use crate::{
    document::text::{Line, Word},
    version::Version,
};

/// The parameters of all rules. A document may hold any of them; the user's own goes before the built-in one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Rules")]
pub struct RuleSet {
    /// The oldest release that any way leads from or to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<OldestRule>,
    /// H4: the BrokerGateway migration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub h4: Option<BrokerRule>,
    /// H5: the Main Release line that is skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub h5: Option<SkipRule>,
    /// H6: the one release by which old systems leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub h6: Option<ExitRule>,
    /// H7: where VerifyClusterPorts must run before the hop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub h7: Option<ClusterPortsRule>,
    /// H8: hops on which VerifyNatsIsRunning makes trouble.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub h8: Option<HopRule>,
    /// H9: hops on which prerequisites crash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub h9: Option<HopRule>,
    /// H10: hops on which SNMPv3 credentials are lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub h10: Option<HopRule>,
    /// H11: releases that do not come up while a user is expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub h11: Option<ReleasesRule>,
    /// H12: releases that antivirus programs harm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub h12: Option<ReleasesRule>,
    /// H13: releases whose SLNet does not start with saved upgrade options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub h13: Option<ReleasesRule>,
    /// W1: where separate web packages begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub w1: Option<WebPackagesRule>,
    /// W2: the core that web packages need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub w2: Option<WebGatesRule>,
    /// W8: what web packages break.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub w8: Option<WebFaultsRule>,
    /// S5: the .NET hosting bundle that an upgrade needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s5: Option<DotNetRule>,
    /// S10: where the Taskbar Utility can run unattended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s10: Option<UtilityRule>,
    /// G2: where a prerequisite refuses the way down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub g2: Option<DescentRule>,
    /// G3: where modules must be exchanged on the way down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub g3: Option<StorageRule>,
    /// G5: modules that come with web apps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub g5: Option<ModulesRule>,
    /// G7: where Swarming begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub g7: Option<SwarmingRule>,
}

/// The oldest Main Release line with a documented way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OldestRule {
    /// The line, without a CU: `9.6.0`.
    pub line: Version,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// The BrokerGateway migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BrokerRule {
    /// The Main Release line on which it happens, without a CU.
    pub line: Version,
    /// From here on BrokerGateway is all there is.
    pub only: Threshold,
    /// From here on BrokerGateway can run.
    pub possible: Threshold,
    /// From here on a package migrates by itself.
    pub automatic: Threshold,
    /// From here on the migration is recommended.
    pub recommended: Threshold,
    /// How many minutes all Agents must be online together before it.
    pub online_together_minutes: u16,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// A Main Release line that is no stop on a way past it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SkipRule {
    /// The line that is skipped, without a CU.
    pub skips: Version,
    /// Ways from below this line.
    pub below: Version,
    /// Ways to this line or a later one.
    pub reaching: Version,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// The one release by which old systems leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExitRule {
    /// The release; Main Releases of its line below it leave by it too.
    pub exit: Version,
    /// The older line that leaves by it, without a CU.
    pub from: Version,
    /// The newest line that the older one reaches without it.
    pub direct_to: Version,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// Where VerifyClusterPorts must have run before the hop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterPortsRule {
    /// Hops from this line, without a CU.
    pub from: Version,
    /// Hops to this line or a later one.
    pub reaching: Version,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// Hops that are known to go wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HopRule {
    /// Where they start.
    #[schemars(length(min = 1))]
    pub from: Vec<Range>,
    /// Where they end.
    #[schemars(length(min = 1))]
    pub to: Vec<Range>,
    /// Releases that lead around it, the best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<Version>,
    /// What to want instead, as it follows the word "want".
    #[schemars(with = "Line")]
    pub instead: String,
    /// The known issue that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Word>")]
    pub issue: Option<String>,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// Releases that are known to go wrong, wherever one comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReleasesRule {
    /// The releases.
    #[schemars(length(min = 1))]
    pub releases: Vec<Range>,
    /// What to want instead, as it follows the word "want".
    #[schemars(with = "Line")]
    pub instead: String,
    /// The known issue that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Word>")]
    pub issue: Option<String>,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// Where separate web packages begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebPackagesRule {
    /// The first core that takes them.
    pub core: Threshold,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// The core that web packages need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebGatesRule {
    /// One for each line of web apps that asks for more than the one before.
    #[schemars(length(min = 1))]
    pub gates: Vec<WebGate>,
    /// What the Web DcM needs.
    pub web_dcm: WebDcmGate,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// The core that the web apps of a line need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebGate {
    /// The line of the web apps, without a CU; later lines too, up to the next entry.
    pub web: Version,
    /// The core that they need at least.
    pub core: Threshold,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// What the Web DcM needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebDcmGate {
    /// The first level of web apps that brings it, as a Feature Release.
    pub level: Version,
    /// The core that it needs at least.
    pub core: Threshold,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// What web packages break.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebFaultsRule {
    /// A full package that fails behind them.
    pub package: PackageFailure,
    /// A library that GQI loses by them.
    pub library: LibraryLoss,
}

/// Full packages that fail behind newer web apps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PackageFailure {
    /// The first level of web apps behind which they fail, as a Feature Release.
    pub web: Version,
    /// The line whose full packages fail, without a CU.
    pub line: Version,
    /// The first of them that does not fail.
    pub fixed_in: Version,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// Web upgrades by which GQI loses a library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LibraryLoss {
    /// The web apps from which one comes.
    #[schemars(length(min = 1))]
    pub from: Vec<Range>,
    /// The first level of web apps to which nothing is lost, as a Feature Release.
    pub fixed_level: Version,
    /// The known issue that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Word>")]
    pub issue: Option<String>,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// The .NET hosting bundle that an upgrade needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DotNetRule {
    /// The major version of the bundle.
    #[schemars(range(min = 1))]
    pub major: u16,
    /// The first core that needs it.
    pub core: Threshold,
    /// The first web package that looks for it, as a Feature Release.
    pub web: Version,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// Where the Taskbar Utility can run unattended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UtilityRule {
    /// The first core whose utility reads its command line with no instance of it running.
    pub reads_arguments: Threshold,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// Where a prerequisite refuses the way down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DescentRule {
    /// From here on, packages of releases below it are refused.
    pub checks: Threshold,
    /// The file of the prerequisite inside `Update.zip\Prerequisites`.
    #[schemars(with = "Line")]
    pub dll: String,
    /// The known issue that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Word>")]
    pub issue: Option<String>,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// Where modules must be exchanged on the way down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StorageRule {
    /// Ways from this line or a later one.
    pub from: Version,
    /// Ways to these releases.
    #[schemars(length(min = 1))]
    pub to: Vec<Range>,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// Modules that come with web apps and that no package lowers; read on the web level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModulesRule {
    /// The first web apps with the GQI DxM.
    pub gqi: Threshold,
    /// The first web apps with the Web DcM.
    pub web_dcm: Threshold,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// Where Swarming begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SwarmingRule {
    /// The first releases that have it.
    pub since: Threshold,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}
