//! Signaling: who is in the room, offers and answers, chat. It holds nothing that cannot be rebuilt from Postgres, Redis
//! and the relays. `docs/protocol.md` tells its protocols: the pages', the relays', and WHIP and WHEP.

mod placement;
mod relays;
mod room;
mod rooms;
mod socket;
mod tables;
mod whip;

use axum::{Router, routing::get};
use domain::{Clock, Redacted, signal::ErrorCode};
use placement::Directory;
use relays::Relays;
use rooms::Rooms;
use scheduler::join_tokens::{self, Admission, TokenRefused, VerifyingKey};
use service::{bus::Bus, ice_servers::IceServers, postgres::Db};
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

/// How many sockets one node holds unless told otherwise; beyond it the upgrade is refused with 503.
///
/// A socket costs some 20 kB. Two people make a consultation, so this is five thousand of them.
pub const MAX_SOCKETS: usize = 10_000;

/// What signaling is started with.
pub struct SignalingConfig {
    /// Pages of this origin may open a socket.
    pub public_url: Url,
    /// Checks join tokens.
    pub join_tokens: VerifyingKey,
    /// What is shown to a relay as `Authorization: Bearer`.
    pub relay_key: Redacted<String>,
    /// What WHIP and WHEP clients are told to get through a narrow network with.
    pub ice_servers: IceServers,
    /// How many sockets are held at most.
    pub max_sockets: usize,
}

/// One signaling node. Cheap to clone.
#[derive(Clone)]
pub struct Signaling {
    node: Arc<Node>,
}

/// What everything on a node works with.
pub(crate) struct Node {
    pub(crate) db: Db,
    pub(crate) bus: Bus,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) join_tokens: VerifyingKey,
    pub(crate) ice_servers: IceServers,
    pub(crate) origins: socket::Origins,
    pub(crate) places: Arc<Semaphore>,
    pub(crate) directory: Directory,
    pub(crate) relays: Relays,
    pub(crate) rooms: Rooms,
    pub(crate) draining: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

impl Node {
    /// The token decides who this is, and is used up whatever comes of it.
    pub(crate) async fn redeem(&self, token: &Redacted<String>) -> Result<Admission, ErrorCode> {
        join_tokens::redeem(&self.db, &*self.clock, &self.join_tokens, token).await.map_err(|refused| match refused {
            TokenRefused::Refused => ErrorCode::TokenRefused,
            TokenRefused::Database(error) => {
                tracing::error!(%error, "a token cannot be redeemed");
                ErrorCode::Unavailable
            }
        })
    }
}

impl Signaling {
    /// A node that works until `draining` is cancelled: then every socket is told to go elsewhere.
    pub fn new(db: Db, bus: Bus, clock: Arc<dyn Clock>, config: SignalingConfig, draining: CancellationToken) -> Self {
        let node = Node {
            db,
            directory: Directory::new(bus.clone()),
            bus,
            clock,
            join_tokens: config.join_tokens,
            ice_servers: config.ice_servers,
            origins: socket::Origins::of(&config.public_url),
            places: Arc::new(Semaphore::new(config.max_sockets)),
            relays: Relays::new(config.relay_key),
            rooms: Rooms::default(),
            draining,
            tasks: TaskTracker::new(),
        };
        Self { node: Arc::new(node) }
    }

    /// Waits until every socket is closed and every room let go of, but not longer than `grace`. Says whether all ended.
    ///
    /// The HTTP server does not wait for sockets: once upgraded they are no requests any more.
    pub async fn drained(&self, grace: Duration) -> bool {
        service::shutdown::drain(&self.node.tasks, grace).await
    }
}

/// `/signal`, the WebSocket of the consultation pages, and `/whip` and `/whep` for clients that are no pages.
pub fn router(signaling: Signaling) -> Router {
    Router::new().route("/signal", get(socket::open)).merge(whip::router()).with_state(signaling.node)
}
