//! What is known of the machine without asking anybody.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;

use ipnet::IpNet;
use sysinfo::{InterfaceOperationalState, Networks, System};

use crate::observation::{Interface, Machine};
use crate::os;
use crate::read::root::{Case, below};
use crate::read::{self, Links};
use crate::registry::{Keys, Registry};

/// The running machine.
pub(super) fn read(registry: Option<&dyn Registry>) -> Machine {
    let interfaces = interfaces();
    // Private endpoints are reached without a default route too: a network address is enough.
    let has_network_ipv4 = interfaces
        .iter()
        .any(|interface| interface.address.addr().is_ipv4() && !is_link_local(interface.address.addr()));
    Machine {
        name: System::host_name().unwrap_or_default(),
        os: operating_system(),
        arch: System::cpu_arch(),
        interfaces,
        has_ipv4: has_network_ipv4 || has_route(GLOBAL_IPV4),
        has_ipv6: has_route(GLOBAL_IPV6),
        resolver_is_not_the_systems: cfg!(target_env = "musl"),
        container: match registry {
            Some(registry) => is_container_of_windows(&mut Keys::new(registry)),
            None => is_container(&os::root()),
        },
    }
}

/// The machine whose files are below `root`: it has no interfaces and sends nothing.
pub(super) fn of_files(root: &Path, registry: Option<&dyn Registry>) -> Machine {
    if let Some(registry) = registry {
        return of_windows(&mut Keys::new(registry));
    }
    let text = |path: &str| {
        let path = below(root, Path::new(path), Case::Counts);
        let contents = read::contents(&path, Links::Refuse, FILE_LIMIT).ok()?;
        Some(String::from_utf8_lossy(&contents.bytes).into_owned())
    };
    let name = text("/etc/hostname").and_then(|text| Some(text.lines().next()?.trim().to_owned()));
    let release = text("/etc/os-release").or_else(|| text("/usr/lib/os-release")).unwrap_or_default();
    let pretty = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    Machine {
        name: name.unwrap_or_default(),
        os: pretty.map(|name| name.trim().trim_matches('"').to_owned()).unwrap_or_default(),
        container: is_container(root),
        ..Machine::default()
    }
}

/// What the registry of a disk of Windows says of the machine: `Windows Server 2022 Datacenter (20348)`.
fn of_windows(keys: &mut Keys<'_>) -> Machine {
    const VERSION: &str = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion";
    const NAME: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName";
    let product = keys.text(VERSION, "ProductName").filter(|name| name.to_ascii_lowercase().contains("windows"));
    let product = product.unwrap_or_else(|| "Windows".to_owned());
    let os = match keys.text(VERSION, "CurrentBuild") {
        Some(build) => format!("{product} ({build})"),
        None => product,
    };
    let name = keys.text(NAME, "ComputerName").unwrap_or_default();
    Machine { name, os, container: is_container_of_windows(keys), ..Machine::default() }
}

/// Octets that are read of a file of one line, or of twenty.
const FILE_LIMIT: u64 = 64 * 1024;

/// Files that Docker, Podman and Kubernetes put into every container.
fn is_container(root: &Path) -> bool {
    let signs = [".dockerenv", "run/.containerenv", "run/secrets/kubernetes.io", "var/run/secrets/kubernetes.io"];
    signs.iter().any(|sign| root.join(sign).symlink_metadata().is_ok())
}

/// Windows writes the kind of a container here, in containers alone.
/// Source: <https://github.com/dotnet/sdk/blob/main/src/Cli/dotnet/Telemetry/DockerContainerDetectorForTelemetry.cs>
fn is_container_of_windows(keys: &mut Keys<'_>) -> bool {
    keys.value(r"HKLM\SYSTEM\CurrentControlSet\Control", "ContainerType").is_some()
}

/// `Debian GNU/Linux 12`, `Windows Server 2022 (20348)`.
fn operating_system() -> String {
    let words: Vec<String> = [System::name(), System::os_version()].into_iter().flatten().collect();
    words.join(" ")
}

/// Within Azure's own public ranges. Nothing is sent there: connecting a UDP socket only looks up the route.
/// Source: <https://www.microsoft.com/download/details.aspx?id=56519>
const GLOBAL_IPV4: IpAddr = IpAddr::V4(Ipv4Addr::new(20, 42, 0, 1));
const GLOBAL_IPV6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2603, 0x1030, 0, 0, 0, 0, 0, 1));

fn has_route(address: IpAddr) -> bool {
    let any: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let Ok(socket) = UdpSocket::bind(SocketAddr::new(any, 0)) else { return false };
    if socket.connect(SocketAddr::new(address, 443)).is_err() {
        return false;
    }
    // A router's advertisement without a prefix leaves a default route and nothing but a link-local source.
    socket.local_addr().is_ok_and(|local| !is_link_local(local.ip()))
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// By name, so that two runs list them alike.
fn interfaces() -> Vec<Interface> {
    let Ok(networks) = Networks::new_with_refreshed_list() else { return Vec::new() };
    let mut interfaces = Vec::new();
    for (name, network) in &networks {
        if network.operational_state() == InterfaceOperationalState::Down {
            continue;
        }
        for on in network.ip_networks() {
            if on.addr.is_loopback() {
                continue;
            }
            let Ok(address) = IpNet::new(on.addr, on.prefix) else { continue };
            interfaces.push(Interface { name: name.to_string_lossy().into_owned(), address });
        }
    }
    interfaces.sort_by(|a, b| (&a.name, a.address).cmp(&(&b.name, b.address)));
    interfaces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_no_interface() {
        assert!(interfaces().iter().all(|interface| !interface.address.addr().is_loopback()));
    }

    #[test]
    fn disk_of_windows_is_known_as_one() {
        let root = std::env::temp_dir().join(format!("disk-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(root.join("Windows/System32/config")).unwrap();
        let of = |root: &Path| of_files(root, crate::registry::of_disk(root).as_deref());
        assert!(of(&root).is_windows());
        std::fs::remove_dir_all(root.join("Windows")).unwrap();
        assert!(!of(&root).is_windows());
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn container_of_windows_is_known_by_its_registry() {
        use crate::registry::Value;
        use crate::registry::memory::Memory;
        let container = (r"HKLM\SYSTEM\CurrentControlSet\Control", "ContainerType", Value::Number(2));
        for (values, expected) in [(&[container][..], true), (&[], false)] {
            let registry = Memory::of(values);
            assert_eq!(of_files(Path::new("/nonexistent"), Some(registry.as_ref())).container, expected);
        }
    }

    #[test]
    fn link_local_source_is_no_route() {
        assert!(is_link_local("fe80::1".parse().unwrap()));
        assert!(is_link_local("169.254.1.1".parse().unwrap()));
        assert!(!is_link_local("10.0.0.4".parse().unwrap()));
    }
}
