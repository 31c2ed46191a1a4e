//! Starts and stops a relay.

use crate::{
    announce::Announcer,
    candidates::{candidates, interfaces},
    config::{MIN_RELAY_KEY_BYTES, RelayConfig},
    control::{Control, router},
    director::{Director, Lane},
    shard::{Event, Shard, ShardThreads},
    stats::RelayStats,
    transport::dtls::Identity,
};
use anyhow::{Context, ensure};
use axum::serve::ListenerExt;
use domain::{Random, RelayId};
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    net::TcpListener,
    sync::mpsc,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// State changes that wait for the control side; what does not fit waits on the shard.
const EVENT_QUEUE: usize = 4_096;
/// How often absences are looked at and counters published.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// The media relay.
pub struct Relay;

/// A running relay. Dropping it leaves the relay running; see [`shutdown`](Self::shutdown).
pub struct RelayHandle {
    /// Which relay this is.
    pub id: RelayId,
    /// Where its control WebSocket listens (`ws://{control_addr}/relay`).
    pub control_addr: SocketAddr,
    /// The media ports, one for each shard.
    pub media_addrs: Vec<SocketAddr>,
    director: Arc<Director>,
    threads: Vec<ShardThreads>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
    drain: Duration,
}

impl Relay {
    /// Binds the sockets and starts the threads and tasks of a relay.
    ///
    /// # Errors
    /// When an address cannot be bound or the configuration is not usable.
    pub async fn start(config: RelayConfig, random: Arc<dyn Random>) -> anyhow::Result<RelayHandle> {
        ensure!(config.shards > 0, "a relay needs at least one shard");
        ensure!(
            config.relay_key.expose().len() >= MIN_RELAY_KEY_BYTES,
            "the relay key needs at least {MIN_RELAY_KEY_BYTES} bytes"
        );
        let listener = TcpListener::bind(config.control_addr).await.context("the control address cannot be bound")?;
        let control_addr = listener.local_addr()?;
        let identity = tokio::task::spawn_blocking(prepare_identity).await.context("the identity's task ended")??;
        let (events, event_queue) = mpsc::channel(EVENT_QUEUE);
        let (lanes, threads) = start_shards(&config, &identity, &events)?;
        let media_addrs = lanes.iter().map(|lane| lane.shard.addr).collect();
        let id = RelayId(random.uuid());
        let director = Arc::new(Director::new(lanes, identity, random, &config));
        let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
        tasks.spawn(take_events(Arc::clone(&director), event_queue, shutdown.clone()));
        tasks.spawn(sweep(Arc::clone(&director), shutdown.clone()));
        let key = Arc::new(config.relay_key.clone());
        let control = Control { director: Arc::clone(&director), key, shutdown: shutdown.clone() };
        tasks.spawn(serve(listener, control));
        if let Some(redis_url) = config.redis_url.clone() {
            let control_url = config.control_url.clone().unwrap_or_else(|| format!("ws://{control_addr}/relay"));
            let announcer = Announcer { id, control_url, director: Arc::clone(&director), redis_url };
            tasks.spawn(announcer.run(shutdown.clone()));
        }
        tasks.close();
        tracing::info!(relay.id = %id, shards = config.shards, "the relay runs");
        Ok(RelayHandle { id, control_addr, media_addrs, director, threads, tasks, shutdown, drain: config.drain })
    }
}

impl RelayHandle {
    /// The counters at this moment.
    #[must_use]
    pub fn stats(&self) -> RelayStats {
        self.director.stats()
    }

    /// Takes no more rooms from now on; those that are here go on.
    pub fn drain(&self) {
        self.director.drain();
    }

    /// Takes no more rooms, waits up to the configured drain time for those that are here, then stops everything.
    pub async fn shutdown(self) {
        self.drain();
        let empty = async {
            while self.stats().rooms > 0 {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        // Whoever is still here then has had their time.
        let _ = timeout(self.drain, empty).await;
        self.shutdown.cancel();
        let stopped = tokio::task::spawn_blocking(move || self.threads.into_iter().for_each(ShardThreads::stop));
        if stopped.await.is_err() {
            tracing::error!("the shards did not stop");
        }
        self.tasks.wait().await;
        tracing::info!(relay.id = %self.id, "the relay has stopped");
    }
}

/// Runs a relay until `shutdown` is cancelled.
///
/// # Errors
/// See [`Relay::start`].
pub async fn run(config: RelayConfig, random: Arc<dyn Random>, shutdown: CancellationToken) -> anyhow::Result<()> {
    let relay = Relay::start(config, random).await?;
    shutdown.cancelled().await;
    relay.shutdown().await;
    Ok(())
}

fn prepare_identity() -> anyhow::Result<Identity> {
    let identity = Identity::generate()?;
    identity.warm_up()?;
    Ok(identity)
}

fn start_shards(
    config: &RelayConfig,
    identity: &Identity,
    events: &mpsc::Sender<Event>,
) -> anyhow::Result<(Vec<Lane>, Vec<ShardThreads>)> {
    let interfaces = interfaces();
    let mut lanes = Vec::new();
    let mut threads = Vec::new();
    for number in 0..config.shards {
        let port = match config.media_port {
            0 => 0,
            first => first.checked_add(u16::try_from(number)?).context("the media ports go beyond 65535")?,
        };
        let (shard, thread) = Shard::start(number, config.media_ip, port, identity, events.clone())?;
        let candidates = candidates(shard.addr, &config.public_addresses, &interfaces);
        ensure!(!candidates.is_empty(), "there is no address under which the media port is reached");
        lanes.push(Lane { shard, candidates });
        threads.push(thread);
    }
    Ok((lanes, threads))
}

async fn take_events(director: Arc<Director>, mut queue: mpsc::Receiver<Event>, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            event = queue.recv() => match event {
                Some(event) => director.handle_event(event, Instant::now()),
                None => return,
            },
        }
    }
}

async fn sweep(director: Arc<Director>, shutdown: CancellationToken) {
    let mut ticks = interval(SWEEP_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        director.sweep(Instant::now());
        director.stats().publish();
    }
}

async fn serve(listener: TcpListener, control: Control) {
    let shutdown = control.shutdown.clone();
    // A room's state follows right behind a reply; it must not wait until that was acknowledged.
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    let served = axum::serve(listener, router(control)).with_graceful_shutdown(shutdown.cancelled_owned()).await;
    if served.is_err() {
        tracing::error!("the control server ended");
    }
}
