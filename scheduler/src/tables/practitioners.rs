//! `practitioners`.

use crate::views::PractitionerView;
use domain::{ClinicId, PractitionerId};
use sqlx::PgConnection;

/// The clinic's practitioners by family name.
pub(crate) async fn list(
    connection: &mut PgConnection,
    clinic: ClinicId,
) -> Result<Vec<PractitionerView>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id as "id: PractitionerId", title, given_name, family_name, speciality
           from practitioners
           where clinic_id = $1
           order by family_name, given_name"#,
        clinic.0,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| view(row.id, &row.title, &row.given_name, &row.family_name, row.speciality))
        .collect())
}

/// Those of some practitioners who speak a language: the same, or one that is a part of it or that it is a part of (`pt`, `pt-br`).
pub(crate) async fn who_speak(
    connection: &mut PgConnection,
    clinic: ClinicId,
    practitioners: &[PractitionerId],
    language: &str,
) -> Result<Vec<PractitionerId>, sqlx::Error> {
    let practitioners: Vec<_> = practitioners.iter().map(|id| id.0).collect();
    sqlx::query_scalar!(
        r#"select id as "id: PractitionerId"
           from practitioners
           where clinic_id = $1
             and id = any ($2)
             and exists (
                 select
                 from unnest(languages) language
                 where starts_with(language || '-', $3 || '-') or starts_with($3 || '-', language || '-')
             )"#,
        clinic.0,
        &practitioners,
        language.to_lowercase(),
    )
    .fetch_all(connection)
    .await
}

/// Whether the practitioner is one of the clinic's.
pub(crate) async fn exists(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: PractitionerId,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from practitioners where clinic_id = $1 and id = $2) as "exists!""#,
        clinic.0,
        id.0,
    )
    .fetch_one(connection)
    .await
}

/// Adds a practitioner: title, given name, family name, speciality; and the languages they see patients in.
pub(crate) async fn add(
    connection: &mut PgConnection,
    clinic: ClinicId,
    id: PractitionerId,
    [title, given_name, family_name, speciality]: [&str; 4],
    languages: &[String],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into practitioners (clinic_id, id, title, given_name, family_name, speciality, languages)
         values ($1, $2, $3, $4, $5, $6, $7)",
        clinic.0,
        id.0,
        title,
        given_name,
        family_name,
        speciality,
        languages,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// How pages address a practitioner.
pub(crate) fn view(
    id: PractitionerId,
    title: &str,
    given_name: &str,
    family_name: &str,
    speciality: String,
) -> PractitionerView {
    PractitionerView {
        id,
        title_and_name: format!("{title} {given_name} {family_name}").trim().to_owned(),
        short: format!("{title} {family_name}").trim().to_owned(),
        speciality,
    }
}
