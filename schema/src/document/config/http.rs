//! Where the process listens and whom it answers, in a ReconcilerConfig document.

use std::net::{Ipv4Addr, SocketAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    document::text::{HttpsUrl, Line, Socket},
    v1::{cluster::SecretRef, config},
};

/// Where the process listens, and whom it answers.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Http {
    /// API, probes and metrics. An address other than loopback needs `auth`.
    listen: Socket,
    /// A second listener that serves only `/metrics`, `/healthz` and `/readyz`, and so may have any address: whoever
    /// reaches it reads the names and versions of clusters. Without it they are on `listen` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<Socket>,
    /// Where people reach the page, for links in messages and for signing in: `https://reconciler.example`.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<HttpsUrl>,
    /// The certificate of `listen`; without it plain HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<Tls>,
    /// Who is answered on `listen`; without it whoever reaches it, so that it must be a loopback address.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth: Option<Auth>,
}

impl Default for Http {
    fn default() -> Self {
        let listen = Socket(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)));
        Self { listen, metrics: None, url: None, tls: None, auth: None }
    }
}

/// The certificate of a listener.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Tls {
    /// A PEM file: the certificate, and those between it and its authority. It is read again when it changes.
    certificate: Line,
    /// Where its private key is, PEM.
    key: SecretRef,
    /// A PEM file of authorities: only clients with a certificate of one of them are answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_ca: Option<Line>,
}

/// Who is answered: programs by tokens, people by OpenID Connect.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Auth {
    /// Where the tokens of programs are: a line for each with its name, its role (`viewer`, `operator` or `admin`)
    /// and the SHA-256 of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tokens: Option<SecretRef>,
    /// The OpenID Connect provider with which people sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    oidc: Option<Oidc>,
}

/// An OpenID Connect provider.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Oidc {
    /// Its issuer, below which `/.well-known/openid-configuration` is found.
    issuer: HttpsUrl,
    /// This process, as the provider knows it.
    client_id: Line,
    /// Where the secret of the client is; without it a public client, which proves itself by PKCE alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_secret: Option<SecretRef>,
    /// What is asked for beside `openid`.
    #[serde(default = "scopes")]
    scopes: Vec<Line>,
    /// The claim that holds the groups of a person.
    #[serde(default = "groups")]
    groups_claim: Line,
    /// Which groups may do what.
    roles: Roles,
}

/// Which groups may do what; each role includes those before it. Whoever is in none is refused.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Roles {
    /// Groups that may read everything; `*` for whoever signs in.
    viewer: Vec<Line>,
    /// Groups that may approve, retry, suspend and freeze as well.
    operator: Vec<Line>,
    /// Groups that may override windows, take over and restore as well.
    admin: Vec<Line>,
}

fn scopes() -> Vec<Line> {
    vec![Line("profile".to_owned()), Line("email".to_owned())]
}

fn groups() -> Line {
    Line("groups".to_owned())
}

impl From<Http> for config::Http {
    fn from(Http { listen: Socket(listen), metrics, url, tls, auth }: Http) -> Self {
        Self {
            listen,
            metrics: metrics.map(|Socket(metrics)| metrics),
            url: url.map(|HttpsUrl(url)| url),
            tls: tls.map(|Tls { certificate: Line(certificate), key, client_ca }| config::Tls {
                certificate,
                key,
                client_ca: client_ca.map(|Line(file)| file),
            }),
            auth: auth.map(|Auth { tokens, oidc }| config::HttpAuth { tokens, oidc: oidc.map(Into::into) }),
        }
    }
}

impl From<Oidc> for config::Oidc {
    fn from(oidc: Oidc) -> Self {
        let Oidc {
            issuer: HttpsUrl(issuer),
            client_id: Line(client_id),
            client_secret,
            scopes,
            groups_claim: Line(groups_claim),
            roles: Roles { viewer, operator, admin },
        } = oidc;
        let texts = |lines: Vec<Line>| lines.into_iter().map(|Line(text)| text).collect();
        Self {
            issuer,
            client_id,
            client_secret,
            scopes: texts(scopes),
            groups_claim,
            roles: config::Roles { viewer: texts(viewer), operator: texts(operator), admin: texts(admin) },
        }
    }
}
