//! TLS003: a certificate for another name.

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, TlsFault, certificate_line};
use crate::diagnose::finding::{Owner, Severity};
use crate::diagnose::{remedy, rule::rule};
use crate::text;

rule! {
    /// ## What it means
    ///
    /// The certificate that answers is for other names than the one that was asked for: something else answers at the
    /// address. A stale or hand-made record leads to the address of another private endpoint or another server, a hosts file
    /// does the same, or a firewall answers with a page of its own.
    ///
    /// Names are checked as clients do, by the public name. A client that is configured with a `privatelink` name fails in
    /// the same way, because no certificate holds such names.
    ///
    /// ## Why it matters
    ///
    /// Every client refuses the connection, and rightly.
    ///
    /// ## How to fix
    ///
    /// Look at the names in the certificate: they tell who answers. Find the private endpoint that holds the address, and mend
    /// the record or the line of the hosts file that leads there.
    ///
    /// ## How to confirm
    ///
    /// `openssl s_client -connect <address>:443 -servername <name> -verify_hostname <name>` prints `Verification: OK`.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns>
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-configure>
    /// - <https://www.rfc-editor.org/rfc/rfc9525>
    TLS003 = "wrong-name", Tls, explains [];
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let other = facts.endpoints().iter().filter(|name| name.has_tls_fault(TlsFault::WrongName));
    other.map(|name| draft(facts, name)).collect()
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Draft {
    let names = name.leaf().map(|leaf| leaf.names.clone()).unwrap_or_default();
    let socket = name.handshake.and_then(|handshake| handshake.address);
    let address = socket.map(|address| address.ip().to_string()).unwrap_or_default();
    let connect = socket.map_or_else(|| format!("{}:{}", name.fqdn(), name.endpoint.port), |socket| socket.to_string());
    Draft::new(
        Severity::Error,
        Owner::Dns,
        Title::list(&format!("the certificate is for {}, not for ", text::list(&names, 2)), [name.fqdn()], ""),
    )
    .about([name.fqdn()])
    .at_port(name.endpoint.port)
    .group(names.join(" "))
    .summary("the certificate that answers at the address is for other names: the address belongs to something else")
    .evidence(name.handshake.map(|handshake| facts.handshake_line(name, handshake)))
    .evidence(name.leaf().map(certificate_line))
    .arg("names", names.join(" "))
    .arg("address", address.clone())
    .excludes("a client that asks by a `privatelink` name: the public name was sent")
    .reaching(Reach::Nothing)
    .fix([remedy::show_chain(&connect, name.fqdn())])
    .fix(remedy::find_private_endpoint(&address))
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::NameVerdict;
    use ampls_probes::testing::{HANDLER, ODS, Tls, private_world};

    use super::*;
    use crate::diagnose::rules::tests::drafts;

    #[test]
    fn fires_for_a_certificate_of_another_name() {
        let tls = Tls::good(HANDLER).verdict(|seen| seen.name = NameVerdict::Other);
        let found = drafts(&TLS003, &private_world().tls(ODS, tls));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        assert_eq!(found[0].args["names"], HANDLER);
    }

    #[test]
    fn silent_when_the_name_fits() {
        assert_eq!(drafts(&TLS003, &private_world()), []);
    }

    #[test]
    fn silent_when_no_certificate_can_be_read() {
        let tls = Tls::good(ODS).verdict(|seen| seen.name = NameVerdict::Unreadable);
        assert_eq!(drafts(&TLS003, &private_world().tls(ODS, tls)), []);
    }
}
