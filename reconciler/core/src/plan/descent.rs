//! The downward path of the core (G1), and what is known to go wrong on it (G2-G4, G7).

use std::cmp::Reverse;

use dataminer_schema::{
    plan::{BlockCode, PackagePatch},
    v1::knowledge::{DescentRule, StorageRule},
    version::{MonthIndex, Track},
};

use super::{
    PlanInput,
    course::Target,
    draft::{Draft, list},
    hazards,
    route::{self, Stop},
    survey::{Broker, Survey},
};
use crate::{knowledge::holds, release::Release};

/// Where a package keeps its checks.
const PREREQUISITES: &str = "Update.zip\\Prerequisites";

/// The packages from `source` down to `target`, as far as they can be found; what is wrong goes into `draft`.
pub(super) fn plan_descent<'a>(
    input: &PlanInput<'a>,
    survey: &Survey<'a>,
    source: &Release,
    target: &Target<'a>,
    draft: &mut Draft,
) -> Vec<Stop<'a>> {
    let goal = &target.release;
    let oldest = &survey.rules.oldest.line;
    if goal.band() < route::band_of(oldest) {
        draft.block(
            BlockCode::NoPath,
            Vec::new(),
            format!("there is no documented path down to {}", goal.name()),
            format!(
                "packages hold no downgrade actions for versions below {}.{}: ask the vendor's support",
                oldest.major(),
                oldest.minor()
            ),
        );
        return Vec::new();
    }
    let Some(bands) = route::bands_between(input, goal, source, draft) else { return Vec::new() };
    let bands = bands.into_iter().rev();
    let mut stops: Vec<Stop<'a>> = bands.filter_map(|band| stop_in(input, band, source, draft)).collect();
    match target.entry {
        Some(entry) => {
            let from = stops.last().map_or(source, |stop| &stop.to);
            let reason = route::nothing_between(from, goal, !stops.is_empty());
            stops.push(Stop::new(goal.clone(), entry, vec!["G1"], reason));
        }
        None => route::no_package(input.catalog, goal, draft),
    }
    hurdles(input, survey, source, goal, &mut stops, draft);
    hazards::plan_faults(survey, goal, &stops, draft);
    stops
}

/// G1: the latest Main Release of `band` in the catalogue that is not newer in fixes than the source; not one of
/// H12 while another serves.
fn stop_in<'a>(
    input: &PlanInput<'a>,
    band: (u16, u16),
    source: &Release,
    draft: &mut Draft,
) -> Option<Stop<'a>> {
    let (catalog, rules) = (input.catalog, input.knowledge.rules());
    let (major, minor) = band;
    // The pessimistic end: the stop must not have more fixes than the source may have.
    let ceiling: MonthIndex = source.index_low();
    let mains = catalog.core_releases(band, Track::Main);
    let fitting = mains.iter().filter(|(release, _)| release.index_low() <= ceiling);
    let latest =
        fitting.max_by_key(|(release, _)| (Reverse(hazards::is_h12(rules, release)), release.index_low()));
    if let Some((to, entry)) = latest {
        let reason = format!(
            "the way down takes one package of each Main Release: the latest CU of {major}.{minor} that is not newer in \
             fixes than {}",
            source.describe()
        );
        return Some(Stop::new((*to).clone(), entry, vec!["G1"], reason));
    }
    let have = route::newest(&mains).unwrap_or_else(|| "none".to_owned());
    let wanted =
        route::best_known(input.knowledge, band, MonthIndex::BEFORE_10, ceiling).unwrap_or_else(|| {
            format!("{major}.{minor}.0 with fixes not newer than those of {}", source.describe())
        });
    draft.block(
        BlockCode::NoPackage,
        Vec::new(),
        format!(
            "the way down stops in {major}.{minor}, and no package of it serves (in the catalogue: {have})"
        ),
        route::add_package(catalog, band, &wanted),
    );
    None
}

/// G2-G4 for each hop, G7 for the whole way.
fn hurdles(
    input: &PlanInput<'_>,
    survey: &Survey<'_>,
    source: &Release,
    goal: &Release,
    stops: &mut [Stop<'_>],
    draft: &mut Draft,
) {
    plan_patches(input, source, stops, draft);
    let mut from = source.clone();
    for stop in stops.iter_mut() {
        stop.around.swaps = swaps_modules(&survey.rules.g3, &from, &stop.to);
        from = stop.to.clone();
    }
    broker_gateway(survey, goal, draft);
    swarming(survey, source, goal, draft);
}

/// G2 for each hop, upwards too: `10.4.0 CU9` to `10.4.2` comes under the threshold (T1), although the number rises.
pub(super) fn plan_patches(
    input: &PlanInput<'_>,
    source: &Release,
    stops: &mut [Stop<'_>],
    draft: &mut Draft,
) {
    let patches = input.desired.cluster.downgrade.patch_prerequisites;
    let mut from = source.clone();
    for stop in stops {
        stop.around.patch = nats_check(&input.knowledge.rules().g2, &from, &stop.to, patches, draft);
        from = stop.to.clone();
    }
}

/// G2: the check of a newer core refuses older packages. What the staged copy shall lack, where that is allowed.
fn nats_check(
    rule: &DescentRule,
    from: &Release,
    to: &Release,
    patches: bool,
    draft: &mut Draft,
) -> Option<PackagePatch> {
    let DescentRule { checks, dll, issue, source: _ } = rule;
    if from.at_least(checks) != Some(true) || to.at_least(checks) != Some(false) {
        return None;
    }
    let cited = issue.as_ref().map(|issue| format!(" ({issue})")).unwrap_or_default();
    let check = dll.strip_suffix(".dll").unwrap_or(dll);
    let fails = format!(
        "the prerequisite {check} of {} fails on the way down from {}{cited}",
        to.name(),
        from.name()
    );
    if patches {
        let message = format!(
            "{fails}: `patchPrerequisites` leaves `{dll}` out of the staged copy, and nothing else; the plan pins the package \
             as it was published and what is left out"
        );
        draft.warn("PrerequisitePatched", issue.as_deref().unwrap_or("G2"), message);
        return Some(PackagePatch { removes: format!("{PREREQUISITES}\\{dll}"), sha256: None });
    }
    let first = checks.main().next().map(|first| first.line().to_string()).unwrap_or_default();
    draft.block(
        BlockCode::PrerequisiteKnownToFail,
        Vec::new(),
        fails,
        format!(
            "the documented way out is to remove `{dll}` from `{PREREQUISITES}` of the package: \
             `downgrade.patchPrerequisites: true` does that to the staged copy; or want {first} or later"
        ),
    );
    None
}

/// G3: two modules are left behind newer than the core can use.
fn swaps_modules(rule: &StorageRule, from: &Release, to: &Release) -> bool {
    from.line() >= rule.from.line() && holds(&rule.to, to) == Some(true)
}

/// G4: the legacy NATS is gone where BrokerGateway runs, and the target knows nothing else.
fn broker_gateway(survey: &Survey<'_>, goal: &Release, draft: &mut Draft) {
    if goal.at_least(&survey.rules.h4.possible) == Some(true) {
        return;
    }
    let (agents, seen) = match survey.broker() {
        Broker::Inactive => return,
        Broker::Active | Broker::Differs => {
            (survey.names_where(|seen| seen.broker(survey.rules) == Some(true)), "runs on")
        }
        Broker::Unknown => (
            survey.names_where(|seen| seen.reached().is_some() && seen.broker(survey.rules).is_none()),
            "may run (it was not seen) on",
        ),
    };
    if agents.is_empty() {
        return;
    }
    let message = format!("BrokerGateway {seen} {}, and {} does not know it", list(&agents), goal.name());
    draft.block(
        BlockCode::ManualStepRequired,
        agents,
        message,
        format!(
            "roll the BrokerGateway migration back by hand on all Agents together first, or want {} or later",
            survey.rules.h4.possible.listed()
        ),
    );
}

/// G7: the database of a swarming cluster cannot be read by a core without Swarming.
fn swarming(survey: &Survey<'_>, source: &Release, goal: &Release, draft: &mut Draft) {
    let since = &survey.rules.g7.since;
    if source.at_least(since) == Some(false) || goal.at_least(since) == Some(true) {
        return;
    }
    let on = survey.names_where(|seen| seen.reached().is_some_and(|agent| agent.swarming == Some(true)));
    let unknown = survey.names_where(|seen| seen.reached().is_some_and(|agent| agent.swarming.is_none()));
    if !on.is_empty() {
        let message = format!("Swarming is on ({}), and {} does not have it", list(&on), goal.name());
        draft.block(
            BlockCode::ManualStepRequired,
            on,
            message,
            "turn Swarming off as documented (it needs a backup of the database from before), or want a release that has it",
        );
    } else if !unknown.is_empty() {
        draft.warn(
            "SwarmingUnknown",
            "G7",
            format!(
                "whether Swarming is on was not seen on {}; {} could not run with it",
                list(&unknown),
                goal.name()
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::Knowledge;

    #[test]
    fn g7_no_main_release_of_10_5_has_swarming() {
        let has = |text: &str| {
            let release = Release::exact(text.parse().expect("a version")).expect("a CU");
            release.at_least(&Knowledge::built_in().rules().g7.since)
        };
        assert_eq!(has("10.5.0 CU18"), Some(false));
        assert_eq!(has("10.5.1"), Some(true));
        assert_eq!(has("10.6.0 CU0"), Some(true));
    }
}
