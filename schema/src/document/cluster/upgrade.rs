//! How the upgrades and downgrades of a Cluster document run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    document::text::{Day, Line, Span},
    quantity::ByteSize,
    v1::cluster::{
        self, DowngradePolicy, Extras, FailoverPolicy, OnFailure, Restore, RunAs, SecretRef, UpgradeMode,
        UpgradeOptions, WebUpgrades,
    },
};

/// How upgrades run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Upgrade {
    /// `Apply` installs packages. `StageOnly` uploads and verifies them and checks prerequisites, and installs nothing.
    mode: UpgradeMode,
    /// The order inside Failover pairs, spelt as in UpgradeInfo.xml.
    failover_policy: FailoverPolicy,
    /// The options of UpgradeInfo.xml.
    options: Options,
    /// The Windows account that jobs run under.
    run_as: Account,
    /// How long before the next window packages are uploaded and verified.
    stage_ahead: Span,
    /// When web upgrades may start: they restart only the web server.
    web_upgrades: WebUpgrades,
    /// Allows a target with a higher number but older fixes.
    accept_older_fixes: bool,
    /// Allows an upgrade to replace a hotfix that is not listed in `software.hotfixes`.
    accept_hotfix_loss: bool,
    /// Free space that each Agent must have, besides twice the package.
    min_free_disk: ByteSize,
    /// What follows a failed upgrade: `Stop` waits for people, `Downgrade` goes back through the ordinary downward plan
    /// and its gates.
    on_failure: OnFailure,
}

impl Default for Upgrade {
    fn default() -> Self {
        let cluster::Upgrade {
            mode,
            failover_policy,
            options: _,
            run_as: _,
            stage_ahead,
            web_upgrades,
            accept_older_fixes,
            accept_hotfix_loss,
            min_free_disk,
            on_failure,
        } = cluster::Upgrade::default();
        Self {
            mode,
            failover_policy,
            options: Options::default(),
            run_as: Account::default(),
            stage_ahead: Span(stage_ahead),
            web_upgrades,
            accept_older_fixes,
            accept_hotfix_loss,
            min_free_disk,
            on_failure,
        }
    }
}

/// The options of UpgradeInfo.xml.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(rename = "UpgradeOptions")]
struct Options {
    /// Extracts all files of the package, also those that did not change.
    extract_all_files: bool,
    /// Starts DataMiner some time after Windows.
    delayed_start: bool,
    /// Lets the DataMiner services start by themselves.
    automatic_start_services: bool,
    /// Stops the SNMP service during the upgrade.
    stop_snmp: bool,
    /// Restarts the server after the upgrade.
    reboot_after_upgrade: bool,
}

impl Default for Options {
    fn default() -> Self {
        let UpgradeOptions {
            extract_all_files,
            delayed_start,
            automatic_start_services,
            stop_snmp,
            reboot_after_upgrade,
        } = UpgradeOptions::default();
        Self { extract_all_files, delayed_start, automatic_start_services, stop_snmp, reboot_after_upgrade }
    }
}

/// The Windows account that jobs run under.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Account {
    SshUser(SshUserAccount),
    System(SystemAccount),
    Named(NamedAccount),
}

impl Default for Account {
    fn default() -> Self {
        Self::SshUser(SshUserAccount { account: SshUser::SshUser })
    }
}

/// The account that SSH signs in as.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SshUserAccount {
    /// `SshUser`: the account that SSH signs in as. `System`: the local system account. `Named`: another one.
    account: SshUser,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
enum SshUser {
    SshUser,
}

/// The local system account.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SystemAccount {
    /// Says that it is the local system account.
    account: System,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
enum System {
    System,
}

/// An account of its own.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NamedAccount {
    /// Says that the account is named here.
    account: Named,
    /// The account: `DOMAIN\user`, or `.\user` for a local one.
    user: Line,
    /// Where the account's password is: a file or an environment variable of the process.
    password: SecretRef,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
enum Named {
    Named,
}

/// Whether versions may fall.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Downgrade {
    /// Whether versions may fall.
    #[serde(default)]
    policy: DowngradePolicy,
    /// The last day, in UTC, on which `policy: Allow` counts. Without it the permission stands until it is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Day>,
    /// Which content backup is put back when the web apps fall: `Matching` (written by the level of the target, else
    /// the newest below it), `MostRecent` (the newest that the target can read), or `None`.
    #[serde(default)]
    restore: Restore,
    /// What becomes of files that the restored backup does not know: `Keep` leaves them, `MoveAside` puts them into the
    /// safety copy.
    #[serde(default)]
    extras: Extras,
    /// Allows the documented removal of VerifyNatsIsRunning.dll from the staged package, without which no downgrade
    /// crosses 10.4.0/10.4.3.
    #[serde(default)]
    patch_prerequisites: bool,
}

impl From<Upgrade> for cluster::Upgrade {
    fn from(upgrade: Upgrade) -> Self {
        let Upgrade {
            mode,
            failover_policy,
            options,
            run_as,
            stage_ahead: Span(stage_ahead),
            web_upgrades,
            accept_older_fixes,
            accept_hotfix_loss,
            min_free_disk,
            on_failure,
        } = upgrade;
        Self {
            mode,
            failover_policy,
            options: options.into(),
            run_as: run_as.into(),
            stage_ahead,
            web_upgrades,
            accept_older_fixes,
            accept_hotfix_loss,
            min_free_disk,
            on_failure,
        }
    }
}

impl From<Options> for UpgradeOptions {
    fn from(options: Options) -> Self {
        let Options {
            extract_all_files,
            delayed_start,
            automatic_start_services,
            stop_snmp,
            reboot_after_upgrade,
        } = options;
        Self { extract_all_files, delayed_start, automatic_start_services, stop_snmp, reboot_after_upgrade }
    }
}

impl From<Account> for RunAs {
    fn from(account: Account) -> Self {
        match account {
            Account::SshUser(SshUserAccount { account: SshUser::SshUser }) => Self::SshUser,
            Account::System(SystemAccount { account: System::System }) => Self::System,
            Account::Named(NamedAccount { account: Named::Named, user: Line(user), password }) => {
                Self::Named { user, password }
            }
        }
    }
}

impl From<Downgrade> for cluster::Downgrade {
    fn from(downgrade: Downgrade) -> Self {
        let Downgrade { policy, until, restore, extras, patch_prerequisites } = downgrade;
        Self { policy, until: until.map(|Day(day)| day), restore, extras, patch_prerequisites }
    }
}
