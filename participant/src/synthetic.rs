//! Made-up Opus and VP8 whose payload says who sent it, which packet it is and when: what arrives can be checked byte by byte.
//!
//! The descriptors and headers are real (RFC 7587, RFC 7741), so that a relay treats the packets as it would a browser's;
//! a decoder would see noise.

use bytes::{BufMut, Bytes, BytesMut};
use domain::{ParticipantId, media::MediaKind};
use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// How long one Opus packet lasts.
pub const AUDIO_FRAME: Duration = Duration::from_millis(20);

/// How long one picture lasts: 30 a second.
pub const VIDEO_FRAME: Duration = Duration::from_micros(33_333);

/// Samples of one Opus packet at its RTP clock of 48 kHz (RFC 7587 §4.1).
pub const AUDIO_TICKS: u32 = 960;

/// Ticks of one picture at the RTP clock of 90 kHz (RFC 7741 §4.1).
pub const VIDEO_TICKS: u32 = 3_000;

/// The payload of one packet, and its place in the RTP stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// RTP payload.
    pub bytes: Bytes,
    /// RTP timestamp, starting at 0.
    pub timestamp: u32,
    /// RTP marker: the last packet of a picture, the first of a talk spurt.
    pub marker: bool,
}

/// What a payload says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Who made it.
    pub source: ParticipantId,
    /// Sound or picture.
    pub kind: MediaKind,
    /// Counts the packets of one source and kind from 0, over all its connections' tracks of one [`Opus`] or [`Vp8`].
    pub sequence: u64,
    /// When it was made, by [`elapsed`].
    pub made_at: Duration,
}

/// A payload as it was read at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// What it says of itself.
    pub mark: Mark,
    /// It begins a picture that needs no other.
    pub keyframe: bool,
    /// The picture it belongs to (RFC 7741 §4.2, 15 bits); `None` for sound.
    pub picture_id: Option<u16>,
}

/// Time since this process first asked: the clock of [`Mark::made_at`], good between participants of one process.
pub fn elapsed() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

/// Reads a payload of `kind`; `None` when it is not whole, or was not made here.
pub fn read(kind: MediaKind, payload: &[u8]) -> Option<Reading> {
    match kind {
        MediaKind::Audio => {
            let mark = read_mark(kind, payload.get(1..)?)?;
            Some(Reading { mark, keyframe: false, picture_id: None })
        }
        MediaKind::Video => read_vp8(payload),
    }
}

/// Makes Opus packets.
#[derive(Debug)]
pub struct Opus {
    source: ParticipantId,
    sequence: u64,
}

impl Opus {
    /// Bytes of one packet: 32 kb/s.
    const BYTES: usize = 80;
    /// TOC byte (RFC 6716 §3.1): full band CELT, 20 ms, mono, one frame.
    const TOC: u8 = 31 << 3;

    /// Begins the sound of `source`.
    pub fn new(source: ParticipantId) -> Self {
        Self { source, sequence: 0 }
    }

    /// The next 20 ms.
    pub fn next_packet(&mut self, made_at: Duration) -> Payload {
        let mark = Mark { source: self.source, kind: MediaKind::Audio, sequence: self.sequence, made_at };
        let mut bytes = BytesMut::with_capacity(Self::BYTES);
        bytes.put_u8(Self::TOC);
        write_mark(&mut bytes, &mark, Self::BYTES);
        let timestamp = ticks(self.sequence, AUDIO_TICKS);
        let marker = self.sequence == 0;
        self.sequence += 1;
        Payload { bytes: bytes.freeze(), timestamp, marker }
    }
}

/// Makes VP8 pictures, each of several packets.
#[derive(Debug)]
pub struct Vp8 {
    source: ParticipantId,
    sequence: u64,
    pictures: u64,
    packets_per_picture: usize,
}

impl Vp8 {
    /// Bytes of one packet, about what browsers send.
    const BYTES: usize = 1_150;
    /// A key frame is this many times the size of another picture.
    const KEYFRAME_FACTOR: usize = 3;
    /// The first picture id, near the end of 15 bits so that every longer test sees it wrap.
    const FIRST_PICTURE_ID: u64 = 0x7fd0;

    /// Begins the picture of `source`; at least one packet a picture is made.
    pub fn new(source: ParticipantId, packets_per_picture: usize) -> Self {
        Self { source, sequence: 0, pictures: 0, packets_per_picture: packets_per_picture.max(1) }
    }

    /// The packets of the next picture; the first picture is a key frame in any case.
    pub fn next_picture(&mut self, keyframe: bool, made_at: Duration) -> Vec<Payload> {
        let keyframe = keyframe || self.pictures == 0;
        let count = self.packets_per_picture * if keyframe { Self::KEYFRAME_FACTOR } else { 1 };
        let packets = (0..count).map(|index| self.packet(index, count, keyframe, made_at)).collect();
        self.pictures += 1;
        packets
    }

    fn packet(&mut self, index: usize, count: usize, keyframe: bool, made_at: Duration) -> Payload {
        let mark = Mark { source: self.source, kind: MediaKind::Video, sequence: self.sequence, made_at };
        self.sequence += 1;
        let mut bytes = BytesMut::with_capacity(Self::BYTES);
        self.write_descriptor(&mut bytes, index == 0);
        if index == 0 {
            write_frame_tag(&mut bytes, keyframe);
        }
        write_mark(&mut bytes, &mark, Self::BYTES);
        Payload { bytes: bytes.freeze(), timestamp: ticks(self.pictures, VIDEO_TICKS), marker: index + 1 == count }
    }

    /// Payload descriptor (RFC 7741 §4.2) with a picture id of 15 bits.
    fn write_descriptor(&self, bytes: &mut BytesMut, starts_partition: bool) {
        bytes.put_u8(if starts_partition { 0x90 } else { 0x80 });
        bytes.put_u8(0x80);
        let picture_id = (Self::FIRST_PICTURE_ID + self.pictures) & 0x7fff;
        bytes.put_u16(0x8000 | u16::try_from(picture_id).expect("fifteen bits fit"));
    }
}

const MAGIC: &[u8; 4] = b"BdSd";
const MARK_BYTES: usize = 4 + 16 + 1 + 8 + 8;

fn ticks(count: u64, each: u32) -> u32 {
    // RTP time wraps (RFC 3550 §5.1): the low 32 bits are what is wanted.
    (count.wrapping_mul(u64::from(each)) & u64::from(u32::MAX)) as u32
}

/// Appends the mark and fills up to `total` bytes with a pattern that depends on it.
fn write_mark(bytes: &mut BytesMut, mark: &Mark, total: usize) {
    bytes.put_slice(MAGIC);
    bytes.put_slice(mark.source.0.as_bytes());
    bytes.put_u8(kind_byte(mark.kind));
    bytes.put_u64(mark.sequence);
    bytes.put_u64(u64::try_from(mark.made_at.as_nanos()).expect("five centuries fit"));
    let fill = total.saturating_sub(bytes.len());
    bytes.put_bytes(filler(mark.sequence), fill);
}

fn read_mark(kind: MediaKind, mut bytes: &[u8]) -> Option<Mark> {
    use bytes::Buf;
    if bytes.len() < MARK_BYTES || !bytes.starts_with(MAGIC) {
        return None;
    }
    bytes.advance(MAGIC.len());
    let mut id = [0; 16];
    bytes.copy_to_slice(&mut id);
    let source = ParticipantId(Uuid::from_bytes(id));
    let right_kind = bytes.get_u8() == kind_byte(kind);
    let sequence = bytes.get_u64();
    let made_at = Duration::from_nanos(bytes.get_u64());
    let whole = bytes.iter().all(|byte| *byte == filler(sequence));
    (right_kind && whole).then_some(Mark { source, kind, sequence, made_at })
}

fn kind_byte(kind: MediaKind) -> u8 {
    match kind {
        MediaKind::Audio => 1,
        MediaKind::Video => 2,
    }
}

fn filler(sequence: u64) -> u8 {
    (sequence % 251) as u8
}

/// The VP8 frame tag (RFC 6386 §9.1): bit 0 clear is a key frame, which goes on with the start code and 640 by 480.
fn write_frame_tag(bytes: &mut BytesMut, keyframe: bool) {
    if keyframe {
        bytes.put_slice(&[0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01]);
    } else {
        bytes.put_slice(&[0x11, 0, 0]);
    }
}

fn read_vp8(payload: &[u8]) -> Option<Reading> {
    let (header, picture_id) = descriptor(payload)?;
    let starts = payload[0] & 0x1f == 0x10;
    let body = payload.get(header..)?;
    let keyframe = starts && body.first()? & 1 == 0;
    let tag = match (starts, keyframe) {
        (false, _) => 0,
        (true, false) => 3,
        (true, true) => 10,
    };
    let mark = read_mark(MediaKind::Video, body.get(tag..)?)?;
    Some(Reading { mark, keyframe, picture_id })
}

/// Length of the payload descriptor and its picture id (RFC 7741 §4.2), which a relay may have rewritten.
fn descriptor(payload: &[u8]) -> Option<(usize, Option<u16>)> {
    let extended = payload.first()? & 0x80 != 0;
    if !extended {
        return Some((1, None));
    }
    let flags = *payload.get(1)?;
    let mut length = 2;
    let mut picture_id = None;
    if flags & 0x80 != 0 {
        let first = *payload.get(2)?;
        if first & 0x80 == 0 {
            picture_id = Some(u16::from(first));
            length += 1;
        } else {
            picture_id = Some(u16::from_be_bytes([first & 0x7f, *payload.get(3)?]));
            length += 2;
        }
    }
    length += usize::from(flags & 0x40 != 0) + usize::from(flags & 0x30 != 0);
    Some((length, picture_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> ParticipantId {
        ParticipantId(Uuid::from_bytes([7; 16]))
    }

    #[test]
    fn sound_says_who_made_it_and_when() {
        let mut opus = Opus::new(source());
        opus.next_packet(Duration::ZERO);
        let packet = opus.next_packet(Duration::from_millis(20));
        let mark = read(MediaKind::Audio, &packet.bytes).expect("a whole packet").mark;
        assert_eq!((mark.source, mark.sequence, mark.made_at), (source(), 1, Duration::from_millis(20)));
        assert_eq!((packet.timestamp, packet.marker, packet.bytes.len()), (960, false, 80));
    }

    #[test]
    fn the_first_picture_is_a_key_frame_and_the_next_is_one_when_asked_for() {
        let mut vp8 = Vp8::new(source(), 3);
        let keyframe = |packets: &[Payload]| read(MediaKind::Video, &packets[0].bytes).expect("whole").keyframe;
        assert!(keyframe(&vp8.next_picture(false, Duration::ZERO)));
        assert!(!keyframe(&vp8.next_picture(false, Duration::ZERO)));
        assert!(keyframe(&vp8.next_picture(true, Duration::ZERO)));
    }

    #[test]
    fn a_picture_is_several_packets_of_one_timestamp_and_id_and_only_the_last_is_marked() {
        let mut vp8 = Vp8::new(source(), 3);
        vp8.next_picture(false, Duration::ZERO);
        let packets = vp8.next_picture(false, Duration::ZERO);
        assert_eq!(packets.iter().map(|p| p.marker).collect::<Vec<_>>(), [false, false, true]);
        assert!(packets.iter().all(|p| p.timestamp == 3_000 && p.bytes.len() == 1_150));
        let ids = packets.iter().map(|p| read(MediaKind::Video, &p.bytes).expect("whole").picture_id);
        assert!(ids.eq([Some(0x7fd1); 3]));
    }

    #[test]
    fn a_picture_id_grows_and_wraps_at_fifteen_bits() {
        let mut vp8 = Vp8::new(source(), 1);
        let ids: Vec<u16> = (0..60)
            .map(|_| read(MediaKind::Video, &vp8.next_picture(false, Duration::ZERO)[0].bytes))
            .map(|reading| reading.expect("whole").picture_id.expect("a picture has an id"))
            .collect();
        assert!(ids.windows(2).all(|pair| pair[1] == (pair[0] + 1) & 0x7fff));
        assert!(ids.contains(&0));
    }

    #[test]
    fn a_damaged_payload_is_not_read() {
        let mut bytes = Opus::new(source()).next_packet(Duration::ZERO).bytes.to_vec();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        assert_eq!(read(MediaKind::Audio, &bytes), None);
        assert_eq!(read(MediaKind::Video, &[]), None);
        assert_eq!(read(MediaKind::Video, &[0x90, 0x80]), None);
    }
}
