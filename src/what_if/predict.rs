//! One machine under changes: what its servers would answer, and what that does to its names.

use std::net::IpAddr;

use ampls_probes::Observations;
use ampls_probes::addr::Class;
use ampls_probes::azure::HostName;
use ampls_probes::endpoint::{Expect, ExpectedRecord, Group, Need};

use super::like::Like;
use super::servers::{self, below};
use super::state::{Answer, Source, State};
use super::{Around, Change, Fate, MachinePrediction, NamePrediction, zones};
use crate::diagnose::facts::{EndpointFacts, Facts, Route, Status};
use crate::text::escape;

/// Characters kept of a host name.
const LONGEST: usize = 120;
/// Characters kept of a full name: no name in DNS has more.
const LONGEST_NAME: usize = 253;

/// What becomes of a machine.
pub fn predict(
    observations: &Observations,
    changes: &[Change],
    like: Option<&Like<'_>>,
    around: &Around,
) -> MachinePrediction {
    let facts = Facts::new(observations);
    let before = State::new(&facts, around);
    let mut after = before.clone();
    for change in changes {
        apply(change, &facts, like, &mut after);
    }
    let lacks_endpoint = facts.lacks_endpoint();
    let mut names: Vec<NamePrediction> = Vec::new();
    for name in facts.ampls_endpoints() {
        if !names.iter().any(|known| known.fqdn == name.fqdn()) {
            let concerned = changes.iter().any(|change| is_about(change, &facts, name));
            names.push(of_name(&facts, name, (&before, &after), concerned, lacks_endpoint));
        }
    }
    let required = names.iter().filter(|name| name.need == Need::Required).map(|name| name.fate).max();
    let fate = required.or_else(|| names.iter().map(|name| name.fate).max()).unwrap_or(Fate::Unknown);
    let meets = |change: &Change| facts.ampls_endpoints().any(|name| is_about(change, &facts, name));
    let places = changes.iter().enumerate().filter(|(_, change)| meets(change));
    MachinePrediction {
        host: escape(&observations.machine.name, LONGEST),
        resource_id: facts.instance().and_then(|it| it.resource_id.clone()),
        at: observations.started_at,
        fate,
        follows: follows(&facts, &names, lacks_endpoint == Some(true)),
        meets: places.map(|(place, _)| place).collect(),
        names,
    }
}

fn apply(change: &Change, facts: &Facts<'_>, like: Option<&Like<'_>>, state: &mut State) {
    match change {
        Change::Link(zone) => zones::link(facts, state, zone, like),
        Change::Unlink(zone) => zones::unlink(facts, state, zone),
        Change::Fallback(zone, on) => zones::fall_back(facts, state, zone, *on),
        Change::Record(record) => zones::record(facts, state, record),
        Change::Records(records) => records.iter().for_each(|record| zones::record(facts, state, record)),
        Change::Forward(server, suffix, target) => servers::forward(facts, like, state, (*server, suffix, *target)),
        Change::Dns(servers) => servers::ask(facts, like, state, servers),
    }
}

/// Whether a change is about a name. DNS servers are those of every name.
fn is_about(change: &Change, facts: &Facts<'_>, name: &EndpointFacts<'_>) -> bool {
    let is_of = |record: &ExpectedRecord| zones::sharing(facts, record).contains(name.fqdn());
    match change {
        Change::Link(zone) | Change::Unlink(zone) | Change::Fallback(zone, _) => {
            name.endpoint.zone.as_deref() == Some(zone)
        }
        Change::Record(record) => is_of(record),
        Change::Records(records) => records.iter().any(is_of),
        Change::Forward(_, suffix, _) => {
            below(name.fqdn(), suffix) || name.endpoint.alias.as_deref().is_some_and(|alias| below(alias, suffix))
        }
        Change::Dns(_) => true,
    }
}

fn of_name(
    facts: &Facts<'_>,
    name: &EndpointFacts<'_>,
    (before, after): (&State, &State),
    concerned: bool,
    lacks_endpoint: Option<bool>,
) -> NamePrediction {
    let fqdn = name.fqdn();
    let (was, will) = (before.decided(fqdn), after.decided(fqdn));
    let looked_up = |status: Status| !matches!(status, Status::Skipped | Status::Cancelled);
    let now = name.system().filter(|view| looked_up(view.status)).map(|view| view.route);
    let made = NamePrediction {
        fqdn: escape(fqdn, LONGEST_NAME),
        need: name.endpoint.need,
        before: now,
        after: now,
        addresses: Vec::new(),
        fate: Fate::Same,
        why: "the change does not touch it".to_owned(),
        saved_by: None,
    };
    if !facts.hosts_entries(fqdn).is_empty() {
        return NamePrediction { why: "the hosts file decides it".to_owned(), ..made };
    }
    if concerned && before.order(fqdn).is_empty() {
        let why = "the report does not show which servers this machine asks".to_owned();
        return NamePrediction { after: None, fate: Fate::Unknown, why, ..made };
    }
    let unknown = |why: String| NamePrediction { after: None, fate: Fate::Unknown, why, ..made.clone() };
    // Where nobody looked, that nothing is known to differ says nothing.
    if (now.is_some() || !concerned) && !before.differs_from(after, fqdn) {
        return made;
    }
    let Some(now) = now else { return unknown("the report does not show where it leads now".to_owned()) };
    if was.route() != Some(now) {
        return unknown(match was {
            Answer::Unknown(why) => why,
            _ => "what the system answers is not what its servers say".to_owned(),
        });
    }
    // Public addresses are handed out in turn; a private one that no server gives comes from somewhere else, as does any where
    // the search domains are asked first.
    if let Answer::Leads { route, addresses, .. } = &was
        && (*route == Route::Private || searches_first(facts, fqdn))
        && !addresses.iter().any(|address| name.addresses().contains(address))
    {
        return unknown("the system's address is not one that its servers give".to_owned());
    }
    match will {
        Answer::Unknown(why) => unknown(why),
        Answer::Silent => unknown("no server answers".to_owned()),
        Answer::Leads { route: Route::None, .. } if search_answers(facts) => {
            unknown("a search domain of this machine answers names that do not exist".to_owned())
        }
        Answer::Leads { route, addresses, source } => {
            let name = Prediction { facts, name, lacks_endpoint, now };
            let (fate, why) = name.fate(&was, route, &addresses, source);
            let lacking = fate == Fate::Breaks && route == Route::None && source == Source::Zone;
            let known = HostName::of_name(fqdn).filter(|_| lacking);
            let saved_by = known.map(|name| format!("record {}=PRIVATE_ENDPOINT_ADDRESS", name.as_str()));
            NamePrediction { after: Some(route), addresses, fate, why, saved_by, ..made }
        }
    }
}

/// The system tries its search domains before the name itself.
fn searches_first(facts: &Facts<'_>, fqdn: &str) -> bool {
    let dots = fqdn.trim_end_matches('.').matches('.').count();
    facts.resolver_config().is_some_and(|config| {
        !config.search.is_empty() && usize::try_from(config.ndots).is_ok_and(|ndots| dots < ndots)
    })
}

fn search_answers(facts: &Facts<'_>) -> bool {
    facts.endpoints().iter().any(|name| facts.answered_by_search(name).is_some())
}

/// A name that resolves now, and what its prediction depends on beside its route.
struct Prediction<'p> {
    facts: &'p Facts<'p>,
    name: &'p EndpointFacts<'p>,
    lacks_endpoint: Option<bool>,
    now: Route,
}

impl Prediction<'_> {
    /// What becomes of the name with this answer, and why.
    fn fate(&self, was: &Answer, route: Route, addresses: &[IpAddr], source: Source) -> (Fate, String) {
        if route == Route::Private && self.now != Route::Private && is_shared_handler(self.name.fqdn()) {
            match self.lacks_endpoint {
                Some(true) => {
                    let why = "the agent has no data collection endpoint: behind the private link the service refuses it (403)";
                    return (Fate::Breaks, why.to_owned());
                }
                None => {
                    let why = "the report does not show whether the agent has a data collection endpoint: without one the \
                               service refuses it (403)";
                    return (Fate::Unknown, why.to_owned());
                }
                Some(false) => {}
            }
        }
        if let Some(address) = self.untried(route, addresses) {
            return (Fate::Unknown, format!("the report does not show whether `{address}` answers"));
        }
        (fate(self.facts, self.now, route), why(was, route, addresses, source))
    }

    /// An address that would take the place of a private one, and to which nothing in the report was connected.
    fn untried(&self, route: Route, addresses: &[IpAddr]) -> Option<IpAddr> {
        if !matches!((self.now, route), (Route::Private | Route::Mixed, Route::Private | Route::Mixed)) {
            return None;
        }
        let answers = |address: &IpAddr| {
            let mut connections = self.facts.endpoints().iter().flat_map(|name| &name.connections);
            connections.any(|seen| seen.outcome.seen().is_some() && seen.address.map(|it| it.ip()) == Some(*address))
        };
        let is_private = |address: &IpAddr| route == Route::Private || self.facts.class(*address) == Class::Private;
        let mut new = addresses.iter().filter(|address| !self.name.addresses().contains(address));
        new.find(|address| is_private(address) && !answers(address)).copied()
    }
}

/// Whether a route is better than another: a name that resolves before one that does not, then the one that is meant.
fn fate(facts: &Facts<'_>, before: Route, after: Route) -> Fate {
    let worth = |route: Route| match (route, facts.expect()) {
        (Route::None, _) => 0,
        (Route::Public, Expect::Public) => 3,
        (Route::Public, _) | (Route::Private, Expect::Public) => 1,
        (Route::Mixed, _) => 2,
        (Route::Private, _) => 3,
    };
    match worth(after).cmp(&worth(before)) {
        std::cmp::Ordering::Less => Fate::Breaks,
        std::cmp::Ordering::Equal => Fate::Same,
        std::cmp::Ordering::Greater => Fate::Improves,
    }
}

fn why(was: &Answer, route: Route, addresses: &[IpAddr], source: Source) -> String {
    let is_same = |known: &[IpAddr]| addresses.iter().all(|address| known.contains(address));
    match (route, source, was) {
        (Route::None, ..) if !addresses.is_empty() => "its address leads nowhere".to_owned(),
        (Route::None, Source::Zone, _) => "the private zone holds no record of it".to_owned(),
        (Route::None, ..) => "it does not resolve there".to_owned(),
        (Route::Private, _, Answer::Leads { route: Route::Private, addresses: known, .. }) if is_same(known) => {
            "it keeps its address".to_owned()
        }
        (Route::Private, _, Answer::Leads { route: Route::Private, .. }) => {
            "it gets another private address, which answers this machine".to_owned()
        }
        (Route::Private, Source::Zone, _) => "the private zone holds its address".to_owned(),
        (Route::Public, Source::Zone, _) => "the private zone holds a public address".to_owned(),
        (Route::Public, ..) => "public DNS answers it".to_owned(),
        (Route::Private | Route::Mixed, ..) => format!("it is led to {} addresses", route.label()),
    }
}

fn is_shared_handler(fqdn: &str) -> bool {
    fqdn.starts_with("global.handler.control.")
}

/// What else the reader has to know.
fn follows(facts: &Facts<'_>, names: &[NamePrediction], agent_alone: bool) -> Vec<String> {
    let turns = |name: &&NamePrediction, to: Route| name.after == Some(to) && name.before != Some(to);
    let mut follows = Vec::new();
    if names.is_empty() {
        follows.push("its report looks at no name of a private link".to_owned());
    }
    if agent_alone && names.iter().any(|name| turns(&name, Route::Private) && is_shared_handler(&name.fqdn)) {
        follows.push("the Azure Monitor Agent has no data collection endpoint and gets 403".to_owned());
    }
    let shared = |name: &&NamePrediction| {
        let of_people = |facts: &EndpointFacts<'_>| {
            matches!(facts.endpoint.group, Group::Query | Group::AppInsights | Group::Portal)
        };
        facts.endpoints_named(&name.fqdn).any(of_people)
    };
    if names.iter().filter(shared).any(|name| turns(&name, Route::Private)) {
        let what = "queries, the portal's names and Application Insights turn private for every machine and browser on that DNS";
        follows.push(what.to_owned());
    }
    if names.iter().any(|name| turns(&name, Route::None)) {
        follows.push("names that the zone does not hold stop resolving".to_owned());
    }
    follows
}
