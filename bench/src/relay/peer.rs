//! One transport of one participant, before it runs: socket, credentials and tracks, as offer and answer agreed on them.

mod description;
pub mod dtls;
pub mod keys;
pub mod stun;
mod way;
mod write;

use super::{
    path::Impairer,
    target::{Picture, Receives, Seat},
};
use description::{Description, Section};
use domain::{Random, media::MediaKind};
use dtls::Identity;
use keys::{Material, Suite};
use service::random::SeededRandom;
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};
use way::{Route, Way};

/// RTP payload types that we offer, as Chromium numbers them.
const OPUS: u8 = 111;
const VP8: u8 = 96;
const VP8_RTX: u8 = 97;

/// ICE credentials of one side (RFC 8839).
#[derive(Clone)]
pub struct Credentials {
    /// User fragment.
    pub ufrag: String,
    /// Password.
    pub password: String,
}

/// Ids of the header extensions that both sides know (RFC 8285, one-byte form).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extensions {
    /// RFC 8843.
    pub mid: Option<u8>,
    /// RFC 8852.
    pub rid: Option<u8>,
    /// Transport-wide sequence number.
    pub transport_cc: Option<u8>,
}

/// One encoding of a track that is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Media.
    pub ssrc: u32,
    /// Retransmissions.
    pub rtx_ssrc: u32,
    /// RFC 8851, with more than one encoding.
    pub rid: Option<String>,
    /// How large: packets a picture.
    pub packets_per_frame: usize,
}

/// A track that is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sends {
    /// Sound or picture.
    pub kind: MediaKind,
    /// Media section.
    pub mid: String,
    /// Payload type.
    pub payload_type: u8,
    /// Payload type of retransmissions (RFC 4588), where agreed.
    pub rtx_payload_type: Option<u8>,
    /// Header extensions.
    pub extensions: Extensions,
    /// Its encodings, the smallest first.
    pub layers: Vec<Layer>,
}

/// A media section in which somebody else is received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivesTrack {
    /// Sound or picture.
    pub kind: MediaKind,
    /// Payload type.
    pub payload_type: u8,
    /// Payload type of retransmissions.
    pub rtx_payload_type: Option<u8>,
    /// Header extensions.
    pub extensions: Extensions,
    /// The declared SSRCs, where there are some.
    pub ssrc: Option<u32>,
    /// Of retransmissions.
    pub rtx_ssrc: Option<u32>,
    /// Feedback needs no report before it (RFC 5506).
    pub reduced_size: bool,
}

/// One ICE, DTLS and SRTP transport of one participant, with its tracks each way; the generator connects it.
pub struct Peer {
    /// Whose.
    pub seat: Seat,
    /// What is sent.
    pub sends: Vec<Sends>,
    /// What is received.
    pub receives: Vec<ReceivesTrack>,
    /// When the participant wished to join.
    pub wished: Instant,
    /// When offer and answer were exchanged.
    pub answered: Instant,
    pub(crate) transport: Transport,
}

pub(crate) struct Transport {
    pub route: Route,
    pub security: Security,
    pub identity: Arc<Identity>,
}

/// Where the keys come from.
pub(crate) enum Security {
    /// Checks, then a handshake.
    Handshake {
        local_ice: Credentials,
        remote_ice: Credentials,
        remote_fingerprint: Vec<u8>,
        /// We begin the handshake.
        is_dtls_client: bool,
    },
    /// Agreed beforehand: what DTLS would have exported, we being its client.
    Keyed(Material),
}

/// Makes transports. All share one certificate, so that joining costs the generator little.
pub struct PeerFactory {
    address: IpAddr,
    identity: Arc<Identity>,
    random: SeededRandom,
    path: Option<Arc<Impairer>>,
}

/// An offer that waits for its answer.
pub struct Pending {
    seat: Seat,
    way: Way,
    ice: Credentials,
    identity: Arc<Identity>,
    sends: Vec<Sends>,
    wished: Instant,
    address: IpAddr,
}

impl PeerFactory {
    /// Transports from `address` that offer `suite`, with dice that begin at `seed`.
    ///
    /// # Errors
    /// When no certificate can be made.
    pub fn new(address: IpAddr, seed: u64, suite: Suite) -> anyhow::Result<Self> {
        Ok(Self {
            address,
            identity: Arc::new(Identity::generate(suite)?),
            random: SeededRandom::new(seed),
            path: None,
        })
    }

    /// What is offered.
    pub fn suite(&self) -> Suite {
        self.identity.suite
    }

    /// Lets all transports from now on go this way.
    #[must_use]
    pub fn through(self, path: Option<Arc<Impairer>>) -> Self {
        Self { path, ..self }
    }

    /// Offers to send what `seat` publishes and to receive `receives`, and is the DTLS client unless the answer wants it otherwise.
    ///
    /// # Errors
    /// When there is no socket to be had.
    pub fn offer(&self, seat: &Seat, receives: Receives) -> io::Result<(String, Pending)> {
        let wished = Instant::now();
        let (way, ice) = (self.way()?, self.credentials());
        let sends = self.sends(seat);
        let local = write::Local { socket: way.address()?, ice: &ice, fingerprint: self.identity.fingerprint };
        let offer = write::offer(&local, &sends, receives);
        let (identity, address) = (Arc::clone(&self.identity), self.address);
        Ok((offer, Pending { seat: *seat, way, ice, identity, sends, wished, address }))
    }

    /// Answers a server's offer: receives all that it sends, as the DTLS client.
    ///
    /// # Errors
    /// When the offer cannot be read or there is no socket to be had.
    pub fn answer(&self, seat: &Seat, offer: &str) -> anyhow::Result<(String, Peer)> {
        let wished = Instant::now();
        let remote = Description::read(offer, self.address)?;
        let (way, ice) = (self.way()?, self.credentials());
        let local = write::Local { socket: way.address()?, ice: &ice, fingerprint: self.identity.fingerprint };
        let answer = write::answer(&local, &remote);
        let receives = remote.sections.iter().filter(|section| section.sends).filter_map(Section::receives).collect();
        let transport = Transport {
            route: way.to(remote.candidate),
            security: Security::Handshake {
                local_ice: ice,
                remote_ice: remote.ice,
                remote_fingerprint: remote.fingerprint,
                is_dtls_client: true,
            },
            identity: Arc::clone(&self.identity),
        };
        let answered = Instant::now();
        Ok((answer, Peer { seat: *seat, sends: Vec::new(), receives, wished, answered, transport }))
    }

    /// A transport to `remote` without checks and handshake, under keys that both sides have; and from where it will send.
    ///
    /// `keys` are as DTLS would have exported them, the server being the DTLS server.
    ///
    /// # Errors
    /// When there is no socket to be had.
    pub fn keyed(
        &self,
        seat: &Seat,
        remote: SocketAddr,
        keys: Material,
        receives: Receives,
    ) -> io::Result<(SocketAddr, Peer)> {
        let wished = Instant::now();
        let way = self.way()?;
        let local = way.address()?;
        let security = Security::Keyed(keys);
        let transport = Transport { route: way.to(remote), security, identity: Arc::clone(&self.identity) };
        let (sends, receives) = (self.sends(seat), as_offered(receives));
        Ok((local, Peer { seat: *seat, sends, receives, wished, answered: Instant::now(), transport }))
    }

    fn way(&self) -> io::Result<Way> {
        Way::open(self.address, self.path.as_deref())
    }

    fn credentials(&self) -> Credentials {
        let mut bytes = [0; 20];
        self.random.fill(&mut bytes);
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Credentials { ufrag: hex(&bytes[..4]), password: hex(&bytes[4..]) }
    }

    fn ssrc(&self) -> u32 {
        let mut bytes = [0; 4];
        self.random.fill(&mut bytes);
        // Zero is no source, and a bit that is always set keeps it away.
        u32::from_be_bytes(bytes) | 0x0100_0000
    }

    fn sends(&self, seat: &Seat) -> Vec<Sends> {
        let layers = match seat.picture {
            Picture::No => &[][..],
            Picture::One => &[(None, 6)],
            // 0.15, 0.5 and 1.6 Mb/s at 30 pictures a second.
            Picture::Simulcast => &[(Some("q"), 1), (Some("h"), 2), (Some("f"), 6)],
        };
        let layer = |(rid, packets_per_frame): &(Option<&str>, usize)| Layer {
            ssrc: self.ssrc(),
            rtx_ssrc: self.ssrc(),
            rid: rid.map(str::to_owned),
            packets_per_frame: *packets_per_frame,
        };
        let mut sends = Vec::new();
        let mut add = |kind, payload_type, rtx_payload_type, layers| {
            let mid = sends.len().to_string();
            sends.push(Sends { kind, mid, payload_type, rtx_payload_type, extensions: write::EXTENSIONS, layers });
        };
        if seat.audio {
            add(MediaKind::Audio, OPUS, None, vec![layer(&(None, 1))]);
        }
        if !layers.is_empty() {
            add(MediaKind::Video, VP8, Some(VP8_RTX), layers.iter().map(layer).collect());
        }
        sends
    }
}

impl Pending {
    /// The same offer with sections to receive `receives` beside, for a server that asks for them later.
    ///
    /// # Errors
    /// When the socket is gone.
    pub fn offer_again(&self, receives: Receives) -> io::Result<String> {
        let fingerprint = self.identity.fingerprint;
        let local = write::Local { socket: self.way.address()?, ice: &self.ice, fingerprint };
        Ok(write::offer(&local, &self.sends, receives))
    }

    /// Takes the first answer, and expects that [`offer_again`](Self::offer_again) will lead to `receives`.
    ///
    /// # Errors
    /// As [`answered`](Self::answered).
    pub fn answered_in_part(self, answer: &str, receives: Receives) -> anyhow::Result<Peer> {
        Ok(Peer { receives: as_offered(receives), ..self.answered(answer)? })
    }

    /// Takes the answer.
    ///
    /// # Errors
    /// When it cannot be read, or takes nothing of what was offered to be sent.
    pub fn answered(self, answer: &str) -> anyhow::Result<Peer> {
        let remote = Description::read(answer, self.address)?;
        let mut sends = self.sends;
        sends.retain_mut(|track| {
            let section = remote.sections.iter().find(|section| section.mid == track.mid && section.receives);
            section.is_some_and(|section| section.agree(track))
        });
        let receives = remote.sections.iter().filter(|section| section.sends).filter_map(Section::receives).collect();
        let transport = Transport {
            route: self.way.to(remote.candidate),
            security: Security::Handshake {
                local_ice: self.ice,
                remote_ice: remote.ice,
                remote_fingerprint: remote.fingerprint,
                is_dtls_client: remote.setup != "active",
            },
            identity: self.identity,
        };
        Ok(Peer { seat: self.seat, sends, receives, wished: self.wished, answered: Instant::now(), transport })
    }
}

/// Sections to receive, with the payload types and ids of our offers; who is in them is not known beforehand.
fn as_offered(receives: Receives) -> Vec<ReceivesTrack> {
    let section = |kind, payload_type, rtx_payload_type| ReceivesTrack {
        kind,
        payload_type,
        rtx_payload_type,
        extensions: write::EXTENSIONS,
        ssrc: None,
        rtx_ssrc: None,
        reduced_size: true,
    };
    let mut tracks = vec![section(MediaKind::Audio, OPUS, None); receives.audio];
    tracks.resize(receives.audio + receives.video, section(MediaKind::Video, VP8, Some(VP8_RTX)));
    tracks
}
