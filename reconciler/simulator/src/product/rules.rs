//! Hops that the product does not refuse and does not survive (`domain/02`): recorded, never prevented.

use std::cmp::Ordering;

use dataminer_schema::version::Version;

use super::{
    agent::Agent,
    order::{major, numeric, reached},
};
use crate::{inspect::ViolationKind, spec::FailoverPolicy};

/// What is wrong with bringing this Agent to this version.
pub(crate) fn hop(agent: &Agent, target: &Version) -> Vec<(ViolationKind, String)> {
    let state = agent.state();
    let from = &state.core;
    let mut found = Vec::new();
    let mut note = |kind, why: &str| {
        found.push((kind, format!("{}: {from} to {target}: {why}", agent.spec.name)));
    };
    match numeric(from, target) {
        Ordering::Less => upward(agent, from, target, &mut note),
        Ordering::Greater => downward(from, target, state.broker_gateway, &mut note),
        Ordering::Equal => {}
    }
    found
}

fn upward(agent: &Agent, from: &Version, target: &Version, note: &mut impl FnMut(ViolationKind, &str)) {
    if skips(from, target) {
        note(ViolationKind::SkippedMajor, "a major lies between (H2, H5, H6)");
    }
    let line = (target.major(), target.minor(), target.feature());
    if line == (10, 2, 7) && !reached(from, (10, 1, 12), (10, 2, 3)) {
        note(ViolationKind::BreakingHop, "10.2.7 from a version that old (H8)");
    }
    let late_10_4 = from.feature() == 0 && major(from) == (10, 4) && from.cu().is_some_and(|cu| cu >= 6);
    if late_10_4 && ((10, 4, 9)..=(10, 4, 12)).contains(&line) {
        note(ViolationKind::BreakingHop, "SNMPv3 credentials are lost (H10)");
    }
    if hangs(agent, target) {
        note(ViolationKind::BreakingHop, "expired users stop the start (H11)");
    }
    if poisoned(agent, target) {
        note(ViolationKind::BreakingHop, "DefaultUpgradeOptions stop SLNet");
    }
    if reached(target, (10, 6, 0), (10, 6, 1)) && !agent.state().broker_gateway {
        note(ViolationKind::BreakingHop, "BrokerGateway is not in use (H4)");
    }
}

fn downward(
    from: &Version,
    target: &Version,
    broker_gateway: bool,
    note: &mut impl FnMut(ViolationKind, &str),
) {
    if several_down(from, target) {
        note(ViolationKind::BreakingDowngrade, "several majors at once");
    }
    if broker_gateway && !reached(target, (10, 5, 2), (10, 5, 5)) {
        note(ViolationKind::BreakingDowngrade, "this version knows no BrokerGateway");
    }
}

/// H2 with its exceptions: 10.1 may be left out below 10.1 (H5), and 10.0 below CU19 comes first (H6).
fn skips(from: &Version, target: &Version) -> bool {
    let (old, new) = (major(from), major(target));
    let old_10_0 = old == (10, 0) && from.feature() == 0 && from.cu().is_some_and(|cu| cu < 19);
    if old < (10, 0) {
        return new > (10, 0);
    }
    if old_10_0 && new > (10, 0) {
        return true;
    }
    if old == (10, 0) {
        return new > (10, 2);
    }
    old.0 == new.0 && new.1 > old.1 + 1
}

/// One package per major on the way down (`domain/02 section 3`); below 10.0 lies 9.6.
fn several_down(from: &Version, target: &Version) -> bool {
    let place = |version: &Version| match major(version) {
        (10, minor) => i32::from(minor) + 1,
        (9, 6) => 0,
        (older, _) if older < 10 => -1,
        (newer, minor) => i32::from(newer) * 100 + i32::from(minor),
    };
    place(from) - place(target) > 1
}

fn file_holds(agent: &Agent, file: &str, text: &str) -> bool {
    let bytes = agent.machine.disk.read(&super::layout::dataminer(file), 1 << 20).unwrap_or_default();
    String::from_utf8_lossy(&bytes).contains(text)
}

/// H11: 10.5.1 and 10.5.2 [CU0] never finish with expired users.
pub(crate) fn hangs(agent: &Agent, target: &Version) -> bool {
    let line = (target.major(), target.minor(), target.feature());
    let affected = line == (10, 5, 1) || (line == (10, 5, 2) && target.cu().is_none_or(|cu| cu == 0));
    affected && file_holds(agent, "Security.xml", "expired=\"true\"")
}

/// `domain/04 section 7`: saved default options stop SLNet from starting.
pub(crate) fn poisoned(agent: &Agent, target: &Version) -> bool {
    let line = (target.major(), target.minor(), target.feature());
    let affected = ((10, 4, 1)..(10, 5, 0)).contains(&line)
        || ((10, 5, 1)..=(10, 5, 6)).contains(&line)
        || (line == (10, 5, 0) && target.cu().is_some_and(|cu| cu <= 3));
    affected && file_holds(agent, "MaintenanceSettings.xml", "<DefaultUpgradeOptions")
}

/// One member after the other is unsafe across majors, and wherever BrokerGateway runs (`domain/04 section 2`).
pub(crate) fn unsafe_policy(agent: &Agent, target: &Version, policy: FailoverPolicy) -> bool {
    let state = agent.state();
    agent.spec.failover.is_some()
        && policy != FailoverPolicy::Simultaneously
        && (major(&state.core) != major(target) || state.broker_gateway)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn skipped_majors() {
        for (from, to) in [
            ("10.3.0 CU10", "10.5.0 CU9"),
            ("9.6.0 CU1", "10.1.0 CU1"),
            ("10.0.0 CU5", "10.2.0 CU1"),
            ("10.0.0 CU19", "10.3.0 CU1"),
            ("10.4.12", "10.6.0 CU1"),
        ] {
            assert!(skips(&v(from), &v(to)), "{from} to {to}");
        }
        for (from, to) in [
            ("10.3.0 CU10", "10.4.0 CU9"),
            ("10.3.0 CU1", "10.3.0 CU9"),
            ("9.6.0 CU1", "10.0.0 CU19"),
            ("10.0.0 CU19", "10.2.0 CU1"),
            ("10.0.9", "10.2.0 CU1"),
            ("10.4.12", "10.5.0 CU1"),
        ] {
            assert!(!skips(&v(from), &v(to)), "{from} to {to}");
        }
    }

    #[test]
    fn a_downgrade_stops_at_every_major_domain_02_section_3() {
        for (from, to) in [("10.4.0 CU9", "10.2.0 CU1"), ("10.1.0 CU1", "9.6.0 CU1"), ("10.6.1", "10.4.12")] {
            assert!(several_down(&v(from), &v(to)), "{from} to {to}");
        }
        for (from, to) in [
            ("10.4.0 CU9", "10.3.0 CU1"),
            ("10.0.0 CU1", "9.6.0 CU1"),
            ("10.5.12", "10.5.0 CU1"),
            ("10.3.0 CU1", "10.4.0 CU1"),
        ] {
            assert!(!several_down(&v(from), &v(to)), "{from} to {to}");
        }
    }

    #[test]
    fn broker_gateway_does_not_survive_below_10_5_0_cu2_domain_02_section_2() {
        let breaks = |target: &str, broker_gateway| {
            let mut noted = Vec::new();
            downward(&v("10.5.0 CU9"), &v(target), broker_gateway, &mut |kind, _: &str| noted.push(kind));
            noted == [ViolationKind::BreakingDowngrade]
        };
        assert!(breaks("10.4.0 CU9", true) && breaks("10.5.0 CU1", true));
        assert!(!breaks("10.4.0 CU9", false) && !breaks("10.5.0 CU2", true));
    }
}
