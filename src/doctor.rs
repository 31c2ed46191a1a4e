//! `bedside doctor`: checks everything, and sees that media flows.

use service::config::Config;
use std::process::ExitCode;

/// Checks the installation that `config` describes.
pub async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let _ = config;
    anyhow::bail!("not yet")
}
