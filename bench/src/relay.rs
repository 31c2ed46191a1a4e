//! Measures media relays: the same rooms, people and packets sent through each of them, in turns, in one run.
//!
//! [`target`] is a server that can be started and joined, [`targets`] those that are known; [`peer`] one transport of one
//! participant, which [`generator`] feeds and counts. A [`scenario`] says who is in a room, a [`crowd`] brings rooms in,
//! a [`window`] is measured, a [`run`] is all of it; [`figures`] what comes out.

pub mod accounting;
pub mod crowd;
pub mod figures;
pub mod generator;
pub mod machine;
pub mod peer;
pub mod run;
pub mod scenario;
mod special;
pub mod target;
pub mod targets;
pub mod window;

use anyhow::Context as _;
use clap::Args;
use figures::Row;
use machine::Cores;
use run::Plan;
use scenario::Scenario;
use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
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
    #[arg(long, default_value_t = 25.0)]
    seconds: f64,
    /// How long media flows before each window.
    #[arg(long, default_value_t = 5.0)]
    warm_up: f64,
    /// Targets, separated by commas.
    #[arg(long, value_delimiter = ',', default_value = "bedside")]
    targets: Vec<String>,
    /// Parts of the full load, ascending.
    #[arg(long, value_delimiter = ',', default_values_t = [0.125, 0.25, 0.5, 1.0])]
    loads: Vec<f64>,
    /// Rooms of a full load, instead of the scenario's own number.
    #[arg(long)]
    rooms: Option<usize>,
    /// Look for the most rooms before 0.1 % of the packets are lost or one of a hundred is 20 ms late.
    #[arg(long)]
    most: bool,
    /// Where the rows go.
    #[arg(long, default_value = "target/bench/relay.json")]
    json: PathBuf,
    /// What the dice begin with.
    #[arg(long, default_value_t = 20_261_128)]
    seed: u64,
    /// The executable `bedside`; the one beside this program when absent.
    #[arg(long)]
    bedside: Option<PathBuf>,
}

/// Measures as asked, says each row as it comes, and writes them all.
///
/// # Errors
/// When the bench itself cannot go on.
pub fn measure(options: Options) -> anyhow::Result<()> {
    let cores = Cores::of_this_machine();
    cores.pin_generator()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measured(options, cores))
}

async fn measured(options: Options, cores: Cores) -> anyhow::Result<()> {
    let beside = std::env::current_exe()?.with_file_name("bedside");
    let executables = Executables { bedside: options.bedside.unwrap_or(beside) };
    let targets = targets::named(&options.targets, &executables)?;
    let scratch = std::env::temp_dir().join(format!("bedside-bench-{}", std::process::id()));
    let plan = Plan {
        scenarios: options.scenario,
        rounds: options.rounds,
        window: Duration::from_secs_f64(options.seconds),
        warm_up: Duration::from_secs_f64(options.warm_up),
        loads: options.loads,
        rooms: options.rooms,
        most: options.most,
        seed: options.seed,
        server_cpu: Some(cores.server),
        scratch: scratch.clone(),
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    let mut rows: Vec<Row> = Vec::new();
    let ran = run::run(&plan, &targets, |row| {
        println!("{}", serde_json::to_string(&row).expect("a row is JSON"));
        rows.push(row);
    })
    .await;
    // What servers wrote is of no use any more.
    let _ = fs::remove_dir_all(&scratch);
    if let Some(folder) = options.json.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&options.json, serde_json::to_string_pretty(&rows)?).context("the rows cannot be written")?;
    ran
}
