//! What a client says of its ICE (RFC 8840 §9). The relay is lite: candidates are nothing to it, credentials are.

use domain::Redacted;

/// Longer ones are nobody's (RFC 8839 §5.4).
const MAX_UFRAG_BYTES: usize = 256;

/// A fragment that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadFragment;

/// The user fragment that the client says, if it says one.
pub(super) fn ufrag(fragment: &str) -> Result<Option<Redacted<String>>, BadFragment> {
    let lines = || fragment.lines().map(str::trim_end).filter(|line| !line.is_empty());
    if lines().next().is_none() || !lines().all(|line| matches!(line.as_bytes(), [b'a' | b'm', b'=', ..])) {
        return Err(BadFragment);
    }
    let value = |key| lines().find_map(|line| line.strip_prefix(key));
    let Some(ufrag) = value("a=ice-ufrag:") else { return Ok(None) };
    let is_whole = (4..=MAX_UFRAG_BYTES).contains(&ufrag.len()) && value("a=ice-pwd:").is_some();
    if is_whole { Ok(Some(Redacted::new(ufrag.to_owned()))) } else { Err(BadFragment) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(fragment: &str) -> Result<Option<String>, BadFragment> {
        ufrag(fragment).map(|ufrag| ufrag.map(Redacted::into_inner))
    }

    #[test]
    fn credentials_are_read_among_candidates() {
        let fragment = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n\
            a=candidate:1 1 udp 2130706431 198.51.100.1 39132 typ host\r\na=end-of-candidates\r\n";
        assert_eq!(said(fragment), Ok(Some("EsAw".to_owned())));
        assert_eq!(said("a=end-of-candidates\r\n"), Ok(None));
    }

    #[test]
    fn what_is_no_fragment_is_refused() {
        for bad in
            ["", "\r\n", "{}", "hello", "v=0\r\na=x\r\n", "a=ice-ufrag:EsAw\r\n", "a=ice-ufrag:E\r\na=ice-pwd:x\r\n"]
        {
            assert_eq!(said(bad), Err(BadFragment), "{bad:?}");
        }
    }
}
