//! The Advisory: a known issue that is accepted for some clusters, for a time, for a reason.

use jiff::civil;

use super::rollout::Selector;

/// An Advisory after parsing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advisory {
    /// Unique in the repository.
    pub name: String,
    /// The id of the known issue, `KI_…`.
    pub issue: String,
    /// Whether the issue is accepted; `false` only records it.
    pub accept: bool,
    /// The clusters that it is about.
    pub clusters: Selector,
    /// Why.
    pub reason: String,
    /// The last day, in UTC, on which it counts.
    pub expires: civil::Date,
}

impl Advisory {
    /// Whether it still counts on a day of UTC.
    pub fn counts_on(&self, day: civil::Date) -> bool {
        day <= self.expires
    }
}
