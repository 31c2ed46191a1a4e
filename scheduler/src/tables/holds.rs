//! `holds`: times kept for somebody who is still filling in a form. They end by the database's clock.

use domain::{AccountId, ClinicId, HoldId, PatientId, PractitionerId, VisitTypeId};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

/// A hold to be written.
pub(crate) struct New {
    pub(crate) id: HoldId,
    pub(crate) practitioner: PractitionerId,
    pub(crate) visit_type: VisitTypeId,
    pub(crate) starts_at: Timestamp,
    pub(crate) ends_at: Timestamp,
    /// The only one who may have the time, if that is settled already.
    pub(crate) patient: Option<PatientId>,
    /// Who fills in the form, if they have an account.
    pub(crate) held_by: Option<AccountId>,
}

/// A time that is held, as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldTime {
    /// Whose time.
    pub practitioner: PractitionerId,
    /// From when.
    pub starts_at: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
    /// Who fills in the form, by name; nobody with an account otherwise.
    pub held_by: Option<String>,
    /// It is offered to somebody of the waitlist.
    pub is_offered: bool,
}

/// What is held of some practitioners' time between two instants, by the database's clock.
pub(crate) async fn between(
    connection: &mut PgConnection,
    clinic: ClinicId,
    practitioners: &[PractitionerId],
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<HeldTime>, sqlx::Error> {
    let practitioners: Vec<_> = practitioners.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select
               h.practitioner_id as "practitioner: PractitionerId",
               h.starts_at as "starts_at: jiff_sqlx::Timestamp",
               h.ends_at as "ends_at: jiff_sqlx::Timestamp",
               a.name as "held_by?",
               exists (
                   select from waitlist_offers w where w.clinic_id = h.clinic_id and w.hold_id = h.id
               ) as "is_offered!"
           from holds h
           left join accounts a on a.clinic_id = h.clinic_id and a.id = h.held_by
           where h.clinic_id = $1
             and h.practitioner_id = any ($2)
             and h.starts_at < $4
             and h.ends_at > $3
             and h.expires_at > now()
           order by h.starts_at, h.id"#,
        clinic.0,
        &practitioners,
        from.to_sqlx() as _,
        to.to_sqlx() as _,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| HeldTime {
            practitioner: row.practitioner,
            starts_at: row.starts_at.to_jiff(),
            ends_at: row.ends_at.to_jiff(),
            held_by: row.held_by,
            is_offered: row.is_offered,
        })
        .collect())
}

/// An id that nobody can guess, for what comes of a step that brings no randomness along.
pub(crate) async fn new_id(connection: &mut PgConnection) -> Result<Uuid, sqlx::Error> {
    sqlx::query_scalar!(r#"select gen_random_uuid() as "id!""#).fetch_one(connection).await
}

/// Adds a hold that lasts from now on for `lifetime`; says until when.
pub(crate) async fn add(
    connection: &mut PgConnection,
    clinic: ClinicId,
    new: &New,
    lifetime: SignedDuration,
) -> Result<Timestamp, sqlx::Error> {
    let expires_at = sqlx::query_scalar!(
        r#"insert into holds (clinic_id, id, practitioner_id, visit_type_id, starts_at, ends_at, patient_id, held_by, expires_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, now() + make_interval(secs => $9))
           returning expires_at as "expires_at: jiff_sqlx::Timestamp""#,
        clinic.0,
        new.id.0,
        new.practitioner.0,
        new.visit_type.0,
        new.starts_at.to_sqlx() as _,
        new.ends_at.to_sqlx() as _,
        new.patient.map(|id| id.0),
        new.held_by.map(|id| id.0),
        lifetime.as_secs_f64(),
    )
    .fetch_one(connection)
    .await?;
    Ok(expires_at.to_jiff())
}

/// Ends a hold that lasts still and is for this visit of this patient; whether there was one.
pub(crate) async fn consume(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: HoldId,
    practitioner: PractitionerId,
    visit_type: VisitTypeId,
    starts_at: Timestamp,
    patient: PatientId,
) -> Result<bool, sqlx::Error> {
    let result = sqlx::query!(
        "delete from holds
         where clinic_id = $1
           and id = $2
           and practitioner_id = $3
           and visit_type_id = $4
           and starts_at = $5
           and coalesce(patient_id, $6) = $6
           and expires_at > now()",
        clinic.0,
        id.0,
        practitioner.0,
        visit_type.0,
        starts_at.to_sqlx() as _,
        patient.0,
    )
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Ends these holds, whether or not they last still.
pub(crate) async fn end(connection: &mut PgConnection, clinic: ClinicId, ids: &[HoldId]) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    sqlx::query!("delete from holds where clinic_id = $1 and id = any($2)", clinic.0, &ids).execute(connection).await?;
    Ok(())
}

/// Whose time a hold keeps.
pub(crate) async fn practitioner(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: HoldId,
) -> Result<Option<PractitionerId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select practitioner_id as "practitioner_id: PractitionerId" from holds where clinic_id = $1 and id = $2"#,
        clinic.0,
        id.0,
    )
    .fetch_optional(connection)
    .await
}

/// How many last still.
pub(crate) async fn count(connection: &mut PgConnection, clinic: ClinicId) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from holds where clinic_id = $1 and expires_at > now()"#,
        clinic.0,
    )
    .fetch_one(connection)
    .await
}

/// Throws away what expired longer than `age` ago. What expired just now is left to whoever wants its time, and holds its locks.
pub(crate) async fn purge(
    connection: &mut PgConnection,
    clinic: ClinicId,
    age: SignedDuration,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from holds where clinic_id = $1 and expires_at <= now() - make_interval(secs => $2)",
        clinic.0,
        age.as_secs_f64(),
    )
    .execute(connection)
    .await?;
    Ok(())
}
