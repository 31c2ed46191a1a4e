//! The shard's thread: waits for datagrams, commands and the next tick, and does each to its end.

use super::{
    Command, Event, HandshakeSender, Peer, PeerKey, PeerState, SOCKET, Source,
    egress::Egress,
    peer::Link,
    socket::{ReceiveBuffers, ShardSocket},
    timers::TICK,
};
use crate::{stats::ShardStats, transport::pairs::Pair};
use mio::{Events, Poll};
use rtc_dtls::crypto_provider::RTCCryptoProvider;
use std::{
    collections::{HashMap, VecDeque},
    io::ErrorKind,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc::Receiver},
    time::Instant,
};
use tokio::sync::mpsc;

/// Receive batches between two looks at commands and time.
const BATCHES_PER_TURN: usize = 16;
/// Outgoing batches that are collected at most.
const MAX_EGRESS_BATCHES: usize = 256;

/// What a worker is made of.
pub(super) struct Parts {
    pub shard: usize,
    pub poll: Poll,
    pub socket: ShardSocket,
    pub commands: Receiver<Command>,
    pub events: mpsc::Sender<Event>,
    pub handshakes: HandshakeSender,
    pub crypto: Arc<dyn RTCCryptoProvider>,
    pub stats: Arc<ShardStats>,
}

/// All that one shard holds.
pub(super) struct Worker {
    pub(super) parts: Parts,
    /// By [`PeerKey::index`].
    pub(super) peers: Vec<Option<Box<Peer>>>,
    /// Pairs that passed a check.
    pub(super) by_pair: HashMap<Pair, u16>,
    pub(super) egress: Egress,
    /// RTCP under construction.
    pub(super) rtcp: Vec<u8>,
    /// Missing sequence numbers under construction.
    pub(super) wanted: Vec<u16>,
    untold: VecDeque<Event>,
    next_tick: Instant,
}

impl Worker {
    pub(super) fn new(parts: Parts) -> Self {
        let egress = Egress::new(parts.socket.max_segments());
        Self {
            parts,
            peers: Vec::new(),
            by_pair: HashMap::new(),
            egress,
            rtcp: Vec::with_capacity(2_048),
            wanted: Vec::with_capacity(256),
            untold: VecDeque::new(),
            next_tick: Instant::now(),
        }
    }

    /// Runs until [`Command::Stop`].
    pub(super) fn run(mut self) {
        let mut ready = Events::with_capacity(8);
        let mut buffers = self.parts.socket.buffers();
        let mut has_more = false;
        loop {
            let timeout = match (has_more, self.peers.is_empty()) {
                (true, _) => Some(std::time::Duration::ZERO),
                (false, false) => Some(self.next_tick.saturating_duration_since(Instant::now())),
                (false, true) => None,
            };
            if let Err(error) = self.parts.poll.poll(&mut ready, timeout) {
                if error.kind() == ErrorKind::Interrupted {
                    continue;
                }
                tracing::error!(shard = self.parts.shard, kind = %error.kind(), "a shard cannot wait for its socket");
                return;
            }
            if !self.take_commands() {
                return self.flush();
            }
            if has_more || ready.iter().any(|event| event.token() == SOCKET) {
                has_more = self.receive(&mut buffers);
            }
            let now = Instant::now();
            if now >= self.next_tick {
                self.next_tick = now + TICK;
                self.guarded(|worker| worker.tick(now));
            }
            self.flush();
        }
    }

    /// Receives whole batches and sends what they lead to after each. True when there is more.
    fn receive(&mut self, buffers: &mut ReceiveBuffers) -> bool {
        for _ in 0..BATCHES_PER_TURN {
            let count = match self.parts.socket.receive(buffers) {
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                // An ICMP error of an earlier send is nobody's loss.
                Err(_) => continue,
            };
            let now = Instant::now();
            for index in 0..count {
                let (meta, bytes) = buffers.message(index);
                let pair = Pair { remote: meta.addr, local: meta.dst_ip };
                for datagram in bytes.chunks_mut(meta.stride.max(1)) {
                    self.guarded(|worker| worker.handle_datagram(pair, datagram, now));
                }
                if self.egress.len() > MAX_EGRESS_BATCHES {
                    self.flush();
                }
            }
            self.flush();
        }
        true
    }

    /// A fault costs what it was about, at worst a participant's place, but not everybody's visit.
    fn guarded(&mut self, work: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            self.parts.stats.panics.add(1);
            tracing::error!(shard = self.parts.shard, "a shard's work panicked");
        }
    }

    pub(super) fn flush(&mut self) {
        self.egress.flush(&self.parts.socket, &self.parts.stats);
    }

    /// Takes the waiting commands, at most a queue of them. False at the end.
    fn take_commands(&mut self) -> bool {
        while let Ok(command) = self.parts.commands.try_recv() {
            if matches!(command, Command::Stop) {
                return false;
            }
            self.guarded(|worker| worker.handle_command(command, Instant::now()));
        }
        true
    }

    pub(super) fn handle_command(&mut self, command: Command, now: Instant) {
        match command {
            Command::Add(peer) => self.add(peer),
            Command::Route { subscriber, subscription, source } => self.route(subscriber, subscription, source),
            Command::RestartIce(key, credentials) => {
                if let Some(peer) = self.peer(key) {
                    peer.credentials = credentials;
                }
            }
            Command::Open(key, keys) => {
                if let Some(peer) = self.peer(key) {
                    peer.open(*keys, now);
                    self.tell_connection(key.index, now);
                }
            }
            Command::SendDtls(key, datagram) => self.send_dtls(key, &datagram),
            Command::Closed(key) => self.close(key),
            Command::Remove(key) => self.remove(key),
            Command::Stop => unreachable!("taken by take_commands"),
        }
    }

    /// The transport with this key; a later one in its place is not it.
    pub(super) fn peer(&mut self, key: PeerKey) -> Option<&mut Peer> {
        let peer = self.peers.get_mut(usize::from(key.index))?.as_deref_mut()?;
        (peer.key == key).then_some(peer)
    }

    fn add(&mut self, peer: Box<Peer>) {
        let index = usize::from(peer.key.index);
        if self.peers.is_empty() {
            self.next_tick = Instant::now() + TICK;
        }
        if self.peers.len() <= index {
            self.peers.resize_with(index + 1, || None);
        }
        self.peers[index] = Some(peer);
        self.count();
    }

    fn send_dtls(&mut self, key: PeerKey, datagram: &[u8]) {
        let Some(peer) = self.peers.get_mut(usize::from(key.index)).and_then(Option::as_deref_mut) else { return };
        if peer.key == key
            && let Some(buffer) = peer.plain_datagram(&mut self.egress, datagram.len())
        {
            buffer.extend_from_slice(datagram);
        }
    }

    fn close(&mut self, key: PeerKey) {
        let Some(peer) = self.peer(key) else { return };
        peer.is_closed = true;
        peer.told_connected = false;
        self.tell(key, PeerState::Closed);
    }

    /// What a slot shows; anything about a transport that is not there any more is ignored.
    fn route(&mut self, subscriber: PeerKey, subscription: usize, source: Option<Source>) {
        let Some(peer) = self.peer(subscriber).filter(|peer| subscription < peer.subscriptions.len()) else { return };
        let before = std::mem::replace(&mut peer.sources[subscription], source);
        if before == source {
            return;
        }
        let link = Link { peer: subscriber, subscription };
        if let Some(before) = before
            && let Some(publisher) = self.peer(before.peer)
        {
            publisher.links[before.publication].retain(|known| *known != link);
        }
        // Taken out while the other transport is looked at, so that both can be held.
        let Some(mut peer) = self.peers[usize::from(subscriber.index)].take() else { return };
        let publisher = source.and_then(|source| Some((self.peer(source.peer)?, source.publication)));
        let found = publisher.filter(|(publisher, publication)| *publication < publisher.publications.len());
        match found {
            Some((publisher, publication)) => {
                publisher.links[publication].push(link);
                peer.subscriptions[subscription].set_source(Some(&publisher.publications[publication]));
            }
            None => {
                peer.sources[subscription] = None;
                peer.subscriptions[subscription].set_source(None);
            }
        }
        self.peers[usize::from(subscriber.index)] = Some(peer);
    }

    fn remove(&mut self, key: PeerKey) {
        if self.peer(key).is_none() {
            return self.tell(key, PeerState::Removed);
        }
        for subscription in 0..self.peer(key).map_or(0, |peer| peer.subscriptions.len()) {
            self.route(key, subscription, None);
        }
        let links: Vec<Link> = self.peer(key).map(|peer| peer.links.concat()).unwrap_or_default();
        for link in links {
            self.route(link.peer, link.subscription, None);
        }
        if let Some(peer) = self.peers[usize::from(key.index)].take() {
            peer.pairs.iter().for_each(|pair| self.forget_pair(pair, key.index));
        }
        while self.peers.last().is_some_and(Option::is_none) {
            self.peers.pop();
        }
        self.count();
        self.tell(key, PeerState::Removed);
    }

    /// Stops listening to a pair, unless somebody else took it over.
    pub(super) fn forget_pair(&mut self, pair: Pair, index: u16) {
        if self.by_pair.get(&pair) == Some(&index) {
            self.by_pair.remove(&pair);
        }
    }

    /// Tells the control plane when a transport connected or lost its connection.
    pub(super) fn tell_connection(&mut self, index: u16, now: Instant) {
        let Some(peer) = self.peers[usize::from(index)].as_deref_mut() else { return };
        let is_connected = peer.is_connected(now);
        if is_connected == peer.told_connected || peer.is_closed {
            return;
        }
        peer.told_connected = is_connected;
        let key = peer.key;
        self.tell(key, if is_connected { PeerState::Connected } else { PeerState::Disconnected });
    }

    /// Queues an event. The queue grows with state changes only, of which each transport has few between two ticks.
    fn tell(&mut self, peer: PeerKey, state: PeerState) {
        self.untold.push_back(Event { shard: self.parts.shard, peer, state });
        self.tell_all();
    }

    /// Hands over what the control plane has room for; the rest waits for the next tick.
    pub(super) fn tell_all(&mut self) {
        while let Some(event) = self.untold.front() {
            if self.parts.events.try_send(*event).is_err() {
                return;
            }
            self.untold.pop_front();
        }
    }

    pub(super) fn count(&self) {
        self.parts.stats.transports.set(self.peers.iter().flatten().count());
        self.parts.stats.address_pairs.set(self.by_pair.len());
    }
}
