//! NET001: silence on the port.

use std::net::IpAddr;

use crate::diagnose::command::{Address, Zone, command};
use crate::diagnose::draft::{Draft, Reach, Title};
use crate::diagnose::facts::{ConnectFault, EndpointFacts, Facts, Route, route_word};
use crate::diagnose::finding::{BlastRadius, Fix, Owner, Severity};
use crate::diagnose::{remedy, rule::rule};

rule! {
    /// ## What it means
    ///
    /// No address of the name answers on its port: every attempt to connect ended in silence. Packets are dropped on the way
    /// there or back.
    ///
    /// For a private address there are two readings. Where other names of the same zone answer, the path to the private
    /// endpoint is open and this record is wrong: it is left from an endpoint that was recreated, or it belongs to another
    /// scope whose endpoint lives in a network that this machine cannot reach. Where none answers, it is the path: a missing
    /// peering or route, a network security group, a firewall that sees only one direction, or a private endpoint whose
    /// connection is not approved.
    ///
    /// For a public address there are two readings as well: a firewall drops the traffic to Azure Monitor, or the subnet has no
    /// way to the internet. Subnets of new virtual networks have none without a NAT gateway, a public address, an outbound
    /// rule of a load balancer, or a route to a firewall; opening a security group changes nothing there. Neither is a fault
    /// where everything should be private: then fix name resolution instead. Public names that nothing depends on may stay blocked, which is information.
    ///
    /// ## Why it matters
    ///
    /// The agent waits for its timeout again and again. Logs are buffered on the disk until the buffer is full, then lost.
    ///
    /// ## How to fix
    ///
    /// Find the private endpoint that holds the address. If there is none the record is stale: delete it and let the zone group
    /// write it. If there is one, check that its connection is approved, which route leads there, and which rule of a network
    /// security group or firewall denies TCP 443. Peering is not transitive: a spoke needs its own way to the endpoint's
    /// network.
    ///
    /// ## How to confirm
    ///
    /// `nc -vz <address> 443` (Linux) or `Test-NetConnection <address> -Port 443` (Windows) connects.
    ///
    /// ## References
    ///
    /// - <https://learn.microsoft.com/azure/private-link/private-endpoint-overview>
    /// - <https://learn.microsoft.com/azure/private-link/disable-private-endpoint-network-policy>
    /// - <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-network-configuration>
    NET001 = "connect-timeout" {
        layer: Tcp,
        severity: Error,
        owner: Network,
        hops: [Service],
        claim: Fault,
        all_names: false,
        no_answer: true,
        explains: [],
    }
}

/// Fires for a name when no address of it could be connected to and silence is the reason. The reading depends on the route:
///
/// 1. Private, and another private name answers: the record is stale.
/// 2. Private, and none answers: the path is broken.
/// 3. Public: the public path is closed.
fn check(facts: &Facts<'_>) -> Vec<Draft> {
    let silent = facts.endpoints().iter().filter(|name| name.connect_fault() == Some(ConnectFault::Silent));
    silent.map(|name| draft(facts, name)).collect()
}

fn draft(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Draft {
    let port = name.endpoint.port;
    let private = matches!(name.route(), Route::Private | Route::Mixed);
    let siblings = facts.private_siblings_answer(name);
    let (reading, summary) = match (private, siblings) {
        (true, Some(true)) => (
            "stale-record",
            "other private names answer, so the path to the private endpoint is open: this record remains from an endpoint that was recreated, or belongs to another scope",
        ),
        (true, _) => (
            "path",
            "no private name answers: a route, peering, network security group or firewall is in the way, or the connection of the private endpoint is not approved",
        ),
        (false, _) => (
            "public-path",
            "no public address answers: this subnet has no outbound access, or a firewall drops the traffic; open the path, or fix name resolution if the name should be private",
        ),
    };
    let is_private = |address: &&IpAddr| facts.leads_private(name.fqdn(), **address) == Some(true);
    let address = name.addresses().iter().find(is_private).or_else(|| name.addresses().first());
    let set = if address.is_some_and(IpAddr::is_ipv6) { RecordSet::Aaaa } else { RecordSet::A };
    let address = address.map(ToString::to_string).unwrap_or_default();
    let normal = facts.rightly_blocked(name);
    let summary = if normal { NORMAL } else { summary };
    let mut draft = Draft::new(
        Severity::Error,
        if reading == "stale-record" { Owner::Dns } else { Owner::Network },
        Title::list(&format!("no answer on TCP {port} ({}): ", route_word(name.route())), [name.fqdn()], ""),
    )
    .about([name.fqdn()])
    .at_port(name.endpoint.port)
    .group(format!("{reading} {port}"))
    .summary(summary)
    .evidence(name.connections.iter().map(|connection| facts.connection_line(connection)))
    .arg("port", port.to_string())
    .arg("reading", reading)
    .list("address", [address.clone()])
    .excludes("a service that is down: a host without listener would refuse")
    .reaching(Reach::Nothing);
    if reading != "public-path" {
        draft = draft.likely().excludes("DNS that bypasses the private link: the addresses are private");
    }
    match reading {
        "stale-record" => draft
            .fix(remedy::endpoint::find_by_address(&address))
            .fix(name.endpoint.zone.iter().map(|zone| remedy::zone::find(&[zone])))
            .fix([stale(name, set, &address)]),
        "path" => draft
            .fix(remedy::endpoint::find_by_address(&address))
            .fix(remedy::machine::effective_rules(facts, &address, &format!("TCP {port}")))
            .fix([remedy::filter::allow_private_endpoint(port)]),
        _ if normal => draft,
        _ => draft
            .fix(remedy::machine::effective_rules(facts, &address, &format!("TCP {port}")))
            .fix([remedy::filter::allow_service(facts, name)]),
    }
}

/// What is said of public names that nothing depends on.
pub(super) const NORMAL: &str = "monitoring does not depend on these names and they are public: a network that is locked down blocks them, which is normal; nothing has to be opened unless the feature is used";

fn stale(name: &EndpointFacts<'_>, set: RecordSet, address: &str) -> Fix {
    let zone = name.endpoint.zone.as_deref().and_then(Zone::new);
    let record = zone.as_ref().and_then(|zone| zone.record(name.endpoint.alias.as_deref()?));
    let (zone, record, address) = (zone.as_ref(), record.as_ref(), Address::new(address));
    let address = address.as_ref();
    let (remove, show, add) = match set {
        RecordSet::A => (
            command!(
                Any,
                "az network private-dns record-set a remove-record --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z {} -n {} -a {}",
                zone,
                record,
                address
            ),
            command!(
                Any,
                "az network private-dns record-set a show --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z {} -n {}",
                zone,
                record
            ),
            command!(
                Any,
                "az network private-dns record-set a add-record --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z {} -n {} -a {}",
                zone,
                record,
                address
            ),
        ),
        RecordSet::Aaaa => (
            command!(
                Any,
                "az network private-dns record-set aaaa remove-record --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z {} -n {} -a {}",
                zone,
                record,
                address
            ),
            command!(
                Any,
                "az network private-dns record-set aaaa show --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z {} -n {}",
                zone,
                record
            ),
            command!(
                Any,
                "az network private-dns record-set aaaa add-record --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z {} -n {} -a {}",
                zone,
                record,
                address
            ),
        ),
    };
    Fix::change(BlastRadius::EveryNetworkOnThisDns, "if no private endpoint holds the address, remove the stale record")
        .under(remedy::Right::ZONE_RECORDS)
        .with([remove])
        .after_looking(
            "its metadata names the zone group that made it; two scopes that write one zone overwrite each other",
            [show],
        )
        .undone_with("", [add])
}

/// A zone keeps the two families in record sets of their own.
#[derive(Clone, Copy)]
enum RecordSet {
    A,
    Aaaa,
}

#[cfg(test)]
mod tests {
    use ampls_probes::endpoint::Need;
    use ampls_probes::observation::{Instance, IoFailure, Metadata, Observation, Outcome, Timing};
    use ampls_probes::testing::{AGENTSVC, HANDLER, METRICS, ODS, OMS, Says, Scene, open, private_world, public_world};

    use super::*;
    use crate::diagnose::diagnose;
    use crate::diagnose::rules::tests::{drafts, fires_as_declared};

    #[test]
    fn fires_with_a_stale_record_when_siblings_answer() {
        let found = drafts(&NET001, &private_world().connects(ODS, &Outcome::TimedOut));
        assert_eq!((found.len(), found[0].severity), (1, Severity::Error));
        assert_eq!(found[0].args["reading"], "stale-record");
        assert!(found[0].evidence[0].contains("`10.0.0.6:443` timed out after 5.0 s"), "{:?}", found[0].evidence);
    }

    #[test]
    fn fires_with_the_path_when_no_private_name_answers() {
        let mut scene = private_world();
        for name in [HANDLER, ODS, OMS, AGENTSVC] {
            scene = scene.connects(name, &Outcome::Failed(IoFailure::KernelTimeout));
        }
        let found = fires_as_declared(&NET001, &scene);
        assert_eq!(found.len(), 4);
        assert!(found.iter().all(|draft| draft.args["reading"] == "path"));
    }

    #[test]
    fn fires_with_the_path_when_only_a_public_address_of_another_name_answers() {
        let mut scene = private_world();
        for name in [HANDLER, ODS, OMS] {
            scene = scene.connects(name, &Outcome::TimedOut);
        }
        let dual = Says::Dual("10.0.0.9", "2603:1020::9");
        let scene = scene.everywhere(AGENTSVC, &dual).attempt(AGENTSVC, "10.0.0.9", &Outcome::TimedOut);
        let found = drafts(&NET001, &scene.attempt(AGENTSVC, "2603:1020::9", &open()));
        assert!(found.iter().all(|draft| draft.args["reading"] == "path"), "{found:?}");
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn fires_for_public_addresses() {
        let found = drafts(&NET001, &public_world().connects(ODS, &Outcome::TimedOut));
        assert_eq!(found[0].args["reading"], "public-path");
    }

    #[test]
    fn fires_as_information_for_optional_public_names() {
        let scene = private_world()
            .name(METRICS, Need::Optional)
            .everywhere(METRICS, &Says::Public("20.1.1.1"))
            .connects(METRICS, &Outcome::TimedOut);
        let found = diagnose(&scene.observations());
        let severities: Vec<_> = found.iter().map(|finding| (finding.code.as_str(), finding.severity)).collect();
        assert_eq!(severities, [("NET001", Severity::Info)]);
        assert!(found[0].summary.contains("normal") && found[0].fix.is_empty(), "{:?}", found[0]);
        let scene = scene.everywhere(ODS, &Says::Public("20.1.1.2")).connects(ODS, &Outcome::TimedOut);
        let found = drafts(&NET001, &scene);
        assert!(
            found.iter().all(|draft| draft.fix.iter().any(|fix| !fix.read_only)),
            "the firewall blocks what is needed"
        );
    }

    #[test]
    fn fixes_name_the_real_port_and_the_right_record_set() {
        let mut other = ampls_probes::testing::endpoint(ODS, Need::Required);
        other.port = 8443;
        let other = private_world().endpoint(other);
        let commands = |scene: &Scene| {
            let found = drafts(&NET001, &scene.clone().connects(ODS, &Outcome::TimedOut));
            found.iter().flat_map(|draft| &draft.fix).fold(String::new(), |all, fix| all + &format!("{fix:?}"))
        };
        let public = commands(&other.clone().everywhere(ODS, &Says::Public("20.1.1.1")));
        assert!(public.contains("TCP 8443") && public.contains("--destination-port-ranges 8443"), "{public}");
        assert!(!public.contains("TCP 443"), "{public}");
        assert!(commands(&other).contains("record-set a remove-record"), "{}", commands(&other));
        let v6 = commands(&other.everywhere(ODS, &Says::Plain("fd00::6")));
        assert!(v6.contains("record-set aaaa remove-record") && !v6.contains("record-set a "), "{v6}");
    }

    #[test]
    fn fixes_open_storage_of_one_region_only_and_say_what_that_opens() {
        let mut account = ampls_probes::testing::endpoint(METRICS, Need::Required);
        account.service_tag = Some("Storage".to_owned());
        let scene = private_world().endpoint(account).everywhere(METRICS, &Says::Public("20.1.1.1"));
        let mut seen = scene.connects(METRICS, &Outcome::TimedOut).observations();
        let instance = Instance { location: Some("westeurope".to_owned()), ..Instance::default() };
        seen.seen.retain(|step| !matches!(step, Observation::Metadata(_)));
        let timing = Timing { at_us: 0, elapsed_us: 0 };
        seen.seen.push(Observation::Metadata(Metadata { timing, outcome: Outcome::Seen(instance) }));
        let found = check(&Facts::new(&seen));
        let fix = found[0].fix.iter().find(|fix| !fix.read_only).cloned().unwrap_or_else(|| Fix::look("", []));
        assert!(fix.lines().contains("prefixes Storage.westeurope"), "{}", fix.text);
        assert!(
            fix.check_first.is_some_and(|check| check.lines().contains("every storage account of the region")),
            "{}",
            fix.text
        );
    }

    #[test]
    fn silent_when_one_address_answers() {
        let scene = private_world().attempt(ODS, "10.0.0.9", &Outcome::TimedOut).attempt(ODS, "10.0.0.6", &open());
        assert_eq!(drafts(&NET001, &scene), []);
    }

    #[test]
    fn silent_about_refusals() {
        let scene = private_world().connects(ODS, &Outcome::Failed(IoFailure::Refused));
        assert_eq!(drafts(&NET001, &scene), []);
    }

    #[test]
    fn fires_about_the_private_address_though_a_public_one_comes_first() {
        let scene = private_world().everywhere(ODS, &Says::Dual("20.1.1.1", "fd00::6"));
        let found = drafts(&NET001, &scene.connects(ODS, &Outcome::TimedOut));
        assert_eq!(found[0].lists["address"], ["fd00::6"]);
    }

    #[test]
    fn fixes_name_no_region_that_is_not_one() {
        let mut account = ampls_probes::testing::endpoint(METRICS, Need::Required);
        account.service_tag = Some("Storage".to_owned());
        let scene = private_world().endpoint(account).everywhere(METRICS, &Says::Public("20.1.1.1"));
        for region in ["west europe", "$(id)", "a;b"] {
            let mut seen = scene.clone().connects(METRICS, &Outcome::TimedOut).observations();
            let instance = Instance { location: Some(region.to_owned()), ..Instance::default() };
            seen.seen.retain(|step| !matches!(step, Observation::Metadata(_)));
            let timing = Timing { at_us: 0, elapsed_us: 0 };
            seen.seen.push(Observation::Metadata(Metadata { timing, outcome: Outcome::Seen(instance) }));
            let found = check(&Facts::new(&seen));
            let lines: Vec<String> = found.iter().flat_map(|draft| &draft.fix).map(Fix::lines).collect();
            assert!(lines.iter().any(|lines| lines.contains("prefixes Storage")), "{region}: {lines:?}");
            assert!(!lines.iter().any(|lines| lines.contains("Storage.") || lines.contains(region)), "{region}");
        }
    }
}
