//! The ReconcilerConfig document.

use std::net::{Ipv4Addr, SocketAddr};

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ApiVersion,
    text::{
        Commit, EnvName, FolderUrl, GitUrl, HostKey, Label, Line, RepositoryPath, Socket, Span, StoreUrl,
    },
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
#[schemars(extend("x-notYet" = ["hooks", "forge", "notifications"]))]
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
    /// What is known of DataMiner's releases, beyond what the program knows by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    knowledge: Option<KnowledgePlace>,
    /// The pace of the loop.
    #[serde(default)]
    r#loop: Loop,
    /// Where the process listens.
    #[serde(default)]
    http: Http,
}

/// A git repository of manifests.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Source {
    /// A name for messages, unique among the sources.
    name: Label,
    /// Where the repository is.
    url: GitUrl,
    /// The branch that is followed.
    #[serde(default = "main_branch")]
    branch: Line,
    /// The folder below which manifests are read; empty for the whole repository.
    #[serde(default = "whole_repository")]
    path: RepositoryPath,
    /// How often to look for a new commit.
    #[serde(default = "one_minute")]
    interval: Span,
    /// Pinned SSH host keys of the git server.
    #[serde(default)]
    host_keys: Vec<HostKey>,
    /// How to sign in to the git server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    auth: Option<Auth>,
    /// A commit of a rewritten history that was looked at: from it on the branch is followed again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acknowledge_rewrite: Option<Commit>,
    /// Whether commits must be signed.
    #[serde(default)]
    verify: Verify,
}

/// How to sign in to a git server.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-notYet" = ["token"]))]
struct Auth {
    /// For ssh: where the private key is, a file or an environment variable of the process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity: Option<SecretRef>,
    /// What opens the private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    passphrase: Option<SecretRef>,
    /// Whom to sign in as; for ssh the URL can name it too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<Line>,
    /// For https: where the password or token is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<SecretRef>,
}

/// Whether commits must be signed.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Verify {
    /// Signatures are not checked.
    #[serde(default)]
    mode: VerifyMode,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-notYet" = ["Head", "All", "Signed"]))]
enum VerifyMode {
    #[default]
    None,
}

fn main_branch() -> Line {
    Line("main".to_owned())
}

fn whole_repository() -> RepositoryPath {
    RepositoryPath(String::new())
}

fn one_minute() -> Span {
    Span(SignedDuration::from_secs(60))
}

/// A place where package files are found by name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-notYet" = ["auth"]))]
struct PackagePlace {
    /// A name for messages, unique among the places.
    name: Label,
    /// The folder, `file:///…`.
    url: FolderUrl,
}

/// Where release knowledge of the user's own is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct KnowledgePlace {
    /// A folder of ReleaseKnowledge documents, or one file; relative to this file.
    path: Line,
}

/// Where the process keeps its own state.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Store {
    /// A SQLite file, `sqlite:///…`.
    url: StoreUrl,
}

impl Default for Store {
    fn default() -> Self {
        Self { url: StoreUrl("sqlite:///var/lib/dataminer-reconciler/state.db".to_owned()) }
    }
}

/// Where content backups are kept.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Vault {
    /// A folder, `file:///…`.
    url: FolderUrl,
    /// How much is kept.
    keep: Keep,
}

impl Default for Vault {
    fn default() -> Self {
        Self {
            url: FolderUrl("file:///var/lib/dataminer-reconciler/vault".to_owned()),
            keep: Keep::default(),
        }
    }
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

/// Where the process listens.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(extend("x-notYet" = ["tls", "auth"]))]
struct Http {
    /// API, probes and metrics. Only a loopback address is served yet: there is no authentication.
    listen: Socket,
    /// A second listener that serves only `/metrics`, `/healthz` and `/readyz`, and so may have any address: whoever
    /// reaches it reads the names and versions of clusters. Without it they are on `listen` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<Socket>,
}

impl Default for Http {
    fn default() -> Self {
        Self { listen: Socket(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))), metrics: None }
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
            store: Store { url: StoreUrl(store) },
            vault: Vault { url: FolderUrl(vault), keep: Keep { per_content, days } },
            secrets,
            knowledge,
            r#loop: Loop { observe: Span(observe), concurrency },
            http: Http { listen: Socket(listen), metrics },
        } = spec;
        Self {
            installation,
            sources: sources.into_iter().map(Into::into).collect(),
            packages: packages.into_iter().map(Into::into).collect(),
            store: config::Store { url: store },
            vault: config::Vault { url: vault, keep: config::Keep { per_content, days } },
            secrets: secrets.into_iter().map(Into::into).collect(),
            knowledge: knowledge.map(|KnowledgePlace { path: Line(path) }| config::KnowledgePlace { path }),
            r#loop: config::Loop { observe, concurrency },
            http: config::Http { listen, metrics: metrics.map(|Socket(metrics)| metrics) },
        }
    }
}

impl From<Source> for config::Source {
    fn from(source: Source) -> Self {
        let Source {
            name: Label(name),
            url: GitUrl(url),
            branch: Line(branch),
            path: RepositoryPath(path),
            interval: Span(interval),
            host_keys,
            auth,
            acknowledge_rewrite,
            verify: Verify { mode: VerifyMode::None },
        } = source;
        Self {
            name,
            url,
            branch,
            path: path.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/"),
            interval,
            host_keys: host_keys.into_iter().map(|HostKey(key)| key).collect(),
            auth: auth.map(|Auth { identity, passphrase, user, password }| config::SourceAuth {
                identity,
                passphrase,
                user: user.map(|Line(user)| user),
                password,
            }),
            acknowledge_rewrite: acknowledge_rewrite.map(|Commit(commit)| commit),
        }
    }
}

impl From<PackagePlace> for config::PackagePlace {
    fn from(PackagePlace { name: Label(name), url: FolderUrl(url) }: PackagePlace) -> Self {
        Self { name, url }
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
