//! Random fleets for the properties of the planner.

use dataminer_schema::{
    v1::{
        cluster::{AgentKind, Cluster, Extras, Hook, HookEvent, Restore, UpgradeMode},
        observation::{AgentState, Backup, HistoryEntry},
    },
    version::PackageKind,
};
use proptest::prelude::*;

use crate::{
    knowledge::Knowledge,
    release::Release,
    testing::{Scenario, backup, build_of, owed_module, owed_restore, package, version},
};

fn release() -> impl Strategy<Value = String> {
    let names: Vec<String> = Knowledge::built_in()
        .final_releases()
        .iter()
        .cloned()
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
pub(super) fn with_content() -> impl Strategy<Value = Scenario> {
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
pub(super) fn falling() -> impl Strategy<Value = Scenario> {
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

pub(super) fn scenario() -> impl Strategy<Value = Scenario> {
    let flags = prop::array::uniform6(prop::option::weighted(0.8, any::<bool>()));
    let web = prop_oneof![
        3 => Just("unmanaged".to_owned()), 1 => Just("bundled".to_owned()), 3 => release()
    ];
    (
        release(),
        observed_core(),
        prop::collection::vec((observed_core(), prop::option::weighted(0.7, release()), any::<bool>()), 1..4),
        prop::collection::vec(any::<bool>(), 250),
        (flags, web, any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<u8>()),
    )
        .prop_map(|(to, base, agents, keep, (flags, web, older, downgrade, windows, pair, asked))| {
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
            ask(&mut scenario.cluster, asked);
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

/// What a manifest asks for besides versions, bit by bit.
fn ask(cluster: &mut Cluster, asked: u8) {
    let bit = |place: u8| asked & (1 << place) != 0;
    cluster.downgrade.patch_prerequisites = bit(0);
    cluster.upgrade.accept_hotfix_loss = bit(1);
    if bit(2) {
        cluster.software.hotfixes.push("HF_10.5.0.0(CU9)_20251120-135714".to_owned());
    }
    if bit(3) && bit(4) {
        cluster.upgrade.mode = UpgradeMode::StageOnly;
    }
    for event in [HookEvent::BeforeDisruption, HookEvent::AfterSuccess].into_iter().filter(|_| bit(5)) {
        let timeout = jiff::SignedDuration::from_mins(1);
        cluster.hooks.push(Hook { event, run: "hook".to_owned(), timeout });
    }
    if bit(6) {
        cluster.agents[0].kind = AgentKind::Probe;
    }
}

/// A healthy cluster below its target, with the legacy NATS: its way into 10.6 holds the migration.
pub(super) fn legacy() -> impl Strategy<Value = Scenario> {
    (healthy(), prop::option::of(Just(false)), any::<u8>()).prop_map(|(scenario, broker, asked)| {
        let mut scenario = scenario.broker(broker);
        ask(&mut scenario.cluster, asked & !0b100);
        scenario
    })
}

/// A healthy cluster below its target, with BrokerGateway, at most two versions and known web levels: most of these
/// have a way.
pub(super) fn healthy() -> impl Strategy<Value = Scenario> {
    let index = 0..Knowledge::built_in().final_releases().len();
    (
        (index.clone(), index.clone(), index),
        prop::collection::vec(any::<bool>(), 1..4),
        prop_oneof![Just("unmanaged"), Just("bundled"), Just("10.6.9")],
        any::<bool>(),
        prop::option::of(any::<bool>()),
    )
        .prop_map(|((a, b, c), laggards, web, older, known)| {
            let releases: Vec<Release> =
                Knowledge::built_in().final_releases().iter().cloned().filter_map(Release::exact).collect();
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
