//! The codecs, feedback and header extensions that a headless participant offers: those of a browser that count for a relay.

use rtc::{
    peer_connection::configuration::media_engine::{MIME_TYPE_OPUS, MIME_TYPE_RTX, MIME_TYPE_VP8, MediaEngine},
    rtp_transceiver::rtp_sender::{
        RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
    },
    shared::error::Result,
};

/// RTP payload type of Opus in our offers; any dynamic number would do.
pub const OPUS_PAYLOAD_TYPE: u8 = 111;

/// RTP payload type of VP8 in our offers.
pub const VP8_PAYLOAD_TYPE: u8 = 96;

const RTX_PAYLOAD_TYPE: u8 = 97;

/// Everything that is offered.
///
/// # Errors
/// Never, with what is registered here; the crate cannot know.
pub fn media_engine() -> Result<MediaEngine> {
    let mut engine = MediaEngine::default();
    engine.register_codec(parameters(opus(), OPUS_PAYLOAD_TYPE), RtpCodecKind::Audio)?;
    engine.register_codec(parameters(vp8(), VP8_PAYLOAD_TYPE), RtpCodecKind::Video)?;
    engine.register_codec(parameters(rtx(), RTX_PAYLOAD_TYPE), RtpCodecKind::Video)?;
    for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
        let uri = rtc::sdp::extmap::TRANSPORT_CC_URI.to_owned();
        engine.register_header_extension(RTCRtpHeaderExtensionCapability { uri }, kind, None)?;
        engine.register_feedback(feedback("transport-cc", ""), kind);
    }
    for (typ, parameter) in [("nack", ""), ("nack", "pli"), ("ccm", "fir")] {
        engine.register_feedback(feedback(typ, parameter), RtpCodecKind::Video);
    }
    Ok(engine)
}

/// Opus as browsers offer it (RFC 7587 §7).
pub fn opus() -> RTCRtpCodec {
    codec(MIME_TYPE_OPUS, 48_000, 2, "minptime=10;useinbandfec=1")
}

/// VP8 (RFC 7741 §6).
pub fn vp8() -> RTCRtpCodec {
    codec(MIME_TYPE_VP8, 90_000, 0, "")
}

fn rtx() -> RTCRtpCodec {
    codec(MIME_TYPE_RTX, 90_000, 0, &format!("apt={VP8_PAYLOAD_TYPE}"))
}

fn codec(mime_type: &str, clock_rate: u32, channels: u16, sdp_fmtp_line: &str) -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: mime_type.to_owned(),
        clock_rate,
        channels,
        sdp_fmtp_line: sdp_fmtp_line.to_owned(),
        rtcp_feedback: Vec::new(),
    }
}

fn parameters(rtp_codec: RTCRtpCodec, payload_type: u8) -> RTCRtpCodecParameters {
    RTCRtpCodecParameters { rtp_codec, payload_type }
}

fn feedback(typ: &str, parameter: &str) -> RTCPFeedback {
    RTCPFeedback { typ: typ.to_owned(), parameter: parameter.to_owned() }
}
