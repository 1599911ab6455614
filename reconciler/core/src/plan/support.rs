//! How long the wanted release is supported (`domain/01 section 2`).

use jiff::tz::TimeZone;

use super::{PlanInput, course::Course, draft::Draft};
use crate::knowledge::Support;

/// A warning where a change of the core leads to a release that nobody mends.
pub(super) fn plan_support(input: &PlanInput<'_>, course: &Course<'_>, draft: &mut Draft) {
    let Some(target) = course.target.as_ref().filter(|_| !course.legs.is_empty()) else { return };
    let today = input.now.to_zoned(TimeZone::UTC).date();
    let name = target.release.name();
    let (code, message) = match input.knowledge.support_at(target.release.version(), today) {
        Support::Ended(fact) => {
            ("SupportEnded", format!("the support of {name} ended on {}", fact.limited_support_until))
        }
        Support::Limited(fact) => (
            "SupportLimited",
            format!("{name} has limited support only, until {}", fact.limited_support_until),
        ),
        Support::OlderFeature => (
            "OlderFeatureRelease",
            format!("a later Feature Release than {name} is out: only the latest one gets fixes"),
        ),
        Support::Regular(_) | Support::Supported(_) | Support::LatestFeature | Support::Unknown => return,
    };
    draft.warn(code, "", message);
}
