//! Where a webhook may point. Whoever names an address for us to call could name one that only we can reach: the database,
//! another clinic's router, a cloud's metadata.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// The longest address kept, in characters.
const MAX_URL_CHARS: usize = 2_000;

/// Why an address cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No address at all, too long, or with a password or fragment in it.
    #[error("give an address like https://example.org/hook, of at most 2,000 characters and without a password")]
    Unreadable,
    /// Plain HTTP would show on the way what happens in the clinic.
    #[error("the address must begin with https://")]
    NotHttps,
    /// It lies within a house or a machine, and nobody said that it may.
    #[error("the address belongs to a private network")]
    Private,
    /// It belongs to nobody, to everybody or to the provider of the machine.
    #[error("the address can never be told")]
    Never,
}

/// Reads an address and looks up where it leads. A name that nobody knows yet is accepted: it is looked up again, and checked
/// again, whenever something is sent.
pub(super) async fn check(text: &str, allow_private: bool) -> Result<Url, TargetError> {
    let url = read(text, allow_private)?;
    let port = url.port_or_known_default().ok_or(TargetError::Unreadable)?;
    match url.host().ok_or(TargetError::Unreadable)? {
        Host::Ipv4(address) => may_be_told(address.into(), allow_private)?,
        Host::Ipv6(address) => may_be_told(address.into(), allow_private)?,
        Host::Domain(name) => {
            let found = tokio::net::lookup_host((name, port)).await.map(Iterator::collect::<Vec<_>>);
            for address in found.unwrap_or_default() {
                may_be_told(address.ip(), allow_private)?;
            }
        }
    }
    Ok(url)
}

/// An address whose form is right: `https`, or `http` when it may be private.
pub(super) fn read(text: &str, allow_private: bool) -> Result<Url, TargetError> {
    if text.chars().count() > MAX_URL_CHARS {
        return Err(TargetError::Unreadable);
    }
    let url: Url = text.trim().parse().map_err(|_| TargetError::Unreadable)?;
    let has_secret = !url.username().is_empty() || url.password().is_some();
    let is_long = url.as_str().chars().count() > MAX_URL_CHARS;
    if has_secret || is_long || url.fragment().is_some() || url.host().is_none() {
        return Err(TargetError::Unreadable);
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if allow_private => Ok(url),
        "http" => Err(TargetError::NotHttps),
        _ => Err(TargetError::Unreadable),
    }
}

/// Whether an address may be called; `allow_private` lets those of a house through, and nothing else.
pub(super) fn may_be_told(address: IpAddr, allow_private: bool) -> Result<(), TargetError> {
    let address = unwrapped(address);
    if is_never(address) {
        return Err(TargetError::Never);
    }
    if !allow_private && !is_public(address) {
        return Err(TargetError::Private);
    }
    Ok(())
}

/// Whether an address is one of the public internet (IANA's registries of special-purpose addresses, RFC 6890).
pub fn is_public(address: IpAddr) -> bool {
    match unwrapped(address) {
        IpAddr::V4(v4) => is_public_v4(v4) && !is_never(v4.into()),
        IpAddr::V6(v6) => is_public_v6(v6) && !is_never(v6.into()),
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped (RFC 4291 §2.5.5.2), compatible, NAT64 (RFC 6052), 6to4 (RFC 3056).
fn unwrapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let segments = v6.segments();
    let last = || v4(segments[6], segments[7]);
    match segments {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => last(),
        [0, 0, 0, 0, 0, 0, high, low] if (high, low) != (0, 0) && (high, low) != (0, 1) => last(),
        [0x2002, high, low, ..] => v4(high, low),
        _ => address,
    }
}

fn v4(high: u16, low: u16) -> IpAddr {
    Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)).into()
}

/// What nobody may allow: no address at all, many at once, and link-local ones, among which the metadata of clouds is.
fn is_never(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.octets()[0] == 0 || v4.is_link_local() || v4.is_multicast() || v4.octets()[0] >= 240,
        IpAddr::V6(v6) => {
            v6.is_unspecified()
                || v6.is_multicast()
                || v6.is_unicast_link_local()
                // The metadata of a cloud, by IPv6.
                || v6 == Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254)
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_shared = a == 100 && (64..128).contains(&b); // RFC 6598
    let is_protocol = (a, b, c) == (192, 0, 0);
    let is_benchmark = a == 198 && (18..20).contains(&b); // RFC 2544
    !(address.is_private()
        || address.is_loopback()
        || address.is_documentation()
        || is_shared
        || is_protocol
        || is_benchmark)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let is_global = (0x2000..0x4000).contains(&first); // 2000::/3 is all that IANA gave out
    let is_special = first == 0x2001 && (second < 0x0200 || second == 0x0db8); // protocols, Teredo, documentation
    let is_documentation = first == 0x3fff && second < 0x1000; // RFC 9637
    is_global && !is_special && !is_documentation
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn addresses_of_the_public_internet_may_be_told() {
        for text in ["93.184.216.34", "1.1.1.1", "172.32.0.1", "100.63.0.1", "2606:2800:220:1::1", "64:ff9b::101:101"] {
            assert_eq!(may_be_told(address(text), false), Ok(()), "{text}");
            assert!(is_public(address(text)), "{text}");
        }
    }

    #[test]
    fn addresses_within_a_house_or_a_machine_need_leave() {
        for text in [
            "127.0.0.1",
            "127.8.9.1",
            "10.0.0.8",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "100.127.255.254",
            "192.0.0.1",
            "198.18.0.1",
            "192.0.2.1",
            "::1",
            "fd12:3456::1",
            "fc00::1",
            "2001:db8::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001::1",
        ] {
            assert_eq!(may_be_told(address(text), false), Err(TargetError::Private), "{text}");
            assert_eq!(may_be_told(address(text), true), Ok(()), "{text}");
        }
    }

    #[test]
    fn some_addresses_nobody_may_allow() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::",
            "fe80::1",
            "ff02::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "2002:a9fe:a9fe::",
        ] {
            assert_eq!(may_be_told(address(text), true), Err(TargetError::Never), "{text}");
            assert_eq!(may_be_told(address(text), false), Err(TargetError::Never), "{text}");
        }
    }

    #[test]
    fn an_address_needs_https_unless_it_may_be_private_and_never_holds_a_password() {
        assert!(read("https://example.org/hook?x=1", false).is_ok());
        assert_eq!(read("http://example.org/hook", false), Err(TargetError::NotHttps));
        assert!(read("http://example.org/hook", true).is_ok());
        let long = format!("https://example.org/{}", "a".repeat(MAX_URL_CHARS));
        for text in ["", "hook", "ftp://example.org/", "https://me:secret@example.org/", "https://e.org/#x", &long] {
            assert_eq!(read(text, true), Err(TargetError::Unreadable), "{text}");
        }
    }

    #[test]
    fn other_notations_of_an_address_are_read_as_browsers_read_them() {
        for text in ["https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/", "https://127.1/"] {
            let url = read(text, false).expect("an address");
            assert_eq!(url.host_str(), Some("127.0.0.1"), "{text}");
        }
    }
}
