//! Somebody books.

use crate::{
    availability::{self, NotOffered, Starts},
    cancel::reason,
    events::{self, EventKind},
    idempotency::{self, Claim, IdempotencyKey},
    messages,
    reserve::{self, Wish},
    tables::{self, appointments::New, grounds::Grounds, reservations::Owner},
};
use domain::{
    Actor, AppointmentId, ClinicId, Clock, HoldId, PatientId, PractitionerId, Random, ResourceId, SeriesId, Source,
    VisitTypeId, Who,
};
use jiff::{Timestamp, civil::DateTime};
use service::{
    audit::{self, AuditEvent},
    postgres::{Db, commit_together},
};
use sqlx::PgConnection;
use std::fmt::Write as _;

/// What is asked for. The length follows from the type of visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookRequest {
    /// For whom.
    pub patient: PatientId,
    /// With whom.
    pub practitioner: PractitionerId,
    /// What kind of visit.
    pub visit_type: VisitTypeId,
    /// The start of a slot.
    pub starts_at: Timestamp,
    /// Whether it may be another minute, too.
    pub starts: Starts,
    /// Who and what else is needed.
    pub needs: Needs,
    /// The hold that kept the time until now; booking ends it.
    pub hold: Option<HoldId>,
    /// Why it may be beside another visit of the practitioner, if their time is taken.
    pub overbook: Option<String>,
    /// Where the request comes from.
    pub source: Source,
    /// What the sender calls the request by: sent again, it is done once.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// Who and what a visit needs besides patient and practitioner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Any interpreter between these two languages (BCP 47 tags).
    pub interpreter: Option<(String, String)>,
    /// This room.
    pub room: Option<ResourceId>,
    /// This device.
    pub device: Option<ResourceId>,
}

impl BookRequest {
    /// A visit of this type, booked at the desk, that needs nothing else.
    pub fn new(
        patient: PatientId,
        practitioner: PractitionerId,
        visit_type: VisitTypeId,
        starts_at: Timestamp,
    ) -> Self {
        Self {
            patient,
            practitioner,
            visit_type,
            starts_at,
            starts: Starts::OfSchedule,
            needs: Needs::default(),
            hold: None,
            overbook: None,
            source: Source::Desk,
            idempotency_key: None,
        }
    }

    /// Everything that is asked for, so that two requests of one text are the same request.
    pub(crate) fn words(&self) -> String {
        let Self { patient, practitioner, visit_type, starts_at, starts, needs, hold, overbook, source, .. } = self;
        let mut words =
            format!("book {patient} {practitioner} {visit_type} {starts_at} {hold:?} {overbook:?} {source:?}");
        let Needs { interpreter, room, device } = needs;
        let _ = write!(words, " {interpreter:?} {room:?} {device:?} {starts:?}"); // a string takes whatever is written
        words
    }
}

/// Why an appointment could not be booked, or could not be moved to another time.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// Somebody else holds this time of the practitioner.
    #[error("the slot has just been taken")]
    SlotTaken,
    /// The patient has another appointment that overlaps.
    #[error("the patient has another appointment at that time")]
    PatientBusy,
    /// Nobody who speaks both languages is free.
    #[error("no interpreter between these languages is free at that time")]
    NoInterpreterFree,
    /// The room is reserved.
    #[error("the room is taken at that time")]
    RoomTaken,
    /// The device is reserved.
    #[error("the device is taken at that time")]
    DeviceTaken,
    /// No slot of the practitioner begins then, or the visit would not lie in their hours.
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
    /// Not a room or device of this clinic.
    #[error("there is no such room or device")]
    NoSuchResource,
    /// The hold has expired, was used, or was for something else.
    #[error("the time is not held any more")]
    HoldGone,
    /// So many times are held that no more may be.
    #[error("too many times are held at once")]
    TooManyHolds,
    /// The key stands for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The reason for booking beside another visit is blank or longer than [`MAX_REASON_CHARS`](crate::cancel::MAX_REASON_CHARS).
    #[error("a reason is needed, of at most 500 characters")]
    ReasonMissing,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Books a free slot: the appointment, a reservation for everything it needs and the audit event, or none of it.
pub async fn book(
    db: &Db,
    clock: &dyn Clock,
    random: &dyn Random,
    by: &Actor,
    request: BookRequest,
) -> Result<AppointmentId, BookError> {
    // Patients come by the link of one appointment; they do not book.
    if matches!(by.who, Who::Patient { .. }) {
        return Err(BookError::NoSuchPatient);
    }
    let id = AppointmentId(random.uuid());
    let now = clock.now();
    let mut tx = db.begin(by).await?;
    match idempotency::claim(&mut tx, by, request.idempotency_key.as_ref(), &request.words(), id.0).await? {
        Claim::New => {}
        Claim::Done(earlier) => return Ok(AppointmentId(earlier)),
        Claim::Reused => return Err(BookError::KeyReused),
    }
    let grounds = grounds(&mut tx, by.clinic, &request, request.starts_at).await?;
    let plan = plan(&grounds, &request, now)?;
    // Whoever holds the time, or would go beside another visit, finds out in their turn what is free.
    if request.hold.is_none() && request.overbook.is_none() {
        reserve::refuse_lost(&plan.wish, &grounds.taken)?;
    }
    reserve::lock(&mut tx, [&plan.wish]).await?;
    let lane = place(&mut tx, by, id, &request, &plan, now).await?;
    messages::plan_new(&mut tx, by.clinic, now, (id, request.starts_at), &grounds).await?;
    audit::record(&mut tx, by, booked(id, &request, lane)).await?;
    events::record(&mut tx, by, EventKind::Booked, id).await?;
    commit_together(tx).await?;
    Ok(id)
}

/// What the audit trail says of a booking. The reason is free text and may name somebody: it stays with the appointment.
pub(crate) fn booked(id: AppointmentId, request: &BookRequest, lane: i16) -> AuditEvent {
    let action = if lane == 0 { "appointment.booked" } else { "appointment.overbooked" };
    AuditEvent::new(action).appointment(id).patient(request.patient)
}

/// A visit that may be booked as far as the schedule goes, with everything it needs.
pub(crate) struct Plan {
    pub(crate) wish: Wish,
    pub(crate) wall_time: DateTime,
    /// The zone of the wall.
    pub(crate) zone: String,
    pub(crate) series: Option<SeriesId>,
}

/// What is asked for, and the same until `last`, is decided on this.
pub(crate) async fn grounds(
    connection: &mut PgConnection,
    clinic: ClinicId,
    request: &BookRequest,
    last: Timestamp,
) -> Result<Grounds, sqlx::Error> {
    let between = request.needs.interpreter.as_ref().map(tag_pair);
    let between = between.as_ref().map_or(&[][..], <[String; 2]>::as_slice);
    tables::grounds::read(connection, clinic, request, between, last).await
}

/// Checks what is asked for against everything but other reservations.
pub(crate) fn plan(grounds: &Grounds, request: &BookRequest, now: Timestamp) -> Result<Plan, BookError> {
    if request.starts_at <= now {
        return Err(BookError::InThePast);
    }
    if request.overbook.as_deref().is_some_and(|text| reason(text).is_none()) {
        return Err(BookError::ReasonMissing);
    }
    if !grounds.has_patient {
        return Err(BookError::NoSuchPatient);
    }
    if !grounds.has_practitioner {
        return Err(BookError::NoSuchPractitioner);
    }
    let visit_type = grounds.visit_type.clone().ok_or(BookError::NotOffered)?;
    let when = (request.starts_at, request.starts);
    let offer = availability::offer(visit_type, &grounds.timetable, request.practitioner, when, now)?;
    let needs = &request.needs;
    if (needs.room.is_some() && !grounds.has_room) || (needs.device.is_some() && !grounds.has_device) {
        return Err(BookError::NoSuchResource);
    }
    let wish = Wish {
        patient: Some(request.patient),
        interpreters: needs.interpreter.as_ref().map(|_| grounds.interpreters.clone()),
        room: needs.room,
        device: needs.device,
        may_overbook: request.overbook.is_some(),
        ..Wish::new(&offer)
    };
    Ok(Plan {
        wish,
        wall_time: request.starts_at.to_zoned(grounds.zone.clone()).datetime(),
        zone: availability::zone_name(&grounds.zone).to_owned(),
        series: None,
    })
}

/// A pair of languages as tags are kept: in lower case.
fn tag_pair((one, other): &(String, String)) -> [String; 2] {
    [one, other].map(|tag| tag.trim().to_lowercase())
}

/// Writes a planned visit with all its reservations, whose locks are held; says in which lane.
pub(crate) async fn place(
    connection: &mut PgConnection,
    by: &Actor,
    id: AppointmentId,
    request: &BookRequest,
    plan: &Plan,
    now: Timestamp,
) -> Result<i16, BookError> {
    if let Some(hold) = request.hold {
        consume(connection, by, hold, request).await?;
    }
    let reservations = reserve::arrange(connection, by.clinic, &plan.wish).await?;
    let lane = reserve::lane(&reservations);
    let overbooked_by = if lane > 0 { Some(tables::accounts::name_of(connection, by).await?) } else { None };
    let appointment = New {
        id,
        patient: request.patient,
        practitioner: request.practitioner,
        visit_type: request.visit_type,
        starts_at: plan.wish.visit.0,
        ends_at: plan.wish.visit.1,
        wall_time: plan.wall_time,
        time_zone: &plan.zone,
        booked_at: now,
        source: request.source,
        lane,
        overbook_reason: request.overbook.as_deref().and_then(reason).filter(|_| lane > 0),
        overbooked_by: overbooked_by.as_deref(),
        series: plan.series,
        interpreted_between: request.needs.interpreter.as_ref().map(tag_pair),
    };
    tables::appointments::add(connection, by, &appointment).await?;
    reserve::write(connection, by.clinic, Owner::Appointment(id), &reservations).await?;
    Ok(lane)
}

/// Ends the hold that kept the time, so that the time can be reserved for the visit.
async fn consume(
    connection: &mut PgConnection,
    by: &Actor,
    id: HoldId,
    request: &BookRequest,
) -> Result<(), BookError> {
    let (practitioner, visit_type, patient) = (request.practitioner, request.visit_type, request.patient);
    let is_theirs =
        tables::holds::consume(connection, by.clinic, id, practitioner, visit_type, request.starts_at, patient).await?;
    if is_theirs { Ok(()) } else { Err(BookError::HoldGone) }
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
