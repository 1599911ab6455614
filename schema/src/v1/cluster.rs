//! The Cluster manifest: what one DMS shall run, where its Agents are, and when it may be touched.
//!
//! Fields of the design that this release does not act on are refused by name when a manifest sets them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, civil};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    document::text::{EnvName, Line},
    id::{AgentName, ClusterName},
    quantity::ByteSize,
    version::{Version, WebWanted},
};

/// A Cluster after parsing, with every default filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Unique in the repository.
    pub name: ClusterName,
    /// Free labels.
    pub labels: BTreeMap<String, String>,
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
    /// When the cluster counts as healthy after a change.
    pub health: Health,
}

/// The versions wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Software {
    /// The core.
    pub core: Version,
    /// The web apps.
    pub web_apps: WebWanted,
}

/// One Agent of the DMS, with its Failover partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// The Agent itself: of a pair, the main one.
    pub member: Member,
    /// The other member of the pair.
    pub failover: Option<Member>,
}

/// A server that SSH reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Unique in the cluster.
    pub name: AgentName,
    /// Host name or IP address, as SSH reaches it.
    pub host: String,
    /// The port of SSH.
    pub port: u16,
    /// Pinned host keys, `SHA256:…`; at least one is needed before anything connects.
    pub host_keys: Vec<String>,
    /// What overrides the cluster's `connection.ssh` for this Agent.
    pub ssh: Option<Ssh>,
}

/// How Agents are reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// The account, where no Agent has its own.
    pub ssh: Option<Ssh>,
}

/// The SSH account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    /// The Windows account.
    pub user: String,
    /// Where the private key is.
    pub identity: SecretRef,
}

/// Where a secret is found; manifests never hold its value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SecretRef {
    /// An environment variable of the process.
    Env(#[schemars(with = "EnvName")] String),
    /// A file that the process can read.
    File(#[schemars(with = "Line")] String),
}

/// How upgrades run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// The order inside Failover pairs.
    pub failover_policy: FailoverPolicy,
    /// The options of UpgradeInfo.xml.
    pub options: UpgradeOptions,
    /// The account of jobs on the Agent.
    pub run_as: RunAs,
    /// How long before the next window packages are staged.
    pub stage_ahead: SignedDuration,
    /// When web upgrades may start.
    pub web_upgrades: WebUpgrades,
    /// Whether a target with a higher number may have older fixes (D2).
    pub accept_older_fixes: bool,
    /// Free space that each Agent must have, besides twice the package.
    pub min_free_disk: ByteSize,
}

/// The order inside Failover pairs, spelt as in UpgradeInfo.xml (`domain/04 section 2`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FailoverPolicy {
    /// As the DMS is configured.
    UseDefault,
    /// Both members at once.
    #[default]
    Simultaneously,
    /// The backup first, then the main one.
    BackupFirst,
    /// The backup first, then back to the main one.
    BackupFirstWithSwitchback,
}

/// The options of UpgradeInfo.xml (`domain/05 section 1`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpgradeOptions {
    /// Extracts all files of the package, also those that did not change.
    pub extract_all_files: bool,
    /// Starts DataMiner some time after Windows.
    pub delayed_start: bool,
    /// Lets the DataMiner services start by themselves.
    pub automatic_start_services: bool,
    /// Stops the SNMP service during the upgrade.
    pub stop_snmp: bool,
    /// Restarts the server after the upgrade.
    pub reboot_after_upgrade: bool,
}

impl Default for UpgradeOptions {
    fn default() -> Self {
        Self {
            extract_all_files: true,
            delayed_start: true,
            automatic_start_services: true,
            stop_snmp: false,
            reboot_after_upgrade: false,
        }
    }
}

/// The Windows account that jobs run under.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RunAs {
    /// The account that SSH signs in as.
    #[default]
    SshUser,
    /// The local system account.
    System,
}

/// When web upgrades may start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum WebUpgrades {
    /// In a window, like everything disruptive.
    #[default]
    InWindow,
    /// At any time: a web upgrade restarts only the web server.
    AnyTime,
}

/// Whether versions may fall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Downgrade {
    /// Whether versions may fall.
    pub policy: DowngradePolicy,
    /// The last day, in UTC, on which `policy` allows anything; `None`: it stands for ever.
    pub until: Option<civil::Date>,
    /// Which content backup follows when the web level falls.
    pub restore: Restore,
    /// What becomes of files that the restored backup does not know.
    pub extras: Extras,
}

/// Which content backup follows when the web level falls (`design/03 G6`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Restore {
    /// The newest whose content the web apps of the target wrote, else the newest below.
    #[default]
    Matching,
    /// The newest that the web apps of the target can read.
    MostRecent,
    /// None: dashboards and apps stay as they are, readable or not.
    None,
}

/// What becomes of files that the restored backup does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Extras {
    /// They stay where they are.
    #[default]
    Keep,
    /// They go to the safety copy.
    MoveAside,
}

/// Whether versions may fall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DowngradePolicy {
    /// Never.
    #[default]
    Forbid,
    /// When a manifest asks for it.
    Allow,
}

/// A time in which disruptive work may, or may not, start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Window {
    /// Work may start.
    Allow {
        /// A five-field cron expression, checked when parsed.
        schedule: String,
        /// How long it stays open.
        duration: SignedDuration,
        /// An IANA name.
        time_zone: String,
        /// How long before the end nothing new starts any more.
        cutoff: SignedDuration,
        /// Whether the plan must fit.
        fit: Fit,
    },
    /// Work may not start, whatever other windows say.
    Deny {
        /// The first day.
        from: civil::Date,
        /// Inclusive.
        to: civil::Date,
        /// An IANA name.
        time_zone: String,
        /// Why.
        reason: Option<String>,
    },
}

/// Whether a plan must fit the window by its estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Fit {
    /// A plan that does not fit starts with a warning.
    #[default]
    Warn,
    /// A plan that does not fit waits.
    Require,
}

/// When a cluster counts as healthy after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// How long every Agent must have been right without a break.
    pub settle: SignedDuration,
    /// How long to wait for that.
    pub timeout: SignedDuration,
}
