//! Who would come sooner: a freed time is offered to one after the other, in the order in which they were added.
//!
//! An offer holds the time. It becomes the appointment of the same id, or falls through and the next one is asked.

mod chain;
mod link;
mod offers;
mod tell;

pub use chain::pass_on;
pub(crate) use chain::{Freed, freed};
pub use link::{offer_link, open_offer};
pub use offers::{AcceptOfferError, DeclineOfferError, accept_offer, decline_offer, offer};
pub use tell::tell;

use crate::{
    events::{self, EventKind},
    patients::is_text,
    tables,
    views::{PatientView, PractitionerView, VisitTypeName},
};
use domain::{
    Actor, Clock, PatientId, PractitionerId, Random, VisitTypeId, WaitlistEntryId, WaitlistOfferId, WaitlistOfferState,
    Who,
};
use jiff::{Timestamp, civil::Date};
use service::{
    audit::{self, AuditEvent},
    postgres::Db,
};

/// The most who wait in one clinic: beyond it nobody at the end is ever asked.
pub const MAX_WAITING: i64 = 500;

/// Who would come, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitlistRequest {
    /// Who.
    pub patient: PatientId,
    /// For what kind of visit.
    pub visit_type: VisitTypeId,
    /// With whom; `None` for anybody who offers it.
    pub practitioner: Option<PractitionerId>,
    /// The first day.
    pub from_date: Date,
    /// The last day.
    pub to_date: Date,
    /// The visit begins so many minutes after midnight of the clinic's wall clock at the earliest.
    pub from_minute: i16,
    /// The visit ends so many minutes after midnight at the latest; 1440 is the midnight that ends the day.
    pub to_minute: i16,
    /// For the desk.
    pub note: String,
}

/// Why somebody was not put on the waitlist.
#[derive(Debug, thiserror::Error)]
pub enum AddToWaitlistError {
    /// Not a patient of this clinic.
    #[error("there is no such patient")]
    NoSuchPatient,
    /// Nobody offers this type of visit, or the practitioner does not.
    #[error("the practitioner does not offer this type of visit")]
    NotOffered,
    /// The last day lies before the first, or has passed; or the time of day has no room for the visit.
    #[error("there is no time between these days and times of day")]
    NoTime,
    /// The note is longer than 500 characters, or no text.
    #[error("a note has at most 500 characters of text")]
    NoteTooLong,
    /// [`MAX_WAITING`] wait already.
    #[error("the waitlist is full")]
    Full,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Somebody who waits.
#[derive(Clone)]
pub struct WaitlistEntryView {
    /// Which.
    pub id: WaitlistEntryId,
    /// Who.
    pub patient: PatientView,
    /// For what kind of visit.
    pub visit_type: VisitTypeName,
    /// With whom; `None` for anybody who offers it.
    pub practitioner: Option<PractitionerView>,
    /// The first day.
    pub from_date: Date,
    /// The last day.
    pub to_date: Date,
    /// Minutes after midnight, see [`WaitlistRequest`].
    pub from_minute: i16,
    /// Minutes after midnight, see [`WaitlistRequest`].
    pub to_minute: i16,
    /// For the desk.
    pub note: String,
    /// Since when they wait.
    pub added_at: Timestamp,
    /// What they were offered, newest first.
    pub offers: Vec<WaitlistOfferView>,
}

/// A freed time that was offered to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitlistOfferView {
    /// Which; the appointment that it becomes has the same id.
    pub id: WaitlistOfferId,
    /// With whom.
    pub practitioner: PractitionerView,
    /// What kind of visit, by name.
    pub visit_type: String,
    /// When the visit begins.
    pub starts_at: Timestamp,
    /// When the visit ends.
    pub ends_at: Timestamp,
    /// What became of it.
    pub state: WaitlistOfferState,
    /// Since when the time is held.
    pub offered_at: Timestamp,
    /// Until when the time is held.
    pub expires_at: Timestamp,
    /// It may still be accepted, by the database's clock.
    pub is_open: bool,
}

/// Puts somebody at the end of the waitlist.
pub async fn add_to_waitlist(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    by: &Actor,
    new: WaitlistRequest,
) -> Result<WaitlistEntryId, AddToWaitlistError> {
    if matches!(by.who, Who::Patient { .. }) {
        return Err(AddToWaitlistError::NoSuchPatient);
    }
    if new.note.trim().chars().count() > 500 || !is_text(new.note.trim()) {
        return Err(AddToWaitlistError::NoteTooLong);
    }
    let now = clock.now();
    let mut tx = db.begin(by).await?;
    if tables::patients::find(&mut tx, by.clinic, new.patient).await?.is_none() {
        return Err(AddToWaitlistError::NoSuchPatient);
    }
    let visit_type = tables::visit_types::find(&mut tx, by.clinic, new.visit_type).await?;
    let visit_type = visit_type.ok_or(AddToWaitlistError::NotOffered)?;
    if new.practitioner.is_some_and(|id| !visit_type.practitioners.contains(&id)) {
        return Err(AddToWaitlistError::NotOffered);
    }
    let today = now.to_zoned(tables::clinics::get(&mut tx, by.clinic).await?.zone).date();
    let is_within_a_day = 0 <= new.from_minute && new.to_minute <= 1440;
    let has_room = is_within_a_day && new.to_minute - new.from_minute >= visit_type.minutes;
    if new.to_date < new.from_date || new.to_date < today || !has_room {
        return Err(AddToWaitlistError::NoTime);
    }
    if tables::waitlist_entries::count(&mut tx, by.clinic).await? >= MAX_WAITING {
        return Err(AddToWaitlistError::Full);
    }
    let id = WaitlistEntryId(random.uuid());
    tables::waitlist_entries::add(&mut tx, by.clinic, id, &new, now).await?;
    audit::record(&mut tx, by, AuditEvent::new("waitlist.joined").patient(new.patient)).await?;
    events::record_waitlist(&mut tx, by, EventKind::WaitlistAdded, id, None).await?;
    tx.commit().await?;
    Ok(id)
}

/// Who waits, in order, with what they were offered. Nothing for a patient.
pub async fn waitlist(db: &Db, by: &Actor) -> Result<Vec<WaitlistEntryView>, sqlx::Error> {
    if matches!(by.who, Who::Patient { .. }) {
        return Ok(Vec::new());
    }
    let mut tx = db.begin(by).await?;
    let mut entries = tables::waitlist_entries::list(&mut tx, by.clinic).await?;
    for (entry, offer) in tables::waitlist_offers::of_waiting(&mut tx, by.clinic).await? {
        if let Some(entry) = entries.iter_mut().find(|one| one.id == entry) {
            entry.offers.push(offer);
        }
    }
    Ok(entries)
}

/// Takes somebody off the waitlist; whether they waited. What they were offered goes to the next.
pub async fn withdraw_from_waitlist(
    db: &Db,
    clock: &dyn Clock,
    by: &Actor,
    id: WaitlistEntryId,
) -> Result<bool, sqlx::Error> {
    if matches!(by.who, Who::Patient { .. }) {
        return Ok(false);
    }
    loop {
        let mut tx = db.begin(by).await?;
        let before = tables::waitlist_offers::open_of(&mut tx, by.clinic, id).await?;
        if let Some((offer, practitioner)) = before {
            chain::close(&mut tx, clock.now(), by, offer, practitioner, WaitlistOfferState::Withdrawn).await?;
        }
        let Some(entry) = tables::waitlist_entries::lock(&mut tx, by.clinic, id).await? else {
            return Ok(false);
        };
        // An offer that was made while this one waited for the row must be taken back first, its practitioner's locks before the row.
        if tables::waitlist_offers::open_of(&mut tx, by.clinic, id).await?.is_some() {
            continue;
        }
        tables::waitlist_entries::end(&mut tx, by.clinic, id, None).await?;
        audit::record(&mut tx, by, AuditEvent::new("waitlist.left").patient(entry.patient)).await?;
        events::record_waitlist(&mut tx, by, EventKind::WaitlistWithdrawn, id, None).await?;
        tx.commit().await?;
        return Ok(true);
    }
}
