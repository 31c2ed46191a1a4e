//! Under which addresses a shard's socket is reached.

use std::net::{IpAddr, SocketAddr};

/// Candidates in one answer. A machine with more addresses names the first.
const MAX_CANDIDATES: usize = 12;

/// The candidates of a socket bound to `bound`: `public` addresses first, then those of the interfaces, loop-back last.
///
/// Loop-back alone is not enough for two browsers on one machine: Firefox sends no checks to it from an
/// interface's socket. Interfaces alone are not enough either: a machine without a network has only loop-back.
pub(crate) fn candidates(bound: SocketAddr, public: &[IpAddr], interfaces: &[IpAddr]) -> Vec<SocketAddr> {
    let is_reached = |ip: &IpAddr| match bound.ip() {
        any if any.is_unspecified() => bound.is_ipv6() || ip.is_ipv4(),
        one => *ip == one,
    };
    let mut local: Vec<IpAddr> = interfaces.iter().copied().filter(is_usable).filter(is_reached).collect();
    local.sort_by_key(|ip| (ip.is_loopback(), ip.is_ipv6()));
    let mut found = Vec::new();
    for ip in public.iter().copied().chain(local) {
        let candidate = SocketAddr::new(ip, bound.port());
        if !found.contains(&candidate) && found.len() < MAX_CANDIDATES {
            found.push(candidate);
        }
    }
    found
}

/// The addresses of this machine.
pub(crate) fn interfaces() -> Vec<IpAddr> {
    let interfaces = rtc_shared::ifaces::ifaces().unwrap_or_default();
    interfaces.into_iter().filter_map(|interface| interface.addr).map(|addr| addr.ip()).collect()
}

/// Link-local addresses need a zone, which candidates do not have.
fn is_usable(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !ip.is_link_local() && !ip.is_unspecified(),
        IpAddr::V6(ip) => !ip.is_unicast_link_local() && !ip.is_unspecified(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn named(bound: &str, public: &[&str]) -> Vec<String> {
        let interfaces = ips(&["127.0.0.1", "10.0.0.5", "169.254.1.1", "::1", "2001:db8::5", "fe80::1", "10.0.0.5"]);
        candidates(bound.parse().unwrap(), &ips(public), &interfaces).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn public_addresses_come_first_and_loopback_last() {
        assert_eq!(
            named("[::]:3478", &["203.0.113.7"]),
            ["203.0.113.7:3478", "10.0.0.5:3478", "[2001:db8::5]:3478", "127.0.0.1:3478", "[::1]:3478"]
        );
        assert_eq!(named("0.0.0.0:9", &[]), ["10.0.0.5:9", "127.0.0.1:9"]);
        assert_eq!(named("127.0.0.1:9", &[]), ["127.0.0.1:9"]);
    }
}
