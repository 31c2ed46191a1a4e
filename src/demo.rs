//! `bedside demo`: makes the demo clinics, where no real patients are.

use anyhow::ensure;
use domain::{Random, Redacted};
use jiff::tz::TimeZone;
use scheduler::demo::{Demo, DemoToken};
use service::{clock::SystemClock, config::Config, keys::DemoTokenKey, postgres::Db, random::SystemRandom};

/// Makes the demo clinics in the database of `DATABASE_URL`, and says who may sign in.
pub async fn run(config: &Config) -> anyhow::Result<()> {
    ensure!(
        config.settings.demo,
        "The demo makes accounts whose passwords everybody knows. Set DEMO=true if no real patients are in this database."
    );
    let db = Db::connect(config.database_url()?, 2).await?;
    for account in make(&db).await?.accounts {
        println!("{:<14} {:<32} {:<26} {}", account.role.as_str(), account.email, account.password, account.clinic);
    }
    Ok(())
}

/// Makes what is missing of the demo.
pub async fn make(db: &Db) -> anyhow::Result<Demo> {
    let hash = |password: &str| hashed(&SystemRandom, password);
    scheduler::demo::demo(db, &SystemClock, &SystemRandom, &hash, &time_zone()).await
}

/// The machine's own zone, so that the demo's times are those of the wall clock beside it.
fn time_zone() -> String {
    let system = TimeZone::try_system().ok();
    system.as_ref().and_then(TimeZone::iana_name).unwrap_or("Europe/London").to_owned()
}

/// The same, and tokens for programs.
pub async fn make_with_tokens(db: &Db, key: &DemoTokenKey) -> anyhow::Result<(Demo, Vec<DemoToken>)> {
    let demo = make(db).await?;
    let tokens = scheduler::demo::api_tokens(db, &SystemClock, &SystemRandom, key).await?;
    Ok((demo, tokens))
}

fn hashed(random: &dyn Random, password: &str) -> String {
    web::hash_password(random, &Redacted::new(password.to_owned())).into_inner()
}
