//! What the process calls: hooks around a change, the forge, and whoever wants to be told.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::v1::cluster::SecretRef;

/// What a hook of a manifest runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hook {
    /// A request; an answer of 2xx is success.
    Https(Request),
    /// A program of this machine and its arguments; status 0 is success. No shell is between.
    Argv(Vec<String>),
}

/// A request to an address of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `https://…`.
    pub url: String,
    /// By their names.
    pub headers: BTreeMap<String, HeaderValue>,
    /// A PEM file of the authorities that are trusted; `None`: those of the system.
    pub ca: Option<String>,
}

/// The value of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderValue {
    /// As it stands.
    Text(String),
    /// Not to be seen.
    Secret(SecretRef),
}

/// Where pull requests are commented, and commits get their status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forge {
    /// Which API it has.
    pub provider: ForgeProvider,
    /// Its address; `None`: the public one of the provider.
    pub url: Option<String>,
    /// `owner/name`; for Azure DevOps `organization/project/repository`.
    pub repository: String,
    /// The source that it holds; `None`: the only one.
    pub source: Option<String>,
    /// What proves this process there.
    pub token: SecretRef,
    /// Whether plans are written under pull requests.
    pub comments: bool,
    /// Whether commits get a status.
    pub statuses: bool,
    /// A PEM file of the authorities that are trusted; `None`: those of the system.
    pub ca: Option<String>,
}

/// Which API a forge has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ForgeProvider {
    /// github.com, or GitHub Enterprise Server.
    GitHub,
    /// gitlab.com, or one's own.
    GitLab,
    /// Gitea or Forgejo, which are always one's own.
    Gitea,
    /// Azure DevOps Services, or Server.
    AzureDevOps,
}

/// Somebody who wants to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// For messages; unique.
    pub name: String,
    /// How they are reached.
    pub to: Recipient,
    /// About what; never empty.
    pub events: Vec<NotificationEvent>,
    /// Cluster names (`*` allowed).
    pub clusters: Vec<String>,
    /// How often what lasts is told again; `None`: once.
    pub remind_every: Option<SignedDuration>,
}

/// How somebody is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// A JSON document.
    Webhook {
        /// Where it is posted.
        request: Request,
        /// What its HMAC-SHA256 in `X-Signature: sha256=…` is made with.
        secret: Option<SecretRef>,
    },
    /// An incoming webhook of Slack; whoever knows its URL can write there.
    Slack(SecretRef),
    /// A workflow of Microsoft Teams; whoever knows its URL can write there.
    Teams(SecretRef),
    /// Mail.
    Email(Email),
}

/// Mail over SMTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// Host name or IP address.
    pub host: String,
    /// The port; `None`: the usual one of `tls`.
    pub port: Option<u16>,
    /// How the connection is secured.
    pub tls: SmtpTls,
    /// The sender.
    pub from: String,
    /// Never empty.
    pub to: Vec<String>,
    /// The account and its password.
    pub login: Option<(String, SecretRef)>,
}

/// How a connection to a mail server is secured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SmtpTls {
    /// By STARTTLS, without which nothing is sent; port 587.
    #[default]
    StartTls,
    /// From the first byte on; port 465.
    Implicit,
    /// Not at all: for a relay on this machine; port 25.
    None,
}

/// What somebody is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum NotificationEvent {
    /// A commit has errors and was set aside; the one before it stays in force.
    CommitBroken,
    /// The repository cannot be read, or its history was rewritten.
    SourceFailed,
    /// A plan cannot be carried out; a person or a commit must act.
    Blocked,
    /// A plan waits for an operator's word.
    ApprovalNeeded,
    /// The go or no-go report before a window.
    Preflight,
    /// A change of a cluster began.
    Started,
    /// A cluster is what it should be, after a change.
    Succeeded,
    /// A step failed; the cluster is left alone until a person or a commit acts.
    Failed,
    /// An Agent does not answer any more, or answers again.
    AgentUnreachable,
    /// An operator overrode, took over, froze or approved something.
    OperatorRequest,
}

impl NotificationEvent {
    /// Every one.
    pub const ALL: [Self; 10] = [
        Self::CommitBroken,
        Self::SourceFailed,
        Self::Blocked,
        Self::ApprovalNeeded,
        Self::Preflight,
        Self::Started,
        Self::Succeeded,
        Self::Failed,
        Self::AgentUnreachable,
        Self::OperatorRequest,
    ];
}
