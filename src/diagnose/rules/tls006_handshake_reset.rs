//! TLS006: closed after the `ClientHello`.

use ampls_probes::observation::{Outcome, TlsFailure};

use crate::diagnose::command::{ArmName, Host, Subnet, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, Route, TlsFault, route_word};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};

rule! {
    /// ## What it means
    ///
    /// TCP connects, and as soon as the name is sent in the `ClientHello` the connection is closed or reset, or refused by a TLS
    /// alert. That is how a firewall works that filters by host name: it has to let the connection begin to read the name in
    /// it. Its application rules lack the name, or it allows the public name and not what the name's chain of aliases leads
    /// to.
    ///
    /// Behind a private address it can also be a private endpoint whose connection is not approved.
    ///
    /// ## Why it matters
    ///
    /// Tests that only connect (`nc`, `Test-NetConnection`) say that all is well, while the agent reports a handshake error.
    ///
    /// ## How to fix
    ///
    /// Add the name to the application rules of the firewall on the way, without TLS inspection. For a private path let the
    /// subnet of the private endpoint bypass the firewall, or allow the name there too. For a private address check whether
    /// the connection of the private endpoint is approved.
    ///
    /// ## How to confirm
    ///
    /// `openssl s_client -connect <address>:443 -servername <name>` shows a certificate; with another `-servername` it may have
    /// done so all along.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-overview>
    /// - <https://www.rfc-editor.org/rfc/rfc8446>
    TLS006 = "handshake-reset" {
        layer: Tls,
        severity: Error,
        owner: Network,
        hops: [Service],
        claim: Fault,
        all_names: false,
        no_answer: true,
        explains: [&["TLS001", "TLS002", "TLS003", "TLS004", "TLS007"]],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let reset = facts.endpoints().iter().filter(|name| name.has_tls_fault(TlsFault::Reset));
    reset.filter_map(|name| draft(facts, name)).collect()
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Option<Draft> {
    let handshake = name.handshake?;
    let kind = match &handshake.outcome {
        Outcome::Failed(TlsFailure::Alert(_)) => "alert",
        Outcome::Failed(TlsFailure::ClosedLater(_)) => "closed-later",
        _ => "closed-after-client-hello",
    };
    let private = matches!(name.route(), Route::Private | Route::Mixed);
    let socket = handshake.address.map(|address| address.to_string());
    let connect = socket.unwrap_or_else(|| format!("{}:{}", name.fqdn(), name.endpoint.port));
    let address = handshake.address.map(|address| address.ip().to_string()).unwrap_or_default();
    let others =
        facts.endpoints().iter().filter(|other| other.handshake.is_some_and(|seen| seen.outcome.seen().is_some()));
    let others = others.count();
    let subnet = facts.instance().and_then(|instance| Subnet::new(&instance.subnets.first()?.cidr.trunc().to_string()));
    let rule = || ArmName::new(&format!("allow-{}", name.fqdn().replace('.', "-")));
    let mut draft = Draft::new(
        Severity::Error,
        Owner::Network,
        Title::list(&format!("TLS is reset as soon as the host name is visible ({}): ", route_word(name.route())), [name.fqdn()], ""),
    )
    .about([name.fqdn()])
    .at_port(name.endpoint.port)
    .group(format!("{kind} {}", route_word(name.route())))
    .summary(format!(
        "TCP connects, but the handshake is reset once the host name is sent: something on the way filters by host name; {} their handshake",
        match others { 0 => "no other name completes".to_owned(), 1 => "1 other name completes".to_owned(), _ => format!("{others} other names complete") }
    ))
    .evidence(name.connections.iter().map(|connection| facts.connection_line(connection)))
    .evidence([facts.handshake_line(name, handshake)])
    .arg("kind", kind)
    .list("address", [address.clone()])
    .excludes("a blocked port: TCP connects")
    .excludes("a certificate that is not trusted: the peer ended the handshake, not this machine")
    .reaching(Reach::Own)
    .likely()
    .fix([
        remedy::local::show_chain(facts, &connect, name.fqdn()),
        Fix::change(BlastRadius::Vnet, "allow the name in the application rules of the firewall on the way, without TLS inspection")
            .under(remedy::Right::FIREWALL)
            .with([command!(
                Any,
                "az network firewall policy rule-collection-group collection rule add --subscription FIREWALL_SUBSCRIPTION -g FIREWALL_RESOURCE_GROUP --policy-name FIREWALL_POLICY --rcg-name RULE_COLLECTION_GROUP --collection-name RULE_COLLECTION --name {} --rule-type ApplicationRule --protocols Https=443 --source-addresses {} --target-fqdns {}",
                rule(),
                subnet,
                Host::new(name.fqdn())
            )])
            .after_looking(
                "look in the firewall's log for this name and the time of this run; several policies: take that of the firewall on the route; the rule holds for every machine behind it",
                [command!(
                    Any,
                    "az graph query -q \"resources | where type =~ 'microsoft.network/firewallpolicies/rulecollectiongroups' | mv-expand c=properties.ruleCollections | where tostring(c.rules) contains 'ApplicationRule' | project FIREWALL_SUBSCRIPTION=subscriptionId, FIREWALL_RESOURCE_GROUP=resourceGroup, FIREWALL_POLICY=tostring(split(id,'/')[8]), RULE_COLLECTION_GROUP=name, RULE_COLLECTION=tostring(c.name)\" --query data"
                )],
            )
            .undone_with("", [command!(
                Any,
                "az network firewall policy rule-collection-group collection rule remove --subscription FIREWALL_SUBSCRIPTION -g FIREWALL_RESOURCE_GROUP --policy-name FIREWALL_POLICY --rcg-name RULE_COLLECTION_GROUP --collection-name RULE_COLLECTION --name {}",
                rule()
            )]),
    ]);
    if private {
        draft = draft.fix(remedy::endpoint::find_by_address(&address));
    }
    Some(draft)
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::IoFailure;
    use ampls_probes::testing::{ODS, Tls, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_for_a_close_a_reset_and_an_alert() {
        for (failure, kind) in [
            (TlsFailure::ClosedAfterClientHello(IoFailure::Reset), "closed-after-client-hello"),
            (TlsFailure::ClosedAfterClientHello(IoFailure::Closed), "closed-after-client-hello"),
            (TlsFailure::ClosedLater(IoFailure::Reset), "closed-later"),
            (TlsFailure::Alert("unrecognized_name".to_owned()), "alert"),
        ] {
            let found = fires_as_declared(&TLS006, &private_world().tls(ODS, Tls::failed(Outcome::Failed(failure))));
            assert_eq!((found.len(), found[0].args["kind"].as_str()), (1, kind));
            assert_eq!(found[0].severity, Severity::Error);
        }
    }

    #[test]
    fn silent_about_an_old_protocol_and_about_what_is_not_tls() {
        for failure in [TlsFailure::ProtocolTooOld, TlsFailure::NotTls, TlsFailure::BadSignature] {
            assert_eq!(drafts(&TLS006, &private_world().tls(ODS, Tls::failed(Outcome::Failed(failure)))), []);
        }
    }

    #[test]
    fn silent_about_a_stalled_handshake() {
        assert_eq!(drafts(&TLS006, &private_world().tls(ODS, Tls::failed(Outcome::TimedOut))), []);
    }
}
