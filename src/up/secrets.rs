//! The secrets of this installation, made once and kept in `.bedside/secrets`.

use super::folder::Folder;
use anyhow::{Context as _, bail};
use domain::{Random, Redacted};
use service::config::Config;
use std::fmt::Write as _;

/// Fills in `SECRET` and `RELAY_KEY` where the environment does not set them.
pub fn complete(config: &mut Config, folder: &Folder, random: &dyn Random) -> anyhow::Result<()> {
    if config.secret.is_some() && config.relay_key.is_some() {
        return Ok(());
    }
    let path = folder.join("secrets");
    if !path.exists() {
        folder.write_private("secrets", &format!("SECRET={}\nRELAY_KEY={}\n", made_up(random), made_up(random)))?;
    }
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let (Some(secret), Some(relay_key)) = (value_of("SECRET", &text), value_of("RELAY_KEY", &text)) else {
        bail!("{} is damaged; delete it to have new secrets made (links sent before will not open)", path.display());
    };
    config.secret.get_or_insert(secret);
    config.relay_key.get_or_insert(relay_key);
    Ok(())
}

/// Fills in what was made before; nothing is made.
pub fn find(config: &mut Config, folder: &Folder) {
    let Ok(text) = std::fs::read_to_string(folder.join("secrets")) else { return };
    config.secret = config.secret.take().or_else(|| value_of("SECRET", &text));
    config.relay_key = config.relay_key.take().or_else(|| value_of("RELAY_KEY", &text));
}

/// 256 bits as 64 hexadecimal digits.
fn made_up(random: &dyn Random) -> String {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

fn value_of(name: &str, text: &str) -> Option<Redacted<String>> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
    (line.len() >= service::secrets::MIN_SECRET_BYTES).then(|| Redacted::new(line.to_owned()))
}
