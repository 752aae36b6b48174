//! Predictions against the truth: a change is predicted from what a machine sees, then made in the network, and the machine
//! looks again. What was predicted must be what comes out, name by name; what is unknown must stay the exception.

use std::collections::{BTreeMap, BTreeSet};
use std::env;

use ampls_doctor::diagnose::facts::{Facts, Route};
use ampls_doctor::facts_file::{self, Holdings};
use ampls_doctor::report::Held;
use ampls_doctor::what_if::{Around, Change, Fate, Like, NamePrediction, predict};
use ampls_probes::Observations;
use ampls_probes::endpoint::{Expect, Need};
use ampls_probes::observation::{Instance, Metadata, Observation, Outcome, Timing};
use ampls_probes::testing::{HANDLER, ZONES};
use serde_json::json;

use super::faults::{Fault, KINDS, resolving_view};
use super::network::{
    AZURE, Agents, Link, Links, NAMES, Network, Shape, Stub, Topology, View, is_private, private_address, suffix,
    zone_of,
};
use super::oracle;
use super::random::Random;
use super::see::see;

/// Networks for each of the twenty thousand that are diagnosed: `MODEL_WORLDS` asks for more of both.
const SHARE: usize = 20;

/// Of a hundred names under one kind of change so many may be unknown, and of a hundred that change so many have to be foreseen:
/// a link shows only where Azure's own DNS is asked, a removed record only where the link is known to fall back or not.
const MOST_UNKNOWN: usize = 60;
const LEAST_FORESEEN: usize = 1;

/// What became of the required names under one kind of change.
#[derive(Debug, Default)]
struct Count {
    all: usize,
    unknown: usize,
    /// Truly changed by it, and foreseen.
    changed: usize,
    foreseen: usize,
}

#[test]
fn no_prediction_is_wrong() {
    let worlds =
        env::var("MODEL_WORLDS").map_or(super::WORLDS, |count| count.parse().expect("MODEL_WORLDS is a number"));
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    let mut wrong = Vec::new();
    for seed in 0..worlds.div_ceil(SHARE) {
        let mut random = Random::new(seed as u64 + 77_000);
        let shape = Shape::random(&mut random);
        let fault = (!random.one_in(3)).then(|| Fault::random(*random.pick(KINDS), &shape, &mut random)).flatten();
        let mut network = oracle::with(&Network::new(&shape), fault.iter());
        // What a machine's own cache keeps outlives a change for a while.
        if !network.cached.is_empty() {
            continue;
        }
        vary(&mut network, &mut random, fault.is_none());
        let (linked, neighbour) = (see(&all_linked(&shape)), see(&neighbour(&network)));
        let seen = see(&network);
        for (kind, texts) in changes(&network, &mut random) {
            let read =
                |text: &String| Change::parse(text, &|_| Err(String::new())).unwrap_or_else(|why| panic!("{why}"));
            let changes: Vec<Change> = texts.iter().map(read).collect();
            let mut after = network.clone();
            make(&changes, &mut after);
            let forwards = changes.iter().any(|change| matches!(change, Change::Forward(..)));
            let like = Like::new(Some(if forwards { &neighbour } else { &linked }), None);
            for name in predict(&seen, &changes, like.as_ref(), &Around::default()).names {
                let (now, then) = (route(&network, &name.fqdn), route(&after, &name.fqdn));
                if name.need == Need::Required {
                    let count = counts.entry(kind).or_default();
                    count.all += 1;
                    count.unknown += usize::from(name.fate == Fate::Unknown);
                    count.changed += usize::from(then != now);
                    count.foreseen += usize::from(then != now && name.after == Some(then));
                }
                let ama = matches!(network.shape.agents, Agents::Ama | Agents::Both);
                let refused = name.fqdn == HANDLER && ama && network.agents.without_endpoint;
                if let Some(why) = mistake(&name, (now, then), network.expect(), refused) {
                    wrong.push(format!(
                        "{seed}: {texts:?}: {why}: {now:?} -> {then:?}: {name:?}\n    {shape:?}\n    {fault:?}"
                    ));
                }
            }
        }
    }
    let shown: Vec<&String> = wrong.iter().take(5).collect();
    assert!(wrong.is_empty(), "{} wrong predictions, e.g.\n{shown:#?}", wrong.len());
    for (kind, count) in &counts {
        let Count { all, unknown, changed, foreseen } = count;
        let line = format!("{kind}: of {all} names {unknown} unknown, {changed} changed, {foreseen} of these foreseen");
        crate::needs::say(&line);
        assert!(unknown * 100 <= MOST_UNKNOWN * all, "{line}");
        assert!(*changed > 0 && foreseen * 100 >= LEAST_FORESEEN * changed, "{line}");
    }
}

/// What is wrong with a prediction. `refused` says that the service refuses the agent at a private address of the name.
pub(super) fn mistake(
    name: &NamePrediction,
    (now, then): (Route, Route),
    expect: Expect,
    refused: bool,
) -> Option<String> {
    if name.before != Some(now) {
        return Some("it leads elsewhere now".to_owned());
    }
    if name.after.is_some_and(|after| after != then) {
        return Some("it leads elsewhere then".to_owned());
    }
    let worth = |route: Route| match (route, expect) {
        (Route::None, _) => 0,
        (Route::Public, Expect::Public) | (Route::Private, Expect::Auto | Expect::Private) => 3,
        (Route::Public | Route::Private, _) => 1,
        (Route::Mixed, _) => 2,
    };
    let wanted = match worth(then).cmp(&worth(now)) {
        _ if refused && then == Route::Private && now != Route::Private => Fate::Breaks,
        std::cmp::Ordering::Less => Fate::Breaks,
        std::cmp::Ordering::Equal => Fate::Same,
        std::cmp::Ordering::Greater => Fate::Improves,
    };
    (![wanted, Fate::Unknown].contains(&name.fate)).then(|| format!("it is {wanted:?}"))
}

/// A network in which every zone is linked and whole, seen by a machine that asks Azure's DNS.
fn all_linked(shape: &Shape) -> Network {
    Network::new(&Shape { topology: Topology::Azure, agents: shape.agents, ..Shape::default() })
}

/// The network in which this machine's servers resolve, seen by a machine that asks Azure's DNS there.
pub(super) fn neighbour(network: &Network) -> Network {
    let mut neighbour = all_linked(&network.shape);
    neighbour.spoke = network.links(resolving_view(&network.shape)).cloned().unwrap_or_default();
    neighbour.deleted.clone_from(&network.deleted);
    neighbour
}

/// What every machine of these networks is called in Azure.
const MACHINE: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm";

/// What Azure holds around the machine: its network and the hub, their links, every record, and its servers. A server that asks
/// Azure's DNS for everything is an inbound endpoint, every other one a machine.
fn held(network: &Network) -> Holdings {
    let id = |rest: &str| format!("/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/{rest}");
    let of = |view: View| if view == View::Hub { "hub" } else { "spoke" };
    let subnet = |of: &str| id(&format!("virtualNetworks/{of}/subnets/in"));
    let view = resolving_view(&network.shape);
    let both = [View::Spoke, View::Hub].map(|view| (view, network.links(view).expect("a network")));
    let zones = (0..ZONES.len()).map(|zone| {
        let linked = both.iter().filter_map(|(view, links)| Some((view, links.zones.get(&zone)?)));
        let links = linked.map(|(view, link)| {
            let policy = if link.fallback { "NxDomainRedirect" } else { "Default" };
            json!({"name": of(*view), "network": id(&format!("virtualNetworks/{}", of(*view))), "policy": policy})
        });
        let lacks = network.links(view).and_then(|links| links.zones.get(&zone)).map(|link| &link.missing);
        let held = NAMES
            .into_iter()
            .filter(|name| zone_of(name) == Some(zone) && lacks.is_none_or(|lacks| !lacks.contains(name)));
        let label = |name: &str| name.strip_suffix(suffix(zone)).map(|it| it.trim_end_matches('.').to_owned());
        let records = held.map(|name| json!({"name": label(name), "addresses": [private_address(name)]}));
        let (links, records): (Vec<_>, Vec<_>) = (links.collect(), records.collect());
        json!({"id": id(&format!("privateDnsZones/{}", ZONES[zone])), "links": links, "records": records})
    });
    let (mut inbound, mut interfaces) = (Vec::new(), Vec::new());
    for server in network.servers.iter().filter(|server| server.address != AZURE) {
        let (name, address, subnet) = (format!("s{}", server.address.ip()), server.address.ip(), subnet(of(view)));
        if [View::Spoke, View::Hub].contains(&server.default) && network.shape.topology != Topology::Premises {
            let id = id(&format!("dnsResolvers/r/inboundEndpoints/{name}"));
            inbound.push(json!({"id": id, "address": address, "subnet": subnet}));
        } else if network.shape.topology != Topology::Premises {
            let id = id(&format!("networkInterfaces/{name}"));
            interfaces.push(json!({"id": id, "configurations": [{"address": address, "subnet": subnet}]}));
        }
    }
    interfaces.push(json!({"id": id("networkInterfaces/vm"), "machine": MACHINE,
        "configurations": [{"address": "10.1.0.10", "subnet": subnet("spoke")}]}));
    let networks = ["spoke", "hub"].map(|of| {
        let subnets = [json!({"name": "in", "prefixes": [if of == "hub" { "10.2.0.0/24" } else { "10.1.0.0/24" }]})];
        json!({"id": id(&format!("virtualNetworks/{of}")), "subnets": subnets})
    });
    let file = json!({
        "kind": "azure-facts", "schema": 1, "collected_at": "2026-11-29T20:00:00Z", "networks": networks,
        "zones": zones.collect::<Vec<_>>(), "inbound": inbound, "interfaces": interfaces,
    });
    let held = facts_file::read(file.to_string().as_bytes()).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(held.left_out, [""; 0]);
    held
}

/// Machines whose servers are seen, in networks without a fault, and for each kind of change what it needs: the report of a
/// machine where the target is asked for `forward`, what Azure holds for every other one. Left out is what neither can show:
/// whether a server of somebody's own asks Azure's DNS for a suffix whose zone is not linked, and what Azure's DNS would say where
/// it cannot be asked.
#[test]
fn with_another_report_or_what_azure_holds_hardly_a_name_is_unknown() {
    const MOST: usize = 5;
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    let mut whys: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for seed in 0..super::WORLDS.div_ceil(SHARE) {
        let mut random = Random::new(seed as u64 + 177_000);
        let shape = Shape::random(&mut random);
        if shape.stub == Stub::RoutingDomains {
            continue;
        }
        let mut network = Network::new(&shape);
        vary(&mut network, &mut random, true);
        let of_its_own = matches!(shape.topology, Topology::SuffixForwarders | Topology::Premises);
        for (kind, texts) in changes(&network, &mut random) {
            if kind == "two"
                || (kind == "link" && of_its_own)
                || (kind == "dns" && shape.topology == Topology::Premises)
            {
                continue;
            }
            let mut changes: Vec<Change> =
                texts.iter().map(|text| Change::parse(text, &|_| Err(String::new())).expect("a change")).collect();
            // Which of several servers is asked need not show: each of them gets the forwarder.
            if let Some(Change::Forward(_, suffix, target)) = changes.first().cloned() {
                let each = network.servers.iter().map(|server| server.address);
                changes = each.map(|server| Change::Forward(server, suffix.clone(), target)).collect();
            }
            let mut before = network.clone();
            match changes.first() {
                Some(Change::Link(zone)) => make(&[Change::Unlink(zone.clone())], &mut before),
                // The forwarder that is to come leads to public DNS before.
                Some(Change::Forward(_, suffix, _)) => {
                    for server in &mut before.servers {
                        server.forward.insert(suffix.clone(), View::Public);
                    }
                }
                _ => {}
            }
            let (mut seen, neighbour, held) = (see(&before), see(&neighbour(&before)), held(&before));
            seen.seen.push(metadata());
            let mut after = before.clone();
            make(&changes, &mut after);
            let like = Like::new((kind == "forward").then_some(&neighbour), (kind != "forward").then_some(&held));
            let around = if kind == "forward" { Around::default() } else { around(&held, &seen) };
            for name in predict(&seen, &changes, like.as_ref(), &around).names {
                let (now, then) = (route(&before, &name.fqdn), route(&after, &name.fqdn));
                assert_eq!(
                    mistake(&name, (now, then), network.expect(), false),
                    None,
                    "{seed}: {texts:?}: {now:?} -> {then:?}: {name:?}\n{shape:?}"
                );
                if name.need == Need::Required {
                    let count = counts.entry(kind).or_default();
                    count.all += 1;
                    count.changed += usize::from(then != now);
                    if name.fate == Fate::Unknown {
                        count.unknown += 1;
                        *whys.entry((kind, name.why)).or_default() += 1;
                    }
                }
            }
        }
    }
    for (kind, Count { all, unknown, changed, .. }) in &counts {
        let line = format!("{kind}, with what it needs: of {all} names {unknown} unknown, {changed} changed");
        crate::needs::say(&line);
        assert!(unknown * 100 <= MOST * all && *changed > 0, "{line}: {whys:#?}");
    }
    assert_eq!(counts.len(), 8, "{counts:?}");
}

/// What `what-if --facts` takes of the file for one machine.
fn around(held: &Holdings, seen: &Observations) -> Around {
    let facts = Facts::new(seen);
    let held = Held::new(held, &facts);
    let servers: Vec<_> = facts.servers().iter().map(|server| server.address).collect();
    let links = seen.zones.iter().flat_map(|zone| servers.iter().map(move |server| (zone.clone(), *server)));
    Around {
        falls_back: links.filter_map(|link| Some((link.clone(), held.falls_back(&link.0, link.1)?))).collect(),
        inbound: servers.iter().copied().filter(|server| held.is_inbound(*server)).collect(),
    }
}

fn metadata() -> Observation {
    let instance = Instance { resource_id: Some(MACHINE.to_owned()), ..Instance::default() };
    Observation::Metadata(Metadata { timing: Timing { at_us: 0, elapsed_us: 1 }, outcome: Outcome::Seen(instance) })
}

/// Each link falls back for itself, and where no fault would be doubled shows it by a name that its zone lacks.
fn vary(network: &mut Network, random: &mut Random, lacks: bool) {
    for (zone, link) in network.spoke.zones.iter_mut().chain(network.hub.zones.iter_mut()) {
        link.fallback ^= random.one_in(4);
        let name = *random.pick(&NAMES);
        if lacks && zone_of(name) == Some(*zone) {
            link.missing.insert(name);
        }
    }
}

/// One change of each kind, and two of them one after the other.
pub(super) fn changes(network: &Network, random: &mut Random) -> Vec<(&'static str, Vec<String>)> {
    let zone = ZONES[random.below(4)];
    let named: Vec<&str> = NAMES.into_iter().filter(|name| zone_of(name).is_some()).collect();
    let name = *random.pick(&named);
    let mut kinds = vec![
        ("link", format!("link {zone}")),
        ("unlink", format!("unlink {zone}")),
        ("record none", format!("record {name}=none")),
        ("record", format!("record {name}={}", private_address(name))),
        ("fallback on", format!("fallback {zone}=on")),
        ("fallback off", format!("fallback {zone}=off")),
        ("dns", "dns 168.63.129.16".to_owned()),
    ];
    let server = random.pick(&network.servers).address;
    if server != AZURE {
        kinds.push(("forward", format!("forward {server} {}={AZURE}", suffix(random.below(4)))));
    }
    let two = ["one", "other"].map(|_| random.pick(&kinds).1.clone()).to_vec();
    let mut changes: Vec<(&str, Vec<String>)> = kinds.into_iter().map(|(kind, text)| (kind, vec![text])).collect();
    changes.push(("two", two));
    changes
}

/// Makes the changes in the networks in which this machine's servers resolve, one after the other. A zone keeps its records
/// whether it is linked or not.
fn make(changes: &[Change], network: &mut Network) {
    let mut lacks: BTreeSet<&'static str> = BTreeSet::new();
    let place = |zone: &str| ZONES.iter().position(|known| *known == zone).expect("a zone");
    for change in changes {
        match change {
            Change::Link(zone) => {
                let place = place(zone);
                let missing = lacks.iter().copied().filter(|name| zone_of(name) == Some(place)).collect();
                let link = Link { missing, ..Link::default() };
                each(network, &|links| _ = links.zones.entry(place).or_insert_with(|| link.clone()));
            }
            Change::Unlink(zone) => each(network, &|links| _ = links.zones.remove(&place(zone))),
            Change::Fallback(zone, on) => each(network, &|links| {
                if let Some(link) = links.zones.get_mut(&place(zone)) {
                    link.fallback = *on;
                }
            }),
            Change::Record(record) => {
                let name = NAMES.into_iter().find(|known| *known == record.name).expect("a name");
                let is_removed = record.addresses.is_empty();
                _ = if is_removed { lacks.insert(name) } else { lacks.remove(name) };
                each(network, &|links| {
                    let link = zone_of(name).and_then(|zone| links.zones.get_mut(&zone));
                    match link {
                        Some(link) if is_removed => _ = link.missing.insert(name),
                        Some(link) => _ = link.missing.remove(name),
                        None => {}
                    }
                });
            }
            Change::Dns(servers) => {
                assert_eq!(servers.as_slice(), [AZURE]);
                network.servers = vec![network.azure.clone()];
            }
            Change::Forward(server, suffix, _) => {
                let view = resolving_view(&network.shape);
                for server in network.servers.iter_mut().filter(|known| known.address == *server) {
                    server.forward.insert(suffix.clone(), view);
                }
            }
            Change::Records(_) => panic!("not drawn"),
        }
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
