//! A participant as a whole: a peer connection and the way it came into the room.

use crate::{
    peer::{NotSeen, Peer, Publishing},
    relay_client::RelayClient,
    signaling_client::{NotHeard, SignalingClient},
    socket::SocketError,
    tally::Tally,
};
use domain::{
    ChatMessageId, ParticipantId, Redacted, RoomId,
    media::{MediaKind, ParticipantStatus},
    relay::{Connection, Epoch, RelayCommand, RelayOutcome, RelayRefusal},
    signal::ErrorCode,
};
use std::time::Duration;

/// How long signaling may take to let somebody in.
const JOIN_TIMEOUT: Duration = Duration::from_secs(15);

/// Why a participant is not in the room.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The relay refuses.
    #[error("the relay refuses: {0:?}")]
    RelayRefused(RelayRefusal),
    /// Signaling refuses.
    #[error("signaling refuses: {0:?}")]
    SignalingRefused(ErrorCode),
    /// The answer to the join was something else.
    #[error("the answer is not one to a join")]
    Unexpected,
    /// Signaling said nothing in time, or closed the socket.
    #[error(transparent)]
    NotHeard(#[from] NotHeard),
    /// The socket does not work.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The peer connection does not work.
    #[error("the peer connection failed: {0}")]
    Peer(#[from] webrtc::error::Error),
}

/// A place on a relay, as signaling would give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// Into which room.
    pub room: RoomId,
    /// Which placement of the room.
    pub epoch: Epoch,
    /// Who.
    pub participant: ParticipantId,
    /// Which of their connections.
    pub connection: Connection,
}

/// Somebody in a room, without a head.
pub struct Participant {
    id: ParticipantId,
    publishing: Publishing,
    peer: Peer,
    way: Way,
}

enum Way {
    Relay(RelayClient, Seat),
    Signaling(SignalingClient),
}

impl Participant {
    /// Joins a room straight at the relay's control socket.
    ///
    /// # Errors
    /// When the relay refuses or cannot be reached.
    pub async fn at_relay(relay: &RelayClient, seat: Seat, publishing: Publishing) -> Result<Self, JoinError> {
        let peer = join_relay(relay, seat, publishing).await?;
        Ok(Self { id: seat.participant, publishing, peer, way: Way::Relay(relay.clone(), seat) })
    }

    /// Joins a room as a page does: by join token, over signaling at `url`, as a page of `origin`.
    ///
    /// The payloads are marked with `mark`, since a page learns who it is only from the answer; see [`Participant::mark`].
    ///
    /// # Errors
    /// When signaling refuses or cannot be reached.
    pub async fn connect(
        url: &str,
        origin: &str,
        token: &Redacted<String>,
        mark: ParticipantId,
        publishing: Publishing,
    ) -> Result<Self, JoinError> {
        let signaling = SignalingClient::connect(url, origin).await?;
        let peer = Peer::new(mark, publishing).await?;
        signaling.join(token, peer.offer()).await?;
        accept(&signaling, &peer, 0).await?;
        Ok(Self { id: mark, publishing, peer, way: Way::Signaling(signaling) })
    }

    /// Whose payloads the others count: the participant at a relay, or what was given to [`connect`](Self::connect).
    pub fn mark(&self) -> ParticipantId {
        self.id
    }

    /// The peer connection.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The socket to signaling, of one who joined by it.
    pub fn signaling(&self) -> Option<&SignalingClient> {
        match &self.way {
            Way::Relay(..) => None,
            Way::Signaling(signaling) => Some(signaling),
        }
    }

    /// What was seen so far.
    pub fn tally(&self) -> Tally {
        self.peer.tally()
    }

    /// Waits until the tally is as `wanted`; see [`Peer::until`].
    ///
    /// # Errors
    /// When it is not so within `within`.
    pub async fn until(&self, wanted: impl FnMut(&Tally) -> bool, within: Duration) -> Result<Tally, NotSeen> {
        self.peer.until(wanted, within).await
    }

    /// Stops or resumes publishing one kind, and tells the others.
    ///
    /// # Errors
    /// When the socket is closed; packets have stopped even then.
    pub async fn mute(&self, kind: MediaKind, muted: bool) -> Result<(), JoinError> {
        self.peer.mute(kind, muted);
        let mut status = ParticipantStatus::default();
        match kind {
            MediaKind::Audio => status.microphone = !muted,
            MediaKind::Video => status.camera = !muted,
        }
        match &self.way {
            Way::Relay(relay, Seat { room, participant, .. }) => {
                relay.request(RelayCommand::Status { room: *room, participant: *participant, status }).await?;
            }
            Way::Signaling(signaling) => signaling.say_status(status).await?,
        }
        Ok(())
    }

    /// Replaces the peer connection by a new one; the tally begins anew.
    ///
    /// # Errors
    /// When it is refused; the old connection stays then.
    pub async fn rejoin(&mut self) -> Result<(), JoinError> {
        let peer = match &mut self.way {
            Way::Relay(relay, seat) => {
                seat.connection = Connection(seat.connection.0 + 1);
                join_relay(relay, *seat, self.publishing).await?
            }
            Way::Signaling(signaling) => {
                let peer = Peer::new(self.id, self.publishing).await?;
                let answers = signaling.heard().answers;
                signaling.rejoin(peer.offer()).await?;
                accept(signaling, &peer, answers).await?;
                peer
            }
        };
        let old = std::mem::replace(&mut self.peer, peer);
        Ok(old.close().await?)
    }

    /// Attaches a new socket to signaling while media flows on. One who joined at the relay has none: nothing happens.
    ///
    /// # Errors
    /// When signaling refuses the token or cannot be reached.
    pub async fn resume(&mut self, url: &str, origin: &str, token: &Redacted<String>) -> Result<(), JoinError> {
        if let Way::Signaling(old) = &mut self.way {
            let signaling = SignalingClient::connect(url, origin).await?;
            signaling.resume(token).await?;
            let heard = signaling
                .until(|heard| heard.resumed > 0 || !heard.errors.is_empty() || heard.closed.is_some(), JOIN_TIMEOUT)
                .await?;
            if let Some(code) = heard.errors.last() {
                return Err(JoinError::SignalingRefused(*code));
            }
            *old = signaling;
        }
        Ok(())
    }

    /// Writes to everybody in the room. One who joined at the relay cannot: nothing happens.
    ///
    /// # Errors
    /// When the socket is closed.
    pub async fn send_chat(&self, id: ChatMessageId, text: &str) -> Result<(), SocketError> {
        match &self.way {
            Way::Relay(..) => Ok(()),
            Way::Signaling(signaling) => signaling.send_chat(id, text).await,
        }
    }

    /// Says goodbye and closes the peer connection.
    ///
    /// # Errors
    /// When the socket or the peer connection fails.
    pub async fn leave(self) -> Result<(), JoinError> {
        match &self.way {
            Way::Relay(relay, Seat { room, participant, connection, .. }) => {
                let (room, participant, connection) = (*room, *participant, *connection);
                relay.request(RelayCommand::Leave { room, participant, connection }).await?;
            }
            Way::Signaling(signaling) => signaling.leave().await?,
        }
        Ok(self.peer.close().await?)
    }
}

async fn join_relay(relay: &RelayClient, seat: Seat, publishing: Publishing) -> Result<Peer, JoinError> {
    let peer = Peer::new(seat.participant, publishing).await?;
    let Seat { room, epoch, participant, connection } = seat;
    let offer = Redacted::new(peer.offer().to_owned());
    let outcome = relay.request(RelayCommand::Join { room, epoch, participant, connection, offer }).await?;
    match outcome {
        RelayOutcome::Joined { answer } => peer.accept(answer.expose()).await?,
        RelayOutcome::Refused { code, .. } => return Err(JoinError::RelayRefused(code)),
        RelayOutcome::Done {} | RelayOutcome::Ice { .. } => return Err(JoinError::Unexpected),
    }
    Ok(peer)
}

/// Waits for the answer after the first `answers`, and applies it.
async fn accept(signaling: &SignalingClient, peer: &Peer, answers: u32) -> Result<(), JoinError> {
    let refused_before = signaling.heard().errors.len();
    let heard = signaling
        .until(
            |heard| heard.answers > answers || heard.errors.len() > refused_before || heard.closed.is_some(),
            JOIN_TIMEOUT,
        )
        .await?;
    match &heard.answer {
        Some(answer) if heard.answers > answers => Ok(peer.accept(answer.expose()).await?),
        _ => Err(heard
            .errors
            .last()
            .map_or(JoinError::Socket(SocketError::Closed), |code| JoinError::SignalingRefused(*code))),
    }
}
