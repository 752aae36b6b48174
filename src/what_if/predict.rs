//! One machine under changes: what its servers would answer, and what that does to its names.

use std::net::SocketAddr;

use ampls_probes::azure::AgentKind;
use ampls_probes::endpoint::{Expect, ExpectedRecord, Need};
use ampls_probes::observation::Observation;
use ampls_probes::{Observations, addr};

use super::state::{Answer, ServerState, State, answer};
use super::{Change, Fate, MachinePrediction, NamePrediction};
use crate::diagnose::facts::{EndpointFacts, Facts, Linked, Route, Status};
use crate::text::{escape, quote};

/// Characters kept of a host name.
const LONGEST: usize = 120;

/// A machine whose servers show what the change would give: the zone is linked there, or the target is asked.
#[derive(Clone, Debug)]
pub struct Like<'a>(Facts<'a>);

impl<'a> Like<'a> {
    /// What was seen on that machine.
    pub fn new(observations: &'a Observations) -> Self {
        Self(Facts::new(observations))
    }

    /// What a linked zone holds for a name: private, denied, or not known.
    fn zone_answer(&self, zone: &str, fqdn: &str) -> Answer {
        let unknown = || Answer::Unknown(format!("nobody asked the zone for {}", quote(fqdn)));
        let Some(name) = self.0.endpoint(fqdn) else { return unknown() };
        let linked = self
            .0
            .servers()
            .iter()
            .map(|server| server.address)
            .filter(|server| self.0.linked(zone, *server) == Linked::Yes);
        for server in linked {
            match answer(&self.0, name, server) {
                Answer::Leads { route: Route::Private, addresses, through: true, .. } => {
                    return Answer::private(addresses);
                }
                // Without a fallback of its own the new link denies what the zone lacks.
                Answer::Leads { route: Route::None, through: true, .. } | Answer::Leads { fallback: true, .. } => {
                    return Answer::denied();
                }
                _ => {}
            }
        }
        unknown()
    }

    /// What a server answers of a name, asked from that machine.
    fn server_answer(&self, server: SocketAddr, fqdn: &str) -> Option<Answer> {
        let name = self.0.endpoint(fqdn)?;
        name.view_of(server).map(|_| answer(&self.0, name, server))
    }
}

/// What becomes of a machine.
pub fn predict(observations: &Observations, changes: &[Change], like: Option<&Like<'_>>) -> MachinePrediction {
    let facts = Facts::new(observations);
    let before = State::new(&facts);
    let mut after = before.clone();
    for change in changes {
        apply(change, &facts, like, &mut after);
    }
    let agents_alone = has_agent_without_endpoint(observations);
    let mut names: Vec<NamePrediction> = Vec::new();
    for name in facts.ampls_endpoints() {
        if !names.iter().any(|known| known.fqdn == name.fqdn()) {
            let concerned = changes.iter().any(|change| is_about(change, name));
            names.push(of_name(&facts, name, (&before, &after), concerned, agents_alone));
        }
    }
    let required = names.iter().filter(|name| name.need == Need::Required).map(|name| name.fate).max();
    let fate = required.or_else(|| names.iter().map(|name| name.fate).max()).unwrap_or(Fate::Unknown);
    let meets = |change: &Change| facts.ampls_endpoints().any(|name| is_about(change, name));
    let places = changes.iter().enumerate().filter(|(_, change)| meets(change));
    MachinePrediction {
        host: escape(&observations.machine.name, LONGEST),
        resource_id: facts.instance().and_then(|it| it.resource_id.clone()),
        at: observations.started_at,
        fate,
        follows: follows(&names, agents_alone),
        meets: places.map(|(place, _)| place).collect(),
        names,
    }
}

/// Whether a change is about a name. DNS servers are those of every name.
fn is_about(change: &Change, name: &EndpointFacts<'_>) -> bool {
    match change {
        Change::Link(zone) | Change::Unlink(zone) | Change::Fallback(zone, _) => {
            name.endpoint.zone.as_deref() == Some(zone)
        }
        Change::Record(of, _) => is_of(of, name),
        Change::Records(records) => records.iter().any(|record| is_of(&record.name, name)),
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
    agent_alone: bool,
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
        Answer::Leads { route, addresses, through, .. } => {
            made.after = Some(route);
            made.fate = fate(facts, now, route);
            made.why = why(now, route, through);
            if route == Route::Private && agent_alone && is_shared_handler(fqdn) && now != Route::Private {
                made.fate = Fate::Breaks;
                "the agent has no data collection endpoint: behind the private link the service refuses it (403)"
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

fn apply(change: &Change, facts: &Facts<'_>, like: Option<&Like<'_>>, state: &mut State) {
    match change {
        Change::Link(zone) => {
            of_zone(facts, state, zone, &|server, linked, name, is| link(server, linked, zone, name.fqdn(), is, like));
        }
        Change::Unlink(zone) => of_zone(facts, state, zone, &|_, linked, _, is| unlink(linked, is)),
        Change::Fallback(zone, on) => {
            of_zone(facts, state, zone, &|server, linked, _, is| fallback(server, linked, *on, is));
        }
        Change::Record(name, addresses) => {
            let record = ExpectedRecord { name: name.clone(), addresses: addresses.clone() };
            record_in_zone(facts, state, &record);
        }
        Change::Records(records) => records.iter().for_each(|it| record_in_zone(facts, state, it)),
        Change::Forward(server, suffix, target) => forward(facts, like, state, (*server, suffix, *target)),
        Change::Dns(servers) => {
            for server in servers {
                state.servers.entry(*server).or_insert_with(|| elsewhere(facts, like, *server));
            }
            state.ask(facts, servers);
        }
    }
    if let Change::Link(zone) | Change::Unlink(zone) = change {
        let now = if matches!(change, Change::Link(_)) { Linked::Yes } else { Linked::No };
        let links = state.servers.values_mut().filter_map(|server| server.linked.get_mut(zone));
        links.filter(|linked| matches!(linked, Linked::Yes | Linked::No)).for_each(|linked| *linked = now);
    }
}

/// What a change of a zone makes of an answer, by the server, whether the zone is linked there, the name, and what is answered.
type InZone<'z> = dyn Fn(SocketAddr, Linked, &EndpointFacts<'_>, &Answer) -> Answer + 'z;

fn of_zone(facts: &Facts<'_>, state: &mut State, zone: &str, make: &InZone<'_>) {
    for (server, of_server) in &mut state.servers {
        let linked = of_server.linked.get(zone).copied().unwrap_or(Linked::Unknown);
        for name in facts.ampls_endpoints().filter(|name| name.endpoint.zone.as_deref() == Some(zone)) {
            if let Some(answer) = of_server.names.get_mut(name.fqdn()) {
                *answer = make(*server, linked, name, answer);
            }
        }
    }
}

fn link(server: SocketAddr, linked: Linked, zone: &str, fqdn: &str, is: &Answer, like: Option<&Like<'_>>) -> Answer {
    match linked {
        // A zone of the server's own, or the same zone already.
        Linked::Yes | Linked::Local => is.clone(),
        Linked::Unknown => {
            Answer::Unknown(format!("it cannot be seen whether the zone is linked where `{server}` resolves"))
        }
        Linked::No if !Facts::is_azure_dns(server) => {
            let suffix = zone.trim_start_matches("privatelink.");
            Answer::Unknown(format!("it cannot be seen whether `{server}` asks Azure's DNS for {}", quote(suffix)))
        }
        Linked::No => match is {
            // A name that public DNS denies has no alias that could lead into the zone.
            Answer::Leads { route: Route::Private | Route::None, .. } => is.clone(),
            Answer::Leads { .. } => like.map_or_else(
                || Answer::Unknown("no report of a machine where the zone is linked was given (--like)".to_owned()),
                |like| like.zone_answer(zone, fqdn),
            ),
            Answer::Silent => Answer::Silent,
            Answer::Unknown(why) => still_unknown(why),
        },
    }
}

/// What was not known before is not known after a change that touches it.
fn still_unknown(why: &str) -> Answer {
    Answer::Unknown(format!("{why}, so what the change gives is not known"))
}

/// Behind the public name stands an alias that goes on in public DNS, or there would be no private record of it.
fn unlink(linked: Linked, is: &Answer) -> Answer {
    match (linked, is) {
        (Linked::Yes, Answer::Leads { through: true, .. }) => Answer::public(),
        (Linked::Unknown, Answer::Leads { .. }) => {
            Answer::Unknown("it cannot be seen whether the zone is linked there".to_owned())
        }
        (Linked::Unknown | Linked::Yes, Answer::Unknown(why)) => still_unknown(why),
        _ => is.clone(),
    }
}

fn fallback(server: SocketAddr, linked: Linked, on: bool, is: &Answer) -> Answer {
    match (linked, is) {
        (Linked::Yes, Answer::Leads { route: Route::None, through: true, .. }) if on => {
            Answer::Leads { route: Route::Public, addresses: Vec::new(), through: false, fallback: true }
        }
        (Linked::Yes, Answer::Leads { fallback: true, .. }) if !on => Answer::denied(),
        (Linked::Yes, Answer::Leads { route: Route::Public, through: false, .. }) => {
            Answer::Unknown(format!("it cannot be seen why `{server}` leads past a zone that is linked"))
        }
        (Linked::Unknown, Answer::Leads { .. }) => {
            Answer::Unknown("it cannot be seen whether the zone is linked there".to_owned())
        }
        (Linked::Unknown | Linked::Yes, Answer::Unknown(why)) => still_unknown(why),
        _ => is.clone(),
    }
}

fn record_in_zone(facts: &Facts<'_>, state: &mut State, record: &ExpectedRecord) {
    let named: Vec<&EndpointFacts<'_>> = facts.ampls_endpoints().filter(|name| is_of(&record.name, name)).collect();
    for (server, of_server) in &mut state.servers {
        let falls_back = of_server.names.values().any(|it| matches!(it, Answer::Leads { fallback: true, .. }));
        let denies =
            of_server.names.values().any(|it| matches!(it, Answer::Leads { route: Route::None, through: true, .. }));
        for name in &named {
            let linked = of_server
                .linked
                .get(name.endpoint.zone.as_deref().unwrap_or_default())
                .copied()
                .unwrap_or(Linked::Unknown);
            let Some(is) = of_server.names.get_mut(name.fqdn()) else { continue };
            let through = match is {
                Answer::Leads { through, fallback, .. } => *through || (*fallback && Facts::is_azure_dns(*server)),
                Answer::Unknown(why) if matches!(linked, Linked::Yes | Linked::Unknown) => {
                    *is = still_unknown(why);
                    continue;
                }
                Answer::Silent | Answer::Unknown(_) => continue,
            };
            *is = match linked {
                Linked::No | Linked::Local => continue,
                Linked::Unknown => Answer::Unknown("it cannot be seen whether the zone is linked there".to_owned()),
                Linked::Yes if !through => {
                    Answer::Unknown(format!("it cannot be seen why `{server}` leads past a zone that is linked"))
                }
                // The zone holds an IPv6 address of it too, which stays.
                Linked::Yes if !record.addresses.is_empty() && is.route() == Some(Route::Mixed) => continue,
                Linked::Yes if !record.addresses.is_empty() => Answer::private(record.addresses.clone()),
                Linked::Yes if falls_back && !denies => {
                    Answer::Leads { route: Route::Public, addresses: Vec::new(), through: false, fallback: true }
                }
                Linked::Yes if denies && !falls_back => Answer::denied(),
                Linked::Yes => {
                    Answer::Unknown("it cannot be seen whether the link falls back to public DNS".to_owned())
                }
            };
        }
    }
}

/// Whether a record is that of a name.
fn is_of(record: &str, name: &EndpointFacts<'_>) -> bool {
    name.fqdn() == record || name.endpoint.alias.as_deref() == Some(record)
}

fn forward(
    facts: &Facts<'_>,
    like: Option<&Like<'_>>,
    state: &mut State,
    (server, suffix, target): (SocketAddr, &str, SocketAddr),
) {
    let target_is_azure = target == addr::AZURE_DNS;
    let given = |name: &EndpointFacts<'_>| -> Answer {
        // What Azure's DNS answers depends on the network that asks: the server's, not this machine's.
        let own = if target_is_azure { None } else { name.view_of(target).map(|_| answer(facts, name, target)) };
        own.or_else(|| like.and_then(|like| like.server_answer(target, name.fqdn()))).unwrap_or_else(|| {
            let where_from = if target_is_azure { format!("in the network of `{server}`") } else { String::new() };
            Answer::Unknown(format!("no report holds what `{target}` answers {where_from}").trim_end().to_owned())
        })
    };
    let Some(of_server) = state.servers.get_mut(&server) else { return };
    for name in facts.ampls_endpoints() {
        let Some(is) = of_server.names.get_mut(name.fqdn()) else { continue };
        if below(name.fqdn(), suffix) {
            *is = given(name);
        } else if name.endpoint.alias.as_deref().is_some_and(|alias| below(alias, suffix)) {
            *is = Answer::Unknown(format!(
                "whether `{server}` follows an alias into a zone that it forwards cannot be seen"
            ));
        }
    }
}

fn below(name: &str, suffix: &str) -> bool {
    name == suffix || name.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.'))
}

/// What a server says that this machine does not use now.
fn elsewhere(facts: &Facts<'_>, like: Option<&Like<'_>>, server: SocketAddr) -> ServerState {
    let of = |name: &EndpointFacts<'_>| {
        let given = like.filter(|_| server != addr::AZURE_DNS).and_then(|like| like.server_answer(server, name.fqdn()));
        given.unwrap_or_else(|| Answer::Unknown(format!("no report holds what `{server}` answers")))
    };
    ServerState {
        names: facts.ampls_endpoints().map(|name| (name.fqdn().to_owned(), of(name))).collect(),
        ..ServerState::default()
    }
}

fn is_shared_handler(fqdn: &str) -> bool {
    fqdn.starts_with("global.handler.control.")
}

/// The Azure Monitor Agent has its configuration from a shared handler, and from no endpoint of its own.
fn has_agent_without_endpoint(observations: &Observations) -> bool {
    observations.seen.iter().any(|seen| match seen {
        Observation::Agents(agents) => agents.found.iter().any(|agent| {
            let cached = agent.cached.as_ref();
            agent.kind == AgentKind::Ama
                && cached
                    .is_some_and(|cached| cached.endpoint_handlers.is_empty() && !cached.shared_handlers.is_empty())
        }),
        _ => false,
    })
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
