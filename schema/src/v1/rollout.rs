//! The Rollout: in which order clusters follow a change.

use std::collections::BTreeMap;

use jiff::SignedDuration;

/// A Rollout after parsing: its clusters go wave by wave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// Unique in the repository.
    pub name: String,
    /// The clusters that it holds back.
    pub selector: Selector,
    /// In their order; at least one. A cluster belongs to the first wave that selects it, and to the last one if none
    /// does.
    pub waves: Vec<Wave>,
}

/// Clusters that go at the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wave {
    /// Unique in the Rollout.
    pub name: String,
    /// Of the Rollout's clusters, those of this wave.
    pub selector: Selector,
    /// How long all of the wave must have been converged before the next one begins.
    pub soak: SignedDuration,
    /// How many of the wave may change at a time; at least one.
    pub max_concurrent: u32,
    /// How many of the wave may fail before the Rollout stops.
    pub max_failures: u32,
}

/// Clusters by their labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// Labels that all must be there with these values; none selects every cluster.
    pub match_labels: BTreeMap<String, String>,
}

impl Selector {
    /// Whether a cluster with these labels is selected.
    pub fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        self.match_labels.iter().all(|(name, value)| labels.get(name) == Some(value))
    }
}
