//! Private DNS zones: where they are, what they hold, and to which networks they are linked.
//!
//! Zones stand in other subscriptions than the machine, and a second zone of a name breaks every machine that uses the first.
//! So a look-up asks all subscriptions, and no command makes a zone.

use super::Right;
use crate::diagnose::command::{Command, Record, Zone, command};
use crate::diagnose::facts::is_blob_zone;
use crate::diagnose::finding::{BlastRadius, Fix};
use crate::diagnose::need::{Zones, borrowed};

/// The zone that holds names shared by everybody who uses Azure Monitor.
fn is_shared(zone: &str) -> bool {
    zone.starts_with("privatelink.monitor.")
}

/// What linking or forwarding zones changes for everybody else.
pub(super) fn side_effects(zones: &[&str]) -> String {
    let mut effects = Vec::new();
    if zones.iter().any(|zone| is_shared(zone)) {
        effects.push(
            "`monitor` holds names that every machine shares: an agent without a data collection endpoint of this scope is refused (403) once they are private",
        );
    }
    if zones.iter().any(|zone| is_blob_zone(zone)) {
        effects.push(
            "`blob` holds the names of all storage accounts with a private endpoint: check that the zone has the records of those in use",
        );
    }
    if zones.iter().any(|zone| !is_shared(zone) && !is_blob_zone(zone)) {
        effects.push(
            "VMs that use workspaces outside this scope can no longer resolve them, unless fallback to internet is on",
        );
    }
    effects.join("; ")
}

/// Where zones exist, over all subscriptions.
pub(in crate::diagnose) fn find(zones: &[&str]) -> Fix {
    let text = match zones {
        [_] => "find the zone; with none or several stop and ask; never create one",
        _ => "find the zones; with none or several of one name stop and ask; never create one",
    };
    Fix::look(text, zones.iter().map(|zone| find_command(zone)))
}

/// See [`find`].
pub(in crate::diagnose) fn find_command(zone: &str) -> Command {
    command!(
        Any,
        "az graph query -q \"resources | where type endswith '/privatednszones' and name =~ '{}' | project DNS_SUBSCRIPTION=subscriptionId, DNS_RESOURCE_GROUP=resourceGroup\" --query data -o table",
        Zone::new(zone)
    )
}

/// The links of a zone.
pub(in crate::diagnose) fn list_links(zone: &str) -> Fix {
    Fix::look(format!("list the networks that `{zone}` is linked to"), [links(zone)])
}

/// See [`list_links`].
pub(in crate::diagnose) fn links(zone: &str) -> Command {
    command!(
        Any,
        "az network private-dns link vnet list --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z {} --query \"[].{LINK_NAME:name, network:virtualNetwork.id, fallback:resolutionPolicy}\" -o table",
        Zone::new(zone)
    )
}

/// The A records of a zone.
pub(in crate::diagnose) fn list_records(zone: &str) -> Command {
    command!(
        Any,
        "az network private-dns record-set a list --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z {} --query \"[].{record:name, addresses:join(' ', aRecords[].ipv4Address)}\" -o table",
        Zone::new(zone)
    )
}

/// The record of one name.
pub(in crate::diagnose) fn show_record(zone: &str, record: Option<&Record>) -> Command {
    command!(
        Any,
        "az network private-dns record-set a show --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z {} -n {}",
        Zone::new(zone),
        record
    )
}

/// Links a zone to a virtual network; again it changes nothing.
pub(in crate::diagnose) fn create_link(zone: &str) -> Command {
    command!(
        Any,
        "az network private-dns link vnet create --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z {} -n LINK_NAME -v VNET_ID -e false",
        Zone::new(zone)
    )
}

/// Takes the link of a zone away.
pub(in crate::diagnose) fn delete_link(zone: &str) -> Command {
    command!(
        Any,
        "az network private-dns link vnet delete --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z {} -n LINK_NAME --yes",
        Zone::new(zone)
    )
}

/// Takes the links of zones away, after all of each link was shown.
pub(in crate::diagnose) fn unlink(zone: &str, reach: BlastRadius, text: String, bear_in_mind: &str) -> Fix {
    Fix::change(reach, text)
        .under(Right::ZONE_LINK)
        .with([delete_link(zone)])
        .after_looking(bear_in_mind, [
            find_command(zone),
            command!(
                Any,
                "az network private-dns link vnet list --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z {} --query \"[].{LINK_NAME:name, VNET_ID:virtualNetwork.id}\" -o table",
                Zone::new(zone)
            ),
            command!(
                Any,
                "az network private-dns record-set list --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z {} -o table",
                Zone::new(zone)
            ),
        ])
        .undone_with("", [create_link(zone)])
}

/// Links zones to the network whose DNS resolves.
pub(in crate::diagnose) fn link(zones: &[&str], network: &str) -> Fix {
    let text = match zones {
        [zone] => format!("link `{zone}` to {network}"),
        _ => format!("link these zones to {network}"),
    };
    change_link(zones, text, Vec::new())
}

/// Links the zones that this machine can do without: each kind by itself, so that none is linked by the way.
pub(in crate::diagnose) fn link_optional(zones: &Zones, network: &str) -> Vec<Fix> {
    let mut fixes = Vec::new();
    if !zones.later.is_empty() {
        let text = format!(
            "not now: only if the Log Analytics agent (MMA, OMS) is to run here, link its zones, which are optional, to {network}"
        );
        fixes.push(change_link(&borrowed(&zones.later), text, find_commands(&zones.later)));
    }
    if !zones.blob.is_empty() {
        let text = format!(
            "not now: last, and by itself, link the zone of blobs to {network}; it moves every storage account that has a private endpoint"
        );
        fixes.push(change_link(&borrowed(&zones.blob), text, find_commands(&zones.blob)));
    }
    fixes
}

fn find_commands(zones: &[String]) -> Vec<Command> {
    zones.iter().map(|zone| find_command(zone)).collect()
}

fn change_link(zones: &[&str], text: String, look: Vec<Command>) -> Fix {
    Fix::change(BlastRadius::Vnet, text)
        .under(Right::ZONE_LINK)
        .with(zones.iter().map(|zone| create_link(zone)))
        .after_looking(format!("an empty zone breaks every name in it; {}", side_effects(zones)), look)
        .undone_with("", zones.iter().map(|zone| delete_link(zone)))
}

/// Lets names that a zone lacks be resolved publicly.
pub(in crate::diagnose) fn fall_back(zone: &str, reach: BlastRadius) -> Fix {
    Fix::change(
        reach,
        "allow fallback to internet on the link of the zone; be aware: missing records then use the public path, and nothing tells you",
    )
    .under(Right::ZONE_LINK)
    .with([command!(
        Any,
        "az network private-dns link vnet update --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z {} -n LINK_NAME --resolution-policy NxDomainRedirect",
        Zone::new(zone)
    )])
    .after_looking("keep the value that is shown", [find_command(zone), links(zone)])
    .undone_with("", [command!(
        Any,
        "az network private-dns link vnet update --subscription DNS_SUBSCRIPTION -g DNS_RESOURCE_GROUP -z {} -n LINK_NAME --resolution-policy Default",
        Zone::new(zone)
    )])
}
