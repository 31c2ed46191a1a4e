//! How many attempts to book the database decides a second.
//!
//! Three ways take turns over the same times: the exclusion constraint alone, the same with the advisory lock before it, and the
//! whole use-case. They share the machine and its noise, so the ratio between them says more than each figure.

use crate::{
    figures::{self, Times, median},
    postgres::PrivatePostgres,
    world::{Dice, LANGUAGE, Size, World, midnight_after},
};
use domain::{Clock as _, Redacted};
use jiff::{SignedDuration, Timestamp};
use scheduler::{BookError, BookRequest, Needs};
use serde::Serialize;
use service::{clock::SystemClock, postgres::Db, random::SystemRandom};
use sqlx::PgPool;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Forty minutes, every ten: each visit is in the way of seven starts.
const SIZE: Size = Size { practitioners: 8, patients: 400, rooms: 8, minutes: 40, step_minutes: 10 };

/// Over how many days the staggered visits are spread.
const DAYS: usize = 60;

/// Beyond everything that a first measurement books.
const FAR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// How many want the same slot.
const ON_ONE_SLOT: usize = 200;

/// How many book overlapping times.
const STAGGERED: usize = 100;

/// How many turns each way of booking has.
const TURNS: usize = 5;

/// Connections of the pool: as many as a busy web process has, several times over.
const CONNECTIONS: u32 = 100;

/// What many attempts came to.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Attempts {
    /// They got the time.
    pub won: usize,
    /// It was taken, or the patient, room or interpreter was.
    pub refused: usize,
    /// They waited for longer than a lock is waited for, and were told to come again.
    pub gave_up: usize,
    /// Anything else: a deadlock, a statement that failed.
    pub failed: usize,
    /// How long all of them took.
    pub seconds: f64,
    /// The 99th percentile of one attempt, milliseconds.
    pub p99_ms: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Constraint,
    Locked,
    UseCase,
}

/// What is booked in, shared by all clients.
#[derive(Clone)]
struct Booking {
    db: Db,
    superuser: PgPool,
    world: Arc<World>,
    from: Timestamp,
    /// Owns the reservations that are made without a use-case.
    hold: Uuid,
}

/// Measures, prints a table and JSON, and fails when a rule was broken.
///
/// `is_lazy` measures everything once more with `synchronous_commit` off: what the disk costs.
pub async fn run(rounds: usize, seconds: u64, is_lazy: bool) -> anyhow::Result<()> {
    let server = PrivatePostgres::start()?;
    service::postgres::migrate(&Redacted::new(server.url())).await?;
    let superuser = PgPool::connect(&server.url()).await?;
    let world = Arc::new(World::of(SIZE));
    world.settle(&superuser, SIZE).await?;
    let db = Db::over(server.url().parse()?, CONNECTIONS);
    let from = midnight_after(SystemClock.now(), 2);
    let hold = lasting_hold(&superuser, &world, from).await?;
    let booking = Booking { db, superuser, world, from, hold };

    let before = figures::circumstances();
    let mut failed = measure(&booking, rounds, seconds).await?;
    if is_lazy {
        println!("\nWith `synchronous_commit` off, as if the disk took no time:\n");
        for sql in ["alter system set synchronous_commit = off", "select pg_reload_conf()"] {
            sqlx::query(sql).execute(&booking.superuser).await?;
        }
        failed += measure(&Booking { from: booking.from + FAR, ..booking.clone() }, rounds, seconds).await?;
    }
    println!("\n{before}, at the end {}", figures::circumstances());
    anyhow::ensure!(failed == 0, "{failed} attempts failed that should have been decided");
    Ok(())
}

/// Both kinds of contention, with a table and JSON; how many attempts failed. An overlap fails at once.
async fn measure(booking: &Booking, rounds: usize, seconds: u64) -> anyhow::Result<usize> {
    let one_slot = on_one_slot(booking, rounds).await?;
    let ways = staggered(booking, seconds).await?;
    let overlaps = count(&booking.superuser, OVERLAPS).await?;
    let deadlocks = count(&booking.superuser, DEADLOCKS).await?;
    report(rounds, &one_slot, &ways, overlaps, deadlocks)
}

const OVERLAPS: &str = "select count(*)
    from reservations a
    join reservations b
        on b.clinic_id = a.clinic_id and b.resource_id = a.resource_id and b.lane = a.lane
        and b.during && a.during and b.ctid > a.ctid and b.active
    where a.active";

const DEADLOCKS: &str = "select deadlocks from pg_stat_database where datname = current_database()";

async fn count(superuser: &PgPool, sql: &'static str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(sql).fetch_one(superuser).await
}

async fn lasting_hold(superuser: &PgPool, world: &World, from: Timestamp) -> Result<Uuid, sqlx::Error> {
    sqlx::query_scalar(
        "insert into holds (clinic_id, id, practitioner_id, visit_type_id, starts_at, ends_at, expires_at)
         values ($1, gen_random_uuid(), $2, $3, to_timestamp($4), to_timestamp($4 + 60), 'infinity')
         returning id",
    )
    .bind(world.clinic.0)
    .bind(world.practitioners[0].0)
    .bind(world.visit_type.0)
    .bind(from.as_second())
    .fetch_one(superuser)
    .await
}

/// Every round has a slot of its own, which all want at once. One wins.
async fn on_one_slot(booking: &Booking, rounds: usize) -> anyhow::Result<Attempts> {
    let mut all = Attempts::default();
    let mut latencies = Vec::new();
    for round in 0..rounds {
        // Far from the staggered ones, and from each other.
        let hours = i64::try_from(DAYS * 24 + round)?;
        let starts_at = booking.from + SignedDuration::from_hours(hours);
        let began = Instant::now();
        let racers: Vec<_> = (0..ON_ONE_SLOT)
            .map(|racer| {
                let booking = booking.clone();
                tokio::spawn(async move {
                    let world = &booking.world;
                    let patient = world.patients[racer];
                    let request = BookRequest::new(patient, world.practitioners[0], world.visit_type, starts_at);
                    let began = Instant::now();
                    (booking.use_case(request).await, began.elapsed())
                })
            })
            .collect();
        let won_before = all.won;
        for racer in racers {
            let (outcome, took) = racer.await?;
            all.add(&outcome);
            latencies.push(took);
        }
        all.seconds += began.elapsed().as_secs_f64();
        anyhow::ensure!(all.won == won_before + 1, "{} won round {round}", all.won - won_before);
    }
    all.p99_ms = Times::of(latencies).p99_ms;
    Ok(all)
}

/// Each way of booking in turn, so that whatever else the machine does meets them all.
async fn staggered(booking: &Booking, seconds: u64) -> anyhow::Result<Vec<(Way, Vec<Attempts>)>> {
    let ways = [Way::Constraint, Way::Locked, Way::UseCase];
    let mut measured: Vec<(Way, Vec<Attempts>)> = ways.iter().map(|way| (*way, Vec::new())).collect();
    let length = Duration::from_secs_f64(Duration::from_secs(seconds).as_secs_f64() / TURNS as f64);
    for turn in 0..TURNS {
        for (way, turns) in &mut measured {
            // Whoever comes first would find emptier calendars.
            sqlx::query("update reservations set active = false where active").execute(&booking.superuser).await?;
            turns.push(many(booking, *way, length, turn).await?);
        }
    }
    Ok(measured)
}

async fn many(booking: &Booking, way: Way, length: Duration, turn: usize) -> anyhow::Result<Attempts> {
    let began = Instant::now();
    let clients: Vec<_> = (0..STAGGERED)
        .map(|client| {
            let booking = booking.clone();
            let dice = Dice::new(u64::try_from(turn * STAGGERED + client).unwrap_or(0));
            tokio::spawn(async move {
                let mut all = Attempts::default();
                let mut latencies = Vec::new();
                while began.elapsed() < length {
                    let began = Instant::now();
                    let outcome = booking.attempt(way, &dice).await;
                    all.add(&outcome);
                    latencies.push(began.elapsed());
                }
                (all, latencies)
            })
        })
        .collect();
    let (mut all, mut latencies) = (Attempts::default(), Vec::new());
    for client in clients {
        let (one, took) = client.await?;
        all.won += one.won;
        all.refused += one.refused;
        all.gave_up += one.gave_up;
        all.failed += one.failed;
        latencies.extend(took);
    }
    all.seconds = began.elapsed().as_secs_f64();
    all.p99_ms = Times::of(latencies).p99_ms;
    Ok(all)
}

/// What one attempt came to.
enum Outcome {
    Won,
    Refused,
    GaveUp,
    Failed(String),
}

impl From<sqlx::Error> for Outcome {
    fn from(error: sqlx::Error) -> Self {
        if service::postgres::gave_up(&error) { Self::GaveUp } else { Self::Failed(error.to_string()) }
    }
}

impl Booking {
    /// A visit by dice: a practitioner, a patient, a room in every other, an interpreter in every fourth.
    async fn attempt(&self, way: Way, dice: &Dice) -> Outcome {
        let world = &self.world;
        let practitioner = world.practitioners[dice.below(world.practitioners.len())];
        let patient = world.patients[dice.below(world.patients.len())];
        let room = if dice.below(2) == 0 { dice.one_of(&world.rooms) } else { None };
        let interpreter = dice.below(4) == 0;
        let steps = i64::try_from(dice.below(DAYS * 24 * 6)).unwrap_or(0);
        let starts_at = self.from + SignedDuration::from_mins(i64::from(SIZE.step_minutes) * steps);
        if way == Way::UseCase {
            let languages = interpreter.then(|| ("en".to_owned(), LANGUAGE.to_owned()));
            let needs = Needs { interpreter: languages, room, device: None };
            let request = BookRequest::new(patient, practitioner, world.visit_type, starts_at);
            return self.use_case(BookRequest { needs, ..request }).await;
        }
        let interpreter = if interpreter { dice.one_of(&world.interpreters) } else { None };
        let mut resources = vec![("practitioner", practitioner.0), ("patient", patient.0)];
        resources.extend(room.map(|id| ("room", id.0)));
        resources.extend(interpreter.map(|id| ("interpreter", id.0)));
        match self.bare(way, &resources, starts_at).await {
            Ok(()) => Outcome::Won,
            Err(error) if service::postgres::refused_by(&error) == Some("reservations_no_overlap") => Outcome::Refused,
            Err(error) => error.into(),
        }
    }

    /// The use-case, with all it checks, writes and records.
    async fn use_case(&self, request: BookRequest) -> Outcome {
        let by = &self.world.receptionist;
        match scheduler::book(&self.db, &SystemClock, &SystemRandom, by, request).await {
            Ok(_) => Outcome::Won,
            Err(BookError::Database(error)) => error.into(),
            Err(_) => Outcome::Refused,
        }
    }

    /// The reservations alone, in one statement, as the constraint takes them; or after the locks, as the use-case does.
    async fn bare(&self, way: Way, resources: &[(&str, Uuid)], starts_at: Timestamp) -> Result<(), sqlx::Error> {
        let ids: Vec<Uuid> = resources.iter().map(|(_, id)| *id).collect();
        let kinds: Vec<String> = resources.iter().map(|(kind, _)| (*kind).to_owned()).collect();
        let mut tx = self.db.begin(&self.world.receptionist).await?;
        if way == Way::Locked {
            sqlx::query(
                "select pg_advisory_xact_lock(key)
                 from (select distinct hashtextextended(id::text, 2) as key from unnest($1::uuid[]) id order by key) k",
            )
            .bind(&ids)
            .execute(&mut *tx)
            .await?;
        }
        sqlx::query(
            "insert into reservations (clinic_id, hold_id, resource_kind, resource_id, during)
             select $1, $2, kind, id, tstzrange(to_timestamp($5), to_timestamp($5 + 2400))
             from unnest($3::text[], $4::uuid[]) w (kind, id)",
        )
        .bind(self.world.clinic.0)
        .bind(self.hold)
        .bind(&kinds)
        .bind(&ids)
        .bind(starts_at.as_second())
        .execute(&mut *tx)
        .await?;
        tx.commit().await
    }
}

impl Attempts {
    fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Won => self.won += 1,
            Outcome::Refused => self.refused += 1,
            Outcome::GaveUp => self.gave_up += 1,
            Outcome::Failed(why) => {
                self.failed += 1;
                if self.failed == 1 {
                    eprintln!("failed: {why}");
                }
            }
        }
    }

    /// Attempts that the database decided, a second.
    fn per_second(&self) -> f64 {
        (self.won + self.refused) as f64 / self.seconds.max(f64::MIN_POSITIVE)
    }
}

fn report(
    rounds: usize,
    one_slot: &Attempts,
    ways: &[(Way, Vec<Attempts>)],
    overlaps: i64,
    deadlocks: i64,
) -> anyhow::Result<usize> {
    let turns: Vec<_> = ways.iter().map(|(way, turns)| (format!("{way:?}"), turns)).collect();
    let all = serde_json::json!({
        "one_slot": one_slot, "staggered": turns, "overlaps": overlaps, "deadlocks": deadlocks,
    });
    println!("{}", serde_json::to_string_pretty(&all)?);
    println!(
        "\n| {ON_ONE_SLOT} on one slot, {rounds} rounds | won | refused | gave up | failed | attempts/s | p99 ms |"
    );
    println!("|---|---|---|---|---|---|---|");
    let Attempts { won, refused, gave_up, failed, p99_ms, .. } = one_slot;
    println!(
        "| the use-case | {won} | {refused} | {gave_up} | {failed} | {:.0} | {p99_ms:.0} |",
        one_slot.per_second()
    );
    println!(
        "\n| {STAGGERED} clients, staggered | won | refused | gave up | failed | attempts/s | to the constraint alone | p99 ms |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let rate = |turns: &[Attempts]| median(turns.iter().map(Attempts::per_second).collect());
    let alone = rate(&ways[0].1);
    for (way, turns) in ways {
        let sum = |of: fn(&Attempts) -> usize| turns.iter().map(of).sum::<usize>();
        let (won, refused) = (sum(|one| one.won), sum(|one| one.refused));
        let (gave_up, failed) = (sum(|one| one.gave_up), sum(|one| one.failed));
        let name = match way {
            Way::Constraint => "the constraint alone",
            Way::Locked => "the locks, then the constraint",
            Way::UseCase => "the use-case",
        };
        let p99 = median(turns.iter().map(|one| one.p99_ms).collect());
        let rate = rate(turns);
        println!("| {name} | {won} | {refused} | {gave_up} | {failed} | {rate:.0} | {:.2} | {p99:.0} |", rate / alone);
    }
    println!("\nOverlaps: {overlaps}. Deadlocks: {deadlocks}, those of the constraint alone among them.");
    let ours = ways.iter().filter(|(way, _)| *way != Way::Constraint).flat_map(|(_, turns)| turns);
    let failed: usize = one_slot.failed + ours.map(|one| one.failed).sum::<usize>();
    anyhow::ensure!(overlaps == 0, "{overlaps} overlaps");
    Ok(failed)
}
