//! A git repository of manifests, in a ReconcilerConfig document.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    document::text::{Commit, GitUrl, HostKey, Label, Line, RepositoryPath, Span},
    v1::{
        cluster::SecretRef,
        config::{self, VerifyMode, WebhookProvider},
    },
};

/// A git repository of manifests.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Source {
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
    /// Which commits must be signed, and by whom.
    #[serde(default)]
    verify: Verify,
    /// Calls of the forge after a push, at `/hook/` and the name of the source: a new commit is seen at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    webhook: Option<Webhook>,
}

/// How to sign in to a git server.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
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
    /// For https: where the password of `user` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<SecretRef>,
    /// For https: where an access token is. Forges take any `user` beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<SecretRef>,
}

/// Which commits must be signed, and by whom.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Verify {
    /// Which commits must be signed.
    #[serde(default)]
    mode: VerifyMode,
    /// A file of SSH signers that are trusted, as `ssh-keygen -Y verify` reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    allowed_signers: Option<Line>,
    /// Files of armoured OpenPGP public keys that are trusted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    gpg_keys: Vec<Line>,
    /// With `All`: the commit after which signatures are asked for; what lies before it is trusted as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<Commit>,
}

/// Calls of a forge after a push.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Webhook {
    /// Whose calls they are: where the signature is found, and what it is made of.
    provider: WebhookProvider,
    /// What they are signed with; a call without a right signature is refused.
    secret: SecretRef,
    /// For `AzureDevOps`, which signs nothing: the account of basic authentication, with `secret` as its password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<Line>,
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
            verify,
            webhook,
        } = source;
        Self {
            name,
            url,
            branch,
            path: path.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/"),
            interval,
            host_keys: host_keys.into_iter().map(|HostKey(key)| key).collect(),
            auth: auth.map(|Auth { identity, passphrase, user, password, token }| config::SourceAuth {
                identity,
                passphrase,
                user: user.map(|Line(user)| user),
                password,
                token,
            }),
            acknowledge_rewrite: acknowledge_rewrite.map(|Commit(commit)| commit),
            verify: verify.into(),
            webhook: webhook.map(|Webhook { provider, secret, user }| config::Webhook {
                provider,
                secret,
                user: user.map(|Line(user)| user),
            }),
        }
    }
}

impl From<Verify> for config::Verify {
    fn from(Verify { mode, allowed_signers, gpg_keys, since }: Verify) -> Self {
        Self {
            mode,
            allowed_signers: allowed_signers.map(|Line(file)| file),
            gpg_keys: gpg_keys.into_iter().map(|Line(file)| file).collect(),
            since: since.map(|Commit(commit)| commit),
        }
    }
}
