//! One DataMiner System.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, OnceLock, Weak},
    time::Duration,
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{agent::Agent, log::ProgressLog, sync};
use crate::{
    clock::Clock,
    disk::Disk,
    inspect::{RunState, Violation, ViolationKind},
    order,
    spec::FailoverPolicy,
    windows::lock,
};

/// What the Agents of one system share.
pub(crate) struct Cluster {
    pub(crate) name: String,
    pub(crate) clock: Clock,
    pub(crate) failover_policy: FailoverPolicy,
    agents: OnceLock<Vec<Arc<Agent>>>,
    violations: Mutex<Vec<Violation>>,
    /// The package of the upgrade that runs.
    pub(crate) operation: Mutex<Option<String>>,
    synchronising: Mutex<()>,
    this: Weak<Self>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

/// How long a system may stay mixed after an upgrade before it counts as broken.
const MIXED_FOR: Duration = Duration::from_secs(30 * 60);
/// How often content is synchronised while Agents run. The product does it at midnight, and at once what its own web
/// apps change; this is faster, so that tests meet it.
const SYNCHRONISED_EVERY: Duration = Duration::from_secs(10 * 60);
/// How many violations are kept.
const MAX_VIOLATIONS: usize = 1000;

impl Cluster {
    pub(crate) fn new(
        name: String,
        clock: Clock,
        failover_policy: FailoverPolicy,
        tracker: TaskTracker,
    ) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            name,
            clock,
            failover_policy,
            agents: OnceLock::new(),
            violations: Mutex::new(Vec::new()),
            operation: Mutex::new(None),
            synchronising: Mutex::new(()),
            this: this.clone(),
            tracker,
            stop: CancellationToken::new(),
        })
    }

    pub(crate) fn set_agents(&self, agents: Vec<Arc<Agent>>) {
        let _already = self.agents.set(agents);
    }

    pub(crate) fn agents(&self) -> &[Arc<Agent>] {
        self.agents.get().map_or(&[], Vec::as_slice)
    }

    /// Runs something of the system's own until the simulation ends.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tracker.spawn(async move {
            let _stopped = stop.run_until_cancelled_owned(work).await;
        });
    }

    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    pub(crate) fn violate(&self, kind: ViolationKind, detail: String) {
        tracing::warn!(cluster = %self.name, ?kind, %detail, "a rule of the product was broken");
        let mut violations = lock(&self.violations);
        if violations.len() < MAX_VIOLATIONS {
            violations.push(Violation { at: self.clock.now(), kind, detail });
        }
    }

    pub(crate) fn violations(&self) -> Vec<Violation> {
        lock(&self.violations).clone()
    }

    /// Agents that run, and how they differ.
    fn mixture(&self) -> (Option<String>, Option<String>) {
        let states: Vec<_> = self
            .agents()
            .iter()
            .map(|agent| agent.state())
            .filter(|state| state.run == RunState::Running)
            .collect();
        let Some(first) = states.first() else { return (None, None) };
        let core = states.iter().find(|state| !order::same(&state.core, &first.core));
        let web = states.iter().find(|state| !order::same(&state.web, &first.web));
        let hotfix = states.iter().find(|state| state.hotfix != first.hotfix);
        let named = |hotfix: &Option<String>| hotfix.clone().unwrap_or_else(|| "no hotfix".to_owned());
        (
            core.map(|other| format!("{} beside {}", first.core, other.core)).or_else(|| {
                hotfix.map(|other| format!("{} beside {}", named(&first.hotfix), named(&other.hotfix)))
            }),
            web.map(|other| format!("{} beside {}", first.web, other.web)),
        )
    }

    /// Synchronises content between the Agents that run, those of one major among themselves.
    pub(crate) fn synchronise(&self) {
        let mut groups: BTreeMap<(u16, u16), Vec<Arc<Disk>>> = BTreeMap::new();
        for agent in self.agents() {
            let state = agent.state();
            if state.run == RunState::Running {
                groups.entry(order::major(&state.core)).or_default().push(Arc::clone(&agent.machine.disk));
            }
        }
        // One at a time: two Agents may come up together.
        let _turn = lock(&self.synchronising);
        groups.values().filter(|disks| disks.len() > 1).for_each(|disks| sync::synchronise(disks));
    }

    /// Synchronises every so often until the simulation ends, except while an upgrade runs.
    pub(crate) fn keep_synchronised(&self) {
        let this = self.this.clone();
        let clock = self.clock;
        self.spawn(async move {
            loop {
                clock.sleep(SYNCHRONISED_EVERY).await;
                let Some(cluster) = this.upgrade() else { return };
                if lock(&cluster.operation).is_none() {
                    // Many Agents take their time.
                    let _done = tokio::task::spawn_blocking(move || cluster.synchronise()).await;
                }
            }
        });
    }

    /// Mixed versions right after an upgrade may still be repaired; half an hour later they have done their damage.
    pub(super) fn watch_for_mixture(&self) {
        if self.mixture() == (None, None) {
            return;
        }
        let Some(cluster) = self.this.upgrade() else { return };
        self.spawn(async move {
            cluster.clock.sleep(MIXED_FOR).await;
            if lock(&cluster.operation).is_some() {
                return;
            }
            let (core, web) = cluster.mixture();
            if let Some(detail) = core {
                cluster.violate(ViolationKind::MixedVersions, detail);
            }
            if let Some(detail) = web {
                cluster.violate(ViolationKind::MixedWebLevels, detail);
            }
        });
    }

    /// Somebody else's upgrade, which takes its time and changes nothing.
    pub(crate) fn foreign_operation(&self, agent: &Arc<Agent>, duration: Duration) {
        let file = "DataMiner 10.5.0.0-99999 Full Upgrade.dmupgrade";
        {
            let mut operation = lock(&self.operation);
            if operation.is_some() {
                return;
            }
            *operation = Some(file.to_owned());
        }
        let (Some(cluster), agent) = (self.this.upgrade(), Arc::clone(agent)) else { return };
        agent.change(|state| state.utilities += 1);
        self.spawn(async move {
            let log = ProgressLog::open(&agent, file, &agent.random_hex(32), &[]);
            let begun = tokio::time::Instant::now();
            let whole = cluster.clock.real(duration);
            while begun.elapsed() < whole {
                if let Ok(log) = &log {
                    log.append("information", "Still uploading");
                }
                tokio::time::sleep((whole / 20).max(Duration::from_millis(10))).await;
            }
            if let Ok(log) = &log {
                log.append("error", "Upgrade failed: aborted by the user");
                log.clean(false);
            }
            agent.change(|state| state.utilities = state.utilities.saturating_sub(1));
            *lock(&cluster.operation) = None;
        });
    }
}
