//! Observations: written, read back, and refused where they are not exactly that.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::{collection::vec, option::of, prelude::*, sample::select};

use crate::load::*;
use crate::{
    id::{AgentName, ClusterName, Sha256},
    plan::Action,
    quantity::ByteSize,
    v1::observation::{
        AgentObservation, AgentState, Backup, FailoverRole, FailoverState, HistoryEntry, Module,
        ObservedOperation, OperationState, OwedWork, TopologyEntry, WebEvidence,
    },
};

fn read(text: &str) -> (Vec<Observation>, Vec<Diagnostic>) {
    load_observations(&[SourceFile { path: "o.yaml".to_owned(), bytes: text.as_bytes().to_vec() }])
}

fn agent(name: &str, reachable: bool) -> AgentObservation {
    AgentObservation::new(AgentName::new(name).expect("a test names Agents rightly"), reachable)
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a test writes times rightly")
}

fn sample() -> Observation {
    let history =
        |at_text: &str, version: &str| HistoryEntry { at: at(at_text), version: version.to_owned() };
    let mut first = agent("bru-dma-01", true);
    first.address = Some("10.0.0.11".to_owned());
    first.core = Some("10.5.0.0-16500-20251120-release".to_owned());
    first.web_apps = Some("10.5.12".to_owned());
    first.web_evidence = Some(WebEvidence::PackageFolder);
    first.state = Some(AgentState::Running);
    first.failover = Some(FailoverState { role: FailoverRole::Main, online: None });
    first.broker_gateway = Some(false);
    first.free_disk = Some(ByteSize(120 << 30));
    first.dotnet = Some(vec!["8.0.11".to_owned(), "10.0".to_owned()]);
    first.history = Some(vec![history("2025-11-22T23:10:00Z", "10.5.0.0-16500-20251120-release")]);
    first.backups = Some(vec![Backup {
        at: Some(at("2025-11-22T22:41:00.5Z")),
        sha256: Some(Sha256::of(b"a")),
        size: Some(5),
        vault: true,
        ..Backup::new("a.zip")
    }]);
    first.owed = Some(vec![OwedWork {
        id: None,
        action: Action::RestoreContent,
        backup: Some(Sha256::of(b"a")),
        module: None,
    }]);
    first.operation =
        Some(ObservedOperation { id: None, action: None, state: OperationState::Unknown, owner: None });
    first.unknown = BTreeMap::from([("os".to_owned(), "no: \"access\"\nat all".to_owned())]);
    let mut second = agent("bru-dma-02", false);
    second.reason = Some("connection refused".to_owned());
    second.since = Some(at("2026-11-21T01:00:00Z"));
    Observation {
        cluster: ClusterName::new("brussels").expect("a test names clusters rightly"),
        taken_at: at("2026-11-21T02:00:00Z"),
        topology: Some(vec![TopologyEntry {
            id: 101,
            address: "10.0.0.11".to_owned(),
            failover: Some(FailoverRole::Main),
        }]),
        agents: vec![first, second],
    }
}

#[test]
fn an_observation_is_written_for_people_and_read_back() {
    let observation = sample();
    let text = observation_to_yaml(&observation);
    let (back, found) = read(&text);
    assert_eq!(found, [], "{text}");
    assert_eq!(back, [observation]);
    insta::assert_snapshot!(text);
}

/// Found by writing observations with any text: the writer folds lines at characters that the reader leaves alone.
#[test]
fn line_separators_of_unicode_are_read_back() {
    for text in ["\u{2028}", "a\u{85}b", "\u{2029} ", "\u{2028}\n\"\\", "\u{2028}\u{7f}\u{feff}\u{ffff}"] {
        let mut observation = sample();
        observation.agents[0].reason = Some(text.to_owned());
        let (back, found) = read(&observation_to_yaml(&observation));
        assert_eq!((back, found), (vec![observation], vec![]), "{text:?}");
    }
}

#[test]
fn unknown_is_absent_and_never_null_nor_a_default() {
    let text = "apiVersion: dataminer.gitops/v1\nkind: Observation\nmetadata: { name: brussels }\nspec:\n  takenAt: 2026-11-21T02:00:00Z\n  agents: [{ name: a, reachable: true }]\n";
    let (observations, found) = read(text);
    assert_eq!(found, []);
    assert_eq!(observations[0].agents, [agent("a", true)]);
    assert_eq!(observations[0].topology, None);
    for (change, code) in [
        ("reachable: true, core: null", Code::NullValue),
        ("reachable: true, core: ~", Code::NullValue),
        ("reachable: true, core:", Code::NullValue),
        ("reachable: true, coer: 10.5.0 CU9", Code::UnknownField),
        ("reachable: true, core: 10.5", Code::WrongType),
        ("reachable: true, state: running", Code::UnknownValue),
        ("reachable: true, webEvidence: Guess", Code::UnknownValue),
        ("reachable: true, freeDisk: 5", Code::WrongType),
        ("reachable: true, freeDisk: 5G", Code::BadQuantity),
        ("reachable: true, since: yesterday", Code::BadTime),
        ("reachable: yes", Code::WrongType),
        ("core: 10.5.0 CU9", Code::MissingField),
    ] {
        let (observations, found) = read(&text.replace("reachable: true", change));
        let codes: Vec<Code> = found.iter().map(|found| found.code).collect();
        assert_eq!((codes, observations.len()), (vec![code], 0), "{change}");
    }
    let twice = format!("{text}---\n{text}");
    assert_eq!(read(&twice).1[0].code, Code::DuplicateObservation);
    assert_eq!(read(&text.replace("kind: Observation", "kind: Cluster")).1[0].code, Code::KindNotHere);
}

/// Texts that YAML would like to read as something else, and any other.
#[test]
fn an_agent_that_an_observation_holds_twice_is_an_error() {
    let twice = Observation { agents: vec![agent("a1", true), agent("A1", false)], ..sample() };
    let (read, found) = read(&observation_to_yaml(&twice));
    assert!(read.is_empty());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].code, Code::DuplicateAgentName);
    assert!(found[0].help.as_deref().is_some_and(|help| help.contains("line")), "{found:?}");
}

fn texts() -> impl Strategy<Value = String> {
    let odd = select(vec![
        "",
        " ",
        "~",
        "null",
        "no",
        "true",
        "10.5",
        "10.10",
        "1e3",
        "0x1F",
        "0o17",
        "017",
        "+3",
        ".5",
        ".inf",
        "-",
        "- a",
        "a: b",
        "a #b",
        "#a",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "%",
        "@a",
        "`a",
        "'",
        "\"",
        "{",
        "[",
        "?",
        "a\nb",
        "a\n",
        "\ta",
        "a\\b",
        "=",
        "<<",
        "2026-12-20",
        "12:30:45",
        "---",
        "...",
        "é\u{1f600}",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\u{7f}",
        "y",
        "NaN",
    ]);
    prop_oneof![odd.prop_map(str::to_owned), "\\PC{0,40}", "[ -~\\n\\t]{0,40}"]
}

fn times() -> impl Strategy<Value = Timestamp> {
    (0_i64..4_000_000_000, 0_i32..1_000).prop_map(|(seconds, millis)| {
        Timestamp::new(seconds, millis * 1_000_000).expect("seconds of this range are a time")
    })
}

fn agents() -> impl Strategy<Value = AgentObservation> {
    let names = "[A-Za-z0-9]([A-Za-z0-9._-]{0,10}[A-Za-z0-9])?";
    let history = vec((times(), texts()).prop_map(|(at, version)| HistoryEntry { at, version }), 0..3);
    let modules = vec((texts(), texts()).prop_map(|(name, version)| Module { name, version }), 0..3);
    let unknown = proptest::collection::btree_map(
        texts().prop_filter("no field of that name", |key| key != "<<"),
        texts(),
        0..3,
    );
    (
        names,
        any::<bool>(),
        of(texts()),
        of(texts()),
        of(any::<u64>()),
        of(vec(texts(), 0..3)),
        of(history),
        of(modules),
        unknown,
    )
        .prop_map(|(name, reachable, core, reason, disk, dotnet, history, modules, unknown)| {
            let mut observed = agent(&name, reachable);
            observed.core = core;
            observed.reason = reason;
            observed.free_disk = disk.map(ByteSize);
            observed.dotnet = dotnet;
            observed.history = history;
            observed.modules = modules;
            observed.unknown = unknown;
            observed
        })
}

proptest! {
    /// Secrets are the one thing that is not read back: none of the texts above looks like one.
    #[test]
    fn whatever_is_written_is_read_back(agents in vec(agents(), 0..3), taken_at in times()) {
        let mut agents = agents;
        let mut names = std::collections::BTreeSet::new();
        agents.retain(|agent| names.insert(agent.name.as_str().to_lowercase()));
        let observation = Observation { agents, taken_at, ..sample() };
        let text = observation_to_yaml(&observation);
        let (back, found) = read(&text);
        prop_assert_eq!(found, [], "{}", text);
        prop_assert_eq!(back, [observation], "{}", text);
    }
}
