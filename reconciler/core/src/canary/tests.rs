use dataminer_schema::{
    id::{PlanId, Sha256},
    plan::{BlockCode, PlanResult},
    status::{CanaryStatus, FailureStatus},
    v1::cluster::RunAs,
};
use jiff::Timestamp;

use super::*;
use crate::{
    knowledge::Knowledge,
    lint::lint,
    plan::{PlanInput, Proof, plan_canary},
    testing::{Scenario, codes, name},
    tool::Tool,
};

fn canary_of(scenario: &Scenario) -> Plan {
    let (desired, catalog, knowledge) = (scenario.desired(), scenario.catalog(), Knowledge::default());
    let plan = plan_canary(&PlanInput {
        desired: &desired,
        observation: scenario.observation.as_ref(),
        catalog: &catalog,
        knowledge: &knowledge,
        vault: &[],
        state: &scenario.state,
        now: scenario.now,
        mode: scenario.mode,
    });
    assert_eq!(lint(&plan), []);
    plan
}

fn ran(scenario: &Scenario) -> CanaryStatus {
    CanaryStatus {
        at: Timestamp::UNIX_EPOCH,
        package: "VerifyClusterPorts.dmupgrade".to_owned(),
        sha256: Sha256::of(b"package"),
        run_as: account(&scenario.cluster),
        agents: met(&scenario.cluster, scenario.observation.as_ref()),
        plan: PlanId::from_sha256(&Sha256::of(b"plan")),
        job: None,
        failure: None,
    }
}

fn read<'a>(last: &'a CanaryStatus, scenario: &Scenario) -> Canary<'a> {
    Canary::of(Some(last), &scenario.cluster, scenario.observation.as_ref())
}

fn four() -> Scenario {
    let old = "10.2.0 CU4";
    Scenario::new(old, "10.3.0 CU12").seen(&[("a1", old), ("a2", old), ("a3", old)])
}

#[test]
fn s10_a_canary_stages_and_runs_a_tool_that_changes_nothing_on_all_agents() {
    let plan = canary_of(&four());
    assert_eq!(plan.result, PlanResult::Ready);
    assert!(is_canary(&plan));
    let packages: Vec<_> = plan.steps.iter().map(|step| (step.action, step.package.as_deref())).collect();
    let ports = Some("VerifyClusterPorts.dmupgrade");
    assert_eq!(packages, [(Action::StagePackage, ports), (Action::RunTool, ports)]);
    assert_eq!(plan.steps[0].agents, [name("a1")]);
    assert_eq!(plan.steps[1].agents, [name("a1"), name("a2"), name("a3")]);
    assert!(!is_canary(&four().plan()), "an upgrade is none");
    assert_eq!(plan, canary_of(&four()), "the same run has the same id");
}

#[test]
fn s10_the_package_fits_the_number_of_agents() {
    let old = "10.2.0 CU4";
    let one = || Scenario::new(old, "10.3.0 CU12").seen(&[("a1", old)]);
    let used = |plan: &Plan| plan.steps.last().and_then(|step| step.package.clone()).unwrap_or_default();
    assert_eq!(used(&canary_of(&one())), "VerifyGRPCConnection.dmupgrade");
    assert_eq!(codes(&canary_of(&one().without(Tool::VerifyGrpcConnection))), [BlockCode::NoPackage]);
    let pair = Scenario::new(old, "10.3.0 CU12").pair("a1", "a2");
    assert_eq!(used(&canary_of(&pair)), "VerifyGRPCConnection.dmupgrade");
    assert_eq!(used(&canary_of(&pair.without(Tool::VerifyGrpcConnection))), "VerifyClusterPorts.dmupgrade");
}

#[test]
fn s10_a_canary_waits_for_agents_that_are_away_differ_or_owe_work() {
    let away = four().agent("a2", |agent| agent.reachable = false);
    assert_eq!(codes(&canary_of(&away)), [BlockCode::AgentUnreachable]);
    let mixed = four().agent("a2", |agent| agent.core = Some("10.3.0 CU12".to_owned()));
    assert_eq!(codes(&canary_of(&mixed)), [BlockCode::MixedCluster]);
    let owing = four().owed("a3", &crate::testing::owed_module("x", "DataMiner GQI"));
    assert_eq!(codes(&canary_of(&owing)), [BlockCode::OperationInProgress]);
}

#[test]
fn s10_a_proof_holds_for_its_account_utilities_and_agents() {
    let scenario = four().each(|agent| agent.taskbar_utility = Some("10.2.0.1".to_owned()));
    let last = ran(&scenario);
    assert_eq!(read(&last, &scenario), Canary::Passed(&last));
    assert_eq!(read(&last, &scenario).proof(), Proof::Proven);
    assert_eq!(Canary::of(None, &scenario.cluster, None).proof(), Proof::Missing);

    // Another utility on any of them.
    let newer = four()
        .each(|agent| agent.taskbar_utility = Some("10.2.0.1".to_owned()))
        .agent("a3", |agent| agent.taskbar_utility = Some("10.3.0.7".to_owned()));
    let standing = read(&last, &newer);
    assert_eq!((standing.reason(), standing.proof()), ("ProofExpired", Proof::Missing));
    assert!(standing.message().contains("a3 is 10.3.0.7 by now"), "{}", standing.message());

    // Another account.
    let mut other = four().each(|agent| agent.taskbar_utility = Some("10.2.0.1".to_owned()));
    other.cluster.upgrade.run_as = RunAs::System;
    assert!(read(&last, &other).message().contains("local system account by now"));

    // An Agent more.
    let old = "10.2.0 CU4";
    let grown = Scenario::new(old, "10.3.0 CU12").seen(&[("a1", old), ("a2", old), ("a3", old), ("a4", old)]);
    assert_eq!(read(&last, &grown).reason(), "ProofExpired");

    // One that is away says nothing; one fewer changes nothing.
    let away = four().agent("a2", |agent| agent.reachable = false);
    assert_eq!(read(&last, &away).reason(), "CanaryPassed");
    let fewer = Scenario::new(old, "10.3.0 CU12").seen(&[("a1", old), ("a2", old)]);
    assert_eq!(read(&last, &fewer).reason(), "CanaryPassed");
}

#[test]
fn s10_without_the_version_of_the_utility_a_proof_holds_for_the_core_that_brought_it() {
    let last = ran(&four());
    assert_eq!(read(&last, &four()).reason(), "CanaryPassed");
    let upgraded = four().each(|agent| agent.core = Some("10.3.0 CU12".to_owned()));
    assert_eq!(read(&last, &upgraded).reason(), "ProofExpired");
    // With it the core says nothing.
    let known = |scenario: Scenario| scenario.each(|agent| agent.taskbar_utility = Some("1.0".to_owned()));
    let last = ran(&known(four()));
    assert_eq!(read(&last, &known(upgraded)).reason(), "CanaryPassed");
}

#[test]
fn s10_a_failed_canary_is_no_proof_and_says_why() {
    let scenario = four();
    let failure = FailureStatus {
        reason: "ToolFailed".to_owned(),
        message: "it ended with code 1".to_owned(),
        help: "look".to_owned(),
        agents: Vec::new(),
        tried_again: false,
    };
    let last = CanaryStatus { failure: Some(failure.clone()), ..ran(&scenario) };
    let standing = read(&last, &scenario);
    assert_eq!(standing, Canary::Failed(&last, &failure));
    assert_eq!((standing.reason(), standing.proof()), ("CanaryFailed", Proof::Missing));
    assert!(standing.message().contains("ended with code 1"), "{}", standing.message());
}
