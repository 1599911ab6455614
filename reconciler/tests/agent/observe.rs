use std::time::Instant;

use dataminer_reconciler::agent::{
    ClusterDriver,
    transport::{Connection, ExecLimits, Identity, Timeouts},
};
use dataminer_schema::v1::observation::{AgentState, WebEvidence};
use dms_simulator::{Fault, Reach};

use crate::harness::{CLUSTER, Setup, agents, observe};

#[tokio::test]
async fn idle_agents_tell_everything_that_rules_need() {
    let setup = Setup::start(agents(2, "10.5.0 CU9 (build 16500)"), 1.0).await;
    let observation = setup.driver().observe().await;
    setup.assert_all_commands_known();
    assert_eq!(observation.cluster.as_str(), CLUSTER);
    let topology = observation.topology.as_ref().expect("DMS.xml is there");
    assert_eq!(topology.len(), 2);
    for (number, agent) in observation.agents.iter().enumerate() {
        assert!(agent.reachable, "{agent:?}");
        assert_eq!(agent.address.as_deref(), Some(format!("10.0.0.{}", 11 + number).as_str()));
        let core = agent.core.as_deref().expect("a history");
        assert!(core.starts_with("10.5.0.0-16500-"), "{core}");
        assert_eq!(agent.state, Some(AgentState::Running));
        assert_eq!(agent.broker_gateway, Some(false));
        assert_eq!(agent.expired_users, Some(false));
        assert_eq!(agent.default_upgrade_options, Some(false));
        assert_eq!(agent.pending_reboot, Some(false));
        assert!(agent.free_disk.is_some_and(|free| free.0 > 70 << 30), "{:?}", agent.free_disk);
        let bundles = ["5.0.17", "6.0.36", "8.0.11", "10.0.1"].map(str::to_owned);
        assert_eq!(agent.dotnet.as_deref(), Some(&bundles[..]));
        assert!(agent.vcredist.is_some() && agent.os.is_some(), "{agent:?}");
        assert!(agent.history.as_ref().is_some_and(|history| !history.is_empty()), "{agent:?}");
        assert!(agent.modules.is_some() && agent.backups.is_some() && agent.owed.is_some(), "{agent:?}");
        assert_eq!(agent.operation, None);
        assert!(agent.unknown.is_empty(), "{:?}", agent.unknown);
        // The log of the full package that brought this core.
        assert_eq!(agent.web_apps.as_deref(), Some("10.5.0 CU9"));
        assert_eq!(agent.web_evidence, Some(WebEvidence::PackageFolder));
    }
}

#[tokio::test]
async fn a_web_level_without_a_trace_is_unknown_and_not_guessed() {
    let setup = Setup::start(agents(1, "10.5.0 CU9 (build 16500)"), 1.0).await;
    let packages = setup.file("dma-1", "Skyline DataMiner/Upgrades/Packages");
    std::fs::remove_dir_all(&packages).expect("it was there");
    std::fs::create_dir(&packages).expect("it is gone");
    let agent = observe(&setup.driver(), "dma-1").await;
    assert_eq!((agent.web_apps, agent.web_evidence), (None, None));
    assert!(agent.unknown.contains_key("webApps"), "{:?}", agent.unknown);
}

/// The budget of a look at a cluster at rest. The first look also uploads our scripts.
#[tokio::test]
async fn four_idle_agents_are_seen_within_a_second() {
    let setup = Setup::start(agents(4, "10.5.0 CU9 (build 16500)"), 1.0).await;
    let driver = setup.driver();
    drop(driver.observe().await);
    let mut fastest = f64::INFINITY;
    // The best of a few: what is measured is the work, not how busy the machine is.
    for _ in 0..5 {
        let begun = Instant::now();
        let observation = driver.observe().await;
        fastest = fastest.min(begun.elapsed().as_secs_f64());
        assert!(observation.agents.iter().all(|agent| agent.reachable));
    }
    assert!(fastest < 1.0, "{fastest} s");
}

#[tokio::test]
async fn one_dead_agent_delays_and_hides_no_other() {
    let setup = Setup::start(agents(3, "10.5.0 CU9 (build 16500)"), 1.0).await;
    setup.inject("dma-2", Fault::Network(Reach::Refuses)).await;
    let driver = setup.driver();
    let first = driver.observe().await;
    let seen: Vec<bool> = first.agents.iter().map(|agent| agent.reachable).collect();
    assert_eq!(seen, [true, false, true]);
    let dead = &first.agents[1];
    assert!(
        dead.reason.as_deref().is_some_and(|reason| reason.starts_with("AgentUnreachable: ")),
        "{dead:?}"
    );
    let since = dead.since.expect("since when");
    assert_eq!(observe(&driver, "dma-2").await.since, Some(since), "the first time counts");
    setup.inject("dma-2", Fault::Network(Reach::Reachable)).await;
    assert!(observe(&driver, "dma-2").await.reachable);
}

#[tokio::test]
async fn a_changed_host_key_is_refused_and_shown() {
    let setup = Setup::start(agents(1, "10.5.0 CU9 (build 16500)"), 1.0).await;
    setup.inject("dma-1", Fault::HostKeyChanged).await;
    let agent = observe(&setup.driver(), "dma-1").await;
    assert!(!agent.reachable);
    let reason = agent.reason.expect("a reason");
    assert!(reason.starts_with("HostKeyRefused: ") && reason.contains("hostKey: \"SHA256:"), "{reason}");
}

#[tokio::test]
async fn a_secret_that_is_not_granted_is_not_used() {
    let setup = Setup::start(agents(1, "10.5.0 CU9 (build 16500)"), 1.0).await;
    let mut context = setup.context("prod");
    context.secrets = dataminer_reconciler::agent::secrets::SecretResolver::default();
    let agent = observe(&ClusterDriver::new(&setup.cluster, context), "dma-1").await;
    assert!(
        agent.reason.as_deref().is_some_and(|reason| reason.starts_with("SecretNotAllowed: ")),
        "{agent:?}"
    );
}

#[tokio::test]
async fn garbage_becomes_unknown_and_never_a_default() {
    let setup = Setup::start(agents(1, "10.5.0 CU9 (build 16500)"), 1.0).await;
    for (file, garbage) in [
        ("Skyline DataMiner/DMS.xml", &b"\xFF\xFE\0garbage"[..]),
        ("Skyline DataMiner/Upgrades/VersionHistory.txt", b"10.9.9"),
        ("Skyline DataMiner/MaintenanceSettings.xml", b"<MaintenanceSettings><BrokerGateway>"),
        ("Skyline DataMiner/Security.xml", b""),
    ] {
        std::fs::write(setup.file("dma-1", file), garbage).expect("the file is overwritten");
    }
    let observation = setup.driver().observe().await;
    assert_eq!(observation.topology, None);
    let agent = &observation.agents[0];
    assert!(agent.reachable);
    assert_eq!(agent.core, None);
    assert_eq!(agent.history, None);
    assert_eq!(agent.address, None);
    assert_eq!(agent.broker_gateway, None);
    assert_eq!(agent.default_upgrade_options, None);
    assert_eq!(agent.expired_users, None);
    for item in
        ["topology", "core", "history", "brokerGateway", "defaultUpgradeOptions", "expiredUsers", "webApps"]
    {
        assert!(agent.unknown.contains_key(item), "{item} in {:?}", agent.unknown);
    }
}

#[tokio::test]
async fn a_changed_script_is_not_run() {
    let setup = Setup::start(agents(1, "10.5.0 CU9 (build 16500)"), 1.0).await;
    assert!(observe(&setup.driver(), "dma-1").await.reachable);
    let scripts = setup.file("dma-1", "ProgramData/dataminer-reconciler/scripts");
    let probe = std::fs::read_dir(&scripts)
        .expect("the scripts are there")
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("probe-")))
        .expect("the probe is there");
    let length = std::fs::read(&probe).expect("the probe reads").len();
    std::fs::write(&probe, vec![b'x'; length]).expect("the probe is overwritten");
    let agent = observe(&setup.driver(), "dma-1").await;
    assert!(
        agent.reason.as_deref().is_some_and(|reason| reason.starts_with("TamperedFolder: ")),
        "{agent:?}"
    );
}

#[tokio::test]
async fn a_folder_that_somebody_removed_is_made_again() {
    let setup = Setup::start(agents(1, "10.5.0 CU9 (build 16500)"), 1.0).await;
    let driver = setup.driver();
    assert!(observe(&driver, "dma-1").await.reachable);
    std::fs::remove_dir_all(setup.file("dma-1", "ProgramData/dataminer-reconciler")).expect("it was there");
    drop(driver.observe().await);
    assert!(observe(&driver, "dma-1").await.reachable, "the second look at the latest");
}

/// A job is watched over one connection for hours: each look must give its channel back.
#[tokio::test]
async fn a_connection_takes_more_commands_than_it_has_channels() {
    let setup = Setup::start(agents(1, "10.5.0 CU9 (build 16500)"), 1.0).await;
    let endpoint = &setup.simulation.agents()[0];
    let key = std::fs::read_to_string(&endpoint.client_key).expect("the key is there");
    let identity = Identity::parse(&secrecy::SecretString::from(key)).expect("a key");
    let pins = [endpoint.host_key_fingerprint.parse().expect("a fingerprint")];
    let host = endpoint.addr.ip().to_string();
    let connection =
        Connection::open(&host, endpoint.addr.port(), &pins, &endpoint.user, &identity, Timeouts::default())
            .await
            .expect("everything is right");
    for _ in 0..40 {
        let exec =
            connection.exec("cmd.exe /d /c echo x", ExecLimits::default()).await.expect("a channel is free");
        assert_eq!(exec.stdout, b"x\r\n");
    }
}

/// Two looks that make our folder at the same time took each other for strangers.
#[tokio::test]
async fn first_looks_at_the_same_time_do_not_disturb_each_other() {
    let setup = Setup::start(agents(1, "10.5.0 CU9 (build 16500)"), 1.0).await;
    let driver = setup.driver();
    let looks = futures::future::join_all((0..4).map(|_| driver.observe())).await;
    for look in looks {
        assert!(look.agents[0].reachable, "{:?}", look.agents[0].reason);
    }
}
