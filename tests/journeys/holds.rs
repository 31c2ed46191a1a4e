//! A time that is held, or held no longer, is told to every open desk, whoever holds it.

use crate::support::{PATIENCE, clinic::Clinic};
use domain::{ClinicId, Role};
use futures_util::{Stream, StreamExt as _};
use reqwest::StatusCode;
use serde_json::Value;
use service::{
    bus::{Happening, Topic},
    keys::Keys,
};
use std::collections::HashMap;

/// Waits until the desks of a clinic are told something.
async fn told(news: &mut (impl Stream<Item = Happening> + Unpin)) {
    let heard = tokio::time::timeout(PATIENCE, news.next()).await;
    assert!(matches!(heard, Ok(Some(Happening::Resync))), "{heard:?}");
}

/// What open desks hear, from now on.
async fn news(clinic: &Clinic, id: ClinicId) -> impl Stream<Item = Happening> + Unpin + use<> {
    let mut news = clinic.parts.bus.subscribe(Topic::Clinic(id));
    told(&mut news).await; // that the subscription stands
    news
}

/// A receptionist's program: its token, and its clinic.
async fn program(clinic: &Clinic) -> (String, ClinicId) {
    let keys = Keys::derive(clinic.config.secret().expect("set")).expect("long enough");
    let parts = &clinic.parts;
    let tokens = scheduler::demo::api_tokens(&parts.db, &clinic.clock, &*parts.random, &keys.demo_token).await;
    let tokens = tokens.expect("the demo has tokens");
    let token = tokens.iter().find(|one| one.role == Role::Receptionist).expect("one of them").token.expose().clone();
    let caller = scheduler::api_caller(&parts.db, &clinic.clock, &token).await.expect("a read").expect("a good token");
    (token, caller.actor.clinic)
}

/// The first free time of the first type of visit, in the words of the API.
async fn free_time(clinic: &Clinic, token: &str) -> [(&'static str, String); 3] {
    let get = async |path: &str| -> Value {
        let address = format!("{}/api/v1/{path}", clinic.url());
        let answer = reqwest::Client::new().get(address).bearer_auth(token).send().await.expect("an answer");
        answer.json().await.expect("JSON")
    };
    let types = get("visit-types").await;
    let visit_type = types["items"][0]["id"].as_str().expect("a type of visit");
    let slots = get(&format!("slots?visit_type_id={visit_type}&limit=1")).await;
    let of = |name: &str| slots["items"][0][name].as_str().expect("a slot").to_owned();
    [("practitioner_id", of("practitioner_id")), ("visit_type_id", visit_type.to_owned()), ("start", of("start"))]
}

#[tokio::test]
async fn desks_hear_that_a_program_holds_a_time_and_lets_it_go() {
    let clinic = Clinic::start().await;
    let (token, id) = program(&clinic).await;
    let wanted: HashMap<_, _> = free_time(&clinic, &token).await.into_iter().collect();
    let client = reqwest::Client::new();
    let holds = format!("{}/api/v1/holds", clinic.url());

    let mut news = news(&clinic, id).await;
    let held = client.post(&holds).bearer_auth(&token).json(&wanted).send().await.expect("an answer");
    assert_eq!(held.status(), StatusCode::CREATED);
    told(&mut news).await;
    let held: Value = held.json().await.expect("JSON");
    let path = format!("{holds}/{}", held["id"].as_str().expect("an id"));
    let released = client.delete(path).bearer_auth(&token).send().await.expect("an answer");
    assert_eq!(released.status(), StatusCode::NO_CONTENT);
    told(&mut news).await;
}

#[tokio::test]
async fn desks_hear_that_a_form_lets_its_time_go_and_chooses_none() {
    let clinic = Clinic::start().await;
    let receptionist = clinic.staff(Role::Receptionist).await;
    let (token, id) = program(&clinic).await;
    let [(_, practitioner), (_, visit_type), (_, at)] = free_time(&clinic, &token).await;
    let wanted = [("practitioner", practitioner), ("visit_type", visit_type), ("at", at)];

    let mut news = news(&clinic, id).await;
    let held = receptionist.post("/appointments/hold").form(&wanted).send().await.expect("an answer");
    let held = held.text().await.expect("a page");
    told(&mut news).await;
    let hold = held.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a hold");
    let nothing = receptionist.post("/appointments/hold").form(&[("hold", hold)]).send().await.expect("an answer");
    assert_eq!(nothing.status(), StatusCode::OK);
    told(&mut news).await;
}
