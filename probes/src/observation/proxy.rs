//! What proxies apply and what they say.

use std::net::{IpAddr, SocketAddr};

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

/// What this program's own environment says about proxies. It is the environment of the user who started the program; agents
/// that run as services have their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxySettings {
    /// When and how long.
    #[serde(flatten)]
    pub timing: Timing,
    /// The proxies that variables name, by variable.
    pub variables: Vec<ProxyChoice>,
    /// The names and addresses that go without a proxy.
    pub exempt: Option<Exemptions>,
    /// The platform's own addresses, and the proxy that would take `http://` requests to each.
    pub platform: Vec<PlatformProxy>,
}

/// The value of `NO_PROXY`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exemptions {
    /// The variable, as set.
    pub source: String,
    /// Its value, at most [`MAX_EXEMPT`] characters. Untrusted.
    pub names: String,
}

/// Characters kept of `NO_PROXY`.
pub const MAX_EXEMPT: usize = 1024;

/// An address of the Azure platform that must be reached without a proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformProxy {
    /// 169.254.169.254 or 168.63.129.16.
    pub address: IpAddr,
    /// The proxy that would take it; `None` when it is exempt or none is set.
    pub proxy: Option<ProxyChoice>,
}

/// A proxy's answer to `CONNECT name:port`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tunnel {
    /// [`crate::endpoint::Endpoint::id`].
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
