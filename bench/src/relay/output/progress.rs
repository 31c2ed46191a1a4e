//! How far a run is: a bar with the time that is left on a terminal, a line for each window elsewhere.

use super::{compare::load, figures::number};
use crate::relay::figures::Row;
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::IsTerminal as _,
    time::{Duration, Instant},
};

/// Windows that are done and to come.
pub struct Progress {
    /// Drawn on a terminal only.
    bar: Option<ProgressBar>,
    windows: u64,
    done: std::cell::Cell<u64>,
    began: Instant,
}

impl Progress {
    /// Nothing of so many windows is done.
    pub fn new(windows: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{bar:32} {pos} of {len}, {eta} left");
            let bar = ProgressBar::new(windows).with_style(style.expect("the template is right"));
            bar.enable_steady_tick(Duration::from_millis(500));
            bar
        });
        Self { bar, windows, done: std::cell::Cell::new(0), began: Instant::now() }
    }

    /// A window is through.
    pub fn done(&self, row: &Row) {
        self.done.set(self.done.get() + 1);
        match &self.bar {
            Some(bar) => {
                bar.println(line(row));
                bar.inc(1);
            }
            None => {
                let (done, all) = (self.done.get(), self.windows);
                let left = time_left(self.began.elapsed(), done, all);
                eprintln!("[{done} of {all}, {left} min left] {}", line(row));
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Minutes until all is done, if it goes on as it went.
fn time_left(elapsed: Duration, done: u64, all: u64) -> u64 {
    let seconds = elapsed.as_secs_f64() / done.max(1) as f64 * all.saturating_sub(done) as f64;
    (seconds / 60.0).ceil() as u64
}

fn line(row: &Row) -> String {
    let what = format!("{:14} {} {:4} round {}", row.target, row.scenario, load(row.load), row.round);
    if !row.judged {
        return format!("{what}  not judged: {}", row.notes.join("; "));
    }
    let cost = row.cpu.map_or_else(|| "–".to_owned(), |cpu| number(cpu.us_per_packet));
    let core = row.cpu.map_or_else(|| "–".to_owned(), |cpu| number((cpu.user + cpu.system) * 100.0));
    let delay = row.latency.map_or_else(
        || "no delay measured".to_owned(),
        |latency| format!("delay {} / {} µs", number(latency.p50), number(latency.p99)),
    );
    format!(
        "{what}  {cost:>6} µs a packet, {core} % of a core, {} packets/s, {delay}, {} % lost, generator {} %",
        number(row.packets_out),
        number(row.loss * 100.0),
        number(row.generator_cpu * 100.0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_the_time_spent() {
        assert_eq!(time_left(Duration::from_secs(120), 2, 8), 6);
        assert_eq!(time_left(Duration::from_secs(120), 8, 8), 0);
        assert_eq!(time_left(Duration::ZERO, 0, 8), 0);
    }
}
