//! The Cluster document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ApiVersion, Metadata,
    text::{Address, Day, HostKey, Line, OneOrMany, Schedule, Span, ZoneName},
};
use crate::{
    id::AgentName,
    quantity::ByteSize,
    v1::cluster::{
        self, Cluster, DowngradePolicy, Extras, FailoverPolicy, Fit, Restore, RunAs, SecretRef,
        UpgradeOptions, WebUpgrades,
    },
    version::{Version, WebWanted},
};

/// One DataMiner System: what it shall run, where its Agents are, and when it may be touched.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "Cluster")]
pub(crate) struct ClusterDocument {
    /// The version of the language.
    api_version: ApiVersion,
    /// Says that this document is a Cluster.
    kind: ClusterKind,
    /// What the cluster is called.
    metadata: Metadata,
    /// What is wanted.
    spec: ClusterSpec,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
enum ClusterKind {
    Cluster,
}

/// What is wanted of a cluster.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-notYet" = ["profile", "approval"]))]
struct ClusterSpec {
    /// Stops everything but observing, until it is taken out again.
    #[serde(default)]
    suspend: bool,
    /// The versions wanted.
    software: Software,
    /// Every Agent of the DMS. The first healthy one that is online orchestrates upgrades.
    #[schemars(length(min = 1))]
    agents: Vec<Agent>,
    /// How Agents are reached.
    #[serde(default)]
    connection: Connection,
    /// How upgrades run.
    #[serde(default)]
    upgrade: Upgrade,
    /// Whether versions may fall.
    #[serde(default)]
    downgrade: Downgrade,
    /// When disruptive work may start. Without a window of kind Allow the cluster is always open; Deny wins.
    #[serde(default)]
    windows: Vec<Window>,
    /// Hooks are not supported yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 0), extend("x-notYet" = true))]
    hooks: Vec<Line>,
    /// When the cluster counts as healthy after a change.
    #[serde(default)]
    health: Health,
    /// Dependencies on other clusters are not supported yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 0), extend("x-notYet" = true))]
    depends_on: Vec<Line>,
}

/// The versions wanted.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Software {
    /// The DataMiner core: `10.5.0 CU12`, `10.5.12`, or with the build, `10.5.0 CU12 (build 16889)`.
    core: Version,
    /// The web apps: a version, `bundled` (what the core package carries), or `unmanaged` (left as they are).
    #[serde(default)]
    web_apps: WebWanted,
    /// Hotfix packages are not supported yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 0), extend("x-notYet" = true))]
    hotfixes: Vec<Line>,
}

/// One Agent of the DMS.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Agent {
    /// The Agent's name, unique in the cluster.
    name: AgentName,
    /// How SSH reaches the Agent; DataMiner's own address is read from DMS.xml.
    address: Address,
    /// The pinned SSH host key, or several. An unknown key is refused and its fingerprint shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    host_key: Option<OneOrMany<HostKey>>,
    /// What the server is.
    #[serde(default)]
    kind: AgentKind,
    /// The SSH account of this Agent, where it is not the cluster's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ssh: Option<Ssh>,
    /// The other member of the Failover pair; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failover: Option<Member>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-notYet" = ["DMP"]))]
enum AgentKind {
    #[default]
    #[serde(rename = "DMA")]
    Agent,
}

/// The other member of a Failover pair.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Member {
    /// The member's name, unique in the cluster.
    name: AgentName,
    /// How SSH reaches the member.
    address: Address,
    /// The pinned SSH host key, or several. An unknown key is refused and its fingerprint shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    host_key: Option<OneOrMany<HostKey>>,
    /// The SSH account of this member, where it is not the cluster's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ssh: Option<Ssh>,
}

/// How Agents are reached.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-notYet" = ["via", "webServices"]))]
struct Connection {
    /// The SSH account on the Agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ssh: Option<Ssh>,
}

/// An SSH account.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-notYet" = ["passphrase", "password"]))]
struct Ssh {
    /// The Windows account that SSH signs in as.
    user: Line,
    /// Where the private key is: a file or an environment variable of the process.
    identity: SecretRef,
}

/// How upgrades run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Upgrade {
    /// Whether packages are installed.
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
    /// Losing a hotfix cannot be accepted yet.
    #[schemars(extend("enum" = [false], "x-notYet" = [true]))]
    accept_hotfix_loss: bool,
    /// Free space that each Agent must have, besides twice the package.
    min_free_disk: ByteSize,
    /// What follows a failed upgrade.
    on_failure: OnFailure,
}

impl Default for Upgrade {
    fn default() -> Self {
        Self {
            mode: UpgradeMode::Apply,
            failover_policy: FailoverPolicy::default(),
            options: Options::default(),
            run_as: Account::default(),
            stage_ahead: Span(jiff::SignedDuration::from_hours(72)),
            web_upgrades: WebUpgrades::default(),
            accept_older_fixes: false,
            accept_hotfix_loss: false,
            min_free_disk: ByteSize(15 << 30),
            on_failure: OnFailure::Stop,
        }
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-notYet" = ["StageOnly"]))]
enum UpgradeMode {
    Apply,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-notYet" = ["Downgrade"]))]
enum OnFailure {
    Stop,
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
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-notYet" = ["user", "password"]))]
struct Account {
    /// `SshUser`: the account that SSH signs in as. `System`: the local system account.
    #[serde(default)]
    #[schemars(extend("x-notYet" = ["Named"]))]
    account: RunAs,
}

/// Whether versions may fall.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-notYet" = ["patchPrerequisites"]))]
struct Downgrade {
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
}

/// A time in which disruptive work may, or may not, start.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Window {
    Allow(AllowWindow),
    Deny(DenyWindow),
}

/// A time in which disruptive work may start.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AllowWindow {
    /// Says that work may start in this window.
    kind: AllowKind,
    /// When the window opens.
    schedule: Schedule,
    /// How long it stays open.
    duration: Span,
    /// The time zone of the schedule.
    time_zone: ZoneName,
    /// How long before the end nothing new starts any more.
    #[serde(default = "one_hour")]
    cutoff: Span,
    /// Whether the plan must fit into the window by its estimate.
    #[serde(default)]
    fit: Fit,
}

/// What `cutoff` is where it is not written.
pub(crate) const DEFAULT_CUTOFF: Span = Span(jiff::SignedDuration::from_hours(1));

fn one_hour() -> Span {
    DEFAULT_CUTOFF
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
enum AllowKind {
    Allow,
}

/// A time in which no disruptive work may start.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DenyWindow {
    /// Says that no work may start in this window.
    kind: DenyKind,
    /// The first day.
    from: Day,
    /// The last day, inclusive.
    to: Day,
    /// The time zone of the days.
    time_zone: ZoneName,
    /// Why; shown wherever the window keeps work from starting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Line>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
enum DenyKind {
    Deny,
}

/// When a cluster counts as healthy after a change.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Health {
    /// How long every Agent must have been right without a break.
    settle: Span,
    /// How long to wait for that.
    timeout: Span,
    /// Additional checks are not supported yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 0), extend("x-notYet" = true))]
    checks: Vec<Line>,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            settle: Span(jiff::SignedDuration::from_mins(5)),
            timeout: Span(jiff::SignedDuration::from_mins(45)),
            checks: Vec::new(),
        }
    }
}

/// The port that SSH listens on by default.
const SSH_PORT: u16 = 22;

impl From<ClusterDocument> for Cluster {
    fn from(document: ClusterDocument) -> Self {
        let ClusterDocument { api_version: ApiVersion::V1, kind: ClusterKind::Cluster, metadata, spec } =
            document;
        let Metadata { name, labels, annotations: _ } = metadata;
        let ClusterSpec {
            suspend,
            software: Software { core, web_apps, hotfixes: _ },
            agents,
            connection: Connection { ssh },
            upgrade,
            downgrade: Downgrade { policy, until, restore, extras },
            windows,
            hooks: _,
            health: Health { settle: Span(settle), timeout: Span(timeout), checks: _ },
            depends_on: _,
        } = spec;
        Self {
            name,
            labels,
            suspend,
            software: cluster::Software { core, web_apps },
            agents: agents.into_iter().map(Into::into).collect(),
            connection: cluster::Connection { ssh: ssh.map(Into::into) },
            upgrade: upgrade.into(),
            downgrade: cluster::Downgrade { policy, until: until.map(|Day(day)| day), restore, extras },
            windows: windows.into_iter().map(Into::into).collect(),
            health: cluster::Health { settle, timeout },
        }
    }
}

impl From<Agent> for cluster::Agent {
    fn from(agent: Agent) -> Self {
        let Agent { name, address, host_key, kind: AgentKind::Agent, ssh, failover } = agent;
        Self { member: Member { name, address, host_key, ssh }.into(), failover: failover.map(Into::into) }
    }
}

impl From<Member> for cluster::Member {
    fn from(member: Member) -> Self {
        let Member { name, address: Address { host, port }, host_key, ssh } = member;
        let host_keys = host_key.map(OneOrMany::into_vec).unwrap_or_default();
        Self {
            name,
            host,
            port: port.unwrap_or(SSH_PORT),
            host_keys: host_keys.into_iter().map(|HostKey(key)| key).collect(),
            ssh: ssh.map(Into::into),
        }
    }
}

impl From<Ssh> for cluster::Ssh {
    fn from(Ssh { user: Line(user), identity }: Ssh) -> Self {
        Self { user, identity }
    }
}

impl From<Upgrade> for cluster::Upgrade {
    fn from(upgrade: Upgrade) -> Self {
        let Upgrade {
            mode: UpgradeMode::Apply,
            failover_policy,
            options,
            run_as: Account { account: run_as },
            stage_ahead: Span(stage_ahead),
            web_upgrades,
            accept_older_fixes,
            accept_hotfix_loss: _,
            min_free_disk,
            on_failure: OnFailure::Stop,
        } = upgrade;
        let Options {
            extract_all_files,
            delayed_start,
            automatic_start_services,
            stop_snmp,
            reboot_after_upgrade,
        } = options;
        Self {
            failover_policy,
            options: UpgradeOptions {
                extract_all_files,
                delayed_start,
                automatic_start_services,
                stop_snmp,
                reboot_after_upgrade,
            },
            run_as,
            stage_ahead,
            web_upgrades,
            accept_older_fixes,
            min_free_disk,
        }
    }
}

impl From<Window> for cluster::Window {
    fn from(window: Window) -> Self {
        match window {
            Window::Allow(AllowWindow {
                kind: AllowKind::Allow,
                schedule: Schedule(schedule),
                duration: Span(duration),
                time_zone: ZoneName(time_zone),
                cutoff: Span(cutoff),
                fit,
            }) => Self::Allow { schedule, duration, time_zone, cutoff, fit },
            Window::Deny(DenyWindow {
                kind: DenyKind::Deny,
                from: Day(from),
                to: Day(to),
                time_zone: ZoneName(time_zone),
                reason,
            }) => Self::Deny { from, to, time_zone, reason: reason.map(|Line(reason)| reason) },
        }
    }
}
