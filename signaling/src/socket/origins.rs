//! Whose pages may open a socket (RFC 6454): those of `PUBLIC_URL`.

use axum::http::HeaderValue;
use url::{Host, Url};

/// The origins of our own pages.
pub(crate) struct Origins(Vec<String>);

impl Origins {
    /// The origin of `public_url`. On this machine it has more than one name, and people type any of them.
    pub(crate) fn of(public_url: &Url) -> Self {
        let mut origins = vec![public_url.origin().ascii_serialization()];
        if is_this_machine(public_url) {
            for host in ["localhost", "127.0.0.1", "[::1]"] {
                let mut url = public_url.clone();
                if url.set_host(Some(host)).is_ok() {
                    origins.push(url.origin().ascii_serialization());
                }
            }
        }
        Self(origins)
    }

    /// Browsers always say their origin; who says none is refused like a foreign page.
    pub(crate) fn allow(&self, origin: Option<&HeaderValue>) -> bool {
        origin.is_some_and(|origin| self.0.iter().any(|own| own.as_bytes() == origin.as_bytes()))
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(public_url: &str, origin: &'static str) -> bool {
        let origins = Origins::of(&public_url.parse().expect("a URL"));
        origins.allow(Some(&HeaderValue::from_static(origin)))
    }

    #[test]
    fn only_pages_of_the_public_url_may_open_a_socket() {
        assert!(is_allowed("https://visits.example.org/", "https://visits.example.org"));
        assert!(!is_allowed("https://visits.example.org/", "http://visits.example.org"));
        assert!(!is_allowed("https://visits.example.org/", "https://visits.example.org:8443"));
        assert!(!is_allowed("https://visits.example.org/", "https://visits.example.org.evil.example"));
        assert!(!is_allowed("https://visits.example.org/", "http://localhost"));
        assert!(!is_allowed("https://visits.example.org/", "null"));
        assert!(!Origins::of(&"https://visits.example.org".parse().expect("a URL")).allow(None));
    }

    #[test]
    fn this_machine_may_be_called_by_any_of_its_names() {
        assert!(is_allowed("http://localhost:8080", "http://localhost:8080"));
        assert!(is_allowed("http://localhost:8080", "http://127.0.0.1:8080"));
        assert!(is_allowed("http://localhost:8080", "http://[::1]:8080"));
        assert!(!is_allowed("http://localhost:8080", "http://localhost:9090"));
    }
}
