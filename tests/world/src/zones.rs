//! What a DNS server answers: private zones linked to a network in front of public DNS. Pure.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::rdata::{A, AAAA, CNAME, SOA};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use ipnet::IpNet;

use crate::names::{Cloud, Names, Public, Split};
use crate::scenario::{LocalZone, Scenario, View, Vnet};

/// TTL of the records that a zone group makes, as seen in the field.
const PRIVATE_TTL: u32 = 10;
const PUBLIC_TTL: u32 = 60;

/// The sections of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) code: ResponseCode,
    pub(crate) answers: Vec<Record>,
    pub(crate) authority: Option<Record>,
}

/// Who signs a start of authority.
#[derive(Clone, Copy)]
pub(crate) enum Soa<'a> {
    Private,
    Public,
    Local(&'a str),
}

/// DNS as all networks of a world see it.
#[derive(Clone, Debug)]
pub(crate) struct Zones {
    cloud: Cloud,
    names: Names,
    vnet: Linked,
    hub: Linked,
}

/// The private zones of one network.
#[derive(Clone, Debug)]
struct Linked {
    zones: Vec<String>,
    fallback: Vec<String>,
    /// By public name.
    records: BTreeMap<String, Vec<IpAddr>>,
}

impl Linked {
    fn new(vnet: &Vnet, names: &Names, scenario: &Scenario) -> Self {
        let cloud = scenario.cloud;
        let missing: Vec<String> = vnet.missing.iter().map(|name| scenario.expand(name).to_lowercase()).collect();
        let in_zone = |name: &str, zones: &[String]| {
            zones.iter().any(|zone| name.strip_suffix(cloud.suffix(zone)).is_some_and(|rest| rest.ends_with('.')))
        };
        let mut records: BTreeMap<String, Vec<IpAddr>> = BTreeMap::new();
        for (index, name) in names.recorded().into_iter().enumerate() {
            if in_zone(&name, &vnet.linked) && !in_zone(&name, &vnet.empty) && !missing.contains(&name) {
                records.insert(name, vec![address_in(vnet.endpoints, index)]);
            }
        }
        for (name, addresses) in &vnet.records {
            records.insert(scenario.expand(name).to_lowercase(), addresses.clone());
        }
        let mut zones = vnet.linked.clone();
        zones.extend(vnet.empty.iter().chain(&vnet.fallback).cloned());
        if cloud == Cloud::UsGov && zones.iter().any(|zone| zone == "monitor") {
            zones.push("adx".to_owned());
        }
        Self { zones, fallback: vnet.fallback.clone(), records }
    }
}

/// The address of the n-th record: Azure keeps the first four of a subnet for itself.
fn address_in(subnet: IpNet, index: usize) -> IpAddr {
    let index = u32::try_from(index).unwrap_or(0).saturating_add(4);
    match subnet.network() {
        IpAddr::V4(network) => IpAddr::V4(Ipv4Addr::from(u32::from(network).saturating_add(index))),
        IpAddr::V6(network) => IpAddr::V6(u128::from(network).saturating_add(u128::from(index)).into()),
    }
}

impl Zones {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let names = Names::new(scenario);
        let vnet = Linked::new(&scenario.vnet, &names, scenario);
        let hub = Linked::new(&scenario.hub, &names, scenario);
        Self { cloud: scenario.cloud, names, vnet, hub }
    }

    /// All private addresses and the names that have them, of both networks.
    pub(crate) fn private_addresses(&self) -> Vec<(IpAddr, String)> {
        let records = self.vnet.records.iter().chain(&self.hub.records);
        records.flat_map(|(name, addresses)| addresses.iter().map(|address| (*address, name.clone()))).collect()
    }

    /// All public addresses, with the name that has one of its own.
    pub(crate) fn public_addresses(&self) -> Vec<(IpAddr, Option<String>)> {
        self.names.public_addresses()
    }

    /// What public DNS says, for those who resolve for themselves.
    pub(crate) fn public_address(&self, name: &str) -> Option<IpAddr> {
        match self.names.public(name) {
            Public::Found { v4, .. } => v4.first().copied().map(IpAddr::V4),
            Public::Zone | Public::Denied => None,
        }
    }

    /// The answer of a server with zones of its own in front of a view.
    pub(crate) fn answer(&self, view: View, local: &[LocalZone], name: &str, kind: RecordType) -> Reply {
        let name = name.trim_end_matches('.').to_lowercase();
        if let Some(zone) = local.iter().find(|zone| within(&name, &zone.name)) {
            return local_answer(zone, &name, kind);
        }
        let linked = match view {
            View::Azure => Some(&self.vnet),
            View::Hub => Some(&self.hub),
            View::Public => None,
        };
        let mut reply = Reply { code: ResponseCode::NoError, answers: Vec::new(), authority: None };
        let (aliases, v4, v6) = match self.names.public(&name) {
            Public::Found { aliases, v4, v6 } => (aliases, v4, v6),
            Public::Zone => return self.apex(linked, &name, kind),
            Public::Denied => (Vec::new(), Vec::new(), Vec::new()),
        };
        let exists = !v4.is_empty();
        let mut owner = name.clone();
        let mut next = aliases.into_iter();
        loop {
            if let Some(linked) = linked
                && let Some(split) = self.names.split(&owner).filter(|split| split.alias)
                && self.private(linked, split, &owner, kind, &mut reply)
            {
                return reply;
            }
            let Some(target) = next.next() else { break };
            push(&mut reply.answers, &owner, PUBLIC_TTL, alias(&target));
            owner = target;
        }
        if !exists {
            reply.code = ResponseCode::NXDomain;
            reply.authority = soa(&self.public_zone(&owner), Soa::Public);
            return reply;
        }
        match kind {
            RecordType::A => {
                for v4 in v4 {
                    push(&mut reply.answers, &owner, PUBLIC_TTL, RData::A(A(v4)));
                }
            }
            RecordType::AAAA => {
                for v6 in v6 {
                    push(&mut reply.answers, &owner, PUBLIC_TTL, RData::AAAA(AAAA(v6)));
                }
            }
            _ => {}
        }
        if !reply.answers.iter().any(|record| record.record_type() == kind) {
            reply.authority = soa(&self.public_zone(&owner), Soa::Public);
        }
        reply
    }

    /// Answers from a linked zone; false when the zone is not linked or lets the question through to the internet.
    fn private(&self, linked: &Linked, split: Split<'_>, owner: &str, kind: RecordType, reply: &mut Reply) -> bool {
        if !linked.zones.iter().any(|zone| zone == split.zone) {
            return false;
        }
        let zone = format!("privatelink.{}", self.cloud.suffix(split.zone));
        let Some(addresses) = linked.records.get(&self.names.public_name(split)) else {
            let falls_back = linked.fallback.iter().any(|zone| zone == split.zone);
            // The redirect covers A, AAAA and CNAME only.
            // Source: <https://learn.microsoft.com/azure/dns/private-dns-fallback>
            if falls_back && matches!(kind, RecordType::A | RecordType::AAAA | RecordType::CNAME) {
                return false;
            }
            reply.code = ResponseCode::NXDomain;
            reply.authority = soa(&zone, Soa::Private);
            return true;
        };
        for address in addresses {
            push_address(&mut reply.answers, owner, PRIVATE_TTL, *address, kind);
        }
        if !reply.answers.iter().any(|record| record.record_type() == kind) {
            reply.authority = soa(&zone, Soa::Private);
        }
        true
    }

    /// A question for the name of a zone itself.
    fn apex(&self, linked: Option<&Linked>, name: &str, kind: RecordType) -> Reply {
        let mut reply = Reply { code: ResponseCode::NoError, answers: Vec::new(), authority: None };
        let split = self.names.split(name);
        let is_linked = split.is_some_and(|split| {
            split.alias && linked.is_some_and(|linked| linked.zones.iter().any(|zone| zone == split.zone))
        });
        let (zone, who) =
            if is_linked { (name.to_owned(), Soa::Private) } else { (self.public_zone(name), Soa::Public) };
        let record = soa(&zone, who);
        if kind == RecordType::SOA && zone == name {
            reply.answers.extend(record);
        } else {
            reply.authority = record;
        }
        reply
    }

    /// The public zone a name lies in: only the monitor zone's `privatelink` part is a zone of its own, so that both shapes of
    /// an SOA answer occur.
    fn public_zone(&self, name: &str) -> String {
        match self.names.split(name) {
            Some(Split { zone: "monitor", alias: true, .. }) => format!("privatelink.{}", self.cloud.monitor()),
            Some(split) => self.cloud.suffix(split.zone).to_owned(),
            None => {
                let labels: Vec<&str> = name.rsplit('.').take(2).collect();
                labels.into_iter().rev().collect::<Vec<_>>().join(".")
            }
        }
    }
}

fn local_answer(zone: &LocalZone, name: &str, kind: RecordType) -> Reply {
    let mut reply = Reply { code: ResponseCode::NoError, answers: Vec::new(), authority: None };
    let record = soa(&zone.name, Soa::Local(&zone.mname));
    if name == zone.name {
        if kind == RecordType::SOA {
            reply.answers.extend(record);
        } else {
            reply.authority = record;
        }
        return reply;
    }
    let Some(addresses) = zone.records.get(name) else {
        reply.code = ResponseCode::NXDomain;
        reply.authority = record;
        let owner =
            zone.denied_by.as_ref().and_then(|owner| Name::from_labels(owner.split('.').map(str::as_bytes)).ok());
        if let (Some(record), Some(owner)) = (&mut reply.authority, owner) {
            record.name = owner;
        }
        return reply;
    };
    for address in addresses {
        push_address(&mut reply.answers, name, PUBLIC_TTL, *address, kind);
    }
    if reply.answers.is_empty() {
        reply.authority = record;
    }
    reply
}

/// The name is the suffix, or lies below it.
pub(crate) fn within(name: &str, suffix: &str) -> bool {
    suffix == "." || name.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The answer of Azure's DNS security policy.
/// Source: <https://learn.microsoft.com/azure/dns/dns-security-policy>
pub(crate) fn blocked(name: &str) -> Reply {
    let mut answers = Vec::new();
    push(&mut answers, name, PUBLIC_TTL, alias("blockpolicy.azuredns.invalid"));
    Reply { code: ResponseCode::NXDomain, answers, authority: soa("blockpolicy.azuredns.invalid", Soa::Private) }
}

/// An answer whose aliases close in a circle.
pub(crate) fn circle(name: &str) -> Reply {
    let mut answers = Vec::new();
    push(&mut answers, name, PUBLIC_TTL, alias("loop.example"));
    push(&mut answers, "loop.example", PUBLIC_TTL, alias(name));
    Reply { code: ResponseCode::NoError, answers, authority: None }
}

/// One address for whatever is asked.
pub(crate) fn only(name: &str, address: IpAddr, kind: RecordType) -> Reply {
    let mut answers = Vec::new();
    push_address(&mut answers, name, PUBLIC_TTL, address, kind);
    Reply { code: ResponseCode::NoError, answers, authority: None }
}

pub(crate) fn soa(zone: &str, who: Soa<'_>) -> Option<Record> {
    let (mname, rname) = match who {
        Soa::Private => ("azureprivatedns.net.", "azureprivatedns-host.microsoft.com."),
        Soa::Public => ("ns1-38.azure-dns.com.", "msnhst.microsoft.com."),
        Soa::Local(mname) => (mname, "hostmaster.corp.example."),
    };
    let data = SOA::new(absolute(mname)?, absolute(rname)?, 1, 3600, 300, 2_419_200, 10);
    Some(Record::from_rdata(absolute(zone)?, 300, RData::SOA(data)))
}

fn alias(target: &str) -> RData {
    RData::CNAME(CNAME(absolute(target).unwrap_or_default()))
}

fn push_address(answers: &mut Vec<Record>, owner: &str, ttl: u32, address: IpAddr, kind: RecordType) {
    match (address, kind) {
        (IpAddr::V4(v4), RecordType::A) => push(answers, owner, ttl, RData::A(A(v4))),
        (IpAddr::V6(v6), RecordType::AAAA) => push(answers, owner, ttl, RData::AAAA(AAAA(v6))),
        _ => {}
    }
}

fn push(answers: &mut Vec<Record>, owner: &str, ttl: u32, data: RData) {
    answers.extend(absolute(owner).map(|owner| Record::from_rdata(owner, ttl, data)));
}

fn absolute(name: &str) -> Option<Name> {
    let mut name = Name::from_str(name).ok()?;
    name.set_fqdn(true);
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::WORKSPACE;
    use crate::testing::scenario;

    fn shown(reply: &Reply) -> Vec<String> {
        reply.answers.iter().map(|record| record.data.to_string()).collect()
    }

    fn mname(record: Option<&Record>) -> String {
        match record.map(|record| &record.data) {
            Some(RData::SOA(soa)) => soa.mname.to_string(),
            _ => String::new(),
        }
    }

    #[test]
    fn linked_zone_ends_the_chain_with_its_own_record() {
        let zones = Zones::new(&scenario(""));
        let reply = zones.answer(View::Azure, &[], "api.loganalytics.io.", RecordType::A);
        assert_eq!(shown(&reply), ["api.monitor.azure.com.", "api.privatelink.monitor.azure.com.", "10.1.2.4"]);
    }

    #[test]
    fn public_chain_of_a_shared_name_runs_through_the_alias() {
        let zones = Zones::new(&scenario(""));
        let reply = zones.answer(View::Public, &[], "api.monitor.azure.com", RecordType::A);
        let shown = shown(&reply);
        assert_eq!(shown.first().map(String::as_str), Some("api.privatelink.monitor.azure.com."));
        assert!(shown.last().is_some_and(|address| address.starts_with("20.")), "{shown:?}");
    }

    #[test]
    fn empty_zone_denies_behind_the_alias() {
        let zones = Zones::new(&scenario("[vnet]\nempty = [\"monitor\"]\n"));
        let reply = zones.answer(View::Azure, &[], "global.handler.control.monitor.azure.com", RecordType::A);
        assert_eq!(reply.code, ResponseCode::NXDomain);
        assert_eq!(shown(&reply), ["global.handler.control.privatelink.monitor.azure.com."]);
        assert_eq!(mname(reply.authority.as_ref()), "azureprivatedns.net.");
    }

    #[test]
    fn fallback_to_internet_answers_publicly_and_still_shows_the_soa() {
        let world = scenario("[vnet]\nfallback = [\"ods\"]\nmissing = [\"<workspace>.ods.opinsights.azure.com\"]\n");
        let zones = Zones::new(&world);
        let name = format!("{WORKSPACE}.ods.opinsights.azure.com");
        let reply = zones.answer(View::Azure, &[], &name, RecordType::A);
        assert!(shown(&reply).last().is_some_and(|address| address.starts_with("20.")));
        let soa = zones.answer(View::Azure, &[], "privatelink.ods.opinsights.azure.com", RecordType::SOA);
        assert_eq!(mname(soa.answers.first()), "azureprivatedns.net.");
    }

    #[test]
    fn zone_that_is_not_linked_has_the_public_soa() {
        let zones = Zones::new(&scenario("[vnet]\nlinked = [\"monitor\"]\n"));
        for (zone, in_answer) in
            [("privatelink.oms.opinsights.azure.com", false), ("privatelink.monitor.azure.com", true)]
        {
            let reply = zones.answer(View::Public, &[], zone, RecordType::SOA);
            let record = if in_answer { reply.answers.first() } else { reply.authority.as_ref() };
            assert_eq!(mname(record), "ns1-38.azure-dns.com.", "{zone}");
        }
        let name = format!("{WORKSPACE}.ods.opinsights.azure.com");
        assert!(
            shown(&zones.answer(View::Azure, &[], &name, RecordType::A)).last().is_some_and(|a| a.starts_with("20."))
        );
    }

    #[test]
    fn private_name_has_no_ipv6_address_and_exists() {
        let zones = Zones::new(&scenario(""));
        let reply = zones.answer(View::Azure, &[], "global.in.ai.monitor.azure.com", RecordType::AAAA);
        assert_eq!(reply.code, ResponseCode::NoError);
        assert_eq!(mname(reply.authority.as_ref()), "azureprivatedns.net.");
        let public = zones.answer(View::Public, &[], "global.in.ai.monitor.azure.com", RecordType::AAAA);
        assert!(shown(&public).last().is_some_and(|address| address.starts_with("2603:")));
    }

    #[test]
    fn deleted_workspace_is_denied_without_an_alias() {
        let zones = Zones::new(&scenario(""));
        let name = "00000000-0000-4000-8000-00000000dead.ods.opinsights.azure.com";
        let reply = zones.answer(View::Azure, &[], name, RecordType::A);
        assert_eq!((reply.code, reply.answers.len()), (ResponseCode::NXDomain, 0));
        assert_eq!(mname(reply.authority.as_ref()), "ns1-38.azure-dns.com.");
    }
}
