//! A clinic whose calendars are full: so many practitioners, each slot of each of their days booked but for a few.

use domain::{ClinicId, VisitTypeId};
use jiff::civil::Date;
use sqlx::PgPool;
use uuid::Uuid;

/// What a full clinic has.
#[derive(Debug, Clone)]
pub struct FullClinic {
    /// Which.
    pub clinic: ClinicId,
    /// What is booked: half an hour.
    pub visit_type: VisitTypeId,
    /// Of its wall clocks, by its IANA name.
    pub zone: String,
    /// How many work there.
    pub practitioners: i32,
    /// How many patients they have.
    pub patients: i32,
    /// When their days begin and end, in minutes after midnight.
    pub hours: (i16, i16),
    /// On how many days of a week, from Monday on.
    pub weekdays: i16,
    /// The first day on which visits are booked.
    pub from: Date,
    /// The last one.
    pub to: Date,
    /// How many in a hundred slots are booked.
    pub booked: i32,
}

/// Everybody and their hours. A practitioner is away for five days of each quarter of a year.
const PEOPLE: &[&str] = &[
    "insert into clinics (id, name, time_zone, phone) values ($1, 'Bench', $11, '020 7946 0000')",
    "insert into visit_types (clinic_id, id, name, minutes, is_public) values ($1, $2, 'Consultation', 30, true)",
    "insert into patients (clinic_id, id, name, birth_date, phone, email, name_key, phone_key, added_at)
     select $1, gen_random_uuid(), 'Patient Number ' || n, date '1940-01-01' + n % 25000, '07700 900' || lpad((n % 1000)::text, 3, '0'),
            'patient' || n || '@example.org', ' patient number ' || n, '07700900' || lpad((n % 1000)::text, 3, '0'), now()
     from generate_series(1, $4) n",
    "insert into practitioners (clinic_id, id, title, given_name, family_name, speciality)
     select $1, gen_random_uuid(), 'Dr', 'Ann', 'Number ' || n, 'General practice' from generate_series(1, $3) n",
    "insert into practitioner_visit_types (clinic_id, practitioner_id, visit_type_id)
     select clinic_id, id, $2 from practitioners where clinic_id = $1",
    "insert into schedules (clinic_id, id, practitioner_id, weekday, from_minute, to_minute, slot_minutes, time_zone)
     select clinic_id, gen_random_uuid(), id, weekday, $5, $6, 30, $11
     from practitioners, generate_series(1, $7) weekday
     where clinic_id = $1",
    "insert into schedule_exceptions (clinic_id, id, practitioner_id, kind, reason, time_zone, wall_from, wall_to, starts_at,
                                      ends_at, added_at)
     select clinic_id, gen_random_uuid(), id, 'closed', 'Away', $11, day, day + interval '5 days',
            day at time zone $11, (day + interval '5 days') at time zone $11, now()
     from practitioners, generate_series($8::date + interval '6 weeks', $9::date, interval '13 weeks') day
     where clinic_id = $1",
];

/// Every visit with what keeps its time; those who are booked are taken from the patients in turn.
const VISITS: &[&str] = &[
    "create temporary table booked as
     with practitioners as (select id, row_number() over (order by id) as n from practitioners where clinic_id = $1),
          patients as (select id, row_number() over (order by id) - 1 as n from patients where clinic_id = $1),
          slots as (
              select p.id as practitioner, wall, row_number() over (order by wall, p.n) as n
              from practitioners p,
                   generate_series($8::date::timestamp, $9::date::timestamp, interval '1 day') day,
                   generate_series(day + make_interval(mins => $5), day + make_interval(mins => $6 - 30), interval '30 minutes') wall
              where extract(isodow from day) <= $7 and random() * 100 < $10
          )
     select gen_random_uuid() as id, s.practitioner, t.id as patient, s.wall, s.wall at time zone $11 as starts_at
     from slots s join patients t on t.n = s.n % $4",
    "insert into appointments (clinic_id, id, patient_id, practitioner_id, visit_type_id, state, starts_at, ends_at, wall_time,
                               time_zone, booked_at)
     select $1, id, patient, practitioner, $2, 'booked', starts_at, starts_at + interval '30 minutes', wall, $11, now()
     from booked",
    "insert into reservations (clinic_id, appointment_id, resource_kind, resource_id, during)
     select $1, id, kind, resource, tstzrange(starts_at, starts_at + interval '30 minutes')
     from booked, lateral (values ('practitioner', practitioner), ('patient', patient)) as v (kind, resource)",
    "drop table booked",
];

impl FullClinic {
    /// Writes it, past the use-cases: hundreds of thousands of visits are no subject here. Says how many visits are booked.
    ///
    /// Practitioners are at most as many as patients: otherwise a patient would be booked twice at one time.
    pub async fn settle(&self, superuser: &PgPool) -> anyhow::Result<i64> {
        anyhow::ensure!(self.practitioners <= self.patients, "more practitioners than patients");
        let mut connection = superuser.acquire().await?;
        for sql in PEOPLE.iter().chain(VISITS) {
            let sql = self.spell_out(sql);
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *connection).await?;
        }
        let sql = "select count(*) from appointments where clinic_id = $1";
        Ok(sqlx::query_scalar(sql).bind(self.clinic.0).fetch_one(&mut *connection).await?)
    }

    /// A statement with its numbers in it: whichever it has, of whatever types they are there.
    fn spell_out(&self, sql: &str) -> String {
        let quoted = |id: Uuid| format!("'{id}'::uuid");
        let values = [
            quoted(self.clinic.0),
            quoted(self.visit_type.0),
            self.practitioners.to_string(),
            self.patients.to_string(),
            self.hours.0.to_string(),
            self.hours.1.to_string(),
            self.weekdays.to_string(),
            format!("'{}'", self.from),
            format!("'{}'", self.to),
            self.booked.to_string(),
            format!("'{}'", self.zone),
        ];
        // From the last on, since `$1` begins `$10`.
        let numbered = values.iter().enumerate().rev();
        numbered.fold(sql.to_owned(), |sql, (place, value)| sql.replace(&format!("${}", place + 1), value))
    }
}
