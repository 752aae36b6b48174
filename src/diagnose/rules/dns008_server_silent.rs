//! DNS008: a configured DNS server does not answer.

use std::net::{IpAddr, SocketAddr};

use ampls_probes::observation::{DnsFailure, IoFailure, Purpose, Transport};

use crate::diagnose::command::{Command, Host, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, Status};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// A DNS server of this machine's configuration answered none of the questions it was asked: silence, or a port that
    /// nobody listens on. It is a warning while another server answers, and an error when none does. A server behind a local
    /// stub that works is information: the stub has others to ask. Where a rule of Windows (NRPT) sends some names to silent
    /// servers alone, it is an error for these names: no other server is asked for them.
    ///
    /// Where this machine asks with EDNS (`options edns0`) and the server answers as soon as it is asked without, it is not the
    /// server that is silent: it, or a firewall on the way, drops questions with EDNS. It is proven where a question with EDNS
    /// that was sent at the same time had no answer either.
    ///
    /// The placeholder servers `fec0:0:0:ffff::1` to `::3`, which Windows lists on adapters without a DNS server, are left
    /// out.
    ///
    /// ## Why it matters
    ///
    /// With a silent first server every lookup waits for its timeout (5 s by default on Linux) before the next one is asked:
    /// agents start slowly, time out, and their logs tell of names that do not resolve. With no server left nothing resolves.
    ///
    /// ## How to fix
    ///
    /// Check that the way to the server is open: a network security group, a firewall, a peering that is missing, a server
    /// that is off. 168.63.129.16 answers only inside Azure, and a rule against the service tag `AzurePlatformDNS` or the
    /// machine's own firewall silences it. Take a server that no longer exists out of the network's DNS settings. Where EDNS is
    /// dropped, let the server and the firewalls on the way take it; without `edns0` this machine does not use it meanwhile.
    ///
    /// ## How to confirm
    ///
    /// `nslookup global.handler.control.monitor.azure.com <server>` answers at once.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16>
    /// - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-name-resolution-for-vms-and-role-instances>
    /// - <https://man7.org/linux/man-pages/man5/resolv.conf.5.html>
    DNS008 = "server-silent" {
        layer: Dns,
        severity: Warning,
        owner: Network,
        hops: [Server],
        claim: Fault,
        all_names: true,
        no_answer: false,
        explains: [&["DNS009", "DNS010", "DNS016"]],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let configured = facts.configured_servers();
    let mut servers = configured.clone();
    servers.extend(facts.upstream_servers().into_iter().filter(|server| !configured.contains(server)));
    servers.retain(|server| !is_placeholder(server.ip()));
    let answers = |server: &SocketAddr| facts.asked_of(*server).any(|(_, status)| answered(status));
    // A stub answers for itself when all behind it are silent.
    let stub = facts.stub();
    // One that gives a kept answer or two, and fails for the rest, does not.
    let stub_works = stub.is_some_and(|stub| {
        let is_answer = |status: &Status| matches!(status, Status::Ok | Status::NoData | Status::NxDomain);
        let statuses: Vec<Status> = facts.asked_of(stub).map(|(_, status)| status).collect();
        let answers = statuses.iter().filter(|status| is_answer(status)).count();
        answers * 2 > statuses.len()
    });
    let none_answers = !stub_works && !servers.iter().filter(|server| Some(**server) != stub).any(answers);
    let silent: Vec<SocketAddr> = servers.iter().copied().filter(|server| is_silent(facts, *server)).collect();
    silent
        .iter()
        .map(|server| {
            let lost = if none_answers { Vec::new() } else { lost(facts, *server, &silent) };
            let severity = match configured.contains(server) {
                _ if none_answers || !lost.is_empty() => Severity::Error,
                false if stub_works => Severity::Info,
                _ => Severity::Warning,
            };
            draft(facts, *server, severity, none_answers, &lost)
        })
        .collect()
}

/// The names that this machine asks a server for, and besides it only servers that are as silent.
fn lost<'f>(facts: &'f Facts<'_>, server: SocketAddr, silent: &[SocketAddr]) -> Vec<&'f str> {
    let is_lost = |name: &&EndpointFacts<'_>| {
        let asked: Vec<SocketAddr> = name.server_views().filter_map(|view| view.server).collect();
        asked.contains(&server) && asked.iter().all(|server| silent.contains(server))
    };
    facts.endpoints().iter().filter(is_lost).map(EndpointFacts::fqdn).collect()
}

/// Windows lists these on adapters without a DNS server (RFC 3879 deprecates the prefix).
fn is_placeholder(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.segments().starts_with(&[0xfec0, 0, 0, 0xffff]))
}

fn answered(status: Status) -> bool {
    !matches!(status, Status::Timeout | Status::Unreachable | Status::Cancelled | Status::Skipped)
}

fn is_silent(facts: &Facts<'_>, server: SocketAddr) -> bool {
    let mut asked = facts.asked_of(server).map(|(_, status)| status).peekable();
    let statuses: Vec<Status> = asked.by_ref().collect();
    !statuses.iter().any(|status| answered(*status))
        && statuses.iter().any(|status| matches!(status, Status::Timeout | Status::Unreachable))
}

fn draft(facts: &Facts<'_>, server: SocketAddr, severity: Severity, none_answers: bool, lost: &[&str]) -> Draft {
    let failed = || facts.asked_of(server).filter_map(|(answer, _)| answer.outcome.failed());
    let closed = failed().any(|failure| *failure == DnsFailure::Unreachable(IoFailure::Refused));
    let without_edns = facts.answered_otherwise(server, Purpose::WithoutEdns);
    let kind = match failed().any(|failure| matches!(failure, DnsFailure::Unreachable(_))) {
        _ if without_edns.is_some() => "edns-dropped",
        _ if closed => "port-closed",
        true => "unreachable",
        false => "silence",
    };
    let asked = facts.asked_of(server).count();
    let lines = facts.asked_of(server).filter(|(_, status)| matches!(status, Status::Timeout | Status::Unreachable));
    let title = if without_edns.is_some() {
        "DNS server does not answer questions with EDNS: "
    } else {
        "DNS server does not answer: "
    };
    let query = if without_edns.is_some() {
        Fix::look(
            "compare the answers with and without EDNS, and check for a firewall on the way that inspects DNS",
            compare_edns(facts, server),
        )
    } else {
        Fix::look(format!("query `{server}` yourself, over UDP and TCP"), query_both(facts, server))
    };
    let whom = match lost {
        _ if none_answers => "all",
        [] => "one",
        _ => "names",
    };
    let rule = lost.first().and_then(|name| facts.resolver_config()?.rule_of(name));
    let mut draft = Draft::new(severity, Owner::Network, Title::list(title, [server.to_string()], ""))
        .about(lost.iter().copied())
        .group(format!("{whom}{}", if without_edns.is_some() { " edns" } else { "" }))
        .summary(if without_edns.is_some() {
            "this machine asks with EDNS, and this DNS server answered none of these questions; without EDNS it answers, so the server or something on the way to it drops EDNS"
        } else if none_answers {
            "no DNS server of this machine answers, so no name resolves"
        } else if !lost.is_empty() {
            "this machine asks only silent DNS servers for these names, so they do not resolve, although other servers answer"
        } else {
            "this DNS server answered none of the questions it was asked; lookups that start with it wait for its timeout before the next server is asked"
        })
        .evidence(lines.take(3).map(|(answer, _)| facts.answer_line(answer)))
        .evidence(without_edns.map(|answer| facts.answer_line(answer)))
        .evidence(rule.map(|rule| format!("a rule sends these names to this server: {}", quote(&rule.source))))
        .list("server", [server.to_string()])
        .arg("questions", asked.to_string())
        .arg("kind", kind)
        .reaching(match lost {
            _ if none_answers => Reach::Machine,
            [] => Reach::Nothing,
            names => Reach::Only(names.iter().map(|name| (*name).to_owned()).collect()),
        })
        .fix([
            query,
            Fix::look(
                "check which DNS servers the network and the interface use",
                remedy::machine::dns_settings(facts),
            ),
        ]);
    if without_edns.is_some() {
        // Between the first questions and the one without EDNS a server may have come back.
        let silent_again = facts.asked_of(server).any(|(answer, _)| answer.try_number > 0);
        draft = if silent_again {
            draft.excludes("a server that came back meanwhile: at the same time a question with EDNS had no answer")
        } else {
            draft.likely()
        };
        return draft.excludes("a server that is off, and a filter that drops all DNS: without EDNS it answers").fix([
            Fix::change(
                BlastRadius::Machine,
                "until the server or the firewall takes EDNS, take `edns0` out of the `options` of this machine's resolver",
            )
            .under(remedy::Right::MACHINE)
            .after("find out who writes `/etc/resolv.conf` (`ls -l /etc/resolv.conf`), and change it there; what validates DNSSEC on this machine needs EDNS")
            .undone_by("put `edns0` back"),
        ]);
    }
    let address = server.ip().to_string();
    // Security rules about its address and routes do not govern 168.63.129.16, the tag does; and they drop, never answer.
    // Source: <https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16>
    draft = if Facts::is_azure_dns(server) {
        draft.fix(remedy::machine::look_at_groups(
            facts,
            "check for a rule that blocks the service tag `AzurePlatformDNS`, and for one in this machine's own firewall; outside Azure 168.63.129.16 never answers",
        ))
    } else {
        match kind {
            "silence" => draft.fix(remedy::machine::effective_rules(facts, &address, "UDP and TCP 53")),
            "unreachable" => draft.fix(remedy::machine::effective_route(facts, &address)),
            _ => draft,
        }
    };
    if closed {
        draft = draft.excludes("a filter that drops packets: the host said that nobody listens");
    }
    draft
}

/// A name that every server is asked for.
const ASKED: &str = "global.handler.control.monitor.azure.com";

fn query_both(facts: &Facts<'_>, server: SocketAddr) -> Vec<Command> {
    if facts.on_windows() {
        let ask = |transport| remedy::local::ask_on_windows(server, Host::new(ASKED), transport);
        return vec![ask(Transport::Udp), ask(Transport::Tcp)];
    }
    let (address, port) = (server.ip(), server.port());
    vec![
        command!(Sh, "dig @{} -p {} global.handler.control.monitor.azure.com +tries=1", address, port),
        command!(Sh, "dig @{} -p {} global.handler.control.monitor.azure.com +tcp +tries=1", address, port),
    ]
}

/// No program of Windows lets one choose: `nslookup` asks without EDNS, the system's own client with it.
fn compare_edns(facts: &Facts<'_>, server: SocketAddr) -> Vec<Command> {
    let (address, port) = (server.ip(), server.port());
    if facts.on_windows() {
        return vec![
            remedy::local::ask_on_windows(server, Host::new(ASKED), Transport::Udp),
            command!(Any, "nslookup -port={} {} {}", port, Host::new(ASKED), address),
        ];
    }
    vec![
        command!(Sh, "dig @{} -p {} global.handler.control.monitor.azure.com +edns=0 +tries=1", address, port),
        command!(Sh, "dig @{} -p {} global.handler.control.monitor.azure.com +noedns +tries=1", address, port),
    ]
}

#[cfg(test)]
mod tests {
    use ampls_probes::Observations;
    use ampls_probes::observation::{NameRule, Observation, Outcome, Resolver, ServerRole};
    use ampls_probes::testing::{AZURE, CUSTOM, ODS, Says, private_world, public_world};

    use super::*;
    use crate::diagnose::finding::Certainty;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    const SECOND: &str = "10.1.0.5:53";

    #[test]
    fn fires_as_error_when_no_server_answers() {
        let found = drafts(&DNS008, &private_world().server_says(CUSTOM, &Says::Silence));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        assert_eq!(found[0].reach, Reach::Machine);
    }

    #[test]
    fn fires_as_proven_where_edns_alone_is_dropped_at_the_same_time() {
        let once = private_world().server_says(CUSTOM, &Says::Silence).further(
            CUSTOM,
            Purpose::WithoutEdns,
            ODS,
            &Says::Private("10.0.0.6"),
        );
        let again = once.clone().then_says(CUSTOM, ODS, &Says::Silence);
        for (scene, certainty) in [(once, Certainty::Likely), (again, Certainty::Proven)] {
            let found = drafts(&DNS008, &scene);
            assert_eq!(found.len(), 1);
            assert_eq!((found[0].args["kind"].as_str(), found[0].certainty), ("edns-dropped", certainty));
        }
    }

    #[test]
    fn fires_as_warning_while_another_server_answers() {
        let scene = private_world().server(SECOND, &[ServerRole::Configured]).server_says(SECOND, &Says::Closed);
        let found = fires_as_declared(&DNS008, &scene);
        assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
        assert_eq!(found[0].args["kind"], "port-closed");
    }

    #[test]
    fn fires_with_the_checks_that_the_evidence_leaves() {
        let checks = |scene: &ampls_probes::testing::Scene, server: &str| {
            let found = drafts(&DNS008, scene);
            let of_server = found.iter().find(|draft| draft.lists["server"] == [server]);
            let fixes = of_server.map_or(&[][..], |draft| &draft.fix);
            fixes.iter().flat_map(|fix| [fix.text.clone(), fix.lines()]).collect::<Vec<_>>().join("\n")
        };
        let silent = checks(&private_world().server_says(CUSTOM, &Says::Silence), CUSTOM);
        assert!(silent.contains("list-effective-nsg") && silent.contains("route-table"), "{silent}");
        let closed = checks(&private_world().server_says(CUSTOM, &Says::Closed), CUSTOM);
        assert!(!closed.contains("nsg"), "{closed}");
        let azure = private_world().server(AZURE, &[ServerRole::Configured]).server_says(AZURE, &Says::Silence);
        let azure = checks(&azure, AZURE);
        assert_eq!(azure.matches("list-effective-nsg").count(), 1, "{azure}");
        assert!(azure.contains("AzurePlatformDNS") && !azure.contains("route-table"), "{azure}");
    }

    fn failing_with(failure: IoFailure) -> Vec<Draft> {
        let mut seen = private_world().server_says(CUSTOM, &Says::Closed).observations();
        for step in &mut seen.seen {
            if let Observation::Answer(answer) = step
                && answer.outcome.failed().is_some()
            {
                answer.outcome = Outcome::Failed(DnsFailure::Unreachable(failure));
            }
        }
        check(&Facts::new(&seen))
    }

    #[test]
    fn only_a_refusal_shows_that_nobody_listens() {
        for (failure, kind) in [
            (IoFailure::Refused, "port-closed"),
            (IoFailure::HostUnreachable, "unreachable"),
            (IoFailure::NotPermitted, "unreachable"),
        ] {
            let found = failing_with(failure);
            assert_eq!(found[0].args["kind"], kind);
            assert_eq!(found[0].excludes.is_empty(), kind != "port-closed", "{failure:?}");
        }
    }

    #[test]
    fn silent_when_this_process_had_no_sockets() {
        assert_eq!(failing_with(IoFailure::NoSockets), []);
    }

    #[test]
    fn fires_as_information_behind_a_working_stub() {
        let scene = private_world()
            .server("127.0.0.53:53", &[ServerRole::Configured])
            .server_says("127.0.0.53:53", &Says::Private("10.0.0.5"))
            .server(CUSTOM, &[ServerRole::Upstream])
            .server_says(CUSTOM, &Says::Silence)
            .stub();
        assert_eq!(drafts(&DNS008, &scene)[0].severity, Severity::Info);
    }

    /// A rule sends the names of log ingestion to this server alone.
    fn send_ods_to(server: &str, seen: &mut Observations) {
        for step in &mut seen.seen {
            if let Observation::Resolver(Resolver { outcome: Outcome::Seen(config), .. }) = step {
                config.rules.push(NameRule {
                    source: r"HKLM\X".to_owned(),
                    namespaces: vec![format!(".{}", ODS.split_once('.').expect("a name").1)],
                    servers: vec![server.parse().expect("an address")],
                });
            }
        }
    }

    #[test]
    fn fires_as_error_for_the_names_that_a_rule_sends_to_it_alone() {
        let dead = "10.9.0.4:53";
        let mut seen =
            private_world().server(dead, &[ServerRole::Rule]).server_says(dead, &Says::Silence).observations();
        send_ods_to(dead, &mut seen);
        let found = check(&Facts::new(&seen));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        assert!(found[0].endpoints.iter().any(|name| name == ODS), "{:?}", found[0].endpoints);
        assert_eq!(found[0].reach, Reach::Only(found[0].endpoints.clone()));
    }

    #[test]
    fn servers_that_lose_names_and_servers_that_only_delay_are_findings_of_their_own() {
        let (dead, slow) = ("10.9.0.4:53", "10.9.0.5:53");
        let mut scene = private_world().server(dead, &[ServerRole::Rule]).server(slow, &[ServerRole::Configured]);
        for name in scene.observations().endpoints {
            scene = scene.says(slow, &name.fqdn, &Says::Silence);
        }
        let mut seen = scene.says(dead, ODS, &Says::Silence).observations();
        send_ods_to(dead, &mut seen);
        let groups = |seen: &Observations| -> Vec<(String, Severity)> {
            check(&Facts::new(seen)).into_iter().map(|draft| (draft.group, draft.severity)).collect()
        };
        let apart = [("names".to_owned(), Severity::Error), ("one".to_owned(), Severity::Warning)];
        let mut found = groups(&seen);
        found.sort();
        assert_eq!(found, apart);
        let none = private_world().server(slow, &[ServerRole::Configured]).server_says(slow, &Says::Silence);
        let none = groups(&none.server_says(CUSTOM, &Says::Silence).observations());
        assert_eq!(none, [("all".to_owned(), Severity::Error), ("all".to_owned(), Severity::Error)]);
    }

    #[test]
    fn silent_about_placeholders() {
        let placeholder = "[fec0:0:0:ffff::1]:53";
        let scene =
            public_world().server(placeholder, &[ServerRole::Configured]).server_says(placeholder, &Says::Silence);
        assert_eq!(drafts(&DNS008, &scene), []);
    }

    #[test]
    fn silent_when_the_run_ended_first() {
        assert_eq!(drafts(&DNS008, &private_world().server_says(CUSTOM, &Says::Unfinished)), []);
    }

    #[test]
    fn silent_when_one_question_was_lost() {
        assert_eq!(drafts(&DNS008, &private_world().says(CUSTOM, ODS, &Says::Silence)), []);
    }

    #[test]
    fn silent_about_azure_dns_that_is_not_configured() {
        assert_eq!(drafts(&DNS008, &private_world().server_says(AZURE, &Says::Silence)), []);
    }

    #[test]
    fn fires_as_error_behind_a_stub_that_only_gives_a_kept_answer() {
        let stub = "127.0.0.53:53";
        let scene = private_world()
            .server(stub, &[ServerRole::Configured])
            .server_says(stub, &Says::ServFail)
            .says(stub, ODS, &Says::Private("10.0.0.6"))
            .server(CUSTOM, &[ServerRole::Upstream])
            .server_says(CUSTOM, &Says::Silence);
        let found = drafts(&DNS008, &scene);
        assert_eq!(found.iter().map(|draft| draft.severity).collect::<Vec<_>>(), [Severity::Error]);
    }
}
