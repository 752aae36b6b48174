//! DNS answers: the operating system's own lookups and single questions to single servers.

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
    /// Addresses in the system's order of preference, without duplicates, at most [`MAX_RECORDS`].
    pub addresses: Vec<IpAddr>,
    /// The canonical name, if the system tells one that differs from the question.
    pub canonical: Option<String>,
    /// How many further addresses there were.
    #[serde(default, skip_serializing_if = "is_none")]
    pub more: usize,
}

impl Found {
    /// Without the addresses beyond [`MAX_RECORDS`], which are counted.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.more += self.addresses.len().saturating_sub(MAX_RECORDS);
        self.addresses.truncate(MAX_RECORDS);
        self
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_none(count: &usize) -> bool {
    *count == 0
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
    /// Why it was asked, and how. Versions before 0.2.0 recorded none.
    #[serde(default, skip_serializing_if = "Purpose::is_name")]
    pub purpose: Purpose,
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

/// Why a question is asked, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// A name or a zone that is looked at, asked the way this machine asks.
    #[default]
    Name,
    /// The AMPLS record behind a name, asked for directly and with checking disabled: dnsmasq keeps no such answer, so that the
    /// public name is not answered from it later.
    Record,
    /// A name below an AMPLS zone that nobody has. A server that has an address for it invents answers.
    Canary,
    /// A name that is never private. Where it is, something makes addresses up.
    Control,
    /// A name that failed, with checking disabled (RFC 4035 3.2.2): an answer now means that validation refused it.
    Unchecked,
    /// A name that failed, with EDNS, by which a server may say why (RFC 8914).
    Reason,
    /// A name that failed with EDNS, without it: an answer now means that the server or something on the way drops EDNS.
    WithoutEdns,
}

impl Purpose {
    /// It is about a name or zone that is looked at.
    pub fn is_name(&self) -> bool {
        *self == Self::Name
    }
}

/// What a question goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// DNS over UDP.
    Udp,
    /// DNS over TCP.
    Tcp,
    /// DNS over TLS.
    Tls,
    /// DNS over HTTPS.
    Https,
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
    /// How many further records it had.
    #[serde(default, skip_serializing_if = "is_none")]
    pub more: usize,
    /// The SOA of the authority section, which says who denies a name.
    pub authority: Option<Authority>,
    /// Datagrams sent until the answer came: more than one means loss or a slow server.
    pub sent: u32,
    /// The SOA of the additional section, where response policies sign what they changed.
    /// Source: <https://datatracker.ietf.org/doc/html/draft-vixie-dnsop-dns-rpz-00>
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Authority>,
    /// Why the server answers so, in its own words (RFC 8914), at most [`MAX_EXTENDED`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extended: Vec<ExtendedError>,
}

/// An extended DNS error (RFC 8914).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtendedError {
    /// The code by the IANA registry.
    pub code: u16,
    /// The server's own text, cut at [`MAX_TEXT`] characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

/// Extended errors kept of one answer.
pub const MAX_EXTENDED: usize = 4;
/// Characters kept of an extended error's text.
pub const MAX_TEXT: usize = 200;

impl Response {
    /// The names that the CNAME records lead to from `name` on, without `name` itself. The order of the records does not
    /// matter; a loop ends where it closes.
    pub fn chain(&self, name: &str) -> Vec<&str> {
        let mut chain: Vec<&str> = Vec::new();
        let mut owner = name;
        while let Some(target) = self.target(owner) {
            if target == name || chain.contains(&target) {
                break;
            }
            chain.push(target);
            owner = target;
        }
        chain
    }

    /// The addresses that belong to `name` or to the end of its chain.
    pub fn addresses(&self, name: &str) -> Vec<IpAddr> {
        let chain = self.chain(name);
        let owner = chain.last().copied().unwrap_or(name);
        self.records.iter().filter(|record| record.owner == owner).filter_map(Record::address).collect()
    }

    /// Who owns the addresses: the end of the chain; `None` without addresses.
    pub fn address_owner(&self, name: &str) -> Option<&str> {
        let chain = self.chain(name);
        let owner = chain.last().copied().unwrap_or(name);
        let owns = |record: &&Record| record.owner == owner && record.address().is_some();
        self.records.iter().find(owns).map(|record| record.owner.as_str())
    }

    fn target(&self, owner: &str) -> Option<&str> {
        self.records.iter().find_map(|record| match &record.data {
            RecordData::Cname(target) if record.owner == owner => Some(target.as_str()),
            _ => None,
        })
    }
}

/// Records kept of one answer section, and addresses of one lookup; the rest is counted.
pub const MAX_RECORDS: usize = 64;

/// The response codes that are distinguished (RFC 1035, RFC 2136, RFC 6895).
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

impl Record {
    /// The address of an A or AAAA record.
    pub fn address(&self) -> Option<IpAddr> {
        match self.data {
            RecordData::A(address) => Some(address.into()),
            RecordData::Aaaa(address) => Some(address.into()),
            _ => None,
        }
    }
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
    /// The datagram could not be sent, or the host reported that nobody listens (connected socket, ICMP).
    Unreachable(IoFailure),
    /// The answer carries our id but is not a DNS message for our question.
    Malformed,
    /// The UDP answer was truncated and TCP did not give the rest: `None` is a time-out of TCP.
    Truncated(Option<IoFailure>),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(records: &[(&str, RecordData)]) -> Response {
        Response {
            code: ResponseCode::NoError,
            transport: Transport::Udp,
            truncated: false,
            authoritative: false,
            recursion_available: true,
            records: records
                .iter()
                .map(|(owner, data)| Record { owner: (*owner).to_owned(), ttl: 60, data: data.clone() })
                .collect(),
            more: 0,
            authority: None,
            sent: 1,
            policy: None,
            extended: Vec::new(),
        }
    }

    fn cname(target: &str) -> RecordData {
        RecordData::Cname(target.to_owned())
    }

    fn a(last: u8) -> RecordData {
        RecordData::A(Ipv4Addr::new(10, 0, 0, last))
    }

    #[test]
    fn chain_is_followed_by_owner_whatever_the_order() {
        let response = response(&[("c", a(1)), ("b", cname("c")), ("stray", a(9)), ("a", cname("b"))]);
        assert_eq!(response.chain("a"), ["b", "c"]);
        assert_eq!(response.addresses("a"), [IpAddr::from([10, 0, 0, 1])]);
        assert_eq!(response.address_owner("a"), Some("c"));
    }

    #[test]
    fn name_without_alias_owns_its_addresses() {
        let response = response(&[("a", a(1)), ("a", a(2))]);
        assert!(response.chain("a").is_empty());
        assert_eq!(response.addresses("a").len(), 2);
        assert_eq!(response.address_owner("a"), Some("a"));
    }

    #[test]
    fn loop_ends_and_has_no_address() {
        let response = response(&[("a", cname("b")), ("b", cname("c")), ("c", cname("a"))]);
        assert_eq!(response.chain("a"), ["b", "c"]);
        assert!(response.addresses("a").is_empty());
        assert_eq!(response.address_owner("a"), None);
    }

    #[test]
    fn alias_of_itself_is_no_chain() {
        assert!(response(&[("a", cname("a"))]).chain("a").is_empty());
    }
}
