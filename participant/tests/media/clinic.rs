//! A relay of its own for each test, and people who come into its rooms.

use domain::{
    ParticipantId, Random, Redacted, RoomId,
    relay::{Connection, Epoch, RelayCommand, RelayOutcome},
};
use media_relay::{Relay, RelayConfig, RelayHandle, RelayStats};
use participant::{JoinError, Participant, Publishing, RelayClient, RoomState, Seat, Tally};
use service::random::SystemRandom;
use std::{sync::Arc, time::Duration};
use tokio::time::{interval, timeout};

/// Far longer than anything takes on an idle machine; a test that fails waits so long, one that succeeds never does.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A relay, and signaling's socket to it.
pub struct Clinic {
    pub relay: RelayHandle,
    pub signaling: RelayClient,
    pub room: RoomId,
}

impl Clinic {
    /// Opens with one empty room in mind.
    pub async fn opens() -> Self {
        Self::opens_with(|_| {}).await
    }

    /// Opens with a relay that is set up otherwise.
    pub async fn opens_with(change: impl FnOnce(&mut RelayConfig)) -> Self {
        let key = Redacted::new("a key that only tests know".to_owned());
        let mut config = RelayConfig::local(key.clone());
        change(&mut config);
        let relay = Relay::start(config, Arc::new(SystemRandom)).await.expect("a relay starts");
        let url = format!("ws://{}/relay", relay.control_addr);
        let signaling = RelayClient::connect(&url, &key).await.expect("the relay takes its key");
        Self { relay, signaling, room: RoomId(SystemRandom.uuid()) }
    }

    /// Whoever joins from now on joins another room.
    pub fn moves_to_another_room(&mut self) {
        self.room = RoomId(SystemRandom.uuid());
    }

    /// A place in the room for somebody new.
    pub fn seat(&self) -> Seat {
        let participant = ParticipantId(SystemRandom.uuid());
        Seat { room: self.room, epoch: Epoch(1), participant, connection: Connection(1) }
    }

    /// Somebody new joins with sound and picture.
    pub async fn joins(&self) -> Participant {
        self.joins_with(Publishing::default()).await
    }

    /// Somebody new joins and publishes what is said.
    pub async fn joins_with(&self, publishing: Publishing) -> Participant {
        self.tries_to_join(publishing).await.expect("the relay lets somebody in")
    }

    /// Somebody new asks to join.
    pub async fn tries_to_join(&self, publishing: Publishing) -> Result<Participant, JoinError> {
        Participant::at_relay(&self.signaling, self.seat(), publishing).await
    }

    /// Waits until signaling is told that the room is as `wanted`.
    pub async fn is_told(&self, wanted: impl FnMut(&RoomState) -> bool) -> RoomState {
        self.signaling.until_room(self.room, wanted, PATIENCE).await.expect("the room becomes as wanted")
    }

    /// Waits until the relay's counters are as `wanted`.
    ///
    /// Nothing tells when a counter changes, so that they are looked at again and again.
    pub async fn counts(&self, mut wanted: impl FnMut(&RelayStats) -> bool) -> RelayStats {
        let counted = async {
            let mut looks = interval(Duration::from_millis(5));
            loop {
                looks.tick().await;
                let stats = self.relay.stats();
                if wanted(&stats) {
                    return stats;
                }
            }
        };
        timeout(PATIENCE, counted).await.unwrap_or_else(|_| panic!("the relay counts {:#?}", self.relay.stats()))
    }

    /// Asks the relay something as signaling.
    pub async fn asks(&self, command: RelayCommand) -> RelayOutcome {
        self.signaling.request(command).await.expect("the relay answers")
    }

    /// A join of its own making: the answer to `offer`.
    pub async fn answers(&self, seat: Seat, offer: &str) -> String {
        let Seat { room, epoch, participant, connection } = seat;
        let offer = Redacted::new(offer.to_owned());
        match self.asks(RelayCommand::Join { room, epoch, participant, connection, offer }).await {
            RelayOutcome::Joined { answer } => answer.into_inner(),
            other => panic!("the relay says {other:?}"),
        }
    }
}

/// How many of a room are connected.
pub fn connected(room: &RoomState) -> usize {
    room.participants.iter().filter(|participant| participant.connected).count()
}

/// What tests ask of a participant.
pub trait Sees {
    /// Waits for the tally.
    async fn sees(&self, wanted: impl FnMut(&Tally) -> bool) -> Tally;
}

impl Sees for Participant {
    async fn sees(&self, wanted: impl FnMut(&Tally) -> bool) -> Tally {
        match self.until(wanted, PATIENCE).await {
            Ok(tally) => tally,
            Err(not_seen) => panic!("{not_seen}"),
        }
    }
}
