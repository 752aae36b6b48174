//! One machine under changes: what its servers would answer, and what that does to its names.

use ampls_probes::Observations;
use ampls_probes::endpoint::{Expect, ExpectedRecord, Need};

use super::like::Like;
use super::servers::{self, below};
use super::state::{Answer, Source, State};
use super::{Change, Fate, MachinePrediction, NamePrediction, zones};
use crate::diagnose::facts::{EndpointFacts, Facts, Route, Status};
use crate::text::escape;

/// Characters kept of a host name.
const LONGEST: usize = 120;

/// What becomes of a machine.
pub fn predict(observations: &Observations, changes: &[Change], like: Option<&Like<'_>>) -> MachinePrediction {
    let facts = Facts::new(observations);
    let before = State::new(&facts);
    let mut after = before.clone();
    changes.iter().for_each(|change| apply(change, &facts, like, &mut after));
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
        follows: follows(&names, lacks_endpoint == Some(true)),
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
    let mut made = NamePrediction {
        fqdn: fqdn.to_owned(),
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
    if !before.differs_from(after, fqdn) {
        return made;
    }
    let unknown = |why: String| NamePrediction { after: None, fate: Fate::Unknown, why, ..made.clone() };
    let Some(now) = now else { return unknown("the report does not show where it leads now".to_owned()) };
    if was.route() != Some(now) {
        return unknown(match was {
            Answer::Unknown(why) => why,
            _ => "what the system answers is not what its servers say".to_owned(),
        });
    }
    // Public addresses are handed out in turn; a private one that no server gives comes from somewhere else.
    if let Answer::Leads { route: Route::Private, addresses, .. } = &was
        && !addresses.iter().any(|address| name.addresses().contains(address))
    {
        return unknown("the system's address is none that its servers give".to_owned());
    }
    match will {
        Answer::Unknown(why) => unknown(why),
        Answer::Silent => unknown("no server answers".to_owned()),
        Answer::Leads { route, addresses, source } => {
            let through = source == Source::Zone;
            made.after = Some(route);
            made.fate = fate(facts, now, route);
            made.why = why(now, route, through);
            let becomes_private = route == Route::Private && now != Route::Private;
            let refused = becomes_private && is_shared_handler(fqdn) && lacks_endpoint != Some(false);
            if refused && lacks_endpoint == Some(true) {
                made.fate = Fate::Breaks;
                "the agent has no data collection endpoint: behind the private link the service refuses it (403)"
                    .clone_into(&mut made.why);
            } else if refused {
                made.fate = Fate::Unknown;
                "the report does not show whether the agent has a data collection endpoint: without one the service refuses it (403)"
                    .clone_into(&mut made.why);
            } else if made.fate == Fate::Breaks && route == Route::None && through {
                made.saved_by = Some(format!("record {fqdn}=PRIVATE_ENDPOINT_ADDRESS"));
            }
            made.addresses = addresses;
            made
        }
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

fn why(before: Route, after: Route, through: bool) -> String {
    match (after, through) {
        (Route::None, true) => "the private zone holds no record of it".to_owned(),
        (Route::Private, true) if before == Route::Private => "its address in the private zone changes".to_owned(),
        (Route::Private, true) => "the private zone holds its address".to_owned(),
        (Route::Public, _) => "public DNS answers it".to_owned(),
        _ => format!("that server leads it to {} addresses", after.label()),
    }
}

fn is_shared_handler(fqdn: &str) -> bool {
    fqdn.starts_with("global.handler.control.")
}

/// What else the reader has to know.
fn follows(names: &[NamePrediction], agent_alone: bool) -> Vec<String> {
    let turns = |name: &&NamePrediction, to: Route| name.after == Some(to) && name.before != Some(to);
    let mut follows = Vec::new();
    if names.is_empty() {
        follows.push("its report looks at no name of a private link".to_owned());
    }
    if agent_alone && names.iter().any(|name| turns(&name, Route::Private) && is_shared_handler(&name.fqdn)) {
        follows.push("the Azure Monitor Agent has no data collection endpoint and gets 403".to_owned());
    }
    let portal = |name: &&NamePrediction| name.fqdn.starts_with("api.") || name.fqdn.contains(".in.ai.");
    if names.iter().filter(portal).any(|name| turns(&name, Route::Private)) {
        follows
            .push("queries and the portal's names turn private for every machine and browser on that DNS".to_owned());
    }
    if names.iter().any(|name| turns(&name, Route::None)) {
        follows.push("names of workspaces that the scope does not hold stop resolving".to_owned());
    }
    follows
}
