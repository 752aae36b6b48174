//! Read-only questions over [`Observations`](ampls_probes::Observations) that rules and the report share.

use std::net::{IpAddr, SocketAddr};

use ampls_probes::observation::{Authority, Connection, Exchange, Handshake, Tunnel};
use ampls_probes::plan::Endpoint;
use serde::{Deserialize, Serialize};

/// Where a name leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Route {
    /// To private addresses only.
    Private,
    /// To public addresses only.
    Public,
    /// To both.
    Mixed,
    /// Nowhere: no address, or sinkholed.
    #[default]
    None,
}

/// Who was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ViewKind {
    /// The operating system's own call.
    System,
    /// A configured server (or one behind a local stub).
    Server,
    /// 168.63.129.16, asked from this machine.
    Azure,
    /// `--resolver`.
    Extra,
}

/// What became of a name in one view, of A and AAAA together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It has an address.
    Ok,
    /// The name does not exist.
    NxDomain,
    /// It exists without an address.
    NoData,
    /// SERVFAIL.
    ServFail,
    /// REFUSED.
    Refused,
    /// FORMERR, NOTIMP.
    FormErr,
    /// Truncated, and TCP did not give the rest.
    Truncated,
    /// No DNS message.
    Malformed,
    /// Silence.
    Timeout,
    /// The server's host or port cannot be reached.
    Unreachable,
    /// The system's own call failed.
    Failed,
    /// The run ended first.
    Cancelled,
    /// Not asked.
    Skipped,
}

/// A name as one view shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Who was asked.
    pub view: ViewKind,
    /// The server, unless it is the system's call.
    pub server: Option<SocketAddr>,
    /// What became of it.
    pub status: Status,
    /// Where it leads.
    pub route: Route,
    /// Addresses, in the order given, without duplicates.
    pub addresses: Vec<IpAddr>,
    /// The chain behind the name: each alias in its order.
    pub cname: Vec<String>,
    /// The smallest TTL of the address records, in seconds.
    pub ttl: Option<u32>,
    /// The fastest try, in milliseconds.
    pub elapsed_ms: u64,
    /// Who denied it: the SOA of a negative answer.
    #[serde(skip)]
    pub authority: Option<Authority>,
}

/// Everything known of one endpoint.
#[derive(Clone, Debug)]
pub struct EndpointFacts<'a> {
    /// The endpoint as planned.
    pub endpoint: &'a Endpoint,
    /// The views: system first, then servers in the system's order, Azure, extra.
    pub views: Vec<View>,
    /// Connections, in the system's order of addresses.
    pub connections: Vec<&'a Connection>,
    /// The proxy's answer, if one was asked.
    pub tunnel: Option<&'a Tunnel>,
    /// The handshake.
    pub handshake: Option<&'a Handshake>,
    /// The request.
    pub exchange: Option<&'a Exchange>,
}

/// Whether a private zone is linked where a server resolves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Linked {
    /// The SOA is that of an Azure private zone.
    Yes,
    /// The SOA is Microsoft's public one.
    No,
    /// Another zone of that name.
    Local,
    /// No answer to judge by.
    Unknown,
}

/// The SOA of one AMPLS zone as one server gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneFact {
    /// The zone.
    pub zone: String,
    /// The server.
    pub server: SocketAddr,
    /// `mname` of the SOA that came (of the zone itself or, in the authority section, of its parent).
    pub soa: Option<String>,
    /// Whether it is linked there.
    pub linked: Linked,
}
