//! Opening a link changes nothing: mail scanners open links.

use crate::support::clinic::Clinic;
use domain::Role;

#[tokio::test]
async fn a_link_that_was_opened_a_hundred_times_is_still_unused() {
    let clinic = Clinic::start().await;
    let visit = clinic.visit();
    let link = clinic.link_of(visit);
    let scanner = clinic.somebody();
    for _ in 0..100 {
        assert!(scanner.opens(&link).await.status.is_success());
    }
    let practitioner = clinic.practitioner_of(visit).await;
    assert!(practitioner.opens("/day").await.form("Admit").is_none(), "nobody has arrived");

    let waiting = clinic.somebody().arrives(&link).await;
    assert!(waiting.says("Waiting room"), "{}", waiting.text());
}

#[tokio::test]
async fn a_link_that_is_not_ours_opens_nothing() {
    let clinic = Clinic::start().await;
    let link = clinic.link_of(clinic.visit());
    let other = if link.as_bytes()[link.len() - 5] == b'A' { 'B' } else { 'A' };
    let forged = format!("{}{other}{}", &link[..link.len() - 5], &link[link.len() - 4..]);
    for link in [forged.as_str(), "/visit/", "/visit/x", "/visit/00000000-0000-0000-0000-000000000000"] {
        assert_eq!(clinic.somebody().status_of(link).await, 404, "{link}");
    }
}

#[tokio::test]
async fn the_link_is_sent_to_the_patient_and_lands_in_the_mailbox_of_the_demo() {
    let clinic = Clinic::start().await;
    let receptionist = clinic.staff(Role::Receptionist).await;
    let appointment = receptionist.books("Maria Santos", "Dr Hannah Osei", "16:30").await;
    receptionist.presses("Send link", &appointment).await;
    let scheduler = bedside::services::scheduler(&clinic.parts, &clinic.config).expect("a complete configuration");
    scheduler::run::send(&scheduler).await.expect("mail is delivered");

    let mailbox = receptionist.opens("/mailbox").await;
    let link = appointment.value_of("Visit link").expect("the page shows the link");
    assert!(mailbox.links_below(&link).len() == 1 || mailbox.says(&link), "{}", mailbox.text());
}
