//! The engine over a port that obeys a script: what the engine itself answers for – the journal over a stop, one
//! operation at a time, requests, what is published. Whether real Agents are like that is the business of the
//! suites over the simulator and of real peers.

mod approval;
mod canary;
mod estimates;

use std::sync::{Mutex, MutexGuard, PoisonError};

use camino::Utf8PathBuf;
use dataminer_core::{
    exec::{
        checks::Checked,
        effect::{Disposition, Effect, EffectKind, Failure, JobEnd, Outcome},
    },
    knowledge::Knowledge,
};
use dataminer_schema::{
    id::AgentName,
    load::{SourceFile, load_fleet},
    plan::Action,
    status::{ClusterStatus, SourceStatus},
    v1::observation::{AgentObservation, AgentState, Observation, OwedWork},
};
use tokio::sync::Notify;

use super::*;
use crate::store::{EventKind, OperatorRequest, RequestKind};

const OLD: &str = "10.5.11.0-16400-20251020-release";
const NEW: &str = "10.5.12.0-16500-20251120-release";
const PATIENCE: Duration = Duration::from_secs(30);

/// The scripted Agents.
#[derive(Default)]
struct Script {
    core: String,
    /// Jobs and what became of them; one that is absent was never started.
    jobs: BTreeMap<String, Option<JobEnd>>,
    /// Every job that was asked for, with the generation.
    asked: Vec<(String, u64)>,
    generation: u64,
    /// How the next jobs end; without an entry they succeed.
    ends: Vec<JobEnd>,
    /// Jobs do not end before this is lifted.
    held: bool,
    staged: u32,
    observed: u32,
    /// The installation that owns the Agents, if it is another one.
    owner: Option<String>,
    /// The next claim fails after the store has written its generation down.
    lost_claim: bool,
    /// The Agents cannot be asked whose they are.
    away: bool,
    /// The Agent does not answer a look.
    lost: bool,
    /// The notes of owed work that lie on the Agents.
    owed: Vec<OwedWork>,
}

impl Script {
    fn owned_by_others(&self) -> Option<Failure> {
        let owner = self.owner.as_ref()?;
        Some(Failure {
            message: format!("installation `{owner}` owns a1"),
            ..failure(Disposition::Stalled, "ManagedElsewhere")
        })
    }
}

fn failure(disposition: Disposition, reason: &str) -> Failure {
    Failure {
        disposition,
        reason: reason.to_owned(),
        message: "it fails in this test".to_owned(),
        help: "look at the test".to_owned(),
        agents: Vec::new(),
    }
}

#[derive(Clone, Default)]
struct Dms {
    script: Arc<Mutex<Script>>,
    lifted: Arc<Notify>,
    /// Rung when a job was asked for.
    asked: Arc<Notify>,
}

impl Dms {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until the next job was asked for.
    async fn in_job(&self) {
        tokio::time::timeout(PATIENCE, self.asked.notified()).await.expect("a job is asked for in time");
    }

    fn lift(&self) {
        self.script().held = false;
        self.lifted.notify_waiters();
    }
}

impl AgentPort for Dms {
    async fn observe(&self) -> Observation {
        let mut script = self.script();
        script.observed += 1;
        let mut agent = AgentObservation::new("a1".parse().expect("an Agent name"), !script.lost);
        if script.lost {
            return Observation { cluster: cluster(), taken_at: now(), topology: None, agents: vec![agent] };
        }
        agent.core = Some(script.core.clone());
        agent.state = Some(AgentState::Running);
        agent.web_apps = Some("10.5.12".to_owned());
        agent.owed = Some(script.owed.clone());
        Observation { cluster: cluster(), taken_at: now(), topology: None, agents: vec![agent] }
    }

    async fn newest_generation(&self) -> Result<u64, Failure> {
        let script = self.script();
        script.owned_by_others().map_or(Ok(script.generation), Err)
    }

    async fn claim(&self, generation: u64) -> Result<(), Failure> {
        let mut script = self.script();
        if let Some(failure) = script.owned_by_others() {
            return Err(failure);
        }
        assert!(generation > script.generation, "{generation} is above {}", script.generation);
        if std::mem::take(&mut script.lost_claim) {
            return Err(failure(Disposition::Retry, "AgentUnreachable"));
        }
        script.generation = generation;
        Ok(())
    }

    async fn holders(&self) -> Result<Holders, Failure> {
        let script = self.script();
        if script.away {
            return Err(failure(Disposition::Retry, "AgentUnreachable"));
        }
        let agent: AgentName = "a1".parse().expect("an Agent name");
        let marks = script.owner.iter().map(|owner| (agent.clone(), format!("installation `{owner}`")));
        Ok(Holders { marks: marks.collect(), generation: script.generation })
    }

    async fn take_over(&self, generation: u64) -> Result<(), Failure> {
        let mut script = self.script();
        assert!(generation > script.generation, "{generation} is above {}", script.generation);
        script.generation = generation;
        script.owner = None;
        Ok(())
    }

    async fn perform(&self, generation: u64, effect: &Effect, _: &ProgressSender) -> Outcome {
        match &effect.kind {
            EffectKind::Observe => Outcome::Observed(Box::new(self.observe().await)),
            EffectKind::StagePackage { .. } => {
                self.script().staged += 1;
                Outcome::Done
            }
            EffectKind::RunPrerequisites(_) => Outcome::Checked(Checked::default()),
            EffectKind::SaveBackup { .. } => Outcome::Saved(Vec::new()),
            EffectKind::Owe { work, .. } => {
                self.script().owed.extend(work.iter().cloned());
                Outcome::Done
            }
            EffectKind::Acquit { notes, .. } => {
                let known = |work: &OwedWork| work.id.as_ref().is_some_and(|id| notes.contains(id));
                self.script().owed.retain(|work| !known(work));
                Outcome::Done
            }
            EffectKind::CleanUp { .. } | EffectKind::VerifyContent { .. } => Outcome::Done,
            EffectKind::RestoreContent(_) | EffectKind::ReinstallModule(_) => {
                Outcome::JobEnded(JobEnd::Exited { code: 0, log_tail: Vec::new() })
            }
            EffectKind::RunJob(job) => {
                {
                    let mut script = self.script();
                    script.asked.push((job.id.to_string(), generation));
                    script.jobs.entry(job.id.to_string()).or_default();
                }
                self.asked.notify_one();
                loop {
                    let lifted = self.lifted.notified();
                    if !self.script().held {
                        break;
                    }
                    lifted.await;
                }
                let mut script = self.script();
                if let Some(Some(end)) = script.jobs.get(job.id.as_str()) {
                    return Outcome::JobEnded(end.clone());
                }
                let end = if script.ends.is_empty() {
                    if job.action != Action::RunTool {
                        script.core = NEW.to_owned();
                    }
                    JobEnd::Exited { code: 0, log_tail: Vec::new() }
                } else {
                    script.ends.remove(0)
                };
                script.jobs.insert(job.id.to_string(), Some(end.clone()));
                Outcome::JobEnded(end)
            }
        }
    }
}

fn cluster() -> ClusterName {
    "brussels".parse().expect("a cluster name")
}

/// The manifests with `core` wanted; `extra` lines of the spec make another digest.
fn fleet(core: &str, extra: &str) -> FleetDesired {
    let cluster = format!(
        "apiVersion: dataminer.gitops/v1\nkind: Cluster\nmetadata: {{ name: brussels }}\nspec:\n  software: {{ core: {core} }}\n  \
         agents:\n    - {{ name: a1, address: 10.0.0.11, hostKey: \"SHA256:j1XSV7M9+/YIpHlaMFAX2hiHUZ7yBYbvhLsW/yhj23U\" }}\n  \
         connection: {{ ssh: {{ user: svc, identity: {{ env: KEY }} }} }}\n  \
         health: {{ settle: 0s, timeout: 10s }}\n{extra}"
    );
    let package =
        |file: &str, digit: &str| format!("    - {{ file: \"{file}\", sha256: \"{}\" }}\n", digit.repeat(64));
    let catalog = format!(
        "apiVersion: dataminer.gitops/v1\nkind: PackageCatalog\nmetadata: {{ name: approved }}\nspec:\n  packages:\n{}{}{}",
        package("DataMiner 10.5.11.0-16400 Full Upgrade.dmupgrade", "a"),
        package("DataMiner 10.5.12.0-16500 Full Upgrade.dmupgrade", "b"),
        package("VerifyGRPCConnection.dmupgrade", "c"),
    );
    let file = |path: &str, text: String| SourceFile { path: path.to_owned(), bytes: text.into_bytes() };
    let (fleet, diagnostics) = load_fleet(&[file("cluster.yaml", cluster), file("catalog.yaml", catalog)]);
    assert!(diagnostics.is_empty(), "the manifests of the test are right: {diagnostics:#?}");
    let commit: dataminer_schema::id::CommitId = "c".repeat(40).parse().expect("a commit id");
    FleetDesired {
        clusters: fleet
            .clusters
            .iter()
            .map(|cluster| {
                let desired = dataminer_core::desired::resolve(cluster.value.clone(), Some(commit.clone()));
                (desired.cluster.name.clone(), Arc::new(desired))
            })
            .collect(),
        catalog: Arc::new(Catalog::unite(&fleet.catalogs, Knowledge::built_in()).expect("no conflict")),
        knowledge: Knowledge::default(),
        source: SourceStatus { last_good: Some(commit), ..SourceStatus::default() },
    }
}

/// An engine with its store, which a later engine can take over.
struct Bench {
    _folder: tempfile::TempDir,
    root: Utf8PathBuf,
    dms: Dms,
    desired: watch::Sender<FleetDesired>,
}

/// One run of the process.
struct Run {
    handle: EngineHandle,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<Result<(), StoreError>>,
}

impl Bench {
    fn new(core: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("a UTF-8 path");
        let dms = Dms::default();
        dms.script().core = OLD.to_owned();
        Self { _folder: folder, root, dms, desired: watch::Sender::new(fleet(core, "")) }
    }

    async fn engine(&self) -> Engine<Dms> {
        let store = Store::open(&self.root.join("state.db")).await.expect("the store opens");
        let vault = Vault::open(&self.root.join("vault")).expect("the vault opens");
        let dms = self.dms.clone();
        let config = EngineConfig {
            installation: "test".to_owned(),
            observe: SignedDuration::from_secs(60),
            concurrency: 4,
            hurry: 1,
        };
        Engine::new(config, store, vault, Arc::new(Metrics::new()), move |_, _| dms.clone())
    }

    async fn start(&self) -> Run {
        let engine = self.engine().await;
        let handle = engine.handle();
        let stop = CancellationToken::new();
        let (desired, running) = (self.desired.subscribe(), stop.clone());
        let task = tokio::spawn(async move { engine.run(desired, running).await });
        Run { handle, stop, task }
    }
}

impl Run {
    async fn until(&self, what: &str, reached: impl Fn(&ClusterStatus) -> bool) -> ClusterStatus {
        let mut status = self.handle.status();
        let wait = status.wait_for(|fleet| fleet.cluster(&cluster()).is_some_and(&reached));
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(fleet) => fleet.expect("the engine lives").cluster(&cluster()).expect("it is there").clone(),
            Err(_) => panic!("not {what}: {:#?}", self.handle.status().borrow().cluster(&cluster())),
        }
    }

    async fn ready(&self) -> ClusterStatus {
        self.until("ready", |cluster| cluster.state == ClusterState::Ready).await
    }

    async fn stalled(&self) -> ClusterStatus {
        self.until("stalled", |cluster| cluster.state == ClusterState::Stalled).await
    }

    async fn request(&self, kind: RequestKind) {
        let request = OperatorRequest { kind, reason: Some("a test".to_owned()), by: None };
        self.handle.request(&cluster(), request).await.expect("it is recorded");
    }

    async fn kinds(&self) -> Vec<EventKind> {
        let events = self.handle.store().events(Some(&cluster()), 1000).await.expect("it reads");
        events.into_iter().rev().map(|event| event.kind).collect()
    }

    async fn end(self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(PATIENCE, self.task).await.expect("it ends in time");
        ended.expect("no panic").expect("no store error");
        self.handle.store().close().await;
    }
}

#[tokio::test]
async fn a_cluster_is_taken_to_what_is_wanted_and_the_history_tells_how() {
    let bench = Bench::new("10.5.12");
    let run = bench.start().await;
    let status = run.ready().await;
    assert_eq!(status.observed.core.as_deref(), Some("10.5.12"));
    assert_eq!(bench.dms.script().jobs.len(), 1);
    let kinds = run.kinds().await;
    let at = |kind| {
        kinds.iter().position(|have| *have == kind).unwrap_or_else(|| panic!("no {kind:?} in {kinds:?}"))
    };
    assert!(at(EventKind::PlanStored) < at(EventKind::OperationStarted));
    assert!(at(EventKind::OperationStarted) < at(EventKind::StepStarted));
    assert!(at(EventKind::StepStarted) < at(EventKind::StepFinished));
    assert!(at(EventKind::StepFinished) < at(EventKind::OperationFinished));
    let plan = run.handle.store().current_plan(&cluster()).await.expect("it reads").expect("it is there");
    assert_eq!(plan.plan.steps, [], "the fixed point: the plan over the converged cluster is empty");
    let kept = run.handle.store().statuses().await.expect("it reads");
    assert_eq!(kept[0].state, ClusterState::Ready);
    run.end().await;
}

/// Invariants 5 and 6.
#[tokio::test]
async fn a_stop_during_a_job_leaves_it_to_the_next_run_which_finds_it_again() {
    let bench = Bench::new("10.5.12");
    bench.dms.script().held = true;
    let run = bench.start().await;
    bench.dms.in_job().await;
    run.end().await;

    let run = bench.start().await;
    bench.dms.in_job().await;
    bench.dms.lift();
    run.ready().await;
    let asked = bench.dms.script().asked.clone();
    assert_eq!(asked[0].0, asked[1].0, "the same job was found again");
    assert!(asked[0].1 < asked[1].1, "under a higher generation: {asked:?}");
    assert_eq!(bench.dms.script().jobs.len(), 1);
    assert!(run.kinds().await.contains(&EventKind::OperationResumed));
    run.end().await;
}

#[tokio::test]
async fn a_failure_is_quarantined_until_an_operator_asks() {
    let bench = Bench::new("10.5.12");
    bench.dms.script().ends = vec![JobEnd::Exited { code: 3, log_tail: vec!["no".to_owned()] }];
    let run = bench.start().await;
    let status = run.stalled().await;
    assert_eq!(status.reason, "UpgradeFailed");
    assert!(status.help.is_some());
    run.request(RequestKind::Reconcile).await;
    run.until("looked at again", |cluster| {
        cluster.state == ClusterState::Stalled && cluster.last_observed_at > status.last_observed_at
    })
    .await;
    assert_eq!(bench.dms.script().jobs.len(), 1, "a look is no attempt");
    run.end().await;

    let run = bench.start().await;
    let status =
        run.until("stalled by the store's memory", |cluster| cluster.last_observed_at.is_some()).await;
    assert_eq!(status.state, ClusterState::Stalled);
    run.request(RequestKind::Retry).await;
    run.ready().await;
    let jobs: Vec<String> = bench.dms.script().jobs.keys().cloned().collect();
    assert_eq!(jobs.len(), 2);
    // Each generation has numbers of its own.
    assert!(jobs[0].ends_with("-1") && jobs[1].ends_with("-4"), "ids never come back: {jobs:?}");
    run.end().await;
}

#[tokio::test]
async fn another_commit_releases_the_quarantine_one_that_changes_nothing_does_not() {
    let bench = Bench::new("10.5.12");
    bench.dms.script().ends = vec![JobEnd::Exited { code: 3, log_tail: Vec::new() }];
    let run = bench.start().await;
    run.stalled().await;
    let mut same = fleet("10.5.12", "");
    same.source.last_good = Some("d".repeat(40).parse().expect("a commit id"));
    for desired in same.clusters.values_mut() {
        let mut changed = (**desired).clone();
        changed.commit = same.source.last_good.clone();
        *desired = Arc::new(changed);
    }
    bench.desired.send_replace(same);
    let status = run
        .until("on the new commit", |cluster| cluster.commit == Some("d".repeat(40).parse().expect("an id")))
        .await;
    assert_eq!(status.state, ClusterState::Stalled);
    bench.desired.send_replace(fleet("10.5.12", "  upgrade: { minFreeDisk: 16GiB }\n"));
    run.ready().await;
    run.end().await;
}

#[tokio::test]
async fn an_abort_stops_after_the_job_and_stalls() {
    let bench = Bench::new("10.5.12");
    bench.dms.script().held = true;
    let run = bench.start().await;
    bench.dms.in_job().await;
    run.request(RequestKind::Abort).await;
    bench.dms.lift();
    // The job ended well and its verification ran; what was left is undisturbing, and is left out.
    let status = run
        .until("ended", |cluster| cluster.operation.is_none() && cluster.state != ClusterState::Reconciling)
        .await;
    assert!(status.reason == "Aborted" || status.state == ClusterState::Ready, "{status:#?}");
    assert_eq!(bench.dms.script().jobs.len(), 1);
    run.end().await;
}

#[tokio::test]
async fn another_commit_waits_for_the_job_and_then_plans_anew() {
    let bench = Bench::new("10.5.12");
    bench.dms.script().held = true;
    let run = bench.start().await;
    bench.dms.in_job().await;
    bench.desired.send_replace(fleet("10.5.12", "  upgrade: { minFreeDisk: 16GiB }\n"));
    tokio::task::yield_now().await;
    assert_eq!(bench.dms.script().asked.len(), 1, "the job is not given up");
    bench.dms.lift();
    let status = run.ready().await;
    assert_eq!(status.observed.core.as_deref(), Some("10.5.12"));
    assert_eq!(bench.dms.script().jobs.len(), 1);
    run.end().await;
}

#[tokio::test]
async fn a_cluster_that_is_no_longer_wanted_is_forgotten_and_may_come_back() {
    let bench = Bench::new("10.5.11");
    let run = bench.start().await;
    run.ready().await;
    let mut empty = fleet("10.5.11", "");
    empty.clusters.clear();
    bench.desired.send_replace(empty);
    let mut status = run.handle.status();
    let gone = status.wait_for(|fleet| fleet.clusters.is_empty());
    tokio::time::timeout(PATIENCE, gone).await.expect("forgotten in time").expect("the engine lives");
    assert!(
        run.handle
            .request(&cluster(), OperatorRequest { kind: RequestKind::Retry, reason: None, by: None })
            .await
            .is_err()
    );
    bench.desired.send_replace(fleet("10.5.11", ""));
    run.ready().await;
    run.end().await;
}

/// Invariant 6.
#[tokio::test]
async fn a_cluster_of_another_owner_is_left_alone_and_says_so() {
    let bench = Bench::new("10.5.12");
    bench.dms.script().owner = Some("lab".to_owned());
    let run = bench.start().await;
    let status = run.stalled().await;
    assert_eq!(status.reason, "ManagedElsewhere");
    let touched = {
        let script = bench.dms.script();
        (script.staged, script.asked.len())
    };
    assert_eq!(touched, (0, 0));
    run.end().await;
}

#[tokio::test]
async fn run_once_ends_when_nothing_is_left_to_do() {
    let bench = Bench::new("10.5.12");
    let engine = bench.engine().await;
    let stop = CancellationToken::new();
    let once = engine.run_once(bench.desired.subscribe(), stop);
    let status = tokio::time::timeout(PATIENCE, once).await.expect("it ends").expect("no store error");
    assert!(all_ready(&status), "{status:#?}");
    assert_eq!(bench.dms.script().core, NEW);
}

#[tokio::test]
async fn run_once_ends_where_a_person_must_act() {
    let bench = Bench::new("10.5.10");
    let engine = bench.engine().await;
    let once = engine.run_once(bench.desired.subscribe(), CancellationToken::new());
    let status = tokio::time::timeout(PATIENCE, once).await.expect("it ends").expect("no store error");
    assert_eq!(status.clusters[0].state, ClusterState::Stalled);
    assert_eq!(status.clusters[0].reason, "DowngradeNotAllowed");
}

/// A report of the source that brings nothing new must not make every cluster be observed.
#[tokio::test]
async fn a_fetch_that_brings_nothing_wakes_nobody() {
    let bench = Bench::new("10.5.11");
    let run = bench.start().await;
    run.ready().await;
    let before = bench.dms.script().observed;
    let mut later = fleet("10.5.11", "");
    later.source.fetched_at = Some(now());
    bench.desired.send_replace(later.clone());
    let mut status = run.handle.status();
    let shown = status.wait_for(|fleet| fleet.source.fetched_at == later.source.fetched_at);
    tokio::time::timeout(PATIENCE, shown).await.expect("shown in time").expect("the engine lives");
    run.request(RequestKind::Reconcile).await;
    run.until("observed once more", |_| bench.dms.script().observed > before).await;
    assert_eq!(bench.dms.script().observed, before + 1, "by the request alone");
    run.end().await;
}

impl Bench {
    /// The store's file as it is now, while no engine holds it.
    fn copy_store(&self) -> Vec<u8> {
        std::fs::read(self.root.join("state.db")).expect("a closed store is one file")
    }

    fn restore_store(&self, bytes: &[u8]) {
        std::fs::write(self.root.join("state.db"), bytes).expect("the folder can be written");
    }
}

impl Run {
    async fn events(&self, kind: EventKind) -> Vec<String> {
        let events = self.handle.store().events(Some(&cluster()), 1000).await.expect("it reads");
        events.into_iter().filter(|event| event.kind == kind).map(|event| event.message).collect()
    }

    async fn elsewhere(&self) -> ClusterStatus {
        let status = self.stalled().await;
        assert_eq!(status.reason, "ManagedElsewhere");
        assert!(status.help.as_ref().is_some_and(|help| help.contains("takeover brussels --reason")));
        status
    }
}

/// Invariant 6.
#[tokio::test]
async fn an_older_copy_of_the_store_does_nothing_until_it_takes_over() {
    let bench = Bench::new("10.5.12");
    bench.dms.script().core = NEW.to_owned();
    let run = bench.start().await;
    run.ready().await;
    run.end().await;
    // The copy is of a store that acted once: it holds an unfinished upgrade.
    bench.dms.script().core = OLD.to_owned();
    bench.dms.script().held = true;
    let run = bench.start().await;
    bench.dms.in_job().await;
    run.end().await;
    let copy = bench.copy_store();
    bench.dms.lift();
    let run = bench.start().await;
    run.ready().await;
    run.end().await;
    bench.restore_store(&copy);
    let asked = bench.dms.script().asked.len();
    let run = bench.start().await;
    run.elsewhere().await;
    run.request(RequestKind::Retry).await;
    run.elsewhere().await;
    assert_eq!(bench.dms.script().asked.len(), asked, "nothing was resumed");
    let generation = bench.dms.script().generation;
    run.request(RequestKind::Takeover).await;
    run.ready().await;
    assert!(bench.dms.script().generation > generation);
    assert_eq!(bench.dms.script().asked.len(), asked, "what was unfinished was given up");
    let failed = run.events(EventKind::OperationFailed).await;
    assert!(failed.iter().any(|message| message.contains("given up by a takeover")), "{failed:?}");
    run.end().await;
    let run = bench.start().await;
    run.ready().await;
    run.end().await;
}

/// Invariant 6: of two stores with one installation name, the one that acted later is alone.
#[tokio::test]
async fn the_store_that_acted_before_meets_a_rival_and_says_so() {
    let bench = Bench::new("10.5.12");
    let run = bench.start().await;
    run.ready().await;
    bench.dms.script().core = OLD.to_owned();
    bench.dms.script().generation += 1;
    bench.desired.send_replace(fleet("10.5.12", "  upgrade: { minFreeDisk: 16GiB }\n"));
    let status = run.elsewhere().await;
    assert_eq!(status.observed.core.as_deref(), Some("10.5.11"), "looking is allowed");
    assert_eq!(bench.dms.script().asked.len(), 1);
    run.request(RequestKind::Takeover).await;
    run.ready().await;
    assert_eq!(bench.dms.script().asked.len(), 2);
    run.end().await;
}

#[tokio::test]
async fn a_generation_that_was_written_down_and_never_raised_is_no_rival() {
    let bench = Bench::new("10.5.12");
    bench.dms.script().lost_claim = true;
    let run = bench.start().await;
    run.until("tried again later", |cluster| cluster.reason == "AgentUnreachable").await;
    run.end().await;
    assert_eq!(bench.dms.script().generation, 0);
    let run = bench.start().await;
    run.ready().await;
    assert!(bench.dms.script().generation >= 2, "above what the store wrote down");
    run.end().await;
}

#[tokio::test]
async fn a_takeover_moves_the_cluster_and_keeps_the_old_mark_in_the_history() {
    let bench = Bench::new("10.5.12");
    {
        let mut script = bench.dms.script();
        script.owner = Some("lab".to_owned());
        script.generation = 7;
    }
    let run = bench.start().await;
    run.stalled().await;
    run.request(RequestKind::Takeover).await;
    run.ready().await;
    let script_generation = bench.dms.script().generation;
    assert!(script_generation > 8, "{script_generation}");
    let taken = run.events(EventKind::TakenOver).await;
    assert!(taken[0].contains("a1: installation `lab`") && taken[0].contains("a test"), "{taken:?}");
    run.end().await;
}

#[tokio::test]
async fn a_takeover_of_what_is_being_worked_on_is_refused() {
    let bench = Bench::new("10.5.12");
    bench.dms.script().held = true;
    let run = bench.start().await;
    bench.dms.in_job().await;
    let generation = bench.dms.script().generation;
    let takeover =
        OperatorRequest { kind: RequestKind::Takeover, reason: Some("a test".to_owned()), by: None };
    let refused = run.handle.request(&cluster(), takeover.clone()).await.expect_err("it is ours");
    assert!(matches!(refused, RequestError::Underway(_)), "{refused}");
    // One that was recorded just before the operation began.
    run.handle.store().request(&cluster(), &takeover, now()).await.expect("it is recorded");
    bench.dms.lift();
    run.ready().await;
    assert_eq!(run.events(EventKind::TakenOver).await, Vec::<String>::new());
    assert!(bench.dms.script().generation >= generation);
    let told = run.events(EventKind::OperatorRequest).await;
    assert!(told.iter().any(|message| message.contains("takeover was not done")), "{told:?}");
    run.end().await;
}

/// G8: the note lies on the Agents before anything is restored, so that nobody can forget it.
#[tokio::test]
async fn a_restore_that_an_operator_asks_for_is_owed_on_every_agent() {
    let bench = Bench::new("10.5.11");
    let run = bench.start().await;
    run.ready().await;
    let backup = dataminer_schema::id::Sha256::of(b"content");
    run.request(RequestKind::Restore { backup: backup.clone() }).await;
    run.until("owed", |cluster| cluster.state != ClusterState::Ready && !cluster.owed.is_empty()).await;
    let owed = bench.dms.script().owed.clone();
    assert_eq!(owed.len(), 1);
    assert_eq!((owed[0].action, owed[0].backup.as_ref()), (Action::RestoreContent, Some(&backup)));
    assert!(owed[0].id.as_ref().is_some_and(|id| id.as_str().starts_with("operator-")), "{owed:?}");
    run.end().await;
}

#[tokio::test]
async fn a_takeover_that_cannot_be_done_now_is_tried_until_it_is_aborted() {
    let bench = Bench::new("10.5.11");
    let run = bench.start().await;
    run.ready().await;
    bench.dms.script().away = true;
    run.request(RequestKind::Takeover).await;
    let status = run.until("put off", |cluster| cluster.reason == "AgentUnreachable").await;
    assert_eq!(status.state, ClusterState::Reconciling, "somebody waits for it");
    assert!(status.next_attempt_at.is_some());
    run.request(RequestKind::Abort).await;
    run.ready().await;
    bench.dms.script().away = false;
    run.request(RequestKind::Reconcile).await;
    run.ready().await;
    assert_eq!(run.events(EventKind::TakenOver).await, Vec::<String>::new());
    run.end().await;
}
