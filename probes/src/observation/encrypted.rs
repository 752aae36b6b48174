//! Names as the resolver gives them that a browser or the system asks encrypted (`--view encrypted`).

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::dns::{RecordKind, Response};
use super::http::HttpFailure;
use super::tcp::IoFailure;
use super::tls::TlsFailure;
use super::{Outcome, Timing};

/// One resolver that was asked encrypted, and what it answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EncryptedView {
    /// The resolver as the settings name it: a URI template, or the address of a server with the name on its certificate.
    pub url: String,
    /// The browsers that ask it, by their ids in the catalogue.
    pub browsers: Vec<String>,
    /// The services of the operating system that ask it.
    pub services: Vec<String>,
    /// How it is asked; `None` where the settings do not say where it is.
    pub protocol: Option<EncryptedProtocol>,
    /// The address that was connected to.
    pub address: Option<SocketAddr>,
    /// When and how long.
    #[serde(flatten)]
    pub timing: Timing,
    /// What it answered, name by name, or why nothing was asked.
    #[serde(flatten)]
    pub outcome: Outcome<Vec<EncryptedAnswer>, EncryptedFailure>,
}

/// How a resolver is asked encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EncryptedProtocol {
    /// DNS over HTTPS (RFC 8484).
    Https,
    /// DNS over TLS (RFC 7858).
    Tls,
}

/// One question to such a resolver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EncryptedAnswer {
    /// The absolute name that was asked for, lower case, without trailing dot.
    pub name: String,
    /// The type that was asked for.
    pub kind: RecordKind,
    /// When and how long.
    #[serde(flatten)]
    pub timing: Timing,
    /// What came back.
    #[serde(flatten)]
    pub outcome: Outcome<Response, EncryptedFailure>,
}

/// Why such a resolver gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EncryptedFailure {
    /// The settings name it in a way that does not say where it is.
    Unknown,
    /// Its name has no address.
    NoAddress,
    /// The connection failed.
    Connect(IoFailure),
    /// The handshake failed.
    Tls(TlsFailure),
    /// This machine does not vouch for its certificate: nothing was asked.
    NotVerified,
    /// The connection ended without an answer.
    Closed(IoFailure),
    /// There is no HTTP answer.
    Http(HttpFailure),
    /// Another status than 200.
    Status(u16),
    /// What came is no DNS answer to the question.
    Malformed,
}

impl EncryptedView {
    /// What it answered, name by name; nothing where it was not asked.
    pub fn answers(&self) -> &[EncryptedAnswer] {
        self.outcome.seen().map_or(&[], Vec::as_slice)
    }

    /// It answered, whatever that was.
    pub fn answered(&self) -> bool {
        self.answers().iter().any(|answer| answer.outcome.seen().is_some())
    }
}
