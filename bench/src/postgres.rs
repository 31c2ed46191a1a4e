//! A Postgres of our own in a temporary folder, reached by a socket file, gone at the end.

use anyhow::{Context as _, bail};
use std::{
    os::unix::fs::{MetadataExt as _, PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The server and its folder.
#[derive(Debug)]
pub struct PrivatePostgres {
    programs: PathBuf,
    folder: PathBuf,
    /// Postgres refuses root: then its user and group.
    run_as: Option<(u32, u32)>,
}

impl PrivatePostgres {
    /// Makes a cluster and starts it, as durable as Postgres comes: what it acknowledged has reached the disk.
    pub fn start() -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("bedside-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o711))?;
        let server = Self { programs: programs()?, run_as: somebody_else()?, folder };
        for name in ["data", "socket"] {
            let path = server.folder.join(name);
            std::fs::create_dir_all(&path)?;
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o700))?;
            if let Some((user, group)) = server.run_as {
                chown(&path, Some(user), Some(group))?;
            }
        }
        server.run("initdb", &["-U", "bedside", "--auth=trust", "--encoding=UTF8", "--locale=C", "-D"])?;
        server.pg_ctl("start")?;
        server.run_with("createdb", &["-h", &server.socket(), "-U", "bedside", "bedside"])?;
        Ok(server)
    }

    /// Where it is reached, as its superuser.
    pub fn url(&self) -> String {
        format!("postgres://bedside@localhost/bedside?host={}", self.socket())
    }

    /// Stops it as a power cut would, and starts it again.
    pub fn crash(&self) -> anyhow::Result<()> {
        self.pg_ctl("restart")
    }

    fn socket(&self) -> String {
        self.folder.join("socket").display().to_string()
    }

    fn pg_ctl(&self, action: &str) -> anyhow::Result<()> {
        let options = format!("-k {} -c listen_addresses= -c max_connections=300", self.socket());
        let log = self.folder.join("data/server.log").display().to_string();
        self.run("pg_ctl", &[action, "-m", "immediate", "-w", "-l", &log, "-o", &options, "-D"])
    }

    fn run(&self, program: &str, arguments: &[&str]) -> anyhow::Result<()> {
        let data = self.folder.join("data").display().to_string();
        self.run_with(program, &[arguments, &[&data]].concat())
    }

    fn run_with(&self, program: &str, arguments: &[&str]) -> anyhow::Result<()> {
        let program = self.programs.join(program);
        let mut command = match self.run_as {
            None => Command::new(program),
            Some((user, group)) => {
                let mut command = Command::new("setpriv");
                command.arg(format!("--reuid={user}")).arg(format!("--regid={group}")).arg("--clear-groups");
                command.arg(program);
                command
            }
        };
        // Not piped: the server would keep the pipe open.
        let status = command.args(arguments).current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).status()?;
        if !status.success() {
            bail!("{command:?} failed");
        }
        Ok(())
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        // Nothing is left to be told when it cannot be stopped.
        let _ = self.run("pg_ctl", &["stop", "-m", "immediate", "-D"]);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The folder with the newest `initdb` and `pg_ctl`.
fn programs() -> anyhow::Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").exists())
        .collect();
    versions.sort();
    if let Some((_, bin)) = versions.pop() {
        return Ok(bin);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).find(|folder| folder.join("initdb").exists()).context("Postgres is missing")
}

/// Whose name root takes to run a server.
fn somebody_else() -> anyhow::Result<Option<(u32, u32)>> {
    if std::fs::metadata(Path::new("/proc/self"))?.uid() != 0 {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd")?;
    let numbers = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    ["postgres", "nobody"].into_iter().find_map(numbers).map(Some).context("no user as whom Postgres could run")
}
