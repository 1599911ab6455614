//! What to simulate: clusters, their Agents, keys, speed and faults. Readable from YAML.

use std::{collections::BTreeSet, net::IpAddr};

use camino::Utf8PathBuf;
use dataminer_schema::version::Version;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{chaos::RandomFaults, error::SimulatorError, fault::Injected};

/// A whole simulation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SimulationSpec {
    pub clusters: Vec<ClusterSpec>,
    /// Simulated seconds per second; work of an hour takes a minute at 60.
    #[serde(default = "one")]
    pub speed: f64,
    /// Seeds every random choice; each Agent has its own stream.
    #[serde(default)]
    pub seed: u64,
    /// The simulated instant at the start. Without it Agents show the real time, and only durations are scaled: what
    /// a reconciler with a real clock has to see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// The Windows user that SSH accepts.
    #[serde(default = "default_user")]
    pub user: String,
    /// Public keys in OpenSSH form that SSH accepts beside the generated one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorized_keys: Vec<String>,
    /// Where the trees go; a temporary folder, deleted at the end, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<Utf8PathBuf>,
}

/// One DataMiner System.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterSpec {
    pub name: String,
    pub agents: Vec<AgentSpec>,
    /// What `UseDefault` in UpgradeInfo.xml means here (`domain/04 section 2`).
    #[serde(default)]
    pub failover_policy: FailoverPolicy,
    /// Faults that are there from the start, or come at their time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Injected>,
    /// Faults by the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random_faults: Option<RandomFaults>,
}

/// One Agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AgentSpec {
    /// The computer name.
    pub name: String,
    /// The DataMiner ID; both members of a Failover pair carry the same.
    pub id: u32,
    /// DataMiner's own address of the Agent.
    pub address: IpAddr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failover: Option<FailoverSpec>,
    /// What is installed, with CU and build where the rules are to know them: `10.4.0 CU4 (build 14511)`.
    pub core: Version,
    /// The newest VersionHistory entry, verbatim, instead of one made from `core`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core_entry: Option<String>,
    /// Older VersionHistory entries, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<HistorySpec>,
    /// When the newest VersionHistory entry was written; half a year ago, but after the older ones, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed_at: Option<Timestamp>,
    /// The upgrades whose logs lie in `Upgrades\Packages`, all of which ended well; those of `core` and `web` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traces: Option<Vec<TraceSpec>>,
    /// The level of the web apps; that of the core if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web: Option<Version>,
    /// The id of the Windows time zone.
    #[serde(default = "default_time_zone")]
    pub time_zone: String,
    /// Bytes.
    #[serde(default = "default_free_disk")]
    pub free_disk: u64,
    /// Whether NATS is managed by BrokerGateway.
    #[serde(default)]
    pub broker_gateway: bool,
    /// Versions of the installed ASP.NET Core hosting bundles.
    #[serde(default = "default_dotnet")]
    pub dotnet: Vec<String>,
    #[serde(default = "default_vcredist", skip_serializing_if = "Option::is_none")]
    pub vcredist: Option<String>,
    /// The Windows build number: 14393 is Server 2016, 17763 is 2019, 20348 is 2022, 26100 is 2025.
    #[serde(default = "default_os_build")]
    pub os_build: u32,
    /// The language of Windows' own texts.
    #[serde(default)]
    pub language: Language,
    /// Whether an instance of the Taskbar Utility sits in somebody's session. Without one an old utility does not read
    /// its command line (RN 37952, `domain/05 section 1`).
    #[serde(default = "yes")]
    pub tray: bool,
    /// Whether DataMiner runs at the start.
    #[serde(default = "yes")]
    pub running: bool,
    /// Whether Security.xml holds an expired user (`domain/02 H11`).
    #[serde(default)]
    pub expired_users: bool,
    /// Whether MaintenanceSettings.xml holds DefaultUpgradeOptions (`domain/04 section 7`).
    #[serde(default)]
    pub default_upgrade_options: bool,
    #[serde(default)]
    pub pending_reboot: bool,
    /// Days since VerifyClusterPorts last succeeded; never if absent (`domain/02 H7`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_ports_verified_days_ago: Option<u32>,
    /// Content backups that lie on the Agent at the start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backups: Vec<BackupSpec>,
    /// The installed modules; those of `core` and `web` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modules: Option<Vec<ModuleSpec>>,
    /// Whether DMS.xml names this Agent itself without an id, as it does in some of the docs' samples.
    #[serde(default)]
    pub own_id_hidden: bool,
    /// Whether VersionHistory.txt starts with a byte order mark.
    #[serde(default)]
    pub history_with_bom: bool,
}

/// An older VersionHistory entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HistorySpec {
    pub at: Timestamp,
    /// As the file spells it: `10.4.0.0-14772-20240821-release`.
    pub version: String,
}

/// A content backup in `System Cache\Web\Backups`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackupSpec {
    pub at: Timestamp,
    /// The web level that wrote the content.
    pub content: Version,
    /// Its file name; one made from `at` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// What a past upgrade left in `Upgrades\Packages`: the log of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TraceSpec {
    pub at: Timestamp,
    /// The package's file name, which tells what it installed.
    pub file: String,
}

/// An installed module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModuleSpec {
    /// As the uninstall key shows it: `DataMiner GQI`.
    pub name: String,
    pub version: String,
}

/// A member's place in its Failover pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FailoverSpec {
    pub role: FailoverRole,
    pub online: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailoverRole {
    Main,
    Backup,
}

/// The order in which a pair is upgraded (`domain/04 section 2`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailoverPolicy {
    #[default]
    Simultaneously,
    BackupFirst,
    BackupFirstWithSwitchback,
}

/// The language of the texts that Windows' own programs print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    #[default]
    English,
    German,
}

fn one() -> f64 {
    1.0
}

fn yes() -> bool {
    true
}

fn default_user() -> String {
    "svc-dataminer".to_owned()
}

fn default_time_zone() -> String {
    "W. Europe Standard Time".to_owned()
}

fn default_free_disk() -> u64 {
    80 << 30
}

fn default_dotnet() -> Vec<String> {
    ["5.0.17", "6.0.36", "8.0.11", "10.0.1"].map(str::to_owned).to_vec()
}

#[expect(clippy::unnecessary_wraps, reason = "serde wants the field's type")]
fn default_vcredist() -> Option<String> {
    Some("v14.44.35211.00".to_owned())
}

fn default_os_build() -> u32 {
    17763
}

impl SimulationSpec {
    /// One simulation of these clusters at speed 1, seed 0.
    pub fn new(clusters: Vec<ClusterSpec>) -> Self {
        Self {
            clusters,
            speed: one(),
            seed: 0,
            start: None,
            user: default_user(),
            authorized_keys: Vec::new(),
            root: None,
        }
    }

    /// The same at this many simulated seconds per second.
    #[must_use]
    pub fn with_speed(mut self, speed: f64) -> Self {
        self.speed = speed;
        self
    }

    /// The same with this seed.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Reads a description from YAML.
    pub fn from_yaml(text: &str) -> Result<Self, SimulatorError> {
        let spec: Self =
            serde_yaml::from_str(text).map_err(|error| SimulatorError::Parse(error.to_string()))?;
        spec.check()?;
        Ok(spec)
    }

    /// Refuses what could not exist: a fault here would look like a fault of the program under test.
    pub fn check(&self) -> Result<(), SimulatorError> {
        let refuse = |text: String| Err(SimulatorError::Spec(text));
        if !(self.speed.is_finite() && (0.001..=1e6).contains(&self.speed)) {
            return refuse(format!("speed is {}, it must lie between 0.001 and 1000000", self.speed));
        }
        if self.clusters.is_empty() {
            return refuse("no cluster is named".to_owned());
        }
        if !is_plain(&self.user) {
            return refuse(format!("user `{}` is not a plain Windows user name", self.user));
        }
        let mut clusters = BTreeSet::new();
        for cluster in &self.clusters {
            if !is_plain(&cluster.name) || !clusters.insert(cluster.name.to_lowercase()) {
                return refuse(format!("cluster name `{}` is not plain or is used twice", cluster.name));
            }
            cluster.check()?;
        }
        Ok(())
    }
}

impl ClusterSpec {
    /// A cluster of these Agents.
    pub fn new(name: impl Into<String>, agents: Vec<AgentSpec>) -> Self {
        Self {
            name: name.into(),
            agents,
            failover_policy: FailoverPolicy::default(),
            faults: Vec::new(),
            random_faults: None,
        }
    }

    fn check(&self) -> Result<(), SimulatorError> {
        let refuse = |text: String| Err(SimulatorError::Spec(format!("cluster {}: {text}", self.name)));
        if self.agents.is_empty() {
            return refuse("it has no Agent".to_owned());
        }
        if self.random_faults.as_ref().is_some_and(|faults| faults.every == 0 || faults.kinds.is_empty()) {
            return refuse("randomFaults needs `every` above 0 and at least one of `kinds`".to_owned());
        }
        if let Some(injected) =
            self.faults.iter().find(|injected| self.agents.iter().all(|agent| agent.name != injected.agent))
        {
            return refuse(format!("a fault is put on `{}`, which is none of its Agents", injected.agent));
        }
        let (mut names, mut addresses) = (BTreeSet::new(), BTreeSet::new());
        for agent in &self.agents {
            if !is_plain(&agent.name) || agent.name.len() > 15 || !names.insert(agent.name.to_lowercase()) {
                return refuse(format!(
                    "Agent name `{}` must be plain, at most 15 characters and used once",
                    agent.name
                ));
            }
            if !addresses.insert(agent.address) {
                return refuse(format!("address {} is used twice", agent.address));
            }
            let backups = agent.backups.iter().filter_map(|backup| backup.file.as_ref());
            let traces = agent.traces.iter().flatten().map(|trace| &trace.file);
            if let Some(file) = backups.chain(traces).find(|file| !is_file_name(file)) {
                return refuse(format!("`{file}` of Agent {} is not a plain file name", agent.name));
            }
            if crate::clock::time_zone(&agent.time_zone).is_none() {
                return refuse(format!("`{}` is not the id of a Windows time zone", agent.time_zone));
            }
            let partners: Vec<_> = self.agents.iter().filter(|other| other.id == agent.id).collect();
            match (agent.failover, partners.as_slice()) {
                (None, [_]) => {}
                (Some(_), [one, two]) => {
                    let roles = (one.failover.map(|f| f.role), two.failover.map(|f| f.role));
                    if !matches!(
                        roles,
                        (Some(FailoverRole::Main), Some(FailoverRole::Backup))
                            | (Some(FailoverRole::Backup), Some(FailoverRole::Main))
                    ) {
                        return refuse(format!("the pair {} needs one Main and one Backup", agent.id));
                    }
                }
                _ => {
                    return refuse(format!(
                        "DataMiner ID {} must belong to one Agent or to one pair",
                        agent.id
                    ));
                }
            }
        }
        Ok(())
    }
}

impl AgentSpec {
    /// An Agent that runs this version with its own web apps.
    pub fn new(name: impl Into<String>, id: u32, address: IpAddr, core: Version) -> Self {
        Self {
            name: name.into(),
            id,
            address,
            failover: None,
            core,
            core_entry: None,
            history: Vec::new(),
            installed_at: None,
            traces: None,
            web: None,
            time_zone: default_time_zone(),
            free_disk: default_free_disk(),
            broker_gateway: false,
            dotnet: default_dotnet(),
            vcredist: default_vcredist(),
            os_build: default_os_build(),
            language: Language::default(),
            tray: true,
            running: true,
            expired_users: false,
            default_upgrade_options: false,
            pending_reboot: false,
            cluster_ports_verified_days_ago: None,
            backups: Vec::new(),
            modules: None,
            own_id_hidden: false,
            history_with_bom: false,
        }
    }

    /// The same as a member of a Failover pair.
    #[must_use]
    pub fn with_failover(mut self, role: FailoverRole, online: bool) -> Self {
        self.failover = Some(FailoverSpec { role, online });
        self
    }

    /// The same with these web apps.
    #[must_use]
    pub fn with_web(mut self, web: Version) -> Self {
        self.web = Some(web);
        self
    }
}

/// Letters, digits, `-`, `_`, `.` and blanks inside: what may become a folder name and a Windows name.
pub(crate) fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ' '))
}

/// One name that Windows takes, without a path in it.
fn is_file_name(text: &str) -> bool {
    text.len() <= 200
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ' | '(' | ')'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Fault;

    const OLD: &str = "clusters:
  - name: brussels
    agents: [ { name: A, id: 1, address: 10.0.0.1, core: 10.5.0 CU12 (build 16889) } ]
";

    #[test]
    fn descriptions_without_modules_are_still_valid() {
        let spec = SimulationSpec::from_yaml(OLD).unwrap();
        assert_eq!(spec.clusters[0].agents[0].modules, None);
    }

    #[test]
    fn random_faults_need_a_pace_and_a_kind_and_faults_an_agent() {
        let with = |more: &str| SimulationSpec::from_yaml(&format!("{OLD}{more}"));
        let kinds =
            with("    randomFaults: { every: 600 }\n").unwrap().clusters[0].random_faults.clone().unwrap();
        assert!(kinds.kinds.len() > 5, "{kinds:?}");
        assert!(with("    randomFaults: { every: 600, kinds: [ silence, changeHostKey ] }\n").is_ok());
        for wrong in ["{ every: 0 }", "{ every: 60, kinds: [] }", "{ every: 60, kinds: [ lightning ] }"] {
            assert!(with(&format!("    randomFaults: {wrong}\n")).is_err(), "{wrong}");
        }
        let stranger = with("    faults: [ { agent: B, fault: reboot } ]\n").unwrap_err().to_string();
        assert!(stranger.contains("`B`"), "{stranger}");
    }

    #[test]
    fn modules_and_faults_of_a_restore_can_be_described() {
        let text = OLD.replace(" } ]", ", modules: [ { name: DataMiner GQI, version: 10.6.4 } ] } ]")
            + "    faults:
      - { agent: A, fault: { cutAfter: 100000 } }
      - { agent: A, fault: { nextMsiexecExit: 3010 }, after: 90 }
      - { agent: A, fault: { diskLost: 'C:\\Skyline DataMiner' } }
      - { agent: A, fault: garbageBackup }
";
        let spec = SimulationSpec::from_yaml(&text).unwrap();
        let cluster = &spec.clusters[0];
        assert_eq!(cluster.agents[0].modules.as_ref().unwrap()[0].version, "10.6.4");
        assert_eq!(cluster.faults[0].fault, Fault::CutAfter(100_000));
        assert_eq!((cluster.faults[0].after, cluster.faults[1].after), (0, 90));
        assert_eq!(cluster.faults[3].fault, Fault::GarbageBackup);
    }
}
