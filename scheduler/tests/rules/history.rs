//! The history cannot be quietly changed.

use crate::house::{House, at};
use service::audit::{self, AuditEvent};
use sqlx::PgPool;

async fn broken_at(house: &House) -> Option<i64> {
    scheduler::verify_history(&house.db, &house.riverside.receptionist).await.expect("a read").broken_at
}

/// Does something to the table that only a superuser who switches the guards off can do.
async fn tamper(house: &House, sql: &'static str) {
    let mut connection = house.superuser.acquire().await.expect("a connection");
    sqlx::query("set session_replication_role = replica").execute(&mut *connection).await.expect("guards off");
    sqlx::query(sql).bind(house.riverside.id.0).execute(&mut *connection).await.expect("a change");
    sqlx::query("set session_replication_role = origin").execute(&mut *connection).await.expect("guards on");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_history_of_a_visit_is_whole(pool: PgPool) {
    let house = House::new(pool).await;
    house.admitted().await;
    let check = scheduler::verify_history(&house.db, &house.riverside.receptionist).await.expect("a read");
    assert_eq!((check.events, check.broken_at, check.newest_digest.len()), (6, None, 64));
    let events = scheduler::history(&house.db, &house.riverside.receptionist, None).await.expect("a read");
    assert_eq!(events[0].phrase, "admitted the patient");
    assert_eq!((events[0].actor.as_str(), events[0].role.as_str()), ("one@riverside.example", "practitioner"));
    assert_eq!(events[0].patient_name.as_deref(), Some("Maria Santos"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_changed_event_is_found(pool: PgPool) {
    let house = House::new(pool).await;
    house.admitted().await;
    tamper(&house, "update audit_events set actor_id = gen_random_uuid() where clinic_id = $1 and sequence = 4").await;
    assert_eq!(broken_at(&house).await, Some(4));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_change_of_anything_an_event_says_is_found(pool: PgPool) {
    let house = House::new(pool).await;
    house.admitted().await;
    let changes = [
        ("action", "'nothing'"),
        ("actor_id", "gen_random_uuid()"),
        ("actor_kind", "'service'"),
        ("actor_role", "'administrator'"),
        ("appointment_id", "gen_random_uuid()"),
        ("at", "at + interval '1 microsecond'"),
        ("detail", "'{\"a\": 1}'"),
        ("encounter_id", "gen_random_uuid()"),
        ("patient_id", "gen_random_uuid()"),
    ];
    for (column, value) in changes {
        let mut tx = house.superuser.begin().await.expect("a transaction");
        sqlx::query("set local session_replication_role = replica").execute(&mut *tx).await.expect("guards off");
        let clinic = house.riverside.id.0;
        let act = sqlx::query("select set_config('bedside.clinic_id', $1, true)").bind(clinic.to_string());
        act.execute(&mut *tx).await.expect("a setting");
        let sql = format!("update audit_events set {column} = {value} where clinic_id = $1 and sequence = 4");
        let changed = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(clinic).execute(&mut *tx).await.expect("a change");
        assert_eq!(changed.rows_affected(), 1, "{column}");
        let broken_at = sqlx::query_scalar("select broken_at from verify_audit_events()");
        let broken_at: Option<i64> = broken_at.fetch_one(&mut *tx).await.expect("a read");
        assert_eq!(broken_at, Some(4), "{column}");
    }
    let columns: Vec<String> = sqlx::query_scalar(
        "select column_name::text from information_schema.columns
         where table_name = 'audit_events'
           and column_name not in ('clinic_id', 'sequence', 'previous_digest', 'digest')
         order by 1",
    )
    .fetch_all(&house.superuser)
    .await
    .expect("columns");
    assert_eq!(columns, changes.map(|(column, _)| column), "a new column is covered too");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_event_whose_digest_was_recomputed_is_found(pool: PgPool) {
    let house = House::new(pool).await;
    house.admitted().await;
    tamper(&house, "update audit_events set action = 'nothing' where clinic_id = $1 and sequence = 4").await;
    let again = "update audit_events e set digest = audit_digest(e) where clinic_id = $1 and sequence = 4";
    tamper(&house, again).await;
    assert_eq!(broken_at(&house).await, Some(5));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_removed_event_is_found(pool: PgPool) {
    let house = House::new(pool).await;
    house.admitted().await;
    tamper(&house, "delete from audit_events where clinic_id = $1 and sequence = 2").await;
    assert_eq!(broken_at(&house).await, Some(3));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_removed_newest_event_is_found(pool: PgPool) {
    let house = House::new(pool).await;
    house.admitted().await;
    tamper(&house, "delete from audit_events where clinic_id = $1 and sequence = 6").await;
    assert_eq!(broken_at(&house).await, Some(6));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn nobody_changes_an_event_not_even_the_owner(pool: PgPool) {
    let house = House::new(pool).await;
    house.arrived().await;
    for sql in ["update audit_events set action = 'x'", "delete from audit_events", "truncate audit_events"] {
        let refused = sqlx::query(sql).execute(&house.superuser).await.expect_err("a refusal");
        assert!(refused.to_string().contains("only ever added to"), "{refused}");
        let mut tx = house.db.begin(&house.riverside.receptionist).await.expect("a transaction");
        let refused = sqlx::query(sql).execute(&mut *tx).await.expect_err("a refusal");
        assert!(refused.to_string().contains("permission denied"), "{refused}");
    }
    let mut tx = house.db.begin(&house.riverside.receptionist).await.expect("a transaction");
    let refused = sqlx::query("update audit_heads set sequence = 0").execute(&mut *tx).await.expect_err("a refusal");
    assert!(refused.to_string().contains("permission denied"), "{refused}");
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_event_is_gone_when_its_transaction_fails(pool: PgPool) {
    let house = House::new(pool).await;
    let before = house.actions().await;
    let by = &house.riverside.receptionist;
    let mut tx = house.db.begin(by).await.expect("a transaction");
    audit::record(&mut tx, by, AuditEvent::new("patient.read")).await.expect("an event");
    sqlx::query("select 1 / 0").execute(&mut *tx).await.expect_err("a failure");
    drop(tx);
    assert_eq!(house.actions().await, before);

    house.book(0, at("10:00")).await.expect("a free slot");
    let booked = house.actions().await;
    house.book(1, at("10:00")).await.expect_err("taken");
    assert_eq!(house.actions().await, booked);
    assert_eq!(broken_at(&house).await, None);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn when_the_event_cannot_be_written_nothing_happens(pool: PgPool) {
    let house = House::new(pool).await;
    sqlx::query("revoke insert on audit_events from bedside_app").execute(&house.superuser).await.expect("revoked");
    house.book(0, at("10:00")).await.expect_err("no event, no booking");
    let booked: i64 =
        sqlx::query_scalar("select count(*) from appointments").fetch_one(&house.superuser).await.expect("a count");
    assert_eq!(booked, 0);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn opening_an_appointment_or_a_patient_leaves_an_event(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.book(0, at("10:00")).await.expect("a free slot");
    let by = &house.riverside.receptionist;
    scheduler::appointment(&house.db, by, id).await.expect("a read").expect("an appointment");
    scheduler::patient(&house.db, by, house.riverside.patients[0]).await.expect("a read").expect("a patient");
    scheduler::history(&house.db, by, None).await.expect("a read");
    let events = house.actions().await.split_off(4);
    assert_eq!(events, ["appointment.read", "patient.read", "history.read"]);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn an_event_of_another_clinic_cannot_be_written(pool: PgPool) {
    let house = House::new(pool).await;
    let mut tx = house.db.begin(&house.riverside.receptionist).await.expect("a transaction");
    audit::record(&mut tx, &house.harbour.receptionist, AuditEvent::new("patient.read")).await.expect_err("a wall");
}
