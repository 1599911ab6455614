use std::time::Duration;

use camino::Utf8PathBuf;
use dataminer_core::exec::effect::{EffectKind, Job, JobEnd, Outcome, Package, Refusal};
use dataminer_reconciler::{agent::ClusterDriver, engine::Progress};
use dataminer_schema::{
    id::{JobId, Sha256},
    plan::Action,
    v1::{
        cluster::{FailoverPolicy, RunAs, UpgradeOptions},
        observation::{Observation, OperationState, WebEvidence},
    },
};
use dms_simulator::{
    AgentReport, Fault,
    package::{self, PackageSpec},
};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use crate::harness::{Setup, agents, claim, failure, name, perform, version};

const CORE: &str = "10.5.0 CU9 (build 16500)";
/// A full upgrade of simulated twenty minutes takes a second or two.
const SPEED: f64 = 1500.0;
const ID: &str = "0123456789ab-3-1";

struct Scene {
    setup: Setup,
    driver: ClusterDriver,
    generation: u64,
}

impl Scene {
    async fn start(count: u8) -> Self {
        let setup = Setup::start(agents(count, CORE), SPEED).await;
        let driver = setup.driver();
        let generation = claim(&driver, 0).await.expect("ours");
        Self { setup, driver, generation }
    }

    fn names(&self) -> Vec<dataminer_schema::id::AgentName> {
        self.setup.simulation.agents().iter().map(|endpoint| name(&endpoint.name)).collect()
    }

    /// Makes the package and puts it on the first Agent.
    async fn staged(&self, spec: &PackageSpec) -> Package {
        let folder = Utf8PathBuf::from_path_buf(self.setup.packages()).expect("a UTF-8 path");
        let written = package::write(&folder, spec).expect("the package is written");
        let package =
            Package { file: written.file, sha256: Sha256::new(written.sha256).expect("a hash"), patch: None };
        let stage = EffectKind::StagePackage { package: package.clone(), agents: vec![name("dma-1")] };
        let (outcome, _) = perform(&self.driver, self.generation, stage).await;
        assert_eq!(outcome, Outcome::Done);
        package
    }

    fn job(&self, id: &str, action: Action, package: &Package, to: &str) -> Job {
        Job {
            id: JobId::new(id).expect("a job id"),
            action,
            package: package.clone(),
            to: Some(to.to_owned()),
            orchestrator: name("dma-1"),
            agents: self.names(),
            whole_cluster: true,
            options: UpgradeOptions::default(),
            failover_policy: FailoverPolicy::Simultaneously,
            run_as: RunAs::SshUser,
            deadline: Timestamp::now() + SignedDuration::from_mins(2),
        }
    }

    async fn core_job(&self) -> Job {
        let package = self.staged(&PackageSpec::full(version("10.5.0 CU12 (build 16889)"))).await;
        self.job(ID, Action::UpgradeCore, &package, "10.5.0 CU12")
    }

    async fn run(&self, job: &Job) -> (Outcome, Vec<Progress>) {
        perform(&self.driver, self.generation, EffectKind::RunJob(Box::new(job.clone()))).await
    }

    /// Observes until `enough`; the other Agents end after the job.
    async fn observe_until(&self, enough: impl Fn(&Observation) -> bool) -> Observation {
        let deadline = Timestamp::now() + SignedDuration::from_mins(1);
        loop {
            let observation = self.driver.observe().await;
            if enough(&observation) {
                return observation;
            }
            assert!(Timestamp::now() < deadline, "{observation:#?}");
        }
    }

    async fn settled(&self) -> Observation {
        self.observe_until(|observation| {
            observation.agents.iter().all(|agent| {
                agent.operation.as_ref().is_none_or(|operation| operation.state != OperationState::Running)
                    && agent.state == Some(dataminer_schema::v1::observation::AgentState::Running)
            })
        })
        .await
    }

    fn reports(&self) -> Vec<AgentReport> {
        self.setup.simulation.inspect().clusters.remove(0).agents
    }

    fn assert_no_rule_was_broken(&self) {
        let report = self.setup.simulation.inspect();
        assert!(report.clusters[0].violations.is_empty(), "{:?}", report.clusters[0].violations);
        self.setup.assert_all_commands_known();
    }
}

fn exited(outcome: &Outcome) -> (i64, &[String]) {
    let Outcome::JobEnded(JobEnd::Exited { code, log_tail }) = outcome else {
        panic!("it should have exited: {outcome:?}")
    };
    (*code, log_tail)
}

#[tokio::test]
async fn a_full_upgrade_runs_once_and_is_seen_on_every_agent() {
    let scene = Scene::start(3).await;
    let job = scene.core_job().await;
    let (outcome, progress) = scene.run(&job).await;
    let (code, log_tail) = exited(&outcome);
    assert_eq!(code, 0, "{log_tail:?}");
    assert!(!log_tail.is_empty());
    assert!(progress.iter().any(|event| matches!(event, Progress::Log { .. })), "{progress:?}");
    let observation = scene.settled().await;
    for agent in &observation.agents {
        assert!(agent.core.as_deref().is_some_and(|core| core.starts_with("10.5.0.0-16889-")), "{agent:?}");
        assert_eq!(agent.web_apps.as_deref(), Some("10.5.0 CU12"), "{agent:?}");
        assert_eq!(agent.web_evidence, Some(WebEvidence::OwnJob));
    }
    let (again, _) = scene.run(&job).await;
    assert_eq!(exited(&again).0, 0, "the same job is found again");
    for report in scene.reports() {
        assert_eq!(report.history.len(), 2, "one entry more, not two: {report:?}");
    }
    scene.assert_no_rule_was_broken();
}

#[tokio::test]
async fn a_web_upgrade_is_known_by_our_own_job() {
    let scene = Scene::start(2).await;
    let package = scene.staged(&PackageSpec::web(version("10.5.12 (build 16920)"))).await;
    let job = scene.job(ID, Action::UpgradeWeb, &package, "10.5.12");
    let (outcome, _) = scene.run(&job).await;
    assert_eq!(exited(&outcome).0, 0, "{outcome:?}");
    let observation = scene.settled().await;
    for agent in &observation.agents {
        assert_eq!(agent.web_apps.as_deref(), Some("10.5.12"), "{agent:?}");
        assert_eq!(agent.web_evidence, Some(WebEvidence::OwnJob));
        assert!(agent.core.as_deref().is_some_and(|core| core.starts_with("10.5.0.0-16500-")), "{agent:?}");
        let web_history = agent.web_history.as_ref().expect("it is known");
        assert_eq!(web_history.len(), 1, "{web_history:?}");
    }
    scene.assert_no_rule_was_broken();
}

/// Everything that the process knew is gone; the job is not.
#[tokio::test]
async fn a_driver_that_died_in_the_middle_finds_its_job_again() {
    let scene = Scene::start(2).await;
    let job = scene.core_job().await;
    let effect = EffectKind::RunJob(Box::new(job.clone()));
    let (sender, mut progress) = mpsc::channel(1000);
    let effect = dataminer_core::exec::effect::Effect { id: 1, step: "3".to_owned(), kind: effect };
    tokio::select! {
        outcome = scene.driver.perform(scene.generation, &effect, &sender) => panic!("too fast: {outcome:?}"),
        // The log grows: the upgrade runs.
        _line = async { while !matches!(progress.recv().await, Some(Progress::Log { .. })) {} } => {}
    }
    let second = scene.setup.driver();
    let seen = second.observe().await;
    let operation = seen.agents[0].operation.as_ref().expect("the job runs");
    assert_eq!((operation.id.as_deref(), operation.state), (Some(ID), OperationState::Running));
    assert_eq!(operation.owner.as_deref(), Some("prod"));
    let generation = claim(&second, scene.generation).await.expect("ours");
    let (outcome, _) = perform(&second, generation, EffectKind::RunJob(Box::new(job))).await;
    assert_eq!(exited(&outcome).0, 0, "{outcome:?}");
    scene.settled().await;
    for report in scene.reports() {
        assert_eq!(report.history.len(), 2, "it ran once: {report:?}");
    }
    scene.assert_no_rule_was_broken();
}

#[tokio::test]
async fn an_upgrade_of_ours_is_ours_on_every_agent_while_it_runs() {
    let scene = Scene::start(3).await;
    let job = scene.core_job().await;
    let effect = EffectKind::RunJob(Box::new(job));
    let run = perform(&scene.driver, scene.generation, effect);
    let watch = async {
        scene
            .observe_until(|observation| {
                observation.agents.iter().filter(|agent| agent.operation.is_some()).count() > 1
            })
            .await
    };
    let ((outcome, _), seen) = tokio::join!(run, watch);
    assert_eq!(exited(&outcome).0, 0);
    for agent in seen.agents.iter().filter(|agent| agent.operation.is_some()) {
        let owner = agent.operation.as_ref().and_then(|operation| operation.owner.as_deref());
        assert_eq!(owner, Some("prod"), "{agent:?}");
    }
}

#[tokio::test]
async fn a_failed_prerequisite_ends_the_job_with_its_name() {
    let scene = Scene::start(2).await;
    let job = scene.core_job().await;
    scene.setup.inject("dma-2", Fault::FailPrerequisite("VerifyClusterPorts.dll".to_owned())).await;
    let (outcome, _) = scene.run(&job).await;
    let (code, log_tail) = exited(&outcome);
    assert_ne!(code, 0);
    assert!(
        log_tail.iter().any(|line| line.contains("Prerequisite VerifyClusterPorts.dll failed")),
        "{log_tail:?}"
    );
    let observation = scene.settled().await;
    for agent in &observation.agents {
        assert!(agent.core.as_deref().is_some_and(|core| core.starts_with("10.5.0.0-16500-")), "{agent:?}");
    }
    let operation = observation.agents[0].operation.as_ref().expect("the newest job");
    assert_eq!(operation.state, OperationState::Failed);
}

#[tokio::test]
async fn a_killed_job_vanishes() {
    let scene = Scene::start(1).await;
    let job = scene.core_job().await;
    scene.setup.inject("dma-1", Fault::NextUtilityHangs).await;
    let run = scene.run(&job);
    let kill = async {
        scene.observe_until(|seen| seen.agents[0].operation.is_some()).await;
        scene.setup.inject("dma-1", Fault::KillJobs).await;
    };
    let ((outcome, _), ()) = tokio::join!(run, kill);
    assert_eq!(outcome, Outcome::JobEnded(JobEnd::Vanished));
    let seen = scene.driver.observe().await;
    let operation = seen.agents[0].operation.as_ref().expect("the newest job");
    assert_eq!(operation.state, OperationState::Unknown);
}

#[tokio::test]
async fn a_job_that_never_ends_is_given_up_at_its_deadline() {
    let scene = Scene::start(1).await;
    let mut job = scene.core_job().await;
    scene.setup.inject("dma-1", Fault::NextUtilityHangs).await;
    job.deadline = Timestamp::now() + SignedDuration::from_secs(3);
    let (outcome, _) = scene.run(&job).await;
    assert!(matches!(outcome, Outcome::JobEnded(JobEnd::TimedOut { .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_fenced_driver_starts_nothing() {
    let scene = Scene::start(1).await;
    let job = scene.core_job().await;
    claim(&scene.setup.driver(), scene.generation).await.expect("the new owner");
    let (outcome, _) = scene.run(&job).await;
    assert_eq!(outcome, Outcome::JobEnded(JobEnd::Refused { reason: Refusal::Generation }));
    assert_eq!(scene.reports()[0].history.len(), 1);
}

#[tokio::test]
async fn a_lost_connection_does_not_lose_the_job() {
    let scene = Scene::start(1).await;
    let job = scene.core_job().await;
    let run = scene.run(&job);
    let interrupt = async {
        scene.observe_until(|seen| seen.agents[0].operation.is_some()).await;
        scene.setup.inject("dma-1", Fault::Network(dms_simulator::Reach::Refuses)).await;
        tokio::time::timeout(Duration::from_millis(300), std::future::pending::<()>())
            .await
            .expect_err("a pause");
        scene.setup.inject("dma-1", Fault::Network(dms_simulator::Reach::Reachable)).await;
    };
    let ((outcome, _), ()) = tokio::join!(run, interrupt);
    assert_eq!(exited(&outcome).0, 0, "{outcome:?}");
    assert_eq!(scene.reports()[0].history.len(), 2);
}

#[tokio::test]
async fn a_package_that_was_not_staged_is_refused_by_the_job() {
    let scene = Scene::start(1).await;
    let mut job = scene.core_job().await;
    job.package.sha256 = Sha256::of(b"never staged");
    let (outcome, _) = scene.run(&job).await;
    assert_eq!(outcome, Outcome::JobEnded(JobEnd::Refused { reason: Refusal::Copy }));
}

#[tokio::test]
async fn a_manifest_that_misses_an_agent_starts_no_whole_cluster_job() {
    let scene = Scene::start(2).await;
    let mut job = scene.core_job().await;
    job.agents.truncate(1);
    let (outcome, _) = scene.run(&job).await;
    assert_eq!(failure(&outcome).reason, "TopologyMismatch");
    assert_eq!(scene.reports()[0].history.len(), 1);
}

#[tokio::test]
async fn somebody_elses_upgrade_is_seen_as_such() {
    let scene = Scene::start(1).await;
    scene.setup.inject("dma-1", Fault::ForeignOperation(3600)).await;
    let seen = scene.observe_until(|seen| seen.agents[0].operation.is_some()).await;
    let operation = seen.agents[0].operation.as_ref().expect("it is there");
    assert_eq!((operation.state, operation.owner.as_deref()), (OperationState::Running, None));
}
