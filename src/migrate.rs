//! `bedside migrate`: brings the database's schema up to date, and says so.

use service::{config::Config, postgres};

/// Migrates the database of `DATABASE_URL`, which must name the owner of the schema.
pub async fn run(config: &Config) -> anyhow::Result<()> {
    let url = config.database_url()?;
    let pending = postgres::pending_migrations(url).await?;
    postgres::migrate(url).await?;
    println!("{pending} migrations were applied; the database is up to date");
    Ok(())
}
