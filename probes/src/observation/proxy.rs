//! What proxies apply and what they say.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::http::HttpFailure;
use super::{Outcome, Timing};

/// The proxy that applies to an endpoint. Credentials are never part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxyChoice {
    /// `http://host:port`, without credentials.
    pub url: String,
    /// Where it is set: `--proxy`, or the name of an environment variable.
    pub source: String,
    /// It comes with credentials (which are used, never shown).
    pub has_credentials: bool,
}

/// A proxy's answer to `CONNECT name:port`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tunnel {
    /// [`crate::plan::Endpoint::id`].
    pub endpoint: String,
    /// The proxy.
    pub proxy: ProxyChoice,
    /// The proxy's address.
    pub address: Option<SocketAddr>,
    /// When and how long.
    #[serde(flatten)]
    pub timing: Timing,
    /// Seen is the status (200); any other status is a failure.
    #[serde(flatten)]
    pub outcome: Outcome<u16, TunnelFailure>,
}

/// Why there is no tunnel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TunnelFailure {
    /// The proxy's name has no address.
    NoAddress,
    /// 407, with the schemes it offers (names only).
    WantsCredentials(Vec<String>),
    /// Any other status: the proxy denies, or could not reach the name.
    Status(u16),
    /// This program speaks to proxies over plain HTTP only; the scheme is named (`socks5`, `https`). Nothing was sent.
    UnsupportedScheme(String),
    /// No HTTP answer.
    NoAnswer(HttpFailure),
}
