use camino::Utf8PathBuf;
use dataminer_core::exec::{
    checks::{Checked, PrerequisiteRun, Verdict},
    effect::{EffectKind, JobEnd, Outcome, Package},
};
use dataminer_reconciler::{agent::ClusterDriver, engine::Progress};
use dataminer_schema::{id::JobId, v1::cluster::RunAs};
use dms_simulator::{
    Fault,
    package::{PackageSpec, write},
};
use jiff::{SignedDuration, Timestamp};

use crate::harness::{Setup, agents, claim, exists, failure, name, perform, version, zip_of};

const CORE: &str = "10.4.0 CU21 (build 16523)";
const EXECUTOR: &str = "Skyline DataMiner/Tools/StandaloneBpaExecutor/StandaloneBpaExecutor.exe";

struct Scene {
    setup: Setup,
    driver: ClusterDriver,
    generation: u64,
}

impl Scene {
    async fn start() -> Self {
        let setup = Setup::start(agents(2, CORE), 2000.0).await;
        let driver = setup.driver();
        let generation = claim(&driver, 0).await.expect("ours");
        Self { setup, driver, generation }
    }

    fn package(&self) -> Package {
        let folder = Utf8PathBuf::from_path_buf(self.setup.packages()).expect("UTF-8");
        let written =
            write(&folder, &PackageSpec::full(version("10.5.0 CU12 (build 16889)"))).expect("written");
        Package { file: written.file, sha256: written.sha256.parse().expect("a digest"), patch: None }
    }

    async fn check(&self, id: &str, package: &Package) -> (Outcome, Vec<Progress>) {
        self.check_without(id, package, &[]).await
    }

    async fn check_without(&self, id: &str, package: &Package, without: &[&str]) -> (Outcome, Vec<Progress>) {
        let wanted = PrerequisiteRun {
            id: JobId::new(id).expect("a job id"),
            package: package.clone(),
            without: without.iter().map(|&check| check.to_owned()).collect(),
            agents: vec![name("dma-1"), name("dma-2")],
            run_as: RunAs::System,
            deadline: Timestamp::now() + SignedDuration::from_mins(2),
        };
        perform(&self.driver, self.generation, EffectKind::RunPrerequisites(Box::new(wanted))).await
    }

    fn job(&self, agent: &str, file: &str) -> std::path::PathBuf {
        self.setup.file(agent, &format!("ProgramData/dataminer-reconciler/jobs/{file}"))
    }
}

fn checked(outcome: &Outcome) -> &Checked {
    let Outcome::Checked(checked) = outcome else { panic!("the checks should have run: {outcome:?}") };
    checked
}

#[tokio::test]
async fn the_checks_of_a_package_run_on_every_agent_and_once() {
    let scene = Scene::start().await;
    let package = scene.package();
    let (outcome, _) = scene.check("0123456789ab-2-1", &package).await;
    let found = checked(&outcome);
    assert_eq!(found.findings, []);
    // VerifyClusterPorts, VerifyCloudDxMVersion, VerifyDotNetVersion and VerifyNatsCluster.
    assert_eq!(found.passed, 2 * 4);
    for agent in ["dma-1", "dma-2"] {
        assert!(exists(&scene.job(agent, "0123456789ab-2-1/VerifyDotNetVersion.dll.json")), "{agent}");
    }
    // Found again, not run again.
    let told = scene.job("dma-1", "0123456789ab-2-1/output.log");
    let before = std::fs::metadata(&told).and_then(|file| file.modified()).expect("it is there");
    assert_eq!(scene.check("0123456789ab-2-1", &package).await.0, outcome);
    assert_eq!(std::fs::metadata(&told).and_then(|file| file.modified()).expect("it is there"), before);
    // Nothing of it is left behind.
    let clean = EffectKind::CleanUp { agents: vec![name("dma-1"), name("dma-2")] };
    assert_eq!(perform(&scene.driver, scene.generation, clean).await.0, Outcome::Done);
    assert!(!exists(&scene.job("dma-1", "0123456789ab-2-1")));
    scene.setup.assert_all_commands_known();
}

/// Before 10.6.7/10.7.0 the executor ends with 0 whatever it finds.
#[tokio::test]
async fn a_failed_check_is_known_by_its_result_and_not_by_an_exit_code() {
    let scene = Scene::start().await;
    scene.setup.inject("dma-2", Fault::FailPrerequisite("VerifyNatsCluster".to_owned())).await;
    let (outcome, progress) = scene.check("0123456789ab-2-1", &scene.package()).await;
    let found = checked(&outcome);
    assert_eq!(found.passed, 7);
    let [failed] = found.findings.as_slice() else { panic!("{found:?}") };
    assert_eq!((failed.agent.as_str(), failed.check.as_str()), ("dma-2", "VerifyNatsCluster.dll"));
    assert_eq!((failed.verdict, failed.message.as_str()), (Verdict::Failed, "Issues detected (injected)"));
    let log =
        std::fs::read_to_string(scene.job("dma-2", "0123456789ab-2-1/output.log")).expect("it is there");
    assert!(log.contains("VerifyNatsCluster.dll ended with 0"), "{log}");
    assert!(format!("{progress:?}").contains("prerequisite VerifyNatsCluster.dll failed"), "{progress:?}");
    // Cured, under another id.
    scene.setup.inject("dma-2", Fault::ClearPrerequisite("VerifyNatsCluster".to_owned())).await;
    assert_eq!(checked(&scene.check("0123456789ab-2-2", &scene.package()).await.0).passed, 8);
}

/// H4, G2: what a later step brings about, and what the copy lacks.
#[tokio::test]
async fn a_check_that_the_plan_leaves_out_is_not_run() {
    let scene = Scene::start().await;
    scene.setup.inject("dma-2", Fault::FailPrerequisite("VerifyNatsCluster".to_owned())).await;
    let without = ["verifynatscluster.dll"];
    let (outcome, progress) = scene.check_without("0123456789ab-2-1", &scene.package(), &without).await;
    assert_eq!(checked(&outcome), &Checked { passed: 6, findings: Vec::new() });
    assert!(!exists(&scene.job("dma-2", "0123456789ab-2-1/VerifyNatsCluster.dll.json")));
    assert!(format!("{progress:?}").contains("VerifyNatsCluster.dll is left out"), "{progress:?}");
    scene.setup.assert_all_commands_known();
}

#[tokio::test]
async fn what_cannot_be_read_is_neither_success_nor_failure() {
    let scene = Scene::start().await;
    std::fs::remove_file(scene.setup.file("dma-1", EXECUTOR)).expect("it is there");
    let (outcome, _) = scene.check("0123456789ab-2-1", &scene.package()).await;
    let found = checked(&outcome);
    assert_eq!((found.passed, found.findings.len()), (4, 4));
    for finding in &found.findings {
        assert_eq!((finding.agent.as_str(), finding.verdict), ("dma-1", Verdict::Unknown));
        assert!(finding.message.contains("StandaloneBpaExecutor.exe"), "{}", finding.message);
    }
    // A check that the executor will not load.
    let update = zip_of(&[("Prerequisites/VerifyX.dll", b"MZ unsigned"), ("UpdateContent.txt", b"SLEEP 1")]);
    let bytes = zip_of(&[("Update.zip", &update)]);
    let package = scene.setup.package("DataMiner 10.5.1.0-15000 Full Upgrade.dmupgrade", &bytes);
    let (outcome, _) = scene.check("0123456789ab-3-1", &package).await;
    let on_2 = checked(&outcome).findings.iter().find(|finding| finding.agent.as_str() == "dma-2");
    let on_2 = on_2.expect("it is told");
    assert_eq!(on_2.verdict, Verdict::Unknown);
    assert!(on_2.message.contains("not signed"), "{}", on_2.message);
    scene.setup.assert_all_commands_known();
}

#[tokio::test]
async fn a_package_without_checks_or_without_sense_sends_nothing() {
    let scene = Scene::start().await;
    let update = zip_of(&[("UpdateContent.txt", b"SLEEP 1")]);
    let package = scene.setup.package("a.dmupgrade", &zip_of(&[("Update.zip", &update)]));
    assert_eq!(scene.check("0123456789ab-2-1", &package).await.0, Outcome::Checked(Checked::default()));
    let update = zip_of(&[(r"Prerequisites\..\..\evil.dll", b"MZ")]);
    let package = scene.setup.package("b.dmupgrade", &zip_of(&[("Update.zip", &update)]));
    let (outcome, _) = scene.check("0123456789ab-3-1", &package).await;
    assert_eq!(failure(&outcome).reason, "PackageUnverified");
    let changed = Package { file: "a.dmupgrade".to_owned(), ..package };
    assert_eq!(failure(&scene.check("0123456789ab-4-1", &changed).await.0).reason, "PackageUnverified");
    assert!(
        !exists(&scene.job("dma-1", "0123456789ab-2-1")) && !exists(&scene.job("dma-1", "0123456789ab-3-1"))
    );
}

#[tokio::test]
async fn killed_checks_are_told_and_run_again_under_another_id() {
    let scene = Scene::start().await;
    let package = scene.package();
    let kill = async {
        while !exists(&scene.job("dma-1", "0123456789ab-2-1/started.txt")) {
            tokio::task::yield_now().await;
        }
        scene.setup.inject("dma-1", Fault::KillJobs).await;
    };
    let (outcome, ()) = tokio::join!(scene.check("0123456789ab-2-1", &package), kill);
    assert_eq!(outcome.0, Outcome::JobEnded(JobEnd::Vanished));
    assert_eq!(checked(&scene.check("0123456789ab-2-2", &package).await.0).passed, 8);
}
