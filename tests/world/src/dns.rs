//! DNS servers on loopback, over UDP and TCP, each with a behaviour.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hickory_proto::op::{Edns, Message, ResponseCode};
use hickory_proto::rr::rdata::opt::EdnsOption;
use hickory_proto::rr::{RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use crate::http::accept;
use crate::scenario::{Server, ServerFault, View};
use crate::zones::{Reply, Soa, Zones, blocked, circle, only, soa, within};

/// The largest UDP answer without EDNS (RFC 1035 2.3.4).
const PLAIN_UDP: u16 = 512;
/// Questions on one TCP connection: a client that asks more is closed.
const MAX_PER_CONNECTION: usize = 256;

/// Between two tries to receive.
const MOMENT: Duration = Duration::from_millis(5);

/// One server and what it knows.
pub(crate) struct Dns {
    pub(crate) zones: Arc<Zones>,
    pub(crate) server: Server,
    pub(crate) latency: Duration,
    /// When the world began.
    pub(crate) began: Instant,
    /// How often each question came so far, for a server that flaps.
    pub(crate) turns: Mutex<HashMap<(String, RecordType), u64>>,
    /// Public names whose record was asked for directly, and those whose public chain was given.
    pub(crate) kept: Mutex<HashSet<String>>,
    pub(crate) chains: Mutex<HashSet<String>>,
    /// How many questions wait for their answer, and the most there were.
    pub(crate) waiting: Waiting,
}

/// How many questions wait for their answer, and the most there were at once.
#[derive(Clone, Default)]
pub(crate) struct Waiting {
    now: Arc<AtomicU64>,
    pub(crate) most: Arc<AtomicU64>,
}

impl Waiting {
    fn begin(&self) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
    }

    fn end(&self) {
        self.now.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What goes back over a transport.
enum Back {
    Message(Vec<u8>),
    Nothing,
}

impl Dns {
    /// Serves UDP for ever.
    pub(crate) async fn serve_udp(self: Arc<Self>, socket: UdpSocket, asked: Arc<AtomicU64>) {
        let socket = Arc::new(socket);
        let mut buffer = vec![0_u8; 4096];
        loop {
            let Ok((size, peer)) = socket.recv_from(&mut buffer).await else {
                // An earlier peer that is gone, or no memory: neither ends the service.
                tokio::time::sleep(MOMENT).await;
                continue;
            };
            let Some(question) = buffer.get(..size).and_then(|bytes| Message::from_vec(bytes).ok()) else { continue };
            asked.fetch_add(1, Ordering::Relaxed);
            self.waiting.begin();
            let dns = Arc::clone(&self);
            let socket = Arc::clone(&socket);
            tokio::spawn(async move {
                let back = dns.reply(&question, true).await;
                dns.waiting.end();
                if let Back::Message(bytes) = back {
                    // The peer may be gone: that is its own affair.
                    let _ = socket.send_to(&bytes, peer).await;
                }
            });
        }
    }

    /// Serves TCP for ever.
    pub(crate) async fn serve_tcp(self: Arc<Self>, listener: TcpListener, asked: Arc<AtomicU64>) {
        loop {
            let stream = accept(&listener).await;
            asked.fetch_add(1, Ordering::Relaxed);
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
        let Some(query) = question.queries.first() else { return Back::Nothing };
        let name = query.name().to_ascii().trim_end_matches('.').to_lowercase();
        let kind = query.query_type();
        let fault = self.fault_for(&name);
        tokio::time::sleep(self.latency + Duration::from_millis(self.server.delay_ms)).await;

        let reply = match fault {
            Some(ServerFault::Silent) => return Back::Nothing,
            Some(ServerFault::DropsEdns) if question.edns.is_some() => return Back::Nothing,
            Some(ServerFault::Servfail) => failed(ResponseCode::ServFail),
            Some(ServerFault::Refused | ServerFault::Policy) => failed(ResponseCode::Refused),
            Some(ServerFault::Formerr) => failed(ResponseCode::FormErr),
            Some(ServerFault::Nxdomain) => failed(ResponseCode::NXDomain),
            Some(ServerFault::Sinkhole) => only(&name, IpAddr::V4(Ipv4Addr::UNSPECIFIED), kind),
            Some(ServerFault::BlockPage) => only(&name, IpAddr::V4(FILTERED), kind),
            Some(ServerFault::BlockPolicy) => blocked(&name),
            Some(ServerFault::Loop) => circle(&name),
            Some(ServerFault::Synthesises) => only(&name, synthetic(&name), kind),
            Some(ServerFault::RefusesEdns) if question.edns.is_some() => failed(ResponseCode::FormErr),
            Some(ServerFault::Validates) if !question.metadata.checking_disabled => failed(ResponseCode::ServFail),
            Some(fault @ (ServerFault::WithholdsPrivate | ServerFault::Invents | ServerFault::Strays)) => {
                changed(fault, self.honest(&name, kind), &name, kind)
            }
            Some(ServerFault::KeepsRecords) => self.kept(question, &name, kind),
            Some(ServerFault::Flaps) if self.turn(&name, kind) % 2 == 1 => {
                self.zones.answer(View::Public, &[], &name, kind)
            }
            _ => self.honest(&name, kind),
        };
        let truncate = match fault {
            Some(ServerFault::Truncated | ServerFault::TruncatedTcpDropped) => udp,
            fault => fault == Some(ServerFault::TruncatedTwice),
        };
        let extra = Extra { error: fault == Some(ServerFault::Validates), policy: fault == Some(ServerFault::Policy) };
        let Some(mut bytes) = encode(question, reply, udp, truncate, extra) else { return Back::Nothing };
        if fault == Some(ServerFault::Malformed) {
            // The header promises sections that do not come.
            bytes.truncate(17);
        }
        Back::Message(bytes)
    }

    /// How often this question came before.
    fn turn(&self, name: &str, kind: RecordType) -> u64 {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = turns.entry((name.to_owned(), kind)).or_default();
        *turn += 1;
        *turn - 1
    }

    fn fault_for(&self, name: &str) -> Option<ServerFault> {
        let below = &self.server.fault_below;
        let recovered =
            self.server.recovers_after_ms.is_some_and(|ms| self.began.elapsed() >= Duration::from_millis(ms));
        self.server
            .fault
            .filter(|_| !recovered)
            .filter(|_| below.is_empty() || below.iter().any(|suffix| within(name, suffix)))
    }

    /// dnsmasq keeps no answer to a question with checking disabled (`extract_addresses`), and answers the public name from the
    /// record that it kept.
    fn kept(&self, question: &Message, name: &str, kind: RecordType) -> Reply {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if name.contains(".privatelink.") {
            if !question.metadata.checking_disabled {
                kept.insert(name.replacen(".privatelink.", ".", 1));
            }
        } else if kept.contains(name) {
            return self.zones.answer(View::Azure, &[], name, kind);
        } else if kind == RecordType::A {
            self.chains.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        }
        // The alias of a chain that is kept answers for the record too.
        let public = name.replacen(".privatelink.", ".", 1);
        if kind == RecordType::A && self.chains.lock().unwrap_or_else(PoisonError::into_inner).contains(&public) {
            return self.zones.answer(View::Public, &[], name, kind);
        }
        self.honest(name, kind)
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

/// An address of the name's own, in shared address space.
fn synthetic(name: &str) -> IpAddr {
    let sum = name.bytes().fold(0_u8, u8::wrapping_add);
    IpAddr::V4(Ipv4Addr::new(100, 64, 7, sum))
}

/// A page of Cisco Umbrella.
/// Source: <https://www.cisco.com/c/en/us/support/docs/security/umbrella/224799-learn-the-umbrella-block-page-ip.html>
const FILTERED: Ipv4Addr = Ipv4Addr::new(146, 112, 61, 106);
/// The page that names which do not exist are led to.
const PAGE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 80);

/// What a filter, or a server that redirects, makes of an answer.
fn changed(fault: ServerFault, reply: Reply, name: &str, kind: RecordType) -> Reply {
    let private = |record: &Record| matches!(&record.data, RData::A(address) if address.0.is_private());
    match fault {
        ServerFault::WithholdsPrivate if reply.answers.iter().any(private) => failed(ResponseCode::NoError),
        ServerFault::Strays => only("stray.example.net", IpAddr::V4(PAGE), kind),
        ServerFault::Invents if reply.code == ResponseCode::NXDomain => only(name, IpAddr::V4(PAGE), kind),
        _ => reply,
    }
}

/// What an answer says besides.
#[derive(Clone, Copy)]
struct Extra {
    /// An extended error (RFC 8914), where the question allows it.
    error: bool,
    /// The SOA of a response policy.
    policy: bool,
}

/// DNSKEY Missing. Source: <https://www.rfc-editor.org/rfc/rfc8914#section-4.10>
const NO_KEY: [u8; 2] = [0, 9];

/// What a view says to a question, for transports that are not this module's.
pub(crate) fn answer(zones: &Zones, view: View, bytes: &[u8]) -> Option<Vec<u8>> {
    let question = Message::from_vec(bytes).ok()?;
    let query = question.queries.first()?;
    let name = query.name().to_ascii().trim_end_matches('.').to_lowercase();
    let reply = zones.answer(view, &[], &name, query.query_type());
    encode(&question, reply, false, false, Extra { error: false, policy: false })
}

fn encode(question: &Message, reply: Reply, udp: bool, truncate: bool, extra: Extra) -> Option<Vec<u8>> {
    let mut message = Message::response(question.metadata.id, question.metadata.op_code);
    message.metadata.recursion_desired = question.metadata.recursion_desired;
    message.metadata.recursion_available = true;
    message.metadata.response_code = reply.code;
    message.add_queries(question.queries.iter().cloned());
    message.add_answers(reply.answers);
    message.add_authorities(reply.authority);
    if extra.policy {
        message.add_additionals(soa("rpz.corp.example", Soa::Local("dc1.corp.example")));
    }
    if let Some(asked) = &question.edns {
        let mut edns = Edns::new();
        edns.set_max_payload(asked.max_payload());
        if extra.error && reply.code == ResponseCode::ServFail {
            let text = [NO_KEY.as_slice(), b"validation failure <monitor.azure.com. A IN>"].concat();
            edns.options_mut().insert(EdnsOption::Unknown(15, text));
        }
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

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::str::FromStr;

    use ampls_probes::observation::Transport;
    use ampls_probes::world::{AZURE_DNS, Families, receive};
    use hickory_proto::op::Query;
    use hickory_proto::rr::Name;

    use super::*;
    use crate::start::Running;
    use crate::testing::world;

    const HANDLER: &str = "global.handler.control.monitor.azure.com.";

    async fn ask(running: &Running, server: SocketAddr) -> Option<Message> {
        let mut question = Message::query();
        question.add_query(Query::query(Name::from_str(HANDLER).ok()?, RecordType::A));
        let socket = running.world.udp(server).await.ok()?;
        socket.send(&question.to_vec().ok()?).await.ok()?;
        let mut buffer = vec![0_u8; 4096];
        let received = tokio::time::timeout(Duration::from_secs(2), receive(&socket, &mut buffer)).await.ok()?.ok()?;
        let answer = Message::from_vec(buffer.get(..received)?).ok()?;
        (answer.metadata.id == question.metadata.id).then_some(answer)
    }

    fn server(address: &str, lines: &str) -> (Running, SocketAddr) {
        let running = world(&format!("[[server]]\naddress = \"{address}\"\n{lines}\n"));
        (running, SocketAddr::new(address.parse().expect("an address"), 53))
    }

    #[tokio::test]
    async fn azure_dns_answers_and_is_counted() {
        let running = world("");
        let answer = ask(&running, AZURE_DNS).await.expect("an answer");
        assert_eq!(answer.answers.last().map(|record| record.data.to_string()).as_deref(), Some("10.1.2.10"));
        assert_eq!(running.asked(Transport::Udp, AZURE_DNS), 1);
    }

    #[tokio::test]
    async fn refusing_server_says_refused() {
        let (running, address) = server("10.1.0.4", "fault = \"refused\"");
        let answer = ask(&running, address).await.expect("an answer");
        assert_eq!(answer.metadata.response_code, ResponseCode::Refused);
    }

    #[tokio::test]
    async fn silent_server_is_asked_and_says_nothing() {
        let (running, address) = server("10.1.0.4", "fault = \"silent\"");
        assert!(ask(&running, address).await.is_none());
        assert_eq!(running.asked(Transport::Udp, address), 1);
    }

    #[tokio::test]
    async fn closed_server_is_a_connection_refused() {
        let (running, address) = server("10.1.0.4", "fault = \"closed\"");
        let socket = running.world.udp(address).await.expect("a socket");
        let _ = socket.send(b"question").await;
        let error = receive(&socket, &mut [0_u8; 16]).await.expect_err("nobody listens");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test]
    async fn truncated_answer_is_whole_over_tcp() {
        let (running, address) = server("10.1.0.4", "fault = \"truncated\"");
        let short = ask(&running, address).await.expect("an answer");
        assert!(short.metadata.truncation && short.answers.is_empty());
        let found = running.world.resolver.lookup(HANDLER, Families::Both).await.expect("addresses over TCP");
        assert_eq!(found.addresses, [IpAddr::from([10, 1, 2, 10])]);
    }

    #[tokio::test]
    async fn longest_forwarded_suffix_decides() {
        let (running, address) =
            server("10.1.0.4", "resolves = \"azure\"\nforward = { \"monitor.azure.com\" = \"public\" }");
        let answer = ask(&running, address).await.expect("an answer");
        assert!(answer.answers.last().is_some_and(|record| record.data.to_string().starts_with("20.")));
    }

    #[tokio::test]
    async fn malformed_answer_is_no_message() {
        let (running, address) = server("10.1.0.4", "fault = \"malformed\"");
        assert!(ask(&running, address).await.is_none());
    }

    #[tokio::test]
    async fn records_of_another_name_give_no_address() {
        let (running, address) = server("10.1.0.4", "fault = \"strays\"");
        let answer = ask(&running, address).await.expect("an answer");
        assert_eq!(
            answer.answers.iter().map(|record| record.name.to_ascii()).collect::<Vec<_>>(),
            ["stray.example.net."]
        );
        assert!(running.world.resolver.lookup(HANDLER, Families::Both).await.is_err());
    }

    #[tokio::test]
    async fn answer_that_is_truncated_twice_gives_no_address() {
        let (running, address) = server("10.1.0.4", "fault = \"truncated-twice\"");
        assert!(ask(&running, address).await.is_some_and(|answer| answer.metadata.truncation));
        assert!(running.world.resolver.lookup(HANDLER, Families::Both).await.is_err());
        assert!(running.asked(Transport::Tcp, address) > 0);
    }
}
