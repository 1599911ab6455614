//! `simulate`: the scenarios of the examples, and what faults of a file and of a seed do to Agents.

use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

use dataminer_reconciler_tests::{environment::workspace, program};
use dms_simulator::{AgentReport, RunState, Simulation, SimulationSpec};
use serde_yaml::Value;

fn scenario(name: &str) -> String {
    let path = workspace().join("examples/simulation").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_scenarios_of_the_examples_are_ones_that_the_program_takes() {
    for (name, says) in [
        ("lab.yaml", "2 clusters, 5 Agents, 6 faults\n"),
        ("every-fault.yaml", "1 cluster, 2 Agents, 29 faults\n"),
    ] {
        let path = format!("examples/simulation/{name}");
        let ended = program::run(&["simulate", "--scenario", &path, "--check"], workspace()).expect_status(0);
        assert_eq!(ended.stdout, says, "{name}");
    }
}

/// The names of all variants, as the simulator writes them.
fn variants(source: &str, of: &str) -> BTreeSet<String> {
    let path = workspace().join("reconciler/simulator/src").join(source);
    let text = fs::read_to_string(path).expect("the simulator has it");
    let (_, body) = text.split_once(&format!("pub enum {of} {{\n")).expect("it has the kind");
    let body = body.split("\n}").next().unwrap_or_default();
    let names = body.lines().map(str::trim).filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
    names
        .map(|line| {
            let name: String = line.chars().take_while(|c| c.is_alphanumeric()).collect();
            name[..1].to_ascii_lowercase() + &name[1..]
        })
        .collect()
}

/// A fault that no example shows is one that nobody finds.
#[test]
fn the_examples_show_every_fault_and_every_kind_of_random_ones() {
    let scenario: Value = serde_yaml::from_str(&scenario("every-fault.yaml")).expect("it is YAML");
    let cluster = &scenario["clusters"][0];
    let faults = cluster["faults"].as_sequence().expect("it has faults");
    let shown: BTreeSet<String> = faults
        .iter()
        .map(|entry| match &entry["fault"] {
            Value::String(name) => name.clone(),
            Value::Mapping(fault) => {
                fault.keys().next().and_then(Value::as_str).unwrap_or_default().to_owned()
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(shown, variants("fault.rs", "Fault"));
    let kinds = cluster["randomFaults"]["kinds"].as_sequence().expect("it has kinds");
    let kinds: BTreeSet<String> = kinds.iter().filter_map(|kind| Some(kind.as_str()?.to_owned())).collect();
    assert_eq!(kinds, variants("chaos.rs", "FaultKind"));
}

#[test]
fn a_scenario_that_cannot_be_is_refused_with_its_reason() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lab = scenario("lab.yaml");
    for (from, to, says) in [
        ("agent: bru-dma-01", "agent: nobody", "nobody"),
        ("dropUploadAfter", "lightning", "lightning"),
        ("every: 1200", "every: 0", "randomFaults"),
        ("speed: 60", "speed: 0", "speed"),
    ] {
        let path = folder.path().join("scenario.yaml");
        fs::write(&path, lab.replace(from, to)).expect("it can be written");
        let path = path.to_str().expect("a plain path");
        let ended = program::run(&["simulate", "--scenario", path, "--check"], workspace()).expect_status(1);
        assert!(ended.stderr.contains(says) && ended.stderr.contains("help:"), "{to}: {}", ended.stderr);
    }
}

async fn until(simulation: &Simulation, agent: &str, what: &str, holds: impl Fn(&AgentReport) -> bool) {
    let begun = Instant::now();
    loop {
        let report = simulation.inspect();
        let found =
            report.clusters.iter().flat_map(|cluster| &cluster.agents).find(|found| found.name == agent);
        let found = found.expect("the Agent is simulated");
        if holds(found) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "not {what}: {found:?}");
        simulation.clock().sleep(Duration::from_secs(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_a_file_come_at_their_simulated_times() {
    let text = "speed: 200
clusters:
  - name: brussels
    agents: [ { name: A, id: 1, address: 10.0.0.1, core: 10.5.0 CU12 (build 16889), freeDisk: 1000000000 } ]
    faults:
      - { agent: A, fault: { freeDisk: 5000 } }
      - { agent: A, fault: stopDataMiner, after: 300 }
      - { agent: A, fault: { freeDisk: 7000 }, after: 600 }
      - { agent: A, fault: startDataMiner, after: 900 }
";
    let spec = SimulationSpec::from_yaml(text).expect("it is a scenario");
    let simulation = Simulation::start(spec).await.expect("it starts");
    let first = &simulation.inspect().clusters[0].agents[0];
    assert_eq!(
        (first.free_disk, first.state),
        (5000, RunState::Running),
        "those without a time are there at once"
    );
    until(&simulation, "A", "stopped", |agent| agent.state == RunState::Stopped).await;
    until(&simulation, "A", "of another disk", |agent| agent.free_disk == 7000).await;
    until(&simulation, "A", "running again", |agent| agent.state == RunState::Running).await;
    simulation.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_faults_strike_by_the_seed_and_pass() {
    let text = "speed: 300
seed: 3
clusters:
  - name: brussels
    agents: [ { name: A, id: 1, address: 10.0.0.1, core: 10.5.0 CU12 (build 16889), freeDisk: 1000000000 } ]
    randomFaults: { every: 300, until: 600, kinds: [ diskFull ] }
";
    let spec = SimulationSpec::from_yaml(text).expect("it is a scenario");
    let simulation = Simulation::start(spec).await.expect("it starts");
    until(&simulation, "A", "full", |agent| agent.free_disk == 0).await;
    until(&simulation, "A", "free again", |agent| agent.free_disk == 1_000_000_000).await;
    simulation.shutdown().await;
}
