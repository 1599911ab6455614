//! The Agents of a cluster.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Ssh;
use crate::id::AgentName;

/// One Agent of the DMS, with its Failover partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// The Agent itself: of a pair, the main one.
    pub member: Member,
    /// What the server is.
    pub kind: AgentKind,
    /// The other member of the pair.
    pub failover: Option<Member>,
}

/// A server that SSH reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Unique in the cluster.
    pub name: AgentName,
    /// Host name or IP address, as SSH reaches it.
    pub host: String,
    /// The port of SSH.
    pub port: u16,
    /// Pinned host keys, `SHA256:…`; at least one is needed before anything connects.
    pub host_keys: Vec<String>,
    /// What overrides the cluster's `connection.ssh` for this Agent.
    pub ssh: Option<Ssh>,
}

/// What a server of the DMS is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum AgentKind {
    /// A DataMiner Agent.
    #[default]
    #[serde(rename = "DMA")]
    Agent,
    /// A DataMiner Probe: upgraded along; one that is not ready is a warning.
    #[serde(rename = "DMP")]
    Probe,
}
