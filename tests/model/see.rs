//! From a network's description to what every probe would see of it. No socket is opened, no clock is read.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ampls_probes::Observations;
use ampls_probes::azure::AgentKind;
use ampls_probes::endpoint::Endpoint;
use ampls_probes::endpoint::Need;
use ampls_probes::observation::{
    self as seen, Answer, CachedConfiguration, Connected, Connection, DnsFailure, Exchange, Found, Handshake, Hosts,
    HostsEntry, HostsFile, HttpFailure, HttpResponse, IoFailure, Lookup, LookupFailure, NameVerdict, Observation,
    Outcome, ProxyChoice, Record, RecordData, RecordKind, Resolver, ResolverConfig, Response, ResponseCode, ServerRole,
    Skip, Timing, TlsFailure, Transport, Tunnel, TunnelFailure, Validity,
};
use ampls_probes::testing::{DCE, REGIONAL, Tls as Scene, agent, alias, empty_world, endpoint};
use jiff::{SignedDuration, Timestamp};

use super::network::{
    AZURE, Agents, Front, Http, Network, Planned, Proxy, SEARCH, STUB, Server, Stub, Tcp, Tls, Trouble, zone_of,
};
use super::resolve::{Authority, Got, Kind, Reply};

/// The proxy of a run that uses one.
const PROXY: &str = "10.1.0.9:3128";

/// What a run on this network sees.
pub(super) fn see(network: &Network) -> Observations {
    let mut observations = empty_world().observations();
    observations.asked.expect = network.expect();
    observations.machine.has_ipv6 = network.shape.ipv6;
    observations.endpoints = network.names.iter().map(planned).collect();
    let mut eyes = Eyes { network, now_us: 0, started: observations.started_at, list: Vec::new() };
    eyes.local();
    for endpoint in &observations.endpoints {
        eyes.look_up(endpoint);
    }
    eyes.questions(&observations);
    for endpoint in observations.endpoints.iter().filter(|endpoint| endpoint.need != Need::Evidence) {
        eyes.path(endpoint);
    }
    observations.seen = eyes.list;
    observations
}

fn planned(name: &Planned) -> Endpoint {
    let mut planned = endpoint(name.name, name.need);
    planned.expected = name.expected;
    planned
}

struct Eyes<'n> {
    network: &'n Network,
    now_us: u64,
    started: Timestamp,
    list: Vec<Observation>,
}

impl Eyes<'_> {
    fn took(&mut self, elapsed_us: u64) -> Timing {
        self.now_us += 1_000;
        Timing { at_us: self.now_us, elapsed_us }
    }

    fn step<T, F>(&mut self, outcome: &Outcome<T, F>) -> Timing {
        self.took(if matches!(outcome, Outcome::TimedOut) { 5_000_000 } else { 8_000 })
    }

    fn local(&mut self) {
        let shape = &self.network.shape;
        let config = ResolverConfig {
            source: "/etc/resolv.conf".to_owned(),
            search: if shape.search { vec![SEARCH.to_owned()] } else { Vec::new() },
            ndots: if shape.ndots5 { 5 } else { 1 },
            timeout_s: 5,
            attempts: 2,
            rotate: shape.rotate,
            use_vc: shape.use_vc,
            stub: shape.stub != Stub::None,
            ..ResolverConfig::default()
        };
        let timing = self.took(100);
        let servers = self.servers();
        self.list.push(Observation::Resolver(Resolver { timing, outcome: Outcome::Seen(config), servers }));
        let entries = self.network.hosts.iter().zip(3..).map(|((name, address), line)| HostsEntry {
            line,
            address: *address,
            name: (*name).to_owned(),
        });
        let file = HostsFile { source: "/etc/hosts".to_owned(), entries: entries.collect(), truncated: false };
        let timing = self.took(100);
        self.list.push(Observation::Hosts(Hosts { timing, outcome: Outcome::Seen(file), unread: None }));
        self.agents();
    }

    fn agents(&mut self) {
        let (shape, state) = (&self.network.shape, self.network.agents);
        let mut found = Vec::new();
        if matches!(shape.agents, Agents::Oms | Agents::Both) {
            let mut oms = agent(AgentKind::Oms, if state.too_old { "1.12.10-0" } else { "1.14.9-0" });
            oms.running = Some(!state.stopped);
            found.push(oms);
        }
        if matches!(shape.agents, Agents::Ama | Agents::Both) {
            let mut ama = agent(AgentKind::Ama, "1.33.0");
            ama.running = Some(!state.stopped || shape.agents == Agents::Both);
            let mut cached = CachedConfiguration { chunks: 2, ..CachedConfiguration::default() };
            if state.without_endpoint {
                cached.shared_handlers.push(REGIONAL.to_owned());
            } else {
                cached.endpoint_handlers.push(DCE.to_owned());
            }
            ama.cached = Some(cached);
            found.push(ama);
        }
        self.list.push(Observation::Agents(seen::Agents { found, ..seen::Agents::default() }));
    }

    /// The servers that a run knows: behind a stub, those that its file lists.
    fn servers(&self) -> Vec<seen::Server> {
        let shape = &self.network.shape;
        let of = |address, role| seen::Server { address, roles: vec![role] };
        let mut servers = Vec::new();
        let own = self.network.servers.iter().map(|server| server.address);
        match shape.stub {
            Stub::None => servers.extend(own.map(|address| of(address, ServerRole::Configured))),
            Stub::Resolved => {
                servers.push(of(STUB, ServerRole::Configured));
                servers.extend(own.map(|address| of(address, ServerRole::Upstream)));
            }
            Stub::RoutingDomains => {
                servers.push(of(STUB, ServerRole::Configured));
                servers.extend(self.network.vpn.iter().map(|vpn| of(vpn.address, ServerRole::Upstream)));
            }
        }
        match servers.iter_mut().find(|server| server.address == AZURE) {
            Some(azure) => azure.roles.push(ServerRole::Azure),
            None => servers.push(of(AZURE, ServerRole::Azure)),
        }
        servers
    }

    fn look_up(&mut self, endpoint: &Endpoint) {
        let outcome = match self.network.got(&endpoint.fqdn) {
            Got::Found { addresses, canonical } => Outcome::Seen(Found { addresses, canonical, more: 0 }),
            Got::NotFound => Outcome::Failed(LookupFailure::NotFound),
            // The system's own call ends by itself, after its timeouts.
            Got::TryAgain | Got::TimedOut => Outcome::Failed(LookupFailure::TryAgain),
        };
        let timing = self.step(&outcome);
        self.list.push(Observation::Lookup(Lookup { name: endpoint.fqdn.clone(), timing, outcome }));
    }

    /// First tries of everything, then second tries, then zones, and the records behind the names last.
    fn questions(&mut self, observations: &Observations) {
        let names: Vec<&str> = observations.endpoints.iter().map(|endpoint| endpoint.fqdn.as_str()).collect();
        let servers: Vec<SocketAddr> = self.servers().iter().map(|server| server.address).collect();
        for try_number in 0..2 {
            for name in &names {
                for server in &servers {
                    self.question(*server, name, Kind::A, try_number);
                    self.question(*server, name, Kind::Aaaa, try_number);
                }
            }
        }
        for server in &servers {
            for zone in &observations.zones {
                self.question(*server, zone, Kind::Soa, 0);
            }
            for name in names.iter().filter(|name| zone_of(name).is_some()) {
                self.question(*server, &alias(name), Kind::A, 0);
            }
        }
    }

    fn question(&mut self, server: SocketAddr, name: &str, kind: Kind, try_number: u32) {
        let network = self.network;
        let known = |known: &&Server| known.address == server;
        let reply = if server == STUB {
            network.ask_stub(name, kind)
        } else if let Some(server) = network.all_servers().into_iter().chain(&network.vpn).find(known) {
            // A second try decides something only where answers change.
            if try_number > 0 && !server.flaps {
                return;
            }
            network.ask(server, name, kind, try_number)
        } else {
            return;
        };
        if server == STUB && try_number > 0 {
            return;
        }
        let outcome = outcome(name, kind, reply);
        let timing = self.step(&outcome);
        let kind = match kind {
            Kind::A => RecordKind::A,
            Kind::Aaaa => RecordKind::Aaaa,
            Kind::Soa => RecordKind::Soa,
        };
        self.list.push(Observation::Answer(Answer {
            server,
            name: name.to_owned(),
            kind,
            try_number,
            purpose: seen::Purpose::Name,
            timing,
            outcome,
        }));
    }

    fn path(&mut self, endpoint: &Endpoint) {
        if let Some(proxy) = self.network.proxy {
            self.through(endpoint, proxy);
            return;
        }
        let addresses = self.network.got(&endpoint.fqdn).addresses().to_vec();
        if addresses.is_empty() {
            self.connection(endpoint, None, None, Outcome::Skipped(Skip::NoAddress));
            return;
        }
        let mut first = None;
        for address in addresses {
            let front = self.network.front(address);
            let outcome = match front.tcp {
                _ if sinkholed(address) => Outcome::Skipped(Skip::Sinkholed),
                Tcp::Open => Outcome::Seen(Connected { local: None }),
                Tcp::Dropped => Outcome::TimedOut,
                Tcp::Refused => Outcome::Failed(IoFailure::Refused),
                Tcp::HostUnreachable => Outcome::Failed(IoFailure::HostUnreachable),
            };
            let socket = SocketAddr::new(address, endpoint.port);
            if outcome.seen().is_some() && first.is_none() {
                first = Some((socket, front));
            }
            self.connection(endpoint, Some(socket), None, outcome);
        }
        if let Some((address, front)) = first {
            self.secure(endpoint, address, front);
        }
    }

    fn connection(
        &mut self,
        endpoint: &Endpoint,
        address: Option<SocketAddr>,
        via: Option<String>,
        outcome: Outcome<Connected, IoFailure>,
    ) {
        let timing = self.step(&outcome);
        self.list.push(Observation::Connection(Connection {
            endpoint: endpoint.id.clone(),
            address,
            via,
            timing,
            outcome,
        }));
    }

    fn through(&mut self, endpoint: &Endpoint, proxy: Proxy) {
        let address: SocketAddr = PROXY.parse().unwrap_or(STUB);
        let url = format!("http://{PROXY}");
        let choice = ProxyChoice { url: url.clone(), source: "--proxy".to_owned(), has_credentials: false };
        let attempt = match proxy {
            Proxy::Dead => Outcome::Failed(IoFailure::Refused),
            _ => Outcome::Seen(Connected { local: None }),
        };
        self.connection(endpoint, Some(address), Some(url), attempt);
        self.connection(endpoint, None, None, Outcome::Skipped(Skip::ThroughProxy));
        let outcome = match proxy {
            Proxy::Works => Outcome::Seen(200),
            Proxy::WantsCredentials => {
                let offered = ["Negotiate", "Basic"].map(str::to_owned).to_vec();
                Outcome::Failed(TunnelFailure::WantsCredentials(offered))
            }
            Proxy::Dead => Outcome::Skipped(Skip::EarlierStepFailed),
            Proxy::Denies => Outcome::Failed(TunnelFailure::Status(403)),
        };
        let timing = self.step(&outcome);
        self.list.push(Observation::Tunnel(Tunnel {
            endpoint: endpoint.id.clone(),
            proxy: choice,
            address: (proxy != Proxy::Dead).then_some(address),
            timing,
            outcome,
        }));
        if proxy == Proxy::Works {
            // The proxy resolves the name in public DNS, from a network of its own.
            self.secure(endpoint, address, Front::default());
        }
    }

    fn secure(&mut self, endpoint: &Endpoint, address: SocketAddr, front: Front) {
        let made = handshake(&endpoint.fqdn, front.tls);
        let timing = self.step(&made.outcome);
        let handshake = Handshake {
            endpoint: endpoint.id.clone(),
            address: Some(address),
            timing,
            outcome: made.outcome,
            chain: made.chain,
            verification: made.verification,
        };
        let (made, verified) = (handshake.outcome.seen().is_some(), handshake.verified());
        self.list.push(Observation::Handshake(handshake));
        let outcome = match front.http {
            _ if !made => Outcome::Skipped(Skip::EarlierStepFailed),
            _ if !verified => Outcome::Skipped(Skip::NotVerified),
            Http::Silent => Outcome::<HttpResponse, HttpFailure>::TimedOut,
            http => Outcome::Seen(self.answer(endpoint, http)),
        };
        let timing = self.step(&outcome);
        let (endpoint, path) = (endpoint.id.clone(), endpoint.path.clone());
        self.list.push(Observation::Exchange(Exchange { endpoint, path, timing, outcome }));
    }

    fn answer(&self, endpoint: &Endpoint, http: Http) -> HttpResponse {
        let (status, content_type, body) = match http {
            Http::Good | Http::Silent if endpoint.path == "/ping" => (200, "text/plain", "Healthy"),
            Http::Good | Http::Silent => (404, "text/plain", ""),
            Http::Isolated => (403, "application/json", r#"{"error":{"code":"InsufficientAccessError"}}"#),
            Http::EndpointRequired => (403, "application/json", r#"{"error":{"code":"InvalidAccess"}}"#),
            Http::Busy => (503, "text/plain", ""),
            Http::Page => (200, "text/html", "<html><body>Welcome</body></html>"),
        };
        let since = SignedDuration::from_micros(i64::try_from(self.now_us).unwrap_or_default());
        let received_at = self.started.checked_add(since).unwrap_or(self.started);
        let date = received_at.checked_sub(SignedDuration::from_secs(self.network.ahead_s)).ok();
        HttpResponse {
            status,
            server: None,
            request_id: Some("7d1e".to_owned()),
            content_type: Some(content_type.to_owned()),
            location: None,
            config_endpoint: None,
            via: None,
            authenticate: None,
            date,
            received_at,
            body: body.to_owned(),
            body_truncated: false,
        }
    }
}

fn sinkholed(address: IpAddr) -> bool {
    address == IpAddr::V4(Ipv4Addr::UNSPECIFIED)
}

fn handshake(name: &str, tls: Tls) -> Scene {
    let inspection = "CN=Contoso TLS Inspection CA,O=Contoso";
    let good = Scene::good(name);
    match tls {
        Tls::Good => good,
        Tls::Intercepted { trusted } => Scene::intercepted(name, inspection, trusted),
        Tls::NotTrusted => good.verdict(|seen| seen.machine = seen::ChainVerdict::UnknownIssuer),
        Tls::WrongName => good.verdict(|seen| seen.name = NameVerdict::Other),
        Tls::Expired => good.verdict(|seen| seen.validity = Validity::Expired),
        Tls::Reset => Scene::failed(Outcome::Failed(TlsFailure::ClosedAfterClientHello(IoFailure::Reset))),
        Tls::Stalled => Scene::failed(Outcome::TimedOut),
        Tls::TooOld => Scene::failed(Outcome::Failed(TlsFailure::ProtocolTooOld)),
        Tls::Plain => Scene::failed(Outcome::Failed(TlsFailure::NotTls)),
        Tls::Incomplete => {
            let mut made = good.verdict(|seen| {
                seen.machine = seen::ChainVerdict::UnknownIssuer;
                seen.public = seen::ChainVerdict::UnknownIssuer;
            });
            made.chain.truncate(1);
            made
        }
    }
}

fn outcome(name: &str, kind: Kind, reply: Reply) -> Outcome<Response, DnsFailure> {
    let response = |code, records, authority| {
        Outcome::Seen(Response {
            more: 0,
            code,
            transport: Transport::Udp,
            truncated: false,
            authoritative: false,
            recursion_available: true,
            records,
            authority,
            sent: 1,
            policy: None,
            extended: Vec::new(),
        })
    };
    match reply {
        Reply::Message { exists, aliases, addresses, authority } => {
            let owner = aliases.last().map_or(name, |(_, target)| target.as_str()).to_owned();
            let mut records: Vec<Record> =
                aliases.iter().map(|(owner, target)| record(owner, RecordData::Cname(target.clone()))).collect();
            records.extend(addresses.iter().map(|address| match address {
                IpAddr::V4(v4) => record(&owner, RecordData::A(*v4)),
                IpAddr::V6(v6) => record(&owner, RecordData::Aaaa(*v6)),
            }));
            let code = if exists { ResponseCode::NoError } else { ResponseCode::NxDomain };
            response(code, records, authority.map(|who| start(&who)))
        }
        Reply::Soa(who) => {
            debug_assert_eq!(kind, Kind::Soa);
            response(ResponseCode::NoError, vec![record(name, RecordData::Soa(start(&who)))], None)
        }
        Reply::Failed(Trouble::Silent) => Outcome::TimedOut,
        Reply::Failed(Trouble::Closed) => Outcome::Failed(DnsFailure::Unreachable(IoFailure::Refused)),
        Reply::Failed(Trouble::Malformed) => Outcome::Failed(DnsFailure::Malformed),
        Reply::Failed(Trouble::ServFail) => response(ResponseCode::ServFail, Vec::new(), None),
        Reply::Failed(Trouble::Refused) => response(ResponseCode::Refused, Vec::new(), None),
        Reply::Failed(Trouble::FormErr) => response(ResponseCode::FormErr, Vec::new(), None),
        Reply::Cut => Outcome::Failed(DnsFailure::Truncated(None)),
    }
}

fn record(owner: &str, data: RecordData) -> Record {
    Record { owner: owner.to_owned(), ttl: 10, data }
}

fn start(who: &Authority) -> seen::Authority {
    let (zone, mname, rname) = match who {
        Authority::PrivateZone(zone) => (*zone, "azureprivatedns.net", "azureprivatedns-host.microsoft.com"),
        Authority::Microsoft(zone) => (zone.as_str(), "ns1-38.azure-dns.com", "msnhst.microsoft.com"),
        Authority::Own(zone) => (zone.as_str(), "dc1.corp.example", "hostmaster.corp.example"),
    };
    seen::Authority { zone: zone.to_owned(), mname: mname.to_owned(), rname: rname.to_owned() }
}
