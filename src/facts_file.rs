//! What Azure holds, collected where somebody may read it: the file of `--facts`, which `packaging/azure-facts` writes.
//!
//! The file is a stranger's: bounded, every value of a type, fields that are not known passed over. What one item holds that
//! is not of its form leaves that item out, with place and reason. Reading the file is not done here. What it means for a
//! machine is found elsewhere: [`crate::report::held`] finds the machine's networks in it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ampls_probes::azure::{Region, ResourceId, WorkspaceId};
use ipnet::IpNet;
use jiff::Timestamp;

use crate::text;
use document::Document;

pub use around::InAzure;
pub use document::schema;

mod around;
mod document;
mod items;
mod reading;
#[cfg(test)]
mod tests;

/// The version of the file that is read.
pub const SCHEMA: u32 = 1;

/// What the file says it is.
const KIND: &str = "azure-facts";

/// What to do about a file that cannot be used.
const WANTED: &str = "create it again with `packaging/azure-facts/collect.sh` (or `collect.ps1`) in Azure Cloud Shell";

/// What Azure holds, as far as the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// When it was collected.
    pub collected_at: Timestamp,
    /// Subscriptions that were searched, by id.
    pub subscriptions: Vec<String>,
    /// What could not be read.
    pub not_read: Vec<String>,
    /// Private link scopes.
    pub scopes: Vec<Scope>,
    /// Private endpoints of scopes.
    pub endpoints: Vec<PrivateEndpoint>,
    /// Private DNS zones.
    pub zones: Vec<Zone>,
    /// DNS forwarding rulesets.
    pub rulesets: Vec<Ruleset>,
    /// Inbound endpoints of DNS private resolvers.
    pub inbound: Vec<Inbound>,
    /// Virtual networks.
    pub networks: Vec<Network>,
    /// Route tables.
    pub route_tables: Vec<RouteTable>,
    /// Network interfaces.
    pub interfaces: Vec<Interface>,
    /// Log Analytics workspaces.
    pub workspaces: Vec<Workspace>,
    /// Data collection endpoints.
    pub collection_endpoints: Vec<CollectionEndpoint>,
    /// Associations of machines; `None` where they were not collected.
    pub associations: Option<Vec<Association>>,
    /// What changed, the latest first.
    pub changes: Vec<Change>,
    /// What could not be used: the place and the reason.
    pub left_out: Vec<String>,
}

/// Whom a scope lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Resources outside the scope too.
    Open,
    /// Resources of the scope only.
    PrivateOnly,
}

impl Mode {
    /// The word of Azure.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::PrivateOnly => "PrivateOnly",
        }
    }
}

impl FromStr for Mode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Open, Self::PrivateOnly].into_iter().find(|mode| mode.as_str().eq_ignore_ascii_case(text)).ok_or(())
    }
}

/// An Azure Monitor Private Link Scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Resource id.
    pub id: ResourceId,
    /// Access mode of ingestion.
    pub ingestion: Option<Mode>,
    /// Access mode of queries.
    pub queries: Option<Mode>,
    /// What it holds; `None` where that was not read.
    pub resources: Option<Vec<ResourceId>>,
}

/// A private endpoint of a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateEndpoint {
    /// Resource id.
    pub id: ResourceId,
    /// The scope.
    pub scope: ResourceId,
    /// Its subnet.
    pub subnet: Option<ResourceId>,
    /// State of its connection.
    pub status: Option<String>,
    /// Its zone groups.
    pub zone_groups: Vec<ZoneGroup>,
}

/// A zone group of a private endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneGroup {
    /// Its name.
    pub name: String,
    /// The zones.
    pub zones: Vec<ResourceId>,
}

/// A private DNS zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Resource id.
    pub id: ResourceId,
    /// Its name, lower case.
    pub name: String,
    /// Links to networks.
    pub links: Vec<Link>,
    /// Records by their full names; `None` where they were not read.
    pub records: Option<Vec<Record>>,
}

/// A link of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// The network.
    pub network: ResourceId,
    /// Names that the zone lacks are resolved publicly.
    pub falls_back: bool,
}

/// A record set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its full name, lower case.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
}

/// A DNS forwarding ruleset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruleset {
    /// Resource id.
    pub id: ResourceId,
    /// Its rules.
    pub rules: Vec<Rule>,
    /// The networks that it is linked to.
    pub networks: Vec<ResourceId>,
}

/// A rule of a ruleset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The domain, lower case, without its trailing dot; `.` for all.
    pub domain: String,
    /// The servers that it leads to.
    pub targets: Vec<IpAddr>,
    /// It is in force.
    pub enabled: bool,
}

/// An inbound endpoint of a DNS private resolver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbound {
    /// Resource id.
    pub id: ResourceId,
    /// Its address.
    pub address: IpAddr,
    /// Its subnet.
    pub subnet: ResourceId,
}

/// A virtual network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Resource id.
    pub id: ResourceId,
    /// Its region.
    pub region: Option<Region>,
    /// DNS servers that it is set to; none is Azure's own.
    pub dns: Vec<IpAddr>,
    /// Its subnets.
    pub subnets: Vec<Subnet>,
}

/// A subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// Resource id.
    pub id: ResourceId,
    /// Its address prefixes.
    pub prefixes: Vec<IpNet>,
    /// Whether it has default outbound access; `None` where Azure does not say.
    pub outbound: Option<bool>,
    /// It has a NAT gateway.
    pub nat: bool,
    /// Its route table.
    pub route_table: Option<ResourceId>,
}

/// A route table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTable {
    /// Resource id.
    pub id: ResourceId,
    /// Its routes.
    pub routes: Vec<Route>,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The prefix; `None` for a service tag.
    pub prefix: Option<IpNet>,
    /// Kind of the next hop.
    pub next_hop: String,
    /// Address of a virtual appliance.
    pub address: Option<IpAddr>,
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Resource id.
    pub id: ResourceId,
    /// The virtual machine that it belongs to.
    pub machine: Option<ResourceId>,
    /// The private endpoint that it belongs to.
    pub endpoint: Option<ResourceId>,
    /// Its addresses.
    pub configurations: Vec<Configuration>,
}

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// The address.
    pub address: IpAddr,
    /// Its subnet.
    pub subnet: Option<ResourceId>,
    /// Names that a private endpoint has there.
    pub names: Vec<String>,
}

/// A Log Analytics workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// Resource id.
    pub id: ResourceId,
    /// The workspace id.
    pub workspace: WorkspaceId,
    /// Ingestion from public networks, in Azure's word.
    pub ingestion: Option<String>,
    /// Queries from public networks, in Azure's word.
    pub queries: Option<String>,
    /// Whether it takes data, in Azure's word.
    pub ingestion_status: Option<String>,
}

/// A data collection endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectionEndpoint {
    /// Resource id.
    pub id: ResourceId,
    /// Its region.
    pub region: Option<Region>,
    /// Its host names.
    pub hosts: Vec<String>,
}

/// An association of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Association {
    /// The machine.
    pub machine: ResourceId,
    /// Its name.
    pub name: String,
    /// The data collection rule.
    pub rule: Option<ResourceId>,
    /// The data collection endpoint.
    pub endpoint: Option<ResourceId>,
}

/// A change of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub what: What,
    /// To which resource.
    pub id: ResourceId,
}

/// What was done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// It was created.
    Create,
    /// It was changed.
    Update,
    /// It was deleted.
    Delete,
}

impl What {
    /// The word of a sentence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "created",
            Self::Update => "changed",
            Self::Delete => "deleted",
        }
    }
}

impl FromStr for What {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let known = [("create", Self::Create), ("update", Self::Update), ("delete", Self::Delete)];
        known.into_iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, what)| what).ok_or(())
    }
}

/// What is wrong, where, and what to do, in one harmless line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactsError(String);

impl fmt::Display for FactsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for FactsError {}

/// Reads what Azure holds.
pub fn read(bytes: &[u8]) -> Result<Holdings, FactsError> {
    let wrong = |what: &str| FactsError(format!("{what}; {WANTED}"));
    let text = text::decode(bytes).ok_or_else(|| wrong("is not UTF-8 or UTF-16 text"))?;
    if text.trim().is_empty() {
        return Err(wrong("is empty"));
    }
    let document: Document = serde_json::from_str(&text).map_err(|error| {
        let error = text::escape(&error.to_string(), text::MAX_QUOTED);
        wrong(&format!("the JSON is incomplete or wrong: {error}"))
    })?;
    if document.kind.as_deref() != Some(KIND) {
        return Err(wrong(&format!("is not a file of Azure facts: its `kind` is not `{KIND}`")));
    }
    match document.schema {
        Some(SCHEMA) => {}
        Some(other) => {
            return Err(wrong(&format!(
                "has schema {other}, this version reads {SCHEMA}: use the script of this version"
            )));
        }
        None => return Err(wrong("has no `schema`")),
    }
    let at = document.collected_at.as_deref().unwrap_or_default();
    let collected_at: Timestamp =
        at.parse().map_err(|_| wrong(&format!("collected_at: {} is not a time", text::quote(at))))?;
    let held = reading::holdings(document, collected_at);
    if held.is_empty() {
        let why = held.left_out.first().map_or("holds no zone, network, scope or endpoint", String::as_str);
        return Err(wrong(why));
    }
    Ok(held)
}

impl Holdings {
    /// Nothing in it could be about any machine.
    fn is_empty(&self) -> bool {
        self.scopes.is_empty()
            && self.endpoints.is_empty()
            && self.zones.is_empty()
            && self.networks.is_empty()
            && self.interfaces.is_empty()
            && self.workspaces.is_empty()
            && self.associations.as_ref().is_none_or(Vec::is_empty)
    }

    /// The network with this subnet.
    pub fn network_of(&self, subnet: &ResourceId) -> Option<&Network> {
        let network = subnet.parent()?;
        self.networks.iter().find(|known| known.id == network)
    }
}
