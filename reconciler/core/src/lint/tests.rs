//! A clean plan breaks no rule; each rule notices when just its own matter is broken.

mod falling;
mod forecast;
mod modules;
mod order;
mod path;
mod tools;

use dataminer_schema::plan::{Block, BlockCode, Change, Waiting, WaitingOn};

use super::*;
use crate::testing::{Scenario, name};

fn clean() -> Plan {
    // 1-3 StagePackage, 4 RunPrerequisites, 5 SaveBackup, 6 UpgradeCore, 7 Verify, 8 Save, 9 UpgradeCore, 10 Verify,
    // 11 Save, 12 UpgradeWeb, 13 Verify, 14 CleanUp.
    Scenario::new("10.3.0 CU20", "10.5.0 CU12").want_web("10.6.4").plan()
}

fn renumber(plan: &mut Plan) {
    for (index, step) in plan.steps.iter_mut().enumerate() {
        step.id = (index + 1).to_string();
    }
}

/// The rules that `change` breaks, each once.
fn broken(change: impl Fn(&mut Plan)) -> Vec<&'static str> {
    let mut plan = clean();
    assert_eq!(lint(&plan), []);
    assert_eq!(plan.steps.len(), 14);
    change(&mut plan);
    rules_of(&plan)
}

/// The rules that it breaks, each once.
fn rules_of(plan: &Plan) -> Vec<&'static str> {
    let rules: BTreeSet<&str> = lint(plan).iter().map(|note| note.rule).collect();
    rules.into_iter().collect()
}

#[test]
fn format_version() {
    assert_eq!(broken(|plan| plan.format_version = "0.9".to_owned()), ["format"]);
}

#[test]
fn step_ids_are_consecutive() {
    assert_eq!(broken(|plan| plan.steps[5].id = "4".to_owned()), ["step-ids"]);
    assert_eq!(broken(|plan| plan.steps.iter_mut().for_each(|step| step.id.push('0'))), ["step-ids"]);
}

#[test]
fn every_step_names_known_agents_once() {
    assert_eq!(broken(|plan| plan.steps[13].agents.clear()), ["agents"]);
    assert_eq!(broken(|plan| plan.steps[13].agents.push(name("a1"))), ["agents"]);
    assert_eq!(broken(|plan| plan.steps[13].agents.push(name("stranger"))), ["agents"]);
}

#[test]
fn steps_and_blocks_say_why() {
    assert_eq!(broken(|plan| plan.steps[5].rules.clear()), ["texts"]);
    assert_eq!(broken(|plan| plan.steps[5].reason.clear()), ["texts"]);
    let silent = |plan: &mut Plan| {
        plan.waiting.push(Waiting { on: WaitingOn::Window, until: None, message: String::new() });
        plan.result = PlanResult::Waiting;
        plan.steps.iter_mut().for_each(|step| step.ready = false);
    };
    assert_eq!(broken(silent), ["texts"]);
}

#[test]
fn packages_are_pinned_where_they_are_used_and_nowhere_else() {
    assert_eq!(broken(|plan| plan.steps[5].package = None), ["packages"]);
    let pinned = |plan: &mut Plan| plan.steps[13].sha256 = plan.steps[0].sha256.clone();
    assert_eq!(broken(pinned), ["packages"]);
}

#[test]
fn what_is_installed_was_staged_on_its_orchestrator() {
    let unstaged = |plan: &mut Plan| {
        plan.steps.remove(0);
        renumber(plan);
    };
    assert_eq!(broken(unstaged), ["staged"]);
    let other = |plan: &mut Plan| plan.steps[0].sha256 = plan.steps[1].sha256.clone();
    assert_eq!(broken(other), ["staged"]);
    assert_eq!(broken(|plan| plan.steps[0].agents.push(name("a2"))), ["staged"]);
    let late = |plan: &mut Plan| {
        plan.steps.swap(1, 12);
        renumber(plan);
    };
    assert!(broken(late).contains(&"staged"));
}

/// Invariant 12.
#[test]
fn content_is_saved_before_the_first_change_and_after_every_hop() {
    let without = |place: usize| {
        broken(move |plan| {
            plan.steps.remove(place);
            renumber(plan);
        })
    };
    assert_eq!(without(4), ["saved"]);
    assert_eq!(without(7), ["saved"]);
    assert_eq!(without(10), ["saved"]);
    assert_eq!(broken(|plan| plan.steps[4].agents.truncate(1)), ["saved"]);
}

#[test]
fn every_change_is_verified_at_once() {
    let without = |plan: &mut Plan| {
        plan.steps.remove(6);
        renumber(plan);
    };
    assert_eq!(broken(without), ["verified"]);
    assert_eq!(broken(|plan| plan.steps[6].agents.truncate(1)), ["verified"]);
    assert_eq!(broken(|plan| plan.steps[12].to = Some("10.6.3".to_owned())), ["verified"]);
}

#[test]
fn no_core_hop_follows_a_web_step() {
    let early = |plan: &mut Plan| {
        // The web step and its verification move before the last hop.
        plan.steps[8..13].rotate_right(2);
        renumber(plan);
    };
    assert_eq!(broken(early), ["web-last"]);
}

#[test]
fn disruption_fits_the_action() {
    assert_eq!(broken(|plan| plan.steps[11].disruption = Disruption::Restart), ["disruption"]);
}

#[test]
fn hops_form_a_chain() {
    assert_eq!(broken(|plan| plan.steps[8].from = Some("10.4.0 CU20".to_owned())), ["chain"]);
}

#[test]
fn fixes_never_fall_unsaid() {
    let falls = |plan: &mut Plan| {
        for place in [5, 6] {
            plan.steps[place].to = Some("10.4.0 CU22".to_owned());
        }
        plan.steps[8].from = Some("10.4.0 CU22".to_owned());
        for place in [8, 9] {
            plan.steps[place].to = Some("10.5.0 CU9".to_owned());
        }
        plan.to.core = Some("10.5.0 CU9".to_owned());
    };
    assert_eq!(broken(falls), ["indices"]);
    let said = |plan: &mut Plan| {
        falls(plan);
        plan.steps[8].rules.push("D2".to_owned());
    };
    assert_eq!(broken(said), [""; 0]);
}

#[test]
fn an_unblocked_plan_arrives_where_it_shall() {
    assert_eq!(broken(|plan| plan.to.core = Some("10.5.0 CU13".to_owned())), ["arrival"]);
    assert_eq!(broken(|plan| plan.to.web_apps = Some("10.6.5".to_owned())), ["arrival"]);
}

/// Invariant 12.
#[test]
fn clean_up_comes_last() {
    let early = |plan: &mut Plan| {
        let clean_up = plan.steps.remove(13);
        plan.steps.insert(4, clean_up);
        renumber(plan);
    };
    assert_eq!(broken(early), ["clean-up"]);
}

#[test]
fn change_names_what_the_steps_do() {
    assert_eq!(broken(|plan| plan.change = Change::None), ["change"]);
    assert_eq!(broken(|plan| plan.change = Change::WebUpgrade), ["change"]);
}

#[test]
fn result_follows_from_blocks_waiting_and_steps() {
    assert_eq!(broken(|plan| plan.result = PlanResult::Converged), ["ready", "result"]);
    let blocked = |plan: &mut Plan| {
        plan.blocked.push(Block {
            code: BlockCode::NoPath,
            message: "m".to_owned(),
            help: "h".to_owned(),
            agents: Vec::new(),
        });
    };
    assert_eq!(broken(blocked), ["result"]);
    let empty = |plan: &mut Plan| {
        plan.steps.clear();
        plan.change = Change::None;
    };
    assert_eq!(broken(empty), ["result"]);
}

#[test]
fn readiness_fits_the_result() {
    assert_eq!(broken(|plan| plan.steps[13].ready = false), ["ready"]);
    let gap = |plan: &mut Plan| plan.steps[4].ready = false;
    assert_eq!(broken(gap), ["ready"]);
    let disruptive = |plan: &mut Plan| {
        plan.waiting.push(Waiting { on: WaitingOn::Window, until: None, message: "m".to_owned() });
        plan.result = PlanResult::Waiting;
    };
    assert_eq!(broken(disruptive), ["ready"]);
}

#[test]
fn an_approval_is_asked_for_once_under_the_plans_own_id() {
    let asking = |count: usize, named: &'static str| {
        move |plan: &mut Plan| {
            let message = if named.is_empty() { plan.id.to_string() } else { named.to_owned() };
            let waiting = Waiting { on: WaitingOn::Approval, until: None, message };
            plan.waiting = vec![waiting; count];
            plan.result = PlanResult::Waiting;
            plan.steps.iter_mut().for_each(|step| step.ready = false);
        }
    };
    assert_eq!(broken(asking(1, "")), [""; 0]);
    assert_eq!(broken(asking(2, "")), ["approval"]);
    assert_eq!(broken(asking(1, "sha256:0123")), ["approval"]);
    let mut quiet = Scenario::new("10.5.0 CU12", "10.5.0 CU12").plan();
    asking(1, "")(&mut quiet);
    assert_eq!(rules_of(&quiet), ["approval"]);
}

#[test]
fn issues_stand_in_one_list_each_and_in_order() {
    let found = ["issues"];
    assert_eq!(broken(|plan| plan.known_issues.introduced = plan.known_issues.staying.clone()), found);
    assert_eq!(broken(|plan| plan.known_issues.staying.reverse()), found);
    assert_eq!(broken(|plan| plan.known_issues.undecided.push("KI_zzz".to_owned())), found);
    assert_eq!(broken(|plan| plan.breaking_changes.brought.push("A".to_owned())), found);
}

#[test]
fn requirements_name_agents_of_their_step() {
    use dataminer_schema::plan::{Requirement, RequirementState};
    let with = |state, agent: &str| {
        let agents = vec![name(agent)];
        broken(|plan| {
            let need = Requirement { name: "disk".to_owned(), state, agents: agents.clone() };
            plan.steps[5].requirements.push(need);
        })
    };
    assert_eq!(with(RequirementState::Missing, "a1"), Vec::<&str>::new());
    assert_eq!(with(RequirementState::Missing, "stranger"), ["requirements"]);
    assert_eq!(with(RequirementState::Met, "a1"), ["requirements"]);
}
