//! What stands in the links of patients: it names something, and is signed so that it cannot be guessed. It can be made again at any
//! time, so the database keeps nothing that would open a link.
//!
//! Token = base64url(message ‖ HMAC-SHA-256 of purpose and message, first 16 bytes).

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Redacted;
use uuid::Uuid;

/// 128 bits cannot be guessed, and keep a link short enough to be read out.
const TAG_BYTES: usize = 16;

/// What signs one kind of link.
type Key = Redacted<[u8; 32]>;

/// The token of a message. Kinds of token that share a key differ in their purpose.
pub(crate) fn sign(key: &Key, purpose: &[u8], message: &[u8]) -> Redacted<String> {
    Redacted::new(URL_SAFE_NO_PAD.encode([message, &tag(key, purpose, message)].concat()))
}

/// The message of `N` bytes that a token carries; `None` for anything but one that was signed so.
pub(crate) fn verify<const N: usize>(key: &Key, purpose: &[u8], token: &str) -> Option<[u8; N]> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (message, given) = bytes.split_last_chunk::<TAG_BYTES>()?;
    let message: [u8; N] = message.try_into().ok()?;
    verify_slices_are_equal(&tag(key, purpose, &message), given).ok()?;
    Some(message)
}

/// An id and the version of its link as a message.
pub(crate) fn versioned(id: Uuid, version: i16) -> [u8; 18] {
    let mut message = [0; 18];
    message[..16].copy_from_slice(id.as_bytes());
    message[16..].copy_from_slice(&version.to_be_bytes());
    message
}

/// The id and the version that such a message holds.
pub(crate) fn read_versioned(message: [u8; 18]) -> (Uuid, i16) {
    let [id @ .., high, low] = message;
    (Uuid::from_bytes(id), i16::from_be_bytes([high, low]))
}

fn tag(key: &Key, purpose: &[u8], message: &[u8]) -> [u8; TAG_BYTES] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.expose()), &[purpose, message].concat());
    let mut first = [0; TAG_BYTES];
    first.copy_from_slice(&tag.as_ref()[..TAG_BYTES]);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(42);

    #[test]
    fn a_token_carries_its_message_and_one_that_was_changed_nothing() {
        let key = Redacted::new([7; 32]);
        let token = sign(&key, b"", &versioned(ID, 3)).into_inner();
        assert_eq!(verify(&key, b"", &token).map(read_versioned), Some((ID, 3)));
        assert_eq!(verify::<18>(&Redacted::new([8; 32]), b"", &token), None);
        assert_eq!(verify::<18>(&key, b"another purpose", &token), None);
        for position in 0..token.len() {
            let mut forged = token.clone();
            let other = if &token[position..=position] == "A" { "B" } else { "A" };
            forged.replace_range(position..=position, other);
            assert_eq!(verify::<18>(&key, b"", &forged), None, "changed at {position}");
        }
        for wrong in ["", "AAAA", "not base64", &token[1..]] {
            assert_eq!(verify::<18>(&key, b"", wrong), None);
        }
        assert_eq!(verify::<16>(&key, b"", &token), None, "of another length");
    }
}
