//! Who was in the consultation, and when: written down from the sockets themselves.

use crate::house::{House, Person, RunningNode, closed};
use domain::{Actor, AppointmentId, AppointmentState, Clock as _, Who, signal::close};
use jiff::{SignedDuration, Timestamp};
use scheduler::{Place, Presence, Present, missed::mark_missed, presences};
use service::clock::{ManualClock, SystemClock};
use sqlx::PgPool;

/// Comes into the room and leaves it again. What was written of it is written before the socket closes.
async fn comes_and_goes(house: &House, person: &Person, node: &RunningNode) {
    let page = house.joins(person, node).await;
    page.leave().await.expect("open");
    assert_eq!(closed(&page).await.0, Some(close::LEFT));
}

async fn who_was_there(house: &House) -> Vec<Presence> {
    presences(&house.db, &house.practitioner.actor, house.appointment).await.expect("a read")
}

/// A round of the scheduler, a day later: which visits it marks as missed.
async fn missed_a_day_later(house: &House) -> Vec<AppointmentId> {
    let clock = ManualClock::at(SystemClock.now() + SignedDuration::from_hours(24));
    let worker = Actor { clinic: house.patient.actor.clinic, who: Who::Service("scheduler") };
    mark_missed(&house.db, &clock, &worker).await.expect("a round")
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_patient_to_whom_nobody_came_was_there_and_it_is_not_their_no_show(pool: PgPool) {
    let (house, _relay, node) = House::ready(pool).await;
    let before: Timestamp = SystemClock.now();
    comes_and_goes(&house, &house.patient, &node).await;
    let after = SystemClock.now();

    let there = who_was_there(&house).await;
    let [patient] = there.as_slice() else { panic!("{there:?}") };
    assert_eq!((patient.who, patient.place), (Present::Patient, Place::Consultation));
    let is_true =
        before <= patient.began_at && patient.began_at <= patient.last_seen_at && patient.last_seen_at <= after;
    assert!(is_true, "between {before} and {after}: {patient:?}");

    assert_eq!(missed_a_day_later(&house).await, []);
    let view = scheduler::glance(&house.db, &house.practitioner.actor, house.appointment).await.expect("a read");
    let view = view.expect("an appointment");
    assert_eq!((view.state, view.absent), (AppointmentState::Fulfilled, None));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn both_are_written_down_in_the_order_in_which_they_came_whichever_node_they_are_on(pool: PgPool) {
    let (mut house, _relay, node) = House::ready(pool).await;
    let other_node = house.starts_node().await;
    comes_and_goes(&house, &house.patient, &node).await;
    comes_and_goes(&house, &house.practitioner, &other_node).await;
    // Back within two minutes, it is the same stay.
    comes_and_goes(&house, &house.patient, &other_node).await;

    let there = who_was_there(&house).await;
    let [first, second] = there.as_slice() else { panic!("{there:?}") };
    assert_eq!((first.who, second.who), (Present::Patient, Present::Practitioner));
    assert!(first.began_at <= second.began_at && second.last_seen_at <= first.last_seen_at, "{there:?}");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn who_was_not_let_in_was_not_there(pool: PgPool) {
    let (house, _relay, node) = House::ready(pool).await;
    let page = crate::house::opens(&node).await;
    page.resume(&"not a token".to_owned().into()).await.expect("open");
    assert_eq!(closed(&page).await.0, Some(close::TOKEN_REFUSED));
    assert_eq!(who_was_there(&house).await, []);
}
