//! Reads from an answer which slot each of the relay's SSRCs belongs to. Pure.

use domain::media::{MediaKind, Mid};
use std::collections::HashMap;

/// The slots of an answer by the SSRC of what will be sent in them (RFC 5576 `a=ssrc`), retransmission SSRCs included.
pub fn slots_by_ssrc(answer: &str) -> HashMap<u32, (Mid, MediaKind)> {
    media_sections(answer).flat_map(|section| section.slots()).collect()
}

/// The SSRCs declared in a session description, in its order, each once.
pub fn declared_ssrcs(description: &str) -> Vec<u32> {
    let mut ssrcs: Vec<u32> = media_sections(description).flat_map(|section| section.ssrcs()).collect();
    ssrcs.dedup();
    ssrcs
}

#[derive(Clone, Copy)]
struct Section<'a>(&'a str);

fn media_sections(description: &str) -> impl Iterator<Item = Section<'_>> {
    description.split("\nm=").skip(1).map(Section)
}

impl<'a> Section<'a> {
    fn slots(self) -> Vec<(u32, (Mid, MediaKind))> {
        let (Some(kind), Some(mid)) = (self.kind(), self.mid()) else { return Vec::new() };
        self.ssrcs().map(|ssrc| (ssrc, (mid.clone(), kind))).collect()
    }

    fn kind(self) -> Option<MediaKind> {
        match self.0.split(' ').next()? {
            "audio" => Some(MediaKind::Audio),
            "video" => Some(MediaKind::Video),
            _ => None,
        }
    }

    fn mid(self) -> Option<Mid> {
        self.values("a=mid:").next().map(|mid| Mid(mid.to_owned()))
    }

    fn ssrcs(self) -> impl Iterator<Item = u32> + 'a {
        self.values("a=ssrc:").filter_map(|value| value.split(' ').next()?.parse().ok())
    }

    fn values(self, prefix: &'static str) -> impl Iterator<Item = &'a str> {
        self.0.lines().filter_map(move |line| line.trim_end().strip_prefix(prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "v=0\r\ns=-\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=recvonly\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:2\r\na=ssrc:1001 cname:r\r\na=ssrc:1001 msid:s t\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=ssrc-group:FID 2001 2002\r\na=ssrc:2001 cname:r\r\na=ssrc:2002 cname:r\r\na=mid:6\r\n";

    #[test]
    fn each_ssrc_of_an_answer_names_its_slot() {
        let slots = slots_by_ssrc(ANSWER);
        assert_eq!(slots.len(), 3);
        assert_eq!(slots[&1001], (Mid("2".to_owned()), MediaKind::Audio));
        assert_eq!(slots[&2001], (Mid("6".to_owned()), MediaKind::Video));
        assert_eq!(slots[&2002], slots[&2001]);
    }

    #[test]
    fn declared_ssrcs_come_once_each() {
        assert_eq!(declared_ssrcs(ANSWER), [1001, 2001, 2002]);
    }

    #[test]
    fn what_is_not_a_description_has_no_slots() {
        assert!(slots_by_ssrc("no description").is_empty());
    }
}
