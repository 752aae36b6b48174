//! A file that holds everything around the machine of a world, and what is left open with it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use ampls_doctor::diagnose::command::Command;
use ampls_doctor::diagnose::facts::{Facts, Linked, Route};
use ampls_doctor::diagnose::finding::Fix;
use ampls_doctor::facts_file;
use ampls_doctor::report::Report;
use ampls_probes::Observations;
use serde_json::{Value, json};

/// What the file always holds where it finds the machine.
const HELD: [&str; 19] = [
    "DNS_RESOURCE_GROUP",
    "DNS_SUBSCRIPTION",
    "ENDPOINT_RESOURCE_GROUP",
    "ENDPOINT_SUBNET_ID",
    "ENDPOINT_SUBNET_PREFIX",
    "ENDPOINT_SUBSCRIPTION",
    "NEW_PRIVATE_ENDPOINT",
    "NIC_ID",
    "PRIVATE_ENDPOINT",
    "PRIVATE_ENDPOINT_ADDRESS",
    "RULESET_ID",
    "SCOPE_ID",
    "SCOPE_NAME",
    "SCOPE_RESOURCE_GROUP",
    "SCOPE_SUBSCRIPTION",
    "VM_SUBNET_ID",
    "VNET_ID",
    "LINK_NAME",
    "ZONE_GROUP",
];

/// Placeholders and notes, with and without the file.
#[derive(Default)]
struct Counted {
    worlds: usize,
    placed: usize,
    /// Commands, and those of them that hold a placeholder: without the file and with it.
    commands: [usize; 2],
    open: [usize; 2],
    /// Notes that leave something to look up.
    notes: [usize; 2],
    /// What is left with the file, by how many commands hold it.
    left: BTreeMap<&'static str, usize>,
}

static COUNTED: Mutex<Option<Counted>> = Mutex::new(None);

/// The machine's network and that of its other servers, zones linked where the world shows it, one scope and its endpoint.
pub(crate) fn file(report: &Report) -> Option<Value> {
    let azure = report.host.azure.as_ref()?;
    let machine = azure.resource_id.clone()?;
    let groups = format!("/subscriptions/{}/resourceGroups", machine.split('/').nth(2)?);
    let network = |name: &str| format!("{groups}/rg-net/providers/Microsoft.Network/virtualNetworks/{name}");
    let prefix = azure.subnet.clone().unwrap_or_else(|| "10.99.0.0/24".to_owned());
    let is_azure = |address: IpAddr| address.to_string() == "168.63.129.16";
    let others: Vec<IpAddr> = report
        .servers
        .iter()
        .map(|server| server.address.ip())
        .filter(|it| !it.is_loopback() && !is_azure(*it))
        .collect();
    let endpoint = format!("{groups}/rg-pe/providers/Microsoft.Network/privateEndpoints/pe-ampls");
    let scope = format!("{groups}/rg-ampls/providers/microsoft.insights/privateLinkScopes/ampls");
    let zone = |name: &str| format!("{groups}/rg-dns/providers/Microsoft.Network/privateDnsZones/{name}");
    let mut interfaces = vec![json!({
        "id": format!("{groups}/rg-vm/providers/Microsoft.Network/networkInterfaces/vm-nic"), "machine": machine,
        "configurations": [{"address": "10.99.0.4", "subnet": format!("{}/subnets/snet-vm", network("spoke"))}],
    })];
    for (number, address) in others.iter().enumerate() {
        interfaces.push(json!({
            "id": format!("{groups}/rg-dns/providers/Microsoft.Network/networkInterfaces/dns-{number}"),
            "machine": format!("{groups}/rg-dns/providers/Microsoft.Compute/virtualMachines/dns-{number}"),
            "configurations": [{"address": address, "subnet": format!("{}/subnets/snet-dns", network("hub"))}],
        }));
    }
    // A private endpoint of a scope has an address for every name, whatever a machine sees of it.
    let mut configurations = Vec::new();
    for (number, name) in report.endpoints.iter().filter(|it| it.zone.is_some()).enumerate() {
        let unseen = [IpAddr::from([10, 98, 0, u8::try_from(4 + number).unwrap_or(u8::MAX)])];
        let addresses = if name.route == Route::Private { name.addresses.as_slice() } else { unseen.as_slice() };
        for address in addresses {
            configurations.push(json!({"address": address, "subnet": format!("{}/subnets/snet-pe", network("spoke")), "names": [name.fqdn]}));
        }
    }
    interfaces.push(json!({"id": format!("{groups}/rg-pe/providers/Microsoft.Network/networkInterfaces/pe-nic"), "endpoint": endpoint, "configurations": configurations}));
    let zones: Vec<Value> = report
        .observations
        .zones
        .iter()
        .map(|name| {
            let linked = |here: bool| {
                report
                    .zones
                    .iter()
                    .any(|it| it.zone == *name && it.linked == Linked::Yes && is_azure(it.server.ip()) == here)
            };
            let mut links = Vec::new();
            links.extend(linked(true).then(|| json!({"name": "spoke-x", "network": network("spoke")})));
            links.extend(linked(false).then(|| json!({"name": "hub-x", "network": network("hub")})));
            json!({"id": zone(name), "links": links, "records": []})
        })
        .collect();
    let guids: BTreeSet<&str> =
        report.endpoints.iter().filter_map(|it| it.fqdn.split('.').next()).filter(|it| it.len() == 36).collect();
    let workspaces: Vec<Value> = guids.iter().enumerate().map(|(number, id)| json!({"id": format!("{groups}/rg-law/providers/Microsoft.OperationalInsights/workspaces/law{number}"), "workspace": id})).collect();
    let mut resources: Vec<Value> = workspaces.iter().map(|it| it["id"].clone()).collect();
    let mut own: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for host in report.endpoints.iter().map(|it| it.fqdn.as_str()) {
        for service in [".handler.control.monitor.", ".metrics.ingest.monitor.", ".ingest.monitor."] {
            if let Some((label, _)) =
                host.split_once(service).filter(|(label, _)| label.contains('.') && !label.ends_with(".metrics"))
            {
                own.entry(label.to_owned()).or_default().push(host.to_owned());
            }
        }
    }
    let collection: Vec<Value> = own.iter().enumerate().map(|(number, (_, hosts))| json!({"id": format!("{groups}/rg-mon/providers/Microsoft.Insights/dataCollectionEndpoints/dce{number}"), "region": azure.region, "urls": hosts})).collect();
    resources.extend(collection.iter().map(|it| it["id"].clone()));
    Some(json!({
        "kind": "azure-facts", "schema": 1, "collected_at": "2026-11-29T20:00:00Z",
        "scopes": [{"id": scope, "ingestion": "Open", "queries": "Open", "resources": resources}],
        "endpoints": [{"id": endpoint, "scope": scope, "subnet": format!("{}/subnets/snet-pe", network("spoke")), "status": "Approved", "zone_groups": [{"name": "default", "zones": report.observations.zones.iter().map(|name| zone(name)).collect::<Vec<_>>()}]}],
        "zones": zones, "interfaces": interfaces, "workspaces": workspaces, "collection_endpoints": collection, "associations": [],
        "rulesets": [{"id": format!("{groups}/rg-dns/providers/Microsoft.Network/dnsForwardingRulesets/rules"), "networks": [network("spoke"), network("hub")]}],
        "networks": [
            {"id": network("spoke"), "region": azure.region, "subnets": [{"name": "snet-vm", "prefixes": [prefix]}, {"name": "snet-pe", "prefixes": ["10.98.0.0/24"]}]},
            {"id": network("hub"), "region": azure.region, "subnets": [{"name": "snet-dns", "prefixes": ["10.97.0.0/24"]}]},
        ],
    }))
}

/// Counts one world; a fault for each placeholder that the file holds and a command still asks for.
pub(crate) fn examine(seen: &Observations, report: &Report) -> Vec<String> {
    let mut counted = COUNTED.lock().unwrap_or_else(PoisonError::into_inner);
    let counted = counted.get_or_insert_default();
    counted.worlds += 1;
    let Some(file) = file(report) else { return Vec::new() };
    let held = match facts_file::read(file.to_string().as_bytes()) {
        Ok(held) if held.left_out.is_empty() => held,
        Ok(held) => return held.left_out,
        Err(error) => return vec![format!("facts: {error}")],
    };
    let with = report.clone().with_facts(&held, &Facts::new(seen));
    let mut faults = Vec::new();
    if with.run.facts.as_ref().is_none_or(|facts| facts.network.is_none()) {
        faults.push(format!(
            "facts: the machine is not found: {}",
            with.notes.first().map_or("", |note| note.text.as_str())
        ));
        return faults;
    }
    counted.placed += 1;
    for (place, report) in [report, &with].into_iter().enumerate() {
        let of_findings = report.findings.iter().flat_map(|finding| &finding.fix).flat_map(Fix::all_commands);
        let commands: Vec<&Command> =
            of_findings.chain(report.notes.iter().filter_map(|note| note.command.as_ref())).collect();
        counted.commands[place] += commands.len();
        counted.open[place] += commands.iter().filter(|command| !command.asks().is_empty()).count();
        counted.notes[place] += report.notes.iter().filter(|note| note.command.is_some()).count();
    }
    for finding in &with.findings {
        for command in finding.fix.iter().flat_map(Fix::all_commands) {
            for name in command.asks() {
                *counted.left.entry(name).or_default() += 1;
                if HELD.contains(&name) {
                    faults.push(format!("facts: {} still asks for {name}: {}", finding.id, command.as_str()));
                }
            }
        }
    }
    faults
}

/// What was counted over all worlds.
pub(crate) fn summary() -> String {
    let counted = COUNTED.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(it) = counted.as_ref() else { return String::new() };
    format!(
        "Azure facts: of {} worlds {} have a machine in Azure; commands with a placeholder {} of {} without the file, {} of {} with it \
         (left: {:?}); notes that leave a look-up {} without, {} with",
        it.worlds, it.placed, it.open[0], it.commands[0], it.open[1], it.commands[1], it.left, it.notes[0], it.notes[1]
    )
}
