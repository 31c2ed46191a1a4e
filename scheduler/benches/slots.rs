//! How long the first fifty slots take to find, with one, ten and fifty practitioners whose year is booked to nineteen in twenty.
//!
//! `DATABASE_URL=postgres://… cargo bench -p scheduler --bench slots`, as a user who may make databases. Each size gets a database of
//! its own, dropped afterwards. Searches begin at any time of the year; one in three asks for a time of the day in another zone.

use domain::{Actor, ClinicId, Redacted, VisitTypeId, Who};
use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};
use scheduler::{SlotSearch, find_slots};
use service::{
    clock::ManualClock,
    postgres::{Db, migrate},
};
use sqlx::{Connection as _, Executor as _, PgConnection};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How many searches are measured for each size.
const SEARCHES: u32 = 500;

const CLINIC: Uuid = Uuid::from_u128(1);
const CONSULTATION: Uuid = Uuid::from_u128(2);

/// Half an hour from eight to six on weekdays, and everything but one in twenty of it booked for a year.
const FULL_YEAR: &str = "
    insert into clinics (id, name, time_zone, phone) values ('{clinic}', 'Bench', 'Europe/London', '1');
    insert into visit_types (clinic_id, id, name, minutes, buffer_after_minutes) values ('{clinic}', '{type}', 'Consultation', 30, 0);
    insert into patients (clinic_id, id, name, birth_date, name_key, added_at)
        select '{clinic}', gen_random_uuid(), 'Somebody', '1980-01-01', ' somebody', now();
    insert into practitioners select '{clinic}', gen_random_uuid(), 'Dr', 'Ann', 'One', 'GP' from generate_series(1, {count});
    insert into practitioner_visit_types select clinic_id, id, '{type}' from practitioners;
    insert into schedules (clinic_id, id, practitioner_id, weekday, from_minute, to_minute, slot_minutes, time_zone)
        select clinic_id, gen_random_uuid(), id, weekday, 480, 1080, 30, 'Europe/London'
        from practitioners, generate_series(1, 5) weekday;
    insert into schedule_exceptions (clinic_id, id, practitioner_id, kind, reason, time_zone, wall_from, wall_to, starts_at, ends_at,
                                     added_at)
        select clinic_id, gen_random_uuid(), id, 'closed', 'Away', 'Europe/London', day, day + interval '5 days',
               day at time zone 'Europe/London', (day + interval '5 days') at time zone 'Europe/London', now()
        from practitioners, generate_series(timestamp '2027-01-04', timestamp '2027-10-04', interval '13 weeks') day;
    create temporary table booked as
        select gen_random_uuid() as id, p.id as practitioner, t.id as patient, wall, wall at time zone 'Europe/London' as at
        from practitioners p, patients t,
             generate_series(timestamp '2026-11-24', timestamp '2027-11-23', interval '1 day') day,
             generate_series(day + interval '8 hours', day + interval '17 hours 30 minutes', interval '30 minutes') wall
        where extract(isodow from day) < 6 and random() < 0.95;
    insert into appointments (clinic_id, id, patient_id, practitioner_id, visit_type_id, state, starts_at, ends_at, wall_time,
                              time_zone, booked_at)
        select '{clinic}', id, patient, practitioner, '{type}', 'booked', at, at + interval '30 minutes', wall, 'Europe/London', now()
        from booked;
    insert into reservations (clinic_id, appointment_id, resource_kind, resource_id, during)
        select '{clinic}', id, 'practitioner', practitioner, tstzrange(at, at + interval '30 minutes') from booked;
    analyze;";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // `cargo test --benches` only sees that it builds.
    let Ok(server) = std::env::var("DATABASE_URL") else {
        println!("slots: DATABASE_URL names no Postgres server");
        return;
    };
    println!("practitioners | booked | found |  p50 ms |  p99 ms | slowest ms");
    for count in [1, 10, 50] {
        measure(&server, count).await;
    }
}

async fn measure(server: &str, count: usize) {
    let mut admin = PgConnection::connect(server).await.expect("a server");
    let name = format!("bedside_slots_{count}_{}", std::process::id());
    let sql = async |connection: &mut PgConnection, sql: String| {
        connection.execute(sqlx::AssertSqlSafe(sql)).await.expect("done");
    };
    sql(&mut admin, format!("create database {name}")).await;
    let url = format!("{}/{name}", server.rsplit_once('/').expect("a database").0);
    let url = Redacted::new(url);
    migrate(&url).await.expect("a schema");
    let mut superuser = PgConnection::connect(url.expose()).await.expect("a database");
    let fill = FULL_YEAR.replace("{clinic}", &CLINIC.to_string()).replace("{type}", &CONSULTATION.to_string());
    sqlx::raw_sql(sqlx::AssertSqlSafe(fill.replace("{count}", &count.to_string())))
        .execute(&mut superuser)
        .await
        .expect("a full year");
    let booked: i64 =
        sqlx::query_scalar("select count(*) from appointments").fetch_one(&mut superuser).await.expect("a count");
    superuser.close().await.expect("closed");

    let db = Db::connect(&url, 2).await.expect("a connection");
    let (mut times, mut found) = (Vec::new(), 0);
    for number in 0..SEARCHES {
        let (time, slots) = search(&db, number).await;
        times.push(time);
        found += slots;
    }
    times.sort_unstable();
    let ms = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1000.0;
    let found = found / SEARCHES as usize;
    println!("{count:>13} | {booked:>6} | {found:>5} | {:>7.2} | {:>7.2} | {:>7.2}", ms(50), ms(99), ms(100));
    db.close().await;
    sql(&mut admin, format!("drop database {name} with (force)")).await;
}

/// One search over the year that follows: how long it took, and how many slots it found.
async fn search(db: &Db, number: u32) -> (Duration, usize) {
    let year_begins: Timestamp = "2026-11-24T07:00:00Z".parse().expect("an instant");
    // Steps that share no divisor with the week fall on every hour and day of it.
    let from = year_begins + SignedDuration::from_mins(i64::from(number) * 1_009 % (300 * 1_440));
    let is_narrow = number.is_multiple_of(3);
    let search = SlotSearch {
        practitioners: Vec::new(),
        visit_type: VisitTypeId(CONSULTATION),
        from,
        to: from + SignedDuration::from_hours(365 * 24),
        language: is_narrow.then(|| "en".to_owned()),
        time_of_day: is_narrow.then(|| (civil::time(9, 0, 0, 0), civil::time(12, 0, 0, 0))),
        zone: TimeZone::get("America/New_York").ok(),
        after: None,
        limit: 50,
    };
    let by = Actor { clinic: ClinicId(CLINIC), who: Who::Service("bench") };
    let began = Instant::now();
    let slots = find_slots(db, &ManualClock::at(from), &by, &search).await.expect("slots");
    (began.elapsed(), slots.len())
}
