//! H4: the BrokerGateway migration, which a way into 10.6 cannot skip and which happens on a 10.5 release.

use dataminer_schema::{
    plan::BlockCode,
    version::{MonthIndex, Track},
};

use super::{
    draft::Draft,
    hazards,
    route::Stop,
    survey::{BROKER_ONLY, Broker, Survey},
};
use crate::{
    catalog::{Catalog, Entry},
    release::{Release, Threshold},
};

/// The line on which the migration happens.
pub(super) const BAND: (u16, u16) = (10, 5);

/// The migration is recommended from here on (BGW).
const RECOMMENDED: Threshold = Threshold::new((10, 5, 11), (10, 5, 12, 2));

/// The automatic package exists from here on (BGW).
const AUTOMATIC: Threshold = Threshold::new((10, 5, 4), (10, 5, 7, 1));

/// Where the migration happens.
pub(super) enum Spot<'a> {
    /// On what runs now.
    Here,
    /// On a stop.
    Stop(Box<Stop<'a>>),
}

/// Whether the way leads from where the legacy NATS may run to where it cannot.
pub(super) fn is_crossing(source: &Release, goal: &Release) -> bool {
    source.at_least(&BROKER_ONLY) == Some(false) && goal.at_least(&BROKER_ONLY) == Some(true)
}

/// Decides whether the migration is needed and where, on a way that crosses. This version does not run it, so a needed one blocks; the
/// stop that it would need is shown all the same.
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
                survey.names_where(|seen| seen.broker() == Some(false)),
                "some Agents run BrokerGateway and some the legacy NATS, which does not work together",
                "finish the BrokerGateway migration by hand on all Agents first",
            );
            return None;
        }
        Broker::Inactive | Broker::Unknown => {}
    }
    let Some((spot, recommended)) = spot_for(catalog, source, floor, ceiling) else {
        draft.block(
            BlockCode::NoPackage,
            Vec::new(),
            format!(
                "the way to {} needs a 10.5 release for the BrokerGateway migration, and no package serves",
                goal.name()
            ),
            "add the full package of 10.5.0 CU11 or later, or of 10.5.12 CU2, to a PackageCatalog",
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
            format!("the BrokerGateway migration is recommended from 10.5.0 CU11 or 10.5.12 CU2 on, not on {place}"),
        );
    }
    let seen = if broker == Broker::Unknown { " (whether it is done already was not seen)" } else { "" };
    draft.block(
        BlockCode::ManualStepRequired,
        Vec::new(),
        format!("the BrokerGateway migration must happen on {place} before {}{seen}", goal.name()),
        format!(
            "this version does not run the migration: want `core: {place}`, then run `NATSMigration - Prerequisite \
             only` and `NATSMigration` on all Agents together, and want {} once every Agent shows BrokerGateway",
            goal.name()
        ),
    );
    Some(spot)
}

/// The release to migrate on, and whether it is a recommended one.
fn spot_for<'a>(
    catalog: &'a Catalog,
    source: &Release,
    floor: MonthIndex,
    ceiling: MonthIndex,
) -> Option<(Spot<'a>, bool)> {
    let here = source.band() == BAND;
    if here && source.at_least(&RECOMMENDED) == Some(true) {
        return Some((Spot::Here, true));
    }
    // A Main Release lies numerically below every Feature Release of its line.
    let tracks: &[Track] = if here && source.track() == Track::Feature {
        &[Track::Feature]
    } else {
        &[Track::Main, Track::Feature]
    };
    for (threshold, recommended) in [(&RECOMMENDED, true), (&AUTOMATIC, false)] {
        for track in tracks {
            if let Some((to, entry)) = newest(catalog, *track, threshold, source, (floor, ceiling)) {
                let reason = "the BrokerGateway migration happens on this release".to_owned();
                let rules = vec!["H2", "H4"];
                return Some((Spot::Stop(Box::new(Stop { to, entry, rules, reason })), recommended));
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
    track: Track,
    threshold: &Threshold,
    source: &Release,
    (floor, ceiling): (MonthIndex, MonthIndex),
) -> Option<(Release, &'a Entry)> {
    let releases = catalog.core_releases(BAND, track).into_iter().filter(|(release, _)| {
        release.at_least(threshold) == Some(true)
            && floor <= release.index_low()
            && release.index_low() <= ceiling
            && source.compare(release) == Some(std::cmp::Ordering::Less)
            && !hazards::is_h12(release)
    });
    let best = releases.max_by_key(|(release, _)| (release.index_low(), release.line(), release.cu_low()))?;
    Some((best.0.clone(), best.1))
}
