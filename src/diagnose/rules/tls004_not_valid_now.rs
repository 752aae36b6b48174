//! TLS004: a certificate outside its validity.

use ampls_probes::observation::Validity;

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, TlsFault, certificate_line};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};

rule! {
    /// ## What it means
    ///
    /// By this machine's clock the certificate, or one above it in the chain, has expired or is not valid yet. Azure renews its
    /// certificates long before they expire, so when the chain is Azure's, the clock of this machine is the first suspect.
    ///
    /// A chain that is foreign besides is reported as TLS001, which explains this finding.
    ///
    /// ## Why it matters
    ///
    /// Every client refuses the connection. A clock that is wrong by more than minutes breaks the agents' tokens too.
    ///
    /// ## How to fix
    ///
    /// Compare this machine's clock with another one and mend time synchronisation. If the clock is right, something else than
    /// Azure answers with an old certificate: look at the chain and at the address.
    ///
    /// ## How to confirm
    ///
    /// `chronyc tracking` (Linux) or `w32tm /query /status` (Windows) shows a small offset; the handshake verifies.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/virtual-machines/linux/time-sync>
    /// - <https://learn.microsoft.com/azure/security/fundamentals/azure-certificate-authority-details>
    /// - <https://www.rfc-editor.org/rfc/rfc5280>
    TLS004 = "not-valid-now", Tls, explains ["TLS003"];
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let outside = facts.endpoints().iter().filter(|name| name.has_tls_fault(TlsFault::NotValidNow));
    outside.map(|name| draft(facts, name)).collect()
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Draft {
    let validity = name.handshake.and_then(|handshake| handshake.verification.as_ref()).map(|seen| seen.validity);
    let (kind, what) = match validity {
        Some(Validity::Expired) => ("expired", "the certificate has expired"),
        Some(Validity::NotYetValid) => ("not-yet-valid", "the certificate is not valid yet"),
        _ => ("chain", "a certificate above the one presented is outside its validity"),
    };
    let now = name.handshake.map(|handshake| format!("{:.0}", facts.at(&handshake.timing))).unwrap_or_default();
    let until = name.leaf().and_then(|leaf| leaf.not_after).map(|at| format!("{at:.0}")).unwrap_or_default();
    let address = name.handshake.and_then(|handshake| handshake.address).map(|address| address.to_string());
    let address = address.unwrap_or_else(|| format!("{}:{}", name.fqdn(), name.endpoint.port));
    let clock = if facts.on_windows() { "w32tm /query /status" } else { "timedatectl; chronyc tracking" };
    Draft::new(
        Severity::Error,
        Owner::Os,
        Title::list(&format!("{what}: "), [name.fqdn()], format!(" (this machine's clock says {now})")),
    )
    .about([name.fqdn()])
    .group(kind)
    .summary(format!(
        "{what} by this machine's clock; Azure renews in time, so compare the clock first, then look who answers"
    ))
    .evidence(name.handshake.map(|handshake| facts.handshake_line(name, handshake)))
    .evidence(name.leaf().map(certificate_line))
    .arg("kind", kind)
    .arg("not_after", until)
    .likely()
    .reaching(Reach::Own)
    .fix([
        Fix::look("compare this machine's clock with its time source", clock),
        remedy::show_chain(&address, name.fqdn()),
    ])
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{ChainVerdict, NameVerdict};
    use ampls_probes::testing::{ODS, Tls, private_world};

    use super::*;
    use crate::diagnose::diagnose;
    use crate::diagnose::rules::tests::drafts;

    #[test]
    fn fires_when_expired_or_not_yet_valid() {
        for (validity, kind) in [(Validity::Expired, "expired"), (Validity::NotYetValid, "not-yet-valid")] {
            let tls = Tls::good(ODS).verdict(|seen| seen.validity = validity);
            let found = drafts(&TLS004, &private_world().tls(ODS, tls));
            assert_eq!((found.len(), found[0].args["kind"].as_str()), (1, kind));
        }
    }

    #[test]
    fn fires_when_a_certificate_above_has_expired() {
        let tls = Tls::good(ODS).verdict(|seen| {
            seen.machine = ChainVerdict::Expired;
            seen.public = ChainVerdict::Expired;
        });
        assert_eq!(drafts(&TLS004, &private_world().tls(ODS, tls))[0].args["kind"], "chain");
    }

    #[test]
    fn explains_a_wrong_name_besides() {
        let tls = Tls::good(ODS).verdict(|seen| {
            seen.validity = Validity::Expired;
            seen.name = NameVerdict::Other;
        });
        let found = diagnose(&private_world().tls(ODS, tls).observations());
        let order: Vec<_> = found.iter().map(|seen| (seen.code.as_str(), seen.caused_by.as_deref())).collect();
        assert_eq!(order, [("TLS004", None), ("TLS003", Some("TLS004"))]);
    }

    #[test]
    fn silent_while_valid() {
        assert_eq!(drafts(&TLS004, &private_world()), []);
    }
}
