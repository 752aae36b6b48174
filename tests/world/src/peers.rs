//! Hostile peers: what stands behind one address of a healthy world drips, floods, lies or never ends, at each layer.
//!
//! A row of the tables is a [`Peer`]: what it says at which layer, how that must be recorded, and how much work it may cause.
//! Work is counted where it arises: bytes that the peer could send, connections and questions that came to it. Time is no
//! measure of work, since a busy machine breaks such a limit. Each peer is met by a process of its own, so that the most memory
//! that the process ever had is what this peer cost, the simulated Azure included. What the other servers of the world answer is
//! seen as if the peer were not there.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{env, fs, thread};

use ampls_probes::observation::{Observation, Outcome, Transport};
use ampls_probes::options::{Options, ProxyOption, StepKind};
use ampls_probes::world::{METADATA, Network, Route, WIRE_SERVER};
use ampls_probes::{Catalogue, Observations};
use serde::Serialize;
use serde_json::Value;

use crate::start::Running;
use crate::testing::world;
use serve::{Server, Work};

mod certificates;
mod dns;
mod http;
mod serve;
mod tls;

/// The name that the peer stands for, and where.
const NAME: &str = "global.handler.control.monitor.azure.com";
const FRONT: SocketAddr = at([10, 1, 2, 10], 443);
/// A DNS server that only `--resolver` names.
const RESOLVER: SocketAddr = at([10, 9, 9, 9], 53);
const PROXY: SocketAddr = at([10, 9, 9, 8], 3128);
/// The most memory of a process that meets a peer, in KiB. Nearly all of it is the simulated Azure and the catalogue.
const MOST_MEMORY: u64 = 40 * 1024;
/// Questions and connections that a peer gets at most.
const ASKED: u64 = 60;
/// Says which peer a process is to meet.
const ALONE: &str = "AMPLS_WORLD_PEER";
/// Peers that are met side by side: mostly they wait.
const SIDE_BY_SIDE: usize = 4;

const fn at(address: [u8; 4], port: u16) -> SocketAddr {
    let [a, b, c, d] = address;
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(a, b, c, d)), port)
}

/// Where a peer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    Dns,
    Tls,
    Http,
    Proxy,
    Metadata,
    WireServer,
}

/// A row.
struct Peer {
    /// What it does.
    name: String,
    layer: Layer,
    server: Server,
    /// It never ends by itself: the program's own limit ends the step.
    endless: bool,
    /// How each observation of it must begin: outcome and failure as in the report; one of several.
    outcomes: Vec<&'static str>,
    /// Bytes that it can send before nobody reads them any more, with what the sockets hold.
    bytes: u64,
}

/// What meeting a peer gave.
struct Met {
    outcomes: Vec<String>,
    /// Names other than the peer's whose measurement is not what a healthy world gives.
    disturbed: Vec<String>,
    work: Work,
    memory: u64,
}

fn peers() -> Vec<Peer> {
    let mut peers = dns::peers();
    peers.extend(tls::peers());
    peers.extend(certificates::peers());
    peers.extend(http::peers());
    peers
}

#[test]
fn hostile_peers_cost_little_and_disturb_nobody_else() {
    let peers = peers();
    let names: std::collections::BTreeSet<&str> = peers.iter().map(|peer| peer.name.as_str()).collect();
    assert!(peers.len() >= 60 && names.len() == peers.len(), "{} peers, {} names", peers.len(), names.len());
    let only = env::var("ONLY").unwrap_or_default();
    let chosen: Vec<&Peer> = peers.iter().filter(|peer| peer.name.contains(&only)).collect();
    let lines: Mutex<BTreeMap<usize, (String, bool)>> = Mutex::default();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(peer) = chosen.get(number) else { break };
                    let line = apart(peer);
                    lines.lock().expect("no thread panics while it holds the lines").insert(number, line);
                }
            });
        }
    });
    let lines = lines.into_inner().expect("all threads have ended");
    let table: Vec<&str> = lines.values().map(|(line, _)| line.as_str()).collect();
    let table = table.join("\n");
    // Not `println!`: it is a table for people, and `print_stdout` is for the program.
    let _ = writeln!(std::io::stdout(), "{table}");
    assert!(lines.values().all(|(_, fine)| *fine), "\n{table}");
}

/// Meets a peer in a process of its own; its line of the table, and whether all was well.
fn apart(peer: &Peer) -> (String, bool) {
    let own = env::current_exe().expect("this program");
    let mut command = Command::new(own);
    command.args(["peers::one_peer_alone", "--exact", "--ignored", "--nocapture"]).env(ALONE, &peer.name);
    let output = command.output().expect("a process");
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.split_once("met: ").map(|(_, line)| line.to_owned()));
    let failed = String::from_utf8_lossy(&output.stderr);
    match line {
        Some(line) if output.status.success() => (line, true),
        line => (format!("{}: {} {failed}", peer.name, line.unwrap_or_default()), false),
    }
}

#[test]
#[ignore = "it is run by the test of all peers, in a process for each"]
fn one_peer_alone() {
    let name = env::var(ALONE).expect("the name of a peer");
    let peer = peers().into_iter().find(|peer| peer.name == name).expect("a peer of that name");
    let met = meet(&peer);
    let Work { bytes, asked } = met.work;
    let outcomes: std::collections::BTreeSet<&String> = met.outcomes.iter().collect();
    let _ = writeln!(
        std::io::stdout(),
        "met: {name:60} {:>9} bytes {asked:>3} asked {:>6} KiB  {outcomes:?}",
        bytes,
        met.memory
    );
    assert!(!met.outcomes.is_empty(), "the peer was never looked at");
    for outcome in &met.outcomes {
        assert!(peer.outcomes.iter().any(|wanted| outcome.starts_with(wanted)), "{outcome}, not {:?}", peer.outcomes);
    }
    assert_eq!(met.disturbed, Vec::<String>::new());
    assert!(bytes <= peer.bytes, "{bytes} bytes, at most {}", peer.bytes);
    assert!((1..=ASKED).contains(&asked), "{asked} questions or connections");
    assert!(met.memory <= MOST_MEMORY, "{} KiB", met.memory);
}

/// Runs the probes in a healthy world where the peer stands at one address.
fn meet(peer: &Peer) -> Met {
    let mut running = world("dces = [\"prod-ab12.westeurope-1\"]\n");
    let (work, transports) = serve::start(&running, &peer.server);
    let place = match peer.layer {
        Layer::Dns => RESOLVER,
        Layer::Tls | Layer::Http => FRONT,
        Layer::Proxy => PROXY,
        Layer::Metadata => METADATA,
        Layer::WireServer => WIRE_SERVER,
    };
    let Network::Simulated(routes) = &running.world.network else { panic!("a world is simulated") };
    let mut routes = routes.as_ref().clone();
    let others = places(&running, place);
    for (transport, target) in transports {
        routes.to.insert((transport, place), Route::To(target));
    }
    running.world.network = Network::Simulated(Arc::new(routes));
    let catalogue = Catalogue::builtin().expect("the catalogue");
    let observations =
        ampls_probes::run::run(running.world.clone(), options(peer), &catalogue, &|_| {}).expect("a run");
    let memory = peak_memory();
    let outcomes = outcomes(peer.layer, &observations);
    let disturbed = if peer.layer == Layer::Proxy { Vec::new() } else { disturbed(&observations, &others) };
    Met { outcomes, disturbed, work: work.read(), memory }
}

fn options(peer: &Peer) -> Options {
    let mut options = Options {
        deadline: Duration::from_mins(5),
        skip: vec![StepKind::Agent, StepKind::Browser],
        proxy: ProxyOption::Direct,
        workspaces: vec![crate::scenario::WORKSPACE.parse().expect("a workspace")],
        ..Options::default()
    };
    if !peer.endless {
        // What the peer ends by itself may take as long as a machine needs that does much else besides.
        options.step_timeout = Duration::from_secs(50);
    }
    match peer.layer {
        Layer::Dns => options.resolvers = vec![RESOLVER],
        Layer::Proxy => options.proxy = ProxyOption::Url(format!("http://{PROXY}").parse().expect("a URL")),
        Layer::Tls | Layer::Http | Layer::Metadata | Layer::WireServer => {}
    }
    options
}

/// The places of the world where somebody listens, without the peer's.
fn places(running: &Running, peer: SocketAddr) -> Vec<SocketAddr> {
    let Network::Simulated(routes) = &running.world.network else { return Vec::new() };
    let tcp = routes.to.iter().filter(|((transport, _), route)| {
        *transport == Transport::Tcp && matches!(route, Route::To(target) if target.port() != 1)
    });
    tcp.map(|((_, at), _)| *at).filter(|at| *at != peer).collect()
}

fn outcomes(layer: Layer, observations: &Observations) -> Vec<String> {
    let ids: Vec<&str> =
        observations.endpoints.iter().filter(|one| one.fqdn == NAME).map(|one| one.id.as_str()).collect();
    let of = |seen: &Observation| match (layer, seen) {
        (Layer::Dns, Observation::Answer(answer)) if answer.server == RESOLVER => Some(label(&answer.outcome)),
        (Layer::Tls, Observation::Handshake(handshake)) if ids.contains(&handshake.endpoint.as_str()) => {
            let proved = handshake.verification.as_ref().map(|verification| format!(" {:?}", verification.machine));
            Some(label(&handshake.outcome) + &proved.unwrap_or_default())
        }
        (Layer::Http, Observation::Exchange(exchange)) if ids.contains(&exchange.endpoint.as_str()) => {
            Some(label(&exchange.outcome))
        }
        (Layer::Proxy, Observation::Tunnel(tunnel)) => Some(label(&tunnel.outcome)),
        (Layer::Metadata, Observation::Metadata(metadata)) => Some(label(&metadata.outcome)),
        (Layer::WireServer, Observation::WireServer(wire)) => Some(label(&wire.outcome)),
        _ => None,
    };
    observations.seen.iter().filter_map(of).collect()
}

/// How it ended, as in the report; of what was seen no more than that it was.
fn label<T: Serialize, F: Serialize>(outcome: &Outcome<T, F>) -> String {
    let value = serde_json::to_value(outcome).expect("an outcome");
    let outcome = value.get("outcome").and_then(Value::as_str).unwrap_or_default();
    match value.get("what").filter(|_| outcome == "failed") {
        Some(what) => format!("{outcome} {what}"),
        None => outcome.to_owned(),
    }
}

/// Everything that was not measured as in a healthy world, although the peer has nothing to do with it.
fn disturbed(observations: &Observations, others: &[SocketAddr]) -> Vec<String> {
    let mut disturbed = Vec::new();
    if observations.stopped.is_some() {
        disturbed.push(format!("the run was stopped: {:?}", observations.stopped));
    }
    let mut handshakes = 0;
    for seen in &observations.seen {
        match seen {
            Observation::Lookup(lookup) if lookup.outcome.seen().is_none() => {
                disturbed.push(format!("{} {:?}", lookup.name, lookup.outcome));
            }
            Observation::Answer(answer) if answer.server != RESOLVER && answer.outcome.seen().is_none() => {
                disturbed.push(format!("{} of {} {:?}", answer.name, answer.server, answer.outcome));
            }
            Observation::Handshake(handshake) if handshake.address.is_some_and(|at| others.contains(&at)) => {
                handshakes += 1;
                if !handshake.verified() {
                    disturbed.push(format!("{} {:?}", handshake.endpoint, handshake.outcome));
                }
            }
            _ => {}
        }
    }
    if handshakes < 3 {
        disturbed.push(format!("{handshakes} handshakes with others"));
    }
    disturbed
}

/// The most memory that this process ever had, in KiB (proc(5), `VmHWM`).
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().expect("a number of KiB")
}
