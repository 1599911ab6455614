//! The rules about tools.

use dataminer_schema::plan::{Action, Disruption, Plan, PlanResult};

use super::{lint, renumber, rules_of};
use crate::testing::{Scenario, name};

/// Whatever the driver can or cannot do: as if nothing blocked it.
fn unblocked(mut plan: Plan) -> Plan {
    plan.blocked.clear();
    plan.result = PlanResult::Ready;
    plan.steps.iter_mut().for_each(|step| step.ready = true);
    assert_eq!(lint(&plan), []);
    plan
}

/// The rules that a change of the plan with the migration breaks; `tool` is where it stands.
fn migration(change: impl Fn(&mut Plan, usize)) -> Vec<&'static str> {
    let mut plan = unblocked(Scenario::new("10.4.0 CU21", "10.6.0 CU6").plan());
    let tool = plan.steps.iter().position(|step| step.action == Action::RunTool);
    // VerifyCluster, check, migration, VerifyCluster, the hop.
    change(&mut plan, tool.expect("the check"));
    renumber(&mut plan);
    rules_of(&plan)
}

#[test]
fn h4_a_tool_reaches_all_agents() {
    assert_eq!(migration(|plan, tool| plan.steps[tool].agents.truncate(1)), ["tools"]);
}

#[test]
fn s1_the_check_that_a_tool_before_the_first_hop_answers_is_left_out_and_no_other() {
    for (from, to) in [("10.5.0 CU12", "10.6.0 CU6"), ("10.0.9", "10.2.0 CU21")] {
        let plan = unblocked(Scenario::new(from, to).plan());
        let at =
            plan.steps.iter().position(|step| step.action == Action::RunPrerequisites).expect("the checks");
        assert_eq!((lint(&plan), plan.steps[at].without.len()), (Vec::new(), 1));
        for without in [vec![], vec!["VerifyOSVersion.dll".to_owned()]] {
            let mut plan = plan.clone();
            plan.steps[at].without = without;
            assert_eq!(rules_of(&plan), ["prerequisites"]);
        }
    }
}

#[test]
fn d5_a_tool_runs_on_one_version_only() {
    let mixed = |plan: &mut Plan, _: usize| {
        let hop = plan.steps.iter_mut().find(|step| step.action == Action::UpgradeCore).expect("a hop");
        hop.agents.truncate(1);
        hop.agents[0] = name("a1");
    };
    // Staged on a1, it is for a1 alone: a2 stays behind, and its checks ran for nothing.
    assert_eq!(migration(mixed), ["prerequisites", "tools"]);
}

#[test]
fn h4_a_migration_is_checked_first_between_two_looks() {
    let without = |offset: usize| {
        migration(move |plan, tool| {
            plan.steps.remove(tool + offset - 1);
        })
    };
    assert_eq!(without(0), ["tool-place"]);
    assert_eq!(without(1), ["tool-place"]);
    assert_eq!(without(3), ["tool-place"]);
    let early = migration(|plan, tool| plan.steps.swap(tool, tool + 1));
    assert!(early.contains(&"tool-place"), "{early:?}");
    assert_eq!(migration(|plan, tool| plan.steps[tool].disruption = Disruption::WebServer), ["tool-place"]);
}

#[test]
fn h7_the_check_of_the_ports_stands_right_before_the_hop() {
    let ports = |change: fn(&mut Plan, usize)| {
        let mut plan = unblocked(Scenario::new("9.6.0", "10.3.0 CU22").plan());
        let tool = plan.steps.iter().position(|step| step.action == Action::RunTool).expect("the check");
        change(&mut plan, tool);
        renumber(&mut plan);
        rules_of(&plan)
    };
    let missing = |plan: &mut Plan, tool: usize| {
        plan.steps.remove(tool);
    };
    assert_eq!(ports(missing), ["cluster-ports"]);
    assert_eq!(ports(|plan, tool| plan.steps.swap(tool, tool - 1)), ["cluster-ports", "tool-place"]);
    let other = |plan: &mut Plan, tool: usize| plan.steps[tool].package = Some("Other.dmupgrade".to_owned());
    assert_eq!(ports(other), ["cluster-ports"]);
}
