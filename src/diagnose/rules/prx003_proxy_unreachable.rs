//! PRX003: the proxy itself cannot be reached.

use std::net::IpAddr;

use ampls_probes::observation::{Outcome, TunnelFailure};

use crate::diagnose::command::{Command, Host, Port, Word, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, ProxyFault};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::remedy;
use crate::diagnose::rule::{NOT_DELIVERED, rule};
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// A proxy applies to the name, and the proxy cannot be used: its own name has no address, its port does not answer or
    /// refuses, or what answers there is not an HTTP proxy. Nothing was tried directly, because programs that use this proxy do
    /// not do so either.
    ///
    /// It is information where the proxy's scheme is one that this program does not speak (`socks5`, `https`): then nothing
    /// behind the proxy was looked at.
    ///
    /// ## Why it matters
    ///
    /// Every name that goes through this proxy is out of reach for the programs that use it.
    ///
    /// ## How to fix
    ///
    /// Correct the proxy's address where it is set, open the way to its port, or take the setting away where the proxy is
    /// gone. With `--proxy none` this program shows what the direct path gives.
    ///
    /// ## How to confirm
    ///
    /// The proxy's port connects, and it answers `CONNECT`.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>
    /// - <https://curl.se/docs/manpage.html>
    PRX003 = "proxy-unreachable" {
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
    let tunnel = name.tunnel?;
    let proxy = &tunnel.proxy;
    let (severity, kind, what) = match facts.proxy_fault(name)? {
        ProxyFault::Scheme(_) => {
            (Severity::Info, "scheme", "this program does not support its scheme, so nothing behind it was tested")
        }
        ProxyFault::Unreachable => match &tunnel.outcome {
            Outcome::Failed(TunnelFailure::NoAddress) => (Severity::Error, "no-address", "its name has no address"),
            Outcome::Skipped(_) => (Severity::Error, "no-connection", "its port does not accept connections"),
            _ => (Severity::Error, "no-answer", "it accepts the connection and does not answer as a proxy"),
        },
        _ => return None,
    };
    let before = match kind {
        "scheme" => "was not asked",
        "no-answer" => "does not answer as a proxy",
        _ => "cannot be reached",
    };
    let connect = connect_commands(&proxy.url, facts.on_windows());
    let look =
        Fix::look("check where proxies are set on this machine", remedy::local::show_proxies(facts.on_windows()));
    let draft = Draft::new(
        severity,
        Owner::Network,
        Title::list(&format!("the proxy {} {before}: ", quote(&proxy.url)), [name.fqdn()], ""),
    )
    .about([name.fqdn()])
    .group(format!("{kind} {}", proxy.url))
    .summary(format!("{} sends this name to a proxy: {what}", quote(&proxy.source)))
    .evidence(name.connections.iter().filter(|seen| seen.via.is_some()).map(|seen| facts.connection_line(seen)))
    .evidence([facts.tunnel_line(name, tunnel)])
    .list("proxy", [proxy.url.clone()])
    .list("source", [proxy.source.clone()])
    .arg("kind", kind)
    .excludes("the endpoint itself: nothing was tried directly")
    .reaching(Reach::Own);
    if kind == "scheme" {
        return Some(draft.fix([look]));
    }
    Some(
        draft.fix([
            look,
            Fix::look("connect to the proxy yourself", connect),
            Fix::change(
                BlastRadius::Machine,
                format!("correct the proxy where {} sets it, or remove the setting", quote(&proxy.source)),
            )
            .under(remedy::Right::MACHINE)
            .after_looking(
                "check what the direct path gives; other programs may need the setting",
                [command!(Any, "ampls-doctor check --proxy none")],
            )
            .undone_by("set the former value again"),
        ]),
    )
}

/// The commands that look up a proxy and connect to it. An IPv6 address stands in brackets in a URL only.
fn connect_commands(url: &str, windows: bool) -> Vec<Command> {
    let authority = url.rsplit_once("://").map_or(url, |(_, rest)| rest);
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, ""));
    let (bare, port) = (host.trim_start_matches('[').trim_end_matches(']'), Port::new(port));
    let bare = bare.parse::<IpAddr>().map_or_else(|_| Word::from(Host::new(bare)), Word::from);
    if windows {
        return vec![command!(PowerShell, "Test-NetConnection {} -Port {}", bare.clone(), port)];
    }
    let connect = if host.starts_with('[') {
        command!(Sh, "curl -sv --max-time 5 telnet://[{}]:{} </dev/null", bare.clone(), port)
    } else {
        command!(Sh, "curl -sv --max-time 5 telnet://{}:{} </dev/null", bare.clone(), port)
    };
    vec![command!(Sh, "getent ahosts {}", bare), connect]
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{HttpFailure, IoFailure};
    use ampls_probes::testing::{HANDLER, ODS, private_world, public_world};

    use super::*;
    use crate::diagnose::diagnose;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_when_the_port_is_silent_or_refuses() {
        for attempt in [Outcome::TimedOut, Outcome::Failed(IoFailure::Refused)] {
            let found = fires_as_declared(&PRX003, &public_world().dead_proxy(ODS, "HTTPS_PROXY", &attempt));
            assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
            assert_eq!(found[0].args["kind"], "no-connection");
        }
    }

    #[test]
    fn fires_when_the_proxy_says_nothing_at_all() {
        for outcome in [Outcome::TimedOut, Outcome::Failed(TunnelFailure::NoAnswer(HttpFailure::Malformed))] {
            let found = drafts(&PRX003, &public_world().tunnel(ODS, "--proxy", outcome));
            assert_eq!(found[0].args["kind"], "no-answer");
            let title = found[0].title.text();
            assert!(title.contains("does not answer as a proxy") && !title.contains("reached"), "{title}");
        }
        let unnamed = Outcome::Failed(TunnelFailure::NoAddress);
        assert_eq!(drafts(&PRX003, &public_world().tunnel(ODS, "--proxy", unnamed))[0].args["kind"], "no-address");
    }

    #[test]
    fn fires_as_information_for_a_scheme_that_is_not_spoken() {
        let socks = Outcome::Failed(TunnelFailure::UnsupportedScheme("socks5".to_owned()));
        assert_eq!(drafts(&PRX003, &public_world().tunnel(ODS, "ALL_PROXY", socks))[0].severity, Severity::Info);
    }

    #[test]
    fn one_dead_proxy_is_one_finding_about_all_its_names() {
        let scene = public_world().dead_proxy(ODS, "--proxy", &Outcome::TimedOut).dead_proxy(
            HANDLER,
            "--proxy",
            &Outcome::TimedOut,
        );
        let found = diagnose(&scene.observations());
        let dead: Vec<_> = found.iter().filter(|seen| seen.code == "PRX003").collect();
        assert_eq!((dead.len(), dead[0].endpoints.len()), (1, 2));
    }

    #[test]
    fn an_ipv6_address_has_brackets_in_urls_only() {
        let url = "http://[fd00::9]:3128";
        let lines =
            |windows| connect_commands(url, windows).iter().map(|it| it.as_str().to_owned()).collect::<Vec<_>>();
        let connect = "curl -sv --max-time 5 telnet://[fd00::9]:3128 </dev/null";
        assert_eq!(lines(false), ["getent ahosts fd00::9", connect]);
        assert_eq!(lines(true), ["Test-NetConnection fd00::9 -Port 3128"]);
    }

    #[test]
    fn silent_when_the_proxy_answers_others_or_anything() {
        let scene =
            public_world().tunnel(ODS, "--proxy", Outcome::TimedOut).tunnel(HANDLER, "--proxy", Outcome::Seen(200));
        assert_eq!(drafts(&PRX003, &scene), []);
        assert_eq!(drafts(&PRX003, &public_world().tunnel(ODS, "--proxy", Outcome::Cancelled)), []);
        assert_eq!(drafts(&PRX003, &private_world()), []);
    }
}
