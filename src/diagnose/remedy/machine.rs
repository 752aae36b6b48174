//! This machine as Azure sees it: its interface, subnet and network, what Azure associates with it, its extensions.
//!
//! The metadata service gives the machine's resource id, which holds subscription, resource group and name. The interface is
//! found by that id. An instance of a scale set has an id of another form, and its interface belongs to the scale set.

use std::net::SocketAddr;

use ampls_probes::azure::AgentKind;
use ampls_probes::observation::Instance;

use super::{Right, scope};
use crate::diagnose::command::{ArmName, Command, Guid, Placeholder, Region, VmName, VmResourceId, Word, command};
use crate::diagnose::facts::Facts;
use crate::diagnose::finding::{BlastRadius, Fix};

/// How Azure names this machine.
#[derive(Clone, Debug)]
pub(in crate::diagnose) enum Machine {
    /// A virtual machine of its own.
    Single(Identity),
    /// An instance of a scale set.
    Instance {
        /// The scale set.
        set: Identity,
        /// The instance's number.
        number: Option<ArmName>,
    },
    /// The metadata service gave no id: all that is known is the host name.
    Unknown(Option<VmName>),
}

/// A resource id and its parts.
#[derive(Clone, Debug, Default)]
pub(in crate::diagnose) struct Identity {
    id: Option<VmResourceId>,
    subscription: Option<Guid>,
    group: Option<ArmName>,
    name: Option<ArmName>,
}

impl Machine {
    /// What is known of this machine.
    pub(in crate::diagnose) fn of(facts: &Facts<'_>) -> Self {
        Self::named(facts.instance(), &facts.observations().machine.name)
    }

    fn named(instance: Option<&Instance>, host: &str) -> Self {
        let unknown = || Self::Unknown(VmName::new(host.split('.').next().unwrap_or_default()));
        let Some(id) = instance.and_then(|instance| instance.resource_id.as_deref()) else { return unknown() };
        let parts: Vec<&str> = id.split('/').collect();
        let after = |kind: &str| {
            let place = parts.iter().position(|part| part.eq_ignore_ascii_case(kind))?;
            parts.get(place + 1).copied()
        };
        let name = |id: &str, kind: &str| Identity {
            id: VmResourceId::new(id),
            subscription: after("subscriptions").and_then(Guid::new),
            group: after("resourceGroups").and_then(ArmName::new),
            name: after(kind).and_then(ArmName::new),
        };
        if after("virtualMachineScaleSets").is_some() {
            let set = parts.iter().position(|part| part.eq_ignore_ascii_case("virtualMachines"));
            let set = parts.get(..set.unwrap_or(parts.len())).unwrap_or_default().join("/");
            let number = after("virtualMachines").and_then(ArmName::new);
            return Self::Instance { set: name(&set, "virtualMachineScaleSets"), number };
        }
        if after("virtualMachines").is_none() {
            return unknown();
        }
        Self::Single(name(id, "virtualMachines"))
    }

    /// This machine's interface, subnet and network.
    fn network(&self) -> Vec<Command> {
        match self {
            Self::Single(vm) => vec![command!(
                Any,
                "az graph query -q \"resources | where type =~ 'microsoft.network/networkinterfaces' and tostring(properties.virtualMachine.id) =~ '{}' | extend s=tostring(properties.ipConfigurations[0].properties.subnet.id) | project NIC_ID=id, VM_SUBNET_ID=s, VNET_ID=substring(s,0,indexof(s,'/subnets/')), LINK_NAME=strcat(tostring(split(s,'/')[8]),'-link')\" --query data",
                vm.id.as_ref()
            )],
            Self::Instance { set, number } => vec![
                command!(
                    Any,
                    "az graph query -q \"resources | where type =~ 'microsoft.compute/virtualmachinescalesets' and id =~ '{}' | extend s=tostring(properties.virtualMachineProfile.networkProfile.networkInterfaceConfigurations[0].properties.ipConfigurations[0].properties.subnet.id) | project VM_SUBNET_ID=s, VNET_ID=substring(s,0,indexof(s,'/subnets/')), LINK_NAME=strcat(tostring(split(s,'/')[8]),'-link')\" --query data",
                    set.id.as_ref()
                ),
                command!(
                    Any,
                    "az vmss nic list --subscription {} -g {} --vmss-name {} --query \"[?ends_with(virtualMachine.id, '/{}')].{NIC_ID:id}\"",
                    set.subscription.as_ref(),
                    set.group.as_ref(),
                    set.name.as_ref(),
                    number.as_ref()
                ),
            ],
            Self::Unknown(host) => vec![command!(
                Any,
                "az graph query -q \"resources | where type =~ 'microsoft.network/networkinterfaces' and tostring(properties.virtualMachine.id) endswith '/{}' | extend s=tostring(properties.ipConfigurations[0].properties.subnet.id) | project VM_RESOURCE_ID=tostring(properties.virtualMachine.id), NIC_ID=id, VM_SUBNET_ID=s, VNET_ID=substring(s,0,indexof(s,'/subnets/')), LINK_NAME=strcat(tostring(split(s,'/')[8]),'-link')\" --query data",
                host.as_ref()
            )],
        }
    }

    /// How to find the machine itself, where its id is not known.
    fn find(&self) -> Option<Command> {
        match self {
            Self::Unknown(host) => Some(command!(
                Any,
                "az graph query -q \"resources | where type =~ 'microsoft.compute/virtualmachines' and name =~ '{}' | project VM_RESOURCE_ID=id, VM_SUBSCRIPTION=subscriptionId, VM_RESOURCE_GROUP=resourceGroup, VM_NAME=name\" --query data",
                host.as_ref()
            )),
            _ => None,
        }
    }

    /// What is known of its name.
    fn name(self) -> Identity {
        match self {
            Self::Single(name) | Self::Instance { set: name, .. } => name,
            Self::Unknown(_) => Identity::default(),
        }
    }

    /// Its resource id; of an instance, the id of its scale set.
    fn id(&self) -> Option<&VmResourceId> {
        match self {
            Self::Single(name) | Self::Instance { set: name, .. } => name.id.as_ref(),
            Self::Unknown(_) => None,
        }
    }
}

/// Finds this machine's network: what a link, a route and a rule are about.
pub(in crate::diagnose) fn find_network(facts: &Facts<'_>) -> Fix {
    Fix::look("find this machine's interface, subnet and virtual network", Machine::of(facts).network())
}

/// Finds the network whose links decide what a DNS server resolves: this machine's, where Azure's DNS is asked itself.
pub(in crate::diagnose) fn find_network_of_dns(facts: &Facts<'_>, server: SocketAddr) -> Fix {
    if Facts::is_azure_dns(server) || server.ip().is_loopback() {
        return find_network(facts);
    }
    Fix::look(
        format!(
            "find the virtual network where `{}` resolves; none: it is not a VM in Azure, and the network is that of the inbound endpoint it forwards to",
            server.ip()
        ),
        [command!(
            Any,
            "az graph query -q \"resources | where type =~ 'microsoft.network/networkinterfaces' | mv-expand c=properties.ipConfigurations | where tostring(c.properties.privateIPAddress) == '{}' | extend s=tostring(c.properties.subnet.id) | project VNET_ID=substring(s,0,indexof(s,'/subnets/')), LINK_NAME=strcat(tostring(split(s,'/')[8]),'-link')\" --query data",
            server.ip()
        )],
    )
}

/// What the platform applies to this machine's interface; `service` is transport and port, like `TCP 443`. Only where
/// silence was seen: a network security group drops and never answers.
/// Source: <https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview>
pub(in crate::diagnose) fn effective_rules(facts: &Facts<'_>, destination: &str, service: &str) -> Vec<Fix> {
    vec![
        find_network(facts),
        effective(facts, format!("check whether a rule denies {service} to `{destination}`"), &effective_groups),
        route(facts, destination),
    ]
}

/// Which way the platform sends what goes to an address.
pub(in crate::diagnose) fn effective_route(facts: &Facts<'_>, destination: &str) -> Vec<Fix> {
    vec![find_network(facts), route(facts, destination)]
}

/// The rules of all groups that hold for this machine's interface.
pub(in crate::diagnose) fn look_at_groups(facts: &Facts<'_>, text: &str) -> Vec<Fix> {
    vec![find_network(facts), effective(facts, text.to_owned(), &effective_groups)]
}

fn route(facts: &Facts<'_>, destination: &str) -> Fix {
    let text = format!("check the route to `{destination}` (peering, firewall, gateway)");
    effective(facts, text, &effective_routes)
}

/// Neither is asked by command for an instance of a scale set.
fn effective(facts: &Facts<'_>, text: String, command: &dyn Fn() -> Command) -> Fix {
    let mut look = match Machine::of(facts) {
        Machine::Instance { .. } => {
            Fix::look(format!("{text}; for an instance of a scale set the portal shows it (Networking)"), [])
        }
        _ => Fix::look(text, [command()]),
    };
    look.needs = Some(Right::EFFECTIVE.to_owned());
    look
}

fn effective_groups() -> Command {
    command!(Any, "az network nic list-effective-nsg --ids NIC_ID")
}

fn effective_routes() -> Command {
    command!(Any, "az network nic show-effective-route-table --ids NIC_ID -o table")
}

/// Which DNS servers the virtual network and the interface are set to.
pub(in crate::diagnose) fn dns_settings(facts: &Facts<'_>) -> Vec<Command> {
    let mut commands = Machine::of(facts).network();
    commands.push(command!(Any, "az network vnet show --ids VNET_ID --query dhcpOptions.dnsServers"));
    if !matches!(Machine::of(facts), Machine::Instance { .. }) {
        commands.push(command!(Any, "az network nic show --ids NIC_ID --query dnsSettings"));
    }
    commands
}

/// How this machine's subnet reaches the internet.
pub(in crate::diagnose) fn way_out(facts: &Facts<'_>) -> Vec<Command> {
    let mut commands = Machine::of(facts).network();
    commands.push(command!(
        Any,
        "az network vnet subnet show --ids VM_SUBNET_ID --query \"{outbound:defaultOutboundAccess, nat:natGateway.id, routes:routeTable.id, groups:networkSecurityGroup.id}\""
    ));
    commands
}

/// Which forwarding rulesets are linked to this machine's network, and their rules.
/// Source: <https://learn.microsoft.com/rest/api/dns/dnsresolver/dns-forwarding-rulesets/list-by-virtual-network>
pub(in crate::diagnose) fn rulesets(facts: &Facts<'_>) -> Vec<Command> {
    let mut commands = Machine::of(facts).network();
    commands.extend([
        command!(
            Any,
            "az rest --method post --url \"VNET_ID/listDnsForwardingRulesets?api-version=2022-07-01\" --query \"value[].{RULESET_ID:id}\""
        ),
        command!(
            Any,
            "az rest --method get --url \"RULESET_ID/forwardingRules?api-version=2022-07-01\" --query \"value[].properties\""
        ),
    ]);
    commands
}

/// The rules and endpoints that Azure associates with this machine.
/// Source: <https://learn.microsoft.com/rest/api/monitor/data-collection-rule-associations/list-by-resource>
pub(in crate::diagnose) fn list_associations(facts: &Facts<'_>) -> Vec<Command> {
    let machine = Machine::of(facts);
    let list = command!(Any, "az monitor data-collection rule association list --resource {} -o table", machine.id());
    machine.find().into_iter().chain([list]).collect()
}

/// Associates this machine with a data collection endpoint for its configuration.
/// Source: <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-vm>
pub(in crate::diagnose) fn associate_endpoint(facts: &Facts<'_>) -> Vec<Fix> {
    let machine = Machine::of(facts);
    let region = facts.instance().and_then(|instance| instance.location.as_deref());
    let endpoints = if let Some(region) = region.and_then(Region::new) {
        command!(
            Any,
            "az graph query -q \"resources | where type =~ 'microsoft.insights/datacollectionendpoints' and location =~ '{}' | project DCE_RESOURCE_ID=id\" --query data",
            region
        )
    } else {
        command!(
            Any,
            "az graph query -q \"resources | where type =~ 'microsoft.insights/datacollectionendpoints' | project DCE_RESOURCE_ID=id, region=location\" --query data"
        )
    };
    vec![
        Fix::look("check which rules and endpoints this machine is associated with", list_associations(facts)),
        Fix::change(BlastRadius::Machine, "associate this machine with a data collection endpoint of its region")
            .under(Right::ASSOCIATION)
            .with([command!(
                Any,
                "az monitor data-collection rule association create --name configurationAccessEndpoint --resource {} --data-collection-endpoint-id DCE_RESOURCE_ID",
                machine.id()
            )])
            .after_looking(
                "an association of the name `configurationAccessEndpoint` in the list above is replaced, so keep its endpoint; the new endpoint has to be in the scope; several: ask whose they are",
                [endpoints, scope::find(), scope::list()],
            )
            .undone_with(
                "or create it again with the endpoint it had",
                [command!(
                    Any,
                    "az monitor data-collection rule association delete --name configurationAccessEndpoint --resource {} --yes",
                    machine.id()
                )],
            ),
    ]
}

/// Gives this machine an identity of its own. An instance has that of its scale set.
/// Source: <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-requirements>,
/// <https://learn.microsoft.com/cli/azure/vmss/identity>
pub(in crate::diagnose) fn assign_identity(facts: &Facts<'_>) -> Vec<Fix> {
    let machine = Machine::of(facts);
    let show = show_identities(&machine);
    let (change, commands, undo) = if let Machine::Instance { set, number } = &machine {
        let ([s1, g1, n1], [s2, g2, n2], [s3, g3, n3]) = (words(set), words(set), words(set));
        (
            // Other machines of the set get it too.
            Fix::change(
                BlastRadius::Vnet,
                "give the scale set a system-assigned identity and update this instance to the set's newest model, which may restart it",
            ),
            vec![
                command!(Any, "az vmss identity assign --subscription {} -g {} -n {}", s1, g1, n1),
                command!(
                    Any,
                    "az vmss update-instances --subscription {} -g {} -n {} --instance-ids {}",
                    s2,
                    g2,
                    n2,
                    number.as_ref()
                ),
            ],
            command!(
                Any,
                "az vmss identity remove --subscription {} -g {} -n {} --identities \"[system]\"",
                s3,
                g3,
                n3
            ),
        )
    } else {
        (
            Fix::change(BlastRadius::Machine, "give this machine a system-assigned identity"),
            vec![command!(Any, "az vm identity assign --ids {}", machine.id())],
            command!(Any, "az vm identity remove --ids {} --identities \"[system]\"", machine.id()),
        )
    };
    vec![
        change
            .under(Right::IDENTITY)
            .with(commands)
            .after_looking(
                "the identities that it has are kept; if one of them is system-assigned, do not undo this",
                show,
            )
            .undone_with("", [undo]),
    ]
}

/// Which identities this machine has, after it was found where its id is not known.
fn show_identities(machine: &Machine) -> Vec<Command> {
    let show = if let Machine::Instance { set, .. } = machine {
        let [subscription, group, name] = words(set);
        command!(Any, "az vmss identity show --subscription {} -g {} -n {}", subscription, group, name)
    } else {
        command!(Any, "az vm identity show --ids {}", machine.id())
    };
    machine.find().into_iter().chain([show]).collect()
}

/// Names the identity in the settings of the agent's extension.
/// Source: <https://learn.microsoft.com/azure/azure-monitor/agents/azure-monitor-agent-manage>
pub(in crate::diagnose) fn name_identity(facts: &Facts<'_>) -> Vec<Fix> {
    vec![
        Fix::look("see which identities this machine has", show_identities(&Machine::of(facts))),
        Fix::look(
            "see which one the agent's extension names (`authentication.managedIdentity`): it has to be one that the machine has",
            show_extension(facts),
        ),
    ]
}

/// What names the machine in a command: subscription, resource group and name, each or what stands for it.
fn words(name: &Identity) -> [Word; 3] {
    const SUBSCRIPTION: Placeholder = Placeholder::new("VM_SUBSCRIPTION");
    const GROUP: Placeholder = Placeholder::new("VM_RESOURCE_GROUP");
    const NAME: Placeholder = Placeholder::new("VM_NAME");
    [
        name.subscription.clone().map_or(SUBSCRIPTION.into(), Word::from),
        name.group.clone().map_or(GROUP.into(), Word::from),
        name.name.clone().map_or(NAME.into(), Word::from),
    ]
}

/// The extension that carries the Azure Monitor Agent.
fn extension_name(facts: &Facts<'_>) -> Option<ArmName> {
    ArmName::new(if facts.on_windows() { "AzureMonitorWindowsAgent" } else { "AzureMonitorLinuxAgent" })
}

/// Shows which allow list the metadata service keeps to.
pub(in crate::diagnose) fn show_metadata_protection(facts: &Facts<'_>) -> Fix {
    Fix::look(
        "see which profile holds the allow list (`inVMAccessControlProfileReferenceId`)",
        [command!(Any, "az vm show --ids {} --query securityProfile.proxyAgentSettings", Machine::of(facts).id())],
    )
}

/// Shows the settings of the Azure Monitor Agent's extension, after the machine was found where its id is not known.
pub(in crate::diagnose) fn show_extension(facts: &Facts<'_>) -> Vec<Command> {
    let machine = Machine::of(facts);
    let find = machine.find();
    let show = match machine {
        Machine::Instance { set, .. } => {
            let [subscription, group, name] = words(&set);
            command!(
                Any,
                "az vmss extension show --subscription {} -g {} --vmss-name {} -n {} --query \"{FORMER_SETTINGS:settings}\"",
                subscription,
                group,
                name,
                extension_name(facts)
            )
        }
        machine => {
            let [subscription, group, name] = words(&machine.name());
            command!(
                Any,
                "az vm extension show --subscription {} -g {} --vm-name {} -n {} --query \"{FORMER_SETTINGS:settings}\"",
                subscription,
                group,
                name,
                extension_name(facts)
            )
        }
    };
    find.into_iter().chain([show]).collect()
}

/// Sets the settings of the extension from files in the current folder, so that no secret stands on a command line.
pub(in crate::diagnose) fn set_extension_from_files(facts: &Facts<'_>) -> Command {
    match Machine::of(facts) {
        Machine::Instance { set, .. } => {
            let [subscription, group, name] = words(&set);
            command!(
                Any,
                "az vmss extension set --subscription {} -g {} --vmss-name {} --publisher Microsoft.Azure.Monitor -n {} --settings settings.json --protected-settings protected.json",
                subscription,
                group,
                name,
                extension_name(facts)
            )
        }
        machine => {
            let [subscription, group, name] = words(&machine.name());
            command!(
                Any,
                "az vm extension set --subscription {} -g {} --vm-name {} --publisher Microsoft.Azure.Monitor -n {} --settings settings.json --protected-settings protected.json",
                subscription,
                group,
                name,
                extension_name(facts)
            )
        }
    }
}

/// Lets the extension use no proxy, and what sets it as it was.
pub(in crate::diagnose) fn set_extension_direct(facts: &Facts<'_>) -> [Command; 2] {
    match Machine::of(facts) {
        Machine::Instance { set, .. } => {
            let [subscription, group, name] = words(&set);
            [
                command!(
                    Sh,
                    "az vmss extension set --subscription {} -g {} --vmss-name {} --publisher Microsoft.Azure.Monitor -n {} --settings '{\"proxy\":{\"mode\":\"none\"}}'",
                    subscription.clone(),
                    group.clone(),
                    name.clone(),
                    extension_name(facts)
                ),
                command!(
                    Sh,
                    "az vmss extension set --subscription {} -g {} --vmss-name {} --publisher Microsoft.Azure.Monitor -n {} --settings 'FORMER_SETTINGS'",
                    subscription,
                    group,
                    name,
                    extension_name(facts)
                ),
            ]
        }
        machine => {
            let [subscription, group, name] = words(&machine.name());
            [
                command!(
                    Sh,
                    "az vm extension set --subscription {} -g {} --vm-name {} --publisher Microsoft.Azure.Monitor -n {} --settings '{\"proxy\":{\"mode\":\"none\"}}'",
                    subscription.clone(),
                    group.clone(),
                    name.clone(),
                    extension_name(facts)
                ),
                command!(
                    Sh,
                    "az vm extension set --subscription {} -g {} --vm-name {} --publisher Microsoft.Azure.Monitor -n {} --settings 'FORMER_SETTINGS'",
                    subscription,
                    group,
                    name,
                    extension_name(facts)
                ),
            ]
        }
    }
}

/// Restarts the agents that keep what they resolved; nothing where none runs here.
pub(in crate::diagnose) fn restart_agent(facts: &Facts<'_>) -> Option<Fix> {
    let runs = facts.all_agents().iter().any(|agent| agent.kind == AgentKind::Ama);
    let restart = if facts.on_windows() {
        // The agent's own service, AMAExtHealthMonitor, starts again what has ended.
        command!(PowerShell, "Stop-Process -Name MonAgentCore -Force")
    } else {
        command!(Sh, "sudo systemctl restart azuremonitoragent")
    };
    runs.then(|| {
        Fix::change(
            BlastRadius::Machine,
            "then restart the agent here: it keeps its connections to the former addresses",
        )
        .under(Right::MACHINE)
        .with([restart])
        .after("the name has to resolve to its new address first")
        .undone_by("nothing to undo: the agent starts again and sends what it has kept")
    })
}

/// What else a change of this machine's own names takes: an agent that is here keeps its connections.
pub(in crate::diagnose) fn and_restart(facts: &Facts<'_>) -> &'static str {
    if facts.all_agents().is_empty() { "" } else { " and restart the agent" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(resource_id: &str) -> String {
        let instance = Instance {
            location: None,
            environment: None,
            vm_id: None,
            resource_id: Some(resource_id.to_owned()),
            name: None,
            subnets: Vec::new(),
        };
        let commands = Machine::named(Some(&instance), "vm1.corp.example").network();
        commands.iter().map(Command::as_str).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_interface_is_found_by_the_id_of_the_machine() {
        let vm = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm1";
        let found = network(vm);
        assert!(found.contains(vm) && found.contains("NIC_ID=id"), "{found}");
    }

    #[test]
    fn the_interface_of_a_scale_sets_instance_is_found_in_its_set() {
        let set = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/set1";
        let found = network(&format!("{set}/virtualMachines/3"));
        assert!(found.contains(&format!("id =~ '{set}'")), "{found}");
        assert!(
            found.contains(
                "az vmss nic list --subscription 00000000-0000-4000-8000-000000000001 -g rg --vmss-name set1"
            ),
            "{found}"
        );
        assert!(found.contains("'/3'"), "{found}");
    }

    #[test]
    fn without_an_id_the_machine_is_found_by_its_name() {
        assert!(network("x").contains("endswith '/vm1'"));
    }
}
