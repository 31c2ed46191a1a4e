//! What a datagram is (RFC 7983), whether it may be looked at, and whose it is.

use super::{HandshakeCommand, Peer, peer::Stream, worker::Worker};
use crate::{
    media::{publication::Publication, rtp::Header},
    transport::{pairs::Pair, stun},
};
use std::time::Instant;

impl Worker {
    /// Takes one datagram.
    pub(super) fn handle_datagram(&mut self, pair: Pair, datagram: &mut [u8], now: Instant) {
        let Some(first) = datagram.first() else { return };
        if *first <= 3 {
            return self.handle_check(pair, datagram, now);
        }
        // Nothing but a check is looked at from an address that passed none.
        let Some(&index) = self.by_pair.get(&pair) else {
            return self.parts.stats.dropped_unknown_address.add(1);
        };
        match *first {
            20..=63 => self.handle_dtls(index, datagram),
            128..=191 if datagram.len() >= 2 && (192..=223).contains(&datagram[1]) => {
                self.handle_rtcp(index, datagram, now);
            }
            128..=191 => self.handle_rtp(index, datagram, now),
            _ => self.parts.stats.dropped_malformed.add(1),
        }
    }

    /// A connectivity check: the only thing that makes an address known, and only when it is authentic.
    fn handle_check(&mut self, pair: Pair, datagram: &[u8], now: Instant) {
        let stats = &self.parts.stats;
        let claimed = stun::claimed_ufrag(datagram).and_then(stun::index_of);
        let Some((index, peer)) =
            claimed.and_then(|index| Some((index as u16, self.peers.get_mut(index)?.as_deref_mut()?)))
        else {
            return stats.dropped_unauthentic_checks.add(1);
        };
        if peer.is_closed {
            return;
        }
        let Some(check) = stun::verify(datagram, pair.remote, &peer.credentials, self.parts.crypto.as_ref()) else {
            return stats.dropped_unauthentic_checks.add(1);
        };
        let evicted = peer.pairs.checked(pair, check.nominates, now);
        let response = self.egress.datagram(pair, &mut Default::default(), check.response.len());
        response.extend_from_slice(&check.response);
        self.own_pair(pair, index);
        if let Some(evicted) = evicted {
            self.forget_pair(evicted, index);
        }
        self.count();
        self.tell_connection(index, now);
    }

    fn own_pair(&mut self, pair: Pair, index: u16) {
        // An address that another participant used before is this one's now: it proved so last.
        if let Some(before) = self.by_pair.insert(pair, index).filter(|before| *before != index)
            && let Some(peer) = self.peers.get_mut(usize::from(before)).and_then(Option::as_deref_mut)
        {
            peer.pairs.forget(pair);
        }
    }

    /// Handshakes run on their own thread: they would hold up everybody's media.
    fn handle_dtls(&mut self, index: u16, datagram: &[u8]) {
        let Some(peer) = self.peers[usize::from(index)].as_deref_mut() else { return };
        if peer.dtls_credit == 0 || peer.is_closed {
            return self.parts.stats.dropped_full.add(1);
        }
        peer.dtls_credit -= 1;
        let command = HandshakeCommand::Datagram(peer.key, datagram.to_vec());
        if self.parts.handshakes.try_send(command).is_err() {
            // The other side sends its flight again.
            self.parts.stats.dropped_full.add(1);
        }
    }

    fn handle_rtp(&mut self, index: u16, datagram: &mut [u8], now: Instant) {
        let stats = &self.parts.stats;
        let Some(peer) = self.peers[usize::from(index)].as_deref_mut() else { return };
        let opened = match open(peer, datagram) {
            Ok(opened) => opened,
            Err(Refused::Malformed) => return stats.dropped_malformed.add(1),
            Err(Refused::UnknownSsrc) => return stats.dropped_unknown_ssrc.add(1),
            Err(Refused::Unauthentic) => return stats.dropped_unauthentic.add(1),
        };
        stats.packets_in.add(1);
        stats.bytes_in.add(opened.len as u64);
        let (header, packet) = (&opened.header, &datagram[..opened.len]);
        if let Some(sequence) = peer.transport_cc.and_then(|id| header.extension(packet, id)?.first_chunk::<2>()) {
            peer.arrivals.record(u16::from_be_bytes(*sequence), now);
        }
        let publication = &mut peer.publications[opened.stream.publication];
        let received = if opened.stream.is_rtx {
            publication.receive_rtx(header, packet, now)
        } else {
            publication.receive(header, packet, opened.index, now)
        };
        if let Some(received) = received {
            self.fan_out(index, opened.stream.publication, &received, now);
        }
    }
}

/// An authentic packet.
struct Opened {
    header: Header,
    stream: Stream,
    /// SRTP packet index.
    index: u64,
    /// Without the tag.
    len: usize,
}

/// Why a packet is dropped.
enum Refused {
    Malformed,
    UnknownSsrc,
    Unauthentic,
}

/// Finds the stream by its declared SSRC and opens the packet in place. State changes only when it is authentic.
fn open(peer: &mut Peer, datagram: &mut [u8]) -> Result<Opened, Refused> {
    let header = Header::parse(datagram).ok_or(Refused::Malformed)?;
    let srtp = peer.srtp.as_ref().filter(|_| !peer.is_closed).ok_or(Refused::Malformed)?;
    let declared = peer.streams.iter().find(|stream| stream.ssrc == header.ssrc).copied();
    let stream = match declared {
        Some(stream) => stream,
        None => undeclared(&peer.publications, &header, datagram).ok_or(Refused::UnknownSsrc)?,
    };
    let publication = &mut peer.publications[stream.publication];
    let window = if stream.is_rtx { &mut publication.rtx_window } else { &mut publication.window };
    let fresh = window.index_of(header.sequence).filter(|index| window.is_fresh(*index));
    let index = fresh.ok_or(Refused::Unauthentic)?;
    let len = srtp.opener.open_rtp(datagram, header.len, header.ssrc, index).map_err(|_| Refused::Unauthentic)?;
    window.mark(index);
    if declared.is_none() {
        publication.ssrc = Some(header.ssrc);
        peer.streams.push(stream);
    }
    Ok(Opened { header, stream, index, len })
}

/// A section that declared no SSRC takes the first stream that names its mid, once; where the offerer cannot name mids, the
/// first whose payload type is of this section (RFC 8843 §9.2).
fn undeclared(publications: &[Publication], header: &Header, datagram: &[u8]) -> Option<Stream> {
    let publication = publications.iter().position(|publication| {
        let is_named = match publication.extensions.mid {
            Some(id) => header.extension(datagram, id) == Some(publication.mid.0.as_bytes()),
            None => publication.codecs.iter().any(|codec| codec.payload_type == header.payload_type),
        };
        publication.ssrc.is_none() && is_named
    })?;
    Some(Stream { ssrc: header.ssrc, publication, is_rtx: false })
}
