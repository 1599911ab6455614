//! What a manifest declares and this release does not carry out: nothing starts while it is there.

use dataminer_schema::plan::BlockCode;

use super::{PlanInput, draft::Draft};

/// Blocks a change of a cluster that relies on what would be left out.
pub(super) fn plan_unsupported(input: &PlanInput<'_>, draft: &mut Draft) {
    for field in input.desired.cluster.not_carried_out() {
        draft.block(
            BlockCode::NotSupportedYet,
            Vec::new(),
            format!("`{field}` is declared, and this release does not carry it out"),
            "take it out if the change is safe without it, or make the change by hand",
        );
    }
}
