//! Words of the media plane shared by browser, signaling and relay.

use crate::Redacted;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How many people may be in one room: a practitioner, a patient, an interpreter, a relative, a student.
pub const MAX_PARTICIPANTS: usize = 5;

/// How many slots of each kind a participant offers to receive in: everybody else in a full room.
pub const SLOTS: usize = MAX_PARTICIPANTS - 1;

/// The largest session description accepted, in bytes. A browser's offer with all slots is about 20 kB.
pub const MAX_SDP_BYTES: usize = 64 * 1024;

/// A session description (RFC 8866). It holds addresses and keys' fingerprints, so it never prints.
pub type Sdp = Redacted<String>;

/// Names one media section of a session description (RFC 5888 `a=mid`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mid(pub String);

impl fmt::Display for Mid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Sound or picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// Sound.
    Audio,
    /// Picture.
    Video,
}

/// What a participant says of themselves; the others' pages show it. It steers no packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParticipantStatus {
    /// The microphone is on.
    pub microphone: bool,
    /// The camera is on.
    pub camera: bool,
    /// How their own page judges their connection.
    pub link: LinkQuality,
}

impl Default for ParticipantStatus {
    fn default() -> Self {
        Self { microphone: true, camera: true, link: LinkQuality::Unknown }
    }
}

/// How well somebody's connection carries the visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkQuality {
    /// Not measured yet.
    #[default]
    Unknown,
    /// Nothing to notice.
    Good,
    /// Picture or sound may suffer.
    Weak,
    /// Nothing arrives.
    Lost,
}
