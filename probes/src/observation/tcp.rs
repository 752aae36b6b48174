//! How TCP connections ended.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::{Outcome, Timing};

/// One connection attempt to one address of an endpoint, or of the proxy that applies to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    /// [`crate::endpoint::Endpoint::id`].
    pub endpoint: String,
    /// The address and port that was connected to; for a skip without address, `None`.
    pub address: Option<SocketAddr>,
    /// The proxy this connection goes to, without credentials, e.g. `http://10.0.0.9:3128`; `None` when direct.
    pub via: Option<String>,
    /// When and how long.
    #[serde(flatten)]
    pub timing: Timing,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome<Connected, IoFailure>,
}

/// An established connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connected {
    /// Our own end.
    pub local: Option<SocketAddr>,
}

/// Network failures by what they mean, from `io::ErrorKind` and the platform's error code, never from text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IoFailure {
    /// A RST in answer to the SYN: nobody listens, or a firewall rejects with reset.
    Refused,
    /// The connection existed and was reset.
    Reset,
    /// Closed by the peer where more was due.
    Closed,
    /// ICMP host unreachable, or a firewall that answers `admin-prohibited`.
    HostUnreachable,
    /// No route on this machine, or ICMP network unreachable.
    NetworkUnreachable,
    /// This machine's own firewall or policy (EPERM, EACCES, WSAEACCES).
    NotPermitted,
    /// No local address or port could be used.
    NoLocalAddress,
    /// The process may open no more sockets (EMFILE, ENFILE, WSAEMFILE).
    NoSockets,
    /// The kernel gave up waiting (ETIMEDOUT).
    KernelTimeout,
    /// Any other code of the platform.
    Code(Option<i32>),
}
