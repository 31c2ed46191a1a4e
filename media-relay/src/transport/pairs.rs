//! Which address pairs of a participant passed a check, and which one is in use. Nothing else is listened to.

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

/// RFC 7675 §5.1: without a check for so long, nothing may be sent.
const CONSENT: Duration = Duration::from_secs(30);
/// A browser has a handful of addresses, and the relay too. The one that was silent longest makes room.
const MAX_PAIRS: usize = 12;

/// The other side's address, and ours that it sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Pair {
    /// As the socket reports it.
    pub remote: SocketAddr,
    /// As the socket reports it; answers leave from it.
    pub local: Option<IpAddr>,
}

/// The valid pairs of one participant.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    checked: Vec<(Pair, Instant)>,
    selected: Option<Pair>,
}

impl Pairs {
    /// A check with right MESSAGE-INTEGRITY came over `pair`. Returns the pair that had to make room.
    pub(crate) fn checked(&mut self, pair: Pair, nominates: bool, now: Instant) -> Option<Pair> {
        let evicted = self.remember(pair, now);
        let selection_is_dead = self.selected.is_none_or(|selected| !self.is_fresh(selected, now));
        if nominates || selection_is_dead {
            self.selected = Some(pair);
        }
        evicted
    }

    /// Where to send.
    pub(crate) fn selected(&self) -> Option<Pair> {
        self.selected
    }

    /// The other side still wants what is sent.
    pub(crate) fn has_consent(&self, now: Instant) -> bool {
        self.selected.is_some_and(|selected| self.is_fresh(selected, now))
    }

    /// All valid pairs.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Pair> {
        self.checked.iter().map(|(pair, _)| *pair)
    }

    /// Another participant took this pair over.
    pub(crate) fn forget(&mut self, pair: Pair) {
        self.checked.retain(|(known, _)| *known != pair);
        self.selected = self.selected.filter(|selected| *selected != pair);
    }

    fn remember(&mut self, pair: Pair, now: Instant) -> Option<Pair> {
        if let Some(known) = self.checked.iter_mut().find(|(known, _)| *known == pair) {
            known.1 = now;
            return None;
        }
        let evicted = if self.checked.len() == MAX_PAIRS {
            let selected = self.selected;
            let others = self.checked.iter().enumerate().filter(|(_, (pair, _))| Some(*pair) != selected);
            let oldest = others.min_by_key(|(_, (_, at))| *at).map(|(index, _)| index);
            oldest.map(|index| self.checked.swap_remove(index).0)
        } else {
            None
        };
        self.checked.push((pair, now));
        evicted
    }

    fn is_fresh(&self, pair: Pair, now: Instant) -> bool {
        self.checked.iter().any(|(known, at)| *known == pair && now.saturating_duration_since(*at) < CONSENT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(port: u16) -> Pair {
        Pair { remote: SocketAddr::from(([192, 0, 2, 1], port)), local: None }
    }

    #[test]
    fn a_nomination_moves_the_path_and_a_mere_check_does_not() {
        let mut pairs = Pairs::default();
        let now = Instant::now();
        pairs.checked(pair(1), false, now);
        assert_eq!(pairs.selected(), Some(pair(1)), "the first one is used until one is nominated");
        pairs.checked(pair(2), false, now);
        assert_eq!(pairs.selected(), Some(pair(1)));
        pairs.checked(pair(2), true, now);
        assert_eq!(pairs.selected(), Some(pair(2)));
    }

    #[test]
    fn consent_ends_thirty_seconds_after_the_last_check() {
        let mut pairs = Pairs::default();
        let now = Instant::now();
        assert!(!pairs.has_consent(now));
        pairs.checked(pair(1), true, now);
        assert!(pairs.has_consent(now + CONSENT - Duration::from_millis(1)));
        assert!(!pairs.has_consent(now + CONSENT));
        pairs.checked(pair(2), false, now + CONSENT);
        assert_eq!(pairs.selected(), Some(pair(2)), "a living path replaces a dead one");
    }

    #[test]
    fn ten_thousand_addresses_leave_a_dozen_and_the_one_in_use() {
        let mut pairs = Pairs::default();
        let now = Instant::now();
        pairs.checked(pair(1), true, now);
        let evicted = (2..10_000).filter_map(|port| pairs.checked(pair(port), false, now)).count();
        assert_eq!(pairs.iter().count(), MAX_PAIRS);
        assert_eq!(evicted, 9_999 - MAX_PAIRS);
        assert_eq!(pairs.selected(), Some(pair(1)));
    }
}
