//! A running simulation.

use std::{fs, net::SocketAddr, sync::Arc, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use dataminer_schema::version::Version;
use tokio_util::task::TaskTracker;

use crate::{
    chaos,
    clock::{Clock, time_zone},
    disk::{Disk, DiskError, WinPath},
    error::SimulatorError,
    fault::{Fault, Injected},
    inspect::{AgentReport, ClusterReport, RunState, SimulationReport},
    limits,
    product::{Agent, Cluster, ContentItem, edit, items, layout, modules, survey},
    random,
    spec::{ClusterSpec, SimulationSpec, is_plain},
    ssh::{Accounts, Endpoint, HostKey, authorized, client_key},
    windows::{Machine, lock},
};

/// Where a client finds an Agent.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentEndpoint {
    pub cluster: String,
    pub name: String,
    /// The SSH server.
    pub addr: SocketAddr,
    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    pub host_key_fingerprint: String,
    pub user: String,
    /// A private key, in OpenSSH's format, that every Agent accepts.
    pub client_key: Utf8PathBuf,
}

/// Several clusters of simulated Agents. Dropping it closes their SSH servers; [`Simulation::shutdown`] also waits.
pub struct Simulation {
    clusters: Vec<Arc<Cluster>>,
    endpoints: Vec<AgentEndpoint>,
    clock: Clock,
    seed: u64,
    tracker: TaskTracker,
    root: Utf8PathBuf,
    /// Deleted with the simulation, where nobody named a folder.
    _temporary: Option<tempfile::TempDir>,
}

impl Simulation {
    /// Builds the trees and starts to listen. Needs a tokio runtime.
    pub async fn start(spec: SimulationSpec) -> Result<Self, SimulatorError> {
        spec.check()?;
        limits::make_room_for(spec.clusters.iter().map(|cluster| cluster.agents.len()).sum());
        let (root, temporary) = root_folder(spec.root.as_deref())?;
        let clock = Clock::new(spec.speed, spec.start);
        let tracker = TaskTracker::new();
        let client_key = root.join("client_key");
        let (private, public) = self::client_key(random::bytes(spec.seed, &["client key"]))?;
        write_private(&client_key, &private)?;
        let mut keys = vec![public];
        for line in &spec.authorized_keys {
            keys.push(authorized(line)?);
        }
        let accounts = Arc::new(Accounts { user: spec.user.clone(), keys });
        let mut simulation = Self {
            clusters: Vec::new(),
            endpoints: Vec::new(),
            clock,
            seed: spec.seed,
            tracker,
            root,
            _temporary: temporary,
        };
        for cluster in &spec.clusters {
            simulation.add(cluster, &accounts, &client_key).await?;
        }
        for cluster in &spec.clusters {
            let found = simulation.cluster(&cluster.name, "")?;
            for Injected { agent, fault, after } in &cluster.faults {
                match after {
                    0 => put(found, spec.seed, agent, fault.clone()).await?,
                    seconds => chaos::later(found, spec.seed, agent, fault.clone(), *seconds),
                }
            }
            if let Some(faults) = &cluster.random_faults {
                chaos::unleash(found, spec.seed, faults);
            }
        }
        Ok(simulation)
    }

    async fn add(
        &mut self,
        spec: &ClusterSpec,
        accounts: &Arc<Accounts>,
        client_key: &Utf8Path,
    ) -> Result<(), SimulatorError> {
        let cluster = Cluster::new(spec.name.clone(), self.clock, spec.failover_policy, self.tracker.clone());
        let mut agents = Vec::new();
        for agent in &spec.agents {
            let drive = self.root.join(&spec.name).join(&agent.name).join("C");
            fs::create_dir_all(&drive).map_err(SimulatorError::file("making folder", drive.clone()))?;
            // The first files are not charged for.
            let disk = Disk::new(drive.clone().into_std_path_buf(), u64::MAX / 2, self.clock);
            let zone = time_zone(&agent.time_zone)
                .ok_or_else(|| SimulatorError::Spec(format!("no time zone {}", agent.time_zone)))?;
            layout::write(&disk, agent, &spec.name, &spec.agents, &accounts.user, self.clock.now()).map_err(
                |error| SimulatorError::Spec(format!("writing the files of Agent {}: {error}", agent.name)),
            )?;
            disk.set_free(agent.free_disk);
            let machine = Machine::new(
                agent.name.clone(),
                self.clock,
                zone,
                disk,
                agent.language,
                agent.os_build,
                layout::registry(agent),
                self.tracker.clone(),
            );
            let purpose = [spec.name.as_str(), agent.name.as_str()];
            let stream = random::stream(self.seed, &[purpose[0], purpose[1], "pace"]);
            let member = Agent::new(agent.clone(), Arc::clone(&machine), Arc::downgrade(&cluster), stream);
            let product: Arc<dyn crate::windows::Product> = member.clone();
            machine.install(Arc::downgrade(&product));
            let key = HostKey::from_seed(random::bytes(self.seed, &[purpose[0], purpose[1], "host key"]));
            let endpoint = Endpoint::listen(machine, Arc::clone(accounts), &key, self.tracker.clone())
                .await
                .map_err(|source| SimulatorError::Listen { agent: agent.name.clone(), source })?;
            self.endpoints.push(AgentEndpoint {
                cluster: spec.name.clone(),
                name: agent.name.clone(),
                addr: endpoint.address(),
                host_key_fingerprint: key.fingerprint(),
                user: accounts.user.clone(),
                client_key: client_key.to_owned(),
            });
            let _first = member.endpoint.set(endpoint);
            agents.push(member);
        }
        cluster.set_agents(agents);
        cluster.keep_synchronised();
        self.clusters.push(cluster);
        Ok(())
    }

    /// Where to find each Agent, in the order of the specification.
    pub fn agents(&self) -> &[AgentEndpoint] {
        &self.endpoints
    }

    /// The endpoint of one Agent.
    pub fn agent(&self, cluster: &str, name: &str) -> Option<&AgentEndpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.cluster == cluster && endpoint.name == name)
    }

    /// The simulated time.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The folder with the trees of all Agents, `<cluster>/<agent>/C`, and the client's key.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    fn cluster(&self, cluster: &str, agent: &str) -> Result<&Arc<Cluster>, SimulatorError> {
        self.clusters.iter().find(|found| found.name == cluster).ok_or_else(|| SimulatorError::NoSuchAgent {
            cluster: cluster.to_owned(),
            agent: agent.to_owned(),
        })
    }

    fn find(&self, cluster: &str, agent: &str) -> Result<&Arc<Agent>, SimulatorError> {
        member(self.cluster(cluster, agent)?, agent)
    }

    /// Puts a fault on an Agent, now.
    pub async fn inject(&self, cluster: &str, agent: &str, fault: Fault) -> Result<(), SimulatorError> {
        put(self.cluster(cluster, agent)?, self.seed, agent, fault).await
    }

    /// Users change the dashboard of this name on an Agent, or make one, with the web apps that are installed. The
    /// Agents synchronise it at once. An error if the web apps cannot open it.
    pub fn edit_content(&self, cluster: &str, agent: &str, name: &str) -> Result<(), SimulatorError> {
        self.edit(cluster, agent, name, edit::dashboard)
    }

    /// Users make an app of this name with a first draft; in one that is there they publish the draft and begin the
    /// next. The Agents synchronise it at once. An error if the web apps cannot open it.
    pub fn edit_app(&self, cluster: &str, agent: &str, name: &str) -> Result<(), SimulatorError> {
        self.edit(cluster, agent, name, edit::app)
    }

    fn edit(
        &self,
        cluster: &str,
        agent: &str,
        name: &str,
        edit: impl FnOnce(&Arc<Disk>, &Version, &str) -> Result<(), String>,
    ) -> Result<(), SimulatorError> {
        let found = self.find(cluster, agent)?;
        let state = found.state();
        let refuse = |problem| Err(SimulatorError::Content { agent: agent.to_owned(), problem });
        if state.run != RunState::Running {
            return refuse("DataMiner does not run".to_owned());
        }
        if !is_plain(name) {
            return refuse(format!("`{name}` is not a plain name"));
        }
        if let Err(problem) = edit(&found.machine.disk, &state.web, name) {
            return refuse(problem);
        }
        if let Some(cluster) = found.cluster.upgrade() {
            cluster.synchronise();
        }
        Ok(())
    }

    /// The dashboards and app versions of an Agent, one by one.
    pub fn content(&self, cluster: &str, agent: &str) -> Result<Vec<ContentItem>, SimulatorError> {
        let found = self.find(cluster, agent)?;
        Ok(items(&found.machine.disk, &found.state().web))
    }

    /// Everything as it is now.
    pub fn inspect(&self) -> SimulationReport {
        SimulationReport { clusters: self.clusters.iter().map(|cluster| report(cluster)).collect() }
    }

    /// Closes all servers and waits until nothing runs any more.
    pub async fn shutdown(self) {
        self.stop();
        self.tracker.close();
        self.tracker.wait().await;
    }

    fn stop(&self) {
        for cluster in &self.clusters {
            cluster.stop();
        }
        for agent in self.clusters.iter().flat_map(|cluster| cluster.agents()) {
            agent.machine.kill_processes();
            if let Some(endpoint) = agent.endpoint.get() {
                endpoint.close();
            }
        }
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The Agent of this name.
fn member<'a>(cluster: &'a Arc<Cluster>, agent: &str) -> Result<&'a Arc<Agent>, SimulatorError> {
    cluster
        .agents()
        .iter()
        .find(|found| found.spec.name == agent)
        .ok_or_else(|| SimulatorError::NoSuchAgent { cluster: cluster.name.clone(), agent: agent.to_owned() })
}

/// Puts a fault on an Agent, now.
pub(crate) async fn put(
    cluster: &Arc<Cluster>,
    seed: u64,
    agent: &str,
    fault: Fault,
) -> Result<(), SimulatorError> {
    let found = member(cluster, agent)?;
    let listen = |source| SimulatorError::Listen { agent: agent.to_owned(), source };
    let Some(endpoint) = found.endpoint.get() else { return Ok(()) };
    match fault {
        Fault::DropUploadAfter(bytes) => endpoint.drop_upload_after(bytes),
        Fault::CutAfter(bytes) => endpoint.cut_after(bytes),
        Fault::Network(reach) => endpoint.set_reach(reach).await.map_err(listen)?,
        Fault::DiskFull => found.machine.disk.set_free(0),
        Fault::FreeDisk(bytes) => found.machine.disk.set_free(bytes),
        Fault::DiskLost(path) => {
            let lost =
                WinPath::parse(&path, &WinPath::root()).and_then(|path| found.machine.disk.lose(Some(&path)));
            lost.map_err(|error| SimulatorError::Spec(format!("losing {path}: {error}")))?;
        }
        Fault::DiskHealed => {
            let healed = found.machine.disk.lose(None);
            healed.map_err(|error| SimulatorError::Spec(format!("healing the disk: {error}")))?;
        }
        Fault::HostKeyChanged => {
            let seed = random::bytes(seed, &[&cluster.name, agent, "another host key"]);
            endpoint.set_host_key(&HostKey::from_seed(seed));
        }
        Fault::FailPrerequisite(name) => {
            found.faults(|faults| faults.failing.insert(check_name(&name)));
        }
        Fault::ClearPrerequisite(name) => {
            found.faults(|faults| faults.failing.remove(&check_name(&name)));
        }
        Fault::Reboot => {
            let agent = Arc::clone(found);
            cluster.spawn(async move { agent.restart_windows(false).await });
        }
        Fault::RebootAfter(seconds) => found.restart_after(Duration::from_secs(u64::from(seconds))),
        Fault::RebootDuringJob(seconds) => found.faults(|faults| {
            faults.reboot_in_job = Some(Duration::from_secs(u64::from(seconds)));
        }),
        Fault::KillJobs => found.machine.kill_processes(),
        Fault::NextUtilityExit(code) => found.faults(|faults| faults.next_exit = Some(code)),
        Fault::NextMsiexecExit(code) => lock(&found.machine.installer).next_exit = Some(code),
        Fault::NextUtilityHangs => found.faults(|faults| faults.next_hangs = true),
        Fault::NextUpgradeFailsHalfway => found.faults(|faults| faults.next_halfway = true),
        Fault::Garbage(path) => {
            let written = WinPath::parse(&path, &WinPath::root())
                .and_then(|path| found.machine.disk.write(&path, b"\xff\x00<garbage"));
            written.map_err(|error| SimulatorError::Spec(format!("writing {path}: {error}")))?;
        }
        Fault::GarbageBackup => spoil_backup(found, |bytes| {
            let middle = bytes.len() / 3..bytes.len() * 2 / 3;
            bytes[middle].iter_mut().for_each(|byte| *byte = !*byte);
        })?,
        Fault::TruncateBackup(left) => {
            spoil_backup(found, |bytes| bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX)))?;
        }
        Fault::ClockSkew(seconds) => {
            found.machine.clock_skew.store(seconds, std::sync::atomic::Ordering::Relaxed);
        }
        Fault::TakenByUser(path) => {
            let path = WinPath::parse(&path, &WinPath::root())
                .map_err(|error| SimulatorError::Spec(format!("{path}: {error}")))?;
            let owner = format!(r"{}\intruder", found.machine.name);
            found.machine.accounts.own(&path, Some(owner));
        }
        Fault::NotAdministrator => found.machine.accounts.demote(),
        Fault::StopDataMiner => found.stop_dataminer(),
        Fault::StartDataMiner => {
            let agent = Arc::clone(found);
            cluster.spawn(async move { agent.start_dataminer(|_| {}).await });
        }
        Fault::ForeignOperation(seconds) => {
            if let Some(cluster) = found.cluster.upgrade() {
                cluster.foreign_operation(found, Duration::from_secs(u64::from(seconds)));
            }
        }
    }
    Ok(())
}

/// Changes the bytes of the newest content backup and nothing that a listing shows but its size.
fn spoil_backup(agent: &Agent, spoil: impl FnOnce(&mut Vec<u8>)) -> Result<(), SimulatorError> {
    let disk = &agent.machine.disk;
    let folder = layout::dataminer(layout::BACKUPS);
    let failed = |error| SimulatorError::Spec(format!("spoiling a backup: {error}"));
    let entries = disk.list(&folder).map_err(failed)?;
    let newest = entries.iter().max_by_key(|entry| entry.modified).ok_or(DiskError::NotFound);
    let newest = newest.map_err(failed)?;
    let path = folder.join(&newest.name).map_err(failed)?;
    let mut bytes = disk.read(&path, usize::MAX).map_err(failed)?;
    spoil(&mut bytes);
    disk.write(&path, &bytes).and_then(|()| disk.set_modified(&path, newest.modified)).map_err(failed)
}

/// Checks are known by name, with or without `.dll`.
fn check_name(name: &str) -> String {
    name.strip_suffix(".dll").unwrap_or(name).to_owned()
}

fn report(cluster: &Cluster) -> ClusterReport {
    ClusterReport {
        name: cluster.name.clone(),
        agents: cluster.agents().iter().map(|agent| report_agent(agent)).collect(),
        operation: lock(&cluster.operation).clone(),
        violations: cluster.violations(),
    }
}

fn report_agent(agent: &Agent) -> AgentReport {
    let state = agent.state();
    let disk = &agent.machine.disk;
    let history = disk.read(&layout::dataminer(layout::HISTORY), 1 << 20).unwrap_or_default();
    let mut backups = disk.list(&layout::dataminer(layout::BACKUPS)).unwrap_or_default();
    backups.sort_by_key(|entry| entry.modified);
    let survey = survey::survey(disk, &state.web);
    AgentReport {
        name: agent.spec.name.clone(),
        content: survey.state,
        unreadable: survey.unreadable,
        unreadable_history: survey.unreadable_history,
        damaged: survey.damaged,
        content_digest: survey.digest,
        modules: modules::report(&agent.machine, &state.core, &state.web),
        core: state.core,
        web: state.web,
        state: state.run,
        online: state.online,
        broker_gateway: state.broker_gateway,
        backups: backups.into_iter().map(|entry| entry.name).collect(),
        history: String::from_utf8_lossy(&history)
            .trim_start_matches('\u{feff}')
            .lines()
            .map(str::to_owned)
            .collect(),
        tasks: agent.machine.tasks.done(),
        unknown_commands: agent.machine.unknown(),
        free_disk: disk.free(),
        drive: Utf8PathBuf::from_path_buf(disk.root().to_owned()).unwrap_or_default(),
    }
}

fn root_folder(named: Option<&Utf8Path>) -> Result<(Utf8PathBuf, Option<tempfile::TempDir>), SimulatorError> {
    if let Some(root) = named {
        fs::create_dir_all(root).map_err(SimulatorError::file("making folder", root))?;
        return Ok((root.to_owned(), None));
    }
    let folder = tempfile::Builder::new()
        .prefix("dms-simulator-")
        .tempdir()
        .map_err(SimulatorError::file("making a temporary folder", ""))?;
    let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).map_err(|path| {
        SimulatorError::Spec(format!("the temporary folder {} is not UTF-8", path.display()))
    })?;
    Ok((root, Some(folder)))
}

fn write_private(path: &Utf8Path, text: &str) -> Result<(), SimulatorError> {
    use std::os::unix::fs::OpenOptionsExt;
    let written = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    written.map_err(SimulatorError::file("writing", path))
}
