//! The latest Observation of each cluster, and what changed before.

use dataminer_schema::{id::ClusterName, v1::observation::Observation};
use sqlx::Row;

use super::{Store, StoreError, from_json, millis, query, to_json};

/// How many changes are kept of each cluster.
const CHANGES_KEPT: i64 = 500;

impl Store {
    /// Keeps `observation` as the latest; where it differs from the one before in more than its time, the change
    /// is kept too.
    pub async fn observed(&self, observation: &Observation) -> Result<(), StoreError> {
        const DOING: &str = "keeping an observation";
        let cluster = observation.cluster.as_str();
        let document = to_json(DOING, observation)?;
        let before = self.latest_observation(&observation.cluster).await.unwrap_or_default();
        let changed = before
            .is_none_or(|before| Observation { taken_at: observation.taken_at, ..before } != *observation);
        let mut tx = self.pool.begin().await.map_err(query(DOING))?;
        sqlx::query(
            "INSERT INTO observations (cluster, taken_at, document) VALUES (?, ?, ?)
             ON CONFLICT (cluster) DO UPDATE SET taken_at = excluded.taken_at, document = excluded.document",
        )
        .bind(cluster)
        .bind(millis(observation.taken_at))
        .bind(&document)
        .execute(&mut *tx)
        .await
        .map_err(query(DOING))?;
        if changed {
            sqlx::query("INSERT INTO observation_changes (cluster, taken_at, document) VALUES (?, ?, ?)")
                .bind(cluster)
                .bind(millis(observation.taken_at))
                .bind(&document)
                .execute(&mut *tx)
                .await
                .map_err(query(DOING))?;
            sqlx::query(
                "DELETE FROM observation_changes WHERE cluster = ?1 AND id <=
                 (SELECT id FROM observation_changes WHERE cluster = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            )
            .bind(cluster)
            .bind(CHANGES_KEPT)
            .execute(&mut *tx)
            .await
            .map_err(query(DOING))?;
        }
        tx.commit().await.map_err(query(DOING))
    }

    /// The latest Observation of `cluster`.
    pub async fn latest_observation(&self, cluster: &ClusterName) -> Result<Option<Observation>, StoreError> {
        const DOING: &str = "reading the latest observation";
        self.document_of(cluster, "SELECT document FROM observations WHERE cluster = ?", DOING).await
    }

    /// Observations of `cluster` that brought something new, newest first, at most `limit`.
    pub async fn observation_changes(
        &self,
        cluster: &ClusterName,
        limit: u32,
    ) -> Result<Vec<Observation>, StoreError> {
        const DOING: &str = "listing observations";
        sqlx::query("SELECT document FROM observation_changes WHERE cluster = ? ORDER BY id DESC LIMIT ?")
            .bind(cluster.as_str())
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(query(DOING))?
            .iter()
            .map(|row| from_json(DOING, row.get::<&str, _>(0)))
            .collect()
    }
}
