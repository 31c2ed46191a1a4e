//! What a full clinic looks like in the middle of a day: visits that took place, patients who wait, messages sent and due.

use domain::{AppointmentId, ClinicId, PatientId, PractitionerId, Redacted};
use service::random::SystemRandom;
use sqlx::PgPool;
use uuid::Uuid;

/// Of everybody who signs in.
pub const PASSWORD: &str = "correct horse battery staple";

/// How many events the history has.
const EVENTS: i32 = 2_000;

/// An appointment that the pages show.
#[derive(Debug, Clone, Copy)]
pub struct Visit {
    /// Which.
    pub visit: AppointmentId,
    /// For whom.
    pub patient: PatientId,
    /// With whom.
    pub practitioner: PractitionerId,
    /// On which day.
    pub date: jiff::civil::Date,
}

/// Each with `$1`, the clinic.
const DAY: &[&str] = &[
    // Five practitioners never work without an interpreter, ten have a room.
    "insert into resources (clinic_id, id, kind, name, languages)
     select $1, gen_random_uuid(), 'interpreter', 'Interpreter ' || n, '{en,pt}'::text[] from generate_series(1, 5) n
     union all
     select $1, gen_random_uuid(), 'room', 'Room ' || n, '{}'::text[] from generate_series(1, 10) n",
    "with p as (select id, row_number() over (order by id) as n from practitioners where clinic_id = $1),
          r as (select id, kind, row_number() over (partition by kind order by id) as n from resources where clinic_id = $1)
     insert into reservations (clinic_id, appointment_id, resource_kind, resource_id, during)
     select $1, a.id, r.kind, r.id, tstzrange(a.starts_at, a.ends_at)
     from appointments a join p on p.id = a.practitioner_id join r on r.n = p.n
     where a.clinic_id = $1",
    // One in twenty is called off, one in thirty of those before today was missed, the others took place.
    "with cancelled as (
         update appointments set state = 'cancelled', cancel_reason = 'Away', cancelled_by = 'patient'
         where clinic_id = $1 and random() < 0.05 returning id
     )
     update reservations r set active = false from cancelled where r.clinic_id = $1 and r.appointment_id = cancelled.id",
    "with missed as (
         update appointments set state = 'noshow', absent = 'patient'
         where clinic_id = $1 and state = 'booked' and ends_at < now() and random() < 0.03 returning id
     )
     update reservations r set active = false from missed where r.clinic_id = $1 and r.appointment_id = missed.id",
    "with held as (
         update appointments set state = 'fulfilled'
         where clinic_id = $1 and state = 'booked' and ends_at < now() returning id, starts_at, ends_at
     ),
     seats as (
         insert into seats (clinic_id, appointment_id, arrived_at, last_seen_at)
         select $1, id, starts_at - interval '5 minutes', starts_at from held
     )
     insert into encounters (clinic_id, id, appointment_id, state, started_at, finished_at, room_id)
     select $1, gen_random_uuid(), id, 'finished', starts_at, ends_at, gen_random_uuid() from held",
    "with here as (
         update appointments set state = 'arrived'
         where clinic_id = $1 and state = 'booked' and starts_at between now() - interval '30 minutes' and now() + interval '10 minutes'
         returning id
     )
     insert into seats (clinic_id, appointment_id, arrived_at, last_seen_at)
     select $1, id, now() - interval '8 minutes', now() from here",
    // Each visit of these weeks was confirmed to its patient and is reminded of, by e-mail and by text message.
    "insert into outbox (clinic_id, appointment_id, kind, ahead_minutes, version, channel, due_at, next_attempt_at, written_at,
                         state, settled_at)
     select $1, a.id, m.kind, m.ahead, 0, c.channel, at.due, at.due, now(), s.state, case when s.state = 'sent' then at.due end
     from appointments a
     cross join (values ('confirmation', 0), ('reminder', 1440), ('reminder', 60), ('reminder', 10)) as m (kind, ahead)
     cross join (values ('email'), ('sms')) as c (channel)
     cross join lateral (
         select case when m.ahead = 0 then now() - interval '2 days' else a.starts_at - make_interval(mins => m.ahead) end as due
     ) at
     cross join lateral (select case when at.due < now() then 'sent' else 'waiting' end as state) s
     where a.clinic_id = $1 and a.starts_at between now() - interval '2 days' and now() + interval '14 days' and a.state <> 'cancelled'",
    "insert into waitlist_entries (clinic_id, id, patient_id, visit_type_id, from_date, to_date, state, added_at)
     select $1, gen_random_uuid(), p.id, t.id, current_date, current_date + 14, 'waiting', now()
     from (select id from patients where clinic_id = $1 order by id limit 40) p, visit_types t
     where t.clinic_id = $1",
];

/// The address of somebody who signs in.
pub fn email(role: &str) -> String {
    format!("{role}@bench.example")
}

/// Makes a day of it.
pub async fn fill(superuser: &PgPool, clinic: ClinicId) -> anyhow::Result<()> {
    for sql in DAY {
        sqlx::query(*sql).bind(clinic.0).execute(superuser).await?;
    }
    let hash = web::hash_password(&SystemRandom, &Redacted::new(PASSWORD.to_owned()));
    for role in ["receptionist", "administrator", "practitioner"] {
        let sql = "insert into accounts (clinic_id, id, role, name, email, password_hash, practitioner_id)
                   select $1, gen_random_uuid(), $2, 'Robin Desk', $3, $4,
                          case when $2 = 'practitioner' then (select id from practitioners where clinic_id = $1 order by id limit 1) end";
        sqlx::query(sql).bind(clinic.0).bind(role).bind(email(role)).bind(hash.expose()).execute(superuser).await?;
    }
    history(superuser, clinic).await
}

/// The chain is written by its trigger, a hundred events at a time, as it acts on behalf of the clinic.
async fn history(superuser: &PgPool, clinic: ClinicId) -> anyhow::Result<()> {
    for _ in 0..EVENTS / 100 {
        let mut tx = superuser.begin().await?;
        sqlx::query("select set_config('bedside.clinic_id', $1::text, true)")
            .bind(clinic.0.to_string())
            .execute(&mut *tx)
            .await?;
        let sql = "insert into audit_events (clinic_id, actor_kind, action, appointment_id, patient_id)
                   select $1, 'service', 'appointment.booked', id, patient_id from appointments where clinic_id = $1 limit 100";
        sqlx::query(sql).bind(clinic.0).execute(&mut *tx).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// A visit that begins so soon that its patient may arrive.
pub async fn soon(superuser: &PgPool, clinic: ClinicId) -> anyhow::Result<Visit> {
    let sql = "update appointments set starts_at = now() + interval '10 minutes', ends_at = now() + interval '40 minutes'
               where id = (select id from appointments where clinic_id = $1 and state = 'booked' and starts_at > now() order by starts_at, id limit 1)
               returning id, patient_id, practitioner_id, current_date::text";
    visit(sql, superuser, clinic).await
}

/// A visit of the next day.
pub async fn tomorrow(superuser: &PgPool, clinic: ClinicId) -> anyhow::Result<Visit> {
    let sql = "select id, patient_id, practitioner_id, wall_time::date::text
               from appointments
               where clinic_id = $1 and state = 'booked' and starts_at >= now() + interval '20 hours'
               order by starts_at, id
               limit 1";
    visit(sql, superuser, clinic).await
}

async fn visit(sql: &'static str, superuser: &PgPool, clinic: ClinicId) -> anyhow::Result<Visit> {
    let row: (Uuid, Uuid, Uuid, String) = sqlx::query_as(sql).bind(clinic.0).fetch_one(superuser).await?;
    Ok(Visit {
        visit: AppointmentId(row.0),
        patient: PatientId(row.1),
        practitioner: PractitionerId(row.2),
        date: row.3.parse()?,
    })
}
