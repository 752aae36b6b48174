//! World files: private zones, DNS servers, the machine's resolver.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::Deserialize;

use super::yes;

/// The private zones one virtual network sees.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Vnet {
    /// Zones linked to it, with a record for every name of this world: `monitor`, `oms`, `ods`, `agentsvc`, `blob`.
    pub linked: Vec<String>,
    /// Linked zones without any record.
    pub empty: Vec<String>,
    /// Zones linked with fallback to internet.
    pub fallback: Vec<String>,
    /// Names without a record in their zone.
    pub missing: Vec<String>,
    /// Addresses that differ from the usual ones, by public name.
    pub records: BTreeMap<String, Vec<IpAddr>>,
    /// The subnet of the private endpoint.
    pub endpoints: IpNet,
}

impl Default for Vnet {
    fn default() -> Self {
        Self {
            linked: ["monitor", "oms", "ods", "agentsvc", "blob"].map(str::to_owned).to_vec(),
            empty: Vec::new(),
            fallback: Vec::new(),
            missing: Vec::new(),
            records: BTreeMap::new(),
            endpoints: IpNet::new_assert([10, 1, 2, 0].into(), 24),
        }
    }
}

/// A DNS server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Server {
    /// Its address; port 53.
    pub address: IpAddr,
    /// Where its answers come from.
    #[serde(default)]
    pub resolves: View,
    /// Where answers for names below a suffix come from instead; the longest suffix decides.
    #[serde(default)]
    pub forward: BTreeMap<String, View>,
    /// What is wrong with it.
    pub fault: Option<ServerFault>,
    /// The fault concerns names below these suffixes only; empty means all.
    #[serde(default)]
    pub fault_below: Vec<String>,
    /// The fault ends so many milliseconds after the world began.
    pub recovers_after_ms: Option<u64>,
    /// Added to every answer, in milliseconds.
    #[serde(default)]
    pub delay_ms: u64,
    /// Zones it serves itself: split-brain DNS.
    #[serde(default, rename = "zone")]
    pub zones: Vec<LocalZone>,
    /// The machine's resolver configuration names it.
    #[serde(default = "yes")]
    pub configured: bool,
}

/// Where a DNS server's answers come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum View {
    /// This virtual network.
    #[default]
    Azure,
    /// The other one.
    Hub,
    /// Public DNS.
    Public,
}

/// What can be wrong with a DNS server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerFault {
    /// Nothing comes back.
    Silent,
    /// Nobody listens on port 53.
    Closed,
    /// ICMP host unreachable.
    HostUnreachable,
    /// SERVFAIL.
    Servfail,
    /// REFUSED.
    Refused,
    /// FORMERR.
    Formerr,
    /// NXDOMAIN without an authority.
    Nxdomain,
    /// UDP answers are truncated, TCP gives the rest.
    Truncated,
    /// UDP answers are truncated, TCP is dropped.
    TruncatedTcpDropped,
    /// Answers are truncated over UDP, and over TCP too.
    TruncatedTwice,
    /// The answer carries the right id and ends in the middle.
    Malformed,
    /// The records of every answer are those of another name.
    Strays,
    /// Every other question is answered from public DNS.
    Flaps,
    /// Every name has the address 0.0.0.0.
    Sinkhole,
    /// Azure's own DNS security policy blocks.
    BlockPolicy,
    /// A chain of aliases that closes.
    Loop,
    /// Answers with private addresses are left empty, as `stop-dns-rebind` of dnsmasq does.
    WithholdsPrivate,
    /// Every name has the address of a filter's page, Cisco Umbrella's.
    BlockPage,
    /// Names that do not exist have the address of a page, 203.0.113.80.
    Invents,
    /// Every name has an address of its own in 100.64.0.0/16, as a VPN client on the way makes them up.
    Synthesises,
    /// A cache like dnsmasq's: a record that was asked for directly is kept, unless checking was disabled, and the public name
    /// answered with it later; the chain of a public name is kept, and the record answered with that.
    KeepsRecords,
    /// SERVFAIL unless checking is disabled; with EDNS it says why.
    Validates,
    /// FORMERR where the question has EDNS.
    RefusesEdns,
    /// Nothing comes back where the question has EDNS.
    DropsEdns,
    /// An SOA of a response policy stands beside the denial.
    Policy,
}

/// A zone of a DNS server's own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LocalZone {
    /// Its name.
    pub name: String,
    /// Addresses by full name.
    #[serde(default)]
    pub records: BTreeMap<String, Vec<IpAddr>>,
    /// Primary server of its SOA.
    #[serde(default = "default_mname")]
    pub mname: String,
    /// Whose name the SOA of a denial bears, in any bytes, where it is not the zone's own.
    #[serde(default)]
    pub denied_by: Option<String>,
}

/// The machine's resolver.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Resolver {
    /// `search`
    pub search: Vec<String>,
    /// `options`, as in `resolv.conf`.
    pub options: Vec<String>,
    /// A systemd-resolved stub stands between programs and the configured servers.
    pub stub: bool,
    /// Answers kept from earlier: programs get these, whatever the servers say.
    pub cached: BTreeMap<String, Vec<IpAddr>>,
}

fn default_mname() -> String {
    "dc1.corp.example".to_owned()
}
