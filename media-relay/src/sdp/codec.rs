//! Which codecs the relay passes on, and when two payload types of different browsers mean the same.

use domain::media::MediaKind;

/// What a payload type stands for, without what may differ between two browsers that understand each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Codec {
    /// RFC 7587.
    Opus,
    /// RFC 7741.
    Vp8,
    /// RFC 6184: packetization mode and the first two bytes of `profile-level-id` (the level may differ).
    H264 { packetization_mode: u8, profile: u16 },
    /// RFC 9628: `profile-id`.
    Vp9 { profile: u8 },
    /// AV1 RTP payload specification: `profile`.
    Av1 { profile: u8 },
}

impl Codec {
    /// Reads an `a=rtpmap` with its `a=fmtp`; `None` for what the relay does not pass on.
    ///
    /// RED and FEC are not passed on: a receiver that lacks them would get nothing.
    pub(crate) fn parse(name: &str, clock_rate: u32, fmtp: &str) -> Option<Self> {
        match (name.to_ascii_lowercase().as_str(), clock_rate) {
            ("opus", 48_000) => Some(Self::Opus),
            ("vp8", 90_000) => Some(Self::Vp8),
            ("h264", 90_000) => Some(Self::H264 {
                packetization_mode: parameter(fmtp, "packetization-mode").and_then(|v| v.parse().ok()).unwrap_or(0),
                profile: h264_profile(fmtp),
            }),
            ("vp9", 90_000) => Some(Self::Vp9 { profile: number(fmtp, "profile-id") }),
            ("av1", 90_000) => Some(Self::Av1 { profile: number(fmtp, "profile") }),
            _ => None,
        }
    }

    /// Sound or picture.
    pub(crate) fn kind(&self) -> MediaKind {
        match self {
            Self::Opus => MediaKind::Audio,
            _ => MediaKind::Video,
        }
    }

    /// RTP clock in ticks per second.
    pub(crate) fn clock_rate(&self) -> u32 {
        match self {
            Self::Opus => 48_000,
            _ => 90_000,
        }
    }

    /// The place in an answer. VP8 stands first since every WebRTC browser decodes it (RFC 7742 §5):
    /// nobody can know yet who will join later and with what.
    pub(crate) fn preference(&self) -> u8 {
        match self {
            Self::Opus | Self::Vp8 => 0,
            Self::H264 { .. } => 1,
            Self::Vp9 { .. } => 2,
            Self::Av1 { .. } => 3,
        }
    }
}

/// One codec of a media section, with the offerer's numbering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OfferedCodec {
    /// What it is.
    pub codec: Codec,
    /// The payload type.
    pub payload_type: u8,
    /// The payload type of its retransmissions (RFC 4588), when offered.
    pub rtx_payload_type: Option<u8>,
    /// `name/clock[/channels]` as offered.
    pub rtpmap: String,
    /// Format parameters as offered, may be empty.
    pub fmtp: String,
    /// Feedback the relay makes use of, among what was offered.
    pub feedback: Vec<&'static str>,
}

/// The value of `name` in a list of format parameters.
fn parameter<'a>(fmtp: &'a str, name: &str) -> Option<&'a str> {
    fmtp.split(';')
        .filter_map(|p| p.trim().split_once('='))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|p| p.1)
}

fn number(fmtp: &str, name: &str) -> u8 {
    parameter(fmtp, name).and_then(|v| v.trim().parse().ok()).unwrap_or(0)
}

fn h264_profile(fmtp: &str) -> u16 {
    // RFC 6184 §8.1: without profile-level-id, Baseline is meant.
    parameter(fmtp, "profile-level-id")
        .and_then(|id| id.get(..4))
        .and_then(|id| u16::from_str_radix(id, 16).ok())
        .unwrap_or(0x4200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_codec_is_recognised_under_another_browsers_parameters() {
        let chromium = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f";
        let firefox = "profile-level-id=42e00d;level-asymmetry-allowed=1;packetization-mode=1";
        assert_eq!(Codec::parse("H264", 90_000, chromium), Codec::parse("h264", 90_000, firefox));
        assert_ne!(
            Codec::parse("H264", 90_000, chromium),
            Codec::parse("H264", 90_000, "packetization-mode=0;profile-level-id=42e01f")
        );
        assert_ne!(Codec::parse("VP9", 90_000, "profile-id=0"), Codec::parse("VP9", 90_000, "profile-id=2"));
    }

    #[test]
    fn what_is_not_passed_on_is_not_a_codec() {
        assert_eq!(Codec::parse("red", 48_000, "111/111"), None);
        assert_eq!(Codec::parse("telephone-event", 8_000, ""), None);
        assert_eq!(Codec::parse("rtx", 90_000, "apt=96"), None);
    }
}
