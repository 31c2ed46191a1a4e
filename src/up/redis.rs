//! A private Redis under `.bedside/redis`, reached by a socket file only. It keeps nothing: what must be remembered is in Postgres.

use super::{
    folder::{self, Folder},
    programs::{self, RunAs},
};
use anyhow::{Context as _, bail};
use domain::Redacted;
use std::{
    fs::File,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How long Redis may take to answer; it begins empty, so this is generous.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// The private Redis, running.
pub struct PrivateRedis {
    server: Child,
    socket: PathBuf,
}

impl PrivateRedis {
    /// Starts it, after stopping one that an earlier start left behind.
    pub async fn start(folder: &Folder) -> anyhow::Result<Self> {
        let program = programs::find("redis-server", &[]).or_else(|| programs::find("valkey-server", &[])).context(
            "Redis is missing: no `redis-server` in the PATH. Install it (Debian: apt install redis-server), \
             or set REDIS_URL to one that runs",
        )?;
        Self::stop_left_behind(folder).await?;
        let home = folder.join("redis");
        folder::make(&home, 0o700)?;
        let socket = socket(folder)?;
        let log = folder.join("redis.log");
        let mut started = Self { server: serve(&program, &home, &socket, &log)?, socket };
        started.wait_until_ready(&log).await?;
        Ok(started)
    }

    /// Stops what an earlier start left running.
    pub async fn stop_left_behind(folder: &Folder) -> anyhow::Result<()> {
        let socket = socket(folder)?;
        ask_to_stop(&socket).await;
        match std::fs::remove_file(socket) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Where the one of `folder` is reached, whether or not it runs.
    pub fn url_in(folder: &Folder) -> Redacted<String> {
        Redacted::new(url_of(&folder.socket_folder("redis-socket").join("redis.sock")))
    }

    /// Where it is reached.
    pub fn url(&self) -> Redacted<String> {
        Redacted::new(url_of(&self.socket))
    }

    /// Whether it ended without being asked.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.server.try_wait(), Ok(Some(_)) | Err(_))
    }

    /// Stops it.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        ask_to_stop(&self.socket).await;
        self.server.wait()?;
        Ok(())
    }

    async fn wait_until_ready(&mut self, log: &Path) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_TIMEOUT;
        while !answers(&self.socket).await {
            if self.server.try_wait()?.is_some() || Instant::now() > deadline {
                let words = std::fs::read_to_string(log).unwrap_or_default();
                bail!("Redis does not start. It says in {}:\n{words}", log.display());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

fn serve(program: &Path, home: &Path, socket: &Path, log: &Path) -> anyhow::Result<Child> {
    let output = File::create(log)?;
    let mut redis = Command::new(program);
    redis.args(["--port", "0", "--unixsocketperm", "700", "--save", "", "--appendonly", "no"]);
    redis.arg("--unixsocket").arg(socket).arg("--dir").arg(home);
    redis.process_group(0).stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    redis.spawn().context("Redis cannot be started")
}

fn socket(folder: &Folder) -> anyhow::Result<PathBuf> {
    let socket = folder.socket_folder("redis-socket");
    folder::make(&socket, 0o700)?;
    RunAs::Ourselves.own(&socket)?;
    Ok(socket.join("redis.sock"))
}

fn url_of(socket: &Path) -> String {
    format!("unix://{}", socket.display())
}

async fn answers(socket: &Path) -> bool {
    command(socket, redis::cmd("PING").arg(&[] as &[&str])).await
}

/// An error is the usual answer: the connection closes, or there was none.
async fn ask_to_stop(socket: &Path) {
    command(socket, redis::cmd("SHUTDOWN").arg("NOSAVE")).await;
}

async fn command(socket: &Path, command: &redis::Cmd) -> bool {
    if !socket.exists() {
        return false;
    }
    let Ok(client) = redis::Client::open(url_of(socket)) else { return false };
    let Ok(mut connection) = client.get_multiplexed_async_connection().await else { return false };
    command.exec_async(&mut connection).await.is_ok()
}
