//! A database of its own for each test, copied from one that was migrated and furnished once.

use service::postgres::Db;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, PgConnection, postgres::PgConnectOptions};
use std::{
    path::Path,
    process,
    sync::atomic::{AtomicU32, Ordering},
};
use tokio::sync::OnceCell;

/// A copy of the template, and where it is reached.
pub async fn database() -> String {
    let template = template().await;
    let name = next_name();
    run(&format!("create database {name} template {template}")).await;
    address_of(&name)
}

/// A database with nothing in it.
pub async fn empty() -> String {
    let name = next_name();
    run(&format!("create database {name}")).await;
    address_of(&name)
}

fn next_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("bedside_journey_{}_{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

async fn template() -> &'static str {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    TEMPLATE.get_or_init(make_template).await
}

async fn make_template() -> String {
    forget_those_of_ended_runs().await;
    let name = format!("bedside_journey_{}_template", process::id());
    run(&format!("create database {name}")).await;
    let url = address_of(&name).into();
    service::postgres::migrate(&url).await.expect("the migrations apply");
    let db = Db::connect(&url, 1).await.expect("the database is there");
    super::clinic::furnish(&db, &super::clinic::morning()).await;
    db.close().await; // a database in use cannot be copied
    name
}

/// Names end in the process that made them; those whose process is gone are nobody's.
async fn forget_those_of_ended_runs() {
    let mut connection = connection().await;
    let names: Vec<String> =
        sqlx::query_scalar("select datname from pg_database where datname like 'bedside_journey_%'")
            .fetch_all(&mut connection)
            .await
            .expect("databases can be listed");
    for name in names {
        let made_by = name.trim_start_matches("bedside_journey_").split('_').next().unwrap_or_default();
        if !Path::new("/proc").join(made_by).exists() {
            let _ = connection.execute(AssertSqlSafe(format!("drop database {name}"))).await; // another run may be faster
        }
    }
}

async fn run(statement: &str) {
    let mut connection = connection().await;
    connection.execute(AssertSqlSafe(statement.to_owned())).await.expect("the statement runs");
}

async fn connection() -> PgConnection {
    server().connect().await.expect("Postgres of DATABASE_URL answers")
}

fn server() -> PgConnectOptions {
    url().parse().expect("DATABASE_URL names a Postgres")
}

fn url() -> String {
    std::env::var("DATABASE_URL")
        .expect("DATABASE_URL names a Postgres in which tests may make databases; bin/test starts one")
}

fn address_of(database: &str) -> String {
    let mut url: url::Url = url().parse().expect("DATABASE_URL is an address");
    url.set_path(database);
    url.to_string()
}
