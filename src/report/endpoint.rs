//! One endpoint, as the report shows it: where its name leads and whether it answers.

use std::net::{IpAddr, SocketAddr};

use ampls_probes::endpoint::{Expectation, Group, Need};
use ampls_probes::observation::{
    Connection, Exchange, Handshake, HttpFailure, IoFailure, Outcome, Timing, TlsFailure, Verification,
};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diagnose::facts::{EndpointFacts, Route, View, ViewKind};

/// [`TcpReport::outcome`] of a connection that was made.
const CONNECTED: &str = "connected";

/// [`TlsReport::outcome`] of a handshake that was finished.
const ESTABLISHED: &str = "established";

/// One endpoint.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct EndpointReport {
    /// Unique within the report.
    pub id: String,
    /// Full host name.
    pub fqdn: String,
    /// TCP port.
    pub port: u16,
    /// Its group.
    pub group: Group,
    /// The AMPLS zone that would hold its record.
    pub zone: Option<String>,
    /// What kind of address it should have where a private link is meant.
    pub expected: Expectation,
    /// How much depends on it.
    pub need: Need,
    /// What it is for.
    pub purpose: String,
    /// What kind of address this machine's own resolver gives.
    pub route: Route,
    /// TCP, TLS with a verified chain and name, and an HTTP answer; `None` when it was not tried.
    pub reachable: Option<bool>,
    /// What this machine's own resolver answers.
    pub addresses: Vec<IpAddr>,
    /// The name in every view.
    pub views: Vec<View>,
    /// Every connection attempt; `None` when there was none.
    pub tcp: Option<Vec<TcpReport>>,
    /// The handshake over the first connection; `None` when there was none.
    pub tls: Option<TlsReport>,
    /// The request over the verified connection; `None` when there was none.
    pub http: Option<HttpReport>,
    /// How long each layer took.
    pub timings_ms: Timings,
}

/// One connection attempt.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct TcpReport {
    /// The address and port.
    pub address: SocketAddr,
    /// `connected`, `timeout`, `cancelled`, `skipped`, or the failure: `refused`, `reset`, `host-unreachable` …
    pub outcome: String,
    /// Our own end.
    pub local: Option<SocketAddr>,
    /// The proxy that was connected to instead.
    pub via: Option<String>,
    /// When, UTC.
    pub at: Timestamp,
    /// How long, in milliseconds.
    pub elapsed_ms: u64,
}

/// A handshake.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct TlsReport {
    /// The address it was made with.
    pub address: Option<SocketAddr>,
    /// `established`, `timeout`, `cancelled`, or the failure.
    pub outcome: String,
    /// `TLSv1.2` or `TLSv1.3`
    pub version: Option<String>,
    /// IANA name of the cipher suite.
    pub cipher: Option<String>,
    /// Issuer of the leaf.
    pub issuer: Option<String>,
    /// Subject of the leaf.
    pub subject: Option<String>,
    /// End of the leaf's validity.
    pub not_after: Option<Timestamp>,
    /// This machine trusts the chain, and name and validity fit.
    pub verified: bool,
    /// What the chain proves, in detail.
    pub verification: Option<Verification>,
    /// When, UTC.
    pub at: Timestamp,
    /// How long, in milliseconds.
    pub elapsed_ms: u64,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct HttpReport {
    /// `answered`, `timeout`, `cancelled`, or the failure.
    pub outcome: String,
    /// The path asked for.
    pub path: String,
    /// Status code.
    pub status: Option<u16>,
    /// The service's id of the request.
    pub request_id: Option<String>,
    /// `Server`
    pub server: Option<String>,
    /// When, UTC.
    pub at: Timestamp,
    /// How long, in milliseconds.
    pub elapsed_ms: u64,
}

/// How long each layer took, in milliseconds; `None` where it did not happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Timings {
    /// The system's lookup.
    pub dns: Option<u64>,
    /// The first connection.
    pub tcp: Option<u64>,
    /// The handshake.
    pub tls: Option<u64>,
    /// The request.
    pub http: Option<u64>,
}

impl TcpReport {
    /// Whether the connection was made.
    pub fn is_connected(&self) -> bool {
        self.outcome == CONNECTED
    }
}

impl TlsReport {
    /// Whether the handshake was finished, verified or not.
    pub fn is_established(&self) -> bool {
        self.outcome == ESTABLISHED
    }
}

impl Timings {
    /// Each layer by its name, and how long it took.
    pub fn layers(self) -> [(&'static str, Option<u64>); 4] {
        [("dns", self.dns), ("tcp", self.tcp), ("tls", self.tls), ("http", self.http)]
    }

    /// All layers together, in milliseconds.
    pub fn total(self) -> u64 {
        self.layers().into_iter().filter_map(|(_, ms)| ms).sum()
    }
}

impl EndpointReport {
    /// Whether any address accepted a connection.
    pub fn is_connected(&self) -> bool {
        self.tcp.iter().flatten().any(TcpReport::is_connected)
    }

    pub(super) fn new(facts: &EndpointFacts<'_>, started_at: Timestamp) -> Self {
        let endpoint = facts.endpoint;
        let system = facts.views.iter().find(|view| view.view == ViewKind::System);
        let tcp: Vec<TcpReport> =
            facts.connections.iter().filter_map(|connection| tcp_report(connection, started_at)).collect();
        let tls = facts.handshake.and_then(|handshake| tls_report(handshake, started_at));
        let http = facts.exchange.and_then(|exchange| http_report(exchange, started_at));
        let timings_ms = Timings {
            dns: system.filter(|view| asked(view)).map(|view| view.elapsed_ms),
            tcp: tcp.iter().find(|tcp| tcp.is_connected()).map(|tcp| tcp.elapsed_ms),
            tls: tls.as_ref().map(|tls| tls.elapsed_ms),
            http: http.as_ref().map(|http| http.elapsed_ms),
        };
        Self {
            id: endpoint.id.clone(),
            fqdn: endpoint.fqdn.clone(),
            port: endpoint.port,
            group: endpoint.group,
            zone: endpoint.zone.clone(),
            expected: endpoint.expected,
            need: endpoint.need,
            purpose: endpoint.purpose.clone(),
            route: system.map_or(Route::None, |view| view.route),
            reachable: facts.reachable(),
            addresses: system.map(|view| view.addresses.clone()).unwrap_or_default(),
            views: facts.views.clone(),
            tcp: Some(tcp).filter(|tcp| !tcp.is_empty()),
            tls,
            http,
            timings_ms,
        }
    }
}

fn asked(view: &View) -> bool {
    !matches!(view.status, crate::diagnose::facts::Status::Skipped)
}

fn tcp_report(connection: &Connection, started_at: Timestamp) -> Option<TcpReport> {
    Some(TcpReport {
        address: connection.address?,
        outcome: match &connection.outcome {
            Outcome::Seen(_) => CONNECTED.to_owned(),
            Outcome::Failed(failure) => io_failure(*failure),
            other => unfinished(other).to_owned(),
        },
        local: connection.outcome.seen().and_then(|connected| connected.local),
        via: connection.via.clone(),
        at: at(started_at, connection.timing),
        elapsed_ms: millis(connection.timing),
    })
}

fn tls_report(handshake: &Handshake, started_at: Timestamp) -> Option<TlsReport> {
    if matches!(handshake.outcome, Outcome::Skipped(_)) {
        return None;
    }
    let session = handshake.outcome.seen();
    let leaf = handshake.chain.first();
    Some(TlsReport {
        address: handshake.address,
        outcome: match &handshake.outcome {
            Outcome::Seen(_) => ESTABLISHED.to_owned(),
            Outcome::Failed(failure) => tls_failure(failure),
            other => unfinished(other).to_owned(),
        },
        version: session.map(|session| session.version.clone()),
        cipher: session.map(|session| session.cipher.clone()),
        issuer: leaf.map(|leaf| leaf.issuer.clone()),
        subject: leaf.map(|leaf| leaf.subject.clone()),
        not_after: leaf.and_then(|leaf| leaf.not_after),
        verified: handshake.verified(),
        verification: handshake.verification.clone(),
        at: at(started_at, handshake.timing),
        elapsed_ms: millis(handshake.timing),
    })
}

fn http_report(exchange: &Exchange, started_at: Timestamp) -> Option<HttpReport> {
    if matches!(exchange.outcome, Outcome::Skipped(_)) {
        return None;
    }
    let answer = exchange.outcome.seen();
    Some(HttpReport {
        outcome: match &exchange.outcome {
            Outcome::Seen(_) => "answered".to_owned(),
            Outcome::Failed(HttpFailure::Closed(failure)) => io_failure(*failure),
            Outcome::Failed(HttpFailure::Malformed) => "malformed".to_owned(),
            Outcome::Failed(HttpFailure::HeadTooLarge) => "head-too-large".to_owned(),
            other => unfinished(other).to_owned(),
        },
        path: exchange.path.clone(),
        status: answer.map(|answer| answer.status),
        request_id: answer.and_then(|answer| answer.request_id.clone()),
        server: answer.and_then(|answer| answer.server.clone()),
        at: at(started_at, exchange.timing),
        elapsed_ms: millis(exchange.timing),
    })
}

fn unfinished<T, F>(outcome: &Outcome<T, F>) -> &'static str {
    match outcome {
        Outcome::Seen(_) | Outcome::Failed(_) => "",
        Outcome::TimedOut => "timeout",
        Outcome::Cancelled => "cancelled",
        Outcome::Skipped(_) => "skipped",
    }
}

fn io_failure(failure: IoFailure) -> String {
    match failure {
        IoFailure::Refused => "refused",
        IoFailure::Reset => "reset",
        IoFailure::Closed => "closed",
        IoFailure::HostUnreachable => "host-unreachable",
        IoFailure::NetworkUnreachable => "network-unreachable",
        IoFailure::NotPermitted => "not-permitted",
        IoFailure::NoLocalAddress => "no-local-address",
        IoFailure::NoSockets => "no-sockets",
        IoFailure::KernelTimeout => "timeout",
        IoFailure::Code(Some(code)) => return format!("error-{code}"),
        IoFailure::Code(None) => "error",
    }
    .to_owned()
}

fn tls_failure(failure: &TlsFailure) -> String {
    match failure {
        TlsFailure::ClosedAfterClientHello(_) => "closed-after-client-hello".to_owned(),
        TlsFailure::ClosedLater(_) => "closed-later".to_owned(),
        TlsFailure::ProtocolTooOld => "protocol-too-old".to_owned(),
        TlsFailure::Alert(alert) => format!("alert {alert}"),
        TlsFailure::NotTls => "not-tls".to_owned(),
        TlsFailure::Protocol(error) => format!("protocol {error}"),
        TlsFailure::BadSignature => "bad-signature".to_owned(),
    }
}

fn at(started_at: Timestamp, timing: Timing) -> Timestamp {
    let micros = i64::try_from(timing.at_us).unwrap_or(i64::MAX);
    started_at.saturating_add(SignedDuration::from_micros(micros)).unwrap_or(started_at)
}

fn millis(timing: Timing) -> u64 {
    timing.elapsed_us / 1000
}
