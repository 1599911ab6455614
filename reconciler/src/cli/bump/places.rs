//! Where the versions of a cluster are written: in its own document, or in that of its Profile.

use dataminer_core::bump::{Field, Share};
use dataminer_schema::load::{Fleet, Located, Mark, SourceFile};

use super::file_of;
use crate::edit;

/// One value of one file. Behind an alias stands the value that its anchor names, so all its users have one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A version of a cluster as it is written.
#[derive(Clone, Debug)]
pub(super) struct Written {
    /// The index of the cluster.
    pub(super) cluster: usize,
    pub(super) field: Field,
    pub(super) place: Place,
    pub(super) line: usize,
    /// The Profile that gives it, where it is not the cluster's own.
    pub(super) profile: Option<String>,
    /// The value, as far as it is one text.
    pub(super) text: String,
}

impl Written {
    pub(super) fn share(&self) -> Share<Place> {
        Share { cluster: self.cluster, field: self.field, place: self.place.clone() }
    }
}

/// Every version of every cluster that is written somewhere.
pub(super) fn of(fleet: &Fleet, files: &[SourceFile]) -> Vec<Written> {
    let mut found = Vec::new();
    for (cluster, located) in fleet.clusters.iter().enumerate() {
        for field in [Field::Core, Field::WebApps] {
            let own = located.marks.at(field.path()).map(|mark| (located.path.as_str(), mark, None));
            let given = || {
                let name = &located.value.profile.as_ref()?.name;
                let profile = fleet.profiles.iter().find(|profile| profile.value.name == *name)?;
                Some((profile.path.as_str(), mark_in(profile, field)?, Some(name.clone())))
            };
            let Some((path, mark, profile)) = own.or_else(given) else { continue };
            let text = file_of(files, path)
                .and_then(|file| std::str::from_utf8(file.bytes.get(mark.span.clone())?).ok())
                .and_then(|old| edit::written(old).ok());
            found.push(Written {
                cluster,
                field,
                place: Place { path: path.to_owned(), start: mark.span.start, end: mark.span.end },
                line: mark.line,
                profile,
                text: text.unwrap_or_default().to_owned(),
            });
        }
    }
    found
}

fn mark_in<T>(located: &Located<T>, field: Field) -> Option<&Mark> {
    located.marks.at(field.path())
}
