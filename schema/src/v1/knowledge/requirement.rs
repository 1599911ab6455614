//! What a server must have, and the checks that packages run before an upgrade.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Range, Threshold};
use crate::document::text::{Line, Word};

/// A check that packages carry and run before an upgrade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Prerequisite {
    /// Its id, as the product names it: `VerifyClusterPorts`.
    #[schemars(with = "Word")]
    pub id: String,
    /// What it asks, in a few words.
    #[schemars(with = "Line")]
    pub title: String,
    /// The releases whose packages carry it.
    #[schemars(length(min = 1))]
    pub included: Vec<Range>,
    /// What it asks from when on, where that grew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<PrerequisiteStage>,
    /// Ports that it tries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
    /// Files that it looks at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<Line>")]
    pub files: Vec<String>,
    /// Its file inside `Update.zip\Prerequisites`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Line>")]
    pub dll: Option<String>,
    /// Tool packages that cure what it finds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<Line>")]
    pub tools: Vec<String>,
    /// The prerequisite that it took the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Word>")]
    pub replaces: Option<String>,
    /// Known issues with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<Word>")]
    pub known_issues: Vec<String>,
    /// What else is worth knowing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Line>")]
    pub note: Option<String>,
    /// Numbers of release notes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub release_notes: Vec<u32>,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// What a prerequisite asks from a release on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrerequisiteStage {
    /// What it asks for.
    pub needs: DotNet,
    /// From when on.
    pub since: Threshold,
}

/// A .NET runtime.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DotNet {
    /// Which one.
    pub kind: DotNetKind,
    /// Its version, for example `"8.0"`.
    #[schemars(with = "Word")]
    pub version: String,
}

/// Which .NET runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DotNetKind {
    /// .NET Framework, which Windows carries.
    Framework,
    /// The .NET or ASP.NET Core runtime.
    Runtime,
    /// The ASP.NET Core hosting bundle.
    HostingBundle,
}

/// What a server must have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Requirements {
    /// .NET runtimes, by release.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dotnet: Vec<DotNetRequirement>,
    /// Visual C++ runtimes: an upgrade installs a missing one and may reboot the server for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vcredist: Vec<VcRedistRequirement>,
    /// Windows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub os: Vec<OsRequirement>,
    /// Ports between Agents and to databases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<PortRequirement>,
    /// Free space on the system disk and the disk of the database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskRequirement>,
}

/// .NET runtimes that releases need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DotNetRequirement {
    /// What they need; all of it.
    #[schemars(length(min = 1))]
    pub needs: Vec<DotNet>,
    /// Which releases.
    #[schemars(length(min = 1))]
    pub releases: Vec<Range>,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// A Visual C++ runtime that releases need at least.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VcRedistRequirement {
    /// The least version.
    #[schemars(with = "Word")]
    pub version: String,
    /// From when on.
    pub since: Threshold,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// The least Windows that a release takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OsRequirement {
    /// The least Windows Server, for example `2016`.
    #[schemars(range(min = 2000))]
    pub server: u16,
    /// The least Windows for desktops, for example `10`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 7))]
    pub desktop: Option<u16>,
    /// The first build of Windows that is new enough, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub build: Option<u32>,
    /// From when on; absent: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Threshold>,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// A port that must be open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PortRequirement {
    /// Its number.
    #[schemars(range(min = 1))]
    pub port: u16,
    /// Its protocol.
    pub protocol: Protocol,
    /// What uses it.
    #[serde(rename = "for")]
    pub used_for: PortUse,
    /// From when on it is needed no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Threshold>,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}

/// A protocol of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// What uses a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PortUse {
    /// Web apps, and Agents among each other by gRPC.
    Web,
    /// Agents among each other by .NET Remoting.
    Remoting,
    /// NATS.
    Nats,
    /// The account server of the legacy NATS.
    Nas,
    /// Looking after NATS.
    NatsMonitoring,
    /// SNMP.
    Snmp,
    /// Cassandra.
    Cassandra,
    /// OpenSearch or Elasticsearch.
    Indexing,
}

/// How much space must be free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DiskRequirement {
    /// For normal operation, in GiB.
    pub free_gib: u32,
    /// Below this it is worth a warning, in GiB.
    pub warning_gib: u32,
    /// Below this it is critical, in GiB.
    pub critical_gib: u32,
    /// Where this is written.
    #[schemars(with = "Line")]
    pub source: String,
}
