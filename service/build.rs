//! Compiles again when a migration was added or changed: they are part of the program.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
