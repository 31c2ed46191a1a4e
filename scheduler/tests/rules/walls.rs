//! The wall between clinics: in the use-cases, and below them in Postgres.

use crate::house::{House, at};
use sqlx::{PgPool, Row as _};

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn another_clinics_receptionist_finds_nothing(pool: PgPool) {
    let house = House::new(pool).await;
    let id = house.arrived().await;
    let stranger = &house.harbour.receptionist;
    assert!(scheduler::appointment(&house.db, stranger, id).await.expect("a read").is_none());
    assert!(scheduler::patient(&house.db, stranger, house.riverside.patients[0]).await.expect("a read").is_none());
    let day = scheduler::day(&house.db, stranger, jiff::civil::date(2026, 11, 24), None).await.expect("a read");
    assert!(day.is_empty());
    let found = scheduler::find_patients(&house.db, stranger, "santos").await.expect("a read");
    assert!(found.iter().all(|patient| house.harbour.patients.contains(&patient.id)));
    assert!(scheduler::history(&house.db, stranger, Some(id)).await.expect("a read").is_empty());
    let check = scheduler::verify_history(&house.db, stranger).await.expect("a read");
    assert_eq!(check.events, 3, "their own three patients");
}

/// Every table with rows of a clinic.
async fn tables(pool: &PgPool) -> Vec<(String, bool, bool)> {
    sqlx::query(
        "select c.relname::text, c.relrowsecurity, c.relforcerowsecurity
         from pg_class c
         join pg_attribute a on a.attrelid = c.oid and a.attname = 'clinic_id'
         where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace",
    )
    .fetch_all(pool)
    .await
    .expect("tables")
    .iter()
    .map(|row| (row.get(0), row.get(1), row.get(2)))
    .collect()
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn every_table_belongs_to_clinics_and_is_walled_off(pool: PgPool) {
    let walled = tables(&pool).await;
    for (table, is_enabled, is_forced) in &walled {
        assert!(is_enabled & is_forced, "{table}");
    }
    let all: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace",
    )
    .fetch_all(&pool)
    .await
    .expect("tables");
    let mut others: Vec<_> = all.iter().filter(|table| !walled.iter().any(|(name, ..)| name == *table)).collect();
    others.sort();
    assert_eq!(others, ["_sqlx_migrations", "clinics", "sign_in_attempts"]);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn the_services_role_cannot_pass_the_wall(pool: PgPool) {
    let row = sqlx::query(
        "select rolsuper, rolbypassrls, rolcanlogin,
                exists (select from pg_class where relowner = pg_roles.oid)
         from pg_roles where rolname = 'bedside_app'",
    )
    .fetch_one(&pool)
    .await
    .expect("the role");
    for column in 0..4 {
        assert!(!row.get::<bool, _>(column), "{column}");
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_query_that_forgets_the_clinic_sees_its_own_rows_only(pool: PgPool) {
    let house = House::new(pool).await;
    let (appointment, _) = house.admitted().await;
    let visitor = house.patient(0, appointment);
    scheduler::visit_sessions::start(&house.db, &house.clock, &house.random, &visitor).await.expect("a session");
    for (table, ..) in tables(&house.superuser).await {
        if table == "audit_heads" {
            continue;
        }
        let sql = format!("select count(*) from {table} where clinic_id = '{}'", house.riverside.id);
        let count = async |tx: &mut sqlx::PgConnection| -> i64 {
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql.clone())).fetch_one(tx).await.expect("a count")
        };
        let mut stranger = house.db.begin(&house.harbour.receptionist).await.expect("a transaction");
        assert_eq!(count(&mut stranger).await, 0, "{table} from the other clinic");
        let mut nobody = house.db.anonymous().await.expect("a transaction");
        assert_eq!(count(&mut nobody).await, 0, "{table} from nobody");
    }
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_clinic_sees_and_changes_itself_alone(pool: PgPool) {
    let house = House::new(pool).await;
    let mut tx = house.db.begin(&house.riverside.receptionist).await.expect("a transaction");
    let seen: Vec<uuid::Uuid> = sqlx::query_scalar("select id from clinics").fetch_all(&mut *tx).await.expect("a read");
    assert_eq!(seen, [house.riverside.id.0]);
    let theirs = sqlx::query("update clinics set phone = '2' where id = $1").bind(house.harbour.id.0);
    assert_eq!(theirs.execute(&mut *tx).await.expect("an update of nothing").rows_affected(), 0);
    let third = "insert into clinics (id, name, time_zone, phone) values (gen_random_uuid(), 'Third', 'UTC', '3')";
    let refused = sqlx::query(third).execute(&mut *tx).await.expect_err("a refusal");
    assert!(refused.to_string().contains("row-level security"), "{refused}");

    let mut nobody = house.db.anonymous().await.expect("a transaction");
    let seen: i64 = sqlx::query_scalar("select count(*) from clinics").fetch_one(&mut *nobody).await.expect("a count");
    assert_eq!(seen, 0);
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_row_cannot_be_written_or_moved_into_another_clinic(pool: PgPool) {
    let house = House::new(pool).await;
    house.book(0, at("10:00")).await.expect("a free slot");
    let refused = async |sql: &'static str| {
        let mut tx = house.db.begin(&house.riverside.receptionist).await.expect("a transaction");
        let result = sqlx::query(sql).bind(house.harbour.id.0).execute(&mut *tx).await;
        result.expect_err("a refusal").to_string()
    };
    let insert = "insert into practitioners values ($1, gen_random_uuid(), 'Dr', 'A', 'B', 'C')";
    assert!(refused(insert).await.contains("row-level security"));
    assert!(refused("update appointments set clinic_id = $1").await.contains("row-level security"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn a_row_cannot_point_through_the_wall(pool: PgPool) {
    let house = House::new(pool).await;
    let mut tx = house.db.begin(&house.riverside.receptionist).await.expect("a transaction");
    let refused = sqlx::query(
        "insert into appointments (clinic_id, id, patient_id, practitioner_id, state, visit_type_id, starts_at, ends_at, wall_time, time_zone,
                                   booked_at)
         values ($1, gen_random_uuid(), $2, $3, 'booked', $4, now(), now() + interval '1 hour', now(), 'UTC', now())",
    )
    .bind(house.riverside.id.0)
    .bind(house.harbour.patients[0].0)
    .bind(house.riverside.practitioner.0)
    .bind(house.riverside.consultation.0)
    .execute(&mut *tx)
    .await
    .expect_err("a refusal");
    assert_eq!(service::postgres::refused_by(&refused), Some("appointments_patient_fkey"));
}

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_a_transaction_acts_for_ends_with_it(pool: PgPool) {
    let house = House::new(pool).await;
    // One connection, so that the next transaction is sure to get the one that was used.
    let db = service::postgres::Db::over((*house.superuser.connect_options()).clone(), 1);
    db.begin(&house.riverside.receptionist).await.expect("a transaction").commit().await.expect("a commit");
    let mut tx = db.anonymous().await.expect("a transaction");
    let seen: i64 = sqlx::query_scalar("select count(*) from patients").fetch_one(&mut *tx).await.expect("a count");
    assert_eq!(seen, 0);
}
