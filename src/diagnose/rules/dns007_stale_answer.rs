//! DNS007: this machine's resolver gives what no server says any more.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use ampls_probes::endpoint::Expect;

use crate::diagnose::command::{Command, Host, command};
use crate::diagnose::draft::{Draft, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, Route, Status, View, route_word};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::remedy;
use crate::diagnose::rule::{WRONG_ADDRESS, rule};

rule! {
    /// ## What it means
    ///
    /// The operating system answers a name with another route than every DNS server it uses: private where all of them say
    /// public, public where all say private, an address where all deny the name, or none where all have one. No line of the
    /// hosts file and no search suffix explains it, and no server gives it, so that no per-link choice of servers does. What
    /// is left is an answer kept from before: the cache of the system, of `nscd`, `sssd`, `dnsmasq` or
    /// systemd-resolved, or a resolver of another kind (a VPN client's, a module of `nsswitch.conf`).
    ///
    /// ## Why it matters
    ///
    /// After a change of DNS the machine goes on using the old path until the answer expires, while `nslookup` and `dig`, which
    /// ask the server themselves, already show the new one. Agents also keep their own copy until they are restarted.
    ///
    /// ## How to fix
    ///
    /// Empty the cache and restart the agent. If the answer stays, look for what else answers: the `hosts:` line of
    /// `nsswitch.conf`, a VPN client, a local DNS service.
    ///
    /// ## How to confirm
    ///
    /// `getent ahosts <name>` (Linux) or `Resolve-DnsName <name>` (Windows) gives what the DNS server gives.
    ///
    /// ## References
    ///
    /// - <https://www.freedesktop.org/software/systemd/man/latest/resolvectl.html>
    /// - <https://learn.microsoft.com/powershell/module/dnsclient/clear-dnsclientcache>
    /// - <https://man7.org/linux/man-pages/man5/nsswitch.conf.5.html>
    DNS007 = "stale-answer" {
        layer: Dns,
        severity: Warning,
        owner: Os,
        hops: [Address],
        claim: Fault,
        all_names: true,
        no_answer: false,
        explains: [&["DNS014", "DNS015", "DNS023", "TLS003"], WRONG_ADDRESS],
    }
}

/// Fires for a name when all hold:
///
/// 1. No server that this machine uses changes its answers from one try to the next (DNS019).
/// 2. The system gave an address, or said that there is none.
/// 3. Every server that this machine uses, and that answers anything at all, answered.
/// 4. Neither the hosts file nor a search domain explains the system's answer (DNS006, DNS022).
/// 5. No server gives the system's route, and no route is mixed: that would be a question of preference.
fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let servers = facts.resolving_servers();
    // What such a server gave the system was chance.
    if servers.iter().any(|server| facts.flaps(*server)) {
        return Vec::new();
    }
    // What answers nothing gave the system nothing either.
    let answered = facts.endpoints().iter().flat_map(EndpointFacts::server_views).filter(|view| view.answered());
    let speaking: BTreeSet<SocketAddr> = answered.filter_map(|view| view.server).collect();
    let servers: Vec<SocketAddr> = servers.into_iter().filter(|server| speaking.contains(server)).collect();
    facts.endpoints().iter().filter_map(|name| stale(facts, name, &servers)).collect()
}

fn stale(facts: &Facts<'_>, name: &EndpointFacts<'_>, servers: &[SocketAddr]) -> Option<Draft> {
    let system = name.system()?;
    let kept = kept_route(facts, name, system)?;
    let views: Vec<&View> = servers.iter().filter_map(|server| name.view_of(*server)).collect();
    let given: BTreeSet<Route> = views.iter().map(|view| view.route).collect();
    let none_says_so = !views.is_empty()
        && views.len() == servers.len()
        && views.iter().all(|view| view.answered() && view.route != kept);
    let explained = !facts.hosts_entries(name.fqdn()).is_empty() || facts.answered_by_search(name).is_some();
    // A name with both kinds of addresses is a question of preference, not of age.
    let shared = || {
        let given = |address| views.iter().any(|view| view.addresses.contains(address));
        kept == Route::Mixed || system.addresses.iter().any(given)
    };
    let mixed = kept == Route::Mixed || given.contains(&Route::Mixed);
    if !none_says_so || explained || (mixed && shared()) {
        return None;
    }
    let several =
        |word: fn(Route) -> &'static str| given.iter().map(|route| word(*route)).collect::<Vec<_>>().join(" or ");
    let astray = name.ampls_zone(facts.observations()).is_some() && kept != Route::Private;
    let severity = if facts.expect() == Expect::Private && astray { Severity::Error } else { Severity::Warning };
    let listed: Vec<String> = servers.iter().map(ToString::to_string).collect();
    Some(
        Draft::new(
            severity,
            Owner::Os,
            Title::list("this machine's resolver gives an address that no DNS server returns: ", [name.fqdn()], ""),
        )
        .about([name.fqdn()])
        .group(format!("{} {}", route_word(kept), several(route_word)))
        .summary(format!(
            "the operating system gives {} for the name, every DNS server that it uses {}: a cached old answer, or another resolver in between",
            led(kept),
            several(led)
        ))
        .evidence([facts.view_line(name, system)])
        .evidence(views.iter().map(|view| facts.view_line(name, view)))
        .arg("system", route_word(kept))
        .arg("servers_say", several(route_word))
        .list("server", &listed)
        .excludes("the hosts file: no line of it names the endpoint")
        .excludes("different servers for each interface: none of them gives it")
        .likely()
        .maybe_meant()
        .fix(fixes(facts, name.fqdn())),
    )
}

/// The route that the system gives; `None` where it gave no answer to judge by.
fn kept_route(facts: &Facts<'_>, name: &EndpointFacts<'_>, system: &View) -> Option<Route> {
    let not_found = ampls_probes::observation::LookupFailure::NotFound;
    match system.status {
        Status::Ok => Some(system.route),
        Status::Failed => {
            let failed = facts.lookup(name.fqdn()).and_then(|lookup| lookup.outcome.failed());
            (failed == Some(&not_found)).then_some(Route::None)
        }
        _ => None,
    }
}

fn led(route: Route) -> &'static str {
    match route {
        Route::Private => "a private address",
        Route::Public => "a public address",
        Route::Mixed => "both kinds of addresses",
        Route::None => "no usable address",
    }
}

fn fixes(facts: &Facts<'_>, fqdn: &str) -> Vec<Fix> {
    if facts.on_windows() {
        return vec![
            Fix::look(
                "look at the cache",
                [
                    command!(PowerShell, "Get-DnsClientCache -Entry {}", Host::new(fqdn)),
                    command!(PowerShell, "Resolve-DnsName {} -DnsOnly -NoHostsFile", Host::new(fqdn)),
                ],
            ),
            Fix::change(
                BlastRadius::Machine,
                "clear the system's DNS cache; agents keep their own copy until they are restarted",
            )
            .under(remedy::Right::MACHINE)
            .with([command!(PowerShell, "Clear-DnsClientCache")])
            .after_looking(
                "clearing it loses nothing: the system asks again",
                [command!(PowerShell, "Get-DnsClientCache -Entry {}", Host::new(fqdn))],
            )
            .undone_by("nothing to undo: the cache fills again"),
        ];
    }
    vec![
        Fix::look(
            "see what answers on this machine: a cache, or another source of names than DNS",
            [
                command!(Sh, "getent ahosts {}", Host::new(fqdn)),
                command!(Sh, "grep hosts: /etc/nsswitch.conf"),
                command!(Sh, "resolvectl query {}", Host::new(fqdn)),
            ],
        ),
        empty(
            "systemd-resolved",
            command!(Sh, "systemctl is-active systemd-resolved"),
            command!(Sh, "sudo resolvectl flush-caches"),
        ),
        empty("nscd", command!(Sh, "systemctl is-active nscd"), command!(Sh, "sudo nscd -i hosts")).instead(),
        // Dnsmasq forgets its answers at this signal and goes on serving (dnsmasq(8), NOTES).
        empty(
            "dnsmasq",
            command!(Sh, "systemctl is-active dnsmasq"),
            command!(Sh, "sudo systemctl kill --signal=HUP dnsmasq"),
        )
        .instead(),
    ]
}

fn empty(cache: &str, look: Command, command: Command) -> Fix {
    Fix::change(
        BlastRadius::Machine,
        format!(
            "if `{cache}` caches the answers, clear its cache; agents keep their own copy until they are restarted"
        ),
    )
    .under(remedy::Right::MACHINE)
    .with([command])
    .after_looking("clearing it loses nothing: the system asks again", [look])
    .undone_by("nothing to undo: the cache fills again")
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::ServerRole;
    use ampls_probes::testing::{CUSTOM, ODS, Says, private_world, public_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_when_the_system_says_what_no_server_says() {
        let cases = [
            (private_world(), Says::Public("20.1.1.1"), "public"),
            (public_world(), Says::Private("10.0.0.5"), "private"),
            (private_world(), Says::NoSuchName, "none"),
        ];
        for (scene, says, system) in cases {
            let found = fires_as_declared(&DNS007, &scene.system(ODS, &says));
            assert_eq!((found.len(), found[0].severity), (1, Severity::Warning), "{says:?}");
            assert_eq!(found[0].args["system"], system);
        }
        let gone = private_world().everywhere(ODS, &Says::DeniedByPrivateZone).system(ODS, &Says::Private("10.0.0.6"));
        assert_eq!(drafts(&DNS007, &gone)[0].args["servers_say"], "none");
    }

    #[test]
    fn fires_with_one_command_for_each_cache_and_any_of_them_may_do() {
        let found = drafts(&DNS007, &private_world().system(ODS, &Says::Public("20.1.1.1")));
        let changes: Vec<&Fix> = found[0].fix.iter().filter(|fix| !fix.read_only).collect();
        let caches: Vec<_> = changes.iter().map(|fix| (fix.alternative, fix.lines())).collect();
        assert_eq!(caches.iter().map(|(alternative, _)| *alternative).collect::<Vec<_>>(), [false, true, true]);
        assert!(
            caches.iter().all(|(_, command)| command.lines().count() == 1 && !command.contains("restart")),
            "{caches:?}"
        );
    }

    #[test]
    fn fires_where_the_servers_disagree_about_what_none_of_them_gives() {
        let scene = private_world()
            .server("10.1.0.5:53", &[ServerRole::Configured])
            .server_says("10.1.0.5:53", &Says::DeniedLocally)
            .system(ODS, &Says::Public("20.1.1.1"));
        assert_eq!(drafts(&DNS007, &scene)[0].args["servers_say"], "private or none");
    }

    #[test]
    fn fires_as_error_where_private_was_asked_for() {
        let scene = private_world().system(ODS, &Says::Public("20.1.1.1")).expect(Expect::Private);
        assert_eq!(drafts(&DNS007, &scene)[0].severity, Severity::Error);
    }

    #[test]
    fn silent_when_any_server_says_the_same() {
        let second = "10.1.0.5:53";
        let scene = private_world()
            .server(second, &[ServerRole::Configured])
            .server_says(second, &Says::Public("20.1.1.1"))
            .system(ODS, &Says::Public("20.1.1.1"));
        assert_eq!(drafts(&DNS007, &scene), []);
    }

    #[test]
    fn silent_when_a_server_did_not_answer() {
        let scene = private_world().system(ODS, &Says::Public("20.1.1.1")).says(CUSTOM, ODS, &Says::Silence);
        assert_eq!(drafts(&DNS007, &scene), []);
    }

    #[test]
    fn fires_beside_a_server_that_answers_nothing() {
        let second = "10.1.0.5:53";
        let mut scene =
            private_world().server(second, &[ServerRole::Configured]).system(ODS, &Says::Public("20.1.1.1"));
        for says in [Says::Silence, Says::ServFail] {
            scene = scene.server_says(second, &says);
            let found = drafts(&DNS007, &scene);
            assert_eq!(found.iter().map(|draft| draft.lists["server"].clone()).collect::<Vec<_>>(), [[CUSTOM]]);
        }
    }

    #[test]
    fn silent_when_the_hosts_file_explains_it() {
        assert_eq!(drafts(&DNS007, &private_world().hosts("20.1.1.1", ODS)), []);
    }

    #[test]
    fn silent_when_the_answers_of_the_server_flap() {
        let scene =
            private_world().then_says(CUSTOM, ODS, &Says::Public("20.1.1.1")).system(ODS, &Says::Public("20.1.1.1"));
        assert_eq!(drafts(&DNS007, &scene), []);
    }

    #[test]
    fn silent_when_the_system_could_not_ask() {
        assert_eq!(drafts(&DNS007, &private_world().system(ODS, &Says::ServFail)), []);
        assert_eq!(drafts(&DNS007, &private_world()), []);
    }

    #[test]
    fn fires_for_one_private_answer_that_only_the_stub_gives() {
        let stub = "127.0.0.53:53";
        let scene = public_world()
            .server(stub, &[ServerRole::Configured])
            .server_says(stub, &Says::Public("20.1.1.1"))
            .says(stub, ODS, &Says::Plain("10.0.0.6"))
            .server(CUSTOM, &[ServerRole::Upstream])
            .system(ODS, &Says::Private("10.0.0.6"));
        assert_eq!(drafts(&DNS007, &scene).iter().map(|draft| draft.endpoints.clone()).collect::<Vec<_>>(), [[ODS]]);
    }

    #[test]
    fn silent_where_both_kinds_of_addresses_are_given_and_the_system_has_one_of_them() {
        let both = private_world().system(ODS, &Says::Dual("10.0.0.6", "2603:1020::9"));
        assert_eq!(drafts(&DNS007, &both), [], "the system adds an address of the other kind");
        let mixed = private_world().everywhere(ODS, &Says::Dual("20.1.1.1", "fd00::6"));
        assert_eq!(drafts(&DNS007, &mixed.clone().system(ODS, &Says::Plain("20.1.1.1"))), []);
        let other = drafts(&DNS007, &mixed.system(ODS, &Says::Plain("20.9.9.9")));
        assert_eq!(other.len(), 1, "an address that no server gives");
    }
}
