//! Small facts about each cluster: its generation, its quarantine, its published status.

use dataminer_core::exec::effect::Failure;
use dataminer_schema::{
    id::{ClusterName, Sha256},
    status::ClusterStatus,
};
use jiff::Timestamp;
use sqlx::Row;

use super::{Store, StoreError, from_json, from_text, millis, query, timestamp, to_json};

/// What is wanted failed; nothing is tried until something else is wanted or an operator asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantine {
    /// The digest of what was wanted.
    pub desired: Sha256,
    pub since: Timestamp,
    pub failure: Failure,
}

impl Store {
    /// The highest generation under which this installation ever acted on `cluster`; 0 if it never did.
    pub async fn generation(&self, cluster: &ClusterName) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT generation FROM generations WHERE cluster = ?")
            .bind(cluster.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(query("reading a generation"))?;
        Ok(row.map_or(0, |row| u64::try_from(row.get::<i64, _>(0)).unwrap_or(0)))
    }

    /// Raises the generation of `cluster`; a lower one never replaces a higher one.
    pub async fn raise_generation(&self, cluster: &ClusterName, generation: u64) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO generations (cluster, generation) VALUES (?, ?)
             ON CONFLICT (cluster) DO UPDATE SET generation = MAX(generation, excluded.generation)",
        )
        .bind(cluster.as_str())
        .bind(i64::try_from(generation).unwrap_or(i64::MAX))
        .execute(&self.pool)
        .await
        .map_err(query("raising a generation"))?;
        Ok(())
    }

    /// The quarantine of `cluster`.
    pub async fn quarantine(&self, cluster: &ClusterName) -> Result<Option<Quarantine>, StoreError> {
        const DOING: &str = "reading a quarantine";
        sqlx::query("SELECT desired, since, failure FROM quarantines WHERE cluster = ?")
            .bind(cluster.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(query(DOING))?
            .map(|row| {
                Ok(Quarantine {
                    desired: from_text(DOING, row.get::<&str, _>(0))?,
                    since: timestamp(row.get(1)),
                    failure: from_json(DOING, row.get::<&str, _>(2))?,
                })
            })
            .transpose()
    }

    /// Sets or, with `None`, releases the quarantine of `cluster`.
    pub async fn set_quarantine(
        &self,
        cluster: &ClusterName,
        quarantine: Option<&Quarantine>,
    ) -> Result<(), StoreError> {
        const DOING: &str = "setting a quarantine";
        match quarantine {
            Some(Quarantine { desired, since, failure }) => {
                sqlx::query(
                    "INSERT INTO quarantines (cluster, desired, since, failure) VALUES (?, ?, ?, ?)
                 ON CONFLICT (cluster) DO UPDATE SET desired = excluded.desired, since = excluded.since,
                 failure = excluded.failure",
                )
                .bind(cluster.as_str())
                .bind(desired.as_str())
                .bind(millis(*since))
                .bind(to_json(DOING, failure)?)
                .execute(&self.pool)
                .await
            }
            None => {
                sqlx::query("DELETE FROM quarantines WHERE cluster = ?")
                    .bind(cluster.as_str())
                    .execute(&self.pool)
                    .await
            }
        }
        .map_err(query(DOING))?;
        Ok(())
    }

    /// Publishes `status`.
    pub async fn set_status(&self, status: &ClusterStatus, now: Timestamp) -> Result<(), StoreError> {
        const DOING: &str = "publishing a status";
        sqlx::query(
            "INSERT INTO statuses (cluster, updated_at, document) VALUES (?, ?, ?)
             ON CONFLICT (cluster) DO UPDATE SET updated_at = excluded.updated_at, document = excluded.document",
        )
        .bind(status.name.as_str())
        .bind(millis(now))
        .bind(to_json(DOING, status)?)
        .execute(&self.pool)
        .await
        .map_err(query(DOING))?;
        Ok(())
    }

    /// The published statuses, by name.
    pub async fn statuses(&self) -> Result<Vec<ClusterStatus>, StoreError> {
        const DOING: &str = "reading statuses";
        sqlx::query("SELECT document FROM statuses ORDER BY cluster")
            .fetch_all(&self.pool)
            .await
            .map_err(query(DOING))?
            .iter()
            .map(|row| from_json(DOING, row.get::<&str, _>(0)))
            .collect()
    }

    /// Forgets the status of a cluster that no manifest names any more.
    pub async fn remove_status(&self, cluster: &ClusterName) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM statuses WHERE cluster = ?")
            .bind(cluster.as_str())
            .execute(&self.pool)
            .await
            .map_err(query("removing a status"))?;
        Ok(())
    }
}
