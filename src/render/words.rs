//! The words that several formats use for people; the words of JSON are `as_str` of the types themselves.

use crate::diagnose::facts::Status;
use crate::diagnose::finding::{BlastRadius, Finding, Fix, Owner, Severity};
use crate::diagnose::rules;
use crate::render::page::Tint;
use crate::report::{EndpointReport, Environment, Report};

/// How something is, as the first thing on its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Good,
    Doubt,
    Bad,
    /// Nothing can be said of it.
    Open,
}

/// Columns of a mark and the space after it; one more where there are no characters beyond ASCII.
pub(super) const MARK: usize = 2;

impl Mark {
    /// It, and the space after it.
    pub(super) fn shown(self, ascii: bool) -> &'static str {
        match (self, ascii) {
            (Self::Good, false) => "✓ ",
            (Self::Doubt, false) => "! ",
            (Self::Bad, false) => "✗ ",
            (Self::Open, false) => "- ",
            (Self::Good, true) => "ok ",
            (Self::Doubt, true) => "!  ",
            (Self::Bad, true) => "XX ",
            (Self::Open, true) => "-  ",
        }
    }

    pub(super) fn tint(self) -> Tint {
        match self {
            Self::Good => Tint::Green,
            Self::Doubt => Tint::Yellow,
            Self::Bad => Tint::Red,
            Self::Open => Tint::Plain,
        }
    }

    /// The mark of a finding.
    pub(super) fn of(severity: Severity) -> Self {
        match severity {
            Severity::Error => Self::Bad,
            Severity::Warning => Self::Doubt,
            Severity::Info => Self::Open,
        }
    }
}

/// What a reader calls the machine that looked.
pub(super) fn machine(report: &Report) -> &'static str {
    if report.host.environment == Environment::Vm { "this VM" } else { "this machine" }
}

/// The label by which the zones of one cloud differ, e.g. `ods` of `privatelink.ods.opinsights.azure.com`.
pub(super) fn family(zone: &str) -> &str {
    let zone = zone.strip_prefix("privatelink.").unwrap_or(zone);
    zone.split('.').next().unwrap_or(zone)
}

/// Who has to act, as the reader calls them.
pub(super) fn team(report: &Report, owner: Owner) -> String {
    team_or(owner, &format!("you, on {}", machine(report))).to_owned()
}

/// The same, with a word for those who run the machine.
pub(super) fn team_or(owner: Owner, own: &str) -> &str {
    match owner {
        Owner::Dns => "your DNS team",
        Owner::Network => "your network team",
        Owner::Monitor => "your Azure Monitor team",
        Owner::Os => own,
        Owner::Security => "your security team",
    }
}

/// The command that shows the page of a code; `None` for a code without one here: a saved report may say anything, and this is
/// a line to be typed.
pub(super) fn explain(code: &str) -> Option<String> {
    rules::of_code(code).map(|rule| format!("ampls-doctor explain {}", rule.code))
}

/// A severity, as headings show it.
pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "ERROR",
        Severity::Warning => "WARNING",
        Severity::Info => "info",
    }
}

/// What a change affects.
pub(super) fn reach(radius: BlastRadius) -> &'static str {
    match radius {
        BlastRadius::None => "nothing",
        BlastRadius::Machine => "this machine only",
        BlastRadius::Vnet => "every machine in this VNet",
        BlastRadius::EveryNetworkOnThisDns => "every network that uses this DNS",
    }
}

/// The word before a fix: `or` stands only before a change that can replace the one before it.
pub(super) fn label(fix: &Fix, is_first_change: bool) -> &'static str {
    match (fix.read_only, is_first_change, fix.alternative) {
        (true, ..) => "check",
        (false, true, _) => "fix",
        (false, false, true) => "or",
        (false, false, false) => "and",
    }
}

/// How a DNS question ended.
pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::NxDomain => "no such name",
        Status::NoData => "no address",
        Status::ServFail => "SERVFAIL",
        Status::Refused => "REFUSED",
        Status::FormErr => "FORMERR",
        Status::Truncated => "truncated",
        Status::Malformed => "malformed",
        Status::Timeout => "silent",
        Status::Unreachable => "unreachable",
        Status::Failed => "no answer",
        Status::Cancelled => "not finished",
        Status::Skipped => "not asked",
    }
}

/// Whether something else than Azure answered under the name.
pub(super) fn is_intercepted(report: &Report, endpoint: &EndpointReport) -> bool {
    let about = |finding: &Finding| finding.code == INTERCEPTED && finding.endpoints.contains(&endpoint.fqdn);
    report.findings.iter().any(about)
}

const INTERCEPTED: &str = "TLS001";

/// Whether it was tested and something is wrong with what came of it.
pub(super) fn fails(report: &Report, endpoint: &EndpointReport) -> bool {
    endpoint.reachable == Some(false) || (endpoint.reachable.is_some() && is_intercepted(report, endpoint))
}

/// What came of the test: `ok` whatever the status code, for a bare 403 or 404 without credentials is what Azure answers.
pub(super) fn result(report: &Report, endpoint: &EndpointReport) -> String {
    match endpoint.reachable {
        None if endpoint.addresses.is_empty() => "not tested: no address".to_owned(),
        None => "resolved only".to_owned(),
        Some(_) if is_intercepted(report, endpoint) => "intercepted".to_owned(),
        Some(true) => "ok".to_owned(),
        Some(false) => answer(endpoint),
    }
}

/// Where the path to the service ended, or what it answered.
pub(super) fn answer(endpoint: &EndpointReport) -> String {
    let tcp = endpoint.tcp.iter().flatten().next();
    match (&endpoint.http, &endpoint.tls, tcp) {
        (Some(http), _, _) => {
            http.status.map_or_else(|| format!("HTTP: {}", http.outcome), |status| format!("HTTP {status}"))
        }
        (None, Some(tls), _) if tls.is_established() && !tls.verified => "TLS not verified".to_owned(),
        (None, Some(tls), _) => format!("TLS: {}", tls.outcome),
        (None, None, Some(_)) if endpoint.is_connected() => "connected".to_owned(),
        (None, None, Some(tcp)) => format!("TCP: {}", tcp.outcome),
        (None, None, None) => "not tested".to_owned(),
    }
}
