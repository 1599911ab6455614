use dataminer_core::exec::effect::{Disposition, EffectKind, Outcome};
use dataminer_reconciler::engine::Progress;
use dms_simulator::Fault;

use crate::harness::{Setup, agents, exists, failure, name, perform};

const CORE: &str = "10.5.0 CU9 (build 16500)";
const FILE: &str = "DataMiner 10.5.0.0(CU12)-16889 Full Upgrade.dmupgrade";

fn bytes() -> Vec<u8> {
    (0..5_000_000_u32).map(|at| (at % 253) as u8).collect()
}

#[tokio::test]
async fn a_package_arrives_whole_and_only_once() {
    let setup = Setup::start(agents(2, CORE), 1.0).await;
    let driver = setup.driver();
    let package = setup.package(FILE, &bytes());
    let stage =
        EffectKind::StagePackage { package: package.clone(), agents: vec![name("dma-1"), name("dma-2")] };
    let (outcome, progress) = perform(&driver, 1, stage.clone()).await;
    assert_eq!(outcome, Outcome::Done);
    let whole = |event: &Progress| matches!(event, Progress::Bytes { done, total, .. } if done == total);
    assert!(progress.iter().any(whole));
    for agent in ["dma-1", "dma-2"] {
        let folder =
            setup.file(agent, &format!("ProgramData/dataminer-reconciler/packages/{}", package.sha256));
        assert!(std::fs::read(folder.join(FILE)).expect("the package") == bytes());
        assert!(!exists(&folder.join(format!("{FILE}.part"))));
    }
    let (outcome, progress) = perform(&driver, 1, stage).await;
    assert_eq!(outcome, Outcome::Done);
    assert!(!progress.iter().any(|event| matches!(event, Progress::Bytes { .. })), "nothing is sent again");
    setup.assert_all_commands_known();
}

#[tokio::test]
async fn a_cut_upload_is_taken_up_where_it_broke() {
    let setup = Setup::start(agents(1, CORE), 1.0).await;
    setup.inject("dma-1", Fault::DropUploadAfter(2_000_000)).await;
    let package = setup.package(FILE, &bytes());
    let stage = EffectKind::StagePackage { package: package.clone(), agents: vec![name("dma-1")] };
    let (outcome, progress) = perform(&setup.driver(), 1, stage).await;
    assert_eq!(outcome, Outcome::Done, "{progress:?}");
    let note =
        |event: &Progress| matches!(event, Progress::Note(text) if text.contains("taking it up again"));
    assert!(progress.iter().any(note), "{progress:?}");
    let after = progress.iter().skip_while(|event| !note(event)).find_map(|event| match event {
        Progress::Bytes { done, .. } => Some(*done),
        _ => None,
    });
    assert!(after.is_some_and(|done| done > 1_000_000), "it went on, it did not begin again: {after:?}");
    let path = format!("ProgramData/dataminer-reconciler/packages/{}/{FILE}", package.sha256);
    assert!(std::fs::read(setup.file("dma-1", &path)).expect("the package") == bytes());
}

#[tokio::test]
async fn rubbish_of_a_crash_is_found_by_its_hash_and_replaced() {
    let setup = Setup::start(agents(1, CORE), 1.0).await;
    let driver = setup.driver();
    let package = setup.package(FILE, &bytes());
    let stage = EffectKind::StagePackage { package: package.clone(), agents: vec![name("dma-1")] };
    // The first look makes our folder.
    drop(driver.observe().await);
    let folder =
        setup.file("dma-1", &format!("ProgramData/dataminer-reconciler/packages/{}", package.sha256));
    std::fs::create_dir_all(&folder).expect("a new folder");
    std::fs::write(folder.join(format!("{FILE}.part")), vec![0; 3_000_000]).expect("rubbish is written");
    let (outcome, progress) = perform(&driver, 1, stage).await;
    assert_eq!(outcome, Outcome::Done, "{progress:?}");
    assert!(std::fs::read(folder.join(FILE)).expect("the package") == bytes());
}

#[tokio::test]
async fn a_package_with_another_hash_is_not_sent() {
    let setup = Setup::start(agents(1, CORE), 1.0).await;
    let mut package = setup.package(FILE, &bytes());
    package.sha256 = dataminer_schema::id::Sha256::of(b"something else");
    let stage = EffectKind::StagePackage { package: package.clone(), agents: vec![name("dma-1")] };
    let (outcome, _) = perform(&setup.driver(), 1, stage).await;
    let failure = failure(&outcome);
    assert_eq!((failure.reason.as_str(), failure.disposition), ("PackageUnverified", Disposition::Stalled));
    assert!(!exists(&setup.file("dma-1", "ProgramData/dataminer-reconciler/packages")), "nothing was sent");
}

#[tokio::test]
async fn a_full_disk_says_so() {
    let setup = Setup::start(agents(1, CORE), 1.0).await;
    let driver = setup.driver();
    drop(driver.observe().await);
    setup.inject("dma-1", Fault::FreeDisk(1_000_000)).await;
    let package = setup.package(FILE, &bytes());
    let stage = EffectKind::StagePackage { package, agents: vec![name("dma-1")] };
    let (outcome, _) = perform(&driver, 1, stage).await;
    let failure = failure(&outcome);
    assert_eq!((failure.reason.as_str(), failure.disposition), ("InsufficientDisk", Disposition::Stalled));
    assert_eq!(failure.agents, [name("dma-1")]);
}

#[tokio::test]
async fn a_missing_package_names_the_places() {
    let setup = Setup::start(agents(1, CORE), 1.0).await;
    let package = setup.package(FILE, &bytes());
    std::fs::remove_file(setup.packages().join(FILE)).expect("it was there");
    let stage = EffectKind::StagePackage { package, agents: vec![name("dma-1")] };
    let (outcome, _) = perform(&setup.driver(), 1, stage).await;
    assert_eq!(failure(&outcome).reason, "NoPackage");
}
