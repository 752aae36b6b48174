//! How many machines there are on the same networks that no report names.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ampls_probes::azure::ResourceId;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::Holdings;
use crate::text::thousands;

/// Machines listed that no report names.
const NAMED: usize = 20;

/// What the facts of `--facts` hold around the machines of which there are reports.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct InAzure {
    /// When the facts were collected.
    pub collected_at: Timestamp,
    /// Virtual machines on the networks of those with a report, and on networks that are set to the same DNS servers.
    pub machines: usize,
    /// Those of them whose resource id stands in no report. A redacted report names no machine, nor does one whose metadata
    /// service gave no id.
    pub not_named: usize,
    /// The first of these, by resource id.
    pub not_named_first: Vec<String>,
}

impl InAzure {
    /// The same in a sentence's part.
    pub fn sentence(&self) -> String {
        let held = format!("{} that the Azure facts hold on these networks", thousands(self.machines));
        match self.not_named {
            0 => format!("reports name all {held}"),
            some => format!("of {held}, no report names {}", thousands(some)),
        }
    }
}

impl Holdings {
    /// The machines around these, whose ids are given; `None` where the facts hold the network of none of them.
    pub fn in_azure<'i>(&self, reported: impl IntoIterator<Item = &'i str>) -> Option<InAzure> {
        let reported: BTreeSet<ResourceId> = reported.into_iter().filter_map(|id| id.parse().ok()).collect();
        let placed: Vec<(&ResourceId, BTreeSet<ResourceId>)> = self
            .interfaces
            .iter()
            .filter_map(|interface| {
                let subnets = interface.configurations.iter().filter_map(|it| it.subnet.as_ref());
                Some((interface.machine.as_ref()?, subnets.filter_map(ResourceId::parent).collect()))
            })
            .collect();
        let own = placed.iter().filter(|(machine, _)| reported.contains(machine));
        let mut networks: BTreeSet<&ResourceId> = own.flat_map(|(_, networks)| networks).collect();
        if networks.is_empty() {
            return None;
        }
        let set_to: BTreeSet<IpAddr> =
            self.networks.iter().filter(|it| networks.contains(&it.id)).flat_map(|it| it.dns.iter().copied()).collect();
        let asks_the_same = self.networks.iter().filter(|it| it.dns.iter().any(|server| set_to.contains(server)));
        networks.extend(asks_the_same.map(|it| &it.id));
        let near = placed.iter().filter(|(_, of)| of.iter().any(|network| networks.contains(network)));
        let near: BTreeSet<&ResourceId> = near.map(|(machine, _)| *machine).collect();
        let missing: Vec<&ResourceId> = near.iter().copied().filter(|machine| !reported.contains(machine)).collect();
        Some(InAzure {
            collected_at: self.collected_at,
            machines: near.len(),
            not_named: missing.len(),
            not_named_first: missing.iter().take(NAMED).map(|machine| machine.as_str().to_owned()).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::facts_file::read;

    const GROUP: &str = "/subscriptions/7d1e2f3a-0000-4000-8000-000000000001/resourceGroups/rg";

    fn machine(name: &str) -> String {
        format!("{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}")
    }

    #[test]
    fn machines_on_the_same_networks_and_with_the_same_servers_are_counted() {
        let network = |name: &str| format!("{GROUP}/providers/Microsoft.Network/virtualNetworks/{name}");
        let interface = |name: &str, at: &str| {
            json!({
                "id": format!("{GROUP}/providers/Microsoft.Network/networkInterfaces/{name}-nic"), "machine": machine(name),
                "configurations": [{"address": "10.0.0.4", "subnet": format!("{}/subnets/default", network(at))}],
            })
        };
        let of = |name: &str, servers: &[&str]| json!({"id": network(name), "dns": servers, "subnets": []});
        let file = json!({
            "kind": "azure-facts", "schema": 1, "collected_at": "2026-11-29T20:00:00Z",
            "interfaces": [interface("a", "one"), interface("b", "one"), interface("c", "two"), interface("d", "three")],
            "networks": [of("one", &["10.9.9.9"]), of("two", &["10.9.9.9", "10.9.9.8"]), of("three", &[])],
        });
        let held = read(file.to_string().as_bytes()).unwrap();
        assert_eq!(held.left_out, [""; 0]);
        let around = held.in_azure([machine("A").as_str(), "not an id"]).unwrap();
        assert_eq!((around.machines, around.not_named), (3, 2), "{around:?}");
        assert_eq!(around.not_named_first, [machine("b"), machine("c")]);
        assert_eq!(around.sentence(), "of 3 that the Azure facts hold on these networks, no report names 2");
        assert_eq!(held.in_azure([machine("d").as_str()]).unwrap().not_named, 0, "Azure's own DNS joins no networks");
        assert_eq!(held.in_azure([machine("x").as_str()]), None);
    }
}
