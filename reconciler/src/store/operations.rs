//! Past operations with their journals, for whoever tells what was done.

use dataminer_schema::id::ClusterName;
use sqlx::Row;

use super::{PlanRow, Store, StoreError, StoredOperation, from_json, journal::OperationId, query};

impl Store {
    /// Every operation of `cluster` that is kept, oldest first, finished or not.
    pub async fn operations(&self, cluster: &ClusterName) -> Result<Vec<StoredOperation>, StoreError> {
        const DOING: &str = "reading past operations";
        let rows = sqlx::query(
            "SELECT operations.id, plans.row, plans.document FROM operations JOIN plans ON plans.row = operations.plan
             WHERE operations.cluster = ? ORDER BY operations.id",
        )
        .bind(cluster.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(query(DOING))?;
        let mut operations = Vec::new();
        for row in rows {
            let id = OperationId::of(row.get(0));
            operations.push(StoredOperation {
                id,
                row: PlanRow(row.get(1)),
                plan: from_json(DOING, row.get::<&str, _>(2))?,
                journal: self.journal(id).await?,
            });
        }
        Ok(operations)
    }
}
