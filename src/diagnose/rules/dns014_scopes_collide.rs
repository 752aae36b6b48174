//! DNS014: records of two private endpoints share the zones.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use crate::diagnose::draft::{Draft, Title};
use crate::diagnose::facts::{EndpointFacts, Facts};
use crate::diagnose::finding::{Owner, Severity};
use crate::diagnose::remedy;
use crate::diagnose::rule::{NO_CONNECTION, rule};

rule! {
    /// ## What it means
    ///
    /// DNS gives private addresses in several subnets for the names of Azure Monitor. In one of them the names answer on port
    /// 443, in another none does. One private endpoint has all its addresses in one subnet, so there are records of two of
    /// them: two scopes (AMPLS) share the zones and the last writer won, or records of an endpoint that was deleted were left
    /// behind. Lines of the hosts file are left out.
    ///
    /// Two subnets that both answer are not a fault: a scope may have several private endpoints. The same picture comes from a
    /// route or a network rule that concerns only one of the subnets, so this is likely, not proven.
    ///
    /// ## Why it matters
    ///
    /// The names of the other endpoint lead where this network has no route. Where it has one, the other scope answers 403 for
    /// workspaces that are not in it.
    ///
    /// ## How to fix
    ///
    /// Find the private endpoint that holds each address. If one is gone, delete its records; if both belong to scopes, use
    /// one scope for all networks that share this DNS, or separate zones for each.
    ///
    /// ## How to confirm
    ///
    /// All private addresses in the table lie in the endpoint's subnet, and answer.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-design>
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration>
    DNS014 = "scopes-collide" {
        layer: Dns,
        severity: Warning,
        owner: Monitor,
        hops: [Address],
        claim: Fault,
        all_names: false,
        no_answer: false,
        explains: [NO_CONNECTION],
    }
}

/// What became of the addresses of one subnet.
#[derive(Default)]
struct Group<'f> {
    answering: BTreeSet<IpAddr>,
    dead: Vec<(&'f EndpointFacts<'f>, IpAddr)>,
}

/// Fires for an address of a name of an AMPLS when all hold:
///
/// 1. This machine connected to it directly, without a proxy.
/// 2. A DNS server gave it, it is private, and the hosts file does not decide.
/// 3. No address of the name could be connected to, by a fault of the network.
/// 4. No other such address of its subnet answers.
/// 5. One of another subnet does.
fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let mut groups: BTreeMap<IpNet, Group<'_>> = BTreeMap::new();
    for name in facts.ampls_endpoints() {
        for connection in name.connections.iter().filter(|connection| connection.via.is_none()) {
            let Some(address) = connection.address.map(|address| address.ip()) else { continue };
            let Some(subnet) = subnet(address).filter(|_| is_of_dns(facts, name, address)) else { continue };
            let group = groups.entry(subnet).or_default();
            if connection.outcome.seen().is_some() {
                group.answering.insert(address);
            } else if name.connect_fault().is_some() {
                group.dead.push((name, address));
            }
        }
    }
    let Some((good, _)) = groups.iter().find(|(_, group)| !group.answering.is_empty()) else {
        return Vec::new();
    };
    let dead = groups.iter().filter(|(_, group)| group.answering.is_empty());
    dead.flat_map(|(subnet, group)| {
        group.dead.iter().map(|(name, address)| draft(facts, name, *address, *subnet, *good))
    })
    .collect()
}

/// Addresses of one private endpoint lie in one subnet; an AMPLS takes more than ten, so that the next /24 is another one in
/// all but the oddest layouts.
fn subnet(address: IpAddr) -> Option<IpNet> {
    let length = if address.is_ipv4() { 24 } else { 64 };
    IpNet::new(address, length).ok().map(|net| net.trunc())
}

/// A DNS server gave it, it is private, and no line of the hosts file decides.
fn is_of_dns(facts: &Facts<'_>, name: &EndpointFacts<'_>, address: IpAddr) -> bool {
    facts.leads_private(name.fqdn(), address) == Some(true)
        && facts.hosts_entries(name.fqdn()).is_empty()
        && name.server_views().any(|view| view.addresses.contains(&address))
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>, address: IpAddr, subnet: IpNet, good: IpNet) -> Draft {
    let gave = name.server_views().filter(|view| view.addresses.contains(&address));
    Draft::new(
        Severity::Warning,
        Owner::Monitor,
        Title::list("records of two private endpoints: ", [name.fqdn()], format!(" in `{subnet}` does not answer, others in `{good}` do")),
    )
    .about([name.fqdn()])
    .group(subnet.to_string())
    .summary(format!(
        "private addresses are in several subnets: names in `{good}` answer, none in `{subnet}` does; two scopes share these zones, records of a deleted endpoint remain, or this network has no route to that subnet"
    ))
    .evidence(gave.map(|view| facts.view_line(name, view)))
    .evidence(name.connections.iter().map(|connection| facts.connection_line(connection)))
    .arg("answering", good.to_string())
    .arg("silent", subnet.to_string())
    .list("address", [address.to_string()])
    .excludes("the hosts file: DNS gives these addresses")
    .excludes("a block of every private endpoint: others answer")
    .likely()
    .fix(remedy::endpoint::find_by_address(&address.to_string()))
    .fix(remedy::machine::effective_rules(facts, &address.to_string(), &format!("TCP {}", name.endpoint.port)))
}

#[cfg(test)]
mod tests {
    use ampls_probes::observation::Outcome;
    use ampls_probes::testing::{HANDLER, ODS, OMS, Says, private_world};

    use super::*;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_when_one_subnet_answers_and_another_does_not() {
        let mut scene = private_world();
        for name in [ODS, OMS] {
            scene = scene.everywhere(name, &Says::Private("10.9.0.6")).connects(name, &Outcome::TimedOut);
        }
        let found = fires_as_declared(&DNS014, &scene);
        assert_eq!((found.len(), found[0].severity), (2, Severity::Warning));
        assert_eq!(found[0].args["silent"], "10.9.0.0/24");
        assert_eq!(found[0].args["answering"], "10.0.0.0/24");
    }

    #[test]
    fn silent_when_both_subnets_answer() {
        assert_eq!(drafts(&DNS014, &private_world().everywhere(ODS, &Says::Private("10.9.0.6"))), []);
    }

    #[test]
    fn silent_when_other_names_of_the_subnet_answer() {
        assert_eq!(drafts(&DNS014, &private_world().connects(ODS, &Outcome::TimedOut)), []);
    }

    #[test]
    fn silent_when_nothing_answers() {
        let mut scene = private_world().everywhere(ODS, &Says::Private("10.9.0.6"));
        for name in [HANDLER, ODS, OMS, ampls_probes::testing::AGENTSVC] {
            scene = scene.connects(name, &Outcome::TimedOut);
        }
        assert_eq!(drafts(&DNS014, &scene), []);
    }

    #[test]
    fn silent_about_the_hosts_file() {
        assert_eq!(drafts(&DNS014, &private_world().hosts("10.9.0.6", ODS).connects(ODS, &Outcome::TimedOut)), []);
    }
}
