//! `presences`: who was where, and when.

use crate::presence::{Place, Presence, Present};
use domain::{AppointmentId, ClinicId, EncounterId, ParticipantId};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

/// Who is not seen for longer than this was away: a page that is loaded again is back within seconds.
pub(crate) const GAP: SignedDuration = SignedDuration::from_mins(2);

/// Somebody is seen: their interval grows, or a new one begins after a [`GAP`].
pub(crate) async fn seen(
    connection: &mut PgConnection,
    clinic: ClinicId,
    appointment: AppointmentId,
    (who, place): (Present, Place),
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with grown as (
             update presences
             set last_seen_at = greatest(last_seen_at, $5)
             where clinic_id = $1
               and id = (
                   select id
                   from presences
                   where clinic_id = $1 and appointment_id = $2 and who = $3 and place = $4 and last_seen_at >= $6
                   order by last_seen_at desc
                   limit 1
               )
             returning id
         )
         insert into presences (clinic_id, appointment_id, who, place, began_at, last_seen_at)
         select $1, $2, $3, $4, $5, $5
         where not exists (select from grown)",
        clinic.0,
        appointment.0,
        who as _,
        place as _,
        now.to_sqlx() as _,
        (now - GAP).to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Of some participants of an encounter, who they are, and of which appointment.
pub(crate) async fn of_participants(
    connection: &mut PgConnection,
    clinic: ClinicId,
    encounter: EncounterId,
    participants: &[ParticipantId],
) -> Result<Vec<(AppointmentId, Present)>, sqlx::Error> {
    let ids: Vec<_> = participants.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select e.appointment_id as "appointment: AppointmentId", p.role as "who: Present"
           from participants p
           join encounters e on e.clinic_id = p.clinic_id and e.id = p.encounter_id
           where p.clinic_id = $1 and p.encounter_id = $2 and p.id = any ($3) and p.role in ('patient', 'practitioner')
           order by p.role"#,
        clinic.0,
        encounter.0,
        &ids,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.appointment, row.who)).collect())
}

/// The intervals of an appointment, in the order in which they began.
pub(crate) async fn of_appointment(
    connection: &mut PgConnection,
    clinic: ClinicId,
    appointment: AppointmentId,
) -> Result<Vec<Presence>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select
               who as "who: Present",
               place as "place: Place",
               began_at as "began_at: jiff_sqlx::Timestamp",
               last_seen_at as "last_seen_at: jiff_sqlx::Timestamp"
           from presences
           where clinic_id = $1 and appointment_id = $2
           order by began_at, who, place"#,
        clinic.0,
        appointment.0,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Presence {
            who: row.who,
            place: row.place,
            began_at: row.began_at.to_jiff(),
            last_seen_at: row.last_seen_at.to_jiff(),
        })
        .collect())
}
