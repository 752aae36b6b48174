//! What each server answers of each name, as far as it is known: before a change, and after it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use ampls_probes::observation::ServerRole;

use crate::diagnose::facts::{EndpointFacts, Facts, Linked, Route, View};

/// What a server answers of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It leads there. `through` says that the answer comes out of the private zone: what changes in the zone changes it.
    Leads {
        /// Where.
        route: Route,
        /// To these addresses, where they are known.
        addresses: Vec<IpAddr>,
        /// The zone gave it, or denied it.
        through: bool,
        /// The zone lacks the name, and the link falls back to public DNS.
        fallback: bool,
    },
    /// It does not answer: another server is asked.
    Silent,
    /// The reports do not show it.
    Unknown(String),
}

/// What one server says.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerState {
    pub(super) names: BTreeMap<String, Answer>,
    pub(super) linked: BTreeMap<String, Linked>,
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
    /// Why it cannot be seen which servers are asked for names without a rule.
    pub(super) unseen_order: Option<String>,
}

impl State {
    pub(super) fn new(facts: &Facts<'_>) -> Self {
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
            servers: facts.servers().iter().map(|server| (server.address, of_server(facts, server.address))).collect(),
            order: order.into_iter().filter(|server| !only_ruled(server)).collect(),
            ruled: facts.ampls_endpoints().filter_map(rule).collect(),
            any_first: asks_in_any_order(facts),
            unseen_order: None,
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
        let Some(first) = answers.next() else { return Answer::Unknown("no server answers".to_owned()) };
        if self.any_first && answers.any(|other| other.route() != first.route()) {
            return Answer::Unknown(
                "its servers would answer differently, and any of them may be asked first".to_owned(),
            );
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
        Self::Leads { route: Route::Public, addresses: Vec::new(), through: false, fallback: false }
    }

    /// A private zone holds these addresses.
    pub(super) fn private(addresses: Vec<IpAddr>) -> Self {
        Self::Leads { route: Route::Private, addresses, through: true, fallback: false }
    }

    /// A private zone denies the name.
    pub(super) fn denied() -> Self {
        Self::Leads { route: Route::None, addresses: Vec::new(), through: true, fallback: false }
    }
}

/// Which of several servers behind a stub is asked cannot be seen, and with `rotate` each of them is.
fn asks_in_any_order(facts: &Facts<'_>) -> bool {
    facts.stub().is_some() || facts.resolver_config().is_some_and(|config| config.rotate)
}

fn of_server(facts: &Facts<'_>, server: SocketAddr) -> ServerState {
    let names = facts.ampls_endpoints().map(|name| (name.fqdn().to_owned(), answer(facts, name, server)));
    let zones = facts.observations().zones.iter().map(|zone| (zone.clone(), facts.linked(zone, server)));
    ServerState { names: names.collect(), linked: zones.collect() }
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
        let silent = matches!(
            view.status,
            crate::diagnose::facts::Status::Timeout | crate::diagnose::facts::Status::Unreachable
        );
        return if silent { Answer::Silent } else { Answer::Unknown(format!("`{server}` gives no answer to go by")) };
    }
    let zone = name.endpoint.zone.as_deref().unwrap_or_default();
    let linked = facts.linked(zone, server) == Linked::Yes;
    let through = linked && (view.is_private() || facts.denied_by_private_zone(view));
    // The record is asked for directly, and is public although the zone is linked: the zone lacks it.
    let fallback = linked && view.is_public() && name.record_view(server).is_some_and(View::is_public);
    Answer::Leads { route: view.route, addresses: view.addresses.clone(), through, fallback }
}
