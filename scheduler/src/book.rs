//! The receptionist books.

use crate::{
    availability::{self, NotOffered, Offer},
    messages::{self, News},
    tables,
    tables::reservations::Resource,
};
use domain::{Actor, AppointmentId, Clock, PatientId, PractitionerId, Random, VisitTypeId, Who};
use jiff::Timestamp;
use service::{
    audit::{self, AuditEvent},
    postgres::{Db, refused_by},
};
use sqlx::PgConnection;

/// What the receptionist asks for. The length follows from the type of visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookRequest {
    /// For whom.
    pub patient: PatientId,
    /// With whom.
    pub practitioner: PractitionerId,
    /// What kind of visit.
    pub visit_type: VisitTypeId,
    /// The start of a slot.
    pub starts_at: Timestamp,
}

impl BookRequest {
    /// A visit of this type.
    pub fn new(
        patient: PatientId,
        practitioner: PractitionerId,
        visit_type: VisitTypeId,
        starts_at: Timestamp,
    ) -> Self {
        Self { patient, practitioner, visit_type, starts_at }
    }
}

/// Why an appointment could not be booked.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// Somebody else holds this time of the practitioner.
    #[error("the slot has just been taken")]
    SlotTaken,
    /// The patient has another appointment that overlaps.
    #[error("the patient has another appointment at that time")]
    PatientBusy,
    /// No slot of the practitioner begins then.
    #[error("the practitioner does not work at that time")]
    OutsideSchedule,
    /// The type of visit must be booked longer before.
    #[error("the visit begins too soon to be booked")]
    TooSoon,
    /// The type of visit may not be booked so long before.
    #[error("the visit is too far ahead to be booked")]
    TooFarAhead,
    /// The practitioner does not offer this type of visit, or nobody does any more.
    #[error("the practitioner does not offer this type of visit")]
    NotOffered,
    /// The slot has begun.
    #[error("the time has passed")]
    InThePast,
    /// Not a patient of this clinic.
    #[error("there is no such patient")]
    NoSuchPatient,
    /// Not a practitioner of this clinic.
    #[error("there is no such practitioner")]
    NoSuchPractitioner,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Books a free slot: the appointment, a reservation for each resource and the audit event, or none of it.
pub async fn book(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    by: &Actor,
    request: BookRequest,
) -> Result<AppointmentId, BookError> {
    let now = clock.now();
    if request.starts_at <= now {
        return Err(BookError::InThePast);
    }
    // Patients come by the link of one appointment; they do not book.
    if matches!(by.who, Who::Patient { .. }) {
        return Err(BookError::NoSuchPatient);
    }
    let mut tx = db.begin(by).await?;
    if tables::patients::find(&mut tx, by.clinic, request.patient).await?.is_none() {
        return Err(BookError::NoSuchPatient);
    }
    if !tables::practitioners::exists(&mut tx, by.clinic, request.practitioner).await? {
        return Err(BookError::NoSuchPractitioner);
    }
    let zone = tables::clinics::get(&mut tx, by.clinic).await?.zone;
    let wall_time = request.starts_at.to_zoned(zone.clone()).datetime();
    let offer =
        availability::offers(&mut tx, by.clinic, request.practitioner, request.visit_type, request.starts_at, now)
            .await?;

    let id = AppointmentId(random.uuid());
    let appointment = tables::appointments::New {
        id,
        patient: request.patient,
        practitioner: request.practitioner,
        visit_type: request.visit_type,
        starts_at: offer.slot.starts_at,
        ends_at: offer.slot.ends_at,
        wall_time,
        time_zone: availability::zone_name(&zone),
        booked_at: now,
    };
    reserve(&mut tx, by, &appointment, &offer).await?;
    messages::plan(&mut tx, by.clinic, now, id, News::Booked).await?;
    let event = AuditEvent::new("appointment.booked").appointment(id).patient(request.patient);
    audit::record(&mut tx, by, event).await?;
    tx.commit().await?;
    Ok(id)
}

/// Writes the appointment with a reservation for each of its resources, whose locks are taken in sorted order.
async fn reserve(
    connection: &mut PgConnection,
    by: &Actor,
    appointment: &tables::appointments::New<'_>,
    offer: &Offer,
) -> Result<(), BookError> {
    let mut resources = [Resource::Practitioner(appointment.practitioner), Resource::Patient(appointment.patient)];
    resources.sort_unstable();
    for resource in resources {
        tables::reservations::lock(connection, resource).await?;
    }
    tables::appointments::add(connection, by, appointment).await?;
    for resource in resources {
        let (from, to) = match resource {
            Resource::Practitioner(_) => offer.visit_type.occupies(appointment.starts_at),
            Resource::Patient(_) => (appointment.starts_at, appointment.ends_at),
        };
        tables::reservations::add(connection, by.clinic, appointment.id, resource, from, to)
            .await
            .map_err(|error| taken(error, resource))?;
    }
    Ok(())
}

impl From<NotOffered> for BookError {
    fn from(refusal: NotOffered) -> Self {
        match refusal {
            NotOffered::OutsideSchedule => Self::OutsideSchedule,
            NotOffered::TooSoon => Self::TooSoon,
            NotOffered::TooFarAhead => Self::TooFarAhead,
            NotOffered::NoSuchType => Self::NotOffered,
            NotOffered::Database(error) => Self::Database(error),
        }
    }
}

/// Says in the receptionist's words what the exclusion constraint refused.
fn taken(error: sqlx::Error, resource: Resource) -> BookError {
    match (refused_by(&error), resource) {
        (Some(tables::reservations::NO_OVERLAP), Resource::Practitioner(_)) => BookError::SlotTaken,
        (Some(tables::reservations::NO_OVERLAP), Resource::Patient(_)) => BookError::PatientBusy,
        _ => error.into(),
    }
}
