//! What a join token says: who may enter which room, once, and until when to connect.

use crate::{ClinicId, EncounterId, ParticipantId, RoomId};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

/// How long a join token may be used to connect.
///
/// A page asks for one just before it connects; a minute covers a slow phone and is useless to who finds it later.
pub const JOIN_TOKEN_LIFETIME: Duration = Duration::from_secs(60);

/// The `typ` of a join token's header (RFC 8725 §3.11), so that no other JWT of ours is taken for one.
pub const JOIN_TOKEN_TYPE: &str = "bedside-join+jwt";

/// The claims of a join token (RFC 7519). An upper bound: the database still decides whether the encounter is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JoinClaims {
    /// Who made it: always `bedside`.
    pub iss: String,
    /// Whom it is for: always `signaling`.
    pub aud: String,
    /// When it was made, seconds since the epoch.
    pub iat: i64,
    /// When it ceases to be accepted, seconds since the epoch.
    pub exp: i64,
    /// Its own id; each is accepted once.
    pub jti: Uuid,
    /// The clinic on whose rows the bearer acts.
    pub clinic: ClinicId,
    /// The encounter that the room belongs to.
    pub encounter: EncounterId,
    /// The room it opens.
    pub room: RoomId,
    /// The participant it makes of its bearer.
    pub participant: ParticipantId,
}
