//! What a patient is told, when, and on which way.

use crate::house::{House, at};
use domain::AppointmentId;
use jiff::Timestamp;
use scheduler::{
    SendLinkError, deliveries,
    messages::{Channel, Delivery, Mail, MessageKind, MessageState},
    unreached_visits,
};
use sqlx::PgPool;

/// A week before a visit at ten.
const WEEK_BEFORE: &str = "2026-11-17T09:00:00Z";

fn instant(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

/// The first patient's visit at ten, booked a week before.
async fn booked(house: &House) -> AppointmentId {
    house.clock.set(instant(WEEK_BEFORE));
    house.book(0, at("10:00")).await.expect("a free slot")
}

fn subjects(mails: &[Mail]) -> Vec<&str> {
    mails.iter().filter(|mail| mail.channel == Channel::Email).map(|mail| mail.subject.as_str()).collect()
}

async fn planned(house: &House, id: AppointmentId) -> Vec<Delivery> {
    deliveries(&house.db, &house.riverside.receptionist, id).await.expect("a read")
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_booking_is_confirmed_by_email_and_text_message(pool: PgPool) {
    let house = House::new(pool).await;
    let id = booked(&house).await;
    let mails = house.mails().await;
    let [email, sms] = mails.as_slice() else { panic!("{} messages", mails.len()) };
    assert_eq!((email.appointment, email.recipient.as_str()), (Some(id), "patient@patients.example"));
    assert_eq!((sms.channel, sms.recipient.as_str()), (Channel::Sms, "+44 20 7946 0211"));
    assert!(email.body.contains("is booked for Tuesday 24 November 2026 at 10:00."), "{}", email.body);
    assert!(sms.body.contains("is booked for Tue 24 Nov, 10:00."), "{}", sms.body);
    for body in [&email.body, &sms.body, email.html.as_ref().expect("HTML")] {
        assert!(body.contains("https://bedside.example/visit/"), "{body}");
    }
    // The page of the link leads to the answer; a text message has room for one.
    assert!(email.body.contains("https://bedside.example/answer/"), "{}", email.body);
    assert!(sms.body.chars().count() <= 160, "{}", sms.body);
    let [file] = email.invitations.as_slice() else { panic!("{:?}", email.invitations) };
    assert!(file.name == "visit.ics" && file.text.contains("METHOD:REQUEST"), "{file:?}");
    let elsewhere = scheduler::mailbox(&house.db, &house.harbour.receptionist).await.expect("a read");
    assert!(elsewhere.is_empty(), "another clinic's mailbox is its own");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn reminders_come_a_day_an_hour_and_ten_minutes_before(pool: PgPool) {
    let house = House::new(pool).await;
    booked(&house).await;
    house.mails().await;
    let day = instant("2026-11-23T10:00:00Z");
    for (due, asks_for_check) in [(day, true), (at("09:00"), false), (at("09:50"), false)] {
        house.clock.set(due - jiff::SignedDuration::from_secs(1));
        assert!(house.mails().await.is_empty(), "before {due}");
        house.clock.set(due);
        let mails = house.mails().await;
        assert_eq!(subjects(&mails), ["Reminder: your video visit with riverside"], "{due}");
        assert_eq!(mails[0].body.contains("#check"), asks_for_check, "{}", mails[0].body);
        assert!(mails[0].invitations.is_empty());
        assert!(house.mails().await.is_empty(), "once");
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_clinic_says_how_long_before(pool: PgPool) {
    let house = House::new(pool).await;
    let minutes = "update clinics set reminder_minutes = '{2880,30}'";
    sqlx::query(minutes).execute(&house.superuser).await.expect("a change");
    let id = booked(&house).await;
    let reminders = planned(&house, id).await.into_iter().filter(|told| told.kind == MessageKind::Reminder);
    let by_email = reminders.filter(|told| told.channel == Channel::Email);
    assert_eq!(by_email.map(|told| told.ahead_minutes).collect::<Vec<_>>(), [2880, 30]);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_patient_elsewhere_reads_their_own_time_with_its_place(pool: PgPool) {
    let house = House::new(pool).await;
    let zone = "update patients set time_zone = 'America/New_York'";
    sqlx::query(zone).execute(&house.superuser).await.expect("a change");
    booked(&house).await;
    let mails = house.mails().await;
    assert!(mails[0].body.contains("Tuesday 24 November 2026 at 05:00 (New York time)"), "{}", mails[0].body);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_desk_sends_the_link_as_often_as_it_likes(pool: PgPool) {
    let house = House::new(pool).await;
    let id = booked(&house).await;
    house.mails().await;
    let desk = &house.riverside.receptionist;
    for _ in 0..2 {
        scheduler::send_link(&house.db, &house.clock, desk, id).await.expect("an address");
    }
    let mails = house.mails().await;
    assert_eq!(subjects(&mails), ["Your video visit with riverside"; 2]);
    assert_eq!(house.actions().await.iter().filter(|action| *action == "visit_link.sent").count(), 2);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn no_link_is_sent_without_an_address_or_by_somebody_elses_desk(pool: PgPool) {
    let house = House::new(pool).await;
    let id = booked(&house).await;
    let patient = house.patient(0, id);
    let send = async |by| scheduler::send_link(&house.db, &house.clock, by, id).await;
    assert!(matches!(send(&house.harbour.receptionist).await, Err(SendLinkError::NotFound)));
    assert!(matches!(send(&patient).await, Err(SendLinkError::NotFound)));
    let nowhere = "update patients set email = null, phone = null";
    sqlx::query(nowhere).execute(&house.superuser).await.expect("a change");
    assert!(matches!(send(&house.riverside.receptionist).await, Err(SendLinkError::NoAddress)));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn who_has_no_address_is_on_the_list_to_ring(pool: PgPool) {
    let house = House::new(pool).await;
    let nowhere = "update patients set email = null, phone = null";
    sqlx::query(nowhere).execute(&house.superuser).await.expect("a change");
    let id = booked(&house).await;
    assert!(planned(&house, id).await.is_empty());
    let desk = &house.riverside.receptionist;
    assert!(
        unreached_visits(&house.db, &house.clock, desk).await.expect("a read").0.is_empty(),
        "more than a week ahead"
    );
    house.clock.set(instant("2026-11-20T09:00:00Z"));
    let (unreached, _) = unreached_visits(&house.db, &house.clock, desk).await.expect("a read");
    assert_eq!(unreached.iter().map(|one| (one.0.id, one.1)).collect::<Vec<_>>(), [(id, None)]);
    let patient = house.patient(0, id);
    assert!(unreached_visits(&house.db, &house.clock, &patient).await.expect("a read").0.is_empty());
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_page_of_an_appointment_tells_what_was_and_will_be_sent(pool: PgPool) {
    let house = House::new(pool).await;
    sqlx::query("update patients set phone = null").execute(&house.superuser).await.expect("a change");
    let id = booked(&house).await;
    house.mails().await;
    let told = planned(&house, id).await.into_iter().map(|told| (told.kind, told.ahead_minutes, told.state));
    let expected = [
        (MessageKind::Confirmation, 0, MessageState::Sent),
        (MessageKind::Reminder, 1440, MessageState::Waiting),
        (MessageKind::Reminder, 60, MessageState::Waiting),
        (MessageKind::Reminder, 10, MessageState::Waiting),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}
