//! NET005: no public address of any service answers.

use std::collections::BTreeSet;

use ampls_probes::endpoint::Expectation;

use crate::diagnose::draft::{Draft, Title};
use crate::diagnose::facts::{ConnectFault, EndpointFacts, Facts, Path, Route, View, ViewKind};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::remedy;
use crate::diagnose::rule::{NOT_DELIVERED, rule};

rule! {
    /// ## What it means
    ///
    /// The public addresses of different services all time out, none refuses, and Azure's DNS answers. Two causes look like this
    /// from the machine: a subnet without outbound access, or a firewall that drops everything. Subnets of new virtual networks
    /// are private by default since April 2026: without a NAT gateway, a public address, an outbound rule of a load balancer
    /// or a route to a firewall nothing leads to the internet, while Azure's DNS and private endpoints keep working.
    ///
    /// ## Why it matters
    ///
    /// Opening a security group changes nothing in such a subnet. It is information where nothing that is required leads there: a
    /// network that is closed on purpose blocks such names rightly.
    ///
    /// ## How to fix
    ///
    /// Look at the route table first: with a default route to a firewall, that firewall decides. Else look at the subnet. Then
    /// give it a NAT gateway or a route to a firewall, or use a private link for what can be private. Names that never can be
    /// (Entra, Resource Manager, `<region>.monitoring`) need outbound access in any case.
    ///
    /// ## How to confirm
    ///
    /// `ampls-doctor` connects to the public names, or their names are private.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/virtual-network/ip-services/default-outbound-access>
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>
    NET005 = "no-outbound-access" {
        layer: Tcp,
        severity: Error,
        owner: Network,
        hops: [Service],
        claim: Fault,
        all_names: true,
        no_answer: true,
        explains: [&["NET001"], NOT_DELIVERED],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    draft(facts).into_iter().collect()
}

fn draft(facts: &Facts<'_>) -> Option<Draft> {
    let tried = |name: &&EndpointFacts<'_>| {
        name.route() == Route::Public
            && name.connections.iter().all(|connection| connection.via.is_none())
            && matches!(name.tcp(), Path::Passed | Path::Failed)
    };
    let public: Vec<&EndpointFacts<'_>> = facts.endpoints().iter().filter(tried).collect();
    let silent = |name: &&EndpointFacts<'_>| name.connect_fault() == Some(ConnectFault::Silent);
    if public.is_empty() || !public.iter().all(silent) || !azure_dns_answers(facts) {
        return None;
    }
    let services: BTreeSet<&str> = public.iter().map(|name| service(name.fqdn())).collect();
    if services.len() < 2 {
        return None;
    }
    // A name that should be private is public by another fault, which also explains its silence.
    let astray = |name: &&&EndpointFacts<'_>| {
        let private = name.views.iter().any(View::is_private);
        let meant = private || facts.shows_private_link() || facts.some_record_is_private();
        name.endpoint.expected == Expectation::Private && meant
    };
    let own: Vec<&EndpointFacts<'_>> = public.iter().filter(|name| !astray(name)).copied().collect();
    own.first()?;
    // What nothing depends on a locked-down network blocks rightly.
    let needed = own.iter().any(|name| name.required());
    let lines = own.iter().take(3).flat_map(|name| name.connections.iter().take(1));
    Some(
        Draft::new(
            if needed { Severity::Error } else { Severity::Info },
            Owner::Network,
            Title::list("no public address answers: ", own.iter().map(|name| name.fqdn()), ""),
        )
        .about(own.iter().map(|name| name.fqdn()))
        .summary("this subnet has no outbound access, or a firewall drops the traffic; the machine cannot tell which")
        .evidence(lines.map(|connection| facts.connection_line(connection)))
        .excludes("a service that is down: several services are silent")
        .likely()
        .fix([
            Fix::look(
                "look at the route table first, then at the subnet: with a default route to a firewall the subnet's setting does not matter",
                remedy::machine::way_out(facts),
            ),
        ]),
    )
}

/// The domain that a service's names share.
fn service(fqdn: &str) -> &str {
    let mut dots = fqdn.rmatch_indices('.').map(|(at, _)| at);
    dots.nth(2).and_then(|at| fqdn.get(at + 1..)).unwrap_or(fqdn)
}

fn azure_dns_answers(facts: &Facts<'_>) -> bool {
    facts.endpoints().iter().flat_map(|name| &name.views).any(|view| view.view == ViewKind::Azure && view.answered())
}

#[cfg(test)]
mod tests {
    use ampls_probes::endpoint::Need;
    use ampls_probes::observation::{IoFailure, Outcome};
    use ampls_probes::testing::{AZURE, HANDLER, ODS, Says, Scene, public_world};

    use super::*;
    use crate::diagnose::diagnose;
    use crate::diagnose::finding::Certainty;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn all_silent() -> Scene {
        let names: Vec<String> = public_world().observations().endpoints.iter().map(|name| name.fqdn.clone()).collect();
        names.iter().fold(public_world(), |scene, name| scene.connects(name, &Outcome::TimedOut))
    }

    #[test]
    fn fires_as_likely_when_every_service_is_silent() {
        let found = fires_as_declared(&NET005, &all_silent());
        assert_eq!((found.len(), found[0].certainty), (1, Certainty::Likely));
        assert!(found[0].fix[0].lines().contains("defaultOutboundAccess"));
    }

    #[test]
    fn fires_and_explains_the_silence_of_each_name() {
        let found = diagnose(&all_silent().observations());
        let silent = found.iter().filter(|seen| seen.code == "NET001");
        assert!(
            silent.clone().count() > 0 && silent.into_iter().all(|seen| seen.caused_by.as_deref() == Some("NET005"))
        );
    }

    #[test]
    fn silent_as_soon_as_one_name_answers_or_refuses() {
        assert_eq!(drafts(&NET005, &public_world()), []);
        assert_eq!(drafts(&NET005, &public_world().connects(HANDLER, &Outcome::TimedOut)), []);
        let refused = all_silent().connects(ODS, &Outcome::Failed(IoFailure::Refused));
        assert_eq!(drafts(&NET005, &refused), []);
    }

    #[test]
    fn fires_as_information_where_only_optional_names_are_blocked() {
        let scene = all_silent().edit(|seen| {
            for name in &mut seen.endpoints {
                (name.need, name.expected) = (Need::Optional, Expectation::Public);
            }
        });
        let found = drafts(&NET005, &scene);
        assert_eq!(found.iter().map(|draft| draft.severity).collect::<Vec<_>>(), [Severity::Info]);
        assert!(diagnose(&scene.observations()).iter().all(|seen| seen.severity <= Severity::Info));
    }

    #[test]
    fn silent_of_names_that_are_public_by_another_fault() {
        let names: Vec<String> = all_silent().observations().endpoints.into_iter().map(|name| name.fqdn).collect();
        let private_at_azure =
            names.iter().fold(all_silent(), |scene, name| scene.says(AZURE, name, &Says::Private("10.0.0.5")));
        assert_eq!(drafts(&NET005, &private_at_azure), []);
        let found = diagnose(&private_at_azure.observations());
        let roots: Vec<&str> = found
            .iter()
            .filter(|it| it.caused_by.is_none() && it.severity > Severity::Info)
            .map(|it| &*it.code)
            .collect();
        assert_eq!(roots, ["DNS002"]);
    }

    #[test]
    fn service_is_the_domain_of_its_names() {
        assert_eq!(service("w.ods.opinsights.azure.com"), "opinsights.azure.com");
        assert_eq!(service("global.handler.control.monitor.azure.com"), "monitor.azure.com");
        assert_eq!(service("a.b"), "a.b");
    }
}
