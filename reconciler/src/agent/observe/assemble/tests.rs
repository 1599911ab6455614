//! What follows from facts, without any Agent.

use dataminer_schema::{
    id::{ClusterName, JobId, Sha256},
    v1::{
        cluster::{Agent, AgentKind, Cluster, Member},
        observation::FailoverRole,
    },
};
use jiff::tz::TimeZone;

use super::*;
use crate::agent::{
    probe::{history::LocalEntry, processes::Processes},
    render::JobRecord,
};

const FULL: &str = "DataMiner 10.5.0.0(CU12)-16889 Full Upgrade.dmupgrade";
const WEB: &str = "DataMiner 10.5.12.0-16920 Web Upgrade.dmupgrade";

fn name(text: &str) -> AgentName {
    AgentName::new(text).expect("a name")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn processes(images: &[&str]) -> Known<Processes> {
    let lines: Vec<String> = images.iter().map(|image| format!("\"{image}\",\"1\"")).collect();
    Ok(Processes::parse(&lines).expect("processes"))
}

fn facts(agent: &str, address: &str) -> Facts {
    let entry =
        |at: &str, version: &str| LocalEntry { at: at.parse().expect("a time"), version: version.to_owned() };
    Facts {
        name: name(agent),
        topology: Ok(vec![
            TopologyEntry { id: 101, address: "10.0.0.11".to_owned(), failover: None },
            TopologyEntry { id: 102, address: "10.0.0.12".to_owned(), failover: None },
        ]),
        history: Ok(vec![
            entry("2025-01-01T00:00:00", "10.4.0.0-14772-20240821-release"),
            entry("2026-03-01T00:00:00", "10.5.0.0-16889-20260201-release"),
        ]),
        zone: Ok(TimeZone::UTC),
        processes: processes(&["SLNet.exe", "SLDataMiner.exe", "SLElement.exe"]),
        addresses: vec![address.to_owned()],
        computer: Some(agent.to_ascii_uppercase()),
        dms: None,
        broker_gateway: Ok(false),
        default_upgrade_options: Ok(false),
        expired_users: Ok(false),
        pending_reboot: Ok(false),
        free_disk: Ok(1 << 40),
        dotnet: Ok(Vec::new()),
        vcredist: Ok(None),
        os: Ok("Windows build 17763".to_owned()),
        modules: Ok(Vec::new()),
        backups: Ok(Vec::new()),
        owed: Ok(Vec::new()),
        utility: Ok("10.5.0.1".to_owned()),
        lock_held: Ok(false),
        jobs: Ok(Vec::new()),
        packages: Ok(Vec::new()),
        owner: Ok(None),
    }
}

fn job(id: &str, action: Action, file: &str, to: &str, exit: Option<(i64, &str)>) -> JobFacts {
    JobFacts {
        record: JobRecord {
            id: JobId::new(id).expect("a job id"),
            installation: "prod".to_owned(),
            cluster: "c".to_owned(),
            generation: 1,
            action,
            file: Some(file.to_owned()),
            patch: None,
            sha256: Some(Sha256::of(b"")),
            to: Some(to.to_owned()),
            module: None,
            agents: vec![name("a"), name("b")],
        },
        started: Some(at("2026-03-02T00:00:00Z")),
        exit: exit.map(|(code, time)| (code, Some(at(time)))),
        refused: false,
    }
}

fn package(file: &str, end: End, modified: &str) -> PackageFacts {
    PackageFacts { file: file.to_owned(), end, newest: None, modified: Some(at(modified)) }
}

fn member(agent: &str) -> Member {
    Member { name: name(agent), host: format!("{agent}.example"), port: 22, host_keys: Vec::new(), ssh: None }
}

fn agent(name: &str) -> Agent {
    Agent { member: member(name), kind: AgentKind::Agent, failover: None }
}

fn links(pair: bool) -> Vec<Arc<Link>> {
    let agents = if pair {
        vec![Agent { failover: Some(member("b")), ..agent("a") }]
    } else {
        vec![agent("a"), agent("b")]
    };
    let core = "10.5.0 CU12".parse().expect("a version");
    let cluster = Cluster::new(cluster_name(), core, agents);
    Link::all(&cluster).into_iter().map(Arc::new).collect()
}

fn cluster_name() -> ClusterName {
    ClusterName::new("c").expect("a name")
}

/// `doctor` looks only at Agents that nothing is wrong with, and there may be none.
#[test]
fn a_look_at_no_agent_is_an_observation_of_none() {
    let seen = assemble(&cluster_name(), &[], at("2026-03-02T01:00:00Z"), "prod", Vec::new(), Vec::new());
    assert_eq!((seen.cluster, seen.agents), (cluster_name(), Vec::new()));
}

fn observe(facts: Vec<Facts>) -> Vec<AgentObservation> {
    assemble(&cluster_name(), &links(false), at("2026-03-02T01:00:00Z"), "prod", facts, Vec::new()).agents
}

fn level(facts: &Facts, jobs: &[JobFacts]) -> Known<(String, WebEvidence)> {
    web_level(facts, &jobs.iter().collect::<Vec<_>>())
}

#[test]
fn a_full_upgrade_of_ours_brings_its_own_web_apps() {
    let done = job("j1", Action::UpgradeCore, FULL, "10.5.0 CU12", Some((0, "2026-03-01T00:10:00Z")));
    assert_eq!(
        level(&facts("a", ""), std::slice::from_ref(&done)),
        Ok(("10.5.0 CU12".to_owned(), WebEvidence::OwnJob))
    );
    let mut failed = done.clone();
    failed.exit = Some((1, failed.exit.and_then(|(_, at)| at)));
    assert!(level(&facts("a", ""), &[failed]).is_err());
    let mut other = facts("a", "");
    other.history.as_mut().expect("a history")[1].version = "10.5.0.0-17000-20260301-release".to_owned();
    assert!(level(&other, &[done]).is_err(), "somebody installed another build after us");
}

/// After a downgrade the level is the lower one, whatever ran before.
#[test]
fn packages_of_a_lower_level_count_like_those_of_a_higher() {
    let core = job("j1", Action::DowngradeCore, FULL, "10.5.0 CU12", Some((0, "2026-03-01T00:10:00Z")));
    let web = job("j2", Action::DowngradeWeb, WEB, "10.5.12", Some((0, "2026-03-01T02:00:00Z")));
    let higher = job("j3", Action::UpgradeWeb, "x.dmupgrade", "10.6.2", Some((0, "2026-03-01T01:00:00Z")));
    let own = WebEvidence::OwnJob;
    assert_eq!(level(&facts("a", ""), std::slice::from_ref(&core)), Ok(("10.5.0 CU12".to_owned(), own)));
    assert_eq!(level(&facts("a", ""), &[core, web.clone(), higher]), Ok(("10.5.12".to_owned(), own)));
    let history = web_history(&facts("a", ""), &[&web]).expect("the packages were listed");
    assert_eq!(history.last().map(|entry| entry.version.as_str()), Some("10.5.12"));
}

/// Restores and reinstallations install no package: they say nothing about levels.
#[test]
fn the_end_of_a_downgrade_changes_no_level() {
    let core = job("j1", Action::DowngradeCore, FULL, "10.5.0 CU12", Some((0, "2026-03-01T00:10:00Z")));
    let mut restore = job("j2", Action::RestoreContent, "", "", Some((0, "2026-03-01T03:00:00Z")));
    restore.record.file = None;
    restore.record.to = None;
    let known = Ok(("10.5.0 CU12".to_owned(), WebEvidence::OwnJob));
    assert_eq!(level(&facts("a", ""), &[core, restore]), known);
}

#[test]
fn the_newest_web_sign_after_the_core_decides() {
    let core = job("j1", Action::UpgradeCore, FULL, "10.5.0 CU12", Some((0, "2026-03-01T00:10:00Z")));
    let web = job("j2", Action::UpgradeWeb, WEB, "10.5.12", Some((0, "2026-03-01T02:00:00Z")));
    let old = job("j0", Action::UpgradeWeb, WEB, "10.5.12", Some((0, "2026-02-01T02:00:00Z")));
    let own = WebEvidence::OwnJob;
    assert_eq!(level(&facts("a", ""), &[core.clone(), web.clone()]), Ok(("10.5.12".to_owned(), own)));
    assert_eq!(
        level(&facts("a", ""), &[core.clone(), old]),
        Ok(("10.5.0 CU12".to_owned(), own)),
        "overridden by the core"
    );

    let mut seen = facts("a", "");
    seen.packages = Ok(vec![package(WEB, End::Succeeded, "2026-03-01T03:00:00Z")]);
    assert_eq!(
        level(&seen, std::slice::from_ref(&core)),
        Ok(("10.5.12".to_owned(), WebEvidence::PackageFolder))
    );
    seen.packages = Ok(vec![package(WEB, End::Failed, "2026-03-01T03:00:00Z")]);
    assert!(
        level(&seen, &[core.clone(), web.clone()]).is_err(),
        "a failure on this Agent is not overruled by exit code 0"
    );
    seen.packages = Ok(vec![package(WEB, End::Open, "2026-03-01T03:00:00Z")]);
    assert!(level(&seen, &[core]).is_err(), "nobody knows how somebody else's upgrade ended");
}

/// How a log ends is not documented: a real one may end in words that we do not know.
#[test]
fn a_log_without_a_known_end_says_nothing_against_our_own_record() {
    let web = job("j2", Action::UpgradeWeb, WEB, "10.5.12", Some((0, "2026-03-01T02:00:00Z")));
    let mut seen = facts("a", "");
    seen.packages = Ok(vec![package(WEB, End::Open, "2026-03-01T03:00:00Z")]);
    assert_eq!(level(&seen, &[web]), Ok(("10.5.12".to_owned(), WebEvidence::OwnJob)));
}

#[test]
fn a_log_that_stands_still_after_our_job_is_no_operation() {
    let now = at("2026-03-02T01:00:00Z");
    let running = |facts: &Facts, jobs: &[&JobFacts]| {
        operation(facts, now, "prod", jobs)
            .is_some_and(|operation| operation.state == OperationState::Running)
    };
    let ended = job("j2", Action::UpgradeWeb, WEB, "10.5.12", Some((0, "2026-03-02T00:55:00Z")));
    let mut seen = facts("a", "");
    seen.packages = Ok(vec![package(WEB, End::Open, "2026-03-02T00:55:00Z")]);
    assert!(running(&seen, &[]), "somebody else's may go on for long");
    assert!(!running(&seen, &[&ended]));
    seen.processes = processes(&["SLNet.exe"]);
    assert!(running(&seen, &[&ended]), "DataMiner is not back yet");
    seen.packages = Ok(vec![package(WEB, End::Open, "2026-03-02T00:01:00Z")]);
    assert!(!running(&seen, &[]), "nobody writes any more");
}

#[test]
fn an_old_job_of_another_installation_is_not_an_operation() {
    let mut seen = facts("a", "");
    let mut old = job("j1", Action::UpgradeCore, FULL, "10.5.0 CU12", Some((0, "2026-03-01T00:10:00Z")));
    old.record.installation = "gone".to_owned();
    seen.jobs = Ok(vec![old]);
    assert_eq!(operation(&seen, at("2026-03-02T01:00:00Z"), "prod", &[]), None);
}

#[test]
fn own_addresses_are_matched_in_three_ways() {
    let agents = observe(vec![facts("a", "10.0.0.11"), facts("b", "10.0.0.12")]);
    assert_eq!(agents[0].address.as_deref(), Some("10.0.0.11"));
    assert_eq!(agents[1].address.as_deref(), Some("10.0.0.12"));

    let agents = observe(vec![facts("a", "10.0.0.11"), facts("b", "10.0.0.11")]);
    assert!(agents.iter().all(|agent| agent.address.is_none()), "two cannot have the same");

    let mut named = facts("a", "192.168.0.1");
    named.topology.as_mut().expect("a topology")[0].address = "A.site.example".to_owned();
    let agents = observe(vec![named]);
    assert_eq!(agents[0].address.as_deref(), Some("A.site.example"));
    let agents = observe(vec![facts("a", "192.168.0.1")]);
    assert_eq!(agents[0].address, None);
    assert!(agents[0].unknown.contains_key("address"));
}

#[test]
fn agents_that_disagree_about_the_cluster_are_named() {
    let mut other = facts("b", "10.0.0.12");
    other.topology.as_mut().expect("a topology").pop();
    let agents = observe(vec![facts("a", "10.0.0.11"), other]);
    assert!(!agents[0].unknown.contains_key("topology"));
    assert!(agents[1].unknown["topology"].contains("differs from that of a"));
}

#[test]
fn the_online_member_is_the_one_whose_elements_run() {
    let pair = |own: &[&str], partner: &[&str]| {
        let (mut a, mut b) = (facts("a", "10.0.0.11"), facts("b", "10.0.0.12"));
        a.processes = processes(own);
        b.processes = processes(partner);
        let agents = assemble(
            &cluster_name(),
            &links(true),
            at("2026-03-02T01:00:00Z"),
            "prod",
            vec![a, b],
            Vec::new(),
        )
        .agents;
        let online = |at: usize| agents[at].failover.and_then(|failover: FailoverState| failover.online);
        (online(0), online(1), agents[1].state, agents[1].failover.map(|failover| failover.role))
    };
    let full = ["SLNet.exe", "SLDataMiner.exe", "SLElement.exe"];
    let bare = ["SLNet.exe", "SLDataMiner.exe"];
    let backup = Some(FailoverRole::Backup);
    assert_eq!(pair(&full, &bare), (Some(true), Some(false), Some(AgentState::Running), backup));
    assert_eq!(
        pair(&full, &["SLNet.exe"]),
        (Some(true), Some(false), Some(AgentState::Disconnected), backup)
    );
    assert_eq!(pair(&bare, &full), (Some(false), Some(true), Some(AgentState::Running), backup));
    assert_eq!(pair(&full, &full), (None, None, Some(AgentState::Running), backup));
    assert_eq!(pair(&bare, &bare), (None, None, Some(AgentState::Running), backup));
    assert_eq!(
        pair(&full, &["x.exe"]),
        (None, None, Some(AgentState::Stopped), backup),
        "a dead one is not offline"
    );
}
