//! What happens to several visits at once is told once, with all their dates.

use crate::house::{House, at};
use domain::{AppointmentId, Scope};
use jiff::Timestamp;
use scheduler::{
    Cancel, Mailer, Reschedule, SeriesRequest, Texts, deliveries,
    messages::{Channel, Delivery, Mail, MessageKind, MessageState},
    unreached_visits,
};
use sqlx::PgPool;
use std::sync::Arc;

/// The first patient's visits at ten on three Tuesdays, booked the week before.
async fn three_weeks(house: &House) -> Vec<AppointmentId> {
    house.clock.set("2026-11-20T09:00:00Z".parse().expect("a timestamp"));
    weekly(house, at("10:00")).await
}

/// The first patient's visits on this and two more days, a week apart.
pub(super) async fn weekly(house: &House, first: Timestamp) -> Vec<AppointmentId> {
    let recurrence = "FREQ=WEEKLY;COUNT=3".parse().expect("a rule");
    let request = SeriesRequest { first: house.request(0, first), recurrence, leave_out_conflicts: false };
    let desk = &house.riverside.receptionist;
    let booked = scheduler::book_series(&house.db, &house.clock, &house.random, desk, request).await;
    booked.expect("free slots").appointments
}

async fn moves(house: &House, id: AppointmentId, to: &str) {
    let to: Timestamp = to.parse().expect("a timestamp");
    let request = Reschedule { scope: Scope::Series, ..Reschedule::new(id, to, "The practitioner is away.") };
    scheduler::reschedule(&house.db, &house.clock, &house.riverside.receptionist, request).await.expect("free slots");
}

pub(super) async fn cancels(house: &House, id: AppointmentId, scope: Scope) {
    let request = Cancel { scope, ..Cancel::new(id, "Feels better.") };
    scheduler::cancel(&house.db, &house.clock, &house.riverside.receptionist, request).await.expect("ahead");
}

/// The value of a property in each calendar file of a message, which has it once.
fn entries<'a>(mail: &'a Mail, name: &str) -> Vec<&'a str> {
    let of = |text: &'a str| {
        let values = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim_end);
        let [value] = values.collect::<Vec<_>>().try_into().expect("one entry a file");
        value
    };
    mail.invitations.iter().map(|file| of(&file.text)).collect()
}

async fn told(house: &House, id: AppointmentId, kind: MessageKind) -> Vec<Delivery> {
    let mut told = deliveries(&house.db, &house.riverside.receptionist, id).await.expect("a read");
    told.retain(|one| one.kind == kind && one.channel == Channel::Email);
    told
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_series_is_confirmed_moved_and_called_off_by_one_message_on_each_way(pool: PgPool) {
    let house = House::new(pool).await;
    let ids = three_weeks(&house).await;
    let mails = house.mails().await;
    let [email, sms] = mails.as_slice() else { panic!("{} messages", mails.len()) };
    assert_eq!(email.subject, "Your 3 video visits with riverside");
    for date in
        ["Tuesday 24 November 2026 at 10:00", "Tuesday 1 December 2026 at 10:00", "Tuesday 8 December 2026 at 10:00"]
    {
        assert!(email.body.contains(date), "{date} in {}", email.body);
    }
    assert_eq!(email.body.matches("https://bedside.example/visit/").count(), 3, "{}", email.body);
    assert_eq!(entries(email, "DTSTART"), ["20261124T100000Z", "20261201T100000Z", "20261208T100000Z"]);
    assert_eq!(entries(email, "METHOD"), ["REQUEST"; 3]);
    let names: Vec<_> = email.invitations.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["visit-2026-11-24-1000.ics", "visit-2026-12-01-1000.ics", "visit-2026-12-08-1000.ics"]);
    let uids = entries(email, "UID");
    assert!(uids.iter().zip(&ids).all(|(uid, id)| **uid == format!("{id}@bedside.example")), "{uids:?}");
    assert!(sms.body.chars().count() <= 160 && sms.body.contains("3 video visits"), "{}", sms.body);

    moves(&house, ids[0], "2026-11-25T11:00:00Z").await;
    let mails = house.mails().await;
    let [email, _] = mails.as_slice() else { panic!("{} messages", mails.len()) };
    assert_eq!(email.subject, "New times for your video visits with riverside");
    assert_eq!(entries(email, "SEQUENCE"), ["1"; 3]);
    assert_eq!(entries(email, "UID"), uids, "calendars move what they have");

    cancels(&house, ids[1], Scope::ThisAndFollowing).await;
    let mails = house.mails().await;
    let [email, _] = mails.as_slice() else { panic!("{} messages", mails.len()) };
    assert_eq!(email.subject, "Cancelled: your 2 video visits with riverside");
    assert_eq!((entries(email, "METHOD"), entries(email, "UID")), (vec!["CANCEL"; 2], uids[1..].to_vec()));
    assert!(house.mails().await.is_empty(), "once");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn each_visit_is_reminded_of_by_itself_and_shows_what_was_told(pool: PgPool) {
    let house = House::new(pool).await;
    let ids = three_weeks(&house).await;
    for id in &ids {
        let told = told(&house, *id, MessageKind::Confirmation).await;
        assert_eq!(told.iter().map(|one| one.state).collect::<Vec<_>>(), [MessageState::Waiting]);
    }
    house.mails().await;
    for id in &ids {
        assert_eq!(told(&house, *id, MessageKind::Confirmation).await[0].state, MessageState::Sent);
        assert_eq!(told(&house, *id, MessageKind::Reminder).await.len(), 3);
    }
    house.clock.set(at("09:00"));
    let reminders = house.mails().await;
    assert!(reminders.iter().all(|mail| mail.appointment == Some(ids[0])) && reminders.len() == 2);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_visit_that_was_changed_before_the_message_went_out_is_left_out_of_it(pool: PgPool) {
    let house = House::new(pool).await;
    sqlx::query("update patients set phone = null").execute(&house.superuser).await.expect("a change");
    let ids = three_weeks(&house).await;
    cancels(&house, ids[1], Scope::This).await;
    let mails = house.mails().await;
    let confirmation =
        mails.iter().find(|mail| mail.subject.starts_with("Your 2 video visits")).expect("of the others");
    assert!(!confirmation.body.contains("1 December"), "{}", confirmation.body);
    assert!(told(&house, ids[1], MessageKind::Confirmation).await.is_empty(), "nobody was told that it takes place");
    cancels(&house, ids[0], Scope::Series).await;
    cancels_nothing_more(&house, &ids).await;
}

async fn cancels_nothing_more(house: &House, ids: &[AppointmentId]) {
    let mails = house.mails().await;
    assert_eq!(mails.len(), 1);
    assert_eq!(entries(&mails[0], "UID").len(), 2, "what was called off before was told before");
    assert_eq!(told(house, ids[1], MessageKind::Cancellation).await.len(), 1);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn workers_that_race_send_one_message_on_each_way(pool: PgPool) {
    let house = Arc::new(House::new(pool).await);
    three_weeks(&house).await;
    let carriers = house.carriers(Mailer::Mailbox, Texts::Mailbox);
    assert_eq!(house.workers_race(&carriers).await, 2);
    let again = "insert into outbox (clinic_id, series_id, kind, version, channel, due_at, next_attempt_at, written_at)
                 select clinic_id, series_id, kind, version, channel, due_at, due_at, written_at
                 from outbox where series_id is not null limit 1";
    let refused = sqlx::query(again).execute(&house.superuser).await.expect_err("once");
    assert_eq!(service::postgres::refused_by(&refused), Some("outbox_series_once"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_desk_rings_about_a_series_that_was_told_to_nobody(pool: PgPool) {
    let house = House::new(pool).await;
    sqlx::query("update patients set phone = null, email = 'not an address'")
        .execute(&house.superuser)
        .await
        .expect("a change");
    let ids = three_weeks(&house).await;
    let nobody = Mailer::smtp(&"smtp://127.0.0.1:9".to_owned().into()).expect("an address");
    assert_eq!(house.delivers(&house.carriers(nobody, Texts::Nowhere)).await, 0);
    let (unreached, _) =
        unreached_visits(&house.db, &house.clock, &house.riverside.receptionist).await.expect("a read");
    let unreached: Vec<_> = unreached.iter().map(|one| (one.0.id, one.1)).collect();
    assert_eq!(unreached, [(ids[0], Some(MessageKind::Confirmation))], "those within a week");
}
