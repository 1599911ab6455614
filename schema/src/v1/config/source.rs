//! The git repositories of manifests: how they are followed, trusted and heard of.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{id::CommitId, v1::cluster::SecretRef};

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
    /// Which commits must be signed, and by whom.
    pub verify: Verify,
    /// Calls of the forge after a push, which replace the waiting of `interval`.
    pub webhook: Option<Webhook>,
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
    /// The password for https.
    pub password: Option<SecretRef>,
    /// The access token for https.
    pub token: Option<SecretRef>,
}

/// Which commits must be signed, and by whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verify {
    /// Which commits must be signed.
    pub mode: VerifyMode,
    /// A file of SSH signers, as `ssh-keygen -Y verify` reads it.
    pub allowed_signers: Option<String>,
    /// Files of armoured public keys of OpenPGP.
    pub gpg_keys: Vec<String>,
    /// With [`VerifyMode::All`]: the commit from which on signatures are asked for.
    pub since: Option<CommitId>,
}

/// Which commits must be signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum VerifyMode {
    /// None; signatures are not looked at.
    #[default]
    None,
    /// The newest one: whoever signs it vouches for what lies below it.
    Head,
    /// Every one since the last that was trusted.
    All,
}

/// Calls of the forge after a push: `POST /hook/NAME`, with the name of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Whose calls they are.
    pub provider: WebhookProvider,
    /// What they are signed with; a call without a right signature is refused.
    pub secret: SecretRef,
    /// Azure DevOps: the account of basic authentication whose password is `secret`.
    pub user: Option<String>,
}

/// Whose webhooks they are: where the signature is found, and what it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum WebhookProvider {
    /// HMAC-SHA256 in `X-Hub-Signature-256`.
    GitHub,
    /// The secret itself in `X-Gitlab-Token`.
    GitLab,
    /// HMAC-SHA256 in `X-Gitea-Signature`; Forgejo too.
    Gitea,
    /// HMAC-SHA256 in `X-Hub-Signature`.
    Bitbucket,
    /// Basic authentication.
    AzureDevOps,
    /// HMAC-SHA256 of the body in `X-Signature: sha256=…`.
    Generic,
}
