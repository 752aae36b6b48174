//! How much depends on an endpoint lowers how bad a fault of it is.

use ampls_probes::catalogue::{Expectation, Need};
use ampls_probes::plan::Endpoint;

use super::draft::Draft;
use super::facts::Facts;
use super::finding::Severity;

/// Faults that amount to an endpoint that does not answer.
const NO_ANSWER: [&str; 9] = ["DNS012", "NET001", "NET002", "NET003", "TLS006", "TLS007", "HTP005", "PRX003", "PRX004"];

/// Codes that usually are information.
const USUALLY_INFO: [&str; 9] =
    ["AGT002", "AGT006", "AZR001", "AZR003", "BRW003", "DNS001", "DNS016", "DNS017", "RUN002"];

/// Codes that usually are a warning.
const USUALLY_WARNING: [&str; 17] = [
    "AGT003", "AGT007", "AZR002", "BRW001", "BRW002", "DNS006", "DNS007", "DNS008", "DNS009", "DNS014", "DNS018",
    "DNS022", "HTP002", "HTP004", "PRX001", "PRX005", "RUN001",
];

/// How bad a finding of this code usually is, on an endpoint that is required. What was seen decides in the end.
pub fn usual(code: &str) -> Severity {
    if USUALLY_INFO.contains(&code) {
        Severity::Info
    } else if USUALLY_WARNING.contains(&code) {
        Severity::Warning
    } else {
        Severity::Error
    }
}

/// The severity of a statement after what depends on its endpoints: at most a warning where all are optional, at most
/// information where all only serve as evidence.
pub(super) fn lowered(facts: &Facts<'_>, code: &str, draft: &Draft) -> Severity {
    let endpoints = || draft.endpoints.iter().filter_map(|name| facts.endpoint(name));
    if draft.severity_is_final || endpoints().next().is_none() {
        return draft.severity;
    }
    let most = endpoints().map(|facts| most(code, facts.endpoint)).max().unwrap_or(Severity::Error);
    draft.severity.min(most)
}

/// A locked-down network rightly blocks what is optional and public.
fn most(code: &str, endpoint: &Endpoint) -> Severity {
    match endpoint.need {
        Need::Required => Severity::Error,
        Need::Optional if endpoint.expected != Expectation::Private && NO_ANSWER.contains(&code) => Severity::Info,
        Need::Optional => Severity::Warning,
        Need::Evidence => Severity::Info,
    }
}
