//! The rules about modules that are exchanged while DataMiner is stopped, and about packages that lack a check.

use dataminer_schema::plan::{Action, Plan, PlanResult};

use super::{lint, renumber, rules_of};
use crate::testing::Scenario;

/// Whatever the driver can or cannot do: as if nothing blocked it.
fn down(from: &str, to: &str) -> Plan {
    let mut scenario = Scenario::new(from, to).allow_downgrades();
    scenario.cluster.downgrade.patch_prerequisites = true;
    scenario.cluster.downgrade.restore = dataminer_schema::v1::cluster::Restore::None;
    let mut plan = scenario.plan();
    plan.blocked.clear();
    plan.result = PlanResult::Ready;
    plan.steps.iter_mut().for_each(|step| step.ready = true);
    assert_eq!(lint(&plan), []);
    plan
}

fn broken(mut plan: Plan, change: impl Fn(&mut Plan, usize)) -> Vec<&'static str> {
    let hop = plan.steps.iter().position(|step| step.action == Action::DowngradeCore);
    change(&mut plan, hop.expect("a hop"));
    renumber(&mut plan);
    rules_of(&plan)
}

#[test]
fn g3_modules_are_exchanged_right_behind_the_install_on_the_same_agents() {
    let swap = |change: fn(&mut Plan, usize)| broken(down("10.3.8", "10.3.7"), change);
    assert_eq!(swap(|plan, hop| plan.steps[hop + 1].agents.truncate(1)), ["swap"]);
    let late = swap(|plan, hop| plan.steps[hop + 1..=hop + 3].rotate_right(1));
    assert_eq!(late, ["saved", "swap"]);
    assert!(swap(|plan, hop| plan.steps.swap(hop, hop + 1)).contains(&"swap"));
}

#[test]
fn g2_what_a_copy_lacks_is_said_at_all_its_steps_and_no_others() {
    let patch = |change: fn(&mut Plan, usize)| broken(down("10.4.0 CU21", "10.3.0 CU22"), change);
    assert_eq!(patch(|plan, _| plan.steps[0].patch = None), ["patch"]);
    assert_eq!(patch(|plan, _| plan.steps[1].patch = None), ["patch"]);
    assert_eq!(patch(|plan, hop| plan.steps[hop].patch = None), ["patch"]);
    assert_eq!(patch(|plan, hop| plan.steps[hop + 1].patch = plan.steps[hop].patch.clone()), ["patch"]);
    let nothing = |plan: &mut Plan, _: usize| {
        for step in plan.steps.iter_mut() {
            step.patch.iter_mut().for_each(|patch| patch.removes.clear());
        }
    };
    assert_eq!(patch(nothing), ["patch"]);
}

#[test]
fn g2_no_package_whose_check_fails_goes_down_over_10_4() {
    let unpatched = |plan: &mut Plan, _: usize| plan.steps.iter_mut().for_each(|step| step.patch = None);
    assert_eq!(broken(down("10.4.3", "10.4.2"), unpatched), ["patch"]);
    assert_eq!(broken(down("10.4.0 CU0", "10.3.0 CU1"), unpatched), ["patch"]);
    assert_eq!(broken(down("10.4.2", "10.4.1"), unpatched), [""; 0]);
}
