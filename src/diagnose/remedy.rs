//! Remedies that several rules share, as commands for somebody else's production.
//!
//! Every changing command says what else it affects, what to look at first and how to take it back. What was not observed
//! stays a placeholder in capitals.

use ampls_probes::observation::Instance;

use super::command::{Address, Command, Host, NoProxy, Peer, Region, ServiceTag, VmResourceId, Zone, command};
use super::facts::{EndpointFacts, Facts, is_blob_zone};
use super::finding::{BlastRadius, Fix};

/// The zone that holds names shared by everybody who uses Azure Monitor.
fn is_shared_zone(zone: &str) -> bool {
    zone.starts_with("privatelink.monitor.")
}

/// What linking or forwarding a zone changes for everybody else.
fn side_effect(zone: &str) -> &'static str {
    if is_shared_zone(zone) {
        return "this zone holds names that every machine shares: an agent without a data collection endpoint of this scope is refused (403) once they are private";
    }
    if is_blob_zone(zone) {
        return "this zone holds the names of all storage accounts with a private endpoint: do it last and separately, and look for accounts whose records it lacks";
    }
    "machines that use workspaces outside this scope lose those names where fallback to internet is off"
}

/// Where a zone of that name exists.
pub(super) fn find_zone(zone: &str) -> Fix {
    Fix::look(
        format!(
            "look whether a zone `{zone}` exists, and where: a second one of that name cannot be linked to the same network"
        ),
        [command!(
            Any,
            "az network private-dns zone list --query \"[?name=='{}'].{group:resourceGroup, records:numberOfRecordSets, id:id}\" -o table",
            Zone::new(zone)
        )],
    )
}

/// The links of a zone.
pub(super) fn list_links(zone: &str) -> Fix {
    Fix::look(
        format!("list the networks that `{zone}` is linked to"),
        [command!(Any, "az network private-dns link vnet list -g DNS_RESOURCE_GROUP -z {} -o table", Zone::new(zone))],
    )
}

/// Links a zone to the network whose DNS resolves.
pub(super) fn link_zone(zone: &str, network: &str) -> Fix {
    Fix::change(BlastRadius::Vnet, format!("link `{zone}` to {network}"))
        .with([create_link(zone)])
        .after_looking(format!("an empty zone breaks every name in it; {}", side_effect(zone)), [list_records(zone)])
        .undone_with("", [delete_link(zone)])
}

/// The A records of a zone.
pub(super) fn list_records(zone: &str) -> Command {
    command!(Any, "az network private-dns record-set a list -g DNS_RESOURCE_GROUP -z {} -o table", Zone::new(zone))
}

/// Links a zone to a virtual network; again it changes nothing.
pub(super) fn create_link(zone: &str) -> Command {
    command!(
        Any,
        "az network private-dns link vnet create -g DNS_RESOURCE_GROUP -z {} -n LINK_NAME -v VNET_ID --registration-enabled false",
        Zone::new(zone)
    )
}

/// Takes the link of a zone away.
pub(super) fn delete_link(zone: &str) -> Command {
    command!(Any, "az network private-dns link vnet delete -g DNS_RESOURCE_GROUP -z {} -n LINK_NAME", Zone::new(zone))
}

/// Adds zones to the private endpoint's zone group, so that Azure keeps their records.
pub(super) fn complete_zone_group(zone: &str) -> Fix {
    let name = || Zone::new(zone).map(|zone| zone.hyphenated());
    Fix::change(
        BlastRadius::EveryNetworkOnThisDns,
        format!("add `{zone}` to the zone group of the private endpoint, which then keeps its records (`add`: `create` on an existing group replaces its list)"),
    )
    .with([command!(
        Any,
        "az network private-endpoint dns-zone-group add -g ENDPOINT_RESOURCE_GROUP --endpoint-name PRIVATE_ENDPOINT -n ZONE_GROUP --private-dns-zone ZONE_ID --zone-name {}",
        name()
    )])
    .after_looking(side_effect(zone), [list_zone_groups()])
    .undone_with("", [command!(
        Any,
        "az network private-endpoint dns-zone-group remove -g ENDPOINT_RESOURCE_GROUP --endpoint-name PRIVATE_ENDPOINT -n ZONE_GROUP --zone-name {}",
        name()
    )])
}

/// Which zones the private endpoint keeps records in.
pub(super) fn list_zone_groups() -> Command {
    command!(
        Any,
        "az network private-endpoint dns-zone-group list -g ENDPOINT_RESOURCE_GROUP --endpoint-name PRIVATE_ENDPOINT -o json"
    )
}

/// Replaces the private endpoint, so that it holds the names that Microsoft has added since it was made. The new one has
/// another name, so that the commands take nothing away when they are run again.
/// Source: <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-configure>
pub(super) fn replace_endpoint(zone: &str) -> Fix {
    Fix::change(
        BlastRadius::EveryNetworkOnThisDns,
        "where its network interface does not hold the name, replace the private endpoint, and its zone group with all its zones: an older one lacks the names that Microsoft added later",
    )
    .with([
        command!(Any, "az network private-endpoint delete -g ENDPOINT_RESOURCE_GROUP -n OLD_PRIVATE_ENDPOINT"),
        command!(
            Any,
            "az network private-endpoint create -g ENDPOINT_RESOURCE_GROUP -n NEW_PRIVATE_ENDPOINT --subnet SUBNET_ID --private-connection-resource-id SCOPE_ID --group-id azuremonitor --connection-name CONNECTION_NAME"
        ),
        command!(
            Any,
            "az network private-endpoint dns-zone-group create -g ENDPOINT_RESOURCE_GROUP --endpoint-name NEW_PRIVATE_ENDPOINT -n ZONE_GROUP --private-dns-zone ZONE_ID --zone-name {}",
            Zone::new(zone).map(|zone| zone.hyphenated())
        ),
    ])
    .after_looking(
        "keep both outputs, and give the new one another name; until it is made, every name of the scope fails, and its addresses may change",
        [
            command!(Any, "az network private-endpoint show -g ENDPOINT_RESOURCE_GROUP -n OLD_PRIVATE_ENDPOINT -o json"),
            command!(
                Any,
                "az network private-endpoint dns-zone-group list -g ENDPOINT_RESOURCE_GROUP --endpoint-name OLD_PRIVATE_ENDPOINT -o json"
            ),
        ],
    )
    .undone_by("not possible: the new endpoint stays, and holds what the former one held")
}

/// Which names the private endpoint holds an address for.
pub(super) fn names_of_endpoint() -> Fix {
    Fix::look("look which names the private endpoint holds, and with which address", [show_names_of_endpoint()])
}

/// See [`names_of_endpoint`].
pub(super) fn show_names_of_endpoint() -> Command {
    command!(
        Any,
        "az network nic show -g ENDPOINT_RESOURCE_GROUP -n PRIVATE_ENDPOINT_NIC --query \"ipConfigurations[].[privateIPAddress,privateLinkConnectionProperties.fqdns]\""
    )
}

/// Adds a workspace, component or data collection endpoint to the scope.
pub(super) fn add_to_scope(resource: &str) -> Fix {
    Fix::change(
        BlastRadius::EveryNetworkOnThisDns,
        format!("add {resource} to the Azure Monitor Private Link Scope; its records appear in the zones of the zone group"),
    )
    .with([command!(
        Any,
        "az monitor private-link-scope scoped-resource create -g SCOPE_RESOURCE_GROUP --scope-name SCOPE_NAME -n SCOPED_RESOURCE_NAME --linked-resource RESOURCE_ID"
    )])
    .after_looking("every network that shares this DNS then reaches the resource privately or not at all", [list_scope()])
    .undone_with("", [command!(
        Any,
        "az monitor private-link-scope scoped-resource delete -g SCOPE_RESOURCE_GROUP --scope-name SCOPE_NAME -n SCOPED_RESOURCE_NAME"
    )])
}

/// What the scope holds.
pub(super) fn list_scope() -> Command {
    command!(
        Any,
        "az monitor private-link-scope scoped-resource list -g SCOPE_RESOURCE_GROUP --scope-name SCOPE_NAME -o table"
    )
}

/// Forwards the public zone of each AMPLS zone to Azure's DNS.
pub(super) fn forward(zones: &[String], server: &str) -> Vec<Fix> {
    let mut ordered: Vec<&String> = zones.iter().filter(|zone| !is_blob_zone(zone)).collect();
    ordered.extend(zones.iter().filter(|zone| is_blob_zone(zone)));
    let publics: Vec<Option<Zone>> = ordered.iter().map(|zone| Zone::new(zone).map(|zone| zone.public())).collect();
    let each = |line: &dyn Fn(Option<Zone>) -> Command| publics.iter().cloned().map(line).collect::<Vec<_>>();
    let address = || Address::new(server);
    let effects = "168.63.129.16 answers only servers inside Azure: elsewhere forward to the inbound endpoint of a DNS Private Resolver; do not let the forwarders replicate to servers outside Azure; `monitor` changes names that all machines on this DNS share (an agent without a data collection endpoint of this scope gets 403), `blob` moves all storage names (last, separately)";
    let windows = each(&|zone| {
        command!(
            PowerShell,
            "Add-DnsServerConditionalForwarderZone -ComputerName {} -Name {} -MasterServers 168.63.129.16",
            address(),
            zone
        )
    });
    let windows_undo =
        each(&|zone| command!(PowerShell, "Remove-DnsServerZone -ComputerName {} -Name {}", address(), zone));
    let bind = each(&|zone| {
        command!(Bind, "zone \"{}\" { type forward; forward only; forwarders { 168.63.129.16; }; };", zone)
    });
    vec![
        Fix::change(
            BlastRadius::EveryNetworkOnThisDns,
            format!("on `{server}` forward the public zones (not the `privatelink` ones) to Azure's DNS; where Application Insights is used, `applicationinsights.azure.com` and `services.visualstudio.com` too (Windows DNS)"),
        )
        .with(windows)
        .after_looking(
            effects,
            [command!(PowerShell, "Get-DnsServerZone -ComputerName {} | Where-Object ZoneType -eq Forwarder", address())],
        )
        .undone_with("", windows_undo),
        Fix::change(BlastRadius::EveryNetworkOnThisDns, format!("the same on `{server}` with BIND: add these lines to its named.conf, then `rndc reconfig`"))
            .instead()
            .with(bind)
            .after_looking(effects, [command!(Sh, "named-checkconf -p | grep -A3 'type forward'")])
            .undone_with("remove these lines, then reload the configuration", [command!(Sh, "rndc reconfig")]),
    ]
}

/// Which private endpoint holds an address, and whether its connection is approved.
pub(super) fn find_private_endpoint(address: &str) -> Vec<Fix> {
    vec![
        Fix::look(
            format!("find the private endpoint that holds `{address}`; none means that the record is stale"),
            [command!(
                Any,
                "az network nic list --query \"[?ipConfigurations[?privateIPAddress=='{}']].{nic:name, endpoint:privateEndpoint.id}\" -o table",
                Address::new(address)
            )],
        ),
        Fix::look(
            "look whether its connection is `Approved`: only then it carries traffic",
            [command!(
                Any,
                "az network private-endpoint show -g ENDPOINT_RESOURCE_GROUP -n PRIVATE_ENDPOINT --query \"privateLinkServiceConnections[].privateLinkServiceConnectionState\""
            )],
        ),
    ]
}

/// What the platform applies to this machine's interface; `service` is transport and port, like `TCP 443`. Only where
/// silence was seen: a network security group drops and never answers.
/// Source: <https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview>
pub(super) fn effective_rules(destination: &str, service: &str) -> Vec<Fix> {
    vec![
        Fix::look(format!("look for a rule that denies {service} to `{destination}`"), [effective_groups()]),
        effective_route(destination),
    ]
}

/// The rules of all groups that hold for this machine's interface.
pub(super) fn effective_groups() -> Command {
    command!(Any, "az network nic list-effective-nsg -g VM_RESOURCE_GROUP -n NIC_NAME")
}

/// Which DNS servers the virtual network and the interface are set to.
pub(super) fn show_dns_settings() -> [Command; 2] {
    [
        command!(Any, "az network vnet show -g VNET_RESOURCE_GROUP -n VNET_NAME --query dhcpOptions.dnsServers"),
        command!(Any, "az network nic show -g VM_RESOURCE_GROUP -n NIC_NAME --query dnsSettings"),
    ]
}

/// Which way the platform sends what goes to an address.
pub(super) fn effective_route(destination: &str) -> Fix {
    Fix::look(format!("look which route leads to `{destination}` (peering, firewall, gateway)"), [effective_routes()])
}

/// All routes that hold for this machine's interface.
pub(super) fn effective_routes() -> Command {
    command!(Any, "az network nic show-effective-route-table -g VM_RESOURCE_GROUP -n NIC_NAME -o table")
}

/// Allows an endpoint's port, to its service tag where that is known: names of one tag need one rule.
pub(super) fn allow_service(facts: &Facts<'_>, name: &EndpointFacts<'_>) -> Fix {
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
    fix.after_looking(sentence, [list_rules()])
}

/// The rules of a network security group.
pub(super) fn list_rules() -> Command {
    command!(Any, "az network nsg rule list -g NSG_RESOURCE_GROUP --nsg-name NSG_NAME -o table")
}

/// Allows a port to the subnet of the private endpoint.
pub(super) fn allow_private_endpoint(port: u16) -> Fix {
    allow_tcp(port, "the subnet of the private endpoint", Rule::PrivateEndpoint)
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
                "az network nsg rule create -g NSG_RESOURCE_GROUP --nsg-name NSG_NAME -n allow-{}-{} --priority PRIORITY --direction Outbound --access Allow --protocol Tcp --destination-port-ranges {} --destination-address-prefixes {}",
                &tag,
                port,
                port,
                &tag
            ),
            command!(
                Any,
                "az network nsg rule delete -g NSG_RESOURCE_GROUP --nsg-name NSG_NAME -n allow-{}-{}",
                &tag,
                port
            ),
        ),
        Rule::AzureMonitor => (
            command!(
                Any,
                "az network nsg rule create -g NSG_RESOURCE_GROUP --nsg-name NSG_NAME -n allow-azure-monitor-{} --priority PRIORITY --direction Outbound --access Allow --protocol Tcp --destination-port-ranges {} --destination-address-prefixes SERVICE_TAG",
                port,
                port
            ),
            command!(
                Any,
                "az network nsg rule delete -g NSG_RESOURCE_GROUP --nsg-name NSG_NAME -n allow-azure-monitor-{}",
                port
            ),
        ),
        Rule::PrivateEndpoint => (
            command!(
                Any,
                "az network nsg rule create -g NSG_RESOURCE_GROUP --nsg-name NSG_NAME -n allow-private-endpoint-{} --priority PRIORITY --direction Outbound --access Allow --protocol Tcp --destination-port-ranges {} --destination-address-prefixes ENDPOINT_SUBNET_PREFIX",
                port,
                port
            ),
            command!(
                Any,
                "az network nsg rule delete -g NSG_RESOURCE_GROUP --nsg-name NSG_NAME -n allow-private-endpoint-{}",
                port
            ),
        ),
    };
    Fix::change(
        BlastRadius::Vnet,
        format!("allow TCP {port} to {destination} where it is denied (network security group, firewall)"),
    )
    .with([create])
    .after_looking("the rule holds for every machine behind this group", [list_rules()])
    .undone_with("", [delete])
}

/// Shows the chain that a peer presents for a name.
pub(super) fn show_chain(address: &str, fqdn: &str) -> Fix {
    Fix::look(
        "look at the chain by hand, by the public name",
        [command!(
            Sh,
            "openssl s_client -connect {} -servername {} -showcerts </dev/null",
            Peer::new(address),
            Host::new(fqdn)
        )],
    )
}

/// Associates this machine with a data collection endpoint for its configuration.
/// Source: <https://learn.microsoft.com/azure/azure-monitor/fundamentals/private-link-vm>
pub(super) fn associate_endpoint(instance: Option<&Instance>) -> Vec<Fix> {
    let machine = || instance.and_then(|instance| instance.resource_id.as_deref()).and_then(VmResourceId::new);
    vec![
        Fix::look(
            "look which rules and endpoints this machine is associated with",
            [command!(Any, "az monitor data-collection rule association list --resource {} -o table", machine())],
        ),
        Fix::change(BlastRadius::Machine, "associate this machine with a data collection endpoint of its region")
            .with([command!(
                Any,
                "az monitor data-collection rule association create --name configurationAccessEndpoint --resource {} --data-collection-endpoint-id DCE_RESOURCE_ID",
                machine()
            )])
            .after_looking(
                "an association of the name `configurationAccessEndpoint` in the list above is replaced, so keep its endpoint; the new endpoint has to be in the scope",
                [list_scope()],
            )
            .undone_with(
                "or create it again with the endpoint it had",
                [command!(
                    Any,
                    "az monitor data-collection rule association delete --name configurationAccessEndpoint --resource {}",
                    machine()
                )],
            ),
    ]
}

/// Where proxies are set, without showing passwords.
pub(super) fn show_proxies(windows: bool) -> Vec<Command> {
    if windows {
        return vec![
            command!(PowerShell, "netsh winhttp show proxy"),
            command!(
                PowerShell,
                "Get-ChildItem env:*_proxy | ForEach-Object { $_.Name + '=' + ($_.Value -replace '//[^@/]*@', '//***@') }"
            ),
        ];
    }
    vec![
        command!(Sh, "env | grep -i _proxy | sed 's#//[^@/]*@#//***@#'"),
        command!(
            Sh,
            "sudo grep -his proxy /etc/environment /etc/default/azuremonitoragent | sed 's#//[^@/]*@#//***@#'"
        ),
    ]
}

/// Adds names or addresses to what the environment exempts from its proxy.
pub(super) fn exempt_from_proxy(facts: &Facts<'_>, names: &[&str]) -> Fix {
    let known = facts.proxy_settings().and_then(|settings| settings.exempt.as_ref());
    let former = known.map(|exempt| exempt.names.replace(' ', "")).filter(|names| !names.is_empty());
    let shown = former.as_deref().map(NoProxy::new);
    // A name that cannot stand there is none that can be exempted.
    let added =
        NoProxy::new(&names.iter().copied().filter(|name| Host::new(name).is_some()).collect::<Vec<_>>().join(","));
    let fix = Fix::change(
        BlastRadius::Machine,
        if facts.on_windows() {
            "exempt them from the proxy in the environment of this machine; services read it when they start, and an agent has its own setting"
        } else {
            "exempt them from the proxy for the programs of the shell in which this is run; services take it from their unit or `/etc/environment`, an agent from its own setting"
        },
    )
    .after_looking("look whether the direct path is open", [command!(Any, "ampls-doctor check --proxy none")]);
    let former = match &shown {
        None => "its former value (none)".to_owned(),
        Some(shown) => {
            format!("its former value, `{}`", shown.as_ref().map_or("FORMER_VALUE", NoProxy::as_str))
        }
    };
    let undo = format!("set `NO_PROXY` to {former}");
    let commands = match (facts.on_windows(), shown) {
        (true, Some(shown)) => vec![command!(
            PowerShell,
            "[Environment]::SetEnvironmentVariable('NO_PROXY', '{},{}', 'Machine')",
            shown,
            added
        )],
        (true, None) => {
            vec![command!(PowerShell, "[Environment]::SetEnvironmentVariable('NO_PROXY', '{}', 'Machine')", added)]
        }
        (false, Some(shown)) => {
            vec![command!(Sh, "export NO_PROXY='{},{}' no_proxy='{},{}'", shown.clone(), added.clone(), shown, added)]
        }
        (false, None) => vec![command!(Sh, "export NO_PROXY='{}' no_proxy='{}'", added.clone(), added)],
    };
    fix.with(commands).undone_by(undo)
}

/// Steps the clock to its time source.
pub(super) fn set_clock(windows: bool) -> Fix {
    let fix = Fix::change(BlastRadius::Machine, "step the clock to its time source, once that is right")
        .undone_by("not needed: the time source keeps the clock from then on");
    if windows {
        return fix.with([command!(Any, "w32tm /resync /force")]).after_looking(
            "look at the source and the offset; databases and clusters may mind a clock that jumps",
            [command!(Any, "w32tm /query /status")],
        );
    }
    fix.with([command!(Sh, "sudo chronyc makestep")]).after_looking(
        "a source has to be selected, Azure's is /dev/ptp_hyperv; databases and clusters may mind a clock that jumps",
        [command!(Sh, "chronyc sources -v")],
    )
}

/// Shows the clock beside its time source.
pub(super) fn show_clock(windows: bool) -> Fix {
    let commands = if windows {
        vec![command!(Any, "w32tm /query /status")]
    } else {
        vec![command!(Sh, "timedatectl"), command!(Sh, "chronyc tracking")]
    };
    Fix::look("compare this machine's clock with its time source", commands)
}
