//! The DTLS server of each participant (RFC 5764), on `rtc-dtls`: handshake in, SRTP keys out.

use super::srtp::{self, CM_KEYING_MATERIAL_BYTES, KEYING_MATERIAL_BYTES, Opener, Sealer};
use aws_lc_rs::digest::{SHA256, digest};
use bytes::BytesMut;
use rtc_dtls::{
    config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig, VerifyPeerCertificateFn},
    crypto::Certificate,
    crypto_provider::{RTCCryptoProvider, default_provider},
    endpoint::{Endpoint, EndpointEvent},
    extension::extension_use_srtp::SrtpProtectionProfile,
};
use rtc_shared::{TransportProtocol, error::Error};
use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::Arc,
    time::{Duration, Instant},
};

/// How long an unanswered flight waits before it is sent again. RFC 6347 §4.2.4.1 says one second;
/// a visit that begins on a lossy link should not, and the retransmissions are few (seven).
const FLIGHT_INTERVAL: Duration = Duration::from_millis(150);
/// Datagrams of a first flight that are kept until it is understood: a ClientHello with post-quantum shares has two.
const MAX_KEPT: usize = 4;
const GCM: SrtpProtectionProfile = SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm;
const CM: SrtpProtectionProfile = SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80;
/// The endpoint's name for the other side. The real path may move, so it is not the key.
const PLACEHOLDER: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 9));

/// The certificate of this process, in memory only, new at every start.
#[derive(Clone)]
pub(crate) struct Identity {
    crypto: Arc<dyn RTCCryptoProvider>,
    certificate: Certificate,
    /// SHA-256 of the certificate, as it goes into answers.
    pub fingerprint: [u8; 32],
}

impl Identity {
    /// Makes a certificate and a key.
    pub(crate) fn generate() -> anyhow::Result<Self> {
        let crypto = default_provider().map_err(|error| anyhow::anyhow!("no cryptography: {error}"))?;
        let certificate = Certificate::generate_self_signed(vec!["media-relay".to_owned()], crypto.crypto())?;
        let fingerprint = sha256(certificate.certificate[0].as_ref());
        Ok(Self { crypto, certificate, fingerprint })
    }

    /// Shakes hands with itself, since the first handshake of a process is many times slower than the next.
    pub(crate) fn warm_up(&self) -> anyhow::Result<()> {
        let mut server = Handshake::new(self, self.fingerprint)?;
        let mut client = Client::new(self, self.fingerprint, &[GCM])?;
        anyhow::ensure!(client.connect(&mut server).is_some(), "the DTLS server cannot be reached by its own client");
        Ok(())
    }

    /// The primitives, for STUN as well.
    pub(crate) fn crypto(&self) -> Arc<dyn RTCCryptoProvider> {
        Arc::clone(&self.crypto)
    }

    /// One profile at a time: with more, `rtc-dtls` follows the client's order and Chromium puts SHA-1 first.
    fn handshake_config(
        &self,
        peer_fingerprint: [u8; 32],
        profile: SrtpProtectionProfile,
    ) -> anyhow::Result<HandshakeConfig> {
        let builder = ConfigBuilder::default()
            .with_crypto_provider(self.crypto())
            .with_certificates(vec![self.certificate.clone()])
            .with_srtp_protection_profiles(vec![profile])
            .with_client_auth(ClientAuthType::RequireAnyClientCert)
            .with_extended_master_secret(ExtendedMasterSecretType::Require)
            .with_flight_interval(FLIGHT_INTERVAL)
            // No chain to verify: the certificate is right when its hash is the one in the offer (RFC 8122).
            .with_insecure_skip_verify(true)
            .with_verify_peer_certificate(Some(expect_fingerprint(peer_fingerprint)));
        Ok(builder.build(false, None)?)
    }
}

fn expect_fingerprint(expected: [u8; 32]) -> VerifyPeerCertificateFn {
    Arc::new(move |certificates, _| match certificates.first() {
        Some(certificate) if sha256(certificate) == expected => Ok(()),
        _ => Err(Error::ErrFingerprintMismatch),
    })
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// What a datagram or a timeout led to.
pub(crate) enum Progress {
    /// Nothing to tell.
    Nothing,
    /// The handshake is done; these open and seal the participant's packets.
    Open(Box<(Opener, Sealer)>),
    /// The other side said goodbye, or it failed.
    Closed,
}

/// The DTLS server of one participant.
pub(crate) struct Handshake {
    endpoint: Endpoint,
    /// Until the client's first flight is understood: what came, to be read again by the other suite.
    fallback: Option<Fallback>,
}

/// A device without AES-GCM is offered AES-CM instead, unnoticed: its own first flight is read again.
struct Fallback {
    identity: Identity,
    peer_fingerprint: [u8; 32],
    kept: Vec<Vec<u8>>,
}

impl Handshake {
    /// Awaits the client whose certificate hashes to `peer_fingerprint`.
    pub(crate) fn new(identity: &Identity, peer_fingerprint: [u8; 32]) -> anyhow::Result<Self> {
        let fallback = Fallback { identity: identity.clone(), peer_fingerprint, kept: Vec::new() };
        Ok(Self { endpoint: endpoint(identity, peer_fingerprint, GCM)?, fallback: Some(fallback) })
    }

    /// Takes a datagram from the network.
    pub(crate) fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) -> Progress {
        if let Some(fallback) = self.fallback.as_mut().filter(|fallback| fallback.kept.len() < MAX_KEPT) {
            fallback.kept.push(datagram.to_vec());
        }
        match self.endpoint.read(now, PLACEHOLDER, None, BytesMut::from(datagram)) {
            Ok(events) => events.into_iter().fold(Progress::Nothing, |before, event| match event {
                EndpointEvent::HandshakeComplete => self.keys(),
                EndpointEvent::PeerClosed => Progress::Closed,
                // There is no application data in WebRTC media.
                _ => before,
            }),
            Err(Error::ErrServerNoMatchingSrtpProfile) => self.fall_back(now),
            Err(error) if is_fatal(&error) => Progress::Closed,
            // A datagram that does not parse or decrypt is somebody's noise.
            Err(_) => Progress::Nothing,
        }
    }

    /// The client's hello has no AES-GCM. Its signature over the whole handshake proves that nobody took it out on the way.
    fn fall_back(&mut self, now: Instant) -> Progress {
        let Some(Fallback { identity, peer_fingerprint, kept }) = self.fallback.take() else { return Progress::Closed };
        match endpoint(&identity, peer_fingerprint, CM) {
            // The old endpoint goes with the alert that it would have sent.
            Ok(endpoint) => self.endpoint = endpoint,
            Err(_) => return Progress::Closed,
        }
        kept.iter().fold(Progress::Nothing, |before, datagram| match self.handle_datagram(now, datagram) {
            Progress::Nothing => before,
            progress => progress,
        })
    }

    /// Sends a flight again when it is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Progress {
        if self.endpoint.get_connection_state(PLACEHOLDER).is_some()
            && self.endpoint.handle_timeout(PLACEHOLDER, now).is_err()
        {
            return Progress::Closed;
        }
        Progress::Nothing
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.endpoint.poll_timeout(&PLACEHOLDER)
    }

    /// Says goodbye.
    pub(crate) fn close(&mut self, now: Instant) {
        drop(self.endpoint.stop(now, PLACEHOLDER));
    }

    /// The next datagram to send.
    pub(crate) fn next_datagram(&mut self) -> Option<BytesMut> {
        let transmit = self.endpoint.poll_transmit()?;
        // An answer means that the hello was understood.
        self.fallback = None;
        Some(transmit.message)
    }

    fn keys(&self) -> Progress {
        let Some(state) = self.endpoint.get_connection_state(PLACEHOLDER) else { return Progress::Closed };
        let export = |bytes| state.export_keying_material("EXTRACTOR-dtls_srtp", &[], bytes).ok();
        let keys = match state.srtp_protection_profile() {
            GCM => export(KEYING_MATERIAL_BYTES).map(|material| {
                srtp::from_keying_material(material.as_ref().try_into().expect("as many bytes as asked for"))
            }),
            CM => export(CM_KEYING_MATERIAL_BYTES).map(|material| {
                srtp::from_cm_keying_material(material.as_ref().try_into().expect("as many bytes as asked for"))
            }),
            _ => None,
        };
        keys.map_or(Progress::Closed, |keys| Progress::Open(Box::new(keys)))
    }
}

fn endpoint(
    identity: &Identity,
    peer_fingerprint: [u8; 32],
    profile: SrtpProtectionProfile,
) -> anyhow::Result<Endpoint> {
    let config = Arc::new(identity.handshake_config(peer_fingerprint, profile)?);
    Ok(Endpoint::new(PLACEHOLDER, TransportProtocol::UDP, Some(config)))
}

/// Ends this participant's handshake at once.
fn is_fatal(error: &Error) -> bool {
    matches!(error, Error::ErrFingerprintMismatch | Error::ErrAlertFatalOrClose)
}

/// The other side of a handshake, for [`Identity::warm_up`] and tests.
struct Client {
    endpoint: Endpoint,
}

impl Client {
    fn new(identity: &Identity, server: [u8; 32], profiles: &[SrtpProtectionProfile]) -> anyhow::Result<Self> {
        let builder = ConfigBuilder::default()
            .with_crypto_provider(identity.crypto())
            .with_certificates(vec![identity.certificate.clone()])
            .with_srtp_protection_profiles(profiles.to_vec())
            .with_extended_master_secret(ExtendedMasterSecretType::Require)
            .with_insecure_skip_verify(true)
            .with_verify_peer_certificate(Some(expect_fingerprint(server)));
        let config = Arc::new(builder.build(true, Some(PLACEHOLDER))?);
        let mut endpoint = Endpoint::new(PLACEHOLDER, TransportProtocol::UDP, None);
        endpoint.connect(Instant::now(), PLACEHOLDER, config, None)?;
        Ok(Self { endpoint })
    }

    /// Carries datagrams between both until the server has keys; `None` when it comes to nothing.
    fn connect(&mut self, server: &mut Handshake) -> Option<Box<(Opener, Sealer)>> {
        let now = Instant::now();
        loop {
            let datagram = self.endpoint.poll_transmit()?;
            let progress = server.handle_datagram(now, &datagram.message);
            while let Some(datagram) = server.next_datagram() {
                // The server tells when it fails.
                let _ = self.endpoint.read(now, PLACEHOLDER, None, datagram);
            }
            match progress {
                Progress::Nothing => {}
                Progress::Open(keys) => return Some(keys),
                Progress::Closed => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: SrtpProtectionProfile = SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32;

    #[test]
    fn both_sides_have_the_same_keys_and_aes_gcm_though_the_client_names_it_last() {
        let identity = Identity::generate().unwrap();
        let mut server = Handshake::new(&identity, identity.fingerprint).unwrap();
        let mut client = Client::new(&identity, identity.fingerprint, &[CM, GCM]).unwrap();
        let (mut opener, _) = *client.connect(&mut server).expect("keys");
        let state = client.endpoint.get_connection_state(PLACEHOLDER).unwrap();
        let material = state.export_keying_material("EXTRACTOR-dtls_srtp", &[], KEYING_MATERIAL_BYTES).unwrap();
        let bytes: &[u8] = material.as_ref();
        let (_, mut sealer) = srtp::tests::client(bytes.try_into().unwrap());
        let mut packet = vec![0x80, 201, 0, 1, 0, 0, 0, 1];
        sealer.seal_rtcp(&mut packet, 0);
        assert!(opener.open_rtcp(&mut packet).is_ok());
    }

    #[test]
    fn another_certificate_than_the_offers_gets_no_keys() {
        let (identity, other) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        let mut server = Handshake::new(&identity, other.fingerprint).unwrap();
        let mut client = Client::new(&identity, identity.fingerprint, &[GCM]).unwrap();
        assert!(client.connect(&mut server).is_none());
    }

    #[test]
    fn a_device_without_aes_gcm_connects_by_its_first_hello() {
        let identity = Identity::generate().unwrap();
        let mut server = Handshake::new(&identity, identity.fingerprint).unwrap();
        let mut client = Client::new(&identity, identity.fingerprint, &[CM]).unwrap();
        let (_, sealer) = *client.connect(&mut server).expect("keys");
        let state = client.endpoint.get_connection_state(PLACEHOLDER).unwrap();
        assert_eq!(state.srtp_protection_profile(), CM);
        let material = state.export_keying_material("EXTRACTOR-dtls_srtp", &[], CM_KEYING_MATERIAL_BYTES).unwrap();
        let mut material: [u8; CM_KEYING_MATERIAL_BYTES] = material.as_ref().try_into().unwrap();
        // Seen from the device, what the server seals is what comes.
        material.copy_within(16..32, 0);
        material.copy_within(46..60, 32);
        let (opener, _) = srtp::from_cm_keying_material(&material);
        let mut packet = vec![0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 42, 7, 7, 7];
        sealer.seal_rtp(&mut packet, 0, 12, 42, 1);
        assert_eq!(opener.open_rtp(&mut packet, 12, 42, 1), Ok(15));
    }

    #[test]
    fn a_client_with_nothing_but_a_short_tag_gets_no_keys() {
        let identity = Identity::generate().unwrap();
        let mut server = Handshake::new(&identity, identity.fingerprint).unwrap();
        let mut client = Client::new(&identity, identity.fingerprint, &[SHORT]).unwrap();
        assert!(client.connect(&mut server).is_none());
    }

    #[test]
    fn a_goodbye_is_heard() {
        let identity = Identity::generate().unwrap();
        let mut server = Handshake::new(&identity, identity.fingerprint).unwrap();
        let mut client = Client::new(&identity, identity.fingerprint, &[GCM]).unwrap();
        client.connect(&mut server).expect("keys");
        while client.endpoint.poll_transmit().is_some() {}
        client.endpoint.stop(Instant::now(), PLACEHOLDER);
        let goodbye = client.endpoint.poll_transmit().expect("close_notify").message;
        assert!(matches!(server.handle_datagram(Instant::now(), &goodbye), Progress::Closed));
    }

    #[test]
    fn noise_ends_nothing() {
        let identity = Identity::generate().unwrap();
        let mut server = Handshake::new(&identity, identity.fingerprint).unwrap();
        for noise in [&[22_u8, 254, 253][..], &[22; 80], &[20; 14], &[63; 1_400]] {
            assert!(matches!(server.handle_datagram(Instant::now(), noise), Progress::Nothing));
        }
        let mut client = Client::new(&identity, identity.fingerprint, &[GCM]).unwrap();
        assert!(client.connect(&mut server).is_some());
    }
}
