//! What a relay is started with.

use domain::Redacted;
use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    time::Duration,
};

/// The shortest bearer key that is accepted, in bytes.
pub const MIN_RELAY_KEY_BYTES: usize = 16;

/// How a relay is set up. It prints without secrets.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// How many media threads, each with a UDP port of its own. At least 1.
    pub shards: usize,
    /// The local address of the media sockets; `::` takes IPv4 as well.
    pub media_ip: IpAddr,
    /// The UDP port of the first shard, the next shards take the following ones; 0 lets the system choose each.
    pub media_port: u16,
    /// Addresses under which the media sockets are reached from outside, announced before those of the interfaces.
    pub public_addresses: Vec<IpAddr>,
    /// Where signaling connects.
    pub control_addr: SocketAddr,
    /// The URL announced to signaling; `ws://{control address}/relay` when absent.
    pub control_url: Option<String>,
    /// What signaling must present as `Authorization: Bearer`. At least [`MIN_RELAY_KEY_BYTES`].
    pub relay_key: Redacted<String>,
    /// Where the relay announces itself; without it nobody finds it by themselves.
    pub redis_url: Option<Redacted<String>>,
    /// How many participants are taken in all.
    pub max_participants: usize,
    /// How long a stopping relay lets its rooms go on before it closes them.
    pub drain: Duration,
}

impl RelayConfig {
    /// One machine, ports chosen by the system, one shard for each core.
    #[must_use]
    pub fn local(relay_key: Redacted<String>) -> Self {
        Self {
            shards: std::thread::available_parallelism().map_or(1, usize::from),
            media_ip: IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            media_port: 0,
            public_addresses: Vec::new(),
            control_addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            control_url: None,
            relay_key,
            redis_url: None,
            max_participants: 2_000,
            drain: Duration::ZERO,
        }
    }
}
