//! What each server of a network answers, and what this machine's own resolver makes of it.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use ampls_probes::testing::{ZONES, alias};

use super::network::{
    NAMES, Network, SEARCH, STUB, Server, Stub, Trouble, View, WILDCARD, Zone, below, private_address, public_address,
    public_v6, suffix, zone_of,
};

/// Which record is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    A,
    Aaaa,
    Soa,
}

/// Who signs a start of authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Authority {
    PrivateZone(&'static str),
    Microsoft(String),
    Own(String),
}

/// What becomes of one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// A DNS message: aliases by owner and target, addresses of the last owner, who is the authority if nothing was there.
    Message {
        exists: bool,
        aliases: Vec<(String, String)>,
        addresses: Vec<IpAddr>,
        authority: Option<Authority>,
    },
    /// The start of authority itself.
    Soa(Authority),
    Failed(Trouble),
    /// Truncated, and TCP gave nothing.
    Cut,
}

impl Reply {
    pub(super) fn addresses(&self) -> &[IpAddr] {
        match self {
            Self::Message { addresses, .. } => addresses,
            _ => &[],
        }
    }

    /// It says something about the name.
    pub(super) fn answered(&self) -> bool {
        matches!(self, Self::Message { .. } | Self::Soa(_))
    }

    /// A private zone denies the name.
    pub(super) fn denied_by_private_zone(&self) -> bool {
        matches!(self, Self::Message { authority: Some(Authority::PrivateZone(_)), addresses, .. } if addresses.is_empty())
    }
}

/// What programs on this machine get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Got {
    Found {
        addresses: Vec<IpAddr>,
        canonical: Option<String>,
    },
    NotFound,
    TryAgain,
    /// Everything was silent.
    TimedOut,
}

impl Got {
    pub(super) fn addresses(&self) -> &[IpAddr] {
        match self {
            Self::Found { addresses, .. } => addresses,
            _ => &[],
        }
    }
}

impl Network {
    /// Every server that is asked: those that resolve for the machine, then the others.
    pub(super) fn all_servers(&self) -> Vec<&Server> {
        let mut servers: Vec<&Server> = self.servers.iter().collect();
        if !servers.iter().any(|server| server.address == self.azure.address) {
            servers.push(&self.azure);
        }
        servers
    }

    /// What a server answers at the n-th try.
    pub(super) fn ask(&self, server: &Server, name: &str, kind: Kind, try_number: u32) -> Reply {
        if let Some(trouble) = server.trouble {
            return Reply::Failed(trouble);
        }
        if server.truncates && server.tcp_dropped && kind != Kind::Soa && NAMES.contains(&name) {
            return Reply::Cut;
        }
        if server.sinkholes.iter().any(|known| *known == name) {
            let addresses = if kind == Kind::A { vec![IpAddr::V4(Ipv4Addr::UNSPECIFIED)] } else { Vec::new() };
            return Reply::Message { exists: true, aliases: Vec::new(), addresses, authority: None };
        }
        if let Some((zone, records)) =
            server.own_zones.iter().find(|(zone, _)| name == zone.as_str() || below(name, zone))
        {
            let authority = Authority::Own(zone.clone());
            if kind == Kind::Soa && name == zone {
                return Reply::Soa(authority);
            }
            let address = records.get(name).copied().filter(|_| kind == Kind::A);
            let exists = records.contains_key(name) || name == zone;
            let authority = address.is_none().then_some(authority);
            return Reply::Message { exists, aliases: Vec::new(), addresses: address.into_iter().collect(), authority };
        }
        if server.flaps && try_number == 1 {
            return self.resolve(View::Public, name, kind);
        }
        let forwarders = server.forward.iter().filter(|(suffix, _)| name == suffix.as_str() || below(name, suffix));
        let view = forwarders.max_by_key(|(suffix, _)| suffix.len()).map_or(server.default, |(_, view)| *view);
        self.resolve(view, name, kind)
    }

    fn resolve(&self, view: View, name: &str, kind: Kind) -> Reply {
        if view == View::Nowhere {
            return Reply::Failed(Trouble::ServFail);
        }
        let links = self.links(view);
        // Linked zones come before the ruleset, the ruleset before public DNS.
        if let Some(zone) = ZONES.iter().position(|zone| *zone == name) {
            return self.apex(view, zone, kind);
        }
        let mut aliases = Vec::new();
        let mut owner = name.to_owned();
        if let Some(links) = links
            && !Self::is_alias(name)
            && let Some((_, target)) = links.ruleset.iter().find(|(suffix, _)| below(name, suffix))
        {
            return self.resolve(*target, name, kind);
        }
        let public = NAMES.iter().find(|known| name == **known || (zone_of(known).is_some() && name == alias(known)));
        let Some(public) = public else {
            return Reply::Message {
                exists: false,
                aliases,
                addresses: Vec::new(),
                authority: Some(Authority::Microsoft(parent(name))),
            };
        };
        // A private zone that is asked for the record itself answers, whatever public DNS says; the record goes with the workspace.
        if self.deleted.contains(public)
            && Self::is_alias(name)
            && let Some(zone) = zone_of(public)
            && links.is_some_and(|links| links.zones.get(&zone).is_some_and(|link| !link.fallback))
        {
            return Reply::Message {
                exists: false,
                aliases,
                addresses: Vec::new(),
                authority: Some(Authority::PrivateZone(ZONES[zone])),
            };
        }
        if self.deleted.contains(public) {
            return Reply::Message {
                exists: false,
                aliases,
                addresses: Vec::new(),
                authority: Some(Authority::Microsoft(parent(name))),
            };
        }
        if let Some(zone) = zone_of(public) {
            let record = alias(public);
            if owner != record {
                aliases.push((owner, record.clone()));
            }
            owner = record;
            if let Some(reply) = self.private(view, zone, public, kind, &aliases) {
                return reply;
            }
        }
        aliases.push((owner, format!("front-{}.westeurope.cloudapp.azure.com", number_of(public))));
        let addresses = match kind {
            Kind::A => vec![public_address(public)],
            Kind::Aaaa if self.shape.ipv6 && zone_of(public).is_none() => vec![public_v6(public)],
            _ => Vec::new(),
        };
        let authority = addresses.is_empty().then(|| Authority::Microsoft("cloudapp.azure.com".to_owned()));
        Reply::Message { exists: true, aliases, addresses, authority }
    }

    fn is_alias(name: &str) -> bool {
        name.split('.').any(|label| label == "privatelink")
    }

    /// The answer of a linked zone; none where the zone is not linked or lets the question through.
    fn private(&self, view: View, zone: Zone, public: &str, kind: Kind, aliases: &[(String, String)]) -> Option<Reply> {
        let link = self.links(view)?.zones.get(&zone)?;
        let authority = Some(Authority::PrivateZone(ZONES[zone]));
        let message = |exists, addresses: Vec<IpAddr>| {
            let authority = authority.clone().filter(|_| addresses.is_empty());
            Reply::Message { exists, aliases: aliases.to_vec(), addresses, authority }
        };
        if link.missing.contains(public) {
            return (!link.fallback).then(|| message(false, Vec::new()));
        }
        Some(match kind {
            Kind::A => message(true, vec![private_address(public)]),
            Kind::Aaaa if link.public_v6.contains(public) => message(true, vec![public_v6(public)]),
            _ => message(true, Vec::new()),
        })
    }

    fn apex(&self, view: View, zone: Zone, kind: Kind) -> Reply {
        let linked = self.links(view).is_some_and(|links| links.zones.contains_key(&zone));
        match (linked, kind) {
            (true, Kind::Soa) => Reply::Soa(Authority::PrivateZone(ZONES[zone])),
            _ => Reply::Message {
                exists: true,
                aliases: Vec::new(),
                addresses: Vec::new(),
                authority: Some(Authority::Microsoft(suffix(zone).to_owned())),
            },
        }
    }

    /// What this machine's stub answers.
    pub(super) fn ask_stub(&self, name: &str, kind: Kind) -> Reply {
        if self.stub_rejects {
            return Reply::Failed(Trouble::ServFail);
        }
        if let Some(address) = self.cached.get(name) {
            let addresses = if kind == Kind::A { vec![*address] } else { Vec::new() };
            return Reply::Message { exists: true, aliases: Vec::new(), addresses, authority: None };
        }
        let replies = self.servers.iter().map(|server| self.ask(server, name, kind, 0));
        let mut last = Reply::Failed(Trouble::ServFail);
        for reply in replies {
            if reply.answered() {
                return reply;
            }
            last = Reply::Failed(Trouble::ServFail);
        }
        last
    }

    /// What programs on this machine get for a name.
    pub(super) fn got(&self, name: &str) -> Got {
        if let Some(address) = self.hosts.get(name) {
            return Got::Found { addresses: vec![*address], canonical: None };
        }
        if let Some(address) = self.cached.get(name) {
            return Got::Found { addresses: vec![*address], canonical: None };
        }
        let dots = name.matches('.').count();
        let searched = || Got::Found { addresses: vec![WILDCARD], canonical: Some(format!("{name}.{SEARCH}")) };
        let search_works =
            self.shape.search && self.wildcard && self.servers.iter().any(|server| server.trouble.is_none());
        if search_works && self.shape.ndots5 && dots < 5 {
            return searched();
        }
        let got = self.absolute(name);
        if got == Got::NotFound && search_works {
            return searched();
        }
        got
    }

    fn absolute(&self, name: &str) -> Got {
        let (a, aaaa) = (self.first_answer(name, Kind::A), self.first_answer(name, Kind::Aaaa));
        let mut addresses: Vec<IpAddr> = Vec::new();
        let parts = if self.shape.ipv6 { [&aaaa, &a] } else { [&a, &aaaa] };
        for part in parts {
            addresses.extend(part.addresses());
        }
        if !addresses.is_empty() {
            let last = |reply: &Reply| match reply {
                Reply::Message { aliases, .. } => aliases.last().map(|(_, target)| target.clone()),
                _ => None,
            };
            let canonical = parts.into_iter().find_map(last);
            return Got::Found { addresses, canonical };
        }
        if [&a, &aaaa].into_iter().any(|reply| !reply.answered()) {
            let silent = [&a, &aaaa].into_iter().all(|reply| *reply == Reply::Failed(Trouble::Silent));
            return if silent { Got::TimedOut } else { Got::TryAgain };
        }
        Got::NotFound
    }

    /// The first server that answers decides.
    fn first_answer(&self, name: &str, kind: Kind) -> Reply {
        if self.shape.stub != Stub::None {
            return self.ask_stub(name, kind);
        }
        let mut last = Reply::Failed(Trouble::Silent);
        for server in self.servers.iter().take(3) {
            last = self.ask(server, name, kind, 0);
            if last.answered() {
                break;
            }
        }
        last
    }

    /// The addresses whose answers this machine's programs may get: with a stub, the stub alone decides.
    pub(super) fn resolving(&self) -> BTreeSet<std::net::SocketAddr> {
        let mut resolving: BTreeSet<_> = self.servers.iter().map(|server| server.address).collect();
        if self.shape.stub != Stub::None {
            resolving.insert(STUB);
        }
        resolving
    }
}

fn number_of(name: &str) -> usize {
    NAMES.iter().position(|known| *known == name).unwrap_or_default()
}

/// The public zone that denies a name.
fn parent(name: &str) -> String {
    (0..ZONES.len()).map(suffix).find(|suffix| below(name, suffix)).unwrap_or("azure.com").to_owned()
}
