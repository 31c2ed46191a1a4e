//! The demo clinics behind a router, and programs in front of it.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use domain::{Redacted, Role};
use jiff::Timestamp;
use scheduler::{
    demo::{DemoToken, api_tokens, demo},
    join_tokens::SigningKey,
};
use serde_json::{Value, json};
use service::{bus::Bus, clock::ManualClock, ice_servers::IceServers, keys::Keys, postgres::Db, random::SystemRandom};
use sqlx::PgPool;
use std::sync::Arc;
use tower::ServiceExt as _;
use web::{Site, WebState};

/// The present at the beginning of each test.
pub const NOW: &str = "2026-11-24T13:10:00Z";

pub struct House {
    pub router: Router,
    pub superuser: PgPool,
    tokens: Vec<DemoToken>,
    passwords: Vec<(Role, String, String)>,
}

impl House {
    pub async fn new(pool: PgPool) -> Self {
        let db = Db::over((*pool.connect_options()).clone(), 10);
        let clock = ManualClock::at(NOW.parse::<Timestamp>().expect("a timestamp"));
        let hash = |password: &str| web::hash_password(&SystemRandom, &Redacted::new(password.to_owned())).into_inner();
        let demo = demo(&db, &clock, &SystemRandom, &hash, "Europe/London").await.expect("a demo");
        let secret = Redacted::new("a secret of at least thirty-two bytes".to_owned());
        let keys = Keys::derive(&secret).expect("long enough");
        let tokens = api_tokens(&db, &clock, &SystemRandom, &keys.demo_token).await.expect("tokens");
        let site = Site {
            public_url: "http://localhost:8080/".parse().expect("an address"),
            signaling_url: "ws://signal.example:9000/signal".parse().expect("an address"),
            ice_servers: IceServers::default(),
            join_tokens: SigningKey::new(&keys.join_token),
            keys,
            demo: true,
        };
        // Nobody listens there: the API works without Redis.
        let bus = Bus::connect(&Redacted::new("redis://127.0.0.1:1".to_owned())).await.expect("an address");
        let state = WebState::new(db, bus, Arc::new(clock), Arc::new(SystemRandom), site);
        let passwords = demo.accounts.into_iter().map(|one| (one.role, one.email, one.password)).collect();
        Self { router: web::router(state), superuser: pool, tokens, passwords }
    }

    /// The program of a role of a clinic.
    pub fn program(&self, clinic: &str, role: Role) -> Program {
        let token = self.tokens.iter().find(|one| one.role == role && one.clinic.starts_with(clinic));
        self.program_with(token.expect("the demo has one").token.expose())
    }

    /// Riverside's desk.
    pub fn desk(&self) -> Program {
        self.program("Riverside", Role::Receptionist)
    }

    /// A program that shows this token.
    pub fn program_with(&self, token: &str) -> Program {
        Program { router: self.router.clone(), authorization: Some(format!("Bearer {token}")) }
    }

    /// A program that shows none.
    pub fn stranger(&self) -> Program {
        Program { router: self.router.clone(), authorization: None }
    }

    /// The cookie of somebody of this role who has signed in at Riverside.
    pub async fn cookie(&self, role: Role) -> String {
        let (_, email, password) = self.passwords.iter().find(|one| one.0 == role).expect("an account");
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("email", email), ("password", password)])
            .finish();
        let request = Request::post("/sign-in")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(form));
        let response = self.router.clone().oneshot(request.expect("a request")).await.expect("an answer");
        let cookie = response.headers()[header::SET_COOKIE].to_str().expect("a cookie");
        cookie.split(';').next().expect("name and value").to_owned()
    }

    /// One number that the superuser asks for.
    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.superuser).await.expect("a count")
    }
}

#[derive(Clone)]
pub struct Program {
    router: Router,
    authorization: Option<String>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// Status and code of a refusal, whose form is as promised.
    #[track_caller]
    pub fn refusal(&self) -> (u16, &str) {
        let status = self.status.as_u16();
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert_eq!(self.body["status"], status, "{self:?}");
        let code = self.body["code"].as_str().expect("a code");
        assert_eq!(self.body["type"], format!("/problems/{code}"));
        assert_eq!(self.body["request_id"], self.header("x-request-id"));
        assert!(self.body["detail"].as_str().is_some_and(|text| text.ends_with('.')), "a sentence: {self:?}");
        (status, code)
    }

    /// The fields that the refusal names.
    pub fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().filter_map(|error| error["field"].as_str()).collect()
    }

    #[track_caller]
    pub fn items(&self) -> &[Value] {
        assert_eq!(self.status, StatusCode::OK, "{self:?}");
        self.body["items"].as_array().expect("items")
    }
}

impl Program {
    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, &[], None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.post_with(path, &[], body).await
    }

    pub async fn post_with(&self, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        let headers = [headers, &[("content-type", "application/json")]].concat();
        self.call(Method::POST, path, &headers, Some(body.to_string())).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, &[], None).await
    }

    pub async fn call(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<String>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.map_or_else(Body::empty, Body::from)).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("the router answers");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 22).await.expect("a body");
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// The first thing of a list.
    pub async fn first(&self, list: &str) -> Value {
        self.get(&format!("/api/v1/{list}")).await.items()[0].clone()
    }

    /// Where the consultations of the day after tomorrow are found: whole half hours, which everybody in the demo offers.
    pub async fn consultations(&self) -> String {
        let types = self.get("/api/v1/visit-types").await;
        let consultation =
            types.items().iter().find(|one| one["name"] == "Consultation").expect("the demo offers them");
        format!("slots?visit_type_id={}&from=2026-11-26&to=2026-11-26", id(consultation))
    }

    /// What booking a consultation of that day asks for: the `number`th free time of one and the same practitioner, always for
    /// the same patient, who is busy where colleagues are free.
    pub async fn wish(&self, number: usize) -> Value {
        let practitioner = self.first("practitioners").await;
        let path = format!("/api/v1/{}&practitioner_id={}", self.consultations().await, id(&practitioner));
        let slots = self.get(&path).await;
        let slot = &slots.items()[number];
        json!({
            "practitioner_id": slot["practitioner_id"],
            "patient_id": self.first("patients").await["id"],
            "visit_type_id": slot["visit_type_id"],
            "start": slot["start"],
        })
    }

    /// Books the `number`th free slot.
    pub async fn books(&self, number: usize) -> Answer {
        let wish = self.wish(number).await;
        let answer = self.post("/api/v1/appointments", wish).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer
    }
}

/// The id of something.
pub fn id(one: &Value) -> &str {
    one["id"].as_str().expect("an id")
}
