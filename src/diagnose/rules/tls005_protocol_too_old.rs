//! TLS005: nothing at or above TLS 1.2.

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, TlsFault};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};

rule! {
    /// ## What it means
    ///
    /// The peer refuses TLS 1.2 and TLS 1.3: it answers with the alert `protocol_version`, or with an older version. Azure
    /// Monitor's own front ends accept nothing below TLS 1.2, so something else answers: an old proxy, load balancer or
    /// inspecting firewall that ends the connection on the way.
    ///
    /// What this machine itself can speak plays no part: this program brings its own TLS.
    ///
    /// ## Why it matters
    ///
    /// Agents refuse such a peer. Where an old protocol were accepted, somebody on the way could read what is sent.
    ///
    /// ## How to fix
    ///
    /// Find the device that answers at the address in the evidence. Exempt the names from it, or let it speak TLS 1.2 to
    /// both sides.
    ///
    /// ## How to confirm
    ///
    /// `openssl s_client -connect <address>:443 -servername <name> -tls1_2` completes with `Verification: OK`.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/azure-monitor-network-access>
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>
    /// - <https://www.rfc-editor.org/rfc/rfc8996>
    TLS005 = "protocol-too-old" {
        layer: Tls,
        severity: Error,
        owner: Security,
        hops: [Service],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [&["TLS001", "TLS002", "TLS003", "TLS004", "TLS006", "TLS007"]],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let old = facts.endpoints().iter().filter(|name| name.has_tls_fault(TlsFault::TooOld));
    old.filter_map(|name| draft(facts, name)).collect()
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Option<Draft> {
    let handshake = name.handshake?;
    let address = handshake.address.map(|address| address.to_string());
    let address = address.unwrap_or_else(|| format!("{}:{}", name.fqdn(), name.endpoint.port));
    Some(
        Draft::new(Severity::Error, Owner::Security, Title::list("nothing at or above TLS 1.2 is offered: ", [name.fqdn()], ""))
            .about([name.fqdn()])
            .at_port(name.endpoint.port)
            .summary("the peer refuses TLS 1.2 and 1.3, which every front end of Azure Monitor speaks: an old device on the way answers in its place")
            .evidence(name.connections.iter().map(|connection| facts.connection_line(connection)))
            .evidence([facts.handshake_line(name, handshake)])
            .list("address", [address.clone()])
            .excludes("an old operating system on this machine: this program brings its own TLS 1.2 and 1.3")
            .excludes("a certificate that is not trusted: none came")
            .reaching(Reach::Own)
            .fix([
                remedy::local::show_chain(facts, &address, name.fqdn()),
                Fix::change(BlastRadius::Vnet, "exempt the name from inspection on the device that answers, or enable TLS 1.2 there")
                    .under(remedy::Right::DEVICE)
                    .after("look in the device's log for this host name and the time of this run; the change holds for every machine behind the device")
                    .undone_by("remove the exemption"),
            ]),
    )
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{Outcome, TlsFailure};
    use ampls_probes::testing::{ODS, Tls, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_when_only_old_versions_are_offered() {
        let tls = Tls::failed(Outcome::Failed(TlsFailure::ProtocolTooOld));
        let found = fires_as_declared(&TLS005, &private_world().tls(ODS, tls));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        assert_eq!(found[0].lists["address"], ["10.0.0.6:443"]);
    }

    #[test]
    fn silent_for_other_alerts_and_for_good_handshakes() {
        let alert = Tls::failed(Outcome::Failed(TlsFailure::Alert("handshake_failure".to_owned())));
        assert_eq!(drafts(&TLS005, &private_world().tls(ODS, alert)), []);
        assert_eq!(drafts(&TLS005, &private_world()), []);
    }
}
