//! Plans: immutable, with the one they replace; the current one by compare-and-set.

use dataminer_schema::{
    id::{ClusterName, PlanId},
    plan::Plan,
};
use jiff::Timestamp;
use sqlx::Row;

use super::{Store, StoreError, from_json, millis, query, timestamp, to_json};

/// How many plans are kept of each cluster, those that were executed apart.
const PLANS_KEPT: i64 = 500;

/// Identifies a stored plan document; two documents may share one plan id and differ in what they wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanRow(pub(super) i64);

/// A plan as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPlan {
    pub row: PlanRow,
    pub parent: Option<PlanRow>,
    pub stored_at: Timestamp,
    pub plan: Plan,
}

impl Store {
    /// Stores `plan` and makes it current, if `parent` still is; the same document again changes nothing.
    pub async fn store_plan(
        &self,
        plan: &Plan,
        parent: Option<PlanRow>,
        now: Timestamp,
    ) -> Result<PlanRow, StoreError> {
        const DOING: &str = "storing a plan";
        let document = to_json(DOING, plan)?;
        let cluster = plan.cluster.as_str();
        let mut tx = self.pool.begin().await.map_err(query(DOING))?;
        let current = sqlx::query(
            "SELECT plans.row, plans.document FROM current_plans JOIN plans ON plans.row = current_plans.plan
             WHERE current_plans.cluster = ?",
        )
        .bind(cluster)
        .fetch_optional(&mut *tx)
        .await
        .map_err(query(DOING))?;
        let current_row = current.as_ref().map(|row| PlanRow(row.get(0)));
        if current_row != parent {
            return Err(StoreError::PlanConflict { cluster: cluster.to_owned() });
        }
        if let (Some(row), Some(current)) = (current_row, &current)
            && current.get::<&str, _>(1) == document
        {
            return Ok(row);
        }
        let row: i64 = sqlx::query("INSERT INTO plans (cluster, id, parent, stored_at, document) VALUES (?, ?, ?, ?, ?) RETURNING row")
            .bind(cluster)
            .bind(plan.id.as_str())
            .bind(parent.map(|row| row.0))
            .bind(millis(now))
            .bind(&document)
            .fetch_one(&mut *tx)
            .await
            .map_err(query(DOING))?
            .get(0);
        sqlx::query(
            "INSERT INTO current_plans (cluster, plan) VALUES (?, ?) ON CONFLICT (cluster) DO UPDATE SET plan = excluded.plan",
        )
        .bind(cluster)
        .bind(row)
        .execute(&mut *tx)
        .await
        .map_err(query(DOING))?;
        sqlx::query(
            "DELETE FROM plans WHERE cluster = ?1 AND row <
             (SELECT row FROM plans WHERE cluster = ?1 ORDER BY row DESC LIMIT 1 OFFSET ?2)
             AND row NOT IN (SELECT plan FROM operations)",
        )
        .bind(cluster)
        .bind(PLANS_KEPT)
        .execute(&mut *tx)
        .await
        .map_err(query(DOING))?;
        tx.commit().await.map_err(query(DOING))?;
        Ok(PlanRow(row))
    }

    /// The current plan of `cluster`.
    pub async fn current_plan(&self, cluster: &ClusterName) -> Result<Option<StoredPlan>, StoreError> {
        const DOING: &str = "reading the current plan";
        sqlx::query(
            "SELECT plans.row, parent, stored_at, document FROM current_plans
             JOIN plans ON plans.row = current_plans.plan WHERE current_plans.cluster = ?",
        )
        .bind(cluster.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(query(DOING))?
        .map(|row| stored(DOING, &row))
        .transpose()
    }

    /// The newest plan of `cluster` with this id.
    pub async fn plan(&self, cluster: &ClusterName, id: &PlanId) -> Result<Option<StoredPlan>, StoreError> {
        const DOING: &str = "reading a plan";
        sqlx::query("SELECT row, parent, stored_at, document FROM plans WHERE cluster = ? AND id = ? ORDER BY row DESC LIMIT 1")
            .bind(cluster.as_str())
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(query(DOING))?
            .map(|row| stored(DOING, &row))
            .transpose()
    }
}

impl Store {
    /// The newest plan of `cluster` whose digest begins with these digits.
    pub async fn plan_named(
        &self,
        cluster: &ClusterName,
        digits: &str,
    ) -> Result<Option<StoredPlan>, StoreError> {
        const DOING: &str = "finding a plan";
        sqlx::query(
            "SELECT row, parent, stored_at, document FROM plans WHERE cluster = ?1 AND substr(id, 1, length(?2)) = ?2
             ORDER BY row DESC LIMIT 1",
        )
        .bind(cluster.as_str())
        .bind(format!("sha256:{digits}"))
        .fetch_optional(&self.pool)
        .await
        .map_err(query(DOING))?
        .map(|row| stored(DOING, &row))
        .transpose()
    }
}

pub(super) fn stored(doing: &'static str, row: &sqlx::sqlite::SqliteRow) -> Result<StoredPlan, StoreError> {
    Ok(StoredPlan {
        row: PlanRow(row.get(0)),
        parent: row.get::<Option<i64>, _>(1).map(PlanRow),
        stored_at: timestamp(row.get(2)),
        plan: from_json(doing, row.get::<&str, _>(3))?,
    })
}
