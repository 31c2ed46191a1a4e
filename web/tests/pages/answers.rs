//! The patient answers a message: yes, or cancel. Only the buttons answer.

use crate::house::House;
use axum::http::StatusCode;
use sqlx::PgPool;

/// The path of the answer page of Riverside's first visit.
fn link(house: &House) -> String {
    let visit = house.demo.visits.iter().find(|visit| visit.clinic.starts_with("Riverside")).expect("the demo has one");
    house.link_of(visit).replacen("/visit/", "/answer/", 1)
}

/// The visit as Postgres has it.
async fn visit(house: &House) -> String {
    sqlx::query_scalar("select appointments::text from appointments where id = $1")
        .bind(house.appointment("Riverside").0)
        .fetch_one(&house.superuser)
        .await
        .expect("a row")
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_mail_scanner_that_opens_the_link_answers_nothing(pool: PgPool) {
    let house = House::new(pool).await;
    let link = link(&house);
    let before = visit(&house).await;
    let mut scanner = house.browser();
    for path in [link.clone(), format!("{link}?answer=cancel"), format!("{link}?answer=come")] {
        for _ in 0..10 {
            let answer = scanner.get(&path).await;
            assert_eq!(answer.status, StatusCode::OK);
            assert!(answer.body.contains("Will you come to your video visit?"), "{}", answer.body);
            scanner.head(&path).await;
        }
    }
    assert_eq!(visit(&house).await, before);
    assert_eq!(house.count("select count(*) from audit_events where action like 'appointment.con%'").await, 0);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_page_of_the_visit_leads_to_the_answer_until_there_is_nothing_to_answer(pool: PgPool) {
    let house = House::new(pool).await;
    let answer = link(&house);
    let visit = answer.replacen("/answer/", "/visit/", 1);
    let leads = format!("href=\"{answer}\"");
    assert!(house.browser().get(&visit).await.body.contains(&leads), "a text message has room for one link");
    house.patient_arrives(house.appointment("Riverside")).await;
    assert!(!house.browser().get(&visit).await.body.contains(&leads), "who is here has answered");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn yes_is_kept_once_however_often_it_is_pressed(pool: PgPool) {
    let house = House::new(pool).await;
    let link = link(&house);
    let mut patient = house.browser();
    for _ in 0..2 {
        let answer = patient.post(&link, &[("answer", "come")]).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, link.as_str()));
    }
    assert!(patient.get(&link).await.body.contains("Thank you, the clinic knows."));
    assert_eq!(house.count("select count(*) from appointments where confirmed_at is not null").await, 1);
    let told = "select count(*) from audit_events where action = 'appointment.confirmed' and actor_kind = 'patient'";
    assert_eq!(house.count(told).await, 1);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn cancelling_frees_the_time_and_says_so(pool: PgPool) {
    let house = House::new(pool).await;
    let policy = "update visit_types set cancel_notice_minutes = 0";
    sqlx::query(policy).execute(&house.superuser).await.expect("a change");
    let link = link(&house);
    let id = house.appointment("Riverside");
    let mut patient = house.browser();
    let answer = patient.post(&link, &[("answer", "cancel")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert!(patient.get(&link).await.body.contains("This visit is cancelled"));
    let cancelled: (String, String) = sqlx::query_as("select state, cancelled_by from appointments where id = $1")
        .bind(id.0)
        .fetch_one(&house.superuser)
        .await
        .expect("a row");
    assert_eq!(cancelled, ("cancelled".to_owned(), "patient".to_owned()));
    let told: i64 =
        sqlx::query_scalar("select count(*) from outbox where appointment_id = $1 and kind = 'cancellation'")
            .bind(id.0)
            .fetch_one(&house.superuser)
            .await
            .expect("a count");
    assert_eq!(told, 2, "by e-mail and text message");

    let late = patient.post(&link, &[("answer", "come")]).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.body.contains("does not take place any more"), "{}", late.body);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn too_late_to_cancel_by_link_the_patient_is_asked_to_ring(pool: PgPool) {
    let house = House::new(pool).await;
    let policy = "update visit_types set cancel_notice_minutes = 1440";
    sqlx::query(policy).execute(&house.superuser).await.expect("a change");
    let before = visit(&house).await;
    let answer = house.browser().post(&link(&house), &[("answer", "cancel")]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.body.contains("It is too late to cancel here. Please call the clinic."), "{}", answer.body);
    assert!(answer.body.contains("href=\"tel:"), "with the number to call");
    assert_eq!(visit(&house).await, before);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_is_no_answer_or_comes_from_elsewhere_changes_nothing(pool: PgPool) {
    let house = House::new(pool).await;
    let link = link(&house);
    let before = visit(&house).await;
    let mut browser = house.browser();
    assert!(browser.post(&link, &[("answer", "perhaps")]).await.status.is_client_error());
    assert!(browser.post(&link, &[]).await.status.is_client_error());
    assert_eq!(browser.post_from(&link, &[("answer", "cancel")], "cross-site").await.status, StatusCode::FORBIDDEN);
    let forged = format!("{}A", &link[..link.len() - 1]);
    let forged = if forged == link { format!("{}B", &link[..link.len() - 1]) } else { forged };
    assert_eq!(browser.post(&forged, &[("answer", "cancel")]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get(&forged).await.status, StatusCode::NOT_FOUND);
    assert_eq!(visit(&house).await, before);
}
