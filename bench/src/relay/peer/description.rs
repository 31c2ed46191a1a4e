//! Reads a server's session description: where it is reached, and what it sends and receives in which section.

use super::{
    Credentials, Extensions, ReceivesTrack, Sends,
    write::{MID_URI, RID_URI, TRANSPORT_CC_URI},
};
use anyhow::{Context, bail};
use domain::media::MediaKind;
use rtc_sdp::{MediaDescription, SessionDescription};
use std::{
    io::Cursor,
    net::{IpAddr, SocketAddr},
};

/// What we need of a description.
pub(super) struct Description {
    pub ice: Credentials,
    pub fingerprint: Vec<u8>,
    pub setup: String,
    pub candidate: SocketAddr,
    pub sections: Vec<Section>,
}

/// One media section, from the server's point of view.
pub(super) struct Section {
    pub mid: String,
    pub media: String,
    /// `None` when we cannot use it.
    pub kind: Option<MediaKind>,
    pub sends: bool,
    pub receives: bool,
    pub payload_type: u8,
    pub rtx_payload_type: Option<u8>,
    pub extensions: Extensions,
    pub ssrc: Option<u32>,
    pub rtx_ssrc: Option<u32>,
    takes_rids: bool,
    pub reduced_size: bool,
}

impl Description {
    /// Reads a description; of several candidates the one at `address` is taken, or else the first of its family.
    pub(super) fn read(sdp: &str, address: IpAddr) -> anyhow::Result<Self> {
        let session = SessionDescription::unmarshal(&mut Cursor::new(sdp.as_bytes()))?;
        let first = |key: &str| values(&session, key).next().map(str::trim).map(str::to_owned);
        let fingerprint = values(&session, "fingerprint").find_map(|value| value.trim().strip_prefix("sha-256 "));
        Ok(Self {
            ice: Credentials {
                ufrag: first("ice-ufrag").context("no ice-ufrag")?,
                password: first("ice-pwd").context("no ice-pwd")?,
            },
            fingerprint: bytes(fingerprint.context("no sha-256 fingerprint")?)?,
            setup: first("setup").unwrap_or_default(),
            candidate: candidate(&session, address)?,
            sections: session.media_descriptions.iter().map(section).collect(),
        })
    }
}

impl Section {
    /// Takes over what the answer made of an offered track; false when nothing is to be sent.
    pub(super) fn agree(&self, track: &mut Sends) -> bool {
        track.payload_type = self.payload_type;
        track.rtx_payload_type = track.rtx_payload_type.and(self.rtx_payload_type);
        track.extensions = self.extensions;
        if track.layers.len() > 1 && !self.takes_rids {
            // The largest alone, as a browser does when simulcast is not taken.
            track.layers.drain(..track.layers.len() - 1);
            track.layers[0].rid = None;
        }
        self.kind == Some(track.kind)
    }

    /// What is received in it.
    pub(super) fn receives(&self) -> Option<ReceivesTrack> {
        Some(ReceivesTrack {
            kind: self.kind?,
            payload_type: self.payload_type,
            rtx_payload_type: self.rtx_payload_type,
            extensions: self.extensions,
            ssrc: self.ssrc,
            rtx_ssrc: self.rtx_ssrc,
            reduced_size: self.reduced_size,
        })
    }
}

fn values<'a>(session: &'a SessionDescription, key: &'a str) -> impl Iterator<Item = &'a str> {
    let media = session.media_descriptions.iter().flat_map(|media| media.attributes.iter());
    media.chain(&session.attributes).filter(move |a| a.key == key).filter_map(|a| a.value.as_deref())
}

fn bytes(hex: &str) -> anyhow::Result<Vec<u8>> {
    hex.trim().split(':').map(|byte| Ok(u8::from_str_radix(byte, 16)?)).collect()
}

/// `a=candidate:foundation component transport priority address port typ …` (RFC 8839 §5.1).
fn candidate(session: &SessionDescription, address: IpAddr) -> anyhow::Result<SocketAddr> {
    let all = values(session, "candidate").filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, "1", transport, _, ip, port, "typ", "host", ..] = words.as_slice() else { return None };
        let ip: IpAddr = ip.parse().ok().filter(|_| transport.eq_ignore_ascii_case("udp"))?;
        Some(SocketAddr::new(ip, port.parse().ok()?))
    });
    let all: Vec<SocketAddr> = all.filter(|candidate| candidate.is_ipv4() == address.is_ipv4()).collect();
    let best = all.iter().find(|candidate| candidate.ip() == address).or(all.first());
    let Some(best) = best else { bail!("no host candidate over UDP") };
    Ok(*best)
}

fn section(media: &MediaDescription) -> Section {
    let word = media.media_name.media.clone();
    let (kind, codec) = match word.as_str() {
        "audio" => (Some(MediaKind::Audio), "opus/48000"),
        "video" => (Some(MediaKind::Video), "vp8/90000"),
        _ => (None, ""),
    };
    let payload_type = payload_type(media, codec);
    let rejected = media.media_name.port.value == 0 && !media.has_attribute("bundle-only");
    let inactive = media.has_attribute("inactive") || rejected;
    let (ssrc, rtx_ssrc) = ssrcs(media);
    Section {
        mid: media.attribute("mid").flatten().unwrap_or_default().trim().to_owned(),
        media: word,
        kind: kind.filter(|_| payload_type.is_some() && !rejected),
        sends: !inactive && !media.has_attribute("recvonly"),
        receives: !inactive && !media.has_attribute("sendonly"),
        payload_type: payload_type.unwrap_or_default(),
        rtx_payload_type: payload_type.and_then(|of| rtx(media, of)),
        extensions: extensions(media),
        ssrc,
        rtx_ssrc,
        takes_rids: media.has_attribute("simulcast"),
        reduced_size: media.has_attribute("rtcp-rsize"),
    }
}

fn pairs<'a>(media: &'a MediaDescription, key: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let values = media.attributes.iter().filter(move |a| a.key == key).filter_map(|a| a.value.as_deref());
    values.filter_map(|value| value.trim().split_once(' '))
}

fn payload_type(media: &MediaDescription, codec: &str) -> Option<u8> {
    let mut maps = pairs(media, "rtpmap");
    maps.find(|(_, map)| map.to_ascii_lowercase().starts_with(codec)).and_then(|(number, _)| number.parse().ok())
}

fn rtx(media: &MediaDescription, of: u8) -> Option<u8> {
    let apt = format!("apt={of}");
    let named = pairs(media, "fmtp").find(|(_, parameters)| parameters.split(';').any(|p| p.trim() == apt));
    named.and_then(|(number, _)| number.parse().ok())
}

fn extensions(media: &MediaDescription) -> Extensions {
    let id_of = |uri: &str| {
        let named = pairs(media, "extmap").find(|(_, value)| value.split_whitespace().next() == Some(uri));
        named.and_then(|(id, _)| id.split('/').next()?.parse().ok()).filter(|id| (1..=14).contains(id))
    };
    Extensions { mid: id_of(MID_URI), rid: id_of(RID_URI), transport_cc: id_of(TRANSPORT_CC_URI) }
}

fn ssrcs(media: &MediaDescription) -> (Option<u32>, Option<u32>) {
    let number = |word: &str| word.parse::<u32>().ok();
    if let Some((_, both)) = pairs(media, "ssrc-group").find(|(semantics, _)| *semantics == "FID") {
        let mut both = both.split_whitespace().map(number);
        return (both.next().flatten(), both.next().flatten());
    }
    (pairs(media, "ssrc").find_map(|(ssrc, _)| number(ssrc)), None)
}
