//! HTP003: a data collection endpoint has to be used.

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{Dialogue, EndpointFacts, Facts, HttpFault};
use crate::diagnose::finding::{Owner, Severity};
use crate::diagnose::remedy;
use crate::diagnose::rule::{NOT_DELIVERED, rule};

rule! {
    /// ## What it means
    ///
    /// The control service of Azure Monitor Agent answers `InvalidAccess`: *Data collection endpoint must be used to access
    /// configuration over private link.* The shared handler is reached over a private link, and this machine has no data
    /// collection endpoint of that scope to fetch its configuration from.
    ///
    /// It also happens to machines that have nothing to do with the private link and only share its DNS.
    ///
    /// ## Why it matters
    ///
    /// The agent gets no configuration, so it collects nothing, although every name resolves and every port is open.
    ///
    /// ## How to fix
    ///
    /// Associate the machine with a data collection endpoint of its own region under the name
    /// `configurationAccessEndpoint`, and add that endpoint to the scope. A machine that should not use the private link
    /// needs DNS of its own instead.
    ///
    /// The command creates or updates: it replaces an association of that name.
    ///
    /// ## How to confirm
    ///
    /// The agent's log says `MCS redirected to endpoint https://<dce>…handler.control…`.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-vm>
    /// - <https://learn.microsoft.com/azure/azure-monitor/data-collection/data-collection-endpoint-overview>
    HTP003 = "endpoint-association-required" {
        layer: Http,
        severity: Error,
        owner: Monitor,
        hops: [Service],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [NOT_DELIVERED],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let required = facts.endpoints().iter().filter(|name| name.http_fault() == Some(HttpFault::EndpointRequired));
    let mut drafts: Vec<Draft> = required.map(|name| draft(facts, name)).collect();
    // What the service says to the machine's own identity is the same refusal, in its own words.
    if let Some(dialogue) = facts.dialogue().filter(Dialogue::lacks_endpoint)
        && let Some(name) = facts.endpoint(&dialogue.last.host)
    {
        drafts.retain(|draft| !draft.endpoints.iter().any(|known| known == name.fqdn()));
        drafts.push(draft(facts, name).evidence([facts.control_line(dialogue.last)]));
    }
    drafts
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Draft {
    Draft::new(
        Severity::Error,
        Owner::Monitor,
        Title::list("a data collection endpoint is required: ", [name.fqdn()], ""),
    )
    .about([name.fqdn()])
    .at_port(name.endpoint.port)
    .summary("the control service refuses with `InvalidAccess`: over a private link an agent has to fetch its configuration from a data collection endpoint of that scope, and this machine has none")
    .evidence(name.connections.iter().map(|connection| facts.connection_line(connection)))
    .evidence(name.exchange.map(|exchange| facts.exchange_line(name, exchange)))
    .excludes("DNS, the network path and TLS: the control service itself answered")
    .reaching(Reach::Own)
    .fix(remedy::machine::associate_endpoint(facts))
}

#[cfg(test)]
mod tests {
    use ampls_probes::endpoint::Need;
    use ampls_probes::observation::{ControlQuestion, ControlReply};
    use ampls_probes::testing::{DCE, HANDLER, ODS, Says, Scene, asked, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared, says_http};

    const BODY: &str = r#"{"error":{"code":"InvalidAccess","message":"Data collection endpoint must be used to access configuration over private link."}}"#;

    #[test]
    fn fires_for_the_refusal_of_the_control_service() {
        let found = fires_as_declared(&HTP003, &says_http(private_world(), HANDLER, 403, BODY));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        assert!(found[0].fix.iter().any(|fix| fix.lines().contains("configurationAccessEndpoint")));
    }

    #[test]
    fn fires_once_for_a_host_that_refuses_this_machine_too() {
        let code = Some("InvalidAccess".to_owned());
        let request = asked(ControlQuestion::Rules, ControlReply { status: 403, code, ..ControlReply::default() });
        let asked = |scene: Scene| scene.control(vec![request.clone()]);
        let lines = |scene: Scene| -> Vec<(String, usize)> {
            let found = drafts(&HTP003, &scene);
            let dialogue =
                |draft: &Draft| draft.evidence.iter().filter(|line| line.contains(&request.request_id)).count();
            found.iter().map(|draft| (draft.endpoints[0].clone(), dialogue(draft))).collect()
        };
        let of_handler = [(HANDLER.to_owned(), 1)];
        assert_eq!(lines(asked(private_world())), of_handler);
        assert_eq!(lines(asked(says_http(private_world(), HANDLER, 403, BODY))), of_handler);
        let own = private_world().name(DCE, Need::Required).everywhere(DCE, &Says::Private("10.0.0.5"));
        let both = asked(says_http(own, DCE, 403, BODY));
        assert_eq!(lines(both), [(DCE.to_owned(), 0), (HANDLER.to_owned(), 1)]);
    }

    #[test]
    fn silent_for_other_refusals() {
        assert_eq!(drafts(&HTP003, &says_http(private_world(), ODS, 403, "")), []);
        assert_eq!(drafts(&HTP003, &says_http(private_world(), HANDLER, 401, "InvalidAccessToken")), []);
        assert_eq!(drafts(&HTP003, &private_world()), []);
    }
}
