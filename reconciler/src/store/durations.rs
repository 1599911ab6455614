//! How long steps took, for estimates.

use dataminer_schema::{id::ClusterName, plan::Action};
use jiff::{SignedDuration, Timestamp};
use sqlx::Row;

use super::{Store, StoreError, from_json, millis, query, to_json};

/// How many samples are kept of each cluster and action, the newest: enough for a p95, and what is older tells of
/// hardware and releases that are gone.
const SAMPLES_KEPT: i64 = 50;

impl Store {
    /// Notes how long `action` took on `agents` Agents of `cluster`.
    pub async fn record_duration(
        &self,
        cluster: &ClusterName,
        action: Action,
        agents: usize,
        duration: SignedDuration,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "noting a duration";
        let action = to_json(DOING, &action)?;
        let mut tx = self.pool.begin().await.map_err(query(DOING))?;
        sqlx::query("INSERT INTO durations (cluster, action, agents, at, millis) VALUES (?, ?, ?, ?, ?)")
            .bind(cluster.as_str())
            .bind(&action)
            .bind(i64::try_from(agents).unwrap_or(i64::MAX))
            .bind(millis(now))
            .bind(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
            .execute(&mut *tx)
            .await
            .map_err(query(DOING))?;
        sqlx::query(
            "DELETE FROM durations WHERE cluster = ?1 AND action = ?2 AND id <=
             (SELECT id FROM durations WHERE cluster = ?1 AND action = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3)",
        )
        .bind(cluster.as_str())
        .bind(&action)
        .bind(SAMPLES_KEPT)
        .execute(&mut *tx)
        .await
        .map_err(query(DOING))?;
        tx.commit().await.map_err(query(DOING))
    }

    /// How long the steps of `cluster` took, newest first.
    pub async fn durations(
        &self,
        cluster: &ClusterName,
    ) -> Result<Vec<(Action, SignedDuration)>, StoreError> {
        const DOING: &str = "listing durations";
        sqlx::query("SELECT action, millis FROM durations WHERE cluster = ? ORDER BY id DESC")
            .bind(cluster.as_str())
            .fetch_all(&self.pool)
            .await
            .map_err(query(DOING))?
            .iter()
            .map(|row| {
                let action = from_json(DOING, row.get::<&str, _>(0))?;
                Ok((action, SignedDuration::from_millis(row.get(1))))
            })
            .collect()
    }
}
