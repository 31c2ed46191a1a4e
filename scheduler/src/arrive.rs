//! The patient says *I'm here*.

use crate::{
    events::{self, EventKind},
    seat::{Seat, WAITING},
    tables,
};
use domain::{Actor, AppointmentId, AppointmentState, ArrivalWindow, Clock, EncounterState, Who, appointment::Arrival};
use jiff::Timestamp;
use service::{
    audit::{self, AuditEvent},
    postgres::Db,
};
use sqlx::PgConnection;

/// Why a patient is not given a seat.
#[derive(Debug, thiserror::Error)]
pub enum ArriveError {
    /// Not this patient's appointment.
    #[error("there is no such appointment")]
    NotFound,
    /// The waiting room is not open yet.
    #[error("it is too early")]
    TooEarly {
        /// When it opens.
        opens_at: Timestamp,
    },
    /// The time has passed.
    #[error("it is too late")]
    TooLate,
    /// It was called off.
    #[error("the appointment was cancelled")]
    Cancelled,
    /// The consultation took place.
    #[error("the visit has ended")]
    Ended,
    /// Somebody changed it in the meantime.
    #[error("the appointment has been changed in the meantime")]
    Changed,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Gives the patient the seat of their appointment, or finds it again. Who was admitted already is welcome too.
///
/// Patients say it by themselves; the desk says it of a patient who stands before it.
pub async fn arrive(db: &Db, clock: &dyn Clock, by: &Actor, id: AppointmentId) -> Result<Seat, ArriveError> {
    arrive_if(db, clock, by, id, None).await
}

/// The same, only while the appointment is in the version that whoever decides has seen.
pub async fn arrive_if(
    db: &Db,
    clock: &dyn Clock,
    by: &Actor,
    id: AppointmentId,
    if_version: Option<i64>,
) -> Result<Seat, ArriveError> {
    if !may_arrive(by, id) {
        return Err(ArriveError::NotFound);
    }
    let now = clock.now();
    let mut tx = db.begin(by).await?;
    let appointment = tables::appointments::lock(&mut tx, by.clinic, id).await?.ok_or(ArriveError::NotFound)?;
    if if_version.is_some_and(|version| version != appointment.version) {
        return Err(ArriveError::Changed);
    }
    match appointment.state {
        AppointmentState::Booked => welcome(&mut tx, by, &appointment, now).await?,
        AppointmentState::Arrived => {}
        AppointmentState::Fulfilled => still_open(&mut tx, by, id).await?,
        AppointmentState::Cancelled => return Err(ArriveError::Cancelled),
        AppointmentState::NoShow => return Err(ArriveError::TooLate),
    }
    let is_new = appointment.state == AppointmentState::Booked;
    if is_new {
        let arrived = appointment.state.arrive().expect("a booked patient may arrive");
        tables::appointments::set_state(&mut tx, by.clinic, id, arrived, &tables::appointments::Outcome::default())
            .await?;
    }
    let arrived_at = tables::seats::take(&mut tx, by.clinic, id, now).await?;
    if appointment.state != AppointmentState::Fulfilled {
        tables::presences::seen(&mut tx, by.clinic, id, WAITING, now).await?;
    }
    let ahead = tables::views::find(&mut tx, by.clinic, id).await?.map_or(0, |view| view.ahead);
    if is_new {
        let event = AuditEvent::new("appointment.arrived").appointment(id).patient(appointment.patient);
        audit::record(&mut tx, by, event).await?;
        events::record(&mut tx, by, EventKind::Arrived, id).await?;
    }
    tx.commit().await?;
    Ok(Seat { arrived_at, position: ahead + 1 })
}

fn may_arrive(by: &Actor, id: AppointmentId) -> bool {
    match by.who {
        Who::Patient { appointment, .. } => appointment == id,
        Who::Account { role, .. } | Who::ApiToken { role, .. } => role.may_run_the_desk(),
        Who::Service(_) => false,
    }
}

/// Whether it is the time to arrive.
async fn welcome(
    connection: &mut PgConnection,
    by: &Actor,
    appointment: &tables::appointments::Locked,
    now: Timestamp,
) -> Result<(), ArriveError> {
    let clinic = tables::clinics::get(connection, by.clinic).await?;
    let (starts_at, ends_at) = (appointment.starts_at.to_jiff(), appointment.ends_at.to_jiff());
    let window = ArrivalWindow::new(starts_at, ends_at, clinic.early, clinic.late);
    match window.at(now) {
        Arrival::TooEarly => Err(ArriveError::TooEarly { opens_at: window.opens_at }),
        Arrival::Welcome => Ok(()),
        Arrival::TooLate => Err(ArriveError::TooLate),
    }
}

/// Who was admitted may come back for as long as the encounter runs.
async fn still_open(connection: &mut PgConnection, by: &Actor, id: AppointmentId) -> Result<(), ArriveError> {
    match tables::encounters::of_appointment(connection, by.clinic, id).await? {
        Some((_, EncounterState::InProgress)) => Ok(()),
        _ => Err(ArriveError::Ended),
    }
}
