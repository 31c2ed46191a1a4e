//! `self_bookings`: what is kept between choosing a time and confirming it.

use crate::{
    self_booking::{Applicant, SelfBookingView},
    tables::practitioners,
};
use domain::{AppointmentId, ClinicId, HoldId, PractitionerId, SelfBookingId, VisitTypeId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use service::postgres::one_row;
use sqlx::PgConnection;

/// The time that was chosen, and the hold that keeps it.
pub(crate) struct Kept {
    pub(crate) visit_type: VisitTypeId,
    pub(crate) practitioner: PractitionerId,
    pub(crate) starts_at: Timestamp,
    pub(crate) ends_at: Timestamp,
    pub(crate) hold: HoldId,
    pub(crate) until: Timestamp,
}

/// Somebody has chosen a time.
pub(crate) async fn add(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: SelfBookingId,
    kept: &Kept,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into self_bookings (clinic_id, id, visit_type_id, practitioner_id, starts_at, ends_at,
                                    hold_id, kept_until, begun_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        clinic.0,
        id.0,
        kept.visit_type.0,
        kept.practitioner.0,
        kept.starts_at.to_sqlx() as _,
        kept.ends_at.to_sqlx() as _,
        kept.hold.0,
        kept.until.to_sqlx() as _,
        now.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// They have chosen another time, or the same anew. Whoever they said they are stays.
pub(crate) async fn keep(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: SelfBookingId,
    kept: &Kept,
) -> Result<(), sqlx::Error> {
    let result = sqlx::query!(
        "update self_bookings
         set visit_type_id = $3, practitioner_id = $4, starts_at = $5, ends_at = $6, hold_id = $7, kept_until = $8
         where clinic_id = $1 and id = $2 and appointment_id is null",
        clinic.0,
        id.0,
        kept.visit_type.0,
        kept.practitioner.0,
        kept.starts_at.to_sqlx() as _,
        kept.ends_at.to_sqlx() as _,
        kept.hold.0,
        kept.until.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    one_row(&result)
}

/// They have said who they are.
pub(crate) async fn name(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: SelfBookingId,
    who: &Applicant,
) -> Result<(), sqlx::Error> {
    let result = sqlx::query!(
        "update self_bookings
         set name = $3, birth_date = $4, email = $5, phone = $6, language = $7, time_zone = $8
         where clinic_id = $1 and id = $2 and appointment_id is null",
        clinic.0,
        id.0,
        who.name,
        who.birth_date.to_sqlx() as _,
        who.email,
        who.phone,
        who.language,
        who.time_zone,
    )
    .execute(connection)
    .await?;
    one_row(&result)
}

/// A message is written: its link is good, those before are not any more. The version of the new one.
pub(crate) async fn renew_link(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: SelfBookingId,
) -> Result<i16, sqlx::Error> {
    sqlx::query_scalar!(
        "update self_bookings
         set link_version = link_version + 1
         where clinic_id = $1 and id = $2 and appointment_id is null
         returning link_version",
        clinic.0,
        id.0,
    )
    .fetch_one(connection)
    .await
}

/// An appointment came of it.
pub(crate) async fn confirm(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: SelfBookingId,
    appointment: AppointmentId,
) -> Result<(), sqlx::Error> {
    let result = sqlx::query!(
        "update self_bookings
         set appointment_id = $3
         where clinic_id = $1 and id = $2 and appointment_id is null",
        clinic.0,
        id.0,
        appointment.0,
    )
    .execute(connection)
    .await?;
    one_row(&result)
}

/// Whose clinic a link's row belongs to. Goes through a door; the link's signature was checked before.
pub(crate) async fn find_clinic(
    connection: &mut PgConnection,
    id: SelfBookingId,
    link_version: i16,
) -> Result<Option<ClinicId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select clinic_id as "clinic_id!: ClinicId" from find_self_booking($1, $2)"#,
        id.0,
        link_version,
    )
    .fetch_optional(connection)
    .await
}

/// One, as it stands; others who would change it wait until the transaction ends.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: SelfBookingId,
) -> Result<Option<SelfBookingView>, sqlx::Error> {
    sqlx::query!("select id from self_bookings where clinic_id = $1 and id = $2 for update", clinic.0, id.0)
        .fetch_optional(&mut *connection)
        .await?;
    find(connection, clinic, id).await
}

/// One, as it stands. Whether its time is kept is decided by the database's clock.
pub(crate) async fn find(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: SelfBookingId,
) -> Result<Option<SelfBookingView>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select
               t.id as "visit_type: VisitTypeId",
               t.name as visit_type_name,
               d.id as "practitioner: PractitionerId",
               d.title,
               d.given_name,
               d.family_name,
               d.speciality,
               b.starts_at as "starts_at: jiff_sqlx::Timestamp",
               b.ends_at as "ends_at: jiff_sqlx::Timestamp",
               b.kept_until as "kept_until: jiff_sqlx::Timestamp",
               h.id as "hold?: HoldId",
               b.name,
               b.birth_date as "birth_date: jiff_sqlx::Date",
               b.email,
               b.phone,
               b.language,
               b.time_zone,
               b.link_version,
               b.appointment_id as "appointment: AppointmentId"
           from self_bookings b
           join visit_types t on t.clinic_id = b.clinic_id and t.id = b.visit_type_id
           join practitioners d on d.clinic_id = b.clinic_id and d.id = b.practitioner_id
           left join holds h on h.clinic_id = b.clinic_id and h.id = b.hold_id and h.expires_at > now()
           where b.clinic_id = $1 and b.id = $2"#,
        clinic.0,
        id.0,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| SelfBookingView {
        id,
        clinic,
        visit_type: row.visit_type,
        visit_type_name: row.visit_type_name,
        practitioner: practitioners::view(
            row.practitioner,
            &row.title,
            &row.given_name,
            &row.family_name,
            row.speciality,
        ),
        starts_at: row.starts_at.to_jiff(),
        ends_at: row.ends_at.to_jiff(),
        kept_until: row.kept_until.to_jiff(),
        hold: row.hold,
        applicant: row.name.zip(row.birth_date).map(|(name, birth_date)| Applicant {
            name,
            birth_date: birth_date.to_jiff(),
            email: row.email,
            phone: row.phone,
            language: row.language,
            time_zone: row.time_zone,
        }),
        link_version: row.link_version,
        appointment: row.appointment,
    }))
}

/// Forgets those that began before `before`, and whoever they named.
pub(crate) async fn purge(
    connection: &mut PgConnection,
    clinic: ClinicId,
    before: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from self_bookings
         where clinic_id = $1 and begun_at < $2",
        clinic.0,
        before.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}
