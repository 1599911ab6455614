//! The HTTP interface of the process: health, metrics, and the status as JSON.
//!
//! It reads, and records what operators ask for ([`requests`]). Without authentication it listens on loopback addresses and refuses to start on any other; health
//! and figures alone may be shown to other machines, by a listener of their own ([`monitoring`]).

pub mod client;
pub mod monitoring;
pub mod requests;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, Query, State, rejection::QueryRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use dataminer_schema::{id::ClusterName, status::FleetStatus};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    metrics::Metrics,
    store::{Event, StoreError},
};

/// What the interface shows; asked anew for each request.
pub trait Shown: Send + Sync + 'static {
    /// The status of every cluster.
    fn status(&self) -> Arc<FleetStatus>;

    /// The newest events, of one cluster or of all, newest first.
    fn events(
        &self,
        cluster: Option<ClusterName>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Event>, StoreError>>;

    /// Records what an operator asks for.
    fn request(
        &self,
        cluster: ClusterName,
        wanted: requests::Wanted,
    ) -> BoxFuture<'_, Result<requests::Recorded, requests::Unrecorded>>;

    /// Whether manifests were loaded at least once, so that the status means something.
    fn ready(&self) -> bool;
}

/// What happened, newest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    pub format_version: String,
    pub events: Vec<Event>,
}

impl History {
    pub fn new(events: Vec<Event>) -> Self {
        Self { format_version: "1.0".to_owned(), events }
    }
}

/// Why the interface does not start.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("listening on {0}: it can be reached from other machines and no authentication is configured")]
    Open(SocketAddr),
    #[error("listening on {address}: {cause}")]
    Bind { address: SocketAddr, cause: std::io::Error },
    #[error("answering on {address}: {cause}")]
    Serve { address: SocketAddr, cause: std::io::Error },
}

impl HttpError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Open(_) => {
                "set `http.listen` to a loopback address, and let a proxy with authentication reach it there; for probes \
                 and metrics alone, `http.metrics` may be any address"
            }
            Self::Bind { .. } => {
                "choose another address or port in `http.listen` or `http.metrics`, or end the process that holds it"
            }
            Self::Serve { .. } => "check the machine's limits on open files and connections",
        }
    }
}

/// How long requests may take after the end was asked for: one that a client never finishes must not hold up the
/// end of the process, and with it the store.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// A listener that is bound and not yet served.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    /// The address, with the port that the system chose for port 0.
    pub address: SocketAddr,
}

/// Binds `address`.
///
/// # Errors
/// [`HttpError::Open`] for an address that is not a loopback one.
pub async fn bind(address: SocketAddr) -> Result<Bound, HttpError> {
    if !address.ip().to_canonical().is_loopback() {
        return Err(HttpError::Open(address));
    }
    bind_any(address).await
}

/// Binds without asking who can reach it: what is served there must be fit for anybody.
async fn bind_any(address: SocketAddr) -> Result<Bound, HttpError> {
    let failed = |cause| HttpError::Bind { address, cause };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Bound { listener, address })
}

impl Bound {
    /// Answers until `stop`, then gives open requests a moment to end.
    ///
    /// # Errors
    /// A listener that fails.
    pub async fn serve(self, router: Router, stop: CancellationToken) -> Result<(), HttpError> {
        self.serve_then(router, stop, LAST_ANSWERS).await
    }

    async fn serve_then(
        self,
        router: Router,
        stop: CancellationToken,
        last_answers: Duration,
    ) -> Result<(), HttpError> {
        let Self { listener, address } = self;
        let serving = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
        let too_long = async {
            stop.cancelled().await;
            tokio::time::sleep(last_answers).await;
        };
        tokio::select! {
            served = serving.into_future() => served.map_err(|cause| HttpError::Serve { address, cause }),
            () = too_long => Ok(()),
        }
    }
}

#[derive(Clone)]
struct Shared {
    shown: Arc<dyn Shown>,
    metrics: Metrics,
}

/// Every route.
pub fn router(shown: Arc<dyn Shown>, metrics: Metrics) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(encode_metrics))
        .route("/api/v1/clusters", get(clusters))
        .route("/api/v1/events", get(events))
        .route("/api/v1/clusters/{name}", get(cluster))
        .route(
            "/api/v1/clusters/{name}/requests",
            post(requests::post).layer(DefaultBodyLimit::max(requests::MOST_BYTES)),
        )
        .fallback(no_route)
        .layer(axum::middleware::map_response(harden))
        .with_state(Shared { shown, metrics })
}

/// An error as every route gives it.
#[derive(Serialize, Deserialize)]
struct Problem {
    error: String,
    help: String,
}

async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(State(shared): State<Shared>) -> Response {
    if shared.shown.ready() {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "no manifests were loaded yet\n").into_response()
    }
}

async fn encode_metrics(State(shared): State<Shared>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], shared.metrics.encode()).into_response()
}

async fn clusters(State(shared): State<Shared>) -> Response {
    Json(&*shared.shown.status()).into_response()
}

async fn cluster(State(shared): State<Shared>, Path(name): Path<String>) -> Response {
    let status = shared.shown.status();
    match ClusterName::new(name).ok().and_then(|name| status.cluster(&name)) {
        Some(cluster) => Json(cluster).into_response(),
        None => {
            problem(StatusCode::NOT_FOUND, "there is no such cluster", "see /api/v1/clusters for the names")
        }
    }
}

/// What `/api/v1/events` can be asked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    cluster: Option<ClusterName>,
    limit: Option<u32>,
}

/// More than a page needs; the history on disk is longer.
const MOST_EVENTS: u32 = 10_000;

async fn events(State(shared): State<Shared>, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let Ok(Query(Asked { cluster, limit })) = asked else {
        return problem(
            StatusCode::BAD_REQUEST,
            "the query cannot be read",
            "write ?cluster=NAME&limit=NUMBER",
        );
    };
    match shared.shown.events(cluster, limit.unwrap_or(100).min(MOST_EVENTS)).await {
        Ok(events) => Json(History::new(events)).into_response(),
        Err(error) => {
            tracing::error!(%error, "reading the history for the HTTP interface");
            problem(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the history cannot be read",
                "see the log of the process",
            )
        }
    }
}

async fn no_route() -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "there is nothing here",
        "see /api/v1/clusters, /healthz, /readyz and /metrics",
    )
}

fn problem(status: StatusCode, error: impl Into<String>, help: impl Into<String>) -> Response {
    (status, Json(Problem { error: error.into(), help: help.into() })).into_response()
}

/// Nothing here is meant for a browser to render, frame or keep.
async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    response
}

#[cfg(test)]
mod tests;
