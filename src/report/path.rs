//! The path of each endpoint, station by station: how each is, why, and which paths belong together.

use std::cmp::Reverse;

use ampls_probes::endpoint::Need;
use ampls_probes::observation::{HostsEntry, Observation};

use super::{EndpointReport, Report};
use crate::diagnose::facts::{Route, Status, View, ViewKind};
use crate::diagnose::finding::{Finding, Severity};
use crate::diagnose::rule::Hop;
use crate::diagnose::rules;

/// How a station is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// In order.
    Good,
    /// Doubtful.
    Doubtful,
    /// It fails.
    Failed,
    /// Not looked at, or for information only.
    Neutral,
}

impl From<Severity> for State {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Error => Self::Failed,
            Severity::Warning => Self::Doubtful,
            Severity::Info => Self::Neutral,
        }
    }
}

/// Why a station is not in order.
#[derive(Clone, Copy, Debug)]
pub enum Reason<'r> {
    /// This finding, and the root of another station that explains it.
    Finding(&'r Finding, Option<&'r Finding>),
    /// The address is public where a private one is expected, and no finding stands here.
    NotPrivate,
    /// The service answers there, which is not in order either.
    OverPublic,
}

/// A station of a path.
#[derive(Clone, Copy, Debug)]
pub struct Station<'r> {
    /// Which one.
    pub hop: Hop,
    /// How it is.
    pub state: State,
    /// Why, where there is something to say.
    pub reason: Option<Reason<'r>>,
}

/// The path of an endpoint.
#[derive(Clone, Debug)]
pub struct Path<'r> {
    /// Its endpoint.
    pub endpoint: &'r EndpointReport,
    /// From the DNS server to the service.
    pub stations: [Station<'r>; 4],
    /// A line of the hosts file gave the address: no server was asked for it.
    pub by_hosts_file: bool,
}

/// Paths of one kind, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// A station fails.
    Failing,
    /// A station is doubtful.
    Doubtful,
    /// Of a required name, in order as far as it was tested.
    Required,
    /// Of another name that answers.
    InOrder,
    /// Of an optional name that does not answer, or was not tested.
    Unreached,
    /// The name is resolved only to understand DNS.
    Evidence,
}

impl Report {
    /// The path of every endpoint, in their order.
    pub fn paths(&self) -> Vec<Path<'_>> {
        self.endpoints.iter().map(|endpoint| self.path(endpoint)).collect()
    }

    /// Whether the service answers, as bad as the findings about the endpoint where it does not.
    pub fn service_state(&self, endpoint: &EndpointReport) -> State {
        match (endpoint.reachable, self.severity_of(endpoint)) {
            (Some(true), _) => State::Good,
            (None, _) => State::Neutral,
            (Some(false), Some(severity)) => severity.into(),
            (Some(false), None) => missing(endpoint.need),
        }
    }

    /// How the route of a name is: public is bad only where it should be private.
    pub fn route_state(&self, endpoint: &EndpointReport) -> Option<State> {
        self.is_astray(endpoint).then(|| self.severity_of(endpoint).map_or_else(|| missing(endpoint.need), State::from))
    }

    fn path<'r>(&'r self, endpoint: &'r EndpointReport) -> Path<'r> {
        let by_hosts_file = self.is_by_hosts_file(endpoint);
        let server = if by_hosts_file { State::Good } else { server_state(endpoint) };
        let alias = if by_hosts_file || endpoint.chain().is_none() { State::Neutral } else { State::Good };
        let mut address = self.station(endpoint, Hop::Address, address_state(endpoint));
        if address.reason.is_none() && self.is_astray(endpoint) {
            address = Station { state: State::Doubtful, reason: Some(Reason::NotPrivate), ..address };
        }
        let mut service = self.station(endpoint, Hop::Service, self.service_state(endpoint));
        if service.state == State::Good && self.is_astray(endpoint) {
            service = Station { state: State::Neutral, reason: Some(Reason::OverPublic), ..service };
        }
        let stations =
            [self.station(endpoint, Hop::Server, server), self.station(endpoint, Hop::Alias, alias), address, service];
        Path { endpoint, stations, by_hosts_file }
    }

    /// A station with the worst finding that stands there. Information does not count at one that is in order.
    fn station<'r>(&'r self, endpoint: &'r EndpointReport, hop: Hop, state: State) -> Station<'r> {
        // The first of equals: roots stand before what they explain.
        let here = |finding: &&Finding| stands_at(finding, hop);
        let worst = self.findings_about(endpoint).filter(here).min_by_key(|finding| Reverse(finding.severity));
        let Some(worst) = worst.filter(|finding| finding.severity > Severity::Info || state != State::Good) else {
            return Station { hop, state, reason: None };
        };
        // A root at the same station is named before what follows from it.
        let root = self.roots().find(|root| Some(&root.id) == worst.caused_by_id.as_ref());
        let reason = match root {
            Some(root) if stands_at(root, hop) => Reason::Finding(root, None),
            root => Reason::Finding(worst, root),
        };
        Station { hop, state: worst.severity.into(), reason: Some(reason) }
    }

    fn is_by_hosts_file(&self, endpoint: &EndpointReport) -> bool {
        let file = self.observations.seen.iter().find_map(|seen| match seen {
            Observation::Hosts(hosts) => hosts.outcome.seen(),
            _ => None,
        });
        let names = |entry: &HostsEntry| entry.name == endpoint.fqdn && endpoint.addresses.contains(&entry.address);
        file.is_some_and(|file| file.entries.iter().any(names))
    }
}

impl EndpointReport {
    /// The name on the servers that this machine uses.
    pub fn server_views(&self) -> impl Iterator<Item = &View> {
        self.views.iter().filter(|view| view.view == ViewKind::Server)
    }

    /// The aliases behind the name, from the first of those servers that gave any.
    pub fn chain(&self) -> Option<&[String]> {
        self.server_views().map(|view| view.cname.as_slice()).find(|chain| !chain.is_empty())
    }

    /// Why it is not known what this machine's own resolver gives: it was not asked, or not to the end.
    pub fn unsettled(&self) -> Option<Status> {
        let system = self.views.iter().find(|view| view.view == ViewKind::System)?;
        matches!(system.status, Status::Skipped | Status::Cancelled).then_some(system.status)
    }
}

impl Path<'_> {
    /// Which kind of path it is.
    pub fn standing(&self) -> Standing {
        let any = |state| self.stations.iter().any(|station| station.state == state);
        match self.endpoint.need {
            Need::Evidence => Standing::Evidence,
            _ if any(State::Failed) => Standing::Failing,
            _ if any(State::Doubtful) => Standing::Doubtful,
            Need::Required if self.endpoint.reachable != Some(false) => Standing::Required,
            _ if self.endpoint.reachable == Some(true) => Standing::InOrder,
            _ => Standing::Unreached,
        }
    }

    /// Whether both are in the same state at every station, for the same reasons.
    pub fn is_alike(&self, other: &Path<'_>) -> bool {
        let codes = |reason: Option<Reason<'_>>| match reason {
            Some(Reason::Finding(finding, root)) => Some((finding.code.clone(), root.map(|root| root.code.clone()))),
            Some(Reason::NotPrivate | Reason::OverPublic) => Some((String::new(), None)),
            None => None,
        };
        let is_alike = |(one, another): (&Station<'_>, &Station<'_>)| {
            one.state == another.state && codes(one.reason) == codes(another.reason)
        };
        self.stations.iter().zip(&other.stations).all(is_alike)
    }

    /// Paths in groups of those that are alike, each where its first stands.
    pub fn groups(paths: Vec<Self>) -> Vec<Vec<Self>> {
        let mut groups: Vec<Vec<Self>> = Vec::new();
        for path in paths {
            match groups.iter_mut().find(|group| group.first().is_some_and(|first| first.is_alike(&path))) {
                Some(group) => group.push(path),
                None => groups.push(vec![path]),
            }
        }
        groups
    }
}

/// A station that nothing came of fails where the name is required.
fn missing(need: Need) -> State {
    if need == Need::Required { State::Failed } else { State::Neutral }
}

fn server_state(endpoint: &EndpointReport) -> State {
    let asked = |view: &View| !matches!(view.status, Status::Skipped | Status::Cancelled);
    if endpoint.server_views().any(View::answered) {
        State::Good
    } else if endpoint.server_views().any(asked) {
        missing(endpoint.need)
    } else {
        State::Neutral
    }
}

fn address_state(endpoint: &EndpointReport) -> State {
    match endpoint.route {
        Route::None if endpoint.unsettled().is_some() => State::Neutral,
        Route::None => missing(endpoint.need),
        _ => State::Good,
    }
}

fn stands_at(finding: &Finding, hop: Hop) -> bool {
    rules::of_code(&finding.code).is_some_and(|rule| rule.hops.contains(&hop))
}
