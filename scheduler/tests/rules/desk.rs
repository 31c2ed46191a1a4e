//! The desk says of each visit what the visit's own page says, however many it shows.

use crate::house::{House, at, resource};
use domain::AppointmentState;
use jiff::{SignedDuration, civil::date};
use scheduler::{
    BookRequest, Cancel, DeskFor, DeskOf, DeskView, DeskVisit, MAX_DESK_COLUMNS, Needs, Readiness, Standing,
};
use sqlx::PgPool;

/// The day of the clinic, as the receptionist sees it.
async fn day(house: &House, of: DeskOf) -> DeskView {
    let (desk, day) = (&house.riverside.receptionist, date(2026, 11, 24));
    scheduler::desk(&house.db, &house.clock, desk, (day, day), of, DeskFor::Board).await.expect("a read")
}

/// Six patients: one was seen, one is being seen, one waits, one waits behind, one has left, one called it off.
async fn a_morning(house: &mut House) {
    house.clock.set(at("09:40"));
    for number in 3..6 {
        let patient = house.another_patient(number).await;
        house.riverside.patients.push(patient);
    }
    let (clinic, clock) = (&house.riverside, &house.clock);
    let room = resource(&house.superuser, clinic.id, "room", "Room 2", &[]).await;
    let mut visits = Vec::new();
    for (patient, time) in ["10:00", "10:00", "10:00", "10:30", "11:00", "11:30"].into_iter().enumerate() {
        let needs = Needs { room: (patient == 2).then_some(room), ..Needs::default() };
        let overbook = matches!(patient, 1 | 2).then(|| "Urgent".to_owned());
        let request = BookRequest { needs, overbook, ..house.request(patient, at(time)) };
        visits.push(house.send(request).await.expect("free, or beside another on purpose"));
    }
    clock.set(at("10:31"));
    for (patient, id) in visits.iter().enumerate().take(5) {
        scheduler::arrive(&house.db, clock, &house.patient(patient, *id), *id).await.expect("in time");
        clock.advance(SignedDuration::from_secs(10));
    }
    let seen = scheduler::admit(&house.db, clock, &house.random, &clinic.doctor, visits[0]).await.expect("waits");
    clock.advance(SignedDuration::from_mins(4));
    scheduler::finish(&house.db, clock, &clinic.doctor, seen).await.expect("a call");
    scheduler::admit(&house.db, clock, &house.random, &clinic.doctor, visits[1]).await.expect("waits");
    let (behind, left) = (house.patient(3, visits[3]), house.patient(4, visits[4]));
    scheduler::report_readiness(&house.db, clock, &behind, visits[3], Readiness::CameraOnly).await.expect("a seat");
    scheduler::leave_seat(&house.db, clock, &left, visits[4]).await.expect("a seat");
    let cancel = Cancel::new(visits[5], "Feels better");
    scheduler::cancel(&house.db, clock, &clinic.receptionist, cancel).await.expect("a visit to come");
}

/// What both say. The desk says since when somebody waits of those who still do.
async fn says_the_same(house: &House, visit: &DeskVisit) {
    let page = house.view(visit.id).await;
    let waits = page.state == AppointmentState::Arrived;
    let arrived_at = page.arrived_at.filter(|_| waits);
    assert_eq!(visit.standing, Standing { arrived_at, ..page.standing() });
    assert_eq!((visit.ends_at, visit.lane, &visit.overbook_reason), (page.ends_at, page.lane, &page.overbook_reason));
    assert_eq!((&visit.patient, &visit.phone), (&page.patient.name, &page.patient.phone));
    assert_eq!((&*visit.practitioner, &*visit.visit_type), (&page.practitioner, page.visit_type.name.as_str()));
    assert_eq!((visit.ahead, visit.readiness), if waits { (page.ahead, page.readiness) } else { Default::default() });
    assert!(visit.resources.iter().map(AsRef::as_ref).eq(&page.resources));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn it_says_of_each_visit_what_its_page_says(pool: PgPool) {
    let mut house = House::new(pool).await;
    a_morning(&mut house).await;
    let view = day(&house, DeskOf::Page(0)).await;
    for visit in &view.visits {
        says_the_same(&house, visit).await;
    }
    let states: Vec<_> = view.visits.iter().map(|visit| visit.standing.state).collect();
    let (arrived, fulfilled) = (AppointmentState::Arrived, AppointmentState::Fulfilled);
    assert_eq!(states, [fulfilled, fulfilled, arrived, arrived, arrived, AppointmentState::Cancelled]);
    let ahead: Vec<_> = view.visits.iter().map(|visit| visit.ahead).collect();
    assert_eq!(ahead[2..4], [0, 1]);
    assert_eq!(view.visits.iter().filter(|visit| visit.standing.left).count(), 1);
    assert_eq!(view.visits.iter().filter(|visit| !visit.resources.is_empty()).count(), 1);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_week_of_a_practitioner_says_the_same(pool: PgPool) {
    let mut house = House::new(pool).await;
    a_morning(&mut house).await;
    let (desk, week) = (&house.riverside.receptionist, (date(2026, 11, 23), date(2026, 11, 29)));
    let of = DeskOf::One(house.riverside.practitioner);
    let view = scheduler::desk(&house.db, &house.clock, desk, week, of, DeskFor::Board).await.expect("a read");
    assert_eq!(view.visits.len(), 6);
    for visit in &view.visits {
        says_the_same(&house, visit).await;
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn it_shows_a_call_that_began_before_midnight(pool: PgPool) {
    let house = House::new(pool).await;
    house.admitted().await;
    let sql = "update encounters set started_at = '2026-11-23 23:50Z'";
    sqlx::query(sql).execute(&house.superuser).await.expect("a call");
    let view = day(&house, DeskOf::Page(0)).await;
    let admitted: Vec<_> = view.visits.iter().map(|visit| visit.standing.admitted_at).collect();
    assert_eq!(admitted, ["2026-11-23T23:50Z".parse().ok()]);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn beyond_the_last_page_is_nobody(pool: PgPool) {
    let house = House::new(pool).await;
    house.book(0, at("10:00")).await.expect("a free slot");
    let sql = "insert into practitioners (clinic_id, id, title, given_name, family_name, speciality)
               select $1, gen_random_uuid(), 'Dr', 'Ann', 'Zz ' || n, 'General practice' from generate_series(1, $2) n";
    let more = i32::try_from(MAX_DESK_COLUMNS).expect("a few");
    let insert = sqlx::query(sql).bind(house.riverside.id.0).bind(more);
    insert.execute(&house.superuser).await.expect("practitioners");
    assert_eq!(day(&house, DeskOf::Page(0)).await.visits.len(), 1);
    let beyond = day(&house, DeskOf::Page(9)).await;
    assert!(beyond.shown.is_empty() && beyond.visits.is_empty());
}
