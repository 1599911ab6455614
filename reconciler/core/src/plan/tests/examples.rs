//! Every example of the design, in its order (`design/03`, last paragraph): the whole catalogue, and BrokerGateway seen
//! not to run, but where it says otherwise.

use dataminer_schema::{
    plan::{Action, BlockCode, Change},
    v1::cluster::Restore,
};

use crate::testing::{Scenario, codes, name};

fn way(from: &str, to: &str) -> String {
    Scenario::new(from, to).way()
}

#[test]
fn design_03_examples_of_the_way_up() {
    assert_eq!(way("9.6.0", "10.3.0 CU22"), "10.0.0 CU19, [VerifyClusterPorts], 10.2.0 CU21, 10.3.0 CU22");
    assert_eq!(way("10.4.0 CU6", "10.4.0 CU8"), "10.4.0 CU8");
    assert_eq!(way("10.4.12", "10.6.0 CU6"), "10.5.0 CU18, [NATS], 10.6.0 CU6");
    assert_eq!(way("10.0.9", "10.2.0 CU21"), "[VerifyClusterPorts], 10.2.0 CU21");
    assert_eq!(way("9.6.0", "10.0.9"), "10.0.9");
    assert_eq!(
        way("10.1.0 CU9", "10.6.0 CU6"),
        "10.2.0 CU21, 10.3.0 CU22, 10.4.0 CU21, 10.5.0 CU18, [NATS], 10.6.0 CU6"
    );
    assert_eq!(way("10.4.0 CU20", "10.6.4"), "10.5.0 CU13, [NATS], 10.6.4");
    assert_eq!(Scenario::new("10.6.0 CU1", "10.6.0 CU6").broker(None).way(), "10.6.0 CU6");
    // Those of `domain/02` besides.
    assert_eq!(way("10.3.0 CU10", "10.5.0 CU18"), "10.4.0 CU21, 10.5.0 CU18");
    assert_eq!(way("10.4.12", "10.5.0 CU18"), "10.5.0 CU18");
    assert_eq!(way("10.5.8", "10.6.9"), "10.5.12 CU2, [NATS], 10.6.9");
}

#[test]
fn design_03_examples_of_the_way_down() {
    let mut three = Scenario::new("10.4.0 CU21", "10.1.0 CU21").allow_downgrades();
    three.cluster.downgrade.patch_prerequisites = true;
    three.cluster.downgrade.restore = Restore::None;
    assert_eq!(three.way(), "down 10.3.0 CU22, down 10.2.0 CU21, down 10.1.0 CU21");
    three.cluster.downgrade.patch_prerequisites = false;
    assert!(three.way().ends_with("!PrerequisiteKnownToFail"));
    let down = Scenario::new("10.5.12", "10.5.0 CU18");
    assert_eq!(down.way(), "!DowngradeNotAllowed");
    let plan = down.allow_downgrades().plan();
    assert_eq!((crate::testing::way(&plan).as_str(), plan.change), ("down 10.5.0 CU18", Change::Downgrade));
    assert!(plan.content_loss.is_none(), "72 -> 81: the level rises");
}

#[test]
fn design_03_examples_that_block() {
    assert_eq!(
        codes(&Scenario::new("10.5.0 CU9", "10.5.5").plan()),
        [BlockCode::OlderFixesNotAccepted, BlockCode::WebRegression]
    );
    let web = Scenario::new("10.3.0 CU10", "10.3.0 CU10").want_web("10.5.4").plan();
    assert_eq!(codes(&web), [BlockCode::WebRequiresNewerCore]);
    assert!(web.blocked[0].help.contains("10.4.0 CU13"), "{}", web.blocked[0].help);
    assert_eq!(
        Scenario::new("10.5.0 CU18", "10.6.0 CU6").broker(Some(true)).want_web("10.6.4").way(),
        "10.6.0 CU6, !WebRegression"
    );
    let known = Scenario::new("10.4.0 CU16", "10.5.0 CU4").plan();
    assert!(codes(&known).contains(&BlockCode::KnownIssue), "{known:#?}");
}

#[test]
fn design_03_example_of_a_listed_hotfix() {
    let hotfix = "HF_10.5.0.0(CU9)_20251120-135714";
    let mut scenario = Scenario::new(hotfix, "10.5.0 CU9").web(Some("10.5.12"));
    scenario.cluster.software.hotfixes = vec![format!("{hotfix}.dmupgrade")];
    assert_eq!(scenario.way(), "Converged");
    scenario.cluster.software.hotfixes.clear();
    assert_eq!(scenario.way(), "10.5.0 CU9, !HotfixInstalled");
}

#[test]
fn design_03_example_of_a_mixed_cluster() {
    let legacy =
        Scenario::new("10.4.0 CU21", "10.6.0 CU6").seen(&[("a1", "10.4.0 CU21"), ("a2", "10.5.0 CU12")]);
    let plan = legacy.plan();
    assert_eq!(legacy.way(), "10.5.0 CU12, [NATS], 10.6.0 CU6");
    assert_eq!(plan.change, Change::Repair);
    let at = plan.steps.iter().position(|step| step.action == Action::UpgradeCore).unwrap();
    assert_eq!(plan.steps[at].agents, [name("a1")]);
    assert_eq!((plan.steps[at + 1].action, plan.steps[at + 1].agents.len()), (Action::VerifyCluster, 2));
    for step in plan.steps.iter().skip(at + 1) {
        assert_eq!(step.agents.len(), 2, "{step:?}");
    }
    // One with and one without BrokerGateway: not repaired unattended.
    let differs = legacy.agent("a2", |agent| agent.broker_gateway = Some(true));
    assert_eq!(differs.way(), "!MixedCluster");
}
