//! Finds the first packet of a keyframe by its payload, codec by codec.

use crate::sdp::Codec;

/// Whether a receiver can begin to decode with this packet.
///
/// For sound every packet is one. For pictures it is the first packet of a keyframe, or for H.264 of the
/// parameter sets before it.
pub(crate) fn starts_keyframe(codec: &Codec, payload: &[u8]) -> bool {
    match codec {
        Codec::Opus => true,
        Codec::Vp8 => vp8(payload).unwrap_or(false),
        Codec::H264 { .. } => h264(payload),
        Codec::Vp9 { .. } => vp9(payload),
        Codec::Av1 { .. } => av1(payload),
    }
}

/// RFC 7741 §4.2: start of partition 0 whose frame tag says "key".
fn vp8(payload: &[u8]) -> Option<bool> {
    let first = *payload.first()?;
    let starts = first & 0x10 != 0 && first & 0x07 == 0;
    let mut at = 1;
    if first & 0x80 != 0 {
        let extended = *payload.get(at)?;
        at += 1;
        if extended & 0x80 != 0 {
            at += if payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
        }
        at += usize::from(extended & 0x40 != 0) + usize::from(extended & 0x30 != 0);
    }
    Some(starts && payload.get(at)? & 0x01 == 0)
}

/// RFC 6184: a sequence parameter set or an IDR slice, alone, aggregated or as a first fragment.
fn h264(payload: &[u8]) -> bool {
    const IDR: u8 = 5;
    const SPS: u8 = 7;
    const STAP_A: u8 = 24;
    const FU_A: u8 = 28;
    let kind = |byte: u8| byte & 0x1f;
    match payload {
        [first, ..] if matches!(kind(*first), IDR | SPS) => true,
        [first, rest @ ..] if kind(*first) == STAP_A => {
            let mut rest = rest;
            while let [high, low, unit, ..] = rest {
                if matches!(kind(*unit), IDR | SPS) {
                    return true;
                }
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                rest = rest.get(2 + length..).unwrap_or(&[]);
            }
            false
        }
        [first, fragment, ..] if kind(*first) == FU_A => fragment & 0x80 != 0 && matches!(kind(*fragment), IDR | SPS),
        _ => false,
    }
}

/// RFC 9628 §4.2: begins a frame, is not predicted from another, and is of the lowest spatial layer.
fn vp9(payload: &[u8]) -> bool {
    let Some(first) = payload.first() else { return false };
    let (has_id, predicted, has_layers, begins) =
        (first & 0x80 != 0, first & 0x40 != 0, first & 0x20 != 0, first & 0x08 != 0);
    let mut at = 1;
    if has_id {
        at += if payload.get(at).is_some_and(|b| b & 0x80 != 0) { 2 } else { 1 };
    }
    let spatial = if has_layers { payload.get(at).map_or(0, |b| b >> 1 & 0x07) } else { 0 };
    begins && !predicted && spatial == 0
}

/// AV1 RTP payload specification §4.4: N, the first packet of a coded video sequence.
fn av1(payload: &[u8]) -> bool {
    payload.first().is_some_and(|first| first & 0x08 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const H264: Codec = Codec::H264 { packetization_mode: 1, profile: 0x42e0 };

    #[test]
    fn vp8_keyframes_begin_where_partition_0_begins_with_the_key_bit_clear() {
        assert!(starts_keyframe(&Codec::Vp8, &[0x10, 0x00]));
        assert!(!starts_keyframe(&Codec::Vp8, &[0x10, 0x01]), "delta frame");
        assert!(!starts_keyframe(&Codec::Vp8, &[0x00, 0x00]), "continuation");
        assert!(starts_keyframe(&Codec::Vp8, &[0x90, 0xe0, 0x81, 0x02, 0x05, 0x20, 0x00]), "with every extension");
        assert!(!starts_keyframe(&Codec::Vp8, &[0x90, 0xe0]), "cut short");
        assert!(!starts_keyframe(&Codec::Vp8, &[]));
    }

    #[test]
    fn h264_keyframes_begin_with_parameter_sets_or_idr() {
        assert!(starts_keyframe(&H264, &[0x67, 1, 2]));
        assert!(starts_keyframe(&H264, &[0x65, 1, 2]));
        assert!(starts_keyframe(&H264, &[0x78, 0, 1, 0x09, 0, 2, 0x67, 0x42]), "aggregated");
        assert!(starts_keyframe(&H264, &[0x7c, 0x85, 1]));
        assert!(!starts_keyframe(&H264, &[0x7c, 0x05, 1]), "a later fragment");
        assert!(!starts_keyframe(&H264, &[0x61, 1, 2]));
        assert!(!starts_keyframe(&H264, &[0x78, 0xff, 0xff, 0x09]), "a length that lies");
    }

    #[test]
    fn vp9_and_av1_keyframes_are_found() {
        let vp9 = Codec::Vp9 { profile: 0 };
        assert!(starts_keyframe(&vp9, &[0x88, 0x05]));
        assert!(!starts_keyframe(&vp9, &[0xc8, 0x05]), "predicted");
        assert!(!starts_keyframe(&vp9, &[0xa8, 0x05, 0x02]), "a higher spatial layer");
        let av1 = Codec::Av1 { profile: 0 };
        assert!(starts_keyframe(&av1, &[0x18]));
        assert!(!starts_keyframe(&av1, &[0x10]));
    }
}
