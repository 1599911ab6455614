//! What the process adds to a plan: hooks (S3), staging alone (S8), Probes (S6), what was proven (S10).

use dataminer_schema::{
    plan::{Action, BlockCode, Disruption, Plan},
    v1::{
        cluster::{AgentKind, Hook, HookEvent, UpgradeMode},
        observation::AgentState,
    },
};
use jiff::SignedDuration;

use crate::{
    plan::Proof,
    testing::{Scenario, backup, codes, owed_restore, warnings},
};

fn upgrade() -> Scenario {
    Scenario::new("10.4.0 CU21", "10.5.0 CU12")
}

fn hook(event: HookEvent, run: &str) -> Hook {
    Hook { event, run: run.to_owned(), timeout: SignedDuration::from_mins(10) }
}

fn places(plan: &Plan, action: Action) -> Vec<usize> {
    let steps = plan.steps.iter().enumerate().filter(|(_, step)| step.action == action);
    steps.map(|(index, _)| index).collect()
}

#[test]
fn s3_hooks_stand_before_the_disruption_and_behind_the_success() {
    let mut scenario = upgrade();
    scenario.cluster.hooks = vec![
        hook(HookEvent::AfterSuccess, "smoke-test"),
        hook(HookEvent::BeforeDisruption, "vm-snapshot"),
        hook(HookEvent::AfterFailure, "page-somebody"),
        hook(HookEvent::BeforeDisruption, "mute-alarms"),
    ];
    let plan = scenario.plan();
    let called: Vec<&str> = plan.steps.iter().filter_map(|step| step.hook.as_deref()).collect();
    assert_eq!(called, ["vm-snapshot", "mute-alarms", "smoke-test"]);
    let first = plan.steps.iter().position(|step| step.disruption != Disruption::None).unwrap();
    assert_eq!(places(&plan, Action::RunHook)[..2], [first - 2, first - 1]);
    assert_eq!(places(&plan, Action::SaveBackup)[0], first - 3);
    assert_eq!(places(&plan, Action::RunHook)[2], plan.steps.len() - 2);
    // Another hook is another plan.
    let id = plan.id;
    scenario.cluster.hooks[1].run = "other".to_owned();
    assert_ne!(scenario.plan().id, id);
    // What is owed waits for no hook.
    let mut owed = scenario.owed("a1", &owed_restore("p1-7", "good.zip"));
    owed = owed.vault(backup("good.zip", "2026-10-01T00:00:00Z", Some("10.4.0 CU21")));
    assert_eq!(places(&owed.plan(), Action::RunHook), [0; 0]);
}

#[test]
fn s8_stage_only_ends_behind_the_prerequisites() {
    let plan = upgrade().upgrade(|upgrade| upgrade.mode = UpgradeMode::StageOnly).plan();
    assert!(!plan.steps.is_empty());
    let prepares = |action| matches!(action, Action::StagePackage | Action::RunPrerequisites);
    assert!(plan.steps.iter().all(|step| prepares(step.action)), "{plan:#?}");
    assert_eq!(plan.steps[0].id, "1");
    assert_eq!(plan.steps.last().map(|step| step.action), Some(Action::RunPrerequisites));
    // What is owed is done all the same (D6).
    let owed = upgrade()
        .upgrade(|upgrade| upgrade.mode = UpgradeMode::StageOnly)
        .vault(backup("good.zip", "2026-10-01T00:00:00Z", Some("10.4.0 CU21")))
        .owed("a1", &owed_restore("p1-7", "good.zip"));
    assert_eq!(owed.way(), "restore good.zip");
}

#[test]
fn s6_a_probe_that_is_not_ready_is_a_warning() {
    let stopped = |kind: AgentKind| {
        let mut scenario = upgrade().agent("a2", |agent| agent.state = Some(AgentState::Stopped));
        scenario.cluster.agents[1].kind = kind;
        scenario.plan()
    };
    assert!(codes(&stopped(AgentKind::Agent)).contains(&BlockCode::Unhealthy));
    let probe = stopped(AgentKind::Probe);
    assert!(!codes(&probe).contains(&BlockCode::Unhealthy));
    assert!(warnings(&probe).contains(&"ProbeNotReady"));
}

#[test]
fn s10_an_old_utility_warns_until_the_canary_has_proven_it() {
    let with = |from: &str, canary: Proof| {
        let mut scenario = Scenario::new(from, "10.3.0 CU22");
        scenario.state.canary = canary;
        let plan = scenario.plan();
        (codes(&plan), warnings(&plan).contains(&"UtilityUnproven"))
    };
    assert_eq!(with("10.3.0 CU10", Proof::Unknown), (vec![], true));
    assert_eq!(with("10.3.0 CU10", Proof::Proven), (vec![], false));
    assert_eq!(with("10.3.0 CU10", Proof::Missing), (vec![BlockCode::ManualStepRequired], false));
    assert_eq!(with("10.3.0 CU11", Proof::Missing), (vec![], false));
}

#[test]
fn s10_the_utility_that_starts_a_stopped_agent_must_be_proven_too() {
    // G3: behind the install the older utility starts DataMiner again.
    let plan = Scenario::new("10.4.2", "10.3.5").allow_downgrades().plan();
    assert!(warnings(&plan).contains(&"UtilityUnproven"));
    let plan = Scenario::new("10.4.2", "10.4.1").allow_downgrades().plan();
    assert!(!warnings(&plan).contains(&"UtilityUnproven"));
}

#[test]
fn s10_jobs_under_an_account_that_never_ran_one_are_warned_of() {
    let mut scenario = upgrade();
    assert!(!warnings(&scenario.plan()).contains(&"RunAsUnproven"));
    scenario.state.run_as = Proof::Missing;
    assert!(warnings(&scenario.plan()).contains(&"RunAsUnproven"));
    scenario.state.run_as = Proof::Proven;
    assert!(!warnings(&scenario.plan()).contains(&"RunAsUnproven"));
}
