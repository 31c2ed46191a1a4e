//! The long form: starts the processes, kills them, restarts Postgres, and checks in the end.

use super::{
    Hours, SIZE, STEPS, check,
    record::{self, Operation},
};
use crate::{
    postgres::PrivatePostgres,
    world::{Dice, World, midnight_after},
};
use domain::{Clock as _, Redacted};
use jiff::Timestamp;
use service::clock::SystemClock;
use sqlx::PgPool;
use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How often a process is killed.
const KILL_EVERY: Duration = Duration::from_millis(1_500);

/// How often Postgres is stopped as by a power cut.
const CRASH_EVERY: Duration = Duration::from_secs(20);

/// The hours in which everything is booked: two days from the day after tomorrow on.
fn hours(now: Timestamp) -> Hours {
    Hours { from: midnight_after(now, 2), steps: STEPS }
}

/// Runs until at least so many operations are recorded, then checks them; fails when anything does not fit.
pub async fn run(operations: usize, workers: usize, clients: usize) -> anyhow::Result<()> {
    let server = PrivatePostgres::start()?;
    service::postgres::migrate(&Redacted::new(server.url())).await?;
    let world = World::of(SIZE);
    let superuser = PgPool::connect(&server.url()).await?;
    world.settle(&superuser, SIZE).await?;
    let logs = std::env::temp_dir().join(format!("bedside-history-{}", std::process::id()));
    std::fs::create_dir_all(&logs)?;
    let began = Instant::now();
    let (kills, crashes) = disturb(&server, &logs, operations, workers, clients)?;
    let seconds = began.elapsed().as_secs();
    let recorded = read_all(&logs)?;
    let mut findings = check::check_records(&recorded);
    let superuser = PgPool::connect(&server.url()).await?;
    check::check_database(&recorded, &superuser, &mut findings).await?;
    println!("{}", serde_json::to_string_pretty(&findings)?);
    println!(
        "\n| operations | unanswered | booked | moved | cancelled | held | gave up | kill -9 | Postgres restarts | seconds | anomalies |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    let check::Findings { operations, unanswered, booked, moved, cancelled, held, gave_up, anomalies } = &findings;
    println!(
        "| {operations} | {unanswered} | {booked} | {moved} | {cancelled} | {held} | {gave_up} | {kills} | {crashes} | {seconds} | {} |",
        anomalies.len()
    );
    if anomalies.is_empty() {
        std::fs::remove_dir_all(&logs)?;
        return Ok(());
    }
    anyhow::bail!("{} anomalies; the records are in {}", anomalies.len(), logs.display())
}

/// Says how many processes were killed and how often Postgres was restarted.
fn disturb(
    server: &PrivatePostgres,
    logs: &Path,
    operations: usize,
    workers: usize,
    clients: usize,
) -> anyhow::Result<(usize, usize)> {
    let dice = Dice::new(7);
    let from = hours(SystemClock.now()).from;
    let mut started = 0;
    let mut start = || {
        started += 1;
        spawn(server, &logs.join(format!("{started}.jsonl")), from, clients, started)
    };
    let mut running = (0..workers).map(|_| start()).collect::<anyhow::Result<Vec<_>>>()?;
    let (mut kills, mut crashes, mut last_crash) = (0, 0, Instant::now());
    while lines(logs)? < operations * 2 {
        std::thread::sleep(KILL_EVERY);
        let victim = dice.below(running.len());
        stop(running.swap_remove(victim))?;
        kills += 1;
        running.push(start()?);
        if last_crash.elapsed() > CRASH_EVERY {
            server.crash()?;
            (crashes, last_crash) = (crashes + 1, Instant::now());
        }
    }
    running.into_iter().try_for_each(stop)?;
    Ok((kills, crashes))
}

/// Ends a worker in the middle of whatever it does, by SIGKILL.
fn stop(mut worker: Child) -> std::io::Result<()> {
    let killed = worker.kill();
    worker.wait()?;
    killed
}

fn spawn(server: &PrivatePostgres, log: &Path, from: Timestamp, clients: usize, seed: usize) -> anyhow::Result<Child> {
    let process = Command::new(std::env::current_exe()?)
        .arg("worker")
        .args(["--url", &server.url(), "--log", &log.display().to_string()])
        .args(["--from", &from.to_string()])
        .args(["--clients", &clients.to_string(), "--seed", &seed.to_string()])
        .stdin(Stdio::null())
        .spawn()?;
    Ok(process)
}

/// How many lines were written: two an operation that was answered.
fn lines(logs: &Path) -> anyhow::Result<usize> {
    let mut count = 0;
    for entry in std::fs::read_dir(logs)? {
        count += std::fs::read(entry?.path())?.iter().filter(|byte| **byte == b'\n').count();
    }
    Ok(count)
}

fn read_all(logs: &Path) -> anyhow::Result<Vec<Operation>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(logs)? {
        all.extend(record::read(&entry?.path())?);
    }
    all.sort_by_key(|one| one.asked_at);
    Ok(all)
}
