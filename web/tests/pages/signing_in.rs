//! Signing in and out.

use crate::house::House;
use axum::http::StatusCode;
use domain::Role;
use jiff::SignedDuration;
use sqlx::PgPool;

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn everybody_comes_to_their_own_page(pool: PgPool) {
    let house = House::new(pool).await;
    for (role, page) in [(Role::Receptionist, "/desk"), (Role::Practitioner, "/day"), (Role::Administrator, "/desk")] {
        let mut browser = house.signed_in("Riverside", role).await;
        assert_eq!(browser.get("/").await.header("location"), page);
        assert_eq!(browser.get(page).await.status, StatusCode::OK);
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_wrong_password_and_an_unknown_address_read_the_same(pool: PgPool) {
    let house = House::new(pool).await;
    let (email, _) = house.credentials("Riverside", Role::Receptionist);
    let wrong = house.browser().sign_in(&email, "wrong").await;
    let unknown = house.browser().sign_in("nobody@riverside.example", "wrong").await;
    assert_eq!(wrong.status, unknown.status);
    let said = |body: &str, email: &str| body.replace(email, "");
    assert_eq!(said(&wrong.body, &email), said(&unknown.body, "nobody@riverside.example"));
    assert_eq!(house.count("select count(*) from audit_events where action = 'session.refused'").await, 1);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn after_ten_wrong_passwords_the_right_one_waits_a_quarter_of_an_hour(pool: PgPool) {
    let house = House::new(pool).await;
    let (email, password) = house.credentials("Riverside", Role::Receptionist);
    let mut browser = house.browser();
    for _ in 0..10 {
        assert_eq!(browser.sign_in(&email, "wrong").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let refused = browser.sign_in(&email.to_uppercase(), &password).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.body.contains("Wait a quarter of an hour"));
    house.clock.advance(SignedDuration::from_mins(16));
    assert_eq!(browser.sign_in(&email, &password).await.status, StatusCode::SEE_OTHER);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn signing_in_again_makes_a_new_session_and_ends_the_old_one(pool: PgPool) {
    let house = House::new(pool).await;
    let mut browser = house.signed_in("Riverside", Role::Receptionist).await;
    let mut thief = browser.clone();
    let (email, password) = house.credentials("Riverside", Role::Receptionist);
    browser.sign_in(&email, &password).await;
    assert_ne!(browser.cookies["bedside"], thief.cookies["bedside"]);
    assert_eq!(thief.get("/desk").await.header("location"), "/sign-in?ended");
    assert_eq!(browser.get("/desk").await.status, StatusCode::OK);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn signing_out_ends_the_session_everywhere(pool: PgPool) {
    let house = House::new(pool).await;
    let mut browser = house.signed_in("Riverside", Role::Receptionist).await;
    let mut copy = browser.clone();
    let answer = browser.post("/sign-out", &[]).await;
    assert_eq!(answer.header("location"), "/sign-in");
    assert!(browser.cookies.is_empty());
    assert_eq!(copy.get("/desk").await.header("location"), "/sign-in?ended");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_session_ends_after_half_an_hour_of_nothing_and_after_a_working_day(pool: PgPool) {
    let house = House::new(pool).await;
    let mut idle = house.signed_in("Riverside", Role::Receptionist).await;
    let mut busy = house.signed_in("Riverside", Role::Administrator).await;
    for _ in 0..23 {
        house.clock.advance(SignedDuration::from_mins(29));
        assert_eq!(busy.get("/mailbox").await.status, StatusCode::OK);
    }
    assert_eq!(idle.get("/desk").await.header("location"), "/sign-in?ended");
    house.clock.advance(SignedDuration::from_mins(29));
    house.clock.advance(SignedDuration::from_mins(29));
    assert_eq!(busy.get("/desk").await.header("location"), "/sign-in?ended");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_page_that_keeps_itself_up_to_date_does_not_keep_anybody_signed_in(pool: PgPool) {
    let house = House::new(pool).await;
    let mut browser = house.signed_in("Riverside", Role::Receptionist).await;
    house.clock.advance(SignedDuration::from_mins(29));
    assert_eq!(browser.get("/desk/events").await.status, StatusCode::OK);
    house.clock.advance(SignedDuration::from_mins(2));
    assert_eq!(browser.get("/desk").await.header("location"), "/sign-in?ended");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_database_holds_no_token(pool: PgPool) {
    let house = House::new(pool).await;
    let browser = house.signed_in("Riverside", Role::Receptionist).await;
    let token = &browser.cookies["bedside"];
    assert_eq!(token.len(), 43, "256 bits in base64url");
    let dump: Vec<String> =
        sqlx::query_scalar("select sessions::text from sessions").fetch_all(&house.superuser).await.expect("rows");
    assert!(!dump.is_empty() && dump.iter().all(|row| !row.contains(token.as_str())));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn with_https_the_cookie_is_bound_to_the_host(pool: PgPool) {
    let house = House::at(pool, "https://bedside.example/").await;
    let (email, password) = house.credentials("Riverside", Role::Receptionist);
    let answer = house.browser().sign_in(&email, &password).await;
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-bedside="), "{cookie}");
    for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{attribute} in {cookie}");
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn nobody_is_signed_out_in_the_middle_of_a_visit(pool: PgPool) {
    let house = House::new(pool).await;
    let visit = &house.demo.visits[0];
    let account = house.demo.accounts.iter().find(|one| one.name == visit.practitioner).expect("their account");
    let mut doctor = house.browser();
    doctor.sign_in(&account.email, &account.password).await;
    house.patient_arrives(visit.appointment).await;
    let admitted = doctor.post(&format!("/appointments/{}/admit", visit.appointment), &[]).await;
    let encounter = admitted.header("location").to_owned();
    assert!(encounter.starts_with("/encounters/"), "{}", admitted.body);

    house.clock.advance(SignedDuration::from_mins(50));
    assert_eq!(doctor.post(&format!("{encounter}/finish"), &[]).await.status, StatusCode::SEE_OTHER);
    house.clock.advance(SignedDuration::from_mins(50));
    assert_eq!(doctor.get("/day").await.header("location"), "/sign-in?ended");
}
