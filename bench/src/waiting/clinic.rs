//! A clinic with visits that are about to begin, each with a patient who can arrive.

use domain::{AppointmentId, ClinicId, Redacted};
use service::random::SystemRandom;
use sqlx::PgPool;
use uuid::Uuid;

/// The receptionist's address.
pub const EMAIL: &str = "desk@bench.example";
/// The receptionist's password.
pub const PASSWORD: &str = "correct horse battery staple";

/// What patients can arrive for.
#[derive(Debug)]
pub struct Clinic {
    /// One for each patient.
    pub visits: Vec<AppointmentId>,
}

/// Each with `$1`, the clinic. Fifty practitioners share the patients; all visits begin in some minutes, so that every patient may
/// arrive now.
const PEOPLE: &[&str] = &[
    "insert into clinics (id, name, time_zone, phone) values ($1, 'Bench', 'Europe/London', '020 7946 0000')",
    "insert into practitioners (clinic_id, id, title, given_name, family_name, speciality)
     select $1, gen_random_uuid(), 'Dr', 'Ann', 'Number ' || n, 'General practice' from generate_series(1, 50) n",
];

const PATIENTS: &str = "insert into patients (clinic_id, id, name, birth_date, name_key, added_at)
     select $1, gen_random_uuid(), 'Patient Number ' || n, date '1980-01-01', ' patient number ' || n, now()
     from generate_series(1, $2::bigint) n";

const VISITS: &str =
    "with t as (select id from visit_types where clinic_id = $1 limit 1),
          d as (select id, row_number() over (order by id) - 1 as n from practitioners where clinic_id = $1),
          p as (select id, row_number() over (order by id) - 1 as n from patients where clinic_id = $1)
     insert into appointments (clinic_id, id, patient_id, practitioner_id, visit_type_id, state, starts_at, ends_at, wall_time,
                               time_zone, booked_at)
     select $1, gen_random_uuid(), p.id, d.id, t.id, 'booked', at, at + interval '30 minutes', at at time zone 'Europe/London',
            'Europe/London', now()
     from p join d on d.n = p.n % 50 cross join t
     cross join lateral (select date_trunc('minute', now()) + interval '5 minutes' as at) at
     returning id";

impl Clinic {
    /// Writes it into an empty database, past the use-cases.
    ///
    /// # Errors
    /// When the database does not take it.
    pub async fn settle(url: &str, patients: usize) -> anyhow::Result<Self> {
        let superuser = PgPool::connect(url).await?;
        let clinic = ClinicId(Uuid::from_u128(1)).0;
        for sql in PEOPLE {
            sqlx::query(*sql).bind(clinic).execute(&superuser).await?;
        }
        let sql = "insert into visit_types (clinic_id, id, name, minutes) values ($1, gen_random_uuid(), 'Visit', 30)";
        sqlx::query(sql).bind(clinic).execute(&superuser).await?;
        let hash = web::hash_password(&SystemRandom, &Redacted::new(PASSWORD.to_owned()));
        let sql = "insert into accounts (clinic_id, id, role, name, email, password_hash)
                   values ($1, gen_random_uuid(), 'receptionist', 'Desk', $2, $3)";
        sqlx::query(sql).bind(clinic).bind(EMAIL).bind(hash.expose()).execute(&superuser).await?;
        sqlx::query(PATIENTS).bind(clinic).bind(i64::try_from(patients)?).execute(&superuser).await?;
        let visits: Vec<Uuid> = sqlx::query_scalar(VISITS).bind(clinic).fetch_all(&superuser).await?;
        sqlx::query("analyze").execute(&superuser).await?;
        Ok(Self { visits: visits.into_iter().map(AppointmentId).collect() })
    }
}
