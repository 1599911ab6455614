//! What this release knows about DataMiner's releases by itself: small, typed, versioned, each fact with its source.
//!
//! A PackageCatalog of the user always goes first; these tables only fill what it leaves open.

use dataminer_schema::version::{Line, Version};

/// The revision of the documentation that the tables were drawn from.
pub const REVISION: &str = "2026-08-21";

/// A build and the release that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownBuild {
    /// A, B, C.
    pub line: (u16, u16, u16),
    pub cu: u16,
    pub build: u32,
    pub source: &'static str,
}

const BUILDS_SOURCE: &str = "domain/releases.yaml, builds";
const STRINGS_SOURCE: &str = "domain/09-packages-and-tools.md section 6";

const fn known(line: (u16, u16, u16), cu: u16, build: u32, source: &'static str) -> KnownBuild {
    KnownBuild { line, cu, build, source }
}

/// Builds whose release the documentation names. The same CU may have several (`domain/01 section 5`).
pub const BUILDS: &[KnownBuild] = &[
    known((10, 0, 0), 19, 11025, STRINGS_SOURCE),
    known((10, 0, 11), 0, 9451, "domain/01-versions.md section 1, notation 11"),
    known((10, 0, 12), 0, 9536, "domain/01-versions.md section 1, notation 12"),
    known((10, 1, 0), 10, 11229, STRINGS_SOURCE),
    known((10, 1, 7), 0, 10523, STRINGS_SOURCE),
    known((10, 2, 0), 4, 11897, STRINGS_SOURCE),
    known((10, 2, 5), 0, 11681, STRINGS_SOURCE),
    known((10, 2, 7), 0, 11922, STRINGS_SOURCE),
    known((10, 3, 0), 0, 12752, BUILDS_SOURCE),
    known((10, 3, 0), 0, 12790, BUILDS_SOURCE),
    known((10, 3, 2), 0, 12627, STRINGS_SOURCE),
    known((10, 4, 0), 4, 14511, STRINGS_SOURCE),
    known((10, 4, 0), 10, 15230, STRINGS_SOURCE),
    known((10, 4, 0), 18, 16208, BUILDS_SOURCE),
    known((10, 4, 0), 18, 16295, BUILDS_SOURCE),
    known((10, 4, 9), 0, 14794, STRINGS_SOURCE),
    known((10, 5, 0), 4, 15943, BUILDS_SOURCE),
    known((10, 5, 0), 4, 16239, BUILDS_SOURCE),
    known((10, 5, 0), 5, 16086, BUILDS_SOURCE),
    known((10, 5, 0), 5, 16243, BUILDS_SOURCE),
    known((10, 5, 0), 6, 16223, BUILDS_SOURCE),
    known((10, 5, 0), 6, 16294, BUILDS_SOURCE),
    known((10, 5, 0), 11, 16782, STRINGS_SOURCE),
    known((10, 5, 4), 0, 15588, STRINGS_SOURCE),
    known((10, 5, 9), 0, 16222, BUILDS_SOURCE),
    known((10, 5, 9), 0, 16293, BUILDS_SOURCE),
    known((10, 6, 1), 0, 16647, STRINGS_SOURCE),
    known((10, 6, 2), 0, 16783, STRINGS_SOURCE),
];

/// The latest final CU of each Main Release (`domain/releases.yaml`, kind core, status final): A, B, CU.
pub const MAIN_RELEASES: &[(u16, u16, u16)] =
    &[(10, 0, 21), (10, 1, 21), (10, 2, 21), (10, 3, 22), (10, 4, 21), (10, 5, 18), (10, 6, 6)];

/// The latest final Feature Release of each line (`domain/releases.yaml`): A, B, first C, last C.
pub const FEATURE_RELEASES: &[(u16, u16, u16, u16)] = &[
    (10, 0, 2, 13),
    (10, 1, 1, 12),
    (10, 2, 1, 12),
    (10, 3, 1, 12),
    (10, 4, 1, 12),
    (10, 5, 1, 12),
    (10, 6, 1, 9),
];

/// CUs of Feature Releases (`domain/releases.yaml`): A, B, C, last CU.
pub const FEATURE_CUS: &[(u16, u16, u16, u16)] = &[
    (10, 2, 9, 1),
    (10, 2, 11, 1),
    (10, 2, 12, 2),
    (10, 3, 2, 1),
    (10, 3, 3, 1),
    (10, 3, 9, 2),
    (10, 3, 10, 1),
    (10, 4, 6, 1),
    (10, 5, 2, 1),
    (10, 5, 7, 1),
    (10, 5, 8, 1),
    (10, 5, 12, 2),
    (10, 6, 2, 1),
    (10, 6, 3, 1),
];

/// The known builds of one line.
pub fn builds_of(line: Line) -> impl Iterator<Item = (u32, u16)> {
    let key = (line.major, line.minor, line.feature);
    BUILDS.iter().filter(move |known| known.line == key).map(|known| (known.build, known.cu))
}

/// Every final release of the core that the documentation lists, in ascending order of line and CU.
pub fn final_releases() -> Vec<Version> {
    let mut releases = Vec::new();
    for &(a, b, last) in MAIN_RELEASES {
        releases.extend((0..=last).map(|cu| Version::new(a, b, 0).with_cu(cu)));
        for &(fa, fb, first, last) in FEATURE_RELEASES {
            if (fa, fb) != (a, b) {
                continue;
            }
            for c in first..=last {
                let cus =
                    FEATURE_CUS.iter().find(|(x, y, z, _)| (*x, *y, *z) == (a, b, c)).map_or(0, |cu| cu.3);
                releases.extend((0..=cus).map(|cu| Version::new(a, b, c).with_cu(cu)));
            }
        }
    }
    releases
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_tables_hold_what_the_documentation_lists() {
        let releases = final_releases();
        // 140 Main and 99 Feature pages of kind core, less 10.5.0 CU19, 10.6.0 CU7, 10.7.0 and 10.6.10 in progress.
        assert_eq!(releases.iter().filter(|v| v.feature() == 0).count(), 137);
        assert_eq!(releases.iter().filter(|v| v.feature() != 0).count(), 98);
        let distinct: BTreeSet<String> = releases.iter().map(Version::release_name).collect();
        assert_eq!(distinct.len(), releases.len());
    }

    #[test]
    fn every_known_build_belongs_to_a_final_release_and_stands_once() {
        let releases: BTreeSet<String> = final_releases().iter().map(Version::release_name).collect();
        let mut seen = BTreeSet::new();
        for KnownBuild { line: (a, b, c), cu, build, source } in BUILDS {
            let name = Version::new(*a, *b, *c).with_cu(*cu).release_name();
            assert!(releases.contains(&name), "{name}");
            assert!(seen.insert(build), "build {build} stands twice");
            assert!(source.starts_with("domain/"), "{source}");
        }
    }
}
