//! Passwords: Argon2id, off the threads that serve pages.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use domain::{Random, Redacted};
use tokio::sync::Semaphore;

/// The longest password accepted, in bytes: hashing more would only give work away.
pub(crate) const MAX_PASSWORD_BYTES: usize = 256;

/// What an unknown e-mail address is checked against, so that it takes as long as a known one. No password gives this
/// hash; the parameters are those of [`hash`].
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// How many passwords are checked at once; others wait for their turn.
///
/// Each takes 19 MiB and a processor. A storm of attempts must not take the memory and the time of the pages.
static TURNS: Semaphore = Semaphore::const_new(4);

/// Hashes a password (Argon2id with the crate's parameters, PHC string). Takes tens of milliseconds of processor.
pub fn hash(random: &dyn Random, password: &Redacted<String>) -> Redacted<String> {
    let mut salt = [0; 16];
    random.fill(&mut salt);
    Redacted::new(phc(password.expose().as_bytes(), &salt))
}

/// Whether the password is the one that was hashed. `None` stands for an account that is not there, and takes as long.
pub(crate) async fn matches(password: Redacted<String>, hash: Option<Redacted<String>>) -> anyhow::Result<bool> {
    let _turn = TURNS.acquire().await?;
    Ok(tokio::task::spawn_blocking(move || verify(&password, hash.as_ref())).await?)
}

fn verify(password: &Redacted<String>, hash: Option<&Redacted<String>>) -> bool {
    let text = hash.map_or(NOBODY, |hash| hash.expose().as_str());
    let Ok(parsed) = PasswordHash::new(text) else {
        return false;
    };
    let is_right = Argon2::default().verify_password(password.expose().as_bytes(), &parsed).is_ok();
    is_right && hash.is_some()
}

fn phc(password: &[u8], salt: &[u8]) -> String {
    Argon2::default()
        .hash_password_with_salt(password, salt)
        .expect("a short password and a salt of 16 bytes")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use service::random::SeededRandom;

    #[test]
    fn only_the_right_password_matches() {
        let password = |text: &str| Redacted::new(text.to_owned());
        let hashed = hash(&SeededRandom::new(1), &password("correct horse"));
        assert!(hashed.expose().starts_with("$argon2id$"));
        assert!(verify(&password("correct horse"), Some(&hashed)));
        assert!(!verify(&password("wrong horse"), Some(&hashed)));
        assert!(!verify(&password("correct horse"), None));
    }

    #[test]
    fn an_unknown_address_is_as_much_work_as_a_known_one() {
        let hashed = hash(&SeededRandom::new(1), &Redacted::new("correct horse".to_owned()));
        let parameters = |phc: &str| phc.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(parameters(hashed.expose()), parameters(NOBODY));
        assert!(PasswordHash::new(NOBODY).is_ok());
    }
}
