//! Two tokens that name a self-booking: the browser's cookie, in which the form is filled in, and the link in the message, which
//! confirms. Neither can stand in for the other, since the browser has not shown yet that the address is its owner's.
//!
//! Each names the id and the version of its link, see [`signed_link`]. The browser's has version 0.

use super::{SelfBookingView, actor};
use crate::{
    signed_link::{self, read_versioned, versioned},
    tables,
};
use domain::{Redacted, SelfBookingId};
use service::{keys::SelfBookingKey, postgres::Db};

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
    let clinic = tables::self_bookings::find_clinic(&mut *db.door().await?, id, version).await?;
    let Some(clinic) = clinic else { return Ok(None) };
    tables::self_bookings::find(&mut *db.begin(&actor(clinic)).await?, clinic, id).await
}

fn sign(key: &SelfBookingKey, purpose: Purpose, id: SelfBookingId, version: i16) -> Redacted<String> {
    signed_link::sign(key, purpose.words(), &versioned(id.0, version))
}

fn verify(key: &SelfBookingKey, purpose: Purpose, token: &str) -> Option<(SelfBookingId, i16)> {
    let (id, version) = signed_link::verify(key, purpose.words(), token).map(read_versioned)?;
    Some((SelfBookingId(id), version))
}

impl Purpose {
    const fn words(self) -> &'static [u8] {
        match self {
            Self::Browser => b"browser",
            Self::Link => b"link",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

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
}
