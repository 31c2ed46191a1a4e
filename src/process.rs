//! What surrounds a service that runs as a process of its own: signals, health, and an end in good order.

use axum::{Router, extract::connect_info::IntoMakeServiceWithConnectInfo};
use service::{health::Health, shutdown, telemetry};
use std::{future::Future, net::SocketAddr};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A running process: what ends it, and what it waits for.
pub struct Process {
    /// Cancelled by a signal: no new work, finish what is there.
    pub draining: CancellationToken,
    /// What is waited for.
    pub tasks: TaskTracker,
    stopped: CancellationToken,
}

impl Process {
    /// Listens to signals from here on.
    pub fn begin() -> anyhow::Result<Self> {
        telemetry::metrics();
        Ok(Self { draining: shutdown::on_signals()?, tasks: TaskTracker::new(), stopped: CancellationToken::new() })
    }

    /// Answers the orchestrator on `listener` until the very end.
    pub fn answer_health(&self, listener: TcpListener, health: Health) {
        let stopped = self.stopped.clone();
        tokio::spawn(async move {
            if let Err(error) = health.serve(listener, stopped).await {
                tracing::error!(%error, "the internal address failed");
            }
        });
    }

    /// Serves pages or sockets until draining, then until every answer is given.
    pub fn serve(&self, listener: TcpListener, router: Router) {
        let draining = self.draining.clone();
        let service: IntoMakeServiceWithConnectInfo<Router, SocketAddr> = router.into_make_service_with_connect_info();
        self.work("serving", async move {
            Ok(axum::serve(listener, service).with_graceful_shutdown(draining.cancelled_owned()).await?)
        });
    }

    /// Runs `work`, which ends when `draining` is cancelled. Its failure ends the process.
    pub fn work(&self, name: &'static str, work: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        let draining = self.draining.clone();
        self.tasks.spawn(async move {
            if let Err(error) = work.await {
                tracing::error!(reason = %error, name, "a part of this process failed, stopping");
                draining.cancel();
            }
        });
    }

    /// Waits for a signal, then for running work, at most [`shutdown::GRACE`].
    pub async fn end(self) {
        self.draining.cancelled().await;
        shutdown::drain(&self.tasks, shutdown::GRACE).await;
        self.stopped.cancel();
    }
}
