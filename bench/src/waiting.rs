//! What patients who wait cost `bedside web`, and how soon the desk sees an arrival.
//!
//! The real executable over a private Postgres and Redis. More and more patients say that they are here and keep their event stream
//! open, as a browser in the waiting room does; a receptionist's stream of the desk is open all the time.

mod clinic;
mod people;

use crate::{
    postgres::PrivatePostgres,
    redis::PrivateRedis,
    relay::{
        accounting::{self, Cpu},
        figures::Phase,
        machine::Machine,
        output::{figures::number, table::aligned},
        targets::child::{ServerProcess, free_port},
    },
};
use anyhow::Context as _;
use clinic::Clinic;
use domain::Redacted;
use people::Site;
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{process::Command, time::sleep};

/// It guards a server that lives for minutes and hears the loop-back address only.
const SECRET: &str = "a secret of the bench, of 32 bytes and more";
/// What is open settles before it is measured.
const SETTLE_TIME: Duration = Duration::from_secs(6);
/// How many patients of each step are timed, one after the other.
const TIMED: usize = 50;
/// How many others come at once.
const AT_ONCE: usize = 8;

/// What is asked for.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// How many patients wait, ascending, separated by commas.
    #[arg(long, value_delimiter = ',', default_values_t = [100, 400, 1_000])]
    patients: Vec<usize>,
    /// For how many seconds processor time is counted while nothing happens.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Where the figures go.
    #[arg(long, default_value = "target/bench/waiting.json")]
    json: PathBuf,
    /// The executable `bedside`; the one beside this program when absent.
    #[arg(long)]
    bedside: Option<PathBuf>,
}

/// The whole of it.
#[derive(Debug, Serialize)]
struct Report {
    machine: Machine,
    measured: Vec<Measured>,
}

/// What so many waiting patients came to.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// How many wait.
    pub patients: usize,
    /// Proportional set size of the process, bytes.
    pub memory: u64,
    /// Of it for each patient who came since the step before, bytes.
    pub memory_each: f64,
    /// Of a core while nothing happens, percent.
    pub idle_percent: f64,
    /// Processor time of the process for one arrival, milliseconds.
    pub arrival_cpu_ms: f64,
    /// From the patient's *I'm here* until the desk's stream has told it.
    pub seen: Phase,
}

/// Measures, prints a table and writes JSON.
///
/// # Errors
/// When a server cannot be started or does not answer as it should.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let most = options.patients.iter().copied().max().context("nobody is to wait")?;
    let postgres = PrivatePostgres::start()?;
    let redis = PrivateRedis::start()?;
    service::postgres::migrate(&Redacted::new(postgres.url())).await?;
    let clinic = Clinic::settle(&postgres.url(), most).await?;
    let machine = Machine::this();
    let executable = options.bedside.unwrap_or(std::env::current_exe()?.with_file_name("bedside"));
    let web = Web::start(&executable, &postgres, &redis).await?;
    let site = Site::new(web.port, SECRET)?;
    let mut desk = site.desk(clinic::EMAIL, clinic::PASSWORD).await?;

    let mut measured: Vec<Measured> = Vec::new();
    let mut waiting = Vec::new();
    let mut memory = web.memory().await?;
    for patients in options.patients {
        let came = waiting.len();
        let (timed, rest) = clinic.visits[came..patients].split_at(TIMED.min(patients - came));
        waiting.extend(site.arrive(rest, AT_ONCE).await?);
        let cpu = web.cpu();
        let mut seen = Vec::new();
        for visit in timed {
            let said = Instant::now();
            waiting.push(site.arrives(*visit).await?);
            seen.push(desk.sees(*visit).await?.duration_since(said).as_secs_f64() * 1e3);
        }
        let arrival = web.cpu().since(&cpu).total / u32::try_from(timed.len().max(1))?;
        let now = web.memory().await?;
        let idle = web.cpu();
        sleep(Duration::from_secs(options.seconds)).await;
        let idle = web.cpu().since(&idle).total.as_secs_f64() / options.seconds as f64;
        measured.push(Measured {
            patients,
            memory: now,
            memory_each: (now as f64 - memory as f64) / (patients - came).max(1) as f64,
            idle_percent: idle * 100.0,
            arrival_cpu_ms: arrival.as_secs_f64() * 1e3,
            seen: Phase::of(seen),
        });
        memory = now;
    }
    report(&Report { machine, measured }, &options.json)
}

fn report(report: &Report, json: &Path) -> anyhow::Result<()> {
    if let Some(folder) = json.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(json, serde_json::to_string_pretty(report)?)?;
    let heading =
        ["waiting", "memory, MB", "each, KB", "idle, % of a core", "CPU an arrival, ms", "seen p50, ms", "p99, ms"];
    let mut lines = vec![heading.map(str::to_owned).to_vec()];
    lines.extend(report.measured.iter().map(|one| {
        vec![
            one.patients.to_string(),
            number(one.memory as f64 / 1e6),
            number(one.memory_each / 1e3),
            number(one.idle_percent),
            number(one.arrival_cpu_ms),
            number(one.seen.p50),
            number(one.seen.p99),
        ]
    }));
    let Machine { processor, cores, load, commit, .. } = &report.machine;
    println!("{}\n{cores} cores of {processor}, load {load} at the beginning, commit {commit}", aligned(&lines));
    println!("{}", json.display());
    Ok(())
}

/// `bedside web`, killed at the end.
struct Web {
    process: ServerProcess,
    port: u16,
}

impl Web {
    /// Starts it on every core, and waits until it listens.
    async fn start(executable: &Path, postgres: &PrivatePostgres, redis: &PrivateRedis) -> anyhow::Result<Self> {
        let port = free_port()?;
        let child = Command::new(executable)
            .arg("web")
            .env_clear()
            .env("DATABASE_URL", postgres.url())
            .env("REDIS_URL", redis.url().expose())
            .env("SECRET", SECRET)
            .env("BIND_ADDR", format!("127.0.0.1:{port}"))
            .env("PUBLIC_URL", format!("http://127.0.0.1:{port}"))
            .env("SIGNALING_URL", format!("ws://127.0.0.1:{port}/signal"))
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started; `bin/bench waiting` builds it", executable.display()))?;
        let mut process = ServerProcess::over(child)?;
        process.listens(port).await?;
        Ok(Self { process, port })
    }

    fn cpu(&self) -> Cpu {
        Cpu::of(&[self.process.id()])
    }

    async fn memory(&self) -> anyhow::Result<u64> {
        sleep(SETTLE_TIME).await;
        accounting::pss(&[self.process.id()]).context("the memory of bedside web cannot be read")
    }
}
