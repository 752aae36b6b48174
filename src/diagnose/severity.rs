//! How much depends on an endpoint lowers how bad a fault of it is.

use ampls_probes::endpoint::{Endpoint, Expectation, Need};

use super::draft::Draft;
use super::facts::Facts;
use super::finding::Severity;

/// Faults that amount to an endpoint that does not answer.
const NO_ANSWER: [&str; 10] =
    ["DNS012", "NET001", "NET002", "NET003", "TLS006", "TLS007", "HTP005", "PRX002", "PRX003", "PRX004"];

/// Codes that usually are information.
const USUALLY_INFO: [&str; 9] =
    ["AGT002", "AGT006", "AZR001", "AZR003", "BRW003", "DNS001", "DNS016", "DNS017", "RUN002"];

/// Codes that usually are a warning.
const USUALLY_WARNING: [&str; 19] = [
    "AGT003", "AGT007", "AZR002", "BRW001", "BRW002", "DNS006", "DNS007", "DNS008", "DNS009", "DNS014", "DNS018",
    "DNS022", "DNS023", "HTP002", "HTP004", "NET004", "PRX001", "PRX005", "RUN001",
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
    let at_port = |port: u16| draft.port.is_none_or(|own| own == port);
    let endpoints = || {
        let named = draft.endpoints.iter().flat_map(|name| facts.endpoints_named(name));
        named.filter(|name| at_port(name.endpoint.port))
    };
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

#[cfg(test)]
mod tests {
    use ampls_probes::testing::{ODS, endpoint, private_world};

    use super::*;
    use crate::diagnose::draft::Title;
    use crate::diagnose::finding::Owner;

    #[test]
    fn each_port_of_a_host_has_its_own_weight() {
        let mut other = endpoint(ODS, Need::Optional);
        (other.id, other.port) = (format!("{ODS}:8443"), 8443);
        let seen = private_world().edit(|seen| seen.endpoints.insert(0, other)).observations();
        let facts = Facts::new(&seen);
        let draft = Draft::new(Severity::Error, Owner::Network, Title::plain("x")).about([ODS]);
        assert_eq!(lowered(&facts, "NET001", &draft), Severity::Error, "the most needed decides");
        assert_eq!(lowered(&facts, "NET001", &draft.clone().at_port(443)), Severity::Error);
        assert_eq!(lowered(&facts, "NET001", &draft.at_port(8443)), Severity::Warning);
        assert_eq!(facts.endpoint(ODS).map(|name| name.endpoint.need), Some(Need::Required));
    }
}
