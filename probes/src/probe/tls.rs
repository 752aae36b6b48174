//! Shakes hands by the public name and records who answered.
//!
//! The handshake is completed whatever the certificate says, so that version, cipher and chain are known also of a peer
//! that is not to be trusted; what the chain proves is worked out afterwards, and a peer that was not verified gets nothing
//! but the handshake. What is asked over a verified connection is not this module's.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Instant;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Context;
use super::tcp::Duplex;
use super::tcp::counted::Counted;
use crate::endpoint::Endpoint;
use crate::observation::tls::MAX_CHAIN;
use crate::observation::{ChainVerdict, Handshake, Outcome, Session, TlsFailure};

mod certificate;
mod failure;
mod verify;

/// What is kept of a certificate.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn certificate_of(der: &[u8]) -> crate::observation::Certificate {
    certificate::read(der)
}

pub use verify::Chains;

/// A connection whose peer was verified.
pub type Verified<S> = TlsStream<Counted<S>>;

/// Shakes hands with the peer at the other end of `stream` by [`Endpoint::fqdn`]. `address` is where the stream leads.
///
/// A stream is given when, and only when, this machine verified chain, name and validity; else the connection is closed.
pub async fn handshake<S: Duplex>(
    ctx: &Context,
    endpoint: &Endpoint,
    address: Option<SocketAddr>,
    stream: S,
) -> (Handshake, Option<Verified<S>>) {
    handshake_offering(ctx, endpoint, address, stream, &["http/1.1"]).await
}

/// The same, and these protocols are offered (RFC 7301).
pub(super) async fn handshake_offering<S: Duplex>(
    ctx: &Context,
    endpoint: &Endpoint,
    address: Option<SocketAddr>,
    stream: S,
    protocols: &[&str],
) -> (Handshake, Option<Verified<S>>) {
    let recorder = Arc::new(Recorder::default());
    let (stream, read) = Counted::new(stream);
    let began = Instant::now();
    let (mut outcome, stream) = match ctx.within(shake(endpoint, &recorder, stream, protocols)).await {
        Ok(Ok(stream)) => (Outcome::Seen(session(&stream)), Some(stream)),
        Ok(Err(error)) => (Outcome::Failed(failure::of(&error, read.seen())), None),
        Err(_) if read.seen().is_not_tls() => (Outcome::Failed(TlsFailure::NotTls), None),
        Err(ended) => (ended.into(), None),
    };
    let timing = ctx.timing(began);
    let chain = recorder.chain();
    let mut verification = None;
    if !chain.is_empty() {
        match ctx.chains.verification(ctx, &chain, &endpoint.fqdn).await {
            Ok(verified) => verification = Some(verified),
            // What is not known of the certificate is not known of the handshake.
            Err(_) if outcome.seen().is_some() => outcome = Outcome::Cancelled,
            Err(_) => {}
        }
    }
    let handshake = Handshake {
        endpoint: endpoint.id.clone(),
        address,
        timing,
        outcome,
        chain: chain.iter().map(|der| certificate::read(der)).collect(),
        verification,
    };
    let stream = stream.filter(|_| handshake.verified());
    (handshake, stream)
}

/// The public roots vouch for the peer as well as this machine's own store.
pub(crate) fn known_to_both(handshake: &Handshake) -> bool {
    let verification = handshake.verification.as_ref();
    verification.is_some_and(|seen| seen.verified() && seen.is_trusted() && seen.public == ChainVerdict::Trusted)
}

async fn shake<S: Duplex>(
    endpoint: &Endpoint,
    recorder: &Arc<Recorder>,
    stream: Counted<S>,
    protocols: &[&str],
) -> io::Result<TlsStream<Counted<S>>> {
    let name = ServerName::try_from(endpoint.fqdn.clone());
    let name = name.map_err(|_| io::Error::other(rustls::Error::UnsupportedNameType))?;
    let config = config(recorder, protocols).map_err(io::Error::other)?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// One configuration a connection: it holds the recorder of that connection, and a resumed session would show no chain.
fn config(recorder: &Arc<Recorder>, protocols: &[&str]) -> Result<ClientConfig, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&PROVIDER))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(recorder) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// The cryptography; given to rustls where it is needed, so that nothing depends on a process-wide default.
static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));

fn session<S>(stream: &TlsStream<S>) -> Session {
    let (_, connection) = stream.get_ref();
    Session {
        version: connection.protocol_version().map_or_else(String::new, version_name),
        cipher: connection.negotiated_cipher_suite().map_or_else(String::new, |suite| cipher_name(suite.suite())),
        alpn: connection.alpn_protocol().map(|protocol| String::from_utf8_lossy(protocol).into_owned()),
    }
}

fn version_name(version: rustls::ProtocolVersion) -> String {
    match version {
        rustls::ProtocolVersion::TLSv1_2 => "TLSv1.2".to_owned(),
        rustls::ProtocolVersion::TLSv1_3 => "TLSv1.3".to_owned(),
        other => format!("{:#06x}", u16::from(other)),
    }
}

/// rustls writes `TLS13_` where IANA writes `TLS_`.
fn cipher_name(suite: rustls::CipherSuite) -> String {
    format!("{suite:?}").replacen("TLS13_", "TLS_", 1)
}

/// Takes down the chain that is presented and trusts nobody: [`verify::verification`] judges the chain afterwards. The
/// handshake's signature is verified as ever, so the peer does hold the key of the certificate.
#[derive(Debug, Default)]
struct Recorder {
    chain: Mutex<Vec<CertificateDer<'static>>>,
}

impl Recorder {
    fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let presented = std::iter::once(end_entity).chain(intermediates).take(MAX_CHAIN);
        let chain = presented.map(|der| der.clone().into_owned()).collect();
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) = chain;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &PROVIDER.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &PROVIDER.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        PROVIDER.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
