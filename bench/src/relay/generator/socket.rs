//! A participant's UDP socket: bursts out (GSO where allowed), batches in with the kernel's receive time.

use mio::{Interest, Registry, Token};
use nix::sys::socket::{setsockopt, sockopt};
use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use std::{
    io::{self, IoSliceMut},
    net::SocketAddr,
    time::Duration,
};

/// A participant's share of a second in a room of ten; the system may give less.
const BUFFER_BYTES: usize = 1 << 20;
const MAX_DATAGRAM_BYTES: usize = 2_048;

pub(super) struct Socket {
    socket: mio::net::UdpSocket,
    state: UdpSocketState,
    remote: SocketAddr,
}

/// Where received datagrams lie; shared by all sockets of a thread.
pub(super) struct Buffers {
    bytes: Vec<u8>,
    meta: [RecvMeta; quinn_udp::BATCH_SIZE],
}

impl Socket {
    pub(super) fn new(
        socket: std::net::UdpSocket,
        remote: SocketAddr,
        registry: &Registry,
        token: usize,
    ) -> io::Result<Self> {
        let reference = socket2::SockRef::from(&socket);
        // The system's limit may be lower: then that is what there is.
        let _ = reference.set_recv_buffer_size(BUFFER_BYTES);
        let _ = reference.set_send_buffer_size(BUFFER_BYTES);
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        // A browser gets its packets one by one. With GRO the kernel would hand a server's segmented send over as it is,
        // and the server would be spared the work of taking it apart.
        setsockopt(&socket, sockopt::UdpGroSegment, &false)?;
        let mut socket = mio::net::UdpSocket::from_std(socket);
        registry.register(&mut socket, Token(token), Interest::READABLE)?;
        Ok(Self { socket, state, remote })
    }

    /// Sends datagrams of `segment` bytes each (the last may be shorter) that lie one after the other.
    pub(super) fn send(&self, bytes: &[u8], segment: usize) -> io::Result<()> {
        let segments = self.state.max_gso_segments().max(1);
        for run in bytes.chunks(segment * segments) {
            let segment_size = (run.len() > segment).then_some(segment);
            let transmit = Transmit { destination: self.remote, ecn: None, contents: run, segment_size, src_ip: None };
            self.state.try_send(UdpSockRef::from(&self.socket), &transmit)?;
        }
        Ok(())
    }

    /// Receives one batch, and how many more there may be: a batch that is not full was the last.
    pub(super) fn receive(&self, buffers: &mut Buffers) -> io::Result<usize> {
        let mut chunks = buffers.bytes.chunks_exact_mut(MAX_DATAGRAM_BYTES);
        let mut slices: [IoSliceMut<'_>; quinn_udp::BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().expect("a buffer for each of the batch")));
        self.state.recv(UdpSockRef::from(&self.socket), &mut slices, &mut buffers.meta)
    }

    pub(super) fn close(&mut self, registry: &Registry) {
        // Fails only when it was never registered.
        let _ = registry.deregister(&mut self.socket);
    }
}

impl Buffers {
    pub(super) fn new() -> Self {
        let bytes = vec![0; MAX_DATAGRAM_BYTES * quinn_udp::BATCH_SIZE];
        Self { bytes, meta: [RecvMeta::default(); quinn_udp::BATCH_SIZE] }
    }

    /// One datagram of the batch: from where, when the kernel had it (since the epoch), and its bytes.
    pub(super) fn datagram(&mut self, index: usize) -> (SocketAddr, Option<Duration>, &mut [u8]) {
        let meta = &self.meta[index];
        let start = index * MAX_DATAGRAM_BYTES;
        (meta.addr, meta.timestamp, &mut self.bytes[start..start + meta.len.min(MAX_DATAGRAM_BYTES)])
    }
}
