//! The process: source, store, vault, engine and HTTP interface put together, and taken apart again in order.
//!
//! # Guarantees
//! Nothing is started unless everything that can be checked beforehand is right: configuration, store (held by
//! one process at a time), vault, listener. [`Process::stop`] ends the bookkeeping of what is under way; jobs on
//! Agents go on and are found again by the next start.

mod bridge;
mod ports;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use camino::Utf8PathBuf;
use dataminer_schema::{id::ClusterName, status::FleetStatus};
use futures::future::BoxFuture;
use jiff::SignedDuration;
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, ConfigError},
    engine::{CanaryEnd, Engine, EngineConfig, EngineHandle, FleetDesired, RequestError},
    http::{
        self, HttpError, Shown,
        monitoring::Monitoring,
        requests::{Kind, Recorded, Unrecorded, Wanted},
    },
    metrics::Metrics,
    source::{GitSource, watch::Watched},
    store::{Event, OperatorRequest, RequestKind, Store, StoreError},
    vault::{Vault, VaultError},
};

/// Why the process does not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("the path {0} is not UTF-8")]
    Path(PathBuf),
    #[error("making the folder {path}: {cause}")]
    Folder { path: PathBuf, cause: std::io::Error },
    #[error("no commit could be put in force: {reason}")]
    NoCommit { reason: String, help: String },
    #[error("a part of the process ended unexpectedly: {0}")]
    Task(String),
}

impl ProcessError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Config(error) => error.help(),
            Self::Store(StoreError::InUse { .. }) => {
                "stop the other process, or give this one another store and another `installation`; `status` and \
                 `history` can read the store beside it"
                    .to_owned()
            }
            Self::Store(_) => "check the store's folder: its disk, and the rights of this account".to_owned(),
            Self::Vault(_) => "check the vault's folder: its disk, and the rights of this account".to_owned(),
            Self::Http(error) => error.help().to_owned(),
            Self::Path(_) => "rename the folder".to_owned(),
            Self::Folder { .. } => "make its parent writable for this account".to_owned(),
            Self::NoCommit { help, .. } => help.clone(),
            Self::Task(_) => "please report this with the log".to_owned(),
        }
    }
}

/// Everything but the engine's loop, which either goes on or runs once.
struct Parts {
    engine: Arc<Engine<ports::DriverPort>>,
    desired: watch::Receiver<FleetDesired>,
    watched: Watched,
    metrics: Metrics,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// A running process.
pub struct Process {
    /// Where the HTTP interface answers.
    pub address: SocketAddr,
    handle: EngineHandle,
    watched: Watched,
    stop: CancellationToken,
    engine: JoinHandle<Result<(), StoreError>>,
    http: JoinHandle<Result<(), HttpError>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Process {
    /// Starts everything.
    ///
    /// # Errors
    /// What is wrong with configuration, store, vault or listener.
    pub async fn start(config: &Config) -> Result<Self, ProcessError> {
        // Before the listener: nothing shall answer of a process that does not do what its file says.
        config.startable()?;
        let bound = http::bind(config.spec.http.listen).await?;
        let monitoring = match config.spec.http.metrics {
            Some(address) => Some(Monitoring::bind(address).await?),
            None => None,
        };
        let Parts { engine, desired, watched, metrics, stop, mut tasks } = Parts::assemble(config).await?;
        let handle = engine.handle();
        let address = bound.address;
        let shown = Arc::new(Live { handle: handle.clone() });
        if let Some(monitoring) = monitoring {
            tracing::info!(address = %monitoring.address(), "health and metrics alone");
            let served = monitoring.serve(Arc::<Live>::clone(&shown), metrics.clone(), stop.clone());
            tasks.push(tokio::spawn(async move {
                if let Err(error) = served.await {
                    tracing::error!(%error, "the metrics listener ended");
                }
            }));
        }
        let http = tokio::spawn(bound.serve(http::router(shown, metrics), stop.clone()));
        let running = stop.clone();
        let engine = tokio::spawn(async move { engine.run(desired, running).await });
        tracing::info!(%address, installation = config.spec.installation, "running");
        Ok(Self { address, handle, watched, stop, engine, http, tasks })
    }

    /// Status, history and operators' requests.
    pub fn handle(&self) -> &EngineHandle {
        &self.handle
    }

    /// The source that is followed.
    pub fn source(&self) -> &Watched {
        &self.watched
    }

    /// Returns when a part ends that should not: the reason why the process cannot go on.
    pub async fn failed(&mut self) -> ProcessError {
        let task = |error: tokio::task::JoinError| ProcessError::Task(error.to_string());
        tokio::select! {
            ended = &mut self.engine => match ended {
                Ok(Ok(())) => ProcessError::Task("the engine's loop".to_owned()),
                Ok(Err(error)) => error.into(),
                Err(error) => task(error),
            },
            ended = &mut self.http => match ended {
                Ok(Ok(())) => ProcessError::Task("the HTTP interface".to_owned()),
                Ok(Err(error)) => error.into(),
                Err(error) => task(error),
            },
        }
    }

    /// Ends the bookkeeping of what is under way and lets go of the store.
    ///
    /// # Errors
    /// A store that could not be written to the end.
    pub async fn stop(self) -> Result<(), ProcessError> {
        let Self { handle, stop, engine, http, tasks, .. } = self;
        stop.cancel();
        let ended = if engine.is_finished() { Ok(Ok(())) } else { engine.await };
        if !http.is_finished() {
            drop(http.await);
        }
        for task in tasks {
            drop(task.await);
        }
        handle.store().close().await;
        match ended {
            Ok(ended) => Ok(ended?),
            Err(error) => Err(ProcessError::Task(error.to_string())),
        }
    }
}

/// Follows the newest commit until every cluster is Ready, Stalled, or waits for something that is not now.
///
/// # Errors
/// As [`Process::start`]; also no commit that could be put in force.
pub async fn run_once(config: &Config, stop: CancellationToken) -> Result<FleetStatus, ProcessError> {
    let mut parts = Parts::assemble(config).await?;
    let first = async {
        // The first report follows the first look, whatever it brought.
        let seen =
            parts.watched.reports.wait_for(|report| report.in_force.is_some() || report.looked()).await;
        seen.map(|report| report.clone()).map_err(|_| ProcessError::Task("the source".to_owned()))
    };
    let report = tokio::select! {
        report = first => report?,
        () = stop.cancelled() => return Err(ProcessError::Task("it was told to stop".to_owned())),
    };
    if report.in_force.is_none() {
        parts.stop.cancel();
        let (reason, help) = match (&report.fault, &report.rejected) {
            (Some(fault), _) => (fault.message.clone(), fault.help.clone()),
            (None, Some(rejected)) => (
                format!("commit {} has {} diagnostics", rejected.commit, rejected.total),
                "they are in the log above; correct the manifests and commit again".to_owned(),
            ),
            (None, None) => ("the source gave nothing".to_owned(), "look into the log".to_owned()),
        };
        return Err(ProcessError::NoCommit { reason, help });
    }
    let status = parts.engine.run_once(parts.desired, stop).await;
    parts.stop.cancel();
    for task in parts.tasks {
        drop(task.await);
    }
    parts.engine.handle().store().close().await;
    Ok(status?)
}

/// Runs a canary on each of these clusters and nothing else, with the store of the process, which must not run.
///
/// # Errors
/// As [`Process::start`].
pub async fn canaries(
    config: &Config,
    fleet: FleetDesired,
    within: Option<SignedDuration>,
    stop: &CancellationToken,
) -> Result<Vec<(ClusterName, CanaryEnd)>, ProcessError> {
    let (store_file, vault_folder) = (utf8(config.store_file()?)?, utf8(config.vault_folder()?)?);
    let packages = config.package_folders()?;
    make_folder(vault_folder.as_std_path().parent())?;
    let store = Store::open(&store_file).await?;
    let vault = Vault::open(&vault_folder)?;
    let metrics = Metrics::new();
    let engine = Engine::new(
        engine_config(config),
        store.clone(),
        vault.clone(),
        Arc::new(metrics.clone()),
        ports::connector(config, packages, vault, metrics),
    );
    let ends = engine.canaries(&fleet, within, stop).await;
    store.close().await;
    Ok(ends?)
}

fn engine_config(config: &Config) -> EngineConfig {
    let spec = &config.spec;
    EngineConfig {
        installation: spec.installation.clone(),
        observe: spec.r#loop.observe,
        concurrency: usize::try_from(spec.r#loop.concurrency).unwrap_or(1),
        hurry: 1,
    }
}

impl Parts {
    async fn assemble(config: &Config) -> Result<Self, ProcessError> {
        config.startable()?;
        let source = config.source()?;
        let (store_file, vault_folder) = (utf8(config.store_file()?)?, utf8(config.vault_folder()?)?);
        let sources = config.sources_folder()?;
        let packages = config.package_folders()?;
        let knowledge = config.knowledge()?;
        make_folder(vault_folder.as_std_path().parent())?;
        let store = Store::open(&store_file).await?;
        let vault = Vault::open(&vault_folder)?;
        let metrics = Metrics::new();
        let stop = CancellationToken::new();
        let engine = Arc::new(Engine::new(
            engine_config(config),
            store.clone(),
            vault.clone(),
            Arc::new(metrics.clone()),
            ports::connector(config, packages, vault, metrics.clone()),
        ));
        let url = source.location.to_string();
        let (watched, watching) =
            crate::source::watch::spawn(GitSource::new(source, &sources), metrics.clone(), stop.clone());
        let (sender, desired) = watch::channel(FleetDesired { knowledge, ..FleetDesired::default() });
        let tasks = vec![
            watching,
            tokio::spawn(bridge::source(watched.reports.clone(), url, sender, store, stop.clone())),
            tokio::spawn(bridge::metrics(engine.status(), metrics.clone(), stop.clone())),
        ];
        Ok(Self { engine, desired, watched, metrics, stop, tasks })
    }
}

fn utf8(path: PathBuf) -> Result<Utf8PathBuf, ProcessError> {
    Utf8PathBuf::from_path_buf(path).map_err(ProcessError::Path)
}

fn make_folder(path: Option<&std::path::Path>) -> Result<(), ProcessError> {
    let Some(path) = path else { return Ok(()) };
    std::fs::create_dir_all(path).map_err(|cause| ProcessError::Folder { path: path.to_owned(), cause })
}

/// What the HTTP interface shows of a running engine.
struct Live {
    handle: EngineHandle,
}

impl Live {
    async fn record(&self, cluster: &ClusterName, wanted: Wanted) -> Result<Recorded, RequestError> {
        let Wanted { kind, reason, by, backup, plan } = wanted;
        let kind = match kind {
            Kind::Retry => RequestKind::Retry,
            Kind::Abort => RequestKind::Abort,
            Kind::Reconcile => RequestKind::Reconcile,
            Kind::Takeover => RequestKind::Takeover,
            Kind::Canary => RequestKind::Canary,
            Kind::Approve => {
                let named = plan.unwrap_or_default();
                RequestKind::Approve { plan: self.handle.approvable(cluster, &named).await? }
            }
            Kind::Restore => {
                let object = self.handle.whole_backup(cluster, &backup.unwrap_or_default()).await?;
                RequestKind::Restore { backup: object.sha256 }
            }
        };
        let request = kind.to_string();
        let id = self.handle.request(cluster, OperatorRequest { kind, reason, by }).await?;
        Ok(Recorded { format_version: "1.0".to_owned(), cluster: cluster.clone(), id, request })
    }
}

impl Shown for Live {
    fn status(&self) -> Arc<FleetStatus> {
        Arc::new(self.handle.status().borrow().clone())
    }

    fn events(
        &self,
        cluster: Option<ClusterName>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Event>, StoreError>> {
        Box::pin(async move { self.handle.store().events(cluster.as_ref(), limit).await })
    }

    fn request(&self, cluster: ClusterName, wanted: Wanted) -> BoxFuture<'_, Result<Recorded, Unrecorded>> {
        Box::pin(async move {
            self.record(&cluster, wanted).await.map_err(|error| {
                let help = error.help().to_owned();
                let words = error.to_string();
                match error {
                    RequestError::UnknownCluster(_) => Unrecorded::UnknownCluster,
                    RequestError::Underway(_)
                    | RequestError::Busy(_)
                    | RequestError::NoPlan(_)
                    | RequestError::OtherPlan { .. }
                    | RequestError::NothingToApprove { .. } => Unrecorded::Conflict { error: words, help },
                    RequestError::BackupName(_)
                    | RequestError::PlanName(_)
                    | RequestError::NoBackup { .. }
                    | RequestError::ManyBackups { .. }
                    | RequestError::BadBackup { .. }
                    | RequestError::Vault(_) => Unrecorded::NotThere { error: words, help },
                    RequestError::Store(error) => {
                        let error = anyhow::Error::new(error);
                        tracing::error!(error = format!("{error:#}"), "recording a request");
                        Unrecorded::Failed
                    }
                }
            })
        })
    }

    fn ready(&self) -> bool {
        self.handle.status().borrow().source.last_good.is_some()
    }
}
