//! Windows: Winsock codes, the network adapters.

use std::fs::{File, OpenOptions};
use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::os::windows::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tokio::net::{TcpSocket, TcpStream};
use windows_registry::LOCAL_MACHINE;

use super::Adapter;
use crate::observation::IoFailure;

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

/// The drive that Windows is installed on, by its registry: anybody who starts this program can set the variable.
pub(super) fn root() -> PathBuf {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(drive_of_windows).clone()
}

fn drive_of_windows() -> PathBuf {
    const VERSION: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";
    let folder = LOCAL_MACHINE.open(VERSION).and_then(|key| key.get_string("SystemRoot")).unwrap_or_default();
    let drive = Path::new(&folder).ancestors().last().filter(|drive| drive.has_root());
    drive.map_or_else(|| PathBuf::from("C:\\"), Path::to_path_buf)
}

/// A job may bound memory; then asking for it fails.
pub(super) fn memory_limits() -> [Option<u64>; 2] {
    [None, None]
}

/// Memory alone bounds the sockets of a process.
pub(super) fn open_files() -> Option<u64> {
    None
}

/// Winsock has no such option before the connection is made.
pub(super) const BOUNDS_SEGMENTS: bool = false;

pub(super) fn bound_segments(_: &TcpSocket, _: u16) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn path_mtu(_: &TcpStream) -> Option<u32> {
    None
}

pub(super) fn seal() -> bool {
    true
}

/// Nothing is inherited here that a program could gain.
pub(super) fn renounce_new_rights() {}

/// SYSTEM has a home of its own, which is nobody else's.
pub(super) fn is_root() -> bool {
    std::env::home_dir().is_some_and(|home| home.ends_with(r"config\systemprofile"))
}

/// A sparse file says so in an attribute; which parts of it are holes only a control code of the file system tells.
/// Source: <https://learn.microsoft.com/windows/win32/fileio/file-attribute-constants>
pub(super) fn has_hole(file: &File, _: u64) -> io::Result<bool> {
    const FILE_ATTRIBUTE_SPARSE_FILE: u32 = 0x200;
    Ok(file.metadata()?.file_attributes() & FILE_ATTRIBUTE_SPARSE_FILE != 0)
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

const DNS_PORT: u16 = 53;

pub(super) fn adapters() -> Option<io::Result<Vec<Adapter>>> {
    let found = ipconfig::get_adapters().map(|adapters| {
        let up = adapters.iter().filter(|adapter| adapter.oper_status() == ipconfig::OperStatus::IfOperStatusUp);
        let mut adapters: Vec<Adapter> = up.map(adapter).collect();
        adapters.sort_by_key(|adapter| adapter.metric);
        adapters
    });
    Some(found.map_err(io::Error::other))
}

fn adapter(adapter: &ipconfig::Adapter) -> Adapter {
    let socket = |server: &IpAddr| match server {
        // A link-local server is reached only through its adapter.
        IpAddr::V6(address) if address.is_unicast_link_local() => {
            SocketAddrV6::new(*address, DNS_PORT, 0, adapter.ipv6_if_index()).into()
        }
        address => SocketAddr::new(*address, DNS_PORT),
    };
    Adapter {
        id: adapter.adapter_name().to_owned(),
        name: adapter.friendly_name().to_owned(),
        metric: adapter.ipv4_metric().min(adapter.ipv6_metric()),
        servers: adapter.dns_servers().iter().map(socket).collect(),
    }
}
