//! Modules that are exchanged while DataMiner is stopped (G3).

use super::{
    super::{effect::Meanwhile, finish::reason},
    plans::{self, STOPPED_FOR},
    world::{machine_of, resumed_of},
    *,
};

fn world() -> World {
    let mut world = World::on(NEW, None);
    // What users made is not touched.
    let content = plans::backup().sha256.to_string();
    world.content.values_mut().for_each(|there| there.clone_from(&content));
    world
}

fn meanwhile(world: &World) -> Vec<(String, Meanwhile)> {
    let asked = world.journal.iter().filter_map(|entry| match &entry.record {
        Record::Intent { effect } => match &effect.kind {
            EffectKind::ReinstallModule(install) => Some((install.module.clone(), install.dataminer)),
            _ => None,
        },
        _ => None,
    });
    asked.collect()
}

#[test]
fn g3_dataminer_stays_stopped_from_the_first_module_to_the_last() {
    let mut world = world();
    let mut machine = machine_of(&world, plans::swap(), Vec::new());
    assert_eq!(world.drive(&mut machine, Crash::Never), Some(Finish::Succeeded));
    let [first, second] = STOPPED_FOR.map(str::to_owned);
    assert_eq!(meanwhile(&world), [(first, Meanwhile::Stopped), (second, Meanwhile::StartedAgain)]);
    assert!(
        world.is_whole() && world.notes().iter().all(|notes| notes.is_empty()),
        "nothing is owed any more"
    );
}

/// G8: whatever the moment, the modules are exchanged and nobody forgets them.
#[test]
fn g3_a_crash_at_any_boundary_leaves_the_exchange_owed_until_it_is_done() {
    let mut whole = world();
    let mut machine = machine_of(&whole, plans::swap(), Vec::new());
    assert_eq!(whole.drive(&mut machine, Crash::Never), Some(Finish::Succeeded));
    for boundary in 1..whole.events {
        let mut world = world();
        let mut machine = machine_of(&world, plans::swap(), Vec::new());
        assert_eq!(world.drive(&mut machine, Crash::After(boundary)), None, "died at {boundary}");
        let mut again = resumed_of(&world, plans::swap());
        assert_eq!(world.drive(&mut again, Crash::Never), Some(Finish::Succeeded), "resumed at {boundary}");
        assert!(world.is_whole(), "from {boundary}");
        assert_eq!(world.agents, whole.agents, "from {boundary}");
    }
}

#[test]
fn g3_a_module_that_cannot_be_exchanged_is_told_and_stays_owed() {
    let mut world = world();
    world.tail_fates = vec![Fate::Succeeds, Fate::Exits(1603, Vec::new()), Fate::Exits(1603, Vec::new())];
    world.tail_fates.push(Fate::Exits(1603, Vec::new()));
    let mut machine = machine_of(&world, plans::swap(), Vec::new());
    let told = failure(world.drive(&mut machine, Crash::Never));
    assert_eq!(told.reason, reason::MODULE_FAILED);
    assert!(told.message.contains(STOPPED_FOR[1]), "{}", told.message);
    assert!(world.notes().iter().all(|notes| notes.len() == 2), "{:?}", world.notes());
}

/// The entry of the downgrade is written when DataMiner comes up: until then the Agents show what they ran before.
#[test]
fn g3_a_repair_does_not_look_for_the_version_that_never_came_up() {
    let mut world = world();
    world.due = Some(MIDDLE);
    for agent in world.agents.values_mut() {
        agent.state = Some(AgentState::Starting);
        agent.owed = Some(
            STOPPED_FOR
                .map(|module| OwedWork {
                    id: format!("left-{}", module.len()).parse().ok(),
                    action: Action::ReinstallModule,
                    backup: None,
                    module: Some(module.to_owned()),
                })
                .to_vec(),
        );
    }
    let mut machine = machine_of(&world, plans::swap_repair(), Vec::new());
    assert_eq!(world.drive(&mut machine, Crash::Never), Some(Finish::Succeeded));
    assert_eq!(world.cores(), [MIDDLE, MIDDLE]);
    assert!(world.notes().iter().all(Vec::is_empty));
}
