//! Media packets that a participant receives: every one counted by its clear header, marked ones opened and read.

use super::{
    frames::Shown,
    mark,
    session::{Session, Stage, Task, Work},
    stream::Stream,
};
use crate::relay::peer::ReceivesTrack;
use domain::media::MediaKind;
use media_relay::RtpHeader;
use std::time::{Duration, Instant};

/// Of sound every fifth packet is opened, by its sequence number.
const OPENED_SOUND: u16 = 5;
/// The first packets of a source are all opened, to learn whose it is and to see the key frame.
const FIRST_PACKETS: u64 = 64;

impl Session {
    pub(super) fn handle_rtp(&mut self, packet: &mut [u8], at: Option<Duration>, now: Instant, work: &mut Work) {
        let is_watched = self.seat.room < work.watched_below;
        let Some(header) = RtpHeader::parse(packet) else { return work.tally.unreadable += 1 };
        let Some(number) = self.stream(&header, now) else { return work.tally.unreadable += 1 };
        self.note_transport_sequence(&header, packet, at);
        let stream = &mut self.streams[number];
        let Some(index) = stream.count(header.sequence, now, &mut work.tally) else { return };
        if stream.is_rtx {
            return self.handle_retransmission(number, header, index, packet, (at, is_watched), now, work);
        }
        work.count_received(packet.len());
        if let Some(due) = stream.next_request()
            && !self.requests_planned
        {
            self.requests_planned = true;
            work.plans.push((due, Task::Requests));
        }
        let shown = match stream.kind {
            MediaKind::Video => stream.frames.arrived(index, at, &mut work.tally),
            MediaKind::Audio => Shown::default(),
        };
        let is_marked = match stream.kind {
            MediaKind::Video => header.marker,
            MediaKind::Audio => header.sequence.is_multiple_of(OPENED_SOUND),
        };
        let waits = stream.keyframe_asked.is_some() || (stream.kind == MediaKind::Video && !stream.keyframe_seen);
        let is_opened = is_marked || waits || stream.received <= FIRST_PACKETS;
        self.note_shown(number, shown, now, work);
        if is_opened {
            self.read_mark(number, header, index, packet, (at, is_marked, is_watched), now, work);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what is known of one packet")]
    fn read_mark(
        &mut self,
        number: usize,
        header: RtpHeader,
        index: u64,
        packet: &mut [u8],
        (at, is_marked, is_watched): (Option<Duration>, bool, bool),
        now: Instant,
        work: &mut Work,
    ) {
        let Stage::Open(_, keys) = &self.stage else { return };
        let (stream, tally) = (&mut self.streams[number], &mut work.tally);
        let opened = keys.opener.open_rtp(packet, header.len, header.ssrc, index).ok();
        let mark = opened.and_then(|length| mark::read(stream.kind, header.payload(&packet[..length])?));
        let is_measured = is_marked && is_watched;
        tally.marked += u64::from(is_measured);
        let Some(mark) = mark else {
            tally.unreadable += 1;
            tally.unread += u64::from(is_measured);
            return;
        };
        if mark.room != self.seat.room || mark.participant == self.seat.participant {
            tally.wrong_room += 1;
        }
        if is_measured {
            stream.anchor(&mark, tally);
            if let Some(late) = at.and_then(|at| at.checked_sub(mark.sent_at)) {
                tally.latency.saturating_record(u64::try_from(late.as_nanos()).unwrap_or(u64::MAX).max(1));
            }
        }
        let shown = match stream.kind {
            MediaKind::Video => stream.frames.told(index, &mark, at, is_watched, tally),
            MediaKind::Audio => Shown::default(),
        };
        self.note_arrival(false, now);
        self.note_shown(number, shown, now, work);
    }

    fn note_shown(&mut self, number: usize, shown: Shown, now: Instant, work: &mut Work) {
        work.shown_ever += shown.frames;
        if shown.keyframe {
            let stream = &mut self.streams[number];
            stream.keyframe_seen = true;
            stream.keyframe_asked = None;
            self.note_arrival(true, now);
        }
    }

    /// The source of a packet, new ones being taken for what they were declared as.
    fn stream(&mut self, header: &RtpHeader, now: Instant) -> Option<usize> {
        if let Some(number) = self.streams.iter().position(|stream| stream.ssrc == header.ssrc) {
            return Some(number);
        }
        let by_ssrc = |track: &&ReceivesTrack| [track.ssrc, track.rtx_ssrc].contains(&Some(header.ssrc));
        let by_type = |track: &&ReceivesTrack| {
            track.payload_type == header.payload_type || track.rtx_payload_type == Some(header.payload_type)
        };
        let track = self.receives.iter().find(by_ssrc).or_else(|| self.receives.iter().find(by_type))?;
        let is_rtx = track.rtx_payload_type == Some(header.payload_type);
        self.streams.push(Stream::new(header.ssrc, track.kind, is_rtx, now));
        Some(self.streams.len() - 1)
    }

    /// RFC 4588 §4: the original's sequence number, then its payload.
    #[expect(clippy::too_many_arguments, reason = "what is known of one packet")]
    fn handle_retransmission(
        &mut self,
        number: usize,
        header: RtpHeader,
        index: u64,
        packet: &mut [u8],
        (at, is_watched): (Option<Duration>, bool),
        now: Instant,
        work: &mut Work,
    ) {
        work.tally.retransmitted += 1;
        let Stage::Open(_, keys) = &self.stage else { return };
        let Ok(length) = keys.opener.open_rtp(packet, header.len, header.ssrc, index) else {
            return work.tally.unreadable += 1;
        };
        let Some((original, payload)) = header.payload(&packet[..length]).and_then(<[u8]>::split_first_chunk::<2>)
        else {
            return;
        };
        let original = u16::from_be_bytes(*original);
        let rtx = self.streams[number].ssrc;
        let of = self.receives.iter().find(|track| track.rtx_ssrc == Some(rtx)).and_then(|track| track.ssrc);
        let kind = self.streams[number].kind;
        let mut streams = self.streams.iter_mut().enumerate();
        let is_of = |stream: &Stream| !stream.is_rtx && stream.kind == kind && of.is_none_or(|of| stream.ssrc == of);
        let Some((number, stream)) = streams.find(|(_, stream)| is_of(stream)) else { return };
        let Some(index) = stream.repair(original) else { return };
        work.count_received(packet.len());
        let tally = &mut work.tally;
        tally.repaired += 1;
        let mut shown = stream.frames.arrived(index, at, tally);
        if let Some(mark) = mark::read(kind, payload) {
            let told = stream.frames.told(index, &mark, at, is_watched, tally);
            shown = Shown { frames: shown.frames + told.frames, keyframe: shown.keyframe || told.keyframe };
        }
        self.note_shown(number, shown, now, work);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::{
        generator::{
            outgoing::{Outgoing, Shared},
            rtp::{self, Fields},
        },
        peer::{
            Extensions, Layer, PeerFactory, Sends,
            keys::{Keys, Material, Suite},
        },
        target::{Picture, Receives, Seat},
    };
    use mio::Poll;
    use rtc_rtcp::sender_report::SenderReport;
    use rtc_shared::marshal::Marshal as _;
    use std::net::{IpAddr, Ipv4Addr};

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const SSRC: u32 = 0x0100_0010;
    const PUBLISHER: Seat = Seat {
        room: 1,
        participant: 0,
        audio: false,
        picture: Picture::One,
        receives: Receives { audio: 0, video: 0 },
    };

    /// Somebody who sees one other, and the keys of the server between them.
    struct Viewer {
        session: Session,
        work: Work,
        server: Keys,
        published: Outgoing,
    }

    impl Viewer {
        fn new() -> Self {
            let now = Instant::now();
            let material = Material::of(&vec![7; Suite::Gcm.material_bytes()]).expect("keys");
            let server = material.keys(false);
            let receives = Receives { audio: 0, video: 1 };
            let seat = Seat { participant: 1, picture: Picture::No, receives, ..PUBLISHER };
            let peers = PeerFactory::new(HERE, 7, Suite::Gcm).expect("a certificate");
            let (_, peer) = peers.keyed(&seat, (HERE, 9).into(), material, receives).expect("a socket");
            let poll = Poll::new().expect("a poll");
            let mut session = Session::new(peer, poll.registry(), 0, 1).expect("a socket");
            let mut work = Work::new(now);
            session.handle_task(Task::Check, now, now, &mut work);
            Self { session, work, server, published: Outgoing::new(track(), 1) }
        }

        /// The packets of the next picture.
        fn picture(&mut self) -> Vec<Vec<u8>> {
            let mut packets = Vec::new();
            let (mut number, mut work) = (0, Work::new(Instant::now()));
            let mut shared = Shared::new(&PUBLISHER, &self.server.sealer, &mut number, &mut work);
            self.published.next_frame(Instant::now(), &mut shared, |datagrams, size| {
                packets.extend(datagrams.chunks(size).map(<[u8]>::to_vec));
                true
            });
            packets
        }

        /// A packet that was sent, once more.
        fn again(&mut self, sequence: u16) -> Vec<u8> {
            let mut packet = Vec::new();
            let (mut number, mut work) = (0, Work::new(Instant::now()));
            let mut shared = Shared::new(&PUBLISHER, &self.server.sealer, &mut number, &mut work);
            self.published.resend(SSRC, sequence, &mut shared, |datagram, _| {
                packet = datagram.to_vec();
                true
            });
            packet
        }

        /// A picture's last packet, as a server makes it that takes pictures apart: what stands in it has lost its mark.
        fn packed_anew(&self, like: &[u8]) -> Vec<u8> {
            let header = RtpHeader::parse(like).expect("a packet");
            let fields = Fields {
                marker: true,
                payload_type: header.payload_type,
                sequence: header.sequence,
                timestamp: 0,
                ssrc: header.ssrc,
                extensions: &Extensions::default(),
                mid: None,
                rid: None,
                transport_sequence: 0,
            };
            let mut packet = Vec::new();
            let length = rtp::write(&mut packet, &fields);
            packet.extend_from_slice(&[0x80, 0x80, 0x80, 0x01]);
            packet.resize(length + 800, 0x5a);
            self.server.sealer.seal_rtp(&mut packet, 0, length, header.ssrc, u64::from(header.sequence));
            packet
        }

        fn receive(&mut self, packet: &[u8]) {
            let (from, at) = ((HERE, 9).into(), Some(Duration::from_secs(1)));
            self.session.handle_datagram(from, at, &mut packet.to_vec(), Instant::now(), &mut self.work);
        }
    }

    fn track() -> Sends {
        Sends {
            kind: MediaKind::Video,
            mid: "0".to_owned(),
            payload_type: 96,
            rtx_payload_type: Some(97),
            extensions: Extensions::default(),
            layers: vec![Layer { ssrc: SSRC, rtx_ssrc: 0x0100_0020, rid: None, packets_per_frame: 6 }],
        }
    }

    #[test]
    fn a_packet_that_comes_twice_is_counted_once() {
        let mut viewer = Viewer::new();
        let packets = viewer.picture();
        for packet in &packets {
            viewer.receive(packet);
            viewer.receive(packet);
        }
        let (tally, all) = (&viewer.work.tally, packets.len() as u64);
        assert_eq!((tally.received, tally.duplicates, viewer.work.received_ever), (all, all, all));
        assert_eq!(tally.received_bytes, packets.iter().map(|packet| packet.len() as u64).sum::<u64>());
    }

    #[test]
    fn a_retransmission_counts_when_it_brings_what_was_missing() {
        let mut viewer = Viewer::new();
        let packets = viewer.picture();
        let is_lost = |place: usize| place == 1;
        packets.iter().enumerate().filter(|(place, _)| !is_lost(*place)).for_each(|(_, packet)| viewer.receive(packet));
        let lost = RtpHeader::parse(&packets[1]).expect("a packet").sequence;
        for _ in 0..3 {
            let again = viewer.again(lost);
            viewer.receive(&again);
        }
        let tally = &viewer.work.tally;
        assert_eq!((tally.received, tally.retransmitted, tally.repaired), (packets.len() as u64, 3, 1));
    }

    #[test]
    fn what_a_server_said_of_the_time_is_told_back() {
        let mut viewer = Viewer::new();
        viewer.picture().iter().for_each(|packet| viewer.receive(packet));
        let report = SenderReport { ssrc: SSRC, ntp_time: 0x1111_2222_3333_4444, ..Default::default() };
        let mut rtcp = report.marshal().expect("a report").to_vec();
        viewer.server.sealer.seal_rtcp(&mut rtcp, 0);
        viewer.receive(&rtcp);
        let report = viewer.session.streams[0].report(Instant::now());
        assert_eq!((report.ssrc, report.last_sender_report), (SSRC, 0x2222_3333));
    }

    #[test]
    fn pictures_that_a_server_packs_anew_do_not_pass_for_ours() {
        let mut viewer = Viewer::new();
        for changed in [false, true, false, true] {
            let mut packets = viewer.picture();
            let last = packets.pop().expect("a picture has packets");
            packets.push(if changed { viewer.packed_anew(&last) } else { last });
            packets.iter().for_each(|packet| viewer.receive(packet));
        }
        assert_eq!((viewer.work.tally.marked, viewer.work.tally.unread), (4, 2));
    }
}
