//! What the documents of one layer say, and where: nothing twice, and no reference to nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::Known;
use crate::{
    diagnostic::{Code, Diagnostic},
    load::{check::quoted, source::Place},
    v1::knowledge::ReleaseKind,
    version::Line,
};

/// What a fact is about: two of the same would contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Document(String),
    Release(ReleaseKind, Line, u16),
    Build(Line, i64),
    Support(Line),
    Rule(String),
    Prerequisite(String),
    Disk,
    KnownIssue(String),
    BreakingChange(String),
    SideEffect(String),
}

impl Key {
    fn describe(&self) -> String {
        match self {
            Self::Document(name) => format!("the document {}", quoted(name)),
            Self::Release(kind, line, cu) => format!("the release {line} CU{cu} ({kind:?})"),
            Self::Build(line, build) => format!("the build {build} of {line}"),
            Self::Support(line) => format!("the support of {line}"),
            Self::Rule(rule) => format!("the rule {}", quoted(rule)),
            Self::Prerequisite(id) => format!("the prerequisite {}", quoted(id)),
            Self::Disk => "the free space of disks".to_owned(),
            Self::KnownIssue(id) => format!("the known issue {}", quoted(id)),
            Self::BreakingChange(id) => format!("the breaking change {}", quoted(id)),
            Self::SideEffect(id) => format!("the side effect {}", quoted(id)),
        }
    }
}

/// What a fact refers to.
#[derive(Clone, Debug)]
pub(super) enum Reference {
    Release(Line, u16),
    KnownIssue(String),
    Prerequisite(String),
}

/// Everything that was said, gathered also from documents with faults.
#[derive(Default)]
pub(super) struct Said {
    facts: Vec<(Key, Place)>,
    references: Vec<(Reference, Place)>,
}

impl Said {
    pub(super) fn fact(&mut self, key: Key, place: Place) {
        self.facts.push((key, place));
    }

    pub(super) fn reference(&mut self, reference: Reference, place: Place) {
        self.references.push((reference, place));
    }

    /// What is said twice, at the later place, and references to nothing.
    pub(super) fn judge(self, known: &Known) -> Vec<(Place, Diagnostic)> {
        let mut found = Vec::new();
        let mut first: BTreeMap<Key, Place> = BTreeMap::new();
        for (key, place) in self.facts {
            if let Some(before) = first.get(&key) {
                let message = format!("{} stands twice", key.describe());
                let help = format!("keep one; the first is at {before}");
                let diagnostic = place.error(Code::DuplicateFact, message, Some(help));
                found.push((place, diagnostic));
            } else {
                first.insert(key, place);
            }
        }
        if known.open {
            return found;
        }
        for (reference, place) in self.references {
            if let Some((code, message, help)) = missing(&reference, &first, known) {
                let diagnostic = place.error(code, message, Some(help));
                found.push((place, diagnostic));
            }
        }
        found
    }
}

fn missing(
    reference: &Reference,
    said: &BTreeMap<Key, Place>,
    known: &Known,
) -> Option<(Code, String, String)> {
    match reference {
        Reference::Release(line, cu) => {
            let there = said.contains_key(&Key::Release(ReleaseKind::Core, *line, *cu))
                || known.releases.contains(&(*line, *cu));
            (!there).then(|| {
                let release =
                    if line.feature > 0 && *cu == 0 { line.to_string() } else { format!("{line} CU{cu}") };
                let message = format!("no release {release} is listed");
                let help = format!(
                    "correct it, or add it to `releases`: `{{ version: {release}, kind: Core, source: … }}`"
                );
                (Code::UnknownRelease, message, help)
            })
        }
        Reference::KnownIssue(id) => {
            let there = said.contains_key(&Key::KnownIssue(id.clone())) || known.issues.contains(id);
            let own = said.keys().filter_map(|key| match key {
                Key::KnownIssue(id) => Some(id.as_str()),
                _ => None,
            });
            (!there).then(|| unknown("known issue", id, own.chain(known.issues.iter().map(String::as_str))))
        }
        Reference::Prerequisite(id) => {
            let there = said.contains_key(&Key::Prerequisite(id.clone())) || known.prerequisites.contains(id);
            let own = said.keys().filter_map(|key| match key {
                Key::Prerequisite(id) => Some(id.as_str()),
                _ => None,
            });
            let all = own.chain(known.prerequisites.iter().map(String::as_str));
            (!there).then(|| unknown("prerequisite", id, all))
        }
    }
}

fn unknown<'a>(what: &str, id: &str, ids: impl Iterator<Item = &'a str>) -> (Code, String, String) {
    let ids: BTreeSet<&str> = ids.collect();
    let near = ids
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(known, id), known))
        .filter(|(distance, _)| *distance <= 3.max(id.len() / 5))
        .min();
    let help = match near {
        Some((_, near)) => format!("did you mean `{near}`?"),
        None => format!("correct the id, or add the {what}"),
    };
    (Code::UnknownReference, format!("there is no {what} {}", quoted(id)), help)
}
