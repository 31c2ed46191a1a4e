//! How a transport reaches its server: straight, or past a relay of ours that makes the path bad.

use crate::relay::path::{Impairer, Leg};
use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
};

/// A socket whose server is not known yet.
pub(super) struct Way {
    socket: UdpSocket,
    leg: Option<Leg>,
}

/// A socket that leads to its server.
pub(crate) struct Route {
    pub socket: UdpSocket,
    /// Where it sends.
    pub next: SocketAddr,
    /// The server as it names itself.
    pub server: SocketAddr,
}

impl Way {
    pub(super) fn open(address: IpAddr, path: Option<&Impairer>) -> io::Result<Self> {
        let socket = UdpSocket::bind((address, 0))?;
        socket.set_nonblocking(true)?;
        let leg = path.map(|path| path.leg(socket.local_addr()?)).transpose()?;
        Ok(Self { socket, leg })
    }

    /// Where the server sees it.
    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.leg.as_ref().map_or_else(|| self.socket.local_addr(), |leg| Ok(leg.far))
    }

    pub(super) fn to(self, server: SocketAddr) -> Route {
        let next = self.leg.map_or(server, |leg| {
            leg.lead(server);
            leg.near
        });
        Route { socket: self.socket, next, server }
    }
}
