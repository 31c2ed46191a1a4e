//! A Redis of its own for each test: a small program that is there in milliseconds.

use super::PATIENCE;
use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tokio::net::UnixStream;

/// A Redis that ends with its test.
pub struct Redis {
    server: Child,
    folder: PathBuf,
}

impl Redis {
    /// Starts one, reached by a socket file only.
    pub async fn start() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("bedside-test-redis-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        let socket = folder.join("redis.sock");
        let mut redis = Command::new("redis-server");
        redis.args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"]).arg(&socket);
        redis.arg("--dir").arg(&folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = redis.spawn().expect("redis-server is installed; bin/test does it");
        let started = Self { server, folder };
        started.wait_until_there().await;
        started
    }

    /// Where it is reached.
    pub fn url(&self) -> String {
        format!("unix://{}", self.folder.join("redis.sock").display())
    }

    /// Runs a command, such as `FLUSHALL`.
    pub async fn command(&self, name: &str) {
        let client = redis::Client::open(self.url()).expect("an address of a socket");
        let mut connection = client.get_multiplexed_async_connection().await.expect("Redis answers");
        redis::cmd(name).exec_async(&mut connection).await.expect("Redis does it");
    }

    /// A program that says of itself when it is there would be better; this one only opens its socket.
    async fn wait_until_there(&self) {
        let there = async {
            while UnixStream::connect(self.folder.join("redis.sock")).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, there).await.expect("Redis opens its socket");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
