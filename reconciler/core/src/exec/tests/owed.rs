//! What a lower web level leaves owed: noted before it is owed, done at once, verified, and only then forgotten.

use std::collections::BTreeSet;

use dataminer_schema::{
    plan::{Action, Plan},
    v1::{
        cluster::{Fit, Window},
        observation::{ObservedOperation, OperationState},
    },
};

use super::{
    plans::{self, HIGH_WEB, LOW_WEB},
    world::{Crash, Fate, MIDDLE, NEW, OLD, World, lost, machine_of, resumed_of},
    *,
};

/// A plan, and the world that it was made for.
pub(super) fn courses() -> Vec<(&'static str, Plan, World)> {
    let web = World::on(NEW, Some(HIGH_WEB));
    vec![
        ("core", plans::downgrade(), web.clone()),
        ("web", plans::web_downgrade(), web),
        ("up", plans::upgrade_that_owes(), World::on(MIDDLE, Some(HIGH_WEB))),
        ("repair", plans::repair(OLD), owing()),
    ]
}

/// A cluster that an operation left behind its last hop down, with everything owed; its store is gone.
fn owing() -> World {
    let mut world = World::on(NEW, Some(HIGH_WEB));
    let mut machine = machine_of(&world, plans::downgrade(), Vec::new());
    let end = world.drive_with(&mut machine, Crash::Never, |world, machine| {
        if machine.steps_done() == 7 {
            world.failing = u32::MAX;
        }
    });
    assert!(matches!(end, Some(Finish::Failed { .. })), "the vault was full: {end:?}");
    world.failing = 0;
    world.forget();
    world
}

fn run(world: &mut World, plan: Plan) -> Option<Finish> {
    let mut machine = machine_of(world, plan, Vec::new());
    world.drive(&mut machine, Crash::Never)
}

/// The end that every test of this file wants.
fn assert_paid(world: &World, about: &str) {
    assert!(world.is_whole(), "content and modules on every Agent, {about}: {:?}", world.content);
    assert!(world.notes().iter().all(Vec::is_empty), "nothing owed, {about}: {:?}", world.notes());
    let ids: BTreeSet<&String> = world.ran.iter().collect();
    assert_eq!(ids.len(), world.ran.len(), "no job twice, {about}: {:?}", world.ran);
}

#[test]
fn g8_a_downgrade_notes_what_it_owes_before_its_first_job_and_pays_at_once() {
    let mut world = World::on(NEW, Some(HIGH_WEB));
    let plan = plans::downgrade();
    let id = plan.id.short().to_owned();
    assert_eq!(run(&mut world, plan), Some(Finish::Succeeded));
    let job = |what: &str, step: u32| format!("{what} {id}-{step}-1");
    let expected = [
        "stage 10.5.12.dmupgrade".to_owned(),
        "stage 10.4.12.dmupgrade".to_owned(),
        "save".to_owned(),
        "owe".to_owned(),
        job("run", 4),
        "save".to_owned(),
        job("run", 7),
        "save".to_owned(),
        job("restore", 10),
        "compare".to_owned(),
        job("reinstall", 11),
        job("reinstall", 12),
        "compare".to_owned(),
        "acquit".to_owned(),
        "clean".to_owned(),
    ];
    assert_eq!(world.done, expected);
    assert_eq!(world.cores(), [OLD, OLD]);
    assert_paid(&world, "at the end");
}

/// W5.
#[test]
fn an_upgrade_to_a_lower_web_level_owes_too() {
    let mut world = World::on(MIDDLE, Some(HIGH_WEB));
    assert_eq!(run(&mut world, plans::upgrade_that_owes()), Some(Finish::Succeeded));
    assert_eq!(world.done.iter().position(|done| done == "owe"), Some(2), "{:?}", world.done);
    assert_paid(&world, "at the end");
}

#[test]
fn a_web_downgrade_restores_without_touching_the_core() {
    let mut world = World::on(NEW, Some(HIGH_WEB));
    assert_eq!(run(&mut world, plans::web_downgrade()), Some(Finish::Succeeded));
    assert_eq!(world.cores(), [NEW, NEW]);
    assert!(world.agents.values().all(|agent| agent.web_apps.as_deref() == Some(LOW_WEB)));
    assert_paid(&world, "at the end");
}

/// Invariant 5, for everything that can be owed, with and without jobs that die.
#[test]
fn a_crash_at_any_boundary_of_owed_work_repeats_no_job_and_forgets_nothing() {
    let vanishing = vec![Fate::Vanishes(vec!["a2"]), Fate::Succeeds, Fate::Vanishes(vec![])];
    for (course, plan, start) in courses() {
        for tail_fates in [Vec::new(), vanishing.clone(), vec![Fate::LostSight(lost())]] {
            let mut start = start.clone();
            start.tail_fates = tail_fates;
            let mut whole = start.clone();
            assert_eq!(run(&mut whole, plan.clone()), Some(Finish::Succeeded), "{course}");
            assert_paid(&whole, course);
            for boundary in start.events + 1..whole.events {
                let about = format!("{course} from {boundary}");
                let mut world = start.clone();
                let mut machine = machine_of(&world, plan.clone(), Vec::new());
                assert_eq!(world.drive(&mut machine, Crash::After(boundary)), None, "{about}");
                let mut again = resumed_of(&world, plan.clone());
                assert_eq!(world.drive(&mut again, Crash::Never), Some(Finish::Succeeded), "{about}");
                assert_paid(&world, &about);
                assert_eq!(world.agents, whole.agents, "the same end, {about}");
                assert_eq!(world.installed, whole.installed, "each package once, {about}");
                assert_eq!(world.ran, whole.ran, "no further job, {about}");
            }
        }
    }
}

/// The notes on the Agents are enough: another process, without any store, brings the work to its end.
#[test]
fn a_process_that_lost_its_store_at_any_boundary_finishes_the_work() {
    for (course, plan, start) in courses() {
        let mut whole = start.clone();
        assert_eq!(run(&mut whole, plan.clone()), Some(Finish::Succeeded), "{course}");
        for boundary in start.events + 1..whole.events {
            let about = format!("{course} from {boundary}");
            let mut world = start.clone();
            let mut machine = machine_of(&world, plan.clone(), Vec::new());
            assert_eq!(world.drive(&mut machine, Crash::After(boundary)), None, "{about}");
            finish_without_store(&mut world, &plan, &about);
            assert_paid(&world, &about);
            assert_eq!(world.cores(), whole.cores(), "{about}");
        }
    }
}

/// Plans anew, as the planner would, until nothing is left.
pub(super) fn finish_without_store(world: &mut World, wanted: &Plan, about: &str) {
    for _ in 0..6 {
        world.forget();
        let Some(plan) = world.planned(wanted) else { return };
        let end = run(world, plan);
        assert!(matches!(end, Some(Finish::Succeeded | Finish::Paused { .. })), "{about}: {end:?}");
    }
    panic!("it does not converge, {about}");
}

/// Somebody else lowered the Agents since the plan: the restore still needs its notes.
#[test]
fn a_restore_is_noted_also_when_no_job_had_to_run() {
    let mut world = World::on(OLD, None);
    assert_eq!(run(&mut world, plans::second_hop_down()), Some(Finish::Succeeded));
    assert!(!world.done.iter().any(|done| done.starts_with("run")), "{:?}", world.done);
    let at = |what: &str| world.done.iter().position(|done| done.starts_with(what));
    assert!(at("owe") < at("restore") && at("owe").is_some(), "{:?}", world.done);
    assert_paid(&world, "at the end");
}

#[test]
fn notes_that_cannot_be_written_start_nothing_and_leave_none() {
    let mut world = World::on(NEW, Some(HIGH_WEB));
    let mut machine = machine_of(&world, plans::downgrade(), Vec::new());
    let end = world.drive_with(&mut machine, Crash::Never, |world, machine| match machine.phase {
        Phase::Owe(_) => world.failing = 1,
        _ => world.failing = 0,
    });
    assert_eq!(failure(end), lost());
    assert!(world.ran.is_empty());
    assert!(world.notes().iter().all(Vec::is_empty), "not even the one that was written");
}

#[test]
fn notes_are_asked_for_again_when_the_journal_does_not_show_them_written() {
    let mut world = World::on(NEW, Some(HIGH_WEB));
    let mut machine = machine_of(&world, plans::downgrade(), Vec::new());
    let end = world.drive_with(&mut machine, Crash::After(14), |world, machine| {
        world.failing = u32::from(matches!(machine.phase, Phase::Owe(_)));
    });
    assert_eq!(end, None);
    assert_eq!(world.notes()[1], [], "it died when only one Agent was told");
    world.failing = 0;
    let mut again = resumed_of(&world, plans::downgrade());
    assert_eq!(world.drive(&mut again, Crash::Never), Some(Finish::Succeeded));
    assert_paid(&world, "at the end");
}

/// Restoring over a system that never went down would lose content.
#[test]
fn an_abort_before_the_first_job_takes_the_notes_back() {
    for last in [Crash::Never, Crash::After(18)] {
        let mut world = World::on(NEW, Some(HIGH_WEB));
        let mut machine = machine_of(&world, plans::downgrade(), Vec::new());
        let stop_when_noted = |world: &mut World, machine: &mut Machine| {
            if world.notes().iter().all(|notes| !notes.is_empty()) {
                machine.abort();
            }
        };
        let mut end = world.drive_with(&mut machine, last, stop_when_noted);
        if end.is_none() {
            let mut again = resumed_of(&world, plans::downgrade());
            end = world.drive_with(&mut again, Crash::Never, stop_when_noted);
        }
        assert_eq!(failure(end).reason, reason::ABORTED);
        assert!(world.ran.is_empty());
        assert!(world.notes().iter().all(Vec::is_empty), "{:?}", world.notes());
    }
}

#[test]
fn an_abort_between_two_hops_stops_there_and_says_what_is_owed() {
    let mut world = World::on(NEW, Some(HIGH_WEB));
    let mut machine = machine_of(&world, plans::downgrade(), Vec::new());
    let end = world.drive_with(&mut machine, Crash::Never, |_, machine| {
        if machine.steps_done() == 4 {
            machine.abort();
        }
    });
    let failure = failure(end);
    assert_eq!(failure.reason, reason::ABORTED);
    assert!(failure.message.contains("still owed"), "{}", failure.message);
    assert!(failure.message.contains(&plans::backup().file), "{}", failure.message);
    assert_eq!(world.cores(), [MIDDLE, MIDDLE]);
    assert!(world.notes().iter().all(|notes| notes.len() == 3));
    finish_without_store(&mut world, &plans::downgrade(), "after the abort");
    assert_paid(&world, "in the end");
}

/// Invariant 7: what a step leaves owed always follows at once.
#[test]
fn neither_an_abort_nor_a_commit_nor_a_closed_window_stops_what_is_owed() {
    for step in 7..13 {
        for abort in [true, false] {
            let mut world = World::on(NEW, Some(HIGH_WEB));
            let window = Window::Allow {
                schedule: "0 22 * * SAT".to_owned(),
                duration: SignedDuration::from_mins(60),
                time_zone: "Europe/Brussels".to_owned(),
                cutoff: SignedDuration::ZERO,
                fit: Fit::Warn,
            };
            let mut machine = machine_of(&world, plans::downgrade(), vec![window]);
            let end = world.drive_with(&mut machine, Crash::Never, |_, machine| {
                if machine.steps_done() == step {
                    if abort {
                        machine.abort();
                    } else {
                        machine.supersede();
                    }
                }
            });
            assert!(!matches!(end, Some(Finish::Succeeded)), "it stops before cleaning up: {end:?}");
            assert_eq!(machine.steps_done(), 13, "behind the last verification");
            assert_paid(&world, "although it was stopped");
        }
    }
}

#[test]
fn a_repair_waits_for_no_window_and_acquits_what_it_saw() {
    let mut world = owing();
    let other = OwedWork {
        id: "123456789abc-3".parse().ok(),
        action: Action::ReinstallModule,
        backup: None,
        module: Some("DataMiner StorageModule".to_owned()),
    };
    world.agents.get_mut("a2").expect("an Agent").owed.get_or_insert_default().push(other.clone());
    let closed = Window::Allow {
        schedule: "0 3 * * SUN".to_owned(),
        duration: SignedDuration::from_hours(2),
        time_zone: "UTC".to_owned(),
        cutoff: SignedDuration::ZERO,
        fit: Fit::Warn,
    };
    let mut machine = machine_of(&world, plans::repair(OLD), vec![closed]);
    assert_eq!(world.drive(&mut machine, Crash::Never), Some(Finish::Succeeded));
    assert!(world.is_whole());
    assert_eq!(world.notes(), [vec![], vec![other]], "what no step of the plan does stays owed");
}

#[test]
fn a_repair_that_was_not_begun_stops_for_another_commit() {
    let mut world = owing();
    let ran = world.ran.len();
    let mut machine = machine_of(&world, plans::repair(OLD), Vec::new());
    let end = world.drive_with(&mut machine, Crash::Never, |_, machine| {
        if machine.steps_done() == 1 {
            machine.supersede();
        }
    });
    assert!(matches!(end, Some(Finish::Paused { reason: Pause::Superseded, .. })), "{end:?}");
    assert_eq!(world.ran.len(), ran);
}

/// S0.
#[test]
fn a_repair_waits_until_every_agent_is_seen_and_nothing_else_goes_on() {
    let mut world = owing();
    world.observations = 0;
    world.agents.get_mut("a1").expect("an Agent").operation =
        Some(ObservedOperation { id: None, action: None, state: OperationState::Running, owner: None });
    world.agents.get_mut("a2").expect("an Agent").reachable = false;
    let ran = world.ran.len();
    let mut machine = machine_of(&world, plans::repair(OLD), Vec::new());
    let end = world.drive_with(&mut machine, Crash::Never, |world, _| {
        if world.observations < 9 {
            assert_eq!(world.ran.len(), ran, "it waits");
        }
        if world.observations == 5 {
            world.agents.get_mut("a2").expect("an Agent").reachable = true;
        }
        if world.observations == 9 {
            world.agents.get_mut("a1").expect("an Agent").operation = None;
        }
    });
    assert_eq!(end, Some(Finish::Succeeded));
    assert_paid(&world, "at the end");
}

#[test]
fn a_repair_that_nobody_asks_for_any_more_restores_nothing() {
    let mut world = World::on(OLD, None);
    let end = run(&mut world, plans::repair(OLD));
    assert!(matches!(end, Some(Finish::Paused { reason: Pause::Outdated, .. })), "{end:?}");
    assert!(world.ran.is_empty());
}

#[test]
fn a_plan_whose_owed_work_nothing_verifies_is_refused_before_it_begins() {
    let mut world = World::on(NEW, Some(HIGH_WEB));
    let mut plan = plans::downgrade();
    plan.steps.truncate(12);
    assert_eq!(failure(run(&mut world, plan)).reason, reason::PLAN_INVALID);
    let mut plan = plans::downgrade();
    plan.steps[9].backup = None;
    assert_eq!(failure(run(&mut world, plan)).reason, reason::PLAN_INVALID);
    assert!(world.ran.is_empty());
}
