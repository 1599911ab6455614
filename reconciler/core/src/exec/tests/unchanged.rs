//! A first job that changed nothing owes nothing: its notes go, but only when the Agents show it.

use dataminer_schema::plan::Plan;

use super::{
    plans::{self, HIGH_WEB},
    world::{Crash, Fate, NEW, World, machine_of},
    *,
};

fn prerequisite() -> Fate {
    Fate::Exits(1, vec!["Prerequisite VerifyNatsIsRunning.dll failed: NATS is not running".to_owned()])
}

fn end_of(world: &mut World, plan: Plan) -> Failure {
    let mut machine = machine_of(world, plan, Vec::new());
    failure(world.drive(&mut machine, Crash::Never))
}

/// The reason of the failure, and whether the notes are gone.
fn end_with(fates: Vec<Fate>, plan: Plan) -> (String, bool) {
    let mut world = World::on(NEW, Some(HIGH_WEB));
    world.fates = fates;
    let failure = end_of(&mut world, plan);
    let notes = world.notes();
    assert_eq!(notes[0].is_empty(), notes[1].is_empty());
    assert_eq!(failure.message.contains("still owed"), !notes[0].is_empty(), "{}", failure.message);
    (failure.reason, notes[0].is_empty())
}

#[test]
fn a_job_that_provably_changed_nothing_leaves_nothing_owed() {
    for plan in [plans::downgrade, plans::web_downgrade] {
        let gone = |reason: &str| (reason.to_owned(), true);
        assert_eq!(end_with(vec![prerequisite()], plan()), gone(reason::PREREQUISITE_FAILED));
        assert_eq!(end_with(vec![Fate::Refuses(Refusal::Copy)], plan()), gone(reason::INSUFFICIENT_DISK));
        assert_eq!(end_with(vec![Fate::Refuses(Refusal::Hash)], plan()), gone(reason::PACKAGE_UNVERIFIED));
        let locked = vec![Fate::Refuses(Refusal::Lock); 3];
        assert_eq!(end_with(locked, plan()), gone(reason::OPERATION_IN_PROGRESS));
        assert_eq!(end_with(vec![Fate::Vanishes(vec![]); 3], plan()), gone(reason::UPGRADE_FAILED));
        // Such as an account without the right to upgrade, or a utility that returns at once and does nothing.
        assert_eq!(end_with(vec![Fate::Exits(5, Vec::new())], plan()), gone(reason::UPGRADE_FAILED));
        assert_eq!(end_with(vec![Fate::Exits(0, Vec::new())], plan()), gone(reason::UPGRADE_FAILED));
    }
}

#[test]
fn a_job_that_may_have_changed_something_leaves_its_notes() {
    let plan = plans::downgrade;
    let stay = |reason: &str| (reason.to_owned(), false);
    assert_eq!(end_with(vec![Fate::Vanishes(vec!["a2"])], plan()), stay(reason::PARTIAL_UPGRADE));
    assert_eq!(end_with(vec![Fate::TimesOut], plan()), stay(reason::UPGRADE_FAILED));
    assert_eq!(end_with(vec![Fate::LeavesIll(vec!["a1"])], plan()), stay(reason::VERIFY_FAILED));
    // The second hop changed nothing, but the first one did.
    assert_eq!(end_with(vec![Fate::Succeeds, prerequisite()], plan()), stay(reason::PREREQUISITE_FAILED));
}

/// Nothing there is ours any more.
#[test]
fn a_newer_generation_keeps_the_notes() {
    let fates = vec![Fate::Refuses(Refusal::Generation); 3];
    assert_eq!(end_with(fates, plans::downgrade()), (reason::MANAGED_ELSEWHERE.to_owned(), false));
}

#[test]
fn what_is_not_seen_is_not_proven_unchanged() {
    let mut world = World::on(NEW, Some(HIGH_WEB));
    world.fates = vec![prerequisite()];
    let mut machine = machine_of(&world, plans::downgrade(), Vec::new());
    let end = world.drive_with(&mut machine, Crash::Never, |world, _| {
        if !world.ran.is_empty() {
            world.agents.get_mut("a2").expect("an Agent").reachable = false;
        }
    });
    let failure = failure(end);
    assert_eq!(failure.reason, reason::PREREQUISITE_FAILED);
    assert!(failure.message.contains("still owed"), "{}", failure.message);
    assert!(world.notes().iter().all(|notes| notes.len() == 3));
}

/// A web level that moved under a core that did not.
#[test]
fn another_web_level_is_a_change() {
    let mut world = World::on(NEW, Some(HIGH_WEB));
    world.fates = vec![Fate::Exits(5, Vec::new())];
    let mut machine = machine_of(&world, plans::downgrade(), Vec::new());
    let end = world.drive_with(&mut machine, Crash::Never, |world, _| {
        if !world.ran.is_empty() {
            world.agents.get_mut("a1").expect("an Agent").web_apps = Some("10.6.3".to_owned());
        }
    });
    assert!(failure(end).message.contains("still owed"));
    assert!(world.notes().iter().all(|notes| notes.len() == 3));
}

#[test]
fn notes_that_cannot_be_removed_stall_and_are_named() {
    let mut world = World::on(NEW, Some(HIGH_WEB));
    world.fates = vec![prerequisite()];
    let mut machine = machine_of(&world, plans::downgrade(), Vec::new());
    let id = machine.plan().id.short().to_owned();
    let end = world.drive_with(&mut machine, Crash::Never, |world, _| {
        world.failing = if world.ran.is_empty() { 0 } else { u32::MAX };
    });
    let failure = failure(end);
    assert_eq!((failure.reason.as_str(), failure.disposition), (reason::NOTES_LEFT, Disposition::Stalled));
    assert!(failure.message.contains("Prerequisite") && failure.message.contains(&format!("{id}-10")));
}

/// An abort between two attempts of a job that died without a change.
#[test]
fn an_abort_before_the_next_attempt_takes_the_notes_back() {
    let mut world = World::on(NEW, Some(HIGH_WEB));
    world.fates = vec![Fate::Vanishes(vec![])];
    let mut machine = machine_of(&world, plans::web_downgrade(), Vec::new());
    let end = world.drive_with(&mut machine, Crash::Never, |_, machine| {
        if machine.attempt == 2 {
            machine.abort();
        }
    });
    assert_eq!(failure(end).reason, reason::ABORTED);
    assert_eq!(world.ran.len(), 1);
    assert!(world.notes().iter().all(Vec::is_empty));
}

#[test]
fn a_crash_at_any_boundary_of_a_refused_downgrade_ends_the_same() {
    for fates in [vec![prerequisite()], vec![Fate::Refuses(Refusal::Hash)], vec![Fate::Exits(5, Vec::new())]]
    {
        let mut start = World::on(NEW, Some(HIGH_WEB));
        start.fates = fates;
        let mut whole = start.clone();
        let expected = end_of(&mut whole, plans::downgrade());
        for boundary in 1..whole.events {
            let mut world = start.clone();
            let mut machine = machine_of(&world, plans::downgrade(), Vec::new());
            assert_eq!(world.drive(&mut machine, Crash::After(boundary)), None, "from {boundary}");
            let mut again = world::resumed_of(&world, plans::downgrade());
            let end = failure(world.drive(&mut again, Crash::Never));
            assert_eq!(end, expected, "from {boundary}");
            assert!(world.notes().iter().all(Vec::is_empty), "from {boundary}: {:?}", world.notes());
            assert_eq!(world.ran, whole.ran, "from {boundary}");
        }
    }
}
