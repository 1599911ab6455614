//! The rules about plans that go down, and about the tail behind them.

use dataminer_schema::plan::{Action, Change, Disruption, Plan, Warning};

use super::{lint, renumber, rules_of};
use crate::testing::{Scenario, backup, name, owed_module, owed_restore};

fn clean() -> Plan {
    // 1-2 StagePackage, 3 RunPrerequisites, 4 SaveBackup, 5 DowngradeCore, 6 Verify, 7 Save, 8 DowngradeCore, 9 Verify,
    // 10 Save, 11 RestoreContent, 12 ReinstallModule GQI, 13 ReinstallModule Web, 14 Verify, 15 CleanUp.
    Scenario::new("10.7.0 CU0", "10.5.0 CU12")
        .each(|agent| agent.swarming = Some(false))
        .broker(Some(true))
        .allow_downgrades()
        .vault(backup("good.zip", "2026-10-01T00:00:00Z", Some("10.5.0 CU12")))
        .plan()
}

fn broken(change: impl Fn(&mut Plan)) -> Vec<&'static str> {
    let mut plan = clean();
    assert_eq!(lint(&plan), []);
    assert_eq!(plan.steps.len(), 15, "{plan:#?}");
    change(&mut plan);
    rules_of(&plan)
}

#[test]
fn a_restore_pins_a_backup_and_nothing_else_does() {
    assert_eq!(broken(|plan| plan.steps[10].backup = None), ["content"]);
    assert_eq!(broken(|plan| plan.steps[13].backup = plan.steps[10].backup.clone()), ["content"]);
}

#[test]
fn a_module_step_names_its_module_and_nothing_else_does() {
    assert_eq!(broken(|plan| plan.steps[11].module = None), ["content"]);
    assert_eq!(broken(|plan| plan.steps[11].module = Some(" ".to_owned())), ["content"]);
    assert_eq!(broken(|plan| plan.steps[10].module = Some("DataMiner GQI".to_owned())), ["content"]);
}

#[test]
fn what_the_plan_says_is_lost_is_what_it_restores() {
    let other = |plan: &mut Plan| {
        plan.content_loss.as_mut().unwrap().backup.sha256 = dataminer_schema::id::Sha256::of(b"another");
    };
    assert_eq!(broken(other), ["content"]);
    assert_eq!(broken(|plan| plan.content_loss.as_mut().unwrap().agents.truncate(1)), ["content"]);
    assert_eq!(broken(|plan| plan.content_loss = None), [""; 0]);
    let unsaid = |plan: &mut Plan| {
        plan.steps.remove(10);
        renumber(plan);
    };
    assert_eq!(broken(unsaid), ["content", "fall"]);
    let twice = |plan: &mut Plan| {
        let restore = plan.steps[10].clone();
        plan.steps.insert(10, restore);
        renumber(plan);
    };
    assert_eq!(broken(twice), ["content", "tail"]);
}

#[test]
fn the_tail_is_for_all_agents_behind_the_last_install() {
    assert_eq!(broken(|plan| plan.steps[11].agents.truncate(1)), ["tail"]);
    let partly = |plan: &mut Plan| {
        plan.steps[10].agents.truncate(1);
        plan.content_loss.as_mut().unwrap().agents.truncate(1);
    };
    assert_eq!(broken(partly), ["tail"]);
    assert_eq!(broken(|plan| plan.steps[13].agents.truncate(1)), ["tail"]);
    let early = |plan: &mut Plan| {
        let restore = plan.steps.remove(10);
        plan.steps.insert(7, restore);
        renumber(plan);
    };
    assert_eq!(broken(early), ["tail"]);
    let modules_first = |plan: &mut Plan| {
        plan.steps.swap(10, 11);
        renumber(plan);
    };
    assert_eq!(broken(modules_first), ["tail"]);
    let unseen = |plan: &mut Plan| {
        plan.steps.remove(13);
        renumber(plan);
    };
    assert_eq!(broken(unseen), ["tail"]);
    let behind = |plan: &mut Plan| {
        let save = plan.steps[9].clone();
        plan.steps.insert(14, save);
        renumber(plan);
    };
    assert_eq!(broken(behind), ["tail"]);
}

#[test]
fn a_level_that_falls_takes_its_content_along_or_says_that_it_does_not() {
    let bare = |plan: &mut Plan| {
        plan.steps.remove(10);
        plan.content_loss = None;
        renumber(plan);
    };
    assert_eq!(broken(bare), ["fall"]);
    let said = |plan: &mut Plan| {
        bare(plan);
        plan.warnings.push(Warning {
            code: "ContentNotRestored".to_owned(),
            reference: None,
            message: "it stays".to_owned(),
        });
    };
    assert_eq!(broken(said), [""; 0]);
    // One Agent ahead of the others is enough; one whose web level is unknown counts by its core.
    let higher = |plan: &mut Plan| {
        bare(plan);
        for agent in &mut plan.agents {
            agent.web_apps = Some("10.5.0 CU12".to_owned());
        }
        for place in [4, 5] {
            // Of the same month as 10.5.0 CU12.
            plan.steps[place].to = Some("10.6.0 CU0".to_owned());
        }
        plan.steps[7].from = Some("10.6.0 CU0".to_owned());
    };
    assert_eq!(broken(higher), [""; 0]);
    assert_eq!(
        broken(|plan| {
            higher(plan);
            plan.agents[1].web_apps = None;
        }),
        ["fall"]
    );
}

#[test]
fn downgrades_go_down_and_upgrades_go_up() {
    let upwards = |plan: &mut Plan| {
        plan.steps[4].from = Some("10.5.0 CU1".to_owned());
    };
    assert_eq!(broken(upwards), ["descent", "direction"]);
    assert_eq!(broken(|plan| plan.steps[4].action = Action::UpgradeCore), ["change", "direction", "indices"]);
    let web = |from: &str, wanted: &str| {
        let scenario = Scenario::new("10.5.0 CU12", "10.5.0 CU12").web(Some(from)).want_web(wanted);
        let scenario = scenario.vault(backup("good.zip", "2026-10-01T00:00:00Z", Some("10.5.0 CU12")));
        scenario.allow_downgrades().plan()
    };
    let mut down = web("10.6.5", "10.6.4");
    down.steps[2].action = Action::UpgradeWeb;
    assert_eq!(rules_of(&down), ["change", "direction"]);
    let mut up = web("10.6.3", "10.6.4");
    up.steps[2].action = Action::DowngradeWeb;
    assert_eq!(rules_of(&up), ["change", "direction"]);
}

#[test]
fn the_new_actions_disturb_the_web_server() {
    assert_eq!(broken(|plan| plan.steps[10].disruption = Disruption::None), ["disruption"]);
    assert_eq!(broken(|plan| plan.steps[11].disruption = Disruption::None), ["disruption"]);
    // DataMiner is stopped for none of these.
    assert_eq!(broken(|plan| plan.steps[11].disruption = Disruption::Restart), ["swap", "tail"]);
    assert_eq!(broken(|plan| plan.steps[4].disruption = Disruption::WebServer), ["disruption"]);
}

#[test]
fn a_change_that_goes_down_is_called_so() {
    assert_eq!(broken(|plan| plan.change = Change::Upgrade), ["change"]);
    assert_eq!(broken(|plan| plan.change = Change::WebDowngrade), ["change"]);
    assert_eq!(broken(|plan| plan.change = Change::None), ["change"]);
    assert_eq!(broken(|plan| plan.change = Change::Repair), [""; 0]);
    let mut owed = Scenario::new("10.5.0 CU12", "10.5.0 CU12")
        .vault(backup("good.zip", "2026-10-01T00:00:00Z", Some("10.5.0 CU12")))
        .owed("a1", &owed_restore("p1-7", "good.zip"))
        .owed("a1", &owed_module("p1-8", "DataMiner GQI"))
        .plan();
    assert_eq!(owed.steps[1].agents, [name("a1"), name("a2")]);
    owed.change = Change::None;
    assert_eq!(rules_of(&owed), ["change"]);
}

/// Invariant 12: also where nothing is installed.
#[test]
fn a_restore_needs_a_saved_content_before_it() {
    let mut owed = Scenario::new("10.5.0 CU12", "10.5.0 CU12")
        .vault(backup("good.zip", "2026-10-01T00:00:00Z", Some("10.5.0 CU12")))
        .owed("a1", &owed_restore("p1-7", "good.zip"))
        .plan();
    owed.steps.remove(0);
    renumber(&mut owed);
    assert_eq!(rules_of(&owed), ["saved"]);
}
