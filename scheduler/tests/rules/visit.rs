//! The patient arrives, is admitted, and the visit ends.

use crate::house::{House, at};
use domain::{AppointmentState, EncounterState};
use jiff::SignedDuration;
use scheduler::{AdmitError, ArriveError, FinishError, Readiness};
use sqlx::PgPool;
use std::sync::Arc;

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_visit_goes_from_booking_to_goodbye(pool: PgPool) {
    let house = House::new(pool).await;
    let doctor = &house.riverside.doctor;
    let id = house.arrived().await;
    let waiting = scheduler::glance(&house.db, doctor, id).await.expect("a read").expect("an appointment");
    assert_eq!((waiting.state, waiting.arrived_at), (AppointmentState::Arrived, Some(at("09:00"))));
    assert_eq!((waiting.patient.name.as_str(), waiting.practitioner.short.as_str()), ("Maria Santos", "Dr One"));

    let encounter = scheduler::admit(&house.db, &house.clock, &house.random, doctor, id).await.expect("waiting");
    let open = scheduler::glance(&house.db, doctor, id).await.expect("a read").expect("an appointment");
    assert_eq!(open.state, AppointmentState::Fulfilled);
    assert_eq!(open.encounter.map(|e| (e.id, e.state)), Some((encounter, EncounterState::InProgress)));
    let names: Vec<_> = scheduler::room_participants(&house.db, doctor, encounter).await.expect("a read");
    let names: Vec<_> = names.iter().map(|one| one.name.expose().as_str()).collect();
    assert_eq!(names, ["Dr Ann One", "Maria Santos"]);

    scheduler::finish(&house.db, &house.clock, doctor, encounter).await.expect("in progress");
    let over = scheduler::glance(&house.db, doctor, id).await.expect("a read").expect("an appointment");
    assert_eq!(over.encounter.map(|e| e.state), Some(EncounterState::Finished));
    let steps = house.actions().await.split_off(3);
    assert_eq!(steps, ["appointment.booked", "appointment.arrived", "appointment.admitted", "encounter.finished"]);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_patient_arrives_within_the_window_only(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.book(0, at("10:00")).await.expect("a free slot");
    let patient = house.patient(0, id);
    let early = scheduler::arrive(&house.db, &house.clock, &patient, id).await;
    assert!(matches!(early, Err(ArriveError::TooEarly { opens_at }) if opens_at == at("09:30")), "{early:?}");
    house.clock.set(at("10:45"));
    assert!(matches!(scheduler::arrive(&house.db, &house.clock, &patient, id).await, Err(ArriveError::TooLate)));
    house.clock.set(at("10:44"));
    scheduler::arrive(&house.db, &house.clock, &patient, id).await.expect("in time");
    house.clock.set(at("12:00"));
    scheduler::arrive(&house.db, &house.clock, &patient, id).await.expect("who has a seat keeps it");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn arriving_twice_finds_the_same_seat(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.arrived().await;
    house.clock.advance(SignedDuration::from_mins(5));
    let seat = scheduler::arrive(&house.db, &house.clock, &house.patient(0, id), id).await.expect("a seat");
    assert_eq!((seat.arrived_at, seat.position), (at("09:00"), 1));
    assert_eq!(house.actions().await.iter().filter(|action| *action == "appointment.arrived").count(), 1);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn who_comes_later_sees_how_many_wait_before(pool: PgPool) {
    let house = House::new(pool).await;
    house.clock.set(at("09:40"));
    let first = house.book(0, at("10:00")).await.expect("a free slot");
    let second = house.book(1, at("10:30")).await.expect("a free slot");
    house.clock.set(at("10:05"));
    let seat = scheduler::arrive(&house.db, &house.clock, &house.patient(1, second), second).await.expect("in time");
    assert_eq!(seat.position, 1);
    scheduler::arrive(&house.db, &house.clock, &house.patient(0, first), first).await.expect("in time");
    let ahead = async || {
        let view = scheduler::glance(&house.db, &house.patient(1, second), second).await.expect("a read");
        view.expect("their own").ahead
    };
    assert_eq!(ahead().await, 1);
    scheduler::leave_seat(&house.db, &house.clock, &house.patient(0, first), first).await.expect("a seat");
    assert_eq!(ahead().await, 0);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_device_check_is_seen_by_the_practitioner(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.arrived().await;
    let found = Readiness::MicrophoneOnly;
    let patient = house.patient(0, id);
    scheduler::report_readiness(&house.db, &house.clock, &patient, id, found).await.expect("a seat");
    let date = jiff::civil::date(2026, 11, 24);
    let mine = Some(house.riverside.practitioner);
    let day = scheduler::day(&house.db, &house.riverside.doctor, date, mine).await.expect("a day");
    assert_eq!(day.iter().map(|view| (view.id, view.readiness)).collect::<Vec<_>>(), [(id, found)]);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_cancelled_or_ended_visit_cannot_be_arrived_at(pool: PgPool) {
    let house = House::new(pool).await;
    let (ended, encounter) = house.admitted().await;
    let patient = house.patient(0, ended);
    scheduler::arrive(&house.db, &house.clock, &patient, ended).await.expect("the encounter runs");
    scheduler::finish(&house.db, &house.clock, &house.riverside.doctor, encounter).await.expect("in progress");
    let after = scheduler::arrive(&house.db, &house.clock, &patient, ended).await;
    assert!(matches!(after, Err(ArriveError::Ended)), "{after:?}");

    let cancelled = house.book(1, at("10:00")).await.expect("a free slot");
    scheduler::cancel(
        &house.db,
        &house.clock,
        &house.riverside.receptionist,
        scheduler::Cancel::new(cancelled, "Ill."),
    )
    .await
    .expect("booked");
    let after = scheduler::arrive(&house.db, &house.clock, &house.patient(1, cancelled), cancelled).await;
    assert!(matches!(after, Err(ArriveError::Cancelled)), "{after:?}");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_patient_may_touch_their_own_appointment_only(pool: PgPool) {
    let house = House::new(pool).await;
    let mine = house.book(0, at("09:30")).await.expect("a free slot");
    let other = house.book(1, at("10:00")).await.expect("a free slot");
    let me = house.patient(0, mine);
    assert!(matches!(scheduler::arrive(&house.db, &house.clock, &me, other).await, Err(ArriveError::NotFound)));
    assert!(scheduler::glance(&house.db, &me, other).await.expect("a read").is_none());
    assert!(scheduler::appointment(&house.db, &me, other).await.expect("a read").is_none());
    assert!(scheduler::find_patients(&house.db, &me, "maria").await.expect("a read").is_empty());
    assert!(scheduler::day(&house.db, &me, jiff::civil::date(2026, 11, 24), None).await.expect("a read").is_empty());
    assert!(scheduler::history(&house.db, &me, Some(mine)).await.expect("a read").is_empty());
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn only_the_practitioner_of_the_appointment_admits(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.arrived().await;
    let clinic = &house.riverside;
    let admit = async |by| scheduler::admit(&house.db, &house.clock, &house.random, by, id).await;
    assert!(matches!(admit(&clinic.colleague).await, Err(AdmitError::NotYours)));
    assert!(matches!(admit(&clinic.receptionist).await, Err(AdmitError::NotYours)));
    let patient = house.patient(0, id);
    assert!(matches!(admit(&patient).await, Err(AdmitError::NotYours)));
    assert!(matches!(admit(&house.harbour.doctor).await, Err(AdmitError::NotFound)));
    admit(&clinic.doctor).await.expect("their own patient");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_patient_who_has_not_arrived_is_not_admitted(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.book(0, at("09:30")).await.expect("a free slot");
    let admitted = scheduler::admit(&house.db, &house.clock, &house.random, &house.riverside.doctor, id).await;
    assert!(matches!(admitted, Err(AdmitError::NotWaiting)), "{admitted:?}");
    assert!(!house.actions().await.contains(&"appointment.admitted".to_owned()));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn pressing_admit_twenty_times_begins_one_encounter(pool: PgPool) {
    let house = Arc::new(House::new(pool).await);
    let id = house.arrived().await;
    let presses: Vec<_> = (0..20)
        .map(|_| {
            let house = house.clone();
            tokio::spawn(async move {
                scheduler::admit(&house.db, &house.clock, &house.random, &house.riverside.doctor, id).await
            })
        })
        .collect();
    let mut encounters = std::collections::HashSet::new();
    for press in presses {
        encounters.insert(press.await.expect("a press ends").expect("a waiting patient"));
    }
    assert_eq!(encounters.len(), 1);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_encounter_is_finished_once_and_by_its_practitioner(pool: PgPool) {
    let house = House::new(pool).await;
    let (_, encounter) = house.admitted().await;
    let finish = |by| scheduler::finish(&house.db, &house.clock, by, encounter);
    assert!(matches!(finish(&house.riverside.colleague).await, Err(FinishError::NotYours)));
    assert!(matches!(finish(&house.harbour.doctor).await, Err(FinishError::NotFound)));
    finish(&house.riverside.doctor).await.expect("in progress");
    assert!(matches!(finish(&house.riverside.doctor).await, Err(FinishError::AlreadyFinished)));
    let epoch = scheduler::next_room_epoch(&house.db, &house.riverside.doctor, encounter).await.expect("a read");
    assert_eq!(epoch, None);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn each_placement_of_a_room_has_a_higher_epoch(pool: PgPool) {
    let house = House::new(pool).await;
    let (_, encounter) = house.admitted().await;
    let next = async || {
        let epoch = scheduler::next_room_epoch(&house.db, &house.riverside.doctor, encounter).await;
        epoch.expect("a write").expect("in progress")
    };
    assert!(next().await < next().await);
}
