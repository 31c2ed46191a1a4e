//! `bedside recompute-times`: after the rules of a time zone have changed, what was agreed on stays and the instants follow.

use jiff::{Timestamp, tz::TimeZone};
use service::{clock::SystemClock, config::Config, postgres::Db};
use std::{fmt::Display, process::ExitCode};

/// Computes the future times in the database of `DATABASE_URL` again by the rules that this machine knows, and lists what moved: ids
/// and instants, no names. Fails when something needs a decision.
pub async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let db = Db::connect(config.database_url()?, 2).await?;
    let zones = |name: &str| TimeZone::get(name).ok();
    let (mut moved, mut undecided) = (0, 0);
    for (clinic, done) in ::scheduler::recompute_all(&db, &SystemClock, &zones).await? {
        for change in &done.moved {
            line("appointment", change);
        }
        for change in &done.exceptions {
            line("exception", change);
        }
        for change in &done.overlapping {
            line("OVERLAPS, NOT MOVED: appointment", change);
        }
        for zone in &done.unknown_zones {
            println!("UNKNOWN ZONE, NOT MOVED: clinic {clinic} uses {zone}");
        }
        moved += done.moved.len() + done.exceptions.len();
        undecided += done.overlapping.len() + done.unknown_zones.len();
    }
    println!("{moved} times were moved, {undecided} need a decision");
    Ok(if undecided == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line(what: &str, (id, from, to): &(impl Display, Timestamp, Timestamp)) {
    println!("{what} {id}: {from} -> {to}");
}
