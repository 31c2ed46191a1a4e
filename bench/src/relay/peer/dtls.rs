//! The DTLS side of a participant (RFC 5764) on `rtc-dtls`.

use super::keys::{Keys, Material, Suite};
use aws_lc_rs::digest::{SHA256, digest};
use bytes::BytesMut;
use rtc_dtls::{
    config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, VerifyPeerCertificateFn},
    crypto::Certificate,
    crypto_provider::{RTCCryptoProvider, default_provider},
    endpoint::{Endpoint, EndpointEvent},
};
use rtc_shared::{TransportProtocol, error::Error};
use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::Arc,
    time::{Duration, Instant},
};

/// The endpoint's name for the other side.
const PLACEHOLDER: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 9));
/// How long an unanswered flight waits before it is sent again.
const FLIGHT_INTERVAL: Duration = Duration::from_millis(150);

/// The certificate of all participants of this process.
pub struct Identity {
    /// Primitives, for STUN as well.
    pub crypto: Arc<dyn RTCCryptoProvider>,
    /// SHA-256 of the certificate.
    pub fingerprint: [u8; 32],
    /// The one SRTP profile that is offered and taken.
    pub suite: Suite,
    certificate: Certificate,
}

impl Identity {
    /// Makes a certificate and a key.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn generate(suite: Suite) -> anyhow::Result<Self> {
        let crypto = default_provider().map_err(|error| anyhow::anyhow!("no cryptography: {error}"))?;
        let certificate = Certificate::generate_self_signed(vec!["bench".to_owned()], crypto.crypto())?;
        let fingerprint = sha256(certificate.certificate[0].as_ref());
        Ok(Self { crypto, fingerprint, suite, certificate })
    }
}

/// What a datagram led to.
pub enum Progress {
    /// Nothing to tell.
    Nothing,
    /// The handshake is done.
    Open(Box<Keys>),
    /// The other side said goodbye, or it failed.
    Closed(String),
}

/// One handshake.
pub struct Dtls {
    endpoint: Endpoint,
    is_client: bool,
    suite: Suite,
}

impl Dtls {
    /// Begins the handshake as client, or awaits it as server.
    ///
    /// # Errors
    /// When the configuration is refused.
    pub fn begin(identity: &Identity, is_client: bool, remote: Vec<u8>, now: Instant) -> anyhow::Result<Self> {
        let expect: VerifyPeerCertificateFn = Arc::new(move |certificates, _| match certificates.first() {
            Some(certificate) if sha256(certificate)[..] == remote[..] => Ok(()),
            _ => Err(Error::ErrFingerprintMismatch),
        });
        let builder = ConfigBuilder::default()
            .with_crypto_provider(Arc::clone(&identity.crypto))
            .with_certificates(vec![identity.certificate.clone()])
            .with_srtp_protection_profiles(vec![identity.suite.profile()])
            .with_client_auth(ClientAuthType::RequireAnyClientCert)
            .with_extended_master_secret(ExtendedMasterSecretType::Request)
            .with_flight_interval(FLIGHT_INTERVAL)
            .with_insecure_skip_verify(true)
            .with_verify_peer_certificate(Some(expect));
        let config = Arc::new(builder.build(is_client, is_client.then_some(PLACEHOLDER))?);
        let server = (!is_client).then(|| Arc::clone(&config));
        let mut endpoint = Endpoint::new(PLACEHOLDER, TransportProtocol::UDP, server);
        if is_client {
            endpoint.connect(now, PLACEHOLDER, config, None)?;
        }
        Ok(Self { endpoint, is_client, suite: identity.suite })
    }

    /// Takes a datagram.
    pub fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) -> Progress {
        match self.endpoint.read(now, PLACEHOLDER, None, BytesMut::from(datagram)) {
            Ok(events) => events.into_iter().fold(Progress::Nothing, |before, event| match event {
                EndpointEvent::HandshakeComplete => self.keys(),
                EndpointEvent::PeerClosed => Progress::Closed("the server said goodbye".to_owned()),
                _ => before,
            }),
            Err(error @ (Error::ErrFingerprintMismatch | Error::ErrAlertFatalOrClose)) => {
                Progress::Closed(error.to_string())
            }
            Err(_) => Progress::Nothing,
        }
    }

    /// Sends a flight again when it is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.endpoint.get_connection_state(PLACEHOLDER).is_some() {
            // A handshake that failed shows as a participant who never connects.
            let _ = self.endpoint.handle_timeout(PLACEHOLDER, now);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.endpoint.poll_timeout(&PLACEHOLDER)
    }

    /// The next datagram to send.
    pub fn next_datagram(&mut self) -> Option<BytesMut> {
        self.endpoint.poll_transmit().map(|transmit| transmit.message)
    }

    /// Says goodbye.
    pub fn close(&mut self, now: Instant) {
        drop(self.endpoint.stop(now, PLACEHOLDER));
    }

    fn keys(&self) -> Progress {
        let state = self.endpoint.get_connection_state(PLACEHOLDER);
        let Some(state) = state.filter(|state| state.srtp_protection_profile() == self.suite.profile()) else {
            return Progress::Closed(format!("the server does not take {}", self.suite.name()));
        };
        let Ok(material) = state.export_keying_material("EXTRACTOR-dtls_srtp", &[], self.suite.material_bytes()) else {
            return Progress::Closed("no keys came of the handshake".to_owned());
        };
        let material = Material::of(material.as_ref()).expect("as many bytes as asked for");
        Progress::Open(Box::new(material.keys(self.is_client)))
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().expect("SHA-256 has 32 bytes")
}
