//! Join tokens for cameras and screens.

use crate::house::House;
use axum::http::StatusCode;
use domain::Role;
use serde_json::json;
use sqlx::PgPool;

/// The first appointment of the day, whose visit runs.
async fn running(house: &House) -> String {
    let begun = "with appointment as (
            update appointments set state = 'fulfilled'
            where id = (select a.id from appointments a join clinics c on c.id = a.clinic_id
                where c.name like 'Riverside%' and a.state = 'booked' order by a.starts_at limit 1)
            returning clinic_id, id)
        insert into encounters (clinic_id, id, appointment_id, state, started_at, room_id)
        select clinic_id, gen_random_uuid(), id, 'in_progress', now(), gen_random_uuid() from appointment
        returning appointment_id::text";
    sqlx::query_scalar(begun).fetch_one(&house.superuser).await.expect("a visit begins")
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_desks_program_lets_a_camera_in(pool: PgPool) {
    let house = House::new(pool).await;
    let path = format!("/api/v1/appointments/{}/join-tokens", running(&house).await);
    let made = house.desk().post(&path, json!({ "role": "device", "name": "Exam camera" })).await;
    assert_eq!((made.status, made.header("cache-control")), (StatusCode::CREATED, "no-store"), "{made:?}");
    assert_eq!(made.body["whip"], "http://signal.example:9000/whip");
    assert_eq!(made.body["whep"], "http://signal.example:9000/whep");
    assert_eq!(made.body["expires_at"], "2026-11-24T13:11:00Z");
    assert_eq!(made.body["token"].as_str().map(|token| token.split('.').count()), Some(3));
    let again = house.desk().post(&path, json!({ "role": "device" })).await;
    assert_eq!(again.status, StatusCode::CREATED);
    let names = "select count(*) from participants where role = 'device' and device_name in ('Exam camera', 'Device')";
    assert_eq!(house.count(names).await, 2);
    let told = "select count(*) from audit_events where action = 'join_token.made' and actor_kind = 'api_token'";
    assert_eq!(house.count(told).await, 2);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn who_may_not_or_asks_for_too_much_is_told_so(pool: PgPool) {
    let house = House::new(pool).await;
    let path = format!("/api/v1/appointments/{}/join-tokens", running(&house).await);
    let device = |name: &str| json!({ "role": "device", "name": name });
    assert_eq!(house.stranger().post(&path, device("Camera")).await.refusal(), (401, "token-missing"));
    let elsewhere = house.program("Harbour", Role::Receptionist);
    assert_eq!(elsewhere.post(&path, device("Camera")).await.refusal(), (404, "not-found"));
    let refused = house.desk().post(&path, device("")).await;
    assert_eq!((refused.refusal(), refused.fields()), ((422, "invalid"), vec!["name"]));
    let refused = house.desk().post(&path, json!({ "role": "patient" })).await;
    assert_eq!((refused.refusal(), refused.fields()), ((422, "invalid"), vec!["role"]));
    for name in ["One", "Two", "Three"] {
        assert_eq!(house.desk().post(&path, device(name)).await.status, StatusCode::CREATED);
    }
    assert_eq!(house.desk().post(&path, device("Four")).await.refusal(), (409, "too-many"));
    let booked = house.desk().books(0).await;
    let path = format!("{}/join-tokens", booked.header("location"));
    assert_eq!(house.desk().post(&path, device("Camera")).await.refusal(), (409, "wrong-state"));
}
