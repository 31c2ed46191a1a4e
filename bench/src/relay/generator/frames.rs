//! Which pictures of a source can be shown, and how long after they were made: those that came whole and whose predecessor was shown,
//! or key frames.

use super::{mark::Mark, tally::Tally};
use std::{collections::VecDeque, time::Duration};

/// Packets whose arrival is remembered, by their index; about three seconds of a picture.
const REMEMBERED: usize = 512;
/// Pictures that may still become whole: about two seconds.
const MAX_PENDING: usize = 64;
/// A picture that can be shown later than this is of no use in a conversation (ITU-T G.114 §4).
pub(super) const ON_TIME: Duration = Duration::from_millis(400);
/// So many pictures after one that is not whole, only a key frame helps.
const MAX_BEHIND: u32 = 30;

struct Frame {
    number: u32,
    first: u64,
    packets: u8,
    keyframe: bool,
    sent_at: Duration,
    is_whole: bool,
    /// It belongs to the window.
    counts: bool,
}

/// What became showable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Shown {
    pub frames: u64,
    pub keyframe: bool,
}

/// The pictures of one source.
pub(super) struct Frames {
    /// One more than the index of the packet that came; 0 when none did.
    came: Box<[u64; REMEMBERED]>,
    /// In the order of their numbers.
    pending: VecDeque<Frame>,
    /// Room and participant.
    of: Option<(u32, u32)>,
    highest: Option<u32>,
    /// The highest of the window.
    counted: Option<u32>,
    shown: Option<u32>,
}

impl Frames {
    pub(super) fn new() -> Self {
        Self {
            came: Box::new([0; REMEMBERED]),
            pending: VecDeque::new(),
            of: None,
            highest: None,
            counted: None,
            shown: None,
        }
    }

    /// Begins a window: it knows of no picture yet.
    pub(super) fn begin_window(&mut self) {
        self.counted = None;
        self.pending.iter_mut().for_each(|frame| frame.counts = false);
    }

    /// A packet came.
    pub(super) fn arrived(&mut self, index: u64, at: Option<Duration>, tally: &mut Tally) -> Shown {
        self.came[index as usize % REMEMBERED] = index + 1;
        let of = |frame: &&mut Frame| (frame.first..frame.first + u64::from(frame.packets)).contains(&index);
        let Some(frame) = self.pending.iter_mut().find(of) else { return Shown::default() };
        frame.is_whole = is_whole(&self.came, frame);
        if frame.is_whole { self.show(at, tally) } else { Shown::default() }
    }

    /// A packet that came has told to which picture it belongs; `is_watched` when pictures of this room are counted.
    pub(super) fn told(
        &mut self,
        index: u64,
        mark: &Mark,
        at: Option<Duration>,
        is_watched: bool,
        tally: &mut Tally,
    ) -> Shown {
        if self.of.replace((mark.room, mark.participant)).is_some_and(|of| of != (mark.room, mark.participant)) {
            // Somebody else is shown from now on.
            self.pending.clear();
            (self.highest, self.counted, self.shown) = (None, None, None);
        }
        if self.pending.iter().any(|frame| frame.number == mark.frame) || self.shown.is_some_and(|n| n >= mark.frame) {
            return Shown::default();
        }
        self.highest = self.highest.max(Some(mark.frame));
        // The first of a window is where counting begins.
        let counts = is_watched && self.counted.is_some();
        if let Some(before) = self.counted.filter(|before| counts && *before < mark.frame) {
            tally.frames_expected += u64::from(mark.frame - before);
        }
        if is_watched {
            self.counted = self.counted.max(Some(mark.frame));
        }
        let Some(first) = index.checked_sub(mark.place.into()) else { return Shown::default() };
        let mut frame = Frame {
            number: mark.frame,
            first,
            packets: mark.packets,
            keyframe: mark.keyframe,
            sent_at: mark.sent_at,
            is_whole: false,
            counts,
        };
        frame.is_whole = is_whole(&self.came, &frame);
        let place = self.pending.partition_point(|other| other.number < frame.number);
        let is_whole = frame.is_whole;
        self.pending.insert(place, frame);
        if self.pending.len() > MAX_PENDING {
            self.pending.pop_front();
        }
        if is_whole { self.show(at, tally) } else { Shown::default() }
    }

    /// Whether a picture is missing for so long that only a key frame helps.
    pub(super) fn are_stuck(&self) -> bool {
        let Some(highest) = self.highest else { return false };
        self.shown.is_some_and(|shown| highest > shown.saturating_add(MAX_BEHIND))
    }

    /// Shows all that can be shown by now.
    fn show(&mut self, at: Option<Duration>, tally: &mut Tally) -> Shown {
        let mut all = Shown::default();
        loop {
            let follows = |frame: &Frame| self.shown.is_some_and(|shown| frame.number == shown.wrapping_add(1));
            let next = self.pending.iter().position(|frame| frame.is_whole && (follows(frame) || frame.keyframe));
            let Some(frame) = next.and_then(|place| self.pending.drain(..=place).next_back()) else { return all };
            self.shown = Some(frame.number);
            all.frames += 1;
            all.keyframe |= frame.keyframe;
            let delay = at.and_then(|at| at.checked_sub(frame.sent_at)).filter(|_| frame.counts);
            if let Some(delay) = delay {
                tally.frames_shown += 1;
                tally.frames_on_time += u64::from(delay <= ON_TIME);
                tally.frame_delay.saturating_record(u64::try_from(delay.as_micros()).unwrap_or(u64::MAX).max(1));
            }
        }
    }
}

fn is_whole(came: &[u64; REMEMBERED], frame: &Frame) -> bool {
    (frame.first..frame.first + u64::from(frame.packets)).all(|index| came[index as usize % REMEMBERED] == index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::media::MediaKind;
    use std::time::Instant;

    const AT: Duration = Duration::from_secs(100);

    /// Three packets a picture; picture 0 and every tenth is a key frame.
    fn mark(index: u64) -> Mark {
        Mark {
            room: 0,
            participant: 0,
            kind: MediaKind::Video,
            keyframe: (index / 3).is_multiple_of(10),
            layer: 0,
            place: (index % 3) as u8,
            packets: 3,
            frame: (index / 3) as u32,
            sequence: index,
            sent_at: AT,
        }
    }

    /// Packets in the order of their coming, a millisecond apart; the last of each picture tells.
    fn come(indexes: &[u64]) -> (Tally, Vec<u64>) {
        let (mut frames, mut tally) = (Frames::new(), Tally::new(Instant::now()));
        // Counting begins with the one before.
        frames.counted = Some(0);
        let shown = indexes.iter().zip(1..).map(|(index, ms)| {
            let at = Some(AT + Duration::from_millis(ms));
            let mut shown = frames.arrived(*index, at, &mut tally).frames;
            if index % 3 == 2 {
                shown += frames.told(*index, &mark(*index), at, true, &mut tally).frames;
            }
            shown
        });
        let shown = shown.collect();
        (tally, shown)
    }

    #[test]
    fn whole_pictures_are_shown_with_their_last_packet() {
        let (tally, shown) = come(&[0, 1, 2, 3, 4, 5]);
        assert_eq!(shown, [0, 0, 1, 0, 0, 1]);
        assert_eq!((tally.frames_shown, tally.frames_on_time), (2, 2));
    }

    #[test]
    fn what_follows_waits_for_a_packet_that_is_sent_again() {
        let (tally, shown) = come(&[0, 1, 2, 3, 5, 6, 7, 8, 4]);
        assert_eq!(shown, [0, 0, 1, 0, 0, 0, 0, 0, 2]);
        assert!(tally.frame_delay.equivalent(tally.frame_delay.max(), 9_000), "from when it was made");
    }

    #[test]
    fn what_never_comes_whole_is_not_shown_nor_what_follows_until_a_key_frame() {
        let without_4: Vec<u64> = (0..36).filter(|index| *index != 4).collect();
        let (tally, shown) = come(&without_4);
        assert_eq!(shown.iter().sum::<u64>(), 3, "picture 0, the key frame 10 and 11");
        assert_eq!((tally.frames_expected, tally.frames_shown), (11, 3));
    }

    #[test]
    fn a_picture_that_is_shown_too_late_is_not_on_time() {
        let (mut frames, mut tally) = (Frames::new(), Tally::new(Instant::now()));
        frames.counted = Some(0);
        for index in 0..3 {
            let at = Some(AT + ON_TIME + Duration::from_millis(index));
            frames.arrived(index, at, &mut tally);
            frames.told(index, &mark(index), at, true, &mut tally);
        }
        assert_eq!((tally.frames_shown, tally.frames_on_time), (1, 0));
    }
}
