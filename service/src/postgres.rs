//! Postgres: the pool, the transaction that acts on behalf of somebody, the migrations.

use domain::{Actor, Redacted, Who};
use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgConnection, PgPool, Postgres, Transaction,
    migrate::{Migrate as _, MigrateError, Migrator},
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{str::FromStr as _, time::Duration};

/// The schema, from `migrations/`, compiled in.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// How long a request waits for a free connection before it is refused.
///
/// Beyond a few seconds the person has pressed the button again, and waiting longer only adds to the queue.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// How many statements a connection remembers: all that there are. Whatever it forgets is sent, read and planned anew.
const STATEMENTS: usize = 300;

/// For how long a connection that has rested is taken to be alive without asking: a busy process asks no connection twice.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// What each connection does first: it becomes the role of services, and waits for nothing forever. The longest
/// a transaction may idle is while a mail server is talked to. Compiling a query takes Postgres longer than any of ours runs; and what
/// is read at random is in memory, not under the arm of a disk.
const BECOME_A_SERVICE: &str = "set role bedside_app;
    set jit = off;
    set random_page_cost = 1.1;
    set statement_timeout = '15s';
    set lock_timeout = '10s';
    set idle_in_transaction_session_timeout = '2min'";

/// The database, as every service but the relay uses it.
///
/// Each connection has become the role `bedside_app`, which owns nothing and cannot bypass row-level security:
/// a query outside of [`begin`](Self::begin) sees no clinic's rows at all.
#[derive(Debug, Clone)]
pub struct Db {
    pool: PgPool,
}

impl Db {
    /// Connects with at most `max` connections and proves one of them. The address holds a password and never prints.
    pub async fn connect(url: &Redacted<String>, max: u32) -> Result<Self, sqlx::Error> {
        let db = Self::over(PgConnectOptions::from_str(url.expose())?, max);
        db.ping().await?;
        Ok(db)
    }

    /// As [`connect`](Self::connect), but connects when first used.
    pub fn over(options: PgConnectOptions, max: u32) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(max)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .before_acquire(|connection, rested| {
                Box::pin(async move {
                    if rested.idle_for > TRUSTED_FOR {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .after_connect(|connection, _| {
                Box::pin(async move { connection.execute(BECOME_A_SERVICE).await.map(|_| ()) })
            })
            .connect_lazy_with(options.application_name("bedside").statement_cache_capacity(STATEMENTS));
        Self { pool }
    }

    /// A transaction that acts on behalf of `actor`, and sees the rows of their clinic only.
    pub async fn begin(&self, actor: &Actor) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        // In one round trip, which leaves no room for parameters. Nothing in it comes from outside: ids in their only notation,
        // and the names that our own services have.
        let begin = format!(
            "begin; set local bedside.clinic_id = '{}'; set local bedside.actor = '{}'",
            actor.clinic,
            actor_text(&actor.who),
        );
        self.pool.begin_with(AssertSqlSafe(begin)).await
    }

    /// A connection before anybody is known, for one question. It sees nothing but what the doors let through:
    /// the `security definer` functions of `migrations/` (`find_account`, `find_session`, …).
    pub async fn door(&self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        self.pool.acquire().await
    }

    /// A transaction before anybody is known, where a question is not all; see [`door`](Self::door).
    pub async fn anonymous(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.pool.begin().await
    }

    /// Whether Postgres answers.
    pub async fn ping(&self) -> Result<(), sqlx::Error> {
        self.pool.execute("select 1").await.map(|_| ())
    }

    /// Closes the connections after their work.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Commits, lets everybody go on who waited for this transaction, and returns when what it did has reached the disk.
///
/// A commit keeps its locks until the disk has it, and the end of a clinic's history is one of them: the clinic's transactions would
/// wait for the disk one after the other. So the commit itself does not wait, and a second one after it does, together with all who
/// wait then. Nothing is acknowledged before it would outlast a crash; others may see it those few milliseconds sooner, and what
/// they do about it is later in the log, and lost with it or not at all.
pub async fn commit_together(mut tx: Transaction<'static, Postgres>) -> Result<(), sqlx::Error> {
    // The message is what the second commit has to write. Nobody reads it.
    let commit = "set local synchronous_commit = off;
        commit and chain;
        select pg_logical_emit_message(true, 'bedside', '')";
    tx.execute(commit).await?;
    tx.commit().await
}

/// Brings the schema up to date. Concurrent callers wait for each other on an advisory lock.
///
/// `url` names the owner of the schema, who need not be a superuser (`migrations/README.md`).
pub async fn migrate(url: &Redacted<String>) -> Result<(), MigrateError> {
    let mut connection = owner(url).await?;
    MIGRATOR.run(&mut connection).await
}

/// How many migrations of this executable the database has not seen.
pub async fn pending_migrations(url: &Redacted<String>) -> Result<usize, MigrateError> {
    let mut connection = owner(url).await?;
    let table = MIGRATOR.table_name.as_ref();
    connection.ensure_migrations_table(table).await?;
    let applied = connection.list_applied_migrations(table).await?;
    Ok(MIGRATOR.iter().filter(|ours| !applied.iter().any(|one| one.version == ours.version)).count())
}

async fn owner(url: &Redacted<String>) -> Result<PgConnection, sqlx::Error> {
    use sqlx::ConnectOptions as _;
    PgConnectOptions::from_str(url.expose())?.connect().await
}

/// The name of the constraint that refused a statement, to be translated next to the query.
pub fn refused_by(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error()?.constraint()
}

/// Whether Postgres, or the pool before it, gave up waiting: for a lock, for the end of a statement, for a free connection.
/// Nothing was done, and it may well be if it is asked for again in a moment.
pub fn gave_up(error: &sqlx::Error) -> bool {
    // 55P03 is `lock_not_available`, 57014 `query_canceled`.
    let code = error.as_database_error().and_then(|error| error.code());
    matches!(error, sqlx::Error::PoolTimedOut) || matches!(code.as_deref(), Some("55P03" | "57014"))
}

/// Takes row counts seriously: an update that should change one row and did not is an error.
pub fn one_row(result: &sqlx::postgres::PgQueryResult) -> Result<(), sqlx::Error> {
    if result.rows_affected() == 1 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

fn actor_text(who: &Who) -> String {
    match who {
        Who::Account { id, .. } => format!("account:{id}"),
        Who::Patient { id, .. } => format!("patient:{id}"),
        Who::ApiToken { id, .. } => format!("api_token:{id}"),
        Who::Service(name) => format!("service:{name}"),
    }
}
