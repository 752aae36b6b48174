//! TLS handshakes.

use std::net::SocketAddr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tcp::IoFailure;
use super::{Outcome, Timing};

/// One handshake with an endpoint, by its public name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Handshake {
    /// [`crate::endpoint::Endpoint::id`].
    pub endpoint: String,
    /// The address it was made with (the proxy's when tunnelled).
    pub address: Option<SocketAddr>,
    /// When and how long.
    #[serde(flatten)]
    pub timing: Timing,
    /// How the handshake itself ended. It can succeed although the certificate is not to be trusted: see `verification`.
    #[serde(flatten)]
    pub outcome: Outcome<Session, TlsFailure>,
    /// The chain the peer presented, leaf first, at most [`MAX_CHAIN`]; also when the handshake failed.
    pub chain: Vec<Certificate>,
    /// What the chain proves; `None` when no certificate came.
    pub verification: Option<Verification>,
}

impl Handshake {
    /// Whether the handshake succeeded and this machine verified chain, validity and name.
    pub fn verified(&self) -> bool {
        self.outcome.seen().is_some() && self.verification.as_ref().is_some_and(Verification::verified)
    }
}

/// Certificates kept of a presented chain.
pub const MAX_CHAIN: usize = 10;

/// An established session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: String,
    /// IANA name of the cipher suite.
    pub cipher: String,
    /// The protocol chosen by ALPN, if any.
    pub alpn: Option<String>,
}

/// Why a handshake failed. A peer that connects and then says nothing is [`Outcome::TimedOut`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsFailure {
    /// The connection was reset or closed after our `ClientHello`, before any TLS record came.
    ClosedAfterClientHello(IoFailure),
    /// The connection was reset or closed later in the handshake.
    ClosedLater(IoFailure),
    /// The peer offers nothing at or above TLS 1.2 (alert `protocol_version`, or an older `ServerHello`).
    ProtocolTooOld,
    /// A fatal alert, by its IANA name (`handshake_failure`, `unrecognized_name`, …).
    Alert(String),
    /// Bytes that are not a TLS record.
    NotTls,
    /// The peer broke the protocol in another way; the text is rustls' name of the error.
    Protocol(String),
    /// The handshake's own signature does not fit the certificate.
    BadSignature,
}

/// One presented certificate. All text is untrusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Subject as RFC 4514 text; empty when the certificate could not be parsed.
    pub subject: String,
    /// Issuer as RFC 4514 text.
    pub issuer: String,
    /// DNS names (and addresses) of the subject alternative name, at most [`MAX_NAMES`].
    pub names: Vec<String>,
    /// Start of validity.
    pub not_before: Option<Timestamp>,
    /// End of validity.
    pub not_after: Option<Timestamp>,
    /// Signature algorithm, by name or OID.
    pub signature: String,
    /// SHA-256 of the DER encoding, lower-case hexadecimal.
    pub sha256: String,
    /// Subject and issuer are the same name.
    pub self_issued: bool,
    /// It names a place to fetch its issuer's certificate (AIA caIssuers), as every certificate of the public web does.
    pub names_issuer_url: bool,
}

/// Subject alternative names kept of one certificate.
pub const MAX_NAMES: usize = 40;

/// What a presented chain proves. Chains are judged at `now` if that lies inside the leaf's validity, else at its nearest
/// end, so that an expired certificate does not hide who issued it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Verification {
    /// Against this machine's own trust store.
    pub machine: ChainVerdict,
    /// Against the public roots (built in, or `--public-roots`).
    pub public: ChainVerdict,
    /// The name.
    pub name: NameVerdict,
    /// The leaf's validity by this machine's clock.
    pub validity: Validity,
    /// The system fetches roots and intermediates when it needs them, so its store says less than it would do.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fetches: bool,
    /// What such a system itself said of the chain; `None` where its stores answer the question, or nobody asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<SystemVerdict>,
}

impl Verification {
    /// This machine trusts the chain, or would once it had fetched what it lacks; the name fits and the certificate is valid now.
    pub fn verified(&self) -> bool {
        let would_be_fetched = self.public == ChainVerdict::Trusted && self.is_undecided();
        let trusted = self.is_trusted() || would_be_fetched;
        trusted && self.name == NameVerdict::Matches && self.validity == Validity::Valid
    }

    /// This machine trusts the chain: its store does, or the system itself says so.
    pub fn is_trusted(&self) -> bool {
        self.machine == ChainVerdict::Trusted
            || (self.depends_on_fetching() && self.system == Some(SystemVerdict::Trusted))
    }

    /// The system was asked, fetched what it could, and knows no way from the chain to a root that it trusts.
    pub fn is_refused(&self) -> bool {
        self.depends_on_fetching() && self.system == Some(SystemVerdict::UnknownIssuer)
    }

    /// The store lacks the root, and the system fetches roots.
    pub fn depends_on_fetching(&self) -> bool {
        self.fetches && self.machine.lacks_root()
    }

    /// Neither store knows where the chain leads, and the system would fetch what is missing: nobody has seen what it thinks.
    pub fn is_open(&self) -> bool {
        self.is_undecided() && self.public.lacks_root()
    }

    /// Only the system could say, and it has not.
    fn is_undecided(&self) -> bool {
        self.depends_on_fetching() && self.system.is_none_or(|said| said == SystemVerdict::Unknown)
    }
}

/// What a system that fetches roots and intermediate certificates says of a chain, whose name and validity are known to be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SystemVerdict {
    /// It trusts it.
    Trusted,
    /// It knows no way to a root that it trusts.
    UnknownIssuer,
    /// It did not say in time, or said something that is not about where the chain leads.
    Unknown,
}

/// Where a chain leads.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChainVerdict {
    /// To a root of the store.
    Trusted,
    /// To no root of the store.
    UnknownIssuer,
    /// A certificate above the leaf is outside its validity.
    Expired,
    /// The chain is broken in another way; the text is the verifier's name of the error.
    Invalid(String),
    /// The store could not be read or is empty.
    NoRoots,
}

impl ChainVerdict {
    /// The store may only be short of the root.
    fn lacks_root(&self) -> bool {
        matches!(self, Self::UnknownIssuer | Self::NoRoots)
    }
}

/// Whether the certificate is for the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NameVerdict {
    /// It is.
    Matches,
    /// It is for other names.
    Other,
    /// The certificate cannot be read.
    Unreadable,
}

/// A leaf's validity by this machine's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Validity {
    /// Now lies inside.
    Valid,
    /// Now is after `not_after`.
    Expired,
    /// Now is before `not_before`.
    NotYetValid,
    /// The certificate cannot be read.
    Unreadable,
}
