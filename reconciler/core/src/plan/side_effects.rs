//! What a way down brings besides the older release (`domain/02 section 3`).

use super::{
    PlanInput,
    conditions::{Conditions, any, both},
    course::{Course, Way},
    draft::Draft,
    survey::Survey,
};
use crate::knowledge::happens;

/// A warning for each side effect of the ways down, by its id.
pub(super) fn plan_side_effects(
    input: &PlanInput<'_>,
    survey: &Survey<'_>,
    course: &Course<'_>,
    draft: &mut Draft,
) {
    let down = || course.legs.iter().filter(|leg| leg.way == Way::Down);
    if down().next().is_none() {
        return;
    }
    let conditions = Conditions::of(input, survey);
    for effect in input.knowledge.side_effects() {
        let struck = any(down().map(|leg| match happens(effect, &leg.from, &leg.to) {
            Some(false) => Some(false),
            crosses => both(crosses, conditions.hold(&effect.conditions, &[], &leg.from)),
        }));
        let module = effect.module.as_deref().map_or(Some(true), |module| conditions.has_module(module));
        let happens = both(struck, module);
        if happens == Some(false) {
            continue;
        }
        let unseen = if happens.is_none() { "; whether it happens here was not seen" } else { "" };
        let told = effect.issue.as_deref().and_then(|issue| draft.advice(issue));
        let told = told.map(|advice| format!("; {}", advice.told)).unwrap_or_default();
        draft.warn(
            "DowngradeSideEffect",
            &effect.id,
            format!("the way down has a side effect: {}{unseen}{told}", effect.title),
        );
    }
}
