//! The way in for operators' requests, and the way out for what the API shows.

use std::sync::Arc;

use dataminer_schema::{
    id::{ClusterName, PlanId, Sha256},
    status::FleetStatus,
};
use tokio::sync::watch;

use super::{board::Board, now};
use crate::{
    store::{Event, EventKind, OperatorRequest, RequestKind, Store, StoreError},
    vault::{StoredObject, Vault, VaultError, Verdict},
};

/// Fewer digits of a hash are a guess.
const FEWEST_DIGITS: usize = 8;

/// Why a request could not be recorded.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    #[error("there is no cluster `{0}`")]
    UnknownCluster(ClusterName),
    #[error("an operation of cluster `{0}` is under way here, so it is this installation's own")]
    Underway(ClusterName),
    #[error("an operation of cluster `{0}` is under way, and a canary runs beside nothing")]
    Busy(ClusterName),
    #[error("`{0}` is not the hash of a backup")]
    BackupName(String),
    #[error("the vault holds no backup of cluster `{cluster}` whose hash begins with {prefix}")]
    NoBackup { cluster: ClusterName, prefix: String },
    #[error("the hashes of {count} backups of cluster `{cluster}` begin with {prefix}")]
    ManyBackups { cluster: ClusterName, prefix: String, count: usize },
    #[error("the backup {file} of Agent {agent} ({sha256}) {problem}")]
    BadBackup { file: String, agent: String, sha256: Sha256, problem: String },
    #[error("`{0}` is not the id of a plan")]
    PlanName(String),
    #[error("cluster `{0}` has no plan yet")]
    NoPlan(ClusterName),
    #[error("the current plan of cluster `{cluster}` is {current}, not {named}{difference}")]
    OtherPlan { cluster: ClusterName, named: String, current: PlanId, difference: String },
    #[error("plan {plan} of cluster `{cluster}` waits for no approval: {state}")]
    NothingToApprove { cluster: ClusterName, plan: PlanId, state: String },
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RequestError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::UnknownCluster(_) => "`status` lists all clusters",
            Self::Underway(_) => {
                "nothing needs to be taken over; `abort` stops the operation before its next disruptive step"
            }
            Self::Busy(_) => "wait for its end, which `describe` shows",
            Self::BackupName(_) => "write the hash that `backup list` shows, at least its first 8 digits",
            Self::NoBackup { .. } => {
                "`backup list` shows what there is; `backup save` brings what the Agents hold into the vault"
            }
            Self::ManyBackups { .. } => "write more digits",
            Self::BadBackup { .. } => "choose another one; `backup verify` shows which are whole",
            Self::PlanName(_) => {
                "write the id in full, as `describe` shows it where the plan waits (`sha256:…`), or the 12 digits behind \
                 `plan` there"
            }
            Self::NoPlan(_) => "`describe` shows the plan as soon as the cluster was observed",
            Self::OtherPlan { .. } => {
                "look at the current plan with `describe`; if it is right, approve that id"
            }
            Self::NothingToApprove { .. } => "`describe` shows what it waits for",
            Self::Vault(_) => "check the vault's folder: its disk, and the rights of the process",
            Self::Store(_) => "see the log of the process",
        }
    }
}

/// The engine as the API and the page see it. Cheap to clone.
#[derive(Clone)]
pub struct EngineHandle {
    store: Store,
    vault: Vault,
    board: Arc<Board>,
}

impl EngineHandle {
    pub(super) fn new(store: Store, vault: Vault, board: Arc<Board>) -> Self {
        Self { store, vault, board }
    }

    /// The status of all clusters, live.
    pub fn status(&self) -> watch::Receiver<FleetStatus> {
        self.board.subscribe()
    }

    /// History, plans, observations.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Records what an operator asks for, wakes the loop of the cluster, and returns the number of the request.
    ///
    /// # Errors
    /// What cannot be done is refused here, by name, where that is known beforehand.
    pub async fn request(
        &self,
        cluster: &ClusterName,
        request: OperatorRequest,
    ) -> Result<i64, RequestError> {
        let Some(status) = self.board.get(cluster) else {
            return Err(RequestError::UnknownCluster(cluster.clone()));
        };
        if request.kind == RequestKind::Takeover && status.operation.is_some() {
            return Err(RequestError::Underway(cluster.clone()));
        }
        if request.kind == RequestKind::Canary && status.operation.is_some() {
            return Err(RequestError::Busy(cluster.clone()));
        }
        let now = now();
        let id = self.store.request(cluster, &request, now).await?;
        let by = request.by.as_deref().unwrap_or("an operator");
        let why = request.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let mut event =
            Event::new(now, EventKind::OperatorRequest, format!("{} asked for by {by}{why}", request.kind));
        event.cluster = Some(cluster.clone());
        self.store.record_event(&event).await?;
        self.board.wake(cluster).notify_one();
        Ok(id)
    }

    /// The one backup of `cluster` in the vault whose hash begins with `prefix`, hashed again just now.
    ///
    /// # Errors
    /// No such backup, several, or one whose bytes are gone or changed.
    pub async fn whole_backup(
        &self,
        cluster: &ClusterName,
        prefix: &str,
    ) -> Result<StoredObject, RequestError> {
        let digits = prefix.to_ascii_lowercase();
        if !(FEWEST_DIGITS..=64).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(RequestError::BackupName(prefix.escape_debug().take(80).collect()));
        }
        if self.board.get(cluster).is_none() {
            return Err(RequestError::UnknownCluster(cluster.clone()));
        }
        let mut found = self.vault.objects(cluster).await?;
        found.retain(|object| object.sha256.as_str().starts_with(&digits));
        let mut hashes: Vec<&Sha256> = found.iter().map(|object| &object.sha256).collect();
        hashes.sort();
        hashes.dedup();
        if hashes.len() > 1 {
            let (cluster, count) = (cluster.clone(), hashes.len());
            return Err(RequestError::ManyBackups { cluster, prefix: digits, count });
        }
        // Two Agents may have had the same one; one whole copy is enough.
        let mut bad = RequestError::NoBackup { cluster: cluster.clone(), prefix: digits };
        for object in found {
            let problem = match self.vault.check(&object, |_| {}).await? {
                Verdict::Good => return Ok(object),
                Verdict::Damaged { actual } => format!("is damaged: its bytes hash to {}", actual.short()),
                Verdict::Lost => "is lost: its index entry is there, its bytes are not".to_owned(),
            };
            let StoredObject { file, agent, sha256, .. } = object;
            bad = RequestError::BadBackup { file, agent: agent.to_string(), sha256, problem };
        }
        Err(bad)
    }
}
