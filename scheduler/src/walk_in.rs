//! A patient comes without an appointment, and joins today's queue.

use crate::{
    book::{BookError, BookRequest, Plan, booked, place},
    events::{self, EventKind},
    reserve::{self, Wish},
    tables,
};
use domain::{
    Actor, AppointmentId, AppointmentState, Clock, PatientId, PractitionerId, Random, Source, VisitTypeId, Who,
};
use jiff::{SignedDuration, Timestamp};
use service::{
    audit::{self, AuditEvent},
    postgres::{Db, commit_together},
};
use sqlx::PgConnection;

/// What stands with a visit for which there was no free time.
const REASON: &str = "Walk-in";

/// Who came, and whom they wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalkIn {
    /// Who is here.
    pub patient: PatientId,
    /// Whom they see.
    pub practitioner: PractitionerId,
    /// What for.
    pub visit_type: VisitTypeId,
}

/// Why a patient cannot join the queue.
#[derive(Debug, thiserror::Error)]
pub enum WalkInError {
    /// The patient has an appointment now: they arrive for that one.
    #[error("the patient has an appointment now")]
    PatientBusy,
    /// So many are seen at once that nobody can be put beside them.
    #[error("too many visits of the practitioner are at this time already")]
    QueueFull,
    /// The practitioner does not offer this type of visit, or nobody does any more.
    #[error("the practitioner does not offer this type of visit")]
    NotOffered,
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

/// Books a visit that begins now, whose patient has arrived: they wait behind those whose visits began before.
///
/// It depends on no free time, and on no hours. Where the practitioner's time is taken, it is beside the other visit.
pub async fn walk_in(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    by: &Actor,
    request: WalkIn,
) -> Result<AppointmentId, WalkInError> {
    if matches!(by.who, Who::Patient { .. }) {
        return Err(WalkInError::NoSuchPatient);
    }
    let now = clock.now();
    let id = AppointmentId(random.uuid());
    let mut tx = db.begin(by).await?;
    let plan = plan(&mut tx, by, request, now).await?;
    reserve::lock(&mut tx, [&plan.wish]).await?;
    let visit = BookRequest {
        source: Source::WalkIn,
        overbook: Some(REASON.to_owned()),
        ..BookRequest::new(request.patient, request.practitioner, request.visit_type, plan.wish.visit.0)
    };
    let lane = place(&mut tx, by, id, &visit, &plan, now).await?;
    let arrived = AppointmentState::Booked.arrive().expect("a booked patient may arrive");
    tables::appointments::set_state(&mut tx, by.clinic, id, arrived, &tables::appointments::Outcome::default()).await?;
    tables::seats::take(&mut tx, by.clinic, id, now).await?;
    audit::record(&mut tx, by, booked(id, &visit, lane)).await?;
    let event = AuditEvent::new("appointment.walked_in").appointment(id).patient(request.patient);
    audit::record(&mut tx, by, event).await?;
    events::record(&mut tx, by, EventKind::Booked, id).await?;
    events::record(&mut tx, by, EventKind::Arrived, id).await?;
    commit_together(tx).await?;
    Ok(id)
}

/// A visit from this minute on, whatever the schedule says.
async fn plan(connection: &mut PgConnection, by: &Actor, request: WalkIn, now: Timestamp) -> Result<Plan, WalkInError> {
    if tables::patients::find(connection, by.clinic, request.patient).await?.is_none() {
        return Err(WalkInError::NoSuchPatient);
    }
    if !tables::practitioners::exists(connection, by.clinic, request.practitioner).await? {
        return Err(WalkInError::NoSuchPractitioner);
    }
    let found = tables::visit_types::find(connection, by.clinic, request.visit_type).await?;
    let offered = found.filter(|one| one.practitioners.contains(&request.practitioner));
    let visit_type = offered.ok_or(WalkInError::NotOffered)?;
    let zone = tables::clinics::get(connection, by.clinic).await?.zone;
    let starts_at = Timestamp::from_second(now.as_second().div_euclid(60) * 60).unwrap_or(now);
    let ends_at = starts_at + SignedDuration::from_mins(visit_type.minutes.into());
    let (_, free_at) = visit_type.occupies(starts_at);
    let wish = Wish {
        practitioner: request.practitioner,
        patient: Some(request.patient),
        visit: (starts_at, ends_at),
        // Nobody can prepare for who is here already.
        buffered: (starts_at, free_at),
        interpreters: None,
        room: None,
        device: None,
        may_overbook: true,
    };
    let wall_time = starts_at.to_zoned(zone.clone()).datetime();
    Ok(Plan { wish, wall_time, zone: crate::availability::zone_name(&zone).to_owned(), series: None })
}

impl From<BookError> for WalkInError {
    fn from(refusal: BookError) -> Self {
        match refusal {
            BookError::PatientBusy => Self::PatientBusy,
            BookError::Database(error) => Self::Database(error),
            // Nothing else can be in the way of a visit that may be beside others and needs nobody else.
            _ => Self::QueueFull,
        }
    }
}
