//! The thread that stands between participants and server: what comes in at one side goes through a link and out at the other.

use super::{
    Conditions,
    link::{Fate, Link},
    wire::{Buffers, Wire},
};
use anyhow::Context as _;
use hdrhistogram::Histogram;
use mio::{Events, Poll, Token, Waker};
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

const WAKE: Token = Token(usize::MAX);
const EVENTS: usize = 1_024;
/// Sound of all that the generator sends and receives.
const OPUS: u8 = 111;

enum Command {
    Add { leg: usize, near: Box<Wire>, far: Box<Wire> },
    Lead { leg: usize, server: SocketAddr },
    Set(Conditions),
    Report(oneshot::Sender<Report>),
    Stop,
}

/// What became of datagrams of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fates {
    /// How many there were.
    pub given: u64,
    /// Lost on the way.
    pub lost: u64,
    /// Dropped before the narrowest place.
    pub dropped: u64,
}

/// What happened in one direction since the last report.
#[derive(Debug, Clone)]
pub struct Counts {
    /// Packets of pictures, retransmissions among them.
    pub pictures: Fates,
    /// Packets of sound.
    pub sounds: Fates,
    /// UDP payload of both that was given to the links, bytes.
    pub media_bytes: u64,
    /// How long media waited at the narrowest place, microseconds.
    pub waited: Histogram<u64>,
}

/// What happened since the last report.
#[derive(Debug, Clone)]
pub struct Report {
    /// To the server.
    pub up: Counts,
    /// From the server.
    pub down: Counts,
    /// How much later than they should datagrams came out, microseconds.
    pub late: Histogram<u64>,
    /// Datagrams that the system did not take.
    pub failures: u64,
}

/// A running relay that makes a path bad; it ends when dropped.
pub struct Impairer {
    address: IpAddr,
    legs: AtomicUsize,
    commands: Sender<Command>,
    waker: Arc<Waker>,
    thread: Option<JoinHandle<()>>,
}

/// One transport's place at it.
pub struct Leg {
    leg: usize,
    /// Where the participant sends.
    pub near: SocketAddr,
    /// From where the server is sent to, and where it answers.
    pub far: SocketAddr,
    commands: Sender<Command>,
    waker: Arc<Waker>,
}

impl Impairer {
    /// Starts it at `address`, on the processor of whoever starts it.
    ///
    /// # Errors
    /// When the system gives no thread or poll.
    pub fn start(address: IpAddr, seed: u64, conditions: Conditions) -> anyhow::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        let (commands, received) = channel();
        let worker = Worker {
            poll,
            commands: received,
            legs: Vec::new(),
            wakes: BinaryHeap::new(),
            conditions,
            seed,
            report: Report::new(),
        };
        let thread = std::thread::Builder::new().name("impairer".to_owned()).spawn(move || worker.run())?;
        Ok(Self { address, legs: AtomicUsize::new(0), commands, waker, thread: Some(thread) })
    }

    /// A way for the transport that sends from `participant`.
    ///
    /// # Errors
    /// When there are no sockets to be had.
    pub fn leg(&self, participant: SocketAddr) -> io::Result<Leg> {
        let bind = || UdpSocket::bind((self.address, 0));
        let (near, far) = (bind()?, bind()?);
        let leg = Leg {
            leg: self.legs.fetch_add(1, Ordering::Relaxed),
            near: near.local_addr()?,
            far: far.local_addr()?,
            commands: self.commands.clone(),
            waker: Arc::clone(&self.waker),
        };
        let (near, far) = (Box::new(Wire::new(near, Some(participant))?), Box::new(Wire::new(far, None)?));
        leg.tell(Command::Add { leg: leg.leg, near, far });
        Ok(leg)
    }

    /// From now on all ways are so.
    pub fn set(&self, conditions: Conditions) {
        self.tell(Command::Set(conditions));
    }

    /// What happened since this was last asked, or since the beginning.
    ///
    /// # Errors
    /// When the thread has ended.
    pub async fn report(&self) -> anyhow::Result<Report> {
        let (answer, answered) = oneshot::channel();
        self.tell(Command::Report(answer));
        answered.await.context("the impairer's thread has ended")
    }

    fn tell(&self, command: Command) {
        // Both fail only when the thread has ended; whoever waits for its answer learns it.
        let _ = self.commands.send(command);
        let _ = self.waker.wake();
    }
}

impl Drop for Impairer {
    fn drop(&mut self) {
        self.tell(Command::Stop);
        if let Some(thread) = self.thread.take() {
            // A panic was printed by the thread.
            let _ = thread.join();
        }
    }
}

impl Leg {
    /// Leads to this server.
    pub fn lead(&self, server: SocketAddr) {
        self.tell(Command::Lead { leg: self.leg, server });
    }

    fn tell(&self, command: Command) {
        // Without the thread nothing arrives, which is seen.
        let _ = self.commands.send(command);
        let _ = self.waker.wake();
    }
}

impl Report {
    fn new() -> Self {
        Self { up: Counts::new(), down: Counts::new(), late: microseconds(), failures: 0 }
    }
}

impl Counts {
    fn new() -> Self {
        Self { pictures: Fates::default(), sounds: Fates::default(), media_bytes: 0, waited: microseconds() }
    }

    fn note(&mut self, datagram: &[u8], fate: Fate) {
        let Some(payload_type) = media(datagram) else { return };
        self.media_bytes += datagram.len() as u64;
        let fates = if payload_type == OPUS { &mut self.sounds } else { &mut self.pictures };
        fates.given += 1;
        fates.lost += u64::from(fate == Fate::Lost);
        fates.dropped += u64::from(fate == Fate::Dropped);
    }
}

/// Up to a minute, at two digits.
fn microseconds() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 2).expect("bounds in order")
}

fn record(histogram: &mut Histogram<u64>, time: Duration) {
    histogram.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1));
}

/// The payload type of an RTP packet (RFC 7983, RFC 5761 §4); `None` for anything else.
fn media(datagram: &[u8]) -> Option<u8> {
    let [first, second, ..] = datagram else { return None };
    ((128..=191).contains(first) && !(192..=223).contains(second)).then_some(second & 0x7f)
}

/// One transport's way: both sockets, and the link that leads to each.
struct Way {
    near: Wire,
    far: Wire,
    up: Link,
    down: Link,
    /// For when it is planned to look at each.
    planned: [Option<Instant>; 2],
}

const UP: usize = 0;
const DOWN: usize = 1;

struct Worker {
    poll: Poll,
    commands: Receiver<Command>,
    legs: Vec<Option<Way>>,
    /// Which direction of which leg has something that is due.
    wakes: BinaryHeap<Reverse<(Instant, usize, usize)>>,
    conditions: Conditions,
    seed: u64,
    report: Report,
}

impl Worker {
    fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        let mut buffers = Buffers::new();
        loop {
            while let Ok(command) = self.commands.try_recv() {
                if matches!(command, Command::Stop) {
                    return;
                }
                self.obey(command);
            }
            self.let_out();
            let next = self.wakes.peek().map(|Reverse((at, ..))| at.saturating_duration_since(Instant::now()));
            if let Err(error) = self.poll.poll(&mut events, next)
                && error.kind() != io::ErrorKind::Interrupted
            {
                eprintln!("the impairer cannot wait for its sockets: {error}");
                return;
            }
            let now = Instant::now();
            for event in events.iter().filter(|event| event.token() != WAKE) {
                self.receive(event.token().0 / 2, event.token().0 % 2, &mut buffers, now);
            }
        }
    }

    fn obey(&mut self, command: Command) {
        let now = Instant::now();
        match command {
            Command::Add { leg, near, far } => self.add(leg, *near, *far, now),
            Command::Lead { leg, server } => {
                if let Some(way) = self.legs.get_mut(leg).and_then(Option::as_mut) {
                    way.far.remote = Some(server);
                }
            }
            Command::Set(conditions) => {
                self.conditions = conditions;
                for leg in 0..self.legs.len() {
                    let Some(way) = &mut self.legs[leg] else { continue };
                    way.up.set(conditions.up, now);
                    way.down.set(conditions.down, now);
                    self.plan(leg, UP);
                    self.plan(leg, DOWN);
                }
            }
            // Nobody waits any more: the run was ended.
            Command::Report(answer) => drop(answer.send(std::mem::replace(&mut self.report, Report::new()))),
            Command::Stop => {}
        }
    }

    fn add(&mut self, leg: usize, mut near: Wire, mut far: Wire, now: Instant) {
        let registry = self.poll.registry();
        let registered =
            near.register(registry, Token(2 * leg + UP)).and(far.register(registry, Token(2 * leg + DOWN)));
        if let Err(error) = registered {
            return eprintln!("a participant has no way to the server: {error}");
        }
        if self.legs.len() <= leg {
            self.legs.resize_with(leg + 1, || None);
        }
        // Each direction of each leg has losses of its own.
        let seed = self.seed.wrapping_add(2 * leg as u64).wrapping_mul(0x5851_f42d_4c95_7f2d);
        let up = Link::new(self.conditions.up, seed, now);
        let down = Link::new(self.conditions.down, seed.wrapping_add(1), now);
        self.legs[leg] = Some(Way { near, far, up, down, planned: [None; 2] });
    }

    fn receive(&mut self, leg: usize, direction: usize, buffers: &mut Buffers, now: Instant) {
        let Some(way) = self.legs.get_mut(leg).and_then(Option::as_mut) else { return };
        let (wire, link, counts) = match direction {
            UP => (&way.near, &mut way.up, &mut self.report.up),
            _ => (&way.far, &mut way.down, &mut self.report.down),
        };
        wire.receive(buffers, |datagram| counts.note(datagram, link.take(datagram, now)));
        self.plan(leg, direction);
    }

    /// Sends everything that is due.
    fn let_out(&mut self) {
        while let Some(Reverse((at, leg, direction))) = self.wakes.peek().copied() {
            let now = Instant::now();
            if at > now {
                return;
            }
            self.wakes.pop();
            let Some(way) = self.legs[leg].as_mut().filter(|way| way.planned[direction] == Some(at)) else { continue };
            way.planned[direction] = None;
            let (link, wire, counts) = match direction {
                UP => (&mut way.up, &way.far, &mut self.report.up),
                _ => (&mut way.down, &way.near, &mut self.report.down),
            };
            while let Some(out) = link.out(now) {
                record(&mut self.report.late, now.saturating_duration_since(out.due));
                if media(&out.bytes).is_some() {
                    record(&mut counts.waited, out.waited);
                }
                self.report.failures += u64::from(!wire.send(&out.bytes));
            }
            self.plan(leg, direction);
        }
    }

    fn plan(&mut self, leg: usize, direction: usize) {
        let Some(way) = &mut self.legs[leg] else { return };
        let next = if direction == UP { way.up.next() } else { way.down.next() };
        let Some(next) = next else { return };
        if way.planned[direction].is_none_or(|planned| next < planned) {
            way.planned[direction] = Some(next);
            self.wakes.push(Reverse((next, leg, direction)));
        }
    }
}
