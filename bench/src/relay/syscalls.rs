//! How many system calls a server makes, by a short look with `strace`.
//!
//! The look slows the server down several times, so it is never part of a measured window.

use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
    time::Duration,
};

/// How often each system call was made during a look.
pub type Counts = BTreeMap<String, u64>;

/// Counts the system calls of `processes` and their threads for so long.
///
/// # Errors
/// A sentence that says why it cannot be done here: then it is "not measured", which is no fault of the server.
pub fn sample(processes: &[u32], time: Duration) -> Result<Counts, String> {
    let mut command = Command::new("timeout");
    command.args(["--signal=INT", &format!("{:.1}", time.as_secs_f64()), "strace", "-c", "-f", "-q"]);
    for process in super::accounting::with_children(processes) {
        command.arg("-p").arg(process.to_string());
    }
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).output().map_err(|error| error.to_string())?;
    let report = String::from_utf8_lossy(&output.stderr);
    let counts = parse(&report);
    if counts.is_empty() {
        let why = report.lines().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        return Err(format!("strace counted nothing: {why}"));
    }
    Ok(counts)
}

/// Reads the table of `strace -c`: share, seconds, microseconds a call, calls, perhaps errors, name.
pub fn parse(report: &str) -> Counts {
    let rows = report.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (name, calls) = (*fields.last()?, fields.get(3)?);
        let is_row = fields.len() >= 5 && fields[0].parse::<f64>().is_ok() && name != "total";
        Some((name.to_owned(), calls.parse().ok()?)).filter(|_| is_row)
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_strace_is_read_with_and_without_errors() {
        let report = "strace: Process 12 attached
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 61.90    0.000104           1        99           sendmsg
 38.10    0.000064           0       101         3 recvmmsg
  0.00    0.000000           0         1           epoll_wait
------ ----------- ----------- --------- --------- ----------------
100.00    0.000168           0       201         3 total
";
        let expected = [("sendmsg", 99), ("recvmmsg", 101), ("epoll_wait", 1)];
        assert_eq!(parse(report), expected.map(|(name, calls)| (name.to_owned(), calls)).into());
    }

    #[test]
    fn a_refusal_is_no_count() {
        assert!(parse("strace: attach: ptrace(PTRACE_SEIZE, 1): Operation not permitted").is_empty());
    }
}
