//! What a simulation looks like from inside, for tests and demos.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use dataminer_schema::version::Version;
use jiff::Timestamp;
use serde::Serialize;

/// All clusters.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SimulationReport {
    pub clusters: Vec<ClusterReport>,
}

/// One cluster.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterReport {
    pub name: String,
    pub agents: Vec<AgentReport>,
    /// The upgrade that runs now, by the file name of its package.
    pub operation: Option<String>,
    pub violations: Vec<Violation>,
}

/// One Agent.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentReport {
    pub name: String,
    pub core: Version,
    /// The hotfix on top of it, as VersionHistory.txt names it.
    pub hotfix: Option<String>,
    pub web: Version,
    pub state: RunState,
    pub online: bool,
    pub broker_gateway: bool,
    pub content: ContentState,
    /// Dashboards, apps and live versions of apps that the web apps cannot open, below `C:\Skyline DataMiner`.
    pub unreadable: Vec<String>,
    /// Deleted apps, and versions of apps that no `App.info.json` names, that the web apps could not open: nobody
    /// meets them until he looks into the version history.
    pub unreadable_history: Vec<String>,
    /// Content that is missing or is not what the product wrote.
    pub damaged: Vec<String>,
    /// SHA-256 over paths and bytes of all content: Agents of the same digest hold the same.
    pub content_digest: String,
    /// Installed modules, and those that the software needs and does not have.
    pub modules: Vec<ModuleReport>,
    /// File names in `System Cache\Web\Backups`, oldest first.
    pub backups: Vec<String>,
    /// Lines of VersionHistory.txt.
    pub history: Vec<String>,
    /// What scheduled tasks did, by their names, also after they were deleted.
    pub tasks: BTreeMap<String, TaskReport>,
    /// Command lines that the simulated Windows did not know.
    pub unknown_commands: Vec<String>,
    pub free_disk: u64,
    /// The tree that mirrors `C:\`.
    pub drive: Utf8PathBuf,
}

/// What one scheduled task did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskReport {
    /// How often the scheduler started it.
    pub started: u32,
    /// How often it came to its work: a program that changes the server, which is one of DataMiner's, xcopy or msiexec.
    pub worked: u32,
}

/// Whether DataMiner runs on an Agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum RunState {
    Running,
    Starting,
    Stopped,
    Upgrading,
}

/// Whether the installed web apps can read the dashboards and low-code apps of an Agent (`domain/03 section 4`).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ContentState {
    /// Written by this level at the newest.
    Readable { level: Version },
    /// A newer level migrated it.
    Unreadable { level: Version },
    /// A file is missing or is not what the product wrote.
    Damaged { file: String },
}

/// One module (DxM or DcM) of an Agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModuleReport {
    /// As the uninstall key shows it: `DataMiner GQI`.
    pub name: String,
    /// What is installed.
    pub version: Option<String>,
    pub state: ModuleState,
}

/// How a module fits the software beside it (`domain/02 section 3`, `domain/03 section 5`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ModuleState {
    Fits,
    /// A downgrade left it behind: it does not work with the older software.
    TooNew,
    /// An older one than the software came with.
    TooOld,
    /// An older installer was run over it.
    Corrupt,
    /// The software needs it, and it is not installed.
    Missing,
    /// Nothing here uses it.
    LeftOver,
}

impl ModuleState {
    /// Whether users would notice.
    pub fn is_broken(self) -> bool {
        match self {
            Self::Fits | Self::LeftOver => false,
            Self::TooNew | Self::TooOld | Self::Corrupt | Self::Missing => true,
        }
    }
}

/// Something that the product would not have survived.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Violation {
    pub at: Timestamp,
    pub kind: ViolationKind,
    pub detail: String,
}

/// The rules whose breach is recorded; the product would not refuse, it would break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ViolationKind {
    /// Agents of one cluster ran different core versions outside an upgrade (`domain/04 section 1`).
    MixedVersions,
    /// Agents of one cluster had different web levels outside an upgrade (`domain/03 section 1`).
    MixedWebLevels,
    /// A major was skipped (`domain/02 H2, H5, H6`).
    SkippedMajor,
    /// A hop that is known to break the system (`domain/02 H8, H10, H11`, `domain/04 section 7`).
    BreakingHop,
    /// A downgrade that the new software cannot live with (`domain/02 section 2, 3`).
    BreakingDowngrade,
    /// A hotfix came upon a release that it was not made for (`domain/01 section 1`, notation 2) `[I]`.
    HotfixOnAnotherRelease,
    /// A second upgrade was started while one ran (`domain/04 section 1`).
    SecondOperation,
    /// A pair was upgraded one after the other across majors or with BrokerGateway (`domain/04 section 2`).
    UnsafeFailoverPolicy,
    /// UpgradeInfo.xml asks for the whole cluster and lists a part of it: what that means is not documented.
    AmbiguousAgentList,
}
