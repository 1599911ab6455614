//! The engine: for every cluster one loop that observes, plans and acts.
//!
//! Start with [`Engine::run`]; `cluster` is the loop, `operation` drives the execution machine of the core.
//! Everything is decided in the core; the engine carries facts to it, writes the journal, and publishes status.
//!
//! # Guarantees
//!
//! * An intent is in the journal before its effect is asked for, its outcome right after (invariant 5). An
//!   operation that a crash left is taken up again before anything else is done to its cluster.
//! * One loop per cluster, hence one operation; before it acts it takes a higher generation (invariant 6).
//! * Status is published after every turn, on every path (invariant 9), and written by `summarize` alone.

mod approval;
mod board;
mod canary;
mod cluster;
mod desired;
mod handle;
mod next;
mod operation;
mod operator;
mod ownership;
mod port;
mod publish;
mod standing;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dataminer_core::{catalog::Catalog, desired::Desired};
use dataminer_schema::{
    id::ClusterName,
    status::{ClusterState, FleetStatus},
};
use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::{Semaphore, watch},
    task::{self, JoinSet},
};
use tokio_util::sync::CancellationToken;

use self::{
    board::Board,
    cluster::{ClusterLoop, Ended, Target},
};
pub use self::{
    canary::CanaryEnd,
    desired::FleetDesired,
    handle::{EngineHandle, RequestError},
    port::{AgentPort, Holders, Progress, ProgressSender},
};
use crate::{
    metrics::Metrics,
    store::{Store, StoreError},
    vault::Vault,
};

/// The pace and the name of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineConfig {
    /// Marks what this installation owns on Agents.
    pub installation: String,
    /// How often each cluster is observed while nothing else happens.
    pub observe: SignedDuration,
    /// How many clusters are observed, or fed with packages, at a time.
    pub concurrency: usize,
    /// How many hours of the Agents pass in one of the engine's: 1 for real ones. Pauses are divided by it.
    pub hurry: i32,
}

/// Makes the port to the Agents of one cluster.
type Connect<P> = Box<dyn Fn(&Desired, &Arc<Catalog>) -> P + Send + Sync>;

/// The engine of one installation.
pub struct Engine<P> {
    shared: Arc<Shared<P>>,
}

/// What all loops share.
struct Shared<P> {
    config: EngineConfig,
    store: Store,
    vault: Vault,
    metrics: Arc<Metrics>,
    connect: Connect<P>,
    board: Arc<Board>,
    slots: Semaphore,
}

impl<P: AgentPort> Engine<P> {
    /// An engine that does nothing yet. `connect` makes the port of a cluster whenever what is wanted of it
    /// changes; it must not do any I/O itself.
    pub fn new(
        config: EngineConfig,
        store: Store,
        vault: Vault,
        metrics: Arc<Metrics>,
        connect: impl Fn(&Desired, &Arc<Catalog>) -> P + Send + Sync + 'static,
    ) -> Self {
        let board = Arc::new(Board::new(&config.installation));
        let slots = Semaphore::new(config.concurrency.max(1));
        Self {
            shared: Arc::new(Shared {
                config,
                store,
                vault,
                metrics,
                connect: Box::new(connect),
                board,
                slots,
            }),
        }
    }

    /// The status of all clusters, live.
    pub fn status(&self) -> watch::Receiver<FleetStatus> {
        self.shared.board.subscribe()
    }

    /// What the API and the page need: status, history, and a way to ask for something.
    pub fn handle(&self) -> EngineHandle {
        EngineHandle::new(
            self.shared.store.clone(),
            self.shared.vault.clone(),
            Arc::clone(&self.shared.board),
        )
    }

    /// Runs until `shutdown`. Then the bookkeeping of what is under way ends; jobs on Agents go on and are taken
    /// up again by the next run.
    pub async fn run(
        &self,
        desired: watch::Receiver<FleetDesired>,
        shutdown: CancellationToken,
    ) -> Result<(), StoreError> {
        self.supervise(desired, shutdown, false).await
    }

    /// Runs until every cluster is Ready, Stalled, or waits for something that is not now; then returns the status.
    /// The first `desired` that came from a commit counts.
    pub async fn run_once(
        &self,
        desired: watch::Receiver<FleetDesired>,
        shutdown: CancellationToken,
    ) -> Result<FleetStatus, StoreError> {
        self.supervise(desired, shutdown, true).await?;
        Ok(self.shared.board.current())
    }

    async fn supervise(
        &self,
        mut desired: watch::Receiver<FleetDesired>,
        shutdown: CancellationToken,
        once: bool,
    ) -> Result<(), StoreError> {
        self.restore_board().await?;
        let mut loops: BTreeMap<ClusterName, Running> = BTreeMap::new();
        let mut tasks: JoinSet<Ended> = JoinSet::new();
        // The first turn takes what is there already.
        desired.mark_changed();
        let mut source_open = true;
        let mut started = false;
        while !shutdown.is_cancelled() {
            tokio::select! {
                changed = desired.changed(), if source_open => {
                    if changed.is_err() {
                        source_open = false;
                        continue;
                    }
                    let fleet = desired.borrow_and_update().clone();
                    self.shared.board.source(&fleet.source);
                    if !fleet.loaded() || (once && started) {
                        continue;
                    }
                    started = true;
                    self.direct(&fleet, &mut loops, &mut tasks, &shutdown, once).await?;
                    if once && tasks.is_empty() {
                        return Ok(());
                    }
                }
                Some(ended) = tasks.join_next_with_id(), if !tasks.is_empty() => {
                    self.ended(ended, &mut loops, &mut tasks, &shutdown, once).await?;
                    if once && tasks.is_empty() {
                        return Ok(());
                    }
                }
                () = shutdown.cancelled() => {}
            }
            if !source_open && tasks.is_empty() {
                break;
            }
        }
        while tasks.join_next().await.is_some() {}
        Ok(())
    }

    /// Statuses of the last run, until the loops have better ones.
    async fn restore_board(&self) -> Result<(), StoreError> {
        for status in self.shared.store.statuses().await? {
            self.shared.board.cluster(status);
        }
        Ok(())
    }

    /// Starts, informs and stops loops so that there is one for each cluster that is wanted.
    async fn direct(
        &self,
        fleet: &FleetDesired,
        loops: &mut BTreeMap<ClusterName, Running>,
        tasks: &mut JoinSet<Ended>,
        shutdown: &CancellationToken,
        once: bool,
    ) -> Result<(), StoreError> {
        let gone: Vec<ClusterName> = self
            .shared
            .board
            .names()
            .into_iter()
            .chain(loops.keys().cloned())
            .filter(|name| !fleet.clusters.contains_key(name))
            .collect();
        for name in gone {
            match loops.get(&name) {
                // Its status goes when the loop has ended.
                Some(running) => running.stop.cancel(),
                None => self.forget(&name).await?,
            }
        }
        for (name, desired) in &fleet.clusters {
            let target = Target {
                desired: Arc::clone(desired),
                catalog: Arc::clone(&fleet.catalog),
                knowledge: fleet.knowledge.clone(),
                source: Arc::new(fleet.source.clone()),
            };
            match loops.get(name) {
                // A fetch that brought nothing wakes nobody.
                Some(running) if !running.stop.is_cancelled() => {
                    running.target.send_if_modified(|have| {
                        let changed = !have.same(&target);
                        *have = target;
                        changed
                    });
                }
                // Also where the loop of an earlier commit still ends: `ended` starts the next one.
                Some(running) => {
                    running.target.send_replace(target);
                    running.again.store(true, Ordering::Relaxed);
                }
                None => {
                    let start = Start { once, pause: Duration::ZERO };
                    loops.insert(name.clone(), self.spawn(target, tasks, shutdown.child_token(), start));
                }
            }
        }
        Ok(())
    }

    /// Starts the loop of one cluster.
    fn spawn(
        &self,
        target: Target,
        tasks: &mut JoinSet<Ended>,
        stop: CancellationToken,
        start: Start,
    ) -> Running {
        let target = watch::Sender::new(target);
        let cluster =
            ClusterLoop::new(Arc::clone(&self.shared), target.subscribe(), stop.clone(), start.once);
        let stopped = stop.clone();
        let task = tasks.spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(start.pause) => {}
                () = stopped.cancelled() => {}
            }
            cluster.run().await
        });
        Running { target, stop, task: task.id(), again: AtomicBool::new(false) }
    }

    async fn ended(
        &self,
        ended: Result<(task::Id, Ended), task::JoinError>,
        loops: &mut BTreeMap<ClusterName, Running>,
        tasks: &mut JoinSet<Ended>,
        shutdown: &CancellationToken,
        once: bool,
    ) -> Result<(), StoreError> {
        let id = ended.as_ref().map_or_else(task::JoinError::id, |(id, _)| *id);
        let Some(name) = loops.iter().find(|(_, running)| running.task == id).map(|(name, _)| name.clone())
        else {
            return Ok(());
        };
        let Some(running) = loops.remove(&name) else { return Ok(()) };
        let again = running.again.load(Ordering::Relaxed);
        let pause = match ended {
            Ok((_, Ended::Settled)) => return Ok(()),
            Ok((_, Ended::Stopped)) if shutdown.is_cancelled() => return Ok(()),
            Ok((_, Ended::Stopped)) if again => Duration::ZERO,
            Ok((_, Ended::Stopped)) => return self.forget(&name).await,
            // A defect in one loop takes no other along. What it left is in the journal, as after a crash.
            Err(error) => {
                tracing::error!(
                    cluster = %name,
                    %error,
                    "the loop of the cluster ended unexpectedly and starts again; this is a defect, please report it"
                );
                AFTER_DEFECT
            }
        };
        let target = running.target.borrow().clone();
        let running = self.spawn(target, tasks, shutdown.child_token(), Start { once, pause });
        loops.insert(name, running);
        Ok(())
    }

    async fn forget(&self, name: &ClusterName) -> Result<(), StoreError> {
        self.shared.board.forget(name);
        self.shared.store.remove_status(name).await
    }
}

/// A loop that runs.
struct Running {
    target: watch::Sender<Target>,
    stop: CancellationToken,
    task: task::Id,
    /// The cluster is wanted again while its stopped loop still ends.
    again: AtomicBool,
}

/// How a loop is started.
#[derive(Clone, Copy)]
struct Start {
    once: bool,
    /// Nothing is done before it has passed.
    pause: Duration,
}

/// How long a loop rests that ended by a defect.
const AFTER_DEFECT: Duration = Duration::from_secs(30);

/// Whether no cluster needs a person: what `run --once` makes its exit code of.
pub fn all_ready(status: &FleetStatus) -> bool {
    status.clusters.iter().all(|cluster| cluster.state == ClusterState::Ready)
}

/// The only clock of the engine.
fn now() -> Timestamp {
    Timestamp::now()
}
