//! Opens TCP connections and says how that ended.
//!
//! All addresses of a name are connected to at once; the connection that the later steps use is the first that connects *in the
//! system's order*, which is the one an agent would use. What is spoken over it is not this module's.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{self, Poll};
use std::time::Instant;

use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinSet;

use super::Context;
use crate::addr::{Class, classify};
use crate::endpoint::Endpoint;
use crate::observation::{Connected, Connection, IoFailure, Outcome, Skip, Timing};
use crate::os::io_failure;

pub(super) mod counted;

/// Addresses of one name that are connected to; the rest are [`Skip::TooManyAddresses`].
pub const MAX_ADDRESSES: usize = 16;

/// Bytes in both directions: what every layer above TCP is given and gives.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection together with its place among the sockets of the run ([`Context::sockets`]).
#[derive(Debug)]
pub struct Stream {
    socket: TcpStream,
    address: SocketAddr,
    _permit: OwnedSemaphorePermit,
}

impl Stream {
    /// The address that was connected to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Connects to one address, whatever it is. `via` is the proxy it belongs to, without credentials.
pub async fn connect(
    ctx: &Context,
    endpoint: &str,
    address: SocketAddr,
    via: Option<&str>,
) -> (Connection, Option<Stream>) {
    let place = place(ctx).await;
    attempt(ctx, endpoint, address, via, place).await
}

/// A place among the sockets of the run; `None` when the run ended first. Waiting for it is our own doing: it does not count
/// against the time the peer has.
pub(super) async fn place(ctx: &Context) -> Option<OwnedSemaphorePermit> {
    ctx.until_end(Arc::clone(&ctx.sockets).acquire_owned()).await.ok()?.ok()
}

async fn attempt(
    ctx: &Context,
    endpoint: &str,
    address: SocketAddr,
    via: Option<&str>,
    place: Option<OwnedSemaphorePermit>,
) -> (Connection, Option<Stream>) {
    let began = Instant::now();
    let (outcome, stream) = match place {
        None => (Outcome::Cancelled, None),
        Some(permit) => match ctx.within(ctx.world.connect(address)).await {
            Ok(Ok(socket)) => (
                Outcome::Seen(Connected { local: socket.local_addr().ok() }),
                Some(Stream { socket, address, _permit: permit }),
            ),
            Ok(Err(error)) => (failed(ctx, address.ip(), io_failure(&error)), None),
            Err(ended) => (ended.into(), None),
        },
    };
    let connection = Connection {
        endpoint: endpoint.to_owned(),
        address: Some(address),
        via: via.map(str::to_owned),
        timing: ctx.timing(began),
        outcome,
    };
    (connection, stream)
}

/// Connects to all addresses of an endpoint at once; `addresses` are in the system's order. At least one [`Connection`] comes of
/// it: with no address it is [`Skip::NoAddress`]. Must be called inside the runtime.
pub fn connect_all(ctx: &Context, endpoint: &Endpoint, addresses: &[IpAddr]) -> Connecting {
    Connecting::start(ctx, &endpoint.id, endpoint.port, None, addresses)
}

/// Connections on their way. Dropping it ends them.
#[derive(Debug)]
pub struct Connecting {
    connections: Vec<Option<Connection>>,
    spare: BTreeMap<usize, Stream>,
    arriving: mpsc::UnboundedReceiver<(usize, Connection, Option<Stream>)>,
    chosen: Arc<AtomicBool>,
    _tasks: JoinSet<()>,
}

impl Connecting {
    pub(super) fn start(ctx: &Context, endpoint: &str, port: u16, via: Option<&str>, addresses: &[IpAddr]) -> Self {
        let (sender, arriving) = mpsc::unbounded_channel();
        let chosen = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        let mut connections = Vec::new();
        let also_private = also_private(ctx);
        let skipped = |address, skip| Connection {
            endpoint: endpoint.to_owned(),
            address,
            via: via.map(str::to_owned),
            timing: Timing { elapsed_us: 0, ..ctx.timing(Instant::now()) },
            outcome: Outcome::Skipped(skip),
        };
        let mut wanted = Vec::new();
        for (index, ip) in addresses.iter().enumerate() {
            let address = SocketAddr::new(*ip, port);
            let skip = skip_of(*ip, via.is_some(), &also_private)
                .or_else(|| (wanted.len() >= MAX_ADDRESSES).then_some(Skip::TooManyAddresses));
            if skip.is_none() {
                wanted.push((index, address));
            }
            connections.push(skip.map(|skip| skipped(Some(address), skip)));
        }
        if addresses.is_empty() {
            connections.push(Some(skipped(None, Skip::NoAddress)));
        }
        let (ctx, chosen_here) = (ctx.clone(), Arc::clone(&chosen));
        let (endpoint, via) = (endpoint.to_owned(), via.map(str::to_owned));
        tasks.spawn(async move {
            let mut attempts = JoinSet::new();
            for (index, address) in wanted {
                // Places are taken in the system's order: a later address that held the last one while an earlier one waits
                // for it would wait for ever to be chosen.
                let place = place(&ctx).await;
                let (ctx, sender, chosen) = (ctx.clone(), sender.clone(), Arc::clone(&chosen_here));
                let (endpoint, via) = (endpoint.clone(), via.clone());
                attempts.spawn(async move {
                    let (connection, stream) = attempt(&ctx, &endpoint, address, via.as_deref(), place).await;
                    // Once one is chosen, the others are only recorded.
                    let stream = stream.filter(|_| !chosen.load(Ordering::Acquire));
                    // Nobody left to listen means that the run no longer wants to know.
                    let _ = sender.send((index, connection, stream));
                });
            }
            while attempts.join_next().await.is_some() {}
        });
        Self { connections, spare: BTreeMap::new(), arriving, chosen, _tasks: tasks }
    }

    /// The first connection in the system's order, as soon as it is known to be that: addresses after it are not waited
    /// for. Gives a stream once; `None` when no address connects.
    pub async fn first(&mut self) -> Option<Stream> {
        let mut index = 0;
        while !self.chosen.load(Ordering::Acquire) && index < self.connections.len() {
            if self.connections.get(index).is_some_and(Option::is_none) {
                if !self.arrive().await {
                    return None;
                }
                continue;
            }
            if let Some(stream) = self.spare.remove(&index) {
                self.chosen.store(true, Ordering::Release);
                self.spare.clear();
                while let Ok((index, connection, _closed)) = self.arriving.try_recv() {
                    self.record(index, connection);
                }
                return Some(stream);
            }
            index += 1;
        }
        None
    }

    /// What came of every address, in the system's order. Closes what is left; bounded by the step's time limit.
    ///
    /// It waits for addresses that have no socket yet, so a caller that holds the stream of [`Connecting::first`] uses it up
    /// before, or at the same time.
    pub async fn finish(mut self) -> Vec<Connection> {
        self.chosen.store(true, Ordering::Release);
        self.spare.clear();
        while self.connections.iter().any(Option::is_none) && self.arrive().await {
            self.spare.clear();
        }
        self.connections.into_iter().flatten().collect()
    }

    async fn arrive(&mut self) -> bool {
        let Some((index, connection, stream)) = self.arriving.recv().await else {
            return false;
        };
        self.record(index, connection);
        if let Some(stream) = stream {
            self.spare.insert(index, stream);
        }
        true
    }

    fn record(&mut self, index: usize, connection: Connection) {
        if let Some(slot) = self.connections.get_mut(index) {
            *slot = Some(connection);
        }
    }
}

fn skip_of(address: IpAddr, proxy: bool, also_private: &[IpNet]) -> Option<Skip> {
    (!proxy && classify(address, also_private) == Class::Sinkhole).then_some(Skip::Sinkholed)
}

/// The kernel knows best which addresses have a route; only where the whole family has none is it no fault.
fn failed(ctx: &Context, address: IpAddr, failure: IoFailure) -> Outcome<Connected, IoFailure> {
    let machine = &ctx.world.machine;
    let routed = if address.is_ipv4() { machine.has_ipv4 } else { machine.has_ipv6 };
    match failure {
        IoFailure::NetworkUnreachable | IoFailure::NoLocalAddress if !routed => {
            Outcome::Skipped(Skip::NoRouteForFamily)
        }
        failure => Outcome::Failed(failure),
    }
}

fn also_private(ctx: &Context) -> Vec<IpNet> {
    let own = ctx.world.machine.interfaces.iter().map(|interface| interface.address);
    ctx.options.private_ranges.iter().copied().chain(own).collect()
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
