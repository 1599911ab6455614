//! How the product compares versions, written from `domain/01 section 4` and apart from any other implementation.

use std::cmp::Ordering;

use dataminer_schema::version::Version;

/// `A.B.C` compared by number, then the CU; an unknown CU compares as equal.
pub(crate) fn numeric(left: &Version, right: &Version) -> Ordering {
    let key = |version: &Version| (version.major(), version.minor(), version.feature());
    key(left).cmp(&key(right)).then_with(|| match (left.cu(), right.cu()) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => Ordering::Equal,
    })
}

/// Whether a version has reached a threshold given for both tracks, such as `10.5.0 CU2/10.5.5`.
///
/// A Main Release of the threshold's own line counts from the CU, Feature Releases from theirs; an unknown CU counts
/// as reached: the product knows its CU, only our description does not.
pub(crate) fn reached(version: &Version, main: (u16, u16, u16), feature: (u16, u16, u16)) -> bool {
    let (major, minor, cu) = main;
    if version.feature() == 0 {
        match (version.major(), version.minor()).cmp(&(major, minor)) {
            Ordering::Greater => true,
            Ordering::Less => false,
            Ordering::Equal => version.cu().is_none_or(|found| found >= cu),
        }
    } else {
        (version.major(), version.minor(), version.feature()) >= feature
    }
}

/// Months of fixes: a Main Release's CU n stands with Feature Release n+3 (`domain/01 section 3`). The later half of
/// the 10.0.0 line is a month ahead of that: CU16 stands with 10.1.8 (the same section, limits); where it begins is
/// inferred from the thirteenth Feature Release of that line.
pub(crate) fn months(version: &Version) -> u32 {
    let year = u32::from(version.major()) * 100 + u32::from(version.minor());
    let month = match version.feature() {
        0 => {
            let cu = version.cu().unwrap_or(0);
            let ahead = u32::from(major(version) == (10, 0) && cu >= 11);
            u32::from(cu) + 3 + ahead
        }
        feature => u32::from(feature),
    };
    year * 12 + month
}

/// The major of a version: `A.B`.
pub(crate) fn major(version: &Version) -> (u16, u16) {
    (version.major(), version.minor())
}

/// Whether both are the same installed software: the numbers, and the build where both tell one, else the CU.
pub(crate) fn same(left: &Version, right: &Version) -> bool {
    let builds = match (left.build(), right.build()) {
        (Some(left), Some(right)) => left == right,
        _ => left.cu() == right.cu() || left.cu().is_none() || right.cu().is_none(),
    };
    left.line() == right.line() && builds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn thresholds_of_both_tracks() {
        let bar = |text: &str| reached(&v(text), (10, 5, 2), (10, 5, 5));
        for above in ["10.5.0 CU2", "10.5.0 CU9", "10.6.0 CU0", "10.5.5", "10.6.1"] {
            assert!(bar(above), "{above}");
        }
        for below in ["10.5.0 CU1", "10.4.0 CU20", "10.5.4", "10.4.12"] {
            assert!(!bar(below), "{below}");
        }
    }

    #[test]
    fn a_cu_stands_with_the_feature_release_of_its_month() {
        assert_eq!(months(&v("10.5.0 CU9")), months(&v("10.5.12")));
        assert_eq!(months(&v("10.4.0 CU13")), months(&v("10.5.4")));
        assert_eq!(months(&v("10.6.0 CU0")), months(&v("10.5.0 CU12")));
    }
}
