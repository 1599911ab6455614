//! Direction: which way the core goes (D1-D5, D7), for all Agents or for laggards first.

use std::cmp::Ordering;

use dataminer_schema::{
    id::AgentName,
    plan::{BlockCode, Change},
    v1::cluster::DowngradePolicy,
    version::{Track, Version},
};

use super::{
    PlanInput,
    draft::{Draft, list},
    route::{self, Stop},
    survey::{BROKER_ONLY, Broker, CoreSeen, Seen, Survey},
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
    pub(super) web: Option<WebLeg<'a>>,
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
    pub(super) from: Release,
    pub(super) to: Release,
    pub(super) entry: &'a Entry,
    /// The Agents that it changes.
    pub(super) agents: Vec<AgentName>,
    /// The Agents that run `to` once it is done.
    pub(super) verify: Vec<AgentName>,
    pub(super) rules: Vec<&'static str>,
    pub(super) reason: String,
}

/// Where a release stands to the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    Below,
    At,
    Above,
    Unknown,
}

/// How far the core is from the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CoreChange {
    None,
    Upgrade,
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
        [(release, _)] => uniform(input, survey, &target, release, &mut course, draft),
        [_, _] => mixed(input, survey, &target, &groups, &mut course, draft),
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
    course.target = Some(target);
    course.web = web::plan_web(input, survey, &course, change, draft);
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

fn position(release: &Release, target: &Target<'_>) -> Position {
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

fn uniform<'a>(
    input: &PlanInput<'a>,
    survey: &Survey<'a>,
    target: &Target<'a>,
    seen: &Release,
    course: &mut Course<'a>,
    draft: &mut Draft,
) -> CoreChange {
    match position(seen, target) {
        Position::At => CoreChange::None,
        Position::Below => {
            draft.change = Change::Upgrade;
            let all = survey.names();
            course.legs = legs(input, survey, seen, target, (&all, &all), draft);
            CoreChange::Upgrade
        }
        Position::Above => {
            draft.change = Change::Downgrade;
            downward(input, seen, target, Vec::new(), draft);
            CoreChange::Undecided
        }
        Position::Unknown => {
            unknown(seen, target, survey.names(), draft);
            CoreChange::Undecided
        }
    }
}

/// D5: laggards first, to the highest release that runs and is not above the target.
fn mixed<'a>(
    input: &PlanInput<'a>,
    survey: &Survey<'a>,
    target: &Target<'a>,
    groups: &[(&Release, Vec<&Seen<'a>>)],
    course: &mut Course<'a>,
    draft: &mut Draft,
) -> CoreChange {
    draft.change = Change::Repair;
    let names = |members: &[&Seen<'a>]| members.iter().map(|seen| seen.name.clone()).collect::<Vec<_>>();
    for (release, members) in groups {
        match position(release, target) {
            Position::Above => {
                downward(input, release, target, names(members), draft);
                return CoreChange::Undecided;
            }
            Position::Unknown => {
                unknown(release, target, names(members), draft);
                return CoreChange::Undecided;
            }
            Position::Below | Position::At => {}
        }
    }
    let [(low, lagging), (high, _)] = groups else { return CoreChange::Undecided };
    let boundary =
        low.at_least(&BROKER_ONLY) != high.at_least(&BROKER_ONLY) || survey.broker() == Broker::Differs;
    let mut refuse = |why: String| {
        draft.block(
            BlockCode::MixedCluster,
            names(lagging),
            format!(
                "{} runs {}, the others {}: {why}",
                list(&names(lagging)),
                low.describe(),
                high.describe()
            ),
            "bring these Agents to the version of the others by hand; a mixed cluster can corrupt data",
        );
    };
    if boundary {
        refuse("a mix across the BrokerGateway boundary is not repaired unattended".to_owned());
        return CoreChange::Undecided;
    }
    let Some(common) = repair_target(input, high) else {
        refuse(format!("the catalogue has no package of {}", high.describe()));
        return CoreChange::Undecided;
    };
    let mut trial = Draft::new();
    let pairs: Vec<AgentName> = survey.names_where(|seen| {
        // A Failover pair is one unit.
        lagging.iter().any(|lag| lag.name == seen.name || lag.partner == Some(seen.name))
    });
    let all = survey.names();
    let mut repair = legs(input, survey, low, &common, (&pairs, &all), &mut trial);
    if let Some(block) = trial.blocked.first() {
        refuse(format!("no legal path ({:?}: {})", block.code, block.message));
        return CoreChange::Undecided;
    }
    draft.warnings.append(&mut trial.warnings);
    let last = repair.len().saturating_sub(1);
    for (number, leg) in repair.iter_mut().enumerate() {
        leg.rules.insert(0, "D5");
        leg.reason = format!("first {} comes to what the others run; {}", list(&pairs), leg.reason);
        if number < last {
            leg.verify.clone_from(&pairs);
        }
    }
    course.legs = repair;
    if position(high, target) == Position::Below {
        course.legs.extend(legs(input, survey, high, target, (&all, &all), draft));
    }
    CoreChange::Upgrade
}

/// The package of what the others already run: the same build where it is known.
fn repair_target<'a>(input: &PlanInput<'a>, high: &Release) -> Option<Target<'a>> {
    let version = match (high.build(), high.cu()) {
        (Some(_), _) => high.version().clone(),
        (None, Some(cu)) => high.version().clone().with_cu(cu),
        (None, None) => return None,
    };
    let entry = input.catalog.core_package(&version)?;
    let release = entry.release.clone().unwrap_or_else(|| high.clone());
    Some(Target { release, expected: ExpectedCore::of(&version, input.catalog), entry: Some(entry) })
}

/// The legs of a route, for `agents`; `all` of them run the last one's release afterwards.
fn legs<'a>(
    input: &PlanInput<'a>,
    survey: &Survey<'a>,
    source: &Release,
    target: &Target<'a>,
    (agents, all): (&[AgentName], &[AgentName]),
    draft: &mut Draft,
) -> Vec<Leg<'a>> {
    if source.is_hotfix() {
        draft.block(
            BlockCode::HotfixInstalled,
            survey.names_where(|seen| seen.release().is_some_and(Release::is_hotfix)),
            format!("the hotfix {} would be replaced by {}", source.describe(), target.release.name()),
            "an upgrade removes a hotfix: find out whether the target contains it, and install the default release of \
             its base by hand first; this version installs no hotfixes",
        );
    }
    let stops = route::plan_route(input, survey, source, target, draft);
    let mut from = source.clone();
    stops
        .into_iter()
        .map(|stop| {
            let Stop { to, entry, rules, reason } = stop;
            let previous = std::mem::replace(&mut from, to.clone());
            Leg { from: previous, to, entry, agents: agents.to_vec(), verify: all.to_vec(), rules, reason }
        })
        .collect()
}

/// D1: a lower target.
fn downward(
    input: &PlanInput<'_>,
    seen: &Release,
    target: &Target<'_>,
    agents: Vec<AgentName>,
    draft: &mut Draft,
) {
    let (observed, wanted) = (seen.describe(), target.release.name());
    match input.desired.cluster.downgrade.policy {
        DowngradePolicy::Forbid => {
            let help = downward_help(seen, &target.release);
            draft.block(
                BlockCode::DowngradeNotAllowed,
                agents,
                format!("{observed} runs and {wanted} is wanted: that is a downgrade"),
                help,
            );
        }
        DowngradePolicy::Allow => draft.block(
            BlockCode::ManualStepRequired,
            agents,
            format!("{observed} runs and {wanted} is wanted: this version of the program does not do downgrades yet"),
            "downgrade by hand (full package of the older version, one for each Main Release in between, then restore \
             dashboards and apps), or want what runs",
        ),
    }
}

fn downward_help(seen: &Release, wanted: &Release) -> String {
    if seen.line() == wanted.line() && seen.track() == Track::Feature {
        return format!("write `core: {}` to keep what runs", seen.name());
    }
    if seen.band() == wanted.band() && seen.track() == Track::Feature && wanted.track() == Track::Main {
        let (major, minor) = seen.band();
        return format!(
            "a Feature Release leads to the next Main Release: want `{major}.{}.0` with its CU, or a higher \
             `{major}.{minor}.x`; downgrades need `downgrade.policy: Allow`",
            minor + 1
        );
    }
    format!("want `{}` or higher; downgrades need `downgrade.policy: Allow`", seen.name())
}

fn unknown(seen: &Release, target: &Target<'_>, agents: Vec<AgentName>, draft: &mut Draft) {
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
