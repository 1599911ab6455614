//! The systems that an observation may have been taken of.

use dataminer_schema::version::Version;
use dms_simulator::model::{Agent, Consent, Level, System, knows_broker_gateway, needs_broker_gateway};

use crate::{
    case::{Case, WebSeen},
    fleet::{self, Fleet},
};

/// One such system, and how much of it was seen.
pub(crate) struct World {
    pub(crate) system: System,
    /// Its web apps are newer than those of the core, and nobody saw them.
    pub(crate) hidden_web: bool,
}

/// Every system that looks like this case.
pub(crate) fn worlds(case: &Case<'_>, fleet: &Fleet) -> Vec<World> {
    let webs: Vec<(&Version, bool)> = match (case.web, case.web_seen()) {
        (WebSeen::Unknown, _) => {
            let newer = case.stage.newer_web(case.from).map(|web| (web, true));
            [Some((case.from, false)), newer].into_iter().flatten().collect()
        }
        (_, seen) => seen.map(|web| (web, false)).into_iter().collect(),
    };
    let mut worlds = Vec::new();
    for (web, hidden_web) in webs {
        for broker_gateway in brokers(case) {
            worlds.push(World { system: system(case, fleet, web, broker_gateway), hidden_web });
        }
    }
    worlds
}

/// From 10.6 on there is nothing else, and before 10.5.0 CU2/10.5.5 there is none (`domain/02 section 2`), whatever
/// was read.
fn brokers(case: &Case<'_>) -> Vec<bool> {
    if needs_broker_gateway(case.from) {
        return vec![true];
    }
    if !knows_broker_gateway(case.from) {
        return vec![false];
    }
    case.broker.map_or_else(|| vec![true, false], |seen| vec![seen])
}

fn system(case: &Case<'_>, fleet: &Fleet, web: &Version, broker_gateway: bool) -> System {
    let agents = fleet::names().map(|name| {
        Agent::new(name, case.from.clone()).with_web(web.clone()).with_broker_gateway(broker_gateway)
    });
    let consent = Consent {
        downgrade: case.allow,
        older_fixes: case.accepts_older_fixes(),
        patched_packages: case.patches(),
    };
    let mut system = System::new(agents).with_consent(consent);
    for backup in &fleet.vault {
        let level = backup.content.as_deref().and_then(|text| text.parse().ok());
        if let (Some(level), Some(sha256)) = (level, &backup.sha256) {
            system = system.with_saved(sha256.clone(), Level::of(&level));
        }
    }
    system
}
