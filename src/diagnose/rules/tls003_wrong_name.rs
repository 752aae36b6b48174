//! TLS003: a certificate for another name.

use crate::diagnose::command::{Host, Peer, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, TlsFault, certificate_line};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};
use crate::text::{self, quote};

rule! {
    /// ## What it means
    ///
    /// The certificate that answers is for other names than the one that was asked for: something else answers at the
    /// address. A stale or hand-made record holds the address of another private endpoint or another server, a hosts file
    /// does the same, or a firewall answers with a page of its own.
    ///
    /// Names are checked as clients do, by the name they were given. A client that is configured with a `privatelink` name
    /// fails too, because no certificate holds such names: the configuration has to give the public one.
    ///
    /// ## Why it matters
    ///
    /// Every client refuses the connection, and rightly.
    ///
    /// ## How to fix
    ///
    /// Where the name asked by holds the label `privatelink`, configure the name without it. Otherwise look at the names in the
    /// certificate: they tell who answers. Find the private endpoint that holds the address, and correct
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
    TLS003 = "wrong-name" {
        layer: Tls,
        severity: Error,
        owner: Dns,
        hops: [Service],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [],
    }
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
    let draft = Draft::new(
        Severity::Error,
        Owner::Dns,
        Title::list(&format!("the certificate is for {}, not for ", text::list(&names, 2)), [name.fqdn()], ""),
    )
    .about([name.fqdn()])
    .at_port(name.endpoint.port)
    .group(names.join(" "))
    .evidence(name.handshake.map(|handshake| facts.handshake_line(name, handshake)))
    .evidence(name.leaf().map(certificate_line))
    .list("names", &names)
    .list("address", [address.clone()])
    .reaching(Reach::Nothing);
    if let Some(public) = public_name(name.fqdn()) {
        return asked_by_alias(facts, draft, &public, &names, &connect, &address);
    }
    draft
        .summary("the certificate at this address is for other names: the address belongs to something else")
        .excludes("a client that uses a `privatelink` name: the public name was sent")
        .fix([remedy::local::show_chain(facts, &connect, name.fqdn())])
        .fix(remedy::endpoint::find_by_address(&address))
}

/// The name that clients have to be given, where this one is its `privatelink` alias.
fn public_name(fqdn: &str) -> Option<String> {
    let labels = || fqdn.split('.');
    labels().any(|label| label == "privatelink").then(|| {
        let public: Vec<&str> = labels().filter(|label| *label != "privatelink").collect();
        public.join(".")
    })
}

/// Microsoft's certificates hold the public names only: <https://learn.microsoft.com/azure/private-link/private-endpoint-dns>
fn asked_by_alias(
    facts: &Facts<'_>,
    mut draft: Draft,
    public: &str,
    names: &[String],
    connect: &str,
    address: &str,
) -> Draft {
    draft.owner = Owner::Os;
    draft.group.push_str(" alias");
    let draft = draft
        .summary(format!(
            "the configuration names the `privatelink` alias, which no certificate holds; it has to name the public one, {}, which resolves to the same record",
            quote(public)
        ))
        .list("public_name", [public])
        .fix([
            Fix::look(
                "check whether the certificate matches when the public name is sent",
                [if facts.on_windows() {
                    remedy::local::handshake(connect, public)
                } else {
                    command!(
                        Sh,
                        "openssl s_client -connect {} -servername {} -verify_hostname {} </dev/null",
                        Peer::new(connect),
                        Host::new(public),
                        Host::new(public)
                    )
                }],
            ),
            Fix::change(
                BlastRadius::Machine,
                format!("replace the `privatelink` alias with {} wherever it is configured", quote(public)),
            )
            .under(remedy::Right::MACHINE)
            .after("find the setting that names the alias: an agent's, an application's, or `--endpoint` of this run")
            .undone_by("restore the former name"),
        ]);
    if names.iter().any(|pattern| covers(pattern, public)) {
        return draft.excludes("another server at the address: its certificate is for the public name");
    }
    draft.likely().fix(remedy::endpoint::find_by_address(address))
}

/// A wildcard stands for one whole label (RFC 9525 6.3).
fn covers(pattern: &str, name: &str) -> bool {
    let parent = || name.split_once('.').map(|(_, parent)| parent);
    pattern == name || pattern.strip_prefix("*.").is_some_and(|rest| Some(rest) == parent())
}

#[cfg(test)]
mod tests {
    use ampls_probes::endpoint::Need;
    use ampls_probes::observation::NameVerdict;
    use ampls_probes::testing::{HANDLER, ODS, Says, Tls, endpoint, private_world};

    use super::*;
    use crate::diagnose::finding::Certainty;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_for_a_certificate_of_another_name() {
        let tls = Tls::good(HANDLER).verdict(|seen| seen.name = NameVerdict::Other);
        let found = fires_as_declared(&TLS003, &private_world().tls(ODS, tls));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        assert_eq!(found[0].lists["names"], [HANDLER]);
    }

    #[test]
    fn fires_with_the_public_name_where_the_alias_was_asked_for() {
        let public = "global.handler.control.monitor.azure.com";
        let mut alias = endpoint(HANDLER, Need::Required);
        alias.id = "alias".to_owned();
        alias.fqdn = "global.handler.control.privatelink.monitor.azure.com".to_owned();
        let asked = alias.fqdn.clone();
        let scene = private_world().endpoint(alias);
        for (holds, certainty) in
            [("*.handler.control.monitor.azure.com", Certainty::Proven), ("portal.example", Certainty::Likely)]
        {
            let tls = Tls::good(holds).verdict(|seen| seen.name = NameVerdict::Other);
            let found = drafts(&TLS003, &scene.clone().everywhere(&asked, &Says::Private("10.0.0.5")).tls(&asked, tls));
            assert_eq!((found.len(), found[0].certainty), (1, certainty));
            assert_eq!(found[0].lists["public_name"], [public]);
            let fix = found[0].fix.iter().find(|fix| !fix.read_only);
            assert!(fix.is_some_and(|fix| fix.text.contains(public)), "{:?}", found[0].fix);
            let said = format!("{:?}", found[0]);
            assert!(!said.contains("the public name was sent") && !said.contains("by the public name"), "{said}");
        }
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
