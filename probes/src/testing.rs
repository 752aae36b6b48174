//! Builders of observations for tests of the rules: a machine and what it saw, written down in a few lines.
//!
//! ```
//! use ampls_probes::testing::{private_world, Says, ODS, CUSTOM};
//!
//! let seen = private_world().says(CUSTOM, ODS, &Says::Public("20.150.190.99")).observations();
//! assert_eq!(seen.endpoints.len(), 6);
//! ```
//!
//! It builds values only: nothing is resolved, connected to or read.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use jiff::Timestamp;

pub use agents::agent;
use answers::healthy_answer;
pub use browsers::browser;
pub use certificates::{Tls, certificate};
pub use control::asked;
pub use names::{AGENTSVC, API, DCE, HANDLER, IN_AI, METRICS, ODS, OMS, REGIONAL, WORKSPACE, ZONES, alias, endpoint};
pub use proxied::{PROXY, shell_proxy};
pub use says::Says;

use crate::endpoint::{Endpoint, Expect, Need};
use crate::observation::{
    Answer, Asked, Connected, Connection, Exchange, Found, Hosts, HostsEntry, HostsFile, HttpFailure, HttpResponse,
    Instance, Interface, IoFailure, Lookup, LookupFailure, Machine, Metadata, Observation, Observations, Outcome,
    Purpose, RecordKind, Resolver, ResolverConfig, Server, ServerRole, Skip, Stop, Subnet, Timing,
};

mod agents;
mod answers;
mod browsers;
mod certificates;
mod control;
mod names;
pub mod parsers;
mod proxied;
mod says;
mod segments;

/// A custom DNS server, the only one that [`private_world`] and [`public_world`] are configured with.
pub const CUSTOM: &str = "10.1.0.4:53";
/// Azure's own DNS.
pub const AZURE: &str = "168.63.129.16:53";

/// An attempt's outcome, as [`Scene::connects`] takes it.
pub type Attempt = Outcome<Connected, IoFailure>;

/// It connects.
pub fn open() -> Attempt {
    Outcome::Seen(Connected { local: None })
}

/// A machine and what it saw, to be completed and then turned into [`Observations`].
#[derive(Clone, Debug)]
pub struct Scene {
    observations: Observations,
    config: ResolverConfig,
    servers: Vec<Server>,
    hosts: Vec<HostsEntry>,
    instance: Option<Instance>,
    says: BTreeMap<(SocketAddr, String), Says>,
    second_tries: BTreeMap<(SocketAddr, String), Says>,
    slow: BTreeMap<SocketAddr, u64>,
    further: Vec<(SocketAddr, Purpose, String, Says)>,
    soas: BTreeMap<(SocketAddr, String), Says>,
    system: BTreeMap<String, Outcome<Found, LookupFailure>>,
    attempts: BTreeMap<String, Vec<(SocketAddr, Attempt)>>,
    tls: BTreeMap<String, Tls>,
    http: BTreeMap<String, Outcome<HttpResponse, HttpFailure>>,
    proxied: BTreeMap<String, proxied::Proxied>,
}

/// A machine that knows no server and looks at no name.
pub fn empty_world() -> Scene {
    Scene {
        observations: Observations {
            version: crate::observation::VERSION,
            started_at: Timestamp::from_second(1_795_341_600).unwrap_or_default(),
            elapsed_ms: 1_000,
            stopped: None,
            asked: Asked {
                expect: Expect::Auto,
                private_ranges: Vec::new(),
                cloud: "public".to_owned(),
                region: Some("westeurope".to_owned()),
                step_timeout_ms: 5_000,
                deadline_ms: 15_000,
                repeat: 1,
                public_roots_given: false,
                files_only: false,
                clouds: Vec::new(),
                expected_records: Vec::new(),
                view_encrypted: false,
            },
            machine: Machine {
                name: "vm1".to_owned(),
                os: "Debian GNU/Linux 12".to_owned(),
                has_ipv4: true,
                ..Machine::default()
            },
            endpoints: Vec::new(),
            zones: ZONES.iter().map(|zone| (*zone).to_owned()).collect(),
            unresolved_names: Vec::new(),
            sources: Vec::new(),
            seen: Vec::new(),
            later: crate::observation::Later::default(),
        },
        config: ResolverConfig {
            source: "/etc/resolv.conf".to_owned(),
            ndots: 1,
            timeout_s: 5,
            attempts: 2,
            ..ResolverConfig::default()
        },
        servers: Vec::new(),
        hosts: Vec::new(),
        instance: None,
        says: BTreeMap::new(),
        second_tries: BTreeMap::new(),
        slow: BTreeMap::new(),
        further: Vec::new(),
        soas: BTreeMap::new(),
        system: BTreeMap::new(),
        attempts: BTreeMap::new(),
        tls: BTreeMap::new(),
        http: BTreeMap::new(),
        proxied: BTreeMap::new(),
    }
}

/// A healthy machine behind a private link: [`HANDLER`], [`ODS`], [`OMS`] required, [`AGENTSVC`] optional, [`API`] and
/// [`IN_AI`] evidence; all private and answering; all zones linked, seen by [`CUSTOM`] (configured) and [`AZURE`].
pub fn private_world() -> Scene {
    let mut scene = names_of_a_workspace();
    for zone in ZONES {
        scene = scene.soa(CUSTOM, zone, &Says::PrivateZone).soa(AZURE, zone, &Says::PrivateZone);
    }
    let addresses = ["10.0.0.5", "10.0.0.6", "10.0.0.7", "10.0.0.8", "10.0.0.9", "10.0.0.10"];
    for (name, address) in [HANDLER, ODS, OMS, AGENTSVC, API, IN_AI].into_iter().zip(addresses) {
        scene = scene.everywhere(name, &Says::Private(address));
    }
    scene
}

/// The same names without any private link: all public and answering, no zone linked.
pub fn public_world() -> Scene {
    let mut scene = names_of_a_workspace();
    for zone in ZONES {
        scene = scene.soa(CUSTOM, zone, &Says::PublicZone).soa(AZURE, zone, &Says::PublicZone);
    }
    let addresses = ["20.50.88.5", "20.50.88.6", "20.50.88.7", "20.50.88.8", "20.50.88.9", "20.50.88.10"];
    for (name, address) in [HANDLER, ODS, OMS, AGENTSVC, API, IN_AI].into_iter().zip(addresses) {
        scene = scene.everywhere(name, &Says::Public(address));
    }
    scene
}

fn names_of_a_workspace() -> Scene {
    empty_world()
        .server(CUSTOM, &[ServerRole::Configured])
        .server(AZURE, &[ServerRole::Azure])
        .name(HANDLER, Need::Required)
        .name(ODS, Need::Required)
        .name(OMS, Need::Required)
        .name(AGENTSVC, Need::Optional)
        .name(API, Need::Evidence)
        .name(IN_AI, Need::Evidence)
}

impl Scene {
    /// Adds a DNS server; the order of calls is the system's order.
    #[must_use]
    pub fn server(mut self, server: &str, roles: &[ServerRole]) -> Self {
        let address = socket(server);
        self.servers.retain(|known| known.address != address);
        self.servers.push(Server { address, roles: roles.to_vec() });
        self
    }

    /// Forgets all servers and their answers.
    #[must_use]
    pub fn no_servers(mut self) -> Self {
        self.servers.clear();
        self.says.clear();
        self.soas.clear();
        self
    }

    /// Adds one of the names of this module, or replaces it.
    #[must_use]
    pub fn name(self, fqdn: &str, need: Need) -> Self {
        self.endpoint(endpoint(fqdn, need))
    }

    /// Adds an endpoint, or replaces the one with its id.
    #[must_use]
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        let known = self.observations.endpoints.iter_mut().find(|known| known.id == endpoint.id);
        match known {
            Some(known) => *known = endpoint,
            None => self.observations.endpoints.push(endpoint),
        }
        self
    }

    /// Forgets an endpoint.
    #[must_use]
    pub fn without(mut self, fqdn: &str) -> Self {
        self.observations.endpoints.retain(|endpoint| endpoint.fqdn != fqdn);
        self
    }

    /// What one server says of a name.
    #[must_use]
    pub fn says(mut self, server: &str, name: &str, says: &Says) -> Self {
        self.says.insert((socket(server), name.to_owned()), says.clone());
        self
    }

    /// What one server says of a name when it is asked again.
    #[must_use]
    pub fn then_says(mut self, server: &str, name: &str, says: &Says) -> Self {
        self.second_tries.insert((socket(server), name.to_owned()), says.clone());
        self
    }

    /// What one server says of a question that is asked for another purpose than to look a name up.
    #[must_use]
    pub fn further(mut self, server: &str, purpose: Purpose, name: &str, says: &Says) -> Self {
        self.further.push((socket(server), purpose, name.to_owned(), says.clone()));
        self
    }

    /// Forgets what one server says of names.
    #[must_use]
    pub fn no_answer_of(mut self, server: &str) -> Self {
        let address = socket(server);
        self.servers.retain(|known| known.address != address);
        self
    }

    /// How long one server takes for each answer about a name, in milliseconds.
    #[must_use]
    pub fn takes_ms(mut self, server: &str, ms: u64) -> Self {
        self.slow.insert(socket(server), ms);
        self
    }

    /// What one server says of the record behind a name, asked for directly.
    #[must_use]
    pub fn says_of_alias(self, server: &str, name: &str, says: &Says) -> Self {
        let alias = alias(name);
        self.says(server, &alias, says)
    }

    /// What the operating system's own lookup gives, and that its addresses answer as they should.
    #[must_use]
    pub fn system(mut self, name: &str, says: &Says) -> Self {
        self.system.insert(name.to_owned(), says.lookup());
        self.attempts.remove(name);
        self
    }

    /// What the system and every server say of a name; it answers as it should.
    #[must_use]
    pub fn everywhere(mut self, name: &str, says: &Says) -> Self {
        for server in self.servers.clone() {
            self.says.insert((server.address, name.to_owned()), says.clone());
        }
        self.system(name, says)
    }

    /// What every server says of every name, and the system too.
    #[must_use]
    pub fn every_name(mut self, says: &Says) -> Self {
        for endpoint in self.observations.endpoints.clone() {
            self = self.everywhere(&endpoint.fqdn, says);
        }
        self
    }

    /// What one server says of every name and zone.
    #[must_use]
    pub fn server_says(mut self, server: &str, says: &Says) -> Self {
        for endpoint in self.observations.endpoints.clone() {
            self = self.says(server, &endpoint.fqdn, says);
        }
        for zone in self.observations.zones.clone() {
            self = self.soa(server, &zone, says);
        }
        self
    }

    /// The SOA of a zone at a server: [`Says::PrivateZone`], [`Says::PublicZone`], [`Says::LocalZone`] or a failure.
    #[must_use]
    pub fn soa(mut self, server: &str, zone: &str, says: &Says) -> Self {
        self.soas.insert((socket(server), zone.to_owned()), says.clone());
        self
    }

    /// What came of every address of a name; later steps are skipped unless it connects.
    #[must_use]
    pub fn connects(mut self, name: &str, attempt: &Attempt) -> Self {
        let port = self.port(name);
        let addresses = self.system.get(name).and_then(Outcome::seen).map(|found| found.addresses.clone());
        let attempts = addresses.unwrap_or_default().into_iter();
        self.attempts.insert(
            name.to_owned(),
            attempts.map(|address| (SocketAddr::new(address, port), attempt.clone())).collect(),
        );
        self
    }

    /// What came of one address of a name.
    #[must_use]
    pub fn attempt(mut self, name: &str, address: &str, attempt: &Attempt) -> Self {
        let address = SocketAddr::new(ip(address), self.port(name));
        let attempts = self.attempts.entry(name.to_owned()).or_default();
        attempts.retain(|(known, _)| *known != address);
        attempts.push((address, attempt.clone()));
        self
    }

    /// How the handshake with a name goes.
    #[must_use]
    pub fn tls(mut self, name: &str, tls: Tls) -> Self {
        self.tls.insert(name.to_owned(), tls);
        self
    }

    /// How the request to a name goes.
    #[must_use]
    pub fn http(mut self, name: &str, outcome: Outcome<HttpResponse, HttpFailure>) -> Self {
        self.http.insert(name.to_owned(), outcome);
        self
    }

    /// A line of the hosts file; the system answers with it.
    #[must_use]
    pub fn hosts(mut self, address: &str, name: &str) -> Self {
        let line = u32::try_from(self.hosts.len()).unwrap_or(u32::MAX).saturating_add(1);
        self.hosts.push(HostsEntry { line, address: ip(address), name: name.to_owned() });
        let found = Found { addresses: vec![ip(address)], canonical: None, more: 0 };
        self.system.insert(name.to_owned(), Outcome::Seen(found));
        self.attempts.remove(name);
        self
    }

    /// `--expect`
    #[must_use]
    pub fn expect(mut self, expect: Expect) -> Self {
        self.observations.asked.expect = expect;
        self
    }

    /// `--private-range`
    #[must_use]
    pub fn private_range(mut self, range: &str) -> Self {
        self.observations.asked.private_ranges.push(net(range));
        self
    }

    /// An interface of the machine, e.g. `10.2.0.7/24`.
    #[must_use]
    pub fn interface(mut self, address: &str) -> Self {
        let interface = Interface { name: "eth0".to_owned(), address: net(address) };
        self.observations.machine.interfaces.push(interface);
        self
    }

    /// The metadata service tells of this subnet.
    #[must_use]
    pub fn subnet(mut self, cidr: &str) -> Self {
        self.instance.get_or_insert_default().subnets.push(Subnet { cidr: net(cidr) });
        self
    }

    /// `search` of the resolver configuration.
    #[must_use]
    pub fn search(mut self, suffix: &str) -> Self {
        self.config.search.push(suffix.to_owned());
        self
    }

    /// The run ended early.
    #[must_use]
    pub fn stopped(mut self, stop: Stop) -> Self {
        self.observations.stopped = Some(stop);
        self
    }

    /// The resolver configuration goes through a local stub.
    #[must_use]
    pub fn stub(mut self) -> Self {
        self.config.stub = true;
        self
    }

    /// The machine runs Windows.
    #[must_use]
    pub fn windows(mut self) -> Self {
        "Windows Server 2022".clone_into(&mut self.observations.machine.os);
        self
    }

    /// Changes what this builder has no word for.
    #[must_use]
    pub fn edit(mut self, change: impl FnOnce(&mut Observations)) -> Self {
        change(&mut self.observations);
        self
    }

    /// What was seen.
    pub fn observations(&self) -> Observations {
        let mut seen = self.observations.clone();
        let mut clock = Clock::default();
        let mut list = self.local(&mut clock);
        for endpoint in &self.observations.endpoints {
            list.extend(self.lookup(&mut clock, endpoint));
        }
        for (try_number, answers) in [&self.says, &self.second_tries].into_iter().enumerate() {
            for ((server, name), says) in answers.iter().filter(|((server, _), _)| self.asked(*server)) {
                for kind in [RecordKind::A, RecordKind::Aaaa] {
                    let mut answer = answer(&mut clock, *server, name, kind, says.answer(name, kind));
                    answer.try_number = u32::try_from(try_number).unwrap_or(u32::MAX);
                    if let Some(ms) = self.slow.get(server) {
                        answer.timing.elapsed_us = ms.saturating_mul(1_000);
                    }
                    list.push(Observation::Answer(answer));
                }
            }
        }
        for ((server, zone), says) in self.soas.iter().filter(|((server, _), _)| self.asked(*server)) {
            let soa = says.answer(zone, RecordKind::Soa);
            list.push(Observation::Answer(answer(&mut clock, *server, zone, RecordKind::Soa, soa)));
        }
        for (server, purpose, name, says) in &self.further {
            let outcome = says.answer(name, RecordKind::A);
            let answer = answer(&mut clock, *server, name, RecordKind::A, outcome);
            list.push(Observation::Answer(Answer { purpose: *purpose, ..answer }));
        }
        for endpoint in self.observations.endpoints.iter().filter(|endpoint| endpoint.need != Need::Evidence) {
            list.extend(self.path(&mut clock, endpoint));
        }
        list.append(&mut seen.seen);
        seen.seen = list;
        seen
    }

    fn asked(&self, server: SocketAddr) -> bool {
        self.servers.iter().any(|known| known.address == server)
    }

    fn port(&self, name: &str) -> u16 {
        self.observations.endpoints.iter().find(|endpoint| endpoint.fqdn == name).map_or(443, |endpoint| endpoint.port)
    }

    fn local(&self, clock: &mut Clock) -> Vec<Observation> {
        let resolver = Resolver {
            timing: clock.took(100),
            outcome: Outcome::Seen(self.config.clone()),
            servers: self.servers.clone(),
        };
        let file = HostsFile { source: "/etc/hosts".to_owned(), entries: self.hosts.clone(), truncated: false };
        let mut local = vec![
            Observation::Resolver(resolver),
            Observation::Hosts(Hosts { timing: clock.took(100), outcome: Outcome::Seen(file), unread: None }),
        ];
        if let Some(instance) = &self.instance {
            let outcome = Outcome::Seen(instance.clone());
            local.push(Observation::Metadata(Metadata { timing: clock.took(2_000), outcome }));
        }
        local
    }

    fn lookup(&self, clock: &mut Clock, endpoint: &Endpoint) -> Option<Observation> {
        let outcome = self.system.get(&endpoint.fqdn)?.clone();
        let timing = clock.took(if outcome == Outcome::TimedOut { 5_000_000 } else { 12_000 });
        Some(Observation::Lookup(Lookup { name: endpoint.fqdn.clone(), timing, outcome }))
    }

    fn path(&self, clock: &mut Clock, endpoint: &Endpoint) -> Vec<Observation> {
        let id = &endpoint.id;
        if let Some(proxied) = self.proxied.get(&endpoint.fqdn) {
            return self.tunnelled(clock, endpoint, proxied);
        }
        let attempts = self.attempts.get(&endpoint.fqdn).cloned().unwrap_or_else(|| {
            let found = self.system.get(&endpoint.fqdn).and_then(Outcome::seen);
            let addresses = found.map(|found| found.addresses.clone()).unwrap_or_default();
            addresses
                .into_iter()
                .map(|address| (SocketAddr::new(address, endpoint.port), default_attempt(address)))
                .collect()
        });
        let connected = attempts.iter().find(|(_, attempt)| attempt.seen().is_some()).map(|(address, _)| *address);
        let mut steps: Vec<Observation> = attempts
            .into_iter()
            .map(|(address, outcome)| {
                let timing = clock.took(if outcome == Outcome::TimedOut { 5_000_000 } else { 20_000 });
                Observation::Connection(Connection {
                    endpoint: id.clone(),
                    address: Some(address),
                    via: None,
                    timing,
                    outcome,
                })
            })
            .collect();
        if steps.is_empty() {
            let outcome = Outcome::Skipped(Skip::NoAddress);
            let timing = clock.took(0);
            steps.push(Observation::Connection(Connection {
                endpoint: id.clone(),
                address: None,
                via: None,
                timing,
                outcome,
            }));
        }
        let Some(address) = connected else {
            return steps;
        };
        steps.extend(self.secure(clock, endpoint, address));
        steps
    }

    fn secure(&self, clock: &mut Clock, endpoint: &Endpoint, address: SocketAddr) -> Vec<Observation> {
        let id = &endpoint.id;
        let mut steps = Vec::new();
        let tls = self.tls.get(&endpoint.fqdn).cloned().unwrap_or_else(|| Tls::good(&endpoint.fqdn));
        let timing = clock.took(if tls.outcome == Outcome::TimedOut { 5_000_000 } else { 40_000 });
        let handshake = tls.handshake(id, address, timing);
        let verified = handshake.verified();
        steps.push(Observation::Handshake(handshake));
        let outcome = match self.http.get(&endpoint.fqdn) {
            _ if !verified => Outcome::Skipped(Skip::NotVerified),
            Some(outcome) => outcome.clone(),
            None => Outcome::Seen(healthy_answer(self.observations.started_at)),
        };
        let timing = clock.took(30_000);
        steps.push(Observation::Exchange(Exchange {
            endpoint: id.clone(),
            path: endpoint.path.clone(),
            timing,
            outcome,
        }));
        steps
    }
}

/// Time that passes as observations are written down.
#[derive(Default)]
struct Clock {
    now_us: u64,
}

impl Clock {
    fn took(&mut self, elapsed_us: u64) -> Timing {
        self.now_us += 1_000;
        Timing { at_us: self.now_us, elapsed_us }
    }
}

fn answer(
    clock: &mut Clock,
    server: SocketAddr,
    name: &str,
    kind: RecordKind,
    outcome: Outcome<crate::observation::Response, crate::observation::DnsFailure>,
) -> Answer {
    let timing = clock.took(if outcome == Outcome::TimedOut { 5_000_000 } else { 8_000 });
    Answer { server, name: name.to_owned(), kind, try_number: 0, purpose: Purpose::Name, timing, outcome }
}

fn default_attempt(address: IpAddr) -> Attempt {
    if address.is_loopback() || address.is_unspecified() { Outcome::Skipped(Skip::Sinkholed) } else { open() }
}

fn socket(text: &str) -> SocketAddr {
    text.parse().expect("a test names a server as address and port")
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().expect("a test names an address")
}

fn net(text: &str) -> IpNet {
    text.parse().expect("a test names an address with its prefix length")
}
