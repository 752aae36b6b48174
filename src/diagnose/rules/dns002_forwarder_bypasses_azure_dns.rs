//! DNS002: a DNS server does not ask Azure's DNS.

use std::net::SocketAddr;

use ampls_probes::addr::AZURE_DNS;
use ampls_probes::endpoint::Expect;

use crate::diagnose::command::{Host, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, Linked, View};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::need::Zones;
use crate::diagnose::remedy;
use crate::diagnose::rule::{WRONG_ADDRESS, rule};

rule! {
    /// ## What it means
    ///
    /// Azure's own DNS, asked from this machine, gives private addresses for names of Azure Monitor: the private zones are
    /// linked to this virtual network. The DNS server that this machine is configured with gives public addresses for every
    /// one of them. It resolves past Azure's DNS: it forwards to a public resolver, uses root hints, or stands in a network
    /// without the links.
    ///
    /// It is a warning when another server is asked first and asks Azure's DNS: then paths are private until the first
    /// server fails to answer once. With `--expect public` it is information.
    ///
    /// ## Why it matters
    ///
    /// Logs and configuration leave over public addresses although the private link is there. A workspace that refuses
    /// public ingestion answers 403; a firewall that only knows the private endpoint drops the connection.
    ///
    /// ## How to fix
    ///
    /// On that DNS server forward the *public* zones (`monitor.azure.com`, `ods.opinsights.azure.com` …, not the
    /// `privatelink` ones) to 168.63.129.16, if the server runs in a virtual network that the zones are linked to. A server
    /// outside Azure cannot reach that address: it forwards to the inbound endpoint of a DNS Private Resolver instead. A
    /// resolver in another virtual network needs the zones linked there.
    ///
    /// Forwarding changes names for everybody who uses this server; keep the rule from replicating to domain controllers
    /// that stand elsewhere.
    ///
    /// ## How to confirm
    ///
    /// `nslookup global.handler.control.monitor.azure.com <server>` gives the address that 168.63.129.16 gives; this program
    /// shows both in one table.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration>
    /// - <https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16>
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-configure>
    DNS002 = "forwarder-bypasses-azure-dns" {
        layer: Dns,
        severity: Error,
        owner: Dns,
        hops: [Server],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [&["DNS001", "DNS003", "DNS005", "DNS007", "DNS015"], WRONG_ADDRESS],
    }
}

/// Fires for a resolving server other than Azure's DNS when all hold:
///
/// 1. It does not forward a part of the names only (DNS020).
/// 2. It does not change its answers from one try to the next (DNS019).
/// 3. It answers at least one name that Azure's DNS, asked from this machine, has private, or whose record it has private.
/// 4. It has every such name public.
fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let servers = facts.resolving_servers().into_iter().filter(|server| !Facts::is_azure_dns(*server));
    // Where no server asks the zones, what Azure's DNS has public as well is led past them first of all.
    let asked = |view: &View| view.is_private() && view.server.is_some_and(|server| facts.resolves(server));
    let nobody_asks = !facts.ampls_endpoints().flat_map(EndpointFacts::server_views).any(asked);
    servers.filter_map(|server| bypass(facts, server, nobody_asks)).chain(by_unknown_server(facts)).collect()
}

/// The same where the configuration could not be read, so that no server is known: the system's own answers stand for it.
fn by_unknown_server(facts: &Facts<'_>) -> Option<Draft> {
    if !facts.resolving_servers().is_empty() {
        return None;
    }
    let private = facts.ampls_endpoints().filter(|name| name.azure().is_some_and(View::is_private));
    let answered: Vec<&EndpointFacts<'_>> =
        private.filter(|name| name.system().is_some_and(|view| view.is_private() || view.is_public())).collect();
    if answered.is_empty() || !answered.iter().all(|name| name.system().is_some_and(View::is_public)) {
        return None;
    }
    let fqdns: Vec<String> = answered.iter().map(|name| name.fqdn().to_owned()).collect();
    let zones = Zones::of(facts, answered.iter().filter_map(|name| name.endpoint.zone.as_deref()));
    let severity = if facts.expect() == Expect::Public { Severity::Info } else { Severity::Error };
    let look = if facts.on_windows() {
        command!(PowerShell, "Get-DnsClientServerAddress | Format-Table InterfaceAlias, ServerAddresses")
    } else {
        command!(Sh, "cat /etc/resolv.conf")
    };
    let mut draft = Draft::new(
        severity,
        Owner::Dns,
        Title::plain(format!(
            "this machine does not use Azure's DNS: {} here",
            private_but_public(answered.len())
        )),
    )
    .about(fqdns.clone())
    .group("unknown")
    .summary("168.63.129.16 gives private addresses, so the private zones are linked to this network; the system gives public ones, and which DNS servers it asks could not be read")
    .list("names", [answered.len().to_string()])
    .list("zones", &zones.all)
    .excludes("a missing link or record in this virtual network: Azure's own DNS gives the private addresses")
    .likely()
    .reaching(Reach::Split { only: fqdns, own: &["DNS005"] })
    .fix([Fix::look("list the DNS servers of this machine, then name each with `--resolver`", [look])]);
    for name in answered {
        draft = draft
            .evidence(name.system().map(|view| facts.view_line(name, view)))
            .evidence(name.azure().map(|view| facts.view_line(name, view)));
    }
    Some(draft)
}

fn private_but_public(names: usize) -> String {
    match names {
        1 => "1 name that is private in this network is public".to_owned(),
        _ => format!("{names} names that are private in this network are public"),
    }
}

fn bypass(facts: &Facts<'_>, server: SocketAddr, nobody_asks: bool) -> Option<Draft> {
    // A server that forwards some names, or only the records, has a fault of its own kind.
    if !facts.left_out(server).is_empty() || facts.flaps(server) {
        return None;
    }
    // A forwarding ruleset may take the names past the zones: the records asked directly still show them.
    let at_azure = |name: &EndpointFacts<'_>| {
        name.azure().is_some_and(View::is_private) || name.record_view(AZURE_DNS).is_some_and(View::is_private)
    };
    let names: Vec<&EndpointFacts<'_>> = facts.ampls_endpoints().filter(|name| at_azure(name)).collect();
    let views: Vec<_> = names.iter().filter_map(|name| Some((*name, name.view_of(server)?))).collect();
    // Names that it denies or leads nowhere have a fault of their own.
    let (answered, hidden): (Vec<_>, Vec<_>) =
        views.into_iter().partition(|(_, view)| view.is_private() || view.is_public());
    if answered.is_empty() || !answered.iter().all(|(_, view)| view.is_public()) {
        return None;
    }
    let first_is_right = facts.shielded(&[server], |first| {
        let mut views = answered.iter().filter_map(|(name, _)| name.view_of(first)).filter(|view| view.answered());
        // What such a server has public has a fault of its own: it asks the zones. So does one that is denied a record.
        views.any(|view| view.is_private() || facts.denied_by_private_zone(view))
    });
    let severity = match facts.expect() {
        Expect::Public => Severity::Info,
        _ if first_is_right => Severity::Warning,
        _ => Severity::Error,
    };
    let zones = Zones::of(facts, answered.iter().filter_map(|(name, _)| name.endpoint.zone.as_deref()));
    // It may forward other suffixes, all of whose names it denies or leads nowhere.
    let hides = hidden.iter().filter_map(|(name, _)| name.endpoint.zone.as_ref()).any(|zone| {
        // Unless the denial comes from Microsoft's public zone: that name is led past the private one as well.
        !zones.all.contains(zone) && facts.linked(zone, server) != Linked::No
    });
    let fqdns: Vec<String> = answered.iter().map(|(name, _)| name.fqdn().to_owned()).collect();
    let public = answered.iter().copied().filter(|(name, _)| !name.system().is_some_and(View::is_private));
    // A private zone of this network that lacks a name shows as well that the server does not ask it.
    let denied = facts.ampls_endpoints().filter(|name| {
        let zone = || name.endpoint.zone.as_deref().unwrap_or_default();
        (nobody_asks
            || name.azure().is_some_and(|azure| facts.denied_by_private_zone(azure))
            || facts.linked(zone(), AZURE_DNS) == Linked::Yes)
            && name.view_of(server).is_some_and(View::is_public)
            && !name.system().is_some_and(View::is_private)
            && !answered.iter().any(|(known, _)| known.fqdn() == name.fqdn())
    });
    let denied: Vec<_> = denied.collect();
    let reached =
        public.map(|(name, _)| name).chain(denied.iter().copied()).map(|name| name.fqdn().to_owned()).collect();
    let mut draft = Draft::new(
        severity,
        Owner::Dns,
        Title::plain(format!(
            "DNS server `{server}` does not use Azure's DNS: {} there",
            private_but_public(answered.len())
        )),
    )
    .about(fqdns)
    .about(denied.iter().map(|name| name.fqdn()))
    .group(server.to_string())
    .summary(format!(
        "168.63.129.16 gives private addresses for {}, so the private zones are linked to this network; `{server}`, which this machine uses, gives only public ones{}{}{}",
        if answered.len() == 1 { "1 name".to_owned() } else { format!("{} names", answered.len()) },
        if hides {
            "; or it forwards other suffixes, for whose names it gives no address"
        } else {
            ""
        },
        if first_is_right {
            facts.behind_the_first()
        } else if facts.stub_tells_nothing() {
            "; or this machine's stub, which answers nothing, asks other servers than its file lists (`resolvectl status` shows them)"
        } else {
            ""
        },
        facts.in_turn(&[server])
    ))
    .list("server", [server.to_string()])
    .arg("first", if first_is_right { "no" } else { "yes" })
    .list("names", [answered.len().to_string()])
    .list("zones", &zones.all)
    .excludes("a missing link or record in this virtual network: Azure's own DNS gives the private addresses")
    .excludes("the hosts file and caches on this machine: the server itself was asked")
    .reaching(Reach::Split { only: reached, own: &["DNS005"] })
    .fix([Fix::look(
        format!("check what `{server}` forwards to"),
        [command!(
            Any,
            "nslookup {} {}",
            answered.first().and_then(|(name, _)| Host::new(name.fqdn())),
            server.ip()
        )],
    )])
    .fix(remedy::server::forward(&zones, &server.ip().to_string()))
    .fix([remedy::predict::forward(&zones, &server.ip().to_string())])
    .fix(remedy::machine::restart_agent(facts));
    if hides || facts.stub_tells_nothing() {
        draft = draft.likely();
    }
    for (name, view) in answered {
        let azure = name.azure().map(|azure| facts.view_line(name, azure));
        draft = draft.evidence([facts.view_line(name, view)]).evidence(azure);
    }
    Some(draft)
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{Observation, Outcome, ReadFailure, Resolver, Server, ServerRole, Timing};
    use ampls_probes::testing::{
        AGENTSVC, API, AZURE, CUSTOM, HANDLER, IN_AI, ODS, OMS, Says, Scene, ZONES, private_world, public_world,
    };

    use super::*;
    use crate::diagnose::finding::Certainty;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn bypassed() -> Scene {
        let mut scene = public_world();
        for (name, address) in [(HANDLER, "10.0.0.5"), (ODS, "10.0.0.6")] {
            scene = scene.says(AZURE, name, &Says::Private(address));
        }
        scene
    }

    const SECOND: &str = "10.1.0.5:53";

    /// Of two servers the first asks the zones.
    fn first_is_right() -> Scene {
        bypassed()
            .says(CUSTOM, HANDLER, &Says::Private("10.0.0.5"))
            .says(CUSTOM, ODS, &Says::Private("10.0.0.6"))
            .server(SECOND, &[ServerRole::Configured])
            .server_says(SECOND, &Says::Public("20.1.1.1"))
    }

    #[test]
    fn fires_when_the_server_is_public_and_azure_private() {
        let found = fires_as_declared(&DNS002, &bypassed());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Error);
        assert_eq!(found[0].lists["server"], [CUSTOM]);
        assert_eq!(found[0].lists["names"], ["2"]);
        // Whatever else the server leads publicly it leads past the zones as well.
        assert_eq!(found[0].endpoints, [AGENTSVC, ODS, OMS, API, HANDLER, IN_AI]);
    }

    #[test]
    fn fires_as_likely_where_the_server_denies_the_names_of_other_suffixes() {
        let zone = "privatelink.ods.opinsights.azure.com";
        let hides = || bypassed().says(CUSTOM, ODS, &Says::DeniedLocally);
        let found = drafts(&DNS002, &hides().soa(CUSTOM, zone, &Says::LocalZone));
        assert_eq!((found.len(), found[0].certainty), (1, Certainty::Likely));
        assert!(found[0].summary.contains("or it forwards other suffixes"), "{}", found[0].summary);
        // The zone's SOA is Microsoft's there: the suffix is not forwarded.
        assert_eq!(drafts(&DNS002, &hides())[0].certainty, Certainty::Proven);
    }

    #[test]
    fn fires_as_likely_where_the_servers_could_not_be_read() {
        let unread = bypassed().edit(|seen| {
            let servers = vec![Server { address: AZURE.parse().expect("an address"), roles: vec![ServerRole::Azure] }];
            let (timing, outcome) = (Timing::default(), Outcome::Failed(ReadFailure::Code(None)));
            seen.seen.push(Observation::Resolver(Resolver { timing, outcome, servers }));
        });
        let found = drafts(&DNS002, &unread);
        assert_eq!((found.len(), found[0].certainty), (1, Certainty::Likely));
        assert_eq!(found[0].lists["names"], ["2"]);
    }

    #[test]
    fn fires_as_warning_when_the_first_server_is_right() {
        let scene = first_is_right();
        let found = drafts(&DNS002, &scene);
        assert_eq!(
            found.iter().map(|draft| (draft.severity, draft.lists["server"][0].as_str())).collect::<Vec<_>>(),
            [(Severity::Warning, SECOND)]
        );
    }

    #[test]
    fn fires_for_what_a_linked_zone_lacks_as_well_where_another_server_asks_the_zones() {
        let scene = first_is_right();
        let endpoints = |scene: &Scene| drafts(&DNS002, scene)[0].endpoints.clone();
        assert!(!endpoints(&scene).iter().any(|name| [API, OMS].contains(&name.as_str())));
        let linked = scene.clone().soa(AZURE, "privatelink.monitor.azure.com", &Says::PrivateZone);
        assert!(endpoints(&linked).contains(&API.to_owned()), "no record, and the zone is there");
        let denied = scene.says(AZURE, OMS, &Says::DeniedByPrivateZone);
        assert!(endpoints(&denied).contains(&OMS.to_owned()), "denied, whatever the SOA says");
    }

    #[test]
    fn fires_as_error_where_the_servers_take_turns() {
        let scene = first_is_right().rotate();
        let found = drafts(&DNS002, &scene);
        assert_eq!(found.iter().map(|draft| draft.severity).collect::<Vec<_>>(), [Severity::Error]);
        let words = format!("some questions, those that go to `{SECOND}` first");
        assert!(found[0].summary.contains(&words), "{}", found[0].summary);
    }

    #[test]
    fn fires_as_warning_when_the_first_server_has_a_fault_of_its_own() {
        let second = "10.1.0.5:53";
        let scene = bypassed()
            .says(CUSTOM, HANDLER, &Says::Private("10.0.0.5"))
            .server(second, &[ServerRole::Configured])
            .server_says(second, &Says::Public("20.1.1.1"));
        assert_eq!(drafts(&DNS002, &scene)[0].severity, Severity::Warning);
    }

    #[test]
    fn fires_for_the_server_behind_a_stub() {
        let scene = bypassed()
            .server(CUSTOM, &[ServerRole::Upstream])
            .server("127.0.0.53:53", &[ServerRole::Configured])
            .server_says("127.0.0.53:53", &Says::Public("20.1.1.1"))
            .stub();
        assert_eq!(drafts(&DNS002, &scene)[0].lists["server"], [CUSTOM]);
    }

    #[test]
    fn silent_when_azure_is_public_too() {
        assert_eq!(drafts(&DNS002, &public_world()), []);
    }

    #[test]
    fn silent_when_the_server_gives_some_of_them_privately() {
        assert_eq!(drafts(&DNS002, &bypassed().says(CUSTOM, ODS, &Says::Private("10.0.0.6"))), []);
        assert_eq!(drafts(&DNS002, &private_world()), []);
    }

    #[test]
    fn silent_when_azure_dns_is_the_configured_server() {
        let scene = bypassed().no_servers().server(AZURE, &[ServerRole::Configured, ServerRole::Azure]);
        assert_eq!(drafts(&DNS002, &scene.server_says(AZURE, &Says::Private("10.0.0.5"))), []);
    }

    #[test]
    fn silent_about_a_server_that_the_stub_does_not_ask_for_these_names() {
        let (stub, vpn) = ("127.0.0.53:53", "10.200.0.1:53");
        let scene = private_world()
            .server(stub, &[ServerRole::Configured])
            .server_says(stub, &Says::Private("10.0.0.5"))
            .server(CUSTOM, &[])
            .server(vpn, &[ServerRole::Upstream])
            .server_says(vpn, &Says::Public("20.1.1.1"));
        assert_eq!(drafts(&DNS002, &scene), []);
    }

    #[test]
    fn fires_when_azure_shows_the_records_only() {
        let scene = public_world().says_of_alias(AZURE, ODS, &Says::Private("10.0.0.6"));
        let found = drafts(&DNS002, &scene);
        assert!(found[0].lists["names"] == ["1"] && found[0].endpoints.contains(&ODS.to_owned()), "{:?}", found[0]);
    }

    #[test]
    fn fires_as_warning_when_the_first_server_asks_a_zone_that_lacks_a_record() {
        let second = "10.1.0.5:53";
        let scene = bypassed()
            .says(CUSTOM, HANDLER, &Says::Private("10.0.0.5"))
            .says(CUSTOM, ODS, &Says::DeniedByPrivateZone)
            .server(second, &[ServerRole::Configured])
            .server_says(second, &Says::Public("20.1.1.1"));
        let found = drafts(&DNS002, &scene);
        assert_eq!(found.iter().map(|draft| draft.severity).collect::<Vec<_>>(), [Severity::Warning]);
    }

    #[test]
    fn silent_about_a_server_that_asks_the_zones_and_lacks_one_record() {
        let scene = bypassed()
            .says(CUSTOM, HANDLER, &Says::Private("10.0.0.5"))
            .soa(CUSTOM, ZONES[2], &Says::PrivateZone)
            .says_of_alias(CUSTOM, ODS, &Says::Public("20.50.88.6"));
        assert_eq!(drafts(&DNS002, &scene), []);
    }
}
