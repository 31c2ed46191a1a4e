//! Coming into a room: join, resume, and rejoin with a new peer connection.

use super::{Entry, LocalSocket, Refusal, SocketId, keeper::Keeper};
use domain::{
    media::Sdp,
    relay::{Epoch, RelayCommand, RelayOutcome, RelayRefusal},
    signal::{ErrorCode, ServerMessage},
};

impl Keeper {
    /// Takes a socket in. An older one of the same participant goes.
    pub(super) async fn enter(&mut self, socket: LocalSocket, entry: Entry) -> Result<(), Refusal> {
        self.read_people().await.map_err(|_| ErrorCode::Unavailable)?;
        match entry {
            Entry::Join(offer) => self.join(socket, offer).await,
            Entry::Resume => self.resume(socket).await,
        }
    }

    async fn join(&mut self, mut socket: LocalSocket, offer: Sdp) -> Result<(), Refusal> {
        let answer = self.answer(&mut socket, offer).await?;
        let chat = self.chat_history().await.unwrap_or_default();
        let (id, participant) = (socket.id, socket.participant);
        tracing::info!(participant.id = %participant, "joined the room");
        self.attach(socket);
        self.sockets[&id].outbox.send(ServerMessage::Joined { participant, answer, chat });
        Ok(())
    }

    async fn resume(&mut self, mut socket: LocalSocket) -> Result<(), Refusal> {
        let found = self.find().await;
        let is_there = match &found {
            Some((placement, link)) => {
                let watch = RelayCommand::Watch { room: self.room };
                let is_there = matches!(link.request(watch).await, Ok(RelayOutcome::Done {}));
                socket.joined = is_there.then_some(placement.epoch);
                is_there
            }
            None => false,
        };
        let chat = self.chat_history().await.map_err(|_| ErrorCode::Unavailable)?;
        let (id, participant) = (socket.id, socket.participant);
        tracing::info!(participant.id = %participant, "resumed");
        self.attach(socket);
        let socket = &self.sockets[&id];
        socket.outbox.send(ServerMessage::Resumed { participant, chat });
        if !is_there {
            socket.outbox.send(ServerMessage::Restart {});
        } else if !self.view.participants.is_empty() {
            // Otherwise this node has just begun to watch, and the relay tells in a moment; an empty room would be a lie.
            socket.outbox.send(self.view.shown_to(participant, &self.people));
        }
        Ok(())
    }

    /// A new peer connection for somebody who is in the room already.
    pub(super) async fn rejoin(&mut self, id: SocketId, offer: Sdp) -> Result<(), Refusal> {
        let mut socket = self.sockets.get(&id).cloned().ok_or(ErrorCode::BadMessage)?;
        let connection = scheduler::reconnect(&self.node.db, &self.actor, self.encounter, socket.participant).await;
        socket.connection = connection.map_err(|_| ErrorCode::Unavailable)?.ok_or(ErrorCode::TokenRefused)?;
        // Before the relay tells of the new connection, or this very socket would count as replaced by it.
        self.sockets.insert(id, socket.clone());
        let answer = self.answer(&mut socket, offer).await?;
        let chat = self.chat_history().await.unwrap_or_default();
        let (outbox, participant) = (socket.outbox.clone(), socket.participant);
        tracing::info!(participant.id = %participant, "joined anew");
        self.sockets.insert(id, socket);
        outbox.send(ServerMessage::Joined { participant, answer, chat });
        Ok(())
    }

    async fn answer(&mut self, socket: &mut LocalSocket, offer: Sdp) -> Result<Sdp, Refusal> {
        let (room, participant, connection) = (self.room, socket.participant, socket.connection);
        let join = |epoch| RelayCommand::Join { room, epoch, participant, connection, offer: offer.clone() };
        let (epoch, answer) = self.ask_to_join(join).await?;
        socket.joined = Some(epoch);
        Ok(answer)
    }

    /// Places the room and asks its relay for the answer; once more elsewhere if that relay cannot be reached.
    pub(super) async fn ask_to_join(&mut self, join: impl Fn(Epoch) -> RelayCommand) -> Result<(Epoch, Sdp), Refusal> {
        let mut refusal = ErrorCode::NoRelay;
        for _ in 0..2 {
            let (placement, link) = self.place().await?;
            match link.request(join(placement.epoch)).await {
                Ok(RelayOutcome::Joined { answer }) => return Ok((placement.epoch, answer)),
                Ok(RelayOutcome::Refused { code, .. }) => {
                    tracing::info!(?code, "the relay refused a participant");
                    refusal = told(code);
                    if !self.may_try_elsewhere(code) {
                        return Err(refusal);
                    }
                }
                Ok(RelayOutcome::Done {} | RelayOutcome::Ice { .. }) => return Err(ErrorCode::Unavailable),
                Err(_) => self.relay_lost(),
            }
        }
        Err(refusal)
    }

    /// Whether the same request may succeed after the room was placed again.
    fn may_try_elsewhere(&mut self, code: RelayRefusal) -> bool {
        match code {
            // The room is somewhere else by now, or nowhere; Redis knows.
            RelayRefusal::Stale | RelayRefusal::NoSuchRoom => true,
            RelayRefusal::RelayFull if self.view.participants.is_empty() => {
                self.relay_lost();
                true
            }
            RelayRefusal::BadOffer | RelayRefusal::RoomFull | RelayRefusal::RelayFull | RelayRefusal::WrongIce => false,
        }
    }

    /// The socket is in the room; older ones of the same participant are not any more.
    fn attach(&mut self, socket: LocalSocket) {
        let is_older = |other: &LocalSocket| other.participant == socket.participant && other.id != socket.id;
        self.sockets.extract_if(|_, other| is_older(other)).for_each(|(_, other)| other.replace());
        self.sockets.insert(socket.id, socket);
    }
}

/// What the page is told of a relay's refusal.
const fn told(code: RelayRefusal) -> ErrorCode {
    match code {
        RelayRefusal::BadOffer => ErrorCode::OfferRefused,
        RelayRefusal::RoomFull => ErrorCode::RoomFull,
        RelayRefusal::RelayFull => ErrorCode::NoRelay,
        RelayRefusal::Stale | RelayRefusal::NoSuchRoom | RelayRefusal::WrongIce => ErrorCode::Unavailable,
    }
}
