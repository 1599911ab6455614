//! Which newer versions a manifest could want: the decision of `bump`, without a file in sight.
//!
//! A raise is what a careful person would write into an update pull request: the newest release that the catalogue
//! offers on the cluster's track, never lower by number (D1) nor by fixes (D2) than what is wanted or runs, and none
//! that the planner would refuse. What cannot be raised is named with the reason; nothing is skipped silently.

mod candidates;
mod rehearse;
mod shared;
mod webs;

use std::fmt;

use dataminer_schema::{
    id::ClusterName,
    v1::{cluster::Cluster, observation::Observation},
    version::{Track, Version, WebWanted},
};
use serde::Serialize;

pub use self::shared::{Share, agree};
use self::{
    candidates::{Floors, Offers},
    webs::WebOffers,
};
use crate::{catalog::Catalog, knowledge::Knowledge};

/// What is known and offered.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    pub catalog: &'a Catalog,
    pub knowledge: &'a Knowledge,
}

/// What the caller asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// The track to follow; `None`: each version stays on its own.
    pub track: Option<Track>,
    /// Nothing above it is written. Without a CU it takes every CU of its release.
    pub ceiling: Option<Version>,
    /// Only newer CUs and builds of the release that is wanted already.
    pub same_release: bool,
}

/// A version that a manifest wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Field {
    /// `spec.software.core`
    Core,
    /// `spec.software.webApps`
    WebApps,
}

impl Field {
    /// Where it stands in a document.
    pub fn path(self) -> &'static str {
        match self {
            Self::Core => "spec.software.core",
            Self::WebApps => "spec.software.webApps",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Core => "core",
            Self::WebApps => "webApps",
        })
    }
}

/// What becomes of one cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub cluster: ClusterName,
    /// Nothing will happen there until somebody resumes it.
    pub suspended: bool,
    pub core: Verdict,
    pub web_apps: Verdict,
    /// What a reviewer should know, one sentence each.
    pub notes: Vec<String>,
}

impl Decision {
    /// The verdict on one field.
    pub fn verdict(&self, field: Field) -> &Verdict {
        match field {
            Field::Core => &self.core,
            Field::WebApps => &self.web_apps,
        }
    }

    fn verdict_mut(&mut self, field: Field) -> &mut Verdict {
        match field {
            Field::Core => &mut self.core,
            Field::WebApps => &mut self.web_apps,
        }
    }

    /// Whether anything is raised.
    pub fn raises(&self) -> bool {
        [&self.core, &self.web_apps].into_iter().any(|verdict| verdict.raise().is_some())
    }
}

/// What becomes of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Raise(Raise),
    Stays(Stays),
}

impl Verdict {
    /// The raise, where there is one.
    pub fn raise(&self) -> Option<&Raise> {
        match self {
            Self::Raise(raise) => Some(raise),
            Self::Stays(_) => None,
        }
    }
}

/// A newer version of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raise {
    pub from: Version,
    /// With the build of its package, where that tells one.
    pub to: Version,
}

/// Why a field stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stays {
    pub code: StayCode,
    /// One sentence.
    pub message: String,
}

/// Why a field stays as it is, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum StayCode {
    /// The catalogue offers nothing newer on the track.
    Newest,
    /// What is newer lies above the ceiling.
    Ceiling,
    /// A hotfix or custom build is wanted or runs.
    Hotfix,
    /// Which CU is wanted or runs is not known, so nothing can be called newer.
    UnknownBuild,
    /// What has a higher number has older fixes (D2).
    OlderFixes,
    /// The planner would refuse it.
    Refused,
    /// The manifest does not name a version: the web apps are `unmanaged` or `bundled`.
    NotAVersion,
    /// Others that share the value do not want the same.
    Shared,
}

impl StayCode {
    /// Whether somebody who looks after the fleet should look at it.
    pub fn is_remarkable(self) -> bool {
        match self {
            Self::Newest | Self::NotAVersion | Self::Ceiling => false,
            Self::Hotfix | Self::UnknownBuild | Self::OlderFixes | Self::Refused | Self::Shared => true,
        }
    }
}

/// Decides on one cluster, which must be merged with its profile. `observed` is what it runs, where that is known.
pub fn decide(
    cluster: &Cluster,
    observed: Option<&Observation>,
    ground: Ground<'_>,
    wish: &Wish,
) -> Decision {
    let catalog = ground.catalog;
    let mut decision = Decision {
        cluster: cluster.name.clone(),
        suspended: cluster.suspend,
        core: stays(StayCode::Newest, "the catalogue offers nothing newer"),
        web_apps: stays(StayCode::NotAVersion, "the manifest names no version"),
        notes: Vec::new(),
    };
    let web = &cluster.software.web_apps;
    if let Some(why) = candidates::hotfix(cluster, observed) {
        decision.core = stays(StayCode::Hotfix, why.clone());
        if matches!(web, WebWanted::Version(_)) {
            decision.web_apps = stays(StayCode::Hotfix, why);
        }
        return decision;
    }
    match web {
        WebWanted::Unmanaged => {}
        WebWanted::Bundled => {
            decision.web_apps = stays(StayCode::NotAVersion, "the core package brings its own");
        }
        WebWanted::Version(_) => {
            decision.web_apps = stays(StayCode::Newest, "the catalogue offers nothing newer");
        }
    }
    let floors = match Floors::of(cluster, observed, catalog) {
        Ok(floors) => floors,
        Err(why) => {
            decision.core = stays(StayCode::UnknownBuild, why);
            return decision;
        }
    };
    let offers = Offers::of(&floors, catalog, wish);
    if let Some(left) = &offers.left_out {
        decision.core = Verdict::Stays(left.clone());
    }
    let webs = WebOffers::of(cluster, catalog, wish);
    if let Some(left) = webs.left_out() {
        decision.web_apps = Verdict::Stays(left);
    }
    choose(cluster, observed, ground, (&offers, &webs), &mut decision);
    decision
}

/// The best pair of core and web apps that the planner takes: newer cores first, then higher web levels.
fn choose(
    cluster: &Cluster,
    observed: Option<&Observation>,
    ground: Ground<'_>,
    (offers, webs): (&Offers, &WebOffers),
    decision: &mut Decision,
) {
    let mut refused: Option<(Version, String)> = None;
    let present = (offers.current.clone(), None);
    let cores = offers.newer.iter().map(|(release, version)| (release.clone(), Some(version.clone())));
    for (release, core) in cores.chain([present]) {
        for web in webs.beside(&release) {
            if core.is_none() && web.is_none() {
                // Nothing changes: nothing to ask about.
                settle(refused, decision);
                return;
            }
            let mut wanted = cluster.clone();
            if let Some(core) = &core {
                wanted.software.core = core.clone();
            }
            if let Some(web) = &web {
                wanted.software.web_apps = WebWanted::Version(web.clone());
            }
            let answer = rehearse::rehearse(cluster, wanted, observed, ground);
            if let Some(why) = answer.refused {
                let what = core.clone().or(web).unwrap_or_else(|| cluster.software.core.clone());
                refused.get_or_insert((what, why));
                continue;
            }
            if let (Some((what, why)), true) = (&refused, core.is_some()) {
                decision.notes.push(format!("{} is offered too, but {why}", what.release_name()));
            } else if core.is_none() {
                settle(refused, decision);
            }
            decision.notes.extend(answer.later);
            if let Some(to) = core {
                decision.core = Verdict::Raise(Raise { from: cluster.software.core.clone(), to });
            }
            if let (Some(to), WebWanted::Version(from)) = (web, &cluster.software.web_apps) {
                decision.web_apps = Verdict::Raise(Raise { from: from.clone(), to });
            }
            return;
        }
    }
    settle(refused, decision);
}

/// Nothing newer for the core was taken: says why.
fn settle(refused: Option<(Version, String)>, decision: &mut Decision) {
    let Some((what, why)) = refused else { return };
    let message = format!("{} is offered, but {why}", what.release_name());
    decision.core = stays(StayCode::Refused, message);
}

fn stays(code: StayCode, message: impl Into<String>) -> Verdict {
    Verdict::Stays(Stays { code, message: message.into() })
}

#[cfg(test)]
mod tests;
