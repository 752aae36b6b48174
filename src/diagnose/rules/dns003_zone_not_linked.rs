//! DNS003: some zones of the private link are missing where a server resolves.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use ampls_probes::endpoint::Expect;

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, Linked, View};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};

rule! {
    /// ## What it means
    ///
    /// On one DNS server names of one AMPLS zone are private while every name of another zone that resolves is public. The
    /// private link exists, but that zone is missing where the server resolves. The usual cases: only
    /// `privatelink.monitor.azure.com` was created, so configuration is private and log upload public; or
    /// `dns-zone-group create` was run with one zone and the other four were never added.
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
        explains: [
            "DNS005", "DNS007", "DNS015", "NET001", "NET005", "NET002", "NET003", "NET004", "TLS006", "TLS007", "HTP001",
            "HTP003", "AGT008", "AGT009"
        ],
    }
}

/// Fires for a zone on a resolving server when all hold:
///
/// 1. The server does not change its answers from one try to the next.
/// 2. A name of the zone is public there.
/// 3. No name of the zone is private there, or denied by a private zone.
/// 4. No record of the zone, asked directly, is private there: that is a forwarder's fault (DNS020).
/// 5. Azure's DNS has no name of the zone private: that is a bypass (DNS002).
/// 6. The SOA does not show that the zone is linked there.
/// 7. A name of another zone, or its record asked directly, is private there: the private link exists.
fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let mut by_zone: BTreeMap<&str, Vec<SocketAddr>> = BTreeMap::new();
    for zone in &facts.observations().zones {
        let missing: Vec<SocketAddr> =
            facts.resolving_servers().into_iter().filter(|server| missing_at(facts, zone, *server)).collect();
        if !missing.is_empty() {
            by_zone.insert(zone, missing);
        }
    }
    by_zone.iter().map(|(zone, servers)| draft(facts, zone, servers)).collect()
}

fn names<'f>(facts: &'f Facts<'_>, zone: &str) -> Vec<&'f EndpointFacts<'f>> {
    facts.ampls_endpoints().filter(|name| name.endpoint.zone.as_deref() == Some(zone)).collect()
}

fn missing_at(facts: &Facts<'_>, zone: &str, server: SocketAddr) -> bool {
    let names = names(facts, zone);
    let views = || names.iter().filter_map(|name| name.view_of(server));
    let some_public = || views().any(View::is_public);
    let from_private_zone = || views().any(|view| view.is_private() || facts.denied_by_private_zone(view));
    let record_is_private =
        || names.iter().any(|name| facts.record_view(name, server).is_some_and(|view| view.is_private()));
    let private_at_azure = || names.iter().filter_map(|name| name.azure()).any(View::is_private);
    let linked = || facts.linked(zone, server) == Linked::Yes;
    let others = || facts.ampls_endpoints().filter(|name| name.endpoint.zone.as_deref() != Some(zone));
    let shows_private = |name: &EndpointFacts<'_>| {
        name.view_of(server).is_some_and(View::is_private)
            || facts.record_view(name, server).is_some_and(|view| view.is_private())
    };
    let other_zone_is_private = || others().any(shows_private);

    !facts.flaps(server)
        && some_public()
        && !from_private_zone()
        && !record_is_private()
        && !private_at_azure()
        && !linked()
        && other_zone_is_private()
}

fn draft(facts: &Facts<'_>, zone: &str, servers: &[SocketAddr]) -> Draft {
    let listed = servers.iter().map(|server| format!("`{server}`")).collect::<Vec<_>>().join(", ");
    let here = servers.iter().all(|server| Facts::is_azure_dns(*server));
    let names = names(facts, zone);
    let public: Vec<_> = names
        .iter()
        .filter(|name| servers.iter().filter_map(|server| name.view_of(*server)).any(View::is_public))
        .collect();
    let reached = names.iter().filter(|name| !name.system().is_some_and(View::is_private));
    let severity = if facts.expect() == Expect::Public { Severity::Info } else { Severity::Error };
    let network = if here { "this virtual network" } else { "the virtual network where that DNS server resolves" };
    let title = Title::list("private zone missing: ", [zone], format!(" (asked at {listed})"));
    let mut draft = Draft::new(severity, Owner::Dns, title)
        .about(public.iter().map(|name| name.fqdn()))
        .group(listed.clone())
        .summary(if here {
            "other names of the private link are private in this virtual network, but every name of this zone is public: the zone is not linked here".to_owned()
        } else {
            format!("other names of the private link are private on {listed}, but every name of this zone is public: either the zone is not linked to the virtual network where that server resolves, or the server has no forwarder for the zone's public name")
        })
        .arg("zone", zone)
        .list("server", servers.iter())
        .arg("cause", if here { "link-missing" } else { "link-or-forwarder-missing" })
        .excludes("a missing record: a linked zone would show its SOA, or deny the name")
        .reaching(Reach::Split { only: reached.map(|name| name.fqdn().to_owned()).collect(), own: &["DNS005"] })
        .fix([remedy::find_zone(zone), remedy::list_links(zone), remedy::link_zone(zone, network)]);
    if !here {
        draft = draft.likely();
        let first = servers.first().map(|server| server.ip().to_string()).unwrap_or_default();
        draft = draft.fix(remedy::forward(&[zone.to_owned()], &first).into_iter().map(|mut fix| {
            fix.text.push_str("; that serves all zones at once: no other change of this finding is needed then");
            fix.instead()
        }));
    }
    draft = draft.fix([
        remedy::complete_zone_group(zone).instead(),
        Fix::look("look which zones the private endpoint keeps records in", [remedy::list_zone_groups()]),
    ]);
    for name in &public {
        let views = servers.iter().filter_map(|server| name.view_of(*server));
        draft = draft.evidence(views.map(|view| facts.view_line(name, view)));
    }
    let among: BTreeSet<&SocketAddr> = servers.iter().collect();
    let soas = facts.zones().iter().filter(|fact| fact.zone == zone && among.contains(&fact.server));
    draft.evidence(soas.map(|fact| facts.zone_line(fact)))
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
        assert_eq!(found[0].args["zone"], ODS_ZONE);
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
        assert!(found.iter().any(|draft| draft.args["zone"] == ODS_ZONE), "{found:?}");
    }
}
