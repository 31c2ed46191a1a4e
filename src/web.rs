//! `bedside web`: the pages, as a process.

use crate::{
    process::Process,
    services::{self, Parts},
};
use service::config::Config;

/// Serves the pages on `BIND_ADDR` until a signal.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let process = Process::begin()?;
    let parts = Parts::connect(&config).await?;
    let internal = services::bind("INTERNAL_ADDR", config.settings.internal_addr).await?;
    process.answer_health(internal, parts.health(process.draining.clone()));
    let listener = services::bind("BIND_ADDR", config.settings.bind_addr).await?;
    process.serve(listener, services::web(&parts, &config, process.draining.clone())?);
    process.end().await;
    Ok(())
}
