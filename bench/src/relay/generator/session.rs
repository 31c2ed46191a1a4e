//! One participant's transport while it runs: checks, then shakes hands, then carries media.

use super::{
    feedback::Feedback,
    outgoing::{Outgoing, Shared},
    socket::Socket,
    stream::Stream,
    tally::{Entry, Tally},
};
use crate::relay::{
    peer::{
        Peer, ReceivesTrack, Security,
        dtls::{Dtls, Identity, Progress as HandshakeProgress},
        keys::Keys,
        stun::{self, Heard},
    },
    target::Seat,
};
use domain::media::MediaKind;
use mio::Registry;
use nix::time::{ClockId, clock_gettime};
use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

/// How long an unanswered check waits, doubling up to the last.
const CHECK_INTERVALS_MS: [u64; 5] = [50, 100, 200, 400, 500];
/// RFC 7675 §5.1 wants consent every five seconds or so.
pub(super) const CONSENT_INTERVAL: Duration = Duration::from_secs(5);

/// Checks whose answer is awaited, newest first.
const MAX_CHECKS: usize = 8;

/// How far a transport is.
pub(super) enum Stage {
    /// A check is on its way; so many were sent.
    Checking(usize),
    /// The path is known, keys are not.
    Shaking(Box<Dtls>),
    /// Media flows; the handshake's end is kept for what is repeated and for goodbyes.
    Open(Option<Box<Dtls>>, Box<Keys>),
    /// Over.
    Ended,
}

/// What the thread does when a session's time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Task {
    /// Connectivity check or consent.
    Check,
    /// A flight of the handshake was not answered.
    Flight,
    /// The next frame of a track.
    Frame(usize),
    /// Sender and receiver reports, key-frame requests.
    Report,
    /// Transport-wide feedback.
    Feedback,
    /// NACKs.
    Requests,
}

/// What sessions of one thread share.
pub(super) struct Work {
    pub tally: Tally,
    /// Where packets are built.
    pub bytes: Vec<u8>,
    /// Tasks to be planned.
    pub plans: Vec<(Instant, Task)>,
    /// Loss and latency are those of the rooms with a lower number.
    pub watched_below: u32,
    /// Media packets received since the thread began, each once.
    pub received_ever: u64,
    /// Pictures that could be shown since the thread began.
    pub shown_ever: u64,
}

impl Work {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            tally: Tally::new(now),
            bytes: Vec::with_capacity(65_536),
            plans: Vec::new(),
            watched_below: u32::MAX,
            received_ever: 0,
            shown_ever: 0,
        }
    }

    /// Counts a media packet that had not come before. What comes again is no work of the server's that anybody wanted: counted, it
    /// would make whoever sends too much look cheap.
    pub(super) fn count_received(&mut self, bytes: usize) {
        self.tally.received += 1;
        self.tally.received_bytes += bytes as u64;
        self.received_ever += 1;
    }
}

/// One running transport.
pub(super) struct Session {
    pub seat: Seat,
    pub entry: Entry,
    pub stage: Stage,
    pub outgoing: Vec<Outgoing>,
    pub receives: Vec<ReceivesTrack>,
    pub streams: Vec<Stream>,
    pub feedback: Feedback,
    pub(super) socket: Socket,
    pub(super) transport_sequence: u16,
    /// As the last check took.
    pub(super) round_trip: Duration,
    /// It is planned when missing packets are asked for.
    pub(super) requests_planned: bool,
    /// The server as it names itself, which may not be where we send.
    server: SocketAddr,
    next: SocketAddr,
    /// Checks that were not answered yet.
    checks: VecDeque<([u8; 12], Instant)>,
    security: Security,
    identity: Arc<Identity>,
    transactions: u64,
    wished: Instant,
    answered: Instant,
    checked: Option<Instant>,
}

/// Time since the epoch on the clock that the kernel stamps packets with.
pub(super) fn wall() -> Duration {
    clock_gettime(ClockId::CLOCK_REALTIME).map(Duration::from).unwrap_or_default()
}

impl Session {
    pub(super) fn new(peer: Peer, registry: &Registry, token: usize, dice: u32) -> io::Result<Self> {
        let transport = peer.transport;
        let entry = Entry {
            seat: peer.seat,
            signaling: peer.answered.duration_since(peer.wished),
            ice: None,
            dtls: None,
            first_packet: None,
            first_keyframe: None,
            suite: None,
            ended: None,
        };
        let outgoing = peer.sends.into_iter().enumerate();
        Ok(Self {
            seat: peer.seat,
            entry,
            stage: Stage::Checking(0),
            outgoing: outgoing.map(|(n, track)| Outgoing::new(track, dice.wrapping_add(n as u32))).collect(),
            receives: peer.receives,
            streams: Vec::new(),
            feedback: Feedback::default(),
            server: transport.route.server,
            next: transport.route.next,
            socket: Socket::new(transport.route.socket, transport.route.next, registry, token)?,
            transport_sequence: 0,
            round_trip: Duration::ZERO,
            requests_planned: false,
            checks: VecDeque::with_capacity(MAX_CHECKS),
            security: transport.security,
            identity: transport.identity,
            transactions: u64::from(dice),
            wished: peer.wished,
            answered: peer.answered,
            checked: None,
        })
    }

    /// Takes a datagram from the network; `at` is when the kernel had it.
    pub(super) fn handle_datagram(
        &mut self,
        from: SocketAddr,
        at: Option<Duration>,
        datagram: &mut [u8],
        now: Instant,
        work: &mut Work,
    ) {
        // RFC 7983: the first byte says what it is.
        match datagram.first() {
            Some(0..=3) => self.handle_stun(from, datagram, now, work),
            Some(20..=63) => self.handle_dtls(datagram, now, work),
            Some(128..=191) if datagram.len() >= 12 && (192..=223).contains(&datagram[1]) => {
                self.handle_rtcp(datagram, now, work);
            }
            Some(128..=191) => self.handle_rtp(datagram, at, now, work),
            _ => {}
        }
    }

    fn handle_stun(&mut self, from: SocketAddr, datagram: &[u8], now: Instant, work: &mut Work) {
        let Security::Handshake { local_ice, remote_ice, .. } = &self.security else { return };
        // The server learns the address that it sent from, as if nobody stood between.
        let from = if from == self.next { self.server } else { from };
        match stun::read(datagram, from, local_ice, remote_ice, self.identity.crypto.as_ref()) {
            Some(Heard::Check(answer)) => self.send_one(&answer, work),
            Some(Heard::Success(transaction)) => {
                if let Some((_, sent)) = self.checks.iter().find(|(check, _)| *check == transaction) {
                    self.round_trip = now.duration_since(*sent);
                }
                if matches!(self.stage, Stage::Checking(_)) {
                    self.entry.ice = Some(now.duration_since(self.answered));
                    self.checked = Some(now);
                    self.begin_handshake(now, work);
                }
            }
            None => {}
        }
    }

    fn begin_handshake(&mut self, now: Instant, work: &mut Work) {
        let Security::Handshake { remote_fingerprint, is_dtls_client, .. } = &self.security else { return };
        match Dtls::begin(&self.identity, *is_dtls_client, remote_fingerprint.clone(), now) {
            Ok(dtls) => {
                self.stage = Stage::Shaking(Box::new(dtls));
                self.send_flights(work);
                work.plans.push((now + CONSENT_INTERVAL, Task::Check));
            }
            Err(error) => self.end(error.to_string()),
        }
    }

    fn handle_dtls(&mut self, datagram: &[u8], now: Instant, work: &mut Work) {
        let progress = match &mut self.stage {
            Stage::Shaking(dtls) | Stage::Open(Some(dtls), _) => dtls.handle_datagram(now, datagram),
            // A server that is the client may speak before it has our answer to its check.
            Stage::Checking(_) | Stage::Open(None, _) | Stage::Ended => return,
        };
        self.send_flights(work);
        match progress {
            HandshakeProgress::Nothing => {}
            HandshakeProgress::Open(keys) => self.open(keys, now, work),
            HandshakeProgress::Closed(why) => self.end(why),
        }
    }

    fn open(&mut self, keys: Box<Keys>, now: Instant, work: &mut Work) {
        let dtls = match std::mem::replace(&mut self.stage, Stage::Ended) {
            Stage::Shaking(dtls) => Some(dtls),
            Stage::Checking(_) => None,
            Stage::Open(..) | Stage::Ended => return,
        };
        self.entry.dtls = self.checked.map(|checked| now.duration_since(checked));
        self.entry.suite = Some(keys.suite);
        self.stage = Stage::Open(dtls, keys);
        for (number, track) in self.outgoing.iter().enumerate() {
            // Everybody has a phase of their own, or all frames of a room would come at once.
            let phase = track.interval().mul_f64(f64::from(self.transactions as u32 & 0xffff) / 65_536.0);
            self.transactions = self.transactions.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            work.plans.push((now + phase, Task::Frame(number)));
        }
        work.plans.push((now + super::feedback::INTERVAL, Task::Feedback));
        work.plans.push((now + super::feedback::REPORT_INTERVAL, Task::Report));
    }

    /// Does what is due, and plans what comes next.
    pub(super) fn handle_task(&mut self, task: Task, due: Instant, now: Instant, work: &mut Work) {
        match task {
            Task::Check => self.check(now, work),
            Task::Flight => {
                if let Stage::Shaking(dtls) = &mut self.stage {
                    dtls.handle_timeout(now);
                    self.send_flights(work);
                }
            }
            Task::Frame(track) => self.send_frame(track, due, now, work),
            Task::Report => self.send_reports(now, work),
            Task::Feedback => self.send_feedback(now, work),
            Task::Requests => self.send_requests(now, work),
        }
    }

    fn check(&mut self, now: Instant, work: &mut Work) {
        let (local_ice, remote_ice) = match &self.security {
            Security::Handshake { local_ice, remote_ice, .. } => (local_ice, remote_ice),
            Security::Keyed(material) => {
                let keys = Box::new(material.keys(true));
                return self.open(keys, now, work);
            }
        };
        let wait = match &mut self.stage {
            Stage::Checking(sent) => {
                *sent += 1;
                Duration::from_millis(CHECK_INTERVALS_MS[(*sent - 1).min(CHECK_INTERVALS_MS.len() - 1)])
            }
            Stage::Shaking(_) | Stage::Open(..) => CONSENT_INTERVAL,
            Stage::Ended => return,
        };
        self.transactions += 1;
        let mut transaction = [0; 12];
        transaction[4..].copy_from_slice(&self.transactions.to_be_bytes());
        self.checks.truncate(MAX_CHECKS - 1);
        self.checks.push_front((transaction, now));
        let request = stun::request(local_ice, remote_ice, transaction, self.identity.crypto.as_ref());
        self.send_one(&request, work);
        work.plans.push((now + wait, Task::Check));
    }

    fn send_frame(&mut self, number: usize, due: Instant, now: Instant, work: &mut Work) {
        let (Stage::Open(_, keys), Some(track)) = (&self.stage, self.outgoing.get_mut(number)) else { return };
        let mut shared = Shared::new(&self.seat, &keys.sealer, &mut self.transport_sequence, work);
        track.next_frame(now, &mut shared, |bytes, segment| self.socket.send(bytes, segment).is_ok());
        let interval = track.interval();
        let late = now.saturating_duration_since(due);
        work.tally.late_frames += u64::from(late > interval);
        // What is a second late is not made up for.
        let next = if late > Duration::from_secs(1) { now + interval } else { due + interval };
        work.plans.push((next, Task::Frame(number)));
    }

    pub(super) fn send_one(&self, datagram: &[u8], work: &mut Work) {
        if self.socket.send(datagram, datagram.len()).is_err() {
            work.tally.send_failures += 1;
        }
    }

    fn send_flights(&mut self, work: &mut Work) {
        let (Stage::Shaking(dtls) | Stage::Open(Some(dtls), _)) = &mut self.stage else { return };
        while let Some(datagram) = dtls.next_datagram() {
            if self.socket.send(&datagram, datagram.len()).is_err() {
                work.tally.send_failures += 1;
            }
        }
        if let (Some(at), Stage::Shaking(_)) = (dtls.next_timeout(), &self.stage) {
            work.plans.push((at, Task::Flight));
        }
    }

    /// Says goodbye.
    pub(super) fn close(&mut self, now: Instant, registry: &Registry, work: &mut Work) {
        if let Stage::Shaking(dtls) | Stage::Open(Some(dtls), _) = &mut self.stage {
            dtls.close(now);
        }
        self.send_flights(work);
        self.stage = Stage::Ended;
        self.socket.close(registry);
    }

    fn end(&mut self, why: String) {
        self.entry.ended = Some(why);
        self.stage = Stage::Ended;
    }

    /// What came of somebody else, for the phases of joining.
    pub(super) fn note_arrival(&mut self, keyframe: bool, now: Instant) {
        let since = now.duration_since(self.wished);
        self.entry.first_packet.get_or_insert(since);
        if keyframe {
            self.entry.first_keyframe.get_or_insert(since);
        }
    }

    /// Whether every track that is expected is there.
    pub(super) fn flows(&self) -> bool {
        let is_there = |kind: MediaKind| {
            let expected = self.receives.iter().filter(|track| track.kind == kind).count();
            let there = self.streams.iter().filter(|stream| {
                stream.kind == kind && !stream.is_rtx && (kind == MediaKind::Audio || stream.keyframe_seen)
            });
            there.count() >= expected
        };
        matches!(self.stage, Stage::Open(..)) && is_there(MediaKind::Audio) && is_there(MediaKind::Video)
    }
}
