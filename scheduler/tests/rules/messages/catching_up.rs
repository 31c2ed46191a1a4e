//! The scheduler was away, or the clock jumped: what is stale is skipped, and the rest is sent once.

use crate::house::{House, at};
use jiff::{SignedDuration, Timestamp};
use scheduler::{
    deliveries,
    messages::{Channel, MessageKind, MessageState, Problem},
};
use sqlx::PgPool;

fn instant(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

/// A visit at ten on Tuesday, booked the Friday before and confirmed, to be told by e-mail only.
async fn confirmed(house: &House) -> domain::AppointmentId {
    sqlx::query("update patients set phone = null").execute(&house.superuser).await.expect("a change");
    house.clock.set(instant("2026-11-20T09:00:00Z"));
    let id = house.book(0, at("10:00")).await.expect("a free slot");
    assert_eq!(house.mails().await.len(), 1);
    id
}

/// What became of the reminders, the earliest first.
async fn reminders(house: &House, id: domain::AppointmentId) -> Vec<(MessageState, Option<Problem>)> {
    let mut told = deliveries(&house.db, &house.riverside.receptionist, id).await.expect("a read");
    told.retain(|told| told.kind == MessageKind::Reminder && told.channel == Channel::Email);
    told.sort_by_key(|told| -told.ahead_minutes);
    told.into_iter().map(|told| (told.state, told.problem)).collect()
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_reminder_a_little_late_is_sent_and_one_much_too_late_gives_way_to_the_next(pool: PgPool) {
    let house = House::new(pool).await;
    let id = confirmed(&house).await;
    house.clock.set(instant("2026-11-23T12:00:01Z"));
    assert!(house.mails().await.is_empty(), "two hours late");
    assert_eq!(reminders(&house, id).await[0], (MessageState::Skipped, Some(Problem::Late)));
    house.clock.set(at("09:15"));
    assert_eq!(house.mails().await.len(), 1, "the hour's, fifteen minutes late");
    house.clock.set(at("09:50"));
    assert_eq!(house.mails().await.len(), 1, "the last");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_clock_that_jumps_an_hour_back_and_forth_sends_nothing_twice(pool: PgPool) {
    let house = House::new(pool).await;
    confirmed(&house).await;
    let due = instant("2026-11-23T10:00:00Z");
    let hour = SignedDuration::from_hours(1);
    let mut sent = 0;
    for now in [due, due - hour, due + hour, due - hour, due, due + hour] {
        house.clock.set(now);
        sent += house.mails().await.len();
    }
    assert_eq!(sent, 1);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_clock_that_jumps_three_days_ahead_reminds_of_nothing_that_has_been(pool: PgPool) {
    let house = House::new(pool).await;
    let id = confirmed(&house).await;
    house.clock.set(at("09:00") + SignedDuration::from_hours(72));
    assert!(house.mails().await.is_empty());
    assert_eq!(reminders(&house, id).await, [(MessageState::Skipped, Some(Problem::Begun)); 3]);
    house.clock.set(instant("2026-11-23T10:00:00Z"));
    assert!(house.mails().await.is_empty(), "what is settled stays so when the clock is set right");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn who_has_arrived_is_not_reminded(pool: PgPool) {
    let house = House::new(pool).await;
    let id = confirmed(&house).await;
    house.clock.set(at("09:45"));
    house.mails().await;
    scheduler::arrive(&house.db, &house.clock, &house.patient(0, id), id).await.expect("in time");
    house.clock.set(at("09:50"));
    assert!(house.mails().await.is_empty());
    assert_eq!(reminders(&house, id).await[2], (MessageState::Skipped, Some(Problem::Begun)));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_address_that_was_taken_away_meanwhile_is_not_written_to(pool: PgPool) {
    let house = House::new(pool).await;
    let id = confirmed(&house).await;
    sqlx::query("update patients set email = null").execute(&house.superuser).await.expect("a change");
    house.clock.set(instant("2026-11-23T10:00:00Z"));
    assert!(house.mails().await.is_empty());
    assert_eq!(reminders(&house, id).await[0], (MessageState::Skipped, Some(Problem::NoAddress)));
}
