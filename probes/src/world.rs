//! The seams between the probes and the world: values, not mocks.
//!
//! [`World::from_system`] reads the real environment once. A test points a `World` at loopback sockets, a fake root, a test
//! CA: [`Network::Simulated`] maps the addresses that the program believes in to sockets that really exist, and anything
//! that is not mapped is never connected to.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::CertificateDer;
use tokio::io::Interest;
use tokio::net::{TcpSocket, TcpStream, UdpSocket};

use crate::observation::{Found, LookupFailure, Machine, ReadFailure, Transport};
use crate::os;
use crate::read::root::{Case, Elsewhere, as_written, below, below_drive};
use crate::registry::{self, Keys, Registry};

mod environment;
mod identity;
mod machine;
mod resolver;
mod roots;

pub use crate::addr::{AZURE_DNS, METADATA, WIRE_SERVER};
pub(crate) use environment::ENVIRONMENT_KEY;
pub use environment::VARIABLES;
pub use identity::identity;
pub use resolver::OsResolver;
pub use roots::{Judge, PemFailure, Roots, fetches_roots, of_platform, roots_from_pem};

/// Everything the probes touch.
#[derive(Clone)]
pub struct World {
    /// `/`, or the root of a mounted disk or a test's folder.
    pub root: PathBuf,
    /// The environment variables that matter (proxies, trust store), by their name as set.
    pub environment: BTreeMap<String, String>,
    /// How sockets are opened.
    pub network: Network,
    /// The operating system's resolver call.
    pub resolver: Arc<dyn SystemResolver>,
    /// The wall clock.
    pub clock: Clock,
    /// Trust stores.
    pub roots: Roots,
    /// The system fetches roots and intermediate certificates when it needs them, see [`fetches_roots`].
    pub fetches_roots: bool,
    /// The registry; `None` where the examined system is not Windows.
    pub registry: Option<Arc<dyn Registry>>,
    /// What is known of the machine itself.
    pub machine: Machine,
    /// Files that count as refused to this user, as absolute paths of the examined system; only simulated worlds have any,
    /// because tests that run as root are refused nothing.
    pub denied: BTreeSet<PathBuf>,
    /// Folders that never answer, as on a share whose server is gone; only simulated worlds have any, because no test can
    /// leave a file system without its server.
    pub hanging: BTreeSet<PathBuf>,
}

/// A boxed future, as trait objects need it.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Resolves a name the way the programs of the machine do.
pub trait SystemResolver: Send + Sync {
    /// Resolves an absolute name (no trailing dot) to its addresses. It may block for as long as the system
    /// likes: the caller bounds it. The future may be dropped.
    fn lookup<'a>(&'a self, name: &'a str, families: Families) -> Boxed<'a, Result<Found, LookupFailure>>;
}

/// Which addresses a lookup asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Families {
    /// Both, which are two questions.
    Both,
    /// IPv4; IPv6 only where the name has no IPv4 address. A machine without IPv6 cannot use another answer, and a server that
    /// thousands of machines share is asked half as often.
    V4First,
}

impl Families {
    /// What a machine can use.
    pub fn of(machine: &Machine) -> Self {
        if machine.has_ipv6 { Self::Both } else { Self::V4First }
    }

    /// Questions in flight for one lookup.
    pub(crate) fn questions(self) -> u32 {
        match self {
            Self::Both => 2,
            Self::V4First => 1,
        }
    }
}

/// How sockets are opened.
#[derive(Clone)]
pub enum Network {
    /// The real thing.
    Real,
    /// Loopback sockets that stand for simulated addresses.
    Simulated(Arc<Routes>),
}

/// Where simulated addresses lead. What has no route behaves as [`Route::Drop`].
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// By transport and simulated address.
    pub to: BTreeMap<(Transport, SocketAddr), Route>,
}

/// Where a simulated address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// To this loopback socket (with nobody there: refused).
    To(SocketAddr),
    /// Nothing ever comes back.
    Drop,
    /// ICMP host unreachable.
    HostUnreachable,
    /// No route on this machine.
    NetworkUnreachable,
    /// This machine's own firewall.
    NotPermitted,
}

/// The wall clock, shifted in tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    /// Added to the system's clock.
    pub shift: SignedDuration,
}

impl Clock {
    /// Now, to the millisecond: finer than that no report is.
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now().checked_add(self.shift).unwrap_or(Timestamp::MAX);
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}

impl World {
    /// The real world, read once: environment, interfaces, the public roots. `root` is that of the examined files (`--root`);
    /// `public_roots` replace the built-in public roots (`--public-roots`).
    ///
    /// The machine's trust store is loaded by the run that needs it, see [`Roots::begin`].
    pub fn from_system(root: Option<&Path>, public_roots: Option<&[CertificateDer<'static>]>) -> Self {
        let registry = root.map_or_else(registry::of_this_machine, registry::of_disk);
        // The settings of this shell say nothing about another machine's files.
        let environment = if root.is_some() { BTreeMap::new() } else { environment::read(registry.as_deref()) };
        Self {
            root: root.map_or_else(os::root, Path::to_path_buf),
            network: Network::Real,
            resolver: Arc::new(OsResolver),
            clock: Clock::default(),
            roots: Roots::from_system(&environment, public_roots),
            machine: root.map_or_else(
                || machine::read(registry.as_deref()),
                |root| machine::of_files(root, registry.as_deref()),
            ),
            environment,
            fetches_roots: registry.as_deref().is_some_and(|registry| fetches_roots(&mut Keys::new(registry))),
            registry,
            denied: BTreeSet::new(),
            hanging: BTreeSet::new(),
        }
    }

    /// Whether the examined system is Windows.
    pub fn is_windows(&self) -> bool {
        self.registry.is_some()
    }

    /// A path below the root: absolute paths of the examined system are taken relative to it, and so are the links on the
    /// way when the root is not this machine's own. On Windows `C:` stands for the drive of the system; another drive is as it is
    /// on the running system, and leads to the root, which is not a file, where only a disk is looked at.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let Ok(path) = self.written(path.as_ref()) else {
            return if self.is_own() { path.as_ref().to_path_buf() } else { self.root.clone() };
        };
        if self.hanging.iter().any(|folder| path.starts_with(folder)) {
            loop {
                thread::park();
            }
        }
        if self.is_own() {
            return self.root.join(path.strip_prefix("/").unwrap_or(&path));
        }
        below(&self.root, &path, self.case())
    }

    /// How names of files are compared. The running Windows does it itself.
    pub(crate) fn case(&self) -> Case {
        if self.is_windows() && !self.is_own() { Case::IsIgnored } else { Case::Counts }
    }

    /// The examined system is the running one.
    fn is_own(&self) -> bool {
        self.root == os::root()
    }

    /// The same, but a link at the end of the path is not followed: whether it is one has to be seen.
    pub fn place(&self, path: impl AsRef<Path>) -> PathBuf {
        let Ok(path) = self.written(path.as_ref()) else { return self.path(path) };
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return self.path(path) };
        let folder = self.path(parent);
        let name = match self.case() {
            Case::Counts => name.to_owned(),
            Case::IsIgnored => as_written(&folder, name.to_owned()),
        };
        folder.join(name)
    }

    fn written(&self, path: &Path) -> Result<PathBuf, Elsewhere> {
        if self.is_windows() { below_drive(path) } else { Ok(path.to_path_buf()) }
    }

    /// The same as [`World::path`], for what is to be read now. What lies on another drive than the disk that is looked at, or on
    /// a share, is not missing: it is not looked at.
    pub fn readable(&self, path: impl AsRef<Path>) -> Result<PathBuf, ReadFailure> {
        if self.denied.contains(path.as_ref()) {
            return Err(ReadFailure::NotPermitted);
        }
        match self.written(path.as_ref()) {
            Err(Elsewhere::Drive) if self.is_own() => Ok(self.path(path)),
            Err(_) => Err(ReadFailure::Code(None)),
            Ok(_) => Ok(self.path(path)),
        }
    }

    /// Opens a TCP connection.
    pub async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let target = self.route(Transport::Tcp, address).await?;
        let stream = TcpStream::connect(target).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Opens a TCP connection whose segments hold at most this many octets in both directions.
    pub async fn connect_bounded(&self, address: SocketAddr, most: u16) -> io::Result<TcpStream> {
        let target = self.route(Transport::Tcp, address).await?;
        let socket = if target.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        os::bound_segments(&socket, most)?;
        let stream = socket.connect(target).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// The largest packet that this system believes to pass on the way to the other end; `None` where it does not say.
    pub fn path_mtu(&self, stream: &TcpStream) -> Option<u32> {
        match self.network {
            Network::Real => os::path_mtu(stream),
            // What really stands there is loopback.
            Network::Simulated(_) => None,
        }
    }

    /// Opens a UDP socket connected to an address, so that a closed port answers with an error.
    pub async fn udp(&self, address: SocketAddr) -> io::Result<UdpSocket> {
        let target = self.route(Transport::Udp, address).await?;
        let any: SocketAddr = if target.is_ipv4() {
            (Ipv4Addr::UNSPECIFIED, 0).into()
        } else {
            (std::net::Ipv6Addr::UNSPECIFIED, 0).into()
        };
        let socket = UdpSocket::bind(any).await?;
        socket.connect(target).await?;
        Ok(socket)
    }

    /// The socket that really stands for an address; waits for ever where a simulated packet is dropped.
    pub async fn route(&self, transport: Transport, address: SocketAddr) -> io::Result<SocketAddr> {
        let Network::Simulated(routes) = &self.network else {
            return Ok(address);
        };
        let has_family = if address.is_ipv4() { self.machine.has_ipv4 } else { self.machine.has_ipv6 };
        if !has_family {
            return Err(io::ErrorKind::NetworkUnreachable.into());
        }
        match routes.to.get(&(transport, address)).unwrap_or(&Route::Drop) {
            Route::To(target) => Ok(*target),
            Route::Drop => std::future::pending().await,
            Route::HostUnreachable => Err(io::ErrorKind::HostUnreachable.into()),
            Route::NetworkUnreachable => Err(io::ErrorKind::NetworkUnreachable.into()),
            Route::NotPermitted => Err(io::ErrorKind::PermissionDenied.into()),
        }
    }
}

/// So often in a row a socket may say that something has arrived when nothing has.
const EMPTY: usize = 16;
/// How long one that says so again is left alone.
const LEFT_ALONE: Duration = Duration::from_millis(50);

/// Waits for a datagram, or for word that the port is closed. A socket of UDP that has failed may say for ever that it can be read
/// and have nothing to read, on Linux where it was shut down and under wine where the port is closed: without a pause, asking it
/// again and again would leave other tasks and their timers no time.
pub async fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<usize> {
    let mut empty = 0;
    loop {
        if empty == EMPTY {
            tokio::time::sleep(LEFT_ALONE).await;
        } else {
            empty += 1;
        }
        socket.ready(Interest::READABLE | Interest::ERROR).await?;
        match socket.try_recv(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            received => return received,
        }
        // What failed is not tried to be read.
        if let Some(error) = socket.take_error()? {
            return Err(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::memory::Memory;

    #[test]
    fn another_drive_is_itself_on_the_running_system_and_not_looked_at_on_a_disk() {
        let of = |root: PathBuf| World {
            registry: Some(Memory::of(&[])),
            root,
            ..World::from_system(Some(Path::new("/nonexistent")), None)
        };
        let (running, disk) = (of(os::root()), of(PathBuf::from("/nonexistent")));
        assert_eq!(running.readable(r"D:\names\hosts"), Ok(PathBuf::from(r"D:\names\hosts")));
        assert_eq!(running.readable(r"C:\names\hosts"), Ok(os::root().join("names/hosts")));
        assert_eq!(disk.readable(r"D:\names\hosts"), Err(ReadFailure::Code(None)));
        assert_eq!(disk.readable(r"C:\names\hosts"), Ok(PathBuf::from("/nonexistent/names/hosts")));
        for world in [running, disk] {
            assert_eq!(world.readable(r"\\server\share\x"), Err(ReadFailure::Code(None)));
        }
    }

    /// By the word itself, not by what sending again gives. Windows has it as a reset, and wine by chance.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn closed_port_is_heard_of_without_sending_again() {
        let closed = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(closed).await.unwrap();
        socket.send(b"question").await.unwrap();
        let heard = tokio::time::timeout(Duration::from_secs(30), receive(&socket, &mut [0; 16])).await;
        assert_eq!(heard.expect("in time").unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }

    /// A receiver that asks such a socket without a pause never comes back to its timer: it gets a thread of its own.
    #[cfg(target_os = "linux")]
    #[test]
    fn socket_that_says_for_ever_that_it_can_be_read_leaves_others_their_time() {
        let (done, waited) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let received = runtime.block_on(async {
                let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
                let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
                socket.connect(peer.local_addr().unwrap()).await.unwrap();
                socket2::SockRef::from(&socket).shutdown(std::net::Shutdown::Read).unwrap();
                tokio::time::timeout(Duration::from_millis(200), receive(&socket, &mut [0; 16])).await
            });
            done.send(received.is_err()).unwrap();
        });
        assert_eq!(
            waited.recv_timeout(Duration::from_secs(30)),
            Ok(true),
            "it waits until its time is up, and no longer"
        );
    }
}
