//! What the probes returned about one cluster; also a file, written by `observe` and read by `plan --observed`.
//!
//! Every field but an Agent's `name` and `reachable` may be absent. Absent means unknown; it is never null and
//! never becomes a default.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    document::text::Instant,
    id::{AgentName, ClusterName, JobId, Sha256},
    plan::Action,
    quantity::ByteSize,
};

/// An observation of one cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Observation {
    /// The cluster that was observed.
    pub cluster: ClusterName,
    /// When the probes returned.
    #[schemars(with = "Instant")]
    pub taken_at: Timestamp,
    /// The Agents that DMS.xml names; absent if no DMS.xml could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<Vec<TopologyEntry>>,
    /// One entry for each Agent of the manifest, Failover partners too.
    pub agents: Vec<AgentObservation>,
}

/// An Agent as DMS.xml names it (`domain/04 section 1`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TopologyEntry {
    /// The DataMiner ID; both members of a Failover pair carry the same.
    pub id: u32,
    /// The address that DataMiner itself uses; UpgradeInfo.xml lists these.
    pub address: String,
    /// The member's place in its pair; absent for an Agent that is not in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failover: Option<FailoverRole>,
}

/// A member's place in its Failover pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum FailoverRole {
    /// The member that is normally online.
    Main,
    /// The member that takes over.
    Backup,
}

/// What is known of one Agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AgentObservation {
    /// As in the manifest.
    pub name: AgentName,
    /// Whether SSH reached the Agent.
    pub reachable: bool,
    /// Why it was not reachable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when it has not been reachable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Instant>")]
    pub since: Option<Timestamp>,
    /// DataMiner's own address of this Agent, matched against the topology.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The newest VersionHistory entry, verbatim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core: Option<String>,
    /// The level of the web apps, as far as there is evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_apps: Option<String>,
    /// How `webApps` was learnt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_evidence: Option<WebEvidence>,
    /// The state of the Agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<AgentState>,
    /// Role and activity in the Failover pair; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failover: Option<FailoverState>,
    /// Whether the cluster runs BrokerGateway (`domain/02 H4`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broker_gateway: Option<bool>,
    /// Whether Swarming is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swarming: Option<bool>,
    /// Whether Security.xml holds `expired="true"` (`domain/02 H11`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired_users: Option<bool>,
    /// Whether MaintenanceSettings.xml holds DefaultUpgradeOptions (`domain/04 section 7`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_upgrade_options: Option<bool>,
    /// Whether Windows wants a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_reboot: Option<bool>,
    /// Free space on the disk of DataMiner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_disk: Option<ByteSize>,
    /// Versions of the installed ASP.NET Core hosting bundles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dotnet: Option<Vec<String>>,
    /// The version of the Visual C++ redistributable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vcredist: Option<String>,
    /// The version of Windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// The language of Windows, as a tag: `en-US`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The databases that the Agent uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<Vec<Storage>>,
    /// The file version of SLTaskbarUtility.exe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taskbar_utility: Option<String>,
    /// VersionHistory.txt, oldest first, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<Vec<HistoryEntry>>,
    /// Successful web packages that left a trace, oldest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_history: Option<Vec<HistoryEntry>>,
    /// Content backups, newest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backups: Option<Vec<Backup>>,
    /// Installed modules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modules: Option<Vec<Module>>,
    /// Work that an interrupted operation left owed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owed: Option<Vec<OwedWork>>,
    /// An operation under way, ours or somebody else's; absent also when the probes saw none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<ObservedOperation>,
    /// Items that could not be read, each with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unknown: BTreeMap<String, String>,
}

impl AgentObservation {
    /// An Agent of which nothing is known yet.
    pub fn new(name: AgentName, reachable: bool) -> Self {
        Self {
            name,
            reachable,
            reason: None,
            since: None,
            address: None,
            core: None,
            web_apps: None,
            web_evidence: None,
            state: None,
            failover: None,
            broker_gateway: None,
            swarming: None,
            expired_users: None,
            default_upgrade_options: None,
            pending_reboot: None,
            free_disk: None,
            dotnet: None,
            vcredist: None,
            os: None,
            locale: None,
            storage: None,
            taskbar_utility: None,
            history: None,
            web_history: None,
            backups: None,
            modules: None,
            owed: None,
            operation: None,
            unknown: BTreeMap::new(),
        }
    }
}

/// A database of a DataMiner System. Known issues hang on it (`domain/06`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Storage {
    /// One Cassandra for each Agent.
    Cassandra,
    /// A Cassandra cluster for all Agents.
    CassandraCluster,
    /// Elasticsearch as indexing database.
    Elasticsearch,
    /// OpenSearch as indexing database.
    OpenSearch,
    /// MySQL.
    MySql,
    /// Storage as a service: none of one's own.
    Service,
}

/// How a web level was learnt, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum WebEvidence {
    /// The hashes of the catalogue's sentinel files.
    Fingerprint,
    /// A job of ours that ended well.
    OwnJob,
    /// The progress.log of a web package newer than the newest core entry.
    PackageFolder,
    /// The Web Services API.
    WebServices,
}

/// The state of an Agent (`domain/04 section 3`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum AgentState {
    /// Up.
    Running,
    /// On the way up.
    Starting,
    /// Down.
    Stopped,
    /// Not reached by the other Agents.
    Disconnected,
    /// Changing places with its Failover partner.
    Switching,
    /// Not one that is known.
    Unknown,
}

/// Role and activity of a Failover member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FailoverState {
    /// Its place in the pair.
    pub role: FailoverRole,
    /// Whether it is the active member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online: Option<bool>,
}

/// One line of a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HistoryEntry {
    /// When it was installed.
    #[schemars(with = "Instant")]
    pub at: Timestamp,
    /// As the Agent wrote it.
    pub version: String,
}

/// A content backup on an Agent or in the vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Backup {
    /// The file name.
    pub file: String,
    /// When it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Instant>")]
    pub at: Option<Timestamp>,
    /// The digest of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Whether it lies in the vault.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub vault: bool,
    /// The web level that wrote the content, where it is on record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Whether it is our own copy of both content folders, with everything in them; the product's own backups leave
    /// out old app versions since 10.4.0 CU21/10.5.0 CU9/10.5.12 (`domain/03 section 4`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub copy: bool,
    /// Whether the content changed while it was copied.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub torn: bool,
}

impl Backup {
    /// A backup on an Agent of which nothing but the file name is known yet.
    pub fn new(file: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            at: None,
            sha256: None,
            size: None,
            vault: false,
            content: None,
            copy: false,
            torn: false,
        }
    }
}

/// An installed DxM or DcM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Module {
    /// As Windows lists it.
    pub name: String,
    /// As Windows lists it.
    pub version: String,
}

/// Work that an interrupted operation left owed on an Agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OwedWork {
    /// The name of the note on the Agents, by which it is removed once the work is verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<JobId>,
    /// What is still to be done.
    pub action: Action,
    /// The backup to restore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<Sha256>,
    /// The module to reinstall.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
}

/// An operation on an Agent, ours or somebody else's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObservedOperation {
    /// The job, where it is a reconciler's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it does, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// How far it is.
    pub state: OperationState,
    /// The installation that owns it; absent for an operation that is not a reconciler's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// How far an operation on an Agent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OperationState {
    /// Under way.
    Running,
    /// Ended well.
    Finished,
    /// Ended badly.
    Failed,
    /// Not known.
    Unknown,
}
