//! What ways down bring besides the older release.

use dataminer_schema::v1::knowledge::SideEffect;

use super::Knowledge;
use crate::release::Release;

impl Knowledge {
    /// A side effect of downgrades by its id.
    pub fn side_effect(&self, id: &str) -> Option<&SideEffect> {
        self.library().side_effects.get(id)
    }

    /// Every side effect of downgrades, by id.
    pub fn side_effects(&self) -> impl Iterator<Item = &SideEffect> {
        self.library().side_effects.values()
    }
}

/// Whether the way down from one release to another is one on which it happens, without regard to conditions;
/// `None` where an unknown CU decides that.
pub fn happens(effect: &SideEffect, from: &Release, to: &Release) -> Option<bool> {
    let leaves = from.at_least(&effect.from);
    let falls = match &effect.below {
        Some(below) => to.at_least(below).map(|above| !above),
        None => Some(true),
    };
    match (leaves, falls) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}
