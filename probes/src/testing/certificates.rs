//! How a handshake goes, by its meaning.

use std::net::SocketAddr;

use jiff::Timestamp;

use crate::observation::{
    Certificate, ChainVerdict, Handshake, NameVerdict, Outcome, Session, Timing, TlsFailure, Validity, Verification,
};

/// A handshake and its certificates.
#[derive(Clone, Debug, PartialEq)]
pub struct Tls {
    /// How it ends.
    pub outcome: Outcome<Session, TlsFailure>,
    /// The chain presented, leaf first.
    pub chain: Vec<Certificate>,
    /// What it proves.
    pub verification: Option<Verification>,
}

impl Tls {
    /// A public chain for this name, trusted by the machine.
    pub fn good(name: &str) -> Self {
        let verification = Verification {
            machine: ChainVerdict::Trusted,
            public: ChainVerdict::Trusted,
            name: NameVerdict::Matches,
            validity: Validity::Valid,
            fetches: false,
            system: None,
        };
        let intermediate = "CN=Microsoft Azure RSA TLS Issuing CA 03,O=Microsoft Corporation,C=US";
        Self {
            outcome: Outcome::Seen(Session {
                version: "TLSv1.3".to_owned(),
                cipher: "TLS13_AES_256_GCM_SHA384".to_owned(),
                alpn: Some("http/1.1".to_owned()),
            }),
            chain: vec![
                certificate(&format!("CN={name}"), intermediate),
                certificate(intermediate, "CN=DigiCert Global Root G2,OU=www.digicert.com,O=DigiCert Inc,C=US"),
            ],
            verification: Some(verification),
        }
    }

    /// A chain of this issuer, unknown to the public roots; `trusted` by the machine or not.
    pub fn intercepted(name: &str, issuer: &str, trusted: bool) -> Self {
        let machine = if trusted { ChainVerdict::Trusted } else { ChainVerdict::UnknownIssuer };
        let mut tls = Self::good(name).verdict(|verification| {
            verification.public = ChainVerdict::UnknownIssuer;
            verification.machine = machine;
        });
        let mut leaf = certificate(&format!("CN={name}"), issuer);
        leaf.names_issuer_url = false;
        tls.chain = vec![leaf, certificate(issuer, issuer)];
        tls
    }

    /// A handshake that ends without a certificate.
    pub fn failed(outcome: Outcome<Session, TlsFailure>) -> Self {
        Self { outcome, chain: Vec::new(), verification: None }
    }

    /// Changes what the chain proves.
    #[must_use]
    pub fn verdict(mut self, change: impl FnOnce(&mut Verification)) -> Self {
        if let Some(verification) = &mut self.verification {
            change(verification);
        }
        self
    }

    pub(super) fn handshake(self, endpoint: &str, address: SocketAddr, timing: Timing) -> Handshake {
        Handshake {
            endpoint: endpoint.to_owned(),
            address: Some(address),
            timing,
            outcome: self.outcome,
            chain: self.chain,
            verification: self.verification,
        }
    }
}

/// A certificate by subject and issuer.
pub fn certificate(subject: &str, issuer: &str) -> Certificate {
    let name = subject.strip_prefix("CN=").and_then(|rest| rest.split(',').next()).unwrap_or(subject);
    Certificate {
        subject: subject.to_owned(),
        issuer: issuer.to_owned(),
        names: vec![name.to_owned()],
        not_before: Timestamp::from_second(1_780_000_000).ok(),
        not_after: Timestamp::from_second(1_810_000_000).ok(),
        signature: "ecdsa-with-SHA256".to_owned(),
        sha256: "00".repeat(32),
        self_issued: subject == issuer,
        names_issuer_url: subject != issuer,
    }
}
