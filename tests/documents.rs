//! The documents stay true as far as a machine can tell: every file they name is there.

use std::{fs, path::Path};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

const DOCUMENTS: [&str; 10] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "migrations/README.md",
    "docs/api.md",
    "docs/protocol.md",
    "docs/operations.md",
    "docs/performance.md",
    "docs/adr/README.md",
];

#[test]
fn every_file_that_a_document_names_is_there() {
    for document in DOCUMENTS {
        let text = fs::read_to_string(Path::new(ROOT).join(document)).expect(document);
        for path in named_paths(&text) {
            assert!(Path::new(ROOT).join(&path).exists(), "{document} names {path}, which is not there");
        }
    }
}

/// What stands between back quotes or as a link's target and looks like a path from the root of the repository.
fn named_paths(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let linked = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let tops = ["domain/", "service/", "scheduler/", "signaling/", "media-relay/", "participant/", "web/", "src/"];
    let more = ["migrations/", "tests/", "docs/", "bin/"];
    quoted
        .chain(linked)
        .filter(|path| tops.iter().chain(&more).any(|top| path.starts_with(top)))
        .filter(|path| !path.contains([' ', '{', '*', '<', '…']))
        .map(|path| path.split('#').next().expect("a split has a first part").to_owned())
        .collect()
}

#[test]
fn paths_are_found_in_a_document() {
    let text = "See `src/main.rs`, [how](docs/protocol.md#join) and `cargo test`.";
    assert_eq!(named_paths(text), ["src/main.rs", "docs/protocol.md"]);
}
