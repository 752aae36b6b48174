//! Networks: a shape of a few small values, drawn at random, and the description that follows from it.
//!
//! A [`Shape`] is a network without faults; each of its values has a plain default, so that a failing one can be made
//! smaller value by value. [`Network`] is what the shape stands for in full: zones, servers, forwarders, the machine's
//! resolver, addresses and how each of them answers. Faults change a network, never a shape.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ampls_probes::endpoint::{Expect, Expectation, Need};
use ampls_probes::testing::{AGENTSVC, API, DCE, HANDLER, IN_AI, METRICS, ODS, OMS, REGIONAL, ZONES};

use super::random::Random;

/// Where logs go that a data collection endpoint takes.
pub(super) const INGEST: &str = "prod-ab12.westeurope-1.ingest.monitor.azure.com";
/// Solutions of the legacy agents.
pub(super) const PACKS: &str = "scadvisorcontentpl.blob.core.windows.net";
/// Azure's own DNS.
pub(super) const AZURE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)), 53);
/// systemd-resolved.
pub(super) const STUB: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 53)), 53);
/// What a wildcard of the search domain gives.
pub(super) const WILDCARD: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 80));
/// An address that was a private endpoint's and is nobody's now.
pub(super) const FORMER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 7, 7));
/// The search domain.
pub(super) const SEARCH: &str = "corp.example";

/// Every name that can be looked at.
pub(super) const NAMES: [&str; 11] = [HANDLER, REGIONAL, DCE, INGEST, ODS, OMS, AGENTSVC, PACKS, METRICS, API, IN_AI];

/// Which networks see the private zones, and how this machine resolves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Topology {
    /// The machine asks Azure's DNS.
    #[default]
    Azure,
    /// Its servers forward everything to Azure's DNS of this network.
    Forwarders,
    /// Its servers forward the five public suffixes and ask public DNS for the rest.
    SuffixForwarders,
    /// Its servers resolve in a hub that the zones are linked to; this network has no links.
    Hub,
    /// The same, and this network has the links too.
    HubAndLinks,
    /// The same as `Hub`, on premises: Azure's DNS does not answer.
    Premises,
}

/// What stands between programs and the servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stub {
    /// Nothing.
    #[default]
    None,
    /// systemd-resolved with one link.
    Resolved,
    /// systemd-resolved: a link with routing domains for Azure Monitor, and a VPN that is the default.
    RoutingDomains,
}

/// Agents of the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Agents {
    /// Looked for, none found.
    #[default]
    None,
    /// Azure Monitor Agent with a data collection endpoint.
    Ama,
    /// The retired agent for Linux, new enough for a private link.
    Oms,
    /// Both.
    Both,
}

/// What becomes of connections to public addresses of names that should be private.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Egress {
    /// They pass.
    #[default]
    Open,
    /// They pass, and the service refuses by network isolation.
    Isolated,
    /// A firewall drops them.
    Dropped,
    /// A firewall rejects them.
    Refused,
}

/// A network without faults.
#[expect(clippy::struct_excessive_bools, reason = "each is a feature of a network that is there or not")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// A private link is meant. Otherwise nothing is linked anywhere.
    pub(super) public: bool,
    pub(super) topology: Topology,
    /// Servers of the machine beyond the first, where it does not ask Azure's DNS.
    pub(super) more_servers: u8,
    pub(super) stub: Stub,
    /// `--expect` names what is meant.
    pub(super) expect_named: bool,
    pub(super) agents: Agents,
    pub(super) egress: Egress,
    pub(super) ipv6: bool,
    pub(super) search: bool,
    pub(super) ndots5: bool,
    pub(super) rotate: bool,
    pub(super) use_vc: bool,
    /// Answers do not fit a datagram, and TCP gives the rest.
    pub(super) long_answers: bool,
    /// Links allow fallback to internet.
    pub(super) fallback: bool,
}

impl Shape {
    /// Draws a shape.
    pub(super) fn random(random: &mut Random) -> Self {
        let topology = *random.pick(&[
            Topology::Azure,
            Topology::Azure,
            Topology::Forwarders,
            Topology::Forwarders,
            Topology::SuffixForwarders,
            Topology::Hub,
            Topology::HubAndLinks,
            Topology::Premises,
        ]);
        let stub = *random.pick(&[Stub::None, Stub::None, Stub::None, Stub::Resolved, Stub::RoutingDomains]);
        Self {
            public: random.one_in(6),
            topology,
            more_servers: u8::try_from(random.below(3)).unwrap_or_default(),
            stub,
            expect_named: random.one_in(3),
            agents: *random.pick(&[Agents::None, Agents::None, Agents::Ama, Agents::Ama, Agents::Oms, Agents::Both]),
            egress: *random.pick(&[Egress::Open, Egress::Open, Egress::Isolated, Egress::Dropped, Egress::Refused]),
            ipv6: random.one_in(4),
            search: random.one_in(3),
            ndots5: random.one_in(6),
            rotate: random.one_in(8),
            use_vc: random.one_in(10),
            long_answers: random.one_in(10),
            fallback: random.one_in(5),
        }
    }

    /// Shapes that differ from this one in a single value, which is plainer there.
    pub(super) fn plainer(&self) -> Vec<Self> {
        let plain = Self::default();
        let changes: [fn(&mut Self, &Self); 14] = [
            |shape, plain| shape.more_servers = plain.more_servers,
            |shape, plain| shape.stub = plain.stub,
            |shape, plain| shape.topology = plain.topology,
            |shape, _| shape.topology = Topology::Forwarders,
            |shape, plain| shape.public = plain.public,
            |shape, plain| shape.expect_named = plain.expect_named,
            |shape, plain| shape.agents = plain.agents,
            |shape, plain| shape.egress = plain.egress,
            |shape, plain| shape.ipv6 = plain.ipv6,
            |shape, plain| (shape.search, shape.ndots5) = (plain.search, plain.ndots5),
            |shape, plain| shape.rotate = plain.rotate,
            |shape, plain| shape.use_vc = plain.use_vc,
            |shape, plain| shape.long_answers = plain.long_answers,
            |shape, plain| shape.fallback = plain.fallback,
        ];
        let shapes = changes.iter().map(|change| {
            let mut shape = self.clone();
            change(&mut shape, &plain);
            shape
        });
        shapes
            .filter(|shape| {
                shape != self && (shape.topology != Topology::Forwarders || self.topology != Topology::Azure)
            })
            .collect()
    }
}

/// A zone of a private link, as an index into [`ZONES`].
pub(super) type Zone = usize;

/// The public suffix of a zone.
pub(super) fn suffix(zone: Zone) -> &'static str {
    ZONES[zone].strip_prefix("privatelink.").unwrap_or(ZONES[zone])
}

/// The zone that holds a name's record; none where it never has one.
pub(super) fn zone_of(name: &str) -> Option<Zone> {
    if [REGIONAL, METRICS].contains(&name) {
        return None;
    }
    (0..ZONES.len()).find(|zone| below(name, suffix(*zone)))
}

/// The name lies below the suffix.
pub(super) fn below(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.'))
}

/// Where answers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum View {
    /// Azure's DNS of this machine's network.
    Spoke,
    /// Azure's DNS of the hub.
    Hub,
    /// Public DNS.
    Public,
    /// Somewhere that does not answer: the forwarder gives SERVFAIL.
    Nowhere,
}

/// The private zones of one network.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    pub(super) zones: BTreeMap<Zone, Link>,
    /// Suffixes that a forwarding ruleset sends elsewhere.
    pub(super) ruleset: BTreeMap<String, View>,
}

/// A linked zone. It holds a record of every name, except the missing ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Link {
    pub(super) fallback: bool,
    pub(super) missing: BTreeSet<&'static str>,
    /// Names that have an AAAA record with a public address.
    pub(super) public_v6: BTreeSet<&'static str>,
}

/// A DNS server.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) default: View,
    /// Conditional forwarders; the longest suffix decides.
    pub(super) forward: BTreeMap<String, View>,
    /// Zones of its own, and the names that they hold with their addresses.
    pub(super) own_zones: BTreeMap<String, BTreeMap<&'static str, IpAddr>>,
    pub(super) trouble: Option<Trouble>,
    /// Names below this are given the address 0.0.0.0.
    pub(super) sinkholes: BTreeSet<&'static str>,
    /// Every second answer comes from public DNS.
    pub(super) flaps: bool,
    /// Its UDP answers are truncated.
    pub(super) truncates: bool,
    /// TCP 53 to it is dropped.
    pub(super) tcp_dropped: bool,
}

impl Server {
    pub(super) fn new(address: SocketAddr, default: View) -> Self {
        Self {
            address,
            default,
            forward: BTreeMap::new(),
            own_zones: BTreeMap::new(),
            trouble: None,
            sinkholes: BTreeSet::new(),
            flaps: false,
            truncates: false,
            tcp_dropped: false,
        }
    }
}

/// A server that gives no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Silent,
    Closed,
    ServFail,
    Refused,
    FormErr,
    Malformed,
}

/// How an address answers on the port of a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Front {
    pub(super) tcp: Tcp,
    pub(super) tls: Tls,
    pub(super) http: Http,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tcp {
    #[default]
    Open,
    Dropped,
    Refused,
    HostUnreachable,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tls {
    #[default]
    Good,
    Intercepted {
        trusted: bool,
    },
    NotTrusted,
    WrongName,
    Expired,
    Reset,
    Stalled,
    TooOld,
    Plain,
    Incomplete,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Http {
    #[default]
    Good,
    Isolated,
    EndpointRequired,
    Busy,
    Page,
    Silent,
}

/// A proxy that the arguments of this run name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proxy {
    Works,
    WantsCredentials,
    Dead,
    Denies,
}

/// What the agents' files say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct AgentState {
    pub(super) too_old: bool,
    pub(super) stopped: bool,
    pub(super) without_endpoint: bool,
}

/// One name that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) name: &'static str,
    pub(super) need: Need,
    pub(super) expected: Expectation,
}

/// Everything that is so, faults included.
#[derive(Clone, Debug)]
pub(super) struct Network {
    pub(super) shape: Shape,
    pub(super) names: Vec<Planned>,
    pub(super) spoke: Links,
    pub(super) hub: Links,
    /// The servers that resolve for this machine, in its order. Azure's DNS may be among them.
    pub(super) servers: Vec<Server>,
    /// Azure's DNS as this machine sees it.
    pub(super) azure: Server,
    /// The link of the stub that is the default and not asked for names of Azure Monitor.
    pub(super) vpn: Option<Server>,
    /// The stub rejects every answer below these zones.
    pub(super) stub_rejects: bool,
    /// The search domain holds a wildcard.
    pub(super) wildcard: bool,
    pub(super) hosts: BTreeMap<&'static str, IpAddr>,
    /// Answers that this machine's cache keeps.
    pub(super) cached: BTreeMap<&'static str, IpAddr>,
    /// Names that were deleted: public DNS denies them.
    pub(super) deleted: BTreeSet<&'static str>,
    /// Addresses that answer otherwise than the rest.
    pub(super) fronts: BTreeMap<IpAddr, Front>,
    pub(super) proxy: Option<Proxy>,
    pub(super) agents: AgentState,
    /// How far this machine's clock is ahead, in seconds.
    pub(super) ahead_s: i64,
}

impl Network {
    /// What a shape stands for.
    pub(super) fn new(shape: &Shape) -> Self {
        let links = || Links {
            zones: (0..ZONES.len()).map(|zone| (zone, Link { fallback: shape.fallback, ..Link::default() })).collect(),
            ruleset: BTreeMap::new(),
        };
        let none = Links::default;
        let (spoke, hub) = match shape.topology {
            _ if shape.public => (none(), none()),
            Topology::Azure | Topology::Forwarders | Topology::SuffixForwarders => (links(), none()),
            Topology::Hub | Topology::Premises => (none(), links()),
            Topology::HubAndLinks => (links(), links()),
        };
        let mut azure = Server::new(AZURE, View::Spoke);
        if shape.topology == Topology::Premises {
            azure.trouble = Some(Trouble::Silent);
        }
        let servers = match shape.topology {
            Topology::Azure => vec![azure.clone()],
            _ => (0..=shape.more_servers).map(|index| server(shape.topology, index)).collect(),
        };
        let vpn = (shape.stub == Stub::RoutingDomains)
            .then(|| Server::new(socket(Ipv4Addr::new(10, 200, 0, 1)), View::Public));
        let mut network = Self {
            shape: shape.clone(),
            names: names(shape.agents),
            spoke,
            hub,
            servers,
            azure,
            vpn,
            stub_rejects: false,
            wildcard: false,
            hosts: BTreeMap::new(),
            cached: BTreeMap::new(),
            deleted: BTreeSet::new(),
            fronts: BTreeMap::new(),
            proxy: None,
            agents: AgentState::default(),
            ahead_s: 0,
        };
        for server in &mut network.servers {
            server.truncates = shape.long_answers;
        }
        network
    }

    /// What the user said is expected.
    pub(super) fn expect(&self) -> Expect {
        match (self.shape.expect_named, self.shape.public) {
            (false, _) => Expect::Auto,
            (true, false) => Expect::Private,
            (true, true) => Expect::Public,
        }
    }

    /// Private zones of a view; none for public DNS.
    pub(super) fn links(&self, view: View) -> Option<&Links> {
        match view {
            View::Spoke => Some(&self.spoke),
            View::Hub => Some(&self.hub),
            View::Public | View::Nowhere => None,
        }
    }

    /// How an address answers for a name.
    pub(super) fn front(&self, address: IpAddr) -> Front {
        if let Some(front) = self.fronts.get(&address) {
            return *front;
        }
        let dropped = Front { tcp: Tcp::Dropped, ..Front::default() };
        if address == FORMER {
            return dropped;
        }
        if address == WILDCARD {
            return Front { tls: Tls::WrongName, ..Front::default() };
        }
        let concerned =
            !self.shape.public && NAMES.iter().any(|name| zone_of(name).is_some() && is_public_of(name, address));
        match self.shape.egress {
            Egress::Dropped if concerned => dropped,
            Egress::Refused if concerned => Front { tcp: Tcp::Refused, ..Front::default() },
            Egress::Isolated if concerned => Front { http: Http::Isolated, ..Front::default() },
            _ => Front::default(),
        }
    }

    /// What is planned for a name.
    pub(super) fn planned(&self, name: &str) -> Option<Planned> {
        self.names.iter().copied().find(|planned| planned.name == name)
    }

    /// The address that a name has where all is well.
    pub(super) fn right_address(&self, name: &str) -> IpAddr {
        if self.shape.public || zone_of(name).is_none() { public_address(name) } else { private_address(name) }
    }
}

fn server(topology: Topology, index: u8) -> Server {
    let address = socket(Ipv4Addr::new(10, 1, 0, index.saturating_add(4)));
    match topology {
        Topology::SuffixForwarders => {
            let mut server = Server::new(address, View::Public);
            server.forward = (0..ZONES.len()).map(|zone| (suffix(zone).to_owned(), View::Spoke)).collect();
            server
        }
        Topology::Hub | Topology::HubAndLinks | Topology::Premises => Server::new(address, View::Hub),
        Topology::Azure | Topology::Forwarders => Server::new(address, View::Spoke),
    }
}

fn socket(address: Ipv4Addr) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(address), 53)
}

/// What is looked at, and how much depends on it.
fn names(agents: Agents) -> Vec<Planned> {
    use Expectation::{Any, Private, Public};
    use Need::{Evidence, Optional, Required};
    let ama = agents != Agents::Oms;
    let legacy = match agents {
        Agents::None | Agents::Oms | Agents::Both => (Required, Optional),
        Agents::Ama => (Evidence, Evidence),
    };
    let mut names = Vec::new();
    let mut add = |name, need, expected| names.push(Planned { name, need, expected });
    if ama {
        add(HANDLER, Required, Private);
        add(REGIONAL, Optional, Any);
    }
    if ama && agents != Agents::None {
        add(DCE, Required, Private);
        add(INGEST, Optional, Private);
        add(METRICS, Optional, Public);
    }
    add(ODS, Required, Private);
    add(OMS, legacy.0, Private);
    add(AGENTSVC, legacy.1, Private);
    if agents == Agents::None {
        add(PACKS, Optional, Private);
    }
    add(API, Evidence, Private);
    add(IN_AI, Evidence, Private);
    names
}

fn number(name: &str) -> u8 {
    NAMES.iter().position(|known| *known == name).and_then(|place| u8::try_from(place).ok()).unwrap_or(0)
}

/// The record of a name in its private zone.
pub(super) fn private_address(name: &str) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 1, 2, number(name) + 4))
}

/// Microsoft's address of a name.
pub(super) fn public_address(name: &str) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(20, 50, 88, number(name) + 4))
}

/// Microsoft's IPv6 address of a name.
pub(super) fn public_v6(name: &str) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(0x2603, 0x1020, 0, 0, 0, 0, 0, u16::from(number(name)) + 4))
}

fn is_public_of(name: &str, address: IpAddr) -> bool {
    address == public_address(name) || address == public_v6(name)
}

/// Where an address leads, by the numbering plan of these networks.
pub(super) fn is_private(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(v4) if v4.octets()[0] == 10)
}
