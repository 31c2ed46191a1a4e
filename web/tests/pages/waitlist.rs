//! The waitlist at the desk, and the offer that a patient answers by a link.

use crate::house::{Browser, House};
use axum::http::StatusCode;
use domain::Role;
use sqlx::PgPool;

/// What follows `mark` up to the next quotation mark.
fn after<'a>(body: &'a str, mark: &str) -> &'a str {
    body.split_once(mark).and_then(|(_, rest)| rest.split('"').next()).unwrap_or_else(|| panic!("{mark} in {body}"))
}

/// The fields of the form, with the first type of visit that the page offers.
async fn fields(desk: &mut Browser, patient: &str) -> Vec<(&'static str, String)> {
    let page = desk.get("/waitlist").await.body;
    let (_, types) = page.split_once("id=\"visit_type\"").expect("types");
    let found = desk.post("/patients/find", &[("q", patient)]).await.body;
    vec![
        ("patient", after(&found, "data-id=\"").to_owned()),
        ("visit_type", after(types, "value=\"").to_owned()),
        ("practitioner", String::new()),
        ("from_date", "2026-11-24".to_owned()),
        ("to_date", "2026-12-08".to_owned()),
        ("from_time", String::new()),
        ("to_time", String::new()),
        ("note", "Can come at short notice".to_owned()),
    ]
}

async fn add(desk: &mut Browser, fields: &[(&'static str, String)]) -> crate::house::Answer {
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    desk.post("/waitlist", &fields).await
}

fn with(fields: &[(&'static str, String)], changed: &str, value: &str) -> Vec<(&'static str, String)> {
    let change =
        |(name, old): &(&'static str, String)| (*name, if *name == changed { value.to_owned() } else { old.clone() });
    fields.iter().map(change).collect()
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn whoever_would_come_sooner_is_listed_in_order_and_withdrawn(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    assert!(desk.get("/waitlist").await.body.contains("Nobody waits for a sooner time."));
    for patient in ["santos 1961", "berg"] {
        let fields = fields(&mut desk, patient).await;
        assert_eq!(add(&mut desk, &fields).await.header("location"), "/waitlist");
        house.clock.advance(jiff::SignedDuration::from_secs(1));
    }
    let list = desk.get("/waitlist").await.body;
    let (maria, jonas) = (list.find("Maria Santos").expect("listed"), list.find("Jonas Berg").expect("listed"));
    assert!(maria < jonas, "in the order in which they were added");
    assert!(list.contains("with anybody") && list.contains("any time of day") && list.contains("at short notice"));
    let path = format!("/waitlist/{}/withdraw", after(&list, "action=\"/waitlist/").trim_end_matches("/withdraw"));
    assert_eq!(desk.post(&path, &[]).await.header("location"), "/waitlist");
    let list = desk.get("/waitlist").await.body;
    assert!(!list.contains("Maria Santos") && list.contains("Jonas Berg"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_makes_no_sense_is_told_and_everything_typed_stays(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let right = fields(&mut desk, "santos 1961").await;
    let wrong = [
        ("to_date", "2026-02-30", "no-such-time"),
        ("to_date", "2026-11-01", "ends-before-it-begins"),
        ("to_time", "00:05", "ends-before-it-begins"),
        ("from_time", "25:00", "no-such-time"),
        ("patient", "", "no-such-patient"),
        ("patient", "5b6fd1f3-6d0f-4f6e-9f0e-3d7c0f1f2a4b", "no-such-patient"),
        ("visit_type", "5b6fd1f3-6d0f-4f6e-9f0e-3d7c0f1f2a4b", "not-offered"),
        ("note", &"x".repeat(10_000), "invalid"),
    ];
    for (field, value, code) in wrong {
        let told = add(&mut desk, &with(&right, field, value)).await;
        assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
        assert!(told.body.contains(&format!("data-code=\"{code}\"")), "{field}: {}", told.body);
        let kept = if field == "note" { value } else { "Can come at short notice" };
        assert!(told.body.contains(kept), "{field}: the note is kept");
    }
    assert_eq!(house.count("select count(*) from waitlist_entries").await, 0);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn another_clinics_patient_is_not_put_on_the_list(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let foreign: uuid::Uuid = sqlx::query_scalar(
        "select p.id from patients p join clinics c on c.id = p.clinic_id where c.name not like 'Riverside%' limit 1",
    )
    .fetch_one(&house.superuser)
    .await
    .expect("a patient of another clinic");
    let fields = with(&fields(&mut desk, "santos 1961").await, "patient", &foreign.to_string());
    assert!(add(&mut desk, &fields).await.body.contains("data-code=\"no-such-patient\""));
}

/// Cancels a visit ahead for which somebody waits; the path of the offer's link.
async fn offered(house: &House, desk: &mut Browser) -> String {
    let (id, visit_type): (uuid::Uuid, uuid::Uuid) = sqlx::query_as(
        "select a.id, a.visit_type_id from appointments a join clinics c on c.id = a.clinic_id
         where c.name like 'Riverside%' and a.state = 'booked' and a.starts_at > '2026-11-24T14:00:00Z' order by a.starts_at desc limit 1",
    )
    .fetch_one(&house.superuser)
    .await
    .expect("a visit ahead");
    let fields = with(&fields(desk, "santos 1961").await, "visit_type", &visit_type.to_string());
    assert_eq!(add(desk, &fields).await.header("location"), "/waitlist");
    let cancelled = desk.post(&format!("/appointments/{id}/cancel"), &[("reason", "The patient is away")]).await;
    assert_eq!(cancelled.status, StatusCode::SEE_OTHER, "{}", cancelled.body);
    let offer: uuid::Uuid = sqlx::query_scalar("select id from waitlist_offers where state = 'open'")
        .fetch_one(&house.superuser)
        .await
        .expect("an offer");
    house.offer_link(domain::WaitlistOfferId(offer))
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_freed_time_is_offered_and_accepted_by_the_link(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let link = offered(&house, &mut desk).await;
    assert!(desk.get("/waitlist").await.body.contains("Offered, "), "the desk sees the chain");
    let mut patient = house.browser();
    for _ in 0..2 {
        let opened = patient.get(&link).await;
        assert!(opened.body.contains("data-code=\"open\"") && opened.body.contains("Yes, book it"), "{}", opened.body);
    }
    let accepted = patient.post(&format!("{link}/accept"), &[]).await;
    assert!(accepted.header("location").ends_with("/booked"), "{}", accepted.body);
    assert!(patient.get(accepted.header("location")).await.body.contains("Your visit is booked"));
    assert!(patient.get(&link).await.body.contains("data-code=\"accepted\""));
    assert_eq!(house.count("select count(*) from appointments where source = 'waitlist'").await, 1);
    assert!(desk.get("/waitlist").await.body.contains("Nobody waits"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_offer_that_is_over_says_so_kindly(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let link = offered(&house, &mut desk).await;
    let mut patient = house.browser();
    sqlx::query("update waitlist_offers set expires_at = now() - interval '1 second'")
        .execute(&house.superuser)
        .await
        .expect("the superuser turns the clock");
    assert!(patient.get(&link).await.body.contains("data-code=\"offer-over\""));
    let late = patient.post(&format!("{link}/accept"), &[]).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.body.contains("This time is no longer free") && late.body.contains("Call the clinic"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_declined_offer_leaves_the_patient_on_the_list(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let link = offered(&house, &mut desk).await;
    let mut patient = house.browser();
    let declined = patient.post(&format!("{link}/decline"), &[]).await;
    assert_eq!(declined.header("location"), link);
    assert!(patient.get(&link).await.body.contains("data-code=\"declined\""));
    let late = patient.post(&format!("{link}/accept"), &[]).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    let list = desk.get("/waitlist").await.body;
    assert!(list.contains("Maria Santos") && list.contains("Declined"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_link_of_nothing_opens_nothing(pool: PgPool) {
    let house = House::new(pool).await;
    for path in ["/offer/nonsense", "/offer/AAAA"] {
        assert_eq!(house.browser().get(path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(house.browser().post(&format!("{path}/accept"), &[]).await.status, StatusCode::NOT_FOUND);
    }
}
