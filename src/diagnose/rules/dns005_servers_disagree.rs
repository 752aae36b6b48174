//! DNS005: two DNS servers of this machine lead one name different ways.

use std::net::SocketAddr;

use ampls_probes::endpoint::Expect;

use crate::diagnose::command::{Address, Host, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, View, route_word};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::remedy;
use crate::diagnose::rule::{WRONG_ADDRESS, rule};

rule! {
    /// ## What it means
    ///
    /// Two DNS servers that this machine uses give different routes for one name: one a private address, the other a public
    /// one, or one of them denies the name. Which of them programs hear depends on which one answers: the order in the
    /// configuration, a timeout, `rotate`, or the link that a local stub prefers.
    ///
    /// It is an error when the server that is asked first is the wrong one, and a warning otherwise. A server that is known to
    /// bypass Azure's DNS, or to forward only some suffixes, explains it.
    ///
    /// ## Why it matters
    ///
    /// The path changes without any change by anybody: private today, public after the first server was slow once. Agents keep
    /// the address that they heard first until they are restarted.
    ///
    /// ## How to fix
    ///
    /// Let every configured server resolve alike: the same forwarders for the public zones, or the same links. A public
    /// resolver as a second server is not a reserve. It is another answer: remove it.
    ///
    /// ## How to confirm
    ///
    /// The columns of the servers in this program's table show one route for each name.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration>
    /// - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-name-resolution-for-vms-and-role-instances>
    /// - <https://man7.org/linux/man-pages/man5/resolv.conf.5.html>
    DNS005 = "servers-disagree" {
        layer: Dns,
        severity: Error,
        owner: Dns,
        hops: [Server],
        claim: Fault,
        all_names: true,
        no_answer: false,
        explains: [&["DNS007", "DNS015"], WRONG_ADDRESS],
    }
}

/// Fires for a name when all hold:
///
/// 1. Several servers resolve for this machine that do not change their answers from one try to the next (DNS019).
/// 2. They answered: with addresses, or with a denial.
/// 3. They give different answers for the name: privately, publicly, nowhere.
///
/// It is an error when the server that is asked first answered, and another one leads the name a better way:
///
/// 1. An address is better than none.
/// 2. For a name of an AMPLS a public one is better where public paths are expected, otherwise a private one.
fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let servers = facts.resolving_servers();
    facts.endpoints().iter().filter_map(|name| disagree(facts, name, &servers)).collect()
}

/// How a server leads a name, the best first where private paths are expected.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Led {
    Privately,
    Publicly,
    Nowhere,
}

fn led(view: &View) -> Led {
    if view.is_private() {
        return Led::Privately;
    }
    if view.is_public() { Led::Publicly } else { Led::Nowhere }
}

fn disagree(facts: &Facts<'_>, name: &EndpointFacts<'_>, servers: &[SocketAddr]) -> Option<Draft> {
    // Of a server whose answers change, a private one says what it can give; a public one may be chance.
    let steady = |view: &&View| view.is_private() || !view.server.is_some_and(|server| facts.flaps(server));
    let answered = |server: &SocketAddr| name.view_of(*server).filter(|view| view.answered()).filter(steady);
    let views: Vec<&View> = servers.iter().filter_map(answered).collect();
    let first = views.first()?;
    if views.iter().all(|view| led(view) == led(first)) {
        return None;
    }
    // The first of the configuration: when it was silent, nobody knows what it would have said.
    let asked_first = facts.first_servers();
    let wrong_way = |server: &SocketAddr| {
        answered(server).is_some_and(|asked| views.iter().any(|other| is_better(facts, name, led(other), led(asked))))
    };
    let wrong_ones: Vec<SocketAddr> = asked_first.into_iter().filter(wrong_way).collect();
    let wrong = !wrong_ones.is_empty();
    let turns = facts.in_turn(&wrong_ones);
    let routes: Vec<String> =
        views.iter().filter_map(|view| Some(format!("`{}` {}", view.server?, route_word(view.route)))).collect();
    let listed: Vec<String> = views.iter().filter_map(|view| view.server).map(|server| server.to_string()).collect();
    // A path that was led the best way fails for a reason of its own.
    let led_well =
        name.system().is_some_and(|seen| views.iter().all(|other| !is_better(facts, name, led(other), led(seen))));
    let severity = if wrong { Severity::Error } else { Severity::Warning };
    // The order of the servers behind a stub means nothing, and what it kept of one name is no other disagreement.
    let order = match facts.stub() {
        Some(_) => "stub",
        None if wrong => "first",
        None => "later",
    };
    Some(
        Draft::new(severity, Owner::Dns, Title::list("DNS servers disagree about ", [name.fqdn()], ""))
            .about([name.fqdn()])
            .group(order)
            .summary(format!(
                "this machine's DNS servers give different answers: {}{turns}; {}",
                routes.join(", "),
                if !turns.is_empty() {
                    "programs hear one or the other"
                } else if wrong {
                    "the server that is asked first gives the wrong answer"
                } else {
                    "which answer programs get depends on which server replies"
                }
            ))
            .evidence(views.iter().map(|view| facts.view_line(name, view)))
            .evidence(name.system().map(|view| facts.view_line(name, view)))
            .reaching(if led_well { Reach::Split { only: Vec::new(), own: &["DNS007", "DNS015"] } } else { Reach::Own })
            .list("servers", &listed)
            .arg("first_is_wrong", if wrong { "yes" } else { "no" })
            .excludes("one server whose answers change: what another gives differs from all of them")
            .fix([Fix::look(
                "check which DNS servers the network and the interface use",
                remedy::machine::dns_settings(facts),
            )])
            .fix(listed.iter().map(|server| {
                let server = server.rsplit_once(':').map_or(server.as_str(), |(address, _)| address);
                let server = server.trim_start_matches('[').trim_end_matches(']');
                Fix::look(
                    format!("query `{server}` yourself"),
                    [command!(Any, "nslookup {} {}", Host::new(name.fqdn()), Address::new(server))],
                )
            })),
    )
}

/// Whether the other way is the one that is wanted.
fn is_better(facts: &Facts<'_>, name: &EndpointFacts<'_>, other: Led, asked: Led) -> bool {
    if asked == Led::Nowhere || other == Led::Nowhere {
        return other < asked;
    }
    if name.ampls_zone(facts.observations()).is_none() {
        return false;
    }
    match facts.expect() {
        Expect::Public => other > asked,
        _ => other < asked,
    }
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{Outcome, ServerRole};
    use ampls_probes::testing::{CUSTOM, ODS, Says, Scene, private_world};

    use super::*;
    use crate::diagnose::diagnose;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    const SECOND: &str = "10.1.0.5:53";

    fn two_servers() -> Scene {
        let mut scene = private_world().server(SECOND, &[ServerRole::Configured]);
        for name in scene.observations().endpoints {
            scene = scene.says(SECOND, &name.fqdn, &Says::Private("10.0.0.5"));
        }
        scene
    }

    #[test]
    fn fires_as_error_when_the_first_server_is_wrong() {
        let found = fires_as_declared(&DNS005, &two_servers().says(CUSTOM, ODS, &Says::Public("20.1.1.1")));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        assert_eq!(found[0].endpoints, [ODS]);
    }

    #[test]
    fn fires_as_error_where_the_wrong_server_takes_its_turn() {
        let found = drafts(&DNS005, &two_servers().says(SECOND, ODS, &Says::Public("20.1.1.1")).rotate());
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        let words = format!("some questions, those that go to `{SECOND}` first");
        assert!(found[0].summary.contains(&words), "{}", found[0].summary);
        assert!(!found[0].summary.contains(&format!("`{CUSTOM}` first")), "{}", found[0].summary);
    }

    #[test]
    fn does_not_explain_a_path_that_was_led_the_right_way() {
        let scene = two_servers().says(SECOND, ODS, &Says::Public("20.1.1.1")).connects(ODS, &Outcome::TimedOut);
        let found = diagnose(&scene.observations());
        let order: Vec<_> = found.iter().map(|seen| (seen.code.as_str(), seen.caused_by.as_deref())).collect();
        assert!(order.contains(&("NET001", None)), "{order:?}");
        assert!(order.iter().any(|(code, _)| *code == "DNS005"), "{order:?}");
    }

    #[test]
    fn fires_as_warning_when_a_later_server_is_wrong() {
        for says in [Says::Public("20.1.1.1"), Says::DeniedByPrivateZone, Says::DeniedLocally] {
            let found = drafts(&DNS005, &two_servers().says(SECOND, ODS, &says));
            assert_eq!((found.len(), found[0].severity), (1, Severity::Warning), "{says:?}");
        }
    }

    #[test]
    fn fires_as_warning_when_public_is_wanted_and_the_first_is_public() {
        let scene = two_servers().says(CUSTOM, ODS, &Says::Public("20.1.1.1")).expect(Expect::Public);
        assert_eq!(drafts(&DNS005, &scene)[0].severity, Severity::Warning);
    }

    #[test]
    fn silent_about_a_server_that_does_not_answer() {
        assert_eq!(drafts(&DNS005, &two_servers().says(SECOND, ODS, &Says::Silence)), []);
        assert_eq!(drafts(&DNS005, &two_servers().says(SECOND, ODS, &Says::ServFail)), []);
    }

    #[test]
    fn silent_about_servers_that_are_not_used() {
        let scene = private_world().server(SECOND, &[ServerRole::Extra]).says(SECOND, ODS, &Says::Public("20.1.1.1"));
        assert_eq!(drafts(&DNS005, &scene), []);
    }

    #[test]
    fn silent_when_they_agree_by_other_addresses() {
        assert_eq!(drafts(&DNS005, &two_servers()), []);
    }
}
