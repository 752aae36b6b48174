//! What a DNS server says of a name.

use std::net::IpAddr;

use super::{ip, names};
use crate::observation::{
    Authority, DnsFailure, Found, IoFailure, LookupFailure, Outcome, Record, RecordData, RecordKind, Response,
    ResponseCode, Transport,
};

/// An answer by its meaning. Addresses are text so that a test reads well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// The alias of the name, and this address in a record of the alias itself.
    Private(&'static str),
    /// The public chain: the alias, then Microsoft's front end with this address.
    Public(&'static str),
    /// This address without any alias.
    Plain(&'static str),
    /// The public chain with an IPv4 and an IPv6 address.
    Dual(&'static str, &'static str),
    /// The alias, which a private zone denies.
    DeniedByPrivateZone,
    /// The alias, denied without a word on who denies it.
    DeniedAnonymously,
    /// The public name does not exist, and nobody says who denies it.
    Unsigned,
    /// The public name does not exist, says Microsoft.
    NoSuchName,
    /// The name does not exist, says somebody's own zone.
    DeniedLocally,
    /// It exists without an address, says Microsoft.
    NoData,
    /// It exists without an address, and nobody says who denies one: what a filter leaves of a private answer.
    Withheld,
    /// Azure's DNS security policy blocks it.
    BlockedByPolicy,
    /// SERVFAIL.
    ServFail,
    /// REFUSED.
    Refused,
    /// Something that is not a DNS message.
    Malformed,
    /// Nothing.
    Silence,
    /// The port is closed.
    Closed,
    /// A truncated answer, and TCP is dropped.
    Truncated,
    /// The run ended first.
    Unfinished,
    /// SOA of an Azure private zone.
    PrivateZone,
    /// Microsoft's public SOA, in the authority section.
    PublicZone,
    /// SOA of somebody's own zone.
    LocalZone,
}

impl Says {
    /// The answer to one question.
    pub(crate) fn answer(&self, name: &str, kind: RecordKind) -> Outcome<Response, DnsFailure> {
        let alias = names::alias(name);
        let front = "front-a.westeurope.cloudapp.azure.com";
        let aliased = |rest: Vec<Record>| {
            let mut records = vec![record(name, RecordData::Cname(alias.clone()))];
            records.extend(rest);
            records
        };
        let of_kind = |owner: &str, text: &str| address(owner, ip(text), kind);
        let public = |texts: &[&str]| {
            let mut rest = vec![record(&alias, RecordData::Cname(front.to_owned()))];
            rest.extend(texts.iter().flat_map(|text| of_kind(front, text)));
            response(ResponseCode::NoError, if alias == name { rest } else { aliased(rest) }, None)
        };
        let seen = match self {
            Self::Private(text) if alias == name => response(ResponseCode::NoError, of_kind(name, text), None),
            Self::Private(text) => response(ResponseCode::NoError, aliased(of_kind(&alias, text)), None),
            Self::Public(text) => public(&[text]),
            Self::Dual(v4, v6) => public(&[v4, v6]),
            Self::Plain(text) => response(ResponseCode::NoError, of_kind(name, text), None),
            Self::DeniedByPrivateZone => response(ResponseCode::NxDomain, aliased(Vec::new()), Some(private(&alias))),
            Self::DeniedAnonymously => response(ResponseCode::NxDomain, aliased(Vec::new()), None),
            Self::Unsigned => response(ResponseCode::NxDomain, Vec::new(), None),
            Self::NoSuchName => response(ResponseCode::NxDomain, Vec::new(), Some(microsoft("opinsights.azure.com"))),
            Self::DeniedLocally => response(ResponseCode::NxDomain, Vec::new(), Some(local("azure.com"))),
            Self::NoData => response(ResponseCode::NoError, Vec::new(), Some(microsoft("opinsights.azure.com"))),
            Self::Withheld => response(ResponseCode::NoError, Vec::new(), None),
            Self::BlockedByPolicy => {
                let blocked = RecordData::Cname("blockpolicy.azuredns.invalid".to_owned());
                response(ResponseCode::NxDomain, vec![record(name, blocked)], None)
            }
            Self::ServFail => response(ResponseCode::ServFail, Vec::new(), None),
            Self::Refused => response(ResponseCode::Refused, Vec::new(), None),
            Self::Malformed => return Outcome::Failed(DnsFailure::Malformed),
            Self::Silence => return Outcome::TimedOut,
            Self::Closed => return Outcome::Failed(DnsFailure::Unreachable(IoFailure::Refused)),
            Self::Truncated => return Outcome::Failed(DnsFailure::Truncated(None)),
            Self::Unfinished => return Outcome::Cancelled,
            Self::PrivateZone => {
                let soa = Authority { zone: name.to_owned(), ..private(name) };
                response(ResponseCode::NoError, vec![record(name, RecordData::Soa(soa))], None)
            }
            Self::LocalZone => response(ResponseCode::NoError, vec![record(name, RecordData::Soa(local(name)))], None),
            Self::PublicZone => {
                let parent = name.strip_prefix("privatelink.").unwrap_or(name);
                response(ResponseCode::NoError, Vec::new(), Some(microsoft(parent)))
            }
        };
        Outcome::Seen(seen)
    }

    /// What the operating system makes of it.
    pub(crate) fn lookup(&self) -> Outcome<Found, LookupFailure> {
        let found = |texts: &[&str]| {
            Outcome::Seen(Found { addresses: texts.iter().map(|text| ip(text)).collect(), canonical: None, more: 0 })
        };
        match self {
            Self::Private(text) | Self::Public(text) | Self::Plain(text) => found(&[text]),
            Self::Dual(v4, v6) => found(&[v4, v6]),
            Self::ServFail | Self::Refused | Self::Closed | Self::Truncated => Outcome::Failed(LookupFailure::TryAgain),
            Self::Silence => Outcome::TimedOut,
            Self::Unfinished => Outcome::Cancelled,
            _ => Outcome::Failed(LookupFailure::NotFound),
        }
    }
}

fn response(code: ResponseCode, records: Vec<Record>, authority: Option<Authority>) -> Response {
    Response {
        code,
        transport: Transport::Udp,
        truncated: false,
        authoritative: false,
        recursion_available: true,
        records,
        more: 0,
        authority,
        sent: 1,
        policy: None,
        extended: Vec::new(),
    }
}

fn record(owner: &str, data: RecordData) -> Record {
    Record { owner: owner.to_owned(), ttl: 10, data }
}

fn address(owner: &str, address: IpAddr, kind: RecordKind) -> Vec<Record> {
    match (address, kind) {
        (IpAddr::V4(v4), RecordKind::A) => vec![record(owner, RecordData::A(v4))],
        (IpAddr::V6(v6), RecordKind::Aaaa) => vec![record(owner, RecordData::Aaaa(v6))],
        _ => Vec::new(),
    }
}

fn private(alias: &str) -> Authority {
    let zone = names::ZONES.iter().find(|zone| alias.ends_with(**zone)).copied().unwrap_or(alias);
    Authority {
        zone: zone.to_owned(),
        mname: "azureprivatedns.net".to_owned(),
        rname: "azureprivatedns-host.microsoft.com".to_owned(),
    }
}

fn microsoft(zone: &str) -> Authority {
    Authority {
        zone: zone.to_owned(),
        mname: "ns1-38.azure-dns.com".to_owned(),
        rname: "msnhst.microsoft.com".to_owned(),
    }
}

fn local(zone: &str) -> Authority {
    Authority {
        zone: zone.to_owned(),
        mname: "dc01.corp.example".to_owned(),
        rname: "hostmaster.corp.example".to_owned(),
    }
}
