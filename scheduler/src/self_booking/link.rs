//! Two tokens that name a self-booking: the browser's cookie, in which the form is filled in, and the link in the message, which
//! confirms. Neither can stand in for the other, since the browser has not shown yet that the address is its owner's.
//!
//! Token = base64url(id, 16 bytes ‖ link version, 2 ‖ HMAC-SHA-256 of the purpose and both, first 16). The browser's has version 0.

use super::{SelfBookingView, actor};
use crate::tables;
use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Redacted, SelfBookingId};
use service::{keys::SelfBookingKey, postgres::Db};
use uuid::Uuid;

/// 128 bits cannot be guessed.
const TAG_BYTES: usize = 16;

const MESSAGE_BYTES: usize = 18;

#[derive(Clone, Copy)]
enum Purpose {
    Browser,
    Link,
}

/// What the browser keeps while its owner books.
pub fn browser_token(key: &SelfBookingKey, id: SelfBookingId) -> Redacted<String> {
    sign(key, Purpose::Browser, id, 0)
}

/// Which self-booking a browser's token names.
pub fn open_browser(key: &SelfBookingKey, token: &str) -> Option<SelfBookingId> {
    verify(key, Purpose::Browser, token).map(|(id, _)| id)
}

/// The path of the link that confirms.
pub(crate) fn link_path(key: &SelfBookingKey, id: SelfBookingId, version: i16) -> Redacted<String> {
    Redacted::new(format!("/bookings/{}", sign(key, Purpose::Link, id, version).expose()))
}

/// What the token of a link would confirm. Nothing is used up: mail scanners open links. `None` for anything but the newest link.
pub async fn open_link(db: &Db, key: &SelfBookingKey, token: &str) -> Result<Option<SelfBookingView>, sqlx::Error> {
    let Some((id, version)) = verify(key, Purpose::Link, token) else { return Ok(None) };
    let clinic = tables::self_bookings::find_clinic(&mut *db.anonymous().await?, id, version).await?;
    let Some(clinic) = clinic else { return Ok(None) };
    tables::self_bookings::find(&mut *db.begin(&actor(clinic)).await?, clinic, id).await
}

fn sign(key: &SelfBookingKey, purpose: Purpose, id: SelfBookingId, version: i16) -> Redacted<String> {
    let message = [id.0.as_bytes().as_slice(), &version.to_be_bytes()].concat();
    let tag = tag(key, purpose, &message);
    Redacted::new(URL_SAFE_NO_PAD.encode([message.as_slice(), &tag.as_ref()[..TAG_BYTES]].concat()))
}

fn verify(key: &SelfBookingKey, purpose: Purpose, token: &str) -> Option<(SelfBookingId, i16)> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let bytes: &[u8; MESSAGE_BYTES + TAG_BYTES] = bytes.as_slice().try_into().ok()?;
    let (message, given) = bytes.split_first_chunk::<MESSAGE_BYTES>()?;
    verify_slices_are_equal(&tag(key, purpose, message).as_ref()[..TAG_BYTES], given).ok()?;
    let (id, version) = message.split_first_chunk::<16>()?;
    Some((SelfBookingId(Uuid::from_bytes(*id)), i16::from_be_bytes(version.try_into().ok()?)))
}

fn tag(key: &SelfBookingKey, purpose: Purpose, message: &[u8]) -> hmac::Tag {
    let purpose: &[u8] = match purpose {
        Purpose::Browser => b"browser",
        Purpose::Link => b"link",
    };
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.expose()), &[purpose, message].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_of_the_browser_is_no_link_and_the_link_no_cookie() {
        let key = Redacted::new([7; 32]);
        let id = SelfBookingId(Uuid::from_u128(42));
        let (browser, link) = (browser_token(&key, id), sign(&key, Purpose::Link, id, 0));
        assert_eq!(verify(&key, Purpose::Browser, browser.expose()), Some((id, 0)));
        assert_eq!(verify(&key, Purpose::Link, link.expose()), Some((id, 0)));
        assert_eq!(verify(&key, Purpose::Link, browser.expose()), None);
        assert_eq!(verify(&key, Purpose::Browser, link.expose()), None);
    }

    #[test]
    fn a_changed_token_names_nothing() {
        let key = Redacted::new([7; 32]);
        let token = sign(&key, Purpose::Link, SelfBookingId(Uuid::from_u128(42)), 3).into_inner();
        assert_eq!(verify(&Redacted::new([8; 32]), Purpose::Link, &token), None);
        for position in 0..token.len() {
            let mut forged = token.clone();
            let other = if &token[position..=position] == "A" { "B" } else { "A" };
            forged.replace_range(position..=position, other);
            assert_eq!(verify(&key, Purpose::Link, &forged), None, "changed at {position}");
        }
    }
}
