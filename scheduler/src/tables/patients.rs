//! `patients`.

use crate::{facts::PatientPlace, views::PatientView};
use domain::{ClinicId, PatientId};
use jiff::{Timestamp, civil::Date};
use jiff_sqlx::ToSqlx as _;
use service::postgres::one_row;
use sqlx::PgConnection;

/// A patient to be written, with what is compared when somebody types.
pub(crate) struct New<'a> {
    pub(crate) id: PatientId,
    pub(crate) name: &'a str,
    pub(crate) birth_date: Date,
    pub(crate) phone: Option<&'a str>,
    pub(crate) email: Option<&'a str>,
    pub(crate) name_key: &'a str,
    pub(crate) phone_key: &'a str,
    pub(crate) added_at: Timestamp,
}

struct Row {
    id: PatientId,
    name: String,
    birth_date: jiff_sqlx::Date,
    phone: Option<String>,
    email: Option<String>,
}

impl From<Row> for PatientView {
    fn from(row: Row) -> Self {
        Self { id: row.id, name: row.name, birth_date: row.birth_date.to_jiff(), phone: row.phone, email: row.email }
    }
}

/// Adds a patient.
pub(crate) async fn add(connection: &mut PgConnection, clinic: ClinicId, new: &New<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into patients (clinic_id, id, name, birth_date, phone, email, name_key, phone_key, added_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        clinic.0,
        new.id.0,
        new.name,
        new.birth_date.to_sqlx() as _,
        new.phone,
        new.email,
        new.name_key,
        new.phone_key,
        new.added_at.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One patient.
pub(crate) async fn find(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: PatientId,
) -> Result<Option<PatientView>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"select id as "id: PatientId", name, birth_date as "birth_date: jiff_sqlx::Date", phone, email
           from patients
           where clinic_id = $1 and id = $2"#,
        clinic.0,
        id.0,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(PatientView::from))
}

/// Whose clock the patient lives by, as an IANA name, when they have told us.
pub(crate) async fn time_zone(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: PatientId,
) -> Result<Option<String>, sqlx::Error> {
    let zone = sqlx::query_scalar!("select time_zone from patients where clinic_id = $1 and id = $2", clinic.0, id.0);
    Ok(zone.fetch_optional(connection).await?.flatten())
}

/// An address that somebody has shown to be theirs.
#[derive(Clone, Copy)]
pub(crate) enum Reached<'a> {
    /// An e-mail address, whatever its case.
    Email(&'a str),
    /// The digits of a phone number. One in international notation and one from home share their last nine.
    Phone(&'a str),
}

/// The patient of this name and date of birth who is reached at this address; of several the one added first.
pub(crate) async fn recognize(
    connection: &mut PgConnection,
    clinic: ClinicId,
    name_key: &str,
    birth_date: Date,
    reached: Reached<'_>,
) -> Result<Option<PatientId>, sqlx::Error> {
    let (email, phone) = match reached {
        Reached::Email(email) => (Some(email), None),
        Reached::Phone(digits) => (None, Some(digits)),
    };
    sqlx::query_scalar!(
        r#"select id as "id: PatientId"
           from patients
           where clinic_id = $1
             and name_key = $2
             and birth_date = $3
             and (lower(email) = lower($4) or right(phone_key, 9) = right($5, 9))
           order by added_at, id
           limit 1"#,
        clinic.0,
        name_key,
        birth_date.to_sqlx() as _,
        email,
        phone,
    )
    .fetch_optional(connection)
    .await
}

/// Notes the language and the zone of a patient where none is known yet.
pub(crate) async fn note_origin(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: PatientId,
    language: Option<&str>,
    time_zone: Option<&str>,
) -> Result<(), sqlx::Error> {
    let result = sqlx::query!(
        "update patients
         set language = coalesce(language, $3), time_zone = coalesce(time_zone, $4)
         where clinic_id = $1 and id = $2",
        clinic.0,
        id.0,
        language,
        time_zone,
    )
    .execute(connection)
    .await?;
    one_row(&result)
}

/// Patients who match every given pattern: name patterns for `like`, one of the dates, digits within the phone number.
pub(crate) async fn search(
    connection: &mut PgConnection,
    clinic: ClinicId,
    names: &[String],
    birth_dates: &[Date],
    phone: Option<&str>,
    limit: i64,
) -> Result<Vec<PatientView>, sqlx::Error> {
    let birth_dates: Vec<_> = birth_dates.iter().map(Date::to_string).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"select id as "id: PatientId", name, birth_date as "birth_date: jiff_sqlx::Date", phone, email
           from patients
           where clinic_id = $1
             and name_key like all ($2::text[])
             and (cardinality($3::text[]) = 0 or birth_date = any ($3::text[]::date[]))
             and ($4::text is null or phone_key like '%' || $4 || '%')
           order by name_key, birth_date, id
           limit $5"#,
        clinic.0,
        names,
        &birth_dates,
        phone,
        limit,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(PatientView::from).collect())
}

/// Patients in the order in which they were added, after one of them; each with its place.
pub(crate) async fn page(
    connection: &mut PgConnection,
    clinic: ClinicId,
    after: Option<PatientPlace>,
    limit: i64,
) -> Result<Vec<(PatientView, PatientPlace)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select
               id as "id: PatientId",
               name,
               birth_date as "birth_date: jiff_sqlx::Date",
               phone,
               email,
               added_at as "added_at: jiff_sqlx::Timestamp"
           from patients
           where clinic_id = $1
             and ($2::timestamptz is null or (added_at, id) > ($2, $3))
           order by added_at, id
           limit $4"#,
        clinic.0,
        after.map(|(at, _)| at.to_sqlx()) as _,
        after.map(|(_, id)| id.0),
        limit,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let place = (row.added_at.to_jiff(), row.id);
            let (id, name, phone, email) = (row.id, row.name, row.phone, row.email);
            (PatientView { id, name, birth_date: row.birth_date.to_jiff(), phone, email }, place)
        })
        .collect())
}
