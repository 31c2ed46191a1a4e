//! One measured window: what the generator counted, what the server used meanwhile, and whether it may be judged.

use super::{
    accounting::{self, Cpu},
    figures::{self, Join, Latency, Phase, Row},
    generator::{Entry, Generator, Tally},
};
use nix::time::{ClockId, clock_gettime};
use std::{
    collections::{HashMap, HashSet},
    fs,
    time::{Duration, Instant},
};

/// Above this share of its own processor the generator may be what is measured.
const MAX_GENERATOR_CPU: f64 = 0.85;
/// Frames that were sent more than their own time late, as part of all packets, that are no sign of a generator in need.
const MAX_LATE: f64 = 0.01;
/// Loss and delay are those of the packets that could be read; when more than this part could not, they are not those of all.
const MAX_UNREAD: f64 = 0.01;

/// What was measured in a window.
pub struct Window {
    pub(super) tally: Tally,
    cpu: Cpu,
    own_cpu: Duration,
    own_drops: u64,
    pub(super) seconds: f64,
}

/// A window that is open.
pub struct Opened<'a> {
    generator: &'a Generator,
    processes: Vec<u32>,
    cpu: Cpu,
    own_cpu: Duration,
    own_drops: u64,
    began: Instant,
}

/// Opens a window; what rooms from `below` on do is not part of it.
///
/// # Errors
/// When the generator has ended.
pub async fn open(generator: &Generator, processes: Vec<u32>, below: u32) -> anyhow::Result<Opened<'_>> {
    generator.begin(below).await?;
    let (cpu, own_cpu, own_drops) = (Cpu::of(&processes), own_cpu(), own_drops());
    Ok(Opened { generator, processes, cpu, own_cpu, own_drops, began: Instant::now() })
}

impl Opened<'_> {
    /// Closes it.
    ///
    /// # Errors
    /// When the generator has ended.
    pub async fn close(self) -> anyhow::Result<Window> {
        let tally = self.generator.report().await?;
        Ok(Window {
            tally,
            cpu: Cpu::of(&self.processes).since(&self.cpu),
            own_cpu: own_cpu().saturating_sub(self.own_cpu),
            own_drops: own_drops().saturating_sub(self.own_drops),
            seconds: self.began.elapsed().as_secs_f64(),
        })
    }
}

impl Window {
    /// Writes the window's figures into a row.
    pub fn fill(&self, row: &mut Row) {
        let tally = &self.tally;
        let each_second = |count: u64| count as f64 / self.seconds;
        row.seconds = self.seconds;
        (row.packets_in, row.packets_out) = (each_second(tally.sent), each_second(tally.received));
        (row.bytes_in, row.bytes_out) = (each_second(tally.sent_bytes), each_second(tally.received_bytes));
        row.cpu = (!self.cpu.total.is_zero()).then(|| self.cpu());
        row.latency = self.latency();
        row.loss = tally.loss();
        row.reordered = tally.reordered as f64 / tally.received.max(1) as f64;
        (row.wrong_room, row.silent_tracks) = (tally.wrong_room, tally.silent_tracks);
        row.generator_cpu = self.own_cpu.as_secs_f64() / self.seconds;
        row.judged = true;
        for doubt in self.doubts() {
            row.judged = false;
            row.notes.push(doubt);
        }
        for remark in self.remarks() {
            row.notes.push(remark);
        }
    }

    fn cpu(&self) -> figures::Cpu {
        let (user, system) = self.cpu.divided();
        let total = self.cpu.total.as_secs_f64();
        figures::Cpu {
            user: user.as_secs_f64() / self.seconds,
            system: system.as_secs_f64() / self.seconds,
            us_per_packet: total * 1e6 / self.tally.received.max(1) as f64,
            seconds_per_gb: total * 1e9 / self.tally.received_bytes.max(1) as f64,
        }
    }

    fn latency(&self) -> Option<Latency> {
        let at = |quantile| self.tally.latency_us(quantile);
        Some(Latency { p50: at(0.5)?, p99: at(0.99)?, p999: at(0.999)? })
    }

    /// Why the generator may be what was measured, or the server was not.
    fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        let share = self.own_cpu.as_secs_f64() / self.seconds;
        if share > MAX_GENERATOR_CPU {
            doubts.push(format!("the generator was the bottleneck: {:.0} % of its processor", share * 100.0));
        }
        let late = self.tally.late_frames as f64 / self.tally.sent.max(1) as f64;
        if late > MAX_LATE {
            doubts.push(format!("the generator was late with {} frames", self.tally.late_frames));
        }
        if self.own_drops > 0 {
            doubts.push(format!("the generator's own sockets dropped {} packets", self.own_drops));
        }
        if self.tally.send_failures > 0 {
            doubts.push(format!("the system did not take {} packets of the generator's", self.tally.send_failures));
        }
        let unread = self.tally.unread as f64 / self.tally.marked.max(1) as f64;
        if unread > MAX_UNREAD {
            let percent = unread * 100.0;
            doubts.push(format!(
                "loss and delay are not known: {percent:.0} % of the packets that tell them came changed"
            ));
        }
        doubts
    }

    fn remarks(&self) -> Vec<String> {
        let tally = &self.tally;
        let counts = [
            (tally.silent_tracks, "tracks were silent"),
            (tally.wrong_room, "packets came into a wrong room"),
            (tally.unreadable, "packets did not open or were not made here"),
            (tally.duplicates, "packets came twice"),
            (tally.retransmitted - tally.repaired, "retransmissions brought nothing new"),
            (tally.repaired, "lost packets were sent again"),
            (tally.given_up, "lost packets were given up"),
        ];
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect()
    }
}

/// The phases of everybody's way in; `took` is how long they came. Whoever has a transport each way has joined when both are there,
/// and receives by one of them.
pub fn join(entries: &[Entry], took: Duration) -> Join {
    let mut people: HashMap<(u32, u32), Vec<&Entry>> = HashMap::new();
    for entry in entries {
        people.entry((entry.seat.room, entry.seat.participant)).or_default().push(entry);
    }
    let phase = |of: &dyn Fn(&[&Entry]) -> Option<Duration>| {
        Phase::of(people.values().filter_map(|one| of(one)).map(|took| took.as_secs_f64() * 1e3).collect())
    };
    let last = |of: fn(&Entry) -> Option<Duration>| {
        phase(&move |one| one.iter().map(|entry| of(entry)).collect::<Option<Vec<_>>>()?.into_iter().max())
    };
    let first = |of: fn(&Entry) -> Option<Duration>| phase(&move |one| one.iter().filter_map(|entry| of(entry)).min());
    Join {
        joined: people.values().filter(|one| one.iter().all(|entry| entry.suite.is_some())).count(),
        per_second: people.len() as f64 / took.as_secs_f64().max(1e-3),
        signaling: last(|entry| Some(entry.signaling)),
        ice: last(|entry| entry.ice),
        dtls: last(|entry| entry.dtls),
        first_packet: first(|entry| entry.first_packet),
        first_keyframe: first(|entry| entry.first_keyframe),
    }
}

/// Memory of the server for each of so many people beyond what it had when it was empty, in bytes.
pub fn memory(processes: &[u32], empty: Option<u64>, participants: usize) -> Option<f64> {
    let grown = accounting::pss(processes)? as f64 - empty? as f64;
    (participants > 0).then(|| grown / participants as f64)
}

fn own_cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

/// Datagrams that the kernel dropped since a socket of this process was full.
fn own_drops() -> u64 {
    let links = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let inodes: HashSet<String> = links
        .filter_map(|link| fs::read_link(link.path()).ok())
        .filter_map(|to| Some(to.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let table = fs::read_to_string("/proc/net/udp").unwrap_or_default();
    // The tenth field is the inode, the last the drops.
    let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let ours = rows.filter(|fields| fields.get(9).is_some_and(|inode| inodes.contains(*inode)));
    ours.filter_map(|fields| fields.last()?.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The row of a window of a second in which so many of a thousand packets could not be read.
    fn row(unread: u64) -> Row {
        let tally = Tally { marked: 1_000, unread, unreadable: unread, ..Tally::new(Instant::now()) };
        let cpu = Cpu { total: Duration::from_millis(10), ..Cpu::default() };
        let mut row = Row::default();
        Window { tally, cpu, own_cpu: Duration::ZERO, own_drops: 0, seconds: 1.0 }.fill(&mut row);
        row
    }

    #[test]
    fn a_window_whose_packets_cannot_be_read_is_not_judged() {
        let why = "loss and delay are not known: 75 % of the packets that tell them came changed".to_owned();
        let changed = row(750);
        assert!(!changed.judged && changed.notes.contains(&why), "{:?}", changed.notes);
        assert!(row(10).judged && !row(11).judged, "a few may be broken");
    }
}
