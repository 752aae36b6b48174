//! TLS001: somebody else's certificate.

use ampls_probes::endpoint::Group;
use ampls_probes::observation::Verification;

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, TlsFault, certificate_line};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// The certificate that answers for the name leads neither to the public roots that this program knows nor to one that
    /// Azure lists. Something on the way opens the encrypted connection and encrypts it again: a firewall or proxy with TLS
    /// inspection, or a security agent on this machine. A root that Azure lists and that the public stores have dropped is a
    /// warning: nobody intercepts. It makes no difference whether this machine trusts that issuer; companies install
    /// the inspection's root on their machines. The issuer is named; what it calls its organisation proves nothing.
    ///
    /// The chain is judged at a moment inside the certificate's validity, so that a foreign certificate that has also expired
    /// is reported here. A peer that only left its intermediate certificates out is not.
    ///
    /// Names outside the agents' group are a warning: some applications cope with inspection, Azure Monitor Agent does not.
    ///
    /// ## Why it matters
    ///
    /// Microsoft requires that HTTPS inspection is off for the agents' endpoints. The agents log `Error in SSL handshake` and
    /// deliver nothing, or their client certificates no longer reach the service.
    ///
    /// ## How to fix
    ///
    /// Exempt the names from inspection on the device that inspects, by host name. Exempt them on the path to the private
    /// endpoint too. Do not install the issuer's root to make the error go away: the agent's own authentication still breaks.
    /// In an air-gapped cloud with roots of its own, name them with `--public-roots`.
    ///
    /// ## How to confirm
    ///
    /// `openssl s_client -connect <address>:443 -servername <name>` shows an issuer of Microsoft or `DigiCert` with
    /// `Verification: OK`.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>
    /// - <https://learn.microsoft.com/azure/security/fundamentals/azure-certificate-authority-details>
    /// - <https://github.com/Azure/azure-linux-extensions/issues/1950>
    TLS001 = "intercepted" {
        layer: Tls,
        severity: Error,
        owner: Security,
        hops: [Service],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [&["TLS002", "TLS003", "TLS004", "TLS009", "HTP002", "HTP004", "HTP005"]],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let foreign = facts.endpoints().iter().filter(|name| name.has_tls_fault(TlsFault::Intercepted));
    foreign.map(|name| draft(facts, name)).collect()
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Draft {
    let issuer = name.leaf().map(|leaf| leaf.issuer.clone()).unwrap_or_default();
    let verification = name.handshake.and_then(|handshake| handshake.verification.as_ref());
    let trusted = verification.is_some_and(Verification::is_trusted);
    let severity = if name.endpoint.group == Group::Agent { Severity::Error } else { Severity::Warning };
    let address = name.handshake.and_then(|handshake| handshake.address).map(|address| address.to_string());
    let address = address.unwrap_or_else(|| format!("{}:{}", name.fqdn(), name.endpoint.port));
    if let Some(root) = name.old_azure_root() {
        return old_root(facts, name, &root);
    }
    let roots =
        if facts.observations().asked.public_roots_given { "the given public roots" } else { "the public roots" };
    Draft::new(
        severity,
        Owner::Security,
        Title::list(&format!("TLS is intercepted (issuer {}): ", quote(&issuer)), [name.fqdn()], ""),
    )
    .about([name.fqdn()])
    .at_port(name.endpoint.port)
    .group(format!("{trusted} {issuer}"))
    .summary(format!(
        "the certificate's chain does not end at {roots}, so it is not Azure's: something on the way inspects the connection; this machine {} the issuer",
        if trusted { "trusts" } else { "does not trust" }
    ))
    .evidence(name.handshake.map(|handshake| facts.handshake_line(name, handshake)))
    .evidence(name.handshake.iter().flat_map(|handshake| handshake.chain.iter().take(3)).map(certificate_line))
    .list("issuer", [issuer])
    .arg("trusted_by_machine", if trusted { "yes" } else { "no" })
    .excludes("missing intermediate certificates: those alone are not reported here")
    .excludes("an expired certificate as the cause: the chain is judged inside the certificate's validity")
    .reaching(Reach::Own)
    .fix([
        remedy::local::show_chain(facts, &address, name.fqdn()),
        Fix::change(BlastRadius::Vnet, format!("exempt the name from TLS inspection on the device that signs as {}", quote(&name.leaf().map(|leaf| leaf.issuer.clone()).unwrap_or_default())))
            .under(remedy::Right::DEVICE)
            .after("search the device's log for this host name and the time of this run; the exemption applies to every machine behind the device")
            .undone_by("remove the exemption"),
    ])
}

/// Azure names this root, so nobody is accused.
fn old_root(facts: &Facts<'_>, name: &EndpointFacts<'_>, root: &str) -> Draft {
    Draft::new(
        Severity::Warning,
        Owner::Security,
        Title::list(&format!("an old public root ({}): ", quote(root)), [name.fqdn()], ""),
    )
    .about([name.fqdn()])
    .at_port(name.endpoint.port)
    .group(format!("old {root}"))
    .summary("the chain ends at a root that Azure lists and the public stores no longer hold; this machine trusts it")
    .evidence(name.handshake.map(|handshake| facts.handshake_line(name, handshake)))
    .list("issuer", [root])
    .arg("trusted_by_machine", "yes")
    .likely()
    .reaching(Reach::Nothing)
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{ChainVerdict, Validity};
    use ampls_probes::testing::{HANDLER, ODS, Tls, private_world};

    use super::*;
    use crate::diagnose::diagnose;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    const ISSUER: &str = "CN=Inspection CA,O=Microsoft Corporation";

    #[test]
    fn fires_whether_the_machine_trusts_the_issuer_or_not() {
        for trusted in [true, false] {
            let found = fires_as_declared(&TLS001, &private_world().tls(ODS, Tls::intercepted(ODS, ISSUER, trusted)));
            assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
            assert_eq!(found[0].lists["issuer"], [ISSUER]);
        }
    }

    #[test]
    fn fires_for_a_foreign_chain_that_has_expired() {
        let tls = Tls::intercepted(ODS, ISSUER, false).verdict(|seen| seen.validity = Validity::Expired);
        let found = diagnose(&private_world().tls(ODS, tls).observations());
        let order: Vec<_> = found.iter().map(|seen| (seen.code.as_str(), seen.caused_by.as_deref())).collect();
        assert_eq!(order, [("TLS001", None), ("TLS004", Some("TLS001"))]);
    }

    #[test]
    fn fires_as_warning_outside_the_agents_group() {
        let scene = private_world().tls(ODS, Tls::intercepted(ODS, ISSUER, true));
        let scene = scene.edit(|seen| seen.endpoints.iter_mut().for_each(|endpoint| endpoint.group = Group::Query));
        assert_eq!(drafts(&TLS001, &scene)[0].severity, Severity::Warning);
    }

    #[test]
    fn fires_for_a_lone_leaf_that_the_machine_trusts() {
        let mut tls = Tls::intercepted(ODS, ISSUER, true);
        tls.chain.truncate(1);
        tls.chain[0].names_issuer_url = true;
        assert_eq!(drafts(&TLS001, &private_world().tls(ODS, tls)).len(), 1);
    }

    #[test]
    fn hostile_issuers_cannot_act_on_the_output() {
        let scene = private_world().tls(HANDLER, Tls::intercepted(HANDLER, "CN=\u{1b}[2J`x`\n", false));
        let title = drafts(&TLS001, &scene)[0].title.text();
        assert!(!title.contains(['\u{1b}', '\n']), "{title}");
    }

    #[test]
    fn silent_when_only_the_intermediates_are_missing() {
        let mut tls = Tls::intercepted(ODS, ISSUER, false);
        tls.chain.truncate(1);
        tls.chain[0].names_issuer_url = true;
        assert_eq!(drafts(&TLS001, &private_world().tls(ODS, tls)), []);
    }

    #[test]
    fn fires_as_warning_for_a_root_that_azure_lists_and_stores_dropped() {
        for root in ["DigiCert Global Root CA", "Microsoft TLS RSA Root G2"] {
            let issuer = format!("CN={root},O=X");
            let found = drafts(&TLS001, &private_world().tls(ODS, Tls::intercepted(ODS, &issuer, true)));
            assert_eq!((found.len(), found[0].severity), (1, Severity::Warning), "{root}");
            assert!(!found[0].summary.contains("something on the way"), "{}", found[0].summary);
            let untrusted = drafts(&TLS001, &private_world().tls(ODS, Tls::intercepted(ODS, &issuer, false)));
            assert_eq!(untrusted[0].severity, Severity::Error, "a name proves nothing: {root}");
        }
    }

    #[test]
    fn silent_for_public_chains() {
        assert_eq!(drafts(&TLS001, &private_world()), []);
        let old_roots = Tls::good(ODS).verdict(|seen| seen.machine = ChainVerdict::UnknownIssuer);
        assert_eq!(drafts(&TLS001, &private_world().tls(ODS, old_roots)), []);
    }
}
