//! Writes our session descriptions: offers as Chromium would, answers that take all that is offered.

use super::{
    Credentials, Extensions, OPUS, Sends, VP8, VP8_RTX,
    description::{Description, Section},
};
use crate::relay::target::Receives;
use domain::media::MediaKind;
use std::{fmt::Write as _, net::SocketAddr};

/// The ids that we offer.
pub(super) const EXTENSIONS: Extensions = Extensions { mid: Some(4), rid: Some(10), transport_cc: Some(3) };

pub(super) const MID_URI: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
pub(super) const RID_URI: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
pub(super) const TRANSPORT_CC_URI: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

/// Our side of a transport.
pub(super) struct Local<'a> {
    pub socket: SocketAddr,
    pub ice: &'a Credentials,
    pub fingerprint: [u8; 32],
}

/// Own tracks first, then a section for everybody who is received.
pub(super) fn offer(local: &Local<'_>, sends: &[Sends], receives: Receives) -> String {
    let slots = [(MediaKind::Audio, receives.audio), (MediaKind::Video, receives.video)];
    let slots: Vec<MediaKind> = slots.iter().flat_map(|(kind, count)| vec![*kind; *count]).collect();
    let mids: Vec<String> = (0..sends.len() + slots.len()).map(|mid| mid.to_string()).collect();
    let mut sdp = session(&mids);
    for track in sends {
        section(&mut sdp, local, track.kind, &track.mid);
        sdp.push_str("a=sendonly\r\n");
        codecs(&mut sdp, track.kind);
        sources(&mut sdp, track);
    }
    for (kind, mid) in slots.iter().zip(&mids[sends.len()..]) {
        section(&mut sdp, local, *kind, mid);
        sdp.push_str("a=recvonly\r\n");
        codecs(&mut sdp, *kind);
    }
    sdp
}

/// Takes every section that sends, with the payload types and ids of the offer.
pub(super) fn answer(local: &Local<'_>, remote: &Description) -> String {
    let taken = |section: &&Section| section.kind.is_some() || section.media == "application";
    let mids: Vec<String> = remote.sections.iter().filter(taken).map(|section| section.mid.clone()).collect();
    let mut sdp = session(&mids);
    for offered in &remote.sections {
        match offered.kind {
            Some(_) => answer_section(&mut sdp, local, offered),
            None if offered.media == "application" => {
                sdp.push_str(
                    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=sctp-port:5000\r\n",
                );
                transport(&mut sdp, local, &offered.mid, "active");
            }
            None => {
                write(&mut sdp, format_args!("m={} 0 UDP/TLS/RTP/SAVPF 0\r\na=mid:{}\r\n", offered.media, offered.mid))
            }
        }
    }
    sdp
}

fn answer_section(sdp: &mut String, local: &Local<'_>, offered: &Section) {
    let codec = if offered.kind == Some(MediaKind::Audio) { "opus/48000/2" } else { "VP8/90000" };
    let pt = offered.payload_type;
    let rtx = offered.rtx_payload_type.map(|rtx| format!(" {rtx}")).unwrap_or_default();
    write(sdp, format_args!("m={} 9 UDP/TLS/RTP/SAVPF {pt}{rtx}\r\nc=IN IP4 0.0.0.0\r\n", offered.media));
    transport(sdp, local, &offered.mid, "active");
    let direction = if offered.sends { "recvonly" } else { "inactive" };
    let reduced_size = if offered.reduced_size { "a=rtcp-rsize\r\n" } else { "" };
    write(sdp, format_args!("a=rtcp-mux\r\n{reduced_size}a={direction}\r\na=rtpmap:{pt} {codec}\r\n"));
    if offered.kind == Some(MediaKind::Video) {
        feedback(sdp, pt);
    } else {
        write(sdp, format_args!("a=rtcp-fb:{pt} transport-cc\r\n"));
    }
    if let Some(rtx) = offered.rtx_payload_type {
        write(sdp, format_args!("a=rtpmap:{rtx} rtx/90000\r\na=fmtp:{rtx} apt={pt}\r\n"));
    }
    extmaps(sdp, &offered.extensions);
}

fn session(mids: &[String]) -> String {
    format!(
        "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {}\r\n\
         a=extmap-allow-mixed\r\na=msid-semantic: WMS *\r\n",
        mids.join(" ")
    )
}

fn section(sdp: &mut String, local: &Local<'_>, kind: MediaKind, mid: &str) {
    match kind {
        MediaKind::Audio => write(sdp, format_args!("m=audio 9 UDP/TLS/RTP/SAVPF {OPUS}\r\n")),
        MediaKind::Video => write(sdp, format_args!("m=video 9 UDP/TLS/RTP/SAVPF {VP8} {VP8_RTX}\r\n")),
    }
    sdp.push_str("c=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n");
    transport(sdp, local, mid, "actpass");
    sdp.push_str("a=rtcp-mux\r\na=rtcp-rsize\r\n");
    let extensions = if kind == MediaKind::Video { EXTENSIONS } else { Extensions { rid: None, ..EXTENSIONS } };
    extmaps(sdp, &extensions);
}

fn transport(sdp: &mut String, local: &Local<'_>, mid: &str, setup: &str) {
    let fingerprint: Vec<String> = local.fingerprint.iter().map(|byte| format!("{byte:02X}")).collect();
    let Credentials { ufrag, password } = local.ice;
    let (ip, port) = (local.socket.ip(), local.socket.port());
    write(sdp, format_args!("a=candidate:1 1 udp 2130706431 {ip} {port} typ host\r\na=end-of-candidates\r\n"));
    write(sdp, format_args!("a=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\na=ice-options:trickle\r\n"));
    write(sdp, format_args!("a=fingerprint:sha-256 {}\r\na=setup:{setup}\r\na=mid:{mid}\r\n", fingerprint.join(":")));
}

fn extmaps(sdp: &mut String, extensions: &Extensions) {
    for (id, uri) in [(extensions.mid, MID_URI), (extensions.rid, RID_URI), (extensions.transport_cc, TRANSPORT_CC_URI)]
    {
        if let Some(id) = id {
            write(sdp, format_args!("a=extmap:{id} {uri}\r\n"));
        }
    }
}

fn codecs(sdp: &mut String, kind: MediaKind) {
    match kind {
        MediaKind::Audio => write(
            sdp,
            format_args!(
                "a=rtpmap:{OPUS} opus/48000/2\r\na=fmtp:{OPUS} minptime=10;useinbandfec=1\r\na=rtcp-fb:{OPUS} transport-cc\r\n"
            ),
        ),
        MediaKind::Video => {
            write(sdp, format_args!("a=rtpmap:{VP8} VP8/90000\r\n"));
            feedback(sdp, VP8);
            write(sdp, format_args!("a=rtpmap:{VP8_RTX} rtx/90000\r\na=fmtp:{VP8_RTX} apt={VP8}\r\n"));
        }
    }
}

fn feedback(sdp: &mut String, payload_type: u8) {
    for kind in ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"] {
        write(sdp, format_args!("a=rtcp-fb:{payload_type} {kind}\r\n"));
    }
}

/// SSRCs of a single encoding are declared; those of simulcast are known by their RIDs alone, as browsers do it.
fn sources(sdp: &mut String, track: &Sends) {
    let kind = if track.kind == MediaKind::Audio { "audio" } else { "video" };
    write(sdp, format_args!("a=msid:bench {kind}\r\n"));
    if let [layer] = track.layers.as_slice() {
        let (ssrc, rtx) = (layer.ssrc, layer.rtx_ssrc);
        if track.rtx_payload_type.is_some() {
            write(sdp, format_args!("a=ssrc-group:FID {ssrc} {rtx}\r\n"));
            write(sdp, format_args!("a=ssrc:{rtx} cname:bench\r\na=ssrc:{rtx} msid:bench {kind}\r\n"));
        }
        write(sdp, format_args!("a=ssrc:{ssrc} cname:bench\r\na=ssrc:{ssrc} msid:bench {kind}\r\n"));
        return;
    }
    let rids: Vec<&str> = track.layers.iter().filter_map(|layer| layer.rid.as_deref()).collect();
    rids.iter().for_each(|rid| write(sdp, format_args!("a=rid:{rid} send\r\n")));
    write(sdp, format_args!("a=simulcast:send {}\r\n", rids.join(";")));
}

fn write(sdp: &mut String, text: std::fmt::Arguments<'_>) {
    sdp.write_fmt(text).expect("writing to a string");
}
