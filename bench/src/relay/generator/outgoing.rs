//! What a participant publishes: frames as bursts of sealed packets, and what is sent again.

use super::{
    mark::{self, Mark},
    rtp::{self, Fields},
    session::{Work, wall},
    tally::Tally,
};
use crate::relay::{
    peer::{Layer, Sends},
    target::Seat,
};
use domain::media::MediaKind;
use media_relay::srtp::{Sealer, TAG_BYTES};
use std::time::{Duration, Instant};

pub(super) const AUDIO_FRAME: Duration = Duration::from_millis(20);
pub(super) const VIDEO_FRAME: Duration = Duration::from_nanos(33_333_333);
const AUDIO_TICKS: u32 = 960;
const VIDEO_TICKS: u32 = 3_000;
/// 32 to 64 kb/s.
const AUDIO_BYTES: (usize, usize) = (80, 160);
/// About what browsers send: all packets of one picture are of one size.
const VIDEO_BYTES: (usize, usize) = (1_080, 1_180);
const KEYFRAME_FACTOR: usize = 3;
/// Chromium takes no second request within this time.
const KEYFRAME_INTERVAL: Duration = Duration::from_millis(300);
/// Mid and RID are named in so many packets of a source; then the server must know it.
const NAMED_PACKETS: u64 = 100;
/// Packets that can be sent again: about two seconds of a picture.
const KEPT: usize = 512;

/// A packet that may be asked for again.
#[derive(Clone, Copy)]
struct Sent {
    mark: Mark,
    timestamp: u32,
    picture_id: u16,
    size: usize,
    begins: bool,
    ends: bool,
    /// Numbers it in its transport: a plain retransmission is the same packet, byte for byte.
    transport_sequence: u16,
    /// Names its section and encoding. All packets of a frame do or none, since they must be of one size.
    is_named: bool,
}

struct Encoding {
    layer: Layer,
    /// The 48-bit index of the next packet (RFC 3711).
    index: u64,
    rtx_index: u64,
    sequence: u64,
    octets: u32,
    kept: Vec<Option<(u64, Sent)>>,
}

/// A published track.
pub(super) struct Outgoing {
    pub track: Sends,
    encodings: Vec<Encoding>,
    frames: u32,
    keyframe_wanted: bool,
    last_keyframe: Option<Instant>,
    /// Steps through sizes.
    dice: u32,
}

/// What all packets of one transport share.
pub(super) struct Shared<'a> {
    pub seat: &'a Seat,
    pub sealer: &'a Sealer,
    pub transport_sequence: &'a mut u16,
    /// Where packets are built.
    pub bytes: &'a mut Vec<u8>,
    /// Since the epoch.
    pub wall: Duration,
    pub tally: &'a mut Tally,
}

impl<'a> Shared<'a> {
    pub(super) fn new(seat: &'a Seat, sealer: &'a Sealer, transport_sequence: &'a mut u16, work: &'a mut Work) -> Self {
        Self { seat, sealer, transport_sequence, bytes: &mut work.bytes, wall: wall(), tally: &mut work.tally }
    }

    /// The next number of the transport.
    fn number(&mut self) -> u16 {
        *self.transport_sequence = self.transport_sequence.wrapping_add(1);
        *self.transport_sequence
    }
}

impl Outgoing {
    pub(super) fn new(track: Sends, dice: u32) -> Self {
        let encoding = |layer: &Layer| Encoding {
            layer: layer.clone(),
            // Low, so that the first packets that are received never lie behind a wrap (RFC 3550 §5.1 wants it random).
            index: u64::from(layer.ssrc & 0x3fff),
            rtx_index: 1,
            sequence: 0,
            octets: 0,
            kept: if track.kind == MediaKind::Video { vec![None; KEPT] } else { Vec::new() },
        };
        let encodings = track.layers.iter().map(encoding).collect();
        Self { track, encodings, frames: 0, keyframe_wanted: true, last_keyframe: None, dice }
    }

    /// How long one frame lasts.
    pub(super) fn interval(&self) -> Duration {
        match self.track.kind {
            MediaKind::Audio => AUDIO_FRAME,
            MediaKind::Video => VIDEO_FRAME,
        }
    }

    /// The source of a request; true when it is one of ours.
    pub(super) fn has_ssrc(&self, ssrc: u32) -> bool {
        self.encodings.iter().any(|encoding| encoding.layer.ssrc == ssrc)
    }

    /// A receiver lost the picture.
    pub(super) fn want_keyframe(&mut self) {
        self.keyframe_wanted = true;
    }

    /// SSRC, RTP timestamp, packets and octets of each encoding, for sender reports.
    pub(super) fn reports(&self) -> impl Iterator<Item = (u32, u32, u32, u32)> {
        let timestamp = self.timestamp();
        self.encodings
            .iter()
            .filter(|encoding| encoding.sequence > 0)
            .map(move |encoding| (encoding.layer.ssrc, timestamp, encoding.sequence as u32, encoding.octets))
    }

    /// Builds the next frame of every encoding; `send` takes the datagrams of one and their size.
    pub(super) fn next_frame(
        &mut self,
        now: Instant,
        shared: &mut Shared<'_>,
        mut send: impl FnMut(&[u8], usize) -> bool,
    ) {
        let is_early = self.last_keyframe.is_some_and(|at| now.duration_since(at) < KEYFRAME_INTERVAL);
        let keyframe = self.track.kind == MediaKind::Video && self.keyframe_wanted && !is_early;
        if keyframe {
            (self.keyframe_wanted, self.last_keyframe) = (false, Some(now));
            shared.tally.keyframes += 1;
        }
        for number in 0..self.encodings.len() {
            let (packets, size) = self.shape(number, keyframe);
            shared.bytes.clear();
            let mut segment = 0;
            for packet in 0..packets {
                let begin = shared.bytes.len();
                self.packet(number, keyframe, (packet, packets), size, shared);
                segment = segment.max(shared.bytes.len() - begin);
            }
            if send(shared.bytes, segment) {
                shared.tally.sent += packets as u64;
                shared.tally.sent_bytes += shared.bytes.len() as u64;
            } else {
                shared.tally.send_failures += packets as u64;
            }
        }
        self.frames = self.frames.wrapping_add(1);
    }

    /// How many packets the frame has, and how large their payload is.
    fn shape(&mut self, number: usize, keyframe: bool) -> (usize, usize) {
        self.dice = self.dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let within = |(least, most): (usize, usize)| least + (self.dice >> 16) as usize % (most - least);
        match self.track.kind {
            MediaKind::Audio => (1, within(AUDIO_BYTES)),
            MediaKind::Video => {
                let usual = self.encodings[number].layer.packets_per_frame;
                // One more or one less, six on average.
                let packets = if usual > 3 { usual - 1 + (self.dice >> 8) as usize % 3 } else { usual };
                (if keyframe { packets * KEYFRAME_FACTOR } else { packets }, within(VIDEO_BYTES))
            }
        }
    }

    fn timestamp(&self) -> u32 {
        let ticks = if self.track.kind == MediaKind::Audio { AUDIO_TICKS } else { VIDEO_TICKS };
        self.frames.wrapping_mul(ticks)
    }

    fn packet(
        &mut self,
        number: usize,
        keyframe: bool,
        (packet, packets): (usize, usize),
        size: usize,
        shared: &mut Shared<'_>,
    ) {
        let kind = self.track.kind;
        let (timestamp, picture_id) = (self.timestamp(), (self.frames & 0x7fff) as u16);
        let encoding = &mut self.encodings[number];
        let sent = Sent {
            mark: Mark {
                room: shared.seat.room,
                participant: shared.seat.participant,
                kind,
                keyframe,
                layer: number as u8,
                place: packet as u8,
                packets: packets as u8,
                frame: self.frames,
                sequence: encoding.sequence,
                sent_at: shared.wall,
            },
            timestamp,
            picture_id,
            size,
            begins: packet == 0,
            ends: packet + 1 == packets,
            transport_sequence: shared.number(),
            is_named: encoding.sequence - (packet as u64) < NAMED_PACKETS,
        };
        let index = encoding.index;
        (encoding.index, encoding.sequence) = (index + 1, encoding.sequence + 1);
        encoding.octets = encoding.octets.wrapping_add(size as u32);
        if let Some(place) = encoding.kept.get_mut(index as usize % KEPT) {
            *place = Some((index, sent));
        }
        self.seal(number, index, &sent, None, shared);
    }

    /// Appends one sealed packet; with `original` as its retransmission (RFC 4588), which has another source and index.
    fn seal(&self, number: usize, index: u64, sent: &Sent, original: Option<u16>, shared: &mut Shared<'_>) {
        let encoding = &self.encodings[number];
        let is_named = sent.is_named && original.is_none();
        let (payload_type, ssrc) = match (original, self.track.rtx_payload_type) {
            (Some(_), Some(rtx)) => (rtx, encoding.layer.rtx_ssrc),
            _ => (self.track.payload_type, encoding.layer.ssrc),
        };
        let fields = Fields {
            // Of sound the marker says that a talk spurt begins (RFC 3551 §4.1).
            marker: if sent.mark.kind == MediaKind::Video { sent.ends } else { sent.mark.sequence == 0 },
            payload_type,
            sequence: index as u16,
            timestamp: sent.timestamp,
            ssrc,
            extensions: &self.track.extensions,
            mid: is_named.then_some(self.track.mid.as_str()),
            rid: encoding.layer.rid.as_deref().filter(|_| is_named),
            transport_sequence: sent.transport_sequence,
        };
        let start = shared.bytes.len();
        let header = rtp::write(shared.bytes, &fields);
        if let Some(original) = original {
            shared.bytes.extend_from_slice(&original.to_be_bytes());
        }
        match sent.mark.kind {
            MediaKind::Audio => mark::write_opus(shared.bytes, &sent.mark, sent.size),
            MediaKind::Video => {
                mark::write_vp8(shared.bytes, &sent.mark, sent.picture_id, sent.begins, sent.size);
            }
        }
        shared.sealer.seal_rtp(shared.bytes, start, header, ssrc, index);
        debug_assert!(shared.bytes.len() > start + TAG_BYTES);
    }

    /// Sends a packet again that was asked for, when it is still known.
    pub(super) fn resend(
        &mut self,
        ssrc: u32,
        sequence: u16,
        shared: &mut Shared<'_>,
        mut send: impl FnMut(&[u8], usize) -> bool,
    ) {
        let Some(number) = self.encodings.iter().position(|encoding| encoding.layer.ssrc == ssrc) else { return };
        let found = self.encodings[number].kept.iter().flatten().find(|(index, _)| *index as u16 == sequence);
        let Some((index, sent)) = found.copied() else { return };
        shared.bytes.clear();
        match self.track.rtx_payload_type {
            Some(_) => {
                let rtx_index = self.encodings[number].rtx_index;
                self.encodings[number].rtx_index += 1;
                let sent = Sent { transport_sequence: shared.number(), ..sent };
                self.seal(number, rtx_index, &sent, Some(sequence), shared);
            }
            // The same bytes under the same index: no other packet may have that (RFC 3711 §9.1, RFC 7714 §8.4).
            None => self.seal(number, index, &sent, None, shared),
        }
        let size = shared.bytes.len();
        shared.tally.resent += u64::from(send(shared.bytes, size));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::{
        peer::Extensions,
        target::{Picture, Receives},
    };
    use media_relay::{
        RtpHeader,
        srtp::{self, KEYING_MATERIAL_BYTES},
    };

    const SEAT: Seat = Seat {
        room: 1,
        participant: 0,
        audio: false,
        picture: Picture::One,
        receives: Receives { audio: 0, video: 0 },
    };
    const KEYS: [u8; KEYING_MATERIAL_BYTES] = [7; KEYING_MATERIAL_BYTES];

    /// The packets of one frame, and what is sent when the second of them is asked for again.
    fn sent_and_resent(rtx_payload_type: Option<u8>) -> (Vec<Vec<u8>>, Vec<u8>) {
        let layer = Layer { ssrc: 0x0100_0010, rtx_ssrc: 0x0100_0020, rid: None, packets_per_frame: 6 };
        let track = Sends {
            kind: MediaKind::Video,
            mid: "0".to_owned(),
            payload_type: 96,
            rtx_payload_type,
            extensions: Extensions { mid: Some(4), rid: None, transport_cc: Some(3) },
            layers: vec![layer],
        };
        let mut outgoing = Outgoing::new(track, 1);
        let (_, sealer) = srtp::from_keying_material_of_client(&KEYS);
        let (mut transport_sequence, mut bytes, mut tally) = (0, Vec::new(), Tally::new(Instant::now()));
        let mut shared = Shared {
            seat: &SEAT,
            sealer: &sealer,
            transport_sequence: &mut transport_sequence,
            bytes: &mut bytes,
            wall: Duration::from_secs(1),
            tally: &mut tally,
        };
        let (mut sent, mut again) = (Vec::new(), Vec::new());
        let send = |datagrams: &[u8], size: usize| {
            sent.extend(datagrams.chunks(size).map(<[u8]>::to_vec));
            true
        };
        outgoing.next_frame(Instant::now(), &mut shared, send);
        shared.wall += Duration::from_secs(1);
        outgoing.resend(0x0100_0010, 0x11, &mut shared, |datagram, _| {
            again.push(datagram.to_vec());
            true
        });
        (sent, again.pop().expect("it is sent again"))
    }

    #[test]
    fn a_plain_retransmission_is_the_same_packet_byte_for_byte() {
        let (sent, again) = sent_and_resent(None);
        assert_eq!(again, sent[1]);
    }

    #[test]
    fn another_source_sends_again_under_an_index_of_its_own() {
        let (sent, again) = sent_and_resent(Some(97));
        let header = RtpHeader::parse(&again).expect("a packet");
        assert_eq!((header.ssrc, header.sequence, header.payload_type), (0x0100_0020, 1, 97));
        let (opener, _) = srtp::from_keying_material(&KEYS);
        let open = |mut packet: Vec<u8>, ssrc, index| {
            let header = RtpHeader::parse(&packet).expect("a packet");
            let length = opener.open_rtp(&mut packet, header.len, ssrc, index).expect("it is authentic");
            packet[header.len..length].to_vec()
        };
        let original = open(sent[1].clone(), 0x0100_0010, 0x11);
        assert_eq!(open(again, 0x0100_0020, 1), [&0x11_u16.to_be_bytes()[..], &original].concat());
    }
}
