//! AGT005: the Azure Monitor Agent has its configuration from the global or a regional handler although the global one is private.

use ampls_probes::azure::AgentKind;

use crate::diagnose::draft::{Draft, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, View, agent_line};
use crate::diagnose::finding::{Owner, Severity};
use crate::diagnose::remedy;
use crate::diagnose::rule::{NOT_DELIVERED, rule};
use crate::text::list;

rule! {
    /// ## What it means
    ///
    /// The control service's global name is private here, so this machine stands behind a private link. The data collection
    /// rules that the Azure Monitor Agent has cached came from the global or a regional handler, not from a data collection
    /// endpoint. It is a warning when the agent has no cached configuration at all: it may not have got any for this reason.
    ///
    /// ## Why it matters
    ///
    /// Over a private link the control service gives configuration only through a data collection endpoint of the scope and
    /// answers anything else with 403 `InvalidAccess`. The agent goes on with old rules until they expire, and then stops.
    ///
    /// ## How to fix
    ///
    /// Associate the machine with a data collection endpoint in its own region, under the name
    /// `configurationAccessEndpoint`, and add that endpoint to the scope.
    ///
    /// ## How to confirm
    ///
    /// The agent's cached rules name `<endpoint>.<region>-1.handler.control.monitor.azure.com` some minutes later.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-vm>
    /// - <https://learn.microsoft.com/azure/azure-monitor/data-collection/data-collection-endpoint-overview>
    AGT005 = "rule-without-endpoint" {
        layer: Agent,
        severity: Error,
        owner: Monitor,
        hops: [],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [NOT_DELIVERED],
    }
}

/// The control service's global name, in every cloud.
const GLOBAL: &str = "global.handler.control.";

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    draft(facts).into_iter().collect()
}

fn draft(facts: &Facts<'_>) -> Option<Draft> {
    let agent = facts.agent(AgentKind::Ama)?;
    let cached = agent.cached.as_ref()?;
    let handler = facts.endpoints().iter().find(|name| name.fqdn().starts_with(GLOBAL))?;
    if !private_here(handler) || !cached.endpoint_handlers.is_empty() {
        return None;
    }
    let (severity, title, evidence) = if cached.chunks == 0 {
        if facts.agents_hidden() || facts.is_refused_rules() {
            return None;
        }
        (Severity::Warning, Title::plain("the Azure Monitor Agent has no cached configuration"), None)
    } else {
        if cached.shared_handlers.is_empty() {
            return None;
        }
        (
            Severity::Error,
            Title::plain(
                "the Azure Monitor Agent uses no data collection endpoint although it is behind a private link",
            ),
            Some(format!("its cached rules came from {}", list(&cached.shared_handlers, 3))),
        )
    };
    let view = handler.system().map(|view| facts.view_line(handler, view));
    let draft = Draft::new(severity, Owner::Monitor, title)
        .about([handler.fqdn()])
        .summary("over a private link the control service gives configuration only through a data collection endpoint that the machine is associated with")
        .evidence([agent_line(agent)])
        .evidence(evidence)
        .evidence(view)
        .as_stated()
        .fix(remedy::machine::associate_endpoint(facts));
    Some(if severity == Severity::Warning { draft.likely() } else { draft })
}

fn private_here(name: &EndpointFacts<'_>) -> bool {
    name.system().is_some_and(View::is_private) || name.server_views().any(View::is_private)
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{Agent, CachedConfiguration, TokenFailure};
    use ampls_probes::testing::{HANDLER, Scene, agent, private_world, public_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn ama(chunks: u32, shared: &[&str], of_endpoint: &[&str]) -> Agent {
        let owned = |hosts: &[&str]| hosts.iter().map(|host| (*host).to_owned()).collect();
        let cached = CachedConfiguration {
            chunks,
            shared_handlers: owned(shared),
            endpoint_handlers: owned(of_endpoint),
            unknown_protocols: Vec::new(),
        };
        Agent { cached: Some(cached), ..agent(AgentKind::Ama, "1.33.1") }
    }

    const REGIONAL: &str = "westeurope.handler.control.monitor.azure.com";
    const OF_ENDPOINT: &str = "a-b1.westeurope-1.handler.control.monitor.azure.com";

    #[test]
    fn fires_for_the_global_and_a_regional_handler_behind_a_private_link() {
        let global = drafts(&AGT005, &private_world().agents([ama(1, &[HANDLER], &[])]));
        assert_eq!((global.len(), global[0].severity), (1, Severity::Error));
        assert!(global[0].evidence.iter().any(|line| line.contains(HANDLER)), "{:?}", global[0].evidence);
        let found = fires_as_declared(&AGT005, &private_world().agents([ama(1, &[REGIONAL], &[])]));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        assert!(found[0].fix.iter().any(|fix| fix.lines().contains("association create")));
    }

    #[test]
    fn an_empty_cache_is_no_fault_of_its_own_where_no_rules_are_given_anyway() {
        let without = |scene: Scene| drafts(&AGT005, &scene.no_token(TokenFailure::NoIdentity)).len();
        assert_eq!(without(private_world().agents([ama(0, &[], &[])])), 0);
        assert_eq!(without(private_world().agents([ama(1, &[HANDLER], &[])])), 1, "old rules show it all the same");
    }

    #[test]
    fn fires_as_warning_without_any_configuration() {
        let found = drafts(&AGT005, &private_world().agents([ama(0, &[], &[])]));
        assert_eq!(found[0].severity, Severity::Warning);
    }

    #[test]
    fn silent_with_an_endpoint_and_without_a_private_link() {
        assert_eq!(drafts(&AGT005, &private_world().agents([ama(1, &[REGIONAL], &[OF_ENDPOINT])])), []);
        assert_eq!(drafts(&AGT005, &public_world().agents([ama(1, &[REGIONAL], &[])])), []);
        assert_eq!(drafts(&AGT005, &private_world().agents([ama(1, &[], &[])])), []);
        assert_eq!(drafts(&AGT005, &private_world()), []);
    }
}
