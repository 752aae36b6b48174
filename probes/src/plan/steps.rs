//! The steps of a run.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::{Discovered, Step};
use crate::endpoint::{Endpoint, Need};
use crate::observation::RecordKind;
use crate::options::{Options, StepKind};

/// All steps: the platform's services, then each endpoint's own, then the questions to the servers.
pub(super) fn steps(options: &Options, discovered: &Discovered, endpoints: &[Endpoint], zones: &[String]) -> Vec<Step> {
    let mut steps = Vec::new();
    if options.takes(StepKind::Imds) {
        steps.extend([Step::Metadata, Step::WireServer]);
    }
    let depth = Depth::of(options);
    for endpoint in endpoints {
        steps.extend(of_endpoint(endpoint, depth));
    }
    if options.takes(StepKind::Dns) {
        steps.extend(questions(options, &servers(discovered), endpoints, zones));
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

/// First tries of everything come before second tries of anything; the authority of a zone and the records of the zones
/// are asked once.
fn questions(options: &Options, servers: &[SocketAddr], endpoints: &[Endpoint], zones: &[String]) -> Vec<Step> {
    let mut names = Vec::new();
    for endpoint in endpoints {
        if !names.contains(&&endpoint.fqdn) {
            names.push(&endpoint.fqdn);
        }
    }
    let mut steps = Vec::new();
    for try_number in 0..options.repeat.max(1) {
        for name in &names {
            for server in servers {
                for kind in [RecordKind::A, RecordKind::Aaaa] {
                    steps.push(Step::Ask { server: *server, name: (*name).clone(), kind, try_number });
                }
            }
        }
        if try_number > 0 {
            continue;
        }
        for zone in zones {
            for server in servers {
                steps.push(Step::Ask { server: *server, name: zone.clone(), kind: RecordKind::Soa, try_number });
            }
        }
        for record in records(endpoints).into_iter().filter(|record| !names.contains(record)) {
            for server in servers {
                steps.push(Step::Ask { server: *server, name: record.clone(), kind: RecordKind::A, try_number });
            }
        }
    }
    steps
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
