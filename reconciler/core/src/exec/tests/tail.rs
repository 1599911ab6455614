//! Restores and module jobs that do not succeed at once.

use super::{
    owed::{courses, finish_without_store},
    plans::{self, HIGH_WEB},
    world::{Crash, Fate, NEW, World, lost, machine_of, resumed_of},
    *,
};

fn downgraded(tail_fates: Vec<Fate>) -> (World, Option<Finish>) {
    let mut world = World::on(NEW, Some(HIGH_WEB));
    world.tail_fates = tail_fates;
    let mut machine = machine_of(&world, plans::downgrade(), Vec::new());
    let end = world.drive(&mut machine, Crash::Never);
    (world, end)
}

fn tail_of(world: &World) -> Vec<String> {
    let id = plans::downgrade().id.short().to_owned();
    let tail = world.done.iter().skip_while(|done| !done.starts_with("restore"));
    tail.map(|done| done.replace(&id, "p")).collect()
}

#[test]
fn a_restore_that_ended_badly_is_tried_again_under_another_id() {
    let bad = [
        Fate::Vanishes(vec!["a1"]),
        Fate::Exits(4, vec!["disk full".to_owned()]),
        Fate::Refuses(Refusal::Lock),
        Fate::Refuses(Refusal::Generation),
    ];
    for fate in bad {
        let (world, end) = downgraded(vec![fate.clone()]);
        assert_eq!(end, Some(Finish::Succeeded), "{fate:?}");
        assert_eq!(tail_of(&world)[..3], ["restore p-10-1", "restore p-10-2", "compare"], "{fate:?}");
        assert_eq!(Replay::of(&world.journal).last_attempt, 2, "the next operation counts on from there");
        assert!(world.is_whole() && world.notes().iter().all(Vec::is_empty));
    }
}

#[test]
fn a_lost_connection_asks_for_the_same_restore_again() {
    let (world, end) = downgraded(vec![Fate::LostSight(lost())]);
    assert_eq!(end, Some(Finish::Succeeded));
    assert_eq!(tail_of(&world)[..3], ["restore p-10-1", "restore p-10-1", "compare"]);
}

#[test]
fn a_restore_that_keeps_failing_stalls_and_says_what_is_owed() {
    let (mut world, end) = downgraded(vec![Fate::Exits(4, vec!["disk full".to_owned()]); 3]);
    let failure = failure(end);
    assert_eq!(
        (failure.reason.as_str(), failure.disposition),
        (reason::RESTORE_FAILED, Disposition::Stalled)
    );
    for part in ["disk full", "tried 3 times", "still owed", &plans::backup().file, plans::GQI] {
        assert!(failure.message.contains(part), "{part}: {}", failure.message);
    }
    assert!(failure.help.contains("`retry`"), "{}", failure.help);
    assert_eq!(world.notes().iter().map(Vec::len).collect::<Vec<_>>(), [3, 3]);
    finish_without_store(&mut world, &plans::downgrade(), "after the disk was cleared");
    assert!(world.is_whole() && world.notes().iter().all(Vec::is_empty));
}

#[test]
fn a_restore_that_never_ends_stalls() {
    let (world, end) = downgraded(vec![Fate::TimesOut]);
    assert_eq!(failure(end).reason, reason::RESTORE_FAILED);
    assert!(world.notes().iter().all(|notes| notes.len() == 3));
}

#[test]
fn a_restore_refused_by_a_newer_generation_ends_managed_elsewhere() {
    let (world, end) = downgraded(vec![Fate::Refuses(Refusal::Generation); 3]);
    assert_eq!(failure(end).reason, reason::MANAGED_ELSEWHERE);
    assert!(world.notes().iter().all(|notes| notes.len() == 3));
}

#[test]
fn a_module_that_keeps_failing_stalls_and_keeps_everything_owed() {
    let mut fates = vec![Fate::Succeeds];
    fates.extend(vec![Fate::Exits(1603, Vec::new()); 3]);
    let (world, end) = downgraded(fates);
    let failure = failure(end);
    assert_eq!((failure.reason.as_str(), failure.disposition), (reason::MODULE_FAILED, Disposition::Stalled));
    assert!(
        failure.message.contains("1603") && failure.message.contains("still owed"),
        "{}",
        failure.message
    );
    assert!(world.notes().iter().all(|notes| notes.len() == 3));
}

#[test]
fn content_that_differs_right_after_the_restore_is_restored_again() {
    let mut world = World::on(NEW, Some(HIGH_WEB));
    world.synchronised = [1].into();
    let mut machine = machine_of(&world, plans::downgrade(), Vec::new());
    assert_eq!(world.drive(&mut machine, Crash::Never), Some(Finish::Succeeded));
    assert_eq!(tail_of(&world)[..3], ["restore p-10-1", "restore p-10-2", "compare"]);
    assert!(world.is_whole());
}

/// A peer's synchronisation may put old files back minutes later.
#[test]
fn content_that_differs_after_the_settle_leads_back_to_the_restore() {
    let mut start = World::on(NEW, Some(HIGH_WEB));
    start.synchronised = [2].into();
    let mut whole = start.clone();
    let mut machine = machine_of(&whole, plans::downgrade(), Vec::new());
    assert_eq!(whole.drive(&mut machine, Crash::Never), Some(Finish::Succeeded));
    let tail = [
        "restore p-10-1",
        "compare",
        "reinstall p-11-1",
        "reinstall p-12-1",
        "restore p-10-2",
        "compare",
        // Asked for by the same id, so found done.
        "reinstall p-11-1",
        "reinstall p-12-1",
        "compare",
        "acquit",
        "clean",
    ];
    assert_eq!(tail_of(&whole), tail);
    assert_eq!(whole.ran.len(), 6, "the modules were not installed again");
    for boundary in 1..whole.events {
        let mut world = start.clone();
        let mut machine = machine_of(&world, plans::downgrade(), Vec::new());
        assert_eq!(world.drive(&mut machine, Crash::After(boundary)), None, "from {boundary}");
        let mut again = resumed_of(&world, plans::downgrade());
        assert_eq!(world.drive(&mut again, Crash::Never), Some(Finish::Succeeded), "from {boundary}");
        assert!(world.is_whole() && world.notes().iter().all(Vec::is_empty), "from {boundary}");
    }
}

#[test]
fn a_module_that_needed_two_attempts_is_found_by_its_second_id() {
    let mut world = World::on(NEW, Some(HIGH_WEB));
    world.synchronised = [2].into();
    world.tail_fates = vec![Fate::Succeeds, Fate::Vanishes(vec![])];
    let mut machine = machine_of(&world, plans::downgrade(), Vec::new());
    assert_eq!(world.drive(&mut machine, Crash::Never), Some(Finish::Succeeded));
    let modules = tail_of(&world).into_iter().filter(|done| done.contains("-11-")).collect::<Vec<_>>();
    assert_eq!(modules, ["reinstall p-11-1", "reinstall p-11-2", "reinstall p-11-2"]);
}

/// From the moment that nothing is owed the content is the users' again.
#[test]
fn a_crash_right_after_the_notes_went_restores_nothing_and_is_bound_to_nothing() {
    let mut found = 0;
    for boundary in 1..2_000 {
        let mut world = World::on(NEW, Some(HIGH_WEB));
        let mut machine = machine_of(&world, plans::downgrade(), Vec::new());
        if world.drive(&mut machine, Crash::After(boundary)).is_some() {
            break;
        }
        let [.., intent, last] = world.journal.as_slice() else { continue };
        let acquit = matches!(&intent.record, Record::Intent { effect } if matches!(effect.kind, EffectKind::Acquit { .. }));
        if !acquit || !matches!(last.record, Record::Outcome { .. }) {
            continue;
        }
        found += 1;
        let ran = world.ran.clone();
        world.synchronised = (1..20).collect();
        world.lowered = false;
        let mut again = resumed_of(&world, plans::downgrade());
        again.abort();
        let failure = failure(world.drive(&mut again, Crash::Never));
        assert_eq!(failure.reason, reason::ABORTED);
        assert!(failure.message.contains("before step 14"), "{}", failure.message);
        assert!(!failure.message.contains("still owed"), "{}", failure.message);
        assert_eq!(world.ran, ran);
    }
    assert_eq!(found, 1);
}

#[test]
fn content_that_never_stays_right_stalls() {
    let mut world = World::on(NEW, Some(HIGH_WEB));
    world.synchronised = (1..20).collect();
    let mut machine = machine_of(&world, plans::downgrade(), Vec::new());
    let failure = failure(world.drive(&mut machine, Crash::Never));
    assert_eq!(failure.reason, reason::RESTORE_FAILED);
    assert_eq!(failure.agents, [world::agent("a2")]);
    assert!(failure.message.contains("3 files differ"), "{}", failure.message);
    assert_eq!(world.ran.len(), 5, "two hops, three restores");
}

/// What is owed is not given up because the process was away for longer than an operation may take.
#[test]
fn a_process_that_was_away_for_days_still_pays() {
    for (course, plan, start) in courses() {
        let mut whole = start.clone();
        let mut machine = machine_of(&whole, plan.clone(), Vec::new());
        assert_eq!(whole.drive(&mut machine, Crash::Never), Some(Finish::Succeeded), "{course}");
        for boundary in start.events + 1..whole.events {
            let mut world = start.clone();
            let mut machine = machine_of(&world, plan.clone(), Vec::new());
            assert_eq!(world.drive(&mut machine, Crash::After(boundary)), None);
            let begun = world.ran.len() > start.ran.len();
            if !begun || world.notes().iter().all(Vec::is_empty) {
                continue;
            }
            world.now = world.now.checked_add(SignedDuration::from_hours(72)).expect("a time");
            let mut again = resumed_of(&world, plan.clone());
            let end = world.drive(&mut again, Crash::Never);
            assert_eq!(end, Some(Finish::Succeeded), "{course} from {boundary}");
            assert!(world.is_whole() && world.notes().iter().all(Vec::is_empty), "{course} from {boundary}");
        }
    }
}

/// Regression: after a crash in the middle of the acquittal the content was compared again, and what users had changed
/// meanwhile led back to a restore of which no note told any more.
#[test]
fn a_crash_in_the_middle_of_the_acquittal_compares_nothing_again() {
    for (course, plan, start) in courses() {
        let mut whole = start.clone();
        let mut machine = machine_of(&whole, plan.clone(), Vec::new());
        assert_eq!(whole.drive(&mut machine, Crash::Never), Some(Finish::Succeeded), "{course}");
        let mut met = 0;
        for boundary in start.events + 1..whole.events {
            let mut world = start.clone();
            let mut machine = machine_of(&world, plan.clone(), Vec::new());
            assert_eq!(world.drive(&mut machine, Crash::After(boundary)), None);
            if !world.lowered || !world.is_whole() || world.notes().iter().any(|notes| !notes.is_empty()) {
                continue;
            }
            met += 1;
            // A user edits a dashboard before anybody looks again.
            world.synchronised.insert(world.comparisons + 1);
            let ran = world.ran.clone();
            let mut again = resumed_of(&world, plan.clone());
            assert_eq!(
                world.drive(&mut again, Crash::Never),
                Some(Finish::Succeeded),
                "{course} from {boundary}"
            );
            assert_eq!(world.ran, ran, "{course} from {boundary}");
        }
        assert!(met > 0, "{course}");
    }
}

mod faults {
    //! Whatever jobs do, whenever the process dies, with or without its store: nothing is owed silently (the world
    //! checks it at every event), no job runs twice, and what ends well is paid.

    use proptest::prelude::*;

    use super::*;

    fn fate() -> impl Strategy<Value = Fate> {
        prop_oneof![
            6 => Just(Fate::Succeeds),
            1 => Just(Fate::Vanishes(vec![])),
            1 => Just(Fate::Vanishes(vec!["a1"])),
            1 => Just(Fate::Vanishes(vec!["a1", "a2"])),
            1 => Just(Fate::LostSight(lost())),
            1 => Just(Fate::Refuses(Refusal::Lock)),
            1 => Just(Fate::Refuses(Refusal::Generation)),
            1 => Just(Fate::Exits(5, Vec::new())),
            1 => Just(Fate::TimesOut),
        ]
    }

    proptest! {
        #[test]
        fn nothing_is_owed_silently_whatever_happens(
            course in 0_usize..4,
            fates in prop::collection::vec(fate(), 0..4),
            tail_fates in prop::collection::vec(fate(), 0..8),
            synchronised in prop::collection::btree_set(1_u32..6, 0..3),
            crashes in prop::collection::vec((1_usize..80, any::<bool>()), 0..5),
            failing in 0_u32..8,
        ) {
            let (_, plan, mut world) = courses().remove(course);
            (world.fates, world.tail_fates) = (fates, tail_fates);
            (world.synchronised, world.failing) = (synchronised, failing);
            let mut at_hand = plan.clone();
            let mut machine = machine_of(&world, at_hand.clone(), Vec::new());
            let mut end = None;
            for (after, store) in crashes {
                let at = world.events + after;
                end = world.drive(&mut machine, Crash::After(at));
                if end.is_some() {
                    break;
                }
                if store {
                    machine = resumed_of(&world, at_hand.clone());
                } else {
                    world.forget();
                    let Some(next) = world.planned(&plan) else { return Ok(()) };
                    at_hand = next;
                    machine = machine_of(&world, at_hand.clone(), Vec::new());
                }
            }
            let end = match end {
                Some(end) => end,
                None => world.drive(&mut machine, Crash::Never).expect("nothing kills it any more"),
            };
            let ids: std::collections::BTreeSet<_> = world.ran.iter().collect();
            prop_assert_eq!(ids.len(), world.ran.len(), "twice: {:?}", world.ran);
            let noted = world.notes().iter().any(|notes| !notes.is_empty());
            match end {
                Finish::Succeeded => prop_assert!(!noted && (world.is_whole() || !world.lowered)),
                Finish::Failed { failure } => {
                    prop_assert!(!failure.help.is_empty());
                    let told = failure.message.contains("still owed") || failure.reason == reason::NOTES_LEFT;
                    prop_assert!(!noted || told, "{}", failure.message);
                }
                Finish::Paused { .. } => {}
            }
        }
    }
}
