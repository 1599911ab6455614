//! What the source wants of all clusters.

use std::{collections::BTreeMap, sync::Arc};

use dataminer_core::{catalog::Catalog, desired::Desired, knowledge::Knowledge};
use dataminer_schema::{
    id::ClusterName,
    status::{BrokenCommit, SourceStatus},
};

use crate::source::watch::Report;

/// The manifests of the commit in force, resolved.
#[derive(Clone, Debug, Default)]
pub struct FleetDesired {
    pub clusters: BTreeMap<ClusterName, Arc<Desired>>,
    pub catalog: Arc<Catalog>,
    /// What is known of DataMiner's releases.
    pub knowledge: Knowledge,
    pub source: SourceStatus,
}

impl FleetDesired {
    /// Whether a good commit is in force at all. Without one nothing is done, and nothing is forgotten.
    pub fn loaded(&self) -> bool {
        self.source.last_good.is_some()
    }

    /// What `report` brings. `before` stays in force where the catalogues of the new commit contradict each
    /// other; the conflicts come back as the source's error.
    pub fn from_report(report: &Report, url: Option<String>, before: &Self) -> Self {
        let broken = report.rejected.as_ref().map(|rejected| BrokenCommit {
            commit: rejected.commit.clone(),
            diagnostics: rejected.diagnostics.iter().map(Into::into).collect(),
        });
        let mut source = SourceStatus {
            name: Some(report.source.clone()),
            url,
            commit: None,
            last_good: report.in_force.as_ref().map(|loaded| loaded.commit.id.clone()),
            fetched_at: report.last_success,
            error: report.fault.as_ref().map(|fault| fault.message.clone()),
            broken,
        };
        source.commit =
            source.broken.as_ref().map(|broken| broken.commit.clone()).or_else(|| source.last_good.clone());
        let Some(loaded) = &report.in_force else { return Self { source, ..before.clone() } };
        if source.last_good == before.source.last_good {
            return Self { source, ..before.clone() };
        }
        let catalog = match Catalog::unite(&loaded.fleet.catalogs, &before.knowledge) {
            Ok(catalog) => Arc::new(catalog),
            Err(conflicts) => {
                source.last_good = before.source.last_good.clone();
                let conflicts: Vec<String> = conflicts.iter().map(ToString::to_string).collect();
                source.error =
                    Some(format!("the catalogues contradict each other: {}", conflicts.join("; ")));
                return Self { source, ..before.clone() };
            }
        };
        let commit = Some(loaded.commit.id.clone());
        let clusters = loaded
            .fleet
            .clusters
            .iter()
            .map(|cluster| {
                let desired = dataminer_core::desired::resolve(cluster.value.clone(), commit.clone());
                (desired.cluster.name.clone(), Arc::new(desired))
            })
            .collect();
        Self { clusters, catalog, knowledge: before.knowledge.clone(), source }
    }
}
