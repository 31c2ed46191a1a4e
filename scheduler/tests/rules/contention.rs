//! Many book at once: nobody is booked twice, and nobody waits forever. The long forms are `bin/bench booking` and `history`.

use crate::house::{House, add_hours, at, resource};
use domain::{PatientId, ResourceId};
use jiff::{SignedDuration, Timestamp};
use scheduler::{BookError, BookRequest, Needs, Reschedule, RescheduleError};
use sqlx::PgPool;
use std::sync::Arc;

async fn patients(house: &House, count: usize) -> Vec<PatientId> {
    let mut patients = Vec::new();
    for number in 0..count {
        patients.push(house.another_patient(number).await);
    }
    patients
}

async fn count(house: &House, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&house.superuser).await.expect("a count")
}

const DEADLOCKS: &str = "select deadlocks from pg_stat_database where datname = current_database()";

const OVERLAPS: &str = "select count(*)
    from reservations a
    join reservations b
        on b.resource_kind = a.resource_kind and b.resource_id = a.resource_id and b.lane = a.lane
        and b.during && a.during and b.ctid > a.ctid and b.active
    where a.active";

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn of_two_hundred_who_want_one_slot_one_has_it(pool: PgPool) {
    let house = Arc::new(House::new(pool).await);
    let patients = patients(&house, 200).await;
    for slot in ["10:00", "10:30", "11:00"] {
        let racers: Vec<_> = patients
            .iter()
            .map(|patient| {
                let (house, patient) = (house.clone(), *patient);
                tokio::spawn(async move { house.send(BookRequest { patient, ..house.request(0, at(slot)) }).await })
            })
            .collect();
        let mut winners = 0;
        for racer in racers {
            match racer.await.expect("a racer ends") {
                Ok(_) => winners += 1,
                Err(BookError::SlotTaken) => {}
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(winners, 1, "{slot}");
    }
    assert_eq!((count(&house, OVERLAPS).await, count(&house, DEADLOCKS).await), (0, 0));
}

/// Every tenth minute of the day, in an order that is nobody's.
fn scattered(number: usize) -> Timestamp {
    let steps = i64::try_from(number * 7 % 48).expect("a few");
    at("09:30") + SignedDuration::from_mins(10 * steps)
}

fn needs(number: usize, rooms: &[ResourceId]) -> Needs {
    let languages = number.is_multiple_of(3).then(|| ("en".to_owned(), "pt".to_owned()));
    Needs {
        interpreter: languages,
        room: number.is_multiple_of(2).then(|| rooms[number / 2 % rooms.len()]),
        device: None,
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn overlapping_visits_that_need_many_never_wait_in_a_circle(pool: PgPool) {
    let house = Arc::new(House::new(pool).await);
    let (db, clinic) = (&house.superuser, &house.riverside);
    let mut rooms = Vec::new();
    for name in ["Red", "Blue"] {
        rooms.push(resource(db, clinic.id, "room", name, &[]).await);
        resource(db, clinic.id, "interpreter", &format!("{name} interpreter"), &["en", "pt"]).await;
    }
    for practitioner in [clinic.practitioner, clinic.colleague_practitioner] {
        for offset in [490, 500] {
            add_hours(db, clinic.id, practitioner, (offset, 1080, 30)).await;
        }
    }
    let patients = Arc::new(patients(&house, 40).await);
    let rooms = Arc::new(rooms);
    let clients: Vec<_> = (0..60)
        .map(|client| {
            let (house, patients, rooms) = (house.clone(), patients.clone(), rooms.clone());
            tokio::spawn(async move {
                let clinic = &house.riverside;
                let mut booked = 0;
                for turn in 0..8 {
                    let number = client * 31 + turn * 17;
                    let who = [clinic.practitioner, clinic.colleague_practitioner][number % 2];
                    let (patient, starts_at) = (patients[number % patients.len()], scattered(number));
                    let request = BookRequest::new(patient, who, clinic.consultation, starts_at);
                    match house.send(BookRequest { needs: needs(number, &rooms), ..request }).await {
                        Ok(_) => booked += 1,
                        Err(BookError::Database(error)) => panic!("{error}"),
                        Err(_) => {}
                    }
                }
                booked
            })
        })
        .collect();
    let mut booked = 0;
    for client in clients {
        booked += client.await.expect("a client ends");
    }
    assert!(booked > 10, "{booked}");
    assert_eq!((count(&house, OVERLAPS).await, count(&house, DEADLOCKS).await), (0, 0));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn visits_that_change_practitioners_both_ways_never_wait_in_a_circle(pool: PgPool) {
    let house = Arc::new(House::new(pool).await);
    let clinic = &house.riverside;
    let both = [clinic.practitioner, clinic.colleague_practitioner];
    let mut visits = Vec::new();
    for (number, patient) in patients(&house, 16).await.into_iter().enumerate() {
        let starts_at = at("09:30") + SignedDuration::from_mins(30 * i64::try_from(number).expect("a few"));
        let practitioner = both[number % 2];
        let request = BookRequest { patient, practitioner, ..house.request(0, starts_at) };
        visits.push((house.send(request).await.expect("a free slot"), starts_at));
    }
    for turn in 1..=6 {
        let movers: Vec<_> = visits
            .iter()
            .enumerate()
            .map(|(number, (id, starts_at))| {
                let (house, id, starts_at, to) = (house.clone(), *id, *starts_at, both[(number + turn) % 2]);
                tokio::spawn(async move {
                    let request = Reschedule { practitioner: Some(to), ..Reschedule::new(id, starts_at, "Leave") };
                    scheduler::reschedule(&house.db, &house.clock, &house.riverside.receptionist, request).await
                })
            })
            .collect();
        for mover in movers {
            match mover.await.expect("a mover ends") {
                Ok(_) => {}
                Err(RescheduleError::Database(error)) => panic!("{error}"),
                Err(other) => panic!("nobody else wants that time: {other}"),
            }
        }
    }
    assert_eq!((count(&house, OVERLAPS).await, count(&house, DEADLOCKS).await), (0, 0));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_database_itself_refuses_what_goes_past_the_locks(pool: PgPool) {
    let house = House::new(pool).await;
    house.book(0, at("10:00")).await.expect("a free slot");
    let refused = sqlx::query(
        "insert into reservations (clinic_id, appointment_id, resource_kind, resource_id, during)
         select r.clinic_id, a.id, r.resource_kind, r.resource_id, r.during
         from reservations r, appointments a
         where r.resource_kind = 'practitioner'",
    )
    .execute(&house.superuser)
    .await
    .expect_err("a refusal");
    let by = service::postgres::refused_by(&refused);
    assert!(matches!(by, Some("reservations_no_overlap" | "reservations_once")), "{by:?}");
    sqlx::query("drop index reservations_once").execute(&house.superuser).await.expect("gone");
    let held = sqlx::query(
        "insert into reservations (clinic_id, appointment_id, resource_kind, resource_id, during)
         select r.clinic_id, r.appointment_id, r.resource_kind, r.resource_id,
                tstzrange(upper(r.during) - interval '1 minute', upper(r.during) + interval '1 hour')
         from reservations r
         where r.resource_kind = 'practitioner'",
    )
    .execute(&house.superuser)
    .await
    .expect_err("a refusal");
    assert_eq!(service::postgres::refused_by(&held), Some("reservations_no_overlap"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn who_has_waited_too_long_for_a_lock_is_known_to_have_given_up(pool: PgPool) {
    let house = House::new(pool).await;
    let mut first = house.db.begin(&house.riverside.receptionist).await.expect("a transaction");
    sqlx::query("select pg_advisory_xact_lock(1)").execute(&mut *first).await.expect("a lock");
    let mut second = house.db.begin(&house.riverside.receptionist).await.expect("a transaction");
    sqlx::query("set local lock_timeout = '1ms'").execute(&mut *second).await.expect("little patience");
    let refused = sqlx::query("select pg_advisory_xact_lock(1)").execute(&mut *second).await.expect_err("no lock");
    assert!(service::postgres::gave_up(&refused), "{refused}");
    let broken = sqlx::query("select 1 / 0").execute(&mut *first).await.expect_err("no number");
    assert!(!service::postgres::gave_up(&broken), "{broken}");
}
