//! What a server does with the records behind the names, whether its answers hold, and which names a search suffix answers.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Answer, Authorities, Endpoint, EndpointFacts, Facts, Linked, Purpose, RecordKind, Route, SocketAddr, Status, View,
    ViewKind, is_blob_zone,
};

use ampls_probes::observation::ResponseCode;

/// How it shows that a server leads a name past the private zone that it uses for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// The record asked directly is private.
    RecordIsPrivate,
    /// Another name with the same record is private.
    SiblingIsPrivate,
    /// Azure's view has the name private, and this server asks private zones: it has other names private, or gives the SOA of
    /// another zone.
    AzureIsPrivate,
    /// A private zone lacks the name in Azure's view, and this server leads other names of that zone past it.
    AzureDenies,
    /// The record asked directly is denied by a private zone, and the public name runs through that very record.
    RecordIsDenied,
}

impl Facts<'_> {
    /// What each server says of the record behind a name, asked for directly, where it says anything.
    pub(super) fn record_views(&self, endpoint: &Endpoint) -> BTreeMap<SocketAddr, View> {
        let Some(alias) = endpoint.alias.as_deref() else { return BTreeMap::new() };
        // Only those that were asked: a report may hold thousands of servers.
        let asked = self.answers.get(alias).into_iter().flat_map(BTreeMap::keys).map(|(server, _)| *server);
        let further = self.further.range(..).filter(|((_, purpose), _)| *purpose == Purpose::Record);
        let further = further.filter(|(_, answers)| answers.iter().any(|answer| answer.name == alias));
        let asked: BTreeSet<SocketAddr> = asked.chain(further.map(|((server, _), _)| *server)).collect();
        let servers = self.servers().iter().map(|server| server.address).filter(|server| asked.contains(server));
        servers.filter_map(|server| self.heard_of_record(alias, server).map(|view| (server, view))).collect()
    }

    fn heard_of_record(&self, alias: &str, server: SocketAddr) -> Option<View> {
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
        let of = |name: &EndpointFacts<'_>| name.record_views().any(|(_, view)| view.is_private());
        self.ampls_endpoints().any(of)
    }

    /// The names that a server answers publicly although it, or the record it gives when asked directly, shows that they
    /// could be private: on Azure's own DNS a forwarding ruleset took them. Nothing is said of a server whose answers flap.
    pub fn left_out(&self, server: SocketAddr) -> Vec<(&EndpointFacts<'_>, LeftOut)> {
        let known = self.left_out.get(&server).map_or(&[][..], Vec::as_slice);
        known.iter().filter_map(|(place, how)| Some((self.endpoints.get(*place)?, *how))).collect()
    }

    pub(super) fn build_left_out(&self) -> BTreeMap<SocketAddr, Vec<(usize, LeftOut)>> {
        let of = |server: SocketAddr| {
            let names = self.find_left_out(server).into_iter();
            names.filter_map(|(name, how)| Some((self.place(name)?, how))).collect()
        };
        self.asked_servers.iter().map(|server| (*server, of(*server))).collect()
    }

    fn place(&self, name: &EndpointFacts<'_>) -> Option<usize> {
        self.endpoints.iter().position(|known| std::ptr::eq(known, name))
    }

    fn find_left_out(&self, server: SocketAddr) -> Vec<(&EndpointFacts<'_>, LeftOut)> {
        if self.flaps(server) {
            return Vec::new();
        }
        let private = |name: &&EndpointFacts<'_>| name.view_of(server).is_some_and(View::is_private);
        let private: Vec<&EndpointFacts<'_>> = self.ampls_endpoints().filter(private).collect();
        let aliases: BTreeSet<&String> = private.iter().filter_map(|name| name.endpoint.alias.as_ref()).collect();
        let how = |name: &EndpointFacts<'_>| {
            let view = name.view_of(server).filter(|view| view.is_public())?;
            let record = name.record_view(server);
            if record.is_some_and(View::is_private) || self.holds_record(name, server) {
                Some(LeftOut::RecordIsPrivate)
            } else if record.is_some_and(|record| self.denied_by_private_zone(record)) && self.runs_through_alias(view)
            {
                Some(LeftOut::RecordIsDenied)
            } else if name.endpoint.alias.as_ref().is_some_and(|alias| aliases.contains(alias)) {
                Some(LeftOut::SiblingIsPrivate)
            } else {
                let azure = name.azure().is_some_and(|azure| azure.server != Some(server) && azure.is_private());
                let zone = name.endpoint.zone.as_deref().unwrap_or_default();
                let asks_zones = || !private.is_empty() || self.asks_another_zone(zone, server);
                (azure && asks_zones() && !self.lacks_record(name, server)).then_some(LeftOut::AzureIsPrivate)
            }
        };
        let mut left_out: Vec<_> = self.ampls_endpoints().filter_map(|name| Some((name, how(name)?))).collect();
        let past_azure = left_out.iter().filter(|(_, how)| *how == LeftOut::AzureIsPrivate);
        let zones: BTreeSet<&str> = past_azure.filter_map(|(name, _)| name.endpoint.zone.as_deref()).collect();
        let known: BTreeSet<&str> = left_out.iter().map(|(name, _)| name.fqdn()).collect();
        let denied = self.ampls_endpoints().filter(|name| {
            !known.contains(name.fqdn())
                && name.endpoint.zone.as_deref().is_some_and(|zone| zones.contains(zone))
                && name.view_of(server).is_some_and(View::is_public)
                && name.azure().is_some_and(|azure| self.denied_by_private_zone(azure))
                && !self.lacks_record(name, server)
        });
        let denied: Vec<_> = denied.map(|name| (name, LeftOut::AzureDenies)).collect();
        left_out.extend(denied);
        left_out
    }

    /// A server that this machine uses has some name private. A zone that is linked and empty shows no private link.
    pub fn some_server_is_private(&self) -> bool {
        self.ampls_endpoints().flat_map(EndpointFacts::server_views).any(View::is_private)
    }

    /// A zone of a private link other than this one is linked where the server resolves. The zone of blobs serves every storage
    /// account and shows nothing.
    pub fn asks_another_zone(&self, zone: &str, server: SocketAddr) -> bool {
        let others = self.zones().iter().filter(|fact| fact.server == server && fact.zone != zone);
        others.filter(|fact| !is_blob_zone(&fact.zone)).any(|fact| fact.linked == Linked::Yes)
    }

    /// The chain behind the name leads through a record of a private link.
    fn runs_through_alias(&self, view: &View) -> bool {
        view.cname.iter().any(|alias| self.is_ampls_name(alias))
    }

    /// The zone is linked where a server resolves, and the record asked for directly there is not private: the server asks the
    /// zone, and the zone has no record.
    pub fn lacks_record(&self, name: &EndpointFacts<'_>, server: SocketAddr) -> bool {
        let linked = || name.endpoint.zone.as_deref().is_some_and(|zone| self.linked(zone, server) == Linked::Yes);
        name.record_view(server).is_some_and(|view| !view.is_private()) && !self.holds_record(name, server) && linked()
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
        let canonical = system.cname.first().map(String::as_str).unwrap_or_default();
        let rest = canonical.strip_prefix(name.fqdn()).and_then(|rest| rest.strip_prefix('.'));
        let suffix = rest.filter(|rest| search.iter().any(|suffix| suffix == rest)).map(str::to_owned);
        // A denial has to be seen, while a name of the search domain says by itself where the answer is from.
        let denied = !given.is_empty() && given.iter().all(|view| view.denied());
        // A system that tells canonical names, and tells none here, answers for the name itself.
        let unknown = denied && (!canonical.is_empty() || !self.tells_canonical_names());
        let known = || given.iter().any(|view| system.addresses.iter().any(|own| view.addresses.contains(own)));
        (unknown || (suffix.is_some() && !known())).then_some(suffix)
    }

    /// The system told the canonical name of some name.
    fn tells_canonical_names(&self) -> bool {
        self.lookups.values().filter_map(|lookup| lookup.outcome.seen()).any(|found| found.canonical.is_some())
    }
}
