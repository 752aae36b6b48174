//! DNS servers on loopback, over UDP and TCP, each with a behaviour.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, ResponseCode};
use hickory_proto::rr::RecordType;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use crate::scenario::{Server, ServerFault, View};
use crate::zones::{Reply, Zones, blocked, circle, only, within};

/// The largest UDP answer without EDNS (RFC 1035 2.3.4).
const PLAIN_UDP: u16 = 512;
/// Questions on one TCP connection: a client that asks more is closed.
const MAX_PER_CONNECTION: usize = 256;

/// One server and what it knows.
pub(crate) struct Dns {
    pub(crate) zones: Arc<Zones>,
    pub(crate) server: Server,
    pub(crate) latency: Duration,
    /// Questions that came.
    pub(crate) asked: Arc<AtomicU64>,
}

/// What goes back over a transport.
enum Back {
    Message(Vec<u8>),
    Nothing,
}

impl Dns {
    /// Serves UDP for ever.
    pub(crate) async fn serve_udp(self: Arc<Self>, socket: UdpSocket) {
        let socket = Arc::new(socket);
        let mut buffer = vec![0_u8; 4096];
        loop {
            let Ok((size, peer)) = socket.recv_from(&mut buffer).await else { continue };
            let Some(question) = buffer.get(..size).and_then(|bytes| Message::from_vec(bytes).ok()) else { continue };
            let dns = Arc::clone(&self);
            let socket = Arc::clone(&socket);
            tokio::spawn(async move {
                if let Back::Message(bytes) = dns.reply(&question, true).await {
                    // The peer may be gone: that is its own affair.
                    let _ = socket.send_to(&bytes, peer).await;
                }
            });
        }
    }

    /// Serves TCP for ever.
    pub(crate) async fn serve_tcp(self: Arc<Self>, listener: TcpListener) {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let dns = Arc::clone(&self);
            tokio::spawn(async move {
                let _ = dns.converse(stream).await;
            });
        }
    }

    async fn converse(&self, mut stream: TcpStream) -> std::io::Result<()> {
        for _ in 0..MAX_PER_CONNECTION {
            let size = usize::from(stream.read_u16().await?);
            let mut bytes = vec![0_u8; size];
            stream.read_exact(&mut bytes).await?;
            let Ok(question) = Message::from_vec(&bytes) else { break };
            if let Back::Message(bytes) = self.reply(&question, false).await {
                let size = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
                stream.write_u16(size).await?;
                stream.write_all(&bytes).await?;
            }
        }
        Ok(())
    }

    async fn reply(&self, question: &Message, udp: bool) -> Back {
        let count = self.asked.fetch_add(1, Ordering::Relaxed);
        let Some(query) = question.queries.first() else { return Back::Nothing };
        let name = query.name().to_ascii().trim_end_matches('.').to_lowercase();
        let kind = query.query_type();
        let fault = self.fault_for(&name);
        tokio::time::sleep(self.latency + Duration::from_millis(self.server.delay_ms)).await;

        let reply = match fault {
            Some(ServerFault::Silent) => return Back::Nothing,
            Some(ServerFault::Servfail) => failed(ResponseCode::ServFail),
            Some(ServerFault::Refused) => failed(ResponseCode::Refused),
            Some(ServerFault::Formerr) => failed(ResponseCode::FormErr),
            Some(ServerFault::Nxdomain) => failed(ResponseCode::NXDomain),
            Some(ServerFault::Sinkhole) => only(&name, IpAddr::V4(Ipv4Addr::UNSPECIFIED), kind),
            Some(ServerFault::BlockPolicy) => blocked(&name),
            Some(ServerFault::Loop) => circle(&name),
            Some(ServerFault::Flaps) if count % 2 == 1 => self.zones.answer(View::Public, &[], &name, kind),
            _ => self.honest(&name, kind),
        };
        let truncate = udp && matches!(fault, Some(ServerFault::Truncated | ServerFault::TruncatedTcpDropped));
        let Some(mut bytes) = encode(question, reply, udp, truncate) else { return Back::Nothing };
        if fault == Some(ServerFault::Malformed) {
            // The header promises sections that do not come.
            bytes.truncate(17);
        }
        Back::Message(bytes)
    }

    fn fault_for(&self, name: &str) -> Option<ServerFault> {
        let below = &self.server.fault_below;
        self.server.fault.filter(|_| below.is_empty() || below.iter().any(|suffix| within(name, suffix)))
    }

    fn honest(&self, name: &str, kind: RecordType) -> Reply {
        let server = &self.server;
        let forwarded = server.forward.iter().filter(|(suffix, _)| within(name, suffix));
        let view = forwarded.max_by_key(|(suffix, _)| suffix.len()).map_or(server.resolves, |(_, view)| *view);
        self.zones.answer(view, &server.zones, name, kind)
    }
}

fn failed(code: ResponseCode) -> Reply {
    Reply { code, answers: Vec::new(), authority: None }
}

fn encode(question: &Message, reply: Reply, udp: bool, truncate: bool) -> Option<Vec<u8>> {
    let mut message = Message::response(question.metadata.id, question.metadata.op_code);
    message.metadata.recursion_desired = question.metadata.recursion_desired;
    message.metadata.recursion_available = true;
    message.metadata.response_code = reply.code;
    message.add_queries(question.queries.iter().cloned());
    message.add_answers(reply.answers);
    message.add_authorities(reply.authority);
    if let Some(asked) = &question.edns {
        let mut edns = Edns::new();
        edns.set_max_payload(asked.max_payload());
        message.set_edns(edns);
    }
    let limit = usize::from(question.edns.as_ref().map_or(PLAIN_UDP, Edns::max_payload).max(PLAIN_UDP));
    let bytes = message.to_vec().ok()?;
    if truncate || (udp && bytes.len() > limit) {
        message.answers.clear();
        message.authorities.clear();
        message.metadata.truncation = true;
        return message.to_vec().ok();
    }
    Some(bytes)
}
