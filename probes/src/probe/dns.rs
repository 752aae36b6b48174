//! One question to one DNS server over our own sockets, so that loss, truncation and closed ports stay visible.
//!
//! It asks the way this machine asks ([`AskStyle`]), repeats what is lost, and goes over TCP when UDP is truncated. What
//! is on the wire is for `message`; following a chain is for [`Response`].

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UdpSocket;
use tokio::time::timeout;

pub(super) use self::message::{Heard, Packet, Wants};
use crate::addr::AZURE_DNS;
use crate::observation::{Answer, DnsFailure, IoFailure, Outcome, Purpose, RecordKind, Response, Transport};
use crate::os::io_failure;
use crate::probe::{Context, Ended};
use crate::world::{World, receive};

mod message;

/// What octets mean as an answer to a question, whatever its id.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn answer_of(bytes: &[u8]) -> Option<Response> {
    let wants = Wants { edns: true, unchecked: false };
    let question = Packet::new("api.monitor.azure.com", RecordKind::A, wants)?;
    let octets = [question.bytes().get(..2)?, bytes.get(2..)?].concat();
    match question.hear(&octets, Transport::Tcp) {
        Heard::Answer(response) => Some(response),
        _ => None,
    }
}

/// How this machine asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AskStyle {
    /// Announce a UDP size of 1232 octets by EDNS (`options edns0`); without it answers over 512 octets are truncated.
    pub edns0: bool,
    /// Ask over TCP only (`options use-vc`).
    pub use_vc: bool,
}

/// One question to one server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// The server.
    pub server: SocketAddr,
    /// The absolute name, without trailing dot.
    pub name: String,
    /// The type.
    pub kind: RecordKind,
    /// Why it is asked, and how.
    pub purpose: Purpose,
}

impl Question {
    fn wants(&self, style: AskStyle) -> Wants {
        let edns = match self.purpose {
            Purpose::Unchecked | Purpose::Reason => true,
            Purpose::WithoutEdns => false,
            Purpose::Name | Purpose::Record | Purpose::Canary | Purpose::Control => style.edns0,
        };
        // Azure's own DNS forwards to nobody's cache.
        let unkept = self.purpose == Purpose::Record && self.server != AZURE_DNS;
        Wants { edns, unchecked: unkept || self.purpose == Purpose::Unchecked }
    }
}

/// Asks a question once.
pub async fn ask(context: &Context, question: &Question, try_number: u32, style: &AskStyle) -> Answer {
    let began = Instant::now();
    let Question { server, name, kind, purpose } = question;
    let outcome = match Packet::new(name, *kind, question.wants(*style)) {
        Some(packet) => put(context, *server, &packet, style, began).await,
        // Names come from a validated catalogue and validated options: no DNS message can hold this one.
        None => Outcome::Failed(DnsFailure::Malformed),
    };
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let (server, kind, purpose) = (*server, *kind, *purpose);
    Answer { server, name, kind, try_number, purpose, timing: context.timing(began), outcome }
}

/// UDP first, then TCP if it must be, both within one `--timeout`.
async fn put(
    context: &Context,
    server: SocketAddr,
    question: &Packet,
    style: &AskStyle,
    began: Instant,
) -> Outcome<Response, DnsFailure> {
    if style.use_vc {
        return outcome(context.within(over_tcp(&context.world, server, question)).await, |failure| failure);
    }
    let sent = match context.within(over_udp(&context.world, server, question)).await {
        Ok(Ok(Datagram::Answer(response))) => return Outcome::Seen(response),
        Ok(Ok(Datagram::Truncated { sent })) => sent,
        Ok(Err(failure)) => return Outcome::Failed(failure),
        Err(ended) => return ended.into(),
    };
    let left = context.options.step_timeout.saturating_sub(began.elapsed());
    match context.within_time(left, over_tcp(&context.world, server, question)).await {
        Err(Ended::TimedOut) => Outcome::Failed(DnsFailure::Truncated(None)),
        ended => match outcome(ended, |failure| match failure {
            DnsFailure::Unreachable(failure) => DnsFailure::Truncated(Some(failure)),
            other => other,
        }) {
            Outcome::Seen(response) => Outcome::Seen(Response { truncated: true, sent, ..response }),
            other => other,
        },
    }
}

fn outcome(
    ended: Result<Result<Response, DnsFailure>, Ended>,
    failed: impl FnOnce(DnsFailure) -> DnsFailure,
) -> Outcome<Response, DnsFailure> {
    match ended {
        Ok(Ok(response)) => Outcome::Seen(response),
        Ok(Err(failure)) => Outcome::Failed(failed(failure)),
        Err(ended) => ended.into(),
    }
}

/// What UDP gave.
#[expect(clippy::large_enum_variant, reason = "one of them lives for the length of one question")]
enum Datagram {
    Answer(Response),
    Truncated { sent: u32 },
}

/// A datagram without an answer is sent again after this time, then after twice as long, and so on.
const RETRANSMIT: Duration = Duration::from_secs(1);
/// Room for one datagram. Four times what is announced: some servers answer with more than they were asked for.
const DATAGRAM: usize = 4096;

/// Sends and listens until an answer comes; the caller bounds the time.
async fn over_udp(world: &World, server: SocketAddr, question: &Packet) -> Result<Datagram, DnsFailure> {
    let socket = world.udp(server).await.map_err(|error| unreachable(io_failure(&error)))?;
    let mut wait = RETRANSMIT;
    let mut sent = 0;
    loop {
        socket.send(question.bytes()).await.map_err(|error| unreachable(datagram_failure(io_failure(&error))))?;
        sent += 1;
        match timeout(wait, listen(&socket, question)).await {
            Ok(heard) => return heard.map(|heard| with_sent(heard, sent)),
            Err(_) => wait = wait.saturating_mul(2),
        }
    }
}

fn with_sent(heard: Datagram, sent: u32) -> Datagram {
    match heard {
        Datagram::Answer(response) => Datagram::Answer(Response { sent, ..response }),
        Datagram::Truncated { .. } => Datagram::Truncated { sent },
    }
}

/// Messages of one server that do not answer the question. A late answer to an earlier one is among them now and then; a server
/// that sends more would have all of them read until the time is up.
const FOREIGN: usize = 64;
/// The same over TCP, where the connection is of this question alone and a message may have 64 KiB.
const FOREIGN_TCP: usize = 4;

/// Waits for our answer; what answers something else is passed over.
async fn listen(socket: &UdpSocket, question: &Packet) -> Result<Datagram, DnsFailure> {
    let mut buffer = vec![0; DATAGRAM];
    for _ in 0..FOREIGN {
        let length =
            receive(socket, &mut buffer).await.map_err(|error| unreachable(datagram_failure(io_failure(&error))))?;
        match question.hear(buffer.get(..length).unwrap_or_default(), Transport::Udp) {
            Heard::Answer(response) => return Ok(Datagram::Answer(response)),
            Heard::Truncated => return Ok(Datagram::Truncated { sent: 0 }),
            Heard::Malformed => return Err(DnsFailure::Malformed),
            Heard::SomethingElse => {}
        }
    }
    Err(DnsFailure::Malformed)
}

/// Asks over a connection of its own (RFC 7766): each message follows its length in two octets.
async fn over_tcp(world: &World, server: SocketAddr, question: &Packet) -> Result<Response, DnsFailure> {
    let mut stream = world.connect(server).await.map_err(|error| unreachable(io_failure(&error)))?;
    over_stream(&mut stream, question, Transport::Tcp).await
}

/// Asks over a connection that is there.
pub(super) async fn over_stream<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    question: &Packet,
    transport: Transport,
) -> Result<Response, DnsFailure> {
    let failed = |error: std::io::Error| unreachable(io_failure(&error));
    stream.write_all(&question.framed()).await.map_err(failed)?;
    stream.flush().await.map_err(failed)?;
    for _ in 0..FOREIGN_TCP {
        let length = stream.read_u16().await.map_err(failed)?;
        let mut bytes = vec![0; usize::from(length)];
        stream.read_exact(&mut bytes).await.map_err(failed)?;
        match question.hear(&bytes, transport) {
            Heard::Answer(response) => return Ok(response),
            Heard::Truncated | Heard::Malformed => return Err(DnsFailure::Malformed),
            Heard::SomethingElse => {}
        }
    }
    Err(DnsFailure::Malformed)
}

fn unreachable(failure: IoFailure) -> DnsFailure {
    DnsFailure::Unreachable(failure)
}

/// Windows reports an ICMP port unreachable on a UDP socket as a reset (`WSAECONNRESET`), Unix as refused.
/// Source: <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsarecv>
fn datagram_failure(failure: IoFailure) -> IoFailure {
    if failure == IoFailure::Reset { IoFailure::Refused } else { failure }
}

#[cfg(test)]
mod tests;
