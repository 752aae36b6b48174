//! One endpoint, as the report shows it: where its name leads and whether it answers.

use std::net::{IpAddr, SocketAddr};

use ampls_probes::endpoint::{Expectation, Group, Need};
use ampls_probes::observation::moment::to_millisecond;
use ampls_probes::observation::{
    Connection, Exchange, Handshake, HttpFailure, IoFailure, Outcome, Timing, TlsFailure, Verification,
};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::outcome::StepOutcome;
use crate::diagnose::facts::{EndpointFacts, Route, View, ViewKind};

/// One endpoint.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct TcpReport {
    /// The address and port.
    pub address: SocketAddr,
    /// `connected`, `timeout`, `cancelled`, `skipped`, or the failure: `refused`, `reset`, `host-unreachable` …
    #[schemars(with = "String")]
    pub outcome: StepOutcome<IoFailure>,
    /// Our own end.
    pub local: Option<SocketAddr>,
    /// The proxy that was connected to instead.
    pub via: Option<String>,
    /// When, UTC.
    #[serde(serialize_with = "to_millisecond")]
    #[schemars(with = "Timestamp")]
    pub at: Timestamp,
    /// How long, in milliseconds.
    pub elapsed_ms: u64,
}

/// A handshake.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct TlsReport {
    /// The address it was made with.
    pub address: Option<SocketAddr>,
    /// `established`, `timeout`, `cancelled`, or the failure.
    #[schemars(with = "String")]
    pub outcome: StepOutcome<TlsFailure>,
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
    #[serde(serialize_with = "to_millisecond")]
    #[schemars(with = "Timestamp")]
    pub at: Timestamp,
    /// How long, in milliseconds.
    pub elapsed_ms: u64,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct HttpReport {
    /// `answered`, `timeout`, `cancelled`, or the failure.
    #[schemars(with = "String")]
    pub outcome: StepOutcome<HttpFailure>,
    /// The path asked for.
    pub path: String,
    /// Status code.
    pub status: Option<u16>,
    /// The service's id of the request.
    pub request_id: Option<String>,
    /// `Server`
    pub server: Option<String>,
    /// When, UTC.
    #[serde(serialize_with = "to_millisecond")]
    #[schemars(with = "Timestamp")]
    pub at: Timestamp,
    /// How long, in milliseconds.
    pub elapsed_ms: u64,
}

/// How long each layer took, in milliseconds; `None` where it did not happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
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
        self.outcome == StepOutcome::Succeeded
    }
}

impl TlsReport {
    /// Whether the handshake was finished, verified or not.
    pub fn is_established(&self) -> bool {
        self.outcome == StepOutcome::Succeeded
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
            views: facts.views.iter().chain(&facts.encrypted).cloned().collect(),
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
        outcome: (&connection.outcome).into(),
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
        outcome: (&handshake.outcome).into(),
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
        outcome: (&exchange.outcome).into(),
        path: exchange.path.clone(),
        status: answer.map(|answer| answer.status),
        request_id: answer.and_then(|answer| answer.request_id.clone()),
        server: answer.and_then(|answer| answer.server.clone()),
        at: at(started_at, exchange.timing),
        elapsed_ms: millis(exchange.timing),
    })
}

fn at(started_at: Timestamp, timing: Timing) -> Timestamp {
    let micros = i64::try_from(timing.at_us).unwrap_or(i64::MAX);
    started_at.saturating_add(SignedDuration::from_micros(micros)).unwrap_or(started_at)
}

fn millis(timing: Timing) -> u64 {
    timing.elapsed_us / 1000
}
