//! The same networks on loopback: what the real probes see of the simulated servers has to be what the model says they see.
//!
//! Compared is what both have: the answer to each question (server, name, type), what the system finds, TCP, TLS and HTTP.
//! `MODEL_SOCKETS` says how many networks are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

use ampls_probes::endpoint::Expect;
use ampls_probes::testing::{METRICS, REGIONAL, WORKSPACE};
use ampls_world::Scenario;
use ampls_world::scenario::{
    Front as Entry, HttpFault, LocalZone, Proxy as Forwarder, Server as Described, ServerFault, TcpFault, TlsFault,
    View as From, Vnet,
};

use super::compared::looks;
use super::faults::Kind;
use super::invariants::{World, describe};
use super::network::{
    AZURE, Agents, Egress, FORMER, Front, Http, Links, NAMES, Network, Proxy, SEARCH, STUB, Server, Stub, Tcp, Tls,
    Trouble, View, private_address, public_address, public_v6, zone_of,
};
use super::random::Random;
use super::see::see;
use super::{KINDS, world};
use crate::scenarios::{observe, side_by_side};

/// Networks of one run of `cargo test`.
const NETWORKS: usize = 100;
/// The names of the zones in world files.
const SHORT: [&str; 5] = ["monitor", "oms", "ods", "agentsvc", "blob"];

/// What the simulated servers cannot show, and why.
pub(super) fn left_out(world: &World) -> Option<&'static str> {
    let network = world.network();
    let kinds: BTreeSet<Kind> = world.faults.iter().map(|fault| fault.kind).collect();
    let has = |kind| kinds.contains(&kind);
    if network.shape.stub == Stub::RoutingDomains {
        return Some("the simulated stub asks the servers that its file lists");
    }
    if has(Kind::SearchWildcard) {
        return Some("the simulated system tries no search domain before the name itself");
    }
    if has(Kind::Flaps) {
        return Some("who asks a server that flaps first decides what each of them hears");
    }
    if has(Kind::Certificate) && network.fronts.values().any(|front| front.tls == Tls::NotTrusted) {
        return Some("the simulated machine trusts the public root or does not, for all names");
    }
    if has(Kind::Ruleset) {
        return Some("the simulated Azure has no forwarding rulesets");
    }
    let open = network.shape.public || network.shape.egress == Egress::Open;
    if network.proxy == Some(Proxy::Works) && (!open || !network.fronts.is_empty()) {
        return Some("the simulated proxy takes the machine's own way to the internet");
    }
    let ill = |server: &Server| server.trouble.is_some() || (server.truncates && server.tcp_dropped);
    if network.shape.stub != Stub::None && network.servers.iter().all(ill) {
        return Some("the simulated stub says what a server behind it says, and none says anything");
    }
    let faults = |server: &Server| {
        usize::from(server.trouble.is_some())
            + usize::from(server.truncates || server.tcp_dropped)
            + usize::from(!server.sinkholes.is_empty())
    };
    network.servers.iter().any(|server| faults(server) > 1).then_some("a simulated server has one fault")
}

#[test]
fn networks_look_the_same_through_the_real_probes() {
    let wanted = env::var("MODEL_SOCKETS").ok().and_then(|count| count.parse().ok()).unwrap_or(NETWORKS);
    let mut random = Random::new(11);
    let mut worlds = Vec::new();
    // Every kind in turn, alone and with another.
    for turn in 0.. {
        let mut kinds = vec![KINDS[turn % KINDS.len()]];
        if turn % 2 == 1 {
            kinds.push(*random.pick(KINDS));
            kinds.sort();
            kinds.dedup();
        }
        worlds.extend(world(&kinds, &mut random).filter(|world| left_out(world).is_none()));
        if worlds.len() >= wanted {
            break;
        }
    }
    let compared = AtomicUsize::new(0);
    side_by_side(&worlds, describe, |world, pace| {
        let network = world.network();
        let mut scenario = scenario(&network);
        pace.set(&mut scenario);
        let (real, model) = (looks(&observe(&scenario)?.observations, &network), looks(&see(&network), &network));
        let both = model.iter().filter_map(|(what, look)| Some((what, look, real.get(what)?)));
        compared.fetch_add(both.clone().count(), Ordering::Relaxed);
        let differ = both.filter(|(_, model, real)| model != real);
        Ok(differ.map(|(what, model, real)| format!("{what}: the model says {model}, the probes see {real}")).collect())
    });
    let each = compared.into_inner() / worlds.len().max(1);
    assert!(each >= LEAST, "only {each} looks of a network were compared");
}

/// Looks that a network has at least, so that the test cannot pass by comparing nothing.
const LEAST: usize = 40;

/// The network as a world file describes it.
pub(super) fn scenario(network: &Network) -> Scenario {
    let mut scenario = Scenario::parse("model", "title = \"model\"\nstory = \"model\"\n").expect("a world file");
    let deleted = !network.deleted.is_empty();
    scenario.workspaces = if deleted { Vec::new() } else { vec![WORKSPACE.to_owned()] };
    scenario.deleted_workspaces = if deleted { vec![WORKSPACE.to_owned()] } else { Vec::new() };
    if matches!(network.shape.agents, Agents::Ama | Agents::Both) {
        scenario.dces = vec!["prod-ab12.westeurope-1".to_owned()];
    }
    scenario.vnet = vnet(network, &network.spoke);
    scenario.hub = vnet(network, &network.hub);
    let azure = (&network.azure, network.servers.iter().any(|server| server.address == AZURE));
    scenario.servers = network.servers.iter().map(|server| described(server, true)).collect();
    if !azure.1 && azure.0.trouble.is_some() {
        scenario.servers.push(described(azure.0, false));
    }
    if network.stub_rejects {
        scenario.servers.push(Described {
            fault: Some(ServerFault::Servfail),
            ..described(&Server::new(STUB, View::Public), false)
        });
    }
    scenario.resolver.stub = network.shape.stub != Stub::None;
    scenario.resolver.options = vec!["timeout:1".to_owned(), "attempts:1".to_owned()];
    if network.shape.use_vc {
        scenario.resolver.options.push("use-vc".to_owned());
    }
    if network.shape.search {
        scenario.resolver.search = vec![SEARCH.to_owned()];
    }
    let kept = network.cached.iter();
    scenario.resolver.cached = kept.map(|(name, address)| ((*name).to_owned(), vec![*address])).collect();
    scenario.machine.hosts = network.hosts.iter().map(|(name, address)| ((*name).to_owned(), *address)).collect();
    scenario.machine.ipv6 = network.shape.ipv6;
    scenario.fronts = fronts(network);
    scenario.more_arguments = vec!["--timeout".to_owned(), "1".to_owned()];
    let expect = match network.expect() {
        Expect::Auto => "auto",
        Expect::Private => "private",
        Expect::Public => "public",
    };
    scenario.more_arguments.extend(["--expect".to_owned(), expect.to_owned()]);
    if let Some(proxy) = network.proxy {
        let address: SocketAddr = "10.1.0.9:3128".parse().expect("an address");
        let status = match proxy {
            Proxy::WantsCredentials => Some(407),
            Proxy::Denies => Some(403),
            Proxy::Works | Proxy::Dead => None,
        };
        let tcp = (proxy == Proxy::Dead).then_some(TcpFault::Refuse);
        scenario.proxy = Some(Forwarder { address, status, tcp, silent: false });
        scenario.more_arguments.extend(["--proxy".to_owned(), format!("http://{address}")]);
    }
    scenario
}

fn vnet(network: &Network, links: &Links) -> Vnet {
    let mut vnet = Vnet { linked: Vec::new(), ..Vnet::default() };
    for (zone, link) in &links.zones {
        let short = SHORT[*zone].to_owned();
        if link.fallback {
            vnet.fallback.push(short.clone());
        }
        vnet.linked.push(short);
        vnet.missing.extend(link.missing.iter().map(|name| (*name).to_owned()));
        let held = NAMES.into_iter().filter(|name| {
            zone_of(name) == Some(*zone) && !link.missing.contains(name) && !network.deleted.contains(name)
        });
        for name in held {
            let mut addresses = vec![private_address(name)];
            addresses.extend(link.public_v6.contains(name).then(|| public_v6(name)));
            vnet.records.insert(name.to_owned(), addresses);
        }
    }
    vnet
}

fn described(server: &Server, configured: bool) -> Described {
    let from = |view: View| match view {
        View::Spoke => From::Azure,
        View::Hub => From::Hub,
        View::Public | View::Nowhere => From::Public,
    };
    let fault = match server.trouble {
        Some(Trouble::Silent) => Some(ServerFault::Silent),
        Some(Trouble::Closed) => Some(ServerFault::Closed),
        Some(Trouble::ServFail) => Some(ServerFault::Servfail),
        Some(Trouble::Refused) => Some(ServerFault::Refused),
        Some(Trouble::FormErr) => Some(ServerFault::Formerr),
        Some(Trouble::Malformed) => Some(ServerFault::Malformed),
        None if server.truncates && server.tcp_dropped => Some(ServerFault::TruncatedTcpDropped),
        None if server.truncates => Some(ServerFault::Truncated),
        None if !server.sinkholes.is_empty() => Some(ServerFault::Sinkhole),
        None => None,
    };
    // The answers that do not fit are those to whole names: records asked directly, and SOAs, are short.
    let below = if server.truncates { NAMES.to_vec() } else { server.sinkholes.iter().copied().collect() };
    let local = server.own_zones.iter().map(|(name, records)| LocalZone {
        name: name.clone(),
        records: records.iter().map(|(name, address)| ((*name).to_owned(), vec![*address])).collect(),
        mname: "dc1.corp.example".to_owned(),
        denied_by: None,
    });
    Described {
        address: server.address.ip(),
        resolves: from(server.default),
        forward: server.forward.iter().map(|(suffix, view)| (suffix.clone(), from(*view))).collect(),
        fault,
        fault_below: below.iter().map(|name| (*name).to_owned()).collect(),
        recovers_after_ms: None,
        delay_ms: 0,
        zones: local.collect(),
        configured,
    }
}

/// How addresses answer: those that differ first, then the private ones, what has no record, and the public way.
fn fronts(network: &Network) -> Vec<Entry> {
    let of = |at: Vec<String>, front: Front| {
        let entry = Entry {
            at,
            tcp: Some(match front.tcp {
                Tcp::Open => TcpFault::Open,
                Tcp::Dropped => TcpFault::Drop,
                Tcp::Refused => TcpFault::Refuse,
                Tcp::HostUnreachable => TcpFault::HostUnreachable,
            }),
            tls: match front.tls {
                Tls::Good | Tls::NotTrusted => None,
                Tls::Intercepted { .. } => Some(TlsFault::Intercepted),
                Tls::WrongName => Some(TlsFault::WrongName),
                Tls::Expired => Some(TlsFault::Expired),
                Tls::Reset => Some(TlsFault::Reset),
                Tls::Stalled => Some(TlsFault::Silent),
                Tls::TooOld => Some(TlsFault::TooOld),
                Tls::Plain => Some(TlsFault::PlainHttp),
                Tls::Incomplete => Some(TlsFault::LeafOnly),
            },
            largest_packet: None,
            issuer: matches!(front.tls, Tls::Intercepted { .. }).then(|| "Contoso TLS Inspection CA".to_owned()),
            trusted: front.tls == Tls::Intercepted { trusted: true },
            alert: None,
            dns: None,
            http: None,
            status: None,
            headers: None,
            body: None,
            date_shift_s: None,
        };
        let json = || BTreeMap::from([("Content-Type".to_owned(), "application/json".to_owned())]);
        let refused = |code: &str| Some(format!(r#"{{"error":{{"code":"{code}"}}}}"#));
        match front.http {
            Http::Good => entry,
            Http::Isolated => {
                Entry { status: Some(403), headers: Some(json()), body: refused("InsufficientAccessError"), ..entry }
            }
            Http::EndpointRequired => {
                Entry { status: Some(403), headers: Some(json()), body: refused("InvalidAccess"), ..entry }
            }
            Http::Busy => Entry { status: Some(503), ..entry },
            Http::Page => Entry { http: Some(HttpFault::Html), ..entry },
            Http::Silent => Entry { http: Some(HttpFault::Silent), ..entry },
        }
    };
    // A public address is this name's own in the simulation, and another one there.
    let named = |address: &IpAddr| NAMES.into_iter().find(|name| public_address(name) == *address);
    let own = network.fronts.iter().filter(|(address, _)| address.is_ipv4());
    let mut entries: Vec<Entry> = own
        .map(|(address, front)| of(vec![named(address).map_or(address.to_string(), str::to_owned)], *front))
        .collect();
    // What a file or a cache names need not be anybody's address.
    let named_here = network.hosts.values().chain(network.cached.values()).chain([&FORMER]);
    entries.extend(named_here.map(|address| of(vec![address.to_string()], network.front(*address))));
    let past = [&network.spoke, &network.hub].into_iter().flat_map(|links| links.zones.values());
    let past: BTreeSet<IpAddr> = past.flat_map(|link| &link.public_v6).map(|name| public_v6(name)).collect();
    entries.extend(past.into_iter().map(|address| of(vec![address.to_string()], network.front(address))));
    let plain = ["private", REGIONAL, METRICS].map(str::to_owned).to_vec();
    // Every key has to be there, or the next entry would give it.
    let well = |entry| Entry { status: Some(200), body: Some("Healthy".to_owned()), ..entry };
    let plain = of(plain, Front::default());
    entries.push(if network.shape.egress == Egress::Isolated { well(plain) } else { plain });
    let closed = match network.shape.egress {
        _ if network.shape.public => Front::default(),
        Egress::Open => Front::default(),
        Egress::Isolated => Front { http: Http::Isolated, ..Front::default() },
        Egress::Dropped => Front { tcp: Tcp::Dropped, ..Front::default() },
        Egress::Refused => Front { tcp: Tcp::Refused, ..Front::default() },
    };
    entries.push(of(vec!["public".to_owned()], closed));
    entries
}
