//! The short form of `bedside-bench history`: many clients of one process, without kills, checked as the long form is.

use bedside_bench::{
    history::{Hours, SIZE, STEPS, check, clients, record},
    world::{World, midnight_after},
};
use domain::Clock as _;
use service::{clock::SystemClock, postgres::Db};
use sqlx::PgPool;
use std::sync::Arc;

#[sqlx::test(migrator = "service::postgres::MIGRATOR")]
async fn what_was_acknowledged_holds_and_nothing_overlaps(pool: PgPool) {
    let world = Arc::new(World::of(SIZE));
    world.settle(&pool, SIZE).await.expect("a clinic");
    let db = Db::over((*pool.connect_options()).clone(), 20);
    let path = std::env::temp_dir().join(format!("bedside-history-test-{}.jsonl", std::process::id()));
    let recorder = Arc::new(record::Recorder::create(&path).expect("a record"));
    let hours = Hours { from: midnight_after(SystemClock.now(), 2), steps: STEPS };
    clients(&db, &world, hours, recorder, 20, 1, 100).await.expect("clients");
    let operations = record::read(&path).expect("a record");
    std::fs::remove_file(&path).expect("the record is there");

    let mut findings = check::check_records(&operations);
    check::check_database(&operations, &pool, &mut findings).await.expect("a read");
    assert_eq!(findings.anomalies, Vec::<String>::new());
    assert_eq!(findings.unanswered, 0);
    assert!(
        findings.booked > 100 && findings.moved > 20 && findings.cancelled > 20 && findings.held > 20,
        "{findings:?}"
    );
}
