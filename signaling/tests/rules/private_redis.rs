//! A Redis of one test's own, reached by a socket file; it ends with the test.

use domain::Redacted;
use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
};
use uuid::Uuid;

/// A running Redis.
pub(crate) struct PrivateRedis {
    server: Option<Child>,
    folder: PathBuf,
}

impl PrivateRedis {
    pub(crate) fn start(id: Uuid) -> Self {
        let folder = std::env::temp_dir().join(format!("bedside-redis-{}", id.simple()));
        std::fs::create_dir(&folder).expect("a folder for Redis");
        let mut redis = Self { server: None, folder };
        redis.run();
        redis
    }

    /// Starts the server, empty.
    pub(crate) fn run(&mut self) {
        let server = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(self.folder.join("redis.sock"))
            .arg("--dir")
            .arg(&self.folder)
            .stdout(Stdio::null())
            .spawn();
        self.server = Some(server.expect("redis-server is on the PATH"));
    }

    /// Kills it, and everything it knew.
    pub(crate) fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().expect("our own child");
            server.wait().expect("our own child");
        }
    }

    pub(crate) fn url(&self) -> Redacted<String> {
        Redacted::new(format!("redis+unix://{}", self.folder.join("redis.sock").display()))
    }
}

impl Drop for PrivateRedis {
    fn drop(&mut self) {
        self.kill();
        // What stays is in the temporary folder.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
