//! Replay protection of one stream (RFC 3711 §3.3.2).

/// Which packets of a stream have been seen: the highest index and the 127 before it (RFC 3711 §3.3.2).
#[derive(Debug, Clone, Copy, Default)]
pub struct ReplayWindow {
    highest: Option<u64>,
    /// Bit n: the index `highest - n` has been seen.
    seen: u128,
}

impl ReplayWindow {
    /// The 48-bit index that a 16-bit sequence number most likely stands for (RFC 3711 §3.3.1).
    pub fn index_of(&self, sequence: u16) -> Option<u64> {
        let Some(highest) = self.highest else { return Some(u64::from(sequence)) };
        let distance = i64::from(sequence.wrapping_sub(highest as u16) as i16);
        highest.checked_add_signed(distance)
    }

    /// Not seen before, and not too old to know.
    pub fn is_fresh(&self, index: u64) -> bool {
        match self.highest {
            Some(highest) if index <= highest => highest - index < 128 && self.seen & (1 << (highest - index)) == 0,
            _ => true,
        }
    }

    /// Remembers an authentic packet.
    pub fn mark(&mut self, index: u64) {
        match self.highest {
            Some(highest) if index <= highest => self.seen |= 1_u128.checked_shl((highest - index) as u32).unwrap_or(0),
            before => {
                let shift = before.map_or(128, |highest| index - highest);
                self.seen = u32::try_from(shift).ok().and_then(|s| self.seen.checked_shl(s)).unwrap_or(0) | 1;
                self.highest = Some(index);
            }
        }
    }

    /// The highest index seen.
    #[cfg(test)]
    pub(crate) fn highest(&self) -> Option<u64> {
        self.highest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_knows_repeats_wraps_and_the_too_old() {
        let mut window = ReplayWindow::default();
        for sequence in [65_534_u16, 65_535, 0, 1] {
            let index = window.index_of(sequence).unwrap();
            assert!(window.is_fresh(index));
            window.mark(index);
            assert!(!window.is_fresh(index));
        }
        assert_eq!(window.highest(), Some(65_537));
        assert_eq!(window.index_of(65_533), Some(65_533));
        assert!(window.is_fresh(65_533));
        window.mark(65_537 + 500);
        assert!(!window.is_fresh(65_533), "too old to know");
        assert!(window.is_fresh(65_537 + 499));
    }
}
