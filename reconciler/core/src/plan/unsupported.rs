//! What a manifest declares or a plan needs, and this release does not carry out: nothing starts while it is there.

use dataminer_schema::plan::{Action, BlockCode, Disruption, Step};

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
    for what in draft.steps.iter().filter_map(beyond_the_driver).collect::<std::collections::BTreeSet<_>>() {
        draft.block(
            BlockCode::NotSupportedYet,
            Vec::new(),
            format!("the plan needs {what}, and this release does not carry it out"),
            "make this change by hand, by the steps of the plan",
        );
    }
    let missing: Vec<Action> =
        draft.steps.iter().map(|step| step.action).filter(|action| !is_carried_out(*action)).collect();
    for action in missing {
        draft.block(
            BlockCode::NotSupportedYet,
            Vec::new(),
            format!("the plan needs a {action:?}, and this release does not carry it out"),
            "make this change by hand, by the steps of the plan",
        );
    }
}

/// What the driver cannot do of an action that it can do else.
fn beyond_the_driver(step: &Step) -> Option<&'static str> {
    match step.action {
        Action::StagePackage if step.patch.is_some() => Some("a package without one of its checks (G2)"),
        Action::ReinstallModule if step.disruption == Disruption::Restart => {
            Some("modules that are exchanged while DataMiner is stopped (G3)")
        }
        _ => None,
    }
}

/// Whether the driver can do it.
fn is_carried_out(action: Action) -> bool {
    match action {
        Action::StagePackage
        | Action::RunPrerequisites
        | Action::SaveBackup
        | Action::RunTool
        | Action::UpgradeCore
        | Action::UpgradeWeb
        | Action::DowngradeCore
        | Action::DowngradeWeb
        | Action::RestoreContent
        | Action::ReinstallModule
        | Action::VerifyCluster
        | Action::CleanUp => true,
        Action::BackupAgent | Action::RunHook | Action::InstallHotfix | Action::Manual => false,
    }
}
