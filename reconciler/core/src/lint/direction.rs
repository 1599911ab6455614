//! Downgrades go down, upgrades go up, and the plan calls its change by its name.

use std::cmp::Ordering;

use dataminer_schema::{
    plan::{Action, Change, Plan, Step},
    version::Version,
};

use super::{Notes, order::only_prepares};

/// D1 for the core, W4 for the web apps. Equal is neither: another build of the same release, or one Agent of many.
pub(super) fn check_direction(plan: &Plan, notes: &mut Notes) {
    for step in &plan.steps {
        let (order, wrong) = match step.action {
            Action::UpgradeCore => (core_order(step), Ordering::Less),
            Action::DowngradeCore => (core_order(step), Ordering::Greater),
            Action::UpgradeWeb => (web_order(step), Ordering::Less),
            Action::DowngradeWeb => (web_order(step), Ordering::Greater),
            _ => continue,
        };
        if order == Some(wrong) {
            notes.note("direction", Some(step), "goes the other way than its action says");
        }
    }
}

fn versions(step: &Step) -> Option<(Version, Version)> {
    Some((step.from.as_deref()?.parse().ok()?, step.to.as_deref()?.parse().ok()?))
}

/// How `to` stands to `from`; `None` where that hangs on an unknown CU.
fn core_order(step: &Step) -> Option<Ordering> {
    let (from, to) = versions(step)?;
    let unequal = to.line().cmp(&from.line());
    if unequal != Ordering::Equal {
        return Some(unequal);
    }
    // A Feature Release without a CU is CU0 (D3).
    let cu = |version: &Version| version.cu().or((version.feature() > 0).then_some(0));
    Some(cu(&to)?.cmp(&cu(&from)?))
}

fn web_order(step: &Step) -> Option<Ordering> {
    let (from, to) = versions(step)?;
    Some(to.month_index()?.cmp(&from.month_index()?))
}

pub(super) fn check_change(plan: &Plan, notes: &mut Notes) {
    let any = |actions: &[Action]| plan.steps.iter().any(|step| actions.contains(&step.action));
    let (up, down) = (any(&[Action::UpgradeCore, Action::InstallHotfix]), any(&[Action::DowngradeCore]));
    let (web_up, web_down) = (any(&[Action::UpgradeWeb]), any(&[Action::DowngradeWeb]));
    let restore = any(&[Action::RestoreContent]);
    let tail = restore || any(&[Action::ReinstallModule]);
    // S8: what would be changed is left out.
    let blocked = !plan.blocked.is_empty() || only_prepares(plan);
    let right = match plan.change {
        Change::None => !(up || down || web_up || web_down || tail || only_prepares(plan)),
        // W8: a module may follow.
        Change::WebUpgrade => !(up || down || web_down || restore),
        Change::WebDowngrade => !(any(&[Action::UpgradeCore]) || down || web_up),
        Change::Upgrade => !(down || web_down) && (up || blocked),
        Change::Downgrade => !(any(&[Action::UpgradeCore]) || web_down) && (down || blocked),
        Change::Repair => up || down || web_up || web_down || tail || blocked,
    };
    if !right {
        notes.note("change", None, format!("{:?} does not fit the steps", plan.change));
    }
}
