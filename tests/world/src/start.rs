//! Opens the sockets of a scenario and joins them to a [`World`]: routes, files, trust stores, resolver.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ampls_probes::observation::{Interface, Machine, ResolverConfig, Transport};
use ampls_probes::probe::resolver;
use ampls_probes::read::root::below_drive;
use ampls_probes::registry::memory::Memory;
use ampls_probes::registry::{Keys, Registry, Value};
use ampls_probes::world::{AZURE_DNS, Clock, METADATA, Network, Roots, Route, Routes, WIRE_SERVER, fetches_roots};
use ampls_probes::{Options, World};
use jiff::SignedDuration;
use tokio::net::{TcpListener, UdpSocket};
use tokio::runtime::{Handle, Runtime};

use crate::certificates::Authorities;
use crate::control::{ARC, ARC_KEY, ARC_KEY_FILE};
use crate::dns::{Dns, Waiting};
use crate::front::{Fronts, Place};
use crate::platform::{Forwarder, instance, serve_arc, serve_metadata, serve_wire};
use crate::scenario::{ArcAnswer, PlatformAnswer, Scenario, Server, ServerFault, TcpFault, View};
use crate::system::Glibc;
use crate::zones::Zones;

const DNS: u16 = 53;
const HTTPS: u16 = 443;
/// systemd-resolved's stub.
const STUB: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 53));

/// A simulated Azure that runs until it is dropped.
pub struct Running {
    /// What the probes get.
    pub world: World,
    asked: BTreeMap<(Transport, SocketAddr), Arc<AtomicU64>>,
    most: BTreeMap<SocketAddr, Arc<AtomicU64>>,
    runtime: Option<Runtime>,
    root: PathBuf,
    /// The certificates that fronts present, for tests that put a peer of their own in the place of one.
    #[cfg(test)]
    pub(crate) fronts: Option<Arc<Fronts>>,
}

impl Running {
    /// Questions and connections that arrived at a simulated address.
    pub fn asked(&self, transport: Transport, address: SocketAddr) -> u64 {
        self.asked.get(&(transport, address)).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// The most questions that waited for a DNS server's answer at once.
    pub fn most_at_once(&self, server: SocketAddr) -> u64 {
        self.most.get(&server).map_or(0, |most| most.load(Ordering::SeqCst))
    }

    /// The runtime of the servers.
    #[cfg(test)]
    pub(crate) fn handle(&self) -> Handle {
        self.runtime.as_ref().expect("a runtime until the end").handle().clone()
    }

    /// Every simulated address that was asked, and how often.
    pub fn all_asked(&self) -> BTreeMap<(Transport, SocketAddr), u64> {
        let counts = self.asked.iter().map(|(at, count)| (*at, count.load(Ordering::Relaxed)));
        counts.filter(|(_, count)| *count > 0).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        // What is left in the temporary folder harms nobody.
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

/// Starts the servers of a scenario on a runtime of their own. The error is the operating system's: no sockets, no
/// temporary folder.
pub fn start(scenario: &Scenario) -> io::Result<Running> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("world").enable_all().build()?;
    let handle = runtime.handle().clone();
    let root = temporary_root()?;
    // From here on a failure removes the folder and ends the runtime where that may be done.
    let mut running = Running {
        world: empty_world(root.clone()),
        asked: BTreeMap::new(),
        most: BTreeMap::new(),
        runtime: Some(runtime),
        root,
        #[cfg(test)]
        fronts: None,
    };
    let mut sockets =
        Sockets { runtime: &handle, routes: Routes::default(), asked: BTreeMap::new(), most: BTreeMap::new() };

    let zones = Arc::new(Zones::new(scenario));
    let servers = servers(scenario);
    sockets.open_dns(scenario, &zones, &servers)?;
    let authorities = Authorities::new(scenario)?;
    let roots = Roots::new(Arc::new(authorities.machine_roots(scenario)?), Arc::new(authorities.public_roots()?));
    let fronts = Arc::new(Fronts::new(scenario, authorities, Arc::clone(&zones)));
    sockets.open_fronts(scenario, &zones, &fronts)?;
    sockets.open_platform(scenario)?;
    let proxied = sockets.open_proxy(scenario)?;
    let Sockets { routes, asked, most, .. } = sockets;
    let routes = Arc::new(routes);
    if let Some((proxy, listener, count)) = proxied {
        let forwarder = Arc::new(Forwarder { proxy, zones: Arc::clone(&zones), routes: Arc::clone(&routes) });
        handle.spawn(forwarder.serve(listener, count));
    }

    write_files(scenario, &servers, &running.root)?;
    let registry = given_registry(scenario, &servers);
    running.world = World {
        root: running.root.clone(),
        environment: scenario.environment.clone(),
        network: Network::Simulated(Arc::clone(&routes)),
        resolver: Arc::clone(&running.world.resolver),
        clock: Clock { shift: SignedDuration::from_secs(scenario.clock_shift_s) },
        roots,
        machine: machine(scenario),
        fetches_roots: registry.as_deref().is_some_and(|registry| fetches_roots(&mut Keys::new(registry))),
        registry,
        denied: scenario.machine.denied_files.iter().map(PathBuf::from).collect(),
        hanging: scenario.machine.hanging_folders.iter().map(PathBuf::from).collect(),
    };
    running.world.resolver = Arc::new(system_resolver(scenario, &servers, routes, rules(scenario, &running.world)));
    running.asked = asked;
    running.most = most;
    #[cfg(test)]
    running.fronts.replace(fronts);
    Ok(running)
}

/// The sockets opened so far.
struct Sockets<'a> {
    runtime: &'a Handle,
    routes: Routes,
    asked: BTreeMap<(Transport, SocketAddr), Arc<AtomicU64>>,
    most: BTreeMap<SocketAddr, Arc<AtomicU64>>,
}

impl Sockets<'_> {
    fn open_dns(&mut self, scenario: &Scenario, zones: &Arc<Zones>, servers: &[Server]) -> io::Result<()> {
        for server in servers {
            let address = SocketAddr::new(server.address, DNS);
            match server.fault.filter(|_| server.fault_below.is_empty()) {
                Some(ServerFault::Closed) => {
                    self.close(Transport::Udp, address)?;
                    self.close(Transport::Tcp, address)?;
                    continue;
                }
                Some(ServerFault::HostUnreachable) => {
                    self.route(Transport::Udp, address, Route::HostUnreachable);
                    self.route(Transport::Tcp, address, Route::HostUnreachable);
                    continue;
                }
                _ => {}
            }
            let dns = Arc::new(Dns {
                zones: Arc::clone(zones),
                server: server.clone(),
                latency: Duration::from_millis(scenario.latency_ms),
                began: Instant::now(),
                turns: Mutex::default(),
                kept: Mutex::default(),
                chains: Mutex::default(),
                waiting: Waiting::default(),
            });
            self.most.insert(address, Arc::clone(&dns.waiting.most));
            let (socket, asked) = (self.udp(address)?, self.count(Transport::Udp, address));
            self.runtime.spawn(Arc::clone(&dns).serve_udp(socket, asked));
            if matches!(server.fault, Some(ServerFault::Silent | ServerFault::TruncatedTcpDropped)) {
                self.route(Transport::Tcp, address, Route::Drop);
                continue;
            }
            let (listener, asked) = (self.tcp(address)?, self.count(Transport::Tcp, address));
            self.runtime.spawn(dns.serve_tcp(listener, asked));
        }
        Ok(())
    }

    fn open_fronts(&mut self, scenario: &Scenario, zones: &Zones, fronts: &Arc<Fronts>) -> io::Result<()> {
        for place in places(scenario, zones, fronts) {
            let address = SocketAddr::new(place.address, HTTPS);
            let unroutable = place.address.is_ipv6() && !scenario.machine.ipv6;
            let fault = if unroutable { Some(TcpFault::NetworkUnreachable) } else { fronts.tcp(&place) };
            if !self.fault(address, fault)? {
                continue;
            }
            let listener = self.tcp(address)?;
            let asked = self.count(Transport::Tcp, address);
            self.runtime.spawn(Arc::clone(fronts).serve(Arc::new(place), listener, asked));
        }
        Ok(())
    }

    fn open_platform(&mut self, scenario: &Scenario) -> io::Result<()> {
        let platform = &scenario.platform;
        if self.fault(METADATA, platform_fault(platform.metadata))? {
            let (listener, asked) = (self.tcp(METADATA)?, self.count(Transport::Tcp, METADATA));
            self.runtime.spawn(serve_metadata(
                listener,
                platform.metadata,
                instance(scenario),
                scenario.control.identity,
                asked,
            ));
        }
        if scenario.control.arc != ArcAnswer::Absent {
            let (listener, asked) = (self.tcp(ARC)?, self.count(Transport::Tcp, ARC));
            self.runtime.spawn(serve_arc(listener, scenario.clone(), asked));
        }
        if self.fault(WIRE_SERVER, platform_fault(platform.wire_server))? {
            let (listener, asked) = (self.tcp(WIRE_SERVER)?, self.count(Transport::Tcp, WIRE_SERVER));
            self.runtime.spawn(serve_wire(listener, platform.wire_server, asked));
        }
        Ok(())
    }

    fn open_proxy(
        &mut self,
        scenario: &Scenario,
    ) -> io::Result<Option<(crate::scenario::Proxy, TcpListener, Arc<AtomicU64>)>> {
        let Some(proxy) = &scenario.proxy else { return Ok(None) };
        if !self.fault(proxy.address, proxy.tcp)? {
            return Ok(None);
        }
        let (listener, asked) = (self.tcp(proxy.address)?, self.count(Transport::Tcp, proxy.address));
        Ok(Some((proxy.clone(), listener, asked)))
    }

    /// Routes an address that has no server; true when there is no fault and a server is due.
    fn fault(&mut self, address: SocketAddr, fault: Option<TcpFault>) -> io::Result<bool> {
        let route = match fault {
            None | Some(TcpFault::Open) => return Ok(true),
            Some(TcpFault::Refuse) => return self.close(Transport::Tcp, address).map(|()| false),
            Some(TcpFault::Drop) => Route::Drop,
            Some(TcpFault::HostUnreachable) => Route::HostUnreachable,
            Some(TcpFault::NetworkUnreachable) => Route::NetworkUnreachable,
            Some(TcpFault::NotPermitted) => Route::NotPermitted,
        };
        self.route(Transport::Tcp, address, route);
        Ok(false)
    }

    fn route(&mut self, transport: Transport, address: SocketAddr, route: Route) {
        self.routes.to.insert((transport, address), route);
    }

    fn count(&mut self, transport: Transport, address: SocketAddr) -> Arc<AtomicU64> {
        Arc::clone(self.asked.entry((transport, address)).or_default())
    }

    fn tcp(&mut self, address: SocketAddr) -> io::Result<TcpListener> {
        let socket = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_nonblocking(true)?;
        self.route(Transport::Tcp, address, Route::To(socket.local_addr()?));
        let _runtime = self.runtime.enter();
        TcpListener::from_std(socket)
    }

    fn udp(&mut self, address: SocketAddr) -> io::Result<UdpSocket> {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_nonblocking(true)?;
        self.route(Transport::Udp, address, Route::To(socket.local_addr()?));
        let _runtime = self.runtime.enter();
        UdpSocket::from_std(socket)
    }

    /// Routes to a port where nobody listens. Port 1 (tcpmux) is below every ephemeral range, so that no socket of this
    /// machine's tests takes it meanwhile.
    #[expect(clippy::unnecessary_wraps, reason = "its neighbours are fallible and used alike")]
    fn close(&mut self, transport: Transport, address: SocketAddr) -> io::Result<()> {
        self.route(transport, address, Route::To((Ipv4Addr::LOCALHOST, 1).into()));
        Ok(())
    }
}

fn platform_fault(answers: PlatformAnswer) -> Option<TcpFault> {
    match answers {
        PlatformAnswer::Azure | PlatformAnswer::Malformed | PlatformAnswer::NotFound | PlatformAnswer::Forbidden => {
            None
        }
        PlatformAnswer::Silent => Some(TcpFault::Drop),
        PlatformAnswer::Refused => Some(TcpFault::Refuse),
        PlatformAnswer::Unreachable => Some(TcpFault::NetworkUnreachable),
    }
}

/// All addresses that can be connected to, each once.
fn places(scenario: &Scenario, zones: &Zones, fronts: &Fronts) -> Vec<Place> {
    let mut places: BTreeMap<IpAddr, Place> = BTreeMap::new();
    let mut add = |address: IpAddr, private: bool, name: Option<String>| {
        let place = places.entry(address).or_insert(Place { address, private, names: Vec::new() });
        place.names.extend(name);
    };
    for (address, name) in zones.private_addresses() {
        add(address, true, Some(name));
    }
    for (name, addresses) in scenario.servers.iter().flat_map(|server| &server.zones).flat_map(|zone| &zone.records) {
        for address in addresses {
            add(*address, true, Some(name.clone()));
        }
    }
    for (address, name) in zones.public_addresses() {
        add(address, false, name);
    }
    for address in fronts.literal_addresses() {
        add(address, true, None);
    }
    places.into_values().collect()
}

/// The servers that exist: those described and 168.63.129.16.
fn servers(scenario: &Scenario) -> Vec<Server> {
    let mut servers = scenario.servers.clone();
    let configured = servers.is_empty();
    if !servers.iter().any(|server| server.address == AZURE_DNS.ip()) {
        servers.push(azure_dns(configured));
    }
    if scenario.resolver.stub
        && !servers.iter().any(|server| server.address == STUB)
        && let Some(upstream) =
            servers.iter().filter(|server| server.configured).min_by_key(|server| passed_over(server))
    {
        servers.push(Server { address: STUB, configured: false, ..upstream.clone() });
    }
    servers
}

/// Whether a stub would pass the server over: it asks the next one where this one gives no answer.
fn passed_over(server: &Server) -> bool {
    // Answers that are cut short for some names alone are those of long names: short ones are alike on the next server.
    let is_whole = |fault: &ServerFault| server.fault_below.is_empty() || *fault == ServerFault::TruncatedTcpDropped;
    let fault = server.fault.filter(is_whole);
    matches!(
        fault,
        Some(
            ServerFault::Silent
                | ServerFault::Closed
                | ServerFault::HostUnreachable
                | ServerFault::Servfail
                | ServerFault::Refused
                | ServerFault::Formerr
                | ServerFault::Malformed
                | ServerFault::TruncatedTcpDropped
        )
    )
}

fn azure_dns(configured: bool) -> Server {
    Server {
        address: AZURE_DNS.ip(),
        resolves: View::Azure,
        forward: BTreeMap::new(),
        fault: None,
        fault_below: Vec::new(),
        recovers_after_ms: None,
        delay_ms: 0,
        zones: Vec::new(),
        configured,
    }
}

/// Rules of Windows for names, which the registry of the scenario holds.
fn rules(scenario: &Scenario, world: &World) -> ResolverConfig {
    if scenario.registry.is_empty() {
        return ResolverConfig::default();
    }
    resolver::read(world, &Options::default()).outcome.seen().cloned().unwrap_or_default()
}

fn system_resolver(scenario: &Scenario, servers: &[Server], routes: Arc<Routes>, rules: ResolverConfig) -> Glibc {
    let option = |name: &str| {
        let values = scenario.resolver.options.iter().filter_map(|option| option.strip_prefix(name));
        values.filter_map(|value| value.parse::<u32>().ok()).next_back()
    };
    let asked: Vec<SocketAddr> = if scenario.resolver.stub {
        vec![SocketAddr::new(STUB, DNS)]
    } else {
        let configured = servers.iter().filter(|server| server.configured);
        configured.map(|server| SocketAddr::new(server.address, DNS)).collect()
    };
    let by_name = |names: &BTreeMap<String, Vec<IpAddr>>| {
        names.iter().map(|(name, addresses)| (scenario.expand(name).to_lowercase(), addresses.clone())).collect()
    };
    Glibc {
        routes,
        servers: asked,
        rules,
        timeout: Duration::from_secs(u64::from(option("timeout:").unwrap_or(5))),
        attempts: option("attempts:").unwrap_or(2),
        edns0: scenario.resolver.options.iter().any(|option| option == "edns0"),
        search: scenario.resolver.search.clone(),
        hosts: by_name(&scenario.machine.hosts.iter().map(|(name, address)| (name.clone(), vec![*address])).collect()),
        cached: by_name(&scenario.resolver.cached),
        ipv6: scenario.machine.ipv6,
    }
}

/// What every Windows has, the servers of its adapter, and what the file says; nothing where it says nothing.
fn given_registry(scenario: &Scenario, servers: &[Server]) -> Option<Arc<dyn Registry>> {
    const ADAPTER: &str =
        r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters\Interfaces\{1d2c3b4a-0000-4000-8000-000000000001}";
    if scenario.registry.is_empty() {
        return None;
    }
    let configured = servers.iter().filter(|server| server.configured);
    let configured: Vec<String> = configured.map(|server| server.address.to_string()).collect();
    let text = |text: &str| Value::Text(text.to_owned());
    let mut values = vec![
        (r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion".to_owned(), "CurrentBuild".to_owned(), text("20348")),
        (r"HKLM\SYSTEM\CurrentControlSet\Control".to_owned(), "CurrentUser".to_owned(), text("USERNAME")),
        (ADAPTER.to_owned(), "DhcpNameServer".to_owned(), Value::Text(configured.join(" "))),
    ];
    for (key, of_key) in &scenario.registry {
        let given = of_key.iter().map(|(name, value)| (name.clone(), value.given(|text| scenario.expand(text))));
        values.extend(given.map(|(name, value)| (scenario.expand(key), name, value)));
    }
    Some(Memory::holding(values))
}

fn machine(scenario: &Scenario) -> Machine {
    let windows = !scenario.registry.is_empty();
    let interfaces = scenario.machine.interfaces.iter().enumerate();
    Machine {
        name: "vm-app-01".to_owned(),
        os: if windows { "Windows Server 2022 (20348)" } else { "Debian GNU/Linux 12" }.to_owned(),
        arch: "x86_64".to_owned(),
        interfaces: interfaces.map(|(n, address)| Interface { name: format!("eth{n}"), address: *address }).collect(),
        has_ipv4: true,
        has_ipv6: scenario.machine.ipv6,
        ..Machine::default()
    }
}

fn empty_world(root: PathBuf) -> World {
    let none = Arc::new(rustls::RootCertStore::empty());
    World {
        root,
        environment: BTreeMap::new(),
        network: Network::Simulated(Arc::default()),
        resolver: Arc::new(Glibc {
            routes: Arc::default(),
            servers: Vec::new(),
            rules: ResolverConfig::default(),
            timeout: Duration::ZERO,
            attempts: 0,
            edns0: false,
            search: Vec::new(),
            hosts: BTreeMap::new(),
            cached: BTreeMap::new(),
            ipv6: false,
        }),
        clock: Clock::default(),
        roots: Roots::new(Arc::clone(&none), none),
        machine: Machine::default(),
        fetches_roots: false,
        registry: None,
        denied: BTreeSet::new(),
        hanging: BTreeSet::new(),
    }
}

fn write_files(scenario: &Scenario, servers: &[Server], root: &Path) -> io::Result<()> {
    let resolver = &scenario.resolver;
    let configured: Vec<IpAddr> =
        servers.iter().filter(|server| server.configured).map(|server| server.address).collect();
    let resolv_conf = |addresses: &[IpAddr]| {
        let mut text = String::new();
        for address in addresses {
            let _ = writeln!(text, "nameserver {address}");
        }
        if !resolver.search.is_empty() {
            let _ = writeln!(text, "search {}", resolver.search.join(" "));
        }
        if !resolver.options.is_empty() {
            let _ = writeln!(text, "options {}", resolver.options.join(" "));
        }
        text
    };
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    if resolver.stub {
        files.insert("/etc/resolv.conf".to_owned(), resolv_conf(&[STUB]));
        files.insert("/run/systemd/resolve/resolv.conf".to_owned(), resolv_conf(&configured));
    } else {
        files.insert("/etc/resolv.conf".to_owned(), resolv_conf(&configured));
    }
    let mut hosts = "127.0.0.1 localhost\n127.0.1.1 vm-app-01\n::1 localhost ip6-localhost\n".to_owned();
    for (name, address) in &scenario.machine.hosts {
        let _ = writeln!(hosts, "{address} {}", scenario.expand(name));
    }
    if scenario.registry.is_empty() {
        files.insert("/etc/hosts".to_owned(), hosts);
    } else {
        files.insert(r"C:\Windows\System32\drivers\etc\hosts".to_owned(), hosts);
    }
    if scenario.control.arc != ArcAnswer::Absent {
        files.insert(ARC_KEY_FILE.to_owned(), ARC_KEY.to_owned());
    }
    let now = jiff::Timestamp::now();
    files.extend(scenario.files.iter().map(|(path, text)| (path.clone(), crate::at(now, &scenario.expand(text)))));
    for (path, text) in files {
        let elsewhere = |_| io::Error::other(format!("`{path}` is not on the drive of the system"));
        let below = below_drive(Path::new(&path)).map_err(elsewhere)?;
        let file = root.join(below.strip_prefix("/").unwrap_or(Path::new(&path)));
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(file, text)?;
    }
    Ok(())
}

/// A folder of our own; nobody else's is ever used.
fn temporary_root() -> io::Result<PathBuf> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("ampls-world-{}-{number}", std::process::id()));
        match std::fs::create_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            done => return done.map(|()| folder),
        }
    }
}
