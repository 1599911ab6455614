//! S5: what each step needs, and what the observation shows of it.

use dataminer_schema::{
    plan::{Action, BlockCode, Plan, Requirement, RequirementState},
    quantity::ByteSize,
};

use crate::testing::{Scenario, codes, name, warnings};

fn upgrade() -> Scenario {
    Scenario::new("10.5.0 CU9", "10.5.0 CU12")
}

/// What the first step of this action needs.
fn needs(plan: &Plan, action: Action) -> &[Requirement] {
    let step = plan.steps.iter().find(|step| step.action == action);
    &step.unwrap_or_else(|| panic!("a {action:?} in {plan:#?}")).requirements
}

fn state<'p>(
    plan: &'p Plan,
    need: &str,
) -> Option<(RequirementState, &'p [dataminer_schema::id::AgentName])> {
    let found = needs(plan, Action::UpgradeCore).iter().find(|known| known.name == need);
    found.map(|known| (known.state, known.agents.as_slice()))
}

#[test]
fn s5_each_hop_names_what_it_needs() {
    let plan = Scenario::new("10.3.0 CU20", "10.5.0 CU12").plan();
    let hops: Vec<Vec<&str>> = plan
        .steps
        .iter()
        .filter(|step| step.action == Action::UpgradeCore)
        .map(|step| step.requirements.iter().map(|need| need.name.as_str()).collect())
        .collect();
    let [first, second] = hops.as_slice() else { panic!("two hops: {hops:?}") };
    assert!(first.contains(&"ASP.NET Core 8.0 hosting bundle") && first.contains(&"VerifyNatsIsRunning"));
    assert!(!first.contains(&"ASP.NET Core 10.0 hosting bundle"), "{first:?}");
    assert!(second.contains(&"ASP.NET Core 10.0 hosting bundle") && second.contains(&"VerifyNatsCluster"));
    assert!(second.contains(&"Visual C++ 14.44.35211.0 or later"), "{second:?}");
    // What prepares, saves and looks needs nothing.
    let others = plan.steps.iter().filter(|step| step.action != Action::UpgradeCore);
    assert!(others.into_iter().all(|step| step.requirements.is_empty()));
    assert_eq!(warnings(&plan).iter().filter(|code| **code == "RequirementUnknown").count(), 0);
}

#[test]
fn s5_a_missing_bundle_blocks_and_names_the_agents() {
    let bundle = "ASP.NET Core 8.0 hosting bundle";
    let plan = upgrade().agent("a2", |agent| agent.dotnet = Some(vec!["10.0.1".to_owned()])).plan();
    assert_eq!(codes(&plan), [BlockCode::ManualStepRequired]);
    assert!(plan.blocked[0].message.contains(bundle) && plan.blocked[0].help.contains(bundle));
    assert_eq!(state(&plan, bundle), Some((RequirementState::Missing, &[name("a2")][..])));
    assert_eq!(state(&plan, "VerifyDotNetVersion").map(|(state, _)| state), Some(RequirementState::Missing));
    assert_eq!(state(&plan, "ASP.NET Core 10.0 hosting bundle"), Some((RequirementState::Met, &[][..])));
    let met = upgrade().plan();
    assert_eq!((codes(&met), state(&met, bundle)), (vec![], Some((RequirementState::Met, &[][..]))));
    assert_eq!(state(&met, "VerifyDotNetVersion").map(|(state, _)| state), Some(RequirementState::Checked));
}

#[test]
fn s5_what_was_not_seen_is_one_warning() {
    let plan = upgrade().each(|agent| agent.dotnet = None).agent("a1", |agent| agent.vcredist = None).plan();
    assert_eq!((codes(&plan), warnings(&plan)), (vec![], vec!["RequirementUnknown"]));
    let message = &plan.warnings[0].message;
    assert!(
        message.contains("ASP.NET Core 8.0 hosting bundle, ASP.NET Core 10.0 hosting bundle on a1 and a2"),
        "{message}"
    );
    assert!(message.contains("Visual C++ 14.44.35211.0 or later on a1"), "{message}");
}

#[test]
fn s5_an_older_visual_cpp_is_a_warning_of_a_restart() {
    let with = |version: &str| upgrade().each(|agent| agent.vcredist = Some(version.to_owned())).plan();
    let older = with("v14.40.33816.00");
    assert_eq!((codes(&older), warnings(&older)), (vec![], vec!["RequirementMissing"]));
    assert_eq!(warnings(&with("v14.44.35211.00")), Vec::<&str>::new());
    // Older releases are content with less.
    let before = Scenario::new("10.5.0 CU2", "10.5.0 CU6")
        .each(|agent| agent.vcredist = Some("14.40.33816".to_owned()))
        .plan();
    assert!(!warnings(&before).contains(&"RequirementMissing"));
}

#[test]
fn s5_windows_that_the_target_refuses_blocks() {
    let with = |os: &str, to: &str| {
        let scenario = Scenario::new("10.6.0 CU1", to).each(|agent| agent.os = Some(os.to_owned()));
        codes(&scenario.plan())
    };
    assert_eq!(with("Windows build 9600", "10.6.0 CU6"), [BlockCode::PrerequisiteKnownToFail]);
    assert_eq!(with("Windows build 14393", "10.6.0 CU6"), []);
    assert_eq!(codes(&upgrade().each(|agent| agent.os = Some("Windows build 9600".to_owned())).plan()), []);
}

#[test]
fn s5_disk_and_ports_are_named() {
    let plan = upgrade().agent("a1", |agent| agent.free_disk = Some(ByteSize(20 << 30))).plan();
    assert_eq!(
        state(&plan, "21.0 GiB of free disk space"),
        Some((RequirementState::Missing, &[name("a1")][..]))
    );
    assert_eq!(
        state(&plan, "TCP 4222, 6222, 9090 between Agents").map(|(state, _)| state),
        Some(RequirementState::Checked)
    );
    // From 10.6 on NAS is gone, and the package tries gRPC.
    let newer = Scenario::new("10.6.0 CU1", "10.6.0 CU6").plan();
    assert!(state(&newer, "TCP 443, 4222, 6222 between Agents").is_some(), "{newer:#?}");
    let single = upgrade().seen(&[("a1", "10.5.0 CU9")]).plan();
    assert!(needs(&single, Action::UpgradeCore).iter().all(|need| !need.name.starts_with("TCP")));
}

#[test]
fn s5_web_packages_ask_for_net_10_from_10_6_5_on() {
    let bundle = |level: &str| {
        let plan = Scenario::new("10.5.0 CU9", "10.5.0 CU9").want_web(level).plan();
        needs(&plan, Action::UpgradeWeb).iter().any(|need| need.name == "ASP.NET Core 10.0 hosting bundle")
    };
    assert!(!bundle("10.6.4") && bundle("10.6.5"));
}

#[test]
fn a_check_that_brokergateway_passes_is_met() {
    let check = "VerifyBrokerGatewayMigration";
    let plan = Scenario::new("10.6.0 CU1", "10.6.0 CU6").plan();
    assert_eq!(state(&plan, check), Some((RequirementState::Met, &[][..])));
    assert_eq!(state(&upgrade().plan(), check), None);
}

#[test]
fn g2_a_check_that_refuses_the_way_down_is_known_to_fail() {
    let down = |from: &str, patch: bool| {
        let mut scenario = Scenario::new(from, "10.3.0 CU22").allow_downgrades();
        scenario.cluster.downgrade.patch_prerequisites = patch;
        let plan = scenario.plan();
        let needs = needs(&plan, Action::DowngradeCore);
        needs.iter().find(|need| need.name == "VerifyNatsIsRunning").map(|need| need.state)
    };
    assert_eq!(down("10.4.0 CU21", false), Some(RequirementState::Missing));
    assert_eq!(down("10.4.0 CU21", true), None);
    let inside = Scenario::new("10.3.0 CU22", "10.3.0 CU20").allow_downgrades().plan();
    let inside = needs(&inside, Action::DowngradeCore).iter().find(|need| need.name == "VerifyNatsIsRunning");
    assert_eq!(inside.map(|need| need.state), Some(RequirementState::Checked));
}

#[test]
fn each_step_that_changes_a_version_links_its_release_notes() {
    let plan = Scenario::new("10.3.0 CU20", "10.5.0 CU12").want_web("10.6.4").plan();
    for step in &plan.steps {
        let changes = matches!(step.action, Action::UpgradeCore | Action::UpgradeWeb);
        assert_eq!(step.release_notes.is_some(), changes, "{step:?}");
    }
    let links: Vec<&str> = plan.steps.iter().filter_map(|step| step.release_notes.as_deref()).collect();
    assert_eq!(
        links[1],
        "https://docs.dataminer.services/release-notes/General/General_Main_Release_10.5/General_Main_Release_10.5.0_CU12.html"
    );
    assert!(links[2].ends_with("Web_apps_Feature_Release_10.6.4.html"), "{links:?}");
}
