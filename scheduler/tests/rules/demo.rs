//! The demo is there at any hour, and a second start keeps it.

use domain::{Actor, AppointmentState, ClinicId, Role, Who};
use jiff::{SignedDuration, Timestamp};
use scheduler::{demo::demo, missed::mark_missed};
use service::{clock::ManualClock, postgres::Db, random::SeededRandom};
use sqlx::PgPool;

/// Where the demo's clinics stand.
const ZONE: &str = "Europe/London";

fn hash(password: &str) -> String {
    format!("hash of {password}")
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_second_start_keeps_the_demo(pool: PgPool) {
    let db = Db::over((*pool.connect_options()).clone(), 5);
    let clock = ManualClock::at("2026-11-24T13:10:00Z".parse().expect("a timestamp"));
    let random = SeededRandom::new(1);
    let first = demo(&db, &clock, &random, &hash, ZONE).await.expect("a demo");
    assert_eq!(first.accounts.iter().filter(|account| account.role == Role::Practitioner).count(), 3);
    assert_eq!(first.visits.len(), 9);
    let next: Timestamp = "2026-11-24T13:30:00Z".parse().expect("a timestamp");
    assert_eq!(first.visits[0].starts_at, next);

    let second = demo(&db, &clock, &random, &hash, ZONE).await.expect("a demo");
    let ids = |demo: &scheduler::demo::Demo| demo.visits.iter().map(|visit| visit.appointment).collect::<Vec<_>>();
    assert_eq!(ids(&second), ids(&first));

    clock.advance(SignedDuration::from_hours(4));
    let later = demo(&db, &clock, &random, &hash, ZONE).await.expect("a demo");
    assert_eq!(later.visits.len(), 9, "fresh visits when none lies ahead");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_working_day_has_a_past(pool: PgPool) {
    let db = Db::over((*pool.connect_options()).clone(), 5);
    let clock = ManualClock::at("2026-11-24T13:10:00Z".parse().expect("a timestamp"));
    demo(&db, &clock, &SeededRandom::new(1), &hash, ZONE).await.expect("a demo");
    let clinics: Vec<uuid::Uuid> =
        sqlx::query_scalar("select id from clinics").fetch_all(&pool).await.expect("the demo's clinics");
    for clinic in clinics {
        let worker = Actor { clinic: ClinicId(clinic), who: Who::Service("scheduler") };
        assert_eq!(mark_missed(&db, &clock, &worker).await.expect("a round").len(), 1, "one visit of each was missed");
    }
    let states: Vec<(AppointmentState, i64)> =
        sqlx::query_as("select state, count(*) from appointments group by state order by state")
            .fetch_all(&pool)
            .await
            .expect("states");
    use AppointmentState::{Booked, Cancelled, Fulfilled, NoShow};
    assert_eq!(states, [(Booked, 9), (Cancelled, 2), (Fulfilled, 3), (NoShow, 2)]);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn there_is_a_visit_to_try_at_any_minute_of_the_day(pool: PgPool) {
    let db = Db::over((*pool.connect_options()).clone(), 5);
    let zone = jiff::tz::TimeZone::get(ZONE).expect("a zone");
    let midnight = jiff::civil::date(2026, 11, 24).to_zoned(zone).expect("a midnight").timestamp();
    let random = SeededRandom::new(1);
    for minutes in [0, 1, 29, 30, 700, 1409, 1410, 1411, 1439] {
        let clock = ManualClock::at(midnight + SignedDuration::from_mins(minutes));
        let demo = demo(&db, &clock, &random, &hash, ZONE).await.expect("a demo");
        assert!(demo.visits.len() >= 3, "{minutes} minutes after midnight: {}", demo.visits.len());
    }
}
