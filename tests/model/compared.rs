//! What observations say of names, in words that do not depend on who made the public addresses up.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::net::IpAddr;

use ampls_probes::Observations;
use ampls_probes::observation::{
    Answer, Authority, DnsFailure, IoFailure, Observation, Outcome, RecordData, RecordKind, Response, ResponseCode,
};

use super::network::{NAMES, Network, STUB, is_private};

/// Each look by what was looked at: answers by server, name and type, the system's addresses, the steps of a path.
pub(super) fn looks(observations: &Observations, network: &Network) -> BTreeMap<String, String> {
    let mut looks: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let names: BTreeMap<&str, &str> = observations
        .endpoints
        .iter()
        .filter(|endpoint| NAMES.contains(&endpoint.fqdn.as_str()))
        .map(|endpoint| (endpoint.id.as_str(), endpoint.fqdn.as_str()))
        .collect();
    let mut add = |what: String, look: String| {
        looks.entry(what).or_default().insert(look);
    };
    for observation in &observations.seen {
        match observation {
            // The simulated cache stands in the system, not in the stub.
            Observation::Answer(answer)
                if answer.server == STUB && network.cached.contains_key(answer.name.as_str()) => {}
            Observation::Answer(answer) if answer.try_number == 0 => {
                add(format!("{} {:?} at {}", answer.name, answer.kind, answer.server), of_answer(answer));
            }
            Observation::Lookup(lookup) if NAMES.contains(&lookup.name.as_str()) => {
                let found = |found: &ampls_probes::observation::Found| of_addresses(&found.addresses);
                add(format!("{} in the system", lookup.name), of(&lookup.outcome, found));
            }
            Observation::Connection(seen) => {
                let Some(name) = names.get(seen.endpoint.as_str()) else { continue };
                let address = seen.address.map(|address| of_addresses(&[address.ip()])).unwrap_or_default();
                let via = if seen.via.is_some() { "the proxy" } else { &address };
                add(format!("TCP to {name}"), format!("{via} {}", of_io(&seen.outcome)));
            }
            Observation::Tunnel(seen) => {
                let Some(name) = names.get(seen.endpoint.as_str()) else { continue };
                add(format!("CONNECT to {name}"), of(&seen.outcome, u16::to_string));
            }
            Observation::Handshake(seen) => {
                let Some(name) = names.get(seen.endpoint.as_str()) else { continue };
                let verdict = seen.verification.as_ref().map(|verification| {
                    let chains = format!("{:?} {:?}", verification.machine, verification.public);
                    format!("{chains} {:?} {:?}", verification.name, verification.validity)
                });
                add(format!("TLS to {name}"), of(&seen.outcome, |_| verdict.unwrap_or_default()));
            }
            Observation::Exchange(seen) => {
                let Some(name) = names.get(seen.endpoint.as_str()) else { continue };
                let answer = |seen: &ampls_probes::observation::HttpResponse| {
                    let words = ["InsufficientAccessError", "InvalidAccess", "<html"];
                    match words.iter().find(|word| seen.body.contains(**word)) {
                        Some(word) => (*word).to_owned(),
                        None if seen.status >= 500 => "busy".to_owned(),
                        None => "an answer".to_owned(),
                    }
                };
                add(format!("HTTP to {name}"), of(&seen.outcome, answer));
            }
            _ => {}
        }
    }
    looks.into_iter().map(|(what, look)| (what, look.into_iter().collect::<Vec<_>>().join(", "))).collect()
}

fn of<T, F: Debug>(outcome: &Outcome<T, F>, seen: impl FnOnce(&T) -> String) -> String {
    match outcome {
        Outcome::Seen(value) => seen(value),
        Outcome::Failed(failure) => format!("{failure:?}"),
        Outcome::TimedOut => "silence".to_owned(),
        Outcome::Cancelled => "cancelled".to_owned(),
        Outcome::Skipped(skip) => format!("skipped: {skip:?}"),
    }
}

fn of_io<T>(outcome: &Outcome<T, IoFailure>) -> String {
    match outcome {
        Outcome::Failed(IoFailure::KernelTimeout) => "silence".to_owned(),
        other => of(other, |_| "open".to_owned()),
    }
}

/// Private addresses as they are; public ones differ in the simulation.
fn of_addresses(addresses: &[IpAddr]) -> String {
    let word = |address: &IpAddr| match address {
        address if is_private(*address) || address.is_unspecified() => address.to_string(),
        _ => "public".to_owned(),
    };
    addresses.iter().map(word).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ")
}

fn of_answer(answer: &Answer) -> String {
    match &answer.outcome {
        Outcome::Failed(DnsFailure::Truncated(_)) => "truncated".to_owned(),
        outcome => of(outcome, |response| of_response(answer, response)),
    }
}

fn of_response(answer: &Answer, response: &Response) -> String {
    let soa = response.records.iter().find_map(|record| match &record.data {
        RecordData::Soa(soa) => Some(soa),
        _ => None,
    });
    let authority = soa.or(response.authority.as_ref()).map_or("nobody", signer);
    let addresses = response.addresses(&answer.name);
    match (answer.kind, response.code) {
        (RecordKind::Soa, ResponseCode::NoError | ResponseCode::NxDomain) => format!("SOA of {authority}"),
        (RecordKind::Aaaa, ResponseCode::NoError) if authority == "a private zone" => {
            "none in a private zone".to_owned()
        }
        (RecordKind::Aaaa, ResponseCode::NoError) => {
            let owner = response.address_owner(&answer.name).unwrap_or_default();
            let held = !addresses.is_empty() && owner.contains(".privatelink.");
            // Which public names have IPv6 addresses, each side makes up by itself.
            if held { "held by a private zone" } else { "public or none" }.to_owned()
        }
        (_, ResponseCode::NoError) if !addresses.is_empty() => of_addresses(&addresses),
        (_, code @ (ResponseCode::NoError | ResponseCode::NxDomain)) => format!("{code:?} by {authority}"),
        (_, code) => format!("{code:?}"),
    }
}

fn signer(authority: &Authority) -> &'static str {
    match authority.mname.as_str() {
        "azureprivatedns.net" => "a private zone",
        mname if mname.ends_with(".azure-dns.com") => "Microsoft",
        _ => "a zone of its own",
    }
}
