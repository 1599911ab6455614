//! The invariants of the design that are the planner's, over random fleets.

use dataminer_schema::{
    plan::{Action, Plan, PlanResult},
    v1::{
        cluster::{Extras, Restore},
        observation::{AgentState, Backup, HistoryEntry, Observation},
    },
    version::PackageKind,
};
use proptest::{prelude::*, strategy::ValueTree};

use crate::{
    converged::{Expected, judge},
    knowledge,
    release::Release,
    testing::{Scenario, backup, build_of, owed_module, owed_restore, package, render, version},
};

/// Carries the plan out on paper: what a perfect executor would leave behind.
fn carry_out(plan: &Plan, observation: &mut Observation) {
    for step in &plan.steps {
        for agent in observation.agents.iter_mut().filter(|agent| step.agents.contains(&agent.name)) {
            let to = step.to.clone();
            match step.action {
                Action::UpgradeCore | Action::DowngradeCore => {
                    agent.web_apps.clone_from(&to);
                    agent.core = to;
                }
                Action::UpgradeWeb | Action::DowngradeWeb => agent.web_apps = to,
                _ => {}
            }
        }
    }
}

#[test]
fn invariant_1_the_same_input_gives_a_byte_identical_plan_whatever_its_order() {
    // `Scenario::plan` compares with the plan from reversed Agents and packages.
    let plan = Scenario::new("10.3.0 CU20", "10.5.0 CU12").want_web("10.6.4").plan();
    assert_eq!(plan, Scenario::new("10.3.0 CU20", "10.5.0 CU12").want_web("10.6.4").plan());
}

#[test]
fn invariant_2_a_plan_leaves_no_choice() {
    let plan = Scenario::new("10.3.0 CU20", "10.5.0 CU12").want_web("10.6.4").plan();
    for step in &plan.steps {
        let installs = matches!(step.action, Action::StagePackage | Action::UpgradeCore | Action::UpgradeWeb);
        assert_eq!(step.sha256.is_some(), installs, "{step:?}");
        assert!(!step.agents.is_empty());
    }
}

#[test]
fn invariant_3_a_plan_over_a_converged_cluster_is_empty() {
    let plan = Scenario::new("10.5.0 CU12", "10.5.0 CU12").want_web("10.6.3").plan();
    assert_eq!(plan.result, PlanResult::Converged);
    assert!(plan.steps.is_empty());
}

#[test]
fn the_id_covers_what_an_approval_stands_for_and_nothing_else() {
    let scenario = Scenario::new("10.5.0 CU9", "10.5.0 CU12");
    let id = scenario.plan().id;
    let mut same = scenario.clone().saturday_nights().at("2026-11-17T20:00:00Z");
    same.cluster.labels.insert("a".to_owned(), "b".to_owned());
    same.cluster.suspend = true;
    assert_eq!(same.plan().id, id);
    let mut others = vec![
        Scenario::new("10.5.0 CU9", "10.5.0 CU13"),
        Scenario::new("10.5.0 CU8", "10.5.0 CU12"),
        scenario.clone().want_web("10.6.4"),
        scenario.clone().upgrade(|upgrade| upgrade.options.reboot_after_upgrade = true),
        scenario.clone().agent("a1", |agent| agent.state = Some(AgentState::Stopped)),
        scenario.clone().seen(&[("a1", "10.5.0 CU9")]),
    ];
    let mut repacked = scenario;
    for package in repacked.packages.iter_mut().filter(|package| package.file.contains("10.5.0.0(CU12)")) {
        package.sha256 = dataminer_schema::id::Sha256::of(b"another file under the same name");
    }
    others.push(repacked);
    let mut ids = vec![id];
    for other in others {
        let id = other.plan().id;
        assert!(!ids.contains(&id), "{}", render(&other.plan()));
        ids.push(id);
    }
}

fn release() -> impl Strategy<Value = String> {
    let names: Vec<String> = knowledge::final_releases()
        .into_iter()
        .filter_map(Release::exact)
        .map(|release| release.name())
        .chain(["9.6.0".to_owned(), "10.7.0 CU0".to_owned(), "HF_10.5.0.0(CU9)_20251120-135714".to_owned()])
        .collect();
    prop::sample::select(names)
}

fn observed_core() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        8 => release().prop_map(Some),
        1 => (0_u16..8, 0_u32..40_000).prop_map(|(minor, build)| Some(format!("10.{minor}.0.0-{build}-20250101-release"))),
        1 => Just(None),
        1 => Just(Some("garbage".to_owned())),
    ]
}

/// Backups of few names, so that the same bytes are found in several places, under several records.
fn backups() -> impl Strategy<Value = Vec<Backup>> {
    let one = (
        0_u8..6,
        prop::option::weighted(0.9, 1_u8..28),
        prop::option::weighted(0.6, release()),
        any::<[bool; 4]>(),
    );
    let one = one.prop_map(|(name, day, content, [hashed, torn, copy, other])| {
        let file = format!("backup-{name}.zip");
        let at = format!("2026-10-{:02}T00:00:00Z", day.unwrap_or(1));
        let mut backup = Backup { torn, copy, ..backup(&file, &at, content.as_deref()) };
        backup.at = backup.at.filter(|_| day.is_some());
        if !hashed && !other {
            backup.sha256 = None;
        }
        if other {
            backup.file = format!("renamed-{name}.zip");
        }
        backup
    });
    prop::collection::vec(one, 0..5)
}

fn history() -> impl Strategy<Value = Option<Vec<HistoryEntry>>> {
    let entry = (1_u8..12, release()).prop_map(|(month, version)| HistoryEntry {
        at: format!("2026-{month:02}-01T00:00:00Z").parse().expect("a timestamp"),
        version,
    });
    prop::option::weighted(0.8, prop::collection::vec(entry, 0..3))
}

/// A scenario with backups, histories, restores of every kind and sometimes owed work.
fn with_content() -> impl Strategy<Value = Scenario> {
    let agents = prop::collection::vec((backups(), history(), history(), 0_u8..12), 3);
    let restore = prop::sample::select(vec![Restore::Matching, Restore::MostRecent, Restore::None]);
    (scenario(), backups(), agents, restore, any::<bool>(), prop::option::of(18_i8..25)).prop_map(
        |(mut scenario, vault, agents, restore, aside, until)| {
            scenario = vault.into_iter().fold(scenario, Scenario::vault);
            let observation = scenario.observation.as_mut().unwrap();
            for (agent, (backups, history, web_history, owed)) in observation.agents.iter_mut().zip(agents) {
                agent.backups = Some(backups);
                agent.history = history;
                agent.web_history = web_history;
                agent.owed = match owed {
                    0 => {
                        Some(vec![owed_restore("p1-7", "backup-0.zip"), owed_module("p1-8", "DataMiner GQI")])
                    }
                    1 => {
                        Some(vec![owed_module("p1-8", "DataMiner Web"), owed_restore("p2-7", "backup-1.zip")])
                    }
                    _ => None,
                };
                if owed == 2 {
                    agent.unknown.insert("owed".to_owned(), "garbage".to_owned());
                }
            }
            scenario.cluster.downgrade.restore = restore;
            scenario.cluster.downgrade.extras = if aside { Extras::MoveAside } else { Extras::Keep };
            scenario.cluster.downgrade.until = until.map(|day| jiff::civil::date(2026, 11, day));
            scenario
        },
    )
}

/// A healthy cluster above its target that may fall, with a backup of every level.
fn falling() -> impl Strategy<Value = Scenario> {
    healthy().prop_map(|mut scenario| {
        let to = scenario.cluster.software.core.clone();
        let observation = scenario.observation.as_mut().unwrap();
        let low = observation.agents.iter().filter_map(|agent| agent.core.clone()).min().unwrap();
        for agent in &mut observation.agents {
            // Turned over: what was wanted runs, and what ran lowest is wanted.
            agent.core = Some(to.release_name());
            agent.web_apps = agent.core.clone().filter(|_| agent.web_apps.is_some());
            agent.swarming = Some(false);
            agent.broker_gateway = Some(false);
        }
        scenario.cluster.software.core = version(&low);
        let readable = backup("oldest.zip", "2024-01-01T00:00:00Z", Some("10.0.2"));
        scenario.allow_downgrades().vault(readable)
    })
}

fn scenario() -> impl Strategy<Value = Scenario> {
    let flags = prop::array::uniform6(prop::option::weighted(0.8, any::<bool>()));
    let web = prop_oneof![
        3 => Just("unmanaged".to_owned()), 1 => Just("bundled".to_owned()), 3 => release()
    ];
    (
        release(),
        observed_core(),
        prop::collection::vec((observed_core(), prop::option::weighted(0.7, release()), any::<bool>()), 1..4),
        prop::collection::vec(any::<bool>(), 250),
        (flags, web, any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()),
    )
        .prop_map(|(to, base, agents, keep, (flags, web, older, downgrade, windows, pair))| {
            let names = ["a1", "a2", "a3"];
            let seen: Vec<(&str, &str)> =
                names.iter().zip(&agents).map(|(name, _)| (*name, "10.5.0 CU9")).collect();
            let web = if web.starts_with("HF_") { "unmanaged".to_owned() } else { web };
            let to = if to.starts_with("HF_") { "10.5.0 CU9".to_owned() } else { to };
            let mut scenario = Scenario::new("10.5.0 CU9", &to).seen(&seen).want_web(&web);
            scenario.packages.push(package(
                &version("10.7.0 CU0"),
                PackageKind::Full,
                build_of(&version("10.7.0 CU0")),
            ));
            let mut keep = keep.into_iter().cycle();
            if older {
                scenario.packages.retain(|_| keep.next().unwrap_or(true));
            }
            if pair && agents.len() > 1 {
                scenario = scenario.pair("a1", "a2");
            }
            if windows {
                scenario = scenario.saturday_nights();
            }
            if downgrade {
                scenario = scenario.allow_downgrades();
            }
            scenario.cluster.upgrade.accept_older_fixes = older;
            let observation = scenario.observation.as_mut().unwrap();
            for (agent, (core, web, own)) in observation.agents.iter_mut().zip(agents) {
                agent.core = if own { core } else { base.clone() };
                agent.web_apps = web;
                agent.broker_gateway = flags[0];
                agent.expired_users = flags[1];
                agent.default_upgrade_options = flags[2];
                agent.pending_reboot = flags[3].map(|flag| flag && own);
                agent.reachable = flags[4] != Some(false) || own;
                agent.state =
                    flags[5].map(|running| if running { AgentState::Running } else { AgentState::Starting });
            }
            scenario
        })
}

/// A healthy cluster below its target, with BrokerGateway, at most two versions and known web levels: most of these
/// have a way.
fn healthy() -> impl Strategy<Value = Scenario> {
    let index = 0..knowledge::final_releases().len();
    (
        (index.clone(), index.clone(), index),
        prop::collection::vec(any::<bool>(), 1..4),
        prop_oneof![Just("unmanaged"), Just("bundled"), Just("10.6.9")],
        any::<bool>(),
        prop::option::of(any::<bool>()),
    )
        .prop_map(|((a, b, c), laggards, web, older, known)| {
            let releases: Vec<Release> =
                knowledge::final_releases().into_iter().filter_map(Release::exact).collect();
            let mut places = [a, b, c];
            places.sort_unstable();
            let [low, high, to] = places.map(|place| releases[place].name());
            let names = ["a1", "a2", "a3"];
            let seen: Vec<(&str, &str)> = names
                .iter()
                .zip(&laggards)
                .map(|(name, lags)| (*name, if *lags { low.as_str() } else { high.as_str() }))
                .collect();
            let mut scenario = Scenario::new(&low, &to).seen(&seen).broker(Some(true)).want_web(web);
            scenario.cluster.upgrade.accept_older_fixes = older;
            if known == Some(false) {
                scenario = scenario.web(None);
            }
            scenario
        })
}

#[test]
fn most_of_the_healthy_random_clusters_have_a_way() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut free = 0;
    for _ in 0..200 {
        let tree = healthy().new_tree(&mut runner).expect("the strategy filters nothing");
        free += usize::from(tree.current().plan().blocked.is_empty());
    }
    assert!(free > 60, "only {free} of 200: the property below would prove little");
}

#[test]
fn many_of_the_falling_random_clusters_have_a_way() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut free, mut restored) = (0, 0);
    for _ in 0..200 {
        let plan = falling().new_tree(&mut runner).expect("the strategy filters nothing").current().plan();
        free += usize::from(plan.blocked.is_empty());
        restored += usize::from(plan.blocked.is_empty() && plan.content_loss.is_some());
    }
    assert!(
        free > 40 && restored > 15,
        "only {free} and {restored} of 200: the property below would prove little"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    /// Never panics, lints clean, and does not depend on the order of its input: `Scenario::plan` checks the latter two.
    #[test]
    fn random_fleets_plan_and_lint_clean(scenario in scenario()) {
        let plan = scenario.plan();
        prop_assert!(plan.result != PlanResult::Converged || plan.steps.is_empty());
    }

    /// A plan that nothing blocks, carried out, reaches a cluster with nothing left to do.
    #[test]
    fn invariant_3_carrying_a_plan_out_reaches_the_fixed_point(mut scenario in healthy()) {
        let plan = scenario.plan();
        if plan.blocked.is_empty() {
            let observation = scenario.observation.as_mut().unwrap();
            carry_out(&plan, observation);
            for agent in &mut observation.agents {
                agent.state = Some(AgentState::Running);
            }
            let after = scenario.plan();
            prop_assert_eq!(after.result, PlanResult::Converged, "{}\n{}", render(&plan), render(&after));
            let (catalog, desired) = (scenario.catalog(), scenario.desired());
            let names: Vec<_> = plan.agents.iter().map(|agent| agent.name.clone()).collect();
            let expected = Expected::of_desired(&desired, &catalog);
            let judged = judge(&expected, &names, scenario.observation.as_ref().unwrap(), &catalog);
            prop_assert!(judged.is_right(), "{:?}", judged.first_fault());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// The vault, backups, histories and notes do not show their order either.
    #[test]
    fn random_content_plans_and_lints_clean(scenario in with_content()) {
        let plan = scenario.plan();
        prop_assert!(plan.result != PlanResult::Converged || plan.steps.is_empty());
        let owed = scenario.observation.iter().flat_map(|seen| &seen.agents);
        let mut owed = owed.filter(|agent| agent.reachable && agent.owed.as_ref().is_some_and(|owed| !owed.is_empty()));
        prop_assert!(owed.next().is_none() || plan.result != PlanResult::Converged);
        for step in &plan.steps {
            let held = step.backup.as_ref().is_none_or(|pinned| {
                let agents = scenario.observation.iter().flat_map(|seen| &seen.agents).filter(|agent| agent.reachable);
                let all = scenario.vault.iter().chain(agents.flat_map(|agent| agent.backups.iter().flatten()));
                all.filter_map(|backup| backup.sha256.as_ref()).any(|sha256| *sha256 == pinned.sha256)
            });
            prop_assert!(held, "it pins what nobody has: {step:?}");
        }
    }

    /// So does one that goes down.
    #[test]
    fn invariant_3_carrying_a_downgrade_out_reaches_the_fixed_point(mut scenario in falling()) {
        let plan = scenario.plan();
        if plan.blocked.is_empty() {
            carry_out(&plan, scenario.observation.as_mut().unwrap());
            let after = scenario.plan();
            prop_assert_eq!(after.result, PlanResult::Converged, "{}\n{}", render(&plan), render(&after));
        }
    }
}
