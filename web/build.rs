//! Embeds `static/`: a table of its files and one digest over them all, which becomes part of their addresses.
//!
//! One digest for the whole tree, not one for each file, lets scripts import each other by relative paths.
//! Also writes the rows of the time grid: the content security policy forbids `style` attributes, so each row is a class.

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// Rows of five minutes in a day.
const GRID_ROWS: usize = 24 * 12;

fn main() {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    println!("cargo::rerun-if-changed=static");
    println!("cargo::rerun-if-changed=templates");

    let grid = out.join("time-grid.css");
    fs::write(&grid, time_grid()).expect("OUT_DIR can be written");
    let mut files = vec![("time-grid.css".to_owned(), grid)];
    collect(&root.join("static"), &root.join("static"), &mut files);
    files.sort();
    fs::write(out.join("static_files.rs"), table(&files)).expect("OUT_DIR can be written");
}

fn time_grid() -> String {
    (0..GRID_ROWS).fold(String::new(), |mut css, row| {
        writeln!(css, ".at-{row}{{grid-row-start:{}}}.for-{row}{{grid-row-end:span {row}}}", row + 1)
            .expect("a string takes everything");
        css
    })
}

fn collect(root: &Path, directory: &Path, files: &mut Vec<(String, PathBuf)>) {
    for entry in fs::read_dir(directory).expect("the directory of static files can be read") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            collect(root, &path, files);
        } else if content_type(&path).is_some() {
            let name = path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
            files.push((name, path));
        }
    }
}

fn table(files: &[(String, PathBuf)]) -> String {
    let mut digest = Fnv1a::new();
    let mut rows = String::new();
    for (name, path) in files {
        digest.add(name.as_bytes());
        digest.add(&fs::read(path).expect("a static file can be read"));
        let content_type = content_type(path).expect("only known types are collected");
        writeln!(rows, "    ({name:?}, {content_type:?}, include_bytes!({:?})),", path.display().to_string())
            .expect("a string takes everything");
    }
    format!(
        "const DIGEST: &str = \"{0:016x}\";\nconst ETAG: &str = \"\\\"{0:016x}\\\"\";\nconst FILES: &[(&str, &str, &[u8])] = &[\n{rows}];\n",
        digest.0
    )
}

fn content_type(path: &Path) -> Option<&'static str> {
    match path.extension()?.to_str()? {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "woff2" => Some("font/woff2"),
        "png" => Some("image/png"),
        _ => None,
    }
}

/// FNV-1a, 64 bits: it only has to differ when a file does.
struct Fnv1a(u64);

impl Fnv1a {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
