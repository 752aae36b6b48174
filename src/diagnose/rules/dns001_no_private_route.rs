//! DNS001: nothing shows a private link.

use std::net::SocketAddr;

use ampls_probes::addr::AZURE_DNS;
use ampls_probes::endpoint::Expect;

use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, Linked, View, ViewKind, is_blob_zone};
use crate::diagnose::finding::{Owner, Severity};
use crate::diagnose::need::{Zones, borrowed};
use crate::diagnose::remedy;
use crate::diagnose::rule::{WRONG_ADDRESS, rule};

rule! {
    /// ## What it means
    ///
    /// Every name of Azure Monitor that a private link could make private resolves to a public address, from every DNS server: this
    /// machine's resolver, its DNS servers, and Azure's own DNS as this virtual network sees it. Nothing here knows of an
    /// Azure Monitor Private Link Scope (AMPLS).
    ///
    /// Without a private link that is how it should be, and the finding is information. It is an error when private paths
    /// were asked for with `--expect private`. A required name that does not answer over its public address has a finding of
    /// its own: the firewall lacks a rule for the public path, or a proxy stands in the way. If a private link was meant,
    /// run again with `--expect private`.
    ///
    /// A `privatelink` alias in the chain proves nothing: the shared names of Azure Monitor carry it for every customer.
    ///
    /// ## Why it matters
    ///
    /// Logs leave over public addresses. Where the workspace refuses public ingestion they are answered 403 and lost; where
    /// it does not, nobody notices that the private link is unused.
    ///
    /// ## How to fix
    ///
    /// Where no private link is meant: nothing. `--expect public` says so and silences this finding.
    ///
    /// Where one is meant, link the zones `privatelink.monitor.azure.com`, `privatelink.oms.opinsights.azure.com`,
    /// `privatelink.ods.opinsights.azure.com`, `privatelink.agentsvc.azure-automation.net` and last
    /// `privatelink.blob.core.windows.net` to the virtual network whose DNS this machine uses: its own with Azure's DNS,
    /// that of the DNS server or of the inbound endpoint of the resolver otherwise. Peering does not share the links.
    /// Check first that the zones hold records: an empty `privatelink.monitor.azure.com` breaks every client.
    ///
    /// ## How to confirm
    ///
    /// Run `ampls-doctor --expect private` again: the names turn private, zone by zone.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-configure>
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration>
    /// - <https://techcommunity.microsoft.com/t5/fasttrack-for-azure/how-azure-monitor-s-implementation-of-private-link-differs-from/ba-p/3608938>
    DNS001 = "no-private-route" {
        layer: Dns,
        severity: Info,
        owner: Dns,
        hops: [Server],
        claim: Fault,
        all_names: true,
        no_answer: false,
        explains: [WRONG_ADDRESS],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    if facts.expect() == Expect::Public {
        return Vec::new();
    }
    let wanted = facts.expect() == Expect::Private;
    let names: Vec<_> = facts.ampls_endpoints().collect();
    // What only Azure's view shows says nothing about the servers that this machine uses.
    let own = |view: &&View| matches!(view.view, ViewKind::System | ViewKind::Server);
    let public = names.iter().filter(|name| name.views.iter().filter(own).any(View::is_public)).count();
    // Where servers are known, one of them has to say so: a kept answer of the system's says nothing of them.
    let servers = facts.resolving_servers();
    let said =
        |name: &&EndpointFacts<'_>| servers.iter().filter_map(|server| name.view_of(*server)).any(View::is_public);
    if public == 0
        || (!servers.is_empty() && !names.iter().any(said))
        || facts.some_record_is_private()
        || names.iter().any(|name| shows_private_link(facts, name))
        || has_linked_zone(facts, &servers)
    {
        return Vec::new();
    }
    let silent = names.iter().any(|name| name.required() && name.unreachable());
    // What keeps a required name from answering is a finding of its own; a public route does not.
    let severity = if wanted { Severity::Error } else { Severity::Info };
    let mut draft = Draft::new(
        severity,
        Owner::Dns,
        Title::plain(format!("no private link found: {public} of {} private-capable names resolve to public addresses", names.len())),
    )
    .about(names.iter().map(|name| name.fqdn()))
    .summary(if wanted {
        "private paths are expected, but no server has a private address for any name: the private DNS zones of the AMPLS are linked neither here nor where this machine's DNS servers resolve"
    } else if silent {
        "no server has a private address for any name, which is normal without a private link; a required name that does not answer has another cause; if you expect a private link, `--expect private` says what is missing"
    } else {
        "no server has a private address for any name, which is normal without a private link"
    })
    .list("names", [names.len().to_string()])
    .list("public", [public.to_string()])
    .excludes("a DNS server that does not use Azure's DNS: Azure's own answers are public too")
    .reaching(if wanted { Reach::Own } else { Reach::Nothing });
    if facts.stub_tells_nothing() {
        draft = draft.likely();
    }
    for name in &names {
        draft = draft.evidence(name.system().map(|view| facts.view_line(name, view)));
    }
    draft = draft.evidence(facts.zones().iter().filter(|fact| fact.soa.is_some()).map(|fact| facts.zone_line(fact)));
    if wanted {
        let zones = &facts.observations().zones;
        let monitor = zones.first().map_or("privatelink.monitor.azure.com", String::as_str);
        let zones = Zones::of(facts, zones.iter().map(String::as_str));
        let network = "the virtual network whose DNS this machine uses";
        draft = draft.fix([
            remedy::zone::find(&borrowed(&zones.now)),
            remedy::machine::find_network_of_dns(facts, facts.first_server().unwrap_or(AZURE_DNS)),
            remedy::zone::list_links(monitor),
            remedy::zone::link(&borrowed(&zones.now), network),
            remedy::predict::links(&borrowed(&zones.now)),
        ]);
        draft = draft.fix(remedy::zone::link_optional(&zones, network)).fix(remedy::machine::restart_agent(facts));
    }
    vec![draft]
}

/// A view of the name is private, or denied by a private zone. Where private paths are asked for, a line of the hosts file is no
/// private link.
fn shows_private_link(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> bool {
    let by_hand = facts.expect() == Expect::Private && !facts.hosts_entries(name.fqdn()).is_empty();
    let mut views = name.views.iter().filter(|view| !(by_hand && view.view == ViewKind::System));
    views.any(|view| view.is_private() || facts.denied_by_private_zone(view))
}

/// A zone is linked where a server of this machine resolves: names are missing in it (DNS004), and fallback to internet hides
/// that. That of blobs may serve any storage account.
fn has_linked_zone(facts: &Facts<'_>, servers: &[SocketAddr]) -> bool {
    let zones = facts.observations().zones.iter().filter(|zone| !is_blob_zone(zone));
    zones.into_iter().any(|zone| servers.iter().any(|server| facts.linked(zone, *server) == Linked::Yes))
}

#[cfg(test)]
mod tests {
    use ampls_probes::testing::{API, CUSTOM, HANDLER, ODS, Says, private_world, public_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};
    use ampls_probes::observation::Outcome;

    #[test]
    fn fires_as_information_where_no_private_link_is_meant() {
        let found = fires_as_declared(&DNS001, &public_world());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Info);
        assert_eq!(found[0].reach, Reach::Nothing);
    }

    #[test]
    fn fires_as_error_where_private_was_asked_for() {
        let found = drafts(&DNS001, &public_world().expect(Expect::Private));
        assert_eq!(found[0].severity, Severity::Error);
        assert!(found[0].endpoints.contains(&ODS.to_owned()));
        assert!(found[0].fix.iter().any(|fix| !fix.read_only));
    }

    #[test]
    fn fires_as_information_without_remedies_when_a_required_name_does_not_answer() {
        let found = drafts(&DNS001, &public_world().connects(HANDLER, &Outcome::TimedOut));
        assert_eq!((found[0].severity, found[0].fix.len()), (Severity::Info, 0));
        assert!(found[0].summary.contains("has another cause"), "{}", found[0].summary);
    }

    #[test]
    fn silent_where_public_was_asked_for() {
        assert_eq!(drafts(&DNS001, &public_world().expect(Expect::Public)), []);
    }

    #[test]
    fn silent_when_any_view_of_any_name_is_private() {
        assert_eq!(drafts(&DNS001, &private_world()), []);
        assert_eq!(drafts(&DNS001, &public_world().says(CUSTOM, API, &Says::Private("10.0.0.4"))), []);
    }

    #[test]
    fn silent_when_a_private_zone_denies_a_name() {
        assert_eq!(drafts(&DNS001, &public_world().everywhere(API, &Says::DeniedByPrivateZone)), []);
    }

    #[test]
    fn fires_beside_a_private_line_of_the_hosts_file() {
        let found = drafts(&DNS001, &public_world().expect(Expect::Private).hosts("10.9.9.9", ODS));
        assert_eq!(found.iter().map(|draft| draft.severity).collect::<Vec<_>>(), [Severity::Error]);
    }

    #[test]
    fn silent_where_the_system_has_a_private_address_that_no_line_gives() {
        let scene = public_world().expect(Expect::Private).system(ODS, &Says::Private("10.0.0.5"));
        assert_eq!(drafts(&DNS001, &scene), []);
        let scene = public_world().system(ODS, &Says::Private("10.0.0.5")).hosts("10.0.0.5", ODS);
        assert_eq!(drafts(&DNS001, &scene), [], "nobody asked for private paths: a line is a sign of one");
    }

    #[test]
    fn silent_where_only_the_system_has_an_answer() {
        let mut scene = public_world().expect(Expect::Private);
        for name in scene.observations().endpoints {
            scene = scene.says(CUSTOM, &name.fqdn, &Says::Silence);
        }
        assert_eq!(drafts(&DNS001, &scene), []);
    }

    #[test]
    fn silent_where_only_azures_view_shows_anything() {
        let scene = public_world().expect(Expect::Private).server_says(CUSTOM, &Says::ServFail);
        let names: Vec<String> = scene.observations().endpoints.iter().map(|name| name.fqdn.clone()).collect();
        let scene = names.iter().fold(scene, |scene, name| scene.system(name, &Says::ServFail));
        assert_eq!(drafts(&DNS001, &scene), []);
    }
}
