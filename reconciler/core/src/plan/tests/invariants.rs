//! The invariants of the design that are the planner's, over random fleets.

use dataminer_schema::{
    plan::{Action, Plan, PlanResult},
    v1::observation::{AgentState, Observation},
};
use proptest::{prelude::*, strategy::ValueTree};

use super::fleets::{falling, healthy, legacy, scenario, with_content};
use crate::{
    converged::{Expected, judge},
    testing::{Scenario, render},
};

/// Carries the plan out on paper: what a perfect executor would leave behind.
fn carry_out(plan: &Plan, observation: &mut Observation) {
    for step in &plan.steps {
        for agent in observation.agents.iter_mut().filter(|agent| step.agents.contains(&agent.name)) {
            let to = step.to.clone();
            match step.action {
                Action::UpgradeCore | Action::DowngradeCore => {
                    agent.web_apps.clone_from(&to);
                    agent.core = to;
                }
                Action::UpgradeWeb | Action::DowngradeWeb => agent.web_apps = to,
                _ => {}
            }
        }
    }
}

#[test]
fn invariant_1_the_same_input_gives_a_byte_identical_plan_whatever_its_order() {
    // `Scenario::plan` compares with the plan from reversed Agents and packages.
    let plan = Scenario::new("10.3.0 CU20", "10.5.0 CU12").want_web("10.6.4").plan();
    assert_eq!(plan, Scenario::new("10.3.0 CU20", "10.5.0 CU12").want_web("10.6.4").plan());
}

#[test]
fn invariant_2_a_plan_leaves_no_choice() {
    let plan = Scenario::new("10.3.0 CU20", "10.5.0 CU12").want_web("10.6.4").plan();
    for step in &plan.steps {
        let uses = matches!(
            step.action,
            Action::StagePackage | Action::RunPrerequisites | Action::UpgradeCore | Action::UpgradeWeb
        );
        assert_eq!(step.sha256.is_some(), uses, "{step:?}");
        assert!(!step.agents.is_empty());
    }
}

#[test]
fn invariant_3_a_plan_over_a_converged_cluster_is_empty() {
    let plan = Scenario::new("10.5.0 CU12", "10.5.0 CU12").want_web("10.6.3").plan();
    assert_eq!(plan.result, PlanResult::Converged);
    assert!(plan.steps.is_empty());
}

#[test]
fn the_id_covers_what_an_approval_stands_for_and_nothing_else() {
    let scenario = Scenario::new("10.5.0 CU9", "10.5.0 CU12");
    let id = scenario.plan().id;
    let mut same = scenario.clone().saturday_nights().at("2026-11-17T20:00:00Z");
    same.cluster.labels.insert("a".to_owned(), "b".to_owned());
    same.cluster.suspend = true;
    assert_eq!(same.plan().id, id);
    let mut others = vec![
        Scenario::new("10.5.0 CU9", "10.5.0 CU13"),
        Scenario::new("10.5.0 CU8", "10.5.0 CU12"),
        scenario.clone().want_web("10.6.4"),
        scenario.clone().upgrade(|upgrade| upgrade.options.reboot_after_upgrade = true),
        scenario.clone().agent("a1", |agent| agent.state = Some(AgentState::Stopped)),
        scenario.clone().seen(&[("a1", "10.5.0 CU9")]),
    ];
    let mut repacked = scenario;
    for package in repacked.packages.iter_mut().filter(|package| package.file.contains("10.5.0.0(CU12)")) {
        package.sha256 = dataminer_schema::id::Sha256::of(b"another file under the same name");
    }
    others.push(repacked);
    let mut ids = vec![id];
    for other in others {
        let id = other.plan().id;
        assert!(!ids.contains(&id), "{}", render(&other.plan()));
        ids.push(id);
    }
}

#[test]
fn most_of_the_healthy_random_clusters_have_a_way() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut free = 0;
    for _ in 0..200 {
        let tree = healthy().new_tree(&mut runner).expect("the strategy filters nothing");
        free += usize::from(tree.current().plan().blocked.is_empty());
    }
    assert!(free > 60, "only {free} of 200: the property below would prove little");
}

#[test]
fn many_of_the_falling_random_clusters_have_a_way() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut free, mut restored) = (0, 0);
    for _ in 0..200 {
        let plan = falling().new_tree(&mut runner).expect("the strategy filters nothing").current().plan();
        free += usize::from(plan.blocked.is_empty());
        restored += usize::from(plan.blocked.is_empty() && plan.content_loss.is_some());
    }
    assert!(
        free > 40 && restored > 15,
        "only {free} and {restored} of 200: the property below would prove little"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    /// Never panics, lints clean, and does not depend on the order of its input: `Scenario::plan` checks the latter two.
    #[test]
    fn random_fleets_plan_and_lint_clean(scenario in scenario()) {
        let plan = scenario.plan();
        prop_assert!(plan.result != PlanResult::Converged || plan.steps.is_empty());
    }

    /// The tools on the way stand where they must: `Scenario::plan` lints them.
    #[test]
    fn clusters_with_the_legacy_nats_plan_and_lint_clean(scenario in legacy()) {
        scenario.plan();
    }

    /// A plan that nothing blocks, carried out, reaches a cluster with nothing left to do.
    #[test]
    fn invariant_3_carrying_a_plan_out_reaches_the_fixed_point(mut scenario in healthy()) {
        let plan = scenario.plan();
        if plan.blocked.is_empty() {
            let observation = scenario.observation.as_mut().unwrap();
            carry_out(&plan, observation);
            for agent in &mut observation.agents {
                agent.state = Some(AgentState::Running);
            }
            let after = scenario.plan();
            prop_assert_eq!(after.result, PlanResult::Converged, "{}\n{}", render(&plan), render(&after));
            let (catalog, desired) = (scenario.catalog(), scenario.desired());
            let names: Vec<_> = plan.agents.iter().map(|agent| agent.name.clone()).collect();
            let expected = Expected::of_desired(&desired, &catalog);
            let judged = judge(&expected, &names, scenario.observation.as_ref().unwrap(), &catalog);
            prop_assert!(judged.is_right(), "{:?}", judged.first_fault());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// The vault, backups, histories and notes do not show their order either.
    #[test]
    fn random_content_plans_and_lints_clean(scenario in with_content()) {
        let plan = scenario.plan();
        prop_assert!(plan.result != PlanResult::Converged || plan.steps.is_empty());
        let owed = scenario.observation.iter().flat_map(|seen| &seen.agents);
        let mut owed = owed.filter(|agent| agent.reachable && agent.owed.as_ref().is_some_and(|owed| !owed.is_empty()));
        prop_assert!(owed.next().is_none() || plan.result != PlanResult::Converged);
        for step in &plan.steps {
            let held = step.backup.as_ref().is_none_or(|pinned| {
                let agents = scenario.observation.iter().flat_map(|seen| &seen.agents).filter(|agent| agent.reachable);
                let all = scenario.vault.iter().chain(agents.flat_map(|agent| agent.backups.iter().flatten()));
                all.filter_map(|backup| backup.sha256.as_ref()).any(|sha256| *sha256 == pinned.sha256)
            });
            prop_assert!(held, "it pins what nobody has: {step:?}");
        }
    }

    /// So does one that goes down.
    #[test]
    fn invariant_3_carrying_a_downgrade_out_reaches_the_fixed_point(mut scenario in falling()) {
        let plan = scenario.plan();
        if plan.blocked.is_empty() {
            carry_out(&plan, scenario.observation.as_mut().unwrap());
            let after = scenario.plan();
            prop_assert_eq!(after.result, PlanResult::Converged, "{}\n{}", render(&plan), render(&after));
        }
    }
}
