//! The ReconcilerConfig document.

mod call;
mod forge;
mod http;
mod notification;
mod place;
mod source;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::{
    call::Hook,
    forge::Forge,
    http::Http,
    notification::Notification,
    place::{PackagePlace, Store, Vault},
    source::Source,
};
use super::{
    ApiVersion,
    text::{EnvName, Label, Line, Span},
};
use crate::v1::{
    cluster::SecretRef,
    config::{self, ReconcilerConfig},
};

/// The process's own file. It is never part of a fleet repository.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "ReconcilerConfig")]
pub(crate) struct ConfigDocument {
    /// The version of the language.
    api_version: ApiVersion,
    /// Says that this document is a ReconcilerConfig.
    kind: ConfigKind,
    /// A name for people; not read by the reconciler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metadata: Option<ConfigMetadata>,
    /// The configuration.
    spec: ConfigSpec,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
enum ConfigKind {
    ReconcilerConfig,
}

/// A name for people; not read by the reconciler.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConfigMetadata {
    /// A name for people; not read by the reconciler.
    name: Label,
}

/// The configuration of one process.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConfigSpec {
    /// Marks what this installation owns on Agents.
    installation: Label,
    /// The git repositories of manifests.
    #[schemars(length(min = 1))]
    sources: Vec<Source>,
    /// Where package files are found by name.
    #[serde(default)]
    packages: Vec<PackagePlace>,
    /// Where the process keeps its own state.
    #[serde(default)]
    store: Store,
    /// Where content backups are kept.
    #[serde(default)]
    vault: Vault,
    /// All secrets that manifests may name, and for whom.
    #[serde(default)]
    secrets: Vec<Grant>,
    /// What manifests may name as hooks, by name: `https` or `argv`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = {"pattern": HOOK_NAME}))]
    hooks: BTreeMap<String, Hook>,
    /// What is known of DataMiner's releases, beyond what the program knows by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    knowledge: Option<KnowledgePlace>,
    /// The pace of the loop.
    #[serde(default)]
    r#loop: Loop,
    /// Where the process listens, and whom it answers.
    #[serde(default)]
    http: Http,
    /// Where pull requests are commented, and commits get their status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    forge: Option<Forge>,
    /// Who is told of what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notifications: Vec<Notification>,
}

/// A [`Label`], as the name of a hook is one.
const HOOK_NAME: &str = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";

/// Where release knowledge of the user's own is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct KnowledgePlace {
    /// A folder of ReleaseKnowledge documents, or one file; relative to this file.
    path: Line,
}

/// How much of the vault is kept.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Keep {
    /// Backups kept of each content level.
    #[schemars(range(min = 1))]
    per_content: u32,
    /// Days that a backup is kept at least.
    #[schemars(range(min = 1))]
    days: u32,
}

impl Default for Keep {
    fn default() -> Self {
        Self { per_content: 3, days: 400 }
    }
}

/// A secret that manifests may name: `env` or `file`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Grant {
    Env(EnvGrant),
    File(FileGrant),
}

/// An environment variable that manifests may name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EnvGrant {
    /// The environment variable.
    #[schemars(with = "EnvName")]
    env: String,
    /// Host names (`*.example`), addresses and ranges (`10.0.0.0/16`) that it may be used for.
    #[schemars(length(min = 1))]
    hosts: Vec<Line>,
    /// The clusters that may name it; `*` for all.
    #[serde(default = "all_clusters")]
    clusters: Vec<Line>,
}

/// A file that manifests may name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FileGrant {
    /// The file.
    file: Line,
    /// Host names (`*.example`), addresses and ranges (`10.0.0.0/16`) that it may be used for.
    #[schemars(length(min = 1))]
    hosts: Vec<Line>,
    /// The clusters that may name it; `*` for all.
    #[serde(default = "all_clusters")]
    clusters: Vec<Line>,
}

fn all_clusters() -> Vec<Line> {
    vec![Line("*".to_owned())]
}

/// The pace of the loop.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Loop {
    /// How often each cluster is observed.
    observe: Span,
    /// How many Agents are talked to at a time.
    #[schemars(range(min = 1, max = 10_000))]
    concurrency: u32,
}

impl Default for Loop {
    fn default() -> Self {
        Self { observe: Span(SignedDuration::from_mins(5)), concurrency: 64 }
    }
}

impl From<ConfigDocument> for ReconcilerConfig {
    fn from(document: ConfigDocument) -> Self {
        let ConfigDocument {
            api_version: ApiVersion::V1,
            kind: ConfigKind::ReconcilerConfig,
            metadata: _,
            spec,
        } = document;
        let ConfigSpec {
            installation: Label(installation),
            sources,
            packages,
            store,
            vault,
            secrets,
            hooks,
            knowledge,
            r#loop: Loop { observe: Span(observe), concurrency },
            http,
            forge,
            notifications,
        } = spec;
        Self {
            installation,
            sources: sources.into_iter().map(Into::into).collect(),
            packages: packages.into_iter().map(Into::into).collect(),
            store: store.into(),
            vault: vault.into(),
            secrets: secrets.into_iter().map(Into::into).collect(),
            hooks: hooks.into_iter().map(|(name, hook)| (name, hook.into())).collect(),
            knowledge: knowledge.map(|KnowledgePlace { path: Line(path) }| config::KnowledgePlace { path }),
            r#loop: config::Loop { observe, concurrency },
            http: http.into(),
            forge: forge.map(Into::into),
            notifications: notifications.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Grant> for config::SecretGrant {
    fn from(grant: Grant) -> Self {
        let lines = |lines: Vec<Line>| lines.into_iter().map(|Line(text)| text).collect();
        match grant {
            Grant::Env(EnvGrant { env, hosts, clusters }) => {
                Self { secret: SecretRef::Env(env), hosts: lines(hosts), clusters: lines(clusters) }
            }
            Grant::File(FileGrant { file: Line(file), hosts, clusters }) => {
                Self { secret: SecretRef::File(file), hosts: lines(hosts), clusters: lines(clusters) }
            }
        }
    }
}
