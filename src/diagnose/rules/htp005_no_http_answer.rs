//! HTP005: TLS is verified, then nothing comes.

use ampls_probes::observation::{HttpFailure, Outcome};

use crate::diagnose::command::{Host, UrlPath};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, HttpFault, Sizes};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};

rule! {
    /// ## What it means
    ///
    /// The handshake is verified and the request was sent, but the peer is silent, closes the connection, or sends
    /// something that is not HTTP. It has the certificate of the service and does not behave like it.
    ///
    /// ## Why it matters
    ///
    /// Tests that end with the handshake say that all is well, while nothing can be uploaded.
    ///
    /// ## How to fix
    ///
    /// Look at what stands between this machine and the service: a firewall that closes connections once it has recognised
    /// the application, a path whose MTU loses large packets, a device that holds idle connections. For a private address
    /// look at the state of the private endpoint's connection.
    ///
    /// ## How to confirm
    ///
    /// `curl -v https://<name>/` prints any HTTP status.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-overview>
    HTP005 = "no-http-answer" {
        layer: Http,
        severity: Error,
        owner: Network,
        hops: [Service],
        claim: Fault,
        all_names: false,
        no_answer: true,
        explains: [],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let without = facts.endpoints().iter().filter(|name| name.http_fault() == Some(HttpFault::NoAnswer));
    without.filter_map(|name| draft(facts, name)).collect()
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Option<Draft> {
    let (exchange, port) = (name.exchange?, name.endpoint.port);
    let (kind, what) = match &exchange.outcome {
        Outcome::TimedOut => ("silence", "silence"),
        Outcome::Failed(HttpFailure::Closed(_)) => ("closed", "the connection ends"),
        _ => ("garbage", "something that is not HTTP"),
    };
    let address = name.handshake.and_then(|handshake| handshake.address).map(|address| address.ip().to_string());
    let address = address.unwrap_or_default();
    let draft = Draft::new(
        Severity::Error,
        Owner::Network,
        Title::list("TLS works, but the service never answers the HTTP request: ", [name.fqdn()], format!(" ({what})")),
    )
    .about([name.fqdn()])
    .at_port(name.endpoint.port)
    .group(kind)
    .summary(format!("the certificate is verified and the request was sent; result: {what}; something on the way ends or holds the connection"))
    .evidence(name.handshake.map(|handshake| facts.handshake_line(name, handshake)))
    .evidence([facts.exchange_line(name, exchange)])
    .evidence(facts.sizes_line(name))
    .evidence(facts.mtu_line())
    .arg("kind", kind)
    .list("address", [address.clone()])
    .excludes("DNS, a blocked port and certificates: TLS is verified")
    .likely()
    .reaching(Reach::Own)
    .fix([Fix::look(
        "send the request yourself and watch where it ends",
        [remedy::local::curl!(
            facts,
            "-sv --max-time 10 https://{}:{}{}",
            Host::new(name.fqdn()),
            port,
            UrlPath::new(&name.endpoint.path)
        )],
    )])
    .fix(remedy::machine::effective_route(facts, &address));
    Some(match name.sizes() {
        Some(Sizes::DoNotMatter | Sizes::Passed) => {
            draft.excludes("packets that are too large for the way (MTU): their size makes no difference")
        }
        Some(Sizes::Matter(_)) | None => draft,
    })
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{IoFailure, Skip};
    use ampls_probes::testing::{ODS, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_for_silence_close_and_garbage() {
        let outcomes = [
            (Outcome::TimedOut, "silence"),
            (Outcome::Failed(HttpFailure::Closed(IoFailure::Closed)), "closed"),
            (Outcome::Failed(HttpFailure::Malformed), "garbage"),
            (Outcome::Failed(HttpFailure::HeadTooLarge), "garbage"),
        ];
        for (outcome, kind) in outcomes {
            let found = fires_as_declared(&HTP005, &private_world().http(ODS, outcome));
            assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
            assert_eq!(found[0].args["kind"], kind);
            assert!(!format!("{:?}", found[0].fix).contains("nsg"), "the port is open: TLS went through it");
        }
    }

    #[test]
    fn silent_when_not_asked_or_not_finished() {
        assert_eq!(drafts(&HTP005, &private_world().http(ODS, Outcome::Cancelled)), []);
        assert_eq!(drafts(&HTP005, &private_world().http(ODS, Outcome::Skipped(Skip::NotAsked))), []);
        assert_eq!(drafts(&HTP005, &private_world()), []);
    }
}
