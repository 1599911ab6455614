//! S10: what was proven to run unattended on this cluster, and what was not.

use dataminer_schema::{plan::BlockCode, v1::knowledge::UtilityRule};

use super::{PlanInput, course::Course, draft::Draft};
use crate::release::Release;

/// What is known of something that only a trial shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Proof {
    /// Nobody has said anything: a plan from files alone.
    #[default]
    Unknown,
    /// It was tried and works.
    Proven,
    /// It was tried and does not work, or is known never to have been tried.
    Missing,
}

/// S10: an old Taskbar Utility may fail or ask when it runs unattended; a job's deadline ends a run that hangs.
pub(super) fn plan_proofs(input: &PlanInput<'_>, rule: &UtilityRule, course: &Course<'_>, draft: &mut Draft) {
    // A CU that is not known is a warning at most (D7).
    let old = |release: &Release| release.at_least(&rule.reads_arguments) != Some(true);
    let first = course.legs.first().map(|leg| &leg.from).filter(|from| old(from));
    // Where modules are exchanged, the older utility starts a DataMiner that is stopped.
    let swapped = course.legs.iter().find(|leg| leg.around.swaps).map(|leg| &leg.to).filter(|to| old(to));
    if let Some(release) = first.or(swapped) {
        let message =
            format!("the Taskbar Utility of {} may fail or hang when run unattended", release.name());
        match input.state.canary {
            Proof::Proven => {}
            Proof::Missing if release.at_least(&rule.reads_arguments) == Some(false) => draft.block(
                BlockCode::ManualStepRequired,
                Vec::new(),
                message,
                "prove that it runs there (`doctor --canary`), or make this change by hand",
            ),
            Proof::Unknown | Proof::Missing => {
                draft.warn("UtilityUnproven", "S10", format!("{message}: be at hand for the first hop"));
            }
        }
    }
    if input.state.run_as == Proof::Missing {
        draft.warn(
            "RunAsUnproven",
            "S10",
            "no job has run under the account of `upgrade.runAs` on this cluster yet: be at hand for the first one",
        );
    }
}
