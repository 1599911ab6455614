//! The listener of `http.metrics`: health and figures alone, so that probes and scrapers of other machines may reach it.
//!
//! # Guarantees
//! A [`Monitoring`] serves its own few routes and takes no router: what `http.listen` answers on loopback, the API
//! now and whatever comes to it, can never be reached through it.

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, http::StatusCode, response::Response, routing::get};
use tokio_util::sync::CancellationToken;

use super::{Bound, HttpError, Shared, Shown, bind_any, encode_metrics, harden, healthz, problem, readyz};
use crate::metrics::Metrics;

/// A listener that is bound, on any address, and not yet served.
#[derive(Debug)]
pub struct Monitoring(Bound);

impl Monitoring {
    /// Binds `address`, which need not be a loopback one.
    ///
    /// # Errors
    /// An address that cannot be bound.
    pub async fn bind(address: SocketAddr) -> Result<Self, HttpError> {
        bind_any(address).await.map(Self)
    }

    /// The address, with the port that the system chose for port 0.
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Answers until `stop`.
    ///
    /// # Errors
    /// A listener that fails.
    pub async fn serve(
        self,
        shown: Arc<dyn Shown>,
        metrics: Metrics,
        stop: CancellationToken,
    ) -> Result<(), HttpError> {
        self.0.serve(router(shown, metrics), stop).await
    }
}

/// The routes that show nothing but health and figures.
pub(super) fn router(shown: Arc<dyn Shown>, metrics: Metrics) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(encode_metrics))
        .fallback(no_route)
        .layer(axum::middleware::map_response(harden))
        .with_state(Shared { shown, metrics })
}

async fn no_route() -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "there is nothing here",
        "this listener has /healthz, /readyz and /metrics; the API is on `http.listen`",
    )
}
