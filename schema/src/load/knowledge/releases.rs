//! Releases, thresholds and ranges in ReleaseKnowledge: which of them can be meant.

use std::{cmp::Ordering, collections::BTreeSet};

use crate::{
    diagnostic::Code,
    load::{
        source::Source,
        tree::{Node, Value},
    },
    version::{Line, Track, Version},
};

/// What a version must be at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// A release that one can install: a Main Release with its CU, or a Feature Release.
    Release,
    /// A Main Release, for all of its CUs.
    Line,
    /// A Feature Release.
    Feature,
}

/// The version at `node`, judged; nothing where the schema has a word on it already.
pub(super) fn version(source: &mut Source<'_>, node: Option<&Node>, want: Want) -> Option<Version> {
    let node = node?;
    let version: Version = node.text()?.parse().ok()?;
    let odd = version.build().is_some() || version.is_hotfix();
    let (wrong, help) = match want {
        Want::Release => {
            let lacks = version.track() == Track::Main && version.cu().is_none();
            (odd || lacks, "write a release: `10.5.0 CU9`, or `10.5.12`")
        }
        Want::Line => (
            odd || version.track() != Track::Main || version.cu().is_some(),
            "write the Main Release without a CU: `10.5.0`",
        ),
        Want::Feature => (odd || version.track() != Track::Feature, "write a Feature Release: `10.5.12`"),
    };
    if wrong {
        let message = format!("{version} cannot stand here");
        source.error(&node.span, Code::WrongRelease, message, help.to_owned());
        return None;
    }
    Some(version)
}

/// A threshold: a release for each line of Main Releases, and one Feature Release.
pub(super) fn threshold(source: &mut Source<'_>, node: Option<&Node>) {
    let Some(Value::Sequence(members)) = node.map(|node| &node.value) else { return };
    let mut lines: BTreeSet<Option<Line>> = BTreeSet::new();
    for member in members {
        let Some(version) = version(source, Some(member), Want::Release) else { continue };
        let key = (version.track() == Track::Main).then(|| version.line());
        if !lines.insert(key) {
            let message = match key {
                Some(line) => format!("there are two members for {line}"),
                None => "there are two Feature Releases".to_owned(),
            };
            let help = "a threshold has one release for each line of Main Releases, and one Feature Release";
            source.error(&member.span, Code::WrongRelease, message, help.to_owned());
        }
    }
}

/// Every range of a list.
pub(super) fn ranges(source: &mut Source<'_>, node: Option<&Node>) {
    for item in node.map(Node::items).unwrap_or_default() {
        range(source, item);
    }
}

fn range(source: &mut Source<'_>, node: &Node) {
    let track = match node.get("track").and_then(Node::text) {
        Some("Main") => Track::Main,
        Some("Feature") => Track::Feature,
        Some("Any") => {
            for bound in ["from", "to", "fixedIn", "fixedInBuild", "fixedInRerelease", "band"] {
                if let Some(entry) = node.entry(bound) {
                    let message = format!("`track: Any` and `{bound}` exclude each other");
                    let help = "write one range for each track".to_owned();
                    source.error(&entry.key_span, Code::ContradictingFact, message, help);
                }
            }
            return;
        }
        _ => return,
    };
    let from = bound(source, node.get("from"), track);
    let to = bound(source, node.get("to"), track);
    let fixed = bound(source, node.get("fixedIn"), track);
    reversed(source, node, (from.as_ref(), to.as_ref(), fixed.as_ref()));
    builds(source, node);
    if let Some(band) = version(source, node.get("band"), Want::Line) {
        banded(source, node, track, band.line());
    }
}

/// A bound of a range: of its track, without a build.
fn bound(source: &mut Source<'_>, node: Option<&Node>, track: Track) -> Option<Version> {
    let node = node?;
    let version: Version = node.text()?.parse().ok()?;
    if version.track() != track {
        let message = format!("{version} is not of the track {track:?}");
        let help = "write a range of its own for the other track".to_owned();
        source.error(&node.span, Code::WrongRelease, message, help);
        return None;
    }
    if version.build().is_some() || version.is_hotfix() {
        let help = "write the release alone; `fixedInBuild` names a build".to_owned();
        source.error(&node.span, Code::WrongRelease, format!("{version} cannot stand here"), help);
        return None;
    }
    Some(version)
}

fn reversed(
    source: &mut Source<'_>,
    node: &Node,
    (from, to, fixed): (Option<&Version>, Option<&Version>, Option<&Version>),
) {
    let low = |version: &Version| (version.line(), version.cu().unwrap_or(0));
    let Some(from) = from else { return };
    if let (Some(to), Some(place)) = (to, node.get("to"))
        && (to.line(), to.cu().unwrap_or(u16::MAX)).cmp(&low(from)) == Ordering::Less
    {
        let message = format!("the range starts at {from} and ends at {to}, which is before it");
        source.error(&place.span, Code::RangeReversed, message, "exchange them".to_owned());
    }
    if let (Some(fixed), Some(place)) = (fixed, node.get("fixedIn"))
        && low(fixed) < low(from)
    {
        let message =
            format!("the range starts at {from} and was right again at {fixed}, which is before it");
        let help = "correct one of them".to_owned();
        source.error(&place.span, Code::RangeReversed, message, help);
    }
}

fn builds(source: &mut Source<'_>, node: &Node) {
    for field in ["fixedInBuild", "fixedInRerelease"] {
        if let (Some(entry), None) = (node.entry(field), node.get("fixedIn")) {
            let message = format!("`{field}` says nothing without `fixedIn`");
            let help = "add `fixedIn`: the release that came out again".to_owned();
            source.error(&entry.key_span, Code::ContradictingFact, message, help);
        }
    }
    if let (Some(_), Some(entry)) = (node.entry("fixedInBuild"), node.entry("fixedInRerelease")) {
        let message = "`fixedInBuild` and `fixedInRerelease` exclude each other";
        source.error(&entry.key_span, Code::ContradictingFact, message, "keep the build".to_owned());
    }
}

fn banded(source: &mut Source<'_>, node: &Node, track: Track, band: Line) {
    if track == Track::Feature {
        if let Some(entry) = node.entry("band") {
            let message = "only ranges of Main Releases are bound to a line";
            source.error(&entry.key_span, Code::BandMismatch, message, "take `band` out".to_owned());
        }
        return;
    }
    for (field, beyond) in [("from", false), ("to", false), ("fixedIn", true)] {
        let Some(place) = node.get(field) else { continue };
        let Some(version) = place.text().and_then(|text| text.parse::<Version>().ok()) else { continue };
        // A fix may have come with a later line.
        let inside = version.line() == band || (beyond && version.line() > band);
        if !inside {
            let message = format!("`{field}: {version}` leaves the line {band} that the range is bound to");
            let help =
                "correct `band`, or take it out: the range then runs over all Main Releases".to_owned();
            source.error(&place.span, Code::BandMismatch, message, help);
        }
    }
}
