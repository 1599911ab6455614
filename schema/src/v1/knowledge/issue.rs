//! Known issues and breaking changes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Range, Threshold};
use crate::document::text::{Line, Word};

/// A known issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KnownIssue {
    /// Its id, by which plans and Advisories name it: `KI_…`.
    #[schemars(with = "Word")]
    pub id: String,
    /// What it is, in a few words.
    #[schemars(with = "Line")]
    pub title: String,
    /// Where the fault lies.
    pub component: Component,
    /// What it does to a system.
    pub impact: Impact,
    /// When it strikes: what the releases in `affects` are.
    #[serde(default, skip_serializing_if = "Stage::is_running")]
    pub stage: Stage,
    /// Which versions `affects` speaks of.
    #[serde(default, skip_serializing_if = "ReadOn::is_core")]
    pub read_on: ReadOn,
    /// The releases that have it; absent: not known which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affects: Option<Vec<Range>>,
    /// The ways on which it strikes, where it is a matter of both ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<UpgradePath>,
    /// What a system must have besides the release; all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The builds of Windows that have it, for the condition `WindowsVersion`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<WindowsBuilds>,
    /// What else decides whether it strikes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Line>")]
    pub note: Option<String>,
    /// Topics.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<Word>")]
    pub tags: Vec<String>,
    /// Whether one can live with it by the documented workaround.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub workaround: bool,
    /// Whether only work by hand cures it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub manual_fix: bool,
    /// Whether it is said that there is no fix yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unfixed: bool,
    /// Numbers of release notes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub release_notes: Vec<u32>,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// A way on which an issue strikes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpgradePath {
    /// Where it starts.
    #[schemars(length(min = 1))]
    pub from: Vec<Range>,
    /// Where it ends.
    #[schemars(length(min = 1))]
    pub to: Vec<Range>,
}

/// Builds of Windows, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WindowsBuilds {
    /// The first one; Windows Server 2022 is 20348.
    #[schemars(range(min = 1))]
    pub from: u32,
    /// The last one.
    #[schemars(range(min = 1))]
    pub to: u32,
}

/// Where a fault or a change lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Component {
    /// The software of the Agent.
    Core,
    /// The web apps.
    Web,
    /// The Cube client.
    Cube,
    /// The databases.
    Database,
    /// Windows.
    Os,
    /// A code library.
    Library,
    /// Service and Resource Management.
    Srm,
    /// Something else.
    Other,
}

/// What an issue does to a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Impact {
    /// An upgrade is refused or does not end.
    BlocksUpgrade,
    /// A downgrade is refused or does not end.
    BlocksDowngrade,
    /// An Agent is down.
    Downtime,
    /// Data is lost.
    DataLoss,
    /// Agents lose each other.
    ClusterBroken,
    /// Failover works only in part.
    FailoverRestricted,
    /// A feature does not work.
    FeatureBroken,
    /// The web apps suffer.
    WebDegraded,
    /// A client does not work.
    ClientBroken,
    /// Backups do not work.
    BackupBroken,
    /// A start takes longer.
    SlowStartup,
    /// Only the view of what goes on suffers.
    MonitoringOnly,
    /// It passes by itself.
    Transient,
    /// A process leaks, hangs or crashes.
    Stability,
    /// Something works otherwise than it should.
    Functional,
    /// Something is slow.
    Performance,
    /// Something looks wrong.
    Cosmetic,
    /// For information.
    Info,
}

/// When an issue strikes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Stage {
    /// While an affected release runs.
    #[default]
    Running,
    /// On the way up to an affected release.
    UpgradeTo,
    /// On the way down from an affected release.
    DowngradeFrom,
}

impl Stage {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_running(&self) -> bool {
        *self == Self::Running
    }
}

/// Which versions an issue's ranges speak of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ReadOn {
    /// The core.
    #[default]
    Core,
    /// The web apps.
    WebApps,
}

impl ReadOn {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_core(&self) -> bool {
        *self == Self::Core
    }
}

/// What a system must have for an issue to strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Condition {
    /// A Failover pair.
    FailoverPair,
    /// A Failover pair that is reached by a shared host name.
    HostnameFailover,
    /// NATS managed by BrokerGateway.
    BrokerGateway,
    /// More than one Agent.
    SeveralAgents,
    /// Two Agents, or one Failover pair.
    TwoNodes,
    /// A user that Security.xml marks as expired.
    ExpiredUsers,
    /// Saved default options of upgrades in MaintenanceSettings.xml.
    DefaultUpgradeOptions,
    /// A Cassandra cluster as storage.
    CassandraCluster,
    /// Any Cassandra as storage.
    Cassandra,
    /// Elasticsearch as indexing database.
    Elasticsearch,
    /// Several Elasticsearch clusters.
    SeveralElasticsearch,
    /// OpenSearch as indexing database.
    OpenSearch,
    /// Storage that is not offered as a service.
    SelfManagedStorage,
    /// Windows in another language than English.
    NonEnglishLocale,
    /// A certain version of Windows: one of the builds in `windows`.
    WindowsVersion,
    /// Windows that was upgraded in place.
    WindowsUpgradedInPlace,
    /// A package that is not a full one, such as those of the Update Center.
    UpdatePackage,
    /// Two Cassandra data centres or more.
    SeveralDataCentres,
    /// A certain name of the server.
    ComputerName,
    /// Network settings other than the default.
    NetworkSettings,
    /// Users of a domain.
    Domain,
    /// External authentication.
    ExternalAuthentication,
    /// Authentication by SAML.
    Saml,
    /// The EPM solution.
    Epm,
    /// Service and Resource Management.
    Srm,
    /// Infrastructure Discovery and Provisioning.
    Idp,
    /// A certain version of the Cube client.
    CubeClient,
    /// A certain browser.
    Browser,
}

/// A change that may break what relies on the old behaviour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BreakingChange {
    /// Its id: `BC_…`.
    #[schemars(with = "Word")]
    pub id: String,
    /// What changed, in a few words.
    #[schemars(with = "Line")]
    pub title: String,
    /// Where.
    pub component: Component,
    /// The first releases with it; absent: no release of DataMiner itself brings it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introduced: Option<Threshold>,
    /// The first version of its component with it, where that has versions of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Line>")]
    pub component_version: Option<String>,
    /// Whether only a soft-launch option brings it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub soft_launch: bool,
    /// Whether it matters to whoever carries out an upgrade, and not only to users.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub operational: bool,
    /// Topics.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<Word>")]
    pub tags: Vec<String>,
    /// Numbers of release notes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub release_notes: Vec<u32>,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}
