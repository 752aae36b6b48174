//! DNS003: some zones of the private link are missing where a server resolves.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use ampls_probes::addr::AZURE_DNS;
use ampls_probes::endpoint::Expect;

use crate::diagnose::command::Zone;
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, Linked, View, is_blob_zone};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::need::{Zones, borrowed};
use crate::diagnose::remedy::{self, scope::Resource};
use crate::diagnose::rule::{NOT_DELIVERED, WRONG_ADDRESS, rule};

rule! {
    /// ## What it means
    ///
    /// On one DNS server names of one AMPLS zone are private while every name of another zone that resolves is public. The
    /// private link exists, but that zone is missing where the server resolves. The usual cases: only
    /// `privatelink.monitor.azure.com` was created, so configuration is private and log upload public; or
    /// `dns-zone-group create` was run with one zone and the other four were never added.
    ///
    /// Of a zone of which no name is looked at here (a machine without a workspace has none in three of the zones) only the
    /// authority tells; that is a warning, and likely.
    ///
    /// Azure's DNS as seen from this machine shows the links of this virtual network only. Where the server is Azure's DNS,
    /// the link is missing in this network. Where it is another server, either the link is missing in the network where that
    /// server resolves, or the server has no forwarder for that zone's public name.
    ///
    /// ## Why it matters
    ///
    /// AMA fetches its configuration privately and then uploads logs to a public address: `Failed to upload to ODS: 403` when
    /// the workspace refuses public ingestion, silent public traffic when it does not. The other way round, agents upload
    /// privately and never learn what to collect.
    ///
    /// ## How to fix
    ///
    /// Before you change anything, check that the zone exists and where it is linked. Link it to the network that resolves for this machine, and add it
    /// to the zone group of the private endpoint, so that its records are kept for you. Use `dns-zone-group add`: `create` on
    /// an existing group replaces its list. A second zone of the same name cannot be linked to a network that has one.
    ///
    /// `privatelink.blob.core.windows.net` moves the names of all storage accounts that have a private endpoint: link it last,
    /// and with their records in it.
    ///
    /// ## How to confirm
    ///
    /// The SOA of the zone, asked of that server, becomes `azureprivatedns.net`, and the names of the zone turn private.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-configure>
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns>
    /// - <https://learn.microsoft.com/azure/dns/private-dns-virtual-network-links>
    DNS003 = "zone-not-linked" {
        layer: Dns,
        severity: Error,
        owner: Dns,
        hops: [Server],
        claim: Fault,
        all_names: true,
        no_answer: false,
        explains: [&["DNS005", "DNS007", "DNS015"], WRONG_ADDRESS, NOT_DELIVERED],
    }
}

/// Fires for a zone on a resolving server when all hold, and, where private paths are expected, for a zone without any name here
/// whose SOA alone is public ([`by_authority_alone`]):
///
/// 1. The server does not change its answers from one try to the next.
/// 2. A name of the zone is public there.
/// 3. No name of the zone is private there, or denied by a private zone.
/// 4. No record of the zone, asked directly, is private there: that is a forwarder's fault (DNS020).
/// 5. Azure's DNS has no name of the zone private: that is a bypass (DNS002).
/// 6. The SOA does not show that the zone is linked there.
/// 7. A name of another zone, or its record asked directly, is private there, or some server has a name private and the SOA of
///    another zone shows it linked there: the private link exists.
fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let mut by_zone: BTreeMap<&str, Vec<SocketAddr>> = BTreeMap::new();
    for zone in &facts.observations().zones {
        let missing: Vec<SocketAddr> =
            facts.resolving_servers().into_iter().filter(|server| missing_at(facts, zone, *server)).collect();
        if !missing.is_empty() {
            by_zone.insert(zone, missing);
        }
    }
    // Zones that are missing at the same servers have one cause.
    let mut by_servers: BTreeMap<&[SocketAddr], Vec<&str>> = BTreeMap::new();
    for (zone, servers) in &by_zone {
        by_servers.entry(servers).or_default().push(zone);
    }
    let seen =
        by_servers.iter().map(|(servers, zones)| draft(facts, &Zones::of(facts, zones.iter().copied()), servers));
    seen.chain(by_authority_alone(facts)).collect()
}

/// Zones of which no name is looked at here: only their SOA tells. The storage zone is left out: many networks do without it.
fn by_authority_alone(facts: &Facts<'_>) -> Vec<Draft> {
    if !facts.private_expected() {
        return Vec::new();
    }
    let unknown = |zone: &&str| names(facts, zone).is_empty() && !is_blob_zone(zone);
    let zones = facts.observations().zones.iter().map(String::as_str).filter(unknown);
    let shows_private =
        |server: SocketAddr| facts.ampls_endpoints().any(|name| name.view_of(server).is_some_and(View::is_private));
    let missing = |zone: &str, server: SocketAddr| {
        !facts.flaps(server) && facts.linked(zone, server) == Linked::No && shows_private(server)
    };
    let mut by_servers: BTreeMap<Vec<SocketAddr>, Vec<&str>> = BTreeMap::new();
    for zone in zones {
        let servers: Vec<SocketAddr> =
            facts.resolving_servers().into_iter().filter(|server| missing(zone, *server)).collect();
        if !servers.is_empty() {
            by_servers.entry(servers).or_default().push(zone);
        }
    }
    by_servers.iter().map(|(servers, zones)| authority_draft(facts, zones, servers)).collect()
}

fn authority_draft(facts: &Facts<'_>, zones: &[&str], servers: &[SocketAddr]) -> Draft {
    let listed = servers.iter().map(|server| format!("`{server}`")).collect::<Vec<_>>().join(", ");
    let among: BTreeSet<&SocketAddr> = servers.iter().collect();
    let soas = facts.zones().iter().filter(|fact| zones.contains(&fact.zone.as_str()) && among.contains(&fact.server));
    let title = format!(", as far as its authority tells (asked at {listed})");
    Draft::new(Severity::Warning, Owner::Dns, Title::list("zones not linked: ", zones.iter().copied(), title))
        .as_stated()
        .group(format!("authority {listed}"))
        .summary("other names of the private link are private here, and the authority of this zone is Microsoft's public DNS: its names would use the public path; this machine uses none of them")
        .list("zones", zones.iter().copied())
        .list("server", servers.iter())
        .arg("cause", "authority")
        .likely()
        .reaching(Reach::Nothing)
        .evidence(soas.map(|fact| facts.zone_line(fact)))
        .fix([remedy::zone::find(zones)])
        .fix(zones.iter().map(|zone| remedy::zone::list_links(zone)))
        .fix([remedy::endpoint::complete_zone_group(zones).instead()])
}

fn names<'f>(facts: &'f Facts<'_>, zone: &str) -> Vec<&'f EndpointFacts<'f>> {
    facts.ampls_endpoints().filter(|name| name.endpoint.zone.as_deref() == Some(zone)).collect()
}

fn missing_at(facts: &Facts<'_>, zone: &str, server: SocketAddr) -> bool {
    let names = names(facts, zone);
    let views = || names.iter().filter_map(|name| name.view_of(server));
    let some_public = || views().any(View::is_public);
    let from_private_zone = || views().any(|view| view.is_private() || facts.denied_by_private_zone(view));
    let record_is_private = || names.iter().any(|name| name.record_view(server).is_some_and(View::is_private));
    let private_at_azure = || names.iter().filter_map(|name| name.azure()).any(View::is_private);
    let linked = || facts.linked(zone, server) == Linked::Yes;
    let others = || facts.ampls_endpoints().filter(|name| name.endpoint.zone.as_deref() != Some(zone));
    let shows_private = |name: &EndpointFacts<'_>| {
        name.view_of(server).is_some_and(View::is_private) || name.record_view(server).is_some_and(View::is_private)
    };
    let other_zone_is_private =
        || others().any(shows_private) || (facts.some_server_is_private() && facts.asks_another_zone(zone, server));

    !facts.flaps(server)
        && some_public()
        && !from_private_zone()
        && !record_is_private()
        && !private_at_azure()
        && !linked()
        && other_zone_is_private()
}

fn draft(facts: &Facts<'_>, zones: &Zones, servers: &[SocketAddr]) -> Draft {
    let listed = servers.iter().map(|server| format!("`{server}`")).collect::<Vec<_>>().join(", ");
    let here = servers.iter().all(|server| Facts::is_azure_dns(*server));
    let first = servers.iter().copied().find(|server| !Facts::is_azure_dns(*server)).unwrap_or(AZURE_DNS);
    let names: Vec<_> = zones.all.iter().flat_map(|zone| names(facts, zone)).collect();
    let public: Vec<_> = names
        .iter()
        .filter(|name| servers.iter().filter_map(|server| name.view_of(*server)).any(View::is_public))
        .collect();
    let reached = names.iter().filter(|name| !name.system().is_some_and(View::is_private));
    let severity = if facts.expect() == Expect::Public { Severity::Info } else { Severity::Error };
    let network = if here { "this virtual network" } else { "the virtual network where that DNS server resolves" };
    let title = match zones.all.as_slice() {
        [zone] => Title::list("zone ", [zone], format!(" is not linked to {network} (according to {listed})")),
        all => Title::list("zones not linked: ", all, format!(" (according to {listed})")),
    };
    let these = if zones.all.len() == 1 { "of this zone" } else { "of these zones" };
    let is_linked = if zones.all.len() == 1 { "the zone is" } else { "the zones are" };
    let mut draft = Draft::new(severity, Owner::Dns, title)
        .about(public.iter().map(|name| name.fqdn()))
        .group(listed.clone())
        .summary(if here {
            format!("other names of the private link are private in this virtual network, but every name {these} is public: {is_linked} not linked here")
        } else {
            format!("other names of the private link are private on {listed}, but every name {these} is public: either {is_linked} not linked to the virtual network where that server resolves, or the server has no forwarder for the public names")
        })
        .list("zones", &zones.now)
        .list("zones_optional", zones.optional())
        .list("server", servers.iter())
        .arg("cause", if here { "link-missing" } else { "link-or-forwarder-missing" })
        .excludes("a missing record: a linked zone would return its own SOA, or deny the name")
        .reaching(Reach::Split { only: reached.map(|name| name.fqdn().to_owned()).collect(), own: &["DNS005"] })
        .fix([remedy::zone::find(&borrowed(&zones.now)), records(&public, &zones.now), remedy::machine::find_network_of_dns(facts, first)])
        .fix([remedy::zone::link(&borrowed(&zones.now), network)]);
    if !here {
        draft = draft.likely();
        draft = draft.fix(remedy::server::forward(zones, &first.ip().to_string()).into_iter().map(|mut fix| {
            fix.text.push_str("; that serves all zones at once: no other change of this finding is needed then");
            fix.instead()
        }));
    }
    draft = draft
        .fix([remedy::endpoint::complete_zone_group(&borrowed(&zones.now)).instead()])
        .fix([remedy::predict::links(&borrowed(&zones.now))])
        .fix(remedy::zone::link_optional(zones, network))
        .fix(remedy::machine::restart_agent(facts));
    for name in &public {
        let views = servers.iter().filter_map(|server| name.view_of(*server));
        draft = draft.evidence(views.map(|view| facts.view_line(name, view)));
    }
    let among: BTreeSet<&SocketAddr> = servers.iter().collect();
    for zone in &zones.all {
        let soas = facts.zones().iter().filter(|fact| fact.zone == *zone && among.contains(&fact.server));
        draft = draft.evidence(soas.map(|fact| facts.zone_line(fact)));
    }
    draft
}

/// A zone without this machine's records would end what works over the public path.
fn records(public: &[&&EndpointFacts<'_>], zones: &[String]) -> Fix {
    let required = |name: &&&&EndpointFacts<'_>| {
        name.endpoint.zone.as_ref().is_some_and(|zone| zones.contains(zone)) && name.endpoint.alias.is_some()
    };
    let mut commands = Vec::new();
    for name in public.iter().filter(required) {
        let zone = name.endpoint.zone.as_deref().unwrap_or_default();
        let alias = name.endpoint.alias.as_deref().unwrap_or_default();
        commands.push(remedy::zone::show_record(zone, Zone::new(zone).and_then(|zone| zone.record(alias)).as_ref()));
    }
    let whose = if public.iter().any(|name| matches!(Resource::of(name.fqdn()), Some(Resource::Workspace(_)))) {
        "check that the records of this machine's workspace are in it"
    } else {
        "check that these records are in it"
    };
    Fix::look(format!("{whose}; NotFound: stop: a link would end what works over the public path"), commands)
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::ServerRole;
    use ampls_probes::testing::{AZURE, CUSTOM, HANDLER, ODS, Says, Scene, ZONES, private_world, public_world};

    use super::*;
    use crate::diagnose::finding::Certainty;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    const ODS_ZONE: &str = ZONES[2];

    fn without_ods() -> Scene {
        private_world().everywhere(ODS, &Says::Public("20.150.190.99")).soa(CUSTOM, ODS_ZONE, &Says::PublicZone).soa(
            AZURE,
            ODS_ZONE,
            &Says::PublicZone,
        )
    }

    #[test]
    fn fires_with_both_causes_behind_a_custom_server() {
        let found = fires_as_declared(&DNS003, &without_ods());
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].severity, found[0].certainty), (Severity::Error, Certainty::Likely));
        assert_eq!(found[0].lists["zones"], [ODS_ZONE]);
        assert_eq!(found[0].args["cause"], "link-or-forwarder-missing");
        assert_eq!(found[0].endpoints, [ODS]);
    }

    #[test]
    fn fires_with_one_cause_when_azure_dns_is_configured() {
        let scene = without_ods()
            .server(CUSTOM, &[ServerRole::Extra])
            .server(AZURE, &[ServerRole::Configured, ServerRole::Azure]);
        let found = drafts(&DNS003, &scene);
        assert_eq!(found[0].certainty, Certainty::Proven);
        assert_eq!(found[0].args["cause"], "link-missing");
    }

    #[test]
    fn fires_for_a_zone_without_names_by_its_authority() {
        let scene = private_world().without(ODS).soa(CUSTOM, ODS_ZONE, &Says::PublicZone);
        let found = drafts(&DNS003, &scene);
        assert_eq!((found.len(), found[0].severity, found[0].certainty), (1, Severity::Warning, Certainty::Likely));
        assert_eq!(found[0].lists["zones"], [ODS_ZONE]);
        assert_eq!(drafts(&DNS003, &public_world().without(ODS)), []);
    }

    #[test]
    fn fires_without_any_soa() {
        let scene = without_ods().soa(CUSTOM, ODS_ZONE, &Says::Silence);
        assert_eq!(drafts(&DNS003, &scene).len(), 1);
    }

    #[test]
    fn silent_when_the_soa_shows_the_link() {
        assert_eq!(drafts(&DNS003, &without_ods().soa(CUSTOM, ODS_ZONE, &Says::PrivateZone)), []);
    }

    #[test]
    fn silent_when_azure_has_the_zone_private() {
        assert_eq!(drafts(&DNS003, &without_ods().says(AZURE, ODS, &Says::Private("10.0.0.6"))), []);
    }

    #[test]
    fn silent_when_no_other_zone_is_private() {
        assert_eq!(drafts(&DNS003, &public_world()), []);
        assert_eq!(drafts(&DNS003, &private_world()), []);
    }

    #[test]
    fn fires_where_only_the_records_of_other_zones_are_private() {
        let scene = public_world().says_of_alias(CUSTOM, HANDLER, &Says::Private("10.0.0.5"));
        let found = drafts(&DNS003, &scene.soa(CUSTOM, ODS_ZONE, &Says::PublicZone));
        assert!(found.iter().any(|draft| draft.lists["zones"].iter().any(|zone| zone == ODS_ZONE)), "{found:?}");
    }
}
