//! Breaking changes: which a way brings, and which it takes back.

use dataminer_schema::v1::knowledge::BreakingChange;

use super::Knowledge;
use crate::release::Release;

/// What a way from one release to another means for breaking changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangesBetween<'k> {
    /// Those that it brings.
    pub brought: Vec<&'k BreakingChange>,
    /// Those that it takes back: it leads down.
    pub undone: Vec<&'k BreakingChange>,
    /// Those where an unknown CU decides.
    pub unknown: Vec<&'k BreakingChange>,
}

impl Knowledge {
    /// A breaking change by its id.
    pub fn breaking_change(&self, id: &str) -> Option<&BreakingChange> {
        self.library().changes.get(id)
    }

    /// Every breaking change, by id.
    pub fn breaking_changes(&self) -> impl Iterator<Item = &BreakingChange> {
        self.library().changes.values()
    }

    /// The breaking changes between two releases (`domain/07`, head). What comes with a component of its own version
    /// is left out.
    pub fn breaking_changes_between(&self, from: &Release, to: &Release) -> ChangesBetween<'_> {
        let mut between = ChangesBetween::default();
        for change in self.breaking_changes() {
            let Some(introduced) = &change.introduced else { continue };
            match (from.at_least(introduced), to.at_least(introduced)) {
                (Some(false), Some(true)) => between.brought.push(change),
                (Some(true), Some(false)) => between.undone.push(change),
                (Some(false), Some(false)) | (Some(true), Some(true)) => {}
                (None, _) | (_, None) => between.unknown.push(change),
            }
        }
        between
    }
}
