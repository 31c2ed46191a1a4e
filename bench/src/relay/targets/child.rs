//! A server's process: kept to its core, its output in a file of its own, ended when it is no longer needed.

use crate::relay::target::Place;
use anyhow::Context as _;
use std::{ffi::OsStr, fs::File, process::Stdio, time::Duration};
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::{sleep, timeout},
};

/// How long a server may take to listen.
const START_TIME: Duration = Duration::from_secs(20);

/// A running server. It is killed when dropped.
pub struct ServerProcess {
    child: Child,
    id: u32,
}

/// A command that runs at `place`, says nothing to the terminal, and dies with us.
pub fn command(program: impl AsRef<OsStr>, place: &Place) -> Command {
    // `taskset` replaces itself, so that the process has the id that we know.
    let mut command = Command::new("taskset");
    command.arg("--cpu-list").arg(place.cpu.to_string()).arg(program.as_ref());
    command.current_dir(&place.scratch).stdin(Stdio::null()).kill_on_drop(true);
    command
}

impl ServerProcess {
    /// Starts it, what it says going to `server.log` in its folder.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(mut command: Command, place: &Place) -> anyhow::Result<Self> {
        let log = File::create(place.scratch.join("server.log"))?;
        command.stderr(log.try_clone()?).stdout(log);
        Self::over(command.spawn()?)
    }

    /// One that was started otherwise.
    ///
    /// # Errors
    /// When it has ended.
    pub fn over(child: Child) -> anyhow::Result<Self> {
        let id = child.id().context("it ended at once")?;
        Ok(Self { child, id })
    }

    /// Its process.
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// Waits until it takes connections at `port` of the loop-back address.
    ///
    /// # Errors
    /// When it ends before, or takes too long.
    pub async fn listens(&mut self, port: u16) -> anyhow::Result<()> {
        let connects = async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::select! {
            connected = timeout(START_TIME, connects) => connected.context("it did not begin to listen"),
            ended = self.child.wait() => anyhow::bail!("it ended at once: {}", ended?),
        }
    }

    /// Asks it to end, and makes it when it takes long.
    pub async fn stop(mut self) {
        let id = self.id.to_string();
        // It may have ended by itself.
        let _ = Command::new("kill").arg(&id).stderr(Stdio::null()).status().await;
        if timeout(Duration::from_secs(5), self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }
}

/// A TCP port of the loop-back address that nobody has at the moment.
///
/// # Errors
/// When there is none.
pub fn free_port() -> std::io::Result<u16> {
    std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr().map(|address| address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_runs_on_its_core_only() {
        let place = Place { cpu: 0, scratch: std::env::temp_dir(), address: std::net::Ipv4Addr::LOCALHOST.into() };
        let output = command("grep", &place).args(["Cpus_allowed_list", "/proc/self/status"]).output().await;
        let said = String::from_utf8(output.expect("taskset runs").stdout).expect("text");
        assert_eq!(said.split_whitespace().last(), Some("0"));
    }
}
