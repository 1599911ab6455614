//! Tools between hops (H4, H7).

use dataminer_schema::v1::{
    cluster::{Fit, Window},
    observation::AgentState,
};
use jiff::SignedDuration;

use super::{
    super::{
        effect::{Disposition, JobEnd},
        finish::{Finish, Pause, reason},
        machine::Machine,
    },
    failure,
    plans::{MIGRATION, MIGRATION_CHECK, migration, unknown_tool},
    world::{Crash, Fate, MIDDLE, NEW, World, agent, machine_of, resumed_of},
};

fn legacy() -> World {
    let mut world = World::new();
    world.agents.values_mut().for_each(|agent| agent.broker_gateway = Some(false));
    world
}

fn machine(world: &World) -> Machine {
    machine_of(world, migration(), Vec::new())
}

fn run(world: &mut World) -> Option<Finish> {
    let mut machine = machine(world);
    world.drive(&mut machine, Crash::Never)
}

const ALL: [&str; 4] = ["10.5.12.dmupgrade", MIGRATION_CHECK, MIGRATION, "10.6.4.dmupgrade"];

#[test]
fn h4_the_migration_runs_between_its_hops_and_is_seen() {
    let mut world = legacy();
    assert_eq!(run(&mut world), Some(Finish::Succeeded));
    assert_eq!(world.installed, ALL);
    assert_eq!(world.cores(), [NEW, NEW]);
    assert!(world.agents.values().all(|agent| agent.broker_gateway == Some(true)));
}

#[test]
fn h4_a_migration_that_is_done_already_is_dropped_by_the_fresh_look() {
    let mut world = legacy();
    world.agents.values_mut().for_each(|agent| agent.broker_gateway = Some(true));
    assert_eq!(run(&mut world), Some(Finish::Succeeded));
    assert_eq!(world.installed, [ALL[0], ALL[1], ALL[3]]);
}

#[test]
fn h4_agents_that_differ_are_planned_anew() {
    let mut world = legacy();
    world.agents.get_mut("a1").expect("an Agent").broker_gateway = Some(true);
    match run(&mut world) {
        Some(Finish::Paused { reason: Pause::Outdated, .. }) => {}
        other => panic!("it should have stopped: {other:?}"),
    }
    assert_eq!(world.installed, ALL[..2]);
}

/// Exit code 0 is necessary, never sufficient.
#[test]
fn h4_an_exit_code_of_zero_is_no_migration() {
    let mut world = legacy();
    let exits = |log: &[&str]| Fate::Exits(0, log.iter().map(|line| (*line).to_owned()).collect());
    world.fates = vec![Fate::Succeeds, Fate::Succeeds, exits(&[])];
    let told = failure(run(&mut world));
    assert_eq!((told.reason.as_str(), told.disposition), (reason::TOOL_FAILED, Disposition::Stalled));
    assert!(told.message.contains("BrokerGateway false), not core"), "{}", told.message);
    assert_eq!(world.cores(), [MIDDLE, MIDDLE], "nothing follows");

    let mut world = legacy();
    world.fates = vec![Fate::Succeeds, exits(&["error: 10.0.0.12: TLS 1.2 is off"])];
    let told = failure(run(&mut world));
    assert_eq!(told.reason, reason::TOOL_FAILED);
    assert!(told.message.contains("TLS 1.2 is off"), "{}", told.message);
    assert_eq!(world.installed, ALL[..1], "the migration was not asked for");
}

#[test]
fn h4_a_tool_that_fails_stops_before_the_next_hop() {
    let mut world = legacy();
    world.fates = vec![Fate::Succeeds, Fate::Exits(7, vec!["error: .NET 10 is missing".to_owned()])];
    let told = failure(run(&mut world));
    assert_eq!(told.reason, reason::TOOL_FAILED);
    assert!(
        told.message.contains("code 7") && told.message.contains(".NET 10 is missing"),
        "{}",
        told.message
    );
    assert_eq!(world.cores(), [MIDDLE, MIDDLE]);
}

#[test]
fn h4_a_migration_of_some_agents_stalls_with_a_runbook() {
    let mut world = legacy();
    world.fates = vec![Fate::Succeeds, Fate::Succeeds, Fate::Vanishes(vec!["a2"])];
    let told = failure(run(&mut world));
    assert_eq!(told.reason, reason::PARTIAL_UPGRADE);
    assert_eq!(told.agents, [agent("a1")]);
    assert!(told.help.contains("NATSMigration.exe"), "{}", told.help);
    assert_eq!(world.jobs.len(), 3, "it was not run again");
}

#[test]
fn h4_a_tool_that_died_without_a_trace_runs_again_under_another_id() {
    for (at, tool) in [(1, MIGRATION_CHECK), (2, MIGRATION)] {
        let mut world = legacy();
        world.fates = vec![Fate::Succeeds; at];
        world.fates.push(Fate::Vanishes(vec![]));
        assert_eq!(run(&mut world), Some(Finish::Succeeded), "{tool}");
        assert_eq!(world.jobs.len(), 5, "{tool}: {:?}", world.jobs.keys());
        assert!(world.jobs.values().any(|end| *end == JobEnd::Vanished));
        assert_eq!(world.installed, ALL);
    }
}

/// Whether the migration was done cannot be seen, so it is not run a second time.
#[test]
fn h4_a_migration_that_died_unseen_is_not_repeated() {
    let mut world = legacy();
    world.agents.values_mut().for_each(|agent| agent.broker_gateway = None);
    world.fates = vec![Fate::Succeeds, Fate::Succeeds, Fate::Vanishes(vec![])];
    assert_eq!(failure(run(&mut world)).reason, reason::TOOL_FAILED);
    assert_eq!(world.jobs.len(), 3);
}

#[test]
fn a_tool_that_nobody_knows_is_never_repeated() {
    let mut world = World::new();
    world.fates = vec![Fate::Vanishes(vec![])];
    let mut machine = machine_of(&world, unknown_tool(), Vec::new());
    assert_eq!(failure(world.drive(&mut machine, Crash::Never)).reason, reason::TOOL_FAILED);
    assert_eq!(world.jobs.len(), 1);
    let mut world = World::new();
    let mut machine = machine_of(&world, unknown_tool(), Vec::new());
    assert_eq!(world.drive(&mut machine, Crash::Never), Some(Finish::Succeeded));
}

/// S7: a check waits for no window; the migration is a hop of its own.
#[test]
fn s7_a_migration_waits_for_a_window() {
    let mut world = legacy();
    // Saturday 22:00 in Brussels is 21:00 UTC; one hop takes about 40 minutes.
    let window = Window::Allow {
        schedule: "0 22 * * SAT".to_owned(),
        duration: SignedDuration::from_mins(60),
        time_zone: "Europe/Brussels".to_owned(),
        cutoff: SignedDuration::from_mins(20),
        fit: Fit::Warn,
    };
    let mut machine = machine_of(&world, migration(), vec![window]);
    match world.drive(&mut machine, Crash::Never) {
        Some(Finish::Paused { reason: Pause::WindowClosed, .. }) => {}
        other => panic!("the window should have closed: {other:?}"),
    }
    assert_eq!(world.installed, ALL[..2], "the check was run, the migration was not");
}

#[test]
fn h4_an_ill_agent_holds_the_tools_back() {
    let mut world = legacy();
    world.fates = vec![Fate::LeavesIll(vec!["a2"])];
    let mut machine = machine(&world);
    let mut healed = false;
    let end = world.drive_with(&mut machine, Crash::Never, |world, machine| {
        let verifies = machine.step().is_some_and(|step| step.id == "7");
        if verifies && !healed && world.observations > 5 {
            healed = true;
            assert_eq!(world.installed, ALL[..1]);
            world.agents.get_mut("a2").expect("an Agent").state = Some(AgentState::Running);
        }
    });
    assert_eq!(end, Some(Finish::Succeeded));
}

/// Invariant 5.
#[test]
fn a_crash_at_any_boundary_of_tools_changes_nothing_and_repeats_no_job() {
    let mut whole = legacy();
    assert_eq!(run(&mut whole), Some(Finish::Succeeded));
    for boundary in 1..whole.events {
        let mut world = legacy();
        let mut first = machine(&world);
        assert_eq!(world.drive(&mut first, Crash::After(boundary)), None, "died at {boundary}");
        let mut again = resumed_of(&world, migration());
        assert_eq!(world.drive(&mut again, Crash::Never), Some(Finish::Succeeded), "resumed at {boundary}");
        assert_eq!(world.agents, whole.agents, "the same end from {boundary}");
        assert_eq!(world.installed, ALL, "each package ran once, from {boundary}");
        assert_eq!(world.jobs.len(), 4, "no further job id from {boundary}");
    }
}
