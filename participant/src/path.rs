//! Over which network path media flows, for people to read.

use crate::connection::ONLY_CIPHER;
use std::fmt;
use webrtc::peer_connection::PeerConnection;

/// The path of a connected peer connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// `UDP` or `TCP`.
    pub protocol: String,
    /// The other end's address.
    pub address: String,
    /// The other end's port.
    pub port: u16,
    /// The SRTP protection profile (RFC 5764 §4.1.2): the only one that is offered, so that a connection has it or is none.
    pub cipher: &'static str,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, address, port, cipher } = self;
        write!(f, "{protocol} to {address} port {port}, {cipher}")
    }
}

/// The path in use; `None` before there is one.
pub async fn path(connection: &dyn PeerConnection) -> Option<Path> {
    // Everything is bundled: the transport of anything sent or received is the transport of all.
    let dtls = match connection.get_senders().await.first() {
        Some(sender) => sender.transport().await.ok()??,
        None => connection.get_receivers().await.first()?.transport().await.ok()??,
    };
    let pair = dtls.ice_transport().get_selected_candidate_pair().await.ok()??;
    let remote = pair.remote();
    let protocol = remote.protocol.to_string().to_uppercase();
    Some(Path { protocol, address: remote.address.clone(), port: remote.port, cipher: ONLY_CIPHER })
}
