use dataminer_schema::v1::observation::{FailoverRole, FailoverState};

use super::*;
use crate::testing::{Scenario, backup, name, observed, version};

fn verdict(agent: AgentObservation, core: &str, web: Option<&str>) -> Verdict {
    let scenario = Scenario::new("10.5.0 CU9", core);
    let catalog = scenario.catalog();
    let expected = Expected { core: Some(ExpectedCore::of(&version(core), &catalog)), web: web.map(version) };
    let mut observation = scenario.observation.clone().unwrap();
    observation.agents = vec![agent];
    let judged = judge(&expected, &[name("a1")], &observation, &catalog);
    assert_eq!(judged.is_right(), judged.first_fault().is_none());
    judged.agents[0].1.clone()
}

fn is_unknown(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Unknown { .. })
}

#[test]
fn the_right_core_on_a_running_agent_is_right() {
    assert_eq!(verdict(observed("a1", "10.5.0 CU9"), "10.5.0 CU9", None), Verdict::Right);
    let wrong = verdict(observed("a1", "10.5.0 CU8"), "10.5.0 CU9", None);
    assert_eq!(wrong, Verdict::Wrong { what: "core 10.5.0 CU8, not 10.5.0 CU9".to_owned() });
    assert!(matches!(verdict(observed("a1", "10.5.9"), "10.5.0 CU9", None), Verdict::Wrong { .. }));
    // A hotfix on the right base is not the release.
    let hotfix = observed("a1", "HF_10.5.0.0(CU9)_20251120-135714");
    assert!(matches!(verdict(hotfix, "10.5.0 CU9", None), Verdict::Wrong { .. }));
}

#[test]
fn builds_decide_where_they_are_known() {
    let build = crate::testing::build_of(&version("10.5.0 CU9"));
    let text = format!("10.5.0.0-{build}-20251120-release");
    assert_eq!(verdict(observed("a1", &text), "10.5.0 CU9", None), Verdict::Right);
    assert!(matches!(verdict(observed("a1", &text), "10.5.0 CU10", None), Verdict::Wrong { .. }));
    let wanted = format!("10.5.0 CU9 (build {})", build + 1);
    assert!(matches!(verdict(observed("a1", &text), &wanted, None), Verdict::Wrong { .. }));
    let unknown = format!("10.5.0.0-{}-20251120-release", build + 1);
    assert!(is_unknown(&verdict(observed("a1", &unknown), "10.5.0 CU9", None)));
}

#[test]
fn what_was_not_seen_is_unknown_and_never_right() {
    let bare = |change: fn(&mut AgentObservation)| {
        let mut agent = observed("a1", "10.5.0 CU9");
        change(&mut agent);
        verdict(agent, "10.5.0 CU9", Some("10.5.12"))
    };
    assert_eq!(bare(|_| {}), Verdict::Right);
    assert!(is_unknown(&bare(|agent| agent.core = None)));
    assert!(is_unknown(&bare(|agent| agent.core = Some("?".to_owned()))));
    assert!(is_unknown(&bare(|agent| agent.web_apps = None)));
    assert!(is_unknown(&bare(|agent| agent.web_apps = Some("?".to_owned()))));
    assert!(is_unknown(&bare(|agent| agent.state = None)));
    assert!(is_unknown(&bare(|agent| agent.reachable = false)));
    assert!(is_unknown(&bare(|agent| agent.name = name("other"))));
    assert_eq!(
        bare(|agent| agent.web_apps = Some("10.6.1".to_owned())),
        Verdict::Wrong { what: "web apps 10.6.1, not 10.5.12".to_owned() }
    );
}

#[test]
fn an_agent_that_is_not_running_is_not_ready_but_a_healthy_offline_partner_counts() {
    let state = |state: AgentState, online: Option<bool>| {
        let mut agent = observed("a1", "10.5.0 CU9");
        agent.state = Some(state);
        agent.failover =
            online.map(|online| FailoverState { role: FailoverRole::Backup, online: Some(online) });
        verdict(agent, "10.5.0 CU9", None)
    };
    assert_eq!(state(AgentState::Starting, None), Verdict::NotReady { state: AgentState::Starting });
    assert_eq!(state(AgentState::Disconnected, None), Verdict::NotReady { state: AgentState::Disconnected });
    assert_eq!(
        state(AgentState::Disconnected, Some(true)),
        Verdict::NotReady { state: AgentState::Disconnected }
    );
    assert_eq!(state(AgentState::Disconnected, Some(false)), Verdict::Right);
    assert_eq!(state(AgentState::Stopped, Some(false)), Verdict::NotReady { state: AgentState::Stopped });
}

#[test]
fn a_re_release_of_the_same_cu_is_not_there_before_its_package_ran() {
    let pinned = ExpectedCore::pinned(version("10.5.0 CU4"), Some(16239));
    let seen = |text: &str| pinned.is(&Catalog::default().release_of(&version(text)));
    assert_eq!(seen("10.5.0.0-15943-20250601-release"), Some(false));
    assert_eq!(seen("10.5.0.0-16239-20250801-release"), Some(true));
}

#[test]
fn what_is_expected_after_a_step_follows_the_plan() {
    let plan = Scenario::new("10.3.0 CU20", "10.5.0 CU12").want_web("10.6.4").plan();
    let core = |expected: &Expected| expected.core.as_ref().map(|core| core.version.release_name());
    let at = |step: &str| Expected::after(&plan, step);
    assert_eq!(at("4"), Expected::default());
    assert_eq!((core(&at("6")).as_deref(), at("6").web), (Some("10.4.0 CU21"), None));
    assert_eq!((core(&at("9")).as_deref(), at("9").web), (Some("10.5.0 CU12"), None));
    assert_eq!((core(&at("12")).as_deref(), at("12").web), (Some("10.5.0 CU12"), Some(version("10.6.4"))));
    assert_eq!(at("6").core.unwrap().builds.len(), 1);
}

#[test]
fn what_is_expected_on_the_way_down_follows_the_plan_too() {
    let scenario = Scenario::new("10.5.0 CU9", "10.5.0 CU7").allow_downgrades().want_web("10.5.11");
    let plan = scenario.vault(backup("good.zip", "2026-10-01T00:00:00Z", Some("10.5.11"))).plan();
    let after = |action: Action| {
        let step = plan.steps.iter().rfind(|step| step.action == action).unwrap();
        let expected = Expected::after(&plan, &step.id);
        (expected.core.map(|core| core.version.release_name()), expected.web)
    };
    let core = Some("10.5.0 CU7".to_owned());
    assert_eq!(after(Action::DowngradeCore), (core.clone(), None));
    let both = (core, Some(version("10.5.11")));
    assert_eq!(after(Action::UpgradeWeb), both);
    // The last look, behind the restore, expects the same.
    assert_eq!(after(Action::VerifyCluster), both);
}
