//! The rules about hotfixes, hooks, prerequisites and looks that last.

use dataminer_schema::{
    plan::{Action, Disruption, Plan, PlanResult},
    v1::cluster::{Hook, HookEvent},
};
use jiff::SignedDuration;

use super::{lint, renumber, rules_of};
use crate::testing::{Scenario, name};

/// A plan with hooks, a hotfix and a web step, as if nothing blocked it.
fn clean() -> Plan {
    let hotfix = "HF_10.5.0.0(CU12)_20251120-135714";
    let mut scenario = Scenario::new("10.5.0 CU9", "10.5.0 CU12").want_web("10.6.4");
    let mut package = crate::testing::tool(crate::tool::Tool::VerifyClusterPorts);
    package.file = format!("{hotfix}.dmupgrade");
    package.sha256 = dataminer_schema::id::Sha256::of(hotfix.as_bytes());
    scenario.packages.push(package);
    scenario.cluster.software.hotfixes.push(hotfix.to_owned());
    let hook = |event, run: &str| Hook { event, run: run.to_owned(), timeout: SignedDuration::from_mins(1) };
    scenario.cluster.hooks =
        vec![hook(HookEvent::BeforeDisruption, "snapshot"), hook(HookEvent::AfterSuccess, "smoke")];
    let mut plan = scenario.plan();
    plan.blocked.clear();
    plan.result = PlanResult::Ready;
    plan.steps.iter_mut().for_each(|step| step.ready = true);
    assert_eq!(lint(&plan), []);
    plan
}

fn place(plan: &Plan, action: Action) -> usize {
    plan.steps.iter().position(|step| step.action == action).expect("the step")
}

fn broken(change: impl Fn(&mut Plan)) -> Vec<&'static str> {
    let mut plan = clean();
    change(&mut plan);
    renumber(&mut plan);
    rules_of(&plan)
}

fn moved(action: Action, count: usize, to: Action) -> Vec<&'static str> {
    broken(|plan| {
        let from = place(plan, action);
        let steps: Vec<_> = plan.steps.drain(from..from + count).collect();
        let at = place(plan, to);
        plan.steps.splice(at..at, steps);
    })
}

#[test]
fn d4_hotfixes_stand_between_the_core_and_the_web_apps() {
    assert_eq!(moved(Action::InstallHotfix, 2, Action::UpgradeCore), ["hotfix"]);
    assert_eq!(moved(Action::InstallHotfix, 2, Action::CleanUp), ["hooks", "hotfix"]);
    let part = |plan: &mut Plan| {
        let at = place(plan, Action::InstallHotfix);
        plan.steps[at].agents = vec![name("a1")];
    };
    assert_eq!(broken(part), ["hotfix"]);
    let unverified = |plan: &mut Plan| {
        let at = place(plan, Action::InstallHotfix);
        plan.steps.remove(at + 1);
    };
    assert_eq!(broken(unverified), ["verified"]);
}

#[test]
fn s3_hooks_stand_at_the_edges_and_are_named() {
    let nameless = |plan: &mut Plan| {
        let at = place(plan, Action::RunHook);
        plan.steps[at].hook = None;
    };
    assert_eq!(broken(nameless), ["hooks"]);
    assert_eq!(broken(|plan| plan.steps[0].hook = Some("x".to_owned())), ["hooks"]);
    assert_eq!(moved(Action::RunHook, 1, Action::InstallHotfix), ["hooks"]);
    assert_eq!(moved(Action::RunHook, 1, Action::SaveBackup), ["hooks"]);
    let loud = |plan: &mut Plan| {
        let at = place(plan, Action::RunHook);
        plan.steps[at].disruption = Disruption::WebServer;
    };
    assert!(broken(loud).contains(&"disruption"));
}

#[test]
fn s1_prerequisites_stand_right_behind_the_staging_and_check_what_comes_first() {
    let with = |change: fn(&mut Plan, usize)| {
        broken(move |plan| {
            let at = place(plan, Action::RunPrerequisites);
            change(plan, at);
        })
    };
    assert_eq!(with(|plan, at| plan.steps.swap(at, at - 1)), ["prerequisites"]);
    assert_eq!(with(|plan, at| plan.steps.swap(at, at + 1)), ["prerequisites"]);
    assert_eq!(with(|plan, at| plan.steps[at].agents.truncate(1)), ["prerequisites"]);
    let other = |plan: &mut Plan, at: usize| {
        let web = plan.steps[place(plan, Action::UpgradeWeb)].clone();
        (plan.steps[at].sha256, plan.steps[at].package) = (web.sha256, web.package);
    };
    assert_eq!(with(other), ["prerequisites"]);
    assert_eq!(with(|plan, at| plan.steps[at].sha256 = None), ["packages", "prerequisites"]);
    assert_eq!(
        with(|plan, at| plan.steps[at].without.push("VerifyOSVersion.dll".to_owned())),
        ["prerequisites"]
    );
    assert_eq!(with(|plan, at| plan.steps[at - 1].without.push("X.dll".to_owned())), ["prerequisites"]);
}

#[test]
fn only_a_look_lasts() {
    let lasting = |action: Action, settle: SignedDuration| {
        broken(move |plan| {
            let at = place(plan, action);
            plan.steps[at].settle = Some(settle);
        })
    };
    assert_eq!(lasting(Action::VerifyCluster, SignedDuration::from_mins(15)), [""; 0]);
    assert_eq!(lasting(Action::VerifyCluster, SignedDuration::ZERO), ["settle"]);
    assert_eq!(lasting(Action::UpgradeCore, SignedDuration::from_mins(15)), ["settle"]);
}

#[test]
fn s8_a_plan_that_only_prepares_is_called_by_what_it_prepares() {
    let staged = |plan: &mut Plan| plan.steps.retain(|step| step.action == Action::StagePackage);
    assert_eq!(broken(staged), [""; 0]);
    let nothing = |plan: &mut Plan| {
        staged(plan);
        plan.change = dataminer_schema::plan::Change::None;
    };
    assert_eq!(broken(nothing), ["change"]);
}
