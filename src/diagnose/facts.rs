//! Read-only questions over [`Observations`] that rules and the report share.
//!
//! [`Facts`] indexes the observations once; what it answers is derived from them alone and does not depend on the order in
//! which they were recorded. It decides what an address, a name and a zone *are*; whether that is a fault is for the rules.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::LazyLock;

use ampls_probes::catalogue::sinkholes::Sinkholes;
use ampls_probes::endpoint::{Endpoint, Expect, Need};
use ampls_probes::observation::{
    Answer, Authority, Connection, Exchange, Handshake, Hosts, HostsEntry, Instance, Lookup, Observation, Outcome,
    Purpose, RecordKind, Resolver, Segments, Server, ServerRole, Timing, Tunnel,
};
use ampls_probes::{Observations, addr};
use ipnet::IpNet;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use agents::{agent_line, workspace_lines};
pub use control::{Dialogue, control};
pub use encrypted::Answers;
pub use evidence::{certificate_line, route_word};
pub use forwarding::LeftOut;
pub use http::HttpFault;
pub use path::{ConnectFault, Path, complete};
pub use platform::ClockOffset;
pub use proxy::ProxyFault;
pub use segments::{BlackHole, Sizes, bytes};
pub use servers::Authorities;
pub use tls::TlsFault;
pub use view::Status;

mod agents;
mod browsers;
mod control;
pub mod delivery;
mod encrypted;
mod evidence;
mod expect;
mod forwarding;
mod habits;
mod http;
mod path;
mod platform;
mod proxy;
mod registry;
mod segments;
mod servers;
pub mod sources;
mod tls;
mod view;
mod zone;

/// Everything one run saw, indexed for questions.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    observations: &'a Observations,
    own_ranges: Vec<IpNet>,
    answers: BTreeMap<&'a str, BTreeMap<(SocketAddr, RecordKind), Vec<&'a Answer>>>,
    answers_of: BTreeMap<SocketAddr, Vec<&'a Answer>>,
    further: BTreeMap<(SocketAddr, Purpose), Vec<&'a Answer>>,
    inventing: BTreeMap<SocketAddr, BTreeSet<IpAddr>>,
    lookups: BTreeMap<&'a str, &'a Lookup>,
    resolver: Option<&'a Resolver>,
    hosts: Option<&'a Hosts>,
    hosts_entries: BTreeMap<&'a str, Vec<&'a HostsEntry>>,
    asked_servers: BTreeSet<SocketAddr>,
    resolving: Vec<SocketAddr>,
    resolving_set: BTreeSet<SocketAddr>,
    flapping: BTreeSet<SocketAddr>,
    instance: Option<&'a Instance>,
    endpoints: Vec<EndpointFacts<'a>>,
    named: BTreeMap<&'a str, Vec<usize>>,
    zones: Vec<ZoneFact>,
    links: BTreeMap<String, BTreeMap<SocketAddr, Linked>>,
    left_out: BTreeMap<SocketAddr, Vec<(usize, LeftOut)>>,
}

/// The steps on the way to one endpoint.
#[derive(Debug, Default)]
struct Way<'a> {
    connections: Vec<&'a Connection>,
    tunnel: Option<&'a Tunnel>,
    handshake: Option<&'a Handshake>,
    exchange: Option<&'a Exchange>,
    segments: Option<&'a Segments>,
}

impl<'a> Facts<'a> {
    /// Indexes what was seen.
    pub fn new(observations: &'a Observations) -> Self {
        let mut facts = Self {
            observations,
            own_ranges: Vec::new(),
            answers: BTreeMap::new(),
            answers_of: BTreeMap::new(),
            further: BTreeMap::new(),
            inventing: BTreeMap::new(),
            lookups: BTreeMap::new(),
            resolver: None,
            hosts: None,
            hosts_entries: BTreeMap::new(),
            asked_servers: BTreeSet::new(),
            resolving: Vec::new(),
            resolving_set: BTreeSet::new(),
            flapping: BTreeSet::new(),
            instance: None,
            endpoints: Vec::new(),
            named: BTreeMap::new(),
            zones: Vec::new(),
            links: BTreeMap::new(),
            left_out: BTreeMap::new(),
        };
        let mut ways: BTreeMap<&str, Way<'a>> = BTreeMap::new();
        for observation in &observations.seen {
            match observation {
                Observation::Answer(answer) if !answer.purpose.is_name() => {
                    facts.further.entry((answer.server, answer.purpose)).or_default().push(answer);
                }
                Observation::Answer(answer) => {
                    let of_name = facts.answers.entry(answer.name.as_str()).or_default();
                    of_name.entry((answer.server, answer.kind)).or_default().push(answer);
                }
                Observation::Lookup(lookup) => {
                    facts.lookups.insert(&lookup.name, lookup);
                }
                Observation::Resolver(resolver) => facts.resolver = Some(resolver),
                Observation::Hosts(hosts) => facts.hosts = Some(hosts),
                Observation::Metadata(metadata) => facts.instance = metadata.outcome.seen(),
                Observation::Connection(seen) => ways.entry(&seen.endpoint).or_default().connections.push(seen),
                Observation::Tunnel(seen) => ways.entry(&seen.endpoint).or_default().tunnel = Some(seen),
                Observation::Handshake(seen) => ways.entry(&seen.endpoint).or_default().handshake = Some(seen),
                Observation::Exchange(seen) => ways.entry(&seen.endpoint).or_default().exchange = Some(seen),
                Observation::Segments(seen) => ways.entry(&seen.endpoint).or_default().segments = Some(seen),
                _ => {}
            }
        }
        for tries in facts.answers.values_mut().flat_map(BTreeMap::values_mut) {
            tries.sort_by_key(|answer| answer.try_number);
        }
        for ((server, _), tries) in facts.answers.values().flatten() {
            facts.answers_of.entry(*server).or_default().extend(tries);
        }
        let entries = facts.hosts.and_then(|hosts| hosts.outcome.seen()).map(|file| file.entries.as_slice());
        for entry in entries.unwrap_or_default() {
            facts.hosts_entries.entry(&entry.name).or_default().push(entry);
        }
        for further in facts.further.values_mut() {
            further.sort_by(|one, other| (&one.name, one.kind).cmp(&(&other.name, other.kind)));
        }
        facts.asked_servers = facts.servers().iter().map(|server| server.address).collect();
        facts.own_ranges = own_ranges(observations, facts.instance);
        facts.inventing = facts.find_inventing();
        facts.endpoints = observations.endpoints.iter().map(|endpoint| facts.build(endpoint, &ways)).collect();
        for (index, endpoint) in observations.endpoints.iter().enumerate() {
            facts.named.entry(&endpoint.fqdn).or_default().push(index);
        }
        facts.zones = facts.build_zones();
        for fact in &facts.zones {
            let links = facts.links.entry(fact.zone.clone()).or_default();
            links.entry(fact.server).or_insert(fact.linked);
        }
        facts.resolving = facts.find_resolving();
        facts.resolving_set = facts.resolving.iter().copied().collect();
        facts.flapping = facts.build_flapping();
        facts.left_out = facts.build_left_out();
        facts
    }

    /// What was seen, as recorded.
    pub fn observations(&self) -> &'a Observations {
        self.observations
    }

    /// The endpoints in the plan's order.
    pub fn endpoints(&self) -> &[EndpointFacts<'a>] {
        &self.endpoints
    }

    /// The endpoint with this host name; the most needed one, the first of those, where several ports are looked at.
    pub fn endpoint(&self, fqdn: &str) -> Option<&EndpointFacts<'a>> {
        // `max_by_key` gives the last of equals.
        self.endpoints_named(fqdn).rev().max_by_key(|facts| facts.endpoint.need)
    }

    /// The endpoints with this host name, one a port.
    pub fn endpoints_named(&self, fqdn: &str) -> impl DoubleEndedIterator<Item = &EndpointFacts<'a>> {
        let places = self.named.get(fqdn).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|place| self.endpoints.get(*place))
    }

    /// Endpoints that an AMPLS holds a record for: private-capable, and in one of its zones.
    pub fn ampls_endpoints(&self) -> impl Iterator<Item = &EndpointFacts<'a>> {
        self.endpoints.iter().filter(|facts| facts.ampls_zone(self.observations).is_some())
    }

    /// The SOA of each AMPLS zone at each server, by zone in the plan's order, then by server.
    pub fn zones(&self) -> &[ZoneFact] {
        &self.zones
    }

    /// The instance metadata, if the service gave any.
    pub fn instance(&self) -> Option<&'a Instance> {
        self.instance
    }

    /// The entries of the hosts file that name this host.
    pub fn hosts_entries(&self, fqdn: &str) -> Vec<&'a HostsEntry> {
        self.hosts_entries.get(fqdn).cloned().unwrap_or_default()
    }

    /// Where the hosts file was read.
    pub fn hosts_source(&self) -> Option<&'a str> {
        self.hosts.and_then(|hosts| hosts.outcome.seen()).map(|file| file.source.as_str())
    }

    /// The operating system's lookup of a name.
    pub fn lookup(&self, fqdn: &str) -> Option<&'a Lookup> {
        self.lookups.get(fqdn).copied()
    }

    /// All tries of one question to one server, first try first.
    pub fn answers(&self, server: SocketAddr, name: &str, kind: RecordKind) -> &[&'a Answer] {
        self.answers.get(name).and_then(|of_name| of_name.get(&(server, kind))).map_or(&[], Vec::as_slice)
    }

    /// The wall-clock time of an observation: the run's own clock.
    pub fn at(&self, timing: &Timing) -> Timestamp {
        let since = jiff::SignedDuration::from_micros(i64::try_from(timing.at_us).unwrap_or(i64::MAX));
        self.observations.started_at.checked_add(since).unwrap_or(Timestamp::MAX)
    }

    /// `at 2026-11-22T10:00:00.123Z`, as evidence begins.
    pub fn when(&self, timing: &Timing) -> String {
        format!("at {:.3}", self.at(timing))
    }

    /// The class of an address by itself: own subnets and `--private-range` count as private.
    pub fn class(&self, address: IpAddr) -> addr::Class {
        addr::classify(address, &self.own_ranges)
    }

    /// What the paths should be, as asked for.
    pub fn expect(&self) -> Expect {
        self.observations.asked.expect
    }

    /// Whether the machine that looked runs Windows.
    pub fn on_windows(&self) -> bool {
        self.observations.machine.is_windows()
    }

    fn build(&self, endpoint: &'a Endpoint, ways: &BTreeMap<&str, Way<'a>>) -> EndpointFacts<'a> {
        let none = Way::default();
        let way = ways.get(endpoint.id.as_str()).unwrap_or(&none);
        let views = self.views(endpoint);
        let system = views.first().map(|view| view.addresses.as_slice()).unwrap_or_default();
        let mut places = BTreeMap::new();
        for (place, address) in system.iter().enumerate() {
            places.entry(*address).or_insert(place);
        }
        let order = |connection: &&Connection| {
            let place = connection.address.and_then(|address| places.get(&address.ip()).copied());
            (place.unwrap_or(usize::MAX), connection.address)
        };
        let mut connections = way.connections.clone();
        connections.sort_by_key(order);
        let Way { tunnel, handshake, exchange, segments, .. } = *way;
        let (records, resolved) = (self.record_views(endpoint), EndpointFacts::resolved(endpoint, views));
        let encrypted = self.encrypted_views(endpoint);
        EndpointFacts { encrypted, connections, tunnel, handshake, exchange, segments, records, ..resolved }
    }
}

fn own_ranges(observations: &Observations, instance: Option<&Instance>) -> Vec<IpNet> {
    let mut ranges = observations.asked.private_ranges.clone();
    let interfaces = observations.machine.interfaces.iter().map(|interface| interface.address.trunc());
    let subnets = instance.into_iter().flat_map(|instance| instance.subnets.iter().map(|subnet| subnet.cidr.trunc()));
    // A prefix of 0 would make the whole internet this machine's own; a link-local network is nobody's destination.
    let usable = |net: &IpNet| net.prefix_len() > 0 && addr::classify(net.addr(), &[]) != addr::Class::Sinkhole;
    ranges.extend(interfaces.chain(subnets).filter(usable));
    ranges
}

/// Where a name leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
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

impl Route {
    /// Where addresses of these kinds lead.
    pub fn of(private: bool, public: bool) -> Self {
        match (private, public) {
            (true, true) => Self::Mixed,
            (true, false) => Self::Private,
            (false, true) => Self::Public,
            (false, false) => Self::None,
        }
    }

    /// The word of JSON, of metrics and of the `VERDICT` line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Public => "public",
            Self::Mixed => "mixed",
            Self::None => "none",
        }
    }

    /// The word of sentences and tables: to a person, `none` does not say of what.
    pub fn label(self) -> &'static str {
        match self {
            Self::None => "unresolved",
            known => known.as_str(),
        }
    }
}

/// Who was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
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
    /// The resolver that a browser or the system uses encrypted (`--view encrypted`).
    Encrypted,
}

/// A name as one view shows it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
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
    /// The chain behind the name: each alias in its order. The system's own lookup tells at most the last.
    pub cname: Vec<String>,
    /// The smallest TTL of the address records, in seconds; the system's own lookup tells none.
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
    /// The views of resolvers that browsers and the system ask encrypted. No rule about plain DNS looks at them.
    pub encrypted: Vec<View>,
    /// Connections, in the system's order of addresses.
    pub connections: Vec<&'a Connection>,
    /// The proxy's answer, if one was asked.
    pub tunnel: Option<&'a Tunnel>,
    /// The handshake.
    pub handshake: Option<&'a Handshake>,
    /// The request.
    pub exchange: Option<&'a Exchange>,
    /// The step that stalled, over smaller segments.
    pub segments: Option<&'a Segments>,
    azure: Option<usize>,
    by_server: BTreeMap<SocketAddr, usize>,
    records: BTreeMap<SocketAddr, View>,
}

/// How long each step took, in milliseconds; `None` where nothing was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timings {
    /// The system's own lookup.
    pub dns: Option<u64>,
    /// The first connection that was made.
    pub tcp: Option<u64>,
    /// The handshake.
    pub tls: Option<u64>,
    /// The request.
    pub http: Option<u64>,
}

impl<'a> EndpointFacts<'a> {
    /// An endpoint of which no more is known than its views.
    pub(crate) fn resolved(endpoint: &'a Endpoint, views: Vec<View>) -> Self {
        let mut by_server = BTreeMap::new();
        for (place, view) in views.iter().enumerate() {
            if let Some(server) = view.server {
                by_server.entry(server).or_insert(place);
            }
        }
        let azure = views.iter().position(|view| view.view == ViewKind::Azure);
        let Way { connections, tunnel, handshake, exchange, segments } = Way::default();
        let records = BTreeMap::new();
        let encrypted = Vec::new();
        Self {
            endpoint,
            views,
            encrypted,
            connections,
            tunnel,
            handshake,
            exchange,
            segments,
            azure,
            by_server,
            records,
        }
    }
}

impl EndpointFacts<'_> {
    /// Host name.
    pub fn fqdn(&self) -> &str {
        &self.endpoint.fqdn
    }

    /// Where the operating system's own lookup leads.
    pub fn route(&self) -> Route {
        self.system().map_or(Route::None, |view| view.route)
    }

    /// The addresses the operating system gives, in its order.
    pub fn addresses(&self) -> &[IpAddr] {
        self.system().map_or(&[], |view| view.addresses.as_slice())
    }

    /// The operating system's view.
    pub fn system(&self) -> Option<&View> {
        self.views.iter().find(|view| view.view == ViewKind::System)
    }

    /// The views of the servers that this machine uses.
    pub fn server_views(&self) -> impl Iterator<Item = &View> {
        self.views.iter().filter(|view| view.view == ViewKind::Server)
    }

    /// The view of one server, whatever it is asked for.
    pub fn view_of(&self, server: SocketAddr) -> Option<&View> {
        self.by_server.get(&server).and_then(|place| self.views.get(*place))
    }

    /// What a server says of the record behind the name, asked for directly; `None` when nothing was heard of it.
    pub fn record_view(&self, server: SocketAddr) -> Option<&View> {
        self.records.get(&server)
    }

    /// What each server says of that record, where it says anything.
    pub fn record_views(&self) -> impl Iterator<Item = (SocketAddr, &View)> {
        self.records.iter().map(|(server, view)| (*server, view))
    }

    /// 168.63.129.16 as this machine sees it.
    pub fn azure(&self) -> Option<&View> {
        self.azure.and_then(|place| self.views.get(place))
    }

    /// The AMPLS zone that would hold its record. Storage accounts live in `privatelink.blob` too, but only the agents'
    /// own name there belongs to an AMPLS.
    pub fn ampls_zone(&self, observations: &Observations) -> Option<&str> {
        let zone = self.endpoint.zone.as_deref()?;
        (self.endpoint.has_ampls_record() && observations.zones.iter().any(|known| known == zone)).then_some(zone)
    }

    /// Monitoring does not work without it.
    pub fn required(&self) -> bool {
        self.endpoint.need == Need::Required
    }

    /// How long each step took.
    pub fn timings(&self) -> Timings {
        let ms = |timing: &Timing| timing.elapsed_us / 1_000;
        let connected = self.connections.iter().find(|connection| connection.outcome.seen().is_some());
        Timings {
            dns: self.system().filter(|view| view.status == Status::Ok).map(|view| view.elapsed_ms),
            tcp: connected.map(|connection| ms(&connection.timing)),
            tls: self.handshake.filter(|seen| seen.outcome.seen().is_some()).map(|seen| ms(&seen.timing)),
            http: self.exchange.filter(|seen| seen.outcome.seen().is_some()).map(|seen| ms(&seen.timing)),
        }
    }
}

impl View {
    /// It gives a private address.
    pub fn is_private(&self) -> bool {
        matches!(self.route, Route::Private | Route::Mixed)
    }

    /// It resolves to public addresses only.
    pub fn is_public(&self) -> bool {
        self.route == Route::Public
    }

    /// The server answered about the name: with addresses or with a denial.
    pub fn answered(&self) -> bool {
        matches!(self.status, Status::Ok | Status::NxDomain | Status::NoData)
    }

    /// The server denies the name or its addresses.
    pub fn denied(&self) -> bool {
        matches!(self.status, Status::NxDomain | Status::NoData)
    }

    /// The DNS filter that the name is led to.
    pub fn filter(&self) -> Option<&'static str> {
        filter(&self.cname, &self.addresses)
    }

    /// Azure DNS blocked the name by its security policy.
    /// Source: <https://learn.microsoft.com/azure/dns/dns-security-policy>
    pub fn blocked_by_policy(&self) -> bool {
        self.cname.iter().any(|alias| alias == BLOCK_POLICY)
    }
}

/// The DNS filter that aliases or addresses belong to.
fn filter(aliases: &[String], addresses: &[IpAddr]) -> Option<&'static str> {
    static SINKHOLES: LazyLock<Option<Sinkholes>> = LazyLock::new(|| Sinkholes::builtin().ok());
    SINKHOLES.as_ref().and_then(|known| known.filter(aliases, addresses))
}

/// The target of the alias that an Azure DNS security policy answers with.
pub const BLOCK_POLICY: &str = "blockpolicy.azuredns.invalid";

/// The zone that storage accounts share.
pub fn is_blob_zone(zone: &str) -> bool {
    zone.starts_with("privatelink.blob.")
}

/// Whether a private zone is linked where a server resolves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
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
