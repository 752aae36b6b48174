//! Predictions against the simulated Azure: the real probes look at a world over sockets, a change is predicted from what they
//! saw, made in the world's zones and servers, and the real probes look again. What was predicted must be what comes out, name
//! by name.
//!
//! The worlds are those of `tests/scenarios` and networks of the model. A run of `cargo test` takes some of each, with one kind
//! of change after the other; `MODEL_CHANGES=all` takes every world and network with every kind.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;

use ampls_doctor::diagnose::facts::{Facts, Route};
use ampls_doctor::what_if::{Around, Change, Fate, Like, predict};
use ampls_probes::Observations;
use ampls_probes::endpoint::{Endpoint, Need};
use ampls_probes::observation::Outcome;
use ampls_world::Scenario;
use ampls_world::scenario::{Server as Described, ServerFault, View, Vnet};

use super::faults::Kind;
use super::invariants::describe;
use super::predicted::mistake;
use super::random::Random;
use super::sockets::{left_out, scenario};
use super::{KINDS, world};
use crate::scenarios::{Pace, observe, side_by_side};

/// Worlds and networks of one run of `cargo test`, half of each.
const SOME: usize = 20;
/// Networks of a run with all worlds.
const NETWORKS: usize = 60;
const AZURE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(168, 63, 129, 16));
/// An address that no world's private endpoint has.
const ELSEWHERE: &str = "10.1.2.77";

/// The kinds of change.
const CHANGES: [&str; 8] = ["link", "unlink", "record none", "record", "fallback on", "fallback off", "forward", "dns"];

/// A world, and the kinds of change that are tried on it.
struct Case {
    scenario: Scenario,
    told: String,
    kinds: Vec<&'static str>,
    seed: u64,
}

/// What was predicted of required names under one kind of change.
#[derive(Default)]
struct Count {
    tried: usize,
    names: usize,
    unknown: usize,
    changed: usize,
}

#[test]
fn what_is_predicted_is_what_the_real_probes_see_after_the_change() {
    let all = env::var("MODEL_CHANGES").is_ok_and(|which| which == "all");
    let mut cases: Vec<Case> = of_worlds();
    let networks = of_networks(if all { NETWORKS } else { SOME / 2 });
    if !all {
        let step = cases.len() / (SOME / 2);
        cases = cases.into_iter().step_by(step).take(SOME / 2).collect();
    }
    cases.extend(networks);
    if !all {
        for (place, case) in cases.iter_mut().enumerate() {
            case.kinds = vec![CHANGES[place % CHANGES.len()]];
        }
    }
    let counts: Mutex<BTreeMap<&str, Count>> = Mutex::default();
    side_by_side(&cases, |case| case.told.clone(), |case, pace| examine(case, pace, &counts));
    let counts = counts.into_inner().expect("no thread panics while it counts");
    for (kind, Count { tried, names, unknown, changed }) in &counts {
        crate::needs::say(&format!(
            "{kind}, over sockets: {tried} worlds; of {names} required names {unknown} unknown, {changed} changed"
        ));
    }
    let tried: usize = counts.values().map(|count| count.tried).sum();
    assert!(counts.len() == CHANGES.len() && counts.values().any(|count| count.changed > 0), "{}", counts.len());
    assert!(tried >= if all { 400 } else { SOME * 3 / 4 }, "only {tried} changes were tried");
}

/// Every world of `tests/scenarios` in which a change of DNS is all that decides.
fn of_worlds() -> Vec<Case> {
    let worlds = ampls_world::scenarios().iter().map(|world| world.parse().expect("a world file"));
    let worlds = worlds.filter(|scenario: &Scenario| {
        // Answers that are kept outlive a change for a while, and some servers answer differently each time.
        let fickle = |server: &Described| {
            server.recovers_after_ms.is_some()
                || matches!(server.fault, Some(ServerFault::Flaps | ServerFault::KeepsRecords))
        };
        let looks = |argument: &str| !["--root", "--skip", "--only"].iter().any(|it| argument.starts_with(it));
        scenario.resolver.cached.is_empty()
            && !scenario.servers.iter().any(fickle)
            && scenario.more_arguments.iter().all(|argument| looks(argument))
    });
    let case = |(scenario, seed): (Scenario, u64)| Case {
        told: format!("world `{}`", scenario.name),
        scenario,
        kinds: CHANGES.to_vec(),
        seed,
    };
    worlds.zip(0..).map(case).collect()
}

/// Networks of the model: every kind of fault in turn, and as many without any.
fn of_networks(wanted: usize) -> Vec<Case> {
    let mut random = Random::new(23);
    let mut cases = Vec::new();
    for turn in 0_u32.. {
        if cases.len() >= wanted {
            break;
        }
        let kinds: Vec<Kind> = if turn % 2 == 0 { Vec::new() } else { vec![*random.pick(KINDS)] };
        let Some(world) = world(&kinds, &mut random).filter(|world| left_out(world).is_none()) else { continue };
        let network = world.network();
        if network.cached.is_empty() {
            let (kinds, seed) = (CHANGES.to_vec(), u64::from(turn));
            cases.push(Case { scenario: scenario(&network), told: describe(&world), kinds, seed });
        }
    }
    cases
}

/// What is wrong with the predictions of a world.
fn examine(case: &Case, pace: Pace, counts: &Mutex<BTreeMap<&'static str, Count>>) -> Result<Vec<String>, String> {
    let mut before = case.scenario.clone();
    pace.set(&mut before);
    let seen = observe(&before)?.observations;
    let mut faults = Vec::new();
    let mut counted: BTreeMap<&str, Count> = BTreeMap::new();
    for kind in &case.kinds {
        let mut random = Random::new(case.seed * 31 + kind.len() as u64);
        let Some(text) = change(kind, &before, &seen, &mut random) else { continue };
        let change = Change::parse(&text, &|_| Err(String::new()))?;
        let Some(after) = made(&before, &change) else { continue };
        let like = match *kind {
            "link" => Some(neighbour(&after)),
            "forward" => Some(neighbour(&before)),
            _ => None,
        };
        let like = like.map(|like| observe(&like)).transpose()?.map(|like| like.observations);
        let predicted =
            predict(&seen, std::slice::from_ref(&change), Like::new(like.as_ref(), None).as_ref(), &Around::default());
        if predicted.meets.is_empty() {
            continue;
        }
        let (now, then) = (routes(&seen), routes(&observe(&after)?.observations));
        let refused = Facts::new(&seen).lacks_endpoint() == Some(true);
        let expect = seen.asked.expect;
        let count = counted.entry(kind).or_default();
        count.tried += 1;
        for name in predicted.names {
            let (Some(now), Some(then)) = (now.get(&name.fqdn), then.get(&name.fqdn)) else {
                // The run ended before it: whoever predicts it nevertheless has guessed.
                if name.after.is_some() || !matches!(name.fate, Fate::Unknown | Fate::Same) {
                    faults.push(format!("{text}: {} was not looked up, and is predicted: {name:?}", name.fqdn));
                }
                continue;
            };
            let refused = refused && name.fqdn.starts_with("global.handler.control.");
            if let Some(why) = mistake(&name, (*now, *then), expect, refused) {
                faults.push(format!("{text}: {why}: {now:?} -> {then:?}: {name:?}"));
            }
            if name.need == Need::Required {
                count.names += 1;
                count.unknown += usize::from(name.fate == Fate::Unknown);
                count.changed += usize::from(now != then);
            }
        }
    }
    if faults.is_empty() {
        let mut counts = counts.lock().map_err(|_| "a thread panicked".to_owned())?;
        for (kind, count) in counted {
            let all = counts.entry(kind).or_default();
            all.tried += count.tried;
            all.names += count.names;
            all.unknown += count.unknown;
            all.changed += count.changed;
        }
    }
    Ok(faults)
}

/// Where each name led the system of the machine; not those that were never looked up.
fn routes(seen: &Observations) -> BTreeMap<String, Route> {
    let facts = Facts::new(seen);
    let looked_up = facts.ampls_endpoints().filter(|name| {
        let outcome = facts.lookup(name.fqdn()).map(|lookup| &lookup.outcome);
        outcome.is_some_and(|outcome| !matches!(outcome, Outcome::Skipped(_) | Outcome::Cancelled))
    });
    looked_up.filter_map(|name| Some((name.fqdn().to_owned(), name.system()?.route))).collect()
}

/// A change of this kind for a zone, name or server of this world; none where it has no place for one.
fn change(kind: &str, scenario: &Scenario, seen: &Observations, random: &mut Random) -> Option<String> {
    let zones: Vec<&String> = seen.zones.iter().filter(|zone| short(scenario, zone).is_some()).collect();
    let linked = |zone: &&&String| {
        let zone = short(scenario, zone);
        zone.is_some_and(|zone| used(scenario).iter().all(|view| is_linked(vnet(scenario, *view), zone)))
    };
    let of = |zones: Vec<&String>, random: &mut Random| (!zones.is_empty()).then(|| (*random.pick(&zones)).clone());
    let (linked, not_linked): (Vec<&String>, Vec<&String>) = zones.iter().partition(|zone| linked(zone));
    let recorded: Vec<&Endpoint> = seen.endpoints.iter().filter(|it| it.zone.is_some() && it.alias.is_some()).collect();
    let alone: Vec<&&Endpoint> = recorded
        .iter()
        .filter(|it| recorded.iter().filter(|other| other.alias == it.alias).count() == 1)
        .filter(|it| short(scenario, it.zone.as_deref().unwrap_or_default()).is_some())
        .collect();
    let name = |random: &mut Random| (!alone.is_empty()).then(|| random.pick(&alone).fqdn.clone());
    let server = |random: &mut Random| {
        let own: Vec<&Described> = scenario.servers.iter().filter(|it| it.configured && it.address != AZURE).collect();
        (!own.is_empty()).then(|| random.pick(&own).address)
    };
    Some(match kind {
        "link" => format!("link {}", of(not_linked, random)?),
        "unlink" => format!("unlink {}", of(linked, random)?),
        "record none" => format!("record {}=none", name(random)?),
        "record" => format!("record {}={ELSEWHERE}", name(random)?),
        "fallback on" => format!("fallback {}=on", of(linked, random)?),
        "fallback off" => format!("fallback {}=off", of(linked, random)?),
        "forward" => {
            let zone = of(zones, random)?;
            format!("forward {} {}={AZURE}", server(random)?, zone.trim_start_matches("privatelink."))
        }
        _ => format!("dns {AZURE}"),
    })
}

/// The word of world files for a zone. Government's monitor zone brings another one along.
fn short(scenario: &Scenario, zone: &str) -> Option<&'static str> {
    let known = scenario
        .cloud
        .zone_names()
        .iter()
        .copied()
        .find(|it| zone.strip_prefix("privatelink.") == Some(scenario.cloud.suffix(it)))?;
    (scenario.cloud != ampls_world::Cloud::UsGov || !["monitor", "adx"].contains(&known)).then_some(known)
}

/// The networks in which the servers of this machine resolve.
fn used(scenario: &Scenario) -> BTreeSet<bool> {
    if scenario.servers.is_empty() {
        return BTreeSet::from([false]);
    }
    let servers = scenario.servers.iter().filter(|server| server.configured);
    let views = servers.flat_map(|server| server.forward.values().copied().chain([server.resolves]));
    views.filter(|view| *view != View::Public).map(|view| view == View::Hub).collect()
}

/// The zones of the hub, or those of this machine's own network.
fn vnet(scenario: &Scenario, hub: bool) -> &Vnet {
    if hub { &scenario.hub } else { &scenario.vnet }
}

fn is_linked(vnet: &Vnet, zone: &str) -> bool {
    [&vnet.linked, &vnet.empty, &vnet.fallback].iter().any(|zones| zones.iter().any(|known| known == zone))
}

/// The world with the change made; none where it cannot be made there.
fn made(scenario: &Scenario, change: &Change) -> Option<Scenario> {
    let mut after = scenario.clone();
    match change {
        Change::Link(zone) => each(scenario, &mut after, |vnet| {
            let zone = short(scenario, zone)?;
            if !is_linked(vnet, zone) {
                vnet.linked.push(zone.to_owned());
            }
            Some(())
        })?,
        Change::Unlink(zone) => each(scenario, &mut after, |vnet| {
            let zone = short(scenario, zone)?;
            for zones in [&mut vnet.linked, &mut vnet.empty, &mut vnet.fallback] {
                zones.retain(|known| known != zone);
            }
            Some(())
        })?,
        Change::Fallback(zone, on) => each(scenario, &mut after, |vnet| {
            let zone = short(scenario, zone)?;
            let was_linked = is_linked(vnet, zone);
            vnet.fallback.retain(|known| known != zone);
            if *on && was_linked {
                vnet.fallback.push(zone.to_owned());
            } else if was_linked && !is_linked(vnet, zone) {
                // A zone of which only the fallback is named has the records that are named, and no other.
                vnet.empty.push(zone.to_owned());
            }
            Some(())
        })?,
        Change::Record(record) => each(scenario, &mut after, |vnet| {
            let name = scenario.cloud.zone_names().iter().find_map(|zone| {
                let suffix = scenario.cloud.suffix(zone);
                record.name.strip_suffix(suffix).filter(|rest| rest.ends_with('.'))
            });
            name?;
            let is_it = |known: &String| scenario.expand(known).eq_ignore_ascii_case(&record.name);
            vnet.missing.retain(|known| !is_it(known));
            vnet.records.retain(|known, _| !is_it(known));
            if record.addresses.is_empty() {
                vnet.missing.push(record.name.clone());
            } else {
                vnet.records.insert(record.name.clone(), record.addresses.clone());
            }
            Some(())
        })?,
        Change::Dns(_) => {
            for server in &mut after.servers {
                server.configured = server.address == AZURE;
            }
            if !after.servers.is_empty() && !after.servers.iter().any(|server| server.configured) {
                let azure = described(scenario)?;
                after.servers.push(azure);
            }
        }
        Change::Forward(server, suffix, _) => {
            let view = target(scenario);
            let server = after.servers.iter_mut().find(|known| SocketAddr::new(known.address, 53) == *server)?;
            server.forward.insert(suffix.clone(), view);
        }
        Change::Records(_) => return None,
    }
    Some(after)
}

/// Changes the zones of each network in which the servers of the machine resolve.
fn each(scenario: &Scenario, after: &mut Scenario, change: impl Fn(&mut Vnet) -> Option<()>) -> Option<()> {
    for hub in used(scenario) {
        change(if hub { &mut after.hub } else { &mut after.vnet })?;
    }
    Some(())
}

/// Azure's DNS as a server that the machine is set to.
fn described(scenario: &Scenario) -> Option<Described> {
    let mut template = scenario.servers.first()?.clone();
    template.address = AZURE;
    (template.resolves, template.configured) = (View::Azure, true);
    (template.fault, template.delay_ms) = (None, 0);
    template.forward.clear();
    template.zones.clear();
    Some(template)
}

/// Where Azure's DNS is asked by the machine's servers: in the hub if one of them resolves there.
fn target(scenario: &Scenario) -> View {
    let hub = scenario.servers.iter().any(|server| {
        server.configured && (server.resolves == View::Hub || server.forward.values().any(|view| *view == View::Hub))
    });
    if hub { View::Hub } else { View::Azure }
}

/// A machine that asks Azure's DNS in the network in which the servers of this one resolve.
fn neighbour(scenario: &Scenario) -> Scenario {
    let mut neighbour = scenario.clone();
    neighbour.vnet = vnet(scenario, target(scenario) == View::Hub).clone();
    neighbour.servers.clear();
    neighbour.resolver = ampls_world::scenario::Resolver::default();
    neighbour.machine.hosts.clear();
    neighbour
}
