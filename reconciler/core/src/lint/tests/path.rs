//! The rules about the way of the core, and about the core that web packages meet.

use dataminer_schema::plan::{Action, Plan, PlanResult};

use super::{lint, renumber, rules_of};
use crate::testing::Scenario;

/// Whatever the driver can or cannot do: as if nothing blocked it.
fn unblocked(mut plan: Plan) -> Plan {
    plan.blocked.clear();
    plan.result = PlanResult::Ready;
    plan.steps.iter_mut().for_each(|step| step.ready = true);
    assert_eq!(lint(&plan), []);
    plan
}

/// The plan without the hop to `to`, its checks, its verification and what is saved behind it: the next hop starts where
/// it did.
fn without(plan: &Plan, to: &str) -> Plan {
    let mut plan = plan.clone();
    let is_core = |action| matches!(action, Action::UpgradeCore | Action::DowngradeCore);
    let hop = |plan: &Plan| {
        plan.steps
            .iter()
            .position(|step| is_core(step.action) && step.to.as_deref() == Some(to))
            .expect("the hop")
    };
    let package = plan.steps[hop(&plan)].sha256.clone();
    plan.steps.retain(|step| step.action != Action::RunPrerequisites || step.sha256 != package);
    let at = hop(&plan);
    let from = plan.steps[at].from.clone();
    plan.steps.drain(at..at + 3);
    if let Some(next) =
        plan.steps.iter_mut().find(|step| is_core(step.action) && step.from.as_deref() == Some(to))
    {
        next.from = from;
    }
    renumber(&mut plan);
    plan
}

/// The plan with another release in the place of `from`, wherever it stands.
fn instead(plan: &Plan, from: &str, to: &str) -> Plan {
    let text = serde_json::to_string(plan).expect("a plan serialises");
    let renamed = text.replace(&format!("\"{from}\""), &format!("\"{to}\""));
    serde_json::from_str(&renamed).expect("it is still a plan")
}

#[test]
fn h2_no_line_is_jumped_over() {
    let plan = unblocked(Scenario::new("10.2.0 CU21", "10.5.0 CU18").plan());
    assert_eq!(rules_of(&without(&plan, "10.4.0 CU21")), ["lines"]);
    // H5 is no jump: 10.1 is skipped on the way up.
    unblocked(Scenario::new("10.0.0 CU20", "10.2.0 CU21").plan());
    unblocked(Scenario::new("9.6.0", "10.1.3").plan());
}

#[test]
fn g1_no_line_is_jumped_over_downwards_either() {
    let mut scenario = Scenario::new("10.4.2", "10.2.0 CU10").allow_downgrades();
    scenario.cluster.downgrade.restore = dataminer_schema::v1::cluster::Restore::None;
    let plan = unblocked(scenario.plan());
    assert_eq!(rules_of(&without(&plan, "10.3.0 CU11")), ["lines"]);
}

#[test]
fn g1_no_stop_downwards_is_newer_in_fixes() {
    let mut scenario = Scenario::new("10.4.2", "10.2.0 CU10").allow_downgrades();
    scenario.cluster.downgrade.restore = dataminer_schema::v1::cluster::Restore::None;
    let plan = unblocked(scenario.plan());
    assert_eq!(rules_of(&instead(&plan, "10.3.0 CU11", "10.3.0 CU12")), ["descent"]);
}

#[test]
fn h6_old_systems_leave_by_their_exit() {
    let plan = unblocked(Scenario::new("10.0.0 CU5", "10.1.0 CU21").plan());
    assert_eq!(rules_of(&without(&plan, "10.0.0 CU19")), ["exit"]);
    assert_eq!(rules_of(&instead(&plan, "10.0.0 CU19", "10.0.0 CU20")), [""; 0], "inside 10.0.0 directly");
    let nine = unblocked(Scenario::new("9.6.0", "10.1.12").plan());
    assert_eq!(rules_of(&instead(&nine, "10.0.0 CU19", "10.0.0 CU20")), ["exit"]);
}

#[test]
fn h4_into_10_6_leads_a_release_that_brokergateway_runs_on() {
    let plan = unblocked(Scenario::new("10.5.0 CU12", "10.6.0 CU6").broker(Some(true)).plan());
    assert_eq!(rules_of(&instead(&plan, "10.5.0 CU12", "10.5.0 CU1")), ["broker"]);
    assert_eq!(rules_of(&instead(&plan, "10.5.0 CU12", "10.5.4")), ["broker"]);
    assert_eq!(rules_of(&instead(&plan, "10.5.0 CU12", "10.5.5")), [""; 0]);
    let migrates = unblocked(Scenario::new("10.5.0 CU12", "10.6.0 CU6").plan());
    assert_eq!(rules_of(&instead(&migrates, "10.5.0 CU12", "10.5.0 CU3")), ["broker"]);
    assert_eq!(rules_of(&instead(&migrates, "10.6.0 CU6", "10.5.0 CU18")), ["broker"]);
}

#[test]
fn w1_w2_web_apps_meet_a_core_that_takes_them() {
    let plan = unblocked(Scenario::new("10.5.0 CU12", "10.5.0 CU12").want_web("10.6.4").plan());
    assert_eq!(rules_of(&instead(&plan, "10.5.0 CU12", "10.4.0 CU21")), ["web-gate"]);
    let plan = unblocked(Scenario::new("10.4.1", "10.4.1").want_web("10.5.4").plan());
    assert_eq!(rules_of(&instead(&plan, "10.4.1", "10.3.12")), ["web-gate"]);
    let plan = unblocked(Scenario::new("10.3.3", "10.3.3").want_web("10.4.7").plan());
    assert_eq!(rules_of(&instead(&plan, "10.3.3", "10.3.2")), ["web-gate"]);
}
