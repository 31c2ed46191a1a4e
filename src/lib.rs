//! The executable's inside: one file per subcommand, and `services`, which puts the four services together.

pub mod configuration;
mod demo;
mod doctor;
mod media_relay;
mod migrate;
mod process;
mod recompute_times;
mod scheduler;
pub mod services;
mod signaling;
pub mod up;
mod web;

use clap::{Parser, Subcommand};
use service::{
    config::{Config, Settings},
    telemetry,
};
use std::process::ExitCode;

/// Video visits for a clinic, on your own machines.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything in one process, with a private Postgres and Redis unless DATABASE_URL and REDIS_URL are set.
    Up(#[command(flatten)] Box<up::Options>),
    /// Serve the pages.
    Web(#[command(flatten)] Box<Settings>),
    /// Serve signaling.
    Signaling(#[command(flatten)] Box<Settings>),
    /// Forward media.
    MediaRelay(#[command(flatten)] Box<Settings>),
    /// Send what is due and mark who did not come.
    Scheduler(#[command(flatten)] Box<Settings>),
    /// Bring the database's schema up to date.
    Migrate(#[command(flatten)] Box<Settings>),
    /// Compute the future times of visits again, after the rules of a time zone have changed, and list what moved.
    RecomputeTimes(#[command(flatten)] Box<Settings>),
    /// Make the demo clinics in the database.
    Demo(#[command(flatten)] Box<Settings>),
    /// Check everything, and see that media flows.
    Doctor(#[command(flatten)] Box<Settings>),
    /// Print every variable of the environment that Bedside reads, as a Markdown table.
    Config,
}

/// What must happen before anything else in the process: TLS knows its one crypto library.
pub fn prepare() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default(); // an error says that it is installed already
}

/// Does what the command line says.
///
/// # Errors
/// With what went wrong, worded for whoever typed the command.
pub fn run(line: CommandLine) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match line.command {
            Command::Up(options) => up::up(*options).await?,
            Command::Web(settings) => web::run(service(*settings)?).await?,
            Command::Signaling(settings) => signaling::run(service(*settings)?).await?,
            Command::MediaRelay(settings) => media_relay::run(service(*settings)?).await?,
            Command::Scheduler(settings) => scheduler::run(service(*settings)?).await?,
            Command::Migrate(settings) => migrate::run(&settings.check()?).await?,
            Command::RecomputeTimes(settings) => return recompute_times::run(&settings.check()?).await,
            Command::Demo(settings) => demo::run(&settings.check()?).await?,
            Command::Doctor(settings) => return doctor::run(settings.check()?).await,
            Command::Config => configuration::print(),
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Logs begin, and the configuration in force is their first line.
fn service(settings: Settings) -> anyhow::Result<Config> {
    telemetry::init(&settings.log, settings.log_format)?;
    let config = settings.check()?;
    tracing::info!("starts with this configuration\n{}", config.summary());
    Ok(config)
}
