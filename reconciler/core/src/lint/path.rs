//! The way of the core, hop by hop (H2, H4-H6, G1), and the core that web packages meet (W1, W2).
//!
//! Written from `domain/02` and `domain/03`, with numbers of its own: a mistake in the planner's parameters shows here.

use dataminer_schema::{
    plan::{Action, Change, Disruption, Plan, Step},
    version::{MonthIndex, Track, Version},
};

use super::{Notes, is_core_change, is_web_change, is_whole};

type Band = (u16, u16);

fn version(text: Option<&String>) -> Option<Version> {
    text?.parse().ok()
}

fn band(version: &Version) -> Band {
    (version.major(), version.minor())
}

/// A version against the Main Release and the Feature Release of a threshold (T1): line and CU on each track.
fn reaches(version: &Version, main: (Band, u16), feature: (u16, u16, u16), feature_cu: u16) -> bool {
    let cu = version.cu().unwrap_or(0);
    match version.track() {
        Track::Main => (band(version), cu) >= main,
        Track::Feature => {
            ((version.major(), version.minor(), version.feature()), cu) >= (feature, feature_cu)
        }
    }
}

/// The hops with both ends, of a plan whose steps are all there.
fn hops(plan: &Plan) -> Vec<(usize, &Step, Version, Version)> {
    let steps = plan.steps.iter().enumerate().filter(|(_, step)| is_core_change(step));
    let ends = steps
        .filter_map(|(at, step)| Some((at, step, version(step.from.as_ref())?, version(step.to.as_ref())?)));
    if is_whole(plan) { ends.collect() } else { Vec::new() }
}

/// H2, H5, G1: no Main Release line is jumped over, but 10.1 on the way up from below it.
pub(super) fn check_lines(plan: &Plan, notes: &mut Notes) {
    for (_, step, from, to) in hops(plan) {
        let place = |version: &Version| match band(version) {
            (10, minor) => Some(u32::from(minor) + 1),
            (9, 6) => Some(0),
            // Of another major nothing is known.
            _ => None,
        };
        let (Some(start), Some(end)) = (place(&from), place(&to)) else { continue };
        let skips = step.action == Action::UpgradeCore && start <= 1 && end == 3;
        // 9.6 reaches the early releases of 10.1 directly (H6).
        let early = step.action == Action::UpgradeCore && start == 0 && end == 2;
        if start.abs_diff(end) > 1 && !skips && !early {
            notes.note("lines", Some(step), "jumps over a Main Release line (H2, G1)");
        }
    }
}

/// H6: 9.6, and 10.0.0 below CU19, are left by 10.0.0 CU19, but to an earlier release.
pub(super) fn check_exit(plan: &Plan, notes: &mut Notes) {
    let exit = Version::new(10, 0, 0).with_cu(19);
    for (_, step, from, to) in hops(plan) {
        let early = from.line() == exit.line() && from.cu() < exit.cu();
        let inside = from.line() == to.line();
        let late = to.month_index() >= exit.month_index();
        let leaves =
            step.action == Action::UpgradeCore && (band(&from) == (9, 6) || early) && !inside && late;
        if leaves && !(to.line() == exit.line() && to.cu() == exit.cu()) {
            notes.note(
                "exit",
                Some(step),
                "leaves 9.6 or early 10.0.0 by another release than 10.0.0 CU19 (H6)",
            );
        }
    }
}

/// H4: into 10.6 one goes from a 10.5 release on which BrokerGateway can run, and migrates on one that the package serves.
pub(super) fn check_broker(plan: &Plan, notes: &mut Notes) {
    let only = |version: &Version| reaches(version, ((10, 6), 0), (10, 6, 1), 0);
    let possible = |version: &Version| reaches(version, ((10, 5), 2), (10, 5, 5), 0);
    for (at, step, from, to) in hops(plan) {
        let crosses = step.action == Action::UpgradeCore && !only(&from) && only(&to);
        if crosses && !possible(&from) {
            notes.note("broker", Some(step), "goes into 10.6 from where BrokerGateway cannot run (H4)");
        }
        let migrates = plan.steps[..at]
            .iter()
            .rev()
            .take(2)
            .any(|step| step.action == Action::RunTool && step.disruption == Disruption::Restart);
        if migrates && !crosses {
            notes.note("broker", Some(step), "a migration stands before a hop that needs none (H4)");
        }
        if migrates && !reaches(&from, ((10, 5), 4), (10, 5, 7), 1) {
            notes.note(
                "broker",
                Some(step),
                "the migration package does not serve the release before it (H4)",
            );
        }
    }
}

/// G1: no stop on the way down is newer in fixes than what ran.
pub(super) fn check_descent(plan: &Plan, notes: &mut Notes) {
    let hops = hops(plan);
    let index = |version: &Version| version.month_index().unwrap_or(MonthIndex::BEFORE_10);
    let Some((_, _, source, _)) = hops.first().filter(|_| plan.change == Change::Downgrade) else { return };
    let stops = &hops[..hops.len() - 1];
    for (_, step, _, to) in stops {
        if source.month_index().is_some() && index(to) > index(source) {
            notes.note("descent", Some(step), "the stop is newer in fixes than what ran (G1)");
        }
    }
}

/// W1, W2: the core that a web package meets takes it.
pub(super) fn check_web_gate(plan: &Plan, notes: &mut Notes) {
    if !is_whole(plan) {
        return;
    }
    for step in plan.steps.iter().filter(|step| is_web_change(step)) {
        let (Some(web), Some(core)) = (version(step.to.as_ref()), version(plan.to.core.as_ref())) else {
            continue;
        };
        let (main, feature) = match band(&web) {
            (10, minor) if minor >= 6 => ((10, 5), (10, 5, 1)),
            (10, 5) => ((10, 4), (10, 4, 1)),
            (10, _) => ((10, 3), (10, 3, 3)),
            _ => continue,
        };
        if !reaches(&core, (main, 0), feature, 0) {
            notes.note(
                "web-gate",
                Some(step),
                "the core that it meets does not take these web apps (W1, W2)",
            );
        }
    }
}
