//! Who waits for a practitioner has a place among those who wait for the same one, and hears of nobody else.

use crate::support::{PATIENCE, clinic::Clinic};
use domain::{Actor, AppointmentId, PractitionerId, Role};
use futures_util::{Stream, StreamExt as _};
use jiff::SignedDuration;
use scheduler::demo::DemoVisit;
use service::{
    bus::{Happening, Topic},
    keys::Keys,
};
use tokio::time::timeout;

/// The first two visits of the practitioner who has the first one, and the first visit of somebody else.
fn visits(clinic: &Clinic) -> [&DemoVisit; 3] {
    let first = clinic.visit();
    let mut same = clinic.visits_of_first_clinic().filter(|visit| visit.practitioner == first.practitioner).skip(1);
    let second = same.next().expect("the practitioner has two visits");
    let other = clinic.visits_of_first_clinic().find(|visit| visit.practitioner != first.practitioner);
    [first, second, other.expect("the clinic has two practitioners")]
}

async fn patient(clinic: &Clinic, visit: &DemoVisit) -> Actor {
    let keys = Keys::derive(clinic.config.secret().expect("set")).expect("long enough");
    let link = clinic.link_of(visit);
    let token = link.strip_prefix("/visit/").expect("a visit link");
    let opened = scheduler::open_visit(&clinic.parts.db, &keys.visit_link, token).await.expect("the database answers");
    opened.expect("a good link").0
}

async fn practitioner(clinic: &Clinic, visit: &DemoVisit) -> PractitionerId {
    let patient = patient(clinic, visit).await;
    let id = scheduler::practitioner_of(&clinic.parts.db, &patient, visit.appointment).await;
    id.expect("the database answers").expect("it is there")
}

async fn next(happenings: &mut (impl Stream<Item = Happening> + Unpin)) -> Happening {
    timeout(PATIENCE, happenings.next()).await.expect("something happens").expect("the bus does not end")
}

fn changed(appointment: AppointmentId) -> Happening {
    Happening::AppointmentChanged { appointment }
}

#[tokio::test]
async fn an_arrival_wakes_those_who_wait_for_the_same_practitioner_and_nobody_else() {
    let clinic = Clinic::start().await;
    let [first, _, other] = visits(&clinic);
    let bus = &clinic.parts.bus;
    let (theirs, others) =
        (Topic::Queue(practitioner(&clinic, first).await), Topic::Queue(practitioner(&clinic, other).await));
    let (mut heard, mut heard_elsewhere) = (bus.subscribe(theirs), bus.subscribe(others));
    assert_eq!(next(&mut heard).await, Happening::Resync, "the subscription stands");
    assert_eq!(next(&mut heard_elsewhere).await, Happening::Resync, "the subscription stands");

    clinic.somebody().arrives(&clinic.link_of(first)).await;

    assert_eq!(next(&mut heard).await, changed(first.appointment));
    // Redis keeps the order of what one process says: had the arrival been told there, it would come before this.
    bus.publish(others, changed(other.appointment)).await;
    assert_eq!(next(&mut heard_elsewhere).await, changed(other.appointment));
}

/// Reads a page's events until one has these words.
async fn until(events: &mut (impl Stream<Item = reqwest::Result<impl AsRef<[u8]>>> + Unpin), words: &str) {
    let shown = async {
        let mut text = String::new();
        while !text.contains(words) {
            let bytes = events.next().await.expect("the stream goes on").expect("readable");
            text += &String::from_utf8_lossy(bytes.as_ref());
        }
    };
    timeout(PATIENCE, shown).await.unwrap_or_else(|_| panic!("the page does not come to say {words:?}"));
}

#[tokio::test]
async fn who_is_behind_moves_up_when_the_one_before_is_admitted_or_leaves() {
    let clinic = Clinic::start().await;
    let [first, second, _] = visits(&clinic);
    clinic.clock.set(second.starts_at - SignedDuration::from_mins(1));
    let (before, behind) = (clinic.somebody(), clinic.somebody());
    let place = before.arrives(&clinic.link_of(first)).await;
    behind.arrives(&clinic.link_of(second)).await;
    let mut events = behind.listens_to(&format!("/waiting/{}/events", second.appointment)).await.bytes_stream();
    until(&mut events, "There is 1 person before you.").await;

    before.presses("Leave the waiting room", &place).await;
    until(&mut events, "You are next.").await;

    before.arrives(&clinic.link_of(first)).await;
    until(&mut events, "There is 1 person before you.").await;
    let doctor = clinic.practitioner_of(first).await;
    doctor.presses(&format!("Admit {}", first.patient), &doctor.opens("/day").await).await;
    until(&mut events, "You are next.").await;
}

#[tokio::test]
async fn who_is_moved_to_a_colleague_waits_in_their_queue_and_the_others_move_up() {
    let clinic = Clinic::start().await;
    let [first, second, other] = visits(&clinic);
    clinic.clock.set(second.starts_at - SignedDuration::from_mins(1));
    let (moved, behind) = (clinic.somebody(), clinic.somebody());
    moved.arrives(&clinic.link_of(first)).await;
    behind.arrives(&clinic.link_of(second)).await;
    let mut own = moved.listens_to(&format!("/waiting/{}/events", first.appointment)).await.bytes_stream();
    let mut others = behind.listens_to(&format!("/waiting/{}/events", second.appointment)).await.bytes_stream();
    until(&mut own, "You are next.").await;
    until(&mut others, "There is 1 person before you.").await;
    let left = Topic::Queue(practitioner(&clinic, first).await);
    let mut heard = clinic.parts.bus.subscribe(left);
    assert_eq!(next(&mut heard).await, Happening::Resync, "the subscription stands");

    let colleague = practitioner(&clinic, other).await;
    let desk = clinic.staff(Role::Receptionist).await;
    let page = desk.opens(&format!("/appointments/{}/move", first.appointment)).await;
    let time = (second.starts_at + SignedDuration::from_hours(2)).in_tz("Europe/London").expect("a zone");
    let fields = [
        ("date", time.strftime("%Y-%m-%d").to_string()),
        ("time", time.strftime("%H:%M").to_string()),
        ("practitioner", colleague.to_string()),
        ("reason", "The room is closed".to_owned()),
        ("overbook", "yes".to_owned()),
    ];
    let answer = desk.post(page.url.path()).form(&fields).send().await.expect("the node answers");
    assert!(!answer.url().path().ends_with("/move"), "not moved: {}", answer.text().await.expect("text"));

    assert_eq!(next(&mut heard).await, changed(first.appointment), "those who wait where it was are told");
    until(&mut others, "You are next.").await;
    until(&mut own, &format!("/waiting/{}", first.appointment)).await;
}
