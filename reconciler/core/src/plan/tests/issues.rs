//! Known issues and breaking changes of a plan.

use dataminer_schema::{
    load::SourceFile,
    plan::{BlockCode, Plan},
    v1::{advisory::Advisory, observation::Storage, rollout::Selector},
};

use crate::{
    knowledge::Knowledge,
    testing::{Scenario, codes},
};

/// The warning that refers to an issue.
fn told<'p>(plan: &'p Plan, issue: &str) -> Option<&'p str> {
    let mut about = plan.warnings.iter().filter(|warning| warning.reference.as_deref() == Some(issue));
    let first = about.next().map(|warning| warning.message.as_str());
    assert_eq!(about.next(), None, "it is said once");
    first
}

fn advised(mut scenario: Scenario, issue: &str, accept: bool) -> Scenario {
    scenario.cluster.advisories.push(Advisory {
        name: "seen".to_owned(),
        issue: issue.to_owned(),
        accept,
        clusters: Selector::default(),
        reason: "tried on a copy".to_owned(),
        expires: "2026-12-31".parse().expect("a day"),
    });
    scenario
}

/// Two Agents, one of them the Failover partner of the other.
fn pair(from: &str, to: &str) -> Scenario {
    Scenario::new(from, to).seen(&[("a1", from), ("a1b", from)]).pair("a1", "a1b")
}

fn own(spec: &str) -> Knowledge {
    let text = format!(
        "apiVersion: dataminer.gitops/v1\nkind: ReleaseKnowledge\nmetadata: {{ name: own }}\nspec:\n{spec}"
    );
    let file = SourceFile { path: "own.yaml".to_owned(), bytes: text.into_bytes() };
    Knowledge::built_in().extended(&[file]).expect("there is no fault")
}

fn has(list: &[String], id: &str) -> bool {
    list.iter().any(|known| known == id)
}

#[test]
fn a_change_introduces_resolves_and_keeps_issues() {
    let plan = Scenario::new("10.5.0 CU10", "10.6.0 CU1").broker(Some(true)).plan();
    let lists = &plan.known_issues;
    assert!(has(&lists.introduced, "KI_Cube_Alarm_storm_prevention"), "{lists:#?}");
    assert!(has(&lists.resolved, "KI_DataMinerMessageBroker_TLS"), "{lists:#?}");
    assert!(has(&lists.staying, "KI_missing_NATS_services"), "{lists:#?}");
    for list in [&lists.introduced, &lists.resolved, &lists.staying, &lists.undecided] {
        assert!(list.is_sorted());
    }
    // The way down is the mirror of the way up.
    let back = Scenario::new("10.6.0 CU1", "10.5.0 CU10").broker(Some(true)).allow_downgrades().plan();
    assert_eq!(back.known_issues.introduced, lists.resolved);
    assert_eq!(back.known_issues.resolved, lists.introduced);
    assert_eq!(back.known_issues.staying, lists.staying);
}

#[test]
fn an_issue_of_a_stop_is_none_of_the_target() {
    let plan = Scenario::new("10.3.0 CU22", "10.5.0 CU18").plan();
    assert_eq!(crate::testing::way(&plan), "10.4.0 CU21, 10.5.0 CU18");
    let startup = "KI_Startup_issue_DcM_not_running";
    let lists = &plan.known_issues;
    assert!(!has(&lists.introduced, startup) && !has(&lists.staying, startup), "{lists:#?}");
    // It strikes while the stop starts, so it is said.
    assert!(told(&plan, startup).is_some_and(|told| told.starts_with("the stop at 10.4.0 CU21")));
    // Where the cluster stays there, it counts as introduced.
    let stays = Scenario::new("10.3.0 CU22", "10.4.0 CU21").plan();
    assert!(has(&stays.known_issues.introduced, startup));
    assert!(told(&stays, startup).is_some_and(|told| told.starts_with("the change brings")));
}

#[test]
fn nothing_is_listed_where_nothing_changes() {
    let plan = Scenario::new("10.5.0 CU12", "10.5.0 CU12").plan();
    assert!(plan.known_issues.is_empty() && plan.breaking_changes.is_empty(), "{plan:#?}");
}

#[test]
fn web_apps_alone_change_issues_of_web_apps_alone() {
    let browser = "KI_Scrollbars_not_shown_in_web_apps";
    let scenario = Scenario::new("10.5.0 CU6", "10.5.0 CU6").want_web("10.6.4");
    let plan = scenario.plan();
    assert_eq!(plan.known_issues.introduced, Vec::<String>::new());
    assert_eq!(plan.known_issues.resolved, [browser]);
    // Whether an unknown level has it, is not known.
    let plan = scenario.web(None).plan();
    assert_eq!(
        (&plan.known_issues.resolved[..], has(&plan.known_issues.undecided, browser)),
        (&[browser.to_owned()][..], true)
    );
}

#[test]
fn a_condition_that_is_observed_to_be_false_leaves_an_issue_out() {
    let lists = |scenario: Scenario| scenario.plan().known_issues;
    let everywhere = |lists: &dataminer_schema::plan::KnownIssues, id: &str| {
        has(&lists.introduced, id) || has(&lists.resolved, id) || has(&lists.staying, id)
    };
    // A Failover pair is declared or not.
    let failover = "KI_Contents_Elements_folder_deleted_from_offline_Agents_in_Failover_cluster";
    let with = lists(pair("10.5.0 CU6", "10.5.0 CU12"));
    assert!(has(&with.resolved, failover) && !has(&with.undecided, failover), "{with:#?}");
    assert!(!everywhere(&lists(Scenario::new("10.5.0 CU6", "10.5.0 CU12")), failover));
    // The language of Windows.
    let scripting = "KI_SLScripting_issue_non_English_system";
    let speaks = |tag: Option<&str>| {
        let scenario = Scenario::new("10.5.9.0-16000-20250801-release", "10.5.10")
            .each(|agent| agent.locale = tag.map(str::to_owned));
        let lists = lists(scenario);
        (has(&lists.resolved, scripting), has(&lists.undecided, scripting))
    };
    assert_eq!(speaks(Some("de-DE")), (true, false));
    assert_eq!(speaks(Some("en-US")), (false, false));
    assert_eq!(speaks(None), (true, true));
    // The databases.
    let cassandra = "KI_Cassandra_cluster_node_unexpected_state";
    let stores = |storage: Option<Storage>| {
        let scenario = Scenario::new("10.5.0 CU6", "10.5.0 CU12")
            .each(|agent| agent.storage = storage.map(|storage| vec![storage]));
        let lists = lists(scenario);
        (has(&lists.staying, cassandra), has(&lists.undecided, cassandra))
    };
    assert_eq!(stores(Some(Storage::CassandraCluster)), (true, false));
    assert_eq!(stores(Some(Storage::Service)), (false, false));
    assert_eq!(stores(None), (true, true));
    // The version of Windows.
    let windows = |os: Option<&str>| {
        let scenario =
            Scenario::new("10.5.0 CU6", "10.5.0 CU12").each(|agent| agent.os = os.map(str::to_owned));
        has(&lists(scenario).staying, "KI_SLScripting_crash_JScript_QActions")
    };
    assert_eq!(
        [Some("Windows build 26100"), Some("Windows build 20348"), None].map(windows),
        [true, false, true]
    );
}

#[test]
fn brokergateway_decides_as_it_runs_there() {
    let broker = "KI_DataMinerMessageBroker_TLS";
    let lists = |active: Option<bool>| {
        let lists = Scenario::new("10.5.0 CU6", "10.5.0 CU8").broker(active).plan().known_issues;
        (has(&lists.staying, broker), has(&lists.undecided, broker))
    };
    assert_eq!(lists(Some(true)), (true, false));
    assert_eq!(lists(Some(false)), (false, false));
    assert_eq!(lists(None), (true, true));
}

#[test]
fn an_unknown_cu_is_said_and_not_decided() {
    let plan = Scenario::new("10.5.0.0-20400-20251120-release", "10.5.0 CU18");
    let mut plan = plan;
    plan.builds.insert("10.5.0.0-16600".to_owned(), "10.5.0 CU0".parse().expect("a version"));
    let lists = plan.plan().known_issues;
    assert!(
        lists
            .undecided
            .iter()
            .all(|id| { has(&lists.introduced, id) || has(&lists.resolved, id) || has(&lists.staying, id) })
    );
}

#[test]
fn an_issue_that_does_harm_on_a_hop_blocks_unless_it_is_accepted() {
    let issue = "KI_Failover_Agents_offline_after_upgrade";
    let scenario = || pair("10.3.0 CU7", "10.3.0 CU10");
    let plan = scenario().plan();
    assert_eq!(codes(&plan), [BlockCode::KnownIssue]);
    let block = &plan.blocked[0];
    assert!(
        block.message.contains("10.3.0 CU7 -> 10.3.0 CU10") && block.message.contains(issue),
        "{block:?}"
    );
    assert!(block.help.contains("10.3.0 CU11"), "{block:?}");
    let accepted = advised(scenario(), issue, true).plan();
    assert_eq!(codes(&accepted), []);
    assert!(told(&accepted, issue).is_some_and(|told| {
        told.ends_with("accepted by the Advisory seen until 2026-12-31: tried on a copy")
    }));
    assert_eq!(codes(&advised(scenario(), issue, false).plan()), [BlockCode::KnownIssue]);
    // Without a pair it strikes nobody, and neither does the next release.
    assert_eq!(codes(&Scenario::new("10.3.0 CU7", "10.3.0 CU10").plan()), []);
    assert_eq!(codes(&pair("10.3.0 CU7", "10.3.0 CU11").plan()), []);
}

#[test]
fn an_issue_on_a_hop_whose_condition_nobody_sees_is_a_warning() {
    let issue = "KI_LDAP_users_unable_to_log_in_after_upgrade";
    let plan = Scenario::new("10.4.0 CU2", "10.4.0 CU6").plan();
    assert_eq!(codes(&plan), []);
    assert!(told(&plan, issue).is_some_and(|told| told.ends_with("whether it strikes here was not seen")));
    assert_eq!(told(&Scenario::new("10.4.0 CU2", "10.4.0 CU3").plan(), issue), None);
    // A refusal that the package checks for by itself is a requirement of the step.
    let grpc = "KI_Upgrade_fails_VerifyGRPCConnection_prerequisite";
    let plan = Scenario::new("10.6.0 CU1", "10.6.0 CU6").plan();
    assert_eq!(told(&plan, grpc), None);
    let names: Vec<&str> =
        plan.steps.iter().flat_map(|step| &step.requirements).map(|need| &*need.name).collect();
    assert!(names.contains(&"VerifyGRPCConnection"), "{names:?}");
}

#[test]
fn packages_of_the_update_center_are_no_part_of_any_plan() {
    let plan = Scenario::new("10.4.0 CU2", "10.4.0 CU3").plan();
    assert_eq!(told(&plan, "KI_Unable_to_perform_a_DataMiner_upgrade_via_Update_Center"), None);
}

#[test]
fn damage_that_lasts_is_said_where_it_is_done() {
    let issue = "KI_IDP_Discovery_not_working";
    assert!(told(&Scenario::new("10.3.0 CU22", "10.4.0 CU21").plan(), issue).is_some());
    assert_eq!(told(&Scenario::new("10.4.0 CU20", "10.4.0 CU21").plan(), issue), None);
}

#[test]
fn issues_of_the_user_follow_the_same_rules() {
    let issue = |more: &str| {
        own(&format!(
            "  knownIssues:\n    - id: OWN_1\n      title: Trouble of ours\n      component: Core\n      impact: Functional\n{more}      source: ticket\n"
        ))
    };
    let path = issue(
        "      path:\n        from: [{ track: Main, from: 10.5.0 CU9, to: 10.5.0 CU9 }]\n        to: [{ track: Main, from: 10.5.0 CU12, to: 10.5.0 CU12, fixedIn: 10.5.0 CU13 }]\n",
    );
    let plan = |from: &str, to: &str| {
        let mut scenario = Scenario::new(from, to);
        scenario.knowledge = path.clone();
        scenario
    };
    assert_eq!(codes(&plan("10.5.0 CU9", "10.5.0 CU12").plan()), [BlockCode::KnownIssue]);
    assert_eq!(codes(&advised(plan("10.5.0 CU9", "10.5.0 CU12"), "OWN_1", true).plan()), []);
    assert_eq!(codes(&plan("10.5.0 CU8", "10.5.0 CU12").plan()), []);
    assert_eq!(codes(&plan("10.5.0 CU9", "10.5.0 CU13").plan()), []);
}

#[test]
fn a_grave_issue_of_the_target_is_worth_a_sentence_unless_it_is_accepted() {
    let issue = "KI_Problem_when_server_name_is_DATAMINER";
    // Whether a server has that name is not known.
    let plan = Scenario::new("10.4.0 CU1", "10.4.0 CU2").plan();
    assert!(has(&plan.known_issues.introduced, issue) && told(&plan, issue).is_none());
    let issue = "KI_deadlock_service_loading";
    let scenario = || Scenario::new("10.3.0 CU9", "10.3.0 CU12");
    assert!(told(&scenario().plan(), issue).is_some_and(|told| told.starts_with("the change brings")));
    let accepted = advised(scenario(), issue, true).plan();
    assert_eq!(told(&accepted, issue), None);
    assert!(has(&accepted.known_issues.introduced, issue), "the lists name it all the same");
    let recorded = advised(scenario(), issue, false).plan();
    assert!(told(&recorded, issue).is_some_and(|told| told.contains("recorded by the Advisory seen")));
    // Recorded, an issue is told that would be left to the lists; also one that stays.
    let stays = advised(Scenario::new("10.5.0 CU9", "10.5.0 CU12"), "KI_missing_NATS_services", false).plan();
    assert!(
        told(&stays, "KI_missing_NATS_services").is_some_and(|told| told.starts_with("the change keeps"))
    );
}

#[test]
fn breaking_changes_are_brought_and_undone() {
    let changes = |from: &str, to: &str| {
        Scenario::new(from, to).broker(Some(true)).allow_downgrades().plan().breaking_changes
    };
    let three = ["BC_45545", "BC_45579", "BC_45600"].map(str::to_owned);
    let up = changes("10.5.0 CU16", "10.5.0 CU17");
    assert_eq!((&up.brought[..], &up.undone[..]), (&three[..], &[][..]));
    let down = changes("10.5.0 CU17", "10.5.0 CU16");
    assert_eq!((&down.brought[..], &down.undone[..]), (&[][..], &three[..]));
    // Those of the web apps come with their level.
    let web = Scenario::new("10.5.0 CU16", "10.5.0 CU16").want_web("10.6.8").plan().breaking_changes;
    assert_eq!((&web.brought[..], &web.undone[..]), (&["BC_45600".to_owned()][..], &[][..]));
}

#[test]
fn the_longest_way_lists_everything_in_order_and_once() {
    let plan = Scenario::new("10.1.0 CU9", "10.6.0 CU6").broker(None).plan();
    let lists = &plan.known_issues;
    let mut all: Vec<&String> =
        [&lists.introduced, &lists.resolved, &lists.staying].into_iter().flatten().collect();
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count, "an issue stands in one list");
    assert!(lists.resolved.len() > 20, "{lists:#?}");
}

/// The work begins when the Advisory counts no more: today is the day to renew it.
#[test]
fn an_advisory_that_ends_before_the_window_opens_is_warned_of() {
    let issue = "KI_Failover_Agents_offline_after_upgrade";
    let ends = |expires: &str| {
        let scenario = pair("10.3.0 CU7", "10.3.0 CU10").saturday_nights().at("2026-11-18T20:00:00Z");
        let mut scenario = advised(scenario, issue, true);
        scenario.cluster.advisories[0].expires = expires.parse().expect("a day");
        let plan = scenario.plan();
        assert_eq!(codes(&plan), []);
        plan.warnings
            .into_iter()
            .find(|warning| warning.code == "AdvisoryEnds")
            .map(|warning| warning.message)
    };
    let told = ends("2026-11-20").expect("the window opens on the 21st");
    assert!(told.starts_with("the Advisory seen accepts") && told.contains("2026-11-21T21:00:00Z"), "{told}");
    assert_eq!(ends("2026-11-21"), None);
}
