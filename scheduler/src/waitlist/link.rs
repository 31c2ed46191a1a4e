//! The link of an offer names it, see [`signed_link`](crate::signed_link); as the visit link does, with a key of its own.

use crate::{
    signed_link::{sign, verify},
    tables,
};
use domain::{Actor, AppointmentId, Redacted, WaitlistOfferId, Who};
use service::{keys::OfferLinkKey, postgres::Db};
use uuid::Uuid;

/// The token in the link of an offer.
pub fn offer_link(key: &OfferLinkKey, id: WaitlistOfferId) -> Redacted<String> {
    sign(key, b"", id.0.as_bytes())
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
    let Some(id) = verify(key, b"", token).map(Uuid::from_bytes).map(WaitlistOfferId) else {
        return Ok(None);
    };
    let found = tables::waitlist_offers::find_link(&mut *db.door().await?, id).await?;
    let appointment = AppointmentId(id.0);
    Ok(found.map(|(clinic, patient)| (Actor { clinic, who: Who::Patient { id: patient, appointment } }, id)))
}
