//! The resolver configuration: which DNS servers are asked, why, and how this machine asks.
//!
//! Reading is here; what `resolv.conf` says is parsed in `resolv_conf`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};
use std::path::PathBuf;
use std::time::Instant;

use self::resolv_conf::{NameServer, ResolvConf};
use crate::observation::{Outcome, ReadFailure, Resolver, ResolverConfig, Server, ServerRole, Timing};
use crate::options::Options;
use crate::probe::micros;
use crate::read::{self, Links};
use crate::world::{AZURE_DNS, World};

mod links;
mod network_manager;
mod nrpt;
mod resolv_conf;
mod windows;

/// Reads the configuration and lists the servers: the configured ones, those behind a local stub, Azure's own, and those
/// of `--resolver`. It is what a run begins with, so its timing starts at zero.
pub fn read(world: &World, options: &Options) -> Resolver {
    let began = Instant::now();
    let mut servers = Servers::default();
    let outcome = match configuration(world, &mut servers) {
        Ok(config) => Outcome::Seen(config),
        Err(failure) => Outcome::Failed(failure),
    };
    servers.add_unconfigured(options);
    let timing = Timing { at_us: 0, elapsed_us: micros(began.elapsed()) };
    Resolver { timing, outcome, servers: servers.0 }
}

/// What stands in its place when reading did not end in time: the servers that are asked whatever the configuration says.
pub fn unread(options: &Options) -> Resolver {
    let mut servers = Servers::default();
    servers.add_unconfigured(options);
    Resolver { timing: Timing::default(), outcome: Outcome::Cancelled, servers: servers.0 }
}

/// Servers by first mention; a server that is mentioned again gets another role.
#[derive(Default)]
struct Servers(Vec<Server>);

impl Servers {
    fn add_unconfigured(&mut self, options: &Options) {
        self.add(AZURE_DNS, ServerRole::Azure);
        for resolver in &options.resolvers {
            self.add(*resolver, ServerRole::Extra);
        }
    }

    fn add(&mut self, address: SocketAddr, role: ServerRole) {
        let Some(known) = self.0.iter_mut().find(|known| known.address == address) else {
            self.0.push(Server { address, roles: vec![role] });
            return;
        };
        if let Err(place) = known.roles.binary_search(&role) {
            known.roles.insert(place, role);
        }
    }
}

const RESOLV_CONF: &str = "/etc/resolv.conf";
/// A `resolv.conf` of Kubernetes or `NetworkManager` has ten lines.
const LIMIT: u64 = 64 * 1024;
const DNS_PORT: u16 = 53;

fn configuration(world: &World, servers: &mut Servers) -> Result<ResolverConfig, ReadFailure> {
    match &world.registry {
        Some(registry) => windows::configuration(world, registry.as_ref(), servers),
        None => resolv_conf(world, servers),
    }
}

/// Servers that are taken from one list of Windows.
const LISTED: usize = 32;

/// The servers of a list of addresses; what is none is passed over.
fn sockets(named: &[String]) -> Vec<SocketAddr> {
    let addresses = named.iter().filter_map(|server| server.parse::<IpAddr>().ok());
    addresses.take(LISTED).map(|address| SocketAddr::new(address, DNS_PORT)).collect()
}

/// glibc uses the first three (`MAXNS`), musl too.
const USED: usize = 3;

fn resolv_conf(world: &World, servers: &mut Servers) -> Result<ResolverConfig, ReadFailure> {
    let read = world.readable(RESOLV_CONF).and_then(|path| read::contents(&path, Links::Follow, LIMIT));
    let mut parsed = match &read {
        Ok(contents) => resolv_conf::parse(&contents.bytes),
        Err(_) => ResolvConf::default(),
    };
    if let Some(domains) = world.environment.get("LOCALDOMAIN") {
        parsed.set_search(domains);
    }
    if let Some(options) = world.environment.get("RES_OPTIONS") {
        parsed.set_options(options);
    }
    let configured: Vec<SocketAddr> = parsed.servers.iter().filter_map(|server| socket(world, server)).collect();
    if configured.is_empty() && read.as_ref().err().is_none_or(|failure| *failure == ReadFailure::Missing) {
        // resolv.conf(5): without a nameserver line the server on the local machine is asked.
        servers.add(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), DNS_PORT), ServerRole::Configured);
    }
    for address in configured.iter().take(USED) {
        servers.add(*address, ServerRole::Configured);
    }
    let upstream = upstream(world, &configured);
    let behind_resolved = configured.iter().take(USED).any(|server| is_systemd_stub(server.ip()));
    let behind_stub = configured.iter().take(USED).any(|server| server.ip().is_loopback());
    let mut unread = Vec::new();
    let links = match (behind_resolved, behind_stub) {
        (true, _) => links::read(world, &mut unread),
        (false, true) => network_manager::read(world, &mut unread),
        (false, false) => Vec::new(),
    };
    // Its list names the servers of links that take any name; others have servers too.
    let of_links = links.iter().flat_map(|link| &link.servers).filter(|server| !server.ip().is_loopback());
    for address in upstream.iter().chain(of_links) {
        servers.add(*address, ServerRole::Upstream);
    }
    read?;
    let stub =
        !upstream.is_empty() || !links.is_empty() || configured.iter().any(|server| is_systemd_stub(server.ip()));
    let unused_servers = configured.iter().skip(USED).map(SocketAddr::ip).collect();
    Ok(ResolverConfig { source: RESOLV_CONF.to_owned(), stub, unused_servers, links, unread, ..parsed.config })
}

/// systemd-resolved writes the servers it asks here.
/// Source: <https://www.freedesktop.org/software/systemd/man/latest/systemd-resolved.service.html>
const SYSTEMD_UPSTREAM: &str = "/run/systemd/resolve/resolv.conf";
/// Where those who run dnsmasq on this machine write the servers it asks: `NetworkManager`, Debian's resolvconf.
const OTHER_UPSTREAM: [&str; 3] =
    ["/run/NetworkManager/no-stub-resolv.conf", "/run/NetworkManager/resolv.conf", "/run/dnsmasq/resolv.conf"];

/// The servers behind a stub on this machine; none when nothing of the kind is configured.
fn upstream(world: &World, configured: &[SocketAddr]) -> Vec<SocketAddr> {
    if !configured.iter().take(USED).any(|server| server.ip().is_loopback()) {
        return Vec::new();
    }
    let files: &[&str] = if configured.iter().any(|server| is_systemd_stub(server.ip())) {
        &[SYSTEMD_UPSTREAM]
    } else {
        &OTHER_UPSTREAM
    };
    for file in files {
        let Ok(contents) = read::contents(&world.path(file), Links::Follow, LIMIT) else { continue };
        let parsed = resolv_conf::parse(&contents.bytes);
        let found: Vec<SocketAddr> = parsed
            .servers
            .iter()
            .filter_map(|server| socket(world, server))
            .filter(|server| !server.ip().is_loopback())
            .collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// 127.0.0.53 answers from caches and hosts, 127.0.0.54 passes questions on.
fn is_systemd_stub(address: IpAddr) -> bool {
    [IpAddr::from([127, 0, 0, 53]), IpAddr::from([127, 0, 0, 54])].contains(&address)
}

/// A link-local server is reached only through its interface; without that interface there is no such server.
fn socket(world: &World, server: &NameServer) -> Option<SocketAddr> {
    let (IpAddr::V6(address), Some(scope)) = (server.address, &server.scope) else {
        return Some(SocketAddr::new(server.address, DNS_PORT));
    };
    let index = scope.parse().ok().or_else(|| interface_index(world, scope))?;
    Some(SocketAddrV6::new(address, DNS_PORT, 0, index).into())
}

fn interface_index(world: &World, name: &str) -> Option<u32> {
    if name.contains(['/', '\\']) || name.starts_with('.') {
        return None;
    }
    let path = world.path(PathBuf::from("/sys/class/net").join(name).join("ifindex"));
    let contents = read::contents(&path, Links::Follow, 32).ok()?;
    std::str::from_utf8(&contents.bytes).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests;
