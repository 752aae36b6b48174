//! TLS002: this machine lacks a public root.

use ampls_probes::observation::{ChainVerdict, Verification};

use crate::diagnose::command::command;
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, TlsFault, certificate_line};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// The certificate that answers is a good one: its chain leads to the public roots. This machine's own trust store does
    /// not know that root. The store is out of date, was cut down, or `SSL_CERT_FILE` or `SSL_CERT_DIR` points programs to
    /// another one.
    ///
    /// On Windows this is information: the system loads public roots on demand, when a program first meets them. Where it was
    /// asked, fetched what it could and still does not trust the chain, it is an error: the root cannot be fetched, as where
    /// `ctldl.windowsupdate.com` cannot be reached.
    ///
    /// ## Why it matters
    ///
    /// Programs that use the store refuse the connection: `unable to get local issuer certificate`. Azure's certificates have
    /// moved to `DigiCert Global Root G2` and the `Microsoft RSA Root Certificate Authority 2017`; the older Baltimore root
    /// expired in May 2025.
    ///
    /// ## How to fix
    ///
    /// Update the package of the trust store. On a machine that gets its roots from a group policy or an image, have the roots
    /// added there. Do not turn verification off.
    ///
    /// ## How to confirm
    ///
    /// `openssl s_client -connect <address>:443 -servername <name>` prints `Verification: OK`.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/security/fundamentals/azure-certificate-authority-details>
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>
    TLS002 = "issuer-not-trusted" {
        layer: Tls,
        severity: Error,
        owner: Os,
        hops: [Service],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [&["TLS003", "TLS004"]],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let unknown = facts.endpoints().iter().filter(|name| name.has_tls_fault(TlsFault::NotTrusted));
    unknown.map(|name| draft(facts, name)).collect()
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Draft {
    let chain = name.handshake.map(|handshake| handshake.chain.as_slice()).unwrap_or_default();
    let issuer = chain.last().map(|top| top.issuer.clone()).unwrap_or_default();
    let verification = name.handshake.and_then(|handshake| handshake.verification.as_ref());
    let empty = verification.is_some_and(|seen| seen.machine == ChainVerdict::NoRoots);
    let refused = verification.is_some_and(Verification::is_refused);
    let severity = if facts.fetches_roots() && !refused { Severity::Info } else { Severity::Error };
    let address = name.handshake.and_then(|handshake| handshake.address).map(|address| address.to_string());
    let address = address.unwrap_or_else(|| format!("{}:{}", name.fqdn(), name.endpoint.port));
    Draft::new(
        severity,
        Owner::Os,
        Title::list(&format!("this machine does not trust the public issuer {}: ", quote(&issuer)), [name.fqdn()], ""),
    )
    .about([name.fqdn()])
    .at_port(name.endpoint.port)
    .group(issuer.clone())
    .summary(if refused {
        "the chain ends at a public root that this machine's trust store does not hold, and Windows itself, which fetches roots when it needs them, could not fetch it"
    } else if empty {
        "the chain ends at a public root, but this machine's trust store is empty or cannot be read"
    } else {
        "the chain ends at a public root, but this machine's trust store does not know them: it is out of date or another store is in use"
    })
    .evidence(name.handshake.map(|handshake| facts.handshake_line(name, handshake)))
    .evidence(chain.iter().take(3).map(certificate_line))
    .evidence(refused.then(|| "Windows was asked, and finds no way from this chain to a root that it trusts".to_owned()))
    .list("issuer", [issuer])
    .arg("store", if empty { "empty" } else { "outdated" })
    .excludes("interception: the chain ends at a public root")
    .reaching(Reach::Own)
    .fix([remedy::local::show_chain(facts, &address, name.fqdn()), update(facts)])
}

fn update(facts: &Facts<'_>) -> Fix {
    let change = Fix::change(BlastRadius::Machine, "update the trust store, then restart the agent")
        .under(remedy::Right::MACHINE);
    if facts.on_windows() {
        return change
            .with([command!(Any, "certutil -generateSSTFromWU roots.sst")])
            .after_looking(
                "check what is there already, and import only the missing root",
                [command!(
                    PowerShell,
                    r"Get-ChildItem Cert:\LocalMachine\Root | Where-Object Subject -match 'DigiCert|Microsoft'"
                )],
            )
            .undone_by("remove the imported root from Cert:\\LocalMachine\\Root");
    }
    change
        .with([command!(
            Sh,
            "if command -v apt-get >/dev/null; then sudo apt-get install --only-upgrade ca-certificates; else sudo dnf upgrade ca-certificates; fi"
        )])
        .after_looking(
            "another store may be in use",
            [command!(Sh, "env | grep SSL_CERT"), command!(Sh, "ls -l /etc/ssl/certs | head")],
        )
        .undone_by("install the version of ca-certificates that was there before")
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::SystemVerdict;
    use ampls_probes::testing::{ODS, Tls, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn untrusted(verdict: ChainVerdict) -> Tls {
        Tls::good(ODS).verdict(|seen| seen.machine = verdict)
    }

    #[test]
    fn fires_when_only_the_machine_does_not_know_the_root() {
        let found = fires_as_declared(&TLS002, &private_world().tls(ODS, untrusted(ChainVerdict::UnknownIssuer)));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
    }

    #[test]
    fn fires_for_an_empty_store() {
        let found = drafts(&TLS002, &private_world().tls(ODS, untrusted(ChainVerdict::NoRoots)));
        assert_eq!(found[0].args["store"], "empty");
    }

    #[test]
    fn fires_as_information_on_windows() {
        let scene = private_world().windows().tls(ODS, untrusted(ChainVerdict::UnknownIssuer));
        assert_eq!(drafts(&TLS002, &scene)[0].severity, Severity::Info);
    }

    #[test]
    fn fires_as_an_error_on_windows_that_could_not_fetch_the_root_and_is_silent_where_it_could() {
        let asked = |system| {
            let tls = untrusted(ChainVerdict::UnknownIssuer);
            private_world().windows().tls(ODS, tls.verdict(|seen| (seen.fetches, seen.system) = (true, Some(system))))
        };
        let refused = &drafts(&TLS002, &asked(SystemVerdict::UnknownIssuer))[0];
        assert_eq!(refused.severity, Severity::Error);
        assert!(refused.evidence.iter().any(|line| line.contains("Windows was asked")), "{:?}", refused.evidence);
        assert_eq!(drafts(&TLS002, &asked(SystemVerdict::Unknown))[0].severity, Severity::Info);
        assert_eq!(drafts(&TLS002, &asked(SystemVerdict::Trusted)), []);
    }

    #[test]
    fn silent_when_the_public_roots_do_not_know_it_either() {
        let tls = Tls::intercepted(ODS, "CN=Inspection CA", false);
        assert_eq!(drafts(&TLS002, &private_world().tls(ODS, tls)), []);
        assert_eq!(drafts(&TLS002, &private_world()), []);
    }
}
