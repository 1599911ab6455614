//! The Profile: a part of a Cluster's spec that several clusters share.

/// A Profile after parsing. What it gives is merged into the Clusters that name it: Cluster before Profile before the
/// built-in default, field by field; lists and alternatives are taken as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Unique in the repository.
    pub name: String,
    /// The fields that it gives, as `spec.upgrade.stageAhead`, in alphabetical order.
    pub gives: Vec<String>,
}
