//! Exactly one send a message, whoever races and whoever dies.

use crate::house::{House, PATIENCE, at};
use jiff::Timestamp;
use scheduler::{
    Mailer, Texts,
    messages::{Channel, Sms, SmsProvider, Taken, deliver_due},
};
use sqlx::{Connection as _, PgConnection, PgPool, Row as _};
use std::{collections::HashSet, sync::Arc};
use tokio::{sync::Semaphore, time::timeout};

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn workers_that_race_send_each_message_once(pool: PgPool) {
    let house = Arc::new(House::new(pool).await);
    for (patient, time) in [(0, "10:00"), (1, "11:00"), (2, "12:00")] {
        house.book(patient, at(time)).await.expect("a free slot");
    }
    let carriers = house.carriers(Mailer::Mailbox, Texts::Mailbox);
    assert_eq!(house.workers_race(&carriers).await, 6, "three confirmations on two ways");
    let mails = scheduler::mailbox(&house.db, &house.riverside.receptionist).await.expect("a read");
    let told: HashSet<_> = mails.iter().map(|mail| (mail.appointment, mail.channel == Channel::Sms)).collect();
    assert_eq!((mails.len(), told.len()), (6, 6));
}

/// Returns when no transaction holds a row of the outbox: the connection of the dead goes back to the pool in its own time.
async fn nobody_holds_a_message(house: &House) {
    let locked = sqlx::query("select from outbox for update").execute(&house.superuser);
    timeout(PATIENCE, locked).await.expect("they are let go").expect("rows");
}

/// A provider that takes its time: it tells when it was asked, and never answers.
#[derive(Debug)]
struct Slow {
    asked: Semaphore,
}

impl SmsProvider for Slow {
    fn send<'a>(&'a self, _: Sms<'a>, _: Timestamp) -> Taken<'a> {
        self.asked.add_permits(1);
        Box::pin(std::future::pending())
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_message_that_a_worker_is_sending_is_nobody_elses_until_that_worker_dies(pool: PgPool) {
    let house = Arc::new(House::new(pool).await);
    house.book(0, at("10:00")).await.expect("a free slot");
    let slow = Arc::new(Slow { asked: Semaphore::new(0) });
    let carriers = house.carriers(Mailer::Nowhere, Texts::Provider(slow.clone()));
    let worker = {
        let house = house.clone();
        tokio::spawn(async move { house.delivers(&carriers).await })
    };
    let _asked = timeout(PATIENCE, slow.asked.acquire()).await.expect("soon").expect("asked");

    let other = house.carriers(Mailer::Nowhere, Texts::Mailbox);
    assert_eq!(timeout(PATIENCE, house.delivers(&other)).await.expect("it waits for nobody"), 0);

    worker.abort();
    assert!(worker.await.expect_err("it died").is_cancelled());
    nobody_holds_a_message(&house).await;
    assert_eq!(house.delivers(&other).await, 1, "the message is free again");
    assert_eq!(house.delivers(&other).await, 0, "and was sent once");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_worker_that_postgres_loses_between_taking_and_marking_leaves_one_mail(pool: PgPool) {
    let house = Arc::new(House::new(pool).await);
    sqlx::query("update patients set phone = null").execute(&house.superuser).await.expect("a change");
    house.book(0, at("10:00")).await.expect("a free slot");
    let carriers = house.carriers(Mailer::Mailbox, Texts::Nowhere);

    // The mailbox is locked, so the worker stands between taking the message and writing it there.
    let mut blocker = PgConnection::connect_with(&house.superuser.connect_options()).await.expect("a connection");
    let mut lock = blocker.begin().await.expect("a transaction");
    sqlx::query("lock table mailbox in access exclusive mode").execute(&mut *lock).await.expect("a lock");
    let worker = {
        let (house, carriers) = (house.clone(), carriers.clone());
        tokio::spawn(async move {
            deliver_due(&house.db, &house.clock, &carriers, house.riverside.id, Channel::Email).await
        })
    };
    let killed = async {
        // With a time limit Postgres answers when the process is gone, and with it what it had locked.
        let kill = "select pg_terminate_backend(pid, 20000) from pg_stat_activity
                    where datname = current_database() and wait_event_type = 'Lock' and query like 'insert into mailbox%'";
        while sqlx::query(kill).fetch_all(&house.superuser).await.expect("an answer").is_empty() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, killed).await.expect("it gets that far");
    assert!(worker.await.expect("it ends").is_err(), "its connection is gone");
    lock.rollback().await.expect("unlocked");

    assert_eq!(house.delivers(&carriers).await, 1);
    assert_eq!(house.delivers(&carriers).await, 0);
    let count = sqlx::query("select count(*) from mailbox").fetch_one(&house.superuser).await.expect("a count");
    assert_eq!(count.get::<i64, _>(0), 1);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_same_thing_cannot_be_planned_twice(pool: PgPool) {
    let house = House::new(pool).await;
    house.book(0, at("10:00")).await.expect("a free slot");
    let again = "insert into outbox (clinic_id, appointment_id, kind, ahead_minutes, version, channel, due_at,
                                     next_attempt_at, written_at)
                 select clinic_id, appointment_id, kind, ahead_minutes, version, channel, due_at, due_at, written_at
                 from outbox limit 1";
    let refused = sqlx::query(again).execute(&house.superuser).await.expect_err("once");
    let constraint = refused.as_database_error().and_then(|error| error.constraint().map(str::to_owned));
    assert_eq!(constraint.as_deref(), Some("outbox_once"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn two_desks_that_send_the_link_at_the_same_moment_send_it_once_each_at_most(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.book(0, at("10:00")).await.expect("a free slot");
    house.mails().await;
    let desk = &house.riverside.receptionist;
    let send = || scheduler::send_link(&house.db, &house.clock, desk, id);
    let (one, other) = tokio::join!(send(), send());
    one.and(other).expect("both are told that it is on its way");
    let by_email = house.mails().await.iter().filter(|mail| mail.channel == Channel::Email).count();
    assert!((1..=2).contains(&by_email), "{by_email}");
}
