//! A shard: one thread, one UDP socket, the transports and media of whole rooms.

mod egress;
mod fanout;
mod handshakes;
mod ingress;
mod peer;
mod rtcp;
mod socket;
mod timers;
mod worker;

#[cfg(test)]
mod tests;

pub(crate) use handshakes::{HandshakeCommand, HandshakeSender};
pub(crate) use peer::{NewPeer, Peer};

use crate::{
    stats::ShardStats,
    transport::{
        dtls::Identity,
        srtp::{Opener, Sealer},
        stun::Credentials,
    },
};
use bytes::BytesMut;
use mio::{Poll, Token, Waker};
use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
};
use tokio::sync::mpsc;

/// Commands a shard has not yet taken. A full queue refuses a joiner, and other commands are tried again.
const COMMAND_QUEUE: usize = 4_096;

/// Names one transport of a shard: its place, and which use of the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PeerKey {
    /// Index in the shard's table.
    pub index: u16,
    /// Never the same twice on a shard.
    pub generation: u64,
}

/// One track of one transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Source {
    /// Whose.
    pub peer: PeerKey,
    /// Index among its publications.
    pub publication: usize,
}

/// What a shard is told.
pub(crate) enum Command {
    /// A new transport.
    Add(Box<Peer>),
    /// What a slot shows from now on.
    Route {
        /// Whose slot.
        subscriber: PeerKey,
        /// Index among its subscriptions.
        subscription: usize,
        /// The track, or nothing.
        source: Option<Source>,
    },
    /// Checks come with these credentials from now on; media goes on over the pair in use until one of them passes.
    RestartIce(PeerKey, Credentials),
    /// The handshake is done.
    Open(PeerKey, Box<(Opener, Sealer)>),
    /// A DTLS datagram to be sent.
    SendDtls(PeerKey, BytesMut),
    /// The other side said goodbye, or its handshake failed.
    Closed(PeerKey),
    /// Forget the transport.
    Remove(PeerKey),
    /// End the thread.
    Stop,
}

/// What a shard tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    /// Which shard.
    pub shard: usize,
    /// Which transport.
    pub peer: PeerKey,
    /// What became of it.
    pub state: PeerState,
}

/// The state of a transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PeerState {
    /// ICE and DTLS are done and consent is fresh.
    Connected,
    /// Consent ended; it may come back.
    Disconnected,
    /// Ended by the other side; it does not come back.
    Closed,
    /// Forgotten; its place is free.
    Removed,
}

/// The way to a shard's thread.
#[derive(Clone)]
pub(crate) struct CommandSender {
    queue: SyncSender<Command>,
    waker: Arc<Waker>,
}

impl CommandSender {
    /// Hands over a command without waiting; gives it back when the queue is full.
    pub(crate) fn try_send(&self, command: Command) -> Result<(), Command> {
        let sent = self.queue.try_send(command).map_err(|refused| match refused {
            TrySendError::Full(command) | TrySendError::Disconnected(command) => command,
        });
        self.wake();
        sent
    }

    /// Hands over a command and waits for room: never on a thread that must not wait.
    fn send(&self, command: Command) {
        // Fails only after the shard's end, when nobody needs the command.
        let _ = self.queue.send(command);
        self.wake();
    }

    fn wake(&self) {
        // Fails only when the thread's poll is gone.
        let _ = self.waker.wake();
    }
}

/// A running shard.
pub(crate) struct Shard {
    /// Its port.
    pub addr: SocketAddr,
    /// The way to its thread.
    pub commands: CommandSender,
    /// The way to its handshake thread.
    pub handshakes: HandshakeSender,
    /// Its counters.
    pub stats: Arc<ShardStats>,
}

/// The two threads of a shard.
pub(crate) struct ShardThreads {
    commands: CommandSender,
    handshakes: HandshakeSender,
    handshake_thread: JoinHandle<()>,
    media_thread: JoinHandle<()>,
}

const SOCKET: Token = Token(0);
const WAKE: Token = Token(1);

impl Shard {
    /// Binds the socket and starts the two threads.
    pub(crate) fn start(
        number: usize,
        ip: IpAddr,
        port: u16,
        identity: &Identity,
        events: mpsc::Sender<Event>,
    ) -> anyhow::Result<(Self, ShardThreads)> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        let socket = socket::ShardSocket::bind(ip, port, poll.registry(), SOCKET)?;
        let addr = socket.local_addr()?;
        let (queue, receiver) = sync_channel(COMMAND_QUEUE);
        let commands = CommandSender { queue, waker };
        let stats = Arc::<ShardStats>::default();
        let (handshakes, handshake_thread) = handshakes::start(number, identity.clone(), commands.clone())?;
        let worker = worker::Worker::new(worker::Parts {
            shard: number,
            poll,
            socket,
            commands: receiver,
            events,
            handshakes: handshakes.clone(),
            crypto: identity.crypto(),
            stats: Arc::clone(&stats),
        });
        let media_thread = std::thread::Builder::new().name(format!("shard-{number}")).spawn(move || worker.run())?;
        let threads =
            ShardThreads { commands: commands.clone(), handshakes: handshakes.clone(), handshake_thread, media_thread };
        Ok((Self { addr, commands, handshakes, stats }, threads))
    }
}

impl ShardThreads {
    /// Ends both threads and waits for them; blocks for milliseconds.
    pub(crate) fn stop(self) {
        self.handshakes.stop();
        join(self.handshake_thread);
        // After the goodbyes, which the media thread sends.
        self.commands.send(Command::Stop);
        join(self.media_thread);
    }
}

fn join(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("a shard's thread panicked");
    }
}
