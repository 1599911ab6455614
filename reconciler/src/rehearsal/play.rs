//! Starts the copy, lets the engine bring it to what is wanted, and keeps what is needed to judge.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context;
use camino::Utf8Path;
use dataminer_core::desired::resolve;
use dataminer_schema::{
    id::{AgentName, CommitId},
    status::{ClusterStatus, FleetStatus, SourceStatus},
    v1::{config::SecretGrant, observation::Observation},
};
use dms_simulator::{AgentReport, ClusterReport, ContentItem, Simulation, SimulationSpec};
use jiff::SignedDuration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Grounds, Progress, Subject, Telling, copy::Copied, port::CopyPort, staged};
use crate::{
    agent::{ClusterDriver, DriverContext, secrets::SecretResolver},
    engine::{Engine, EngineConfig, FleetDesired},
    metrics::Metrics,
    packages::PackagePlaces,
    store::{Store, StoredOperation},
    vault::Vault,
};

/// What the copy's Agents are marked with.
const INSTALLATION: &str = "rehearsal";
/// A dashboard that every simulated Agent has: edited right before the rehearsal, so that a restore shows what it
/// takes back.
const EDITED: &str = "Lisbon";
/// Longer than the clock of files on any disk takes from one time to the next.
const TICK: Duration = Duration::from_millis(50);
/// How often the copy is looked at while nothing else happens.
const OBSERVE: SignedDuration = SignedDuration::from_secs(2);
/// Agents looked at at a time.
const AT_ONCE: usize = 16;

/// What a rehearsal left.
pub(super) struct Outcome {
    /// Where the engine says that the cluster stands; none where it said nothing in time.
    pub(super) status: Option<ClusterStatus>,
    /// Whether it was given up.
    pub(super) given_up: bool,
    /// Every operation, oldest first.
    pub(super) operations: Vec<StoredOperation>,
    /// The dashboard that was changed right before.
    pub(super) edited: Option<String>,
    /// The content of the first Agent that runs, before.
    pub(super) before: Vec<ContentItem>,
    /// The content of each Agent, after.
    pub(super) after: Vec<(AgentName, Vec<ContentItem>)>,
    /// The copy before and after, from inside, its Agents in the manifest's order.
    pub(super) first: ClusterReport,
    pub(super) last: ClusterReport,
}

impl Outcome {
    /// Each Agent after and before.
    pub(super) fn agents(&self) -> impl Iterator<Item = (&AgentReport, Option<&AgentReport>)> {
        let before: BTreeMap<&str, &AgentReport> =
            self.first.agents.iter().map(|agent| (agent.name.as_str(), agent)).collect();
        self.last.agents.iter().map(move |agent| (agent, before.get(agent.name.as_str()).copied()))
    }
}

/// Plays it. `folder` is the rehearsal's own.
pub(super) async fn play(
    subject: &Subject,
    observation: &Observation,
    copied: &Copied,
    grounds: &Grounds,
    folder: &Utf8Path,
    telling: &Telling,
) -> anyhow::Result<Outcome> {
    let mut spec = SimulationSpec::new(vec![copied.spec.clone()])
        .with_speed(f64::from(grounds.speed))
        .with_seed(grounds.seed);
    spec.root = Some(folder.join("agents"));
    let simulation = Simulation::start(spec).await.context("starting the simulated copy")?;
    let cluster = subject.cluster.name.as_str();
    let running = copied
        .names
        .iter()
        .find(|(name, _)| observation.agents.iter().any(|seen| seen.name == *name && seen.reachable));
    let (mut before, mut edited) = (Vec::new(), None);
    if let Some((_, server)) = running {
        // The newest file wins between Agents, and clocks of files tick.
        tokio::time::sleep(TICK).await;
        // Web apps that cannot open it leave nothing to be seen by it.
        let changed = simulation.edit_content(cluster, server, EDITED).is_ok();
        before = simulation.content(cluster, server)?;
        let path = before.iter().find(|item| item.name == EDITED).map(|item| item.path.clone());
        edited = path.filter(|_| changed);
    }
    let first = inspect(&simulation)?;
    let played = drive(subject, observation, copied, grounds, (folder, &simulation), telling).await;
    let last = inspect(&simulation)?;
    let mut after = Vec::new();
    for (name, server) in &copied.names {
        after.push((name.clone(), simulation.content(cluster, server)?));
    }
    simulation.shutdown().await;
    let (status, given_up, operations) = played?;
    Ok(Outcome { status, given_up, operations, edited, before, after, first, last })
}

fn inspect(simulation: &Simulation) -> anyhow::Result<ClusterReport> {
    simulation.inspect().clusters.into_iter().next().context("the simulation has no cluster")
}

type Driven = (Option<ClusterStatus>, bool, Vec<StoredOperation>);

async fn drive(
    subject: &Subject,
    observation: &Observation,
    copied: &Copied,
    grounds: &Grounds,
    (folder, simulation): (&Utf8Path, &Simulation),
    telling: &Telling,
) -> anyhow::Result<Driven> {
    let vault = Vault::open(&folder.join("vault"))?;
    let store = Store::open(&folder.join("state.db")).await?;
    let grant = SecretGrant {
        secret: staged::identity(simulation),
        hosts: vec!["127.0.0.0/8".to_owned(), "::1".to_owned()],
        clusters: vec!["*".to_owned()],
    };
    let mut context = DriverContext::new(
        INSTALLATION,
        INSTALLATION,
        SecretResolver::new(vec![grant]),
        Arc::new(PackagePlaces::new(vec![grounds.shelf.folder()])),
        vault.clone(),
        AT_ONCE,
    );
    context.pace = staged::pace();
    let original = Arc::new(observation.clone());
    let config = EngineConfig {
        installation: INSTALLATION.to_owned(),
        observe: OBSERVE,
        concurrency: AT_ONCE,
        hurry: staged::hurry(grounds.speed),
    };
    let engine = Engine::new(config, store, vault, Arc::new(Metrics::new()), move |desired, _| {
        CopyPort::new(ClusterDriver::new(&desired.cluster, context.clone()), Arc::clone(&original))
    });
    let (_kept, desired) = watch::channel(wanted(subject, copied, grounds, simulation)?);
    let stop = CancellationToken::new();
    let handle = engine.handle();
    let mut status = handle.status();
    let mut told = String::new();
    let mut run = std::pin::pin!(engine.run_once(desired, stop.clone()));
    let mut patience = std::pin::pin!(tokio::time::sleep(grounds.patience));
    let mut given_up = false;
    let last = loop {
        tokio::select! {
            ended = &mut run => break ended?,
            () = &mut patience, if !given_up => {
                given_up = true;
                stop.cancel();
            }
            Ok(()) = status.changed() => tell(&status.borrow_and_update(), subject, &mut told, telling),
        }
    };
    let operations = handle.store().operations(&subject.cluster.name).await?;
    handle.store().close().await;
    Ok((last.cluster(&subject.cluster.name).cloned(), given_up, operations))
}

fn wanted(
    subject: &Subject,
    copied: &Copied,
    grounds: &Grounds,
    simulation: &Simulation,
) -> anyhow::Result<FleetDesired> {
    let cluster = staged::staged(&subject.cluster, &copied.names, simulation, grounds.speed);
    // The engine acts on commits alone; a folder without one is as good here.
    let commit = match &subject.commit {
        Some(commit) => commit.clone(),
        None => CommitId::new("0".repeat(40))?,
    };
    let name = cluster.name.clone();
    let desired = Arc::new(resolve(cluster, Some(commit.clone())));
    Ok(FleetDesired {
        clusters: BTreeMap::from([(name, desired)]),
        catalog: Arc::clone(&grounds.shelf.catalog),
        knowledge: grounds.knowledge.clone(),
        source: SourceStatus { last_good: Some(commit), ..SourceStatus::default() },
    })
}

/// Tells of each step that begins, once.
fn tell(fleet: &FleetStatus, subject: &Subject, told: &mut String, telling: &Telling) {
    let Some(operation) = fleet.cluster(&subject.cluster.name).and_then(|status| status.operation.as_ref())
    else {
        return;
    };
    let to = operation.to.as_deref().map(|to| format!(" {to}")).unwrap_or_default();
    let text = format!("step {}: {:?}{to}", operation.step, operation.action);
    if *told == text {
        return;
    }
    told.clone_from(&text);
    // Nobody may be watching.
    drop(telling.try_send(Progress {
        cluster: subject.cluster.name.clone(),
        done: operation.progress.steps_done,
        steps: operation.progress.steps,
        text,
    }));
}
