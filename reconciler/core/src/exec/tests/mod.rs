//! The machine against a small world in virtual time. It shows that the logic holds together; whether the world
//! is like that is the business of the simulator and of real peers.

mod checks;
mod debts;
mod hotfix;
mod owed;
mod patch;
mod plans;
mod swap;
mod tail;
mod tools;
mod unchanged;
mod vanished;
mod world;

use dataminer_schema::{
    plan::Action,
    v1::{
        cluster::{Fit, Window},
        observation::{AgentState, ObservedOperation, OperationState, OwedWork},
    },
};
use jiff::SignedDuration;

use self::world::{Crash, Fate, MIDDLE, NEW, World, lost, machine, machine_in, resumed};
use super::{
    effect::{Disposition, EffectKind, Failure, Refusal},
    finish::{Finish, Pause, reason},
    journal::{Record, Replay},
    machine::{Machine, Next},
    phase::Phase,
    policy::Scope,
};

fn failure(finish: Option<Finish>) -> Failure {
    match finish {
        Some(Finish::Failed { failure }) => failure,
        other => panic!("the operation should have failed: {other:?}"),
    }
}

#[test]
fn two_hops_and_the_web_apps_run_in_order() {
    let mut world = World::new();
    let mut machine = machine(&world);
    assert_eq!(world.drive(&mut machine, Crash::Never), Some(Finish::Succeeded));
    let plan = machine.plan().id.short().to_owned();
    let expected = [
        "stage 10.5.12.dmupgrade".to_owned(),
        "stage 10.6.4.dmupgrade".to_owned(),
        "stage 10.6.6.dmupgrade".to_owned(),
        "save".to_owned(),
        format!("run {plan}-5-1"),
        format!("run {plan}-7-1"),
        format!("run {plan}-9-1"),
        "clean".to_owned(),
    ];
    assert_eq!(world.done, expected);
    assert_eq!(world.cores(), [NEW, NEW]);
    assert!(world.agents.values().all(|agent| agent.web_apps.as_deref() == Some("10.6.6")));
}

/// Invariant 5.
#[test]
fn a_crash_at_any_boundary_changes_nothing_and_repeats_no_job() {
    let mut whole = World::new();
    let mut first = machine(&whole);
    assert_eq!(whole.drive(&mut first, Crash::Never), Some(Finish::Succeeded));
    let boundaries = whole.events;
    assert!(boundaries > 40, "the operation has many boundaries: {boundaries}");
    for boundary in 1..boundaries {
        let mut world = World::new();
        let mut machine = machine(&world);
        assert_eq!(world.drive(&mut machine, Crash::After(boundary)), None, "died at {boundary}");
        let mut again = resumed(&world);
        assert_eq!(world.drive(&mut again, Crash::Never), Some(Finish::Succeeded), "resumed at {boundary}");
        assert_eq!(world.agents, whole.agents, "the same end from {boundary}");
        assert_eq!(
            world.installed,
            ["10.5.12.dmupgrade", "10.6.4.dmupgrade", "10.6.6.dmupgrade"],
            "each package was installed once, from {boundary}"
        );
        assert_eq!(world.jobs.len(), 3, "no further job id from {boundary}");
    }
}

#[test]
fn two_crashes_in_a_row_are_like_one() {
    for first in (1..60).step_by(7) {
        for second in 1..12 {
            let mut world = World::new();
            if world.drive(&mut machine(&world), Crash::After(first)).is_some() {
                continue;
            }
            let at = world.events + second;
            if world.drive(&mut resumed(&world), Crash::After(at)).is_none() {
                let end = world.drive(&mut resumed(&world), Crash::Never);
                assert_eq!(end, Some(Finish::Succeeded), "after {first} and {second}");
            }
            assert_eq!(world.installed.len(), 3, "after {first} and {second}");
        }
    }
}

#[test]
fn a_vanished_job_that_changed_all_agents_is_done() {
    let mut world = World::new();
    world.fates = vec![Fate::Vanishes(vec!["a1", "a2"])];
    assert_eq!(world.drive(&mut machine(&world), Crash::Never), Some(Finish::Succeeded));
    assert_eq!(world.jobs.len(), 3, "no second attempt");
}

#[test]
fn a_vanished_job_that_changed_nothing_is_tried_again_under_another_id() {
    let mut world = World::new();
    world.fates = vec![Fate::Vanishes(vec![])];
    let mut machine = machine(&world);
    assert_eq!(world.drive(&mut machine, Crash::Never), Some(Finish::Succeeded));
    let plan = machine.plan().id.short();
    assert!(world.jobs.contains_key(&format!("{plan}-5-1")));
    assert!(world.jobs.contains_key(&format!("{plan}-5-2")));
    assert_eq!(Replay::of(&world.journal).last_attempt, 2);
}

#[test]
fn a_job_that_keeps_vanishing_stalls_after_three_attempts() {
    let mut world = World::new();
    world.fates = vec![Fate::Vanishes(vec![]); 9];
    let failure = failure(world.drive(&mut machine(&world), Crash::Never));
    assert_eq!(
        (failure.reason.as_str(), failure.disposition),
        (reason::UPGRADE_FAILED, Disposition::Stalled)
    );
    assert_eq!(world.jobs.len(), 3);
}

#[test]
fn a_vanished_job_that_changed_some_agents_stalls_at_its_deadline() {
    let mut world = World::new();
    world.fates = vec![Fate::Vanishes(vec!["a2"])];
    let begun = world.now;
    let failure = failure(world.drive(&mut machine(&world), Crash::Never));
    assert_eq!(failure.reason, reason::PARTIAL_UPGRADE);
    assert_eq!(failure.agents, [world::agent("a1")]);
    assert!(
        failure.message.contains("10.4.12 (build 15123)"),
        "it says what the Agent shows: {}",
        failure.message
    );
    assert!(world.now.duration_since(begun) >= SignedDuration::from_hours(3));
    assert_eq!(world.jobs.len(), 1, "nothing else was started");
}

#[test]
fn another_exit_code_stalls_with_the_log() {
    let mut world = World::new();
    world.fates = vec![Fate::Exits(3, vec!["one".to_owned(), "cannot stop SLNet".to_owned()])];
    let failure = failure(world.drive(&mut machine(&world), Crash::Never));
    assert_eq!(
        (failure.reason.as_str(), failure.disposition),
        (reason::UPGRADE_FAILED, Disposition::Stalled)
    );
    assert!(failure.message.contains("code 3") && failure.message.contains("cannot stop SLNet"));
}

#[test]
fn a_failed_prerequisite_is_told_apart() {
    let mut world = World::new();
    let line = "a1|12:00|ERROR|Prerequisite VerifyNatsIsRunning.dll failed: NATS is not running".to_owned();
    world.fates = vec![Fate::Exits(1, vec![line])];
    let failure = failure(world.drive(&mut machine(&world), Crash::Never));
    assert_eq!(failure.reason, reason::PREREQUISITE_FAILED);
    assert!(failure.message.contains("VerifyNatsIsRunning.dll"));
}

/// S7 and invariant 7: a closed window stops before the next hop, not before the tail of a hop.
#[test]
fn a_window_that_closes_between_hops_pauses_there() {
    let mut world = World::new();
    // Saturday 22:00 in Brussels is 21:00 UTC; one hop takes about 40 minutes.
    let window = Window::Allow {
        schedule: "0 22 * * SAT".to_owned(),
        duration: SignedDuration::from_mins(45),
        time_zone: "Europe/Brussels".to_owned(),
        cutoff: SignedDuration::from_mins(20),
        fit: Fit::Warn,
    };
    let mut machine = machine_in(&world, vec![window.clone()]);
    match world.drive(&mut machine, Crash::Never) {
        Some(Finish::Paused { reason: Pause::WindowClosed, until: Some(until), .. }) => {
            assert_eq!(until.to_string(), "2026-11-28T21:00:00Z");
        }
        other => panic!("the window should have closed: {other:?}"),
    }
    assert_eq!(world.cores(), [MIDDLE, MIDDLE], "the first hop is whole and verified");

    // The tail: the window closes during the second hop, the web upgrade follows all the same.
    let mut world = World::new();
    let window = Window::Allow {
        schedule: "0 22 * * SAT".to_owned(),
        duration: SignedDuration::from_mins(70),
        time_zone: "Europe/Brussels".to_owned(),
        cutoff: SignedDuration::from_mins(10),
        fit: Fit::Warn,
    };
    let mut machine = machine_in(&world, vec![window]);
    assert_eq!(world.drive(&mut machine, Crash::Never), Some(Finish::Succeeded));
    assert!(world.now.to_string().as_str() > "2026-11-21T22:10:00Z", "it ended after the window");
}

/// Invariant 7.
#[test]
fn nothing_disruptive_starts_in_a_closed_window() {
    let mut world = World::new();
    let window = Window::Allow {
        schedule: "0 3 * * SUN".to_owned(),
        duration: SignedDuration::from_hours(2),
        time_zone: "UTC".to_owned(),
        cutoff: SignedDuration::ZERO,
        fit: Fit::Warn,
    };
    let mut machine = machine_in(&world, vec![window]);
    let end = world.drive(&mut machine, Crash::Never);
    assert!(matches!(end, Some(Finish::Paused { reason: Pause::WindowClosed, .. })), "{end:?}");
    assert!(world.jobs.is_empty());
    assert_eq!(world.done.len(), 4, "staging and saving disturb nobody");
}

#[test]
fn health_that_flaps_settles_only_after_the_last_break() {
    let mut calm = World::new();
    calm.drive(&mut machine(&calm), Crash::Never);
    let mut world = World::new();
    let mut machine = machine(&world);
    let end = world.drive_with(&mut machine, Crash::Never, |world, machine| {
        if machine.steps_done() == 5 && world.flaps == 0 && world.observations < 40 {
            world.flaps = 10;
        }
    });
    assert_eq!(end, Some(Finish::Succeeded));
    assert!(world.now > calm.now, "the flapping took time");
}

#[test]
fn agents_that_stay_ill_fail_the_verification() {
    let mut world = World::new();
    world.fates = vec![Fate::LeavesIll(vec!["a2"])];
    let failure = failure(world.drive(&mut machine(&world), Crash::Never));
    assert_eq!((failure.reason.as_str(), failure.disposition), (reason::VERIFY_FAILED, Disposition::Stalled));
    assert_eq!(failure.agents, [world::agent("a2")]);
    assert_eq!(world.jobs.len(), 1, "the second hop did not start");
}

/// Invariant 8.
#[test]
fn an_exit_code_of_zero_without_a_change_is_no_success() {
    let mut world = World::new();
    world.fates = vec![Fate::Exits(0, Vec::new())];
    let failure = failure(world.drive(&mut machine(&world), Crash::Never));
    assert_eq!(failure.reason, reason::UPGRADE_FAILED);
}

#[test]
fn an_operation_ends_at_its_deadline() {
    let mut world = World::new();
    world.agents.get_mut("a1").expect("an Agent").reachable = false;
    world.failing = u32::MAX;
    let mut machine = machine(&world);
    machine.policy.backoff.tries = u32::MAX;
    let failure = failure(world.drive(&mut machine, Crash::Never));
    assert_eq!(failure.reason, reason::DEADLINE_EXCEEDED);
    assert!(world.now >= machine.deadline());
}

#[test]
fn a_step_that_the_agents_show_already_is_skipped() {
    let mut world = World::new();
    for agent in world.agents.values_mut() {
        agent.core = Some(MIDDLE.to_owned());
    }
    assert_eq!(world.drive(&mut machine(&world), Crash::Never), Some(Finish::Succeeded));
    assert_eq!(world.installed, ["10.6.4.dmupgrade", "10.6.6.dmupgrade"]);
}

/// A web package goes to all Agents, also to one that has its level already: that is what the plan saw.
#[test]
fn an_agent_that_has_the_web_level_already_does_not_stop_the_others() {
    let mut plan = plans::web_downgrade();
    plan.agents[1].web_apps = Some(plans::LOW_WEB.to_owned());
    let mut world = World::on(NEW, Some(plans::HIGH_WEB));
    world.agents.get_mut("a2").expect("an Agent").web_apps = Some(plans::LOW_WEB.to_owned());
    let mut machine = world::machine_of(&world, plan, Vec::new());
    assert_eq!(world.drive(&mut machine, Crash::Never), Some(Finish::Succeeded));
    assert!(world.agents.values().all(|agent| agent.web_apps.as_deref() == Some(plans::LOW_WEB)));
}

#[test]
fn agents_that_the_plan_does_not_know_end_it_for_another_plan() {
    let mut world = World::new();
    world.agents.get_mut("a2").expect("an Agent").core = Some("10.4.11.0-15000-20241104-release".to_owned());
    let end = world.drive(&mut machine(&world), Crash::Never);
    assert!(matches!(end, Some(Finish::Paused { reason: Pause::Outdated, .. })), "{end:?}");
    assert!(world.jobs.is_empty());
}

#[test]
fn an_agent_that_is_not_seen_holds_the_next_step_and_then_ends_it() {
    let mut world = World::new();
    world.agents.get_mut("a2").expect("an Agent").reachable = false;
    let failure = failure(world.drive(&mut machine(&world), Crash::Never));
    assert_eq!(
        (failure.reason.as_str(), failure.disposition),
        (reason::AGENT_UNREACHABLE, Disposition::Retry)
    );
    assert!(world.jobs.is_empty());
}

#[test]
fn a_foreign_operation_is_waited_for() {
    let mut world = World::new();
    let foreign = ObservedOperation {
        id: None,
        action: Some(Action::UpgradeCore),
        state: OperationState::Running,
        owner: None,
    };
    world.agents.get_mut("a2").expect("an Agent").operation = Some(foreign);
    let mut machine = machine(&world);
    let end = world.drive_with(&mut machine, Crash::Never, |world, _| {
        if world.observations == 5 {
            world.agents.get_mut("a2").expect("an Agent").operation = None;
        }
    });
    assert_eq!(end, Some(Finish::Succeeded));
}

#[test]
fn a_busy_lock_is_tried_again_a_wrong_hash_is_not() {
    let mut world = World::new();
    world.fates = vec![Fate::Refuses(Refusal::Lock)];
    assert_eq!(world.drive(&mut machine(&world), Crash::Never), Some(Finish::Succeeded));
    let mut world = World::new();
    world.fates = vec![Fate::Refuses(Refusal::Hash)];
    let failure = failure(world.drive(&mut machine(&world), Crash::Never));
    assert_eq!(
        (failure.reason.as_str(), failure.disposition),
        (reason::PACKAGE_UNVERIFIED, Disposition::Retry)
    );
    assert_eq!(world.jobs.len(), 1);
}

/// Invariant 6.
#[test]
fn a_newer_generation_ends_the_operation() {
    let mut world = World::new();
    world.fates = vec![Fate::Refuses(Refusal::Generation); 9];
    let failure = failure(world.drive(&mut machine(&world), Crash::Never));
    assert_eq!(
        (failure.reason.as_str(), failure.disposition),
        (reason::MANAGED_ELSEWHERE, Disposition::Stalled)
    );
}

#[test]
fn a_connection_lost_during_a_job_does_not_repeat_it() {
    let mut world = World::new();
    world.fates = vec![Fate::LostSight(lost())];
    assert_eq!(world.drive(&mut machine(&world), Crash::Never), Some(Finish::Succeeded));
    assert_eq!(world.jobs.len(), 3, "the same job id was asked for again");
}

#[test]
fn quiet_effects_are_tried_again_and_then_fail_as_they_came() {
    let mut world = World::new();
    world.failing = 3;
    assert_eq!(world.drive(&mut machine(&world), Crash::Never), Some(Finish::Succeeded));
    let mut world = World::new();
    world.failing = u32::MAX;
    let failure = failure(world.drive(&mut machine(&world), Crash::Never));
    assert_eq!(failure, lost());
}

#[test]
fn an_abort_lets_the_step_end_and_says_where_it_stopped() {
    let mut world = World::new();
    let mut machine = machine(&world);
    let end = world.drive_with(&mut machine, Crash::Never, |_, machine| {
        if machine.steps_done() == 5 {
            machine.abort();
        }
    });
    let failure = failure(end);
    assert_eq!(failure.reason, reason::ABORTED);
    assert!(failure.message.contains("before step 7"), "{}", failure.message);
    assert_eq!(world.cores(), [MIDDLE, MIDDLE]);
}

#[test]
fn another_commit_ends_staging_at_once() {
    let world = World::new();
    let mut machine = machine(&world);
    let Next::Effect(_) = machine.next(world.now) else { panic!("staging comes first") };
    machine.supersede();
    assert!(machine.drop_effect());
    let end = machine.next(world.now);
    assert!(matches!(end, Next::Finished(Finish::Paused { reason: Pause::Superseded, .. })), "{end:?}");
}

#[test]
fn preparation_does_what_is_ready_and_nothing_else() {
    let mut world = World::new();
    let mut machine = machine(&world);
    machine.policy.scope = Scope::Preparation;
    assert_eq!(world.drive(&mut machine, Crash::Never), Some(Finish::Succeeded));
    assert_eq!(world.done.len(), 4);
    assert_eq!(world.observations, 0);
}

#[test]
fn an_action_that_this_release_cannot_do_is_never_skipped() {
    let mut world = World::new();
    let mut machine: Machine = machine(&world);
    machine.plan.steps[3].action = Action::Manual;
    let failure = failure(world.drive(&mut machine, Crash::Never));
    assert_eq!(failure.reason, reason::MANUAL_STEP_REQUIRED);
    assert!(world.jobs.is_empty());
}

#[test]
fn a_stray_answer_changes_nothing() {
    let world = World::new();
    let mut machine = machine(&world);
    let Next::Effect(effect) = machine.next(world.now) else { panic!("staging comes first") };
    machine.handle(world.now, effect.id + 1, super::effect::Outcome::Done);
    assert_eq!(machine.next(world.now), Next::Effect(effect));
}

/// S4.
#[test]
fn an_offline_failover_partner_counts_while_its_partner_is_online() {
    use dataminer_schema::v1::observation::{FailoverRole, FailoverState};
    let mut world = World::new();
    let mut machine = machine(&world);
    let partner = machine.desired.cluster.agents.pop().expect("two Agents");
    machine.desired.cluster.agents[0].failover = Some(partner.member);
    let pair = |role, online| Some(FailoverState { role, online: Some(online) });
    world.agents.get_mut("a1").expect("an Agent").failover = pair(FailoverRole::Main, true);
    let backup = world.agents.get_mut("a2").expect("an Agent");
    backup.failover = pair(FailoverRole::Backup, false);
    backup.state = Some(AgentState::Disconnected);
    assert_eq!(world.drive(&mut machine, Crash::Never), Some(Finish::Succeeded));
}

/// On Agents other than the orchestrating one the work of a job shows longer than the job lives. Asking for the job
/// again and again then would fill the journal and change nothing.
#[test]
fn a_dead_job_whose_work_goes_on_elsewhere_is_watched_not_asked_for() {
    let mut world = World::new();
    world.fates = vec![Fate::Vanishes(vec![])];
    let mut machine = machine(&world);
    let end = world.drive_with(&mut machine, Crash::Never, |world, _| {
        let id = world.jobs.keys().next().cloned();
        let working = world.jobs.len() == 1 && world.observations < 60;
        world.agents.get_mut("a2").expect("an Agent").operation =
            id.filter(|_| working).map(|id| ObservedOperation {
                id: Some(id),
                action: Some(Action::UpgradeCore),
                state: OperationState::Running,
                owner: Some("prod".to_owned()),
            });
    });
    assert_eq!(end, Some(Finish::Succeeded));
    assert_eq!(world.done.iter().filter(|done| done.ends_with("-5-1")).count(), 1);
}

mod faults {
    //! Whatever jobs do and whenever the process dies: no job runs twice, nothing is installed twice, and the
    //! operation comes to an end that says what it is.

    use proptest::prelude::*;

    use super::*;

    fn fate() -> impl Strategy<Value = Fate> {
        prop_oneof![
            4 => Just(Fate::Succeeds),
            1 => Just(Fate::Vanishes(vec![])),
            1 => Just(Fate::Vanishes(vec!["a1"])),
            1 => Just(Fate::Vanishes(vec!["a1", "a2"])),
            1 => Just(Fate::LostSight(lost())),
            1 => Just(Fate::Refuses(Refusal::Lock)),
            1 => Just(Fate::Refuses(Refusal::Generation)),
            1 => Just(Fate::Exits(5, Vec::new())),
            1 => Just(Fate::LeavesIll(vec!["a2"])),
        ]
    }

    proptest! {
        #[test]
        fn any_fate_and_any_crash_end_well_defined(
            fates in prop::collection::vec(fate(), 0..8),
            crashes in prop::collection::vec(1_usize..60, 0..6),
            failing in 0_u32..8,
        ) {
            let mut world = World::new();
            world.fates = fates;
            world.failing = failing;
            let mut end = None;
            let mut machine = machine(&world);
            for after in crashes {
                let at = world.events + after;
                end = world.drive(&mut machine, Crash::After(at));
                if end.is_some() {
                    break;
                }
                machine = resumed(&world);
            }
            let end = match end {
                Some(end) => end,
                None => world.drive(&mut machine, Crash::Never).expect("nothing kills it any more"),
            };
            let mut installed = world.installed.clone();
            installed.sort();
            installed.dedup();
            prop_assert_eq!(installed.len(), world.installed.len(), "installed twice: {:?}", world.installed);
            match end {
                Finish::Succeeded => prop_assert_eq!(world.cores(), [NEW, NEW]),
                Finish::Failed { failure } => prop_assert!(!failure.reason.is_empty() && !failure.help.is_empty()),
                Finish::Paused { .. } => {}
            }
            // A finished journal stays finished.
            let again = resumed(&world).next(world.now);
            prop_assert!(matches!(again, Next::Finished(_)), "{again:?}");
        }
    }
}
