//! Commits that were seen, good or broken.

use dataminer_schema::{id::CommitId, status::SourceDiagnostic};
use jiff::Timestamp;
use sqlx::Row;

use super::{Store, StoreError, from_json, from_text, millis, query, timestamp, to_json};

/// A commit as it was judged when it was first seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCommit {
    pub commit: CommitId,
    pub seen_at: Timestamp,
    pub good: bool,
    /// Errors and warnings of its manifests.
    pub diagnostics: Vec<SourceDiagnostic>,
}

impl Store {
    /// Notes a commit of `source`; the judgement of one seen before is replaced. Whether it is new.
    pub async fn commit_seen(
        &self,
        source: &str,
        commit: &CommitId,
        good: bool,
        diagnostics: &[SourceDiagnostic],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const DOING: &str = "noting a commit";
        let document = to_json(DOING, &diagnostics)?;
        let known = sqlx::query("SELECT 1 FROM commits WHERE source = ? AND commit_id = ?")
            .bind(source)
            .bind(commit.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(query(DOING))?
            .is_some();
        sqlx::query(
            "INSERT INTO commits (source, commit_id, seen_at, good, diagnostics) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (source, commit_id) DO UPDATE SET good = excluded.good, diagnostics = excluded.diagnostics",
        )
        .bind(source)
        .bind(commit.as_str())
        .bind(millis(now))
        .bind(good)
        .bind(document)
        .execute(&self.pool)
        .await
        .map_err(query(DOING))?;
        Ok(!known)
    }

    /// The newest good commit of `source`: what is acted on after a restart while a newer one is broken.
    pub async fn last_good_commit(&self, source: &str) -> Result<Option<CommitId>, StoreError> {
        const DOING: &str = "looking for the last good commit";
        sqlx::query("SELECT commit_id FROM commits WHERE source = ? AND good = 1 ORDER BY id DESC LIMIT 1")
            .bind(source)
            .fetch_optional(&self.pool)
            .await
            .map_err(query(DOING))?
            .map(|row| from_text(DOING, row.get::<&str, _>(0)))
            .transpose()
    }

    /// The newest commits of `source`, newest first, at most `limit`.
    pub async fn commits(&self, source: &str, limit: u32) -> Result<Vec<StoredCommit>, StoreError> {
        const DOING: &str = "listing commits";
        sqlx::query("SELECT commit_id, seen_at, good, diagnostics FROM commits WHERE source = ? ORDER BY id DESC LIMIT ?")
            .bind(source)
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(query(DOING))?
            .iter()
            .map(|row| {
                Ok(StoredCommit {
                    commit: from_text(DOING, row.get::<&str, _>(0))?,
                    seen_at: timestamp(row.get(1)),
                    good: row.get(2),
                    diagnostics: from_json(DOING, row.get::<&str, _>(3))?,
                })
            })
            .collect()
    }
}
