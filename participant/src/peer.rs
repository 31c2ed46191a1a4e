//! One peer connection of a headless participant: what it publishes, the slots it offers, and its tally.

use crate::{
    codecs::{self, OPUS_PAYLOAD_TYPE, VP8_PAYLOAD_TYPE},
    connection::{self, Reach, Shared},
    path::{self, Path},
    publisher::{Muted, Outlet, Publisher},
    synthetic::{Opus, Vp8},
    tally::Tally,
};
use domain::{
    ParticipantId,
    media::{MediaKind, SLOTS},
};
use rtc::rtp_transceiver::rtp_sender::{RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{task::JoinHandle, time::timeout};
use webrtc::{
    media_stream::{
        MediaStreamTrack,
        track_local::{TrackLocal, static_rtp::TrackLocalStaticRTP},
    },
    peer_connection::{PeerConnection, RTCSessionDescription},
    rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit},
};

/// What a participant publishes, and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publishing {
    /// Sound, 50 packets a second.
    pub audio: bool,
    /// Picture, 30 a second.
    pub video: bool,
    /// Packets of about 1,150 bytes in a picture; three times as many in a key frame.
    pub packets_per_picture: usize,
    /// From where the relay is reached.
    pub reach: Reach,
}

impl Default for Publishing {
    fn default() -> Self {
        Self { audio: true, video: true, packets_per_picture: 3, reach: Reach::Loopback }
    }
}

impl Publishing {
    /// Only listens and watches.
    pub fn nothing() -> Self {
        Self { audio: false, video: false, ..Self::default() }
    }
}

/// What was waited for did not happen; here is what was seen instead.
#[derive(Debug, thiserror::Error)]
#[error("not seen within {waited:?}; what was seen: {tally:#?}")]
pub struct NotSeen {
    /// How long it was waited for.
    pub waited: Duration,
    /// The tally at the end of it.
    pub tally: Box<Tally>,
}

/// One peer connection.
pub struct Peer {
    connection: Arc<dyn PeerConnection>,
    shared: Arc<Shared>,
    offer: String,
    muted: Arc<Muted>,
    publisher: JoinHandle<()>,
}

impl Peer {
    /// Opens the sockets and makes the offer. Media starts to be published once the answer has led to a connection.
    ///
    /// # Errors
    /// When the connection cannot be built or the offer cannot be made.
    pub async fn new(participant: ParticipantId, publishing: Publishing) -> Result<Self, webrtc::error::Error> {
        let ssrcs = Ssrcs::of(participant);
        let shared = Shared::new(ssrcs.video);
        let connection = connection::build(publishing.reach, Arc::clone(&shared)).await?;
        let audio = add_track(&*connection, publishing.audio, MediaKind::Audio, ssrcs.audio).await?;
        let video = add_track(&*connection, publishing.video, MediaKind::Video, ssrcs.video).await?;
        add_slots(&*connection).await?;
        let offer = connection.create_offer(None).await?;
        connection.set_local_description(offer.clone()).await?;
        let muted = Arc::new(Muted::default());
        let publisher = Publisher {
            audio: audio.map(|track| Outlet::new(track, ssrcs.audio, OPUS_PAYLOAD_TYPE)),
            video: video.map(|track| Outlet::new(track, ssrcs.video, VP8_PAYLOAD_TYPE)),
            opus: Opus::new(participant),
            vp8: Vp8::new(participant, publishing.packets_per_picture),
            shared: Arc::clone(&shared),
            muted: Arc::clone(&muted),
        };
        let publisher = tokio::spawn(publisher.run());
        Ok(Self { connection, shared, offer: offer.sdp, muted, publisher })
    }

    /// The offer: own tracks first, then the slots.
    pub fn offer(&self) -> &str {
        &self.offer
    }

    /// Applies the answer; the clock of the tally starts.
    ///
    /// # Errors
    /// When it is not an answer to the offer.
    pub async fn accept(&self, answer: &str) -> Result<(), webrtc::error::Error> {
        self.shared.answered(answer);
        let answer = RTCSessionDescription::answer(answer.to_owned())?;
        self.connection.set_remote_description(answer).await
    }

    /// What was seen so far.
    pub fn tally(&self) -> Tally {
        self.shared.tally.borrow().clone()
    }

    /// Waits until the tally is as `wanted`, and gives it.
    ///
    /// # Errors
    /// When it is not so within `within`.
    pub async fn until(&self, wanted: impl FnMut(&Tally) -> bool, within: Duration) -> Result<Tally, NotSeen> {
        let mut tally = self.shared.tally.subscribe();
        let seen = match timeout(within, tally.wait_for(wanted)).await {
            Ok(Ok(tally)) => Some(tally.clone()),
            _ => None,
        };
        seen.ok_or_else(|| NotSeen { waited: within, tally: Box::new(self.tally()) })
    }

    /// Stops or resumes publishing one kind; nothing is negotiated.
    pub fn mute(&self, kind: MediaKind, muted: bool) {
        let flag = match kind {
            MediaKind::Audio => &self.muted.audio,
            MediaKind::Video => &self.muted.video,
        };
        flag.store(muted, Ordering::Relaxed);
    }

    /// Over which network path media flows; `None` before it does.
    pub async fn path(&self) -> Option<Path> {
        path::path(&*self.connection).await
    }

    /// The peer connection of the `webrtc` crate, for what this type does not offer.
    pub fn connection(&self) -> &Arc<dyn PeerConnection> {
        &self.connection
    }

    /// Closes the connection; the other end is told by DTLS `close_notify`.
    ///
    /// # Errors
    /// When the `webrtc` crate cannot close it.
    pub async fn close(&self) -> Result<(), webrtc::error::Error> {
        self.publisher.abort();
        self.connection.close().await
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.publisher.abort();
    }
}

/// The SSRCs of a participant. They need to differ within one peer connection only, so that its id decides them.
struct Ssrcs {
    audio: u32,
    video: u32,
}

impl Ssrcs {
    fn of(participant: ParticipantId) -> Self {
        let (high, _, _, _) = participant.0.as_fields();
        Self { audio: high | 1, video: (high | 1).wrapping_add(1) }
    }
}

async fn add_track(
    connection: &dyn PeerConnection,
    wanted: bool,
    kind: MediaKind,
    ssrc: u32,
) -> Result<Option<Arc<TrackLocalStaticRTP>>, webrtc::error::Error> {
    if !wanted {
        return Ok(None);
    }
    let (kind, codec) = match kind {
        MediaKind::Audio => (RtpCodecKind::Audio, codecs::opus()),
        MediaKind::Video => (RtpCodecKind::Video, codecs::vp8()),
    };
    let track = Arc::new(TrackLocalStaticRTP::new(media_stream_track(kind, codec, ssrc)));
    let local: Arc<dyn TrackLocal> = track.clone();
    connection.add_transceiver_from_track(local, Some(direction(RTCRtpTransceiverDirection::Sendonly))).await?;
    Ok(Some(track))
}

fn media_stream_track(kind: RtpCodecKind, codec: RTCRtpCodec, ssrc: u32) -> MediaStreamTrack {
    let rtp_coding_parameters = RTCRtpCodingParameters { ssrc: Some(ssrc), ..Default::default() };
    let coding = RTCRtpEncodingParameters { rtp_coding_parameters, codec, ..Default::default() };
    MediaStreamTrack::new("participant".to_owned(), kind.to_string(), kind.to_string(), kind, vec![coding])
}

async fn add_slots(connection: &dyn PeerConnection) -> Result<(), webrtc::error::Error> {
    for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
        for _ in 0..SLOTS {
            let recvonly = Some(direction(RTCRtpTransceiverDirection::Recvonly));
            connection.add_transceiver_from_kind(kind, recvonly).await?;
        }
    }
    Ok(())
}

fn direction(direction: RTCRtpTransceiverDirection) -> RTCRtpTransceiverInit {
    RTCRtpTransceiverInit { direction, ..Default::default() }
}
