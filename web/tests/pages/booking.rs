//! The receptionist books.

use crate::house::{Browser, House};
use axum::http::StatusCode;
use domain::Role;
use sqlx::PgPool;

/// The value of the first field or option that follows `mark`.
pub fn value_after<'a>(body: &'a str, mark: &str) -> &'a str {
    body.split(mark)
        .nth(1)
        .and_then(|rest| rest.split("value=\"").nth(1))
        .and_then(|rest| rest.split('"').next())
        .expect(mark)
}

/// Finds a patient as the type-to-find field does.
pub async fn find(desk: &mut Browser, typed: &str) -> String {
    let found = desk.post("/patients/find", &[("q", typed)]).await;
    assert_eq!(found.status, StatusCode::OK);
    found.body.split("data-id=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("somebody found").to_owned()
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_lost_race_keeps_everything_and_offers_the_nearest_time(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let form = desk.get("/appointments/new").await.body;
    let practitioner = value_after(&form, "id=\"practitioner\"").to_owned();
    let at = value_after(&form, "class=\"time\"").to_owned();
    let (one, other) = (find(&mut desk, "santos 1961").await, find(&mut desk, "berg").await);

    let booked = desk.post("/appointments", &[("patient", &one), ("practitioner", &practitioner), ("at", &at)]).await;
    assert_eq!(booked.status, StatusCode::SEE_OTHER, "{}", booked.body);
    assert!(booked.header("location").starts_with("/appointments/"));

    let typed = [("q", ""), ("patient", &other), ("practitioner", &practitioner), ("at", &at)];
    let lost = desk.post("/appointments", &typed).await;
    assert_eq!(lost.status, StatusCode::CONFLICT);
    assert!(lost.body.contains("has just been taken."), "{}", lost.body);
    assert!(lost.body.contains("Jonas Berg"), "the patient is kept");
    assert!(lost.body.contains("class=\"time taken\""), "the slot is struck");
    assert_eq!(lost.body.matches(" checked").count(), 1, "the nearest is chosen");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn without_a_script_the_patient_is_found_by_a_button(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let found = desk.post("/appointments/new", &[("q", "14 Mar 1961")]).await;
    assert_eq!(found.status, StatusCode::OK);
    assert!(found.body.contains("name=\"patient\"") && found.body.contains("Maria Santos"));
    let nobody = desk.post("/appointments/new", &[("q", "Zebedee")]).await;
    assert!(nobody.body.contains("Nobody found."));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_new_patient_comes_back_chosen(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let form = desk.post("/patients/new", &[("q", "Ada Okafor"), ("date", "2026-11-25")]).await;
    assert!(form.body.contains("value=\"Ada Okafor\""), "the name is kept");
    let wrong = desk.post("/patients", &[("name", "Ada Okafor"), ("birth_date", "soon"), ("date", "2026-11-25")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("value=\"soon\"") && wrong.body.contains("aria-invalid"));
    let added =
        desk.post("/patients", &[("name", "Ada Okafor"), ("birth_date", "2 Nov 1990"), ("date", "2026-11-25")]).await;
    let back = added.header("location").to_owned();
    assert!(back.starts_with("/appointments/new?patient=") && !back.contains("Ada"), "{back}");
    let booking = desk.get(&back).await;
    assert!(
        booking.body.contains("value=\"Ada Okafor · 2 Nov 1990\"") && booking.body.contains("value=\"2026-11-25\"")
    );
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_appointment_is_cancelled_with_a_reason(pool: PgPool) {
    let house = House::new(pool).await;
    let mut desk = house.signed_in("Riverside", Role::Receptionist).await;
    let page = format!("/appointments/{}", house.appointment("Riverside"));
    let blank = desk.post(&format!("{page}/cancel"), &[("reason", "  ")]).await;
    assert_eq!(blank.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(blank.body.contains("Say why"));
    desk.post(&format!("{page}/cancel"), &[("reason", "The patient is away")]).await;
    let shown = desk.get(&page).await.body;
    assert!(shown.contains("The patient is away") && !shown.contains("Send link"));
}
