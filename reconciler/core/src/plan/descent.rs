//! The downward path of the core (G1), and what is known to go wrong on it (G2-G4, G7).

use std::cmp::Reverse;

use dataminer_schema::{
    plan::BlockCode,
    version::{Line, MonthIndex, Track},
};

use super::{
    PlanInput,
    course::Target,
    draft::{Draft, list},
    hazards,
    route::{self, Stop},
    survey::{BROKER_POSSIBLE, Broker, Survey},
};
use crate::{
    catalog::Catalog,
    release::{Release, Threshold},
};

/// G2: from here on packages of older releases fail a prerequisite (KI_Downgrade_fails_VerifyNatsIsRunning_prerequisite).
const CHECKS_NATS: Threshold = Threshold::new((10, 4, 0), (10, 4, 3, 0));

/// G7: the first releases with Swarming; no Main Release 10.5.0 has it.
const SWARMS: Threshold = Threshold::new((10, 6, 0), (10, 5, 1, 0));

/// The packages from `source` down to `target`, as far as they can be found; what is wrong goes into `draft`.
pub(super) fn plan_descent<'a>(
    input: &PlanInput<'a>,
    survey: &Survey<'a>,
    source: &Release,
    target: &Target<'a>,
    draft: &mut Draft,
) -> Vec<Stop<'a>> {
    let goal = &target.release;
    if goal.band() < (9, 6) {
        draft.block(
            BlockCode::NoPath,
            Vec::new(),
            format!("there is no documented path down to {}", goal.name()),
            "packages hold no downgrade actions for versions below 9.6: ask the vendor's support",
        );
        return Vec::new();
    }
    let Some(bands) = route::bands_between(input.catalog, goal, source, draft) else { return Vec::new() };
    let bands = bands.into_iter().rev();
    let mut stops: Vec<Stop<'a>> =
        bands.filter_map(|band| stop_in(input.catalog, band, source, draft)).collect();
    match target.entry {
        Some(entry) => {
            let from = stops.last().map_or(source, |stop| &stop.to);
            let reason = format!("no Main Release lies between {} and {} any more", from.name(), goal.name());
            stops.push(Stop { to: goal.clone(), entry, rules: vec!["G1"], reason });
        }
        None => route::no_package(input.catalog, goal, draft),
    }
    hurdles(survey, source, goal, &stops, draft);
    hazards::plan_faults(survey, goal, &stops, draft);
    stops
}

/// G1: the latest Main Release of `band` in the catalogue that is not newer in fixes than the source; not one of
/// H12 while another serves.
fn stop_in<'a>(
    catalog: &'a Catalog,
    band: (u16, u16),
    source: &Release,
    draft: &mut Draft,
) -> Option<Stop<'a>> {
    let (major, minor) = band;
    // The pessimistic end: the stop must not have more fixes than the source may have.
    let ceiling: MonthIndex = source.index_low();
    let mains = catalog.core_releases(band, Track::Main);
    let fitting = mains.iter().filter(|(release, _)| release.index_low() <= ceiling);
    let latest = fitting.max_by_key(|(release, _)| (Reverse(hazards::is_h12(release)), release.index_low()));
    if let Some((to, entry)) = latest {
        return Some(Stop {
            to: (*to).clone(),
            entry,
            rules: vec!["G1"],
            reason: format!(
                "the way down takes one package of each Main Release: the latest CU of {major}.{minor} that is not \
                 newer in fixes than {}",
                source.describe()
            ),
        });
    }
    let have: Vec<String> = mains.iter().map(|(release, _)| release.name()).collect();
    let have = if have.is_empty() { "none".to_owned() } else { have.join(", ") };
    let wanted = route::best_known(band, MonthIndex::BEFORE_10, ceiling).unwrap_or_else(|| {
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
fn hurdles(survey: &Survey<'_>, source: &Release, goal: &Release, stops: &[Stop<'_>], draft: &mut Draft) {
    let mut from = source;
    for stop in stops {
        nats_check(from, &stop.to, draft);
        storage_module(from, &stop.to, draft);
        from = &stop.to;
    }
    broker_gateway(survey, goal, draft);
    swarming(survey, source, goal, draft);
}

/// G2.
fn nats_check(from: &Release, to: &Release, draft: &mut Draft) {
    if from.at_least(&CHECKS_NATS) != Some(true) || to.at_least(&CHECKS_NATS) != Some(false) {
        return;
    }
    draft.block(
        BlockCode::PrerequisiteKnownToFail,
        Vec::new(),
        format!(
            "the prerequisite VerifyNatsIsRunning of {} fails on the way down from {} \
             (KI_Downgrade_fails_VerifyNatsIsRunning_prerequisite)",
            to.name(),
            from.name()
        ),
        format!(
            "this version does not change packages: bring all Agents to {} by hand, with `VerifyNatsIsRunning.dll` \
             removed from `Update.zip\\Prerequisites` of its package, then want what follows; or want 10.4.0 or later",
            to.name()
        ),
    );
}

/// G3: two modules are left behind newer than the core can use.
fn storage_module(from: &Release, to: &Release, draft: &mut Draft) {
    let line = |release: &Release| {
        let Line { major, minor, feature } = release.line();
        (major, minor, feature)
    };
    if line(from) < (10, 3, 8) || !((10, 3, 4)..=(10, 3, 7)).contains(&line(to)) {
        return;
    }
    draft.block(
        BlockCode::ManualStepRequired,
        Vec::new(),
        format!(
            "{} needs older DataMiner StorageModule and UserDefinableApiEndpoint than {} leaves behind",
            to.name(),
            from.name()
        ),
        "this version does not swap them: downgrade by hand as documented (right after the install stop each Agent, \
         reinstall both from `Tools\\ModuleInstallers`, start it), or want a release below 10.3.4 or from 10.3.8 on",
    );
}

/// G4: the legacy NATS is gone where BrokerGateway runs, and the target knows nothing else.
fn broker_gateway(survey: &Survey<'_>, goal: &Release, draft: &mut Draft) {
    if goal.at_least(&BROKER_POSSIBLE) == Some(true) {
        return;
    }
    let (agents, seen) = match survey.broker() {
        Broker::Inactive => return,
        Broker::Active | Broker::Differs => {
            (survey.names_where(|seen| seen.broker() == Some(true)), "runs on")
        }
        Broker::Unknown => (
            survey.names_where(|seen| seen.reached().is_some() && seen.broker().is_none()),
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
        "roll the BrokerGateway migration back by hand on all Agents together first, or want 10.5.0 CU2, 10.5.5 or later",
    );
}

/// G7: the database of a swarming cluster cannot be read by a core without Swarming.
fn swarming(survey: &Survey<'_>, source: &Release, goal: &Release, draft: &mut Draft) {
    if source.at_least(&SWARMS) == Some(false) || goal.at_least(&SWARMS) == Some(true) {
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

    #[test]
    fn g7_no_main_release_of_10_5_has_swarming() {
        let has = |text: &str| {
            let release = Release::exact(text.parse().expect("a version")).expect("a CU");
            release.at_least(&SWARMS)
        };
        assert_eq!(has("10.5.0 CU18"), Some(false));
        assert_eq!(has("10.5.1"), Some(true));
        assert_eq!(has("10.6.0 CU0"), Some(true));
    }
}
