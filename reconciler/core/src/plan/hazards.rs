//! Single hops that are known to go wrong (H8-H13): avoided where another release serves, else blocked or warned of.

use dataminer_schema::{plan::BlockCode, v1::knowledge::HopRule};

use super::{draft::Draft, route::Stop, survey::Survey};
use crate::{
    catalog::Catalog,
    knowledge::{Rules, holds},
    release::Release,
};

/// H12: releases whose DcomConfig.exe antivirus programs take for malware.
pub(super) fn is_h12(rules: &Rules, release: &Release) -> bool {
    holds(&rules.h12.releases, release) == Some(true)
}

/// What is never chosen as a stop, whatever else is missing: H8, and H10 and H11 as stops.
pub(super) fn avoided_as_stop(rules: &Rules, release: &Release, source: &Release) -> bool {
    let harmed =
        |rule: &HopRule| holds(&rule.to, release) == Some(true) && holds(&rule.from, source) != Some(false);
    harmed(&rules.h8) || harmed(&rules.h10) || is_h11(rules, release)
}

fn is_h11(rules: &Rules, release: &Release) -> bool {
    holds(&rules.h11.releases, release) == Some(true)
}

/// H9: prerequisites fail on the way straight from one to the other.
fn is_h9(rule: &HopRule, from: &Release, to: &Release) -> bool {
    holds(&rule.from, from) == Some(true) && holds(&rule.to, to) == Some(true)
}

/// How a message names the known issue behind a rule.
fn cited(issue: Option<&String>) -> String {
    issue.map(|issue| format!(" ({issue})")).unwrap_or_default()
}

/// H9: puts another release in between, if that does not lose fixes.
pub(super) fn plan_detours<'a>(
    catalog: &'a Catalog,
    rules: &Rules,
    source: &Release,
    stops: Vec<Stop<'a>>,
    draft: &mut Draft,
) -> Vec<Stop<'a>> {
    let rule = &rules.h9;
    let mut way: Vec<Stop<'a>> = Vec::new();
    for stop in stops {
        let from = way.last().map_or(source, |before| &before.to).clone();
        if is_h9(rule, &from, &stop.to) {
            let detour = rule.via.iter().find_map(|via| {
                let entry = catalog.core_package(via)?;
                let to = entry.release.clone()?;
                (to.index_low() >= from.index_high() && to.index_low() <= stop.to.index_low())
                    .then_some((to, entry))
            });
            match detour {
                Some((to, entry)) => {
                    let reason = format!(
                        "prerequisites fail on the way from {} straight to {}",
                        from.name(),
                        stop.to.name()
                    );
                    way.push(Stop::new(to, entry, vec!["H9"], reason));
                }
                None => draft.known_issue(
                    rule.issue.as_deref(),
                    Vec::new(),
                    format!(
                        "prerequisites fail from {} to {}{}",
                        from.describe(),
                        stop.to.name(),
                        cited(rule.issue.as_ref())
                    ),
                    format!("want {}", rule.instead),
                ),
            }
        }
        way.push(stop);
    }
    way
}

/// H8, H10-H13 for each hop of the way.
pub(super) fn plan_hazards(
    survey: &Survey<'_>,
    source: &Release,
    goal: &Release,
    stops: &[Stop<'_>],
    draft: &mut Draft,
) {
    let mut from = source;
    for stop in stops {
        nats_check(&survey.rules.h8, from, &stop.to, draft);
        snmp_credentials(&survey.rules.h10, from, &stop.to, draft);
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
    let rules = survey.rules;
    for release in stops.iter().map(|stop| &stop.to).chain([goal]).filter(|release| is_h12(rules, release)) {
        draft.warn(
            "KnownIssue",
            rules.h12.issue.as_deref().unwrap_or("H12"),
            format!(
                "antivirus programs may take a file of {} for malware: check the exclusions first (H12)",
                release.name()
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

fn nats_check(rule: &HopRule, from: &Release, to: &Release, draft: &mut Draft) {
    if holds(&rule.to, to) != Some(true) {
        return;
    }
    let below = holds(&rule.from, from);
    if below.is_none() {
        undecided(from, to, "H8", draft);
    }
    if below == Some(true) {
        draft.known_issue(
            rule.issue.as_deref(),
            Vec::new(),
            format!(
                "the prerequisite VerifyNatsIsRunning makes trouble from {} to {} (H8)",
                from.describe(),
                to.name()
            ),
            format!("want {}", rule.instead),
        );
    }
}

fn snmp_credentials(rule: &HopRule, from: &Release, to: &Release, draft: &mut Draft) {
    if holds(&rule.to, to) != Some(true) {
        return;
    }
    let late = holds(&rule.from, from);
    if late.is_none() {
        undecided(from, to, "H10", draft);
    }
    if late == Some(true) {
        draft.known_issue(
            rule.issue.as_deref(),
            Vec::new(),
            format!(
                "SNMPv3 credentials are lost from {} to {}{}",
                from.describe(),
                to.name(),
                cited(rule.issue.as_ref())
            ),
            format!("want {}", rule.instead),
        );
    }
}

/// H11: SLNet does not come up on these while a user in Security.xml is expired.
fn expired_users(survey: &Survey<'_>, to: &Release, draft: &mut Draft) {
    let rule = &survey.rules.h11;
    if !is_h11(survey.rules, to) {
        return;
    }
    let seen =
        survey.names_where(|seen| seen.reached().is_some_and(|agent| agent.expired_users == Some(true)));
    let unknown = survey.reached().any(|agent| agent.expired_users.is_none());
    if !seen.is_empty() {
        draft.known_issue(
            rule.issue.as_deref(),
            seen,
            format!(
                "{} does not come up while Security.xml holds an expired user{}",
                to.name(),
                cited(rule.issue.as_ref())
            ),
            format!("want {}, or remove the expired users", rule.instead),
        );
    } else if unknown {
        draft.warn(
            "KnownIssue",
            rule.issue.as_deref().unwrap_or("H11"),
            format!("{} does not come up while Security.xml holds an expired user; whether it does was not seen (H11)", to.name()),
        );
    }
}

/// H13: DefaultUpgradeOptions in MaintenanceSettings.xml keeps SLNet from starting.
fn default_upgrade_options(survey: &Survey<'_>, to: &Release, draft: &mut Draft) {
    let rule = &survey.rules.h13;
    if holds(&rule.releases, to) != Some(true) {
        return;
    }
    let seen = survey
        .names_where(|seen| seen.reached().is_some_and(|agent| agent.default_upgrade_options == Some(true)));
    let unknown = survey.reached().any(|agent| agent.default_upgrade_options.is_none());
    if !seen.is_empty() {
        draft.known_issue(
            rule.issue.as_deref(),
            seen,
            format!(
                "SLNet does not start on {} with DefaultUpgradeOptions in MaintenanceSettings.xml{}",
                to.name(),
                cited(rule.issue.as_ref())
            ),
            format!("remove the element, or want a release that is not concerned ({})", rule.instead),
        );
    } else if unknown {
        draft.warn(
            "KnownIssue",
            rule.issue.as_deref().unwrap_or("H13"),
            format!("SLNet does not start on {} if MaintenanceSettings.xml holds DefaultUpgradeOptions; not seen (H13)", to.name()),
        );
    }
}
