//! The shape of the house holds: what ARCHITECTURE.md says never happens, as far as the source shows it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn domain_does_no_io_and_is_never_async() {
    let forbidden =
        ["std::fs", "std::net", "std::process", "std::thread", "std::env", "async fn", "tokio", "SystemTime"];
    for (path, text) in sources("domain/src") {
        for word in forbidden {
            assert!(!text.contains(word), "{} says {word}", path.display());
        }
    }
}

#[test]
fn the_media_relay_knows_no_database_and_no_clinic() {
    let tree = dependencies("media-relay");
    for forbidden in ["sqlx", "sqlx-postgres", "scheduler", "signaling", "web", "jsonwebtoken"] {
        assert!(!tree.contains(forbidden), "media-relay depends on {forbidden}");
    }
    for (path, text) in sources("media-relay/src") {
        for word in ["ClinicId", "PatientId", "AppointmentId", "EncounterId", "AccountId"] {
            assert!(!text.contains(word), "{} knows of {word}", path.display());
        }
    }
}

#[test]
fn a_member_uses_only_what_stands_below_it() {
    let members = ["domain", "service", "scheduler", "signaling", "media-relay", "web", "participant", "bedside-bench"];
    let below: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("domain", &[][..]),
        ("service", &["domain"]),
        ("scheduler", &["domain", "service"]),
        ("signaling", &["domain", "service", "scheduler"]),
        ("web", &["domain", "service", "scheduler"]),
        ("media-relay", &["domain", "service"]),
        ("participant", &["domain"]),
        ("bedside-bench", &["domain", "service", "scheduler", "signaling", "web", "media-relay", "participant"]),
    ]);
    for member in members {
        let uses = dependencies(member);
        for other in members.iter().filter(|other| **other != member) {
            let may = below[member].contains(other);
            assert!(may || !uses.contains(*other), "{member} uses {other}");
        }
    }
}

#[test]
fn there_is_one_crypto_library() {
    let tree = dependencies("bedside");
    for forbidden in ["ring", "openssl-sys", "native-tls"] {
        assert!(!tree.contains(forbidden), "the executable depends on {forbidden}");
    }
}

#[test]
fn each_table_is_written_in_one_place() {
    let mut writers: BTreeMap<String, BTreeSet<PathBuf>> = BTreeMap::new();
    // Time throws expired sessions away, and time is the scheduler's; all else about them is `web`'s.
    let thrown_away = Path::new(ROOT).join("scheduler/src/tables/sessions.rs");
    for folder in ["service/src", "scheduler/src", "signaling/src", "web/src", "src"] {
        for (path, text) in sources(folder).into_iter().filter(|(path, _)| *path != thrown_away) {
            for table in written_tables(&text) {
                writers.entry(table).or_default().insert(path.clone());
            }
        }
    }
    assert!(writers.len() > 8, "the search finds the tables: {writers:?}");
    for (table, paths) in writers {
        assert_eq!(paths.len(), 1, "{table} is written by {paths:?}");
    }
}

/// The tables after `insert into`, `update … set` and `delete from`.
fn written_tables(text: &str) -> BTreeSet<String> {
    let words: Vec<&str> = text.split_whitespace().map(|word| word.trim_matches(['"', '\'', '#', '('])).collect();
    let name = |word: &str| word.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect::<String>();
    words
        .windows(3)
        .filter_map(|three| match three {
            ["insert", "into", table] | ["delete", "from", table] => Some(name(table)),
            ["update", table, "set"] => Some(name(table)),
            _ => None,
        })
        .filter(|table| !table.is_empty())
        .collect()
}

/// The names of everything a member is built from.
fn dependencies(member: &str) -> BTreeSet<String> {
    let arguments = ["tree", "--offline", "--locked", "--edges", "normal", "--prefix", "none", "--package", member];
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(ROOT).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    lines.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// Every Rust file below a folder of the repository, with its text.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(ROOT).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("the file can be read");
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has sources");
    found
}
