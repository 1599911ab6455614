//! What stands where besides hops: hotfixes behind the core, hooks before the disruption or behind everything,
//! prerequisites right behind what is staged.

use dataminer_schema::plan::{Action, Disruption, Plan, Step};

use super::{
    Notes,
    content::covers_all,
    is_core_change, is_web_change,
    tools::{PORTS, is_tool},
};

/// Whether a plan does nothing but prepare (S8).
pub(super) fn only_prepares(plan: &Plan) -> bool {
    let prepares = |step: &Step| matches!(step.action, Action::StagePackage | Action::RunPrerequisites);
    !plan.steps.is_empty() && plan.steps.iter().all(prepares)
}

/// D4: hotfixes follow the last core hop, before the web apps.
pub(super) fn check_hotfixes(plan: &Plan, notes: &mut Notes) {
    let core = plan.steps.iter().rposition(is_core_change);
    let web = plan.steps.iter().position(is_web_change);
    for (index, step) in
        plan.steps.iter().enumerate().filter(|(_, step)| step.action == Action::InstallHotfix)
    {
        if core.is_some_and(|core| index < core) {
            notes.note("hotfix", Some(step), "a later core hop would replace it");
        }
        if web.is_some_and(|web| web < index) {
            notes.note("hotfix", Some(step), "stands behind the web apps");
        }
        if !covers_all(plan, step) {
            notes.note("hotfix", Some(step), "is not for all Agents");
        }
    }
}

/// S3: a hook names what it calls; it stands before the first disruptive step, or behind all work.
pub(super) fn check_hooks(plan: &Plan, notes: &mut Notes) {
    let first = plan.steps.iter().position(|step| step.disruption != Disruption::None);
    for (index, step) in plan.steps.iter().enumerate() {
        if (step.action == Action::RunHook) != step.hook.is_some() {
            notes.note("hooks", Some(step), "a RunHook names its hook, and no other step does");
        }
        if step.action != Action::RunHook {
            continue;
        }
        let before = first.is_none_or(|first| index < first);
        let last = plan.steps[index + 1..]
            .iter()
            .all(|behind| matches!(behind.action, Action::RunHook | Action::CleanUp));
        if !before && !last {
            notes.note("hooks", Some(step), "stands in the middle of the work");
        }
        let saved = plan.steps[..index].iter().any(|step| step.action == Action::SaveBackup);
        if before && !saved {
            notes.note("hooks", Some(step), "content is saved before anything is called");
        }
    }
}

/// S1: the checks run behind the staging of everything and before all else, with the package that is installed first, on
/// the Agents that it reaches; but for those that ask for what a tool before it brings about.
pub(super) fn check_prerequisites(plan: &Plan, notes: &mut Notes) {
    if let Some(step) =
        plan.steps.iter().find(|step| !step.without.is_empty() && step.action != Action::RunPrerequisites)
    {
        notes.note("prerequisites", Some(step), "leaves checks out and runs none");
    }
    let place = plan.steps.iter().position(|step| is_core_change(step) || is_web_change(step));
    let first = place.and_then(|place| plan.steps.get(place));
    for (index, step) in
        plan.steps.iter().enumerate().filter(|(_, step)| step.action == Action::RunPrerequisites)
    {
        let staged = plan.steps[..index].iter().all(|before| before.action == Action::StagePackage);
        let more = plan.steps[index + 1..].iter().any(|behind| behind.action == Action::StagePackage);
        if !staged || more {
            notes.note(
                "prerequisites",
                Some(step),
                "does not stand right behind the staging of all packages",
            );
        }
        if first.is_some_and(|first| first.sha256 != step.sha256) {
            notes.note(
                "prerequisites",
                Some(step),
                "checks another package than the one that is installed first",
            );
        }
        let ahead = plan.steps.get(index + 1..place.unwrap_or_default().max(index + 1)).unwrap_or_default();
        let mut expected: Vec<&str> =
            ahead.iter().filter(|step| is_tool(step)).filter_map(answered).collect();
        expected.dedup();
        // Where nothing but the preparations is left of a plan, its tools still lie staged (S8).
        let staged = || plan.steps.iter().filter_map(answered).collect::<Vec<_>>();
        let right = if only_prepares(plan) {
            step.without.iter().all(|check| staged().contains(&check.as_str()))
        } else {
            step.without == expected
        };
        if !right {
            let message = "leaves out other checks than those that tools before the first install see to";
            notes.note("prerequisites", Some(step), message);
        }
        if first.is_some_and(|first| first.agents != step.agents) {
            notes.note("prerequisites", Some(step), "checks other Agents than those that are changed first");
        }
    }
}

/// The check that fails until the tool of a step was run: VerifyClusterPorts looks for its last result,
/// VerifyBrokerGatewayMigration for what the migration leaves (`domain/prerequisites.yaml`).
fn answered(step: &Step) -> Option<&'static str> {
    let package = step.package.as_ref()?.to_lowercase();
    if package.contains(PORTS) {
        Some("VerifyClusterPorts.dll")
    } else {
        package.starts_with("natsmigration").then_some("VerifyBrokerGatewayMigration.dll")
    }
}

/// A look that lasts longer than others is a look.
pub(super) fn check_settle(plan: &Plan, notes: &mut Notes) {
    for step in &plan.steps {
        if step.settle.is_some_and(|settle| !settle.is_positive() || step.action != Action::VerifyCluster) {
            notes.note("settle", Some(step), "only a VerifyCluster lasts, and it does last");
        }
    }
}
