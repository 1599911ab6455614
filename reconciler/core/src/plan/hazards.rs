//! Single hops that are known to go wrong (H7-H13): avoided where another release serves, else blocked or warned of.

use dataminer_schema::{
    plan::BlockCode,
    version::{Line, Version},
};

use super::{draft::Draft, route::Stop, survey::Survey};
use crate::{
    catalog::Catalog,
    release::{Release, Threshold},
};

/// VerifyNatsIsRunning fails on 10.2.7 for sources below (`domain/02 H8`).
const H8_SOURCE: Threshold = Threshold::new((10, 1, 12), (10, 2, 3, 0));

/// H12: builds whose DcomConfig.exe antivirus programs take for malware.
pub(super) fn is_h12(release: &Release) -> bool {
    (release.is_line(10, 4, 0) && release.cu() == Some(14))
        || (release.is_line(10, 5, 0) && release.cu() == Some(2))
        || release.is_line(10, 5, 5)
}

/// What is never chosen as a stop, whatever else is missing: H8, and H10 and H11 as stops.
pub(super) fn avoided_as_stop(release: &Release, source: &Release) -> bool {
    let h8 = release.is_line(10, 2, 7) && source.at_least(&H8_SOURCE) != Some(true);
    let h10 = is_h10_target(release) && source.is_line(10, 4, 0);
    h8 || h10 || is_h11(release)
}

fn is_h10_target(release: &Release) -> bool {
    let Line { major, minor, feature } = release.line();
    (major, minor) == (10, 4) && (9..=12).contains(&feature)
}

fn is_h11(release: &Release) -> bool {
    release.is_line(10, 5, 1) || (release.is_line(10, 5, 2) && release.cu() == Some(0))
}

/// H9: from 10.4.0 or 10.4.1-10.4.4 straight to 10.5.0 CU3/CU4, 10.5.6 or 10.5.7 prerequisites fail.
fn is_h9(from: &Release, to: &Release) -> bool {
    let Line { major, minor, feature } = from.line();
    let source = (major, minor) == (10, 4) && feature <= 4;
    let main = to.is_line(10, 5, 0) && matches!(to.cu(), Some(3 | 4));
    source && (main || to.is_line(10, 5, 6) || to.is_line(10, 5, 7))
}

/// H9: puts 10.5.0 CU1, else CU2, else CU0 in between, if that does not lose fixes.
pub(super) fn plan_detours<'a>(
    catalog: &'a Catalog,
    source: &Release,
    stops: Vec<Stop<'a>>,
    draft: &mut Draft,
) -> Vec<Stop<'a>> {
    let mut way: Vec<Stop<'a>> = Vec::new();
    for stop in stops {
        let from = way.last().map_or(source, |before| &before.to).clone();
        if is_h9(&from, &stop.to) {
            let detour = [1, 2, 0].into_iter().find_map(|cu| {
                let entry = catalog.core_package(&Version::new(10, 5, 0).with_cu(cu))?;
                let to = entry.release.clone()?;
                (to.index_low() >= from.index_high() && to.index_low() <= stop.to.index_low())
                    .then_some((to, entry))
            });
            match detour {
                Some((to, entry)) => way.push(Stop {
                    to,
                    entry,
                    rules: vec!["H9"],
                    reason: format!("prerequisites fail on the way from {} straight to {}", from.name(), stop.to.name()),
                }),
                None => draft.block(
                    BlockCode::KnownIssue,
                    Vec::new(),
                    format!(
                        "prerequisites fail from {} to {} (KI_Prerequisites_fail_when_upgrading_from_10.4.0-to-10.5.3-CU3)",
                        from.describe(),
                        stop.to.name()
                    ),
                    "want 10.5.0 CU5 or later, or 10.5.8 or later",
                ),
            }
        }
        way.push(stop);
    }
    way
}

/// H7, H8, H10-H13 for each hop of the way.
pub(super) fn plan_hazards(
    survey: &Survey<'_>,
    source: &Release,
    goal: &Release,
    stops: &[Stop<'_>],
    draft: &mut Draft,
) {
    let mut from = source;
    for stop in stops {
        verify_cluster_ports(from, &stop.to, draft);
        nats_check(from, &stop.to, draft);
        snmp_credentials(from, &stop.to, draft);
        from = &stop.to;
    }
    plan_faults(survey, goal, stops, draft);
}

/// H11-H13: faults of the releases themselves, from wherever one comes.
pub(super) fn plan_faults(survey: &Survey<'_>, goal: &Release, stops: &[Stop<'_>], draft: &mut Draft) {
    for stop in stops {
        expired_users(survey, &stop.to, draft);
        default_upgrade_options(survey, &stop.to, draft);
    }
    for release in stops.iter().map(|stop| &stop.to).chain([goal]).filter(|release| is_h12(release)) {
        draft.warn(
            "KnownIssue",
            "KI_DCOMConfig_flagged_as_virus",
            format!(
                "antivirus programs may take a file of {} for malware: check the exclusions first (H12)",
                release.name()
            ),
        );
    }
}

fn verify_cluster_ports(from: &Release, to: &Release, draft: &mut Draft) {
    if from.band() == (10, 0) && to.band() >= (10, 2) {
        draft.block(
            BlockCode::ManualStepRequired,
            Vec::new(),
            format!("VerifyClusterPorts must run on all Agents before the hop from {} to {} (H7)", from.name(), to.name()),
            format!(
                "this version does not run tools: want `core: {}` first if it does not run yet, then upgrade to {} by \
                 hand as documented, with VerifyClusterPorts before it; its result lives 10 days",
                from.name(),
                to.name()
            ),
        );
    }
}

/// D7: the interval of an unknown CU straddles a rule.
fn undecided(from: &Release, to: &Release, rule: &str, draft: &mut Draft) {
    draft.block(
        BlockCode::UnknownBuild,
        Vec::new(),
        format!("whether the way from {} to {} is safe ({rule}) hangs on its CU", from.describe(), to.name()),
        "name the build in the catalogue's `builds`, or add its package",
    );
}

fn nats_check(from: &Release, to: &Release, draft: &mut Draft) {
    if !to.is_line(10, 2, 7) {
        return;
    }
    let below = from.at_least(&H8_SOURCE).map(|at_least| !at_least);
    if below.is_none() {
        undecided(from, to, "H8", draft);
    }
    if below == Some(true) {
        draft.block(
            BlockCode::KnownIssue,
            Vec::new(),
            format!(
                "the prerequisite VerifyNatsIsRunning makes trouble from {} to 10.2.7 (H8)",
                from.describe()
            ),
            "want 10.2.8, or a Main Release",
        );
    }
}

fn snmp_credentials(from: &Release, to: &Release, draft: &mut Draft) {
    if !from.is_line(10, 4, 0) || !is_h10_target(to) {
        return;
    }
    let late = from.cu_is(|cu| cu >= 6);
    if late.is_none() {
        undecided(from, to, "H10", draft);
    }
    if late == Some(true) {
        draft.block(
            BlockCode::KnownIssue,
            Vec::new(),
            format!(
                "SNMPv3 credentials are lost from {} to {} (KI_SNMPv3_elements_broken_after_upgrade)",
                from.describe(),
                to.name()
            ),
            "want 10.5.0 or 10.5.1 or later",
        );
    }
}

/// H11: SLNet does not come up on these while a user in Security.xml is expired.
fn expired_users(survey: &Survey<'_>, to: &Release, draft: &mut Draft) {
    if !is_h11(to) {
        return;
    }
    let seen =
        survey.names_where(|seen| seen.reached().is_some_and(|agent| agent.expired_users == Some(true)));
    let unknown = survey.reached().any(|agent| agent.expired_users.is_none());
    if !seen.is_empty() {
        draft.block(
            BlockCode::KnownIssue,
            seen,
            format!(
                "{} does not come up while Security.xml holds an expired user (KI_Upgrade_to_1051_stuck)",
                to.name()
            ),
            "want 10.5.0, 10.5.2 CU1 or later, or remove the expired users",
        );
    } else if unknown {
        draft.warn(
            "KnownIssue",
            "KI_Upgrade_to_1051_stuck",
            format!("{} does not come up while Security.xml holds an expired user; whether it does was not seen (H11)", to.name()),
        );
    }
}

/// H13: DefaultUpgradeOptions in MaintenanceSettings.xml keeps SLNet from starting.
fn default_upgrade_options(survey: &Survey<'_>, to: &Release, draft: &mut Draft) {
    let Line { major, minor, feature } = to.line();
    let line = (major, minor, feature);
    let feature_release = feature > 0 && ((10, 4, 1)..=(10, 5, 6)).contains(&line);
    let main_release = line == (10, 5, 0) && to.cu().is_some_and(|cu| cu <= 3);
    if !feature_release && !main_release {
        return;
    }
    let seen = survey
        .names_where(|seen| seen.reached().is_some_and(|agent| agent.default_upgrade_options == Some(true)));
    let unknown = survey.reached().any(|agent| agent.default_upgrade_options.is_none());
    if !seen.is_empty() {
        draft.block(
            BlockCode::KnownIssue,
            seen,
            format!(
                "SLNet does not start on {} with DefaultUpgradeOptions in MaintenanceSettings.xml \
                 (KI_Default_upgrade_options_SLNet_issue)",
                to.name()
            ),
            "remove the element, or want a release that is not concerned (10.5.0 CU4 or later, 10.5.7 or later)",
        );
    } else if unknown {
        draft.warn(
            "KnownIssue",
            "KI_Default_upgrade_options_SLNet_issue",
            format!("SLNet does not start on {} if MaintenanceSettings.xml holds DefaultUpgradeOptions; not seen (H13)", to.name()),
        );
    }
}
