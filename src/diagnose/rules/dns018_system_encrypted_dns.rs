//! DNS018: the operating system sends DNS encrypted.

use std::net::IpAddr;

use ampls_probes::addr::Class;
use ampls_probes::observation::EncryptedResolver;

use crate::diagnose::command::{FilePath, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{Facts, View};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};
use crate::text::list;

rule! {
    /// ## What it means
    ///
    /// A service of this machine sends its questions encrypted: systemd-resolved with `DNSOverTLS`, or a local stub
    /// (dnscrypt-proxy, cloudflared, stubby, unbound) that forwards over TLS or HTTPS. It is a warning when plain DNS is never
    /// used instead, or when a public server is asked; else, and where the resolver configuration does not lead to the
    /// service, information.
    ///
    /// What the servers answer a setting does not tell, so a warning is likely. With `--view encrypted` they are asked for names that
    /// many customers share (never those of a workspace or an endpoint): the finding is proven where they give public addresses to
    /// names that are private here, or where none answers and no name resolves, and information where they give private addresses.
    ///
    /// ## Why it matters
    ///
    /// 168.63.129.16 answers plain DNS only: a strict service cannot use it, and nothing resolves. A public resolver knows no
    /// private zone, so every name of Azure Monitor gets its public address.
    ///
    /// ## How to fix
    ///
    /// Set `DNSOverTLS=no` and let systemd-resolved use the network's DNS servers, or give the stub a rule that sends the names
    /// of Azure Monitor to them.
    ///
    /// ## How to confirm
    ///
    /// `resolvectl status` shows `-DNSOverTLS` and the network's servers.
    ///
    /// ## References
    ///
    /// - <https://www.freedesktop.org/software/systemd/man/latest/resolved.conf.html>
    /// - <https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16>
    DNS018 = "system-encrypted-dns" {
        layer: Dns,
        severity: Warning,
        owner: Os,
        hops: [Server],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    facts.encrypted_resolvers().iter().map(|resolver| draft(facts, resolver)).collect()
}

fn draft(facts: &Facts<'_>, resolver: &EncryptedResolver) -> Draft {
    let mut servers = resolver.servers.clone();
    if servers.is_empty() {
        servers.extend(facts.upstream_servers().iter().map(|server| server.ip().to_string()));
    }
    let public: Vec<String> = servers.iter().filter(|server| is_public(facts, server)).cloned().collect();
    // A zone that holds none of the names that were looked at has no part in them.
    let concerned = resolver.zones.is_empty()
        || facts.endpoints().iter().any(|name| resolver.zones.iter().any(|zone| is_below(name.fqdn(), zone)));
    let grave = resolver.in_use && concerned && (resolver.strict || !public.is_empty());
    let answers = facts.answers_to_service(&resolver.service);
    let names_lead_somewhere = facts.ampls_endpoints().any(|name| name.system().is_some_and(View::answered));
    let served = resolver.in_use && concerned && answers.is_private();
    let none_private = answers.answered > 0 && answers.private.is_empty();
    let severity = if grave && !served { Severity::Warning } else { Severity::Info };
    let strictness = if resolver.strict { "and never unencrypted" } else { "where a server offers it" };
    let asked = if servers.is_empty() { "not named".to_owned() } else { servers.join(", ") };
    let mut summary = format!("`{}` asks encrypted {strictness}", resolver.service);
    if !resolver.zones.is_empty() {
        summary = format!("`{}` asks encrypted for {} only", resolver.service, list(&resolver.zones, 3));
    }
    if !concerned {
        summary.push_str("; no name of Azure Monitor is among them");
    } else if !resolver.in_use {
        summary.push_str("; this machine's resolver configuration does not use it");
    } else if served {
        summary.push_str("; it gives the names that it was asked for their private addresses");
    } else if resolver.strict && answers.is_silent() && !names_lead_somewhere {
        summary.push_str("; no server answers encrypted, so nothing resolves");
    } else if resolver.strict && answers.is_silent() {
        summary.push_str("; no server answered encrypted just now, although names resolve");
    } else if none_private {
        summary.push_str("; it gives the names that it was asked for public addresses");
    } else if !public.is_empty() {
        summary.push_str("; a public server knows no private zone");
    } else if resolver.strict {
        summary.push_str("; Azure's own DNS offers plain DNS only");
    }
    let title = format!("`{}` sends DNS encrypted (`{}`)", resolver.service, resolver.setting);
    // Only the answer of the very server tells what this machine gets.
    let heard = answers.silent == 0 && (served || none_private || answers.leads_past());
    let sure = !grave || heard || (resolver.strict && answers.is_silent() && !names_lead_somewhere);
    let draft = Draft::new(severity, Owner::Os, Title::plain(title))
        .as_stated()
        .group(resolver.service.clone())
        .summary(summary)
        .evidence([format!("`{}` in `{}`; servers: {asked}", resolver.setting, resolver.source)])
        .evidence(answers.lines)
        .list("service", [resolver.service.clone()])
        .arg("strict", if resolver.strict { "yes" } else { "no" })
        .list("public_servers", &public)
        .reaching(Reach::Nothing)
        .fix([fix(resolver)]);
    if sure { draft } else { draft.likely() }
}

fn fix(resolver: &EncryptedResolver) -> Fix {
    let source = &resolver.source;
    if resolver.service == "systemd-resolved" {
        // The drop-in whose name sorts last wins, in whatever folder (resolved.conf(5)).
        return Fix::change(BlastRadius::Machine, format!("set `DNSOverTLS=no` in a file that overrides `{source}`"))
            .under(remedy::Right::MACHINE)
            .with([
                command!(Sh, "sudo mkdir -p /etc/systemd/resolved.conf.d"),
                command!(
                    Sh,
                    r"test -e /etc/systemd/resolved.conf.d/zz-plain-dns.conf || printf '[Resolve]\nDNSOverTLS=no\n' | sudo tee /etc/systemd/resolved.conf.d/zz-plain-dns.conf"
                ),
                command!(Sh, "sudo systemctl restart systemd-resolved"),
            ])
            .after_looking(
                "queries then go unencrypted to the servers shown; an existing file of that name is left as it is",
                [
                    command!(Sh, "resolvectl status"),
                    command!(Sh, "cat /etc/systemd/resolved.conf.d/zz-plain-dns.conf"),
                ],
            )
            .undone_with(
                "",
                [
                    command!(
                        Sh,
                        r"printf '[Resolve]\nDNSOverTLS=no\n' | cmp -s - /etc/systemd/resolved.conf.d/zz-plain-dns.conf && sudo rm /etc/systemd/resolved.conf.d/zz-plain-dns.conf"
                    ),
                    command!(Sh, "sudo systemctl restart systemd-resolved"),
                ],
            );
    }
    if resolver.service == "Windows DNS client" {
        return Fix::change(
            BlastRadius::Machine,
            format!("set the policy `DoHPolicy` to 1 (prohibit) where `{source}` comes from: group policy *Configure DNS over HTTPS name resolution*"),
        )
        .under(remedy::Right::MACHINE)
        .with([command!(
            PowerShell,
            r"reg.exe add 'HKLM\SOFTWARE\Policies\Microsoft\Windows NT\DNSClient' /v DoHPolicy /t REG_DWORD /d 1 /f"
        )])
        .after_looking(
            "queries then go unencrypted to the servers shown; a group policy writes its own value back",
            [
                command!(PowerShell, r"reg.exe query 'HKLM\SOFTWARE\Policies\Microsoft\Windows NT\DNSClient'"),
                command!(PowerShell, "Get-DnsClientDohServerAddress"),
            ],
        )
        .undone_by("set the former value again, or remove `DoHPolicy` where it was not set");
    }
    Fix::change(
        BlastRadius::Machine,
        format!("let `{}` send the names of Azure Monitor to the network's DNS servers (`{source}`), or remove it from the resolver configuration", resolver.service),
    )
    .under(remedy::Right::MACHINE)
    .after_looking("", [command!(Sh, "cat {}", FilePath::new(source))])
    .undone_by("restore the former lines")
}

/// `1.1.1.1#name`, `9.9.9.9@853#name`, `https://1.1.1.1/dns-query`, or a name: a name is taken for a public server's.
fn is_public(facts: &Facts<'_>, server: &str) -> bool {
    let host = server.split("://").last().unwrap_or_default().split('/').next().unwrap_or_default();
    let host = host.split(['#', '@', '%']).next().unwrap_or_default().trim_matches(['[', ']']);
    match host
        .parse::<IpAddr>()
        .or_else(|_| host.rsplit_once(':').map_or("", |(ip, _)| ip.trim_matches(['[', ']'])).parse())
    {
        Ok(address) => facts.class(address) == Class::Public && address != ampls_probes::addr::AZURE_DNS.ip(),
        Err(_) => !host.is_empty(),
    }
}

fn is_below(fqdn: &str, zone: &str) -> bool {
    fqdn.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{EncryptedAnswer, EncryptedView, Observation, Outcome, RecordKind};
    use ampls_probes::testing::{HANDLER, private_world, public_world};

    use super::*;
    use crate::diagnose::finding::Certainty;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn resolver(strict: bool, in_use: bool, server: &str) -> EncryptedResolver {
        EncryptedResolver {
            service: "systemd-resolved".to_owned(),
            source: "/etc/systemd/resolved.conf".to_owned(),
            setting: "DNSOverTLS=yes".to_owned(),
            strict,
            servers: vec![server.to_owned()],
            in_use,
            zones: Vec::new(),
            templates: Vec::new(),
        }
    }

    fn found(strict: bool, in_use: bool, server: &str) -> Vec<(Severity, String)> {
        let drafts = drafts(&DNS018, &private_world().encrypted_dns(resolver(strict, in_use, server)));
        drafts.into_iter().map(|draft| (draft.severity, draft.lists["public_servers"].join(" "))).collect()
    }

    #[test]
    fn fires_as_warning_when_strict_or_to_a_public_server() {
        let strict = private_world().encrypted_dns(resolver(true, true, "10.1.0.4"));
        assert_eq!(fires_as_declared(&DNS018, &strict)[0].lists["public_servers"], [""; 0]);
        for server in
            ["1.1.1.1#one.one.one.one", "9.9.9.9@853#x", "https://8.8.8.8/dns-query", "cloudflare", "1.1.1.1:853"]
        {
            assert_eq!(found(false, true, server), [(Severity::Warning, server.to_owned())]);
        }
    }

    #[test]
    fn fires_as_information_when_opportunistic_or_not_in_use() {
        assert_eq!(found(false, true, "168.63.129.16")[0].0, Severity::Info);
        assert_eq!(found(true, false, "1.1.1.1")[0].0, Severity::Info);
    }

    #[test]
    fn fires_as_information_for_a_zone_that_holds_none_of_the_names() {
        let of_zone = |zone: &str| EncryptedResolver {
            service: "unbound".to_owned(),
            zones: vec![zone.to_owned()],
            ..resolver(true, true, "1.1.1.1")
        };
        let scene = |zone| private_world().encrypted_dns(of_zone(zone));
        assert_eq!(drafts(&DNS018, &scene("corp.example"))[0].severity, Severity::Info);
        assert_eq!(drafts(&DNS018, &scene("azure.com"))[0].severity, Severity::Warning);
    }

    #[test]
    fn fires_as_proven_by_the_answers_of_all_its_servers_and_not_by_some() {
        let answered = |name: &str, silent: bool| {
            let mut seen = private_world().encrypted_dns(resolver(true, true, "1.1.1.1")).observations();
            let public = public_world().observations();
            let answers = public.seen.iter().find_map(|step| match step {
                Observation::Answer(it) if it.name == name && it.kind == RecordKind::A => Some(it),
                _ => None,
            });
            let plain = answers.expect("the name was asked for");
            let heard = EncryptedAnswer {
                name: name.to_owned(),
                kind: plain.kind,
                timing: plain.timing,
                outcome: Outcome::Seen(plain.outcome.seen().expect("it was answered").clone()),
            };
            let view = |outcome| {
                Observation::EncryptedView(EncryptedView {
                    url: "1.1.1.1:853".to_owned(),
                    browsers: Vec::new(),
                    services: vec!["systemd-resolved".to_owned()],
                    protocol: None,
                    address: "1.1.1.1:853".parse().ok(),
                    timing: plain.timing,
                    outcome,
                })
            };
            seen.seen.push(view(Outcome::Seen(vec![heard])));
            seen.seen.extend(silent.then(|| view(Outcome::TimedOut)));
            check(&Facts::new(&seen))[0].clone()
        };
        let all = answered(HANDLER, false);
        assert_eq!((all.severity, all.certainty), (Severity::Warning, Certainty::Proven));
        assert!(all.summary.contains("that it was asked for public addresses"));
        assert_eq!(answered(HANDLER, true).certainty, Certainty::Likely);
    }

    #[test]
    fn the_command_makes_the_whole_change_and_its_undo_takes_it_back() {
        let resolver = EncryptedResolver {
            service: "systemd-resolved".to_owned(),
            source: "/etc/systemd/resolved.conf".to_owned(),
            setting: "DNSOverTLS=yes".to_owned(),
            strict: true,
            servers: Vec::new(),
            in_use: true,
            zones: Vec::new(),
            templates: Vec::new(),
        };
        let fix = fix(&resolver);
        assert!(fix.lines().contains("DNSOverTLS=no") && fix.lines().contains("restart"));
        assert!(fix.undo.is_some_and(|it| it.lines().contains("rm /etc/systemd/resolved.conf.d/zz-plain-dns.conf")));
    }

    #[test]
    fn silent_when_nothing_asks_encrypted() {
        assert_eq!(drafts(&DNS018, &private_world()), []);
    }
}
