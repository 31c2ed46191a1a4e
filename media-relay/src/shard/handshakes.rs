//! The handshake thread of a shard: DTLS costs 0.3 to 1 ms of arithmetic, which must not hold up media.

use super::{Command, CommandSender, PeerKey};
use crate::transport::dtls::{Handshake, Identity, Progress};
use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// Datagrams and commands that wait. What does not fit is a datagram its sender repeats, or a command tried again.
const QUEUE: usize = 2_048;
/// How often flights are looked at that may have to be sent again.
const SCAN_INTERVAL: Duration = Duration::from_millis(25);

/// What the thread is told.
pub(crate) enum HandshakeCommand {
    /// A client with this certificate hash may come.
    Expect(PeerKey, [u8; 32]),
    /// A datagram of theirs came over a valid pair.
    Datagram(PeerKey, Vec<u8>),
    /// Say goodbye, then have the shard forget the transport.
    Remove(PeerKey),
    /// End the thread after goodbyes.
    Stop,
}

/// The way to the thread.
#[derive(Clone)]
pub(crate) struct HandshakeSender(SyncSender<HandshakeCommand>);

impl HandshakeSender {
    /// Hands over without waiting; gives it back when the queue is full.
    pub(crate) fn try_send(&self, command: HandshakeCommand) -> Result<(), HandshakeCommand> {
        self.0.try_send(command).map_err(|refused| match refused {
            TrySendError::Full(command) | TrySendError::Disconnected(command) => command,
        })
    }

    /// Ends the thread.
    pub(super) fn stop(&self) {
        // Fails only when the thread has ended.
        let _ = self.0.send(HandshakeCommand::Stop);
    }
}

/// Starts the thread.
pub(super) fn start(
    number: usize,
    identity: Identity,
    shard: CommandSender,
) -> std::io::Result<(HandshakeSender, JoinHandle<()>)> {
    let (sender, receiver) = sync_channel(QUEUE);
    let mut handshakes = Handshakes { identity, shard, running: HashMap::new() };
    let thread = std::thread::Builder::new().name(format!("handshakes-{number}"));
    let thread = thread.spawn(move || handshakes.run(&receiver))?;
    Ok((HandshakeSender(sender), thread))
}

struct Handshakes {
    identity: Identity,
    shard: CommandSender,
    running: HashMap<PeerKey, Handshake>,
}

impl Handshakes {
    fn run(&mut self, receiver: &Receiver<HandshakeCommand>) {
        let mut next_scan = Instant::now() + SCAN_INTERVAL;
        loop {
            let command = if self.running.is_empty() {
                receiver.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                receiver.recv_timeout(next_scan.saturating_duration_since(Instant::now()))
            };
            let now = Instant::now();
            match command {
                Ok(HandshakeCommand::Expect(key, fingerprint)) => self.expect(key, fingerprint),
                Ok(HandshakeCommand::Datagram(key, datagram)) => {
                    self.advance(key, |handshake| handshake.handle_datagram(now, &datagram));
                }
                Ok(HandshakeCommand::Remove(key)) => self.remove(key, now),
                Ok(HandshakeCommand::Stop) | Err(RecvTimeoutError::Disconnected) => return self.stop(now),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if now >= next_scan {
                next_scan = now + SCAN_INTERVAL;
                self.scan(now);
            }
        }
    }

    fn expect(&mut self, key: PeerKey, fingerprint: [u8; 32]) {
        match Handshake::new(&self.identity, fingerprint) {
            Ok(handshake) => drop(self.running.insert(key, handshake)),
            Err(_) => {
                tracing::error!("a handshake cannot be prepared");
                self.shard.send(Command::Closed(key));
            }
        }
    }

    fn advance(&mut self, key: PeerKey, step: impl FnOnce(&mut Handshake) -> Progress) {
        let Some(handshake) = self.running.get_mut(&key) else { return };
        // A fault in the handshake costs this participant theirs, not everybody's.
        let progress = catch_unwind(AssertUnwindSafe(|| step(handshake))).unwrap_or_else(|_| {
            tracing::error!("a handshake caused a panic");
            Progress::Closed
        });
        // Alerts leave even when it failed.
        while let Some(datagram) = handshake.next_datagram() {
            self.shard.send(Command::SendDtls(key, datagram));
        }
        match progress {
            Progress::Nothing => {}
            Progress::Open(keys) => self.shard.send(Command::Open(key, keys)),
            Progress::Closed => {
                self.running.remove(&key);
                self.shard.send(Command::Closed(key));
            }
        }
    }

    fn remove(&mut self, key: PeerKey, now: Instant) {
        self.advance(key, |handshake| {
            handshake.close(now);
            Progress::Nothing
        });
        self.running.remove(&key);
        self.shard.send(Command::Remove(key));
    }

    fn scan(&mut self, now: Instant) {
        let is_due = |handshake: &Handshake| handshake.next_timeout().is_some_and(|at| at <= now);
        let due: Vec<PeerKey> = self.running.iter().filter(|(_, h)| is_due(h)).map(|(key, _)| *key).collect();
        for key in due {
            self.advance(key, |handshake| handshake.handle_timeout(now));
        }
    }

    fn stop(&mut self, now: Instant) {
        let keys: Vec<PeerKey> = self.running.keys().copied().collect();
        keys.into_iter().for_each(|key| self.remove(key, now));
    }
}
