//! The doctor's looks at configuration, Postgres, schema, clock and Redis.

use super::report::Finding;
use crate::up;
use domain::{Clock as _, relay::RelayAnnouncement};
use service::{
    bus::Bus,
    clock::SystemClock,
    config::Config,
    postgres::{self, Db},
};
use std::time::{Duration, Instant};

/// How far the clocks of the database and of this machine may be apart.
///
/// Join tokens live 60 seconds by the database's clock, and times on the pages come from this machine's.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(2);

/// How long Redis is asked for at most before it counts as absent; the bus connects in the background.
const REDIS_PATIENCE: Duration = Duration::from_secs(5);

/// What is not set is taken from `.bedside/`, as `bedside up` does.
pub fn configuration(config: &mut Config) -> Finding {
    let from_folder = up::find_private(config);
    let missing: Vec<&str> = [
        ("DATABASE_URL", config.database_url.is_none()),
        ("REDIS_URL", config.redis_url.is_none()),
        ("SECRET", config.secret.is_none()),
        ("RELAY_KEY", config.relay_key.is_none()),
    ]
    .into_iter()
    .filter_map(|(name, is_missing)| is_missing.then_some(name))
    .collect();
    if !missing.is_empty() {
        let what = format!("not set: {}", missing.join(", "));
        return Finding::wrong(what, "Set them as the services have them, or run this where `bin/up` runs.");
    }
    let source = if from_folder { "complete; what is not set comes from .bedside/" } else { "complete" };
    Finding::fine(source)
}

/// Postgres lets us in as the application.
pub async fn postgres(config: &Config) -> Finding {
    let Ok(url) = config.database_url() else { return Finding::unchecked("DATABASE_URL is not set") };
    let began = Instant::now();
    match Db::connect(url, 1).await {
        Ok(db) => {
            let took = began.elapsed();
            db.close().await;
            Finding::fine(format!("lets the application in, after {} ms", took.as_millis()))
        }
        Err(error) => {
            let advice = match error.as_database_error().and_then(|error| error.code()).as_deref() {
                // invalid_parameter_value, undefined_object: the role is made by the first migration
                Some("22023" | "42704") => "The schema is not there yet: run `bedside migrate`.",
                Some("28P01" | "28000") => "User or password in DATABASE_URL is not right.",
                Some("3D000") => "The database of DATABASE_URL does not exist.",
                _ => "Is Postgres running, and DATABASE_URL right?",
            };
            Finding::wrong("does not let the application in", advice)
        }
    }
}

/// Every migration of this executable was applied.
pub async fn schema(config: &Config) -> Finding {
    let Ok(url) = config.database_url() else { return Finding::unchecked("DATABASE_URL is not set") };
    let all = postgres::MIGRATOR.iter().count();
    match postgres::pending_migrations(url).await {
        Ok(0) => Finding::fine(format!("up to date, {all} migrations")),
        Ok(pending) => Finding::wrong(format!("{pending} of {all} migrations are missing"), "Run `bedside migrate`."),
        Err(_) => Finding::wrong("cannot be read", "DATABASE_URL must name the owner of the schema."),
    }
}

/// The database and this machine agree what time it is.
pub async fn clock(config: &Config) -> Finding {
    let Ok(url) = config.database_url() else { return Finding::unchecked("DATABASE_URL is not set") };
    let Ok(apart) = clocks_apart(url).await else {
        return Finding::wrong("the database does not tell the time", "Try again.");
    };
    let words = format!("{:.2} s from the database's", apart.as_secs_f32());
    if apart <= CLOCK_TOLERANCE {
        return Finding::fine(words);
    }
    Finding::wrong(words, "Let both machines set their clocks by NTP: join tokens live 60 seconds only.")
}

/// Redis answers.
pub async fn redis(config: &Config) -> Finding {
    if config.redis_url.is_none() {
        return Finding::unchecked("REDIS_URL is not set");
    }
    match answering_redis(config).await {
        Some(_) => Finding::fine("answers"),
        None => Finding::wrong("does not answer", "Is Redis running, and REDIS_URL right?"),
    }
}

/// The media relays that announce themselves.
///
/// # Errors
/// What to say when there is none.
pub async fn relays(config: &Config) -> Result<Vec<RelayAnnouncement>, Finding> {
    let away = || Finding::wrong("Redis stopped answering", "Try again.");
    let bus = answering_redis(config).await.ok_or_else(away)?;
    let keys: Vec<String> = bus.command(redis::cmd("KEYS").arg("bedside:relay:*")).await.map_err(|_| away())?;
    let mut relays = Vec::new();
    for key in keys {
        let announcement: Option<String> = bus.command(redis::cmd("GET").arg(key)).await.map_err(|_| away())?;
        // One that has expired since, or that another version wrote, is none to try.
        relays.extend(announcement.and_then(|json| serde_json::from_str::<RelayAnnouncement>(&json).ok()));
    }
    relays.sort_by_key(|relay| relay.id);
    if relays.is_empty() {
        return Err(Finding::wrong(
            "no media relay announces itself",
            "Start one: `bedside media-relay`, or everything with `bin/up`.",
        ));
    }
    Ok(relays)
}

async fn answering_redis(config: &Config) -> Option<Bus> {
    let bus = Bus::connect(config.redis_url().ok()?).await.ok()?;
    let deadline = Instant::now() + REDIS_PATIENCE;
    while bus.ping().await.is_err() {
        if Instant::now() > deadline {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Some(bus)
}

async fn clocks_apart(url: &domain::Redacted<String>) -> Result<Duration, sqlx::Error> {
    let db = Db::connect(url, 1).await?;
    let mut tx = db.anonymous().await?;
    let before = SystemClock.now();
    let theirs: f64 =
        sqlx::query_scalar("select extract(epoch from clock_timestamp())::float8").fetch_one(&mut *tx).await?;
    let after = SystemClock.now();
    tx.rollback().await?;
    db.close().await;
    // The answer was made at some time between: the middle is the best guess.
    let ours = f64::midpoint(before.as_duration().as_secs_f64(), after.as_duration().as_secs_f64());
    Ok(Duration::from_secs_f64((theirs - ours).abs()))
}
