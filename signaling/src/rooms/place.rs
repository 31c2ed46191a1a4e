//! Where the room lives: finding it, placing it, and noticing that it moved.

use super::{Refusal, keeper::Keeper};
use crate::{
    placement::{Placement, choose},
    relays::RelayLink,
    room::RelayView,
};
use domain::signal::{ErrorCode, ServerMessage};
use service::bus::{Happening, RedisAway, Topic};

impl Keeper {
    /// Where the room lives; it is placed on a relay if it lives nowhere.
    pub(super) async fn place(&mut self) -> Result<(Placement, RelayLink), Refusal> {
        if self.placed.as_ref().is_some_and(|(_, link)| link.is_lost()) {
            self.relay_lost();
        }
        let stored = self.node.directory.placement(self.room).await;
        if let Some(found) = self.believe(stored).await {
            return Ok(found);
        }
        self.place_anew(stored.unwrap_or_default()).await
    }

    /// Where the room lives, if it does.
    pub(super) async fn find(&mut self) -> Option<(Placement, RelayLink)> {
        let stored = self.node.directory.placement(self.room).await;
        self.believe(stored).await
    }

    /// Looks whether another node moved the room, and says again in Redis where it is if Redis forgot.
    pub(super) async fn check_placement(&mut self) {
        let Some(mine) = self.placed.as_ref().map(|(placement, _)| *placement) else { return };
        match self.node.directory.placement(self.room).await {
            Ok(Some(stored)) if stored.epoch > mine.epoch => {
                self.adopt(stored).await;
            }
            Ok(stored) => {
                // Also renews its time to live. Who claimed in between is found at the next look.
                let _ = self.node.directory.claim(self.room, stored, mine).await;
            }
            Err(RedisAway) => {}
        }
    }

    /// The relay is gone, and with it everybody's media: they offer anew, and the first to do so places the room again.
    pub(super) fn relay_lost(&mut self) {
        let Some((_, link)) = self.placed.take() else { return };
        self.node.directory.lost(link.relay());
        self.news = None;
        self.view = RelayView::default();
        tracing::warn!(relay.id = %link.relay(), "the room lost its relay");
        self.restart_others(None);
    }

    /// A running room's placement is believed as long as its relay is alive. The higher epoch counts; what this node knows
    /// counts when Redis is away or was flushed.
    async fn believe(&mut self, stored: Result<Option<Placement>, RedisAway>) -> Option<(Placement, RelayLink)> {
        let mine = self.placed.as_ref().filter(|(_, link)| !link.is_lost());
        match (stored.unwrap_or_default(), mine) {
            (Some(stored), Some((placement, _))) if stored.epoch <= placement.epoch => self.placed.clone(),
            (Some(stored), _) => self.adopt(stored).await,
            (None, Some(_)) => self.placed.clone(),
            (None, None) => None,
        }
    }

    async fn place_anew(&mut self, seen: Option<Placement>) -> Result<(Placement, RelayLink), Refusal> {
        let relays = self.node.directory.live().await;
        let relay = choose(self.room, &relays).ok_or(ErrorCode::NoRelay)?;
        let epoch = scheduler::next_room_epoch(&self.node.db, &self.actor, self.encounter).await;
        let epoch = epoch.map_err(|_| ErrorCode::Unavailable)?.ok_or(ErrorCode::TokenRefused)?;
        let new = Placement { epoch, relay: relay.id };
        // Without Redis our own choice stands: every node would choose the same from the list it remembers.
        let standing = self.node.directory.claim(self.room, seen, new).await.unwrap_or(new);
        tracing::info!(relay.id = %standing.relay, epoch = standing.epoch.0, "placed the room");
        self.node.bus.publish(Topic::Room(self.room), Happening::Resync).await;
        self.adopt(standing).await.ok_or(ErrorCode::NoRelay)
    }

    /// Takes a placement for the room's, if its relay is alive. Who had joined elsewhere must come over.
    async fn adopt(&mut self, placement: Placement) -> Option<(Placement, RelayLink)> {
        let link = match self.node.relays.standing(placement.relay) {
            Some(link) => link,
            None => self.node.relays.link(&self.node.directory.relay(placement.relay).await?),
        };
        let is_new = self.placed.as_ref().is_none_or(|(known, _)| *known != placement);
        if is_new || self.news.is_none() {
            self.news = Some(link.watch(self.room));
            self.view = RelayView::default();
            self.placed = Some((placement, link.clone()));
            self.restart_others(Some(placement));
        }
        Some((placement, link))
    }

    /// Tells every socket whose media is not at `placement` to offer anew, once.
    fn restart_others(&mut self, placement: Option<Placement>) {
        for socket in self.sockets.values_mut() {
            if socket.joined.is_some() && socket.joined != placement.map(|placement| placement.epoch) {
                socket.joined = None;
                socket.outbox.send(ServerMessage::Restart {});
            }
        }
    }
}
