//! One track that a participant publishes: what came, what is missing, what is kept.

use super::{
    keyframes::KeyframeRequests,
    nack::MissingPackets,
    payload::starts_keyframe,
    reports::{Reception, SenderClock},
    ring::PacketRing,
    rtp::Header,
};
use crate::{
    sdp::{ExtensionIds, OfferedCodec, Section},
    transport::srtp::ReplayWindow,
};
use domain::media::{MediaKind, Mid};
use std::time::Instant;

/// One packet on its way to the subscriptions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packet<'a> {
    /// Extended sequence number.
    pub sequence: u64,
    /// The publisher's timestamp.
    pub timestamp: u32,
    /// See [`Header::marker`].
    pub marker: bool,
    /// In the publisher's numbering.
    pub payload_type: u8,
    /// A receiver can begin to decode here.
    pub starts_keyframe: bool,
    /// RFC 6464 level and voice flag, when the publisher says it.
    pub audio_level: Option<u8>,
    /// Without padding.
    pub payload: &'a [u8],
}

/// A published track.
pub(crate) struct Publication {
    /// Sound or picture.
    pub kind: MediaKind,
    /// The media section it was offered in.
    pub mid: Mid,
    /// The one SSRC it may use; without a declaration the first that names `mid`.
    pub ssrc: Option<u32>,
    /// The SSRC of its retransmissions.
    pub rtx_ssrc: Option<u32>,
    /// The publisher's numbering.
    pub codecs: Vec<OfferedCodec>,
    /// The publisher's header extensions.
    pub extensions: ExtensionIds,
    /// Replay protection of `ssrc`.
    pub window: ReplayWindow,
    /// Replay protection of `rtx_ssrc`.
    pub rtx_window: ReplayWindow,
    /// For receiver reports.
    pub reception: Reception,
    /// The publisher's clocks.
    pub clock: Option<SenderClock>,
    /// For NACK upstream; pictures only.
    pub missing: MissingPackets,
    /// Who needs a keyframe; pictures only.
    pub keyframes: KeyframeRequests,
    ring: Option<PacketRing>,
    highest: Option<u64>,
    started: Instant,
}

impl Publication {
    /// The track of an accepted section that sends.
    pub(crate) fn new(section: &Section, kind: MediaKind, now: Instant) -> Self {
        let is_video = kind == MediaKind::Video;
        Self {
            kind,
            mid: section.mid.clone(),
            ssrc: section.ssrc,
            rtx_ssrc: section.rtx_ssrc,
            codecs: section.codecs.clone(),
            extensions: section.extensions,
            window: ReplayWindow::default(),
            rtx_window: ReplayWindow::default(),
            reception: Reception::default(),
            clock: None,
            missing: MissingPackets::default(),
            keyframes: KeyframeRequests::default(),
            ring: is_video.then(PacketRing::new),
            highest: None,
            started: now,
        }
    }

    /// Takes an authentic packet of `ssrc`; `None` when it is not to be passed on.
    pub(crate) fn receive<'a>(
        &mut self,
        header: &Header,
        packet: &'a [u8],
        index: u64,
        now: Instant,
    ) -> Option<Packet<'a>> {
        let payload = header.payload(packet)?;
        let clock_rate = self.codecs.iter().find(|c| c.payload_type == header.payload_type)?.codec.clock_rate();
        let now_ticks =
            now.saturating_duration_since(self.started).as_micros() as i64 * i64::from(clock_rate) / 1_000_000;
        self.reception.arrived(index, header.timestamp, now_ticks);
        let level = self.extensions.audio_level.and_then(|id| header.extension(packet, id)?.first().copied());
        let packet = self.pass(index, header, header.payload_type, payload, now)?;
        Some(Packet { audio_level: level, ..packet })
    }

    /// Takes an authentic packet of `rtx_ssrc` (RFC 4588 §4): the original number, then the original payload.
    pub(crate) fn receive_rtx<'a>(&mut self, header: &Header, packet: &'a [u8], now: Instant) -> Option<Packet<'a>> {
        let payload_type = self.codecs.iter().find(|c| c.rtx_payload_type == Some(header.payload_type))?.payload_type;
        // A probe for bandwidth is padding only.
        let (original, payload) = header.payload(packet)?.split_first_chunk::<2>()?;
        let highest = self.highest?;
        let distance = i64::from(u16::from_be_bytes(*original).wrapping_sub(highest as u16) as i16);
        self.pass(highest.checked_add_signed(distance)?, header, payload_type, payload, now)
    }

    /// The packet with this extended sequence number, when it is still kept: its marker and payload.
    pub(crate) fn kept(&self, sequence: u64) -> Option<super::ring::Kept<'_>> {
        self.ring.as_ref()?.get(sequence)
    }

    fn pass<'a>(
        &mut self,
        sequence: u64,
        header: &Header,
        payload_type: u8,
        payload: &'a [u8],
        now: Instant,
    ) -> Option<Packet<'a>> {
        let codec = &self.codecs.iter().find(|c| c.payload_type == payload_type)?.codec;
        let starts_keyframe = starts_keyframe(codec, payload);
        if let Some(ring) = &mut self.ring {
            // Both the original and its retransmission may come.
            if !ring.admit(sequence, header.marker, payload) {
                return None;
            }
            self.missing.arrived(sequence, self.highest, now);
            if starts_keyframe {
                self.keyframes.passed();
            }
        }
        self.highest = self.highest.max(Some(sequence));
        let (timestamp, marker) = (header.timestamp, header.marker);
        Some(Packet { sequence, timestamp, marker, payload_type, starts_keyframe, audio_level: None, payload })
    }
}
