//! DNS012: a name is blocked in DNS on purpose.

use std::net::SocketAddr;

use ampls_probes::addr::Class;

use crate::diagnose::command::{Command, Host, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, Route, View, ViewKind};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::remedy;
use crate::diagnose::rule::{NO_CONNECTION, rule};
use crate::text::quote;

rule! {
    /// ## What it means
    ///
    /// Somebody answers the name with an address that goes nowhere: `0.0.0.0`, loopback, link-local, multicast; or Azure's
    /// own DNS answers with the alias `blockpolicy.azuredns.invalid`, the mark of a DNS security policy; or the address or alias
    /// is where a known DNS filter leads what it blocks. This is a block list at work: a DNS filter, a firewall's DNS feature, a line
    /// of the hosts file (DNS006 then explains it), or the policy.
    ///
    /// No connection to such an address is tried. It is a warning when this machine still resolves the name by another
    /// server.
    ///
    /// ## Why it matters
    ///
    /// The name cannot be reached. Block lists against telemetry often hold Azure Monitor's ingestion names, because browsers
    /// and applications report to the same ones.
    ///
    /// ## How to fix
    ///
    /// Take the name off the block list of the server that gives the answer, or allow it in the DNS security policy that is
    /// linked to the virtual network. An optional public name may stay blocked.
    ///
    /// ## How to confirm
    ///
    /// The server gives an address that can be connected to; `blockpolicy.azuredns.invalid` is gone from the chain.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/dns/dns-security-policy>
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/azure-monitor-network-access>
    DNS012 = "sinkholed" {
        layer: Dns,
        severity: Error,
        owner: Security,
        hops: [Address],
        claim: Fault,
        all_names: false,
        no_answer: true,
        explains: [
            &["DNS002", "DNS003", "DNS004", "DNS005", "DNS007", "DNS015", "DNS020"],
            NO_CONNECTION,
            &["NET006", "TLS001", "TLS003", "TLS006", "TLS007", "TLS008", "HTP002"],
        ],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    facts.endpoints().iter().filter_map(|name| sinkholed(facts, name)).collect()
}

fn leads_nowhere(facts: &Facts<'_>, view: &View) -> bool {
    view.addresses.iter().any(|address| facts.class(*address) == Class::Sinkhole) || view.filter().is_some()
}

fn sinkholed(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Option<Draft> {
    let own = name.views.iter().filter(|view| matches!(view.view, ViewKind::System | ViewKind::Server));
    let views: Vec<&View> = own.filter(|view| leads_nowhere(facts, view)).collect();
    let first = views.first()?;
    let policy = views.iter().any(|view| view.blocked_by_policy());
    let filter = views.iter().find_map(|view| view.filter()).filter(|_| !policy);
    let system = name.system().filter(|view| !leads_nowhere(facts, view));
    let asked: Vec<SocketAddr> = views.iter().filter_map(|view| view.server).collect();
    let turns = facts.in_turn(&asked);
    let reaches = turns.is_empty() && system.is_some_and(|view| view.route != Route::None);
    let severity = if reaches { Severity::Warning } else { Severity::Error };
    let servers: Vec<String> =
        views.iter().filter_map(|view| view.server).map(|server| format!("`{server}`")).collect();
    let who = if servers.is_empty() { "this machine itself".to_owned() } else { servers.join(", ") };
    let kind = match filter {
        _ if policy => "policy",
        Some(_) => "filter",
        None => "address",
    };
    let address = first.addresses.first().map(ToString::to_string).unwrap_or_default();
    let what = if policy {
        "an Azure DNS security policy blocks the name: it answers with the alias `blockpolicy.azuredns.invalid`"
            .to_owned()
    } else if let Some(filter) = filter {
        format!("the answer is {}, the address that {filter} gives for blocked names", quote(&address))
    } else {
        format!(
            "the answer is {}, an address that goes nowhere: a block list is at work; no connection was tried",
            quote(&address)
        )
    };
    let draft =
        Draft::new(severity, Owner::Security, Title::list("blocked in DNS: ", [name.fqdn()], format!(" (by {who})")))
            .about([name.fqdn()])
            .group(format!("{kind} {who}"))
            .summary(format!("{what}{turns}"))
            .evidence(views.iter().map(|view| facts.view_line(name, view)))
            .arg("kind", kind)
            .arg("filter", filter.unwrap_or_default())
            .list("address", [address])
            .list("server", &asked)
            .excludes(if filter.is_some() {
                "a fault of the network path: the address is the filter's own"
            } else {
                "a fault of the network path: no connection was tried"
            })
            .reaching(Reach::Own);
    Some(if policy {
        draft.fix(allow_in_policy(name.fqdn()))
    } else {
        draft.fix(off_the_list(facts, name.fqdn(), &who, &asked))
    })
}

fn allow_in_policy(fqdn: &str) -> Vec<Fix> {
    vec![
        Fix::look("find the DNS security policies, and the networks they are linked to", [command!(Any, "az graph query -q \"resources | where type startswith 'microsoft.network/dnsresolverpolicies' | project id, network=tostring(properties.virtualNetwork.id)\" --query data")]),
        Fix::change(BlastRadius::Vnet, format!("allow {} in a rule of higher priority of that policy (portal: DNS security policy, DNS traffic rules)", quote(fqdn)))
            .under(remedy::Right::DNS_POLICY)
            .after("the rule holds for every machine in the networks that the policy is linked to: look at its domain lists first")
            .undone_by("remove the rule again"),
    ]
}

fn off_the_list(facts: &Facts<'_>, fqdn: &str, who: &str, servers: &[SocketAddr]) -> Vec<Fix> {
    let ask = |server: &SocketAddr| match server.port() {
        53 => command!(Any, "nslookup {} {}", Host::new(fqdn), server.ip()),
        port => command!(Any, "nslookup -port={} {} {}", port, Host::new(fqdn), server.ip()),
    };
    // The hosts file is asked by the system's own call only.
    let by_hand = match (servers.is_empty(), facts.on_windows()) {
        (false, _) => servers.iter().map(ask).collect::<Vec<Command>>(),
        (true, true) => vec![command!(PowerShell, "Resolve-DnsName {}", Host::new(fqdn))],
        (true, false) => vec![command!(Sh, "getent ahosts {}", Host::new(fqdn))],
    };
    vec![
        Fix::look(format!("query {who} yourself"), by_hand),
        Fix::change(BlastRadius::EveryNetworkOnThisDns, format!("remove {} from the block list of {who}", quote(fqdn)))
            .under(remedy::Right::DNS_SERVER)
            .after("the list applies to everyone who uses this DNS server: ask why the name was blocked")
            .undone_by("put the name back on the list"),
    ]
}

#[cfg(test)]
mod tests {
    use ampls_probes::testing::{AZURE, CUSTOM, ODS, Says, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_for_an_address_that_leads_nowhere() {
        for address in ["0.0.0.0", "127.0.0.1", "169.254.1.1", "::"] {
            let found = fires_as_declared(&DNS012, &private_world().everywhere(ODS, &Says::Plain(address)));
            assert_eq!((found.len(), found[0].severity), (1, Severity::Error), "{address}");
            assert_eq!(found[0].lists["address"], [address]);
        }
    }

    #[test]
    fn fires_and_asks_the_server_that_it_names() {
        let found = drafts(&DNS012, &private_world().says(CUSTOM, ODS, &Says::Plain("0.0.0.0")));
        let ip = CUSTOM.split(':').next().unwrap_or_default();
        assert_eq!(found[0].fix[0].lines(), format!("nslookup {ODS} {ip}"));
        let found = drafts(&DNS012, &private_world().system(ODS, &Says::Plain("0.0.0.0")));
        assert_eq!(found[0].fix[0].lines(), format!("getent ahosts {ODS}"));
    }

    #[test]
    fn fires_for_where_a_known_filter_leads_what_it_blocks() {
        let found = drafts(&DNS012, &private_world().everywhere(ODS, &Says::Plain("146.112.61.106")));
        assert_eq!((found[0].severity, found[0].args["kind"].as_str()), (Severity::Error, "filter"));
        assert!(found[0].summary.contains("Cisco Umbrella"), "{}", found[0].summary);
    }

    #[test]
    fn fires_for_azures_block_policy() {
        let found = drafts(&DNS012, &private_world().everywhere(ODS, &Says::BlockedByPolicy));
        assert_eq!(found[0].args["kind"], "policy");
    }

    #[test]
    fn fires_as_warning_when_the_system_still_resolves_it() {
        let found = drafts(&DNS012, &private_world().says(CUSTOM, ODS, &Says::Plain("0.0.0.0")));
        assert_eq!(found[0].severity, Severity::Warning);
    }

    #[test]
    fn silent_for_real_addresses_and_for_what_only_azure_says() {
        assert_eq!(drafts(&DNS012, &private_world()), []);
        assert_eq!(drafts(&DNS012, &private_world().says(AZURE, ODS, &Says::Plain("0.0.0.0"))), []);
    }
}
