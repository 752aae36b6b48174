//! The words that several formats use for people; the words of JSON are `as_str` of the types themselves.

use crate::diagnose::facts::Status;
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::report::EndpointReport;

/// A severity, as headings show it.
pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "ERROR",
        Severity::Warning => "WARNING",
        Severity::Info => "info",
    }
}

/// Who can apply a fix.
pub(super) fn owner(owner: Owner) -> &'static str {
    match owner {
        Owner::Dns => "DNS",
        Owner::Network => "network",
        Owner::Monitor => "Azure Monitor",
        Owner::Os => "this machine",
        Owner::Security => "security",
    }
}

/// What a change affects.
pub(super) fn reach(radius: BlastRadius) -> &'static str {
    match radius {
        BlastRadius::None => "nothing",
        BlastRadius::Machine => "this machine only",
        BlastRadius::Vnet => "every machine of this virtual network",
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
        Status::NxDomain => "nxdomain",
        Status::NoData => "nodata",
        Status::ServFail => "servfail",
        Status::Refused => "refused",
        Status::FormErr => "formerr",
        Status::Truncated => "truncated",
        Status::Malformed => "malformed",
        Status::Timeout => "silent",
        Status::Unreachable => "unreachable",
        Status::Failed => "no answer",
        Status::Cancelled => "not finished",
        Status::Skipped => "not asked",
    }
}

/// What the service answered, or where the path to it ended.
pub(super) fn answer(endpoint: &EndpointReport) -> String {
    let tcp = endpoint.tcp.iter().flatten().next();
    match (&endpoint.http, &endpoint.tls, tcp) {
        (Some(http), _, _) => {
            http.status.map_or_else(|| format!("HTTP {}", http.outcome), |status| format!("HTTP {status}"))
        }
        (None, Some(tls), _) if tls.is_established() && !tls.verified => "TLS not verified".to_owned(),
        (None, Some(tls), _) => format!("TLS {}", tls.outcome),
        (None, None, Some(_)) if endpoint.is_connected() => "connected".to_owned(),
        (None, None, Some(tcp)) => tcp.outcome.to_string(),
        (None, None, None) => "not tested".to_owned(),
    }
}
