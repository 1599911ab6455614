//! What a manifest declares or a plan needs, and this release does not carry out: nothing starts while it is there.

use std::collections::{BTreeMap, BTreeSet};

use dataminer_schema::plan::{Action, BlockCode, Step};

use super::{PlanInput, draft::Draft};
use crate::catalog::Entry;

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
    for (file, source) in remote_packages(input, &draft.steps) {
        draft.block(
            BlockCode::NotSupportedYet,
            Vec::new(),
            format!("`{file}` lies at `{source}`, and this release does not fetch packages from there"),
            "put the file into a package place and write its relative path as `source`, or leave `source` out",
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

/// The packages of the steps that no package place holds, with where they are.
fn remote_packages(input: &PlanInput<'_>, steps: &[Step]) -> BTreeMap<String, String> {
    let staged = steps.iter().filter(|step| step.action == Action::StagePackage);
    let wanted: BTreeSet<_> = staged.filter_map(|step| step.sha256.as_ref()).collect();
    let remote = |entry: &Entry| {
        let source = entry.source.as_ref().filter(|source| !source.is_carried_out())?;
        Some((entry.file.clone(), source.to_string()))
    };
    wanted.into_iter().filter_map(|sha256| input.catalog.by_digest(sha256)).filter_map(remote).collect()
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
        | Action::InstallHotfix
        | Action::RestoreContent
        | Action::ReinstallModule
        | Action::VerifyCluster
        | Action::CleanUp => true,
        Action::BackupAgent | Action::RunHook | Action::Manual => false,
    }
}
