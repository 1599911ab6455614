//! What happened, for people: the history of each cluster and of the source.

use dataminer_schema::{
    id::{ClusterName, CommitId, PlanId},
    plan::Action,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::Row;

use super::{Store, StoreError, from_json, millis, query, to_json};

/// How many events are kept in all.
const EVENTS_KEPT: i64 = 100_000;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    pub at: Timestamp,
    /// Absent for what concerns all clusters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterName>,
    pub kind: EventKind,
    /// A stable code, where something failed or waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanId>,
    /// The id of the plan step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// How long what ended took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<SignedDuration>,
}

impl Event {
    /// An event that says no more than `message`.
    pub fn new(at: Timestamp, kind: EventKind, message: impl Into<String>) -> Self {
        Self {
            at,
            cluster: None,
            kind,
            reason: None,
            message: message.into(),
            commit: None,
            plan: None,
            step: None,
            action: None,
            duration: None,
        }
    }
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EventKind {
    CommitSeen,
    CommitBroken,
    PlanStored,
    OperationStarted,
    OperationResumed,
    OperationFinished,
    OperationFailed,
    StepStarted,
    StepFinished,
    /// A prerequisite passed with a warning, or nobody can tell whether it passes.
    PrerequisiteUnclear,
    /// A copy of a package is used that lacks a member; the message holds both digests.
    PackagePatched,
    /// The state of a cluster changed.
    StateChanged,
    OperatorRequest,
    /// A plan may be carried out; the message says who approved it and why.
    PlanApproved,
    /// Another plan could be carried out than the one that was approved; the message says how they differ.
    ApprovalLapsed,
    /// A canary run showed that jobs run there.
    CanaryPassed,
    /// A canary run showed that they do not; the message says what is wrong.
    CanaryFailed,
    /// The marks of another owner were replaced; the message holds them.
    TakenOver,
}

impl Store {
    /// Adds `event` to the history.
    pub async fn record_event(&self, event: &Event) -> Result<(), StoreError> {
        const DOING: &str = "recording an event";
        let document = to_json(DOING, event)?;
        let id = sqlx::query("INSERT INTO events (at, cluster, document) VALUES (?, ?, ?)")
            .bind(millis(event.at))
            .bind(event.cluster.as_ref().map(ClusterName::as_str))
            .bind(document)
            .execute(&self.pool)
            .await
            .map_err(query(DOING))?
            .last_insert_rowid();
        // Seldom enough to cost nothing, often enough to keep the bound.
        if id % 1000 == 0 {
            sqlx::query("DELETE FROM events WHERE id <= ?")
                .bind(id - EVENTS_KEPT)
                .execute(&self.pool)
                .await
                .map_err(query(DOING))?;
        }
        Ok(())
    }

    /// The newest events, of one cluster or of all, newest first, at most `limit`.
    pub async fn events(&self, cluster: Option<&ClusterName>, limit: u32) -> Result<Vec<Event>, StoreError> {
        const DOING: &str = "listing events";
        sqlx::query("SELECT document FROM events WHERE ?1 IS NULL OR cluster = ?1 ORDER BY id DESC LIMIT ?2")
            .bind(cluster.map(ClusterName::as_str))
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(query(DOING))?
            .iter()
            .map(|row| from_json(DOING, row.get::<&str, _>(0)))
            .collect()
    }
}
