//! The Rollout document.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ApiVersion, NamedMetadata,
    text::{Label, Span},
};
use crate::v1::rollout;

/// In which order clusters follow a change: wave by wave.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "Rollout")]
pub(crate) struct RolloutDocument {
    /// The version of the language.
    api_version: ApiVersion,
    /// Says that this document is a Rollout.
    kind: RolloutKind,
    /// What the Rollout is called.
    metadata: NamedMetadata,
    /// The waves.
    spec: RolloutSpec,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
enum RolloutKind {
    Rollout,
}

/// The waves of a Rollout.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RolloutSpec {
    /// The clusters that this Rollout holds back.
    selector: Selector,
    /// The waves, in their order. A cluster belongs to the first wave that selects it, and to the last one if none does.
    #[schemars(length(min = 1))]
    waves: Vec<Wave>,
}

/// Clusters that go at the same time.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wave {
    /// The wave's name, unique in the Rollout.
    name: Label,
    /// Which of the Rollout's clusters belong to the wave.
    #[serde(default)]
    selector: Selector,
    /// How long all of the wave must have been converged before the next one begins.
    #[serde(default = "one_day")]
    soak: Span,
    /// How many of the wave may change at a time.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    max_concurrent: u32,
    /// How many of the wave may fail before the Rollout stops.
    #[serde(default)]
    max_failures: u32,
}

fn one_day() -> Span {
    Span(SignedDuration::from_hours(24))
}

fn one() -> u32 {
    1
}

/// Clusters by their labels.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Selector {
    /// Labels that all must be there with these values; none selects every cluster.
    #[serde(default)]
    match_labels: BTreeMap<String, String>,
}

impl From<RolloutDocument> for rollout::Rollout {
    fn from(document: RolloutDocument) -> Self {
        let RolloutDocument {
            api_version: ApiVersion::V1,
            kind: RolloutKind::Rollout,
            metadata: NamedMetadata { name: Label(name), labels: _, annotations: _ },
            spec: RolloutSpec { selector, waves },
        } = document;
        Self { name, selector: selector.into(), waves: waves.into_iter().map(Into::into).collect() }
    }
}

impl From<Wave> for rollout::Wave {
    fn from(wave: Wave) -> Self {
        let Wave { name: Label(name), selector, soak: Span(soak), max_concurrent, max_failures } = wave;
        Self { name, selector: selector.into(), soak, max_concurrent, max_failures }
    }
}

impl From<Selector> for rollout::Selector {
    fn from(Selector { match_labels }: Selector) -> Self {
        Self { match_labels }
    }
}
