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
        let tally = &mut work.tally;
        let Some(header) = RtpHeader::parse(packet) else { return tally.unreadable += 1 };
        let Some(number) = self.stream(&header, now) else { return tally.unreadable += 1 };
        tally.received += 1;
        work.received_ever += 1;
        tally.received_bytes += packet.len() as u64;
        self.note_transport_sequence(&header, packet, at);
        let stream = &mut self.streams[number];
        let Some(index) = stream.count(header.sequence, now, tally) else { return };
        if stream.is_rtx {
            return self.handle_retransmission(number, header, index, packet, (at, is_watched), now, work);
        }
        if let Some(due) = stream.next_request()
            && !self.requests_planned
        {
            self.requests_planned = true;
            work.plans.push((due, Task::Requests));
        }
        let shown = match stream.kind {
            MediaKind::Video => stream.frames.arrived(index, at, tally),
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
        let Some(mark) = mark else { return tally.unreadable += 1 };
        if mark.room != self.seat.room || mark.participant == self.seat.participant {
            tally.wrong_room += 1;
        }
        if is_marked && is_watched {
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
        let tally = &mut work.tally;
        tally.retransmitted += 1;
        let Stage::Open(_, keys) = &self.stage else { return };
        let Ok(length) = keys.opener.open_rtp(packet, header.len, header.ssrc, index) else {
            return tally.unreadable += 1;
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
        tally.repaired += 1;
        let mut shown = stream.frames.arrived(index, at, tally);
        if let Some(mark) = mark::read(kind, payload) {
            let told = stream.frames.told(index, &mark, at, is_watched, tally);
            shown = Shown { frames: shown.frames + told.frames, keyframe: shown.keyframe || told.keyframe };
        }
        self.note_shown(number, shown, now, work);
    }
}
