//! From the file's text to types: what does not fit is left out, and its place and reason are kept.

use std::fmt::Display;
use std::net::IpAddr;
use std::str::FromStr;

use ampls_probes::azure::{HostName, Region, ResourceId, WorkspaceId};
use ipnet::IpNet;
use jiff::Timestamp;

use super::document::{self, Document};
use super::items::Items;
use super::{
    Association, Change, CollectionEndpoint, Holdings, Inbound, Interface, Link, Mode, Network, PrivateEndpoint,
    Record, Route, RouteTable, Ruleset, Scope, Subnet, What, Workspace, Zone, ZoneGroup,
};
use crate::text;

/// Places that are named of those that could not be used.
const MAX_LEFT_OUT: usize = 100;

/// Characters of a name at most; Azure's own are shorter.
const LONGEST_NAME: usize = 260;

/// What could not be used so far.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    named: Vec<String>,
    more: usize,
}

impl LeftOut {
    /// `why` is harmless: values in it are quoted.
    fn add(&mut self, place: &str, why: impl Display) {
        if self.named.len() < MAX_LEFT_OUT {
            self.named.push(format!("{place}: {why}"));
        } else {
            self.more += 1;
        }
    }

    pub(super) fn lines(self) -> Vec<String> {
        let more = (self.more > 0).then(|| format!("{} more", self.more));
        self.named.into_iter().chain(more).collect()
    }

    /// A value of a type.
    fn typed<T: FromStr>(&mut self, place: &str, text: &str, what: &str) -> Option<T> {
        let value = text.parse().ok();
        if value.is_none() {
            self.add(place, format!("{} is not {what}", text::quote(text)));
        }
        value
    }

    fn id(&mut self, place: &str, text: &str) -> Option<ResourceId> {
        self.typed(place, text, "the id of a resource")
    }

    /// An id that may be missing; one that is wrong is named and counts as missing.
    fn maybe_id(&mut self, place: &str, text: Option<&String>) -> Option<ResourceId> {
        self.id(place, text?)
    }

    fn name(&mut self, place: &str, text: &str) -> Option<String> {
        let fits = !text.is_empty() && text.len() <= LONGEST_NAME && !text.chars().any(text::acts_on_output);
        if !fits {
            self.add(place, format!("{} is not a name", text::quote(text)));
        }
        fits.then(|| text.to_owned())
    }

    /// The items of a list, each made by `make` with its own place.
    fn each<T, R>(
        &mut self,
        place: &str,
        items: Items<T>,
        mut make: impl FnMut(&mut Self, &str, T) -> Option<R>,
    ) -> Vec<R> {
        for (number, why) in items.bad {
            self.add(&format!("{place}[{number}]"), text::escape(&why, text::MAX_QUOTED));
        }
        items.good.into_iter().filter_map(|(number, item)| make(self, &format!("{place}[{number}]"), item)).collect()
    }

    fn ids(&mut self, place: &str, items: Items<String>) -> Vec<ResourceId> {
        self.each(place, items, |left, place, text| left.id(place, &text))
    }

    fn addresses(&mut self, place: &str, items: Items<String>) -> Vec<IpAddr> {
        self.each(place, items, |left, place, text| left.typed(place, &text, "an address"))
    }
}

/// The file with its types. Lists are sorted by what names their items, so that the order of the file decides nothing.
pub(super) fn holdings(document: Document, collected_at: Timestamp) -> Holdings {
    let mut left = LeftOut::default();
    let mut held = Holdings {
        collected_at,
        subscriptions: left.each("subscriptions", document.subscriptions, |left, place, text| left.name(place, &text)),
        not_read: left.each("not_read", document.not_read, |_, _, text| Some(text::escape(&text, text::MAX_QUOTED))),
        scopes: left.each("scopes", document.scopes, scope),
        endpoints: left.each("endpoints", document.endpoints, endpoint),
        zones: left.each("zones", document.zones, zone),
        rulesets: left.each("rulesets", document.rulesets, ruleset),
        inbound: left.each("inbound", document.inbound, inbound),
        networks: left.each("networks", document.networks, network),
        route_tables: left.each("route_tables", document.route_tables, route_table),
        interfaces: left.each("interfaces", document.interfaces, interface),
        workspaces: left.each("workspaces", document.workspaces, workspace),
        collection_endpoints: left.each("collection_endpoints", document.collection_endpoints, collection_endpoint),
        associations: document.associations.map(|items| left.each("associations", items, association)),
        changes: left.each("changes", document.changes, change),
        left_out: Vec::new(),
    };
    held.subscriptions.sort();
    held.scopes.sort_by(|one, other| one.id.cmp(&other.id));
    held.endpoints.sort_by(|one, other| one.id.cmp(&other.id));
    held.zones.sort_by(|one, other| one.id.cmp(&other.id));
    held.rulesets.sort_by(|one, other| one.id.cmp(&other.id));
    held.networks.sort_by(|one, other| one.id.cmp(&other.id));
    held.interfaces.sort_by(|one, other| one.id.cmp(&other.id));
    held.collection_endpoints.sort_by(|one, other| one.id.cmp(&other.id));
    held.changes.sort_by(|one, other| (other.at, &one.id, one.what).cmp(&(one.at, &other.id, other.what)));
    held.changes.dedup();
    held.left_out = left.lines();
    held
}

fn mode(left: &mut LeftOut, place: &str, text: Option<&String>) -> Option<Mode> {
    left.typed(place, text?, "`Open` or `PrivateOnly`")
}

fn scope(left: &mut LeftOut, place: &str, scope: document::Scope) -> Option<Scope> {
    Some(Scope {
        id: left.id(&format!("{place}.id"), &scope.id)?,
        ingestion: mode(left, &format!("{place}.ingestion"), scope.ingestion.as_ref()),
        queries: mode(left, &format!("{place}.queries"), scope.queries.as_ref()),
        resources: scope.resources.map(|items| left.ids(&format!("{place}.resources"), items)),
    })
}

fn endpoint(left: &mut LeftOut, place: &str, endpoint: document::Endpoint) -> Option<PrivateEndpoint> {
    let status = endpoint.status.and_then(|status| left.name(&format!("{place}.status"), &status));
    Some(PrivateEndpoint {
        id: left.id(&format!("{place}.id"), &endpoint.id)?,
        scope: left.id(&format!("{place}.scope"), &endpoint.scope)?,
        subnet: left.maybe_id(&format!("{place}.subnet"), endpoint.subnet.as_ref()),
        status,
        zone_groups: left.each(&format!("{place}.zone_groups"), endpoint.zone_groups, |left, place, group| {
            let name = left.name(&format!("{place}.name"), &group.name)?;
            Some(ZoneGroup { name, zones: left.ids(&format!("{place}.zones"), group.zones) })
        }),
    })
}

fn zone(left: &mut LeftOut, place: &str, zone: document::Zone) -> Option<Zone> {
    let id = left.id(&format!("{place}.id"), &zone.id)?;
    let Some(name) = HostName::of_name(id.name()) else {
        left.add(&format!("{place}.id"), format!("{} is not the name of a zone", text::quote(id.name())));
        return None;
    };
    let links = left.each(&format!("{place}.links"), zone.links, |left, place, link| {
        Some(Link {
            name: left.name(&format!("{place}.name"), &link.name)?,
            network: left.id(&format!("{place}.network"), &link.network)?,
            falls_back: link.policy.is_some_and(|policy| policy.eq_ignore_ascii_case("NxDomainRedirect")),
        })
    });
    let records = zone.records.map(|items| {
        left.each(&format!("{place}.records"), items, |left, place, record| {
            let addresses = left.addresses(&format!("{place}.addresses"), record.addresses);
            // Machines ask for neither the zone's own name nor a wildcard.
            let name = HostName::of_name(&format!("{}.{name}", record.name)).map(String::from);
            if name.is_none() && !matches!(record.name.as_str(), "@" | "*") {
                left.add(&format!("{place}.name"), format!("{} is not a name", text::quote(&record.name)));
            }
            Some(Record { name: name?, addresses })
        })
    });
    Some(Zone { id, name: String::from(name), links, records })
}

fn ruleset(left: &mut LeftOut, place: &str, ruleset: document::Ruleset) -> Option<Ruleset> {
    let rules = left.each(&format!("{place}.rules"), ruleset.rules, |left, place, rule| {
        let name = rule.domain.trim_end_matches('.').to_ascii_lowercase();
        let domain = left.name(&format!("{place}.domain"), if name.is_empty() { "." } else { &name })?;
        let targets = left.addresses(&format!("{place}.targets"), rule.targets);
        Some(super::Rule { domain, targets, enabled: rule.enabled != Some(false) })
    });
    let id = left.id(&format!("{place}.id"), &ruleset.id)?;
    Some(Ruleset { id, rules, networks: left.ids(&format!("{place}.networks"), ruleset.networks) })
}

#[expect(clippy::needless_pass_by_value, reason = "every kind of item is handed over alike")]
fn inbound(left: &mut LeftOut, place: &str, inbound: document::Inbound) -> Option<Inbound> {
    Some(Inbound {
        id: left.id(&format!("{place}.id"), &inbound.id)?,
        address: left.typed(&format!("{place}.address"), &inbound.address, "an address")?,
        subnet: left.id(&format!("{place}.subnet"), &inbound.subnet)?,
    })
}

fn network(left: &mut LeftOut, place: &str, network: document::Network) -> Option<Network> {
    let id = left.id(&format!("{place}.id"), &network.id)?;
    let subnets = left.each(&format!("{place}.subnets"), network.subnets, |left, place, subnet| {
        let name = left.name(&format!("{place}.name"), &subnet.name)?;
        let whole: Option<ResourceId> = left.id(&format!("{place}.name"), &format!("{id}/subnets/{name}"));
        let prefixes = left.each(&format!("{place}.prefixes"), subnet.prefixes, |left, place, text| {
            left.typed::<IpNet>(place, &text, "an address prefix")
        });
        Some(Subnet {
            id: whole?,
            prefixes,
            outbound: subnet.outbound,
            nat: subnet.nat.unwrap_or(false),
            route_table: left.maybe_id(&format!("{place}.route_table"), subnet.route_table.as_ref()),
        })
    });
    let region =
        network.region.and_then(|region| left.typed::<Region>(&format!("{place}.region"), &region, "a region"));
    Some(Network { id, region, dns: left.addresses(&format!("{place}.dns"), network.dns), subnets })
}

fn route_table(left: &mut LeftOut, place: &str, table: document::RouteTable) -> Option<RouteTable> {
    let routes = left.each(&format!("{place}.routes"), table.routes, |left, place, route| {
        let address = route.address.as_ref().filter(|address| !address.is_empty());
        Some(Route {
            // A service tag is not a prefix and names no address that could be compared.
            prefix: route.prefix.parse().ok(),
            next_hop: left.name(&format!("{place}.next_hop"), &route.next_hop)?,
            address: address.and_then(|address| left.typed(&format!("{place}.address"), address, "an address")),
        })
    });
    Some(RouteTable { id: left.id(&format!("{place}.id"), &table.id)?, routes })
}

fn interface(left: &mut LeftOut, place: &str, interface: document::Interface) -> Option<Interface> {
    let configurations = left.each(&format!("{place}.configurations"), interface.configurations, |left, place, it| {
        let address = it.address.as_ref().and_then(|text| left.typed(&format!("{place}.address"), text, "an address"));
        let names = left.each(&format!("{place}.names"), it.names, |left, place, text| {
            let name = HostName::of_name(&text).map(String::from);
            if name.is_none() {
                left.add(place, format!("{} is not a full host name", text::quote(&text)));
            }
            name
        });
        Some(super::Configuration {
            address: address?,
            subnet: left.maybe_id(&format!("{place}.subnet"), it.subnet.as_ref()),
            names,
        })
    });
    Some(Interface {
        id: left.id(&format!("{place}.id"), &interface.id)?,
        machine: left.maybe_id(&format!("{place}.machine"), interface.machine.as_ref()),
        endpoint: left.maybe_id(&format!("{place}.endpoint"), interface.endpoint.as_ref()),
        configurations,
    })
}

fn workspace(left: &mut LeftOut, place: &str, workspace: document::Workspace) -> Option<Workspace> {
    let mut word =
        |field: &str, text: Option<String>| text.and_then(|text| left.name(&format!("{place}.{field}"), &text));
    let (ingestion, queries) = (word("ingestion", workspace.ingestion), word("queries", workspace.queries));
    let ingestion_status = word("ingestion_status", workspace.ingestion_status);
    Some(Workspace {
        id: left.id(&format!("{place}.id"), &workspace.id)?,
        workspace: left.typed::<WorkspaceId>(&format!("{place}.workspace"), &workspace.workspace, "a GUID")?,
        ingestion,
        queries,
        ingestion_status,
    })
}

fn collection_endpoint(
    left: &mut LeftOut,
    place: &str,
    endpoint: document::CollectionEndpoint,
) -> Option<CollectionEndpoint> {
    let hosts = left.each(&format!("{place}.urls"), endpoint.urls, |left, place, text| {
        let host = HostName::of_argument(&text).map(String::from);
        if host.is_none() {
            left.add(place, format!("{} is not a URL", text::quote(&text)));
        }
        host
    });
    let region = endpoint.region.and_then(|text| left.typed::<Region>(&format!("{place}.region"), &text, "a region"));
    Some(CollectionEndpoint { id: left.id(&format!("{place}.id"), &endpoint.id)?, region, hosts })
}

#[expect(clippy::needless_pass_by_value, reason = "every kind of item is handed over alike")]
fn association(left: &mut LeftOut, place: &str, association: document::Association) -> Option<Association> {
    Some(Association {
        machine: left.id(&format!("{place}.machine"), &association.machine)?,
        name: left.name(&format!("{place}.name"), &association.name)?,
        rule: left.maybe_id(&format!("{place}.rule"), association.rule.as_ref()),
        endpoint: left.maybe_id(&format!("{place}.endpoint"), association.endpoint.as_ref()),
    })
}

#[expect(clippy::needless_pass_by_value, reason = "every kind of item is handed over alike")]
fn change(left: &mut LeftOut, place: &str, change: document::Change) -> Option<Change> {
    Some(Change {
        at: left.typed(&format!("{place}.at"), &change.at, "a time")?,
        what: left.typed::<What>(&format!("{place}.what"), &change.what, "`Create`, `Update` or `Delete`")?,
        id: left.id(&format!("{place}.id"), &change.id)?,
    })
}
