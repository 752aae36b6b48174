//! Builds the views of a name: the system's own, each server's, A and AAAA together over all tries.

use std::collections::BTreeSet;

use super::{
    Answer, Authority, Endpoint, Facts, IpAddr, Outcome, RecordKind, Route, ServerRole, SocketAddr, View, ViewKind,
    addr,
};

use ampls_probes::observation::{DnsFailure, IoFailure, RecordData, Response, ResponseCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diagnose::command::Zone;

/// What became of a name in one view, of A and AAAA together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It has an address.
    Ok,
    /// The name does not exist.
    NxDomain,
    /// It exists without an address.
    NoData,
    /// SERVFAIL.
    ServFail,
    /// REFUSED.
    Refused,
    /// FORMERR, NOTIMP.
    FormErr,
    /// Truncated, and TCP did not give the rest.
    Truncated,
    /// No DNS message.
    Malformed,
    /// Silence.
    Timeout,
    /// The server's host or port cannot be reached.
    Unreachable,
    /// The system's own call failed.
    Failed,
    /// The run ended first.
    Cancelled,
    /// Not asked.
    Skipped,
}

impl Facts<'_> {
    /// The views of an endpoint: system, servers in the system's order, Azure, extra. A server that is asked for two
    /// reasons has a view for each.
    pub(super) fn views(&self, endpoint: &Endpoint) -> Vec<View> {
        let mut views = vec![self.system_view(&endpoint.fqdn)];
        let kinds: [(ViewKind, &[ServerRole]); 3] = [
            (ViewKind::Server, &[ServerRole::Configured, ServerRole::Upstream, ServerRole::Rule]),
            (ViewKind::Azure, &[ServerRole::Azure]),
            (ViewKind::Extra, &[ServerRole::Extra]),
        ];
        for (kind, roles) in kinds {
            let servers = self.servers().iter().filter(|server| roles.iter().any(|role| server.roles.contains(role)));
            let asks = |server: SocketAddr| self.resolver.is_none_or(|resolver| resolver.asks(server, &endpoint.fqdn));
            let servers = servers.filter(|server| kind != ViewKind::Server || asks(server.address));
            views.extend(servers.map(|server| self.server_view(kind, server.address, &endpoint.fqdn)));
        }
        views
    }

    /// What one server says of any name that it was asked for.
    pub fn server_view(&self, kind: ViewKind, server: SocketAddr, name: &str) -> View {
        let (a, aaaa) = (self.answers(server, name, RecordKind::A), self.answers(server, name, RecordKind::Aaaa));
        self.view_from(kind, server, name, a, aaaa)
    }

    /// The same, from these tries.
    pub(super) fn view_from(
        &self,
        kind: ViewKind,
        server: SocketAddr,
        name: &str,
        of_a: &[&Answer],
        of_aaaa: &[&Answer],
    ) -> View {
        let (a, aaaa) = (best(of_a), best(of_aaaa));
        let (mut addresses, mut known) = (Vec::new(), BTreeSet::new());
        for tries in [of_a, of_aaaa] {
            for response in tries.iter().filter_map(|answer| answer.outcome.seen()) {
                for address in response.addresses(name) {
                    if known.insert(address) {
                        addresses.push(address);
                    }
                }
            }
        }
        let status = if addresses.is_empty() { together(a, aaaa) } else { Status::Ok };
        let responses = [a, aaaa].into_iter().flatten().filter_map(|answer| answer.outcome.seen());
        // Whether an IPv4 address is denied, the question for it alone decides: no zone of a scope holds an IPv6 address.
        let of_a = || a.and_then(|answer| answer.outcome.seen());
        let judged: Vec<&Response> =
            if status == Status::Ok { responses.clone().collect() } else { of_a().into_iter().collect() };
        let judged = if judged.is_empty() { responses.clone().collect() } else { judged };
        let cname = chain(name, judged.iter().copied());
        // Who denies is whose zone holds the name, or the alias that it ends in; a server may put any name there.
        let holds = |soa: &&Authority| zone_holds(&soa.zone, name) || cname.iter().any(|it| zone_holds(&soa.zone, it));
        let denying = (status != Status::Ok)
            .then(|| judged.iter().filter_map(|response| response.authority.as_ref()).find(holds).cloned())
            .flatten();
        let timings = [a, aaaa].into_iter().flatten().map(|answer| answer.timing.elapsed_us / 1_000);
        View {
            view: kind,
            server: Some(server),
            status,
            route: self.route_of(name, &addresses),
            cname,
            ttl: responses.flat_map(|response| ttls(name, response)).min(),
            elapsed_ms: timings.max().unwrap_or_default(),
            authority: denying,
            addresses,
        }
    }

    /// The chain and the owners come from servers: the system tells neither.
    fn system_view(&self, name: &str) -> View {
        let lookup = self.lookup(name);
        let found = lookup.and_then(|lookup| lookup.outcome.seen());
        let status = match lookup.map(|lookup| &lookup.outcome) {
            None | Some(Outcome::Skipped(_)) => Status::Skipped,
            Some(Outcome::Seen(found)) if found.addresses.is_empty() => Status::NoData,
            Some(Outcome::Seen(_)) => Status::Ok,
            Some(Outcome::Failed(_)) => Status::Failed,
            Some(Outcome::TimedOut) => Status::Timeout,
            Some(Outcome::Cancelled) => Status::Cancelled,
        };
        let addresses = found.map(|found| found.addresses.clone()).unwrap_or_default();
        View {
            view: ViewKind::System,
            server: None,
            status,
            route: self.route_of(name, &addresses),
            cname: found.and_then(|found| found.canonical.clone()).into_iter().collect(),
            ttl: None,
            elapsed_ms: lookup.map_or(0, |lookup| lookup.timing.elapsed_us / 1_000),
            authority: None,
            addresses,
        }
    }

    /// Where the addresses of a name lead. Sinkholed ones lead nowhere.
    pub fn route_of(&self, name: &str, addresses: &[IpAddr]) -> Route {
        let (mut private, mut public) = (false, false);
        for address in addresses {
            match self.leads_private(name, *address) {
                Some(true) => private = true,
                Some(false) => public = true,
                None => {}
            }
        }
        Route::of(private, public)
    }

    /// Whether an address given for a name is private; `None` for a sinkhole.
    ///
    /// An A record owned by the `privatelink` name itself is private whatever its address: in public DNS that name always
    /// goes on with a CNAME, and there are virtual networks with public ranges.
    pub fn leads_private(&self, name: &str, address: IpAddr) -> Option<bool> {
        match self.class(address) {
            addr::Class::Sinkhole => None,
            addr::Class::Private => Some(true),
            // VPN and security clients make such addresses up on the packet path, so the server's answer is theirs too.
            addr::Class::SharedAddressSpace | addr::Class::Public => {
                Some(address.is_ipv4() && self.server_gave(name, address, |owner| self.is_ampls_name(owner)))
            }
        }
    }

    /// Whether a name lies below one of the AMPLS zones.
    pub fn is_ampls_name(&self, name: &str) -> bool {
        self.observations().zones.iter().any(|zone| is_below(name, zone))
    }

    /// Whether some server answered the name with this address, in a record whose owner passes.
    fn server_gave(&self, name: &str, address: IpAddr, owner_passes: impl Fn(&str) -> bool) -> bool {
        let kind = if address.is_ipv4() { RecordKind::A } else { RecordKind::Aaaa };
        let asked = self.answers.get(name).into_iter().flatten();
        // Where answers are invented, whose record one is in proves nothing.
        let honest = |server: &SocketAddr| self.asked_servers.contains(server) && self.invented_by(*server).is_none();
        let asked = asked.filter(|((server, of), _)| *of == kind && honest(server));
        let mut responses = asked.flat_map(|(_, tries)| tries).filter_map(|answer| answer.outcome.seen());
        responses.any(|response| {
            response.addresses(name).contains(&address) && response.address_owner(name).is_some_and(&owner_passes)
        })
    }
}

/// A name strictly below a zone.
pub(super) fn is_below(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

/// The try that tells most: addresses, then a denial, then the first failure.
fn best<'a>(tries: &[&'a Answer]) -> Option<&'a Answer> {
    tries.iter().copied().min_by_key(|answer| match status(answer) {
        Status::Ok => 0,
        Status::NxDomain | Status::NoData => 1,
        Status::ServFail | Status::Refused | Status::FormErr => 2,
        Status::Truncated | Status::Malformed => 3,
        Status::Timeout | Status::Unreachable => 4,
        _ => 5,
    })
}

/// The status of A and AAAA together, when neither has an address: A decides where it was answered, because a private zone never
/// holds AAAA records, so no AAAA alone means nothing. NXDOMAIN concerns the whole name (RFC 8020).
fn together(a: Option<&Answer>, aaaa: Option<&Answer>) -> Status {
    let (a, aaaa) = (a.map(status), aaaa.map(status));
    match (a, aaaa) {
        (Some(Status::NoData), _) => Status::NoData,
        (Some(Status::NxDomain), _) | (_, Some(Status::NxDomain)) => Status::NxDomain,
        (None, Some(Status::NoData) | None) => Status::Skipped,
        (Some(status), _) | (None, Some(status)) => status,
    }
}

/// What became of one question.
pub(super) fn status(answer: &Answer) -> Status {
    match &answer.outcome {
        Outcome::Seen(response) => match response.code {
            ResponseCode::NoError if !response.addresses(&answer.name).is_empty() => Status::Ok,
            ResponseCode::NoError => Status::NoData,
            ResponseCode::NxDomain => Status::NxDomain,
            ResponseCode::ServFail => Status::ServFail,
            ResponseCode::Refused => Status::Refused,
            ResponseCode::FormErr | ResponseCode::NotImp => Status::FormErr,
            ResponseCode::Other(_) => Status::Malformed,
        },
        Outcome::Failed(DnsFailure::Malformed) => Status::Malformed,
        Outcome::Failed(DnsFailure::Truncated(_)) => Status::Truncated,
        Outcome::TimedOut => Status::Timeout,
        Outcome::Cancelled => Status::Cancelled,
        // A process without sockets could not even ask: that says nothing about the server.
        Outcome::Skipped(_) | Outcome::Failed(DnsFailure::Unreachable(IoFailure::NoSockets)) => Status::Skipped,
        Outcome::Failed(DnsFailure::Unreachable(_)) => Status::Unreachable,
    }
}

/// The time to live of the addresses of a name.
fn ttls(name: &str, response: &Response) -> impl Iterator<Item = u32> {
    let owner = response.address_owner(name);
    let own = response.records.iter().filter(move |record| Some(record.owner.as_str()) == owner);
    own.filter(|record| record.address().is_some()).map(|record| record.ttl)
}

/// The longest chain of aliases behind a name that one of the answers tells.
fn chain<'r>(name: &str, responses: impl Iterator<Item = &'r Response>) -> Vec<String> {
    let longest = responses.map(|response| response.chain(name)).max_by_key(Vec::len);
    longest.unwrap_or_default().into_iter().map(str::to_owned).collect()
}

/// Whether a name belongs to a zone, the root included. What a server puts there is any name, in any bytes.
fn zone_holds(zone: &str, name: &str) -> bool {
    zone.trim_matches('.').is_empty() || Zone::over(zone, name).is_some()
}

/// The authority of the best answer to a question about a zone, or of a zone that holds it.
pub(super) fn authority(zone: &str, tries: &[&Answer]) -> Option<Authority> {
    best(tries).and_then(|answer| answer.outcome.seen()).and_then(|response| {
        let own = response.records.iter().find_map(|record| match &record.data {
            RecordData::Soa(authority) => Some(authority.clone()),
            _ => None,
        });
        own.or_else(|| response.authority.clone()).filter(|soa| zone_holds(&soa.zone, zone))
    })
}

#[cfg(test)]
mod tests {
    use ampls_probes::endpoint::Need;
    use ampls_probes::observation::{Record, ServerRole};
    use ampls_probes::testing::{AZURE, CUSTOM, ODS, Says, Scene, empty_world, private_world};

    use super::*;

    fn route(scene: &Scene) -> Route {
        Facts::new(&scene.observations()).endpoint(ODS).map_or(Route::None, super::super::EndpointFacts::route)
    }

    fn bare() -> Scene {
        empty_world().server(CUSTOM, &[ServerRole::Configured]).name(ODS, Need::Required)
    }

    fn status_of(scene: &Scene) -> Status {
        let seen = scene.observations();
        let facts = Facts::new(&seen);
        facts.endpoint(ODS).and_then(|name| name.server_views().next()).map_or(Status::Skipped, |view| view.status)
    }

    #[test]
    fn a_record_of_the_alias_is_private_even_with_a_public_address() {
        assert_eq!(route(&bare().everywhere(ODS, &Says::Private("165.21.17.148"))), Route::Private);
        assert_eq!(route(&bare().everywhere(ODS, &Says::Public("165.21.17.148"))), Route::Public);
    }

    #[test]
    fn an_ipv6_record_of_the_alias_is_not_private_by_its_owner() {
        assert_eq!(route(&bare().everywhere(ODS, &Says::Private("2603:1020::1"))), Route::Public);
    }

    #[test]
    fn shared_addresses_are_private_only_in_a_record_of_the_alias() {
        assert_eq!(route(&bare().everywhere(ODS, &Says::Private("100.64.0.9"))), Route::Private);
        assert_eq!(route(&bare().everywhere(ODS, &Says::Plain("100.64.0.9"))), Route::Public);
        let named = bare().everywhere(ODS, &Says::Plain("100.64.0.9")).private_range("100.64.0.0/16");
        assert_eq!(route(&named), Route::Private);
        let synthesised = bare().says(CUSTOM, ODS, &Says::Public("20.1.1.1")).system(ODS, &Says::Plain("100.64.0.9"));
        assert_eq!(route(&synthesised), Route::Public);
    }

    #[test]
    fn own_subnets_and_named_ranges_are_private() {
        let public = bare().everywhere(ODS, &Says::Plain("51.1.2.9"));
        assert_eq!(route(&public), Route::Public);
        assert_eq!(route(&public.clone().interface("51.1.2.4/24")), Route::Private);
        assert_eq!(route(&public.clone().subnet("51.1.0.0/16")), Route::Private);
        assert_eq!(route(&public.clone().private_range("51.0.0.0/8")), Route::Private);
        assert_eq!(route(&public.clone().interface("51.1.2.4/0")), Route::Public);
    }

    #[test]
    fn both_families_are_judged_together() {
        assert_eq!(route(&bare().everywhere(ODS, &Says::Dual("10.0.0.5", "2603:1020::1"))), Route::Mixed);
        assert_eq!(route(&bare().everywhere(ODS, &Says::Dual("10.0.0.5", "fd00::1"))), Route::Private);
        assert_eq!(route(&bare().everywhere(ODS, &Says::Plain("0.0.0.0"))), Route::None);
    }

    #[test]
    fn no_ipv6_address_alone_is_no_denial() {
        assert_eq!(status_of(&bare().everywhere(ODS, &Says::Private("10.0.0.5"))), Status::Ok);
        assert_eq!(status_of(&bare().everywhere(ODS, &Says::NoData)), Status::NoData);
        assert_eq!(status_of(&bare().everywhere(ODS, &Says::Silence)), Status::Timeout);
        assert_eq!(status_of(&bare()), Status::Skipped);
    }

    #[test]
    fn a_server_with_two_reasons_has_two_views() {
        let scene = private_world().server(AZURE, &[ServerRole::Configured, ServerRole::Azure]);
        let seen = scene.observations();
        let facts = Facts::new(&seen);
        let kinds: Vec<_> =
            facts.endpoint(ODS).into_iter().flat_map(|name| &name.views).map(|view| view.view).collect();
        assert_eq!(kinds, [ViewKind::System, ViewKind::Server, ViewKind::Server, ViewKind::Azure]);
    }

    #[test]
    fn addresses_of_other_names_are_not_of_this_name() {
        let stray = |seen: &mut ampls_probes::Observations| {
            for observation in &mut seen.seen {
                if let ampls_probes::Observation::Answer(Answer { outcome: Outcome::Seen(response), .. }) = observation
                {
                    let data = RecordData::A([203, 0, 113, 9].into());
                    response.records.push(Record { owner: "stray.example.net".to_owned(), ttl: 1, data });
                }
            }
        };
        let mut seen = bare().everywhere(ODS, &Says::Private("10.0.0.5")).observations();
        stray(&mut seen);
        let facts = Facts::new(&seen);
        let view = facts.endpoint(ODS).and_then(|name| name.server_views().next()).expect("a view");
        assert_eq!((view.addresses.len(), view.route), (1, Route::Private));
        assert_ne!(view.ttl, Some(1));
        let mut denied = bare().everywhere(ODS, &Says::NoData).observations();
        stray(&mut denied);
        let facts = Facts::new(&denied);
        assert_eq!(
            facts.endpoint(ODS).and_then(|name| name.server_views().next()).map(|view| view.status),
            Some(Status::NoData)
        );
    }

    #[test]
    fn a_loop_of_aliases_ends() {
        let says = Says::Public("20.1.1.1");
        let mut seen = bare().everywhere(ODS, &says).observations();
        for observation in &mut seen.seen {
            if let ampls_probes::Observation::Answer(Answer { outcome: Outcome::Seen(response), .. }) = observation {
                for record in &mut response.records {
                    record.data = RecordData::Cname(record.owner.clone());
                }
            }
        }
        assert!(Facts::new(&seen).endpoint(ODS).is_some());
    }

    #[test]
    fn the_try_that_says_most_counts() {
        let order = [Says::NoSuchName, Says::ServFail, Says::Malformed, Says::Silence, Says::Unfinished];
        let statuses = [Status::NxDomain, Status::ServFail, Status::Malformed, Status::Timeout, Status::Cancelled];
        for (place, better) in order.iter().enumerate() {
            for worse in &order[place + 1..] {
                for (first, second) in [(better, worse), (worse, better)] {
                    let scene = bare().everywhere(ODS, first).then_says(CUSTOM, ODS, second);
                    assert_eq!(status_of(&scene), statuses[place], "{first:?} {second:?}");
                }
            }
        }
    }

    #[test]
    fn a_and_aaaa_are_one_status() {
        let of = |says: &Says| {
            let seen = bare().everywhere(ODS, says).observations();
            let answers = seen.seen.into_iter().filter_map(|step| match step {
                ampls_probes::Observation::Answer(answer) if answer.name == ODS => Some(answer),
                _ => None,
            });
            answers.into_iter().next().expect("an answer")
        };
        let (missing, denied, failed) = (of(&Says::NoData), of(&Says::NoSuchName), of(&Says::ServFail));
        let table = [
            (Some(&missing), Some(&denied), Status::NoData),
            (Some(&failed), Some(&denied), Status::NxDomain),
            (Some(&denied), Some(&missing), Status::NxDomain),
            (Some(&failed), Some(&missing), Status::ServFail),
            (Some(&missing), Some(&failed), Status::NoData),
            (None, Some(&missing), Status::Skipped),
            (None, Some(&failed), Status::ServFail),
            (None, None, Status::Skipped),
        ];
        for (a, aaaa, expected) in table {
            assert_eq!(together(a, aaaa), expected, "{a:?} {aaaa:?}");
        }
    }

    #[test]
    fn a_route_that_leads_nowhere_is_called_unresolved_by_people_alone() {
        for route in [Route::Private, Route::Public, Route::Mixed] {
            assert_eq!((serde_json::to_value(route).unwrap(), route.label()), (route.as_str().into(), route.as_str()));
        }
        assert_eq!((serde_json::to_value(Route::None).unwrap(), Route::None.label()), ("none".into(), "unresolved"));
    }
}
