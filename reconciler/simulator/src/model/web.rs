//! Web packages: what they need, and what full packages do to them (`domain/03`).

use dataminer_schema::version::Version;

use super::rule::Rule;
use crate::order::{major, months, reached};

/// A level of the web apps, comparable across tracks: a CU of a Main Release has the same web apps as the Feature
/// Release of its month (`domain/03 section 1`). Content bears the level that wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(u32);

impl Level {
    /// The level of web apps of this version.
    pub fn of(version: &Version) -> Self {
        Self(months(version))
    }
}

/// Whether web apps are upgraded apart at all: from 10.3.0/10.3.3 on (`domain/03 section 1`).
pub(crate) fn is_separate(core: &Version) -> bool {
    reached(core, (10, 3, 0), (10, 3, 3))
}

/// The core that web apps of this version need (`domain/03 section 2`).
pub(crate) fn minimum_core(web: &Version) -> (u16, u16, u16) {
    match major(web) {
        (10, ..=4) | (..=9, _) => (10, 3, 0),
        (10, 5) => (10, 4, 0),
        _ => (10, 5, 0),
    }
}

/// What keeps a web package from being installed over this core.
pub fn gate(core: &Version, web: &Version) -> Option<Rule> {
    if !is_separate(core) || !is_separate(web) {
        return Some(Rule::WebNotSeparate);
    }
    ((core.major(), core.minor(), core.feature()) < minimum_core(web)).then_some(Rule::WebNeedsCore)
}

/// A full 10.4 package below CU20 fails after a web-only upgrade to 10.5 (`domain/03 section 1`, RN 43676).
pub fn stumbles(core: &Version, web: &Version, target: &Version) -> bool {
    let web_only = major(core) < (10, 5) && reached(web, (10, 5, 0), (10, 5, 1));
    web_only && major(target) == (10, 4) && !reached(target, (10, 4, 20), (10, 5, 0))
}

/// The web packages that look for the .NET 10 hosting bundle: from 10.6.5/10.7.0 on (`domain/03 section 2`).
pub(crate) fn checks_dotnet_10(web: &Version) -> bool {
    reached(web, (10, 7, 0), (10, 6, 5))
}

/// Whether a package of this version backs dashboards and apps up: from 10.3.0 CU8/10.3.11 on (`domain/03 section 4`).
pub(crate) fn backs_up(package: &Version) -> bool {
    reached(package, (10, 3, 8), (10, 3, 11))
}

/// How many content backups the product keeps (`domain/03 section 4`).
pub(crate) const KEPT_BACKUPS: usize = 5;

/// The direct web upgrade that loses a library of the GQI DxM: from 10.5.0 CU0, 10.5.2 or 10.5.3 to any from
/// 10.5.0 CU1/10.5.4 on, until 10.5.0 CU15/10.6.0 CU3/10.6.6 (`domain/06`, KI_GQI_DxM_unavailable_…).
pub(crate) fn damages_gqi(from: &Version, to: &Version) -> bool {
    let line = |version: &Version| (version.major(), version.minor(), version.feature());
    let source = match line(from) {
        (10, 5, 0) => from.cu() == Some(0),
        other => ((10, 5, 2)..=(10, 5, 3)).contains(&other),
    };
    let target = match (line(to), to.cu()) {
        ((10, 5, 0), cu) => cu.is_none_or(|cu| (1..15).contains(&cu)),
        ((10, 6, 0), cu) => cu.is_none_or(|cu| cu < 3),
        (other, _) => ((10, 5, 4)..(10, 6, 6)).contains(&other),
    };
    source && target
}
