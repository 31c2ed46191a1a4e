//! Our own relay: the real executable with one shard, joined over its control socket as signaling does.

use super::child::{ServerProcess, command, free_port};
use crate::relay::{
    peer::{Peer, PeerFactory},
    target::{Limits, Missing, Place, Seat, Server, Target},
};
use anyhow::bail;
use async_trait::async_trait;
use domain::{
    ParticipantId, Redacted, RoomId,
    media::MAX_PARTICIPANTS,
    relay::{Connection, Epoch, RelayCommand, RelayOutcome},
};
use participant::RelayClient;
use std::{net::SocketAddr, path::PathBuf};
use uuid::Uuid;

/// What the relay is shown; it is reached from this machine only, and for as long as it is measured.
const KEY: &str = "a-key-for-as-long-as-it-is-measured";

/// `bedside media-relay`.
pub struct Bedside {
    /// The executable `bedside`.
    pub executable: PathBuf,
}

#[async_trait]
impl Target for Bedside {
    fn name(&self) -> &str {
        "bedside"
    }

    fn configuration(&self) -> Vec<(String, String)> {
        [
            ("executable", "bedside media-relay, release build"),
            ("MEDIA_SHARDS", "1"),
            ("MEDIA_ADDR", "the address of the run"),
            ("REDIS_URL", "unset"),
            ("RUST_LOG", "info"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    fn limits(&self) -> Limits {
        Limits { participants: MAX_PARTICIPANTS, simulcast: false }
    }

    async fn start(&self, place: &Place) -> Result<Box<dyn Server>, Missing> {
        if !self.executable.exists() {
            let why = format!("{} is not built; `bin/bench relay` builds it", self.executable.display());
            return Err(Missing { why });
        }
        let control = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let mut command = command(&self.executable, place);
        command.arg("media-relay").env_clear();
        for (name, value) in [
            ("MEDIA_SHARDS", "1".to_owned()),
            ("MEDIA_ADDR", place.address.to_string()),
            ("RELAY_CONTROL_ADDR", control.to_string()),
            ("RELAY_KEY", KEY.to_owned()),
            ("RUST_LOG", "info".to_owned()),
        ] {
            command.env(name, value);
        }
        let mut process = ServerProcess::start(command, place)?;
        process.listens(control.port()).await?;
        let client = connect(control, KEY).await?;
        Ok(Box::new(Running { process: Some(process), client }))
    }
}

/// A relay that runs already, in whatever process: it can be joined, and goes on when it is stopped here.
///
/// # Errors
/// When it cannot be reached or refuses the key.
pub async fn running(control: SocketAddr, key: &str) -> anyhow::Result<Box<dyn Server>> {
    Ok(Box::new(Running { process: None, client: connect(control, key).await? }))
}

async fn connect(control: SocketAddr, key: &str) -> anyhow::Result<RelayClient> {
    Ok(RelayClient::connect(&format!("ws://{control}/relay"), &Redacted::new(key.to_owned())).await?)
}

struct Running {
    process: Option<ServerProcess>,
    client: RelayClient,
}

#[async_trait]
impl Server for Running {
    fn processes(&self) -> Vec<u32> {
        self.process.iter().map(ServerProcess::id).collect()
    }

    async fn join(&self, seat: &Seat, peers: &PeerFactory) -> anyhow::Result<Vec<Peer>> {
        let (offer, pending) = peers.offer(seat, seat.receives)?;
        let command = RelayCommand::Join {
            room: room(seat),
            epoch: Epoch(1),
            participant: participant(seat),
            connection: Connection(1),
            offer: Redacted::new(offer),
        };
        match self.client.request(command).await? {
            RelayOutcome::Joined { answer } => Ok(vec![pending.answered(answer.expose())?]),
            RelayOutcome::Refused { code, message } => bail!("the relay refuses ({code:?}): {message}"),
            RelayOutcome::Done {} | RelayOutcome::Ice { .. } => bail!("the relay gives no answer"),
        }
    }

    async fn leave(&self, seat: &Seat) -> anyhow::Result<()> {
        let (room, participant) = (room(seat), participant(seat));
        self.client.request(RelayCommand::Leave { room, participant, connection: Connection(1) }).await?;
        Ok(())
    }

    async fn stop(self: Box<Self>) {
        let Self { process, client } = *self;
        drop(client);
        if let Some(process) = process {
            process.stop().await;
        }
    }
}

fn room(seat: &Seat) -> RoomId {
    RoomId(Uuid::from_u128(u128::from(seat.room) + 1))
}

fn participant(seat: &Seat) -> ParticipantId {
    ParticipantId(Uuid::from_u128((u128::from(seat.room) + 1) << 64 | u128::from(seat.participant)))
}
