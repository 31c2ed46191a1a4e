//! How long the first fifty slots take to find, with one, ten and fifty practitioners whose year is booked to nineteen in twenty.
//!
//! The three clinics are neighbours in one database and are searched in turn, so that whatever else the machine does meets them
//! all. Searches begin at any time of the year; one in three asks for a language and a time of the day in another zone.

use crate::{
    figures::{self, Times},
    full_clinic::FullClinic,
    postgres::PrivatePostgres,
};
use domain::{Actor, ClinicId, Redacted, VisitTypeId, Who};
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil, tz::TimeZone};
use scheduler::{SlotSearch, find_slots};
use serde::Serialize;
use service::{
    clock::ManualClock,
    postgres::{Db, migrate},
};
use sqlx::{Executor as _, PgPool};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How many practitioners the clinics have.
const SIZES: [i32; 3] = [1, 10, 50];

/// How many slots are asked for.
const WANTED: usize = 50;

/// What was measured of one clinic.
#[derive(Debug, Serialize)]
struct Measured {
    practitioners: i32,
    booked: i64,
    /// How many slots a search found, on average.
    found: usize,
    rounds: Vec<Times>,
    median: Times,
}

/// Measures, and prints a table and JSON.
pub async fn run(searches: u32, rounds: u32) -> anyhow::Result<()> {
    let server = PrivatePostgres::start()?;
    migrate(&Redacted::new(server.url())).await?;
    let superuser = PgPool::connect(&server.url()).await?;
    let mut clinics = Vec::new();
    for practitioners in SIZES {
        let clinic = clinic(practitioners);
        let booked = clinic.settle(&superuser).await?;
        clinics.push((clinic, booked));
    }
    superuser.execute("vacuum analyze").await?;

    let db = Db::connect(&Redacted::new(server.url()), 2).await?;
    let before = figures::circumstances();
    let mut all: Vec<_> = clinics.iter().map(|_| (0, Vec::new())).collect();
    for round in 0..rounds {
        for ((clinic, _), (found, times)) in clinics.iter().zip(&mut all) {
            let mut took = Vec::new();
            for number in 0..searches {
                let (time, slots) = search(&db, clinic, round * searches + number).await?;
                took.push(time);
                *found += slots;
            }
            times.push(Times::of(took));
        }
    }
    let measured = clinics.iter().zip(all).map(|((clinic, booked), (found, rounds))| Measured {
        practitioners: clinic.practitioners,
        booked: *booked,
        found: found / (searches as usize * rounds.len()).max(1),
        median: Times::median(&rounds),
        rounds,
    });
    report(searches, &before, &measured.collect::<Vec<_>>())
}

/// Half an hour from eight to six on weekdays, for a year.
fn clinic(practitioners: i32) -> FullClinic {
    let id = u128::from(practitioners.unsigned_abs());
    let from = civil::date(2026, 11, 24);
    FullClinic {
        clinic: ClinicId(Uuid::from_u128(id)),
        visit_type: VisitTypeId(Uuid::from_u128(1_000 + id)),
        zone: "Europe/London".to_owned(),
        practitioners,
        patients: 1_000,
        hours: (480, 1_080),
        weekdays: 5,
        from,
        to: from.saturating_add(364.days()),
        booked: 95,
    }
}

/// One search over the year that follows: how long it took, and how many slots it found.
async fn search(db: &Db, clinic: &FullClinic, number: u32) -> anyhow::Result<(Duration, usize)> {
    let year_begins: Timestamp = "2026-11-24T07:00:00Z".parse()?;
    // Steps that share no divisor with the week fall on every hour and day of it.
    let from = year_begins + SignedDuration::from_mins(i64::from(number) * 1_009 % (300 * 1_440));
    let is_narrow = number.is_multiple_of(3);
    let search = SlotSearch {
        practitioners: Vec::new(),
        visit_type: clinic.visit_type,
        from,
        to: from + SignedDuration::from_hours(365 * 24),
        language: is_narrow.then(|| "en".to_owned()),
        time_of_day: is_narrow.then(|| (civil::time(9, 0, 0, 0), civil::time(12, 0, 0, 0))),
        zone: TimeZone::get("America/New_York").ok(),
        after: None,
        limit: WANTED,
    };
    let by = Actor { clinic: clinic.clinic, who: Who::Service("bench") };
    let began = Instant::now();
    let slots = find_slots(db, &ManualClock::at(from), &by, &search).await?;
    Ok((began.elapsed(), slots.len()))
}

fn report(searches: u32, before: &str, measured: &[Measured]) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(measured)?);
    println!("\n{before}, at the end {}", figures::circumstances());
    println!("\n| practitioners | visits booked | slots found | p50 ms | p99 ms | p99 of the rounds |");
    println!("|---|---|---|---|---|---|");
    for Measured { practitioners, booked, found, rounds, median } in measured {
        let each: Vec<_> = rounds.iter().map(|one| format!("{:.1}", one.p99_ms)).collect();
        let Times { p50_ms, p99_ms } = median;
        println!("| {practitioners} | {booked} | {found} | {p50_ms:.2} | {p99_ms:.2} | {} |", each.join(", "));
    }
    let rounds = measured.first().map_or(0, |one| one.rounds.len());
    println!("\n{searches} searches a round, one after the other; medians of {rounds} rounds.");
    Ok(())
}
