//! What was tried on each cluster ahead of need (S10): the last canary run, and the accounts that jobs ran under.

use dataminer_schema::{
    id::{ClusterName, JobId},
    status::CanaryStatus,
};
use jiff::Timestamp;
use sqlx::Row;

use super::{Store, StoreError, millis, query, to_json};

impl Store {
    /// What the last canary run on `cluster` showed.
    pub async fn canary(&self, cluster: &ClusterName) -> Result<Option<CanaryStatus>, StoreError> {
        const DOING: &str = "reading what a canary showed";
        self.document_of(cluster, "SELECT document FROM canaries WHERE cluster = ?", DOING).await
    }

    /// Keeps what a canary run showed, in the place of the one before.
    pub async fn keep_canary(&self, cluster: &ClusterName, canary: &CanaryStatus) -> Result<(), StoreError> {
        const DOING: &str = "keeping what a canary showed";
        sqlx::query(
            "INSERT INTO canaries (cluster, document) VALUES (?, ?)
             ON CONFLICT (cluster) DO UPDATE SET document = excluded.document",
        )
        .bind(cluster.as_str())
        .bind(to_json(DOING, canary)?)
        .execute(&self.pool)
        .await
        .map_err(query(DOING))?;
        Ok(())
    }

    /// Whether any job ended on `cluster` under `account`.
    pub async fn is_account_proven(&self, cluster: &ClusterName, account: &str) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) FROM proven_accounts WHERE cluster = ? AND account = ?")
            .bind(cluster.as_str())
            .bind(account)
            .fetch_one(&self.pool)
            .await
            .map_err(query("asking for the account of jobs"))?;
        Ok(row.get::<i64, _>(0) > 0)
    }

    /// Notes that `job` ended on `cluster` under `account`.
    pub async fn prove_account(
        &self,
        cluster: &ClusterName,
        account: &str,
        job: &JobId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO proven_accounts (cluster, account, at, job) VALUES (?, ?, ?, ?)
             ON CONFLICT (cluster, account) DO UPDATE SET at = excluded.at, job = excluded.job",
        )
        .bind(cluster.as_str())
        .bind(account)
        .bind(millis(now))
        .bind(job.as_str())
        .execute(&self.pool)
        .await
        .map_err(query("noting the account of a job"))?;
        Ok(())
    }
}
