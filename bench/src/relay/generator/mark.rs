//! What a payload says of itself, behind a real Opus or VP8 beginning: which room, whose, which packet, when it was sent.

use domain::media::MediaKind;
use std::time::Duration;

const MAGIC: [u8; 4] = *b"BdBn";
/// Magic, room, participant, four numbers of a byte, frame, sequence, sending time.
pub(super) const MARK_BYTES: usize = 4 + 4 + 4 + 4 + 4 + 8 + 8;
const IS_VIDEO: u8 = 1;
const IS_KEYFRAME: u8 = 2;

/// TOC byte (RFC 6716 §3.1): full band CELT, 20 ms, mono, one frame.
const OPUS_TOC: u8 = 31 << 3;
/// VP8 frame tag, start code and 640 by 480 of a key frame (RFC 6386 §9.1).
const KEYFRAME_TAG: [u8; 10] = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01];
const FRAME_TAG: [u8; 3] = [0x11, 0, 0];

/// What one packet says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub room: u32,
    pub participant: u32,
    pub kind: MediaKind,
    /// It belongs to a key frame.
    pub keyframe: bool,
    /// Which encoding, from 0.
    pub layer: u8,
    /// Which packet of its frame, from 0.
    pub place: u8,
    /// How many packets the frame has.
    pub packets: u8,
    /// Counts the frames of the track.
    pub frame: u32,
    /// Counts the packets of one encoding from 0.
    pub sequence: u64,
    /// When it was handed to the kernel, since the epoch.
    pub sent_at: Duration,
}

/// Appends `size` bytes of sound.
pub(super) fn write_opus(bytes: &mut Vec<u8>, mark: &Mark, size: usize) {
    let start = bytes.len();
    bytes.push(OPUS_TOC);
    write_mark(bytes, mark);
    fill(bytes, start + size);
}

/// Appends `size` bytes of a picture: payload descriptor with a picture id of 15 bits (RFC 7741 §4.2), frame tag, mark.
pub(super) fn write_vp8(bytes: &mut Vec<u8>, mark: &Mark, picture_id: u16, begins: bool, size: usize) {
    let start = bytes.len();
    let [high, low] = (picture_id | 0x8000).to_be_bytes();
    bytes.extend_from_slice(&[if begins { 0x90 } else { 0x80 }, 0x80, high, low]);
    match (begins, mark.keyframe) {
        (true, true) => bytes.extend_from_slice(&KEYFRAME_TAG),
        (true, false) => bytes.extend_from_slice(&FRAME_TAG),
        (false, _) => {}
    }
    write_mark(bytes, mark);
    fill(bytes, start + size);
}

fn write_mark(bytes: &mut Vec<u8>, mark: &Mark) {
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&mark.room.to_be_bytes());
    bytes.extend_from_slice(&mark.participant.to_be_bytes());
    let video = if mark.kind == MediaKind::Video { IS_VIDEO } else { 0 };
    let keyframe = if mark.keyframe { IS_KEYFRAME } else { 0 };
    bytes.extend_from_slice(&[video | keyframe, mark.layer, mark.place, mark.packets]);
    bytes.extend_from_slice(&mark.frame.to_be_bytes());
    bytes.extend_from_slice(&mark.sequence.to_be_bytes());
    bytes.extend_from_slice(&u64::try_from(mark.sent_at.as_nanos()).unwrap_or(u64::MAX).to_be_bytes());
}

fn fill(bytes: &mut Vec<u8>, until: usize) {
    bytes.resize(until.max(bytes.len()), 0x5a);
}

/// Reads a payload; `None` when it was not made here.
pub(super) fn read(kind: MediaKind, payload: &[u8]) -> Option<Mark> {
    let skipped = match kind {
        MediaKind::Audio => 1,
        MediaKind::Video => vp8_prefix(payload)?,
    };
    let bytes: &[u8; MARK_BYTES] = payload.get(skipped..)?.first_chunk()?;
    let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("4 bytes"));
    let long = |at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
    let right_kind = (bytes[12] & IS_VIDEO != 0) == (kind == MediaKind::Video);
    (bytes[..4] == MAGIC && right_kind).then(|| Mark {
        room: word(4),
        participant: word(8),
        kind,
        keyframe: bytes[12] & IS_KEYFRAME != 0,
        layer: bytes[13],
        place: bytes[14],
        packets: bytes[15],
        frame: word(16),
        sequence: long(20),
        sent_at: Duration::from_nanos(long(28)),
    })
}

/// Length of payload descriptor and frame tag; a relay may have changed the numbers in it, and their length.
fn vp8_prefix(payload: &[u8]) -> Option<usize> {
    let first = *payload.first()?;
    let mut length = 1;
    if first & 0x80 != 0 {
        let flags = *payload.get(1)?;
        length = 2;
        if flags & 0x80 != 0 {
            length += if payload.get(2)? & 0x80 != 0 { 2 } else { 1 };
        }
        length += usize::from(flags & 0x40 != 0) + usize::from(flags & 0x30 != 0);
    }
    if first & 0x1f != 0x10 {
        return Some(length);
    }
    let is_delta = payload.get(length)? & 1 != 0;
    Some(length + if is_delta { FRAME_TAG.len() } else { KEYFRAME_TAG.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(kind: MediaKind, keyframe: bool) -> Mark {
        let sent_at = Duration::from_nanos(1_700_000_000_123_456_789);
        let (place, packets, frame, sequence) = (3, 21, 1 << 30, 1 << 40);
        Mark { room: 7, participant: 1, kind, keyframe, layer: 2, place, packets, frame, sequence, sent_at }
    }

    #[test]
    fn what_is_written_is_read() {
        for (keyframe, begins) in [(true, true), (false, true), (true, false), (false, false)] {
            let (mark, mut bytes) = (mark(MediaKind::Video, keyframe), Vec::new());
            write_vp8(&mut bytes, &mark, 0x7fff, begins, 1_120);
            assert_eq!((bytes.len(), read(MediaKind::Video, &bytes)), (1_120, Some(mark)));
        }
        let (mark, mut bytes) = (mark(MediaKind::Audio, false), Vec::new());
        write_opus(&mut bytes, &mark, 80);
        assert_eq!((bytes.len(), read(MediaKind::Audio, &bytes)), (80, Some(mark)));
    }

    #[test]
    fn a_shorter_picture_id_and_more_fields_do_not_hide_it() {
        let (mark, mut bytes) = (mark(MediaKind::Video, false), Vec::new());
        write_vp8(&mut bytes, &mark, 5, false, 200);
        let mut other = vec![0x80, 0xe0, 0x05, 0x01, 0x20];
        other.extend_from_slice(&bytes[4..]);
        assert_eq!(read(MediaKind::Video, &other), Some(mark));
    }

    #[test]
    fn noise_is_nothing() {
        assert_eq!(read(MediaKind::Video, &[0x90, 0x80, 0x80]), None);
        assert_eq!(read(MediaKind::Audio, &[0; 80]), None);
    }
}
