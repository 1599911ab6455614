//! The cores that a catalogue offers above what is wanted and what runs.

use std::cmp::Ordering;

use dataminer_schema::{
    v1::{cluster::Cluster, observation::Observation},
    version::{MonthIndex, PackageKind, PackageName, ReleaseChannel, Track, Version},
};

use super::{StayCode, Stays, Wish};
use crate::{
    catalog::{Catalog, Entry},
    release::Release,
};

/// Why a cluster is left alone: a hotfix or custom build is somebody's decision, and a raise would undo it (D4).
pub(super) fn hotfix(cluster: &Cluster, observed: Option<&Observation>) -> Option<String> {
    if let Some(hotfix) = cluster.software.hotfixes.first() {
        return Some(format!("the hotfix `{hotfix}` is wanted"));
    }
    if cluster.software.core.is_hotfix() {
        return Some(format!("a hotfix of {} is wanted", cluster.software.core.release_name()));
    }
    observed?.agents.iter().find_map(|agent| {
        let text = agent.core.as_deref()?;
        match text.parse::<Version>() {
            Ok(version) => version.is_hotfix().then(|| format!("{} runs the hotfix {text}", agent.name)),
            Err(_) => Some(format!("{} runs `{text}`, which is no release", agent.name)),
        }
    })
}

/// What a raise may not fall below.
pub(super) struct Floors {
    /// What is wanted.
    wanted: Release,
    /// What runs, where that was seen.
    running: Vec<Release>,
}

impl Floors {
    /// The error says why nothing can be called newer.
    pub(super) fn of(
        cluster: &Cluster,
        observed: Option<&Observation>,
        catalog: &Catalog,
    ) -> Result<Self, String> {
        let wanted = catalog.release_of(&cluster.software.core);
        if wanted.cu().is_none() {
            return Err(format!(
                "which CU {} is, is not known: write it as well, or name the build in the catalogue's `builds`",
                cluster.software.core
            ));
        }
        let agents = observed.map(|seen| seen.agents.as_slice()).unwrap_or_default();
        let mut running = Vec::new();
        for agent in agents {
            // A text that is no version was refused before.
            let Some(version) = agent.core.as_deref().and_then(|text| text.parse::<Version>().ok()) else {
                continue;
            };
            running.push(catalog.release_of(&version));
        }
        Ok(Self { wanted, running })
    }

    /// How `offer` stands to what is wanted and what runs.
    fn judge(&self, offer: &Release) -> Standing {
        if offer.compare(&self.wanted) != Some(Ordering::Greater) {
            return Standing::NotNewer;
        }
        for floor in &self.running {
            match offer.compare(floor) {
                Some(Ordering::Less) => return Standing::BelowRunning(floor.describe()),
                None => return Standing::Undecided(floor.describe()),
                Some(Ordering::Equal | Ordering::Greater) => {}
            }
        }
        let newest = self.running.iter().chain([&self.wanted]).map(Release::index_high).max();
        if offer.index_low() < newest.unwrap_or(MonthIndex::BEFORE_10) {
            return Standing::OlderFixes;
        }
        Standing::Newer
    }
}

enum Standing {
    Newer,
    NotNewer,
    OlderFixes,
    /// Below what this Agent's release is.
    BelowRunning(String),
    /// The CU that runs is not known, and the answer hangs on it.
    Undecided(String),
}

/// The cores that could be wanted next.
pub(super) struct Offers {
    /// What is wanted now.
    pub(super) current: Release,
    /// Newer ones, the newest first.
    pub(super) newer: Vec<(Release, Version)>,
    /// Why the newest of all others is not among them.
    pub(super) left_out: Option<Stays>,
}

impl Offers {
    pub(super) fn of(floors: &Floors, catalog: &Catalog, wish: &Wish) -> Self {
        let wanted = &floors.wanted;
        let track = wish.track.unwrap_or_else(|| wanted.track());
        let mut offered: Vec<&Release> = catalog
            .packages()
            .filter(|entry| entry.kind == PackageKind::Full && is_final(entry))
            .filter_map(|entry| entry.release.as_ref())
            .filter(|release| release.cu().is_some() && !release.is_hotfix() && release.track() == track)
            .filter(|release| !wish.same_release || release.line() == wanted.line())
            .collect();
        offered.sort_by(|a, b| newest_first(a, b));
        // Of several builds of one release the highest; the order above put it first.
        offered.dedup_by(|later, first| later.line() == first.line() && later.cu() == first.cu());
        let mut newer = Vec::new();
        let mut left_out = None;
        for release in offered {
            let stays = match floors.judge(release) {
                Standing::NotNewer => continue,
                _ if wish.ceiling.as_ref().is_some_and(|ceiling| is_above(release, ceiling)) => Stays {
                    code: StayCode::Ceiling,
                    message: format!("{} is offered, but lies above the ceiling", release.name()),
                },
                Standing::OlderFixes => Stays {
                    code: StayCode::OlderFixes,
                    message: format!(
                        "{} is offered, but has older fixes than {} (D2)",
                        release.name(),
                        wanted.name()
                    ),
                },
                Standing::BelowRunning(what) => Stays {
                    code: StayCode::Newest,
                    message: format!("{} is offered, but {what} runs", release.name()),
                },
                Standing::Undecided(what) => Stays {
                    code: StayCode::UnknownBuild,
                    message: format!(
                        "whether {} is newer than {what}, which runs, is not known: name the build in the \
                         catalogue's `builds`",
                        release.name()
                    ),
                },
                Standing::Newer => {
                    newer.push((release.clone(), named(release)));
                    continue;
                }
            };
            left_out.get_or_insert(stays);
        }
        Self { current: wanted.clone(), newer, left_out }
    }
}

/// A release as a manifest names it, with its build where that is known.
pub(super) fn named(release: &Release) -> Version {
    let plain = release.name().parse::<Version>().unwrap_or_else(|_| release.version().clone());
    match release.build() {
        Some(build) => plain.with_build(build),
        None => plain,
    }
}

/// Release candidates and internal builds are never offered; a name that tells no channel is the operator's own word.
pub(super) fn is_final(entry: &Entry) -> bool {
    entry.file.parse::<PackageName>().map_or(true, |name| match name.channel {
        ReleaseChannel::Standard => true,
        ReleaseChannel::Candidate | ReleaseChannel::Internal => false,
    })
}

/// D1: whether `release` lies above `ceiling`, which takes every CU where it names none.
pub(super) fn is_above(release: &Release, ceiling: &Version) -> bool {
    match release.line().cmp(&ceiling.line()) {
        Ordering::Less => false,
        Ordering::Greater => true,
        Ordering::Equal => {
            let cu = ceiling.cu().is_some_and(|cu| release.cu_high() > cu);
            let same_cu = ceiling.cu().is_none_or(|cu| release.cu_high() == cu);
            let build = match (release.build(), ceiling.build()) {
                (Some(ours), Some(theirs)) => same_cu && ours > theirs,
                _ => false,
            };
            cu || build
        }
    }
}

/// D1, the newest first.
fn newest_first(a: &Release, b: &Release) -> Ordering {
    let key = |release: &Release| (release.line(), release.cu_low(), release.build());
    key(b).cmp(&key(a))
}

/// The track of a version, as a wish may override it.
pub(super) fn track_of(version: &Version, wish: &Wish) -> Track {
    wish.track.unwrap_or_else(|| version.track())
}
