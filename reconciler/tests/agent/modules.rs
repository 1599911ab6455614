use dataminer_core::exec::effect::{Disposition, EffectKind, JobEnd, Meanwhile, ModuleInstall, Outcome};
use dataminer_reconciler::{agent::ClusterDriver, engine::Progress};
use dataminer_schema::{id::JobId, v1::cluster::RunAs};
use dms_simulator::{Fault, ModuleReport, ModuleSpec, ModuleState};
use jiff::{SignedDuration, Timestamp};

use crate::harness::{Setup, agents, claim, exists, name, perform};

const CORE: &str = "10.5.0 CU9 (build 16500)";
const GQI: &str = "DataMiner GQI";
const INSTALLERS: &str = "Skyline DataMiner/Tools/ModuleInstallers/Web";

struct Scene {
    setup: Setup,
    driver: ClusterDriver,
    generation: u64,
}

impl Scene {
    /// Agents on which a newer GQI was left behind.
    async fn start() -> Self {
        let mut agents = agents(2, CORE);
        for agent in &mut agents {
            let gqi = ModuleSpec { name: GQI.to_owned(), version: "10.6.3".to_owned() };
            agent.modules = Some(vec![gqi]);
        }
        let setup = Setup::start(agents, 2000.0).await;
        let driver = setup.driver();
        let generation = claim(&driver, 0).await.expect("ours");
        Self { setup, driver, generation }
    }

    async fn reinstall(&self, id: &str, module: &str) -> (Outcome, Vec<Progress>) {
        self.exchange(id, module, Meanwhile::Untouched).await
    }

    async fn exchange(&self, id: &str, module: &str, dataminer: Meanwhile) -> (Outcome, Vec<Progress>) {
        let wanted = ModuleInstall {
            id: JobId::new(id).expect("a job id"),
            module: module.to_owned(),
            dataminer,
            agents: vec![name("dma-1"), name("dma-2")],
            run_as: RunAs::System,
            deadline: Timestamp::now() + SignedDuration::from_mins(2),
        };
        perform(&self.driver, self.generation, EffectKind::ReinstallModule(Box::new(wanted))).await
    }

    fn gqi(&self, agent: &str) -> ModuleReport {
        let agents = self.setup.simulation.inspect().clusters.remove(0).agents;
        let report = agents.into_iter().find(|report| report.name == agent).expect("it is there");
        report.modules.into_iter().find(|module| module.name == GQI).expect("it is needed")
    }
}

fn exited(outcome: &Outcome) -> i64 {
    let Outcome::JobEnded(JobEnd::Exited { code, .. }) = outcome else {
        panic!("it should have exited: {outcome:?}")
    };
    *code
}

#[tokio::test]
async fn a_module_that_was_left_behind_is_exchanged_on_every_agent() {
    let scene = Scene::start().await;
    assert_eq!(scene.gqi("dma-1").state, ModuleState::TooNew);
    // Names that only begin alike, and other versions, are not it.
    let folder = scene.setup.file("dma-1", INSTALLERS);
    std::fs::write(folder.join("DataMiner GQI Extras 99.0.msi"), "no installer").expect("a new file");
    std::fs::write(folder.join("DataMiner GQI 9.0.1.msi"), "no installer").expect("a new file");
    let (outcome, _) = scene.reinstall("0123456789ab-5-1", GQI).await;
    assert_eq!(exited(&outcome), 0, "{outcome:?}");
    for agent in ["dma-1", "dma-2"] {
        assert_eq!(scene.gqi(agent).state, ModuleState::Fits, "{agent}: {:?}", scene.gqi(agent));
    }
    // Found again, not done again; and another attempt ends alike.
    assert_eq!(exited(&scene.reinstall("0123456789ab-5-1", GQI).await.0), 0);
    assert_eq!(exited(&scene.reinstall("0123456789ab-5-2", GQI).await.0), 0);
    assert_eq!(scene.gqi("dma-1").state, ModuleState::Fits);
    let seen = scene.driver.observe().await;
    let modules = seen.agents[0].modules.as_ref().expect("they are listed");
    assert_eq!(modules.iter().filter(|module| module.name == GQI).count(), 1, "{modules:?}");
    scene.setup.assert_all_commands_known();
}

#[tokio::test]
async fn without_an_installer_nothing_is_taken_away() {
    let scene = Scene::start().await;
    let folder = scene.setup.file("dma-2", INSTALLERS);
    std::fs::remove_dir_all(&folder).expect("it is there");
    let (outcome, progress) = scene.reinstall("0123456789ab-5-1", GQI).await;
    assert_eq!(exited(&outcome), 0, "{outcome:?}");
    assert_eq!(scene.gqi("dma-1").state, ModuleState::Fits);
    assert_eq!(scene.gqi("dma-2").version.as_deref(), Some("10.6.3"), "it stays as it was");
    assert!(format!("{progress:?}").contains("Agent dma-2: DataMiner GQI is skipped"), "{progress:?}");
    assert!(!exists(
        &scene.setup.file("dma-2", "ProgramData/dataminer-reconciler/jobs/0123456789ab-5-1/started.txt")
    ));
}

#[tokio::test]
async fn windows_installers_codes_are_told_apart() {
    let scene = Scene::start().await;
    scene.setup.inject("dma-1", Fault::NextMsiexecExit(3010)).await;
    let (outcome, progress) = scene.reinstall("0123456789ab-5-1", GQI).await;
    assert_eq!(exited(&outcome), 0, "a wanted restart is success: {outcome:?}");
    assert!(format!("{progress:?}").contains("Agent dma-1: Windows wants a restart"), "{progress:?}");
    assert_eq!(scene.gqi("dma-1").state, ModuleState::Fits);
    scene.setup.inject("dma-2", Fault::NextMsiexecExit(1603)).await;
    let (outcome, _) = scene.reinstall("0123456789ab-6-1", GQI).await;
    let Outcome::JobEnded(JobEnd::Exited { code: 1603, log_tail }) = &outcome else { panic!("{outcome:?}") };
    assert!(log_tail.iter().any(|line| line.starts_with("dma-2: uninstall 1603")), "{log_tail:?}");
    assert_eq!(exited(&scene.reinstall("0123456789ab-6-2", GQI).await.0), 0);
    assert_eq!(scene.gqi("dma-2").state, ModuleState::Fits);
}

/// Killed between the uninstallation and the installation: the module is gone, and still owed.
#[tokio::test]
async fn a_module_that_is_gone_is_installed_by_the_next_attempt() {
    let scene = Scene::start().await;
    let kill = async {
        // The log of the second half.
        let half =
            scene.setup.file("dma-1", "ProgramData/dataminer-reconciler/jobs/0123456789ab-5-1/install.log");
        while !exists(&half) {
            tokio::task::yield_now().await;
        }
        scene.setup.inject("dma-1", Fault::KillJobs).await;
    };
    let (outcome, ()) = tokio::join!(scene.reinstall("0123456789ab-5-1", GQI), kill);
    assert_eq!(outcome.0, Outcome::JobEnded(JobEnd::Vanished));
    assert_eq!(scene.gqi("dma-1").state, ModuleState::Missing);
    assert_eq!(exited(&scene.reinstall("0123456789ab-5-2", GQI).await.0), 0);
    assert_eq!(scene.gqi("dma-1").state, ModuleState::Fits);
}

#[tokio::test]
async fn an_installer_whose_name_cmd_would_read_is_refused() {
    let scene = Scene::start().await;
    let folder = scene.setup.file("dma-1", INSTALLERS);
    std::fs::write(folder.join("DataMiner GQI 99 & calc %PATH%.msi"), "x").expect("a new file");
    let (outcome, _) = scene.reinstall("0123456789ab-5-1", GQI).await;
    let Outcome::Failed(refused) = &outcome else { panic!("{outcome:?}") };
    assert_eq!((refused.reason.as_str(), refused.disposition), ("ValueRefused", Disposition::Stalled));
    assert_eq!(scene.gqi("dma-1").version.as_deref(), Some("10.6.3"), "nothing was taken away");
}
