//! The web levels that a catalogue offers, and those that fit beside a core.

use std::cmp::Ordering;

use dataminer_schema::{
    v1::cluster::Cluster,
    version::{MonthIndex, PackageKind, Version, WebWanted},
};

use super::{
    StayCode, Stays, Wish,
    candidates::{is_above, is_final, named, track_of},
};
use crate::{
    catalog::Catalog,
    release::{Release, web_index},
};

/// Web packages tried beside one core: lower ones than these are no better.
const TRIED: usize = 4;

/// What could become of the web apps.
pub(super) struct WebOffers {
    /// The level that is wanted now; `None` where the manifest names no version.
    current: Option<Version>,
    /// Whether the level that is wanted is known.
    known: bool,
    /// Higher levels, the highest first.
    higher: Vec<Version>,
    ceiling: Option<Version>,
    above_ceiling: Option<Version>,
}

impl WebOffers {
    pub(super) fn of(cluster: &Cluster, catalog: &Catalog, wish: &Wish) -> Self {
        let WebWanted::Version(wanted) = &cluster.software.web_apps else {
            return Self {
                current: None,
                known: true,
                higher: Vec::new(),
                ceiling: None,
                above_ceiling: None,
            };
        };
        let ceiling = wish.ceiling.clone();
        let Some(current) = catalog.named_web(wanted) else {
            let current = Some(wanted.clone());
            return Self { current, known: false, higher: Vec::new(), ceiling, above_ceiling: None };
        };
        let track = track_of(&current, wish);
        let mut higher: Vec<Version> = catalog
            .packages()
            .filter(|entry| entry.kind == PackageKind::Web && is_final(entry))
            .filter_map(|entry| entry.release.as_ref())
            .filter(|release| release.cu().is_some() && !release.is_hotfix() && release.track() == track)
            .filter(|release| !wish.same_release || release.line() == current.line())
            .map(named)
            .filter(|offer| is_higher(offer, &current))
            .collect();
        higher.sort_by(highest_first);
        higher.dedup_by(|later, first| later.line() == first.line() && later.cu() == first.cu());
        let is_out = |offer: &Version| match (&ceiling, Release::exact(offer.clone())) {
            (Some(ceiling), Some(release)) => is_above(&release, ceiling),
            _ => false,
        };
        let above_ceiling = higher.first().filter(|offer| is_out(offer)).cloned();
        higher.retain(|offer| !is_out(offer));
        Self { current: Some(current), known: true, higher, ceiling, above_ceiling }
    }

    /// Why nothing higher could be taken, where that is known before any core is.
    pub(super) fn left_out(&self) -> Option<Stays> {
        let current = self.current.as_ref()?;
        if !self.known {
            return Some(Stays {
                code: StayCode::UnknownBuild,
                message: format!("which CU the web apps {current} are, is not known: write it as well"),
            });
        }
        let above = self.above_ceiling.as_ref()?;
        Some(Stays {
            code: StayCode::Ceiling,
            message: format!("{} is offered, but lies above the ceiling", above.release_name()),
        })
    }

    /// What could be wanted beside `core`, best first; `None` leaves the field as it is.
    ///
    /// A full package brings a level of its own, and a manifest that wants a lower one is refused (W3). Where the core
    /// overtakes the web apps and no web package follows it, they are wanted at that very level.
    pub(super) fn beside(&self, core: &Release) -> Vec<Option<Version>> {
        let Some(current) = self.current.as_ref().filter(|_| self.known) else { return vec![None] };
        let own = core.index_low();
        let mut fitting: Vec<Option<Version>> = self
            .higher
            .iter()
            .filter(|offer| web_index(offer) >= own)
            .take(TRIED)
            .cloned()
            .map(Some)
            .collect();
        if web_index(current) < own {
            let level = named(core).without_build();
            let allowed = self.ceiling.as_ref().is_none_or(|ceiling| !is_above(core, ceiling));
            if fitting.is_empty() && allowed && is_higher(&level, current) {
                fitting.push(Some(level));
            }
        }
        // Also where it is below: then the planner says what is wrong with it.
        fitting.push(None);
        fitting
    }
}

/// Higher by level (W4) and not lower by number: a raise never reads as a step back.
fn is_higher(offer: &Version, current: &Version) -> bool {
    web_index(offer) > web_index(current) && offer.line() >= current.line()
}

fn highest_first(a: &Version, b: &Version) -> Ordering {
    let key = |version: &Version| -> (MonthIndex, _, _, _) {
        (web_index(version), version.line(), version.cu(), version.build())
    };
    key(b).cmp(&key(a))
}
