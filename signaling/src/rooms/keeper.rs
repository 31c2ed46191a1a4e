//! The task that keeps one room on this node: it listens to sockets, relay and bus, and tells each socket what it may know.

use super::{LocalSocket, RoomCommand, RoomOf, SocketId, presence::PRESENT_EVERY};
use crate::{
    Node,
    placement::Placement,
    relays::{RelayLink, RoomNews},
    room::{People, Person, RelayView},
    tables::chat_messages,
};
use domain::{
    Actor, ChatMessageId, EncounterId, EncounterState, RoomId, Who,
    media::ParticipantStatus,
    relay::{RelayCommand, RelayOutcome, RoomParticipant},
    signal::{ServerMessage, close},
};
use futures_util::{Stream, StreamExt as _, stream};
use service::bus::{Happening, Topic};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval},
};
use tracing::Instrument as _;

/// How often Postgres is read without being told to: what Redis loses costs this much time.
const READ_AGAIN: Duration = Duration::from_secs(5);

/// A room as this node keeps it.
pub(super) struct Keeper {
    pub(super) node: Arc<Node>,
    pub(super) room: RoomId,
    pub(super) encounter: EncounterId,
    /// On whose behalf Postgres is read and written: this service, in the clinic of the room.
    pub(super) actor: Actor,
    pub(super) sockets: HashMap<SocketId, LocalSocket>,
    pub(super) people: People,
    /// Where the room lives as far as this node knows, and the way there.
    pub(super) placed: Option<(Placement, RelayLink)>,
    pub(super) news: Option<watch::Receiver<RoomNews>>,
    pub(super) view: RelayView,
    /// Which messages every socket was told; at most as many as a consultation keeps.
    pub(super) chat_told: HashSet<ChatMessageId>,
    /// How many messages there were at the last reading.
    chat_count: i64,
    commands: mpsc::Receiver<RoomCommand>,
    is_over: bool,
}

impl Keeper {
    pub(super) fn new(node: Arc<Node>, of: RoomOf, commands: mpsc::Receiver<RoomCommand>) -> Self {
        Self {
            node,
            room: of.room,
            encounter: of.encounter,
            actor: Actor { clinic: of.clinic, who: Who::Service("signaling") },
            sockets: HashMap::new(),
            people: People::new(),
            placed: None,
            news: None,
            view: RelayView::default(),
            chat_told: HashSet::new(),
            chat_count: 0,
            commands,
            is_over: false,
        }
    }

    /// Keeps the room until nobody of this node is in it.
    pub(super) async fn run(self) {
        let span = tracing::info_span!(
            "room",
            room.id = %self.room,
            encounter.id = %self.encounter,
            clinic.id = %self.actor.clinic
        );
        self.keep().instrument(span).await;
    }

    async fn keep(mut self) {
        let mut happenings = self.happenings();
        let mut read_again = interval(READ_AGAIN);
        read_again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut present = interval(PRESENT_EVERY);
        present.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let draining = self.node.draining.clone();
        loop {
            tokio::select! {
                Some(command) = self.commands.recv() => self.obey(command).await,
                news = next_news(&mut self.news) => self.hear(news).await,
                Some(happening) = happenings.next() => self.happened(happening).await,
                _ = read_again.tick() => self.read_again().await,
                _ = present.tick() => self.write_presences().await,
                () = draining.cancelled(), if self.sockets.is_empty() => self.is_over = true,
            }
            if self.is_idle() && self.node.rooms.let_go(self.room, &self.commands) {
                return;
            }
        }
    }

    fn happenings(&self) -> impl Stream<Item = Happening> + Send + Unpin + use<> {
        let encounter = self.node.bus.subscribe(Topic::Encounter(self.encounter));
        stream::select(encounter, self.node.bus.subscribe(Topic::Room(self.room)))
    }

    /// Nobody is here. While media flows the task stays, since the room must end with its encounter though every socket is lost.
    fn is_idle(&self) -> bool {
        self.sockets.is_empty() && (self.is_over || self.view.participants.is_empty())
    }

    async fn obey(&mut self, command: RoomCommand) {
        match command {
            RoomCommand::Enter { socket, entry, reply } => {
                let id = socket.id;
                let entered = self.enter(*socket, entry).await;
                // Who asked may be gone; then its socket detaches next.
                let _ = reply.send(entered);
                self.write_presence_of(id).await;
            }
            RoomCommand::Rejoin { socket, offer, reply } => {
                let rejoined = self.rejoin(socket, offer).await;
                let _ = reply.send(rejoined);
            }
            RoomCommand::Chat { socket, id, text, reply } => {
                let written = self.write_chat(socket, id, text).await;
                let _ = reply.send(written);
            }
            RoomCommand::Status { socket, status } => self.say_status(socket, status).await,
            RoomCommand::Leave { socket } => self.leave(socket).await,
            RoomCommand::Device(command) => self.obey_device(command).await,
            RoomCommand::Detach { socket } => {
                self.write_presence_of(socket).await;
                self.sockets.remove(&socket);
            }
        }
    }

    /// News from the relay.
    async fn hear(&mut self, news: RoomNews) {
        match news {
            RoomNews::Nothing => {}
            RoomNews::Present(view) => {
                self.view = view;
                self.read_newcomers().await;
                self.replace_older();
                self.show_room();
            }
            RoomNews::Gone => {
                self.view = RelayView::default();
                self.show_room();
            }
            RoomNews::Lost => self.relay_lost(),
        }
    }

    async fn happened(&mut self, happening: Happening) {
        match happening {
            Happening::ChatWritten { .. } => self.tell_chat().await,
            Happening::EncounterFinished { .. } | Happening::Resync => self.read_again().await,
            Happening::AppointmentChanged { .. } => {}
        }
    }

    /// Reads what the bus may have lost: is the encounter finished, is there more chat, did the room move?
    async fn read_again(&mut self) {
        let Ok(Some((state, messages))) = self.read_state().await else {
            // The next reading will tell; nobody is put out because Postgres is away.
            return;
        };
        if state == EncounterState::Finished {
            return self.end().await;
        }
        if std::mem::replace(&mut self.chat_count, messages) != messages {
            self.tell_chat().await;
        }
        self.check_placement().await;
    }

    async fn read_state(&self) -> Result<Option<(EncounterState, i64)>, sqlx::Error> {
        let mut tx = self.node.db.begin(&self.actor).await?;
        chat_messages::state_and_count(&mut tx, self.actor.clinic, self.encounter).await
    }

    /// The encounter is finished: everybody out.
    async fn end(&mut self) {
        if !std::mem::replace(&mut self.is_over, true) {
            tracing::info!("the room ends with its encounter");
            self.write_presences().await;
        }
        for (_, socket) in self.sockets.drain() {
            socket.outbox.send(ServerMessage::Ended {});
            socket.outbox.close(close::ENDED);
        }
        self.news = None;
        if let Some((placement, link)) = self.placed.take() {
            // A relay that does not hear it ends the room when nobody's consent is fresh any more.
            let _ = link.request(RelayCommand::End { room: self.room }).await;
            self.node.directory.forget(self.room, placement).await;
        }
    }

    /// The relay knows a newer connection of somebody than a socket here has: they are elsewhere now.
    fn replace_older(&mut self) {
        let view = &self.view;
        let replaced = self.sockets.extract_if(|_, socket| {
            view.connection(socket.participant).is_some_and(|connection| connection > socket.connection)
        });
        replaced.for_each(|(_, socket)| socket.replace());
    }

    pub(super) fn show_room(&self) {
        for socket in self.sockets.values().filter(|socket| socket.joined.is_some()) {
            socket.outbox.send(self.view.shown_to(socket.participant, &self.people));
        }
    }

    async fn say_status(&self, socket: SocketId, status: ParticipantStatus) {
        let (Some(socket), Some((_, link))) = (self.sockets.get(&socket), &self.placed) else { return };
        let command = RelayCommand::Status { room: self.room, participant: socket.participant, status };
        if !matches!(link.request(command).await, Ok(RelayOutcome::Done {})) {
            tracing::debug!("a status did not reach the relay");
        }
    }

    async fn leave(&mut self, socket: SocketId) {
        self.write_presence_of(socket).await;
        let Some(socket) = self.sockets.remove(&socket) else { return };
        socket.outbox.close(close::LEFT);
        tracing::info!(participant.id = %socket.participant, "left the room");
        // After a resume the relay still has the connection from before, under its lower number.
        let connection = self.view.connection(socket.participant).unwrap_or(socket.connection);
        if let Some((_, link)) = self.placed.as_ref().filter(|_| connection <= socket.connection) {
            let command = RelayCommand::Leave { room: self.room, participant: socket.participant, connection };
            // If the relay does not hear it, it sees the peer connection close.
            let _ = link.request(command).await;
        }
    }

    /// Who belongs in the room: the rows of the people are written with the encounter, those of devices when they come.
    pub(super) async fn read_people(&mut self) -> Result<(), sqlx::Error> {
        if self.people.is_empty() {
            self.read_people_again().await?;
        }
        Ok(())
    }

    /// A device that came by another node is not known here yet.
    async fn read_newcomers(&mut self) {
        let is_known = |one: &RoomParticipant| self.people.contains_key(&one.participant);
        if !self.view.participants.iter().all(is_known) && self.read_people_again().await.is_err() {
            // It is shown with the next news.
            tracing::debug!("who came cannot be read");
        }
    }

    pub(super) async fn read_people_again(&mut self) -> Result<(), sqlx::Error> {
        let people = scheduler::room_participants(&self.node.db, &self.actor, self.encounter).await?;
        let people = people.into_iter().map(|one| (one.participant, Person { name: one.name, role: one.role }));
        self.people = people.collect();
        Ok(())
    }
}

impl LocalSocket {
    /// The same participant is here by another socket.
    pub(super) fn replace(&self) {
        tracing::info!(participant.id = %self.participant, "replaced by a newer connection");
        self.outbox.send(ServerMessage::Replaced {});
        self.outbox.close(close::REPLACED);
    }
}

/// The next news, or nothing for ever while no room is watched.
async fn next_news(news: &mut Option<watch::Receiver<RoomNews>>) -> RoomNews {
    let Some(receiver) = news else { return std::future::pending().await };
    match receiver.changed().await {
        Ok(()) => receiver.borrow_and_update().clone(),
        Err(_) => {
            *news = None;
            RoomNews::Lost
        }
    }
}
