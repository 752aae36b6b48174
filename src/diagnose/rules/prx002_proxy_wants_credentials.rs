//! PRX002: the proxy asks who we are.

use ampls_probes::observation::{Outcome, TunnelFailure};

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, ProxyFault};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::remedy;
use crate::diagnose::rule::{NOT_DELIVERED, rule};
use crate::text::{list, quote};

rule! {
    /// ## What it means
    ///
    /// The proxy answers 407 to `CONNECT`: it wants credentials that it was not given, or does not accept those it was given.
    /// The schemes that it offers are in the evidence.
    ///
    /// ## Why it matters
    ///
    /// Nothing passes. Services have no user who could sign in: agents need credentials of their own, in a scheme that they
    /// speak, or a rule that lets them pass without.
    ///
    /// ## How to fix
    ///
    /// Let the proxy pass Azure Monitor's names without authentication, which needs no secret on the machine; or give the
    /// agent its credentials in the protected settings of its extension. Private names belong on the exemption list anyway.
    ///
    /// ## How to confirm
    ///
    /// The proxy answers 200 to `CONNECT`: this finding is gone.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>
    /// - <https://www.rfc-editor.org/rfc/rfc9110>
    PRX002 = "proxy-wants-credentials" {
        layer: Proxy,
        severity: Error,
        owner: Network,
        hops: [Service],
        claim: Fault,
        all_names: false,
        no_answer: true,
        explains: [NOT_DELIVERED],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let asked = facts.endpoints().iter().filter(|name| facts.proxy_fault(name) == Some(ProxyFault::WantsCredentials));
    asked.filter_map(|name| draft(facts, name)).collect()
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Option<Draft> {
    let tunnel = name.tunnel?;
    let proxy = &tunnel.proxy;
    let schemes: &[String] = match &tunnel.outcome {
        Outcome::Failed(TunnelFailure::WantsCredentials(schemes)) => schemes,
        _ => &[],
    };
    let offered = if schemes.is_empty() { String::new() } else { format!("; it offers {}", list(schemes, 4)) };
    let given = if proxy.has_credentials {
        "the proxy does not accept the credentials it was given"
    } else {
        "the proxy asks for credentials and was given none"
    };
    Some(
        Draft::new(
            Severity::Error,
            Owner::Network,
            Title::list(&format!("the proxy {} asks for credentials (407): ", quote(&proxy.url)), [name.fqdn()], ""),
        )
        .about([name.fqdn()])
        .group(proxy.url.clone())
        .summary(format!("{given}{offered}; nothing passes it"))
        .evidence([facts.tunnel_line(name, tunnel)])
        .list("proxy", [proxy.url.clone()])
        .list("source", [proxy.source.clone()])
        .list("schemes", schemes)
        .arg("credentials_given", if proxy.has_credentials { "yes" } else { "no" })
        .excludes("a proxy that is down: it answers")
        .reaching(Reach::Own)
        .fix([
            Fix::look("check where proxies are set on this machine", remedy::local::show_proxies(facts.on_windows())),
            Fix::change(BlastRadius::Vnet, "allow Azure Monitor's names through the proxy without authentication")
                .under(remedy::Right::DEVICE)
                .after("look at the proxy's rules and log for this name and the time of this run; the rule holds for every machine behind the proxy")
                .undone_by("remove the rule"),
            Fix::change(
                BlastRadius::Machine,
                "give the agent its credentials, from a file that only you can read and that you delete afterwards: a password on a command line stays in histories and process lists",
            )
            .under(remedy::Right::EXTENSION)
            .with([remedy::machine::set_extension_from_files(facts)])
            .instead()
            .after_looking(
                "new settings replace these; write them to `settings.json` with the mode `application`, the address and `auth` `true`, and the user's name and password to `protected.json`",
                remedy::machine::show_extension(facts),
            )
            .undone_by("the same command with the former settings"),
        ]),
    )
}

#[cfg(test)]
mod tests {
    use ampls_probes::endpoint::Need;
    use ampls_probes::testing::{METRICS, ODS, Says, private_world, public_world};

    use super::*;
    use crate::diagnose::diagnose;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_for_407_and_names_the_schemes() {
        let wants = Outcome::Failed(TunnelFailure::WantsCredentials(vec!["Negotiate".to_owned(), "Basic".to_owned()]));
        let found = fires_as_declared(&PRX002, &public_world().tunnel(ODS, "HTTPS_PROXY", wants));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        assert_eq!(found[0].lists["schemes"], ["Negotiate", "Basic"]);
        assert_eq!(found[0].args["credentials_given"], "no");
    }

    #[test]
    fn fires_as_information_for_optional_public_names() {
        let wants = Outcome::Failed(TunnelFailure::WantsCredentials(Vec::new()));
        let scene = public_world().name(METRICS, Need::Optional).everywhere(METRICS, &Says::Public("20.1.1.1"));
        let found = diagnose(&scene.tunnel(METRICS, "HTTPS_PROXY", wants).observations());
        let severity = found.iter().find(|finding| finding.code == "PRX002").map(|finding| finding.severity);
        assert_eq!(severity, Some(Severity::Info));
    }

    #[test]
    fn silent_for_other_refusals_and_for_tunnels() {
        let denied = Outcome::Failed(TunnelFailure::Status(403));
        assert_eq!(drafts(&PRX002, &public_world().tunnel(ODS, "HTTPS_PROXY", denied)), []);
        assert_eq!(drafts(&PRX002, &public_world().tunnel(ODS, "HTTPS_PROXY", Outcome::Seen(200))), []);
        assert_eq!(drafts(&PRX002, &private_world()), []);
    }
}
