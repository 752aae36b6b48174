//! Rules of network security groups that let traffic pass.

use super::{Right, endpoint};
use crate::diagnose::command::{Command, Region, ServiceTag, command};
use crate::diagnose::facts::{EndpointFacts, Facts};
use crate::diagnose::finding::{BlastRadius, Fix};

/// Allows an endpoint's port, to its service tag where that is known: names of one tag need one rule.
pub(in crate::diagnose) fn allow_service(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Fix {
    let port = name.endpoint.port;
    let Some(tag) = name.endpoint.service_tag.as_deref().and_then(ServiceTag::new) else {
        let fix = allow_tcp(port, &format!("`{}`", name.fqdn()), Rule::AzureMonitor);
        return mind(
            fix,
            "the rule holds for every machine behind this group; a tag opens the addresses of all customers of its service",
        );
    };
    let region = facts.instance().and_then(|instance| instance.location.as_deref()).and_then(Region::new);
    if let (STORAGE, Some(region)) = (tag.as_str(), region) {
        let tag = tag.in_region(&region);
        let text = tag.as_str().to_owned();
        let fix = allow_tcp(port, &format!("the service tag `{text}`"), Rule::Tag(tag));
        return mind(
            fix,
            &format!(
                "the rule holds for every machine behind this group; `{text}` opens every storage account of the region, also those of other customers, and none of another region"
            ),
        );
    }
    let text = tag.as_str().to_owned();
    let fix = allow_tcp(port, &format!("the service tag `{text}`"), Rule::Tag(tag));
    mind(
        fix,
        &format!(
            "the rule holds for every machine behind this group; `{text}` opens the addresses of all customers of that service, in every region"
        ),
    )
}

/// Regional tags exist for it: <https://learn.microsoft.com/azure/virtual-network/service-tags-overview>
const STORAGE: &str = "Storage";

fn mind(fix: Fix, sentence: &str) -> Fix {
    fix.after_looking(sentence, look_at_rules())
}

/// The groups of this machine's interface and subnet, a priority before each one's first own rule, and its rules.
pub(in crate::diagnose) fn look_at_rules() -> [Command; 2] {
    [find_groups(), list_rules()]
}

/// A group without outbound rules of its own denies nothing, and has none to come before.
fn find_groups() -> Command {
    command!(
        Any,
        "az graph query -q \"resources | where type =~ 'microsoft.network/networksecuritygroups' and (tostring(properties.networkInterfaces) contains 'NIC_ID' or tostring(properties.subnets) contains 'VM_SUBNET_ID') | mv-expand r=properties.securityRules | where r.properties.direction =~ 'Outbound' | summarize PRIORITY=min(toint(r.properties.priority))-1 by NSG_SUBSCRIPTION=subscriptionId, NSG_RESOURCE_GROUP=resourceGroup, NSG_NAME=name\" --query data -o table"
    )
}

fn list_rules() -> Command {
    command!(
        Any,
        "az network nsg rule list --subscription NSG_SUBSCRIPTION -g NSG_RESOURCE_GROUP --nsg-name NSG_NAME -o table"
    )
}

/// Allows a port to the subnet of the private endpoint.
pub(in crate::diagnose) fn allow_private_endpoint(port: u16) -> Fix {
    let [groups, rules] = look_at_rules();
    allow_tcp(port, "the subnet of the private endpoint", Rule::PrivateEndpoint)
        .after_looking("the rule holds for every machine behind this group", [groups, rules, endpoint::subnet_prefix()])
}

/// What a rule of a network security group opens, which names it.
enum Rule {
    Tag(ServiceTag),
    AzureMonitor,
    PrivateEndpoint,
}

/// Allows a port of TCP in a network security group. A rule of the same name would be replaced.
fn allow_tcp(port: u16, destination: &str, rule: Rule) -> Fix {
    let (create, delete) = match rule {
        Rule::Tag(tag) => (
            command!(
                Any,
                "az network nsg rule create --subscription NSG_SUBSCRIPTION -g NSG_RESOURCE_GROUP --nsg-name NSG_NAME -n allow-{}-{} --priority PRIORITY --direction Outbound --access Allow --protocol Tcp --destination-port-ranges {} --destination-address-prefixes {}",
                &tag,
                port,
                port,
                &tag
            ),
            command!(
                Any,
                "az network nsg rule delete --subscription NSG_SUBSCRIPTION -g NSG_RESOURCE_GROUP --nsg-name NSG_NAME -n allow-{}-{}",
                &tag,
                port
            ),
        ),
        Rule::AzureMonitor => (
            command!(
                Any,
                "az network nsg rule create --subscription NSG_SUBSCRIPTION -g NSG_RESOURCE_GROUP --nsg-name NSG_NAME -n allow-azure-monitor-{} --priority PRIORITY --direction Outbound --access Allow --protocol Tcp --destination-port-ranges {} --destination-address-prefixes SERVICE_TAG",
                port,
                port
            ),
            command!(
                Any,
                "az network nsg rule delete --subscription NSG_SUBSCRIPTION -g NSG_RESOURCE_GROUP --nsg-name NSG_NAME -n allow-azure-monitor-{}",
                port
            ),
        ),
        Rule::PrivateEndpoint => (
            command!(
                Any,
                "az network nsg rule create --subscription NSG_SUBSCRIPTION -g NSG_RESOURCE_GROUP --nsg-name NSG_NAME -n allow-private-endpoint-{} --priority PRIORITY --direction Outbound --access Allow --protocol Tcp --destination-port-ranges {} --destination-address-prefixes ENDPOINT_SUBNET_PREFIX",
                port,
                port
            ),
            command!(
                Any,
                "az network nsg rule delete --subscription NSG_SUBSCRIPTION -g NSG_RESOURCE_GROUP --nsg-name NSG_NAME -n allow-private-endpoint-{}",
                port
            ),
        ),
    };
    Fix::change(
        BlastRadius::Vnet,
        format!("allow TCP {port} to {destination} where it is denied (network security group, firewall)"),
    )
    .under(Right::SECURITY_GROUP)
    .with([create])
    .undone_with("", [delete])
}
