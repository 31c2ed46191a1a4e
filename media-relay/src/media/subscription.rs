//! One slot of a participant: another's track under the slot's own SSRC, numbering and payload types.

use super::{
    publication::{Packet, Publication},
    reports::Sent,
    rewrite::{Arrival, Rewriter},
    ring::{Kept, RING_PACKETS},
    rtp::{OutgoingHeader, header_len},
};
use crate::sdp::{ExtensionIds, OfferedCodec, Section, SlotSsrcs};
use domain::media::{MediaKind, Mid};
use std::time::{Duration, Instant};

/// A packet is not sent again sooner: the receiver repeats its request before the first answer can have come.
const RESEND_INTERVAL: Duration = Duration::from_millis(20);
/// How often one packet is sent again.
const MAX_RESENDS: u8 = 3;
/// Retransmissions that may follow one another; each packet sent earns one, so that they never exceed the media.
const MAX_RESEND_CREDIT: u32 = 128;
const MAX_EXTENSION_BYTES: usize = 24;

/// How the source's payload type is called by the receiver.
#[derive(Debug, Clone, Copy)]
struct Mapping {
    source: u8,
    payload_type: u8,
    rtx_payload_type: Option<u8>,
}

#[derive(Debug, Clone, Copy, Default)]
struct SentPacket {
    /// Outgoing extended sequence number plus one; 0 is empty.
    tag: u64,
    source: u64,
    timestamp: u32,
    rtx_payload_type: u8,
    resends: u8,
    resent_at: Option<Instant>,
}

/// Where and under what header a packet goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outgoing {
    /// SRTP packet index.
    pub index: u64,
    /// See [`OutgoingHeader`].
    pub marker: bool,
    /// The receiver's number.
    pub payload_type: u8,
    /// In the slot's time.
    pub timestamp: u32,
    /// The slot's SSRC, or that of its retransmissions.
    pub ssrc: u32,
    extensions: [u8; MAX_EXTENSION_BYTES],
    extensions_len: usize,
}

impl Outgoing {
    /// What [`write`](Self::write) will return.
    pub(crate) fn header_len(&self) -> usize {
        header_len(self.extensions_len)
    }

    /// Appends the header and returns its length.
    pub(crate) fn write(&self, buffer: &mut Vec<u8>) -> usize {
        OutgoingHeader {
            marker: self.marker,
            payload_type: self.payload_type,
            sequence: self.index as u16,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
            extensions: &self.extensions[..self.extensions_len],
        }
        .write(buffer)
    }
}

/// A slot.
pub(crate) struct Subscription {
    /// The media section it was offered in.
    pub mid: Mid,
    /// Its SSRCs.
    pub ssrcs: SlotSsrcs,
    /// For sender reports.
    pub sent: Sent,
    codecs: Vec<OfferedCodec>,
    extensions: ExtensionIds,
    rewriter: Rewriter,
    mappings: Vec<Mapping>,
    history: Vec<SentPacket>,
    resend_credit: u32,
    rtx_index: u64,
}

impl Subscription {
    /// The slot of an accepted section that receives. `random` gives the first sequence numbers.
    pub(crate) fn new(section: &Section, kind: MediaKind, ssrcs: SlotSsrcs, random: [u8; 4]) -> Self {
        let clock_rate = section.codecs.first().map_or(90_000, |codec| codec.codec.clock_rate());
        let history = if kind == MediaKind::Video { RING_PACKETS } else { 0 };
        Self {
            mid: section.mid.clone(),
            ssrcs,
            sent: Sent::default(),
            codecs: section.codecs.clone(),
            extensions: section.extensions,
            rewriter: Rewriter::new(clock_rate, u16::from_be_bytes([random[0], random[1]])),
            mappings: Vec::new(),
            history: vec![SentPacket::default(); history],
            resend_credit: 0,
            rtx_index: u64::from(u16::from_be_bytes([random[2], random[3]]) & 0x7fff),
        }
    }

    /// Another source, or none.
    pub(crate) fn set_source(&mut self, publication: Option<&Publication>) {
        self.rewriter.switch();
        self.history.fill(SentPacket::default());
        self.mappings.clear();
        for theirs in publication.iter().flat_map(|publication| &publication.codecs) {
            if let Some(ours) = self.codecs.iter().find(|ours| ours.codec == theirs.codec) {
                let (payload_type, rtx_payload_type) = (ours.payload_type, ours.rtx_payload_type);
                self.mappings.push(Mapping { source: theirs.payload_type, payload_type, rtx_payload_type });
            }
        }
    }

    /// Has a source but no picture yet.
    pub(crate) fn waits_for_keyframe(&self) -> bool {
        self.rewriter.is_waiting() && !self.mappings.is_empty()
    }

    /// What a packet of the source becomes, or `None` when the receiver cannot use it.
    pub(crate) fn forward(&mut self, packet: &Packet<'_>, now: Instant) -> Option<Outgoing> {
        let mapping = *self.mappings.iter().find(|mapping| mapping.source == packet.payload_type)?;
        let arrival =
            Arrival { sequence: packet.sequence, timestamp: packet.timestamp, starts_keyframe: packet.starts_keyframe };
        let place = self.rewriter.place(arrival, now)?;
        self.remember(place.sequence, place.timestamp, packet.sequence, mapping);
        self.sent.packets = self.sent.packets.wrapping_add(1);
        self.sent.octets = self.sent.octets.wrapping_add(packet.payload.len() as u32);
        self.resend_credit = (self.resend_credit + 1).min(MAX_RESEND_CREDIT);
        let (payload_type, ssrc) = (mapping.payload_type, self.ssrcs.media);
        Some(self.outgoing(place.sequence, place.timestamp, packet.marker, payload_type, ssrc, packet.audio_level))
    }

    /// A packet the receiver misses, when it may be sent again: the retransmission's header, the original
    /// sequence number, and which packet of the source it is.
    pub(crate) fn resend(&mut self, missing: u16, now: Instant) -> Option<(Outgoing, u64)> {
        if self.resend_credit == 0 {
            return None;
        }
        let entry = self.history.get_mut(usize::from(missing) % RING_PACKETS)?;
        let is_early = entry.resent_at.is_some_and(|at| now.saturating_duration_since(at) < RESEND_INTERVAL);
        let is_known = entry.tag > 0 && (entry.tag - 1) as u16 == missing && entry.rtx_payload_type != 0;
        if !is_known || is_early || entry.resends == MAX_RESENDS {
            return None;
        }
        entry.resends += 1;
        entry.resent_at = Some(now);
        let entry = *entry;
        self.resend_credit -= 1;
        self.rtx_index += 1;
        let (payload_type, ssrc) = (entry.rtx_payload_type, self.ssrcs.rtx);
        Some((self.outgoing(self.rtx_index, entry.timestamp, false, payload_type, ssrc, None), entry.source))
    }

    /// The slot's timestamp for one of the source, when it flows.
    pub(crate) fn timestamp_of(&self, timestamp: u32) -> Option<u32> {
        self.rewriter.timestamp_of(timestamp)
    }

    fn remember(&mut self, sequence: u64, timestamp: u32, source: u64, mapping: Mapping) {
        let Some(entry) = self.history.get_mut(sequence as usize % RING_PACKETS) else { return };
        let rtx_payload_type = mapping.rtx_payload_type.unwrap_or(0);
        *entry = SentPacket { tag: sequence + 1, source, timestamp, rtx_payload_type, resends: 0, resent_at: None };
    }

    fn outgoing(
        &self,
        index: u64,
        timestamp: u32,
        marker: bool,
        payload_type: u8,
        ssrc: u32,
        level: Option<u8>,
    ) -> Outgoing {
        let mut extensions = [0; MAX_EXTENSION_BYTES];
        let mut len = 0;
        if let Some(id) = self.extensions.mid {
            let mid = self.mid.0.as_bytes();
            extensions[0] = id << 4 | (mid.len() as u8 - 1);
            extensions[1..=mid.len()].copy_from_slice(mid);
            len = 1 + mid.len();
        }
        if let (Some(id), Some(level)) = (self.extensions.audio_level, level) {
            extensions[len..len + 2].copy_from_slice(&[id << 4, level]);
            len += 2;
        }
        Outgoing { index, marker, payload_type, timestamp, ssrc, extensions, extensions_len: len }
    }
}

/// The payload of a retransmission (RFC 4588 §4): the original sequence number, then the original payload.
pub(crate) fn write_rtx_payload(buffer: &mut Vec<u8>, missing: u16, kept: &Kept<'_>) {
    buffer.extend_from_slice(&missing.to_be_bytes());
    buffer.extend_from_slice(kept.payload);
}
