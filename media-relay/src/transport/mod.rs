//! How packets are known to be whose: ICE checks, DTLS handshakes, SRTP.

pub(crate) mod dtls;
pub(crate) mod pairs;
pub mod srtp;
pub(crate) mod stun;
