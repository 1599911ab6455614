//! What a loop tells: its status, on the board and in the store, and its history.

use std::sync::PoisonError;

use dataminer_core::summarize::{OperationView, SummaryInput, summarize};
use dataminer_schema::status::ClusterStatus;
use jiff::SignedDuration;

use super::{AgentPort, cluster::ClusterLoop, now};
use crate::store::{Event, EventKind};

/// At most this often live progress is published.
pub(super) const PROGRESS_PACE: SignedDuration = SignedDuration::from_millis(250);

impl<P: AgentPort> ClusterLoop<P> {
    /// Publishes where the cluster stands; never fails, as it runs on every path.
    pub(super) async fn publish(&self, operation: Option<OperationView<'_>>) {
        if self.silent {
            return;
        }
        let live = operation.is_some();
        let before = self.shared.board.get(&self.name);
        let status = self.status(operation, before.as_ref());
        self.shared.board.cluster(status.clone());
        let is_kept = |kept: &Option<ClusterStatus>| {
            kept.as_ref().is_some_and(|kept| same_apart_from_times(kept, &status))
        };
        if is_kept(&self.kept.lock().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        match self.shared.store.set_status(&status, now()).await {
            Ok(()) => *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(status.clone()),
            // The next turn tries again.
            Err(error) => {
                let error = anyhow::Error::new(error);
                tracing::warn!(cluster = %self.name, error = format!("{error:#}"), "the status cannot be kept");
            }
        }
        let state = |status: &ClusterStatus| (status.state, status.reason.clone());
        if !live && before.as_ref().map(state) != Some(state(&status)) {
            let mut event =
                self.event(EventKind::StateChanged, format!("{}: {}", status.state.as_str(), status.message));
            event.reason = Some(status.reason.clone());
            self.record(event).await;
        }
    }

    fn status(
        &self,
        operation: Option<OperationView<'_>>,
        previous: Option<&ClusterStatus>,
    ) -> ClusterStatus {
        let quarantined = self.quarantine.as_ref().filter(|_| self.is_quarantined());
        summarize(&SummaryInput {
            desired: &self.target.desired,
            catalog: &self.target.catalog,
            source: &self.target.source,
            observation: self.observation.as_ref(),
            plan: self.plan.as_ref().map(|(_, plan)| plan),
            operation,
            approval: self.approval.as_ref(),
            canary: self.canary.as_ref(),
            failure: self.failure.as_ref().or(quarantined.map(|quarantine| &quarantine.failure)),
            next_attempt_at: self.next_attempt_at,
            previous,
            now: now(),
        })
    }

    pub(super) fn event(&self, kind: EventKind, message: String) -> Event {
        let mut event = Event::new(now(), kind, message);
        event.cluster = Some(self.name.clone());
        event.commit = self.target.desired.commit.clone();
        event
    }

    /// Adds to the history. A history that cannot be written stops nothing; the journal does.
    pub(super) async fn record(&self, event: Event) {
        tracing::info!(cluster = %self.name, kind = ?event.kind, "{}", event.message);
        if let Err(error) = self.shared.store.record_event(&event).await {
            let error = anyhow::Error::new(error);
            tracing::warn!(cluster = %self.name, error = format!("{error:#}"), "an event cannot be recorded");
        }
    }
}

/// Live progress and times alone are not worth a write to the disk.
fn same_apart_from_times(before: &ClusterStatus, after: &ClusterStatus) -> bool {
    let strip = |status: &ClusterStatus| {
        let mut status = status.clone();
        status.next_attempt_at = None;
        status.last_observed_at = None;
        if let Some(operation) = &mut status.operation {
            operation.progress.bytes_done = None;
            operation.progress.bytes = None;
            operation.progress.note = None;
        }
        status
    };
    strip(before) == strip(after)
}
