//! The file as it is written: what `packaging/azure-facts.schema.json` describes.
//!
//! Everything is text here; [`super::reading`] gives it its types. Fields that are not named are passed over unread.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use serde_json::{Value, json};

use super::items::Items;
use super::{KIND, SCHEMA};

/// What Azure holds, as far as the person or the pipeline that collected it may read.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Document {
    /// What the file is.
    #[schemars(extend("const" = KIND))]
    pub(super) kind: Option<String>,
    /// Version of this document.
    #[schemars(extend("const" = SCHEMA))]
    pub(super) schema: Option<u32>,
    /// When it was collected, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub(super) collected_at: Option<String>,
    /// Subscriptions that were searched, by id.
    #[serde(default)]
    pub(super) subscriptions: Items<String>,
    /// What could not be read, each in a sentence.
    #[serde(default)]
    pub(super) not_read: Items<String>,
    /// Azure Monitor Private Link Scopes.
    #[serde(default)]
    pub(super) scopes: Items<Scope>,
    /// Private endpoints of those scopes.
    #[serde(default)]
    pub(super) endpoints: Items<Endpoint>,
    /// Private DNS zones whose names begin with `privatelink.`.
    #[serde(default)]
    pub(super) zones: Items<Zone>,
    /// DNS forwarding rulesets.
    #[serde(default)]
    pub(super) rulesets: Items<Ruleset>,
    /// Inbound endpoints of DNS private resolvers.
    #[serde(default)]
    pub(super) inbound: Items<Inbound>,
    /// Virtual networks.
    #[serde(default)]
    pub(super) networks: Items<Network>,
    /// Route tables.
    #[serde(default)]
    pub(super) route_tables: Items<RouteTable>,
    /// Network interfaces of virtual machines and of the private endpoints.
    #[serde(default)]
    pub(super) interfaces: Items<Interface>,
    /// Log Analytics workspaces.
    #[serde(default)]
    pub(super) workspaces: Items<Workspace>,
    /// Data collection endpoints.
    #[serde(default)]
    pub(super) collection_endpoints: Items<CollectionEndpoint>,
    /// Associations of machines with data collection rules and endpoints; not there where they were not collected.
    #[serde(default)]
    pub(super) associations: Option<Items<Association>>,
    /// What changed in the last 14 days.
    #[serde(default)]
    pub(super) changes: Items<Change>,
}

/// An Azure Monitor Private Link Scope.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Scope {
    /// Resource id.
    pub(super) id: String,
    /// Access mode of ingestion: `Open` or `PrivateOnly`.
    pub(super) ingestion: Option<String>,
    /// Access mode of queries: `Open` or `PrivateOnly`.
    pub(super) queries: Option<String>,
    /// Resource ids of what it holds; not there where that could not be read.
    #[serde(default)]
    pub(super) resources: Option<Items<String>>,
}

/// A private endpoint.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Endpoint {
    /// Resource id.
    pub(super) id: String,
    /// Resource id of the scope that it leads to.
    pub(super) scope: String,
    /// Resource id of its subnet.
    pub(super) subnet: Option<String>,
    /// State of its connection: `Approved`, `Pending`, `Rejected` or `Disconnected`.
    pub(super) status: Option<String>,
    /// Its zone groups.
    #[serde(default)]
    pub(super) zone_groups: Items<ZoneGroup>,
}

/// A zone group of a private endpoint: the zones whose records Azure keeps.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct ZoneGroup {
    /// Its name.
    pub(super) name: String,
    /// Resource ids of the zones.
    #[serde(default)]
    pub(super) zones: Items<String>,
}

/// A private DNS zone.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Zone {
    /// Resource id; its last part is the name of the zone.
    pub(super) id: String,
    /// Links to virtual networks.
    #[serde(default)]
    pub(super) links: Items<Link>,
    /// A and AAAA records; not there where they could not be read.
    #[serde(default)]
    pub(super) records: Option<Items<Record>>,
}

/// A link of a zone to a virtual network.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Link {
    /// Its name.
    pub(super) name: String,
    /// Resource id of the network.
    pub(super) network: String,
    /// Resolution policy: `Default`, or `NxDomainRedirect` for fallback to internet.
    pub(super) policy: Option<String>,
}

/// A record set.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Record {
    /// Its name within the zone.
    pub(super) name: String,
    /// Its addresses.
    #[serde(default)]
    pub(super) addresses: Items<String>,
}

/// A DNS forwarding ruleset.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Ruleset {
    /// Resource id.
    pub(super) id: String,
    /// Its rules.
    #[serde(default)]
    pub(super) rules: Items<Rule>,
    /// Resource ids of the networks that it is linked to.
    #[serde(default)]
    pub(super) networks: Items<String>,
}

/// A rule of a forwarding ruleset.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Rule {
    /// The domain, with or without its trailing dot.
    pub(super) domain: String,
    /// Addresses of the servers that it leads to.
    #[serde(default)]
    pub(super) targets: Items<String>,
    /// Whether it is in force.
    pub(super) enabled: Option<bool>,
}

/// An inbound endpoint of a DNS private resolver.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Inbound {
    /// Resource id.
    pub(super) id: String,
    /// Its address.
    pub(super) address: String,
    /// Resource id of its subnet.
    pub(super) subnet: String,
}

/// A virtual network.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Network {
    /// Resource id.
    pub(super) id: String,
    /// Its region.
    pub(super) region: Option<String>,
    /// DNS servers that it is set to; none is Azure's own.
    #[serde(default)]
    pub(super) dns: Items<String>,
    /// Its subnets.
    #[serde(default)]
    pub(super) subnets: Items<Subnet>,
}

/// A subnet.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Subnet {
    /// Its name.
    pub(super) name: String,
    /// Its address prefixes.
    #[serde(default)]
    pub(super) prefixes: Items<String>,
    /// Whether it has default outbound access; not there where Azure does not say.
    pub(super) outbound: Option<bool>,
    /// Whether it has a NAT gateway.
    pub(super) nat: Option<bool>,
    /// Resource id of its route table.
    pub(super) route_table: Option<String>,
}

/// A route table.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct RouteTable {
    /// Resource id.
    pub(super) id: String,
    /// Its routes.
    #[serde(default)]
    pub(super) routes: Items<Route>,
}

/// A route.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Route {
    /// Address prefix, or a service tag.
    pub(super) prefix: String,
    /// Kind of the next hop: `VirtualAppliance`, `VirtualNetworkGateway`, `VnetLocal`, `Internet` or `None`.
    pub(super) next_hop: String,
    /// Address of a virtual appliance.
    pub(super) address: Option<String>,
}

/// A network interface.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Interface {
    /// Resource id.
    pub(super) id: String,
    /// Resource id of the virtual machine that it belongs to.
    pub(super) machine: Option<String>,
    /// Resource id of the private endpoint that it belongs to.
    pub(super) endpoint: Option<String>,
    /// Its configurations.
    #[serde(default)]
    pub(super) configurations: Items<Configuration>,
}

/// An address of a network interface.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Configuration {
    /// The private address.
    pub(super) address: Option<String>,
    /// Resource id of the subnet.
    pub(super) subnet: Option<String>,
    /// Names that a private endpoint has at this address.
    #[serde(default)]
    pub(super) names: Items<String>,
}

/// A Log Analytics workspace.
#[derive(Debug, Deserialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "the field of the file is called so")]
pub(super) struct Workspace {
    /// Resource id.
    pub(super) id: String,
    /// The workspace id, a GUID.
    pub(super) workspace: String,
    /// Ingestion from public networks: `Enabled`, `Disabled` or `SecuredByPerimeter`.
    pub(super) ingestion: Option<String>,
    /// Queries from public networks: `Enabled`, `Disabled` or `SecuredByPerimeter`.
    pub(super) queries: Option<String>,
    /// Whether it takes data: `RespectQuota`, `ApproachingQuota`, `OverQuota`, `ForceOn`, `ForceOff` or `SubscriptionSuspended`.
    pub(super) ingestion_status: Option<String>,
}

/// A data collection endpoint.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct CollectionEndpoint {
    /// Resource id.
    pub(super) id: String,
    /// Its region.
    pub(super) region: Option<String>,
    /// URLs of its configuration, log and metrics endpoints.
    #[serde(default)]
    pub(super) urls: Items<String>,
}

/// An association of a machine.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Association {
    /// Resource id of the machine.
    pub(super) machine: String,
    /// Its name; `configurationAccessEndpoint` for the endpoint of the machine's configuration.
    pub(super) name: String,
    /// Resource id of the data collection rule.
    pub(super) rule: Option<String>,
    /// Resource id of the data collection endpoint.
    pub(super) endpoint: Option<String>,
}

/// A change of a resource.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Change {
    /// When, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub(super) at: String,
    /// What: `Create`, `Update` or `Delete`.
    pub(super) what: String,
    /// Resource id of what changed.
    pub(super) id: String,
}

/// The schema of the file (2020-12).
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().for_deserialize();
    let mut schema = settings.into_generator().into_root_schema_for::<Document>();
    schema.insert("$id".to_owned(), json!("urn:ampls-doctor:azure-facts:1"));
    schema.insert("title".to_owned(), json!("What Azure holds, for ampls-doctor --facts"));
    schema.insert("required".to_owned(), json!(["kind", "schema", "collected_at"]));
    schema.to_value()
}
