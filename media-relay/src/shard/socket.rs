//! The shard's UDP socket: batches in (GRO), segmented batches out (GSO), dual-stack where the system has IPv6.

use mio::{Interest, Registry, Token};
use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

/// About two seconds of a busy shard; the system may give less.
const SOCKET_BUFFER_BYTES: usize = 4 << 20;
/// The largest datagram the relay reads; what GRO joined is longer.
const MAX_DATAGRAM_BYTES: usize = 1_500;
/// The longest segmented send.
pub(crate) const MAX_BATCH_BYTES: usize = 60_000;

/// The socket and its batching state.
pub(crate) struct ShardSocket {
    socket: mio::net::UdpSocket,
    state: UdpSocketState,
}

/// Where received datagrams lie.
pub(crate) struct ReceiveBuffers {
    bytes: Vec<u8>,
    each: usize,
    meta: [RecvMeta; quinn_udp::BATCH_SIZE],
}

impl ShardSocket {
    /// Binds, and registers for what arrives. `::` falls back to `0.0.0.0` where there is no IPv6.
    pub(crate) fn bind(ip: IpAddr, port: u16, registry: &Registry, token: Token) -> anyhow::Result<Self> {
        let socket = match bind(SocketAddr::new(ip, port)) {
            Err(_) if ip.is_ipv6() && ip.is_unspecified() => bind((Ipv4Addr::UNSPECIFIED, port).into()),
            bound => bound,
        };
        let socket = socket.map_err(|error| anyhow::anyhow!("media port {port} cannot be bound: {error}"))?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        let mut socket = mio::net::UdpSocket::from_std(socket);
        registry.register(&mut socket, token, Interest::READABLE)?;
        Ok(Self { socket, state })
    }

    /// The bound address.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Receives one batch; `WouldBlock` when there is none.
    pub(crate) fn receive(&self, buffers: &mut ReceiveBuffers) -> io::Result<usize> {
        let mut chunks = buffers.bytes.chunks_exact_mut(buffers.each);
        let mut slices: [IoSliceMut<'_>; quinn_udp::BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().expect("a buffer for each of the batch")));
        self.state.recv(UdpSockRef::from(&self.socket), &mut slices, &mut buffers.meta)
    }

    /// Sends one batch to one destination without waiting.
    pub(crate) fn send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.state.try_send(UdpSockRef::from(&self.socket), transmit)
    }

    /// How many segments one send may have; 1 when the system cannot.
    pub(crate) fn max_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    /// Buffers for [`receive`](Self::receive).
    pub(crate) fn buffers(&self) -> ReceiveBuffers {
        let each = (self.state.gro_segments() * MAX_DATAGRAM_BYTES).min(u16::MAX.into());
        ReceiveBuffers { bytes: vec![0; each * quinn_udp::BATCH_SIZE], each, meta: Default::default() }
    }
}

impl ReceiveBuffers {
    /// The `index`th message of the batch: what is known of it, and its bytes.
    pub(crate) fn message(&mut self, index: usize) -> (RecvMeta, &mut [u8]) {
        let meta = self.meta[index];
        let start = index * self.each;
        (meta, &mut self.bytes[start..start + meta.len.min(self.each)])
    }
}

fn bind(addr: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    // The system's limit may be lower: then that is what there is.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER_BYTES);
    socket.bind(&addr.into())?;
    Ok(socket.into())
}
