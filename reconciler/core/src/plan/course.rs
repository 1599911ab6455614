//! Direction: which way the core goes (D1-D5, D7), for all Agents or for laggards first.

use std::{cmp::Ordering, collections::BTreeSet};

use dataminer_schema::{
    id::AgentName,
    plan::{BlockCode, Change},
    version::{Track, Version},
};

use super::{
    PlanInput,
    allowance::Allowance,
    descent,
    draft::{Draft, list},
    hotfix::{self, Hotfix},
    mixed,
    restore::{self, Cause, Tail},
    route::{self, Stop},
    survey::{CoreSeen, Seen, Survey},
    tools::Around,
    web::{self, WebLeg},
};
use crate::{
    catalog::Entry,
    converged::ExpectedCore,
    release::{OPEN_END, Release},
};

/// The way from what was seen to what is wanted.
#[derive(Debug, Default)]
pub(super) struct Course<'a> {
    pub(super) target: Option<Target<'a>>,
    pub(super) legs: Vec<Leg<'a>>,
    /// What follows the core (D4).
    pub(super) hotfixes: Vec<Hotfix<'a>>,
    pub(super) web: Option<WebLeg<'a>>,
    /// What follows the last install where the web level falls (G5).
    pub(super) tail: Option<Tail>,
}

/// The wanted core.
#[derive(Clone, Debug)]
pub(super) struct Target<'a> {
    pub(super) release: Release,
    pub(super) expected: ExpectedCore,
    /// Absent where the catalogue has no package of it.
    pub(super) entry: Option<&'a Entry>,
}

/// One installed core package on the way.
#[derive(Clone, Debug)]
pub(super) struct Leg<'a> {
    pub(super) way: Way,
    pub(super) from: Release,
    pub(super) to: Release,
    pub(super) entry: &'a Entry,
    /// The Agents that it changes.
    pub(super) agents: Vec<AgentName>,
    /// The Agents that run `to` once it is done.
    pub(super) verify: Vec<AgentName>,
    pub(super) rules: Vec<&'static str>,
    pub(super) reason: String,
    pub(super) around: Around<'a>,
}

/// Whether a leg raises the core or lowers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Up,
    Down,
}

/// Where a release stands to the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    Below,
    At,
    Above,
    Unknown,
}

/// How far the core is from the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CoreChange {
    None,
    /// By the legs of the course, up or down.
    Moves,
    /// Nothing sensible can be said of the web apps.
    Undecided,
}

/// Fills in core legs and the web step.
pub(super) fn plan_course<'a>(input: &PlanInput<'a>, survey: &Survey<'a>, draft: &mut Draft) -> Course<'a> {
    let mut course = Course::default();
    let Some(target) = target_of(input, draft) else { return course };
    let unread = survey.names_where(|seen| matches!(seen.core, CoreSeen::Absent | CoreSeen::Unreadable(_)));
    if !unread.is_empty() {
        let message = format!("the core version of {} is not known", list(&unread));
        let help = "see why `Upgrades\\VersionHistory.txt` could not be read there";
        draft.block(BlockCode::UnknownBuild, unread, message, help);
        course.target = Some(target);
        return course;
    }
    let groups = groups_of(survey);
    let change = match groups.as_slice() {
        [] => CoreChange::Undecided,
        [(release, members)] => uniform(input, survey, &target, (release, members), &mut course, draft),
        [_, _] => mixed::plan_mixed(input, survey, &target, &groups, &mut course, draft),
        _ => {
            draft.change = Change::Repair;
            let seen: Vec<String> = groups.iter().map(|(release, _)| release.describe()).collect();
            draft.block(
                BlockCode::MixedCluster,
                Vec::new(),
                format!("the Agents run {} versions: {}", groups.len(), seen.join(", ")),
                "bring them to at most two versions by hand: more than two are not repaired unattended",
            );
            CoreChange::Undecided
        }
    };
    if change == CoreChange::Moves {
        // A full package replaces whatever hotfix there was.
        course.hotfixes = hotfix::plan_hotfixes(input, 0, &target.release, draft);
    }
    course.target = Some(target);
    let web = web::plan_web(input, survey, &course, change, draft);
    course.web = web.leg;
    course.tail = web.falls_to.map(|level| restore::plan_restore(input, survey, &course, &level, draft));
    if course.web.as_ref().is_some_and(|web| web.loses_library) {
        course.tail.get_or_insert_with(|| Tail::of(Cause::Library)).repair_gqi();
    }
    course
}

/// The release that the manifest wants, with its package.
fn target_of<'a>(input: &PlanInput<'a>, draft: &mut Draft) -> Option<Target<'a>> {
    let wanted = &input.desired.cluster.software.core;
    let entry = input.catalog.core_package(wanted);
    // The manifest's own CU goes before what a package name or a table says.
    let cu = match (wanted.cu(), entry.and_then(|entry| entry.release.as_ref())) {
        (Some(cu), _) => Some(cu),
        (None, Some(packaged)) => packaged.cu(),
        (None, None) if wanted.build().is_some() => input.catalog.release_of(wanted).cu(),
        (None, None) => Release::exact(wanted.clone()).and_then(|release| release.cu()),
    };
    let build = wanted.build().or(entry.and_then(|entry| entry.release.as_ref()).and_then(Release::build));
    let release = cu.and_then(|cu| {
        let named = wanted.clone().with_cu(cu);
        Release::exact(match build {
            Some(build) => named.with_build(build),
            None => named,
        })
    });
    let Some(release) = release else {
        draft.block(
            BlockCode::UnknownBuild,
            Vec::new(),
            format!("which CU the wanted core {wanted} is, is not known"),
            "write the CU as well, for example `10.5.0 CU12`, or name the build in the catalogue's `builds`",
        );
        return None;
    };
    Some(Target { release, expected: ExpectedCore::of(wanted, input.catalog), entry })
}

/// The distinct releases that run, each with its Agents; lowest first.
fn groups_of<'s, 'a>(survey: &'s Survey<'a>) -> Vec<(&'s Release, Vec<&'s Seen<'a>>)> {
    let mut groups: Vec<(&Release, Vec<&Seen<'a>>)> = Vec::new();
    for seen in &survey.members {
        let Some(release) = seen.release() else { continue };
        let same = |other: &Release| {
            other.is_hotfix() == release.is_hotfix()
                && (other.version() == release.version() || other.compare(release) == Some(Ordering::Equal))
        };
        match groups.iter_mut().find(|(other, _)| same(other)) {
            Some((_, members)) => members.push(seen),
            None => groups.push((release, vec![seen])),
        }
    }
    groups
        .sort_by_key(|(release, _)| (release.line(), release.cu_low(), release.build(), release.is_hotfix()));
    groups
}

pub(super) fn position(release: &Release, target: &Target<'_>) -> Position {
    if target.expected.is(release) == Some(true) {
        return Position::At;
    }
    match release.compare(&target.release) {
        // A hotfix on the wanted base: only the base's own package would bring the default release back (D4).
        Some(Ordering::Less | Ordering::Equal) => Position::Below,
        Some(Ordering::Greater) => Position::Above,
        None => Position::Unknown,
    }
}

/// D4: where in the manifest's list the next hotfix stands, if the wanted core runs, or a listed hotfix on it.
fn next_hotfix(target: &Target<'_>, seen: &Release, members: &[&Seen<'_>]) -> Option<usize> {
    let is_target = |release: &Release| target.expected.is(release) == Some(true);
    if is_target(seen) {
        return Some(0);
    }
    let base = hotfix::base(seen).filter(|base| seen.is_hotfix() && is_target(base));
    let shown = members.iter().map(|seen| seen.hotfix).min()?;
    base.and(shown).map(|at| at + 1)
}

fn uniform<'a>(
    input: &PlanInput<'a>,
    survey: &Survey<'a>,
    target: &Target<'a>,
    (seen, members): (&Release, &[&Seen<'a>]),
    course: &mut Course<'a>,
    draft: &mut Draft,
) -> CoreChange {
    if let Some(next) = next_hotfix(target, seen, members) {
        course.hotfixes = hotfix::plan_hotfixes(input, next, &target.release, draft);
        if !course.hotfixes.is_empty() {
            draft.change = Change::Upgrade;
        }
        return CoreChange::None;
    }
    match position(seen, target) {
        Position::At => CoreChange::None,
        Position::Below => {
            draft.change = Change::Upgrade;
            let all = survey.names();
            course.legs = legs(input, survey, seen, target, (&all, &all), Way::Up, draft);
            CoreChange::Moves
        }
        Position::Above => {
            draft.change = Change::Downgrade;
            if !may_fall(input, seen, target, Vec::new(), draft) {
                return CoreChange::Undecided;
            }
            let all = survey.names();
            course.legs = legs(input, survey, seen, target, (&all, &all), Way::Down, draft);
            CoreChange::Moves
        }
        Position::Unknown => {
            unknown(seen, target, survey.names(), draft);
            CoreChange::Undecided
        }
    }
}

/// The legs of a route, for `agents`; `all` of them run the last one's release afterwards.
pub(super) fn legs<'a>(
    input: &PlanInput<'a>,
    survey: &Survey<'a>,
    source: &Release,
    target: &Target<'a>,
    (agents, all): (&[AgentName], &[AgentName]),
    way: Way,
    draft: &mut Draft,
) -> Vec<Leg<'a>> {
    let replaced = format!(
        "the hotfix {} of core {} would be replaced by {}",
        hotfixes_shown(survey),
        source.name(),
        target.release.name()
    );
    if source.is_hotfix() && input.desired.cluster.upgrade.accept_hotfix_loss {
        draft.warn("HotfixInstalled", "D4", format!("{replaced}; the manifest accepts that"));
    } else if source.is_hotfix() {
        draft.block(
            BlockCode::HotfixInstalled,
            survey.names_where(|seen| seen.release().is_some_and(Release::is_hotfix)),
            replaced,
            "an upgrade removes a hotfix: find out whether the target contains it, then set `upgrade: { acceptHotfixLoss: \
             true }`",
        );
    }
    let stops = match way {
        Way::Up => route::plan_route(input, survey, source, target, draft),
        Way::Down => descent::plan_descent(input, survey, source, target, draft),
    };
    let mut from = source.clone();
    stops
        .into_iter()
        .map(|stop| {
            let Stop { to, entry, rules, reason, around } = stop;
            let previous = std::mem::replace(&mut from, to.clone());
            Leg {
                way,
                from: previous,
                to,
                entry,
                agents: agents.to_vec(),
                verify: all.to_vec(),
                rules,
                reason,
                around,
            }
        })
        .collect()
}

/// The hotfixes and custom builds as the Agents show them: these are the names to look for in a release.
fn hotfixes_shown(survey: &Survey<'_>) -> String {
    let with_hotfix = survey.members.iter().filter(|seen| seen.release().is_some_and(Release::is_hotfix));
    let texts = with_hotfix.filter_map(|seen| seen.reached()?.core.as_deref());
    let texts: BTreeSet<String> = texts.map(|text| format!("`{}`", text.trim().escape_debug())).collect();
    texts.into_iter().collect::<Vec<_>>().join(", ")
}

/// D1: whether a lower target is allowed; blocks where it is not.
pub(super) fn may_fall(
    input: &PlanInput<'_>,
    seen: &Release,
    target: &Target<'_>,
    agents: Vec<AgentName>,
    draft: &mut Draft,
) -> bool {
    let allowance = Allowance::of(input);
    if allowance == Allowance::Given {
        return true;
    }
    draft.block(
        BlockCode::DowngradeNotAllowed,
        agents,
        format!("{} runs and {} is wanted: that is a downgrade", seen.describe(), target.release.name()),
        allowance.help(&instead(seen, &target.release)),
    );
    false
}

/// What to want instead of a lower release.
fn instead(seen: &Release, wanted: &Release) -> String {
    if seen.line() == wanted.line() && seen.track() == Track::Feature {
        return format!("write `core: {}` to keep what runs", seen.name());
    }
    if seen.band() == wanted.band() && seen.track() == Track::Feature && wanted.track() == Track::Main {
        let (major, minor) = seen.band();
        return format!(
            "a Feature Release leads to the next Main Release: want `{major}.{}.0` with its CU, or a higher \
             `{major}.{minor}.x`",
            minor + 1
        );
    }
    match (seen.cu(), seen.cu_high()) {
        (Some(_), _) => format!("want `{}` or higher", seen.name()),
        (None, OPEN_END) => format!(
            "name the build of {} in the catalogue's `builds`, and want that CU or a higher one",
            seen.describe()
        ),
        // It may be an older one; the highest that it can be is surely not lower than what runs.
        (None, high) => format!("want `{} CU{high}` or higher", seen.line()),
    }
}

pub(super) fn unknown(seen: &Release, target: &Target<'_>, agents: Vec<AgentName>, draft: &mut Draft) {
    let named: Version = seen.version().clone();
    draft.block(
        BlockCode::UnknownBuild,
        agents,
        format!(
            "whether {} is below or above {} is not known: it {}",
            seen.describe(),
            target.release.name(),
            match seen.cu_high() {
                OPEN_END => format!("is CU{} or later", seen.cu_low()),
                high => format!("lies between CU{} and CU{high}", seen.cu_low()),
            }
        ),
        format!(
            "name the build in the catalogue: `builds: {{ \"{}.0-{}\": {} CU… }}`, or add its package",
            named.line(),
            named.build().map_or_else(|| "…".to_owned(), |build| build.to_string()),
            named.line()
        ),
    );
}
