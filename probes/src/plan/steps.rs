//! The steps of a run.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::{Discovered, Load, Step};
use crate::addr::AZURE_DNS;
use crate::endpoint::{Endpoint, Need};
use crate::observation::{Purpose, RecordKind, Server, ServerRole};
use crate::options::{Options, StepKind};

/// All steps: the platform's services, then each endpoint's own, then the questions to the servers.
pub(super) fn steps(
    options: &Options,
    discovered: &Discovered,
    endpoints: &[Endpoint],
    zones: &[String],
    control: Option<&str>,
) -> Vec<Step> {
    let mut steps = Vec::new();
    if options.takes(StepKind::Imds) {
        steps.extend([Step::Metadata, Step::WireServer]);
    }
    let depth = Depth::of(options);
    for endpoint in endpoints {
        steps.extend(of_endpoint(endpoint, depth));
    }
    if options.takes(StepKind::Dns) {
        steps.extend(
            questions(discovered, endpoints, zones, control).into_iter().filter(|step| takes(discovered, step)),
        );
    }
    steps
}

/// How far an endpoint is looked at. A step needs those before it: `--only tls` connects, `--skip tcp` ends before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Depth {
    Nothing,
    Lookup,
    Tcp,
    Tls,
    Http,
}

impl Depth {
    fn of(options: &Options) -> Self {
        let chain = [(StepKind::Tcp, Self::Tcp), (StepKind::Tls, Self::Tls), (StepKind::Http, Self::Http)];
        let start = if options.takes(StepKind::Dns) { Self::Lookup } else { Self::Nothing };
        chain
            .into_iter()
            .take_while(|(kind, _)| !options.files_only && !options.skip.contains(kind))
            .filter(|(kind, _)| options.takes(*kind))
            .map(|(_, depth)| depth)
            .fold(start, Self::max)
    }
}

fn of_endpoint(endpoint: &Endpoint, depth: Depth) -> Vec<Step> {
    let id = || endpoint.id.clone();
    let mut steps = Vec::new();
    if depth >= Depth::Lookup {
        steps.push(Step::Lookup { endpoint: id() });
    }
    if endpoint.need == Need::Evidence {
        return steps;
    }
    if depth >= Depth::Tcp {
        steps.push(Step::Tcp { endpoint: id() });
    }
    if depth >= Depth::Tls {
        steps.push(Step::Tls { endpoint: id() });
    }
    if depth >= Depth::Http {
        steps.push(Step::Http { endpoint: id() });
    }
    steps
}

/// The servers to ask, each once.
fn servers(discovered: &Discovered) -> Vec<SocketAddr> {
    let mut seen = BTreeSet::new();
    let servers = discovered.resolver.iter().flat_map(|resolver| &resolver.servers);
    servers.map(|server| server.address).filter(|address| seen.insert(*address)).collect()
}

/// What is asked whatever the answers are: each name, the authority of each zone, a name below each zone that nobody has, and
/// one that is never private. Azure's own DNS is what a server that invents answers is compared with, so it is asked for such
/// names only where another server has an address for them.
fn questions(discovered: &Discovered, endpoints: &[Endpoint], zones: &[String], control: Option<&str>) -> Vec<Step> {
    let servers = &servers(discovered);
    let names = names(endpoints);
    let mut steps = Vec::new();
    let mut ask = |server: SocketAddr, name: &str, kind, purpose| {
        steps.push(Step::Ask { server, name: name.to_owned(), kind, try_number: 0, purpose });
    };
    for name in &names {
        for server in servers {
            ask(*server, name, RecordKind::A, Purpose::Name);
        }
    }
    for zone in zones {
        for server in servers {
            ask(*server, zone, RecordKind::Soa, Purpose::Name);
        }
        for server in servers.iter().filter(|server| **server != AZURE_DNS) {
            ask(*server, &canary(zone), RecordKind::A, Purpose::Canary);
        }
    }
    // Without a zone there is nothing that an invented answer could be taken for.
    let control = control.filter(|control| !zones.is_empty() && !names.contains(control));
    for (control, server) in control.iter().flat_map(|control| servers.iter().map(move |server| (control, server))) {
        ask(*server, control, RecordKind::A, Purpose::Control);
    }
    steps
}

/// Whether a question is for this run: servers that are asked whatever the configuration says take every name, others those that
/// this machine asks them for, see [`crate::observation::Resolver::asks`].
pub(super) fn takes(discovered: &Discovered, step: &Step) -> bool {
    let Step::Ask { server, name, .. } = step else { return true };
    let Some(resolver) = &discovered.resolver else { return true };
    let Some(known) = resolver.servers.iter().find(|known| known.address == *server) else { return true };
    known.roles.iter().any(|role| !role.is_used()) || resolver.asks(*server, name)
}

/// A name below a zone that nobody has. It says what it is: random names look like tunnelling and fill caches.
pub(super) fn canary(zone: &str) -> String {
    format!("ampls-doctor-canary.{zone}")
}

/// The names of endpoints, each once, in their order.
pub(super) fn names(endpoints: &[Endpoint]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for endpoint in endpoints {
        if !names.contains(&endpoint.fqdn.as_str()) {
            names.push(&endpoint.fqdn);
        }
    }
    names
}

/// Kinds of failure that are asked about: SERVFAIL, REFUSED, FORMERR, NOTIMP, no DNS message, silence.
const FAILURES: usize = 6;

/// What each server is asked.
pub(super) fn load(
    options: &Options,
    discovered: &Discovered,
    endpoints: &[Endpoint],
    zones: &[String],
    steps: &[Step],
) -> Vec<Load> {
    let asked = |server: SocketAddr| {
        steps.iter().filter(|step| matches!(step, Step::Ask { server: of, .. } if *of == server)).count()
    };
    let lookups = steps.iter().filter(|step| matches!(step, Step::Lookup { .. })).count();
    let (names, records) = (names(endpoints).len(), records(endpoints).len());
    let again = usize::try_from(options.repeat.saturating_sub(1)).unwrap_or(usize::MAX);
    let known = discovered.resolver.iter().flat_map(|resolver| &resolver.servers);
    let first =
        known.clone().find(|server| server.roles.contains(&ServerRole::Configured)).map(|server| server.address);
    let of = |server: &Server| {
        let questions = asked(server.address);
        let used = server.roles.iter().any(|role| role.is_used());
        // IPv6 addresses and records with their authority; again, and where it fails, only from those that this machine uses.
        let mut more = names + 2 * records;
        if used {
            more += names.saturating_mul(again) + FAILURES * 2;
        }
        if server.address == AZURE_DNS {
            more += zones.len();
        }
        let lookups = if Some(server.address) == first { lookups } else { 0 };
        Load { server: server.address, questions, at_most: questions.saturating_add(more), lookups }
    };
    let mut seen = BTreeSet::new();
    known.filter(|server| asked(server.address) > 0 && seen.insert(server.address)).map(of).collect()
}

/// The AMPLS records behind the names, each once. A server that knows a record but not the name that leads to it forwards
/// the wrong zone.
fn records(endpoints: &[Endpoint]) -> Vec<&String> {
    let mut records = Vec::new();
    for alias in endpoints.iter().filter(|endpoint| endpoint.has_ampls_record()).filter_map(|e| e.alias.as_ref()) {
        if !records.contains(&alias) {
            records.push(alias);
        }
    }
    records
}
