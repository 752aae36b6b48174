//! What a server does with the records behind the names, whether its answers hold, and which names a search suffix answers.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Answer, Authorities, EndpointFacts, Facts, Linked, Purpose, RecordKind, Route, SocketAddr, Status, View, ViewKind,
};

use ampls_probes::observation::ResponseCode;

/// How it shows that a server leads a name past the private zone that it uses for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// The record asked directly is private.
    RecordIsPrivate,
    /// Another name with the same record is private.
    SiblingIsPrivate,
    /// Azure's view has the name private, and this server has other names private.
    AzureIsPrivate,
}

impl Facts<'_> {
    /// What a server says of the record behind a name, asked for directly; `None` when nothing was heard of it.
    pub fn record_view(&self, name: &EndpointFacts<'_>, server: SocketAddr) -> Option<View> {
        let alias = name.endpoint.alias.as_deref()?;
        let view = self.server_view(ViewKind::Server, server, alias);
        if view.answered() {
            return Some(view);
        }
        let of_alias = |answer: &&&Answer| answer.name == alias && answer.kind == RecordKind::A;
        let asked = self.further(server, Purpose::Record).iter().filter(of_alias);
        let asked: Vec<&Answer> = asked.copied().collect();
        let view = self.view_from(ViewKind::Server, server, alias, &asked, &[]);
        view.answered().then_some(view)
    }

    /// The private zone that a server asks holds the record behind a name: asked for the record's authority, the server says that
    /// it exists there. A cache may keep the public chain all the same, in which the record is an alias.
    pub fn holds_record(&self, name: &EndpointFacts<'_>, server: SocketAddr) -> bool {
        self.held_record(name, server).is_some()
    }

    /// The answer by which that shows.
    pub fn held_record(&self, name: &EndpointFacts<'_>, server: SocketAddr) -> Option<&Answer> {
        let alias = name.endpoint.alias.as_deref()?;
        let holds = |answer: &&&Answer| {
            answer.name == alias
                && answer.kind == RecordKind::Soa
                && answer.outcome.seen().is_some_and(|response| {
                    response.code == ResponseCode::NoError
                        && response.chain(alias).is_empty()
                        && response.authority.as_ref().is_some_and(Authorities::private_zone)
                })
        };
        self.further(server, Purpose::Record).iter().find(holds).copied()
    }

    /// Some server gives a record that was asked for directly as a private address.
    pub fn some_record_is_private(&self) -> bool {
        let of = |name: &EndpointFacts<'_>| {
            self.servers()
                .iter()
                .any(|server| self.record_view(name, server.address).is_some_and(|view| view.is_private()))
        };
        self.ampls_endpoints().any(of)
    }

    /// The names that a server answers publicly although it, or the record it gives when asked directly, shows that they
    /// could be private: on Azure's own DNS a forwarding ruleset took them. Nothing is said of a server whose answers flap.
    pub fn left_out(&self, server: SocketAddr) -> Vec<(&EndpointFacts<'_>, LeftOut)> {
        if self.flaps(server) {
            return Vec::new();
        }
        let private = |name: &&EndpointFacts<'_>| name.view_of(server).is_some_and(View::is_private);
        let private: Vec<&EndpointFacts<'_>> = self.ampls_endpoints().filter(private).collect();
        let aliases: BTreeSet<&String> = private.iter().filter_map(|name| name.endpoint.alias.as_ref()).collect();
        let how = |name: &EndpointFacts<'_>| {
            name.view_of(server).filter(|view| view.is_public())?;
            let record_is_private = || self.record_view(name, server).is_some_and(|view| view.is_private());
            if record_is_private() || self.holds_record(name, server) {
                Some(LeftOut::RecordIsPrivate)
            } else if name.endpoint.alias.as_ref().is_some_and(|alias| aliases.contains(alias)) {
                Some(LeftOut::SiblingIsPrivate)
            } else {
                let azure = name.azure().is_some_and(|azure| azure.server != Some(server) && azure.is_private());
                (azure && !private.is_empty() && !self.lacks_record(name, server)).then_some(LeftOut::AzureIsPrivate)
            }
        };
        self.ampls_endpoints().filter_map(|name| Some((name, how(name)?))).collect()
    }

    /// The zone is linked where a server resolves, and the record asked for directly there is not private: the server asks the
    /// zone, and the zone has no record.
    pub fn lacks_record(&self, name: &EndpointFacts<'_>, server: SocketAddr) -> bool {
        let linked = || name.endpoint.zone.as_deref().is_some_and(|zone| self.linked(zone, server) == Linked::Yes);
        self.record_view(name, server).is_some_and(|view| !view.is_private())
            && !self.holds_record(name, server)
            && linked()
    }

    /// Whether a server answers the same question differently from one try to the next, for any name.
    pub fn flaps(&self, server: SocketAddr) -> bool {
        self.flapping.contains(&server)
    }

    pub(super) fn build_flapping(&self) -> BTreeSet<SocketAddr> {
        let asked = |name: &EndpointFacts<'_>| {
            let servers = self.answers.get(name.fqdn()).into_iter().flat_map(BTreeMap::keys).map(|(server, _)| *server);
            servers.collect::<BTreeSet<_>>()
        };
        let flaps = |name: &str, server: &SocketAddr| self.routes_by_try(name, *server).len() > 1;
        let of = |name| asked(name).into_iter().filter(|server| flaps(name.fqdn(), server));
        self.endpoints().iter().flat_map(of).collect()
    }

    /// The routes that the tries of one question to one server gave, without repetition: private and public addresses of A and
    /// of AAAA, and denials of A. A private zone holds no AAAA records, so that no AAAA means nothing.
    pub fn routes_by_try(&self, name: &str, server: SocketAddr) -> Vec<Route> {
        let mut most: Vec<Route> = Vec::new();
        for kind in [RecordKind::A, RecordKind::Aaaa] {
            let mut routes: Vec<Route> = Vec::new();
            for answer in self.answers(server, name, kind) {
                let Some(response) = answer.outcome.seen() else { continue };
                let answered = matches!(super::view::status(answer), Status::Ok | Status::NxDomain | Status::NoData);
                let route = self.route_of(name, &response.addresses(name));
                let counts = answered && (route != Route::None || kind == RecordKind::A);
                if counts && !routes.contains(&route) {
                    routes.push(route);
                }
            }
            if routes.len() > most.len() {
                most = routes;
            }
        }
        most
    }

    /// The search suffix by which the system answers a name in place of what the servers say: they deny it, or the suffix is
    /// tried before the name itself (`ndots`). `Some(None)` where the system does not say which of the suffixes it was. The
    /// conditions are DNS022's.
    pub fn answered_by_search(&self, name: &EndpointFacts<'_>) -> Option<Option<String>> {
        let system = name.system().filter(|view| view.status == Status::Ok)?;
        let search = self.resolver_config().map(|config| config.search.as_slice()).unwrap_or_default();
        if search.is_empty() || !self.hosts_entries(name.fqdn()).is_empty() {
            return None;
        }
        let given: Vec<&View> = name
            .server_views()
            .filter(|view| view.answered() && view.server.is_some_and(|server| self.resolves(server)))
            .collect();
        // A denial has to be seen, while a name of the search domain says by itself where the answer is from.
        let all_deny = || !given.is_empty() && given.iter().all(|view| view.denied());
        let canonical = system.cname.first().map(String::as_str).unwrap_or_default();
        let rest = canonical.strip_prefix(name.fqdn()).and_then(|rest| rest.strip_prefix('.'));
        let suffix = rest.filter(|rest| search.iter().any(|suffix| suffix == rest)).map(str::to_owned);
        let is_given = || given.iter().any(|view| system.addresses.iter().any(|own| view.addresses.contains(own)));
        (all_deny() || (suffix.is_some() && !is_given())).then_some(suffix)
    }
}
