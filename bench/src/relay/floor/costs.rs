//! What each thing that a relay cannot do without costs alone, in processor time of this thread: calls of the kernel over the loop-back
//! device, opening and sealing.
//!
//! A process of its own, so that it has the server's core. Sockets and batches are as the null relay and the generator have them.

use super::super::peer::keys::{Keys, Material, Suite};
use anyhow::Context as _;
use mio::{Events, Interest, Poll, Token};
use nix::{
    sys::socket::{setsockopt, sockopt},
    time::{ClockId, clock_gettime},
};
use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use serde::{Deserialize, Serialize};
use std::{
    io::IoSliceMut,
    net::{IpAddr, UdpSocket},
    time::Duration,
};

/// Packets of sound and of a picture, as the generator sends them, bytes.
const SMALL: usize = 160;
const LARGE: usize = 1_170;
/// Packets of a picture in a burst.
const BURST: usize = 6;
/// Each cost is the median of so many samples of so many repeats.
const SAMPLES: usize = 25;
const REPEATS: usize = 400;
/// A poll that waits cannot be repeated so often.
const WAITS: usize = 100;
/// As the null relay has them.
const MAX_JOINED_BYTES: usize = u16::MAX as usize;

/// A cost that grows with the bytes, nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    /// Of each.
    pub once: f64,
    /// Of each byte in it.
    pub byte: f64,
}

/// What each thing costs, nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// A look for what has come that finds nothing.
    pub poll: f64,
    /// To sleep in it until something comes, beyond that.
    pub wait: f64,
    /// A request for a batch that finds nothing.
    pub receive: f64,
    /// Each message of a batch.
    pub message: Linear,
    /// Opening a packet.
    pub open: Linear,
    /// Sealing one.
    pub seal: Linear,
    /// Sending one datagram.
    pub single: Linear,
    /// Sending several of a picture at once, and each of them.
    pub burst: (f64, f64),
}

/// Measures all of them on the processor that this process is kept to, and prints them as JSON.
///
/// # Errors
/// When there are no sockets.
pub fn run(address: IpAddr, suite: Suite) -> anyhow::Result<()> {
    let mut pair = Pair::open(address)?;
    let receive = pair.receive_nothing();
    let costs = Costs {
        poll: pair.poll(Duration::ZERO, REPEATS),
        wait: pair.poll(Duration::from_millis(1), WAITS) - pair.poll(Duration::ZERO, REPEATS),
        receive,
        message: line((SMALL, pair.receive(SMALL, 1) - receive), (LARGE * BURST, pair.receive(LARGE, BURST) - receive)),
        open: line((SMALL, open(SMALL, suite)?), (LARGE, open(LARGE, suite)?)),
        seal: line((SMALL, seal(SMALL, suite)?), (LARGE, seal(LARGE, suite)?)),
        single: line((SMALL, pair.send(SMALL, 1)), (LARGE, pair.send(LARGE, 1))),
        burst: {
            let (two, all) = (pair.send(LARGE, 2), pair.send(LARGE, BURST));
            let each = (all - two) / (BURST - 2) as f64;
            (two - 2.0 * each, each)
        },
    };
    println!("{}", serde_json::to_string(&costs)?);
    Ok(())
}

fn line((few, low): (usize, f64), (many, high): (usize, f64)) -> Linear {
    let byte = ((high - low) / (many - few) as f64).max(0.0);
    Linear { once: low - byte * few as f64, byte }
}

/// The median over samples of what one of `repeats` takes; `prepare` is not counted.
fn cost<T>(repeats: usize, mut prepare: impl FnMut() -> T, mut work: impl FnMut(&mut T)) -> f64 {
    let samples = (0..SAMPLES).map(|_| {
        // A repeat and its preparation at a time would count the clock more than the work.
        let mut prepared: Vec<T> = (0..repeats).map(|_| prepare()).collect();
        let began = own_time();
        prepared.iter_mut().for_each(&mut work);
        (own_time() - began).as_nanos() as f64 / repeats as f64
    });
    crate::figures::median(samples.collect())
}

fn own_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

fn open(bytes: usize, suite: Suite) -> anyhow::Result<f64> {
    let (sealer, opener) = keys(suite)?;
    let mut sealed = vec![0x80; bytes - sealer.sealer.rtp_overhead()];
    sealer.sealer.seal_rtp(&mut sealed, 0, 12, 1, 1);
    let work = |packet: &mut Vec<u8>| {
        let _ = std::hint::black_box(opener.opener.open_rtp(packet, 12, 1, 1));
    };
    Ok(cost(REPEATS, || sealed.clone(), work))
}

/// With the copy that a packet for each receiver needs.
fn seal(bytes: usize, suite: Suite) -> anyhow::Result<f64> {
    let (sealer, _) = keys(suite)?;
    let plain = vec![0x80; bytes - sealer.sealer.rtp_overhead()];
    let mut index = 0;
    let work = |packet: &mut Vec<u8>| {
        index += 1;
        packet.extend_from_slice(&plain);
        sealer.sealer.seal_rtp(packet, 0, 12, 1, index);
    };
    Ok(cost(REPEATS, || Vec::with_capacity(bytes), work))
}

fn keys(suite: Suite) -> anyhow::Result<(Keys, Keys)> {
    let material = Material::of(&vec![7; suite.material_bytes()])?;
    Ok((material.keys(true), material.keys(false)))
}

/// A socket as the null relay has it, and one as a participant of the generator has it.
struct Pair {
    relay: mio::net::UdpSocket,
    relay_state: UdpSocketState,
    participant: UdpSocket,
    participant_state: UdpSocketState,
    poll: Poll,
    buffers: Vec<u8>,
}

impl Pair {
    fn open(address: IpAddr) -> anyhow::Result<Self> {
        let (relay, participant) = (UdpSocket::bind((address, 0))?, UdpSocket::bind((address, 0))?);
        relay.set_nonblocking(true)?;
        participant.set_nonblocking(true)?;
        let relay_state = UdpSocketState::new(UdpSockRef::from(&relay))?;
        let participant_state = UdpSocketState::new(UdpSockRef::from(&participant))?;
        setsockopt(&participant, sockopt::UdpGroSegment, &false)?;
        let mut relay = mio::net::UdpSocket::from_std(relay);
        let poll = Poll::new()?;
        poll.registry().register(&mut relay, Token(0), Interest::READABLE)?;
        let buffers = vec![0; MAX_JOINED_BYTES * quinn_udp::BATCH_SIZE];
        Ok(Self { relay, relay_state, participant, participant_state, poll, buffers })
    }

    fn poll(&mut self, wait: Duration, repeats: usize) -> f64 {
        let mut events = Events::with_capacity(4);
        // What has come before is told once.
        let _ = self.poll.poll(&mut events, Some(Duration::ZERO));
        cost(repeats, || (), |()| drop(self.poll.poll(&mut events, Some(wait))))
    }

    fn receive_nothing(&mut self) -> f64 {
        let Self { relay, relay_state, buffers, .. } = self;
        cost(REPEATS, || (), |()| drop(receive(UdpSockRef::from(&*relay), relay_state, buffers)))
    }

    /// What a message of so many joined datagrams costs, in batches of some.
    fn receive(&mut self, bytes: usize, joined: usize) -> f64 {
        const MESSAGES: usize = 8;
        let datagrams = vec![1; bytes * joined];
        let destination = self.relay.local_addr().expect("it is bound");
        let Self { relay, relay_state, participant, participant_state, buffers, .. } = self;
        let samples = (0..SAMPLES * 20).map(|_| {
            for _ in 0..MESSAGES {
                let segment_size = (joined > 1).then_some(bytes);
                let transmit = Transmit { destination, ecn: None, contents: &datagrams, segment_size, src_ip: None };
                // What is not taken makes this round dearer; the median does not see it.
                let _ = participant_state.try_send(UdpSockRef::from(&*participant), &transmit);
            }
            let began = own_time();
            let _ = receive(UdpSockRef::from(&*relay), relay_state, buffers);
            (own_time() - began).as_nanos() as f64
        });
        let all = crate::figures::median(samples.collect());
        let look = |(): &mut ()| {
            let _ = std::hint::black_box(own_time());
        };
        let clock = cost(REPEATS, || (), look);
        let nothing = self.receive_nothing();
        // One request, and so many messages.
        nothing + (all - clock - nothing) / MESSAGES as f64
    }

    /// What one call costs that sends so many datagrams to a participant.
    fn send(&mut self, bytes: usize, joined: usize) -> f64 {
        const CALLS: usize = 8;
        let datagrams = vec![1; bytes * joined];
        let destination = self.participant.local_addr().expect("it is bound");
        let Self { relay, relay_state, participant, participant_state, buffers, .. } = self;
        let samples = (0..SAMPLES * 20).map(|_| {
            let began = own_time();
            for _ in 0..CALLS {
                let segment_size = (joined > 1).then_some(bytes);
                let transmit = Transmit { destination, ecn: None, contents: &datagrams, segment_size, src_ip: None };
                let _ = relay_state.try_send(UdpSockRef::from(&*relay), &transmit);
            }
            let took = (own_time() - began).as_nanos() as f64 / CALLS as f64;
            while receive(UdpSockRef::from(&*participant), participant_state, buffers).is_ok() {}
            took
        });
        crate::figures::median(samples.collect())
    }
}

fn receive(socket: UdpSockRef<'_>, state: &UdpSocketState, buffers: &mut [u8]) -> std::io::Result<usize> {
    let mut chunks = buffers.chunks_exact_mut(MAX_JOINED_BYTES);
    let mut slices: [IoSliceMut<'_>; quinn_udp::BATCH_SIZE] =
        std::array::from_fn(|_| IoSliceMut::new(chunks.next().expect("a buffer for each of the batch")));
    state.recv(socket, &mut slices, &mut [RecvMeta::default(); quinn_udp::BATCH_SIZE])
}

/// What another process of this program measured and printed.
///
/// # Errors
/// When it is something else.
pub fn read(printed: &[u8]) -> anyhow::Result<Costs> {
    serde_json::from_slice(printed).context("the costs are printed as JSON")
}
