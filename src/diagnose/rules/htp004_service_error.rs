//! HTP004: the service itself fails.

use crate::diagnose::command::{Host, UrlPath};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, HttpFault};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};

rule! {
    /// ## What it means
    ///
    /// The service is reached, over verified TLS, and answers with a status of 500 or above: it fails, or is busy. A proxy
    /// that answers so to `CONNECT` is PRX004 instead.
    ///
    /// ## Why it matters
    ///
    /// Name resolution, network and certificates are in order; what is sent may be refused for now. Agents keep their data
    /// and try again.
    ///
    /// ## How to fix
    ///
    /// Try again after some minutes. If it lasts, look at Azure's status for the region, and open a support request with the
    /// request id of the evidence.
    ///
    /// ## How to confirm
    ///
    /// The same request is answered with a status below 500.
    ///
    /// ## References
    ///
    /// - <https://azure.status.microsoft/status>
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>
    HTP004 = "service-error" {
        layer: Http,
        severity: Warning,
        owner: Monitor,
        hops: [Service],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let failing = facts.endpoints().iter().filter(|name| name.http_fault() == Some(HttpFault::ServiceError));
    failing.filter_map(|name| draft(facts, name)).collect()
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Option<Draft> {
    let response = name.response()?;
    Some(
        Draft::new(
            Severity::Warning,
            Owner::Monitor,
            Title::list(&format!("the service answers `{}`: ", response.status), [name.fqdn()], ""),
        )
        .about([name.fqdn()])
        .at_port(name.endpoint.port)
        .group(response.status.to_string())
        .summary(
            "the service is reached over verified TLS and reports that it fails or is busy; the path to it is in order",
        )
        .evidence(name.exchange.map(|exchange| facts.exchange_line(name, exchange)))
        .arg("status", response.status.to_string())
        .arg("request_id", response.request_id.clone().unwrap_or_default())
        .excludes("DNS, the network path and TLS: the service itself answered")
        .reaching(Reach::Own)
        .fix([Fix::look(
            "ask again",
            [remedy::local::curl!(
                facts,
                without_body r"-s -w '%{http_code}\n' --max-time 10 https://{}{}",
                Host::new(name.fqdn()),
                UrlPath::new(&name.endpoint.path)
            )],
        )]),
    )
}

#[cfg(test)]
mod tests {
    use ampls_probes::testing::{HANDLER, ODS, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared, says_http};

    #[test]
    fn fires_from_500_on() {
        for status in [500, 503, 599] {
            let found = fires_as_declared(&HTP004, &says_http(private_world(), ODS, status, "busy"));
            assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
            assert_eq!(found[0].args["status"], status.to_string());
        }
    }

    #[test]
    fn silent_below_500_and_for_isolation() {
        assert_eq!(drafts(&HTP004, &says_http(private_world(), ODS, 429, "")), []);
        assert_eq!(drafts(&HTP004, &says_http(private_world(), HANDLER, 500, "NspValidationFailedError")), []);
        assert_eq!(drafts(&HTP004, &private_world()), []);
    }
}
