//! NET002: something answers, and refuses.

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{ConnectFault, EndpointFacts, Facts, Route, route_word};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};
use crate::text::quote;

use super::net001_connect_timeout::NORMAL;

rule! {
    /// ## What it means
    ///
    /// No address of the name could be connected to, and at least one attempt was refused or reset at once. The packets reach
    /// something that speaks for the address: a host where nobody listens on the port, or a firewall that rejects instead of
    /// dropping.
    ///
    /// A private endpoint of Azure Monitor always listens on 443. For a private address the record therefore points to another
    /// host (a stale record whose address was given to somebody else, a test server), or a firewall or network appliance on
    /// the way rejects. For a public address it is a firewall.
    ///
    /// ## Why it matters
    ///
    /// The agent fails at once and tries again; nothing is delivered.
    ///
    /// ## How to fix
    ///
    /// Find out who holds the address. If it is not a network interface of the AMPLS private endpoint, correct the record. If it
    /// is, look for the firewall on the route that leads there, and let TCP 443 pass.
    ///
    /// ## How to confirm
    ///
    /// `nc -vz <address> 443` (Linux) or `Test-NetConnection <address> -Port 443` (Windows) connects.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-overview>
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>
    /// - <https://www.rfc-editor.org/rfc/rfc9293>
    NET002 = "connect-refused" {
        layer: Tcp,
        severity: Error,
        owner: Network,
        hops: [Service],
        claim: Fault,
        all_names: false,
        no_answer: true,
        explains: [],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let refused = facts.endpoints().iter().filter(|name| name.connect_fault() == Some(ConnectFault::Refused));
    refused.map(|name| draft(facts, name)).collect()
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Draft {
    let port = name.endpoint.port;
    let private = matches!(name.route(), Route::Private | Route::Mixed);
    let normal = facts.rightly_blocked(name);
    let address = name.addresses().first().map(ToString::to_string).unwrap_or_default();
    let draft = Draft::new(
        Severity::Error,
        Owner::Network,
        Title::list(&format!("refused on TCP {port} ({}): ", route_word(name.route())), [name.fqdn()], ""),
    )
    .about([name.fqdn()])
    .at_port(name.endpoint.port)
    .group(format!("{} {port}", route_word(name.route())))
    .summary(if normal {
        NORMAL
    } else if private {
        "the connection is refused: the record points to a host that is not the private endpoint, or a firewall on the way rejects it"
    } else {
        "the connection is refused: a firewall on the way rejects it"
    })
    .evidence(name.connections.iter().map(|connection| facts.connection_line(connection)))
    .arg("port", port.to_string())
    .list("address", [address.clone()])
    .excludes("packets that are dropped on the way: an answer came back")
    .reaching(Reach::Nothing);
    if private {
        let endpoint = remedy::endpoint::find_by_address(&address);
        return draft.fix(endpoint).fix(remedy::machine::effective_route(facts, &address));
    }
    if normal {
        return draft;
    }
    draft.fix(remedy::machine::effective_route(facts, &address)).fix([let_pass(name)])
}

/// A network security group never refuses: a rule in one would not help.
fn let_pass(name: &EndpointFacts<'_>) -> Fix {
    let port = name.endpoint.port;
    Fix::change(
        BlastRadius::Vnet,
        format!("allow TCP {port} to {} on the firewall that refuses it", quote(name.fqdn())),
    )
    .under(remedy::Right::DEVICE)
    .after("the rule applies to every machine behind that firewall: ask why the block was set")
    .undone_by("remove the rule again")
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{IoFailure, Outcome};
    use ampls_probes::testing::{ODS, open, private_world, public_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_for_refused_and_for_reset() {
        for failure in [IoFailure::Refused, IoFailure::Reset] {
            let found = fires_as_declared(&NET002, &private_world().connects(ODS, &Outcome::Failed(failure)));
            assert_eq!((found.len(), found[0].severity), (1, Severity::Error), "{failure:?}");
            assert_eq!(found[0].endpoints, [ODS]);
        }
    }

    #[test]
    fn fires_without_blaming_a_group_that_never_refuses() {
        for scene in [private_world(), public_world()] {
            let found = drafts(&NET002, &scene.connects(ODS, &Outcome::Failed(IoFailure::Refused)));
            let fixes = format!("{:?}", found[0].fix);
            assert!(!fixes.contains("nsg") && fixes.contains("show-effective-route-table"), "{fixes}");
        }
    }

    #[test]
    fn fires_when_one_address_refuses_and_the_rest_is_silent() {
        let scene = private_world().connects(ODS, &Outcome::TimedOut).attempt(
            ODS,
            "10.0.0.99",
            &Outcome::Failed(IoFailure::Refused),
        );
        assert_eq!(drafts(&NET002, &scene).len(), 1);
    }

    #[test]
    fn silent_when_another_address_connects() {
        let scene = private_world().attempt(ODS, "10.0.0.6", &open()).attempt(
            ODS,
            "10.0.0.99",
            &Outcome::Failed(IoFailure::Refused),
        );
        assert_eq!(drafts(&NET002, &scene), []);
    }

    #[test]
    fn silent_about_silence() {
        assert_eq!(drafts(&NET002, &private_world().connects(ODS, &Outcome::TimedOut)), []);
    }
}
