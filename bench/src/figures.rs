//! Figures: percentiles and medians, and what must be said beside them.

use serde::Serialize;
use std::time::Duration;

/// How long something took that was done many times, milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Times {
    /// Half were faster.
    pub p50_ms: f64,
    /// 99 in a hundred were faster.
    pub p99_ms: f64,
}

impl Times {
    /// Of all that were measured.
    pub fn of(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        let at = |part: usize| {
            let place = (all.len() * part / 100).min(all.len().saturating_sub(1));
            all.get(place).map_or(0.0, |took| took.as_secs_f64() * 1_000.0)
        };
        Self { p50_ms: at(50), p99_ms: at(99) }
    }

    /// The median of each figure over several rounds, so that one bad second of the machine does not decide.
    pub fn median(rounds: &[Self]) -> Self {
        Self {
            p50_ms: median(rounds.iter().map(|one| one.p50_ms).collect()),
            p99_ms: median(rounds.iter().map(|one| one.p99_ms).collect()),
        }
    }
}

/// The one in the middle; 0 of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Under what a figure was measured: the build, the cores, how busy the machine is now.
pub fn circumstances() -> String {
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown").to_owned();
    format!("{profile} build, {cores} cores, load average {load}")
}
