//! What a right doctor says, from the description alone: nothing of the doctor's own sources is used here.

#![expect(clippy::match_same_arms, reason = "one line a kind of fault reads as a table")]

use std::collections::BTreeSet;

use ampls_probes::endpoint::Expect;
use ampls_probes::endpoint::Need;
use ampls_probes::testing::{AGENTSVC, HANDLER, ODS, OMS, ZONES, alias};

use super::faults::{Fault, Kind};
use super::network::{
    Agents, Front, Http, Network, Proxy, STUB, Server, Stub, Tcp, Tls, Topology, Trouble, below, is_private, suffix,
    zone_of,
};
use super::resolve::{Authority, Got, Kind as Record, Reply};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    Info,
    Warning,
    Error,
}

/// What one fault entitles a doctor to say.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    /// Which fault; `None` for what follows from the shape.
    pub(super) fault: Option<usize>,
    /// Codes that name it. More than one where observations cannot tell them apart.
    pub(super) codes: Vec<&'static str>,
    /// The server that the fault is on, where another one can have the same fault.
    pub(super) server: Option<std::net::SocketAddr>,
    /// Nothing that this machine can see differs from a network without it.
    pub(super) hidden: bool,
    /// Names that it concerns.
    pub(super) names: BTreeSet<&'static str>,
    pub(super) severity: Severity,
    /// What it may be at least, where another root can say how bad it is for the same names.
    pub(super) least: Severity,
}

/// What becomes of a name on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) private: bool,
    pub(super) public: bool,
    pub(super) reached: bool,
}

/// What becomes of a name.
pub(super) fn fate(network: &Network, name: &str) -> Fate {
    let got = network.got(name);
    let addresses: Vec<_> = got.addresses().iter().copied().filter(|address| !address.is_unspecified()).collect();
    let private = addresses.iter().any(|address| is_private(*address));
    let public = addresses.iter().any(|address| !is_private(*address));
    let connected = || addresses.iter().map(|address| network.front(*address)).find(|front| front.tcp == Tcp::Open);
    let answers = |front: Front| {
        matches!(front.tls, Tls::Good | Tls::Intercepted { trusted: true }) && front.http != Http::Silent
    };
    let reached =
        if let Some(proxy) = network.proxy { proxy == Proxy::Works } else { connected().is_some_and(answers) };
    Fate { private, public, reached }
}

/// A private link is meant, as far as this machine can know: asked for, or shown by what it uses.
pub(super) fn private_expected(network: &Network) -> bool {
    match network.expect() {
        Expect::Private => true,
        Expect::Public => false,
        Expect::Auto => {
            let mut names = network.names.iter().map(|planned| planned.name);
            names.any(|name| zone_of(name).is_some_and(|zone| zone < 4) && shows(network, name))
        }
    }
}

fn shows(network: &Network, name: &str) -> bool {
    let is_private_link =
        |reply: Reply| reply.denied_by_private_zone() || reply.addresses().iter().any(|address| is_private(*address));
    fate(network, name).private
        || visible(network).iter().any(|server| is_private_link(network.ask(server, name, Record::A, 0)))
        || (network.shape.stub != Stub::None && is_private_link(network.ask_stub(name, Record::A)))
}

/// The servers that this machine's files name. Those of a link with routing domains are known to the stub alone.
fn visible(network: &Network) -> &[Server] {
    if network.shape.stub == Stub::RoutingDomains { &[] } else { &network.servers }
}

/// The name goes wrong: it should be private and is not, or does not answer.
pub(super) fn wrong(network: &Network, name: &str) -> bool {
    let fate = fate(network, name);
    let should = zone_of(name).is_some() && private_expected(network);
    let evidence = network.planned(name).is_none_or(|planned| planned.need == Need::Evidence);
    (should && (!fate.private || fate.public)) || (!evidence && !fate.reached)
}

/// What the faults of a network entitle a doctor to say.
pub(super) fn claims(base: &Network, faults: &[Fault]) -> Vec<Claim> {
    let network = with(base, faults.iter());
    let mut claims: Vec<Claim> = faults
        .iter()
        .enumerate()
        .flat_map(|(index, fault)| {
            let without =
                with(base, faults.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, fault)| fault));
            Judge { network: &network, without: &without, fault, index }.claims()
        })
        .collect();
    // The retired agent is a fault of the machine that no network has to add.
    if matches!(base.shape.agents, Agents::Oms | Agents::Both) {
        let (codes, names) = (vec!["AGT003"], BTreeSet::new());
        let severity = Severity::Warning;
        claims.push(Claim { fault: None, codes, server: None, hidden: false, names, severity, least: severity });
    }
    // A stub that fails because the server of a link does looks like one that rejects what the servers in its file say.
    let routed = base.shape.stub == Stub::RoutingDomains;
    if routed && faults.iter().any(|fault| matches!(fault.kind, Kind::ServerFails | Kind::ServerSilent)) {
        let (codes, names) = (vec!["DNS002", "DNS001"], BTreeSet::new());
        let (severity, least) = (Severity::Error, Severity::Warning);
        claims.push(Claim { fault: None, codes, server: None, hidden: false, names, severity, least });
    }
    // A single private answer makes this machine expect a private link: then every other name is public without a reason.
    if base.shape.public {
        let astray = |name: &&str| wrong(&network, name) && fate(&network, name).reached;
        let names: BTreeSet<&str> = network.names.iter().map(|planned| planned.name).filter(astray).collect();
        if !names.is_empty() {
            let (codes, severity) = (vec!["RUN003"], Severity::Error);
            claims.push(Claim { fault: None, codes, server: None, hidden: false, names, severity, least: severity });
        }
    }
    claims
}

/// The description with these faults.
pub(super) fn with<'f>(base: &Network, faults: impl Iterator<Item = &'f Fault>) -> Network {
    let mut network = base.clone();
    for fault in faults {
        fault.apply(&mut network);
    }
    network
}

struct Judge<'n> {
    network: &'n Network,
    without: &'n Network,
    fault: &'n Fault,
    index: usize,
}

impl Judge<'_> {
    fn claims(&self) -> Vec<Claim> {
        let names = self.victims();
        let severity = self.severity(&names).min(self.most(&names));
        let fault = Some(self.index);
        if self.fault.kind == Kind::ProxyFails {
            return self.of_proxy(&names);
        }
        let codes = self.codes();
        // Another fault on the same server hides what this one costs.
        let of_forwarder = matches!(
            self.fault.kind,
            Kind::Bypass | Kind::AliasForwarder | Kind::SuffixForgotten | Kind::NameForgotten
        );
        let unknown = of_forwarder && self.harmed(&names).next().is_none();
        let severity = if unknown { Severity::Error.min(self.most(&names)) } else { severity };
        let least = match self.fault.kind {
            // A server's TCP that another server's answers make up for may be said either way.
            Kind::SearchWildcard | Kind::TcpBlocked => Severity::Warning.min(severity),
            // How bad a server is behind a stub that rejects everything, nobody can see.
            _ if self.network.stub_rejects => Severity::Warning.min(severity),
            _ if unknown => Severity::Warning.min(severity),
            // Of a disagreement each name is judged by the server asked first, whose other faults are its own.
            _ if codes == ["DNS005"] => Severity::Warning.min(severity),
            _ => severity,
        };
        let routed = self.network.shape.stub == Stub::RoutingDomains;
        let server = match self.fault.kind {
            // The servers of a link with routing domains are known to the stub alone.
            Kind::ServerFails if routed => Some(STUB),
            Kind::ServerFails => Some(self.server().address),
            Kind::StubRejects => Some(STUB),
            // Each server that forwards too little is a fault of its own, as bad as its place in the order.
            _ if of_forwarder && !routed && (codes == ["DNS020"] || codes == ["DNS020", "DNS002"]) => {
                Some(self.server().address)
            }
            _ => None,
        };
        let hidden = match self.fault.kind {
            // A kept answer that the servers give too, or that no server contradicts, is not seen as such.
            Kind::StaleCache => !self.contradicts(),
            // What a stub passes over, of servers that it alone knows, leaves no trace but the answers of the next.
            Kind::ServerFails => routed && names.iter().all(|name| self.network.ask_stub(name, Record::A).answered()),
            _ => false,
        };
        let closed = if codes.is_empty() || codes == ["DNS005"] { self.closed_ways() } else { BTreeSet::new() };
        let mut claims = Vec::new();
        if !closed.is_empty() {
            let (codes, severity) = (vec!["NET001", "NET002", "HTP001"], Severity::Error.min(self.most(&closed)));
            claims.push(Claim { fault, codes, server: None, hidden: true, names: closed, severity, least: severity });
        }
        if !codes.is_empty() {
            claims.push(Claim { fault, codes, server, hidden, names, severity, least });
        }
        claims
    }

    /// Names that the fault makes public, that nothing shows as private, and whose public way is closed: that is all that
    /// can be seen of it there.
    fn closed_ways(&self) -> BTreeSet<&'static str> {
        let led_out =
            |name: &&'static str| fate(self.network, name).public && !self.passes(name) && !self.is_private_here(name);
        self.victims().into_iter().filter(led_out).collect()
    }

    /// A proxy that fails takes private names where it should not, and fails the public ones: two faults to fix.
    fn of_proxy(&self, names: &BTreeSet<&'static str>) -> Vec<Claim> {
        let (private, rest): (BTreeSet<&str>, BTreeSet<&str>) =
            names.iter().copied().partition(|name| fate(self.network, name).private);
        let fails = ["PRX002", "PRX003", "PRX004"][self.fault.variant % 3];
        let claims = [(vec!["PRX001", fails], private), (vec![fails], rest)];
        let claims = claims.into_iter().filter(|(_, names)| !names.is_empty());
        claims
            .map(|(codes, names)| {
                let severity = Severity::Error.min(self.most(&names));
                Claim { fault: Some(self.index), codes, server: None, hidden: false, names, severity, least: severity }
            })
            .collect()
    }

    fn recorded(&self) -> BTreeSet<&'static str> {
        self.network.names.iter().map(|planned| planned.name).filter(|name| zone_of(name).is_some()).collect()
    }

    fn below(&self, suffix: &str) -> BTreeSet<&'static str> {
        self.network.names.iter().map(|planned| planned.name).filter(|name| below(name, suffix)).collect()
    }

    /// The names that the fault can concern.
    fn victims(&self) -> BTreeSet<&'static str> {
        let all = || self.network.names.iter().map(|planned| planned.name).collect();
        match self.fault.kind {
            Kind::Bypass | Kind::AliasForwarder | Kind::Flaps | Kind::PathDropped => self.recorded(),
            Kind::ZoneNotLinked | Kind::ZoneEmpty | Kind::SuffixForgotten => self.below(suffix(self.fault.zone)),
            Kind::Ruleset if self.fault.variant < 6 => self.recorded(),
            Kind::Ruleset => self.below(suffix(self.fault.zone)),
            Kind::LocalZone if self.fault.variant < 9 => self.below(suffix(self.fault.zone)),
            Kind::LocalZone => self.below("azure.com"),
            Kind::ServerSilent | Kind::ServerFails | Kind::TcpBlocked | Kind::StubRejects => all(),
            Kind::SearchWildcard => all(),
            // What only serves as evidence is never connected to.
            Kind::ProxyTakes | Kind::ProxyFails => {
                all().into_iter().filter(|name: &&str| !self.is_evidence(name)).collect()
            }
            Kind::Deleted => {
                [ODS, OMS, AGENTSVC].into_iter().filter(|name| self.network.planned(name).is_some()).collect()
            }
            Kind::EndpointRequired | Kind::NoEndpoint => BTreeSet::from([HANDLER]),
            Kind::AgentOld | Kind::AgentStopped | Kind::Clock => BTreeSet::new(),
            _ => BTreeSet::from([self.fault.name]),
        }
    }

    fn server(&self) -> &Server {
        &self.network.servers[self.fault.server]
    }

    fn says_private(&self, server: &Server, names: &BTreeSet<&'static str>) -> bool {
        names.iter().any(|name| {
            self.network.ask(server, name, Record::A, 0).addresses().iter().any(|address| is_private(*address))
        })
    }

    /// Every server that answers contradicts what the cache gives, and always does.
    fn contradicts(&self) -> bool {
        let kept = fate(self.network, self.fault.name).private;
        let replies = self.network.servers.iter().map(|server| self.network.ask(server, self.fault.name, Record::A, 0));
        // What does not answer gave nothing that was kept.
        let mut heard = replies.filter(Reply::answered).peekable();
        let other = |reply: Reply| {
            let private = reply.addresses().iter().any(|address| is_private(*address));
            reply.addresses().is_empty() || private != kept
        };
        heard.peek().is_some() && heard.all(other) && !self.network.servers.iter().any(|server| server.flaps)
    }

    fn is_private_here(&self, name: &'static str) -> bool {
        let names = BTreeSet::from([name]);
        let of_stub = || self.network.ask_stub(name, Record::A).addresses().iter().any(|address| is_private(*address));
        fate(self.network, name).private
            || visible(self.network).iter().any(|server| self.says_private(server, &names))
            || (self.network.shape.stub != Stub::None && of_stub())
    }

    fn codes(&self) -> Vec<&'static str> {
        let shape = &self.network.shape;
        let victims = self.victims();
        let azure = self.network.all_servers().into_iter().find(|server| server.address == self.network.azure.address);
        let azure_private = azure.is_some_and(|azure| self.says_private(azure, &victims));
        let azure_has_records = azure.is_some_and(|azure| {
            let address = |name: &&str| self.network.ask(azure, &alias(name), Record::A, 0).addresses().to_vec();
            victims.iter().flat_map(address).any(is_private)
        });
        // What such a server gives by chance cannot be distinguished from what it always gives.
        let by_chance = self.network.servers.iter().any(|server| server.flaps);
        let or_flaps = |code| if by_chance { vec![code, "DNS019"] } else { vec![code] };
        let nothing_private = || if self.network.expect() == Expect::Private { vec!["DNS001"] } else { Vec::new() };
        match self.fault.kind {
            Kind::Bypass => {
                let others = self.network.servers.iter().filter(|server| server.address != self.server().address);
                let known = shape.stub != Stub::RoutingDomains;
                if azure_private || azure_has_records {
                    vec!["DNS002"]
                } else if known && others.into_iter().any(|server| self.says_private(server, &victims)) {
                    vec!["DNS005"]
                } else if self.network.expect() == Expect::Private {
                    vec!["DNS001"]
                } else {
                    Vec::new()
                }
            }
            // Where nothing private is left to be seen, nothing shows that a zone is missing.
            Kind::ZoneNotLinked if !self.others_show_private() => {
                // But for the other zones themselves.
                if self.others_are_linked() && azure_private { vec!["DNS003", "DNS020"] } else { nothing_private() }
            }
            Kind::ZoneNotLinked if shape.topology == Topology::HubAndLinks && by_chance => {
                vec!["DNS003", "DNS020", "DNS019"]
            }
            Kind::ZoneNotLinked if shape.topology == Topology::HubAndLinks => vec!["DNS003", "DNS020"],
            Kind::ZoneNotLinked => or_flaps("DNS003"),
            Kind::RecordMissing | Kind::ZoneEmpty => or_flaps("DNS004"),
            // A server whose other faults hide all that it forwards looks like one that forwards nothing, unless the denial of a
            // private zone shows through.
            Kind::AliasForwarder | Kind::SuffixForgotten | Kind::NameForgotten
                if azure_private && self.hides_what_it_forwards() =>
            {
                [or_flaps("DNS020"), vec!["DNS002"]].concat()
            }
            Kind::SuffixForgotten if azure_private => or_flaps("DNS020"),
            Kind::SuffixForgotten if !self.others_show_private() && !self.anything_is_private() => nothing_private(),
            // The zone may as well not be linked where that server resolves.
            Kind::SuffixForgotten => or_flaps("DNS003"),
            // The zone has none of the records: that they are missing is all that can be seen.
            Kind::Ruleset if !azure_has_records => vec!["DNS020", "DNS004", "DNS019"],
            Kind::AliasForwarder | Kind::NameForgotten | Kind::Ruleset => or_flaps("DNS020"),
            Kind::HostsEntry => vec!["DNS006"],
            // It cannot be seen where servers say the same or nothing; and what one that flaps gave the system was chance.
            Kind::StaleCache if !self.contradicts() => vec!["NET001", "NET002", "HTP001", "DNS023"],
            Kind::StaleCache => vec!["DNS007"],
            Kind::ServerSilent if shape.stub == Stub::None => vec!["DNS008"],
            Kind::ServerSilent => vec!["DNS008", "DNS009"],
            Kind::ServerFails | Kind::StubRejects => vec!["DNS009"],
            Kind::TcpBlocked => vec!["DNS010"],
            Kind::Ipv6Bypass => vec!["DNS011"],
            Kind::Sinkhole => vec!["DNS012"],
            Kind::Deleted => vec!["DNS013"],
            Kind::Flaps => vec!["DNS019"],
            Kind::LocalZone => vec!["DNS021"],
            Kind::SearchWildcard => vec!["DNS022"],
            Kind::Connect => {
                let code = ["NET001", "NET002", "NET003"][self.fault.variant % 3];
                // Where another address of the name answers, that is all it costs.
                let several = self.network.got(self.fault.name).addresses().len() > 1;
                if several { vec![code, "NET004"] } else { vec![code] }
            }
            Kind::PathDropped => vec!["NET001"],
            Kind::Intercepted => vec!["TLS001"],
            Kind::Certificate => vec![["TLS002", "TLS003", "TLS004", "TLS009"][self.fault.variant % 4]],
            Kind::HandshakeFails => vec![["TLS006", "TLS007", "TLS005", "TLS008"][self.fault.variant % 4]],
            Kind::Isolated => vec!["HTP001"],
            Kind::BadAnswer if self.fault.variant % 3 == 1 => vec!["HTP002"],
            Kind::BadAnswer => vec![["HTP004", "HTP002", "HTP005"][self.fault.variant % 3]],
            Kind::EndpointRequired => vec!["HTP003"],
            Kind::ProxyTakes if victims.iter().any(|name| fate(self.network, name).private) => vec!["PRX001"],
            Kind::ProxyTakes => Vec::new(),
            Kind::ProxyFails => vec![["PRX002", "PRX003", "PRX004"][self.fault.variant % 3]],
            Kind::AgentOld => vec!["AGT001"],
            Kind::AgentStopped => vec!["AGT004"],
            Kind::NoEndpoint if self.is_private_here(HANDLER) => vec!["AGT005"],
            Kind::NoEndpoint => Vec::new(),
            Kind::Clock => vec!["AZR002"],
        }
    }

    /// Some required name goes wrong by this fault.
    fn breaks(&self, names: &BTreeSet<&'static str>) -> bool {
        let required = |name: &&&str| self.network.planned(name).is_some_and(|planned| planned.need == Need::Required);
        names
            .iter()
            .filter(required)
            .any(|name| wrong(self.network, name) && fate(self.network, name) != fate(self.without, name))
    }

    /// Names that would be private by this server, were it not for the fault.
    fn harmed<'s>(&'s self, names: &'s BTreeSet<&'static str>) -> impl Iterator<Item = &'s &'static str> {
        let server = &self.without.servers[self.fault.server];
        names.iter().filter(move |name| {
            self.without.ask(server, name, Record::A, 0).addresses().iter().any(|address| is_private(*address))
        })
    }

    /// The fault's server has names public, and no name nor record private that another fault on it would not hide.
    fn hides_what_it_forwards(&self) -> bool {
        let reply = |name: &str| self.network.ask(self.server(), name, Record::A, 0);
        let private = |name: &str| reply(name).addresses().iter().any(|address| is_private(*address));
        let recorded = self.recorded();
        recorded.iter().any(|name| !reply(name).addresses().is_empty())
            && !recorded.iter().any(|name| private(name) || private(&alias(name)))
    }

    /// A name of another zone is private somewhere, or its record is.
    fn others_show_private(&self) -> bool {
        let victims = self.victims();
        let asked: Vec<String> = self
            .recorded()
            .into_iter()
            .filter(|name| !victims.contains(name))
            .flat_map(|name| [name.to_owned(), alias(name)])
            .collect();
        self.network.servers.iter().any(|server| {
            asked.iter().any(|name| {
                self.network.ask(server, name, Record::A, 0).addresses().iter().any(|address| is_private(*address))
            })
        })
    }

    /// A server that this machine knows, or its stub, gives a private address.
    fn anything_is_private(&self) -> bool {
        let private = |reply: Reply| reply.addresses().iter().any(|address| is_private(*address));
        self.recorded().into_iter().any(|name| {
            visible(self.network).iter().any(|server| private(self.network.ask(server, name, Record::A, 0)))
                || (self.network.shape.stub != Stub::None && private(self.network.ask_stub(name, Record::A)))
        })
    }

    /// Another zone of the private link than the fault's is linked where a server resolves; that of blobs serves all storage.
    fn others_are_linked(&self) -> bool {
        let zones = || (0..4).filter(|zone| *zone != self.fault.zone).map(|zone| ZONES[zone]);
        let private = |reply: Reply| matches!(reply, Reply::Soa(Authority::PrivateZone(_)));
        let of_servers = visible(self.network)
            .iter()
            .any(|server| zones().any(|zone| private(self.network.ask(server, zone, Record::Soa, 0))));
        let of_stub = || zones().any(|zone| private(self.network.ask_stub(zone, Record::Soa)));
        of_servers || (self.network.shape.stub != Stub::None && of_stub())
    }

    /// This machine asks the zones by somebody else first. What that one leads past them is a fault of its own.
    fn zones_asked_elsewhere(&self, names: &BTreeSet<&'static str>) -> bool {
        let shows = |reply: Reply| {
            reply.denied_by_private_zone() || reply.addresses().iter().any(|address| is_private(*address))
        };
        if self.network.shape.stub != Stub::None {
            return names.iter().any(|name| shows(self.network.ask_stub(name, Record::A)));
        }
        // Each of them is first for some question.
        if self.take_turns() {
            return false;
        }
        let first = &self.network.servers[0];
        first.address != self.server().address
            && names.iter().any(|name| shows(self.network.ask(first, name, Record::A, 0)))
    }

    /// With `rotate` each of several servers is first for some question.
    fn take_turns(&self) -> bool {
        self.network.shape.rotate && self.network.shape.stub == Stub::None && self.network.servers.len() > 1
    }

    /// A server that takes its turn leads one of the names nowhere, and only by this fault.
    fn denied_in_turn(&self, names: &BTreeSet<&'static str>) -> bool {
        let nowhere = |network: &Network, server: &Server, name: &str| {
            let reply = network.ask(server, name, Record::A, 0);
            reply.answered() && reply.addresses().iter().all(std::net::IpAddr::is_unspecified)
        };
        let by_fault = |name: &&'static str| {
            let servers = self.network.servers.iter().zip(&self.without.servers);
            let mut servers = servers
                .map(|(with, without)| (nowhere(self.network, with, name), nowhere(self.without, without, name)));
            servers.any(|(now, before)| now && !before)
        };
        self.take_turns() && names.iter().any(by_fault)
    }

    /// The network lets the name through, wherever it leads.
    fn passes(&self, name: &str) -> bool {
        let got = self.network.got(name);
        fate(self.network, name).reached
            && got.addresses().iter().all(|address| self.network.front(*address).http != Http::Isolated)
    }

    fn severity(&self, names: &BTreeSet<&'static str>) -> Severity {
        use Severity::{Error, Info, Warning};
        let or_warning = |error: bool| if error { Error } else { Warning };
        let resolves = |name: &&'static str| {
            matches!(self.network.got(name), Got::Found { .. }) || !matches!(self.without.got(name), Got::Found { .. })
        };
        let breaks = self.breaks(names);
        match self.fault.kind {
            Kind::SuffixForgotten if self.codes() == ["DNS003"] => Error,
            Kind::Bypass | Kind::AliasForwarder | Kind::SuffixForgotten | Kind::NameForgotten => {
                or_warning(breaks || !self.zones_asked_elsewhere(names))
            }
            Kind::ZoneNotLinked | Kind::Ruleset | Kind::Ipv6Bypass | Kind::Flaps => Error,
            Kind::RecordMissing | Kind::ZoneEmpty if self.network.shape.fallback => {
                // What would not answer without the fault either is another fault's work.
                let reached = names.iter().all(|name| {
                    fate(self.network, name).reached || !fate(self.without, name).reached || self.is_evidence(name)
                });
                or_warning(self.network.expect() == Expect::Private || !reached)
            }
            Kind::RecordMissing | Kind::ZoneEmpty | Kind::LocalZone | Kind::Sinkhole => {
                or_warning(breaks || !names.iter().all(&resolves) || self.denied_in_turn(names))
            }
            Kind::HostsEntry => {
                let got = self.network.got(self.fault.name);
                let refused = got.addresses().iter().any(|address| self.network.front(*address).http == Http::Isolated);
                or_warning(wrong(self.network, self.fault.name) || refused)
            }
            // What nobody can tell from the right answer is as bad as what becomes of it.
            Kind::StaleCache if !self.contradicts() => or_warning(!self.passes(self.fault.name)),
            Kind::StaleCache => {
                // What would not answer without the fault either is another fault's work.
                let cut_off =
                    !fate(self.network, self.fault.name).reached && fate(self.without, self.fault.name).reached;
                or_warning(breaks && (cut_off || self.network.expect() == Expect::Private))
            }
            Kind::ServerSilent => {
                let others = self.network.servers.iter().any(|server| {
                    server.trouble.is_none_or(|trouble| !matches!(trouble, Trouble::Silent | Trouble::Closed))
                });
                let answers = |server: &&Server| server.trouble.is_none() && !(server.truncates && server.tcp_dropped);
                let mut works = self.network.servers.iter().filter(answers);
                match (others, self.network.shape.stub) {
                    (false, _) => Error,
                    (true, Stub::None) => Warning,
                    // Only behind a stub that works does a silent server cost nothing.
                    (true, _) if self.network.stub_rejects || works.next().is_none() => Warning,
                    (true, _) => Info,
                }
            }
            Kind::ServerFails => {
                // One of several that fails is a warning: what the others get wrong is their own fault.
                let answers =
                    |server: &Server| names.iter().all(|name| self.network.ask(server, name, Record::A, 0).answered());
                or_warning(!self.network.servers.iter().any(answers))
            }
            Kind::TcpBlocked if breaks || names.iter().any(|name| self.network.got(name).addresses().is_empty()) => {
                Error
            }
            Kind::TcpBlocked | Kind::StubRejects => or_warning(breaks || !names.iter().all(&resolves)),
            Kind::SearchWildcard => or_warning(breaks),
            Kind::Intercepted => Error,
            Kind::BadAnswer if self.fault.variant % 3 < 2 => Warning,
            Kind::ProxyTakes => or_warning(!matches!(self.network.proxy, None | Some(Proxy::Works))),
            Kind::Clock => or_warning(self.network.ahead_s.abs() > 900),
            _ => Error,
        }
    }

    /// A locked-down network rightly leaves public names unanswered that nothing depends on.
    fn is_no_answer(&self) -> bool {
        self.fault.kind == Kind::Connect || (self.fault.kind == Kind::HandshakeFails && self.fault.variant % 4 < 2)
    }

    fn is_evidence(&self, name: &str) -> bool {
        self.network.planned(name).is_none_or(|planned| planned.need == Need::Evidence)
    }

    /// How bad it can be at most, by what depends on the names.
    fn most(&self, names: &BTreeSet<&'static str>) -> Severity {
        let need = names.iter().filter_map(|name| self.network.planned(name)).map(|planned| planned.need).max();
        match need {
            None | Some(Need::Required) => Severity::Error,
            Some(Need::Optional) if zone_of(self.fault.name).is_none() && self.is_no_answer() => Severity::Info,
            Some(Need::Optional) => Severity::Warning,
            Some(Need::Evidence) => Severity::Info,
        }
    }
}
