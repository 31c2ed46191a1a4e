//! On what was measured, and which process runs where.

use serde::{Deserialize, Serialize};
use std::{
    fs,
    process::{Command, Stdio},
};

/// What a figure means nothing without.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// As the processor names itself.
    pub processor: String,
    /// How many cores this process may use.
    pub cores: usize,
    /// Memory in all, bytes.
    pub memory_bytes: u64,
    /// Name and version of the kernel.
    pub kernel: String,
    /// The distribution.
    pub system: String,
    /// How many wanted to run in the last minute, by the kernel's count; a busy machine spoils figures.
    pub load: String,
    /// The compiler of the bench, as it names itself.
    pub compiler: String,
    /// The commit that was built, where it is known.
    pub commit: String,
}

impl Machine {
    /// This one.
    pub fn this() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str, by: char| {
            let line = text.lines().find(|line| line.starts_with(name));
            let value = line.and_then(|line| line.split_once(by)).map(|(_, value)| value.trim().trim_matches('"'));
            value.unwrap_or("unknown").to_owned()
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal", ':');
        let kibibytes: u64 = memory.trim_end_matches(" kB").parse().unwrap_or(0);
        Self {
            processor: field(&read("/proc/cpuinfo"), "model name", ':'),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_bytes: kibibytes * 1_024,
            kernel: format!("Linux {}", read("/proc/sys/kernel/osrelease").trim()),
            system: field(&read("/etc/os-release"), "PRETTY_NAME", '='),
            load: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
            compiler: says("rustc", &["--version"]).unwrap_or_else(|| "unknown".to_owned()),
            commit: commit().unwrap_or_else(|| "unknown".to_owned()),
        }
    }
}

/// The commit of the source, with a mark when it was changed since.
fn commit() -> Option<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let commit = says("git", &["-C", folder, "rev-parse", "--short=7", "HEAD"])?;
    let changed = says("git", &["-C", folder, "status", "--porcelain", "--untracked-files=no"]);
    Some(if changed.is_some() { format!("{commit}, changed") } else { commit })
}

/// The first line that a program says when all is well with it.
pub fn says(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    let line = said.lines().next()?.trim().to_owned();
    (output.status.success() && !line.is_empty()).then_some(line)
}

/// Which core the server has and which one the generator; the same where there is one only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cores {
    /// Of the server and all its threads.
    pub server: usize,
    /// Of the generator.
    pub generator: usize,
}

impl Cores {
    /// The first for the server, the last for the generator.
    pub fn of_this_machine() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { server: 0, generator: cores - 1 }
    }

    /// Keeps every thread of this process, the generator, to its core.
    ///
    /// # Errors
    /// When the system does not allow it; then the figures are not worth taking.
    pub fn pin_generator(self) -> anyhow::Result<()> {
        let (core, me) = (self.generator.to_string(), std::process::id().to_string());
        let status = Command::new("taskset")
            .args(["--all-tasks", "--cpu-list", "--pid", &core, &me])
            .stdout(Stdio::null())
            .status()?;
        anyhow::ensure!(status.success(), "the generator cannot be kept to core {core}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_says_what_it_is() {
        let machine = Machine::this();
        assert!(machine.cores > 0 && machine.memory_bytes > 1 << 20, "{machine:?}");
        assert!(machine.kernel.starts_with("Linux ") && !machine.processor.is_empty(), "{machine:?}");
    }
}
