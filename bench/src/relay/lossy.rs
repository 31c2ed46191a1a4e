//! S6: what a server makes of a path that loses, delays and reorders, one row for each kind of path.

use super::{
    crowd::Crowd,
    figures::{Phase, Repair, Row},
    generator::{ROUND_TRIP_TIME, Tally},
    path::{Conditions, Impairer, Profile, Report, loss::Loss},
    run::{Stand, Turn},
    window,
};
use anyhow::Context as _;
use std::time::Duration;
use tokio::time::sleep;

/// A round trip between a participant and the server within a region, and across an ocean.
pub(super) const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_millis(150);
/// A long jitter of a radio link.
const JITTER: Duration = Duration::from_millis(20);
/// How long a burst of losses is on average, packets.
const BURST: f64 = 4.0;
/// Every track has begun to be counted before the path begins to lose: sound is looked at ten times a second.
const LEAD_TIME: Duration = Duration::from_millis(300);
/// After the window nothing is lost any more, and what is on its way may come.
const SETTLE_TIME: Duration = Duration::from_millis(1_500);
/// A path whose datagrams come out so much later than they should is a measure of itself.
const MAX_PATH_LATE_US: u64 = 5_000;

/// One kind of path, the same both ways.
pub(super) struct Case {
    loss: Losses,
    round_trip: Duration,
    jitter: Option<Order>,
}

#[derive(Clone, Copy)]
enum Losses {
    None,
    Each(f64),
    Bursts(f64),
}

#[derive(Clone, Copy)]
enum Order {
    Kept,
    Lost,
}

/// Every kind.
pub(super) const CASES: [Case; 10] = [
    Case { loss: Losses::Each(0.02), round_trip: SHORT, jitter: None },
    Case { loss: Losses::Each(0.05), round_trip: SHORT, jitter: None },
    Case { loss: Losses::Each(0.1), round_trip: SHORT, jitter: None },
    Case { loss: Losses::Bursts(0.05), round_trip: SHORT, jitter: None },
    Case { loss: Losses::None, round_trip: SHORT, jitter: Some(Order::Kept) },
    Case { loss: Losses::None, round_trip: SHORT, jitter: Some(Order::Lost) },
    Case { loss: Losses::Each(0.02), round_trip: LONG, jitter: None },
    Case { loss: Losses::Each(0.05), round_trip: LONG, jitter: None },
    Case { loss: Losses::Each(0.1), round_trip: LONG, jitter: None },
    Case { loss: Losses::Bursts(0.05), round_trip: LONG, jitter: None },
];

impl Case {
    /// As the rows are called.
    fn name(&self) -> String {
        let loss = match self.loss {
            Losses::None => "no loss".to_owned(),
            Losses::Each(part) => format!("{:.0} % lost", part * 100.0),
            Losses::Bursts(part) => format!("{:.0} % lost in bursts", part * 100.0),
        };
        let jitter = match self.jitter {
            None => "",
            Some(Order::Kept) => ", jitter in order",
            Some(Order::Lost) => ", jitter that reorders",
        };
        format!("S6 {loss}, {} ms{jitter}", self.round_trip.as_millis())
    }

    fn conditions(&self) -> Conditions {
        let loss = match self.loss {
            Losses::None => Loss::None,
            Losses::Each(part) => Loss::Independent(part),
            Losses::Bursts(part) => Loss::in_bursts(part, BURST),
        };
        Conditions::both(Profile {
            loss,
            delay: self.round_trip / 2,
            jitter: if self.jitter.is_some() { JITTER } else { Duration::ZERO },
            reorders: matches!(self.jitter, Some(Order::Lost)),
            rate: None,
        })
    }
}

impl Turn<'_> {
    /// One path after the other, with the same people.
    pub(super) async fn lossy(&self, stand: &Stand<'_>, tell: &mut impl FnMut(Row)) -> anyhow::Result<()> {
        let path = stand.path.as_deref().context("there is a path between them")?;
        let mut crowd = Crowd::new(stand.server, stand.peers, stand.generator, &self.room);
        let took = crowd.grow_to(self.full(), Duration::ZERO).await?;
        for case in &CASES {
            let mut row = Row { scenario: case.name(), ..self.row(1.0) };
            // Everybody joins, and each window begins, over a path that loses nothing.
            path.set(Conditions::long(case.round_trip));
            self.note_settling(&crowd, &mut row).await;
            sleep(self.plan.warm_up.max(ROUND_TRIP_TIME + Duration::from_secs(1))).await;
            self.window_of(case, stand, path, &crowd, &mut row).await?;
            self.finish(stand, &crowd, (0, took), &mut row).await?;
            tell(row);
        }
        Ok(())
    }

    async fn window_of(
        &self,
        case: &Case,
        stand: &Stand<'_>,
        path: &Impairer,
        crowd: &Crowd<'_>,
        row: &mut Row,
    ) -> anyhow::Result<()> {
        path.report().await?;
        let opened = window::open(stand.generator, stand.server.processes(), u32::MAX).await?;
        sleep(LEAD_TIME).await;
        path.set(case.conditions());
        sleep(self.plan.window).await;
        let window = opened.close().await?;
        let happened = path.report().await?;
        path.set(Conditions::long(case.round_trip));
        sleep(SETTLE_TIME).await;
        let after = stand.generator.report().await?;
        window.fill(row);
        row.loss = part(after.expected().saturating_sub(after.arrived()), window.tally.expected());
        row.repair =
            Some(repair(&window.tally, &after, &happened, window.seconds / 60.0 * crowd.participants() as f64));
        if let Some(doubt) = doubt(&happened) {
            row.judged = false;
            row.notes.push(doubt);
        }
        Ok(())
    }
}

/// `at_end` was counted until the path lost nothing any more, `after` until what was on its way had come: what is missing then is lost.
fn repair(at_end: &Tally, after: &Tally, happened: &Report, minutes_of_all: f64) -> Repair {
    let (up, down) = (happened.up.pictures, happened.down.pictures);
    let lost = up.lost + down.lost;
    let never = |arrivals: super::generator::Arrivals| arrivals.expected.saturating_sub(arrivals.arrived);
    let delay = |quantile| after.frame_delay.value_at_quantile(quantile) as f64 / 1e3;
    let late = after.frames_expected.saturating_sub(after.frames_on_time);
    Repair {
        path_loss: part(lost, up.given + down.given),
        residual: part(never(after.pictures), at_end.pictures.expected),
        residual_sound: part(never(after.sounds), at_end.sounds.expected),
        asked_per_lost: part(after.nacked + after.asked, lost),
        resent_per_lost: part(after.resent + after.retransmitted, lost),
        // Whatever is made while things settle can only be late.
        frames_on_time: (1.0 - part(late, at_end.frames_expected)).max(0.0),
        frame_delay: Phase { p50: delay(0.5), p99: delay(0.99) },
        keyframes_a_minute: after.keyframes_wanted as f64 / minutes_of_all.max(1e-9),
    }
}

fn part(some: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { some as f64 / all as f64 }
}

/// Why the path itself may be what was measured.
pub(super) fn doubt(happened: &Report) -> Option<String> {
    let late = happened.late.value_at_quantile(0.99);
    if late > MAX_PATH_LATE_US {
        return Some(format!("the path was the bottleneck: {:.1} ms behind itself (p99)", late as f64 / 1e3));
    }
    let failures = happened.failures;
    (failures > 0).then(|| format!("the path was the bottleneck: the system did not take {failures} of its packets"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_path_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<String> = CASES.iter().map(Case::name).collect();
        assert_eq!(names.len(), CASES.len());
        assert_eq!(CASES[3].name(), "S6 5 % lost in bursts, 50 ms");
        assert_eq!(CASES[5].name(), "S6 no loss, 50 ms, jitter that reorders");
    }

    #[test]
    fn a_round_trip_goes_both_ways() {
        let conditions = CASES[0].conditions();
        assert_eq!(conditions.up.delay + conditions.down.delay, SHORT);
    }
}
