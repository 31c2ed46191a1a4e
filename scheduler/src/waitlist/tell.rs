//! Patients are told what they are offered.

use super::offer_link;
use crate::{
    messages::{self, MessageKind, Notice, addresses},
    tables,
};
use domain::{Actor, Clock};
use service::{keys::OfferLinkKey, postgres::Db};

/// The most offers that one round tells of, so that it stays short.
const BATCH: i64 = 100;

/// Puts a message with the link into the outbox for each new offer; says how many, at most a hundred. Each offer is told once.
///
/// The step that frees a time has no key at hand, hence a round of its own soon after. Whoever has neither e-mail nor phone is
/// rung by the desk, which sees the offer on the waitlist.
pub async fn tell(db: &Db, clock: &dyn Clock, key: &OfferLinkKey, by: &Actor) -> Result<usize, sqlx::Error> {
    let mut tx = db.begin(by).await?;
    let untold = tables::waitlist_offers::take_untold(&mut tx, by.clinic, BATCH).await?;
    for offer in &untold {
        let Some(patient) = tables::patients::find(&mut tx, by.clinic, offer.patient).await? else {
            continue;
        };
        let notice = Notice {
            kind: MessageKind::WaitlistOffer,
            path: &format!("/offer/{}", offer_link(key, offer.id).expose()),
            about: Some(offer.starts_at.to_jiff()),
            expires_at: offer.expires_at.to_jiff(),
        };
        messages::notify(&mut tx, by.clinic, clock.now(), &addresses(&patient), &notice).await?;
    }
    tx.commit().await?;
    Ok(untold.len())
}
