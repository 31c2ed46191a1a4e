//! The schema is made by an owner who is not a superuser, as on a managed Postgres.

use domain::{Actor, Redacted, Role, Who};
use jiff::Timestamp;
use scheduler::demo::demo;
use service::{
    clock::ManualClock,
    postgres::{Db, migrate, pending_migrations},
    random::SeededRandom,
};
use sqlx::{Connection as _, PgConnection, PgPool};

#[sqlx::test(migrations = false)]
async fn an_ordinary_owner_migrates_and_the_doors_work(pool: PgPool) {
    let options = pool.connect_options();
    let name: String = sqlx::query_scalar("select current_database()").fetch_one(&pool).await.expect("a name");
    let owner = format!("owner_of_{name}").chars().take(60).collect::<String>();
    // The role belongs to the cluster: on a new one this owner makes it, elsewhere it is there and is granted.
    let is_there: bool = sqlx::query_scalar("select exists (select from pg_roles where rolname = 'bedside_app')")
        .fetch_one(&pool)
        .await
        .expect("an answer");
    let grant = is_there.then(|| format!("grant bedside_app to \"{owner}\""));
    // A run that failed left it behind.
    let leftover = format!("drop role if exists \"{owner}\"");
    let role = format!("create role \"{owner}\" login createrole password 'secret'");
    let owns = format!("alter database \"{name}\" owner to \"{owner}\"");
    for sql in [leftover, role, owns].into_iter().chain(grant) {
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&pool).await.expect("an owner");
    }
    let socket = options.get_socket().map(|folder| format!("?host={}", folder.display())).unwrap_or_default();
    let (host, port) = (options.get_host(), options.get_port());
    let url = Redacted::new(format!("postgres://{owner}:secret@{host}:{port}/{name}{socket}"));
    assert_ne!(pending_migrations(&url).await.expect("a count"), 0);
    migrate(&url).await.expect("migrations");
    migrate(&url).await.expect("nothing to do");
    assert_eq!(pending_migrations(&url).await.expect("a count"), 0);

    let db = Db::connect(&url, 3).await.expect("a connection");
    let clock = ManualClock::at("2026-11-24T13:10:00Z".parse::<Timestamp>().expect("a timestamp"));
    let made = demo(&db, &clock, &SeededRandom::new(1), &|_| "hash".to_owned()).await.expect("a demo");
    assert_eq!(made.visits.len(), 9);
    doors_work(&db, &made.accounts[0].email).await;
    db.close().await;

    let mut connection = PgConnection::connect(url.expose()).await.expect("a connection");
    let seen: i64 =
        sqlx::query_scalar("select count(*) from patients").fetch_one(&mut connection).await.expect("a count");
    assert_eq!(seen, 0, "the wall stands before the owner too");
    connection.close().await.expect("closed");
    let sql = format!("alter database \"{name}\" owner to current_user");
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&pool).await.expect("an owner");
    for sql in [format!("drop owned by \"{owner}\" cascade"), format!("drop role \"{owner}\"")] {
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&pool).await.expect("cleaned up");
    }
}

async fn doors_work(db: &Db, email: &str) {
    let mut tx = db.anonymous().await.expect("a transaction");
    let (clinic, account): (uuid::Uuid, uuid::Uuid) =
        sqlx::query_as("select clinic_id, account_id from find_account($1)")
            .bind(email.to_uppercase())
            .fetch_one(&mut *tx)
            .await
            .expect("an account");
    let attempts: i64 =
        sqlx::query_scalar("select note_sign_in_attempt(sha256('a'), now(), now() - interval '1 hour')")
            .fetch_one(&mut *tx)
            .await
            .expect("a count");
    assert_eq!(attempts, 1);
    drop(tx);
    let who = Who::Account { id: domain::AccountId(account), role: Role::Receptionist };
    let by = Actor { clinic: domain::ClinicId(clinic), who };
    let check = scheduler::verify_history(db, &by).await.expect("a check");
    assert!(check.events > 0 && check.broken_at.is_none());
}
