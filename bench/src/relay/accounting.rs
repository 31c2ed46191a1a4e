//! What processes cost: CPU, memory, context switches and system calls, as the kernel counts them under `/proc`.

use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};

/// A clock tick of `/proc`: Linux has 100 a second on every architecture we run on (`getconf CLK_TCK`).
const TICK: Duration = Duration::from_millis(10);

/// CPU time of some processes and all their threads since they began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cpu {
    /// On the CPU in all, to the nanosecond where the kernel has `schedstat`, else in ticks of 10 ms.
    pub total: Duration,
    /// Of it in the program itself. In ticks, so that it is of use over seconds only.
    pub user: Duration,
    /// Of it in the kernel. In ticks.
    pub system: Duration,
    /// How often they waited of their own accord.
    pub waits: u64,
    /// How often they were made to wait.
    pub preemptions: u64,
}

impl Cpu {
    /// What `processes` and their children have used so far. Who is gone counts nothing.
    pub fn of(processes: &[u32]) -> Self {
        with_children(processes).into_iter().map(of_process).fold(Self::default(), |sum, one| Self {
            total: sum.total + one.total,
            user: sum.user + one.user,
            system: sum.system + one.system,
            waits: sum.waits + one.waits,
            preemptions: sum.preemptions + one.preemptions,
        })
    }

    /// What was used since `earlier`; nothing where a process went in between.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            total: self.total.saturating_sub(earlier.total),
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
            waits: self.waits.saturating_sub(earlier.waits),
            preemptions: self.preemptions.saturating_sub(earlier.preemptions),
        }
    }

    /// User and system time that add up to the total: the ticks decide how it divides.
    pub fn divided(&self) -> (Duration, Duration) {
        let ticks = (self.user + self.system).as_secs_f64();
        let share = if ticks > 0.0 { self.user.as_secs_f64() / ticks } else { 0.0 };
        let user = self.total.mul_f64(share);
        (user, self.total.saturating_sub(user))
    }
}

fn of_process(process: u32) -> Cpu {
    let mut cpu = Cpu::default();
    let folder = format!("/proc/{process}");
    if let Some((user, system)) = fs::read_to_string(format!("{folder}/stat")).ok().as_deref().and_then(ticks_of) {
        (cpu.user, cpu.system) = (TICK * user, TICK * system);
    }
    let mut precise = Duration::ZERO;
    for thread in fs::read_dir(format!("{folder}/task")).into_iter().flatten().flatten() {
        let path = thread.path();
        if let Ok(text) = fs::read_to_string(path.join("schedstat")) {
            let nanoseconds = text.split_whitespace().next().and_then(|first| first.parse().ok());
            precise += Duration::from_nanos(nanoseconds.unwrap_or(0));
        }
        let status = fs::read_to_string(path.join("status")).unwrap_or_default();
        cpu.waits += number_after(&status, "voluntary_ctxt_switches:").unwrap_or(0);
        cpu.preemptions += number_after(&status, "nonvoluntary_ctxt_switches:").unwrap_or(0);
    }
    // A thread that ended is in the ticks of its process only.
    cpu.total = precise.max((cpu.user + cpu.system).saturating_sub(TICK * 2));
    cpu
}

/// User and system ticks of `/proc/PID/stat`, whose second field may hold blanks and parentheses of its own.
fn ticks_of(stat: &str) -> Option<(u32, u32)> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    // Fields 14 and 15; the third is the first after the name.
    Some((fields.nth(11)?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// The number on the line that begins with `name`.
fn number_after(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Bytes of memory that would come free if these processes and their children went: shared pages count in part.
///
/// `None` where the kernel does not let us look (somebody else's process).
pub fn pss(processes: &[u32]) -> Option<u64> {
    let bytes_of = |process| {
        let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
        Some(number_after(&text, "Pss:")? * 1_024)
    };
    let all: Vec<u64> = with_children(processes).into_iter().filter_map(bytes_of).collect();
    (!all.is_empty()).then(|| all.iter().sum())
}

/// `processes` and everything they started that still runs.
pub fn with_children(processes: &[u32]) -> BTreeSet<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Some(parent) = parent_of(process) else { continue };
        children.entry(parent).or_default().push(process);
    }
    let mut found = BTreeSet::new();
    let mut open = processes.to_vec();
    while let Some(process) = open.pop() {
        if Path::new(&format!("/proc/{process}")).exists() && found.insert(process) {
            open.extend(children.get(&process).into_iter().flatten());
        }
    }
    found
}

fn parent_of(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_name_with_blanks_and_parentheses_does_not_shift_the_fields() {
        let stat = "12 (a (b) c) S 1 12 12 0 -1 4194560 100 0 0 0 345 67 0 0 20 0 5 0 100 1 2 3";
        assert_eq!(ticks_of(stat), Some((345, 67)));
        assert_eq!(ticks_of("12 (cut off"), None);
    }

    #[test]
    fn work_is_counted_and_user_and_system_add_up_to_it() {
        let me = [std::process::id()];
        let before = Cpu::of(&me);
        let mut sum = 0_u64;
        while Cpu::of(&me).since(&before).total < Duration::from_millis(50) {
            sum = std::hint::black_box((0..100_000_u64).sum::<u64>().wrapping_add(sum));
        }
        let used = Cpu::of(&me).since(&before);
        let (user, system) = used.divided();
        assert_eq!(user + system, used.total);
        assert!(pss(&me).is_some_and(|bytes| bytes > 100_000));
    }

    #[test]
    fn children_belong_to_their_parent_until_they_end() {
        let mut child = Command::new("sleep").arg("60").stdout(Stdio::null()).spawn().expect("sleep runs");
        assert!(with_children(&[std::process::id()]).contains(&child.id()));
        child.kill().expect("it runs");
        child.wait().expect("it ran");
        assert!(!with_children(&[std::process::id()]).contains(&child.id()));
        assert_eq!(Cpu::of(&[child.id()]), Cpu::default());
    }
}
