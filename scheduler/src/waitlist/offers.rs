//! An offer is read, accepted or declined: by its patient through the link, or by the desk for them.

use super::{WaitlistOfferView, chain::close};
use crate::{
    availability,
    book::{BookError, BookRequest, Plan, booked, place},
    events::{self, EventKind},
    messages::{self, News},
    reserve::{self, Wish},
    tables::{self, waitlist_offers::Offer},
};
use domain::{Actor, AppointmentId, Clock, Source, WaitlistOfferId, WaitlistOfferState, Who};
use jiff::{SignedDuration, Timestamp};
use service::{
    audit::{self, AuditEvent},
    postgres::{Db, commit_together},
};
use sqlx::PgConnection;

/// Why an offer was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptOfferError {
    /// Not an offer of this clinic, or another patient's.
    #[error("there is no such offer")]
    NotFound,
    /// It was answered, or its time is over: somebody else has been asked.
    #[error("the time is not offered any more")]
    Over,
    /// The patient has another appointment then.
    #[error("the patient has another appointment at that time")]
    PatientBusy,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Why an offer was not declined.
#[derive(Debug, thiserror::Error)]
pub enum DeclineOfferError {
    /// Not an offer of this clinic, or another patient's.
    #[error("there is no such offer")]
    NotFound,
    /// It was answered, or its time is over.
    #[error("the time is not offered any more")]
    Over,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// An offer as its page shows it. `None` when it is not there, or is another clinic's or another patient's.
pub async fn offer(db: &Db, by: &Actor, id: WaitlistOfferId) -> Result<Option<WaitlistOfferView>, sqlx::Error> {
    if !may_answer(by, id) {
        return Ok(None);
    }
    tables::waitlist_offers::view(&mut *db.begin(by).await?, by.clinic, id).await
}

/// Books the time that is held. Accepting again gives the same appointment: a button is pressed twice.
pub async fn accept_offer(
    db: &Db,
    clock: &dyn Clock,
    by: &Actor,
    id: WaitlistOfferId,
) -> Result<AppointmentId, AcceptOfferError> {
    if !may_answer(by, id) {
        return Err(AcceptOfferError::NotFound);
    }
    let now = clock.now();
    let appointment = AppointmentId(id.0);
    let mut tx = db.begin(by).await?;
    let offer = tables::waitlist_offers::find(&mut tx, by.clinic, id).await?.ok_or(AcceptOfferError::NotFound)?;
    let plan = plan(&mut tx, by, &offer).await?;
    reserve::lock(&mut tx, [&plan.wish]).await?;
    let offer = tables::waitlist_offers::lock(&mut tx, by.clinic, id).await?.ok_or(AcceptOfferError::NotFound)?;
    match offer.state {
        WaitlistOfferState::Accepted => return Ok(appointment),
        WaitlistOfferState::Open if !offer.is_over && now < offer.starts_at.to_jiff() => {}
        _ => return Err(AcceptOfferError::Over),
    }
    let entry = tables::waitlist_entries::lock(&mut tx, by.clinic, offer.entry).await?.ok_or(AcceptOfferError::Over)?;
    let visit = BookRequest {
        hold: offer.hold,
        source: Source::Waitlist,
        ..BookRequest::new(offer.patient, offer.practitioner, offer.visit_type, offer.starts_at.to_jiff())
    };
    let lane = place(&mut tx, by, appointment, &visit, &plan, now).await?;
    tables::waitlist_offers::end(&mut tx, by.clinic, id, WaitlistOfferState::Accepted).await?;
    tables::waitlist_entries::end(&mut tx, by.clinic, entry.id, Some(appointment)).await?;
    messages::plan(&mut tx, by.clinic, now, appointment, News::Booked).await?;
    let event = AuditEvent::new("offer.accepted").appointment(appointment).patient(offer.patient);
    audit::record(&mut tx, by, event).await?;
    audit::record(&mut tx, by, booked(appointment, &visit, lane)).await?;
    events::record(&mut tx, by, EventKind::Booked, appointment).await?;
    events::record_waitlist(&mut tx, by, EventKind::WaitlistAccepted, entry.id, Some(id)).await?;
    commit_together(tx).await?;
    Ok(appointment)
}

/// Lets an offered time go to the next. The patient waits on.
pub async fn decline_offer(
    db: &Db,
    clock: &dyn Clock,
    by: &Actor,
    id: WaitlistOfferId,
) -> Result<(), DeclineOfferError> {
    if !may_answer(by, id) {
        return Err(DeclineOfferError::NotFound);
    }
    let mut tx = db.begin(by).await?;
    let offer = tables::waitlist_offers::find(&mut tx, by.clinic, id).await?.ok_or(DeclineOfferError::NotFound)?;
    if !close(&mut tx, clock.now(), by, id, offer.practitioner, WaitlistOfferState::Declined).await? {
        return Err(DeclineOfferError::Over);
    }
    commit_together(tx).await?;
    Ok(())
}

/// Patients come by the link of one offer, and answer that one.
fn may_answer(by: &Actor, id: WaitlistOfferId) -> bool {
    match by.who {
        Who::Patient { appointment, .. } => appointment.0 == id.0,
        Who::Account { .. } | Who::ApiToken { .. } | Who::Service(_) => true,
    }
}

/// What was offered, whatever has become of the schedule: an offer is kept.
async fn plan(connection: &mut PgConnection, by: &Actor, offer: &Offer) -> Result<Plan, sqlx::Error> {
    let zone = tables::clinics::get(connection, by.clinic).await?.zone;
    let (starts_at, ends_at): (Timestamp, Timestamp) = (offer.starts_at.to_jiff(), offer.ends_at.to_jiff());
    let visit_type = tables::visit_types::find(connection, by.clinic, offer.visit_type).await?;
    let buffered = visit_type.map_or((starts_at, ends_at), |one| {
        let after = SignedDuration::from_mins(one.buffer_after_minutes.into());
        (one.occupies(starts_at).0, ends_at + after)
    });
    let wish = Wish {
        practitioner: offer.practitioner,
        patient: Some(offer.patient),
        visit: (starts_at, ends_at),
        buffered,
        interpreters: None,
        room: None,
        device: None,
        may_overbook: false,
    };
    let wall_time = starts_at.to_zoned(zone.clone()).datetime();
    Ok(Plan { wish, wall_time, zone: availability::zone_name(&zone).to_owned(), series: None })
}

impl From<BookError> for AcceptOfferError {
    fn from(refusal: BookError) -> Self {
        match refusal {
            BookError::PatientBusy => Self::PatientBusy,
            BookError::Database(error) => Self::Database(error),
            // The hold is gone, or a rule that grew since then takes more time than was held.
            _ => Self::Over,
        }
    }
}
