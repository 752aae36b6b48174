//! Real servers on loopback that misbehave in one way each.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hickory_proto::op::{Message, OpCode, ResponseCode as WireCode};
use hickory_proto::rr::{Name, RData, Record as WireRecord, rdata};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::watch;

use super::*;
use crate::observation::{Machine, RecordData, ResponseCode};
use crate::options::Options;
use crate::world::{AZURE_DNS, Clock, Network, OsResolver, Roots, Route, Routes};

const NAME: &str = "global.handler.control.monitor.azure.com";
const PRIVATE: &str = "global.handler.control.privatelink.monitor.azure.com";

/// What a server got, and how.
type Asked = Arc<Mutex<Vec<(Transport, Message)>>>;

/// A server on loopback; dropping it without it ever having been asked fails the test.
struct Server {
    address: SocketAddr,
    asked: Asked,
}

impl Drop for Server {
    fn drop(&mut self) {
        assert!(std::thread::panicking() || !self.asked.lock().unwrap().is_empty(), "the server was never asked");
    }
}

type Script = dyn Fn(Transport, usize, &Message) -> Vec<Vec<u8>> + Send + Sync;

impl Server {
    /// Listens on UDP and TCP; `script` gives the messages that go back for the n-th question, counted from 0.
    async fn start(script: impl Fn(Transport, usize, &Message) -> Vec<Vec<u8>> + Send + Sync + 'static) -> Self {
        let script: Arc<Script> = Arc::new(script);
        let (udp, tcp) = pair().await;
        let server = Self::new(&udp);
        tokio::spawn(serve_udp(udp, Arc::clone(&server.asked), Arc::clone(&script)));
        tokio::spawn(serve_tcp(tcp, Arc::clone(&server.asked), script));
        server
    }

    /// Listens on UDP only: TCP is refused.
    async fn start_udp(script: impl Fn(Transport, usize, &Message) -> Vec<Vec<u8>> + Send + Sync + 'static) -> Self {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let server = Self::new(&udp);
        tokio::spawn(serve_udp(udp, Arc::clone(&server.asked), Arc::new(script)));
        server
    }

    fn new(udp: &UdpSocket) -> Self {
        Self { address: udp.local_addr().unwrap(), asked: Asked::default() }
    }

    fn asked(&self) -> Vec<(Transport, Message)> {
        self.asked.lock().unwrap().clone()
    }
}

/// One port of both transports: the port that UDP gets may be somebody else's over TCP.
async fn pair() -> (UdpSocket, TcpListener) {
    let mut passed_over = Vec::new();
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        match TcpListener::bind(udp.local_addr().unwrap()).await {
            Ok(tcp) => return (udp, tcp),
            // It stays open, so that the next port is another one.
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => passed_over.push(udp),
            Err(error) => panic!("{error}"),
        }
    }
}

async fn serve_udp(socket: UdpSocket, asked: Asked, script: Arc<Script>) {
    let mut buffer = [0; 512];
    while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
        for reply in answer(&asked, &*script, Transport::Udp, &buffer[..length]) {
            socket.send_to(&reply, peer).await.unwrap();
        }
    }
}

async fn serve_tcp(listener: TcpListener, asked: Asked, script: Arc<Script>) {
    // Open connections stay open: closing one is an answer of its own.
    let mut open = Vec::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        let length = stream.read_u16().await.unwrap();
        let mut bytes = vec![0; usize::from(length)];
        stream.read_exact(&mut bytes).await.unwrap();
        for reply in answer(&asked, &*script, Transport::Tcp, &bytes) {
            let frame = [&u16::try_from(reply.len()).unwrap().to_be_bytes(), reply.as_slice()].concat();
            stream.write_all(&frame).await.unwrap();
        }
        open.push(stream);
    }
}

fn answer(asked: &Asked, script: &Script, transport: Transport, bytes: &[u8]) -> Vec<Vec<u8>> {
    let message = Message::from_vec(bytes).unwrap();
    let mut asked = asked.lock().unwrap();
    let number = asked.len();
    let replies = script(transport, number, &message);
    asked.push((transport, message));
    replies
}

fn context(timeout: Duration) -> Context {
    context_on(Network::Real, timeout)
}

fn context_on(network: Network, timeout: Duration) -> Context {
    let world = World {
        root: "/nonexistent".into(),
        environment: BTreeMap::new(),
        network,
        resolver: Arc::new(OsResolver),
        clock: Clock::default(),
        roots: Roots::new(Arc::new(rustls::RootCertStore::empty()), Arc::new(rustls::RootCertStore::empty())),
        machine: Machine { has_ipv4: true, ..Machine::default() },
        fetches_roots: false,
        registry: None,
        denied: std::collections::BTreeSet::new(),
        hanging: std::collections::BTreeSet::new(),
    };
    let options = Options { step_timeout: timeout, ..Options::default() };
    let (_, stop) = watch::channel(false);
    Context::new(Arc::new(world), Arc::new(options), stop, 8)
}

const PATIENT: Duration = Duration::from_secs(30);
const BRIEF: Duration = Duration::from_secs(2);

fn question(server: SocketAddr, kind: RecordKind) -> Question {
    Question { server, name: NAME.to_owned(), kind, purpose: Purpose::Name }
}

async fn asked_in(timeout: Duration, server: SocketAddr, style: &AskStyle) -> Outcome<Response, DnsFailure> {
    ask(&context(timeout), &question(server, RecordKind::A), 0, style).await.outcome
}

async fn seen(server: &Server) -> Response {
    match asked_in(PATIENT, server.address, &AskStyle::default()).await {
        Outcome::Seen(response) => response,
        other => panic!("{other:?}"),
    }
}

fn name(text: &str) -> Name {
    Name::from_ascii(format!("{text}.")).unwrap()
}

fn cname(owner: &str, target: &str) -> WireRecord {
    WireRecord::from_rdata(name(owner), 300, RData::CNAME(rdata::CNAME(name(target))))
}

fn a(owner: &str, last: u8) -> WireRecord {
    WireRecord::from_rdata(name(owner), 10, RData::A(rdata::A(Ipv4Addr::new(10, 0, 0, last))))
}

fn soa(zone: &str, mname: &str) -> WireRecord {
    let soa = rdata::SOA::new(name(mname), name("Azureprivatedns-host.microsoft.com"), 1, 3600, 300, 2_419_200, 10);
    WireRecord::from_rdata(name(zone), 300, RData::SOA(soa))
}

/// An answer to a question, ready to be changed.
fn reply(question: &Message) -> Message {
    let mut message = Message::response(question.metadata.id, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.metadata.recursion_available = true;
    message.add_queries(question.queries.clone());
    message
}

fn healthy(question: &Message) -> Vec<u8> {
    let mut message = reply(question);
    message.add_answers([cname(NAME, PRIVATE), a(PRIVATE, 5)]);
    message.to_vec().unwrap()
}

fn truncated(question: &Message) -> Vec<u8> {
    let mut message = reply(question);
    message.metadata.truncation = true;
    message.to_vec().unwrap()
}

#[tokio::test]
async fn answer_has_chain_ttl_and_address() {
    let server = Server::start(|_, _, question| vec![healthy(question)]).await;
    let response = seen(&server).await;
    assert_eq!((response.code, response.transport, response.truncated), (ResponseCode::NoError, Transport::Udp, false));
    assert!(response.recursion_available && !response.authoritative);
    assert_eq!(response.chain(NAME), [PRIVATE]);
    assert_eq!(response.records.iter().map(|record| record.ttl).collect::<Vec<_>>(), [300, 10]);
    assert_eq!(response.addresses(NAME), [std::net::IpAddr::from([10, 0, 0, 5])]);
    assert_eq!(response.sent, 1);
}

#[tokio::test]
async fn question_is_absolute_recursive_and_without_edns_unless_asked() {
    let server = Server::start(|_, _, question| vec![healthy(question)]).await;
    seen(&server).await;
    asked_in(PATIENT, server.address, &AskStyle { edns0: true, use_vc: false }).await;
    let asked = server.asked();
    let [(_, plain), (_, edns)] = asked.as_slice() else { panic!("{asked:?}") };
    assert!(plain.metadata.recursion_desired && plain.edns.is_none());
    assert_eq!(plain.queries[0].name(), &name(NAME));
    assert_eq!(edns.edns.as_ref().map(hickory_proto::op::Edns::max_payload), Some(1232));
}

#[tokio::test]
async fn extended_code_is_read_with_edns() {
    let server = Server::start(|_, _, question| {
        let mut message = reply(question);
        message.metadata.response_code = WireCode::BADVERS;
        let mut edns = hickory_proto::op::Edns::new();
        edns.set_rcode_high(WireCode::BADVERS.high());
        message.set_edns(edns);
        vec![message.to_vec().unwrap()]
    })
    .await;
    assert_eq!(seen(&server).await.code, ResponseCode::Other(16));
}

#[tokio::test]
async fn truncated_answer_is_asked_for_over_tcp() {
    let server = Server::start(|transport, _, question| {
        vec![if transport == Transport::Udp { truncated(question) } else { healthy(question) }]
    })
    .await;
    let response = seen(&server).await;
    assert_eq!((response.transport, response.truncated, response.sent), (Transport::Tcp, true, 1));
    assert_eq!(response.addresses(NAME).len(), 1);
}

#[tokio::test]
async fn answer_cut_in_a_record_is_truncated_not_malformed() {
    let server = Server::start(|transport, _, question| {
        let mut bytes = healthy(question);
        if transport == Transport::Udp {
            bytes.truncate(bytes.len() - 3);
            bytes[2] |= 0b10;
        }
        vec![bytes]
    })
    .await;
    assert!(seen(&server).await.truncated);
}

#[tokio::test]
async fn truncated_answer_with_tcp_refused_is_recorded() {
    let server = Server::start_udp(|_, _, question| vec![truncated(question)]).await;
    let outcome = asked_in(PATIENT, server.address, &AskStyle::default()).await;
    assert_eq!(outcome, Outcome::Failed(DnsFailure::Truncated(Some(IoFailure::Refused))));
}

#[tokio::test]
async fn truncated_answer_with_tcp_silent_is_recorded() {
    let server = Server::start(|transport, _, question| match transport {
        Transport::Udp => vec![truncated(question)],
        _ => vec![],
    })
    .await;
    let began = Instant::now();
    let outcome = asked_in(BRIEF, server.address, &AskStyle::default()).await;
    assert_eq!(outcome, Outcome::Failed(DnsFailure::Truncated(None)));
    // A guard against waiting for ever, no measurement.
    assert!(began.elapsed() < Duration::from_mins(15));
}

#[tokio::test]
async fn use_vc_asks_over_tcp_only() {
    let server = Server::start(|_, _, question| vec![healthy(question)]).await;
    let outcome = asked_in(PATIENT, server.address, &AskStyle { edns0: false, use_vc: true }).await;
    assert_eq!(outcome.seen().map(|response| (response.transport, response.truncated)), Some((Transport::Tcp, false)));
    assert!(server.asked().iter().all(|(transport, _)| *transport == Transport::Tcp));
}

#[tokio::test]
async fn silent_server_times_out() {
    let server = Server::start(|_, _, _| vec![]).await;
    let began = Instant::now();
    assert_eq!(asked_in(BRIEF, server.address, &AskStyle::default()).await, Outcome::TimedOut);
    assert!(began.elapsed() >= BRIEF);
}

#[tokio::test]
async fn lost_question_is_repeated_and_counted() {
    let server = Server::start(|_, number, question| if number == 0 { vec![] } else { vec![healthy(question)] }).await;
    let response = seen(&server).await;
    assert_eq!(response.sent, 2);
    let asked = server.asked();
    assert_eq!(asked[0].1.metadata.id, asked[1].1.metadata.id);
}

#[tokio::test]
async fn closed_port_is_refused_at_once() {
    let closed = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let outcome = asked_in(PATIENT, closed, &AskStyle::default()).await;
    assert_eq!(outcome, Outcome::Failed(DnsFailure::Unreachable(IoFailure::Refused)));
}

#[tokio::test]
async fn end_of_the_run_is_not_a_timeout() {
    let server = Server::start(|_, _, _| vec![]).await;
    let mut context = context(PATIENT);
    let (stop, stopped) = watch::channel(false);
    context.stop = stopped;
    let style = AskStyle::default();
    let asked = question(server.address, RecordKind::A);
    let asking = ask(&context, &asked, 0, &style);
    let (answer, ()) = tokio::join!(asking, async {
        tokio::time::sleep(BRIEF).await;
        stop.send(true).unwrap();
    });
    assert_eq!(answer.outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn answers_to_something_else_are_passed_over() {
    let server = Server::start(|_, _, question| {
        let mut other_id = reply(question);
        other_id.metadata.id = question.metadata.id.wrapping_add(1);
        other_id.add_answer(a(NAME, 66));
        let mut other_name = Message::response(question.metadata.id, OpCode::Query);
        other_name.add_query(hickory_proto::op::Query::query(name("evil.test"), hickory_proto::rr::RecordType::A));
        other_name.add_answer(a("evil.test", 66));
        vec![other_id.to_vec().unwrap(), vec![], vec![0xff], other_name.to_vec().unwrap(), healthy(question)]
    })
    .await;
    assert_eq!(seen(&server).await.addresses(NAME), [std::net::IpAddr::from([10, 0, 0, 5])]);
}

/// Makes an answer of a question.
type Make = fn(&Message) -> Vec<u8>;

#[tokio::test]
async fn octets_that_are_no_message_are_malformed() {
    let compression_loop = |question: &Message| {
        let mut bytes = reply(question).to_vec().unwrap();
        bytes[7] = 1;
        let place = u8::try_from(bytes.len()).unwrap();
        bytes.extend([0xc0, place, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 10, 0, 0, 5]);
        bytes
    };
    let counts = |question: &Message| {
        let mut bytes = reply(question).to_vec().unwrap();
        bytes[4..12].fill(0xff);
        bytes
    };
    let short = |question: &Message| question.metadata.id.to_be_bytes().to_vec();
    let echo = |question: &Message| question.to_vec().unwrap();
    let cut = |question: &Message| {
        let bytes = healthy(question);
        bytes[..bytes.len() - 1].to_vec()
    };
    let noise = |question: &Message| [question.metadata.id.to_be_bytes().as_slice(), &[0xff; 4000]].concat();
    let hostile: [(&str, Make); 6] = [
        ("compression loop", compression_loop),
        ("counts", counts),
        ("short", short),
        ("echo", echo),
        ("cut", cut),
        ("noise", noise),
    ];
    for (what, make) in hostile {
        let server = Server::start(move |_, _, question| vec![make(question)]).await;
        let outcome = asked_in(PATIENT, server.address, &AskStyle::default()).await;
        assert_eq!(outcome, Outcome::Failed(DnsFailure::Malformed), "{what}");
    }
}

#[tokio::test]
async fn nxdomain_keeps_chain_and_authority() {
    let server = Server::start(|_, _, question| {
        let mut message = reply(question);
        message.metadata.response_code = WireCode::NXDomain;
        message.add_answer(cname(NAME, PRIVATE));
        message.add_authority(soa("privatelink.monitor.azure.com", "azureprivatedns.net"));
        vec![message.to_vec().unwrap()]
    })
    .await;
    let response = seen(&server).await;
    assert_eq!(response.code, ResponseCode::NxDomain);
    assert_eq!(response.chain(NAME), [PRIVATE]);
    assert_eq!(response.address_owner(NAME), None);
    let authority = response.authority.unwrap();
    assert_eq!(
        (authority.zone.as_str(), authority.mname.as_str()),
        ("privatelink.monitor.azure.com", "azureprivatedns.net")
    );
    assert_eq!(authority.rname, "azureprivatedns-host.microsoft.com");
}

#[tokio::test]
async fn failures_of_servers_are_answers() {
    for (wire, code) in [
        (WireCode::ServFail, ResponseCode::ServFail),
        (WireCode::Refused, ResponseCode::Refused),
        (WireCode::FormErr, ResponseCode::FormErr),
        (WireCode::NotImp, ResponseCode::NotImp),
    ] {
        // A header alone is what a server sends that could not read the question.
        let server = Server::start(move |_, _, question| {
            vec![Message::error_msg(question.metadata.id, OpCode::Query, wire).to_vec().unwrap()]
        })
        .await;
        assert_eq!(seen(&server).await.code, code);
    }
}

#[tokio::test]
async fn soa_of_a_zone_is_a_record() {
    let server = Server::start(|_, _, question| {
        let mut message = reply(question);
        message.add_answer(soa(NAME, "azureprivatedns.net"));
        vec![message.to_vec().unwrap()]
    })
    .await;
    let answer = ask(&context(PATIENT), &question(server.address, RecordKind::Soa), 1, &AskStyle::default()).await;
    assert_eq!((answer.kind, answer.try_number), (RecordKind::Soa, 1));
    let response = answer.outcome.seen().unwrap();
    assert!(matches!(&response.records[0].data, RecordData::Soa(soa) if soa.mname == "azureprivatedns.net"));
}

#[tokio::test]
async fn endless_chain_and_many_records_are_bounded() {
    let server = Server::start(|transport, _, question| {
        if transport == Transport::Udp {
            return vec![truncated(question)];
        }
        let mut message = reply(question);
        message.add_answers([cname(NAME, "a.test"), cname("a.test", "b.test"), cname("b.test", NAME)]);
        message.add_answers((0..100).map(|last| a(NAME, last)));
        vec![message.to_vec().unwrap()]
    })
    .await;
    let response = seen(&server).await;
    assert_eq!(response.records.len(), crate::observation::dns::MAX_RECORDS);
    assert_eq!(response.chain(NAME), ["a.test", "b.test"]);
}

#[tokio::test]
async fn names_are_escaped_and_lower_case() {
    let server = Server::start(|_, _, question| {
        let mut message = reply(question);
        let hostile = Name::from_labels(vec![b"\x1b[31m.\\x\n".as_slice(), b"PrivateLink", b"\xe9 <b>"]).unwrap();
        let target = rdata::CNAME(hostile);
        message.add_answer(WireRecord::from_rdata(name(&NAME.to_uppercase()), 1, RData::CNAME(target)));
        vec![message.to_vec().unwrap()]
    })
    .await;
    let response = seen(&server).await;
    assert_eq!(response.chain(NAME), [r"\027[31m\.\\x\010.privatelink.\233\032<b>"]);
}

#[tokio::test]
async fn simulated_addresses_lead_where_the_world_says() {
    let server = Server::start(|_, _, question| vec![healthy(question)]).await;
    let lost: SocketAddr = "10.0.0.4:53".parse().unwrap();
    let unreachable: SocketAddr = "10.0.0.5:53".parse().unwrap();
    let to = BTreeMap::from([
        ((Transport::Udp, AZURE_DNS), Route::To(server.address)),
        ((Transport::Udp, unreachable), Route::HostUnreachable),
    ]);
    let context = context_on(Network::Simulated(Arc::new(Routes { to })), BRIEF);
    let style = AskStyle::default();
    assert!(ask(&context, &question(AZURE_DNS, RecordKind::A), 0, &style).await.outcome.seen().is_some());
    assert_eq!(ask(&context, &question(lost, RecordKind::A), 0, &style).await.outcome, Outcome::TimedOut);
    assert_eq!(
        ask(&context, &question(unreachable, RecordKind::A), 0, &style).await.outcome,
        Outcome::Failed(DnsFailure::Unreachable(IoFailure::HostUnreachable))
    );
}

#[tokio::test]
async fn records_are_asked_for_unchecked_and_failures_with_and_without_edns() {
    let server = Server::start(|_, _, question| vec![healthy(question)]).await;
    let style = AskStyle { edns0: false, use_vc: false };
    for purpose in
        [Purpose::Name, Purpose::Record, Purpose::Canary, Purpose::Unchecked, Purpose::Reason, Purpose::WithoutEdns]
    {
        let asked = Question { purpose, ..question(server.address, RecordKind::A) };
        assert_eq!(ask(&context(PATIENT), &asked, 0, &style).await.purpose, purpose);
    }
    let asked = server.asked();
    let told: Vec<(bool, bool)> =
        asked.iter().map(|(_, message)| (message.metadata.checking_disabled, message.edns.is_some())).collect();
    assert_eq!(told, [(false, false), (true, false), (false, false), (true, true), (false, true), (false, false)]);
}

#[tokio::test]
async fn reason_and_policy_of_a_refusal_are_kept() {
    let server = Server::start(|_, _, question| {
        let mut message = reply(question);
        message.metadata.response_code = WireCode::ServFail;
        message.add_additionals([soa("rpz.corp.example", "dc1.corp.example")]);
        let mut edns = hickory_proto::op::Edns::new();
        let text = [&[0, 6][..], "validation failure\0".as_bytes()].concat();
        edns.options_mut().insert(hickory_proto::rr::rdata::opt::EdnsOption::Unknown(15, text));
        edns.options_mut().insert(hickory_proto::rr::rdata::opt::EdnsOption::Unknown(15, vec![0]));
        message.set_edns(edns);
        vec![message.to_vec().unwrap()]
    })
    .await;
    let response = seen(&server).await;
    assert_eq!(response.policy.map(|policy| policy.zone).as_deref(), Some("rpz.corp.example"));
    let told: Vec<(u16, &str)> = response.extended.iter().map(|error| (error.code, error.text.as_str())).collect();
    assert_eq!(told, [(6, "validation failure")]);
}
