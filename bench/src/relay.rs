//! Measures media relays: the same rooms, people and packets sent through each of them, in turns, in one run.
//!
//! [`target`] is a server that can be started and joined, [`targets`] those that are known; [`peer`] one transport of one
//! participant, which [`generator`] feeds and counts. A [`scenario`] says who is in a room, a [`crowd`] brings rooms in,
//! a [`window`] is measured, a [`run`] is all of it; [`figures`] what comes out, and [`output`] what becomes of
//! it. [`null`] is the floor.

pub mod accounting;
pub mod crowd;
pub mod figures;
pub mod floor;
pub mod generator;
mod lossy;
pub mod machine;
mod narrowing;
pub mod null;
pub mod output;
pub mod path;
pub mod peer;
pub mod run;
pub mod scenario;
mod special;
pub mod syscalls;
pub mod target;
pub mod targets;
pub mod window;

use clap::Args;
use domain::Clock as _;
use machine::{Cores, Machine};
use output::Results;
use peer::keys::Suite;
use run::Plan;
use scenario::Scenario;
use service::clock::SystemClock;
use std::{
    fs,
    net::{IpAddr, Ipv4Addr, UdpSocket},
    path::PathBuf,
    time::Duration,
};
use targets::Executables;

/// What `bedside-bench relay` is asked for.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Scenarios, separated by commas.
    #[arg(long, value_delimiter = ',', default_value = "S1,S2,S3,S4,S5")]
    scenario: Vec<Scenario>,
    /// How often each target is measured in each scenario, in turns.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each window is.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// How long media flows before each window.
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// Targets, separated by commas.
    #[arg(long, value_delimiter = ',', default_value = targets::NAMES)]
    targets: Vec<String>,
    /// Parts of the full load, ascending.
    #[arg(long, value_delimiter = ',', default_values_t = [0.125, 0.25, 0.5, 1.0])]
    loads: Vec<f64>,
    /// In how many of the rounds all loads are measured.
    #[arg(long, default_value_t = 1)]
    growth_rounds: usize,
    /// Which of the loads are measured in the other rounds as well.
    #[arg(long, value_delimiter = ',', default_values_t = [0.25, 1.0])]
    repeated: Vec<f64>,
    /// Rooms of a full load, instead of the scenario's own number.
    #[arg(long)]
    rooms: Option<usize>,
    /// Look for the most rooms before 0.1 % of the packets are lost or one of a hundred is 20 ms late.
    #[arg(long)]
    most: bool,
    /// Where the results go; the page to look at lies beside.
    #[arg(long, default_value = "target/bench/relay.json")]
    json: PathBuf,
    /// What the dice begin with.
    #[arg(long, default_value_t = 20_261_128)]
    seed: u64,
    /// The SRTP profile that the generator offers.
    #[arg(long, value_enum, default_value_t)]
    srtp: Suite,
    /// The address at which servers receive media; one of this machine when absent.
    #[arg(long)]
    address: Option<IpAddr>,
    #[command(flatten)]
    executables: Executables,
}

impl Options {
    /// How it was measured, for the reader of the results.
    fn settings(&self, cores: Cores, address: IpAddr) -> Vec<(String, String)> {
        let (server, generator) = (cores.server, cores.generator);
        [
            ("rounds", self.rounds.to_string()),
            ("window", format!("{} s after {} s", self.seconds, self.warm_up)),
            ("SRTP offered", self.srtp.name().to_owned()),
            ("cores", format!("server on {server}, generator on {generator}")),
            ("path", format!("{address}, which is the machine's own: everything goes over the loop-back device")),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// Measures as asked, says each row as it comes, and writes them all.
///
/// # Errors
/// When the bench itself cannot go on.
pub fn measure(options: Options) -> anyhow::Result<()> {
    // Both look at what this process may use, which is one core from then on.
    let (cores, machine) = (Cores::of_this_machine(), Machine::this());
    cores.pin_generator()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measured(options, cores, machine))
}

/// The address of this machine's way out, or else the loop-back one, of which Janus makes no candidates. What is sent to it stays
/// on the machine all the same.
fn own_address() -> IpAddr {
    let asked = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
        // An address for documentation (RFC 5737); nothing is sent.
        socket.connect((Ipv4Addr::new(198, 51, 100, 1), 9))?;
        socket.local_addr()
    });
    asked.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip())
}

async fn measured(options: Options, cores: Cores, machine: Machine) -> anyhow::Result<()> {
    let targets = targets::named(&options.targets, &options.executables)?;
    let address = options.address.unwrap_or_else(own_address);
    let settings = options.settings(cores, address);
    let mut results = Results::new(SystemClock.now(), machine, options.seed, settings);
    let scratch = std::env::temp_dir().join(format!("bedside-bench-{}", std::process::id()));
    let plan = Plan {
        scenarios: options.scenario,
        rounds: options.rounds,
        window: Duration::from_secs_f64(options.seconds),
        warm_up: Duration::from_secs_f64(options.warm_up),
        loads: options.loads,
        growth_rounds: options.growth_rounds,
        repeated: options.repeated,
        rooms: options.rooms,
        most: options.most,
        seed: options.seed,
        srtp: options.srtp,
        server_cpu: cores.server,
        scratch: scratch.clone(),
        address,
    };
    let progress = output::Progress::new(plan.windows(targets.len()) as u64);
    let ran = run::run(&plan, &targets, |row| {
        progress.done(&row);
        results.rows.push(row);
        // A run that is ended early leaves what it measured; a disk that does not take it is told of at the end.
        let _ = results.write(&options.json);
    })
    .await;
    drop(progress);
    // What servers wrote is of no use any more.
    let _ = fs::remove_dir_all(&scratch);
    let page = results.write(&options.json)?;
    println!("{}", output::table::tables(&results.rows));
    println!("{} and {}", options.json.display(), page.display());
    ran
}
