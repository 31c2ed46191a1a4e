//! Who is in the consultation, written down: what is known of a visit afterwards, and what a missed one is decided from.

use super::{SocketId, keeper::Keeper};
use domain::ParticipantId;
use std::time::Duration;

/// How often it is written that somebody is still there. An interval ends after two minutes of silence, so three may be lost.
pub(super) const PRESENT_EVERY: Duration = Duration::from_secs(30);

impl Keeper {
    /// Everybody with a socket here is in the consultation.
    pub(super) async fn write_presences(&self) {
        let present: Vec<_> = self.sockets.values().map(|socket| socket.participant).collect();
        self.write_present(&present).await;
    }

    /// Whoever has this socket is, or was until now, in the consultation.
    pub(super) async fn write_presence_of(&self, socket: SocketId) {
        if let Some(socket) = self.sockets.get(&socket) {
            self.write_present(&[socket.participant]).await;
        }
    }

    async fn write_present(&self, participants: &[ParticipantId]) {
        let clock = &*self.node.clock;
        let written = scheduler::in_consultation(&self.node.db, clock, &self.actor, self.encounter, participants).await;
        if written.is_err() {
            // Nobody is put out of a consultation because Postgres is away; the next writing makes up for it.
            tracing::debug!("a presence was not written");
        }
    }
}
