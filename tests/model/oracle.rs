//! What a right doctor says, from the description alone.

#![expect(clippy::match_same_arms, reason = "one line a kind of fault reads as a table")]

use std::collections::BTreeSet;

use ampls_doctor::diagnose::finding::Severity;
use ampls_probes::endpoint::Expect;
use ampls_probes::endpoint::Need;
use ampls_probes::testing::{AGENTSVC, HANDLER, ODS, OMS, alias};

use super::faults::{Fault, Kind};
use super::network::{
    Agents, Front, Http, Network, Proxy, STUB, Server, Stub, Tcp, Tls, Topology, Trouble, below, is_private, suffix,
    zone_of,
};
use super::resolve::{Got, Kind as Record};

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
    let is_private_link = |reply: super::resolve::Reply| {
        reply.denied_by_private_zone() || reply.addresses().iter().any(|address| is_private(*address))
    };
    let servers = if network.shape.stub == Stub::RoutingDomains { &[][..] } else { &network.servers[..] };
    fate(network, name).private
        || servers.iter().any(|server| is_private_link(network.ask(server, name, Record::A, 0)))
        || (network.shape.stub != Stub::None && is_private_link(network.ask_stub(name, Record::A)))
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
        let (codes, names) = (vec!["DNS002"], BTreeSet::new());
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
        // Another fault hides whether the server asked first is right.
        let severity = match self.fault.kind {
            Kind::Bypass if self.harmed(&names).next().is_none() => Severity::Error.min(self.most(&names)),
            _ => severity,
        };
        let least = match self.fault.kind {
            // A server's TCP that another server's answers make up for may be said either way.
            Kind::SearchWildcard | Kind::TcpBlocked => Severity::Warning.min(severity),
            // How bad a server is behind a stub that rejects everything, nobody can see.
            _ if self.network.stub_rejects => Severity::Warning.min(severity),
            Kind::Bypass if self.harmed(&names).next().is_none() => Severity::Warning.min(severity),
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
            _ => None,
        };
        // A kept answer that the servers give too, or that no server contradicts, is not seen as such.
        let hidden = self.fault.kind == Kind::StaleCache && !self.contradicts();
        if codes.is_empty() { Vec::new() } else { vec![Claim { fault, codes, server, hidden, names, severity, least }] }
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
            Kind::ServerSilent | Kind::ServerFails | Kind::TcpBlocked | Kind::StubRejects | Kind::ProxyTakes => all(),
            Kind::ProxyFails | Kind::SearchWildcard => all(),
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

    /// Every server contradicts what the cache gives, and always does.
    fn contradicts(&self) -> bool {
        let kept = fate(self.network, self.fault.name).private;
        self.network.servers.iter().all(|server| {
            let reply = self.network.ask(server, self.fault.name, Record::A, 0);
            let private = reply.addresses().iter().any(|address| is_private(*address));
            let other = reply.addresses().is_empty() || private != kept;
            !server.flaps && reply.answered() && other
        })
    }

    fn is_private_here(&self, name: &'static str) -> bool {
        let names = BTreeSet::from([name]);
        fate(self.network, name).private || self.network.servers.iter().any(|server| self.says_private(server, &names))
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
                if self.network.expect() == Expect::Private {
                    vec!["DNS001"]
                } else {
                    Vec::new()
                }
            }
            Kind::ZoneNotLinked if shape.topology == Topology::HubAndLinks && by_chance => {
                vec!["DNS003", "DNS020", "DNS019"]
            }
            Kind::ZoneNotLinked if shape.topology == Topology::HubAndLinks => vec!["DNS003", "DNS020"],
            Kind::ZoneNotLinked => or_flaps("DNS003"),
            Kind::RecordMissing | Kind::ZoneEmpty => or_flaps("DNS004"),
            Kind::SuffixForgotten if azure_private => or_flaps("DNS020"),
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

    /// This machine gets the right answer for all of the names from somebody else.
    fn right_elsewhere(&self, names: &BTreeSet<&'static str>) -> bool {
        let shape = &self.network.shape;
        let private = |network: &Network, server: &Server, name: &str| {
            network.ask(server, name, Record::A, 0).addresses().iter().any(|address| is_private(*address))
        };
        let mut harmed = self.harmed(names);
        if shape.stub != Stub::None {
            let stub = |name: &str| self.network.ask_stub(name, Record::A);
            return harmed.all(|name| stub(name).addresses().iter().any(|address| is_private(*address)));
        }
        let first = &self.network.servers[0];
        first.address != self.server().address && harmed.all(|name| private(self.network, first, name))
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
                or_warning(breaks || !self.right_elsewhere(names))
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
                or_warning(breaks || !names.iter().all(&resolves))
            }
            Kind::HostsEntry => {
                let got = self.network.got(self.fault.name);
                let refused = got.addresses().iter().any(|address| self.network.front(*address).http == Http::Isolated);
                or_warning(wrong(self.network, self.fault.name) || refused)
            }
            Kind::StaleCache => {
                let fate = fate(self.network, self.fault.name);
                or_warning(breaks && (!fate.reached || self.network.expect() == Expect::Private))
            }
            Kind::ServerSilent => {
                let others = self.network.servers.iter().any(|server| {
                    server.trouble.is_none_or(|trouble| !matches!(trouble, Trouble::Silent | Trouble::Closed))
                });
                let mut works = self.network.servers.iter().filter(|server| server.trouble.is_none());
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
