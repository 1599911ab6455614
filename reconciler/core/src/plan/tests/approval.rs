//! Which plans wait for an operator besides the merge (`spec.approval`), and which never do.

use dataminer_schema::{
    id::{PlanId, Sha256},
    plan::{Action, Change, Disruption, Plan, PlanResult, WaitingOn},
    v1::cluster::Approval,
};

use crate::testing::{Scenario, backup, owed_restore, warnings};

const ALL: [Approval; 3] = [Approval::Never, Approval::Downgrades, Approval::Always];

fn upgrade() -> Scenario {
    Scenario::new("10.3.0 CU20", "10.5.0 CU12")
}

fn web_upgrade() -> Scenario {
    Scenario::new("10.5.0 CU12", "10.5.0 CU12").want_web("10.6.4")
}

fn downgrade() -> Scenario {
    Scenario::new("10.5.0 CU12", "10.4.0 CU21")
        .allow_downgrades()
        .broker(Some(false))
        .each(|agent| agent.swarming = Some(false))
        .vault(backup("good.zip", "2026-10-01T00:00:00Z", Some("10.4.0 CU21")))
}

fn web_downgrade() -> Scenario {
    Scenario::new("10.5.0 CU12", "10.5.0 CU12")
        .allow_downgrades()
        .web(Some("10.6.4"))
        .want_web("10.5.0 CU12")
        .vault(backup("good.zip", "2026-10-01T00:00:00Z", Some("10.5.0 CU12")))
}

fn laggard() -> Scenario {
    Scenario::new("10.5.0 CU12", "10.5.0 CU12").seen(&[("a1", "10.5.0 CU9"), ("a2", "10.5.0 CU12")])
}

/// An Agent that is ahead goes down by itself (D5).
fn ahead() -> Scenario {
    Scenario::new("10.5.0 CU9", "10.5.0 CU9")
        .seen(&[("a1", "10.5.0 CU9"), ("a2", "10.5.0 CU12")])
        .allow_downgrades()
        .vault(backup("good.zip", "2026-10-01T00:00:00Z", Some("10.5.0 CU9")))
}

/// The core rises and the web apps fall (W5).
fn falling_web() -> Scenario {
    Scenario::new("10.4.0 CU21", "10.5.0 CU5")
        .web(Some("10.4.0 CU21"))
        .allow_downgrades()
        .upgrade(|upgrade| upgrade.accept_older_fixes = true)
        .vault(backup("good.zip", "2026-10-01T00:00:00Z", Some("10.5.0 CU5")))
}

fn owed() -> Scenario {
    Scenario::new("10.5.0 CU12", "10.5.0 CU12")
        .vault(backup("owed.zip", "2026-10-01T00:00:00Z", Some("10.5.0 CU12")))
        .owed("a1", &owed_restore("p1-7", "owed.zip"))
}

/// What is owed comes before a further downgrade, and is not held by it.
fn owed_before_a_downgrade() -> Scenario {
    downgrade().owed("a1", &owed_restore("p1-7", "good.zip"))
}

fn waits(plan: &Plan) -> bool {
    plan.waiting.iter().any(|waiting| waiting.on == WaitingOn::Approval)
}

#[test]
fn each_policy_holds_what_it_says() {
    type Make = fn() -> Scenario;
    let cases: [(Make, Change, [bool; 3]); 9] = [
        (upgrade, Change::Upgrade, [false, false, true]),
        (web_upgrade, Change::WebUpgrade, [false, false, true]),
        (downgrade, Change::Downgrade, [false, true, true]),
        (web_downgrade, Change::WebDowngrade, [false, true, true]),
        (laggard, Change::Repair, [false, false, true]),
        (ahead, Change::Repair, [false, true, true]),
        (falling_web, Change::Upgrade, [false, true, true]),
        (owed, Change::Repair, [false, false, false]),
        (owed_before_a_downgrade, Change::Repair, [false, false, false]),
    ];
    for (number, (make, change, expected)) in cases.into_iter().enumerate() {
        for (approval, expected) in ALL.into_iter().zip(expected) {
            let plan = make().approval(approval).plan();
            assert_eq!(plan.blocked, [], "{number} {approval:?}");
            assert_eq!(plan.change, change, "{number}: {plan:#?}");
            assert_eq!(waits(&plan), expected, "{number} {approval:?}: {:#?}", plan.waiting);
            let result = if expected { PlanResult::Waiting } else { PlanResult::Ready };
            assert_eq!(plan.result, result, "{number} {approval:?}");
            for step in &plan.steps {
                assert!(step.ready != expected || step.disruption == Disruption::None, "{number}: {step:?}");
            }
        }
    }
    // Nothing to do is nothing to approve.
    let converged = Scenario::new("10.5.0 CU12", "10.5.0 CU12").approval(Approval::Always).plan();
    assert_eq!(converged.result, PlanResult::Converged);
}

#[test]
fn it_asks_for_its_own_id_and_says_how() {
    let plan = downgrade().approval(Approval::Downgrades).plan();
    let message = &plan.waiting[0].message;
    assert!(
        message.contains(&format!("`dataminer-reconciler approve {} {}`", plan.cluster, plan.id)),
        "{message}"
    );
    assert_eq!(plan.waiting[0].until, None, "it depends on somebody");
}

#[test]
fn the_approved_plan_is_the_same_plan() {
    for approval in [Approval::Downgrades, Approval::Always] {
        let mut scenario = downgrade().approval(approval);
        let asked = scenario.plan();
        scenario.state.approved = Some(asked.id.clone());
        let approved = scenario.plan();
        assert_eq!((&approved.id, approved.result), (&asked.id, PlanResult::Ready));
        assert!(approved.steps.iter().all(|step| step.ready));
        let never = downgrade().approval(Approval::Never).plan();
        assert_eq!(never.id, asked.id, "the policy is no part of what is done");
    }
}

/// A replayed approval.
#[test]
fn an_approval_of_another_id_does_not_count() {
    let mut scenario = downgrade().approval(Approval::Downgrades);
    scenario.state.approved = Some(scenario.plan().id);
    // A newer backup that the target can read: other content would come back.
    let other =
        scenario.clone().vault(backup("newer.zip", "2026-10-02T00:00:00Z", Some("10.4.0 CU21"))).plan();
    assert!(waits(&other), "{other:#?}");
    assert_ne!(Some(&other.id), scenario.state.approved.as_ref());
    scenario.state.approved = Some(PlanId::from_sha256(&Sha256::of(b"another")));
    assert!(waits(&scenario.plan()));
}

/// S1: what disrupts nobody needs nobody's word, as with a closed window.
#[test]
fn s1_preparations_run_while_the_approval_is_open() {
    let plan = downgrade().approval(Approval::Downgrades).plan();
    let ready: Vec<Action> = plan.steps.iter().filter(|step| step.ready).map(|step| step.action).collect();
    assert_eq!(ready, [Action::StagePackage, Action::RunPrerequisites, Action::SaveBackup]);
}

/// S7: an approval opens no window, and a window is no approval.
#[test]
fn s7_approval_and_window_are_both_waited_for() {
    let waiting = |scenario: &Scenario| -> Vec<WaitingOn> {
        scenario.plan().waiting.iter().map(|waiting| waiting.on).collect()
    };
    let mut scenario = downgrade().approval(Approval::Downgrades).saturday_nights();
    // Four days ahead of the window nothing is staged yet, approved or not.
    scenario = scenario.at("2026-11-17T20:00:00Z");
    assert_eq!(waiting(&scenario), [WaitingOn::Approval, WaitingOn::Window]);
    assert!(scenario.plan().steps.iter().all(|step| !step.ready));
    scenario.state.approved = Some(scenario.plan().id);
    assert_eq!(waiting(&scenario), [WaitingOn::Window]);
    scenario.state.approved = None;
    scenario = scenario.at("2026-11-21T21:30:00Z");
    assert_eq!(waiting(&scenario), [WaitingOn::Approval]);
}

#[test]
fn what_is_held_or_blocked_is_not_run_by_an_approval() {
    let mut held = downgrade().approval(Approval::Downgrades);
    held.cluster.suspend = true;
    held.state.approved = Some(held.plan().id);
    let plan = held.plan();
    assert_eq!(plan.waiting.iter().map(|waiting| waiting.on).collect::<Vec<_>>(), [WaitingOn::Suspended]);
    assert!(plan.steps.iter().all(|step| !step.ready));
    // What clears a block may make another plan: it is asked for then.
    let blocked =
        downgrade().approval(Approval::Downgrades).agent("a2", |agent| agent.reachable = false).plan();
    assert_eq!((blocked.result, waits(&blocked)), (PlanResult::Blocked, false));
    assert_eq!(warnings(&downgrade().approval(Approval::Always).plan()), warnings(&downgrade().plan()));
}
