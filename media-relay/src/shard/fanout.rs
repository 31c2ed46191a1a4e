//! A packet goes to everybody who shows its track: new header, sealed in place in the outgoing batch.

use super::{Peer, egress::Egress, worker::Worker};
use crate::media::{
    publication::Packet,
    subscription::{Outgoing, write_rtx_payload},
};
use std::time::Instant;

impl Worker {
    /// Sends a packet of `publisher` to its subscriptions.
    pub(super) fn fan_out(&mut self, publisher: u16, publication: usize, packet: &Packet<'_>, now: Instant) {
        let Some(from) = self.peers[usize::from(publisher)].as_deref_mut() else { return };
        // Taken out for the time of the loop; nothing is copied.
        let links = std::mem::take(&mut from.links[publication]);
        for link in &links {
            let Some(to) = self.peers.get_mut(usize::from(link.peer.index)).and_then(Option::as_deref_mut) else {
                continue;
            };
            if to.key != link.peer || !to.takes_media(now) {
                continue;
            }
            if let Some(outgoing) = to.subscriptions[link.subscription].forward(packet, now) {
                let sent = send(to, &mut self.egress, &outgoing, packet.payload.len(), |buffer| {
                    buffer.extend_from_slice(packet.payload);
                });
                self.parts.stats.packets_out.add(1);
                self.parts.stats.bytes_out.add(sent as u64);
            }
        }
        if let Some(from) = self.peers[usize::from(publisher)].as_deref_mut() {
            from.links[publication] = links;
        }
    }

    /// Sends again what `subscriber` misses in one of its slots.
    pub(super) fn resend(&mut self, subscriber: u16, subscription: usize, missing: u16, now: Instant) {
        let Some(to) = self.peers[usize::from(subscriber)].as_deref_mut().filter(|to| to.takes_media(now)) else {
            return;
        };
        let Some(source) = to.sources[subscription] else { return };
        let Some((mut outgoing, sequence)) = to.subscriptions[subscription].resend(missing, now) else { return };
        // Taken out while the publisher is looked at, so that both can be held.
        let Some(mut to) = self.peers[usize::from(subscriber)].take() else { return };
        let publisher = self.peers.get(usize::from(source.peer.index)).and_then(Option::as_deref);
        let kept = publisher
            .filter(|publisher| publisher.key == source.peer)
            .and_then(|publisher| publisher.publications[source.publication].kept(sequence));
        if let Some(kept) = kept {
            outgoing.marker = kept.marker;
            let sent = send(&mut to, &mut self.egress, &outgoing, 2 + kept.payload.len(), |buffer| {
                write_rtx_payload(buffer, missing, &kept);
            });
            self.parts.stats.retransmissions.add(1);
            self.parts.stats.packets_out.add(1);
            self.parts.stats.bytes_out.add(sent as u64);
        }
        self.peers[usize::from(subscriber)] = Some(to);
    }
}

/// Writes and seals one packet; returns its size.
fn send(
    to: &mut Peer,
    egress: &mut Egress,
    outgoing: &Outgoing,
    payload: usize,
    write: impl FnOnce(&mut Vec<u8>),
) -> usize {
    let Some(tag) = to.srtp.as_ref().map(|srtp| srtp.sealer.rtp_overhead()) else { return 0 };
    let size = outgoing.header_len() + payload + tag;
    let Some((buffer, srtp)) = to.datagram(egress, size) else { return 0 };
    let start = buffer.len();
    let header_len = outgoing.write(buffer);
    write(buffer);
    srtp.sealer.seal_rtp(buffer, start, header_len, outgoing.ssrc, outgoing.index);
    debug_assert_eq!(buffer.len() - start, size, "the batch was planned with the size that came out");
    size
}
