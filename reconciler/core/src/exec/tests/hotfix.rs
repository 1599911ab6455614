//! Hotfixes behind the core (D4).

use super::{
    super::{effect::Disposition, finish::reason},
    plans::{self, HOTFIXES},
    world::{machine_of, resumed_of},
    *,
};

/// Where the first hotfix stands among the jobs.
const FIRST: usize = 1;

fn run(fates: Vec<Fate>) -> (World, Option<Finish>) {
    let mut world = World::new();
    world.fates = fates;
    let mut machine = machine_of(&world, plans::hotfixes(), Vec::new());
    let end = world.drive(&mut machine, Crash::Never);
    (world, end)
}

fn installed() -> Vec<String> {
    ["10.5.12", HOTFIXES[0], HOTFIXES[1]].map(|name| format!("{name}.dmupgrade")).to_vec()
}

#[test]
fn d4_hotfixes_follow_the_core_one_after_the_other_and_are_seen() {
    let (world, end) = run(Vec::new());
    assert_eq!(end, Some(Finish::Succeeded));
    assert_eq!(world.installed, installed());
    assert_eq!(world.cores(), [HOTFIXES[1]; 2]);
}

/// Both are hotfixes on one base: only their names tell them apart.
#[test]
fn d4_an_exit_code_of_zero_is_no_hotfix() {
    for at in [FIRST, FIRST + 1] {
        let mut fates = vec![Fate::Succeeds; at];
        fates.push(Fate::Exits(0, Vec::new()));
        let (world, end) = run(fates);
        let told = failure(end);
        assert_eq!(told.reason, reason::UPGRADE_FAILED, "{at}");
        assert!(
            told.message.contains(&format!("not the hotfix {}", HOTFIXES[at - FIRST])),
            "{}",
            told.message
        );
        assert_eq!(world.installed, installed()[..at], "nothing follows");
    }
}

#[test]
fn d4_a_hotfix_on_some_agents_is_a_partial_upgrade() {
    for at in [FIRST, FIRST + 1] {
        let mut fates = vec![Fate::Succeeds; at];
        fates.push(Fate::Vanishes(vec!["a2"]));
        let (world, end) = run(fates);
        let told = failure(end);
        assert_eq!((told.reason.as_str(), told.disposition), (reason::PARTIAL_UPGRADE, Disposition::Stalled));
        assert_eq!(told.agents, ["a1".parse().expect("a name")], "{at}");
        assert_eq!(world.jobs.len(), at + 1, "it was not run again");
    }
}

#[test]
fn d4_a_hotfix_whose_job_died_is_done_or_tried_again_as_the_agents_show() {
    for (changed, jobs) in [(vec!["a1", "a2"], 3), (vec![], 4)] {
        let (world, end) = run(vec![Fate::Succeeds, Fate::Vanishes(changed)]);
        assert_eq!(end, Some(Finish::Succeeded));
        assert_eq!((world.installed.clone(), world.jobs.len()), (installed(), jobs));
    }
}

/// Invariant 5.
#[test]
fn d4_a_crash_at_any_boundary_installs_each_hotfix_once() {
    let (whole, end) = run(Vec::new());
    assert_eq!(end, Some(Finish::Succeeded));
    for boundary in 1..whole.events {
        let mut world = World::new();
        let mut machine = machine_of(&world, plans::hotfixes(), Vec::new());
        assert_eq!(world.drive(&mut machine, Crash::After(boundary)), None, "died at {boundary}");
        let mut again = resumed_of(&world, plans::hotfixes());
        assert_eq!(world.drive(&mut again, Crash::Never), Some(Finish::Succeeded), "resumed at {boundary}");
        assert_eq!(world.installed, installed(), "from {boundary}");
        assert_eq!(world.jobs.len(), 3, "from {boundary}");
    }
}

/// On an Agent that shows a hotfix already: the plan names it as the Agent does.
#[test]
fn d4_the_next_hotfix_starts_from_the_one_that_is_there() {
    let mut world = World::on(HOTFIXES[0], None);
    let mut plan = plans::hotfixes();
    for agent in &mut plan.agents {
        (agent.core, agent.build) = (Some(HOTFIXES[0].to_owned()), None);
    }
    // Staging, saving and the second hotfix with its verification.
    plan.steps.retain(|step| !["1", "2", "5", "6", "7", "8"].contains(&step.id.as_str()));
    let mut machine = machine_of(&world, plan.clone(), Vec::new());
    assert_eq!(world.drive(&mut machine, Crash::Never), Some(Finish::Succeeded));
    assert_eq!(world.installed, installed()[2..]);
    // What is there is not installed again.
    let mut machine = machine_of(&world, plan, Vec::new());
    assert_eq!(world.drive(&mut machine, Crash::Never), Some(Finish::Succeeded));
    assert_eq!(world.installed, installed()[2..]);
}
