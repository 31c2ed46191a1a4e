//! What participants say in RTCP: their clocks, lost pictures, missing packets. Everything else is skipped.

use super::worker::Worker;
use crate::media::reports::SenderClock;
use rtc_rtcp::{
    header::{FORMAT_FIR, FORMAT_PLI, FORMAT_TLN, HEADER_LENGTH, Header, PacketType},
    payload_feedbacks::{full_intra_request::FullIntraRequest, picture_loss_indication::PictureLossIndication},
    sender_report::SenderReport,
    transport_feedbacks::transport_layer_nack::TransportLayerNack,
};
use rtc_shared::marshal::Unmarshal;
use std::time::Instant;

/// Missing packets looked at in one datagram; more is an attack or a lost cause.
const MAX_NACKED: usize = 256;

impl Worker {
    /// Takes one RTCP datagram.
    pub(super) fn handle_rtcp(&mut self, index: u16, datagram: &mut [u8], now: Instant) {
        let stats = &self.parts.stats;
        let Some(peer) = self.peers[usize::from(index)].as_deref_mut() else { return };
        let Some(srtp) = &mut peer.srtp else { return stats.dropped_malformed.add(1) };
        let Ok(length) = srtp.opener.open_rtcp(datagram) else { return stats.dropped_unauthentic.add(1) };
        let mut rest = &datagram[..length];
        while let Some((packet, later)) = next_packet(rest) {
            self.handle_packet(index, packet, now);
            rest = later;
        }
    }

    fn handle_packet(&mut self, index: u16, packet: &[u8], now: Instant) {
        let mut bytes = packet;
        let Ok(header) = Header::unmarshal(&mut &packet[..]) else { return };
        match (header.packet_type, header.count) {
            (PacketType::SenderReport, _) => {
                if let Ok(report) = SenderReport::unmarshal(&mut bytes) {
                    self.handle_sender_report(index, &report, now);
                }
            }
            (PacketType::PayloadSpecificFeedback, FORMAT_PLI) => {
                if let Ok(loss) = PictureLossIndication::unmarshal(&mut bytes) {
                    self.handle_picture_loss(index, loss.media_ssrc);
                }
            }
            (PacketType::PayloadSpecificFeedback, FORMAT_FIR) => {
                if let Ok(request) = FullIntraRequest::unmarshal(&mut bytes) {
                    request.fir.iter().for_each(|entry| self.handle_picture_loss(index, entry.ssrc));
                }
            }
            (PacketType::TransportSpecificFeedback, FORMAT_TLN) => {
                if let Ok(nack) = TransportLayerNack::unmarshal(&mut bytes) {
                    self.handle_nack(index, &nack, now);
                }
            }
            _ => {}
        }
    }

    fn handle_sender_report(&mut self, index: u16, report: &SenderReport, now: Instant) {
        let Some(peer) = self.peers[usize::from(index)].as_deref_mut() else { return };
        if let Some(publication) = peer.publications.iter_mut().find(|p| p.ssrc == Some(report.ssrc)) {
            publication.clock = Some(SenderClock { ntp: report.ntp_time, rtp: report.rtp_time, at: now });
        }
    }

    /// A receiver lost the picture in the slot with this SSRC.
    fn handle_picture_loss(&mut self, index: u16, ssrc: u32) {
        let Some(peer) = self.peers[usize::from(index)].as_deref() else { return };
        let slot = peer.subscriptions.iter().position(|subscription| subscription.ssrcs.media == ssrc);
        let Some(source) = slot.and_then(|slot| peer.sources[slot]) else { return };
        if let Some(publisher) = self.peer(source.peer) {
            publisher.publications[source.publication].keyframes.report();
        }
    }

    fn handle_nack(&mut self, index: u16, nack: &TransportLayerNack, now: Instant) {
        let Some(peer) = self.peers[usize::from(index)].as_deref() else { return };
        let slot = peer.subscriptions.iter().position(|subscription| subscription.ssrcs.media == nack.media_ssrc);
        let Some(slot) = slot else { return };
        for missing in nack.nacks.iter().flat_map(|pair| *pair).take(MAX_NACKED) {
            self.resend(index, slot, missing, now);
        }
    }
}

/// The first packet of a compound one (RFC 3550 §6.1), and the rest.
fn next_packet(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let header: &[u8; HEADER_LENGTH] = bytes.first_chunk()?;
    let length = 4 * (1 + usize::from(u16::from_be_bytes([header[2], header[3]])));
    (header[0] >> 6 == 2).then(|| bytes.split_at_checked(length)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compound_packet_is_taken_apart_and_a_length_that_lies_ends_it() {
        let compound = [0x80, 201, 0, 1, 0, 0, 0, 1, 0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2];
        let (first, rest) = next_packet(&compound).unwrap();
        assert_eq!((first.len(), rest.len()), (8, 12));
        assert!(next_packet(rest).unwrap().1.is_empty());
        assert_eq!(next_packet(&[0x80, 201, 0xff, 0xff, 0, 0, 0, 1]), None);
        assert_eq!(next_packet(&[0x80, 201, 0]), None);
    }
}
