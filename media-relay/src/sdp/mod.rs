//! Offers are read with `rtc-sdp` into what the relay needs; answers are written by hand.

mod answer;
mod codec;
mod offer;

pub(crate) use answer::{AnswerParts, Role, SlotSsrcs, write_answer, write_ice_fragment};
pub(crate) use codec::{Codec, OfferedCodec};
pub(crate) use offer::{ExtensionIds, Offer, Section, parse_offer};

#[cfg(test)]
pub(crate) mod samples;
