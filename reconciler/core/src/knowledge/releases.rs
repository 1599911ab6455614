//! Releases of the core, their builds and until when they are supported.

use std::collections::BTreeMap;

use dataminer_schema::{
    v1::knowledge::{BuildFact, Facts, ReleaseFact, ReleaseKind, ReleaseStatus, SupportFact},
    version::{Line, Track, Version},
};

use super::Knowledge;

/// What the planner needs for every plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Releases {
    core: BTreeMap<(Line, u16), ReleaseFact>,
    builds: BTreeMap<(Line, u32), BuildFact>,
    pub(super) support: BTreeMap<Line, SupportFact>,
    /// Every final release of the core, ascending; made from `core`.
    finals: Vec<Version>,
    /// The latest final CU of each Main Release; made from `core`.
    mains: Vec<(u16, u16, u16)>,
}

/// The release as a key: a Feature Release without a CU is its first.
pub(super) fn key_of(version: &Version) -> (Line, u16) {
    (version.line(), version.cu().unwrap_or(0))
}

impl Releases {
    pub(super) fn overlay(&mut self, facts: &Facts) {
        let core = facts.releases.iter().filter(|release| release.kind == ReleaseKind::Core);
        self.core.extend(core.map(|release| (key_of(&release.version), release.clone())));
        let builds = facts.builds.iter();
        self.builds.extend(builds.map(|build| ((build.release.line(), build.build), build.clone())));
        let support = facts.support.iter();
        self.support.extend(support.map(|support| (support.release.line(), support.clone())));
        let finals = self.core.iter().filter(|(_, release)| release.status == ReleaseStatus::Final);
        self.finals = finals
            .map(|((line, cu), _)| Version::new(line.major, line.minor, line.feature).with_cu(*cu))
            .collect();
        let mut mains: BTreeMap<(u16, u16), u16> = BTreeMap::new();
        for version in self.finals.iter().filter(|version| version.track() == Track::Main) {
            mains.insert((version.major(), version.minor()), version.cu().unwrap_or(0));
        }
        self.mains = mains.into_iter().map(|((a, b), cu)| (a, b, cu)).collect();
    }

    pub(super) fn core_keys(&self) -> impl Iterator<Item = (Line, u16)> + '_ {
        self.core.keys().copied()
    }
}

impl Knowledge {
    /// Every final release of the core, ascending by line and CU.
    pub fn final_releases(&self) -> &[Version] {
        &self.0.releases.finals
    }

    /// The Main Releases of which there is a final CU: A, B, the latest CU; ascending.
    pub fn main_releases(&self) -> &[(u16, u16, u16)] {
        &self.0.releases.mains
    }

    /// What is known of a release of the core; a Feature Release without a CU is its first.
    pub fn release(&self, version: &Version) -> Option<&ReleaseFact> {
        if version.track() == Track::Main && version.cu().is_none() {
            return None;
        }
        self.0.releases.core.get(&key_of(version))
    }

    /// Every release of the core that is listed, final or not, ascending by line and CU.
    pub fn core_releases(&self) -> impl Iterator<Item = &ReleaseFact> {
        self.0.releases.core.values()
    }

    /// The latest final release of a track inside one band A.B.
    pub fn latest_final(&self, band: (u16, u16), track: Track) -> Option<&Version> {
        let mut finals = self.0.releases.finals.iter();
        finals.rfind(|version| (version.major(), version.minor()) == band && version.track() == track)
    }

    /// The known builds of one line, with their CU, ascending by build.
    pub fn builds_of(&self, line: Line) -> impl Iterator<Item = (u32, u16)> + '_ {
        let builds = self.0.releases.builds.range((line, 0)..=(line, u32::MAX));
        builds.map(|((_, build), fact)| (*build, fact.release.cu().unwrap_or(0)))
    }

    /// Every known build: its line, its number, its CU.
    pub fn builds(&self) -> impl Iterator<Item = (Line, u32, u16)> + '_ {
        let builds = self.0.releases.builds.iter();
        builds.map(|((line, build), fact)| (*line, *build, fact.release.cu().unwrap_or(0)))
    }

    /// The known builds of one release, ascending; several where it came out again.
    pub fn builds_of_release(&self, version: &Version) -> Vec<&BuildFact> {
        let (line, cu) = key_of(version);
        let builds = self.0.releases.builds.range((line, 0)..=(line, u32::MAX));
        builds.filter(|(_, fact)| fact.release.cu().unwrap_or(0) == cu).map(|(_, fact)| fact).collect()
    }

    /// The final releases of other lines that have the same fixes (D2): `10.5.12` and `10.4.0 CU21` of `10.5.0 CU9`.
    pub fn counterparts(&self, version: &Version) -> Vec<&Version> {
        let Some(index) = version.month_index().filter(|_| version.major() >= 10) else { return Vec::new() };
        let finals = self.0.releases.finals.iter();
        finals.filter(|other| other.line() != version.line() && other.month_index() == Some(index)).collect()
    }
}
