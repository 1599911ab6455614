//! What the web apps that run stand to lose: a lower level (W5), a prerequisite (W8), a library (W8).

use dataminer_schema::{
    plan::BlockCode,
    version::{MonthIndex, Version},
};

use super::{
    PlanInput,
    allowance::Allowance,
    course::Course,
    draft::{Draft, list},
    survey::{Seen, Survey},
};
use crate::release::web_index;

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

/// W8: after web 10.5.1 or later, 10.4 full packages fail until 10.4.0 CU20 (RN 43676).
pub(super) fn prerequisite(survey: &Survey<'_>, course: &Course<'_>, draft: &mut Draft) {
    let ahead = survey.names_where(|seen| {
        let web = seen.web.as_ref();
        web.is_some_and(|web| (web.major(), web.minor()) >= (10, 5) && web_index(web) >= MonthIndex(61))
    });
    let hop = course.legs.iter().find(|leg| {
        let fixed = leg.to.is_line(10, 4, 0) && leg.to.cu_low() >= 20;
        leg.from.band() == (10, 4) && leg.to.band() == (10, 4) && !fixed
    });
    if let (false, Some(hop)) = (ahead.is_empty(), hop) {
        let message =
            format!("the full package of {} fails after web apps of 10.5 on {}", hop.to.name(), list(&ahead));
        draft.block(BlockCode::PrerequisiteKnownToFail, ahead, message, "want 10.4.0 CU20 or later, or 10.5");
    }
}

/// W8: GQI loses a library on the way from early 10.5 web apps, until its module is installed again.
pub(super) fn json_library(survey: &Survey<'_>, wanted: &Version, draft: &mut Draft) {
    // 10.5.0 CU15 = 10.6.0 CU3 = 10.6.6.
    let fixed = web_index(wanted) >= MonthIndex(78);
    let hit = survey.names_where(|seen| {
        let line = seen.web.as_ref().map(|web| (web.line(), web.cu().unwrap_or(0)));
        line.is_some_and(|(line, cu)| {
            (line.major, line.minor) == (10, 5)
                && (matches!(line.feature, 2 | 3) || (line.feature == 0 && cu == 0))
        })
    });
    if !fixed && !hit.is_empty() {
        draft.warn(
            "KnownIssue",
            "KI_GQI_DxM_unavailable_missing_Newtonsoft_Json",
            format!("GQI on {} needs a repair installation after this web upgrade (W8); this version does not do it", list(&hit)),
        );
    }
}
