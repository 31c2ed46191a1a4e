//! A visit is moved or called off: what was planned for the old time is never sent, and the new time is told once.

use crate::house::{House, at};
use domain::AppointmentId;
use jiff::{SignedDuration, Timestamp};
use scheduler::{
    Cancel, Reschedule, deliveries,
    messages::{Mail, MessageKind, MessageState, Problem},
};
use sqlx::PgPool;

fn instant(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

/// A visit at ten on Tuesday, booked the Friday before, to be told by e-mail only; and its confirmation.
async fn confirmed(house: &House) -> (AppointmentId, Mail) {
    sqlx::query("update patients set phone = null").execute(&house.superuser).await.expect("a change");
    house.clock.set(instant("2026-11-20T09:00:00Z"));
    let id = house.book(0, at("10:00")).await.expect("a free slot");
    let mail = house.mails().await.pop().expect("a confirmation");
    (id, mail)
}

async fn moves(house: &House, id: AppointmentId, to: &str) -> Vec<Mail> {
    let request = Reschedule::new(id, instant(to), "The practitioner is away.");
    let moved = scheduler::reschedule(&house.db, &house.clock, &house.riverside.receptionist, request).await;
    assert_eq!(moved.expect("a free slot"), [id]);
    house.mails().await
}

async fn cancels(house: &House, id: AppointmentId) -> Vec<Mail> {
    let request = Cancel::new(id, "Canaryreason");
    scheduler::cancel(&house.db, &house.clock, &house.riverside.receptionist, request).await.expect("ahead");
    house.mails().await
}

/// A property of an invitation.
fn property<'a>(mail: &'a Mail, name: &str) -> &'a str {
    let [file] = mail.invitations.as_slice() else { panic!("{:?}", mail.invitations) };
    file.text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).expect("the property").trim_end()
}

/// What is sent between two instants, looked at every five minutes, with when.
async fn sent(house: &House, from: &str, to: &str) -> Vec<(Timestamp, String)> {
    let (mut now, end) = (instant(from), instant(to));
    let mut sent = Vec::new();
    while now <= end {
        house.clock.set(now);
        sent.extend(house.mails().await.into_iter().map(|mail| (now, mail.subject)));
        now += SignedDuration::from_mins(10);
    }
    sent
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_old_reminders_are_never_sent_and_the_new_ones_once(pool: PgPool) {
    let house = House::new(pool).await;
    let (id, _) = confirmed(&house).await;
    let told = moves(&house, id, "2026-11-24T12:00:00Z").await;
    assert_eq!(
        told.iter().map(|mail| &*mail.subject).collect::<Vec<_>>(),
        ["New time for your video visit with riverside"]
    );
    assert!(told[0].body.contains("Tuesday 24 November 2026 at 12:00"), "{}", told[0].body);

    let reminder = "Reminder: your video visit with riverside".to_owned();
    let mut all = sent(&house, "2026-11-23T09:30:00Z", "2026-11-23T13:00:00Z").await;
    all.extend(sent(&house, "2026-11-24T08:30:00Z", "2026-11-24T12:30:00Z").await);
    let due = ["2026-11-23T12:00:00Z", "2026-11-24T11:00:00Z", "2026-11-24T11:50:00Z"];
    assert_eq!(all, due.map(|due| (instant(due), reminder.clone())));
    let old = deliveries(&house.db, &house.riverside.receptionist, id).await.expect("a read");
    let old: Vec<_> = old.into_iter().filter(|told| told.problem.is_some()).collect();
    assert_eq!(old.len(), 3);
    assert!(old.iter().all(|told| (told.state, told.problem) == (MessageState::Skipped, Some(Problem::Moved))));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_confirmation_that_was_not_sent_yet_gives_way_to_the_change(pool: PgPool) {
    let house = House::new(pool).await;
    house.clock.set(instant("2026-11-20T09:00:00Z"));
    let id = house.book(0, at("10:00")).await.expect("a free slot");
    let told = moves(&house, id, "2026-11-24T12:00:00Z").await;
    assert!(told.iter().all(|mail| !mail.body.contains("10:00")));
    assert_eq!(told.len(), 2, "the change on two ways");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_invitation_moves_and_goes_as_the_visit_does(pool: PgPool) {
    let house = House::new(pool).await;
    let (id, confirmed) = confirmed(&house).await;
    let moved = moves(&house, id, "2026-11-24T12:00:00Z").await.pop().expect("a change");
    let again = moves(&house, id, "2026-11-25T12:30:00Z").await.pop().expect("a change");
    let cancelled = cancels(&house, id).await.pop().expect("a cancellation");
    let mails = [confirmed, moved, again, cancelled];
    let of = |name: &str| mails.iter().map(|mail| property(mail, name).to_owned()).collect::<Vec<_>>();
    assert_eq!(of("UID"), vec![format!("{id}@bedside.example"); 4]);
    assert_eq!(of("SEQUENCE"), ["0", "1", "2", "3"]);
    assert_eq!(of("METHOD"), ["REQUEST", "REQUEST", "REQUEST", "CANCEL"]);
    assert_eq!(of("DTSTART"), ["20261124T100000Z", "20261124T120000Z", "20261125T123000Z", "20261125T123000Z"]);
    assert_eq!(of("STATUS"), ["CONFIRMED", "CONFIRMED", "CONFIRMED", "CANCELLED"]);
    assert!(mails.iter().all(|mail| !format!("{}{:?}", mail.body, mail.invitations).contains("Canaryreason")));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_visit_that_was_called_off_reminds_nobody_and_its_link_is_not_sent(pool: PgPool) {
    let house = House::new(pool).await;
    let (id, _) = confirmed(&house).await;
    let told = cancels(&house, id).await;
    assert_eq!(
        told.iter().map(|mail| &*mail.subject).collect::<Vec<_>>(),
        ["Cancelled: your video visit with riverside"]
    );
    assert!(!told[0].body.contains("https://"), "{}", told[0].body);
    assert!(sent(&house, "2026-11-24T08:30:00Z", "2026-11-24T10:30:00Z").await.is_empty());
    let send = scheduler::send_link(&house.db, &house.clock, &house.riverside.receptionist, id).await;
    assert!(matches!(send, Err(scheduler::SendLinkError::Over)));
    let told = deliveries(&house.db, &house.riverside.receptionist, id).await.expect("a read");
    assert!(told.iter().any(|told| told.kind == MessageKind::Cancellation && told.state == MessageState::Sent));
}
