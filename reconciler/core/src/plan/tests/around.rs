//! S0-S9, windows and what holds a plan.

use dataminer_schema::{
    plan::{Action, BlockCode, PlanResult, WaitingOn},
    quantity::ByteSize,
    v1::{
        cluster::{FailoverPolicy, Fit, WebUpgrades, Window},
        observation::{AgentState, ObservedOperation, OperationState},
    },
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    plan::{PlanMode, Quarantine, Retry},
    testing::{Scenario, codes, name, warnings},
};

fn upgrade() -> Scenario {
    Scenario::new("10.5.0 CU9", "10.5.0 CU12")
}

fn converged() -> Scenario {
    Scenario::new("10.5.0 CU12", "10.5.0 CU12")
}

#[test]
fn invariant_4_absent_is_not_unknown() {
    let mut never = upgrade();
    never.observation = None;
    assert_eq!(codes(&never.plan()), [BlockCode::AgentUnreachable]);
    let mut missing = converged();
    missing.observation.as_mut().unwrap().agents.pop();
    let plan = missing.plan();
    assert_eq!(codes(&plan), [BlockCode::AgentUnreachable]);
    assert_eq!(plan.blocked[0].agents, [name("a2")]);
    let silent = converged().agent("a1", |agent| {
        agent.reachable = false;
        agent.reason = Some("connection refused".to_owned());
    });
    let plan = silent.plan();
    assert!(plan.blocked[0].message.contains("connection refused"), "{}", plan.blocked[0].message);
    // Unknown items of an Agent that was seen warn.
    let unknown = upgrade().each(|agent| {
        agent.state = None;
        agent.free_disk = None;
        agent.pending_reboot = None;
        agent.dotnet = None;
    });
    let plan = unknown.plan();
    assert_eq!(plan.result, PlanResult::Ready);
    assert_eq!(
        warnings(&plan),
        ["StateUnknown", "StateUnknown", "DiskUnknown", "DiskUnknown", "RequirementUnknown"]
    );
}

#[test]
fn a_cluster_without_agents_is_not_converged() {
    let mut empty = converged();
    empty.cluster.agents.clear();
    empty.observation.as_mut().unwrap().topology = None;
    assert_eq!(empty.way(), "!TopologyMismatch");
}

#[test]
fn stale_observations_block_live_and_warn_offline() {
    let mut old = upgrade();
    old.observation.as_mut().unwrap().taken_at = old.now - SignedDuration::from_mins(61);
    assert_eq!(codes(&old.plan()), [BlockCode::ObservationStale]);
    old.mode = PlanMode::Offline;
    let plan = old.plan();
    assert_eq!((codes(&plan), warnings(&plan)), (vec![], vec!["ObservationAge"]));
}

#[test]
fn s0_the_topology_must_be_the_declared_one() {
    let mut more = upgrade();
    let mut stranger = more.observation.as_ref().unwrap().topology.as_ref().unwrap()[0].clone();
    stranger.address = "10.0.0.99".to_owned();
    stranger.id = 199;
    more.observation.as_mut().unwrap().topology.as_mut().unwrap().push(stranger);
    assert_eq!(codes(&more.plan()), [BlockCode::TopologyMismatch]);
    assert!(more.plan().blocked[0].message.ends_with("; not declared: 10.0.0.99"));
    let moved = upgrade().agent("a2", |agent| agent.address = Some("10.0.0.77".to_owned()));
    assert_eq!(codes(&moved.plan()), [BlockCode::TopologyMismatch]);
    let mut unknown = upgrade();
    unknown.observation.as_mut().unwrap().topology = None;
    assert_eq!(warnings(&unknown.plan()), ["TopologyUnknown"]);
    let pair = Scenario::new("10.5.0 CU9", "10.5.0 CU12").seen(&[
        ("a1", "10.5.0 CU9"),
        ("a2", "10.5.0 CU9"),
        ("a2b", "10.5.0 CU9"),
    ]);
    assert_eq!(pair.clone().pair("a2", "a2b").way(), "10.5.0 CU12");
    let mut undeclared = pair.clone();
    undeclared.observation.as_mut().unwrap().topology.as_mut().unwrap()[2].id = 102;
    assert_eq!(codes(&undeclared.plan()), [BlockCode::TopologyMismatch]);
    let mut split = pair.pair("a2", "a2b");
    split.observation.as_mut().unwrap().topology.as_mut().unwrap()[2].id = 107;
    assert_eq!(codes(&split.plan()), [BlockCode::TopologyMismatch]);
}

#[test]
fn s0_health_counts_only_where_something_is_to_be_done() {
    let stopped = |scenario: Scenario| scenario.agent("a2", |agent| agent.state = Some(AgentState::Stopped));
    assert_eq!(codes(&stopped(upgrade()).plan()), [BlockCode::Unhealthy]);
    assert_eq!(stopped(converged()).way(), "Converged");
    let reboot = upgrade().agent("a1", |agent| agent.pending_reboot = Some(true));
    assert_eq!(codes(&reboot.plan()), [BlockCode::Unhealthy]);
    let pair = Scenario::new("10.5.0 CU9", "10.5.0 CU12")
        .seen(&[("a1", "10.5.0 CU9"), ("a1b", "10.5.0 CU9")])
        .pair("a1", "a1b");
    // The offline partner of a pair is not Running, and that is healthy.
    assert_eq!(pair.agent("a1b", |agent| agent.state = Some(AgentState::Disconnected)).way(), "10.5.0 CU12");
}

#[test]
fn s0_foreign_operations_and_owners_block() {
    let operation = |owner: Option<&str>, state: OperationState| {
        let mut scenario = upgrade().agent("a1", |agent| {
            agent.operation =
                Some(ObservedOperation { id: None, action: None, state, owner: owner.map(str::to_owned) });
        });
        scenario.state.installation = Some("prod".to_owned());
        codes(&scenario.plan())
    };
    assert_eq!(operation(None, OperationState::Running), [BlockCode::OperationInProgress]);
    assert_eq!(operation(Some("prod"), OperationState::Running), [BlockCode::OperationInProgress]);
    assert_eq!(operation(Some("lab"), OperationState::Finished), [BlockCode::ManagedElsewhere]);
    assert_eq!(operation(Some("prod"), OperationState::Finished), []);
    assert_eq!(operation(None, OperationState::Unknown), []);
}

#[test]
fn insufficient_disk_counts_twice_the_largest_package() {
    // 15 GiB and twice 3 GiB.
    let with =
        |gib: u64| codes(&upgrade().agent("a1", |agent| agent.free_disk = Some(ByteSize(gib << 30))).plan());
    assert_eq!(with(20), [BlockCode::InsufficientDisk]);
    assert_eq!(with(21), []);
}

#[test]
fn s1_every_package_is_staged_first_on_the_first_healthy_online_agent() {
    let scenario = Scenario::new("10.3.0 CU20", "10.5.0 CU12")
        .seen(&[("a1", "10.3.0 CU20"), ("a1b", "10.3.0 CU20"), ("a2", "10.3.0 CU20")])
        .pair("a1", "a1b")
        .want_web("10.6.4")
        .agent("a1", |agent| agent.failover.as_mut().unwrap().online = Some(false))
        .agent("a1b", |agent| agent.failover.as_mut().unwrap().online = Some(true));
    let plan = scenario.plan();
    let staged: Vec<_> = plan.steps.iter().take_while(|step| step.action == Action::StagePackage).collect();
    assert_eq!(staged.len(), 3);
    assert!(staged.iter().all(|step| step.agents == [name("a1b")]));
}

#[test]
fn s4_unsafe_failover_policies_block_across_a_line_or_with_brokergateway() {
    let pair = |from: &str, to: &str, policy: FailoverPolicy, broker: bool| {
        let scenario = Scenario::new(from, to)
            .seen(&[("a1", from), ("a1b", from)])
            .pair("a1", "a1b")
            .broker(Some(broker))
            .upgrade(|upgrade| upgrade.failover_policy = policy);
        let plan = scenario.plan();
        (codes(&plan), warnings(&plan).join(" "))
    };
    let unsafe_policy = vec![BlockCode::UnsafeFailoverPolicy];
    assert_eq!(pair("10.4.0 CU21", "10.5.0 CU18", FailoverPolicy::BackupFirst, false).0, unsafe_policy);
    assert_eq!(
        pair("10.5.0 CU9", "10.5.0 CU18", FailoverPolicy::BackupFirstWithSwitchback, true).0,
        unsafe_policy
    );
    assert_eq!(pair("10.5.0 CU9", "10.5.0 CU18", FailoverPolicy::BackupFirst, false).0, []);
    assert_eq!(pair("10.4.0 CU21", "10.5.0 CU18", FailoverPolicy::Simultaneously, false).0, []);
    let default = pair("10.4.0 CU21", "10.5.0 CU18", FailoverPolicy::UseDefault, false);
    assert_eq!(default, (vec![], "UnsafeFailoverPolicy".to_owned()));
}

#[test]
fn s7_a_closed_window_waits_and_lets_preparations_run_ahead() {
    let plan = upgrade().saturday_nights().at("2026-11-21T20:00:00Z").plan();
    assert_eq!(plan.result, PlanResult::Waiting);
    assert_eq!(plan.waiting[0].on, WaitingOn::Window);
    assert_eq!(plan.waiting[0].until, Some("2026-11-21T21:00:00Z".parse::<Timestamp>().unwrap()));
    let ready: Vec<bool> = plan.steps.iter().map(|step| step.ready).collect();
    assert_eq!(ready, [true, true, true, false, false, false, false]);
    // More than 72 h before the window nothing is uploaded yet.
    let early = upgrade().saturday_nights().at("2026-11-17T20:00:00Z").plan();
    assert!(early.steps.iter().all(|step| !step.ready));
    let open = upgrade().saturday_nights().at("2026-11-21T21:30:00Z").plan();
    assert_eq!(open.result, PlanResult::Ready);
    assert!(open.steps.iter().all(|step| step.ready));
    let cutoff = upgrade().saturday_nights().at("2026-11-22T00:00:00Z").plan();
    assert_eq!(cutoff.result, PlanResult::Waiting);
    assert_eq!(converged().saturday_nights().way(), "Converged");
}

#[test]
fn s7_web_upgrades_may_run_at_any_time_if_declared() {
    let scenario = converged().want_web("10.6.4").saturday_nights().at("2026-11-20T12:00:00Z");
    assert_eq!(scenario.plan().result, PlanResult::Waiting);
    let any_time = scenario.upgrade(|upgrade| upgrade.web_upgrades = WebUpgrades::AnyTime);
    assert_eq!(any_time.plan().result, PlanResult::Ready);
    let core = upgrade().saturday_nights().at("2026-11-20T12:00:00Z");
    let core = core.upgrade(|upgrade| upgrade.web_upgrades = WebUpgrades::AnyTime);
    assert_eq!(core.plan().result, PlanResult::Waiting);
}

#[test]
fn s7_fit_require_waits_for_a_window_with_enough_left() {
    let mut scenario = upgrade().saturday_nights().at("2026-11-21T23:30:00Z").prepared();
    assert_eq!(warnings(&scenario.plan()), ["WindowTooShort"]);
    if let Window::Allow { fit, .. } = &mut scenario.cluster.windows[0] {
        *fit = Fit::Require;
    }
    let plan = scenario.plan();
    assert_eq!(plan.result, PlanResult::Waiting);
    assert_eq!(plan.waiting[0].until, Some("2026-11-28T21:00:00Z".parse::<Timestamp>().unwrap()));
}

#[test]
fn what_is_held_waits_and_readies_nothing() {
    let held = |scenario: Scenario, on: WaitingOn| {
        let plan = scenario.plan();
        assert_eq!((plan.result, plan.waiting[0].on), (PlanResult::Waiting, on));
        assert!(plan.steps.iter().all(|step| !step.ready));
    };
    let mut suspended = upgrade();
    suspended.cluster.suspend = true;
    held(suspended, WaitingOn::Suspended);
    let mut operator = upgrade();
    operator.state.suspended = Some("storage migration".to_owned());
    held(operator, WaitingOn::Suspended);
    let mut retry = upgrade();
    retry.state.retry =
        Some(Retry { at: retry.now + SignedDuration::from_mins(5), reason: "disk".to_owned(), attempts: 1 });
    held(retry, WaitingOn::Retry);
    let mut quarantine = upgrade();
    let desired = quarantine.desired().digest;
    quarantine.state.quarantine = Some(Quarantine { desired, reason: "UpgradeFailed".to_owned() });
    held(quarantine.clone(), WaitingOn::Quarantine);
    // Labels change nothing about the wanted state; another version does.
    quarantine.cluster.labels.insert("stage".to_owned(), "test".to_owned());
    held(quarantine.clone(), WaitingOn::Quarantine);
    quarantine.cluster.software.core = crate::testing::version("10.5.0 CU13");
    assert_eq!(quarantine.plan().result, PlanResult::Ready);
    let mut idle = converged();
    idle.cluster.suspend = true;
    assert_eq!(idle.way(), "Converged");
}

#[test]
fn s0_a_pair_whose_members_are_both_offline_is_not_healthy() {
    let pair = Scenario::new("10.5.0 CU9", "10.5.0 CU12")
        .seen(&[("a1", "10.5.0 CU9"), ("a1b", "10.5.0 CU9")])
        .pair("a1", "a1b")
        .each(|agent| {
            agent.failover.as_mut().unwrap().online = Some(false);
            agent.state = Some(AgentState::Disconnected);
        });
    let plan = pair.plan();
    assert_eq!(codes(&plan), [BlockCode::Unhealthy]);
    assert_eq!(plan.blocked[0].agents, [name("a1"), name("a1b")]);
    let covered = pair.agent("a1", |agent| {
        agent.failover.as_mut().unwrap().online = Some(true);
        agent.state = Some(AgentState::Running);
    });
    assert_eq!(covered.way(), "10.5.0 CU12");
}

#[test]
fn s4_brokergateway_always_runs_from_10_6_on_whatever_the_obsolete_tag_says() {
    let pair = |from: &str, to: &str, tag: Option<bool>| {
        let scenario = Scenario::new(from, to)
            .seen(&[("a1", from), ("a1b", from)])
            .pair("a1", "a1b")
            .broker(tag)
            .upgrade(|upgrade| upgrade.failover_policy = FailoverPolicy::BackupFirst);
        let plan = scenario.plan();
        let others = warnings(&plan).into_iter().filter(|code| *code != "KnownIssue");
        (codes(&plan), others.collect::<Vec<_>>().join(" "))
    };
    let refused = (vec![BlockCode::UnsafeFailoverPolicy], String::new());
    assert_eq!(pair("10.6.0 CU1", "10.6.0 CU6", Some(false)), refused);
    assert_eq!(pair("10.6.0 CU1", "10.6.0 CU6", None), refused);
    // Where it may or may not run, an unknown is a warning; below 10.5.0 CU2 it cannot.
    let unknown = (vec![], "UnsafeFailoverPolicy".to_owned());
    assert_eq!(pair("10.5.0 CU9", "10.5.0 CU12", None), unknown);
    assert_eq!(pair("10.4.0 CU9", "10.4.0 CU12", None), (vec![], String::new()));
}

#[test]
fn a_plan_names_empty_lists_as_such() {
    let json = serde_json::to_value(converged().plan()).unwrap();
    for list in ["steps", "blocked", "waiting", "warnings"] {
        assert_eq!(json[list], serde_json::json!([]), "{list}");
    }
}

#[test]
fn what_is_not_carried_out_blocks_every_change_and_nothing_else() {
    use dataminer_schema::v1::cluster::{AgentKind, OnFailure, UpgradeMode};
    let changes: [fn(&mut dataminer_schema::v1::cluster::Cluster); 4] = [
        |cluster| cluster.rollout = Some("monthly".to_owned()),
        |cluster| cluster.agents[0].kind = AgentKind::Probe,
        |cluster| cluster.upgrade.on_failure = OnFailure::Downgrade,
        |cluster| cluster.upgrade.mode = UpgradeMode::StageOnly,
    ];
    for change in changes {
        let mut moving = Scenario::new("10.5.0 CU9", "10.5.0 CU12");
        change(&mut moving.cluster);
        assert_eq!(codes(&moving.plan()), [BlockCode::NotSupportedYet]);
        let mut still = Scenario::new("10.5.0 CU12", "10.5.0 CU12");
        change(&mut still.cluster);
        assert_eq!(codes(&still.plan()), []);
    }
}

#[test]
fn a_package_that_is_not_fetched_blocks_the_changes_that_need_it_and_names_its_place() {
    use dataminer_schema::v1::catalog::PackageSource;
    let at = |release: &str| {
        let mut scenario = Scenario::new("10.5.0 CU9", "10.5.0 CU12");
        for package in &mut scenario.packages {
            if package.file.contains(release) {
                package.source = Some(PackageSource::Remote(format!("s3://packages/{}", package.file)));
            }
        }
        scenario.plan()
    };
    let plan = at("10.5.0.0(CU12)");
    assert_eq!(codes(&plan), [BlockCode::NotSupportedYet]);
    assert!(plan.blocked[0].message.contains("lies at `s3://packages/DataMiner 10.5.0.0(CU12)"), "{plan:?}");
    assert_eq!(codes(&at("10.5.0.0(CU11)")), []);
}

#[test]
fn an_advisory_turns_the_block_of_its_issue_into_a_warning_until_it_expires() {
    use dataminer_schema::v1::{advisory::Advisory, rollout::Selector};
    let advised = |issue: &str, accept: bool, expires: &str| {
        let mut scenario = Scenario::new("10.4.0 CU16", "10.5.0 CU4");
        scenario.cluster.advisories.push(Advisory {
            name: "seen".to_owned(),
            issue: issue.to_owned(),
            accept,
            clusters: Selector::default(),
            reason: "tried on a copy".to_owned(),
            expires: expires.parse().expect("a day"),
        });
        scenario.plan()
    };
    let issue = "KI_Prerequisites_fail_when_upgrading_from_10.4.0-to-10.5.3-CU3";
    let accepted = advised(issue, true, "2026-11-21");
    assert_eq!(codes(&accepted), []);
    let warning = accepted.warnings.iter().find(|warning| warning.reference.as_deref() == Some(issue));
    let message = &warning.expect("the reader is told").message;
    assert!(
        message.ends_with("accepted by the Advisory seen until 2026-11-21: tried on a copy"),
        "{message}"
    );
    for plan in [
        advised(issue, true, "2026-11-20"),
        advised(issue, false, "2026-12-31"),
        advised("KI_Upgrade_to_1051_stuck", true, "2026-12-31"),
    ] {
        assert_eq!(codes(&plan), [BlockCode::KnownIssue]);
    }
    // Whoever accepted it looks for the reason first where it says that it no longer counts.
    let help = &advised(issue, true, "2026-11-20").blocked[0].help;
    assert!(
        help.ends_with(
            "renew the Advisory seen, which accepted it until 2026-11-20, if its reason still holds"
        ),
        "{help}"
    );
}
