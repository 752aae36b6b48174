//! DNS010: long answers of a DNS server never arrive.

use std::net::SocketAddr;

use ampls_probes::observation::{Answer, DnsFailure, Transport};

use crate::diagnose::command::{Host, command};
use crate::diagnose::draft::{Draft, Title};
use crate::diagnose::facts::{Facts, Status};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};

rule! {
    /// ## What it means
    ///
    /// A DNS server's answers do not fit into a datagram: it cuts them short and asks to be asked again over TCP. TCP to port
    /// 53 of that server is dropped, refused or breaks. The names of Azure Monitor run through long chains of aliases, so that
    /// exactly these answers are cut where the resolver does not announce a larger size (`options edns0`).
    ///
    /// It is a warning when the system still resolves the name by another server.
    ///
    /// ## Why it matters
    ///
    /// Short names resolve and these do not: ping and web pages work, agents cannot find their service. glibc reports it as a
    /// temporary failure in name resolution.
    ///
    /// ## How to fix
    ///
    /// Allow TCP 53 to the DNS server beside UDP 53, in the network security group, the firewall and the server's own firewall.
    /// `options edns0` in the resolver configuration makes it rarer, and hides it.
    ///
    /// ## How to confirm
    ///
    /// `dig +tcp <name> @<server>` answers.
    ///
    /// ## References
    ///
    /// - <https://www.rfc-editor.org/rfc/rfc7766>
    /// - <https://man7.org/linux/man-pages/man5/resolv.conf.5.html>
    DNS010 = "dns-tcp-blocked" {
        layer: Dns,
        severity: Error,
        owner: Network,
        hops: [Server],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [&["DNS005", "DNS007", "DNS009"]],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    facts.resolving_servers().into_iter().filter_map(|server| blocked(facts, server)).collect()
}

fn blocked(facts: &Facts<'_>, server: SocketAddr) -> Option<Draft> {
    let cut: Vec<&Answer> = facts
        .asked_of(server)
        .map(|(answer, _)| answer)
        .filter(|answer| matches!(answer.outcome.failed(), Some(DnsFailure::Truncated(_))))
        .collect();
    let first = cut.first()?;
    let mut names: Vec<&str> = cut.iter().map(|answer| answer.name.as_str()).collect();
    names.dedup();
    let concerned: Vec<_> = facts.endpoints().iter().filter(|name| names.contains(&name.fqdn())).collect();
    let resolves = !concerned.is_empty()
        && concerned.iter().all(|name| name.system().is_some_and(|view| view.status == Status::Ok));
    let how = match first.outcome.failed() {
        Some(DnsFailure::Truncated(Some(_))) => "fails",
        _ => "times out",
    };
    let severity = if resolves { Severity::Warning } else { Severity::Error };
    let edns = facts.resolver_config().is_some_and(|config| config.edns0);
    let address = server.ip().to_string();
    Some(
        Draft::new(
            severity,
            Owner::Network,
            Title::plain(format!("DNS over TCP to `{server}` {how}: {} long answers are lost", names.len())),
        )
        .about(concerned.iter().map(|name| name.fqdn()))
        .group(server.to_string())
        .summary(format!(
            "`{server}` truncates these answers because they do not fit into a datagram, and TCP 53, which would give the rest, {how}{}",
            if resolves { "; the system resolves the names through another server" } else { "" }
        ))
        .evidence(cut.iter().map(|answer| {
            format!("{} `{server}` cut its answer about `{}` short, and TCP did not give the rest", facts.when(&answer.timing), answer.name)
        }))
        .list("server", [server.to_string()])
        .list("names", [names.len().to_string()])
        .arg("edns0", if edns { "yes" } else { "no" })
        .excludes("a server that is silent or unreachable: it answers over UDP")
        .fix([Fix::look(
            format!("query `{address}` over TCP yourself"),
            [if facts.on_windows() {
                remedy::local::ask_on_windows(server, Host::new(&first.name), Transport::Tcp)
            } else {
                command!(Sh, "dig +tcp {} @{} -p {}", Host::new(&first.name), server.ip(), server.port())
            }],
        )])
        .fix(remedy::machine::effective_rules(facts, &address, "TCP 53"))
        .fix([Fix::change(BlastRadius::Vnet, format!("allow TCP 53 to `{address}` where UDP 53 is allowed (network security group, firewall, the server's own firewall)"))
            .under(remedy::Right::SECURITY_GROUP)
            .with([command!(
                Any,
                "az network nsg rule create --subscription NSG_SUBSCRIPTION -g NSG_RESOURCE_GROUP --nsg-name NSG_NAME -n allow-dns-over-tcp --priority PRIORITY --direction Outbound --access Allow --protocol Tcp --destination-port-ranges 53 --destination-address-prefixes {}",
                server.ip()
            )])
            .after_looking(
                "the rule holds for every machine behind this group",
                remedy::filter::look_at_rules(),
            )
            .undone_with("", [command!(
                Any,
                "az network nsg rule delete --subscription NSG_SUBSCRIPTION -g NSG_RESOURCE_GROUP --nsg-name NSG_NAME -n allow-dns-over-tcp"
            )])]),
    )
}

#[cfg(test)]
mod tests {
    use ampls_probes::testing::{AZURE, CUSTOM, HANDLER, ODS, Says, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_once_a_server_when_tcp_does_not_give_the_rest() {
        let mut scene = private_world();
        for name in [HANDLER, ODS] {
            scene = scene.says(CUSTOM, name, &Says::Truncated).system(name, &Says::Truncated);
        }
        let found = fires_as_declared(&DNS010, &scene);
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        assert_eq!(found[0].endpoints, [ODS, HANDLER]);
    }

    #[test]
    fn fires_as_warning_while_the_system_resolves() {
        let found = drafts(&DNS010, &private_world().says(CUSTOM, ODS, &Says::Truncated));
        assert_eq!(found[0].severity, Severity::Warning);
    }

    #[test]
    fn silent_about_silence_and_about_azures_view() {
        assert_eq!(drafts(&DNS010, &private_world().says(CUSTOM, ODS, &Says::Silence)), []);
        assert_eq!(drafts(&DNS010, &private_world().says(AZURE, ODS, &Says::Truncated)), []);
    }
}
