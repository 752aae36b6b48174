//! Private endpoints: which one holds an address or a name, and in which zones it keeps records.
//!
//! An endpoint with a zone group has no `customDnsConfigs`: names and addresses stand on its network interface only.

use super::{Right, zone};
use crate::diagnose::command::{Address, Command, Host, Zone, command};
use crate::diagnose::finding::{BlastRadius, Fix};

/// Which private endpoint holds an address, and whether its connection is approved.
pub(in crate::diagnose) fn find_by_address(address: &str) -> Vec<Fix> {
    vec![Fix::look(
        format!(
            "find the private endpoint that holds `{address}`; none: the record is stale; not `Approved`: have it approved"
        ),
        [
            command!(
                Any,
                "az graph query -q \"resources | where type =~ 'microsoft.network/networkinterfaces' | mv-expand c=properties.ipConfigurations | where tostring(c.properties.privateIPAddress) == '{}' | project PRIVATE_ENDPOINT_ID=tostring(properties.privateEndpoint.id), names=tostring(c.properties.privateLinkConnectionProperties.fqdns)\" --query data",
                Address::new(address)
            ),
            show(),
        ],
    )]
}

/// Where a private endpoint leads, and whether it may.
fn show() -> Command {
    command!(
        Any,
        "az network private-endpoint show --ids PRIVATE_ENDPOINT_ID --query \"{ENDPOINT_SUBNET_ID:subnet.id, SCOPE_ID:privateLinkServiceConnections[0].privateLinkServiceId, state:privateLinkServiceConnections[0].privateLinkServiceConnectionState.status}\""
    )
}

/// The address prefix of a private endpoint's subnet.
pub(super) fn subnet_prefix() -> Command {
    command!(
        Any,
        "az network vnet subnet show --ids ENDPOINT_SUBNET_ID --query \"{ENDPOINT_SUBNET_PREFIX:addressPrefix || addressPrefixes[0]}\""
    )
}

/// The private endpoints of Azure Monitor's scopes, over all subscriptions.
pub(in crate::diagnose) fn find_command() -> Command {
    command!(
        Any,
        "az graph query -q \"resources | where type =~ 'microsoft.network/privateendpoints' and tostring(properties) contains '/microsoft.insights/privatelinkscopes/' | project ENDPOINT_SUBSCRIPTION=subscriptionId, ENDPOINT_RESOURCE_GROUP=resourceGroup, PRIVATE_ENDPOINT=name, NEW_PRIVATE_ENDPOINT=strcat(name,'-2'), ENDPOINT_SUBNET_ID=tostring(properties.subnet.id), SCOPE_ID=tostring(properties.privateLinkServiceConnections[0].properties.privateLinkServiceId)\" --query data"
    )
}

/// Which zones the private endpoint keeps records in.
pub(in crate::diagnose) fn list_zone_groups() -> Command {
    command!(
        Any,
        "az network private-endpoint dns-zone-group list --subscription ENDPOINT_SUBSCRIPTION -g ENDPOINT_RESOURCE_GROUP --endpoint-name PRIVATE_ENDPOINT --query \"[].{ZONE_GROUP:name, zones:privateDnsZoneConfigs[].privateDnsZoneId}\""
    )
}

/// Adds zones to the private endpoint's zone group, so that Azure keeps their records.
pub(in crate::diagnose) fn complete_zone_group(zones: &[&str]) -> Fix {
    let name = |zone: &str| Zone::new(zone).map(|zone| zone.hyphenated());
    let look = zones.iter().map(|zone| zone::find_command(zone)).chain([find_command(), list_zone_groups()]);
    Fix::change(
        BlastRadius::EveryNetworkOnThisDns,
        "add the zone to the zone group of the private endpoint, which then keeps the records (`add`: `create` on an existing group replaces its list)",
    )
    .under(Right::ZONE_GROUP)
    .with(zones.iter().map(|zone| command!(
        Any,
        "az network private-endpoint dns-zone-group add --subscription ENDPOINT_SUBSCRIPTION -g ENDPOINT_RESOURCE_GROUP --endpoint-name PRIVATE_ENDPOINT -n ZONE_GROUP --private-dns-zone /subscriptions/DNS_SUBSCRIPTION/resourceGroups/DNS_RESOURCE_GROUP/providers/Microsoft.Network/privateDnsZones/{} --zone-name {}",
        Zone::new(zone),
        name(zone)
    )))
    .after_looking(zone::side_effects(zones), look)
    .undone_with("", zones.iter().map(|zone| command!(
        Any,
        "az network private-endpoint dns-zone-group remove --subscription ENDPOINT_SUBSCRIPTION -g ENDPOINT_RESOURCE_GROUP --endpoint-name PRIVATE_ENDPOINT -n ZONE_GROUP --zone-name {}",
        name(zone)
    )))
}

/// Replaces the private endpoint, so that it holds the names that Microsoft has added since it was made. The new one has
/// another name, so that the commands take nothing away when they are run again.
/// Source: <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-configure>
pub(in crate::diagnose) fn replace(zone: &str) -> Fix {
    let name = || Zone::new(zone).map(|zone| zone.hyphenated());
    Fix::change(
        BlastRadius::EveryNetworkOnThisDns,
        "where its network interface does not hold the name, replace the private endpoint, and its zone group with all its zones: an older one lacks the names that Microsoft added later",
    )
    .under(Right::ENDPOINT)
    .with([
        command!(
            Any,
            "az network private-endpoint delete --subscription ENDPOINT_SUBSCRIPTION -g ENDPOINT_RESOURCE_GROUP -n PRIVATE_ENDPOINT"
        ),
        command!(
            Any,
            "az network private-endpoint create --subscription ENDPOINT_SUBSCRIPTION -g ENDPOINT_RESOURCE_GROUP -n NEW_PRIVATE_ENDPOINT --subnet ENDPOINT_SUBNET_ID --private-connection-resource-id SCOPE_ID --group-id azuremonitor --connection-name NEW_PRIVATE_ENDPOINT"
        ),
        command!(
            Any,
            "az network private-endpoint dns-zone-group create --subscription ENDPOINT_SUBSCRIPTION -g ENDPOINT_RESOURCE_GROUP --endpoint-name NEW_PRIVATE_ENDPOINT -n ZONE_GROUP --private-dns-zone /subscriptions/DNS_SUBSCRIPTION/resourceGroups/DNS_RESOURCE_GROUP/providers/Microsoft.Network/privateDnsZones/{} --zone-name {}",
            Zone::new(zone),
            name()
        ),
    ])
    .after_looking(
        "keep what they print, and give the new one another name; until it is made, every name of the scope fails, and its addresses may change",
        [zone::find_command(zone), find_command(), list_zone_groups()],
    )
    .undone_by("not possible: the new endpoint stays, and holds what the former one held")
}

/// Which private endpoint holds a name, and with which address.
pub(in crate::diagnose) fn find_by_name(fqdn: &str) -> Command {
    command!(
        Any,
        "az graph query -q \"resources | where type =~ 'microsoft.network/networkinterfaces' | mv-expand c=properties.ipConfigurations | where tostring(c.properties.privateLinkConnectionProperties.fqdns) contains '{}' | project PRIVATE_ENDPOINT_ADDRESS=tostring(c.properties.privateIPAddress), endpoint=tostring(properties.privateEndpoint.id)\" --query data",
        Host::new(fqdn)
    )
}
