//! What the pages work with, in parts that a handler takes one by one.

use crate::api::Limits;
use axum::extract::FromRef;
use domain::{Clock, Random};
use scheduler::join_tokens::SigningKey;
use service::{bus::Bus, ice_servers::IceServers, keys::Keys, postgres::Db};
use std::sync::Arc;
use tokio::sync::Semaphore;
use url::Url;

/// How many pages one node keeps up to date by server-sent events. Each holds a connection and a subscription;
/// whoever comes when all are taken gets the page without, and may load it again.
const MAX_LIVE_PAGES: usize = 4_096;

/// Everything a handler may ask for.
#[derive(Clone, FromRef)]
pub struct WebState {
    /// Postgres.
    pub db: Db,
    /// What has just happened.
    pub bus: Bus,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// Unpredictable bytes.
    pub random: Arc<dyn Random>,
    /// Where and how this installation is served.
    pub site: Arc<Site>,
    /// Room for pages that are kept up to date.
    pub live_pages: Arc<Semaphore>,
    /// How often programs may call.
    pub(crate) api_limits: Arc<Limits>,
}

/// Where and how this installation is served.
pub struct Site {
    /// What people type, without a path.
    pub public_url: Url,
    /// The signaling WebSocket as browsers reach it.
    pub signaling_url: Url,
    /// For those whose network lets nothing through to a relay.
    pub ice_servers: IceServers,
    /// Signs the patients' links, among others.
    pub keys: Keys,
    /// Signs join tokens.
    pub join_tokens: SigningKey,
    /// Demo: sent mails are shown on a page.
    pub demo: bool,
}

impl Site {
    /// Cookies are bound to HTTPS when the site is.
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// A path below the public address, as a whole address.
    pub fn address_of(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }
}

impl WebState {
    /// The state of one `web` node.
    pub fn new(db: Db, bus: Bus, clock: Arc<dyn Clock>, random: Arc<dyn Random>, site: Site) -> Self {
        Self {
            db,
            bus,
            clock,
            random,
            site: Arc::new(site),
            live_pages: Arc::new(Semaphore::new(MAX_LIVE_PAGES)),
            api_limits: Arc::new(Limits::default()),
        }
    }
}
