//! What is due by the clock: keyframe requests, NACK, feedback, reports, consent.

use super::{
    Peer,
    egress::Egress,
    peer::{DTLS_CREDIT, Link},
    worker::Worker,
};
use crate::media::{
    feedback::FEEDBACK_INTERVAL,
    reports::{REPORT_INTERVAL, SenderClock},
};
use domain::media::MediaKind;
use rtc_rtcp::{
    payload_feedbacks::picture_loss_indication::PictureLossIndication,
    receiver_report::ReceiverReport,
    transport_feedbacks::transport_layer_nack::{TransportLayerNack, nack_pairs_from_sequence_numbers},
};
use rtc_shared::marshal::Marshal;
use std::time::{Duration, Instant};

/// How often a shard with participants looks at its clocks.
///
/// A keyframe request or a NACK waits at most so long; shorter costs wakeups when nobody speaks.
pub(super) const TICK: Duration = Duration::from_millis(10);
/// RTCP is sent before it grows larger than a path takes.
const MAX_RTCP_BYTES: usize = 1_100;

impl Worker {
    /// Does what is due for every transport.
    pub(super) fn tick(&mut self, now: Instant) {
        for index in 0..self.peers.len() as u16 {
            if self.peers[usize::from(index)].is_some() {
                self.tell_connection(index, now);
                self.tick_peer(index, now);
            }
        }
        self.tell_all();
    }

    fn tick_peer(&mut self, index: u16, now: Instant) {
        let is_report_due = self.peers[usize::from(index)].as_deref_mut().is_some_and(|peer| {
            let is_due = peer.next_report <= now;
            if is_due {
                peer.next_report = now + REPORT_INTERVAL;
                peer.dtls_credit = DTLS_CREDIT;
            }
            is_due
        });
        let waiting = self.waiting_for_keyframes(index, now);
        let Some(mut peer) = self.peers[usize::from(index)].take() else { return };
        if peer.is_connected(now) {
            self.rtcp.clear();
            if is_report_due {
                self.write_receiver_reports(&mut peer, now);
                self.write_sender_reports(&mut peer, now);
            }
            self.write_requests(&mut peer, waiting, now);
            self.write_feedback(&mut peer, now);
            send_rtcp(&mut peer, &mut self.egress, &mut self.rtcp);
        }
        self.peers[usize::from(index)] = Some(peer);
    }

    /// Bit n: somebody who can take media waits for a keyframe of publication n.
    fn waiting_for_keyframes(&self, index: u16, now: Instant) -> u32 {
        let Some(peer) = self.peers[usize::from(index)].as_deref() else { return 0 };
        let waits = |link: &Link| {
            let to = self.peers.get(usize::from(link.peer.index)).and_then(Option::as_deref);
            to.is_some_and(|to| {
                to.key == link.peer && to.takes_media(now) && to.subscriptions[link.subscription].waits_for_keyframe()
            })
        };
        let bits = peer.links.iter().enumerate().take(32).filter(|(_, links)| links.iter().any(waits));
        bits.fold(0, |bits, (publication, _)| bits | 1 << publication)
    }

    fn write_requests(&mut self, peer: &mut Peer, waiting: u32, now: Instant) {
        let sender_ssrc = peer.reporter_ssrc;
        for number in 0..peer.publications.len() {
            let publication = &mut peer.publications[number];
            let Some(media_ssrc) = publication.ssrc.filter(|_| publication.kind == MediaKind::Video) else { continue };
            self.wanted.clear();
            publication.missing.due(now, &mut self.wanted);
            if publication.missing.take_gave_up() {
                publication.keyframes.report();
            }
            let somebody_waits = waiting & 1 << number != 0;
            let asks = publication.keyframes.ask(somebody_waits, now);
            if !self.wanted.is_empty() {
                let nacks = nack_pairs_from_sequence_numbers(&self.wanted);
                self.write(peer, &TransportLayerNack { sender_ssrc, media_ssrc, nacks });
            }
            if asks {
                self.parts.stats.keyframe_requests.add(1);
                self.write(peer, &PictureLossIndication { sender_ssrc, media_ssrc });
            }
        }
    }

    fn write_feedback(&mut self, peer: &mut Peer, now: Instant) {
        if peer.next_feedback > now || peer.transport_cc.is_none() {
            return;
        }
        peer.next_feedback = now + FEEDBACK_INTERVAL;
        let media_ssrc = peer.streams.first().map_or(0, |stream| stream.ssrc);
        while let Some(report) = peer.arrivals.report(peer.reporter_ssrc, media_ssrc) {
            self.write(peer, &report);
        }
    }

    fn write_receiver_reports(&mut self, peer: &mut Peer, now: Instant) {
        let blocks = peer
            .publications
            .iter_mut()
            .filter_map(|publication| publication.reception.report(publication.ssrc?, publication.clock.as_ref(), now));
        let reports: Vec<_> = blocks.collect();
        if !reports.is_empty() {
            let ssrc = peer.reporter_ssrc;
            self.write(peer, &ReceiverReport { ssrc, reports, ..ReceiverReport::default() });
        }
    }

    fn write_sender_reports(&mut self, peer: &mut Peer, now: Instant) {
        for slot in 0..peer.subscriptions.len() {
            let subscription = &peer.subscriptions[slot];
            let clock = peer.sources[slot].and_then(|source| self.clock_of(source));
            let report = clock.and_then(|(clock, rate)| {
                let (ntp, rtp) = clock.at(now, rate);
                Some(subscription.sent.report(subscription.ssrcs.media, ntp, subscription.timestamp_of(rtp)?))
            });
            if let Some(report) = report {
                self.write(peer, &report);
            }
        }
    }

    fn clock_of(&self, source: super::Source) -> Option<(SenderClock, u32)> {
        let publisher = self.peers.get(usize::from(source.peer.index))?.as_deref()?;
        let publication = publisher.publications.get(source.publication).filter(|_| publisher.key == source.peer)?;
        Some((publication.clock?, publication.codecs.first()?.codec.clock_rate()))
    }

    /// Appends one packet to the datagram under construction, which is sent first when it would grow too long.
    fn write(&mut self, peer: &mut Peer, packet: &impl Marshal) {
        let size = packet.marshal_size();
        if self.rtcp.len() + size > MAX_RTCP_BYTES {
            send_rtcp(peer, &mut self.egress, &mut self.rtcp);
        }
        let start = self.rtcp.len();
        self.rtcp.resize(start + size, 0);
        if packet.marshal_to(&mut self.rtcp[start..]).is_err() {
            self.rtcp.truncate(start);
        }
    }
}

/// Seals and queues what is under construction.
fn send_rtcp(peer: &mut Peer, egress: &mut Egress, rtcp: &mut Vec<u8>) {
    let overhead = peer.srtp.as_ref().map_or(0, |srtp| srtp.sealer.rtcp_overhead());
    if !rtcp.is_empty()
        && let Some((buffer, srtp)) = peer.datagram(egress, rtcp.len() + overhead)
    {
        let start = buffer.len();
        buffer.extend_from_slice(rtcp);
        srtp.sealer.seal_rtcp(buffer, start);
    }
    rtcp.clear();
}
