//! Modules that are exchanged while DataMiner is stopped (G3).

use camino::Utf8PathBuf;
use dataminer_core::exec::effect::{
    Disposition, EffectKind, Job, JobEnd, Meanwhile, ModuleInstall, Outcome, Package,
};
use dataminer_reconciler::agent::ClusterDriver;
use dataminer_schema::{
    id::{JobId, Sha256},
    plan::Action,
    v1::cluster::{FailoverPolicy, RunAs, UpgradeOptions},
};
use dms_simulator::{
    AgentReport, Fault, ModuleState, RunState,
    package::{self, PackageSpec},
};
use jiff::{SignedDuration, Timestamp};

use crate::harness::{Setup, agents, claim, exists, failure, name, perform, version};

const STORAGE: &str = "DataMiner StorageModule";
const API: &str = "DataMiner UserDefinableApiEndpoint";
const INSTALLERS: &str = "Skyline DataMiner/Tools/ModuleInstallers";

struct Scene {
    setup: Setup,
    driver: ClusterDriver,
    generation: u64,
}

impl Scene {
    /// Agents that were brought down to 10.3.6 and do not come up.
    async fn start() -> Self {
        let setup = Setup::start(agents(2, "10.3.9 (build 13300)"), 2000.0).await;
        let driver = setup.driver();
        let generation = claim(&driver, 0).await.expect("ours");
        let scene = Self { setup, driver, generation };
        let folder = Utf8PathBuf::from_path_buf(scene.setup.packages()).expect("a UTF-8 path");
        let spec = PackageSpec::full(version("10.3.6 (build 13000)"));
        let written = package::write(&folder, &spec).expect("the package is written");
        let package =
            Package { file: written.file, sha256: Sha256::new(written.sha256).expect("a hash"), patch: None };
        let stage = EffectKind::StagePackage { package: package.clone(), agents: vec![name("dma-1")] };
        assert_eq!(perform(&scene.driver, scene.generation, stage).await.0, Outcome::Done);
        let job = Job {
            id: JobId::new("0123456789ab-3-1").expect("a job id"),
            action: Action::DowngradeCore,
            package,
            to: Some("10.3.6".to_owned()),
            orchestrator: name("dma-1"),
            agents: vec![name("dma-1"), name("dma-2")],
            whole_cluster: true,
            options: UpgradeOptions::default(),
            failover_policy: FailoverPolicy::Simultaneously,
            run_as: RunAs::System,
            deadline: Timestamp::now() + SignedDuration::from_mins(2),
        };
        let ended = perform(&scene.driver, scene.generation, EffectKind::RunJob(Box::new(job))).await.0;
        assert!(matches!(&ended, Outcome::JobEnded(JobEnd::Exited { code: 0, .. })), "{ended:?}");
        // "Starting up (xx%)", for ever.
        assert_eq!(scene.states(), [RunState::Starting; 2]);
        scene
    }

    async fn swap(&self, id: &str, module: &str, dataminer: Meanwhile) -> Outcome {
        let wanted = ModuleInstall {
            id: JobId::new(id).expect("a job id"),
            module: module.to_owned(),
            dataminer,
            agents: vec![name("dma-1"), name("dma-2")],
            run_as: RunAs::System,
            deadline: Timestamp::now() + SignedDuration::from_mins(2),
        };
        perform(&self.driver, self.generation, EffectKind::ReinstallModule(Box::new(wanted))).await.0
    }

    fn reports(&self) -> Vec<AgentReport> {
        self.setup.simulation.inspect().clusters.remove(0).agents
    }

    fn states(&self) -> Vec<RunState> {
        self.reports().iter().map(|agent| agent.state).collect()
    }

    fn assert_up(&self) {
        assert_eq!(self.states(), [RunState::Running; 2]);
        for agent in self.reports() {
            let fit = agent.modules.iter().all(|module| module.state == ModuleState::Fits);
            assert!(fit, "{}: {:?}", agent.name, agent.modules);
        }
        self.setup.assert_all_commands_known();
    }
}

fn code(outcome: &Outcome) -> i64 {
    let Outcome::JobEnded(JobEnd::Exited { code, .. }) = outcome else { panic!("{outcome:?}") };
    *code
}

#[tokio::test]
async fn g3_dataminer_is_stopped_once_and_started_when_both_modules_are_exchanged() {
    let scene = Scene::start().await;
    // What an earlier release left behind is not installed again.
    for agent in ["dma-1", "dma-2"] {
        let left = scene.setup.file(agent, INSTALLERS).join("DataMiner StorageModule 3.0.3.msi");
        std::fs::write(left, "no installer").expect("a new file");
    }
    assert_eq!(code(&scene.swap("0123456789ab-4-1", STORAGE, Meanwhile::Stopped).await), 0);
    assert_eq!(scene.states(), [RunState::Stopped; 2]);
    assert_eq!(code(&scene.swap("0123456789ab-5-1", API, Meanwhile::StartedAgain).await), 0);
    scene.assert_up();
    // Found again, not done again.
    assert_eq!(code(&scene.swap("0123456789ab-5-1", API, Meanwhile::StartedAgain).await), 0);
    scene.assert_up();
}

/// Killed in the middle: whatever was done of it is done again.
#[tokio::test]
async fn g3_a_job_that_died_with_its_server_is_done_by_the_next_attempt() {
    let scene = Scene::start().await;
    assert_eq!(code(&scene.swap("0123456789ab-4-1", STORAGE, Meanwhile::Stopped).await), 0);
    let kill = async {
        let log = "ProgramData/dataminer-reconciler/jobs/0123456789ab-5-1/install.log";
        while !exists(&scene.setup.file("dma-2", log)) {
            tokio::task::yield_now().await;
        }
        scene.setup.inject("dma-2", Fault::Reboot).await;
    };
    let (outcome, ()) = tokio::join!(scene.swap("0123456789ab-5-1", API, Meanwhile::StartedAgain), kill);
    assert_eq!(outcome, Outcome::JobEnded(JobEnd::Vanished));
    assert_eq!(code(&scene.swap("0123456789ab-5-2", API, Meanwhile::StartedAgain).await), 0);
    scene.assert_up();
}

#[tokio::test]
async fn g3_a_module_that_cannot_be_installed_leaves_dataminer_stopped_for_the_next_attempt() {
    let scene = Scene::start().await;
    scene.setup.inject("dma-1", Fault::NextMsiexecExit(1603)).await;
    assert_eq!(code(&scene.swap("0123456789ab-4-1", STORAGE, Meanwhile::StartedAgain).await), 1603);
    assert_eq!(scene.states()[0], RunState::Stopped);
    assert_eq!(code(&scene.swap("0123456789ab-4-2", STORAGE, Meanwhile::Stopped).await), 0);
    assert_eq!(code(&scene.swap("0123456789ab-5-1", API, Meanwhile::StartedAgain).await), 0);
    scene.assert_up();
}

#[tokio::test]
async fn g3_without_an_older_installer_nothing_is_taken_away_and_somebody_is_asked() {
    let scene = Scene::start().await;
    let folder = scene.setup.file("dma-2", INSTALLERS);
    std::fs::remove_file(folder.join("DataMiner StorageModule 1.0.1.msi")).expect("it is there");
    std::fs::write(folder.join("DataMiner StorageModule 3.0.3.msi"), "no installer").expect("a new file");
    let outcome = scene.swap("0123456789ab-4-1", STORAGE, Meanwhile::Stopped).await;
    let refused = failure(&outcome);
    assert_eq!((refused.reason.as_str(), refused.disposition), ("ModuleNotRemovable", Disposition::Stalled));
    assert_eq!(refused.agents, [name("dma-2")]);
    assert!(refused.help.contains("ModuleInstallers"), "{}", refused.help);
    let storage = scene.reports()[1].modules.iter().find(|module| module.name == STORAGE).cloned();
    assert_eq!(storage.and_then(|module| module.version).as_deref(), Some("3.0.3"));
}
