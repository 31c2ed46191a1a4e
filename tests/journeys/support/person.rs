//! Somebody with a browser, who reads pages and presses buttons.

use super::page::{Form, Page};
use domain::{ParticipantId, Random as _, Redacted};
use participant::{Participant, Publishing};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use scheduler::demo::DemoVisit;
use serde::Deserialize;
use service::random::SystemRandom;
use std::net::IpAddr;

/// A person with a browser of their own: their cookies are nobody else's.
#[derive(Clone)]
pub struct Person {
    client: Client,
    /// Which node their browser speaks to.
    node: String,
    /// What they typed into the address line, and so the origin of what they send.
    origin: String,
}

/// What a page gets when it asks to enter a room.
#[derive(Debug, Deserialize)]
pub struct WayIn {
    /// Opens the room once.
    pub token: Redacted<String>,
    /// Where signaling is.
    pub signaling_url: String,
}

/// The two pages of one consultation.
pub struct Meeting {
    /// The practitioner's.
    pub practitioners_page: String,
    /// The patient's.
    pub patients_page: String,
}

impl Person {
    /// Somebody who has never been here.
    pub fn new(origin: &str) -> Self {
        Self::from_address(origin, [127, 0, 0, 1])
    }

    /// The same, at this address of the machine.
    pub fn from_address(origin: &str, address: [u8; 4]) -> Self {
        let client = Client::builder().cookie_store(true).local_address(IpAddr::from(address));
        let client = client.build().expect("a browser");
        Self { client, node: origin.to_owned(), origin: origin.to_owned() }
    }

    /// The same person, served by another node.
    pub fn through(&self, node: &str) -> Self {
        Self { node: node.to_owned(), ..self.clone() }
    }

    /// Opens an address, by its path or whole.
    pub async fn opens(&self, address: &str) -> Page {
        self.page(self.client.get(self.whole(address))).await
    }

    /// Opens an address without reading the answer: its status.
    pub async fn status_of(&self, address: &str) -> StatusCode {
        self.opens(address).await.status
    }

    /// Presses a button, whose name may go on, with the form as the page shows it.
    pub async fn presses(&self, button: &str, page: &Page) -> Page {
        let form =
            page.form(button).unwrap_or_else(|| panic!("there is no button {button:?} on this page: {}", page.text()));
        self.submits(form, page).await
    }

    /// Sends a form of `page`.
    pub async fn submits(&self, form: Form, page: &Page) -> Page {
        let mut to = page.url.join(&form.action).expect("an address");
        if !form.is_post {
            to.query_pairs_mut().clear().extend_pairs(&form.fields);
            return self.opens(to.as_str()).await;
        }
        self.page(self.post(to.as_str()).form(&form.fields)).await
    }

    /// Signs in, and is let in.
    pub async fn signs_in(&self, email: &str, password: &str) -> Page {
        let page = self.opens("/sign-in").await;
        let form = page.form("Sign in").expect("the page has a way in");
        let home = self.submits(form.with("E-mail", email).with("Password", password), &page).await;
        assert!(home.status.is_success() && home.url.path() != "/sign-in", "not signed in: {}", home.text());
        home
    }

    /// Opens the booking page with this practitioner chosen.
    pub async fn chooses(&self, practitioner: &str) -> Page {
        let page = self.opens("/appointments/new").await;
        let form = page.form("Show times").expect("times can be shown").with("Practitioner", practitioner);
        self.submits(form, &page).await
    }

    /// The times that the booking page offers.
    pub async fn free_times(&self, practitioner: &str) -> Vec<String> {
        self.chooses(practitioner).await.choices()
    }

    /// Books a time of today and sees the appointment.
    pub async fn books(&self, patient: &str, practitioner: &str, time: &str) -> Page {
        let page = self.chooses(practitioner).await;
        let form = page.form("Book").expect("a form").with("Patient", patient).with(time, "");
        self.submits(form, &page).await
    }

    /// Adds a patient whom the clinic does not know yet.
    pub async fn adds_patient(&self, name: &str, birth_date: &str) {
        let page = self.opens("/patients/new").await;
        let form = page.form("Add patient").expect("a form").with("Name", name).with("Date of birth", birth_date);
        let booking = self.submits(form, &page).await;
        assert_eq!(booking.url.path(), "/appointments/new", "{}", booking.text());
    }

    /// Opens the link and says so: the waiting room.
    pub async fn arrives(&self, link: &str) -> Page {
        let visit = self.opens(link).await;
        self.presses("I'm here", &visit).await
    }

    /// Arrives as the patient of `visit`, and is admitted.
    pub async fn meets(&self, practitioner: &Self, link: &str, visit: &DemoVisit) -> Meeting {
        self.arrives(link).await;
        let day = practitioner.opens("/day").await;
        let consultation = practitioner.presses(&format!("Admit {}", visit.patient), &day).await;
        assert!(consultation.url.path().starts_with("/encounters/"), "not admitted: {}", consultation.text());
        let patients_page = format!("/consultation/{}", visit.appointment);
        Meeting { practitioners_page: consultation.url.path().to_owned(), patients_page }
    }

    /// What the script of a consultation page does: asks for a token and enters the room with sound and picture.
    pub async fn enters(&self, consultation: &str) -> Participant {
        let way_in = self.asks_to_enter(consultation).await.expect("they may enter");
        let mark = ParticipantId(SystemRandom.uuid());
        let entered =
            Participant::connect(&way_in.signaling_url, &self.origin, &way_in.token, mark, Publishing::default());
        entered.await.expect("they enter")
    }

    /// Ends the visit for both.
    pub async fn ends(&self, meeting: &Meeting) {
        let answer = self.post(&format!("{}/finish", meeting.practitioners_page)).send().await.expect("an answer");
        assert!(answer.status().is_success(), "the visit does not end: {}", answer.status());
    }

    /// Sends something that no form of the page in hand would send.
    pub fn post(&self, address: &str) -> RequestBuilder {
        self.client.post(self.whole(address)).header("origin", &self.origin)
    }

    /// What a script of the consultation page asks for before it connects.
    pub async fn asks_to_enter(&self, consultation: &str) -> Result<WayIn, StatusCode> {
        let answer = self.post(&format!("{consultation}/join-tokens")).send().await.expect("the node answers");
        match answer.status() {
            // Whoever is unknown is sent to sign in, by a redirect that the browser follows.
            StatusCode::OK if !answer.url().path().ends_with("/join-tokens") => Err(StatusCode::UNAUTHORIZED),
            StatusCode::OK => Ok(answer.json().await.expect("a way in")),
            refused => Err(refused),
        }
    }

    /// Listens to a page's events.
    pub async fn listens_to(&self, address: &str) -> Response {
        let request = self.client.get(self.whole(address)).header("accept", "text/event-stream");
        request.send().await.expect("the node answers")
    }

    async fn page(&self, request: RequestBuilder) -> Page {
        let answer = request.send().await.expect("the node answers");
        let (url, status) = (answer.url().clone(), answer.status());
        Page::new(url, status, &answer.text().await.expect("a page of text"))
    }

    /// The person types the public address; which node answers is not theirs to know.
    fn whole(&self, address: &str) -> String {
        let path = address.strip_prefix(&self.origin).or(address.strip_prefix(&self.node)).unwrap_or(address);
        format!("{}{path}", self.node)
    }
}
