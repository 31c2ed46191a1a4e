//! Sends one event to one address. The name is looked up by ourselves, and only addresses that were checked are connected to,
//! so that a name which answers differently the second time gains nothing.

use super::{
    Due,
    target::{self, TargetError},
};
use jiff::Timestamp;
use reqwest::{
    Client,
    dns::{Addrs, Name, Resolve, Resolving},
    header::CONTENT_TYPE,
    redirect,
};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};
use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};
use url::Host;

/// How long a receiver may take altogether. One that works longer should answer first and work then.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Calls webhooks. Clones share their connections.
#[derive(Debug, Clone)]
pub struct WebhookSender {
    public: Client,
    private: Client,
}

impl WebhookSender {
    /// A sender that resolves names by the system.
    ///
    /// # Errors
    /// When the system's certificates cannot be read.
    pub fn new() -> Result<Self, reqwest::Error> {
        Ok(Self { public: client(false)?, private: client(true)? })
    }

    /// Sends an event; what came of it. The receiver's words are not read.
    pub(super) async fn send(&self, due: &Due, now: Timestamp) -> Outcome {
        match self.try_send(due, now).await {
            Ok(status) if (200..300).contains(&status) => Outcome::Told,
            Ok(status) => Outcome::Status(status),
            Err(outcome) => outcome,
        }
    }

    async fn try_send(&self, due: &Due, now: Timestamp) -> Result<u16, Outcome> {
        let url = target::read(due.url.expose(), due.may_be_private).map_err(Outcome::Refused)?;
        // A literal address is never looked up, so it is checked here.
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            _ => None,
        };
        if let Some(address) = literal {
            target::may_be_told(address, due.may_be_private).map_err(Outcome::Refused)?;
        }
        let id = format!("evt_{}", due.event.number);
        let body = due.event.to_json().to_string();
        let seconds = now.as_second();
        let signer = Webhook::new(due.secret.expose()).map_err(|_| Outcome::NotReached)?;
        let signature = signer.sign(&id, seconds, body.as_bytes()).map_err(|_| Outcome::NotReached)?;
        let client = if due.may_be_private { &self.private } else { &self.public };
        let request = client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(HEADER_WEBHOOK_ID, id)
            .header(HEADER_WEBHOOK_TIMESTAMP, seconds)
            .header(HEADER_WEBHOOK_SIGNATURE, signature)
            .body(body);
        match request.send().await {
            Ok(answer) => Ok(answer.status().as_u16()),
            Err(error) => Err(Outcome::of(&error)),
        }
    }
}

/// What an attempt came to. Its text is shown to administrators and holds nothing of the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The receiver has it.
    Told,
    /// The receiver said something else than 2xx.
    Status(u16),
    /// Nobody answered.
    NotReached,
    /// The answer took too long.
    TimedOut,
    /// The name leads where it must not.
    Refused(TargetError),
}

impl Outcome {
    fn of(error: &reqwest::Error) -> Self {
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            if let Some(refused) = inner.downcast_ref::<TargetError>() {
                return Self::Refused(*refused);
            }
            cause = inner.source();
        }
        if error.is_timeout() { Self::TimedOut } else { Self::NotReached }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Told => f.write_str("told"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::NotReached => f.write_str("not reached"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Refused(why) => why.fmt(f),
        }
    }
}

fn client(may_be_private: bool) -> Result<Client, reqwest::Error> {
    Client::builder()
        .dns_resolver(Arc::new(CheckedNames { may_be_private }))
        // A proxy would look the name up by itself, and a redirect would name an address that nobody checked.
        .no_proxy()
        .redirect(redirect::Policy::none())
        .https_only(!may_be_private)
        .timeout(TIMEOUT)
        .pool_max_idle_per_host(1)
        .user_agent(concat!("Bedside/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Looks names up, and gives out addresses only if all of them may be told: half a good name is a trick.
struct CheckedNames {
    may_be_private: bool,
}

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let may_be_private = self.may_be_private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            for address in &found {
                target::may_be_told(address.ip(), may_be_private)?;
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
