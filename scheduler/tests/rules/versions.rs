//! Whoever decides on what they have seen changes that, or nothing.

use crate::house::{House, at};
use domain::AppointmentState;
use jiff::SignedDuration;
use scheduler::{ArriveError, Cancel, CancelError, arrive_if};
use sqlx::PgPool;

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn of_two_who_decide_on_the_same_version_one_does(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = &house.riverside.receptionist;
    for turn in 0..10 {
        let starts_at = at("09:30") + SignedDuration::from_mins(30 * turn);
        let id = house.book(0, starts_at).await.expect("a free slot");
        house.clock.set(starts_at - SignedDuration::from_mins(5));
        let seen = Some(house.view(id).await.version);
        let (arrived, cancelled) = tokio::join!(
            arrive_if(&house.db, &house.clock, desk, id, seen),
            scheduler::cancel(
                &house.db,
                &house.clock,
                desk,
                Cancel { if_version: seen, ..Cancel::new(id, "They called.") }
            ),
        );
        match (arrived, cancelled) {
            (Ok(_), Err(CancelError::Changed)) | (Err(ArriveError::Changed), Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_arrival_that_waits_for_a_change_finds_it(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.book(0, at("09:30")).await.expect("a free slot");
    let seen = Some(house.view(id).await.version);
    let mut other = house.superuser.begin().await.expect("a transaction");
    sqlx::query("update appointments set reschedule_reason = 'Later' where id = $1")
        .bind(id.0)
        .execute(&mut *other)
        .await
        .expect("changed");
    let change = async {
        house.waiting(1).await;
        other.commit().await.expect("the change holds");
    };
    let desk = &house.riverside.receptionist;
    let (arrived, ()) = tokio::join!(arrive_if(&house.db, &house.clock, desk, id, seen), change);
    assert!(matches!(arrived, Err(ArriveError::Changed)), "{arrived:?}");
    assert_eq!(house.view(id).await.state, AppointmentState::Booked);
    let now = Some(house.view(id).await.version);
    arrive_if(&house.db, &house.clock, desk, id, now).await.expect("what is there now");
}
