//! What two versions alone, and a few facts of the server, say about going from one to the other (`domain/02`).

use std::cmp::Ordering;

use dataminer_schema::version::Version;

use super::rule::Rule;
use crate::order::{major, months, numeric, reached};

/// What hangs on more than the versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Circumstances {
    /// The legacy NATS has been replaced.
    pub(crate) broker_gateway: bool,
    /// `Security.xml` holds `expired="true"`.
    pub(crate) expired_users: bool,
    /// `MaintenanceSettings.xml` holds `DefaultUpgradeOptions`.
    pub(crate) default_upgrade_options: bool,
    /// VerifyClusterPorts.dmupgrade was run in the last ten days.
    pub(crate) ports_verified: bool,
}

/// Every rule that a full package of this version would break here.
pub(crate) fn broken(from: &Version, to: &Version, known: Circumstances, note: &mut impl FnMut(Rule)) {
    if known.expired_users && hangs_on_expired_users(to) {
        note(Rule::ExpiredUsers);
    }
    if known.default_upgrade_options && chokes_on_default_options(to) {
        note(Rule::DefaultUpgradeOptions);
    }
    match numeric(from, to) {
        Ordering::Less => upward(from, to, known, note),
        Ordering::Greater => downward(from, to, known, note),
        Ordering::Equal => {}
    }
}

fn upward(from: &Version, to: &Version, known: Circumstances, note: &mut impl FnMut(Rule)) {
    if early_10_0(from) && major(to) > (10, 0) {
        note(Rule::StopAt100Cu19);
    } else if skips(from, to) {
        note(Rule::SkippedMajor);
    }
    // 10.0 has no NATS: what comes after 10.1 expects one.
    if !reached(from, (10, 1, 0), (10, 1, 1)) && reached(to, (10, 2, 0), (10, 2, 1)) && !known.ports_verified
    {
        note(Rule::PortsNotVerified);
    }
    if line(to) == (10, 2, 7) && !reached(from, (10, 1, 12), (10, 2, 3)) {
        note(Rule::TooOldFor1027);
    }
    if runs_the_crashing_check(to) && early_10_4(from) {
        note(Rule::CheckCrashesOn104);
    }
    let late_10_4 = from.feature() == 0 && major(from) == (10, 4) && from.cu().is_some_and(|cu| cu >= 6);
    if late_10_4 && ((10, 4, 9)..=(10, 4, 12)).contains(&line(to)) {
        note(Rule::Snmpv3CredentialsLost);
    }
    if needs_broker_gateway(to) && !known.broker_gateway {
        note(Rule::NoBrokerGateway);
    }
}

fn downward(from: &Version, to: &Version, known: Circumstances, note: &mut impl FnMut(Rule)) {
    if several_down(from, to) {
        note(Rule::SeveralMajorsDown);
    }
    if known.broker_gateway && !knows_broker_gateway(to) {
        note(Rule::BrokerGatewayLost);
    }
}

fn line(version: &Version) -> (u16, u16, u16) {
    (version.major(), version.minor(), version.feature())
}

/// The versions that the migration exists for: from 10.5.0 CU2/10.5.5 on (`domain/02 section 2`).
pub fn knows_broker_gateway(version: &Version) -> bool {
    reached(version, (10, 5, 2), (10, 5, 5))
}

/// The versions that NATSMigration.dmupgrade exists for: 10.5.0 CU4/10.5.7 and later (`domain/prerequisites.yaml`).
pub fn has_migration_package(version: &Version) -> bool {
    reached(version, (10, 5, 4), (10, 5, 7))
}

/// The versions without the legacy NATS (`domain/02 H4`, section 2).
pub fn needs_broker_gateway(version: &Version) -> bool {
    reached(version, (10, 6, 0), (10, 6, 1))
}

/// H6 speaks of 9.6 and of the Main Release 10.0.0 below CU19; Feature Releases of 10.0 go on directly.
pub(crate) fn early_10_0(version: &Version) -> bool {
    major(version) < (10, 0) || (line(version) == (10, 0, 0) && version.cu().is_some_and(|cu| cu < 19))
}

/// H9: the known issue lists 10.4.0 to 10.4.4 and shows a cumulative update of 10.4.0 in its log.
fn early_10_4(version: &Version) -> bool {
    major(version) == (10, 4) && version.feature() <= 4
}

/// H9: the check lies in 10.5.0 CU3, 10.5.6 and 10.5.7; 10.5.0 CU4 is not named as good and counts as bad.
fn runs_the_crashing_check(version: &Version) -> bool {
    match line(version) {
        (10, 5, 0) => version.cu().is_none_or(|cu| (3..=4).contains(&cu)),
        (10, 5, feature) => (6..=7).contains(&feature),
        _ => false,
    }
}

/// H11: 10.5.1 and 10.5.2 CU0 never finish with expired users.
pub(crate) fn hangs_on_expired_users(target: &Version) -> bool {
    line(target) == (10, 5, 1) || (line(target) == (10, 5, 2) && target.cu().is_none_or(|cu| cu == 0))
}

/// `domain/04 section 7`: 10.4.1 to 10.5.6 and 10.5.0 to 10.5.0 CU3.
pub(crate) fn chokes_on_default_options(target: &Version) -> bool {
    ((10, 4, 1)..(10, 5, 0)).contains(&line(target))
        || ((10, 5, 1)..=(10, 5, 6)).contains(&line(target))
        || (line(target) == (10, 5, 0) && target.cu().is_none_or(|cu| cu <= 3))
}

/// H12: builds that antivirus programs take for what they are not; no stop where another serves.
pub(crate) fn alarms_antivirus(version: &Version) -> bool {
    matches!((line(version), version.cu()), ((10, 4, 0), Some(14)) | ((10, 5, 0), Some(2)) | ((10, 5, 5), _))
}

/// H2 with its exceptions: 10.1 may be left out below 10.1 (H5). 10.7 follows by analogy (H14).
pub(crate) fn skips(from: &Version, to: &Version) -> bool {
    let (old, new) = (major(from), major(to));
    if old < (10, 0) {
        return new > (10, 0);
    }
    if early_10_0(from) {
        return new > (10, 0);
    }
    if old == (10, 0) {
        return new > (10, 2);
    }
    old.0 == new.0 && new.1 > old.1 + 1
}

/// One package per major on the way down (`domain/02 section 3`); below 10.0 lies 9.6.
pub(crate) fn several_down(from: &Version, to: &Version) -> bool {
    let place = |version: &Version| match major(version) {
        (10, minor) => i32::from(minor) + 1,
        (9, 6) => 0,
        (older, _) if older < 10 => -1,
        (newer, minor) => i32::from(newer) * 100 + i32::from(minor),
    };
    place(from) - place(to) > 1
}

/// Lower by the product's own numbers, or an older CU of the same (`domain/01 section 4`).
pub fn is_lower(from: &Version, to: &Version) -> bool {
    numeric(from, to) == Ordering::Greater
}

/// A higher number with older fixes (`domain/01 section 4`): a switch of tracks that somebody must want.
pub fn loses_fixes(from: &Version, to: &Version) -> bool {
    numeric(from, to) == Ordering::Less && months(from) > months(to)
}

/// Packages that carry VerifyNatsIsRunning.dll fail on the way down from 10.4.0/10.4.3 on (`domain/02 section 3`).
pub fn nats_check_fails(from: &Version, to: &Version) -> bool {
    let newer = |version: &Version| reached(version, (10, 4, 0), (10, 4, 3));
    newer(from) && !newer(to)
}
