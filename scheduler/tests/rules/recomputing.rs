//! The rules of a time zone change.

use crate::house::{House, at};
use domain::AppointmentId;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use scheduler::{Recomputed, recompute_times};
use sqlx::PgPool;

/// London stays on summer time for good: its clocks show an hour more than was thought when the visits were booked.
fn summer_for_good(name: &str) -> Option<TimeZone> {
    if name == "Europe/London" { TimeZone::posix("BST-1").ok() } else { TimeZone::get(name).ok() }
}

async fn recompute(house: &House) -> Recomputed {
    recompute_times(&house.db, &house.clock, &summer_for_good, &house.riverside.receptionist).await.expect("recomputed")
}

async fn reserved(house: &House, id: AppointmentId) -> Vec<(Timestamp, Timestamp)> {
    let rows: Vec<(jiff_sqlx::Timestamp, jiff_sqlx::Timestamp)> =
        sqlx::query_as("select lower(during), upper(during) from reservations where appointment_id = $1 and active")
            .bind(id.0)
            .fetch_all(&house.superuser)
            .await
            .expect("reservations");
    rows.into_iter().map(|(from, to)| (from.to_jiff(), to.to_jiff())).collect()
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_was_agreed_on_stays_and_the_instants_follow(pool: PgPool) {
    let house = House::new(pool).await;
    // One after the other: row by row they would run into each other.
    let mut ids = Vec::new();
    for (patient, time) in [(0, "11:00"), (1, "11:30"), (2, "12:00"), (0, "12:30")] {
        ids.push((house.book(patient, at(time)).await.expect("a free slot"), at(time)));
    }
    let hour = SignedDuration::from_hours(1);
    let done = recompute(&house).await;
    assert_eq!(done.moved, ids.iter().map(|(id, was)| (*id, *was, *was - hour)).collect::<Vec<_>>());
    assert!(done.overlapping.is_empty());
    for (id, was) in &ids {
        let view = house.view(*id).await;
        assert_eq!((view.starts_at, view.sequence), (*was - hour, 1));
        let during = (*was - hour, *was - hour + SignedDuration::from_mins(30));
        assert_eq!(reserved(&house, *id).await, [during, during]);
    }
    assert_eq!(house.actions().await.iter().filter(|action| *action == "appointment.recomputed").count(), 4);
    let told: i64 =
        sqlx::query_scalar("select count(*) from outbox where kind = 'change' and version = 1 and channel = 'email'")
            .fetch_one(&house.superuser)
            .await
            .expect("a count");
    assert_eq!(told, 4, "each patient's calendar");
    assert_eq!(recompute(&house).await, Recomputed::default(), "a second time changes nothing");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_would_overlap_stays_and_is_listed(pool: PgPool) {
    let house = House::new(pool).await;
    let blocked = house.book(0, at("12:00")).await.expect("a free slot");
    let next = house.book(2, at("13:00")).await.expect("a free slot");
    let far = house.book(2, at("15:00")).await.expect("a free slot");
    // Agreed on by another clock, which does not change: its instant stays where the first would go.
    let other = house.book(1, at("11:00")).await.expect("a free slot");
    sqlx::query("update appointments set time_zone = 'UTC' where id = $1")
        .bind(other.0)
        .execute(&house.superuser)
        .await
        .expect("another zone");
    let done = recompute(&house).await;
    assert_eq!(done.overlapping, [(blocked, at("12:00"), at("11:00")), (next, at("13:00"), at("12:00"))]);
    assert_eq!(done.moved, [(far, at("15:00"), at("14:00"))]);
    for (id, starts_at) in [(blocked, "12:00"), (next, "13:00"), (other, "11:00"), (far, "14:00")] {
        assert_eq!(house.view(id).await.starts_at, at(starts_at));
        assert_eq!(reserved(&house, id).await[0].0, at(starts_at));
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_zone_that_nobody_knows_any_more_is_named_and_nothing_moves(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.book(0, at("12:00")).await.expect("a free slot");
    let desk = &house.riverside.receptionist;
    let done = recompute_times(&house.db, &house.clock, &|_| None, desk).await.expect("recomputed");
    assert_eq!(done.unknown_zones.into_iter().collect::<Vec<_>>(), ["Europe/London"]);
    assert_eq!(house.view(id).await.starts_at, at("12:00"));
}
