//! Who was where, and what follows for a visit that did not take place.

use crate::house::{House, at};
use domain::{Actor, AppointmentId, AppointmentState, Clock as _, Who};
use jiff::{SignedDuration, Timestamp};
use scheduler::{
    Absent, Place, Presence, Present, UndoMissedError, in_consultation, missed::mark_missed, presences,
    room_participants, undo_missed,
};
use sqlx::PgPool;

/// After the arrival window of a visit from ten to half past.
const CLOSED: &str = "10:45";

fn worker(house: &House) -> Actor {
    Actor { clinic: house.riverside.id, who: Who::Service("scheduler") }
}

async fn marks(house: &House) -> Vec<AppointmentId> {
    mark_missed(&house.db, &house.clock, &worker(house)).await.expect("a round")
}

/// The first patient's visit at ten.
async fn booked(house: &House) -> AppointmentId {
    house.book(0, at("10:00")).await.expect("a free slot")
}

/// The patient arrives and is seen every ten seconds, from a time until another.
async fn waits(house: &House, id: AppointmentId, from: &str, until: &str) {
    let patient = house.patient(0, id);
    house.clock.set(at(from));
    scheduler::arrive(&house.db, &house.clock, &patient, id).await.expect("in time");
    while house.clock.now() < at(until) {
        house.clock.advance(SignedDuration::from_secs(30));
        scheduler::seen(&house.db, &house.clock, &patient, id).await.expect("written");
    }
}

async fn stands(house: &House, id: AppointmentId) -> (AppointmentState, Option<Absent>) {
    let view = house.view(id).await;
    (view.state, view.absent)
}

async fn intervals(house: &House, id: AppointmentId) -> Vec<(Present, Place, Timestamp, Timestamp)> {
    let all = presences(&house.db, &house.riverside.receptionist, id).await.expect("a read");
    all.into_iter()
        .map(|Presence { who, place, began_at, last_seen_at }| (who, place, began_at, last_seen_at))
        .collect()
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_patient_who_waited_and_was_not_seen_is_not_the_one_who_was_absent(pool: PgPool) {
    let house = House::new(pool).await;
    let id = booked(&house).await;
    waits(&house, id, "10:02", "10:29").await;
    house.clock.set(at(CLOSED));
    assert_eq!(marks(&house).await, [id]);
    assert_eq!(stands(&house, id).await, (AppointmentState::NoShow, Some(Absent::Practitioner)));
    let waited = (Present::Patient, Place::WaitingRoom, at("10:02"), at("10:29"));
    assert_eq!(intervals(&house, id).await, [waited]);
    let patient = house.patient(0, id);
    assert!(presences(&house.db, &patient, id).await.expect("a read").is_empty(), "for those who work here");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_patient_who_never_came_was_absent(pool: PgPool) {
    let house = House::new(pool).await;
    let id = booked(&house).await;
    house.clock.set(at(CLOSED));
    assert_eq!(marks(&house).await, [id]);
    assert_eq!(stands(&house, id).await, (AppointmentState::NoShow, Some(Absent::Patient)));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_patient_who_came_and_went_before_the_practitioner_could_see_them_missed_them_as_they_missed_the_patient(
    pool: PgPool,
) {
    let house = House::new(pool).await;
    let id = booked(&house).await;
    waits(&house, id, "09:50", "10:09").await;
    house.clock.set(at(CLOSED));
    assert_eq!(marks(&house).await, [id]);
    assert_eq!(stands(&house, id).await, (AppointmentState::NoShow, Some(Absent::Both)));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn nothing_is_decided_before_the_window_closes_or_while_the_patient_waits(pool: PgPool) {
    let house = House::new(pool).await;
    let id = booked(&house).await;
    waits(&house, id, "10:40", "10:50").await;
    assert!(marks(&house).await.is_empty(), "the patient waits");
    house.clock.advance(SignedDuration::from_mins(2));
    assert!(marks(&house).await.is_empty(), "or loads the page again");
    house.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(marks(&house).await, [id]);
    assert_eq!(stands(&house, id).await.1, Some(Absent::Practitioner));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn who_is_away_for_more_than_two_minutes_was_away(pool: PgPool) {
    let house = House::new(pool).await;
    let id = booked(&house).await;
    waits(&house, id, "09:50", "09:55").await;
    let patient = house.patient(0, id);
    for back in ["09:57", "10:00"] {
        house.clock.set(at(back));
        scheduler::seen(&house.db, &house.clock, &patient, id).await.expect("written");
    }
    let expected = [("09:50", "09:57"), ("10:00", "10:00")];
    let expected = expected.map(|(from, to)| (Present::Patient, Place::WaitingRoom, at(from), at(to)));
    assert_eq!(intervals(&house, id).await, expected);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn signaling_says_who_is_in_the_consultation(pool: PgPool) {
    let house = House::new(pool).await;
    let (id, encounter) = house.admitted().await;
    let signaling = Actor { clinic: house.riverside.id, who: Who::Service("signaling") };
    let people = room_participants(&house.db, &signaling, encounter).await.expect("a read");
    let all: Vec<_> = people.iter().map(|one| one.participant).collect();
    let present = async |time: &str, by: &Actor, who: &[domain::ParticipantId]| {
        house.clock.set(at(time));
        in_consultation(&house.db, &house.clock, by, encounter, who).await.expect("written");
    };
    present("09:31", &signaling, &all[..1]).await;
    present("09:32", &signaling, &all).await;
    present("09:33", &signaling, &all).await;
    present("09:34", &house.riverside.receptionist, &all).await;
    let in_room: Vec<_> =
        intervals(&house, id).await.into_iter().filter(|interval| interval.1 == Place::Consultation).collect();
    let expected = [
        (Present::Practitioner, Place::Consultation, at("09:31"), at("09:33")),
        (Present::Patient, Place::Consultation, at("09:32"), at("09:33")),
    ];
    assert_eq!(in_room, expected, "and nobody else says so");
    house.clock.set(at("12:00"));
    assert!(marks(&house).await.is_empty(), "a visit that took place was not missed");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_desk_takes_a_miss_back_with_a_reason_and_the_worker_does_not_overturn_it(pool: PgPool) {
    let house = House::new(pool).await;
    let id = booked(&house).await;
    waits(&house, id, "10:02", "10:29").await;
    house.clock.set(at(CLOSED));
    marks(&house).await;
    let desk = &house.riverside.receptionist;
    for blank in ["", "  ", &"x".repeat(501)] {
        assert!(matches!(undo_missed(&house.db, desk, id, blank).await, Err(UndoMissedError::ReasonMissing)));
    }
    let strangers = [house.harbour.receptionist.clone(), house.patient(0, id), worker(&house)];
    for by in &strangers {
        assert!(matches!(undo_missed(&house.db, by, id, "Because.").await, Err(UndoMissedError::NotFound)));
    }
    undo_missed(&house.db, desk, id, "Seen by phone.").await.expect("missed");
    assert_eq!(stands(&house, id).await, (AppointmentState::Arrived, None));
    assert_eq!(house.view(id).await.outcome_reason.as_deref(), Some("Seen by phone."));
    house.clock.set(at("12:00"));
    assert!(marks(&house).await.is_empty(), "a person has decided");
    assert!(house.actions().await.contains(&"appointment.miss_undone".to_owned()));
    assert!(matches!(undo_missed(&house.db, desk, id, "Again.").await, Err(UndoMissedError::NotPossible(_))));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_visit_that_was_taken_back_has_its_time_again(pool: PgPool) {
    let house = House::new(pool).await;
    let id = booked(&house).await;
    house.clock.set(at(CLOSED));
    marks(&house).await;
    let active = async || -> i64 {
        sqlx::query_scalar("select count(*) from reservations where active and appointment_id = $1")
            .bind(id.0)
            .fetch_one(&house.superuser)
            .await
            .expect("a count")
    };
    assert_eq!(active().await, 0);
    undo_missed(&house.db, &house.riverside.receptionist, id, "They came to the clinic instead.")
        .await
        .expect("missed");
    assert_eq!(stands(&house, id).await, (AppointmentState::Booked, None));
    assert_eq!(active().await, 2);
}
