//! HTP002: verified TLS, and not the documented answer.

use crate::diagnose::command::{Host, UrlPath};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, HttpFault};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// The certificate is verified, and yet the answer is not what the service gives: `/ping` of a handler does not say
    /// `Healthy`, a page for people comes where an interface should be, or the answer redirects to a foreign host.
    /// Refusals for missing credentials (401, 403, 404) and redirects within Microsoft's domains are what services answer.
    ///
    /// ## Why it matters
    ///
    /// Something between this machine and the service speaks in its name: a gateway with a copy of the traffic, a sign-in or
    /// block page, another site behind the same front end. Agents cannot make sense of it.
    ///
    /// ## How to fix
    ///
    /// Read the answer in the evidence: server, type, location and text usually name who wrote it. Check that the address
    /// is the one that the name should have.
    ///
    /// ## How to confirm
    ///
    /// `curl https://<handler>/ping` prints `Healthy`.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>
    /// - <https://github.com/Azure/azure-linux-extensions/tree/master/AzureMonitorAgent/ama_tst>
    HTP002 = "unexpected-answer" {
        layer: Http,
        severity: Warning,
        owner: Network,
        hops: [Service],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    facts.endpoints().iter().filter_map(|name| draft(facts, name)).collect()
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Option<Draft> {
    let (kind, what) = match name.http_fault()? {
        HttpFault::NotHealthy => ("not-healthy", "`/ping` does not say `Healthy`"),
        HttpFault::Page => ("page", "the answer is a web page"),
        HttpFault::RedirectElsewhere => ("redirect", "the answer redirects to a foreign host"),
        _ => return None,
    };
    let response = name.response()?;
    let location = response.location.as_deref().map(|to| format!(" ({})", quote(to))).unwrap_or_default();
    Some(
        Draft::new(Severity::Warning, Owner::Network, Title::list(&format!("{what}: "), [name.fqdn()], ""))
            .about([name.fqdn()])
            .at_port(name.endpoint.port)
            .group(kind)
            .summary(format!(
                "the certificate is verified, and {what}{location}: something else may answer in the service's name"
            ))
            .evidence(name.exchange.map(|exchange| facts.exchange_line(name, exchange)))
            .evidence(name.connections.iter().map(|connection| facts.connection_line(connection)))
            .arg("kind", kind)
            .arg("status", response.status.to_string())
            .excludes("a refusal by network isolation: the answer carries no such code")
            .excludes("a certificate that is not trusted: it is verified")
            .reaching(Reach::Own)
            .likely()
            .fix([Fix::look(
                "send the request yourself and read who answers",
                [remedy::local::curl!(
                    facts,
                    "-sv --max-time 10 https://{}{}",
                    Host::new(name.fqdn()),
                    UrlPath::new(&name.endpoint.path)
                )],
            )]),
    )
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::Outcome;
    use ampls_probes::testing::{HANDLER, METRICS, ODS, Says, Scene, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared, says_http};

    fn kinds(scene: Scene, name: &str, status: u16, body: &str) -> Vec<String> {
        let found = drafts(&HTP002, &says_http(scene, name, status, body));
        found.iter().map(|draft| draft.args["kind"].clone()).collect()
    }

    #[test]
    fn fires_when_a_handler_is_not_healthy() {
        for (status, body) in [(200, "OK"), (200, "<html>sign in</html>"), (403, "blocked by policy"), (302, "")] {
            assert_eq!(kinds(private_world(), HANDLER, status, body), ["not-healthy"], "{status} {body}");
        }
    }

    #[test]
    fn fires_for_a_page_where_an_interface_should_be() {
        let page = "<!DOCTYPE html><title>Sign in</title>";
        let found = fires_as_declared(&HTP002, &says_http(private_world(), ODS, 200, page));
        assert_eq!((found.len(), found[0].args["kind"].as_str()), (1, "page"));
    }

    #[test]
    fn fires_for_a_redirect_to_somebody_else() {
        let seen = says_http(private_world(), ODS, 302, "").observations();
        let mut response = seen
            .seen
            .iter()
            .find_map(|seen| match seen {
                ampls_probes::Observation::Exchange(exchange) if exchange.endpoint == ODS => {
                    exchange.outcome.seen().cloned()
                }
                _ => None,
            })
            .expect("an answer");
        for (location, fires) in
            [("https://block.corp.example/", true), ("https://www.office.com/login", false), ("/x", false)]
        {
            response.location = Some(location.to_owned());
            let found = drafts(&HTP002, &private_world().http(ODS, Outcome::Seen(response.clone())));
            assert_eq!(found.len() == 1, fires, "{location}");
        }
    }

    #[test]
    fn silent_for_an_answer_that_names_the_associated_endpoint() {
        let body = r#"{"error":{"code":"MisdirectedAgentRequest","message":"Agent configuration needs to be acquired from 'https://a-b1.westeurope-1.handler.control.monitor.azure.com' endpoint"}}"#;
        assert_eq!(drafts(&HTP002, &says_http(private_world(), HANDLER, 421, body)), []);
        assert_eq!(drafts(&HTP002, &says_http(private_world(), HANDLER, 421, "")).len(), 1);
    }

    #[test]
    fn silent_for_refusals_without_credentials() {
        for status in [401, 403, 404] {
            assert!(kinds(private_world(), HANDLER, status, "").is_empty());
            assert!(kinds(private_world(), ODS, status, "<html>403 - Forbidden</html>").is_empty());
        }
        assert!(kinds(private_world(), HANDLER, 200, "Healthy\n").is_empty());
    }

    #[test]
    fn silent_where_another_rule_speaks_and_where_pages_belong() {
        assert!(kinds(private_world(), HANDLER, 403, r#"{"code":"InvalidAccess"}"#).is_empty());
        assert!(kinds(private_world(), HANDLER, 503, "").is_empty());
        let public = private_world().name(METRICS, ampls_probes::endpoint::Need::Optional);
        assert!(kinds(public.everywhere(METRICS, &Says::Public("20.1.1.1")), METRICS, 200, "<html>").is_empty());
    }
}
