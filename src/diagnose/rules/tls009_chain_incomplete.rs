//! TLS009: the intermediate certificates are missing.

use ampls_probes::observation::Verification;

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, TlsFault, certificate_line};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// The peer sent only its own certificate and none of those between it and a root. The certificate says where its issuer's
    /// certificate is to be fetched, which this program does not do, so nobody can tell from here where the chain leads: to
    /// Azure's issuers, or to somebody who inspects.
    ///
    /// On Windows it is information, because the system fetches what is missing; an error where it was asked and could not.
    ///
    /// ## Why it matters
    ///
    /// Agents on Linux do not fetch intermediates either: they refuse the connection. Azure's own front ends send the whole
    /// chain, so something on the way is likely to answer in their place.
    ///
    /// ## How to fix
    ///
    /// Fetch the issuer's certificate from the address that the certificate names, and check who that is. An issuer of Microsoft
    /// or `DigiCert` under a public root points to a device on the way that strips the chain; any other to inspection: exempt
    /// the name there.
    ///
    /// ## How to confirm
    ///
    /// `openssl s_client -connect <address>:443 -servername <name> -showcerts` shows more than one certificate and prints
    /// `Verification: OK`.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/security/fundamentals/azure-certificate-authority-details>
    /// - <https://www.rfc-editor.org/rfc/rfc5280>
    TLS009 = "chain-incomplete" {
        layer: Tls,
        severity: Error,
        owner: Security,
        hops: [Service],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let incomplete = facts.endpoints().iter().filter(|name| name.has_tls_fault(TlsFault::Incomplete));
    incomplete.map(|name| draft(facts, name)).collect()
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Draft {
    let issuer = name.leaf().map(|leaf| leaf.issuer.clone()).unwrap_or_default();
    let address = name.handshake.and_then(|handshake| handshake.address).map(|address| address.to_string());
    let address = address.unwrap_or_else(|| format!("{}:{}", name.fqdn(), name.endpoint.port));
    let verification = name.handshake.and_then(|handshake| handshake.verification.as_ref());
    let refused = verification.is_some_and(Verification::is_refused);
    let severity = if facts.fetches_roots() && !refused { Severity::Info } else { Severity::Error };
    Draft::new(
        severity,
        Owner::Security,
        Title::list(&format!("the chain stops at the issuer {}, which was not sent: ", quote(&issuer)), [name.fqdn()], ""),
    )
    .about([name.fqdn()])
    .at_port(name.endpoint.port)
    .group(issuer.clone())
    .summary("the server sent only its own certificate, and neither this machine nor the public roots know the issuer: where the chain ends is not visible from here")
    .evidence(name.handshake.map(|handshake| facts.handshake_line(name, handshake)))
    .evidence(name.leaf().map(certificate_line))
    .list("issuer", [issuer])
    .likely()
    .reaching(Reach::Nothing)
    .fix([
        remedy::local::show_chain(facts, &address, name.fqdn()),
        Fix::look(
            "check where the certificate says its issuer can be downloaded",
            [remedy::local::issuer_place(facts, &address, name.fqdn())],
        ),
    ])
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::SystemVerdict;
    use ampls_probes::testing::{ODS, Tls, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn lone_leaf(trusted: bool) -> Tls {
        let mut tls = Tls::intercepted(ODS, "CN=Some CA", trusted);
        tls.chain.truncate(1);
        tls.chain[0].names_issuer_url = true;
        tls
    }

    #[test]
    fn fires_for_a_lone_leaf_that_names_its_issuers_address() {
        let found = fires_as_declared(&TLS009, &private_world().tls(ODS, lone_leaf(false)));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    }

    #[test]
    fn fires_as_information_on_windows() {
        let found = drafts(&TLS009, &private_world().windows().tls(ODS, lone_leaf(false)));
        assert_eq!(found[0].severity, Severity::Info);
        let refused = |seen: &mut Verification| {
            (seen.fetches, seen.system) = (true, Some(SystemVerdict::UnknownIssuer));
        };
        let found = drafts(&TLS009, &private_world().windows().tls(ODS, lone_leaf(false).verdict(refused)));
        assert_eq!(found[0].severity, Severity::Error, "Windows was asked and could not fetch it");
    }

    #[test]
    fn silent_when_the_machine_trusts_it_or_the_leaf_is_its_own_issuer() {
        assert_eq!(drafts(&TLS009, &private_world().tls(ODS, lone_leaf(true))), []);
        let mut own = lone_leaf(false);
        own.chain[0].self_issued = true;
        assert_eq!(drafts(&TLS009, &private_world().tls(ODS, own)), []);
        assert_eq!(drafts(&TLS009, &private_world()), []);
    }
}
