//! Ranges of releases against a release that may be an interval.

use dataminer_schema::{
    v1::knowledge::{Range, RangeTrack},
    version::{Line, Track},
};

use crate::release::Release;

/// Whether `release` lies in one of `ranges`; `None` where its unknown CU or build decides that.
///
/// Of the ranges over Main Releases, those that are bound to the line of the release are read for it, and only where
/// there is none, those that are bound to no line (`domain/06`, head).
pub fn holds(ranges: &[Range], release: &Release) -> Option<bool> {
    let track = match release.track() {
        Track::Main => RangeTrack::Main,
        Track::Feature => RangeTrack::Feature,
    };
    let of_track = |range: &Range| range.track == RangeTrack::Any || range.track == track;
    let bound = |range: &Range| range.band.as_ref().map(dataminer_schema::version::Version::line);
    let line = Some(release.line());
    let own = track == RangeTrack::Main && ranges.iter().any(|range| of_track(range) && bound(range) == line);
    let wanted = line.filter(|_| own);
    let read = || ranges.iter().filter(|range| of_track(range) && bound(range) == wanted);
    let first = at_cu(read(), release, release.cu_low())?;
    // From one CU to the next an answer changes only where a range begins or ends.
    let ends = read().flat_map(|range| [&range.from, &range.to, &range.fixed_in].into_iter().flatten());
    let edges = ends.filter(|end| Some(end.line()) == line).filter_map(|end| end.cu());
    let mut changes = edges.flat_map(|cu| [cu, cu.saturating_add(1)]);
    let between = |cu: u16| release.cu_low() < cu && cu <= release.cu_high();
    let alike = changes.all(|cu| !between(cu) || at_cu(read(), release, cu) == Some(first));
    alike.then_some(first)
}

/// Whether the release with this CU lies in one of them.
fn at_cu<'r>(ranges: impl Iterator<Item = &'r Range>, release: &Release, cu: u16) -> Option<bool> {
    let mut answer = Some(false);
    for range in ranges {
        match within(range, release, cu) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => answer = None,
        }
    }
    answer
}

fn within(range: &Range, release: &Release, cu: u16) -> Option<bool> {
    let here: (Line, u16) = (release.line(), cu);
    let starts = range.from.as_ref().is_none_or(|from| (from.line(), from.cu().unwrap_or(0)) <= here);
    // A last release without a CU is all of it.
    let ends = range.to.as_ref().is_none_or(|to| here <= (to.line(), to.cu().unwrap_or(u16::MAX)));
    if !starts || !ends {
        return Some(false);
    }
    let Some(fixed) = &range.fixed_in else { return Some(true) };
    let fixed_at = (fixed.line(), fixed.cu().unwrap_or(0));
    // The release came out again: only its build tells the two apart.
    let again = range.fixed_in_build.is_some() || range.fixed_in_rerelease;
    if again && here == fixed_at {
        return match (range.fixed_in_build, release.build()) {
            (Some(right), Some(build)) => Some(build < right),
            _ => None,
        };
    }
    Some(here < fixed_at)
}
