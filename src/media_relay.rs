//! `bedside media-relay`: packets in, packets out, as a process that knows no database.

use crate::{process::Process, services};
use service::{config::Config, health::Health, random::SystemRandom};
use std::sync::Arc;

/// Forwards media until a signal.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let process = Process::begin()?;
    let internal = services::bind("INTERNAL_ADDR", config.settings.internal_addr).await?;
    process.answer_health(internal, Health::new(process.draining.clone()));
    let relay = services::relay(&config)?;
    process.work("media-relay", ::media_relay::run(relay, Arc::new(SystemRandom), process.draining.clone()));
    process.end().await;
    Ok(())
}
