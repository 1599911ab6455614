//! The engine's word does not count alone.

use dataminer_schema::{
    id::{AgentName, ClusterName},
    v1::cluster::{Agent, AgentKind, Cluster, Member},
};
use dms_simulator::{
    AgentReport, ClusterReport, ContentItem, ContentState, ModuleReport, ModuleState, Violation,
    ViolationKind,
};
use serde_json::json;

use super::*;

const CORE: &str = "10.5.0 CU12 (build 16889)";

fn subject() -> Subject {
    let member = Member {
        name: AgentName::new("a").expect("a name"),
        host: "10.0.0.1".to_owned(),
        port: 22,
        host_keys: Vec::new(),
        ssh: None,
    };
    let name = ClusterName::new("brussels").expect("a name");
    let agents = vec![Agent { member, kind: AgentKind::Agent, failover: None }];
    let plan = json!({
        "formatVersion": "1.0", "cluster": "brussels", "id": format!("sha256:{}", "0".repeat(64)), "result": "Ready",
        "change": "Upgrade", "from": {}, "to": {}, "steps": []
    });
    Subject {
        cluster: Cluster::new(name, "10.5.0 CU12".parse().expect("a version"), agents),
        observation: None,
        vault: Vec::new(),
        plan: serde_json::from_value(plan).expect("a plan"),
        commit: None,
    }
}

fn agent() -> AgentReport {
    let core: dataminer_schema::version::Version = CORE.parse().expect("a version");
    AgentReport {
        name: "a".to_owned(),
        web: core.clone(),
        content: ContentState::Readable { level: core.clone() },
        core,
        state: RunState::Running,
        online: true,
        broker_gateway: false,
        unreadable: Vec::new(),
        unreadable_history: Vec::new(),
        damaged: Vec::new(),
        content_digest: String::new(),
        modules: Vec::new(),
        backups: Vec::new(),
        history: Vec::new(),
        tasks: std::collections::BTreeMap::new(),
        unknown_commands: Vec::new(),
        free_disk: 0,
        drive: camino::Utf8PathBuf::new(),
    }
}

fn cluster(agent: AgentReport) -> ClusterReport {
    ClusterReport {
        name: "brussels".to_owned(),
        agents: vec![agent],
        operation: None,
        violations: Vec::new(),
    }
}

fn outcome(state: &str) -> Outcome {
    let status = json!({
        "name": "brussels", "state": state, "reason": "Why", "message": "what is wrong", "help": "do this", "wanted": {},
        "observed": {}, "agents": [], "change": "Upgrade", "conditions": []
    });
    Outcome {
        status: Some(serde_json::from_value(status).expect("a status")),
        given_up: false,
        operations: Vec::new(),
        edited: None,
        before: Vec::new(),
        after: Vec::new(),
        first: cluster(agent()),
        last: cluster(agent()),
    }
}

/// The reason of the verdict; empty if it converges.
fn reason(outcome: &Outcome) -> String {
    let knowledge = dataminer_core::knowledge::Knowledge::default();
    let shelf = crate::rehearsal::Shelf::build(&[], &dataminer_core::catalog::Catalog::default(), &knowledge);
    let grounds = Grounds {
        shelf: shelf.expect("an empty shelf"),
        knowledge,
        seed: 1,
        speed: 600,
        patience: std::time::Duration::ZERO,
    };
    let subject = subject();
    match judge(Report::of(&subject), &subject, &grounds, outcome).verdict {
        Verdict::Converges => String::new(),
        Verdict::WouldNotConverge { reason, message, .. } => {
            assert!(!message.is_empty(), "{reason}");
            reason
        }
    }
}

#[test]
fn ready_agents_that_hold_what_is_wanted_converge() {
    assert_eq!(reason(&outcome("Ready")), "");
}

#[test]
fn what_the_engine_says_is_handed_on() {
    assert_eq!(reason(&outcome("Stalled")), "Why");
    assert_eq!(reason(&outcome("Reconciling")), "Why");
    assert_eq!(reason(&Outcome { given_up: true, ..outcome("Reconciling") }), "GivenUp");
    assert_eq!(reason(&Outcome { status: None, ..outcome("Ready") }), "GivenUp");
}

#[test]
fn a_broken_rule_goes_before_everything() {
    let mut broken = outcome("Ready");
    broken.last.violations.push(Violation {
        at: jiff::Timestamp::UNIX_EPOCH,
        kind: ViolationKind::SkippedMajor,
        detail: "a: from here to there".to_owned(),
    });
    assert_eq!(reason(&broken), "RuleBroken");
}

#[test]
fn content_that_cannot_be_opened_any_more_is_no_convergence_and_what_never_could_is_none_of_ours() {
    let mut broken = outcome("Ready");
    broken.last.agents[0].unreadable.push("Dashboards\\x".to_owned());
    assert_eq!(reason(&broken), "ContentBroken");
    broken.first.agents[0].unreadable.push("Dashboards\\x".to_owned());
    assert_eq!(reason(&broken), "");
    broken.last.agents[0].damaged.push("Dashboards\\y".to_owned());
    assert_eq!(reason(&broken), "ContentBroken");
}

#[test]
fn modules_that_do_not_fit_any_more_are_no_convergence() {
    let module = |state| ModuleReport { name: "DataMiner GQI".to_owned(), version: None, state };
    let mut broken = outcome("Ready");
    broken.last.agents[0].modules.push(module(ModuleState::TooNew));
    assert_eq!(reason(&broken), "ModuleBroken");
    broken.first.agents[0].modules.push(module(ModuleState::TooOld));
    assert_eq!(reason(&broken), "", "it did not fit before either");
}

#[test]
fn agents_that_show_what_they_do_not_run_are_found_out() {
    let mut other = outcome("Ready");
    other.last.agents[0].core = "10.4.0 CU21 (build 16523)".parse().expect("a version");
    assert_eq!(reason(&other), "NotAsWanted");
    let mut down = outcome("Ready");
    down.last.agents[0].state = RunState::Stopped;
    assert_eq!(reason(&down), "NotAsWanted");
}

#[test]
fn lost_is_what_is_gone_or_older_on_any_agent() {
    let item = |path: &str, revision| ContentItem {
        path: path.to_owned(),
        name: path.to_owned(),
        revision,
        level: CORE.parse().expect("a version"),
        readable: true,
    };
    let name = |text: &str| AgentName::new(text).expect("a name");
    let played = Outcome {
        before: vec![item("kept", 1), item("older", 2), item("gone", 1), item("newer", 1)],
        after: vec![
            (name("a"), vec![item("kept", 1), item("older", 2), item("gone", 1), item("newer", 3)]),
            (name("b"), vec![item("kept", 1), item("older", 1), item("newer", 2)]),
        ],
        ..outcome("Ready")
    };
    let report = content::compare(&played);
    assert_eq!((report.intact, report.lost), (2, vec!["gone".to_owned(), "older".to_owned()]));
}
