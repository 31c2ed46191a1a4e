//! A socket of the impairer: datagrams one by one, however the kernel hands them over.

use mio::{Interest, Registry, Token};
use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use std::{
    io::{self, ErrorKind, IoSliceMut},
    net::{SocketAddr, UdpSocket},
};

/// About what a second of pictures needs; the system may give less.
const BUFFER_BYTES: usize = 1 << 20;
/// What the kernel joined of several datagrams is longer than one.
const MAX_JOINED_BYTES: usize = u16::MAX as usize;

pub(super) struct Wire {
    socket: mio::net::UdpSocket,
    state: UdpSocketState,
    /// Where what comes out goes.
    pub remote: Option<SocketAddr>,
}

pub(super) struct Buffers {
    bytes: Vec<u8>,
    meta: [RecvMeta; quinn_udp::BATCH_SIZE],
}

impl Buffers {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; MAX_JOINED_BYTES * quinn_udp::BATCH_SIZE], meta: Default::default() }
    }
}

impl Wire {
    pub(super) fn new(socket: UdpSocket, remote: Option<SocketAddr>) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let reference = socket2::SockRef::from(&socket);
        // The system's limit may be lower: then that is what there is.
        let _ = reference.set_recv_buffer_size(BUFFER_BYTES);
        let _ = reference.set_send_buffer_size(BUFFER_BYTES);
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        Ok(Self { socket: mio::net::UdpSocket::from_std(socket), state, remote })
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.socket, token, Interest::READABLE)
    }

    /// One datagram a call, as it would come over a network; false when the system does not take it.
    pub(super) fn send(&self, bytes: &[u8]) -> bool {
        let Some(destination) = self.remote else { return false };
        let transmit = Transmit { destination, ecn: None, contents: bytes, segment_size: None, src_ip: None };
        self.state.try_send(UdpSockRef::from(&self.socket), &transmit).is_ok()
    }

    /// Everything that has come.
    pub(super) fn receive(&self, buffers: &mut Buffers, mut take: impl FnMut(&[u8])) {
        loop {
            let mut chunks = buffers.bytes.chunks_exact_mut(MAX_JOINED_BYTES);
            let mut slices: [IoSliceMut<'_>; quinn_udp::BATCH_SIZE] =
                std::array::from_fn(|_| IoSliceMut::new(chunks.next().expect("a buffer for each of the batch")));
            let count = match self.state.recv(UdpSockRef::from(&self.socket), &mut slices, &mut buffers.meta) {
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // A refusal that the kernel passes on from somebody who is gone; it is taken away by reading it.
                Err(_) => continue,
            };
            for (meta, bytes) in buffers.meta[..count].iter().zip(buffers.bytes.chunks_exact(MAX_JOINED_BYTES)) {
                bytes[..meta.len].chunks(meta.stride.max(1)).for_each(&mut take);
            }
            if count < quinn_udp::BATCH_SIZE {
                return;
            }
        }
    }
}
