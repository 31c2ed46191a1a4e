//! The time passes and nobody comes; what has expired is thrown away.

use crate::house::{House, at};
use domain::{Actor, AppointmentState, Who};
use jiff::SignedDuration;
use scheduler::{
    Mailer, SchedulerConfig, Texts, WebhookSender, join_tokens,
    missed::mark_missed,
    run::{purge, to_nobody},
    visit_sessions,
};
use sqlx::PgPool;
use std::sync::Arc;

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_appointment_is_missed_when_its_window_has_closed(pool: PgPool) {
    let house = House::new(pool).await;
    let missed = house.book(0, at("10:00")).await.expect("a free slot");
    let later = house.book(1, at("11:00")).await.expect("a free slot");
    let by = Actor { clinic: house.riverside.id, who: Who::Service("scheduler") };
    house.clock.set(at("10:44"));
    assert_eq!(mark_missed(&house.db, &house.clock, &by).await.expect("a round"), []);
    house.clock.set(at("10:45"));
    assert_eq!(mark_missed(&house.db, &house.clock, &by).await.expect("a round"), [missed]);
    assert_eq!(mark_missed(&house.db, &house.clock, &by).await.expect("a round"), []);
    for (id, state) in [(missed, AppointmentState::NoShow), (later, AppointmentState::Booked)] {
        let view = scheduler::glance(&house.db, &by, id).await.expect("a read").expect("an appointment");
        assert_eq!(view.state, state);
    }
    assert!(house.actions().await.contains(&"appointment.missed".to_owned()));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_expired_a_day_ago_is_thrown_away(pool: PgPool) {
    let house = House::new(pool).await;
    let (appointment, encounter) = house.admitted().await;
    let key = join_tokens::SigningKey::new(&house.keys.join_token);
    let doctor = &house.riverside.doctor;
    join_tokens::mint(&house.db, &house.clock, &house.random, &key, doctor, encounter).await.expect("a token");
    let patient = house.patient(0, appointment);
    visit_sessions::start(&house.db, &house.clock, &house.random, &patient).await.expect("a session");
    let carriers = house.carriers(Mailer::Nowhere, Texts::Nowhere);
    let config = SchedulerConfig {
        db: house.db.clone(),
        clock: Arc::new(house.clock.clone()),
        carriers,
        webhooks: WebhookSender::new().expect("certificates"),
        offer_link: house.keys.offer_link.clone(),
        announce: to_nobody(),
    };
    let rows = async || -> (i64, i64) {
        sqlx::query_as("select (select count(*) from join_tokens), (select count(*) from visit_sessions)")
            .fetch_one(&house.superuser)
            .await
            .expect("counts")
    };
    purge(&config).await.expect("a round");
    assert_eq!(rows().await, (1, 1));
    house.clock.advance(SignedDuration::from_hours(25));
    purge(&config).await.expect("a round");
    assert_eq!(rows().await, (0, 1));
    house.clock.advance(SignedDuration::from_hours(12));
    purge(&config).await.expect("a round");
    assert_eq!(rows().await, (0, 0));
}
