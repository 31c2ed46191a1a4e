//! A Redis of our own in a temporary folder, reached by a socket file, gone at the end.

use anyhow::{Context as _, ensure};
use domain::Redacted;
use std::{
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// It begins empty, so this is generous.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// The server and its folder.
#[derive(Debug)]
pub struct PrivateRedis {
    server: Child,
    folder: PathBuf,
}

impl PrivateRedis {
    /// Starts one that keeps nothing.
    pub fn start() -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("bedside-bench-redis-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let mut command = Command::new("redis-server");
        command
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(folder.join("redis.sock"));
        let server = command.current_dir(&folder).stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let redis = Self { server: server.context("Redis is missing")?, folder };
        let began = Instant::now();
        while UnixStream::connect(redis.folder.join("redis.sock")).is_err() {
            ensure!(began.elapsed() < START_TIMEOUT, "Redis does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(redis)
    }

    /// Where it is reached.
    pub fn url(&self) -> Redacted<String> {
        Redacted::new(format!("unix://{}", self.folder.join("redis.sock").display()))
    }
}

impl Drop for PrivateRedis {
    fn drop(&mut self) {
        // Nothing is left to be told when it cannot be stopped.
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
