//! Nothing that identifies a patient, and no address, session description or token, is in a log.

use crate::support::{
    PATIENCE,
    processes::{PERSONS_ADDRESS, Processes},
};
use domain::{ChatMessageId, Random as _, media::MediaKind};
use service::random::SystemRandom;
use std::net::Ipv4Addr;

/// Everything that can be asked for.
const FILTER: &str = "trace";

const CHAT: &str = "the rash is on my left elbow";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_visit_leaves_no_name_address_token_or_word_in_the_logs() {
    let bedside = Processes::start(FILTER).await;
    let visit = bedside.demo.visits.first().expect("the demo has visits").clone();
    let (patient, practitioner) = (bedside.somebody(), bedside.practitioner_of(&visit).await);
    let link = bedside.link_of(&visit);
    let meeting = patient.meets(&practitioner, &link, &visit).await;
    let way_in = practitioner.asks_to_enter(&meeting.practitioners_page).await.expect("the visit is theirs");
    let doctor = practitioner.enters(&meeting.practitioners_page).await;
    let guest = patient.enters(&meeting.patients_page).await;
    guest.send_chat(ChatMessageId(SystemRandom.uuid()), CHAT).await.expect("sent");
    let written = doctor.signaling().expect("they came by signaling").until(|heard| !heard.chat.is_empty(), PATIENCE);
    written.await.expect("the chat arrives");
    let mark = guest.mark();
    doctor.until(move |tally| tally.sources(MediaKind::Video).contains(&mark), PATIENCE).await.expect("seen");
    patient.opens("/visit/not-a-link-of-ours").await;
    let refused = bedside.somebody();
    let page = refused.opens("/sign-in").await;
    let form = page
        .form("Sign in")
        .expect("a form")
        .with("E-mail", "mallory@nowhere.example")
        .with("Password", "letmein-canary");
    refused.submits(form, &page).await;
    practitioner.ends(&meeting).await;

    let logs = bedside.logs();
    assert!(logs.len() > 1_000, "they do log: {logs}");
    let mut canaries =
        vec![CHAT, "mallory", "letmein-canary", "candidate:", "a=fingerprint", "ice-ufrag", "not-a-link-of-ours"];
    canaries.extend([link.as_str(), way_in.token.expose().as_str(), "a secret that four processes share"]);
    let address = Ipv4Addr::from(PERSONS_ADDRESS).to_string();
    canaries.push(&address);
    for account in &bedside.demo.accounts {
        canaries.extend([account.name.as_str(), &account.email, &account.password]);
    }
    canaries.extend(bedside.demo.visits.iter().map(|visit| visit.patient.as_str()));
    for canary in canaries {
        let line = logs.lines().find(|line| line.contains(canary));
        assert!(line.is_none(), "{canary:?} is in the logs: {line:?}");
    }
}
