//! The tools on the way up: the BrokerGateway migration (H4) and VerifyClusterPorts (H7).

use dataminer_schema::{
    plan::{Action, BlockCode, Disruption, Plan, Step},
    v1::cluster::Window,
};
use jiff::SignedDuration;

use crate::{
    testing::{Scenario, codes, name, warnings},
    tool::Tool,
};

fn way(from: &str, to: &str) -> String {
    Scenario::new(from, to).way()
}

fn actions(plan: &Plan) -> Vec<String> {
    let shown = |step: &Step| match step.package.as_deref().and_then(Tool::named) {
        Some(tool) if step.action == Action::RunTool => format!("{} {:?}", tool.as_str(), step.disruption),
        _ => format!("{:?}", step.action),
    };
    plan.steps.iter().map(shown).collect()
}

#[test]
fn h4_the_migration_is_checked_and_verified_on_all_agents_together() {
    let scenario = Scenario::new("10.5.0 CU12", "10.6.0 CU6").pair("a1", "a2");
    let plan = scenario.plan();
    assert_eq!(
        actions(&plan),
        [
            "StagePackage",
            "StagePackage",
            "StagePackage",
            "RunPrerequisites",
            "SaveBackup",
            "VerifyCluster",
            "NATSMigration - Prerequisite only None",
            "NATSMigration Restart",
            "VerifyCluster",
            "UpgradeCore",
            "VerifyCluster",
            "SaveBackup",
            "CleanUp"
        ]
    );
    let [first, .., last] = &plan.steps[5..9] else { panic!("four steps") };
    for step in &plan.steps[5..9] {
        assert_eq!(step.agents, [name("a1"), name("a2")]);
        assert!(step.rules.contains(&"H4".to_owned()), "{step:?}");
    }
    // All Agents are online together for a quarter of an hour before, on the release that migrates.
    assert_eq!((first.settle, last.settle), (Some(SignedDuration::from_mins(15)), None));
    assert_eq!((first.to.as_deref(), last.to.as_deref()), (Some("10.5.0 CU12"), Some("10.5.0 CU12")));
    let longer = {
        let mut scenario = scenario;
        scenario.cluster.health.settle = SignedDuration::from_mins(20);
        scenario.plan().steps[5].settle
    };
    assert_eq!(longer, Some(SignedDuration::from_mins(20)));
    assert!(warnings(&plan).contains(&"MigrationFollowUp"));
}

/// The look of a quarter of an hour and the check stand inside the window, though they disturb nobody.
#[test]
fn s7_what_stands_before_the_migration_counts_against_the_window() {
    let mut scenario =
        Scenario::new("10.5.0 CU12", "10.6.0 CU6").saturday_nights().at("2026-11-20T20:00:00Z");
    for window in &mut scenario.cluster.windows {
        if let Window::Allow { duration, .. } = window {
            *duration = SignedDuration::from_hours(2);
        }
    }
    let plan = scenario.plan();
    let first = plan.steps.iter().position(|step| step.settle.is_some()).unwrap();
    let work = plan.steps[first..].iter().filter(|step| step.action != Action::CleanUp);
    let minutes: i64 = work.filter_map(|step| step.estimate).map(|estimate| estimate.p95.as_mins()).sum();
    let warning = plan.warnings.iter().find(|warning| warning.code == "WindowTooShort").unwrap();
    assert!(warning.message.contains(&format!("takes {minutes} min")), "{minutes}: {}", warning.message);
}

#[test]
fn h4_migrates_on_the_observed_release_if_it_qualifies() {
    let here = Scenario::new("10.5.0 CU12", "10.6.0 CU6");
    assert_eq!(here.way(), "[NATS], 10.6.0 CU6");
    assert!(!warnings(&here.plan()).contains(&"BrokerGatewayUnknown"));
    assert_eq!(here.clone().broker(Some(true)).way(), "10.6.0 CU6");
    // Not seen: planned, and a fresh look right before it decides.
    let unknown = here.broker(None);
    assert_eq!(unknown.way(), "[NATS], 10.6.0 CU6");
    let plan = unknown.plan();
    assert!(warnings(&plan).contains(&"BrokerGatewayUnknown"));
    let migration = plan.steps.iter().find(|step| step.disruption == Disruption::Restart).unwrap();
    assert!(migration.reason.contains("fresh look right before drops this step"), "{}", migration.reason);
    assert_eq!(unknown.agent("a1", |agent| agent.broker_gateway = Some(true)).way(), "[NATS], 10.6.0 CU6");
}

#[test]
fn h4_stops_on_its_own_track_first() {
    assert_eq!(way("10.5.8", "10.6.9"), "10.5.12 CU2, [NATS], 10.6.9");
    assert_eq!(way("10.5.0 CU5", "10.6.0 CU6"), "10.5.0 CU18, [NATS], 10.6.0 CU6");
    // 10.6.1 is of the month of 10.5.0 CU10: no recommended Main Release lies below it.
    assert_eq!(way("10.5.0 CU5", "10.6.1"), "10.5.12 CU2, [NATS], 10.6.1");
    assert_eq!(way("10.4.0 CU20", "10.6.1"), "10.5.12 CU2, [NATS], 10.6.1");
}

#[test]
fn h4_warns_on_a_release_that_is_not_recommended_and_needs_some() {
    let early = Scenario::new("10.5.0 CU5", "10.6.0 CU6").only(&["10.6.0 CU6", "10.5.0 CU8"]);
    assert_eq!(early.way(), "10.5.0 CU8, [NATS], 10.6.0 CU6");
    assert!(warnings(&early.plan()).contains(&"MigrationNotRecommended"));
    let none = Scenario::new("10.5.0 CU3", "10.6.0 CU6").only(&["10.6.0 CU6"]);
    assert_eq!(none.way(), "10.6.0 CU6, !NoPackage");
    // What runs must not be downgraded for it: 10.5.0 lies below 10.5.8.
    assert_eq!(Scenario::new("10.5.8", "10.6.9").only(&["10.5.0 CU18", "10.6.9"]).way(), "[NATS], 10.6.9");
}

#[test]
fn h4_is_done_where_brokergateway_was_seen_and_blocks_where_agents_differ() {
    let seen = Scenario::new("10.5.0 CU4", "10.6.0 CU6").broker(Some(true));
    assert_eq!(seen.way(), "10.6.0 CU6");
    let differ = seen.agent("a2", |agent| agent.broker_gateway = Some(false));
    assert_eq!(differ.way(), "10.6.0 CU6, !ManualStepRequired");
    assert_eq!(differ.plan().blocked[0].agents, [name("a2")]);
    // Below 10.5.0 CU2 it cannot run, whatever a probe says.
    let early = Scenario::new("10.4.0 CU21", "10.6.0 CU6").broker(Some(true));
    assert_eq!(early.way(), "10.5.0 CU18, [NATS], 10.6.0 CU6");
}

#[test]
fn h4_a_missing_tool_is_no_package() {
    for tool in [Tool::Migration, Tool::MigrationCheck] {
        let scenario = Scenario::new("10.4.12", "10.6.0 CU6").without(tool);
        assert_eq!(scenario.way(), "10.5.0 CU18, 10.6.0 CU6, !NoPackage");
        let block = &scenario.plan().blocked[0];
        assert!(block.help.contains(&format!("`{}.dmupgrade`", tool.as_str())), "{}", block.help);
    }
    // Where nothing is migrated none is missed.
    let done = Scenario::new("10.5.0 CU12", "10.6.0 CU6").broker(Some(true)).without(Tool::Migration);
    assert_eq!(done.way(), "10.6.0 CU6");
}

#[test]
fn h4_needs_the_hosting_bundle_that_the_migration_asks_for() {
    let missing = Scenario::new("10.5.0 CU12", "10.6.0 CU6").each(|agent| agent.dotnet = Some(Vec::new()));
    assert_eq!(missing.way(), "[NATS], 10.6.0 CU6, !ManualStepRequired");
}

#[test]
fn h4_a_newer_major_is_reached_behind_the_migration_and_its_own_line() {
    // By analogy (domain/02 H14): the migration before 10.6, and 10.6 before 10.7.
    let mut scenario = Scenario::new("10.4.0 CU21", "10.7.0 CU0");
    scenario.packages.push(crate::testing::package(
        &crate::testing::version("10.7.0 CU0"),
        dataminer_schema::version::PackageKind::Full,
        30_000,
    ));
    assert_eq!(scenario.way(), "10.5.0 CU18, [NATS], 10.6.0 CU6, 10.7.0 CU0");
    assert!(warnings(&scenario.plan()).contains(&"UnknownMajor"));
}

#[test]
fn h7_the_ports_are_checked_on_all_agents_right_before_the_hop() {
    let plan = Scenario::new("9.6.0", "10.3.0 CU22").plan();
    let at = plan.steps.iter().position(|step| step.action == Action::RunTool).unwrap();
    let (tool, hop) = (&plan.steps[at], &plan.steps[at + 1]);
    assert_eq!(
        (tool.agents.len(), tool.disruption, tool.rules.as_slice()),
        (2, Disruption::None, &["H7".to_owned()][..])
    );
    assert_eq!((hop.action, hop.to.as_deref()), (Action::UpgradeCore, Some("10.2.0 CU21")));
    assert_eq!(way("10.0.0 CU20", "10.0.0 CU21"), "10.0.0 CU21");
    let missing = Scenario::new("10.0.9", "10.2.0 CU21").without(Tool::VerifyClusterPorts);
    assert_eq!(missing.way(), "10.2.0 CU21, !NoPackage");
}

#[test]
fn h7_the_check_waits_for_the_window_of_its_hop() {
    let plan = Scenario::new("10.0.9", "10.2.0 CU21").saturday_nights().at("2026-11-20T20:00:00Z").plan();
    let tool = plan.steps.iter().find(|step| step.action == Action::RunTool).unwrap();
    assert!(!tool.ready, "its result lives 10 days");
}

#[test]
fn d5_no_tool_runs_before_the_cluster_is_uniform() {
    // The laggard alone would need VerifyClusterPorts, which is no matter for one Agent.
    let ports = Scenario::new("10.2.0 CU21", "10.2.0 CU21").seen(&[("a1", "10.0.9"), ("a2", "10.2.0 CU20")]);
    let plan = ports.plan();
    assert_eq!(codes(&plan), [BlockCode::MixedCluster]);
    assert!(plan.blocked[0].message.contains("VerifyClusterPorts"), "{}", plan.blocked[0].message);
    // The migration comes once all run one version.
    let mixed =
        Scenario::new("10.6.0 CU6", "10.6.0 CU6").seen(&[("a1", "10.4.0 CU21"), ("a2", "10.5.0 CU12")]);
    let plan = mixed.plan();
    let tool = plan.steps.iter().position(|step| step.action == Action::RunTool).unwrap();
    let joined = plan.steps.iter().position(|step| step.rules.contains(&"D5".to_owned())).unwrap();
    assert!(joined < tool, "{plan:#?}");
    // Across the boundary nothing is repaired: one Agent at 10.6 has BrokerGateway already.
    let boundary =
        Scenario::new("10.6.0 CU6", "10.6.0 CU6").seen(&[("a1", "10.5.0 CU12"), ("a2", "10.6.0 CU2")]);
    assert_eq!(boundary.way(), "!MixedCluster");
}
