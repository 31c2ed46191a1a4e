//! A Redis of one test's own, reached by a socket file; it ends with the test.

use domain::Redacted;
use std::{
    io::{BufRead as _, BufReader},
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

    /// Starts the server, empty, and waits until it can be reached.
    pub(crate) fn run(&mut self) {
        let mut server = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(self.folder.join("redis.sock"))
            .arg("--dir")
            .arg(&self.folder)
            .stdout(Stdio::piped())
            .spawn()
            .expect("redis-server is on the PATH");
        let mut says = BufReader::new(server.stdout.take().expect("piped")).lines().map_while(Result::ok);
        let is_ready = says.any(|line| line.contains("eady to accept connections"));
        self.server = Some(server);
        assert!(is_ready, "Redis starts");
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
