//! The live status of all clusters.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use dataminer_schema::{
    id::ClusterName,
    status::{ClusterStatus, FleetStatus, SourceStatus},
};
use tokio::sync::{Notify, watch};

/// What is published, and who waits for requests.
pub(super) struct Board {
    fleet: watch::Sender<FleetStatus>,
    wakes: Mutex<BTreeMap<ClusterName, Arc<Notify>>>,
}

impl Board {
    pub(super) fn new(installation: &str) -> Self {
        Self { fleet: watch::Sender::new(FleetStatus::new(installation)), wakes: Mutex::default() }
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<FleetStatus> {
        self.fleet.subscribe()
    }

    pub(super) fn current(&self) -> FleetStatus {
        self.fleet.borrow().clone()
    }

    pub(super) fn names(&self) -> Vec<ClusterName> {
        self.fleet.borrow().clusters.iter().map(|cluster| cluster.name.clone()).collect()
    }

    pub(super) fn get(&self, name: &ClusterName) -> Option<ClusterStatus> {
        self.fleet.borrow().cluster(name).cloned()
    }

    pub(super) fn source(&self, source: &SourceStatus) {
        self.fleet.send_if_modified(|fleet| {
            let changed = fleet.source != *source;
            if changed {
                fleet.source = source.clone();
            }
            changed
        });
    }

    /// Publishes the status of one cluster.
    pub(super) fn cluster(&self, status: ClusterStatus) {
        self.fleet.send_if_modified(|fleet| {
            match fleet.clusters.binary_search_by(|have| have.name.cmp(&status.name)) {
                Ok(at) => match fleet.clusters.get_mut(at) {
                    Some(have) if *have != status => {
                        *have = status;
                        true
                    }
                    _ => false,
                },
                Err(at) => {
                    fleet.clusters.insert(at, status);
                    true
                }
            }
        });
    }

    pub(super) fn forget(&self, name: &ClusterName) {
        self.fleet.send_if_modified(|fleet| {
            let count = fleet.clusters.len();
            fleet.clusters.retain(|cluster| cluster.name != *name);
            fleet.clusters.len() != count
        });
        self.wakes.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// What wakes the loop of `name`.
    pub(super) fn wake(&self, name: &ClusterName) -> Arc<Notify> {
        let mut wakes = self.wakes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(wakes.entry(name.clone()).or_default())
    }
}
