//! What each server answers of each name, as far as it is known: before a change, and after it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use ampls_probes::addr;
use ampls_probes::observation::ServerRole;

use super::Around;
use crate::diagnose::facts::{EndpointFacts, Facts, Linked, Route, Status, View};

/// What a server answers of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It leads there.
    Leads {
        /// Where.
        route: Route,
        /// To these addresses, where they are known.
        addresses: Vec<IpAddr>,
        /// What gave it.
        source: Source,
    },
    /// It does not answer: another server is asked.
    Silent,
    /// The reports do not show it.
    Unknown(String),
}

/// What an answer comes out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The private zone gave it, or denied it: what changes in the zone changes it.
    Zone,
    /// Public DNS: the zone lacks the name, and the link falls back.
    Fallback,
    /// Public DNS, or a zone of the server's own.
    Elsewhere,
    /// A private zone that the SOA does not show: a forwarder for this name alone, or the server of a forwarder.
    Unseen,
    /// A rule of the server's own, or of a filter behind it: a block page, an answer without its private addresses, a denial that
    /// nobody signs. What else decides the name does not show.
    Own,
}

/// What one server says.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerState {
    /// It is Azure's DNS, or an inbound endpoint of it: what is linked in its network counts, and no forwarder stands between.
    pub(super) is_azure: bool,
    pub(super) names: BTreeMap<String, Answer>,
    pub(super) linked: BTreeMap<String, Linked>,
    /// Whether the link of a zone falls back to public DNS, where its names show that.
    pub(super) falls_back: BTreeMap<String, bool>,
}

/// What the servers of one machine say.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) servers: BTreeMap<SocketAddr, ServerState>,
    /// The servers that decide, in the order in which they are asked.
    pub(super) order: Vec<SocketAddr>,
    /// The servers that rules of Windows name for a name: it goes to these, whatever the adapters' servers are.
    pub(super) ruled: BTreeMap<String, Vec<SocketAddr>>,
    /// Any of them may be asked first.
    pub(super) any_first: bool,
    /// What changes put into the zones, by the names that it is of.
    pub(super) records: BTreeMap<String, Vec<IpAddr>>,
    /// Names whose zone some change is about.
    pub(super) touched: BTreeSet<String>,
    /// Why it cannot be seen which servers are asked for names without a rule.
    pub(super) unseen_order: Option<String>,
}

impl State {
    pub(super) fn new(facts: &Facts<'_>, around: &Around) -> Self {
        let of = |server: SocketAddr| (server, of_server(facts, around, server));
        let order = if facts.stub().is_some() { facts.resolving_servers() } else { facts.configured_servers() };
        let only_ruled = |server: &SocketAddr| {
            let known = facts.servers().iter().find(|known| known.address == *server);
            known.is_some_and(|known| {
                known.roles.iter().filter(|role| role.is_used()).all(|role| *role == ServerRole::Rule)
            })
        };
        let rule = |name: &EndpointFacts<'_>| {
            let rule = facts.resolver_config()?.rule_of(name.fqdn())?;
            Some((name.fqdn().to_owned(), rule.servers.clone()))
        };
        Self {
            servers: facts.servers().iter().map(|server| of(server.address)).collect(),
            order: order.into_iter().filter(|server| !only_ruled(server)).collect(),
            ruled: facts.ampls_endpoints().filter_map(rule).collect(),
            any_first: asks_in_any_order(facts),
            unseen_order: None,
            records: BTreeMap::new(),
            touched: BTreeSet::new(),
        }
    }

    /// The machine asks these servers where no rule names others.
    pub(super) fn ask(&mut self, facts: &Facts<'_>, servers: &[SocketAddr]) {
        self.order = servers.to_vec();
        let links = facts.resolver_config().map_or(&[][..], |config| config.links.as_slice());
        if links.iter().filter(|link| !link.servers.is_empty()).count() > 1 {
            self.unseen_order = Some("which of its links gets the other servers cannot be seen".to_owned());
        }
    }

    /// A server answers this of a name.
    pub(super) fn answer(&mut self, server: SocketAddr, name: &str, answer: Answer) {
        self.servers.entry(server).or_default().names.insert(name.to_owned(), answer);
    }

    /// The servers that are asked for a name, in their order.
    pub(super) fn order(&self, name: &str) -> &[SocketAddr] {
        self.ruled.get(name).unwrap_or(&self.order)
    }

    /// Whether a change touches what decides a name: other servers, or another answer of one of them.
    pub(super) fn differs_from(&self, other: &Self, name: &str) -> bool {
        let answer =
            |state: &Self, server: &SocketAddr| state.servers.get(server).and_then(|it| it.names.get(name)).cloned();
        let order = self.order(name);
        order != other.order(name) || order.iter().any(|server| answer(self, server) != answer(other, server))
    }

    /// Whether a server gives a name another answer than that of its zone, though the zone is linked there.
    pub(super) fn leads_past(&self, zone: &str, server: SocketAddr, name: &str) -> bool {
        let Some(of_server) = self.servers.get(&server) else { return false };
        of_server.linked.get(zone) == Some(&Linked::Yes)
            && matches!(
                of_server.names.get(name),
                Some(Answer::Leads { source: Source::Elsewhere | Source::Unseen | Source::Own, .. })
            )
    }

    /// Whether a server leads names past zones that are linked there, and none into one.
    pub(super) fn leads_past_every_zone(&self, facts: &Facts<'_>, server: SocketAddr) -> bool {
        let Some(of_server) = self.servers.get(&server) else { return false };
        let is_past = |name: &EndpointFacts<'_>| {
            name.endpoint.zone.as_deref().is_some_and(|zone| self.leads_past(zone, server, name.fqdn()))
        };
        let into_one = |is: &Answer| matches!(is, Answer::Leads { source: Source::Zone | Source::Fallback, .. });
        facts.ampls_endpoints().any(is_past) && !of_server.names.values().any(into_one)
    }

    /// What the machine gets for a name: the answer of the first server that answers, where every order of the servers gives the same.
    pub(super) fn decided(&self, name: &str) -> Answer {
        let of = |server: &SocketAddr| {
            let known = self.servers.get(server).and_then(|server| server.names.get(name));
            known.cloned().unwrap_or_else(|| Answer::Unknown(format!("no report holds what `{server}` answers")))
        };
        if let Some(why) = self.unseen_order.as_ref().filter(|_| !self.ruled.contains_key(name)) {
            return Answer::Unknown(why.clone());
        }
        let mut answers = self.order(name).iter().map(of).filter(|answer| *answer != Answer::Silent);
        let Some(mut first) = answers.next() else { return Answer::Unknown("no server answers".to_owned()) };
        for other in answers.filter(|_| self.any_first) {
            if other.route() != first.route() {
                let why = "its servers would answer differently, and any of them may be asked first";
                return Answer::Unknown(why.to_owned());
            }
            if let (Answer::Leads { addresses, .. }, Answer::Leads { addresses: more, .. }) = (&mut first, other) {
                addresses.extend(more);
            }
        }
        first
    }
}

impl Answer {
    /// Where it leads; `None` where that is not known.
    pub(super) fn route(&self) -> Option<Route> {
        match self {
            Self::Leads { route, .. } => Some(*route),
            Self::Silent | Self::Unknown(_) => None,
        }
    }

    /// The answer of public DNS.
    pub(super) fn public() -> Self {
        Self::Leads { route: Route::Public, addresses: Vec::new(), source: Source::Elsewhere }
    }

    /// The zone lacks the name, and public DNS answers.
    pub(super) fn fallback() -> Self {
        Self::Leads { route: Route::Public, addresses: Vec::new(), source: Source::Fallback }
    }

    /// A private zone holds these addresses.
    pub(super) fn private(addresses: Vec<IpAddr>) -> Self {
        Self::Leads { route: Route::Private, addresses, source: Source::Zone }
    }

    /// A private zone holds the addresses that a change names. An A record of the zone is private whatever its address, an AAAA
    /// record is not.
    pub(super) fn recorded(facts: &Facts<'_>, addresses: Vec<IpAddr>) -> Self {
        let is_private = |address: &IpAddr| match facts.class(*address) {
            addr::Class::Sinkhole => None,
            addr::Class::Private => Some(true),
            addr::Class::SharedAddressSpace | addr::Class::Public => Some(address.is_ipv4()),
        };
        let kinds: BTreeSet<bool> = addresses.iter().filter_map(is_private).collect();
        Self::Leads { route: Route::of(kinds.contains(&true), kinds.contains(&false)), addresses, source: Source::Zone }
    }

    /// A private zone denies the name.
    pub(super) fn denied() -> Self {
        Self::Leads { route: Route::None, addresses: Vec::new(), source: Source::Zone }
    }
}

/// Which of several servers behind a stub is asked cannot be seen, and with `rotate` each of them is.
fn asks_in_any_order(facts: &Facts<'_>) -> bool {
    facts.stub().is_some() || facts.resolver_config().is_some_and(|config| config.rotate)
}

fn of_server(facts: &Facts<'_>, around: &Around, server: SocketAddr) -> ServerState {
    let names = facts.ampls_endpoints().map(|name| (name.fqdn().to_owned(), answer(facts, name, server)));
    let names: BTreeMap<String, Answer> = names.collect();
    let linked: BTreeMap<String, Linked> =
        facts.observations().zones.iter().map(|zone| (zone.clone(), facts.linked(zone, server))).collect();
    let mut falls_back = fallbacks(facts, &names);
    let open = linked.iter().filter(|(zone, linked)| **linked == Linked::Yes && !falls_back.contains_key(*zone));
    let known: Vec<_> =
        open.filter_map(|(zone, _)| Some((zone.clone(), around.link_falls_back(zone, server)?))).collect();
    falls_back.extend(known);
    let is_azure = Facts::is_azure_dns(server) || around.inbound.contains(&server);
    ServerState { is_azure, names, linked, falls_back }
}

/// Which links fall back, as far as names that their zones lack show it without contradiction.
fn fallbacks(facts: &Facts<'_>, names: &BTreeMap<String, Answer>) -> BTreeMap<String, bool> {
    let mut shown: BTreeMap<&str, BTreeSet<bool>> = BTreeMap::new();
    for name in facts.ampls_endpoints() {
        let falls_back = match names.get(name.fqdn()) {
            Some(Answer::Leads { source: Source::Fallback, .. }) => true,
            Some(Answer::Leads { route: Route::None, source: Source::Zone, .. }) => false,
            _ => continue,
        };
        shown.entry(name.endpoint.zone.as_deref().unwrap_or_default()).or_default().insert(falls_back);
    }
    let plain = shown.into_iter().filter(|(_, shown)| shown.len() == 1);
    plain.map(|(zone, shown)| (zone.to_owned(), shown.contains(&true))).collect()
}

/// What a server of a report answers of a name.
pub(super) fn answer(facts: &Facts<'_>, name: &EndpointFacts<'_>, server: SocketAddr) -> Answer {
    let Some(view) = name.view_of(server) else {
        return Answer::Unknown(format!("no report holds what `{server}` answers"));
    };
    if facts.flaps(server) {
        return Answer::Unknown(format!("`{server}` changes its answers"));
    }
    if facts.invented_by(server).is_some() {
        return Answer::Unknown(format!("`{server}` invents answers"));
    }
    if !view.answered() {
        let silent = matches!(view.status, Status::Timeout | Status::Unreachable);
        return if silent { Answer::Silent } else { Answer::Unknown(format!("`{server}` gives no answer to go by")) };
    }
    let zone = name.endpoint.zone.as_deref().unwrap_or_default();
    let of_zone = view.is_private() || facts.denied_by_private_zone(view);
    // The record is asked for directly, and is public although the zone is linked: the zone lacks it.
    let lacking = || view.is_public() && name.record_view(server).is_some_and(View::is_public);
    let is_own = view.filter().is_some()
        || facts.withholds(name, server)
        || (view.denied() && view.authority.is_none() && !of_zone);
    let source = match facts.linked(zone, server) {
        _ if is_own => Source::Own,
        Linked::Yes if of_zone => Source::Zone,
        Linked::Yes if lacking() => Source::Fallback,
        Linked::No if of_zone => Source::Unseen,
        _ => Source::Elsewhere,
    };
    Answer::Leads { route: view.route, addresses: view.addresses.clone(), source }
}
