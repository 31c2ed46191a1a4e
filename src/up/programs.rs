//! Finding other people's programs, and running them as somebody who is not root.

use anyhow::{Context as _, bail};
use std::{
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The program `name` from the PATH or one of `folders`.
pub fn find(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).collect::<Vec<_>>();
    folders.iter().chain(&on_path).map(|folder| folder.join(name)).find(|file| is_executable(file))
}

/// In whose name a server runs: its own user where we are root, since Postgres refuses root; else ours.
#[derive(Debug, Clone)]
pub enum RunAs {
    /// As we are.
    Ourselves,
    /// As this user and group.
    User {
        /// Who, by number.
        user: u32,
        /// Their group, by number.
        group: u32,
    },
}

impl RunAs {
    /// Root steps down to whom `folder` belongs, or to `postgres`, or to `nobody` where that user is missing.
    pub fn for_server(folder: &Path) -> anyhow::Result<Self> {
        if ourselves()? != 0 {
            return Ok(Self::Ourselves);
        }
        let owner = std::fs::metadata(folder)?;
        if owner.uid() != 0 {
            return Ok(Self::User { user: owner.uid(), group: owner.gid() });
        }
        let users = std::fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        let (user, group) = ["postgres", "nobody"]
            .iter()
            .find_map(|name| numbers_of(name, &users))
            .context("there is neither a user `postgres` nor `nobody` as whom Postgres could run")?;
        Ok(Self::User { user, group })
    }

    /// Gives a folder to whoever this is.
    pub fn own(&self, path: &Path) -> anyhow::Result<()> {
        let (user, group) = match self {
            Self::Ourselves => (ourselves()?, None),
            Self::User { user, group } => (*user, Some(*group)),
        };
        chown(path, Some(user), group).with_context(|| format!("{} belongs to somebody else", path.display()))
    }

    /// A command that runs `program` in this name, below `folder`, out of reach of the terminal's Ctrl-C.
    ///
    /// Where `folder` lies below one that others may not enter (`/root`), the program may pass it but not write there.
    pub fn command(&self, program: &Path, folder: &Path) -> anyhow::Result<Command> {
        use std::os::unix::process::CommandExt as _;
        let mut command = match self {
            Self::Ourselves => Command::new(program),
            Self::User { user, group } => {
                let setpriv = find("setpriv", &[]).context("setpriv is missing (Debian: package util-linux)")?;
                let mut command = Command::new(setpriv);
                command.args([format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()]);
                if !everybody_may_enter(folder) {
                    command.args(["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]);
                }
                command.arg(program);
                command
            }
        };
        command.process_group(0).current_dir("/").stdin(Stdio::null()).env("LC_ALL", "C");
        Ok(command)
    }
}

/// Runs a command to its end; its output becomes the error when it fails.
pub fn run(mut command: Command, what: &str) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("{what}: cannot be started"))?;
    if !output.status.success() {
        let text = [output.stdout, output.stderr].concat();
        bail!("{what} failed:\n{}", String::from_utf8_lossy(&text).trim());
    }
    Ok(())
}

fn is_executable(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// The number of the effective user, to whom `/proc/self` belongs.
fn ourselves() -> anyhow::Result<u32> {
    Ok(std::fs::metadata("/proc/self").context("cannot find out who runs this")?.uid())
}

fn everybody_may_enter(folder: &Path) -> bool {
    let others_may =
        |path: &Path| std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0);
    folder.parent().is_none_or(|parent| parent.ancestors().all(others_may))
}

fn numbers_of(name: &str, users: &str) -> Option<(u32, u32)> {
    let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_name() {
        let users = "root:x:0:0:root:/root:/bin/bash\npostgres:x:102:104:,,,:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(numbers_of("postgres", users), Some((102, 104)));
        assert_eq!(numbers_of("nobody", users), None);
    }

    #[test]
    fn a_program_is_found_on_the_path() {
        assert!(find("sh", &[]).is_some());
        assert!(find("no-such-program-of-bedside", &[]).is_none());
    }
}
