//! The Observation document.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ApiVersion, Metadata, text::Instant};
use crate::v1::observation::{AgentObservation, Observation, TopologyEntry};

/// What the probes returned about one cluster: written by `observe`, read by `plan --observed`. What is unknown is
/// absent.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "Observation")]
pub(crate) struct ObservationDocument {
    /// The version of the language.
    api_version: ApiVersion,
    /// Says that this document is an Observation.
    kind: ObservationKind,
    /// The cluster that was observed.
    metadata: Metadata,
    /// What was seen.
    spec: ObservationSpec,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
enum ObservationKind {
    Observation,
}

/// What was seen of a cluster.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ObservationSpec {
    /// When the probes returned.
    #[schemars(with = "Instant")]
    taken_at: Timestamp,
    /// The Agents that DMS.xml names; absent if no DMS.xml could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    topology: Option<Vec<TopologyEntry>>,
    /// One entry for each Agent of the manifest, Failover partners too.
    agents: Vec<AgentObservation>,
}

impl From<ObservationDocument> for Observation {
    fn from(document: ObservationDocument) -> Self {
        let ObservationDocument {
            api_version: ApiVersion::V1,
            kind: ObservationKind::Observation,
            metadata: Metadata { name: cluster, labels: _, annotations: _ },
            spec: ObservationSpec { taken_at, topology, agents },
        } = document;
        Self { cluster, taken_at, topology, agents }
    }
}

impl From<&Observation> for ObservationDocument {
    fn from(observation: &Observation) -> Self {
        let Observation { cluster, taken_at, topology, agents } = observation.clone();
        Self {
            api_version: ApiVersion::V1,
            kind: ObservationKind::Observation,
            metadata: Metadata { name: cluster, labels: Default::default(), annotations: Default::default() },
            spec: ObservationSpec { taken_at, topology, agents },
        }
    }
}
