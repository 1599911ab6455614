//! H4: the BrokerGateway migration, which a way into 10.6 cannot skip and which happens on a 10.5 release.

use dataminer_schema::{
    plan::BlockCode,
    v1::knowledge::Threshold,
    version::{MonthIndex, Track},
};

use super::{
    draft::{Draft, list},
    hazards,
    route::Stop,
    survey::{Broker, Survey},
};
use crate::{
    catalog::{Catalog, Entry},
    knowledge::Rules,
    release::Release,
};

/// Where the migration happens.
pub(super) enum Spot<'a> {
    /// On what runs now.
    Here,
    /// On a stop.
    Stop(Box<Stop<'a>>),
}

/// Whether the way leads from where the legacy NATS may run to where it cannot.
pub(super) fn is_crossing(rules: &Rules, source: &Release, goal: &Release) -> bool {
    let only = &rules.h4.only;
    source.at_least(only) == Some(false) && goal.at_least(only) == Some(true)
}

/// The line A.B on which the migration happens.
pub(super) fn band(rules: &Rules) -> (u16, u16) {
    (rules.h4.line.major(), rules.h4.line.minor())
}

/// Decides whether the migration is needed and where, on a way that crosses. Where it was not seen whether it is done,
/// it is planned: a fresh look right before drops it if it is.
pub(super) fn plan_migration<'a>(
    catalog: &'a Catalog,
    survey: &Survey<'_>,
    source: &Release,
    goal: &Release,
    (floor, ceiling): (MonthIndex, MonthIndex),
    draft: &mut Draft,
) -> Option<Spot<'a>> {
    let broker = survey.broker();
    match broker {
        Broker::Active => return None,
        Broker::Differs => {
            draft.block(
                BlockCode::ManualStepRequired,
                survey.names_where(|seen| seen.broker(survey.rules) == Some(false)),
                "some Agents run BrokerGateway and some the legacy NATS, which does not work together",
                "finish the BrokerGateway migration by hand on all Agents first",
            );
            return None;
        }
        Broker::Inactive | Broker::Unknown => {}
    }
    let (major, minor) = band(survey.rules);
    let Some((spot, recommended)) = spot_for(catalog, survey.rules, source, (floor, ceiling)) else {
        draft.block(
            BlockCode::NoPackage,
            Vec::new(),
            format!(
                "the way to {} needs a {major}.{minor} release for the BrokerGateway migration, and no package serves",
                goal.name()
            ),
            format!("add the full package of {} or later to a PackageCatalog", survey.rules.h4.recommended.either()),
        );
        return None;
    };
    let place = match &spot {
        Spot::Here => source.name(),
        Spot::Stop(stop) => stop.to.name(),
    };
    if !recommended {
        draft.warn(
            "MigrationNotRecommended",
            "H4",
            format!(
                "the BrokerGateway migration is recommended from {} on, not on {place}",
                survey.rules.h4.recommended.either()
            ),
        );
    }
    if broker == Broker::Unknown {
        draft.warn(
            "BrokerGatewayUnknown",
            "H4",
            format!(
                "whether BrokerGateway runs already was not seen on {}; a fresh look right before the migration drops it if it does",
                list(&survey.names_where(|seen| seen.reached().is_some() && seen.broker(survey.rules).is_none()))
            ),
        );
    }
    Some(spot)
}

/// The release to migrate on, and whether it is a recommended one.
fn spot_for<'a>(
    catalog: &'a Catalog,
    rules: &Rules,
    source: &Release,
    (floor, ceiling): (MonthIndex, MonthIndex),
) -> Option<(Spot<'a>, bool)> {
    let here = source.band() == band(rules);
    let (recommended, automatic) = (&rules.h4.recommended, &rules.h4.automatic);
    if here && source.at_least(recommended) == Some(true) {
        return Some((Spot::Here, true));
    }
    // A Main Release lies numerically below every Feature Release of its line.
    let tracks: &[Track] = if here && source.track() == Track::Feature {
        &[Track::Feature]
    } else {
        &[Track::Main, Track::Feature]
    };
    for (threshold, recommended) in [(recommended, true), (automatic, false)] {
        for track in tracks {
            if let Some((to, entry)) = newest(catalog, rules, *track, threshold, source, (floor, ceiling)) {
                let reason = "the BrokerGateway migration happens on this release".to_owned();
                let rules = vec!["H2", "H4"];
                return Some((Spot::Stop(Box::new(Stop::new(to, entry, rules, reason))), recommended));
            }
        }
        if here && source.at_least(threshold) == Some(true) {
            return Some((Spot::Here, recommended));
        }
    }
    None
}

fn newest<'a>(
    catalog: &'a Catalog,
    rules: &Rules,
    track: Track,
    threshold: &Threshold,
    source: &Release,
    (floor, ceiling): (MonthIndex, MonthIndex),
) -> Option<(Release, &'a Entry)> {
    let releases = catalog.core_releases(band(rules), track).into_iter().filter(|(release, _)| {
        release.at_least(threshold) == Some(true)
            && floor <= release.index_low()
            && release.index_low() <= ceiling
            && source.compare(release) == Some(std::cmp::Ordering::Less)
            && !hazards::is_h12(rules, release)
    });
    let best = releases.max_by_key(|(release, _)| (release.index_low(), release.line(), release.cu_low()))?;
    Some((best.0.clone(), best.1))
}
