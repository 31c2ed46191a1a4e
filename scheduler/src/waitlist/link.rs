//! The link of an offer: names it, and is signed so that it cannot be guessed. As the visit link is, with a key of its own.

use crate::tables;
use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Actor, AppointmentId, Redacted, WaitlistOfferId, Who};
use service::{keys::OfferLinkKey, postgres::Db};
use uuid::Uuid;

/// 128 bits cannot be guessed, and keep the link short.
const TAG_BYTES: usize = 16;

/// The token in the link of an offer: base64url(offer id, 16 bytes ‖ HMAC-SHA-256 of it, first 16).
pub fn offer_link(key: &OfferLinkKey, id: WaitlistOfferId) -> Redacted<String> {
    Redacted::new(URL_SAFE_NO_PAD.encode([id.0.as_bytes().as_slice(), &tag(key, id)].concat()))
}

/// Who may answer an offer by its link: the patient, who may act on the one appointment that it becomes. `None` for anything but
/// a good link.
///
/// Nothing is answered: mail scanners open links.
pub async fn open_offer(
    db: &Db,
    key: &OfferLinkKey,
    token: &str,
) -> Result<Option<(Actor, WaitlistOfferId)>, sqlx::Error> {
    let Some(id) = verify(key, token) else {
        return Ok(None);
    };
    let found = tables::waitlist_offers::find_link(&mut *db.anonymous().await?, id).await?;
    let appointment = AppointmentId(id.0);
    Ok(found.map(|(clinic, patient)| (Actor { clinic, who: Who::Patient { id: patient, appointment } }, id)))
}

fn verify(key: &OfferLinkKey, token: &str) -> Option<WaitlistOfferId> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let bytes: &[u8; 16 + TAG_BYTES] = bytes.as_slice().try_into().ok()?;
    let (id, given) = bytes.split_first_chunk::<16>()?;
    let id = WaitlistOfferId(Uuid::from_bytes(*id));
    verify_slices_are_equal(&tag(key, id), given).ok()?;
    Some(id)
}

fn tag(key: &OfferLinkKey, id: WaitlistOfferId) -> [u8; TAG_BYTES] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.expose()), id.0.as_bytes());
    let mut first = [0; TAG_BYTES];
    first.copy_from_slice(&tag.as_ref()[..TAG_BYTES]);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_names_its_offer_and_one_that_was_changed_names_none() {
        let key = Redacted::new([7; 32]);
        let id = WaitlistOfferId(Uuid::from_u128(42));
        let token = offer_link(&key, id).into_inner();
        assert_eq!(verify(&key, &token), Some(id));
        assert_eq!(verify(&Redacted::new([8; 32]), &token), None);
        for position in 0..token.len() {
            let mut forged = token.clone();
            let other = if &token[position..=position] == "A" { "B" } else { "A" };
            forged.replace_range(position..=position, other);
            assert_eq!(verify(&key, &forged), None, "changed at {position}");
        }
    }
}
