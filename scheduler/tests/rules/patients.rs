//! Patients are found while the receptionist types, and added.

use crate::house::House;
use scheduler::{AddPatientError, NewPatient};
use sqlx::PgPool;

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_patient_is_found_by_name_date_of_birth_or_phone(pool: PgPool) {
    let house = House::new(pool).await;
    let find = async |query: &str| -> Vec<String> {
        let found = scheduler::find_patients(&house.db, &house.riverside.receptionist, query).await;
        found.expect("a search").into_iter().map(|patient| patient.name).collect()
    };
    assert_eq!(find("san mar").await, ["Maria Santos"]);
    assert_eq!(find("tomas").await, ["Tomás Rey"]);
    assert_eq!(find("14.3.1961 grace").await, ["Grace Obi"]);
    assert_eq!(find("1961-03-14").await.len(), 3);
    assert_eq!(find("7946 0211 obi").await, ["Grace Obi"]);
    assert_eq!(find("santos 1961").await, ["Maria Santos"]);
    assert_eq!(find("14 Mar 1961").await.len(), 3);
    for nobody in ["aria", "%", "", "15.3.1961", "x' or true --"] {
        assert_eq!(find(nobody).await, Vec::<String>::new(), "{nobody}");
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_is_wrong_with_a_new_patient_is_said_field_by_field(pool: PgPool) {
    let house = House::new(pool).await;
    let new = NewPatient {
        name: "  ".to_owned(),
        birth_date: "2030-01-01".to_owned(),
        phone: "call me".to_owned(),
        email: "nowhere".to_owned(),
    };
    let by = &house.riverside.receptionist;
    let refused = scheduler::add_patient(&house.db, &house.clock, &house.random, by, new).await;
    let Err(AddPatientError::Fields(errors)) = refused else { panic!("{refused:?}") };
    assert!(errors.name.is_some() && errors.phone.is_some() && errors.email.is_some());
    assert_eq!(errors.birth_date, Some("The date of birth lies in the future."));
}
