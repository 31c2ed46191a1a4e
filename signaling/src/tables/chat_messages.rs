//! `chat_messages`: what was written in a consultation.

use domain::{ChatMessageId, ClinicId, EncounterId, EncounterState, ParticipantId, Redacted};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

/// How many messages one consultation keeps; the next is refused. Far more than people write in one.
const MAX_PER_ENCOUNTER: i64 = 1_000;

/// How many messages, the newest, a page is told on entering.
const HISTORY: i64 = 100;

/// A message without its writer's name, which stands elsewhere.
pub(crate) struct Written {
    pub(crate) id: ChatMessageId,
    pub(crate) from: ParticipantId,
    pub(crate) text: Redacted<String>,
    pub(crate) at: Timestamp,
}

/// Keeps a message, once however often it is sent. `false` when it is not kept: the consultation is over, or full.
pub(crate) async fn add(
    connection: &mut PgConnection,
    clinic: ClinicId,
    encounter: EncounterId,
    message: &Written,
) -> Result<bool, sqlx::Error> {
    let is_kept = sqlx::query_scalar!(
        r#"with open as (
               select id
               from encounters
               where clinic_id = $1 and id = $2 and state = $7
               for share
           ),
           added as (
               insert into chat_messages (clinic_id, encounter_id, id, participant_id, text, written_at)
               select $1, open.id, $3, $4, $5, $6
               from open
               where (select count(*) from chat_messages where clinic_id = $1 and encounter_id = $2) < $8
               on conflict on constraint chat_messages_once do nothing
               returning id
           )
           select exists (select from added)
               or exists (
                   select
                   from chat_messages
                   where clinic_id = $1 and encounter_id = $2 and id = $3 and participant_id = $4
               ) as "is_kept!""#,
        clinic.0,
        encounter.0,
        message.id.0,
        message.from.0,
        message.text.expose(),
        message.at.to_sqlx() as _,
        EncounterState::InProgress.as_str(),
        MAX_PER_ENCOUNTER,
    )
    .fetch_one(connection)
    .await?;
    Ok(is_kept)
}

/// The newest messages of a consultation, oldest first.
pub(crate) async fn newest(
    connection: &mut PgConnection,
    clinic: ClinicId,
    encounter: EncounterId,
) -> Result<Vec<Written>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select
               id as "id: ChatMessageId",
               participant_id as "participant_id: ParticipantId",
               text,
               written_at as "written_at: jiff_sqlx::Timestamp"
           from chat_messages
           where clinic_id = $1 and encounter_id = $2
           order by position desc
           limit $3"#,
        clinic.0,
        encounter.0,
        HISTORY,
    )
    .fetch_all(connection)
    .await?;
    let written = rows.into_iter().rev().map(|row| Written {
        id: row.id,
        from: row.participant_id,
        text: Redacted::new(row.text),
        at: row.written_at.to_jiff(),
    });
    Ok(written.collect())
}

/// Where a consultation stands, and how many messages it has; one query, asked every few seconds for each room.
pub(crate) async fn state_and_count(
    connection: &mut PgConnection,
    clinic: ClinicId,
    encounter: EncounterId,
) -> Result<Option<(EncounterState, i64)>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select
               state as "state: EncounterState",
               (select count(*) from chat_messages m where m.clinic_id = $1 and m.encounter_id = $2) as "messages!"
           from encounters
           where clinic_id = $1 and id = $2"#,
        clinic.0,
        encounter.0,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| (row.state, row.messages)))
}
