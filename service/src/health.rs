//! What an orchestrator asks a process, on an internal address: alive, ready, measurements.

use crate::telemetry;
use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use futures_util::{FutureExt as _, future::BoxFuture};
use serde_json::json;
use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long one check may take before it counts as failed; probes usually give up after a second or more.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

type Check = Box<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The checks behind `/readyz`.
pub struct Health {
    draining: CancellationToken,
    checks: Vec<(&'static str, Check)>,
}

impl Health {
    /// Ready as soon as every check passes, and no more once `draining` is cancelled.
    pub fn new(draining: CancellationToken) -> Self {
        Self { draining, checks: Vec::new() }
    }

    /// Adds something that this process cannot work without. The error says what is wrong, without secrets: it is served.
    #[must_use]
    pub fn check<F, Fut>(mut self, name: &'static str, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.checks.push((name, Box::new(move || check().boxed())));
        self
    }

    /// `/livez` (the process answers), `/readyz` (it can do its work), `/metrics` (Prometheus), `/version`.
    pub fn router(self) -> Router {
        Router::new()
            .route("/livez", get(|| async { "alive\n" }))
            .route("/healthz", get(|| async { "alive\n" }))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics))
            .route("/version", get(|| async { concat!(env!("CARGO_PKG_VERSION"), "\n") }))
            .with_state(Arc::new(self))
    }

    /// Serves the router until `stopped`, which comes after draining so that `/readyz` can say so.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(self, listener: TcpListener, stopped: CancellationToken) -> std::io::Result<()> {
        axum::serve(listener, self.router()).with_graceful_shutdown(stopped.cancelled_owned()).await
    }

    async fn report(&self) -> (bool, BTreeMap<&'static str, String>) {
        let results = self.checks.iter().map(|(name, check)| {
            let result = tokio::time::timeout(CHECK_TIMEOUT, check());
            async move { (*name, result.await.unwrap_or_else(|_| Err("no answer in time".to_owned()))) }
        });
        let mut ready = !self.draining.is_cancelled();
        let mut report = BTreeMap::from([("process", if ready { "ok" } else { "draining" }.to_owned())]);
        for (name, result) in futures_util::future::join_all(results).await {
            ready &= result.is_ok();
            report.insert(name, result.err().unwrap_or_else(|| "ok".to_owned()));
        }
        (ready, report)
    }
}

async fn ready(State(health): State<Arc<Health>>) -> impl IntoResponse {
    let (ready, checks) = health.report().await;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "checks": checks })))
}

async fn metrics() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], telemetry::metrics().render())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_process_is_ready_when_every_check_passes_and_until_it_drains() {
        let draining = CancellationToken::new();
        let health = Health::new(draining.clone()).check("postgres", || async { Ok(()) });
        assert!(health.report().await.0);
        draining.cancel();
        let (ready, report) = health.report().await;
        assert!(!ready);
        assert_eq!(report["process"], "draining");
    }

    #[tokio::test]
    async fn a_failed_check_is_named() {
        let health =
            Health::new(CancellationToken::new()).check("redis", || async { Err("connection refused".to_owned()) });
        let (ready, report) = health.report().await;
        assert!(!ready);
        assert_eq!(report["redis"], "connection refused");
    }
}
