//! `bedside scheduler`: the passing of time, as a process.

use crate::{
    process::Process,
    services::{self, Parts},
};
use service::config::Config;

/// Works until a signal.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let process = Process::begin()?;
    let parts = Parts::connect(&config).await?;
    let internal = services::bind("INTERNAL_ADDR", config.settings.internal_addr).await?;
    process.answer_health(internal, parts.health(process.draining.clone()));
    process.work("scheduler", ::scheduler::run(services::scheduler(&parts, &config)?, process.draining.clone()));
    process.end().await;
    Ok(())
}
