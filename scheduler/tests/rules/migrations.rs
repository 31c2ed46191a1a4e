//! The schema is made by an owner who is not a superuser, as on a managed Postgres.

use domain::{Actor, Redacted, Role, Who};
use jiff::Timestamp;
use scheduler::demo::demo;
use service::{
    clock::ManualClock,
    postgres::{Db, MIGRATOR, migrate, pending_migrations},
    random::SeededRandom,
};
use sqlx::{Connection as _, PgConnection, PgPool};

#[sqlx::test(migrations = false)]
async fn an_ordinary_owner_migrates_and_the_doors_work(pool: PgPool) {
    let owner = Owner::of(&pool).await;
    assert_ne!(pending_migrations(&owner.url).await.expect("a count"), 0);
    migrate(&owner.url).await.expect("migrations");
    migrate(&owner.url).await.expect("nothing to do");
    assert_eq!(pending_migrations(&owner.url).await.expect("a count"), 0);

    let db = Db::connect(&owner.url, 3).await.expect("a connection");
    let clock = ManualClock::at("2026-11-24T13:10:00Z".parse::<Timestamp>().expect("a timestamp"));
    let made = demo(&db, &clock, &SeededRandom::new(1), &|_| "hash".to_owned(), "Europe/London").await.expect("a demo");
    assert_eq!(made.visits.len(), 9);
    doors_work(&db, &made.accounts[0].email).await;
    db.close().await;

    let mut connection = PgConnection::connect(owner.url.expose()).await.expect("a connection");
    let seen: i64 =
        sqlx::query_scalar("select count(*) from patients").fetch_one(&mut connection).await.expect("a count");
    assert_eq!(seen, 0, "the wall stands before the owner too");
    connection.close().await.expect("closed");
    owner.leaves(&pool).await;
}

/// What the first release kept, written as its superuser.
const FIRST_RELEASE: &str = "
    insert into clinics (id, name, time_zone, phone) values (gen_random_uuid(), 'Old', 'Asia/Kolkata', '1');
    insert into practitioners select id, gen_random_uuid(), 'Dr', 'Ann', 'One', 'GP' from clinics;
    insert into schedules select clinic_id, gen_random_uuid(), id, 1, 540, 600, 30 from practitioners;
    insert into patients (clinic_id, id, name, birth_date, name_key, added_at)
        select id, gen_random_uuid(), 'Maria', '1961-03-14', ' maria', now() from clinics;
    insert into appointments (clinic_id, id, patient_id, practitioner_id, state, starts_at, ends_at, wall_time, cancel_reason,
                              booked_at)
        select p.clinic_id, gen_random_uuid(), p.id, d.id, state, now(), now() + interval '1 hour', now(),
               case when state = 'cancelled' then 'Away.' end, now()
        from patients p, practitioners d, unnest('{booked,cancelled,noshow}'::text[]) state";

/// State, type of visit, zone, who cancelled, who was absent.
type Kept = (String, String, String, Option<String>, Option<String>);

#[sqlx::test(migrations = false)]
async fn an_ordinary_owner_fills_in_what_the_first_release_did_not_know(pool: PgPool) {
    let owner = Owner::of(&pool).await;
    let mut connection = PgConnection::connect(owner.url.expose()).await.expect("a connection");
    for migration in MIGRATOR.iter().filter(|migration| migration.version <= 10) {
        sqlx::raw_sql(migration.sql.clone()).execute(&mut connection).await.expect("the schema of the first release");
    }
    sqlx::raw_sql(FIRST_RELEASE).execute(&pool).await.expect("a clinic");
    for migration in MIGRATOR.iter().filter(|migration| migration.version > 10) {
        sqlx::raw_sql(migration.sql.clone()).execute(&mut connection).await.expect("the schema of today");
    }
    connection.close().await.expect("closed");
    let kept: Vec<Kept> = sqlx::query_as(
        "select a.state, t.name, a.time_zone, a.cancelled_by, a.absent
         from appointments a
         join practitioner_visit_types o on o.practitioner_id = a.practitioner_id and o.visit_type_id = a.visit_type_id
         join visit_types t on t.id = o.visit_type_id
         join schedules s on s.practitioner_id = a.practitioner_id and s.time_zone = a.time_zone
         order by a.state",
    )
    .fetch_all(&pool)
    .await
    .expect("appointments");
    let row = |state: &str, cancelled_by: Option<&str>, absent: Option<&str>| {
        let text = |word: Option<&str>| word.map(str::to_owned);
        (state.to_owned(), "Consultation".to_owned(), "Asia/Kolkata".to_owned(), text(cancelled_by), text(absent))
    };
    let booked = row("booked", None, None);
    assert_eq!(kept, [booked, row("cancelled", Some("clinic"), None), row("noshow", None, Some("patient"))]);
    let sql = "select count(*) from pg_class where relrowsecurity and not relforcerowsecurity";
    let open: i64 = sqlx::query_scalar(sql).fetch_one(&pool).await.expect("a count");
    assert_eq!(open, 0, "the wall is up again");
    owner.leaves(&pool).await;
}

/// Somebody who owns the database and is no superuser.
struct Owner {
    name: String,
    url: Redacted<String>,
}

impl Owner {
    async fn of(pool: &PgPool) -> Self {
        let options = pool.connect_options();
        let database: String = sqlx::query_scalar("select current_database()").fetch_one(pool).await.expect("a name");
        let name = format!("owner_of_{database}").chars().take(60).collect::<String>();
        // The role belongs to the cluster: on a new one this owner makes it, elsewhere it is there and is granted.
        let is_there: bool = sqlx::query_scalar("select exists (select from pg_roles where rolname = 'bedside_app')")
            .fetch_one(pool)
            .await
            .expect("an answer");
        let grant = is_there.then(|| format!("grant bedside_app to \"{name}\""));
        // A run that failed left it behind.
        let leftover = format!("drop role if exists \"{name}\"");
        let role = format!("create role \"{name}\" login createrole password 'secret'");
        let owns = format!("alter database \"{database}\" owner to \"{name}\"");
        for sql in [leftover, role, owns].into_iter().chain(grant) {
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(pool).await.expect("an owner");
        }
        let socket = options.get_socket().map(|folder| format!("?host={}", folder.display())).unwrap_or_default();
        let (host, port) = (options.get_host(), options.get_port());
        let url = Redacted::new(format!("postgres://{name}:secret@{host}:{port}/{database}{socket}"));
        Self { name, url }
    }

    async fn leaves(self, pool: &PgPool) {
        let name = self.name;
        let returned =
            "do $$ begin execute format('alter database %I owner to current_user', current_database()); end $$";
        sqlx::raw_sql(returned).execute(pool).await.expect("an owner");
        for sql in [format!("drop owned by \"{name}\" cascade"), format!("drop role \"{name}\"")] {
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(pool).await.expect("cleaned up");
        }
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
