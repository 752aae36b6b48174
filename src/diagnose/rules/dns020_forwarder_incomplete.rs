//! DNS020: a DNS server forwards some names to Azure's DNS and not others.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use ampls_probes::addr::AZURE_DNS;
use ampls_probes::endpoint::Expect;

use crate::diagnose::command::{Host, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, LeftOut, View};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::need::{Zones, borrowed};
use crate::diagnose::remedy;
use crate::diagnose::rule::{NOT_DELIVERED, WRONG_ADDRESS, rule};
use crate::text;

rule! {
    /// ## What it means
    ///
    /// A DNS server of this machine reaches the private zones for some names and leads others past them. One of these things
    /// shows it:
    ///
    /// - some public suffixes (or single names) are private there, others are public although Azure's own DNS, asked from this
    ///   machine, has them private: a conditional forwarder is missing;
    /// - two names that share one record differ (`api.loganalytics.io` and `api.monitor.azure.com`): the suffix of one of them is
    ///   not forwarded;
    /// - the record asked directly (`….privatelink.…`) is private, and the public name that leads to it is public: the
    ///   forwarder was made for the `privatelink` zone instead of the public one. The server then resolves the whole chain of
    ///   the public name elsewhere and never uses its forwarder;
    /// - the private zone lacks the record asked directly, and the public name runs through that record to a public address:
    ///   the record is missing, and the server that answers the public name does not ask the zone either.
    ///
    /// It is a warning when another server is asked first and has any of these names private. With `--expect public` it is
    /// information.
    ///
    /// ## Why it matters
    ///
    /// Configuration arrives privately and logs leave publicly, or the other way round: a workspace that refuses public
    /// ingestion answers 403 while every test of the private link looks right.
    ///
    /// ## How to fix
    ///
    /// On that DNS server forward every public suffix: `monitor.azure.com`, `oms.opinsights.azure.com`,
    /// `ods.opinsights.azure.com`, `agentsvc.azure-automation.net`, `blob.core.windows.net` (last), and where Application Insights is
    /// used `applicationinsights.azure.com` and `services.visualstudio.com`. Forward the public names, not the `privatelink`
    /// ones.
    ///
    /// ## How to confirm
    ///
    /// `nslookup <name> <server>` ends at the private address for a name of each suffix.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration>
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns>
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-configure>
    DNS020 = "forwarder-incomplete" {
        layer: Dns,
        severity: Error,
        owner: Dns,
        hops: [Server],
        claim: Fault,
        all_names: true,
        no_answer: false,
        explains: [&["DNS001", "DNS003", "DNS004", "DNS005", "DNS007", "DNS015"], WRONG_ADDRESS, NOT_DELIVERED],
    }
}

/// Fires for a resolving server that is not Azure's DNS and does not change its answers from one try to the next, when it has
/// at least one name public and one of these shows that it should not:
///
/// 1. The name's record, asked directly at this server, is private: the `privatelink` zone is forwarded in place of the public one.
/// 2. Another name with the same record is private at this server: the suffix of this one is not forwarded.
/// 3. Azure's DNS has the name private, and this server has names of other suffixes private.
/// 4. A private zone lacks the name at Azure's DNS, and other names of that zone are left out as in 3.
/// 5. A private zone lacks the record asked directly at this server, and the public name runs through that record.
fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let taken: BTreeSet<&str> = facts.left_out(AZURE_DNS).into_iter().map(|(name, _)| name.fqdn()).collect();
    let by_ruleset = |server: &SocketAddr| facts.left_out(*server).iter().any(|(name, _)| taken.contains(name.fqdn()));
    let servers = facts.resolving_servers();
    let by_ruleset: Vec<SocketAddr> = servers.iter().copied().filter(by_ruleset).collect();
    let of = |server| {
        let left_out = facts.left_out(server).into_iter().map(|(name, how)| (name.fqdn(), how));
        left_out.filter(|(name, _)| !taken.contains(name)).collect::<BTreeMap<_, _>>()
    };
    // A name that a server answers neither way, because it blocks it or fails, says nothing of what it forwards.
    let open = |server: SocketAddr, name: &str| {
        let view = facts.endpoints().iter().find(|known| known.fqdn() == name).and_then(|known| known.view_of(server));
        !view.is_some_and(|view| view.is_private() || view.is_public())
    };
    let is_alike = |one: SocketAddr, other: SocketAddr| {
        let (of_one, of_other) = (of(one), of(other));
        let within = |these: &BTreeMap<&str, LeftOut>, those: &BTreeMap<&str, LeftOut>, server: SocketAddr| {
            these.iter().all(|(name, how)| those.get(name).map_or_else(|| open(server, name), |same| same == how))
        };
        let shared = of_one.keys().any(|name| of_other.contains_key(name));
        (shared || (of_one.is_empty() && of_other.is_empty()))
            && within(&of_one, &of_other, other)
            && within(&of_other, &of_one, one)
    };
    let mut alike: Vec<Vec<SocketAddr>> = Vec::new();
    for server in servers {
        match alike.iter_mut().find(|servers| servers.first().is_some_and(|first| is_alike(*first, server))) {
            Some(servers) => servers.push(server),
            None => alike.push(vec![server]),
        }
    }
    let own = alike.iter().filter_map(|servers| incomplete(facts, servers, &taken));
    own.chain(of_ruleset(facts, &by_ruleset)).collect()
}

/// Azure's own DNS has the records private and the public names not: a forwarding ruleset takes the public suffixes before
/// their aliases reach the private zones. Servers that forward to Azure's DNS pass its answers on.
/// Source: <https://learn.microsoft.com/azure/dns/dns-private-resolver-overview>
fn of_ruleset(facts: &Facts<'_>, servers: &[SocketAddr]) -> Option<Draft> {
    servers.first()?;
    let left_out = facts.left_out(AZURE_DNS);
    let first_is_right = facts.shielded(servers, |first| asks_the_zones(facts, first, &left_out));
    let severity = match facts.expect() {
        Expect::Public => Severity::Info,
        _ if first_is_right => Severity::Warning,
        _ => Severity::Error,
    };
    let by_alias = |view: &View| view.cname.iter().any(|alias| facts.is_ampls_name(alias));
    let past = !left_out.iter().filter_map(|(name, _)| name.view_of(AZURE_DNS)).any(by_alias);
    let zones: BTreeSet<&str> = left_out.iter().filter_map(|(name, _)| name.endpoint.zone.as_deref()).collect();
    let suffixes: Vec<&str> = zones.iter().map(|zone| zone.strip_prefix("privatelink.").unwrap_or(zone)).collect();
    let names = || left_out.iter().map(|(name, _)| name.fqdn());
    let public = left_out.iter().filter(|(name, _)| !name.system().is_some_and(View::is_private));
    let listed = servers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut draft = Draft::new(
        severity,
        Owner::Dns,
        Title::list("a forwarding ruleset bypasses the private zones: public addresses for ", names(), ""),
    )
    .about(names())
    .group(AZURE_DNS.to_string())
    .summary(format!("asked directly, 168.63.129.16 has the `privatelink` records of these names private, and the names themselves it has public: a DNS forwarding ruleset that is linked to this virtual network sends the public suffixes elsewhere before their aliases reach the linked zones{}", if past { "; or these resources are in no scope any more and their records were left behind, because the public names do not lead through their aliases: the linked rulesets show which" } else { "" }))
    .list("server", [listed])
    .list("suffixes", &suffixes)
    .arg("kind", "ruleset")
    .likely()
    .excludes(if past {
        "a zone that is not linked: its records are private when asked directly"
    } else {
        "a missing link or record: the records are private when asked directly"
    })
    .excludes("a DNS server that does not ask Azure's DNS: Azure's DNS itself gives these answers")
    .reaching(Reach::Split { only: public.map(|(name, _)| name.fqdn().to_owned()).collect(), own: &["DNS005"] })
    .fix([
        Fix::look("check which forwarding rulesets are linked to this virtual network, and read their rules", remedy::machine::rulesets(facts)),
        Fix::change(
            BlastRadius::EveryNetworkOnThisDns,
            format!("stop that ruleset from forwarding {}: remove the rules for these suffixes, so that Azure's DNS answers", text::list(&suffixes.iter().map(|suffix| (*suffix).to_owned()).collect::<Vec<_>>(), 5)),
        )
        .under(remedy::Right::DNS_SERVER)
        .after("find out who made the rule, and where its target resolves; one that sends the suffix to another private link on purpose serves every network that the ruleset is linked to")
        .undone_by("restore the rule as it was"),
    ]);
    for (name, how) in &left_out {
        draft = draft.evidence(evidence(facts, name, *how, AZURE_DNS));
    }
    Some(draft)
}

/// One statement of servers that leave out the same names in the same way.
fn incomplete(facts: &Facts<'_>, servers: &[SocketAddr], taken: &BTreeSet<&str>) -> Option<Draft> {
    let server = *servers.first()?;
    let by_one = |name: &EndpointFacts<'_>| {
        let mut of_servers = servers.iter().flat_map(|server| facts.left_out(*server));
        of_servers.find(|(known, _)| known.fqdn() == name.fqdn())
    };
    let mut left_out: Vec<_> = facts.endpoints().iter().filter_map(by_one).collect();
    // What a ruleset takes is said of the ruleset.
    left_out.retain(|(name, _)| !taken.contains(name.fqdn()));
    let (first_name, _) = left_out.first()?;
    let records = left_out.iter().any(|(_, how)| *how == LeftOut::RecordIsPrivate);
    let first_is_right = facts.shielded(servers, |first| asks_the_zones(facts, first, &left_out));
    let severity = match facts.expect() {
        Expect::Public => Severity::Info,
        _ if first_is_right => Severity::Warning,
        _ => Severity::Error,
    };
    let zones = Zones::of(facts, left_out.iter().filter_map(|(name, _)| name.endpoint.zone.as_deref()));
    let suffixes: Vec<&str> = zones.all.iter().map(|zone| zone.strip_prefix("privatelink.").unwrap_or(zone)).collect();
    let public = left_out.iter().filter(|(name, _)| !name.system().is_some_and(View::is_private));
    let reached = public.map(|(name, _)| name.fqdn().to_owned()).collect();
    let listed = servers.iter().map(|server| format!("`{server}`")).collect::<Vec<_>>().join(", ");
    let (who, forwards, answers) = match servers.len() {
        1 => ("DNS server", "forwards", "answers"),
        _ => ("DNS servers", "forward", "answer"),
    };
    // No view of that server shows the record: the zone may as well not be linked where it resolves.
    let unsure: BTreeSet<&str> = left_out
        .iter()
        .filter(|(_, how)| *how == LeftOut::AzureIsPrivate)
        .filter_map(|(name, _)| name.endpoint.zone.as_deref())
        .collect();
    let why = if records {
        "asked directly for their `privatelink` records, the server asks the private zones: the forwarder was made for the `privatelink` zones instead of the public ones"
    } else {
        "other names are private there: a conditional forwarder for these is missing"
    };
    let mut draft = Draft::new(
        severity,
        Owner::Dns,
        Title::list(
            &format!("{who} {listed} {forwards} only some names; public: "),
            left_out.iter().map(|(name, _)| name.fqdn()),
            "",
        ),
    )
    .about(left_out.iter().map(|(name, _)| name.fqdn()))
    .group(listed.clone())
    .summary(format!(
        "{listed} {answers} {} publicly and {why}{}{}{}",
        if left_out.len() == 1 { "1 name".to_owned() } else { format!("{} names", left_out.len()) },
        if unsure.is_empty() { "" } else { ", or the zone is not linked to the virtual network where the server resolves (the links of the zone show which)" },
        if first_is_right { facts.behind_the_first() } else { "" },
        facts.in_turn(servers)
    ))
    .list("server", servers)
    .list("suffixes", &suffixes)
    .arg("first", if first_is_right { "no" } else { "yes" })
    .arg("kind", if records { "alias-zones-forwarded" } else { "suffix-not-forwarded" })
    .excludes("a missing record: the private addresses of these names, or of the same zones, are seen")
    .excludes("a server that never asks Azure's DNS: other answers of it are private")
    .reaching(Reach::Split { only: reached, own: &["DNS005"] })
    .fix([
        Fix::look(
            format!("ask `{}` from this machine", server.ip()),
            [command!(Any, "nslookup {} {}", Host::new(first_name.fqdn()), server.ip())],
        ),
        Fix::look(
            format!("check which zones `{}` forwards (Windows DNS, in PowerShell)", server.ip()),
            [command!(
                PowerShell,
                "Get-DnsServerZone -ComputerName {} | Where-Object ZoneType -eq Forwarder",
                server.ip()
            )],
        ),
    ])
    .fix(servers.iter().flat_map(|server| remedy::server::forward(&zones, &server.ip().to_string())))
    .fix(servers.iter().map(|server| remedy::predict::forward(&zones, &server.ip().to_string())));
    if !unsure.is_empty() {
        draft = draft.likely();
        let network = "the virtual network where that server resolves";
        let unsure = Zones::of(facts, unsure.iter().copied());
        let unsure = borrowed(&unsure.now);
        draft = draft.fix([remedy::zone::find(&unsure), remedy::machine::find_network_of_dns(facts, server)]);
        draft = draft.fix(unsure.iter().map(|zone| remedy::zone::list_links(zone)));
        draft = draft.fix([remedy::zone::link(&unsure, network).instead()]);
    }
    for (name, how) in &left_out {
        draft = draft.evidence(servers.iter().flat_map(|server| evidence(facts, name, *how, *server)));
    }
    Some(draft)
}

/// A server that has one of the names private, or denied by a private zone, asks the zones: what it leads past them is a fault of
/// its own.
fn asks_the_zones(facts: &Facts<'_>, server: SocketAddr, names: &[(&EndpointFacts<'_>, LeftOut)]) -> bool {
    let mut views = names.iter().filter_map(|(name, _)| name.view_of(server));
    views.any(|view| view.is_private() || facts.denied_by_private_zone(view))
}

fn evidence(facts: &Facts<'_>, name: &EndpointFacts<'_>, how: LeftOut, server: SocketAddr) -> Vec<String> {
    let mut lines: Vec<String> = name.view_of(server).map(|view| facts.view_line(name, view)).into_iter().collect();
    match how {
        LeftOut::RecordIsPrivate | LeftOut::RecordIsDenied => {
            let record = name.record_view(server);
            lines.extend(record.zip(name.endpoint.alias.as_deref()).map(|(view, alias)| facts.name_line(alias, view)));
            lines.extend(facts.held_record(name, server).map(|answer| facts.answer_line(answer)));
        }
        LeftOut::SiblingIsPrivate => {
            let same =
                |other: &&EndpointFacts<'_>| other.endpoint.alias == name.endpoint.alias && other.fqdn() != name.fqdn();
            let sibling = facts.ampls_endpoints().filter(same).find_map(|other| {
                Some(facts.view_line(other, other.view_of(server).filter(|view| view.is_private())?))
            });
            lines.extend(sibling);
        }
        LeftOut::AzureIsPrivate | LeftOut::AzureDenies => {
            lines.extend(name.azure().map(|view| facts.view_line(name, view)));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::ServerRole;
    use ampls_probes::testing::{AZURE, CUSTOM, HANDLER, ODS, OMS, Says, Scene, private_world, public_world};

    use super::*;
    use crate::diagnose::finding::Certainty;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn without_opinsights() -> Scene {
        let mut scene = private_world();
        for name in [ODS, OMS] {
            scene = scene.says(CUSTOM, name, &Says::Public("20.1.1.1")).system(name, &Says::Public("20.1.1.1"));
        }
        scene
    }

    #[test]
    fn fires_when_some_suffixes_are_not_forwarded() {
        let found = fires_as_declared(&DNS020, &without_opinsights());
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        assert_eq!(found[0].endpoints, [ODS, OMS]);
        assert_eq!(found[0].args["kind"], "suffix-not-forwarded");
    }

    #[test]
    fn fires_when_only_the_records_are_forwarded() {
        let scene = public_world().says_of_alias(CUSTOM, ODS, &Says::Private("10.0.0.6"));
        let found = drafts(&DNS020, &scene);
        assert_eq!(found[0].args["kind"], "alias-zones-forwarded");
        assert_eq!(found[0].endpoints, [ODS]);
        assert_eq!(found[0].evidence.len(), 2);
    }

    #[test]
    fn fires_when_names_with_one_record_differ() {
        let mut twin = ampls_probes::testing::endpoint(ODS, ampls_probes::endpoint::Need::Required);
        (twin.id, twin.fqdn) = ("twin".to_owned(), "twin.example.net".to_owned());
        let scene = private_world().says(AZURE, ODS, &Says::Silence).endpoint(twin);
        let scene = scene.says(CUSTOM, "twin.example.net", &Says::Public("20.1.1.1"));
        assert_eq!(drafts(&DNS020, &scene)[0].endpoints, ["twin.example.net"]);
    }

    #[test]
    fn fires_as_warning_when_the_first_server_is_right() {
        let second = "10.1.0.5:53";
        let mut scene = private_world().server(second, &[ServerRole::Configured]);
        for name in scene.observations().endpoints {
            scene = scene.says(second, &name.fqdn, &Says::Private("10.0.0.5"));
        }
        let found = drafts(&DNS020, &scene.says(second, ODS, &Says::Public("20.1.1.1")));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
        assert_eq!(found[0].lists["server"], [second]);
    }

    #[test]
    fn fires_once_for_servers_that_leave_out_the_same_names() {
        let second = "10.1.0.5:53";
        let mut scene = without_opinsights().server(second, &[ServerRole::Configured]);
        for name in scene.observations().endpoints {
            let says = if [ODS, OMS].contains(&name.fqdn.as_str()) { "20.1.1.1" } else { "10.0.0.5" };
            let says = if says.starts_with("20") { Says::Public(says) } else { Says::Private(says) };
            scene = scene.says(second, &name.fqdn, &says);
        }
        let found = drafts(&DNS020, &scene);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].lists["server"], [CUSTOM, second]);
        assert_eq!(found[0].severity, Severity::Error);
    }

    #[test]
    fn fires_apart_for_servers_one_of_which_forwards_more() {
        let second = "10.1.0.5:53";
        let mut scene = without_opinsights().server(second, &[ServerRole::Configured]);
        for name in scene.observations().endpoints {
            let says = if name.fqdn == ODS { Says::Public("20.1.1.1") } else { Says::Private("10.0.0.5") };
            scene = scene.says(second, &name.fqdn, &says);
        }
        let found = drafts(&DNS020, &scene);
        let servers: Vec<&str> = found.iter().map(|draft| draft.lists["server"][0].as_str()).collect();
        assert_eq!((servers, found[1].endpoints.as_slice()), (vec![CUSTOM, second], &[ODS.to_owned()][..]));
    }

    #[test]
    fn fires_as_likely_where_the_zone_may_not_be_linked_either() {
        let found = drafts(&DNS020, &without_opinsights());
        assert_eq!(found[0].certainty, Certainty::Likely);
        assert!(found[0].summary.contains("not linked"), "{}", found[0].summary);
        let shown = public_world().says_of_alias(CUSTOM, ODS, &Says::Private("10.0.0.6"));
        assert_eq!(drafts(&DNS020, &shown)[0].certainty, Certainty::Proven);
    }

    #[test]
    fn fires_for_a_name_that_the_zone_denies_beside_others_that_it_holds() {
        let twin = ampls_probes::testing::API;
        let scene = private_world()
            .says(AZURE, HANDLER, &Says::DeniedByPrivateZone)
            .says(CUSTOM, HANDLER, &Says::Public("20.1.1.1"))
            .says(CUSTOM, twin, &Says::Public("20.1.1.2"));
        assert_eq!(drafts(&DNS020, &scene)[0].endpoints, [twin, HANDLER]);
    }

    #[test]
    fn fires_when_the_zone_denies_the_record_that_the_public_name_runs_through() {
        let scene = private_world()
            .says(AZURE, ODS, &Says::DeniedByPrivateZone)
            .says(CUSTOM, ODS, &Says::Public("20.1.1.1"))
            .says_of_alias(CUSTOM, ODS, &Says::DeniedByPrivateZone);
        assert_eq!(drafts(&DNS020, &scene)[0].endpoints, [ODS]);
    }

    #[test]
    fn silent_when_azure_has_them_public_too() {
        let scene = without_opinsights().says(AZURE, ODS, &Says::Public("20.1.1.1"));
        assert_eq!(drafts(&DNS020, &scene.says(AZURE, OMS, &Says::Public("20.1.1.1"))), []);
    }

    #[test]
    fn silent_when_nothing_on_the_server_is_private() {
        let scene = public_world().says(AZURE, ODS, &Says::Private("10.0.0.6"));
        assert_eq!(drafts(&DNS020, &scene), []);
    }

    #[test]
    fn silent_about_answers_that_flap() {
        assert_eq!(drafts(&DNS020, &without_opinsights().then_says(CUSTOM, HANDLER, &Says::Public("20.1.1.1"))), []);
        assert_eq!(drafts(&DNS020, &private_world()), []);
    }

    #[test]
    fn fires_once_for_a_ruleset_that_takes_names_from_azure_dns() {
        let mut scene = private_world();
        for server in [AZURE, CUSTOM] {
            scene = scene.says(server, ODS, &Says::Public("20.1.1.1")).says_of_alias(
                server,
                ODS,
                &Says::Private("10.0.0.6"),
            );
        }
        let found = drafts(&DNS020, &scene);
        assert_eq!((found.len(), found[0].args["kind"].as_str()), (1, "ruleset"));
        assert_eq!((found[0].severity, found[0].endpoints.as_slice()), (Severity::Error, &[ODS.to_owned()][..]));
    }
}
