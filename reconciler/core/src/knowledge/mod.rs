//! What is known of DataMiner's releases: data of the product, each fact with its source, that users can extend and
//! correct by a folder of ReleaseKnowledge documents.
//!
//! The facts lie in `knowledge/*.yaml` beside this crate's `src`, are compiled in, and go through the same loader as
//! a user's. What the planner needs for every plan (`releases.yaml`, `rules.yaml`) is read at the first use; the rest
//! when the first plan that changes something asks for it.

mod builtin;
mod changes;
mod issues;
mod library;
mod ranges;
mod release_notes;
mod releases;
mod requirements;
mod rules;
mod side_effects;
mod support;

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use dataminer_schema::{
    diagnostic::Diagnostic,
    load::{Known, Located, SourceFile, has_errors, load_knowledge_beside},
    v1::knowledge::{Facts, ReleaseKnowledge},
};

pub use self::{
    changes::ChangesBetween,
    issues::{IssuesBetween, Software, affects},
    ranges::holds,
    rules::Rules,
    side_effects::happens,
    support::Support,
};
use self::{library::Library, releases::Releases};

/// What is known of DataMiner's releases. Cheap to clone.
#[derive(Clone)]
pub struct Knowledge(Arc<Inner>);

struct Inner {
    /// The state of the documentation that the facts were drawn from.
    revision: String,
    releases: Releases,
    rules: Rules,
    /// What the user added, the oldest first: a later one goes before an earlier one.
    own: Vec<Facts>,
    /// Everything else, read when it is asked for.
    library: OnceLock<Library>,
}

impl Knowledge {
    /// What this release of the program carries.
    pub fn built_in() -> &'static Self {
        static BUILT_IN: OnceLock<Knowledge> = OnceLock::new();
        BUILT_IN.get_or_init(|| {
            let facts = builtin::planning();
            let mut rules = dataminer_schema::v1::knowledge::RuleSet::default();
            let mut releases = Releases::default();
            let mut revision = String::new();
            for facts in facts {
                releases.overlay(facts);
                rules::merge(&mut rules, &facts.rules);
                revision = facts.revision.clone().unwrap_or(revision);
            }
            let rules = Rules::complete(rules).expect("rules.yaml holds every rule, as a test proves");
            Self::new(revision, releases, rules, Vec::new())
        })
    }

    fn new(revision: String, releases: Releases, rules: Rules, own: Vec<Facts>) -> Self {
        Self(Arc::new(Inner { revision, releases, rules, own, library: OnceLock::new() }))
    }

    /// This knowledge with the documents of `files` before it: what they say again, by id, they correct.
    ///
    /// # Errors
    /// What is wrong with the files, with places; then none of it is taken.
    pub fn extended(&self, files: &[SourceFile]) -> Result<Self, Vec<Diagnostic>> {
        let (documents, diagnostics) = load_knowledge_beside(files, &self.known());
        if has_errors(&diagnostics) {
            return Err(diagnostics);
        }
        Ok(self.with(documents.into_iter().map(|Located { value, .. }| value)))
    }

    fn with(&self, documents: impl Iterator<Item = ReleaseKnowledge>) -> Self {
        let Inner { revision, releases, rules, own, library: _ } = &*self.0;
        let (mut revision, mut releases) = (revision.clone(), releases.clone());
        let (mut rules, mut own) = (rules.clone(), own.clone());
        for ReleaseKnowledge { name: _, facts } in documents {
            if let Some(theirs) = &facts.revision {
                revision = format!("{revision}, {theirs}");
            }
            releases.overlay(&facts);
            rules = rules.overlaid(&facts.rules);
            own.push(facts);
        }
        Self::new(revision, releases, rules, own)
    }

    /// What a document that extends this may refer to.
    pub fn known(&self) -> Known {
        let library = self.library();
        Known {
            releases: self.0.releases.core_keys().collect(),
            issues: library.issues.keys().cloned().collect(),
            prerequisites: library.prerequisites.keys().cloned().collect(),
            open: false,
        }
    }

    /// The parameters of the planner's rules.
    pub fn rules(&self) -> &Rules {
        &self.0.rules
    }

    /// The state of the documentation that the facts were drawn from.
    pub fn revision(&self) -> &str {
        &self.0.revision
    }

    /// Whether the user has added anything.
    pub fn is_extended(&self) -> bool {
        !self.0.own.is_empty()
    }

    fn library(&self) -> &Library {
        self.0.library.get_or_init(|| Library::of(builtin::library(), &self.0.own))
    }
}

impl Default for Knowledge {
    /// What this release of the program carries.
    fn default() -> Self {
        Self::built_in().clone()
    }
}

impl PartialEq for Knowledge {
    /// Whether the same is known; how much of it was read already does not matter.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.revision == other.0.revision
                && self.0.releases == other.0.releases
                && self.0.rules == other.0.rules
                && self.0.own == other.0.own)
    }
}

impl Eq for Knowledge {}

impl fmt::Debug for Knowledge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Knowledge")
            .field("revision", &self.0.revision)
            .field("extended", &self.is_extended())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
