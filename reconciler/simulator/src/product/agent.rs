//! One Agent: the product's state on one server.

use std::{
    collections::BTreeSet,
    future::Future,
    sync::{Arc, Mutex, OnceLock, Weak},
    time::Duration,
};

use dataminer_schema::version::Version;
use futures::future::{BoxFuture, FutureExt};
use rand_chacha::ChaCha8Rng;
use tokio_util::sync::CancellationToken;

use super::{cluster::Cluster, content, executor, layout, modules, rules, utility};
use crate::{
    clock::local_text,
    cmd::Streams,
    disk::WinPath,
    fault::Reach,
    inspect::RunState,
    order, random,
    spec::AgentSpec,
    ssh::Endpoint,
    windows::{Machine, Process, Product, Service, lock},
};

/// What changes on an Agent.
#[derive(Clone, Debug)]
pub(crate) struct AgentState {
    pub(crate) core: Version,
    pub(crate) web: Version,
    pub(crate) run: RunState,
    pub(crate) online: bool,
    pub(crate) broker_gateway: bool,
    pub(crate) vcredist: Option<String>,
    /// When VerifyClusterPorts last succeeded.
    pub(crate) ports_verified: Option<jiff::Timestamp>,
    /// What VersionHistory.txt gets at the next start.
    pub(crate) history_due: Option<String>,
    /// The hotfix on top of the core, as VersionHistory.txt names it.
    pub(crate) hotfix: Option<String>,
    /// Files are half replaced: it cannot start.
    pub(crate) torn: bool,
    /// How often DataMiner was started; gives new process ids.
    pub(crate) starts: u32,
    /// When DataMiner came up last; long ago if absent.
    pub(crate) up_since: Option<tokio::time::Instant>,
    /// Taskbar Utilities that run.
    pub(crate) utilities: u32,
}

/// Faults that wait for their moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    /// Checks that fail, without `.dll`.
    pub(crate) failing: BTreeSet<String>,
    pub(crate) next_exit: Option<i32>,
    pub(crate) next_hangs: bool,
    pub(crate) next_halfway: bool,
    /// Windows restarts so much later than the next task begins.
    pub(crate) reboot_in_job: Option<Duration>,
}

/// One Agent of a cluster.
pub(crate) struct Agent {
    pub(crate) spec: AgentSpec,
    pub(crate) machine: Arc<Machine>,
    pub(crate) cluster: Weak<Cluster>,
    pub(crate) endpoint: OnceLock<Arc<Endpoint>>,
    /// Copies of packages that were executed here.
    pub(crate) consumed: Mutex<BTreeSet<(u64, u64, i64, i64)>>,
    random: Mutex<ChaCha8Rng>,
    state: Mutex<AgentState>,
    faults: Mutex<Faults>,
    /// Ends what the product itself does on this server, as a restart of Windows does.
    work: Mutex<CancellationToken>,
}

impl Agent {
    pub(crate) fn new(
        spec: AgentSpec,
        machine: Arc<Machine>,
        cluster: Weak<Cluster>,
        random: ChaCha8Rng,
    ) -> Arc<Self> {
        let ports_verified = spec.cluster_ports_verified_days_ago.and_then(|days| {
            machine.clock.now().checked_sub(jiff::SignedDuration::from_hours(24 * i64::from(days))).ok()
        });
        let state = AgentState {
            ports_verified,
            core: spec.core.clone(),
            web: spec.web.clone().unwrap_or_else(|| spec.core.clone()),
            run: if spec.running { RunState::Running } else { RunState::Stopped },
            online: spec.failover.is_none_or(|failover| failover.online),
            broker_gateway: spec.broker_gateway,
            vcredist: spec.vcredist.clone(),
            history_due: None,
            hotfix: spec.core_entry.clone().filter(|entry| entry.starts_with("HF_")),
            torn: false,
            starts: 1,
            up_since: None,
            utilities: 0,
        };
        Arc::new(Self {
            spec,
            machine,
            cluster,
            endpoint: OnceLock::new(),
            consumed: Mutex::new(BTreeSet::new()),
            random: Mutex::new(random),
            state: Mutex::new(state),
            faults: Mutex::new(Faults::default()),
            work: Mutex::new(CancellationToken::new()),
        })
    }

    /// This Agent as its cluster holds it.
    fn shared(&self) -> Option<Arc<Self>> {
        let cluster = self.cluster.upgrade()?;
        cluster.agents().iter().find(|agent| std::ptr::eq(agent.as_ref(), self)).cloned()
    }

    /// Restarts Windows so much later.
    pub(crate) fn restart_after(self: &Arc<Self>, after: Duration) {
        let agent = Arc::clone(self);
        if let Some(cluster) = self.cluster.upgrade() {
            cluster.spawn(async move {
                agent.machine.clock.sleep(after).await;
                agent.restart_windows(false).await;
            });
        }
    }

    pub(crate) fn state(&self) -> AgentState {
        lock(&self.state).clone()
    }

    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut AgentState) -> T) -> T {
        change(&mut lock(&self.state))
    }

    pub(crate) fn faults<T>(&self, look: impl FnOnce(&mut Faults) -> T) -> T {
        look(&mut lock(&self.faults))
    }

    /// A seeded pause of so many simulated seconds: every Agent has its own pace.
    pub(crate) async fn pause(&self, from: u64, to: u64) {
        let time = random::seconds(&mut lock(&self.random), from, to);
        self.machine.clock.sleep(time).await;
    }

    pub(crate) fn random_hex(&self, count: usize) -> String {
        random::hex_digits(&mut lock(&self.random), count)
    }

    /// Runs the product's own work until it ends or Windows restarts; `None` for the latter.
    pub(crate) async fn until_reboot<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let token = lock(&self.work).clone();
        token.run_until_cancelled(work).await
    }

    pub(crate) fn stop_dataminer(&self) {
        self.change(|state| {
            if state.run != RunState::Upgrading {
                state.run = RunState::Stopped;
            }
        });
    }

    /// Starts DataMiner: minutes, and at the first start of a version an entry in VersionHistory.txt.
    pub(crate) async fn start_dataminer(&self, log: impl Fn(&str)) {
        let core = self.change(|state| {
            state.run = RunState::Starting;
            state.starts += 1;
            state.core.clone()
        });
        if rules::hangs(self, &core) || rules::poisoned(self, &core) {
            // Never gets any further; nothing but a person helps.
            std::future::pending::<()>().await;
        }
        for percent in [10, 35, 60, 85] {
            log(&format!("Starting up ({percent}%)"));
            self.pause(20, 60).await;
            if percent == 60
                && let Some(module) = modules::in_the_way(self)
            {
                // Whoever waits for the start is told that it is done (`domain/02 section 3`).
                tracing::info!(agent = %self.spec.name, module, "DataMiner does not come up");
                return;
            }
        }
        let due = self.change(|state| state.history_due.take());
        if let Some(version) = due {
            let time = local_text(self.machine.clock.now(), &self.machine.zone);
            let line = format!("{time};{version}\r\n");
            let path = layout::dataminer(layout::HISTORY);
            if let Err(error) = self.machine.disk.append(&path, line.as_bytes()) {
                tracing::warn!(agent = %self.spec.name, %error, "VersionHistory.txt was not written");
            }
        }
        self.pause(20, 60).await;
        let web = self.state().web;
        if let Err(error) = content::migrate(&self.machine.disk, &web) {
            tracing::warn!(agent = %self.spec.name, %error, "content was not migrated");
        }
        self.change(|state| {
            state.run = RunState::Running;
            state.up_since = Some(tokio::time::Instant::now());
        });
        if let Some(cluster) = self.cluster.upgrade() {
            cluster.synchronise();
        }
    }

    /// Windows restarts: connections, tasks and whatever runs are gone for a minute or two.
    ///
    /// `keep_work` is a restart that the product itself asked for and goes on after.
    pub(crate) async fn restart_windows(self: &Arc<Self>, keep_work: bool) {
        let interrupted = self.change(|state| {
            let before = state.run;
            if !keep_work {
                state.run = RunState::Stopped;
            }
            state.utilities = 0;
            before != RunState::Stopped
        });
        if !keep_work {
            std::mem::take(&mut *lock(&self.work)).cancel();
        }
        self.machine.kill_processes();
        if let Some(endpoint) = self.endpoint.get() {
            let _bound = endpoint.set_reach(Reach::Refuses).await;
        }
        self.pause(60, 120).await;
        if let Some(endpoint) = self.endpoint.get()
            && let Err(error) = endpoint.set_reach(Reach::Reachable).await
        {
            tracing::warn!(agent = %self.spec.name, %error, "SSH does not listen again after a restart");
        }
        if keep_work || !interrupted {
            return;
        }
        // The services start by themselves, unless their files are half replaced.
        if !self.state().torn {
            let agent = Arc::clone(self);
            let _again = self.until_reboot(async move { agent.start_dataminer(|_| {}).await }).await;
        }
    }

    /// Needs a restart of Windows to install the runtime of a version (`prerequisites.yaml`, vcredist).
    pub(crate) fn lacks_runtime(&self, target: &Version) -> Option<&'static str> {
        let needed = if order::reached(target, (10, 5, 11), (10, 6, 2)) {
            ("v14.44.35211.00", (14, 44))
        } else if order::reached(target, (10, 5, 0), (10, 5, 2)) {
            ("v14.40.33816.00", (14, 40))
        } else {
            return None;
        };
        let (version, (major, minor)) = needed;
        let found = self.state().vcredist.and_then(|found| {
            let mut numbers = found.trim_start_matches('v').split('.').map(|part| part.parse::<u32>().ok());
            Some((numbers.next()??, numbers.next()??))
        });
        (found < Some((major, minor))).then_some(version)
    }
}

impl Product for Agent {
    fn processes(&self) -> Vec<Process> {
        let state = self.state();
        let images: &[&str] = match state.run {
            // Members of a pair that are offline run both, but no elements.
            RunState::Running if !state.online => &["SLDataMiner.exe", "SLNet.exe", "SLWatchDog2.exe"],
            RunState::Running => {
                &["SLDataMiner.exe", "SLNet.exe", "SLElement.exe", "SLProtocol.exe", "SLWatchDog2.exe"]
            }
            RunState::Starting => &["SLDataMiner.exe"],
            RunState::Stopped | RunState::Upgrading => &[],
        };
        let base = 4000 + state.starts * 400;
        let mut processes: Vec<Process> = (base..)
            .step_by(28)
            .zip(images)
            .map(|(pid, image)| Process { image: (*image).to_owned(), pid })
            .collect();
        for number in 0..state.utilities {
            processes.push(Process { image: "SLTaskbarUtility.exe".to_owned(), pid: 9000 + number * 4 });
        }
        processes
    }

    fn services(&self) -> Vec<Service> {
        let state = self.state();
        let up = matches!(state.run, RunState::Running | RunState::Starting);
        let mut services = vec![("SLNet", up)];
        if state.broker_gateway {
            services.extend([("nats-server", true), ("DataMiner BrokerGateway", true)]);
        } else {
            services.extend([("NAS", true), ("NATS", true)]);
        }
        let service = |(name, running): (&str, bool)| Service { name: name.to_owned(), running };
        let mut services: Vec<Service> = services.into_iter().map(service).collect();
        // Every module is a service of its own; a corrupted one does not start.
        services.extend(modules::services(&self.machine));
        services
    }

    fn task_started(&self) {
        if let Some(after) = self.faults(|faults| faults.reboot_in_job.take())
            && let Some(agent) = self.shared()
        {
            agent.restart_after(after);
        }
    }

    fn run<'a>(
        &'a self,
        program: &'a WinPath,
        arguments: Vec<String>,
        _user: &'a str,
        streams: &'a Streams,
    ) -> Option<BoxFuture<'a, i32>> {
        let name = program.name()?;
        let agent = self.shared()?;
        if name.eq_ignore_ascii_case("StandaloneBpaExecutor.exe") {
            return Some(async move { executor::run(agent, arguments, streams).await }.boxed());
        }
        if !name.eq_ignore_ascii_case("SLTaskbarUtility.exe") {
            return None;
        }
        let cluster = self.cluster.upgrade()?;
        Some(async move { utility::run(agent, cluster, arguments, streams).await }.boxed())
    }
}
