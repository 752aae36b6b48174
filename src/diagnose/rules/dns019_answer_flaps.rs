//! DNS019: one server changes its mind.

use std::net::SocketAddr;

use ampls_probes::observation::RecordKind;

use crate::diagnose::command::{Host, command};
use crate::diagnose::draft::{Draft, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, Route, View, route_word};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::rule::{WRONG_ADDRESS, rule};

rule! {
    /// ## What it means
    ///
    /// The same question, asked of the same DNS server several times within seconds, was answered with different routes: once
    /// private, once public, or once denied. Behind that address stand servers that do not agree: a pair behind a load balancer
    /// with different forwarders, a forwarder with two targets of which one is public, or systemd-resolved choosing between
    /// links.
    ///
    /// A server is asked a second time only where its answer contradicts another: that of the operating system's own lookup, that
    /// of another server, or its own for another name of the zone; and where it failed (`--repeat` is the most that one question
    /// is asked). Records are asked for directly after all of that, so that no answer changes because of this program.
    ///
    /// What else could be said of such a server's answers would be chance, so other findings leave it out.
    ///
    /// ## Why it matters
    ///
    /// Agents are private now and public an hour later. Such a fault is taken for one of the network, because it goes away by
    /// itself.
    ///
    /// ## How to fix
    ///
    /// Look at everything that this server asks: each forwarder of its list must give the same answer, so a public resolver
    /// has no place beside Azure's DNS. Of servers behind one address compare the configuration. With systemd-resolved give
    /// the DNS servers to one link, and none as fallback.
    ///
    /// ## How to confirm
    ///
    /// `ampls-doctor --repeat 10` gives one route for each name and server.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration>
    /// - <https://www.freedesktop.org/software/systemd/man/latest/systemd-resolved.service.html>
    DNS019 = "answer-flaps" {
        layer: Dns,
        severity: Error,
        owner: Dns,
        hops: [Server],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [&["DNS001", "DNS002", "DNS003", "DNS004", "DNS005", "DNS007", "DNS011", "DNS013", "DNS015", "DNS020", "DNS021"], WRONG_ADDRESS],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let servers = facts.resolving_servers();
    let names = facts.endpoints();
    servers.into_iter().flat_map(|server| names.iter().filter_map(move |name| flaps(facts, name, server))).collect()
}

fn flaps(facts: &Facts<'_>, name: &EndpointFacts<'_>, server: SocketAddr) -> Option<Draft> {
    let routes = facts.routes_by_try(name.fqdn(), server);
    // Where others change, a name may be public in every try by chance.
    let by_chance = || {
        facts.flaps(server)
            && name.ampls_zone(facts.observations()).is_some()
            && name.view_of(server).is_some_and(View::is_public)
            && facts.private_expected()
    };
    if routes.len() < 2 && !by_chance() {
        return None;
    }
    let mut words: Vec<&str> = routes.iter().map(|route| word(*route)).collect();
    words.sort_unstable();
    let address = server.ip().to_string();
    Some(
        Draft::new(
            Severity::Error,
            Owner::Dns,
            Title::list(&format!("answers of DNS server `{server}` change from one try to the next: "), [name.fqdn()], ""),
        )
        .about([name.fqdn()])
        .group(server.to_string())
        .summary(format!(
            "the same question to `{server}` was answered with different routes within seconds ({}): servers behind that address, or the ones it forwards to, do not agree",
            words.join(", ")
        ))
        .evidence(tries(facts, name, server))
        .evidence(facts.from_cache(name, server).map(|(left, whole)| {
            format!("`{server}` answers from a cache: {left} s are left of the {whole} s that Azure's DNS gives")
        }))
        .list("server", [server.to_string()])
        .list("routes", &words)
        .excludes("the cache of this machine: the server itself was asked each time")
        .fix([
            Fix::look(
                format!("ask `{address}` ten times from this machine"),
                [if facts.on_windows() {
                    command!(
                        PowerShell,
                        "1..10 | ForEach-Object { (Resolve-DnsName {} -Server {} -Type A).IPAddress }",
                        Host::new(name.fqdn()),
                        server.ip()
                    )
                } else {
                    command!(
                        Sh,
                        "for i in 1 2 3 4 5 6 7 8 9 10; do dig +short {} @{} | tail -1; done",
                        Host::new(name.fqdn()),
                        server.ip()
                    )
                }],
            ),
            Fix::look(
                format!("check everything that `{address}` forwards to (Windows DNS, in PowerShell)"),
                [
                    command!(PowerShell, "Get-DnsServerForwarder -ComputerName {}", server.ip()),
                    command!(
                        PowerShell,
                        "Get-DnsServerZone -ComputerName {} | Where-Object ZoneType -eq Forwarder",
                        server.ip()
                    ),
                ],
            ),
        ]),
    )
}

fn word(route: Route) -> &'static str {
    if route == Route::None { "denied" } else { route_word(route) }
}

fn tries(facts: &Facts<'_>, name: &EndpointFacts<'_>, server: SocketAddr) -> Vec<String> {
    let answers = facts.answers(server, name.fqdn(), RecordKind::A);
    let lines = answers.iter().filter_map(|answer| {
        let addresses = answer.outcome.seen()?.addresses(name.fqdn());
        let given: Vec<String> = addresses.iter().take(2).map(|address| format!("`{address}`")).collect();
        let given = if given.is_empty() { "no address".to_owned() } else { given.join(", ") };
        let route = word(facts.route_of(name.fqdn(), &addresses));
        Some(format!(
            "{} `{server}` gave {given} ({route}) for `{}`, try {}",
            facts.when(&answer.timing),
            name.fqdn(),
            answer.try_number + 1
        ))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use ampls_probes::testing::{AZURE, CUSTOM, HANDLER, ODS, Says, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_when_the_route_changes_between_tries() {
        for says in [Says::Public("20.1.1.1"), Says::DeniedByPrivateZone] {
            let found = fires_as_declared(&DNS019, &private_world().then_says(CUSTOM, ODS, &says));
            assert_eq!((found.len(), found[0].severity), (1, Severity::Error), "{says:?}");
            assert_eq!(found[0].endpoints, [ODS]);
            assert_eq!(found[0].evidence.len(), 2);
        }
    }

    #[test]
    fn silent_when_only_the_address_changes() {
        assert_eq!(drafts(&DNS019, &private_world().then_says(CUSTOM, ODS, &Says::Private("10.0.0.66"))), []);
    }

    #[test]
    fn silent_when_a_try_fails() {
        for says in [Says::Silence, Says::ServFail, Says::Unfinished] {
            assert_eq!(drafts(&DNS019, &private_world().then_says(CUSTOM, ODS, &says)), [], "{says:?}");
        }
    }

    #[test]
    fn silent_about_azures_view() {
        assert_eq!(drafts(&DNS019, &private_world().then_says(AZURE, ODS, &Says::Public("20.1.1.1"))), []);
    }

    #[test]
    fn fires_for_what_such_a_server_gives_publicly_by_chance() {
        let scene = private_world().then_says(CUSTOM, HANDLER, &Says::Public("20.1.1.1")).says(
            CUSTOM,
            ODS,
            &Says::Public("20.1.1.2"),
        );
        let named: Vec<_> = drafts(&DNS019, &scene).into_iter().flat_map(|draft| draft.endpoints).collect();
        assert!(named.contains(&ODS.to_owned()), "{named:?}");
    }

    #[test]
    fn silent_when_only_an_ipv6_address_is_missing_in_one_try() {
        let dual = private_world().everywhere(ODS, &Says::Dual("10.0.0.6", "2603:1020::6"));
        assert_eq!(drafts(&DNS019, &dual.then_says(CUSTOM, ODS, &Says::Plain("10.0.0.6"))), []);
    }

    #[test]
    fn fires_when_the_ipv6_address_is_private_in_one_try_alone() {
        let dual = private_world().everywhere(ODS, &Says::Dual("10.0.0.6", "fd00::6"));
        let flaps = dual.then_says(CUSTOM, ODS, &Says::Dual("10.0.0.6", "2603:1020::6"));
        assert_eq!(drafts(&DNS019, &flaps).len(), 1);
    }

    #[test]
    fn fires_when_an_address_is_there_in_one_try_and_not_in_the_next() {
        let scene = private_world().then_says(CUSTOM, ODS, &Says::NoData);
        assert_eq!(drafts(&DNS019, &scene).len(), 1);
    }
}
