//! Windows: Winsock codes, the network adapters, the places of configuration.

use std::fs::{File, OpenOptions};
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::observation::IoFailure;

/// The hosts file, below the root.
pub(crate) const HOSTS_FILE: &str = "Windows/System32/drivers/etc/hosts";

/// Opens the link itself instead of what it leads to.
/// Source: <https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createfilew>
const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;

/// What `io::ErrorKind` does not tell apart.
/// Source: <https://learn.microsoft.com/windows/win32/winsock/windows-sockets-error-codes-2>
pub(super) fn failure(code: i32) -> Option<IoFailure> {
    match code {
        // WSAEMFILE
        10024 => Some(IoFailure::NoSockets),
        // WSAEAFNOSUPPORT, WSAENETUNREACH, ERROR_NETWORK_UNREACHABLE
        10047 | 10051 | 1231 => Some(IoFailure::NetworkUnreachable),
        // WSAEHOSTDOWN, WSAEHOSTUNREACH, ERROR_HOST_UNREACHABLE
        10064 | 10065 | 1232 => Some(IoFailure::HostUnreachable),
        // ERROR_CONNECTION_REFUSED, ERROR_PORT_UNREACHABLE
        1225 | 1234 => Some(IoFailure::Refused),
        _ => None,
    }
}

pub(super) fn root() -> PathBuf {
    std::env::var_os("SystemDrive").map_or_else(|| PathBuf::from("C:\\"), |drive| Path::new(&drive).join("\\"))
}

/// Memory alone bounds the sockets of a process.
pub(super) fn open_files() -> Option<u64> {
    None
}

pub(super) fn raise_open_files(_: u64) -> Option<u64> {
    open_files()
}

pub(super) fn open(path: &Path, follow: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    if !follow {
        options.custom_flags(FILE_FLAG_OPEN_REPARSE_POINT);
    }
    options.open(path)
}

/// The DNS servers of the adapters that are up, in the order of the adapters, without duplicates; `None` when Windows
/// does not tell. Search suffixes are not looked at: only absolute names are asked for.
pub(crate) fn adapter_servers() -> Option<Vec<IpAddr>> {
    let mut servers = Vec::new();
    for adapter in &ipconfig::get_adapters().ok()? {
        if adapter.oper_status() != ipconfig::OperStatus::IfOperStatusUp {
            continue;
        }
        for server in adapter.dns_servers() {
            if !is_placeholder(*server) && !servers.contains(server) {
                servers.push(*server);
            }
        }
    }
    Some(servers)
}

/// Windows lists `fec0:0:0:ffff::1` to `::3` where no IPv6 server is configured: deprecated site-local addresses that
/// nobody answers (RFC 3879).
fn is_placeholder(server: IpAddr) -> bool {
    let IpAddr::V6(server) = server else { return false };
    (1..=3).any(|last| server == Ipv6Addr::new(0xfec0, 0, 0, 0xffff, 0, 0, 0, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn site_local_placeholders_are_no_servers() {
        assert!(is_placeholder("fec0:0:0:ffff::2".parse().unwrap()));
        assert!(!is_placeholder("fd00::2".parse().unwrap()));
        assert!(!is_placeholder("10.0.0.4".parse().unwrap()));
    }
}
