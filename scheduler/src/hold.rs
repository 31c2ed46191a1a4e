//! A time is kept while somebody fills in a form.

use crate::{
    availability::{self, Starts},
    book::BookError,
    reserve::{self, Wish},
    tables::{self, holds::New, reservations::Owner},
};
use domain::{Actor, Clock, HoldId, PatientId, PractitionerId, Random, VisitTypeId, Who};
use jiff::{SignedDuration, Timestamp};
use service::postgres::Db;

/// The most times of one clinic that are held at once: beyond it somebody is only holding.
pub const MAX_HOLDS: i64 = 500;

/// The longest a form is waited for.
pub const MAX_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// A hold is refused for the reasons for which a booking is.
pub type HoldError = BookError;

/// Which time to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldRequest {
    /// Of whom.
    pub practitioner: PractitionerId,
    /// For what kind of visit.
    pub visit_type: VisitTypeId,
    /// The start of a slot.
    pub starts_at: Timestamp,
    /// The only one who may then have it; `None` while that is open.
    pub patient: Option<PatientId>,
}

/// A time that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldView {
    /// Books it: [`BookRequest::hold`](crate::BookRequest::hold).
    pub id: HoldId,
    /// Of whom.
    pub practitioner: PractitionerId,
    /// For what kind of visit.
    pub visit_type: VisitTypeId,
    /// When the visit begins.
    pub starts_at: Timestamp,
    /// When the visit ends.
    pub ends_at: Timestamp,
    /// Until when the time is kept, by the database's clock.
    pub expires_at: Timestamp,
}

/// Keeps a free slot for `lifetime`, [`MAX_LIFETIME`] at most: nobody else can book or hold it so long.
///
/// Nothing is changed that the audit trail tells of: whoever books says so there.
pub async fn hold(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    by: &Actor,
    request: HoldRequest,
    lifetime: SignedDuration,
) -> Result<HoldView, HoldError> {
    let now = clock.now();
    if request.starts_at <= now {
        return Err(HoldError::InThePast);
    }
    if matches!(by.who, Who::Patient { .. }) {
        return Err(HoldError::NoSuchPatient);
    }
    let mut tx = db.begin(by).await?;
    if let Some(patient) = request.patient
        && tables::patients::find(&mut tx, by.clinic, patient).await?.is_none()
    {
        return Err(HoldError::NoSuchPatient);
    }
    if !tables::practitioners::exists(&mut tx, by.clinic, request.practitioner).await? {
        return Err(HoldError::NoSuchPractitioner);
    }
    let HoldRequest { practitioner, visit_type, starts_at, patient } = request;
    let offer =
        availability::offers(&mut tx, by.clinic, practitioner, visit_type, (starts_at, Starts::OfSchedule), now)
            .await?;
    if tables::holds::count(&mut tx, by.clinic).await? >= MAX_HOLDS {
        return Err(HoldError::TooManyHolds);
    }
    let wish = Wish::new(&offer);
    reserve::lock(&mut tx, [&wish]).await?;
    let reservations = reserve::arrange(&mut tx, by.clinic, &wish).await?;
    let id = HoldId(random.uuid());
    let ends_at = offer.slot.ends_at;
    let held_by = if let Who::Account { id, .. } = by.who { Some(id) } else { None };
    let new = New { id, practitioner, visit_type, starts_at, ends_at, patient, held_by };
    let expires_at = tables::holds::add(&mut tx, by.clinic, &new, lifetime.min(MAX_LIFETIME)).await?;
    reserve::write(&mut tx, by.clinic, Owner::Hold(id), &reservations).await?;
    tx.commit().await?;
    Ok(HoldView { id, practitioner, visit_type, starts_at, ends_at, expires_at })
}

/// Lets a held time go. One that is gone already is let go, too.
pub async fn release_hold(db: &Db, by: &Actor, id: HoldId) -> Result<(), sqlx::Error> {
    let mut tx = db.begin(by).await?;
    if let Some(practitioner) = tables::holds::practitioner(&mut tx, by.clinic, id).await? {
        tables::reservations::lock(&mut tx, &[tables::reservations::Resource::Practitioner(practitioner)]).await?;
        tables::holds::end(&mut tx, by.clinic, &[id]).await?;
    }
    tx.commit().await
}
