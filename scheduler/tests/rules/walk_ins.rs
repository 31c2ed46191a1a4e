//! Who comes without an appointment joins today's queue.

use crate::house::{House, at};
use domain::{AppointmentId, AppointmentState, Source};
use scheduler::{WalkIn, WalkInError};
use sqlx::PgPool;

async fn walk_in(house: &House, patient: usize) -> Result<AppointmentId, WalkInError> {
    let clinic = &house.riverside;
    let request = WalkIn {
        patient: clinic.patients[patient],
        practitioner: clinic.practitioner,
        visit_type: clinic.consultation,
    };
    scheduler::walk_in(&house.db, &house.clock, &house.random, &clinic.receptionist, request).await
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn who_walks_in_waits_behind_whose_time_it_is(pool: PgPool) {
    let house = House::new(pool).await;
    let booked = house.arrived().await;
    house.clock.set(at("09:36"));
    let id = walk_in(&house, 1).await.expect("a place in the queue");
    let view = house.view(id).await;
    assert_eq!((view.state, view.source, view.starts_at), (AppointmentState::Arrived, Source::WalkIn, at("09:36")));
    assert_eq!((view.arrived_at, view.ahead), (Some(at("09:36")), 1));
    assert_eq!((view.lane, view.overbook_reason.as_deref()), (1, Some("Walk-in")));
    assert_eq!(house.view(booked).await.ahead, 0);
    let admitted = scheduler::admit(&house.db, &house.clock, &house.random, &house.riverside.doctor, id).await;
    admitted.expect("they wait");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_walk_in_takes_the_practitioners_own_time_when_it_is_free(pool: PgPool) {
    let house = House::new(pool).await;
    let id = walk_in(&house, 0).await.expect("a place in the queue");
    assert_eq!(house.view(id).await.lane, 0);
    house.book(1, at("09:30")).await.expect("the next slot is free");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_walk_in_needs_no_opening_hours(pool: PgPool) {
    let house = House::new(pool).await;
    house.clock.set(at("22:15"));
    walk_in(&house, 0).await.expect("a place in the queue");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn who_waits_already_does_not_walk_in_again_and_the_queue_has_an_end(pool: PgPool) {
    let house = House::new(pool).await;
    walk_in(&house, 0).await.expect("a place in the queue");
    assert!(matches!(walk_in(&house, 0).await, Err(WalkInError::PatientBusy)));
    let clinic = &house.riverside;
    for number in 0..100 {
        let patient = house.another_patient(number).await;
        let request = WalkIn { patient, practitioner: clinic.practitioner, visit_type: clinic.consultation };
        let joined = scheduler::walk_in(&house.db, &house.clock, &house.random, &clinic.receptionist, request).await;
        match (number, joined) {
            (0..99, Ok(_)) | (99, Err(WalkInError::QueueFull)) => {}
            (_, other) => panic!("{number}: {other:?}"),
        }
    }
}
