//! `bedside signaling`: who is in the room, offers and answers, chat, as a process.

use crate::{
    process::Process,
    services::{self, Parts},
};
use service::{config::Config, shutdown::GRACE};

/// Serves signaling on `BIND_ADDR` until a signal.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let process = Process::begin()?;
    let parts = Parts::connect(&config).await?;
    let internal = services::bind("INTERNAL_ADDR", config.settings.internal_addr).await?;
    process.answer_health(internal, parts.health(process.draining.clone()));
    let listener = services::bind("BIND_ADDR", config.settings.bind_addr).await?;
    let node = services::signaling(&parts, &config, process.draining.clone())?;
    process.serve(listener, ::signaling::router(node.clone()));
    process.draining.cancelled().await;
    node.drained(GRACE).await;
    process.end().await;
    Ok(())
}
