//! Listens to what the other end says about the packets sent from here.

use crate::connection::Shared;
use rtc::{
    interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket},
    rtcp::{
        Packet as RtcpPacket,
        payload_feedbacks::{full_intra_request::FullIntraRequest, picture_loss_indication::PictureLossIndication},
        receiver_report::ReceiverReport,
        sender_report::SenderReport,
        transport_feedbacks::{transport_layer_cc::TransportLayerCc, transport_layer_nack::TransportLayerNack},
    },
    sansio::Protocol,
    shared::error::{Error, Result},
};
use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

/// Sees all inbound RTCP after the crate's own interceptors have acted on it; nothing else reaches the application.
pub struct FeedbackTap {
    shared: Arc<Shared>,
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

impl FeedbackTap {
    /// Counts into `shared`, and asks it for key frames.
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared, inbound: VecDeque::new(), outbound: VecDeque::new() }
    }

    fn note(&self, packet: &dyn RtcpPacket) {
        let any = packet.as_any();
        let ours = packet.destination_ssrc().contains(&self.shared.video_ssrc);
        let asks_for_keyframe = ours && (any.is::<PictureLossIndication>() || any.is::<FullIntraRequest>());
        if asks_for_keyframe {
            self.shared.keyframe_wanted.store(true, Ordering::Relaxed);
        }
        self.shared.tally.send_modify(|tally| {
            let feedback = &mut tally.feedback;
            feedback.keyframe_requests += u64::from(asks_for_keyframe);
            feedback.transport += u64::from(any.is::<TransportLayerCc>());
            feedback.nacks += u64::from(any.is::<TransportLayerNack>());
            feedback.reports += u64::from(any.is::<ReceiverReport>() || any.is::<SenderReport>());
        });
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for FeedbackTap {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<()> {
        if let Packet::Rtcp(packets) = &packet.message.packet {
            packets.iter().for_each(|packet| self.note(packet.as_ref()));
        }
        self.inbound.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.inbound.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<()> {
        self.outbound.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.outbound.pop_front()
    }
}

impl Interceptor for FeedbackTap {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
