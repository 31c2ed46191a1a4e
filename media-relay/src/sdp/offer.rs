//! Reads an offer: who sends what under which SSRC, and which slots wait for others' media.

use super::codec::{Codec, OfferedCodec};
use domain::{
    Redacted,
    media::{MAX_SDP_BYTES, MediaKind, Mid},
    relay::OneWay,
};
use rtc_sdp::{MediaDescription, SessionDescription};
use std::{collections::HashSet, io::Cursor};

/// Media sections in one offer. A full one has own audio, own video and two times four slots.
const MAX_SECTIONS: usize = 24;
/// RFC 8843: a mid fits the one-byte header extension when it has at most 16 bytes.
const MAX_MID_BYTES: usize = 16;

const MID_URI: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
const TRANSPORT_CC_URI: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
const AUDIO_LEVEL_URI: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

/// Why an offer cannot be answered. It says nothing of what was in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadOffer {
    /// Longer than [`MAX_SDP_BYTES`], or not SDP.
    #[error("the offer is not a session description")]
    NotSdp,
    /// More media sections than anybody needs.
    #[error("the offer has too many media sections")]
    TooManySections,
    /// RFC 8839: no `ice-ufrag` or `ice-pwd`.
    #[error("the offer has no ICE credentials")]
    NoIce,
    /// RFC 8122: no sha-256 fingerprint, or a second, different one.
    #[error("the offer has no sha-256 fingerprint")]
    NoFingerprint,
    /// A section without a mid or with one that is used twice.
    #[error("the offer has a media section without a mid of its own")]
    NoMid,
    /// The offerer insists on being the DTLS server.
    #[error("the offer does not let the relay be the DTLS server")]
    NotActive,
    /// An SSRC stands for two things.
    #[error("the offer declares one SSRC twice")]
    SsrcTwice,
    /// Neither sends nor receives anything the relay can pass on.
    #[error("the offer has nothing to publish and nothing to receive")]
    Nothing,
}

/// What the relay needs of an offer.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    /// SHA-256 of the certificate the other side will present.
    pub fingerprint: [u8; 32],
    /// The other side's ICE user fragment: another one later asks for a restart.
    pub ufrag: Redacted<String>,
    /// All sections, in order; those not accepted are answered with port 0.
    pub sections: Vec<Section>,
}

/// One media section.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    /// Its name.
    pub mid: Mid,
    /// The first word of its m-line, to be repeated in the answer.
    pub media: String,
    /// Sound or picture; `None` is rejected.
    pub kind: Option<MediaKind>,
    /// Reduced-size RTCP was offered (RFC 5506).
    pub rtcp_rsize: bool,
    /// The offerer sends media in it.
    pub sends: bool,
    /// The offerer receives in it: a slot.
    pub receives: bool,
    /// Codecs the relay passes on, in the order of the answer.
    pub codecs: Vec<OfferedCodec>,
    /// Header extensions.
    pub extensions: ExtensionIds,
    /// The declared SSRC of what is sent.
    pub ssrc: Option<u32>,
    /// The declared SSRC of its retransmissions (`FID`).
    pub rtx_ssrc: Option<u32>,
}

/// The ids of the header extensions the relay uses, where offered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ExtensionIds {
    /// RFC 8843 media identification.
    pub mid: Option<u8>,
    /// Transport-wide sequence number.
    pub transport_cc: Option<u8>,
    /// RFC 6464 audio level.
    pub audio_level: Option<u8>,
}

/// Reads an offer.
pub(crate) fn parse_offer(sdp: &str) -> Result<Offer, BadOffer> {
    if sdp.len() > MAX_SDP_BYTES {
        return Err(BadOffer::NotSdp);
    }
    let session = SessionDescription::unmarshal(&mut Cursor::new(sdp.as_bytes())).map_err(|_| BadOffer::NotSdp)?;
    if session.media_descriptions.len() > MAX_SECTIONS {
        return Err(BadOffer::TooManySections);
    }
    let ufrag = check_ice(&session)?;
    let fingerprint = fingerprint(&session)?;
    let sections = session.media_descriptions.iter().map(section).collect::<Result<Vec<_>, _>>()?;
    check_distinct(&sections)?;
    if !sections.iter().any(|s| s.kind.is_some() && (s.sends || s.receives)) {
        return Err(BadOffer::Nothing);
    }
    Ok(Offer { fingerprint, ufrag, sections })
}

impl Offer {
    /// What is left of it when media flows one way only.
    pub(crate) fn one_way(mut self, way: OneWay) -> Result<Self, BadOffer> {
        for section in &mut self.sections {
            match way {
                OneWay::Publish => section.receives = false,
                OneWay::Receive => section.sends = false,
            }
        }
        let is_something = self.sections.iter().any(|s| s.kind.is_some() && (s.sends || s.receives));
        if is_something { Ok(self) } else { Err(BadOffer::Nothing) }
    }
}

/// Every value of an attribute, session level first.
fn values<'a>(session: &'a SessionDescription, key: &'a str) -> impl Iterator<Item = &'a str> {
    let media = session.media_descriptions.iter().flat_map(|m| m.attributes.iter());
    session.attributes.iter().chain(media).filter(move |a| a.key == key).filter_map(|a| a.value.as_deref())
}

/// The offerer's user fragment. The relay is lite and never checks, so it needs no more; a client without is no ICE client.
fn check_ice(session: &SessionDescription) -> Result<Redacted<String>, BadOffer> {
    let ufrag = values(session, "ice-ufrag").next().ok_or(BadOffer::NoIce)?.trim().to_owned();
    values(session, "ice-pwd").next().ok_or(BadOffer::NoIce)?;
    if values(session, "setup").any(|setup| setup.trim() == "passive") {
        return Err(BadOffer::NotActive);
    }
    Ok(Redacted::new(ufrag))
}

fn fingerprint(session: &SessionDescription) -> Result<[u8; 32], BadOffer> {
    let mut found = None;
    for value in values(session, "fingerprint") {
        let Some((algorithm, hex)) = value.trim().split_once(' ') else { continue };
        if !algorithm.eq_ignore_ascii_case("sha-256") {
            continue;
        }
        let parsed = parse_fingerprint(hex.trim()).ok_or(BadOffer::NoFingerprint)?;
        if found.is_some_and(|earlier| earlier != parsed) {
            return Err(BadOffer::NoFingerprint);
        }
        found = Some(parsed);
    }
    found.ok_or(BadOffer::NoFingerprint)
}

fn parse_fingerprint(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let mut parts = hex.split(':');
    for byte in &mut bytes {
        *byte = parts.next().filter(|part| part.len() == 2).and_then(|part| u8::from_str_radix(part, 16).ok())?;
    }
    parts.next().is_none().then_some(bytes)
}

fn section(media: &MediaDescription) -> Result<Section, BadOffer> {
    let mid = attribute(media, "mid").filter(|mid| is_token(mid)).ok_or(BadOffer::NoMid)?;
    let codecs = codecs(media);
    let kind = match media.media_name.media.as_str() {
        "audio" => Some(MediaKind::Audio),
        "video" => Some(MediaKind::Video),
        _ => None,
    };
    let rejected = media.media_name.port.value == 0 && !media.has_attribute("bundle-only");
    let (ssrc, rtx_ssrc) = ssrcs(media);
    let inactive = media.has_attribute("inactive");
    let media_word =
        if is_token(&media.media_name.media) { media.media_name.media.clone() } else { "application".into() };
    Ok(Section {
        mid: Mid(mid.to_owned()),
        media: media_word,
        kind: kind.filter(|_| !codecs.is_empty() && !rejected && media.has_attribute("rtcp-mux")),
        rtcp_rsize: media.has_attribute("rtcp-rsize"),
        sends: !inactive && !media.has_attribute("recvonly"),
        receives: !inactive && !media.has_attribute("sendonly"),
        codecs,
        extensions: extensions(media),
        ssrc,
        rtx_ssrc,
    })
}

fn attribute<'a>(media: &'a MediaDescription, key: &str) -> Option<&'a str> {
    media.attribute(key).flatten().map(str::trim)
}

/// What is repeated in an answer must not be able to break out of its line.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_MID_BYTES
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.{}".contains(&b))
}

fn codecs(media: &MediaDescription) -> Vec<OfferedCodec> {
    let is_kind = |codec: &Codec| match codec.kind() {
        MediaKind::Audio => media.media_name.media == "audio",
        MediaKind::Video => media.media_name.media == "video",
    };
    let lines = |key: &'static str| {
        let of_key = media.attributes.iter().filter(move |a| a.key == key);
        of_key.filter_map(|a| a.value.as_deref()).filter_map(|v| v.trim().split_once(' '))
    };
    let fmtp_of = |pt: &str| lines("fmtp").find(|(of, _)| *of == pt).map_or("", |(_, fmtp)| fmtp.trim());
    let rtx_of = |pt: u8| {
        let is_rtx = |(_, map): &(&str, &str)| map.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("rtx/"));
        let apt = format!("apt={pt}");
        lines("rtpmap").filter(is_rtx).find(|(rtx, _)| fmtp_of(rtx).split(';').any(|p| p.trim() == apt))?.0.parse().ok()
    };
    let mut codecs: Vec<OfferedCodec> = lines("rtpmap")
        .filter_map(|(pt, map)| {
            let mut parts = map.trim().split('/');
            let (name, clock_rate) = (parts.next()?, parts.next()?.parse().ok()?);
            let fmtp = fmtp_of(pt);
            let codec = Codec::parse(name, clock_rate, fmtp).filter(is_kind)?;
            let payload_type: u8 = pt.parse().ok().filter(|pt| *pt < 128)?;
            let wanted = ["transport-cc", "ccm fir", "nack", "nack pli"];
            let feedback = wanted
                .into_iter()
                .filter(|fb| lines("rtcp-fb").any(|(of, v)| (of == pt || of == "*") && v.trim() == *fb));
            Some(OfferedCodec {
                payload_type,
                rtx_payload_type: rtx_of(payload_type).filter(|pt| *pt < 128),
                rtpmap: canonical_rtpmap(&codec),
                fmtp: fmtp.to_owned(),
                feedback: feedback.collect(),
                codec,
            })
        })
        .collect();
    codecs.sort_by_key(|codec| codec.codec.preference());
    codecs
}

fn canonical_rtpmap(codec: &Codec) -> String {
    match codec {
        Codec::Opus => "opus/48000/2",
        Codec::Vp8 => "VP8/90000",
        Codec::H264 { .. } => "H264/90000",
        Codec::Vp9 { .. } => "VP9/90000",
        Codec::Av1 { .. } => "AV1/90000",
    }
    .to_owned()
}

fn extensions(media: &MediaDescription) -> ExtensionIds {
    let id_of = |uri: &str| {
        let maps = media.attributes.iter().filter(|a| a.key == "extmap").filter_map(|a| a.value.as_deref());
        maps.filter_map(|value| {
            let mut words = value.split_whitespace();
            let id = words.next()?.split('/').next()?.parse::<u8>().ok()?;
            (words.next()? == uri).then_some(id)
        })
        // RFC 8285: the one-byte form, which the relay writes, has the ids 1 to 14.
        .find(|id| (1..=14).contains(id))
    };
    ExtensionIds { mid: id_of(MID_URI), transport_cc: id_of(TRANSPORT_CC_URI), audio_level: id_of(AUDIO_LEVEL_URI) }
}

/// The SSRC of the first encoding and of its retransmissions.
fn ssrcs(media: &MediaDescription) -> (Option<u32>, Option<u32>) {
    let values =
        |key: &'static str| media.attributes.iter().filter(move |a| a.key == key).filter_map(|a| a.value.as_deref());
    let number = |word: &str| word.parse::<u32>().ok();
    let declared: Vec<u32> = values("ssrc").filter_map(|v| v.split_whitespace().next()).filter_map(number).collect();
    let mut groups = values("ssrc-group").filter_map(|v| v.strip_prefix("FID ")).filter_map(|v| {
        let mut words = v.split_whitespace().filter_map(number);
        Some((words.next()?, words.next()?))
    });
    match groups.find(|(a, b)| declared.contains(a) && declared.contains(b)) {
        Some((ssrc, rtx)) => (Some(ssrc), Some(rtx)),
        None => (declared.first().copied(), None),
    }
}

fn check_distinct(sections: &[Section]) -> Result<(), BadOffer> {
    let mut mids = HashSet::new();
    if !sections.iter().all(|s| mids.insert(&s.mid)) {
        return Err(BadOffer::NoMid);
    }
    let mut seen = HashSet::new();
    let declared = sections.iter().filter(|s| s.sends).flat_map(|s| s.ssrc.into_iter().chain(s.rtx_ssrc));
    if declared.into_iter().all(|ssrc| seen.insert(ssrc)) { Ok(()) } else { Err(BadOffer::SsrcTwice) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::samples::{AIORTC, CHROMIUM, FIREFOX, GSTREAMER};
    use proptest::prelude::*;

    fn sections(offer: &Offer, kind: MediaKind, sends: bool) -> Vec<&Section> {
        offer.sections.iter().filter(|s| s.kind == Some(kind) && s.sends == sends && s.receives != sends).collect()
    }

    fn refusal(sdp: &str) -> BadOffer {
        parse_offer(sdp).expect_err("to be refused")
    }

    #[test]
    fn both_browsers_publish_sound_and_picture_and_offer_four_slots_of_each() {
        for (sample, opus, vp8, rtx) in [(CHROMIUM, 111, 96, 97), (FIREFOX, 109, 120, 124)] {
            let offer = parse_offer(sample).unwrap();
            for kind in [MediaKind::Audio, MediaKind::Video] {
                assert_eq!(sections(&offer, kind, true).len(), 1);
                assert_eq!(sections(&offer, kind, false).len(), 4);
            }
            let (sound, picture) =
                (sections(&offer, MediaKind::Audio, true)[0], sections(&offer, MediaKind::Video, true)[0]);
            assert_eq!((sound.codecs.len(), sound.codecs[0].payload_type), (1, opus));
            assert_eq!(picture.codecs[0].codec, Codec::Vp8);
            assert_eq!((picture.codecs[0].payload_type, picture.codecs[0].rtx_payload_type), (vp8, Some(rtx)));
            assert_eq!(picture.codecs[0].feedback, ["transport-cc", "ccm fir", "nack", "nack pli"]);
            assert!(sound.ssrc.is_some() && sound.rtx_ssrc.is_none());
            assert!(picture.ssrc.is_some() && picture.rtx_ssrc.is_some() && picture.ssrc != picture.rtx_ssrc);
            let ids = picture.extensions;
            assert!(ids.mid.is_some() && ids.transport_cc.is_some() && ids.audio_level.is_none());
            assert!(sound.extensions.audio_level.is_some());
        }
    }

    #[test]
    fn a_camera_on_gstreamer_publishes_sound_and_picture_and_receives_nothing() {
        let offer = parse_offer(GSTREAMER).unwrap().one_way(OneWay::Publish).unwrap();
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let section = sections(&offer, kind, true)[0];
            assert!(section.ssrc.is_some() && section.extensions == ExtensionIds::default());
            assert_eq!(section.codecs.len(), 1);
        }
        assert_eq!(refusal_one_way(GSTREAMER, OneWay::Receive), BadOffer::Nothing);
    }

    #[test]
    fn a_screen_on_aiortc_receives_sound_and_picture_and_publishes_nothing() {
        let offer = parse_offer(AIORTC).unwrap().one_way(OneWay::Receive).unwrap();
        for kind in [MediaKind::Audio, MediaKind::Video] {
            assert_eq!(sections(&offer, kind, false).len(), 1);
        }
        assert_eq!(refusal_one_way(AIORTC, OneWay::Publish), BadOffer::Nothing);
    }

    #[test]
    fn who_offers_both_ways_is_taken_one_way() {
        let both = GSTREAMER.replace("a=sendonly", "a=sendrecv");
        let offer = parse_offer(&both).unwrap().one_way(OneWay::Publish).unwrap();
        assert!(offer.sections.iter().all(|section| section.sends && !section.receives));
    }

    fn refusal_one_way(sdp: &str, way: OneWay) -> BadOffer {
        parse_offer(sdp).unwrap().one_way(way).expect_err("to be refused")
    }

    #[test]
    fn what_lacks_identity_or_credentials_is_refused() {
        assert_eq!(refusal("hello"), BadOffer::NotSdp);
        assert_eq!(refusal(&"v=0\r\n".repeat(MAX_SDP_BYTES)), BadOffer::NotSdp);
        assert_eq!(refusal(&FIREFOX.replace("a=ice-pwd", "a=x-pwd")), BadOffer::NoIce);
        assert_eq!(refusal(&FIREFOX.replace("sha-256", "sha-1")), BadOffer::NoFingerprint);
        assert_eq!(
            refusal(&FIREFOX.replace("a=fingerprint:sha-256 ", "a=fingerprint:sha-256 AA:")),
            BadOffer::NoFingerprint
        );
        assert_eq!(refusal(&FIREFOX.replace("setup:actpass", "setup:passive")), BadOffer::NotActive);
        assert_eq!(refusal(&FIREFOX.replace("a=mid:2", "a=mid:1")), BadOffer::NoMid);
        assert_eq!(refusal(&FIREFOX.replace("a=mid:2", "a=mid:2 x")), BadOffer::NoMid);
        assert_eq!(refusal(&FIREFOX.replace("m=audio", "m=text").replace("m=video", "m=text")), BadOffer::Nothing);
        let section = "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:x\r\n";
        assert_eq!(refusal(&format!("{FIREFOX}{}", section.repeat(1_000))), BadOffer::TooManySections);
    }

    #[test]
    fn one_ssrc_for_two_things_is_refused() {
        let picture = sections(&parse_offer(FIREFOX).unwrap(), MediaKind::Video, true)[0].ssrc.unwrap().to_string();
        let sound = sections(&parse_offer(FIREFOX).unwrap(), MediaKind::Audio, true)[0].ssrc.unwrap().to_string();
        assert_eq!(refusal(&FIREFOX.replace(&sound, &picture)), BadOffer::SsrcTwice);
    }

    proptest! {
        /// A line lost, doubled or cut leads to an offer or a refusal, never to a panic.
        #[test]
        fn a_mangled_offer_does_not_panic(line in 0_usize..400, cut in 0_usize..80, double in any::<bool>()) {
            let mut lines: Vec<&str> = CHROMIUM.lines().collect();
            let line = line.min(lines.len() - 1);
            let text = lines[line];
            lines[line] = text.get(..cut).unwrap_or("");
            if double {
                lines.insert(line, text);
            }
            let _ = parse_offer(&lines.join("\r\n"));
        }
    }
}
