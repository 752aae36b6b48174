//! DNS024: a DNS server takes private addresses out of its answers.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use ampls_probes::endpoint::Expect;

use crate::diagnose::command::{Host, command};
use crate::diagnose::draft::{Draft, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, View};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::remedy::Right;
use crate::diagnose::rule::rule;

rule! {
    /// ## What it means
    ///
    /// Asked for a name that is private elsewhere, a DNS server of this machine says that the name exists, gives no address, and
    /// names no zone that would deny one. Names with public addresses it answers. This is protection against DNS rebinding: the
    /// server drops answers that hold private addresses (dnsmasq `stop-dns-rebind`, unbound `private-address`, many routers and
    /// DNS services).
    ///
    /// Such an answer proves nothing about the zone: its record may well be there.
    ///
    /// ## Why it matters
    ///
    /// No name of the private link resolves by this server, and there is no retry: an empty answer is an answer. Everything in
    /// Azure is right and must not be touched.
    ///
    /// ## How to fix
    ///
    /// Exempt the public suffixes from the protection on that server, and keep the protection for everything else. dnsmasq:
    /// `rebind-domain-ok=/monitor.azure.com/opinsights.azure.com/`; unbound: one `private-domain:` line a suffix.
    ///
    /// ## How to confirm
    ///
    /// `nslookup <name> <server>` gives the private address.
    ///
    /// ## References
    ///
    /// - <https://thekelleys.org.uk/dnsmasq/docs/dnsmasq-man.html>
    /// - <https://nlnetlabs.nl/documentation/unbound/unbound.conf/>
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration>
    DNS024 = "private-answers-filtered" {
        layer: Dns,
        severity: Error,
        owner: Dns,
        hops: [Server],
        claim: Fault,
        all_names: true,
        no_answer: false,
        explains: [&["DNS004", "DNS005", "DNS007", "DNS015", "AGT008", "AGT009"]],
    }
}

/// Fires for a resolving server when all hold:
///
/// 1. For a name of an AMPLS its answer about IPv4 addresses has no address, no denial and no SOA.
/// 2. Another view has that name, or its record asked for directly, private.
/// 3. It answers other names: it withholds private addresses and no others.
fn check(facts: &Facts<'_>) -> Vec<Draft> {
    facts.resolving_servers().into_iter().filter_map(|server| filters(facts, server)).collect()
}

fn filters(facts: &Facts<'_>, server: SocketAddr) -> Option<Draft> {
    let withheld = facts.withheld(server);
    let first = withheld.first()?;
    let of = |name: &EndpointFacts<'_>| name.view_of(server).cloned();
    let public = facts.endpoints().iter().filter_map(of).filter(View::is_public).count();
    let mut suffixes: BTreeSet<&str> = BTreeSet::new();
    for zone in withheld.iter().filter_map(|name| name.endpoint.zone.as_deref()) {
        suffixes.insert(zone.strip_prefix("privatelink.").unwrap_or(zone));
    }
    let severity = if facts.expect() == Expect::Public { Severity::Info } else { Severity::Error };
    let address = server.ip().to_string();
    let names = || withheld.iter().map(|name| name.fqdn());
    let mut draft = Draft::new(
        severity,
        Owner::Dns,
        Title::list(&format!("DNS server `{server}` withholds private addresses: "), names(), ""),
    )
    .about(names())
    .group(server.to_string())
    .summary(format!(
        "`{server}` knows {} but returns no address and no authority that denies one, while others return private addresses; {}: it removes private addresses from its answers",
        if withheld.len() == 1 { "this name" } else { "these names" },
        if public > 0 { "public names it answers" } else { "no other answer of it is known" },
    ))
    .arg("server", server.to_string())
    .list("suffixes", &suffixes)
    .excludes("a missing record or an empty zone: the private address is seen elsewhere, and no zone denies it here")
    .excludes("the private endpoint and the scope: nothing was asked of them yet")
    .fix([
        Fix::look(
            format!("ask `{address}` from this machine: the answer is empty, and not \"no such name\""),
            [command!(Any, "nslookup {} {}", Host::new(first.fqdn()), server.ip())],
        ),
        Fix::change(
            BlastRadius::EveryNetworkOnThisDns,
            format!(
                "exempt the suffixes from the protection against DNS rebinding on `{address}`: dnsmasq `rebind-domain-ok=/{}/`, unbound one line `private-domain:` for each",
                suffixes.iter().copied().collect::<Vec<_>>().join("/")
            ),
        )
        .under(Right::DNS_SERVER)
        .after("private addresses then pass for these suffixes, for everybody who asks this server; the protection of all other names stays")
        .undone_by("remove the suffixes again"),
    ]);
    // With nothing public beside it, the server may answer nobody about IPv4.
    if public == 0 {
        draft = draft.likely();
    }
    for name in &withheld {
        draft = draft.evidence(name.view_of(server).map(|view| facts.view_line(name, view)));
        let other = name.views.iter().find(|view| view.server != Some(server) && view.is_private());
        draft = draft.evidence(other.map(|view| facts.view_line(name, view)));
    }
    Some(draft)
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{Observation, ServerRole};
    use ampls_probes::testing::{AZURE, CUSTOM, HANDLER, ODS, REGIONAL, Says, Scene, private_world};

    use super::*;
    use crate::diagnose::finding::Certainty;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn filtered() -> Scene {
        private_world().says(CUSTOM, ODS, &Says::Withheld).system(ODS, &Says::Withheld)
    }

    #[test]
    fn fires_for_private_names_that_one_server_leaves_empty() {
        let found = fires_as_declared(&DNS024, &filtered());
        assert_eq!((found.len(), found[0].severity, found[0].certainty), (1, Severity::Error, Certainty::Likely));
        assert_eq!(found[0].endpoints, [ODS]);
    }

    #[test]
    fn fires_as_proven_where_public_names_are_answered() {
        let scene = filtered().name(REGIONAL, ampls_probes::endpoint::Need::Optional);
        let found = drafts(&DNS024, &scene.everywhere(REGIONAL, &Says::Plain("20.50.1.2")));
        assert_eq!(found[0].certainty, Certainty::Proven);
    }

    #[test]
    fn fires_where_only_the_record_is_private_elsewhere() {
        let scene = filtered().says(AZURE, ODS, &Says::Public("20.1.1.1"));
        assert_eq!(drafts(&DNS024, &scene.says_of_alias(AZURE, ODS, &Says::Private("10.0.0.6"))).len(), 1);
    }

    #[test]
    fn silent_where_a_zone_denies_the_address_or_nobody_has_one() {
        assert_eq!(drafts(&DNS024, &private_world().says(CUSTOM, ODS, &Says::NoData)), []);
        assert_eq!(drafts(&DNS024, &private_world().says(CUSTOM, ODS, &Says::DeniedByPrivateZone)), []);
        assert_eq!(drafts(&DNS024, &private_world().everywhere(ODS, &Says::Withheld)), []);
        assert_eq!(drafts(&DNS024, &private_world()), []);
    }

    #[test]
    fn silent_about_a_server_that_is_not_used() {
        let extra = "10.9.9.9:53";
        let scene = private_world().server(extra, &[ServerRole::Extra]).says(extra, HANDLER, &Says::Withheld);
        assert!(scene.observations().seen.iter().any(|seen| matches!(seen, Observation::Answer(_))));
        assert_eq!(drafts(&DNS024, &scene), []);
    }
}
