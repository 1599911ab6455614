//! Packages that are staged without one of their checks (G2).

use camino::Utf8PathBuf;
use dataminer_core::exec::effect::{Disposition, EffectKind, Job, JobEnd, Outcome, Package};
use dataminer_reconciler::{agent::ClusterDriver, engine::Progress};
use dataminer_schema::{
    id::{JobId, Sha256},
    plan::{Action, PackagePatch},
    v1::cluster::{FailoverPolicy, RunAs, UpgradeOptions},
};
use dms_simulator::{
    Fault,
    package::{self, PackageSpec},
};
use jiff::{SignedDuration, Timestamp};

use crate::harness::{Setup, agents, claim, failure, name, perform, version};

const ABOVE: &str = "10.4.0 CU21 (build 16523)";
const BELOW: &str = "10.3.0 CU20 (build 14985)";
const OURS: &str = "ProgramData/dataminer-reconciler";

struct Scene {
    setup: Setup,
    driver: ClusterDriver,
    generation: u64,
}

impl Scene {
    async fn start() -> Self {
        let setup = Setup::start(agents(2, ABOVE), 2000.0).await;
        let driver = setup.driver();
        let generation = claim(&driver, 0).await.expect("ours");
        Self { setup, driver, generation }
    }

    fn package(&self, padding: u64) -> Package {
        let folder = Utf8PathBuf::from_path_buf(self.setup.packages()).expect("a UTF-8 path");
        let spec = PackageSpec::full(version(BELOW)).with_padding(padding);
        let written = package::write(&folder, &spec).expect("the package is written");
        let removes = r"Update.zip\Prerequisites\VerifyNatsIsRunning.dll".to_owned();
        Package {
            file: written.file,
            sha256: Sha256::new(written.sha256).expect("a hash"),
            patch: Some(PackagePatch { removes, sha256: None }),
        }
    }

    async fn stage(&self, package: &Package) -> (Outcome, Vec<Progress>) {
        let stage = EffectKind::StagePackage { package: package.clone(), agents: vec![name("dma-1")] };
        perform(&self.driver, self.generation, stage).await
    }

    /// Stages the copy; the package with what is known then.
    async fn staged(&self, package: &Package) -> Package {
        let (outcome, progress) = self.stage(package).await;
        let Outcome::Patched(copy) = outcome else { panic!("{outcome:?}: {progress:?}") };
        let patch = package.patch.clone().map(|patch| PackagePatch { sha256: Some(copy), ..patch });
        Package { patch, ..package.clone() }
    }

    async fn run(&self, package: &Package) -> Outcome {
        let job = Job {
            id: JobId::new("0123456789ab-3-1").expect("a job id"),
            action: Action::DowngradeCore,
            package: package.clone(),
            to: Some("10.3.0 CU20".to_owned()),
            orchestrator: name("dma-1"),
            agents: vec![name("dma-1"), name("dma-2")],
            whole_cluster: true,
            options: UpgradeOptions::default(),
            failover_policy: FailoverPolicy::Simultaneously,
            run_as: RunAs::SshUser,
            deadline: Timestamp::now() + SignedDuration::from_mins(2),
        };
        perform(&self.driver, self.generation, EffectKind::RunJob(Box::new(job))).await.0
    }

    fn copy(&self, package: &Package) -> std::path::PathBuf {
        let copy = package.staged().expect("it was staged");
        self.setup.file("dma-1", &format!("{OURS}/packages/{copy}/{}", package.file))
    }
}

fn ended_well(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::JobEnded(JobEnd::Exited { code: 0, .. }))
}

#[tokio::test]
async fn g2_the_copy_is_staged_hashed_and_installed_where_the_package_is_refused() {
    let scene = Scene::start().await;
    let whole = Package { patch: None, ..scene.package(0) };
    assert_eq!(scene.stage(&whole).await.0, Outcome::Done);
    assert!(!ended_well(&scene.run(&whole).await), "its check refuses it");
    let report = || scene.setup.simulation.inspect().clusters.remove(0).agents;
    assert!(report().iter().all(|agent| agent.core == version(ABOVE)));

    let scene = Scene::start().await;
    let package = scene.staged(&scene.package(0)).await;
    let bytes = std::fs::read(scene.copy(&package)).expect("the copy lies there");
    assert_eq!(Some(&Sha256::of(&bytes)), package.staged());
    assert_ne!(package.staged(), Some(&package.sha256));
    let published = std::fs::read(scene.setup.packages().join(&package.file)).expect("the package");
    assert_eq!(Sha256::of(&published), package.sha256, "the published package stays as it is");
    let ended = scene.run(&package).await;
    assert!(ended_well(&ended), "{ended:?}");
    let agents = scene.setup.simulation.inspect().clusters.remove(0).agents;
    assert!(agents.iter().any(|agent| agent.core == version(BELOW)));
    // The record of the job names both.
    let record = scene.setup.file("dma-1", &format!("{OURS}/jobs/0123456789ab-3-1/job.json"));
    let record = std::fs::read_to_string(record).expect("the record");
    for digest in [Some(&package.sha256), package.staged()] {
        assert!(record.contains(digest.expect("a digest").as_str()), "{record}");
    }
    scene.setup.assert_all_commands_known();
}

/// Deterministic bytes: what came before the break still fits to what is made anew.
#[tokio::test]
async fn g2_a_cut_upload_of_a_copy_is_taken_up_where_it_broke() {
    let scene = Scene::start().await;
    scene.setup.inject("dma-1", Fault::DropUploadAfter(3_000_000)).await;
    let package = scene.package(5_000_000);
    let (outcome, progress) = scene.stage(&package).await;
    let Outcome::Patched(copy) = &outcome else { panic!("{outcome:?}: {progress:?}") };
    let note =
        |event: &Progress| matches!(event, Progress::Note(text) if text.contains("taking it up again"));
    let after = progress.iter().skip_while(|event| !note(event)).find_map(|event| match event {
        Progress::Bytes { done, .. } => Some(*done),
        _ => None,
    });
    assert!(after.is_some_and(|done| done > 1_000_000), "it went on, it did not begin again: {after:?}");
    let path = scene.setup.file("dma-1", &format!("{OURS}/packages/{copy}/{}", package.file));
    assert_eq!(Sha256::of(&std::fs::read(path).expect("the copy lies there")), *copy);
    // Another process makes the same copy and finds it there.
    let again = scene.staged(&package).await;
    assert_eq!(again.staged(), Some(copy));
    let (_, progress) = scene.stage(&again).await;
    assert!(!progress.iter().any(|event| matches!(event, Progress::Bytes { .. })), "nothing is sent again");
}

#[tokio::test]
async fn g2_a_copy_that_comes_out_otherwise_or_was_touched_is_not_installed() {
    let scene = Scene::start().await;
    let mut package = scene.package(0);
    package.patch.iter_mut().for_each(|patch| patch.sha256 = Some(Sha256::of(b"another copy")));
    let (outcome, _) = scene.stage(&package).await;
    let refused = failure(&outcome);
    assert_eq!((refused.reason.as_str(), refused.disposition), ("PackageUnverified", Disposition::Stalled));
    let sent = std::fs::read_dir(scene.setup.file("dma-1", &format!("{OURS}/packages")));
    assert_eq!(sent.map_or(0, Iterator::count), 0, "nothing was sent");

    let package = scene.staged(&scene.package(0)).await;
    let mut bytes = std::fs::read(scene.copy(&package)).expect("the copy lies there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(scene.copy(&package), bytes).expect("the drive can be written");
    let ended = scene.run(&package).await;
    assert!(matches!(&ended, Outcome::JobEnded(JobEnd::Refused { .. })), "{ended:?}");
}
