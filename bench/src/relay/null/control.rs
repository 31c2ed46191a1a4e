//! What the null relay is told on its standard input, one JSON object a line, and what it answers.

use anyhow::{Context as _, ensure};
use media_relay::srtp::KEYING_MATERIAL_BYTES;
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
        /// Keys of both directions, as DTLS would have exported them with the relay as its server: 56 bytes in hexadecimal.
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
}

/// What the null relay says, one line for each command and one before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It listens on this port.
    Listens(u16),
    /// The command is carried out.
    Done,
}

/// The bytes that 112 hexadecimal digits stand for.
pub fn keys_of(text: &str) -> anyhow::Result<[u8; KEYING_MATERIAL_BYTES]> {
    ensure!(text.len() == 2 * KEYING_MATERIAL_BYTES && text.is_ascii(), "keys are {KEYING_MATERIAL_BYTES} bytes");
    let mut keys = [0; KEYING_MATERIAL_BYTES];
    for (key, at) in keys.iter_mut().zip((0..text.len()).step_by(2)) {
        *key = u8::from_str_radix(&text[at..at + 2], 16).context("keys are hexadecimal")?;
    }
    Ok(keys)
}

/// The other way round.
pub fn text_of(keys: &[u8; KEYING_MATERIAL_BYTES]) -> String {
    keys.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_the_way_through_text_and_anything_else_is_refused() {
        let keys = std::array::from_fn(|n| n as u8 * 3);
        assert_eq!(keys_of(&text_of(&keys)).unwrap(), keys);
        for wrong in ["", "00", &"g".repeat(112), &"é".repeat(56)] {
            assert!(keys_of(wrong).is_err(), "{wrong}");
        }
    }
}
