//! The generator's thread: sends what is due, receives what has come, and tells where everybody is.

use super::{
    Command, Entry, Progress, Tally,
    session::{Session, Stage, Task, Work},
    socket::Buffers,
    stream::SILENCE,
};
use crate::relay::peer::Peer;
use mio::{Events, Poll, Token};
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io::ErrorKind,
    sync::mpsc::Receiver,
    time::{Duration, Instant},
};
use tokio::sync::watch;

pub(super) const WAKE: Token = Token(usize::MAX);

/// While nobody joins, sockets are looked at once in so long, so that one system call brings what a burst was.
/// Latency does not suffer: the kernel has written down when each packet came.
const TURN: Duration = Duration::from_millis(1);
const TELL_INTERVAL: Duration = Duration::from_millis(50);
const EVENTS: usize = 1_024;

/// A task of the session at `slot`; another session may have the slot by then.
type Due = Reverse<(Instant, usize, u64, Task)>;

pub(super) struct Worker {
    poll: Poll,
    commands: Receiver<Command>,
    told: watch::Sender<Progress>,
    sessions: Vec<Option<(u64, Session)>>,
    free: Vec<usize>,
    generation: u64,
    due: BinaryHeap<Due>,
    work: Work,
    buffers: Buffers,
    dice: u64,
    next_tell: Instant,
}

impl Worker {
    pub(super) fn new(poll: Poll, commands: Receiver<Command>, told: watch::Sender<Progress>, seed: u64) -> Self {
        let now = Instant::now();
        Self {
            poll,
            commands,
            told,
            sessions: Vec::new(),
            free: Vec::new(),
            generation: 0,
            due: BinaryHeap::new(),
            work: Work::new(now),
            buffers: Buffers::new(),
            dice: seed,
            next_tell: now,
        }
    }

    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            while let Ok(command) = self.commands.try_recv() {
                if matches!(command, Command::Stop) {
                    return self.say_goodbye();
                }
                self.obey(command);
            }
            self.do_due();
            let now = Instant::now();
            if now >= self.next_tell {
                self.tell(now);
            }
            let wait = self.wait();
            if let Err(error) = self.poll.poll(&mut events, Some(wait))
                && error.kind() != ErrorKind::Interrupted
            {
                eprintln!("the generator cannot wait for its sockets: {error}");
                return;
            }
            let now = Instant::now();
            events.iter().filter(|event| event.token() != WAKE).for_each(|event| self.receive(event.token().0, now));
        }
    }

    /// How long to wait for sockets: not at all after a turn's sleep.
    fn wait(&self) -> Duration {
        let now = Instant::now();
        let next = self.due.peek().map_or(now + TELL_INTERVAL, |Reverse((at, ..))| *at).min(self.next_tell);
        let progress = *self.told.borrow();
        let somebody_joins = progress.connected + progress.ended < progress.transports;
        if somebody_joins || progress.transports == 0 {
            return next.saturating_duration_since(now);
        }
        let sleep = next.saturating_duration_since(now).min(TURN);
        if !sleep.is_zero() {
            std::thread::sleep(sleep);
        }
        Duration::ZERO
    }

    fn obey(&mut self, command: Command) {
        let now = Instant::now();
        match command {
            Command::Add(peers) => peers.into_iter().for_each(|peer| self.add(peer, now)),
            Command::Remove { room } => self.remove(room, now),
            Command::Begin { below, answer } => {
                self.work.tally = Tally::new(now);
                self.work.watched_below = below;
                let sessions = self.sessions.iter_mut().flatten();
                sessions.flat_map(|(_, session)| &mut session.streams).for_each(|stream| stream.begin_window());
                // Nobody waits any more: the run was ended.
                let _ = answer.send(());
            }
            Command::Report(answer) => drop(answer.send(self.report(now))),
            Command::Entries(answer) => {
                let entries: Vec<Entry> =
                    self.sessions.iter().flatten().map(|(_, session)| session.entry.clone()).collect();
                let _ = answer.send(entries);
            }
            Command::RequestKeyframes(answer) => {
                let asked = self.request_keyframes(now);
                // Whoever waits for the answer then sees a progress that knows of it.
                self.tell(now);
                let _ = answer.send(asked);
            }
            Command::Stop => {}
        }
        self.tell(now);
    }

    fn add(&mut self, peer: Peer, now: Instant) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.sessions.push(None);
            self.sessions.len() - 1
        });
        self.dice = self.dice.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        match Session::new(peer, self.poll.registry(), slot, (self.dice >> 33) as u32) {
            Ok(session) => {
                self.generation += 1;
                self.sessions[slot] = Some((self.generation, session));
                self.due.push(Reverse((now, slot, self.generation, Task::Check)));
            }
            Err(error) => eprintln!("a participant has no socket: {error}"),
        }
    }

    fn remove(&mut self, room: u32, now: Instant) {
        for slot in 0..self.sessions.len() {
            let leaves = |(_, session): &(u64, Session)| session.seat.room == room;
            if self.sessions[slot].as_ref().is_some_and(leaves)
                && let Some((_, mut session)) = self.sessions[slot].take()
            {
                session.close(now, self.poll.registry(), &mut self.work);
                self.work.plans.clear();
                self.free.push(slot);
            }
        }
    }

    fn say_goodbye(mut self) {
        let now = Instant::now();
        for (_, session) in self.sessions.iter_mut().flatten() {
            session.close(now, self.poll.registry(), &mut self.work);
        }
    }

    fn do_due(&mut self) {
        let mut now = Instant::now();
        while let Some(Reverse((at, slot, generation, task))) = self.due.peek().copied() {
            if at > now {
                now = Instant::now();
                if at > now {
                    return;
                }
            }
            self.due.pop();
            let Some((current, session)) = self.sessions.get_mut(slot).and_then(Option::as_mut) else { continue };
            if *current != generation {
                continue;
            }
            session.handle_task(task, at, now, &mut self.work);
            self.plan(slot, generation);
        }
    }

    fn plan(&mut self, slot: usize, generation: u64) {
        for (at, task) in self.work.plans.drain(..) {
            self.due.push(Reverse((at, slot, generation, task)));
        }
    }

    fn receive(&mut self, slot: usize, now: Instant) {
        let Some((generation, session)) = self.sessions.get_mut(slot).and_then(Option::as_mut) else { return };
        let generation = *generation;
        loop {
            let count = match session.socket.receive(&mut self.buffers) {
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                // Nothing more, or a refusal that the kernel passes on from a server that is gone.
                Err(_) => break,
            };
            for index in 0..count {
                let (from, at, datagram) = self.buffers.datagram(index);
                session.handle_datagram(from, at, datagram, now, &mut self.work);
            }
            if count < quinn_udp::BATCH_SIZE {
                break;
            }
        }
        self.plan(slot, generation);
    }

    fn report(&self, now: Instant) -> Tally {
        let mut tally = self.work.tally.clone();
        for (_, session) in self.sessions.iter().flatten() {
            let heard = session.streams.iter().filter(|stream| !stream.is_rtx);
            let heard = heard.filter(|stream| now.duration_since(stream.last_packet) < SILENCE).count();
            tally.silent_tracks += session.receives.len().saturating_sub(heard) as u64;
        }
        tally
    }

    fn request_keyframes(&mut self, now: Instant) -> usize {
        let mut asked = 0;
        for (_, session) in self.sessions.iter_mut().flatten() {
            let video =
                |stream: &&super::stream::Stream| stream.kind == domain::media::MediaKind::Video && !stream.is_rtx;
            let ssrcs: Vec<u32> = session.streams.iter().filter(video).map(|stream| stream.ssrc).collect();
            asked += ssrcs.len();
            session.request_keyframes(&ssrcs, now, &mut self.work);
        }
        asked
    }

    fn tell(&mut self, now: Instant) {
        self.next_tell = now + TELL_INTERVAL;
        let (received, shown) = (self.work.received_ever, self.work.shown_ever);
        let mut progress = Progress { received, shown, ..Progress::default() };
        for (_, session) in self.sessions.iter().flatten() {
            progress.transports += 1;
            progress.connected += usize::from(matches!(session.stage, Stage::Open(..)));
            progress.ended += usize::from(matches!(session.stage, Stage::Ended));
            progress.flowing += usize::from(session.flows());
            progress.missing += session.streams.iter().map(super::stream::Stream::missing).sum::<usize>();
            progress.keyframes_owed += session.streams.iter().filter(|stream| stream.keyframe_asked.is_some()).count();
        }
        self.told.send_replace(progress);
    }
}
