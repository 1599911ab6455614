//! The documents as they are written: one serde type per kind, the one description of the language.
//!
//! JSON Schema is generated from these types, and the reader in [`crate::load`] checks files against that very
//! schema before it fills the types, so that editors and the reader cannot disagree. One private keyword carries
//! what JSON Schema cannot say, and is taken out of the published files: `x-check`, the name of a check in
//! [`crate::load`] that replaces `pattern` there and explains itself better.

pub(crate) mod advisory;
pub(crate) mod catalog;
pub(crate) mod cluster;
pub(crate) mod config;
pub(crate) mod knowledge;
pub(crate) mod observation;
pub(crate) mod rollout;
mod schemas;
pub(crate) mod text;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use self::schemas::{CHECK, checked_schema};
pub use self::schemas::{json_schema_text, json_schemas};
use crate::id::ClusterName;

/// The version of the language.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) enum ApiVersion {
    #[serde(rename = "dataminer.gitops/v1")]
    V1,
}

/// What a cluster or an observation of it is called.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Metadata {
    /// The cluster's name: a DNS label, unique in the repository.
    pub(crate) name: ClusterName,
    /// Free labels, by which clusters are selected.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<String, String>,
    /// Free notes for people and tools; not read by the reconciler.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

/// What a document is called that is neither a cluster nor seen of one.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NamedMetadata {
    /// The name: a DNS label, unique among the documents of its kind in the repository.
    pub(crate) name: text::Label,
    /// Free labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<String, String>,
    /// Free notes for people and tools; not read by the reconciler.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

/// A kind of document, as the reader tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Cluster,
    Profile,
    PackageCatalog,
    Rollout,
    Advisory,
    Observation,
    ReconcilerConfig,
    ReleaseKnowledge,
}

impl Kind {
    pub(crate) const ALL: [Self; 8] = [
        Self::Cluster,
        Self::Profile,
        Self::PackageCatalog,
        Self::Rollout,
        Self::Advisory,
        Self::Observation,
        Self::ReconcilerConfig,
        Self::ReleaseKnowledge,
    ];

    /// The kinds of a fleet repository.
    pub(crate) const FLEET: [Self; 5] =
        [Self::Cluster, Self::Profile, Self::PackageCatalog, Self::Rollout, Self::Advisory];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cluster => "Cluster",
            Self::Profile => "Profile",
            Self::PackageCatalog => "PackageCatalog",
            Self::Rollout => "Rollout",
            Self::Advisory => "Advisory",
            Self::Observation => "Observation",
            Self::ReconcilerConfig => "ReconcilerConfig",
            Self::ReleaseKnowledge => "ReleaseKnowledge",
        }
    }
}
