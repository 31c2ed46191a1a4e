//! The demo clinics behind a router, and browsers in front of it.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use domain::{Actor, AppointmentId, ClinicId, PatientId, Redacted, Role, Who};
use jiff::Timestamp;
use scheduler::{
    Carriers, Links, Mailer, Texts,
    demo::{Demo, DemoVisit, demo},
    join_tokens::SigningKey,
    messages::{Channel, deliver_due},
    missed::mark_missed,
};
use service::{bus::Bus, clock::ManualClock, ice_servers::IceServers, keys::Keys, postgres::Db, random::SystemRandom};
use sqlx::PgPool;
use std::{collections::BTreeMap, sync::Arc};
use tower::ServiceExt as _;
use web::{Site, WebState};

/// The present at the beginning of each test.
pub const NOW: &str = "2026-11-24T13:10:00Z";

pub struct House {
    pub router: Router,
    pub clock: ManualClock,
    pub demo: Demo,
    pub superuser: PgPool,
    pub db: Db,
}

impl House {
    pub async fn new(pool: PgPool) -> Self {
        Self::at(pool, "http://localhost:8080/").await
    }

    /// The house at a public address of its own.
    pub async fn at(pool: PgPool, public_url: &str) -> Self {
        let db = Db::over((*pool.connect_options()).clone(), 5);
        let clock = ManualClock::at(NOW.parse::<Timestamp>().expect("a timestamp"));
        let hash = |password: &str| web::hash_password(&SystemRandom, &Redacted::new(password.to_owned())).into_inner();
        let demo = demo(&db, &clock, &SystemRandom, &hash, "Europe/London").await.expect("a demo");
        let keys = keys();
        let site = Site {
            public_url: public_url.parse().expect("an address"),
            signaling_url: "ws://signal.example:9000/signal".parse().expect("an address"),
            ice_servers: ice_servers(),
            join_tokens: SigningKey::new(&keys.join_token),
            keys,
            demo: true,
        };
        // Nobody listens there: pages work without Redis.
        let bus = Bus::connect(&Redacted::new("redis://127.0.0.1:1".to_owned())).await.expect("an address");
        let state = WebState::new(db.clone(), bus, Arc::new(clock.clone()), Arc::new(SystemRandom), site);
        Self { router: web::router(state), clock, demo, superuser: pool, db }
    }

    /// A browser that nobody used before.
    pub fn browser(&self) -> Browser {
        Browser { router: self.router.clone(), cookies: BTreeMap::new() }
    }

    /// E-mail and password of the first account of a role in a clinic.
    pub fn credentials(&self, clinic: &str, role: Role) -> (String, String) {
        let account = self.demo.accounts.iter().find(|one| one.role == role && one.clinic.starts_with(clinic));
        let account = account.expect("the demo has one");
        (account.email.clone(), account.password.clone())
    }

    /// A browser in which somebody of this role has signed in.
    pub async fn signed_in(&self, clinic: &str, role: Role) -> Browser {
        let mut browser = self.browser();
        let (email, password) = self.credentials(clinic, role);
        let answer = browser.sign_in(&email, &password).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        browser
    }

    /// A booked appointment of the clinic.
    pub fn appointment(&self, clinic: &str) -> AppointmentId {
        self.demo.visits.iter().find(|visit| visit.clinic.starts_with(clinic)).expect("the demo has one").appointment
    }

    /// The patient opens the link that the desk shows, and says that they are here.
    pub async fn patient_arrives(&self, appointment: AppointmentId) {
        let mut desk = self.signed_in("Riverside", Role::Receptionist).await;
        let page = desk.get(&format!("/appointments/{appointment}")).await.body;
        let link = page.split("http://localhost:8080").nth(1).and_then(|rest| rest.split('"').next());
        let answer = self.browser().post(link.expect("a visit link"), &[]).await;
        assert_eq!(answer.header("location"), format!("/waiting/{appointment}"), "{}", answer.body);
    }

    /// The path of the link that the patient of a visit was sent.
    pub fn link_of(&self, visit: &DemoVisit) -> String {
        let link = scheduler::visit_link(&keys().visit_link, visit.appointment, visit.link_version);
        format!("/visit/{}", link.expose())
    }

    /// One round of every clinic's outbox, into the mailbox.
    pub async fn delivers(&self) {
        let public_url = "http://localhost:8080".parse().expect("an address");
        let links = Links { public_url, key: keys().visit_link };
        let carriers = Carriers::new(Mailer::Mailbox, Texts::Mailbox, links, "visits@bedside.example");
        let carriers = carriers.expect("a sender");
        for clinic in self.clinics().await {
            for channel in [Channel::Email, Channel::Sms] {
                let round = deliver_due(&self.db, &self.clock, &carriers, clinic, channel).await;
                round.expect("a round");
            }
        }
    }

    /// One round of marking missed visits in every clinic.
    pub async fn marks_missed(&self) {
        for clinic in self.clinics().await {
            let worker = Actor { clinic, who: Who::Service("scheduler") };
            mark_missed(&self.db, &self.clock, &worker).await.expect("a round");
        }
    }

    /// The page of a waiting patient says that it is still there.
    pub async fn patient_is_seen(&self, appointment: AppointmentId) {
        let (clinic, id) = sqlx::query_as("select clinic_id, patient_id from appointments where id = $1")
            .bind(appointment.0)
            .fetch_one(&self.superuser)
            .await
            .map(|(clinic, id)| (ClinicId(clinic), PatientId(id)))
            .expect("an appointment");
        let patient = Actor { clinic, who: Who::Patient { id, appointment } };
        scheduler::seen(&self.db, &self.clock, &patient, appointment).await.expect("written");
    }

    /// When a visit of the demo begins.
    pub fn starts_at(&self, appointment: AppointmentId) -> Timestamp {
        let visit = self.demo.visits.iter().find(|visit| visit.appointment == appointment);
        visit.expect("the demo has it").starts_at
    }

    async fn clinics(&self) -> Vec<ClinicId> {
        let ids: Vec<uuid::Uuid> =
            sqlx::query_scalar("select id from clinics").fetch_all(&self.superuser).await.expect("clinics");
        ids.into_iter().map(ClinicId).collect()
    }

    /// The path of the link by which an offer is answered.
    pub fn offer_link(&self, id: domain::WaitlistOfferId) -> String {
        format!("/offer/{}", scheduler::offer_link(&keys().offer_link, id).expose())
    }

    /// One number that the superuser asks for.
    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.superuser).await.expect("a count")
    }
}

fn keys() -> Keys {
    Keys::derive(&Redacted::new("a secret of at least thirty-two bytes".to_owned())).expect("long enough")
}

#[derive(Clone)]
pub struct Browser {
    router: Router,
    pub cookies: BTreeMap<String, String>,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

impl Browser {
    pub async fn sign_in(&mut self, email: &str, password: &str) -> Answer {
        self.post("/sign-in", &[("email", email), ("password", password)]).await
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).expect("a request")).await
    }

    pub async fn head(&mut self, path: &str) -> Answer {
        self.send(Request::head(path).body(Body::empty()).expect("a request")).await
    }

    /// Sends a form as our own page would.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_from(path, fields, "same-origin").await
    }

    /// Sends a form as a page of this `site` would.
    pub async fn post_from(&mut self, path: &str, fields: &[(&str, &str)], site: &str) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::HOST, "localhost:8080")
            .header("sec-fetch-site", site);
        self.send(request.body(Body::from(body)).expect("a request")).await
    }

    async fn send(&mut self, mut request: Request<Body>) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request.headers_mut().insert(header::COOKIE, cookies.join("; ").parse().expect("cookies"));
        }
        let response = self.router.clone().oneshot(request).await.expect("the router answers");
        let (parts, body) = response.into_parts();
        for set in parts.headers.get_all(header::SET_COOKIE) {
            self.keep(set.to_str().expect("a cookie"));
        }
        let is_stream = parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let bytes = if is_stream { Vec::new() } else { to_bytes(body, 1 << 20).await.expect("a body").to_vec() };
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8(bytes).expect("text") }
    }

    fn keep(&mut self, cookie: &str) {
        let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
        if cookie.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

fn ice_servers() -> IceServers {
    let urls = vec!["turns:turn.example:443?transport=tcp".to_owned()];
    IceServers::new(urls, Some(Redacted::new("what the TURN server knows too".to_owned()))).expect("an address")
}
