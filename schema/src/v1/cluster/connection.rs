//! How Agents are reached.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::document::text::{EnvName, Line};

/// How Agents are reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// The account, where no Agent has its own.
    pub ssh: Option<Ssh>,
    /// The host through which SSH reaches the Agents.
    pub via: Option<JumpHost>,
    /// The Web Services API, for the state of Agents.
    pub web_services: Option<WebServices>,
}

/// The SSH account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    /// The Windows account.
    pub user: String,
    /// How it proves itself.
    pub credential: Credential,
}

/// How an account proves itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// By a private key.
    Key {
        /// Where the private key is.
        identity: SecretRef,
        /// What opens the private key.
        passphrase: Option<SecretRef>,
    },
    /// By a password.
    Password(SecretRef),
}

/// The host through which SSH reaches the Agents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JumpHost {
    /// Host name or IP address.
    pub host: String,
    /// The port of SSH.
    pub port: u16,
    /// Pinned host keys, `SHA256:…`; at least one is needed before anything connects.
    pub host_keys: Vec<String>,
    /// The account there.
    pub ssh: Ssh,
}

/// The Web Services API of the Agents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebServices {
    /// With `{address}` for the address of the Agent.
    pub url: String,
    /// The DataMiner account.
    pub user: String,
    /// Its password.
    pub password: SecretRef,
}

/// Where a secret is found; manifests never hold its value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SecretRef {
    /// An environment variable of the process.
    Env(#[schemars(with = "EnvName")] String),
    /// A file that the process can read.
    File(#[schemars(with = "Line")] String),
}
