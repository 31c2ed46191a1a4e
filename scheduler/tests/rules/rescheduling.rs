//! An appointment is moved, with a reason.

use crate::house::{House, at, resource};
use domain::{AppointmentId, AppointmentState};
use jiff::SignedDuration;
use scheduler::{BookError, BookRequest, Needs, Reschedule, RescheduleError, Starts};
use sqlx::PgPool;
use std::sync::Arc;

async fn reschedule(house: &House, request: Reschedule) -> Result<Vec<AppointmentId>, RescheduleError> {
    scheduler::reschedule(&house.db, &house.clock, &house.riverside.receptionist, request).await
}

fn to(id: AppointmentId, time: &str) -> Reschedule {
    Reschedule::new(id, at(time), "The patient asked for it.")
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_moved_appointment_is_the_same_one_at_another_time(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.book(0, at("10:00")).await.expect("a free slot");
    let before = house.view(id).await;
    assert_eq!(reschedule(&house, to(id, "11:00")).await.expect("a free slot"), [id]);
    let after = house.view(id).await;
    assert_eq!((after.starts_at, after.ends_at, after.state), (at("11:00"), at("11:30"), AppointmentState::Booked));
    assert_eq!(after.reschedule_reason.as_deref(), Some("The patient asked for it."));
    assert_eq!((before.sequence, after.sequence), (0, 1));
    assert!(after.version > before.version);
    assert_eq!(after.link_version, before.link_version, "the link in the patient's hands still opens it");
    house.book(1, at("10:00")).await.expect("its old time is free");
    assert!(matches!(house.book(1, at("11:00")).await, Err(BookError::SlotTaken)));
    assert_eq!(house.actions().await.iter().filter(|action| *action == "appointment.rescheduled").count(), 1);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_appointment_moves_into_time_that_overlaps_its_own(pool: PgPool) {
    let house = House::new(pool).await;
    crate::house::add_hours(&house.superuser, house.riverside.id, house.riverside.practitioner, (495, 1080, 30)).await;
    let id = house.book(0, at("10:00")).await.expect("a free slot");
    reschedule(&house, to(id, "10:15")).await.expect("only its own time is in the way");
    assert_eq!(reschedule(&house, to(id, "10:15")).await.expect("it is there"), []);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_refused_move_leaves_everything_as_it_was(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.book(0, at("10:00")).await.expect("a free slot");
    house.book(1, at("11:00")).await.expect("a free slot");
    let refused = async |request| match reschedule(&house, request).await {
        Err(RescheduleError::Refused(why)) => why,
        other => panic!("{other:?}"),
    };
    assert!(matches!(refused(to(id, "11:00")).await, BookError::SlotTaken));
    assert!(matches!(refused(to(id, "11:01")).await, BookError::OutsideSchedule));
    assert!(matches!(refused(to(id, "08:30")).await, BookError::InThePast));
    let stranger = Reschedule { practitioner: Some(house.harbour.practitioner), ..to(id, "12:00") };
    assert!(matches!(refused(stranger).await, BookError::NoSuchPractitioner));
    assert_eq!(house.view(id).await.starts_at, at("10:00"));
    assert!(matches!(house.book(2, at("10:00")).await, Err(BookError::SlotTaken)));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_appointment_may_move_to_another_practitioner_or_beside_another_visit(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.book(0, at("10:00")).await.expect("a free slot");
    let colleague = house.riverside.colleague_practitioner;
    reschedule(&house, Reschedule { practitioner: Some(colleague), ..to(id, "10:00") }).await.expect("they are free");
    assert_eq!(house.view(id).await.practitioner.id, colleague);

    let other = house.book(1, at("10:00")).await.expect("a free slot");
    let back = Reschedule { practitioner: Some(house.riverside.practitioner), ..to(id, "10:00") };
    let beside = Reschedule { overbook: Some("Urgent".to_owned()), ..back };
    reschedule(&house, beside).await.expect("a lane");
    let view = house.view(id).await;
    assert_eq!((view.lane, view.overbooked_by.as_deref()), (1, Some("desk@riverside.example")));
    assert_eq!(house.view(other).await.lane, 0);
    reschedule(&house, to(id, "11:00")).await.expect("a free slot");
    assert_eq!(house.view(id).await.lane, 0, "in their own time it is no overbooking any more");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_interpreter_who_is_taken_then_sends_another_one(pool: PgPool) {
    let house = House::new(pool).await;
    let (pool, clinic) = (&house.superuser, &house.riverside);
    let ana = resource(pool, clinic.id, "interpreter", "Ana", &["en", "pt"]).await;
    let bento = resource(pool, clinic.id, "interpreter", "Bento", &["en", "pt"]).await;
    let needs = Needs { interpreter: Some(("en".to_owned(), "pt".to_owned())), ..Needs::default() };
    let id = house.send(BookRequest { needs: needs.clone(), ..house.request(0, at("10:00")) }).await.expect("free");
    let later = BookRequest { needs, practitioner: clinic.colleague_practitioner, ..house.request(1, at("11:00")) };
    house.send(later).await.expect("free");
    assert_eq!(house.view(id).await.resources[0].id, ana);
    reschedule(&house, to(id, "11:00")).await.expect("one of them is free");
    assert_eq!(house.view(id).await.resources[0].id, bento);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_desk_moves_to_any_minute_that_lies_in_the_hours(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.book(0, at("10:00")).await.expect("a free slot");
    house.book(1, at("11:00")).await.expect("a free slot");
    let to_any = |time| Reschedule { starts: Starts::AnyMinute, ..to(id, time) };
    reschedule(&house, to_any("10:07")).await.expect("it fits");
    assert_eq!(house.view(id).await.starts_at, at("10:07"));
    let refused = async |request| match reschedule(&house, request).await {
        Err(RescheduleError::Refused(why)) => why,
        other => panic!("{other:?}"),
    };
    assert!(matches!(refused(to_any("10:31")).await, BookError::SlotTaken), "it would reach into the next");
    assert!(matches!(refused(to_any("23:45")).await, BookError::OutsideSchedule));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn whoever_waits_is_moved_within_the_day_and_goes_on_waiting(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.arrived().await;
    let colleague = Some(house.riverside.colleague_practitioner);
    reschedule(&house, Reschedule { practitioner: colleague, ..to(id, "10:00") }).await.expect("they are free");
    let moved = house.view(id).await;
    assert_eq!((moved.state, moved.starts_at), (AppointmentState::Arrived, at("10:00")));
    assert!(moved.arrived_at.is_some() && !moved.left, "the seat is theirs still");
    let tomorrow = Reschedule::new(id, at("10:00") + SignedDuration::from_hours(24), "Tomorrow");
    assert!(matches!(reschedule(&house, tomorrow).await, Err(RescheduleError::Waits)));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn only_what_lies_ahead_moves_and_only_for_a_reason(pool: PgPool) {
    let house = House::new(pool).await;
    let (id, _) = house.admitted().await;
    assert!(matches!(reschedule(&house, to(id, "11:00")).await, Err(RescheduleError::NotPossible(_))));
    let id = house.book(1, at("10:00")).await.expect("a free slot");
    let blank = Reschedule { reason: " ".to_owned(), ..to(id, "11:00") };
    assert!(matches!(reschedule(&house, blank).await, Err(RescheduleError::ReasonMissing)));
    for stranger in [&house.patient(1, id), &house.harbour.receptionist] {
        let refused = scheduler::reschedule(&house.db, &house.clock, stranger, to(id, "11:00")).await;
        assert!(matches!(refused, Err(RescheduleError::NotFound)));
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn who_decides_on_what_was_changed_meanwhile_is_told(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.book(0, at("10:00")).await.expect("a free slot");
    let seen = Some(house.view(id).await.version);
    reschedule(&house, Reschedule { if_version: seen, ..to(id, "11:00") }).await.expect("unchanged");
    let stale = reschedule(&house, Reschedule { if_version: seen, ..to(id, "12:00") }).await;
    assert!(matches!(stale, Err(RescheduleError::Changed)));
    let request = scheduler::Cancel { if_version: seen, ..scheduler::Cancel::new(id, "Ill.") };
    let stale = scheduler::cancel(&house.db, &house.clock, &house.riverside.receptionist, request).await;
    assert!(matches!(stale, Err(scheduler::CancelError::Changed)));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn two_that_change_places_at_once_do_not_wait_for_each_other_forever(pool: PgPool) {
    let house = Arc::new(House::new(pool).await);
    let one = house.book(0, at("10:00")).await.expect("a free slot");
    let other = house.book(1, at("11:00")).await.expect("a free slot");
    for _ in 0..10 {
        let racers = [(one, "11:00"), (other, "10:00")].map(|(id, time)| {
            let house = house.clone();
            tokio::spawn(async move { reschedule(&house, to(id, time)).await })
        });
        for racer in racers {
            let refused = racer.await.expect("a racer ends");
            assert!(matches!(refused, Err(RescheduleError::Refused(BookError::SlotTaken))), "{refused:?}");
        }
    }
}
