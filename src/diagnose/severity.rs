//! How much depends on an endpoint lowers how bad a fault of it is.

use ampls_probes::catalogue::{Expectation, Need};
use ampls_probes::plan::Endpoint;

use super::draft::Draft;
use super::facts::Facts;
use super::finding::Severity;

/// Faults that amount to an endpoint that does not answer.
const NO_ANSWER: [&str; 9] = ["DNS012", "NET001", "NET002", "NET003", "TLS006", "TLS007", "HTP005", "PRX003", "PRX004"];

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
