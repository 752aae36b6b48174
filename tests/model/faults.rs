//! What can be wrong with a network. Each kind knows where it can occur and what it changes in a description.

#![expect(clippy::match_same_arms, reason = "one line a kind of fault reads as a table")]

use ampls_probes::endpoint::Need;
use ampls_probes::testing::{AGENTSVC, HANDLER, ODS, OMS, ZONES};

use super::network::{
    Agents, FORMER, Front, Http, Links, NAMES, Network, Proxy, Shape, Stub, Tcp, Tls, Topology, Trouble, View, Zone,
    private_address, public_address, public_v6, suffix, zone_of,
};
use super::random::Random;

macro_rules! kinds {
    ($($kind:ident),* $(,)?) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Kind { $($kind),* }

        /// Every kind.
        pub(super) const KINDS: &[Kind] = &[$(Kind::$kind),*];
    };
}

kinds! {
    Bypass, ZoneNotLinked, RecordMissing, ZoneEmpty, AliasForwarder, SuffixForgotten, NameForgotten, Ruleset, HostsEntry,
    StaleCache, ServerSilent, ServerFails, TcpBlocked, Ipv6Bypass, Sinkhole, Deleted, Flaps, LocalZone, SearchWildcard,
    StubRejects,
    Connect, PathDropped, Intercepted, Certificate, HandshakeFails, Isolated, BadAnswer, EndpointRequired,
    ProxyTakes, ProxyFails, AgentOld, AgentStopped, NoEndpoint, Clock,
}

/// One thing that is wrong. Which of the values below matter depends on the kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    pub(super) name: &'static str,
    pub(super) zone: Zone,
    pub(super) server: usize,
    pub(super) variant: usize,
}

impl Fault {
    /// Draws a fault of a kind; none where the network has no place for it.
    pub(super) fn random(kind: Kind, shape: &Shape, random: &mut Random) -> Option<Self> {
        let network = Network::new(shape);
        let names: Vec<&'static str> =
            network.names.iter().map(|planned| planned.name).filter(|name| fits(kind, &network, name)).collect();
        let zones: Vec<Zone> = (0..ZONES.len()).filter(|zone| has_names(&network, *zone)).collect();
        let fault = Self {
            kind,
            name: names.get(random.below(names.len().max(1))).copied().unwrap_or(""),
            zone: *random.pick(&zones),
            server: random.below(network.servers.len()),
            variant: random.below(12),
        };
        (!fault.name.is_empty() && fault.is_possible(&network)).then_some(fault)
    }

    /// Whether the network has a place for it, and a way to show it.
    pub(super) fn is_possible(&self, network: &Network) -> bool {
        let shape = &network.shape;
        let private = !shape.public;
        let custom = shape.topology != Topology::Azure;
        let known = shape.stub != Stub::RoutingDomains;
        let several = network.servers.len() > 1;
        let azure_shows = private
            && matches!(shape.topology, Topology::Forwarders | Topology::SuffixForwarders | Topology::HubAndLinks);
        if self.server >= network.servers.len()
            || !has_names(network, self.zone)
            || !fits(self.kind, network, self.name)
        {
            return false;
        }
        match self.kind {
            Kind::Bypass => private && custom && (azure_shows || shape.expect_named || (several && known)),
            Kind::ZoneNotLinked | Kind::SuffixForgotten => {
                // Something of the private link has to remain for the rest of it to be missed.
                let others = (0..4).filter(|zone| *zone != self.zone && has_names(network, *zone));
                private && others.count() > 0 && (self.kind == Kind::ZoneNotLinked || custom)
            }
            Kind::RecordMissing | Kind::Isolated | Kind::ProxyTakes => private,
            Kind::ZoneEmpty => private || (self.zone == 0 && shape.agents != Agents::Oms),
            Kind::AliasForwarder | Kind::NameForgotten => private && custom,
            Kind::Ruleset => private && resolving_view(shape) == View::Spoke,
            Kind::HostsEntry | Kind::Connect | Kind::Intercepted | Kind::Certificate | Kind::HandshakeFails => true,
            Kind::BadAnswer | Kind::ProxyFails | Kind::Clock | Kind::Deleted => true,
            Kind::StaleCache => known,
            Kind::ServerSilent | Kind::ServerFails => custom && (several || known || self.kind == Kind::ServerFails),
            Kind::TcpBlocked => known && !shape.use_vc && custom,
            Kind::Ipv6Bypass => private && shape.ipv6,
            Kind::Sinkhole | Kind::LocalZone => custom && (self.server == 0 || known),
            Kind::Flaps => private && known && custom,
            Kind::SearchWildcard => shape.search && shape.ndots5,
            Kind::StubRejects => shape.stub == Stub::Resolved,
            Kind::PathDropped | Kind::NoEndpoint | Kind::EndpointRequired => {
                let ama = matches!(shape.agents, Agents::Ama | Agents::Both);
                private && (self.kind != Kind::NoEndpoint || ama)
            }
            Kind::AgentOld => matches!(shape.agents, Agents::Oms | Agents::Both),
            Kind::AgentStopped => shape.agents != Agents::None,
        }
    }

    /// Changes the description.
    #[expect(clippy::too_many_lines, reason = "one arm a kind")]
    pub(super) fn apply(&self, network: &mut Network) {
        let view = resolving_view(&network.shape);
        let right = network.right_address(self.name);
        let fallback = network.shape.fallback;
        let name = self.name;
        let at = |network: &mut Network, change: &dyn Fn(&mut Front)| {
            change(network.fronts.entry(right).or_default());
            if zone_of(name).is_none() && network.shape.ipv6 {
                change(network.fronts.entry(public_v6(name)).or_default());
            }
        };
        match self.kind {
            Kind::Bypass => {
                let server = &mut network.servers[self.server];
                server.default = View::Public;
                server.forward.clear();
            }
            Kind::ZoneNotLinked => {
                links(network, view).zones.remove(&self.zone);
            }
            Kind::RecordMissing => miss(links(network, view), self.name),
            Kind::ZoneEmpty => {
                let links = links(network, view);
                links.zones.entry(self.zone).or_default().fallback = fallback;
                for name in NAMES.into_iter().filter(|name| zone_of(name) == Some(self.zone)) {
                    miss(links, name);
                }
            }
            Kind::AliasForwarder => {
                let server = &mut network.servers[self.server];
                server.default = View::Public;
                server.forward = ZONES.iter().map(|zone| ((*zone).to_owned(), view)).collect();
            }
            Kind::SuffixForgotten => {
                let server = &mut network.servers[self.server];
                if server.forward.is_empty() {
                    server.forward = (0..ZONES.len()).map(|zone| (suffix(zone).to_owned(), server.default)).collect();
                }
                server.default = View::Public;
                server.forward.remove(suffix(self.zone));
            }
            Kind::NameForgotten => {
                network.servers[self.server].forward.insert(self.name.to_owned(), View::Public);
            }
            Kind::Ruleset => {
                let zones = if self.variant < 6 { 0..ZONES.len() } else { self.zone..self.zone + 1 };
                links(network, view).ruleset.extend(zones.map(|zone| (suffix(zone).to_owned(), View::Public)));
            }
            Kind::HostsEntry => {
                let address = [FORMER, public_address(self.name), right][self.variant % 3];
                network.hosts.insert(self.name, address);
            }
            Kind::StaleCache => {
                let address = if network.shape.public { FORMER } else { public_address(self.name) };
                network.cached.insert(self.name, address);
            }
            Kind::ServerSilent => {
                let trouble = [Trouble::Silent, Trouble::Closed][self.variant % 2];
                network.servers[self.server].trouble = Some(trouble);
            }
            Kind::ServerFails => {
                let trouble =
                    [Trouble::ServFail, Trouble::Refused, Trouble::FormErr, Trouble::Malformed][self.variant % 4];
                network.servers[self.server].trouble = Some(trouble);
            }
            Kind::TcpBlocked => {
                let server = &mut network.servers[self.server];
                (server.truncates, server.tcp_dropped) = (true, true);
            }
            Kind::Ipv6Bypass => {
                if let Some(link) = zone_of(self.name).and_then(|zone| links(network, view).zones.get_mut(&zone)) {
                    link.public_v6.insert(self.name);
                }
            }
            Kind::Sinkhole => {
                network.servers[self.server].sinkholes.insert(self.name);
            }
            Kind::Deleted => network.deleted.extend([ODS, OMS, AGENTSVC]),
            Kind::Flaps => network.servers[self.server].flaps = true,
            Kind::LocalZone => {
                let zone = if self.variant < 9 { suffix(self.zone) } else { "azure.com" };
                network.servers[self.server].own_zones.insert(zone.to_owned(), std::collections::BTreeMap::new());
            }
            Kind::SearchWildcard => network.wildcard = true,
            Kind::StubRejects => network.stub_rejects = true,
            Kind::Connect => {
                let tcp = [Tcp::Dropped, Tcp::Refused, Tcp::HostUnreachable][self.variant % 3];
                at(network, &|front| front.tcp = tcp);
            }
            Kind::PathDropped => {
                for name in NAMES {
                    network.fronts.entry(private_address(name)).or_default().tcp = Tcp::Dropped;
                }
            }
            Kind::Intercepted => {
                let tls = Tls::Intercepted { trusted: self.variant.is_multiple_of(2) };
                at(network, &|front| front.tls = tls);
            }
            Kind::Certificate => {
                let tls = [Tls::NotTrusted, Tls::WrongName, Tls::Expired, Tls::Incomplete][self.variant % 4];
                at(network, &|front| front.tls = tls);
            }
            Kind::HandshakeFails => {
                let tls = [Tls::Reset, Tls::Stalled, Tls::TooOld, Tls::Plain][self.variant % 4];
                at(network, &|front| front.tls = tls);
            }
            Kind::Isolated => network.fronts.entry(right).or_default().http = Http::Isolated,
            Kind::BadAnswer => {
                let http = [Http::Busy, Http::Page, Http::Silent][self.variant % 3];
                network.fronts.entry(right).or_default().http = http;
            }
            Kind::EndpointRequired => {
                network.fronts.entry(private_address(HANDLER)).or_default().http = Http::EndpointRequired;
            }
            Kind::ProxyTakes => network.proxy = Some(network.proxy.unwrap_or(Proxy::Works)),
            Kind::ProxyFails => {
                let proxy = [Proxy::WantsCredentials, Proxy::Dead, Proxy::Denies][self.variant % 3];
                network.proxy = Some(proxy);
            }
            Kind::AgentOld => network.agents.too_old = true,
            Kind::AgentStopped => network.agents.stopped = true,
            Kind::NoEndpoint => network.agents.without_endpoint = true,
            Kind::Clock => network.ahead_s = [600, -600, 3_600, -3_600][self.variant % 4],
        }
    }
}

/// Where the machine's servers get what is private.
pub(super) fn resolving_view(shape: &Shape) -> View {
    match shape.topology {
        Topology::Azure | Topology::Forwarders | Topology::SuffixForwarders => View::Spoke,
        Topology::Hub | Topology::HubAndLinks | Topology::Premises => View::Hub,
    }
}

fn links(network: &mut Network, view: View) -> &mut Links {
    if view == View::Hub { &mut network.hub } else { &mut network.spoke }
}

fn miss(links: &mut Links, name: &'static str) {
    if let Some(link) = zone_of(name).and_then(|zone| links.zones.get_mut(&zone)) {
        link.missing.insert(name);
    }
}

/// Some name of the zone is looked at.
fn has_names(network: &Network, zone: Zone) -> bool {
    network.names.iter().any(|planned| zone_of(planned.name) == Some(zone))
}

/// The name can have a fault of this kind.
fn fits(kind: Kind, network: &Network, name: &str) -> bool {
    let Some(planned) = network.planned(name) else { return false };
    let looked_at = planned.need != Need::Evidence;
    let recorded = zone_of(name).is_some();
    match kind {
        Kind::Connect | Kind::Intercepted | Kind::Certificate | Kind::HandshakeFails => looked_at,
        Kind::Isolated | Kind::BadAnswer | Kind::HostsEntry => looked_at && recorded,
        Kind::EndpointRequired => name == HANDLER,
        _ => recorded,
    }
}
