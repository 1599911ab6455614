//! Who is told of what, in a ReconcilerConfig document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{all_clusters, call::Request};
use crate::{
    document::text::{Address, EmailAddress, Label, Line, Span},
    v1::{
        cluster::SecretRef,
        config::{self, NotificationEvent, Recipient, SmtpTls},
    },
};

/// Somebody who is told what happens.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Notification {
    /// A name for messages, unique among the notifications.
    name: Label,
    /// How they are reached: `webhook`, `slack`, `teams` or `email`.
    to: To,
    /// What they are told of; without it everything.
    #[serde(default = "all_events")]
    #[schemars(length(min = 1))]
    events: Vec<NotificationEvent>,
    /// The clusters about which they are told, by name; `*` for all.
    #[serde(default = "all_clusters")]
    #[schemars(length(min = 1))]
    clusters: Vec<Line>,
    /// How often they are told again of what lasts, for example `24h`; without it once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remind_every: Option<Span>,
}

fn all_events() -> Vec<NotificationEvent> {
    NotificationEvent::ALL.to_vec()
}

/// How somebody is reached: `webhook`, `slack`, `teams` or `email`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum To {
    /// A JSON document, posted to an address of one's own.
    Webhook(Webhook),
    /// A channel of Slack.
    Slack(Channel),
    /// A channel of Microsoft Teams.
    Teams(Channel),
    /// Mail over SMTP.
    Email(Email),
}

/// A JSON document, posted to an address of one's own.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Webhook {
    /// Where it is posted.
    https: Request,
    /// Where the secret is with which it is signed: HMAC-SHA256 of the body, in the header `X-Signature`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<SecretRef>,
}

/// A channel behind an address that is a secret itself.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Channel {
    /// Where the address of the incoming webhook is: whoever knows it can write there.
    url: SecretRef,
}

/// Mail over SMTP.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Email {
    /// The mail server; without a port the usual one of `tls`.
    server: Address,
    /// How the connection is secured.
    #[serde(default)]
    tls: SmtpTls,
    /// The sender.
    from: EmailAddress,
    /// Who gets it.
    #[schemars(length(min = 1))]
    to: Vec<EmailAddress>,
    /// The account on the server, if it asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<Line>,
    /// Where its password is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<SecretRef>,
}

impl From<Notification> for config::Notification {
    fn from(notification: Notification) -> Self {
        let Notification { name: Label(name), to, events, clusters, remind_every } = notification;
        Self {
            name,
            to: to.into(),
            events,
            clusters: clusters.into_iter().map(|Line(text)| text).collect(),
            remind_every: remind_every.map(|Span(every)| every),
        }
    }
}

impl From<To> for Recipient {
    fn from(to: To) -> Self {
        match to {
            To::Webhook(Webhook { https, secret }) => Self::Webhook { request: https.into(), secret },
            To::Slack(Channel { url }) => Self::Slack(url),
            To::Teams(Channel { url }) => Self::Teams(url),
            To::Email(email) => Self::Email(email.into()),
        }
    }
}

impl From<Email> for config::Email {
    fn from(email: Email) -> Self {
        let Email { server: Address { host, port }, tls, from: EmailAddress(from), to, user, password } =
            email;
        Self {
            host,
            port,
            tls,
            from,
            to: to.into_iter().map(|EmailAddress(address)| address).collect(),
            login: user.map(|Line(user)| user).zip(password),
        }
    }
}
