//! The whole configuration: from the environment (or flags of the same names), checked at start, printed without secrets.

use crate::{
    ice_servers::IceServers,
    secrets::{self, SecretError},
    telemetry::LogFormat,
};
use clap::{Args, CommandFactory as _, FromArgMatches as _};
use domain::Redacted;
use std::{
    convert::Infallible,
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};
use url::Url;

/// Every variable that Bedside reads. A service uses those it needs.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Configuration")]
pub struct Settings {
    /// Postgres, as `postgres://user:password@host/database`. Unset, `bedside up` starts a private one under `.bedside/`.
    #[arg(long, env, hide_env_values = true, value_parser = redacted)]
    pub database_url: Option<Redacted<String>>,
    /// File that holds `DATABASE_URL`.
    #[arg(long, env, value_name = "FILE")]
    pub database_url_file: Option<PathBuf>,
    /// Redis, as `redis://host:port`. Unset, `bedside up` starts a private one under `.bedside/`.
    #[arg(long, env, hide_env_values = true, value_parser = redacted)]
    pub redis_url: Option<Redacted<String>>,
    /// File that holds `REDIS_URL`.
    #[arg(long, env, value_name = "FILE")]
    pub redis_url_file: Option<PathBuf>,
    /// From which join tokens and visit links are derived, the same for every `web`, `signaling` and `scheduler`; at least 32 bytes.
    #[arg(long, env, hide_env_values = true, value_parser = redacted)]
    pub secret: Option<Redacted<String>>,
    /// File that holds `SECRET`.
    #[arg(long, env, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// What signaling shows a media relay, the same for all of them; at least 32 bytes.
    #[arg(long, env, hide_env_values = true, value_parser = redacted)]
    pub relay_key: Option<Redacted<String>>,
    /// File that holds `RELAY_KEY`.
    #[arg(long, env, value_name = "FILE")]
    pub relay_key_file: Option<PathBuf>,
    /// Mail server, as `smtps://user:password@host`. Unset, e-mail waits (in the demo it lands on the mailbox page).
    #[arg(long, env, hide_env_values = true, value_parser = redacted)]
    pub smtp_url: Option<Redacted<String>>,
    /// File that holds `SMTP_URL`.
    #[arg(long, env, value_name = "FILE")]
    pub smtp_url_file: Option<PathBuf>,
    /// Where text messages are posted, each signed as Standard Webhooks say. Unset, none are sent (in the demo they land on the
    /// mailbox page).
    #[arg(long, env)]
    pub sms_webhook_url: Option<Url>,
    /// What signs the posts to `SMS_WEBHOOK_URL`: `whsec_` followed by base64.
    #[arg(long, env, hide_env_values = true, value_parser = redacted)]
    pub sms_webhook_secret: Option<Redacted<String>>,
    /// File that holds `SMS_WEBHOOK_SECRET`.
    #[arg(long, env, value_name = "FILE")]
    pub sms_webhook_secret_file: Option<PathBuf>,
    /// Sender of e-mails.
    #[arg(long, env, default_value = "Bedside <bedside@localhost>")]
    pub mail_from: String,
    /// Where pages (and signaling) are served.
    #[arg(long, env, default_value = "127.0.0.1:8080")]
    pub bind_addr: SocketAddr,
    /// Where `/livez`, `/readyz` and `/metrics` are served; never to the outside. Port 0 takes a free one.
    #[arg(long, env, default_value = "127.0.0.1:0")]
    pub internal_addr: SocketAddr,
    /// The address that people type, without a path. Unset, `http://localhost` with the port of `BIND_ADDR`.
    #[arg(long, env)]
    pub public_url: Option<Url>,
    /// Where browsers reach signaling when it does not run beside web, as `wss://host/signal`.
    #[arg(long, env)]
    pub signaling_url: Option<Url>,
    /// Where a media relay listens to signaling. Port 0 takes a free one.
    #[arg(long, env, default_value = "127.0.0.1:0")]
    pub relay_control_addr: SocketAddr,
    /// Where signaling reaches this relay, when that is not `RELAY_CONTROL_ADDR`, as `ws://host:port/relay`.
    #[arg(long, env)]
    pub relay_control_url: Option<Url>,
    /// Address on which a media relay receives media (UDP).
    #[arg(long, env, default_value = "::")]
    pub media_addr: IpAddr,
    /// First UDP port of a media relay; each shard takes the next. 0 takes free ones.
    #[arg(long, env, default_value_t = 0)]
    pub media_port: u16,
    /// Shards (threads that forward media) of a media relay. 0 means one for each processor.
    #[arg(long, env, default_value_t = 0)]
    pub media_shards: usize,
    /// Addresses, separated by commas, at which browsers reach this relay's media ports from outside (behind NAT).
    #[arg(long, env, value_delimiter = ',')]
    pub public_address: Vec<IpAddr>,
    /// STUN and TURN servers, separated by commas, for those whose network lets nothing through to a relay, as
    /// `turns:turn.example.org:443?transport=tcp`. Mostly none is needed.
    #[arg(long, env, value_delimiter = ',')]
    pub ice_servers: Vec<String>,
    /// What the TURN servers of `ICE_SERVERS` share with us (coturn: `static-auth-secret`).
    #[arg(long, env, hide_env_values = true, value_parser = redacted)]
    pub turn_secret: Option<Redacted<String>>,
    /// File that holds `TURN_SECRET`.
    #[arg(long, env, value_name = "FILE")]
    pub turn_secret_file: Option<PathBuf>,
    /// Connections to Postgres that one process keeps at most.
    #[arg(long, env, default_value_t = 10)]
    pub database_connections: u32,
    /// Demo: passwords may be printed, and e-mails land on a page. Never with real patients.
    #[arg(long, env, default_value_t = false, value_parser = clap::builder::BoolishValueParser::new())]
    pub demo: bool,
    /// What is logged (tracing's filter syntax).
    #[arg(long, env = "RUST_LOG", default_value = "info")]
    pub log: String,
    /// How log lines look.
    #[arg(long, env, value_enum, default_value_t)]
    pub log_format: LogFormat,
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A secret cannot be used.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Something that this service needs is not set.
    #[error("{0} is not set (nor {0}_FILE); `bedside config` lists every variable")]
    Missing(&'static str),
    /// A value makes no sense.
    #[error("{name}: {problem}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// Checked [`Settings`], with secrets read from their files.
#[derive(Debug, Clone)]
pub struct Config {
    /// Everything that is not secret, as it was given.
    pub settings: Settings,
    /// `DATABASE_URL`.
    pub database_url: Option<Redacted<String>>,
    /// `REDIS_URL`.
    pub redis_url: Option<Redacted<String>>,
    /// `SECRET`.
    pub secret: Option<Redacted<String>>,
    /// `RELAY_KEY`.
    pub relay_key: Option<Redacted<String>>,
    /// `SMTP_URL`.
    pub smtp_url: Option<Redacted<String>>,
    /// `SMS_WEBHOOK_SECRET`.
    pub sms_webhook_secret: Option<Redacted<String>>,
    /// `ICE_SERVERS` and `TURN_SECRET`.
    pub ice_servers: IceServers,
    /// `PUBLIC_URL`, or what follows from `BIND_ADDR`.
    pub public_url: Url,
}

impl Settings {
    /// Reads secret files and checks values.
    ///
    /// # Errors
    /// When a secret cannot be read or is too short, or a value makes no sense.
    pub fn check(mut self) -> Result<Config, ConfigError> {
        let database_url =
            secrets::resolve("DATABASE_URL", self.database_url.take(), self.database_url_file.as_deref())?;
        let redis_url = secrets::resolve("REDIS_URL", self.redis_url.take(), self.redis_url_file.as_deref())?;
        let secret = secrets::resolve("SECRET", self.secret.take(), self.secret_file.as_deref())?;
        let relay_key = secrets::resolve("RELAY_KEY", self.relay_key.take(), self.relay_key_file.as_deref())?;
        let smtp_url = secrets::resolve("SMTP_URL", self.smtp_url.take(), self.smtp_url_file.as_deref())?;
        let sms_webhook_secret = secrets::resolve(
            "SMS_WEBHOOK_SECRET",
            self.sms_webhook_secret.take(),
            self.sms_webhook_secret_file.as_deref(),
        )?;
        let turn_secret = secrets::resolve("TURN_SECRET", self.turn_secret.take(), self.turn_secret_file.as_deref())?;
        let ice_servers = IceServers::new(self.ice_servers.clone(), turn_secret)?;
        let public_url = public_url(self.public_url.clone(), self.bind_addr)?;
        Ok(Config {
            database_url,
            redis_url,
            secret: secrets::long_enough("SECRET", secret)?,
            relay_key: secrets::long_enough("RELAY_KEY", relay_key)?,
            smtp_url,
            sms_webhook_secret,
            ice_servers,
            public_url,
            settings: self,
        })
    }
}

impl Config {
    /// `DATABASE_URL`.
    ///
    /// # Errors
    /// When it is not set.
    pub fn database_url(&self) -> Result<&Redacted<String>, ConfigError> {
        self.database_url.as_ref().ok_or(ConfigError::Missing("DATABASE_URL"))
    }

    /// `REDIS_URL`.
    ///
    /// # Errors
    /// When it is not set.
    pub fn redis_url(&self) -> Result<&Redacted<String>, ConfigError> {
        self.redis_url.as_ref().ok_or(ConfigError::Missing("REDIS_URL"))
    }

    /// `SECRET`.
    ///
    /// # Errors
    /// When it is not set.
    pub fn secret(&self) -> Result<&Redacted<String>, ConfigError> {
        self.secret.as_ref().ok_or(ConfigError::Missing("SECRET"))
    }

    /// `SMS_WEBHOOK_SECRET`.
    ///
    /// # Errors
    /// When it is not set.
    pub fn sms_webhook_secret(&self) -> Result<&Redacted<String>, ConfigError> {
        self.sms_webhook_secret.as_ref().ok_or(ConfigError::Missing("SMS_WEBHOOK_SECRET"))
    }

    /// `RELAY_KEY`.
    ///
    /// # Errors
    /// When it is not set.
    pub fn relay_key(&self) -> Result<&Redacted<String>, ConfigError> {
        self.relay_key.as_ref().ok_or(ConfigError::Missing("RELAY_KEY"))
    }

    /// The address that was taken, when `BIND_ADDR` left the port open: `PUBLIC_URL` follows unless it was given.
    ///
    /// # Errors
    /// When `PUBLIC_URL` makes no sense.
    pub fn listens_on(&mut self, bind_addr: SocketAddr) -> Result<(), ConfigError> {
        self.settings.bind_addr = bind_addr;
        self.public_url = public_url(self.settings.public_url.clone(), bind_addr)?;
        Ok(())
    }

    /// What is in force, a line a variable, secrets only as set or not.
    pub fn summary(&self) -> String {
        let settings = &self.settings;
        let mut text = String::new();
        let mut line = |name: &str, value: &dyn std::fmt::Display| {
            writeln!(text, "{name:<22} {value}").expect("writing to a string cannot fail");
        };
        for (name, secret) in [
            ("DATABASE_URL", &self.database_url),
            ("REDIS_URL", &self.redis_url),
            ("SECRET", &self.secret),
            ("RELAY_KEY", &self.relay_key),
            ("SMTP_URL", &self.smtp_url),
            ("SMS_WEBHOOK_SECRET", &self.sms_webhook_secret),
            ("TURN_SECRET", &self.ice_servers.secret),
        ] {
            line(name, &if secret.is_some() { "set" } else { "not set" });
        }
        line("BIND_ADDR", &settings.bind_addr);
        line("INTERNAL_ADDR", &settings.internal_addr);
        line("PUBLIC_URL", &self.public_url);
        line("RELAY_CONTROL_ADDR", &settings.relay_control_addr);
        line("MEDIA_ADDR", &settings.media_addr);
        line("MEDIA_PORT", &settings.media_port);
        line("MEDIA_SHARDS", &settings.media_shards);
        line("ICE_SERVERS", &settings.ice_servers.join(","));
        line("DEMO", &settings.demo);
        line("RUST_LOG", &settings.log);
        text
    }
}

/// [`Settings`] from the environment alone: for tests and tools that have no command line.
///
/// # Errors
/// When a variable cannot be read.
pub fn from_environment() -> Result<Settings, clap::Error> {
    Settings::from_arg_matches(&OnlySettings::command().try_get_matches_from(["bedside"])?)
}

/// Every variable as a Markdown table: name, default, meaning. `docs/operations.md` holds it, and a test keeps it so.
pub fn table() -> String {
    let mut text = String::from("| Variable | Default | Meaning |\n| --- | --- | --- |\n");
    for arg in OnlySettings::command().get_arguments() {
        let Some(env) = arg.get_env() else { continue };
        let default =
            arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect::<Vec<_>>().join(",");
        let default = if default.is_empty() { "–".to_owned() } else { format!("`{default}`") };
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        writeln!(text, "| `{}` | {default} | {help} |", env.to_string_lossy())
            .expect("writing to a string cannot fail");
    }
    text
}

#[derive(clap::Parser)]
struct OnlySettings {
    #[command(flatten)]
    _settings: Settings,
}

#[expect(clippy::unnecessary_wraps, reason = "clap wants a parser that could fail")]
fn redacted(text: &str) -> Result<Redacted<String>, Infallible> {
    Ok(Redacted::new(text.to_owned()))
}

fn public_url(given: Option<Url>, bind_addr: SocketAddr) -> Result<Url, ConfigError> {
    let url = given.unwrap_or_else(|| {
        format!("http://localhost:{}/", bind_addr.port()).parse().expect("a port makes a valid address")
    });
    if !matches!(url.scheme(), "http" | "https") || url.path() != "/" || url.query().is_some() {
        return Err(ConfigError::Invalid { name: "PUBLIC_URL", problem: "give http(s)://host[:port] without a path" });
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(args: &[&str]) -> Settings {
        // Whatever runs the tests has an environment of its own.
        let command = OnlySettings::command().mut_args(|arg| arg.env(None::<&'static str>));
        let matches = command.get_matches_from([&["bedside"], args].concat());
        Settings::from_arg_matches(&matches).expect("complete settings")
    }

    #[test]
    fn secrets_are_never_printed() {
        let canary = "canary-canary-canary-canary-canary";
        let config = settings(&["--secret", canary, "--database-url", canary]).check().expect("a valid configuration");
        assert!(!format!("{config:?}{}", config.summary()).contains("canary"));
        assert!(config.summary().contains("SECRET                 set"));
    }

    #[test]
    fn the_public_address_follows_from_the_port() {
        let config = settings(&["--bind-addr", "0.0.0.0:9000"]).check().expect("a valid configuration");
        assert_eq!(config.public_url.as_str(), "http://localhost:9000/");
    }

    #[test]
    fn a_public_address_with_a_path_is_refused() {
        assert!(settings(&["--public-url", "https://clinic.example/bedside"]).check().is_err());
    }

    #[test]
    fn what_is_missing_is_named() {
        let config = settings(&[]).check().expect("a valid configuration");
        assert!(config.database_url().expect_err("not set").to_string().starts_with("DATABASE_URL is not set"));
    }
}
