//! Turns that are more than a ladder of loads: the most rooms, the storm of joins, rooms that come and go.

use super::{
    accounting,
    crowd::Crowd,
    figures::Row,
    run::{Stand, Turn},
    window,
};
use std::{
    fs,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// Beyond this a relay has too many rooms.
const MAX_LOSS: f64 = 0.001;
const MAX_P99_US: f64 = 20_000.0;
/// How long each number of rooms is tried.
const TRIAL: Duration = Duration::from_secs(5);
/// How often the distance between enough and too much is halved: to a thirtieth, which is less than the noise.
const HALVINGS: usize = 4;
/// Rooms that join in a storm, as part of a full load, and for how long they come.
const STORM: f64 = 2.0;
const STORM_SECONDS: u64 = 5;
/// A room comes and the oldest goes, so often.
const CHURN: Duration = Duration::from_millis(100);

impl Turn<'_> {
    /// The most rooms without loss or delay: more by a quarter until it is too much, then halfway between, a few times.
    pub(super) async fn most(&self, stand: &Stand<'_>, crowd: &mut Crowd<'_>) -> anyhow::Result<Row> {
        let (mut rooms, mut too_many) = (crowd.rooms(), None);
        let mut best: Option<Row> = None;
        let mut why = "nothing was lost or late".to_owned();
        let mut halved = 0;
        while halved < HALVINGS {
            while crowd.rooms() > rooms {
                crowd.leave_oldest().await?;
            }
            let load = rooms as f64 / self.full() as f64;
            let row = self.step(stand, crowd, rooms, load, TRIAL).await?;
            match too_much(&row) {
                None => best = Some(row),
                Some(reason) => (too_many, why) = (Some(rooms), reason),
            }
            let good = best.as_ref().map_or(0, |row| row.rooms);
            rooms = match too_many {
                None => good + good.div_ceil(4),
                Some(bad) if bad - good > 1 => usize::midpoint(good, bad),
                Some(_) => break,
            };
            halved += usize::from(too_many.is_some());
        }
        let mut row = best.unwrap_or_else(|| self.row(1.0));
        row.scenario = format!("{} most", self.scenario);
        row.load = 1.0;
        row.notes.push(format!("more was too much: {why}"));
        Ok(row)
    }

    /// Rooms join within seconds while others are measured.
    pub(super) async fn storm(&self, stand: &Stand<'_>, tell: &mut impl FnMut(Row)) -> anyhow::Result<()> {
        let mut crowd = Crowd::new(stand.server, stand.peers, stand.generator, &self.room);
        crowd.grow_to(self.full(), Duration::ZERO).await?;
        let mut row = self.row(1.0);
        self.note_settling(&crowd, &mut row).await;
        sleep(self.plan.warm_up).await;
        let running = crowd.next_room();
        let opened = window::open(stand.generator, stand.server.processes(), running).await?;
        let all = self.full() + ((self.full() as f64 * STORM) as usize).max(1);
        let took = crowd.grow_to(all, Duration::from_secs(STORM_SECONDS)).await?;
        let settled = crowd.settled().await;
        opened.close().await?.fill(&mut row);
        if let Err(progress) = settled {
            row.notes.push(format!("{} of {} receive everything", progress.flowing, progress.transports));
        }
        self.finish(stand, &crowd, (running, took), &mut row).await?;
        row.notes.push(format!("latency and loss are those of the {running} rooms that were there before"));
        tell(row);
        Ok(())
    }

    /// Rooms come and go for four windows; memory and open files should not grow with them.
    pub(super) async fn churn(&self, stand: &Stand<'_>, tell: &mut impl FnMut(Row)) -> anyhow::Result<()> {
        let mut crowd = Crowd::new(stand.server, stand.peers, stand.generator, &self.room);
        let took = crowd.grow_to(self.full(), Duration::ZERO).await?;
        let mut row = self.row(1.0);
        self.note_settling(&crowd, &mut row).await;
        let quarter = self.plan.window;
        self.replace_rooms(&mut crowd, quarter).await?;
        let before = self.holdings(stand);
        let opened = window::open(stand.generator, stand.server.processes(), u32::MAX).await?;
        let replaced = self.replace_rooms(&mut crowd, quarter * 3).await?;
        opened.close().await?.fill(&mut row);
        let after = self.holdings(stand);
        self.finish(stand, &crowd, (0, took), &mut row).await?;
        row.notes.push(format!("{replaced} rooms replaced"));
        row.notes.push(format!("memory {:.1} → {:.1} MB, files {} → {}", before.0, after.0, before.1, after.1));
        tell(row);
        Ok(())
    }

    async fn replace_rooms(&self, crowd: &mut Crowd<'_>, during: Duration) -> anyhow::Result<usize> {
        let (began, mut replaced) = (Instant::now(), 0);
        while began.elapsed() < during {
            crowd.leave_oldest().await?;
            crowd.grow_to(self.full(), Duration::ZERO).await?;
            replaced += 1;
            sleep(CHURN).await;
        }
        // Those who came last are on their way; what is missing then shows as silent tracks.
        let _ = crowd.settled().await;
        Ok(replaced)
    }

    /// Memory in MB and open files of the server.
    fn holdings(&self, stand: &Stand<'_>) -> (f64, usize) {
        let processes = stand.server.processes();
        let files = processes.iter().filter_map(|process| fs::read_dir(format!("/proc/{process}/fd")).ok());
        (accounting::pss(&processes).unwrap_or_default() as f64 / 1e6, files.map(Iterator::count).sum())
    }
}

/// Why these were more rooms than the server, or the generator, can do.
fn too_much(row: &Row) -> Option<String> {
    let rooms = row.rooms;
    let p99_us = row.latency.map_or(f64::INFINITY, |latency| latency.p99);
    if !row.judged {
        return Some(format!("{rooms} rooms: {}", row.notes.join("; ")));
    }
    let is_well = row.loss <= MAX_LOSS && p99_us <= MAX_P99_US && row.silent_tracks == 0;
    let (lost, p99_ms, silent) = (row.loss * 100.0, p99_us / 1_000.0, row.silent_tracks);
    (!is_well).then(|| format!("{rooms} rooms: {lost:.2} % lost, p99 {p99_ms:.1} ms, {silent} tracks silent"))
}
