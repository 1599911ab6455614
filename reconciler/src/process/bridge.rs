//! Small tasks that carry what one part knows to another.

use std::time::Duration;

use dataminer_schema::{
    plan::{VersionPair, WaitingOn},
    status::{ClusterState, ClusterStatus, ConditionStatus, ConditionType, FleetStatus, SourceDiagnostic},
};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    engine::FleetDesired,
    metrics::{ClusterGauges, Metrics},
    source::watch::Report,
    store::{Event, EventKind, Store},
};

/// Turns reports of the source into what the engine follows, and notes each new commit in the history.
pub(super) async fn source(
    mut reports: watch::Receiver<Report>,
    url: String,
    sender: watch::Sender<FleetDesired>,
    store: Store,
    stop: CancellationToken,
) {
    reports.mark_changed();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = reports.changed() => if changed.is_err() { return },
        }
        let report = reports.borrow_and_update().clone();
        note(&report, &store).await;
        let before = sender.borrow().clone();
        sender.send_replace(FleetDesired::from_report(&report, Some(url.clone()), &before));
    }
}

/// Notes commits that were not seen before. A store that fails is the engine's to report; here it costs a line of
/// history.
async fn note(report: &Report, store: &Store) {
    let now = Timestamp::now();
    let good = report.in_force.as_ref().map(|loaded| {
        let commit = &loaded.commit;
        let message = format!("{} by {}: {}", &commit.id.as_str()[..12], commit.author, commit.summary);
        (commit.id.clone(), EventKind::CommitSeen, message, &loaded.warnings)
    });
    let broken = report.rejected.as_ref().map(|rejected| {
        let first = rejected.diagnostics.first().map(ToString::to_string).unwrap_or_default();
        let count = rejected.total;
        let message =
            format!("{} was set aside, {count} diagnostics, first {first}", &rejected.commit.as_str()[..12]);
        (rejected.commit.clone(), EventKind::CommitBroken, message, &rejected.diagnostics)
    });
    for (commit, kind, message, diagnostics) in good.into_iter().chain(broken) {
        let diagnostics: Vec<SourceDiagnostic> = diagnostics.iter().map(Into::into).collect();
        let is_good = kind == EventKind::CommitSeen;
        let noted = async {
            if store.commit_seen(&report.source, &commit, is_good, &diagnostics, now).await? {
                let event = Event { commit: Some(commit), ..Event::new(now, kind, message) };
                store.record_event(&event).await?;
            }
            Ok::<_, crate::store::StoreError>(())
        };
        if let Err(error) = noted.await {
            tracing::error!(%error, "noting a commit");
        }
    }
}

/// Status changes come in bursts while something runs; the gauges need not follow each of them.
const PAUSE: Duration = Duration::from_secs(1);

/// Shows the status of all clusters as gauges.
pub(super) async fn metrics(
    mut status: watch::Receiver<FleetStatus>,
    metrics: Metrics,
    stop: CancellationToken,
) {
    status.mark_changed();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = status.changed() => if changed.is_err() { return },
        }
        let gauges: Vec<_> = status.borrow_and_update().clusters.iter().map(gauges).collect();
        metrics.show_clusters(&gauges);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

fn gauges(cluster: &ClusterStatus) -> ClusterGauges {
    let window = cluster.conditions.iter().find(|condition| condition.kind == ConditionType::WindowOpen);
    ClusterGauges {
        cluster: cluster.name.to_string(),
        wanted: text(&cluster.wanted),
        observed: text(&cluster.observed),
        ready: cluster.state == ClusterState::Ready,
        condition: cluster.state.as_str().to_owned(),
        reason: cluster.reason.clone(),
        window_open: window.is_some_and(|window| window.status == ConditionStatus::True),
        window_next_open: cluster
            .waiting
            .iter()
            .find(|waiting| waiting.on == WaitingOn::Window)
            .and_then(|waiting| waiting.until),
    }
}

fn text(versions: &VersionPair) -> String {
    let VersionPair { core, build: _, web_apps } = versions;
    let core = core.as_deref().unwrap_or("unknown");
    web_apps.as_ref().map_or_else(|| core.to_owned(), |web| format!("{core}, web {web}"))
}
