//! DNS023: a name is private where public paths are wanted.

use ampls_probes::endpoint::Expect;

use crate::diagnose::command::command;
use crate::diagnose::draft::{Draft, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, Route, route_word};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::remedy;
use crate::diagnose::rule::{WRONG_ADDRESS, rule};

rule! {
    /// ## What it means
    ///
    /// Public paths are wanted (`--expect public`), and this machine resolves names of Azure Monitor to private addresses: the
    /// private zones of a Private Link Scope are linked to the network whose DNS answers here. Private DNS is shared by every network
    /// that uses the same servers and zones, so that one team's scope changes the names of all others.
    ///
    /// It is a warning while the private address answers, and an error where it does not.
    ///
    /// ## Why it matters
    ///
    /// Resources outside that scope are refused, or lose their names. Data takes a path that nobody here planned, and stops when its
    /// owner takes the private endpoint away.
    ///
    /// ## How to fix
    ///
    /// If the private link is meant for this machine, expect it: `--expect private`. If not, find out who linked the zones, and
    /// unlink them from the network that resolves for this machine, or let this machine ask DNS servers that do not see them. An
    /// access mode of the scope does not change what DNS answers.
    ///
    /// ## How to confirm
    ///
    /// `dig <name>` (Linux) or `Resolve-DnsName <name>` (Windows) gives public addresses.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-design>
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-security>
    /// - <https://learn.microsoft.com/azure/dns/private-dns-virtual-network-links>
    DNS023 = "unexpected-private-route" {
        layer: Dns,
        severity: Warning,
        owner: Dns,
        hops: [Server],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [&["DNS014", "TLS003", "HTP005"], WRONG_ADDRESS],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    if facts.expect() != Expect::Public {
        return Vec::new();
    }
    let private = facts.ampls_endpoints().filter(|name| matches!(name.route(), Route::Private | Route::Mixed));
    private.map(|name| draft(facts, name)).collect()
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Draft {
    let zone = name.endpoint.zone.as_deref().unwrap_or("ZONE_NAME");
    let address = name.addresses().iter().find(|address| facts.leads_private(name.fqdn(), **address) == Some(true));
    // A stub may give what it keeps.
    let by_server = name.server_views().any(|view| view.is_private() && view.server != facts.stub());
    let summary = if by_server {
        "public paths are expected, but this machine gets private addresses: the zones of a private link scope are linked where its DNS resolves; expect the private link, or unlink the zones from this network"
    } else {
        "public paths are expected, but this machine gets private addresses that none of its DNS servers gives: a cached answer, or its hosts file"
    };
    // Nothing shows a link where no server gives the address.
    let change = if by_server {
        let change = [remedy::zone::find(&[zone]), remedy::zone::list_links(zone), unlink(zone)];
        change.into_iter().chain(remedy::predict::unlink(zone)).collect()
    } else {
        Vec::new()
    };
    Draft::new(
        if name.unreachable() { Severity::Error } else { Severity::Warning },
        Owner::Dns,
        Title::list("private although public is expected: ", [name.fqdn()], ""),
    )
    .about([name.fqdn()])
    .summary(summary)
    .evidence(name.system().map(|view| facts.view_line(name, view)))
    .evidence(name.server_views().filter(|view| view.is_private()).map(|view| facts.view_line(name, view)))
    .list("route", [route_word(name.route())])
    .list("zone", [zone])
    .list("address", [address.map(ToString::to_string).unwrap_or_default()])
    .excludes("a private link that is missing: it is there")
    .fix([Fix::look(
        "if the private link is intended, expect it",
        [command!(Any, "ampls-doctor check --expect private")],
    )])
    .fix(address.map(|address| remedy::endpoint::find_by_address(&address.to_string())).unwrap_or_default())
    .fix(change)
}

fn unlink(zone: &str) -> Fix {
    remedy::zone::unlink(
        zone,
        BlastRadius::Vnet,
        format!("if it is not intended, unlink `{zone}` from the network whose DNS this machine uses"),
        "keep what they print; every machine of that network loses the private path",
    )
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::Outcome;
    use ampls_probes::testing::{ODS, Says, private_world, public_world};

    use super::*;
    use crate::diagnose::diagnose;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_where_public_is_wanted_and_the_name_is_private() {
        let found = fires_as_declared(&DNS023, &private_world().expect(Expect::Public));
        assert!(found.len() > 1 && found.iter().all(|draft| draft.severity == Severity::Warning), "{found:?}");
        let found = diagnose(&private_world().expect(Expect::Public).observations());
        assert_eq!(found.iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>(), ["DNS023"]);
    }

    #[test]
    fn fires_as_an_error_where_the_name_does_not_answer_and_explains_it() {
        let scene = private_world().expect(Expect::Public).connects(ODS, &Outcome::TimedOut);
        let found = diagnose(&scene.observations());
        let severities: Vec<_> =
            found.iter().map(|one| (one.code.as_str(), one.severity, one.caused_by.is_some())).collect();
        assert_eq!(severities, [("DNS023", Severity::Error, false), ("NET001", Severity::Error, true)]);
    }

    #[test]
    fn silent_where_the_name_is_public_or_private_is_not_unwanted() {
        assert_eq!(drafts(&DNS023, &public_world().expect(Expect::Public)), []);
        for expect in [Expect::Auto, Expect::Private] {
            assert_eq!(drafts(&DNS023, &private_world().expect(expect)), []);
        }
    }

    #[test]
    fn fires_without_touching_a_link_that_no_server_shows() {
        let scene = public_world().expect(Expect::Public).system(ODS, &Says::Private("10.0.0.5"));
        let found = drafts(&DNS023, &scene);
        assert!(found[0].fix.iter().all(|fix| fix.read_only), "{:?}", found[0].fix);
    }
}
