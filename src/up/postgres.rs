//! A private Postgres under `.bedside/postgres`, reached by a socket file only: no port, so nobody is in the way.

use super::{
    folder::{self, Folder},
    programs::{self, RunAs},
};
use anyhow::{Context as _, bail};
use domain::Redacted;
use sqlx::{ConnectOptions as _, Executor as _, PgConnection, postgres::PgConnectOptions};
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Child,
    time::{Duration, Instant},
};

/// How long Postgres may take to answer; recovery after a power cut takes the longest.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// The superuser, whom only the owner of the socket's folder can become, and the database.
const NAME: &str = "bedside";

/// The private Postgres, running.
pub struct PrivatePostgres {
    server: Child,
    cluster: Cluster,
}

struct Cluster {
    programs: PathBuf,
    data: PathBuf,
    socket: PathBuf,
    log: PathBuf,
    run_as: RunAs,
}

impl PrivatePostgres {
    /// Starts it, after making the cluster if there is none, and after stopping one that an earlier start left behind.
    pub async fn start(folder: &Folder) -> anyhow::Result<Self> {
        let cluster = Cluster::find(folder)?;
        if cluster.is_made() {
            cluster.stop_left_behind()?;
        } else {
            cluster.make()?;
        }
        let mut started = Self { server: cluster.serve()?, cluster };
        started.wait_until_ready().await?;
        Ok(started)
    }

    /// Stops what an earlier start left running, so that its files may be deleted.
    pub fn stop_left_behind(folder: &Folder) -> anyhow::Result<()> {
        match Cluster::find(folder) {
            Ok(cluster) if cluster.is_made() => cluster.stop_left_behind(),
            _ => Ok(()),
        }
    }

    /// Where the one of `folder` is reached, whether or not it runs.
    pub fn url_in(folder: &Folder) -> Redacted<String> {
        url_of(&folder.socket_folder("postgres-socket"))
    }

    /// Where it is reached.
    pub fn url(&self) -> Redacted<String> {
        url_of(&self.cluster.socket)
    }

    /// Whether it ended without being asked.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.server.try_wait(), Ok(Some(_)) | Err(_))
    }

    /// Stops it; what it holds is kept.
    pub fn stop(mut self) -> anyhow::Result<()> {
        if !self.has_ended() {
            self.cluster.stop()?;
            self.server.wait()?;
        }
        Ok(())
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            if let Ok(mut connection) = self.cluster.options("postgres").connect().await {
                return make_database(&mut connection).await;
            }
            if self.server.try_wait()?.is_some() || Instant::now() > deadline {
                bail!(
                    "Postgres does not start. The end of {}:\n{}",
                    self.cluster.log.display(),
                    self.cluster.last_words()
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Cluster {
    fn find(folder: &Folder) -> anyhow::Result<Self> {
        let data = folder.join("postgres");
        folder::make(&data, 0o700)?;
        let run_as = RunAs::for_server(&data)?;
        run_as.own(&data)?;
        let socket = folder.socket_folder("postgres-socket");
        folder::make(&socket, 0o700)?;
        run_as.own(&socket)?;
        let made_by = std::fs::read_to_string(data.join("PG_VERSION")).ok();
        let programs = find_programs(made_by.as_deref().map(str::trim))?;
        Ok(Self { programs, data, socket, log: folder.join("postgres.log"), run_as })
    }

    fn is_made(&self) -> bool {
        self.data.join("PG_VERSION").exists()
    }

    fn make(&self) -> anyhow::Result<()> {
        let mut initdb = self.command("initdb")?;
        initdb.arg("-D").arg(&self.data);
        initdb.args(["-U", NAME, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"]);
        programs::run(initdb, "Making the database cluster (initdb)")
    }

    fn serve(&self) -> anyhow::Result<Child> {
        let log = File::create(&self.log)?;
        let mut postgres = self.command("postgres")?;
        postgres.arg("-D").arg(&self.data).arg("-k").arg(&self.socket).args(["-c", "listen_addresses="]);
        postgres.stdout(log.try_clone()?).stderr(log).spawn().context("Postgres cannot be started")
    }

    /// A start that was killed leaves its Postgres running, with its process in `postmaster.pid`.
    fn stop_left_behind(&self) -> anyhow::Result<()> {
        let mut status = self.command("pg_ctl")?;
        status.arg("status").arg("-D").arg(&self.data);
        if status.output()?.status.success() { self.stop() } else { Ok(()) }
    }

    fn stop(&self) -> anyhow::Result<()> {
        let mut stop = self.command("pg_ctl")?;
        stop.args(["stop", "-m", "fast", "-w", "-D"]).arg(&self.data);
        programs::run(stop, "Stopping Postgres")
    }

    fn command(&self, program: &str) -> anyhow::Result<std::process::Command> {
        self.run_as.command(&self.programs.join(program), &self.data)
    }

    fn options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass().socket(&self.socket).username(NAME).database(database)
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines = log.lines().collect::<Vec<_>>();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }
}

fn url_of(socket: &Path) -> Redacted<String> {
    let host = url::form_urlencoded::byte_serialize(socket.as_os_str().as_encoded_bytes());
    Redacted::new(format!("postgres://{NAME}@localhost/{NAME}?host={}", host.collect::<String>()))
}

async fn make_database(connection: &mut PgConnection) -> anyhow::Result<()> {
    match connection.execute("create database bedside").await {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P04") => Ok(()), // it is there already
        result => Ok(result.map(|_| ())?),
    }
}

/// The folder with `postgres`, `initdb` and `pg_ctl` of one version: the cluster's own, else the newest.
fn find_programs(version: Option<&str>) -> anyhow::Result<PathBuf> {
    let folders = versions_of_debian(Path::new("/usr/lib/postgresql"));
    let fits = |folder: &&PathBuf| version.is_none_or(|version| folder.parent().is_some_and(|p| p.ends_with(version)));
    if let Some(folder) = folders.iter().find(fits) {
        return Ok(folder.clone());
    }
    let initdb = programs::find("initdb", &[]).context(
        "Postgres is missing: no `initdb` in the PATH or /usr/lib/postgresql. Install it (Debian: apt install postgresql), \
         or set DATABASE_URL to one that runs",
    )?;
    let folder = std::fs::canonicalize(initdb)?.parent().map(Path::to_owned);
    folder.context("initdb lies in a folder")
}

fn versions_of_debian(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut versions = entries
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").exists())
        .collect::<Vec<_>>();
    versions.sort();
    versions.into_iter().rev().map(|(_, bin)| bin).collect()
}
