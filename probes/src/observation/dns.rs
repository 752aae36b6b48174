//! What DNS said: the operating system's own lookups and single questions to single servers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::tcp::IoFailure;
use super::{Outcome, Timing};

/// A name resolved the way programs on this machine resolve it (`getaddrinfo`): hosts file, nsswitch, caches and all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lookup {
    /// The absolute name that was asked for, lower case, without trailing dot.
    pub name: String,
    /// When and how long.
    #[serde(flatten)]
    pub timing: Timing,
    /// What came back.
    #[serde(flatten)]
    pub outcome: Outcome<Found, LookupFailure>,
}

/// What the operating system's lookup gives. It tells neither chain nor TTL nor response code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Addresses in the system's order of preference, without duplicates.
    pub addresses: Vec<IpAddr>,
    /// The canonical name, if the system tells one that differs from the question.
    pub canonical: Option<String>,
}

/// Why the operating system's lookup failed (`EAI_*` of `getaddrinfo`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LookupFailure {
    /// `EAI_NONAME`, `EAI_NODATA`, `WSAHOST_NOT_FOUND`, `WSANO_DATA`: the name does not exist or has no address.
    NotFound,
    /// `EAI_AGAIN`, `WSATRY_AGAIN`: no server answered, or all of them failed. glibc gives it for SERVFAIL, REFUSED and a
    /// failed TCP fallback alike.
    TryAgain,
    /// `EAI_FAIL`, `WSANO_RECOVERY`.
    Failed,
    /// Any other code of the platform.
    Code(i32),
}

/// One question to one server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The server that was asked.
    pub server: SocketAddr,
    /// The absolute name that was asked for, lower case, without trailing dot.
    pub name: String,
    /// The type that was asked for.
    pub kind: RecordKind,
    /// Which try this is, from 0 (`--repeat`).
    pub try_number: u32,
    /// When and how long, over all transports used.
    #[serde(flatten)]
    pub timing: Timing,
    /// What came back.
    #[serde(flatten)]
    pub outcome: Outcome<Response, DnsFailure>,
}

/// Record types that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordKind {
    /// IPv4 address.
    A,
    /// IPv6 address.
    Aaaa,
    /// Start of authority of a zone.
    Soa,
}

/// UDP or TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// DNS over UDP.
    Udp,
    /// DNS over TCP.
    Tcp,
}

/// A well-formed DNS answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// The response code.
    pub code: ResponseCode,
    /// The transport of this answer: TCP when the UDP answer was truncated.
    pub transport: Transport,
    /// The UDP answer had the TC bit.
    pub truncated: bool,
    /// The AA bit.
    pub authoritative: bool,
    /// The RA bit: the server offers recursion.
    pub recursion_available: bool,
    /// The answer section in its order, at most [`MAX_RECORDS`].
    pub records: Vec<Record>,
    /// The SOA of the authority section, which says who denies a name.
    pub authority: Option<Authority>,
    /// Datagrams sent until the answer came: more than one means loss or a slow server.
    pub sent: u32,
}

/// Records kept of one answer section; the rest is dropped.
pub const MAX_RECORDS: usize = 64;

/// The response codes that are told apart (RFC 1035, RFC 2136, RFC 6895).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResponseCode {
    /// NOERROR
    NoError,
    /// FORMERR
    FormErr,
    /// SERVFAIL
    ServFail,
    /// NXDOMAIN
    NxDomain,
    /// NOTIMP
    NotImp,
    /// REFUSED
    Refused,
    /// Any other code.
    Other(u16),
}

/// One record of an answer section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The owner, lower case, without trailing dot.
    pub owner: String,
    /// Time to live in seconds.
    pub ttl: u32,
    /// The data.
    pub data: RecordData,
}

/// The record data that matters here. Names are lower case, without trailing dot, in presentation format (RFC 1035 5.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordData {
    /// A
    A(Ipv4Addr),
    /// AAAA
    Aaaa(Ipv6Addr),
    /// CNAME
    Cname(String),
    /// SOA
    Soa(Authority),
    /// Anything else, by its type number.
    Other(u16),
}

/// A start of authority. Azure's private zones have `mname` `azureprivatedns.net`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// The zone: the owner of the SOA.
    pub zone: String,
    /// Primary server.
    pub mname: String,
    /// Mailbox of the person in charge, as a domain name.
    pub rname: String,
}

/// Why a question to a server has no well-formed answer. A silent server is [`Outcome::TimedOut`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DnsFailure {
    /// The datagram could not be sent, or the host said that nobody listens (connected socket, ICMP).
    Unreachable(IoFailure),
    /// The answer carries our id but is no DNS message for our question.
    Malformed,
    /// The UDP answer was truncated and TCP did not give the rest: `None` is a time-out of TCP.
    Truncated(Option<IoFailure>),
}
