//! Which plan of each cluster an operator approved: one id at a time.

use dataminer_schema::{id::ClusterName, status::ApprovalStatus};

use super::{Store, StoreError, query, to_json};

impl Store {
    /// The approval of `cluster` that was not forgotten yet.
    pub async fn approval(&self, cluster: &ClusterName) -> Result<Option<ApprovalStatus>, StoreError> {
        const DOING: &str = "reading an approval";
        self.document_of(cluster, "SELECT document FROM approvals WHERE cluster = ?", DOING).await
    }

    /// Keeps `approval` in the place of one of another plan; whether it is new. The first word about a plan stays.
    pub async fn approve(
        &self,
        cluster: &ClusterName,
        approval: &ApprovalStatus,
    ) -> Result<bool, StoreError> {
        const DOING: &str = "keeping an approval";
        let done = sqlx::query(
            "INSERT INTO approvals (cluster, plan_id, document) VALUES (?, ?, ?)
             ON CONFLICT (cluster) DO UPDATE SET plan_id = excluded.plan_id, document = excluded.document
             WHERE plan_id <> excluded.plan_id",
        )
        .bind(cluster.as_str())
        .bind(approval.plan.as_str())
        .bind(to_json(DOING, approval)?)
        .execute(&self.pool)
        .await
        .map_err(query(DOING))?;
        Ok(done.rows_affected() > 0)
    }

    /// Forgets the approval of `cluster`, whatever plan it was of.
    pub async fn forget_approval(&self, cluster: &ClusterName) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM approvals WHERE cluster = ?")
            .bind(cluster.as_str())
            .execute(&self.pool)
            .await
            .map_err(query("forgetting an approval"))?;
        Ok(())
    }
}
