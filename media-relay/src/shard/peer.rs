//! One participant's transport on a shard, with what it publishes and its slots.

use super::{
    PeerKey, Source,
    egress::{BatchHint, Egress},
};
use crate::{
    media::{feedback::ArrivalLog, publication::Publication, subscription::Subscription},
    transport::{
        pairs::Pairs,
        srtp::{Opener, Sealer},
        stun::Credentials,
    },
};
use std::time::{Duration, Instant};

/// Firefox loses a keyframe that arrives within about 50 ms of its own handshake's end, so nothing is sent before.
const HOLD: Duration = Duration::from_millis(80);

/// DTLS datagrams taken from one participant between two reports: a handshake has a dozen.
pub(super) const DTLS_CREDIT: u32 = 64;

/// Who gets a publication: a transport's place and the index of its slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    /// The receiver.
    pub peer: PeerKey,
    /// Index among its subscriptions.
    pub subscription: usize,
}

/// Where a declared SSRC leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stream {
    /// The SSRC.
    pub ssrc: u32,
    /// Index among the publications.
    pub publication: usize,
    /// It carries retransmissions.
    pub is_rtx: bool,
}

/// The keys of an open transport.
pub(crate) struct Srtp {
    /// For what comes.
    pub opener: Opener,
    /// For what goes.
    pub sealer: Sealer,
    /// From when on the other side can take media.
    pub ready_at: Instant,
}

/// A transport.
pub(crate) struct Peer {
    /// Its place.
    pub key: PeerKey,
    /// For its checks.
    pub credentials: Credentials,
    /// Its valid address pairs.
    pub pairs: Pairs,
    /// Once the handshake is done.
    pub srtp: Option<Srtp>,
    /// The other side said goodbye.
    pub is_closed: bool,
    /// What was last told to the control plane.
    pub told_connected: bool,
    /// What it publishes.
    pub publications: Vec<Publication>,
    /// Who gets each publication.
    pub links: Vec<Vec<Link>>,
    /// Its slots.
    pub subscriptions: Vec<Subscription>,
    /// What each slot shows.
    pub sources: Vec<Option<Source>>,
    /// Declared SSRCs.
    pub streams: Vec<Stream>,
    /// The extension id of transport-wide sequence numbers.
    pub transport_cc: Option<u8>,
    /// For transport-wide feedback.
    pub arrivals: ArrivalLog,
    /// The SSRC under which the relay reports.
    pub reporter_ssrc: u32,
    /// When transport-wide feedback is next due.
    pub next_feedback: Instant,
    /// When reports are next due.
    pub next_report: Instant,
    /// DTLS datagrams that may still come in this second.
    pub dtls_credit: u32,
    batch: BatchHint,
}

/// What a transport is made of; all of it is prepared off the shard's thread.
pub(crate) struct NewPeer {
    pub key: PeerKey,
    pub credentials: Credentials,
    pub publications: Vec<Publication>,
    pub subscriptions: Vec<Subscription>,
    pub reporter_ssrc: u32,
}

impl Peer {
    /// A transport that has yet to be connected.
    pub(crate) fn new(new: NewPeer, now: Instant) -> Self {
        let declared = |(publication, track): (usize, &Publication)| {
            let main = track.ssrc.map(|ssrc| Stream { ssrc, publication, is_rtx: false });
            let rtx = track.rtx_ssrc.map(|ssrc| Stream { ssrc, publication, is_rtx: true });
            main.into_iter().chain(rtx)
        };
        Self {
            key: new.key,
            credentials: new.credentials,
            pairs: Pairs::default(),
            srtp: None,
            is_closed: false,
            told_connected: false,
            links: new.publications.iter().map(|_| Vec::new()).collect(),
            sources: new.subscriptions.iter().map(|_| None).collect(),
            streams: new.publications.iter().enumerate().flat_map(declared).collect(),
            transport_cc: new.publications.iter().find_map(|track| track.extensions.transport_cc),
            publications: new.publications,
            subscriptions: new.subscriptions,
            arrivals: ArrivalLog::new(now),
            reporter_ssrc: new.reporter_ssrc,
            next_feedback: now,
            next_report: now,
            dtls_credit: DTLS_CREDIT,
            batch: BatchHint::default(),
        }
    }

    /// The handshake is done.
    pub(crate) fn open(&mut self, (opener, sealer): (Opener, Sealer), now: Instant) {
        self.srtp = Some(Srtp { opener, sealer, ready_at: now + HOLD });
    }

    /// ICE and DTLS are done and consent is fresh.
    pub(crate) fn is_connected(&self, now: Instant) -> bool {
        self.srtp.is_some() && !self.is_closed && self.pairs.has_consent(now)
    }

    /// Media may be sent: connected, and the hold is over.
    pub(crate) fn takes_media(&self, now: Instant) -> bool {
        self.is_connected(now) && self.srtp.as_ref().is_some_and(|srtp| srtp.ready_at <= now)
    }

    /// Room for one datagram to the address in use, for the caller to append exactly `size` bytes, and the keys.
    pub(crate) fn datagram<'a>(
        &'a mut self,
        egress: &'a mut Egress,
        size: usize,
    ) -> Option<(&'a mut Vec<u8>, &'a mut Srtp)> {
        let pair = self.pairs.selected()?;
        let srtp = self.srtp.as_mut()?;
        Some((egress.datagram(pair, &mut self.batch, size), srtp))
    }

    /// Room for one datagram that is not media.
    pub(crate) fn plain_datagram<'a>(&mut self, egress: &'a mut Egress, size: usize) -> Option<&'a mut Vec<u8>> {
        let pair = self.pairs.selected()?;
        Some(egress.datagram(pair, &mut self.batch, size))
    }
}
