//! Modules that are exchanged while DataMiner is stopped (G3), and packages that lack a check (G2).

use dataminer_schema::{
    plan::{Action, Disruption, Plan, Step},
    version::{Track, Version},
};

use super::{Notes, installs, is_core_change};

/// Whether a step exchanges a module while DataMiner is stopped.
pub(super) fn is_swap(step: &Step) -> bool {
    step.action == Action::ReinstallModule && step.disruption == Disruption::Restart
}

/// G3: right behind the install on the same Agents, or, in a repair, before everything else that is owed.
pub(super) fn check_swaps(plan: &Plan, notes: &mut Notes) {
    let repairs = !plan.steps.iter().any(installs);
    for (index, step) in plan.steps.iter().enumerate().filter(|(_, step)| is_swap(step)) {
        let before = plan.steps[..index].iter().rfind(|before| !is_swap(before));
        let right = before.is_some_and(|before| {
            if repairs {
                before.action == Action::SaveBackup
            } else {
                before.action == Action::DowngradeCore && before.agents == step.agents
            }
        });
        if !right {
            notes.note("swap", Some(step), "does not stand right behind the install on the same Agents");
        }
        let after = plan.steps[index + 1..].iter().find(|after| !is_swap(after));
        let followed = after.is_some_and(|after| {
            after.action == Action::VerifyCluster
                || repairs && matches!(after.action, Action::RestoreContent | Action::ReinstallModule)
        });
        if !followed {
            notes.note("swap", Some(step), "no VerifyCluster follows");
        }
    }
}

/// G2: what a copy lacks is said where it is staged and where it is installed, and nowhere else.
pub(super) fn check_patches(plan: &Plan, notes: &mut Notes) {
    for step in &plan.steps {
        let uses = matches!(step.action, Action::StagePackage | Action::RunPrerequisites)
            || is_core_change(step) && (step.action == Action::DowngradeCore || crosses(step));
        if step.patch.is_some() && !uses {
            notes.note("patch", Some(step), "lacks nothing of a package: it installs none downwards");
        }
        if step.patch.as_ref().is_some_and(|patch| patch.removes.trim().is_empty()) {
            notes.note("patch", Some(step), "does not say what the package lacks");
        }
        let other = plan.steps.iter().find(|other| {
            uses && other.sha256 == step.sha256
                && step.sha256.is_some()
                && (other.action == Action::StagePackage || is_core_change(other))
                && other.patch != step.patch
        });
        if other.is_some() {
            notes.note("patch", Some(step), "another step has this package with other content");
        }
    }
}

/// Whether a hop comes from 10.4.0/10.4.3 or later to something older (T1): `10.4.0 CU9` to `10.4.2` does, although the
/// number rises.
fn crosses(step: &Step) -> bool {
    let above = |text: &Option<String>| {
        let version: Version = text.as_deref()?.parse().ok()?;
        let line = (version.major(), version.minor(), version.feature());
        let first = if version.track() == Track::Main { (10, 4, 0) } else { (10, 4, 3) };
        Some(line >= first)
    };
    above(&step.from) == Some(true) && above(&step.to) == Some(false)
}

/// G2: no hop crosses 10.4.0/10.4.3 downwards with a package whose check is known to refuse it.
pub(super) fn check_crossing(plan: &Plan, notes: &mut Notes) {
    if !plan.blocked.is_empty() {
        return;
    }
    for step in plan.steps.iter().filter(|step| is_core_change(step)) {
        if crosses(step) && step.patch.is_none() {
            notes.note("patch", Some(step), "a check of its package is known to fail on this way down");
        }
    }
}
