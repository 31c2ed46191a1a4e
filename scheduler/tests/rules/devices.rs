//! A program of the clinic lets devices into a consultation, by name.

use crate::house::House;
use domain::{Actor, ApiTokenId, AppointmentId, Random as _, Role, Who, relay::Connection, signal::ParticipantRole};
use scheduler::{
    DeviceTokenError, MAX_DEVICES, finish,
    join_tokens::{Admission, JoinToken, SigningKey, VerifyingKey, redeem},
    mint_for_device, room_participants,
};
use sqlx::PgPool;

fn program(house: &House, role: Role) -> Actor {
    Actor { clinic: house.riverside.doctor.clinic, who: Who::ApiToken { id: ApiTokenId(house.random.uuid()), role } }
}

async fn asks(
    house: &House,
    by: &Actor,
    appointment: AppointmentId,
    name: &str,
) -> Result<JoinToken, DeviceTokenError> {
    let key = SigningKey::new(&house.keys.join_token);
    mint_for_device(&house.db, &house.clock, &house.random, &key, by, (appointment, name)).await
}

async fn enters(house: &House, token: &JoinToken) -> Admission {
    let key = VerifyingKey::new(&house.keys.join_token);
    redeem(&house.db, &house.clock, &key, &token.token).await.expect("a fresh token")
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_device_has_its_name_and_takes_its_own_place_again(pool: PgPool) {
    let house = House::new(pool).await;
    let (appointment, encounter) = house.admitted().await;
    let desk = program(&house, Role::Receptionist);
    let first = enters(&house, &asks(&house, &desk, appointment, " Exam camera ").await.expect("a token")).await;
    assert_eq!((first.role, first.name.expose().as_str()), (ParticipantRole::Device, "Exam camera"));
    assert_eq!((first.encounter, first.connection), (encounter, Connection(1)));
    let again = enters(&house, &asks(&house, &desk, appointment, "Exam camera").await.expect("a token")).await;
    assert_eq!((again.participant, again.connection), (first.participant, Connection(2)));
    let other = enters(&house, &asks(&house, &desk, appointment, "Screen").await.expect("a token")).await;
    assert_ne!(other.participant, first.participant);
    let roles: Vec<_> =
        room_participants(&house.db, &desk, encounter).await.expect("the room").iter().map(|one| one.role).collect();
    let (people, devices) = roles.split_at(2);
    assert_eq!(people, [ParticipantRole::Practitioner, ParticipantRole::Patient]);
    assert_eq!(devices, [ParticipantRole::Device; 2]);
    let made = house.actions().await.into_iter().filter(|action| action == "join_token.made").count();
    assert_eq!(made, 3, "each is in the history");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_device_enters_while_the_visit_runs(pool: PgPool) {
    let house = House::new(pool).await;
    let desk = program(&house, Role::Administrator);
    let waiting = house.arrived().await;
    assert!(matches!(asks(&house, &desk, waiting, "Camera").await, Err(DeviceTokenError::NotOpen)));
    let encounter = scheduler::admit(&house.db, &house.clock, &house.random, &house.riverside.doctor, waiting).await;
    let encounter = encounter.expect("admitted");
    asks(&house, &desk, waiting, "Camera").await.expect("a token");
    finish(&house.db, &house.clock, &house.riverside.doctor, encounter).await.expect("finished");
    assert!(matches!(asks(&house, &desk, waiting, "Camera").await, Err(DeviceTokenError::NotOpen)));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn people_and_programs_of_others_let_no_device_in(pool: PgPool) {
    let house = House::new(pool).await;
    let (appointment, _) = house.admitted().await;
    let patient = house.patient(0, appointment);
    let elsewhere = Actor { clinic: house.harbour.doctor.clinic, ..program(&house, Role::Receptionist) };
    let nobodys = program(&house, Role::Practitioner);
    for by in [&house.riverside.receptionist, &patient, &elsewhere, &nobodys] {
        assert!(matches!(asks(&house, by, appointment, "Camera").await, Err(DeviceTokenError::NotFound)), "{by:?}");
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_consultation_has_few_devices_and_each_a_name(pool: PgPool) {
    let house = House::new(pool).await;
    let (appointment, _) = house.admitted().await;
    let desk = program(&house, Role::Receptionist);
    for name in ["", "   ", "two\nlines", &"x".repeat(61)] {
        assert!(matches!(asks(&house, &desk, appointment, name).await, Err(DeviceTokenError::BadName)), "{name:?}");
    }
    for number in 0..MAX_DEVICES {
        asks(&house, &desk, appointment, &format!("Camera {number}")).await.expect("a token");
    }
    assert!(matches!(asks(&house, &desk, appointment, "One more").await, Err(DeviceTokenError::TooMany)));
    asks(&house, &desk, appointment, "Camera 0").await.expect("its own place");
}
