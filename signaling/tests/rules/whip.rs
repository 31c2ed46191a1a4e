//! Cameras and screens: one request in, one request out, and everything that is refused on the way.

use crate::house::{House, ICE_SERVERS, RunningNode, SOON, emptied, offer};
use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode},
};
use domain::{ParticipantId, Random as _, Redacted, media::MediaKind, signal::ParticipantRole};
use jiff::SignedDuration;
use participant::{Peer, Publishing};
use service::{
    clock::{ManualClock, SystemClock},
    random::SystemRandom,
};
use sqlx::PgPool;
use tower::ServiceExt as _;

const FRAGMENT: &str = "application/trickle-ice-sdpfrag";
const CANDIDATE: &str = "m=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 2130706431 192.0.2.7 9 typ host\r\n";
const RESTART: &str = "a=ice-ufrag:another\r\na=ice-pwd:a password of the client's own\r\n";

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// Status and code of a refusal, whose form is as promised.
    #[track_caller]
    fn refusal(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{} {}", self.status, self.body);
        let problem: serde_json::Value = serde_json::from_str(&self.body).expect("JSON");
        let code = problem["code"].as_str().expect("a code").to_owned();
        assert_eq!(problem["type"], format!("/problems/{code}"));
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.ends_with('.')), "a sentence");
        assert_eq!(self.header("access-control-allow-origin"), "*");
        (self.status.as_u16(), code)
    }
}

async fn sends(node: &RunningNode, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).expect("a method")).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body.to_owned())).expect("a request");
    let answer = signaling::router(node.signaling.clone()).oneshot(request).await.expect("an answer");
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
    Answer { status, headers, body: String::from_utf8(body.to_vec()).expect("text") }
}

async fn posts(node: &RunningNode, path: &str, token: &Redacted<String>, offer: &str) -> Answer {
    let bearer = format!("Bearer {}", token.expose());
    sends(node, "POST", path, &[("authorization", &bearer), ("content-type", "application/sdp")], offer).await
}

async fn says(node: &RunningNode, session: &str, token: &Redacted<String>, tag: &str, fragment: &str) -> Answer {
    let bearer = format!("Bearer {}", token.expose());
    let headers = [("authorization", bearer.as_str()), ("content-type", FRAGMENT), ("if-match", tag)];
    sends(node, "PATCH", session, &headers, fragment).await
}

async fn deletes(node: &RunningNode, session: &str, token: &Redacted<String>) -> Answer {
    sends(node, "DELETE", session, &[("authorization", &format!("Bearer {}", token.expose()))], "").await
}

async fn peer(publishing: Publishing) -> (ParticipantId, Peer) {
    let mark = ParticipantId(SystemRandom.uuid());
    (mark, Peer::new(mark, publishing).await.expect("a peer"))
}

/// A camera in the room, its token and the address of its session.
async fn camera(house: &House, node: &RunningNode) -> (Redacted<String>, String) {
    let token = house.device_token("Exam camera").await;
    let (_, peer) = peer(Publishing::default()).await;
    let entered = posts(node, "/whip", &token, peer.offer()).await;
    assert_eq!(entered.status, StatusCode::CREATED, "{}", entered.body);
    (token, entered.header("location").to_owned())
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_camera_is_seen_by_name_and_is_gone_when_it_says_so(pool: PgPool) {
    let (house, _relay, node) = House::ready(pool).await;
    let doctor = house.joins(&house.practitioner, &node).await;
    doctor.until(|heard| heard.room.len() == 1, SOON).await.expect("alone");
    let token = house.device_token("Exam camera").await;
    let (_, peer) = peer(Publishing::default()).await;
    let entered = posts(&node, "/whip", &token, peer.offer()).await;
    assert_eq!((entered.status, entered.header("content-type")), (StatusCode::CREATED, "application/sdp"));
    assert_eq!((entered.header("etag"), entered.header("accept-patch")), ("\"1\"", FRAGMENT));
    assert!(entered.header("access-control-expose-headers").contains("Location"));
    assert!(entered.body.contains("a=candidate:") && !entered.body.contains("a=sendrecv"), "{}", entered.body);
    peer.accept(&entered.body).await.expect("an answer to the offer");

    let heard = doctor.until(|heard| heard.room.iter().any(|one| one.connected && one.video.is_some()), SOON).await;
    let heard = heard.expect("the camera is shown");
    let device = heard.others().next().expect("it is there");
    assert_eq!((device.role, device.name.expose().as_str()), (ParticipantRole::Device, "Exam camera"));
    assert!(device.status.camera && device.status.microphone);
    let session = entered.header("location").to_owned();
    assert_eq!(deletes(&node, &session, &token).await.status, StatusCode::OK);
    doctor.until(|heard| heard.room.len() == 1, SOON).await.expect("it has left");
    assert_eq!(deletes(&node, &session, &token).await.refusal(), (404, "no-such-session".to_owned()));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_a_camera_sends_a_screen_receives(pool: PgPool) {
    let (house, _relay, node) = House::ready(pool).await;
    let (mark, camera) = peer(Publishing::default()).await;
    let entered = posts(&node, "/whip", &house.device_token("Camera").await, camera.offer()).await;
    camera.accept(&entered.body).await.expect("an answer");
    let (_, screen) = peer(Publishing::nothing()).await;
    let entered = posts(&node, "/whep", &house.device_token("Screen").await, screen.offer()).await;
    assert!(entered.header("location").starts_with("/whep/"), "{}", entered.body);
    screen.accept(&entered.body).await.expect("an answer");
    for kind in [MediaKind::Audio, MediaKind::Video] {
        screen.until(|tally| tally.packets_from(mark, kind) > 20, SOON).await.expect("sound and picture");
    }
    assert_eq!(camera.tally().packets(), 0, "a camera receives nothing");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn who_enters_is_told_the_servers_of_a_narrow_network_and_who_is_refused_is_not(pool: PgPool) {
    let (house, _relay, node) = House::ready(pool).await;
    let (_, peer) = peer(Publishing::default()).await;
    let entered = posts(&node, "/whip", &house.device_token("Camera").await, peer.offer()).await;
    let links: Vec<_> = entered.headers.get_all("link").iter().map(|link| link.to_str().expect("text")).collect();
    assert_eq!(links.len(), ICE_SERVERS.len());
    assert_eq!(links[0], format!(r#"<{}>; rel="ice-server""#, ICE_SERVERS[0]));
    let (address, opened_by) = links[1].split_once("; username=\"").expect("a TURN server has a password");
    assert_eq!(address, format!(r#"<{}>; rel="ice-server""#, ICE_SERVERS[1]));
    assert!(
        opened_by.contains("\"; credential=\"") && opened_by.ends_with("=\"; credential-type=\"password\""),
        "{opened_by}"
    );
    let refused = posts(&node, "/whip", &house.device_token("Camera").await, "v=0\r\nnonsense").await;
    assert_eq!((refused.status, refused.header("link")), (StatusCode::UNPROCESSABLE_ENTITY, ""));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_token_opens_one_session_once(pool: PgPool) {
    let (house, relay, node) = House::ready(pool).await;
    let token = house.device_token("Camera").await;
    let (_, peer) = peer(Publishing::default()).await;
    assert_eq!(posts(&node, "/whip", &token, peer.offer()).await.status, StatusCode::CREATED);
    for path in ["/whip", "/whep"] {
        let again = posts(&node, path, &token, peer.offer()).await;
        assert_eq!(again.refusal(), (401, "token-refused".to_owned()));
        assert!(again.header("www-authenticate").contains("invalid_token"));
    }
    assert_eq!(relay.stats().participants, 1);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_token_that_expired_or_whose_visit_has_ended_opens_nothing(pool: PgPool) {
    let (house, relay, node) = House::ready(pool).await;
    let refused = (401, "token-refused".to_owned());
    let two_minutes_ago = domain::Clock::now(&SystemClock) - SignedDuration::from_mins(2);
    let expired = house.token_at(&house.patient, &ManualClock::at(two_minutes_ago)).await;
    let offer = offer(&house.patient).await;
    assert_eq!(posts(&node, "/whep", &expired, &offer).await.refusal(), refused);
    let in_time = house.device_token("Camera").await;
    house.finishes().await;
    assert_eq!(posts(&node, "/whep", &in_time, &offer).await.refusal(), refused);
    let nonsense = Redacted::new("nonsense".to_owned());
    assert_eq!(posts(&node, "/whep", &nonsense, &offer).await.refusal(), refused);
    assert_eq!(relay.stats().participants, 0);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_request_that_is_not_one_is_refused_before_it_costs_the_token(pool: PgPool) {
    let (house, _relay, node) = House::ready(pool).await;
    let token = house.device_token("Camera").await;
    let bearer = format!("Bearer {}", token.expose());
    let (_, peer) = peer(Publishing::default()).await;
    let sdp = ("content-type", "application/sdp");
    let refused =
        async |headers: &[(&str, &str)], body: &str| sends(&node, "POST", "/whip", headers, body).await.refusal();
    let missing = sends(&node, "POST", "/whip", &[sdp], peer.offer()).await;
    assert_eq!(missing.refusal(), (401, "token-missing".to_owned()));
    assert_eq!(missing.header("www-authenticate"), "Bearer realm=\"bedside\"");
    let bearer = ("authorization", bearer.as_str());
    let (is_json, takes_text) = (("content-type", "application/json"), ("accept", "text/html"));
    assert_eq!(refused(&[bearer, is_json], peer.offer()).await, (415, "unsupported-media-type".to_owned()));
    assert_eq!(refused(&[bearer], peer.offer()).await, (415, "unsupported-media-type".to_owned()));
    assert_eq!(refused(&[bearer, sdp, takes_text], peer.offer()).await, (406, "not-acceptable".to_owned()));
    assert_eq!(refused(&[bearer, sdp], "").await, (400, "malformed".to_owned()));
    assert_eq!(refused(&[bearer, sdp], "hello").await, (400, "malformed".to_owned()));
    assert_eq!(refused(&[bearer, sdp], &"v=0\r\n".repeat(20_000)).await, (413, "too-large".to_owned()));
    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE"] {
        let answer = sends(&node, method, "/whip", &[bearer], "").await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert!(answer.header("allow").contains("POST"), "{method}");
    }
    assert_eq!(posts(&node, "/whip", &token, peer.offer()).await.status, StatusCode::CREATED);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_offer_that_cannot_be_answered_is_refused(pool: PgPool) {
    let (house, _relay, node) = House::ready(pool).await;
    let refused = (422, "offer-refused".to_owned());
    let listens = offer(&house.patient).await;
    let nonsense = "v=0\r\nnonsense";
    assert_eq!(posts(&node, "/whip", &house.device_token("Camera").await, &listens).await.refusal(), refused);
    assert_eq!(posts(&node, "/whip", &house.device_token("Camera").await, nonsense).await.refusal(), refused);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_session_is_spoken_for_by_its_own_token_alone(pool: PgPool) {
    let (house, relay, node) = House::ready(pool).await;
    let (own, session) = camera(&house, &node).await;
    let other = house.token(&house.patient).await;
    for answer in [deletes(&node, &session, &other).await, says(&node, &session, &other, "\"1\"", CANDIDATE).await] {
        assert_eq!(answer.refusal(), (403, "other-session".to_owned()));
    }
    let forged = Redacted::new(format!("{}x", own.expose()));
    assert_eq!(deletes(&node, &session, &forged).await.refusal(), (401, "token-refused".to_owned()));
    assert_eq!(sends(&node, "DELETE", &session, &[], "").await.refusal(), (401, "token-missing".to_owned()));
    assert_eq!(relay.stats().participants, 1);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_session_that_is_not_there_is_not_found(pool: PgPool) {
    let (house, _relay, node) = House::ready(pool).await;
    let (token, session) = camera(&house, &node).await;
    let gone = (404, "no-such-session".to_owned());
    let (name, _) = session.rsplit_once('.').expect("a name and a number");
    for unknown in ["/whip/nonsense", &format!("{name}.2"), &format!("{name}.x")] {
        assert_eq!(deletes(&node, unknown, &token).await.refusal(), gone, "{unknown}");
    }
    for method in ["GET", "HEAD", "POST", "PUT"] {
        let answer = sends(&node, method, &session, &[], "").await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert!(answer.header("allow").contains("DELETE"), "{method}");
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn candidates_are_taken_under_the_tag_of_the_answer(pool: PgPool) {
    let (house, _relay, node) = House::ready(pool).await;
    let (token, session) = camera(&house, &node).await;
    let taken = says(&node, &session, &token, "\"1\"", CANDIDATE).await;
    assert_eq!((taken.status, taken.body.as_str()), (StatusCode::NO_CONTENT, ""));
    for wrong in ["\"2\"", "W/\"1\"", "1", "\"nonsense\""] {
        let answer = says(&node, &session, &token, wrong, CANDIDATE).await;
        assert_eq!(answer.refusal(), (412, "wrong-ice-session".to_owned()), "{wrong}");
    }
    let bearer = format!("Bearer {}", token.expose());
    let (bearer, kind) = (("authorization", bearer.as_str()), ("content-type", FRAGMENT));
    let without = sends(&node, "PATCH", &session, &[bearer, kind], CANDIDATE).await;
    assert_eq!(without.refusal(), (428, "if-match-missing".to_owned()));
    let other_kind = sends(
        &node,
        "PATCH",
        &session,
        &[bearer, ("content-type", "application/sdp"), ("if-match", "\"1\"")],
        CANDIDATE,
    )
    .await;
    assert_eq!(other_kind.refusal(), (415, "unsupported-media-type".to_owned()));
    assert_eq!(says(&node, &session, &token, "\"1\"", "hello").await.refusal(), (400, "malformed".to_owned()));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn new_credentials_restart_ice_at_any_node(pool: PgPool) {
    let (mut house, _relay, node) = House::ready(pool).await;
    let other_node = house.starts_node().await;
    let (token, session) = camera(&house, &node).await;
    let restarted = says(&other_node, &session, &token, "*", RESTART).await;
    assert_eq!((restarted.status, restarted.header("content-type")), (StatusCode::OK, FRAGMENT));
    assert_eq!(restarted.header("etag"), "\"2\"");
    for line in ["a=ice-ufrag:", "a=ice-pwd:", "a=candidate:"] {
        assert!(restarted.body.contains(line), "{}", restarted.body);
    }
    let late = says(&node, &session, &token, "\"1\"", CANDIDATE).await;
    assert_eq!(late.refusal(), (412, "wrong-ice-session".to_owned()));
    assert_eq!(says(&node, &session, &token, "\"2\"", CANDIDATE).await.status, StatusCode::NO_CONTENT);
    assert_eq!(deletes(&other_node, &session, &token).await.status, StatusCode::OK);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_device_that_starts_again_takes_its_own_place(pool: PgPool) {
    let (house, relay, node) = House::ready(pool).await;
    let (first, session) = camera(&house, &node).await;
    let (_, again) = camera(&house, &node).await;
    assert_ne!(session, again);
    assert_eq!(relay.stats().participants, 1);
    assert_eq!(deletes(&node, &session, &first).await.refusal(), (404, "no-such-session".to_owned()));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_sixth_finds_the_room_full(pool: PgPool) {
    let (house, _relay, node) = House::ready(pool).await;
    let _doctor = house.joins(&house.practitioner, &node).await;
    let _patient = house.joins(&house.patient, &node).await;
    let (_, peer) = peer(Publishing::default()).await;
    for name in ["Camera", "Scope", "Screen"] {
        assert_eq!(
            posts(&node, "/whip", &house.device_token(name).await, peer.offer()).await.status,
            StatusCode::CREATED
        );
    }
    let sixth = "insert into participants (clinic_id, id, encounter_id, role, device_name)
        select clinic_id, gen_random_uuid(), encounter_id, 'device', 'Sixth' from participants where role = 'patient'";
    sqlx::query(sixth).execute(&house.pool).await.expect("a row");
    let full = posts(&node, "/whip", &house.device_token("Sixth").await, peer.offer()).await;
    assert_eq!(full.refusal(), (409, "room-full".to_owned()));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_end_of_the_visit_is_the_end_of_its_sessions(pool: PgPool) {
    let (house, relay, node) = House::ready(pool).await;
    let (token, session) = camera(&house, &node).await;
    house.finishes().await;
    house.tells_of_the_end().await;
    emptied(&relay).await;
    assert_eq!(deletes(&node, &session, &token).await.refusal(), (404, "no-such-session".to_owned()));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn without_a_relay_or_while_it_shuts_down_a_node_asks_to_come_again(pool: PgPool) {
    let mut house = House::new(pool).await;
    let node = house.starts_node().await;
    let (_, peer) = peer(Publishing::default()).await;
    let later = posts(&node, "/whip", &house.device_token("Camera").await, peer.offer()).await;
    assert_eq!(later.refusal(), (503, "unavailable".to_owned()));
    assert_eq!(later.header("retry-after"), "1");
    node.draining.cancel();
    let token = house.device_token("Camera").await;
    assert_eq!(posts(&node, "/whip", &token, peer.offer()).await.refusal(), (503, "unavailable".to_owned()));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_page_of_anywhere_may_ask(pool: PgPool) {
    let mut house = House::new(pool).await;
    let node = house.starts_node().await;
    for (path, method, accepts) in
        [("/whip", "POST", "accept-post"), ("/whep", "POST", "accept-post"), ("/whip/x.1", "PATCH", "accept-patch")]
    {
        let headers = [("origin", "https://elsewhere.example"), ("access-control-request-method", method)];
        let preflight = sends(&node, "OPTIONS", path, &headers, "").await;
        assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (StatusCode::NO_CONTENT, "*"));
        assert!(preflight.header("access-control-allow-methods").contains(method));
        for name in ["Authorization", "Content-Type", "If-Match"] {
            assert!(preflight.header("access-control-allow-headers").contains(name));
        }
        assert!(preflight.header(accepts).starts_with("application/"));
    }
}
