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
    let of_track = |range: &&Range| range.track == RangeTrack::Any || range.track == track;
    let bound = |range: &&Range| range.band.as_ref().map(dataminer_schema::version::Version::line);
    let own: Vec<&Range> = ranges
        .iter()
        .filter(of_track)
        .filter(|range| track == RangeTrack::Main && bound(range) == Some(release.line()))
        .collect();
    let read = if own.is_empty() {
        ranges.iter().filter(of_track).filter(|range| bound(range).is_none()).collect()
    } else {
        own
    };
    let mut answers = (release.cu_low()..=release.cu_high()).map(|cu| at_cu(&read, release, cu));
    let first = answers.next()??;
    answers.all(|answer| answer == Some(first)).then_some(first)
}

/// Whether the release with this CU lies in one of them.
fn at_cu(ranges: &[&Range], release: &Release, cu: u16) -> Option<bool> {
    let answers: Vec<Option<bool>> = ranges.iter().map(|range| within(range, release, cu)).collect();
    if answers.contains(&Some(true)) {
        return Some(true);
    }
    (!answers.contains(&None)).then_some(false)
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
