//! How much depends on an endpoint lowers how bad a fault of it is.

use ampls_probes::endpoint::{Endpoint, Expectation, Need};

use super::draft::Draft;
use super::facts::Facts;
use super::finding::Severity;
use super::rule::Rule;

/// The severity of a statement after what depends on its endpoints: at most a warning where all are optional, at most
/// information where all only serve as evidence.
pub(super) fn lowered(facts: &Facts<'_>, rule: &Rule, draft: &Draft) -> Severity {
    let at_port = |port: u16| draft.port.is_none_or(|own| own == port);
    let endpoints = || {
        let named = draft.endpoints.iter().flat_map(|name| facts.endpoints_named(name));
        named.filter(|name| at_port(name.endpoint.port))
    };
    if draft.severity_is_final || endpoints().next().is_none() {
        return draft.severity;
    }
    let most = endpoints().map(|facts| most(rule, facts.endpoint)).max().unwrap_or(Severity::Error);
    draft.severity.min(most)
}

/// A locked-down network rightly blocks what is optional and public.
fn most(rule: &Rule, endpoint: &Endpoint) -> Severity {
    match endpoint.need {
        Need::Required => Severity::Error,
        Need::Optional if endpoint.expected != Expectation::Private && rule.no_answer => Severity::Info,
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
    use crate::diagnose::rules::of_code;

    #[test]
    fn each_port_of_a_host_has_its_own_weight() {
        let mut other = endpoint(ODS, Need::Optional);
        (other.id, other.port) = (format!("{ODS}:8443"), 8443);
        let seen = private_world().edit(|seen| seen.endpoints.insert(0, other)).observations();
        let facts = Facts::new(&seen);
        let draft = Draft::new(Severity::Error, Owner::Network, Title::plain("x")).about([ODS]);
        let rule = of_code("NET001").expect("a rule");
        assert_eq!(lowered(&facts, rule, &draft), Severity::Error, "the most needed decides");
        assert_eq!(lowered(&facts, rule, &draft.clone().at_port(443)), Severity::Error);
        assert_eq!(lowered(&facts, rule, &draft.at_port(8443)), Severity::Warning);
        assert_eq!(facts.endpoint(ODS).map(|name| name.endpoint.need), Some(Need::Required));
    }
}
