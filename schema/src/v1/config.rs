//! The ReconcilerConfig: the process's own file. It is never part of a fleet repository.

use std::net::SocketAddr;

use jiff::SignedDuration;

use crate::{id::CommitId, v1::cluster::SecretRef};

/// The configuration of one process, with every default filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReconcilerConfig {
    /// Marks what this installation owns on Agents.
    pub installation: String,
    /// The repositories, at least one; names are unique.
    pub sources: Vec<Source>,
    /// The places where packages are looked up; names are unique.
    pub packages: Vec<PackagePlace>,
    /// The process's own state.
    pub store: Store,
    /// Content backups.
    pub vault: Vault,
    /// All secrets that manifests may name, and for whom.
    pub secrets: Vec<SecretGrant>,
    /// Release knowledge of the user's own; without it the program's alone is used.
    pub knowledge: Option<KnowledgePlace>,
    /// The pace of the loop.
    pub r#loop: Loop,
    /// Where the process listens.
    pub http: Http,
}

/// A git repository of manifests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// For messages.
    pub name: String,
    /// `ssh://…`, `https://…`, `file:///…`, `user@host:path` or a local path.
    pub url: String,
    /// The branch that is followed.
    pub branch: String,
    /// The folder below which manifests are read; empty for the whole repository.
    pub path: String,
    /// How often to look for a new commit.
    pub interval: SignedDuration,
    /// Pinned SSH host keys of the git server, `SHA256:…`.
    pub host_keys: Vec<String>,
    /// Without it, what git itself would do without asking.
    pub auth: Option<SourceAuth>,
    /// A commit of a rewritten history that was looked at: from it on the branch is followed again.
    pub acknowledge_rewrite: Option<CommitId>,
}

/// How to sign in to a git server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceAuth {
    /// The private key for SSH.
    pub identity: Option<SecretRef>,
    /// What opens the private key.
    pub passphrase: Option<SecretRef>,
    /// Whom to sign in as; for SSH the URL can name it too.
    pub user: Option<String>,
    /// The password or token for https.
    pub password: Option<SecretRef>,
}

/// A place where package files are found by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackagePlace {
    /// For messages.
    pub name: String,
    /// `file:///…`.
    pub url: String,
}

/// Where release knowledge of the user's own is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnowledgePlace {
    /// A folder of ReleaseKnowledge documents, or one file; relative to the configuration.
    pub path: String,
}

/// Where the process keeps its own state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// `sqlite:///…`.
    pub url: String,
}

/// Where content backups are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vault {
    /// `file:///…`.
    pub url: String,
    /// How much is kept.
    pub keep: Keep,
}

/// How much of the vault is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Backups kept of each content level.
    pub per_content: u32,
    /// Days that a backup is kept at least.
    pub days: u32,
}

/// A secret that manifests may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretGrant {
    /// Where the secret is.
    pub secret: SecretRef,
    /// Host names (`*` allowed as a label), addresses and CIDR ranges that it may be used for.
    pub hosts: Vec<String>,
    /// Cluster names (`*` allowed) that may name it.
    pub clusters: Vec<String>,
}

/// The pace of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loop {
    /// How often each cluster is observed.
    pub observe: SignedDuration,
    /// How many Agents are talked to at a time.
    pub concurrency: u32,
}

/// Where the process listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Http {
    /// Pages, API, probes.
    pub listen: SocketAddr,
    /// A second listener for `/metrics`, `/healthz` and `/readyz` alone, on any address.
    pub metrics: Option<SocketAddr>,
}
