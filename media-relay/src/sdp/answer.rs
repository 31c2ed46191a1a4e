//! Writes the answer: ICE-lite, DTLS server, all candidates, and a fixed SSRC for each slot.

use super::offer::Section;
use domain::media::Mid;
use std::{fmt::Write, net::SocketAddr};

/// The SSRCs under which a slot's media arrives, whoever its source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SlotSsrcs {
    /// Media.
    pub media: u32,
    /// Retransmissions.
    pub rtx: u32,
}

/// All that goes into an answer.
pub(crate) struct AnswerParts<'a> {
    /// The offer's sections with what the relay makes of each.
    pub sections: Vec<(&'a Section, Role)>,
    /// Session id, any number (RFC 8866 §5.2).
    pub session: u64,
    /// The relay's ICE user fragment.
    pub ufrag: &'a str,
    /// The relay's ICE password.
    pub password: &'a str,
    /// SHA-256 of the relay's certificate.
    pub fingerprint: [u8; 32],
    /// Where the relay is reached, best first.
    pub candidates: &'a [SocketAddr],
}

/// What the relay does in a media section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Nothing.
    Rejected,
    /// Receives, or sends, or both.
    Accepted {
        /// The relay receives what the offerer publishes.
        receives: bool,
        /// The relay sends in this slot: its number among the slots of its kind, and its SSRCs.
        slot: Option<(usize, SlotSsrcs)>,
    },
}

/// Writes the answer.
pub(crate) fn write_answer(parts: &AnswerParts<'_>) -> String {
    let mut sdp = String::with_capacity(4096 + parts.sections.len() * 1024);
    session_part(&mut sdp, parts).expect("writing to a string");
    let first = parts.sections.iter().position(|(_, role)| *role != Role::Rejected);
    for (index, (section, role)) in parts.sections.iter().enumerate() {
        // RFC 8843: with BUNDLE the candidates of the first accepted section serve all.
        let candidates: &[SocketAddr] = if Some(index) == first { parts.candidates } else { &[] };
        section_part(&mut sdp, parts, section, role, candidates).expect("writing to a string");
    }
    sdp
}

fn session_part(sdp: &mut String, parts: &AnswerParts<'_>) -> std::fmt::Result {
    write!(sdp, "v=0\r\no=- {} 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE", parts.session)?;
    for (section, role) in &parts.sections {
        if *role != Role::Rejected {
            write!(sdp, " {}", section.mid)?;
        }
    }
    sdp.write_str("\r\na=ice-lite\r\na=msid-semantic:WMS *\r\n")
}

fn section_part(
    sdp: &mut String,
    parts: &AnswerParts<'_>,
    section: &Section,
    role: &Role,
    candidates: &[SocketAddr],
) -> std::fmt::Result {
    let Role::Accepted { receives, slot } = role else { return rejected(sdp, section) };
    write!(sdp, "m={} 9 UDP/TLS/RTP/SAVPF", section.media)?;
    for codec in &section.codecs {
        write!(sdp, " {}", codec.payload_type)?;
        if let Some(rtx) = codec.rtx_payload_type {
            write!(sdp, " {rtx}")?;
        }
    }
    write!(sdp, "\r\nc=IN IP4 0.0.0.0\r\na=mid:{}\r\n", section.mid)?;
    transport(sdp, parts, candidates)?;
    let direction = match (receives, slot.is_some()) {
        (true, true) => "sendrecv",
        (true, false) => "recvonly",
        (false, true) => "sendonly",
        (false, false) => "inactive",
    };
    write!(sdp, "a={direction}\r\n")?;
    if section.rtcp_rsize {
        sdp.write_str("a=rtcp-rsize\r\n")?;
    }
    extensions(sdp, section, *receives)?;
    codecs(sdp, section)?;
    match slot {
        Some((number, ssrcs)) => slot_source(sdp, section, *number, *ssrcs),
        None => Ok(()),
    }
}

fn rejected(sdp: &mut String, section: &Section) -> std::fmt::Result {
    let (proto, format) = match section.media.as_str() {
        "application" => ("UDP/DTLS/SCTP", "webrtc-datachannel".to_owned()),
        _ => ("UDP/TLS/RTP/SAVPF", section.codecs.first().map_or_else(|| "0".into(), |c| c.payload_type.to_string())),
    };
    write!(sdp, "m={} 0 {proto} {format}\r\nc=IN IP4 0.0.0.0\r\na=mid:{}\r\na=inactive\r\n", section.media, section.mid)
}

fn transport(sdp: &mut String, parts: &AnswerParts<'_>, candidates: &[SocketAddr]) -> std::fmt::Result {
    write!(sdp, "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\na=fingerprint:sha-256 ", parts.ufrag, parts.password)?;
    for (index, byte) in parts.fingerprint.iter().enumerate() {
        write!(sdp, "{}{byte:02X}", if index == 0 { "" } else { ":" })?;
    }
    sdp.write_str("\r\na=setup:passive\r\na=rtcp-mux\r\n")?;
    write_candidates(sdp, candidates)
}

fn write_candidates(sdp: &mut String, candidates: &[SocketAddr]) -> std::fmt::Result {
    for (index, candidate) in candidates.iter().enumerate() {
        // RFC 8445 §5.1.2.1: host candidates of component 1, the earlier the better.
        let priority = (126_u32 << 24) | ((65_535 - u32::try_from(index).unwrap_or(65_535)) << 8) | 255;
        let (ip, port) = (candidate.ip(), candidate.port());
        write!(sdp, "a=candidate:{} 1 udp {priority} {ip} {port} typ host\r\n", index + 1)?;
    }
    if candidates.is_empty() { Ok(()) } else { sdp.write_str("a=end-of-candidates\r\n") }
}

/// What a restarted ICE session begins with (RFC 8840 §9), about the section `mid` with the `media` of its m-line.
pub(crate) fn write_ice_fragment(
    ufrag: &str,
    password: &str,
    (media, mid): (&str, &Mid),
    candidates: &[SocketAddr],
) -> String {
    let mut fragment = format!(
        "a=ice-lite\r\na=group:BUNDLE {mid}\r\nm={media} 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:{mid}\r\n\
         a=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\n"
    );
    write_candidates(&mut fragment, candidates).expect("writing to a string");
    fragment
}

fn extensions(sdp: &mut String, section: &Section, receives: bool) -> std::fmt::Result {
    if let Some(id) = section.extensions.mid {
        write!(sdp, "a=extmap:{id} urn:ietf:params:rtp-hdrext:sdes:mid\r\n")?;
    }
    if let Some(id) = section.extensions.audio_level {
        write!(sdp, "a=extmap:{id} urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n")?;
    }
    // Only for what the relay receives: it gives transport-wide feedback and does not want any yet.
    if let Some(id) = section.extensions.transport_cc.filter(|_| receives) {
        write!(sdp, "a=extmap:{id} http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n")?;
    }
    Ok(())
}

fn codecs(sdp: &mut String, section: &Section) -> std::fmt::Result {
    for codec in &section.codecs {
        let pt = codec.payload_type;
        write!(sdp, "a=rtpmap:{pt} {}\r\n", codec.rtpmap)?;
        if !codec.fmtp.is_empty() {
            write!(sdp, "a=fmtp:{pt} {}\r\n", codec.fmtp)?;
        }
        for feedback in &codec.feedback {
            write!(sdp, "a=rtcp-fb:{pt} {feedback}\r\n")?;
        }
        if let Some(rtx) = codec.rtx_payload_type {
            write!(sdp, "a=rtpmap:{rtx} rtx/{}\r\na=fmtp:{rtx} apt={pt}\r\n", codec.codec.clock_rate())?;
        }
    }
    Ok(())
}

/// Sound and picture of slot `number` share one stream, so that the receiver keeps lips and voice together.
fn slot_source(sdp: &mut String, section: &Section, number: usize, ssrcs: SlotSsrcs) -> std::fmt::Result {
    let SlotSsrcs { media, rtx } = ssrcs;
    write!(sdp, "a=msid:slot{number} slot{number}-{}\r\n", section.media)?;
    if section.codecs.iter().any(|codec| codec.rtx_payload_type.is_some()) {
        write!(sdp, "a=ssrc-group:FID {media} {rtx}\r\na=ssrc:{media} cname:slot{number}\r\n")?;
        write!(sdp, "a=ssrc:{rtx} cname:slot{number}\r\n")
    } else {
        write!(sdp, "a=ssrc:{media} cname:slot{number}\r\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::{
        parse_offer,
        samples::{CHROMIUM, FIREFOX},
    };
    use rtc_sdp::SessionDescription;
    use std::io::Cursor;

    fn answer_to(sample: &str) -> String {
        let offer = parse_offer(sample).unwrap();
        let mut slots = 0;
        let roles = offer.sections.iter().map(|section| {
            let slot = section.receives.then(|| {
                slots += 1;
                (slots % 4, SlotSsrcs { media: slots as u32, rtx: 100 + slots as u32 })
            });
            (section, Role::Accepted { receives: section.sends, slot })
        });
        write_answer(&AnswerParts {
            sections: roles.collect(),
            session: 1,
            ufrag: "0001abcd",
            password: "0123456789abcdef0123456789abcdef",
            fingerprint: [0xab; 32],
            candidates: &["192.0.2.1:3478".parse().unwrap(), "[2001:db8::1]:3478".parse().unwrap()],
        })
    }

    #[test]
    fn an_answer_is_sdp_with_one_section_for_each_of_the_offer_and_candidates_once() {
        for sample in [CHROMIUM, FIREFOX] {
            let answer = answer_to(sample);
            let parsed = SessionDescription::unmarshal(&mut Cursor::new(answer.as_bytes())).unwrap();
            assert_eq!(parsed.media_descriptions.len(), 10);
            assert_eq!(answer.matches("a=candidate:").count(), 2);
            assert_eq!(answer.matches("a=setup:passive").count(), 10);
            assert!(answer.contains("a=ice-lite") && answer.contains("a=group:BUNDLE 0 1 2 3 4 5 6 7 8 9\r\n"));
            let first = parsed.media_descriptions[0].attribute("candidate").flatten().unwrap();
            assert!(first.ends_with("192.0.2.1 3478 typ host"));
            assert_eq!(answer.matches("a=recvonly").count(), 2);
            assert_eq!(answer.matches("a=sendonly").count(), 8);
            // For what is sent to it a viewer need not report, for what it sends the relay does.
            assert_eq!(answer.matches("transport-wide-cc").count(), 2);
            assert!(answer.contains("a=ssrc-group:FID "));
            assert_eq!(answer.matches("a=rtcp-rsize").count(), sample.matches("a=rtcp-rsize").count());
        }
    }

    #[test]
    fn what_is_rejected_has_port_0_and_is_not_in_the_bundle() {
        let offer = parse_offer(FIREFOX).unwrap();
        let accepted = Role::Accepted { receives: true, slot: None };
        let roles = [(&offer.sections[0], Role::Rejected), (&offer.sections[1], accepted)];
        let answer = write_answer(&AnswerParts {
            sections: roles.to_vec(),
            session: 1,
            ufrag: "u",
            password: "p",
            fingerprint: [0; 32],
            candidates: &["192.0.2.1:3478".parse().unwrap()],
        });
        assert!(answer.contains("m=audio 0 UDP/TLS/RTP/SAVPF 109\r\n"));
        assert!(answer.contains("a=group:BUNDLE 1\r\n"));
        assert!(answer.split("m=video").nth(1).unwrap().contains("a=candidate:"), "in the first accepted section");
    }
}
