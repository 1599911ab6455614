//! Whether any way leads to a target by the rules of the model, whatever the planner found: a refusal for want of a
//! package is right only where none does.

use std::collections::BTreeSet;

use dataminer_schema::{id::Sha256, version::Version};
use dms_simulator::model::{
    Agent, Consent, Install, Level, System, has_migration_package, is_lower, knows_broker_gateway,
    needs_broker_gateway,
};

use crate::{case::Case, fleet};

/// Whether full packages of this catalogue lead from where the case stands to where it shall go, upwards.
pub(crate) fn exists(case: &Case<'_>) -> bool {
    let between: Vec<&Version> = case.store.releases().iter().filter(|stop| is_stop(case, stop)).collect();
    let mut open = vec![case.from];
    let mut seen: BTreeSet<usize> = BTreeSet::new();
    while let Some(here) = open.pop() {
        if is_legal(case, here, case.to) {
            return true;
        }
        for (at, stop) in between.iter().enumerate() {
            if !seen.contains(&at) && is_lower(stop, here) && is_legal(case, here, stop) {
                seen.insert(at);
                open.push(stop);
            }
        }
    }
    false
}

/// Between source and target, and not one that H5 or H6 leave out, nor one with fewer fixes than both (H2: consent to
/// older fixes is given to a target, not to a stop on the way).
fn is_stop(case: &Case<'_>, stop: &Version) -> bool {
    let Case { from, to, .. } = case;
    let band = |version: &Version| (version.major(), version.minor());
    let early =
        band(from) < (10, 0) || (band(from) == (10, 0) && from.feature() == 0 && from.cu() < Some(19));
    let by_h6 = !early || band(stop) != (10, 0) || (stop.feature() == 0 && stop.cu() == Some(19));
    let by_h5 = band(stop) != (10, 1) || band(from) >= (10, 1) || band(to) == (10, 1);
    let by_h2 = Level::of(stop) >= Level::of(from).min(Level::of(to));
    is_lower(stop, from) && is_lower(to, stop) && by_h2 && by_h5 && by_h6
}

/// One hop, with every tool run before it that its source knows.
fn is_legal(case: &Case<'_>, here: &Version, there: &Version) -> bool {
    let broker = needs_broker_gateway(here)
        || has_migration_package(here)
        || (case.broker == Some(true) && here == case.from && knows_broker_gateway(here));
    let names: Vec<_> = fleet::names().take(1).collect();
    let agents = names.iter().map(|name| Agent::new(name.clone(), here.clone()).with_broker_gateway(broker));
    let consent = Consent { older_fixes: case.accepts_older_fixes(), ..Consent::default() };
    let sha256 = Sha256::of(b"a hop");
    let package = Install {
        sha256: &sha256,
        version: there,
        siblings: case.store.shelf.siblings(there),
        patched: false,
    };
    let system = System::new(agents).with_consent(consent).with_verified_ports();
    system.stage(&names, &sha256).and_then(|system| system.install_full(&names, package)).is_ok()
}
