//! What can go wrong between us and a repository; every case is told apart, because each has another cure.

use std::{path::PathBuf, time::Duration};

use dataminer_schema::id::CommitId;

/// Why a source gave no new snapshot. The last good commit stays in force through all of these.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("the source URL `{url}` cannot be used: {problem}")]
    Url { url: String, problem: String, help: String },
    #[error("opening the repository {path}: {cause}")]
    NotARepository { path: PathBuf, cause: String },
    #[error("the repository {path} belongs to another user of this machine")]
    ForeignOwner { path: PathBuf },
    #[error("fetching from {url}: {cause}")]
    Unreachable { url: String, cause: String },
    #[error("fetching from {url}: no answer within {} s", .after.as_secs())]
    TimedOut { url: String, after: Duration },
    #[error("fetching from {url}: {hung} earlier attempts still hang")]
    Hanging { url: String, hung: usize },
    #[error("fetching from {url}: the server refused our credentials: {cause}")]
    Unauthorized { url: String, cause: String },
    #[error("fetching from {url}: reading {secret}: {cause}")]
    Secret { url: String, secret: String, cause: String },
    #[error("fetching from {url}: the server shows the host key {fingerprint}, which is not pinned")]
    HostKey { url: String, fingerprint: String, pinned: usize },
    #[error("{url} has no {reference}")]
    ReferenceMissing { url: String, reference: String, present: Vec<String> },
    #[error("the repository around {path} has no commit `{name}`")]
    RevisionMissing { path: String, name: String },
    #[error("commit {commit} of {url} has no folder `{path}`")]
    PathMissing { url: String, commit: CommitId, path: String, present: Vec<String> },
    #[error("the history of {reference} was rewritten: {to} does not follow {from}")]
    Rewritten { reference: String, from: CommitId, to: CommitId },
    #[error("reading {what} of {url}: {cause}")]
    Object { url: String, what: String, cause: String },
    #[error("keeping the source's state in {path}: {cause}")]
    State { path: PathBuf, cause: std::io::Error },
}

impl SourceError {
    /// The stable code of the case; a label of metrics and the reason in the status.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Url { .. } => "SourceUrlInvalid",
            Self::NotARepository { .. } => "NotARepository",
            Self::ForeignOwner { .. } => "RepositoryOwner",
            Self::Unreachable { .. } => "SourceUnreachable",
            Self::TimedOut { .. } | Self::Hanging { .. } => "SourceTimedOut",
            Self::Unauthorized { .. } => "SourceUnauthorized",
            Self::Secret { .. } => "SourceSecretMissing",
            Self::HostKey { .. } => "SourceHostKeyUnknown",
            Self::ReferenceMissing { .. } => "BranchMissing",
            Self::RevisionMissing { .. } => "RevisionMissing",
            Self::PathMissing { .. } => "PathMissing",
            Self::Rewritten { .. } => "HistoryRewritten",
            Self::Object { .. } => "RepositoryDamaged",
            Self::State { .. } => "SourceStateFailed",
        }
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Url { help, .. } => help.clone(),
            Self::NotARepository { .. } => {
                "name the folder that holds `.git`, or a bare repository, in the source's `url`".to_owned()
            }
            Self::ForeignOwner { path } => format!(
                "run as the owner of the repository, or trust it: git config --global --add safe.directory {}",
                path.display()
            ),
            Self::Unreachable { .. } => {
                "check name, port and network; the last good commit stays in force, the next poll tries again"
                    .to_owned()
            }
            Self::TimedOut { .. } => {
                "check the network and the server's load; the next poll tries again".to_owned()
            }
            Self::Hanging { .. } => {
                "the server accepts connections and never answers: check it, then restart this process".to_owned()
            }
            Self::Unauthorized { .. } => {
                "check the source's `auth`: a deploy key with read access, or user and token for https".to_owned()
            }
            Self::Secret { .. } => {
                "provide the file or environment variable that the source's `auth` names".to_owned()
            }
            Self::HostKey { fingerprint, pinned, .. } => format!(
                "compare the fingerprint with the server's own (ssh-keyscan HOST | ssh-keygen -lf -); if it is right, \
                 write `hostKeys: [\"{fingerprint}\"]` in the source{}",
                if *pinned == 0 { "" } else { " in place of the old one" }
            ),
            Self::ReferenceMissing { present, .. } => listed("correct the source's `branch`", present),
            Self::RevisionMissing { .. } => {
                "name a branch, a tag or a commit that is here; in a build, fetch the whole history (fetch-depth 0)"
                    .to_owned()
            }
            Self::PathMissing { present, .. } => listed("correct the source's `path`", present),
            Self::Rewritten { to, .. } => format!(
                "find out who rewrote the branch and why; to go on from the new history, write \
                 `acknowledgeRewrite: {to}` in the source"
            ),
            Self::Object { .. } => {
                "check the repository with `git fsck`; a clone of ours in the state folder may be removed, it is \
                 made again"
                    .to_owned()
            }
            Self::State { .. } => "make the folder writable for this process and check its disk".to_owned(),
        }
    }
}

fn listed(advice: &str, present: &[String]) -> String {
    if present.is_empty() {
        return format!("{advice}; nothing is there yet");
    }
    let more = if present.len() > 10 { ", …" } else { "" };
    format!("{advice}; present: {}{more}", present.iter().take(10).cloned().collect::<Vec<_>>().join(", "))
}
