//! STUN and TURN servers of the clinic's own, for those whose network lets no packet through to a relay, and the passwords that
//! open them for ten minutes.

use crate::config::ConfigError;
use aws_lc_rs::hmac;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use domain::Redacted;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::fmt::Display;

/// How long a password opens a TURN server. Whoever is connected by then stays so.
pub const TURN_PASSWORD_LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// The servers that are configured; none is usual, since relays are reached without.
#[derive(Debug, Clone, Default)]
pub struct IceServers {
    urls: Vec<String>,
    pub(crate) secret: Option<Redacted<String>>,
}

/// A server as browsers are told of it (`RTCIceServer` of W3C WebRTC, §4.2.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IceServer {
    /// Where it is (RFC 7064, RFC 7065).
    pub urls: String,
    /// What opens it; a STUN server needs nothing.
    #[serde(flatten)]
    pub password: Option<TurnPassword>,
}

/// A name that tells when it ends, and what proves that we made it (draft-uberti-behave-turn-rest-00 §2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TurnPassword {
    /// Seconds since 1970 at which it ends, a colon, whom it is for.
    pub username: String,
    /// HMAC-SHA-1 of that under the secret, in base64.
    pub credential: Redacted<String>,
}

impl IceServers {
    /// Servers at these addresses; `secret` is what the TURN servers among them share with us.
    ///
    /// # Errors
    /// When an address is none, or a TURN server has no secret.
    pub fn new(urls: Vec<String>, secret: Option<Redacted<String>>) -> Result<Self, ConfigError> {
        if !urls.iter().all(|url| is_address(url)) {
            let problem =
                "give stun:host[:port], turn:host[:port] or turns:host[:port]?transport=tcp, separated by commas";
            return Err(ConfigError::Invalid { name: "ICE_SERVERS", problem });
        }
        if secret.is_none() && urls.iter().any(|url| is_turn(url)) {
            return Err(ConfigError::Missing("TURN_SECRET"));
        }
        Ok(Self { urls, secret })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.urls.is_empty()
    }

    /// All of them, open to `bearer` for [`TURN_PASSWORD_LIFETIME`]. The servers see the name, so it should tell nothing.
    pub fn open_to(&self, bearer: impl Display, now: Timestamp) -> Vec<IceServer> {
        let ends = now.as_second().saturating_add(TURN_PASSWORD_LIFETIME.as_secs());
        let password = self.secret.as_ref().map(|secret| TurnPassword::new(secret, format!("{ends}:{bearer}")));
        let open = |url: &String| IceServer { urls: url.clone(), password: password.clone().filter(|_| is_turn(url)) };
        self.urls.iter().map(open).collect()
    }
}

impl TurnPassword {
    fn new(secret: &Redacted<String>, username: String) -> Self {
        // TURN servers know this one only; as a MAC, SHA-1 is not broken (RFC 6194 §3.3).
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.expose().as_bytes());
        let credential = BASE64_STANDARD.encode(hmac::sign(&key, username.as_bytes()));
        Self { username, credential: Redacted::new(credential) }
    }
}

fn is_turn(url: &str) -> bool {
    url.starts_with("turn")
}

/// RFC 7064 §3.1 and RFC 7065 §3.1, hosts as they are spelt by people: names, IPv4, and IPv6 in brackets.
fn is_address(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once(':') else { return false };
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let takes_query = match scheme {
        "stun" | "stuns" => query.is_none(),
        "turn" | "turns" => matches!(query, None | Some("transport=udp" | "transport=tcp")),
        _ => false,
    };
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (place, None),
    };
    let is_v6 = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .is_some_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok());
    let is_name =
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    takes_query && (is_v6 || is_name) && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(urls: &[&str]) -> Result<IceServers, ConfigError> {
        let secret = Redacted::new("north".to_owned());
        IceServers::new(urls.iter().map(ToString::to_string).collect(), Some(secret))
    }

    #[test]
    fn a_turn_server_is_opened_for_ten_minutes() {
        let servers =
            servers(&["stun:stun.example.org", "turns:turn.example.org:443?transport=tcp"]).expect("addresses");
        let now = Timestamp::from_second(1_400_000_000).expect("a time");
        let open = servers.open_to("room", now);
        assert_eq!(open[0].password, None, "STUN needs none");
        let password = open[1].password.as_ref().expect("TURN needs one");
        assert_eq!(password.username, "1400000600:room");
        // printf %s 1400000600:room | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(password.credential.expose(), "3NDXsKMkU52kQuwG+Ve4SjBfrNU=");
        assert!(!format!("{servers:?}{open:?}").contains("3NDXsKMkU52kQuwG+Ve4SjBfrNU="));
        let told = serde_json::to_value(&open).expect("JSON");
        assert_eq!(told[0], serde_json::json!({ "urls": "stun:stun.example.org" }));
        assert_eq!(told[1]["credential"], "3NDXsKMkU52kQuwG+Ve4SjBfrNU=");
    }

    #[test]
    fn addresses_are_as_the_rfcs_have_them() {
        for good in
            ["stun:a.example", "stuns:a.example:5349", "turn:192.0.2.7:3478?transport=udp", "turn:[2001:db8::7]:3478"]
        {
            assert!(servers(&[good]).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a.example",
            "http:a.example",
            "stun:",
            "turn://a.example",
            "stun:a.example?transport=udp",
            "turn:a:0",
            "turn:a.example?transport=sctp",
            "turn:a b",
            "turn:a.example:70000",
            "turn:\"x\"",
            "turn:[::g]",
        ] {
            assert!(servers(&[bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_turn_server_without_a_secret_is_refused_and_a_stun_server_is_not() {
        let refused = IceServers::new(vec!["turn:a.example".to_owned()], None).expect_err("no secret");
        assert!(refused.to_string().starts_with("TURN_SECRET is not set"));
        assert!(IceServers::new(vec!["stun:a.example".to_owned()], None).is_ok());
    }
}
