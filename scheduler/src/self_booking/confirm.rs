//! The link is opened and confirmed: only now is it looked up whether we know this person, and the visit is booked.

use super::{Applicant, actor, open_link};
use crate::{
    book::{self, BookError, BookRequest},
    events::{self, EventKind},
    messages,
    patients::{self, AddPatientError, NewPatient, search},
    reserve,
    tables::{self, patients::Reached},
};
use domain::{Actor, AppointmentId, Clock, PatientId, Random, Source};
use jiff::Timestamp;
use service::{
    audit::{self, AuditEvent},
    keys::SelfBookingKey,
    postgres::Db,
};
use sqlx::PgConnection;

/// Why nothing was booked.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// Not, or no longer, a good link.
    #[error("there is no such link")]
    NoSuchLink,
    /// It was used before.
    #[error("the visit is booked already")]
    Booked(AppointmentId),
    /// The time was kept no longer, and somebody else has it. Everything else stays.
    #[error("the time is no longer free")]
    TimeGone,
    /// The patient has another visit at that time.
    #[error("the patient has another appointment at that time")]
    PatientBusy,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Books what the link names, with the patient we know by this name, date of birth and address, or with a new one: all of it, or nothing.
///
/// Only the address at which the link arrived counts: whoever types another person's has not shown that it is theirs.
pub async fn confirm(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    key: &SelfBookingKey,
    token: &str,
) -> Result<AppointmentId, ConfirmError> {
    let opened = open_link(db, key, token).await?.ok_or(ConfirmError::NoSuchLink)?;
    let by = actor(opened.clinic);
    let mut tx = db.begin(&by).await?;
    let chosen = tables::self_bookings::lock(&mut tx, by.clinic, opened.id).await?;
    // While this waited, another message may have been asked for, whose link is good instead.
    let chosen = chosen.filter(|view| view.link_version == opened.link_version).ok_or(ConfirmError::NoSuchLink)?;
    if let Some(appointment) = chosen.appointment {
        return Err(ConfirmError::Booked(appointment));
    }
    let applicant = chosen.applicant.as_ref().ok_or(ConfirmError::NoSuchLink)?;
    let (patient, is_new) = find_or_add(&mut tx, clock, random, &by, applicant).await?;
    let request = BookRequest {
        hold: chosen.hold,
        source: Source::Patient,
        ..BookRequest::new(patient, chosen.practitioner.id, chosen.visit_type, chosen.starts_at)
    };
    let id = AppointmentId(random.uuid());
    place(&mut tx, &by, id, &request, clock.now()).await?;
    tables::self_bookings::confirm(&mut tx, by.clinic, chosen.id, id).await?;
    audit::record(&mut tx, &by, book::booked(id, &request, 0)).await?;
    if is_new {
        audit::record(&mut tx, &by, AuditEvent::new("patient.added").patient(patient)).await?;
    }
    events::record(&mut tx, &by, EventKind::Booked, id).await?;
    tx.commit().await?;
    Ok(id)
}

/// The visit with its reservations, and what the patient is told of it.
async fn place(
    connection: &mut PgConnection,
    by: &Actor,
    id: AppointmentId,
    request: &BookRequest,
    now: Timestamp,
) -> Result<(), BookError> {
    let grounds = book::grounds(connection, by.clinic, request, request.starts_at).await?;
    let plan = book::plan(&grounds, request, now)?;
    reserve::lock(connection, [&plan.wish]).await?;
    book::place(connection, by, id, request, &plan, now).await?;
    messages::plan_new(connection, by.clinic, now, (id, request.starts_at), &grounds).await?;
    Ok(())
}

/// The patient, and whether they are new.
async fn find_or_add(
    connection: &mut PgConnection,
    clock: &dyn Clock,
    random: &dyn Random,
    by: &Actor,
    applicant: &Applicant,
) -> Result<(PatientId, bool), ConfirmError> {
    let name_key = search::name_key(&applicant.name);
    let phone = applicant.phone.as_deref().map(search::digits);
    let reached = match (applicant.email.as_deref(), phone.as_deref()) {
        (Some(email), _) => Reached::Email(email),
        (None, digits) => Reached::Phone(digits.unwrap_or_default()),
    };
    let known = tables::patients::recognize(connection, by.clinic, &name_key, applicant.birth_date, reached).await?;
    let (patient, is_new) = match known {
        Some(patient) => (patient, false),
        None => (add(connection, clock, random, by, applicant).await?, true),
    };
    let (language, time_zone) = (applicant.language.as_deref(), applicant.time_zone.as_deref());
    tables::patients::note_origin(connection, by.clinic, patient, language, time_zone).await?;
    Ok((patient, is_new))
}

async fn add(
    connection: &mut PgConnection,
    clock: &dyn Clock,
    random: &dyn Random,
    by: &Actor,
    applicant: &Applicant,
) -> Result<PatientId, ConfirmError> {
    let new = NewPatient {
        name: applicant.name.clone(),
        birth_date: applicant.birth_date.to_string(),
        phone: applicant.phone.clone().unwrap_or_default(),
        email: applicant.email.clone().unwrap_or_default(),
    };
    match patients::insert(connection, clock, random, by, new).await {
        Ok(patient) => Ok(patient),
        Err(AddPatientError::Database(error)) => Err(error.into()),
        Err(AddPatientError::Fields(_)) => unreachable!("the fields were checked when they were typed"),
    }
}

impl From<BookError> for ConfirmError {
    fn from(refusal: BookError) -> Self {
        match refusal {
            BookError::PatientBusy => Self::PatientBusy,
            BookError::Database(error) => Self::Database(error),
            _ => Self::TimeGone,
        }
    }
}
