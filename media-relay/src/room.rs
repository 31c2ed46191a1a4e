//! The rules of one room: who may join, who replaces whom, who is shown where, who has been gone too long.

use crate::{
    forward::Seats,
    shard::{PeerKey, Source},
};
use domain::{
    ParticipantId, Redacted, RoomId,
    media::{MAX_PARTICIPANTS, MediaKind, Mid, ParticipantStatus},
    relay::{Connection, Epoch, IceSession, RelayMessage, RelayRefusal, RoomParticipant, SlotAssignment},
};
use std::time::{Duration, Instant};

/// How long a participant without a connection keeps their place: a page that loads again, a tunnel, a handshake.
pub(crate) const GRACE: Duration = Duration::from_secs(30);

/// A slot as its owner offered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    /// The media section.
    pub mid: Mid,
    /// Sound or picture.
    pub kind: MediaKind,
    /// Its number among the slots of its kind: the seat it shows.
    pub number: usize,
}

/// What an accepted offer brings into the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tracks {
    /// Kinds of the publications, in the transport's order.
    pub publications: Vec<MediaKind>,
    /// Slots, in the transport's order.
    pub slots: Vec<Slot>,
    /// How its ICE began.
    pub ice: Ice,
}

/// The ICE of a connection, for what its client may say of it later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ice {
    /// Counted up by each restart.
    pub session: IceSession,
    /// The client's user fragment.
    pub ufrag: Redacted<String>,
    /// The m-line's first word and the name of the section that has the candidates.
    pub section: (String, Mid),
}

impl Tracks {
    fn seats(&self) -> Seats {
        Seats::new(self.slots.iter().map(|slot| slot.number + 1).max().unwrap_or(0))
    }
}

/// One participant.
#[derive(Debug)]
struct Member {
    participant: ParticipantId,
    connection: Connection,
    transport: PeerKey,
    status: ParticipantStatus,
    tracks: Tracks,
    seats: Seats,
    routed: Vec<Option<Source>>,
    /// Since when there is no connection; `None` while there is one.
    gone_since: Option<Instant>,
}

/// A slot whose source changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    /// Whose slot.
    pub subscriber: PeerKey,
    /// Which of the transport's slots.
    pub subscription: usize,
    /// What it shows from now on.
    pub source: Option<Source>,
}

/// A room.
#[derive(Debug)]
pub(crate) struct Room {
    /// Where its media is.
    pub shard: usize,
    epoch: Epoch,
    /// In the order in which they joined.
    members: Vec<Member>,
}

impl Room {
    /// An empty room on a shard.
    pub(crate) fn new(shard: usize, epoch: Epoch) -> Self {
        Self { shard, epoch, members: Vec::new() }
    }

    /// The placement in force.
    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Whether this participant may join with this connection, on the word of a sender who knows `epoch`.
    pub(crate) fn may_join(
        &self,
        epoch: Epoch,
        who: ParticipantId,
        connection: Connection,
    ) -> Result<(), RelayRefusal> {
        if epoch < self.epoch {
            return Err(RelayRefusal::Stale);
        }
        match self.member(who) {
            Some(member) if connection < member.connection => Err(RelayRefusal::Stale),
            None if self.members.len() == MAX_PARTICIPANTS => Err(RelayRefusal::RoomFull),
            _ => Ok(()),
        }
    }

    /// Takes the participant in. Returns the transport that is replaced.
    pub(crate) fn join(
        &mut self,
        epoch: Epoch,
        participant: ParticipantId,
        connection: Connection,
        transport: PeerKey,
        tracks: Tracks,
        now: Instant,
    ) -> Option<PeerKey> {
        self.epoch = self.epoch.max(epoch);
        let (seats, routed) = (tracks.seats(), vec![None; tracks.slots.len()]);
        if let Some(member) = self.members.iter_mut().find(|member| member.participant == participant) {
            // A new page offers the same slots: whoever was on the left stays on the left.
            let seats = if member.tracks.slots == tracks.slots { member.seats.clone() } else { seats };
            let replaced = std::mem::replace(&mut member.transport, transport);
            (member.connection, member.tracks, member.seats, member.routed) = (connection, tracks, seats, routed);
            member.gone_since = Some(now);
            return Some(replaced);
        }
        let (status, gone_since) = (ParticipantStatus::default(), Some(now));
        self.members.push(Member { participant, connection, transport, status, tracks, seats, routed, gone_since });
        None
    }

    /// The participant leaves, if it is still this connection. Returns their transport.
    pub(crate) fn leave(&mut self, participant: ParticipantId, connection: Connection) -> Option<PeerKey> {
        let index = self.members.iter().position(|m| m.participant == participant && m.connection == connection)?;
        Some(self.members.remove(index).transport)
    }

    /// The transport and the ICE of a participant, if they are here by this connection.
    pub(crate) fn ice_of(&mut self, who: ParticipantId, connection: Connection) -> Option<(PeerKey, &mut Ice)> {
        let member = self.members.iter_mut().find(|m| m.participant == who && m.connection == connection)?;
        Some((member.transport, &mut member.tracks.ice))
    }

    /// Whoever was gone longer than [`GRACE`] is out. Returns their transports.
    pub(crate) fn sweep(&mut self, now: Instant) -> Vec<PeerKey> {
        let is_out =
            |member: &mut Member| member.gone_since.is_some_and(|since| now.saturating_duration_since(since) >= GRACE);
        self.members.extract_if(.., is_out).map(|member| member.transport).collect()
    }

    /// The transport connected or lost its connection. Returns whose it is when that is news.
    pub(crate) fn set_connected(
        &mut self,
        transport: PeerKey,
        is_connected: bool,
        now: Instant,
    ) -> Option<ParticipantId> {
        let member = self.members.iter_mut().find(|member| member.transport == transport)?;
        if is_connected == member.gone_since.is_none() {
            return None;
        }
        member.gone_since = (!is_connected).then_some(now);
        Some(member.participant)
    }

    /// What a participant says of themselves. True when they are here.
    pub(crate) fn set_status(&mut self, participant: ParticipantId, status: ParticipantStatus) -> bool {
        let member = self.members.iter_mut().find(|member| member.participant == participant);
        member.map(|member| member.status = status).is_some()
    }

    /// A participant that says nothing of itself has on what it publishes.
    pub(crate) fn set_status_by_tracks(&mut self, participant: ParticipantId) {
        if let Some(member) = self.members.iter_mut().find(|member| member.participant == participant) {
            let publishes = |kind| member.tracks.publications.contains(&kind);
            let (microphone, camera) = (publishes(MediaKind::Audio), publishes(MediaKind::Video));
            member.status = ParticipantStatus { microphone, camera, ..member.status };
        }
    }

    /// Brings every slot to what it has to show, and returns what changed. Doing it twice changes nothing.
    pub(crate) fn reconcile(&mut self) -> Vec<Route> {
        let sources: Vec<(ParticipantId, PeerKey, Vec<MediaKind>)> =
            self.members.iter().map(|m| (m.participant, m.transport, m.tracks.publications.clone())).collect();
        let mut routes = Vec::new();
        for member in &mut self.members {
            let others =
                sources.iter().filter(|(who, _, published)| *who != member.participant && !published.is_empty());
            member.seats.reconcile(&others.map(|(who, ..)| *who).collect::<Vec<_>>());
            for (subscription, slot) in member.tracks.slots.iter().enumerate() {
                let source = member.seats.get(slot.number).and_then(|who| {
                    let (_, peer, published) = sources.iter().find(|(source, ..)| *source == who)?;
                    let publication = published.iter().position(|kind| *kind == slot.kind)?;
                    Some(Source { peer: *peer, publication })
                });
                if member.routed[subscription] != source {
                    member.routed[subscription] = source;
                    routes.push(Route { subscriber: member.transport, subscription, source });
                }
            }
        }
        routes
    }

    /// All transports, when the room ends.
    pub(crate) fn transports(&self) -> Vec<PeerKey> {
        self.members.iter().map(|member| member.transport).collect()
    }

    /// Nobody is here.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The whole state, as signaling gets it.
    pub(crate) fn state(&self, room: RoomId) -> RelayMessage {
        let participants = self.members.iter().map(|member| RoomParticipant {
            participant: member.participant,
            connection: member.connection,
            connected: member.gone_since.is_none(),
            status: member.status,
        });
        let slots = self.members.iter().flat_map(|member| {
            let shown = member.tracks.slots.iter().zip(&member.routed).filter(|(_, source)| source.is_some());
            shown.filter_map(|(slot, _)| {
                let (subscriber, source) = (member.participant, member.seats.get(slot.number)?);
                Some(SlotAssignment { subscriber, mid: slot.mid.clone(), kind: slot.kind, source })
            })
        });
        RelayMessage::Room { room, participants: participants.collect(), slots: slots.collect() }
    }

    fn member(&self, participant: ParticipantId) -> Option<&Member> {
        self.members.iter().find(|member| member.participant == participant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const BOTH: [MediaKind; 2] = [MediaKind::Audio, MediaKind::Video];

    fn who(n: u128) -> ParticipantId {
        ParticipantId(Uuid::from_u128(n))
    }

    fn transport(index: u16) -> PeerKey {
        PeerKey { index, generation: u64::from(index) }
    }

    fn tracks(publications: &[MediaKind]) -> Tracks {
        let slots =
            (0..4).flat_map(|number| BOTH.map(|kind| Slot { mid: Mid(format!("{kind:?}{number}")), kind, number }));
        let section = ("audio".to_owned(), Mid("0".to_owned()));
        let ice = Ice { session: IceSession::FIRST, ufrag: Redacted::new("abcd".to_owned()), section };
        Tracks { publications: publications.to_vec(), slots: slots.collect(), ice }
    }

    fn room_of(count: u16) -> Room {
        let mut room = Room::new(0, Epoch(1));
        for n in 1..=count {
            room.join(Epoch(1), who(n.into()), Connection(1), transport(n), tracks(&BOTH), Instant::now());
        }
        room
    }

    fn shown_to(room: &Room, subscriber: ParticipantId) -> Vec<(String, ParticipantId)> {
        let RelayMessage::Room { slots, .. } = room.state(RoomId(Uuid::nil())) else { unreachable!() };
        let mine = slots.into_iter().filter(|slot| slot.subscriber == subscriber);
        mine.map(|slot| (slot.mid.0, slot.source)).collect()
    }

    #[test]
    fn two_people_see_and_hear_each_other_and_nobody_sees_themselves() {
        let mut room = room_of(2);
        assert_eq!(room.reconcile().len(), 4);
        assert_eq!(shown_to(&room, who(1)), [("Audio0".into(), who(2)), ("Video0".into(), who(2))]);
        assert_eq!(shown_to(&room, who(2)), [("Audio0".into(), who(1)), ("Video0".into(), who(1))]);
        assert!(room.reconcile().is_empty(), "nothing changed");
    }

    #[test]
    fn who_has_no_camera_is_heard_and_not_shown() {
        let mut room = room_of(1);
        room.join(Epoch(1), who(2), Connection(1), transport(2), tracks(&[MediaKind::Audio]), Instant::now());
        room.reconcile();
        assert_eq!(shown_to(&room, who(1)), [("Audio0".into(), who(2))]);
    }

    #[test]
    fn the_sixth_finds_the_room_full_and_the_first_may_come_again() {
        let room = room_of(5);
        assert_eq!(room.may_join(Epoch(1), who(6), Connection(1)), Err(RelayRefusal::RoomFull));
        assert_eq!(room.may_join(Epoch(1), who(1), Connection(2)), Ok(()));
    }

    #[test]
    fn an_older_placement_or_connection_is_stale() {
        let mut room = room_of(1);
        room.join(Epoch(3), who(1), Connection(7), transport(2), tracks(&BOTH), Instant::now());
        assert_eq!(room.may_join(Epoch(2), who(2), Connection(1)), Err(RelayRefusal::Stale));
        assert_eq!(room.may_join(Epoch(3), who(1), Connection(6)), Err(RelayRefusal::Stale));
        assert_eq!(room.may_join(Epoch(3), who(1), Connection(7)), Ok(()), "a new offer of the same connection");
        assert_eq!(room.leave(who(1), Connection(1)), None, "what was replaced does not leave");
        assert_eq!(room.leave(who(1), Connection(7)), Some(transport(2)));
    }

    #[test]
    fn a_page_that_loads_again_is_shown_where_it_was() {
        let mut room = room_of(3);
        room.reconcile();
        let before = shown_to(&room, who(1));
        let replaced = room.join(Epoch(1), who(2), Connection(2), transport(9), tracks(&BOTH), Instant::now());
        assert_eq!(replaced, Some(transport(2)));
        let routes = room.reconcile();
        assert_eq!(shown_to(&room, who(1)), before);
        let to_the_new = routes.iter().filter(|r| r.source.is_some_and(|s| s.peer == transport(9))).count();
        assert_eq!(to_the_new, 4, "sound and picture for each of the two others");
    }

    #[test]
    fn who_does_not_come_back_is_out_after_the_grace() {
        let mut room = room_of(2);
        let now = Instant::now();
        assert_eq!(room.set_connected(transport(1), true, now), Some(who(1)));
        assert_eq!(room.set_connected(transport(1), true, now), None, "no news");
        assert_eq!(room.sweep(now + GRACE + Duration::from_secs(1)), [transport(2)], "the second never connected");
        assert_eq!(room.set_connected(transport(1), false, now), Some(who(1)));
        assert!(room.sweep(now + GRACE / 2).is_empty());
        assert_eq!(room.sweep(now + GRACE), [transport(1)]);
        assert!(room.is_empty());
    }
}
