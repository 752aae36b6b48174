//! Unix: errno, `O_NONBLOCK`, the places of configuration.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, SeekFrom, seek};
use rustix::io::Errno;
#[cfg(target_os = "linux")]
use rustix::net::sockopt;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};

use super::Adapter;
use crate::observation::IoFailure;

/// What `io::ErrorKind` does not tell apart.
pub(super) fn failure(code: i32) -> Option<IoFailure> {
    match Errno::from_raw_os_error(code) {
        Errno::MFILE | Errno::NFILE => Some(IoFailure::NoSockets),
        Errno::HOSTDOWN => Some(IoFailure::HostUnreachable),
        // A kernel without IPv6 (`ipv6.disable=1`) has no such sockets at all.
        Errno::AFNOSUPPORT => Some(IoFailure::NetworkUnreachable),
        _ => None,
    }
}

pub(super) fn root() -> PathBuf {
    PathBuf::from("/")
}

pub(super) fn adapters() -> Option<io::Result<Vec<Adapter>>> {
    None
}

pub(super) fn memory_limits() -> [Option<u64>; 2] {
    [getrlimit(Resource::As).current, getrlimit(Resource::Data).current]
}

pub(super) fn open_files() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

pub(super) const BOUNDS_SEGMENTS: bool = true;

pub(super) fn bound_segments(socket: &TcpSocket, most: u16) -> io::Result<()> {
    SockRef::from(socket).set_tcp_mss(u32::from(most))
}

#[cfg(target_os = "linux")]
pub(super) fn path_mtu(stream: &TcpStream) -> Option<u32> {
    let known = if stream.peer_addr().ok()?.is_ipv4() { sockopt::ip_mtu(stream) } else { sockopt::ipv6_mtu(stream) };
    known.ok()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn path_mtu(_: &TcpStream) -> Option<u32> {
    None
}

pub(super) fn seal() -> bool {
    let limited = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).is_ok();
    limited && undumpable()
}

#[cfg(target_os = "linux")]
fn undumpable() -> bool {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn undumpable() -> bool {
    true
}

pub(super) fn renounce_new_rights() {
    // A kernel that refuses it (before 3.5) leaves the process with the rights of any other program.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::set_no_new_privs(true);
}

pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

pub(super) fn raise_open_files(wanted: u64) -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.map_or(wanted, |most| most.min(wanted));
    if limit.current.is_some_and(|current| current < most) {
        // What is refused shows in the answer.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum: limit.maximum });
    }
    open_files()
}

pub(super) fn open(path: &Path, follow: bool) -> io::Result<File> {
    let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    if !follow {
        flags |= OFlags::NOFOLLOW;
    }
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

pub(super) fn has_hole(file: &File, length: u64) -> io::Result<bool> {
    // A file system that knows no holes has the first one at the end; one without this call (`/proc`) refuses it.
    let hole = seek(file, SeekFrom::Hole(0)).ok();
    seek(file, SeekFrom::Start(0))?;
    Ok(hole.is_some_and(|hole| hole < length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::io_failure;

    #[test]
    fn too_many_open_files_is_no_fault_of_the_network() {
        assert_eq!(io_failure(&Errno::MFILE.into()), IoFailure::NoSockets);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_sealed_process_is_dumped_nowhere() {
        use rustix::process::{DumpableBehavior, dumpable_behavior};
        assert!(seal());
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        assert_eq!(dumpable_behavior().ok(), Some(DumpableBehavior::NotDumpable));
    }

    #[test]
    fn local_firewall_is_not_permitted() {
        assert_eq!(io_failure(&Errno::PERM.into()), IoFailure::NotPermitted);
    }

    #[test]
    fn icmp_errors_are_distinguished() {
        assert_eq!(io_failure(&Errno::HOSTUNREACH.into()), IoFailure::HostUnreachable);
        assert_eq!(io_failure(&Errno::NETUNREACH.into()), IoFailure::NetworkUnreachable);
        assert_eq!(io_failure(&Errno::AFNOSUPPORT.into()), IoFailure::NetworkUnreachable);
    }

    #[test]
    fn other_codes_are_kept() {
        assert_eq!(io_failure(&Errno::INVAL.into()), IoFailure::Code(Some(Errno::INVAL.raw_os_error())));
    }
}
