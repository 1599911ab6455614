//! What follows where the web level falls: the restore, the modules, and what the plan says is lost.

use std::collections::BTreeSet;

use dataminer_schema::{
    id::AgentName,
    plan::{Action, Plan, Step},
    version::{MonthIndex, Version},
};

use super::{Notes, installs, is_core_change, is_web_change, is_whole, modules::is_swap};

/// The swap of modules right behind an install (G3) belongs to that install.
fn is_tail(step: &Step) -> bool {
    matches!(step.action, Action::RestoreContent | Action::ReinstallModule) && !is_swap(step)
}

/// Whether a step is for every Agent of the plan.
pub(super) fn covers_all(plan: &Plan, step: &Step) -> bool {
    let all: BTreeSet<&AgentName> = plan.agents.iter().map(|agent| &agent.name).collect();
    step.agents.iter().collect::<BTreeSet<_>>() == all
}

/// What a restore and a module step pin, and that no other step does.
pub(super) fn check_pins(plan: &Plan, notes: &mut Notes) {
    for step in &plan.steps {
        if (step.action == Action::RestoreContent) != step.backup.is_some() {
            notes.note("content", Some(step), "a RestoreContent pins a backup, and no other step does");
        }
        let named = step.module.as_ref().is_some_and(|module| !module.trim().is_empty());
        if named != (step.action == Action::ReinstallModule) || (step.module.is_some() && !named) {
            notes.note("content", Some(step), "a ReinstallModule names a module, and no other step does");
        }
    }
    let mut restores = plan.steps.iter().filter(|step| step.action == Action::RestoreContent);
    match (restores.next(), &plan.content_loss) {
        (None, Some(_)) => notes.note("content", None, "says what a restore loses, and restores nothing"),
        (Some(step), Some(loss)) if step.backup.as_ref() != Some(&loss.backup) => {
            notes.note("content", Some(step), "restores another backup than the plan says");
        }
        (Some(step), Some(loss)) if loss.agents != step.agents => {
            notes.note("content", Some(step), "restores on other Agents than the plan says");
        }
        _ => {}
    }
    if let Some(second) = restores.next() {
        notes.note("content", Some(second), "is a second restore: the first would be for nothing");
    }
}

/// The tail: on all Agents, behind the last install, the content before the modules, and a look at all of it.
pub(super) fn check_tail(plan: &Plan, notes: &mut Notes) {
    let Some(first) = plan.steps.iter().position(is_tail) else { return };
    if let Some(late) = plan.steps[first..].iter().find(|step| installs(step)) {
        notes.note("tail", Some(late), "a later install would undo what was restored");
    }
    for step in plan.steps.iter().filter(|step| is_tail(step)) {
        if !covers_all(plan, step) {
            notes.note("tail", Some(step), "is not for all Agents");
        }
    }
    let behind = plan.steps[first..].iter().skip_while(|step| is_tail(step));
    let ordered = plan.steps[first..].iter().take_while(|step| is_tail(step));
    if let Some(step) = ordered.skip(1).find(|step| step.action == Action::RestoreContent) {
        notes.note("tail", Some(step), "a restore stands before the modules");
    }
    match behind.clone().next() {
        Some(step) if step.action == Action::VerifyCluster && covers_all(plan, step) => {}
        _ => notes.note("tail", plan.steps.get(first), "no VerifyCluster of all Agents follows"),
    }
    if let Some(step) = behind.skip(1).find(|step| !matches!(step.action, Action::RunHook | Action::CleanUp))
    {
        notes.note("tail", Some(step), "stands behind the end of the work");
    }
}

/// W5, G5: content follows a web level that falls, or the plan says that it does not.
pub(super) fn check_fall(plan: &Plan, notes: &mut Notes) {
    if !is_whole(plan) {
        return;
    }
    let Some(last) = plan.steps.iter().rfind(|step| is_core_change(step) || is_web_change(step)) else {
        return;
    };
    let shown = plan.agents.iter().map(|agent| agent.web_apps.as_deref().or(agent.core.as_deref()));
    let hops = plan.steps.iter().filter(|step| is_core_change(step)).map(|step| step.to.as_deref());
    let peak = shown.chain(hops).filter_map(level).max();
    let said = plan.warnings.iter().any(|warning| warning.code == "ContentNotRestored");
    let restored = plan.steps.iter().any(|step| step.action == Action::RestoreContent);
    if level(last.to.as_deref()) < peak && !said && !restored {
        notes.note("fall", Some(last), "the web level falls, and content neither follows nor is given up");
    }
}

fn level(text: Option<&str>) -> Option<MonthIndex> {
    text?.parse::<Version>().ok()?.month_index()
}
