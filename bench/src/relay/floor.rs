//! Whether the floor is one: what the null relay costs beside what its parts cost alone, and its own count of calls beside `strace`'s.

pub mod costs;

use super::{
    accounting::Cpu,
    crowd::Crowd,
    generator::Generator,
    machine::{Cores, Machine},
    null::control::Counts,
    output::{figures::number, summary::Spread, table::aligned},
    peer::{PeerFactory, keys::Suite},
    scenario::Scenario,
    syscalls,
    target::{Limits, Place, Server as _},
    targets::{
        child::command,
        null::{Null, Running},
    },
};
use anyhow::ensure;
use costs::{Costs, Linear};
use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    process::Stdio,
    time::Duration,
};
use tokio::time::sleep;

const WARM_UP: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_secs(2);
const SEED: u64 = 20_261_128;

/// What is asked for.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Rooms of two, with sound and picture.
    #[arg(long, default_value_t = 96)]
    rooms: usize,
    /// How long each window is.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// How often everything is measured, in turns.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// The SRTP profile.
    #[arg(long, value_enum, default_value_t)]
    srtp: Suite,
    /// The address that everything goes over.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
}

/// One part of what a forwarded packet costs.
struct Part {
    name: &'static str,
    /// How often, for each forwarded packet.
    times: f64,
    /// Nanoseconds in all, for each forwarded packet.
    cost: f64,
}

/// One round of one null relay.
struct Round {
    parts: Vec<Part>,
    /// Microseconds a forwarded packet.
    predicted: f64,
    measured: f64,
}

/// Calls of one kind, by the relay's own count and by `strace`.
type Look = Vec<(&'static str, u64, u64)>;

/// Measures as asked and prints both comparisons.
///
/// # Errors
/// When the bench itself cannot go on.
pub fn measure(options: &Options) -> anyhow::Result<()> {
    let (cores, machine) = (Cores::of_this_machine(), Machine::this());
    cores.pin_generator()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let scratch = std::env::temp_dir().join(format!("bedside-bench-floor-{}", std::process::id()));
    fs::create_dir_all(&scratch)?;
    let place = Place { cpu: cores.server, scratch: scratch.clone(), address: options.address };
    println!("{} on core {}, {}, load {}", machine.processor, cores.server, machine.kernel, machine.load);
    let ran = runtime.block_on(run(options, &place));
    // What servers wrote is of no use any more.
    let _ = fs::remove_dir_all(&scratch);
    ran
}

async fn run(options: &Options, place: &Place) -> anyhow::Result<()> {
    let relays = [Null { with_gso: false }, Null { with_gso: true }];
    let mut rounds: [Vec<Round>; 2] = Default::default();
    let mut looks = Vec::new();
    for _ in 0..options.rounds.max(1) {
        looks.clear();
        for (relay, rounds) in relays.iter().zip(&mut rounds) {
            let costs = costs_at(place, options.srtp).await?;
            let (round, look) = round(relay, place, options, &costs).await?;
            rounds.push(round);
            looks.push(look);
        }
    }
    for ((relay, rounds), look) in relays.iter().zip(&rounds).zip(looks) {
        let name = if relay.with_gso { "null-gso" } else { "null" };
        println!("\n{name}\n{}", table(rounds));
        match look {
            Ok(look) => println!("{}", calls(&look)),
            Err(why) => println!("  calls are not compared: {why}"),
        }
    }
    Ok(())
}

async fn costs_at(place: &Place, suite: Suite) -> anyhow::Result<Costs> {
    let mut process = command(std::env::current_exe()?, place);
    let suite = if suite == Suite::Gcm { "gcm" } else { "cm" };
    process.args(["floor-costs", "--address", &place.address.to_string(), "--srtp", suite]);
    let output = process.stderr(Stdio::inherit()).output().await?;
    ensure!(output.status.success(), "the costs cannot be measured: {}", output.status);
    costs::read(&output.stdout)
}

async fn round(
    relay: &Null,
    place: &Place,
    options: &Options,
    costs: &Costs,
) -> anyhow::Result<(Round, Result<Look, String>)> {
    let server = relay.run(place).await?;
    let generator = Generator::start(SEED)?;
    let peers = PeerFactory::new(place.address, SEED, options.srtp)?;
    let room = Scenario::S1.room(Limits { simulcast: false, ..Limits::NONE });
    let mut crowd = Crowd::new(&server, &peers, &generator, &room);
    crowd.grow_to(options.rooms, Duration::ZERO).await?;
    let settled = crowd.settled().await;
    ensure!(settled.is_ok(), "not everybody receives everything: {settled:?}");
    sleep(WARM_UP).await;
    let processes = server.processes();
    generator.begin(u32::MAX).await?;
    let (counts, cpu) = (server.counts().await?, Cpu::of(&processes));
    sleep(Duration::from_secs_f64(options.seconds)).await;
    let (cpu, counts) = (Cpu::of(&processes).since(&cpu), server.counts().await?.since(&counts));
    let tally = generator.report().await?;
    ensure!(tally.received > 0 && tally.loss() < 0.001, "packets were lost: the load is too much for a comparison");
    let parts = parts(&counts, cpu.waits, costs);
    let round = Round {
        predicted: parts.iter().map(|part| part.cost).sum::<f64>() / 1e3,
        parts,
        measured: cpu.total.as_secs_f64() * 1e6 / counts.sealed.max(1) as f64,
    };
    let look = look(&server).await?;
    drop(generator);
    Box::new(server).stop().await;
    Ok((round, look))
}

/// Counts for some seconds by both ways. The look slows the relay down, so nothing else is measured meanwhile.
async fn look(server: &Running) -> anyhow::Result<Result<Look, String>> {
    let before = server.counts().await?;
    let processes = server.processes();
    let looked = tokio::task::spawn_blocking(move || syscalls::sample(&processes, LOOK)).await?;
    let own = server.counts().await?.since(&before);
    Ok(looked.map(|seen| {
        let of = |names: [&str; 2]| names.iter().filter_map(|name| seen.get(*name)).sum();
        vec![
            ("epoll_wait", own.polls, of(["epoll_wait", "epoll_pwait"])),
            ("recvmmsg", own.receives, of(["recvmmsg", "recvmsg"])),
            ("sendmsg", own.singles + own.bursts, of(["sendmsg", "sendmmsg"])),
        ]
    }))
}

/// What the relay did, times what each costs alone.
fn parts(counts: &Counts, waits: u64, costs: &Costs) -> Vec<Part> {
    let packets = counts.sealed.max(1) as f64;
    let each = |name, times: u64, cost: f64| Part { name, times: times as f64 / packets, cost: cost / packets };
    let linear = |times: u64, bytes: u64, cost: Linear| times as f64 * cost.once + bytes as f64 * cost.byte;
    let Counts { polls, receives, messages, message_bytes, opened, opened_bytes, .. } = *counts;
    let Counts { sealed, sealed_bytes, singles, single_bytes, bursts, burst_datagrams, .. } = *counts;
    vec![
        each("look for what has come", polls, polls as f64 * costs.poll),
        each("sleep until something comes", waits, waits as f64 * costs.wait),
        each("ask for a batch", receives, receives as f64 * costs.receive),
        each("receive a message", messages, linear(messages, message_bytes, costs.message)),
        each("open", opened, linear(opened, opened_bytes, costs.open)),
        each("seal", sealed, linear(sealed, sealed_bytes, costs.seal)),
        each("send one", singles, linear(singles, single_bytes, costs.single)),
        each("send several", bursts, bursts as f64 * costs.burst.0 + burst_datagrams as f64 * costs.burst.1),
    ]
}

fn table(rounds: &[Round]) -> String {
    let mut lines = vec![["", "times a packet", "ns a packet"].map(str::to_owned).to_vec()];
    let median = |of: &dyn Fn(&Round) -> f64| Spread::of(rounds.iter().map(of).collect());
    for (at, part) in rounds.iter().flat_map(|round| round.parts.iter().enumerate()).take(rounds[0].parts.len()) {
        let times = median(&|round| round.parts[at].times).map(|spread| number(spread.median));
        let cost = median(&|round| round.parts[at].cost).map(|spread| number(spread.median));
        lines.push(vec![part.name.to_owned(), times.unwrap_or_default(), cost.unwrap_or_default()]);
    }
    let text = |spread: Option<Spread>| spread.map(Spread::text).unwrap_or_default();
    let predicted = text(median(&|round| round.predicted));
    let measured = text(median(&|round| round.measured));
    let ratio = text(median(&|round| round.measured / round.predicted));
    format!(
        "{}  all of it, predicted: {predicted} µs a packet\n  measured:              {measured} µs a packet\n  \
         measured / predicted:  {ratio}",
        aligned(&lines)
    )
}

/// Calls for each send: both counts begin and end at moments of their own, and a send is as often in both.
fn calls(look: &Look) -> String {
    let mut lines = vec![["calls for each send", "own count", "strace"].map(str::to_owned).to_vec()];
    let sends = look.iter().find(|(name, ..)| *name == "sendmsg").map_or((1, 1), |(_, own, seen)| (*own, *seen));
    let part = |count: u64, of: u64| number(count as f64 / of.max(1) as f64);
    lines.extend(
        look.iter().map(|(name, own, seen)| vec![(*name).to_owned(), part(*own, sends.0), part(*seen, sends.1)]),
    );
    let all = look.iter().fold((0, 0), |sum, (_, own, seen)| (sum.0 + own, sum.1 + seen));
    lines.push(vec!["all".to_owned(), part(all.0, sends.0), part(all.1, sends.1)]);
    aligned(&lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prediction_is_what_was_done_times_what_it_costs() {
        let line = |once, byte| Linear { once, byte };
        let costs = Costs {
            poll: 100.0,
            wait: 1_000.0,
            receive: 200.0,
            message: line(50.0, 0.1),
            open: line(100.0, 0.2),
            seal: line(100.0, 0.3),
            single: line(1_000.0, 0.5),
            burst: (800.0, 400.0),
        };
        let counts = Counts {
            polls: 10,
            receives: 20,
            messages: 30,
            message_bytes: 100_000,
            opened: 100,
            opened_bytes: 100_000,
            sealed: 100,
            sealed_bytes: 100_000,
            singles: 40,
            single_bytes: 40_000,
            bursts: 10,
            burst_datagrams: 60,
        };
        let parts = parts(&counts, 5, &costs);
        let cost: Vec<f64> = parts.iter().map(|part| part.cost.round()).collect();
        assert_eq!(cost, [10.0, 50.0, 40.0, 115.0, 300.0, 400.0, 600.0, 320.0]);
        assert!((parts[4].times - 1.0).abs() < 1e-9 && (parts[7].times - 0.1).abs() < 1e-9);
    }

    #[test]
    fn calls_are_compared_for_each_send() {
        let text = calls(&vec![("epoll_wait", 50, 40), ("recvmmsg", 100, 80), ("sendmsg", 100, 80)]);
        assert_eq!(
            text.lines().last().map(|line| line.split_whitespace().collect::<Vec<_>>()),
            Some(vec!["all", "2.50", "2.50"])
        );
    }
}
