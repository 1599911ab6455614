//! What is copied, and that nothing is assumed silently.

use dataminer_core::knowledge::Knowledge;
use dataminer_schema::{
    id::ClusterName,
    load::Located,
    quantity::ByteSize,
    v1::{
        catalog::PackageCatalog,
        cluster::{Agent, AgentKind},
        observation::{AgentState, FailoverState, HistoryEntry, Module, TopologyEntry},
    },
};

use super::*;

fn name(text: &str) -> AgentName {
    AgentName::new(text).expect("it is a name")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("it is a time")
}

fn member(text: &str) -> Member {
    Member { name: name(text), host: "10.0.0.1".to_owned(), port: 22, host_keys: Vec::new(), ssh: None }
}

/// An Agent and a pair.
fn cluster(names: [&str; 3]) -> Cluster {
    let core = "10.5.0 CU12".parse().expect("it is a version");
    let agents = vec![
        Agent { member: member(names[0]), kind: AgentKind::Agent, failover: None },
        Agent { member: member(names[1]), kind: AgentKind::Agent, failover: Some(member(names[2])) },
    ];
    Cluster::new(ClusterName::new("brussels").expect("it is a name"), core, agents)
}

/// An Agent of which everything is known that a copy asks for.
fn whole(of: &str, address: &str) -> AgentObservation {
    AgentObservation {
        address: Some(address.to_owned()),
        core: Some("10.3.0.0-14985-20241018-release".to_owned()),
        web_apps: Some("10.4.12".to_owned()),
        state: Some(AgentState::Running),
        broker_gateway: Some(false),
        expired_users: Some(false),
        default_upgrade_options: Some(true),
        pending_reboot: Some(true),
        free_disk: Some(ByteSize(7 << 30)),
        dotnet: Some(vec!["8.0.11".to_owned()]),
        vcredist: Some("v14.40.33816.00".to_owned()),
        os: Some("Windows build 20348".to_owned()),
        locale: Some("de-DE".to_owned()),
        history: Some(vec![HistoryEntry {
            at: at("2024-11-16T22:41:00Z"),
            version: "10.3.0.0-14985-20241018-release".to_owned(),
        }]),
        web_history: Some(vec![HistoryEntry {
            at: at("2025-01-10T10:00:00Z"),
            version: "10.4.12".to_owned(),
        }]),
        backups: Some(vec![Backup {
            at: Some(at("2025-01-10T09:30:00Z")),
            ..Backup::new("WebBackup_20250110_093000.zip")
        }]),
        modules: Some(vec![Module { name: "DataMiner GQI".to_owned(), version: "10.4.12".to_owned() }]),
        ..AgentObservation::new(name(of), true)
    }
}

fn pair(mut agent: AgentObservation, role: FailoverRole, online: bool) -> AgentObservation {
    agent.failover = Some(FailoverState { role, online: Some(online) });
    agent
}

fn observed(agents: Vec<AgentObservation>) -> Observation {
    let entry = |id, address: &str| TopologyEntry { id, address: address.to_owned(), failover: None };
    Observation {
        cluster: ClusterName::new("brussels").expect("it is a name"),
        taken_at: at("2026-11-20T18:00:00Z"),
        topology: Some(vec![entry(101, "10.0.0.11"), entry(103, "10.0.0.13"), entry(103, "10.0.0.14")]),
        agents,
    }
}

fn copied(cluster: &Cluster, observation: &Observation) -> Copied {
    let builds = [("10.3.0.0-14985".to_owned(), "10.3.0 CU20".parse().expect("it is a version"))];
    let told = PackageCatalog { name: "main".to_owned(), packages: Vec::new(), builds: builds.into() };
    let told = Located::unmarked(told, "catalogue.yaml".to_owned());
    let catalog = Catalog::unite(&[told], Knowledge::built_in()).expect("it contradicts nothing");
    let now = at("2026-11-21T00:00:00Z");
    let copied = copy(&Original { cluster, observation, vault: &[], catalog: &catalog, now });
    // Whatever was seen, the simulator takes the copy.
    let spec = dms_simulator::SimulationSpec::new(vec![copied.spec.clone()]);
    spec.check().expect("the simulator takes it");
    copied
}

fn texts(copied: &Copied) -> Vec<&str> {
    copied.assumptions.0.iter().map(|(text, _)| text.as_str()).collect()
}

#[test]
fn what_was_seen_is_copied_and_nothing_is_assumed_beside_it() {
    let cluster = cluster(["a", "b", "c"]);
    let observation = observed(vec![
        whole("a", "10.0.0.11"),
        pair(whole("b", "10.0.0.13"), FailoverRole::Main, false),
        pair(whole("c", "10.0.0.14"), FailoverRole::Backup, true),
    ]);
    let copied = copied(&cluster, &observation);
    assert_eq!(texts(&copied), Vec::<&str>::new());
    assert!(copied.spec.faults.is_empty());
    let [a, b, c] = copied.spec.agents.as_slice() else { panic!("three Agents") };
    assert_eq!((a.id, a.address.to_string().as_str(), a.failover), (101, "10.0.0.11", None));
    assert_eq!((b.id, c.id), (103, 103));
    let online = |agent: &AgentSpec| agent.failover.map(|failover| failover.online);
    assert_eq!((online(b), online(c)), (Some(false), Some(true)));
    assert_eq!(a.core.release_name(), "10.3.0 CU20", "by the build");
    assert_eq!(a.core_entry.as_deref(), Some("10.3.0.0-14985-20241018-release"));
    assert_eq!(
        a.web.as_ref().map(dataminer_schema::version::Version::release_name).as_deref(),
        Some("10.4.12")
    );
    assert_eq!(a.installed_at, Some(at("2024-11-16T22:41:00Z")));
    assert!(a.pending_reboot && a.default_upgrade_options && !a.expired_users);
    assert_eq!((a.free_disk, a.os_build, a.dotnet.len()), (7 << 30, 20348, 1));
    assert_eq!(a.language, dms_simulator::Language::German);
    let traces: Vec<&str> = a.traces.iter().flatten().map(|trace| trace.file.as_str()).collect();
    assert_eq!(traces.len(), 2, "{traces:?}");
    assert!(traces[0].contains("10.3.0.0(CU20)-14985 Full") && traces[1].contains("10.4.12.0"), "{traces:?}");
    let [backup] = a.backups.as_slice() else { panic!("one backup") };
    assert_eq!(backup.content.release_name(), "10.3.0 CU20", "taken by what ran until then");
    assert_eq!(backup.file.as_deref(), Some("WebBackup_20250110_093000.zip"));
}

#[test]
fn what_was_not_seen_is_assumed_by_name() {
    let cluster = cluster(["a", "b", "c"]);
    let mut bare = AgentObservation::new(name("a"), true);
    bare.core = Some("10.3.0.0-14985-20241018-release".to_owned());
    let mut gone = AgentObservation::new(name("b"), false);
    gone.reason = Some("no answer".to_owned());
    let copied = copied(&cluster, &Observation { topology: None, ..observed(vec![bare, gone]) });
    let texts = texts(&copied);
    for part in [
        "DataMiner ID",
        "address",
        "half a year ago",
        "web apps",
        "free disk",
        "ASP.NET Core",
        "Visual C++",
        "Windows was",
        "restart",
        "BrokerGateway",
        "expired users",
        "DefaultUpgradeOptions",
        "modules",
        "whether it runs",
        "online",
    ] {
        assert!(texts.iter().any(|text| text.contains(part)), "{part}: {texts:?}");
    }
    let silent: Vec<&str> = copied.spec.faults.iter().map(|fault| fault.agent.as_str()).collect();
    assert_eq!(silent, ["b", "c"], "who did not answer does not answer");
    let (_, about) =
        copied.assumptions.0.iter().find(|(text, _)| text.contains("half a year")).expect("it is there");
    assert_eq!(about.len(), 3, "one line for all of them");
    assert_eq!(copied.spec.agents[2].core.release_name(), "10.3.0 CU20", "as the others");
}

#[test]
fn an_unknown_build_is_rehearsed_as_the_oldest_that_it_can_be_and_told() {
    let cluster = cluster(["a", "b", "c"]);
    let mut odd = whole("a", "10.0.0.11");
    odd.core = Some("10.5.0.0-16500-20251201-release".to_owned());
    let copied = copied(&cluster, &observed(vec![odd]));
    assert!(
        texts(&copied).iter().any(|text| text.contains("16500") && text.contains("rehearsed as")),
        "{:?}",
        texts(&copied)
    );
    assert_eq!(
        copied.spec.agents[0].core_entry.as_deref(),
        Some("10.5.0.0-16500-20251201-release"),
        "verbatim"
    );
}

/// Agents say what they like.
#[test]
fn hostile_texts_and_names_become_no_other_file_and_no_second_server() {
    let long = format!("{}x", "very-long-name-".repeat(4));
    let cluster = cluster([&long, "A.b_c", "agent-1"]);
    let mut hostile = whole(&long, "10.0.0.11");
    hostile.core = Some("10.5.0.0-1\r\nevil;x".to_owned());
    hostile.history = Some(vec![HistoryEntry { at: at("2024-01-01T00:00:00Z"), version: "x;\n".to_owned() }]);
    hostile.backups = Some(
        ["..\\..\\evil.zip", "a|b.zip", "con\u{7}.zip"]
            .map(|file| Backup {
                at: Some(at("2025-01-10T09:30:00Z")),
                content: Some("10.3.0 CU20".to_owned()),
                ..Backup::new(file)
            })
            .to_vec(),
    );
    hostile.modules = Some(vec![Module { name: "DataMiner\n".to_owned(), version: "1".to_owned() }]);
    hostile.address = Some("no address".to_owned());
    let copied = copied(&cluster, &observed(vec![hostile]));
    let servers: BTreeSet<&str> = copied.names.iter().map(|(_, server)| server.as_str()).collect();
    assert_eq!(servers.len(), 3, "{servers:?}");
    let agent = &copied.spec.agents[0];
    assert!(agent.core_entry.is_none() && agent.history.is_empty());
    assert!(agent.backups.iter().all(|backup| backup.file.is_none()));
    assert_eq!(agent.modules.as_deref(), Some(&[][..]));
}

#[test]
fn times_ahead_of_the_clock_are_moved_back_together() {
    let cluster = cluster(["a", "b", "c"]);
    let mut observation = observed(vec![whole("a", "10.0.0.11")]);
    observation.taken_at = at("2026-11-22T00:00:00Z");
    let copied = copied(&cluster, &observation);
    assert!(texts(&copied).iter().any(|text| text.contains("moved back")));
    assert_eq!(copied.spec.agents[0].installed_at, Some(at("2024-11-15T22:40:00Z")));
    assert_eq!(copied.spec.agents[0].backups[0].at, at("2025-01-09T09:29:00Z"));
}

#[test]
fn owed_work_cannot_be_copied() {
    let cluster = cluster(["a", "b", "c"]);
    let mut agent = whole("a", "10.0.0.11");
    agent.owed = Some(vec![dataminer_schema::v1::observation::OwedWork {
        id: None,
        action: dataminer_schema::plan::Action::RestoreContent,
        backup: None,
        module: None,
    }]);
    let copied = copied(&cluster, &observed(vec![agent]));
    assert!(copied.problem.is_some_and(|problem| problem.contains("owed on a")));
}
