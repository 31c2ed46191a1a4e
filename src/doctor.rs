//! `bedside doctor`: checks everything in the order in which things depend on each other, and sees that media flows.

mod checks;
mod media;
mod report;

use report::{Finding, Report};
use service::config::Config;
use std::process::ExitCode;

/// Checks the installation that `config` describes, and prints what it finds.
///
/// # Errors
/// Never: what is wrong is part of the report, and of the exit status.
pub async fn run(mut config: Config) -> anyhow::Result<ExitCode> {
    let mut report = Report::begins();
    report.finding("Configuration", checks::configuration(&mut config));
    let postgres = report.finding("Postgres", checks::postgres(&config).await);
    report.after(postgres, "Schema", "Postgres", checks::schema(&config)).await;
    report.after(postgres, "Clock", "Postgres", checks::clock(&config)).await;
    let redis = report.finding("Redis", checks::redis(&config).await);
    if !redis {
        report.finding("Media", Finding::unchecked("media relays announce themselves in Redis, which does not answer"));
        return Ok(report.ends());
    }
    match checks::relays(&config).await {
        Ok(relays) => {
            for relay in &relays {
                report.finding("Media", media::flows(&config, relay).await);
            }
        }
        Err(finding) => drop(report.finding("Media", finding)),
    }
    Ok(report.ends())
}
