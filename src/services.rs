//! Puts the four services together from the configuration; each runs alone or beside the others.

use ::signaling::{Signaling, SignalingConfig};
use ::web::{Site, WebState};
use anyhow::Context as _;
use axum::{
    Router, body::Body, extract::State, http::header::CONTENT_TYPE, middleware::map_response_with_state,
    response::Response,
};
use domain::{Clock, Random};
use futures_util::StreamExt as _;
use media_relay::RelayConfig;
use scheduler::{
    Carriers, Links, Mailer, SchedulerConfig, Texts, WebhookSender,
    join_tokens::{SigningKey, VerifyingKey},
    messages::SmsWebhook,
    run::Announce,
};
use service::{
    bus::{Bus, Happening, Topic},
    clock::SystemClock,
    config::Config,
    health::Health,
    keys::Keys,
    postgres::Db,
    random::SystemRandom,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

/// How long a relay that stops lets consultations go on; the orchestrator's patience is the limit.
const RELAY_DRAIN: Duration = Duration::from_secs(15);

/// What web, signaling and scheduler work with.
#[derive(Clone)]
pub struct Parts {
    /// Postgres.
    pub db: Db,
    /// Redis.
    pub bus: Bus,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// Unpredictable bytes.
    pub random: Arc<dyn Random>,
}

impl Parts {
    /// Connects to Postgres and Redis.
    ///
    /// # Errors
    /// When a variable is missing, or Postgres does not answer.
    pub async fn connect(config: &Config) -> anyhow::Result<Self> {
        let db = Db::connect(config.database_url()?, config.settings.database_connections).await;
        let db = db.context("the Postgres of DATABASE_URL does not answer")?;
        let bus = Bus::connect(config.redis_url()?).await?;
        Ok(Self { db, bus, clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) })
    }

    /// Ready when Postgres and Redis answer.
    pub fn health(&self, draining: CancellationToken) -> Health {
        let (db, bus) = (self.db.clone(), self.bus.clone());
        Health::new(draining)
            .check("postgres", move || ping_postgres(db.clone()))
            .check("redis", move || ping_redis(bus.clone()))
    }
}

/// The pages, whose event streams end when `draining` is cancelled: browsers open them again at another node.
///
/// # Errors
/// When `SECRET` is missing.
pub fn web(parts: &Parts, config: &Config, draining: CancellationToken) -> anyhow::Result<Router> {
    let keys = Keys::derive(config.secret()?)?;
    let site = Site {
        public_url: config.public_url.clone(),
        signaling_url: signaling_url(config),
        ice_servers: config.ice_servers.clone(),
        join_tokens: SigningKey::new(&keys.join_token),
        keys,
        demo: config.settings.demo,
    };
    let Parts { db, bus, clock, random } = parts.clone();
    let router = ::web::router(WebState::new(db, bus, clock, random, site));
    Ok(router.layer(map_response_with_state(draining, end_events_when_draining)))
}

/// The node behind the WebSocket of the browsers; `::signaling::router` serves it.
///
/// # Errors
/// When `SECRET` or `RELAY_KEY` is missing.
pub fn signaling(parts: &Parts, config: &Config, draining: CancellationToken) -> anyhow::Result<Signaling> {
    let keys = Keys::derive(config.secret()?)?;
    let setup = SignalingConfig {
        public_url: config.public_url.clone(),
        join_tokens: VerifyingKey::new(&keys.join_token),
        relay_key: config.relay_key()?.clone(),
        ice_servers: config.ice_servers.clone(),
        max_sockets: signaling::MAX_SOCKETS,
    };
    let Parts { db, bus, clock, .. } = parts.clone();
    Ok(Signaling::new(db, bus, clock, setup, draining))
}

/// The work of the scheduler.
///
/// # Errors
/// When `SECRET` is missing, or what messages are sent with cannot be read.
pub fn scheduler(parts: &Parts, config: &Config) -> anyhow::Result<SchedulerConfig> {
    let keys = Keys::derive(config.secret()?)?;
    let links = Links { public_url: config.public_url.clone(), key: keys.visit_link };
    let carriers = Carriers::new(mailer(config)?, texts(config)?, links, &config.settings.mail_from)?;
    let webhooks = WebhookSender::new().context("the system's certificates cannot be read")?;
    let announce = announce(parts.bus.clone());
    let (db, clock) = (parts.db.clone(), parts.clock.clone());
    Ok(SchedulerConfig { db, clock, carriers, webhooks, offer_link: keys.offer_link, announce })
}

/// Tells the bus what the passing of time has changed.
fn announce(bus: Bus) -> Announce {
    Arc::new(move |clinic, practitioner, appointment| {
        let bus = bus.clone();
        Box::pin(async move {
            for topic in [Topic::Clinic(clinic), Topic::Appointment(appointment), Topic::Queue(practitioner)] {
                bus.publish(topic, Happening::AppointmentChanged { appointment }).await;
            }
        })
    })
}

/// E-mail goes to the server that is named; in the demo onto the mailbox page; without either it waits.
fn mailer(config: &Config) -> anyhow::Result<Mailer> {
    Ok(match &config.smtp_url {
        Some(url) => Mailer::smtp(url)?,
        None if config.settings.demo => Mailer::Mailbox,
        None => Mailer::Nowhere,
    })
}

/// Text messages go to the webhook that is named; in the demo onto the mailbox page; without either none are sent.
fn texts(config: &Config) -> anyhow::Result<Texts> {
    let Some(url) = &config.settings.sms_webhook_url else {
        return Ok(if config.settings.demo { Texts::Mailbox } else { Texts::Nowhere });
    };
    let webhook = SmsWebhook::new(url.clone(), config.sms_webhook_secret()?)?;
    Ok(Texts::Provider(Arc::new(webhook)))
}

/// How the media relay is set up.
///
/// # Errors
/// When `RELAY_KEY` is missing.
pub fn relay(config: &Config) -> anyhow::Result<RelayConfig> {
    let settings = &config.settings;
    let local = RelayConfig::local(config.relay_key()?.clone());
    Ok(RelayConfig {
        shards: if settings.media_shards == 0 { local.shards } else { settings.media_shards },
        media_ip: settings.media_addr,
        media_port: settings.media_port,
        public_addresses: settings.public_address.clone(),
        control_addr: settings.relay_control_addr,
        control_url: settings
            .relay_control_url
            .as_ref()
            .and_then(|url| url.join("relay").ok())
            .map(|url| url.to_string()),
        redis_url: config.redis_url.clone(),
        drain: RELAY_DRAIN,
        ..local
    })
}

/// Takes an address, or says in plain words that somebody else has it.
///
/// # Errors
/// When the address cannot be bound.
pub async fn bind(name: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "Port {port} on {ip} is taken by another program. Stop that program, or choose another port: {name}={ip}:{free}",
            port = address.port(),
            ip = address.ip(),
            free = address.port().saturating_add(1)
        ),
        _ => anyhow::anyhow!("{name}={address} cannot be used: {error}"),
    })
}

/// Where browsers reach signaling: on its own address, or beside the pages.
fn signaling_url(config: &Config) -> Url {
    config.settings.signaling_url.clone().unwrap_or_else(|| {
        let mut url = config.public_url.clone();
        let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
        url.set_scheme(scheme).expect("http and ws are both special schemes");
        url.set_path("/signal");
        url
    })
}

/// A server waits for every answer to end before it stops, and a stream of events never would.
async fn end_events_when_draining(State(draining): State<CancellationToken>, answer: Response) -> Response {
    let is_events =
        answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    if !is_events {
        return answer;
    }
    answer.map(|body| Body::from_stream(body.into_data_stream().take_until(draining.cancelled_owned())))
}

async fn ping_postgres(db: Db) -> Result<(), String> {
    db.ping().await.map_err(|_| "Postgres does not answer".to_owned())
}

async fn ping_redis(bus: Bus) -> Result<(), String> {
    bus.ping().await.map_err(|error| error.to_string())
}
