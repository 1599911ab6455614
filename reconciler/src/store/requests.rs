//! What operators asked for; the loop acts on it (invariant 10).

use std::fmt;

use dataminer_schema::id::{ClusterName, PlanId, Sha256};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row;

use super::{Store, StoreError, from_json, millis, query, timestamp, to_json};

/// A request about one cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OperatorRequest {
    pub kind: RequestKind,
    /// Why; needed where the request loosens something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
pub enum RequestKind {
    /// Release the quarantine and try now.
    Retry,
    /// Stop before the next disruptive step.
    Abort,
    /// Observe and plan now.
    Reconcile,
    /// Run a package without a restart, to see that jobs run (`doctor --canary`).
    Canary,
    /// Make the Agents this installation's, whoever owned them before.
    Takeover,
    /// Restore this content backup of the vault on every Agent.
    Restore { backup: Sha256 },
    /// Carry this very plan out; besides the merge (`spec.approval`).
    Approve { plan: PlanId },
}

impl fmt::Display for RequestKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retry => f.write_str("retry"),
            Self::Abort => f.write_str("abort"),
            Self::Reconcile => f.write_str("reconcile"),
            Self::Canary => f.write_str("canary"),
            Self::Takeover => f.write_str("takeover"),
            Self::Approve { plan } => write!(f, "approval of plan {}", plan.short()),
            Self::Restore { backup } => write!(f, "restore of the content backup {}", backup.short()),
        }
    }
}

/// A request that was not acted on yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRequest {
    pub id: i64,
    pub at: Timestamp,
    pub request: OperatorRequest,
}

impl Store {
    /// Records `request` and returns its number; the loop of the cluster takes it up.
    pub async fn request(
        &self,
        cluster: &ClusterName,
        request: &OperatorRequest,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        const DOING: &str = "recording a request";
        let done = sqlx::query("INSERT INTO requests (cluster, at, request) VALUES (?, ?, ?)")
            .bind(cluster.as_str())
            .bind(millis(now))
            .bind(to_json(DOING, request)?)
            .execute(&self.pool)
            .await
            .map_err(query(DOING))?;
        Ok(done.last_insert_rowid())
    }

    /// The requests about `cluster` that were not acted on, oldest first.
    pub async fn open_requests(&self, cluster: &ClusterName) -> Result<Vec<StoredRequest>, StoreError> {
        const DOING: &str = "listing requests";
        sqlx::query(
            "SELECT id, at, request FROM requests WHERE cluster = ? AND handled_at IS NULL ORDER BY id",
        )
        .bind(cluster.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(query(DOING))?
        .iter()
        .map(|row| {
            Ok(StoredRequest {
                id: row.get(0),
                at: timestamp(row.get(1)),
                request: from_json(DOING, row.get::<&str, _>(2))?,
            })
        })
        .collect()
    }

    /// Marks a request as acted on.
    pub async fn request_handled(&self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE requests SET handled_at = ? WHERE id = ?")
            .bind(millis(now))
            .bind(id)
            .execute(&self.pool)
            .await
            .map_err(query("closing a request"))?;
        Ok(())
    }
}
