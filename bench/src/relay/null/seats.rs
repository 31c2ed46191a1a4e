//! Who is there, and what happens to a packet: found by its address, opened in place, sealed for each receiver.

use super::{control::Counts, egress::Egress};
use crate::relay::peer::keys::{Keys, Material};
use media_relay::{
    RtpHeader,
    srtp::{Opener, ReplayWindow, Sealer},
};
use std::{collections::HashMap, net::SocketAddr};

/// Everybody who is there.
#[derive(Default)]
pub(super) struct Seats {
    seats: Vec<Option<Seat>>,
    by_remote: HashMap<SocketAddr, usize>,
}

struct Seat {
    remote: SocketAddr,
    opener: Opener,
    sealer: Sealer,
    /// One for each SSRC that was heard. Only an authentic packet makes one.
    windows: Vec<(u32, ReplayWindow)>,
    to: Vec<usize>,
}

/// An authentic packet, opened.
struct Opened {
    header_len: usize,
    len: usize,
    ssrc: u32,
    index: u64,
}

impl Seats {
    /// Somebody comes, or comes again.
    pub(super) fn add(&mut self, seat: usize, remote: SocketAddr, keys: &Material) {
        self.remove(seat);
        if self.seats.len() <= seat {
            self.seats.resize_with(seat + 1, || None);
        }
        let Keys { opener, sealer, .. } = keys.keys(false);
        self.by_remote.insert(remote, seat);
        self.seats[seat] = Some(Seat { remote, opener, sealer, windows: Vec::new(), to: Vec::new() });
    }

    /// To whom the packets of `seat` go.
    pub(super) fn route(&mut self, seat: usize, to: Vec<usize>) {
        if let Some(seat) = self.seats.get_mut(seat).and_then(Option::as_mut) {
            seat.to = to;
        }
    }

    /// Somebody goes.
    pub(super) fn remove(&mut self, seat: usize) {
        if let Some(gone) = self.seats.get_mut(seat).and_then(Option::take) {
            self.by_remote.remove(&gone.remote);
        }
    }

    /// Opens an RTP packet and seals it for everybody it goes to. Of RTCP only requests for a keyframe go anywhere.
    pub(super) fn forward(
        &mut self,
        remote: SocketAddr,
        datagram: &mut [u8],
        egress: &mut Egress,
        counts: &mut Counts,
    ) {
        let Some(&from) = self.by_remote.get(&remote) else { return };
        if datagram.get(1).is_some_and(|second| (192..=223).contains(second)) {
            return self.request_keyframe(from, datagram, egress);
        }
        let Some(seat) = self.seats[from].as_mut() else { return };
        let Some(opened) = seat.open(datagram) else { return };
        counts.opened += 1;
        counts.opened_bytes += datagram.len() as u64;
        // Taken out for the time of the loop; nothing is copied.
        let receivers = std::mem::take(&mut seat.to);
        for to in receivers.iter().filter_map(|to| self.seats.get(*to)?.as_ref()) {
            let size = opened.len + to.sealer.rtp_overhead();
            counts.sealed += 1;
            counts.sealed_bytes += size as u64;
            let buffer = egress.datagram(to.remote, size);
            let start = buffer.len();
            buffer.extend_from_slice(&datagram[..opened.len]);
            to.sealer.seal_rtp(buffer, start, opened.header_len, opened.ssrc, opened.index);
        }
        if let Some(seat) = self.seats[from].as_mut() {
            seat.to = receivers;
        }
    }

    /// A request goes to whoever sends the source that it names: the generator could see no picture without.
    fn request_keyframe(&mut self, from: usize, datagram: &mut [u8], egress: &mut Egress) {
        let Some(seat) = self.seats[from].as_mut() else { return };
        let Ok(len) = seat.opener.open_rtcp(datagram) else { return };
        let rtcp = &datagram[..len];
        let Some(source) = picture_loss(rtcp) else { return };
        let sends = |seat: &&mut Seat| seat.windows.iter().any(|(ssrc, _)| *ssrc == source);
        if let Some(publisher) = self.seats.iter_mut().flatten().find(sends) {
            let buffer = egress.datagram(publisher.remote, len + publisher.sealer.rtcp_overhead());
            let start = buffer.len();
            buffer.extend_from_slice(rtcp);
            publisher.sealer.seal_rtcp(buffer, start);
        }
    }
}

/// The source that a picture loss indication or a full intra request of a compound packet names (RFC 4585 §6.3, RFC 5104 §4.3).
fn picture_loss(mut rtcp: &[u8]) -> Option<u32> {
    const PAYLOAD_SPECIFIC_FEEDBACK: u8 = 206;
    loop {
        let length = 4 * (1 + usize::from(u16::from_be_bytes([*rtcp.get(2)?, *rtcp.get(3)?])));
        let source = |at: usize| Some(u32::from_be_bytes(*rtcp.get(at..)?.first_chunk()?));
        match (rtcp[1], rtcp[0] & 0x1f) {
            (PAYLOAD_SPECIFIC_FEEDBACK, 1) => return source(8),
            (PAYLOAD_SPECIFIC_FEEDBACK, 4) => return source(12),
            _ => rtcp = rtcp.get(length..)?,
        }
    }
}

impl Seat {
    fn open(&mut self, datagram: &mut [u8]) -> Option<Opened> {
        let header = RtpHeader::parse(datagram)?;
        let known = self.windows.iter().position(|(ssrc, _)| *ssrc == header.ssrc);
        let mut window = known.map_or_else(ReplayWindow::default, |at| self.windows[at].1);
        let index = window.index_of(header.sequence).filter(|index| window.is_fresh(*index))?;
        let len = self.opener.open_rtp(datagram, header.len, header.ssrc, index).ok()?;
        window.mark(index);
        match known {
            Some(at) => self.windows[at].1 = window,
            None => self.windows.push((header.ssrc, window)),
        }
        Some(Opened { header_len: header.len, len, ssrc: header.ssrc, index })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(seat: usize) -> Material {
        Material::of(&[seat as u8 + 1; 56]).expect("keys")
    }

    fn remote(seat: usize) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 5_000 + seat as u16))
    }

    fn seats() -> Seats {
        let mut seats = Seats::default();
        (0..3).for_each(|seat| seats.add(seat, remote(seat), &keys(seat)));
        seats
    }

    /// A packet as seat 0 sends it: SSRC 7, some bytes.
    fn sent(sequence: u16) -> Vec<u8> {
        let mut packet = vec![0x80, 96];
        packet.extend_from_slice(&sequence.to_be_bytes());
        packet.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 7]);
        packet.extend_from_slice(b"picture");
        keys(0).keys(true).sealer.seal_rtp(&mut packet, 0, 12, 7, u64::from(sequence));
        packet
    }

    fn opens(seat: usize, mut packet: Vec<u8>, sequence: u16) -> Option<Vec<u8>> {
        let len = keys(seat).keys(true).opener.open_rtp(&mut packet, 12, 7, u64::from(sequence)).ok()?;
        Some(packet[12..len].to_vec())
    }

    #[test]
    fn a_packet_reaches_those_it_goes_to_under_their_own_keys() {
        let (mut seats, mut egress) = (seats(), Egress::new(1));
        seats.route(0, vec![1, 2]);
        seats.forward(remote(0), &mut sent(9), &mut egress, &mut Counts::default());
        let out = egress.take();
        assert_eq!(out.len(), 2);
        for ((to, packet), seat) in out.into_iter().zip([1, 2]) {
            assert_eq!(to, remote(seat));
            assert_eq!(packet[..12], sent(9)[..12], "SSRC and sequence stay");
            assert_eq!(opens(seat, packet, 9).as_deref(), Some(&b"picture"[..]));
        }
    }

    #[test]
    fn a_repeat_a_forgery_and_a_stranger_go_nowhere() {
        let (mut seats, mut egress) = (seats(), Egress::new(1));
        seats.route(0, vec![1]);
        let mut forged = sent(10);
        forged[20] ^= 1;
        seats.forward(remote(0), &mut sent(9), &mut egress, &mut Counts::default());
        seats.forward(remote(0), &mut sent(9), &mut egress, &mut Counts::default());
        seats.forward(remote(0), &mut forged, &mut egress, &mut Counts::default());
        seats.forward(remote(8), &mut sent(11), &mut egress, &mut Counts::default());
        assert_eq!(egress.take().len(), 1);
    }

    #[test]
    fn a_request_for_a_keyframe_reaches_whoever_sends_the_picture() {
        let (mut seats, mut egress) = (seats(), Egress::new(1));
        seats.route(0, vec![1]);
        seats.forward(remote(0), &mut sent(9), &mut egress, &mut Counts::default());
        egress.take();
        let mut sealer = keys(1).keys(true).sealer;
        let report = [0x80, 201, 0, 1, 0, 0, 0, 8];
        let request = [0x81, 206, 0, 2, 0, 0, 0, 8, 0, 0, 0, 7];
        let mut packet = [&report[..], &request[..]].concat();
        sealer.seal_rtcp(&mut packet, 0);
        seats.forward(remote(1), &mut packet, &mut egress, &mut Counts::default());
        let (to, mut packet) = egress.take().pop().expect("it goes somewhere");
        let mut opener = keys(0).keys(true).opener;
        let len = opener.open_rtcp(&mut packet).expect("it is sealed for the publisher");
        assert_eq!((to, &packet[8..len]), (remote(0), &request[..]));
    }

    #[test]
    fn equal_packets_of_a_batch_leave_in_one_call_with_segmentation() {
        let (mut seats, mut egress) = (seats(), Egress::new(64));
        seats.route(0, vec![1]);
        for sequence in 0..4 {
            seats.forward(remote(0), &mut sent(sequence), &mut egress, &mut Counts::default());
        }
        assert_eq!(egress.calls(), 1);
        let out = egress.take();
        assert_eq!(out.len(), 4);
        for (sequence, (_, packet)) in out.into_iter().enumerate() {
            assert!(opens(1, packet, sequence as u16).is_some());
        }
    }
}
