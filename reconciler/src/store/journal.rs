//! Operations and their journals.

use dataminer_core::exec::{
    finish::Finish,
    journal::{JournalEntry, Record, Replay},
};
use dataminer_schema::{
    id::{ClusterName, PlanId},
    plan::Plan,
};
use sqlx::Row;

use super::{PlanRow, Store, StoreError, from_json, millis, query, to_json};

/// How many finished operations are kept of each cluster, with their journals.
const OPERATIONS_KEPT: i64 = 200;

/// Identifies an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(i64);

impl OperationId {
    pub(super) fn of(id: i64) -> Self {
        Self(id)
    }
}

/// An operation with everything that was written down of it; one without an end is as a crashed process left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOperation {
    pub id: OperationId,
    pub plan: Plan,
    pub row: PlanRow,
    pub journal: Vec<JournalEntry>,
}

impl Store {
    /// Begins an operation of the stored plan `row`; refused while another of the cluster is unfinished.
    pub async fn begin_operation(
        &self,
        cluster: &ClusterName,
        row: PlanRow,
        first: &JournalEntry,
    ) -> Result<OperationId, StoreError> {
        const DOING: &str = "beginning an operation";
        let entry = to_json(DOING, first)?;
        let mut tx = self.pool.begin().await.map_err(query(DOING))?;
        let id: i64 =
            sqlx::query("INSERT INTO operations (cluster, plan, started_at) VALUES (?, ?, ?) RETURNING id")
                .bind(cluster.as_str())
                .bind(row.0)
                .bind(millis(first.at))
                .fetch_one(&mut *tx)
                .await
                .map_err(|error| match error.as_database_error() {
                    Some(database) if database.is_unique_violation() => {
                        StoreError::OperationUnfinished { cluster: cluster.to_string() }
                    }
                    _ => query(DOING)(error),
                })?
                .get(0);
        sqlx::query(
            "DELETE FROM operations WHERE cluster = ?1 AND finished_at IS NOT NULL AND id <
             (SELECT id FROM operations WHERE cluster = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        )
        .bind(cluster.as_str())
        .bind(OPERATIONS_KEPT)
        .execute(&mut *tx)
        .await
        .map_err(query(DOING))?;
        sqlx::query("INSERT INTO journal (operation, seq, entry) VALUES (?, 1, ?)")
            .bind(id)
            .bind(entry)
            .execute(&mut *tx)
            .await
            .map_err(query(DOING))?;
        tx.commit().await.map_err(query(DOING))?;
        Ok(OperationId(id))
    }

    /// Appends to the journal; durable when it returns. A `Finished` record ends the operation.
    pub async fn append(&self, operation: OperationId, entry: &JournalEntry) -> Result<(), StoreError> {
        const DOING: &str = "writing the journal";
        let document = to_json(DOING, entry)?;
        let mut tx = self.pool.begin().await.map_err(query(DOING))?;
        sqlx::query(
            "INSERT INTO journal (operation, seq, entry)
             SELECT ?1, COALESCE(MAX(seq), 0) + 1, ?2 FROM journal WHERE operation = ?1",
        )
        .bind(operation.0)
        .bind(document)
        .execute(&mut *tx)
        .await
        .map_err(query(DOING))?;
        if let Record::Finished { finish } = &entry.record {
            let result = match finish {
                Finish::Succeeded => "Succeeded",
                Finish::Paused { .. } => "Paused",
                Finish::Failed { .. } => "Failed",
            };
            sqlx::query("UPDATE operations SET finished_at = ?, result = ? WHERE id = ?")
                .bind(millis(entry.at))
                .bind(result)
                .bind(operation.0)
                .execute(&mut *tx)
                .await
                .map_err(query(DOING))?;
            note_attempts(&mut tx, operation).await?;
        }
        tx.commit().await.map_err(query(DOING))
    }

    /// The operation of `cluster` that did not finish, if there is one.
    pub async fn unfinished_operation(
        &self,
        cluster: &ClusterName,
    ) -> Result<Option<StoredOperation>, StoreError> {
        const DOING: &str = "looking for an unfinished operation";
        let Some(row) = sqlx::query(
            "SELECT operations.id, plans.row, plans.document FROM operations JOIN plans ON plans.row = operations.plan
             WHERE operations.cluster = ? AND finished_at IS NULL",
        )
        .bind(cluster.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(query(DOING))?
        else {
            return Ok(None);
        };
        let id = OperationId(row.get(0));
        Ok(Some(StoredOperation {
            id,
            row: PlanRow(row.get(1)),
            plan: from_json(DOING, row.get::<&str, _>(2))?,
            journal: self.journal(id).await?,
        }))
    }

    /// The journal of `operation`, in order.
    pub async fn journal(&self, operation: OperationId) -> Result<Vec<JournalEntry>, StoreError> {
        const DOING: &str = "reading the journal";
        sqlx::query("SELECT entry FROM journal WHERE operation = ? ORDER BY seq")
            .bind(operation.0)
            .fetch_all(&self.pool)
            .await
            .map_err(query(DOING))?
            .iter()
            .map(|row| from_json(DOING, row.get::<&str, _>(0)))
            .collect()
    }

    /// The highest attempt that any finished operation of this plan id made at a job; 0 if none.
    pub async fn last_attempt(&self, cluster: &ClusterName, plan: &PlanId) -> Result<u32, StoreError> {
        const DOING: &str = "reading attempts";
        let row = sqlx::query("SELECT attempt FROM attempts WHERE cluster = ? AND plan_id = ?")
            .bind(cluster.as_str())
            .bind(plan.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(query(DOING))?;
        Ok(row.map_or(0, |row| row.get(0)))
    }
}

async fn note_attempts(
    tx: &mut sqlx::Transaction<'_, sqlx::Sqlite>,
    operation: OperationId,
) -> Result<(), StoreError> {
    const DOING: &str = "noting attempts";
    let rows = sqlx::query("SELECT entry FROM journal WHERE operation = ? ORDER BY seq")
        .bind(operation.0)
        .fetch_all(&mut **tx)
        .await
        .map_err(query(DOING))?;
    let entries: Vec<JournalEntry> =
        rows.iter().map(|row| from_json(DOING, row.get::<&str, _>(0))).collect::<Result<_, _>>()?;
    let attempt = Replay::of(&entries).last_attempt;
    if attempt == 0 {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO attempts (cluster, plan_id, attempt)
         SELECT operations.cluster, plans.id, ?2 FROM operations JOIN plans ON plans.row = operations.plan
         WHERE operations.id = ?1
         ON CONFLICT (cluster, plan_id) DO UPDATE SET attempt = MAX(attempt, excluded.attempt)",
    )
    .bind(operation.0)
    .bind(attempt)
    .execute(&mut **tx)
    .await
    .map_err(query(DOING))?;
    Ok(())
}
