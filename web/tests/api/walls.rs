//! Who may see and do what.

use crate::house::House;
use axum::http::StatusCode;
use domain::Role;
use serde_json::{Value, json};
use sqlx::PgPool;

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn another_clinics_token_sees_nothing_of_this_one(pool: PgPool) {
    let house = House::new(pool).await;
    let (desk, other) = (house.desk(), house.program("Harbour", Role::Administrator));
    let booked = desk.books(0).await;
    let patient = booked.body["patient_id"].as_str().expect("an id");
    let practitioner = booked.body["practitioner_id"].as_str().expect("an id");
    let path = booked.header("location");
    for one in [path, &format!("/api/v1/patients/{patient}"), &format!("/api/v1/practitioners/{practitioner}")] {
        assert_eq!(other.get(one).await.refusal(), (404, "not-found"), "{one}");
    }
    let reason = json!({ "reason": "mischief" });
    assert_eq!(other.post(&format!("{path}/cancel"), reason).await.refusal(), (404, "not-found"));
    assert_eq!(other.post(&format!("{path}/arrive"), json!({})).await.refusal(), (404, "not-found"));
    let moving = json!({ "start": "2026-11-27T10:00:00Z", "reason": "mischief" });
    assert_eq!(other.post(&format!("{path}/reschedule"), moving).await.refusal(), (404, "not-found"));
    let found = other.post("/api/v1/patients/search", json!({ "text": "santos" })).await;
    assert!(found.items().is_empty());
    for list in [format!("appointments?patient_id={patient}"), format!("appointments?practitioner_id={practitioner}")] {
        assert!(other.get(&format!("/api/v1/{list}")).await.items().is_empty(), "{list}");
    }
    let ours: Vec<Value> = desk.get("/api/v1/events?limit=200").await.items().to_vec();
    let theirs = other.get("/api/v1/events?limit=200").await;
    assert!(theirs.items().iter().all(|event| !ours.contains(event)));
    let mut wish = other.wish(0).await;
    wish["patient_id"] = json!(patient);
    assert_eq!(other.post("/api/v1/appointments", wish).await.refusal(), (422, "no-such-patient"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn each_role_may_do_what_its_people_may(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = house.desk();
    let booked = desk.books(0).await;
    let path = booked.header("location").to_owned();
    let patient = format!("/api/v1/patients/{}", booked.body["patient_id"].as_str().expect("an id"));
    let roles = [Role::Receptionist, Role::Practitioner, Role::Administrator];
    let reads: [(&str, [bool; 3]); 10] = [
        ("/api/v1/clinic", [true, true, true]),
        ("/api/v1/practitioners", [true, true, true]),
        ("/api/v1/visit-types", [true, true, true]),
        ("/api/v1/resources", [true, true, true]),
        ("/api/v1/appointments", [true, true, true]),
        ("/api/v1/events", [true, true, true]),
        ("/api/v1/patients", [true, false, true]),
        (&patient, [true, false, true]),
        ("/api/v1/webhooks", [false, false, true]),
        ("/api/v1/webhooks/5b6fd1f3-6d0f-4f6e-9f0e-3d7c0f1f2a4b/deliveries", [false, false, true]),
    ];
    for (read, may) in reads {
        for (role, may) in roles.into_iter().zip(may) {
            let answer = house.program("Riverside", role).get(read).await;
            assert_eq!(answer.status != StatusCode::FORBIDDEN, may, "{role:?} reads {read}");
        }
    }
    let doctor = house.program("Riverside", Role::Practitioner);
    for action in ["patients", "patients/search", "appointments", "series", "walk-ins", "holds", "webhooks"] {
        let answer = doctor.post(&format!("/api/v1/{action}"), json!({})).await;
        assert_eq!(answer.refusal(), (403, "forbidden"), "{action}");
    }
    for action in ["arrive", "cancel", "reschedule"] {
        let answer = doctor.post(&format!("{path}/{action}"), json!({})).await;
        assert_eq!(answer.refusal(), (403, "forbidden"), "{action}");
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_practitioners_program_sees_the_practitioners_own_appointments(pool: PgPool) {
    let house = House::new(pool).await;
    let (desk, doctor) = (house.desk(), house.program("Riverside", Role::Practitioner));
    let all = desk.get("/api/v1/appointments?limit=200").await;
    let own = doctor.get("/api/v1/appointments?limit=200").await;
    let me = own.items()[0]["practitioner_id"].clone();
    assert!(own.items().iter().all(|one| one["practitioner_id"] == me));
    let foreign = all.items().iter().find(|one| one["practitioner_id"] != me).expect("a colleague's");
    let path = format!("/api/v1/appointments/{}", foreign["id"].as_str().expect("an id"));
    assert_eq!(doctor.get(&path).await.refusal(), (404, "not-found"));
    let colleague = foreign["practitioner_id"].as_str().expect("an id");
    let asked = doctor.get(&format!("/api/v1/appointments?practitioner_id={colleague}")).await;
    assert_eq!(asked.refusal(), (403, "forbidden"));
    let told = doctor.get("/api/v1/events?limit=200").await;
    assert!(told.items().iter().all(|event| event["data"]["practitioner_id"] == me));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn opening_a_patient_or_an_appointment_is_told_in_the_history(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = house.desk();
    let booked = desk.books(0).await;
    desk.get(booked.header("location")).await;
    desk.get(&format!("/api/v1/patients/{}", booked.body["patient_id"].as_str().expect("an id"))).await;
    for (action, times) in [("appointment.booked", 1), ("appointment.read", 1), ("patient.read", 1)] {
        let told: i64 = sqlx::query_scalar(
            "select count(*) from audit_events where actor_kind = 'api_token' and actor_role = 'receptionist' and action = $1",
        )
        .bind(action)
        .fetch_one(&house.superuser)
        .await
        .expect("a count");
        assert_eq!(told, times, "{action}");
    }
    assert!(house.count("select count(*) from audit_events where action = 'patients.listed'").await > 0);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_programs_are_told_names_nobody(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = house.desk();
    desk.books(0).await;
    let told = desk.get("/api/v1/events?limit=200").await.body.to_string();
    for patient in desk.get("/api/v1/patients?limit=200").await.items() {
        for field in ["name", "phone", "email", "birth_date"] {
            let words = patient[field].as_str().expect("the demo's patients are complete");
            assert!(!told.contains(words), "{words}");
        }
    }
}
