//! What a page costs grows with what it shows, and not with all the visits there ever were.

use crate::house::{House, at};
use domain::{AppointmentId, Random as _};
use jiff::civil::date;
use scheduler::{DeskFor, DeskOf};
use service::postgres::Db;
use sqlx::PgPool;

/// How often each question is asked: more often than Postgres plans a statement anew before it may keep one plan for all.
const TIMES: usize = 12;

/// A month of three hundred visits a day, of which a day is to be read; and one visit of somebody else. Nobody reads a row for it.
async fn a_busy_month(house: &House) -> AppointmentId {
    let clinic = &house.riverside;
    let sql = "insert into appointments (clinic_id, id, patient_id, practitioner_id, visit_type_id, state, starts_at, ends_at,
                                         wall_time, time_zone, booked_at)
               select $1, gen_random_uuid(), $2, $3, $4, 'booked', start, start + interval '30 minutes', start at time zone 'UTC',
                      'Europe/London', now()
               from generate_series('2026-11-01 08:00Z'::timestamptz, '2026-11-30 08:00Z', interval '1 day') day,
                    generate_series(day, day + interval '299 minutes', interval '1 minute') start
               union all
               select $1, $6, $5, $3, $4, 'booked', '2026-11-24 16:00Z', '2026-11-24 16:30Z', '2026-11-24 16:00', 'Europe/London', now()";
    let id = house.random.uuid();
    let (one, other) = (clinic.patients[0].0, clinic.patients[1].0);
    let ids = [clinic.id.0, one, clinic.practitioner.0, clinic.consultation.0, other, id];
    let query = ids.into_iter().fold(sqlx::query(sql), |query, id| query.bind(id));
    query.execute(&house.superuser).await.expect("visits");
    // Whoever cannot be written to is looked for at the desk, however many there are.
    sqlx::query("update patients set email = 'somebody@example.org'")
        .execute(&house.superuser)
        .await
        .expect("addresses");
    sqlx::query("analyze appointments, patients").execute(&house.superuser).await.expect("statistics");
    AppointmentId(id)
}

/// How many rows of appointments have been read until now, by whatever way; what the connection of `db` has counted is told first.
async fn rows_read(house: &House, db: &Db) -> i64 {
    let mut tx = db.anonymous().await.expect("a transaction");
    sqlx::query("select pg_stat_force_next_flush()").execute(&mut *tx).await.expect("a flush");
    tx.commit().await.expect("a commit");
    let sql = "select seq_tup_read + idx_tup_fetch from pg_stat_user_tables where relname = 'appointments'";
    sqlx::query_scalar(sql).fetch_one(&house.superuser).await.expect("a number")
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_small_question_stays_small_after_large_ones(pool: PgPool) {
    let house = House::new(pool).await;
    let id = a_busy_month(&house).await;
    // One connection, since Postgres remembers plans for each by itself.
    let db = Db::over((*house.superuser.connect_options()).clone(), 1);
    let (desk, patient) = (&house.riverside.receptionist, house.riverside.patients[1]);
    let before = rows_read(&house, &db).await;
    for _ in 0..TIMES {
        let day = scheduler::day(&db, desk, date(2026, 11, 24), None).await.expect("a day");
        assert_eq!(day.len(), 301);
    }
    let after_days = rows_read(&house, &db).await;
    for _ in 0..TIMES {
        let (day, of) = (date(2026, 11, 24), DeskOf::Page(0));
        let view = scheduler::desk(&db, &house.clock, desk, (day, day), of, DeskFor::Board).await.expect("a desk");
        assert_eq!(view.visits.len(), 301);
    }
    let after_desks = rows_read(&house, &db).await;
    for _ in 0..TIMES {
        assert!(scheduler::glance(&db, desk, id).await.expect("a read").is_some());
    }
    let after_glances = rows_read(&house, &db).await;
    for _ in 0..TIMES {
        let theirs = scheduler::appointments_of(&db, desk, patient, at("00:00")).await.expect("a read");
        assert_eq!(theirs.len(), 1);
    }
    let after_patients = rows_read(&house, &db).await;
    let each = |from: i64, to: i64| (to - from) / i64::try_from(TIMES).expect("a few");
    assert_eq!(each(before, after_days), 301, "rows to read a day of 301 visits");
    // To plan how whom no message reached is looked for, Postgres may look at the ends of an index.
    let desk = each(after_days, after_desks);
    assert!((301..=310).contains(&desk), "{desk} rows to read a desk of 301 visits");
    assert_eq!(each(after_desks, after_glances), 1, "rows to read one visit");
    assert_eq!(each(after_glances, after_patients), 1, "rows to read the one visit of a patient");
}
