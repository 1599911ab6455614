//! How the Agents of a Cluster document are reached.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::agent::{SSH_PORT, fingerprints};
use crate::{
    document::text::{Address, HostKey, Line, OneOrMany, WebServicesUrl},
    v1::cluster::{self, Credential, JumpHost, SecretRef},
};

/// How Agents are reached.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Connection {
    /// The SSH account on the Agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ssh: Option<Ssh>,
    /// The jump host through which SSH reaches the Agents; absent where they are reached directly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    via: Option<Via>,
    /// The Web Services API of the Agents, for their state; without it states are read over SSH.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    web_services: Option<WebServices>,
}

/// An SSH account: with a private key or a password.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Ssh {
    Key(KeyAccount),
    Password(PasswordAccount),
}

/// An SSH account with a private key.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct KeyAccount {
    /// The Windows account that SSH signs in as.
    user: Line,
    /// Where the private key is: a file or an environment variable of the process.
    identity: SecretRef,
    /// What opens the private key: a file or an environment variable of the process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    passphrase: Option<SecretRef>,
}

/// An SSH account with a password.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PasswordAccount {
    /// The Windows account that SSH signs in as.
    user: Line,
    /// Where the account's password is: a file or an environment variable of the process.
    password: SecretRef,
}

/// The jump host through which SSH reaches the Agents: with a private key or a password.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Via {
    Key(KeyVia),
    Password(PasswordVia),
}

/// A jump host, signed in to with a private key.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct KeyVia {
    /// How SSH reaches the jump host.
    address: Address,
    /// The pinned SSH host key, or several. An unknown key is refused and its fingerprint shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    host_key: Option<OneOrMany<HostKey>>,
    /// The account on the jump host.
    user: Line,
    /// Where the private key is: a file or an environment variable of the process.
    identity: SecretRef,
    /// What opens the private key: a file or an environment variable of the process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    passphrase: Option<SecretRef>,
}

/// A jump host, signed in to with a password.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PasswordVia {
    /// How SSH reaches the jump host.
    address: Address,
    /// The pinned SSH host key, or several. An unknown key is refused and its fingerprint shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    host_key: Option<OneOrMany<HostKey>>,
    /// The account on the jump host.
    user: Line,
    /// Where the account's password is: a file or an environment variable of the process.
    password: SecretRef,
}

/// The Web Services API of the Agents.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WebServices {
    /// Where the API is, with `{address}` for the address of the Agent: `https://{address}`.
    #[serde(default = "agent_itself")]
    url: WebServicesUrl,
    /// The DataMiner account that reads states.
    user: Line,
    /// Where the account's password is: a file or an environment variable of the process.
    password: SecretRef,
}

fn agent_itself() -> WebServicesUrl {
    WebServicesUrl("https://{address}".to_owned())
}

impl From<Connection> for cluster::Connection {
    fn from(Connection { ssh, via, web_services }: Connection) -> Self {
        Self {
            ssh: ssh.map(Into::into),
            via: via.map(Into::into),
            web_services: web_services.map(Into::into),
        }
    }
}

impl From<Ssh> for cluster::Ssh {
    fn from(ssh: Ssh) -> Self {
        match ssh {
            Ssh::Key(KeyAccount { user: Line(user), identity, passphrase }) => {
                Self { user, credential: Credential::Key { identity, passphrase } }
            }
            Ssh::Password(PasswordAccount { user: Line(user), password }) => {
                Self { user, credential: Credential::Password(password) }
            }
        }
    }
}

impl From<Via> for JumpHost {
    fn from(via: Via) -> Self {
        let (Address { host, port }, host_key, ssh) = match via {
            Via::Key(KeyVia { address, host_key, user, identity, passphrase }) => {
                (address, host_key, Ssh::Key(KeyAccount { user, identity, passphrase }))
            }
            Via::Password(PasswordVia { address, host_key, user, password }) => {
                (address, host_key, Ssh::Password(PasswordAccount { user, password }))
            }
        };
        Self { host, port: port.unwrap_or(SSH_PORT), host_keys: fingerprints(host_key), ssh: ssh.into() }
    }
}

impl From<WebServices> for cluster::WebServices {
    fn from(WebServices { url: WebServicesUrl(url), user: Line(user), password }: WebServices) -> Self {
        Self { url, user, password }
    }
}
