//! The Cluster document, and the Profile, which gives parts of one.

mod agent;
mod connection;
mod health;
mod upgrade;
mod window;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use self::window::DEFAULT_CUTOFF;
use self::{
    agent::Agent,
    connection::Connection,
    health::{Health, Hook},
    upgrade::{Downgrade, Upgrade},
    window::Window,
};
use super::{
    ApiVersion, Metadata, NamedMetadata,
    text::{Label, Line},
};
use crate::{
    id::ClusterName,
    v1::cluster::{self, AppliedProfile, Approval, Cluster},
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

/// Declares what Clusters and Profiles share once; serde flattens nothing where unknown fields are refused.
macro_rules! shared_spec {
    ($(#[$attribute:meta])* struct $name:ident { $($own:tt)* }) => {
        #[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        $(#[$attribute])*
        struct $name {
            $($own)*
            /// Stops everything but observing, until it is taken out again.
            #[serde(default)]
            suspend: bool,
            /// The versions wanted.
            #[serde(default)]
            software: Software,
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
            /// Which plans an operator approves besides the merge: `Never`, `Downgrades` or `Always`.
            #[serde(default)]
            approval: Approval,
            /// What is called around a change, by names of the process's configuration.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            hooks: Vec<Hook>,
            /// When the cluster counts as healthy after a change.
            #[serde(default)]
            health: Health,
            /// The clusters that must have converged before this one may change.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            depends_on: Vec<ClusterName>,
        }
    };
}

shared_spec! {
    /// What is wanted of a cluster.
    // What neither a Cluster nor its Profile gives is missing; an editor knows the Cluster alone.
    #[schemars(extend(
        "if" = { "not": { "required": ["profile"] } },
        "then" = { "required": ["software"], "properties": { "software": { "required": ["core"] } } }
    ))]
    struct ClusterSpec {
        /// The Profile that fills what is absent here: Cluster before Profile before the built-in default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        profile: Option<Label>,
        /// Every Agent of the DMS. The first healthy one that is online orchestrates upgrades.
        #[schemars(length(min = 1))]
        agents: Vec<Agent>,
    }
}

/// Parts of a Cluster's spec that several clusters share.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "Profile")]
pub(crate) struct ProfileDocument {
    /// The version of the language.
    api_version: ApiVersion,
    /// Says that this document is a Profile.
    kind: ProfileKind,
    /// What the Profile is called.
    metadata: NamedMetadata,
    /// What the clusters that name this Profile take from it where they say nothing themselves. Mappings are merged
    /// field by field; a list is taken as a whole.
    spec: ProfileSpec,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
enum ProfileKind {
    Profile,
}

shared_spec! {
    /// Any part of a Cluster's spec but its Agents.
    struct ProfileSpec {}
}

/// The versions wanted.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Software {
    /// The DataMiner core: `10.5.0 CU12`, `10.5.12`, or with the build, `10.5.0 CU12 (build 16889)`. The Cluster or its
    /// Profile must give it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    core: Option<Version>,
    /// The web apps: a version, `bundled` (what the core package carries), or `unmanaged` (left as they are).
    #[serde(default)]
    web_apps: WebWanted,
    /// Packages to install after the core, in order, by file name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hotfixes: Vec<Line>,
}

impl ClusterDocument {
    /// The cluster; `None` if neither it nor its Profile says which core is wanted.
    pub(crate) fn into_cluster(self, profile: Option<AppliedProfile>) -> Option<Cluster> {
        let Self { api_version: ApiVersion::V1, kind: ClusterKind::Cluster, metadata, spec } = self;
        let Metadata { name, labels, annotations: _ } = metadata;
        let ClusterSpec {
            profile: _,
            agents,
            suspend,
            software: Software { core, web_apps, hotfixes },
            connection,
            upgrade,
            downgrade,
            windows,
            approval,
            hooks,
            health,
            depends_on,
        } = spec;
        Some(Cluster {
            name,
            labels,
            profile,
            rollout: None,
            advisories: Vec::new(),
            suspend,
            software: cluster::Software {
                core: core?,
                web_apps,
                hotfixes: hotfixes.into_iter().map(|Line(name)| name).collect(),
            },
            agents: agents.into_iter().map(Into::into).collect(),
            connection: connection.into(),
            upgrade: upgrade.into(),
            downgrade: downgrade.into(),
            windows: windows.into_iter().map(Into::into).collect(),
            approval,
            hooks: hooks.into_iter().map(Into::into).collect(),
            health: health.into(),
            depends_on,
        })
    }
}
