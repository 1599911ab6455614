//! What the web apps that run stand to lose: a lower level (W5), a prerequisite (W8), a library (W8).

use dataminer_schema::{
    plan::BlockCode,
    v1::knowledge::PackageFailure,
    version::{MonthIndex, Version},
};

use super::{
    PlanInput,
    allowance::Allowance,
    course::Course,
    draft::{Draft, list},
    route::band_of,
    survey::{Seen, Survey},
};
use crate::{
    knowledge::{Rules, holds},
    release::{Release, web_index},
};

/// W5: the level that is there must not fall, neither at the end nor on the way. Whether it does at the end, and may.
pub(super) fn protect(
    input: &PlanInput<'_>,
    survey: &Survey<'_>,
    course: &Course<'_>,
    last: MonthIndex,
    draft: &mut Draft,
) -> bool {
    let unknown = survey.names_where(|seen| seen.reached().is_some() && seen.web.is_none());
    if !unknown.is_empty() {
        draft.warn(
            "WebLevelUnknown",
            "W5",
            format!("the web level of {} is not known and taken for that of its core", list(&unknown)),
        );
    }
    let seen = survey.members.iter().filter_map(Seen::effective_web).max();
    let hop = course.legs.iter().map(|leg| leg.to.index_low()).max();
    let Some(peak) = seen.max(hop) else { return false };
    if last < peak {
        let allowance = Allowance::of(input);
        if allowance == Allowance::Given {
            return true;
        }
        let highest = survey.highest_web();
        let level = match highest {
            Some(web) if Some(web_index(web)) == seen && seen >= hop => {
                format!("web apps {} run", web.release_name())
            }
            _ if seen >= hop => "the web apps that run are at least those of their core".to_owned(),
            _ => "a stop on the way brings newer web apps".to_owned(),
        };
        draft.block(
            BlockCode::WebRegression,
            Vec::new(),
            format!("{level}, and the plan would end below that level"),
            allowance.help(
                "content that newer web apps have migrated does not work with older ones: want `webApps` of at least that \
                 level, or a newer core",
            ),
        );
        return false;
    }
    let mut before = seen;
    let dips = course.legs.iter().filter(|leg| {
        let level = Some(leg.to.index_low());
        let falls = level < before;
        before = before.max(level);
        falls
    });
    if let Some(leg) = dips.min_by_key(|leg| leg.to.index_low()) {
        draft.warn(
            "WebDip",
            "W5",
            format!(
                "on the way the web apps fall to the level of {}; a later step of the plan cures that",
                leg.to.name()
            ),
        );
    }
    false
}

/// W8: behind newer web apps, full packages of the line before fail until one of its CUs (RN 43676).
pub(super) fn prerequisite(survey: &Survey<'_>, course: &Course<'_>, draft: &mut Draft) {
    let PackageFailure { web: first, line, fixed_in, source: _ } = &survey.rules.w8.package;
    let ahead = survey.names_where(|seen| {
        let web = seen.web.as_ref();
        web.is_some_and(|web| band_of(web) >= band_of(first) && web_index(web) >= web_index(first))
    });
    let failing = band_of(line);
    let hop = course.legs.iter().find(|leg| {
        let fixed = leg.to.line() == fixed_in.line() && leg.to.cu_low() >= fixed_in.cu().unwrap_or(0);
        leg.from.band() == failing && leg.to.band() == failing && !fixed
    });
    if let (false, Some(hop)) = (ahead.is_empty(), hop) {
        let (major, minor) = band_of(first);
        let message = format!(
            "the full package of {} fails after web apps of {major}.{minor} on {}",
            hop.to.name(),
            list(&ahead)
        );
        let help = format!("want {} or later, or {major}.{minor}", fixed_in.release_name());
        draft.block(BlockCode::PrerequisiteKnownToFail, ahead, message, help);
    }
}

/// W8: whether GQI loses a library on the way up from what some Agent shows.
pub(super) fn any_loses_library(survey: &Survey<'_>, wanted: &Version) -> bool {
    let shown = survey.members.iter().filter_map(|seen| Release::exact(seen.web.clone()?));
    shown.into_iter().any(|web| loses_library(survey.rules, &web, wanted))
}

/// W8: from early 10.5 web apps a web package takes a library from GQI, which its installer brings back. A package of
/// 10.4, whatever its level, is not named by the issue and has no such installer (`domain/03 section 3`).
pub(super) fn loses_library(rules: &Rules, from: &Release, wanted: &Version) -> bool {
    let rule = &rules.w8.library;
    let has_gqi = Release::exact(wanted.clone()).is_some_and(|web| web.at_least(&rules.g5.gqi) == Some(true));
    has_gqi
        && holds(&rule.from, from) == Some(true)
        && web_index(wanted) > from.index_low()
        && web_index(wanted) < web_index(&rule.fixed_level)
}
