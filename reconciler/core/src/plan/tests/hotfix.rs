//! D4: hotfixes and custom builds.

use dataminer_schema::{
    id::Sha256,
    plan::{Action, BlockCode, Change, PlanResult},
    v1::catalog::{Insides, Package},
    version::PackageKind,
};

use crate::testing::{Scenario, codes};

const HOTFIX: &str = "HF_10.5.0.0(CU9)_20251120-135714";

fn packed(name: &str) -> Package {
    let file = format!("{name}.dmupgrade");
    Package {
        sha256: Sha256::of(file.as_bytes()),
        file,
        size: Some(1 << 20),
        source: None,
        kind: PackageKind::Tool,
        version: None,
        insides: Insides::default(),
    }
}

/// The wanted core with these hotfixes, each of them in the catalogue.
fn wanting(from: &str, to: &str, hotfixes: &[&str]) -> Scenario {
    let mut scenario = Scenario::new(from, to).web(Some("10.5.12"));
    scenario.cluster.software.hotfixes = hotfixes.iter().map(|&name| name.to_owned()).collect();
    scenario.packages.extend(hotfixes.iter().map(|name| packed(name.trim_end_matches(".dmupgrade"))));
    scenario
}

fn installed(scenario: &Scenario) -> Vec<String> {
    let plan = scenario.plan();
    let steps = plan.steps.iter().filter(|step| step.action == Action::InstallHotfix);
    steps.filter_map(|step| step.package.clone()).collect()
}

#[test]
fn d4_a_listed_hotfix_on_the_wanted_core_is_there() {
    for listed in [HOTFIX, "HF_10.5.0.0(CU9)_20251120-135714.dmupgrade", "hf_10.5.0.0(cu9)_20251120-135714"] {
        let plan = wanting(HOTFIX, "10.5.0 CU9", &[listed]).plan();
        assert_eq!((plan.result, plan.change), (PlanResult::Converged, Change::None), "{listed}: {plan:#?}");
    }
    // Another one is not; nor is this one on another base.
    let other = "HF_10.5.0.0(CU9)_20251221-101010";
    assert_eq!(codes(&wanting(HOTFIX, "10.5.0 CU9", &[other]).plan())[0], BlockCode::HotfixInstalled);
    assert_eq!(codes(&wanting(HOTFIX, "10.5.0 CU10", &[HOTFIX]).plan())[0], BlockCode::HotfixInstalled);
    let custom = "10.5.9.0-15588-20250319-custom";
    let plan = wanting(custom, "10.5.9", &[custom]).plan();
    assert_eq!(plan.result, PlanResult::Converged, "{plan:#?}");
}

#[test]
fn d4_listed_hotfixes_follow_the_core_in_their_order() {
    let (first, second) = (HOTFIX, "HF_10.5.0.0(CU9)_20251221-101010");
    let upgrade = wanting("10.5.0 CU8", "10.5.0 CU9", &[first, second]);
    assert_eq!(installed(&upgrade), [format!("{first}.dmupgrade"), format!("{second}.dmupgrade")]);
    let plan = upgrade.plan();
    let order: Vec<String> = plan.steps.iter().map(|step| format!("{:?}", step.action)).collect();
    assert_eq!(
        order[5..],
        [
            "UpgradeCore",
            "VerifyCluster",
            "SaveBackup",
            "InstallHotfix",
            "VerifyCluster",
            "InstallHotfix",
            "VerifyCluster",
            "CleanUp"
        ]
    );
    let hotfix = plan.steps.iter().find(|step| step.action == Action::InstallHotfix).unwrap();
    assert_eq!(hotfix.to.as_deref(), Some("10.5.0 CU9 (hotfix)"));
    assert_eq!((hotfix.rules.as_slice(), hotfix.agents.len()), (&["D4".to_owned()][..], 2));
    // On the wanted core those that are missing follow, and no more.
    assert_eq!(installed(&wanting("10.5.0 CU9", "10.5.0 CU9", &[first, second])).len(), 2);
    let half = wanting(HOTFIX, "10.5.0 CU9", &[first, second]);
    assert_eq!(installed(&half), [format!("{second}.dmupgrade")]);
    assert_eq!(half.plan().change, Change::Upgrade);
}

#[test]
fn d4_a_listed_hotfix_needs_its_package() {
    let mut scenario = wanting("10.5.0 CU9", "10.5.0 CU9", &[HOTFIX]);
    scenario.packages.retain(|package| !package.file.starts_with("HF_"));
    let plan = scenario.plan();
    assert!(codes(&plan).contains(&BlockCode::NoPackage), "{plan:#?}");
    assert!(plan.blocked[0].message.contains(HOTFIX), "{}", plan.blocked[0].message);
}

/// The name is what somebody looks for in the release notes of the target.
#[test]
fn d4_a_hotfix_that_would_be_lost_is_named_as_the_agents_show_it() {
    let plan = Scenario::new(HOTFIX, "10.5.0 CU12").web(Some("10.5.12")).plan();
    let message = &plan.blocked[0].message;
    assert_eq!(
        message,
        &format!("the hotfix `{HOTFIX}` of core 10.5.0 CU9 would be replaced by 10.5.0 CU12")
    );
}
