//! S7: what a server sends to whom the path has become too narrow, and how soon all is well when it is wide again.

use super::{
    crowd::Crowd,
    figures::{Narrow, Row},
    lossy::{SHORT, doubt},
    path::{Conditions, Impairer, Profile, Report, link::Rate},
    run::{Stand, Turn},
    window,
};
use anyhow::Context as _;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// What the path to each receiver takes, bits a second: enough for sound and the largest picture, then not.
const WIDE: f64 = 4_000_000.0;
const NARROW: f64 = 1_000_000.0;
/// The queue of a plain router: what it passes in 300 ms when it is narrow.
const QUEUE_BYTES: usize = 37_500;
/// Two packets.
const BURST_BYTES: usize = 3_000;
/// How often it narrows and widens in a row, each time for a window in all.
const PERIODS: u32 = 2;
/// How often pictures are looked at while it is wide again, and over how long.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS: usize = 6;
/// Of the pictures that could be shown before, so many must be again.
const RECOVERED: f64 = 0.9;

/// What one period came to.
struct Period {
    happened: Report,
    narrow: Duration,
    recovery: Option<Duration>,
}

impl Turn<'_> {
    /// A quarter of each window is wide, half of it narrow, a quarter wide again.
    pub(super) async fn narrowing(&self, stand: &Stand<'_>, tell: &mut impl FnMut(Row)) -> anyhow::Result<()> {
        let path = stand.path.as_deref().context("there is a path between them")?;
        let mut crowd = Crowd::new(stand.server, stand.peers, stand.generator, &self.room);
        path.set(at_rate(WIDE));
        let took = crowd.grow_to(self.full(), Duration::ZERO).await?;
        let mut row = self.row(1.0);
        self.note_settling(&crowd, &mut row).await;
        sleep(self.plan.warm_up).await;
        path.report().await?;
        let opened = window::open(stand.generator, stand.server.processes(), u32::MAX).await?;
        let mut periods = Vec::new();
        for _ in 0..PERIODS {
            periods.push(self.period(stand, path).await?);
        }
        let window = opened.close().await?;
        window.fill(&mut row);
        row.narrow = Some(narrow(&periods, crowd.participants()));
        for doubt in periods.iter().filter_map(|period| doubt(&period.happened)) {
            row.judged = false;
            row.notes.push(doubt);
        }
        row.notes.extend(remarks(&row));
        self.finish(stand, &crowd, (0, took), &mut row).await?;
        tell(row);
        Ok(())
    }

    async fn period(&self, stand: &Stand<'_>, path: &Impairer) -> anyhow::Result<Period> {
        let quarter = self.plan.window / 4;
        let shown = || stand.generator.progress().shown;
        let (before, began) = (shown(), Instant::now());
        sleep(quarter).await;
        let each_second = (shown() - before) as f64 / began.elapsed().as_secs_f64();
        path.report().await?;
        let narrowed = Instant::now();
        path.set(at_rate(NARROW));
        sleep(quarter * 2).await;
        let (happened, narrow) = (path.report().await?, narrowed.elapsed());
        path.set(at_rate(WIDE));
        let widened = Instant::now();
        let mut looks = vec![(widened, shown())];
        let mut recovery = None;
        while widened.elapsed() < quarter {
            sleep(LOOK).await;
            looks.push((Instant::now(), shown()));
            if recovery.is_none() && is_well(&looks, each_second) {
                recovery = Some(widened.elapsed());
            }
        }
        Ok(Period { happened, narrow, recovery })
    }
}

/// Whether as many pictures could be shown lately as should be.
fn is_well(looks: &[(Instant, u64)], each_second: f64) -> bool {
    let [.., last] = looks else { return false };
    let Some(first) = looks.len().checked_sub(LOOKS + 1).map(|at| looks[at]) else { return false };
    (last.1 - first.1) as f64 >= RECOVERED * each_second * (last.0 - first.0).as_secs_f64()
}

fn at_rate(bits_per_second: f64) -> Conditions {
    let rate = Rate { bits_per_second, burst_bytes: BURST_BYTES, queue_bytes: QUEUE_BYTES };
    let up = Profile::long(SHORT / 2);
    Conditions { up, down: Profile { rate: Some(rate), ..up } }
}

fn narrow(periods: &[Period], receivers: usize) -> Narrow {
    let seconds: f64 = periods.iter().map(|period| period.narrow.as_secs_f64()).sum();
    let down = || periods.iter().map(|period| &period.happened.down);
    let bits = down().map(|down| down.media_bytes).sum::<u64>() as f64 * 8.0;
    let fates = || down().flat_map(|down| [down.pictures, down.sounds]);
    let (given, dropped) = fates().fold((0, 0), |sum, fates| (sum.0 + fates.given, sum.1 + fates.dropped));
    let queue = down().map(|down| down.waited.value_at_quantile(0.99)).max().unwrap_or(0);
    let recoveries: Option<Vec<Duration>> = periods.iter().map(|period| period.recovery).collect();
    Narrow {
        sent: bits / (NARROW * seconds * receivers as f64).max(1.0),
        dropped: dropped as f64 / f64::max(f64::from(u32::try_from(given).unwrap_or(u32::MAX)), 1.0),
        queue_p99: queue as f64 / 1e3,
        recovery: recoveries.and_then(|all| all.into_iter().max()).map(|longest| longest.as_secs_f64()),
    }
}

fn remarks(row: &Row) -> Vec<String> {
    let Some(narrow) = row.narrow else { return Vec::new() };
    let mut remarks = vec!["publishers of the generator do not adapt: only the server could send less".to_owned()];
    if narrow.sent > 1.05 {
        let times = narrow.sent;
        remarks.push(format!(
            "it sends {times:.1} times what the path takes: it does not notice that it is narrow, or cannot send less"
        ));
    }
    if narrow.recovery.is_none() {
        remarks.push("it had not recovered by the end of the window".to_owned());
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_well_when_pictures_come_as_before() {
        let start = Instant::now();
        let looks = |each: u64| (0..10).map(|n| (start + LOOK * n as u32, n * each)).collect::<Vec<_>>();
        // Ten looks at 20 a second: 60 pictures a second are three a look.
        assert!(is_well(&looks(3), 60.0) && !is_well(&looks(2), 60.0));
        assert!(!is_well(&looks(3)[..4], 60.0), "not after so short a time");
    }
}
