//! `bedside up`: everything in one process, with a private Postgres and Redis when none is named.

mod everything;
mod folder;
mod postgres;
mod private;
mod programs;
mod progress;
mod ready;
mod redis;
mod secrets;

use crate::{demo, services, services::Parts};
use anyhow::{Context as _, ensure};
use clap::Args;
use everything::Everything;
use folder::Folder;
use private::Private;
use progress::step;
use ready::Ready;
use scheduler::demo::Demo;
use service::{
    config::{Config, Settings},
    keys::Keys,
    random::SystemRandom,
    shutdown, telemetry,
};
use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt as _, path::Path, time::Instant};

/// What can be said to `bedside up`.
#[derive(Debug, Args)]
pub struct Options {
    /// Begin anew: delete what the private Postgres under .bedside/ holds.
    #[arg(long)]
    fresh: bool,
    /// Make no demo clinics.
    #[arg(long)]
    no_demo: bool,
    #[command(flatten)]
    settings: Settings,
}

/// Starts everything, says how to begin, and runs until Ctrl-C or SIGTERM.
pub async fn up(options: Options) -> anyhow::Result<()> {
    let began = Instant::now();
    let stop = shutdown::on_signals()?;
    telemetry::metrics();
    let folder = Folder::open(Path::new("."))?;
    log_to_file_unless_asked(&folder, &options.settings)?;
    let is_demo = !options.no_demo;
    let mut config = options.settings.check()?;
    config.settings.demo |= is_demo;

    // The ports first: nothing is started for an installation that cannot be reached.
    let pages = services::bind("BIND_ADDR", config.settings.bind_addr).await?;
    let internal = services::bind("INTERNAL_ADDR", config.settings.internal_addr).await?;
    config.listens_on(pages.local_addr()?)?;
    if options.fresh {
        begin_anew(&folder, &config).await?;
    }
    secrets::complete(&mut config, &folder, &SystemRandom)?;

    println!("Starting Bedside");
    let private = Private::start(&folder, &mut config).await?;
    let result = tokio::select! {
        result = serve(&folder, &config, pages, internal, stop.clone(), began) => result,
        () = private.lost() => Err(anyhow::anyhow!("the private Postgres or Redis ended by itself; see the logs in .bedside/")),
    };
    let _ = std::fs::remove_file(folder.join("ready.json"));
    println!("\nStopping");
    private.stop().await?;
    result
}

/// Names in `config` what `bedside up` keeps below the current folder, where the environment does not; whether it did.
pub fn find_private(config: &mut Config) -> bool {
    let Some(folder) = Folder::look(Path::new(".")) else { return false };
    let is_complete = config.database_url.is_some() && config.redis_url.is_some() && config.relay_key.is_some();
    secrets::find(config, &folder);
    config.database_url.get_or_insert_with(|| postgres::PrivatePostgres::url_in(&folder));
    config.redis_url.get_or_insert_with(|| redis::PrivateRedis::url_in(&folder));
    !is_complete
}

async fn serve(
    folder: &Folder,
    config: &Config,
    pages: tokio::net::TcpListener,
    internal: tokio::net::TcpListener,
    stop: tokio_util::sync::CancellationToken,
    began: Instant,
) -> anyhow::Result<()> {
    let database_url = config.database_url()?;
    step("Database schema", async {
        service::postgres::migrate(database_url)
            .await
            .context("the database of DATABASE_URL cannot be brought up to date")
    })
    .await?;
    let parts = Parts::connect(config).await?;
    let keys = Keys::derive(config.secret()?)?;
    let (demo, tokens) = if config.settings.demo {
        step("Demo clinics", demo::make_with_tokens(&parts.db, &keys.demo_token)).await?
    } else {
        (Demo::default(), Vec::new())
    };
    let internal_address = internal.local_addr()?;
    let everything =
        step("Web, signaling, media relay, scheduler", Everything::start(&parts, config, pages, internal, stop))
            .await?;

    let ready = Ready::new(&config.public_url, internal_address, demo, tokens, &keys.visit_link);
    folder.write_private("ready.json", &ready.to_json())?;
    println!("  {:<42} {:>5.1} s", "Everything runs", began.elapsed().as_secs_f32());
    println!("{}", ready.words());
    everything.run_to_the_end().await;
    Ok(())
}

async fn begin_anew(folder: &Folder, config: &Config) -> anyhow::Result<()> {
    ensure!(
        config.database_url.is_none(),
        "--fresh deletes only what is under .bedside/, never a database of yours: unset DATABASE_URL, or drop that database yourself"
    );
    Private::stop_left_behind(folder).await?;
    folder.clear()
}

/// The terminal stays calm: log lines go to `.bedside/bedside.log`, unless RUST_LOG asks for them.
fn log_to_file_unless_asked(folder: &Folder, settings: &Settings) -> anyhow::Result<()> {
    if std::env::var_os("RUST_LOG").is_some() {
        return telemetry::init(&settings.log, settings.log_format);
    }
    let file =
        OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(folder.join("bedside.log"))?;
    telemetry::init_with_writer(&settings.log, settings.log_format, file)
}
