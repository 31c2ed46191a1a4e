//! What the null relay is told on its standard input, one JSON object a line, and what it answers.

use crate::relay::peer::keys::Material;
use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// What the null relay is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Somebody is there from now on, or is there with other keys.
    Add {
        /// The number that stands for them.
        seat: usize,
        /// From where they send, and where they receive.
        remote: SocketAddr,
        /// Keys of both directions, as DTLS would have exported them with the relay as its server, in hexadecimal.
        keys: String,
    },
    /// To whom the packets of `seat` go; nobody at first.
    Forward {
        /// Who sends.
        seat: usize,
        /// Who receives.
        to: Vec<usize>,
    },
    /// Somebody is not there any more.
    Remove {
        /// Who.
        seat: usize,
    },
    /// What it has done so far is asked for.
    Count,
}

/// What it has done since it began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Looks for what has come (`epoll_wait`).
    pub polls: u64,
    /// Batches asked for (`recvmmsg`), in vain or not.
    pub receives: u64,
    /// Messages that came, each of one datagram or of several that the kernel joined.
    pub messages: u64,
    /// Their bytes.
    pub message_bytes: u64,
    /// Packets that were opened.
    pub opened: u64,
    /// Their bytes, as they came.
    pub opened_bytes: u64,
    /// Packets that were sealed.
    pub sealed: u64,
    /// Their bytes, as they went.
    pub sealed_bytes: u64,
    /// Calls that sent one datagram (`sendmsg`).
    pub singles: u64,
    /// Their bytes.
    pub single_bytes: u64,
    /// Calls that sent several (`sendmsg` with `UDP_SEGMENT`).
    pub bursts: u64,
    /// The datagrams of those.
    pub burst_datagrams: u64,
}

impl Counts {
    /// What was done since `earlier`.
    #[must_use]
    pub const fn since(&self, earlier: &Self) -> Self {
        Self {
            polls: self.polls - earlier.polls,
            receives: self.receives - earlier.receives,
            messages: self.messages - earlier.messages,
            message_bytes: self.message_bytes - earlier.message_bytes,
            opened: self.opened - earlier.opened,
            opened_bytes: self.opened_bytes - earlier.opened_bytes,
            sealed: self.sealed - earlier.sealed,
            sealed_bytes: self.sealed_bytes - earlier.sealed_bytes,
            singles: self.singles - earlier.singles,
            single_bytes: self.single_bytes - earlier.single_bytes,
            bursts: self.bursts - earlier.bursts,
            burst_datagrams: self.burst_datagrams - earlier.burst_datagrams,
        }
    }
}

/// What the null relay says, one line for each command and one before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It listens on this port.
    Listens(u16),
    /// The command is carried out.
    Done,
    /// What it has done so far.
    Counts(Counts),
}

/// The keys that hexadecimal digits stand for.
pub fn keys_of(text: &str) -> anyhow::Result<Material> {
    ensure!(text.is_ascii() && text.len().is_multiple_of(2), "keys are hexadecimal");
    let bytes = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16));
    Material::of(&bytes.collect::<Result<Vec<u8>, _>>().context("keys are hexadecimal")?)
}

/// The other way round.
pub fn text_of(keys: &Material) -> String {
    keys.bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_the_way_through_text_and_anything_else_is_refused() {
        for length in [56, 60] {
            let keys = Material::of(&(0..length).collect::<Vec<u8>>()).unwrap();
            assert!(keys_of(&text_of(&keys)).unwrap() == keys);
        }
        for wrong in ["", "00", &"g".repeat(112), &"é".repeat(56)] {
            assert!(keys_of(wrong).is_err(), "{wrong}");
        }
    }
}
