//! The web apps (W1-W9): whether a web package follows the core, and what must not fall.

use std::collections::BTreeMap;

use dataminer_schema::{
    id::AgentName,
    plan::{BlockCode, Change},
    version::{MonthIndex, Version, WebWanted},
};

use super::{
    PlanInput,
    allowance::Allowance,
    course::{CoreChange, Course, Way},
    draft::{Draft, list},
    survey::{Seen, Survey},
    web_gate::gate,
    web_level::{any_loses_library, loses_library, prerequisite, protect},
};
use crate::{
    catalog::Entry,
    release::{Release, web_index},
};

/// What becomes of the web apps.
#[derive(Debug, Default)]
pub(super) struct WebPlan<'a> {
    pub(super) leg: Option<WebLeg<'a>>,
    /// The final level, where it is below what runs and that is allowed (W5).
    pub(super) falls_to: Option<Version>,
}

/// One web package for all Agents.
#[derive(Debug)]
pub(super) struct WebLeg<'a> {
    pub(super) way: Way,
    /// The level that was seen: on the way up the lowest, on the way down the highest; absent where unknown.
    pub(super) from: Option<Version>,
    pub(super) to: Version,
    pub(super) entry: &'a Entry,
    pub(super) rules: Vec<&'static str>,
    pub(super) reason: String,
    /// Whether GQI must be installed again behind it (W8).
    pub(super) loses_library: bool,
}

/// Decides on the web step, and protects the level that is there (W5).
pub(super) fn plan_web<'a>(
    input: &PlanInput<'a>,
    survey: &Survey<'a>,
    course: &Course<'a>,
    change: CoreChange,
    draft: &mut Draft,
) -> WebPlan<'a> {
    let plan = match change {
        CoreChange::Undecided => None,
        CoreChange::Moves => with_core(input, survey, course, draft),
        CoreChange::None => {
            let core = course.target.as_ref().map(|target| &target.release);
            core.and_then(|core| without_core(input, survey, core, draft))
        }
    };
    plan.unwrap_or_default()
}

/// W3: a full package replaces the web apps by its own level; a higher wanted one follows the last hop.
fn with_core<'a>(
    input: &PlanInput<'a>,
    survey: &Survey<'a>,
    course: &Course<'a>,
    draft: &mut Draft,
) -> Option<WebPlan<'a>> {
    let core = &course.target.as_ref()?.release;
    let bundled = core.index_low();
    let mut last = own_level(core);
    let mut leg = None;
    if let WebWanted::Version(wanted) = &input.desired.cluster.software.web_apps {
        let wanted = known_level(input, wanted, draft)?;
        let level = web_index(&wanted);
        if level < bundled {
            draft.block(
                BlockCode::WebRegression,
                Vec::new(),
                format!(
                    "web apps {} are wanted, but core {} brings a newer level of its own",
                    wanted.release_name(),
                    core.name()
                ),
                format!("write `webApps: bundled`, or want at least the level of {}", core.name()),
            );
            return None;
        }
        if level > bundled {
            let reason =
                format!("core {} brings an older level; the wanted one follows the last hop", core.name());
            // The last hop has replaced the web apps before.
            let loses_library = loses_library(survey.rules, core, &wanted);
            let from = Some(own_level(core));
            let step = Step { way: Way::Up, from, rules: vec!["W3"], reason, loses_library };
            leg = web_leg(input, &wanted, core, step, draft);
            last = wanted;
        }
    }
    let falls = protect(input, survey, course, web_index(&last), draft);
    prerequisite(survey, course, draft);
    Some(WebPlan { leg, falls_to: falls.then_some(last) })
}

/// The level that a full package of `core` brings.
fn own_level(core: &Release) -> Version {
    core.name().parse().unwrap_or_else(|_| core.version().clone())
}

/// W6: only the web apps move, or nothing does.
fn without_core<'a>(
    input: &PlanInput<'a>,
    survey: &Survey<'a>,
    core: &Release,
    draft: &mut Draft,
) -> Option<WebPlan<'a>> {
    let levels: Vec<Option<MonthIndex>> = survey
        .members
        .iter()
        .filter(|seen| seen.reached().is_some())
        .map(|seen| seen.web.as_ref().map(web_index))
        .collect();
    let unknown = levels.contains(&None);
    let highest = levels.iter().flatten().copied().max();
    let wanted = match &input.desired.cluster.software.web_apps {
        WebWanted::Unmanaged => {
            if highest.is_some_and(|level| level > core.index_high()) {
                draft.warn(
                    "WebAheadOfCore",
                    "W9",
                    format!(
                        "the web apps are newer than core {}, and the manifest does not manage them",
                        core.name()
                    ),
                );
            }
            warn_of_differing(survey, draft);
            return None;
        }
        WebWanted::Bundled => {
            let lowest = levels.iter().flatten().copied().min();
            return bundled(input, survey, core, (lowest, highest, unknown), draft);
        }
        WebWanted::Version(wanted) => &known_level(input, wanted, draft)?,
    };
    let level = web_index(wanted);
    // W5: an unknown level is at least the core's own.
    let floor = survey.members.iter().filter_map(Seen::effective_web).max();
    if floor.is_some_and(|floor| level < floor) {
        let newest = survey.highest_web();
        let newest =
            newest.map_or_else(|| format!("core {} with its own level", core.name()), Version::release_name);
        return fall(input, survey, core, (wanted, &wanted.release_name(), &newest), draft);
    }
    if !unknown && levels.iter().all(|seen| *seen == Some(level)) {
        return None;
    }
    if unknown {
        let names = survey.names_where(|seen| seen.reached().is_some() && seen.web.is_none());
        draft.warn("WebLevelUnknown", "W9", format!("the web level of {} is not known", list(&names)));
    }
    if draft.change == Change::None {
        draft.change = Change::WebUpgrade;
    }
    let (rules, reason) = if unknown {
        (vec!["W6", "W9"], "the level of some Agent is not known, so the wanted one is installed".to_owned())
    } else {
        (vec!["W6"], "only the web apps change; DataMiner itself is not restarted".to_owned())
    };
    let loses_library = any_loses_library(survey, wanted);
    let step = Step { way: Way::Up, from: survey.lowest_web().cloned(), rules, reason, loses_library };
    Some(WebPlan { leg: web_leg(input, wanted, core, step, draft), falls_to: None })
}

/// W7: nobody brings together what the manifest does not manage, and the Agents of one system shall have one level
/// (`domain/03 section 1`).
fn warn_of_differing(survey: &Survey<'_>, draft: &mut Draft) {
    let mut levels: BTreeMap<MonthIndex, (&Version, Vec<AgentName>)> = BTreeMap::new();
    for seen in &survey.members {
        let Some(web) = &seen.web else { continue };
        levels.entry(web_index(web)).or_insert((web, Vec::new())).1.push(seen.name.clone());
    }
    if levels.len() > 1 {
        let told = levels.values().map(|(web, names)| format!("{} on {}", web.release_name(), list(names)));
        let told = told.collect::<Vec<_>>().join(", ");
        draft.warn(
            "WebLevelsDiffer",
            "W7",
            format!("the Agents have different web apps ({told}), and the manifest does not manage them"),
        );
    }
}

/// The wanted web apps with their CU.
fn known_level(input: &PlanInput<'_>, wanted: &Version, draft: &mut Draft) -> Option<Version> {
    let known = input.catalog.named_web(wanted);
    if known.is_none() {
        draft.block(
            BlockCode::UnknownBuild,
            Vec::new(),
            format!("which CU the wanted web apps {wanted} are, is not known"),
            "write the CU as well, for example `webApps: 10.5.0 CU12`, or name the build in the catalogue's `builds`",
        );
    }
    known
}

/// `bundled` without a core step: the level of the core that runs.
fn bundled<'a>(
    input: &PlanInput<'a>,
    survey: &Survey<'a>,
    core: &Release,
    (lowest, highest, unknown): (Option<MonthIndex>, Option<MonthIndex>, bool),
    draft: &mut Draft,
) -> Option<WebPlan<'a>> {
    let wanted = own_level(core);
    if highest.is_some_and(|level| level > core.index_high()) {
        let named = format!("as core {} brings them", core.name());
        let newest = survey.highest_web().map_or_else(|| "a newer level".to_owned(), Version::release_name);
        return fall(input, survey, core, (&wanted, &named, &newest), draft);
    }
    if unknown {
        draft.warn(
            "WebLevelUnknown",
            "W9",
            format!("whether the web apps are those that core {} brought is not known", core.name()),
        );
    }
    if lowest.is_none_or(|level| level >= core.index_low()) {
        return None;
    }
    // Somebody installed older web apps behind the core: the web package of its own release brings its level back.
    if draft.change == Change::None {
        draft.change = Change::WebUpgrade;
    }
    let reason = format!("the web apps are older than those of core {}, which are wanted", core.name());
    let loses_library = any_loses_library(survey, &wanted);
    let from = survey.lowest_web().cloned();
    let step = Step { way: Way::Up, from, rules: vec!["W6"], reason, loses_library };
    Some(WebPlan { leg: web_leg(input, &wanted, core, step, draft), falls_to: None })
}

/// W5: a lower level without a core step.
fn fall<'a>(
    input: &PlanInput<'a>,
    survey: &Survey<'a>,
    core: &Release,
    (wanted, named, observed): (&Version, &str, &str),
    draft: &mut Draft,
) -> Option<WebPlan<'a>> {
    draft.change = Change::WebDowngrade;
    let allowance = Allowance::of(input);
    if allowance != Allowance::Given {
        draft.block(
            BlockCode::DowngradeNotAllowed,
            Vec::new(),
            format!("web apps {named} are wanted and {observed} runs: that is a downgrade"),
            allowance.help("want the level that runs or a higher one, or write `webApps: unmanaged`"),
        );
        return None;
    }
    let highest = survey.highest_web().filter(|seen| web_index(seen) > web_index(wanted));
    let step = Step {
        way: Way::Down,
        from: highest.cloned(),
        rules: vec!["W5", "W6"],
        reason: format!("web apps {named} are wanted and {observed} runs; DataMiner itself is not restarted"),
        loses_library: false,
    };
    Some(WebPlan { leg: web_leg(input, wanted, core, step, draft), falls_to: Some(wanted.clone()) })
}

/// What a web step is about, before its package is found.
struct Step {
    way: Way,
    from: Option<Version>,
    rules: Vec<&'static str>,
    reason: String,
    loses_library: bool,
}

/// The step itself, behind its gates.
fn web_leg<'a>(
    input: &PlanInput<'a>,
    wanted: &Version,
    core: &Release,
    step: Step,
    draft: &mut Draft,
) -> Option<WebLeg<'a>> {
    let Step { way, from, mut rules, reason, loses_library } = step;
    let rule = gate(input.knowledge, wanted, core, draft);
    rules.extend(rule);
    let Some(entry) = input.catalog.web_package(wanted) else {
        // W1: what such a core cannot take nobody needs to add, and for its own release there is none in the world.
        if rule != Some("W1") {
            draft.block(
                BlockCode::NoPackage,
                Vec::new(),
                format!("the catalogue has no web package of {wanted}"),
                "add the `Web Upgrade` package of it to a PackageCatalog, with its SHA-256",
            );
        }
        return None;
    };
    Some(WebLeg { way, from, to: wanted.clone(), entry, rules, reason, loses_library })
}
