//! Sends made-up sound and pictures at the pace of a microphone and a camera.

use crate::{
    connection::Shared,
    synthetic::{self, Opus, Payload, Vp8},
    tally::Connection,
};
use domain::media::MediaKind;
use rtc::rtp;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::{Interval, MissedTickBehavior, interval};
use webrtc::media_stream::track_local::{TrackLocal, static_rtp::TrackLocalStaticRTP};

/// Sends sound and picture at their pace for as long as the connection lives.
pub struct Publisher {
    /// Where sound goes, if any is published.
    pub audio: Option<Outlet>,
    /// Where pictures go, if any are published.
    pub video: Option<Outlet>,
    /// Makes the sound.
    pub opus: Opus,
    /// Makes the pictures.
    pub vp8: Vp8,
    /// The peer connection's.
    pub shared: Arc<Shared>,
    /// What is silent at present.
    pub muted: Arc<Muted>,
}

/// Which kinds are not sent at present.
#[derive(Default)]
pub struct Muted {
    /// Sound.
    pub audio: AtomicBool,
    /// Picture.
    pub video: AtomicBool,
}

impl Publisher {
    /// Waits for the connection, then sends until it ends.
    pub async fn run(mut self) {
        let mut tally = self.shared.tally.subscribe();
        if tally.wait_for(|tally| tally.connection == Connection::Connected).await.is_err() {
            return;
        }
        let mut audio = paced(synthetic::AUDIO_FRAME);
        let mut video = paced(synthetic::VIDEO_FRAME);
        loop {
            let sent = tokio::select! {
                _ = audio.tick() => self.send_audio().await,
                _ = video.tick() => self.send_video().await,
            };
            if sent.is_err() {
                return;
            }
        }
    }

    async fn send_audio(&mut self) -> Result<(), webrtc::error::Error> {
        let Some(outlet) = &mut self.audio else { return Ok(()) };
        if self.muted.audio.load(Ordering::Relaxed) {
            return Ok(());
        }
        outlet.send(self.opus.next_packet(synthetic::elapsed())).await?;
        self.shared.tally.send_modify(|tally| tally.sent.audio += 1);
        Ok(())
    }

    async fn send_video(&mut self) -> Result<(), webrtc::error::Error> {
        let Some(outlet) = &mut self.video else { return Ok(()) };
        if self.muted.video.load(Ordering::Relaxed) {
            return Ok(());
        }
        let keyframe = self.shared.keyframe_wanted.swap(false, Ordering::Relaxed);
        let packets = self.vp8.next_picture(keyframe, synthetic::elapsed());
        let count = packets.len() as u64;
        let is_keyframe = begins_keyframe(&packets);
        for packet in packets {
            outlet.send(packet).await?;
        }
        self.shared.tally.send_modify(|tally| {
            tally.sent.video += count;
            tally.sent.keyframes += u64::from(is_keyframe);
        });
        Ok(())
    }
}

fn begins_keyframe(packets: &[Payload]) -> bool {
    let first = packets.first().and_then(|packet| synthetic::read(MediaKind::Video, &packet.bytes));
    first.is_some_and(|reading| reading.keyframe)
}

/// Ticks that are not made up for when the machine was busy: a camera does not either.
fn paced(every: Duration) -> Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Puts payloads on a track as RTP packets.
pub struct Outlet {
    track: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
    payload_type: u8,
    sequence: u16,
}

impl Outlet {
    /// The first sequence number (RFC 3550 §5.1 wants it unpredictable, for ciphers that SRTP does not use); chosen near
    /// the wrap, so that every longer test crosses it.
    const FIRST_SEQUENCE: u16 = 65_400;

    /// Begins a stream of RTP.
    pub fn new(track: Arc<TrackLocalStaticRTP>, ssrc: u32, payload_type: u8) -> Self {
        Self { track, ssrc, payload_type, sequence: Self::FIRST_SEQUENCE }
    }

    async fn send(&mut self, payload: Payload) -> Result<(), webrtc::error::Error> {
        let header = rtp::header::Header {
            version: 2,
            marker: payload.marker,
            payload_type: self.payload_type,
            sequence_number: self.sequence,
            timestamp: payload.timestamp,
            ssrc: self.ssrc,
            ..Default::default()
        };
        self.sequence = self.sequence.wrapping_add(1);
        self.track.write_rtp(rtp::Packet { header, payload: payload.bytes }).await
    }
}
