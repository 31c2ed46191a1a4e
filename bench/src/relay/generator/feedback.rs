//! RTCP each way: reports, NACKs, key-frame requests and transport-wide feedback (RFC 3550, RFC 4585).

use super::{
    outgoing::Shared,
    session::{Session, Stage, Task, Work, wall},
    stream::Stream,
};
use media_relay::RtpHeader;
use rtc_rtcp::{
    header::{FORMAT_FIR, FORMAT_PLI, FORMAT_TLN, Header as RtcpHeader, PacketType},
    payload_feedbacks::{full_intra_request::FullIntraRequest, picture_loss_indication::PictureLossIndication},
    receiver_report::ReceiverReport,
    reception_report::ReceptionReport,
    sender_report::SenderReport,
    transport_feedbacks::transport_layer_nack::{TransportLayerNack, nack_pairs_from_sequence_numbers},
};
use rtc_shared::marshal::{Marshal, Unmarshal};
use std::time::{Duration, Instant};

/// How often feedback is given: about as Chromium does.
pub(super) const INTERVAL: Duration = Duration::from_millis(60);
/// How often a participant reports.
pub(super) const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// Requests of one transport are at least so far apart, so that a burst of losses is one.
const MIN_REQUEST_INTERVAL: Duration = Duration::from_millis(5);
/// Seconds from 1900 to 1970.
const NTP_EPOCH: u64 = 2_208_988_800;
/// Packets that one feedback may tell of.
const MAX_TOLD: usize = 512;
/// Sources that one report may tell of (RFC 3550 §6.4.2).
const MAX_REPORTED: usize = 31;

/// Packets whose arrival the server wants to hear of.
#[derive(Debug, Default)]
pub(super) struct Feedback {
    arrivals: Vec<(u16, Duration)>,
    sent: u8,
}

impl Session {
    /// Takes one RTCP datagram of the server's.
    pub(super) fn handle_rtcp(&mut self, datagram: &mut [u8], now: Instant, work: &mut Work) {
        let Stage::Open(_, keys) = &mut self.stage else { return };
        let Ok(length) = keys.opener.open_rtcp(datagram) else { return work.tally.unreadable += 1 };
        let mut rest = &datagram[..length];
        while let Some((packet, later)) = next_packet(rest) {
            self.handle_packet(packet, now, work);
            rest = later;
        }
    }

    fn handle_packet(&mut self, packet: &[u8], now: Instant, work: &mut Work) {
        let Ok(header) = RtcpHeader::unmarshal(&mut &packet[..]) else { return };
        let mut bytes = packet;
        match (header.packet_type, header.count) {
            (PacketType::SenderReport, _) => {
                if let Ok(report) = SenderReport::unmarshal(&mut bytes) {
                    let about = self.streams.iter_mut().filter(|stream| stream.ssrc == report.ssrc);
                    about.for_each(|stream| stream.note_sender_report(report.ntp_time, now));
                }
            }
            (PacketType::PayloadSpecificFeedback, FORMAT_PLI) => {
                if let Ok(loss) = PictureLossIndication::unmarshal(&mut bytes) {
                    self.want_keyframe(loss.media_ssrc, work);
                }
            }
            (PacketType::PayloadSpecificFeedback, FORMAT_FIR) => {
                if let Ok(request) = FullIntraRequest::unmarshal(&mut bytes) {
                    request.fir.iter().for_each(|entry| self.want_keyframe(entry.ssrc, work));
                }
            }
            (PacketType::TransportSpecificFeedback, FORMAT_TLN) => {
                if let Ok(nack) = TransportLayerNack::unmarshal(&mut bytes) {
                    self.resend(&nack, work);
                }
            }
            _ => {}
        }
    }

    fn want_keyframe(&mut self, ssrc: u32, work: &mut Work) {
        work.tally.keyframe_requests += 1;
        self.outgoing.iter_mut().filter(|track| track.has_ssrc(ssrc)).for_each(|track| track.want_keyframe());
    }

    fn resend(&mut self, nack: &TransportLayerNack, work: &mut Work) {
        let Stage::Open(_, keys) = &self.stage else { return };
        let mut shared = Shared::new(&self.seat, &keys.sealer, &mut self.transport_sequence, work);
        for sequence in nack.nacks.iter().flat_map(|pair| *pair) {
            shared.tally.asked += 1;
            for track in &mut self.outgoing {
                let send = |bytes: &[u8], segment| self.socket.send(bytes, segment).is_ok();
                track.resend(nack.media_ssrc, sequence, &mut shared, send);
            }
        }
    }

    /// Remembers when a packet came that the server numbered for feedback.
    pub(super) fn note_transport_sequence(&mut self, header: &RtpHeader, packet: &[u8], at: Option<Duration>) {
        let id = self.receives.iter().find_map(|track| track.extensions.transport_cc);
        let value = id.and_then(|id| header.extension(packet, id)).and_then(|value| value.first_chunk::<2>());
        if let (Some(value), Some(at)) = (value, at)
            && self.feedback.arrivals.len() < MAX_TOLD
        {
            self.feedback.arrivals.push((u16::from_be_bytes(*value), at));
        }
    }

    /// Asks for what is missing, and for a key frame where that has failed.
    pub(super) fn send_requests(&mut self, now: Instant, work: &mut Work) {
        let mut asked = Vec::new();
        let (sender_ssrc, round_trip) = (self.reporter(), self.round_trip);
        for stream in &mut self.streams {
            let wanted = stream.wanted(now, round_trip, &mut work.tally);
            if !wanted.is_empty() {
                work.tally.nacked += wanted.len() as u64;
                let nacks = nack_pairs_from_sequence_numbers(&wanted);
                let nack = TransportLayerNack { sender_ssrc, media_ssrc: stream.ssrc, nacks };
                asked.push((stream.report(now), written(&nack)));
            }
        }
        self.send_about(&asked, work);
        self.request_needed_keyframes(now, work);
        let next = self.streams.iter().filter_map(Stream::next_request).min();
        self.requests_planned = next.is_some();
        work.plans.extend(next.map(|due| (due.max(now + MIN_REQUEST_INTERVAL), Task::Requests)));
    }

    fn request_needed_keyframes(&mut self, now: Instant, work: &mut Work) {
        let needy = self.streams.iter_mut().filter(|stream| !stream.is_rtx);
        let needy: Vec<u32> = needy.filter_map(|stream| stream.needs_keyframe(now).then_some(stream.ssrc)).collect();
        self.request_keyframes(&needy, now, work);
    }

    /// Transport-wide feedback.
    pub(super) fn send_feedback(&mut self, now: Instant, work: &mut Work) {
        let sender_ssrc = self.reporter();
        if !self.feedback.arrivals.is_empty() {
            let mut rtcp = Vec::new();
            let report = self.streams.first().map(|stream| stream.report(now)).unwrap_or_default();
            self.feedback.write(&mut rtcp, sender_ssrc, report.ssrc);
            self.send_about(&[(report, rtcp)], work);
        }
        work.plans.push((now + INTERVAL, Task::Feedback));
    }

    /// Sender and receiver reports, and requests of key frames that are missing.
    pub(super) fn send_reports(&mut self, now: Instant, work: &mut Work) {
        let mut rtcp = Vec::new();
        let ssrc = self.reporter();
        for (ssrc, rtp_time, packet_count, octet_count) in self.outgoing.iter().flat_map(|track| track.reports()) {
            let ntp_time = ntp(wall());
            append(
                &mut rtcp,
                &SenderReport { ssrc, ntp_time, rtp_time, packet_count, octet_count, ..Default::default() },
            );
        }
        let streams = self.streams.iter().filter(|stream| !stream.is_rtx);
        let reports: Vec<ReceptionReport> = streams.map(|stream| stream.report(now)).collect();
        for report in receiver_reports(ssrc, &reports, self.takes_reduced_size()) {
            append(&mut rtcp, &report);
            self.send_rtcp(std::mem::take(&mut rtcp), work);
        }
        self.send_rtcp(rtcp, work);
        self.request_needed_keyframes(now, work);
        work.plans.push((now + REPORT_INTERVAL, Task::Report));
    }

    /// Tells the server that the pictures of these sources are lost.
    pub(super) fn request_keyframes(&mut self, ssrcs: &[u32], now: Instant, work: &mut Work) {
        let (mut asked, sender_ssrc) = (Vec::new(), self.reporter());
        for stream in self.streams.iter_mut().filter(|stream| ssrcs.contains(&stream.ssrc)) {
            stream.keyframe_asked = Some(now);
            work.tally.keyframes_wanted += 1;
            let request = PictureLossIndication { sender_ssrc, media_ssrc: stream.ssrc };
            asked.push((stream.report(now), written(&request)));
        }
        self.send_about(&asked, work);
    }

    /// Sends feedback, each with what there is to report about its source.
    fn send_about(&mut self, feedback: &[(ReceptionReport, Vec<u8>)], work: &mut Work) {
        for rtcp in datagrams(self.reporter(), feedback, self.takes_reduced_size()) {
            self.send_rtcp(rtcp, work);
        }
    }

    fn send_rtcp(&mut self, mut rtcp: Vec<u8>, work: &mut Work) {
        let Stage::Open(_, keys) = &mut self.stage else { return };
        if !rtcp.is_empty() {
            keys.sealer.seal_rtcp(&mut rtcp, 0);
            self.send_one(&rtcp, work);
        }
    }

    fn takes_reduced_size(&self) -> bool {
        self.receives.iter().all(|track| track.reduced_size)
    }

    /// Who reports: a source of our own, where there is one.
    fn reporter(&self) -> u32 {
        self.outgoing.iter().flat_map(|track| &track.track.layers).map(|layer| layer.ssrc).next().unwrap_or(1)
    }
}

impl Feedback {
    /// Appends transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1), with two-bit symbols and large deltas.
    fn write(&mut self, rtcp: &mut Vec<u8>, sender_ssrc: u32, media_ssrc: u32) {
        let mut arrivals = std::mem::take(&mut self.arrivals);
        let first = arrivals[0].0;
        arrivals.sort_by_key(|(sequence, _)| sequence.wrapping_sub(first) as i16);
        arrivals.dedup_by_key(|(sequence, _)| *sequence);
        let base = arrivals[0].0;
        let count =
            arrivals.last().map_or(0, |(last, _)| last.wrapping_sub(base)).saturating_add(1).min(MAX_TOLD as u16);
        let reference = (arrivals[0].1.as_millis() / 64) as u32 & 0x00ff_ffff;
        let mut clock_us = i64::from(reference) * 64_000;
        let wrap_us = (arrivals[0].1.as_micros() as i64 / 64_000 - i64::from(reference)) * 64_000;
        let (mut symbols, mut deltas) = (vec![0_u16; usize::from(count)], Vec::new());
        for (sequence, at) in &arrivals {
            let Some(symbol) = symbols.get_mut(usize::from(sequence.wrapping_sub(base))) else { continue };
            let delta = (at.as_micros() as i64 - wrap_us - clock_us) / 250;
            let delta = delta.clamp(i64::from(i16::MIN), i64::from(i16::MAX));
            clock_us += delta * 250;
            *symbol = 2;
            deltas.extend_from_slice(&(delta as i16).to_be_bytes());
        }
        let start = rtcp.len();
        rtcp.extend_from_slice(&[0x8f, 205, 0, 0]);
        rtcp.extend_from_slice(&sender_ssrc.to_be_bytes());
        rtcp.extend_from_slice(&media_ssrc.to_be_bytes());
        rtcp.extend_from_slice(&base.to_be_bytes());
        rtcp.extend_from_slice(&count.to_be_bytes());
        rtcp.extend_from_slice(&reference.to_be_bytes()[1..]);
        rtcp.push(self.sent);
        self.sent = self.sent.wrapping_add(1);
        for seven in symbols.chunks(7) {
            let packed = seven.iter().enumerate().fold(0xc000_u16, |word, (n, symbol)| word | symbol << (12 - 2 * n));
            rtcp.extend_from_slice(&packed.to_be_bytes());
        }
        rtcp.extend_from_slice(&deltas);
        rtcp.resize(start + (rtcp.len() - start).next_multiple_of(4), 0);
        let words = ((rtcp.len() - start) / 4 - 1) as u16;
        rtcp[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
    }
}

/// Time as RTCP tells it: seconds since 1900, and 2⁻³² of them.
fn ntp(wall: Duration) -> u64 {
    ((wall.as_secs() + NTP_EPOCH) << 32) | ((u64::from(wall.subsec_nanos()) << 32) / 1_000_000_000)
}

/// All in one where the reduced size was agreed on (RFC 5506 §3.4.1); else each after a report about its source (RFC 3550 §6.1), by
/// which Janus knows whom it is for.
fn datagrams(ssrc: u32, feedback: &[(ReceptionReport, Vec<u8>)], reduced_size: bool) -> Vec<Vec<u8>> {
    if reduced_size {
        return vec![feedback.iter().flat_map(|(_, packet)| packet).copied().collect()];
    }
    let report = |about: &ReceptionReport| ReceiverReport { ssrc, reports: vec![about.clone()], ..Default::default() };
    feedback.iter().map(|(about, packet)| [written(&report(about)), packet.clone()].concat()).collect()
}

/// Reports about all sources, each a datagram; where the reduced size was not agreed on they are about one source each, since Janus
/// sees the first of several alone.
fn receiver_reports(ssrc: u32, reports: &[ReceptionReport], reduced_size: bool) -> Vec<ReceiverReport> {
    let together = if reduced_size { MAX_REPORTED } else { 1 };
    let report = |reports: &[ReceptionReport]| ReceiverReport { ssrc, reports: reports.to_vec(), ..Default::default() };
    reports.chunks(together).map(report).collect()
}

fn append(rtcp: &mut Vec<u8>, packet: &impl Marshal) {
    rtcp.extend_from_slice(&written(packet));
}

fn written(packet: &impl Marshal) -> Vec<u8> {
    packet.marshal().expect("a packet of ours can be written").into()
}

/// The first packet of a compound one (RFC 3550 §6.1), and the rest.
fn next_packet(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let head: &[u8; 4] = bytes.first_chunk()?;
    let length = 4 * (1 + usize::from(u16::from_be_bytes([head[2], head[3]])));
    (head[0] >> 6 == 2).then(|| bytes.split_at_checked(length)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtc_rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;

    #[test]
    fn transport_wide_feedback_is_what_the_library_reads() {
        let start = Duration::from_millis(1_700_000_000_064);
        let mut feedback = Feedback { arrivals: Vec::new(), sent: 7 };
        for (sequence, ms) in [(0xffff_u16, 0), (1, 10), (2, 5), (0, 1)] {
            feedback.arrivals.push((sequence, start + Duration::from_millis(ms)));
        }
        let mut rtcp = Vec::new();
        feedback.write(&mut rtcp, 1, 2);
        let read = TransportLayerCc::unmarshal(&mut &rtcp[..]).expect("feedback");
        assert_eq!((read.base_sequence_number, read.packet_status_count, read.fb_pkt_count), (0xffff, 4, 7));
        let deltas: Vec<i64> = read.recv_deltas.iter().map(|delta| delta.delta).collect();
        assert_eq!(deltas, [deltas[0], 1_000, 9_000, -5_000]);
    }

    const PICTURE: u32 = 7;

    fn asked() -> Vec<(ReceptionReport, Vec<u8>)> {
        let ask = |ssrc| {
            let request = PictureLossIndication { sender_ssrc: 1, media_ssrc: ssrc };
            (ReceptionReport { ssrc, last_sender_report: 5, ..Default::default() }, written(&request))
        };
        [PICTURE, 8].map(ask).to_vec()
    }

    #[test]
    fn feedback_of_reduced_size_goes_by_itself_and_together() {
        let sent = datagrams(1, &asked(), true);
        assert_eq!(sent, [[asked()[0].1.clone(), asked()[1].1.clone()].concat()]);
    }

    #[test]
    fn where_that_was_not_agreed_on_each_comes_after_a_report_about_its_source() {
        let sent = datagrams(1, &asked(), false);
        assert_eq!(sent.len(), 2);
        let (mut report, request) = next_packet(&sent[0]).expect("a compound packet");
        let report = ReceiverReport::unmarshal(&mut report).expect("a report comes first");
        assert_eq!((report.ssrc, report.reports), (1, vec![asked()[0].0.clone()]));
        assert_eq!(request, asked()[0].1);
    }

    #[test]
    fn where_that_was_not_agreed_on_a_report_is_about_one_source() {
        let about: Vec<ReceptionReport> = asked().into_iter().map(|(report, _)| report).collect();
        let sources = |reduced_size| {
            let reports = receiver_reports(1, &about, reduced_size).into_iter();
            reports.map(|report| report.reports.len()).collect::<Vec<_>>()
        };
        assert_eq!((sources(true), sources(false)), (vec![2], vec![1, 1]));
    }
}
