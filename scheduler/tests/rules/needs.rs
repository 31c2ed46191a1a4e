//! A visit that needs an interpreter, a room or a device has them all, or is not booked.

use crate::house::{House, at, resource};
use domain::{AppointmentId, PatientId, ResourceId};
use scheduler::{BookError, BookRequest, Needs, ResourceKind};
use sqlx::PgPool;

fn between(one: &str, other: &str) -> Needs {
    Needs { interpreter: Some((one.to_owned(), other.to_owned())), ..Needs::default() }
}

/// Two interpreters of Portuguese, of whom Ana comes first, a room and a device.
async fn furnish(house: &House) -> [ResourceId; 4] {
    let (pool, clinic) = (&house.superuser, house.riverside.id);
    [
        resource(pool, clinic, "interpreter", "Bento", &["en", "pt", "es"]).await,
        resource(pool, clinic, "interpreter", "Ana", &["pt", "en"]).await,
        resource(pool, clinic, "room", "Video room", &[]).await,
        resource(pool, clinic, "device", "Dermatoscope", &[]).await,
    ]
}

/// A visit with the colleague, so that only what is needed besides can be in the way.
async fn with_colleague(house: &House, patient: PatientId, needs: Needs) -> Result<AppointmentId, BookError> {
    let clinic = &house.riverside;
    let request = BookRequest::new(patient, clinic.colleague_practitioner, clinic.consultation, at("10:00"));
    house.send(BookRequest { needs, ..request }).await
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn everything_that_is_needed_is_reserved_and_shown(pool: PgPool) {
    let house = House::new(pool).await;
    let [_, ana, room, device] = furnish(&house).await;
    let needs = Needs { room: Some(room), device: Some(device), ..between("EN", " pt ") };
    let id = house.send(BookRequest { needs, ..house.request(0, at("10:00")) }).await.expect("all is free");
    let resources = house.view(id).await.resources;
    let reserved: Vec<_> = resources.iter().map(|one| (one.kind, one.id)).collect();
    let expected = [(ResourceKind::Device, device), (ResourceKind::Interpreter, ana), (ResourceKind::Room, room)];
    assert_eq!(reserved, expected);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_first_interpreter_who_is_free_comes_until_none_is(pool: PgPool) {
    let house = House::new(pool).await;
    let [bento, ana, ..] = furnish(&house).await;
    let comes = async |id| house.view(id).await.resources[0].id;
    let needs = between("pt", "en");
    let first = house.send(BookRequest { needs: needs.clone(), ..house.request(0, at("10:00")) }).await;
    assert_eq!(comes(first.expect("both are free")).await, ana);
    let second = with_colleague(&house, house.riverside.patients[1], needs.clone()).await;
    assert_eq!(comes(second.expect("one is free")).await, bento);
    let spanish = BookRequest { needs: between("es", "en"), ..house.request(2, at("10:30")) };
    assert_eq!(comes(house.send(spanish).await.expect("half an hour later")).await, bento);

    let request = BookRequest { overbook: Some("Urgent".to_owned()), needs, ..house.request(2, at("10:00")) };
    assert!(matches!(house.send(request.clone()).await, Err(BookError::NoInterpreterFree)));
    let nobody = BookRequest { needs: between("en", "vi"), ..request };
    assert!(matches!(house.send(nobody).await, Err(BookError::NoInterpreterFree)));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_room_or_device_is_in_one_visit_at_a_time_and_a_refusal_leaves_nothing(pool: PgPool) {
    let house = House::new(pool).await;
    let [ana, _, room, device] = furnish(&house).await;
    let needs = Needs { room: Some(room), device: Some(device), ..Needs::default() };
    house.send(BookRequest { needs, ..house.request(0, at("10:00")) }).await.expect("all is free");
    let count = "select count(*) from reservations";
    let before: i64 = sqlx::query_scalar(count).fetch_one(&house.superuser).await.expect("a count");

    let patient = house.riverside.patients[1];
    let taken = with_colleague(&house, patient, Needs { room: Some(room), ..Needs::default() }).await;
    assert!(matches!(taken, Err(BookError::RoomTaken)), "{taken:?}");
    let taken = with_colleague(&house, patient, Needs { device: Some(device), ..Needs::default() }).await;
    assert!(matches!(taken, Err(BookError::DeviceTaken)), "{taken:?}");
    let no_room = with_colleague(&house, patient, Needs { room: Some(ana), ..Needs::default() }).await;
    assert!(matches!(no_room, Err(BookError::NoSuchResource)), "{no_room:?}");
    let after: i64 = sqlx::query_scalar(count).fetch_one(&house.superuser).await.expect("a count");
    assert_eq!(before, after);
    with_colleague(&house, patient, Needs::default()).await.expect("the practitioner and the patient are free");
}
