//! Logs and metrics. What may be in them is said in `docs/logging.md`.

use clap::ValueEnum;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;
use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer as _, filter::filter_fn, fmt::MakeWriter, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

/// Our own crates. What they log is ours to keep clean; others print addresses and bodies when asked for details.
const OURS: [&str; 7] = ["bedside", "service", "scheduler", "signaling", "media_relay", "web", "participant"];

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// One line for a person.
    #[default]
    Human,
    /// One JSON object a line, for a collector.
    Json,
}

/// Sends log lines to standard error, as filtered by `filter` (the syntax of `RUST_LOG`).
///
/// # Errors
/// When the filter cannot be read, or logs were set up before.
pub fn init(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    init_with_writer(filter, format, std::io::stderr)
}

/// As [`init`], with lines going to `writer`: a test reads them there.
///
/// # Errors
/// As [`init`].
pub fn init_with_writer<W>(filter: &str, format: LogFormat, writer: W) -> anyhow::Result<()>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let registry = tracing_subscriber::registry().with(EnvFilter::try_new(filter)?);
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let safe = filter_fn(is_safe);
    match format {
        LogFormat::Human => registry.with(lines.with_ansi(false).compact().with_filter(safe)).try_init()?,
        LogFormat::Json => registry.with(lines.json().flatten_event(true).with_filter(safe)).try_init()?,
    }
    Ok(())
}

/// The metrics of this process; the first call starts the recording.
pub fn metrics() -> &'static PrometheusHandle {
    static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();
    METRICS.get_or_init(|| PrometheusBuilder::new().install_recorder().expect("nobody else records metrics"))
}

/// Of other people's crates, nothing below `info` is ever logged, whatever the filter says.
fn is_safe(metadata: &Metadata<'_>) -> bool {
    let root = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() <= Level::INFO || OURS.contains(&root)
}
