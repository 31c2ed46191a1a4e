//! How long the server takes for each page of a clinic of fifty practitioners with a thousand visits a day.
//!
//! The pages are those that `bedside web` serves, over a private Postgres and Redis. One request follows the other over a kept
//! connection on loopback, without any queue. A page is drawn whole before its first byte leaves, so the time from asking until the
//! answer begins is the server's own; how long it takes until the last byte has come is measured beside it. Rounds take the
//! pages in turn; the figures are medians of the rounds.

mod busy_day;
mod site;

use crate::{
    figures::{self, Times},
    full_clinic::FullClinic,
    postgres::PrivatePostgres,
    redis::PrivateRedis,
};
use anyhow::{Context as _, ensure};
use domain::{ClinicId, Clock as _, Redacted, VisitTypeId};
use jiff::ToSpan as _;
use serde::Serialize;
use service::{clock::SystemClock, postgres::migrate};
use site::{Browser, Site};
use sqlx::{Executor as _, PgPool};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What the desk's day is to stay below, milliseconds, 99 times in a hundred.
const DESK_P99_MS: f64 = 20.0;

/// Where clinics are.
const REGIONS: [&str; 6] = ["America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Pacific/"];

/// A page, who opens it, and its address.
struct Page<'a> {
    name: &'static str,
    browser: &'a Browser,
    path: String,
}

/// What was measured of one page.
#[derive(Debug, Serialize)]
struct Measured {
    page: &'static str,
    /// How large it is.
    bytes: usize,
    /// Until the answer begins, in each round.
    rounds: Vec<Times>,
    /// Of these.
    median: Times,
    /// Until the last byte has come, in each round.
    whole: Vec<Times>,
}

/// Measures, prints a table and JSON, and fails when a page does not answer or the desk's day is too slow.
pub async fn run(requests: usize, rounds: usize) -> anyhow::Result<()> {
    let postgres = PrivatePostgres::start()?;
    let redis = PrivateRedis::start()?;
    migrate(&Redacted::new(postgres.url())).await?;
    let superuser = PgPool::connect(&postgres.url()).await?;
    let clinic = clinic()?;
    let booked = clinic.settle(&superuser).await?;
    busy_day::fill(&superuser, clinic.clinic).await?;
    // What filling has left to do is done now, and not while pages are measured.
    superuser.execute("vacuum analyze").await?;
    superuser.execute("checkpoint").await?;
    let site = Site::serve(&postgres, &redis).await?;

    let [desk, administrator, practitioner] = ["receptionist", "administrator", "practitioner"].map(busy_day::email);
    let desk = site.signed_in(&desk).await?;
    let administrator = site.signed_in(&administrator).await?;
    let practitioner = site.signed_in(&practitioner).await?;
    let waiting = busy_day::soon(&superuser, clinic.clinic).await?;
    let patient = site.arrived(waiting).await?;
    let someone = busy_day::tomorrow(&superuser, clinic.clinic).await?;
    let (visit, with, who, at) = (someone.visit, someone.practitioner, someone.patient, someone.date);

    let page = |name, browser, path: String| Page { name, browser, path };
    let pages = [
        page("the desk's day", &desk, "/desk".to_owned()),
        page("the desk's day, one practitioner", &desk, format!("/desk?practitioner={with}")),
        page("the desk's week, everybody", &desk, "/desk/week".to_owned()),
        page("the desk's week, one practitioner", &desk, format!("/desk/week?practitioner={with}")),
        page("booking, one practitioner's times", &desk, format!("/appointments/new?practitioner={with}&date={at}")),
        page("booking, anybody's times", &desk, format!("/appointments/new?patient={who}&date={at}")),
        page("a patient", &desk, format!("/patients/{who}")),
        page("an appointment", &desk, format!("/appointments/{visit}")),
        page("moving an appointment", &desk, format!("/appointments/{visit}/move")),
        page("the waitlist", &desk, "/waitlist".to_owned()),
        page("everybody's schedules", &desk, "/schedules".to_owned()),
        page("one practitioner's schedule", &desk, format!("/schedules/{with}")),
        page("types of visits", &desk, "/visit-types".to_owned()),
        page("the history", &administrator, "/history".to_owned()),
        page("programs and webhooks", &administrator, "/api-tokens".to_owned()),
        page("a practitioner's day", &practitioner, "/day".to_owned()),
        page("a patient who waits", &patient, format!("/waiting/{}", waiting.visit)),
    ];
    let before = figures::circumstances();
    let measured = measure(&pages, requests, rounds).await?;
    report(&before, booked, requests, rounds, &measured)
}

/// Twenty-two slots a day, seven days a week, eight weeks around today.
fn clinic() -> anyhow::Result<FullClinic> {
    let zone = afternoon()?;
    let today = SystemClock.now().in_tz(&zone)?.date();
    Ok(FullClinic {
        zone,
        clinic: ClinicId(Uuid::from_u128(1)),
        visit_type: VisitTypeId(Uuid::from_u128(2)),
        practitioners: 50,
        patients: 5_000,
        hours: (7 * 60, 18 * 60),
        weekdays: 7,
        from: today.saturating_sub(28.days()),
        to: today.saturating_add(28.days()),
        booked: 91,
    })
}

/// A zone where it is three in the afternoon, so that it does not matter when pages are measured: most visits of the day are over, some
/// patients wait, the rest is to come.
fn afternoon() -> anyhow::Result<String> {
    let now = SystemClock.now();
    let mut names: Vec<_> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    names.sort_unstable();
    let is_inhabited = |name: &String| REGIONS.iter().any(|region| name.starts_with(region));
    let is_afternoon = |name: &String| now.in_tz(name).is_ok_and(|local| local.hour() == 15);
    names.into_iter().find(|name| is_inhabited(name) && is_afternoon(name)).context("it is afternoon somewhere")
}

async fn measure(pages: &[Page<'_>], requests: usize, rounds: usize) -> anyhow::Result<Vec<Measured>> {
    let mut measured: Vec<_> = pages
        .iter()
        .map(|one| Measured { page: one.name, bytes: 0, rounds: vec![], median: Times::default(), whole: vec![] })
        .collect();
    for _ in 0..rounds {
        for (page, measured) in pages.iter().zip(&mut measured) {
            let (mut server, mut whole) = (Vec::with_capacity(requests), Vec::with_capacity(requests));
            for _ in 0..requests {
                let opened = open(page).await?;
                server.push(opened.server);
                whole.push(opened.whole);
                measured.bytes = opened.bytes;
            }
            measured.rounds.push(Times::of(server));
            measured.whole.push(Times::of(whole));
        }
    }
    for one in &mut measured {
        one.median = Times::median(&one.rounds);
    }
    Ok(measured)
}

/// A page that was opened once.
struct Opened {
    /// Until the answer began.
    server: Duration,
    /// Until its last byte had come.
    whole: Duration,
    bytes: usize,
}

async fn open(page: &Page<'_>) -> anyhow::Result<Opened> {
    let began = Instant::now();
    let answer = page.browser.get(&page.path).await?;
    let server = began.elapsed();
    let status = answer.status();
    let body = answer.bytes().await?;
    let whole = began.elapsed();
    ensure!(status.is_success(), "{} answered {status}", page.path);
    Ok(Opened { server, whole, bytes: body.len() })
}

fn report(before: &str, booked: i64, requests: usize, rounds: usize, measured: &[Measured]) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(measured)?);
    println!("\n{before}, at the end {}; {booked} visits are booked", figures::circumstances());
    println!("\n| page | KiB | p50 ms | p99 ms | p99 of the rounds | last byte, p50 ms | p99 ms |");
    println!("|---|---|---|---|---|---|---|");
    for Measured { page, bytes, rounds, median, whole } in measured {
        let each: Vec<_> = rounds.iter().map(|one| format!("{:.1}", one.p99_ms)).collect();
        let Times { p50_ms, p99_ms } = median;
        let last = Times::median(whole);
        print!("| {page} | {} | {p50_ms:.1} | {p99_ms:.1} | {} ", bytes / 1024, each.join(", "));
        println!("| {:.1} | {:.1} |", last.p50_ms, last.p99_ms);
    }
    println!(
        "\n{requests} requests a round, one after the other over a kept connection on loopback; medians of {rounds} rounds."
    );
    let desk = measured.first().context("the desk was measured")?.median.p99_ms;
    ensure!(desk <= DESK_P99_MS, "the desk's day takes {desk:.1} ms, and is to take {DESK_P99_MS} at most");
    Ok(())
}
