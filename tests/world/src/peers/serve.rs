//! Plays what a peer says, and counts the work that it causes.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::{future, io};

use ampls_probes::observation::Transport;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio_rustls::TlsAcceptor;

use super::NAME;
use crate::certificates::Authorities;
use crate::http;
use crate::start::Running;

/// What the system keeps of what was written and not read: small, so that bytes are counted when they are read.
const SEND_BUFFER: u32 = 16 * 1024;
/// Between two octets of a peer that drips.
const DRIP: Duration = Duration::from_millis(100);

/// Something that is said on a stream. After the last one the connection is closed.
#[derive(Clone)]
pub(super) enum Say {
    /// These bytes.
    Bytes(Vec<u8>),
    /// These bytes so many times.
    Times(usize, Vec<u8>),
    /// These bytes for ever, one at a time.
    Drip(Vec<u8>),
    /// Nothing more, and no end.
    Hold,
    /// RST.
    Reset,
}

pub(super) type Script = Vec<Say>;
/// What a DNS server says to the octets of a question.
pub(super) type Datagrams = Arc<dyn Fn(&[u8]) -> Vec<Vec<u8>> + Send + Sync>;
pub(super) type Messages = Arc<dyn Fn(&[u8]) -> Script + Send + Sync>;
pub(super) type Presented = fn(&Authorities) -> io::Result<Arc<rustls::ServerConfig>>;

/// A server that a peer needs.
#[derive(Clone)]
pub(super) enum Server {
    /// DNS over UDP.
    Udp(Datagrams),
    /// DNS over TCP, behind truncated answers over UDP.
    Tcp(Messages),
    /// In answer to the first bytes.
    Raw(Script),
    /// In answer to a request.
    Http(Script),
    /// The same within TLS of a certificate that is right.
    Https(Script),
    /// A handshake with this certificate, and a healthy answer.
    Presents(Presented),
}

/// What a peer has caused.
#[derive(Clone, Copy)]
pub(super) struct Work {
    pub(super) bytes: u64,
    pub(super) asked: u64,
}

#[derive(Clone, Default)]
pub(super) struct Counter {
    bytes: Arc<AtomicU64>,
    asked: Arc<AtomicU64>,
}

impl Counter {
    pub(super) fn read(&self) -> Work {
        Work { bytes: self.bytes.load(Ordering::SeqCst), asked: self.asked.load(Ordering::SeqCst) }
    }

    fn sent(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::SeqCst);
    }
}

/// Starts a server; where it really listens.
pub(super) fn start(running: &Running, server: &Server) -> (Counter, Vec<(Transport, SocketAddr)>) {
    let counter = Counter::default();
    let fronts = running.fronts.clone().expect("a world has fronts");
    let server = server.clone();
    let handle = running.handle();
    let _runtime = handle.enter();
    let mut at = Vec::new();
    if matches!(server, Server::Udp(_) | Server::Tcp(_)) {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
        socket.set_nonblocking(true).expect("a socket that does not block");
        at.push((Transport::Udp, socket.local_addr().expect("an address")));
        let socket = UdpSocket::from_std(socket).expect("a socket");
        handle.spawn(datagrams(socket, server.clone(), counter.clone()));
    }
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_send_buffer_size(SEND_BUFFER).expect("a small buffer");
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a port");
    let listener = socket.listen(64).expect("a listener");
    at.push((Transport::Tcp, listener.local_addr().expect("an address")));
    let config = match &server {
        Server::Https(_) => Some(fronts.authorities().server(NAME, crate::scenario::TlsFault::Ok, None)),
        Server::Presents(presented) => Some(presented(fronts.authorities())),
        _ => None,
    };
    let config = config.map(|config| config.expect("a certificate"));
    handle.spawn(connections(listener, server, config, counter.clone()));
    (counter, at)
}

async fn datagrams(socket: UdpSocket, server: Server, counter: Counter) {
    let mut buffer = vec![0; 4096];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        counter.asked.fetch_add(1, Ordering::SeqCst);
        let question = buffer.get(..length).unwrap_or_default();
        let answers = match &server {
            Server::Udp(say) => say(question),
            _ => vec![super::dns::truncated(question)],
        };
        for answer in answers {
            // Who has gone hears no more.
            if let Ok(sent) = socket.send_to(&answer, from).await {
                counter.sent(sent);
            }
        }
    }
}

async fn connections(
    listener: TcpListener,
    server: Server,
    config: Option<Arc<rustls::ServerConfig>>,
    counter: Counter,
) {
    loop {
        let stream = http::accept(&listener).await;
        counter.asked.fetch_add(1, Ordering::SeqCst);
        let (server, config, counter) = (server.clone(), config.clone(), counter.clone());
        tokio::spawn(async move {
            // A client that breaks off is what the peers are there for.
            let _ = converse(stream, &server, config, &counter).await;
        });
    }
}

async fn converse(
    mut stream: TcpStream,
    server: &Server,
    config: Option<Arc<rustls::ServerConfig>>,
    counter: &Counter,
) -> io::Result<()> {
    match server {
        Server::Udp(_) => Ok(()),
        Server::Tcp(say) => {
            let length = stream.read_u16().await?;
            let mut question = vec![0; usize::from(length)];
            stream.read_exact(&mut question).await?;
            let script = say(&question);
            if play(&mut stream, &script, counter).await? { stream.set_zero_linger() } else { Ok(()) }
        }
        Server::Raw(script) => {
            // It answers whatever begins to arrive, read or not.
            let _begun = stream.read(&mut [0; 4096]).await?;
            if play(&mut stream, script, counter).await? { stream.set_zero_linger() } else { Ok(()) }
        }
        Server::Http(script) => {
            if http::read(&mut stream).await.is_none() {
                return Ok(());
            }
            if play(&mut stream, script, counter).await? { stream.set_zero_linger() } else { Ok(()) }
        }
        Server::Https(script) => {
            let Some(config) = config else { return Ok(()) };
            let mut stream = TlsAcceptor::from(config).accept(stream).await?;
            if http::read(&mut stream).await.is_none() {
                return Ok(());
            }
            if play(&mut stream, script, counter).await? {
                return stream.get_ref().0.set_zero_linger();
            }
            stream.shutdown().await
        }
        Server::Presents(_) => {
            let Some(config) = config else { return Ok(()) };
            let mut stream = TlsAcceptor::from(config).accept(stream).await?;
            if http::read(&mut stream).await.is_some() {
                http::write(&mut stream, &http::Answer::new(200, &[], "Healthy")).await?;
            }
            stream.shutdown().await
        }
    }
}

/// Whether the connection is to be reset.
async fn play(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    script: &[Say],
    counter: &Counter,
) -> io::Result<bool> {
    for say in script {
        match say {
            Say::Bytes(bytes) => write(stream, bytes, counter).await?,
            Say::Times(times, bytes) => {
                for _ in 0..*times {
                    write(stream, bytes, counter).await?;
                }
            }
            Say::Drip(bytes) => {
                for byte in bytes.iter().cycle() {
                    write(stream, &[*byte], counter).await?;
                    tokio::time::sleep(DRIP).await;
                }
            }
            Say::Hold => future::pending().await,
            Say::Reset => return Ok(true),
        }
    }
    Ok(false)
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), mut bytes: &[u8], counter: &Counter) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = stream.write(bytes).await?;
        counter.sent(written);
        bytes = bytes.get(written..).unwrap_or_default();
    }
    stream.flush().await
}
