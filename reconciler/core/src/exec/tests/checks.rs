//! The checks of a package before anything is changed (S1).

use dataminer_schema::plan::PackagePatch;

use super::{
    super::{
        checks::{CheckFinding, Checked, Verdict},
        effect::{Disposition, EffectKind, JobEnd, Outcome, Refusal},
        finish::{Finish, reason},
        journal::Record,
        policy::{ExecPolicy, Scope},
    },
    failure,
    plans::checked_upgrade,
    world::{Crash, MIDDLE, OLD, World, agent, lost, machine_of, resumed_of},
};

fn found(check: &str, name: &str, verdict: Verdict) -> CheckFinding {
    CheckFinding { agent: agent(name), check: check.to_owned(), verdict, message: format!("{check} says so") }
}

fn checked(findings: Vec<CheckFinding>) -> Outcome {
    Outcome::Checked(Checked { passed: 1, findings })
}

fn run(world: &mut World) -> Option<Finish> {
    let mut machine = machine_of(world, checked_upgrade(), Vec::new());
    world.drive(&mut machine, Crash::Never)
}

#[test]
fn s1_checks_run_on_every_agent_before_the_hop() {
    let mut world = World::new();
    assert_eq!(run(&mut world), Some(Finish::Succeeded));
    assert!(world.done[1].starts_with("check ") && world.done[2] == "save", "{:?}", world.done);
    assert_eq!(world.cores(), [MIDDLE, MIDDLE]);
}

#[test]
fn s1_a_failed_check_stops_by_name_before_anything_was_changed() {
    let mut world = World::new();
    let unknown = found("VerifyOSVersion.dll", "a1", Verdict::Unknown);
    let failed = |name| found("VerifyClusterPorts.dll", name, Verdict::Failed);
    world.checks = vec![checked(vec![unknown, failed("a1"), failed("a2")])];
    let failure = failure(run(&mut world));
    assert_eq!(failure.reason, reason::PREREQUISITE_FAILED);
    assert_eq!(failure.disposition, Disposition::Stalled);
    assert_eq!(failure.agents, [agent("a1"), agent("a2")]);
    let told = "Prerequisite VerifyClusterPorts.dll failed on a1, a2: VerifyClusterPorts.dll says so";
    assert!(failure.message.contains(told), "{}", failure.message);
    assert!(!failure.message.contains("VerifyOSVersion"), "{}", failure.message);
    assert!(failure.help.contains("run VerifyClusterPorts.dmupgrade"), "the known cure: {}", failure.help);
    assert_eq!(world.cores(), [OLD, OLD]);
    assert!(world.ran.is_empty() && !world.done.iter().any(|done| done == "save"), "{:?}", world.done);
}

/// G2, H4: what the plan leaves out and what the copy lacks is not run.
#[test]
fn s1_checks_that_are_left_out_are_named() {
    let mut world = World::new();
    let mut plan = checked_upgrade();
    let removes = r"Update.zip\Prerequisites\VerifyNatsIsRunning.dll".to_owned();
    plan.steps[1].patch = Some(PackagePatch { removes, sha256: None });
    plan.steps[1].without = vec!["VerifyX.dll".to_owned()];
    let mut machine = machine_of(&world, plan, Vec::new());
    assert_eq!(world.drive(&mut machine, Crash::Never), Some(Finish::Succeeded));
    let run = world.journal.iter().find_map(|entry| match &entry.record {
        Record::Intent { effect, .. } => match &effect.kind {
            EffectKind::RunPrerequisites(run) => Some(run.without.clone()),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(run, Some(vec!["VerifyX.dll".to_owned(), "VerifyNatsIsRunning.dll".to_owned()]));
}

/// Neither a success nor a failure by guess: the package runs its checks itself.
#[test]
fn s1_what_is_not_known_of_a_check_stops_nothing() {
    let mut world = World::new();
    let findings = [Verdict::Unknown, Verdict::Warned].map(|verdict| found("VerifyX.dll", "a2", verdict));
    world.checks = vec![checked(findings.to_vec())];
    assert_eq!(run(&mut world), Some(Finish::Succeeded));
}

#[test]
fn checks_that_died_run_again_under_another_id() {
    let mut world = World::new();
    let refused = || Outcome::JobEnded(JobEnd::Refused { reason: Refusal::Lock });
    world.checks = vec![Outcome::JobEnded(JobEnd::Vanished), refused()];
    assert_eq!(run(&mut world), Some(Finish::Succeeded));
    let asked: Vec<&String> = world.done.iter().filter(|done| done.starts_with("check ")).collect();
    let ids: Vec<&str> = asked.iter().filter_map(|id| id.rsplit('-').next()).collect();
    assert_eq!(ids, ["1", "2", "3"]);

    // Whatever kills them: nothing is known, and nothing is stopped.
    let mut world = World::new();
    world.checks = vec![Outcome::JobEnded(JobEnd::Vanished); 3];
    assert_eq!(run(&mut world), Some(Finish::Succeeded));
}

#[test]
fn checks_that_never_end_or_never_begin_end_the_operation() {
    let timed_out = || Outcome::JobEnded(JobEnd::TimedOut { log_tail: Vec::new() });
    let refused = |reason| Outcome::JobEnded(JobEnd::Refused { reason });
    for (checks, reason, disposition) in [
        (vec![timed_out()], reason::OPERATION_IN_PROGRESS, Disposition::Retry),
        (vec![refused(Refusal::Lock); 3], reason::OPERATION_IN_PROGRESS, Disposition::Retry),
        (vec![refused(Refusal::Generation); 3], reason::MANAGED_ELSEWHERE, Disposition::Stalled),
    ] {
        let mut world = World::new();
        world.checks = checks;
        let failure = failure(run(&mut world));
        assert_eq!((failure.reason.as_str(), failure.disposition), (reason, disposition));
        assert_eq!(world.cores(), [OLD, OLD]);
    }
}

#[test]
fn a_lost_connection_is_waited_for_under_the_same_id() {
    let mut world = World::new();
    world.checks = vec![Outcome::Failed(lost())];
    assert_eq!(run(&mut world), Some(Finish::Succeeded));
    assert_eq!(world.checked.len(), 1, "{:?}", world.checked);
}

/// Invariant 5.
#[test]
fn a_crash_at_any_boundary_of_checks_changes_nothing_and_repeats_no_check() {
    let mut whole = World::new();
    whole.checks = vec![Outcome::JobEnded(JobEnd::Vanished)];
    assert_eq!(run(&mut whole), Some(Finish::Succeeded));
    for boundary in 1..whole.events {
        let mut world = World::new();
        world.checks = vec![Outcome::JobEnded(JobEnd::Vanished)];
        let mut machine = machine_of(&world, checked_upgrade(), Vec::new());
        assert_eq!(world.drive(&mut machine, Crash::After(boundary)), None, "died at {boundary}");
        let mut again = resumed_of(&world, checked_upgrade());
        assert_eq!(world.drive(&mut again, Crash::Never), Some(Finish::Succeeded), "resumed at {boundary}");
        assert_eq!(world.agents, whole.agents, "the same end from {boundary}");
        assert_eq!(world.installed, ["10.5.12.dmupgrade"], "from {boundary}");
        let ids: Vec<&String> = world.checked.keys().collect();
        assert_eq!(ids.len(), 2, "each id once, and none but the two, from {boundary}: {ids:?}");
    }
}

/// A failed check is known again after a crash, without running it again.
#[test]
fn a_crash_behind_a_failed_check_still_stops() {
    let findings = || vec![checked(vec![found("VerifyClusterPorts.dll", "a1", Verdict::Failed)])];
    let mut whole = World::new();
    whole.checks = findings();
    let expected = failure(run(&mut whole));
    for boundary in 1..whole.events {
        let mut world = World::new();
        world.checks = findings();
        let mut machine = machine_of(&world, checked_upgrade(), Vec::new());
        assert_eq!(world.drive(&mut machine, Crash::After(boundary)), None, "died at {boundary}");
        let end = world.drive(&mut resumed_of(&world, checked_upgrade()), Crash::Never);
        assert_eq!(failure(end), expected, "from {boundary}");
        assert_eq!(world.checked.len(), 1, "from {boundary}");
    }
}

#[test]
fn s1_checks_belong_to_what_is_prepared_while_a_plan_waits() {
    let mut world = World::new();
    let plan = checked_upgrade();
    let mut policy = ExecPolicy::for_plan(&plan);
    policy.scope = Scope::Preparation;
    let mut machine = machine_of(&world, plan, Vec::new());
    machine.policy = policy;
    assert_eq!(world.drive(&mut machine, Crash::Never), Some(Finish::Succeeded));
    assert_eq!(world.checked.len(), 1);
    assert_eq!(world.cores(), [OLD, OLD]);
}
