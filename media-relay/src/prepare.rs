//! An accepted offer becomes a transport for the shard, tracks for the room and an answer for the participant.

use crate::{
    media::{publication::Publication, subscription::Subscription},
    room::{Ice, Slot, Tracks},
    sdp::{AnswerParts, Offer, Role, SlotSsrcs, write_answer},
    shard::{NewPeer, Peer, PeerKey},
    transport::stun::Credentials,
};
use domain::{
    Random,
    media::{MediaKind, Mid},
    relay::IceSession,
};
use std::{net::SocketAddr, time::Instant};

/// Slots of one kind in one offer. A full room has four.
const MAX_SLOTS: usize = 8;

/// What every answer of a shard has in common.
pub(crate) struct Relay<'a> {
    /// Where SSRCs and credentials come from.
    pub random: &'a dyn Random,
    /// SHA-256 of the relay's certificate.
    pub fingerprint: [u8; 32],
    /// Where the shard is reached.
    pub candidates: &'a [SocketAddr],
}

/// Makes a transport and an answer of an offer.
pub(crate) fn prepare(offer: &Offer, relay: &Relay<'_>, key: PeerKey, now: Instant) -> Prepared {
    let mut ssrcs = Ssrcs::new(offer, relay.random);
    let credentials = Credentials::new(key.index, &random_bytes(relay.random));
    let mut publications: Vec<Publication> = Vec::new();
    let mut subscriptions = Vec::new();
    let mut slots: Vec<Slot> = Vec::new();
    let mut roles = Vec::with_capacity(offer.sections.len());
    for section in &offer.sections {
        let Some(kind) = section.kind else {
            roles.push((section, Role::Rejected));
            continue;
        };
        let number = slots.iter().filter(|slot| slot.kind == kind).count();
        let receives = section.sends && !publications.iter().any(|publication| publication.kind == kind);
        let slot = (section.receives && number < MAX_SLOTS).then(|| (number, ssrcs.slot()));
        if receives {
            publications.push(Publication::new(section, kind, now));
        }
        if let Some((number, ssrcs)) = slot {
            subscriptions.push(Subscription::new(section, kind, ssrcs, random_bytes(relay.random)));
            slots.push(Slot { mid: section.mid.clone(), kind, number });
        }
        roles.push((section, Role::Accepted { receives, slot }));
    }
    // As the answer does: the candidates are in the first accepted section.
    let first = roles.iter().find(|(_, role)| *role != Role::Rejected).map(|(section, _)| *section);
    let section = first.map_or_else(|| (String::new(), Mid(String::new())), |s| (s.media.clone(), s.mid.clone()));
    let ice = Ice { session: IceSession::FIRST, ufrag: offer.ufrag.clone(), section };
    let answer = write_answer(&AnswerParts {
        sections: roles,
        session: u64::from_be_bytes(random_bytes(relay.random)) >> 2,
        ufrag: &credentials.ufrag,
        password: &credentials.password,
        fingerprint: relay.fingerprint,
        candidates: relay.candidates,
    });
    let kinds: Vec<MediaKind> = publications.iter().map(|publication| publication.kind).collect();
    let reporter_ssrc = ssrcs.fresh();
    let peer = Peer::new(NewPeer { key, credentials, publications, subscriptions, reporter_ssrc }, now);
    Prepared { peer, tracks: Tracks { publications: kinds, slots, ice }, answer }
}

/// What an offer leads to.
pub(crate) struct Prepared {
    /// For the shard.
    pub peer: Peer,
    /// For the room.
    pub tracks: Tracks,
    /// For the participant.
    pub answer: String,
}

/// SSRCs that differ from each other and from all that an offer declares (RFC 3550 §8.1).
struct Ssrcs<'a> {
    taken: Vec<u32>,
    random: &'a dyn Random,
}

impl<'a> Ssrcs<'a> {
    fn new(offer: &Offer, random: &'a dyn Random) -> Self {
        let declared = offer.sections.iter().flat_map(|section| section.ssrc.into_iter().chain(section.rtx_ssrc));
        Self { taken: declared.collect(), random }
    }

    fn fresh(&mut self) -> u32 {
        loop {
            let ssrc = u32::from_be_bytes(random_bytes(self.random));
            if ssrc > 0 && !self.taken.contains(&ssrc) {
                self.taken.push(ssrc);
                return ssrc;
            }
        }
    }

    fn slot(&mut self) -> SlotSsrcs {
        SlotSsrcs { media: self.fresh(), rtx: self.fresh() }
    }
}

/// Bytes that nobody can guess.
pub(crate) fn random_bytes<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}
