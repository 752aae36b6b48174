//! What differs between operating systems: error numbers, flags of `open`, the sources of configuration.
//!
//! One small module each below; everything else of this crate is the same on all of them.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio::net::{TcpSocket, TcpStream};

use crate::observation::IoFailure;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as platform;
#[cfg(windows)]
use windows as platform;

/// A network adapter that is up, as the system tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Adapter {
    /// Its id, which its key in the registry has.
    pub(crate) id: String,
    /// Its name, for people.
    pub(crate) name: String,
    /// The lowest goes first.
    pub(crate) metric: u32,
    /// Its DNS servers, in its order.
    pub(crate) servers: Vec<SocketAddr>,
}

/// The adapters that are up, by metric; `None` on systems that keep their DNS servers in files.
pub(crate) fn adapters() -> Option<io::Result<Vec<Adapter>>> {
    platform::adapters()
}

/// What a network error means.
pub fn io_failure(error: &io::Error) -> IoFailure {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused => IoFailure::Refused,
        Kind::ConnectionReset | Kind::ConnectionAborted => IoFailure::Reset,
        Kind::UnexpectedEof | Kind::BrokenPipe | Kind::NotConnected => IoFailure::Closed,
        Kind::HostUnreachable => IoFailure::HostUnreachable,
        Kind::NetworkUnreachable | Kind::NetworkDown => IoFailure::NetworkUnreachable,
        Kind::PermissionDenied => IoFailure::NotPermitted,
        Kind::AddrNotAvailable | Kind::AddrInUse => IoFailure::NoLocalAddress,
        Kind::TimedOut => IoFailure::KernelTimeout,
        _ => error.raw_os_error().and_then(platform::failure).unwrap_or(IoFailure::Code(error.raw_os_error())),
    }
}

/// The root of this machine's own files: `/`, on Windows the system drive.
pub(crate) fn root() -> PathBuf {
    platform::root()
}

/// Opens a file for reading without ever waiting for it: a FIFO without a writer opens at once instead of blocking.
///
/// With `follow` false a symbolic link at the end of the path is an error.
pub(crate) fn open(path: &Path, follow: bool) -> io::Result<File> {
    platform::open(path, follow)
}

/// Whether a file has a part that was never written, which costs its owner nothing and its reader as much as any other. The file is
/// read from its beginning afterwards.
pub(crate) fn has_hole(file: &File, length: u64) -> io::Result<bool> {
    platform::has_hole(file, length)
}

/// Raises the number of files that this process may have open to what is wanted, as far as that is granted, and says what it is
/// then; `None` where nothing bounds it.
pub(crate) fn raise_open_files(wanted: u64) -> Option<u64> {
    platform::raise_open_files(wanted)
}

/// From now on no program that this process or a library of the system's name service starts has more rights than this process
/// (`PR_SET_NO_NEW_PRIVS`): a set-user-ID bit counts for nothing. Where the system has no such thing all stays as it is. Called
/// before there is a second thread, since a thread has it from the one that starts it.
pub fn renounce_new_rights() {
    platform::renounce_new_rights();
}

/// This process may read everybody's files: it is root's, or on Windows SYSTEM's.
pub fn is_root() -> bool {
    platform::is_root()
}

/// The segments of a connection can be bounded on this system.
pub(crate) const BOUNDS_SEGMENTS: bool = platform::BOUNDS_SEGMENTS;

/// From its SYN on, a connection asks for segments of at most this many octets, and sends none that are larger (`TCP_MAXSEG`).
pub(crate) fn bound_segments(socket: &TcpSocket, most: u16) -> io::Result<()> {
    platform::bound_segments(socket, most)
}

/// The largest packet that the system believes to pass on the way to the other end, in octets; `None` where it does not say.
pub(crate) fn path_mtu(stream: &TcpStream) -> Option<u32> {
    platform::path_mtu(stream)
}

/// From now on no dump of this process is written and no other process of the user reads its memory; whether that is so. Windows
/// writes no dump unless it is set up to, and gives nothing to forbid it with.
pub(crate) fn seal() -> bool {
    platform::seal()
}

/// How much address space and how much memory of its own this process may have, in octets; `None` where nothing bounds it.
pub(crate) fn memory_limits() -> [Option<u64>; 2] {
    platform::memory_limits()
}

/// How many files, sockets included, this process may have open; `None` where nothing bounds them.
pub(crate) fn open_files() -> Option<u64> {
    platform::open_files()
}

#[cfg(test)]
mod tests {
    use std::net;

    use super::*;

    #[test]
    fn kinds_are_distinguished() {
        for (kind, failure) in [
            (io::ErrorKind::ConnectionRefused, IoFailure::Refused),
            (io::ErrorKind::ConnectionReset, IoFailure::Reset),
            (io::ErrorKind::UnexpectedEof, IoFailure::Closed),
            (io::ErrorKind::HostUnreachable, IoFailure::HostUnreachable),
            (io::ErrorKind::NetworkUnreachable, IoFailure::NetworkUnreachable),
            (io::ErrorKind::PermissionDenied, IoFailure::NotPermitted),
            (io::ErrorKind::AddrNotAvailable, IoFailure::NoLocalAddress),
            (io::ErrorKind::TimedOut, IoFailure::KernelTimeout),
            (io::ErrorKind::InvalidData, IoFailure::Code(None)),
        ] {
            assert_eq!(io_failure(&kind.into()), failure, "{kind}");
        }
    }

    #[test]
    fn closed_port_of_this_machine_is_refused() {
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert_eq!(io_failure(&net::TcpStream::connect(address).unwrap_err()), IoFailure::Refused);
    }
}
