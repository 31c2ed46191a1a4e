//! The receptionist books and cancels.

use crate::house::{House, add_hours, at};
use jiff::Timestamp;
use scheduler::{BookError, BookRequest, Cancel, CancelError};
use sqlx::PgPool;
use std::sync::Arc;

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn of_fifty_who_book_the_same_slot_one_wins(pool: PgPool) {
    let house = Arc::new(House::new(pool).await);
    let mut patients = Vec::new();
    for number in 0..50 {
        patients.push(house.another_patient(number).await);
    }
    let racers: Vec<_> = patients
        .into_iter()
        .map(|patient| {
            let house = house.clone();
            tokio::spawn(async move {
                let clinic = &house.riverside;
                let request = BookRequest::new(patient, clinic.practitioner, clinic.consultation, at("10:00"));
                scheduler::book(&house.db, &house.clock, &house.random, &clinic.receptionist, request).await
            })
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
    assert_eq!(winners, 1);
    assert_eq!(house.actions().await.iter().filter(|action| *action == "appointment.booked").count(), 1);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn who_books_the_same_practitioner_waits_before_writing_anything(pool: PgPool) {
    let house = Arc::new(House::new(pool).await);
    // Whoever holds the end of the history stops the first booking just before its end.
    let mut holder = house.superuser.begin().await.expect("a transaction");
    sqlx::query("select from audit_heads for update").execute(&mut *holder).await.expect("held");
    let books = |patient| {
        let house = house.clone();
        tokio::spawn(async move { house.book(patient, at("10:00")).await })
    };
    let first = books(0);
    house.waiting(1).await;
    let second = books(1);
    // Two that have written wait for each other's reservations, which is a deadlock when it happens at once.
    assert_eq!(house.waiting(2).await, ["advisory", "transactionid"]);
    holder.commit().await.expect("let go");
    first.await.expect("it ends").expect("a free slot");
    assert!(matches!(second.await.expect("it ends"), Err(BookError::SlotTaken)));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_slot_that_overlaps_a_booked_one_is_refused(pool: PgPool) {
    let house = House::new(pool).await;
    add_hours(&house.superuser, house.riverside.id, house.riverside.practitioner, (495, 1080, 30)).await;
    house.book(0, at("10:00")).await.expect("a free slot");
    assert!(matches!(house.book(1, at("10:15")).await, Err(BookError::SlotTaken)));
    assert!(matches!(house.book(1, at("09:45")).await, Err(BookError::SlotTaken)));
    house.book(1, at("10:30")).await.expect("the slot that begins when the first ends");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_patient_is_in_one_place_at_a_time(pool: PgPool) {
    let house = House::new(pool).await;
    house.book(0, at("10:00")).await.expect("a free slot");
    let clinic = &house.riverside;
    let request = BookRequest::new(clinic.patients[0], clinic.colleague_practitioner, clinic.consultation, at("10:00"));
    let second = scheduler::book(&house.db, &house.clock, &house.random, &clinic.receptionist, request).await;
    assert!(matches!(second, Err(BookError::PatientBusy)), "{second:?}");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn only_a_slot_of_the_schedule_that_lies_ahead_is_booked(pool: PgPool) {
    let house = House::new(pool).await;
    for outside in ["09:31", "18:00", "23:00"] {
        assert!(matches!(house.book(0, at(outside)).await, Err(BookError::OutsideSchedule)), "{outside}");
    }
    for past in ["08:30", "09:00"] {
        assert!(matches!(house.book(0, at(past)).await, Err(BookError::InThePast)), "{past}");
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn people_of_another_clinic_cannot_be_booked(pool: PgPool) {
    let house = House::new(pool).await;
    let (ours, theirs) = (&house.riverside, &house.harbour);
    let book = |patient, practitioner| {
        let request = BookRequest::new(patient, practitioner, ours.consultation, at("10:00"));
        scheduler::book(&house.db, &house.clock, &house.random, &ours.receptionist, request)
    };
    assert!(matches!(book(theirs.patients[0], ours.practitioner).await, Err(BookError::NoSuchPatient)));
    assert!(matches!(book(ours.patients[0], theirs.practitioner).await, Err(BookError::NoSuchPractitioner)));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_cancelled_slot_is_free_again(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.book(0, at("10:00")).await.expect("a free slot");
    assert!(!house.free().await.contains(&at("10:00")));
    let desk = &house.riverside.receptionist;
    scheduler::cancel(&house.db, &house.clock, desk, Cancel::new(id, "The patient called."))
        .await
        .expect("a booked appointment");
    assert!(house.free().await.contains(&at("10:00")));
    house.book(1, at("10:00")).await.expect("a free slot");

    let again = scheduler::cancel(&house.db, &house.clock, desk, Cancel::new(id, "Once more.")).await;
    assert!(matches!(again, Err(CancelError::NotPossible(_))));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn cancelling_takes_a_reason_and_the_right_clinic(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.book(0, at("10:00")).await.expect("a free slot");
    let blank = scheduler::cancel(&house.db, &house.clock, &house.riverside.receptionist, Cancel::new(id, "  ")).await;
    assert!(matches!(blank, Err(CancelError::ReasonMissing)));
    let stranger =
        scheduler::cancel(&house.db, &house.clock, &house.harbour.receptionist, Cancel::new(id, "Mine.")).await;
    assert!(matches!(stranger, Err(CancelError::NotFound)));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn patients_cancel_their_own_while_somebody_else_can_still_have_the_time(pool: PgPool) {
    let house = House::new(pool).await;
    sqlx::query("update visit_types set cancel_notice_minutes = 60").execute(&house.superuser).await.expect("a rule");
    let id = house.book(0, at("10:30")).await.expect("a free slot");
    let cancel =
        async |by: domain::Actor| scheduler::cancel(&house.db, &house.clock, &by, Cancel::new(id, "Ill.")).await;
    let stranger = house.patient(0, domain::AppointmentId(house.riverside.id.0));
    assert!(matches!(cancel(stranger).await, Err(CancelError::NotFound)));
    house.clock.set(at("09:31"));
    assert!(matches!(cancel(house.patient(0, id)).await, Err(CancelError::TooLate)));
    house.clock.set(at("09:30"));
    assert_eq!(cancel(house.patient(0, id)).await.expect("in time"), [id]);
    let by: Option<String> = sqlx::query_scalar("select cancelled_by from appointments")
        .fetch_one(&house.superuser)
        .await
        .expect("an appointment");
    assert_eq!(by.as_deref(), Some("patient"));
    house.book(1, at("10:30")).await.expect("free again");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn free_slots_lie_ahead(pool: PgPool) {
    let house = House::new(pool).await;
    let tomorrow: Timestamp = "2026-11-25T08:00:00Z".parse().expect("a time");
    let slots = house.free().await;
    assert_eq!((slots[0], slots[16], slots[17]), (at("09:30"), at("17:30"), tomorrow));
    house.clock.set(at("17:30"));
    assert_eq!(house.free().await[0], tomorrow, "what begins now has begun");
}
