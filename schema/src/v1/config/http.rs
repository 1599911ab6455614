//! Where the process listens, and whom it answers.

use std::net::SocketAddr;

use crate::v1::cluster::SecretRef;

/// Where the process listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Pages, API, probes.
    pub listen: SocketAddr,
    /// A second listener for `/metrics`, `/healthz` and `/readyz` alone, on any address.
    pub metrics: Option<SocketAddr>,
    /// Where people reach the page: for links in messages, and for signing in.
    pub url: Option<String>,
    /// Without it, plain HTTP.
    pub tls: Option<Tls>,
    /// Without it, whoever reaches the listener is answered, and it stays on loopback.
    pub auth: Option<HttpAuth>,
}

impl Http {
    /// A plain listener.
    pub fn new(listen: SocketAddr, metrics: Option<SocketAddr>) -> Self {
        Self { listen, metrics, url: None, tls: None, auth: None }
    }
}

/// The certificate of the listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// A PEM file: the certificate, and those between it and its authority. Read again when it changes.
    pub certificate: String,
    /// Its private key, PEM.
    pub key: SecretRef,
    /// A PEM file of authorities: only clients with a certificate of one of them are answered.
    pub client_ca: Option<String>,
}

/// Who is answered; at least one of the ways is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAuth {
    /// Tokens of programs.
    pub tokens: Option<SecretRef>,
    /// People, who sign in elsewhere.
    pub oidc: Option<Oidc>,
}

/// An OpenID Connect provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oidc {
    /// Its issuer; its description is read from `/.well-known/openid-configuration` below it.
    pub issuer: String,
    /// This process, as the provider knows it.
    pub client_id: String,
    /// Absent for a public client, which proves itself by PKCE alone.
    pub client_secret: Option<SecretRef>,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// The claim that holds the groups of a person.
    pub groups_claim: String,
    /// Which groups may do what.
    pub roles: Roles,
}

/// Which groups of people may do what; each role includes those before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// Read everything.
    pub viewer: Vec<String>,
    /// Approve, retry, suspend, freeze.
    pub operator: Vec<String>,
    /// Override windows, take over, restore.
    pub admin: Vec<String>,
}
