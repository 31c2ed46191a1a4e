//! A clinic to book in: so many practitioners and patients, interpreters and rooms.

use domain::{AccountId, Actor, ClinicId, PatientId, PractitionerId, Random as _, ResourceId, Role, VisitTypeId, Who};
use jiff::{SignedDuration, Timestamp};
use service::random::SeededRandom;
use sqlx::PgPool;
use uuid::Uuid;

/// The clinic's language besides English.
pub const LANGUAGE: &str = "pt";

/// Everybody who can be booked. The same numbers give the same ids in every process.
#[derive(Debug, Clone)]
pub struct World {
    /// Where.
    pub clinic: ClinicId,
    /// Who books.
    pub receptionist: Actor,
    /// What is booked.
    pub visit_type: VisitTypeId,
    /// With whom.
    pub practitioners: Vec<PractitionerId>,
    /// For whom.
    pub patients: Vec<PatientId>,
    /// Where it can take place.
    pub rooms: Vec<ResourceId>,
    /// Who translates between English and [`LANGUAGE`].
    pub interpreters: Vec<ResourceId>,
}

/// How large a world is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// How many practitioners, who work day and night.
    pub practitioners: usize,
    /// How many patients.
    pub patients: usize,
    /// How many rooms, and as many interpreters.
    pub rooms: usize,
    /// How long a visit is.
    pub minutes: i16,
    /// Every how many minutes one may begin.
    pub step_minutes: i16,
}

impl World {
    /// The ids of everybody.
    pub fn of(size: Size) -> Self {
        let ids = SeededRandom::new(20_261_124);
        let clinic = ClinicId(ids.uuid());
        let who = Who::Account { id: AccountId(ids.uuid()), role: Role::Receptionist };
        Self {
            clinic,
            receptionist: Actor { clinic, who },
            visit_type: VisitTypeId(ids.uuid()),
            practitioners: (0..size.practitioners).map(|_| PractitionerId(ids.uuid())).collect(),
            patients: (0..size.patients).map(|_| PatientId(ids.uuid())).collect(),
            rooms: (0..size.rooms).map(|_| ResourceId(ids.uuid())).collect(),
            interpreters: (0..size.rooms).map(|_| ResourceId(ids.uuid())).collect(),
        }
    }

    /// Writes them into an empty database, past the use-cases: thousands of patients are no subject here.
    pub async fn settle(&self, superuser: &PgPool, size: Size) -> Result<(), sqlx::Error> {
        let Who::Account { id: desk, .. } = self.receptionist.who else { return Ok(()) };
        let clinic = self.clinic.0;
        let sql = "insert into clinics (id, name, time_zone, phone) values ($1, 'Bench', 'Europe/London', '1')";
        sqlx::query(sql).bind(clinic).execute(superuser).await?;
        let sql = "insert into accounts (clinic_id, id, role, name, email, password_hash)
                   values ($1, $2, 'receptionist', 'Desk', 'desk@bench.example', 'none')";
        sqlx::query(sql).bind(clinic).bind(desk.0).execute(superuser).await?;
        let sql = "insert into visit_types (clinic_id, id, name, minutes) values ($1, $2, 'Visit', $3)";
        sqlx::query(sql).bind(clinic).bind(self.visit_type.0).bind(size.minutes).execute(superuser).await?;
        let ids = |ids: Vec<Uuid>| ids;
        let practitioners = ids(self.practitioners.iter().map(|id| id.0).collect());
        for sql in [
            "insert into practitioners (clinic_id, id, title, given_name, family_name, speciality)
             select $1, id, 'Dr', 'Ann', id::text, 'General practice' from unnest($2::uuid[]) id",
            "insert into schedules (clinic_id, id, practitioner_id, weekday, from_minute, to_minute, slot_minutes, time_zone)
             select $1, gen_random_uuid(), id, weekday, 0, 1440, $3, 'Europe/London'
             from unnest($2::uuid[]) id, generate_series(1, 7) weekday",
            "insert into practitioner_visit_types (clinic_id, practitioner_id, visit_type_id)
             select t.clinic_id, one, t.id from unnest($2::uuid[]) one, visit_types t where t.clinic_id = $1",
        ] {
            let query = sqlx::query(sql).bind(clinic).bind(&practitioners);
            let query = if sql.contains("$3") { query.bind(size.step_minutes) } else { query };
            query.execute(superuser).await?;
        }
        // No e-mail and no phone: messages are another subject.
        let sql = "insert into patients (clinic_id, id, name, birth_date, name_key, added_at)
                   select $1, id, 'Patient', '1980-01-01', ' patient', now() from unnest($2::uuid[]) id";
        let patients = ids(self.patients.iter().map(|id| id.0).collect());
        sqlx::query(sql).bind(clinic).bind(patients).execute(superuser).await?;
        for (kind, all, languages) in
            [("room", &self.rooms, vec![]), ("interpreter", &self.interpreters, vec!["en", LANGUAGE])]
        {
            let sql = "insert into resources (clinic_id, id, kind, name, languages)
                       select $1, id, $3, id::text, $4 from unnest($2::uuid[]) id";
            let all = ids(all.iter().map(|id| id.0).collect());
            sqlx::query(sql).bind(clinic).bind(all).bind(kind).bind(languages).execute(superuser).await?;
        }
        Ok(())
    }
}

/// Midnight of some days after now, in UTC: where bookings of a bench begin.
pub fn midnight_after(now: Timestamp, days: i64) -> Timestamp {
    let day = 24 * 60 * 60;
    Timestamp::from_second((now.as_second().div_euclid(day) + days) * day)
        .unwrap_or(now + SignedDuration::from_hours(24))
}

/// Dice: the same throws for the same seed.
#[derive(Debug)]
pub struct Dice(SeededRandom);

impl Dice {
    /// Dice that begin at `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(SeededRandom::new(seed))
    }

    /// A number below `sides`.
    pub fn below(&self, sides: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        let sides = u64::try_from(sides.max(1)).unwrap_or(u64::MAX);
        usize::try_from(u64::from_le_bytes(bytes) % sides).unwrap_or(0)
    }

    /// One of these.
    pub fn one_of<T: Copy>(&self, all: &[T]) -> Option<T> {
        all.get(self.below(all.len())).copied()
    }
}
