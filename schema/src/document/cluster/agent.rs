//! The Agents of a Cluster document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::connection::Ssh;
use crate::{
    document::text::{Address, HostKey, OneOrMany},
    id::AgentName,
    v1::cluster::{self, AgentKind},
};

/// One Agent of the DMS.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Agent {
    /// The Agent's name, unique in the cluster.
    name: AgentName,
    /// How SSH reaches the Agent; DataMiner's own address is read from DMS.xml.
    address: Address,
    /// The pinned SSH host key, or several. An unknown key is refused and its fingerprint shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    host_key: Option<OneOrMany<HostKey>>,
    /// What the server is: `DMA`, a DataMiner Agent, or `DMP`, a DataMiner Probe, which is upgraded along.
    #[serde(default)]
    kind: AgentKind,
    /// The SSH account of this Agent, where it is not the cluster's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ssh: Option<Ssh>,
    /// The other member of the Failover pair; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failover: Option<Member>,
}

/// The other member of a Failover pair.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Member {
    /// The member's name, unique in the cluster.
    name: AgentName,
    /// How SSH reaches the member.
    address: Address,
    /// The pinned SSH host key, or several. An unknown key is refused and its fingerprint shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    host_key: Option<OneOrMany<HostKey>>,
    /// The SSH account of this member, where it is not the cluster's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ssh: Option<Ssh>,
}

/// The port that SSH listens on by default.
pub(super) const SSH_PORT: u16 = 22;

impl From<Agent> for cluster::Agent {
    fn from(agent: Agent) -> Self {
        let Agent { name, address, host_key, kind, ssh, failover } = agent;
        Self {
            member: Member { name, address, host_key, ssh }.into(),
            kind,
            failover: failover.map(Into::into),
        }
    }
}

impl From<Member> for cluster::Member {
    fn from(member: Member) -> Self {
        let Member { name, address: Address { host, port }, host_key, ssh } = member;
        Self {
            name,
            host,
            port: port.unwrap_or(SSH_PORT),
            host_keys: fingerprints(host_key),
            ssh: ssh.map(Into::into),
        }
    }
}

/// The pinned keys as plain texts; none where the field is absent.
pub(super) fn fingerprints(keys: Option<OneOrMany<HostKey>>) -> Vec<String> {
    keys.map(OneOrMany::into_vec).unwrap_or_default().into_iter().map(|HostKey(key)| key).collect()
}
