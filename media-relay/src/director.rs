//! The control side of a relay: owns the rooms, turns commands into transports and routes, and tells who watches.

use crate::{
    config::RelayConfig,
    places::{Delayed, Places},
    prepare::{Relay, prepare, random_bytes},
    room::{Room, Route},
    sdp::{parse_offer, write_ice_fragment},
    shard::{Command, Event, HandshakeCommand, Peer, PeerKey, PeerState, Shard},
    stats::RelayStats,
    transport::{dtls::Identity, stun::Credentials},
    watchers::{WatcherId, Watchers},
};
use domain::{
    ParticipantId, Random, Redacted, RoomId,
    media::Sdp,
    relay::{Connection, Epoch, IceSession, OneWay, RelayCommand, RelayMessage, RelayOutcome, RelayRefusal},
};
use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

/// Rooms that ended whose epoch is remembered, so that an old placement cannot make them again.
const MAX_FENCES: usize = 4_096;

/// A shard with what the control side knows of it.
pub(crate) struct Lane {
    /// The threads.
    pub shard: Shard,
    /// What its answers name.
    pub candidates: Vec<SocketAddr>,
}

/// Owns the rooms.
pub(crate) struct Director {
    lanes: Vec<Lane>,
    identity: Identity,
    random: Arc<dyn Random>,
    max_participants: usize,
    is_draining: AtomicBool,
    watchers: Watchers,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    rooms: HashMap<RoomId, Room>,
    places: Vec<Places>,
    fences: VecDeque<(RoomId, Epoch)>,
    participants: usize,
}

/// What a join needs to know.
struct Joining {
    room: RoomId,
    epoch: Epoch,
    participant: ParticipantId,
    connection: Connection,
    /// For a client that is no page.
    way: Option<OneWay>,
}

impl Director {
    /// An empty relay over running shards.
    pub(crate) fn new(lanes: Vec<Lane>, identity: Identity, random: Arc<dyn Random>, config: &RelayConfig) -> Self {
        let places = lanes.iter().map(|_| Places::default()).collect();
        Self {
            lanes,
            identity,
            random,
            max_participants: config.max_participants,
            is_draining: AtomicBool::new(false),
            watchers: Watchers::default(),
            state: Mutex::new(State { places, ..State::default() }),
        }
    }

    /// Who is told of changes.
    pub(crate) fn watchers(&self) -> &Watchers {
        &self.watchers
    }

    /// Does what signaling asks.
    pub(crate) fn handle(&self, watcher: WatcherId, command: RelayCommand, now: Instant) -> RelayOutcome {
        match command {
            RelayCommand::Join { room, epoch, participant, connection, offer } => {
                self.join(watcher, &Joining { room, epoch, participant, connection, way: None }, &offer, now)
            }
            RelayCommand::JoinOneWay { room, epoch, participant, connection, way, offer } => {
                self.join(watcher, &Joining { room, epoch, participant, connection, way: Some(way) }, &offer, now)
            }
            RelayCommand::Ice { room, participant, connection, session, ufrag } => {
                self.ice((room, participant, connection), session, ufrag)
            }
            RelayCommand::Watch { room } => self.watch(watcher, room),
            RelayCommand::Status { room, participant, status } => {
                let known = self.lock().rooms.get_mut(&room).is_some_and(|room| room.set_status(participant, status));
                self.watchers.changed(room);
                if known { done() } else { no_such_room() }
            }
            RelayCommand::Leave { room, participant, connection } => {
                self.leave(room, participant, connection);
                done()
            }
            RelayCommand::End { room } => {
                self.end(room);
                done()
            }
        }
    }

    fn watch(&self, watcher: WatcherId, room: RoomId) -> RelayOutcome {
        if !self.lock().rooms.contains_key(&room) {
            return no_such_room();
        }
        self.watchers.watch(watcher, room);
        done()
    }

    fn join(&self, watcher: WatcherId, joining: &Joining, offer: &Sdp, now: Instant) -> RelayOutcome {
        let offer = parse_offer(offer.expose()).and_then(|offer| match joining.way {
            Some(way) => offer.one_way(way),
            None => Ok(offer),
        });
        let offer = match offer {
            Ok(offer) => offer,
            Err(bad) => return refused(RelayRefusal::BadOffer, bad.to_string()),
        };
        let mut state = self.lock();
        let (shard, key) = match self.make_place(&mut state, joining) {
            Ok(place) => place,
            Err((code, why)) => return refused(code, why.to_owned()),
        };
        let prepared = prepare(&offer, &self.describe(shard), key, now);
        if let Err(why) = self.start(shard, key, prepared.peer, offer.fingerprint) {
            state.places[shard].free(key);
            return refused(RelayRefusal::RelayFull, why.to_owned());
        }
        let room = state.rooms.entry(joining.room).or_insert_with(|| Room::new(shard, joining.epoch));
        let (epoch, who, connection) = (joining.epoch, joining.participant, joining.connection);
        let replaced = room.join(epoch, who, connection, key, prepared.tracks, now);
        if joining.way.is_some() {
            // A client that is no page does not say what it has; its offer does.
            room.set_status_by_tracks(who);
        }
        match replaced {
            Some(replaced) => self.remove(&mut state, shard, replaced),
            None => state.participants += 1,
        }
        self.reconcile(&mut state, joining.room);
        drop(state);
        tracing::info!(room.id = %joining.room, participant.id = %joining.participant, shard, "a participant joins");
        self.watchers.watch(watcher, joining.room);
        self.watchers.changed(joining.room);
        RelayOutcome::Joined { answer: Sdp::new(prepared.answer) }
    }

    /// What a client says of its ICE: candidates change nothing, other credentials restart it.
    fn ice(
        &self,
        (room, participant, connection): (RoomId, ParticipantId, Connection),
        session: Option<IceSession>,
        ufrag: Option<Redacted<String>>,
    ) -> RelayOutcome {
        let mut state = self.lock();
        let Some(found) = state.rooms.get_mut(&room) else { return no_such_room() };
        let shard = found.shard;
        let Some((transport, ice)) = found.ice_of(participant, connection) else { return no_such_room() };
        let wrong = || refused(RelayRefusal::WrongIce, "the ICE session is another one by now".to_owned());
        if session.is_some_and(|meant| meant != ice.session) {
            return wrong();
        }
        let Some(ufrag) = ufrag.filter(|ufrag| *ufrag != ice.ufrag) else {
            return RelayOutcome::Ice { session: ice.session, fragment: None };
        };
        // RFC 9725 §4.3.3: only who means any session asks for a restart; in a named one these would be somebody else's.
        if session.is_some() {
            return wrong();
        }
        let credentials = Credentials::new(transport.index, &random_bytes(self.random.as_ref()));
        let (candidates, section) = (&self.lanes[shard].candidates, (ice.section.0.as_str(), &ice.section.1));
        let fragment = write_ice_fragment(&credentials.ufrag, &credentials.password, section, candidates);
        if self.lanes[shard].shard.commands.try_send(Command::RestartIce(transport, credentials)).is_err() {
            return refused(RelayRefusal::RelayFull, "the relay is busy".to_owned());
        }
        (ice.session, ice.ufrag) = (IceSession(ice.session.0 + 1), ufrag);
        tracing::info!(room.id = %room, participant.id = %participant, "ICE restarts");
        RelayOutcome::Ice { session: ice.session, fragment: Some(Sdp::new(fragment)) }
    }

    fn describe(&self, shard: usize) -> Relay<'_> {
        let (fingerprint, candidates) = (self.identity.fingerprint, &self.lanes[shard].candidates);
        Relay { random: self.random.as_ref(), fingerprint, candidates }
    }

    /// Checks that the participant may join, and takes a place for the transport.
    fn make_place(
        &self,
        state: &mut State,
        joining: &Joining,
    ) -> Result<(usize, PeerKey), (RelayRefusal, &'static str)> {
        let fence = state.fences.iter().find(|(room, _)| *room == joining.room).map(|(_, epoch)| *epoch);
        if fence.is_some_and(|fence| joining.epoch < fence) {
            return Err((RelayRefusal::Stale, "the room was placed anew"));
        }
        let shard = match state.rooms.get(&joining.room) {
            Some(room) => {
                let may = room.may_join(joining.epoch, joining.participant, joining.connection);
                may.map_err(|code| (code, "the room does not take this connection"))?;
                room.shard
            }
            None if self.is_draining() => return Err((RelayRefusal::RelayFull, "the relay takes no new rooms")),
            None => {
                let least = state.places.iter().enumerate().min_by_key(|(_, places)| places.count());
                least.map(|(shard, _)| shard).expect("a relay has at least one shard")
            }
        };
        // Half as many again: a replaced transport goes a moment after the new one came.
        let max = self.max_participants + self.max_participants / 2;
        if state.participants >= self.max_participants {
            return Err((RelayRefusal::RelayFull, "the relay is full"));
        }
        let key = state.places[shard].take(joining.room, max);
        Ok((shard, key.ok_or((RelayRefusal::RelayFull, "the relay is full"))?))
    }

    /// Hands the transport to its threads.
    fn start(&self, shard: usize, key: PeerKey, peer: Peer, fingerprint: [u8; 32]) -> Result<(), &'static str> {
        let shard = &self.lanes[shard].shard;
        if shard.commands.try_send(Command::Add(Box::new(peer))).is_err() {
            return Err("the relay is busy");
        }
        if shard.handshakes.try_send(HandshakeCommand::Expect(key, fingerprint)).is_err() {
            // Without a handshake it never connects; it must not stay either.
            drop(shard.commands.try_send(Command::Remove(key)));
            return Err("the relay is busy");
        }
        Ok(())
    }

    fn leave(&self, room: RoomId, participant: ParticipantId, connection: Connection) {
        let mut state = self.lock();
        let Some(found) = state.rooms.get_mut(&room) else { return };
        let shard = found.shard;
        let Some(transport) = found.leave(participant, connection) else { return };
        tracing::info!(room.id = %room, participant.id = %participant, "a participant leaves");
        state.participants -= 1;
        self.remove(&mut state, shard, transport);
        self.reconcile(&mut state, room);
        drop(state);
        self.watchers.changed(room);
    }

    fn end(&self, room: RoomId) {
        let mut state = self.lock();
        let Some(ended) = state.rooms.remove(&room) else { return };
        tracing::info!(room.id = %room, "a room ends");
        for transport in ended.transports() {
            state.participants -= 1;
            self.remove(&mut state, ended.shard, transport);
        }
        self.fence(&mut state, room, ended.epoch());
        drop(state);
        self.watchers.changed(room);
    }

    /// A shard tells what became of a transport.
    pub(crate) fn handle_event(&self, event: Event, now: Instant) {
        let mut state = self.lock();
        let Some(room) = state.places[event.shard].room_of(event.peer) else { return };
        if event.state == PeerState::Removed {
            return state.places[event.shard].free(event.peer);
        }
        let is_connected = event.state == PeerState::Connected;
        let found = state.rooms.get_mut(&room);
        let news = found.and_then(|room| room.set_connected(event.peer, is_connected, now));
        drop(state);
        if let Some(participant) = news {
            let state = if is_connected { "connected" } else { "not connected" };
            tracing::info!(room.id = %room, participant.id = %participant, state, "a participant's connection changed");
            self.watchers.changed(room);
        }
    }

    /// Every second: whoever is gone too long is out, and what found a full queue is tried again.
    pub(crate) fn sweep(&self, now: Instant) {
        let mut state = self.lock();
        let rooms: Vec<RoomId> = state.rooms.keys().copied().collect();
        let mut changed = Vec::new();
        for id in rooms {
            let Some(room) = state.rooms.get_mut(&id) else { continue };
            let (shard, out) = (room.shard, room.sweep(now));
            if !out.is_empty() {
                state.participants -= out.len();
                out.into_iter().for_each(|transport| self.remove(&mut state, shard, transport));
                self.reconcile(&mut state, id);
                changed.push(id);
            }
        }
        for shard in 0..self.lanes.len() {
            for delayed in std::mem::take(&mut state.places[shard].delayed) {
                match delayed {
                    Delayed::Route(route) => self.route(&mut state, shard, route),
                    Delayed::Remove(key) => self.remove(&mut state, shard, key),
                }
            }
        }
        drop(state);
        changed.into_iter().for_each(|room| self.watchers.changed(room));
    }

    /// Shows everybody who they have to see, and forgets the room when nobody is in it.
    fn reconcile(&self, state: &mut State, id: RoomId) {
        let Some(room) = state.rooms.get_mut(&id) else { return };
        let (shard, routes) = (room.shard, room.reconcile());
        if room.is_empty() {
            let epoch = room.epoch();
            state.rooms.remove(&id);
            self.fence(state, id, epoch);
            tracing::info!(room.id = %id, "a room is empty");
        }
        routes.into_iter().for_each(|route| self.route(state, shard, route));
    }

    fn fence(&self, state: &mut State, room: RoomId, epoch: Epoch) {
        state.fences.retain(|(known, _)| *known != room);
        if state.fences.len() == MAX_FENCES {
            state.fences.pop_front();
        }
        state.fences.push_back((room, epoch));
    }

    fn route(&self, state: &mut State, shard: usize, route: Route) {
        let Route { subscriber, subscription, source } = route;
        let command = Command::Route { subscriber, subscription, source };
        if !state.places[shard].delayed.is_empty() || self.lanes[shard].shard.commands.try_send(command).is_err() {
            state.places[shard].delayed.push_back(Delayed::Route(route));
        }
    }

    /// By way of the handshake thread, which says goodbye first.
    fn remove(&self, state: &mut State, shard: usize, key: PeerKey) {
        let command = HandshakeCommand::Remove(key);
        if self.lanes[shard].shard.handshakes.try_send(command).is_err() {
            state.places[shard].delayed.push_back(Delayed::Remove(key));
        }
    }

    /// The state of a room as signaling gets it.
    pub(crate) fn room_state(&self, room: RoomId) -> RelayMessage {
        self.lock().rooms.get(&room).map_or(RelayMessage::RoomGone { room }, |found| found.state(room))
    }

    /// Every room with the epoch under which it is here.
    pub(crate) fn rooms(&self) -> Vec<(RoomId, Epoch)> {
        self.lock().rooms.iter().map(|(id, room)| (*id, room.epoch())).collect()
    }

    /// The counters of all shards.
    pub(crate) fn stats(&self) -> RelayStats {
        let mut total = RelayStats::default();
        self.lanes.iter().for_each(|lane| lane.shard.stats.add_to(&mut total));
        let state = self.lock();
        total.rooms = state.rooms.len() as u64;
        total.participants = state.participants as u64;
        total
    }

    /// Takes no new rooms from now on.
    pub(crate) fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    /// Takes no new rooms.
    pub(crate) fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole after every method, even one that panicked on the way out.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn done() -> RelayOutcome {
    RelayOutcome::Done {}
}

fn no_such_room() -> RelayOutcome {
    refused(RelayRefusal::NoSuchRoom, "the relay does not have this room or participant".to_owned())
}

fn refused(code: RelayRefusal, message: String) -> RelayOutcome {
    RelayOutcome::Refused { code, message }
}
