//! A whole run: every target in every scenario, in turns, round after round.

use super::{
    accounting,
    crowd::Crowd,
    figures::Row,
    generator::Generator,
    lossy,
    path::{Conditions, Impairer},
    peer::{PeerFactory, keys::Suite},
    scenario::{Room, Scenario},
    syscalls,
    target::{Missing, Place, Server, Target},
    window,
};
use std::{fs, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::time::sleep;

/// How long the system calls of a server are looked at.
const SYSCALL_LOOK: Duration = Duration::from_secs(2);
/// A server that uses so much of its core, or loses so many packets, has more than it can do: what a packet costs it then is that of
/// queues that overflow, and more of the same says nothing.
const OVERWHELMED_CORE: f64 = 0.93;
const OVERWHELMED_LOSS: f64 = 0.01;

/// How a run is done.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What is measured.
    pub scenarios: Vec<Scenario>,
    /// How often each.
    pub rounds: usize,
    /// How long a window is.
    pub window: Duration,
    /// How long before each window nothing is counted.
    pub warm_up: Duration,
    /// Parts of the full load, ascending.
    pub loads: Vec<f64>,
    /// In so many rounds all loads are measured.
    pub growth_rounds: usize,
    /// In the others, those of these; the last one when there are none.
    pub repeated: Vec<f64>,
    /// Rooms of a full load, when not those of the scenario.
    pub rooms: Option<usize>,
    /// Look for the most rooms as well.
    pub most: bool,
    /// What the dice begin with.
    pub seed: u64,
    /// What the generator offers.
    pub srtp: Suite,
    /// The server's processor.
    pub server_cpu: usize,
    /// Where servers write.
    pub scratch: PathBuf,
    /// Where they receive media.
    pub address: IpAddr,
}

impl Plan {
    /// How many windows there will be.
    pub fn windows(&self, targets: usize) -> usize {
        let of = |scenario: &Scenario, round| match scenario {
            Scenario::S5 | Scenario::S7 | Scenario::S8 => 1,
            Scenario::S6 => lossy::CASES.len(),
            _ => self.loads_of(round).len() + usize::from(self.most),
        };
        let rounds = (1..=self.rounds).flat_map(|round| self.scenarios.iter().map(move |scenario| of(scenario, round)));
        rounds.sum::<usize>() * targets
    }

    /// The loads of a round, ascending. How the cost grows shows in few rounds; what it is needs many.
    fn loads_of(&self, round: usize) -> Vec<f64> {
        if round <= self.growth_rounds {
            return self.loads.clone();
        }
        let is_repeated = |load: &f64| self.repeated.iter().any(|other| (load - other).abs() < 1e-9);
        let repeated: Vec<f64> = self.loads.iter().copied().filter(is_repeated).collect();
        if repeated.is_empty() { self.loads.last().copied().into_iter().collect() } else { repeated }
    }
}

/// One target in one scenario and round.
pub(super) struct Turn<'a> {
    pub plan: &'a Plan,
    pub target: &'a dyn Target,
    pub scenario: Scenario,
    pub round: usize,
    pub room: Room,
}

/// What a turn works with while its server runs.
pub(super) struct Stand<'a> {
    pub server: &'a dyn Server,
    pub generator: &'a Generator,
    pub peers: &'a PeerFactory,
    /// What the server has without anybody.
    pub empty: Option<u64>,
    /// Between them, where the scenario wants a bad path.
    pub path: Option<Arc<Impairer>>,
}

/// Measures everything and tells each row as it comes.
///
/// # Errors
/// When the bench itself cannot go on; what a target cannot do is in its rows.
pub async fn run(plan: &Plan, targets: &[Box<dyn Target>], mut tell: impl FnMut(Row)) -> anyhow::Result<()> {
    for scenario in &plan.scenarios {
        // The load at which each target had more than it could do.
        let mut too_much = vec![f64::INFINITY; targets.len()];
        for round in 1..=plan.rounds {
            // A-B-A-B: what changes on the machine meanwhile meets all alike; who begins changes too.
            let first = (round - 1) % targets.len().max(1);
            for number in 0..targets.len() {
                let number = (first + number) % targets.len();
                let target = targets[number].as_ref();
                let room = scenario.room(target.limits());
                let turn = Turn { plan, target, scenario: *scenario, round, room };
                turn.take(&mut too_much[number], &mut tell).await?;
            }
        }
    }
    Ok(())
}

impl Turn<'_> {
    async fn take(&self, too_much: &mut f64, tell: &mut impl FnMut(Row)) -> anyhow::Result<()> {
        let scratch = self.plan.scratch.join(self.target.name());
        fs::create_dir_all(&scratch)?;
        let place = Place { cpu: self.plan.server_cpu, scratch, address: self.plan.address };
        let server = match self.target.start(&place).await {
            Ok(server) => server,
            Err(Missing { why }) => {
                tell(Row { notes: vec![format!("not measured: {why}")], ..self.row(1.0) });
                return Ok(());
            }
        };
        let generator = Generator::start(self.plan.seed.wrapping_add(self.round as u64))?;
        let path = self.path()?;
        let peers =
            PeerFactory::new(self.plan.address, self.plan.seed.wrapping_add(self.round as u64), self.plan.srtp)?;
        let peers = peers.through(path.clone());
        let empty = accounting::pss(&server.processes());
        let stand = Stand { server: server.as_ref(), generator: &generator, peers: &peers, empty, path };
        let measured = match self.scenario {
            Scenario::S5 => self.storm(&stand, tell).await,
            Scenario::S6 => self.lossy(&stand, tell).await,
            Scenario::S7 => self.narrowing(&stand, tell).await,
            Scenario::S8 => self.churn(&stand, tell).await,
            _ => self.ladder(&stand, too_much, tell).await,
        };
        if let Err(error) = measured {
            let why = format!("it went wrong on the way: {error:#}");
            tell(Row { notes: vec![why], ..self.row(1.0) });
        }
        drop(generator);
        server.stop().await;
        Ok(())
    }

    /// What stands between generator and server; nothing yet but the length of the way.
    fn path(&self) -> anyhow::Result<Option<Arc<Impairer>>> {
        if !matches!(self.scenario, Scenario::S6 | Scenario::S7) {
            return Ok(None);
        }
        let seed = self.plan.seed.wrapping_add(self.round as u64);
        Ok(Some(Arc::new(Impairer::start(self.plan.address, seed, Conditions::long(lossy::SHORT))?)))
    }

    /// A row without figures.
    pub(super) fn row(&self, load: f64) -> Row {
        let codecs = if self.scenario == Scenario::S4 { "Opus" } else { "Opus, VP8" };
        Row {
            target: self.target.name().to_owned(),
            configuration: self.target.configuration(),
            scenario: self.scenario.to_string(),
            load,
            round: self.round,
            codecs: codecs.to_owned(),
            ..Row::default()
        }
    }

    pub(super) fn full(&self) -> usize {
        self.plan.rooms.unwrap_or_else(|| self.scenario.rooms_like(&self.room)).max(1)
    }

    /// Load after load at the same server, each with what the one before left, up to the one that is too much for it.
    async fn ladder(&self, stand: &Stand<'_>, too_much: &mut f64, tell: &mut impl FnMut(Row)) -> anyhow::Result<()> {
        let mut crowd = Crowd::new(stand.server, stand.peers, stand.generator, &self.room);
        let loads = self.plan.loads_of(self.round);
        for load in &loads {
            if *load > *too_much {
                let why =
                    format!("not measured: {:.0} % of this load are too much for it already", *too_much / load * 100.0);
                tell(Row { notes: vec![why], ..self.row(*load) });
                continue;
            }
            let rooms = ((self.full() as f64 * load).round() as usize).max(1);
            let mut row = self.step(stand, &mut crowd, rooms, *load, self.plan.window).await?;
            if is_overwhelmed(&row) {
                *too_much = too_much.min(*load);
                row.notes.push("it has more than it can do".to_owned());
            }
            // They are the same in every round.
            if self.round == 1 && (loads.last() == Some(load) || *too_much <= *load) {
                self.count_syscalls(stand, &mut row).await?;
            }
            tell(row);
        }
        if self.plan.most {
            tell(self.most(stand, &mut crowd).await?);
        }
        Ok(())
    }

    /// Looks at the system calls of a server under its full load, after the window: the look slows it down.
    async fn count_syscalls(&self, stand: &Stand<'_>, row: &mut Row) -> anyhow::Result<()> {
        stand.generator.begin(u32::MAX).await?;
        let processes = stand.server.processes();
        let looked = tokio::task::spawn_blocking(move || syscalls::sample(&processes, SYSCALL_LOOK)).await?;
        let forwarded = stand.generator.report().await?.received;
        match looked {
            Ok(counts) if forwarded > 0 => {
                row.syscalls_per_packet = Some(counts.values().sum::<u64>() as f64 / forwarded as f64);
            }
            Ok(_) => {}
            Err(why) => row.notes.push(format!("system calls are not measured: {why}")),
        }
        Ok(())
    }

    /// Lets rooms come until there are so many, and measures a window.
    pub(super) async fn step(
        &self,
        stand: &Stand<'_>,
        crowd: &mut Crowd<'_>,
        rooms: usize,
        load: f64,
        seconds: Duration,
    ) -> anyhow::Result<Row> {
        let mut row = self.row(load);
        let new = crowd.next_room();
        let took = crowd.grow_to(rooms, Duration::ZERO).await?;
        self.note_settling(crowd, &mut row).await;
        sleep(self.plan.warm_up).await;
        let opened = window::open(stand.generator, stand.server.processes(), u32::MAX).await?;
        sleep(seconds).await;
        opened.close().await?.fill(&mut row);
        self.finish(stand, crowd, (new, took), &mut row).await?;
        Ok(row)
    }

    pub(super) async fn note_settling(&self, crowd: &Crowd<'_>, row: &mut Row) {
        row.notes.extend(self.room.notes.iter().cloned());
        if let Err(progress) = crowd.settled().await {
            let (flowing, all) = (progress.flowing, progress.transports);
            row.notes.push(format!("{flowing} of {all} receive everything, {} are connected", progress.connected));
        }
    }

    /// Who is there, what they cost, and how those came in who have come since room `new` was the next, which `took` so long.
    pub(super) async fn finish(
        &self,
        stand: &Stand<'_>,
        crowd: &Crowd<'_>,
        (new, took): (u32, Duration),
        row: &mut Row,
    ) -> anyhow::Result<()> {
        (row.rooms, row.participants) = (crowd.rooms(), crowd.participants());
        row.memory_per_participant = window::memory(&stand.server.processes(), stand.empty, crowd.participants());
        let entries = stand.generator.entries().await?;
        let suites: Vec<&str> = entries.iter().filter_map(|entry| entry.suite).collect();
        row.srtp = suites.first().copied().unwrap_or_default().to_owned();
        let ended: Vec<&String> = entries.iter().filter_map(|entry| entry.ended.as_ref()).collect();
        if let Some(why) = ended.first() {
            row.notes.push(format!("{} connections ended: {why}", ended.len()));
        }
        let came: Vec<_> = entries.into_iter().filter(|entry| entry.seat.room >= new).collect();
        row.join = (!came.is_empty()).then(|| window::join(&came, took));
        Ok(())
    }
}

fn is_overwhelmed(row: &Row) -> bool {
    let core = row.cpu.map_or(0.0, |cpu| cpu.user + cpu.system);
    core > OVERWHELMED_CORE || (row.judged && row.loss > OVERWHELMED_LOSS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::figures::Cpu;

    fn plan(loads: &[f64]) -> Plan {
        Plan {
            scenarios: vec![Scenario::S1, Scenario::S5],
            rounds: 5,
            window: Duration::ZERO,
            warm_up: Duration::ZERO,
            loads: loads.to_vec(),
            growth_rounds: 1,
            repeated: vec![0.25, 1.0],
            rooms: None,
            most: false,
            seed: 1,
            srtp: Suite::Gcm,
            server_cpu: 0,
            scratch: PathBuf::new(),
            address: [127, 0, 0, 1].into(),
        }
    }

    #[test]
    fn the_first_round_shows_the_growth_and_the_others_repeat_what_is_compared() {
        let plan = self::plan(&[0.125, 0.25, 0.5, 1.0]);
        assert_eq!(plan.loads_of(1), [0.125, 0.25, 0.5, 1.0]);
        assert_eq!(plan.loads_of(2), [0.25, 1.0]);
        assert_eq!(self::plan(&[0.3, 0.5]).loads_of(2), [0.5]);
        // Of S1 four and then two in each of four rounds, of S5 one in each of five.
        assert_eq!(plan.windows(3), (4 + 4 * 2 + 5) * 3);
    }

    #[test]
    fn a_server_without_processor_left_or_that_loses_has_too_much() {
        let row = |core: f64, loss: f64| Row {
            cpu: Some(Cpu { user: core / 2.0, system: core / 2.0, ..Cpu::default() }),
            loss,
            judged: true,
            ..Row::default()
        };
        assert!(is_overwhelmed(&row(0.99, 0.0)) && is_overwhelmed(&row(0.4, 0.02)));
        assert!(!is_overwhelmed(&row(0.6, 0.001)));
        let spoiled = Row { judged: false, ..row(0.4, 0.5) };
        assert!(!is_overwhelmed(&spoiled), "the generator may have been what lost them");
    }
}
