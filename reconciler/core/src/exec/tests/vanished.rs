//! The table "no exit code and a free lock" of the design, row by row, upwards, downwards and for the web apps
//! alone; seen by the process that asked for the job and by one that took up its journal.

use dataminer_schema::plan::Plan;

use super::{
    plans::{self, HIGH_WEB, LOW_WEB},
    world::{Crash, Fate, MIDDLE, NEW, OLD, World, machine_of, resumed_of},
    *,
};

struct Row {
    plan: Plan,
    world: World,
    /// What an Agent shows that the first job changed.
    to: &'static str,
}

fn rows() -> Vec<Row> {
    let high = World::on(NEW, Some(HIGH_WEB));
    vec![
        Row { plan: plans::upgrade(), world: World::on(OLD, None), to: MIDDLE },
        Row { plan: plans::downgrade(), world: high.clone(), to: MIDDLE },
        Row { plan: plans::web_downgrade(), world: high, to: LOW_WEB },
    ]
}

/// The first job dies with `changed` done, and with the Agents of `stopped` stopped; the process dies with it or not.
fn vanish(row: &Row, changed: &[&'static str], stopped: &[&'static str], crash: bool) -> (World, Finish) {
    let mut world = row.world.clone();
    world.fates = vec![Fate::Vanishes(changed.to_vec())];
    let stop = |world: &mut World, _: &mut Machine| {
        for name in stopped.iter().filter(|_| !world.ran.is_empty()) {
            world.agents.get_mut(name).expect("an Agent").state = Some(AgentState::Stopped);
        }
    };
    let mut machine = machine_of(&world, row.plan.clone(), Vec::new());
    if crash {
        let mut quiet = world.clone();
        let before = loop_until_first_job(&mut quiet, row);
        assert_eq!(world.drive(&mut machine, Crash::After(before)), None);
        assert_eq!(world.ran.len(), 1, "the job ran, its end was not written down");
        machine = resumed_of(&world, row.plan.clone());
    }
    let end = world.drive_with(&mut machine, Crash::Never, stop).expect("nothing kills it");
    (world, end)
}

/// How many events there are until the first job was performed.
fn loop_until_first_job(world: &mut World, row: &Row) -> usize {
    let mut machine = machine_of(world, row.plan.clone(), Vec::new());
    let mut events = 0;
    world.drive_with(&mut machine, Crash::Never, |world, _| {
        if world.ran.is_empty() {
            events = world.events;
        }
    });
    // The intent, and the performing.
    events + 2
}

/// All on target: done.
#[test]
fn row_1_a_dead_job_that_changed_every_agent_is_done() {
    for row in rows() {
        for crash in [false, true] {
            let (world, end) = vanish(&row, &["a1", "a2"], &[], crash);
            assert_eq!(end, Finish::Succeeded, "{} {crash}", row.to);
            assert!(!world.ran.iter().any(|id| id.ends_with("-2")), "no second attempt: {:?}", world.ran);
        }
    }
}

/// None changed: a new attempt with a fresh package copy, which another id brings along.
#[test]
fn row_2_a_dead_job_that_changed_no_agent_is_tried_again() {
    for row in rows() {
        for crash in [false, true] {
            let (world, end) = vanish(&row, &[], &[], crash);
            assert_eq!(end, Finish::Succeeded, "{} {crash}", row.to);
            assert_eq!(world.ran.iter().filter(|id| id.ends_with("-2")).count(), 1, "{:?}", world.ran);
        }
    }
}

fn assert_partial(row: &Row, world: &World, end: Finish, about: &[&str]) {
    let failure = failure(Some(end));
    let expected = (reason::PARTIAL_UPGRADE, Disposition::Stalled);
    assert_eq!((failure.reason.as_str(), failure.disposition), expected, "{}", row.to);
    assert_eq!(failure.agents, about.iter().map(|name| world::agent(name)).collect::<Vec<_>>());
    assert_eq!(world.ran.len(), 1, "nothing else was started");
    let step = row.plan.steps.iter().find(|step| step.package.is_some() && step.agents.len() == 2);
    let package = step.and_then(|step| step.package.as_deref()).expect("an install");
    for part in [package, "progress.log", "`retry`"] {
        assert!(failure.help.contains(part), "the runbook names {part}: {}", failure.help);
    }
    let owes = row.plan.steps.iter().any(|step| step.action == Action::RestoreContent);
    assert_eq!(failure.message.contains("still owed"), owes, "{}", failure.message);
    assert_eq!(world.notes().iter().all(|notes| notes.len() == 3), owes);
}

/// Mixed: a person must act.
#[test]
fn row_3_a_dead_job_that_changed_some_agents_stalls_with_a_runbook() {
    for row in rows() {
        for crash in [false, true] {
            let (world, end) = vanish(&row, &["a2"], &[], crash);
            assert_partial(&row, &world, end, &["a1"]);
        }
    }
}

/// Stopped: a person must act, whatever the versions say.
#[test]
fn row_4_a_dead_job_that_left_agents_stopped_stalls_with_a_runbook() {
    for row in rows() {
        for crash in [false, true] {
            let (world, end) = vanish(&row, &[], &["a1"], crash);
            assert_partial(&row, &world, end, &["a1", "a2"]);
            let (world, end) = vanish(&row, &["a1", "a2"], &["a1"], crash);
            let failure = failure(Some(end));
            assert_eq!(failure.reason, reason::VERIFY_FAILED, "on target, so its verification stalls");
            assert_eq!(failure.agents, [world::agent("a1")]);
            assert_eq!(world.ran.len(), 1);
        }
    }
}
