use dataminer_core::exec::effect::{EffectKind, Outcome};

use crate::harness::{Setup, agents, exists, name, perform};

const CORE: &str = "10.5.0 CU9 (build 16500)";
const FILE: &str = "DataMiner 10.5.0.0(CU12)-16889 Full Upgrade.dmupgrade";
const OURS: &str = "ProgramData/dataminer-reconciler";

/// Invariant 12.
#[tokio::test]
async fn staged_packages_and_copies_go_records_and_everything_else_stay() {
    let setup = Setup::start(agents(1, CORE), 1.0).await;
    let driver = setup.driver();
    let package = setup.package(FILE, b"a package");
    let agents = vec![name("dma-1")];
    let stage = EffectKind::StagePackage { package: package.clone(), agents: agents.clone() };
    assert_eq!(perform(&driver, 1, stage).await.0, Outcome::Done);
    let file = |path: &str| setup.file("dma-1", &format!("{OURS}/{path}"));
    let ended = file("jobs/0123456789ab-1-1");
    let open = file("jobs/0123456789ab-2-1");
    for folder in [&ended, &open] {
        std::fs::create_dir_all(folder).expect("a new folder");
        for part in ["job.json", "task.xml", "run.cmd", "started.txt", FILE] {
            std::fs::write(folder.join(part), "x").expect("a new file");
        }
    }
    std::fs::write(ended.join("exitcode.txt"), "0\r\n").expect("a new file");
    let foreign = file("packages/readme.txt");
    std::fs::write(&foreign, "not ours").expect("a new file");

    let (outcome, _) = perform(&driver, 1, EffectKind::CleanUp { agents: agents.clone() }).await;
    assert_eq!(outcome, Outcome::Done);
    assert!(!exists(&file(&format!("packages/{}", package.sha256))));
    assert!(!exists(&ended.join(FILE)) && !exists(&ended.join("task.xml")));
    assert!(
        exists(&ended.join("job.json")) && exists(&ended.join("exitcode.txt")),
        "the record proves the web level"
    );
    assert!(exists(&open.join(FILE)), "a job that has not ended keeps its package");
    assert!(exists(&foreign));
    let (outcome, _) = perform(&driver, 1, EffectKind::CleanUp { agents }).await;
    assert_eq!(outcome, Outcome::Done, "done twice equals done once");
    setup.assert_all_commands_known();
}
