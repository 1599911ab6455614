//! Every code that a plan can be blocked or held by occurs, each in a plan of its own.

use std::collections::BTreeSet;

use dataminer_schema::{
    plan::{BlockCode, PlanResult, Waiting, WaitingOn},
    v1::{
        cluster::{Approval, FailoverPolicy, Hook, HookEvent, OnFailure, Restore},
        observation::{AgentState, ObservedOperation, OperationState},
    },
};
use jiff::SignedDuration;
use serde::de::DeserializeOwned;

use crate::{
    plan::{Quarantine, Retry},
    testing::{Scenario, codes},
};

/// The words of an enum, from the schema that is generated from it and kept in step by a test of its own.
fn all<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../../../schema/json/plan.schema.json")).expect("JSON");
    let variants = schema["definitions"][name]["oneOf"].as_array().expect("an enum").clone();
    let word = |variant: serde_json::Value| {
        let listed = variant["enum"].get(0).or_else(|| variant.get("const")).cloned();
        serde_json::from_value(listed.expect("a word")).expect("a variant")
    };
    variants.into_iter().map(word).collect()
}

fn upgrade() -> Scenario {
    Scenario::new("10.5.0 CU9", "10.5.0 CU12")
}

/// A cluster whose plan is blocked by this code.
fn blocked_by(code: BlockCode) -> Scenario {
    let mut upgrade = upgrade();
    match code {
        BlockCode::AgentUnreachable => upgrade.agent("a1", |agent| agent.reachable = false),
        BlockCode::ObservationStale => {
            upgrade.now += SignedDuration::from_hours(2);
            upgrade
        }
        BlockCode::OperationInProgress => operated(upgrade, None),
        BlockCode::ManagedElsewhere => {
            upgrade.state.installation = Some("ours".to_owned());
            operated(upgrade, Some("theirs"))
        }
        BlockCode::TopologyMismatch => {
            upgrade.cluster.agents.pop();
            upgrade
        }
        BlockCode::Unhealthy => upgrade.agent("a1", |agent| agent.state = Some(AgentState::Stopped)),
        BlockCode::UnknownBuild => upgrade.each(|agent| agent.core = None),
        BlockCode::NoPackage => upgrade.only(&["10.5.0 CU9"]),
        BlockCode::PackageUnverified => {
            let wanted = |file: &str| file.contains("10.5.0.0(CU12)");
            let package = upgrade.packages.iter().find(|package| wanted(&package.file)).expect("the package");
            let found = (package.sha256.clone(), "its SHA-256 is another".to_owned());
            upgrade.state.unverified.extend([found]);
            upgrade
        }
        BlockCode::NoPath => Scenario::new("9.5.3", "10.3.0 CU22"),
        BlockCode::DowngradeNotAllowed => Scenario::new("10.5.0 CU12", "10.5.0 CU9"),
        BlockCode::NoMatchingBackup => Scenario::new("10.5.0 CU12", "10.5.0 CU9").allow_downgrades(),
        BlockCode::OlderFixesNotAccepted => Scenario::new("10.5.0 CU9", "10.5.5"),
        BlockCode::HotfixInstalled => Scenario::new("HF_10.5.0.0(CU9)_20251120-135714", "10.5.0 CU12"),
        BlockCode::WebNotSupported => Scenario::new("10.2.0 CU21", "10.2.0 CU21").want_web("10.4.7"),
        BlockCode::WebRequiresNewerCore => Scenario::new("10.3.0 CU10", "10.3.0 CU10").want_web("10.5.4"),
        BlockCode::WebRegression => upgrade.web(Some("10.6.4")),
        BlockCode::KnownIssue => Scenario::new("10.4.0 CU16", "10.5.0 CU4"),
        BlockCode::ManualStepRequired => {
            Scenario::new("10.5.0 CU12", "10.6.0 CU6").agent("a2", |agent| agent.broker_gateway = Some(true))
        }
        BlockCode::PrerequisiteKnownToFail => {
            let mut down = Scenario::new("10.4.0 CU21", "10.3.0 CU22").allow_downgrades();
            down.cluster.downgrade.restore = Restore::None;
            down
        }
        BlockCode::UnsafeFailoverPolicy => Scenario::new("10.4.0 CU21", "10.5.0 CU18")
            .pair("a1", "a2")
            .upgrade(|upgrade| upgrade.failover_policy = FailoverPolicy::BackupFirst),
        BlockCode::InsufficientDisk => {
            upgrade.upgrade(|upgrade| upgrade.min_free_disk = dataminer_schema::quantity::ByteSize(1 << 50))
        }
        BlockCode::MixedCluster => {
            Scenario::new("10.6.0 CU6", "10.6.0 CU6").seen(&[("a1", "10.5.0 CU18"), ("a2", "10.6.0 CU6")])
        }
        BlockCode::SecretNotAllowed => {
            upgrade.state.refused_secrets.push("file `/run/secrets/key` for `a1.example`".to_owned());
            upgrade
        }
        BlockCode::HookNotAllowed => {
            upgrade.cluster.hooks.push(Hook {
                event: HookEvent::BeforeDisruption,
                run: "vm-snapshot".to_owned(),
                timeout: SignedDuration::from_mins(10),
            });
            upgrade.state.hooks = Some(BTreeSet::new());
            upgrade
        }
        BlockCode::NotSupportedYet => {
            upgrade.cluster.upgrade.on_failure = OnFailure::Downgrade;
            upgrade.cluster.rollout = Some("monthly".to_owned());
            upgrade
        }
    }
}

fn operated(scenario: Scenario, owner: Option<&str>) -> Scenario {
    scenario.agent("a1", |agent| {
        agent.operation = Some(ObservedOperation {
            id: None,
            action: None,
            state: OperationState::Running,
            owner: owner.map(str::to_owned),
        });
    })
}

#[test]
fn every_block_code_occurs() {
    let all: Vec<BlockCode> = all("BlockCode");
    assert!(all.len() >= 26, "{all:?}");
    for code in all {
        let plan = blocked_by(code).plan();
        assert!(codes(&plan).contains(&code), "{code:?} is not among {:?}", codes(&plan));
        assert_eq!(plan.result, PlanResult::Blocked);
    }
}

/// A cluster whose plan waits for this.
fn waiting_on(on: WaitingOn) -> Scenario {
    let mut upgrade = upgrade();
    match on {
        WaitingOn::Window => return upgrade.saturday_nights().at("2026-11-16T12:00:00Z"),
        WaitingOn::Approval => return upgrade.approval(Approval::Always),
        WaitingOn::Quarantine => {
            let desired = upgrade.desired().digest;
            upgrade.state.quarantine = Some(Quarantine { desired, reason: "it failed".to_owned() });
        }
        WaitingOn::Suspended => upgrade.cluster.suspend = true,
        WaitingOn::Retry => {
            let at = upgrade.now + SignedDuration::from_mins(5);
            upgrade.state.retry = Some(Retry { at, reason: "it failed".to_owned(), attempts: 1 });
        }
        // What only the fleet and its operators know comes in with the state.
        WaitingOn::Manual | WaitingOn::Dependency | WaitingOn::Wave | WaitingOn::Soak | WaitingOn::Frozen => {
            upgrade.state.held = vec![held(on)];
        }
    }
    upgrade
}

fn held(on: WaitingOn) -> Waiting {
    Waiting { on, until: None, message: format!("for {on:?}") }
}

#[test]
fn every_reason_to_wait_occurs() {
    for on in all::<WaitingOn>("WaitingOn") {
        let plan = waiting_on(on).plan();
        assert_eq!(plan.waiting.iter().map(|waiting| waiting.on).collect::<Vec<_>>(), [on]);
        assert_eq!(plan.result, PlanResult::Waiting);
        assert!(
            plan.steps
                .iter()
                .all(|step| !step.ready || step.disruption == dataminer_schema::plan::Disruption::None)
        );
    }
}

#[test]
fn d5_a_repair_skips_wave_and_soak_and_nothing_else() {
    let mut laggard =
        Scenario::new("10.5.0 CU12", "10.5.0 CU12").seen(&[("a1", "10.5.0 CU9"), ("a2", "10.5.0 CU12")]);
    laggard.state.held =
        [WaitingOn::Wave, WaitingOn::Soak, WaitingOn::Dependency, WaitingOn::Frozen].map(held).into();
    let waits: Vec<_> = laggard.plan().waiting.iter().map(|waiting| waiting.on).collect();
    assert_eq!(waits, [WaitingOn::Dependency, WaitingOn::Frozen]);
}
