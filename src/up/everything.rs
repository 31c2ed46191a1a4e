//! The four services in one process.

use crate::services::{self, Parts};
use media_relay::{Relay, RelayHandle};
use service::{config::Config, shutdown};
use signaling::Signaling;
use std::{net::SocketAddr, time::Duration};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long open pages may take to notice the end. They are on the same machine as the person who pressed Ctrl-C.
const GRACE: Duration = Duration::from_secs(3);

/// Everything, running.
pub struct Everything {
    relay: RelayHandle,
    signaling: Signaling,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Everything {
    /// Starts the four services: pages and signaling on `pages`, health on `internal`.
    pub async fn start(
        parts: &Parts,
        config: &Config,
        pages: TcpListener,
        internal: TcpListener,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let mut relay = services::relay(config)?;
        relay.drain = Duration::ZERO; // nobody but this process could carry the rooms on
        let relay = Relay::start(relay, parts.random.clone()).await?;
        let signaling = services::signaling(parts, config, stop.clone())?;
        let router = services::web(parts, config, stop.clone())?.merge(signaling::router(signaling.clone()));
        let everything = Self { relay, signaling, tasks: TaskTracker::new(), stop };
        let pages = axum::serve(pages, router.into_make_service_with_connect_info::<SocketAddr>());
        everything.work(pages.with_graceful_shutdown(everything.stop.clone().cancelled_owned()).into_future());
        everything.work(parts.health(everything.stop.clone()).serve(internal, everything.stop.clone()));
        everything.work(scheduler::run(services::scheduler(parts, config)?, everything.stop.clone()));
        Ok(everything)
    }

    /// Runs until `stop`, then ends everything.
    pub async fn run_to_the_end(self) {
        self.stop.cancelled().await;
        self.signaling.drained(GRACE).await;
        shutdown::drain(&self.tasks, GRACE).await;
        self.relay.shutdown().await;
    }

    /// A part that fails stops the whole.
    fn work<E: std::fmt::Display>(&self, work: impl Future<Output = Result<(), E>> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            if let Err(error) = work.await {
                tracing::error!(reason = %error, "a part failed, stopping");
                stop.cancel();
            }
        });
    }
}
