//! Whole configurations as found on machines, in folders that stand for their roots.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;

use super::*;
use crate::observation::Machine;
use crate::observation::ServerRole::{Azure, Configured, Extra, Upstream};
use crate::world::{Clock, Network, OsResolver, Roots, Routes};

/// A root with these files, gone when dropped.
struct Disk(PathBuf);

impl Disk {
    fn new(files: &[(&str, &str)]) -> Self {
        let root = std::env::temp_dir().join(format!("resolver-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&root).unwrap();
        for (path, text) in files {
            let path = root.join(path.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self(root)
    }

    fn read(&self, environment: &[(&str, &str)], extra: &[&str]) -> Resolver {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let resolvers = extra.iter().map(|address| address.parse().unwrap()).collect();
        read(&world(&self.0, environment), &Options { resolvers, ..Options::default() })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn world(root: &Path, environment: BTreeMap<String, String>) -> World {
    let empty = Arc::new(RootCertStore::empty());
    World {
        root: root.to_owned(),
        environment,
        network: Network::Simulated(Arc::new(Routes::default())),
        resolver: Arc::new(OsResolver),
        clock: Clock::default(),
        roots: Roots::new(Arc::clone(&empty), empty),
        machine: Machine::default(),
        fetches_roots: false,
        registry: None,
        denied: std::collections::BTreeSet::new(),
        hanging: std::collections::BTreeSet::new(),
    }
}

fn servers(resolver: &Resolver) -> Vec<(String, Vec<ServerRole>)> {
    resolver.servers.iter().map(|server| (server.address.to_string(), server.roles.clone())).collect()
}

fn expected(servers: &[(&str, &[ServerRole])]) -> Vec<(String, Vec<ServerRole>)> {
    servers.iter().map(|(address, roles)| ((*address).to_owned(), roles.to_vec())).collect()
}

#[test]
fn azure_dns_that_is_configured_is_asked_once() {
    let disk = Disk::new(&[("/etc/resolv.conf", "search internal.cloudapp.net\nnameserver 168.63.129.16\n")]);
    let resolver = disk.read(&[], &[]);
    assert_eq!(servers(&resolver), expected(&[("168.63.129.16:53", &[Configured, Azure])]));
    let config = resolver.outcome.seen().unwrap();
    assert_eq!(
        (config.source.as_str(), config.search.as_slice()),
        ("/etc/resolv.conf", &["internal.cloudapp.net".to_owned()][..])
    );
    assert!(!config.stub);
}

#[test]
fn upstream_servers_of_systemd_resolved_are_found() {
    let disk = Disk::new(&[
        ("/etc/resolv.conf", "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .\n"),
        ("/run/systemd/resolve/resolv.conf", "nameserver 10.0.0.4\nnameserver 168.63.129.16\n"),
        ("/run/NetworkManager/no-stub-resolv.conf", "nameserver 10.9.9.9\n"),
    ]);
    let resolver = disk.read(&[], &[]);
    let config = resolver.outcome.seen().unwrap();
    assert!(config.stub && config.edns0);
    assert_eq!(
        servers(&resolver),
        expected(&[
            ("127.0.0.53:53", &[Configured]),
            ("10.0.0.4:53", &[Upstream]),
            ("168.63.129.16:53", &[Upstream, Azure]),
        ])
    );
}

#[test]
fn upstream_servers_of_dnsmasq_are_found() {
    let disk = Disk::new(&[
        ("/etc/resolv.conf", "nameserver 127.0.0.1\n"),
        ("/run/NetworkManager/no-stub-resolv.conf", "nameserver 127.0.0.1\nnameserver 10.0.0.4\n"),
    ]);
    let resolver = disk.read(&[], &[]);
    assert!(resolver.outcome.seen().unwrap().stub);
    assert!(servers(&resolver).contains(&("10.0.0.4:53".to_owned(), vec![Upstream])));
}

const AZURE_PROFILE: &str = "[connection]\nuuid=u1\n[ipv4]\ndns=168.63.129.16;\ndns-search=~monitor.azure.com;\n";

#[test]
fn profiles_of_active_devices_tell_which_server_is_asked_for_which_names() {
    let disk = Disk::new(&[
        ("/etc/resolv.conf", "nameserver 127.0.0.1\n"),
        ("/run/NetworkManager/no-stub-resolv.conf", "nameserver 10.8.0.1\n"),
        ("/run/NetworkManager/devices/2", "[device]\nconnection-uuid=u1\n"),
        ("/etc/NetworkManager/system-connections/azure.nmconnection", AZURE_PROFILE),
        ("/etc/NetworkManager/system-connections/idle.nmconnection", "[connection]\nuuid=u2\n[ipv4]\ndns=10.77.0.1;\n"),
    ]);
    let resolver = disk.read(&[], &[]);
    let config = resolver.outcome.seen().unwrap();
    let (azure, vpn) = ("168.63.129.16:53".parse().unwrap(), "10.8.0.1:53".parse().unwrap());
    assert!(config.stub && config.asks(azure, "api.monitor.azure.com") && !config.asks(azure, "example.com"));
    assert!(config.asks(vpn, "example.com") && !config.asks(vpn, "api.monitor.azure.com"));
    assert!(!servers(&resolver).iter().any(|(address, _)| address.starts_with("10.77.")), "its profile is not active");
}

#[test]
fn profile_that_is_in_use_and_may_not_be_read_is_recorded_and_an_idle_one_is_not() {
    const PROFILE: &str = "/etc/NetworkManager/system-connections/azure.nmconnection";
    for (in_use, unread) in [("u1", 1), ("u2", 0)] {
        let device = format!("[device]\nconnection-uuid={in_use}\n");
        let disk = Disk::new(&[
            ("/etc/resolv.conf", "nameserver 127.0.0.1\n"),
            ("/run/NetworkManager/devices/2", &device),
            (PROFILE, AZURE_PROFILE),
            ("/run/NetworkManager/system-connections/other.nmconnection", "[connection]\nuuid=u2\n"),
        ]);
        let world = World { denied: [PathBuf::from(PROFILE)].into(), ..world(&disk.0, BTreeMap::new()) };
        let resolver = read(&world, &Options::default());
        let config = resolver.outcome.seen().unwrap();
        assert_eq!(config.unread.len(), unread, "{in_use}: {:?}", config.unread);
    }
}

#[test]
fn global_dns_of_network_manager_replaces_what_its_links_have() {
    let disk = Disk::new(&[
        ("/etc/resolv.conf", "nameserver 127.0.0.1\n"),
        ("/run/NetworkManager/devices/2", "[device]\nconnection-uuid=u1\n"),
        ("/etc/NetworkManager/system-connections/azure.nmconnection", AZURE_PROFILE),
        (
            "/etc/NetworkManager/conf.d/dns.conf",
            "[global-dns-domain-*]\nservers=10.0.0.4\n[global-dns-domain-monitor.azure.com]\nservers=10.0.0.5,10.0.0.6\n",
        ),
    ]);
    let resolver = disk.read(&[], &[]);
    let config = resolver.outcome.seen().unwrap();
    let (all, some) = ("10.0.0.4:53".parse().unwrap(), "10.0.0.6:53".parse().unwrap());
    assert!(config.asks(some, "api.monitor.azure.com") && !config.asks(all, "api.monitor.azure.com"));
    assert!(config.asks(all, "example.com") && !config.asks(some, "example.com"));
}

#[test]
fn upstream_server_on_loopback_is_the_stub_itself() {
    let disk = Disk::new(&[
        ("/etc/resolv.conf", "nameserver 127.0.0.1\n"),
        ("/run/NetworkManager/no-stub-resolv.conf", "nameserver 127.0.0.1\nnameserver ::1\n"),
        ("/run/NetworkManager/resolv.conf", "nameserver 127.0.0.2\nnameserver 10.0.0.4\n"),
    ]);
    let resolver = disk.read(&[], &[]);
    let upstream = servers(&resolver).into_iter().filter(|(_, roles)| roles.contains(&Upstream));
    assert_eq!(upstream.collect::<Vec<_>>(), expected(&[("10.0.0.4:53", &[Upstream])]));
}

#[test]
fn server_of_its_own_on_loopback_is_no_stub() {
    let disk = Disk::new(&[("/etc/resolv.conf", "nameserver 127.0.0.1\n")]);
    assert!(!disk.read(&[], &[]).outcome.seen().unwrap().stub);
}

#[test]
fn fourth_server_is_recorded_and_not_asked() {
    let text = "nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver 10.0.0.4\n";
    let resolver = Disk::new(&[("/etc/resolv.conf", text)]).read(&[], &[]);
    assert_eq!(resolver.servers.iter().filter(|server| server.roles == [Configured]).count(), 3);
    assert_eq!(resolver.outcome.seen().unwrap().unused_servers, [IpAddr::from([10, 0, 0, 4])]);
}

#[test]
fn extra_server_keeps_its_other_roles_and_port() {
    let disk = Disk::new(&[("/etc/resolv.conf", "nameserver 10.0.0.4\n")]);
    let resolver = disk.read(&[], &["10.0.0.4:53", "10.0.0.4:5353", "168.63.129.16:53"]);
    assert_eq!(
        servers(&resolver),
        expected(&[
            ("10.0.0.4:53", &[Configured, Extra]),
            ("168.63.129.16:53", &[Azure, Extra]),
            ("10.0.0.4:5353", &[Extra]),
        ])
    );
}

#[test]
fn missing_file_means_the_server_on_this_machine() {
    let resolver = Disk::new(&[]).read(&[], &[]);
    assert_eq!(resolver.outcome, Outcome::Failed(ReadFailure::Missing));
    assert_eq!(servers(&resolver), expected(&[("127.0.0.1:53", &[Configured]), ("168.63.129.16:53", &[Azure])]));
}

#[test]
fn file_that_is_a_directory_says_nothing_of_servers() {
    let resolver = Disk::new(&[("/etc/resolv.conf/x", "")]).read(&[], &[]);
    assert_eq!(resolver.outcome, Outcome::Failed(ReadFailure::NotAFile));
    assert_eq!(servers(&resolver), expected(&[("168.63.129.16:53", &[Azure])]));
}

#[test]
fn environment_has_the_last_word() {
    let disk = Disk::new(&[("/etc/resolv.conf", "search a.test\nnameserver 10.0.0.4\noptions ndots:2\n")]);
    let resolver = disk.read(&[("LOCALDOMAIN", "b.test c.test"), ("RES_OPTIONS", "ndots:5 edns0")], &[]);
    let config = resolver.outcome.seen().unwrap();
    assert_eq!(config.search, ["b.test", "c.test"]);
    assert_eq!((config.ndots, config.edns0), (5, true));
}

#[test]
fn link_local_server_is_reached_through_its_interface() {
    let disk = Disk::new(&[
        (
            "/etc/resolv.conf",
            "nameserver fe80::1%eth7\nnameserver fe80::2%3\nnameserver fe80::3%../eth7\nnameserver fe80::4%no\n",
        ),
        ("/sys/class/net/eth7/ifindex", "12\n"),
    ]);
    let resolver = disk.read(&[], &[]);
    let configured: Vec<SocketAddr> =
        resolver.servers.iter().filter(|server| server.roles == [Configured]).map(|server| server.address).collect();
    let expected = [("fe80::1", 12), ("fe80::2", 3)]
        .map(|(address, scope)| SocketAddrV6::new(address.parse().unwrap(), 53, 0, scope).into());
    assert_eq!(configured, expected);
}

#[cfg(unix)]
#[test]
fn link_of_a_mounted_disk_stays_on_the_disk() {
    let disk = Disk::new(&[("/run/test-of-links/stub.conf", "nameserver 10.7.7.7\n"), ("/etc/hostname", "")]);
    std::os::unix::fs::symlink("/run/test-of-links/stub.conf", disk.0.join("etc/resolv.conf")).unwrap();
    assert!(servers(&disk.read(&[], &[])).contains(&("10.7.7.7:53".to_owned(), vec![Configured])));
}
