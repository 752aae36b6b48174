//! DNS011: IPv6 leads past the private endpoint.

use std::net::IpAddr;

use ampls_probes::endpoint::Expect;

use crate::diagnose::command::{Address, Host, Zone, command};
use crate::diagnose::draft::{Draft, Title};
use crate::diagnose::facts::{EndpointFacts, Facts, View};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::remedy;
use crate::diagnose::rule::{WRONG_ADDRESS, rule};

rule! {
    /// ## What it means
    ///
    /// The name has a private IPv4 address and a public IPv6 address, and this machine can use IPv6: it has a route for it, and
    /// the operating system puts the IPv6 address first (RFC 6724). Azure puts only A records into its private zones, so an AAAA
    /// record comes from elsewhere: a DNS server that answers A and AAAA from different sources, a local zone, a DNS64, a record that somebody added to the
    /// private zone.
    ///
    /// ## Why it matters
    ///
    /// Programs connect to the first address, so logs leave over the public IPv6 path although the private address is there and
    /// every look at the A record shows it.
    ///
    /// ## How to fix
    ///
    /// Find who adds the AAAA record and stop it there: forward the whole public zone, all types, to Azure's DNS; take the
    /// record out of the local zone; where Azure's own DNS gives it, out of the private zone. Preferring IPv4 on the machine hides the fault for this machine only.
    ///
    /// ## How to confirm
    ///
    /// `nslookup -type=AAAA <name> <server>` gives no address.
    ///
    /// ## References
    ///
    /// - <https://www.rfc-editor.org/rfc/rfc6724>
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration>
    DNS011 = "ipv6-bypass" {
        layer: Dns,
        severity: Error,
        owner: Dns,
        hops: [Address],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [&["DNS005", "DNS007", "DNS015"], WRONG_ADDRESS],
    }
}

fn check(facts: &Facts<'_>) -> Vec<Draft> {
    if facts.expect() == Expect::Public || !facts.observations().machine.has_ipv6 {
        return Vec::new();
    }
    facts.ampls_endpoints().filter_map(|name| bypassed(facts, name)).collect()
}

fn bypassed(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Option<Draft> {
    let leads = |address: &IpAddr| facts.leads_private(name.fqdn(), *address);
    let private = |addresses: &[IpAddr]| {
        addresses.iter().copied().find(|address| address.is_ipv4() && leads(address) == Some(true))
    };
    let public = |address: &IpAddr| address.is_ipv6() && leads(address) == Some(false);
    // The system's order is that of RFC 6724, which knows the sources this machine has.
    let of_system = || private(name.addresses()).zip(name.addresses().first().copied().filter(public));
    // Where another fault hides from programs what the servers say, this one comes after it.
    let hidden = !name.system().is_some_and(View::is_private) || !facts.hosts_entries(name.fqdn()).is_empty();
    let of_server = |view: &View| {
        let resolves = view.server.is_some_and(|server| facts.resolves(server) && !facts.flaps(server));
        let first = view.addresses.iter().copied().find(public);
        if resolves { private(&view.addresses).zip(first) } else { None }
    };
    let (private, first) = of_system().or_else(|| hidden.then(|| name.server_views().find_map(of_server)).flatten())?;
    let who: Vec<&View> = name.server_views().filter(|view| view.addresses.contains(&first)).collect();
    let servers: Vec<String> = who.iter().filter_map(|view| view.server).map(|server| server.to_string()).collect();
    let mut given = who.iter().filter_map(|view| view.server).peekable();
    let at_azure = given.peek().is_some() && given.all(Facts::is_azure_dns);
    let asked = servers.first().and_then(|server| server.rsplit_once(':')).map_or("", |(address, _)| address);
    let asked = asked.trim_start_matches('[').trim_end_matches(']');
    Some(
        Draft::new(
            Severity::Error,
            Owner::Dns,
            Title::list("IPv6 bypasses the private endpoint: ", [name.fqdn()], ""),
        )
        .about([name.fqdn()])
        .group(servers.join(" "))
        .summary(format!(
            "the name is private over IPv4 (`{private}`), but its public IPv6 address `{first}` comes first on this machine, so programs connect to that one"
        ))
        .evidence(name.system().map(|view| facts.view_line(name, view)))
        .evidence(who.iter().map(|view| facts.view_line(name, view)))
        .evidence(name.connections.iter().map(|connection| facts.connection_line(connection)))
        .list("private", [private.to_string()])
        .list("public", [first.to_string()])
        .list("server", &servers)
        .excludes("a missing link or record: the private address is given too")
        .fix([Fix::look("check which server gives the AAAA record", [command!(Any, "nslookup -type=AAAA {} {}", Host::new(name.fqdn()), Address::new(asked))])])
        .fix(if at_azure { in_zone(name, first) } else { on_server(name) }),
    )
}

/// Azure's own DNS gives the record: it stands in the private zone, where Azure itself puts none.
fn in_zone(name: &EndpointFacts<'_>, address: IpAddr) -> Vec<Fix> {
    let known = name.endpoint.zone.as_deref().and_then(Zone::new);
    let zone = known.as_ref().map_or("ZONE_NAME", Zone::as_str);
    let record = known.as_ref().and_then(|zone| zone.record(name.endpoint.alias.as_deref()?));
    vec![
        remedy::zone::find(&[zone]),
        Fix::look(
            format!("check which AAAA records the private zone `{zone}` holds: Azure creates none"),
            [command!(
                Any,
                "az network private-dns record-set aaaa list --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z {} -o table",
                known.as_ref()
            )],
        ),
        Fix::change(
            BlastRadius::EveryNetworkOnThisDns,
            format!("delete the AAAA record set from the private zone `{zone}`"),
        )
        .under(remedy::Right::ZONE_RECORDS)
        .with([command!(
            Any,
            "az network private-dns record-set aaaa delete --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z {} -n {} --yes",
            known.as_ref(),
            record.as_ref()
        )])
        .after_looking(
            "this deletes every address of the set: keep the ones shown",
            [command!(
                Any,
                "az network private-dns record-set aaaa show --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z {} -n {}",
                known.as_ref(),
                record.as_ref()
            )],
        )
        .undone_with(
            "one line for each address that was shown",
            [command!(
                Any,
                "az network private-dns record-set aaaa add-record --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z {} -n {} -a {}",
                known.as_ref(),
                record.as_ref(),
                address
            )],
        ),
    ]
}

fn on_server(name: &EndpointFacts<'_>) -> Vec<Fix> {
    vec![
            Fix::change(
                BlastRadius::EveryNetworkOnThisDns,
                "on that DNS server, answer A and AAAA from the same source: forward the whole public zone to Azure's DNS, and remove the AAAA record from local zones",
            )
            .under(remedy::Right::DNS_SERVER)
            .after_looking("a private zone gives none", [command!(Any, "nslookup -type=AAAA {} 168.63.129.16", Host::new(name.fqdn()))])
            .undone_by("put the record back"),
        ]
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::{Found, Observation, Outcome, Record, RecordData, RecordKind};
    use ampls_probes::testing::{CUSTOM, ODS, Says, Scene, alias, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    fn dual(first: &str, second: &str, ipv6: bool) -> Scene {
        let addresses = vec![first.parse().expect("an address"), second.parse().expect("an address")];
        let found = Outcome::Seen(Found { addresses, canonical: None, more: 0 });
        private_world().everywhere(ODS, &Says::Unfinished).edit(|seen| {
            seen.machine.has_ipv6 = ipv6;
            seen.seen.push(Observation::Lookup(ampls_probes::observation::Lookup {
                name: ODS.to_owned(),
                timing: ampls_probes::observation::Timing::default(),
                outcome: found,
            }));
        })
    }

    #[test]
    fn fires_when_a_public_ipv6_address_comes_first() {
        let found = fires_as_declared(&DNS011, &dual("2603:1020::5", "10.0.0.6", true));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        assert_eq!(found[0].lists["public"], ["2603:1020::5"]);
    }

    #[test]
    fn what_azures_dns_gives_is_fixed_in_the_private_zone() {
        let of = |at_azure| {
            let observations = private_world().observations();
            let facts = Facts::new(&observations);
            let name = facts.endpoints().iter().find(|name| name.fqdn() == ODS).expect("the name");
            if at_azure { in_zone(name, "2603:1020::5".parse().expect("an address")) } else { on_server(name) }
        };
        let change = of(true).into_iter().find(|fix| !fix.read_only).expect("a change");
        let command = change.lines();
        assert!(
            command.contains("aaaa delete") && !command.contains("RECORD_NAME") && !command.contains("ZONE_NAME"),
            "{command}"
        );
        assert!(change.undo.is_some_and(|undo| undo.lines().contains("2603:1020::5")));
        assert!(of(false).iter().all(|fix| fix.text.starts_with("on that DNS server")));
    }

    #[test]
    fn fires_behind_a_line_of_the_hosts_file() {
        let mut seen =
            private_world().says(CUSTOM, ODS, &Says::Private("10.0.0.6")).hosts("10.0.0.6", ODS).observations();
        seen.machine.has_ipv6 = true;
        for observation in &mut seen.seen {
            let Observation::Answer(answer) = observation else { continue };
            if let (ODS, RecordKind::Aaaa, Outcome::Seen(response)) = (&*answer.name, answer.kind, &mut answer.outcome)
            {
                let data = RecordData::Aaaa("2603:1020::5".parse().expect("an address"));
                response.records.push(Record { owner: alias(ODS), ttl: 10, data });
            }
        }
        let found = check(&Facts::new(&seen));
        assert_eq!(found.iter().map(|draft| draft.endpoints.clone()).collect::<Vec<_>>(), [[ODS]]);
    }

    #[test]
    fn silent_when_the_private_address_comes_first() {
        assert_eq!(drafts(&DNS011, &dual("10.0.0.6", "2603:1020::5", true)), []);
    }

    #[test]
    fn silent_when_this_machine_has_no_ipv6() {
        assert_eq!(drafts(&DNS011, &dual("2603:1020::5", "10.0.0.6", false)), []);
    }

    #[test]
    fn silent_when_both_are_public_or_both_private() {
        assert_eq!(drafts(&DNS011, &dual("2603:1020::5", "20.1.1.1", true)), []);
        assert_eq!(drafts(&DNS011, &dual("fd00::5", "10.0.0.6", true)), []);
    }

    #[test]
    fn silent_where_public_was_asked_for() {
        assert_eq!(drafts(&DNS011, &dual("2603:1020::5", "10.0.0.6", true).expect(Expect::Public)), []);
    }
}
