//! Where packages stand in a catalogue, by what plans ask for: dozens of releases, and each staged package by its digest.

use std::collections::{BTreeMap, BTreeSet};

use dataminer_schema::{
    id::Sha256,
    version::{Line, PackageKind},
};

use super::Entry;

/// Indexes over packages, each in the order of the packages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    lines: BTreeMap<(PackageKind, Line), Vec<usize>>,
    kinds: BTreeMap<PackageKind, Vec<usize>>,
    digests: BTreeMap<Sha256, Vec<usize>>,
}

impl Places {
    pub(super) fn of(packages: &[Entry]) -> Self {
        let mut places = Self::default();
        for (place, entry) in packages.iter().enumerate() {
            if let Some(release) = &entry.release {
                places.lines.entry((entry.kind, release.line())).or_default().push(place);
            }
            places.kinds.entry(entry.kind).or_default().push(place);
            places.digests.entry(entry.sha256.clone()).or_default().push(place);
        }
        places
    }

    /// Those of a kind.
    pub(super) fn of_kind(&self, kind: PackageKind) -> &[usize] {
        self.kinds.get(&kind).map(Vec::as_slice).unwrap_or_default()
    }

    /// Those of a kind that install a release of this line.
    pub(super) fn of_line(&self, kind: PackageKind, line: Line) -> &[usize] {
        self.lines.get(&(kind, line)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Those of a kind that install a release of the band A.B, line by line.
    pub(super) fn of_band(
        &self,
        kind: PackageKind,
        (major, minor): (u16, u16),
    ) -> impl Iterator<Item = &usize> {
        let line = |feature| (kind, Line { major, minor, feature });
        self.lines.range(line(0)..=line(u16::MAX)).flat_map(|(_, places)| places)
    }

    /// The bands A.B of which there is one of this kind.
    pub(super) fn bands(&self, kind: PackageKind) -> BTreeSet<(u16, u16)> {
        let lines = self.lines.keys().filter(|(of, _)| *of == kind);
        lines.map(|(_, line)| (line.major, line.minor)).collect()
    }

    /// Those with this content.
    pub(super) fn of_digest(&self, sha256: &Sha256) -> &[usize] {
        self.digests.get(sha256).map(Vec::as_slice).unwrap_or_default()
    }
}
