//! The product's rules, from outside.

use std::time::Duration;

use dms_simulator::{
    ContentState, FailoverRole, Fault, ModuleState, RunState, ViolationKind, package::PackageSpec,
};

use crate::{
    client::Client,
    world::{World, agent, info, start, start_at, v, whole},
};

const CU9: &str = "10.4.0 CU9 (build 15100)";
const BOTH: [&str; 2] = ["10.0.0.1", "10.0.0.2"];

async fn two(core: &str) -> World {
    start(vec![agent(1, core), agent(2, core)]).await
}

async fn two_at(speed: f64, core: &str) -> World {
    start_at(speed, vec![agent(1, core), agent(2, core)]).await
}

fn kinds(world: &World) -> Vec<ViolationKind> {
    world.cluster().violations.into_iter().map(|violation| violation.kind).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_upgrade_brings_all_agents_to_the_new_version() {
    let world = two("10.4.0 CU4 (build 14511)").await;
    let code = world.upgrade("a", &PackageSpec::full(v(CU9)), Some(&whole(&BOTH))).await;
    assert_eq!(code, 0);
    let cluster = world.cluster();
    for agent in &cluster.agents {
        assert_eq!((&agent.core, &agent.web, agent.state), (&v(CU9), &v(CU9), RunState::Running));
        assert_eq!(agent.history.len(), 2);
        assert!(agent.history[1].contains(";10.4.0.0-15100-"), "{:?}", agent.history);
        assert_eq!(agent.content, ContentState::Readable { level: v(CU9) });
        assert_eq!(agent.backups.len(), 1);
        assert!(agent.unknown_commands.is_empty());
        let log = world.logs(&agent.name, "15100").await;
        let line = log.lines().next().expect("it has lines");
        let fields: Vec<&str> = line.split('|').collect();
        assert_eq!((fields.len(), fields[1].len(), fields[2]), (4, 19, "information"), "{line}");
        assert!(log.contains("Starting up (") && log.contains("Upgrade finished successfully."));
    }
    assert_eq!(cluster.violations, []);
    assert_eq!(cluster.operation, None);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_upgrade_info_only_the_local_agent_changes_and_the_mixture_is_on_record() {
    let world = two("10.4.0 CU4 (build 14511)").await;
    assert_eq!(world.upgrade("a", &PackageSpec::full(v(CU9)), None).await, 0);
    assert_eq!(world.agent("AGENT-1").core, v(CU9));
    assert_eq!(world.agent("AGENT-2").core, v("10.4.0 CU4 (build 14511)"));
    // Half an hour of simulated time, and some.
    world.simulation.clock().sleep(Duration::from_secs(40 * 60)).await;
    assert_eq!(kinds(&world), [ViolationKind::MixedVersions, ViolationKind::MixedWebLevels]);
    world.end().await;
}

/// Before 10.6.6/10.7.0 the orchestrating Agent is reachable only after all others are done (RN 45312).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_orchestrating_agent_is_silent_until_all_others_run_domain_04_section_1() {
    // Slow enough to be seen in between.
    let world = two_at(300.0, "10.4.0 CU4 (build 14511)").await;
    let line = world.stage("a", &world.package(&PackageSpec::full(v(CU9))), Some(&whole(&BOTH))).await;
    let mut run = std::pin::pin!(world.run(&line));
    let mut other_first = false;
    loop {
        tokio::select! {
            code = &mut run => {
                assert_eq!(code, 0);
                break;
            }
            () = world.simulation.clock().sleep(Duration::from_secs(5)) => {
                let ([one, other], new) = (["AGENT-1", "AGENT-2"].map(|name| world.agent(name)), v(CU9));
                let runs = |agent: &dms_simulator::AgentReport| agent.core == new && agent.state == RunState::Running;
                assert!(!runs(&one) || runs(&other), "the orchestrating Agent came first");
                other_first |= runs(&other) && !runs(&one);
            }
        }
    }
    assert!(other_first, "it came behind the other one");
    assert_eq!(world.agent("AGENT-1").state, RunState::Running);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_executed_copy_is_consumed_and_a_fresh_one_is_not() {
    let world = two("10.4.0 CU4 (build 14511)").await;
    let package = world.package(&PackageSpec::full(v(CU9)));
    let line = world.stage("a", &package, Some(&whole(&BOTH))).await;
    assert_eq!(world.run(&line).await, 0);
    assert_ne!(world.run(&line).await, 0);
    let line = world.stage("b", &package, Some(&whole(&BOTH))).await;
    assert_eq!(world.run(&line).await, 0);
    assert_eq!(world.agent("AGENT-2").history.len(), 3);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_failed_prerequisite_aborts_the_whole_cluster() {
    let world = two("10.4.0 CU4 (build 14511)").await;
    let fault = Fault::FailPrerequisite("VerifyClusterPorts.dll".to_owned());
    world.simulation.inject("brussels", "AGENT-2", fault).await.expect("it is injected");
    assert_ne!(world.upgrade("a", &PackageSpec::full(v(CU9)), Some(&whole(&BOTH))).await, 0);
    for name in ["AGENT-1", "AGENT-2"] {
        let agent = world.agent(name);
        assert_eq!((agent.core, agent.state), (v("10.4.0 CU4 (build 14511)"), RunState::Running));
        assert!(agent.backups.is_empty() && agent.history.len() == 1);
        let log = world.logs(name, "15100").await;
        assert!(log.contains("Prerequisite VerifyClusterPorts.dll failed: "), "{log}");
        assert!(log.contains("- One or more prerequisites failed"), "{log}");
    }
    let clear = Fault::ClearPrerequisite("VerifyClusterPorts".to_owned());
    world.simulation.inject("brussels", "AGENT-2", clear).await.expect("it is injected");
    assert_eq!(world.upgrade("b", &PackageSpec::full(v(CU9)), Some(&whole(&BOTH))).await, 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documented_prerequisites_refuse_by_themselves() {
    let world = two("10.5.0 CU12 (build 16900)").await;
    let target = PackageSpec::full(v("10.6.0 CU2 (build 17200)"));
    assert_ne!(world.upgrade("a", &target, Some(&whole(&BOTH))).await, 0);
    assert!(
        world.logs("AGENT-1", "17200").await.contains("Prerequisite VerifyBrokerGatewayMigration.dll failed")
    );
    // With the check cut out nothing holds it back, and the breach is on record.
    let cut = target.with_prerequisites(&[]);
    assert_eq!(world.upgrade("b", &cut, Some(&whole(&BOTH))).await, 0);
    assert_eq!(kinds(&world), [ViolationKind::BreakingHop, ViolationKind::BreakingHop]);
    world.end().await;
    let world = two("10.4.0 CU9 (build 15100)").await;
    let older = PackageSpec::full(v("10.3.0 CU16 (build 14500)"));
    assert_ne!(world.upgrade("a", &older, Some(&whole(&BOTH))).await, 0);
    assert!(world.logs("AGENT-1", "14500").await.contains("Prerequisite VerifyNatsIsRunning.dll failed"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_skipped_major_is_not_refused_but_recorded() {
    let world = two("10.3.0 CU10 (build 14000)").await;
    let target = PackageSpec::full(v("10.5.0 CU9 (build 16700)"));
    assert_eq!(world.upgrade("a", &target, Some(&whole(&BOTH))).await, 0);
    assert_eq!(kinds(&world), [ViolationKind::SkippedMajor, ViolationKind::SkippedMajor]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn web_upgrades_pass_their_gate_and_migrate_content() {
    let world = two("10.3.0 CU10 (build 14000)").await;
    let web = |text: &str| PackageSpec::web(v(text));
    assert_ne!(world.upgrade("a", &web("10.5.12 (build 16690)"), Some(&whole(&BOTH))).await, 0);
    let log = world.logs("AGENT-2", "16690").await;
    assert!(log.contains("requires DataMiner 10.4.0"), "{log}");
    assert_eq!(world.agent("AGENT-1").web, v("10.3.0 CU10 (build 14000)"));
    assert_eq!(world.upgrade("b", &web("10.4.12 (build 15300)"), Some(&whole(&BOTH))).await, 0);
    for name in ["AGENT-1", "AGENT-2"] {
        let agent = world.agent(name);
        assert_eq!((&agent.core, &agent.web), (&v("10.3.0 CU10 (build 14000)"), &v("10.4.12 (build 15300)")));
        assert_eq!((agent.history.len(), agent.backups.len()), (1, 1));
        assert_eq!(agent.content, ContentState::Readable { level: v("10.4.12 (build 15300)") });
    }
    // A full upgrade takes its own, older web apps along: what they find is too new for them.
    let full = PackageSpec::full(v("10.4.0 CU4 (build 14511)"));
    assert_eq!(world.upgrade("c", &full, Some(&whole(&BOTH))).await, 0);
    let agent = world.agent("AGENT-1");
    assert_eq!(agent.web, v("10.4.0 CU4 (build 14511)"));
    assert_eq!(agent.content, ContentState::Unreadable { level: v("10.4.12 (build 15300)") });
    assert_eq!(world.upgrade("d", &web("10.4.12 (build 15300)"), Some(&whole(&BOTH))).await, 0);
    assert!(matches!(world.agent("AGENT-1").content, ContentState::Readable { .. }));
    assert!(kinds(&world).is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_five_backups_are_kept() {
    let world = two("10.4.0 CU4 (build 14511)").await;
    let mut seen = Vec::new();
    for number in 0..7 {
        let web = PackageSpec::web(v(&format!("10.4.{} (build {})", 8 + number % 5, 15000 + number)));
        assert_eq!(world.upgrade(&format!("w{number}"), &web, Some(&whole(&BOTH))).await, 0);
        let newest = world.agent("AGENT-1").backups.last().cloned().expect("a backup is there");
        seen.push(newest);
    }
    let kept = world.agent("AGENT-1").backups;
    assert_eq!(kept, seen[2..]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_that_are_not_of_the_system_are_refused() {
    let world = two("10.4.0 CU4 (build 14511)").await;
    let wrong = whole(&["10.0.0.1", "192.168.1.5"]);
    assert_ne!(world.upgrade("a", &PackageSpec::full(v(CU9)), Some(&wrong)).await, 0);
    let broken = wrong.replace("IsCluster", "Cluster");
    assert_ne!(world.upgrade("b", &PackageSpec::full(v(CU9)), Some(&broken)).await, 0);
    assert_eq!(world.agent("AGENT-1").core, v("10.4.0 CU4 (build 14511)"));
    // The whole cluster with a part of its Agents: nobody knows what that means.
    assert_eq!(world.upgrade("c", &PackageSpec::full(v(CU9)), Some(&whole(&BOTH[..1]))).await, 0);
    assert_eq!(kinds(&world), [ViolationKind::AmbiguousAgentList]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_upgrade_during_the_first_is_refused_and_recorded() {
    let world = two_at(300.0, "10.4.0 CU4 (build 14511)").await;
    let package = world.package(&PackageSpec::full(v(CU9)));
    let first = world.stage("a", &package, Some(&whole(&BOTH))).await;
    let second = world.stage("b", &package, Some(&whole(&BOTH))).await;
    let (one, two) = tokio::join!(world.run(&first), world.run(&second));
    assert!((one == 0) != (two == 0), "{one} {two}");
    assert_eq!(kinds(&world), [ViolationKind::SecondOperation]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pairs_go_together_or_one_after_the_other() {
    let pair = || {
        let mut backup = agent(2, "10.4.0 CU4 (build 14511)").with_failover(FailoverRole::Backup, false);
        backup.id = 101;
        vec![agent(1, "10.4.0 CU4 (build 14511)").with_failover(FailoverRole::Main, true), backup]
    };
    let world = start(pair()).await;
    assert_eq!(world.upgrade("a", &PackageSpec::full(v(CU9)), Some(&whole(&BOTH))).await, 0);
    assert!(world.agent("AGENT-1").online && !world.agent("AGENT-2").online);
    assert!(kinds(&world).is_empty());
    // One address of a pair means both members; across majors one after the other is unsafe.
    let next = PackageSpec::full(v("10.5.0 CU9 (build 16700)"));
    assert_eq!(world.upgrade("b", &next, Some(&info(&BOTH[..1], false, "BackupFirst"))).await, 0);
    assert_eq!(world.agent("AGENT-2").core, v("10.5.0 CU9 (build 16700)"));
    assert!(!world.agent("AGENT-1").online && world.agent("AGENT-2").online);
    assert_eq!(kinds(&world), [ViolationKind::UnsafeFailoverPolicy, ViolationKind::UnsafeFailoverPolicy]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_runtime_restarts_windows_and_the_utility_does_not_live_to_tell() {
    let mut first = agent(1, "10.4.0 CU9 (build 15100)");
    first.vcredist = Some("v14.32.31326.00".to_owned());
    let world = start(vec![first, agent(2, "10.4.0 CU9 (build 15100)")]).await;
    let package = world.package(&PackageSpec::full(v("10.5.0 CU9 (build 16700)")));
    let line = world.stage("a", &package, Some(&whole(&BOTH))).await;
    let client = Client::of(&world.simulation, "AGENT-1").await;
    let ran = tokio::time::timeout(Duration::from_secs(60), client.exec(&line)).await.expect("it ends");
    assert!(ran.is_err() || ran.is_ok_and(|ran| ran.code.is_none()), "no exit code comes");
    for _ in 0..600 {
        if world.cluster().operation.is_none() {
            break;
        }
        world.simulation.clock().sleep(Duration::from_secs(60)).await;
    }
    for name in ["AGENT-1", "AGENT-2"] {
        assert_eq!(world.agent(name).core, v("10.5.0 CU9 (build 16700)"));
        assert_eq!(world.agent(name).state, RunState::Running);
    }
    assert!(Client::connect(&world.simulation.agents()[0]).await.is_ok());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_utilitys_own_faults() {
    let world = two("10.4.0 CU4 (build 14511)").await;
    let inject = |fault| world.simulation.inject("brussels", "AGENT-1", fault);
    inject(Fault::NextUtilityExit(1603)).await.expect("it is injected");
    assert_eq!(world.upgrade("a", &PackageSpec::full(v(CU9)), Some(&whole(&BOTH))).await, 1603);
    assert_eq!(world.agent("AGENT-1").core, v("10.4.0 CU4 (build 14511)"));
    inject(Fault::NextUpgradeFailsHalfway).await.expect("it is injected");
    assert_ne!(world.upgrade("b", &PackageSpec::full(v(CU9)), Some(&whole(&BOTH))).await, 0);
    assert_eq!(world.agent("AGENT-1").state, RunState::Stopped);
    assert_eq!(world.agent("AGENT-2").core, v(CU9));
    let log = world.logs("AGENT-1", "15100").await;
    assert!(log.contains("error|Upgrade failed: Execute failed: "), "{log}");
    inject(Fault::Garbage(r"C:\Skyline DataMiner\DMS.xml".to_owned())).await.expect("it is injected");
    let client = Client::of(&world.simulation, "AGENT-1").await;
    let dms = client.sftp().await.read("/C:/Skyline DataMiner/DMS.xml").await.expect("it reads");
    assert!(!String::from_utf8_lossy(&dms).contains("DMA"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_in_the_middle_leaves_the_cluster_mixed() {
    let world = two_at(600.0, "10.4.0 CU4 (build 14511)").await;
    let package = world.package(&PackageSpec::full(v(CU9)));
    let line = world.stage("a", &package, Some(&whole(&BOTH))).await;
    let client = Client::of(&world.simulation, "AGENT-1").await;
    let upgrade = client.exec(&line);
    let restart = async {
        for _ in 0..2000 {
            if world.agent("AGENT-2").state == RunState::Upgrading {
                break;
            }
            world.simulation.clock().sleep(Duration::from_secs(2)).await;
        }
        world.simulation.inject("brussels", "AGENT-2", Fault::Reboot).await.expect("it is injected");
    };
    let (ran, ()) = tokio::join!(upgrade, restart);
    assert_ne!(ran.expect("it runs").code, Some(0));
    assert_eq!(world.agent("AGENT-1").core, v(CU9));
    for _ in 0..600 {
        if Client::connect(&world.simulation.agents()[1]).await.is_ok() {
            break;
        }
        world.simulation.clock().sleep(Duration::from_secs(30)).await;
    }
    assert!(Client::connect(&world.simulation.agents()[1]).await.is_ok(), "SSH comes back");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_nats_migration_opens_the_way_to_10_6_and_has_its_own_conditions() {
    let world = two("10.4.0 CU9 (build 15100)").await;
    assert_ne!(world.tool("a", "NATSMigration.dmupgrade", &whole(&BOTH)).await, 0);
    world.end().await;
    let world = two("10.5.0 CU12 (build 16900)").await;
    assert_eq!(world.tool("a", "NATSMigration - Prerequisite only.dmupgrade", &whole(&BOTH)).await, 0);
    assert!(!world.agent("AGENT-1").broker_gateway);
    assert_eq!(world.tool("b", "NATSMigration.dmupgrade", &whole(&BOTH)).await, 0);
    assert!(world.agent("AGENT-2").broker_gateway);
    assert!(world.logs("AGENT-1", "NATSMigration.dmupgrade").await.contains("- Migration successful!"));
    let target = PackageSpec::full(v("10.6.0 CU2 (build 17200)"));
    assert_eq!(world.upgrade("c", &target, Some(&whole(&BOTH))).await, 0);
    assert_ne!(world.tool("d", "NATSMigrationRollback.dmupgrade", &whole(&BOTH)).await, 0);
    assert!(kinds(&world).is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ports_are_verified_on_the_whole_system_before_10_2() {
    let world = two("10.0.0 CU19 (build 11025)").await;
    let target = PackageSpec::full(v("10.2.0 CU4 (build 11897)"));
    assert_ne!(world.upgrade("a", &target, Some(&whole(&BOTH))).await, 0);
    let one = info(&BOTH[..1], false, "UseDefault");
    assert_ne!(world.tool("b", "VerifyClusterPorts.dmupgrade", &one).await, 0);
    assert_eq!(world.tool("c", "VerifyClusterPorts.dmupgrade", &whole(&BOTH)).await, 0);
    assert_eq!(world.upgrade("d", &target, Some(&whole(&BOTH))).await, 0);
    assert!(kinds(&world).is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_spreads_the_newest_content_by_file_time() {
    let world = two("10.4.0 CU9 (build 15100)").await;
    let file =
        |name: &str| world.agent(name).drive.join("Skyline DataMiner/Dashboards/shared/New.dmadb.json");
    std::fs::write(file("AGENT-2"), r#"{"format":"10.4.0 CU9","name":"New"}"#).expect("it is written");
    let inject = |fault| world.simulation.inject("brussels", "AGENT-1", fault);
    inject(Fault::StopDataMiner).await.expect("it is injected");
    assert_eq!(world.agent("AGENT-1").state, RunState::Stopped);
    inject(Fault::StartDataMiner).await.expect("it is injected");
    for _ in 0..600 {
        if world.agent("AGENT-1").state == RunState::Running && file("AGENT-1").exists() {
            break;
        }
        world.simulation.clock().sleep(Duration::from_secs(10)).await;
    }
    assert!(file("AGENT-1").exists());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn expired_users_stop_10_5_1_for_ever() {
    let mut first = agent(1, "10.4.12 (build 15300)");
    first.expired_users = true;
    let world = start(vec![first, agent(2, "10.4.12 (build 15300)")]).await;
    let package = world.package(&PackageSpec::full(v("10.5.1 (build 15320)")));
    let line = world.stage("a", &package, Some(&whole(&BOTH))).await;
    let client = Client::of(&world.simulation, "AGENT-1").await;
    let hanging = tokio::spawn(async move { client.exec(&line).await });
    for _ in 0..600 {
        if world.agent("AGENT-2").state == RunState::Running && world.agent("AGENT-2").history.len() == 2 {
            break;
        }
        world.simulation.clock().sleep(Duration::from_secs(30)).await;
    }
    world.simulation.clock().sleep(Duration::from_secs(3600)).await;
    assert_eq!(world.agent("AGENT-1").state, RunState::Starting);
    assert_eq!(world.agent("AGENT-1").history.len(), 1);
    assert_eq!(kinds(&world), [ViolationKind::BreakingHop]);
    assert!(!hanging.is_finished());
    hanging.abort();
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_elses_upgrade_blocks_and_leaves_a_growing_log() {
    let world = two_at(600.0, "10.4.0 CU4 (build 14511)").await;
    let foreign = Fault::ForeignOperation(3600);
    world.simulation.inject("brussels", "AGENT-2", foreign).await.expect("it is injected");
    assert_ne!(world.upgrade("a", &PackageSpec::full(v(CU9)), Some(&whole(&BOTH))).await, 0);
    assert!(!world.logs("AGENT-2", "99999").await.contains("Upgrade failed"));
    let client = Client::of(&world.simulation, "AGENT-2").await;
    let tasks = client.exec("tasklist /fo csv /nh").await.expect("it runs");
    assert!(tasks.out.contains("\"SLTaskbarUtility.exe\""));
    for _ in 0..600 {
        if world.cluster().operation.is_none() {
            break;
        }
        world.simulation.clock().sleep(Duration::from_secs(60)).await;
    }
    assert!(world.logs("AGENT-2", "99999").await.contains("Upgrade failed"));
    assert_eq!(world.upgrade("b", &PackageSpec::full(v(CU9)), Some(&whole(&BOTH))).await, 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_the_utility_before_the_agents_began_changes_nothing() {
    let world = two_at(30.0, "10.4.0 CU4 (build 14511)").await;
    let package = world.package(&PackageSpec::full(v(CU9)));
    let line = world.stage("a", &package, Some(&whole(&BOTH))).await;
    let client = Client::of(&world.simulation, "AGENT-1").await;
    let channel = client.session.channel_open_session().await.expect("a channel opens");
    channel.exec(true, line.as_str()).await.expect("it starts");
    for _ in 0..600 {
        if world.cluster().operation.is_some() {
            break;
        }
        tokio::task::yield_now().await;
    }
    client.close().await;
    for _ in 0..600 {
        if world.cluster().operation.is_none() {
            break;
        }
        world.simulation.clock().sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(world.cluster().operation, None);
    for name in ["AGENT-1", "AGENT-2"] {
        assert_eq!(world.agent(name).core, v("10.4.0 CU4 (build 14511)"));
        assert_eq!(world.agent(name).state, RunState::Running);
    }
    world.end().await;
}

fn module(world: &World, agent: &str, name: &str) -> ModuleState {
    let modules = world.agent(agent).modules;
    modules.iter().find(|module| module.name == name).map_or(ModuleState::Missing, |module| module.state)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn modules_go_up_with_the_web_apps_and_stay_behind_after_a_downgrade_domain_02_section_3() {
    let world = two("10.5.0 CU4 (build 16000)").await;
    assert_eq!(module(&world, "AGENT-1", "DataMiner GQI"), ModuleState::Fits);
    let web = PackageSpec::web(v("10.5.0 CU12 (build 16889)"));
    assert_eq!(world.upgrade("a", &web, Some(&whole(&BOTH))).await, 0);
    let modules = world.agent("AGENT-2").modules;
    assert!(modules.iter().all(|module| module.state == ModuleState::Fits), "{modules:?}");
    let down = PackageSpec::web(v("10.5.0 CU9 (build 16700)"));
    assert_eq!(world.upgrade("b", &down, Some(&whole(&BOTH))).await, 0);
    for name in ["DataMiner GQI", "DataMiner Web"] {
        assert_eq!(module(&world, "AGENT-1", name), ModuleState::TooNew, "{name}");
    }
    // The package left its own installers.
    let client = Client::of(&world.simulation, "AGENT-1").await;
    let key =
        r#"reg query "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall" /s /f "DataMiner GQI" /d"#;
    let found = client.exec(key).await.expect("it runs").out;
    let code = found.split(['{', '}']).nth(1).expect("a product code");
    let script = format!(
        r#"msiexec /x {{{code}}} /qn /norestart && msiexec /i "C:\Skyline DataMiner\Tools\ModuleInstallers\Web\DataMiner GQI 10.5.12.msi" /qn /norestart"#
    );
    assert_eq!(client.exec(&script).await.expect("it runs").code, Some(0));
    assert_eq!(module(&world, "AGENT-1", "DataMiner GQI"), ModuleState::Fits);
    assert_eq!(module(&world, "AGENT-2", "DataMiner GQI"), ModuleState::TooNew);
    world.end().await;
}
