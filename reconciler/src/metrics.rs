//! The metrics of the process, in Prometheus' text form; names as documented, base units, bounded labels.
//!
//! No commit, message or address is ever a label: their number is not bounded.

use std::sync::{Arc, atomic::AtomicU64};

use jiff::Timestamp;
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Registry,
};

type Float = Gauge<f64, AtomicU64>;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ClusterLabels {
    cluster: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct InfoLabels {
    cluster: String,
    wanted: String,
    observed: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ConditionLabels {
    cluster: String,
    condition: String,
    reason: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResultLabels {
    result: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ActionLabels {
    action: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ActionResultLabels {
    action: String,
    result: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct SourceLabels {
    source: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct SourceResultLabels {
    source: String,
    result: String,
}

/// One cluster as its gauges show it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterGauges {
    pub cluster: String,
    pub wanted: String,
    pub observed: String,
    pub ready: bool,
    /// The condition that stands, and its reason.
    pub condition: String,
    pub reason: String,
    pub window_open: bool,
    pub window_next_open: Option<Timestamp>,
}

/// Handles on every metric; cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    cluster_info: Family<InfoLabels, Gauge>,
    cluster_ready: Family<ClusterLabels, Gauge>,
    cluster_condition: Family<ConditionLabels, Gauge>,
    reconcile_duration: Histogram,
    reconcile_total: Family<ResultLabels, Counter>,
    action_duration: Family<ActionLabels, Histogram>,
    action_total: Family<ActionResultLabels, Counter>,
    source_fetch_total: Family<SourceResultLabels, Counter>,
    source_last_success: Family<SourceLabels, Float>,
    window_open: Family<ClusterLabels, Gauge>,
    window_next_open: Family<ClusterLabels, Float>,
    queue_depth: Gauge,
    upload_bytes: Counter,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// From a quick look at one cluster to a bad day of a hundred Agents.
const RECONCILE_SECONDS: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0];
/// From a staged small package to a multi-hour core upgrade of a large cluster.
const ACTION_SECONDS: [f64; 10] = [1.0, 5.0, 15.0, 60.0, 180.0, 600.0, 1_200.0, 2_400.0, 5_400.0, 14_400.0];

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("dataminer_reconciler");
        let cluster_info = Family::default();
        registry.register("cluster_info", "Versions wanted and observed, always 1", cluster_info.clone());
        let cluster_ready = Family::default();
        registry.register("cluster_ready", "Whether the cluster shows what is wanted", cluster_ready.clone());
        let cluster_condition = Family::default();
        registry.register(
            "cluster_condition",
            "The condition that stands, always 1",
            cluster_condition.clone(),
        );
        let reconcile_duration = Histogram::new(RECONCILE_SECONDS);
        registry.register(
            "reconcile_duration_seconds",
            "How long one round over a cluster took",
            reconcile_duration.clone(),
        );
        let reconcile_total = Family::default();
        registry.register("reconcile", "Rounds over a cluster", reconcile_total.clone());
        let action_duration: Family<ActionLabels, Histogram> =
            Family::new_with_constructor(|| Histogram::new(ACTION_SECONDS));
        registry.register("action_duration_seconds", "How long actions took", action_duration.clone());
        let action_total = Family::default();
        registry.register("action", "Actions ended", action_total.clone());
        let source_fetch_total = Family::default();
        registry.register("source_fetch", "Looks at a source", source_fetch_total.clone());
        let source_last_success = Family::default();
        registry.register(
            "source_last_success_timestamp_seconds",
            "When the source last answered",
            source_last_success.clone(),
        );
        let window_open = Family::default();
        registry.register("window_open", "Whether disruptive work may start", window_open.clone());
        let window_next_open = Family::default();
        registry.register(
            "window_next_open_timestamp_seconds",
            "When the cluster's next window opens",
            window_next_open.clone(),
        );
        let queue_depth = Gauge::default();
        registry.register("queue_depth", "Clusters that are due and wait for a place", queue_depth.clone());
        let upload_bytes = Counter::default();
        registry.register("upload_bytes", "Bytes of packages sent to Agents", upload_bytes.clone());
        registry.register(
            "build",
            "The version of this process",
            Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]),
        );
        Self {
            registry: Arc::new(registry),
            cluster_info,
            cluster_ready,
            cluster_condition,
            reconcile_duration,
            reconcile_total,
            action_duration,
            action_total,
            source_fetch_total,
            source_last_success,
            window_open,
            window_next_open,
            queue_depth,
            upload_bytes,
        }
    }

    /// Every metric in OpenMetrics' text form, which Prometheus reads.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = text::encode(&mut text, &self.registry);
        text
    }

    /// A source was looked at.
    pub fn source_looked(&self, source: &str, result: &str, last_success: Option<Timestamp>) {
        let labels = SourceResultLabels { source: source.to_owned(), result: result.to_owned() };
        self.source_fetch_total.get_or_create(&labels).inc();
        if let Some(at) = last_success {
            self.source_last_success
                .get_or_create(&SourceLabels { source: source.to_owned() })
                .set(seconds(at));
        }
    }

    /// Replaces what is shown of all clusters: a cluster that left the fleet leaves the metrics.
    pub fn show_clusters(&self, clusters: &[ClusterGauges]) {
        self.cluster_info.clear();
        self.cluster_ready.clear();
        self.cluster_condition.clear();
        self.window_open.clear();
        self.window_next_open.clear();
        for shown in clusters {
            let ClusterGauges {
                cluster,
                wanted,
                observed,
                ready,
                condition,
                reason,
                window_open,
                window_next_open,
            } = shown.clone();
            let labels = ClusterLabels { cluster: cluster.clone() };
            self.cluster_info
                .get_or_create(&InfoLabels { cluster: cluster.clone(), wanted, observed })
                .set(1);
            self.cluster_ready.get_or_create(&labels).set(i64::from(ready));
            self.cluster_condition.get_or_create(&ConditionLabels { cluster, condition, reason }).set(1);
            self.window_open.get_or_create(&labels).set(i64::from(window_open));
            if let Some(at) = window_next_open {
                self.window_next_open.get_or_create(&labels).set(seconds(at));
            }
        }
    }

    /// A round over one cluster ended.
    pub fn reconciled(&self, result: &str, took: std::time::Duration) {
        self.reconcile_duration.observe(took.as_secs_f64());
        self.reconcile_total.get_or_create(&ResultLabels { result: result.to_owned() }).inc();
    }

    /// An action of a plan ended.
    pub fn acted(&self, action: &str, result: &str, took: std::time::Duration) {
        self.action_duration
            .get_or_create(&ActionLabels { action: action.to_owned() })
            .observe(took.as_secs_f64());
        let labels = ActionResultLabels { action: action.to_owned(), result: result.to_owned() };
        self.action_total.get_or_create(&labels).inc();
    }

    /// Waits for a place, and is counted while it waits; also when the waiting is given up.
    pub async fn in_queue<T>(&self, place: impl Future<Output = T>) -> T {
        struct Queued<'a>(&'a Gauge);
        impl Drop for Queued<'_> {
            fn drop(&mut self) {
                self.0.dec();
            }
        }
        self.queue_depth.inc();
        let _queued = Queued(&self.queue_depth);
        place.await
    }

    /// Bytes of a package went to an Agent.
    pub fn uploaded(&self, bytes: u64) {
        self.upload_bytes.inc_by(bytes);
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact in a double")]
fn seconds(at: Timestamp) -> f64 {
    at.as_second() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_name_is_there() {
        let metrics = Metrics::new();
        metrics.source_looked("fleet", "ok", Some(Timestamp::from_second(1_700_000_000).expect("in range")));
        metrics.reconciled("ready", std::time::Duration::from_millis(20));
        metrics.acted("UpgradeCore", "done", std::time::Duration::from_secs(900));
        metrics.uploaded(10);
        metrics.show_clusters(&[ClusterGauges {
            cluster: "brussels".into(),
            wanted: "10.5.0 CU12".into(),
            observed: "10.5.0 CU9".into(),
            condition: "Reconciling".into(),
            reason: "Window".into(),
            window_next_open: Some(Timestamp::from_second(1_700_000_500).expect("in range")),
            ..ClusterGauges::default()
        }]);
        let text = metrics.encode();
        for line in [
            "dataminer_reconciler_cluster_info{cluster=\"brussels\",wanted=\"10.5.0 CU12\",observed=\"10.5.0 CU9\"} 1",
            "dataminer_reconciler_cluster_ready{cluster=\"brussels\"} 0",
            "dataminer_reconciler_cluster_condition{cluster=\"brussels\",condition=\"Reconciling\",reason=\"Window\"} 1",
            "dataminer_reconciler_reconcile_duration_seconds_count 1",
            "dataminer_reconciler_reconcile_total{result=\"ready\"} 1",
            "dataminer_reconciler_action_duration_seconds_count{action=\"UpgradeCore\"} 1",
            "dataminer_reconciler_action_total{action=\"UpgradeCore\",result=\"done\"} 1",
            "dataminer_reconciler_source_fetch_total{source=\"fleet\",result=\"ok\"} 1",
            "dataminer_reconciler_source_last_success_timestamp_seconds{source=\"fleet\"} 1700000000.0",
            "dataminer_reconciler_window_open{cluster=\"brussels\"} 0",
            "dataminer_reconciler_window_next_open_timestamp_seconds{cluster=\"brussels\"} 1700000500.0",
            "dataminer_reconciler_queue_depth 0",
            "dataminer_reconciler_upload_bytes_total 10",
            "dataminer_reconciler_build_info{version=\"",
        ] {
            assert!(text.contains(line), "{line} is missing from\n{text}");
        }
    }

    #[test]
    fn a_cluster_that_left_the_fleet_leaves_the_metrics() {
        let metrics = Metrics::new();
        metrics.show_clusters(&[ClusterGauges { cluster: "gone".into(), ..ClusterGauges::default() }]);
        metrics.show_clusters(&[]);
        assert!(!metrics.encode().contains("gone"));
    }

    #[tokio::test]
    async fn who_waits_for_a_place_is_counted_and_who_gives_up_is_not() {
        let metrics = Metrics::new();
        let shown = |depth: u32| format!("dataminer_reconciler_queue_depth {depth}\n");
        {
            let mut waiting = std::pin::pin!(metrics.in_queue(std::future::pending::<()>()));
            assert!(futures::poll!(waiting.as_mut()).is_pending());
            assert!(metrics.encode().contains(&shown(1)), "{}", metrics.encode());
        }
        assert!(metrics.encode().contains(&shown(0)), "{}", metrics.encode());
    }
}
