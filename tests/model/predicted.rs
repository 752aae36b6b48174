//! Predictions against the truth: a change is predicted from what a machine sees, then made in the network, and the machine
//! looks again. What was predicted must be what comes out, name by name; what is unknown must stay the exception.

use std::collections::BTreeMap;

use ampls_doctor::diagnose::facts::Route;
use ampls_doctor::what_if::{Change, Fate, Like, predict};
use ampls_probes::endpoint::Need;
use ampls_probes::testing::ZONES;

use super::faults::{Fault, KINDS};
use super::network::{AZURE, Link, Links, NAMES, Network, Shape, Topology, View, is_private, private_address, zone_of};
use super::oracle;
use super::random::Random;
use super::see::see;

/// Networks of one run; `PREDICTED_WORLDS` asks for more.
const WORLDS: usize = 1_000;

/// What became of the required names under one kind of change.
#[derive(Default)]
struct Count {
    all: usize,
    unknown: usize,
    changed: usize,
}

#[test]
fn no_prediction_is_wrong() {
    let worlds = std::env::var("PREDICTED_WORLDS").ok().and_then(|text| text.parse().ok()).unwrap_or(WORLDS);
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    let mut wrong = Vec::new();
    for seed in 0..worlds {
        let mut random = Random::new(seed as u64 + 77_000);
        let shape = Shape::random(&mut random);
        let fault = (!random.one_in(3)).then(|| Fault::random(*random.pick(KINDS), &shape, &mut random)).flatten();
        let network = oracle::with(&Network::new(&shape), fault.iter());
        // What a machine's own cache keeps outlives a change for a while.
        if !network.cached.is_empty() {
            continue;
        }
        let like_network = Network::new(&Shape { topology: Topology::Azure, agents: shape.agents, ..Shape::default() });
        let (like, seen) = (see(&like_network), see(&network));
        let like = Like::new(&like);
        for (kind, text) in changes(&mut random) {
            let change = Change::parse(&text, &|_| Err(String::new())).unwrap_or_else(|why| panic!("{why}"));
            let mut after = network.clone();
            make(&change, &mut after);
            let machine = predict(&seen, std::slice::from_ref(&change), Some(&like));
            for name in machine.names {
                let truth = route(&after, &name.fqdn);
                if name.need == Need::Required {
                    let count = counts.entry(kind).or_default();
                    count.all += 1;
                    count.unknown += usize::from(name.fate == Fate::Unknown);
                    count.changed += usize::from(truth != route(&network, &name.fqdn));
                }
                if name.after.is_some_and(|predicted| predicted != truth) {
                    wrong.push(format!(
                        "{seed}: {text}: {} {:?} -> {truth:?}: {name:?}\n    {shape:?}\n    {fault:?}",
                        name.fqdn, name.after
                    ));
                }
            }
        }
    }
    for (kind, count) in &counts {
        assert!(count.changed > 0, "{kind} changes nothing anywhere");
    }
    let shown: Vec<&String> = wrong.iter().take(5).collect();
    assert!(wrong.is_empty(), "{} wrong predictions, e.g.\n{shown:#?}", wrong.len());
}

/// One change of each kind.
fn changes(random: &mut Random) -> Vec<(&'static str, String)> {
    let zone = ZONES[random.below(4)];
    let named: Vec<&str> = NAMES.into_iter().filter(|name| zone_of(name).is_some()).collect();
    let name = *random.pick(&named);
    vec![
        ("link", format!("link {zone}")),
        ("unlink", format!("unlink {zone}")),
        ("record none", format!("record {name}=none")),
        ("record", format!("record {name}={}", private_address(name))),
        ("fallback on", format!("fallback {zone}=on")),
        ("fallback off", format!("fallback {zone}=off")),
        ("dns", "dns 168.63.129.16".to_owned()),
    ]
}

/// Makes the change in the networks in which this machine's servers resolve.
fn make(change: &Change, network: &mut Network) {
    let place = |zone: &str| ZONES.iter().position(|known| *known == zone).expect("a zone");
    match change {
        Change::Link(zone) => each(network, &|links| _ = links.zones.entry(place(zone)).or_insert_with(Link::default)),
        Change::Unlink(zone) => each(network, &|links| _ = links.zones.remove(&place(zone))),
        Change::Fallback(zone, on) => each(network, &|links| {
            if let Some(link) = links.zones.get_mut(&place(zone)) {
                link.fallback = *on;
            }
        }),
        Change::Record(record) => each(network, &|links| {
            let name = NAMES.into_iter().find(|known| *known == record.name).expect("a name");
            let link = zone_of(name).and_then(|zone| links.zones.get_mut(&zone));
            match link {
                Some(link) if record.addresses.is_empty() => _ = link.missing.insert(name),
                Some(link) => _ = link.missing.remove(name),
                None => {}
            }
        }),
        Change::Dns(servers) => {
            assert_eq!(servers.as_slice(), [AZURE]);
            network.servers = vec![network.azure.clone()];
        }
        Change::Records(_) | Change::Forward(..) => panic!("not drawn"),
    }
}

fn each(network: &mut Network, change: &dyn Fn(&mut Links)) {
    let uses = |view: View| {
        network.servers.iter().any(|server| server.default == view || server.forward.values().any(|it| *it == view))
    };
    let (spoke, hub) = (uses(View::Spoke), uses(View::Hub));
    if spoke {
        change(&mut network.spoke);
    }
    if hub {
        change(&mut network.hub);
    }
}

fn route(network: &Network, name: &str) -> Route {
    let got = network.got(name);
    let private = got.addresses().iter().any(|address| is_private(*address));
    let public = got.addresses().iter().any(|address| !is_private(*address) && !address.is_unspecified());
    match (private, public) {
        (true, true) => Route::Mixed,
        (true, false) => Route::Private,
        (false, true) => Route::Public,
        (false, false) => Route::None,
    }
}
