//! The servers that are known, by name.

pub mod bedside;
pub mod child;

use super::target::Target;
use anyhow::bail;
use std::path::PathBuf;

/// Where the executables of targets are.
#[derive(Debug, Clone)]
pub struct Executables {
    /// `bedside`.
    pub bedside: PathBuf,
}

/// The targets of these names.
///
/// # Errors
/// When there is none of a name.
pub fn named(names: &[String], executables: &Executables) -> anyhow::Result<Vec<Box<dyn Target>>> {
    let target = |name: &String| -> anyhow::Result<Box<dyn Target>> {
        Ok(match name.as_str() {
            "bedside" => Box::new(bedside::Bedside { executable: executables.bedside.clone() }),
            other => bail!("there is no target {other}; there are: bedside"),
        })
    };
    names.iter().map(target).collect()
}
