//! The upward path of the core: where it must stop on the way (H1-H7), before the hazards of single hops are looked at.

use std::collections::BTreeSet;

use dataminer_schema::{
    plan::BlockCode,
    v1::knowledge::ExitRule,
    version::{MonthIndex, PackageKind, Track, Version},
};

use super::{
    PlanInput,
    broker::{self, Spot},
    course::Target,
    descent,
    draft::Draft,
    hazards,
    survey::Survey,
    tools::{self, Around},
};
use crate::{
    catalog::{Catalog, Entry},
    knowledge::{Knowledge, Rules},
    release::Release,
};

/// More Main Release lines than this lie between no two real versions.
const MAX_BANDS: usize = 40;

/// From here on packages fail without the program that runs their checks.
const CHECKS_ITSELF: Version = Version::new(10, 4, 0);

/// One package to install on the way.
#[derive(Clone, Debug)]
pub(super) struct Stop<'a> {
    pub(super) to: Release,
    pub(super) entry: &'a Entry,
    pub(super) rules: Vec<&'static str>,
    pub(super) reason: String,
    pub(super) around: Around<'a>,
}

impl<'a> Stop<'a> {
    pub(super) fn new(
        to: Release,
        entry: &'a Entry,
        rules: Vec<&'static str>,
        reason: impl Into<String>,
    ) -> Self {
        Self { to, entry, rules, reason: reason.into(), around: Around::default() }
    }
}

/// The packages from `source` to `target`, as far as they can be found; what is wrong goes into `draft`.
pub(super) fn plan_route<'a>(
    input: &PlanInput<'a>,
    survey: &Survey<'a>,
    source: &Release,
    target: &Target<'a>,
    draft: &mut Draft,
) -> Vec<Stop<'a>> {
    let goal = &target.release;
    let oldest = &survey.rules.oldest.line;
    if source.band() < band_of(oldest) {
        draft.block(
            BlockCode::NoPath,
            Vec::new(),
            format!("there is no documented path from {}", source.describe()),
            format!(
                "packages hold no upgrade actions for versions below {}.{}: ask the vendor's support",
                oldest.major(),
                oldest.minor()
            ),
        );
        return Vec::new();
    }
    older_fixes(input, source, goal, draft);
    let accepted = input.desired.cluster.upgrade.accept_older_fixes;
    // The pessimistic end: the stop must not have fewer fixes than the source may have.
    let floor = if accepted { source.index_high().min(goal.index_low()) } else { source.index_high() };
    let (mut stops, migrates) = stops_between(input, survey, source, goal, floor, draft);
    match target.entry {
        Some(entry) => stops.push(last_stop(source, goal, entry, stops.last())),
        None => match update(input.catalog, source, goal).filter(|_| stops.is_empty()) {
            Some(entry) => {
                let reason = "inside one Main Release an update package suffices, and there is no full one";
                stops.push(Stop::new(goal.clone(), entry, vec!["H1"], reason));
            }
            None => no_package(input.catalog, goal, draft),
        },
    }
    let mut stops = hazards::plan_detours(input.catalog, survey.rules, source, stops, draft);
    hazards::plan_hazards(survey, source, goal, &stops, draft);
    tools::plan_tools(input, source, migrates, &mut stops, draft);
    descent::plan_patches(input, source, &mut stops, draft);
    mark_falls(source, stops)
}

/// An update package instead of a full one: only inside its Main Release, with exactly its base observed, and, where the
/// target looks for it, with the program that runs its checks (`domain/02 section 1`, package kind).
fn update<'a>(catalog: &'a Catalog, source: &Release, goal: &Release) -> Option<&'a Entry> {
    let entry = catalog.update_package(source, goal)?;
    let inside = source.line() == goal.line() && goal.track() == Track::Main;
    let checked = goal.line() < CHECKS_ITSELF.line() || entry.insides.executor == Some(true);
    // The Taskbar Utility installs nothing else (`domain/05 section 1`).
    (inside && checked && entry.file.ends_with(".dmupgrade")).then_some(entry)
}

/// D2: a numerically higher target with older fixes.
fn older_fixes(input: &PlanInput<'_>, source: &Release, goal: &Release, draft: &mut Draft) {
    let accepted = input.desired.cluster.upgrade.accept_older_fixes;
    // Inside one line CU and build decided already which is newer (D3).
    if source.index_high() <= goal.index_low() || source.line() == goal.line() {
        return;
    }
    let message = format!("{} has older fixes than {}", goal.name(), source.describe());
    if accepted {
        draft.warn("OlderFixes", "D2", message);
    } else if source.index_low() > goal.index_low() {
        draft.block(
            BlockCode::OlderFixesNotAccepted,
            Vec::new(),
            message,
            "want a release of the same month or later, or accept it with `upgrade.acceptOlderFixes: true`",
        );
    } else {
        draft.block(
            BlockCode::UnknownBuild,
            Vec::new(),
            format!("whether {} has newer fixes than {} is not known", source.describe(), goal.name()),
            "name the build in the catalogue's `builds`, or add its package",
        );
    }
}

/// H2, H3, H5, H6: a stop in each Main Release line strictly between, ceilings computed backwards from the target; and
/// whether the BrokerGateway migration happens on the way (H4).
fn stops_between<'a>(
    input: &PlanInput<'a>,
    survey: &Survey<'_>,
    source: &Release,
    goal: &Release,
    floor: MonthIndex,
    draft: &mut Draft,
) -> (Vec<Stop<'a>>, bool) {
    let (catalog, rules) = (input.catalog, survey.rules);
    let (mut stops, mut migrates) = (Vec::new(), false);
    let Some(mut bands) = bands_between(input, source, goal, draft) else { return (stops, migrates) };
    let crossing = broker::is_crossing(rules, source, goal);
    if crossing {
        // Also where the source already runs it: then one more stop inside it may be needed.
        bands.insert(broker::band(rules));
    }
    let skip = &rules.h5;
    if source.band() < band_of(&skip.below) && goal.band() >= band_of(&skip.reaching) {
        bands.remove(&band_of(&skip.skips));
    }
    let exit = leaves_by_exit(&rules.h6, source, goal, draft);
    let direct = source.band() == band_of(&rules.h6.from) && goal.band() <= band_of(&rules.h6.direct_to);
    if exit || direct {
        // Either the exit is the stop there, or an early 10.0 or 10.1 release is reached directly.
        bands.remove(&band_of(&rules.h6.exit));
    }
    let known_last = input.knowledge.main_releases().last().map_or((0, 0), |&(a, b, _)| (a, b));
    if goal.band() > known_last {
        draft.warn(
            "UnknownMajor",
            "H2",
            format!(
                "no rules for the way to {} are known; those of the releases before it are applied",
                goal.name()
            ),
        );
    }
    let mut ceiling = (goal.index_low(), goal.name());
    for band in bands.into_iter().rev() {
        let migration = (crossing && band == broker::band(rules))
            .then(|| broker::plan_migration(catalog, survey, source, goal, (floor, ceiling.0), draft))
            .flatten();
        migrates |= migration.is_some();
        let stop = match migration {
            Some(Spot::Stop(stop)) => Some(*stop),
            Some(Spot::Here) => None,
            None if band == source.band() => None,
            None => stop_in(input, rules, band, source, (floor, &ceiling), draft),
        };
        let Some(stop) = stop else { continue };
        ceiling = (stop.to.index_low().min(ceiling.0), stop.to.name());
        stops.push(stop);
    }
    if exit {
        stops.extend(exit_stop(catalog, &rules.h6, draft));
    }
    stops.reverse();
    (stops, migrates)
}

/// The band A.B of a version.
pub(super) fn band_of(version: &Version) -> (u16, u16) {
    (version.major(), version.minor())
}

/// The Main Release lines strictly between two releases, ascending; `None` where there are impossibly many.
pub(super) fn bands_between(
    input: &PlanInput<'_>,
    low: &Release,
    high: &Release,
    draft: &mut Draft,
) -> Option<BTreeSet<(u16, u16)>> {
    let (from, to) = (low.band(), high.band());
    let known = input.knowledge.main_releases();
    let mut bands: BTreeSet<(u16, u16)> = known.iter().map(|&(a, b, _)| (a, b)).collect();
    bands.extend(input.catalog.bands().into_iter().filter(|(major, _)| *major >= 10));
    if from.0 == to.0 {
        // A line that nobody knows a release of is still not skipped.
        bands.extend((from.1..to.1).map(|minor| (from.0, minor)));
    }
    bands.retain(|band| from < *band && *band < to);
    if bands.len() > MAX_BANDS {
        draft.block(
            BlockCode::NoPath,
            Vec::new(),
            format!("{} Main Releases lie between {} and {}", bands.len(), low.name(), high.name()),
            "check the wanted version",
        );
        return None;
    }
    Some(bands)
}

/// H6: whether the way leaves 9.6, or 10.0.0 below CU19, by 10.0.0 CU19.
fn leaves_by_exit(rule: &ExitRule, source: &Release, goal: &Release, draft: &mut Draft) -> bool {
    let ExitRule { exit, from, direct_to: _, source: _ } = rule;
    if Some(goal.index_low()) < exit.month_index() || (goal.line() == exit.line() && goal.cu() == exit.cu()) {
        return false;
    }
    if source.band() == band_of(from) {
        return true;
    }
    if source.line() != exit.line() || goal.line() == exit.line() {
        return false;
    }
    match source.cu_is(|cu| Some(cu) < exit.cu()) {
        Some(below) => below,
        None => {
            draft.block(
                BlockCode::UnknownBuild,
                Vec::new(),
                format!(
                    "whether {} is below {} is not known, and that decides the first stop",
                    source.describe(),
                    exit.release_name()
                ),
                "name the build in the catalogue's `builds`, or add its package",
            );
            false
        }
    }
}

fn exit_stop<'a>(catalog: &'a Catalog, rule: &ExitRule, draft: &mut Draft) -> Option<Stop<'a>> {
    let exit = rule.exit.release_name();
    let (major, minor) = band_of(&rule.exit);
    let old = format!("{}.{}", rule.from.major(), rule.from.minor());
    match catalog.core_package(&rule.exit).and_then(|entry| Some((entry, entry.release.clone()?))) {
        Some((entry, to)) => {
            let reason = format!("{old} and early {major}.{minor} are left by {exit} and no other");
            Some(Stop::new(to, entry, vec!["H6"], reason))
        }
        None => {
            draft.block(
                BlockCode::NoPackage,
                Vec::new(),
                format!("the way stops at {exit}, of which the catalogue has no package"),
                format!("add the full package of {exit} to a PackageCatalog"),
            );
            None
        }
    }
}

/// H2: the newest Main Release of `band` between floor and ceiling, not one of H12 while another serves; without one
/// the newest Feature Release in that range; without that the oldest one above.
fn stop_in<'a>(
    input: &PlanInput<'a>,
    rules: &Rules,
    band: (u16, u16),
    source: &Release,
    (floor, (ceiling, next)): (MonthIndex, &(MonthIndex, String)),
    draft: &mut Draft,
) -> Option<Stop<'a>> {
    let catalog = input.catalog;
    let mains = catalog.core_releases(band, Track::Main);
    let features = catalog.core_releases(band, Track::Feature);
    let fits = |release: &Release| floor <= release.index_low() && release.index_low() <= *ceiling;
    let newest = |of: &[(&Release, &'a Entry)], antivirus: bool| {
        let fitting =
            of.iter().filter(|(release, _)| fits(release) && hazards::is_h12(rules, release) == antivirus);
        let usable = fitting.filter(|(release, _)| !hazards::avoided_as_stop(rules, release, source));
        usable
            .max_by_key(|(release, _)| release.index_low())
            .map(|(release, entry)| ((*release).clone(), *entry))
    };
    let (major, minor) = band;
    let chosen = newest(&mains, false).or_else(|| newest(&mains, true));
    let chosen = match chosen {
        Some((to, entry)) => {
            warn_of_later(input.knowledge, &to, *ceiling, draft);
            Some((to, entry, format!("the newest CU of {major}.{minor} that {next} still follows")))
        }
        None => newest(&features, false).or_else(|| newest(&features, true)).map(|(to, entry)| {
            let reason = format!(
                "no Main Release {major}.{minor}.0 serves; the newest Feature Release of that line does"
            );
            (to, entry, reason)
        }),
    };
    if let Some((to, entry, reason)) = chosen {
        return Some(Stop::new(to, entry, vec!["H2"], reason));
    }
    let above = mains.iter().chain(&features).filter(|(release, _)| release.index_low() > *ceiling);
    if let Some((to, entry)) = above.min_by_key(|(release, _)| release.index_low()) {
        draft.warn(
            "NewerStop",
            "H2",
            format!("the catalogue has only {} for the stop in {major}.{minor}, which has newer fixes than {next}", to.name()),
        );
        let reason = format!("a stop in {major}.{minor} is needed, and the catalogue has only newer ones");
        return Some(Stop::new((*to).clone(), entry, vec!["H2"], reason));
    }
    let have: Vec<String> = mains.iter().chain(&features).map(|(release, _)| release.name()).collect();
    let have = if have.is_empty() { "none".to_owned() } else { have.join(", ") };
    let best = best_known(input.knowledge, band, floor, *ceiling);
    draft.block(
        BlockCode::NoPackage,
        Vec::new(),
        format!("the way stops in {major}.{minor}, and no package of it serves (in the catalogue: {have})"),
        match (best, unnamed(catalog, band)) {
            (Some(best), _) => add_package(catalog, band, &best),
            (None, None) => format!("add a full package of {major}.{minor}.0 to a PackageCatalog"),
            (None, Some(unnamed)) => unnamed,
        },
    );
    None
}

/// What to do where the catalogue lacks the full package of `release`, which belongs to `band`.
pub(super) fn add_package(catalog: &Catalog, band: (u16, u16), release: &str) -> String {
    let help = format!("add the full package of {release} to a PackageCatalog");
    unnamed(catalog, band).map_or_else(|| help.clone(), |unnamed| format!("{help}; {unnamed}"))
}

fn warn_of_later(knowledge: &Knowledge, chosen: &Release, ceiling: MonthIndex, draft: &mut Draft) {
    if let Some(best) = best_known(knowledge, chosen.band(), chosen.index_high(), ceiling)
        && best != chosen.name()
    {
        draft.warn(
            "LaterStopKnown",
            "H2",
            format!(
                "{best} would be the better stop than {}, but the catalogue does not have it",
                chosen.name()
            ),
        );
    }
}

/// The newest final Main Release of `band` that serves as a stop.
pub(super) fn best_known(
    knowledge: &Knowledge,
    band: (u16, u16),
    floor: MonthIndex,
    ceiling: MonthIndex,
) -> Option<String> {
    let releases = knowledge.final_releases().iter().filter(|version| {
        let index = version.month_index();
        (version.major(), version.minor()) == band
            && version.track() == Track::Main
            && index >= Some(floor)
            && index <= Some(ceiling)
    });
    let releases = releases
        .cloned()
        .filter_map(Release::exact)
        .filter(|release| !hazards::is_h12(knowledge.rules(), release));
    releases.max_by_key(Release::index_low).map(|release| release.name())
}

/// Why the last hop goes straight to the target; `stopped`: there were stops before.
pub(super) fn nothing_between(from: &Release, goal: &Release, stopped: bool) -> String {
    let ((major, minor), (goal_major, goal_minor)) = (from.band(), goal.band());
    let (from, goal) = (from.name(), goal.name());
    if major == goal_major && minor.abs_diff(goal_minor) > 1 {
        // One may be skipped (H5), and the package of one may be what blocks the plan.
        return format!("no stop that the catalogue has and the way needs lies between {from} and {goal}");
    }
    let more = if stopped { " any more" } else { "" };
    format!("no Main Release lies between {from} and {goal}{more}")
}

fn last_stop<'a>(source: &Release, goal: &Release, entry: &'a Entry, before: Option<&Stop<'a>>) -> Stop<'a> {
    let from = before.map_or(source, |stop| &stop.to);
    let (rule, reason) = if from.band() == goal.band() {
        ("H1", format!("no stop is needed inside {}.{}", goal.band().0, goal.band().1))
    } else if from.track() == Track::Feature && goal.track() == Track::Main {
        ("H3", "from a Feature Release the next Main Release is the one of the following line".to_owned())
    } else {
        ("H2", nothing_between(from, goal, before.is_some()))
    };
    Stop::new(goal.clone(), entry, vec![rule], reason)
}

pub(super) fn no_package(catalog: &Catalog, goal: &Release, draft: &mut Draft) {
    let tracks =
        [Track::Main, Track::Feature].map(|track| newest(&catalog.core_releases(goal.band(), track)));
    let have: Vec<&str> = tracks.iter().flatten().map(String::as_str).collect();
    let have = if have.is_empty() { "none".to_owned() } else { have.join("; ") };
    let help = "add it to a PackageCatalog, with its SHA-256";
    let help =
        unnamed(catalog, goal.band()).map_or_else(|| help.to_owned(), |unnamed| format!("{help}; {unnamed}"));
    draft.block(
        BlockCode::NoPackage,
        Vec::new(),
        format!(
            "the catalogue has no full package of {}{} (of {}.{}: {have})",
            goal.name(),
            goal.build().map(|build| format!(" (build {build})")).unwrap_or_default(),
            goal.band().0,
            goal.band().1
        ),
        help,
    );
}

/// The newest releases of a track, and how many more there are; `None` where there is none.
pub(super) fn newest(releases: &[(&Release, &Entry)]) -> Option<String> {
    const SHOWN: usize = 3;
    let names: Vec<String> = releases.iter().rev().take(SHOWN).map(|(release, _)| release.name()).collect();
    let more = releases.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!names.is_empty()).then(|| format!("{}{more}", names.join(", ")))
}

/// What to do about full packages of a line whose names do not tell their CU: no rule can choose them.
fn unnamed(catalog: &Catalog, band: (u16, u16)) -> Option<String> {
    let mut unnamed = catalog.packages().filter_map(|entry| {
        let release = entry.release.as_ref().filter(|release| release.band() == band)?;
        (entry.kind == PackageKind::Full && release.cu().is_none()).then_some((entry, release))
    });
    let (entry, release) = unnamed.next()?;
    let build = release.build().map_or_else(|| "…".to_owned(), |build| build.to_string());
    let line = release.line();
    Some(format!(
        "which CU `{}` is, its name does not tell: name it by `builds: {{ \"{line}.0-{build}\": {line} CU… }}` in the \
         catalogue",
        entry.file
    ))
}

/// D2: a leg whose fixes fall says so by its rule.
fn mark_falls<'a>(source: &Release, mut stops: Vec<Stop<'a>>) -> Vec<Stop<'a>> {
    let mut before = source.index_low();
    for stop in &mut stops {
        if stop.to.index_low() < before {
            stop.rules.push("D2");
        }
        before = stop.to.index_low();
    }
    stops
}
