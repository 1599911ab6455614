//! How upgrades run.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretRef;
use crate::quantity::ByteSize;

/// How upgrades run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// How far an upgrade goes.
    pub mode: UpgradeMode,
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
    /// Whether a hotfix may be lost (D4).
    pub accept_hotfix_loss: bool,
    /// Free space that each Agent must have, besides twice the package.
    pub min_free_disk: ByteSize,
    /// What follows a failed upgrade.
    pub on_failure: OnFailure,
}

impl Default for Upgrade {
    fn default() -> Self {
        Self {
            mode: UpgradeMode::default(),
            failover_policy: FailoverPolicy::default(),
            options: UpgradeOptions::default(),
            run_as: RunAs::default(),
            stage_ahead: SignedDuration::from_hours(72),
            web_upgrades: WebUpgrades::default(),
            accept_older_fixes: false,
            accept_hotfix_loss: false,
            min_free_disk: ByteSize(15 << 30),
            on_failure: OnFailure::default(),
        }
    }
}

/// How far an upgrade goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum UpgradeMode {
    /// Packages are installed.
    #[default]
    Apply,
    /// Packages are uploaded and verified, and prerequisites checked; nothing is installed.
    StageOnly,
}

/// What follows a failed upgrade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnFailure {
    /// The cluster waits for people.
    #[default]
    Stop,
    /// The way back, through the ordinary downward plan and its gates.
    Downgrade,
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunAs {
    /// The account that SSH signs in as.
    #[default]
    SshUser,
    /// The local system account.
    System,
    /// Another account.
    Named {
        /// `DOMAIN\\user` or `.\\user`.
        user: String,
        /// Its password.
        password: SecretRef,
    },
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
