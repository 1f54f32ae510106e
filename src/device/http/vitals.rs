//! How the daemon is, for monitors: `/readyz` and `/metrics`.

use std::{pin::Pin, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use super::NO_STORE;

/// What the server can be asked about the daemon that it belongs to.
pub trait Vitals: Send + Sync + 'static {
    /// Every measure, in the OpenMetrics text format.
    fn metrics(&self) -> String;

    /// Whether requests are served now, or else why not. Answers in bounded
    /// time.
    fn readiness(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>>;
}

const OPEN_METRICS: (HeaderName, &str) = (
    header::CONTENT_TYPE,
    "application/openmetrics-text; version=1.0.0; charset=utf-8",
);

pub(super) fn routes(vitals: Arc<dyn Vitals>) -> Router {
    Router::new()
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(vitals)
}

async fn ready(State(vitals): State<Arc<dyn Vitals>>) -> Response {
    match vitals.readiness().await {
        Ok(()) => ([NO_STORE], "ready\n").into_response(),
        Err(reason) => {
            let said = format!("not ready: {reason}\n");
            (StatusCode::SERVICE_UNAVAILABLE, [NO_STORE], said).into_response()
        }
    }
}

async fn metrics(State(vitals): State<Arc<dyn Vitals>>) -> impl IntoResponse {
    ([OPEN_METRICS, NO_STORE], vitals.metrics())
}
