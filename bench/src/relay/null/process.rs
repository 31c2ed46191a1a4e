//! The process: one thread, one socket; whole batches in, and out again what they lead to.

use super::{
    control::{Answer, Command, Counts, keys_of},
    egress::Egress,
    seats::Seats,
};
use anyhow::Context as _;
use mio::{Events, Interest, Poll, Token, Waker};
use quinn_udp::{RecvMeta, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io::{BufRead as _, ErrorKind, IoSliceMut, Write as _},
    net::{IpAddr, SocketAddr},
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

const SOCKET: Token = Token(0);
const CONTROL: Token = Token(1);
/// As the relay has them: about two seconds of a busy core.
const SOCKET_BUFFER_BYTES: usize = 4 << 20;
/// Receive batches between two looks at commands, as the relay has them.
const BATCHES_PER_TURN: usize = 16;
/// The longest datagram; one that the system joined of several is longer.
const MAX_DATAGRAM_BYTES: usize = 1_500;

/// Relays at a port of `address` until its standard input ends.
///
/// # Errors
/// When there is no socket, or a command cannot be read: then the generator is wrong.
pub fn run(address: IpAddr, with_gso: bool) -> anyhow::Result<()> {
    let mut socket = bind(address)?;
    let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
    let mut poll = Poll::new()?;
    poll.registry().register(&mut socket, SOCKET, Interest::READABLE)?;
    let (commands, taken) = channel();
    let waker = Waker::new(poll.registry(), CONTROL)?;
    std::thread::spawn(move || listen(&commands, &waker));
    say(Answer::Listens(socket.local_addr()?.port()))?;

    let segments = if with_gso { state.max_gso_segments() } else { 1 };
    let mut relay =
        Relay { socket, state, seats: Seats::default(), egress: Egress::new(segments), counts: Counts::default() };
    let mut events = Events::with_capacity(4);
    let mut buffers = Buffers::new(&relay.state);
    let mut has_more = false;
    loop {
        relay.counts.polls += 1;
        if let Err(error) = poll.poll(&mut events, has_more.then_some(Duration::ZERO)) {
            anyhow::ensure!(error.kind() == ErrorKind::Interrupted, "the socket cannot be waited for: {error}");
        }
        if !relay.take(&taken)? {
            return Ok(());
        }
        has_more = (0..BATCHES_PER_TURN).all(|_| relay.receive(&mut buffers));
    }
}

struct Relay {
    socket: mio::net::UdpSocket,
    state: UdpSocketState,
    seats: Seats,
    egress: Egress,
    counts: Counts,
}

struct Buffers {
    bytes: Vec<u8>,
    each: usize,
    meta: [RecvMeta; quinn_udp::BATCH_SIZE],
}

impl Buffers {
    fn new(state: &UdpSocketState) -> Self {
        let each = (state.gro_segments() * MAX_DATAGRAM_BYTES).min(u16::MAX.into());
        Self { bytes: vec![0; each * quinn_udp::BATCH_SIZE], each, meta: Default::default() }
    }
}

impl Relay {
    /// Takes one batch and sends what it leads to. False when there is none.
    fn receive(&mut self, buffers: &mut Buffers) -> bool {
        let mut chunks = buffers.bytes.chunks_exact_mut(buffers.each);
        let mut slices: [IoSliceMut<'_>; quinn_udp::BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().expect("a buffer for each of the batch")));
        self.counts.receives += 1;
        let received = self.state.recv(UdpSockRef::from(&self.socket), &mut slices, &mut buffers.meta);
        let count = match received {
            Ok(count) => count,
            // An ICMP error of an earlier send is nobody's loss.
            Err(error) => return error.kind() != ErrorKind::WouldBlock,
        };
        for (meta, bytes) in buffers.meta[..count].iter().zip(buffers.bytes.chunks_exact_mut(buffers.each)) {
            self.counts.messages += 1;
            self.counts.message_bytes += meta.len as u64;
            for datagram in bytes[..meta.len].chunks_mut(meta.stride.max(1)) {
                self.seats.forward(meta.addr, datagram, &mut self.egress, &mut self.counts);
            }
        }
        self.egress.flush(&self.state, &self.socket, &mut self.counts);
        true
    }

    /// Carries out the commands that wait. False when there will be no more.
    fn take(&mut self, commands: &Receiver<Option<Command>>) -> anyhow::Result<bool> {
        while let Ok(command) = commands.try_recv() {
            match command {
                None => return Ok(false),
                Some(Command::Add { seat, remote, keys }) => self.seats.add(seat, remote, &keys_of(&keys)?),
                Some(Command::Forward { seat, to }) => self.seats.route(seat, to),
                Some(Command::Remove { seat }) => self.seats.remove(seat),
                Some(Command::Count) => {
                    say(Answer::Counts(self.counts))?;
                    continue;
                }
            }
            say(Answer::Done)?;
        }
        Ok(true)
    }
}

/// Reads commands, and wakes the relay for each. What is no command ends it.
fn listen(commands: &Sender<Option<Command>>, waker: &Waker) {
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let Ok(command) = serde_json::from_str(&line) else { break };
        if commands.send(Some(command)).is_err() || waker.wake().is_err() {
            return;
        }
    }
    // The receiver is gone only when the relay is.
    let _ = commands.send(None);
    let _ = waker.wake();
}

fn say(answer: Answer) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, &answer)?;
    writeln!(out).and_then(|()| out.flush()).context("nobody hears the null relay")
}

fn bind(address: IpAddr) -> anyhow::Result<mio::net::UdpSocket> {
    let socket = Socket::new(Domain::for_address(SocketAddr::new(address, 0)), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    // The system's limit may be lower: then that is what there is.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER_BYTES);
    socket.bind(&SocketAddr::new(address, 0).into())?;
    Ok(mio::net::UdpSocket::from_std(socket.into()))
}
