//! Links are sent, whatever fails in between.

use crate::house::{House, at};
use domain::Redacted;
use jiff::SignedDuration;
use scheduler::{Mailer, SendLinkError, outbox::deliver_due};
use sqlx::PgPool;
use std::sync::Arc;

async fn send(house: &House) -> domain::AppointmentId {
    let id = house.book(0, at("10:00")).await.expect("a free slot");
    let url = Redacted::new("http://localhost/visit/token".to_owned());
    let desk = &house.riverside.receptionist;
    scheduler::send_link(&house.db, &house.clock, &house.random, desk, id, &url).await.expect("an address");
    id
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn in_the_demo_the_link_lands_in_the_clinics_mailbox(pool: PgPool) {
    let house = House::new(pool).await;
    let id = send(&house).await;
    let clinic = house.riverside.id;
    assert_eq!(deliver_due(&house.db, &house.clock, &Mailer::Mailbox, clinic).await.expect("a round"), 1);
    let mails = scheduler::mailbox(&house.db, &house.riverside.receptionist).await.expect("a read");
    assert_eq!(mails.len(), 1);
    assert_eq!((mails[0].appointment, mails[0].recipient.as_str()), (id, "patient@patients.example"));
    assert!(mails[0].body.contains("http://localhost/visit/token"));
    assert!(mails[0].body.contains("Tuesday 24 November 2026 at 10:00"));
    assert!(!mails[0].body.contains("Santos") && !mails[0].subject.contains("Santos"));
    assert!(scheduler::mailbox(&house.db, &house.harbour.receptionist).await.expect("a read").is_empty());
    let kept: String = sqlx::query_scalar("select body from outbox").fetch_one(&house.superuser).await.expect("a row");
    assert_eq!(kept, "", "a sent link is not kept");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn ten_schedulers_send_a_mail_once(pool: PgPool) {
    let house = Arc::new(House::new(pool).await);
    send(&house).await;
    let rounds: Vec<_> = (0..10)
        .map(|_| {
            let house = house.clone();
            tokio::spawn(
                async move { deliver_due(&house.db, &house.clock, &Mailer::Mailbox, house.riverside.id).await },
            )
        })
        .collect();
    let mut sent = 0;
    for round in rounds {
        sent += round.await.expect("a round ends").expect("a round");
    }
    assert_eq!(sent, 1);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_mail_waits_for_a_server_that_is_down_and_is_not_lost(pool: PgPool) {
    let house = House::new(pool).await;
    send(&house).await;
    let clinic = house.riverside.id;
    // Port 9 of the loop-back address: nobody answers.
    let url = Redacted::new("smtp://127.0.0.1:9".to_owned());
    let down = Mailer::smtp(&url, "Clinic <visits@clinic.example>").expect("an address");
    assert_eq!(deliver_due(&house.db, &house.clock, &down, clinic).await.expect("a round"), 0);
    assert_eq!(deliver_due(&house.db, &house.clock, &Mailer::Mailbox, clinic).await.expect("a round"), 0);
    house.clock.advance(SignedDuration::from_secs(30));
    assert_eq!(deliver_due(&house.db, &house.clock, &Mailer::Mailbox, clinic).await.expect("a round"), 1);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn without_a_server_mail_waits(pool: PgPool) {
    let house = House::new(pool).await;
    send(&house).await;
    let clinic = house.riverside.id;
    assert_eq!(deliver_due(&house.db, &house.clock, &Mailer::Nowhere, clinic).await.expect("a round"), 0);
    assert_eq!(deliver_due(&house.db, &house.clock, &Mailer::Mailbox, clinic).await.expect("a round"), 1);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn no_link_is_sent_for_a_cancelled_visit_or_without_an_address(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.book(0, at("10:00")).await.expect("a free slot");
    let desk = &house.riverside.receptionist;
    let url = Redacted::new("http://localhost/visit/token".to_owned());
    let send = async |by| scheduler::send_link(&house.db, &house.clock, &house.random, by, id, &url).await;
    assert!(matches!(send(&house.harbour.receptionist).await, Err(SendLinkError::NotFound)));
    sqlx::query("update patients set email = null").execute(&house.superuser).await.expect("a change");
    assert!(matches!(send(desk).await, Err(SendLinkError::NoAddress)));
    scheduler::cancel(&house.db, &house.clock, desk, scheduler::Cancel::new(id, "Ill.")).await.expect("booked");
    assert!(matches!(send(desk).await, Err(SendLinkError::Over)));
}
