//! Secrets come from a variable or from the file that the variable of the same name with `_FILE` points to.

use domain::Redacted;
use std::path::{Path, PathBuf};

/// The shortest secret that is accepted, in bytes: 256 bits if it was made at random.
pub const MIN_SECRET_BYTES: usize = 32;

/// Why a secret cannot be used. Never says what it is.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Both ways were used.
    #[error("{0} and {0}_FILE are both set; keep one")]
    Ambiguous(&'static str),
    /// The file cannot be read.
    #[error("{name}_FILE names {}, which cannot be read: {source}", path.display())]
    Unreadable {
        /// The variable.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It can be guessed.
    #[error("{0} is shorter than {MIN_SECRET_BYTES} bytes; make one with `openssl rand -base64 32`")]
    TooShort(&'static str),
}

/// The value of the variable `name`, or the text of the file that `{name}_FILE` names without the line end; `None` if neither is set.
pub fn resolve(
    name: &'static str,
    value: Option<Redacted<String>>,
    file: Option<&Path>,
) -> Result<Option<Redacted<String>>, SecretError> {
    match (value, file) {
        (Some(_), Some(_)) => Err(SecretError::Ambiguous(name)),
        (Some(value), None) => Ok(Some(value)),
        (None, None) => Ok(None),
        (None, Some(path)) => match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some(Redacted::new(text.trim_end_matches(['\r', '\n']).to_owned()))),
            Err(source) => Err(SecretError::Unreadable { name, path: path.to_owned(), source }),
        },
    }
}

/// Refuses what is too short to be a key.
pub fn long_enough(
    name: &'static str,
    secret: Option<Redacted<String>>,
) -> Result<Option<Redacted<String>>, SecretError> {
    match &secret {
        Some(secret) if secret.expose().len() < MIN_SECRET_BYTES => Err(SecretError::TooShort(name)),
        _ => Ok(secret),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_from_a_file_without_its_line_end() {
        let path = std::env::temp_dir().join(format!("bedside-secret-{}", std::process::id()));
        std::fs::write(&path, "correct horse battery staple, twice\n").expect("a file in the temporary folder");
        let secret = resolve("SECRET", None, Some(&path)).expect("readable").expect("set");
        std::fs::remove_file(&path).expect("just written");
        assert_eq!(secret.expose(), "correct horse battery staple, twice");
    }

    #[test]
    fn a_secret_given_twice_is_refused() {
        let given = Some(Redacted::new("x".repeat(32)));
        assert!(matches!(resolve("SECRET", given, Some(Path::new("/x"))), Err(SecretError::Ambiguous("SECRET"))));
    }

    #[test]
    fn a_short_secret_is_refused_without_being_said() {
        let refusal = long_enough("SECRET", Some(Redacted::new("hunter2".to_owned()))).expect_err("too short");
        assert!(!refusal.to_string().contains("hunter2"));
    }
}
