//! Measures and shakes Bedside: `bin/bench` with one subcommand a question.

use bedside_bench::{relay, waiting};
use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;
use std::{net::IpAddr, path::PathBuf};

/// What is measured in this process allocates as it does in `bedside`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[derive(Parser)]
#[command(about = "Measures and shakes Bedside, each time against a private Postgres of its own.")]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Random bookings by processes that are killed, against a Postgres that is restarted; then checks what was acknowledged.
    History {
        /// How many operations to record at least.
        #[arg(long, default_value_t = 100_000)]
        operations: usize,
        /// How many processes work at once.
        #[arg(long, default_value_t = 4)]
        workers: usize,
        /// How many clients each process has.
        #[arg(long, default_value_t = 12)]
        clients: usize,
    },
    /// How many attempts to book the database decides a second, beside what its constraint alone decides.
    Booking {
        /// How many clients want one slot, and how often.
        #[arg(long, default_value_t = 50)]
        rounds: usize,
        /// For how many seconds overlapping visits are booked, all rounds together.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Measure once more with `synchronous_commit` off, to see what the disk costs.
        #[arg(long)]
        lazy: bool,
    },
    /// How long the first free slots of a booked year take to find, with 1, 10 and 50 practitioners.
    Slots {
        /// How many searches a round has for each clinic.
        #[arg(long, default_value_t = 300)]
        searches: u32,
        /// How often they are repeated; the figures are medians.
        #[arg(long, default_value_t = 5)]
        rounds: u32,
    },
    /// How long the server takes for each page of a clinic of 50 practitioners with 1,000 visits a day.
    Pages {
        /// How often each page is opened in a round. Of a hundred, the slowest alone would be the 99th percentile.
        #[arg(long, default_value_t = 300)]
        requests: usize,
        /// How often that is repeated; the figures are medians.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
    /// Sends the same visits through media relays, in turns, and measures what each costs.
    Relay(Box<relay::Options>),
    /// What the null relay costs, beside what its parts cost alone and what `strace` counts.
    Floor(relay::floor::Options),
    /// What patients who wait cost, and how soon the desk sees an arrival.
    Waiting(waiting::Options),
    /// What changed between two runs of `relay` beyond the noise.
    Compare {
        /// The earlier run's JSON.
        before: PathBuf,
        /// The later run's JSON.
        after: PathBuf,
    },
    /// The floor that `relay` measures beside the servers.
    #[command(hide = true)]
    NullRelay {
        /// Where it listens.
        #[arg(long, default_value = "127.0.0.1")]
        address: IpAddr,
        /// With segmentation offload.
        #[arg(long)]
        gso: bool,
    },
    /// The parts of the floor, one by one.
    #[command(hide = true)]
    FloorCosts {
        /// What they go over.
        #[arg(long, default_value = "127.0.0.1")]
        address: IpAddr,
        /// The SRTP profile.
        #[arg(long, value_enum, default_value_t)]
        srtp: relay::peer::keys::Suite,
    },
    /// One process of `history`.
    #[command(hide = true)]
    Worker {
        /// The database.
        #[arg(long)]
        url: String,
        /// Where to write what is asked and answered.
        #[arg(long)]
        log: PathBuf,
        /// The first start of a visit.
        #[arg(long)]
        from: jiff::Timestamp,
        /// How many clients.
        #[arg(long)]
        clients: usize,
        /// What its dice begin with.
        #[arg(long)]
        seed: u64,
    },
}

fn main() -> anyhow::Result<()> {
    match CommandLine::parse().command {
        Command::History { operations, workers, clients } => {
            in_runtime(bedside_bench::history::run(operations, workers, clients))
        }
        Command::Booking { rounds, seconds, lazy } => in_runtime(bedside_bench::booking::run(rounds, seconds, lazy)),
        Command::Slots { searches, rounds } => in_runtime(bedside_bench::slots::run(searches, rounds)),
        Command::Pages { requests, rounds } => in_runtime(bedside_bench::pages::run(requests, rounds)),
        // It chooses its processor before there are threads.
        Command::Relay(options) => relay::measure(*options),
        Command::Floor(options) => relay::floor::measure(&options),
        Command::FloorCosts { address, srtp } => relay::floor::costs::run(address, srtp),
        Command::Waiting(options) => in_runtime(waiting::run(options)),
        Command::Compare { before, after } => relay::output::compare::run(&before, &after),
        // One thread and nothing beside: what is measured is the packets.
        Command::NullRelay { address, gso } => relay::null::run(address, gso),
        Command::Worker { url, log, from, clients, seed } => {
            in_runtime(bedside_bench::history::worker(&url, &log, from, clients, seed))
        }
    }
}

fn in_runtime(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Runtime::new()?.block_on(work)
}
