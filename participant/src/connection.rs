//! Builds the peer connection of the `webrtc` crate as Bedside needs it, and listens to what it reports.

use crate::{
    codecs,
    feedback::FeedbackTap,
    slots::slots_by_ssrc,
    tally::{Connection, Tally},
};
use domain::media::{MediaKind, Mid};
use rtc::{
    ice::{mdns::MulticastDnsMode, network_type::NetworkType},
    interceptor::{NackGeneratorBuilder, NackResponderBuilder, Registry, Slot, TwccReceiverBuilder, TwccSenderBuilder},
    peer_connection::configuration::interceptor_registry::configure_rtcp_reports,
    shared::error::Result,
};
use std::{
    collections::HashMap,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, OnceLock, atomic::AtomicBool},
    time::{Duration, Instant},
};
use tokio::sync::watch;
use webrtc::{
    media_stream::track_remote::{TrackRemote, TrackRemoteEvent},
    peer_connection::{
        PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCPeerConnectionState, SettingEngine,
        SettingEngineBuilder, SrtpProtectionProfile,
    },
};

/// What SRTP is offered with, and nothing else: see [`settings`].
pub const ONLY_CIPHER: &str = "AES-128-GCM";

/// How long the other end may be silent before the connection counts as lost.
///
/// The crate's 5 s flap, because only STUN counts as a sign of life.
const ICE_TIMEOUT: Duration = Duration::from_secs(15);

/// How often one lost packet is asked for.
///
/// The crate does not see what a retransmission repaired: without a limit a few lost packets become a flood of requests.
const MAX_NACKS_PER_PACKET: u16 = 2;

/// From where a participant reaches the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// Over IPv4 loop-back only: tests on one machine.
    #[default]
    Loopback,
    /// Over IPv6 loop-back only.
    Loopback6,
    /// Over every IPv4 interface of the machine, loop-back included.
    Everywhere,
}

/// What the peer connection's tasks share with its owner.
pub struct Shared {
    /// All counts, and the wake-up of whoever waits for them.
    pub tally: watch::Sender<Tally>,
    /// Somebody asked for a key frame.
    pub keyframe_wanted: AtomicBool,
    /// SSRC of the picture sent from here.
    pub video_ssrc: u32,
    answered: OnceLock<Answered>,
}

struct Answered {
    at: Instant,
    slots: HashMap<u32, (Mid, MediaKind)>,
}

impl Shared {
    /// Nothing counted yet.
    pub fn new(video_ssrc: u32) -> Arc<Self> {
        let keyframe_wanted = AtomicBool::new(false);
        Arc::new(Self { tally: watch::Sender::default(), keyframe_wanted, video_ssrc, answered: OnceLock::new() })
    }

    /// Remembers the slots of the answer and starts the clock of the tally. Only the first answer counts.
    pub fn answered(&self, answer: &str) {
        let _ = self.answered.set(Answered { at: Instant::now(), slots: slots_by_ssrc(answer) });
    }

    fn since_answer(&self) -> Duration {
        self.answered.get().map_or(Duration::ZERO, |answered| answered.at.elapsed())
    }

    fn receive(&self, packet: &rtc::rtp::Packet) {
        let slot = self.answered.get().and_then(|answered| answered.slots.get(&packet.header.ssrc));
        let now = self.since_answer();
        self.tally.send_modify(|tally| match slot {
            Some((mid, kind)) => tally.receive(mid, *kind, packet.header.sequence_number, &packet.payload, now),
            None => tally.unexpected += 1,
        });
    }

    fn connection_is(&self, connection: Connection) {
        let now = self.since_answer();
        self.tally.send_modify(|tally| {
            if connection == Connection::Connected {
                tally.connected_after.get_or_insert(now);
            }
            tally.connection = connection;
        });
    }
}

/// Builds a peer connection whose events go to `shared`.
///
/// # Errors
/// When no socket can be opened.
pub async fn build(reach: Reach, shared: Arc<Shared>) -> Result<Arc<dyn PeerConnection>> {
    let engine = codecs::media_engine()?;
    let registry = interceptors(Arc::clone(&shared));
    let connection = PeerConnectionBuilder::new()
        .with_media_engine(engine)
        .with_setting_engine(settings())
        .with_interceptor_registry(registry)
        .with_handler(Arc::new(Listener(shared)))
        .with_udp_addrs(addresses(reach))
        .build()
        .await?;
    Ok(Arc::new(connection))
}

fn addresses(reach: Reach) -> Vec<SocketAddr> {
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    match reach {
        Reach::Loopback => vec![loopback],
        Reach::Loopback6 => vec![SocketAddr::from((Ipv6Addr::LOCALHOST, 0))],
        Reach::Everywhere => vec![loopback, SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))],
    }
}

fn settings() -> SettingEngine {
    SettingEngineBuilder::new()
        .with_network_types(vec![NetworkType::Udp4, NetworkType::Udp6])
        .with_include_loopback_candidate(true)
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_srtp_protection_profiles(vec![SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm])
        .with_ice_timeouts(Some(ICE_TIMEOUT), Some(ICE_TIMEOUT), None)
        .build()
}

fn interceptors(shared: Arc<Shared>) -> Registry {
    let generator = NackGeneratorBuilder::new().with_max_nacks_per_packet(MAX_NACKS_PER_PACKET).build();
    let registry = Registry::new()
        .with(Slot::NackResponder, NackResponderBuilder::new().build())
        .with(Slot::NackGenerator, generator)
        .with(Slot::TwccSender, TwccSenderBuilder::new().build())
        .with(Slot::TwccReceiver, TwccReceiverBuilder::new().build());
    configure_rtcp_reports(registry).with(Slot::from(14_000), FeedbackTap::new(shared))
}

struct Listener(Arc<Shared>);

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Listener {
    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        match state {
            RTCPeerConnectionState::Connected => self.0.connection_is(Connection::Connected),
            RTCPeerConnectionState::Disconnected => self.0.connection_is(Connection::Disconnected),
            RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed => self.0.connection_is(Connection::Closed),
            _ => {}
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        // Ends by itself: a track's events end with its connection.
        tokio::spawn(count(track, Arc::clone(&self.0)));
    }
}

async fn count(track: Arc<dyn TrackRemote>, shared: Arc<Shared>) {
    while let Some(event) = track.poll().await {
        if let TrackRemoteEvent::OnRtpPacket(packet) = event {
            shared.receive(&packet);
        }
    }
}
