//! What a booking is decided on, read in one statement: who books is somebody, the type is offered, when the practitioner works, how
//! the patient is reached, and what is taken.

use crate::{
    availability::timetable::Timetable,
    book::BookRequest,
    tables::{clinics, reservations::LONGEST, schedule_exceptions, schedules},
    views::VisitTypeView,
};
use domain::{ClinicId, ResourceId};
use jiff::{Timestamp, tz::TimeZone};
use jiff_sqlx::ToSqlx as _;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

/// What is known before anything is locked.
pub(crate) struct Grounds {
    /// The clinic's.
    pub(crate) zone: TimeZone,
    pub(crate) has_patient: bool,
    pub(crate) has_practitioner: bool,
    /// Unless it is not offered, or not by this practitioner.
    pub(crate) visit_type: Option<VisitTypeView>,
    /// The practitioner's, with the exceptions of the time that was asked for.
    pub(crate) timetable: Timetable,
    /// The room and the device that are wanted are there.
    pub(crate) has_room: bool,
    pub(crate) has_device: bool,
    /// Who interprets between the languages, by name.
    pub(crate) interpreters: Vec<ResourceId>,
    pub(crate) has_email: bool,
    pub(crate) has_phone: bool,
    pub(crate) reminder_minutes: Vec<i32>,
    /// What of all this is taken at the time of the visit, buffers included; holds that have expired are not among it.
    pub(crate) taken: Vec<Uuid>,
}

/// The grounds of one visit, or of all that begin until `last`: then what is taken is that of the first.
pub(crate) async fn read(
    connection: &mut PgConnection,
    clinic: ClinicId,
    request: &BookRequest,
    between: &[String],
    last: Timestamp,
) -> Result<Grounds, sqlx::Error> {
    // Postgres knows no time before 4713 BC, and what is past is refused anyway.
    let starts_at = request.starts_at.max(Timestamp::UNIX_EPOCH);
    let row = sqlx::query_file!(
        "src/tables/grounds.sql",
        clinic.0,
        request.patient.0,
        request.practitioner.0,
        request.visit_type.0,
        request.needs.room.map(|id| id.0),
        request.needs.device.map(|id| id.0),
        between,
        starts_at.to_sqlx() as _,
        last.max(starts_at).to_sqlx() as _,
        LONGEST.as_secs_f64(),
    )
    .fetch_one(connection)
    .await?;
    let visit_type = row.minutes.filter(|_| row.is_offered).map(|minutes| VisitTypeView {
        id: request.visit_type,
        name: row.name.expect("a type has a name"),
        minutes,
        buffer_before_minutes: row.buffer_before_minutes.expect("a type has buffers"),
        buffer_after_minutes: row.buffer_after_minutes.expect("a type has buffers"),
        min_notice_minutes: row.min_notice_minutes.expect("a type has a notice"),
        horizon_days: row.horizon_days.expect("a type has a horizon"),
        cancel_notice_minutes: row.cancel_notice_minutes.expect("a type has a notice"),
        is_public: row.is_public.expect("a type is public or not"),
        practitioners: vec![request.practitioner],
    });
    let rules = row.rules.0.into_iter().map(schedules::Kept::rule).collect::<Result<_, _>>()?;
    let exceptions =
        row.exceptions.0.into_iter().map(schedule_exceptions::Kept::exception).collect::<Result<_, _>>()?;
    Ok(Grounds {
        zone: clinics::zone(&row.time_zone)?,
        has_patient: row.has_patient,
        has_practitioner: row.has_practitioner,
        visit_type,
        timetable: Timetable { rules, exceptions },
        has_room: row.has_room,
        has_device: row.has_device,
        interpreters: row.interpreters,
        has_email: row.has_email,
        has_phone: row.has_phone,
        reminder_minutes: row.reminder_minutes,
        taken: row.taken,
    })
}
