//! TLS008: something other than TLS answers.

use ampls_probes::observation::{Outcome, TlsFailure};

use crate::diagnose::command::Address;
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, Route, TlsFault, route_word};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};

rule! {
    /// ## What it means
    ///
    /// TCP connects, and what comes back after the `ClientHello` is not TLS, or TLS that breaks its own rules: a web server that
    /// speaks plain HTTP, a block page, another service that holds the address now. Azure Monitor always speaks TLS on 443.
    ///
    /// ## Why it matters
    ///
    /// Nothing can be sent to the service. An address of a private endpoint that was given to another machine shows like this.
    ///
    /// ## How to fix
    ///
    /// Find out who holds the address. For a private address check which private endpoint it belongs to; none means that the
    /// record remains from a former one. For a public address look at the devices on the way: one of them answers in the
    /// service's place.
    ///
    /// ## How to confirm
    ///
    /// `openssl s_client -connect <address>:443 -servername <name>` shows a certificate for the name.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-overview>
    /// - <https://www.rfc-editor.org/rfc/rfc8446>
    TLS008 = "not-tls" {
        layer: Tls,
        severity: Error,
        owner: Network,
        hops: [Service],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [&["TLS001", "TLS002", "TLS003", "TLS004", "TLS005", "TLS006", "TLS007"]],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let other = facts.endpoints().iter().filter(|name| name.has_tls_fault(TlsFault::NotTls));
    other.filter_map(|name| draft(facts, name)).collect()
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Option<Draft> {
    let handshake = name.handshake?;
    let broken = matches!(handshake.outcome, Outcome::Failed(TlsFailure::Protocol(_)));
    let private = name.tunnel.is_none() && matches!(name.route(), Route::Private | Route::Mixed);
    let ip = handshake.address.map(|address| address.ip().to_string()).unwrap_or_default();
    let address = handshake.address.map(|address| address.to_string());
    let address = address.unwrap_or_else(|| format!("{}:{}", name.fqdn(), name.endpoint.port));
    let draft = Draft::new(
        Severity::Error,
        Owner::Network,
        Title::list(&format!("something other than TLS answers ({}): ", route_word(name.route())), [name.fqdn()], ""),
    )
    .about([name.fqdn()])
    .at_port(name.endpoint.port)
    .group(route_word(name.route()))
    .summary(if broken {
        "TCP connects, but the answer violates TLS: it does not come from the service"
    } else {
        "TCP connects and the answer to the ClientHello is not TLS: another service or a block page answers at this address"
    })
    .evidence(name.connections.iter().map(|connection| facts.connection_line(connection)))
    .evidence([facts.handshake_line(name, handshake)])
    .list("address", [address])
    .arg("kind", if broken { "protocol" } else { "not-tls" })
    .excludes("a blocked port: TCP connects and bytes come back")
    .reaching(Reach::Own)
    .fix([Fix::look("check what answers without TLS", [remedy::local::curl!(
        facts,
        without_body "-sv --max-time 5 http://{}:{}/",
        Address::new(&ip),
        name.endpoint.port
    )])]);
    if private {
        return Some(draft.fix(remedy::endpoint::find_by_address(&ip)));
    }
    Some(draft.fix([
        Fix::change(BlastRadius::Vnet, "exempt the name on the device that answers in place of the service")
            .under(remedy::Right::DEVICE)
            .after("look in the device's log for this host name and the time of this run; the change holds for every machine behind it")
            .undone_by("remove the exemption"),
    ]))
}

#[cfg(test)]
mod tests {
    use ampls_probes::testing::{ODS, Tls, private_world, public_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_for_what_is_no_tls_and_for_what_breaks_it() {
        for (failure, kind) in
            [(TlsFailure::NotTls, "not-tls"), (TlsFailure::Protocol("PeerMisbehaved".to_owned()), "protocol")]
        {
            let found = fires_as_declared(&TLS008, &private_world().tls(ODS, Tls::failed(Outcome::Failed(failure))));
            assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
            assert_eq!(found[0].args["kind"], kind);
        }
    }

    #[test]
    fn fires_with_the_owner_of_the_address_to_look_for_only_when_private() {
        let fails = || Tls::failed(Outcome::Failed(TlsFailure::NotTls));
        let asks = |drafts: &[Draft]| drafts[0].fix.iter().any(|fix| fix.text.contains("private endpoint"));
        assert!(asks(&drafts(&TLS008, &private_world().tls(ODS, fails()))));
        assert!(!asks(&drafts(&TLS008, &public_world().tls(ODS, fails()))));
    }

    #[test]
    fn silent_for_tls_that_fails_otherwise() {
        let old = Tls::failed(Outcome::Failed(TlsFailure::ProtocolTooOld));
        assert_eq!(drafts(&TLS008, &private_world().tls(ODS, old)), []);
        assert_eq!(drafts(&TLS008, &private_world()), []);
    }
}
