//! Clients without a socket (WHIP, WHEP): what they ask for is asked of the relay, which alone knows whether they are there.

use super::{Refusal, keeper::Keeper};
use crate::relays::RelayLink;
use domain::{
    ParticipantId, Redacted,
    media::{ParticipantStatus, Sdp},
    relay::{Connection, IceSession, OneWay, RelayCommand, RelayOutcome, RelayRefusal, RoomParticipant as Present},
    signal::ErrorCode,
};
use tokio::sync::oneshot;

/// Somebody's peer connection in the room.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeviceEntry {
    pub(crate) participant: ParticipantId,
    pub(crate) connection: Connection,
}

/// What a client says of its ICE.
#[derive(Debug)]
pub(crate) struct IceSaid {
    /// The session that it means, or any.
    pub(crate) session: Option<IceSession>,
    /// Its user fragment.
    pub(crate) ufrag: Option<Redacted<String>>,
}

/// Why something is not done for a client that is or was in the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IceRefused {
    /// It is not in the room.
    Gone,
    /// It means an ICE session that is past.
    WrongSession,
    /// Nobody can tell at the moment.
    Unavailable,
}

/// What a client without a socket asks.
pub(crate) enum DeviceCommand {
    Enter { device: DeviceEntry, way: OneWay, offer: Sdp, reply: oneshot::Sender<Result<Sdp, Refusal>> },
    Ice { device: DeviceEntry, said: IceSaid, reply: oneshot::Sender<Result<(IceSession, Option<Sdp>), IceRefused>> },
    Leave { device: DeviceEntry, reply: oneshot::Sender<Result<(), IceRefused>> },
}

impl Keeper {
    /// Who asked may be gone by the time it is done: nobody listens then.
    pub(super) async fn obey_device(&mut self, command: DeviceCommand) {
        match command {
            DeviceCommand::Enter { device, way, offer, reply } => {
                drop(reply.send(self.enter_device(device, way, offer).await));
            }
            DeviceCommand::Ice { device, said, reply } => drop(reply.send(self.ice(device, said).await)),
            DeviceCommand::Leave { device, reply } => drop(reply.send(self.leave_device(device).await)),
        }
    }

    async fn enter_device(&mut self, device: DeviceEntry, way: OneWay, offer: Sdp) -> Result<Sdp, Refusal> {
        if !self.people.contains_key(&device.participant) {
            self.read_people_again().await.map_err(|_| ErrorCode::Unavailable)?;
        }
        let (room, DeviceEntry { participant, connection }) = (self.room, device);
        let join = |epoch| RelayCommand::JoinOneWay { room, epoch, participant, connection, way, offer: offer.clone() };
        let (_, answer) = self.ask_to_join(join).await?;
        tracing::info!(participant.id = %participant, "entered the room without a socket");
        // Until the relay tells: while somebody is there, this node sees to it that the room ends with its encounter.
        self.view.participants.retain(|one| one.participant != participant);
        let status = ParticipantStatus::default();
        self.view.participants.push(Present { participant, connection, connected: false, status });
        Ok(answer)
    }

    async fn ice(
        &mut self,
        device: DeviceEntry,
        IceSaid { session, ufrag }: IceSaid,
    ) -> Result<(IceSession, Option<Sdp>), IceRefused> {
        let link = self.link_to_room().await?;
        let (room, DeviceEntry { participant, connection }) = (self.room, device);
        match link.request(RelayCommand::Ice { room, participant, connection, session, ufrag }).await {
            Ok(RelayOutcome::Ice { session, fragment }) => Ok((session, fragment)),
            Ok(RelayOutcome::Refused { code: RelayRefusal::NoSuchRoom, .. }) => Err(IceRefused::Gone),
            Ok(RelayOutcome::Refused { code: RelayRefusal::WrongIce, .. }) => Err(IceRefused::WrongSession),
            Ok(_) | Err(_) => Err(IceRefused::Unavailable),
        }
    }

    async fn leave_device(&mut self, device: DeviceEntry) -> Result<(), IceRefused> {
        // A relay takes a leave of somebody who is not there for done; the client should know.
        self.ice(device, IceSaid { session: None, ufrag: None }).await?;
        let link = self.link_to_room().await?;
        let (room, DeviceEntry { participant, connection }) = (self.room, device);
        match link.request(RelayCommand::Leave { room, participant, connection }).await {
            Ok(RelayOutcome::Done {}) => {
                tracing::info!(participant.id = %participant, "left the room");
                Ok(())
            }
            Ok(_) | Err(_) => Err(IceRefused::Unavailable),
        }
    }

    /// The way to the relay that has the room; a room that lives nowhere has nobody in it.
    async fn link_to_room(&mut self) -> Result<RelayLink, IceRefused> {
        self.find().await.map(|(_, link)| link).ok_or(IceRefused::Gone)
    }
}
