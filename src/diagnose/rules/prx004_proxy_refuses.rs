//! PRX004: the proxy denies a name.

use crate::diagnose::command::{Host, ProxyUrl, UrlPath, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, ProxyFault};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::remedy;
use crate::diagnose::rule::{NOT_DELIVERED, rule};
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// The proxy is there and gives no tunnel to this name. A status of the 400s is its own decision: the name is not on its
    /// list. A status of the 500s says that the proxy tried and could not resolve or reach the name; so does silence about
    /// one name while others pass.
    ///
    /// ## Why it matters
    ///
    /// What the name is for does not work through this proxy: configuration, log upload, or queries.
    ///
    /// ## How to fix
    ///
    /// Allow the name on the proxy, by host name and without inspection. For a 5xx look how the proxy resolves the name: a
    /// proxy in another network may see a private zone without the record, or no route to the private address. Names that are
    /// private here should not go through a proxy at all (PRX001).
    ///
    /// ## How to confirm
    ///
    /// The proxy answers 200 to `CONNECT`: this finding is gone.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>
    /// - <https://www.rfc-editor.org/rfc/rfc9110>
    PRX004 = "proxy-refuses" {
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
    facts.endpoints().iter().filter_map(|name| draft(facts, name)).collect()
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Option<Draft> {
    let Some(ProxyFault::Refuses(status)) = facts.proxy_fault(name) else {
        return None;
    };
    let tunnel = name.tunnel?;
    let proxy = &tunnel.proxy;
    let (kind, what, answer) = match status {
        Some(status) if status >= 500 => {
            ("unreached", "the proxy tried, and could not resolve or reach the name", format!("`{status}`"))
        }
        Some(status) => ("denied", "the proxy's own rules deny the name", format!("`{status}`")),
        None => (
            "silence",
            "the proxy answers for other names and is silent about this one: it cannot reach it",
            "silence".to_owned(),
        ),
    };
    Some(
        Draft::new(
            Severity::Error,
            Owner::Network,
            Title::list(&format!("the proxy {} refuses the tunnel ({answer}): ", quote(&proxy.url)), [name.fqdn()], ""),
        )
        .about([name.fqdn()])
        .group(format!("{kind} {}", proxy.url))
        .summary(what)
        .evidence([facts.tunnel_line(name, tunnel)])
        .list("proxy", [proxy.url.clone()])
        .list("source", [proxy.source.clone()])
        .arg("kind", kind)
        .arg("status", status.map(|status| status.to_string()).unwrap_or_default())
        .excludes("a proxy that is down: it answers")
        .excludes("missing credentials: it does not ask for any")
        .reaching(Reach::Own)
        .fix([Fix::look(
            "check where proxies are set on this machine",
            remedy::local::show_proxies(facts.on_windows()),
        )])
        .fix([Fix::look(
            "query the proxy yourself",
            [remedy::local::curl!(
                facts,
                without_body "-sv --max-time 10 --proxy {} https://{}{}",
                ProxyUrl::new(&proxy.url),
                Host::new(name.fqdn()),
                UrlPath::new(&name.endpoint.path)
            )],
        )])
        .fix(if kind == "denied" { allowed() } else { reached(name) }),
    )
}

fn allowed() -> Vec<Fix> {
    vec![
        Fix::change(BlastRadius::Vnet, "allow the name on the proxy, without TLS inspection")
            .under(remedy::Right::DEVICE)
            .after("look in the proxy's log for this name and the time of this run; the rule holds for every machine behind the proxy")
            .undone_by("remove the rule"),
    ]
}

fn reached(name: &EndpointFacts<'_>) -> Vec<Fix> {
    vec![
        Fix::look(
            "check on the proxy whether it resolves the name and reaches the address",
            [
                command!(Any, "nslookup {}", Host::new(name.fqdn())),
                command!(
                    Sh,
                    "curl -sv --max-time 10 https://{}{} -o /dev/null",
                    Host::new(name.fqdn()),
                    UrlPath::new(&name.endpoint.path)
                ),
            ],
        ),
        Fix::change(
            BlastRadius::Vnet,
            "repair the proxy's DNS if the name has no address there; else its route or firewall",
        )
        .under(remedy::Right::DEVICE)
        .after("look in the proxy's log for this name and the time of this run: it shows which of the two failed; the change holds for every machine behind the proxy")
        .undone_by("put the proxy's former DNS servers, route or rule back"),
    ]
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{Outcome, TunnelFailure};
    use ampls_probes::testing::{HANDLER, ODS, private_world, public_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_for_a_denial_and_for_what_the_proxy_cannot_reach() {
        for (status, kind) in [(403, "denied"), (502, "unreached"), (503, "unreached")] {
            let refused = Outcome::Failed(TunnelFailure::Status(status));
            let found = fires_as_declared(&PRX004, &public_world().tunnel(ODS, "HTTPS_PROXY", refused));
            assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
            assert_eq!(found[0].args["kind"], kind);
            let change = found[0].fix.iter().find(|fix| !fix.read_only).map(|fix| fix.text.as_str());
            assert_eq!(
                change.is_some_and(|text| text.starts_with("repair the proxy's DNS")),
                status >= 500,
                "{change:?}"
            );
        }
    }

    #[test]
    fn fires_for_silence_about_one_name_only() {
        let scene =
            public_world().tunnel(ODS, "--proxy", Outcome::TimedOut).tunnel(HANDLER, "--proxy", Outcome::Seen(200));
        let found = drafts(&PRX004, &scene);
        assert_eq!((found.len(), found[0].args["kind"].as_str()), (1, "silence"));
    }

    #[test]
    fn silent_when_credentials_are_missing_and_when_a_tunnel_stands() {
        let wants = Outcome::Failed(TunnelFailure::WantsCredentials(Vec::new()));
        assert_eq!(drafts(&PRX004, &public_world().tunnel(ODS, "--proxy", wants)), []);
        assert_eq!(drafts(&PRX004, &public_world().tunnel(ODS, "--proxy", Outcome::Seen(200))), []);
        assert_eq!(drafts(&PRX004, &private_world()), []);
    }
}
