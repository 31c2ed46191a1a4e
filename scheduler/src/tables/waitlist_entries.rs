//! `waitlist_entries`: who would come sooner.

use crate::{
    tables::practitioners,
    views::VisitTypeName,
    waitlist::{WaitlistEntryView, WaitlistRequest},
};
use domain::{AppointmentId, ClinicId, PatientId, PractitionerId, VisitTypeId, WaitlistEntryId};
use jiff::{
    Timestamp,
    civil::{Date, DateTime},
};
use jiff_sqlx::ToSqlx as _;
use service::postgres::one_row;
use sqlx::PgConnection;

/// The most entries that one answer holds.
const MAX_ROWS: i64 = 500;

/// The most that are asked whether they would take a freed time.
const MAX_CANDIDATES: i64 = 50;

/// Whose entry it is, and for what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) id: WaitlistEntryId,
    pub(crate) patient: PatientId,
    pub(crate) visit_type: VisitTypeId,
}

/// Adds an entry at the end.
pub(crate) async fn add(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: WaitlistEntryId,
    new: &WaitlistRequest,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into waitlist_entries (clinic_id, id, patient_id, visit_type_id, practitioner_id, from_date, to_date,
                                       from_minute, to_minute, note, state, added_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'waiting', $11)",
        clinic.0,
        id.0,
        new.patient.0,
        new.visit_type.0,
        new.practitioner.map(|id| id.0),
        new.from_date.to_sqlx() as _,
        new.to_date.to_sqlx() as _,
        new.from_minute,
        new.to_minute,
        new.note.trim(),
        now.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// How many wait.
pub(crate) async fn count(connection: &mut PgConnection, clinic: ClinicId) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from waitlist_entries where clinic_id = $1 and state = 'waiting'"#,
        clinic.0,
    )
    .fetch_one(connection)
    .await
}

/// Those who wait, in order, without their offers.
pub(crate) async fn list(
    connection: &mut PgConnection,
    clinic: ClinicId,
) -> Result<Vec<WaitlistEntryView>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select
               e.id as "id: WaitlistEntryId",
               p.id as "patient_id: PatientId",
               p.name as patient_name,
               p.birth_date as "birth_date: jiff_sqlx::Date",
               p.phone,
               p.email,
               t.id as "visit_type_id: VisitTypeId",
               t.name as visit_type_name,
               d.id as "practitioner_id?: PractitionerId",
               d.title as "title?",
               d.given_name as "given_name?",
               d.family_name as "family_name?",
               d.speciality as "speciality?",
               e.from_date as "from_date: jiff_sqlx::Date",
               e.to_date as "to_date: jiff_sqlx::Date",
               e.from_minute,
               e.to_minute,
               e.note,
               e.added_at as "added_at: jiff_sqlx::Timestamp"
           from waitlist_entries e
           join patients p on p.clinic_id = e.clinic_id and p.id = e.patient_id
           join visit_types t on t.clinic_id = e.clinic_id and t.id = e.visit_type_id
           left join practitioners d on d.clinic_id = e.clinic_id and d.id = e.practitioner_id
           where e.clinic_id = $1 and e.state = 'waiting'
           order by e.added_at, e.id
           limit $2"#,
        clinic.0,
        MAX_ROWS,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| WaitlistEntryView {
            id: row.id,
            patient: crate::views::PatientView {
                id: row.patient_id,
                name: row.patient_name,
                birth_date: row.birth_date.to_jiff(),
                phone: row.phone,
                email: row.email,
            },
            visit_type: VisitTypeName { id: row.visit_type_id, name: row.visit_type_name },
            practitioner: row.practitioner_id.map(|id| {
                let [title, given, family, speciality] =
                    [row.title, row.given_name, row.family_name, row.speciality].map(Option::unwrap_or_default);
                practitioners::view(id, &title, &given, &family, speciality)
            }),
            from_date: row.from_date.to_jiff(),
            to_date: row.to_date.to_jiff(),
            from_minute: row.from_minute,
            to_minute: row.to_minute,
            note: row.note,
            added_at: row.added_at.to_jiff(),
            offers: Vec::new(),
        })
        .collect())
}

/// Those who may be offered a practitioner's time from `starts_at` on, in order, with their rows locked.
///
/// Whoever somebody else is busy with is left out: they are being booked, withdrawn or offered another time.
pub(crate) async fn lock_candidates(
    connection: &mut PgConnection,
    clinic: ClinicId,
    practitioner: PractitionerId,
    starts_at: Timestamp,
    wall_time: DateTime,
) -> Result<Vec<Entry>, sqlx::Error> {
    sqlx::query_as!(
        Entry,
        r#"select
               e.id as "id: WaitlistEntryId",
               e.patient_id as "patient: PatientId",
               e.visit_type_id as "visit_type: VisitTypeId"
           from waitlist_entries e
           join visit_types t on t.clinic_id = e.clinic_id and t.id = e.visit_type_id
           where e.clinic_id = $1
             and e.state = 'waiting'
             and coalesce(e.practitioner_id, $2) = $2
             and $3 between e.from_date and e.to_date
             and $4 between e.from_minute and e.to_minute - t.minutes
             and not exists (
                 select from waitlist_offers o
                 where o.clinic_id = e.clinic_id
                   and o.entry_id = e.id
                   and (o.state = 'open' or (o.practitioner_id = $2 and o.starts_at = $5))
             )
           order by e.added_at, e.id
           limit $6
           for update of e skip locked"#,
        clinic.0,
        practitioner.0,
        wall_time.date().to_sqlx() as _,
        minute_of_day(wall_time),
        starts_at.to_sqlx() as _,
        MAX_CANDIDATES,
    )
    .fetch_all(connection)
    .await
}

fn minute_of_day(wall_time: DateTime) -> i16 {
    i16::from(wall_time.hour()) * 60 + i16::from(wall_time.minute())
}

/// Finds an entry that waits still, and locks its row.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: WaitlistEntryId,
) -> Result<Option<Entry>, sqlx::Error> {
    sqlx::query_as!(
        Entry,
        r#"select id as "id: WaitlistEntryId", patient_id as "patient: PatientId", visit_type_id as "visit_type: VisitTypeId"
           from waitlist_entries
           where clinic_id = $1 and id = $2 and state = 'waiting'
           for update"#,
        clinic.0,
        id.0,
    )
    .fetch_optional(connection)
    .await
}

/// The entry came to its end: booked, if there is an appointment, else withdrawn.
pub(crate) async fn end(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: WaitlistEntryId,
    appointment: Option<AppointmentId>,
) -> Result<(), sqlx::Error> {
    let result = sqlx::query!(
        "update waitlist_entries
         set state = case when $3::uuid is null then 'withdrawn' else 'booked' end, appointment_id = $3
         where clinic_id = $1 and id = $2 and state = 'waiting'",
        clinic.0,
        id.0,
        appointment.map(|id| id.0),
    )
    .execute(connection)
    .await?;
    one_row(&result)
}

/// Ends the entries whose last day lies before `today` and that have no offer.
pub(crate) async fn expire(connection: &mut PgConnection, clinic: ClinicId, today: Date) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update waitlist_entries
         set state = 'expired'
         where clinic_id = $1
           and state = 'waiting'
           and to_date < $2
           and not exists (
               select from waitlist_offers o
               where o.clinic_id = waitlist_entries.clinic_id and o.entry_id = waitlist_entries.id and o.state = 'open'
           )",
        clinic.0,
        today.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}
