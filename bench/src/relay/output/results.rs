//! One run as a file: on what it was measured, how, and every row.

use crate::relay::{figures::Row, machine::Machine};
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Grows when an old file could no longer be read rightly.
const FORMAT: u32 = 1;

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Of this file.
    pub format: u32,
    /// When it began, RFC 3339.
    pub began: String,
    /// On what.
    pub machine: Machine,
    /// What the generator's dice began with.
    pub seed: u64,
    /// How it was measured: rounds, seconds, cores, as name and value.
    pub settings: Vec<(String, String)>,
    /// Every window.
    pub rows: Vec<Row>,
}

impl Results {
    /// Nothing measured yet.
    pub fn new(began: jiff::Timestamp, machine: Machine, seed: u64, settings: Vec<(String, String)>) -> Self {
        Self { format: FORMAT, began: began.to_string(), machine, seed, settings, rows: Vec::new() }
    }

    /// Reads a file that [`write`](Self::write) wrote.
    ///
    /// # Errors
    /// A sentence that names the file and what is wrong with it.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let name = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("{name} cannot be read"))?;
        let head: Head = serde_json::from_str(&text).with_context(|| format!("{name} is no file of results"))?;
        anyhow::ensure!(head.format == FORMAT, "{name} is of format {}; this program reads {FORMAT}", head.format);
        serde_json::from_str(&text).with_context(|| format!("{name} is a broken file of results"))
    }

    /// Writes the file, and beside it the page to look at; gives the path of the page.
    ///
    /// # Errors
    /// When the disk does not take them.
    pub fn write(&self, path: &Path) -> anyhow::Result<PathBuf> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let json = serde_json::to_string_pretty(self)?;
        fs::write(path, json).with_context(|| format!("{} cannot be written", path.display()))?;
        let page = path.with_extension("html");
        fs::write(&page, super::page::render(self)?)
            .with_context(|| format!("{} cannot be written", page.display()))?;
        Ok(page)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::relay::{
        figures::{Cpu, Latency},
        output::compare::compare,
    };

    /// Results in which each target costs so many microseconds a packet, round by round, at full and at half load.
    pub(crate) fn made_up(costs: &[(&str, &[f64])]) -> Results {
        let rows = costs.iter().flat_map(|(target, costs)| {
            let rounds = costs.iter().enumerate();
            rounds
                .flat_map(move |(round, cost)| [1.0, 0.5].map(|load| row(target, round + 1, load, *cost / load.sqrt())))
        });
        Results {
            rows: rows.collect(),
            ..Results::new(jiff::Timestamp::UNIX_EPOCH, Machine::default(), 1, vec![("rounds".into(), "3".into())])
        }
    }

    fn row(target: &str, round: usize, load: f64, cost: f64) -> Row {
        Row {
            target: target.to_owned(),
            scenario: "S1".to_owned(),
            load,
            round,
            seconds: 25.0,
            packets_out: 10_000.0 * load,
            cpu: Some(Cpu {
                user: cost * load * 0.004,
                system: cost * load * 0.006,
                us_per_packet: cost,
                seconds_per_gb: cost / 1.1,
            }),
            latency: Some(Latency { p50: cost * 4.0, p99: cost * 10.0, p999: cost * 20.0 }),
            generator_cpu: 0.4,
            judged: true,
            ..Row::default()
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_what_is_broken_says_so() {
        let folder = std::env::temp_dir().join(format!("bedside-bench-results-{}", std::process::id()));
        let path = folder.join("a.json");
        let results = made_up(&[("bedside", &[6.0, 6.1]), ("null", &[5.0, 5.1])]);
        let page = results.write(&path).expect("the folder can be written");
        let read = Results::read(&path).expect("the file is whole");
        assert_eq!((read.rows.len(), &read.settings), (results.rows.len(), &results.settings));
        assert_eq!(compare(&results, &read).changes, []);
        assert!(fs::read_to_string(page).expect("the page is there").contains("bedside"));

        let text = fs::read_to_string(&path).expect("the file is there");
        for (broken, says) in [
            ("hello", "is no file of results"),
            (&text[..text.len() / 2], "is no file of results"),
            (text.replace("\"rows\"", "\"lines\"").as_str(), "is a broken file of results"),
            (text.replace("\"format\": 1", "\"format\": 9").as_str(), "is of format 9; this program reads 1"),
        ] {
            fs::write(&path, broken).expect("the file can be written");
            let error = Results::read(&path).expect_err("it is broken").to_string();
            assert!(error.contains("a.json") && error.contains(says), "{error}");
        }
        fs::remove_dir_all(&folder).expect("the folder is there");
        assert!(Results::read(&path).expect_err("it is gone").to_string().contains("cannot be read"));
    }
}
