//! DNS017: a server answers a public name from a zone of its own.

use crate::diagnose::command::{Address, Host, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, View, ViewKind};
use crate::diagnose::finding::{Fix, Owner, Severity};
use crate::diagnose::rule::rule;
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// A DNS server gives a private address for a public name of Azure Monitor without any `privatelink` alias in the chain. In
    /// public DNS such a name leads on to an alias; here the answer comes from a zone of the *public* name that somebody keeps
    /// on this server, by hand. It works as long as its records are right.
    ///
    /// ## Why it matters
    ///
    /// Such a zone answers for everything below its name: names that it does not hold do not exist for this network. Nobody
    /// keeps its records: they go stale when the private endpoint is recreated, and new workspaces are missing.
    ///
    /// ## How to fix
    ///
    /// Nothing has to be done while it answers rightly. Better is to forward the public zone to Azure's DNS and to let the zone
    /// group of the private endpoint keep the records in the `privatelink` zones.
    ///
    /// ## How to confirm
    ///
    /// `nslookup <name> <server>` shows the `privatelink` alias.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration>
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-configure>
    DNS017 = "public-zone-shadowed" {
        layer: Dns,
        severity: Info,
        owner: Dns,
        hops: [Server],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    facts.ampls_endpoints().filter_map(|name| shadowed(facts, name)).collect()
}

fn shadowed(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Option<Draft> {
    // Names given with `--endpoint` may be the records themselves.
    if facts.is_ampls_name(name.fqdn()) {
        return None;
    }
    let own = |view: &&View| {
        view.view != ViewKind::System && view.is_private() && view.cname.iter().all(|alias| !is_alias(alias))
    };
    let views: Vec<&View> = name.views.iter().filter(own).collect();
    let mut servers: Vec<String> =
        views.iter().filter_map(|view| view.server).map(|server| server.to_string()).collect();
    servers.dedup();
    let first = servers.first()?;
    let address = first.rsplit_once(':').map_or("", |(address, _)| address);
    let address = address.trim_start_matches('[').trim_end_matches(']').to_owned();
    Some(
        Draft::new(
            Severity::Info,
            Owner::Dns,
            Title::list("private answer without a `privatelink` alias: ", [name.fqdn()], format!(" (at {})", servers.join(", "))),
        )
        .about([name.fqdn()])
        .group(servers.join(" "))
        .summary("the server answers the public name from a zone of its own, not from the `privatelink` zones; its records are maintained by hand, and names it lacks do not exist for this network")
        .evidence(views.iter().map(|view| facts.view_line(name, view)))
        .list("server", &servers)
        .excludes("the hosts file: the server itself was asked")
        .reaching(Reach::Nothing)
        .fix([Fix::look(
            format!("check which zone on that server holds {}", quote(name.fqdn())),
            [
                command!(PowerShell, "Get-DnsServerZone -ComputerName {}", Address::new(&address)),
                command!(Any, "nslookup -type=SOA {} {}", Host::new(name.fqdn()), Address::new(&address)),
            ],
        )]),
    )
}

fn is_alias(name: &str) -> bool {
    name.split('.').any(|label| label == "privatelink")
}

#[cfg(test)]
mod tests {
    use ampls_probes::testing::{CUSTOM, ODS, Says, private_world, public_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_for_a_private_answer_without_an_alias() {
        let found = fires_as_declared(&DNS017, &private_world().everywhere(ODS, &Says::Plain("10.0.0.6")));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Info));
        assert!(found[0].lists["server"].contains(&CUSTOM.to_owned()));
    }

    #[test]
    fn silent_about_a_public_answer_without_an_alias() {
        assert_eq!(drafts(&DNS017, &public_world().everywhere(ODS, &Says::Plain("20.1.1.1"))), []);
    }

    #[test]
    fn silent_about_records_behind_the_alias_and_the_hosts_file() {
        assert_eq!(drafts(&DNS017, &private_world()), []);
        assert_eq!(drafts(&DNS017, &private_world().hosts("10.0.0.6", ODS)), []);
    }
}
